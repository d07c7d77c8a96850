"""What lies on the heatmap in its plot: gaps, data that ends, candles, guides, positions of one's own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from . import labels
from .captions import is_unfinished, missing
from .colours import is_hollow
from .contract import HeatmapLike, RenderOptions
from .own import Own
from .page import Page
from .picture import Box, Candle, Hatch, Line, Mark, Rect, Scale

_NAMED = 3  # gaps that are called so in the plot, the widest


def bands(heatmap: HeatmapLike, times: Scale, plot: Rect, page: Page, taken: list[Rect]) -> list[Mark]:
    """Lay out stretches without trades, and those where other data is missing, and name them."""
    marks: list[Mark] = []
    ended = missing(heatmap.meta)
    for row, (text, begin, end) in enumerate(ended):
        left = plot.left if begin is None else _inside(times.at(begin), plot)
        right = plot.right if end is None else _inside(times.at(end), plot)
        if right <= left:
            continue
        rect = Rect(left, plot.top, right, plot.bottom)
        marks += [Box(rect, "ended"), Hatch(rect, "hatch", page.em(0.7), page.stroke)]
        if begin is not None:
            marks.append(page.dashed(left, plot.top, left, plot.bottom, "guide"))
        write_tag(text, (left + right) / 2, plot.top + page.em(1.2) + row * page.em(1.9), plot, page, taken)
    found = []
    for begin, end in np.asarray(getattr(heatmap, "gaps", ())).reshape(-1, 2).tolist():
        left, right = _inside(times.at(begin), plot), _inside(times.at(end), plot)
        if begin < times.high and end > times.low:
            found.append((left, max(right, left + 1), end - begin))
    for left, right, _ in _joined(found):
        marks.append(Box(Rect(left, plot.top, right, plot.bottom), "gap"))
    for left, right, length in sorted(found, key=lambda gap: gap[0] - gap[1])[:_NAMED]:
        text = page.first_fitting(
            [f"no trades {labels.duration(length)}", f"gap {labels.duration(length)}", "gap"],
            right - left - page.em(1.2),
        )
        if text:
            write_tag(text, (left + right) / 2, plot.top + 0.75 * plot.height, plot, page, taken)
    return marks


def _inside(x: float, plot: Rect) -> int:
    return min(max(round(x), plot.left), plot.right)


def _joined(gaps: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Join gaps that share a pixel, so that no pixel is covered twice."""
    out: list[tuple[int, int, int]] = []
    for left, right, length in sorted(gaps):
        if out and left < out[-1][1]:
            out[-1] = (out[-1][0], max(right, out[-1][1]), out[-1][2])
        else:
            out.append((left, right, length))
    return out


def write_tag(text: str, x: float, y: float, plot: Rect, page: Page, taken: list[Rect], *, along: str = "down") -> None:
    """
    Write a text on its own ground inside the plot, where it belongs, or clear of others next to that.

    Parameters
    ----------
    x, y : float
        Its middle, pixels; moved into the plot.
    taken : list of Rect
        Where others are; it is added to them.
    along : {"down", "across"}
        Where else it may be: above and below, or to the right and left.
    """
    half, height = math.ceil(page.width_of(text) / 2) + page.em(0.5), page.em(0.9)
    x = min(max(x, plot.left + half + 1), plot.right - half - 1)
    y = min(max(y, plot.top + height + 1), plot.bottom - height - 1)
    for step in range(24):  # away from it, to either side in turn
        away = (step + 1) // 2 * (1 if step % 2 else -1)
        at_x, at_y = (x + away * page.em(3), y) if along == "across" else (x, y + away * page.em(2))
        rect = Rect(round(at_x) - half, round(at_y) - height, round(at_x) + half, round(at_y) + height)
        inside = (
            plot.left <= rect.left and rect.right <= plot.right and plot.top <= rect.top and rect.bottom <= plot.bottom
        )
        if inside and not any(_overlap(rect, other) for other in taken):
            taken.append(page.write_tag(text, at_x, at_y, "note"))
            return
    page.left_out.append(text)


