"""The PNG renderer: draws a picture with Pillow."""

import json
from functools import cache
from typing import BinaryIO

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from .captions import note
from .picture import Box, Candle, Colour, Curve, Hatch, Line, Panel, Picture, Raster, Rect


def render_png(picture: Picture, file: BinaryIO, /) -> None:
    """
    Write a picture as PNG: a `Renderer`.

    The same picture gives the same bytes with the same version of Pillow.
    """
    info = PngInfo()
    info.add_text("Title", picture.title)
    info.add_text("Software", picture.software)
    info.add_text(
        "Comment",
        json.dumps(
            {"synthetic": picture.synthetic, "note": note({} if picture.source is None else picture.source.meta)}
        ),
    )
    draw(picture).save(file, format="PNG", compress_level=3, pnginfo=info)  # 3: half the time of 6, a tenth larger


def draw(picture: Picture) -> Image.Image:
    """Draw a picture; return an RGB image of its size."""
    image = Image.new("RGB", (picture.width, picture.height), picture.colours["page"])
    for panel in picture.panels:
        image.paste(_draw_panel(panel, picture), (panel.rect.left, panel.rect.top))
    canvas = ImageDraw.Draw(image)
    for box in picture.boxes:
        canvas.rectangle(corners(box.rect), fill=picture.colours[box.role])
    for text in picture.texts:
        where = (round(text.x), round(text.y))
        canvas.text(where, text.text, picture.colours[text.role], font=font(text.size), anchor=text.align + "m")
    return image


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


def _draw_panel(panel: Panel, picture: Picture) -> Image.Image:
    """Draw a panel on an image of its own, which cuts its marks off."""
    at = panel.rect
    marks = panel.marks
    if marks and isinstance(marks[0], Raster) and marks[0].rect == at and at.width > 0 and at.height > 0:
        image, marks = image_of(marks[0]).convert("RGB"), marks[1:]
    else:
        image = Image.new("RGB", (max(at.width, 1), max(at.height, 1)), picture.colours[panel.role])
    canvas = ImageDraw.Draw(image, "RGBA")
    candles = [mark for mark in marks if isinstance(mark, Candle)]
    for mark in marks:
        match mark:
            case Raster():
                image.paste(image_of(mark).convert("RGB"), _moved(mark.rect, at)[:2])
            case Box():
                left, top, right, bottom = _moved(mark.rect, at)
                if right > left and bottom > top:
                    canvas.rectangle((left, top, right - 1, bottom - 1), fill=picture.colours[mark.role])
            case Line():
                _draw_line(canvas, mark, at, picture.colours[mark.role])
            case Curve():
                points = [(round(x) - at.left, round(y) - at.top) for x, y in mark.points]
                if mark.edge:
                    canvas.line(points, picture.colours["page"], width=mark.width + 2 * mark.edge, joint="curve")
                canvas.line(points, picture.colours[mark.role], width=mark.width, joint="curve")
            case Hatch():
                _draw_hatch(image, mark, at, picture.colours[mark.role])
            case Candle():
                if mark is candles[0]:  # all at once: their edges lie under every one of them
                    _draw_candles(canvas, candles, at, picture)
    return image


def image_of(raster: Raster) -> Image.Image:
    """Return the cells as they are: entries of a palette, which is the colour table."""
    image = Image.frombytes("P", (raster.rect.width, raster.rect.height), raster.entries.tobytes())
    image.putpalette(raster.table.tobytes())
    return image


def _moved(rect: Rect, origin: Rect) -> tuple[int, int, int, int]:
    return (
        rect.left - origin.left, rect.top - origin.top, rect.right - origin.left, rect.bottom - origin.top
    )  # fmt: skip


def _draw_line(canvas: ImageDraw.ImageDraw, line: Line, origin: Rect, colour: Colour) -> None:
    x0, y0, x1, y1 = line.x0 - origin.left, line.y0 - origin.top, line.x1 - origin.left, line.y1 - origin.top
    if line.dash is None:
        canvas.line((x0, y0, x1, y1), colour, width=line.width)
        return
    on, off = line.dash
    if y0 == y1:
        for x in range(x0, x1, on + off):
            canvas.line((x, y0, min(x + on - 1, x1), y0), colour, width=line.width)
    else:
        for y in range(y0, y1, on + off):
            canvas.line((x0, y, x0, min(y + on - 1, y1)), colour, width=line.width)


def _draw_hatch(image: Image.Image, hatch: Hatch, origin: Rect, colour: Colour) -> None:
    """Draw slanted lines; on an image of the rectangle's size, which cuts them off."""
    left, top, right, bottom = _moved(hatch.rect, origin)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height)
    if right <= left or bottom <= top:
        return
    part = image.crop((left, top, right, bottom))
    canvas = ImageDraw.Draw(part, "RGBA")
    for x in range(-part.height, part.width, hatch.gap):
        canvas.line((x, part.height, x + part.height, 0), colour, width=hatch.width)
    image.paste(part, (left, top))


def _draw_candles(canvas: ImageDraw.ImageDraw, candles: list[Candle], origin: Rect, picture: Picture) -> None:
    """Draw candles; a dark edge under all of them makes them readable on the bright end of a colour table."""
    shapes = []
    for candle in candles:
        half = candle.width // 2
        x = round(candle.x) - origin.left
        wick = (x, round(candle.high) - origin.top, x, round(candle.low) - origin.top)
        body = (x - half, round(candle.top) - origin.top, x + half, round(candle.bottom) - origin.top)
        shapes.append((wick, body, candle))
    edge = picture.colours["candle edge"]
    for wick, body, _ in shapes:
        for left, top, right, bottom in (wick, body):
            canvas.rectangle((left - 1, top - 1, right + 1, bottom + 1), edge)
    for wick, body, candle in shapes:
        colour = picture.colours[candle.role]
        if candle.hollow and body[3] - body[1] > 1 and body[2] - body[0] > 1:
            canvas.line((wick[0], wick[1], wick[0], body[1]), colour)
            canvas.line((wick[0], body[3], wick[0], wick[3]), colour)
            canvas.rectangle(body, picture.colours["candle hollow"], outline=colour)
        else:
            canvas.rectangle(wick, colour)
            canvas.rectangle(body, colour)
