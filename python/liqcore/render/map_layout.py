"""
Where everything in the picture of a liquidation map goes, in pixels and numbers; nothing is drawn here.

::

    title                                                   SYNTHETIC DATA
    time, unit, model, estimate ...
    a fall to ... liquidates ..., a rise to ...
    legend of the layers
    longs, liquidated by a fall          shorts, liquidated by a rise
    value  +--------------------------------------------+  cumulative
           | bars stacked by layer, curves, last price  |
           +--------------------------------------------+
              prices
    leverage, trigger, age, version
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from . import captions, labels
from .colours import LAYERS
from .labels import Tick
from .map_contract import MapLike, MapOptions, check_map
from .page import Box, Measure, Page, Rect, Text, fit

Floats = NDArray[np.float64]
Curve = list[tuple[float, float]]
Across = Callable[[float], float]
"""The pixel of a price."""


@dataclass(frozen=True, slots=True)
class MapLayout:
    """
    A picture of a map in numbers.

    Attributes
    ----------
    plot : Rect
        The panel of bars and curves.
    price_low, price_high : float
        Prices at its left and right edge.
    layers : list of str
        What the bars are stacked of, lowest first: the map's layers, neighbours joined where there are too many.
    bars : list of Box
        Each the *sum* of as many whole bins as make it wide enough to see; its role is ``layer 0``, ``layer 1``, ...
    long, short : list of (float, float)
        The cumulative curves, pixels; empty where a side is.
    value_ticks : list of float
        Heights of the grid lines, pixels.
    price_ticks : list of Tick
        Positions of grid lines; their labels are in ``texts``.
    last_x : float or None
        Where the last price is, if it is in view.
    texts : list of Text
    boxes : list of Box
        Backgrounds of texts, and the squares of the legend.
    """

    width: int
    height: int
    plot: Rect
    price_low: float
    price_high: float
    layers: list[str]
    bars: list[Box]
    long: Curve
    short: Curve
    value_ticks: list[float]
    price_ticks: list[Tick]
    last_x: float | None
    texts: list[Text]
    boxes: list[Box]

    def x(self, price: float) -> float:
        """Return the pixel of a price."""
        return _x(price, self.price_low, self.price_high, self.plot)


def map_layout(shown: MapLike, options: MapOptions, measure: Measure) -> MapLayout:
    """
    Lay the picture of a map out.

    Parameters
    ----------
    shown : MapLike
    options : MapOptions
    measure : callable
        ``measure(text, size)`` is the width of a text, pixels.

    Raises
    ------
    InvalidConfigError
        If the arrays of the map do not fit each other.
    """
    check_map(shown)
    page = Page(options.width, options.height, measure)
    low, high = options.price_range or default_map_range(shown)
    names, layers = _joined(shown)
    longs, shorts = (np.nan_to_num(side).sum(axis=0) for side in (shown.long, shown.short))
    first = max(int(np.searchsorted(shown.prices + shown.step, low, side="right")), 0)
    stop = int(np.searchsorted(shown.prices, high, side="left"))
    view = slice(first, max(first, stop))
    # What a fall or a rise to each edge of a bin liquidates.
    falls, rises = np.append(np.cumsum(longs[::-1])[::-1], 0.0), np.append(0.0, np.cumsum(shorts))
    furthest = max(falls[first : stop + 1].max(initial=0.0), rises[first : stop + 1].max(initial=0.0))

    outside = _outside(shown, float(longs.sum() - longs[view].sum()), float(shorts.sum() - shorts[view].sum()))
    footer_top = page.write_footer(captions.map_footer_items(shown, outside))
    top = page.write_title(
        captions.title(shown.meta, "liquidation map", options.title), bool(shown.meta.get("synthetic"))
    )
    # As wide as a label can be: how wide they are depends on the bars, and the bars on the width that is left.
    side = page.margin + math.ceil(page.width_of("$88.8M")) + page.em(0.5)
    joined = _bins_per_bar(shown, (high - low) / (options.width - 2 * side), page)
    most = 1 if options.height < 320 else 4  # a small picture is for the bars
    top = page.write_lines(top, captions.map_header_items(shown, joined), most, role="muted")
    if not math.isnan(shown.price):
        top = _sentence(shown, top, page)
    top = _legend(names, top + page.em(0.3), page)
    sides_y = top + page.line * 0.7
    top += round(page.line * 1.5)
    plot = Rect(side, top, options.width - side, footer_top - round(page.line * 1.7))

    starts = _bar_starts(shown, view, joined)
    ends = [*starts[1:], view.stop] if len(starts) else []
    sums = np.zeros((len(layers), len(starts)))
    for row, layer in zip(sums, layers, strict=True):
        if len(starts):
            row[:] = np.add.reduceat(layer[: view.stop], starts)
    largest = float(sums.sum(axis=0).max(initial=0.0))
    x = partial(_x, low=low, high=high, plot=plot)
    bars = _bars(shown, sums, starts, ends, largest, x, plot)

    edges = np.unique([*starts, *ends]) if len(starts) else np.array([], np.intp)
    prices = np.append(shown.prices, shown.prices[-1:] + shown.step)
    curves = {
        side: _curve(prices[edges], values[edges], side, furthest, x, plot)
        for side, values in (("long", falls), ("short", rises))
    }
    if not largest:
        page.write_note("no data" if not len(shown.prices) else "no levels here: every bin is zero or hidden", plot)
    value_ticks = _value_axis(largest, plot, plot.left - page.em(0.5), "r", shown.unit, page)
    _value_axis(float(furthest), plot, plot.right + page.em(0.5), "l", shown.unit, page)
    last_x = x(shown.price) if low <= shown.price <= high else None
    price_ticks = _price_axis(shown, low, high, last_x, plot, page)
    _sides(shown, float(longs.sum()), float(shorts.sum()), sides_y, plot, page)
    return MapLayout(
        width=options.width,
        height=options.height,
        plot=plot,
        price_low=float(low),
        price_high=float(high),
        layers=names,
        bars=bars,
        long=curves["long"],
        short=curves["short"],
        value_ticks=value_ticks,
        price_ticks=price_ticks,
        last_x=last_x,
        texts=page.texts,
        boxes=page.boxes,
    )


def default_map_range(shown: MapLike) -> tuple[float, float]:
    """Return the prices shown unless others are asked for: see `MapOptions`."""
    if not len(shown.prices):
        return 0.0, 1.0
    low, high = float(shown.prices[0]), float(shown.prices[-1]) + shown.step
    price = shown.price
    if math.isnan(price):
        return low, high
    longs, shorts = (np.nan_to_num(side).sum(axis=0) for side in (shown.long, shown.short))
    falls, rises = np.cumsum(longs[::-1])[::-1], np.cumsum(shorts)
    # The first bin, from the price outwards, up to which nine tenths of the side are passed.
    down = np.flatnonzero(falls >= 0.9 * falls[0])[-1] if falls[0] > 0 else len(longs) - 1
    up = np.flatnonzero(rises >= 0.9 * rises[-1])[0] if rises[-1] > 0 else 0
    reach = (price - float(shown.prices[down]), float(shown.prices[up]) + shown.step - price)
    below, above = (min(max(1.03 * length, 0.03 * price), 0.25 * price) for length in reach)
    return price - below, price + above


def _x(price: float, low: float, high: float, plot: Rect) -> float:
    return plot.left + (price - low) / (high - low) * plot.width


def _joined(shown: MapLike) -> tuple[list[str], list[Floats]]:
    """Return the names of the layers and their bins, both sides together; neighbours are joined if they are many."""
    layers = shown.layers
    names, values = [], []
    for group in np.array_split(np.arange(len(layers)), min(len(LAYERS), len(layers)) or 1):
        if len(group):
            first, last = layers[group[0]].name, layers[group[-1]].name
            names.append(first if first == last else f"{first} to {last}")
            values.append(np.nan_to_num(np.sum([layers[k].long + layers[k].short for k in group], axis=0)))
    return names, values


def _sentence(shown: MapLike, top: int, page: Page) -> int:
    """Write the sentence of the map, in two lines where one is too long; return the bottom."""
    text = shown.sentence()
    text = text[0].upper() + text[1:]
    whole = f"{text}: the largest clusters"
    lines = [whole] if page.width_of(whole) <= page.width - 2 * page.margin else text.split(", ", 1)
    for line in lines:
        top = page.write_lines(top, [line], most=1)
    return top


def _outside(shown: MapLike, longs: float, shorts: float) -> str:
    """Say how much lies outside the prices shown."""
    base = str(shown.meta.get("base") or "")
    sides = (("longs", longs, shown.long), ("shorts", shorts, shown.short))
    parts = [
        f"{labels.amount(value, shown.unit, base)} of {side}"
        for side, value, cells in sides
        if value > 1e-9 * np.nansum(cells)  # the rest of a subtraction is nothing
    ]
    return f"{' and '.join(parts)} outside the prices shown" if parts else ""


def _legend(names: list[str], top: int, page: Page) -> int:
    """Write the names of the layers beside their colours, in as many lines as it takes; return the bottom."""
    left, y, half = page.margin, top + page.line * 0.5, page.em(0.35)
    for k, name in enumerate(names):
        width = page.em(1.2) + math.ceil(page.width_of(name)) + page.em(1.4)
        if left > page.margin and left + width > page.width - page.margin:
            left, y = page.margin, y + page.line
        page.boxes.append(Box(Rect(left, round(y) - half, left + 2 * half, round(y) + half), f"layer {k}"))
        page.write(left + page.em(1.2), y, name)
        left += width
    return round(y + page.line * 0.5) if names else top


def _sides(shown: MapLike, longs: float, shorts: float, y: float, plot: Rect, page: Page) -> None:
    """Write above the plot which side is which, with its total."""
    base = str(shown.meta.get("base") or "")
    room = plot.width / 2 - page.em(1)
    sides = (("long", longs, "fall", plot.left, "l"), ("short", shorts, "rise", plot.right, "r"))
    for side, total, move, x, align in sides:
        text = f"{side}s, liquidated by a {move}: {labels.amount(total, shown.unit, base)} in all"
        page.write(x, y, fit(text, room, page.width_of), align)


def _bins_per_bar(shown: MapLike, price_per_pixel: float, page: Page) -> int:
    """How many bins are joined so that a bar is wide enough to see."""
    return max(math.ceil(max(page.em(0.25), 3) * price_per_pixel / shown.step), 1)


def _bar_starts(shown: MapLike, view: slice, joined: int) -> NDArray[np.intp]:
    """The first bin of each bar: one of them begins at the price's bin, so that no bar mixes the sides."""
    if view.stop <= view.start:
        return np.array([], np.intp)
    at = 0 if math.isnan(shown.price) else int(np.searchsorted(shown.prices, shown.price, side="right")) - 1
    first = view.start + (at - view.start) % joined
    return np.unique([view.start, *range(first, view.stop, joined)]).astype(np.intp)


