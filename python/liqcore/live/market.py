"""The engine of one market: frames in, in the order in which a journal has them; levels, columns and news out."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar
from zlib import crc32

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .._core import Segment
from ..config.build import fitted_of
from ..config.config import Config
from ..engine.engine import Engine
from ..engine.feature_reader import REACHES, FeatureReader
from ..engine.publisher import Publisher
from ..errors import DataError, InvalidConfigError
from ..feeds.events import (
    Candle,
    Change,
    Frame,
    Funding,
    Kind,
    Liquidation,
    Mark,
    Market,
    Notice,
    OpenInterest,
    Side,
    Told,
    Trade,
)
from ..feeds.frames import told_by
from ..history.spread import spread_of
from ..market.contracts import Quantities
from ..market.prices import round_factor
from ..runs.gaps import MIN_NS
from ..runs.prices import Since
from ..words.alert import AlertRule
from ..words.times import iso, parse_duration
from .happened import KINDS, Column, Happened, Sink, ZoneNews
from .opening import Opening
from .order import CANDLE_NS, Line, Order
from .realised import NONE, Row, added, realised_usd
from .scaling import YOUNG_NS, Dollars, Scaling

RAISED_WITHIN = 120_000_000_000
"""How late an event may come that still acts, when it comes, ns."""
RECENT = 4096
"""Rows of each stream that are kept for a book that begins anew: it takes eleven times of rows to see that."""
WINDOWS = 100_000
"""Windows whose realised liquidations are kept."""
LIQUIDATIONS = 20_000
"""That venues told of, kept one by one: the latest."""
HOLES = 1000
_Rows: TypeAlias = dict[str, list[Any]]
_Factors: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
"""On longs and shorts, before and after a window."""
_UNSCALED: _Factors = ((1.0, 1.0), (1.0, 1.0))
_DAY_NS = 86_400_000_000_000
_SIDES: tuple[Side, Side] = ("long", "short")
MAGIC = b"liqcore checkpoint 1\n"


class State(Struct):
    """
    What a market's engine keeps beside the core's engine; all of it is in a checkpoint.

    Attributes
    ----------
    latest : int
        The greatest time of an event so far, ns.
    watermark : int
        All that is older has been fed: what still comes of it is late.
    begun, first_ts : int
        Start of the engine's first window, and the time of the first trade of all, ns.
    anew : Since or None
        From where on the book has begun anew, after a re-denomination or strange first prices.
    recent : dict
        What was fed last, by stream: of it a book is fed that begins anew.
    line : Line
        What puts trades in order: it knows which have been let through, and what waits for a hole to be filled.
    trades, marks, samples : list of tuple
        What waits for earlier ones: time, order, values.
    candles : list of tuple
        The same of candles: their last nanosecond, order, values. They never wait, as no trades stand beside them.
    estimated : list of (int, int)
        Stretches of time for which candles stood, ns.
    counts : dict of str to int
        ``trades`` that were let through; events that were ``raised`` to a later time or left out, ``late``, ``of the
        future`` or of an ``other market``; notices by kind.
    states : dict
        The last change of each stream.
    holes : list of Change
        The last changes that tell of a hole.
    realised : dict
        By start of window, what the venue told of. A row is replaced and never changed: other threads read it.
    liquidations : list of (int, float, float, bool)
        The latest of them one by one: time, price, quantity, whether of a long.
    complete : bool
        Whether the venue tells of every one.
    told : dict of str to int
        How many of each kind sinks were told, in an order that does not go by what is told first.
    mark, open_interest, funding
        The last that was told of each; None: none was.
    zones : dict
        By side, the nearest zone of the last window: low, high, USD, whether it is near.
    scaling : Scaling
        What the live scale of a fitted profile has seen.
    """

    latest: int = 0
    watermark: int = 0
    begun: int = 0
    first_ts: int = 0
    anew: Since | None = None
    recent: dict[str, list[Any]] = msgspec.field(default_factory=dict)
    line: Line = msgspec.field(default_factory=Line)
    trades: list[tuple[int, int, float, float, bool]] = msgspec.field(default_factory=list)
    marks: list[tuple[int, int, float]] = msgspec.field(default_factory=list)
    samples: list[tuple[int, int, float]] = msgspec.field(default_factory=list)
    candles: list[tuple[int, int, int, float, float, float, float, float, float]] = msgspec.field(default_factory=list)
    estimated: list[tuple[int, int]] = msgspec.field(default_factory=list)
    order: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    states: dict[Kind, Change] = msgspec.field(default_factory=dict)
    holes: list[Change] = msgspec.field(default_factory=list)
    realised: dict[int, Row] = msgspec.field(default_factory=dict)
    liquidations: list[tuple[int, float, float, bool]] = msgspec.field(default_factory=list)
    complete: bool = True
    told: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(KINDS.values(), 0))
    mark: Mark | None = None
    open_interest: OpenInterest | None = None
    funding: Funding | None = None
    zones: dict[Side, tuple[float, float, float, bool]] = msgspec.field(default_factory=dict)
    scaling: Scaling = msgspec.field(default_factory=Scaling)

    def count(self, what: str) -> None:
        """Count one."""
        self.counts[what] = self.counts.get(what, 0) + 1


class Book(NamedTuple):
    """
    An engine, and what it publishes for other threads.

    Attributes
    ----------
    engine : Engine
    publisher : Publisher
    begun : int
        Start of its first window, ns.
    anew : Since or None
        Why it has begun anew, if it has.
    spread : mapping
        How uncertain its fitted profile is, as metadata say it; empty: not known.
    """

    engine: Engine
    publisher: Publisher
    begun: int
    anew: Since | None
    spread: Mapping[str, Any]


class MarketEngine:
    """
    Follows one market: feeds an engine what frames tell, and tells sinks what happens.

    Nothing in it reads a clock, a socket or, once it is made, a file: the same frames give the same bits,
    however they are divided into calls, live and from a journal. Repeats are left out, and while a hole in the
    trades is being filled everything waits (`Order`). What is let through is put in order of time, so that the
    engine stands where `liqcore.heatmap` of the same trades does: an event is fed once later ones have come, by
    ``live.delay``. One that comes later still acts when it comes, its time ``raised``; by more than two
    minutes, it is left out as ``late``.

    Use it on one thread; a `Board` of it may be read on any.

    Parameters
    ----------
    market : Market
    config : Config, optional
        Terms, leverage, window, model as for `liqcore.heatmap`. Marks are fed where the trigger is "mark", open
        interest where the model uses it.
    sinks : sequence of Sink
    keep : int, optional
        Closed windows kept; by default all.
    grid : (float, float), optional
        Tick and lot size that recorded trades show: used as a run of them uses it, which is in place of the catalogue's
        unless the configuration has a venue. By default the catalogue's.
    quantities : Quantities, optional
        What is known of the unit of quantities; by default that the market is of its venue.

    Attributes
    ----------
    book : Book or None
        The engine and what it publishes; another one where the book begins anew. None before the first trade.
    frames : int
        How many have been taken: the number of the next in the journal.
    state : State
    dollars : Dollars or None
        What the USD of a fitted profile are worth; None: the profile is not fitted, amounts are relative levels.
    """

    def __init__(
        self,
        market: Market,
        config: Config | None = None,
        *,
        sinks: Sequence[Sink] = (),
        keep: int | None = None,
        grid: tuple[float, float] | None = None,
        quantities: Quantities | None = None,
    ) -> None:
        self.market = market
        self.config = Config() if config is None else config
        self.book: Book | None = None
        self.frames = 0
        self.state = State()
        self._order = Order()
        self._order.lines[market] = self.state.line
        self.sinks = list(sinks)
        self._keep = keep
        self._opening = Opening(market, self.config, grid, quantities)
        self._opening.check()
        profile, fitted = fitted_of(self.config), self.config.leverage.fitted
        self._spread = spread_of(profile)
        self.dollars = None if fitted is None else Dollars(fitted, profile, market)
        self._delay = parse_duration(self.config.live.delay, name="live.delay")
        self._window = parse_duration(self.config.window.length, name="window")
        self._near = self.config.live.approach
        self._closed: list[tuple[Segment, NDArray[np.float64], _Factors]] = []
        rules = [AlertRule.of(text) for text in self.config.alerts.rules or ()]
        reaches = sorted({*REACHES, *(rule.within for rule in rules if rule.within)})
        self._reader = FeatureReader(reaches=reaches)
        longs, shorts = self._reader.names[1:], self._reader.names[1 + len(reaches) :]
        self._levels = list(zip(reaches, longs, shorts, strict=False))

    @property
    def engine(self) -> Engine | None:
        """The engine of the book; None before the first trade."""
        return None if self.book is None else self.book.engine

    def add(self, sink: Sink) -> None:
        """Tell another sink, too, from now on."""
        self.sinks.append(sink)

    def take(self, frames: Iterable[Frame], *, number: int | None = None) -> None:
        """
        Take the next frames of the journal, and feed what need not wait any more.

        Parameters
        ----------
        frames : iterable of Frame
        number : int, optional
            Of the frame that follows them in the journal; by default they count on from those before.
        """
        count = 0
        for frame in frames:
            count += 1
            self._take(self._order.put(told_by(frame), frame.received), frame.received)
        self.frames = self.frames + count if number is None else number
        self._feed(self.state.watermark)

    def finish(self) -> None:
        """Feed what is held back: nothing more comes."""
        self._take(self.state.line.give_up(), 0)
        self.state.watermark = max(self.state.watermark, self.state.latest + 1)
        self._feed(self.state.watermark)
        if self.book is not None:
            self.book.publisher.publish(self.book.engine)  # whoever asks from now on finds it

    @property
    def held(self) -> int:
        """How many events wait to be fed."""
        state = self.state
        return len(state.line.waiting) + len(state.trades) + len(state.candles) + len(state.marks) + len(state.samples)

    def _take(self, events: Sequence[Told], received: int) -> None:
        """Take what a frame told or let go on, in order."""
        state = self.state
        for told in events:
            if isinstance(told, Notice):
                state.count(f"notice: {told.about}")
            elif told.market != self.market:
                state.count("other market")
            elif isinstance(told, Trade):
                state.count("trades")
                ts = self._time(told.ts, received)
                if ts is not None:
                    state.trades.append((ts, state.order, told.price, told.qty, told.taker_sell))
            elif isinstance(told, Change):
                self._change(told)
            elif isinstance(told, Liquidation):
                self._liquidation(told)
            elif isinstance(told, Candle):
                self._candle(told)
            else:
                self._sample(told, received)
            state.order += 1
        state.watermark = max(state.watermark, state.latest - self._delay)

    def _sample(self, told: Mark | OpenInterest | Funding, received: int) -> None:
        state = self.state
        if isinstance(told, Mark):
            state.mark = _later(state.mark, told)
            if self._opening.uses_marks and (ts := self._time(told.ts, received)) is not None:
                state.marks.append((ts, state.order, told.price))
        elif isinstance(told, OpenInterest):
            state.open_interest = _later(state.open_interest, told)
            if self._opening.uses_open_interest and (ts := self._time(told.ts, received)) is not None:
                state.samples.append((ts, state.order, told.quantity))
        else:
            state.funding = _later(state.funding, told)

    def _candle(self, told: Candle) -> None:
        """
        Take a candle that stands for the trades of its minute; what is older may come no more.

        Where the venue does not tell who was the aggressor, each side counts as half. Where mark prices liquidate,
        there are none of that time: the candle's low, high and close are taken for them.
        """
        state, end = self.state, told.ts + CANDLE_NS
        state.count("candles")
        bought = told.qty / 2 if told.buy_qty is None else told.buy_qty
        prices = (told.open, told.high, told.low, told.close)
        state.candles.append((end - 1, state.order, told.ts, *prices, bought, max(0.0, told.qty - bought)))
        if self._opening.uses_marks:
            state.marks += [
                (end - 1, state.order + n, price) for n, price in enumerate((told.low, told.high, told.close))
            ]
            state.order += 2
        state.latest, state.watermark = max(state.latest, end - 1), max(state.watermark, end)
        if state.estimated and state.estimated[-1][1] == told.ts:
            state.estimated[-1] = (state.estimated[-1][0], end)
        else:
            state.estimated = [*state.estimated[-HOLES + 1 :], (told.ts, end)]

    def _time(self, ts: int, received: int) -> int | None:
        """Return the time at which an event acts; None: at none, and it is counted."""
        state = self.state
        if ts < state.watermark:
            left = [hole for hole in state.holes if hole.state == "gap open" and hole.kind == "trades"]
            if state.watermark - ts > RAISED_WITHIN or any(hole.since < ts < hole.until for hole in left):
                state.count("late")
                return None
            state.count("raised")
            return state.watermark
        if state.latest and ts > max(state.latest, received) + _DAY_NS:  # believed, it would make all others late
            state.count("of the future")
            return None
        state.latest = max(state.latest, ts)
        return ts

    def _change(self, change: Change) -> None:
        state = self.state
        state.states[change.kind] = change
        if self.dollars is not None:
            state.scaling.change(change, state.watermark)
        if change.since or change.until or change.state in ("gap open", "gap filled", "stale"):
            state.holes.append(change)
            del state.holes[:-HOLES]
            self._tell(change)

    def _liquidation(self, told: Liquidation) -> None:
        state = self.state
        state.complete = state.complete and told.complete
        start = told.ts // self._window * self._window
        state.realised[start] = added(state.realised.get(start, NONE), told)
        if self.dollars is not None:
            state.scaling.liquidation(told, state.watermark, self._window, has_states="liquidations" in state.states)
        if len(state.realised) > WINDOWS:
            del state.realised[min(state.realised)]
        state.liquidations.append((told.ts, told.price, told.qty, told.side == "long"))
        if len(state.liquidations) > LIQUIDATIONS:
            del state.liquidations[0]
        self._tell(told)

    def _feed(self, until: int) -> None:
        """Feed all that is older than a time, in order."""
        state = self.state
        fed: _Rows = {}
        waiting: Mapping[str, list[Any]] = {
            "trades": state.trades,
            "candles": state.candles,
            "marks": state.marks,
            "open_interest": state.samples,
        }
        for name, rows in waiting.items():
            if rows:
                rows.sort()
                fed[name] = rows[: bisect_left(rows, (until,))]
        if self.engine is None:
            first = [(row[0], row[2]) for row in fed.get("trades", ())[:1]]
            first += [(row[2], row[3]) for row in fed.get("candles", ())[:1]]
            if not first:
                return
            state.first_ts, price = min(first)
            self._begin(state.first_ts, price)
        for name, rows in waiting.items():
            part = fed.get(name, [])
            del rows[: len(part)]
            kept = state.recent.setdefault(name, [])
            kept += part
        self._feed_engine(fed)
        while (since := self._begins_anew()) is not None:
            self._feed_engine(self._restart(since))
        for kept in state.recent.values():
            del kept[:-RECENT]
        self._tell_columns()

    def _feed_engine(self, fed: _Rows) -> None:
        assert self.engine is not None
        given: dict[str, Any] = {}
        for name, rows in fed.items():
            if not rows:
                continue
            ts, *_ = columns = list(zip(*rows, strict=True))
            times = np.array(ts, np.int64)
            if name == "trades":
                price, qty = (np.array(column, np.float64) for column in columns[2:4])
                given[name] = (times, price, qty, np.array(columns[4], np.bool_))
            elif name == "candles":
                values = (np.array(column, np.float64) for column in columns[3:])
                given[name] = (np.array(columns[2], np.int64), *values)
            else:
                kept = slice(int(np.searchsorted(times, self.state.begun)), None)  # before the first window: no use
                given[name] = (times[kept], np.array(columns[2], np.float64)[kept])
        if given:
            self.engine.feed(**given)

    def _begin(self, ts: int, price: float) -> None:
        """Make the engine, now that its first trade is known."""
        settled = self._opening.settled(self.state.first_ts, price)
        if self.engine is not None:
            self.engine.publish_to(None)
        engine = Engine.from_config(settled, keep=self._keep)
        self.state.begun = ts // engine.window_ns * engine.window_ns
        self._attach(engine)

    def _begins_anew(self) -> Since | None:
        """Tell from where on the book begins anew, if a jump of the price that was believed meanwhile says so."""
        assert self.engine is not None
        anew = self.state.anew
        for stream, first, believed, price, before, lasts in self.engine.price_jumps:
            if stream != "trades" or (anew is not None and first <= anew.ts):
                continue
            earlier = [row[0] for row in self.state.recent["trades"] if row[0] < first]
            gap = bool(earlier) and first - earlier[-1] >= MIN_NS
            factor = round_factor(before, price, gap=gap) if lasts else ""
            how = self.config.source.redenomination
            if factor and how == "refuse":
                raise DataError(
                    f"{self.market}: expected prices of one denomination, found {before:g} before {iso(first)} and "
                    f"{price:g} from there on: re-denominated {factor}?"
                )
            if (factor and how == "restart") or not lasts:
                return Since(first, price, before, believed, factor)
        return None

    def _restart(self, since: Since) -> _Rows:
        """Begin the book anew; return what it is fed of what came since."""
        state = self.state
        self._closed = [closed for closed in self._closed if closed[0].end_ns <= since.believed]
        self._tell_columns()
        state.anew = since
        state.zones.clear()
        state.scaling.begin_anew()
        self._begin(since.ts, since.price)
        middle = math.sqrt(since.before * since.price)
        above = since.price > middle
        return {
            name: [row for row in rows if row[0] > since.ts or (row[0] == since.ts and (row[2] > middle) == above)]
            if name in ("trades", "candles")  # of candles: none, they are of before the first trade that jumps
            else [row for row in rows if row[0] >= state.begun]
            for name, rows in state.recent.items()
        }

    def _attach(self, engine: Engine) -> None:
        """Have it say which windows end, with what is to be read then, and publish for other threads."""
        engine.on_column(lambda segment: self._ended(engine, segment))
        publisher = Publisher()
        engine.publish_to(publisher)
        self.book = Book(engine, publisher, self.state.begun, self.state.anew, self._spread)

    def _ended(self, engine: Engine, segment: Segment) -> None:
        """Keep a window that ends, to be told; the scale goes on before others can read what is published then."""
        values = self._reader.read(engine)
        factors = _UNSCALED if self.dollars is None else self._scaled(self.dollars, engine, segment, values)
        self._closed.append((segment, values, factors))

    def _scaled(self, dollars: Dollars, engine: Engine, segment: Segment, values: NDArray[np.float64]) -> _Factors:
        """Take a window into the live scale."""
        state, start, end = self.state, segment.start_ns, segment.end_ns
        before = self._factors()
        row = dict(zip(self._reader.names, values.tolist(), strict=True))
        is_old = start - state.begun >= YOUNG_NS
        is_whole = not any(
            hole.kind == "trades" and hole.state == "gap open" and hole.since < end and hole.until > start
            for hole in state.holes
        )
        predicted = row["liquidated_long_usd"], row["liquidated_short_usd"]
        state.scaling.ended(dollars.how, start, end, predicted, engine.instrument, counts=is_old and is_whole)
        return before, self._factors()

    def _factors(self) -> tuple[float, float]:
        """The live scale that holds now."""
        if self.dollars is None or self.dollars.unlike(self.state.complete):
            return 1.0, 1.0
        return self.state.scaling.factors

    def _tell(self, happened: Happened) -> None:
        told = self.state.told
        kind = KINDS[type(happened)]
        told[kind] = told.get(kind, 0) + 1
        for sink in self.sinks:
            sink.put(happened, told[kind])

    def _tell_columns(self) -> None:
        """Tell of the windows that have ended meanwhile."""
        closed, self._closed = self._closed, []
        for segment, values, (before, after) in closed:
            row = dict(zip(self._reader.names, values.tolist(), strict=True))
            column = self._column(segment, row, before, after)
            self._tell(column)
            for side, factor in zip(_SIDES, after, strict=True):
                self._tell_zone(side, column, row, factor)

    def _column(
        self, segment: Segment, row: Mapping[str, float], before: tuple[float, float], after: tuple[float, float]
    ) -> Column:
        assert self.engine is not None
        *ticks, bought, sold = segment.candle
        tick, lot = self.engine.instrument.tick_size, self.engine.instrument.lot_size
        first, high, low, last = (np.nan if price is None else float(f"{price * tick:.12g}") for price in ticks)
        long, short = realised_usd(self.engine.instrument, self.state.realised.get(segment.start_ns, NONE))
        return Column(
            self.market, segment.start_ns, segment.end_ns, first, high, low, last, bought * lot, sold * lot,
            before[0] * row["liquidated_long_usd"], before[1] * row["liquidated_short_usd"], long, short, row["price"],
            tuple((reach, after[0] * row[longs], after[1] * row[shorts]) for reach, longs, shorts in self._levels),
            after,
        )  # fmt: skip

    def _tell_zone(self, side: Side, column: Column, row: Mapping[str, float], factor: float) -> None:
        """Tell whether the price has reached the nearest zone of a side since the window before, or comes near one."""
        before, price = self.state.zones.get(side), row["price"]
        low, high, usd = (row[f"{side}_zone_{what}"] for what in ("low", "high", "usd"))
        usd *= factor
        if before is not None and (column.low <= before[1] if side == "long" else column.high >= before[0]):
            self._tell(ZoneNews(self.market, "swept", side, column.end, *before[:3], price))
            before = None
        if not low > 0:
            self.state.zones.pop(side, None)
            return
        told = before is not None and before[3] and low <= before[1] and high >= before[0]  # it is the same zone
        near = abs(row[f"{side}_zone_percent"]) <= self._near
        if near and not told:
            self._tell(ZoneNews(self.market, "approached", side, column.end, low, high, usd, price))
        self.state.zones[side] = (low, high, usd, near)

    def save(self) -> bytes | None:
        """
        Return all of this as bytes, from which `load` goes on bit for bit; None: the engine has seen no price yet.

        The configuration is not in it, only what tells whether it is the same.
        """
        engine = b""
        if self.engine is not None:
            try:
                engine = self.engine.to_bytes()
            except InvalidConfigError:  # its first trades were rejected
                return None
        said = _Saved(self.frames, self._hash(), self.state, engine)
        body = msgspec.msgpack.encode(said)
        return MAGIC + crc32(body).to_bytes(4, "little") + body

    def load(self, data: bytes) -> bool:
        """
        Go on from what `save` returned; False: it was saved under another configuration, and nothing has happened.

        Raises
        ------
        DataError
            If the bytes are damaged or of another format.
        """
        begin, body = data[: len(MAGIC) + 4], data[len(MAGIC) + 4 :]
        if begin != MAGIC + crc32(body).to_bytes(4, "little"):
            raise DataError("expected a checkpoint of liqcore, found it damaged, or other bytes")
        said = _SAVED.decode(body)
        if said.config != self._hash():
            return False
        self.frames, self.state = said.frames, said.state
        self._order.lines[self.market] = self.state.line
        if self.engine is not None:
            self.engine.publish_to(None)
            self.book = None
        if said.engine:
            self._attach(Engine.from_bytes(said.engine))
        return True

    def _hash(self) -> str:
        """What tells one configuration from another, here."""
        sections = self.config.to_dict()
        said = {name: sections.get(name) for name in ("instrument", "leverage", "axis", "window", "model", "source")}
        return repr((str(self.market), said, self._delay, self._keep, self._opening.grid))


Sample = TypeVar("Sample", Mark, OpenInterest, Funding)


def _later(before: Sample | None, told: Sample) -> Sample:
    """Return the later one of two."""
    return told if before is None or before.ts <= told.ts else before


class _Saved(Struct, array_like=True):
    """A checkpoint."""

    frames: int
    config: str
    state: State
    engine: bytes


_SAVED = msgspec.msgpack.Decoder(_Saved)
