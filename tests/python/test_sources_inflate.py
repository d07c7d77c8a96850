"""Zip members and gzip files: the same bytes and refusals whoever inflates them."""

import gzip
import io
import random
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from liqcore.errors import DataError
from liqcore.sources import inflate, read_trades

ROWS = "".join(f"{n},{63610 + n % 977}.5,0.25,{n},{n},{1781222399211 + n},false\n" for n in range(30_000)).encode()


@pytest.fixture(params=["zlib", "isal"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Choose who inflates, by hiding isal."""
    if request.param == "isal":
        pytest.importorskip("isal")
    else:
        monkeypatch.setitem(sys.modules, "isal", None)
    deflate, gzip_file = inflate._load()
    assert (deflate is zlib) == (request.param == "zlib")
    monkeypatch.setattr(inflate, "_deflate", deflate)
    monkeypatch.setattr(inflate, "_gzip_file", gzip_file)
    return str(request.param)


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED, others: bool = False) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        if others:
            archive.writestr("__MACOSX/a.csv", b"not this one" * 100)
        archive.writestr("BTCUSDT-aggTrades-2026-06-12.csv", content)
    return file.getvalue()


def member_of(content: bytes, size: int) -> bytes:
    raw = io.BytesIO(content)
    with zipfile.ZipFile(raw) as archive, inflate.open_member(archive, raw, archive.namelist()[-1]) as member:
        parts = list(iter(lambda: member.read(size), b""))
    assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
    return b"".join(parts)


@pytest.mark.usefixtures("inflater")
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("size", [1 << 10, 1 << 18, 1 << 24])
def test_a_member_is_what_was_put_in(method: int, others: bool, size: int) -> None:
    noise = random.Random(5).randbytes(300_000)  # does not compress, so that several blocks are read
    for content in (ROWS, noise, b"a", b""):
        assert member_of(zipped(content, method, others), size) == content


@pytest.mark.usefixtures("inflater")
def test_a_cut_or_changed_member_is_refused() -> None:
    whole = zipped(random.Random(5).randbytes(300_000))
    changed = bytearray(whole)
    changed[1_000] ^= 1  # the noise is stored as it is, so that only the checksum tells
    with pytest.raises(inflate.INFLATE_ERRORS, match="checksum"):
        member_of(bytes(changed), 1 << 20)
    raw = io.BytesIO(whole)
    with zipfile.ZipFile(raw) as archive:
        info = archive.infolist()[0]
        info.compress_size -= 10
        with pytest.raises(EOFError, match="ends before its end"):
            inflate.open_member(archive, raw, info.filename).read(1 << 20)
        info.header_offset += 1
        with pytest.raises(zipfile.BadZipFile, match="no header"):
            inflate.open_member(archive, raw, info.filename)


@pytest.mark.usefixtures("inflater")
def test_archives_of_trades_are_read(tmp_path: Path) -> None:
    files = {
        "a.zip": zipped(ROWS),
        "a.csv.gz": gzip.compress(ROWS),
        "two.csv.gz": gzip.compress(ROWS[: ROWS.index(b"\n", 600) + 1]) * 2,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert [sum(map(len, read_trades(tmp_path / name))) for name in ("a.zip", "a.csv.gz")] == [30_000, 30_000]
    repeated = read_trades(tmp_path / "two.csv.gz")
    assert sum(map(len, repeated)) == repeated.report.rejected["duplicate_id"]


@pytest.mark.usefixtures("inflater")
@pytest.mark.parametrize("name", ["a.zip", "a.csv.gz"])
def test_a_truncated_archive_is_refused(tmp_path: Path, name: str) -> None:
    content = zipped(ROWS) if name == "a.zip" else gzip.compress(ROWS)
    kind = "zip" if name == "a.zip" else "gzip"
    for prefetch in (False, True):
        (tmp_path / name).write_bytes(content[: len(content) * 9 // 10])
        with pytest.raises(DataError, match=rf"{name}: expected a complete {kind} file, found it truncated or damaged"):
            list(read_trades(tmp_path / name, prefetch=prefetch))
