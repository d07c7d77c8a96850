"""
Parquet files, read and written: the only module that knows fastparquet.

fastparquet is imported on first use, since it brings pandas. Columns that are stored plainly (numbers and booleans
without nulls, as the fast layout of docs/reference/formats.md has them) are unpacked straight into arrays; other ones
go through fastparquet's data frames; what that cannot read is left to pyarrow where it is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, Any, BinaryIO, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .decimals import to_doubles

Loaded = TypeVar("Loaded")


@dataclass(slots=True)
class Column:
    """
    One column of a row group.

    Attributes
    ----------
    values : ndarray
        Any dtype, bytes of one length among them (S16); what stands at a null is arbitrary.
    null : ndarray of bool or None
        Where nothing was stored; None: nowhere.
    """

    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None


class _Backend(Protocol):
    columns: list[str]
    group_rows: list[int]
    metadata: dict[str, str]

    def read(self, group: int, names: Sequence[str]) -> list[Column]: ...

    def ranges(self, name: str) -> list[tuple[Any, Any] | None]: ...


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
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            is_feather = file.read(4) in FEATHER
            file.seek(max(0, self.size - 4))
            if not is_feather and (self.size < 12 or file.read(4) != b"PAR1"):
                raise self.error("expected a complete Parquet file, found it truncated (no footer)")
        self._arrow = is_feather
        self._backend: _Backend
        try:
            self._backend = self._feather() if is_feather else _FastParquet(path)
        except DataError:
            raise
        except Exception as error:  # its parsers raise anything on bytes that they do not understand
            self._fall_back(error)
        self.columns = self._backend.columns
        self.group_rows = self._backend.group_rows
        self.metadata = self._backend.metadata

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
        try:
            return self._backend.read(group, names)
        except Exception as error:
            if self._arrow:
                raise self.error(f"cannot be read: {error}") from error
            self._fall_back(error)
        return self.read(group, names)

    def ranges(self, name: str) -> list[tuple[Any, Any] | None]:
        """Least and greatest value of a column in each row group, from the statistics in the footer."""
        return self._backend.ranges(name)

    def _feather(self) -> _Backend:
        arrow = _pyarrow()
        if arrow is None:
            raise self.error("a feather file: install pyarrow, which reads those")
        try:
            return _Feather(arrow, self.path)
        except Exception as error:
            raise self.error(f"expected a readable feather file, found it damaged ({error})") from error

    def _fall_back(self, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        arrow = _pyarrow()
        if arrow is None:
            raise self.error(f"fastparquet cannot read it ({reason}); install pyarrow, which may") from error
        try:
            self._backend = _Arrow(arrow, self.path)
        except Exception as second:
            raise self.error(f"expected a readable Parquet file, found it damaged ({second})") from error
        self._arrow = True


class _FastParquet:
    def __init__(self, path: Path) -> None:
        import fastparquet  # 0.4 s and 100 MB with pandas: only when a Parquet file is read

        self._path = path
        with path.open("rb") as file:
            self._file = fastparquet.ParquetFile(file)
        self.columns: list[str] = list(self._file.columns)
        self.group_rows = [int(group.num_rows) for group in self._file.row_groups]
        self.metadata: dict[str, str] = self._file.key_value_metadata
        self._scales = {name: scale for name in self.columns if (scale := self._take_decimal(name)) is not None}

    def _take_decimal(self, name: str) -> int | None:
        """
        Have the decimals of a column left as they are stored, and return their scale; None: it holds no decimals.

        fastparquet multiplies with a power of ten, which gives 63610.700000000004.
        """
        element = self._file.schema.schema_element([name])
        if element.converted_type != _DECIMAL:
            return None
        element.converted_type = element.logicalType = None
        self._file._base_dtype[name] = np.dtype("O")
        return int(element.scale or 0)

    def read(self, group: int, names: Sequence[str]) -> list[Column]:
        row_group = self._file.row_groups[group]
        found: dict[str, Column] = {}
        with self._path.open("rb") as file:  # opened by path, fastparquet leaks the handle
            for chunk in row_group.columns:
                (name, *nested) = chunk.meta_data.path_in_schema
                if name in names and not nested:
                    values = self._plain(file, name, chunk.meta_data, row_group.num_rows)
                    if values is not None:
                        found[name] = Column(values)
            rest = [name for name in names if name not in found]
            if rest:
                frame = self._file.read_row_group_file(row_group, rest, None, index=False, infile=file)
                found.update((name, self._column(row_group, name, frame[name])) for name in rest)
        return [found[name] for name in names]

    def _plain(self, file: IO[bytes], name: str, chunk: Any, rows: int) -> NDArray[Any] | None:
        """
        Unpack a plainly stored column straight into a new array; None: it is something else, or damaged.

        fastparquet unpacks into one buffer and copies that into another, which takes as long as unpacking itself.
        """
        dtype = _PLAIN_DTYPES.get(chunk.type)
        if dtype is None or self._file.dtypes.get(name) != dtype or not self._file.schema.is_required([name]):
            return None
        try:
            unpack = _unpacker(chunk.codec)
            if unpack is None:
                return None
            file.seek(chunk.data_page_offset)
            stored = np.fromfile(file, np.uint8, chunk.total_compressed_size)
            return _unpack_pages(stored, dtype, rows, unpack)
        except Exception:  # the readers of headers and of packed bytes raise anything
            return None

    def ranges(self, name: str) -> list[tuple[Any, Any] | None]:
        statistics = self._file.statistics
        pairs = zip(statistics["min"].get(name, []), statistics["max"].get(name, []), strict=True)
        found = [None if low is None or high is None else (low, high) for low, high in pairs]
        return found if len(found) == len(self.group_rows) else [None] * len(self.group_rows)

    def _column(self, row_group: Any, name: str, series: Any) -> Column:
        if series.dtype == "datetime64[s]":
            raise NotImplementedError(f"column {name} in datetime64[s]")  # some versions read it wrong
        null = series.isna().to_numpy()
        if series.dtype.kind == "f" and not self._may_hold_nulls(row_group, name):
            null = None  # what is missing is NaN itself
        elif not null.any():
            null = None
        if series.dtype.name == "category":
            series = series.astype(object)
        elif null is not None and series.dtype.kind in "iub":
            series = series.fillna(0)
        if getattr(series.dtype, "numpy_dtype", None) is not None:  # a nullable pandas dtype
            series = series.astype(series.dtype.numpy_dtype)
        if series.dtype.kind == "M" and getattr(series.dtype, "tz", None) is not None:
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        values = series.to_numpy()
        element = self._file.schema.schema_element([name])
        if name in self._scales:
            return Column(to_doubles(values, self._scales[name], element.type_length or 0), null)
        if values.dtype == object and element.type == _FIXED_BYTES and element.converted_type is None:
            values = values.astype(f"S{element.type_length}")
        values.flags.writeable = True  # pandas guards views of a frame; this frame is nobody else's
        return Column(values, null)

    def _may_hold_nulls(self, row_group: Any, name: str) -> bool:
        for chunk in row_group.columns:
            if chunk.meta_data.path_in_schema == [name]:
                count = getattr(chunk.meta_data.statistics, "null_count", None)
                if count is not None:
                    return bool(count)
        return not self._file.schema.is_required([name])


FEATHER = (b"ARRO", b"FEA1")  # how feather files begin
# The Parquet types, by number, whose plain values are those of numpy.
_PLAIN_DTYPES = {
    0: np.dtype(np.bool_),
    1: np.dtype(np.int32),
    2: np.dtype(np.int64),
    4: np.dtype(np.float32),
    5: np.dtype(np.float64),
}
_FIXED_BYTES = 7
_DECIMAL = 5
_DATA_PAGE = 0
_PLAIN = 0
_PADDING = 64  # fastparquet ends a page with eight bytes that are no values; a page is unpacked with them

_Bytes = NDArray[np.uint8]
_Unpack = Callable[[Any, Any], int]  # packed bytes, room for the others; returns how many these are


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


def _unpack_pages(stored: _Bytes, dtype: np.dtype[Any], rows: int, unpack: _Unpack) -> NDArray[Any] | None:
    """Unpack the pages of a column without nulls; None if they hold anything else than plain values."""
    from fastparquet.cencoding import NumpyIO, ThriftObject

    pages = NumpyIO(stored)
    room = np.empty(rows * dtype.itemsize + _PADDING, np.uint8)
    done = 0
    while done < rows:
        header = ThriftObject.from_buffer(pages, "PageHeader")
        values = header.data_page_header
        if header.type != _DATA_PAGE or values.encoding != _PLAIN:
            return None
        begin, length, count = pages.tell(), header.uncompressed_page_size, values.num_values
        page = stored[begin : begin + header.compressed_page_size]
        at = done * dtype.itemsize
        is_bool = dtype == np.bool_
        place = np.empty(length, np.uint8) if is_bool else room[at : at + length]
        if not 0 < count <= rows - done or len(place) != length or unpack(page, place) != length:
            return None
        if length * 8 < count * (1 if is_bool else dtype.itemsize * 8):
            return None
        if is_bool:
            room[at : at + count] = np.unpackbits(place, count=count, bitorder="little")
        pages.seek(header.compressed_page_size, 1)
        done += count
    return room[: rows * dtype.itemsize].view(dtype)


class _Arrow:
    def __init__(self, arrow: ModuleType, path: Path) -> None:
        self._arrow = arrow
        self._path = path
        with arrow.parquet.ParquetFile(path) as file:
            self.columns: list[str] = list(file.schema_arrow.names)
            self.group_rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            self._leaves = [file.schema.column(i).path for i in range(len(file.schema))]
            self._metadata = file.metadata
            self.metadata = {k.decode(): v.decode() for k, v in (file.metadata.metadata or {}).items()}

    def read(self, group: int, names: Sequence[str]) -> list[Column]:
        with self._arrow.parquet.ParquetFile(self._path) as file:
            table = file.read_row_group(group, columns=list(names))
        return [self._column(table.column(name).combine_chunks()) for name in names]

    def ranges(self, name: str) -> list[tuple[Any, Any] | None]:
        leaf = self._leaves.index(name)
        found: list[tuple[Any, Any] | None] = []
        for group in range(len(self.group_rows)):
            statistics = self._metadata.row_group(group).column(leaf).statistics
            known = statistics is not None and statistics.has_min_max
            found.append((statistics.min, statistics.max) if known else None)
        return found

    def _column(self, array: Any) -> Column:
        return _column_of(self._arrow, array)


class _Feather:
    """A feather file, held in memory: one row group."""

    def __init__(self, arrow: ModuleType, path: Path) -> None:
        from pyarrow import feather

        self._arrow = arrow
        self._table = feather.read_table(path)
        self.columns: list[str] = list(self._table.column_names)
        self.group_rows: list[int] = [self._table.num_rows]
        self.metadata: dict[str, str] = {}

    def read(self, _group: int, names: Sequence[str]) -> list[Column]:
        return [_column_of(self._arrow, self._table.column(name).combine_chunks()) for name in names]

    def ranges(self, _name: str) -> list[tuple[Any, Any] | None]:
        return [None]


def _column_of(arrow: ModuleType, array: Any) -> Column:
    types = arrow.types
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    null = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if types.is_timestamp(array.type):
        array = array.cast(arrow.timestamp("ns"))
    elif types.is_decimal(array.type):  # a cast multiplies with a power of ten
        return Column(np.array([np.nan if one is None else float(one) for one in array.to_pylist()]), null)
    elif types.is_fixed_size_binary(array.type):
        return Column(array.to_numpy(zero_copy_only=False).astype(f"S{array.type.byte_width}"), null)
    if null is not None and (types.is_integer(array.type) or types.is_boolean(array.type)):
        array = array.fill_null(False if types.is_boolean(array.type) else 0)
    return Column(array.to_numpy(zero_copy_only=False), null)


def _pyarrow() -> ModuleType | None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return None
    module: ModuleType = pyarrow
    return module


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

    The file stays open.
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


def read_table(file: BinaryIO, key: str, load: Callable[[Any, BinaryIO], Loaded]) -> tuple[str | None, Loaded | None]:
    """
    Read one text of an open file's metadata, None if it is not there, and what `load` makes of its table and the file.

    Raises
    ------
    Exception
        Of any kind if the file is damaged.
    """
    import fastparquet

    table = fastparquet.ParquetFile(file)
    text: str | None = table.key_value_metadata.get(key)
    return text, None if text is None else load(table, file)


def read_columns(table: Any, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read columns of a table that `read_table` opened."""
    frame = table.to_pandas(columns=list(columns))
    return {name: frame[name].to_numpy() for name in columns}


def read_groups(table: Any, groups: slice, columns: Sequence[str], file: BinaryIO) -> dict[str, NDArray[Any]]:
    """Read columns of some row groups straight into arrays: a data frame would take twice as long."""
    chosen = table.row_groups[groups]
    found = {name: np.empty(sum(group.num_rows for group in chosen), dtype=table.dtypes[name]) for name in columns}
    begin = 0
    for group in chosen:
        views = {name: values[begin : begin + group.num_rows] for name, values in found.items()}
        table.read_row_group_file(group, list(columns), None, index=False, assign=views, infile=file)
        begin += group.num_rows
    return found


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
