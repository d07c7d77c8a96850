"""
The values of a Parquet column out of its pages: plain ones, and those that name a place in a dictionary.

What is read: booleans, integers, floats, decimals, timestamps and dates, text and bytes, with or without nulls, in
pages of both versions, unpacked, or packed with any codec but LZO and the old LZ4. All sizes, counts and places are
checked; what does not hold together is a ValueError or DataError.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .column import Column
from .decimals import to_doubles

_Bytes = NDArray[np.uint8]
_Unpack = Callable[[Any, Any], int]  # packed bytes, room for the others; returns how many these are

# Numbers of the format.
_BOOLEAN, _INT32, _INT64, _INT96, _BYTES, _FIXED = 0, 1, 2, 3, 6, 7
STORED = {_BOOLEAN: "?", _INT32: "<i4", _INT64: "<i8", 4: "<f4", 5: "<f8"}
MEANT = {
    (_INT32, 11): "u1", (_INT32, 12): "u2", (_INT32, 13): "u4", (_INT32, 15): "i1", (_INT32, 16): "i2",
    (_INT64, 14): "u8",
}  # fmt: skip
"""What integers are, by type and converted type, where that is not how they are stored."""

_DECIMAL, _DATE, _CLOCKS, _MILLIS, _MICROS = 5, 6, (7, 8), 9, 10  # converted types
_PLAIN, _OLD_DICTIONARY, _RUNS, _DICTIONARY = 0, 2, 3, 8
_DATA, _DICTIONARY_PAGE, _DATA_V2 = 0, 1, 2
_ENCODINGS = {4: "packed bits", 5: "deltas", 6: "deltas of lengths", 7: "deltas of text", 9: "split bytes"}
_CODECS = {3: "LZO", 5: "the old LZ4"}
_TIMES = np.dtype("datetime64[ns]")
_PADDING = 64  # fastparquet ends a page with eight bytes that are no values; a page is unpacked with them
_DAY_NS = 86_400 * 10**9
_JULIAN_1970 = 2_440_588


def unreadable(column: _core.ParquetColumn, chunk: _core.ParquetChunk, pages: Sequence[_core.ParquetPage]) -> str:
    """Say what of a column is not read here; empty: nothing."""
    if column.repeated:
        return "lists"
    if column.converted in _CLOCKS or (column.type == _FIXED and not column.length):
        return "values of its type"
    if chunk.codec in _CODECS:
        return f"what is packed with {_CODECS[chunk.codec]}"
    for page in pages:
        known = (_PLAIN, _RUNS) if column.type == _BOOLEAN else (_PLAIN, _OLD_DICTIONARY, _DICTIONARY)
        if page.kind != _DICTIONARY_PAGE and page.encoding not in known:
            return f"{_ENCODINGS.get(page.encoding, 'values')} (encoding {page.encoding})"
        if page.kind == _DATA and column.levels and page.level_encoding != _RUNS:
            return "packed levels"
    return ""


def read_values(
    stored: _Bytes, column: _core.ParquetColumn, chunk: _core.ParquetChunk, pages: Sequence[_core.ParquetPage]
) -> Column:
    """
    Read the values of a column in one row group, of which nothing is `unreadable`.

    Raises
    ------
    ValueError, DataError, or what the unpackers raise
        If the pages are damaged.
    """
    unpack = _unpacker(chunk.codec)
    if _is_fast(column, pages):
        numbers = _unpacked(stored, pages, np.dtype(STORED[column.type]), chunk.values, unpack)
        return Column(_meant(numbers, column))
    values = np.empty(chunk.values, _dtype(column))
    null = np.zeros(chunk.values, np.bool_)
    known: NDArray[Any] | None = None
    at = 0
    for page in pages:
        body = _body(stored, page, unpack)
        if page.kind == _DICTIONARY_PAGE:
            known = _plain(body, column, page.values)
            continue
        rows = slice(at, at + page.values)
        at += page.values
        present, body = _levels(stored, body, page, column)
        count = page.values if present is None else int(np.count_nonzero(present))
        if page.kind == _DATA_V2 and count != page.values - page.nulls:
            raise ValueError("a page with another number of nulls than said")
        if present is None:
            _fill(values[rows], body, page, column, known)
            continue
        found = np.empty(count, values.dtype)
        _fill(found, body, page, column, known)
        values[rows][present] = found
        values[rows][~present] = _nothing(values.dtype)
        null[rows] = ~present
    return Column(values, null if null.any() else None)


def _is_fast(column: _core.ParquetColumn, pages: Sequence[_core.ParquetPage]) -> bool:
    """Whether it is in the fast layout of docs/reference/formats.md, as liqcore's own files are."""
    plain = all(page.kind == _DATA and page.encoding == _PLAIN for page in pages)
    return plain and not column.levels and column.type in STORED


