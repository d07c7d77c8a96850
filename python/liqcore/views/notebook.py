"""Pictures in notebooks."""

from __future__ import annotations

import base64
import html
import os
from typing import Any, BinaryIO

from ..errors import LiqcoreError

Target = str | os.PathLike[str] | BinaryIO | None
"""Where a picture goes: a file's name, a binary file that is open, or, None, back to the caller as bytes."""

SIZE: dict[str, Any] = {"width": 1200, "height": 675}


class Pictured:
    """What notebooks show as a picture; the class that inherits from it has `render`."""

    __slots__ = ()

    def render(self, path: Target = None, **options: Any) -> Any:
        """Draw it."""
        raise NotImplementedError

    def _repr_png_(self) -> bytes | None:
        """Return its picture for notebooks; nothing where it cannot be drawn, such as without Pillow."""
        try:
            return bytes(self.render(renderer="png", **SIZE))
        except LiqcoreError:
            return None

    def _repr_html_(self) -> str:
        """Return what it is, and its picture, for notebooks; where it cannot be drawn, the reason."""
        said = f"<p>{html.escape(repr(self))}</p>"
        try:
            picture = base64.b64encode(self.render(renderer="png", **SIZE)).decode()
        except LiqcoreError as error:
            return f"{said}<p>{html.escape(str(error))}</p>"
        return f'{said}<img style="max-width: 100%" src="data:image/png;base64,{picture}">'
