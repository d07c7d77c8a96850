"""The SVG renderer: a picture as shapes and text, its cells as one embedded image."""

import base64
import io
import json
import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from .captions import note
from .draw import image_of, measure
from .picture import Box, Candle, Colour, Curve, Hatch, Line, Mark, Panel, Picture, Raster, Rect, Text

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FONTS = "Aileron, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"


def render_svg(picture: Picture, file: BinaryIO, /) -> None:
    """Write a picture as SVG: a `Renderer`."""
    file.write("\n".join(_lines(picture)).encode())


def _lines(picture: Picture) -> Iterator[str]:
    said = json.dumps(
        {
            "synthetic": picture.synthetic,
            "note": note({} if picture.source is None else picture.source.meta),
            "software": picture.software,
        }
    )
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{picture.width}" height="{picture.height}" '
        f'viewBox="0 0 {picture.width} {picture.height}" role="img" xml:space="preserve" font-family="{_FONTS}">'
    )
    yield f"<title>{_text(picture.title)}</title>"
    yield f"<desc>{_text(said)}</desc>"
    yield _rect(Rect(0, 0, picture.width, picture.height), picture.colours["page"])
    for panel in picture.panels:
        yield from _panel(panel, picture)
    for box in picture.boxes:
        yield _rect(box.rect, picture.colours[box.role])
    for text in picture.texts:
        yield from _written(text, picture)
    yield "</svg>"


def _panel(panel: Panel, picture: Picture) -> Iterator[str]:
    """Draw a panel as an inner picture, which cuts its marks off."""
    at = panel.rect
    if at.width <= 0 or at.height <= 0:
        return
    yield (
        f'<svg x="{at.left}" y="{at.top}" width="{at.width}" height="{at.height}" '
        f'viewBox="{at.left} {at.top} {at.width} {at.height}" data-panel={quoteattr(panel.name)}>'
    )
    yield _rect(at, picture.colours[panel.role])
    candles = [mark for mark in panel.marks if isinstance(mark, Candle)]
    for mark in panel.marks:
        if not isinstance(mark, Candle):
            yield _mark(mark, picture)
        elif mark is candles[0]:  # all at once: their edges lie under every one of them
            yield from _candles(candles, picture)
    yield "</svg>"


def _mark(mark: Mark, picture: Picture) -> str:
    match mark:
        case Raster():
            return _image(mark)
        case Box():
            return _rect(mark.rect, picture.colours[mark.role])
        case Line():
            half = mark.width % 2 / 2  # the middle of the pixels that it covers
            dash = "" if mark.dash is None else f' stroke-dasharray="{mark.dash[0]} {mark.dash[1]}"'
            return (
                f'<line x1="{mark.x0 + half:g}" y1="{mark.y0 + half:g}" x2="{mark.x1 + half:g}" '
                f'y2="{mark.y1 + half:g}" {_stroke(picture.colours[mark.role], mark.width)}{dash}/>'
            )
        case Curve():
            points = " ".join(f"{x:.2f},{y:.2f}" for x, y in mark.points)
            under = ""
            if mark.edge:
                under = _curve(points, picture.colours["page"], mark.width + 2 * mark.edge)
            return under + _curve(points, picture.colours[mark.role], mark.width)
        case Hatch():
            return _hatch(mark, picture.colours[mark.role])
    raise TypeError(f"mark must be one of those of liqcore.render.picture, was {mark!r}")


def _image(raster: Raster) -> str:
    """Embed entries and table as they are: a PNG with a palette."""
    at = raster.rect
    if at.width <= 0 or at.height <= 0:
        return ""
    png = io.BytesIO()
    image_of(raster).save(png, format="PNG", optimize=False)
    return (
        f'<image x="{at.left}" y="{at.top}" width="{at.width}" height="{at.height}" preserveAspectRatio="none" '
        f'style="image-rendering: pixelated" href="data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"/>'
    )


