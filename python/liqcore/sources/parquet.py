"""What the columns of Parquet files mean: times of any unit, numbers of any type."""

from __future__ import annotations

import bisect
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..tables.column import Column

_UNITS = ("s", "ms", "us", "ns")
_UNIT_FLOORS = (10**8, 10**11, 10**14, 10**17)
UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def unit_of(low: int, high: int) -> str | None:
    """Tell the unit that whole-number times from `low` to `high` have in common; None: they are not all readable."""
    first, last = (bisect.bisect_right(_UNIT_FLOORS, edge) for edge in (low, high))
    unit = _UNITS[first - 1]
    return unit if first == last > 0 and high <= np.iinfo(np.int64).max // UNIT_NS[unit] else None


def to_time(column: Column) -> tuple[NDArray[np.int64], NDArray[np.bool_], dict[str, int]]:
    """
    Bring a time column to nanoseconds since the UNIX epoch, its unit told by magnitude; text is read as in a CSV file.

    Returns
    -------
    ts : ndarray of int64
    readable : ndarray of bool
    units : dict of str to int
        Readable rows by unit; more than one entry: the column mixes units, and ``ts`` is meaningless.

    Raises
    ------
    TypeError
        If the column holds neither numbers, timestamps nor text.
    """
    values = column.values
    readable = np.ones(len(values), np.bool_) if column.null is None else ~column.null
    if values.dtype.kind in "OUTS":
        return _text_to_time(values, readable)
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
    factor = UNIT_NS[unit]
    readable &= values <= np.iinfo(np.int64).max // factor
    if values.dtype.kind == "f":  # a double holds a time of today to a quarter of a microsecond
        steps = np.where(readable, values, 0.0) * (factor / 1000 if factor >= 1000 else factor)
        ts = np.rint(steps).astype(np.int64) * (1000 if factor >= 1000 else 1)
    else:
        ts = np.where(readable, values, 0).astype(np.int64) * factor
    return ts, readable, {unit: int(readable.sum())}


def _text_to_time(
    values: NDArray[Any], readable: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], dict[str, int]]:
    words = values.astype(object)
    if (odd := next((word for word in words[readable] if not isinstance(word, str | bytes | date)), None)) is not None:
        raise TypeError(f"{type(odd).__name__} values")
    # Each line has the place that it came from: what cannot be read leaves no trace in what comes back.
    lines = [
        f"{' '.join(_as_text(words[at]).split())}\x1f{at}" for at in np.flatnonzero(readable)
    ]  # fmt: skip
    found, places = np.zeros(len(lines), np.int64), np.zeros((1, len(lines)))
    counts = _core.parse_columns(
        "\n".join(lines).encode(), found, places, time_column=0, columns=[1], delimiter="\x1f"
    )  # fmt: skip
    at = places[0, : counts.used].astype(np.int64)
    ts, good = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    ts[at], good[at] = found[: counts.used], True
    return ts, good, {unit: count for unit, count in zip((*_UNITS, "text"), counts.times, strict=True) if count}


def _as_text(word: object) -> str:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)


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


def to_decimal(column: Column, precision: int) -> NDArray[np.float64]:
    """
    Bring nautilus_trader's fixed-point numbers to doubles: whole numbers of 1e-9 (8 bytes) or 1e-16 (16 bytes).

    Each becomes the double next to its decimal of `precision` digits, as long as it has up to 15 of them in all; one
    below zero may come out as zero.

    Raises
    ------
    TypeError
        If it holds something else.
    """
    values = column.values
    if values.dtype == "S16":
        words = np.ascontiguousarray(values).view("<u8").reshape(-1, 2)
        raw = words[:, 1].view("<i8") * 2.0**64 + words[:, 0]
        digits = 16
    elif values.dtype == "S8" or (values.dtype.kind in "iu" and values.dtype.itemsize == 8):
        raw = np.ascontiguousarray(values).view("<i8").astype(np.float64)
        digits = 9
    else:
        raise TypeError(f"{values.dtype} values")
    if not 0 <= precision <= digits:
        raise TypeError(f"a precision that is not 0 to {digits} digits")
    # Rounding to the precision takes back what the double has lost of 128 bits.
    result: NDArray[np.float64] = np.rint(raw / 10.0 ** (digits - precision)) / 10.0**precision
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
