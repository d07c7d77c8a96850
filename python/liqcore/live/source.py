"""What is recorded and followed: feeds of venues, recordings played as if they came in now, a simulated market."""

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, Protocol

from ..config.config import Config
from ..errors import DataError, InvalidConfigError
from ..feeds.events import KINDS, Frame, Market, Told
from ..feeds.readers import reader
from ..market.catalogue import find_venues, unknown_symbol
from ..words.times import parse_duration
from .asking import Asking, Unanswered
from .demo import Demonstration
from .feed import Feed
from .journal import Journal
from .market import MarketEngine
from .opening import check_trades_tell
from .order import Order
from .outside import Clock, Network
from .pace import Steady
from .past import before_now
from .player import Lane, Player
from .replay import Recording, check_speed, play
from .seen import Seen
from .status import Origin
from .stream import Driver


class Source(Protocol):
    """What is recorded and followed."""

    @property
    def origin(self) -> Origin:
        """What kind of source it is."""

    @property
    def markets(self) -> Sequence[Market]:
        """Of which a journal is kept."""

    @property
    def player(self) -> Player | None:
        """What plays it, where it can be played otherwise; None: it comes as it comes."""

    def engine(self, market: Market, config: Config) -> MarketEngine:
        """Make the engine of a market, with what is known of it."""

    async def run(self, journals: dict[Market, Journal], sink: Callable[[Market], "Put"], clock: Clock) -> None:
        """Hand on frames until there are no more; a journal that is not empty is continued."""

    def trouble(self, market: Market) -> str:
        """Say what has gone wrong most often with the connections of a market; empty: nothing."""


class Put(Protocol):
    """Takes a frame of a market."""

    async def __call__(self, frame: Frame) -> None:
        """Take it; it is in the journal's hands then."""


