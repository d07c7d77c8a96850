"""Readers of open interest, funding, mark prices and candles: every layout, with numbers worked by hand."""

import gzip
import json
import zipfile
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liqcore as lq
from liqcore.errors import DataError, InvalidConfigError
from liqcore.sources import FileReport
from liqcore.sources.series import Part, guess_symbol, join

T0 = 1_772_323_200_000  # ms: 2026-03-01 00:00 UTC
MS = 1_000_000
MINUTE = 60_000
TEXT_T0 = "2026-03-01 00:00:00"
METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
)
TICKER = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,"
    "last_price,index_price,mark_price\n"
)


def metrics(time: str, quantity: str, symbol: str = "BTCUSDT", value: str = "6000000.0") -> str:
    return f"{time},{symbol},{quantity},{value},1.5,1.2,1.1,0.9\n"


def write(path: Path, content: Any) -> Path:
    """Write text, or anything else as JSON."""
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def bybit(rows: Any, category: str = "linear", symbol: str = "BTCUSDT") -> dict[str, Any]:
    result = {"symbol": symbol, "category": category, "list": rows, "nextPageCursor": ""}
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": T0 + 5}


def okx(rows: Any) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": rows}


class TestOpenInterest:
    @pytest.mark.parametrize("packing", ["csv", "zip", "gz"])
    def test_binance_metrics(self, tmp_path: Path, packing: str) -> None:
        text = METRICS + metrics("2026-03-01 00:10:00", "101.5") + metrics("2026-03-01 00:05:00", "100.25")
        text += metrics("2026-03-01 00:15:00", "0.0") + metrics("2026-03-01 00:20:00", "")
        path = tmp_path / f"BTCUSDT-metrics-2026-03-01.{packing}"
        if packing == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("BTCUSDT-metrics-2026-03-01.csv", text)
        else:
            path.write_bytes(gzip.compress(text.encode()) if packing == "gz" else text.encode())
        oi = lq.read_open_interest(path)
        assert (oi.ts // MS - T0).tolist() == [5 * MINUTE, 10 * MINUTE]
        assert oi.quantity.tolist() == [100.25, 101.5]
        assert (oi.ts.dtype, oi.quantity.dtype, oi.unit, len(oi)) == (np.int64, np.float64, "base", 2)
        (file,) = oi.report.files
        assert (file.format, file.symbol, file.time_unit) == ("binance-metrics", "BTCUSDT", "text")
        assert (file.rows_read, file.rows_used, file.resorted) == (4, 2, 1)
        assert file.rejected == {"not_positive": 1, "not_finite": 1}
        assert (file.warnings, file.notes) == ([], [])
        assert file.first_price == 6000000 / 101.5  # of the file's first row

    def test_metrics_labels_name_the_start_from_the_shift_on(self, tmp_path: Path) -> None:
        # 2026-06-24 in the old way: the day's last sample is labelled midnight. 06-25 in the new way: its first is.
        old = METRICS + metrics("2026-06-24 23:55:00", "1") + metrics("2026-06-25 00:00:00", "2")
        new = METRICS + metrics("2026-06-25 00:00:00", "3") + metrics("2026-06-25 00:05:00", "4")
        write(tmp_path / "BTCUSDT-metrics-2026-06-25.csv", new)
        write(tmp_path / "BTCUSDT-metrics-2026-06-24.csv", old)
        oi = lq.read_open_interest(tmp_path / "*.csv")
        times = ["2026-06-24T23:55", "2026-06-25T00:05", "2026-06-25T00:10"]
        assert oi.ts.tolist() == [int(np.datetime64(time, "ns").astype(np.int64)) for time in times]
        assert oi.quantity.tolist() == [
            1,
            3,
            4,
        ]  # the old midnight comes five minutes late, and the new one replaces it
        assert oi.report.rejected == {"duplicate_time": 1}
        assert oi.report.notes[1] == (
            "BTCUSDT-metrics-2026-06-25.csv: 2 labels from 2026-06-25 on name the start of their 5m: used at the end"
        )

    def test_no_sample_is_used_before_the_end_of_its_period(self, tmp_path: Path) -> None:
        """The rule in words: a label before the shift is known at it, any other five minutes later."""
        shift = np.datetime64("2026-06-25T00:00", "s")
        labels = shift + np.arange(-3, 4) * np.timedelta64(300, "s")
        text = METRICS + "".join(metrics(str(label).replace("T", " "), str(i + 1)) for i, label in enumerate(labels))
        oi = lq.read_open_interest(write(tmp_path / "m.csv", text))
        for label, known in zip(labels, oi.ts, strict=True):
            late = 0 if label < shift else 300
            assert known == (label + np.timedelta64(late, "s")).astype("datetime64[ns]").astype(np.int64)

    def test_answers_of_open_interest_hist_move_by_their_own_period(self, tmp_path: Path) -> None:
        shift = 1_782_345_600_000
        rows = [
            {"symbol": "BTCUSDT", "sumOpenInterest": "5.5", "sumOpenInterestValue": "330000", "timestamp": shift + i}
            for i in (-3_600_000, 0, 3_600_000)
        ]
        oi = lq.read_open_interest(write(tmp_path / "hist.json", rows))
        assert (oi.ts // MS - shift).tolist() == [-3_600_000, 3_600_000, 7_200_000]
        assert oi.report.files[0].first_price == 60_000
        plain = lq.read_open_interest(tmp_path / "hist.json", delay=0)
        assert (plain.ts // MS - shift).tolist() == [-3_600_000, 0, 3_600_000]
        later = lq.read_open_interest(tmp_path / "hist.json", delay="1m")
        assert (later.ts - plain.ts).tolist() == [60_000 * MS] * 3

    @pytest.mark.parametrize(
        ("content", "format", "quantity", "unit", "halved"),
        [
            (bybit([{"openInterest": "52000.5", "timestamp": str(T0)}]), "bybit-open-interest", 26000.25, "base", True),
            (
                bybit([{"openInterest": "461134384", "timestamp": str(T0)}], "inverse", "BTCUSD"),
                "bybit-open-interest", 230567192, "contracts", True,
            ),
            ([{"openInterest": "9.5", "timestamp": str(T0)}], "bybit-open-interest", 4.75, "as printed", True),
            (f"timestamp,openInterest\n{T0},9.5\n", "bybit-open-interest", 4.75, "as printed", True),
            (
                {"openInterest": "10659.509", "symbol": "BTCUSDT", "time": T0},
                "binance-open-interest", 10659.509, "base", False,
            ),
            (
                {"openInterest": "777", "symbol": "BTCUSD_PERP", "pair": "BTCUSD", "time": T0},
                "binance-open-interest", 777, "contracts", False,
            ),
            (
                okx([{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "oi": "5000", "oiCcy": "50", "ts": str(T0)}]),
                "okx-open-interest", 5000, "contracts", False,
            ),
            (okx([[str(T0), "5000", "50", "3000000"]]), "okx-open-interest", 5000, "contracts", False),
            (
                [{"time": T0 // 1000, "lsr_taker": 1.1, "lsr_account": 1.2, "long_liq_size": 0, "open_interest": 124724,
                  "open_interest_usd": 1.5, "mark_price": 65000.0}],
                "gate-contract-stats", 62362, "contracts", True,
            ),
            (
                {"status": "ok", "ts": T0, "data": {"symbol": "BTC", "contract_code": "BTC-USDT", "tick": [
                    {"volume": "13135.0", "amount_type": 1, "value": "8.0", "ts": T0}]}},
                "htx-open-interest", 6567.5, "contracts", True,
            ),
            (
                TICKER + f"binance-futures,BTCUSDT,{T0}000,{T0}009,,0.0001,,100.5,1,1,60000\n",
                "tardis-derivative-ticker", 100.5, "as printed", False,
            ),
            (
                TICKER + f"bybit,BTCUSDT,{T0}000,{T0}009,,0.0001,,100.5,1,1,60000\n",
                "tardis-derivative-ticker", 50.25, "as printed", True,
            ),
            (
                f"ts_ms,funding,open_interest,mark,oracle\n{T0},0.00001,31347.65858,63374.0,63405.0\n",
                "hyperliquid-context", 31347.65858, "base", False,
            ),
            (f"t,oi,oi_usd\n{T0},100.5,6030000\n", "columns", 100.5, "as printed", False),
        ],
    )  # fmt: skip
    def test_layouts(self, tmp_path: Path, content: Any, format: str, quantity: float, unit: str, halved: bool) -> None:
        oi = lq.read_open_interest(write(tmp_path / "a.txt", content))
        assert oi.ts.tolist() == [T0 * MS]
        assert oi.quantity.tolist() == [quantity]
        (file,) = oi.report.files
        assert (file.format, oi.unit) == (format, unit)
        assert file.notes == (["open interest counts both sides: halved"] if halved else [])
        assumed = ['open interest is assumed to count one side: say sides="two" if it counts both']
        taken = ['taken for open interest of Bybit, which counts both sides: if it is not, say sides="one"']
        is_guess = format == "bybit-open-interest" and "retCode" not in content
        assert file.warnings == (assumed if format == "columns" else taken if is_guess else [])

    def test_sides_overrule_the_layout(self, tmp_path: Path) -> None:
        two = write(tmp_path / "bybit.csv", f"timestamp,openInterest\n{T0},9\n")
        one = write(tmp_path / "mine.csv", f"ts,open_interest\n{T0},9\n")
        for path, auto in ((two, 4.5), (one, 9.0)):
            assert lq.read_open_interest(path).quantity.tolist() == [auto]
            assert lq.read_open_interest(path, sides="two").quantity.tolist() == [4.5]
            plain = lq.read_open_interest(path, sides="one")
            assert (plain.quantity.tolist(), plain.report.warnings, plain.report.notes) == ([9.0], [], [])
        with pytest.raises(InvalidConfigError, match=r'sides must be "auto", "one" or "two", was \'both\''):
            lq.read_open_interest(one, sides="both")
        with pytest.raises(InvalidConfigError, match="delay must be a length of time"):
            lq.read_open_interest(one, delay="soon")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                f"ts,open_interest_usd\n{T0},9\n",
                "found only its value in USD, which changes with the price too (open_in",
            ),
            (okx([[str(T0), "1", "2"]]), "found only its value in USD, which changes with the price too"),
            ("ts,price\n1,2\n", "expected columns for time (such as timestamp or ts_ms) and open interest"),
            ("open_interest,ts\n", "expected open interest, found only a header"),
            (f"{T0},5\n", "expected a header that names the columns, found '1772323200000,5'"),
            (f"ts,oi\n{T0},5\n{T0}000,5\n", "expected one time unit in a file, found 1 rows in ms, 1 rows in us"),
            (f"ts,oi\n{T0},x\n{T0},5\n", "expected at most 5% unreadable rows, found 1 of 2"),
            (
                METRICS + metrics(TEXT_T0, "5") + metrics(TEXT_T0, "5", "ETHUSDT"),
                "expected one symbol, found BTCUSDT, E",
            ),
            (
                TICKER + f"bybit,A,{T0},{T0},,0,,1,1,1,1\nokex,A,{T0},{T0},,0,,1,1,1,1\n",
                "expected open interest of one exchange, found bybit, okex",
            ),
            ({"retCode": 10001, "retMsg": "bad symbol", "result": {}}, "found a venue's refusal: 10001 bad symbol"),
            (bybit([]), "expected rows, found an answer without any"),
            ('{"retCode":0,', "expected JSON, found it damaged"),
            ([{"a": 1}, [1]], "expected rows of one kind"),
        ],
    )
    def test_a_file_that_cannot_be_used_is_named(self, tmp_path: Path, content: Any, message: str) -> None:
        with pytest.raises(DataError) as error:
            lq.read_open_interest(write(tmp_path / "a.csv", content))
        assert str(error.value).startswith("a.csv: ")
        assert message in str(error.value)

    def test_pages_lists_and_lines_of_answers_give_the_same(self, tmp_path: Path) -> None:
        pages = [
            bybit([{"openInterest": "8", "timestamp": str(T0 + 3)}, {"openInterest": "6", "timestamp": str(T0 + 2)}]),
            bybit([{"openInterest": "4", "timestamp": str(T0 + 1)}, {"openInterest": "2", "timestamp": str(T0)}]),
        ]
        write(tmp_path / "list.json", pages)
        write(tmp_path / "lines.json", "\n".join(json.dumps(page) for page in pages) + "\n")
        write(tmp_path / "one.json", bybit([row for page in pages for row in page["result"]["list"]]))
        (tmp_path / "packed.json.gz").write_bytes(gzip.compress(json.dumps(pages).encode()))
        for name in ("list.json", "lines.json", "one.json", "packed.json.gz"):
            oi = lq.read_open_interest(tmp_path / name)
            assert (oi.ts // MS - T0).tolist() == [0, 1, 2, 3]
            assert oi.quantity.tolist() == [1, 2, 3, 4]
            assert (oi.report.symbol, oi.report.resorted) == ("BTCUSDT", 3)

    def test_one_line_of_megabytes(self, tmp_path: Path) -> None:
        rows = [{"openInterest": str(2 * i + 2), "timestamp": str(T0 + i)} for i in range(40_000)]
        path = write(tmp_path / "long.json", bybit(rows))
        assert path.stat().st_size > 1 << 20
        assert lq.read_open_interest(path).quantity.tolist() == list(range(1, 40_001))

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "decimal s", "text", "datetime"])
    @pytest.mark.parametrize("packing", ["csv", "parquet"])
    def test_time_units(self, tmp_path: Path, unit: str, packing: str) -> None:
        ns = np.array([T0, T0 + 500], np.int64) * MS
        stamps: Any = {
            "s": ns // 10**9 + np.arange(2),
            "ms": ns // MS,
            "us": ns // 1000,
            "ns": ns,
            "decimal s": ns / 1e9,
            "text": np.array(["2026-03-01 00:00:00", "2026-03-01T00:00:00.5Z"], object),
            "datetime": ns.astype("datetime64[ns]"),
        }[unit]
        table = pd.DataFrame({"timestamp": stamps, "open_interest": [1.5, 2.5]})
        path = tmp_path / f"a.{packing}"
        if packing == "csv":
            table.to_csv(path, index=False)
        else:
            fastparquet.write(str(path), table)
        oi = lq.read_open_interest(path)
        assert oi.ts.tolist() == [T0 * MS, T0 * MS + (10**9 if unit == "s" else 500 * MS)]
        assert oi.quantity.tolist() == [1.5, 2.5]

    def test_parquet_counts_what_it_leaves_out(self, tmp_path: Path) -> None:
        table = pd.DataFrame(
            {
                "ts_ms": [T0 + i for i in range(40)],
                "coin": ["BTC"] * 39 + ["ETH"],
                "oi": [np.nan, -1.0, *range(1, 39)],
            }
        )
        fastparquet.write(str(tmp_path / "a.parquet"), table)
        with pytest.raises(DataError, match="expected one symbol, found BTC, ETH"):
            lq.read_open_interest(tmp_path / "a.parquet")
        oi = lq.read_open_interest(tmp_path / "a.parquet", symbol="BTC")
        assert oi.quantity.tolist() == list(range(1, 38))
        assert oi.report.rejected == {"other_symbol": 1, "not_finite": 1, "not_positive": 1}
        assert (oi.report.rows_read, oi.report.rows_used, oi.report.symbol) == (40, 37, "BTC")

    def test_files_of_another_symbol_are_left_out_or_refused(self, tmp_path: Path) -> None:
        for symbol, quantity in (("BTCUSDT", "5"), ("ETHUSDT", "7")):
            write(tmp_path / f"{symbol}-metrics-2026-03-01.csv", METRICS + metrics(TEXT_T0, quantity, symbol))
        with pytest.raises(DataError, match="expected open interest of one symbol, found BTCUSDT in BTCUSDT-metrics"):
            lq.read_open_interest(tmp_path / "*.csv")
        oi = lq.read_open_interest(tmp_path / "*.csv", symbol="ETHUSDT")
        assert (oi.quantity.tolist(), oi.report.symbol, oi.report.rows_read) == ([7], "ETHUSDT", 1)
        assert oi.report.warnings == [
            "BTCUSDT-metrics-2026-03-01.csv: left out: open interest of BTCUSDT, asked for ETHUSDT"
        ]

    def test_units_are_not_mixed(self, tmp_path: Path) -> None:
        write(tmp_path / "a.csv", METRICS + metrics(TEXT_T0, "5"))
        write(tmp_path / "b.json", okx([[str(T0), "5000", "50", "3000000"]]))
        with pytest.raises(DataError, match="expected open interest in one unit, found base units in some files"):
            lq.read_open_interest([tmp_path / "a.csv", tmp_path / "b.json"])


