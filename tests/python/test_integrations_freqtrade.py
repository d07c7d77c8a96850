"""Features as columns of a frame of candles: as of each close, and nothing later."""

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

import liqcore as lq
from liqcore.integrations.freqtrade import add_features
from recorded import data_dir

FIVE = 300_000_000_000
MARKET = lq.simulate(seed=4, days=0.25, trades_per_day=40_000)
INST = lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=0.001)


def candles(count: int, step: int = FIVE, **dates: Any) -> pd.DataFrame:
    """Return a frame as freqtrade has it, from the first trade on."""
    start = int(MARKET.trades.ts[0]) // step * step
    date = pd.to_datetime(start + np.arange(count) * step, utc=True)
    prices = dict.fromkeys(("open", "high", "low", "close"), 60_000.0)
    return pd.DataFrame({"date": date, **prices, "volume": 1.0} | dates)


def frame(trades: lq.TradeBatch) -> pd.DataFrame:
    """Return trades as freqtrade stores them."""
    return pd.DataFrame(
        {
            "timestamp": trades.ts // 1_000_000,
            "id": np.arange(len(trades)).astype(str),
            "type": None,
            "side": np.where(trades.taker_sell, "sell", "buy"),
            "price": trades.price,
            "amount": trades.qty,
            "cost": trades.price * trades.qty,
        }
    )


