"""Which trades of a market have come: what is new, and what is missing between them."""

from bisect import bisect_right
from typing import NamedTuple

from msgspec import Struct, field

from ..feeds.events import Trade

REMEMBERED = 20_000
"""Trades that venues do not count, of which repeats are known."""
MOST_SPANS = 10_000
"""Holes beyond which the oldest are forgotten, as if they had been filled."""
_RESTARTED_AFTER = 60_000_000_000


class Hole(NamedTuple):
    """Numbers that are missing (0: they are not counted, or not known), and the times of the trades around them, ns."""

    first: int
    last: int
    since: int
    until: int


class Span(Struct, array_like=True):
    """Numbers that have come, one after the other, and the times of the first and the last, ns."""

    first: int
    last: int
    since: int
    until: int


class Seen(Struct):
    """
    Which trades of one market have come.

    What is of an earlier time than the first one counts as seen: it is of before the beginning. Where the venue counts,
    numbers tell: a trade that merges several covers theirs, so that single ones of an answer are repeats of it; numbers
    that fall back while time goes on have begun anew. Elsewhere ids tell, of the last 20,000 trades at least.

    Attributes
    ----------
    begun, latest : int
        Times of the first trade and of the latest, ns; 0: none has come.
    spans : list of Span
        Where trades are counted: which have come, the lowest first; holes are between them.
    recent, earlier : dict of str to int
        Where they are not: id and time of the last ones.
    restarts : int
        How often numbers have begun anew.
    overlaps : int
        Merged trades of which a part had come: they are new, and that part counts twice.
    """

    begun: int = 0
    latest: int = 0
    spans: list[Span] = field(default_factory=list)
    recent: dict[str, int] = field(default_factory=dict)
    earlier: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    overlaps: int = 0

    def take(self, trade: Trade) -> bool:
        """Take note of a trade; return whether it is new."""
        if not self.latest:
            self.begun = trade.ts
        elif trade.ts < self.begun:
            return False
        is_new = self._counted(trade) if trade.count else self._uncounted(trade)
        self.latest = max(self.latest, trade.ts)
        return is_new

    def begin(self, ts: int) -> None:
        """Count all that is older as seen: other things stand for it."""
        self.begun, self.latest = ts, ts - 1

    def knows(self, trade: Trade) -> bool:
        """Whether a trade has come before, or is of before the beginning."""
        if trade.ts < self.begun:
            return True
        if not trade.count:
            id = str(trade.id)
            return trade.ts in (self.recent.get(id), self.earlier.get(id))
        last = int(trade.id)
        at = bisect_right(self.spans, last - trade.count + 1, key=_first) - 1
        has_come = at >= 0 and last <= self.spans[at].last
        return has_come and not self._begins_anew(last, trade.ts)

    def holes(self) -> list[Hole]:
        """The numbers that are missing, the lowest first."""
        return [
            Hole(before.last + 1, after.first - 1, before.until, after.since)
            for before, after in zip(self.spans, self.spans[1:], strict=False)
        ]

    def give_up(self, up_to: int) -> None:
        """Have no holes below a number any more; what comes of them all the same is a repeat."""
        while len(self.spans) > 1 and self.spans[1].first <= up_to + 1:
            self._join(0)

    def _uncounted(self, trade: Trade) -> bool:
        id = str(trade.id)
        if trade.ts in (self.recent.get(id), self.earlier.get(id)):
            return False
        if len(self.recent) == REMEMBERED:  # forgetting one by one would search a dictionary for its first every time
            self.earlier, self.recent = self.recent, {}
        self.recent[id] = trade.ts
        return True

    def _counted(self, trade: Trade) -> bool:
        last = int(trade.id)
        first = last - trade.count + 1
        spans = self.spans
        if not spans:
            spans.append(Span(first, last, trade.ts, trade.ts))
            return True
        newest = spans[-1]
        if first == newest.last + 1:  # as nearly all are
            newest.last, newest.until = last, trade.ts
            return True
        if self._begins_anew(last, trade.ts):
            self.restarts += 1
            self.spans = [Span(first, last, trade.ts, trade.ts)]
            return True
        at = bisect_right(spans, first, key=_first) - 1
        if at >= 0 and last <= spans[at].last:
            return False
        overlaps_before = at >= 0 and first <= spans[at].last
        self.overlaps += overlaps_before or (at + 1 < len(spans) and last >= spans[at + 1].first)
        self._insert(at, first, last, trade.ts)
        return True

    def _begins_anew(self, last: int, ts: int) -> bool:
        """Whether a number has fallen back: repeats, and what fills a hole, are of times that have been."""
        return last <= self.spans[-1].last and ts > self.latest + _RESTARTED_AFTER

    def _insert(self, at: int, first: int, last: int, ts: int) -> None:
        """Put numbers behind a span, into it or between it and the next."""
        spans = self.spans
        if at >= 0 and first <= spans[at].last + 1:
            spans[at].last, spans[at].until = last, ts
        else:
            at += 1
            spans.insert(at, Span(first, last, ts, ts))
        while at + 1 < len(spans) and spans[at + 1].first <= spans[at].last + 1:
            self._join(at)
        if len(spans) > MOST_SPANS:
            self._join(0)

    def _join(self, at: int) -> None:
        after = self.spans.pop(at + 1)
        span = self.spans[at]
        if after.last >= span.last:
            span.last, span.until = after.last, after.until


def _first(span: Span) -> int:
    return span.first
