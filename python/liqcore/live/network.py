"""Sockets and requests of the real network: the one module that opens them."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, WebSocketException

from .. import __version__
from .outside import Socket

_LARGEST = 1 << 26  # bytes of a message or an answer
_OPENED_WITHIN, _CLOSED_WITHIN, _PONG_WITHIN, _ANSWERED_WITHIN = 10.0, 1.0, 20.0, 10.0  # seconds


class Internet:
    """
    The network of this machine.

    A socket reads no further than its messages are taken: what waits, waits with the venue.

    Parameters
    ----------
    proxies : mapping of str to str, optional
        Addresses of proxies, by the host that they are for. Others are those of the environment (``https_proxy``,
        ``no_proxy``).
    """

    def __init__(self, proxies: Mapping[str, str] | None = None) -> None:
        self._proxies = dict(proxies or {})

    async def connect(self, url: str) -> Socket:
        """Open a socket."""
        try:
            # The pings of the library would not see a pong while messages wait to be taken: the feed sends its own.
            opened = await connect(url, max_size=_LARGEST, ping_interval=None, open_timeout=_OPENED_WITHIN,
                                   close_timeout=_CLOSED_WITHIN,
                                   proxy=self._proxies.get(urlsplit(url).hostname or "", True))  # fmt: skip
        except (OSError, WebSocketException, TimeoutError, ImportError) as error:  # a SOCKS proxy needs python-socks
            raise ConnectionError(f"{url}: {error}") from error
        return _WebSocket(opened)

    async def get(self, url: str) -> bytes:
        """Return the body of an answer."""
        return await self._ask(urllib.request.Request(url, headers=_HEADERS))

    async def post(self, url: str, body: bytes) -> bytes:
        """Send JSON, return the body of the answer."""
        headers = {**_HEADERS, "Content-Type": "application/json"}
        return await self._ask(urllib.request.Request(url, body, headers))

    async def _ask(self, request: urllib.request.Request) -> bytes:
        proxy = self._proxies.get(urlsplit(request.full_url).hostname or "")
        through = [] if proxy is None else [urllib.request.ProxyHandler({"http": proxy, "https": proxy})]
        return await asyncio.to_thread(_ask, request, through)


_HEADERS = {"User-Agent": f"liqcore/{__version__}"}


class _WebSocket:
    def __init__(self, opened: ClientConnection) -> None:
        self._opened = opened

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield await self._opened.recv(decode=False)
        except ConnectionClosedOK:
            return
        except ConnectionClosed as error:
            raise ConnectionError(str(error)) from error

    async def send(self, message: str) -> None:
        try:
            await self._opened.send(message)
        except ConnectionClosed as error:
            raise ConnectionError(str(error)) from error

    async def ping(self) -> None:
        try:
            await asyncio.wait_for(await self._opened.ping(), _PONG_WITHIN)
        except (ConnectionClosed, TimeoutError) as error:
            raise ConnectionError(f"no pong: {error}") from error

    async def close(self) -> None:
        await self._opened.close()


def _ask(request: urllib.request.Request, through: Sequence[urllib.request.BaseHandler]) -> bytes:
    if request.type not in ("http", "https"):
        raise ConnectionError(f"{request.full_url}: expected http or https")
    try:
        with urllib.request.build_opener(*through).open(request, timeout=_ANSWERED_WITHIN) as answer:
            body: bytes = answer.read(_LARGEST + 1)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(200).decode(errors="replace")
        raise ConnectionError(f"{error.code} {error.reason}: {said}") from error
    except (OSError, ValueError) as error:
        raise ConnectionError(str(error)) from error
    if len(body) > _LARGEST:
        raise ConnectionError(f"answer of more than {_LARGEST >> 20} MiB")
    return body
