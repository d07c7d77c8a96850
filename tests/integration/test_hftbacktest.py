"""A strategy compiled by numba reads features inside hftbacktest, on a recorded day."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hftbacktest as hft
import numba
import numpy as np
import pytest
from numpy.typing import NDArray

import liqcore as lq
from days import INSTRUMENT, MINUTE, first, recorded_day
from liqcore import TradeBatch
from liqcore.integrations.hftbacktest import strategy_functions

pytestmark = pytest.mark.integration

DELAY = 3_000_001  # ns from the exchange to the strategy; off the milliseconds, so that no trade arrives as it reads
FLAGS = hft.TRADE_EVENT | hft.EXCH_EVENT | hft.LOCAL_EVENT


def events_of(trades: TradeBatch) -> NDArray[Any]:
    events = np.zeros(len(trades), hft.event_dtype)
    events["ev"] = FLAGS | np.where(trades.taker_sell, hft.SELL_EVENT, hft.BUY_EVENT)
    events["exch_ts"], events["local_ts"] = trades.ts, trades.ts + DELAY
    events["px"], events["qty"] = trades.price, trades.qty
    return events


def backtest_of(events: NDArray[Any], build: Callable[..., Any] = hft.HashMapMarketDepthBacktest) -> Any:
    asset = hft.BacktestAsset().data([events]).linear_asset(1.0).constant_order_latency(DELAY, DELAY)
    asset = asset.risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0)
    asset = asset.tick_size(1.0).lot_size(0.00001).last_trades_capacity(10_000)
    if build is hft.ROIVectorMarketDepthBacktest:
        asset = asset.roi_lb(1.0).roi_ub(200_000.0)
    return build([asset])


def make_strategy() -> Callable[..., int]:
    feed, features = strategy_functions()

    @numba.njit
    def strategy(hbt, engine, reader, step_ns, times, rows):
        read = 0
        while read < len(times) and hbt.elapse(step_ns) == 0:
            if feed(hbt, 0, engine) != 0:
                return -1
            if features(engine, reader, rows[read]) != 0:
                return -2
            times[read] = hbt.current_timestamp
            read += 1
        return read

    return strategy


def run(events: NDArray[Any], build: Callable[..., Any] = hft.HashMapMarketDepthBacktest) -> tuple[Any, Any, lq.Engine]:
    """Return times and rows that the strategy has read, and the engine."""
    eng, reader = lq.Engine(INSTRUMENT, keep=1), lq.FeatureReader()
    times, rows = np.zeros(2_000, np.int64), np.full((2_000, len(reader)), np.nan)
    hbt = backtest_of(events, build)
    read = make_strategy()(hbt, eng.ptr, reader.ptr, MINUTE, times, rows)
    hbt.close()
    assert read > 0
    return times[:read], rows[:read], eng


@pytest.mark.recorded
@pytest.mark.parametrize("build", [hft.HashMapMarketDepthBacktest, hft.ROIVectorMarketDepthBacktest])
def test_a_compiled_strategy_reads_what_features_says(build: Callable[..., Any]) -> None:
    trades = recorded_day()
    times, rows, eng = run(events_of(trades), build)
    received = trades.ts + DELAY
    assert not np.isin(times, received).any()
    expected = lq.features((received, trades.price, trades.qty, trades.taker_sell), times, instrument=INSTRUMENT)
    assert len(times) > 1_400
    assert np.isfinite(rows).mean() > 0.9
    np.testing.assert_array_equal(rows, expected.values)
    assert eng.stats.used == np.count_nonzero(received <= times[-1])


@pytest.mark.recorded
def test_events_after_a_moment_change_nothing_before_it() -> None:
    trades = recorded_day()
    times, rows, _ = run(events_of(trades))
    count = len(trades) // 2
    cut_times, cut_rows, _ = run(events_of(first(trades, count)))
    known = int(np.searchsorted(cut_times, trades.ts[count - 1]))
    assert known > 100
    np.testing.assert_array_equal(cut_times[:known], times[:known])
    np.testing.assert_array_equal(cut_rows[:known], rows[:known])


@pytest.mark.recorded
def test_a_file_of_events_leaves_the_bits_of_the_loop(tmp_path: Path) -> None:
    events = events_of(recorded_day())
    times, rows, _ = run(events)
    np.savez(tmp_path / "day.npz", data=events)
    eng = lq.Engine(INSTRUMENT, keep=1)
    with np.load(tmp_path / "day.npz") as file:
        stored = file["data"]
    found = eng.feed_events(stored[stored["local_ts"] <= times[-1]], clock="local")
    assert found.passed_over == {}
    eng.advance(int(times[-1]))
    np.testing.assert_array_equal(lq.FeatureReader().read(eng), rows[-1])


def small_events() -> NDArray[Any]:
    ts = np.arange(1, 6, dtype=np.int64) * MINUTE + 1_781_222_400_000_000_000
    price = np.array([60_000.0, 60_100.0, 59_900.5, 60_000.0, 60_000.0])
    return events_of(TradeBatch(ts, price, np.ones(5), np.array([False, True, False, True, False])))


def test_what_cannot_be_used_is_counted() -> None:
    events = small_events()
    events["ev"][3] = FLAGS  # neither bought nor sold
    feed, _ = strategy_functions()

    @numba.njit
    def strategy(hbt, engine):
        lost = 0
        while hbt.elapse(MINUTE) == 0:
            lost += feed(hbt, 0, engine)
        return lost + feed(hbt, 0, engine)

    eng = lq.Engine(INSTRUMENT)
    hbt = backtest_of(events)
    assert strategy(hbt, eng.ptr) == 2
    hbt.close()
    assert eng.stats.used == 3
    assert eng.stats.rejected["off_grid"] == 1


def test_a_trade_received_at_the_time_of_reading_counts() -> None:
    events = small_events()
    events["px"][2] = 59_900.0
    feed, features = strategy_functions()

    @numba.njit
    def strategy(hbt, engine, reader, row, at):
        hbt.elapse(1)
        hbt.elapse(at - hbt.current_timestamp)
        feed(hbt, 0, engine)
        features(engine, reader, row)
        return hbt.current_timestamp

    eng, reader = lq.Engine(INSTRUMENT), lq.FeatureReader()
    row = np.empty(len(reader))
    at = int(events["local_ts"][1])
    hbt = backtest_of(events)
    assert strategy(hbt, eng.ptr, reader.ptr, row, at) == at
    hbt.close()
    assert row[0] == 60_100.0
    assert lq.features(
        (events["local_ts"].copy(), events["px"].copy(), events["qty"].copy(), np.arange(5) % 2 == 1),
        np.array([at]),
        instrument=INSTRUMENT,
    )["price"].tolist() == [60_000.0]


def unfit_rows(size: int) -> dict[str, Any]:
    """Arrays with room for every feature that C would not write as asked."""
    readonly = np.zeros(size)
    readonly.flags.writeable = False
    return {
        "float32": np.zeros(size, np.float32),
        "int64": np.zeros(size, np.int64),
        "column": np.zeros((size, 3))[:, 0],
        "reversed": np.zeros(size)[::-1],
        "two dimensions": np.zeros((size, 1)),
        "read-only": readonly,
    }


@pytest.mark.parametrize("kind", unfit_rows(1))
def test_a_row_of_another_type_or_layout_is_never_written(kind: str) -> None:
    _, features = strategy_functions()
    eng, reader = lq.Engine(INSTRUMENT), lq.FeatureReader()
    out = unfit_rows(len(reader))[kind]

    @numba.njit
    def strategy(engine, reader, out):
        return features(engine, reader, out)

    with pytest.raises(TypeError, match="No matching definition"):
        features(eng.ptr, reader.ptr, out)
    with pytest.raises(numba.TypingError, match="float64"):
        strategy(eng.ptr, reader.ptr, out)
    assert not out.any()


def test_a_row_of_a_matrix_is_written_and_nothing_beside_it() -> None:
    _, features = strategy_functions()
    eng, reader = lq.Engine(INSTRUMENT), lq.FeatureReader()
    rows = np.zeros((3, len(reader)))

    @numba.njit
    def strategy(engine, reader, rows):
        return features(engine, reader, rows[1])

    assert strategy(eng.ptr, reader.ptr, rows) == 0
    np.testing.assert_array_equal(rows[1], reader.read(eng))
    assert not rows[[0, 2]].any()
    assert features(eng.ptr, reader.ptr, rows[0]) == 0
    np.testing.assert_array_equal(rows[0], rows[1])


CACHED = """
import numba
import numpy as np
import liqcore as lq
from liqcore.integrations.hftbacktest import strategy_functions

