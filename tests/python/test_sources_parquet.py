"""Trades from Parquet: any recognisable columns, streaming, nulls, what only pyarrow reads."""

import builtins
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest

from liqcore.errors import DataError
from liqcore.sources import read_candles, read_trades, scan
from liqcore.sources.parquet import to_float, to_time
from liqcore.tables.column import Column
from liqcore.tables.parquet import ParquetTable

T0 = 1_781_222_399_211  # ms
MS = 1_000_000


def frame(rows: int = 4, **columns: Any) -> pd.DataFrame:
    number = np.arange(rows)
    table = {
        "ts_ms": T0 + number,
        "price": 63610.0 + number,
        "qty": 0.25 + number,
        "taker_sell": number % 2 == 1,
    }
    return pd.DataFrame({**table, **columns})


def write(path: Path, table: pd.DataFrame, **options: Any) -> Path:
    fastparquet.write(str(path), table, **options)
    return path


def test_own_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "hyperliquid-BTC-20260611.parquet", frame())
    reader = read_trades(path)
    (batch,) = reader
    assert batch.ts.tolist() == [(T0 + n) * MS for n in range(4)]
    assert batch.price.tolist() == [63610.0, 63611.0, 63612.0, 63613.0]
    assert batch.taker_sell.tolist() == [False, True, False, True]
    (file,) = reader.report.files
    assert (file.format, file.symbol, file.time_unit) == ("parquet", "BTC", "ms")
    assert (reader.report.tick_size, reader.report.lot_size) == (1.0, 0.01)
    assert file.rows_read == file.rows_used == 4
    assert all(column.flags.c_contiguous for column in (batch.ts, batch.price, batch.qty, batch.taker_sell))


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("ts", np.array([T0 * MS, T0 * MS + 1]), "ns"),
        ("timestamp", np.array([T0 * 1000, T0 * 1000 + 1]), "us"),
        ("time", np.array([1_781_222_399, 1_781_222_400]), "s"),
        ("time", np.array([1_781_222_399, 1_781_222_400], np.int32), "s"),
        ("time", np.array([1_781_222_399.211, 1_781_222_400.5]), "s"),
        ("datetime", np.array([T0, T0 + 1], "datetime64[ms]"), "ns"),
        ("ts_event", np.array([T0 * MS, T0 * MS + 1], np.uint64), "ns"),
    ],
)
def test_times_of_any_unit(tmp_path: Path, name: str, values: Any, unit: str) -> None:
    table = frame(2).drop(columns="ts_ms")
    table[name] = values
    reader = read_trades(write(tmp_path / "a.parquet", table))
    (batch,) = reader
    assert reader.report.files[0].time_unit == unit
    assert batch.ts[0] in (T0 * MS, T0 // 1000 * 1000 * MS)
    assert len(batch) == 2


def test_times_with_a_time_zone_are_utc(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = frame(2).drop(columns="ts_ms")
    table["time"] = pd.to_datetime([T0, T0 + 1], unit="ms", utc=True).tz_convert("Asia/Tokyo")
    path = tmp_path / "a.parquet"
    table.to_parquet(path, engine="pyarrow")
    (batch,) = read_trades(path)
    assert batch.ts.tolist() == [T0 * MS, (T0 + 1) * MS]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("is_buyer_maker", [True, False]),
        ("is_buyer_maker", [1, 0]),
        ("taker_buy", [False, True]),
        ("side", ["sell", "buy"]),
        ("side", ["Sell", "Buy"]),
        ("side", [b"SELL", b"BUY"]),
        ("taker_side", pd.Categorical(["sell", "buy"])),
        ("is_buyer_maker", ["True", "False"]),
    ],
)
def test_taker_sides_of_any_kind(tmp_path: Path, name: str, values: Any) -> None:
    table = frame(2).drop(columns="taker_sell")
    table[name] = values
    (batch,) = read_trades(write(tmp_path / "a.parquet", table))
    assert batch.taker_sell.tolist() == [True, False]


