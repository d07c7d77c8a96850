"""Puts what frames tell into the order in which engines may be fed, and lets every trade through once."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct, field

from ..feeds.events import Candle, Change, Event, Frame, Market, Notice, Told, Trade
from ..feeds.frames import told_by


class Hole(NamedTuple):
    """Numbers that are missing, and the times of the trades before and after, ns."""

    first: int
    last: int
    since: int
    until: int


_SECOND = 1_000_000_000
_RESTARTED_AFTER = 60 * _SECOND
REMEMBERED = 20_000
MOST_WAITING = 1_000_000

_HOLDING = frozenset({"connecting", "filling"})
_RESOLVED = frozenset({"live", "gap filled", "gap open", "venue halt", "retired"})


class Line(Struct):
    """
    One market's events in order, and what it takes to go on: it is saved with a checkpoint.

    Attributes
    ----------
    clock, trade_ts : int
        Times of the latest event and of the latest trade let through, ns.
    venue_ts, received : int
        Of the latest trade that has come: its time, and when it came, ns.
    next : int
        Where trades are counted, the first number not let through; 0: none has been seen.
    seen : dict
        Where they are not counted, id -> ts of the last ones.
    holding : bool
        Whether everything waits, because a connection is missing or a hole is being filled.
    waiting : list of events
    highest, given_up : int
        The highest number that waits, and the one up to which holes are left open.
    held : dict
        As `seen`, of those that wait.
    is_rejoined : bool
        Whether a trade of before has come again since things are held.
    repeats, overlapping, restarts : int
        Trades that had been let through before; merged trades of which a part had been; how often numbers began anew.
    """

    clock: int = 0
    trade_ts: int = 0
    venue_ts: int = 0
    received: int = 0
    next: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    holding: bool = False
    waiting: list[Event] = field(default_factory=list)
    highest: int = 0
    given_up: int = 0
    held: dict[str, int] = field(default_factory=dict)
    is_rejoined: bool = False
    repeats: int = 0
    overlapping: int = 0
    restarts: int = 0

    @property
    def is_blocked(self) -> bool:
        """Whether events wait."""
        return self.holding or bool(self.waiting)

    def knows(self, trade: Trade) -> bool:
        """Whether a trade has been let through (of those that are not counted: lately)."""
        if trade.count:
            return int(trade.id) < self.next
        return self.seen.get(str(trade.id)) == trade.ts

    def missing(self) -> list[Hole]:
        """The numbers that are missing before or among the trades that wait, the lowest first."""
        spans = sorted(
            (int(t.id) - t.count + 1, int(t.id), t.ts) for t in self.waiting if isinstance(t, Trade) and t.count
        )
        holes, since = [], self.trade_ts
        expected = max(self.next, self.given_up + 1) if self.next else 0
        for first, last, ts in spans:
            if expected and first > expected:
                holes.append(Hole(expected, first - 1, since, ts))
            if last >= expected:
                expected, since = last + 1, ts
        return holes

    def add(self, event: Event) -> list[Event]:
        """Take an event; return what may go on because of it."""
        if isinstance(event, Trade):
            return self._counted(event) if event.count else self._uncounted(event)
        if self.is_blocked:
            return self._wait(event)
        return [self._passed(event)]

    def change(self, change: Change) -> list[Event]:
        """Take a change of the trades' state; return what may go on because of it."""
        if change.state in _RESOLVED:
            self.holding = False
            self.given_up = max(self.given_up, change.last)
            return [] if self.missing() else self.give_up()  # others, found meanwhile
        if change.state in _HOLDING and not self.holding:
            self.holding, self.is_rejoined = True, False
        return []

    def _counted(self, trade: Trade) -> list[Event]:
        last = int(trade.id)
        first = last - trade.count + 1
        if last < self.next:
            if trade.ts < self.trade_ts + _RESTARTED_AFTER:
                self.repeats += 1
                return []
            self.restarts += 1  # numbers that began anew: of another contract, or after a long halt
            let_through = self.give_up()
            self.next = last + 1
            return [*let_through, self._passed(trade)]
        if self.is_blocked:
            between = last < self.highest
            self.highest = max(self.highest, last)
            let_through = self._wait(trade)
            if between and not self.holding and not self.missing():
                return self.give_up()
            return let_through
        if self.next and first > self.next:
            self.highest = last
            return self._wait(trade)
        if first < self.next:
            self.overlapping += 1
        self.next = last + 1
        return [self._passed(trade)]

    def _uncounted(self, trade: Trade) -> list[Event]:
        id = str(trade.id)
        if trade.ts in (self.seen.get(id), self.held.get(id)):
            self.repeats += 1
            self.is_rejoined |= self.holding and self.seen.get(id) == trade.ts
            return []
        if self.holding:
            self.held[id] = trade.ts
            return self._wait(trade)
        self._remember(id, trade.ts)
        return [self._passed(trade)]

    def _remember(self, id: str, ts: int) -> None:
        self.seen[id] = ts
        if len(self.seen) > REMEMBERED:
            del self.seen[next(iter(self.seen))]

    def _wait(self, event: Event) -> list[Event]:
        self.waiting.append(event)
        return self.give_up() if len(self.waiting) > MOST_WAITING else []

    def give_up(self) -> list[Event]:
        """Let everything go on: trades by number, else by time; the rest by time between them."""
        self.holding = False
        if not self.waiting:
            return []
        trades = [event for event in self.waiting if isinstance(event, Trade)]
        trades.sort(key=lambda trade: (int(trade.id), trade.count) if trade.count else (trade.ts, 0))
        others = [event for event in self.waiting if not isinstance(event, Trade)]
        self.waiting, self.highest, self.held = [], 0, {}
        ordered: list[tuple[int, Event]] = []
        ts = 0
        for trade in trades:
            if trade.count:
                last = int(trade.id)
                if last < self.next:
                    self.repeats += 1
                    continue
                self.overlapping += last - trade.count + 1 < self.next
                self.next = last + 1
            else:
                self._remember(str(trade.id), trade.ts)
            ts = max(ts, trade.ts)  # numbers decide
            ordered.append((ts, trade))
        ordered += [(event.ts, event) for event in others]
        ordered.sort(key=lambda at: at[0])
        return [self._passed(event) for _, event in ordered]

    def _passed(self, event: Event) -> Event:
        """Let an event through."""
        self.clock = max(self.clock, event.ts)
        if isinstance(event, Trade):
            self.trade_ts = max(self.trade_ts, event.ts)
        return event


