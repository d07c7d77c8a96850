"""
Parquet files as other libraries read them: pyarrow where it is installed, else fastparquet; and feather files.

Only what `liqcore.tables.parquet` does not read itself comes here, after its metadata have been checked there.
fastparquet is imported on first use, since it brings pandas.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from .column import Column
from .decimals import to_doubles

_FIXED_BYTES = 7  # types of the format, by number
_DECIMAL = 5


class Reader(Protocol):
    """Reads columns of a row group; whatever is wrong with a file is an exception of any kind."""

    def read(self, group: int, names: Sequence[str]) -> list[Column]: ...


class FastParquet:
    """What fastparquet reads."""

    def __init__(self, path: Path) -> None:
        import fastparquet

        self._path = path
        with path.open("rb") as file:
            self._file = fastparquet.ParquetFile(file)
        self._scales = {name: scale for name in self._file.columns if (scale := self._take_decimal(name)) is not None}

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
        with self._path.open("rb") as file:  # opened by path, fastparquet leaks the handle
            frame = self._file.read_row_group_file(row_group, list(names), None, index=False, infile=file)
        return [self._column(row_group, name, frame[name]) for name in names]

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


class PyArrow:
    """What pyarrow reads."""

    def __init__(self, arrow: ModuleType, path: Path) -> None:
        self._arrow = arrow
        self._path = path
        with arrow.parquet.ParquetFile(path):
            pass  # or it raises

    def read(self, group: int, names: Sequence[str]) -> list[Column]:
        with self._arrow.parquet.ParquetFile(self._path) as file:
            table = file.read_row_group(group, columns=list(names))
        return [_column_of(self._arrow, table.column(name).combine_chunks()) for name in names]


class Feather:
    """A feather file, held in memory: one row group."""

    def __init__(self, arrow: ModuleType, path: Path) -> None:
        from pyarrow import feather

        self._arrow = arrow
        self._table = feather.read_table(path)
        self.columns: list[str] = list(self._table.column_names)
        self.rows: int = self._table.num_rows

    def read(self, _group: int, names: Sequence[str]) -> list[Column]:
        return [_column_of(self._arrow, self._table.column(name).combine_chunks()) for name in names]


def _column_of(arrow: ModuleType, array: Any) -> Column:
    types = arrow.types
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    null = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    if types.is_timestamp(array.type):
        array = array.cast(arrow.timestamp("ns"))
    elif types.is_decimal(array.type):  # a cast straight to doubles multiplies with a power of ten
        return Column(array.cast(arrow.string()).cast(arrow.float64()).to_numpy(zero_copy_only=False), null)
    elif types.is_fixed_size_binary(array.type):
        return Column(array.to_numpy(zero_copy_only=False).astype(f"S{array.type.byte_width}"), null)
    if null is not None and (types.is_integer(array.type) or types.is_boolean(array.type)):
        array = array.fill_null(False if types.is_boolean(array.type) else 0)
    return Column(array.to_numpy(zero_copy_only=False), null)


def pyarrow_module() -> ModuleType | None:
    """Return pyarrow, or None where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        return None
    module: ModuleType = pyarrow
    return module
