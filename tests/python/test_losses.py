"""Rows that are lost: over 5 % refuse an input, over 0.1 % are said; the same for all kinds and for the engine."""

import random
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liqcore as lq
from liqcore.cli import main
from liqcore.errors import DataError

T0 = 1_767_225_600_000
ROWS = 2000
Read = Callable[..., Any]


def trades(path: Path) -> Any:
    reader = lq.read_trades(path)
    for _ in reader:
        pass
    return reader


# Of each kind: header, a good row, what reads it, the reasons with a row lost for each, and rows that are no loss.
KINDS: dict[str, tuple[str, str, Read, dict[str, str], dict[str, str]]] = {
    "trades": (
        "ts,price,qty,side,symbol\n", "{ts},65000.5,0.25,buy,BTC\n", trades,
        {"unreadable": "{ts},x,1,buy,BTC\n", "not_finite": "{ts},nan,1,buy,BTC\n",
         "not_positive": "{ts},1,-1,buy,BTC\n", "unknown_side": "{ts},1,1,unknown,BTC\n"},
        {"not_positive": "{ts},65000.5,0,sell,BTC\n"},
    ),
    "open_interest": (
        "timestamp,open_interest\n", "{ts},5000.5\n", lq.read_open_interest,
        {"unreadable": "{ts},x\n", "not_finite": "{ts},nan\n", "not_positive": "{ts},-1\n"},
        {"not_positive": "{ts},0\n", "not_finite": "{ts},\n"},
    ),
    "marks": (
        "timestamp,mark_price\n", "{ts},65000.5\n", lq.read_marks,
        {"unreadable": "{ts},x\n", "not_finite": "{ts},inf\n", "not_positive": "{ts},0\n"},
        {"not_finite": "{ts},\n"},
    ),
    "candles": (
        "time,open,high,low,close,volume\n", "{ts},10,12,9,11,5\n", lq.read_candles,
        {"unreadable": "{ts},x,12,9,11,5\n", "contradictory": "{ts},10,12,9,11,-5\n"},
        {"contradictory": "{ts},0,0,0,0,0\n"},
    ),
    "funding": (
        "timestamp,funding_rate\n", "{ts},0.0001\n", lq.read_funding,
        {"unreadable": "{ts},x\n", "not_finite": "{ts},nan\n"},
        {"not_finite": "{ts},\n"},
    ),
}  # fmt: skip


def text(rng: random.Random, kind: str, lost: dict[str, int], nothing: dict[str, int]) -> str:
    """A file of 2,000 good rows, and others among them."""
    header, good, _, bad, empty = KINDS[kind]
    rows = [good] * ROWS + [bad[reason] for reason, n in lost.items() for _ in range(n)]
    rows += [empty[reason] for reason, n in nothing.items() for _ in range(n)]
    rng.shuffle(rows)
    return header + "".join(row.format(ts=T0 + 60_000 * i) for i, row in enumerate(rows))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_each_kind_by_one_rule(kind: str, seed: int) -> None:
    rng = random.Random(seed)
    _, _, read, bad, empty = KINDS[kind]
    most = rng.choice([0, 2, 3, 20, 105, 106, 400])
    reasons = rng.choices(list(bad), k=most)
    lost = {reason: reasons.count(reason) for reason in bad}
    nothing = {reason: rng.randrange(1500) for reason in empty}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mine-{kind}.csv"
        path.write_text(text(rng, kind, lost, nothing))
        if most > 0.05 * (ROWS + most):
            rule = rf"mine-{kind}.csv: expected (at most 5% \w+ rows, found|candles whose high is above)"
            with pytest.raises(DataError, match=rule):
                read(path)
            return
        report = read(path).report
    (file,) = report.files
    for reason in {*bad, *empty}:
        assert file.rejected.get(reason, 0) == lost.get(reason, 0) + nothing.get(reason, 0)
    assert file.rows_read == file.rows_used + sum(file.rejected.values())
    said = [warning for warning in file.warnings if "are lost" in warning]
    assert said == ([file.lost] if most > 0.001 * (ROWS + most) else [])
    if said:
        assert f"{most:,} of {ROWS + most:,} rows" in said[0]


class TestWhereItIsSaid:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "mine.csv"
        path.write_text(text(random.Random(1), "trades", {"unknown_side": 20}, {"not_positive": 50}))
        return path

    def test_in_the_result_and_its_picture(self, path: Path) -> None:
        with pytest.warns(UserWarning, match=r"mine.csv: 20 of 2,020 rows \(0.99%\) are lost: 20 unknown_side;"):
            hm = lq.heatmap(path, window="1h", symbol="BTC", contract="linear", multiplier=1)
        assert hm.meta["losses"] == ["0.99% of the trades lost (20 unknown_side)"]
        from liqcore.render.captions import footer_items
        from liqcore.render.contract import RenderOptions

        assert hm.meta["losses"][0] in footer_items(hm, RenderOptions())

    @pytest.mark.parametrize("command", ["heatmap", "features", "footprints"])
    def test_on_the_command_line_once(
        self, path: Path, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / ("out.png" if command == "heatmap" else "out.parquet")
        bars = ["--bars", "1h"] if command == "features" else []
        assert main([command, str(path), "-o", str(out), *bars]) == 0
        assert " ".join(capsys.readouterr().err.split()).count("20 of 2,020 rows (0.99%) are lost") == 1


class TestTheEngine:
    def columns(self, late: int) -> tuple[Any, ...]:
        ts = (T0 + 1000 * np.arange(ROWS)) * 1_000_000
        ts[1 : 1 + late] = ts[0] - 1
        return ts, np.full(ROWS, 65000.5), np.full(ROWS, 0.25), np.arange(ROWS) % 2 == 0

    def test_what_it_rejects_is_lost_too(self) -> None:
        with pytest.warns(UserWarning, match="the engine could not use 60 of 2,000 rows: 60 late"):
            hm = lq.heatmap(trades=self.columns(60), window="1h")
        assert hm.meta["losses"] == ["3% of the rows in the engine lost (60 late)"]
        rule = r"the engine: expected at most 5% lost rows, found 200 of 2,000 \(200 late\): give rows in order of time"
        for run in (
            lambda: lq.heatmap(trades=self.columns(200), window="1h"),
            lambda: lq.features(self.columns(200), "1h"),
        ):
            with pytest.raises(DataError, match=rule):
                run()

    def test_zero_quantities_are_none(self) -> None:
        ts, price, qty, sells = self.columns(0)
        qty[100:1000] = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            hm = lq.heatmap(trades=(ts, price, qty, sells), window="1h")
        assert hm.meta["losses"] == []
        qty[100:1000] = -1
        with pytest.raises(DataError, match=r"lost rows, found 900 of 2,000 \(900 not_positive\)"):
            lq.heatmap(trades=(ts, price, qty, sells), window="1h")
        with pytest.raises(DataError, match=r"none that could be used: 2,000 not_positive"):
            lq.heatmap(trades=(ts, price, -np.ones(ROWS), sells), window="1h")
