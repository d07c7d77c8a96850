"""
Where everything in the picture goes, in pixels and numbers; nothing is drawn here.

::

    title                                                   SYNTHETIC DATA
    model, unit, window, span, estimate ...              shorts and longs
    +---+------------------------------------------+-----------+----------
    |bar| plot: heatmap, candles, last price       | profile   | prices
    +---+------------------------------------------+-----------+----------
    unit  times                                      0     max   UTC
    leverage, trigger, age, scale, version
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import captions, labels
from .contract import HeatmapLike, RenderOptions, check_heatmap
from .labels import Tick
from .page import Box, Measure, Page, Rect, Text, fit
from .raster import colour_index, default_maximum, pixel_cells, pool, scaled


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle, in pixels from the top left corner of the plot; the body is from ``top`` to ``bottom``."""

    x: float
    high: float
    top: float
    bottom: float
    low: float
    up: bool


@dataclass(frozen=True, slots=True)
class View:
    """
    The part of a heatmap that is shown, and its scale.

    Attributes
    ----------
    cells : ndarray of float32, shape (columns, bins)
        The cells of the chosen side.
    price_low, price_high : float
        Prices at the bottom and at the top edge.
    time_low, time_high : int
        Instants at the left and right edge, nanoseconds.
    maximum : float
        Value at the top of the colour scale; 0.0 if every cell in view is zero.
    above_maximum : bool
        Whether cells in view are larger than that.
    last_price : float or None
        The last close.
    """

    cells: NDArray[np.float32]
    price_low: float
    price_high: float
    time_low: int
    time_high: int
    maximum: float
    above_maximum: bool
    last_price: float | None


@dataclass(frozen=True, slots=True)
class Layout:
    """
    A picture in numbers.

    Attributes
    ----------
    view : View
        What is shown.
    plot, profile, colour_bar : Rect
        The three panels.
    indices : ndarray of uint8, shape (height, width) of the plot
        Entries of the colour table, top row first.
    covered_columns, covered_rows : ndarray of bool
        Where the heatmap has cells: across and, from the top, down the plot.
    candles : list of Candle
        Joined where a column is under four pixels wide.
    candle_width : int
        Width of the bodies, pixels.
    bars : list of Box
        The side profile of the last column.
    price_ticks, time_ticks : list of Tick
        Positions of grid lines; their labels are in ``texts``.
    colour_ticks : list of float
        Heights on the colour bar, pixels.
    unfinished_x : float or None
        Left edge of the last column, if that one is unfinished.
    texts : list of Text
        Everything that is written.
    boxes : list of Box
        Backgrounds of texts, and the squares of the legend.
    """

    width: int
    height: int
    view: View
    plot: Rect
    profile: Rect
    colour_bar: Rect
    indices: NDArray[np.uint8]
    covered_columns: NDArray[np.bool_]
    covered_rows: NDArray[np.bool_]
    candles: list[Candle]
    candle_width: int
    bars: list[Box]
    price_ticks: list[Tick]
    time_ticks: list[Tick]
    colour_ticks: list[float]
    unfinished_x: float | None
    texts: list[Text]
    boxes: list[Box]

    def x(self, time_ns: float) -> float:
        """Return the pixel of an instant."""
        return _x(time_ns, self.view, self.plot)

    def y(self, price: float) -> float:
        """Return the pixel of a price; a bin's own pixels end within half a pixel of its edges."""
        return _y(price, self.view, self.plot)


