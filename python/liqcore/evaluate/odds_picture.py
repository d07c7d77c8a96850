"""The picture of how often zones were reached: each kind of zone, beside prices without one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..render.colours import palette
from ..render.page import Measure, Page
from ..render.picture import Box, Line, Mark, Panel, Picture, Rect, Scale
from .measures import Estimate

LEAST_WIDTH, LEAST_HEIGHT = 360, 480


def layout(odds: Any, *, width: int, height: int, theme: str, software: str, measure: Measure) -> Picture:
    """Lay the picture out: a line a kind of zone, two marks on it with their intervals."""
    page = Page(width, height, measure)
    title = ["how often zones were reached", *([odds.name] if odds.name else [])]
    top = page.write_title(title, odds.synthetic)
    legend = [("short", "zones"), ("long", "no zone there")]
    top = page.write_header(top, odds.verdict.split(": ", 1), 4, legend, width - page.margin - page.em(9))
    footer = ["shares of what was reached in time, 95 % intervals from whole blocks of time drawn anew",
              "no forecast", f"{odds.instants:,} instants"]  # fmt: skip
    bottom = page.write_footer(footer, 3) - page.em(2)
    rows = [row for row in odds.rows if row.zones]
    names = max((page.width_of(_name(row)) for row in rows), default=0.0) + page.em(1)
    said = max((page.width_of(row.says) for row in rows), default=0.0) + page.em(1)
    right = width - page.margin - (said if width > 3 * said else 0)
    plot = Rect(round(page.margin + names), top + page.em(1), round(right), bottom)
    most = max([0.01, *(value for row in rows for each in (row.reached, row.without) for value in _ends(each))])
    scale = Scale("share", 0.0, min(1.05 * most, 1.02), plot.left, plot.right)
    marks: list[Mark] = []
    step = _step(scale.high)
    for k in range(int(scale.high / step) + 1):
        x = round(scale.at(k * step))
        marks.append(Line(x, plot.top, x, plot.bottom, "line", page.stroke))
        page.write(x, plot.bottom + page.em(0.9), f"{100 * k * step:.0f} %", "m", "muted")
    line = plot.height / max(len(rows), 1)
    for at, row in enumerate(rows):
        middle = plot.top + (at + 0.5) * line
        page.write(page.margin, middle, _name(row))
        if right < width - page.margin:
            role = "muted" if row.says in ("too little data", "no difference shown") else "text"
            page.write(width - page.margin, middle, row.says, "r", role)
        for way, role, of in ((-1, "short", row.reached), (1, "long", row.without)):
            marks += _mark(scale, of, middle + way * min(line / 5, page.em(0.5)), role, page)
    return Picture(
        "magnets",
        width,
        height,
        theme,
        palette(theme, "green-red"),
        " · ".join(title),
        (Panel("plot", plot, "panel", tuple(marks)),),
        {"share": scale},
        tuple(page.boxes),
        tuple(page.texts),
        tuple(page.left_out),
        software,
        odds.synthetic,
    )


def _name(row: Any) -> str:
    return f"{row.kind}: {row.zones:,}"


def _ends(of: Estimate) -> Sequence[float]:
    return [value for value in (of.value, of.low, of.high) if math.isfinite(value)]


def _step(most: float) -> float:
    return next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 1.0) if most / step <= 8)


def _mark(scale: Scale, of: Estimate, y: float, role: str, page: Page) -> list[Mark]:
    marks: list[Mark] = []
    if math.isfinite(of.low):
        low, high = round(scale.at(of.low)), round(scale.at(of.high))
        marks.append(Line(low, round(y), max(high, low + 1), round(y), role, 2 * page.stroke))
    if math.isfinite(of.value):
        at, half = round(scale.at(of.value)), page.em(0.25)
        marks.append(Box(Rect(at - half, round(y) - half, at + half, round(y) + half), role))
    return marks
