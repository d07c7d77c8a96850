"""The websocket over real sockets of this machine: one frame for all, nobody waits for anybody, everything bounded."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import liqcore as lq
from liqcore.config import Config
from liqcore.errors import InvalidConfigError
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.server import hub as hubs
from liqcore.server import run, still
from liqcore.server.app import app
from liqcore.server.hub import Client, Hub
from liqcore.server.run import Server, serve
from liqcore.server.socket import MESSAGE_BYTES, endpoint, handle, stream
from liqcore.server.wire import Mirror, decode
from markets import BTC, frames, trades
from test_server_stills import assert_same, followed, publish

CONFIG = Config().replace(server={"updates": 50.0, "clients": 6})
TRADES = trades(3000, seed=21, hours=3.0)
MARKET = {"market": [str(BTC)]}


class Served:
    """A market that is served, and fed by the test."""

    def __init__(self, server: Server, hub: Hub, market: MarketEngine) -> None:
        self.server, self.hub, self.market = server, hub, market
        self.left = frames(TRADES)

    def feed(self, count: int) -> None:
        self.market.take(self.left[:count])
        del self.left[:count]
        publish(self.market)

    def finish(self) -> None:
        self.feed(len(self.left))
        self.market.finish()
        publish(self.market)

    @asynccontextmanager
    async def client(self, **told: Any) -> AsyncIterator[ClientConnection]:
        url = self.server.url.replace("http", "ws") + "/stream"
        async with connect(url, max_size=None, compression=None, proxy=None, **told) as connection:
            yield connection


async def say(connection: ClientConnection, **message: Any) -> None:
    await connection.send(json.dumps(message))


async def heard(connection: ClientConnection) -> tuple[bytes, dict[str, Any]]:
    async with asyncio.timeout(30):
        frame = await connection.recv()
    assert isinstance(frame, bytes)
    return frame, decode(frame)[0]


async def answer(connection: ClientConnection, kind: str) -> dict[str, Any]:
    """Pass over frames until an answer comes."""
    while True:
        _, header = await heard(connection)
        if header["kind"] == kind:
            return header
        assert header["kind"] != "error", header


async def subscribed(connection: ClientConnection, **selection: Any) -> int:
    await say(connection, op="subscribe", selection={**MARKET, **selection}, cells="float32", id="mine")
    header = await answer(connection, "subscribed")
    assert header["id"] == "mine"
    return int(header["view"])


async def follow(connection: ClientConnection, mirror: Mirror, until: Callable[[], bool]) -> dict[int, bytes]:
    """Take frames until something holds; return them by number."""
    seen = {}
    while not until():
        frame, header = await heard(connection)
        assert mirror.take(frame)
        seen[header["number"]] = frame
    return seen


def stands_at_the_end(mirror: Mirror) -> Callable[[], bool]:
    end = TRADES.ts[-1] // 300_000_000_000 * 300_000_000_000
    quantity = float(TRADES.qty[end <= TRADES.ts].sum())
    return lambda: bool(
        len(mirror.times) and mirror.times[-1] == end and np.isclose(mirror.candles[-1, 4:].sum(), quantity)
    )


def served(test: Callable[[Served], Awaitable[None]]) -> None:
    market = MarketEngine(BTC, CONFIG)
    following = followed(market)
    following = type(following)(following.boards, following.news, "replay", following.folder, SystemClock())
    hub = Hub(following, CONFIG.server)
    with serve(Starlette(routes=[WebSocketRoute("/stream", endpoint(hub))]), "127.0.0.1", 0) as server:
        asyncio.run(test(Served(server, hub, market)))  # type: ignore[arg-type]
    assert not hub.views
    assert not hub.clients
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("liqcore-server")]


def test_clients_are_sent_the_same_bytes_and_stand_where_the_heatmap_does() -> None:
    async def test(of: Served) -> None:
        of.feed(100)
        async with of.client() as one, of.client() as two:
            views = [await subscribed(one), await subscribed(two)]
            assert views[0] == views[1]
            mirrors = Mirror(), Mirror()
            got: list[dict[int, bytes]] = [{}, {}]
            for _ in range(40):
                of.feed(10)
                for seen, connection, mirror in zip(got, (one, two), mirrors, strict=True):
                    frame, header = await heard(connection)
                    assert mirror.take(frame)
                    seen[header["number"]] = frame
            of.finish()
            for seen, connection, mirror in zip(got, (one, two), mirrors, strict=True):
                seen |= await follow(connection, mirror, stands_at_the_end(mirror))
            told = [{(n, decode(frame)[0]["after"]): frame for n, frame in seen.items()} for seen in got]
            common = told[0].keys() & told[1].keys()
            assert len(common) > 5
            assert all(told[0][key] == told[1][key] for key in common)
            for mirror in mirrors:
                whole = lq.heatmap(trades=TRADES, symbol="BTCUSDT", venue="binance-usdm")
                whole.meta["gaps"] = []
                assert_same(mirror, whole.rebin(step=mirror.prices[1] - mirror.prices[0]), slice(None), "float32")

    served(test)


def test_a_client_that_takes_nothing_delays_nobody_and_is_brought_up_to_date_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "WAITING_BYTES", 4096)

    async def test(of: Served) -> None:
        of.feed(100)
        tight = socket.socket()
        tight.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        tight.connect((of.server.host, of.server.port))
        async with of.client() as quick, of.client(sock=tight, max_queue=1) as slow:
            await subscribed(quick)
            view = await subscribed(slow)
            mirror, late = Mirror(), Mirror()
            frames_of_slow = 0
            slow.transport.pause_reading()
            while len(of.left) > 20:
                of.feed(4)
                await follow(quick, mirror, lambda before=mirror.number: mirror.number != before)  # type: ignore[misc]
                assert mirror.number is not None
                if mirror.number % 9 == 0:
                    await say(slow, op="resync", view=view)
            of.finish()
            await follow(quick, mirror, stands_at_the_end(mirror))
            slow.transport.resume_reading()
            ends = stands_at_the_end(late)
            while not ends():
                frame, _ = await heard(slow)
                assert late.take(frame)
                frames_of_slow += 1
            np.testing.assert_array_equal(late.long, mirror.long)
            np.testing.assert_array_equal(late.short, mirror.short)
            assert mirror.number is not None
            assert frames_of_slow < mirror.number / 2, "it is not handed what it missed one by one"

    served(test)


BROKEN: list[tuple[str, str]] = [
    ("{", "the message cannot be read"),
    ("[]", "the message cannot be read"),
    ('{"op":"sing"}', "the message cannot be read: Invalid value 'sing'"),
    ('{"op":"resync","view":5}', "view must be one that was subscribed to, was 5"),
    ('{"op":"unsubscribe","view":-1}', "the message cannot be read"),
    ('{"op":"subscribe","selection":{}}', "market must be given"),
    ('{"op":"subscribe","selection":{"market":["x"]}}', "market must be a venue and a symbol"),
    ('{"op":"subscribe","selection":{"market":["okx:A"]}}', "market must be one that is followed"),
    ('{"op":"subscribe","selection":{"market":["binance-usdm:BTCUSDT"],"side":"up"}}', "side must be one of"),
    ('{"op":"subscribe","selection":{"market":["binance-usdm:BTCUSDT"],"colour":1}}', "parameter must be one of"),
    ('{"op":"subscribe","selection":{"market":["binance-usdm:BTCUSDT"]},"cells":"int8"}', "the message cannot be read"),
    ('{"op":"subscribe","selection":{"market":["binance-usdm:BTCUSDT"],"threshold":"p90"}}', "threshold must be an am"),
    ('{"op":"subscribe","selection":{"market":["binance-usdm:BTCUSDT"]},"id":"' + "x" * 65 + '"}', "cannot be read"),
]


def test_messages_that_break_a_rule_are_told_why_and_the_connection_lives() -> None:
    async def test(of: Served) -> None:
        of.feed(10)
        async with of.client() as connection:
            for text, why in BROKEN:
                await connection.send(text)
                _, header = await heard(connection)
                assert header["kind"] == "error", text
                assert why in header["error"], header
                await asyncio.sleep(0.05)
            await subscribed(connection)

    served(test)


WORDS = st.text(max_size=8) | st.sampled_from(
    ["op", "subscribe", "resync", "unsubscribe", "view", "selection", "market", "okx:A", "cells", "side", "p95", "step"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


@given(st.text() | st.dictionaries(WORDS, VALUES, max_size=5).map(json.dumps) | VALUES.map(json.dumps))
def test_whatever_a_client_says_is_answered(text: str) -> None:
    following = followed(MarketEngine(BTC, CONFIG))
    client = Client(Hub(following, CONFIG.server), lambda _: asyncio.sleep(0))
    handle(client, text)
    (answer,) = client._due
    header, _ = decode(answer)
    assert header["kind"] == "error"
    assert header["error"]
    assert len(answer) < 4096


async def closed_by(connection: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(30):
        with suppress(ConnectionClosed):
            while True:
                await connection.recv()
    assert connection.close_code is not None
    return connection.close_code, connection.close_reason or ""


def test_what_closes_a_connection() -> None:
    async def test(of: Served) -> None:
        async with of.client() as connection:
            await connection.send(b"\x00")
            assert await closed_by(connection) == (1003, "a binary message: messages are text, in JSON")
        async with of.client() as connection:
            await connection.send("x" * (MESSAGE_BYTES + 1))
            assert (await closed_by(connection))[0] == 1009
        async with of.client() as connection:
            for _ in range(60):
                await connection.send("{}")
            assert (await closed_by(connection))[0] == 1008
        async with AsyncExitStack() as stack:
            others = [await stack.enter_async_context(of.client()) for _ in range(CONFIG.server.clients)]
            async with of.client() as connection:
                assert await closed_by(connection) == (1013, "too many clients: try again later")
            await others[0].close()
            async with of.client() as connection:
                stopping = asyncio.create_task(asyncio.to_thread(of.server.stop))
                assert (await closed_by(connection))[0] == 1012
                await stopping

    served(test)


def test_streams_are_few_and_end_with_their_last_client(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(of: Served) -> None:
        of.feed(10)
        async with of.client() as one, of.client() as two:
            sides = [await subscribed(one, side=side) for side in ("both", "long", "short")]
            assert len(set(sides)) == 3
            await say(one, op="unsubscribe", view=sides[0])
            assert (await answer(one, "unsubscribed"))["view"] == sides[0]
            assert len(of.hub.views) == 2
            await subscribed(one)
            await subscribed(one, rows=7)
            await say(one, op="subscribe", selection={**MARKET, "rows": 9})
            error = await answer(one, "error")
            assert error["error"] == "a client must look at 4 selections at most: unsubscribe from one"
            monkeypatch.setattr(hubs, "VIEWS", 4)
            await say(two, op="subscribe", selection={**MARKET, "rows": 9})
            _, header = await heard(two)
            assert header["error"] == "there must be 4 different selections at most: try again later"
            await subscribed(two)  # one that is there

    served(test)


def test_a_selection_that_the_market_does_not_allow_ends_with_the_reason() -> None:
    async def test(of: Served) -> None:
        of.feed(10)
        async with of.client() as connection:
            view = await subscribed(connection, step=0.123)
            _, header = await heard(connection)
            assert (header["kind"], header["view"], header["argument"]) == ("error", view, "step")
            assert "step must be a multiple of" in header["error"]
            assert not of.hub.views
            await subscribed(connection)

    served(test)


def test_a_fault_of_the_server_is_told_without_its_insides(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("/home/secret")

    monkeypatch.setattr(still, "settled", fails)

    async def test(of: Served) -> None:
        of.feed(10)
        async with of.client() as connection:
            await subscribed(connection)
            _, header = await heard(connection)
            assert (header["kind"], header["status"]) == ("error", 500)
            assert "secret" not in str(header)

    served(test)
    assert "/home/secret" in caplog.text


def test_a_client_that_takes_nothing_for_long_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PATIENCE_S", 0.3)

    async def test(of: Served) -> None:
        of.finish()
        tight = socket.socket()
        tight.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        tight.connect((of.server.host, of.server.port))
        async with of.client(sock=tight, max_queue=1) as connection:
            view = await subscribed(connection)
            connection.transport.pause_reading()
            until = time.monotonic() + 30
            while of.hub.clients and time.monotonic() < until:
                await say(connection, op="resync", view=view)
                await asyncio.sleep(0.11)
            assert not of.hub.clients
            connection.transport.abort()

    served(test)


def test_a_client_that_does_not_answer_pings_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PING_S", 0.2)

    async def test(of: Served) -> None:
        of.feed(10)
        async with of.client() as alive, of.client() as gone:
            await subscribed(alive)
            await subscribed(gone)
            gone.transport.pause_reading()
            until = time.monotonic() + 30
            while len(of.hub.clients) > 1 and time.monotonic() < until:
                await asyncio.sleep(0.02)
            assert len(of.hub.clients) == 1
            assert len(of.hub.views) == 1
            gone.transport.abort()
            await subscribed(alive, side="long")

    served(test)


def test_a_port_that_is_taken_is_told() -> None:
    with (
        serve(Starlette(), "127.0.0.1", 0) as server,
        pytest.raises(InvalidConfigError, match=f"port must be free, {server.port} of 127.0.0.1 is in use"),
    ):
        serve(Starlette(), "127.0.0.1", server.port)
    with pytest.raises(InvalidConfigError, match=r'host must be an address of this machine, was "nowhere\.invalid"'):
        serve(Starlette(), "nowhere.invalid", 0)
    assert not server.is_running


def test_an_application_that_cannot_start_is_told() -> None:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        raise ValueError("no")
        yield

    with pytest.raises(RuntimeError, match="the server does not start"):
        serve(Starlette(lifespan=lifespan), "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [({}, "", 401), ({"Origin": "http://evil.example"}, "?token=secret", 403), ({"Host": "evil.example"}, "", 403),
     ({}, "?token=secret", 0), ({"Authorization": "Bearer secret"}, "", 0)],
)  # fmt: skip
def test_the_guard_of_requests_guards_streams(headers: dict[str, str], query: str, status: int) -> None:
    following = followed(MarketEngine(BTC, CONFIG))
    following = type(following)(following.boards, following.news, "replay", following.folder, SystemClock())
    guarded = app(following, CONFIG, token="secret", further=[stream(following, CONFIG)])

    async def test(server: Server) -> None:
        told = {name: value for name, value in headers.items() if name != "Host"}
        host = headers.get("Host", server.host)
        given = {"sock": socket.create_connection((server.host, server.port))} if "Host" in headers else {}
        url = f"ws://{host}:{server.port}/stream{query}"
        connecting = connect(url, additional_headers=told, proxy=None, **given)
        if not status:
            async with connecting as connection:
                await subscribed(connection)
            return
        with pytest.raises(InvalidStatus) as refused:
            await connecting
        assert refused.value.response.status_code == status

    with serve(guarded, "127.0.0.1", 0) as server:
        asyncio.run(test(server))


def test_a_request_that_does_not_come_in_whole_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "REQUEST_S", 0.2)

    async def answer(_: Request) -> Response:
        return Response("well")

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    routes = [Route("/", answer), WebSocketRoute("/echo", echo)]
    whole = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with serve(Starlette(routes=routes), "127.0.0.1", 0) as server:
        for sent in (b"", whole[:-2], whole + whole[:-2], whole[:-2] + b"Content-Length: 5\r\n\r\nab"):
            with socket.create_connection((server.host, server.port), timeout=30) as client:
                client.sendall(sent)
                came = b""
                with suppress(ConnectionResetError):
                    while some := client.recv(4096):
                        came += some
                assert (b"well" in came) == sent.startswith(whole) or b"Content-Length" in sent

        async def talk() -> None:
            async with connect(f"ws://127.0.0.1:{server.port}/echo", proxy=None) as connection:
                await asyncio.sleep(0.4)
                await connection.send("still")
                assert await connection.recv() == "still"

        asyncio.run(talk())


def test_what_clients_send_wrong_is_not_written_and_faults_of_the_server_are(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse(scope: Any, *_: Any) -> None:
        if scope["type"] == "websocket":
            return
        raise ZeroDivisionError("of ours")

    with serve(refuse, "127.0.0.1", 0) as server:
        key = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        for lines in (b"\0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n" + upgrade + key + b"\r\n"):
            with socket.create_connection((server.host, server.port), timeout=30) as client:
                client.sendall(lines)
                assert client.recv(4096)
        assert caplog.records == []
        with socket.create_connection((server.host, server.port), timeout=30) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b" 500 " in client.recv(4096)
        until = time.monotonic() + 60
        while not caplog.records and time.monotonic() < until:  # it is logged once it has been answered
            time.sleep(0.01)
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["of ours"]