def layout(heatmap: HeatmapLike, options: RenderOptions, measure: Measure) -> Layout:
    """
    Lay a picture out.

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
        If the arrays of ``heatmap`` do not fit each other.
    """
    check_heatmap(heatmap)
    view = shown(heatmap, options)
    page = Page(options.width, options.height, measure)

    footer_top = page.write_footer(captions.footer_items(heatmap, options))
    axis_left = options.width - page.margin - page.em(0.9) - math.ceil(_prices_width(view, page))
    profile_left = axis_left - max(round(options.width * 0.08), page.em(5.5))
    title_bottom = page.write_title(
        captions.title(heatmap.meta, "liquidation heatmap", options.title), bool(heatmap.meta.get("synthetic"))
    )
    header_bottom = page.write_header(
        title_bottom, captions.header_items(heatmap, options), _legend(heatmap, options, view), profile_left
    )
    top, bottom = header_bottom + page.em(0.4), footer_top - round(page.line * 1.35)

    colours = _colour_labels(heatmap, view)
    bar_left = page.margin + math.ceil(max(page.width_of(text) for _, text in colours)) + page.em(0.4)
    colour_bar = Rect(bar_left, top, bar_left + page.em(0.9), bottom)
    plot = Rect(colour_bar.right + page.em(0.8), top, profile_left - page.em(0.4), bottom)
    profile = Rect(profile_left, top, axis_left, bottom)

    bars = _profile_bars(heatmap, options, view, profile, page)
    columns = pixel_cells(
        (heatmap.times - view.time_low).astype(np.float64),
        float(heatmap.window_ns),
        0.0,
        float(view.time_high - view.time_low),
        plot.width,
    )
    rows = pixel_cells(heatmap.prices, heatmap.step, view.price_low, view.price_high, plot.height)
    pixels = pool(view.cells, columns, rows)
    indices = colour_index(pixels, view.maximum or 1.0, options.scale, options.threshold or 0.0).T[::-1]
    candles, candle_width = _candles(heatmap, view, plot, page)
    if not indices.any():
        page.write_note("no data" if view.cells.size == 0 else "no levels here: every cell is zero or hidden", plot)
    unfinished = captions.is_unfinished(heatmap)
    return Layout(
        width=options.width,
        height=options.height,
        view=view,
        plot=plot,
        profile=profile,
        colour_bar=colour_bar,
        indices=indices,
        covered_columns=columns.stop > columns.first,
        covered_rows=(rows.stop > rows.first)[::-1],
        candles=candles,
        candle_width=candle_width,
        bars=bars,
        price_ticks=_price_axis(view, profile, page),
        time_ticks=_time_axis(heatmap, view, plot, axis_left, page),
        colour_ticks=_colour_scale(heatmap, options, view, colour_bar, colours, page),
        unfinished_x=_x(float(heatmap.times[-1]), view, plot) if unfinished else None,
        texts=page.texts,
        boxes=page.boxes,
    )


def shown(heatmap: HeatmapLike, options: RenderOptions) -> View:
    """Choose the cells, the prices and the scale that ``options`` ask for, or the defaults."""
    cells: NDArray[np.float32] = getattr(heatmap, "values" if options.side == "both" else options.side)
    peaks = np.fmax.reduce(cells, axis=0, initial=0.0)
    low, high = options.price_range or default_price_range(heatmap, peaks)
    first = max(int(np.searchsorted(heatmap.prices, low, side="right")) - 1, 0)
    stop = int(np.searchsorted(heatmap.prices, high, side="left"))
    maximum = options.maximum or default_maximum(cells[:, first:stop])
    closes = heatmap.candles["close"]
    closes = closes[np.isfinite(closes)]
    return View(
        cells=cells,
        price_low=float(low),
        price_high=float(high),
        time_low=int(heatmap.times[0]) if len(heatmap.times) else 0,
        time_high=int(heatmap.times[-1]) + heatmap.window_ns if len(heatmap.times) else heatmap.window_ns,
        maximum=maximum,
        above_maximum=bool(peaks[first:stop].max(initial=0.0) > np.float32(maximum)),
        last_price=float(closes[-1]) if len(closes) else None,
    )


def default_price_range(heatmap: HeatmapLike, peaks: NDArray[np.float32]) -> tuple[float, float]:
    """
    Return the prices a trader wants to see: the candles, and the levels around them.

    The candles' range and as much again on either side, at least 3 % (where 33x and above are liquidated), as far as
    there are levels: bins whose largest cell in ``peaks`` is not zero. Without candles, all levels; without levels, the
    whole axis.
    """
    if len(heatmap.prices) == 0:
        return 0.0, 1.0
    filled = np.flatnonzero(peaks > 0)
    ends = (int(filled[0]), int(filled[-1])) if len(filled) else (0, len(heatmap.prices) - 1)
    low, high = float(heatmap.prices[ends[0]]), float(heatmap.prices[ends[1]]) + heatmap.step
    lows, highs = (heatmap.candles[name][np.isfinite(heatmap.candles[name])] for name in ("low", "high"))
    if len(lows) and len(highs):
        lowest, highest = float(lows.min()), float(highs.max())
        reach = max(highest - lowest, 0.03 * highest)
        low = max(lowest - reach, min(low, lowest - 0.05 * reach))
        high = min(highest + reach, max(high, highest + 0.05 * reach))
    return low, max(high, low + heatmap.step)