def _overlap(a: Rect, b: Rect) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def candles(
    heatmap: HeatmapLike, options: RenderOptions, times: Scale, prices: Scale, plot: Rect, page: Page
) -> list[Mark]:
    """Lay out the candles, joining columns that would be under four pixels wide."""
    column_width = heatmap.window_ns / (times.high - times.low) * plot.width
    joined = math.ceil(4 / column_width)
    width = min(int(0.8 * joined * column_width), page.em(1.4)) - 1 | 1  # odd, so that the wick is in the middle
    names = ("open", "high", "low", "close")
    opens, highs, lows, closes = (heatmap.candles[name] for name in names)
    traded = np.isfinite(opens) & np.isfinite(highs) & np.isfinite(lows) & np.isfinite(closes)
    out: list[Mark] = []
    columns = len(heatmap.times)
    for stop in range(columns, 0, -joined):  # from the last back, so that it is the first that may be an incomplete one
        start = max(stop - joined, 0)
        some = np.flatnonzero(traded[start:stop])
        if len(some) == 0:
            continue
        begin, end = int(heatmap.times[start]), int(heatmap.times[stop - 1]) + heatmap.window_ns
        first, last = float(opens[start + some[0]]), float(closes[start + some[-1]])
        part = slice(start, stop)
        highest, lowest = float(np.fmax.reduce(highs[part])), float(np.fmin.reduce(lows[part]))
        high, top, bottom, low = (prices.at(price) for price in (highest, max(first, last), min(first, last), lowest))
        role = "up" if last >= first else "down"
        hollow = is_hollow(role, options.candle_colors, options.candle_style)
        out.append(Candle(times.at((begin + end) / 2), high, top, bottom, low, width, role, hollow))
    return out


def guides(heatmap: HeatmapLike, last: float | None, times: Scale, prices: Scale, plot: Rect, page: Page) -> list[Mark]:
    """Lay out where an unfinished column begins, and the last price."""
    marks: list[Mark] = []
    if is_unfinished(heatmap):
        x = max(round(times.at(float(heatmap.times[-1]))), plot.left)
        marks.append(page.dashed(x, plot.top, x, plot.bottom, "guide"))
    if last is not None:
        y = round(prices.at(last))
        marks.append(page.dashed(plot.left, y, plot.right, y, "guide"))
    return marks


def own_bands(own: Sequence[Own], prices: Scale, plot: Rect, role: str, *, upright: bool = False) -> list[Mark]:
    """Lay out what lies between entry and liquidation price of positions of one's own; `upright` on a map."""
    marks: list[Mark] = []
    for one in own:
        ends = [_across(round(prices.at(price)), plot, upright) for price in one.prices]
        left, right = max(min(rect.left for rect in ends), plot.left), min(max(rect.right for rect in ends), plot.right)
        top, bottom = max(min(rect.top for rect in ends), plot.top), min(max(rect.bottom for rect in ends), plot.bottom)
        if right > left and bottom > top:
            marks.append(Box(Rect(left, top, right, bottom), role))
    return marks


def own_lines(
    own: Sequence[Own], prices: Scale, plot: Rect, page: Page, taken: list[Rect], role: str, *, upright: bool = False
) -> list[Mark]:
    """Lay out entry and liquidation price of positions of one's own, and name them; `upright` on a map."""
    marks: list[Mark] = []
    for one in own:
        for text, price, is_entry in zip(one.words, one.prices, (True, False), strict=False):
            at = round(prices.at(price))
            ends = _across(at, plot, upright)
            x0, y0, x1, y1 = ends.left, ends.top, ends.right, ends.bottom
            line = Line(x0, y0, x1, y1, role, 2 * page.stroke)
            marks.append(line if is_entry else page.dashed(x0, y0, x1, y1, role, 2))
            if upright and plot.left <= at < plot.right:
                write_tag(text, at, plot.top + page.em(1.1), plot, page, taken)
            elif not upright and plot.top <= at < plot.bottom:
                write_tag(text, plot.left, at - page.em(1.1), plot, page, taken, along="across")
    return marks


def _across(at: int, plot: Rect, upright: bool) -> Rect:
    """The line across the plot at a price."""
    return Rect(at, plot.top, at, plot.bottom) if upright else Rect(plot.left, at, plot.right, at)
