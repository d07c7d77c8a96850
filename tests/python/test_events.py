"""Trades in structured arrays: hftbacktest's events, and rows with the fields of trades."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liqcore as lq
from recorded import data_dir

Array = np.ndarray[Any, np.dtype[Any]]

EVENT = np.dtype(
    [("ev", "u8"), ("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8"), ("qty", "f8"), ("order_id", "u8"),
     ("ival", "i8"), ("fval", "f8")],
    align=True,
)  # fmt: skip
EXCH, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
TRADE, DEPTH, FILL = 2, 1, 13
MINUTE = 60_000_000_000


def engine(**options: Any) -> lq.Engine:
    inst = lq.Instrument(symbol="X", tick_size=0.1, lot_size=0.001)
    return lq.Engine(inst, **{"leverage": {5: 0.5, 20: 0.5}, "window": "1m", "half_life": None, **options})


def events_of(trades: lq.TradeBatch, *, delay: int = 1_000_000) -> Array:
    """The trades as hftbacktest has them, each followed by a change of the depth."""
    out = np.zeros(2 * len(trades), EVENT)
    sides = np.where(trades.taker_sell, SELL, BUY).astype(np.uint64)
    for rows, kind in ((out[::2], TRADE), (out[1::2], DEPTH)):
        rows["ev"] = sides | np.uint64(EXCH | LOCAL | kind)
        rows["exch_ts"], rows["local_ts"] = trades.ts, trades.ts + delay
        rows["px"], rows["qty"] = trades.price, trades.qty
    return out


def columns(trades: lq.TradeBatch) -> tuple[Array, ...]:
    return trades.ts, trades.price, trades.qty, trades.taker_sell


@pytest.fixture(scope="module")
def trades() -> lq.TradeBatch:
    return lq.simulate(seed=3, days=0.2, trades_per_day=200_000).trades


def same(one: lq.Engine, other: lq.Engine) -> bool:
    return one.stats == other.stats and one.segments() == other.segments() and one.clock == other.clock


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("clock", ["exch", "local"])
def test_the_bits_are_those_of_arrays(trades: lq.TradeBatch, clock: str, threads: int) -> None:
    ours, plain = engine(threads=threads), engine()
    done = ours.feed_events(events_of(trades), clock=clock)
    ts = trades.ts + (1_000_000 if clock == "local" else 0)
    assert done.stats == plain.trades(ts, *columns(trades)[1:])
    assert done.passed_over == {"depth": len(trades)}
    assert done.rows == 2 * len(trades)
    assert same(ours, plain)


def test_a_recorded_day_as_events_gives_the_bits_of_arrays() -> None:
    day = sorted((data_dir() / "trades").glob("*BTCUSDT*"))[0]
    batch = next(lq.read_trades(day, batch_rows=300_000))
    ours, plain = engine(), engine()
    assert ours.feed_events(events_of(batch)).stats == plain.trades(*columns(batch))
    assert same(ours, plain)


ROWS = st.lists(
    st.tuples(
        st.sampled_from([TRADE, TRADE, TRADE, DEPTH, FILL, 77]),
        st.sampled_from([EXCH, LOCAL, EXCH | LOCAL, 0]),
        st.sampled_from([BUY, SELL, BUY | SELL, 0]),
        st.integers(-5, 400) | st.just(2**63 - 1),
        st.sampled_from([60_000.0, 60_000.05, 60_100.1, 59_000.0, np.nan, -1.0]),
        st.sampled_from([1.0, 0.5, 0.0015, 0.0, np.inf]),
    ),
    max_size=60,
)


@given(ROWS, st.sampled_from(["exch", "local"]))
def test_every_row_is_fed_or_counted(rows: list[tuple[Any, ...]], clock: str) -> None:
    events = np.zeros(len(rows), EVENT)
    time, flag = {"exch": ("exch_ts", EXCH), "local": ("local_ts", LOCAL)}[clock]
    plain, passed = engine(), {}
    for event, (kind, clocks, side, second, price, qty) in zip(events, rows, strict=True):
        ts = second if second > 10**9 else 10**18 + second * 1_000_000_000
        event["ev"], event[time], event["px"], event["qty"] = kind | clocks | side, ts, price, qty
        name = {DEPTH: "depth", FILL: "fill", 77: "kind 77"}.get(kind)
        name = name or (None if clocks & flag else "other_clock") or (None if side in (BUY, SELL) else "no_side")
        if name:
            passed[name] = passed.get(name, 0) + 1
        else:
            plain.trade(ts, price, qty, side == SELL)
    ours = engine()
    done = ours.feed_events(events, clock=clock)
    assert done.passed_over == passed
    assert done.rows == len(rows)
    assert done.stats == plain.stats
    assert same(ours, plain)


FIELDS = [("ts", "i8"), ("price", "f8"), ("qty", "f8")]


@pytest.mark.parametrize(
    ("side", "dtype", "sell", "buy"),
    [
        ("taker_sell", "?", True, False),
        ("is_buyer_maker", "u1", 1, 0),
        ("taker_buy", "?", False, True),
        ("taker_buy", "i1", 0, 1),
        ("side", "U4", "sell", "BUY"),
        ("side", "S1", b"a", b"b"),
    ],
)
@pytest.mark.parametrize("align", [True, False])
def test_rows_with_the_fields_of_trades(
    trades: lq.TradeBatch, side: str, dtype: str, sell: Any, buy: Any, align: bool
) -> None:
    rows = np.zeros(len(trades), np.dtype([(side, dtype), *FIELDS], align=align))
    rows["ts"], rows["price"], rows["qty"] = columns(trades)[:3]
    rows[side] = np.where(trades.taker_sell, sell, buy)
    ours, plain = engine(), engine()
    done = ours.feed_events(rows)
    assert (done.stats, done.passed_over) == (plain.trades(*columns(trades)), {})
    assert same(ours, plain)


def test_any_stride_is_read_in_place(trades: lq.TradeBatch) -> None:
    events, plain = events_of(trades), engine()
    plain.trades(*(np.ascontiguousarray(column[::3]) for column in columns(trades)))
    ours = engine()
    ours.feed_events(events[::6])
    assert same(ours, plain)
    ours, plain = engine(), engine()
    assert ours.feed_events(events[-2::-2]).stats.rejected["late"] > 0
    plain.trades(*(np.ascontiguousarray(column[::-1]) for column in columns(trades)))
    assert same(ours, plain)
    plain = engine()
    plain.trades(*(np.ascontiguousarray(column[::3]) for column in columns(trades)))
    times = events.astype([(name, "M8[ns]" if name == "exch_ts" else EVENT[name]) for name in EVENT.names or ()])
    again = engine()
    again.feed_events(times[::6])
    assert same(again, plain)


def test_nothing_happens_where_a_jump_is_refused(trades: lq.TradeBatch) -> None:
    events = events_of(trades)
    events["exch_ts"][-2] += 2_000_000 * MINUTE  # the last trade
    ours = engine()
    with pytest.raises(
        lq.InvalidConfigError, match=r"ts must not jump over more than 1,?000,?000 windows.* in row \d+ of events"
    ):
        ours.feed_events(events)
    assert ours.clock is None
    assert ours.stats.rows == 0
    events["px"][-2] = np.nan  # the time alone is looked at
    with pytest.raises(lq.InvalidConfigError, match="ts must not jump"):
        ours.feed_events(events)
    assert ours.feed_events(events[:-2]).stats.rejected["not_finite"] == 0


def test_events_go_on_after_candles(trades: lq.TradeBatch) -> None:
    ours = engine()
    one = np.ones(1)
    ours.candles(np.array([trades.ts[0] - 2 * MINUTE]), one, one, one, one, one, one)
    assert ours.feed_events(events_of(trades)).stats.used == len(trades)
    ours = engine()
    assert ours.feed_events(events_of(trades)[1::2]).passed_over == {"depth": len(trades)}


def test_what_cannot_be_read_is_refused(trades: lq.TradeBatch) -> None:
    ours, events = engine(), events_of(trades)[:4]
    with pytest.raises(TypeError, match="events must be a structured array, was float64"):
        ours.feed_events(events["px"])
    with pytest.raises(TypeError, match="events must be a structured array, was list"):
        ours.feed_events([1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="events must be one-dimensional, had 2 dimensions"):
        ours.feed_events(events.reshape(2, 2))
    with pytest.raises(lq.InvalidConfigError, match=r"clock must be one of \('exch', 'local'\), was 'mine'"):
        ours.feed_events(events, clock="mine")
    narrow = events.astype([(name, "f4" if name == "px" else EVENT[name]) for name in EVENT.names or ()])
    with pytest.raises(TypeError, match=r"price must be float64 .*, was float32"):
        ours.feed_events(narrow)
    with pytest.raises(lq.DataError, match=r"events: expected a field for taker side \(.*\), found ts, price, qty"):
        ours.feed_events(np.zeros(1, FIELDS))
    rows = np.zeros(1, [*FIELDS, ("side", "U9")])
    with pytest.raises(lq.InvalidConfigError, match="clock must be left out where events have no fields"):
        ours.feed_events(rows, clock="local")
    rows["side"] = "sideways"
    with pytest.raises(lq.DataError, match="events: expected buy or sell in side, found 'sideways'"):
        ours.feed_events(rows)
    odd = np.array([(0, 1.0, 1.0, -1)], [*FIELDS, ("side", "i1")])
    with pytest.raises(lq.DataError, match="events: expected 0 or 1 in side, found 1 other rows"):
        ours.feed_events(odd)
    assert ours.stats.rows == 0


def test_no_rows_do_nothing() -> None:
    done = engine().feed_events(np.zeros(0, EVENT))
    assert (done.rows, done.passed_over) == (0, {})


def test_plain_columns_must_be_contiguous(trades: lq.TradeBatch) -> None:
    events = events_of(trades)
    with pytest.raises(TypeError, match="ts must be C-contiguous and aligned"):
        engine().trades(events["exch_ts"], events["px"], events["qty"], np.zeros(len(events), np.bool_))
    with pytest.raises(TypeError, match="price must be C-contiguous"):
        engine().trades(trades.ts[::2].copy(), trades.price[::2], trades.qty[::2], trades.taker_sell[::2])
