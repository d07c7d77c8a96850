"""
How many events a second one core takes all the way, with figures: what ``live_load.py rate`` runs.

A venue on this machine, in another process (this file, run as a program), sends trades through one websocket as fast as
they are taken; connection, reader, recorder, journal and engine are those of ``liqcore serve``.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame as WebsocketFrame
from websockets.frames import Opcode

from liqcore.config import Config
from liqcore.feeds.events import Frame, Trade
from liqcore.feeds.frames import told_by
from liqcore.feeds.segment import Segment
from liqcore.live.network import Internet
from liqcore.live.service import Service
from liqcore.live.source import Live
from markets import BTC

LEAST = 1 << 20  # bytes that wait to be taken before more are sent


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


async def followed(url: str, count: int, folder: Path) -> dict[str, float]:
    """Follow the venue until all has been fed."""
    source = Live([BTC], Internet(), {BTC.venue: {"sockets": {"market": url}, "rest": "http://127.0.0.1:9"}})
    stop, figures = asyncio.Event(), {"messages": float(count)}
    with Service(source, folder, config=Config()) as service:
        board = service.following.boards[BTC]
        running = asyncio.create_task(service.run(stop=stop))
        while not board.counts.get("trades"):
            await asyncio.sleep(0.001)
        began, cpu, first = time.perf_counter(), time.process_time(), board.counts["trades"]
        while board.counts["trades"] < count:
            assert not running.done(), running.result()
            await asyncio.sleep(0.02)
        figures["messages a second"] = (count - first) / (time.perf_counter() - began)
        figures["messages a second of CPU"] = (count - first) / (time.process_time() - cpu)
        stop.set()
        await running
    return figures


def check_rate(count: int = 1_000_000) -> dict[str, float]:
    """Measure: messages a second all the way, and by the reader alone; fails where one is missing."""
    folder = Path(tempfile.mkdtemp(prefix="liqcore-rate-"))
    try:
        with subprocess.Popen([sys.executable, __file__, str(count)], stdout=subprocess.PIPE, text=True) as venue:
            assert venue.stdout is not None
            url = venue.stdout.readline().strip()
            try:
                figures = asyncio.run(followed(url, count, folder))
            finally:
                venue.kill()
        kept: list[Frame] = []
        for path in sorted(folder.glob("*.mcap")):
            with path.open("rb") as file:
                for _, frames in Segment(file, path.name).chunks():
                    kept += frames
        cpu = time.process_time()
        told = [one for frame in kept for one in told_by(frame) if isinstance(one, Trade)]
        figures["messages a second of CPU by the reader alone"] = len(kept) / (time.process_time() - cpu)
        assert [trade.id for trade in told] == list(range(3_000_000_000, 3_000_000_000 + count)), "lost, or in disorder"
        return figures
    finally:
        shutil.rmtree(folder)


# --- the other process ---


async def venue(count: int) -> None:
    """Send so many messages to whoever subscribes to trades."""
    wires = [WebsocketFrame(Opcode.TEXT, frame.body).serialize(mask=False) for frame in messages(count)]
    chunks = [b"".join(wires[at : at + 500]) for at in range(0, count, 500)]

    async def sell(connection: ServerConnection) -> None:
        async for message in connection:
            asked = json.loads(message)
            await connection.send(json.dumps({"result": None, "id": asked["id"]}))
            if "btcusdt@aggTrade" in asked["params"]:
                for chunk in chunks:
                    connection.transport.write(chunk)
                    while connection.transport.get_write_buffer_size() > LEAST:
                        await asyncio.sleep(0.001)

    async with serve(sell, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
        print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(venue(int(sys.argv[1])))
