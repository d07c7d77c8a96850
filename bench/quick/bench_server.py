"""
Answers of the API: a heatmap of 720 columns and 1,000 rows, map and zones, made anew and made before.

Of a day of Binance's BTCUSDT in windows of two minutes (a simulated day where no recording is). Asked is the
application itself, without a socket; of requests over a socket docs/performance.md has figures.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

import liqcore as lq
from liqcore.config import Config
from liqcore.live.board import Board
from liqcore.live.following import Following, News
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.live.replay import recording
from liqcore.server.app import app
from recorded import expected_dir
from timed import Timed

pytestmark = pytest.mark.benchmark(group="API: answers of a day, 720 x 1,000")

DAY = "BTCUSDT-aggTrades-2026-06-12.zip"


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Following:
    return follow(tmp_path_factory.mktemp("serving"))


def follow(folder: Path) -> Following:
    """Follow the day to its end."""
    path = expected_dir() / "trades" / DAY
    if not path.exists():
        path = folder / "BTCUSDT-aggTrades-2026-06-12.csv"
        trades = lq.simulate(days=1, trades_per_day=400_000).trades
        rows = zip(trades.ts.tolist(), trades.price.tolist(), trades.qty.tolist(), trades.taker_sell, strict=True)
        path.write_text(
            "".join(
                f"{i},{price:.1f},{qty:.3f},{i},{i},{ts // 1_000_000},{str(bool(sell)).lower()}\n"
                for i, (ts, price, qty, sell) in enumerate(rows)
            )
        )
    played = recording([path])
    (market,) = played.markets
    engine = MarketEngine(
        market, Config().replace(window={"length": "2m"}), grid=played.grid(), quantities=played.quantities
    )
    engine.take(played.frames())
    engine.finish()
    assert engine.book is not None
    engine.book.publisher.publish(engine.book.engine)
    return Following({market: Board(engine)}, News(), "replay", folder, SystemClock())


class Answer(NamedTuple):
    """What was answered."""

    status: int
    packed: bool
    body: bytes


class Asking:
    """Asks an application, on one loop."""

    def __init__(self, following: Following, loop: asyncio.AbstractEventLoop) -> None:
        self.market = str(next(iter(following.boards)))
        self._loop = loop
        self._following = following
        self._config = Config().replace(server={"requests": 1e9})
        self.anew()

    def anew(self) -> None:
        """Forget what was made."""
        transport = httpx.ASGITransport(app(self._following, self._config))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def __call__(self, path: str, packed: bool = False) -> Answer:
        return self._loop.run_until_complete(self._ask(path, packed))

    async def _ask(self, path: str, packed: bool) -> Answer:
        headers = {"accept-encoding": "gzip" if packed else "identity"}
        async with self._client.stream("GET", f"{path}{self.market}", headers=headers) as answer:
            body = b"".join([piece async for piece in answer.aiter_raw()])  # unpacking is the client's affair
        return Answer(answer.status_code, packed, body)


@pytest.fixture
def ask(following: Following) -> Iterator[Asking]:
    loop = asyncio.new_event_loop()
    yield Asking(following, loop)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


HEATMAP = "/heatmap?rows=1000&columns=720&market="


def is_a_heatmap(answer: Answer) -> None:
    said = json.loads(gzip.decompress(answer.body) if answer.packed else answer.body)
    assert len(said["times"]) == len(said["long"]) == 720
    assert 400 < len(said["prices"]) == len(said["long"][0]) <= 1000


def is_well(answer: Answer) -> None:
    assert answer.status == 200
    assert answer.body


@pytest.mark.parametrize(
    ("path", "check"),
    [(HEATMAP, is_a_heatmap), ("/map?market=", is_well), ("/zones?market=", is_well)],
    ids=["heatmap", "map", "zones"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.leaves_behind("workers of anyio end after some seconds")
def test_an_answer_made_anew(
    timed: Timed, ask: Asking, path: str, check: Callable[[Answer], None], packed: bool
) -> None:
    def make() -> None:
        ask.anew()

    timed.anew(make, lambda _: ask(path, packed), check, rounds=8, event="request", on=DAY)


@pytest.mark.parametrize("path", [HEATMAP, "/map?market=", "/zones?market=", "/features?market="],
                         ids=["heatmap", "map", "zones", "features"])  # fmt: skip
@pytest.mark.leaves_behind("workers of anyio end after some seconds")
def test_an_answer_made_before(timed: Timed, ask: Asking, path: str) -> None:
    timed(lambda: ask(path, packed=True), is_well, event="request", on=DAY)
