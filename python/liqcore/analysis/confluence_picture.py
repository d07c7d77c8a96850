"""The picture of a confluence: price and zones, RSI below, divergences on both, and which reading leans where."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..render import labels
from ..render.colours import palette
from ..render.page import Measure, Page
from ..render.picture import Box, Curve, Line, Mark, Panel, Picture, Rect, Scale

LEAST_WIDTH, LEAST_HEIGHT = 360, 480


def layout(found: Any, *, width: int, height: int, theme: str, software: str, measure: Measure) -> Picture:
    """Lay the picture out; only zones within the prices of the bars, and as far again, are shown."""
    page = Page(width, height, measure)
    title = ["confluence", *([found.name] if found.name else []), labels.instant(found.time_ns)]
    top = page.write_title(title, found.synthetic)
    top = page.write_lines(top, [f"{each.name.replace('_', ' ')} leans {each.leans}" for each in found.readings], 3)
    bottom = page.write_footer(found.says.split(": ", 1), 4)
    bars = found.bars
    low, high = float(np.nanmin(bars.low)), float(np.nanmax(bars.high))
    room = max(high - low, 1e-9 * high) / 2
    widest = max(page.width_of(labels.price_text(value, labels.decimals(found.zones.step))) for value in (low, high))
    right = width - page.margin - math.ceil(widest) - page.em(1)
    area = Rect(page.margin, top + page.em(0.6), right, bottom - page.em(2.2))
    split = area.top + round(0.7 * area.height)
    upper, lower = Rect(area.left, area.top, right, split), Rect(area.left, split + page.em(1.6), right, area.bottom)
    price = Scale("price", low - room, high + room, upper.bottom, upper.top)
    strength = Scale("RSI", 0.0, 100.0, lower.bottom, lower.top)
    time = Scale("ns", int(bars.start[0]), int(bars.start[-1]) + bars.length_ns, area.left, area.right)
    middle = [time.at(start + bars.length_ns / 2) for start in bars.start.tolist()]
    marks = _zones(found, upper, price, page)
    close = [(x, price.at(y)) for x, y in zip(middle, bars.close.tolist(), strict=True) if math.isfinite(y)]
    below: list[Mark] = []
    for level in found.rsi_limits:
        y = round(strength.at(level))
        below.append(Line(lower.left, y, lower.right, y, "line", page.stroke))
        page.write(lower.right + page.em(0.5), y, f"{level:g}", role="muted")
    rsi = [(x, strength.at(y)) for x, y in zip(middle, found.strength.tolist(), strict=True) if math.isfinite(y)]
    if len(close) > 1:
        marks.append(Curve(tuple(close), "curve", 2 * page.stroke))
    if len(rsi) > 1:
        below.append(Curve(tuple(rsi), "curve", page.stroke))
    half = bars.length_ns / 2
    for one in found.divergences:
        ends = [time.at(one.first_ns + half), time.at(one.second_ns + half)]
        role = "short" if one.kind == "bearish" else "long"
        values = (one.first_price, one.second_price)
        marks.append(Curve(tuple((x, price.at(y)) for x, y in zip(ends, values, strict=True)), role, 2 * page.stroke))
        if one.of == "rsi":
            values = (one.first_value, one.second_value)
            points = tuple((x, strength.at(y)) for x, y in zip(ends, values, strict=True))
            below.append(Curve(points, role, 2 * page.stroke))
    page.write(lower.left, lower.top - page.em(0.7), "RSI", role="muted")
    for tick in labels.price_ticks(price.low, price.high, max(upper.height // page.em(4), 2)):
        page.write(right + page.em(0.5), price.at(tick.at), tick.label, role="muted")
    for tick in labels.time_ticks(int(time.low), int(time.high), max(area.width // page.em(7), 2)):
        if area.left + page.width_of(tick.label) / 2 <= time.at(tick.at) <= right - page.width_of(tick.label) / 2:
            page.write(time.at(tick.at), lower.bottom + page.em(1), tick.label, "m", "muted")
    return Picture(
        "confluence",
        width,
        height,
        theme,
        palette(theme, "green-red"),
        " · ".join(title),
        (Panel("plot", upper, "panel", tuple(marks)), Panel("rsi", lower, "panel", tuple(below))),
        {"price": price, "rsi": strength, "time": time},
        tuple(page.boxes),
        tuple(page.texts),
        tuple(page.left_out),
        software,
        found.synthetic,
    )


def _zones(found: Any, rect: Rect, price: Scale, page: Page) -> list[Mark]:
    """Zones from the right edge, as wide as they are large, with how many readings lean to each."""
    shown = [zone for zone in found.zones if zone.high > price.low and zone.low < price.high]
    most = max((zone.value for zone in shown), default=1.0)
    known = sum(each.leans != "unknown" for each in found.readings)
    marks: list[Mark] = []
    taken: list[float] = []
    for zone in sorted(shown, key=lambda zone: -zone.value):
        bottom, top = round(price.at(max(zone.low, price.low))), round(price.at(min(zone.high, price.high)))
        left = rect.right - max(round(0.3 * rect.width * zone.value / most), page.em(0.3))
        marks.append(Box(Rect(left, min(top, bottom - 1), rect.right, bottom), zone.side))
        middle = (bottom + top) / 2
        if all(abs(middle - other) > page.em(1.2) for other in taken):
            taken.append(middle)
            page.write(left - page.em(0.4), middle, f"{found.agreeing(zone)} of {known}", "r", "muted")
    return marks
