"""
What a program pays before its first trade: `import liqcore` beside `import numpy`, and a configuration.

Imports are measured in fresh processes, by the processor time that they say; bench/startup.py has the goal.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import liqcore as lq
from startup import fresh_import
from timed import Timed

ROUNDS = 7
_imported = 0.0


def child_clock() -> float:
    """A clock that goes on only while a child process imports."""
    return _imported


def in_a_child(name: str, before: str = "") -> str:
    """Import something in a fresh process, by the clock above; return where it lies."""
    global _imported
    seconds, path = fresh_import(name, before)
    _imported += seconds
    return path


def same_file(module_file: str | None, path: str) -> None:
    assert module_file is not None
    assert Path(path).resolve() == Path(module_file).resolve()


@pytest.mark.benchmark(group="import, in a fresh process", timer=child_clock)
def test_import_numpy(timed: Timed) -> None:
    timed.anew(lambda: "numpy", in_a_child, lambda path: same_file(np.__file__, path), rounds=ROUNDS)


@pytest.mark.benchmark(group="import, in a fresh process", timer=child_clock)
def test_import_liqcore_after_numpy(timed: Timed) -> None:
    timed.anew(
        lambda: "import numpy",
        lambda before: in_a_child("liqcore", before),
        lambda path: same_file(lq.__file__, path),
        rounds=ROUNDS,
    )


FILE = """\
[instrument]
symbol = "BTCUSDT"
tick_size = 0.1
lot_size = 0.001

[window]
length = "1m"

[leverage.shares]
"25" = 0.25
"50" = 0.25
"100" = 0.5

[model]
half_life = "none"
"""


@pytest.mark.benchmark(group="settings")
def test_config_resolve_file_variables_flags(timed: Timed, tmp_path: Path) -> None:
    """A file of four sections, two variables and a flag; the later one has to win, and to be named as the origin."""
    file = tmp_path / "liqcore.toml"
    file.write_text(FILE)
    env = {"LIQCORE_WINDOW_LENGTH": "15m", "LIQCORE_INSTRUMENT_TICK_SIZE": "0.5", "HOME": "/nowhere"}

    def check(config: lq.Config) -> None:
        assert config.window.length == "1h"
        assert config.instrument.tick_size == 0.5
        assert config.instrument.lot_size == 0.001
        assert config.leverage.shares == {25.0: 0.25, 50.0: 0.25, 100.0: 0.5}
        assert config.model.half_life == "none"
        assert lq.Config.loads(config.dump()).hash == config.hash
        origins = [config.origin(key) for key in ("window.length", "instrument.tick_size", "instrument.symbol")]
        assert len(set(origins)) == 3
        assert str(file) in origins[2]

    timed(lambda: lq.Config.resolve(file, env, {"window.length": "1h"}), check, event="configuration")