class TestJoin:
    @given(
        st.lists(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), min_size=1, max_size=20), min_size=1,
                 max_size=4)
    )  # fmt: skip
    @settings(max_examples=150, deadline=None)
    def test_equals_the_obvious(self, files: list[list[tuple[int, int]]]) -> None:
        files.sort(key=lambda rows: min(ts for ts, _ in rows))
        last: dict[int, int] = {}
        for ends in (True, False):  # what ends its file counts only where nothing else does
            for rows in files:
                end = max(ts for ts, _ in rows)
                last.update({ts: value for ts, value in turned(rows) if ends == (ts == end)})
        parts = parts_of(files)
        shared = [{(ts, v) for ts, v in rows if ts != max(ts for ts, _ in rows)} for rows in files]
        try:
            ts, values = join(parts)
        except DataError:
            assert any(
                a[0] == b[0] and a[1] != b[1] for i, one in enumerate(shared) for j in range(i) for a in one
                for b in shared[j]
            )  # fmt: skip
            return
        assert list(zip(ts.tolist(), values[0].tolist(), strict=True)) == sorted(last.items())
        for part, rows in zip(parts, files, strict=True):
            report = part.report
            assert report.rows_read == report.rows_used + sum(report.rejected.values())
            assert report.resorted == sum(any(b[0] > a[0] for b in rows[:i]) for i, a in enumerate(rows))
        assert sum(part.report.rows_used for part in parts) == len(last)

    @given(
        st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3)), min_size=1, max_size=20), min_size=1,
                 max_size=4)
    )  # fmt: skip
    @settings(max_examples=150, deadline=None)
    def test_what_may_have_one_time_counts_as_often_as_in_one_file(self, files: list[list[tuple[int, int]]]) -> None:
        files.sort(key=lambda rows: min(ts for ts, _ in rows))
        most: Counter[tuple[int, int]] = Counter()
        for rows in files:
            rows = sorted(turned(rows), key=lambda row: row[0])
            most |= Counter(row for before, row in pairwise([None, *rows]) if row != before)
        parts = parts_of(files)
        ts, values = join(parts, same_time=False)
        assert Counter(zip(ts.tolist(), values[0].tolist(), strict=True)) == most
        assert ts.tolist() == sorted(ts.tolist())
        for part in parts:
            assert part.report.rows_read == part.report.rows_used + sum(part.report.rejected.values())

    def test_collectors_of_marks_with_several_at_one_time(self, tmp_path: Path) -> None:
        for name in ("a.csv", "b.csv"):
            write(tmp_path / name, f"ts,mark\n{T0},1.5\n{T0},2.5\n{T0},1.5\n")
        marks = lq.read_marks(tmp_path / "*.csv")
        assert marks.price.tolist() == [1.5, 2.5, 1.5]

    def test_a_candle_that_had_not_ended_gives_way(self, tmp_path: Path) -> None:
        """Whatever the order: a file of the month up to now, and that of the day when it was over."""
        head = "time,open,high,low,close,volume\n"
        rows = [f"{T0 + n * 60_000},1.5,2.5,1.25,2.0,{n + 1}\n" for n in range(10)]
        write(tmp_path / "month.csv", head + "".join(rows[:6]).replace(",6\n", ",0.5\n"))
        write(tmp_path / "day.csv", head + "".join(rows[3:]))
        write(tmp_path / "early.csv", head + "".join(rows[4:6]).replace(",6\n", ",0.25\n"))
        for names in (["month.csv", "day.csv", "early.csv"], ["early.csv", "day.csv", "month.csv"]):
            candles = lq.read_candles([tmp_path / name for name in names])
            assert candles.volume is not None
            assert candles.volume.tolist() == [n + 1 for n in range(10)]
            assert candles.report.warnings == []

    def test_files_of_two_markets_are_refused(self, tmp_path: Path) -> None:
        for name, price in (("a.csv", 1.5), ("b.csv", 1.625)):
            rows = "".join(f"{T0 + n * 60_000},{price},2.5,1.25,2.0,{n + 1}\n" for n in range(60))
            write(tmp_path / name, "time,open,high,low,close,volume\n" + rows)
        with pytest.raises(DataError, match=r"a.csv and b.csv: expected the same values at the same times"):
            lq.read_candles(tmp_path / "*.csv")


