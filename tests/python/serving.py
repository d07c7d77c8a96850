"""What tests of the server share: markets that are followed without feeds, and a client that asks without a socket."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx

import liqcore as lq
from liqcore.config import Config
from liqcore.feeds.events import Frame, Market
from liqcore.live.board import Board
from liqcore.live.following import Following, News
from liqcore.live.market import MarketEngine
from liqcore.live.status import Status
from liqcore.server.app import app
from markets import BTC, StillClock, frames, trades

BYBIT = Market("bybit-linear", "BTCUSDT")
TRADES = {BTC: trades(4000, seed=11), BYBIT: trades(3500, seed=12)}
EMPTY = Market("okx-swap", "BTC-USDT-SWAP")
ROOM = 1 << 40


class Hands(StillClock):
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.at = 0

    def elapsed(self) -> int:
        return self.at


class Served:
    """
    Markets that are followed, and an application that serves them.

    Parameters
    ----------
    folder : Path
        Of the journals.
    config : Config, optional
        By default one that allows any number of requests.
    given : mapping of Market to TradeBatch, optional
        What is fed; a market without trades has seen none.
    """

    def __init__(
        self,
        folder: Path,
        config: Config | None = None,
        given: dict[Market, lq.TradeBatch | None] | None = None,
        **options: Any,
    ) -> None:
        given = {**TRADES, EMPTY: None} if given is None else given
        self.news = News()
        self.clock = Hands()
        self.engines = {market: MarketEngine(market, sinks=[self.news]) for market in given}
        for market, batch in given.items():
            if batch is not None:
                self.feed(market, frames(batch, market=market), last=True)
        boards = {market: Board(engine) for market, engine in self.engines.items()}
        self.statuses = {market: Status(market) for market in given}
        self.following = Following(boards, self.news, "replay", folder, self.clock, self.statuses)
        self.config = config or Config().replace(server={"requests": 1e9})
        self.app = app(self.following, self.config, **{"free": lambda _: ROOM} | options)

    def feed(self, market: Market, given: Iterable[Frame], *, last: bool = False) -> None:
        """Feed a market, and publish what it is then."""
        engine = self.engines[market]
        engine.take(given)
        if last:
            engine.finish()
        if engine.book is not None:
            engine.book.publisher.publish(engine.book.engine)

    def ask(self, path: str, *, method: str = "GET", **options: Any) -> httpx.Response:
        """Ask once."""
        return self.together([lambda client: client.request(method, path, **options)])[0]

    def together(self, asked: Sequence[Callable[[httpx.AsyncClient], Any]]) -> list[httpx.Response]:
        """Ask several at once."""

        async def asking() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8765") as client:
                return list(await asyncio.gather(*(one(client) for one in asked)))

        return asyncio.run(asking())
