"""
Unpacking of zip members and gzip files, never more at once than is asked for, whatever the bytes.

With isal where that is installed, else with zlib, which is slower.
"""

import bz2
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import IO, Any

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_BLOCK = 1 << 18
_ENCRYPTED = 1


def _load() -> tuple[Any, Callable[..., Any]]:
    """Return a module like zlib, and what opens a gzip file."""
    try:
        from isal import igzip, isal_zlib
    except ImportError:
        return zlib, gzip.GzipFile
    return isal_zlib, igzip.IGzipFile


_deflate, _gzip_file = _load()
INFLATE_ERRORS: tuple[type[Exception], ...] = (
    EOFError,
    zlib.error,
    _deflate.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
)


def open_gzip(raw: IO[bytes]) -> Any:
    """Open a gzip file for reading."""
    return _gzip_file(fileobj=raw, mode="rb")


def open_member(archive: zipfile.ZipFile, raw: IO[bytes], name: str) -> Any:
    """Open a member of the zip file `raw` for reading; while it is read, nothing else may read from `raw`."""
    info = archive.getinfo(name)
    if info.compress_type not in _UNPACKERS or info.flag_bits & _ENCRYPTED:
        return archive.open(info)  # stored, or an error that says why not
    return _Member(raw, info)


class _Deflated:
    """What zlib packed."""

    def __init__(self) -> None:
        self._inflate = _deflate.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return bool(self._inflate.eof)

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail

    def decompress(self, packed: bytes, most: int) -> bytes:
        found: bytes = self._inflate.decompress(packed or self._inflate.unconsumed_tail, most)
        return found


class _Lzma:
    """What LZMA packed, with the header that zip files put before it."""

    def __init__(self) -> None:
        self._head = b""
        self._unpack: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        return self._unpack is not None and self._unpack.eof

    @property
    def needs_input(self) -> bool:
        return self._unpack is None or self._unpack.needs_input

    def decompress(self, packed: bytes, most: int) -> bytes:
        if self._unpack is None:
            self._head += packed
            if len(self._head) < _LZMA_HEADER.size:
                return b""
            _, size, coded, dictionary = _LZMA_HEADER.unpack(self._head[: _LZMA_HEADER.size])
            if size != 5 or coded >= 9 * 5 * 5 or dictionary > _MOST_DICTIONARY:
                raise lzma.LZMAError("Unsupported LZMA header")
            filters = {
                "id": lzma.FILTER_LZMA1,
                "lc": coded % 9,
                "lp": coded // 9 % 5,
                "pb": coded // 45,
                "dict_size": max(dictionary, 4096),
            }
            self._unpack = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[filters])
            packed = self._head[_LZMA_HEADER.size :]
        return self._unpack.decompress(packed, most)


_LZMA_HEADER = struct.Struct("<2sHBI")  # version, size of what follows, and how it was packed
_MOST_DICTIONARY = 1 << 28  # bytes that unpacking holds
_UNPACKERS: dict[int, Callable[[], Any]] = {
    zipfile.ZIP_DEFLATED: _Deflated,
    zipfile.ZIP_BZIP2: bz2.BZ2Decompressor,
    zipfile.ZIP_LZMA: _Lzma,
}


class _Member:
    """One packed member of a zip file; what `zipfile` does, but for who inflates and how much at once."""

    def __init__(self, raw: IO[bytes], info: zipfile.ZipInfo) -> None:
        raw.seek(info.header_offset)
        header = raw.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise zipfile.BadZipFile(f"no header for {info.filename}")
        _, name, extra = _LOCAL_HEADER.unpack(header)
        raw.seek(name + extra, 1)
        self._raw = raw
        self._info = info
        self._left = info.compress_size
        self._check = self._done = 0
        self._unpack = _UNPACKERS[info.compress_type]()

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes; none are left if it returns none."""
        parts = []
        room = size
        while room and not self._ended():
            packed = b""
            if self._unpack.needs_input:
                packed = self._raw.read(min(_BLOCK, self._left))
                self._left -= len(packed)
            part = self._unpack.decompress(packed, room)  # also of nothing: it may hold back the end of a match
            if not packed and not part and not self._ended():
                raise EOFError(f"{self._info.filename} ends before its end")
            parts.append(part)
            room -= len(part)
            self._done += len(part)
        text = b"".join(parts)
        self._check = _deflate.crc32(text, self._check)
        if self._ended() and self._check != self._info.CRC:
            raise zipfile.BadZipFile(f"wrong checksum of {self._info.filename}")
        return text

    def _ended(self) -> bool:
        """Whether all is read; LZMA in a zip file need not mark its end, whose place the size tells."""
        unmarked = self._info.compress_type == zipfile.ZIP_LZMA and self._done >= self._info.file_size
        return unmarked or bool(self._unpack.eof)

    def __enter__(self) -> "_Member":
        return self

    def __exit__(self, *_: object) -> None:
        return None
