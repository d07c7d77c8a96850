"""
How a server bears many websocket clients, with figures: what ``live_load.py clients`` runs.

The server runs in this process, on a market of 60 hours that goes on; the clients run in another one (this file, run as
a program), so that neither their CPU nor their memory counts as the server's.
"""

import asyncio
import ctypes
import gc
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect

import liqcore as lq
from liqcore.config import Config
from liqcore.live.board import Board
from liqcore.live.following import Following, News
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.server.app import app
from liqcore.server.hub import Hub
from liqcore.server.run import serve
from liqcore.server.socket import endpoint
from liqcore.server.wire import decode
from markets import BTC, frames, trades

HOURS = 60  # of history: 720 columns
STEP_S = 0.01  # after which the next trades come
LARGE = 30_000  # bytes that only a full frame has
SPEED = 20  # of the market's time, so that windows end meanwhile
T = TypeVar("T")


class CountingHub(Hub):
    """Counts the CPU of the thread that folds, encodes and deflates."""

    cpu_ns = 0
    made = 0

    def work(self, what: Callable[[], T]) -> "asyncio.Future[T]":
        def counted() -> T:
            began = time.thread_time_ns()
            try:
                return what()
            finally:
                self.cpu_ns += time.thread_time_ns() - began
                self.made += 1

        return super().work(counted)


class Feeding:
    """A market that is fed on a thread, and when what of it was published."""

    def __init__(self, count: int, seed: int) -> None:
        self.market = MarketEngine(BTC, Config())
        history = trades(count, seed=seed, hours=HOURS)
        self.market.take(frames(history, 100))
        self.board = Board(self.market)
        coming = trades(count, seed=seed + 1, hours=4)
        shift = int(history.ts[-1]) - int(coming.ts[0])
        level = np.round(coming.price + float(history.price[-1]) - float(coming.price[0]), 1)
        self.coming = frames(lq.TradeBatch(coming.ts + shift, level, coming.qty, coming.taker_sell), 1,
                             first=len(history.ts) + 1)  # fmt: skip
        self.published: dict[int, int] = {}
        self.paused = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        times, at = [frame.received for frame in self.coming], 0
        began, held = time.monotonic_ns(), 0
        while not self._stop.wait(STEP_S):
            if self.paused.is_set():
                held += round(STEP_S * 1e9)
                continue
            now = times[0] + (time.monotonic_ns() - began - held) * SPEED
            end = at
            while end < len(times) and times[end] <= now:
                end += 1
            self.market.take(self.coming[at:end])
            at = end
            moment = self.board.moment()
            assert moment is not None
            self.published.setdefault(moment.number[1], time.monotonic_ns())

    def __enter__(self) -> "Feeding":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class Watchers:
    """Clients in another process."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *words: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(*words, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> "Watchers":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def resident() -> int:
    """Memory of this process, with what is free given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def empty(websocket: WebSocket) -> None:
    """A handler that does nothing."""
    await websocket.accept()
    while (await websocket.receive())["type"] == "websocket.receive":
        pass


@contextmanager
def running(count: int, seed: int) -> Iterator[tuple[Feeding, CountingHub, Watchers]]:
    with Feeding(count, seed) as feeding:
        news = News()
        feeding.market.add(news)
        following = Following({BTC: feeding.board}, news, "replay", Path(), SystemClock())
        config = Config().replace(server={"clients": 10_000, "requests": 1e6})
        hub = CountingHub(following, config.server)
        further = [WebSocketRoute("/stream", endpoint(hub)), WebSocketRoute("/empty", empty)]
        with (
            serve(app(following, config, further=further), "127.0.0.1", 0) as server,
            Watchers(server.url.replace("http", "ws")) as watchers,
        ):
            yield feeding, hub, watchers


