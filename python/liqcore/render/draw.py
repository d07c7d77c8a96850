"""The PNG renderer: draws a layout with Pillow."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from . import colours
from .captions import ESTIMATE
from .colours import Colour, Theme
from .contract import HeatmapLike, RenderOptions
from .layout import Layout, layout
from .page import Box, Rect, Text
from .raster import unscaled


def render_png(heatmap: HeatmapLike, file: BinaryIO, options: RenderOptions, /) -> None:
    """
    Write a heatmap as PNG: a `Renderer`.

    The same heatmap and options give the same bytes with the same version of Pillow.
    """
    plan = layout(heatmap, options, measure)
    save(draw(plan, options), file, plan.texts, heatmap.meta)


def draw(plan: Layout, options: RenderOptions) -> Image.Image:
    """Draw a layout; return an RGB image of its size."""
    theme = colours.THEMES[options.theme]
    picture = Image.new("RGB", (plan.width, plan.height), theme.page)
    picture.paste(_plot(plan, options, theme), (plan.plot.left, plan.plot.top))
    canvas = ImageDraw.Draw(picture)
    _colour_bar(canvas, picture, plan, options, theme)
    _profile(canvas, plan, theme)
    draw_page(canvas, plan.boxes, plan.texts, theme)
    return picture


def draw_page(canvas: ImageDraw.ImageDraw, boxes: Iterable[Box], texts: Iterable[Text], theme: Theme) -> None:
    """Draw boxes, then texts, in the colours of their roles."""
    roles: dict[str, Colour] = {
        "title": theme.text,
        "text": theme.text,
        "muted": theme.muted,
        "last": theme.on_last,
        "note": theme.text,
        "warning": colours.ON_WARNING,
    }
    fills = {
        "long": theme.long,
        "short": theme.short,
        "last": theme.last,
        "note": theme.page,
        "warning": colours.WARNING,
    } | {f"layer {k}": colour for k, colour in enumerate(colours.LAYERS)}
    for box in boxes:
        canvas.rectangle(corners(box.rect), fill=fills[box.role])
    for text in texts:
        canvas.text(
            (round(text.x), round(text.y)), text.text, roles[text.role], font=font(text.size), anchor=text.align + "m"
        )


def save(picture: Image.Image, file: BinaryIO, texts: Iterable[Text], meta: Mapping[str, Any]) -> None:
    """Write a picture as PNG, with what it is in its metadata."""
    info = PngInfo()
    info.add_text("Title", next(text.text for text in texts if text.role == "title"))
    info.add_text("Software", f"liqcore {meta.get('version', '')}".rstrip())
    info.add_text("Comment", json.dumps({"synthetic": bool(meta.get("synthetic")), "note": ESTIMATE}))
    picture.save(file, format="PNG", compress_level=3, pnginfo=info)  # 3: half the time of 6, a tenth larger


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font that comes with Pillow: no font has to be installed, and every machine draws the same."""
    loaded = ImageFont.load_default(size)
    assert isinstance(loaded, ImageFont.FreeTypeFont), "Pillow 10.1 and later return this where a size is given"
    return loaded


def measure(text: str, size: int) -> float:
    """Return the width of a text, pixels."""
    return font(size).getlength(text)


def corners(rect: Rect) -> tuple[int, int, int, int]:
    """Return a rectangle as Pillow draws it: the ends included."""
    return rect.left, rect.top, rect.right - 1, rect.bottom - 1


def _plot(plan: Layout, options: RenderOptions, theme: Theme) -> Image.Image:
    """Draw the inside of the plot on an image of its own, which clips the candles."""
    raster = colours.colour_table(options.colormap)[plan.indices]
    raster[:, ~plan.covered_columns] = theme.empty
    raster[~plan.covered_rows] = theme.empty
    image = Image.fromarray(raster)
    canvas = ImageDraw.Draw(image, "RGBA")
    left, top = plan.plot.left, plan.plot.top
    width, height = plan.plot.width, plan.plot.height
    for tick in plan.price_ticks:
        y = round(plan.y(tick.at)) - top
        canvas.line((0, y, width, y), colours.GRID)
    for tick in plan.time_ticks:
        x = round(plan.x(tick.at)) - left
        canvas.line((x, 0, x, height), colours.GRID)
    if plan.unfinished_x is not None:
        x = max(round(plan.unfinished_x) - left, 0)
        for y in range(0, height, 8):
            canvas.line((x, y, x, y + 3), (*colours.CANDLE_UP, 150))
    _draw_candles(canvas, plan)
    last = plan.view.last_price
    if last is not None:
        y = round(plan.y(last)) - top
        for x in range(0, width, 8):
            canvas.line((x, y, x + 3, y), (*colours.CANDLE_UP, 170))
    return image


def _draw_candles(canvas: ImageDraw.ImageDraw, plan: Layout) -> None:
    """Draw the candles; a dark outline under all of them makes white readable on the bright end of a colour table."""
    half = plan.candle_width // 2
    shapes = []
    for candle in plan.candles:
        x = round(candle.x)
        wick = (x, round(candle.high), x, round(candle.low))
        body = (x - half, round(candle.top), x + half, round(candle.bottom))
        shapes.append((wick, body, colours.CANDLE_UP if candle.up else colours.CANDLE_DOWN))
    for wick, body, _ in shapes:
        for left, top, right, bottom in (wick, body):
            canvas.rectangle((left - 1, top - 1, right + 1, bottom + 1), colours.CANDLE_OUTLINE)
    for wick, body, fill in shapes:
        canvas.rectangle(wick, colours.CANDLE_UP)
        canvas.rectangle(body, fill, outline=colours.CANDLE_UP)


def _colour_bar(
    canvas: ImageDraw.ImageDraw, picture: Image.Image, plan: Layout, options: RenderOptions, theme: Theme
) -> None:
    """Draw the colour bar; what is hidden in the plot has the lowest colour here too."""
    rect = plan.colour_bar
    table = colours.colour_table(options.colormap)
    place = ((np.arange(rect.height)[::-1] + 0.5) / rect.height).astype(np.float32)
    share = unscaled(place, options.scale)
    entries = np.where(share < (options.threshold or 0.0), 0, place * 255 + 0.5).astype(np.uint8)
    bar = np.broadcast_to(table[entries][:, None], (rect.height, rect.width, 3))
    picture.paste(Image.fromarray(np.ascontiguousarray(bar)), (rect.left, rect.top))
    for at in plan.colour_ticks:
        y = min(round(at), rect.bottom - 1)
        canvas.line((rect.left - 3, y, rect.left - 1, y), theme.muted)


def _profile(canvas: ImageDraw.ImageDraw, plan: Layout, theme: Theme) -> None:
    """Draw the side profile and the price grid behind it."""
    rect = plan.profile
    canvas.rectangle(corners(rect), fill=theme.panel)
    for tick in plan.price_ticks:
        y = round(plan.y(tick.at))
        canvas.line((rect.left, y, rect.right + 3, y), theme.line)
    for bar in plan.bars:
        canvas.rectangle(corners(bar.rect), fill=theme.long if bar.role == "long" else theme.short)
    last = plan.view.last_price
    if last is not None and plan.view.price_low <= last <= plan.view.price_high:
        y = round(plan.y(last))
        for x in range(rect.left, rect.right, 8):
            canvas.line((x, y, min(x + 3, rect.right), y), theme.text)
