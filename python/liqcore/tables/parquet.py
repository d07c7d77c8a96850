"""
Parquet files, read and written.

The metadata of a file are checked before anything is done with them. Columns that are stored plainly (numbers and
booleans without nulls, as the fast layout of docs/reference/formats.md and liqcore's own files have them) are unpacked
here, straight into arrays; other ones are left to pyarrow where it is installed, else to fastparquet.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError
from .column import Column
from .parquet_foreign import FastParquet, Feather, PyArrow, Reader, pyarrow_module
from .seal import END, add_seal, check_end

FEATHER = (b"ARRO", b"FEA1")  # how feather files begin


class ParquetTable:
    """
    The columns of a Parquet file, or with pyarrow of a feather file.

    Attributes
    ----------
    path : Path
    size : int
        Bytes on disk.
    columns : list of str
    group_rows : list of int
        Rows of each row group.
    metadata : dict of str to str
        What the writer said of the file.

    Raises
    ------
    DataError
        If it is truncated, or its metadata do not hold together.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._other: Reader | None = None
        self._second = False  # whether a column has pages of the second kind, which fastparquet reads wrong
        self._own: list[_core.ParquetGroup] = []
        with path.open("rb") as file:
            if file.read(4) in FEATHER:
                self._open_feather()
                return
            footer = read_footer(file, self.error)
        self._columns = {column.path: (i, column) for i, column in enumerate(footer.columns)}
        self._own = footer.groups
        self.columns = list(self._columns)
        self.group_rows = [group.rows for group in self._own]
        self.metadata = footer.metadata

    def error(self, text: str) -> DataError:
        """Make an error that names the file."""
        return DataError(f"{self.path.name}: {text}")

    def read(self, group: int, names: Sequence[str]) -> list[Column]:
        """
        Read columns of one row group.

        Raises
        ------
        DataError
            If the file is damaged, or needs pyarrow and that is not installed.
        """
        found: dict[str, Column] = {}
        if self._own:
            chunks, rows = self._own[group].chunks, self._own[group].rows
            with self.path.open("rb") as file:
                for name in dict.fromkeys(names):
                    place, column = self._columns[name]
                    values = self._plain(file, column, chunks[place], rows)
                    if values is not None:
                        found[name] = Column(values)
        rest = [name for name in dict.fromkeys(names) if name not in found]
        if rest:
            found.update(zip(rest, self._foreign(group, rest), strict=True))
        return [found[name] for name in names]

    def whole(self, names: Sequence[str], groups: slice = slice(None)) -> dict[str, NDArray[Any]]:
        """
        Read columns of numbers without nulls, of all row groups or some, into one array each.

        Raises
        ------
        DataError
            As `read` does, and if a column is missing or holds nulls.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise self.error(f"no column {missing[0]}")
        parts: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
        for group in range(len(self.group_rows))[groups]:
            for name, column in zip(names, self.read(group, names), strict=True):
                if column.null is not None:
                    raise self.error(f"nulls in column {name}")
                parts[name].append(column.values)
        return {name: np.concatenate(found) if found else np.empty(0) for name, found in parts.items()}

    def ranges(self, name: str) -> list[tuple[Any, Any] | None]:
        """Least and greatest value of a column in each row group, from the statistics in the footer."""
        if not self._own:
            return [None] * len(self.group_rows)
        place, column = self._columns[name]
        chunks = [group.chunks[place] for group in self._own]
        return [_range(column, chunk.least, chunk.greatest) for chunk in chunks]

    def _open_feather(self) -> None:
        arrow = pyarrow_module()
        if arrow is None:
            raise self.error("a feather file: install pyarrow, which reads those")
        try:
            table = Feather(arrow, self.path)
        except Exception as error:
            raise self.error(f"expected a readable feather file, found it damaged ({error})") from error
        self.columns, self.group_rows, self.metadata = table.columns, [table.rows], {}
        self._other = table

    def _plain(
        self, file: IO[bytes], column: _core.ParquetColumn, chunk: _core.ParquetChunk, rows: int
    ) -> NDArray[Any] | None:
        """Unpack a plainly stored column; None: it is something else. Every chunk's pages are checked here first."""
        file.seek(chunk.begin)
        stored = np.fromfile(file, np.uint8, chunk.size)
        try:
            pages = _core.parquet_pages(stored.data, chunk)
        except DataError as error:
            raise self.error(f"column {column.path}: {error}") from None
        for page in pages:
            if (
                page.checksum is not None
                and zlib.crc32(stored.data[page.begin : page.begin + page.size]) != page.checksum
            ):
                raise self.error(f"column {column.path} is damaged (wrong checksum)")
        self._second = self._second or any(page.kind == _DATA_PAGE_V2 for page in pages)
        kind = _PLAIN.get((column.type, column.converted))
        unpack = _unpacker(chunk.codec)
        if kind is None or unpack is None or not column.required or column.time_digits:
            return None
        if any(page.kind != _DATA_PAGE or page.encoding != _PLAIN_ENCODING for page in pages):
            return None
        try:
            values = _unpacked(stored, pages, np.dtype(_STORED[column.type]), rows, unpack)
        except Exception as error:  # the unpackers raise anything
            raise self.error(f"column {column.path} is damaged ({error})") from error
        return values if values.dtype == kind else values.astype(kind)

    def _foreign(self, group: int, names: Sequence[str]) -> list[Column]:
        """Have columns read by another library."""
        arrow = pyarrow_module()
        if arrow is None and self._second:
            raise self.error("it has data pages of version 2: install pyarrow, which reads those")
        try:
            if self._other is None:
                self._other = FastParquet(self.path) if arrow is None else PyArrow(arrow, self.path)
            columns = self._other.read(group, names)
        except Exception as error:  # their parsers raise anything on bytes that they do not understand
            reason = f"{type(error).__name__}: {error}"
            helps = "; install pyarrow, which may" if arrow is None else ""
            raise self.error(f"{'pyarrow' if arrow else 'fastparquet'} cannot read it ({reason}){helps}") from error
        for name, column in zip(names, columns, strict=True):
            if len(column.values) != self.group_rows[group]:
                raise self.error(
                    f"expected {self.group_rows[group]:,} values of column {name} in row group {group}, found "
                    f"{len(column.values):,}"
                )
        return columns


