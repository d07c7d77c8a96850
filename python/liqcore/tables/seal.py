"""
Checksums in a Parquet file that liqcore wrote: a block between its pages and its footer, which other readers pass over.

The block is JSON (``columns``: name, first byte, number of bytes and CRC-32C of each column in each row group;
``footer``: that of the footer), the length of that and its own CRC-32C (four bytes each, little-endian), and a mark.
Every byte of a file is thereby covered, so that whatever was changed is found before a byte is interpreted.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterable
from typing import IO, Any

from .. import _core
from ..errors import DataError

MARK = b"LIQSEAL1"
END = b"PAR1"
_START = b"PAR1"
_TAIL = struct.Struct("<II8s")  # length of the JSON, its checksum, the mark
_PIECE = 1 << 23
_SEARCHED = 1 << 20  # bytes before the end in which a mark would lie whose place is not where it should be

VERIFY = ("all", "header")


def check_end(file: IO[bytes], size: int) -> int | None:
    """Return where the footer of an open file begins; None: it has none."""
    if size < len(_START) + 4 + len(END):
        return None
    file.seek(size - 8)
    length, end = struct.unpack("<I4s", file.read(8))
    begin = size - 8 - int(length)
    return begin if end == END and begin >= len(_START) else None


def add_seal(file: IO[bytes], parts: Iterable[tuple[str, int, int]]) -> None:
    """Add checksums to a file that is open for both; `parts`: name, first byte and size of each column."""
    size = file.seek(0, os.SEEK_END)
    begin = check_end(file, size)
    assert begin is not None, "a file that was just written has a footer"
    columns: list[tuple[str, int, int, int]] = []
    at = len(_START)
    for name, first, length in sorted(parts, key=_place):
        assert first == at, f"bytes before column {name} that no checksum covers"
        columns.append((name, first, length, _checksum(file, first, length)))
        at = first + length
    assert at == begin, "bytes before the footer that no checksum covers"
    file.seek(begin)
    footer = file.read()
    text = json.dumps({"columns": columns, "footer": _core.crc32c(footer)}).encode()
    file.seek(begin)
    file.write(text + _TAIL.pack(len(text), _core.crc32c(text), MARK) + footer)


def check_seal(file: IO[bytes], verify: str, error: Callable[[str], DataError]) -> bool:
    """
    Check an open file against its checksums: ``verify="all"`` of it, or the ``"header"``, which is all but the columns.

    Returns
    -------
    bool
        Whether it carries any.

    Raises
    ------
    DataError
        What `error` makes of the part that is damaged.
    """
    size = file.seek(0, os.SEEK_END)
    begin = check_end(file, size)
    if begin is None:
        raise error("its end is missing or damaged")
    said = _seal_before(file, begin)
    if said is None:
        file.seek(max(0, size - _SEARCHED))
        if MARK in file.read():
            raise error("its checksums are damaged, or the length of its footer is")
        return False
    columns, footer, end = said
    if _checksum(file, begin, size - begin) != footer:
        raise error("its footer is damaged")
    file.seek(0)
    if file.read(len(_START)) != _START:
        raise error("its start is damaged")
    at = len(_START)
    for name, first, length, checksum in columns:
        if first != at or length < 0 or length > end - at:
            raise error("its checksums are damaged")
        at += length
        if verify == "all" and _checksum(file, first, length) != checksum:
            raise error(f"column {name} is damaged")
    if at != end:
        raise error("its checksums are damaged")
    return True


def _seal_before(file: IO[bytes], begin: int) -> tuple[list[Any], int, int] | None:
    """What the block before a footer says, and where it begins; None: there is none, or it is damaged."""
    if begin < len(_START) + _TAIL.size:
        return None
    file.seek(begin - _TAIL.size)
    length, checksum, mark = _TAIL.unpack(file.read(_TAIL.size))
    place = begin - _TAIL.size - length
    if mark != MARK or place < len(_START):
        return None
    file.seek(place)
    text = file.read(length)
    if _core.crc32c(text) != checksum:
        return None
    said = json.loads(text)
    return said["columns"], said["footer"], place


def _checksum(file: IO[bytes], begin: int, size: int) -> int:
    checksum = 0
    file.seek(begin)
    while size > 0:
        piece = file.read(min(size, _PIECE))
        if not piece:
            return -1  # which no part has
        checksum = _core.crc32c(piece, checksum)
        size -= len(piece)
    return checksum


def _place(part: tuple[str, int, int]) -> int:
    return part[1]
