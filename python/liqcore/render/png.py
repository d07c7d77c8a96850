"""A picture of one's own layout as PNG: size, theme and path checked first, and written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import InvalidConfigError, LiqcoreError
from ..words.files import handed_over
from .page import Measure
from .picture import Picture

Place = str | os.PathLike[str] | BinaryIO | None


def draw_png(
    layout: Callable[[Measure], Picture], path: Place, size: tuple[int, int], theme: str, *, least: tuple[int, int]
) -> Path | bytes | None:
    """
    Draw a layout to a place; return its bytes where there is none.

    Raises
    ------
    InvalidConfigError
        If the size is below `least`, the theme is not known, or the path does not end in ``.png``.
    LiqcoreError
        If Pillow is not installed.
    """
    if size[0] < least[0] or size[1] < least[1]:
        raise InvalidConfigError(
            f"width and height must be at least {least[0]} and {least[1]}, were {size[0]} and {size[1]}"
        )
    if theme not in ("dark", "light"):
        raise InvalidConfigError(f'theme must be "dark" or "light", was {theme!r}')
    if isinstance(path, str | os.PathLike) and Path(path).suffix.lower() != ".png":
        raise InvalidConfigError(f'path must end in .png, was "{os.fspath(path)}"')
    try:
        from .draw import measure, render_png
    except ImportError:
        raise LiqcoreError('pictures need Pillow: pip install "liqcore[app]"') from None
    return handed_over(path, lambda file: render_png(layout(measure), file))