# Types of the format, by number: as they are stored, and with what `converted` says as they are meant (-1: nothing).
_STORED = {0: "?", 1: "<i4", 2: "<i8", 4: "<f4", 5: "<f8"}
_PLAIN = {(kind, -1): np.dtype(name) for kind, name in _STORED.items()}
_PLAIN |= {
    (1, number): np.dtype(name)
    for number, name in ((11, "u1"), (12, "u2"), (13, "u4"), (15, "i1"), (16, "i2"), (17, "i4"))
}
_PLAIN |= {(2, 14): np.dtype("u8"), (2, 18): np.dtype("i8")}
_DATA_PAGE = 0
_DATA_PAGE_V2 = 2
_PLAIN_ENCODING = 0
_PADDING = 64  # fastparquet ends a page with eight bytes that are no values; a page is unpacked with them

_Bytes = NDArray[np.uint8]
_Unpack = Callable[[Any, Any], int]  # packed bytes, room for the others; returns how many these are


def read_footer(file: IO[bytes], error: Callable[[str], DataError]) -> _core.ParquetFooter:
    """
    Read and check the metadata of an open file.

    Raises
    ------
    DataError
        What `error` makes of what is wrong.
    """
    size = file.seek(0, os.SEEK_END)
    begin = check_end(file, size)
    if begin is None:
        raise error("expected a complete Parquet file, found it truncated (no footer)")
    file.seek(begin)
    try:
        return _core.parquet_footer(file.read(size - len(END) - 4 - begin), begin)
    except DataError as why:
        raise error(f"expected a readable Parquet file, found it damaged ({why})") from None


def _range(column: _core.ParquetColumn, least: bytes | None, greatest: bytes | None) -> tuple[Any, Any] | None:
    kind = _STORED.get(column.type)
    if kind is None or least is None or greatest is None:
        return None
    dtype = np.dtype(kind)
    if len(least) != dtype.itemsize or len(greatest) != dtype.itemsize:
        return None
    low, high = (np.frombuffer(stored, dtype)[0] for stored in (least, greatest))
    meant = _PLAIN.get((column.type, column.converted), dtype)
    return low.astype(meant), high.astype(meant)


def _unpacker(codec: int) -> _Unpack | None:
    """Return what unpacks a page of a codec, by number, into a buffer; it releases the GIL meanwhile."""
    import cramjam  # what fastparquet unpacks with

    unpackers: dict[int, _Unpack] = {
        0: _copy,
        1: cramjam.snappy.decompress_raw_into,
        6: cramjam.zstd.decompress_into,
        7: cramjam.lz4.decompress_block_into,
    }
    return unpackers.get(codec)


def _copy(page: _Bytes, room: _Bytes) -> int:
    room[:] = page
    return len(page)


def _unpacked(
    stored: _Bytes, pages: Sequence[_core.ParquetPage], dtype: np.dtype[Any], rows: int, unpack: _Unpack
) -> NDArray[Any]:
    """
    Unpack the pages of a column without nulls into a new array.

    fastparquet unpacks into one buffer and copies that into another, which takes as long as unpacking itself.
    """
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


def write_table(
    file: IO[bytes],
    path: str | os.PathLike[str],
    columns: Any,
    *,
    stats: Sequence[str],
    metadata: Mapping[str, str],
    compression: str = "ZSTD",
    row_group_offsets: Sequence[int] | None = None,
) -> None:
    """
    Write columns without nulls, a mapping of names to arrays, to an open file; `path` is what it is called.

    The file must be readable too, and stays open. It carries checksums: see `liqcore.tables.seal`.
    """
    import fastparquet
    import pandas as pd

    fastparquet.write(
        os.fspath(path),
        pd.DataFrame(columns, copy=False),
        compression=compression,
        row_group_offsets=None if row_group_offsets is None else list(row_group_offsets),
        write_index=False,
        has_nulls=False,
        stats=list(stats),
        custom_metadata=dict(metadata),
        open_with=lambda *_: _KeepOpen(file),
    )
    footer = read_footer(file, DataError)
    parts = [
        (column.path, chunk.begin, chunk.size)
        for group in footer.groups
        for column, chunk in zip(footer.columns, group.chunks, strict=True)
    ]
    add_seal(file, parts)


class _KeepOpen:
    """A file that its writer may close while it stays open here."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _KeepOpen:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def close(self) -> None:
        """Leave it open."""