@pytest.mark.parametrize("engine", ["fastparquet", "pyarrow"])
def test_bad_rows_and_nulls_are_counted_by_reason(tmp_path: Path, engine: str) -> None:
    table = pd.DataFrame(
        {
            "ts": pd.array([T0, None, T0, T0, T0, T0, T0, T0], "Int64"),
            "price": [1.5, 1.5, np.nan, np.inf, 0.0, 1.5, 1.5, 1.5],
            "qty": pd.array([1, 1, 1, 1, 1, -1, None, 1], "Int64"),
            "side": ["buy", "buy", "buy", "buy", "buy", "buy", "buy", "unknown"],
        }
    )
    good = pd.DataFrame({"ts": [T0], "price": [1.5], "qty": [1], "side": ["buy"]})
    table = pd.concat([table, *[good] * 150], ignore_index=True)
    path = tmp_path / "a.parquet"
    if engine == "pyarrow":
        pytest.importorskip("pyarrow")
        table.to_parquet(path, engine=engine)
    else:
        write(path, table, has_nulls=True)
    reader = read_trades(path)
    (batch,) = reader
    assert batch.price.tolist() == [1.5] * 151
    assert reader.report.rejected == {
        "null_ts": 1, "null_price": 1, "null_qty": 1, "not_finite": 1, "not_positive": 2, "unknown_side": 1,
    }  # fmt: skip
    assert "1 rows without a value in column 'qty'" in reader.report.files[0].warnings
    assert reader.report.rows_read == 158
    assert "the first is row 2 (null_ts)" in reader.report.files[0].warnings[0]


