"""The picture of a score: what the map adds to each null with its interval, and how reliable the fitted model is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..render.colours import palette
from ..render.page import Measure, Page
from ..render.picture import Box, Curve, Line, Mark, Panel, Picture, Rect, Scale
from .ladder import Gain

LEAST_WIDTH, LEAST_HEIGHT = 640, 480


def layout(
    title: Sequence[str],
    header: Sequence[str],
    footer: Sequence[str],
    parts: Sequence[tuple[str, Sequence[Gain]]],
    reliability: Sequence[tuple[float, float]],
    *,
    width: int,
    height: int,
    theme: str,
    software: str,
    synthetic: bool,
    measure: Measure,
) -> Picture:
    """
    Lay the picture out.

    Parameters
    ----------
    title, header, footer : sequence of str
        What stands there, the most important first.
    parts : sequence of (str, sequence of Gain)
        A heading, and the gains below it, one a line.
    reliability : sequence of (float, float)
        Predicted and realised, mean of log10(1 + USD) by tenth of the predictions.
    """
    page = Page(width, height, measure)
    top = page.write_title(title, synthetic)
    top = page.write_lines(top, header, 3) + page.em(0.6)
    bottom = page.write_footer(footer, 3) - page.em(0.8)
    left, right = page.margin, width - page.margin
    if reliability:
        right = left + round(0.68 * (right - left))
    panels, scales = [], {}
    rows = sum(len(gains) + 2 for _, gains in parts)
    line = min(page.em(2.7), (bottom - top) / max(rows, 1))
    panel, scale = _gains(parts, Rect(left, top, right, round(top + rows * line)), line, page)
    panels.append(panel)
    scales["gain"] = scale
    if reliability:
        box = Rect(right + page.em(3.5), top + page.em(2.2), width - page.margin - page.em(1.4), bottom - page.em(2.5))
        side = min(box.width, box.height)
        box = Rect(box.left, box.top, box.left + side, box.top + side)
        panel, scale = _reliability(reliability, box, page)
        panels.append(panel)
        scales["usd"] = scale
    return Picture(
        "score",
        width,
        height,
        theme,
        palette(theme, "green-red"),
        " · ".join(title),
        tuple(panels),
        scales,
        tuple(page.boxes),
        tuple(page.texts),
        tuple(page.left_out),
        software,
        synthetic,
    )


def _gains(parts: Sequence[tuple[str, Sequence[Gain]]], rect: Rect, line: float, page: Page) -> tuple[Panel, Scale]:
    """One line a gain: name, interval, number. All on one scale."""
    known = [gain for _, gains in parts for gain in gains]
    names = max(page.width_of(gain.over) for gain in known) + page.em(1)
    numbers = max(page.width_of(_number(gain)) for gain in known) + page.em(1)
    ends = [
        value
        for gain in known
        for value in (gain.spearman.value, gain.spearman.low, gain.spearman.high)
        if math.isfinite(value)
    ]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = max(high - low, 1e-6) * 0.06
    plot = Rect(round(rect.left + names), rect.top, round(rect.right - numbers), rect.bottom)
    scale = Scale("Spearman", low - room, high + room, plot.left, plot.right)
    zero = round(scale.at(0.0))
    marks: list[Mark] = [Line(zero, plot.top, zero, plot.bottom, "muted", page.stroke)]
    y = float(rect.top)
    for heading, gains in parts:
        page.write(rect.left, y + line * 0.7, heading, role="muted")
        marks.append(Box(Rect(plot.left, round(y), plot.right, round(y + line * 1.2)), "page"))
        y += round(line * 1.4)
        for gain in gains:
            middle = y + line / 2
            role = "long" if gain.positive else "short" if gain.spearman.high < 0 else "text"
            page.write(rect.left, middle, gain.over)
            page.write(rect.right, middle, _number(gain), "r")
            if math.isfinite(gain.spearman.low):
                ends_at = [round(scale.at(value)) for value in (gain.spearman.low, gain.spearman.high)]
                marks.append(
                    Line(
                        ends_at[0], round(middle), max(ends_at[1], ends_at[0] + 1), round(middle), role, 2 * page.stroke
                    )
                )
            at, half = round(scale.at(gain.spearman.value)), page.em(0.3)
            marks.append(Box(Rect(at - half, round(middle) - half, at + half, round(middle) + half), role))
            y += line
        y += round(line * 0.6)
    return Panel("plot", plot, "panel", tuple(marks)), scale


def _number(gain: Gain) -> str:
    of = gain.spearman
    if math.isnan(of.low):
        return f"{of.value:+.4f}"
    return f"{of.value:+.4f}  [{of.low:+.4f}, {of.high:+.4f}]"


def _reliability(points: Sequence[tuple[float, float]], rect: Rect, page: Page) -> tuple[Panel, Scale]:
    """Predicted across, realised up, on one scale, with the line on which both agree."""
    values = [value for pair in points for value in pair]
    low, high = math.floor(min(values)), math.ceil(max(values))
    scale = Scale("log10 USD", low, max(high, low + 1), rect.left, rect.right)
    size = rect.bottom - rect.top

    def up(value: float) -> float:
        return rect.bottom - (scale.at(value) - rect.left) / max(rect.width, 1) * size

    edge = ((rect.left, rect.bottom), (rect.right, rect.top))
    marks: list[Mark] = [Curve(edge, "muted", page.stroke)]
    places = tuple((scale.at(x), up(y)) for x, y in points)
    marks.append(Curve(places, "long", 2 * page.stroke))
    half = page.em(0.25)
    for x, y in places:
        marks.append(Box(Rect(round(x) - half, round(y) - half, round(x) + half, round(y) + half), "long"))
    captions = ["predicted across, realised up (USD a bar and side)", "predicted across, realised up", "reliability"]
    page.write(rect.left, rect.top - page.em(1.1), page.first_fitting(captions, rect.width), role="muted")
    step = 1 if scale.high - scale.low <= 6 else 2
    for power in range(int(scale.low), int(scale.high) + 1, step):
        text = _usd(power)
        page.write(scale.at(power), rect.bottom + page.em(0.9), text, "m", "muted")
        page.write(rect.left - page.em(0.5), up(power), text, "r", "muted")
    return Panel("reliability", rect, "panel", tuple(marks)), scale


def _usd(power: int) -> str:
    """Write a power of ten: 1, 10, 100, 1k, ..., 1M."""
    for size, name in ((9, "B"), (6, "M"), (3, "k")):
        if power >= size:
            return f"{10 ** (power - size)}{name}"
    return f"{10**power}"
