"""Take the screenshots of docs/images of the pages: python tools/screenshots.py; needs Chromium."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import liqcore as lq
from liqcore.config import Config
from liqcore.live import Service, running
from liqcore.live.demo import demonstration
from liqcore.live.source import Demo
from liqcore.server.app import app
from liqcore.server.page import page as page_of
from liqcore.server.run import serve
from liqcore.server.socket import stream

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


def main() -> None:
    """Write docs/images/page.png, page-narrow.png and live.png."""
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
        take_live(chromium, Path(folder))
        chromium.close()


def take_live(chromium: Browser, folder: Path) -> None:
    """Write live.png: the page of a server that has followed the simulated market to its end."""
    config = Config().replace(live={"models": "flow,presence,oi"}, server={"updates": 20.0})
    source = Demo(demonstration(seed=1, history_ns=86_400_000_000_000), 0.0)
    with Service(source, folder / "journal", config=config) as service:
        served = app(service.following, config, further=[stream(service.following, config), page_of(config)])
        with running(service, stays=True) as thread, serve(served, "127.0.0.1", 0) as server:
            while not all(status.has_ended for status in service.following.statuses.values()):
                thread.join(0.1)
            opened = chromium.new_page(viewport={"width": 1400, "height": 980})
            opened.goto(server.url)
            opened.wait_for_timeout(2_000)
            opened.click("#zones summary")
            opened.click("#spans button:text-is('24h')")
            opened.wait_for_timeout(2_000)
            opened.mouse.move(900, 330)
            opened.wait_for_timeout(500)
            opened.screenshot(path=IMAGES / "live.png")


if __name__ == "__main__":
    main()
