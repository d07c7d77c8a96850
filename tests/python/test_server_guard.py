"""What keeps strangers out: names, origins, tokens, sizes, rates; of requests and of streams."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("msgspec")
pytest.importorskip("starlette")
pytest.importorskip("httpx")
pytest.importorskip("prometheus_client")
pytest.importorskip("nanoarrow")

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from liqcore.config import Config
from liqcore.errors import InvalidConfigError
from liqcore.server.guard import ADDRESSES, BURST_S, LONGEST_URL, Rates, is_loopback
from markets import BTC
from serving import TRADES, Hands, Served

TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("journals")


@pytest.fixture(scope="module")
def served(folder: Path) -> Served:
    return Served(folder, given={BTC: TRADES[BTC]})


def elsewhere(folder: Path, **server: Any) -> Served:
    """Serve beyond this machine."""
    settings = {"requests": 1e9, "host": "0.0.0.0"} | server
    return Served(folder, Config().replace(server=settings), given={BTC: TRADES[BTC]}, token=TOKEN)


# --- names ---


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("LOCALHOST:8765", 200), ("127.0.0.1", 200), ("127.0.0.1:80", 200), ("[::1]:8765", 200),
        ("localhost.", 200), ("127.9.9.9", 200),
        ("evil.example", 403), ("evil.example:8765", 403), ("localhost.evil.example", 403), ("192.168.1.5", 403),
        ("127.0.0.1.evil.example", 403), ("localhost@evil.example", 403), ("localhost/x", 403), ("", 403),
        ("localhost:99999", 403), ("[::1", 403), ("0.0.0.0", 403), ("[::ffff:8.8.8.8]", 403), ("2130706433", 403),
    ],
)  # fmt: skip
def test_a_name_bound_anew_to_this_machine_reads_nothing(served: Served, host: str, status: int) -> None:
    answer = served.ask("/markets", headers={"host": host})
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["argument"] == "Host"


def test_two_names_are_none(served: Served) -> None:
    assert served.ask("/markets", headers=[("host", "localhost"), ("host", "evil.example")]).status_code == 403


def test_beyond_this_machine_addresses_will_do_and_names_that_are_set(folder: Path) -> None:
    far = elsewhere(folder, names="charts.example.org,Other.example")
    shown = {"authorization": f"Bearer {TOKEN}"}
    for host in ("192.168.1.5:8765", "[2001:db8::1]", "charts.example.org", "other.EXAMPLE", "localhost"):
        assert far.ask("/markets", headers={"host": host} | shown).status_code == 200
    for host in ("evil.example", "example.org", "x.charts.example.org"):
        assert far.ask("/markets", headers={"host": host} | shown).status_code == 403


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("names", "evil example", "names of this machine between commas, each once"),
        ("names", "a.example,a.example", "names of this machine between commas, each once"),
        ("names", "", "names of this machine between commas, each once"),
        ("origins", "charts.example.org", "origins between commas, each once"),
        ("origins", "https://charts.example.org/", "origins between commas, each once"),
    ],
)
def test_names_and_origins_that_are_none_are_refused(name: str, value: str, rule: str) -> None:
    with pytest.raises(InvalidConfigError) as error:
        Config().replace(server={name: value})
    assert str(error.value) == f'server.{name} must be {rule}, was "{value}"'


# --- origins ---


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8765"}, 200),
        ({"origin": "http://localhost:8766"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "file://"}, 403),
        ({"origin": "https://charts.example.org"}, 200),
        ({"origin": "http://charts.example.org"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
    ],
)
def test_pages_of_other_origins_read_nothing(folder: Path, headers: dict[str, str], status: int) -> None:
    config = Config().replace(server={"requests": 1e9, "origins": "https://charts.example.org"})
    answer = Served(folder, config, given={BTC: None}).ask("/markets", headers=headers)
    assert answer.status_code == status
    shared = answer.headers.get("access-control-allow-origin")
    assert shared == (headers["origin"] if headers.get("origin") == "https://charts.example.org" else None)
    assert "Origin" in answer.headers["vary"]


# --- the token ---


def test_beyond_this_machine_a_token_is_needed(folder: Path) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "charts.example.org"):
        config = Config().replace(server={"host": host})
        with pytest.raises(InvalidConfigError, match=r"token must be given where server\.host is no loopback address"):
            Served(folder, config, given={})
    with pytest.raises(InvalidConfigError, match="token must not be empty"):
        Served(folder, given={}, token=" ")
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "Localhost", "10.0.0.1", "x")] == [
        True, True, True, False, False
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 401),
        ("", {"authorization": f"Bearer {TOKEN}"}, 200),
        ("", {"authorization": f"bearer  {TOKEN}"}, 200),
        ("", {"authorization": f"Basic {TOKEN}"}, 401),
        ("", {"authorization": "Bearer other"}, 401),
        ("", {"authorization": "Bearer "}, 401),
        ("?token=" + TOKEN, {}, 200),
        ("?token=other", {}, 401),
        ("?token=", {}, 401),
        ("?token=%C3%A9%00", {}, 401),
    ],
)
def test_whoever_does_not_show_the_token_reads_nothing(
    folder: Path, query: str, headers: dict[str, str], status: int
) -> None:
    far = elsewhere(folder)
    for path in ("/markets", "/openapi.json", "/health", "/metrics", "/nothing"):
        answer = far.ask(path + query, headers={"host": "10.0.0.1"} | headers)
        assert answer.status_code == (404 if status == 200 and path == "/nothing" else status)
        if status == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["value"] == ""  # of what was shown nothing is told back


def test_a_token_in_a_query_leaves_the_rest_of_it(folder: Path) -> None:
    answer = elsewhere(folder).ask(f"/heatmap?rows=50&token={TOKEN}&market={BTC}&columns=2")
    assert answer.status_code == 200
    assert len(answer.json()["times"]) == 2
    refused = elsewhere(folder).ask(f"/heatmap?token={TOKEN}&other=1")
    assert TOKEN not in refused.text


# --- sizes, rates, methods, headers ---


def test_sizes_are_limited(served: Served) -> None:
    assert served.ask("/markets?" + "x" * LONGEST_URL).status_code == 414
    assert served.ask("/" + "x" * LONGEST_URL).status_code == 414
    for options in ({"content": b"x"}, {"headers": {"transfer-encoding": "chunked"}}):
        answer = served.ask("/markets", **options)  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert answer.json()["argument"] == "body"


def test_an_address_that_asks_too_often_is_told_when_to_come_again(folder: Path) -> None:
    served = Served(folder, Config().replace(server={"requests": 4}), given={})
    statuses = [served.ask("/markets").status_code for _ in range(20)]
    assert statuses == [200] * int(4 * BURST_S) + [429] * (20 - int(4 * BURST_S))
    answer = served.ask("/markets")
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["rule"] == "must be at most 4 a second"
    served.clock.at += 300_000_000
    assert [served.ask("/markets").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}])
def test_what_strangers_ask_is_not_counted_against_an_address(folder: Path, headers: dict[str, str]) -> None:
    served = Served(folder, Config().replace(server={"requests": 4}), given={})
    assert [served.ask("/markets", headers=headers).status_code for _ in range(100)] == [403] * 100
    assert served.ask("/markets").status_code == 200


def test_addresses_are_counted_apart_and_not_without_end() -> None:
    clock = Hands()
    rates = Rates(1.0, clock)
    assert [rates.wait("a") for _ in range(3)] == [0.0] * 3
    assert rates.wait("a") == pytest.approx(1.0)
    assert rates.wait("b") == 0.0
    for number in range(ADDRESSES + 5):
        rates.wait(str(number))
    assert len(rates._left) == ADDRESSES


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    for path in ("/markets", "/nothing"):
        answer = served.ask(path, method=method)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_head_and_options(served: Served) -> None:
    whole, head = served.ask(f"/map?market={BTC}"), served.ask(f"/map?market={BTC}", method="HEAD")
    assert head.content == b""
    assert head.status_code == 200
    assert head.headers["content-length"] == whole.headers["content-length"]
    options = served.ask("/markets", method="OPTIONS")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    refused = served.ask("/markets", method="HEAD", headers={"host": "evil.example"})
    assert (refused.status_code, refused.content) == (403, b"")


def test_every_answer_bears_what_browsers_must_keep_to(served: Served) -> None:
    for path in ("/markets", f"/heatmap?market={BTC}", "/nothing", "/heatmap", "/metrics", "/health", "/markets?x=1"):
        headers = served.ask(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert "server" not in headers


def test_too_many_at_once_are_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liqcore.server.guard.AT_ONCE", 3)
    served = Served(folder, given={BTC: TRADES[BTC]})
    answers = served.together([lambda client: client.get(f"/heatmap?market={BTC}")] * 6)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 3 + [503] * 3
    assert next(answer for answer in answers if answer.status_code == 503).headers["retry-after"] == "1"


# --- streams ---


def opened(served: Served, headers: dict[str, str], query: str = "") -> list[dict[str, Any]]:
    """Ask for a websocket as a server would; return what is sent."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "websocket", "path": "/stream", "raw_path": b"/stream", "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "client": ("127.0.0.1", 1),
        "subprotocols": [], "extensions": {"websocket.http.response": {}}, "scheme": "ws", "root_path": "",
        "http_version": "1.1", "server": ("127.0.0.1", 8765), "asgi": {"version": "3.0"},
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(served.app(scope, receive, send))
    return sent


def test_streams_are_guarded_as_requests_are(folder: Path) -> None:
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    settings = Config().replace(server={"requests": 1e9})
    further = [WebSocketRoute("/stream", stream)]
    served = Served(folder, settings, given={}, token=TOKEN, further=further)
    good = {"host": "localhost", "authorization": f"Bearer {TOKEN}"}
    assert opened(served, good)[0]["type"] == "websocket.accept"
    assert opened(served, {"host": "localhost"}, f"token={TOKEN}")[0]["type"] == "websocket.accept"
    for headers, status in (
        ({"host": "localhost"}, 401),
        (good | {"host": "evil.example"}, 403),
        (good | {"origin": "http://evil.example"}, 403),
        (good | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "websocket"}, 403),
    ):
        first = opened(served, headers)[0]
        assert (first["type"], first["status"]) == ("websocket.http.response.start", status)
