"""Reading ahead in a thread, unpacking straight into arrays: the same rows, counts and errors; no thread left."""

import gc
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import liqcore as lq
from liqcore.errors import DataError
from liqcore.sources import TradeReader, read_trades, scan
from liqcore.sources.parquet_trades import ParquetTrades
from liqcore.tables.column import Column
from liqcore.tables.parquet import ParquetTable

T0 = 1_781_222_399_211_000_000  # ns
GROUP = 500_000  # rows; smaller groups are gathered into one batch


def trades(rows: int) -> pd.DataFrame:
    number = np.arange(rows)
    return pd.DataFrame(
        {
            "ts": T0 + 1_000_000 * number,
            "price": 63610.0 + number % 100 / 2,
            "qty": 0.25 + number % 7,
            "taker_sell": number % 3 == 1,
        }
    )


def write(path: Path, table: pd.DataFrame, **options: Any) -> Path:
    layout = {"write_index": False, "has_nulls": False, "stats": ["ts"], "compression": "LZ4_RAW"}
    fastparquet.write(str(path), table, **(layout | options))
    return path


def prefetch_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("liqcore")]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    assert prefetch_threads() == []


def drain(reader: TradeReader) -> tuple[list[list[Any]], Any]:
    """Take every batch, as lists, and what the report says."""
    batches = [[column.tolist() for column in (batch.ts, batch.price, batch.qty, batch.taker_sell)] for batch in reader]
    return batches, reader.report


def outcome(path: Path, **options: Any) -> Any:
    try:
        return drain(read_trades(path, **options))
    except DataError as error:
        return str(error)


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, dict[str, Any]]:
    rows = draw(st.integers(1, 60))
    steps = draw(st.lists(st.sampled_from([0, 0, 1, 5, 1_000_000, -3]), min_size=rows, max_size=rows))
    factor = draw(st.sampled_from([1, 1_000, 1_000_000]))
    odd = draw(st.sampled_from([[], [0.0], [np.nan, -1.0], [np.inf]]))
    values = st.sampled_from([0.5, 1.25, 63610.0, 1e-8, 2.0**52, 1 / 3, *odd])
    side, kind = draw(
        st.sampled_from([("taker_sell", bool), ("is_buyer_maker", bool), ("taker_buy", bool), ("side", str)])
    )
    sides = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    table = pd.DataFrame(
        {
            "ts": (T0 + np.cumsum(steps) * factor) // factor,
            "price": draw(st.lists(values, min_size=rows, max_size=rows)),
            "qty": draw(st.lists(values, min_size=rows, max_size=rows)),
            side: sides if kind is bool else np.where(sides, "sell", "buy"),
        }
    )
    if draw(st.booleans()):
        table["id"] = draw(st.lists(st.integers(0, 50), min_size=rows, max_size=rows))
    options = {
        "compression": draw(st.sampled_from(["LZ4_RAW", "ZSTD", "SNAPPY", "UNCOMPRESSED"])),
        "row_group_offsets": draw(st.integers(1, rows)),
        "has_nulls": draw(st.booleans()),
        "stats": draw(st.sampled_from([["ts"], False])),
    }
    return table, options


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_fast_ways_give_what_the_slow_way_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[pd.DataFrame, dict[str, Any]]
) -> None:
    table, options = case
    path = write(tmp_path / "a.parquet", table, **options)
    fast = outcome(path)
    assert outcome(path, prefetch=True) == fast
    with monkeypatch.context() as patch:
        patch.setattr("liqcore.tables.parquet_values._is_fast", lambda *_: False)
        assert outcome(path) == fast
        patch.setattr(ParquetTrades, "_clean_group", lambda *_: None)
        assert outcome(path) == fast


@pytest.mark.parametrize("codec", ["LZ4_RAW", "ZSTD", "SNAPPY", "UNCOMPRESSED"])
@pytest.mark.parametrize("page_rows", [1, 7, 8, 1000])
def test_plain_columns_are_unpacked_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str, page_rows: int
) -> None:
    monkeypatch.setattr(fastparquet.writer, "_rows_per_page", lambda *_: page_rows)
    table = trades(100)
    table["size32"], table["count32"] = table.qty.astype(np.float32), np.arange(100, dtype=np.int32)
    file = ParquetTable(write(tmp_path / "a.parquet", table, compression=codec))
    monkeypatch.setattr("liqcore.tables.parquet_values._plain", None)  # the way that is not to be taken
    for name, column in zip(table.columns, file.read(0, list(table.columns)), strict=True):
        assert column.null is None
        assert column.values.dtype == table[name].dtype
        np.testing.assert_array_equal(column.values, table[name])


