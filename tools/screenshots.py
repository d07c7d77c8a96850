"""Take the screenshots of docs/images of the page, wide and narrow: python tools/screenshots.py; needs Chromium."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import liqcore as lq

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


def main() -> None:
    """Write docs/images/page.png and page-narrow.png."""
    market = lq.simulate(seed=1, days=3.0)
    heatmap = lq.heatmap(trades=market.trades, marks=market.marks, warmup="2d")
    heatmap.meta |= {"symbol": "SIMULATED", "venue": "simulator", "synthetic": True}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = heatmap.save(f"{folder}/page.html")
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, width, height in (("page", 1400, 860), ("page-narrow", 390, 844)):
            opened = chromium.new_page(viewport={"width": width, "height": height})
            opened.goto(page.as_uri())
            opened.wait_for_timeout(500)
            column = len(heatmap.times) - 1
            low, high = opened.evaluate("liqcore.view()")["prices"]
            inside = (heatmap.prices > low) & (heatmap.prices + heatmap.step < high)
            row = int((heatmap.values[-1] * inside).argmax())
            at = opened.evaluate("([column, row]) => liqcore.place(column, row)", [column, row])
            opened.mouse.move(at["x"] - 2, at["y"])
            opened.wait_for_timeout(200)
            opened.screenshot(path=IMAGES / f"{name}.png")
        chromium.close()


if __name__ == "__main__":
    main()
