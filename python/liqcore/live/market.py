"""The engine of one market: frames in, in the order in which a journal has them; levels, columns and news out."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from zlib import crc32

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .._core import Segment
from ..config.config import Config
from ..engine.engine import Engine
from ..engine.feature_reader import FeatureReader
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
from ..market.catalogue import venues
from ..market.contracts import Quantities
from ..runs.run import first_grid, settle
from ..runs.terms import settle_terms
from ..words.times import parse_duration
from .happened import KINDS, Column, Happened, Sink, ZoneNews
from .order import Line, Order

RAISED_WITHIN = 120_000_000_000
"""How late an event may come that still acts, when it comes, ns."""
WINDOWS = 100_000
"""Windows whose realised liquidations are kept."""
HOLES = 1000
_DAY_NS = 86_400_000_000_000
_SIDES: tuple[Side, Side] = ("long", "short")
MAGIC = b"liqcore checkpoint 1\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a market's trades before the first of them: `runs.terms.Known`."""

    first_ts: int
    first_price: float
    tick_size: float
    lot_size: float
    symbol: str | None
    quantities: list[Quantities]


@dataclass(frozen=True, slots=True)
class _Beside:
    marks: Any = None
    open_interest: Any = None
    candles: Any = None


class State(Struct):
    """
    What a market's engine keeps beside the core's engine; all of it is in a checkpoint.

    Attributes
    ----------
    latest : int
        The greatest time of an event so far, ns.
    watermark : int
        All that is older has been fed: what still comes of it is late.
    begun : int
        Start of the engine's first window, ns.
    line : Line
        What puts trades in order: it knows which have been let through, and what waits for a hole to be filled.
    trades, marks, samples : list of tuple
        What waits for earlier ones: time, order, values.
    counts : dict of str to int
        ``trades`` that were let through; events that were ``raised`` to a later time or left out, ``late``, ``of the
        future`` or of an ``other market``; notices by kind.
    states : dict
        The last change of each stream.
    holes : list of Change
        The last changes that tell of a hole.
    realised : dict
        By start of window, what the venue told of: quantity liquidated of longs, of shorts, and their turnover.
    complete : bool
        Whether the venue tells of every one.
    told : dict of str to int
        How many of each kind sinks were told.
    mark, open_interest, funding
        The last that was told of each; None: none was.
    zones : dict
        By side, the nearest zone of the last window: low, high, USD, whether it is near.
    """

    latest: int = 0
    watermark: int = 0
    begun: int = 0
    line: Line = msgspec.field(default_factory=Line)
    trades: list[tuple[int, int, float, float, bool]] = msgspec.field(default_factory=list)
    marks: list[tuple[int, int, float]] = msgspec.field(default_factory=list)
    samples: list[tuple[int, int, float]] = msgspec.field(default_factory=list)
    order: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    states: dict[Kind, Change] = msgspec.field(default_factory=dict)
    holes: list[Change] = msgspec.field(default_factory=list)
    realised: dict[int, list[float]] = msgspec.field(default_factory=dict)
    complete: bool = True
    told: dict[str, int] = msgspec.field(default_factory=dict)
    mark: Mark | None = None
    open_interest: OpenInterest | None = None
    funding: Funding | None = None
    zones: dict[Side, tuple[float, float, float, bool]] = msgspec.field(default_factory=dict)

    def count(self, what: str) -> None:
        """Count one."""
        self.counts[what] = self.counts.get(what, 0) + 1


