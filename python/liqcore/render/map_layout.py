"""
Describes the picture of a liquidation map.

::

    title                                                   SYNTHETIC DATA
    estimate, part shown, scale, time, unit ...
    a fall to ... reaches ..., a rise to ...
    legend of the layers
    longs, reached by a fall                  shorts, reached by a rise
    value  +--------------------------------------------+  cumulative
           | bars stacked by layer, curves, last price  |
           +--------------------------------------------+
              prices
    leverage, trigger, age, version

Where a picture is too small for all of these lines, they go in this order: the header's third and further lines and the
footer's second, the sentence's second, the footer, the header's second line, the sentence, the legend.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import captions, labels
from .colours import LAYERS, palette
from .map_contract import MapLike, MapOptions, check_map
from .own import Own, owned
from .page import Measure, Page
from .picture import Box, Curve, Line, Mark, Panel, Picture, Rect, Scale
from .plot import own_bands, own_lines

Floats = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]


class Layer(NamedTuple):
    """What bars are stacked of: one tier, or neighbours where there are too many; both sides together."""

    name: str
    short_name: str
    role: str
    cells: Floats


def map_layout(shown: MapLike, options: MapOptions, measure: Measure) -> Picture:
    """
    Describe the picture of a map.

    Parameters
    ----------
    shown : MapLike
    options : MapOptions
    measure : callable
        ``measure(text, size)`` is the width of a text, pixels.

    Raises
    ------
    InvalidConfigError
        If the arrays of the map do not fit each other, or nothing says the margin terms of positions.
    """
    check_map(shown)
    page = Page(options.width, options.height, measure)
    layers = _layers(shown)
    longs, shorts = (np.nan_to_num(side).sum(axis=0) for side in (shown.long, shown.short))
    own = owned(shown.meta, options.positions or (), shown.prices, shown.step, longs + shorts)  # type: ignore[arg-type]
    low, high = options.price_range or _with_own(default_map_range(shown), shown.price, own)
    first = max(int(np.searchsorted(shown.prices + shown.step, low, side="right")), 0)
    stop = int(np.searchsorted(shown.prices, high, side="left"))
    view = slice(first, max(first, stop))
    # What a fall or a rise to each edge of a bin reaches.
    falls, rises = np.append(np.cumsum(longs[::-1])[::-1], 0.0), np.append(0.0, np.cumsum(shorts))
    furthest = float(max(falls[first : stop + 1].max(initial=0.0), rises[first : stop + 1].max(initial=0.0)))

    legend = _legend_rows(layers, page)
    below = round(page.line * 1.7)
    taken = page.title_height + page.em(0.3) + round(page.line * 1.5) + below + page.bottom_margin
    share = _Lines.of(page.lines_beside_plot(taken), len(legend))
    outside = _outside(shown, float(longs.sum() - longs[view].sum()), float(shorts.sum() - shorts[view].sum()))
    footer_top = page.write_footer(captions.map_footer_items(shown, outside), share.footer)
    title = captions.title(shown.meta, "liquidation map", options.title)
    synthetic = bool(shown.meta.get("synthetic"))
    top = page.write_title(title, synthetic)
    # As wide as a label can be: how wide they are depends on the bars, and the bars on the width that is left.
    side = page.margin + math.ceil(page.width_of("$88.8M")) + page.em(0.5)
    joined = _bins_per_bar(shown, (high - low) / (options.width - 2 * side), page)
    if legend and not share.legend:
        page.write_beside_title([(layer.role, layer.short_name) for layer in layers])
    items = captions.map_header_items(shown, own, joined * shown.step, share.header)
    top = page.write_lines(top, items, share.header, role="muted")
    top = _sentence(shown, top, share.sentence, page)
    if share.legend:
        top = _write_legend(legend, share.legend, top + page.em(0.3), page)
    sides_y = top + page.line * 0.7
    plot = Rect(side, top + round(page.line * 1.5), options.width - side, footer_top - below)
    prices = Scale("price", float(low), float(high), plot.left, plot.right)

    starts = _bar_starts(shown, view, joined)
    ends = [*starts[1:], view.stop] if len(starts) else []
    sums = np.zeros((len(layers), len(starts)))
    for row, layer in zip(sums, layers, strict=True):
        if len(starts):
            row[:] = np.add.reduceat(layer.cells[: view.stop], starts)
    largest = float(sums.sum(axis=0).max(initial=0.0))
    unit = captions.unit_name(shown.unit, shown.meta)
    amounts, totals = (_value_scale(unit, most, plot) for most in (largest, furthest))
    if not largest:
        page.write_note("no data" if not len(shown.prices) else "no levels here: every bin is zero or hidden", plot)
    value_ticks = _value_axis(largest, amounts, plot, plot.left - page.em(0.5), "r", shown.unit, page)
    _value_axis(furthest, totals, plot, plot.right + page.em(0.5), "l", shown.unit, page)
    price_ticks = _price_axis(shown, prices, plot, page)
    _sides(shown, {"long": float(longs.sum()), "short": float(shorts.sum())}, sides_y, plot, page)

    marks: list[Mark] = [Line(plot.left, y, plot.right, y, "line") for y in value_ticks]
    marks += [Line(x, plot.top, x, plot.bottom, "line") for x in price_ticks]
    marks += own_bands(own, prices, plot, "map own band", upright=True)
    marks += _bars(shown, layers, sums, starts, ends, prices, amounts, plot)
    edges = np.unique([*starts, *ends]) if len(starts) else np.array([], np.intp)
    bounds = np.append(shown.prices, shown.prices[-1:] + shown.step)
    thick = max(round(min(options.width, options.height) / 300), 2)
    for which, values in (("long", falls), ("short", rises)):
        points = _curve(bounds[edges], values[edges], which, prices, totals, plot)
        if len(points) > 1:
            marks.append(Curve(points, "curve", thick, edge=2))
    if low <= shown.price <= high:
        x = min(round(prices.at(shown.price)), plot.right - 1)
        marks.append(page.dashed(x, plot.top, x, plot.bottom, "map last", 2))
    marks += own_lines(own, prices, plot, page, [], "map own", upright=True)
    return Picture(
        kind="map",
        width=options.width,
        height=options.height,
        theme=options.theme,
        colours=palette(options.theme, "green-red"),
        title=" · ".join(title),
        panels=(Panel("plot", plot, "panel", tuple(marks)),),
        scales={"price": prices, "bars": amounts, "curves": totals},
        boxes=tuple(page.boxes),
        texts=tuple(page.texts),
        left_out=tuple(page.left_out),
        software=captions.software(shown.meta),
        synthetic=synthetic,
        source=shown,
        options=options,
    )


@dataclass(slots=True)
class _Lines:
    """How many lines each part of the text gets."""

    header: int = 1
    legend: int = 0
    sentence: int = 0
    footer: int = 0

    @classmethod
    def of(cls, lines: int, legend: int) -> _Lines:
        """Share lines out; the first of the header is always there."""
        share = cls()
        order = ["legend"] * legend + ["sentence", "header", "footer", "sentence", "footer", "header", "header"]
        for part in order[: max(lines - 1, 0)]:
            setattr(share, part, getattr(share, part) + 1)
        return share


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
    only = captions.side_shown(shown.meta)
    if only != "both":  # a little beyond the price, where nothing is shown
        below, above = (0.1 * above, above) if only == "short" else (below, 0.1 * below)
    return price - below, price + above


def _with_own(prices: tuple[float, float], last: float, own: Sequence[Own]) -> tuple[float, float]:
    """Take in positions of one's own that are not too far away."""
    near = [price for one in own for price in one.prices if not abs(price / last - 1) > 0.3]
    margin = 0.03 * (prices[1] - prices[0])
    return min([prices[0], *(price - margin for price in near)]), max([prices[1], *(price + margin for price in near)])


