"""From cells to pixels: which cells a pixel shows, the largest of them, and its place on the colour scale."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import _core

_SAMPLE = 250_000  # pixels, or a few more, of which a percentile is taken


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


def pool_columns(
    cells: NDArray[np.float32],
    other: NDArray[np.float32] | None,
    begin: int,
    across: PixelCells,
    largest: NDArray[np.float32],
) -> None:
    """
    Raise what each pixel across shows to the largest cell of a block of columns.

    Some 0.2 ns a cell and pixel that shows it.

    Parameters
    ----------
    cells : ndarray of float32, shape (columns, rows)
        What is not a finite number above zero counts as nothing.
    other : ndarray of float32, shape (columns, rows), optional
        Cells that are added to those.
    begin : int
        Number of the first column.
    across : PixelCells
        The columns that each pixel shows.
    largest : ndarray of float32, shape (pixels, rows), C-contiguous
        Written to.
    """
    _core.pool_columns(
        _side_by_side(cells), None if other is None else _side_by_side(other), begin, across.first, across.stop, largest
    )


def pool_rows(largest: NDArray[np.float32], down: PixelCells) -> NDArray[np.float32]:
    """Return the largest of the rows that each pixel of the price axis shows, shape (pixels across, pixels); else 0."""
    return _core.pool_rows(_side_by_side(largest), down.first, down.stop)


def _side_by_side(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return cells as they can be read: those of a column side by side; a copy only where they are not."""
    cells = np.asarray(cells, np.float32)
    apart = cells.shape[1] > 1 and cells.strides[1] != cells.itemsize
    return np.ascontiguousarray(cells) if apart else cells


def colour_index(
    pixels: NDArray[np.float32], maximum: float, scale: str = "sqrt", cut: float = 0.0
) -> NDArray[np.uint8]:
    """
    Return the place of each value on a colour table of 256 entries.

    Parameters
    ----------
    pixels : ndarray of float32
        Values in any shape; negative ones and NaN count as 0.
    maximum : float
        Value of the last entry, > 0.
    scale : {"sqrt", "linear", "log"}
        ``log`` is linear up to a thousandth of the maximum and logarithmic above, so that 0 has a place.
    cut : float
        Values below it get entry 0; it gets entry 1, from which the others go up to `maximum`.

    Examples
    --------
    >>> colour_index(np.float32([0, 25, 100, 900]), maximum=100).tolist()
    [0, 128, 255, 255]
    >>> colour_index(np.float32([49, 50, 75, 100]), maximum=100, scale="linear", cut=50).tolist()
    [0, 1, 128, 255]
    """
    return _core.colour_entries(np.ascontiguousarray(pixels, np.float32), maximum, scale, cut)


def default_maximum(pixels: NDArray[np.float32]) -> float:
    """Return the 99th percentile of the pixels that are not zero, 0.0 if all are; of many, of a regular sample."""
    some = pixels.ravel()[:: 1 + pixels.size // _SAMPLE]
    some = some[some > 0]
    if len(some) == 0:  # all zero, or the sample missed the few that are not
        return float(pixels.max(initial=0.0))
    return float(np.percentile(some, 99, method="higher"))
