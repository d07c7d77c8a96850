"""The page as it was built, with places for what is written into it."""

from functools import cache
from importlib.resources import files

from ..errors import LiqcoreError


def check_page() -> None:
    """Raise `LiqcoreError` where this liqcore was built without its page."""
    template()


@cache
def template() -> str:
    """Return the page; raises as `check_page`."""
    try:
        return (files("liqcore") / "page" / "page.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LiqcoreError(
            "html pictures need the page, and this liqcore was built without it: build it where Node 20 or later and "
            "npm are (`make web`), or install a released wheel"
        ) from None
