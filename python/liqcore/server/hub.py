"""Streams and their clients: a frame is made once for all who look at the same; whoever is slow delays nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeAlias, TypeVar

from msgspec.structs import asdict

from ..config.machine_sections import ServerConfig
from ..errors import InvalidConfigError
from ..live.following import Following
from ..words.times import to_ns
from .refused import RefusedError
from .selection import Selection, boards_of, time
from .still import Form, Stills
from .wire import encode

VIEWS = 64
"""Streams at once."""
SELECTIONS = 4
"""Streams of one client at once."""
ANSWERS = 32
"""Answers to a client's own messages that may wait until it takes them."""
_POLL = 5_000_000  # ns between two looks at whether something was published
_ANSWERED = 30_000_000  # ns for which what was asked for is waited for, where something else is new
Send: TypeAlias = Callable[[bytes], Awaitable[None]]
T = TypeVar("T")
logger = logging.getLogger(__name__)


class View:
    """
    One selection that clients look at, and its latest still.

    Attributes
    ----------
    key : (Selection, str)
        What tells it from others.
    number : int
        Which stream.
    clients : set of Client
    still : Still
        What it shows now.
    """

    def __init__(self, hub: Hub, key: tuple[Selection, Form], number: int) -> None:
        self.key, self.number = key, number
        self.clients: set[Client] = set()
        self._hub = hub
        selection, form = key
        self._stills = Stills(
            selection,
            form,
            boards=boards_of(hub.following, selection.model),
            news=hub.following.news,
            limits=hub.limits,
            view=number,
            player=hub.following.player,
        )
        self.still = self._stills.still
        self._frames: dict[int | None, asyncio.Future[bytes]] = {}
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """Look for what is new, so many times a second, and wake the clients."""
        clock, period = self._hub.following.clock, round(1e9 / self._hub.limits.updates)
        due = clock.elapsed()
        try:
            while True:
                if await self._hub.work(self._stills.look):
                    self.still, self._frames = self._stills.still, {}
                    for client in self.clients:
                        client.wake.set()
                due = max(due + period, clock.elapsed())
                await clock.sleep(due - clock.elapsed())
                self._stills.ask()
                while (waited := clock.elapsed() - due) < period:
                    if self._stills.is_new and (self._stills.is_answered or waited >= _ANSWERED):
                        break
                    await clock.sleep(_POLL)
        except RefusedError as error:
            self._end(error)
        except Exception:
            logger.exception("a stream ends")
            self._end(RefusedError(500, "the server made an error, which its log tells of"))

    def _end(self, error: RefusedError) -> None:
        for client in list(self.clients):
            client.end(self, error)

    async def frame(self, number: int | None) -> tuple[int, bytes]:
        """Return what a client lacks that stands at a number, and where it stands then."""
        still = self.still
        after = still.after(number)
        made = self._frames.get(after)
        if made is None:
            made = self._frames[after] = self._hub.work(lambda: still.frame(after))
        return still.number, await asyncio.shield(made)