feed, features = strategy_functions()
eng, reader = lq.Engine(lq.Instrument(tick_size=1.0, lot_size=1.0)), lq.FeatureReader()


@numba.njit(cache=True)
def strategy(engine, reader, row):
    return features(engine, reader, row)


status = strategy(eng.ptr, reader.ptr, np.zeros(len(reader)))
"""


def test_addresses_are_never_cached(tmp_path: Path) -> None:
    (tmp_path / "cached.py").write_text(CACHED)
    with pytest.warns(numba.NumbaWarning, match="Cannot cache compiled function"):
        assert runpy.run_path(str(tmp_path / "cached.py"))["status"] == 0
    assert not list(tmp_path.rglob("*.nb?"))
    _, features = strategy_functions()

    @numba.njit(cache=True)
    def enclosed(engine, reader, row):
        return features(engine, reader, row)

    with pytest.raises(ValueError, match="cannot be pickled"):
        enclosed(0, 0, np.zeros(1))


def test_an_error_is_told() -> None:
    events = small_events()
    events["exch_ts"][1:] += 10**18
    events["local_ts"][1:] += 10**18  # a jump over more than a million windows
    feed, features = strategy_functions()

    @numba.njit
    def strategy(hbt, engine):
        while hbt.elapse(10**17) == 0:
            status = feed(hbt, 0, engine)
            if status < 0:
                return status
        return 0

    eng, reader = lq.Engine(INSTRUMENT, window="1m"), lq.FeatureReader()
    hbt = backtest_of(events)
    assert strategy(hbt, eng.ptr) < 0
    hbt.close()
    assert b"window" in lq.cfunc("liq_error_message")()
    assert features(eng.ptr, reader.ptr, np.empty(2)) < 0
    assert b"room for" in lq.cfunc("liq_error_message")()
