"""
Painted frames a second while panning over 20,000 liquidation marks: `python bench/page/marks.py`, some 30 seconds.

The page of a server in headless Chromium (software rendering), 1400 x 860; the mouse drags the chart to and fro for ten
seconds while the market goes on. A frame counts as painted when the marks have been drawn in it.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "tests" / "python")]

from liqcore.config import Config  # noqa: E402
from liqcore.feeds.events import Liquidation  # noqa: E402
from liqcore.feeds.frames import of_events  # noqa: E402
from liqcore.live.following import Following  # noqa: E402
from liqcore.live.machine import SystemClock  # noqa: E402
from liqcore.live.market import MarketEngine  # noqa: E402
from liqcore.server.app import app  # noqa: E402
from liqcore.server.page import page  # noqa: E402
from liqcore.server.run import serve  # noqa: E402
from liqcore.server.socket import stream  # noqa: E402
from markets import BTC, HOUR, frames, trades  # noqa: E402  (finds what the folder above holds)
from pages import Watched, browser  # noqa: E402
from test_server_stills import followed, publish  # noqa: E402

MARKS = 20_000
SECONDS = 10.0
CONFIG = Config()


def main() -> None:
    """Print the figures."""
    of = trades(60_000, seed=1, hours=60.0)
    given = frames(of, together=20)
    market = MarketEngine(BTC, CONFIG)
    market.take(given[:-600])
    rng = np.random.default_rng(1)
    at = np.sort(rng.integers(len(of.ts) // 10, len(of.ts) - 12_100, MARKS))
    sides = rng.choice(["long", "short"], MARKS).tolist()
    told = [
        Liquidation(BTC, int(of.ts[n]), float(of.price[n] * (1 + move)), float(qty), side, True)
        for n, qty, side, move in zip(at, rng.pareto(1.5, MARKS) + 0.01, sides, rng.normal(0, 2e-3, MARKS), strict=True)
    ]
    market.take([of_events(BTC, told[-1].ts + HOUR, told)])
    publish(market)
    made = followed(market)
    following = Following(made.boards, made.news, "replay", made.folder, SystemClock())
    stopped = threading.Event()

    def go_on() -> None:
        for part in given[-600:]:
            market.take([part])
            publish(market)
            if stopped.wait(0.05):
                return

    further = [stream(following, CONFIG), page()]
    with (
        browser() as chromium,
        serve(app(following, CONFIG, further=further), "127.0.0.1", 0) as server,
        Watched(chromium, server.url) as watched,
    ):
        watched.until("liqcore.shows().drawn > 0")
        box = watched.page.locator("#chart").bounding_box()
        middle = box["x"] + box["width"] / 2
        feeder = threading.Thread(target=go_on)
        feeder.start()
        watched.page.mouse.move(middle, box["y"] + 100)
        watched.page.mouse.down()
        moves = 0
        before, begun = watched.page.evaluate("liqcore.shows()"), time.perf_counter()
        while (passed := time.perf_counter() - begun) < SECONDS:
            watched.page.mouse.move(middle + 250 * np.sin(3 * passed), box["y"] + 100)
            moves += 1
        after, passed = watched.page.evaluate("liqcore.shows()"), time.perf_counter() - begun
        watched.page.mouse.up()
        stopped.set()
        feeder.join()
    painted = (after["paintings"] - before["paintings"]) / passed
    print(f"{MARKS:,} marks, {before['drawn']:,} in view at first, {moves / passed:.0f} moves of the mouse a second:")
    print(f"{painted:.0f} painted frames a second")


if __name__ == "__main__":
    main()