@pytest.mark.parametrize(
    ("table", "options"),
    [
        (trades(20), {"has_nulls": True}),
        (trades(20).drop(columns="taker_sell").assign(side=pd.Categorical(["buy", "sell"] * 10)), {}),
        (trades(20).assign(ts=pd.to_datetime(trades(20).ts)), {}),
        (trades(40).assign(qty=pd.array([1, None, *[1] * 38], "Int64")), {"has_nulls": True}),
        (trades(20), {"compression": "GZIP"}),
    ],
)
def test_what_is_not_plain_is_read_too(tmp_path: Path, table: pd.DataFrame, options: dict[str, Any]) -> None:
    path = write(tmp_path / "a.parquet", table, **options)
    (batch,) = read_trades(path, prefetch=True)
    expected = table.dropna()
    np.testing.assert_array_equal(batch.ts, expected.ts.to_numpy().astype(np.int64))
    np.testing.assert_array_equal(batch.price, expected.price.to_numpy(np.float64))
    np.testing.assert_array_equal(batch.qty, expected.qty.to_numpy(np.float64))


def test_damaged_pages_are_refused_with_and_without_a_thread(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", trades(2 * GROUP), row_group_offsets=GROUP)
    with path.open("rb") as file:
        place = fastparquet.ParquetFile(file).row_groups[1].columns[1].meta_data.data_page_offset
    content = bytearray(path.read_bytes())
    content[place + 2_000 : place + 2_100] = bytes(100)
    path.write_bytes(content)
    messages = []
    for prefetch in (False, True):
        reader = read_trades(path, prefetch=prefetch)
        assert len(next(reader)) == GROUP
        with pytest.raises(DataError, match=r"a\.parquet: column price is damaged") as error:
            next(reader)
        assert next(reader, None) is None
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_a_truncated_file_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", trades(1000))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"a\.parquet: expected a complete Parquet file, found it truncated"):
        read_trades(path, prefetch=True)


def text_file(path: Path, rows: int) -> Path:
    lines = (f"{number},63610.5,0.25,{number},{number},{1781222399211 + number},false\n" for number in range(rows))
    path.write_text("".join(lines))
    return path


def test_files_of_every_kind_are_read_ahead_in_one_thread(tmp_path: Path) -> None:
    for number in range(3):
        later = 10**15 + number * 10**12  # than the text file
        write(tmp_path / f"BTC-{number}.parquet", trades(1000).assign(ts=lambda table, n=later: table.ts + n))
    text_file(tmp_path / "BTC-aggTrades.csv", 500)
    paths = sorted(tmp_path.iterdir())
    seen = set()
    with read_trades(paths, prefetch=True, batch_rows=300) as reader:
        batches = [(seen.update(prefetch_threads()), batch)[1] for batch in reader]
    assert seen == {"liqcore-prefetch_0"}
    assert sum(map(len, batches)) == reader.report.rows_used
    assert reader.report.complete
    plain = read_trades(paths, batch_rows=300)
    assert [batch.ts.tolist() for batch in plain] == [batch.ts.tolist() for batch in batches]
    assert plain.report == reader.report


def test_no_thread_unless_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", trades(2 * GROUP), row_group_offsets=GROUP)
    for _ in read_trades(path):
        assert prefetch_threads() == []
    read_trades(path, prefetch=True)  # never walked
    assert prefetch_threads() == []


def test_nothing_is_read_before_the_first_batch_is_asked_for_and_one_group_ahead_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.parquet", trades(4 * GROUP), row_group_offsets=GROUP)
    read: list[int] = []
    original = ParquetTable.read

    def spy(self: ParquetTable, group: int, names: Any) -> list[Column]:
        read.append(group)
        return original(self, group, names)

    monkeypatch.setattr(ParquetTable, "read", spy)
    reader = read_trades(path, prefetch=True)
    assert read == []
    next(reader)
    reader.close()  # waits for the one that is being read
    assert read in ([0], [0, 1])


@pytest.mark.parametrize("prefetch", [False, True])
def test_two_row_groups_are_in_memory_and_with_a_thread_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefetch: bool
) -> None:
    path = write(tmp_path / "a.parquet", trades(6 * GROUP), row_group_offsets=GROUP)
    alive: list[weakref.ref[Any]] = []
    most = 0
    original = ParquetTable.read

    def spy(self: ParquetTable, group: int, names: Any) -> list[Column]:
        nonlocal most
        columns = original(self, group, names)
        alive.append(weakref.ref(columns[0].values.base))
        most = max(most, sum(ref() is not None for ref in alive))
        return columns

    monkeypatch.setattr(ParquetTable, "read", spy)
    for _batch in read_trades(path, prefetch=prefetch):
        pass
    assert len(alive) == 6
    assert most <= (3 if prefetch else 2)


def test_batches_stay_what_they_are(tmp_path: Path) -> None:
    table = trades(4 * GROUP)
    batches = list(read_trades(write(tmp_path / "a.parquet", table, row_group_offsets=GROUP), prefetch=True))
    assert len(batches) == 4
    np.testing.assert_array_equal(np.concatenate([batch.ts for batch in batches]), table.ts)
    np.testing.assert_array_equal(np.concatenate([batch.price for batch in batches]), table.price)
    for batch in batches:
        for column in (batch.ts, batch.price, batch.qty, batch.taker_sell):
            assert column.flags.c_contiguous
            assert column.flags.aligned
            assert column.flags.writeable


def leave_by_error(reader: TradeReader) -> None:
    for _ in reader:
        raise ValueError


def leave_by_interrupt(reader: TradeReader) -> None:
    for _ in reader:
        raise KeyboardInterrupt


