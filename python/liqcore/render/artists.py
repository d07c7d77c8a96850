"""A picture as a matplotlib figure, to edit: the same values, colours and texts, on axes of prices and times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..errors import LiqcoreError
from .page import Measure
from .picture import Box, Candle, Colour, Curve, Hatch, Line, Mark, Panel, Picture, Raster, Scale, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 100
_POINT = 72 / DPI  # points a pixel
_TRIES = 5
_AXES = {
    ("heatmap", "plot"): ("time", "price"),
    ("heatmap", "profile"): ("profile", "price"),
    ("map", "plot"): ("price", "bars"),
}
"""What a panel's axes count, across and up; of others, pixels."""
_Points: TypeAlias = Sequence[tuple[float, float]]


def figure_of(picture: Picture, measure: Measure) -> Figure:
    """
    Draw a picture as a figure of matplotlib, one pixel a hundredth of an inch.

    Parameters
    ----------
    picture : Picture
    measure : callable
        What its texts were measured with: they are set in matplotlib's font, as much smaller as that one is wider.

    Raises
    ------
    LiqcoreError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle
    except ImportError as error:
        raise LiqcoreError('figures need matplotlib: pip install "liqcore[figures]"') from error
    colours = {role: _rgba(colour) for role, colour in picture.colours.items()}
    width, height = picture.width, picture.height
    figure = Figure((width / DPI, height / DPI), dpi=DPI, facecolor=colours["page"])
    for panel in picture.panels:
        if panel.rect.width > 0 and panel.rect.height > 0:
            _draw_panel(figure, panel, picture, colours)
    for box in picture.boxes:
        corner = box.rect.left / width, 1 - box.rect.bottom / height
        size = box.rect.width / width, box.rect.height / height
        figure.add_artist(Rectangle(corner, *size, facecolor=colours[box.role], linewidth=0))
    for text in picture.texts:
        figure.text(
            text.x / width,
            1 - text.y / height,
            text.text,
            color=colours[text.role],
            fontsize=text.size * _POINT,
            ha={"l": "left", "m": "center", "r": "right"}[text.align],
            va="center_baseline",
            parse_math=False,  # two amounts in dollars are no formula
        )
    _fit(figure, picture.texts, measure)
    return figure


def _rgba(colour: Colour) -> tuple[float, ...]:
    return tuple(part / 255 for part in colour)


def _fit(figure: Figure, written: Sequence[Text], measure: Measure) -> None:
    """Make all texts smaller, alike, until none is wider than it was reckoned: fonts and their hinting differ."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    for _ in range(_TRIES):
        shares = [
            measure(text.text, text.size) / artist.get_window_extent(renderer).width
            for text, artist in zip(written, figure.texts, strict=True)
            if len(text.text) > 2
        ]
        if min(shares, default=1.0) >= 1:
            return
        for artist in figure.texts:
            artist.set_fontsize(artist.get_fontsize() * min(shares))


def _draw_panel(figure: Figure, panel: Panel, picture: Picture, colours: dict[str, Any]) -> None:
    """Draw a panel as axes, which cut its marks off."""
    from matplotlib.transforms import Affine2D

    at = panel.rect
    place = at.left / picture.width, 1 - at.bottom / picture.height
    size = at.width / picture.width, at.height / picture.height
    axes = figure.add_axes((*place, *size), label=panel.name, facecolor=colours[panel.role])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    names = _AXES.get((picture.kind, panel.name))
    across, up = (_value_of(picture.scales[name]) for name in names) if names else (_itself, _itself)
    x, y = across(0.0), up(0.0)
    to_values = Affine2D(np.array([[across(1.0) - x, 0.0, x], [0.0, up(1.0) - y, y], [0.0, 0.0, 1.0]]))
    axes.set_xlim(across(at.left), across(at.right))
    axes.set_ylim(up(at.bottom), up(at.top))
    if names and names[0] == "time":
        axes.xaxis.axis_date("UTC")
        axes.set_xticks([])
    candles = [mark for mark in panel.marks if isinstance(mark, Candle)]
    draw = _Drawing(axes, to_values + axes.transData, colours)
    for mark in panel.marks:
        if not isinstance(mark, Candle):
            draw.mark(mark)
        elif mark is candles[0]:  # all at once: their edges lie under every one of them
            draw.candles(candles)
    axes.set_xlim(across(at.left), across(at.right))
    axes.set_ylim(up(at.bottom), up(at.top))


def _itself(pixel: float) -> float:
    return pixel


def _value_of(scale: Scale) -> Callable[[float], float]:
    """Return what turns pixels into values of a linear scale; instants into matplotlib's days."""
    low, high = scale.low, scale.high
    if scale.unit == "ns":
        from matplotlib.dates import date2num

        low, high = (float(date2num(np.datetime64(int(at), "ns"))) for at in (low, high))
    per_pixel = (high - low) / (scale.end - scale.start)
    return lambda pixel: low + (pixel - scale.start) * per_pixel


