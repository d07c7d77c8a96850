"""Trade readers: every layout, sorting, repeats, symbols, the account of rows."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from liqcore.errors import DataError, InvalidConfigError
from liqcore.sources import TradeBatch, TradeReader, read_trades, scan

T0 = 1_781_222_399_211  # ms
MS = 1_000_000

AGG_HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
BYBIT_HEADER = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional\n"


def agg(number: int, price: str = "63610.5", qty: str = "0.25", ts: int = T0, maker: str = "false") -> str:
    return f"{number},{price},{qty},{number},{number},{ts},{maker}\n"


def bybit(side: str, ts: str, number: int, symbol: str = "BTCUSDT", price: str = "6698.5") -> str:
    return f"{ts},{symbol},{side},0.5,{price},PlusTick,{number:08x}-0000-4000-8000-000000000001,1,0.5,3349.25\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name.removesuffix(".zip") + ".csv", text)
    else:
        path.write_text(text)
    return path


def read(paths: object, **options: object) -> tuple[TradeBatch, TradeReader]:
    """Read everything into one batch, checking what must always hold."""
    reader = read_trades(paths, **options)  # type: ignore[arg-type]
    batches = []
    for batch in reader:
        for column, dtype in (
            (batch.ts, np.int64),
            (batch.price, np.float64),
            (batch.qty, np.float64),
            (batch.taker_sell, np.bool_),
        ):
            assert column.dtype == dtype
            assert column.flags.c_contiguous
            assert len(column) == len(batch) > 0
        assert not reader.report.complete
        batches.append(batch)
    assert reader.report.complete
    for report in [*reader.report.files, reader.report]:
        assert report.rows_read == report.rows_used + sum(report.rejected.values())
    columns = zip(*((b.ts, b.price, b.qty, b.taker_sell) for b in batches), strict=True)
    whole = TradeBatch(*(np.concatenate(parts) for parts in columns)) if batches else TradeBatch(*(np.empty(0),) * 4)
    assert len(whole) == reader.report.rows_used
    assert np.all(np.diff(whole.ts) >= 0)
    return whole, reader


@pytest.mark.parametrize("suffix", [".csv", ".zip", ".csv.gz"])
@pytest.mark.parametrize("header", ["", AGG_HEADER])
def test_binance_aggtrades_with_and_without_header(tmp_path: Path, suffix: str, header: str) -> None:
    path = write(
        tmp_path, f"BTCUSDT-aggTrades-2026-06-12{suffix}", header + agg(1) + agg(2, "63611.0", "0.125", T0 + 1, "true")
    )
    trades, reader = read(path)
    assert trades.ts.tolist() == [T0 * MS, (T0 + 1) * MS]
    assert trades.price.tolist() == [63610.5, 63611.0]
    assert trades.qty.tolist() == [0.25, 0.125]
    assert trades.taker_sell.tolist() == [False, True]
    (file,) = reader.report.files
    assert (file.format, file.symbol, file.time_unit) == ("binance-aggtrades", "BTCUSDT", "ms")
    assert (file.first_ts, file.last_ts, file.first_price) == (T0 * MS, (T0 + 1) * MS, 63610.5)
    assert (file.price_decimals, file.qty_decimals, file.bytes) == (1, 3, path.stat().st_size)
    assert (reader.report.tick_size, reader.report.lot_size) == (0.1, 0.001)
    assert reader.report.warnings == []


@pytest.mark.parametrize(
    ("name", "row", "format", "unit"),
    [
        ("BTCUSDT-aggTrades-2024-01-01.csv", "7,42000.5,0.5,1,2,{ms},True,True", "binance-spot-aggtrades", "ms"),
        ("BTCUSDT-aggTrades-2025-01-01.csv", "7,42000.5,0.5,1,2,{us},True,True", "binance-spot-aggtrades", "us"),
        ("BTCUSDT-trades-2024-01-01.csv", "7,42000.5,0.5,21000.25,{ms},True,True", "binance-spot-trades", "ms"),
        ("BTCUSDT-trades-2025-01-01.csv", "7,42000.5,0.5,21000.25,{us},True,True", "binance-spot-trades", "us"),
        ("BTCUSDT-trades-2021-01-01.csv", "7,42000.5,0.5,21000.25,{ms},true", "binance-trades", "ms"),
        ("BTCUSD_PERP-trades-2021-01-01.csv", "7,42000.5,0.5,0.00119,{ms},true", "binance-coinm-trades", "ms"),
        (
            "BTCUSDT-trades-2026-01-01.csv",
            "id,price,qty,quote_qty,time,is_buyer_maker\n7,42000.5,0.5,21000.25,{ms},true",
            "binance-trades",
            "ms",
        ),
        (
            "BTCUSD_PERP-trades-2026-01-01.csv",
            "id,price,qty,base_qty,time,is_buyer_maker\n7,42000.5,0.5,0.0119,{ms},true",
            "binance-coinm-trades",
            "ms",
        ),
        ("BTCUSDT2020-03-25.csv.gz", BYBIT_HEADER + bybit("Sell", "{s}", 1, price="42000.5").strip(), "bybit", "s"),
        (
            "BTCUSDT2026-03-25.csv.gz",
            BYBIT_HEADER.strip() + ",RPI\n" + bybit("Sell", "{s}", 1, price="42000.5").strip() + ",0",
            "bybit",
            "s",
        ),
        (
            "20260612.csv.gz",
            BYBIT_HEADER + bybit("Sell", "{text}", 1, "BTCUSDT", "42000.5").strip(),
            "bitmex",
            "text",
        ),
        (
            "BTC-USDT-SWAP-trades-2026-06-12.zip",
            "instrument_name,trade_id,side,price,size,created_time\nBTC-USDT-SWAP,7,sell,42000.5,0.5,{ms}",
            "okx",
            "ms",
        ),
        (
            "allswap-trades-2022-03-01.zip",
            "instrument_name/x,trade_id/y,side/z,price/p,size/s,created_time/t\nBTC-USDT-SWAP,7,SELL,42000.5,0.5,{ms}",
            "okx",
            "ms",
        ),
        (
            "binance-futures_trades_2026-06-12_BTCUSDT.csv.gz",
            "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
            "binance-futures,BTCUSDT,{us},{us},7,sell,42000.5,0.5",
            "tardis",
            "us",
        ),
        ("mine.csv", "ts_ms,price,qty,taker_sell\n{ms},42000.5,0.5,1", "columns", "ms"),
        ("mine.csv", "time,px,amount,side\n{s},42000.5,0.5,SELL", "columns", "s"),
        ("mine.csv", "price,size,taker_buy,timestamp\n42000.5,0.5,False,{text}", "columns", "text"),
        ("mine.csv", "\ufeffts,price,qty,is_buyer_maker\r\n{ns},42000.5,0.5,TRUE\r\n", "columns", "ns"),
    ],
)
def test_every_layout_is_recognised(tmp_path: Path, name: str, row: str, format: str, unit: str) -> None:
    times = {"s": "1781222399.211", "ms": T0, "us": T0 * 1000, "ns": T0 * MS, "text": "2026-06-11D23:59:59.211000000"}
    trades, reader = read(write(tmp_path, name, row.format(**times)))
    assert reader.report.files[0].format == format
    assert reader.report.files[0].time_unit == unit
    assert reader.report.files[0].warnings == []
    assert trades.ts.tolist() == [T0 * MS]
    assert trades.price.tolist() == [42000.5]
    assert trades.qty.tolist() == [0.5]
    assert trades.taker_sell.tolist() == [True]
    assert len(read(write(tmp_path, name, row.format(**times)), format=format)[0]) == 1


@pytest.mark.parametrize(
    ("word", "sell"),
    [("True", True), ("true", True), ("1", True), ("False", False), ("false", False), ("0", False), ("FALSE", False)],
)
def test_the_word_false_is_not_true(tmp_path: Path, word: str, sell: bool) -> None:
    assert read(write(tmp_path, "a.csv", agg(1, maker=word)))[0].taker_sell.tolist() == [sell]


def test_decimal_seconds_are_exact(tmp_path: Path) -> None:
    path = write(tmp_path, "BTCUSD2020-03-26.csv.gz", BYBIT_HEADER + bybit("Buy", "1585180700.0647", 1, "BTCUSD"))
    assert read(path)[0].ts.tolist() == [1_585_180_700_064_700_000]


def test_rows_of_two_dates_interleaved_are_sorted_by_time_then_id(tmp_path: Path) -> None:
    text = agg(10, "2", ts=T0 + 5) + agg(1, "1") + agg(12, "4", ts=T0 + 5) + agg(11, "3", ts=T0 + 5)
    trades, reader = read(write(tmp_path, "a.csv", text))
    assert trades.price.tolist() == [1, 2, 3, 4]
    assert reader.report.resorted == 2


def test_equal_times_without_ids_keep_their_order(tmp_path: Path) -> None:
    text = f"ts,price,qty,side\n{T0 + 1},3,1,buy\n{T0},2,1,buy\n{T0},1,1,buy\n{T0 + 2},4,1,buy\n"
    assert read(write(tmp_path, "a.csv", text))[0].price.tolist() == [2, 1, 3, 4]


def test_a_file_that_runs_backwards_is_turned_round(tmp_path: Path) -> None:
    text = BYBIT_HEADER + "".join(
        bybit("Buy", ts, n, price=str(n)) for n, ts in ((4, "1585180702"), (3, "1585180701"), (2, "1585180701"))
    )
    trades, reader = read(write(tmp_path, "a.csv", text))
    assert trades.price.tolist() == [2, 3, 4]
    assert reader.report.resorted == 2


def test_repeats_by_id_are_dropped_and_exact_repeats_without_id_are_kept(tmp_path: Path) -> None:
    trades, reader = read(write(tmp_path, "a.csv", agg(1) + agg(1) + agg(2) + agg(1)))
    assert trades.ts.tolist() == [T0 * MS, T0 * MS]
    assert reader.report.rejected == {"duplicate_id": 2}
    text = f"ts,price,qty,side\n{T0},2,1,buy\n{T0},2,1,buy\n"
    assert len(read(write(tmp_path, "b.csv", text))[0]) == 2


def test_text_ids_are_compared_too_and_missing_ones_are_not(tmp_path: Path) -> None:
    none = bybit("Buy", "1585180700", 0).replace("00000000-0000-4000-8000-000000000001", "0" * 8 + "-" + "0" * 4)
    text = BYBIT_HEADER + bybit("Buy", "1585180700", 1) * 2 + bybit("Buy", "1585180700", 2) + none * 2
    trades, reader = read(write(tmp_path, "a.csv", text))
    assert len(trades) == 4
    assert reader.report.rejected == {"duplicate_id": 1}


def test_monthly_files_repeat_the_daily_ones(tmp_path: Path) -> None:
    rows = [agg(n, ts=T0 + n * 1000) for n in range(10)]
    month = write(tmp_path, "BTCUSDT-aggTrades-2026-06.zip", "".join(rows))
    write(tmp_path, "BTCUSDT-aggTrades-2026-06-01.zip", "".join(rows[:5]))
    write(tmp_path, "BTCUSDT-aggTrades-2026-06-02.zip", "".join(rows[5:]) + agg(10, ts=T0 + 10_000))
    trades, reader = read(tmp_path / "*.zip")
    assert trades.ts.tolist() == [(T0 + n * 1000) * MS for n in range(11)]
    assert reader.report.rejected == {"duplicate_id": 10}
    assert [file.rows_used for file in reader.report.files] == [5, 5, 1]
    reader = read([month, tmp_path / "*.zip"])[1]
    assert [file.rows_used for file in reader.report.files] == [5, 5, 1]  # in whatever order they are given


def test_files_that_overlap_are_merged(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", agg(1) + agg(5, ts=T0 + 50))
    more = "".join(agg(n, ts=T0 + 60 + n) for n in range(7, 30))
    write(tmp_path, "b.csv", agg(2, ts=T0 + 20) + agg(5, ts=T0 + 50) + agg(6, ts=T0 + 50) + more)
    trades, reader = read([tmp_path / "b.csv", tmp_path / "a.csv"])
    assert trades.ts.tolist() == [(T0 + n) * MS for n in (0, 20, 50, 50, *range(67, 90))]
    assert reader.report.rejected == {"duplicate_id": 1}
    assert reader.report.notes == [
        "a.csv: merged by time with b.csv",
        "b.csv: merged by time with a.csv, 1 repeated rows left out",
    ]


def test_files_are_read_by_their_first_time_and_each_once(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", agg(2, "2", ts=T0 + 1))
    write(tmp_path, "z.csv", agg(1, "1"))
    trades, reader = read([tmp_path / "*.csv", str(tmp_path / "a.csv"), tmp_path / "z.csv"])
    assert trades.price.tolist() == [1, 2]
    assert [file.name for file in reader.report.files] == ["z.csv", "a.csv"]


def test_bad_rows_are_counted_by_reason(tmp_path: Path) -> None:
    bad = [
        agg(1001, "nan"),
        agg(1002, qty="inf"),
        agg(1003, "0"),
        agg(1004, qty="-1"),
        agg(1005, qty="0.0"),
        agg(1006, "x"),
        agg(1007)[:20] + "\n",
        agg(1008, maker="maybe"),
        agg(1009, maker=""),
    ]
    trades, reader = read(write(tmp_path, "a.csv", "".join([agg(n) for n in range(200)] + bad)))
    assert len(trades) == 200
    (file,) = reader.report.files
    assert file.rows_read == 209
    assert file.rejected == {"unreadable": 3, "not_finite": 2, "not_positive": 3, "unknown_side": 1}
    assert file.unreadable == {"row": 1, "price": 1, "side": 1}
    assert file.nothing == {"not_positive": 1}  # a quantity of zero
    assert file.warnings[:1] == [
        "8 of 208 rows (3.8%) are lost: 3 unreadable, 2 not_finite, 2 not_positive, 1 unknown_side; the first is line "
        f"201: '{agg(1001, 'nan').strip()}'"
    ]


def test_zero_quantities_and_repeats_never_refuse_a_file(tmp_path: Path) -> None:
    text = agg(1) + "".join(agg(n, qty="0.000") for n in range(2, 80)) + agg(1) * 20
    trades, reader = read(write(tmp_path, "a.csv", text))
    assert len(trades) == 1
    assert reader.report.rejected == {"not_positive": 78, "duplicate_id": 20}


def test_a_file_with_nothing_usable_yields_nothing_and_says_so(tmp_path: Path) -> None:
    trades, reader = read(write(tmp_path, "a.csv", agg(1, qty="0") * 3))
    assert len(trades) == 0
    assert reader.report.warnings == ["a.csv: no usable row: 3 not_positive"]
    assert reader.report.first_ts is None


def test_one_sided_files_are_warned_about(tmp_path: Path) -> None:
    sells = "".join(agg(n, maker="true") for n in range(101))
    assert "all 101 trades are taker sells" in read(write(tmp_path, "a.csv", sells))[1].report.warnings[0]
    both = sells + agg(102)
    assert read(write(tmp_path, "b.csv", both))[1].report.warnings == []
    few = "".join(agg(n) for n in range(100))
    assert read(write(tmp_path, "c.csv", few))[1].report.warnings == []


def test_a_unit_that_the_format_does_not_know_is_taken_and_reported(tmp_path: Path) -> None:
    trades, reader = read(write(tmp_path, "a.csv", agg(1, ts=T0 * MS)))
    assert trades.ts.tolist() == [T0 * MS]
    assert reader.report.warnings == ["a.csv: times are in ns, the format says ms"]


def test_batches_are_as_long_as_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "".join(agg(n) for n in range(10)))
    assert [len(batch) for batch in read_trades(path, batch_rows=4)] == [4, 4, 2]
    with pytest.raises(InvalidConfigError, match="batch_rows must be at least 1, was 0"):
        read_trades(path, batch_rows=0)


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    write(tmp_path, "a.csv.gz", "".join(agg(n) for n in range(1000)))
    write(tmp_path, "b.zip", "".join(agg(n, ts=T0 + 9) for n in range(1000, 2000)))
    calls: list[tuple[int, int, int]] = []
    read(tmp_path / "*", progress=lambda done, total, rows: calls.append((done, total, rows)))
    total = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert calls[0] == (0, total, 0)
    assert calls[-1] == (total, total, 2000)
    assert calls == sorted(calls)


def test_a_reader_closes_its_file_when_left_early(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "".join(agg(n) for n in range(10)))
    with read_trades(path, batch_rows=1) as reader:
        next(reader)
    with pytest.raises(StopIteration):
        next(reader)
    assert not reader.report.complete


class TestSymbols:
    def test_two_symbols_in_one_file_set_are_named(self, tmp_path: Path) -> None:
        write(tmp_path, "BTCUSDT-aggTrades-2026-06-12.csv", agg(1))
        write(tmp_path, "ETHUSDT-aggTrades-2026-06-12.csv", agg(1, "2000", ts=T0 + 1))
        with pytest.raises(DataError, match=r"BTCUSDT in BTCUSDT-agg.*, ETHUSDT in ETHUSDT-agg.*symbol="):
            read_trades(tmp_path / "*.csv")
        trades, reader = read(tmp_path / "*.csv", symbol="ETHUSDT")
        assert trades.price.tolist() == [2000]
        assert reader.report.symbol == "ETHUSDT"
        assert "left out: trades of BTCUSDT" in reader.report.warnings[0]
        with pytest.raises(DataError, match="expected trades of XRPUSDT, found BTCUSDT, ETHUSDT"):
            read_trades(tmp_path / "*.csv", symbol="XRPUSDT")

    def test_a_file_of_several_symbols_needs_a_choice(self, tmp_path: Path) -> None:
        text = BYBIT_HEADER + bybit("Buy", "2024-01-15D00:00:00.451986388", 1, "XBTUSD")
        text += bybit("Sell", "2024-01-15D00:00:01.451986388", 2, "ETHUSD", "2500")
        path = write(tmp_path, "20240115.csv.gz", text)
        with pytest.raises(DataError, match=r"20240115.csv.gz: expected one symbol, found XBTUSD, ETHUSD"):
            read_trades(path)
        trades, reader = read(path, symbol="ETHUSD")
        assert trades.ts.tolist() == [1_705_276_801_451_986_388]
        assert trades.taker_sell.tolist() == [True]
        assert reader.report.symbol == "ETHUSD"
        assert reader.report.rejected == {"other_symbol": 1}
        with pytest.raises(DataError, match="expected trades of SOLUSD, found XBTUSD, ETHUSD"):
            list(read_trades(path, symbol="SOLUSD"))

    def test_a_second_symbol_deep_in_a_file_is_found(self, tmp_path: Path) -> None:
        text = BYBIT_HEADER + "".join(bybit("Buy", "1585180700", n) for n in range(4000))
        text += bybit("Buy", "1585180701", 4000, "ETHUSDT")
        reader = read_trades(write(tmp_path, "a.csv", text))
        with pytest.raises(DataError, match="found BTCUSDT, ETHUSDT"):
            next(reader)

    def test_a_guess_from_a_file_name_does_not_overrule_the_user(self, tmp_path: Path) -> None:
        text = f"ts,price,qty,side\n{T0},2,1,buy\n"
        path = write(tmp_path, "hyperliquid-BTC-20260611.csv", text)
        assert len(read(path, symbol="BTCUSDT")[0]) == 1
        write(tmp_path, "hyperliquid-ETH-20260611.csv", text)
        with pytest.raises(DataError, match=r"found (BTC|ETH) in .*, (BTC|ETH) in"):
            read_trades(tmp_path / "*.csv")
        assert len(read(tmp_path / "*.csv", symbol="ETH")[0]) == 1


class TestScan:
    def test_learns_the_grid_from_the_head(self, tmp_path: Path) -> None:
        path = write(tmp_path, "BTCUSDT-aggTrades-2026-06-12.zip", AGG_HEADER + agg(1) + agg(2, "63611"))
        report = scan(path)
        assert (report.symbol, report.first_price, report.tick_size, report.lot_size) == ("BTCUSDT", 63610.5, 0.1, 0.01)
        assert not report.complete
        assert report.files[0].format == "binance-aggtrades"

    def test_finer_decimals_later_in_the_file_show_in_the_report_of_the_reader(self, tmp_path: Path) -> None:
        head = "".join(agg(n, "100.0", "1.0", T0 + n) for n in range(250_000))
        path = write(tmp_path, "a.csv", head + agg(250_000, "100.25", "1.125", T0 + 250_000))
        found = scan(path)
        assert (found.price_decimals, found.qty_decimals) == (0, 0)
        assert 200_000 <= found.rows_read < 250_000
        reader = read_trades(path)
        next(reader)  # known before the first batch is used
        assert (reader.report.price_decimals, reader.report.qty_decimals) == (2, 3)
        assert reader.report.tick_size == 0.01


def test_large_files_of_many_pieces_read_the_same(tmp_path: Path) -> None:
    rows = 200_000  # 12 MB: two pieces, cut in the middle of a line
    text = "".join(agg(n, f"{60000 + n % 100}.{n % 10}", ts=T0 + n) for n in range(rows))
    trades, reader = read(write(tmp_path, "a.zip", text))
    assert len(trades) == rows
    np.testing.assert_array_equal(trades.ts, (T0 + np.arange(rows)) * MS)
    numbers = np.arange(rows)
    np.testing.assert_array_equal(trades.price, (60000 + numbers % 100) + (numbers % 10) / 10)
    assert reader.report.files[0].rejected == {}


def _zip(names: list[str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, agg(1) * 2000)
    return out.getvalue()


GZIPPED = gzip.compress("".join(agg(n, f"6{n % 7919}.5", ts=T0 + n * 17) for n in range(5000)).encode(), mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv: expected data, found an empty file"),
        ("a.csv", b"\n \n\n", "a.csv: expected data, found an empty file"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "a.csv.gz: expected data, found an empty file"),
        ("a.csv", AGG_HEADER.encode(), "a.csv: expected trades, found only a header"),
        ("a.csv", AGG_HEADER.strip().encode(), "a.csv: expected trades, found only a header"),
        ("a.zip", _zip(["a.csv"])[:-60], "a.zip: expected a complete zip file, found it truncated or damaged"),
        ("a.zip", b"PK\x03\x04", "a.zip: expected a complete zip file, found it truncated or damaged"),
        ("a.csv.gz", GZIPPED[: len(GZIPPED) // 2], "a.csv.gz: expected a complete gzip file, found it truncated"),
        (
            "a.csv.gz",
            GZIPPED[:-30] + b"x" * 30,
            "a.csv.gz: expected a complete gzip file, found it truncated or damaged",
        ),
        ("a.zip", _zip(["a.csv", "b.csv"]), "a.zip: expected a zip with one csv file, found 2: a.csv, b.csv"),
        ("a.zip", _zip([]), "a.zip: expected a zip"),
        ("a.zip", b"<html>not found</html>", "a.zip: expected a zip file, found one that begins with b'<html>"),
        ("a.csv.gz", agg(1).encode(), "a.csv.gz: expected a gz file, found one that begins with"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.csv: expected lines of text, found bytes such as"),
        (
            "a.csv",
            b"hello world\nhow are you\n",
            "a.csv: expected rows of fields separated by ',', found 'hello world'",
        ),
        (
            "a.csv",
            agg(1).replace(",", " ").encode(),
            "a.csv: expected rows of fields separated by ',', found '1 63610.5",
        ),
        ("a.csv", b"name,age\nBob,7\n", "a.csv: expected a trade file, found the columns name, age"),
        ("a.csv", b"1,2,3\n4,5,6\n", "a.csv: expected a trade file, found no header and rows such as '1,2,3'"),
        (
            "a.csv",
            b"agg_trade_id,price,transact_time,is_buyer_maker\n1,2.5,1781222399211,true\n",
            "a.csv: expected a trade file, found no column for quantity (qty or quantity or amount) among agg_trade_id",
        ),
        (
            "a.csv",
            b"ts,price,qty\n1781222399211,2.5,1\n",
            "found no column for taker side (side or is_buyer_maker or taker_sell) among ts, price, qty",
        ),
        (
            "BTCUSDT-1m-2026-03.csv",
            b"1772323200000,1,1,1,1,9.1,1772323259999,6.1,5,4.6,3.1,0\n",
            "twelve columns may be candles: read_candles reads those",
        ),
        ("a.csv", b"open_time,open,high,low,close\n1,1,1,1,1\n", "this looks like candles: read_candles reads those"),
        ("a.csv", b"x" * (3 << 20), "found more than 1,048,576 bytes without a newline"),
        (
            "a.csv",
            (agg(1) * 60 + agg(2, ts=T0 // 1000) * 2).encode(),
            "a.csv: expected one time unit in a file, found 2 rows in s, 60 rows in ms",
        ),
        (
            "a.csv",
            "".join(
                [agg(n) for n in range(94)] + [agg(n, "x") for n in range(4)] + [agg(n)[:9] + "\n" for n in range(2)]
            ).encode(),
            "expected at most 5% unreadable rows, found 6 of 100 (row 2, price 4); the first is line 95: '0,x,0.25",
        ),
        ("a.parquet", b"ts,price\n", "a.parquet: expected a Parquet file, found one that begins with b'ts,p'"),
        ("a.parquet", b"PAR1" + b"\0" * 100, "a.parquet: expected a complete Parquet file, found it truncated"),
        ("a.parquet", b"PAR1", "a.parquet: expected a complete Parquet file, found it truncated"),
        ("a.parquet", b"PAR1" + b"\x15\xff" * 50 + b"\x40\0\0\0PAR1", "a.parquet: "),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_was_expected_and_found(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        list(read_trades(tmp_path / name))
    assert message in str(error.value)
    assert name in str(error.value)


def test_at_exactly_five_percent_unreadable_a_file_is_read(tmp_path: Path) -> None:
    text = "".join([agg(n) for n in range(95)] + [agg(n, "x") for n in range(5)])
    assert len(read(write(tmp_path, "a.csv", text))[0]) == 95


def test_paths_that_name_nothing_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file matches '.*\*\.zip'"):
        read_trades(tmp_path / "*.zip")
    with pytest.raises(DataError, match=r"nothing\.csv: no such file"):
        read_trades(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match="found a folder"):
        read_trades(tmp_path)
    with pytest.raises(InvalidConfigError, match="at least one file"):
        read_trades([])


def test_a_format_that_was_asked_for_is_required(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", agg(1))
    assert len(read(path, format="binance")[0]) == 1
    with pytest.raises(DataError, match=r"a.csv: expected bybit \(timestamp, symbol.*found no header"):
        read_trades(path, format="bybit")
    with pytest.raises(DataError, match="expected a Parquet file"):
        read_trades(path, format="parquet")
    with pytest.raises(InvalidConfigError, match=r"format must be one of auto, binance, .*; was 'mtgox'"):
        read_trades(path, format="mtgox")


def test_names_with_pattern_characters_are_taken_literally_where_they_exist(tmp_path: Path) -> None:
    assert len(read(write(tmp_path, "a[1].csv", agg(1)))[0]) == 1
