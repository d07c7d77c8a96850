"""Feather files: whatever they claim, they unpack to no more than the limit, and what is read is what was written."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liqcore.config import Config
from liqcore.config.limits import limits_of
from liqcore.errors import DataError
from liqcore.sources import read_trades
from liqcore.tables import feather as ours
from liqcore.tables.parquet import ParquetTable
from liqcore.words.limits import limited

arrow: Any = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
feather: Any = pytest.importorskip("pyarrow.feather", reason="pyarrow is not installed")

TOO_LARGE = r"a.feather: unpacks to over [0-9,]+ times the size of the file \(limits.unpacked\)"


def trades(rows: int) -> dict[str, Any]:
    number = np.arange(rows)
    sides = np.where(number % 3 == 0, "sell", "buy")
    return {"ts": 1_781_222_399_211 + 10 * number, "price": 63_610.0 + number % 100, "qty": 0.25 + number % 7,
            "side": sides}  # fmt: skip


def written(path: Path, table: Any, **options: Any) -> Path:
    feather.write_feather(table if isinstance(table, arrow.Table) else arrow.table(table), path, **options)
    return path


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are not let through for being small."""
    monkeypatch.setattr(ours, "ALWAYS_UNPACKED", 0)


@pytest.mark.usefixtures("tight")
@pytest.mark.parametrize("codec", ["uncompressed", "lz4", "zstd"])
@pytest.mark.parametrize("chunksize", [None, 64])
@pytest.mark.parametrize("form", ["dictionary", "string_view"])
def test_what_is_read_is_what_was_written(tmp_path: Path, codec: str, chunksize: int | None, form: str) -> None:
    table = arrow.table(trades(1_000))
    side = table.column("side")
    table = table.set_column(3, "side", side.cast(form) if form == "string_view" else side.dictionary_encode())
    path = written(tmp_path / "a.feather", table, compression=codec, chunksize=chunksize)
    (batch,) = read_trades(path)
    assert (batch.ts // 1_000_000).tolist() == table.column("ts").to_pylist()
    assert batch.price.tolist() == table.column("price").to_pylist()
    assert batch.qty.tolist() == table.column("qty").to_pylist()
    assert batch.taker_sell.tolist() == [side == "sell" for side in table.column("side").to_pylist()]


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_zeros_are_not_unpacked_beyond_the_limit(tmp_path: Path, codec: str) -> None:
    path = written(tmp_path / "a.feather", {"price": np.zeros(8_000_000)}, compression=codec)
    assert path.stat().st_size < 1_000_000
    assert ParquetTable(path).group_rows == [8_000_000]  # 64 MiB always may
    path = written(tmp_path / "a.feather", {"price": np.zeros(8_500_000)}, compression=codec)
    with limited(limits_of(Config().replace(limits={"unpacked": 10}))), pytest.raises(DataError, match=TOO_LARGE):
        ParquetTable(path)


@pytest.mark.usefixtures("tight")
def test_what_unpacks_within_the_limit_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.feather", {"price": np.zeros(100_000)}, compression="zstd")
    size = path.stat().st_size
    least = -(-8 * 100_000 // size)
    for times, is_read in ((least // 2, False), (3 * least, True)):
        with limited(limits_of(Config().replace(limits={"unpacked": times}))):
            if is_read:
                assert ParquetTable(path).group_rows == [100_000]
            else:
                with pytest.raises(DataError, match=TOO_LARGE):
                    ParquetTable(path)


@pytest.mark.parametrize("claimed", [1 << 33, 1 << 50, (1 << 63) - 1])
def test_a_buffer_that_claims_too_much_is_refused_before_any_of_it_is_held(tmp_path: Path, claimed: int) -> None:
    path = written(tmp_path / "a.feather", {"price": np.zeros(100_000)}, compression="zstd", chunksize=100_000)
    stored = path.read_bytes()
    assert stored.count(struct.pack("<q", 800_000)) == 1
    path.write_bytes(stored.replace(struct.pack("<q", 800_000), struct.pack("<q", claimed)))
    with pytest.raises(DataError, match=TOO_LARGE):
        ParquetTable(path)


@pytest.mark.parametrize("rows", [1 << 33, 1 << 50])
def test_rows_that_take_no_bytes_are_counted(tmp_path: Path, rows: int) -> None:
    none = arrow.Array.from_buffers(arrow.null(), rows, [None])
    path = tmp_path / "a.feather"
    large = arrow.ipc.IpcWriteOptions(allow_64bit=True)
    with arrow.ipc.new_file(path, arrow.schema([("price", arrow.null())]), options=large) as file:
        file.write_batch(arrow.record_batch([none], names=["price"]))
    assert path.stat().st_size < 2_000
    with pytest.raises(DataError, match=TOO_LARGE):
        ParquetTable(path)


@pytest.mark.parametrize(
    ("kind", "shared"),
    [("string", False), ("large_string", False), ("binary", False), ("string_view", False), ("string_view", True)],
)
def test_a_long_word_in_every_row_is_counted(tmp_path: Path, kind: str, shared: bool) -> None:
    word = arrow.array(["x" * 10_000], kind)
    words: Any = arrow.DictionaryArray.from_arrays(np.zeros(200_000, np.int8), word)
    if shared:
        views = np.tile(np.frombuffer(word.buffers()[1], np.uint8)[:16], 200_000)
        buffers = [None, arrow.py_buffer(views), word.buffers()[2]]
        words = arrow.Array.from_buffers(arrow.string_view(), 200_000, buffers)
    path = written(tmp_path / "a.feather", arrow.table({"side": words}), compression="zstd", chunksize=200_000)
    table = ParquetTable(path)
    with pytest.raises(DataError, match=TOO_LARGE):
        table.read(0, ["side"])


def test_a_batch_that_the_file_names_often_counts_as_often(tmp_path: Path) -> None:
    rows = 500_000
    path = written(tmp_path / "a.feather", {"price": np.zeros(20 * rows)}, compression="zstd", chunksize=rows)
    stored = path.read_bytes()
    offsets = [at for at in range(0, len(stored), 8) if stored[at : at + 4] == b"\xff\xff\xff\xff"][1:21]
    for at in offsets[1:]:  # the footer's places of all batches become that of the first, and the others are cut out
        stored = stored.replace(struct.pack("<q", at), struct.pack("<q", offsets[0]))
    (size,) = struct.unpack_from("<i", stored, len(stored) - 10)
    path.write_bytes(stored[: offsets[1]] + stored[len(stored) - 10 - size :])
    assert path.stat().st_size < 5_000
    with pytest.raises(DataError, match=TOO_LARGE):
        ParquetTable(path)
    with limited(limits_of(Config().replace(limits={"unpacked": 1_000_000}))):
        assert ParquetTable(path).group_rows == [20 * rows]


def damaged(stored: bytes, rng: np.random.Generator) -> bytes:
    """Flip, cut, or put a large number anywhere."""
    at = int(rng.integers(8, len(stored) - 8))
    kind = rng.integers(3)
    if kind == 0:
        return stored[:at] + bytes([stored[at] ^ (1 << int(rng.integers(8)))]) + stored[at + 1 :]
    if kind == 1:
        return stored[:at]
    number = struct.pack("<q", int(rng.choice([-1, 1 << 31, 1 << 40, 1 << 62, -(1 << 62)])))
    return stored[: at // 8 * 8] + number + stored[at // 8 * 8 + 8 :]


@pytest.mark.parametrize("codec", ["uncompressed", "zstd"])
def test_damaged_files_are_refused_or_read_within_the_limit(tmp_path: Path, codec: str) -> None:
    table = trades(200)
    whole = written(tmp_path / "whole.feather", table, compression=codec).read_bytes()
    rng = np.random.default_rng(20260611)
    path = tmp_path / "a.feather"
    refused = 0
    for _ in range(300):
        path.write_bytes(damaged(whole, rng))
        try:
            found = ParquetTable(path)
            for name in set(table) & set(found.columns):
                found.read(0, [name])
        except DataError as error:
            assert str(error).startswith("a.feather: ")  # noqa: PT017
            refused += 1
    assert refused > 20


def test_a_file_of_the_first_version_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.feather"
    path.write_bytes(b"FEA1" + bytes(100) + b"FEA1")
    with pytest.raises(DataError, match="a feather file of the first version: write it anew, as version 2"):
        read_trades(path)