def check_clients(
    clients: int = 100, seconds: float = 10.0, *, trades: int = 200_000, seed: int = 1
) -> dict[str, float]:
    """
    Measure: delivery, CPU of encoding beside that of one client, memory a client, CPU of a resync of all.

    Fails where clients share no frames, or where a hundred take more than 16 KiB each beyond an empty handler's.
    """
    figures: dict[str, float] = {"clients": clients}
    settle = seconds / 5
    with running(trades, seed) as (feeding, hub, watchers):
        figures["bytes of a full frame"] = watchers.ask("open", 1)
        time.sleep(settle)

        def encoding() -> tuple[float, int]:
            """CPU of encoding a second, us, and how often something was folded or made."""
            cpu, made, began = hub.cpu_ns, hub.made, time.perf_counter()
            time.sleep(seconds)
            took = time.perf_counter() - began
            return (hub.cpu_ns - cpu) / 1e3 / took, hub.made - made

        alone, made_alone = encoding()
        watchers.ask("open", clients)
        time.sleep(settle)
        watchers.ask("report")
        cpu = time.process_time()
        together, made = encoding()
        figures["s of the server's CPU a second"] = (time.process_time() - cpu) / seconds
        told = watchers.ask("report")
        published = feeding.published
        late = [(now - published[sequence]) / 1e6 for sequence, _, now in told if sequence in published]
        figures["frames a second a client"] = len(late) / seconds / (clients + 1)
        for share in (50, 95, 99):
            figures[f"ms to a client (p{share})"] = float(np.percentile(late, share))
        figures["bytes of a frame"] = float(np.median([size for _, size, _ in told]))
        figures["us of encoding a second for one"] = alone
        figures["us of encoding a second"] = together
        figures["times that of one"] = together / alone
        figures["times as often"] = made / made_alone
        feeding.paused.set()
        time.sleep(settle)
        idle = time.process_time()
        time.sleep(settle)
        idle = time.process_time() - idle
        cpu, began = time.process_time(), time.perf_counter()
        watchers.ask("resync")
        figures["ms until all are resynced"] = (time.perf_counter() - began) * 1e3
        time.sleep(max(settle - (time.perf_counter() - began), 0.0))
        figures["ms of CPU for a resync of all"] = (time.process_time() - cpu - idle) * 1e3
        for kind, name in (("open", "a client"), ("empty", "an empty handler")):  # beside those there are: all is new
            before = resident()
            watchers.ask(kind, clients)
            time.sleep(settle)
            figures[f"KiB of {name}"] = (resident() - before) / 1024 / clients
    assert figures["times as often"] < 3, figures  # a slow one needs another frame now and then
    assert clients < 100 or figures["KiB of a client"] <= figures["KiB of an empty handler"] + 16, figures
    return figures


# --- the other process ---


class Watching:
    """Clients, and what they have received: number of the moment, and when."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.open: list[ClientConnection] = []
        self.idle: list[ClientConnection] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.received: list[tuple[bytes, int]] = []

    async def _connected(self, path: str) -> ClientConnection:
        return await connect(self.url + path, max_size=None, compression=None, proxy=None)

    async def _watch(self, connection: ClientConnection) -> None:
        async for frame in connection:
            now = time.monotonic_ns()
            assert isinstance(frame, bytes)
            self.received.append((frame, now))  # and is looked at later: a client does not wait for another's

    def _headers(self) -> Iterator[tuple[dict[str, Any], int, int]]:
        """Headers, sizes and times of what has come since the last time."""
        received, self.received = self.received, []
        known: dict[bytes, dict[str, Any]] = {}
        for frame, now in received:
            if frame not in known:
                known[frame], _ = decode(frame)
            yield known[frame], len(frame), now

    async def do(self, what: str, count: int) -> Any:
        if what == "open":
            self.received = []
            for _ in range(count):
                connection = await self._connected("/stream")
                await connection.send(json.dumps({"op": "subscribe", "selection": {"market": [str(BTC)]}}))
                self.open.append(connection)
                self.tasks.append(asyncio.create_task(self._watch(connection)))
            return await self._all_full(count)
        if what == "empty":
            self.idle += [await self._connected("/empty") for _ in range(count)]
            return count
        if what == "resync":
            self.received = []
            for connection in self.open:
                await connection.send('{"op":"resync","view":1}')
            return await self._all_full(len(self.open))
        assert what == "report"
        return [
            (header["markets"][str(BTC)]["moment"][1], size, now)
            for header, size, now in self._headers()
            if header["kind"] == "columns"
        ]

    async def _all_full(self, count: int) -> int:
        """Wait until so many large frames have come; return the size of the largest."""
        async with asyncio.timeout(60):
            while sum(len(frame) > LARGE for frame, _ in self.received) < count:
                await asyncio.sleep(0.001)
        return max(len(frame) for frame, _ in self.received)


async def main(url: str) -> None:
    watching = Watching(url)
    while line := await asyncio.to_thread(sys.stdin.readline):
        what, *rest = line.split()
        print(json.dumps(await watching.do(what, int(rest[0]) if rest else 0)), flush=True)
    for task in watching.tasks:
        task.cancel()
    for connection in [*watching.open, *watching.idle]:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
