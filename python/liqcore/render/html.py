"""
The HTML renderer: a page of one file that needs no network, in which a reader can point, zoom and choose.

The page is made from web/ by ``npm run build``; what is written into it here is its title, the colours there are and a
frame (`liqcore.render.frame`). No text of a market becomes markup or script: what is said stands in JSON without ``<``,
and the page lets no other script run than its own.
"""

import base64
import html
import json
import re
from collections.abc import Mapping
from typing import BinaryIO

from .frame import frame_of, look
from .picture import Picture
from .template import template

_PLACE = re.compile("@@([A-Z]+)@@")


def render_html(picture: Picture, file: BinaryIO, /) -> None:
    """Write a picture as a page of one file: a `Renderer`."""
    data = base64.b64encode(frame_of(picture)).decode()
    file.write(
        page_of({"TITLE": html.escape(picture.title), "CONNECT": "'none'", "DATA": data}).encode(errors="replace")
    )


def page_of(parts: Mapping[str, str]) -> str:
    """
    Return the page with its places filled.

    Parameters
    ----------
    parts : mapping of str to str
        Markup: ``TITLE``; ``CONNECT``, which addresses the page's script may open (a source list of a content security
        policy); ``DATA``, a frame in base64, or nothing.

    Raises
    ------
    LiqcoreError
        If the page was not built.
    """
    filled = {"LOOK": json.dumps(look()).replace("<", "\\u003c"), **parts}
    return _PLACE.sub(lambda found: filled[found[1]], template())  # once: what is filled in is not looked at again
