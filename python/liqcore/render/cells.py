"""The cells of a heatmap, a block at a time: a picture needs no more of them at once than it has pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .contract import HeatmapLike
from .raster import PixelCells, pool_columns

BLOCK = 1 << 23
"""Cells of a side that are asked for at once."""

Floats = NDArray[np.float32]


def sides_of(heatmap: HeatmapLike, first: int, count: int, low: int, high: int) -> tuple[Floats, Floats]:
    """Return longs and shorts of ``count`` columns and of the rows from ``low`` up to, not including, ``high``."""
    block = getattr(heatmap, "block", None)
    if block is not None:
        longs, shorts = block(first, count, low, high)
        return longs, shorts
    part = slice(first, first + count), slice(low, high)
    return heatmap.long[part], heatmap.short[part]


def pooled(heatmap: HeatmapLike, side: str, across: PixelCells, low: int, high: int) -> Floats:
    """
    Go through the columns once, in bounded memory; return the largest cell of each row that each pixel across shows.

    Parameters
    ----------
    heatmap : HeatmapLike
    side : {"both", "long", "short"}
        Whose cells; of both, the sum.
    across : PixelCells
        The columns that each pixel shows; rising.
    low, high : int
        The rows wanted.

    Returns
    -------
    ndarray of float32, shape (pixels, rows)
    """
    largest = np.zeros((len(across.first), max(high - low, 0)), np.float32)
    columns, rows = len(heatmap.times), high - low
    if rows <= 0:
        return largest
    count = max(BLOCK // rows, 1)
    for first in range(0, columns, count):
        longs, shorts = sides_of(heatmap, first, min(count, columns - first), low, high)
        one, other = (shorts, None) if side == "short" else (longs, None if side == "long" else shorts)
        pool_columns(one, other, first, across, largest)
    return largest