def leave_by_close(reader: TradeReader) -> None:
    next(reader)
    reader.close()
    assert prefetch_threads() == []


def leave_by_context(reader: TradeReader) -> None:
    with reader:
        next(reader)
    assert prefetch_threads() == []


def leave_by_dropping(reader: TradeReader) -> None:
    next(reader)


@pytest.mark.parametrize(
    "leave", [leave_by_error, leave_by_interrupt, leave_by_close, leave_by_context, leave_by_dropping]
)
def test_the_thread_ends_however_the_reader_is_left(tmp_path: Path, leave: Callable[[TradeReader], None]) -> None:
    path = write(tmp_path / "a.parquet", trades(4 * GROUP), row_group_offsets=GROUP)
    with suppress(ValueError, KeyboardInterrupt):  # what the test raised; the fixture looks for threads
        leave(read_trades(path, prefetch=True))


def test_a_heatmap_is_the_same_with_and_without_a_thread(tmp_path: Path) -> None:
    path = write(tmp_path / "BTC-a.parquet", trades(20_000), row_group_offsets=5_000)
    seen: list[str] = []

    def run(prefetch: bool) -> lq.Heatmap:
        def watch(*_: int) -> None:
            if not prefetch:
                seen.extend(prefetch_threads())

        return lq.heatmap(path, window="1m", prefetch=prefetch, progress=watch)

    ahead, plain = run(True), run(False)
    np.testing.assert_array_equal(ahead.values, plain.values)
    assert ahead.meta == plain.meta
    assert seen == []


def test_many_small_row_groups_are_gathered_without_a_copy_for_each(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", trades(20_000), row_group_offsets=100)
    (batch,) = read_trades(path, prefetch=True)
    np.testing.assert_array_equal(batch.ts, trades(20_000).ts)


def test_the_first_time_comes_from_the_statistics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", trades(100))
    monkeypatch.setattr(ParquetTable, "read", None)
    assert ParquetTrades(path).first_ts == T0


@pytest.mark.parametrize("first", [7, -1])
def test_unreadable_times_in_the_statistics_are_not_the_first(tmp_path: Path, first: int) -> None:
    path = write(tmp_path / "a.parquet", trades(100).assign(ts=np.r_[first, T0 + np.arange(99)]))
    assert ParquetTrades(path).first_ts == T0


def test_scan_reads_the_heads_of_some_files_only(tmp_path: Path) -> None:
    day = 86_400 * 10**9
    prices = [1.0, 1.5, 1.25, 1.0, 1.5]
    for number, price in enumerate(prices):
        table = trades(10).assign(price=price)
        write(tmp_path / f"BTC-{number}.parquet", table.assign(ts=table.ts + number * day))
    report = scan(sorted(tmp_path.iterdir()), heads=3)
    assert [file.rows_read for file in report.files] == [10, 0, 10, 0, 10]
    assert [file.first_price for file in report.files] == [1.0, None, 1.25, None, 1.5]
    assert report.price_decimals == 2
    assert [file.rows_read for file in scan(sorted(tmp_path.iterdir()), heads=9).files] == [10] * 5
    with pytest.raises(lq.InvalidConfigError, match="heads must be at least 2, was 1"):
        scan(tmp_path / "*.parquet", heads=1)


def test_a_finer_grid_or_another_market_in_a_file_that_was_not_scanned(tmp_path: Path) -> None:
    hour = 3_600 * 10**9
    for number in range(7):
        table = trades(3_000).assign(price=63610.0 + (number == 3) / 4)
        write(tmp_path / f"BTC-{number}.parquet", table.assign(ts=table.ts + number * hour))
    paths = sorted(tmp_path.iterdir())
    with pytest.warns(UserWarning, match="no trade from"):
        heatmap = lq.heatmap(paths, window="10m")
    assert heatmap.meta["rows"] == {"rows": 21_000, "used": 21_000, "rounded_qty": 0, "rejected": {}}
    assert heatmap.meta["config"]["instrument"]["tick_size"] == 0.01
    write(paths[3], trades(3_000).assign(ts=trades(3_000).ts + 3 * hour, price=3_500.0))
    with pytest.raises(
        DataError, match=r"BTC-3\.parquet: expected prices near those of BTC-2\.parquet .*another market"
    ):
        lq.heatmap(paths, window="10m")


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("", 0),  # the reader is still open when the interpreter ends
        ("signal.raise_signal(signal.SIGINT); next(reader)", -signal.SIGINT),
    ],
)
def test_a_process_ends_with_a_reader_still_open(tmp_path: Path, ending: str, code: int) -> None:
    path = write(tmp_path / "a.parquet", trades(4 * GROUP), row_group_offsets=GROUP)
    # A shell starts what runs in the background without Ctrl-C.
    ctrl_c = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    script = (
        ctrl_c + f"import liqcore; reader = liqcore.read_trades({str(path)!r}, prefetch=True); next(reader); {ending}"
    )
    found = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=120)
    assert found.returncode == code, found.stderr
    assert ("KeyboardInterrupt" in found.stderr) == bool(ending)
    assert "Exception ignored" not in found.stderr