def grouped(shown: MapLike) -> list[tuple[str, str, str, list[int]]]:
    """
    Return name, short name, role and numbers of the layers that bars are stacked of; of many, neighbours are joined.

    A tier has the colour that it has among all tiers, whichever of them are shown.
    """
    tiers, layers = shown.tiers.tolist(), shown.layers
    every = [float(tier) for tier in shown.meta.get("tiers", tiers)]
    if not set(tiers) <= set(every):
        every = tiers
    out = []
    for k, group in enumerate(np.array_split(np.array(every), min(len(LAYERS), len(every)) or 1)):
        at = [i for i, tier in enumerate(tiers) if tier in group]
        if not at:
            continue
        names = [layers[i].name for i in (at[0], at[-1])]
        is_one = names[0] == names[1]
        short_name = names[0] if is_one else f"{names[0].removesuffix('x')}-{names[1]}"
        out.append((names[0] if is_one else f"{names[0]} to {names[1]}", short_name, f"layer {k}", at))
    return out


def _layers(shown: MapLike) -> list[Layer]:
    """Return the layers that bars are stacked of, lowest first."""
    layers = shown.layers
    return [
        Layer(name, short, role, np.nan_to_num(np.sum([layers[i].long + layers[i].short for i in at], axis=0)))
        for name, short, role, at in grouped(shown)
    ]


