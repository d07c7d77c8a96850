"""Two heatmaps of one market beside each other: how alike they are, and how much of that is distance to the price."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..render.png import draw_png
from ..words.times import iso

__all__ = ["Alike", "Comparison", "compare"]

Floats = NDArray[np.float64]

TOP = 0.1
_BANDS = 40  # of distance to the price, a side
_PIECE = 256  # columns at a time


@dataclass(frozen=True, slots=True)
class Alike:
    """
    How alike two heatmaps are.

    Attributes
    ----------
    name : str
        Of what: "cells" as they are, or what is "left" of them without the mean at their distance from the price.
    pearson, spearman : float
        Of all cells of all columns together.
    column_low, column_mid, column_high : float
        Lower quartile, median and upper quartile of Spearman's correlation of one column.
    row_mid : float
        Median of Spearman's correlation of one row through time.
    top, by_chance : float
        Which share of the largest tenth of the cells of a column is among the other's, on average; what chance gives.
    """

    name: str
    pearson: float
    spearman: float
    column_low: float
    column_mid: float
    column_high: float
    row_mid: float
    top: float
    by_chance: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """
    Two heatmaps on the same columns and rows, and how alike they are; made by `compare`.

    Attributes
    ----------
    times : ndarray of int64, shape (columns,)
        Ends of the columns, ns.
    edges : ndarray of float64, shape (rows + 1,)
        Of the rows.
    price : ndarray of float64, shape (columns,)
        Last price after each column, of the first heatmap.
    first, second : ndarray of float64, shape (columns, rows)
        Amounts, each on its own scale.
    by_column : ndarray of float64, shape (2, columns)
        Spearman's correlation of the cells of each column, and of what is left of them.
    cells, left : Alike
    names : tuple of str
    synthetic : bool
        Whether one of them is of made-up data.
    version : str
        Of liqcore.
    """

    times: NDArray[np.int64]
    edges: Floats
    price: Floats
    first: Floats
    second: Floats
    by_column: Floats
    cells: Alike
    left: Alike
    names: tuple[str, str]
    synthetic: bool
    version: str

    @property
    def verdict(self) -> str:
        """What it comes to, in a sentence."""
        mid, left = self.cells.column_mid, self.left.column_mid
        if math.isnan(mid):
            return "There is nothing to compare: one of them is empty or everywhere the same."
        said = "nothing is left" if math.isnan(left) else f"{left:+.2f}"
        return (
            f"In a column they correlate by {mid:+.2f} (ranks, median); without what distance to the price alone "
            f"gives: {said}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; what is not known is null."""

        def of(alike: Alike) -> dict[str, Any]:
            names = alike.__slots__
            values = {name: getattr(alike, name) for name in names}
            return {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in values.items()}

        return {
            "first": self.names[0],
            "second": self.names[1],
            "start": iso(int(self.times[0])),
            "end": iso(int(self.times[-1])),
            "columns": len(self.times),
            "rows": len(self.edges) - 1,
            "step": float(f"{self.edges[1] - self.edges[0]:.10g}"),
            "cells": of(self.cells),
            "left": of(self.left),
            "says": self.verdict,
        }

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def render(
        self,
        path: str | os.PathLike[str] | BinaryIO | None = None,
        *,
        width: int = 1600,
        height: int = 900,
        theme: str = "dark",
    ) -> Path | bytes | None:
        """
        Draw both heatmaps, and how alike they are column by column, as PNG.

        Parameters
        ----------
        path : path or binary file, optional
            Where to; without it the bytes are returned.
        width, height : int
            Pixels, at least 360 and 480.
        theme : {"dark", "light"}

        Raises
        ------
        InvalidConfigError
            If the size or theme cannot be, or the path does not end in ``.png``.
        LiqcoreError
            If Pillow is not installed.
        """
        from .compare_picture import LEAST_HEIGHT, LEAST_WIDTH, layout

        software = f"liqcore {self.version}"
        return draw_png(
            lambda measure: layout(self, width=width, height=height, theme=theme, software=software, measure=measure),
            path,
            (width, height),
            theme,
            least=(LEAST_WIDTH, LEAST_HEIGHT),
        )

    def __repr__(self) -> str:
        return f"<Comparison: {len(self.times)} columns by {len(self.edges) - 1} rows, {self.cells.column_mid:.2f}>"


