"""
Columns of Parquet files, a row group at a time: the only module here that knows fastparquet.

fastparquet is imported on first use, since it brings pandas. What it cannot read is left to pyarrow where that is
installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError


@dataclass(slots=True)
class Column:
    """
    One column of a row group.

    Attributes
    ----------
    values : ndarray
        Any dtype; what stands at a null is arbitrary.
    null : ndarray of bool or None
        Where nothing was stored; None: nowhere.
    """

    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None


class _Backend(Protocol):
    columns: list[str]
    group_rows: list[int]

    def read(self, group: int, names: Sequence[str]) -> list[Column]: ...

    def ranges(self, name: str) -> list[tuple[Any, Any] | None]: ...


class ParquetTable:
    """
    A Parquet file's columns.

    Attributes
    ----------
    path : Path
    size : int
        Bytes on disk.
    columns : list of str
    group_rows : list of int
        Rows of each row group.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, self.size - 4))
            if self.size < 12 or file.read(4) != b"PAR1":
                raise self.error("expected a complete Parquet file, found it truncated (no footer)")
        self._arrow = False
        self._backend: _Backend
        try:
            self._backend = _FastParquet(path)
        except Exception as error:  # its parsers raise anything on bytes that they do not understand
            self._fall_back(error)
        self.columns = self._backend.columns
        self.group_rows = self._backend.group_rows

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

    def read(self, group: int, names: Sequence[str]) -> list[Column]:
        row_group = self._file.row_groups[group]
        with self._path.open("rb") as file:  # opened by path, fastparquet leaks the handle
            frame = self._file.read_row_group_file(row_group, list(names), None, index=False, infile=file)
        return [self._column(row_group, name, frame[name]) for name in names]

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
        values.flags.writeable = True  # pandas guards views of a frame; this frame is nobody else's
        return Column(values, null)

    def _may_hold_nulls(self, row_group: Any, name: str) -> bool:
        for chunk in row_group.columns:
            if chunk.meta_data.path_in_schema == [name]:
                count = getattr(chunk.meta_data.statistics, "null_count", None)
                if count is not None:
                    return bool(count)
        return not self._file.schema.is_required([name])


class _Arrow:
    def __init__(self, arrow: ModuleType, path: Path) -> None:
        self._arrow = arrow
        self._path = path
        with arrow.parquet.ParquetFile(path) as file:
            self.columns: list[str] = list(file.schema_arrow.names)
            self.group_rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            self._leaves = [file.schema.column(i).path for i in range(len(file.schema))]
            self._metadata = file.metadata

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
        types = self._arrow.types
        if types.is_dictionary(array.type):
            array = array.dictionary_decode()
        null = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
        if types.is_timestamp(array.type):
            array = array.cast(self._arrow.timestamp("ns"))
        elif types.is_decimal(array.type):
            array = array.cast(self._arrow.float64())
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


_UNITS = ("s", "ms", "us", "ns")
_UNIT_FLOORS = (10**8, 10**11, 10**14, 10**17)
_UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def to_time(column: Column) -> tuple[NDArray[np.int64], NDArray[np.bool_], dict[str, int]]:
    """
    Bring a time column to nanoseconds since the UNIX epoch, its unit told by magnitude.

    Returns
    -------
    ts : ndarray of int64
    readable : ndarray of bool
    units : dict of str to int
        Readable rows by unit; more than one entry: the column mixes units, and ``ts`` is meaningless.

    Raises
    ------
    TypeError
        If the column holds neither numbers nor timestamps.
    """
    values = column.values
    readable = np.ones(len(values), np.bool_) if column.null is None else ~column.null
    if values.dtype.kind == "M":
        readable &= ~np.isnat(values)
        return values.astype("datetime64[ns]").astype(np.int64), readable, {"ns": int(readable.sum())}
    if values.dtype.kind not in "iuf":
        raise TypeError(f"{values.dtype} values")
    floors = np.asarray(_UNIT_FLOORS, values.dtype if values.dtype.itemsize == 8 else np.float64)
    if values.dtype.kind == "f":
        readable &= np.isfinite(values)
    elif values.dtype.kind == "u":
        readable &= values <= np.iinfo(np.int64).max
    readable &= values >= floors[0]
    seen = values[readable]
    if not len(seen):
        return np.zeros(len(values), np.int64), readable, {}
    low, high = (int(np.searchsorted(floors, edge, "right")) for edge in (seen.min(), seen.max()))
    if low != high:
        kinds, counts = np.unique(np.searchsorted(floors, seen, "right"), return_counts=True)
        return (
            np.zeros(len(values), np.int64),
            readable,
            {_UNITS[k - 1]: int(n) for k, n in zip(kinds, counts, strict=True)},
        )
    unit = _UNITS[low - 1]
    factor = _UNIT_NS[unit]
    readable &= values <= np.iinfo(np.int64).max // factor
    if values.dtype.kind == "f":  # a double holds a time of today to a quarter of a microsecond
        steps = np.where(readable, values, 0.0) * (factor / 1000 if factor >= 1000 else factor)
        ts = np.rint(steps).astype(np.int64) * (1000 if factor >= 1000 else 1)
    else:
        ts = np.where(readable, values, 0).astype(np.int64) * factor
    return ts, readable, {unit: int(readable.sum())}


def to_float(column: Column) -> NDArray[np.float64]:
    """
    Bring a column to doubles, NaN at nulls; float32 becomes the shortest decimal that it stands for (1.1, not
    1.10000002).

    Raises
    ------
    TypeError
        If it holds something else than numbers.
    """
    values = column.values
    if values.dtype.kind in "iu":
        result = values.astype(np.float64)
    elif values.dtype == np.float32:
        result = _shortest(values)
    elif values.dtype.kind == "f":
        result = np.ascontiguousarray(values, np.float64)
    elif values.dtype.kind in "OU" and all(isinstance(value, str) or value is None for value in values):
        try:
            result = np.array([np.nan if value is None else float(value) for value in values], np.float64)
        except ValueError as error:
            raise TypeError(str(error)) from error
    else:
        kind = type(values[0]).__name__ if values.dtype.kind == "O" and len(values) else str(values.dtype)
        raise TypeError(f"{kind} values")
    return result if column.null is None else np.where(column.null, np.nan, result)


def _shortest(values: NDArray[np.float32]) -> NDArray[np.float64]:
    result = values.astype(np.float64)
    open_ = np.isfinite(values)
    for decimals in range(10):
        if not open_.any():
            break
        candidate = np.rint(values[open_].astype(np.float64) * 10.0**decimals) / 10.0**decimals
        fits = candidate.astype(np.float32) == values[open_]
        places = np.flatnonzero(open_)[fits]
        result[places] = candidate[fits]
        open_[places] = False
    return result
