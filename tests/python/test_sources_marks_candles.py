"""Readers of mark prices and candles."""

import gzip
import zipfile
from pathlib import Path

import fastparquet
import numpy as np
import pandas as pd
import pytest

from liqcore.errors import DataError
from liqcore.sources import read_candles, read_marks

T0 = 1_772_323_200_000  # ms
MS = 1_000_000
MINUTE = 60_000

TICKER = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,"
    "last_price,index_price,mark_price\n"
)
KLINE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)


def ticker(us: int, mark: str, symbol: str = "XBTUSD") -> str:
    return f"bitmex,{symbol},{us},{us},,0.0001,,1000000,9500.5,9500.0,{mark}\n"


def kline(number: int, scale: int = 1, ohlc: str = "10.5,12.0,9.5,11.0", buy: str = "4.61069") -> str:
    start = (T0 + number * MINUTE) * scale
    return f"{start},{ohlc},9.19306,{start + MINUTE * scale - 1},100.0,56,{buy},50.0,0\n"


class TestMarks:
    def test_tardis_ticker_skips_rows_without_a_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "bitmex_derivative_ticker_2020-03-01_XBTUSD.csv.gz"
        text = TICKER + ticker(T0 * 1000 + 5, "9501.0") + ticker(T0 * 1000, "9500.25") + ticker(T0 * 1000 + 6, "")
        path.write_bytes(gzip.compress(text.encode()))
        marks = read_marks(path)
        assert marks.ts.tolist() == [T0 * MS, T0 * MS + 5000]
        assert marks.price.tolist() == [9500.25, 9501.0]
        report = marks.report
        assert (report.rows_read, report.rows_used, report.rejected, report.resorted) == (3, 2, {"not_finite": 1}, 1)
        assert (report.symbol, report.files[0].time_unit) == ("XBTUSD", "us")

    def test_parquet_with_mark_column(self, tmp_path: Path) -> None:
        table = pd.DataFrame({"ts_ms": [T0, T0 + 1], "funding": [0.0, 0.0], "mark": [63374.0, 63316.0]})
        fastparquet.write(str(tmp_path / "a.parquet"), table)
        marks = read_marks(tmp_path / "a.parquet")
        assert (marks.ts.dtype, marks.price.dtype) == (np.int64, np.float64)
        assert marks.ts.tolist() == [T0 * MS, (T0 + 1) * MS]
        assert marks.price.tolist() == [63374.0, 63316.0]

    def test_overlapping_files_are_merged_without_repeats(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(f"ts,mark\n{T0},1.5\n{T0 + 2},2.5\n")
        (tmp_path / "b.csv").write_text(f"ts,mark\n{T0 + 1},3.5\n{T0 + 2},2.5\n{T0 + 2},2.0\n")
        marks = read_marks(tmp_path / "*.csv")
        assert (marks.ts // MS - T0).tolist() == [0, 1, 2, 2]
        assert marks.price.tolist() == [1.5, 3.5, 2.5, 2.0]
        assert [file.rejected for file in marks.report.files] == [{}, {"duplicate": 1}]
        assert marks.report.rows_read == marks.report.rows_used + 1 == 5

    def test_symbols_are_never_mixed(self, tmp_path: Path) -> None:
        both = tmp_path / "both.csv"
        both.write_text(TICKER + ticker(T0 * 1000, "9500") + ticker(T0 * 1000, "200", "ETHUSD"))
        with pytest.raises(DataError, match=r"both.csv: expected one symbol, found XBTUSD, ETHUSD"):
            read_marks(both)
        assert read_marks(both, symbol="ETHUSD").price.tolist() == [200.0]
        with pytest.raises(DataError, match="expected rows of SOLUSD, found XBTUSD, ETHUSD"):
            read_marks(both, symbol="SOLUSD")
        for coin in ("BTC", "ETH"):
            (tmp_path / f"hyperliquid-{coin}-context.csv").write_text(f"ts,mark\n{T0},{len(coin)}\n")
        with pytest.raises(DataError, match=r"found BTC in hyperliquid-BTC-context.csv, ETH in"):
            read_marks(tmp_path / "hyper*.csv")
        assert len(read_marks(tmp_path / "hyper*.csv", symbol="ETH")) == 1

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("ts,price\n1,2\n", "a.csv: expected columns for time (such as timestamp or ts_ms) and mark price"),
            ("ts,mark\n", "a.csv: expected mark prices, found only a header"),
            (f"{T0},5\n", "a.csv: expected a header that names the columns"),
            (f"ts,mark\n{T0},5\n{T0 * 1000},5\n", "a.csv: expected one time unit in a file"),
            (f"ts,mark\n{T0},x\n{T0},5\n", "a.csv: expected at most 5% unreadable rows, found 1 of 2"),
        ],
    )
    def test_a_file_that_cannot_be_used_is_named(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(DataError) as error:
            read_marks(tmp_path / "a.csv")
        assert message in str(error.value)


class TestCandles:
    @pytest.mark.parametrize("header", ["", KLINE_HEADER])
    @pytest.mark.parametrize("scale", [1, 1000])
    @pytest.mark.parametrize("suffix", [".csv", ".zip", ".csv.gz"])
    def test_any_header_unit_and_packing(self, tmp_path: Path, header: str, scale: int, suffix: str) -> None:
        path = tmp_path / f"BTCUSDT-1m-2026-03{suffix}"
        text = header + kline(0, scale) + kline(1, scale)
        if suffix == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("BTCUSDT-1m-2026-03.csv", text)
        else:
            path.write_bytes(gzip.compress(text.encode()) if suffix == ".csv.gz" else text.encode())
        candles = read_candles(path)
        assert candles.ts_open.tolist() == [T0 * MS, (T0 + MINUTE) * MS]
        assert candles.interval_ns == MINUTE * MS
        assert (candles.open[0], candles.high[0], candles.low[0], candles.close[0]) == (10.5, 12.0, 9.5, 11.0)
        assert candles.buy_qty.tolist() == [4.61069] * 2
        assert candles.sell_qty.tolist() == [4.58237] * 2  # as a difference of doubles: 4.582369999999999
        assert len(candles) == 2

    def test_files_are_joined_sorted_and_freed_of_repeats(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(kline(3) + kline(2))
        (tmp_path / "b.csv").write_text(kline(0) + kline(2))
        candles = read_candles(tmp_path / "*.csv")
        assert ((candles.ts_open // MS - T0) // MINUTE).tolist() == [0, 2, 3]

    def test_candles_that_contradict_themselves_are_left_out(self, tmp_path: Path) -> None:
        text = kline(0) + kline(1, ohlc="10.5,9.0,9.5,11.0") + kline(2, buy="10.0") + kline(3, ohlc="0,0,0,0")
        (tmp_path / "a.csv").write_text(text + "".join(kline(i) for i in range(4, 44)))
        candles = read_candles(tmp_path / "a.csv")
        assert len(candles) == 41
        assert (candles.report.rows_read, candles.report.rejected) == (44, {"contradictory": 3})
        assert candles.report.files[0].nothing == {"contradictory": 1}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("1,2,3\n", "a.csv: expected candles with 5, 6, 7, 8, 9, 12 columns, found '1,2,3'"),
            ("open,high,low,volume\n1,1,1,1\n", "no column close, open_time in open, high, low, volume"),
            (KLINE_HEADER, "a.csv: expected candles, found only a header"),
            (kline(0) + kline(1, 1000), "a.csv: expected one time unit in a file, found 1 rows in ms, 1 rows in us"),
            (
                kline(0) + kline(1).replace(str(T0 + 2 * MINUTE - 1), str(T0 + 9 * MINUTE)),
                "a.csv: expected candles of one interval",
            ),
            (kline(0) + "x" + kline(1), "a.csv: expected at most 5% unreadable rows, found 1 of 2"),
        ],
    )
    def test_a_file_that_cannot_be_used_is_named(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(DataError) as error:
            read_candles(tmp_path / "a.csv")
        assert message in str(error.value)