def _legend_rows(layers: Sequence[Layer], page: Page) -> list[list[tuple[float, str, str]]]:
    """Set the names of the layers in lines: left end, role and name of each; short names where that saves lines."""
    room = page.width - page.margin

    def rows(names: Sequence[str]) -> list[list[tuple[float, str, str]]]:
        out: list[list[tuple[float, str, str]]] = [[]]
        left = float(page.margin)
        for layer, name in zip(layers, names, strict=True):
            width = page.em(1.2) + math.ceil(page.width_of(name)) + page.em(1.4)
            if out[-1] and left + width - page.em(1.4) > room:
                out.append([])
                left = float(page.margin)
            out[-1].append((left, layer.role, name))
            left += width
        return out if layers else []

    full, short = rows([layer.name for layer in layers]), rows([layer.short_name for layer in layers])
    return full if len(full) <= len(short) else short


def _write_legend(rows: list[list[tuple[float, str, str]]], most: int, top: int, page: Page) -> int:
    """Write at most so many lines of the legend; return the bottom."""
    page.left_out += [name for row in rows[most:] for _, _, name in row]
    for number, row in enumerate(rows[:most]):
        y = top + (number + 0.5) * page.line
        for left, role, name in row:
            page.square(left, y, role)
            page.write(left + page.em(1.2), y, name)
    return top + len(rows[:most]) * page.line


def _sentence(shown: MapLike, top: int, most: int, page: Page) -> int:
    """Write the sentence of the map, in two lines where one is too long; return the bottom."""
    if math.isnan(shown.price):
        return top
    text = shown.sentence()
    is_one = captions.side_shown(shown.meta) != "both"
    text = text[0].upper() + text[1:]
    bare = text.removesuffix(f" ({labels.scale_text(shown.meta)})")  # the header says it
    clusters = f"the largest cluster{'' if is_one else 's'}"
    if line := page.first_fitting([f"{text}: {clusters}", f"{bare}: {clusters}", bare], page.width - 2 * page.margin):
        return page.write_lines(top, [line], most)
    if most < 2:
        page.left_out.append(text)
        return top
    for line in re.split(r", (?=a rise to |no shorts )", bare):
        top = page.write_lines(top, [line], 1)
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


