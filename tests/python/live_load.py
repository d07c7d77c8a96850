"""
What live code does under load, with figures: ``python tests/python/live_load.py burst|memory|rate|clients``.

``burst [SECONDS]``: 100,000 messages a second through the recorder, with an engine that follows; all of it must be in
the journal, in order, and the engine at its end where it stands when fed at leisure. ``memory [FILES]``: 24 hours of
recorded trades through the service at 600x, while a server shows them to somebody who asks every second; the resident
memory of the last quarter may be 1.02 times that of the second, and the end state must be that of `liqcore.heatmap` of
the same files. ``rate [MESSAGES]``: how many messages a core takes all the way (`rate_load.py`). ``clients [NUMBER]``:
websocket clients of a server, at four updates a second (`client_load.py`).
"""

import asyncio
import shutil
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

import liqcore as lq
from client_load import check_clients
from liqcore.config import Config
from liqcore.feeds.events import Frame
from liqcore.feeds.segment import Segment
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.live.pipeline import Follower, Recorder
from liqcore.live.replay import recording
from liqcore.live.service import Service
from liqcore.live.source import Replay
from liqcore.server.app import app
from liqcore.server.run import serve
from markets import BTC
from rate_load import check_rate, messages
from recorded import expected_dir

RATE = 100_000
TICK = 0.01  # seconds, in each of which a share of the burst comes
CONFIG = Config()


async def burst(folder: Path, given: list[Frame]) -> tuple[dict[str, float], MarketEngine]:
    clock = SystemClock()
    figures: dict[str, float] = {}
    with Journal(folder, BTC, files=Disk()) as journal:
        recorder = Recorder(journal, clock=clock, config=CONFIG)
        market = MarketEngine(BTC, CONFIG)
        follower = Follower(recorder, market, files=Disk(), clock=clock)
        tasks = [asyncio.create_task(recorder.run()), asyncio.create_task(follower.run())]
        began, cpu = time.perf_counter(), time.process_time()
        share = round(RATE * TICK)
        for number, at in enumerate(range(0, len(given), share), 1):
            for frame in given[at : at + share]:
                await recorder.put(frame)
            await asyncio.sleep(max(0.0, began + number * TICK - time.perf_counter()))
        took = time.perf_counter() - began
        figures["messages"] = len(given)
        figures["messages a second taken"] = len(given) / took
        figures["s of CPU until taken"] = time.process_time() - cpu
        recorder.write()
        figures["not fed at the end"] = follower.lag
        while follower.lag:
            await asyncio.sleep(0.001)
        figures["s of CPU until fed"] = time.process_time() - cpu
        figures["seconds until fed"] = time.perf_counter() - began - took
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return figures, market


def check_burst(seconds: float) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(prefix="liqcore-burst-"))
    try:
        given = messages(round(RATE * seconds))
        figures, market = asyncio.run(burst(folder, given))
        number = 0
        for path in sorted(folder.glob("*.mcap")):
            with path.open("rb") as file:
                segment = Segment(file, path.name)
                for _, frames in segment.chunks():
                    assert frames == given[number : number + len(frames)], "lost, or in another order"
                    number += len(frames)
                assert not segment.lost
                assert segment.finished
        assert number == len(given), "lost"
        leisurely = MarketEngine(BTC, CONFIG)
        leisurely.take(given)
        assert market.save() == leisurely.save(), "the engine stands elsewhere"
        return figures
    finally:
        shutil.rmtree(folder)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Visitor(threading.Thread):
    """Asks a server for a picture of now, for what is new and for its health, every second, until the block ends."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.answers: dict[int, int] = {}
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(1.0):
            for path in ("/heatmap", "/zones", "/features", "/health"):
                try:
                    with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
                        answer.read()
                        status = answer.status
                except urllib.error.HTTPError as error:
                    status = error.code
                self.answers[status] = self.answers.get(status, 0) + 1

    def __enter__(self) -> "Visitor":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self.join()


def check_memory(paths: list[str], speed: float = 600.0) -> dict[str, float]:
    """Follow recorded trades and serve them, to somebody who asks every second."""
    folder = Path(tempfile.mkdtemp(prefix="liqcore-memory-"))
    try:
        played = recording(paths)
        (of,) = played.markets
        sizes: list[int] = []
        began = time.perf_counter()
        with Service(Replay(played, speed), folder, config=CONFIG) as service:
            served = app(service.following, CONFIG)
            with serve(served, "127.0.0.1", 0) as server, Visitor(server.url) as visitor:
                asyncio.run(service.run(lambda _: sizes.append(resident())))
            (status,) = service.following.statuses.values()
            assert not status.stopped, status.stopped
            took = time.perf_counter() - began
            board = service.following.boards[of]
            moment = board.moment()
            assert moment is not None
        venue = of.venue if of.venue in lq.venues() else None
        for source in (paths, sorted(map(str, folder.glob("*.mcap")))):
            batch = lq.heatmap(source, venue=venue)
            live = moment.heatmap(step=batch.meta["config"]["axis"]["step"])
            np.testing.assert_array_equal(live.values, batch.values)
            np.testing.assert_array_equal(live.times, batch.times)
        quarters = [max(sizes[n * len(sizes) // 4 : (n + 1) * len(sizes) // 4], default=0) for n in range(4)]
        ratio = quarters[3] / quarters[1] if quarters[1] else 1.0
        return {
            "messages": status.frames,
            "trades": board.counts["trades"],
            "hours": (int(live.times[-1]) - int(live.times[0])) / 3.6e12,
            "seconds": took,
            "answers": sum(visitor.answers.values()),
            "of them pictures and tables": visitor.answers.get(200, 0),
            "answers that failed": sum(n for code, n in visitor.answers.items() if code >= 500 and code != 503),
            "MB in the second quarter": quarters[1] / 1e6,
            "MB in the last quarter": quarters[3] / 1e6,
            "of the second": ratio,
        }
    finally:
        shutil.rmtree(folder)


def main() -> None:
    what, *given = sys.argv[1:]
    if what == "burst":
        figures = check_burst(float(given[0]) if given else 10.0)
    elif what == "rate":
        figures = check_rate(int(given[0]) if given else 1_000_000)
    elif what == "clients":
        figures = check_clients(int(given[0]) if given else 100)
    else:
        default = expected_dir() / "trades" / "BTCUSDT-aggTrades-2026-06-12.zip"
        figures = check_memory(given or [str(default)])
        assert figures["of the second"] <= 1.02, figures
        assert not figures["answers that failed"], figures
    print(", ".join(f"{value:.{2 if value < 100 else 0}f} {name}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
