"""How a recording is played: how fast, whether it stands still, from where on; changed on any thread."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import chain
from typing import Protocol, TypeAlias

from msgspec import Struct

from ..errors import InvalidConfigError
from ..feeds.events import Frame, Market
from ..words.times import iso, iso_exact
from .outside import Clock
from .replay import check_speed

_LOOK = 20_000_000  # ns after which whoever waits looks whether something else is wanted
_TOGETHER = 256  # frames after which others have their turn


Put: TypeAlias = Callable[[Frame], Awaitable[None]]


class Stage(Protocol):
    """Where a market's recording is played: what stands behind it can be had anew, as of an earlier time."""

    def allow(self, ts: int) -> None:
        """Let what was received by a time pass."""

    async def rebuild(self, ts: int) -> None:
        """Show the market as it was once all that was received by a time had come, and nothing else."""


class Played(Struct, frozen=True):
    """
    What is known of how a recording is played.

    Attributes
    ----------
    begin, end : int
        When its first and its last message were received, ns.
    speed : float
        How much faster than it came; 0: as fast as it is taken.
    paused : bool
    moving : bool
        Whether it is on the way to a time that was asked for.
    moves : int
        How many times it was moved.
    moved_to : int
        The time that was asked for last, ns; 0: none was.
    """

    begin: int
    end: int
    speed: float
    paused: bool = False
    moving: bool = False
    moves: int = 0
    moved_to: int = 0


class Lane:
    """
    One market's recording: its frames from the first on, of which some are in the journal already.

    Parameters
    ----------
    frames : callable
        Returns all of them.

    Attributes
    ----------
    at, recorded : int
        How many have been passed, and how many are in the journal.
    received : int
        When the last one came that was handed on, ns.
    has_ended : bool
    """

    def __init__(self, frames: Callable[[], Iterator[Frame]]) -> None:
        self._frames, self._rest = frames, frames()
        self.at = self.recorded = self.received = 0
        self.has_ended = False

    def __iter__(self) -> Iterator[Frame]:
        """Yield what comes next; `push` gives back one that was not needed."""
        for frame in self._rest:
            self.at += 1
            yield frame

    def push(self, frame: Frame) -> None:
        """Have a frame come next."""
        self.at -= 1
        self._rest = chain([frame], self._rest)

    def again(self) -> None:
        """Begin with the first one."""
        self._rest, self.at, self.received, self.has_ended = self._frames(), 0, 0, False