class _Drawing:
    """Puts marks on axes, each above the one before and all below what an editor adds."""

    def __init__(self, axes: Axes, transform: Any, colours: dict[str, Any]) -> None:
        self._axes = axes
        self._transform = transform
        self._colours = colours
        self._drawn = 0

    def mark(self, mark: Mark) -> None:
        """Draw what is no candle."""
        match mark:
            case Raster():
                self._image(mark)
            case Box():
                at = mark.rect
                self._areas([[(at.left, at.top), (at.right, at.top), (at.right, at.bottom), (at.left, at.bottom)]],
                            mark.role)  # fmt: skip
            case Line():
                half = mark.width % 2 / 2  # the middle of the pixels that it covers
                points = [(mark.x0 + half, mark.y0 + half), (mark.x1 + half, mark.y1 + half)]
                dash = None if mark.dash is None else tuple(length * _POINT for length in mark.dash)
                self._lines([points], self._colours[mark.role], mark.width, dash)
            case Curve():
                if mark.edge:
                    self._lines([mark.points], self._colours["page"], mark.width + 2 * mark.edge)
                self._lines([mark.points], self._colours[mark.role], mark.width)
            case Hatch():
                self._hatch(mark)

    def candles(self, candles: Sequence[Candle]) -> None:
        """Draw candles on dark edges."""
        edges: list[_Points] = []
        filled: dict[str, list[_Points]] = {}
        hollow: dict[str, list[_Points]] = {}
        for candle in candles:
            x, half = round(candle.x), candle.width // 2
            high, top, bottom, low = (round(y) for y in (candle.high, candle.top, candle.bottom, candle.low))
            edges += [_area(x - 1, high - 1, 3, low - high + 3),
                      _area(x - half - 1, top - 1, 2 * half + 3, bottom - top + 3)]  # fmt: skip
            body = _area(x - half, top, 2 * half + 1, bottom - top + 1)
            filled.setdefault(candle.role, []).extend([_area(x, high, 1, low - high + 1), body])
            if candle.hollow and bottom - top > 1 and half > 0:
                hollow.setdefault(candle.role, []).append(_area(x - half + 1, top + 1, 2 * half - 1, bottom - top - 1))
        self._areas(edges, "candle edge")
        for role, areas in filled.items():
            self._areas(areas, role)
        for areas in hollow.values():
            self._areas(areas, "candle hollow")

    def _order(self) -> float:
        self._drawn += 1
        return 2 - 1 / (1 + self._drawn)

    def _areas(self, areas: Sequence[_Points], role: str) -> None:
        from matplotlib.collections import PolyCollection

        self._axes.add_collection(
            PolyCollection(areas, facecolors=[self._colours[role]], linewidths=0, antialiaseds=False,
                           transform=self._transform, zorder=self._order(), label=f"_{role}"),
            autolim=False,
        )  # fmt: skip

    def _lines(
        self, lines: Sequence[_Points], colour: Any, width: float, dash: tuple[float, ...] | None = None
    ) -> None:
        from matplotlib.collections import LineCollection

        points = width * _POINT
        style = "solid" if dash is None else (0, tuple(length / points for length in dash))  # in widths of the line
        self._axes.add_collection(
            LineCollection(lines, colors=[colour], linewidths=points, linestyles=[style], transform=self._transform,
                           zorder=self._order()),
            autolim=False,
        )  # fmt: skip

    def _hatch(self, hatch: Hatch) -> None:
        from matplotlib.patches import Rectangle

        at = hatch.rect
        slanted = [
            [(at.left + x, at.bottom), (at.left + x + at.height, at.top)]
            for x in range(-at.height, at.width, hatch.gap)
        ]
        self._lines(slanted, self._colours[hatch.role], hatch.width)
        cut = Rectangle((at.left, at.top), at.width, at.height, transform=self._transform)
        self._axes.collections[-1].set_clip_path(cut)

    def _image(self, raster: Raster) -> None:
        """Show the entries on their colour table, which can be exchanged for another one."""
        from matplotlib.colors import ListedColormap, NoNorm

        at = raster.rect
        if at.width <= 0 or at.height <= 0:
            return
        image = self._axes.imshow(
            raster.entries,
            cmap=ListedColormap(raster.table / 255),
            norm=NoNorm(),
            interpolation="nearest",
            aspect="auto",
            extent=(at.left, at.right, at.bottom, at.top),
            zorder=self._order(),
        )
        image.set_transform(self._transform)


def _area(left: float, top: float, width: float, height: float) -> _Points:
    right, bottom = left + width, top + height
    return [(left, top), (right, top), (right, bottom), (left, bottom)]
