"""
What all pictures share: a page on which title, header and footer stand, as far as there is room.

Text never covers the plot: at least half the height is the plot's. What has no room is left out whole, in the order
that the layouts and docs/reference/pictures.md say, and within a line from its end. A title is shortened; amounts
never are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from . import captions
from .picture import Box, Line, Rect, Text

#: Width of a text at a font size, pixels.
Measure = Callable[[str, int], float]

SEPARATOR = "  ·  "


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
        self.left_out: list[str] = []

    def em(self, factor: float) -> int:
        """Return a length in proportion to the text size, pixels."""
        return round(factor * self.size)

    def width_of(self, text: str) -> float:
        """Return the width of a text in the usual size, pixels."""
        return self.measure(text, self.size)

    def lines_beside_plot(self, taken: int) -> int:
        """Return how many lines of text there may be, where `taken` pixels are for title, axes and margins."""
        return max((self.height - taken - self.height // 2) // self.line, 0)

    @property
    def stroke(self) -> int:
        """Width of a thin line, pixels."""
        return max(round(self.size / 15), 1)

    def dashed(self, x0: int, y0: int, x1: int, y1: int, role: str, thick: int = 1) -> Line:
        """Return a line of dashes, so many times as thick as a thin one."""
        width = thick * self.stroke
        return Line(x0, y0, x1, y1, role, width, (4 * width, 4 * self.stroke))

    @property
    def title_height(self) -> int:
        """Of the title line, with what is left free above and below."""
        return self.margin + round(self.title_size * 1.35) + self.em(0.3)

    @property
    def bottom_margin(self) -> int:
        """What is left free below the footer."""
        return round(self.margin * 0.7)

    def write(self, x: float, y: float, text: str, align: str = "l", role: str = "text") -> None:
        """Add one line of text in the usual size."""
        self.texts.append(Text(x, y, text, self.size, align, role))

    def write_title(self, parts: Sequence[str], synthetic: bool) -> int:
        """Write the title line, and the label of synthetic data at its right end; return the bottom."""
        height = round(self.title_size * 1.35)
        right = self.width - self.margin
        middle = self.margin + height / 2
        if synthetic:
            left = right - math.ceil(self.width_of(captions.SYNTHETIC)) - self.em(1.4)
            self.boxes.append(Box(Rect(left, self.margin, right, self.margin + height), "warning"))
            self.write((left + right) / 2, middle, captions.SYNTHETIC, "m", "on warning")
            right = left - self.em(1)
        shown = list(parts)
        while len(shown) > 1 and self.measure(" · ".join(shown), self.title_size) > right - self.margin:
            self.left_out.append(shown.pop())
        text = fit(" · ".join(shown), right - self.margin, lambda text: self.measure(text, self.title_size))
        self.texts.append(Text(self.margin, middle, text, self.title_size, role="title"))
        return self.title_height

    def write_lines(self, top: int, items: Iterable[str], most: int, role: str = "text", width: float = 0.0) -> int:
        """Write items in at most so many lines of a width, the page's if none is given; return the bottom."""
        lines, left_out = wrap(items, width or self.width - 2 * self.margin, self.width_of, most)
        self.left_out += left_out
        for row, text in enumerate(lines):
            self.write(self.margin, top + (row + 0.5) * self.line, text, role=role)
        return top + len(lines) * self.line

    def write_header(
        self, top: int, items: Sequence[str], most: int, legend: Sequence[tuple[str, str]], left: int
    ) -> int:
        """
        Write what the picture shows in at most so many lines and, at the right end of them, a legend; return the
        bottom. The legend's squares begin at `left`, or further left where they have to.
        """
        rows = legend[:most]
        self.left_out += [text for _, text in legend[most:]]
        widest = max((self.width_of(text) for _, text in rows), default=0.0)
        left = min(left, self.width - self.margin - math.ceil(widest) - self.em(1.3))
        bottom = self.write_lines(top, items, most, width=left - self.em(1.5) - self.margin)
        bottom = max(bottom, top + len(rows) * self.line)
        for row, (role, text) in enumerate(rows):
            y = bottom - (len(rows) - row - 0.5) * self.line
            self.square(left, y, role)
            self.write(left + self.em(1.3), y, text)
        return bottom

    def write_beside_title(self, legend: Sequence[tuple[str, str]], hollow: str = "") -> None:
        """Write a legend at the right end of the title line, or nothing of it where that is full."""
        title = next(text for text in self.texts if text.role == "title")
        right = min(
            [self.width - self.margin, *(box.rect.left - self.em(1) for box in self.boxes if box.role == "warning")]
        )
        widths = [self.em(1.2) + math.ceil(self.width_of(name)) + self.em(1) for _, name in legend]
        left = right - sum(widths) + self.em(1)
        if left < title.x + self.measure(title.text, title.size) + self.em(1.5):
            self.left_out += [name for _, name in legend]
            return
        for (role, name), width in zip(legend, widths, strict=True):
            self.square(left, title.y, role, hollow=role == hollow)
            self.write(left + self.em(1.2), title.y, name)
            left += width

    def square(self, left: float, y: float, role: str, *, hollow: bool = False) -> None:
        """Add a square of a legend; those of candles have the dark edge that candles have."""
        half, x, middle = self.em(0.35), round(left), round(y)
        at = Rect(x, middle - half, x + 2 * half, middle + half)
        if role in ("up", "down"):
            self.boxes.append(Box(Rect(at.left - 1, at.top - 1, at.right + 1, at.bottom + 1), "candle edge"))
        self.boxes.append(Box(at, role))
        if hollow:
            self.boxes.append(Box(Rect(at.left + 1, at.top + 1, at.right - 1, at.bottom - 1), "candle hollow"))

    def write_footer(self, items: Sequence[str], most: int) -> int:
        """Write the small print along the bottom, in at most so many lines; return its top."""
        lines, left_out = wrap(items, self.width - 2 * self.margin, self.width_of, most)
        self.left_out += left_out
        top = self.height - self.bottom_margin - len(lines) * self.line
        for row, text in enumerate(lines):
            self.write(self.margin, top + (row + 0.5) * self.line, text, role="muted")
        return top

    def write_note(self, text: str, plot: Rect) -> None:
        """Say in the middle of the plot why it is empty."""
        self.write_tag(text, (plot.left + plot.right) / 2, plot.top + plot.height / 4, "note")

    def write_tag(self, text: str, x: float, y: float, role: str) -> Rect:
        """Write a text on a ground of its own, its middle at a point; return the ground."""
        half = math.ceil(self.width_of(text) / 2) + self.em(0.5)
        rect = Rect(round(x) - half, round(y) - self.em(0.8), round(x) + half, round(y) + self.em(0.8))
        self.boxes.append(Box(rect, role))
        self.write(x, y, text, "m", f"on {role}")
        return rect

    def first_fitting(self, texts: Sequence[str], width: float) -> str:
        """Return the first of several wordings that fits into a width; empty if none does."""
        return next((text for text in texts if self.width_of(text) <= width), "")


def fit(text: str, width: float, width_of: Callable[[str], float]) -> str:
    """Shorten a text to a width in pixels; the cut is marked by three dots."""
    if len(text) <= width and width_of(text) <= width:
        return text
    text = text[: max(0, int(width))]  # no letter is narrower than a pixel
    while text and width_of(text + "...") > width:
        text = text[:-1]
    return text.rstrip() + "..."


def wrap(
    items: Iterable[str], width: float, width_of: Callable[[str], float], most: int
) -> tuple[list[str], list[str]]:
    """
    Set items in lines of a width in pixels, at most ``most`` of them; return the lines, and what has no room.

    Once an item has no room, the later ones, which matter less, are left out too; but for one that is wider than any
    line, which is left out alone.
    """
    lines: list[str] = []
    left_out: list[str] = []
    full = most < 1
    for item in items:
        joined = f"{lines[-1]}{SEPARATOR}{item}" if lines else item
        if full or width_of(item) > width:
            left_out.append(item)
        elif lines and width_of(joined) <= width:
            lines[-1] = joined
        elif len(lines) < most:
            lines.append(item)
        else:
            full = True
            left_out.append(item)
    return lines, left_out