def turned(rows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """From old to new."""
    steps = [b[0] - a[0] for a, b in pairwise(rows)]
    return rows[::-1] if sum(step < 0 for step in steps) > sum(step > 0 for step in steps) else rows


def parts_of(files: list[list[tuple[int, int]]]) -> list[Part]:
    parts = []
    for rows in files:
        ts, values = zip(*rows, strict=True)
        report = FileReport("", "", "", 0, rows_read=len(rows))
        parts.append(Part(np.array(ts, np.int64), np.array([values], np.float64), report))
    return parts


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.just(T0), st.floats(), st.sampled_from(["", "5", "x", str(T0)])
)
NAMES = st.sampled_from(
    ["retCode", "result", "list", "data", "code", "status", "tick", "ts", "time", "timestamp", "oi", "openInterest",
     "open", "high", "low", "close", "markPrice", "fundingRate", "symbol", "exchange", "confirm", "volume"]
)  # fmt: skip
ANSWERS = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=9), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=40,
)


@given(ANSWERS)
@settings(max_examples=200, deadline=None)
def test_any_answer_is_read_or_refused_with_a_reason(tmp_path_factory: pytest.TempPathFactory, answer: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    write(path, [answer] if not isinstance(answer, list | dict) else answer)
    for read in (lq.read_open_interest, lq.read_funding, lq.read_marks, lq.read_candles):
        with suppress(DataError):
            report = read(path).report
            assert report.rows_read == report.rows_used + sum(report.rejected.values())


class TestFunding:
    @pytest.mark.parametrize(
        ("content", "format", "rate", "hours", "settled"),
        [
            (
                f"calc_time,funding_interval_hours,last_funding_rate\n{T0},8,0.00012345\n",
                "binance-funding-rate", 0.00012345, 8.0, True,
            ),
            (
                [{"symbol": "BTCUSDT", "fundingTime": T0, "fundingRate": "-0.0003", "markPrice": "65000.1"}],
                "binance-funding-rate", -0.0003, None, True,
            ),
            (
                bybit([{"symbol": "BTCUSDT", "fundingRate": "0.0001", "fundingRateTimestamp": str(T0)}]),
                "bybit-funding-rate", 0.0001, None, True,
            ),
            (
                okx([{"instId": "BTC-USDT-SWAP", "fundingRate": "0.0002", "realizedRate": "0.0001",
                      "fundingTime": str(T0)}]),
                "okx-funding-rate", 0.0001, None, True,
            ),
            (
                TICKER + f"bitmex,XBTUSD,{T0}000,{T0}009,{T0 + 9}000,0.0001,0.00012,1,1,1,1\n",
                "tardis-derivative-ticker", 0.0001, None, False,
            ),
            (
                f"ts_ms,funding,open_interest,mark,oracle\n{T0},0.00001,1,1,1\n",
                "hyperliquid-context", 0.00001, None, False,
            ),
            (f"ts,rate\n{T0},4.4913e-06\n", "columns", 4.4913e-06, None, True),
        ],
    )  # fmt: skip
    def test_layouts(
        self, tmp_path: Path, content: Any, format: str, rate: float, hours: float | None, settled: bool
    ) -> None:
        funding = lq.read_funding(write(tmp_path / "a.txt", content))
        assert funding.ts.tolist() == [T0 * MS]
        assert funding.rate.tolist() == [rate]
        assert funding.interval_hours.tolist() == [hours] if hours else np.isnan(funding.interval_hours).all()
        assert (funding.settled, funding.report.files[0].format, len(funding)) == (settled, format, 1)

    def test_paid_and_quoted_rates_are_not_mixed(self, tmp_path: Path) -> None:
        paid = write(tmp_path / "paid.csv", f"ts,rate\n{T0},0.1\n")
        quoted = write(tmp_path / "quoted.csv", f"ts,mark,funding\n{T0},5,0.1\n")
        assert not lq.read_funding(quoted).settled
        with pytest.raises(DataError, match=r"rates that were paid in paid.csv and running quotes in quoted.csv"):
            lq.read_funding([paid, quoted])

    @pytest.mark.parametrize("text", ["ts,price\n1,2\n", f"{T0},0.1\n"])
    def test_other_files_are_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(DataError, match=r"a.csv: expected (columns for time|a header)"):
            lq.read_funding(write(tmp_path / "a.csv", text))


def price_kline(number: int, ohlc: str, volume: str = "0") -> str:
    start = T0 + number * MINUTE
    return f"{start},{ohlc},{volume},{start + MINUTE - 1},0,60,0,0,0\n"


class TestMarkKlines:
    HEADER = (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
        "taker_buy_quote_volume,ignore\n"
    )
    END = T0 * MS + MINUTE * MS - 1  # the last nanosecond of the first minute

    @pytest.mark.parametrize(
        "content",
        [
            HEADER + price_kline(0, "100,103,98,101") + price_kline(1, "101,101,99,99"),
            price_kline(1, "101,101,99,99") + price_kline(0, "100,103,98,101"),
            bybit([[str(T0 + MINUTE), "101", "101", "99", "99"], [str(T0), "100", "103", "98", "101"]]),
            okx(
                [
                    [str(T0 + 2 * MINUTE), "99", "110", "90", "95", "0"],  # has not ended
                    [str(T0 + MINUTE), "101", "101", "99", "99", "1"],
                    [str(T0), "100", "103", "98", "101", "1"],
                ]
            ),
            f"start,open,high,low,close\n{T0},100,103,98,101\n{T0 + MINUTE},101,101,99,99\n",
        ],
    )
    def test_open_at_the_start_the_rest_at_the_end(self, tmp_path: Path, content: Any) -> None:
        marks = lq.read_marks(write(tmp_path / "a.txt", content))
        # The second kline's low equals its close: one of them is an exact repeat only if adjacent, and they are not.
        expected = [
            (T0 * MS, 100), (self.END, 98), (self.END, 103), (self.END, 101),
            (T0 * MS + MINUTE * MS, 101), (self.END + MINUTE * MS, 99), (self.END + MINUTE * MS, 101),
            (self.END + MINUTE * MS, 99),
        ]  # fmt: skip
        assert list(zip(marks.ts.tolist(), marks.price.tolist(), strict=True)) == expected
        assert marks.report.rows_read == marks.report.rows_used + sum(marks.report.rejected.values())

    def test_repeats_in_other_files_are_dropped(self, tmp_path: Path) -> None:
        write(tmp_path / "day.csv", price_kline(0, "100,103,98,101"))
        write(tmp_path / "month.csv", price_kline(0, "100,103,98,101") + price_kline(1, "101,102,99,100"))
        marks = lq.read_marks(tmp_path / "*.csv")
        assert marks.price.tolist() == [100, 98, 103, 101, 101, 99, 102, 100]
        assert marks.report.rejected == {"duplicate_time": 1}

    def test_klines_of_trades_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="expected klines of a mark price, which have no volume, found klines of t"):
            lq.read_marks(write(tmp_path / "a.csv", price_kline(0, "100,103,98,101", "5.5")))

    def test_samples_and_klines_go_together(self, tmp_path: Path) -> None:
        write(tmp_path / "a.csv", price_kline(0, "100,103,98,101"))
        write(tmp_path / "b.csv", f"ts,mark\n{T0 + 5},99\n")
        assert lq.read_marks(tmp_path / "*.csv").price.tolist() == [100, 99, 98, 103, 101]

    @pytest.mark.parametrize(
        "content",
        [
            {"symbol": "BTCUSDT", "markPrice": "63605.5", "indexPrice": "63600", "lastFundingRate": "0", "time": T0},
            okx([{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "markPx": "63605.5", "ts": str(T0)}]),
        ],
    )
    def test_answers(self, tmp_path: Path, content: Any) -> None:
        marks = lq.read_marks(write(tmp_path / "a.json", content))
        assert (marks.ts.tolist(), marks.price.tolist(), len(marks)) == ([T0 * MS], [63605.5], 1)


