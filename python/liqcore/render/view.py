"""Which prices and times of a heatmap a picture shows, and what lies on its colour scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .captions import side_shown
from .cells import pooled
from .contract import HeatmapLike, RenderOptions
from .raster import colour_index, default_maximum, pixel_cells, pool_rows

OUTER = 0.005
"""Share of the candles that may lie outside the prices that are taken for where the market was, at either end."""

_MOST_POOLED = 1 << 26  # cells of pixels across times rows, of which levels may be looked for


class Span(NamedTuple):
    """Prices from ``low`` to ``high``."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """
    What is shown.

    Attributes
    ----------
    prices : Span
        Prices at the bottom and at the top edge.
    time_low, time_high : int
        Instants at the left and right edge, nanoseconds.
    cut : float
        Cells below it are hidden; 0.0: none.
    maximum : float
        Value at the top of the colour scale; 0.0 if every cell in view is zero.
    above_maximum : bool
        Whether cells in view are larger than that.
    entries : ndarray of uint8, shape (height, width) of the plot
        Entries of the colour table, top row first.
    covered_columns, covered_rows : ndarray of bool
        Where the heatmap has cells: across and, from the top, down the plot.
    """

    prices: Span
    time_low: int
    time_high: int
    cut: float
    maximum: float
    above_maximum: bool
    entries: NDArray[np.uint8]
    covered_columns: NDArray[np.bool_]
    covered_rows: NDArray[np.bool_]


def time_span(heatmap: HeatmapLike) -> tuple[int, int]:
    """Return the instants at the left and right edge of a picture, ns."""
    if not len(heatmap.times):
        return 0, heatmap.window_ns
    return int(heatmap.times[0]), int(heatmap.times[-1]) + heatmap.window_ns


def last_price(heatmap: HeatmapLike) -> float | None:
    """Return the last close; None where nothing traded."""
    closes = heatmap.candles["close"]
    closes = closes[np.isfinite(closes)]
    return float(closes[-1]) if len(closes) else None


def market_range(heatmap: HeatmapLike) -> Span | None:
    """Return where the market was, apart from its furthest wicks; None without candles."""
    lows, highs = (heatmap.candles[name][np.isfinite(heatmap.candles[name])] for name in ("low", "high"))
    last = last_price(heatmap)
    if not len(lows) or not len(highs) or last is None:
        return None
    return Span(min(float(np.quantile(lows, OUTER)), last), max(float(np.quantile(highs, 1 - OUTER)), last))


def widest_range(heatmap: HeatmapLike, options: RenderOptions, own: Sequence[float]) -> Span:
    """
    Return the prices that a picture may show: those asked for; else where the market was and as much again on either
    side, at least 3 % (where 33x and above are liquidated), and positions of one's own.
    """
    if options.price_range is not None:
        low, high = options.price_range
        return Span(float(low), float(high))
    if len(heatmap.prices) == 0:
        return Span(0.0, 1.0)
    market = market_range(heatmap)
    if market is None:
        return Span(float(heatmap.prices[0]), float(heatmap.prices[-1]) + heatmap.step)
    reach = _reach(market)
    low, high = market.low - reach, market.high + reach
    for price in own:
        low, high = min(low, price - 0.05 * reach), max(high, price + 0.05 * reach)
    return Span(low, max(high, low + heatmap.step))


def _reach(market: Span) -> float:
    return max(market.high - market.low, 0.03 * market.high)


def rows_in(heatmap: HeatmapLike, prices: Span) -> tuple[int, int]:
    """Return the first row that lies in some prices, at least in part, and the one behind the last."""
    first = max(int(np.searchsorted(heatmap.prices, prices.low, side="right")) - 1, 0)
    return first, max(int(np.searchsorted(heatmap.prices, prices.high, side="left")), first)


def shown(
    heatmap: HeatmapLike, options: RenderOptions, widest: Span, own: Sequence[float], width: int, height: int
) -> View:
    """
    Look at the cells once and choose what is shown of `widest`, as far as there are levels unless the prices are asked
    for, and the scale, on a plot of so many pixels.
    """
    time_low, time_high = time_span(heatmap)
    across = pixel_cells(
        (heatmap.times - time_low).astype(np.float64), float(heatmap.window_ns), 0.0, float(time_high - time_low), width
    )
    side = options.side if side_shown(heatmap.meta) == "both" else "both"
    first, stop = rows_in(heatmap, widest)
    largest = pooled(heatmap, side, across, first, stop)
    prices = widest
    if options.price_range is None and largest.size < _MOST_POOLED:
        prices = _with_levels(heatmap, widest, largest.max(axis=0, initial=0.0), first, own)
    down = pixel_cells(heatmap.prices[first:stop], heatmap.step, prices.low, prices.high, height)
    pixels = pool_rows(largest, down)
    maximum = options.maximum or default_maximum(pixels)
    cut = max(float(getattr(heatmap, "cut", 0.0)), (options.threshold or 0.0) * maximum)
    entries = colour_index(pixels, maximum or 1.0, options.scale, cut).T[::-1]
    return View(
        prices=prices,
        time_low=time_low,
        time_high=time_high,
        cut=cut,
        maximum=maximum,
        above_maximum=bool(pixels.max(initial=0.0) > np.float32(maximum)),
        entries=entries,
        covered_columns=across.stop > across.first,
        covered_rows=(down.stop > down.first)[::-1],
    )


def _with_levels(
    heatmap: HeatmapLike, widest: Span, peaks: NDArray[np.float32], first: int, own: Sequence[float]
) -> Span:
    """Leave out what has no levels, at either end; where the market and one's own positions are stays in view."""
    filled = np.flatnonzero(peaks > 0)
    market = market_range(heatmap)
    if not len(filled):
        if market is None:
            return widest
        levels = widest
    else:
        levels = Span(
            float(heatmap.prices[first + filled[0]]), float(heatmap.prices[first + filled[-1]]) + heatmap.step
        )
    if market is None:
        return levels
    margin = 0.05 * _reach(market)
    low, high = min([levels.low, market.low - margin]), max([levels.high, market.high + margin])
    for price in own:
        low, high = min(low, price - margin), max(high, price + margin)
    return Span(max(low, widest.low), min(high, widest.high))
