"""Runs the server: in a thread of its own, which no feed waits for."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ..errors import InvalidConfigError
from .socket import MESSAGE_BYTES

PING_S = 20.0
"""How often a websocket is pinged, and how long it may take to answer."""
PATIENCE_S = 60.0
"""How long a websocket may take nothing of what waits for it."""
WAITING_BYTES = 32_768
"""What may wait in this process for a websocket's client to take it, and as much again in the system's buffer: whoever
takes nothing does not find minutes of old frames when it goes on."""
STOP_S = 5
"""How long requests may take once the server is to stop."""


REQUEST_S = 10.0
"""How long a request may take to come in whole."""


class _Requests(H11Protocol):
    """A connection whose request does not come in whole in time is cut off."""

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._overdue = self.loop.call_later(REQUEST_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._overdue is None:  # the next request on the same connection
            self._overdue = self.loop.call_later(REQUEST_S, self.transport.abort)
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_waiting()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._stop_waiting()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether it is of the server: it calls a refused websocket, which any client can ask for, an error, too."""
    return record.msg != "ASGI callable returned without completing handshake."


class _Protocol(WebSocketsSansIOProtocol):
    """A websocket whose client has gone, or takes nothing for long, is cut off with what it has not taken."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WAITING_BYTES)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._patience = self.loop.call_later(PATIENCE_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class Server:
    """
    An application that listens; made by `serve`.

    Attributes
    ----------
    host : str
    port : int
        On which it listens, where 0 was asked for, too.

    Examples
    --------
    >>> from liqcore.server.run import serve
    >>> from starlette.applications import Starlette
    >>> with serve(Starlette(), "127.0.0.1", 0) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        self.host, self.port = listening.getsockname()[:2]
        self._socket = listening
        config = uvicorn.Config(
            app,
            ws=_Protocol,
            http=_Requests,
            loop="asyncio",
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            timeout_graceful_shutdown=STOP_S,
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="error",  # warnings are of what clients send: whoever wants can send many
        )
        logging.getLogger("uvicorn.error").addFilter(_is_fault)
        self._server = uvicorn.Server(config)
        self._over = Event()
        self.error: BaseException | None = None
        self._thread = Thread(target=self._run, name="liqcore-server", daemon=True)

    @property
    def url(self) -> str:
        """Address of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it answers; not once it has stopped, or failed: then ``error`` says why."""
        return self._server.started and not self._over.is_set()

    def start(self) -> None:
        """Return once it answers; raises what keeps it from that."""
        self._thread.start()
        while not self._server.started and not self._over.wait(0.01):
            pass
        if self._over.is_set():
            self._thread.join()
            raise RuntimeError("the server does not start") from self.error

    def stop(self) -> None:
        """Answer no more: requests are finished, websockets are closed (1012); returns once all is over."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        except BaseException as error:  # told by start(), and to whoever asks
            self.error = error
        finally:
            self._socket.close()
            self._over.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(app: ASGIApp, host: str, port: int) -> Server:
    """
    Serve an application in a thread of its own; `Server.stop`, or the end of a ``with``, ends it.

    Parameters
    ----------
    app : ASGI application
    host : str
        Address of this machine.
    port : int
        0: one that is free.

    Raises
    ------
    InvalidConfigError
        If it cannot listen there.
    """
    server = Server(app, _listening(host, port))
    server.start()
    return server


def _listening(host: str, port: int) -> socket.socket:
    """Open the socket here, so that what is wrong with it is said before anything has begun."""
    try:
        found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidConfigError(
            f'server.host must be an address of this machine, was "{host}": {error.strerror}'
        ) from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, WAITING_BYTES)
        opened.bind(address)
        opened.listen(128)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            why = f"server.port must be free, {port} of {host} is in use: choose another with --port, or 0"
        elif error.errno == errno.EACCES:
            why = f"server.port must be one that may be listened on, {port} may not: choose one above 1023 with --port"
        else:
            why = f'server.host must be an address of this machine, was "{host}": {error.strerror} (--host)'
        raise InvalidConfigError(why) from None
    return opened