class TestCandles:
    ROWS = ((T0, "10", "12", "9", "11", "5"), (T0 + MINUTE, "11", "11", "10", "10", "2.5"))

    @pytest.mark.parametrize(
        ("content", "format"),
        [
            (bybit([[str(ts), *rest, "60"] for ts, *rest in ROWS[::-1]]), "bybit-kline"),
            ([[str(ts), *rest, "60"] for ts, *rest in ROWS], "bybit-kline"),
            ("".join(f"{','.join(map(str, row))},60\n" for row in ROWS), "bybit-kline"),
            (
                okx([[str(T0 + 2 * MINUTE), "1", "1", "1", "1", "1", "1", "1", "0"]]
                    + [[str(ts), *rest, "0.05", "60", "1"] for ts, *rest in ROWS[::-1]]),
                "okx-candles",
            ),
            ([list(row) for row in ROWS], "ohlcv"),
            (
                "startTime,openPrice,highPrice,lowPrice,closePrice,volume,turnover\n"
                + "".join(f"{','.join(map(str, row))},60\n" for row in ROWS),
                "columns",
            ),
            (
                "open,high,low,close,volume,close_datetime\n10,12,9,11,5,2026-03-01 01:00:59.999000+01:00\n"
                "11,11,10,10,2.5,2026-03-01 01:01:59.999000+01:00\n",
                "columns",
            ),
            (
                "time_end,open,high,low,close,volume,end_time\nx,10,12,9,11,5,2026-03-01 00:01:00\n"
                "x,11,11,10,10,2.5,2026-03-01 00:02:00\n",
                "columns",
            ),
        ],
    )  # fmt: skip
    def test_layouts_without_taker_volume(self, tmp_path: Path, content: Any, format: str) -> None:
        candles = lq.read_candles(write(tmp_path / "a.txt", content))
        assert (candles.ts_open // MS - T0).tolist() == [0, MINUTE]
        assert candles.interval_ns == MINUTE * MS
        assert [getattr(candles, name).tolist() for name in ("open", "high", "low", "close")] == [
            [10, 11], [12, 11], [9, 10], [11, 10],
        ]  # fmt: skip
        assert candles.volume is not None
        assert candles.volume.tolist() == [5, 2.5]
        assert candles.buy_qty is candles.sell_qty is None
        assert candles.report.files[0].format == format
        assert candles.report.rejected == ({"unfinished": 1} if format == "okx-candles" else {})

    def test_binance_answers_and_tables_with_taker_volume(self, tmp_path: Path) -> None:
        rows = [[T0, "10", "12", "9", "11", "9.19306", T0 + MINUTE - 1, "1", 5, "4.61069", "1", "0"]]
        candles = lq.read_candles(write(tmp_path / "a.json", rows))
        assert candles.buy_qty is not None
        assert candles.sell_qty is not None
        assert (candles.buy_qty.tolist(), candles.sell_qty.tolist()) == ([4.61069], [4.58237])
        assert (candles.interval_ns, candles.report.files[0].format) == (MINUTE * MS, "binance-klines")
        table = pd.DataFrame(
            {"ts_open": [T0, T0 + MINUTE], "open": [10.0, 11], "high": [12.0, 11], "low": [9.0, 10],
             "close": [11.0, 10], "buy_qty": [3.0, 1.5], "sell_qty": [2.0, 1.0]}
        )  # fmt: skip
        fastparquet.write(str(tmp_path / "a.parquet"), table)
        candles = lq.read_candles(tmp_path / "a.parquet")
        assert candles.buy_qty is not None
        assert candles.sell_qty is not None
        assert candles.volume is not None
        assert candles.volume.tolist() == [5, 2.5]
        assert (candles.buy_qty.tolist(), candles.sell_qty.tolist()) == ([3, 1.5], [2, 1])

    def test_the_interval_is_told_or_given(self, tmp_path: Path) -> None:
        one = write(tmp_path / "one.json", [[T0, "10", "12", "9", "11", "5"]])
        with pytest.raises(DataError, match=r"one.json: one candle does not tell its length: give interval="):
            lq.read_candles(one)
        assert lq.read_candles(one, interval="5m").interval_ns == 5 * MINUTE * MS
        rows = [[T0 + i * MINUTE, "10", "12", "9", "11", "5"] for i in (0, 5, 15)]
        gap = write(tmp_path / "gap.json", rows)
        assert lq.read_candles(gap).interval_ns == 5 * MINUTE * MS  # ten minutes are a gap
        odd = write(tmp_path / "odd.json", [*rows, [T0 + 18 * MINUTE, "10", "12", "9", "11", "5"]])
        with pytest.raises(DataError, match="expected candles of one interval, found distances of 180 s, 300 s, 600 s"):
            lq.read_candles(odd)
        with pytest.raises(InvalidConfigError, match="interval must be a length of time"):
            lq.read_candles(one, interval="long")

    def test_symbols_and_kinds_are_not_mixed(self, tmp_path: Path) -> None:
        row = f"{T0},10,12,9,11,5,{T0 + MINUTE - 1},1,5,2,1,0\n"
        for symbol in ("BTCUSDT", "ETHUSDT"):
            write(tmp_path / f"{symbol}-1m-2026-03.csv", row)
        with pytest.raises(DataError, match="expected candles of one symbol, found BTCUSDT in BTCUSDT-1m"):
            lq.read_candles(tmp_path / "*.csv")
        assert len(lq.read_candles(tmp_path / "*.csv", symbol="ETHUSDT")) == 1
        write(tmp_path / "b.json", [[T0, "10", "12", "9", "11", "5"], [T0 + MINUTE, "10", "12", "9", "11", "5"]])
        with pytest.raises(DataError, match="expected taker volume in all files or none, found it in BTCUSDT-1m"):
            lq.read_candles([tmp_path / "BTCUSDT-1m-2026-03.csv", tmp_path / "b.json"])


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1m-2026-03.zip", "BTCUSDT"),
        ("ETHUSDT_260327-5m-2026-03-01.csv", "ETHUSDT_260327"),
        ("ETHUSDT-funding-8h.csv.gz", "ETHUSDT"),
        ("hyperliquid-ETH-context.parquet", "ETH"),
        ("open-interest-2026.csv", None),
        ("2026-03-01.csv", None),
    ],
)
def test_symbols_in_names(name: str, symbol: str | None) -> None:
    assert guess_symbol(name) == symbol
