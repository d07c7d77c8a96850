"""
Describes the picture of a heatmap.

::

    title                                  rising, falling  SYNTHETIC DATA
    estimate, part shown, scale, span ...                 shorts and longs
    +---+------------------------------------------+-----------+----------
    |bar| plot: heatmap, candles, last price       | profile   | prices
    +---+------------------------------------------+-----------+----------
    unit  times                                      0     max   UTC
    losses, age, trigger, leverage, colour scale, version

There are up to five lines above the plot and two below it. Where the plot would have less than half the height, they go
in this order: one above, the second below, those above down to two, the one below, one above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import captions, labels
from .cells import sides_of
from .colours import colour_table, is_hollow, palette
from .contract import HeatmapLike, RenderOptions, check_heatmap
from .own import owned
from .page import Measure, Page, fit
from .picture import Box, Line, Mark, Panel, Picture, Raster, Rect, Scale
from .plot import bands, candles, guides, own_bands, own_lines
from .view import Span, View, last_price, rows_in, shown, widest_range

Column = dict[str, NDArray[np.float64]]


def layout(heatmap: HeatmapLike, options: RenderOptions, measure: Measure) -> Picture:
    """
    Describe a picture.

    Parameters
    ----------
    heatmap : HeatmapLike
        What to show.
    options : RenderOptions
        How to show it.
    measure : callable
        ``measure(text, size)`` is the width of a text, pixels.

    Raises
    ------
    InvalidConfigError
        If the arrays of ``heatmap`` do not fit each other, or nothing says the margin terms of positions.
    """
    check_heatmap(heatmap)
    page = Page(options.width, options.height, measure)
    column = _last_column(heatmap, options)
    live = np.sum(list(column.values()), axis=0) if column else np.zeros(len(heatmap.prices))
    own = owned(heatmap.meta, options.positions or (), heatmap.prices, heatmap.step, live)  # type: ignore[arg-type]
    last = last_price(heatmap)
    marked = [price for one in own for price in one.prices if _is_near(price, last)]
    widest = widest_range(heatmap, options, marked)

    below = round(page.line * 1.35)
    lines = page.lines_beside_plot(page.title_height + page.em(0.4) + below + page.bottom_margin)
    footer_lines = min(lines // 3, 2)
    footer_top = page.write_footer(captions.footer_items(heatmap, options), footer_lines)
    axis_left = options.width - page.margin - page.em(0.9) - math.ceil(_prices_width(widest, last, page))
    profile_left = axis_left - max(round(options.width * 0.08), page.em(5.5))
    synthetic = bool(heatmap.meta.get("synthetic"))
    title = captions.title(heatmap.meta, "liquidation heatmap", options.title)
    top = page.write_title(title, synthetic)
    if last is not None:
        hollow = [role for role in ("up", "down") if is_hollow(role, options.candle_colors, options.candle_style)]
        page.write_beside_title([("up", "rising"), ("down", "falling")], *hollow)

    cut = max(float(getattr(heatmap, "cut", 0.0)), (options.threshold or 0.0) * (options.maximum or 0.0))
    plot_height = options.height - top - below - page.bottom_margin - lines * page.line  # at least
    joined = _rows_per_bar(heatmap, widest, max(plot_height, 1), page)
    header_lines = min(max(lines - footer_lines, 1), 5)
    bar = joined * heatmap.step if live.any() else 0.0
    items = captions.header_items(heatmap, options, cut, own, bar, header_lines)
    top = page.write_header(top, items, header_lines, _legend(heatmap, column, widest, page), profile_left)
    top, bottom = top + page.em(0.4), footer_top - below

    bar_left = page.margin + math.ceil(_amounts_width(heatmap, options, page)) + page.em(0.4)
    colour_bar = Rect(bar_left, top, bar_left + page.em(0.9), bottom)
    plot = Rect(colour_bar.right + page.em(0.8), top, profile_left - page.em(0.4), bottom)
    profile = Rect(profile_left, top, axis_left, bottom)

    view = shown(heatmap, options, widest, marked, plot.width, plot.height)
    prices = Scale("price", *view.prices, plot.bottom, plot.top)
    times = Scale("ns", view.time_low, view.time_high, plot.left, plot.right)
    price_ticks = _price_axis(prices, last, profile, page)
    time_ticks = _time_axis(heatmap, times, plot, axis_left, page)
    table = colour_table(options.colormap)
    colours, colour_marks = _colour_scale(heatmap, options, view, colour_bar, table, page)
    bars, amounts = _profile_bars(heatmap, column, prices, joined, profile, page)
    if not view.entries.any():
        empty = not len(heatmap.times) or not len(heatmap.prices)
        page.write_note("no data" if empty else "no levels here: every cell is zero or hidden", plot)
    marks: list[Mark] = [Raster(plot, view.entries, table), *_uncovered(view, plot)]
    marks += [Line(plot.left, round(prices.at(at)), plot.right, round(prices.at(at)), "grid") for at in price_ticks]
    marks += [Line(round(times.at(at)), plot.top, round(times.at(at)), plot.bottom, "grid") for at in time_ticks]
    taken: list[Rect] = []
    marks += bands(heatmap, times, plot, page, taken)
    marks += own_bands(own, prices, plot, "own band")
    marks += candles(heatmap, options, times, prices, plot, page)
    marks += guides(heatmap, last, times, prices, plot, page)
    marks += own_lines(own, prices, plot, page, taken, "own line")
    return Picture(
        kind="heatmap",
        width=options.width,
        height=options.height,
        theme=options.theme,
        colours=palette(options.theme, options.candle_colors),
        title=" · ".join(title),
        panels=(
            Panel("plot", plot, "empty", tuple(marks)),
            Panel("colour bar", _with_ticks(colour_bar), "page", tuple(colour_marks)),
            Panel(
                "profile",
                _with_axis(profile),
                "page",
                tuple(_profile_marks(bars, price_ticks, prices, last, profile, page)),
            ),
        ),
        scales={"price": prices, "time": times, "colour": colours, "profile": amounts},
        boxes=tuple(page.boxes),
        texts=tuple(page.texts),
        left_out=tuple(page.left_out),
        software=captions.software(heatmap.meta),
        synthetic=synthetic,
        source=heatmap,
        options=options,
    )


def _is_near(price: float, last: float | None) -> bool:
    """Whether a price is near enough to the last one to be taken into view."""
    return last is not None and abs(price / last - 1) <= 0.3


def _last_column(heatmap: HeatmapLike, options: RenderOptions) -> Column:
    """Return the last column of each side that is shown, as far as nothing hides it."""
    if len(heatmap.times) == 0:
        return {}
    longs, shorts = sides_of(heatmap, len(heatmap.times) - 1, 1, 0, len(heatmap.prices))
    only = captions.side_shown(heatmap.meta) if options.side == "both" else options.side
    cells = (("short", shorts[0]), ("long", longs[0]))
    return {side: np.nan_to_num(row.astype(np.float64)) for side, row in cells if only in ("both", side)}


def _prices_width(widest: Span, last: float | None, page: Page) -> float:
    """Return the width of the widest price that may stand on the axis, pixels."""
    texts = [tick.label for count in (4, 8, 16, 32) for tick in labels.price_ticks(*widest, count)]
    if last is not None:
        texts.append(labels.price_text(last))
    return max((page.width_of(text) for text in [*texts, "UTC"]), default=0.0)


def _price_axis(prices: Scale, last: float | None, profile: Rect, page: Page) -> list[float]:
    """Write the prices and, in a box, the last one; return where the grid lines are."""
    left = profile.right + page.em(0.6)
    last_y = math.inf
    if last is not None and prices.low <= last <= prices.high:
        half = page.em(0.7)
        last_y = min(max(prices.at(last), profile.top + half), profile.bottom - half)
        right = page.width - page.margin // 2
        page.boxes.append(Box(Rect(profile.right + 1, round(last_y) - half, right, round(last_y) + half), "last"))
        page.write(left, last_y, labels.price_text(last), role="on last")
    ticks = labels.price_ticks(prices.low, prices.high, max(profile.height // page.em(3.2), 2))
    for tick in ticks:
        at = prices.at(tick.at)
        fits = profile.top + page.em(0.5) <= at <= profile.bottom - page.em(0.5)
        if fits and abs(at - last_y) > page.em(1.4):
            page.write(left, at, tick.label)
    return [tick.at for tick in ticks]


def _time_axis(heatmap: HeatmapLike, times: Scale, plot: Rect, axis_left: int, page: Page) -> list[float]:
    """Write the times below the plot; return where the grid lines are."""
    y = plot.bottom + page.line * 0.65
    page.write(axis_left + page.em(0.6), y, "UTC", role="muted")
    if len(heatmap.times) == 0:
        return []
    seconds = times.high - times.low < 5 * labels.MINUTE
    widest = page.width_of("00:00:00" if seconds else "Nov 00")
    ticks = labels.time_ticks(int(times.low), int(times.high), int(plot.width // (widest + page.em(2))))
    for tick in ticks:
        x, half = times.at(tick.at), page.width_of(tick.label) / 2
        if plot.left <= x - half and x + half <= plot.right:
            page.write(x, y, tick.label, "m", "text" if tick.major else "muted")
    return [tick.at for tick in ticks]


def _legend(heatmap: HeatmapLike, column: Column, prices: Span, page: Page) -> list[tuple[str, str]]:
    """Return role and text of each side: its sum over the last column, in view and in all."""
    base = str(heatmap.meta.get("base") or "")
    first, stop = rows_in(heatmap, prices)
    both: list[list[tuple[str, str]]] = [[], []]
    for side, cells in column.items():
        within, total = float(cells[first:stop].sum()), float(cells.sum())
        said = [labels.amount(value, heatmap.unit, base) for value in (within, total)]
        if said[0] == said[1]:
            texts = [f"{side}s {said[1]} in all"] * 2
        else:
            texts = [f"{side}s {said[0]} in view, {said[1]} in all", f"{side}s {said[0]} in view"]
        for rows, text in zip(both, texts, strict=True):
            rows.append((side, text))
    room = 0.3 * page.width
    return next((rows for rows in both if all(page.width_of(text) <= room for _, text in rows)), both[-1])


def _amounts_width(heatmap: HeatmapLike, options: RenderOptions, page: Page) -> float:
    """Return the width that amounts beside the colour bar may take, pixels: the scale is known only later."""
    texts = ["$88.8M+", "$0.0888"] if heatmap.unit == "usd" else ["88.8M+", "0.0888+"]
    if options.maximum is not None:
        texts.append(labels.amount(options.maximum, heatmap.unit) + "+")
    return max(map(page.width_of, texts))


def _colour_scale(
    heatmap: HeatmapLike, options: RenderOptions, view: View, bar: Rect, table: NDArray[np.uint8], page: Page
) -> tuple[Scale, list[Mark]]:
    """Write as many values beside the colour bar as there is room for, and the unit below it; return the scale."""
    top = max(view.maximum, view.cut) or 1.0
    scale = Scale(
        captions.unit_name(heatmap.unit, heatmap.meta),
        min(view.cut, 0.999 * top),
        top,
        bar.bottom,
        bar.top,
        options.scale,
    )
    values: list[tuple[float, str]] = [(0.0, labels.amount(0.0, heatmap.unit))]
    if view.maximum > 0:
        more = "+" if view.above_maximum else ""
        values = [(view.maximum, labels.amount(view.maximum, heatmap.unit) + more)]
        values += [
            (value, labels.amount(value, heatmap.unit))
            for value in [view.cut, *labels.value_ticks(view.maximum)]
            if value >= scale.low
        ]
    place = (np.arange(bar.height)[::-1] + 0.5) / max(bar.height, 1)
    entries = np.where(view.cut > 0, place * 254 + 1.5, place * 255 + 0.5).astype(np.uint8)
    marks: list[Mark] = [Raster(bar, np.broadcast_to(entries[:, None], (bar.height, bar.width)), table)]
    ticks: list[float] = []
    for value, text in values:
        at = scale.at(value)
        if all(abs(at - other) >= page.em(2.4) for other in ticks) and page.width_of(text) <= bar.left - page.em(0.5):
            ticks.append(at)
            y = min(max(at, bar.top + page.em(0.5)), bar.bottom - page.em(0.5))
            page.write(bar.left - page.em(0.4), y, text, "r")
            line = min(round(at), bar.bottom - 1)
            marks.append(Line(bar.left - 3, line, bar.left - 1, line, "muted"))
    unit = fit(scale.unit, bar.right - page.margin, page.width_of)
    page.write(bar.right, bar.bottom + page.line * 0.65, unit, "r", "muted")
    return scale, marks


def _rows_per_bar(heatmap: HeatmapLike, prices: Span, height: int, page: Page) -> int:
    """How many rows are joined to a bar of the side profile so that it is tall enough to see."""
    pixels_per_row = heatmap.step / (prices.high - prices.low) * height
    return max(math.ceil(max(page.em(0.2), 2) / pixels_per_row), 1)


def _profile_bars(
    heatmap: HeatmapLike, column: Column, prices: Scale, joined: int, profile: Rect, page: Page
) -> tuple[list[Mark], Scale]:
    """Lay out the last column as bars, each the *sum* of as many whole rows as make it tall enough to see."""
    unit = captions.unit_name(heatmap.unit, heatmap.meta)
    middle = heatmap.prices + heatmap.step / 2
    rows = np.flatnonzero((middle >= prices.low) & (middle <= prices.high))
    starts = range(0, len(rows), joined)
    sums = {side: np.add.reduceat(cells[rows], list(starts)) for side, cells in column.items()} if len(rows) else {}
    largest = float(np.sum(list(sums.values()), axis=0).max()) if sums else 0.0
    scale = Scale(unit, 0.0, largest or 1.0, profile.left, profile.right)
    bars: list[Mark] = []
    if not largest > 0:
        return bars, scale
    for row, start in enumerate(starts):
        lowest = float(heatmap.prices[rows[start]])
        highest = float(heatmap.prices[rows[min(start + joined, len(rows)) - 1]]) + heatmap.step
        top = max(round(prices.at(highest)), profile.top)
        bottom = min(round(prices.at(lowest)), profile.bottom)
        if bottom - top >= 4:
            top += 1  # a gap between bars that are tall enough
        before = 0.0
        for side, sum_of in sums.items():
            value = float(sum_of[row])
            left, right = round(scale.at(before)), round(scale.at(before + value))
            if value > 0 and bottom > top:
                left = min(left, profile.right - 1)
                bars.append(Box(Rect(left, top, min(max(right, left + 1), profile.right), bottom), side))
            before += value
    y = profile.bottom + page.line * 0.65
    page.write(profile.left, y, "0", role="muted")
    page.write(profile.right, y, labels.amount(largest, heatmap.unit), "r", "muted")
    return bars, scale


def _profile_marks(
    bars: Sequence[Mark], price_ticks: Sequence[float], prices: Scale, last: float | None, profile: Rect, page: Page
) -> list[Mark]:
    """Return the side profile with the price grid behind it."""
    marks: list[Mark] = [Box(profile, "panel")]
    for at in price_ticks:
        y = round(prices.at(at))
        marks.append(Line(profile.left, y, profile.right + 3, y, "line"))
    marks += bars
    if last is not None and prices.low <= last <= prices.high:
        y = round(prices.at(last))
        marks.append(page.dashed(profile.left, y, profile.right, y, "text"))
    return marks


def _with_ticks(bar: Rect) -> Rect:
    """The colour bar with room for its ticks."""
    return Rect(bar.left - 3, bar.top, bar.right, bar.bottom)


def _with_axis(profile: Rect) -> Rect:
    """The profile with room for the ticks of the price axis."""
    return Rect(profile.left, profile.top, profile.right + 4, profile.bottom)


def _uncovered(view: View, plot: Rect) -> list[Mark]:
    """Return grounds over the parts of the plot where the heatmap has no cells."""
    columns = [Rect(plot.left + a, plot.top, plot.left + b, plot.bottom) for a, b in _runs(~view.covered_columns)]
    rows = [Rect(plot.left, plot.top + a, plot.right, plot.top + b) for a, b in _runs(~view.covered_rows)]
    return [Box(rect, "empty") for rect in [*columns, *rows]]


def _runs(is_in: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end of each run of true."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], is_in, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in ends.reshape(-1, 2)]