def compare(first: Any, second: Any, *, side: str = "both", names: Sequence[str] | None = None) -> Comparison:
    """
    Lay two heatmaps of one market beside each other.

    They are brought to the same cells: the rows of the one whose rows are higher (amounts of the other are spread
    evenly over its own rows), the prices and times that both show, and the columns of the one whose columns are
    longer, each with what the other knew at its end. Only ranks and shares are compared, so their scales do not matter.

    Parameters
    ----------
    first, second : Heatmap
        Ours, or a vendor's that `read_response` gave.
    side : {"both", "long", "short"}, optional
    names : two str, optional
        What they are called; venue, symbol and model if left out.

    Raises
    ------
    InvalidConfigError
        If they have fewer than two columns or rows in common, or no price is known.

    Notes
    -----
    Nearly all maps are alike, because levels gather at the same distances from past prices. So the comparison is made a
    second time with what is left: the logarithm of each cell less its mean over all columns at its distance from the
    price (40 bands a side).

    Examples
    --------
    >>> import liqcore as lq
    >>> hm = lq.heatmap(trades=lq.simulate(days=0.3, trades_per_day=40_000).trades)
    >>> round(lq.compare(hm, hm.reweigh({10: 1.0})).left.column_mid, 1) < 1
    True
    >>> lq.compare(hm, hm).left.column_mid
    1.0
    """
    if side not in ("both", "long", "short"):
        raise InvalidConfigError(f'side must be "both", "long" or "short", was {side!r}')
    called = [_name(heatmap) for heatmap in (first, second)] if names is None else list(names)
    if len(called) != 2:
        raise InvalidConfigError(f"names must be two, were {called!r}")
    edges = _edges(first, second)
    at, ends = _columns(first, second)
    values = [_cells(heatmap, column, edges, side) for heatmap, column in zip((first, second), at, strict=True)]
    price = _prices(first, at[0])
    if not np.isfinite(price).any():
        price = _prices(second, at[1])
    if not np.isfinite(price).any():
        raise InvalidConfigError("first or second must know a last price, neither does")
    known = np.isfinite(price)
    values, price, ends = [each[known] for each in values], price[known], ends[known]
    if len(ends) < 2:
        raise InvalidConfigError("first and second must have two columns with a price in common, had fewer")
    left = [_left(each, edges, price) for each in values]
    by_column = np.stack([_spearmans(*values), _spearmans(*left)])
    return Comparison(
        times=ends,
        edges=edges,
        price=price,
        first=values[0],
        second=values[1],
        by_column=by_column,
        cells=_alike("cells", values[0], values[1], by_column[0]),
        left=_alike("left", left[0], left[1], by_column[1]),
        names=(called[0], called[1]),
        synthetic=any(bool(heatmap.meta.get("synthetic")) for heatmap in (first, second)),
        version=str(first.meta.get("version") or second.meta.get("version") or ""),
    )


def _name(heatmap: Any) -> str:
    meta = heatmap.meta
    keys = ("venue", "symbol") if meta.get("vendor") else ("venue", "symbol", "model")
    parts = [str(meta[key]) for key in keys if meta.get(key)]
    return " ".join(parts) or "a heatmap"


# --- the same cells ---


def _edges(first: Any, second: Any) -> Floats:
    """Rows of the one with the higher rows, as far as both show prices."""
    for heatmap, name in ((first, "first"), (second, "second")):
        if not len(heatmap.prices) or not len(heatmap.times):
            raise InvalidConfigError(f"{name} must have cells, had none")
    coarse, fine = (first, second) if first.step >= second.step else (second, first)
    edges = np.append(coarse.prices, coarse.prices[-1] + coarse.step)
    slack = 1e-9 * coarse.step
    low, high = float(fine.prices[0]) - slack, float(fine.prices[-1]) + fine.step + slack
    inside = edges[(edges >= low) & (edges <= high)]
    if len(inside) < 3:
        raise InvalidConfigError(
            f"first and second must have at least two rows of prices in common, were {first.prices[0]:g} to "
            f"{first.prices[-1] + first.step:g} and {second.prices[0]:g} to {second.prices[-1] + second.step:g}"
        )
    return np.asarray(inside, np.float64)


def _columns(first: Any, second: Any) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]:
    """Columns of the one with the longer columns, and the last complete one that the other knew at their ends."""
    ends = [heatmap.times + heatmap.window_ns for heatmap in (first, second)]
    slow = 0 if first.window_ns >= second.window_ns else 1
    heatmaps = (first, second)
    at = np.flatnonzero(heatmaps[slow].complete)
    mine = ends[slow][at]
    theirs = np.searchsorted(ends[1 - slow][heatmaps[1 - slow].complete], mine, side="right") - 1
    fresh = (theirs >= 0) & (mine - ends[1 - slow][np.maximum(theirs, 0)] < heatmaps[1 - slow].window_ns)
    if fresh.sum() < 2:
        spans = " and ".join(f"{iso(int(end[0]))} to {iso(int(end[-1]))}" for end in ends)
        raise InvalidConfigError(f"first and second must have two columns of the same time, were {spans}")
    pair = (at[fresh], theirs[fresh])
    return (pair if slow == 0 else (pair[1], pair[0])), mine[fresh]


