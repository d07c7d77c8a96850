"""Fills holes in the trades of a market by asking for them, in the way that its venue lets itself be asked."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..feeds.events import Market, Trade
from .asking import Unanswered
from .seen import Hole, Seen
from .terms import Terms

_MS = 1_000_000
_MINUTES = 3
"""Of asking, at the pace that the venue allows: what is still missing then stays missing. Until then all waits."""


class Answer(NamedTuple):
    """The trades of an answer, and whether each had been let through before."""

    trades: list[Trade]
    known: list[bool]


class Ask(Protocol):
    """Asks for trades, hands the answer on as a frame, and returns what is in it; raises Unanswered."""

    async def __call__(self, what: str, market: Market, **values: int) -> Answer:
        """Ask."""


class Filled(NamedTuple):
    """What came of it: what is still missing, how many trades were new, and why not more."""

    holes: list[Hole]
    new: int
    why: str


class Fill:
    """
    One filling of what is missing in the trades of a market.

    Parameters
    ----------
    terms : Terms
    ask : Ask
    market : Market
    seen : Seen
        What has come of its trades; the answers go into it on their way.
    since : int
        Time of the last trade before what may be missing, ns.
    """

    def __init__(self, terms: Terms, ask: Ask, market: Market, seen: Seen, since: int) -> None:
        self._requests = terms.requests
        self._asked = terms.requests["trades"]
        self._ask = ask
        self._market = market
        self._seen = seen
        self._since = since
        self._new = 0
        self._left = int(terms.limits.requests_a_minute * _MINUTES)

    async def run(self, up_to_now: bool) -> Filled:
        """Ask for the numbers that are missing, and if `up_to_now` also for what came after the last one known."""
        if self._asked.pages == "newest":
            return await self._newest()
        if up_to_now and self._seen.begun > self._since:  # candles stand for what was before
            why = await self._reach_back()
            if why:
                return Filled(
                    [Hole(0, 0, self._since, self._seen.spans[0].since if self._seen.spans else 0)], self._new, why
                )
            if not self._seen.spans:
                return Filled([], 0, "")
        if not self._seen.spans:
            return Filled([Hole(0, 0, self._since, 0)], 0, "the trades before bear no numbers")
        try:
            await self._counted(up_to_now)
        except Unanswered as unanswered:
            holes = self._seen.holes()
            if up_to_now and not holes:
                holes = [Hole(0, 0, self._seen.latest, 0)]
            return Filled(holes, self._new, str(unanswered))
        return Filled(self._seen.holes(), self._new, "the venue does not give them")

    async def _reach_back(self) -> str:
        """Ask for trades from a time on, of which no number is known; return why not all of them came, if so."""
        try:
            if "first_trades" in self._requests:
                await self._page("first_trades", since_ms=self._since // _MS + 1)
                return ""
            answer, low, _ = await self._page("newest_trades")
            while answer.trades and not any(trade.ts <= self._since for trade in answer.trades):
                answer, lower, _ = await self._page(after=low)
                if not 0 < lower < low:
                    return "the venue does not give them"
                low = lower
        except Unanswered as unanswered:
            return str(unanswered)
        return ""

    async def _counted(self, up_to_now: bool) -> None:
        forward = self._asked.pages == "forward"
        if up_to_now:
            after = self._seen.spans[-1].last + 1
            await (self._on_from(after) if forward else self._back_to(after))
        tried: set[tuple[int, int]] = set()
        while left := [hole for hole in self._seen.holes() if (hole.first, hole.last) not in tried]:
            hole = left[0]
            tried.add((hole.first, hole.last))
            await (self._between(hole.first, hole.last) if forward else self._back(hole.last + 1, hole.first))

    async def _page(self, what: str = "trades", **values: int) -> tuple[Answer, int, int]:
        """Ask; return also the lowest and the highest number in the answer, both 0 where it is empty."""
        if not self._left:
            raise Unanswered(f"more is missing than {_MINUTES} minutes of asking give")
        self._left -= 1
        answer = await self._ask(what, self._market, **values)
        rows = zip(answer.trades, answer.known, strict=True)
        self._new += sum(not known and trade.ts >= self._since for trade, known in rows)
        counted = [trade for trade in answer.trades if trade.count]
        low = min((int(trade.id) - trade.count + 1 for trade in counted), default=0)
        return answer, low, max((int(trade.id) for trade in counted), default=0)

    async def _between(self, first: int, last: int) -> None:
        while True:
            _, _, high = await self._page(first=first)
            if high < first or high >= last:
                return
            first = high + 1

    async def _on_from(self, first: int) -> None:
        while True:
            answer, _, high = await self._page(first=first)
            if len(answer.trades) < self._asked.rows or high < first:
                return
            first = high + 1

    async def _back_to(self, first: int) -> None:
        _, low, _ = await self._page("newest_trades")
        await self._back(low, first)

    async def _back(self, after: int, first: int) -> None:
        while after > first:
            _, low, _ = await self._page(after=after)
            if not 0 < low < after:
                return
            after = low

    async def _newest(self) -> Filled:
        """Complete where it reaches back to a trade of before, for the newest trades leave none out."""
        since, why = self._since, "the newest trades do not reach back"
        trades: list[Trade] = []
        reached = False
        try:
            (trades, known), _, _ = await self._page()
            reached = reaches_back(trades, known, since)
        except Unanswered as unanswered:
            why = str(unanswered)
        if reached:
            return Filled([], self._new, "")
        return Filled([Hole(0, 0, since, min((trade.ts for trade in trades), default=0))], self._new, why)


def reaches_back(trades: Sequence[Trade], known: Sequence[bool], since: int) -> bool:
    """Whether the newest trades begin no later than the last one that came before a time: then none is missing."""
    rows = zip(trades, known, strict=True)
    return any(trade.ts < since or (has_come and trade.ts == since) for trade, has_come in rows)