def _sides(shown: MapLike, totals: dict[str, float], y: float, plot: Rect, page: Page) -> None:
    """Write above the plot which side is which, with its total."""
    base = str(shown.meta.get("base") or "")
    only = captions.side_shown(shown.meta)
    verb = "liquidated" if labels.is_fitted(shown.meta) else "reached"
    for side, move, x, align in (("long", "fall", plot.left, "l"), ("short", "rise", plot.right, "r")):
        if only not in ("both", side):
            continue
        total = labels.amount(totals[side], shown.unit, base)
        words = [f"{side}s, {verb} by a {move}: {total} in all", f"{side}s {total} in all", f"{side}s {total}", total]
        page.write(x, y, page.first_fitting(words, plot.width / 2 - page.em(1)), align)


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
    layers: Sequence[Layer],
    sums: Floats,
    starts: NDArray[np.intp],
    ends: list[int],
    prices: Scale,
    amounts: Scale,
    plot: Rect,
) -> list[Mark]:
    """Lay the stacked bars out, the lowest layer at the bottom."""
    bars: list[Mark] = []
    for bar, (start, end) in enumerate(zip(starts, ends, strict=True)):
        left = max(round(prices.at(float(shown.prices[start]))), plot.left)
        right = min(round(prices.at(float(shown.prices[end - 1]) + shown.step)), plot.right)
        if right - left >= 4:
            right -= 1  # a gap between bars that are wide enough
        height = 0.0
        for layer, values in zip(layers, sums, strict=True):
            if not values[bar] > 0 or right <= left:
                continue
            bottom = round(amounts.at(height))
            height += float(values[bar])
            top = round(amounts.at(height))
            if bottom > top:
                bars.append(Box(Rect(left, top, right, bottom), layer.role))
    return bars


def _value_scale(unit: str, most: float, plot: Rect) -> Scale:
    """Return the scale of amounts; the largest ends a little below the top."""
    return Scale(unit, 0.0, 1.04 * most or 1.0, plot.bottom, plot.top)


def _curve(bounds: Floats, values: Floats, side: str, prices: Scale, totals: Scale, plot: Rect) -> Points:
    """Lay a cumulative curve out, from its zero at the price outwards."""
    some = np.flatnonzero(values > 0)
    if not len(some):
        return ()
    # One more point, at zero, where the side begins.
    first, end = (some[0], some[-1] + 2) if side == "long" else (max(some[0] - 1, 0), some[-1] + 1)
    points = zip(bounds[first:end].tolist(), values[first:end].tolist(), strict=True)
    return tuple((min(max(prices.at(price), plot.left), plot.right - 1), totals.at(value)) for price, value in points)


def _value_axis(most: float, scale: Scale, plot: Rect, x: float, align: str, unit: str, page: Page) -> list[int]:
    """Write round values beside the plot; return the heights of grid lines."""
    if not most > 0:
        page.write(x, plot.bottom - page.em(0.5), labels.amount(0.0, unit), align, "muted")
        return []
    step = labels.round_step(most, max(min(plot.height // page.em(3), 8), 1))
    ticks = []
    for k in range(math.floor(most / step + 1e-9) + 1):
        at = scale.at(k * step)
        y = min(max(at, plot.top + page.em(0.5)), plot.bottom - page.em(0.5))
        page.write(x, y, labels.amount(k * step, unit), align, "muted")
        ticks.append(min(round(at), plot.bottom - 1))
    return ticks


def _price_axis(shown: MapLike, prices: Scale, plot: Rect, page: Page) -> list[int]:
    """Write the prices below the plot and, in a box, the last one; return where grid lines are."""
    y = plot.bottom + page.line * 0.95
    taken: list[tuple[float, float]] = []
    if prices.low <= shown.price <= prices.high:
        text = labels.price_text(shown.price)
        half = page.width_of(text) / 2 + page.em(0.5)
        at = min(max(prices.at(shown.price), plot.left + half), plot.right - half)
        taken.append((at - half, at + half))
        height = page.em(0.7)
        page.boxes.append(Box(Rect(round(at - half), round(y) - height, round(at + half), round(y) + height), "last"))
        page.write(at, y, text, "m", "on last")
    widest = max(page.width_of(tick.label) for tick in labels.price_ticks(prices.low, prices.high, 4))
    ticks = labels.price_ticks(prices.low, prices.high, max(int(plot.width // (widest + page.em(2.5))), 2))
    for tick in ticks:
        x, half = prices.at(tick.at), page.width_of(tick.label) / 2 + page.em(0.4)
        if plot.left <= x <= plot.right and all(x + half < left or x - half > right for left, right in taken):
            if x - half < page.margin / 2 or x + half > page.width - page.margin / 2:
                continue
            page.write(x, y, tick.label, "m", "muted")
            taken.append((x - half, x + half))
    inside = (round(prices.at(tick.at)) for tick in ticks)
    return [min(x, plot.right - 1) for x in inside if plot.left <= x <= plot.right]