def _dtype(column: _core.ParquetColumn) -> np.dtype[Any]:
    if column.converted == _DECIMAL:
        return np.dtype(np.float64)
    if _is_time(column):
        return _TIMES
    if column.type == _BYTES or (column.type == _FIXED and column.is_text):
        return np.dtype(object)
    if column.type == _FIXED:
        return np.dtype(f"S{column.length}")
    return np.dtype(MEANT.get((column.type, column.converted), STORED[column.type]))


def _is_time(column: _core.ParquetColumn) -> bool:
    """Whether it holds dates or times of day and date."""
    return (
        column.type == _INT96
        or (column.type == _INT64 and (column.time_digits > 0 or column.converted in (_MILLIS, _MICROS)))
        or (column.type == _INT32 and column.converted == _DATE)
    )


def _nothing(dtype: np.dtype[Any]) -> Any:
    """What stands at a null."""
    return None if dtype.kind == "O" else np.zeros((), dtype)


def _meant(numbers: NDArray[Any], column: _core.ParquetColumn) -> NDArray[Any]:
    """Make stored numbers what they mean."""
    if column.converted == _DECIMAL:
        return to_doubles(numbers, column.scale)
    if _is_time(column):
        digits = column.time_digits or (3 if column.converted == _MILLIS else 6)
        return _times(numbers.astype(np.int64), _DAY_NS if column.converted == _DATE else 10 ** (9 - digits))
    return numbers.astype(_dtype(column), copy=False)


def _times(counts: NDArray[np.int64], unit: int) -> NDArray[Any]:
    """Times of a count of `unit` nanoseconds; none where 64 bits do not hold it."""
    most = np.iinfo(np.int64).max // unit
    held = (counts > -most) & (counts < most)
    return np.where(held, np.where(held, counts, 0) * unit, _NO_TIME).view(_TIMES)


_NO_TIME = np.iinfo(np.int64).min


def _plain(body: _Bytes, column: _core.ParquetColumn, count: int) -> NDArray[Any]:
    """Values that stand one after another."""
    if column.type == _BYTES:
        words: list[Any] = _core.parquet_words(body.data, count)
        return _said(words, column)
    if column.type == _BOOLEAN:
        if len(body) * 8 < count:
            raise ValueError("values end early")
        return np.unpackbits(body, count=count, bitorder="little").view(np.bool_)
    size = {_INT96: 12, _FIXED: column.length}.get(column.type) or np.dtype(STORED[column.type]).itemsize
    if len(body) // size < count:
        raise ValueError("values end early")
    body = body[: count * size]
    if column.type == _INT96:
        parts = body.view([("ns", "<i8"), ("day", "<i4")])
        days = _times(parts["day"].astype(np.int64) - _JULIAN_1970, _DAY_NS)
        if count and not np.all((parts["ns"] >= 0) & (parts["ns"] < _DAY_NS)):
            raise ValueError("a time of day beyond its end")
        found: NDArray[Any] = days + parts["ns"].astype("m8[ns]")
        return found
    if column.type == _FIXED:
        if column.converted == _DECIMAL or column.is_text:
            return _said([bytes(body[at : at + size]) for at in range(0, count * size, size)], column)
        return body.view(f"S{size}")
    return _meant(body.view(STORED[column.type]), column)


def _said(words: list[Any], column: _core.ParquetColumn) -> NDArray[Any]:
    if column.converted == _DECIMAL:
        return to_doubles(words, column.scale)
    out = np.empty(len(words), object)
    out[:] = [word.decode() for word in words] if column.is_text else words
    return out