def _bars(
    shown: MapLike,
    sums: Floats,
    starts: NDArray[np.intp],
    ends: list[int],
    largest: float,
    x: Across,
    plot: Rect,
) -> list[Box]:
    """Lay the stacked bars out, the lowest layer at the bottom."""
    bars = []
    for bar, (start, end) in enumerate(zip(starts, ends, strict=True)):
        left = max(round(x(float(shown.prices[start]))), plot.left)
        right = min(round(x(float(shown.prices[end - 1]) + shown.step)), plot.right)
        if right - left >= 4:
            right -= 1  # a gap between bars that are wide enough
        height = 0.0
        for layer, values in enumerate(sums):
            if not values[bar] > 0 or right <= left:
                continue
            bottom = round(_y(height, largest, plot))
            height += float(values[bar])
            top = round(_y(height, largest, plot))
            if bottom > top:
                bars.append(Box(Rect(left, top, right, bottom), f"layer {layer}"))
    return bars


def _y(value: float, most: float, plot: Rect) -> float:
    """Return the pixel of a value; the largest ends a little below the top."""
    return plot.bottom - value / (1.04 * most) * plot.height


def _curve(prices: Floats, values: Floats, side: str, most: float, x: Across, plot: Rect) -> Curve:
    """Lay a cumulative curve out, from its zero at the price outwards."""
    some = np.flatnonzero(values > 0)
    if not len(some):
        return []
    # One more point, at zero, where the side begins.
    first, end = (some[0], some[-1] + 2) if side == "long" else (max(some[0] - 1, 0), some[-1] + 1)
    points = zip(prices[first:end].tolist(), values[first:end].tolist(), strict=True)
    return [(min(max(x(price), plot.left), plot.right - 1), _y(value, most, plot)) for price, value in points]


