"""Frames of the websocket in bytes: a header, arrays, cells in 16 bits; and a client's copy of what it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..tables.packed import Arrays, decode, pack, unpack
from ..tables.packed import encode as packed

__all__ = ["Mirror", "decode", "encode", "pack", "unpack"]

MOST_NEWS = 1000
"""That a client's copy keeps."""
_LEVEL = 1  # of deflating: higher ones take thrice the time for a tenth of the bytes


def encode(header: Mapping[str, Any], arrays: Arrays | None = None) -> bytes:
    """Return a frame (`liqcore.tables.packed.encode`), made quickly; NaN in the header becomes null."""
    return packed(header, arrays or {}, level=_LEVEL, dumps=msgspec.json.encode)


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
