"""What tests of pictures share."""

from collections.abc import Sequence

from liqcore.render.draw import measure
from liqcore.render.page import Text


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