class Player:
    """
    Plays a recording, on the thread of its service; `change` may be called on any.

    Moved to a later time, it plays what lies between as fast as that is taken. Moved to an earlier one, engines are
    made anew and take the recording from its beginning: they stand where they stood then, to the bit.

    Parameters
    ----------
    begin, end : int
        Times of the first and the last frame, ns.
    speed : float
    """

    def __init__(self, begin: int, end: int, speed: float) -> None:
        check_speed(speed)
        self._lock = threading.Lock()
        self._first = Played(begin, max(begin, end), speed)
        self.begin_anew({})

    def begin_anew(self, stages: Mapping[Market, Stage]) -> None:
        """Play it as at first, on the stages of another service; one service at a time plays it."""
        self._told = self._first
        self._anchor = self._first.begin, 0  # which time it was, and when
        self._moving: set[Market] = set()
        self.stages = dict(stages)
        self.lanes: dict[Market, Lane] = {}
        self._has_begun = False

    @property
    def told(self) -> Played:
        """How it is played now."""
        return self._told

    def change(
        self, elapsed: int, *, speed: float | None = None, paused: bool | None = None, at: int | None = None
    ) -> Played:
        """
        Play it otherwise from now on, and return how.

        Parameters
        ----------
        elapsed : int
            What the clock shows.
        speed : float, optional
        paused : bool, optional
        at : int, optional
            The time to go to, ns: what was received by then has come, and nothing else.

        Raises
        ------
        InvalidConfigError
            If the speed or the time is out of range, or it has not begun, or is still on the way to another time.
        """
        if speed is not None:
            check_speed(speed)
        with self._lock:
            told = self._told
            if at is not None and not self._has_begun:
                raise InvalidConfigError("at must wait until the replay has begun")
            if at is not None and told.moving:
                raise InvalidConfigError(f"at must wait until the replay has come to {iso(told.moved_to)}")
            if at is not None and not told.begin <= at <= told.end:
                begin, end, asked = map(iso_exact, (told.begin, told.end, at))
                raise InvalidConfigError(f"at must be from {begin} to {end}, was {asked}")
            self._anchor = self._now(elapsed), elapsed
            if at is not None:
                self._anchor, self._moving = (at, elapsed), set(self.lanes)
            self._told = Played(
                told.begin,
                told.end,
                told.speed if speed is None else speed,
                told.paused if paused is None else paused,
                bool(self._moving),
                told.moves + (at is not None),
                told.moved_to if at is None else at,
            )
            return self._told

    def _now(self, elapsed: int) -> int:
        """Which time of the recording it is; where it plays as fast as it can, that of its latest frame."""
        at, since = self._anchor
        told = self._told
        if told.speed == 0 and not told.moving:
            return max([at, *(lane.received for lane in list(self.lanes.values()))])
        return at if told.paused or told.moving else at + round((elapsed - since) * told.speed)

    def begin(self, at: int, elapsed: int) -> None:
        """Play from a time on, now that all lanes are there."""
        with self._lock:
            self._anchor, self._has_begun = (at, elapsed), True

    def _early(self, received: int, elapsed: int) -> int:
        """How long a frame must wait, ns."""
        with self._lock:
            told = self._told
            if told.paused or told.moving:
                return _LOOK
            at, since = self._anchor
            return 0 if told.speed == 0 else round((received - at) / told.speed) - (elapsed - since)

    async def run(self, puts: Mapping[Market, Put], clock: Clock) -> None:
        """Hand on the frames of all markets, as it is asked for, until there are no more."""
        moves = -1
        while moves != self._told.moves:
            moves = self._told.moves
            async with asyncio.TaskGroup() as group:  # whoever has ended is moved together with the others
                for market, put in puts.items():
                    group.create_task(self._play(market, put, clock, moves))

    async def _play(self, market: Market, put: Put, clock: Clock, moves: int) -> None:
        """Go to where it is wanted, and play on until it is wanted elsewhere."""
        lane = self.lanes[market]
        if market in self._moving:
            await self._move(market, lane, self._told.moved_to, put, clock)
            self._arrive(market, clock)
        for count, frame in enumerate(lane):
            while (early := self._early(frame.received, clock.elapsed())) > 0 and moves == self._told.moves:
                await clock.sleep(min(early, _LOOK))
            if moves != self._told.moves:
                lane.push(frame)
                return
            if count % _TOGETHER == 0:
                await clock.sleep(0)
            await self._hand_on(market, lane, frame, put)
        lane.has_ended = True

    async def _hand_on(self, market: Market, lane: Lane, frame: Frame, put: Put) -> None:
        if lane.at > lane.recorded:
            await put(frame)
            lane.recorded = lane.at
        lane.received = frame.received
        if (stage := self.stages.get(market)) is not None:
            stage.allow(frame.received)

    async def _move(self, market: Market, lane: Lane, to: int, put: Put, clock: Clock) -> None:
        stage = self.stages.get(market)
        if to < lane.received or lane.has_ended:
            lane.again()
            if stage is not None:
                await stage.rebuild(to)
        for count, frame in enumerate(lane):
            if frame.received > to:
                lane.push(frame)
                return
            if count % _TOGETHER == 0:
                await clock.sleep(0)
            await self._hand_on(market, lane, frame, put)

    def _arrive(self, market: Market, clock: Clock) -> None:
        """A market has come to the time; once all have, it is played on."""
        with self._lock:
            self._moving.discard(market)
            if not self._moving:
                told = self._told
                self._anchor = told.moved_to, clock.elapsed()
                self._told = Played(told.begin, told.end, told.speed, told.paused, False, told.moves, told.moved_to)

    async def moved(self, clock: Clock) -> None:
        """Return once it is wanted elsewhere."""
        while not self._moving:
            await clock.sleep(_LOOK)
