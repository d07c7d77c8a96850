"""Many small pictures in one, side by side."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import InvalidConfigError, LiqcoreError
from ..words.files import handed_over

TILE: dict[str, Any] = {"width": 480, "height": 270}
"""Size of one, pixels: the smallest that a picture may have."""

MOST = 1_000
GAP = 6  # pixels between two
BACKGROUND = (10, 12, 16)


def tiles(pictures: Sequence[bytes], path: str | os.PathLike[str] | BinaryIO | None = None) -> Path | bytes | None:
    """
    Put PNG pictures of `TILE` into one, row by row, about as wide as a screen is.

    Parameters
    ----------
    pictures : sequence of bytes
    path : path or binary file, optional
        Where to, as for `liqcore.render.render`; must end in ``.png``.

    Raises
    ------
    InvalidConfigError
        If there are more than 1,000, or the path ends otherwise.
    LiqcoreError
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise LiqcoreError('png pictures need Pillow: pip install "liqcore[app]"') from None
    if len(pictures) > MOST:
        raise InvalidConfigError(f"pictures must be at most {MOST:,}, were {len(pictures):,}")
    if isinstance(path, str | os.PathLike) and Path(path).suffix.lower() != ".png":
        raise InvalidConfigError(f'path must end in .png, was "{os.fspath(path)}"')
    width, height = TILE["width"] + GAP, TILE["height"] + GAP
    across = max(1, round(math.sqrt(len(pictures))))  # as many rows as columns: a sheet of the shape of one
    down = -(-len(pictures) // across)
    sheet = Image.new("RGB", (across * width - GAP, down * height - GAP), BACKGROUND)
    for i, picture in enumerate(pictures):
        with Image.open(io.BytesIO(picture)) as tile:
            sheet.paste(tile.convert("RGB"), (i % across * width, i // across * height))
    return handed_over(path, lambda file: sheet.save(file, "PNG"))
