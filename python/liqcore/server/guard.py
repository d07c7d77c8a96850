"""What keeps strangers, mistakes and floods out, before a request or a stream reaches its route."""

import hmac
import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..config.machine_sections import ServerConfig
from ..live.outside import Clock
from .forms import Refusal
from .refused import RefusedError

LONGEST_URL = 8_192
"""Bytes of a path and its query."""
BURST_S = 3.0
"""Seconds of requests that an address may send at once."""
ADDRESSES = 10_000
"""Addresses whose requests are counted; the one that was silent for longest goes first."""
AT_ONCE = 64
"""Requests that are answered at once."""
METHODS = "GET, HEAD, OPTIONS"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
"""Of every answer that does not say them itself."""


def is_loopback(host: str) -> bool:
    """Tell whether an address, or the name localhost, can be reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def body_of(error: RefusedError) -> bytes:
    """Return a refusal as JSON."""
    return msgspec.json.encode(Refusal(error.error, error.argument, error.rule, error.value))


class Rates:
    """
    Counts requests by address: so many a second, and a few seconds' worth at once.

    Parameters
    ----------
    a_second : float
    clock : Clock
    """

    def __init__(self, a_second: float, clock: Clock) -> None:
        self._a_second = a_second
        self._burst = max(a_second * BURST_S, 1.0)
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Count a request; return 0, or after how many seconds one is allowed again."""
        now = self._clock.elapsed()
        left, then = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - then) / 1e9 * self._a_second)
        allowed = left >= 1.0
        self._left[address] = (left - 1.0 if allowed else left, now)
        if len(self._left) > ADDRESSES:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._a_second


