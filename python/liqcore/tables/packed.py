"""
Arrays and cells in bytes that a browser unpacks: a header, arrays, cells in 16 bits.

Deflated (zlib's format, RFC 1950), so that ``DecompressionStream("deflate")`` unpacks it. Unpacked it is the length of
the header in four bytes, the header in JSON, and the arrays, each of which begins at a multiple of eight bytes; the
header's ``arrays`` say name, type, shape and place. All numbers are little-endian.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError

OCTAVE = _core.CODES_AN_OCTAVE
"""Steps in which a value doubles: half of one is 0.0136 percent."""
LARGEST = _core.LARGEST_CODE
"""The code of a column's largest value; 0 is the code of 0."""
MOST_BYTES = 1 << 30
"""Of a frame that is unpacked."""
_LENGTH = struct.Struct("<I")
_TYPES = {"int64": "<i8", "float64": "<f8", "float32": "<f4", "uint16": "<u2"}
_VALUES = np.exp2((np.arange(LARGEST + 1) - LARGEST) / OCTAVE).astype(np.float32)
_VALUES[0] = 0

Arrays = Mapping[str, NDArray[Any]]


def pack(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
    """
    Return the largest value of each column, and a code for each value, on a scale of logarithms.

    A value that comes back is off by at most 0.014 percent, 0 is 0; what is below 1/58,000,000 of its column's largest
    comes back as that. Some 4 ns a value.

    Parameters
    ----------
    values : ndarray of float32, shape (columns, rows)
        Up to 1e30. What is not a finite number above zero counts as 0.

    Examples
    --------
    >>> tops, codes = pack(np.float32([[0, 1, 2], [0, 2, 4]]))
    >>> tops.tolist(), codes.tolist()
    ([2.0, 4.0], [[0, 62995, 65535], [0, 62995, 65535]])
    """
    return _core.pack_cells(np.ascontiguousarray(values))


def unpack(tops: NDArray[np.float32], codes: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the values of codes, float32 (columns, rows)."""
    return _VALUES[codes] * tops[:, None]


def steps(codes: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """
    Return what is added to the codes of the column before, modulo 65,536: where levels stay, or decay together, zeros,
    which deflate to less than half. ``np.cumsum(axis=0, dtype=np.uint16)`` gives the codes back.
    """
    return np.diff(codes, axis=0, prepend=np.zeros((1, codes.shape[1]), np.uint16))


def _json(header: Any) -> bytes:
    return json.dumps(header, allow_nan=False).encode()


def encode(header: Mapping[str, Any], arrays: Arrays, level: int = 9, dumps: Callable[[Any], bytes] = _json) -> bytes:
    """
    Return a frame.

    Parameters
    ----------
    header : mapping
        What `dumps` can say.
    arrays : mapping of str to ndarray of int64, float64, float32 or uint16
    level : int, default 9
        Of deflating.
    dumps : callable, optional
        Makes JSON of the header; by default what the standard library says, without NaN.
    """
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    places, at = {}, 0
    for name, array in whole.items():
        places[name] = {"type": array.dtype.name, "shape": array.shape, "at": at}
        at += -(-array.nbytes // 8) * 8
    said = dumps({**header, "arrays": places})
    said += b" " * (-(len(said) + _LENGTH.size) % 8)
    deflate = zlib.compressobj(level)
    parts = [deflate.compress(_LENGTH.pack(len(said)) + said)]
    for array in whole.values():
        little = array.astype(_TYPES[array.dtype.name], copy=False)
        parts.append(deflate.compress(little.reshape(-1).view(np.uint8).data))
        parts.append(deflate.compress(bytes(-array.nbytes % 8)))
    return b"".join([*parts, deflate.flush()])


def decode(frame: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """
    Return the header and the arrays of a frame, which are read-only.

    Raises
    ------
    DataError
        If it is none.
    """
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(frame, MOST_BYTES)
        if not inflate.eof or inflate.unused_data:
            raise ValueError("cut, or too long")
        (length,) = _LENGTH.unpack_from(data)
        begin = _LENGTH.size + length
        header = json.loads(data[_LENGTH.size : begin])
        arrays = {
            name: np.frombuffer(
                data, _TYPES[of["type"]], int(np.prod(of["shape"], dtype=np.int64)), begin + of["at"]
            ).reshape(of["shape"])
            for name, of in header.pop("arrays").items()
        }
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise DataError(f"expected a frame of liqcore, found other or damaged bytes: {error}") from None
    return header, arrays
