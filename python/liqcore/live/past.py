"""What was before a feed begins: candles and open interest of a span of time, asked for piece by piece."""

from collections.abc import AsyncIterator
from typing import Literal

from ..feeds.events import Frame, Market, Told
from .asking import Asking
from .feed import Feed

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
