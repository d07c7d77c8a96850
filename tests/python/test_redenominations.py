"""A market whose price lasts at a round multiple begins anew; gaps in the data are said and kept."""

import random
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import liqcore as lq
from liqcore.cli.app import app
from liqcore.market.prices import round_factor
from liqcore.render.captions import footer_items
from liqcore.render.contract import RenderOptions
from liqcore.runs import trades as run_trades
from liqcore.runs.gaps import MIN_NS, USUAL, Gaps
from liqcore.sources.candles import Candles
from recorded import data_dir
from streams import SECOND, START

MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND


def walk(seed: int, rows: int, price: float, start: int, step: int = SECOND) -> Any:
    rng = np.random.default_rng(seed)
    ts = start + step * np.arange(rows) + rng.integers(0, step // 2, rows)
    prices = np.round(price * np.exp(np.cumsum(rng.normal(0, 2e-4, rows))), 4)
    return ts, prices, rng.integers(1, 50, rows) * 1.0, rng.random(rows) < 0.5


def joined(*parts: Any) -> Any:
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def said(call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What a call returns, and the words of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = call()
    return found, [str(one.message) for one in caught]


BEFORE = walk(1, 900, 150.0, START)
AFTER = walk(2, 900, 1.5, START + 20 * DAY)


@pytest.mark.parametrize("rows", [1, 7, 250, 1_000_000])
def test_the_book_begins_anew_where_a_market_was_re_denominated(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_trades, "BATCH_ROWS", rows)
    with pytest.warns(UserWarning, match=r"re-denominated 1:100\? The price goes from 14\d\.\d+ to 1\.\d+ at .*: 900 "):
        found = lq.heatmap(trades=joined(BEFORE, AFTER), symbol="X", window="1m")
    alone = lq.heatmap(trades=AFTER, symbol="X", window="1m")
    assert found.step == alone.step
    assert np.array_equal(found.times, alone.times)
    assert np.array_equal(found.values, alone.values)
    assert found.meta["rows"] == alone.meta["rows"]
    anew = found.meta["begins_anew"]
    assert (anew["ts"], anew["factor"], anew["dropped"]) == (int(AFTER[0][0]), "1:100", 900)
    assert any("begun anew" in item and "1:100" in item for item in footer_items(found, RenderOptions()))


def test_footprints_begin_anew_too(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"re-denominated 1:100\?"):
        stream = lq.footprints(trades=joined(BEFORE, AFTER), symbol="X")
    path = stream.save(tmp_path / "x.footprints.parquet")
    found = lq.heatmap(path, window="1m")
    alone = lq.heatmap(trades=AFTER, symbol="X", window="1m")
    assert np.array_equal(found.values, alone.values)
    assert found.meta["begins_anew"]["factor"] == "1:100"


@pytest.mark.parametrize("bars", ["1m", "times"])
def test_bars_before_a_re_denomination_was_known_stay(bars: str) -> None:
    trades = joined(BEFORE, AFTER)
    closes: Any = bars
    if bars == "times":
        closes = np.concatenate([START + MINUTE * np.arange(1, 10), START + 20 * DAY + 7 * SECOND * np.arange(1, 100)])
    with pytest.warns(UserWarning, match=r"re-denominated 1:100\?"):
        found = lq.features(trades, closes, symbol="X", window="1m")
    believed = found.meta["begins_anew"]["believed"]
    kept, _ = said(lambda: lq.features(trades, closes, symbol="X", window="1m", on_redenomination="keep"))
    alone = lq.features(AFTER, closes, symbol="X", window="1m")
    assert np.array_equal(found.times, kept.times)
    old = found.times <= believed
    assert 0 < np.count_nonzero(old) < len(old)
    assert np.array_equal(found.values[old], kept.values[old], equal_nan=True)
    new = alone.times > believed
    assert np.array_equal(found.values[~old], alone.values[new], equal_nan=True)


def test_the_choice() -> None:
    trades = joined(BEFORE, AFTER)
    kept, words = said(lambda: lq.heatmap(trades=trades, symbol="X", window="1m", on_redenomination="keep", last="10m"))
    assert any("and stays: re-denominated 1:100?" in word for word in words)
    assert kept.meta["begins_anew"] is None
    assert kept.short[-1][kept.prices > 100].sum() > 0
    assert kept.meta["rows"]["rejected"]["outlier"] == 10
    with pytest.raises(lq.DataError, match=r"found 14\d\S* before .* and 1\.\d+ from there on: re-denominated 1:100\?"):
        lq.heatmap(trades=trades, symbol="X", on_redenomination="refuse")
    with pytest.raises(lq.InvalidConfigError, match="redenomination must be"):
        lq.heatmap(trades=trades, symbol="X", on_redenomination="drop")


def test_a_jump_that_is_not_round_costs_ten_rows_and_is_said() -> None:
    trades = joined(BEFORE, walk(2, 900, 80.0, START + HOUR))
    found, words = said(lambda: lq.heatmap(trades=trades, symbol="X", window="1m"))
    assert any(word.startswith("the price (trades) goes from 14") and word.endswith("and stays") for word in words)
    assert found.meta["rows"]["rejected"] == {"outlier": 10}
    assert found.meta["begins_anew"] is None


def test_candles_begin_anew_too() -> None:
    ts = START // HOUR * HOUR + HOUR * np.arange(200)
    price = np.where(np.arange(200) < 120, 150.0, 1.5)
    with pytest.warns(UserWarning, match=r"re-denominated 1:100\?"):
        found = lq.heatmap(candles=candle_rows(ts, price), symbol="X", window="1h")
    alone = lq.heatmap(candles=candle_rows(ts[120:], price[120:]), symbol="X", window="1h")
    assert np.array_equal(found.values, alone.values)


def candle_rows(ts: NDArray[np.int64], price: NDArray[np.float64]) -> Any:
    ones = np.ones(len(ts))
    return Candles(ts, price, price * 1.01, price * 0.99, price, ones, 2 * ones, HOUR)


def test_round_factors() -> None:
    for factor, offs in ((10, 0.15), (100, 0.15), (1_000, 0.15), (10**6, 0.15), (20, 0.04), (50, 0.04), (2_000, 0.04)):
        for off in (1 - offs, 1.0, 1 + offs):
            assert round_factor(1.0, factor * off, gap=False) == f"{factor}:1"
            assert round_factor(factor * off, 1.0, gap=False) == f"1:{factor}"
    assert round_factor(63_610.0, 3_500.0, gap=True) == ""
    for factor in (2, 3, 4, 5, 8):
        assert round_factor(1.0, factor * 1.04, gap=True) == f"{factor}:1"
        assert round_factor(1.0, factor * 1.04, gap=False) in ("", "10:1")
    assert (
        round_factor(1.0, 2.2, gap=True) == round_factor(1.0, 0.15, gap=True) == round_factor(1.0, 14.0, gap=True) == ""
    )


def test_the_recorded_market_that_was_re_denominated() -> None:
    cases = data_dir() / "cases"
    files = sorted(cases.glob("16[ab]-BNXUSDT-*"))
    if len(files) != 2:
        pytest.skip(f"no files of BNXUSDT in {cases}")
    with pytest.warns(UserWarning, match=r"re-denominated 1:100\? The price goes from 150.26 to 1.5\d* at 2023-03-01"):
        found = lq.heatmap(files, window="5m")
    assert found.prices[-1] < 2.0
    assert found.meta["begins_anew"]["dropped"] == 2_000
    assert found.meta["rows"] == {"rows": 2_000, "used": 2_000, "rounded_qty": 0, "rejected": {}}


def test_the_command_line_says_it_and_has_the_choice(tmp_path: Path) -> None:
    for name, (ts, price, qty, sell) in (("a.csv", BEFORE), ("b.csv", AFTER)):
        rows = zip(ts.tolist(), price.tolist(), qty.tolist(), sell.tolist(), strict=True)
        text = "".join(f"{t},{p!r},{q!r},{'sell' if s else 'buy'}\n" for t, p, q, s in rows)
        (tmp_path / name).write_text("timestamp,price,quantity,side\n" + text)
    files = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    run = CliRunner().invoke(app, ["heatmap", *files, "-o", str(tmp_path / "x.parquet"), "--window", "1m"])
    assert run.exit_code == 0, run.output
    assert "re-denominated 1:100?" in run.stderr
    assert lq.load_heatmap(tmp_path / "x.parquet").meta["begins_anew"]["factor"] == "1:100"
    refused = ["heatmap", *files, "-o", str(tmp_path / "y.parquet"), "--on-redenomination", "refuse"]
    run = CliRunner().invoke(app, refused)
    assert run.exit_code == 2
    assert "re-denominated 1:100?" in run.stderr


# ---- gaps --------------------------------------------------------------------------------------------------------


def test_a_silent_hour_is_said_and_kept(tmp_path: Path) -> None:
    early, late = walk(1, 3_000, 100.0, START), walk(2, 3_000, 100.0, START + 3_000 * SECOND + HOUR)
    with pytest.warns(
        UserWarning, match=r"no trade from .* \(1h\), where one comes every 1\S*s: is something missing\?"
    ):
        found = lq.heatmap(trades=joined(early, late), symbol="X", window="1m")
    assert found.gaps.tolist() == [[int(early[0][-1]), int(late[0][0])]]
    found.save(tmp_path / "x.parquet")
    assert np.array_equal(lq.load_heatmap(tmp_path / "x.parquet").gaps, found.gaps)
    with pytest.warns(UserWarning, match="no trade from"):
        stream = lq.footprints(trades=joined(early, late), symbol="X")
    with pytest.warns(UserWarning, match="no trade from"):
        assert np.array_equal(lq.heatmap(trades=stream, window="1m").gaps, found.gaps)
    with pytest.warns(UserWarning, match="no trade from"):
        assert lq.features(joined(early, late), "1m", symbol="X").meta["gaps"] == found.gaps.tolist()
    assert lq.heatmap(trades=early, symbol="X", window="1m").gaps.shape == (0, 2)


def slow_gaps(ts: list[int]) -> list[list[int]]:
    """The rule once more, row by row."""
    steps = [[a, b] for a, b in pairwise(ts) if b - a >= MIN_NS]
    found: list[list[int]] = []
    while True:
        spacing = (ts[-1] - ts[0] - sum(b - a for a, b in found)) / max(len(ts) - 1 - len(found), 1)
        holds_a_day = [b // DAY - -(-a // DAY) >= 1 and spacing * 10 <= DAY for a, b in steps]
        now = [s for s, day in zip(steps, holds_a_day, strict=True) if s[1] - s[0] >= USUAL * spacing or day]
        now = [step for step in steps if step in now or step in found]
        if now == found:
            return found
        found = now


def test_gaps_are_the_same_for_any_split() -> None:
    some = 0
    for seed in range(60):
        rng = random.Random(seed)
        usual = rng.choice([SECOND, 10 * SECOND, 10 * MINUTE, 3 * HOUR])
        ts, times = START, []
        for _ in range(rng.randint(1, 4_000)):
            times.append(ts)
            ts += round(rng.expovariate(1 / usual))
            if rng.random() < 0.002:
                ts += rng.choice([5 * MINUTE, HOUR, DAY, 3 * DAY])
        gaps, at = Gaps(), 0
        while at < len(times):
            end = at + rng.choice([1, 3, 700, 5_000])
            gaps.see(np.array(times[at:end]))
            at = end
        wanted = slow_gaps(times) if len(times) > 1 else []
        assert gaps.found()[0].tolist() == wanted
        some += len(wanted)
    assert some > 50


def test_of_candles_every_missing_one_makes_a_gap() -> None:
    ts = START // HOUR * HOUR + HOUR * np.delete(np.arange(100), [7, 50, 51])
    with pytest.warns(UserWarning, match="no candle from"):
        found = lq.heatmap(candles=candle_rows(ts, np.full(97, 100.0)), symbol="X", window="1h")
    first = START // HOUR * HOUR
    assert ((found.gaps - first) / HOUR).tolist() == [[7.0, 8.0], [50.0, 52.0]]
