"""A venue in memory: its trades and marks, six ways of saying them, everything that goes wrong; time passes at once."""

import asyncio
import heapq
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

from liqcore.feeds.events import Frame, Market, Told

SECOND = 1_000_000_000
EPOCH = 1_790_000_000 * SECOND
T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time, and the same happens every time."""

    def __init__(self) -> None:
        self.virtual = 0.0
        super().__init__()
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def skip(timeout: float | None = None) -> Any:
            if timeout is None:
                raise RuntimeError("everything waits for something that nobody does")
            self.virtual += timeout
            return select(0)

        selector.select = skip

    def time(self) -> float:
        return self.virtual


def play(main: Coroutine[Any, Any, T]) -> T:
    """Run something in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class VirtualClock:
    """The clock of that loop; `step` sets it."""

    def __init__(self) -> None:
        self.step = 0

    def now(self) -> int:
        return EPOCH + self.elapsed() + self.step

    def elapsed(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    async def sleep(self, ns: int) -> None:
        await asyncio.sleep(ns / 1e9)


@dataclass(frozen=True)
class Match:
    """One trade as the venue matched it."""

    id: int  # given by the venue
    ts: int  # ns, whole ms
    price: float
    qty: float
    sell: bool


class Style(Protocol):
    """How a venue says things."""

    symbol: str

    def subscribed(self, message: Any) -> list[bytes]: ...
    def trades(self, matches: list[Match]) -> list[bytes]: ...
    def mark(self, ts: int, price: float, /) -> list[bytes]: ...
    def answer(self, venue: "Venue", url: str, /) -> Any: ...


def text_of(value: float) -> str:
    return f"{value:.10f}".rstrip("0").rstrip(".")


def _dump(said: Any) -> bytes:
    return said if isinstance(said, bytes) else json.dumps(said, separators=(",", ":")).encode()


class Binance:
    """Aggregated trades, whose ids rise by one; ids of matches skip."""

    def __init__(self, symbol: str, rows: int = 1000) -> None:
        self.symbol = symbol
        self.rows = rows

    def subscribed(self, message: Any) -> list[bytes]:
        return [_dump({"result": None, "id": message["id"]})]

    def _row(self, match: Match) -> dict[str, Any]:
        first = match.id * 3
        return {"a": match.id, "p": text_of(match.price), "q": text_of(match.qty), "nq": "0", "f": first,
                "l": first + 1, "T": match.ts // 10**6, "m": match.sell}  # fmt: skip

    def trades(self, matches: list[Match]) -> list[bytes]:
        symbol = self.symbol
        return [
            _dump({"stream": f"{symbol.lower()}@aggTrade", "data": {
                "e": "aggTrade", "E": match.ts // 10**6 + 100, "s": symbol, **self._row(match), "st": 1}})
            for match in matches
        ]  # fmt: skip

    def mark(self, ts: int, price: float) -> list[bytes]:
        data = {"e": "markPriceUpdate", "E": ts // 10**6, "s": self.symbol, "p": text_of(price), "ap": text_of(price),
                "P": "1", "i": "1", "r": "0.0001", "T": 1_800_000_000_000}  # fmt: skip
        return [_dump({"stream": f"{self.symbol.lower()}@markPrice@1s", "data": data})]

    def answer(self, venue: "Venue", url: str) -> Any:
        parts = urlsplit(url)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.endswith("openInterest"):
            return {"symbol": self.symbol, "openInterest": "1000", "time": venue.now() // 10**6}
        first = int(asked["fromId"])
        return [self._row(match) for match in venue.matched() if match.id >= first][: self.rows]


class Bybit:
    """Ids at random; an answer of at most 1,000 trades, the newest first."""

    def __init__(self, symbol: str, past: int = 1000) -> None:
        self.symbol = symbol
        self.past = past

    def subscribed(self, message: Any) -> list[bytes]:
        return [_dump({"success": True, "ret_msg": "", "conn_id": "c", "req_id": message["req_id"], "op": "subscribe"})]

    def _id(self, match: Match) -> str:
        return f"{match.id * 2654435761 % 2**32:08x}-b703-5c34"

    def trades(self, matches: list[Match]) -> list[bytes]:
        rows = [
            {"T": match.ts // 10**6, "s": self.symbol, "S": "Sell" if match.sell else "Buy", "v": text_of(match.qty),
             "p": text_of(match.price), "L": "ZeroMinusTick", "i": self._id(match), "BT": False, "RPI": False, "seq": 5}
            for match in matches
        ]  # fmt: skip
        topic = f"publicTrade.{self.symbol}"
        return [_dump({"topic": topic, "type": "snapshot", "ts": matches[-1].ts // 10**6, "data": rows})]

    def mark(self, ts: int, price: float) -> list[bytes]:
        ticker = {"symbol": self.symbol, "markPrice": text_of(price)}
        said = {"topic": f"tickers.{self.symbol}", "type": "delta", "data": ticker, "cs": 1, "ts": ts // 10**6}
        return [_dump(said), _dump({**said, "data": {"symbol": self.symbol, "indexPrice": "1"}})]

    def answer(self, venue: "Venue", _: str) -> Any:
        rows = [
            {"execId": self._id(match), "symbol": self.symbol, "price": text_of(match.price),
             "size": text_of(match.qty), "side": "Sell" if match.sell else "Buy",
             "time": str(match.ts // 10**6), "seq": "5"}
            for match in venue.matched()[-self.past :][::-1]
        ]  # fmt: skip
        return {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": rows}, "time": 1}


class Okx:
    """Pushes merge matches of a moment under the last id; answers have single ones, 100 at most, the newest first."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol

    def subscribed(self, message: Any) -> list[bytes]:
        return [_dump({"id": message["id"], "event": "subscribe", "arg": arg, "connId": "c"})
                for arg in message["args"]]  # fmt: skip

    def _row(self, match: Match) -> dict[str, Any]:
        return {"instId": self.symbol, "tradeId": str(match.id), "px": text_of(match.price), "sz": text_of(match.qty),
                "side": "sell" if match.sell else "buy", "ts": str(match.ts // 10**6), "source": "0"}  # fmt: skip

    def trades(self, matches: list[Match]) -> list[bytes]:
        said = []
        for group in self.merged(matches):
            row = {**self._row(group[-1]), "sz": text_of(sum(match.qty for match in group)), "count": str(len(group)),
                   "seqId": 7}  # fmt: skip
            said.append(_dump({"arg": {"channel": "trades", "instId": self.symbol}, "data": [row]}))
        return said

    @staticmethod
    def merged(matches: list[Match]) -> list[list[Match]]:
        """Group matches of one price and side."""
        groups: list[list[Match]] = []
        for match in matches:
            last = groups[-1][-1] if groups else None
            if last and (last.price, last.sell, last.ts, last.id + 1) == (match.price, match.sell, match.ts, match.id):
                groups[-1].append(match)
            else:
                groups.append([match])
        return groups

    def mark(self, ts: int, price: float) -> list[bytes]:
        row = {"instId": self.symbol, "instType": "SWAP", "markPx": text_of(price), "ts": str(ts // 10**6)}
        return [_dump({"arg": {"channel": "mark-price", "instId": self.symbol}, "data": [row]})]

    def answer(self, venue: "Venue", url: str) -> Any:
        after = parse_qs(urlsplit(url).query).get("after", [str(2**62)])[0]
        rows = [self._row(match) for match in venue.matched() if match.id < int(after)][-100:][::-1]
        return {"code": "0", "msg": "", "data": rows}


class Hyperliquid:
    """Ids are hashes; the first message has past trades, an answer the ten newest."""

    def __init__(self, symbol: str, past: int = 30) -> None:
        self.symbol = symbol
        self.past = past

    def subscribed(self, message: Any) -> list[bytes]:
        return [_dump({"channel": "subscriptionResponse", "data": message})]

    def _row(self, match: Match) -> dict[str, Any]:
        return {"coin": self.symbol, "side": "A" if match.sell else "B", "px": text_of(match.price),
                "sz": text_of(match.qty), "time": match.ts // 10**6, "hash": "0x00",
                "tid": match.id * 2654435761 % 2**50, "users": ["0xfeed1", "0xfeed2"]}  # fmt: skip

    def trades(self, matches: list[Match]) -> list[bytes]:
        return [_dump({"channel": "trades", "data": [self._row(match) for match in matches]})]

    def mark(self, _: int, price: float) -> list[bytes]:
        context = {"funding": "0.0000125", "openInterest": "39338.7", "oraclePx": "1", "markPx": text_of(price),
                   "premium": None, "midPx": None, "impactPxs": None}  # fmt: skip
        return [_dump({"channel": "activeAssetCtx", "data": {"coin": self.symbol, "ctx": context}})]

    def answer(self, venue: "Venue", _: str) -> Any:
        return [self._row(match) for match in venue.matched()[-10:][::-1]]


STYLES: dict[str, Callable[[], Style]] = {
    "binance-usdm": lambda: Binance("BTCUSDT"),
    "binance-coinm": lambda: Binance("BTCUSD_PERP"),
    "bybit-linear": lambda: Bybit("BTCUSDT"),
    "bybit-inverse": lambda: Bybit("BTCUSD"),
    "okx": lambda: Okx("BTC-USDT-SWAP"),
    "hyperliquid": lambda: Hyperliquid("BTC"),
}


class FakeSocket:
    """A connection to the venue; `deliver` sends over it."""

    def __init__(self, venue: "Venue", url: str) -> None:
        self.venue = venue
        self.url = url
        self.topics: list[str] = []
        self.is_deaf = False
        self.is_open = True
        self._queue: asyncio.Queue[bytes | ConnectionError | None] = asyncio.Queue()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (body := await self._queue.get()) is not None:
            if isinstance(body, ConnectionError):
                raise body
            yield body

    def deliver(self, body: bytes) -> None:
        self._queue.put_nowait(body)

    async def send(self, message: str) -> None:
        if not self.is_open:
            raise ConnectionError("closed")
        self.venue.said(self, message)

    async def ping(self) -> None:
        if not self.is_open or self.venue.is_down:
            raise ConnectionError("no pong")

    async def close(self) -> None:
        if self.is_open:
            self.end()

    def end(self, error: ConnectionError | None = None) -> None:
        self.is_open = False
        self.venue.sockets.discard(self)
        self._queue.put_nowait(error)


Mangle = Callable[[random.Random, bytes], list[bytes]]


@dataclass
class Venue:
    """A venue's side of the network, and what it has matched so far."""

    name: str
    clock: VirtualClock
    style: Style
    is_down: bool = False
    requests_fail: bool = False
    mangle: Mangle | None = None
    sockets: set[FakeSocket] = field(default_factory=set)
    history: list[Match] = field(default_factory=list)
    connects: list[int] = field(default_factory=list)
    asked: int = 0
    most_open: int = 0
    next_id: int = 1000

    def __post_init__(self) -> None:
        self.chance = random.Random(7)

    def now(self) -> int:
        """The venue's own time, which no step of ours touches."""
        return EPOCH + self.clock.elapsed()

    def matched(self) -> list[Match]:
        return self.history

    async def connect(self, url: str) -> FakeSocket:
        self.connects.append(self.clock.elapsed())
        await asyncio.sleep(0.05)
        if self.is_down:
            raise ConnectionError("refused")
        socket = FakeSocket(self, url)
        self.sockets.add(socket)
        self.most_open = max(self.most_open, len(self.sockets))
        return socket

    async def get(self, url: str) -> bytes:
        return await self._answer(url)

    async def post(self, url: str, body: bytes) -> bytes:
        json.loads(body)
        return await self._answer(url)

    async def _answer(self, url: str) -> bytes:
        self.asked += 1
        await asyncio.sleep(0.08)
        if self.is_down or self.requests_fail:
            raise ConnectionError("503 Service Unavailable")
        return _dump(self.style.answer(self, url))

    def said(self, socket: FakeSocket, message: str) -> None:
        """Take what a client says: pings and subscriptions."""
        if message == "ping":
            socket.deliver(b"pong")
            return
        said = json.loads(message)
        if said.get("op") == "ping":
            socket.deliver(_dump({"success": True, "ret_msg": "pong", "conn_id": "c", "op": "ping"}))
        elif said.get("method") == "ping":
            socket.deliver(_dump({"channel": "pong"}))
        else:
            socket.topics.append(message)
            for body in self.style.subscribed(said):
                socket.deliver(body)
            if isinstance(self.style, Hyperliquid) and '"trades"' in message and self.history:
                for body in self.style.trades(self.history[-self.style.past :]):
                    socket.deliver(body)

    def push(self, bodies: list[bytes]) -> None:
        """Send messages to all who listen."""
        for socket in sorted(self.sockets, key=id):
            if socket.is_deaf or not socket.topics:
                continue
            for body in bodies:
                for one in [body] if self.mangle is None else self.mangle(self.chance, body):
                    socket.deliver(one)

    def drop(self, error: str = "reset by peer") -> None:
        """Break all connections."""
        for socket in list(self.sockets):
            socket.end(ConnectionError(error))

    def deafen(self) -> None:
        """Tell nothing more over the connections that are open, which go on answering pings."""
        for socket in self.sockets:
            socket.is_deaf = True

    def trade(self, matches: list[Match]) -> None:
        """Match trades of one moment, number them, and tell of them."""
        matches = [replace(match, id=self.next_id + n) for n, match in enumerate(matches)]
        self.next_id += len(matches)
        self.history += matches
        self.push(self.style.trades(matches))


@dataclass
class Tape:
    """What is to happen: calls by time, seconds from the beginning."""

    calls: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)

    def at(self, second: float, call: Callable[[], None]) -> None:
        heapq.heappush(self.calls, (second, len(self.calls), call))

    async def run(self, clock: VirtualClock) -> None:
        while self.calls:
            second, _, call = heapq.heappop(self.calls)
            await clock.sleep(max(0, round(second * SECOND) - clock.elapsed()))
            call()


def market_of(tape: Tape, venue: Venue, seconds: float, *, rate: float = 4.0, silent: tuple[float, float] = (0, 0),
              first_price: float = 60_000.0, begin: float = 0.0, seed: int = 1) -> None:  # fmt: skip
    """Put a market onto a tape: trades at random moments, one to three at once, and a mark every second."""
    chance = random.Random(seed)
    price, at = first_price, begin
    tick = first_price / 600_000
    while (at := at + chance.expovariate(rate)) < seconds:
        if silent[0] <= at < silent[1]:
            continue
        price = max(tick, price + chance.randint(-40, 40) * tick)
        ts = EPOCH + int(at * 1000) * 10**6
        shown = float(text_of(round(price / tick) * tick))
        count = chance.choice((1, 1, 2, 3))
        sell = chance.random() < 0.5
        matches = [Match(0, ts, shown, chance.randint(1, 5000) / 1000, sell) for _ in range(count)]
        tape.at(at, lambda matches=matches: venue.trade(matches))  # type: ignore[misc]
    for second in range(int(begin) + 1, int(seconds) + 10):
        ts = EPOCH + second * SECOND
        tape.at(second, lambda ts=ts: venue.push(venue.style.mark(ts, first_price)))  # type: ignore[misc]


@dataclass
class Kept:
    """A sink that keeps everything."""

    frames: list[Frame] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    slowness: float = 0.0

    async def put(self, frame: Frame, told: list[Told]) -> None:
        self.frames.append(frame)
        self.told += told
        if self.slowness:
            await asyncio.sleep(self.slowness)


def market(venue: str) -> Market:
    return Market(venue, STYLES[venue]().symbol)