def in_ms(trades: lq.TradeBatch) -> lq.TradeBatch:
    return lq.TradeBatch(trades.ts // 1_000_000 * 1_000_000, trades.price, trades.qty, trades.taker_sell)


def test_a_row_says_what_features_says_of_the_close() -> None:
    bars = candles(60)
    found = add_features(bars, MARKET.trades, INST, leverage={10: 0.5, 50: 0.5})
    closes = bars.date.to_numpy("datetime64[ns]") + np.timedelta64(FIVE, "ns")
    expected = lq.features(MARKET.trades, closes, instrument=INST, leverage={10: 0.5, 50: 0.5}, window="5m")
    assert list(found.columns) == [*bars.columns, *("liq_" + name for name in expected.names)]
    np.testing.assert_array_equal(found.filter(regex="^liq_").to_numpy(), expected.values)
    assert found.liq_long_usd_5pct.max() > 0
    assert list(bars.columns) == ["date", "open", "high", "low", "close", "volume"]


@pytest.mark.parametrize("step", [60_000_000_000, FIVE, 3_600_000_000_000])
def test_the_price_is_that_of_the_last_trade_before_the_close(step: int) -> None:
    bars = candles(5, step)
    found = add_features(bars, MARKET.trades, INST)
    for i in range(len(bars)):
        close = bars.date[i].value + step
        before = np.searchsorted(MARKET.trades.ts, close)
        assert found.liq_price[i] == pytest.approx(MARKET.trades.price[before - 1], rel=1e-14)


def test_trades_after_a_close_change_nothing_at_it() -> None:
    bars = candles(60)
    cut = bars.date[30].value + FIVE
    count = int(np.searchsorted(MARKET.trades.ts, cut))
    part = lq.TradeBatch(*(getattr(MARKET.trades, name)[:count] for name in ("ts", "price", "qty", "taker_sell")))
    whole = add_features(bars, MARKET.trades, INST)
    pd.testing.assert_frame_equal(add_features(bars, part, INST)[:31], whole[:31], check_exact=True)
    pd.testing.assert_frame_equal(add_features(bars[:31], part, INST), whole[:31], check_exact=True)
    assert not add_features(bars, part, INST)[31:].equals(whole[31:])


def test_a_stored_frame_of_trades_is_taken_in_any_order() -> None:
    trades = in_ms(MARKET.trades)
    distinct = np.append(True, np.diff(trades.ts) > 0)
    trades = lq.TradeBatch(*(getattr(trades, name)[distinct] for name in ("ts", "price", "qty", "taker_sell")))
    expected = add_features(candles(60), trades, INST)
    stored = frame(trades)
    pd.testing.assert_frame_equal(add_features(candles(60), stored, INST), expected)
    shuffled = stored.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(add_features(candles(60), shuffled, INST), expected)


def test_dates_of_any_unit_and_zone_are_the_same_instants() -> None:
    bars = candles(20)
    expected = add_features(bars, MARKET.trades, INST).filter(regex="^liq_")
    for date in (bars.date.dt.tz_localize(None), bars.date.dt.tz_convert("Asia/Tokyo"), bars.date.dt.as_unit("ms")):
        found = add_features(bars.assign(date=date), MARKET.trades, INST).filter(regex="^liq_")
        pd.testing.assert_frame_equal(found, expected)


def test_the_timeframe_is_the_least_distance_unless_given() -> None:
    bars = candles(20).drop(index=[3, 4, 5]).reset_index(drop=True)
    inferred = add_features(bars, MARKET.trades, INST)
    pd.testing.assert_frame_equal(inferred, add_features(bars, MARKET.trades, INST, timeframe="5m"))
    assert not inferred.equals(add_features(bars, MARKET.trades, INST, timeframe="1m"))
    one = add_features(bars[:1], MARKET.trades, INST, timeframe="5m")
    pd.testing.assert_frame_equal(one, inferred[:1])


def test_candles_before_the_first_trade_know_nothing() -> None:
    bars = candles(20)
    bars["date"] -= pd.Timedelta("50m")
    found = add_features(bars, MARKET.trades, INST).filter(regex="^liq_")
    assert found[:9].isna().all(axis=None)
    assert found.liq_price[10:].notna().all()


@pytest.mark.parametrize(
    ("bars", "options", "error", "message"),
    [
        (candles(1), {}, lq.InvalidConfigError, "timeframe must be given where there are no two rows"),
        (candles(5)[::-1], {}, lq.DataError, "expected strictly rising times .* found .* 00:15:00.* after .* 00:20:00"),
        (candles(5)[::-1], {"timeframe": "5m"}, lq.DataError, "expected strictly rising times in column date"),
        (candles(5).iloc[[0, 1, 1, 2]], {}, lq.DataError, "found .* 00:05:00.* after .* 00:05:00"),
        (candles(5).shift(1), {}, lq.DataError, "a time in every row of column date, found NaT in row 0 and 1 of 5 in"),
        (candles(5).shift(1), {"timeframe": "5m"}, lq.DataError, "found NaT in row 0"),
        (candles(5), {"timeframe": "1h"}, lq.InvalidConfigError, "timeframe must be at most the least distance of two"),
        (candles(5), {"timeframe": "soon"}, lq.InvalidConfigError, "timeframe must be"),
        (candles(5).drop(columns="high"), {}, lq.DataError, "found no high"),
        (candles(5, date=np.arange(5)), {}, lq.DataError, "expected times in column date, found int64"),
    ],
)
def test_frames_that_are_none_of_candles_are_refused(
    bars: pd.DataFrame, options: dict[str, Any], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        add_features(bars, MARKET.trades, INST, **options)


def test_a_side_that_is_none_is_refused() -> None:
    trades = frame(MARKET.trades)
    trades.loc[7, "side"] = "long"
    with pytest.raises(lq.DataError, match="expected buy or sell in column side, found 'long'"):
        add_features(candles(5), trades, INST)


@pytest.mark.parametrize("instrument", [None, "binance-usdm:BTCUSDT"])
def test_the_instrument_must_be_given(instrument: Any) -> None:
    with pytest.raises(TypeError, match=r"instrument must be an lq\.Instrument \(a grid found from all trades .* was "):
        add_features(candles(5), MARKET.trades, instrument)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_times_of_trades_may_be_datetimes(unit: str, zone: str | None) -> None:
    stored = frame(MARKET.trades)
    expected = add_features(candles(60), stored, INST)
    at = pd.to_datetime(stored.timestamp, unit="ms").dt.as_unit(unit)
    if zone is not None:
        at = at.dt.tz_localize("UTC").dt.tz_convert(zone)
    pd.testing.assert_frame_equal(add_features(candles(60), stored.assign(timestamp=at), INST), expected)
    assert expected.liq_price.notna().all()


def test_datetimes_keep_their_nanoseconds() -> None:
    stored = frame(MARKET.trades).assign(timestamp=pd.to_datetime(MARKET.trades.ts))
    pd.testing.assert_frame_equal(
        add_features(candles(60), stored, INST), add_features(candles(60), MARKET.trades, INST)
    )


@pytest.mark.parametrize("dtype", [np.float64, "Int64", np.uint64])
def test_milliseconds_may_be_of_any_type_of_number(dtype: Any) -> None:
    stored = frame(MARKET.trades)
    found = add_features(candles(60), stored.astype({"timestamp": dtype}), INST)
    pd.testing.assert_frame_equal(found, add_features(candles(60), stored, INST))


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (MARKET.trades.ts, rf"{MARKET.trades.ts[0]} \(nanoseconds\)"),
        (MARKET.trades.ts // 1_000, rf"{MARKET.trades.ts[0] // 1_000} \(microseconds\)"),
        (MARKET.trades.ts // 1_000_000_000, rf"{MARKET.trades.ts[0] // 1_000_000_000} \(seconds\)"),
        (np.append(MARKET.trades.ts[:-1] // 1_000_000, MARKET.trades.ts[-1]), rf"{MARKET.trades.ts[-1]} \(nanoseconds"),
        (np.append(0, MARKET.trades.ts[1:] // 1_000_000), "0$"),
        (np.append(np.inf, MARKET.trades.ts[1:] // 1_000_000), "inf$"),
        (np.full(len(MARKET.trades), "2026-01-05"), "'2026-01-05'"),
    ],
)
def test_times_of_trades_in_another_unit_are_refused(times: Any, found: str) -> None:
    rule = "trades: expected milliseconds since 1970 or datetimes in column timestamp, found "
    with pytest.raises(lq.DataError, match=rule + found):
        add_features(candles(5), frame(MARKET.trades).assign(timestamp=times), INST)


@pytest.mark.parametrize("dtype", [np.float64, "datetime64[ns]"])
def test_trades_without_a_time_are_refused(dtype: Any) -> None:
    stored = frame(MARKET.trades)
    stored["timestamp"] = stored.timestamp.astype(dtype)
    stored.loc[2, "timestamp"] = None
    with pytest.raises(lq.DataError, match=r"every row of column timestamp, found (nan|NaT) in row 2"):
        add_features(candles(5), stored, INST)


@pytest.mark.recorded
def test_a_recorded_day_is_cut_anywhere() -> None:
    batches = list(lq.read_trades(data_dir() / "trades" / "hyperliquid-ETH-20260613.parquet"))
    trades = lq.TradeBatch(
        *(np.concatenate([getattr(b, name) for b in batches]) for name in ("ts", "price", "qty", "taker_sell"))
    )
    inst = lq.Instrument(symbol="ETH", tick_size=0.1, lot_size=0.0001)
    date = pd.to_datetime(np.arange(trades.ts[0] // FIVE, trades.ts[-1] // FIVE) * FIVE, utc=True)
    bars = pd.DataFrame({"date": date} | dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0))
    whole = add_features(bars, trades, inst)
    assert whole.liq_long_usd_5pct.max() > 1e6
    for row in (10, 100, 200):
        count = int(np.searchsorted(trades.ts, bars.date[row].value + FIVE))
        part = lq.TradeBatch(trades.ts[:count], trades.price[:count], trades.qty[:count], trades.taker_sell[:count])
        pd.testing.assert_frame_equal(add_features(bars, part, inst)[: row + 1], whole[: row + 1], check_exact=True)


@pytest.mark.parametrize("module", ["", ".ccxt", ".freqtrade", ".nautilus"])
def test_importing_an_adapter_imports_nobody_else(module: str) -> None:
    code = f"import sys, liqcore.integrations{module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-W", "error", "-c", code]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert {"pandas", "fastparquet", "numba", "ccxt", "freqtrade", "hftbacktest", "nautilus_trader"}.isdisjoint(loaded)
