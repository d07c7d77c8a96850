"""Arrays as JSON: numbers of as few digits as give them back, NaN as null, in pieces that hold up no thread."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

_ENCODER = msgspec.json.Encoder()
_POWERS = 10.0 ** np.arange(23)  # each is a double exactly, so one product or quotient of a whole number by it is right


def few_digits(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """
    Return doubles whose shortest texts have the fewest digits that still give the floats back.

    Examples
    --------
    >>> few_digits(np.float32([0.1, 1234567.0, 16777216.0, 3e-7])).tolist()
    [0.1, 1234567.0, 16777216.0, 3e-07]
    """
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    out = flat.astype(np.float64)
    left = np.flatnonzero(np.isfinite(out) & (np.abs(out) >= 1e-12) & (np.abs(out) < 1e20))
    for digits in range(6, 10):
        if not left.size:
            break
        wide = flat[left].astype(np.float64)
        power = digits - 1 - np.floor(np.log10(np.abs(wide))).astype(np.int64)
        up, down = _POWERS[np.clip(power, 0, 22)], _POWERS[np.clip(-power, 0, 22)]
        short = np.rint(wide * up / down) * down / up
        same = short.astype(np.float32) == flat[left]
        out[left[same]] = short[same]
        left = left[~same]
    return out.reshape(np.shape(values))


def numbers(values: NDArray[Any] | Sequence[float]) -> msgspec.Raw:
    """Return a list of numbers; of two dimensions a list of lists."""
    array = np.asarray(values)
    if array.dtype == np.float32:
        array = few_digits(array)
    if array.ndim == 2:  # one by one: whoever waits for the interpreter meanwhile gets it in between
        return msgspec.Raw(b"[" + b",".join([_ENCODER.encode(row.tolist()) for row in array]) + b"]")
    return msgspec.Raw(_ENCODER.encode(array.tolist()))
