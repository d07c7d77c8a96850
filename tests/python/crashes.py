"""
Kills a replay at random instants, again and again, and compares what comes out with an undisturbed run.

``python tests/python/crashes.py KILLS SEED`` prints what was done, and fails with the seed where anything differs. The
replay is a whole service (`liqcore.live.service`) in a forked child, so that each takes milliseconds; it is ended by
SIGKILL. In between, what was never synced is cut off by a random length, or half a chunk is added, as a machine does
that loses its power.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from liqcore.config import Config
from liqcore.feeds.events import Frame, Market
from liqcore.feeds.segment import Encoder, Segment
from liqcore.live.disk import Disk
from liqcore.live.happened import FileSink
from liqcore.live.journal import Journal
from liqcore.live.market import MarketEngine
from liqcore.live.outside import Clock
from liqcore.live.service import Service
from liqcore.live.source import Put
from liqcore.live.status import Origin
from markets import BTC, frames, trades

CONFIG = Config().replace(
    journal={"segment": "20m", "write": "1ms", "sync": "7ms"}, window={"length": "1m"}, live={"checkpoint": "50ms"}
)
SYNCED = "synced.json"


class Hurrying:
    """A clock on which what waits need not wait: time goes by as it is waited for."""

    def __init__(self) -> None:
        self._elapsed = 0

    def now(self) -> int:
        return self._elapsed

    def elapsed(self) -> int:
        return self._elapsed

    async def sleep(self, ns: int) -> None:
        self._elapsed += max(ns, 100_000)
        await asyncio.sleep(0.0002 if ns else 0)  # threads get their turn


@dataclass
class Scripted:
    """A source that begins again some frames before what the journal has, as feeds do that fill what they missed."""

    source: list[Frame]
    overlap: int
    origin: Origin = "replay"
    markets: tuple[Market, ...] = (BTC,)
    player: None = None

    def engine(self, market: Market, config: Config) -> MarketEngine:
        return MarketEngine(market, config)

    async def run(self, journals: dict[Market, Journal], sink: Callable[[Market], Put], clock: Clock) -> None:
        journal, put, at = journals[BTC], sink(BTC), 0
        if journal.written:
            last = journal.read(journal.written - 1)[1][-1]
            at = max(0, next(n for n, frame in enumerate(self.source) if frame == last) + 1 - self.overlap)
        for number, frame in enumerate(self.source[at:], at):
            await put(frame)
            await clock.sleep(0)
            while number % 7 == 0 and journal.written < journal.appended:
                await clock.sleep(1_000_000)

    def trouble(self, market: Market) -> str:
        del market
        return ""


class Noting(Disk):
    """Files that note how much of them is synced; nothing is, really, which would take most of the time."""

    def __init__(self, folder: Path) -> None:
        self._note = folder / SYNCED
        self._noting = threading.Lock()
        self._synced: dict[str, int] = json.loads(self._note.read_text()) if self._note.exists() else {}

    def sync(self, file: BinaryIO) -> None:
        with self._noting:
            self._synced[Path(str(file.name)).name] = os.fstat(file.fileno()).st_size
            place = self._note.with_suffix(".new")
            place.write_text(json.dumps(self._synced))
            os.replace(place, self._note)

    def cut(self, path: Path, size: int) -> None:
        super().cut(path, size)
        self._synced[path.name] = min(self._synced.get(path.name, 0), size)


def run(folder: Path, source: list[Frame], overlap: int) -> MarketEngine:
    """Go on with a replay to its end; the source begins again `overlap` frames before what the journal has."""
    files = Noting(folder)
    sink = FileSink(folder / "happened.jsonl", files=files)
    with Service(
        Scripted(source, overlap), folder, config=CONFIG, sinks=[sink], files=files, clock=Hurrying()
    ) as service:
        asyncio.run(service.run())
        (status,) = service.following.statuses.values()
        assert not status.stopped, status.stopped
        assert not status.error, status.error
    sink.close()
    return service.engines[BTC]


def in_journal(folder: Path) -> list[Frame]:
    found: list[Frame] = []
    for path in sorted(folder.glob("*.mcap")):
        with path.open("rb") as file:
            segment = Segment(file, path.name)
            found += [frame for _, some in segment.chunks() for frame in some]
            assert not segment.lost, segment.lost
            assert segment.finished, path
    return found


def lose_power(folder: Path, chance: random.Random) -> str:
    """Cut what was never synced, or add a torn chunk; return which."""
    paths = sorted(folder.glob("*.mcap"))
    what = chance.choice(["nothing", "cut", "torn", "zeros"])
    if not paths or what == "nothing":
        return "nothing"
    note = folder / SYNCED
    synced = json.loads(note.read_text()) if note.exists() else {}
    size = paths[-1].stat().st_size
    if what == "cut":
        os.truncate(paths[-1], chance.randint(min(synced.get(paths[-1].name, 0), size), size))
    elif what == "zeros" or not size:
        what = "zeros"
        with paths[-1].open("ab") as file:
            file.write(bytes(chance.randrange(1, 4096)))
    else:
        encoder = Encoder(0, str(BTC))
        chunk = encoder.chunk(frames(trades(50, seed=9)))
        with paths[-1].open("ab") as file:
            file.write(chunk[: chance.randrange(1, len(chunk))])
    return what


def same(market: MarketEngine, whole: MarketEngine) -> bool:
    """Whether two engines stand at the same place: bit for bit, but for how many repeats they were sent."""
    assert market.engine is not None
    assert whole.engine is not None
    waiting = [(one.state.marks, one.state.samples, [(row[0], *row[2:]) for row in one.state.trades])
               for one in (market, whole)]  # fmt: skip
    of = (market.state, whole.state)
    rest = [(one.latest, one.watermark, one.told, one.zones, one.realised, one.line.seen) for one in of]
    return market.engine.to_bytes() == whole.engine.to_bytes() and waiting[0] == waiting[1] and rest[0] == rest[1]


def main(kills: int, seed: int) -> None:
    chance = random.Random(seed)
    source = frames(trades(4000, seed=seed, hours=2.5), together=3)
    base = Path(tempfile.mkdtemp(prefix="liqcore-crashes-"))
    done: dict[str, int] = {"runs": 0, "kills": 0, "nothing": 0, "cut": 0, "torn": 0, "zeros": 0, "repeats": 0}
    try:
        (base / "whole").mkdir()
        began = time.perf_counter()
        whole = run(base / "whole", source, 0)
        lasts = time.perf_counter() - began
        lines = (base / "whole" / "happened.jsonl").read_bytes()
        assert in_journal(base / "whole") == source
        while done["kills"] < kills:
            folder = base / f"run{done['runs']}"
            folder.mkdir()
            overlapping = chance.random() < 0.5
            for _ in range(chance.randint(1, 12)):
                child = os.fork()
                if child == 0:
                    try:
                        run(folder, source, chance.randint(0, 20) if overlapping else 0)
                    finally:
                        os._exit(0)
                time.sleep(chance.uniform(0.0, lasts / 3))
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                done["kills"] += 1
                done[lose_power(folder, chance)] += 1
            market = run(folder, source, 5 if overlapping else 0)
            found = in_journal(folder)
            once = list(dict.fromkeys((frame.received, frame.body) for frame in found))
            assert once == [(frame.received, frame.body) for frame in source], f"seed {seed}: lost, or in another order"
            assert overlapping or found == source, f"seed {seed}: doubled"
            assert same(market, whole), f"seed {seed}: the engine stands elsewhere"
            assert (folder / "happened.jsonl").read_bytes() == lines, f"seed {seed}: told otherwise"
            done["repeats"] += market.state.line.repeats
            done["runs"] += 1
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(", ".join(f"{count} {what}" for what, count in done.items()))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
