"""What all pictures share: rectangles, lines of text that fit, and a page on which title, header and footer stand."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import captions

#: Width of a text at a font size, pixels.
Measure = Callable[[str, int], float]


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

    ``align`` says which point of the line ``x`` is: ``l``, ``m`` or ``r``; ``y`` is its middle. ``role`` is ``title``,
    ``text``, ``muted``, ``last``, ``note`` or ``warning``.
    """

    x: float
    y: float
    text: str
    size: int
    align: str = "l"
    role: str = "text"


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle; ``role`` is ``long``, ``short``, ``last``, ``note``, ``warning``, ``layer 0`` and so on."""

    rect: Rect
    role: str


class Page:
    """Text sizes that fit the picture, and what has been written so far."""

    def __init__(self, width: int, height: int, measure: Measure) -> None:
        self.width = width
        self.height = height
        self.measure = measure
        # Grows with the picture. Below 12 pixels the font's spaces are too narrow to tell words apart.
        self.size = max(round(min(width / 1600, height / 900) * 15), 12)
        self.title_size = self.em(1.4)
        self.line = self.em(1.45)
        self.margin = self.em(0.9)
        self.texts: list[Text] = []
        self.boxes: list[Box] = []

    def em(self, factor: float) -> int:
        """Return a length in proportion to the text size, pixels."""
        return round(factor * self.size)

    def width_of(self, text: str) -> float:
        """Return the width of a text in the usual size, pixels."""
        return self.measure(text, self.size)

    def write(self, x: float, y: float, text: str, align: str = "l", role: str = "text") -> None:
        """Add one line of text in the usual size."""
        self.texts.append(Text(x, y, text, self.size, align, role))

    def write_title(self, title: str, synthetic: bool) -> int:
        """Write the title line, and the label of synthetic data at its right end; return the bottom."""
        height = round(self.title_size * 1.35)
        right = self.width - self.margin
        middle = self.margin + height / 2
        if synthetic:
            left = right - math.ceil(self.width_of(captions.SYNTHETIC)) - self.em(1.4)
            self.boxes.append(Box(Rect(left, self.margin, right, self.margin + height), "warning"))
            self.write((left + right) / 2, middle, captions.SYNTHETIC, "m", "warning")
            right = left - self.em(1)
        text = fit(title, right - self.margin, lambda text: self.measure(text, self.title_size))
        self.texts.append(Text(self.margin, middle, text, self.title_size, role="title"))
        return self.margin + height + self.em(0.3)

    def write_header(self, top: int, items: list[str], legend: list[tuple[str, str]], legend_left: int) -> int:
        """Write what the picture shows and, to the right of it, the legend of the side profile; return the bottom."""
        legend_width = max(self.width_of(text) for _, text in legend) + self.em(1.3)
        legend_left = min(legend_left, self.width - self.margin - math.ceil(legend_width))
        lines = wrap(items, legend_left - self.em(1.5) - self.margin, self.width_of, most=5)
        count = max(len(lines), len(legend))
        for row, text in enumerate(lines):
            self.write(self.margin, top + (row + 0.5) * self.line, text)
        for row, (role, text) in enumerate(legend, start=count - len(legend)):
            y = top + (row + 0.5) * self.line
            half = self.em(0.35)
            self.boxes.append(Box(Rect(legend_left, round(y) - half, legend_left + 2 * half, round(y) + half), role))
            self.write(legend_left + self.em(1.3), y, text)
        return top + count * self.line

    def write_lines(self, top: int, items: list[str], most: int, role: str = "text") -> int:
        """Write items in at most so many lines of the page's width; return the bottom."""
        lines = wrap(items, self.width - 2 * self.margin, self.width_of, most)
        for row, text in enumerate(lines):
            self.write(self.margin, top + (row + 0.5) * self.line, text, role=role)
        return top + len(lines) * self.line

    def write_footer(self, items: list[str]) -> int:
        """Write the small print along the bottom; return its top."""
        lines = wrap(items, self.width - 2 * self.margin, self.width_of, most=2)
        top = self.height - round(self.margin * 0.7) - len(lines) * self.line
        for row, text in enumerate(lines):
            self.write(self.margin, top + (row + 0.5) * self.line, text, role="muted")
        return top

    def write_note(self, text: str, plot: Rect) -> None:
        """Say in the middle of the plot why it is empty."""
        x, y = (plot.left + plot.right) / 2, plot.top + plot.height / 4
        half = math.ceil(self.width_of(text) / 2) + self.em(0.8)
        rect = Rect(round(x) - half, round(y) - self.em(1), round(x) + half, round(y) + self.em(1))
        self.boxes.append(Box(rect, "note"))
        self.write(x, y, text, "m", "note")


def fit(text: str, width: float, width_of: Callable[[str], float]) -> str:
    """Shorten a text to a width in pixels; the cut is marked by three dots."""
    if len(text) <= width and width_of(text) <= width:
        return text
    text = text[: max(0, int(width))]  # no letter is narrower than a pixel
    while text and width_of(text + "...") > width:
        text = text[:-1]
    return text.rstrip() + "..."


def wrap(items: Iterable[str], width: float, width_of: Callable[[str], float], most: int) -> list[str]:
    """Set items in lines of a width in pixels, at most ``most`` of them."""
    lines: list[str] = []
    for item in items:
        joined = f"{lines[-1]}  ·  {item}" if lines else item
        if lines and (width_of(joined) <= width or len(lines) == most):
            lines[-1] = joined
        else:
            lines.append(item)
    return [fit(line, width, width_of) for line in lines]