def _value_axis(most: float, plot: Rect, x: float, align: str, unit: str, page: Page) -> list[float]:
    """Write round values beside the plot; return their heights."""
    if not most > 0:
        page.write(x, plot.bottom - page.em(0.5), labels.amount(0.0, unit), align, "muted")
        return []
    step = labels.round_step(most, max(min(plot.height // page.em(3), 8), 1))
    ticks = []
    for k in range(math.floor(most / step + 1e-9) + 1):
        at = _y(k * step, most, plot)
        y = min(max(at, plot.top + page.em(0.5)), plot.bottom - page.em(0.5))
        page.write(x, y, labels.amount(k * step, unit), align, "muted")
        ticks.append(at)
    return ticks


def _price_axis(shown: MapLike, low: float, high: float, last_x: float | None, plot: Rect, page: Page) -> list[Tick]:
    """Write the prices below the plot and, in a box, the last one."""
    y = plot.bottom + page.line * 0.95
    taken: list[tuple[float, float]] = []
    if last_x is not None:
        text = labels.price_text(shown.price)
        half = page.width_of(text) / 2 + page.em(0.5)
        at = min(max(last_x, plot.left + half), plot.right - half)
        height = page.em(0.7)
        page.boxes.append(Box(Rect(round(at - half), round(y) - height, round(at + half), round(y) + height), "last"))
        page.write(at, y, text, "m", "last")
        taken.append((at - half, at + half))
    widest = max(page.width_of(tick.label) for tick in labels.price_ticks(low, high, 4))
    ticks = labels.price_ticks(low, high, max(int(plot.width // (widest + page.em(2.5))), 2))
    for tick in ticks:
        x, half = _x(tick.at, low, high, plot), page.width_of(tick.label) / 2 + page.em(0.4)
        if plot.left <= x <= plot.right and all(x + half < left or x - half > right for left, right in taken):
            if x - half < page.margin / 2 or x + half > page.width - page.margin / 2:
                continue
            page.write(x, y, tick.label, "m", "muted")
            taken.append((x - half, x + half))
    return ticks
