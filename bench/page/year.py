"""
A year of history in the browser: `python bench/page/year.py`, some 2 minutes.

A market of a year in windows of five minutes is served, and a page in Chromium walks back through it, page by page (256
columns each) to the oldest. Each step is timed from the view's move to the moment at which all that is in view has come
and is shown. Then all of the year is brought into view at once.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "tests" / "python")]

from liqcore.config import Config  # noqa: E402
from liqcore.live.following import Following  # noqa: E402
from liqcore.live.machine import SystemClock  # noqa: E402
from liqcore.live.market import MarketEngine  # noqa: E402
from liqcore.server.app import app  # noqa: E402
from liqcore.server.page import page  # noqa: E402
from liqcore.server.paging import COLUMNS  # noqa: E402
from liqcore.server.run import serve  # noqa: E402
from liqcore.server.socket import stream  # noqa: E402
from markets import BTC, frames, trades  # noqa: E402  (finds what the folder above holds)
from pages import Watched, browser  # noqa: E402
from test_server_stills import followed, publish  # noqa: E402

DAYS = 365
TRADES = 400_000
GROUP = 20
LIMIT = 1.2

STEP = """async ([from, to]) => {
  const { first, window } = liqcore.shows();
  const begun = performance.now();
  liqcore.setView([from, to].map((time) => (time - first) / window - 0.5), liqcore.view().prices);
  for (;;) {
    await new Promise((done) => setTimeout(done, 2));
    const { first: begin, window: of, holes } = liqcore.shows();
    const isLoading = holes.some(([a, b, , kind]) => kind === "loading" && a < to && b > from);
    if (!isLoading && begin <= from + of && begin + of * liqcore.columns() >= to - of) return performance.now() - begun;
    if (performance.now() - begun > 60_000) throw new Error("it never came");
  }
}"""


def main() -> None:
    """Print the figures; fail if old pages are slower than new ones."""
    config = Config()
    market = MarketEngine(BTC, config)
    market.take(frames(trades(TRADES, seed=1, hours=24.0 * DAYS), together=500))
    publish(market)
    made = followed(market)
    following = Following(made.boards, made.news, "replay", made.folder, SystemClock())
    served = app(following, config, further=[stream(following, config), page()])
    with browser() as chromium, serve(served, "127.0.0.1", 0) as server, Watched(chromium, server.url) as watched:
        watched.until("liqcore.columns() > 100")
        shows = watched.page.evaluate("liqcore.shows()")
        window = shows["window"]
        newest, length = shows["first"] + watched.page.evaluate("liqcore.columns()") * window, COLUMNS * window
        pages = range(4, int(DAYS * 86_400 / length) - 1)
        took = {}
        for back in pages:
            took[back] = watched.page.evaluate(STEP, [newest - (back + 0.9) * length, newest - (back + 0.1) * length])
            watched.page.wait_for_timeout(20)
        held = watched.page.evaluate("[liqcore.shows().bytes / 1e6, liqcore.columns()]")
        whole = watched.page.evaluate(STEP, [newest - (DAYS - 1) * 86_400, newest - window])
        level = watched.page.evaluate("liqcore.shows().paged")
    near, *others = (
        (begin, statistics.median(took[back] for back in range(begin, begin + GROUP)))
        for begin in (pages[1], 46, pages[-1] - GROUP)
    )
    print(f"{len(pages)} pages of {length / 3600:.1f} h; then {held[0]:.0f} MB of cells kept, {held[1]} columns shown")
    print(f"pages {near[0]} to {near[0] + GROUP - 1}: {near[1]:.0f} ms in the middle")
    for begin, middle in others:
        print(f"pages {begin} to {begin + GROUP - 1}: {middle:.0f} ms, {middle / near[1]:.2f} times that")
    print(f"all of the year at once: {whole:.0f} ms, at level {level}")
    assert all(middle <= LIMIT * near[1] for _, middle in others), took


if __name__ == "__main__":
    main()
