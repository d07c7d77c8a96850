"""
Parquet files as pyarrow reads them, where it is installed.

Only what `liqcore.tables.parquet` does not read itself comes here, after its metadata have been checked there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from .column import Column


class Reader(Protocol):
    """Reads columns of a row group; whatever is wrong with a file is an exception of any kind."""

    def read(self, group: int, names: Sequence[str]) -> list[Column]: ...


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
        return [column_of(self._arrow, table.column(name).combine_chunks()) for name in names]


def column_of(arrow: ModuleType, array: Any) -> Column:
    """Return the values of an array, and which are null."""
    types = arrow.types
    if types.is_dictionary(array.type):
        words = array.dictionary
        if str(words.type) == "string_view":  # which pyarrow does not take rows of
            words = words.cast(arrow.large_string())
        array = words.take(array.indices)
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
