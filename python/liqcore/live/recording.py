"""Recording: feeds, or recordings played as if live, into journals, until somebody ends it."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..config.config import Config
from ..errors import DataError, InvalidConfigError
from ..feeds.events import KINDS, Change, Frame, Kind, Market, State, Told
from ..feeds.frames import DRIVER, told_by
from ..feeds.readers import reader
from ..market.catalogue import find_venues, unknown_symbol
from ..words.times import parse_duration
from .disk import Disk
from .feed import Feed
from .journal import Journal
from .machine import SystemClock
from .order import Order
from .outside import Clock, Files, Network
from .pipeline import Recorder
from .replay import Recording, play
from .seen import Seen
from .stream import Driver

SECOND = 1_000_000_000


@dataclass(slots=True)
class Status:
    """
    How the recording of a market goes.

    Attributes
    ----------
    market : Market
    frames, size : int
        How many have come, and their bytes.
    rate : float
        Frames a second, over the last second.
    lag : int or None
        By how much the last event was older than its receipt, ns; None: no event has come yet.
    states : dict
        Of the streams, by kind.
    holes : int
        How many could not be filled.
    error : str
        Why nothing can be written at present.
    trouble : str
        What has gone wrong most often with its connections.
    """

    market: Market
    frames: int = 0
    size: int = 0
    rate: float = 0.0
    lag: int | None = None
    states: dict[Kind, State] = field(default_factory=dict)
    holes: int = 0
    error: str = ""
    trouble: str = ""
    _last: Frame | None = None
    _before: int = 0

    def see(self, frame: Frame) -> None:
        """Take a frame."""
        self.frames += 1
        self.size += len(frame.body)
        if frame.source == DRIVER:
            for told in told_by(frame):
                if isinstance(told, Change):
                    self.states[told.kind] = told.state
                    self.holes += told.state == "gap open"
        else:
            self._last = frame

    def tick(self, seconds: float) -> None:
        """Bring rate and lag up to date."""
        self.rate, self._before = (self.frames - self._before) / seconds, self.frames
        if self._last is not None:
            times = [ts for told in told_by(self._last) if (ts := getattr(told, "ts", None)) is not None]
            if times:
                self.lag = self._last.received - max(times)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was recorded, and what is to be known of it."""

    statuses: list[Status]
    files: list[Path]
    seconds: float
    notes: list[str]


class Source(Protocol):
    """What is recorded."""

    @property
    def markets(self) -> Sequence[Market]:
        """Of which a journal is kept."""

    async def run(self, journals: dict[Market, Journal], sink: Callable[[Market], "Put"], clock: Clock) -> None:
        """Hand on frames until there are no more."""

    def trouble(self, market: Market) -> str:
        """Say what has gone wrong most often with the connections of a market; empty: nothing."""


class Put(Protocol):
    """Takes a frame of a market."""

    async def __call__(self, frame: Frame) -> None:
        """Take it; it is in the journal's hands then."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A recording, played as if it came in now."""

    recording: Recording
    speed: float = 1.0

    @property
    def markets(self) -> Sequence[Market]:
        """Those in it."""
        return self.recording.markets

    async def run(self, journals: dict[Market, Journal], sink: Callable[[Market], Put], clock: Clock) -> None:
        """Play it."""
        for market, journal in journals.items():
            if journal.written:
                raise DataError(
                    f"expected no journal of {market} in {journal.folder}, found one: a replay goes into a new folder"
                )
        played = self.recording
        async with asyncio.TaskGroup() as group:
            for market in self.markets:
                frames, put = played.frames(market), sink(market)
                group.create_task(play(frames, put, clock=clock, speed=self.speed, begin=played.begin))

    def trouble(self, market: Market) -> str:
        """Nothing does."""
        del market
        return ""


@dataclass(frozen=True, slots=True)
class Live:
    """
    Feeds of markets.

    Parameters
    ----------
    markets : sequence of Market
    network : Network
    """

    markets: Sequence[Market]
    network: Network
    _drivers: dict[str, Driver] = field(default_factory=dict, init=False)

    async def run(self, journals: dict[Market, Journal], sink: Callable[[Market], Put], clock: Clock) -> None:
        """Hand on what comes, for ever; what came since a journal's last frame is asked for."""
        async with asyncio.TaskGroup() as group:
            for venue in dict.fromkeys(
                market.venue for market in self.markets
            ):  # a driver each: limits are the venue's
                seen, puts = {}, {}
                for market in self.markets:
                    if market.venue == venue:
                        seen[market], puts[market] = _seen(journals[market], market), sink(market)
                group.create_task(self._feed(venue, seen, puts, clock))

    async def _feed(self, venue: str, seen: dict[Market, Seen], puts: dict[Market, Put], clock: Clock) -> None:
        async def take(frame: Frame, told: list[Told]) -> None:
            named = {market for one in told if (market := getattr(one, "market", None)) is not None}
            for market, put in puts.items():
                if not named or market in named:  # what names none is of the connection: every journal's
                    await put(frame)

        self._drivers[venue] = driver = Driver(Feed(venue), list(puts), KINDS, self.network, clock, take, seen=seen)
        await driver.run()

    def trouble(self, market: Market) -> str:
        """Say why connections of a market were lost, or never made."""
        driver = self._drivers.get(market.venue)
        lost = {} if driver is None else {why: n for why, n in driver.counts.items() if why.startswith("disconnected")}
        if not lost:
            return ""
        why = max(lost, key=lambda why: lost[why])
        return f"{why} ({sum(lost.values()):,} {'time' if sum(lost.values()) == 1 else 'times'})"


