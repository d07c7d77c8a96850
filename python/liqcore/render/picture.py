"""
What a picture is before anybody draws it.

A `Picture` holds all that is seen and said: panels with their marks, scales, texts with their places, colours. Whatever
draws one (PNG is built in) adds nothing of its own, so that every format shows the same and says the same. It is plain
data, frozen; pixels are counted from the top left corner, and a colour is (red, green, blue), each 0 to 255, with a
fourth number, 0 to 255, where it is translucent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Colour: TypeAlias = tuple[int, int, int] | tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Rect:
    """Pixels from ``left`` to ``right`` and from ``top`` to ``bottom``, the ends not included."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Text:
    """
    One line of text.

    ``align`` says which point of the line ``x`` is: ``l``, ``m`` or ``r``; ``y`` is its middle.
    """

    x: float
    y: float
    text: str
    size: int
    align: str = "l"
    role: str = "text"


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    rect: Rect
    role: str


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line, across or down; with ``dash``, so many pixels of it and so many without, in turn."""

    x0: int
    y0: int
    x1: int
    y1: int
    role: str
    width: int = 1
    dash: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points, with an edge ``edge`` pixels wide on either side in the colour of the page."""

    points: tuple[tuple[float, float], ...]
    role: str
    width: int
    edge: int = 0


@dataclass(frozen=True, slots=True)
class Hatch:
    """A rectangle of slanted lines, so many pixels apart, in it and not beyond."""

    rect: Rect
    role: str
    gap: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class Candle:
    """A candle in its role's colour: a wick from ``high`` to ``low`` at ``x``, a body from ``top`` to ``bottom``."""

    x: float
    high: float
    top: float
    bottom: float
    low: float
    width: int
    role: str
    hollow: bool = False

    @property
    def up(self) -> bool:
        """Whether it rises."""
        return self.role == "up"


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """
    An image, one entry of a colour table a pixel.

    ``entries`` is uint8 of the shape (height, width) of ``rect``, top row first; ``table`` uint8 of shape (256, 3).
    """

    rect: Rect
    entries: NDArray[np.uint8]
    table: NDArray[np.uint8]


Mark: TypeAlias = Raster | Box | Line | Curve | Hatch | Candle


@dataclass(frozen=True, slots=True)
class Scale:
    """
    From values to pixels along one axis, or to the place on a colour bar.

    Attributes
    ----------
    unit : str
        Of the values: ``"price"``, ``"ns"`` (since the UNIX epoch), ``"USD"``, or what a quantity counts.
    low, high : float
        Values at ``start`` and ``end``. Instants are whole numbers.
    start, end : float
        Pixels.
    kind : {"linear", "sqrt", "log"}
        From the share between low and high to the place between start and end: `liqcore.render.raster.colour_index`.
    """

    unit: str
    low: float
    high: float
    start: float
    end: float
    kind: str = "linear"

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (value - self.low) / (self.high - self.low)
        if self.kind == "sqrt":
            share = math.sqrt(max(share, 0.0))
        elif self.kind == "log":
            share = math.log1p(1000 * max(share, 0.0)) / math.log1p(1000)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a picture: its ground, and marks in the order in which they lie on it, cut off at its edges."""

    name: str
    rect: Rect
    role: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """
    A picture.

    Attributes
    ----------
    kind : {"heatmap", "map"}
    width, height : int
        Pixels.
    theme : str
        Name of the colours: ``"dark"`` or ``"light"``.
    colours : mapping of str to colour
        By role: of grounds, marks and texts. ``"page"`` is the ground of all.
    title : str
        In full, also where the title line has no room for it.
    panels : tuple of Panel
        ``"plot"`` of either kind; ``"colour bar"`` and ``"profile"`` of a heatmap.
    scales : mapping of str to Scale
        ``"price"`` and ``"time"`` of a heatmap's plot, ``"colour"`` of its bar, ``"profile"`` of its bars; ``"price"``,
        ``"bars"`` and ``"curves"`` of a map.
    boxes : tuple of Box
        Grounds of texts, and squares of legends: on top of the panels.
    texts : tuple of Text
        Everything that is written, on top of all.
    left_out : tuple of str
        What had no room, the first to be left out last.
    software : str
        Who made it.
    synthetic : bool
        Whether the data is made up.
    source : HeatmapLike, MapLike or None
        What is drawn, for formats in which a reader can look closer.
    options : RenderOptions, MapOptions or None
        How.
    """

    kind: str
    width: int
    height: int
    theme: str
    colours: Mapping[str, Colour]
    title: str
    panels: tuple[Panel, ...]
    scales: Mapping[str, Scale]
    boxes: tuple[Box, ...]
    texts: tuple[Text, ...]
    left_out: tuple[str, ...]
    software: str
    synthetic: bool
    source: Any = None
    options: Any = None

    def panel(self, name: str) -> Panel:
        """Return a panel by its name."""
        return next(panel for panel in self.panels if panel.name == name)

    def marks(self, kind: type[Mark], panel: str = "plot") -> list[Mark]:
        """Return the marks of one kind in a panel."""
        return [mark for mark in self.panel(panel).marks if isinstance(mark, kind)]
