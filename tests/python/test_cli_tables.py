"""Tables of the command line: whatever the terminal's width, no number is cut."""

import re
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

import liqcore as lq
from liqcore.cli.app import app


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "m.parquet"
    market = lq.simulate(seed=5, days=1.0, trades_per_day=20_000)
    lq.heatmap(trades=market.trades, window="15m").save(path)
    return path


@pytest.mark.parametrize(
    "args",
    [
        ["zones"], ["map"], ["screen"], ["stops", "--side", "long", "--risk", "9"], ["magnets"], ["confluence"],
        ["cascade", "--side", "long", "--shock", "1,2,5"],
    ],
    ids=lambda args: args[0],
)  # fmt: skip
def test_a_narrow_terminal_cuts_nothing(saved: Path, args: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for columns in (40, 60, 80, 300):
        monkeypatch.setenv("COLUMNS", str(columns))
        said = CliRunner().invoke(app, [args[0], str(saved), *args[1:], *(["-q"] if args[0] == "cascade" else [])])
        assert said.exit_code == 0, said.output
        assert "…" not in said.stdout
        told.append(sorted(re.findall(r"[-+$]?\d[\d,.]*[KMB%]?", said.stdout)))
    assert told[0] == told[1] == told[2] == told[3]
