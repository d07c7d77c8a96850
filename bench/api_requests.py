"""
Requests a second over sockets of one machine: `python bench/api_requests.py`, some 20 seconds.

The server is that of `liqcore serve` (uvicorn, one thread) over the day of `quick/bench_server.py`; clients are threads
of another process, each with a connection of its own, and read every byte. What is asked was asked before, but for
"anew", where each request asks for another height of rows.
"""

from __future__ import annotations

import http.client
import multiprocessing
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "quick"), str(HERE.parent / "tests" / "python"), str(HERE)]

from bench_server import follow  # noqa: E402  (finds what the folders above hold)

from liqcore.config import Config  # noqa: E402
from liqcore.server.app import app  # noqa: E402
from liqcore.server.run import serve  # noqa: E402

SECONDS = 3.0
CLIENTS = 4
ROWS = "/heatmap?columns=720&market={market}&rows="
ASKED = {
    "/features": "/features",
    "/map": "/map?market={market}",
    "/zones": "/zones?market={market}",
    "/heatmap, packed": ROWS + "1000",
    "/heatmap, packed, made anew each time": ROWS,
    "/columns, nothing new": "/columns?columns=720&rows=1000&market={market}&since={next}",
}


def load(host: str, port: int, path: str) -> tuple[list[float], int]:
    """Ask for some seconds; return the times of all requests, s, and the bytes of the last answer."""
    times: list[float] = []
    size = 0

    def client(number: int) -> None:
        nonlocal size
        connection = http.client.HTTPConnection(host, port)
        ends, rows = time.perf_counter() + SECONDS, 400 + number * 40
        while (begun := time.perf_counter()) < ends:
            rows += CLIENTS
            asked = f"{path}{rows}" if path.endswith("rows=") else path
            connection.request("GET", asked, headers={"accept-encoding": "gzip"})
            answer = connection.getresponse()
            size = len(answer.read())
            if answer.status != 200:
                raise SystemExit(f"{asked}: {answer.status}")
            times.append(time.perf_counter() - begun)
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, size


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        following = follow(Path(folder))
        market = str(next(iter(following.boards)))
        settings = Config().replace(server={"requests": 1e9})
        with (
            serve(app(following, settings), "127.0.0.1", 0) as server,
            multiprocessing.get_context("spawn").Pool(1) as pool,
        ):
            parts = urlsplit(server.url)
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
            connection.request("GET", (ROWS + "1000").format(market=market))
            after = connection.getresponse().read().partition(b'"next":"')[2].partition(b'"')[0].decode()
            connection.close()
            print("| asked | requests a second | ms, median | ms, p95 | KiB |\n|---|---|---|---|---|")
            for name, path in ASKED.items():
                asked = path.format(market=market, next=after)
                times, size = pool.apply(load, (parts.hostname, parts.port, asked))
                median, late = np.percentile(times, [50, 95]) * 1e3
                print(f"| {name} | {len(times) / SECONDS:,.0f} | {median:.1f} | {late:.1f} | {size / 1024:,.0f} |")


if __name__ == "__main__":
    main()