def _x(time_ns: float, view: View, plot: Rect) -> float:
    return plot.left + (time_ns - view.time_low) / (view.time_high - view.time_low) * plot.width


def _y(price: float, view: View, plot: Rect) -> float:
    return plot.top + (view.price_high - price) / (view.price_high - view.price_low) * plot.height


def _prices_width(view: View, page: Page) -> float:
    """Return the width of the widest price on the axis, pixels."""
    texts = [tick.label for count in (4, 8, 16) for tick in labels.price_ticks(view.price_low, view.price_high, count)]
    if view.last_price is not None:
        texts.append(labels.price_text(view.last_price))
    return max((page.width_of(text) for text in [*texts, "UTC"]), default=0.0)


def _price_axis(view: View, profile: Rect, page: Page) -> list[Tick]:
    """Write the prices and, in a box, the last one."""
    left = profile.right + page.em(0.6)
    last_y = math.inf
    if view.last_price is not None and view.price_low <= view.last_price <= view.price_high:
        last_y = min(max(_y(view.last_price, view, profile), profile.top + page.em(0.7)), profile.bottom - page.em(0.7))
        half = page.em(0.7)
        right = page.width - page.margin // 2
        page.boxes.append(Box(Rect(profile.right + 1, round(last_y) - half, right, round(last_y) + half), "last"))
        page.write(left, last_y, labels.price_text(view.last_price), role="last")
    ticks = labels.price_ticks(view.price_low, view.price_high, max(profile.height // page.em(3.2), 2))
    for tick in ticks:
        at = _y(tick.at, view, profile)
        fits = profile.top + page.em(0.5) <= at <= profile.bottom - page.em(0.5)
        if fits and abs(at - last_y) > page.em(1.4):
            page.write(left, at, tick.label)
    return ticks


def _time_axis(heatmap: HeatmapLike, view: View, plot: Rect, axis_left: int, page: Page) -> list[Tick]:
    """Write the times below the plot."""
    y = plot.bottom + page.line * 0.65
    page.write(axis_left + page.em(0.6), y, "UTC", role="muted")
    if len(heatmap.times) == 0:
        return []
    seconds = view.time_high - view.time_low < 5 * labels.MINUTE
    widest = page.width_of("00:00:00" if seconds else "Nov 00")
    ticks = labels.time_ticks(view.time_low, view.time_high, int(plot.width // (widest + page.em(2))))
    for tick in ticks:
        x, half = _x(tick.at, view, plot), page.width_of(tick.label) / 2
        if plot.left <= x - half and x + half <= plot.right:
            page.write(x, y, tick.label, "m", "text" if tick.major else "muted")
    return ticks


def _colour_labels(heatmap: HeatmapLike, view: View) -> list[tuple[float, str]]:
    """Return values for the colour bar with their texts, the ones that must be there first."""
    if view.maximum == 0:
        return [(0.0, labels.amount(0.0, heatmap.unit))]
    top = labels.amount(view.maximum, heatmap.unit) + ("+" if view.above_maximum else "")
    rest = [0.0, *labels.value_ticks(view.maximum)]
    return [(view.maximum, top), *((value, labels.amount(value, heatmap.unit)) for value in rest)]


def _colour_scale(
    heatmap: HeatmapLike,
    options: RenderOptions,
    view: View,
    bar: Rect,
    colours: list[tuple[float, str]],
    page: Page,
) -> list[float]:
    """Write as many values beside the colour bar as there is room for, and the unit below it."""
    ticks: list[float] = []
    for value, text in colours:
        share = float(scaled(np.array([value / (view.maximum or 1.0)], np.float32), options.scale)[0])
        at = bar.bottom - share * bar.height
        if all(abs(at - other) >= page.em(2.4) for other in ticks):
            ticks.append(at)
            y = min(max(at, bar.top + page.em(0.5)), bar.bottom - page.em(0.5))
            page.write(bar.left - page.em(0.4), y, text, "r")
    unit = fit(captions.unit_name(heatmap.unit, heatmap.meta), bar.right - page.margin, page.width_of)
    page.write(bar.right, bar.bottom + page.line * 0.65, unit, "r", "muted")
    return ticks


def _last_column(heatmap: HeatmapLike, options: RenderOptions) -> dict[str, NDArray[np.float64]]:
    """Return the last column of each side that is shown."""
    sides = {"short": heatmap.short, "long": heatmap.long}
    if len(heatmap.times) == 0:
        return {}
    return {
        side: np.nan_to_num(cells[-1].astype(np.float64))
        for side, cells in sides.items()
        if options.side in ("both", side)
    }


def _in_view(heatmap: HeatmapLike, view: View) -> NDArray[np.intp]:
    """Return the bins whose middle is in view."""
    middle = heatmap.prices + heatmap.step / 2
    return np.flatnonzero((middle >= view.price_low) & (middle <= view.price_high))


def _legend(heatmap: HeatmapLike, options: RenderOptions, view: View) -> list[tuple[str, str]]:
    """Return role and text of each side: its sum over the bins of the last column that are in view."""
    bins = _in_view(heatmap, view)
    totals = {side: float(cells[bins].sum()) for side, cells in _last_column(heatmap, options).items()}
    sides = [side for side in ("short", "long") if options.side in ("both", side)]
    return [(side, f"{side}s {labels.amount(totals.get(side, 0.0), heatmap.unit)}") for side in sides]


def _profile_bars(heatmap: HeatmapLike, options: RenderOptions, view: View, profile: Rect, page: Page) -> list[Box]:
    """Lay out the last column as bars, each the *sum* of as many whole bins as make it tall enough to see."""
    bins = _in_view(heatmap, view)
    column = _last_column(heatmap, options)
    if len(bins) == 0 or not column:
        return []
    pixels_per_bin = heatmap.step / (view.price_high - view.price_low) * profile.height
    joined = max(math.ceil(max(page.em(0.2), 2) / pixels_per_bin), 1)
    starts = range(0, len(bins), joined)
    sums = {side: np.add.reduceat(cells[bins], list(starts)) for side, cells in column.items()}
    largest = float(np.sum(list(sums.values()), axis=0).max())
    if not largest > 0:
        return []
    bars = []
    for row, start in enumerate(starts):
        lowest = float(heatmap.prices[bins[start]])
        highest = float(heatmap.prices[bins[min(start + joined, len(bins)) - 1]]) + heatmap.step
        top = max(round(_y(highest, view, profile)), profile.top)
        bottom = min(round(_y(lowest, view, profile)), profile.bottom)
        if bottom - top >= 4:
            top += 1  # a gap between bars that are tall enough
        left = float(profile.left)
        for side, sum_of in sums.items():
            right = left + sum_of[row] / largest * profile.width
            if sum_of[row] > 0 and bottom > top:
                ends = min(round(left), profile.right - 1), max(round(right), round(left) + 1)
                bars.append(Box(Rect(ends[0], top, min(ends[1], profile.right), bottom), side))
            left = right
    y = profile.bottom + page.line * 0.65
    page.write(profile.left, y, "0", role="muted")
    page.write(profile.right, y, labels.amount(largest, heatmap.unit), "r", "muted")
    return bars


def _candles(heatmap: HeatmapLike, view: View, plot: Rect, page: Page) -> tuple[list[Candle], int]:
    """Lay out the candles, joining columns that would be under four pixels wide; return them and their width."""
    column_width = heatmap.window_ns / (view.time_high - view.time_low) * plot.width
    joined = math.ceil(4 / column_width)
    width = min(int(0.8 * joined * column_width), page.em(1.4)) - 1 | 1  # odd, so that the wick is in the middle
    candles = []
    columns = len(heatmap.times)
    for stop in range(columns, 0, -joined):  # from the last back, so that it is the first that may be an incomplete one
        start = max(stop - joined, 0)
        part = heatmap.candles[start:stop]
        part = part[np.all([np.isfinite(part[name]) for name in ("open", "high", "low", "close")], axis=0)]
        if len(part) == 0:
            continue
        begin, end = int(heatmap.times[start]), int(heatmap.times[stop - 1]) + heatmap.window_ns
        first, last = float(part["open"][0]), float(part["close"][-1])
        ends = (float(part["high"].max()), max(first, last), min(first, last), float(part["low"].min()))
        high, top, bottom, low = (_y(price, view, plot) - plot.top for price in ends)
        candles.append(Candle(_x((begin + end) / 2, view, plot) - plot.left, high, top, bottom, low, last >= first))
    return candles, width
