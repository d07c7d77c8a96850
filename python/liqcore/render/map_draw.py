"""The PNG renderer of liquidation maps: draws a layout with Pillow."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image, ImageDraw

from . import colours
from .colours import Theme
from .draw import corners, draw_page, measure, save
from .map_contract import MapLike, MapOptions
from .map_layout import MapLayout, map_layout


def render_map_png(shown: MapLike, file: BinaryIO, options: MapOptions, /) -> None:
    """Write a liquidation map as PNG: a `MapRenderer`, otherwise as `render_png`."""
    plan = map_layout(shown, options, measure)
    save(draw_map(plan, options), file, plan.texts, shown.meta)


def draw_map(plan: MapLayout, options: MapOptions) -> Image.Image:
    """Draw a layout; return an RGB image of its size."""
    theme = colours.THEMES[options.theme]
    picture = Image.new("RGB", (plan.width, plan.height), theme.page)
    canvas = ImageDraw.Draw(picture)
    plot = plan.plot
    canvas.rectangle(corners(plot), fill=theme.panel)
    for at in plan.value_ticks:
        y = min(round(at), plot.bottom - 1)
        canvas.line((plot.left, y, plot.right - 1, y), theme.line)
    for tick in plan.price_ticks:
        x = min(round(plan.x(tick.at)), plot.right - 1)
        if x >= plot.left:
            canvas.line((x, plot.top, x, plot.bottom - 1), theme.line)
    for bar in plan.bars:
        canvas.rectangle(corners(bar.rect), fill=colours.LAYERS[int(bar.role.removeprefix("layer "))])
    _curves(canvas, plan, theme)
    if plan.last_x is not None:
        x = min(round(plan.last_x), plot.right - 1)
        for y in range(plot.top, plot.bottom, 8):
            canvas.line((x, y, x, min(y + 4, plot.bottom - 1)), theme.text, width=2)
    draw_page(canvas, plan.boxes, plan.texts, theme)
    return picture


def _curves(canvas: ImageDraw.ImageDraw, plan: MapLayout, theme: Theme) -> None:
    """Draw the cumulative curves; an edge in the colour of the page keeps them apart from bars of any colour."""
    thick = max(round(min(plan.width, plan.height) / 300), 2)
    curves = [[(round(x), round(y)) for x, y in curve] for curve in (plan.long, plan.short) if len(curve) > 1]
    for width, colour in ((thick + 4, theme.page), (thick, theme.text)):
        for curve in curves:
            canvas.line(curve, colour, width=width, joint="curve")
