"""Decimals of Parquet files, whole numbers of 10^-scale, to the doubles next to them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EXACT_POWER = 22  # the largest power of ten that is a double
_EXACT = 1 << 53


def to_doubles(stored: NDArray[Any], scale: int, width: int) -> NDArray[np.float64]:
    """
    Bring stored decimals to doubles, correctly rounded; NaN where there is None.

    Parameters
    ----------
    stored : ndarray of object
        Whole numbers, or bytes, the highest first, in two's complement.
    scale : int
        Digits after the point.
    width : int
        Bytes of each, where all have as many, else 0: numpy drops zeros at the end, which are given back.
    """
    out = np.full(len(stored), np.nan)
    known = np.array([value is not None and value == value for value in stored], np.bool_)
    values = stored[known].tolist()
    if not values:
        return out
    if width and isinstance(values[0], bytes):
        values = [value.ljust(width, b"\0") for value in values]
    raw = _fixed(values) if isinstance(values[0], bytes) else np.array(values, np.int64)
    if raw is not None and scale <= _EXACT_POWER and bool(np.all(np.abs(raw) < _EXACT)):
        out[known] = raw / 10.0**scale  # two exact doubles
    else:  # Python divides whole numbers of any size with one rounding
        whole = [int.from_bytes(v, "big", signed=True) if isinstance(v, bytes) else int(v) for v in values]
        out[known] = [number / 10**scale for number in whole]
    return out


def _fixed(values: Sequence[bytes]) -> NDArray[np.int64] | None:
    """Whole numbers of bytes of one length; None: they do not fit into 64 bits."""
    width = len(values[0])
    if width > 16 or any(len(value) != width for value in values):
        return None
    stored = np.frombuffer(b"".join(values), np.uint8).reshape(-1, width)
    padded = np.repeat(np.where(stored[:, :1] > 127, 255, 0).astype(np.uint8), 16, axis=1)
    padded[:, 16 - width :] = stored
    high, low = (np.ascontiguousarray(half).view(">i8").ravel() for half in (padded[:, :8], padded[:, 8:]))
    if not np.array_equal(high, np.where(low < 0, -1, 0)):
        return None
    return low.astype(np.int64)
