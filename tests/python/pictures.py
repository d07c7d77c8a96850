"""What tests of pictures share."""

from collections.abc import Sequence
from itertools import combinations

from liqcore.render import Picture
from liqcore.render.draw import measure
from liqcore.render.picture import Box, Candle, Rect, Text


def box(text: Text) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a text, pixels."""
    width = measure(text.text, text.size)
    left = text.x - {"l": 0.0, "m": width / 2, "r": width}[text.align]
    return left, text.y - text.size / 2, left + width, text.y + text.size / 2


def assert_readable(texts: Sequence[Text], width: int, height: int) -> None:
    """Check that no text is clipped by the picture or lies on another."""
    boxes = [(text.text, box(text)) for text in texts]
    for text, (left, top, right, bottom) in boxes:
        assert 0 <= left < right <= width, f"{text!r} is clipped"
        assert 0 <= top < bottom <= height, f"{text!r} is clipped"
    for index, (one, a) in enumerate(boxes):
        for other, b in boxes[:index]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, f"{one!r} lies on {other!r}"


def assert_sound(picture: Picture) -> None:
    """
    Check that nothing of a picture overlaps or is cut, by measured boxes.

    Texts lie apart, inside the picture, and either on a ground of their own or beside the panels; panels and squares of
    legends lie apart; the plot has half the height; no amount is shortened.
    """
    width, height = picture.width, picture.height
    assert_readable(picture.texts, width, height)
    plot = picture.panel("plot").rect
    assert plot.height >= height // 2, "the plot has less than half the height"
    for a, b in combinations([panel.rect for panel in picture.panels], 2):
        assert not overlap(a, b), "panels overlap"
    grounds = [one for one in picture.boxes if one.role in ("note", "last", "warning", "own")]
    for one in picture.boxes:
        assert 0 <= one.rect.left < one.rect.right <= width, f"{one} is cut"
        assert 0 <= one.rect.top < one.rect.bottom <= height, f"{one} is cut"
    for one, other in combinations(grounds, 2):
        assert not overlap(one.rect, other.rect), f"{one} lies on {other}"
    for text in picture.texts:
        left, top, right, bottom = box(text)
        on_ground = text.role.startswith("on ")
        inside = [
            one for one in grounds
            if one.rect.left <= left and right <= one.rect.right and one.rect.top <= text.y <= one.rect.bottom
        ]  # fmt: skip
        assert bool(inside) == on_ground, f"{text.text!r} and its ground"
        rect = Rect(int(left), int(top) + 1, int(right), int(bottom) - 1)
        if not on_ground:
            assert not overlap(rect, plot), f"{text.text!r} lies on the plot"
            for one in grounds:
                assert not overlap(rect, one.rect), f"{text.text!r} lies on {one}"
        assert text.role == "title" or not text.text.endswith("..."), f"{text.text!r} is shortened"
    for panel in picture.panels:
        for mark in panel.marks:
            if isinstance(mark, Box):
                assert panel.rect.left <= mark.rect.left <= mark.rect.right <= panel.rect.right, f"{mark} is cut"
                assert panel.rect.top <= mark.rect.top <= mark.rect.bottom <= panel.rect.bottom, f"{mark} is cut"
            if isinstance(mark, Candle):
                assert plot.left - mark.width <= mark.x <= plot.right + mark.width


def overlap(a: Rect, b: Rect) -> bool:
    """Whether two rectangles share a pixel."""
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
