"""Frames of the websocket in bytes: a header, arrays, cells in 16 bits; and a client's copy of what it is sent."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

OCTAVE = 2540
"""Steps in which a value doubles: half of one is 0.0136 percent."""
LARGEST = 65_535
"""The code of a column's largest value; 0 is the code of 0."""
MOST_BYTES = 1 << 30
"""Of a frame that is unpacked."""
MOST_NEWS = 1000
"""That a client's copy keeps."""
_LEVEL = 1  # of deflating: higher ones take thrice the time for a tenth of the bytes
_LENGTH = struct.Struct("<I")
_TYPES = {"int64": "<i8", "float64": "<f8", "float32": "<f4", "uint16": "<u2"}
_VALUES = np.exp2((np.arange(LARGEST + 1) - LARGEST) / OCTAVE).astype(np.float32)
_VALUES[0] = 0

Arrays = Mapping[str, NDArray[Any]]


def pack(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
    """
    Return the largest value of each column, and a code for each value, on a scale of logarithms.

    A value that comes back is off by at most 0.014 percent, 0 is 0; what is below 1/58,000,000 of its column's largest
    comes back as that.

    Parameters
    ----------
    values : ndarray of float32, shape (columns, rows)
        0, or from 1e-30 to 1e30.
    """
    tops = values.max(axis=1, initial=0).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        octaves = np.log2(values / tops[:, None])
    codes = np.clip(np.rint(octaves * np.float32(OCTAVE)) + LARGEST, 1, LARGEST)
    return tops, np.where(values > 0, codes, 0).astype(np.uint16)


def unpack(tops: NDArray[np.float32], codes: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the values of codes, float32 (columns, rows)."""
    return _VALUES[codes] * tops[:, None]


def encode(header: Mapping[str, Any], arrays: Arrays | None = None) -> bytes:
    """
    Return a frame: what ``DecompressionStream("deflate")`` unpacks (zlib's format, RFC 1950).

    Unpacked it is the length of the header in four bytes, the header in JSON, and the arrays; each of them begins at a
    multiple of eight bytes, and the header's ``arrays`` say where. All numbers are little-endian.

    Parameters
    ----------
    header : mapping
        What JSON can say; NaN becomes null.
    arrays : mapping of str to ndarray of int64, float64, float32 or uint16, optional
    """
    whole = {name: np.ascontiguousarray(array) for name, array in (arrays or {}).items()}
    places, at = {}, 0
    for name, array in whole.items():
        places[name] = {"type": array.dtype.name, "shape": array.shape, "at": at}
        at += -(-array.nbytes // 8) * 8
    said = msgspec.json.encode({**header, "arrays": places})
    said += b" " * (-(len(said) + _LENGTH.size) % 8)
    deflate = zlib.compressobj(_LEVEL)
    parts = [deflate.compress(_LENGTH.pack(len(said)) + said)]
    for array in whole.values():
        little = array.astype(_TYPES[array.dtype.name], copy=False)
        parts.append(deflate.compress(little.reshape(-1).view(np.uint8).data))
        parts.append(deflate.compress(bytes(-array.nbytes % 8)))
    parts.append(deflate.flush())
    return b"".join(parts)


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
        header = msgspec.json.decode(data[_LENGTH.size : begin], type=dict[str, Any])
        arrays = {
            name: np.frombuffer(
                data, _TYPES[of["type"]], int(np.prod(of["shape"], dtype=np.int64)), begin + of["at"]
            ).reshape(of["shape"])
            for name, of in header.pop("arrays").items()
        }
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise DataError(f"expected a frame of liqcore's websocket, found other or damaged bytes: {error}") from None
    return header, arrays


class Mirror:
    """
    A client's copy of one view, kept up to date by its frames.

    Attributes
    ----------
    number : int or None
        Of the frame that it is up to date with; None before the first full one.
    said : dict
        What headers say by name: ``labels``, ``streams``, ``gaps``, ``zones``, each as it was told last.
    news : list of dict
        What has happened, as far as frames told, the oldest first; the last thousand.
    window_ns : int
        Length of a column.
    complete : bool
        Whether the last column's window has ended.
    times, prices, long, short, candles, open_interest, realised : ndarray
        As those of a `Heatmap`; ``realised`` is what the venues told of as liquidated, USD, (columns, 2).

    Examples
    --------
    >>> import numpy as np
    >>> mirror = Mirror()
    >>> mirror.take(encode({"kind": "state", "number": 8, "after": 7}))  # of a view that it has nothing of
    False
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.said: dict[str, Any] = {}
        self.news: list[dict[str, Any]] = []
        self.window_ns = 0
        self.complete = False
        self.times: NDArray[np.int64] = np.zeros(0, np.int64)
        self.prices: NDArray[np.float64] = np.zeros(0)
        self.candles: NDArray[np.float64] = np.zeros((0, 6))
        self.open_interest: NDArray[np.float64] = np.zeros(0)
        self.realised: NDArray[np.float64] = np.zeros((0, 2))
        self.long: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self.short = self.long

    def take(self, frame: bytes) -> bool:
        """
        Take a frame; False: one before it is missing, so ask for a full one (``resync``).

        Answers (``subscribed``, ``error``) and frames that have been taken change nothing.

        Raises
        ------
        DataError
            If it is none.
        """
        header, arrays = decode(frame)
        if header["kind"] not in ("full", "columns", "state"):
            return True
        if header["kind"] == "full":
            self.prices, self.times = self.prices[:0], self.times[:0]
        elif self.number is None or self.number < header["after"]:
            return False
        elif header["number"] <= self.number:
            return True
        self.number = header["number"]
        self.said |= header["said"]
        heard = self.news[-1]["number"] if self.news else 0
        self.news = [*self.news, *(news for news in header["news"] if news["number"] > heard)][-MOST_NEWS:]
        if "times" in arrays:
            self.window_ns, self.complete = header["window_ns"], header["complete"]
            self._take_columns(header["first"], arrays)
        return True

    def _take_columns(self, first: int, arrays: Arrays) -> None:
        """Leave out what is before the first column kept, and put what has come in place of all from there on."""
        if "prices" in arrays:
            self._grow(arrays["prices"])
        times = arrays["times"]
        kept = slice(*np.searchsorted(self.times, [first, times[0] if len(times) else np.iinfo(np.int64).max]))
        for name in ("times", "candles", "open_interest", "realised"):
            setattr(self, name, np.concatenate([getattr(self, name)[kept], arrays[name]]))
        for n, name in enumerate(("long", "short")):
            cells = arrays[name]
            if cells.dtype == np.uint16:  # each column but the first as what is added to the one before
                cells = unpack(arrays["tops"][:, n], np.cumsum(cells, axis=0, dtype=np.uint16))
            setattr(self, name, np.concatenate([getattr(self, name)[kept], cells]))

    def _grow(self, prices: NDArray[np.float64]) -> None:
        """Go on with more rows: those that are new are empty in the columns there are."""
        for name in ("long", "short"):
            cells = np.zeros((len(self.times), len(prices)), np.float32)
            if self.prices.size and cells.size:
                below = int(np.searchsorted(prices, self.prices[0]))
                cells[:, below : below + len(self.prices)] = getattr(self, name)
            setattr(self, name, cells)
        self.prices = prices
