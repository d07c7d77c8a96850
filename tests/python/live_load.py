"""
What live code does under load, with figures: ``python tests/python/live_load.py burst|memory|clients``.

``burst [SECONDS]``: 100,000 messages a second through the recorder, with an engine that follows; all of it must be in
the journal, in order, and the engine at its end where it stands when fed at leisure. ``memory [FILES]``: 24 hours of
recorded trades through journal and engine at full speed; the resident memory of the last quarter may be 1.02 times that
of the second, and the end state must be that of `liqcore.heatmap` of the same files. ``clients [NUMBER]``: websocket
clients of a server, at four updates a second (`client_load.py`).
"""

import asyncio
import json
import shutil
import sys
import tempfile
import time
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
from liqcore.live.replay import play, recording
from markets import BTC
from recorded import expected_dir

RATE = 100_000
TICK = 0.01  # seconds, in each of which a share of the burst comes
CONFIG = Config()


def messages(count: int) -> list[Frame]:
    """Messages of one market as Binance pushes them, of the time of now."""
    rng = np.random.default_rng(1)
    price = 63_000 + np.cumsum(rng.integers(-3, 4, count)) * 0.1
    qty, sell, now = rng.integers(1, 900, count), rng.random(count) < 0.5, time.time_ns()
    made = []
    for n in range(count):
        ts = now + n * 10_000
        data = {"e": "aggTrade", "E": ts // 1_000_000, "s": "BTCUSDT", "a": 3_000_000_000 + n, "p": f"{price[n]:.1f}",
                "q": f"{qty[n] * 0.001:.3f}", "nq": f"{qty[n] * 0.001:.3f}", "f": 7_000_000_000 + n,
                "l": 7_000_000_000 + n, "T": ts // 1_000_000, "m": bool(sell[n])}  # fmt: skip
        body = json.dumps({"stream": "btcusdt@aggTrade", "data": data}, separators=(",", ":")).encode()
        made.append(Frame(ts, "binance-usdm", "market", body))
    return made


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


def check_memory(paths: list[str]) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(prefix="liqcore-memory-"))
    try:
        played = recording(paths)
        (of,) = played.markets
        clock = SystemClock()
        sizes: list[tuple[int, int]] = []
        began = time.perf_counter()

        async def run(market: MarketEngine) -> int:
            with Journal(folder, of, files=Disk()) as journal:
                recorder = Recorder(journal, clock=clock, config=CONFIG)
                follower = Follower(recorder, market, files=Disk(), clock=clock)

                async def put(frame: Frame) -> None:
                    await recorder.put(frame)
                    if journal.appended % 200 == 0:
                        recorder.write()
                        follower.catch_up()
                        sizes.append((frame.received, resident()))

                count = await play(played.frames(), put, clock=clock, speed=0)
                recorder.write()
                follower.catch_up()
                return count

        market = MarketEngine(of, CONFIG, grid=played.grid, quantities=played.quantities)
        count = asyncio.run(run(market))
        took = time.perf_counter() - began
        market.finish()
        first, last = sizes[0][0], sizes[-1][0]
        quarters = [
            max(
                size
                for ts, size in sizes
                if first + n * (last - first) // 4 <= ts <= first + (n + 1) * (last - first) // 4
            )
            for n in range(4)
        ]
        assert market.engine is not None
        venue = of.venue if of.venue in lq.venues() else None
        for source in (paths, sorted(map(str, folder.glob("*.mcap")))):
            batch = lq.heatmap(source, venue=venue)
            live = market.engine.heatmap(step=batch.meta["config"]["axis"]["step"])
            np.testing.assert_array_equal(live.values, batch.values)
            np.testing.assert_array_equal(live.times, batch.times)
        ratio = quarters[3] / quarters[1]
        assert ratio <= 1.02, f"resident memory by quarter: {quarters}"
        return {
            "messages": count,
            "trades": market.engine.stats.used,
            "hours": (last - first) / 3.6e12,
            "seconds": took,
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
    elif what == "clients":
        figures = check_clients(int(given[0]) if given else 100)
    else:
        default = expected_dir() / "trades" / "BTCUSDT-aggTrades-2026-06-12.zip"
        figures = check_memory(given or [str(default)])
    print(", ".join(f"{value:.{2 if value < 100 else 0}f} {name}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
