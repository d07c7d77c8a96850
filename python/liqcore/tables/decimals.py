"""Decimals of Parquet files, whole numbers of 10^-scale, to the doubles next to them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EXACT_POWER = 22  # the largest power of ten that is a double
_EXACT = 1 << 53


def to_doubles(stored: NDArray[Any] | Sequence[bytes], scale: int) -> NDArray[np.float64]:
    """
    Bring stored decimals to doubles, correctly rounded.

    Parameters
    ----------
    stored : ndarray of integers, or sequence of bytes
        Whole numbers; bytes have the highest first, in two's complement.
    scale : int
        Digits after the point.
    """
    raw = stored if isinstance(stored, np.ndarray) else _fixed(stored)
    if raw is not None and scale <= _EXACT_POWER and bool(np.all((raw > -_EXACT) & (raw < _EXACT))):
        return raw / np.float64(10.0**scale)  # two exact doubles
    # Python divides whole numbers of any size with one rounding.
    whole = [int.from_bytes(v, "big", signed=True) if isinstance(v, bytes) else int(v) for v in stored]
    return np.array([number / 10**scale for number in whole], np.float64)


def _fixed(values: Sequence[bytes]) -> NDArray[np.int64] | None:
    """Whole numbers of bytes of one length; None: they do not fit into 64 bits."""
    if not values:
        return np.empty(0, np.int64)
    width = len(values[0])
    if not 0 < width <= 16 or any(len(value) != width for value in values):
        return None
    stored = np.frombuffer(b"".join(values), np.uint8).reshape(-1, width)
    padded = np.repeat(np.where(stored[:, :1] > 127, 255, 0).astype(np.uint8), 16, axis=1)
    padded[:, 16 - width :] = stored
    high, low = (np.ascontiguousarray(half).view(">i8").ravel() for half in (padded[:, :8], padded[:, 8:]))
    if not np.array_equal(high, np.where(low < 0, -1, 0)):
        return None
    return low.astype(np.int64)
