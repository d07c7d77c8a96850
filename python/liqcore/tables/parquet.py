"""
Parquet files, read and written.

The metadata of a file are checked before anything is done with them, and what is common in them is read here, whatever
else is installed (`liqcore.tables.parquet_values`); the rest is left to pyarrow. fastparquet only writes.
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
from ..words.limits import ALWAYS_UNPACKED, limits
from .column import Column
from .feather import FEATHER, Feather
from .parquet_foreign import PyArrow, Reader, pyarrow_module
from .parquet_values import MEANT, STORED, read_values, unreadable
from .seal import END, add_seal, check_end


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
        self._limits = limits()
        self._other: Reader | None = None
        self._own: list[_core.ParquetGroup] = []
        with path.open("rb") as file:
            if file.read(4) in FEATHER:
                self._open_feather()
                return
            footer = read_footer(file, self.error)
        self._columns = {column.path: (i, column) for i, column in enumerate(footer.columns)}
        if len(self._columns) < len(footer.columns):
            raise self.error("expected columns of different names, found some twice")
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
        rest = dict.fromkeys(names, "")
        if self._own:
            chunks = self._own[group].chunks
            with self.path.open("rb") as file:
                for name in dict.fromkeys(names):
                    place, stored = self._columns[name]
                    column, rest[name] = self._own_values(file, stored, chunks[place])
                    if column is not None:
                        found[name] = column
                        del rest[name]
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
        return {
            name: found[0] if len(found) == 1 else np.concatenate(found) if found else np.empty(0)
            for name, found in parts.items()
        }

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
            table = Feather(arrow, self.path, self.error)
        except (DataError, MemoryError):
            raise
        except Exception as error:
            raise self.error(f"expected a readable feather file, found it damaged ({error})") from error
        self.columns, self.group_rows, self.metadata = table.columns, [table.rows], {}
        self._other = table

    def _own_values(
        self, file: IO[bytes], column: _core.ParquetColumn, chunk: _core.ParquetChunk
    ) -> tuple[Column | None, str]:
        """Read a column here, or say why that is not done. Every chunk's pages are checked here first."""
        self._refuse_large(column, chunk)
        file.seek(chunk.begin)
        stored = np.fromfile(file, np.uint8, chunk.size)
        try:
            pages = _core.parquet_pages(stored.data, chunk)
            for page in pages:
                contents = stored.data[page.begin : page.begin + page.size]
                if page.checksum is not None and zlib.crc32(contents) != page.checksum:
                    raise DataError("wrong checksum")
            if why := unreadable(column, chunk, pages):
                return None, why
            return read_values(stored, column, chunk, pages), ""
        except MemoryError:
            raise
        except Exception as error:  # the unpackers raise anything
            raise self.error(f"column {column.path} is damaged ({error})") from error

    def _refuse_large(self, column: _core.ParquetColumn, chunk: _core.ParquetChunk) -> None:
        """Refuse what would take a multiple of the file that no trades do, before any of it is held."""
        need = max(chunk.unpacked, _ROW_BYTES * chunk.values)
        if need > max(self._limits.unpacked * self.size, ALWAYS_UNPACKED):
            raise self.error(
                f"column {column.path} unpacks to over {self._limits.unpacked:,} times the size of the file "
                "(limits.unpacked)"
            )

    def _foreign(self, group: int, reasons: Mapping[str, str]) -> list[Column]:
        """Have columns read by pyarrow; `reasons`, by name: why not here."""
        arrow = pyarrow_module()
        if arrow is None:
            name, why = next(iter(reasons.items()))
            raise self.error(f"column {name} holds {why}: install pyarrow, which reads those")
        try:
            if self._other is None:
                self._other = PyArrow(arrow, self.path)
            columns = self._other.read(group, list(reasons))
        except DataError:
            raise
        except Exception as error:  # its parsers raise anything on bytes that they do not understand
            raise self.error(f"pyarrow cannot read it ({type(error).__name__}: {error})") from error
        for name, column in zip(reasons, columns, strict=True):
            if len(column.values) != self.group_rows[group]:
                raise self.error(
                    f"expected {self.group_rows[group]:,} values of column {name} in row group {group}, found "
                    f"{len(column.values):,}"
                )
        return columns


_ROW_BYTES = 8  # of most values, and of the reference to any other


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
    held = limits()
    if size - begin > held.header << 20:
        raise error(f"expected metadata of at most {held.header:,} MiB (limits.header), found more")
    file.seek(begin)
    try:
        return _core.parquet_footer(
            file.read(size - len(END) - 4 - begin), begin, columns=held.columns, groups=held.groups
        )
    except DataError as why:
        raise error(f"expected a readable Parquet file, found it damaged ({why})") from None


def _range(column: _core.ParquetColumn, least: bytes | None, greatest: bytes | None) -> tuple[Any, Any] | None:
    kind = STORED.get(column.type)
    if kind is None or least is None or greatest is None:
        return None
    dtype = np.dtype(kind)
    if len(least) != dtype.itemsize or len(greatest) != dtype.itemsize:
        return None
    low, high = (np.frombuffer(stored, dtype)[0] for stored in (least, greatest))
    meant = MEANT.get((column.type, column.converted), dtype)
    return low.astype(meant), high.astype(meant)


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