def _seen(journal: Journal, market: Market) -> Seen:
    """Which trades a journal has, by its last frames."""
    order = Order()
    number = max(0, journal.written - _LOOKED_BACK)
    while number < journal.written:
        number, frames = journal.read(number)
        for frame in frames:
            order.read(frame)
    return order.line(market).seen


_LOOKED_BACK = 50_000  # frames of a journal that is continued, from which is known what came last


def markets_of(text: str) -> list[Market]:
    """
    Return the markets that a list such as ``"binance-usdm:BTCUSDT,okx:BTC-USDT-SWAP"`` names.

    Raises
    ------
    InvalidConfigError
        If a venue has no feed or is not known, or a market is named twice.

    Examples
    --------
    >>> from liqcore.live.recording import markets_of
    >>> [str(market) for market in markets_of("binance-usdm:btcusdt, bybit:BTCUSD")]
    ['binance-usdm:BTCUSDT', 'bybit-inverse:BTCUSD']
    """
    found: list[Market] = []
    for name in text.split(","):
        venue_name, _, symbol = name.strip().partition(":")
        if not symbol:
            raise InvalidConfigError(
                f'a market must be venue:symbol, such as binance-usdm:BTCUSDT, was "{name.strip()}"'
            )
        among = find_venues(venue_name)
        listing = next((listed for venue in among if (listed := venue.listed(symbol)) is not None), None)
        if listing is None and len(among) > 1:
            raise InvalidConfigError(unknown_symbol(among, symbol))
        market = Market(among[0].name, symbol) if listing is None else Market(listing.venue, listing.symbol)
        reader(market.venue)  # which refuses a venue without a feed
        if market in found:
            raise InvalidConfigError(f"a market must be named once, {market} was twice")
        found.append(market)
    return found


def record(
    source: Source,
    folder: Path,
    *,
    config: Config,
    tell: Callable[[Sequence[Status]], object] = lambda _: None,
    files: Files | None = None,
    clock: Clock | None = None,
) -> Summary:
    """
    Record until the source has no more, or an interrupt or TERM comes: then all is written and the files are whole.

    Parameters
    ----------
    source : Source
    folder : Path
    config : Config
        Its section ``journal``.
    tell : callable
        Called every second.
    files, clock : optional
        By default those of this machine.

    Raises
    ------
    KeyboardInterrupt
        At the second interrupt, at once.
    InvalidConfigError, DataError, OSError
        As `Journal` and the source do.
    """
    return asyncio.run(_record(source, folder, config, tell, files or Disk(), clock or SystemClock()))


async def _record(
    source: Source,
    folder: Path,
    config: Config,
    tell: Callable[[Sequence[Status]], object],
    files: Files,
    clock: Clock,
) -> Summary:
    length = parse_duration(config.journal.segment, name="journal.segment")
    begun = clock.elapsed()
    with ExitStack() as held, _stopped() as stop:
        journals = {
            market: held.enter_context(Journal(folder, market, files=files, segment_ns=length))
            for market in source.markets
        }
        before = set(files.names(folder))
        notes = [str(lost) for journal in journals.values() for lost in journal.lost]
        recorders = {market: Recorder(journal, clock=clock, config=config) for market, journal in journals.items()}
        statuses = {market: Status(market) for market in journals}

        def sink(market: Market) -> Put:
            status, recorder = statuses[market], recorders[market]

            async def put(frame: Frame) -> None:
                status.see(frame)
                await recorder.put(frame)

            return put

        async def look() -> None:
            while True:
                at = clock.elapsed()
                await clock.sleep(SECOND)
                for market, status in statuses.items():
                    status.tick(max(clock.elapsed() - at, 1) / SECOND)
                    status.error, status.trouble = recorders[market].error, source.trouble(market)
                tell(list(statuses.values()))

        feeding = asyncio.create_task(source.run(journals, sink, clock))
        stopping = asyncio.create_task(stop.wait())
        helping = [asyncio.create_task(task) for task in (look(), *(one.run() for one in recorders.values()))]
        try:
            await asyncio.wait([feeding, stopping, *helping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (feeding, stopping, *helping):
                task.cancel()
            ended = await asyncio.gather(feeding, stopping, *helping, return_exceptions=True)
        for error in ended:
            while isinstance(error, ExceptionGroup):
                error = error.exceptions[0]
            if isinstance(error, Exception):
                raise error
    for market, status in statuses.items():
        status.trouble = source.trouble(market)
        if status.trouble:
            notes.append(f"{market}: {status.trouble}")
    written = [folder / name for name in files.names(folder) if name not in before and name.endswith(".mcap")]
    return Summary(list(statuses.values()), written, (clock.elapsed() - begun) / SECOND, notes)


@contextmanager
def _stopped() -> Iterator[asyncio.Event]:
    """Give what is set by the first interrupt, and by TERM; the second interrupt acts as it does elsewhere."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def first() -> None:
        stop.set()
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        for number in kept:
            with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows; not the main thread
                loop.add_signal_handler(number, first)
        yield stop
    finally:
        for number, handler in kept.items():
            with suppress(NotImplementedError, ValueError, RuntimeError):
                loop.remove_signal_handler(number)
            with suppress(ValueError):
                signal.signal(number, handler)