def _curve(points: str, colour: Colour, width: int) -> str:
    return f'<polyline points="{points}" fill="none" stroke-linejoin="round" {_stroke(colour, width)}/>'


def _hatch(hatch: Hatch, colour: Colour) -> str:
    at = hatch.rect
    if at.width <= 0 or at.height <= 0:
        return ""
    lines = "".join(f"M{x} {at.height}l{at.height} {-at.height}" for x in range(-at.height, at.width, hatch.gap))
    return (
        f'<svg x="{at.left}" y="{at.top}" width="{at.width}" height="{at.height}">'
        f'<path d="{lines}" fill="none" {_stroke(colour, hatch.width)}/></svg>'
    )


def _candles(candles: list[Candle], picture: Picture) -> Iterator[str]:
    """Draw candles as one path a colour, on one path of dark edges."""
    edges: list[str] = []
    filled: dict[str, list[str]] = {}
    hollow: dict[str, list[str]] = {}
    for candle in candles:
        x, half = round(candle.x), candle.width // 2
        high, top, bottom, low = (round(y) for y in (candle.high, candle.top, candle.bottom, candle.low))
        edges.append(_area(x - 1, high - 1, 3, low - high + 3))
        edges.append(_area(x - half - 1, top - 1, 2 * half + 3, bottom - top + 3))
        if candle.hollow and bottom - top > 1 and half > 0:
            filled.setdefault(candle.role, []).extend(
                [_area(x, high, 1, top - high + 1), _area(x, bottom, 1, low - bottom + 1)]
            )
            hollow.setdefault(candle.role, []).append(_area(x - half + 0.5, top + 0.5, 2 * half, bottom - top))
        else:
            body = _area(x - half, top, 2 * half + 1, bottom - top + 1)
            filled.setdefault(candle.role, []).extend([_area(x, high, 1, low - high + 1), body])
    yield f'<path d="{"".join(edges)}" {_fill(picture.colours["candle edge"])}/>'
    for role, areas in filled.items():
        yield f'<path d="{"".join(areas)}" {_fill(picture.colours[role])}/>'
    empty = _fill(picture.colours["candle hollow"])
    for role, areas in hollow.items():
        yield f'<path d="{"".join(areas)}" {empty} {_stroke(picture.colours[role], 1)}/>'


def _area(left: float, top: float, width: float, height: float) -> str:
    return f"M{left:g} {top:g}h{width:g}v{height:g}h{-width:g}z"


def _written(text: Text, picture: Picture) -> Iterator[str]:
    """Write a line as text, as wide as the layout reckoned, whatever font the reader has."""
    width = measure(text.text, text.size)
    if width <= 0:
        return
    anchor = {"l": "start", "m": "middle", "r": "end"}[text.align]
    yield (
        f'<text x="{text.x:g}" y="{text.y:g}" dy="0.35em" font-size="{text.size}" text-anchor="{anchor}" '
        f'textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs" {_fill(picture.colours[text.role])}>'
        f"{_text(text.text)}</text>"
    )


def _rect(at: Rect, colour: Colour) -> str:
    if at.width <= 0 or at.height <= 0:
        return ""
    return f'<rect x="{at.left}" y="{at.top}" width="{at.width}" height="{at.height}" {_fill(colour)}/>'


def _fill(colour: Colour) -> str:
    return _paint("fill", colour)


def _stroke(colour: Colour, width: int) -> str:
    return f'{_paint("stroke", colour)} stroke-width="{width}"'


def _paint(what: str, colour: Colour) -> str:
    opacity = f' {what}-opacity="{colour[3] / 255:.3f}"' if len(colour) == 4 else ""
    return f'{what}="#{bytes(colour[:3]).hex()}"{opacity}'


def _text(text: str) -> str:
    """Return a text as it may stand in XML; what may not stand there at all is replaced."""
    return escape(_NOT_IN_XML.sub("\ufffd", text))
