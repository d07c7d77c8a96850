"""
Arrays handed out as tables, through Arrow's PyCapsule interface: no Arrow library is imported.

`liqcore.sources.tables` reads such tables; docs/how-to/arrow.md says what is copied and what is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core

Given = NDArray[Any] | Sequence[str]
"""A column."""

Exported = tuple[Mapping[str, Given], Mapping[str, str]]
"""Columns by name, and the schema's metadata: what `export_table` takes."""

_FORMATS = {"b1": "b", "i1": "c", "u1": "C", "i2": "s", "u2": "S", "i4": "i", "u4": "I", "i8": "l", "u8": "L",
            "f4": "f", "f8": "g"}  # fmt: skip


def export_table(columns: Mapping[str, Given], metadata: Mapping[str, str] | None = None) -> object:
    """
    Hand arrays out as a table: what an ``__arrow_c_stream__`` returns, a stream of one batch.

    C-contiguous arrays are not copied, and live until the receiver releases the last column; they must not be written
    to from then on. Others are made contiguous first; bool is packed into bits, as Arrow has it.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Numbers or bool of shape (n,), or numbers of shape (n, k), which become fixed-size lists; all of one n.
        datetime64[ns] becomes a timestamp of that unit in UTC. Sequences of str become text.
    metadata : mapping of str to str, optional
        Of the schema.

    Returns
    -------
    PyCapsule

    Raises
    ------
    ValueError
        If lengths differ, or a type is none of those.

    Examples
    --------
    >>> import numpy as np
    >>> import liqcore as lq
    >>> class Table:
    ...     def __arrow_c_stream__(self, requested_schema=None):
    ...         ts = np.array([1_781_222_400_000_000_000], "datetime64[ns]")
    ...         return export_table({"ts": ts, "mark_price": np.array([63_605.5])})
    >>> lq.arrow.read_marks(Table())
    (array([1781222400000000000]), array([63605.5]))
    """
    return _core.arrow_stream(*_exported(columns, metadata))


def export_schema(columns: Mapping[str, Given], metadata: Mapping[str, str] | None = None) -> object:
    """Hand out the schema that `export_table` would, as a PyCapsule: what an ``__arrow_c_schema__`` returns."""
    return _core.arrow_schema(*_exported(columns, metadata))


class ArrowTable:
    """What is handed out as an Arrow table; the class that inherits from it says in `_table` which columns."""

    __slots__ = ()

    def _table(self) -> Exported:
        raise NotImplementedError

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Hand it out as a table; the class says which columns. A schema that is asked for is passed over."""
        return export_table(*self._table())

    def __arrow_c_schema__(self) -> object:
        """Hand out the schema of `__arrow_c_stream__`."""
        return export_schema(*self._table())


def _exported(
    columns: Mapping[str, Given], metadata: Mapping[str, str] | None
) -> tuple[list[tuple[str, str, NDArray[Any], int, NDArray[np.int64] | None]], int, dict[str, str]]:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns must have one length, had {sorted(lengths)}")
    out: list[tuple[str, str, NDArray[Any], int, NDArray[np.int64] | None]] = []
    for name, values in columns.items():
        if not isinstance(values, np.ndarray):
            rows = [row.encode() for row in values]
            ends = np.cumsum([0, *map(len, rows)], dtype=np.int64)
            out.append((name, "U", np.frombuffer(b"".join(rows) or b"\0", np.uint8), -1, ends))
            continue
        kind = values.dtype.str[1:] if values.dtype.isnative else ""
        format = "tsn:UTC" if kind == "M8[ns]" else _FORMATS.get(kind)
        if format is None or values.ndim not in (1, 2) or (values.ndim == 2 and format in ("b", "tsn:UTC")):
            raise ValueError(f"column {name} must be of numbers, or one of bool or datetime64[ns], was {values.dtype}")
        data = np.packbits(values, bitorder="little") if format == "b" else np.ascontiguousarray(values)
        out.append((name, format, data, values.shape[1] if values.ndim == 2 else -1, None))
    return out, next(iter(lengths), 0), dict(metadata or {})
