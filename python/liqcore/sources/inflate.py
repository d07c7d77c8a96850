"""Unpacking of zip members and gzip files: with isal where that is installed, else with zlib, which is slower."""

import gzip
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
    gzip.BadGzipFile,
    zipfile.BadZipFile,
)


def open_gzip(raw: IO[bytes]) -> Any:
    """Open a gzip file for reading."""
    return _gzip_file(fileobj=raw, mode="rb")


def open_member(archive: zipfile.ZipFile, raw: IO[bytes], name: str) -> Any:
    """Open a member of the zip file `raw` for reading; while it is read, nothing else may read from `raw`."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_DEFLATED or info.flag_bits & _ENCRYPTED:
        return archive.open(info)  # another method, or an error that says why not
    return _Member(raw, info)


class _Member:
    """One deflated member of a zip file; what `zipfile` does, with a choice of who inflates."""

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
        self._check = 0
        self._inflate = _deflate.decompressobj(-zlib.MAX_WBITS)

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes; none are left if it returns none."""
        parts = []
        room = size
        while room and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail
            if not packed:
                packed = self._raw.read(min(_BLOCK, self._left))
                self._left -= len(packed)
            part = self._inflate.decompress(packed, room)  # also of nothing: it may hold back the end of a match
            if not packed and not part and not self._inflate.eof:
                raise EOFError(f"{self._info.filename} ends before its end")
            parts.append(part)
            room -= len(part)
        text = b"".join(parts)
        self._check = _deflate.crc32(text, self._check)
        if self._inflate.eof and self._check != self._info.CRC:
            raise zipfile.BadZipFile(f"wrong checksum of {self._info.filename}")
        return text

    def __enter__(self) -> "_Member":
        return self

    def __exit__(self, *_: object) -> None:
        return None
