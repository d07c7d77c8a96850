"""The picture of a comparison: both heatmaps on the same axes, and how alike they are column by column."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..render import labels
from ..render.colours import colour_table, palette
from ..render.page import Measure, Page
from ..render.picture import Curve, Line, Mark, Panel, Picture, Raster, Rect, Scale
from ..render.raster import colour_index, default_maximum, pixel_cells, pool_columns, pool_rows

Floats = NDArray[np.float64]
LEAST_WIDTH, LEAST_HEIGHT = 360, 480


def layout(found: Any, *, width: int, height: int, theme: str, software: str, measure: Measure) -> Picture:
    """Lay the picture out; each heatmap has its own colour scale, up to its 99th percentile."""
    page = Page(width, height, measure)
    top = page.write_title([" beside ".join(found.names), "comparison of two heatmaps"], found.synthetic)
    top = page.write_lines(top, [*found.verdict.split("; "), "each on its own colour scale, to its 99th percentile"], 4)
    bottom = page.write_footer(_figures(found), 4)
    prices = [labels.price_text(edge, labels.decimals(_step(found))) for edge in found.edges[[0, -1]]]
    right = width - page.margin - math.ceil(max(page.width_of(text) for text in prices)) - page.em(0.8)
    plots = Rect(page.margin, top + page.em(1.6), right, bottom - page.em(2.4))
    strip = max(plots.height // 6, page.em(3))
    each = (plots.height - strip - 2 * page.em(1.8)) // 2
    panels, scales = [], {}
    for at, (name, values) in enumerate(zip(found.names, (found.first, found.second), strict=True)):
        y = plots.top + at * (each + page.em(1.8))
        rect = Rect(plots.left, y, plots.right, y + each)
        page.write(rect.left, rect.top - page.em(0.8), page.first_fitting([name], rect.width), role="muted")
        price = Scale("price", float(found.edges[0]), float(found.edges[-1]), rect.bottom, rect.top)
        panels.append(Panel(f"plot {at + 1}", rect, "empty", (_raster(values, rect), _line(found, rect, price))))
        scales[f"price {at + 1}"] = price
        for tick in labels.price_ticks(price.low, price.high, max(rect.height // page.em(4), 2)):
            page.write(rect.right + page.em(0.5), price.at(tick.at), tick.label, role="muted")
    rect = Rect(plots.left, plots.bottom - strip, plots.right, plots.bottom)
    words = ["rank correlation of each column: of the cells (orange), of what distance leaves (blue)",
             "correlation: cells orange, left blue"]  # fmt: skip
    page.write(rect.left, rect.top - page.em(0.8), page.first_fitting(words, rect.width), role="muted")
    panel, scales["correlation"] = _strip(found, rect, page)
    panels.append(panel)
    time = Scale("ns", int(found.times[0]), max(int(found.times[-1]), int(found.times[0]) + 1), rect.left, rect.right)
    scales["time"] = time
    for tick in labels.time_ticks(int(time.low), int(time.high), max(rect.width // page.em(7), 2)):
        half = page.width_of(tick.label) / 2
        if rect.left + half <= time.at(tick.at) <= rect.right - half:
            page.write(time.at(tick.at), rect.bottom + page.em(1), tick.label, "m", "muted")
    return Picture(
        "comparison",
        width,
        height,
        theme,
        palette(theme, "green-red"),
        " beside ".join(found.names),
        tuple(panels),
        scales,
        tuple(page.boxes),
        tuple(page.texts),
        tuple(page.left_out),
        software,
        found.synthetic,
    )


def _step(found: Any) -> float:
    return float(found.edges[1] - found.edges[0])


def _figures(found: Any) -> list[str]:
    said = []
    for alike, words in ((found.cells, "cells"), (found.left, "without distance")):
        said += [
            f"{words}: rank correlation {alike.column_mid:+.2f} a column ({alike.column_low:+.2f} to "
            f"{alike.column_high:+.2f})",
            f"{alike.spearman:+.2f} of all cells",
            f"the largest tenth share {100 * alike.top:.0f} % ({100 * alike.by_chance:.0f} % by chance)",
        ]
    return said


def _raster(values: Floats, rect: Rect) -> Raster:
    columns, rows = values.shape
    across = pixel_cells(np.arange(float(columns)), 1.0, 0.0, float(columns), rect.width)
    down = pixel_cells(np.arange(float(rows)), 1.0, 0.0, float(rows), rect.height)
    largest = np.zeros((rect.width, rows), np.float32)
    pool_columns(values.astype(np.float32), None, 0, across, largest)
    pixels: NDArray[np.float32] = pool_rows(largest, down)
    entries = colour_index(pixels, default_maximum(pixels) or 1.0)
    return Raster(rect, np.ascontiguousarray(entries.T[::-1]), colour_table("viridis"))


def _across(found: Any, rect: Rect) -> Floats:
    count = len(found.times)
    return rect.left + (np.arange(count) + 0.5) * rect.width / count


def _line(found: Any, rect: Rect, price: Scale) -> Curve:
    points = tuple((float(x), price.at(float(y))) for x, y in zip(_across(found, rect), found.price, strict=True))
    return Curve(points, "own line", 1, 0)


def _strip(found: Any, rect: Rect, page: Page) -> tuple[Panel, Scale]:
    known = found.by_column[np.isfinite(found.by_column)]
    low = min(0.0, float(known.min()) if len(known) else 0.0)
    scale = Scale("Spearman", low - 0.05, 1.05, rect.bottom, rect.top)
    marks: list[Mark] = []
    for value in (0.0, 1.0):
        y = round(scale.at(value))
        marks.append(Line(rect.left, y, rect.right, y, "muted", page.stroke))
        page.write(rect.right + page.em(0.5), y, f"{value:g}", role="muted")
    for role, values in (("short", found.by_column[0]), ("long", found.by_column[1])):
        for part in _parts(values):
            points = tuple(
                (float(x), scale.at(float(y))) for x, y in zip(_across(found, rect)[part], values[part], strict=True)
            )
            marks.append(Curve(points, role, page.stroke))
    return Panel("correlation", rect, "panel", tuple(marks)), scale


def _parts(values: Floats) -> list[slice]:
    """Runs of known values, of two or more."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], np.isfinite(values).astype(np.int8), [0])))).reshape(-1, 2)
    return [slice(int(first), int(end)) for first, end in edges if end - first > 1]
