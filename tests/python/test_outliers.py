"""Strange prints are left out by a rule that looks back alone, the same in every way that an engine is fed."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import liqcore as lq
from drive import arrays, assert_same_columns, assert_same_now, make_engine
from liqcore import _core
from liqcore.config.config import Config
from liqcore.runs import trades as run_trades
from recorded import data_dir
from streams import SECOND, START, Setup

Trades = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]
NS = SECOND // 50


def market(seed: int, rows: int = 3_000, *, strange: int = 8, jumps: int = 1, step: int = 2) -> Trades:
    """A walk of ticks near 10,000 with strange prints, bursts of one time, crashes by steps and jumps that stay."""
    rng = random.Random(seed)
    level, ts = 10_000.0, START
    spoilt = {rng.randrange(rows): rng.choice((0.01, 0.4, 0.85, 1.2, 3.0, 50.0)) for _ in range(strange)}
    moved = {rng.randrange(1, rows): rng.choice((0.1, 0.5, 0.8, 1.3, 10.0)) for _ in range(jumps)}
    out: list[tuple[int, float, float, bool]] = []
    while len(out) < rows:
        level *= moved.pop(len(out), 1.0)
        ts += rng.choice((0, 0, 1, NS, NS, 20 * NS))
        level = max(50.0, level * (1 + rng.randint(-step, step) / 10_000))
        factor = spoilt.pop(len(out), 1.0)
        burst = rng.choice((1, 1, 2, 30)) if factor != 1 else 1
        if rng.random() < 0.001:  # step by step, so believed
            steps = [*range(10), *range(10, 0, -1)]
            out += [(ts := ts + 1, float(round(level * (1 - i / 40))), 1.0, True) for i in steps]
        for _ in range(burst):
            out.append((ts, float(round(level * factor)), float(rng.randint(1, 9)), rng.random() < 0.5))
            ts += rng.choice((0, 0, 1)) if burst > 1 else 0
    rows_ = out[:rows]
    return arrays("trade", rows_)  # type: ignore[return-value]


SETUP = Setup(tiers=(5.0, 25.0, 100.0), mmr=0.004, window=SECOND, step_ticks=5, outlier=0.1, base=10_000)


def same(one: lq.Engine, other: lq.Engine) -> None:
    assert one.stats == other.stats
    assert one.segments() == other.segments()
    assert one.outliers == other.outliers
    assert one.price_jumps == other.price_jumps
    for side in ("long", "short"):
        assert np.array_equal(one.levels_lots(side), other.levels_lots(side))


@pytest.mark.parametrize("trigger", ["last", "mark", "candle"])
def test_every_way_in_gives_the_rule_of_the_reference(trigger: str) -> None:
    setup = SETUP.with_(trigger=trigger)
    outliers = 0
    for seed in range(12):
        rng = random.Random(seed)
        setup = setup.with_(outlier=rng.choice([0.02, 0.1, 0.5]), bins=(0, 4_000))
        rows = market(seed, 1_500)
        whole, single, parts, records = (make_engine(setup) for _ in range(4))
        ref = setup.reference()
        whole.trades(*rows)
        for row in zip(*(column.tolist() for column in rows), strict=True):
            before = ref.used
            ref.trade(*row)
            assert single.trade(*row) == (ref.used > before)
        assert_same_now(whole, ref)
        assert_same_columns(whole, ref)
        same(whole, single)
        records.feed_events(np.rec.fromarrays(rows, names="ts,price,qty,taker_sell"))
        same(whole, records)
        at = 0
        while at < len(rows[0]):
            end = at + rng.choice([1, 2, 17, 256, 1_000])
            parts.trades(*(column[at:end] for column in rows))
            parts = rng.choice([lambda e: e, lambda e: e.clone(), lambda e: lq.Engine.from_bytes(e.to_bytes())])(parts)
            at = end
        assert parts.stats == whole.stats
        assert parts.segments() == whole.segments()
        outliers += whole.stats.rejected["outlier"]
    assert outliers > 100


def test_marks_and_candles_are_watched_on_their_own() -> None:
    for seed in range(10):
        rng = random.Random(100 + seed)
        setup = SETUP.with_(trigger=rng.choice(["mark", "candle"]), bins=(0, 4_000))
        ts, price, *_ = market(200 + seed, 300, strange=20, jumps=3)
        engine, ref = make_engine(setup), setup.reference()
        for i in range(0, 300, 2):
            engine.mark(int(ts[i]), price[i])
            ref.mark(int(ts[i]), price[i])
            low, high = sorted(price[[i, rng.randrange(300)]].tolist())
            row = (int(ts[i]) - 9, low, high + rng.choice([0.0, 4.0]), low, high, 1.0, 2.0)
            engine.candles(*arrays("candle", [row]), interval=10)
            ref.add_candle(*row, 10)
        assert_same_now(engine, ref)
        assert {of for of, *_ in engine.outliers} <= {"marks", "candles"}
        assert engine.stats.rejected["outlier"] > 10


def test_threads_change_no_bit() -> None:
    total = 0
    for seed in range(3):
        rows = market(seed, 300_000, strange=(0, 5, 300)[seed], jumps=(0, 2, 40)[seed], step=1)
        one, many = (make_engine(SETUP) for _ in range(2))
        many = lq.Engine(
            one.instrument, leverage=one.leverage, book_step=5.0, window=SECOND, half_life=None, outlier=0.1, threads=3
        )
        one.trades(*rows)
        many.trades(*rows)
        same(one, many)
        halves = many.clone(), one.clone()
        later = (rows[0] + (rows[0][-1] - rows[0][0]), *rows[1:])
        for engine in halves:
            engine.trades(*later)
        same(*halves)
        total += one.stats.rejected["outlier"]
    assert total > 300


def test_footprints_leave_out_the_same_rows() -> None:
    for seed in range(8):
        rows = market(seed, 3_000, step=1)
        setup = SETUP.with_(tiers=(5.0, 25.0))
        direct, replayed = make_engine(setup), make_engine(setup)
        builder = _core.FootprintBuilder(
            tick_size=1.0, lot_size=1.0, span_bps=5.0, cut_ns=SECOND, ends=None, outlier=0.1
        )
        for at in range(0, 3_000, (7, 300, 3_000)[seed % 3]):
            builder.trades(*(column[at : at + (7, 300, 3_000)[seed % 3]] for column in rows))
        direct.trades(*rows)
        assert builder.outliers == direct.outliers
        assert builder.price_jumps == direct.price_jumps
        replayed._replay(builder.finish(), None, None, None, SECOND)
        assert replayed.stats == direct.stats
        assert replayed.segments() == direct.segments()
        later = (rows[0] + (rows[0][-1] - rows[0][0]), *rows[1:])
        assert replayed.trades(*later) == direct.trades(*later)


def test_one_print_costs_itself_and_nothing_else() -> None:
    ts, price, qty, sell = market(1, strange=0, jumps=0)
    bad = price.copy()
    bad[1_234] = 5_000.0
    engine, clean = make_engine(SETUP), make_engine(SETUP)
    engine.trades(ts, bad, qty, sell)
    kept = np.arange(len(ts)) != 1_234
    clean.trades(*(np.ascontiguousarray(column[kept]) for column in (ts, price, qty, sell)))
    assert engine.segments() == clean.segments()
    assert engine.stats.rejected["outlier"] == 1
    assert engine.outliers == [("trades", int(ts[1_234]), 5_000.0, float(price[1_233]))]
    assert engine.price_jumps == []


def prints(*prices: float, step: int = SECOND) -> Trades:
    n = len(prices)
    return START + step * np.arange(n), np.array(prices), np.ones(n), np.zeros(n, np.bool_)


def outliers_of(*prices: float, step: int = SECOND, limit: float = 0.1) -> int:
    engine = make_engine(SETUP.with_(outlier=limit, window=60 * SECOND))
    engine.trades(*prints(*prices, step=step))
    return engine.stats.rejected["outlier"]


def test_the_rule_by_example() -> None:
    settled = [1_000.0] * 12
    assert outliers_of(*settled, 1_102.0) == 0  # 10 % and two ticks
    assert outliers_of(*settled, 1_103.0) == 1
    assert (outliers_of(*settled, 908.0), outliers_of(*settled, 907.0)) == (0, 1)
    assert outliers_of(*settled, *[500.0] * 10) == 10  # ten times are not enough
    assert outliers_of(*settled, *[500.0] * 40) == 10  # and the eleventh is believed
    assert outliers_of(*settled, *[500.0] * 10, 1_000.0, *[500.0] * 10) == 20  # each in a row
    assert outliers_of(*settled, *[500.0, 2_000.0] * 20) == 40  # which do not agree
    crash = [1_000.0 * 0.95**i // 1 for i in range(40)]
    assert outliers_of(*settled, *crash, *reversed(crash)) == 0  # step by step
    assert outliers_of(5.0, 7.0, 5.0, 3.0, 1.0) == 0  # ticks are coarse


def test_rows_of_one_time_are_one_print() -> None:
    ts, price, qty, sell = prints(*[1_000.0] * 12, *[500.0] * 40, *[1_000.0] * 5)
    ts[12:52] = ts[12]
    engine = make_engine(SETUP)
    engine.trades(ts, price, qty, sell)
    assert engine.stats.rejected["outlier"] == 40
    assert engine.price_jumps == []


def test_where_the_first_print_is_strange_the_second_time_of_another_level_wins() -> None:
    assert outliers_of(50_000.0, *[1_000.0] * 30) == 1
    assert outliers_of(1_000.0, 50_000.0, *[1_000.0] * 30) == 1
    assert outliers_of(1_000.0, 1_000.0, 50_000.0, 50_000.0, *[1_000.0] * 30) == 2


def test_off_in_an_engines_own_calls_and_on_where_it_is_configured() -> None:
    inst = lq.Instrument(symbol="X", tick_size=1.0, lot_size=1.0)
    assert lq.Engine(inst, leverage={10: 1.0}).outlier == 0.0
    config = Config().replace(instrument={"tick_size": 1.0, "lot_size": 1.0, "symbol": "X"})
    assert lq.Engine.from_config(config).outlier == 0.1
    assert lq.Engine.from_config(config.replace(source={"outlier": 0.0})).outlier == 0.0
    with pytest.raises(lq.InvalidConfigError, match=r"outlier must lie in \[0, 1e6\] .* was -0.1"):
        lq.Engine(inst, leverage={10: 1.0}, outlier=-0.1)


# ---- from data to results ----------------------------------------------------------------------------------------


def test_results_leave_strange_prints_out_and_name_them() -> None:
    ts, price, qty, sell = market(3, strange=0, jumps=0)
    bad = price.copy()
    bad[2_000] = 31_000.0
    kept = np.arange(len(ts)) != 2_000
    rest: Any = tuple(np.ascontiguousarray(column[kept]) for column in (ts, price, qty, sell))
    words = r"1 row left out as outlier.*trades at .*: 31000 after "
    made: list[Any] = []
    for what in (
        lambda rows: lq.heatmap(trades=rows, symbol="X", window="1s"),
        lambda rows: lq.heatmap(trades=lq.footprints(trades=rows), symbol="X", window="1m"),
        lambda rows: lq.features(rows, "1s", symbol="X"),
    ):
        with pytest.warns(UserWarning, match=words):
            found = what((ts, bad, qty, sell))
        clean = what(rest)
        assert np.array_equal(found.values, clean.values, equal_nan=True)
        assert found.meta["rows"]["rejected"] == {"outlier": 1}
        made.append(found)
    assert made[0].meta["outliers"] == [["trades", int(ts[2_000]), 31_000.0, float(price[1_999])]]
    all_believed = lq.heatmap(trades=(ts, bad, qty, sell), symbol="X", window="1s", outlier=0)
    assert not all_believed.meta["rows"]["rejected"]


def test_a_strange_first_print_sets_neither_the_bins_nor_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    ts, price, qty, sell = market(4, 500, strange=0, jumps=0)
    clean = lq.heatmap(trades=(ts[1:], price[1:], qty[1:], sell[1:]), symbol="X", window="1s")
    for first in (1.0, 10.0, 500_000.0):
        price[0] = first
        for rows in (1, 7, 1_000):
            monkeypatch.setattr(run_trades, "BATCH_ROWS", rows)
            with pytest.warns(UserWarning, match=rf"the first prices, {first:g}, are far from"):
                found = lq.heatmap(trades=(ts, price, qty, sell), symbol="X", window="1s")
            assert found.step == clean.step
            assert np.array_equal(found.values, clean.values)


def test_recorded_days_have_none() -> None:
    for path in sorted((data_dir() / "trades").glob("hyperliquid-*-2026061[12].parquet")):
        heatmap = lq.heatmap(path, window="1h")
        assert "outlier" not in heatmap.meta["rows"]["rejected"], Path(path).name
        assert heatmap.meta["begins_anew"] is None
        assert heatmap.meta["outliers"] == []