def test_feather_files_are_read(tmp_path: Path) -> None:
    feather = pytest.importorskip("pyarrow.feather", reason="pyarrow is not installed")
    arrow = pytest.importorskip("pyarrow")
    table = frame(300)
    feather.write_feather(arrow.table({name: table[name].to_numpy() for name in table}), tmp_path / "a.feather")
    (batch,) = read_trades(tmp_path / "a.feather")
    assert (batch.ts // 1_000_000).tolist() == table["ts_ms"].tolist()
    assert batch.price.tolist() == table["price"].tolist()
    candles = {"date": T0 + 60_000 * np.arange(9), "open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5.0}
    columns = {name: np.broadcast_to(np.asarray(values), 9) for name, values in candles.items()}
    feather.write_feather(arrow.table(columns), tmp_path / "BTC_USDT-1m.feather")
    read = read_candles(tmp_path / "BTC_USDT-1m.feather")
    assert (len(read), read.interval_ns) == (9, 60_000_000_000)


@pytest.mark.parametrize(
    ("magic", "why"), [(b"ARROW1\0\0", "expected a readable feather"), (b"FEA1", "a feather file of the first version")]
)
def test_feather_files_that_cannot_be_read_are_named(
    tmp_path: Path, magic: bytes, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.feather"
    path.write_bytes(magic + b"\1" * 100)
    with pytest.raises(DataError, match=f"a.feather: (a feather file: install pyarrow|{why})"):
        read_trades(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"a.feather: a feather file: install pyarrow, which reads those"):
        read_trades(path)


def test_nan_in_a_column_that_cannot_hold_nulls_is_not_finite(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", frame(30, price=[1.0, np.nan] + [2.0] * 28), has_nulls=False)
    reader = read_trades(path)
    assert [len(batch) for batch in reader] == [29]
    assert reader.report.rejected == {"not_finite": 1}


def test_sorted_row_groups_are_streamed(tmp_path: Path) -> None:
    rows = 1_600_000
    path = write(tmp_path / "a.parquet", frame(rows), row_group_offsets=400_000, stats=["ts_ms"])
    done: list[int] = []
    reader = read_trades(path, progress=lambda _done, _total, rows: done.append(rows))
    first = next(reader)
    assert len(first) == 800_000
    assert reader.report.rows_read == 800_000  # the rest has not been touched
    assert not reader.report.complete
    rest = np.concatenate([batch.ts for batch in reader])
    np.testing.assert_array_equal(np.concatenate([first.ts, rest]), (T0 + np.arange(rows)) * MS)
    assert reader.report.rows_used == rows
    assert done == sorted(done)
    assert reader.report.complete


def test_unsorted_row_groups_are_sorted_as_a_whole(tmp_path: Path) -> None:
    table = frame(1000)
    table = pd.concat([table[500:], table[:500]], ignore_index=True)
    reader = read_trades(write(tmp_path / "a.parquet", table, row_group_offsets=500))
    (batch,) = reader
    np.testing.assert_array_equal(batch.ts, (T0 + np.arange(1000)) * MS)
    assert reader.report.resorted == 500
    assert reader.report.rejected == {}


def test_exact_repeats_without_id_are_kept_and_with_id_dropped(tmp_path: Path) -> None:
    table = pd.concat([frame(2), frame(2)], ignore_index=True)
    assert sum(len(batch) for batch in read_trades(write(tmp_path / "a.parquet", table))) == 4
    for ids in ([7, 8, 7, 8], ["x", "y", "x", "y"]):
        table["trade_id"] = ids
        reader = read_trades(write(tmp_path / "b.parquet", table))
        assert sum(len(batch) for batch in reader) == 2
        assert reader.report.rejected == {"duplicate_id": 2}


def test_ids_are_compared_between_streamed_stretches(tmp_path: Path) -> None:
    table = frame(1_000_001)
    table["id"] = np.arange(len(table))
    table.loc[500_000] = table.loc[499_999]
    reader = read_trades(write(tmp_path / "a.parquet", table, row_group_offsets=500_000, stats=["ts_ms"]))
    assert sum(len(batch) for batch in reader) == 1_000_000
    assert reader.report.rejected == {"duplicate_id": 1}


def test_symbols_in_a_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", frame(coin=["BTC", "ETH", "BTC", "ETH"]))
    with pytest.raises(DataError, match=r"a.parquet: expected one symbol, found BTC, ETH: choose one with symbol="):
        read_trades(path)
    reader = read_trades(path, symbol="ETH")
    (batch,) = reader
    assert batch.price.tolist() == [63611.0, 63613.0]
    assert reader.report.rejected == {"other_symbol": 2}
    assert reader.report.symbol == "ETH"


def test_float32_prices_become_the_decimals_they_stand_for(tmp_path: Path) -> None:
    prices = np.array([63366.1, 0.1, 1671.75, 2.0], np.float32)
    path = write(tmp_path / "a.parquet", frame(price=prices))
    (batch,) = read_trades(path)
    assert batch.price[:3].tolist() == [63366.1, 0.1, 1671.75]
    assert scan(path).price_decimals == 2


def test_prices_off_any_grid_are_pointed_out(tmp_path: Path) -> None:
    reader = read_trades(write(tmp_path / "a.parquet", frame(price=1.0 / np.array([3.0, 7.0, 9.0, 11.0]))))
    list(reader)
    assert reader.report.warnings == ["a.parquet: prices need 15 decimals: not on a grid"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (frame().drop(columns="qty"), "a.parquet: expected a trade file, found no column for quantity (qty or"),
        (
            frame().drop(columns=["qty", "price", "taker_sell"]),
            "a.parquet: expected a trade file, found the columns",
        ),
        (frame(0), "a.parquet: expected trades, found no rows"),
        (frame(ts_ms=["a", "b", "c", "d"]), "a.parquet: expected at most 5% unreadable rows, found 4 of 4 (time 4)"),
        (frame(price=["a", "b", "c", "d"]), "a.parquet: column 'price': expected numbers, found could not convert"),
        (frame(qty=[True, False, True, True]), "a.parquet: column 'qty': expected numbers, found bool values"),
        (
            frame(ts_ms=[T0, T0 + 1, T0 * MS, T0 * MS]),
            "a.parquet: expected one time unit in a file, found 2 rows in ms, 2 rows in ns",
        ),
        (frame(ts_ms=[T0, T0 + 1, 7, 8]), "a.parquet: expected at most 5% unreadable rows, found 2 of 4 (time 2)"),
        (
            frame().drop(columns="taker_sell").assign(side=["buy", "up", "down", "sell"]),
            "a.parquet: expected at most 5% unreadable rows, found 2 of 4 (side 2)",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, table: pd.DataFrame, message: str) -> None:
    path = write(tmp_path / "a.parquet", table)
    with pytest.raises(DataError) as error:
        list(read_trades(path))
    assert message in str(error.value)


def test_text_prices_are_read(tmp_path: Path) -> None:
    (batch,) = read_trades(write(tmp_path / "a.parquet", frame(price=["1.25", "2.50", "3.0", "4"])))
    assert batch.price.tolist() == [1.25, 2.5, 3.0, 4.0]


class TestWhatOnlyPyarrowReads:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        pa = pytest.importorskip("pyarrow")
        import pyarrow.parquet

        table = pa.table(
            {
                "ts": pa.array(np.arange(T0, T0 + 30).astype("datetime64[ms]"), pa.timestamp("ms", "UTC")),
                "price": pa.array([1.5, None, *[2.5] * 28]),
                "qty": pa.array([Decimal("1.00"), Decimal("2.00"), *[Decimal("3.00")] * 28]),
                "side": pa.array(["buy", *["sell"] * 29]).dictionary_encode(),
            }
        )
        path = tmp_path / "a.parquet"
        pyarrow.parquet.write_table(
            table, path, use_dictionary=["side"], column_encoding={"price": "BYTE_STREAM_SPLIT"}
        )
        return path

    def test_pyarrow_reads_instead(self, path: Path) -> None:
        with pytest.raises(NotImplementedError), path.open("rb") as file:
            fastparquet.ParquetFile(file).to_pandas()
        reader = read_trades(path)
        (batch,) = reader
        assert batch.ts.tolist()[:2] == [T0 * MS, (T0 + 2) * MS]
        assert (batch.price.tolist()[:2], batch.qty.tolist()[:2]) == ([1.5, 2.5], [1.0, 3.0])
        assert batch.taker_sell.tolist()[:2] == [False, True]
        assert reader.report.rejected == {"null_price": 1}

    def test_without_pyarrow_the_error_names_it(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        original = builtins.__import__

        def without_pyarrow(name: str, *args: Any, **kwargs: Any) -> Any:
            if name.startswith("pyarrow"):
                raise ImportError(name)
            return original(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", without_pyarrow)
        with pytest.raises(DataError, match=r"column price holds split bytes \(encoding 9\): install pyarrow"):
            list(read_trades(path))


def test_row_group_ranges_come_from_the_statistics(tmp_path: Path) -> None:
    table = ParquetTable(write(tmp_path / "a.parquet", frame(10), row_group_offsets=5, stats=["ts_ms"]))
    assert table.group_rows == [5, 5]
    assert table.ranges("ts_ms") == [(T0, T0 + 4), (T0 + 5, T0 + 9)]
    assert table.ranges("price") == [None, None]


class TestColumns:
    def test_times_below_any_unit_are_unreadable(self) -> None:
        ts, readable, units = to_time(Column(np.array([T0, 5, -1])))
        assert (ts[0], readable.tolist(), units) == (T0 * MS, [True, False, False], {"ms": 1})

    def test_nulls_are_neither_readable_nor_numbers(self) -> None:
        null = np.array([False, True])
        assert to_time(Column(np.array([T0, T0]), null))[1].tolist() == [True, False]
        assert np.isnan(to_float(Column(np.array([1.0, 2.0]), null))[1])

    def test_no_times_at_all(self) -> None:
        assert to_time(Column(np.empty(0, np.int64)))[2] == {}

    def test_nat_is_unreadable(self) -> None:
        values = np.array(["2026-06-11", "NaT"], "datetime64[us]")
        assert to_time(Column(values))[1].tolist() == [True, False]
