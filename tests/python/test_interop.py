"""
Tables of pyarrow, polars, pandas and duckdb, in and out.

They run where those are installed (extra "interop"), as in `make test-interop`; otherwise each skips with the reason.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore import arrow
from recorded import data_dir

SECOND = 1_000_000_000


def make(**options: Any) -> lq.Engine:
    inst = lq.Instrument(symbol="X", tick_size=0.1, lot_size=0.001)
    return lq.Engine(inst, **{"leverage": {5: 0.5, 20: 0.5}, "window": "1m", "half_life": None, **options})


@pytest.fixture(scope="module")
def trades() -> lq.TradeBatch:
    return lq.simulate(seed=5, days=0.1, trades_per_day=200_000).trades


@pytest.fixture(scope="module")
def pa() -> Any:
    return pytest.importorskip("pyarrow", reason="pyarrow is not installed")


@pytest.fixture(scope="module")
def pl() -> Any:
    return pytest.importorskip("polars", reason="polars is not installed")


@pytest.fixture(scope="module")
def pd() -> Any:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")  # which pandas hands its frames out with
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    if not hasattr(pandas.DataFrame, "__arrow_c_stream__"):
        pytest.skip("pandas is older than 2.2")
    return pandas


@pytest.fixture(scope="module")
def table(pa: Any, trades: lq.TradeBatch) -> Any:
    return pa.table(trades)


def fed(given: Any) -> lq.Engine:
    engine = make()
    engine.trades(given)
    return engine


def assert_same(given: Any, trades: lq.TradeBatch) -> None:
    ours, plain = fed(given), fed(trades)
    assert ours.stats == plain.stats
    assert ours.segments() == plain.segments()
    assert (ours.levels("long") == plain.levels("long")).all()


# --- in ---


def recode(table: Any, **columns: Callable[[Any], Any]) -> Any:
    for name, change in columns.items():
        table = table.set_column(table.column_names.index(name), name, change(table[name]))
    return table


def test_tables_of_pyarrow(pa: Any, table: Any, trades: lq.TradeBatch) -> None:
    assert_same(table, trades)
    assert_same(table.to_batches()[0], trades)
    assert_same(table.to_reader(max_chunksize=777), trades)
    assert_same(pa.concat_tables([table[:10], table[10:11], table[11:11], table[11:]]), trades)
    words = pa.array(np.where(trades.taker_sell, "Sell", "buy"))
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())):
        assert_same(table.drop_columns("taker_sell").append_column("side", words.cast(kind)), trades)


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_unit_and_zone(pa: Any, table: Any, trades: lq.TradeBatch, unit: str, zone: str | None) -> None:
    each = {"s": SECOND, "ms": 10**6, "us": 1000, "ns": 1}[unit]
    ts = trades.ts // each
    coarse = lq.TradeBatch(ts * each, trades.price, trades.qty, trades.taker_sell)
    assert_same(recode(table, ts=lambda _: pa.array(ts, pa.timestamp(unit, zone))), coarse)
    assert_same(recode(table, ts=lambda _: pa.array(ts)), coarse)


def test_slices_and_offsets(table: Any, trades: lq.TradeBatch) -> None:
    for first, count in ((0, 7), (3, 1000), (13, 64), (len(trades) - 5, 5)):
        rows = slice(first, first + count)
        part = lq.TradeBatch(trades.ts[rows], trades.price[rows], trades.qty[rows], trades.taker_sell[rows])
        assert_same(table.slice(first, count), part)
        assert_same(table.to_batches()[0].slice(first, count), part)
        assert_same(table.to_struct_array().combine_chunks().slice(first, count), part)


def test_extra_columns_are_not_looked_at(pa: Any, table: Any, trades: lq.TradeBatch) -> None:
    nulls = pa.nulls(len(trades), pa.string())
    lists = pa.array([[1]] * len(trades))
    assert_same(table.add_column(0, "note", nulls).append_column("more", lists), trades)


@pytest.mark.parametrize("name", ["symbol", "ticker", "s", "exchange"])
def test_rows_of_several_markets_are_refused(pa: Any, trades: lq.TradeBatch, name: str) -> None:
    half = len(trades.ts) // 2
    columns = {key: getattr(trades, key) for key in ("ts", "price", "qty", "taker_sell")}
    words = ["BTCUSDT"] * half + ["ETHUSDT"] * (len(trades.ts) - half)
    for column in (words, pa.array(words).dictionary_encode()):
        table = pa.table({**columns, name: column})
        for batches in (table, pa.Table.from_batches(table.to_batches(1000))):
            with pytest.raises(
                lq.DataError, match=r"trades: expected rows of one (symbol|venue), found BTCUSDT, ETHUSDT"
            ):
                lq.heatmap(trades=batches)
    assert lq.heatmap(trades=pa.table({**columns, name: ["BTCUSDT"] * len(words)})).meta["rows"]["used"] == len(words)


def test_columns_of_pyarrow_are_read_in_place(table: Any) -> None:
    batch = arrow.read_trades(table)
    for name, column in (("ts", batch.ts), ("price", batch.price), ("qty", batch.qty)):
        assert column.ctypes.data == table[name].chunk(0).buffers()[1].address, name
        assert not column.flags.writeable


def test_frames_of_polars(pl: Any, trades: lq.TradeBatch) -> None:
    words = np.where(trades.taker_sell, "sell", "buy")
    frame = pl.DataFrame({"timestamp": trades.ts, "price": trades.price, "amount": trades.qty, "side": words})
    assert_same(frame, trades)
    assert_same(frame.with_columns(pl.col("side").cast(pl.Categorical)), trades)
    assert_same(frame.with_columns(pl.col("side").cast(pl.Enum(["buy", "sell"]))), trades)
    assert_same(frame.with_columns(pl.col("timestamp").cast(pl.Datetime("ns"))), trades)
    assert_same(pl.concat([frame[:100], frame[100:]], rechunk=False), trades)
    assert_same(pl.DataFrame(trades), trades)


def test_frames_of_pandas(pd: Any, trades: lq.TradeBatch) -> None:
    frame = pd.DataFrame(
        {"time": pd.to_datetime(trades.ts, utc=True), "price": trades.price, "qty": trades.qty,
         "is_buyer_maker": trades.taker_sell}
    )  # fmt: skip
    assert_same(frame, trades)
    assert_same(frame.set_index("price").reset_index(), trades)
    with pytest.raises(lq.DataError, match=r"expected no null in time, found 1 in"):
        fed(frame.assign(time=frame["time"].where(frame.index != 3)))


def test_relations_of_duckdb(table: Any, trades: lq.TradeBatch) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    with duckdb.connect() as connection:
        connection.register("t", table)
        assert_same(connection.sql("select *, 1 as one from t"), trades)
        with pytest.raises(lq.DataError, match="expected numbers in price, found decimal: cast it"):
            fed(connection.sql("select ts, price::decimal(18, 1) as price, qty, taker_sell from t"))


def test_heatmaps_and_series_from_tables(pl: Any, trades: lq.TradeBatch) -> None:
    marks = pl.DataFrame({"ts": trades.ts[::50], "mark_price": trades.price[::50]})
    samples = pl.DataFrame({"ts": trades.ts[::50], "open_interest": 1000.0 + np.arange(len(marks))})
    frame = pl.DataFrame(trades)
    ours = lq.heatmap(trades=frame, marks=marks, open_interest=samples, symbol="X")
    plain = lq.heatmap(
        trades=trades,
        marks=(trades.ts[::50].copy(), trades.price[::50].copy()),
        open_interest=(trades.ts[::50].copy(), 1000.0 + np.arange(len(marks))),
        symbol="X",
    )
    np.testing.assert_array_equal(ours.values, plain.values)
    assert ours.meta["trigger"] == "mark"
    starts = frame.group_by_dynamic("ts", every="1m").agg(
        open=pl.col("price").first(),
        high=pl.col("price").max(),
        low=pl.col("price").min(),
        close=pl.col("price").last(),
    )
    candles = lq.heatmap(trades=frame, candles=starts, trigger="candle", symbol="X")
    assert candles.meta["trigger"] == "candle"


def test_nulls_are_refused_by_name(pa: Any, table: Any) -> None:
    holes = recode(table, qty=lambda column: pa.array([None, None, *column.to_pylist()[2:]]))
    with pytest.raises(lq.DataError, match=rf"trades: expected no null in qty, found 2 in {len(table):,} rows"):
        fed(holes)
    assert fed(holes[2:]).stats.rows == len(table) - 2
    words = pa.array(["buy", None] * 2).dictionary_encode()
    with pytest.raises(lq.DataError, match="expected no null in side, found 2 in 4 rows"):
        fed(table[:4].drop_columns("taker_sell").append_column("side", words))


@pytest.mark.parametrize(
    ("column", "kind"),
    [("price", "decimal"), ("price", "string"), ("qty", "float16"), ("ts", "date"), ("ts", "string")],
)
def test_types_that_are_refused(pa: Any, table: Any, column: str, kind: str) -> None:
    few = table[:3]
    first = pa.array([1, 2, 3], pa.float32() if kind == "float16" else pa.int32())
    values = first.cast({"decimal": pa.decimal128(18, 2), "date": pa.date32()}.get(kind) or getattr(pa, kind)())
    wanted = "a timestamp or a number since the UNIX epoch" if column == "ts" else "numbers"
    found = "text" if kind == "string" else kind
    with pytest.raises(lq.DataError, match=f"expected {wanted} in {column}, found {found}: cast it"):
        fed(recode(few, **{column: lambda _: values}))


def test_what_is_no_table_is_refused(pa: Any) -> None:
    with pytest.raises(
        lq.DataError, match=r"trades: expected a table, whose rows are structs of columns, found .* 'l'"
    ):
        fed(pa.array([1, 2]))


def chunks(table: Any, size: int, bad: int, made: list[int]) -> Iterator[Any]:
    for number, batch in enumerate(table.to_batches(max_chunksize=size)):
        made.append(number)
        if number == bad:
            raise OSError("the disk is on fire")
        yield batch


def test_a_stream_is_fed_as_it_is_produced(pa: Any, table: Any) -> None:
    made: list[int] = []
    closed: list[int] = []
    engine = make(window="10m")
    engine.on_column(lambda _: closed.append(len(made)))
    engine.trades(pa.RecordBatchReader.from_batches(table.schema, chunks(table, 100, -1, made)))
    assert len(made) == -(-len(table) // 100)
    assert closed[0] < len(made) // 2  # a window closed before the later batches were made
    assert engine.stats.rows == len(table)


def test_an_error_says_what_was_fed_before(pa: Any, table: Any) -> None:
    engine = make()
    broken = pa.RecordBatchReader.from_batches(table.schema, chunks(table, 1000, 3, []))
    with pytest.raises(
        lq.DataError, match=r"(?s)trades: .*disk is on fire.*; 3,000 rows of the stream had been fed before"
    ):
        engine.trades(broken)
    assert engine.stats.rows == 3000
    holes = recode(table[3000:4000], price=lambda _: pa.nulls(1000, pa.float64()))
    reader = pa.concat_tables([table[:10], holes])
    with pytest.raises(lq.DataError, match=r"expected no null in price, found 1,000 in 1,000 rows; 10 rows of the"):
        make().trades(reader)
    mixed = pa.concat_tables(
        [recode(table[rows], ts=lambda c, each=each: pa.array(c.cast(pa.int64()).to_numpy() // each))
         for rows, each in ((slice(10), 1), (slice(10, 20), 1000))]
    )  # fmt: skip
    with pytest.raises(lq.DataError, match=r"expected times in ts .* after times in ns; 10 rows of the stream"):
        make().trades(mixed)
    kind = table.schema.field("ts").type
    jump = recode(table[10:20], ts=lambda c: pa.array(c.cast(pa.int64()).to_numpy() + 2 * 10**18, kind))
    with pytest.raises(lq.InvalidConfigError, match=r"must not jump over .*; 10 rows of the stream had been fed"):
        make(window="1s").trades(pa.concat_tables([table[:10], jump]))


def test_late_rows_are_counted(pa: Any, table: Any) -> None:
    assert make().trades(pa.concat_tables([table[10:20], table[:10]])).rejected["late"] == 10


def test_memory_is_given_back(pa: Any, table: Any) -> None:
    pool = pa.default_memory_pool()
    gc.collect()
    before = pool.bytes_allocated()
    batch = arrow.read_trades(pa.concat_tables([table, table]).combine_chunks())
    gc.collect()
    assert pool.bytes_allocated() > before
    kept = batch.price
    del batch
    gc.collect()
    assert pool.bytes_allocated() > before
    del kept
    gc.collect()
    assert pool.bytes_allocated() == before


def test_a_recorded_day_through_polars(pl: Any) -> None:
    day = sorted((data_dir() / "trades").glob("*BTCUSDT*"))[0]
    batch = next(lq.read_trades(day, batch_rows=300_000))
    assert_same(pl.DataFrame(batch), batch)


# --- out ---


def test_trades_go_out(pa: Any, pl: Any, table: Any, trades: lq.TradeBatch) -> None:
    assert str(table.schema.field("ts").type) == "timestamp[ns, tz=UTC]"
    assert pa.schema(trades) == table.schema
    table.validate(full=True)
    np.testing.assert_array_equal(table["taker_sell"].to_numpy(), trades.taker_sell)
    assert pl.DataFrame(trades)["qty"].to_numpy().tolist() == trades.qty.tolist()


def test_heatmaps_go_out(pa: Any, pl: Any, trades: lq.TradeBatch) -> None:
    hm = lq.heatmap(trades=trades, symbol="X")
    table = pa.table(hm)
    table.validate(full=True)
    assert len(table) == len(hm.times)
    long = table["long"].chunk(0).values
    assert long.buffers()[1].address == hm.long.ctypes.data
    np.testing.assert_array_equal(long.to_numpy().reshape(hm.long.shape), hm.long)
    np.testing.assert_array_equal(table["complete"].to_numpy(), hm.complete)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert json.loads(metadata["prices"]) == hm.prices.tolist()
    assert (float(metadata["step"]), metadata["unit"], metadata["symbol"]) == (hm.step, "usd", "X")
    frame = pl.DataFrame(hm)
    np.testing.assert_array_equal(frame["short"].to_numpy(), hm.short)
    assert frame["time"].dtype == pl.Datetime("ns", "UTC")


def test_features_go_out_and_are_made_of_tables(pl: Any, trades: lq.TradeBatch) -> None:
    found = lq.features(pl.DataFrame(trades), "5m", symbol="SIM")
    wanted = lq.features(trades, "5m", symbol="SIM")
    np.testing.assert_array_equal(found.values, wanted.values)
    frame = pl.DataFrame(found)
    assert frame.columns == ["time", *found.names]
    np.testing.assert_array_equal(frame["time"].to_numpy().view(np.int64), found.times)
    np.testing.assert_array_equal(frame.drop("time").to_numpy(), found.values)


def test_what_went_out_outlives_its_owner(pa: Any, trades: lq.TradeBatch) -> None:
    hm = lq.heatmap(trades=trades, symbol="X")
    expected = hm.long.copy()
    column = pa.table(hm)["long"]
    del hm
    gc.collect()
    np.testing.assert_array_equal(column.combine_chunks().flatten().to_numpy().reshape(expected.shape), expected)


def test_maps_and_merged_heatmaps_go_out(pa: Any, trades: lq.TradeBatch) -> None:
    hm = lq.heatmap(trades=trades, symbol="X", leverage={5: 0.5, 20: 0.5})
    table = pa.table(hm.map())
    np.testing.assert_array_equal(table["long_20x"].to_numpy(), hm.map().long[1])
    assert table.schema.metadata[b"unit"] == b"usd"
    other = lq.heatmap(trades=trades, symbol="X", leverage={5: 0.5, 20: 0.5})
    merged = lq.merge_venues({"one": hm, "two": other})
    both = pa.table(merged)
    both.validate(full=True)
    assert "open_interest" not in both.column_names
    np.testing.assert_array_equal(both["long"].combine_chunks().flatten().to_numpy(), merged.long.ravel())


def test_text_goes_out(pa: Any) -> None:
    class Table:
        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return lq.arrow.export_table({"n": np.arange(3.0), "words": ["", "größer", "x"]})

    table = pa.table(Table())
    table.validate(full=True)
    assert table["words"].to_pylist() == ["", "größer", "x"]


@pytest.mark.usefixtures("pd")
def test_pandas_and_duckdb_read_what_goes_out(pa: Any, trades: lq.TradeBatch) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    table = pa.table(trades)
    assert table.to_pandas()["price"].tolist() == trades.price.tolist()
    with duckdb.connect() as connection:
        connection.register("t", table)
        assert connection.sql("select sum(qty) from t").fetchall()[0][0] == pytest.approx(trades.qty.sum())