class MarketEngine:
    """
    Follows one market: feeds an engine what frames tell, and tells sinks what happens.

    Nothing in it reads a clock, a socket or a file: the same frames give the same bits, however they are divided into
    calls, live and from a journal. Repeats are left out, and while a hole in the trades is being filled everything
    waits (`Order`). What is let through is put in order of time, so that the engine stands where `liqcore.heatmap` of
    the same trades does: an event is fed once later ones have come, by ``live.delay``. One that comes later still acts
    when it comes, its time ``raised``; by more than two minutes, it is left out as ``late``.

    Use it on one thread; `publisher` may be read on any (docs/how-to/threads.md).

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
        Tick and lot size that the trades show, where neither configuration nor catalogue have them, or finer ones.
    quantities : Quantities, optional
        What is known of the unit of quantities; by default that the market is of its venue.
    publisher : Publisher, optional

    Attributes
    ----------
    engine : Engine or None
        None before the first trade.
    publisher : Publisher
    frames : int
        How many have been taken: the number of the next in the journal.
    state : State
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
        publisher: Publisher | None = None,
    ) -> None:
        self.market = market
        self.config = Config() if config is None else config
        self.engine: Engine | None = None
        self.publisher = Publisher() if publisher is None else publisher
        self.frames = 0
        self.state = State()
        self._order = Order()
        self._order.lines[market] = self.state.line
        self.sinks = list(sinks)
        self._keep = keep
        self._grid = grid
        self._quantities = quantities
        self._delay = parse_duration(self.config.live.delay, name="live.delay")
        self._near = self.config.live.approach
        self._closed: list[tuple[Segment, NDArray[np.float64]]] = []
        self._reader = FeatureReader()
        model = self.config.model
        self.uses_marks = model.trigger == "mark"
        self.uses_open_interest = model.name in ("oi", "blend", "vendor") or model.reconciled
        if model.trigger == "candle" or model.name == "vendor":
            raise InvalidConfigError('the model must not be "vendor" and the trigger not "candle": no feed tells those')

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

    @property
    def held(self) -> int:
        """How many events wait to be fed."""
        state = self.state
        return len(state.line.waiting) + len(state.trades) + len(state.marks) + len(state.samples)

    def realised(self) -> dict[str, Any]:
        """
        Return the liquidations that the venue told of, by window and side.

        Returns
        -------
        dict
            ``times`` (ndarray of int64, starts of windows), ``quantity`` and ``usd`` (ndarray of float64, shape
            (n, 2), longs and shorts), and ``complete``: whether the venue tells of every one.
        """
        rows = sorted(self.state.realised.items())
        values = np.array([row for _, row in rows], np.float64).reshape(-1, 4)
        return {
            "times": np.array([start for start, _ in rows], np.int64),
            "quantity": values[:, :2],
            "usd": np.array([self._usd(row) for _, row in rows], np.float64).reshape(-1, 2),
            "complete": self.state.complete,
        }

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
            elif not isinstance(told, Candle):
                self._sample(told, received)
            state.order += 1
        state.watermark = max(state.watermark, state.latest - self._delay)

    def _sample(self, told: Mark | OpenInterest | Funding, received: int) -> None:
        state = self.state
        if isinstance(told, Mark):
            state.mark = _later(state.mark, told)
            if self.uses_marks and (ts := self._time(told.ts, received)) is not None:
                state.marks.append((ts, state.order, told.price))
        elif isinstance(told, OpenInterest):
            state.open_interest = _later(state.open_interest, told)
            if self.uses_open_interest and (ts := self._time(told.ts, received)) is not None:
                state.samples.append((ts, state.order, told.quantity))
        else:
            state.funding = _later(state.funding, told)

    def _time(self, ts: int, received: int) -> int | None:
        """Return the time at which an event acts; None: at none, and it is counted."""
        state = self.state
        if ts < state.watermark:
            if state.watermark - ts > RAISED_WITHIN:
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
        if change.since or change.until or change.state in ("gap open", "gap filled"):
            state.holes.append(change)
            del state.holes[:-HOLES]
            self._tell(change)

    def _liquidation(self, told: Liquidation) -> None:
        state = self.state
        state.complete = state.complete and told.complete
        window = parse_duration(self.config.window.length, name="window")
        row = state.realised.setdefault(told.ts // window * window, [0.0, 0.0, 0.0, 0.0])
        side = _SIDES.index(told.side)
        row[side] += told.qty
        row[2 + side] += told.qty * told.price
        if len(state.realised) > WINDOWS:
            del state.realised[min(state.realised)]
        self._tell(told)

    def _usd(self, row: Sequence[float]) -> tuple[float, float]:
        """Dollars of a window's realised liquidations: the quantity is in the unit of the market's trades."""
        if self.engine is None:
            return np.nan, np.nan
        instrument = self.engine.instrument
        at = 0 if instrument.contract == "inverse" else 2
        return instrument.multiplier * row[at], instrument.multiplier * row[at + 1]

    def _feed(self, until: int) -> None:
        """Feed all that is older than a time, in order."""
        state = self.state
        fed: dict[str, Any] = {}
        for name, rows in (("trades", state.trades), ("marks", state.marks), ("open_interest", state.samples)):
            if rows:
                rows.sort()
                end = bisect_left(rows, (until,))
                if end:
                    fed[name] = rows[:end]
        if self.engine is None:
            if "trades" not in fed:
                return
            self._begin(fed["trades"][0][0], fed["trades"][0][2])
        for name, rows in (("trades", state.trades), ("marks", state.marks), ("open_interest", state.samples)):
            if name in fed:
                del rows[: len(fed[name])]
        if fed:
            self._feed_engine(fed)
        self._tell_columns()

    def _feed_engine(self, fed: dict[str, Any]) -> None:
        engine = self.engine
        assert engine is not None
        given: dict[str, Any] = {}
        for name, rows in fed.items():
            ts, *_ = columns = list(zip(*rows, strict=True))
            times = np.array(ts, np.int64)
            if name == "trades":
                price, qty = (np.array(column, np.float64) for column in columns[2:4])
                given[name] = (times, price, qty, np.array(columns[4], np.bool_))
            else:
                kept = slice(int(np.searchsorted(times, self.state.begun)), None)  # before the first window: no use
                given[name] = (times[kept], np.array(columns[2], np.float64)[kept])
        engine.feed(**given)

    def _begin(self, ts: int, price: float) -> None:
        """Make the engine, now that the first trade is known."""
        self.engine = engine = Engine.from_config(self.settled(ts, price), keep=self._keep)
        self._attach(engine)
        self.state.begun = ts // engine.window_ns * engine.window_ns

    def _attach(self, engine: Engine) -> None:
        """Have it say which windows end, with what is to be read then, and publish for other threads."""
        engine.on_column(lambda segment: self._closed.append((segment, self._reader.read(engine))))
        engine.publish_to(self.publisher)

    def settled(self, ts: int, price: float) -> Config:
        """Return the configuration of the engine whose first trade is of a time and at a price, as a run settles it."""
        quantities = self._quantities
        if quantities is None:
            quantities = Quantities(str(self.market), (self.market.venue,) if self.market.venue in venues() else ())
        tick, lot = self._grid or (np.inf, np.inf)
        head = Head(ts, price, tick, lot, self.market.symbol, [quantities])
        config = self.config
        venue = venues().get(self.market.venue)
        if config.instrument.venue is None and venue is not None and venue.listed(self.market.symbol) is not None:
            config = config.replace(instrument={"venue": venue.name})
        config = settle_terms(config, head).config
        tick, lot = first_grid(head, self.config.instrument, config.instrument)
        for name, step in (("tick_size", tick), ("lot_size", lot)):
            if not np.isfinite(step):
                raise InvalidConfigError(
                    f"instrument.{name} must be given for {self.market}: it is not in the catalogue"
                )
        beside = _Beside(marks=() if self.uses_marks else None, open_interest=() if self.uses_open_interest else None)
        if config.model.name is None:
            config = config.replace(model={"name": "flow"})
        return settle(config, head, tick, lot, beside, price)

    def _tell(self, happened: Happened) -> None:
        told = self.state.told
        kind = KINDS[type(happened)]
        told[kind] = told.get(kind, 0) + 1
        for sink in self.sinks:
            sink.put(happened, told[kind])

    def _tell_columns(self) -> None:
        """Tell of the windows that have ended meanwhile."""
        closed, self._closed = self._closed, []
        for segment, values in closed:
            row = dict(zip(self._reader.names, values.tolist(), strict=True))
            column = self._column(segment, row)
            self._tell(column)
            for side in _SIDES:
                self._tell_zone(side, column, row)

    def _column(self, segment: Segment, row: Mapping[str, float]) -> Column:
        assert self.engine is not None
        *ticks, bought, sold = segment.candle
        tick, lot = self.engine.instrument.tick_size, self.engine.instrument.lot_size
        first, high, low, last = (np.nan if price is None else float(f"{price * tick:.12g}") for price in ticks)
        long, short = self._usd(self.state.realised.get(segment.start_ns, [0.0] * 4))
        return Column(
            self.market, segment.start_ns, segment.end_ns, first, high, low, last, bought * lot, sold * lot,
            row["liquidated_long_usd"], row["liquidated_short_usd"], long, short,
        )  # fmt: skip

    def _tell_zone(self, side: Side, column: Column, row: Mapping[str, float]) -> None:
        """Tell whether the price has reached the nearest zone of a side since the window before, or comes near one."""
        before, price = self.state.zones.get(side), row["price"]
        low, high, usd = (row[f"{side}_zone_{what}"] for what in ("low", "high", "usd"))
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
        self.engine = None
        if said.engine:
            self.engine = Engine.from_bytes(said.engine)
            self._attach(self.engine)
        return True

    def _hash(self) -> str:
        """What tells one configuration from another, here."""
        sections = self.config.to_dict()
        said = {name: sections.get(name) for name in ("instrument", "leverage", "axis", "window", "model", "source")}
        return repr((str(self.market), said, self._delay, self._keep, self._grid))


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
