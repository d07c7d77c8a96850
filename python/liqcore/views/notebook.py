"""Pictures in notebooks."""

from __future__ import annotations

import base64
import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import LiqcoreError

Target = str | os.PathLike[str] | BinaryIO | None
"""Where a picture goes: a file's name, a binary file that is open, or, None, back to the caller as bytes."""

SIZE: dict[str, Any] = {"width": 1200, "height": 675}


def is_page(path: str | os.PathLike[str]) -> bool:
    """Whether a file is to be a page, by its name."""
    return Path(path).suffix.lower() == ".html"


@dataclass(frozen=True, slots=True)
class Page:
    """
    A page in a notebook.

    Attributes
    ----------
    html : str
        The page, as a file of it would be.
    height : int
        Of the frame that it is shown in, pixels.
    """

    html: str
    height: int

    def __repr__(self) -> str:
        return f"<Page of {len(self.html):,} characters>"

    def _repr_html_(self) -> str:
        """Return a frame in which the page can neither reach the notebook nor the network."""
        return (
            f'<iframe sandbox="allow-scripts allow-downloads" style="width: 100%; height: {self.height}px; border: 0" '
            f'srcdoc="{html.escape(self.html)}"></iframe>'
        )


class Pictured:
    """What notebooks show as a picture; the class that inherits from it has `render`."""

    __slots__ = ()

    def render(self, path: Target = None, **options: Any) -> Any:
        """Draw it."""
        raise NotImplementedError

    def interactive(self, *, height: int = 760, **options: Any) -> Page:
        """
        Return it as a page to point at, zoom and choose in, which a notebook shows.

        Parameters
        ----------
        height : int
            Of the frame, pixels.
        **options
            As for `render`.

        Raises
        ------
        LiqcoreError
            If this liqcore was built without its page.
        """
        return Page(bytes(self.render(renderer="html", **options)).decode(), height)

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
