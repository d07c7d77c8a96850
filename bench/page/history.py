"""
A year of earlier columns, page by page: `python bench/page/history.py`, some 2 minutes.

A market of a year in windows of five minutes is followed, and pages are made anew in this process: page 50 beside page
1 (counted back from now), at level 0 and 1, turn by turn; then those of the whole year at levels at which a plot shows
it, and once more.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "tests" / "python")]

from liqcore.config import Config  # noqa: E402
from liqcore.live.board import Board  # noqa: E402
from liqcore.live.market import MarketEngine  # noqa: E402
from liqcore.server.forms import PageAsked  # noqa: E402
from liqcore.server.paging import COLUMNS, FACTOR, Pages  # noqa: E402
from markets import BTC, frames, trades  # noqa: E402  (finds what the folder above holds)

DAYS = 365
TRADES = 400_000
ROUNDS = 7
STEP = 50.0


def main() -> None:
    """Print the figures."""
    market = MarketEngine(BTC, Config())
    market.take(frames(trades(TRADES, seed=1, hours=24.0 * DAYS), together=500))
    market.finish()
    board = Board(market)
    moment = board.moment()
    assert moment is not None
    hm = moment.heatmap()
    print(f"{len(hm.times):,} columns of {hm.window_ns / 60e9:g} minutes, {TRADES:,} trades")
    limits = Config().server

    def made(pages: Pages, level: int, page: int) -> tuple[float, int]:
        asked = PageAsked(market=(str(BTC),), step=STEP, level=level, page=page)
        begun = time.perf_counter()
        body = pages.page(asked, [moment], [board])
        return time.perf_counter() - begun, len(body)

    for level in (0, 1):
        newest = int(hm.times[-1]) // (hm.window_ns * FACTOR**level * COLUMNS)
        for back in (1, 10, 25, 50, 75, 100):
            made(
                Pages(limits), level, newest - back
            )  # what the fold writes down on its way is there from the first time on
        pairs = []
        for _ in range(ROUNDS):
            times = {}
            for back in (1, 50):
                near = [made(Pages(limits), level, newest - back - k) for k in range(4)]
                times[back] = statistics.median(one for one, _ in near)
            pairs.append((times[1], times[50]))
        first, far = (statistics.median(one) for one in zip(*pairs, strict=True))
        ratio = statistics.median(one[1] / one[0] for one in pairs)
        print(f"level {level}: page 1 {1e3 * first:.1f} ms, page 50 {1e3 * far:.1f} ms, {ratio:.2f} times")
    pages = Pages(limits)
    for level in (4, 4, 3):
        length = hm.window_ns * FACTOR**level * COLUMNS
        found = [
            made(pages, level, page) for page in range(int(hm.times[0]) // length, int(hm.times[-1]) // length + 1)
        ]
        took, size = sum(one for one, _ in found), sum(one for _, one in found)
        print(f"a year at level {level}: {len(found)} pages, {1e3 * took:,.0f} ms, {size / 1e3:,.0f} kB")


if __name__ == "__main__":
    main()
