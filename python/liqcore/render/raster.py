"""From cells to pixels: which cells a pixel shows, the largest of them, and its place on the colour scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LOG_RANGE = np.float32(1000)
_SAMPLE = 250_000  # pixels, or a few more, of which a percentile is taken
_FEW = 8  # cells of a pixel up to which they are taken one after the other, of all pixels at once
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


def pool_columns(cells: NDArray[np.float32], begin: int, across: PixelCells, largest: NDArray[np.float32]) -> None:
    """
    Raise what each pixel across shows to the largest cell of a block of columns.

    Parameters
    ----------
    cells : ndarray of float32, shape (columns, rows)
        NaN counts as nothing.
    begin : int
        Number of its first column.
    across : PixelCells
        The columns that each pixel shows.
    largest : ndarray of float32, shape (pixels, rows)
        Written to.
    """
    first = np.maximum(across.first - begin, 0)
    stop = np.minimum(across.stop - begin, len(cells))
    at = np.flatnonzero((first < stop) & (across.first < across.stop))
    if len(at):
        largest[at] = np.fmax(largest[at], _pool(cells, PixelCells(first[at], stop[at])))


def pool_rows(largest: NDArray[np.float32], down: PixelCells) -> NDArray[np.float32]:
    """Return the largest of the rows that each pixel of the price axis shows, shape (pixels across, pixels); else 0."""
    return _pool(np.ascontiguousarray(largest.T), down).T


def _pool(cells: NDArray[np.float32], pixels: PixelCells) -> NDArray[np.float32]:
    """Pool along the first axis; fmax: a NaN hides no other cell, and is 0 alone."""
    pooled = np.zeros((len(pixels.first), cells.shape[1]), np.float32)
    at = np.flatnonzero(pixels.stop > pixels.first)
    if not len(at):
        return pooled
    first, stop = pixels.first[at], pixels.stop[at]
    longest = int((stop - first).max())
    if longest > _FEW:  # ufunc.reduceat takes fifteen times as long
        for pixel, begin, end in zip(at.tolist(), first.tolist(), stop.tolist(), strict=True):
            np.fmax.reduce(cells[begin:end], axis=0, out=pooled[pixel], initial=np.float32(0))
        return pooled
    some = np.fmax(cells[first], np.float32(0))
    for k in range(1, longest):
        np.fmax(some, cells[np.minimum(first + k, stop - 1)], out=some)
    pooled[at] = some
    return pooled


def colour_index(
    pixels: NDArray[np.float32], maximum: float, scale: str = "sqrt", cut: float = 0.0
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
    cut : float
        Values below it get entry 0; it gets entry 1, from which the others go up to `maximum`.

    Examples
    --------
    >>> colour_index(np.float32([0, 25, 100, 900]), maximum=100).tolist()
    [0, 128, 255, 255]
    >>> colour_index(np.float32([49, 50, 75, 100]), maximum=100, scale="linear", cut=50).tolist()
    [0, 1, 128, 255]
    """
    if cut <= 0:
        share = np.clip(pixels * np.float32(1 / maximum), 0, 1)
        return (scaled(share, scale) * 255 + np.float32(0.5)).astype(np.uint8)
    share = np.clip((pixels - np.float32(cut)) * np.float32(1 / max(maximum - cut, 1e-6 * cut)), 0, 1)
    entries = (scaled(share, scale) * 254 + np.float32(1.5)).astype(np.uint8)
    entries[~(pixels >= np.float32(cut))] = 0
    return entries


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


def default_maximum(pixels: NDArray[np.float32]) -> float:
    """Return the 99th percentile of the pixels that are not zero, 0.0 if all are; of many, of a regular sample."""
    some = pixels.ravel()[:: 1 + pixels.size // _SAMPLE]
    some = some[some > 0]
    if len(some) == 0:  # all zero, or the sample missed the few that are not
        return float(pixels.max(initial=0.0))
    return float(np.percentile(some, 99, method="higher"))
