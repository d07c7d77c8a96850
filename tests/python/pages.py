"""What tests of the page share: whether it was built, a browser, what an exported file holds."""

import base64
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from liqcore.tables.packed import decode, unpack

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"wide": (1400, 860), "narrow": (390, 844)}

needs_page = pytest.mark.skipif(
    not (files("liqcore") / "page" / "page.html").is_file(), reason="liqcore was built without its page: make web"
)


def held(page: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return header and arrays of an exported page; levels as amounts, (columns, rows)."""
    found = re.search(r'id="data">([A-Za-z0-9+/=]*)</script>', page)
    assert found is not None
    header, arrays = decode(base64.b64decode(found[1]))
    for side in ("long", "short") if header["kind"] == "heatmap" else ():
        arrays[side] = cells(arrays, side)
    return header, arrays


def cells(arrays: dict[str, NDArray[Any]], side: str) -> NDArray[np.float32]:
    """Return the amounts of a side."""
    return unpack(arrays[f"{side}_tops"], np.cumsum(arrays[side], axis=0, dtype=np.uint16))


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium, or skip with a reason."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no Chromium: none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-audio-output"])
        yield chromium
        chromium.close()


class Watched:
    """A page that was opened, with everything it complained of and every address it asked for."""

    def __init__(
        self, chromium: Any, where: Path | str, size: str = "wide", *, anchor: str = "", touch: bool = False
    ) -> None:
        width, height = SIZES[size]
        self.context = chromium.new_context(
            viewport={"width": width, "height": height},
            offline=isinstance(where, Path),
            has_touch=touch,
            accept_downloads=True,
            timezone_id="Asia/Kolkata",
        )
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.own = (
            ("file:", "data:", "blob:") if isinstance(where, Path) else (where, where.replace("http", "ws"), "blob:")
        )
        self.page.goto((where.as_uri() if isinstance(where, Path) else where) + anchor)
        self.until("window.liqcore !== undefined")
        self.settle()

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.complaints == [], self.complaints
        strange = [url for url in self.asked if not url.startswith(self.own)]
        assert strange == [], strange

    def until(self, true: str) -> None:
        """Wait until something is true; not by `wait_for_function`, which the page's policy forbids."""
        for _ in range(600):
            if self.page.evaluate(true):
                return
            self.page.wait_for_timeout(25)
        raise AssertionError(f"never: {true}; {self.complaints}")

    def settle(self) -> None:
        """Wait until what was asked for is painted."""
        self.page.evaluate(
            "new Promise(done => { let n = 4; const f = () => n-- ? requestAnimationFrame(f) : done(); f() })"
        )

    def settings(self) -> dict[str, Any]:
        """What the page is set to."""
        return dict(self.page.evaluate("liqcore.settings()"))

    def read(self, column: int, row: int) -> dict[str, float]:
        """Point at a cell, and read what the page says of it."""
        self.page.locator("#chart").scroll_into_view_if_needed()
        at = self.page.evaluate("([column, row]) => liqcore.place(column, row)", [column, row])
        self.page.mouse.move(at["x"], at["y"])
        return self.said(column, row)

    def said(self, column: int, row: int) -> dict[str, float]:
        """Wait until the cursor has come to a cell, and read what the page says of it."""
        said = self.page.evaluate(
            """async ([column, row]) => {
                for (let frame = 0; frame < 300 && `${liqcore.point()?.under}` !== `${column},${row}`; frame++)
                    await new Promise(requestAnimationFrame);
                return { ...readout.dataset };
            }""",
            [column, row],
        )
        return {name: float(value) for name, value in said.items()}

    def unfold(self, control: str) -> None:
        """Open the sheet of controls if what is wanted is in it; close it, if not."""
        if self.page.locator("#more").is_hidden():
            return
        wanted = self.page.locator(control).first.evaluate("e => e.closest('#controls') !== null")
        if wanted != self.page.evaluate("controls.hasAttribute('data-open')"):
            self.page.click("#more")

    def show(self, columns: tuple[float, float], prices: tuple[float, float]) -> None:
        """Bring columns and prices into view."""
        self.page.evaluate("([columns, prices]) => liqcore.setView(columns, prices)", [list(columns), list(prices)])
        self.settle()


def axe() -> str:
    """Return the script that looks for what keeps people out, or skip with a reason."""
    path = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.skip("axe-core is not installed: npm ci in web/")
    return path.read_text(encoding="utf-8")


def near(amount: float, truth: float) -> bool:
    """Whether an amount is what 16 bits make of the truth."""
    return bool(np.isclose(amount, truth, rtol=2e-4))
