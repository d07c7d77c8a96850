"""What was before a feed begins: candles and open interest of a span of time, asked for piece by piece."""

from collections.abc import AsyncIterator
from itertools import groupby
from typing import Literal

from ..feeds.events import Candle, Frame, Market, OpenInterest, Told
from ..feeds.frames import of_events
from .asking import Asking
from .feed import Feed
from .order import CANDLE_NS
from .outside import Clock

_MS = 1_000_000
_EVERY = {"candles": 60_000, "past_open_interest": 300_000}  # ms from one row to the next


async def past(
    feed: Feed,
    asking: Asking,
    market: Market,
    what: Literal["candles", "past_open_interest"],
    since: int,
    until: int,
) -> AsyncIterator[tuple[Frame, list[Told]]]:
    """
    Ask for the candles of a minute, or the samples of open interest of five, of a span of time.

    Parameters
    ----------
    feed : Feed
    asking : Asking
    market : Market
    what : {"candles", "past_open_interest"}
    since, until : int
        Ns since the UNIX epoch; the latter is not part of it.

    Yields
    ------
    tuple of Frame and list
        Answers, the oldest first, and what they tell; nothing where the venue gives nothing of that kind.

    Raises
    ------
    Unanswered
        If the venue does not answer, or refuses.
    """
    if what not in feed.terms.requests:
        return
    step = feed.terms.requests[what].rows * _EVERY[what]
    for begin in range(since // _MS, -(-until // _MS), step):
        end = min(begin + step, -(-until // _MS))
        # Whether a venue counts the ends in differs: by a millisecond less it does not matter.
        yield await asking.ask(feed.request(what, market, since_ms=begin - 1, until_ms=end - 1))


async def before_now(feed: Feed, asking: Asking, market: Market, since: int, clock: Clock) -> list[Frame]:
    """
    Ask for candles and open interest from the first whole minute after a time up to the last, however long that takes.

    Returns
    -------
    list of Frame
        What they tell, in order of time; a frame for each hour.

    Raises
    ------
    Unanswered
        As `past` does.
    """
    candles: dict[int, Candle] = {}
    samples: dict[int, OpenInterest] = {}
    begin = -(-since // CANDLE_NS) * CANDLE_NS
    while (end := clock.now() // CANDLE_NS * CANDLE_NS) > begin:
        async for _, told in past(feed, asking, market, "candles", begin, end):
            candles |= {one.ts: one for one in told if isinstance(one, Candle) and begin <= one.ts < end}
        async for _, told in past(feed, asking, market, "past_open_interest", begin, end):
            samples |= {one.ts: one for one in told if isinstance(one, OpenInterest) and begin <= one.ts < end}
        begin = end
    events: list[Candle | OpenInterest] = [*candles.values(), *samples.values()]
    events.sort(key=_acts)
    hours = groupby(events, key=lambda event: _acts(event) // _HOUR_NS)
    return [of_events(market, _acts(together[-1]), together) for _, group in hours if (together := list(group))]


def _acts(event: Candle | OpenInterest) -> int:
    """Return when an event acts, ns: a candle at its end."""
    return event.ts + CANDLE_NS - 1 if isinstance(event, Candle) else event.ts


_HOUR_NS = 3_600_000_000_000
