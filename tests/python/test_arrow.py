"""Arrow streams in and out, without an Arrow library: what one part of the package writes another reads."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore import _core, arrow

Array = np.ndarray[Any, np.dtype[Any]]
SECOND = 1_000_000_000
T0 = 1_781_222_400 * SECOND


class Table:
    """A table of numpy arrays, as another library would hand it out."""

    def __init__(self, **columns: Any) -> None:
        self.columns = {name: np.asarray(values) for name, values in columns.items()}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return arrow.export_table(self.columns)


def make(**options: Any) -> lq.Engine:
    inst = lq.Instrument(symbol="X", tick_size=0.1, lot_size=0.001)
    return lq.Engine(inst, **{"leverage": {5: 0.5, 20: 0.5}, "window": "1m", "half_life": None, **options})


def rows(**other: Any) -> Table:
    columns: dict[str, Any] = {
        "ts": T0 + np.arange(4) * SECOND,
        "price": np.array([60_000.0, 60_010.1, 59_000.0, 61_000.0]),
        "qty": np.array([1.0, 2.0, 0.5, 0.1]),
        "taker_sell": np.array([True, False, False, True]),
    }
    return Table(**{name: values for name, values in {**columns, **other}.items() if values is not None})


def test_a_quantity_taken_from_another_column_is_said() -> None:
    table = rows(qty=None)
    table.columns |= {"amount": table.columns["price"] * [1, 2, 0.5, 0.1], "vol": np.array([1, 2, 0.5, 0.1])}
    with pytest.warns(UserWarning, match="trades: the quantity is vol: amount is that times the price, turnover"):
        assert arrow.read_trades(table).qty.tolist() == [1, 2, 0.5, 0.1]


@pytest.fixture(scope="module")
def trades() -> lq.TradeBatch:
    return lq.simulate(seed=4, days=0.1, trades_per_day=200_000).trades


def test_trades_go_out_and_come_in_again_with_the_same_bits(trades: lq.TradeBatch) -> None:
    back = arrow.read_trades(trades)
    for name in ("ts", "price", "qty", "taker_sell"):
        np.testing.assert_array_equal(getattr(back, name), getattr(trades, name))
    assert np.shares_memory(back.ts, trades.ts)
    assert np.shares_memory(back.price, trades.price)
    assert np.shares_memory(back.qty, trades.qty)


@pytest.mark.parametrize(
    "other",
    [
        {"ts": (T0 + np.arange(4) * SECOND).view("M8[ns]")},
        {"ts": T0 // SECOND + np.arange(4, dtype=np.int32)},
        {"ts": None, "transact_time": (T0 // 1_000_000 + 1000 * np.arange(4)).astype(np.uint64)},
        {"ts": T0 / SECOND + np.arange(4.0)},
        {"qty": np.array([1.0, 2.0, 0.5, 0.1], np.float32)},
        {"price": None, "Px": np.array([60_000.0, 60_010.1, 59_000.0, 61_000.0])},
        {"taker_sell": np.array([1, 0, 0, 1], np.uint8)},
        {"taker_sell": np.array([1, 0, 0, 1], np.int8)},
        {"taker_sell": None, "is_buyer_maker": np.array([1, 0, 0, 1])},
        {"taker_sell": None, "taker_buy": np.array([0, 1, 1, 0], np.int8)},
        {"taker_sell": None, "taker_buy": np.array([False, True, True, False])},
        {"note": np.zeros((4, 3), np.float32)},
    ],
)
def test_columns_are_found_by_name_and_converted(other: dict[str, Any]) -> None:
    ours, plain = make(), make()
    wanted = rows().columns
    assert ours.trades(rows(**other)) == plain.trades(*(wanted[n] for n in ("ts", "price", "qty", "taker_sell")))
    assert ours.segments() == plain.segments()
    assert ours.clock == plain.clock == T0 + 3 * SECOND


def test_bytes_of_0_and_1_are_read_in_place() -> None:
    table = rows(taker_sell=np.array([1, 0, 0, 1], np.uint8))
    assert np.shares_memory(arrow.read_trades(table).taker_sell, table.columns["taker_sell"])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"qty": None, "taker_sell": None, "x": np.zeros(4)},
            r"trades: expected a column for quantity \(qty or quantity or amount\), taker side \(side or "
            r"is_buyer_maker or taker_sell\), found ts, price, x",
        ),
        ({"ts": np.arange(4)}, "trades: expected times in ts since 1973 of one unit .*, found 0 to 3"),
        ({"ts": np.array([1, 10**3, 10**6, 10**9]) * 10**9}, "of one unit .*, found 1000000000 to 1000000000000000000"),
        ({"ts": np.array([True] * 4)}, "expected a timestamp or a number since the UNIX epoch in ts, found bool"),
        ({"price": np.zeros(4, "M8[ns]")}, "trades: expected numbers in price, found timestamp"),
        ({"price": np.zeros((4, 2))}, "trades: expected numbers in price, found list: cast it"),
        (
            {"taker_sell": np.array([0, 1, 2, -1])},
            "expected buy or sell in taker_sell, found 2 other rows, such as '2'",
        ),
        (
            {"taker_sell": np.zeros(4)},
            r"expected sides \(bool, 0 and 1, or buy and sell\) in taker_sell, found numbers",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(other: dict[str, Any], message: str) -> None:
    eng = make()
    with pytest.raises(lq.DataError, match=message):
        eng.trades(rows(**other))
    assert eng.stats.rows == 0


def test_a_stream_is_read_once() -> None:
    capsule = arrow.export_table(rows().columns)

    class Spent:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return capsule

    assert len(arrow.read_trades(Spent())) == 4
    with pytest.raises(lq.DataError, match="trades: the stream was consumed already"):
        arrow.read_trades(Spent())


def test_a_capsule_of_something_else_is_refused() -> None:
    class Wrong:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return arrow.export_schema(rows().columns)

    with pytest.raises(ValueError, match="incorrect name"):
        arrow.read_trades(Wrong())


def test_series_come_as_tables_too(trades: lq.TradeBatch) -> None:
    ts = trades.ts[::100].copy()
    price, quantity = trades.price[::100].copy(), 1000 + np.arange(len(ts), dtype=np.float64)
    plain = make(trigger="mark", model="oi")
    plain.feed(trades=trades, marks=(ts, price), open_interest=(ts, quantity))
    ours = make(trigger="mark", model="oi")
    marks, samples = Table(timestamp=ts, mark=price), Table(ts=ts, openInterest=quantity)
    ours.feed(trades=Table(**arrays(trades)), marks=marks, open_interest=samples)
    assert ours.segments() == plain.segments()
    assert ours.stats == plain.stats
    stream = lq.footprints(trades=Table(**arrays(trades)), marks=marks, symbol="X")
    again, plain = make(trigger="mark"), make(trigger="mark")
    again.replay(stream, marks=marks, open_interest=samples)
    plain.feed(trades=trades, marks=(ts, price), open_interest=(ts, quantity))
    assert again.segments() == plain.segments()


def test_candles_come_as_tables_too() -> None:
    starts = T0 + 60 * SECOND * np.arange(3)
    low, high = np.array([100.0, 99.0, 101.0]), np.array([102.0, 103.0, 104.0])
    volume, bought = np.array([1.1, 2.2, 3.3]), np.array([0.4, 2.0, 1.0])
    sold = np.array([0.7, 0.2, 2.3])
    table = Table(open_time=starts, open=low, high=high, low=low, close=high, volume=volume, taker_buy_volume=bought)
    candles = arrow.read_candles(table)
    assert candles.interval_ns == 60 * SECOND
    np.testing.assert_array_equal(candles.sell_qty, sold)
    ours, plain = make(trigger="candle"), make(trigger="candle")
    ours.feed(candles=table)
    plain.candles(starts, low, high, low, high, bought, sold)
    assert ours.stats == plain.stats
    assert ours.segments() == plain.segments()
    touch_only = arrow.read_candles(Table(ts=starts, open=low, high=high, low=low, close=high, volume=volume))
    assert touch_only.buy_qty is None
    with pytest.raises(lq.DataError, match="one candle does not tell its length: give interval="):
        arrow.read_candles(Table(**{name: values[:1] for name, values in table.columns.items()}))
    coins = {
        "volume": volume * low,
        "taker_buy_volume": bought * low,
        "volume_btc": volume,
        "taker_buy_btc_volume": bought,
    }
    with pytest.warns(UserWarning, match="candles: (the volume|what was bought) is .*, turnover"):
        candles = arrow.read_candles(Table(ts=starts, open=low, high=low, low=low, close=low, **coins))
    np.testing.assert_array_equal(candles.buy_qty, bought)
    np.testing.assert_array_equal(candles.sell_qty, sold)
    del coins["volume_btc"], coins["taker_buy_btc_volume"]
    with pytest.raises(
        lq.DataError, match="candles: expected the volume in base currency, found that volume is the same as"
    ):
        arrow.read_candles(Table(ts=starts, open=low, high=low, low=low, close=low, turnover=volume * low, **coins))


def arrays(trades: lq.TradeBatch) -> dict[str, Array]:
    return {"ts": trades.ts, "price": trades.price, "qty": trades.qty, "taker_sell": trades.taker_sell}


def test_a_heatmap_of_a_table_is_that_of_arrays(trades: lq.TradeBatch) -> None:
    ours, plain = (lq.heatmap(trades=given, symbol="X") for given in (Table(**arrays(trades)), trades))
    np.testing.assert_array_equal(ours.values, plain.values)
    with pytest.raises(lq.DataError, match="trades: expected at least one trade, found none"):
        lq.heatmap(trades=Table(**{name: values[:0] for name, values in arrays(trades).items()}))


def test_no_rows_do_nothing(trades: lq.TradeBatch) -> None:
    assert make().trades(Table(**{name: values[:0] for name, values in arrays(trades).items()})).rows == 0


# --- lifetime ---


def tracked(values: Array) -> tuple[Array, weakref.ref[Any]]:
    array = values.copy()
    return array, weakref.ref(array)


def test_views_keep_what_they_show() -> None:
    price, alive = tracked(np.array([1.5, 2.5, 3.5, 4.5]))
    batch = arrow.read_trades(rows(price=price))
    del price
    gc.collect()
    assert alive() is not None
    view = batch.price
    assert not view.flags.writeable
    del batch
    gc.collect()
    assert view.tolist() == [1.5, 2.5, 3.5, 4.5]
    del view
    gc.collect()
    assert alive() is None


def test_a_capsule_that_nobody_reads_lets_go() -> None:
    price, alive = tracked(np.ones(4))
    capsule = arrow.export_table({"price": price})
    schema = arrow.export_schema({"price": price})
    del price
    assert alive() is not None
    del capsule, schema
    gc.collect()
    assert alive() is None


def test_feeding_leaves_no_reference_behind(trades: lq.TradeBatch) -> None:
    eng = make()
    for _ in range(3):
        before = [sys.getrefcount(values) for values in arrays(trades).values()]
        eng.trades(Table(**arrays(trades)))
        gc.collect()
        assert [sys.getrefcount(values) for values in arrays(trades).values()] == before


# --- out ---


def read(table: Any) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    reader = _core.ArrowReader.of_stream(table.__arrow_c_stream__())
    batch = reader.next()
    assert batch is not None
    columns = {name: batch.values(i) for i, (name, _, _) in enumerate(reader.fields)}
    assert reader.next() is None
    return columns, reader.fields


def test_a_heatmap_goes_out_without_a_copy(trades: lq.TradeBatch) -> None:
    hm = lq.heatmap(trades=trades, symbol="X")
    columns, fields = read(hm)
    bins = len(hm.prices)
    assert [name for name, _, _ in fields] == [
        "time", "open", "high", "low", "close", "buy_qty", "sell_qty", "open_interest", "complete", "long", "short",
        "liquidated",
    ]  # fmt: skip
    assert fields[0][1] == "tsn:UTC"
    assert [format for _, format, _ in fields[-4:]] == ["b", f"+w:{bins}", f"+w:{bins}", f"+w:{bins}"]
    assert np.shares_memory(columns["time"], hm.times)
    np.testing.assert_array_equal(columns["close"], hm.candles["close"])


def test_a_map_goes_out_with_a_row_for_each_bin(trades: lq.TradeBatch) -> None:
    now = lq.heatmap(trades=trades, symbol="X", leverage={5: 0.5, 20: 0.5}).map()
    columns, _ = read(now)
    assert list(columns) == ["price", "long_5x", "short_5x", "long_20x", "short_20x"]
    np.testing.assert_array_equal(columns["long_20x"], now.long[1])
    assert np.shares_memory(columns["short_5x"], now.short)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": np.zeros(2), "b": np.zeros(3)}, r"columns must have one length, had \[2, 3\]"),
        ({"a": np.zeros(2, object)}, "column a must be of numbers, or one of bool or datetime64.*, was object"),
        ({"a": np.zeros((2, 2), np.bool_)}, "column a must be of numbers"),
        ({"a": np.zeros(2, ">f8")}, "column a must be of numbers"),
        ({"a": np.zeros((2, 2, 2))}, "column a must be of numbers"),
    ],
)
def test_what_cannot_go_out_is_refused(columns: dict[str, Array], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arrow.export_table(columns)


# --- views with a stated lifetime ---


def shown(trades: lq.TradeBatch) -> Iterator[tuple[str, Array]]:
    """Every array that results keep and hand out again."""
    hm = lq.heatmap(trades=trades, symbol="X", window="1m")
    for name in ("long", "short", "values", "liquidated", "times", "prices", "candles", "complete", "open_interest"):
        yield f"Heatmap.{name}", getattr(hm, name)
    wide = hm.rebin(window="5m")
    yield "Heatmap.candles of a rebinned one", wide.candles
    for name in ("long", "short", "tiers", "prices"):
        yield f"LiquidationMap.{name}", getattr(hm.map(), name)
    stream = lq.footprints(trades=trades, symbol="X")
    for name in ("start", "tick", "bought", "sold"):
        yield f"FootprintStream.{name}", getattr(stream, name)
    eng = make()
    eng.trades(*arrays(trades).values())
    for name in ("bin", "lots"):
        yield f"Segment.additions[{name}]", eng.segments()[0].additions[name]
        yield f"Segment.liquidated[{name}]", eng.segments()[0].liquidated[name]


def test_what_is_kept_is_read_only(trades: lq.TradeBatch) -> None:
    arrays = dict(shown(trades))
    assert len(arrays) > 18
    assert [name for name, array in arrays.items() if array.flags.writeable] == []


def test_what_was_handed_out_never_changes(trades: lq.TradeBatch) -> None:
    eng = make(keep=2)
    half = len(trades) // 2
    first, second = (tuple(a[part] for a in arrays(trades).values()) for part in (slice(half), slice(half, None)))
    eng.trades(*first)
    segment = eng.segments()[0]
    assert np.shares_memory(segment.additions["lots"], segment.additions["lots"])
    views = [eng.levels("long"), eng.stats.opened, segment.additions["lots"], segment.additions["bin"]]
    hm = eng.heatmap()
    views += [hm.long, hm.times, hm.candles]
    before = [array.copy() for array in views]
    assert all(len(array) for array in views)
    del segment
    eng.trades(*second)
    gc.collect()
    for view, copy in zip(views, before, strict=True):
        np.testing.assert_array_equal(view, copy)
