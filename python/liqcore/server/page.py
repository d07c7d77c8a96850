"""The page that a browser shows of what is followed: one file, which asks for the rest by the API and the websocket."""

import re
from html import unescape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from ..config.config import Config
from ..errors import LiqcoreError
from ..render.html import page_of

_POLICY = re.compile(r'http-equiv="Content-Security-Policy" content="([^"]+)"')


def page(config: Config | None = None) -> Route:
    """
    Return the route of the page, ``/``, for ``app(..., further=[...])``; it answers 503 where it was not built.

    Parameters
    ----------
    config : Config, optional
        Of it ``server.embedded_by``, the origins that may show the page in a frame; without one none may.
    """
    try:
        text = page_of({"TITLE": "liqcore", "CONNECT": "'self'", "DATA": ""})
    except LiqcoreError as error:
        said = f"{error}\n\nThe API is at /openapi.json all the same.\n"

        async def missing(request: Request) -> Response:
            del request
            return PlainTextResponse(said, 503)

        return Route("/", missing)
    found = _POLICY.search(text)
    assert found is not None, "the page has a policy of its own"
    embedded_by = None if config is None else config.server.embedded_by
    ancestors = embedded_by.replace(",", " ") if embedded_by else "'none'"
    headers = {"content-security-policy": f"{unescape(found[1])}; frame-ancestors {ancestors}"}
    if not embedded_by:
        headers["x-frame-options"] = "DENY"

    async def answer(request: Request) -> Response:
        del request
        return HTMLResponse(text, headers=headers)

    return Route("/", answer)