class Guard:
    """
    An ASGI middleware: checks what every request and every stream must keep to, and adds the headers of an answer.

    Parameters
    ----------
    app : ASGI application
    config : ServerConfig
    token : str or None
        Clients must show it; None: none is needed.
    clock : Clock
    refused : callable, optional
        Called with a word for each refusal, to count it.
    """

    def __init__(
        self,
        app: ASGIApp,
        config: ServerConfig,
        *,
        token: str | None,
        clock: Clock,
        refused: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._app = app
        self._config = config
        self._token = token
        self._names = {"localhost", config.host.lower(), *(name.lower() for name in _words(config.names))}
        self._origins = set(_words(config.origins))
        self._rates = Rates(config.requests, clock)
        self._refused = refused
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = self._with_headers(send, headers)
        try:
            self._check(scope, headers)
        except RefusedError as error:
            self._refused({401: "token", 403: "origin", 405: "method", 413: "size", 414: "size", 429: "rate"}
                          .get(error.status, "other"))  # fmt: skip
            await self._refuse(scope, send, error)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await _answer(send, 204, b"", {"allow": METHODS})
            return
        if self._at_once >= AT_ONCE:
            self._refused("busy")
            await self._refuse(scope, send, RefusedError(503, "too many requests at once", after_s=1))
            return
        self._at_once += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._at_once -= 1

    def _check(self, scope: Scope, headers: Headers) -> None:
        length = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
        if length > LONGEST_URL:
            raise RefusedError.broken("URL", f"must be at most {LONGEST_URL:,} bytes long", f"{length:,}", 414)
        self._check_host(headers)
        self._check_origin(scope, headers)
        # Not before: a page of somebody else in this machine's browser must not use up what its programs may ask.
        client = scope.get("client")
        if wait := self._rates.wait(client[0] if client else ""):
            rule = f"must be at most {self._config.requests:g} a second"
            raise RefusedError(429, f"requests {rule}", "requests", rule, after_s=int(wait) + 1)
        tokens = _take_tokens(scope, headers)
        preflight = scope["type"] == "http" and scope["method"] == "OPTIONS"
        if self._token is not None and not preflight:  # a browser asks without one whether it may show it
            matches = [hmac.compare_digest(one.encode(), self._token.encode()) for one in tokens]
            if not any(matches):
                rule = "must be that of this server, as `Authorization: Bearer TOKEN` or `?token=TOKEN`"
                raise RefusedError(401, f"token {rule}", "token", rule)
        if scope["type"] == "http":
            if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
                raise RefusedError.broken("method", f"must be one of {METHODS}", scope["method"], 405)
            if headers.get("content-length", "0").strip() != "0" or "transfer-encoding" in headers:
                raise RefusedError(413, "request must have no body", "body", "must be empty")

    def _check_host(self, headers: Headers) -> None:
        """Refuse names that are not this server's: a page whose name is bound to this address must not read from it."""
        given = headers.getlist("host")
        name = _host_of(given[0]) if len(given) == 1 else None
        if name is not None and (name in self._names or self._is_address(name)):
            return
        rule = "must be a name of this server (server.names) or its address"
        raise RefusedError.broken("Host", rule, ", ".join(given), 403)

    def _is_address(self, name: str) -> bool:
        """Whether it is an address, not a name that somebody may bind anew; beyond loopback only where so bound."""
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not is_loopback(self._config.host)

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        """Refuse pages of other origins, which browsers name; programs name none."""
        origin = headers.get("origin")
        if origin is not None:
            if not self._allowed(origin, headers):
                rule = "must be this server's own or one of server.origins"
                raise RefusedError.broken("Origin", rule, origin, 403)
            return
        site = headers.get("sec-fetch-site", "none")
        opens_page = headers.get("sec-fetch-mode") == "navigate" and scope["type"] == "http"
        if site not in ("same-origin", "none") and not opens_page:
            raise RefusedError.broken("Sec-Fetch-Site", "must be same-origin or none", site, 403)

    def _allowed(self, origin: str, headers: Headers) -> bool:
        if origin in self._origins:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == headers["host"].lower()

    def _with_headers(self, send: Send, asked: Headers) -> Send:
        origin = asked.get("origin")
        shared = origin if origin is not None and origin in self._origins else None

        async def sending(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                if "content-security-policy" not in headers:  # one's own says who may show it in a frame
                    headers.setdefault("x-frame-options", "DENY")
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self._origins:
                    headers.add_vary_header("Origin")
                if shared is not None:
                    headers["access-control-allow-origin"] = shared
                    headers["access-control-allow-methods"] = METHODS
                    headers["access-control-allow-headers"] = "Authorization"
                    headers["cross-origin-resource-policy"] = "cross-origin"
            await send(message)

        return sending

    async def _refuse(self, scope: Scope, send: Send, error: RefusedError) -> None:
        extra = {"content-type": "application/json"}
        if error.status == 401:
            extra["www-authenticate"] = "Bearer"
        if error.status == 405:
            extra["allow"] = METHODS
        if error.after_s:
            extra["retry-after"] = str(error.after_s)
        if scope["type"] == "http":
            body = b"" if scope["method"] == "HEAD" else body_of(error)
            await _answer(send, error.status, body, extra)
        elif "websocket.http.response" in scope.get("extensions", {}):
            await _answer(send, error.status, body_of(error), extra, "websocket.")
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": error.error[:120]})


def _take_tokens(scope: Scope, headers: Headers) -> list[str]:
    """Return the tokens that a client shows; one in the query is taken out of it, so that nothing behind sees it."""
    scheme, _, shown = headers.get("authorization", "").partition(" ")
    tokens = [shown.strip()] if scheme.lower() == "bearer" else []
    if b"token=" in scope["query_string"]:
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens += [value for name, value in pairs if name == "token"]
        scope["query_string"] = urlencode([pair for pair in pairs if pair[0] != "token"]).encode()
    return tokens


def _words(listed: str | None) -> list[str]:
    return listed.split(",") if listed else []


def _host_of(given: str) -> str | None:
    """Return the name or address in a Host header, without its port; None: it is none."""
    try:
        parts = urlsplit(f"//{given}")
        _ = parts.port
    except ValueError:
        return None
    if parts.netloc != given or "@" in given or not parts.hostname:
        return None
    return parts.hostname.rstrip(".")


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str], kind: str = "") -> None:
    said: list[Any] = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    if body:
        said.append((b"content-length", str(len(body)).encode()))
    await send({"type": f"{kind}http.response.start", "status": status, "headers": said})
    await send({"type": f"{kind}http.response.body", "body": body})