def _cells(heatmap: Any, at: NDArray[np.int64], edges: Floats, side: str) -> Floats:
    """Amounts of some columns in other rows: a row's amount lies evenly in it."""
    own = np.append(heatmap.prices, heatmap.prices[-1] + heatmap.step)
    out = np.empty((len(at), len(edges) - 1))
    for start in range(0, len(at), _PIECE):
        piece = at[start : start + _PIECE]
        longs, shorts = heatmap.block(int(piece[0]), int(piece[-1] - piece[0]) + 1, 0, len(heatmap.prices))
        rows = piece - piece[0]
        amounts = longs[rows] if side == "long" else shorts[rows] if side == "short" else longs[rows] + shorts[rows]
        total = np.concatenate((np.zeros((len(piece), 1)), np.cumsum(amounts, axis=1, dtype=np.float64)), axis=1)
        place = np.interp(edges, own, np.arange(len(own)))
        low = np.minimum(place.astype(np.int64), len(own) - 2)
        share = place - low
        below = total[:, low] * (1.0 - share) + total[:, low + 1] * share
        out[start : start + _PIECE] = np.maximum(np.diff(below, axis=1), 0.0)
    scale = out.max()
    out[out < 1e-12 * scale] = 0.0  # what differences of sums leave of nothing
    return out


def _prices(heatmap: Any, at: NDArray[np.int64]) -> Floats:
    closes = np.asarray(heatmap.candles["close"], np.float64)
    known = np.maximum.accumulate(np.where(np.isnan(closes), -1, np.arange(len(closes))))
    filled = np.where(known >= 0, closes[np.maximum(known, 0)], np.nan)
    return np.asarray(filled[at], np.float64)


# --- how alike ---


def _left(values: Floats, edges: Floats, price: Floats) -> Floats:
    """Logarithms of 1 + amount / mean less their mean, over all columns, at the same distance from the price."""
    positive = values[values > 0]
    logs = np.log1p(values / (positive.mean() if len(positive) else 1.0))
    middles = (edges[:-1] + edges[1:]) / 2
    away = np.log(middles[None, :] / price[:, None])
    width = np.quantile(np.abs(away), 0.99) / _BANDS or 1.0
    band = np.clip(np.floor(away / width), -_BANDS, _BANDS - 1).astype(np.int64) + _BANDS
    count = np.bincount(band.ravel(), minlength=2 * _BANDS)
    mean = np.bincount(band.ravel(), logs.ravel(), minlength=2 * _BANDS) / np.maximum(count, 1)
    return np.asarray(logs - mean[band], np.float64)


def _ranks(values: Floats) -> Floats:
    """Mean ranks of each row, ties sharing theirs."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    new = np.concatenate((np.ones((len(values), 1), np.bool_), ordered[:, 1:] != ordered[:, :-1]), axis=1)
    start = np.maximum.accumulate(np.where(new, np.arange(values.shape[1]), 0), axis=1)
    flipped = np.concatenate((new[:, 1:], np.ones((len(values), 1), np.bool_)), axis=1)[:, ::-1]
    back = np.maximum.accumulate(np.where(flipped, np.arange(values.shape[1]), 0), axis=1)[:, ::-1]
    end = values.shape[1] - 1 - back
    ranks = np.empty_like(values)
    np.put_along_axis(ranks, order, (start + end) / 2.0, axis=1)
    return ranks


def _pearsons(first: Floats, second: Floats) -> Floats:
    """Correlation of each row; NaN where one is everywhere the same."""
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (first, second))
    under = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(under > 0, (a * b).sum(axis=1) / under, np.nan)


def _spearmans(first: Floats, second: Floats) -> Floats:
    return _pearsons(_ranks(first), _ranks(second))


def _alike(name: str, first: Floats, second: Floats, by_column: Floats) -> Alike:
    a, b = first.reshape(1, -1), second.reshape(1, -1)
    low, mid, high = _quartiles(by_column)
    moving = (np.ptp(first, axis=0) > 0) & (np.ptp(second, axis=0) > 0)
    rows = _spearmans(first.T[moving], second.T[moving]) if moving.any() else np.empty(0)
    count = max(round(TOP * first.shape[1]), 1)
    tops = [np.argsort(-each, axis=1, kind="stable")[:, :count] for each in (first, second)]
    shared = np.mean([len(np.intersect1d(x, y)) / count for x, y in zip(*tops, strict=True)])
    return Alike(
        name=name,
        pearson=float(_pearsons(a, b)[0]),
        spearman=float(_spearmans(a, b)[0]),
        column_low=low,
        column_mid=mid,
        column_high=high,
        row_mid=_quartiles(rows)[1],
        top=float(shared),
        by_chance=count / first.shape[1],
    )


def _quartiles(values: Floats) -> tuple[float, float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return math.nan, math.nan, math.nan
    low, mid, high = np.quantile(known, [0.25, 0.5, 0.75])
    return float(low), float(mid), float(high)
