"""Puts what frames tell into the order in which engines may be fed, and lets every trade through once."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct, field

from ..feeds.events import Candle, Change, Event, Frame, Market, Notice, Told, Trade
from ..feeds.frames import told_by
from .seen import Seen

MOST_WAITING = 1_000_000
CANDLE_NS = 60_000_000_000
"""Length of a candle."""

_HOLDING = frozenset({"connecting", "filling"})
_RESOLVED = frozenset({"live", "gap filled", "gap open", "venue halt", "retired"})


class Line(Struct):
    """
    One market's events in order, and what it takes to go on: it is saved with a checkpoint.

    Attributes
    ----------
    seen : Seen
        Which trades have come.
    repeats : int
        How often one came that had come before.
    venue_ts, received : int
        Of the latest trade that has come: its time, and when it came, ns.
    holding : bool
        Whether everything waits, because a connection is missing or a hole is being filled.
    waiting : list of events
    """

    seen: Seen = field(default_factory=Seen)
    repeats: int = 0
    venue_ts: int = 0
    received: int = 0
    holding: bool = False
    waiting: list[Event] = field(default_factory=list)

    def trade(self, trade: Trade, received: int) -> list[Event]:
        """Take a trade; return what may go on because of it."""
        if trade.ts > self.venue_ts:
            self.venue_ts, self.received = trade.ts, received
        restarts = self.seen.restarts
        if not self.seen.take(trade):
            self.repeats += 1
            return []
        if self.seen.restarts != restarts:  # what waits is of the numbers before
            return [*self._release(), trade]
        if not self.holding and not self.waiting and len(self.seen.spans) < 2:
            return [trade]
        self.waiting.append(trade)
        return self._go_on()

    def candle(self, candle: Candle) -> list[Event]:
        """Take a candle; it goes on where it stands for trades of which none has come, and then none may come."""
        if self.seen.latest >= candle.ts or self.holding or self.waiting:
            return []
        self.seen.begin(candle.ts + CANDLE_NS)
        return [candle]

    def other(self, event: Event, received: int) -> list[Event]:
        """Take another event; return what may go on because of it."""
        if event.ts == received and self.venue_ts:  # it bears no time of the venue's own
            event = msgspec.structs.replace(event, ts=self.venue_ts + max(0, received - self.received))
        if not self.holding and not self.waiting:
            return [event]
        self.waiting.append(event)
        return self.give_up() if len(self.waiting) > MOST_WAITING else []

    def change(self, change: Change) -> list[Event]:
        """Take a change of the trades' state; return what may go on because of it."""
        if change.state in _HOLDING and self.seen.latest:  # before the first trade nothing is missing
            self.holding = True
        if change.state not in _RESOLVED:
            return []
        self.holding = False
        if change.last:
            self.seen.give_up(change.last)
        return self._go_on()

    def give_up(self) -> list[Event]:
        """Wait for nothing any more; return what waited."""
        self.holding = False
        if self.seen.spans:
            self.seen.give_up(self.seen.spans[-1].last)
        return self._release()

    def _go_on(self) -> list[Event]:
        if len(self.waiting) > MOST_WAITING:
            return self.give_up()
        return [] if self.holding or len(self.seen.spans) > 1 else self._release()

    def _release(self) -> list[Event]:
        """Let go on what waits: trades by number, else by time; the rest by time between them."""
        waiting, self.waiting = self.waiting, []
        trades = [event for event in waiting if isinstance(event, Trade)]
        trades.sort(key=lambda trade: int(trade.id) if trade.count else trade.ts)
        ordered: list[tuple[int, Event]] = []
        ts = 0
        for trade in trades:
            ts = max(ts, trade.ts)  # numbers decide
            ordered.append((ts, trade))
        ordered += [(event.ts, event) for event in waiting if not isinstance(event, Trade)]
        ordered.sort(key=lambda at: at[0])
        return [event for _, event in ordered]


class Order:
    """
    Takes frames in the order of their coming, and gives what they tell in an order that has no holes.

    Trades are let through once (`Seen`), and everything of a market waits while a hole in its trades is being filled: a
    `Change` says that it has been, or is given up. An event that has no time of the venue's own has that of the
    market's trades. The same frames give the same, live and from a journal.
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
                out += self.line(one.market).trade(one, received)
            elif isinstance(one, Notice):
                out.append(one)
            elif isinstance(one, Candle):
                out += self.line(one.market).candle(one)
            elif isinstance(one, Change):
                out.append(one)
                if one.kind == "trades":
                    out += self.line(one.market).change(one)
            else:
                out += self.line(one.market).other(one, received)
        return out
