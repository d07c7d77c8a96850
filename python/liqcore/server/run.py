"""The server on a thread of its own, with a loop of its own: what follows markets is never kept waiting by it."""

import asyncio
import errno
import socket
import threading
from typing import Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ..errors import InvalidConfigError
from .socket import MESSAGE_BYTES

PING_S = 20.0
"""How often a websocket is pinged, and how long it may take to answer."""
PATIENCE_S = 60.0
"""How long a websocket's client may take nothing of what waits for it."""
WAITING_BYTES = 32_768
"""What may wait in this process for a websocket's client to take it, and as much again in the system's buffer: whoever
takes nothing does not find minutes of old frames when it goes on."""
_STOPPED_WITHIN = 5.0  # seconds


class _Websocket(WebSocketsSansIOProtocol):
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


class ServerThread:
    """
    Serves an application until the block ends: then requests are finished, and websockets are closed (1012).

    Parameters
    ----------
    app : ASGI application
    host : str
    port : int
        0: one that is free.

    Attributes
    ----------
    url : str
        Where it is.

    Raises
    ------
    InvalidConfigError
        If the address cannot be listened on.

    Examples
    --------
    >>> from liqcore.server.run import ServerThread
    >>> from starlette.applications import Starlette
    >>> with ServerThread(Starlette(), host="127.0.0.1", port=0) as server:
    ...     server.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        self._socket = _listening(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._socket.getsockname()[1]}/"
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws=_Websocket,
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,  # 70 KiB and CPU for each client: what is sent is packed once, for all
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="liqcore-server")

    def _run(self) -> None:
        try:
            self._server.run([self._socket])
        except SystemExit:  # it has logged why it does not start
            pass
        finally:
            self._socket.close()

    def __enter__(self) -> Self:
        """Begin to serve; returns once it answers, raises RuntimeError where the application does not start."""
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.01)
            if not self._thread.is_alive():
                raise RuntimeError("the server does not start: its log says why")
        return self

    def __exit__(self, *error: object) -> None:
        """End it, with every connection."""
        self.stop()

    def stop(self) -> None:
        """End it before the block does."""
        self._server.should_exit = True
        self._thread.join(_STOPPED_WITHIN)
        self._server.force_exit = True
        self._thread.join()


def _listening(host: str, port: int) -> socket.socket:
    """Open the socket here, so that what is wrong with it is said before anything has begun."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InvalidConfigError(
            f'server.host must be an address of this machine, was "{host}": {error.strerror}'
        ) from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # what is accepted has it, too
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
