"""
The live page's memory over a day's work: ``python tests/python/page_load.py [HOURS] [SPEED]``, by default 8 at 100x.

A market of 720 columns goes on for so many hours of its own time, while the page of a server shows it in Chromium, four
updates a second. What the page holds after a collection (objects, arrays, text; not the code that is compiled on the
way, nor what the inspector keeps of requests) is counted in heap snapshots: in the last quarter it may be 1.02 times
that in the second. The renderer process's resident memory is told beside it.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import liqcore as lq
from liqcore.config import Config
from liqcore.live.following import Following
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.server.app import app
from liqcore.server.page import page
from liqcore.server.run import serve
from liqcore.server.socket import stream
from markets import BTC, HOUR, frames, trades
from pages import Watched, browser
from test_server_stills import followed, publish

CONFIG = Config().replace(server={"updates": 4.0})
EVERY = 0.25
_LOOKS = 24
_BEFORE = 60.0  # hours of the market that are there at first: 720 columns


def check_page(hours: float, speed: float, seed: int = 1) -> dict[str, float]:
    """Return how often the page was updated, and its memory in the last quarter over that in the second."""
    steps = int(hours * 3600 / speed / EVERY)
    of = trades(60_000 + 20 * steps, seed=seed, hours=_BEFORE + hours)
    given = frames(of, together=20)
    begun = int(np.searchsorted(of.ts, of.ts[0] + int(_BEFORE * HOUR))) // 20
    market = MarketEngine(BTC, CONFIG)
    market.take(given[:begun])
    publish(market)
    made = followed(market)
    following = Following(made.boards, made.news, "replay", made.folder, SystemClock())
    stopped = threading.Event()

    def go_on() -> None:
        for part in np.array_split(np.arange(begun, len(given)), steps):
            market.take([given[k] for k in part])
            publish(market)
            if stopped.wait(EVERY):
                return

    further = [stream(following, CONFIG), page()]
    held, resident = [], []
    with (
        browser() as chromium,
        serve(app(following, CONFIG, further=further), "127.0.0.1", 0) as server,
        Watched(chromium, server.url) as watched,
    ):
        watched.until("liqcore.columns() > 100")
        session = watched.context.new_cdp_session(watched.page)
        feeder = threading.Thread(target=go_on)
        feeder.start()
        while feeder.is_alive():
            feeder.join(steps * EVERY / _LOOKS)
            held.append(_held(session))
            resident.append(_renderer())
        stopped.set()
        columns = watched.page.evaluate("liqcore.columns()")
    moment = following.boards[BTC].moment()
    assert moment is not None
    shown: lq.Heatmap = moment.heatmap()
    assert columns == min(len(shown.times), 720), (columns, len(shown.times))
    return {
        "updates": steps,
        "MB held": held[-1] / 1e6,
        "held, last over second quarter": _ratio(held),
        "MB resident": resident[-1] / 1e6,
        "resident, last over second quarter": _ratio(resident),
    }


def _held(session: Any) -> float:
    """Bytes of what is neither code nor the browser's own."""
    chunks: list[str] = []

    def take(event: dict[str, str]) -> None:
        chunks.append(event["chunk"])

    session.on("HeapProfiler.addHeapSnapshotChunk", take)
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
    snapshot = json.loads("".join(chunks))
    meta = snapshot["snapshot"]["meta"]
    nodes = np.array(snapshot["nodes"], np.int64).reshape(-1, len(meta["node_fields"]))
    kinds, kind = meta["node_types"][0], nodes[:, meta["node_fields"].index("type")]
    others = np.isin(kind, [kinds.index(name) for name in ("code", "native", "hidden", "synthetic")])
    return float(nodes[~others, meta["node_fields"].index("self_size")].sum())


def _ratio(values: list[float]) -> float:
    quarters = np.array_split(np.array(values), 4)
    return float(np.median(quarters[3]) / np.median(quarters[1]))


def _renderer() -> float:
    """Resident bytes of the largest renderer process of Chromium."""
    most = 0
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if b"--type=renderer" not in (process / "cmdline").read_bytes():
                continue
            most = max(most, int((process / "statm").read_text().split()[1]) * 4096)
        except OSError:  # it has ended
            continue
    return float(most)


def main() -> None:
    """Print the figures; fail if what is held grows."""
    hours, speed = (float(text) for text in (sys.argv[1:] + ["8", "100"][len(sys.argv) - 1 :])[:2])
    began = time.perf_counter()
    figures: dict[str, Any] = check_page(hours, speed)
    figures["seconds"] = time.perf_counter() - began
    print(", ".join(f"{value:.{3 if value < 10 else 0}f} {name}" for name, value in figures.items()))
    assert figures["held, last over second quarter"] <= 1.02, figures


if __name__ == "__main__":
    main()
