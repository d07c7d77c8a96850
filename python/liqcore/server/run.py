"""The server on a thread of its own, with a loop of its own: what follows markets is never kept waiting by it."""

import errno
import socket
import threading
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from ..errors import InvalidConfigError

_STARTED_WITHIN, _STOPPED_WITHIN = 10.0, 5.0  # seconds


class ServerThread:
    """
    Serves an application until the block ends.

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
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        self._socket = _listening(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._socket.getsockname()[1]}/"
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws_per_message_deflate=False,  # 70 KiB and CPU for each client: what is sent is packed once, for all
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="liqcore-server")

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End it, with every connection."""
        self._server.should_exit = True
        self._thread.join(_STOPPED_WITHIN)
        self._server.force_exit = True
        self._thread.join()
        self._socket.close()


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
