"""The CPU target: chosen by the machine, the environment or a call; answers do not depend on it."""

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import liqcore as lq


@pytest.fixture(autouse=True)
def _back_to_the_best() -> Iterator[None]:
    before = lq.cpu_target()
    yield
    lq.set_cpu_target(before)


def in_environment(target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import liqcore as lq; print(lq.cpu_target())"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LIQCORE_ISA": target},
    )


@pytest.mark.parametrize("target", lq.cpu_targets())
def test_the_environment_chooses(target: str) -> None:
    assert in_environment(target).stdout.split() == [target]


def test_an_unknown_target_in_the_environment_is_refused_by_name() -> None:
    done = in_environment("sse9")
    assert done.returncode != 0
    assert "environment variable LIQCORE_ISA: cpu_target must be one that this CPU runs (baseline" in done.stderr
    assert "was sse9" in done.stderr


def test_every_target_gives_the_same_bits() -> None:
    trades = lq.simulate(seed=4, days=0.1).trades
    inst = lq.Instrument(tick_size=0.1, lot_size=1e-3)
    books = []
    for target in lq.cpu_targets():
        lq.set_cpu_target(target)
        assert lq.cpu_target() == target
        eng = lq.Engine(inst, window="1m", maker_share=0.25)
        eng.trades(trades.ts, trades.price, trades.qty, trades.taker_sell)
        books.append((eng.levels_lots("long"), eng.levels_lots("short"), eng.segments()))
    for long, short, segments in books[1:]:
        np.testing.assert_array_equal(long, books[0][0])
        np.testing.assert_array_equal(short, books[0][1])
        assert segments == books[0][2]


def test_a_target_that_is_not_there_is_refused() -> None:
    with pytest.raises(lq.InvalidConfigError, match=r"cpu_target must be one that this CPU runs .*was mmx"):
        lq.set_cpu_target("mmx")
