"""Candles of windows, and those of columns that are longer than a window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CANDLE = np.dtype([(name, np.float64) for name in ("open", "high", "low", "close", "buy_qty", "sell_qty")])


def join_candles(rows: NDArray[np.void], starts: NDArray[np.intp]) -> NDArray[np.void]:
    """The candle of each run of windows that begins at one of `starts`, the last of which is the end."""
    out = np.empty(len(starts) - 1, dtype=CANDLE)
    if not len(out):
        return out
    firsts = starts[:-1]
    for name, join in (("high", np.fmax), ("low", np.fmin)):
        out[name] = join.reduceat(rows[name], firsts)
    traded = ~np.isnan(rows["open"])
    at = np.arange(len(rows))
    first = np.minimum.reduceat(np.where(traded, at, len(rows)), firsts)
    last = np.maximum.reduceat(np.where(traded, at, -1), firsts)
    some = last >= 0
    for name, index in (("open", first), ("close", last)):
        out[name] = np.where(some, rows[name][np.where(some, index, 0)], np.nan)
    for name in ("buy_qty", "sell_qty"):
        out[name] = np.where(some, np.add.reduceat(np.nan_to_num(rows[name]), firsts), np.nan)
    return out
