"""Pixels of a picture with numpy alone, as well as it can be done: what liqcore's own are compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Cells = tuple[NDArray[np.int64], NDArray[np.int64]]  # the first of each pixel, and behind the last
FEW = 8  # cells of a pixel up to which they are taken one after the other, of all pixels at once
OCTAVE, LARGEST = 2540, 65_535


def pooled(cells: Floats, pixels: Cells) -> Floats:
    """Pool along the first axis; fmax: a NaN hides no other cell, and is 0 alone."""
    out = np.zeros((len(pixels[0]), cells.shape[1]), np.float32)
    at = np.flatnonzero(pixels[1] > pixels[0])
    if not len(at):
        return out
    first, stop = pixels[0][at], pixels[1][at]
    longest = int((stop - first).max())
    if longest > FEW:  # ufunc.reduceat takes fifteen times as long
        for pixel, begin, end in zip(at.tolist(), first.tolist(), stop.tolist(), strict=True):
            np.fmax.reduce(cells[begin:end], axis=0, out=out[pixel], initial=np.float32(0))
        return out
    some = np.fmax(cells[first], np.float32(0))
    for k in range(1, longest):
        np.fmax(some, cells[np.minimum(first + k, stop - 1)], out=some)
    out[at] = some
    return out


def pixels(long: Floats, short: Floats, across: Cells, down: Cells) -> Floats:
    """The largest sum of both sides of each pixel, (pixels across, pixels down)."""
    largest = pooled(long + short, across)
    return pooled(np.ascontiguousarray(largest.T), down).T


def entries(values: Floats, maximum: float) -> NDArray[np.uint8]:
    """Places on a colour table of 256, by square roots."""
    share = np.clip(values * np.float32(1 / maximum), 0, 1)
    places: NDArray[np.uint8] = (np.sqrt(share) * 255 + np.float32(0.5)).astype(np.uint8)
    return places


def codes(values: Floats) -> tuple[Floats, NDArray[np.uint16]]:
    """The largest of each column and codes of 16 bits; by float32 logarithms, which may round the other way."""
    tops = values.max(axis=1, initial=0).astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        octaves = np.log2(values / tops[:, None])
        whole = np.clip(np.rint(octaves * np.float32(OCTAVE)) + LARGEST, 1, LARGEST)
        return tops, np.where(values > 0, whole, 0).astype(np.uint16)