def _kept(config: Config) -> int:
    """Return how many ended windows are kept."""
    length = parse_duration(config.window.length, name="window")
    return max(1, -(-parse_duration(config.live.keep, name="live.keep") // length))


@dataclass(frozen=True, slots=True)
class Replay:
    """
    A recording, played as if it came in now; where a journal of it is there already, on from where that ends.

    Parameters
    ----------
    recording : Recording
    speed : float, default 1
        How much faster; 0: as fast as it is taken.
    """

    recording: Recording
    speed: float = 1.0
    origin: Origin = field(default="replay", init=False)
    player: Player = field(init=False)
    _grids: dict[Market, tuple[float, float] | None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Check the speed before anything has begun."""
        object.__setattr__(self, "player", Player(self.recording.begin, self.recording.end, self.speed))

    @property
    def markets(self) -> Sequence[Market]:
        """Those in it."""
        return self.recording.markets

    def engine(self, market: Market, config: Config) -> MarketEngine:
        """
        Make an engine on the grid that the recording shows, as a run of the same files has it.

        Raises
        ------
        InvalidConfigError
            If the model or the trigger goes by what is not in the recording.
        """
        if self.recording.trades_alone:
            check_trades_tell(config)
        if market not in self._grids:  # all files are read for it
            self._grids[market] = self.recording.grid(market)
        quantities = self.recording.quantities
        return MarketEngine(market, config, keep=_kept(config), grid=self._grids[market], quantities=quantities)

    async def run(self, journals: dict[Market, Journal], sink: Callable[[Market], Put], clock: Clock) -> None:
        """Play it; where it has been played to its end, from where it is wanted then."""
        lanes = self.player.lanes
        if not lanes:
            begin = 0
            for market, journal in journals.items():
                lanes[market] = lane = Lane(partial(self.recording.frames, market))
                lane.received, _ = _behind(iter(lane), journal)
                lane.recorded = lane.at
                begin = max(begin, lane.received)
            self.player.begin(begin or self.recording.begin, clock.elapsed())
        await self.player.run({market: sink(market) for market in lanes}, clock)

    def trouble(self, market: Market) -> str:
        """Nothing does."""
        del market
        return ""


def _last(journal: Journal) -> Frame | None:
    """Return the last frame of a journal; None: it has none."""
    found = journal.read(journal.written - 1)[1] if journal.written else []
    return found[-1] if found else None


def _rest(frames: Iterator[Frame], last: Frame | None) -> Iterator[Frame] | None:
    """Return what follows a journal's last frame in a recording; None: it is not of it."""
    if last is None:
        return frames
    for frame in frames:
        if frame == last:
            return frames
        if frame.received > last.received:
            break
    return None


def _behind(frames: Iterator[Frame], journal: Journal) -> tuple[int, Iterator[Frame]]:
    """Return when the last frame of a journal came (0: it has none), and the frames that follow it in a recording."""
    last = _last(journal)
    rest = _rest(frames, last)
    if rest is not None and (last is not None or not journal.written):
        return 0 if last is None else last.received, rest
    raise DataError(
        f"expected no journal of {journal.market} in {journal.folder}, or one of the same recording, found another: "
        "a replay goes into a new folder"
    )


def _until(ts: int, frames: Iterator[Frame], later: list[Frame]) -> Iterator[Frame]:
    """Yield the frames that came before a time; the first that did not goes into a list."""
    for frame in frames:
        if frame.received >= ts:
            later.append(frame)
            return
        yield frame


@dataclass(frozen=True, slots=True)
class Demo:
    """
    A simulated market, which is synthetic: its first part at once, then as if it came in now.

    Parameters
    ----------
    shown : Demonstration
    speed : float, default 60
        How much faster.
    """

    shown: Demonstration
    speed: float = 60.0
    origin: Origin = field(default="demo", init=False)
    player: None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Check the speed before anything has begun."""
        check_speed(self.speed)

    @property
    def markets(self) -> Sequence[Market]:
        """The one."""
        return [self.shown.market]

    def engine(self, market: Market, config: Config) -> MarketEngine:
        """Make an engine that knows the simulator's terms."""
        return MarketEngine(market, self.shown.terms(config), keep=_kept(config))

    async def run(self, journals: dict[Market, Journal], sink: Callable[[Market], Put], clock: Clock) -> None:
        """Play it."""
        (journal,) = journals.values()
        last, frames = _behind(self.shown.frames(), journal)
        put = sink(self.shown.market)
        later: list[Frame] = []
        await play(_until(self.shown.begin, frames, later), put, clock=clock, speed=0)
        begin = max(last, self.shown.begin)
        await play(chain(later, frames), put, clock=clock, speed=self.speed, begin=begin)

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
    overrides : mapping of str to mapping
        By venue, what differs from the built-in addresses and limits (see `terms`).
    history_ns : int, default 0
        How far back venues are asked for candles and open interest of markets that have no journal yet.
    history : mapping of Market to Recording
        What comes first into the journal of a market that has none yet.

    Raises
    ------
    InvalidConfigError
        If an override is none, or a venue does not allow so many markets.
    """

    markets: Sequence[Market]
    network: Network
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    history_ns: int = 0
    history: Mapping[Market, Recording] = field(default_factory=dict)
    origin: Origin = field(default="live", init=False)
    player: None = field(default=None, init=False)
    _drivers: dict[str, Driver] = field(default_factory=dict, init=False)
    _untold: dict[Market, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Check what can be checked before anything is opened."""
        for venue, markets in self._by_venue().items():
            Feed(venue, self.overrides.get(venue)).connections(markets, KINDS)

    def _by_venue(self) -> dict[str, list[Market]]:
        """The markets of each venue: a driver each, as limits are the venue's."""
        return {
            venue: [market for market in self.markets if market.venue == venue]
            for venue in dict.fromkeys(market.venue for market in self.markets)
        }

    def engine(self, market: Market, config: Config) -> MarketEngine:
        """Make an engine of what the catalogue knows."""
        return MarketEngine(market, config, keep=_kept(config))

    async def run(self, journals: dict[Market, Journal], sink: Callable[[Market], Put], clock: Clock) -> None:
        """Hand on what comes, for ever; what came since a journal's last frame is asked for."""
        async with asyncio.TaskGroup() as group:
            for venue, markets in self._by_venue().items():
                of_venue = {market: journals[market] for market in markets}
                group.create_task(self._feed(venue, of_venue, {market: sink(market) for market in markets}, clock))

    async def _feed(self, venue: str, journals: dict[Market, Journal], puts: dict[Market, Put], clock: Clock) -> None:
        feed = Feed(venue, self.overrides.get(venue))
        asking = Asking(feed.terms, feed.reader, self.network, clock, Steady(clock), random.Random(0))
        for market, journal in journals.items():
            await self._begin(feed, asking, journal, puts[market], clock)
            journal.write()
        seen = {market: _seen(journal, market) for market, journal in journals.items()}

        async def take(frame: Frame, told: list[Told]) -> None:
            named = {market for one in told if (market := getattr(one, "market", None)) is not None}
            for market, put in puts.items():
                if not named or market in named:  # what names none is of the connection: every journal's
                    await put(frame)

        self._drivers[venue] = driver = Driver(feed, list(puts), KINDS, self.network, clock, take, seen=seen)
        await driver.run()

    async def _begin(self, feed: Feed, asking: Asking, journal: Journal, put: Put, clock: Clock) -> None:
        """
        Put what was before into a journal that has none of it, or a part: recordings, then candles up to now.

        Where trades of the feed have come it is over: from there on they are asked for.
        """
        market, now = journal.market, clock.now()
        seen = _seen(journal, market)
        last = _last(journal) if seen.latest else None  # of a venue that was not reached a journal tells just that
        since = now - self.history_ns
        recorded = self.history.get(market)
        rest = None if recorded is None else _rest(recorded.frames(market), last)
        if rest is not None:
            if last is not None:
                since = max(since, last.received)

            async def noted(frame: Frame) -> None:
                nonlocal since
                since = max(since, frame.received)
                await put(frame)

            # What is of later, of a clock that was ahead, would be in segments of the future.
            await play(_until(now, rest, []), noted, clock=clock, speed=0)
        elif last is not None:
            if seen.begun <= seen.latest:  # a trade came after the last candle
                return
            since = max(since, seen.begun)
        if self.history_ns:
            try:
                for frame in await before_now(feed, asking, market, since, clock):
                    await put(frame)
            except Unanswered as unanswered:
                self._untold[market] = f"no history: {unanswered}"

    def trouble(self, market: Market) -> str:
        """Say why connections of a market were lost, or never made."""
        driver, untold = self._drivers.get(market.venue), self._untold.get(market, "")
        lost = {} if driver is None else {why: n for why, n in driver.counts.items() if why.startswith("disconnected")}
        if not lost:
            return untold
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
    >>> from liqcore.live.source import markets_of
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
