"""The page's memory: a tenth of what `make soak` runs of `page_load.py`, and wider bounds for so short a time."""

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from page_load import check_page
from pages import needs_page

pytestmark = needs_page


def test_half_an_hour_of_updates_leaves_nothing_behind() -> None:
    """Some 70 updates of 36 minutes: what each left behind, at 2 KB, would be 3 % of what the page holds."""
    figures = check_page(0.6, 120.0)
    assert figures["updates"] == 72
    assert figures["held, last over second quarter"] <= 1.03