class Order:
    """
    Takes frames in the order of their coming, and gives what they tell in an order that has no holes.

    Trades are let through once, by their numbers where the venue counts, and everything of a market waits while a hole
    in its trades is being filled: a `Change` says that it has been, or is given up. An event that has no time of the
    venue's own has that of the market's trades. The same frames give the same, live and from a journal.
    """

    def __init__(self) -> None:
        self.lines: dict[Market, Line] = {}

    def line(self, market: Market) -> Line:
        """Return that of a market."""
        line = self.lines.get(market)
        if line is None:
            line = self.lines[market] = Line()
        return line

    def read(self, frame: Frame) -> list[Told]:
        """Return what a frame tells and what it lets go on: notices, changes and events, in order."""
        return self.put(told_by(frame), frame.received)

    def put(self, told: Sequence[Told], received: int) -> list[Told]:
        """Return what has been read of a frame, in order, with what it lets go on."""
        out: list[Told] = []
        for one in told:
            if isinstance(one, Trade):
                line = self.line(one.market)
                if one.ts > line.venue_ts:
                    line.venue_ts, line.received = one.ts, received
                out += line.add(one)
            elif isinstance(one, Change):
                out.append(one)
                if one.kind == "trades":
                    out += self.line(one.market).change(one)
            elif isinstance(one, Notice | Candle):
                out.append(one)
            else:
                line = self.line(one.market)
                if one.ts == received and line.venue_ts:  # it bears no time of the venue's own
                    one = msgspec.structs.replace(one, ts=line.venue_ts + max(0, received - line.received))
                out += line.add(one)
        return out

    def save(self) -> bytes:
        """Return all it takes to go on, for `load`."""
        return msgspec.json.encode([(market, line) for market, line in self.lines.items()])

    def load(self, saved: bytes) -> None:
        """Go on from what `save` returned."""
        self.lines = dict(msgspec.json.decode(saved, type=list[tuple[Market, Line]]))
