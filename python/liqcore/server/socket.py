"""The websocket: a connection's messages, checked and bounded, and what closes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..config.config import Config
from ..live.following import Following
from .hub import Client, Hub
from .refused import RefusedError
from .selection import Selection, Time
from .still import Form

MESSAGE_BYTES = 4096
"""Of one message of a client."""
MESSAGES = 10
"""Messages of a client a second, over some seconds; its first may come twice as fast."""
CLOSED = {
    1003: "a binary message: messages are text, in JSON",
    1008: "too many messages, or answers that are not taken",
    1009: f"a message of more than {MESSAGE_BYTES} bytes",
    1012: "the server stops",
    1013: "too many clients: try again later",
}
"""Why the server closes a connection, by code; others are those of RFC 6455."""
MOST_SPEED = 100_000.0
"""How much faster than it came a recording may be asked to be played."""
_SECOND = 1_000_000_000
_View: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 53)]


class Subscribe(Struct, tag_field="op", tag="subscribe", forbid_unknown_fields=True):
    """Look at a selection; ``id`` comes back in the answer, ``cells`` says in which form cells are sent."""

    selection: dict[str, Any]
    cells: Form = "uint16"
    id: Annotated[str, Meta(max_length=64)] = ""


class Unsubscribe(Struct, tag_field="op", tag="unsubscribe", forbid_unknown_fields=True):
    """Look at a stream no more."""

    view: _View


class Resync(Struct, tag_field="op", tag="resync", forbid_unknown_fields=True):
    """Send all of a stream once more."""

    view: _View


class Replay(Struct, tag_field="op", tag="replay", forbid_unknown_fields=True):
    """Play the recording otherwise, for all who look: how fast (0: as fast as can be), whether at all, from where."""

    speed: Annotated[float, Meta(ge=0, le=MOST_SPEED)] | None = None
    paused: bool | None = None
    at: Time | None = None


_DECODER: msgspec.json.Decoder[Subscribe | Unsubscribe | Resync | Replay]
_DECODER = msgspec.json.Decoder(Subscribe | Unsubscribe | Resync | Replay)


class _Rate:
    """How many messages may come."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: int) -> None:
        self._at, self._left = now, 2.0 * MESSAGES

    def allows(self, now: int) -> bool:
        self._left = min(self._left + (now - self._at) / _SECOND * MESSAGES, 2.0 * MESSAGES)
        self._at = now
        self._left -= 1
        return self._left >= 0


def handle(client: Client, text: str) -> None:
    """Do what a client's message asks for, or tell it why not."""
    about: dict[str, object] = {}
    try:
        if len(text.encode()) > MESSAGE_BYTES:
            raise RefusedError.broken("message", f"must be of at most {MESSAGE_BYTES} bytes", f"{len(text)} characters")
        try:
            message = _DECODER.decode(text)
        except msgspec.DecodeError as error:
            raise RefusedError(400, f"the message cannot be read: {error}") from None
        if isinstance(message, Subscribe):
            about["id"] = message.id
            client.subscribe(Selection.told(message.selection), message.cells, message.id)
        elif isinstance(message, Unsubscribe):
            client.unsubscribe(message.view)
        elif isinstance(message, Replay):
            client.replay(message.speed, message.paused, message.at)
        else:
            client.resync(message.view)
    except RefusedError as error:
        client.refuse(error, **about)


def stream(following: Following, config: Config) -> WebSocketRoute:
    """
    Return the route of the websocket, ``/stream``, for ``app(following, config, further=[...])``.

    Parameters
    ----------
    following : Following
    config : Config
        Of it the section ``server``.
    """
    return WebSocketRoute("/stream", endpoint(Hub(following, config.server)))


def endpoint(hub: Hub) -> Callable[[WebSocket], Any]:
    """Return what a route of Starlette calls for each connection."""

    async def connected(websocket: WebSocket) -> None:
        await websocket.accept()
        if len(hub.clients) >= hub.limits.clients:
            await websocket.close(1013, CLOSED[1013])
            return
        client = Client(hub, websocket.send_bytes)
        hub.clients.add(client)
        sender = asyncio.create_task(client.run())
        try:
            await _listen(websocket, client, hub)
        finally:
            hub.clients.discard(client)
            client.leave()
            sender.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):  # it has been closed
                await sender

    return connected


async def _listen(websocket: WebSocket, client: Client, hub: Hub) -> None:
    """Take a client's messages until it leaves, or must."""
    clock = hub.following.clock
    rate = _Rate(clock.elapsed())
    while (message := await websocket.receive())["type"] == "websocket.receive":
        code = 0
        if message.get("text") is None:
            code = 1003
        elif client.is_deaf or not rate.allows(clock.elapsed()):
            code = 1008
        if code:
            with suppress(WebSocketDisconnect):
                await websocket.close(code, CLOSED[code])
            return
        handle(client, message["text"])
