"""The application that a server runs: routes, what guards them, what is said where something fails."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as At

from ..config.config import Config
from ..errors import InvalidConfigError
from ..live.disk import Disk
from ..live.following import Following
from ..live.outside import Files
from .guard import Guard, body_of, is_loopback
from .metrics import Counted, Metrics
from .once import Once
from .openapi import document
from .refused import RefusedError
from .routes import Api


def disk_free(folder: Path) -> int:
    """Return how many bytes the disk of a folder has left."""
    return shutil.disk_usage(folder).free


def app(
    following: Following,
    config: Config,
    *,
    token: str | None = None,
    files: Files | None = None,
    free: Callable[[Path], int] = disk_free,
    further: Sequence[BaseRoute] = (),
) -> Starlette:
    """
    Make the application, for any ASGI server; it keeps neither what is followed nor one another waiting.

    Parameters
    ----------
    following : Following
        What is followed, read on the server's thread and its workers.
    config : Config
        Of it the section ``server``.
    token : str, optional
        What clients must show. It must be given where ``server.host`` is no loopback address.
    files : Files, optional
        Where the journals are read from; by default the disk.
    free : callable, optional
        Tells how many bytes the disk of a folder has left.
    further : sequence of routes
        Guarded and counted as the API's own: websockets, pages.

    Raises
    ------
    InvalidConfigError
        If the token is missing where one is needed, or empty.
    """
    host = config.server.host
    if token is None and not is_loopback(host):
        raise InvalidConfigError(f"token must be given where server.host is no loopback address, was None for {host}")
    if token is not None and not token.strip():
        raise InvalidConfigError("token must not be empty")
    once = Once()
    metrics = Metrics(following, free, once)
    api = Api(following, config, files=files or Disk(), free=free, metrics=metrics, once=once)
    api.document = document(api.routes, token=token is not None)
    paths = [route.path for route in api.routes]
    return Starlette(
        routes=[*(At(route.path, route.endpoint) for route in api.routes), *further],
        middleware=[
            Middleware(Counted, metrics=metrics, routes=paths),
            Middleware(
                Guard,
                config=config.server,
                token=token,
                clock=following.clock,
                refused=lambda why: metrics.refused.labels(why).inc(),
            ),
        ],
        exception_handlers={
            RefusedError: _refused,
            InvalidConfigError: _broken,
            HTTPException: _other,
            Exception: _failed,
        },
    )


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    del request
    headers = {"retry-after": str(error.after_s)} if error.after_s else None
    return Response(body_of(error), error.status, headers, "application/json")


def _broken(request: Request, error: Exception) -> Response:
    """Answer a rule of the library that shows only when the answer is made."""
    assert isinstance(error, InvalidConfigError)
    return _refused(request, RefusedError.of(error))


def _other(request: Request, error: Exception) -> Response:
    """Answer what the router refuses: there is nothing of that path."""
    assert isinstance(error, HTTPException)
    rule = "must be one that /openapi.json lists"
    return _refused(request, RefusedError.broken("path", rule, request.url.path, error.status_code))


def _failed(request: Request, error: Exception) -> Response:
    """Say no more than that: what happened stands in the server's log."""
    del error
    return _refused(request, RefusedError(500, "the server failed to answer: this is a fault of it, see its log"))
