"""The pictures of scenarios: where shocks lead to, and where stops stand among the levels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..render.colours import palette
from ..render.labels import amount, price_text, price_ticks, round_step
from ..render.page import Page
from ..render.picture import Box, Curve, Line, Mark, Panel, Picture, Rect, Scale
from ..render.png import draw_png
from ..words.plain import plain
from ..words.times import iso

Numbers = NDArray[np.float64]
LEAST_WIDTH, LEAST_HEIGHT = 640, 400


class Look(NamedTuple):
    """Where a picture goes, and how it looks."""

    path: Any
    width: int
    height: int
    theme: str


class Flag(NamedTuple):
    """A stop in a picture: its price, where it would be filled, and what stands at it."""

    price: float
    fill: float
    text: str


class Shocks(NamedTuple):
    """What a picture of shocks shows: what is added to each, percent; quantiles first by level; amounts."""

    side: str
    shock: Numbers
    added: Numbers
    levels: Sequence[float]
    quantiles: Numbers
    gone: Numbers
    gone_quantiles: Numbers
    unit: str


def draw_shocks(of: Shocks, look: Look, head: Sequence[str], foot: Sequence[str], meta: Mapping[str, Any]) -> Any:
    """Draw how much farther each shock leads, and below it what is liquidated on the way."""
    if len(np.unique(of.shock)) < 2:
        raise InvalidConfigError(f"shock must have two or more moves to be drawn, had {len(np.unique(of.shock))}")
    return _draw(look, lambda page: _shocks(page, of, look, head, foot, meta))


def _shocks(
    page: Page, of: Shocks, look: Look, head: Sequence[str], foot: Sequence[str], meta: Mapping[str, Any]
) -> Picture:
    order = np.argsort(of.shock, kind="stable")
    shock = of.shock[order]
    top, bottom = _begin(page, head, foot, meta)
    left, right = page.margin + page.em(5), look.width - page.margin - page.em(1)
    top += page.em(1.4)
    middle = round(top + 0.62 * (bottom - top))
    across = Scale("percent", float(shock[0]), float(shock[-1]), left, right)
    panels, scales = [], {"shock": across}
    ends = {level: values[order] for level, values in zip(of.levels, of.quantiles, strict=True)}
    amounts = {level: values[order] for level, values in zip(of.levels, of.gone_quantiles, strict=True)}
    word = "falls" if of.side == "long" else "rises"
    for name, rect, central, around, title in (
        ("added", Rect(left, top, right, middle - page.em(1.6)), of.added[order], ends,
         f"how much farther than the move itself the price {word}, percent of it"),
        ("amount", Rect(left, middle + page.em(1.2), right, bottom - page.em(2.4)), of.gone[order], amounts,
         f"{of.side}s liquidated"),
    ):  # fmt: skip
        high = _top([central, *around.values()])
        up = Scale("percent" if name == "added" else of.unit, 0.0, high, rect.bottom, rect.top)
        marks: list[Mark] = []
        step = round_step(high, 5)
        for i in range(int(high / step + 1e-9) + 1):
            y = round(up.at(i * step))
            marks.append(Line(rect.left, y, rect.right, y, "line", page.stroke))
            text = f"{i * step:g}%" if name == "added" else amount(i * step, of.unit)
            page.write(rect.left - page.em(0.5), y, text, "r", "muted")
        for values in around.values():
            marks.append(_curve(shock, values, across, up, "muted", page.stroke))
        marks.append(_curve(shock, central, across, up, of.side, 3 * page.stroke))
        page.write(rect.left, rect.top - page.em(0.9), title, role="muted")
        level, highest = max(around.items(), default=(math.nan, central))
        at = len(shock) * 3 // 4  # where the curves are apart, away from the edge
        if around and math.isfinite(highest[at]) and up.at(highest[at]) - rect.top > page.em(1.6):
            page.write(across.at(shock[at]), up.at(highest[at]) - page.em(0.9), f"p{100 * level:g}", "r", "muted")
        panels.append(Panel(name, rect, "panel", tuple(marks)))
        scales[name] = up
    step = round_step(float(shock[-1] - shock[0]), 8)
    for i in range(math.ceil(shock[0] / step - 1e-9), math.floor(shock[-1] / step + 1e-9) + 1):
        page.write(across.at(i * step), bottom - page.em(1.5), f"{i * step:g}%", "m", "muted")
    page.write((left + right) / 2, bottom - page.em(0.2), "size of the move that begins it", "m", "muted")
    return _finish("cascade", page, look, head, panels, scales, meta)


def draw_stops(
    side: str, prices: Numbers, values: Numbers, step: float, clusters: Iterable[tuple[float, float]],
    flags: Sequence[Flag], marked: Sequence[tuple[float, str]], unit: str,
    look: Look, head: Sequence[str], foot: Sequence[str], meta: Mapping[str, Any],
) -> Any:  # fmt: skip
    """Draw levels by price, the clusters brighter, and the stops with the way to where they would be filled."""
    if not flags:
        raise InvalidConfigError("stops must have one to be drawn, had none")
    shown = prices, values, step, clusters, flags, marked
    return _draw(look, lambda page: _stops(page, side, *shown, unit, look, head, foot, meta))


def _stops(
    page: Page, side: str, prices: Numbers, values: Numbers, step: float, clusters: Iterable[tuple[float, float]],
    flags: Sequence[Flag], marked: Sequence[tuple[float, str]], unit: str,
    look: Look, head: Sequence[str], foot: Sequence[str], meta: Mapping[str, Any],
) -> Picture:  # fmt: skip
    top, bottom = _begin(page, head, foot, meta)
    at = [price for price, _ in marked] + [each for flag in flags for each in (flag.price, flag.fill)]
    at = [price for price in at if math.isfinite(price)]
    room = 0.06 * (max(at) - min(at))
    rows = page.em(1.9)
    rect = Rect(
        page.margin + page.em(4), top + page.em(1) + rows * (len(flags) + 1), look.width - page.margin - page.em(1),
        bottom - page.em(1.6),
    )  # fmt: skip
    across = Scale("price", min(at) - room, max(at) + room, rect.left, rect.right)
    shown = (prices + step > across.low) & (prices < across.high)
    high = float(values[shown].max(initial=0.0)) or 1.0
    up = Scale(unit, 0.0, high, rect.bottom, rect.top)
    marks: list[Mark] = []
    spans = list(clusters)
    for low, value in zip(prices[shown].tolist(), values[shown].tolist(), strict=True):
        if value > 0:
            inside = any(first - 1e-9 <= low < last - 1e-9 for first, last in spans)
            ends = round(across.at(low)), max(round(across.at(low + step)), round(across.at(low)) + 1)
            marks.append(Box(Rect(ends[0], round(up.at(value)), ends[1], rect.bottom), side if inside else "muted"))
    for price, text in marked:
        x = round(across.at(price))
        marks.append(page.dashed(x, rect.top, x, rect.bottom, "text"))
        page.write_tag(text, min(max(x, rect.left + page.em(4)), rect.right - page.em(4)), top + page.em(1), "note")
    for i, flag in enumerate(flags):
        x, y = round(across.at(flag.price)), top + page.em(1) + rows * (i + 1)
        marks.append(Line(x, rect.top, x, rect.bottom, "text", 2 * page.stroke))
        above = Rect(x - page.stroke, y + page.em(0.85), x + page.stroke, rect.top)
        page.boxes.append(Box(above, "muted"))
        fill = round(across.at(flag.fill)) if math.isfinite(flag.fill) else x
        page.boxes.append(
            Box(Rect(min(x, fill), y + page.em(0.85), max(x, fill, min(x, fill) + 2), y + page.em(1.1)), "text")
        )
        half = page.width_of(flag.text) / 2
        page.write(min(max(x, rect.left + half), rect.right - half), y, flag.text, "m")
    for tick in price_ticks(across.low, across.high, max(rect.width // page.em(8), 2)):
        page.write(across.at(tick.at), rect.bottom + page.em(0.9), tick.label, "m", "muted")
    half_way = round_step(high, 3)
    for i in range(1, int(high / half_way + 1e-9) + 1):
        page.write(rect.left - page.em(0.5), up.at(i * half_way), amount(i * half_way, unit), "r", "muted")
    panel = Panel("levels", rect, "panel", tuple(marks))
    return _finish("stops", page, look, head, [panel], {"price": across, "amount": up}, meta)


def head_of(what: str, time_ns: int, price: float, meta: Mapping[str, Any]) -> list[str]:
    """Return the parts of a title."""
    market = plain(" ".join(str(meta[key]) for key in ("venue", "symbol") if meta.get(key)), 60)
    return [part for part in (what, market, iso(time_ns), f"last price {price_text(price)}") if part]


def _draw(look: Look, layout: Callable[[Page], Picture]) -> Path | bytes | None:
    return draw_png(
        lambda measure: layout(Page(look.width, look.height, measure)),
        look.path,
        (look.width, look.height),
        look.theme,
        least=(LEAST_WIDTH, LEAST_HEIGHT),
    )


def _begin(page: Page, head: Sequence[str], foot: Sequence[str], meta: Mapping[str, Any]) -> tuple[int, int]:
    """Write what stands above and below; return what is left between them."""
    top = page.write_title(head, bool(meta.get("synthetic")))
    return top, page.write_footer(foot, 4) - page.em(0.6)


def _finish(
    kind: str, page: Page, look: Look, head: Sequence[str], panels: Sequence[Panel], scales: Mapping[str, Scale],
    meta: Mapping[str, Any],
) -> Picture:  # fmt: skip
    return Picture(
        kind, look.width, look.height, look.theme, palette(look.theme, "green-red"), " · ".join(head), tuple(panels),
        dict(scales), tuple(page.boxes), tuple(page.texts), tuple(page.left_out),
        f"liqcore {meta.get('version', '')}".rstrip(), bool(meta.get("synthetic")),
    )  # fmt: skip


def _curve(x: Numbers, y: Numbers, across: Scale, up: Scale, role: str, width: int) -> Curve:
    """A line through what is finite, cut off above the scale."""
    some = np.isfinite(y)
    points = zip(x[some].tolist(), np.minimum(y[some], up.high).tolist(), strict=True)
    return Curve(tuple((across.at(a), up.at(b)) for a, b in points), role, width)


def _top(curves: Iterable[Numbers]) -> float:
    known = [values[np.isfinite(values)] for values in curves]
    return max([float(values.max(initial=0.0)) for values in known] + [1e-9]) * 1.05
