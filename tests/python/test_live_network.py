"""Real sockets and requests, on this machine: a venue behind 127.0.0.1."""

import asyncio
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("msgspec")
pytest.importorskip("websockets")

from websockets.asyncio.server import ServerConnection, serve

from liqcore.feeds.events import Change, Frame, Market, Notice, Told, Trade
from liqcore.live.feed import Feed
from liqcore.live.machine import SystemClock
from liqcore.live.network import Internet
from liqcore.live.stream import Driver
from liqcore.live.terms import proxies_of

BTC = Market("binance-usdm", "BTCUSDT")
MS = 1_790_000_000_000


def row(number: int) -> dict[str, Any]:
    return {"a": number, "p": "60000.1", "q": "0.001", "nq": "0", "f": 1, "l": 1, "T": MS + number, "m": False}


class Answers(http.server.BaseHTTPRequestHandler):
    """The requests' half of a venue."""

    def do_GET(self) -> None:
        if "openInterest" in self.path:
            self.answer(200, {"symbol": "BTCUSDT", "openInterest": "5", "time": MS})
        elif "fromId=" in self.path:
            first = int(self.path.partition("fromId=")[2].partition("&")[0])
            self.answer(200, [row(number) for number in range(first, 31)])
        else:
            self.answer(429, {"code": -1003, "msg": "Too many requests."})

    def do_POST(self) -> None:
        self.answer(200, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()


def test_requests_give_bodies_or_say_why_not(address: str) -> None:
    async def main() -> None:
        net = Internet()
        assert json.loads(await net.get(f"{address}/fapi/v1/openInterest"))["openInterest"] == "5"
        assert json.loads(await net.post(f"{address}/info", b'{"a":1}')) == {"a": 1}
        with pytest.raises(ConnectionError, match=r"429 Too Many Requests: .*-1003"):
            await net.get(f"{address}/other")
        with pytest.raises(ConnectionError, match="refused"):
            await net.get("http://127.0.0.1:1/x")
        for url in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
            with pytest.raises(ConnectionError, match="expected http or https"):
                await net.get(url)
        with pytest.raises(ConnectionError, match=r"ws://127.0.0.1:1"):
            await net.connect("ws://127.0.0.1:1")

    asyncio.run(main())


def test_proxies_are_those_of_the_environment(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = address.rpartition(":")[2]
    monkeypatch.setenv("http_proxy", address)  # which answers what it is asked, whoever is meant
    monkeypatch.setenv("all_proxy", f"socks5h://127.0.0.1:{port}")
    monkeypatch.setenv("socks_proxy", f"socks5h://127.0.0.1:{port}")

    async def main() -> None:
        assert json.loads(await Internet().get("http://venue.invalid/fapi/v1/openInterest"))["openInterest"] == "5"
        with pytest.raises(ConnectionError, match=r"wss://venue.invalid"):
            await Internet().connect("wss://venue.invalid/x")

    asyncio.run(main())


def test_a_venue_has_a_proxy_of_its_own(address: str) -> None:
    proxies = proxies_of({"okx": {"proxy": address, "rest": "http://venue.invalid", "sockets": {"public": "ws://x.invalid/y"}},
                          "bybit-linear": {"rest": "http://other.invalid"}})  # fmt: skip
    assert proxies == {"venue.invalid": address, "x.invalid": address}

    async def main() -> None:
        net = Internet(proxies)
        assert json.loads(await net.get("http://venue.invalid/fapi/v1/openInterest"))["openInterest"] == "5"
        with pytest.raises(ConnectionError, match=r"ws://x.invalid/y: .*proxy"):
            await net.connect("ws://x.invalid/y")

    asyncio.run(main())


def test_a_feed_over_real_sockets_fills_what_a_broken_connection_lost(address: str) -> None:
    """The first connection breaks after number 9, the second tells from 31 on; the rest is asked for."""

    async def main() -> list[Told]:
        told: list[Told] = []
        done = asyncio.Event()
        connections = 0

        async def venue(connection: ServerConnection) -> None:
            nonlocal connections
            connections += 1
            first = connections == 1
            async for message in connection:
                asked = json.loads(message)
                await connection.send(json.dumps({"result": None, "id": asked["id"]}))
                if asked["params"] == ["btcusdt@aggTrade"]:
                    for number in range(1, 10) if first else range(31, 40):
                        data = {"e": "aggTrade", "E": 1, "s": "BTCUSDT", **row(number)}
                        await connection.send(json.dumps({"stream": "btcusdt@aggTrade", "data": data}))
                    if first:
                        await connection.close(1011, "internal error")

        async def sink(_: Frame, read: list[Told]) -> None:
            told.extend(read)
            trades = [one.id for one in told if isinstance(one, Trade)]
            live = [one.state for one in told if isinstance(one, Change) and one.kind == "trades"]
            if 39 in trades and live[-1] == "live" and "gap filled" in live:
                done.set()

        async with serve(venue, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            feed = Feed("binance-usdm", {"sockets": {"market": f"ws://127.0.0.1:{port}"}, "rest": address})
            driver = Driver(feed, [BTC], ["trades", "open_interest"], Internet(), SystemClock(), sink)
            running = asyncio.create_task(driver.run())
            async with asyncio.timeout(60):
                await asyncio.wait([running, asyncio.create_task(done.wait())], return_when=asyncio.FIRST_COMPLETED)
            assert not running.done(), running.exception()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        return told

    told = asyncio.run(main())
    assert {one.id for one in told if isinstance(one, Trade)} == set(range(1, 40))
    assert [one.about for one in told if isinstance(one, Notice)].count("subscribed") == 2
    assert not [one for one in told if isinstance(one, Change) and one.state == "gap open" and one.kind == "trades"]


def test_a_socket_answers_pings_and_ends_as_the_other_side_does() -> None:
    async def main() -> None:
        async def echo(connection: ServerConnection) -> None:
            async for message in connection:
                await connection.send(message)
                if message == "break":
                    connection.transport.abort()

        async with serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            socket = await Internet().connect(f"ws://127.0.0.1:{port}")
            await socket.ping()
            await socket.send("ping")
            messages = aiter(socket)
            assert await anext(messages) == b"ping"
            await socket.send("break")
            with pytest.raises(ConnectionError):
                async for _ in messages:
                    pass
            with pytest.raises(ConnectionError):
                await socket.send("x")
            with pytest.raises(ConnectionError, match="no pong"):
                await socket.ping()
            await socket.close()
            other = await Internet().connect(f"ws://127.0.0.1:{port}")
            server.close()  # which says goodbye
            assert [body async for body in other] == []
            await other.close()

    asyncio.run(main())