def _fill(
    out: NDArray[Any],
    body: _Bytes,
    page: _core.ParquetPage,
    column: _core.ParquetColumn,
    known: NDArray[Any] | None,
) -> None:
    """Put the values of a page that are no nulls where they belong."""
    if page.encoding == _PLAIN:
        out[:] = _plain(body, column, len(out))
        return
    numbers = np.empty(len(out), np.uint32)
    if page.encoding == _RUNS:
        _core.parquet_runs(_sized(body)[0].data, 1, 2, numbers)
        out[:] = numbers
        return
    if known is None:
        raise ValueError("places in a dictionary that is not there")
    if len(out):
        if not len(body):
            raise ValueError("values end early")
        _core.parquet_runs(body[1:].data, int(body[0]), len(known), numbers)
        np.take(known, numbers, out=out, mode="clip")  # each lies below the length, as was checked


def _body(stored: _Bytes, page: _core.ParquetPage, unpack: _Unpack) -> _Bytes:
    """Return what a page holds, unpacked, without the levels that pages of version 2 have in front of that."""
    levels = page.repetition_bytes + page.definition_bytes if page.kind == _DATA_V2 else 0
    packed = stored[page.begin + levels : page.begin + page.size]
    if page.kind == _DATA_V2 and not page.is_packed:
        unpack = _copy
    room = np.empty(page.unpacked - levels, np.uint8)
    if (len(packed) or len(room)) and unpack(packed, room) != len(room):
        raise ValueError("a page of another size than said")
    return room


def _levels(
    stored: _Bytes, body: _Bytes, page: _core.ParquetPage, column: _core.ParquetColumn
) -> tuple[NDArray[np.bool_] | None, _Bytes]:
    """Return where values are, None for everywhere, and what follows the levels that say so."""
    if page.kind == _DATA_V2:
        if page.repetition_bytes:
            raise ValueError("levels of a list")
        levels = stored[page.begin : page.begin + page.definition_bytes]
    elif column.levels:
        levels, body = _sized(body)
    if not column.levels:
        return None, body
    found = np.empty(page.values, np.uint32)
    if _core.parquet_runs(levels.data, column.levels.bit_length(), column.levels + 1, found) != len(levels):
        raise ValueError("more levels than values")
    present = found == column.levels
    return (None if present.all() else present), body


def _sized(body: _Bytes) -> tuple[_Bytes, _Bytes]:
    """Return what stands behind its size in four bytes, and what follows."""
    size = int.from_bytes(body[:4], "little")
    if len(body) < 4 or size > len(body) - 4:
        raise ValueError("values end early")
    return body[4 : 4 + size], body[4 + size :]


def _unpacker(codec: int) -> _Unpack:
    """Return what unpacks a page of a codec, by number, into a buffer; it releases the GIL meanwhile."""
    import cramjam

    unpackers: dict[int, _Unpack] = {
        0: _copy,
        1: cramjam.snappy.decompress_raw_into,
        2: cramjam.gzip.decompress_into,
        4: cramjam.brotli.decompress_into,
        6: cramjam.zstd.decompress_into,
        7: cramjam.lz4.decompress_block_into,
    }
    return unpackers[codec]


def _copy(page: _Bytes, room: _Bytes) -> int:
    if len(page) == len(room):
        room[:] = page
    return len(page)


def _unpacked(
    stored: _Bytes, pages: Sequence[_core.ParquetPage], dtype: np.dtype[Any], rows: int, unpack: _Unpack
) -> NDArray[Any]:
    """Unpack the pages of a plain column without nulls straight into a new array, which is the fastest."""
    is_bool = dtype == np.bool_
    room = np.empty(rows * dtype.itemsize + _PADDING, np.uint8)
    done = 0
    for page in pages:
        count, length = page.values, page.unpacked
        at = done * dtype.itemsize
        place = np.empty(length, np.uint8) if is_bool else room[at : at + length]
        if length * 8 < count * (1 if is_bool else dtype.itemsize * 8) or len(place) != length:
            raise ValueError("a page of another size than its values")
        if unpack(stored[page.begin : page.begin + page.size], place) != length:
            raise ValueError("a page of another size than said")
        if is_bool:
            room[at : at + count] = np.unpackbits(place, count=count, bitorder="little")
        done += count
    return room[: rows * dtype.itemsize].view(dtype)
