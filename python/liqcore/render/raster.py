"""From cells to pixels: which cells a pixel shows, the largest of them, and its place on the colour scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LOG_RANGE = np.float32(1000)
_LOG_TOP = np.float32(np.log1p(1000.0))


@dataclass(frozen=True, slots=True)
class PixelCells:
    """
    The cells that each pixel of an axis shows: cells ``first[i]`` up to, not including, ``stop[i]``.

    Attributes
    ----------
    first, stop : ndarray of int64, shape (pixels,)
        Equal where the pixel shows nothing.
    """

    first: NDArray[np.int64]
    stop: NDArray[np.int64]


def pixel_cells(starts: NDArray[np.float64], width: float, low: float, high: float, pixels: int) -> PixelCells:
    """
    Find the cells that each pixel of an axis shows.

    A pixel shows the cell under its centre and every cell whose own centre lies in it. So zoomed in, a cell is
    enlarged by whole pixels; zoomed out, every cell is in exactly one pixel and none is lost.

    Parameters
    ----------
    starts : ndarray of float64, shape (cells,), ascending
        Lower edges of the cells. Gaps between them are allowed.
    width : float
        Width of a cell, in the unit of ``starts``.
    low, high : float
        What the axis covers; pixel 0 starts at ``low``.
    pixels : int
        Length of the axis.

    Examples
    --------
    >>> zoomed_out = pixel_cells(np.arange(6.0), 1.0, 0.0, 6.0, pixels=2)
    >>> zoomed_out.first.tolist(), zoomed_out.stop.tolist()
    ([0, 3], [3, 6])
    >>> zoomed_in = pixel_cells(np.arange(2.0), 1.0, 0.0, 2.0, pixels=6)
    >>> zoomed_in.first.tolist(), zoomed_in.stop.tolist()
    ([0, 0, 0, 1, 1, 1], [1, 1, 1, 2, 2, 2])
    """
    if len(starts) == 0:
        nothing = np.zeros(pixels, np.int64)
        return PixelCells(nothing, nothing)
    middle = low + (np.arange(pixels) + 0.5) * ((high - low) / pixels)
    under = np.searchsorted(starts, middle, side="right") - 1
    # The millionth bridges the gap that rounding leaves between neighbours: starts[i] + width is not starts[i + 1].
    covered = (under >= 0) & (middle < starts[under] + width * (1 + 1e-6))
    first = np.where(covered, under, len(starts))
    stop = np.where(covered, under + 1, 0)

    pixel = np.floor((starts + width / 2 - low) * (pixels / (high - low)))
    inside = np.flatnonzero((pixel >= 0) & (pixel < pixels))
    np.minimum.at(first, pixel[inside].astype(np.int64), inside)
    np.maximum.at(stop, pixel[inside].astype(np.int64), inside + 1)
    first = np.minimum(first, stop)
    return PixelCells(first, stop)


def pool(cells: NDArray[np.float32], columns: PixelCells, rows: PixelCells) -> NDArray[np.float32]:
    """
    Return the largest cell that each pixel shows; 0 where it shows none.

    Parameters
    ----------
    cells : ndarray of float32, shape (columns, bins)
        NaN counts as 0.
    columns, rows : PixelCells
        Of the time axis and of the price axis.

    Returns
    -------
    ndarray of float32, shape (pixels of columns, pixels of rows)
    """
    begin, end = _ends(rows)  # pool the columns of what is in view only
    shifted = PixelCells(np.maximum(rows.first - begin, 0), np.maximum(rows.stop - begin, 0))
    pooled = _pool(_pool(cells[:, begin:end], columns).T, shifted).T
    return np.where(np.isnan(pooled), np.float32(0), pooled)


def _ends(pixels: PixelCells) -> tuple[int, int]:
    """Return the first cell that any pixel shows, and the one behind the last."""
    shown = pixels.stop > pixels.first
    return (int(pixels.first[shown].min()), int(pixels.stop.max())) if shown.any() else (0, 0)


def _pool(cells: NDArray[np.float32], pixels: PixelCells) -> NDArray[np.float32]:
    """Pool along the first axis."""
    last = len(cells) - 1
    shown = pixels.stop > pixels.first
    if not shown.any():
        return np.zeros((len(shown), cells.shape[1]), np.float32)
    first = np.where(shown, pixels.first, 0)
    if (pixels.stop - pixels.first).max() == 1:
        pooled = cells[first]
    else:
        # reduceat pools from each index to the next, so pairs (first, stop) leave what is wanted at every other place.
        # It takes no index behind the last cell: that cell is added afterwards. fmax: a NaN hides no other cell.
        pairs = np.stack([first, np.minimum(pixels.stop, last)], axis=1)
        pooled = np.fmax.reduceat(cells, pairs.ravel(), axis=0)[::2]
        pooled[pixels.stop > last] = np.fmax(pooled[pixels.stop > last], cells[last])
    pooled[~shown] = 0
    return pooled


def colour_index(
    pixels: NDArray[np.float32], maximum: float, scale: str = "sqrt", threshold: float = 0.0
) -> NDArray[np.uint8]:
    """
    Return the place of each value on a colour table of 256 entries.

    Parameters
    ----------
    pixels : ndarray of float32
        Values in any shape; negative ones count as 0.
    maximum : float
        Value of the last entry, > 0.
    scale : {"sqrt", "linear", "log"}
        See `scaled`.
    threshold : float
        Values below this share of ``maximum`` get entry 0.

    Examples
    --------
    >>> colour_index(np.float32([0, 25, 100, 900]), maximum=100).tolist()
    [0, 128, 255, 255]
    """
    share = np.clip(pixels * np.float32(1 / maximum), 0, 1)
    share[share < np.float32(threshold)] = 0
    return (scaled(share, scale) * 255 + np.float32(0.5)).astype(np.uint8)


def scaled(share: NDArray[np.float32], scale: str) -> NDArray[np.float32]:
    """
    Return where shares of the maximum, 0 to 1, lie on the colour scale, 0 to 1.

    ``log`` is linear up to a thousandth of the maximum and logarithmic above, so that 0 has a place.
    """
    if scale == "sqrt":
        return np.sqrt(share)
    if scale == "log":
        share = np.log1p(share * _LOG_RANGE) / _LOG_TOP
    return share


def unscaled(place: NDArray[np.float32], scale: str) -> NDArray[np.float32]:
    """
    Return the shares of the maximum at places on the colour scale: the inverse of `scaled`.

    Examples
    --------
    >>> unscaled(scaled(np.float32([0, 0.25, 1]), "log"), "log").round(3).tolist()
    [0.0, 0.25, 1.0]
    """
    if scale == "sqrt":
        return place * place
    if scale == "log":
        place = np.expm1(place * _LOG_TOP) / _LOG_RANGE
    return place


def default_maximum(cells: NDArray[np.float32]) -> float:
    """
    Return the 99th percentile of the non-zero cells, 0.0 if there are none.

    Of more than two million cells a regular sample is taken.
    """
    stride = 1 + cells.size // 2_000_000
    sample = cells[::stride].ravel() if cells.shape[0] > stride else cells.ravel()
    sample = sample[sample > 0]
    if len(sample) == 0:  # all zero, or the sample missed the few cells that are not
        return float(np.fmax.reduce(cells, axis=None, initial=0.0))
    return float(np.percentile(sample, 99, method="higher"))