class Client:
    """
    One connection: what it looks at, and how far it has been told.

    Nothing is kept for it but numbers: it is handed the next frame once it has taken the one before, and that frame
    tells all that has changed meanwhile.

    Parameters
    ----------
    hub : Hub
    send : callable
        Awaited until there is room for more.
    """

    __slots__ = ("_due", "_hub", "_send", "told", "wake")

    def __init__(self, hub: Hub, send: Send) -> None:
        self._hub, self._send = hub, send
        self.told: dict[View, int | None] = {}
        self.wake = asyncio.Event()
        self._due: list[bytes] = []

    async def run(self) -> None:
        """Hand on what is new, as fast as it is taken."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            due, self._due = self._due, []
            for message in due:
                await self._send(message)
            for view, number in list(self.told.items()):
                if view in self.told and view.still.number != (number or 0):
                    await self._tell(view, number)

    async def _tell(self, view: View, number: int | None) -> None:
        """Hand on what a stream shows that is new to a client that stands at a number."""
        try:
            stands, frame = await view.frame(number)
        except Exception:
            logger.exception("a frame cannot be made")
            self.end(view, RefusedError(500, "the server made an error, which its log tells of"))
            return
        if self.told.get(view, -1) != number:  # it has left meanwhile, or wants everything
            self.wake.set()
            return
        await self._send(frame)
        if self.told.get(view, -1) == number:
            self.told[view] = stands

    def subscribe(self, selection: Selection, form: Form, id: str) -> None:
        """Look at a selection from now on; raises RefusedError."""
        if len(self.told) >= SELECTIONS:
            raise RefusedError(429, f"a client must look at {SELECTIONS} selections at most: unsubscribe from one")
        view = self._hub.view(selection, form)
        view.clients.add(self)
        self.told[view] = None
        self.answer("subscribed", id=id, view=view.number)

    def unsubscribe(self, number: int) -> None:
        """Look at a stream no more; raises RefusedError."""
        view = self._named(number)
        self._leave(view)
        self.answer("unsubscribed", view=number)

    def resync(self, number: int) -> None:
        """Hand on everything of a stream once more; raises RefusedError."""
        self.told[self._named(number)] = None
        self.wake.set()

    def replay(self, speed: float | None, paused: bool | None, at: str | None) -> None:
        """Play the recording otherwise, for all clients; raises RefusedError."""
        following = self._hub.following
        if following.player is None:
            raise RefusedError(409, f"a replay alone can be played otherwise, and this is: {following.source}")
        try:
            to = None if at is None else to_ns(time(at), name="at")
            told = following.player.change(following.clock.elapsed(), speed=speed, paused=paused, at=to)
        except InvalidConfigError as error:
            raise RefusedError.of(error) from None
        self.answer("replay", **asdict(told))

    def refuse(self, error: RefusedError, **about: object) -> None:
        """Tell why something cannot be."""
        self.answer(
            "error", status=error.status, error=error.error, argument=error.argument, rule=error.rule,
            value=error.value, **about,
        )  # fmt: skip

    def end(self, view: View, error: RefusedError) -> None:
        """Tell that a stream has ended, and why."""
        if view not in self.told:
            return
        self._leave(view)
        self.refuse(error, view=view.number)

    @property
    def is_deaf(self) -> bool:
        """Whether it asks and asks, and does not take the answers."""
        return len(self._due) > ANSWERS

    def answer(self, kind: str, **said: object) -> None:
        """Tell it something of its own."""
        self._due.append(encode({"kind": kind, **said}))
        self.wake.set()

    def leave(self) -> None:
        """Look at nothing any more."""
        for view in list(self.told):
            self._leave(view)

    def _named(self, number: int) -> View:
        for view in self.told:
            if view.number == number:
                return view
        raise RefusedError.broken("view", "must be one that was subscribed to", number, 404)

    def _leave(self, view: View) -> None:
        del self.told[view]
        view.clients.discard(self)
        if not view.clients:
            self._hub.drop(view)


class Hub:
    """
    All streams of a server. Its methods belong to the thread of the server's loop.

    Parameters
    ----------
    following : Following
    limits : ServerConfig
    """

    def __init__(self, following: Following, limits: ServerConfig) -> None:
        self.following, self.limits = following, limits
        self.clients: set[Client] = set()
        self.views: dict[tuple[Selection, Form], View] = {}
        self._numbers = count(1)
        self._worker: ThreadPoolExecutor | None = None

    def view(self, selection: Selection, form: Form) -> View:
        """Return the stream of a selection; raises RefusedError."""
        key = selection, form
        if (view := self.views.get(key)) is None:
            if len(self.views) >= VIEWS:
                raise RefusedError(503, f"there must be {VIEWS} different selections at most: try again later")
            view = self.views[key] = View(self, key, next(self._numbers))
        return view

    def drop(self, view: View) -> None:
        """End a stream that nobody looks at."""
        self.views.pop(view.key, None)
        view.task.cancel()
        if not self.views and self._worker is not None:
            self._worker.shutdown(wait=False)
            self._worker = None

    def work(self, what: Callable[[], T]) -> asyncio.Future[T]:
        """Do what takes long where it keeps nobody waiting: on one thread, as feeds need the other cores."""
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "liqcore-frames")
        return asyncio.get_running_loop().run_in_executor(self._worker, what)
