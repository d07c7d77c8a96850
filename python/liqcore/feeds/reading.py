"""What the readers of all venues do alike: a frame to what it tells, never an exception."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec

from .events import Candle, Change, Frame, Kind, Market, Notice, Told, Trade

MS = 1_000_000
MINUTE = 60_000_000_000
OF_CONTEXT: tuple[Kind, ...] = ("marks", "open_interest", "funding")  # what some venues push together
_EARLIEST, _LATEST = 10**17, 2**63  # of times in ns: what lies outside is of another unit
_MARKETS = 4096  # more symbols than any venue lists
_TEXT = 120  # of what a venue says, at most

decode = msgspec.json.Decoder().decode
_change = msgspec.json.Decoder(Change).decode

Row = TypeVar("Row", bound=msgspec.Struct)


class Unreadable(Exception):
    """A message that is no message of this venue, and why: the text is one of few, for counting."""


class Refused(Exception):
    """An answer by which a venue says no."""


class Answers(NamedTuple):
    """How the rows of a kind of answer are read: their type, and what one of them tells of a market."""

    row: type[Any]
    made: Callable[[Any, Market], Told | None]


class Reader(ABC):
    """
    Reads the frames of one venue.

    It keeps nothing from one frame to the next: a journal is read from anywhere, with the same result.

    Attributes
    ----------
    venue : str
    market : function
        The market of a symbol.
    """

    def __init__(self, venue: str, answers: Mapping[str, Answers]) -> None:
        self.venue = venue
        self._answers = answers
        self.market = lru_cache(_MARKETS)(lambda symbol: Market(venue, symbol))

    def read(self, frame: Frame) -> list[Told]:
        """
        Return what a frame tells, in its order: events, notices, changes of state.

        What cannot be read is a notice of "garbage" with the reason. Of several rows, those that can be are read. The
        rows of an answer are told the oldest first, whatever order the venue gives them in.
        """
        try:
            if frame.source == "driver":
                return [_change(frame.body)]
            if frame.source.startswith("rest:"):
                return self._answered(frame)
            return self.pushed(frame)
        except Refused as refused:
            return [Notice("refused", str(refused)[:_TEXT])]
        except BAD as error:
            return [Notice("garbage", why(error))]

    @abstractmethod
    def pushed(self, frame: Frame) -> list[Told]:
        """Return what a message of a socket tells; may raise what `read` catches."""

    @abstractmethod
    def rows(self, answer: Any) -> list[Any]:
        """Return the rows of an answer, the oldest first; raises Refused, Unreadable."""

    def _answered(self, frame: Frame) -> list[Told]:
        _, what, symbol = frame.source.split(":", 2)
        market = self.market(symbol)
        row, made = self._answers[what]
        told = each(self.rows(decode(frame.body)), row, lambda one: made(one, market))
        return [one for one in told if not (isinstance(one, Candle) and one.ts + MINUTE > frame.received)]


# What damaged bytes and wrong fields raise on their way through msgspec, int(), float() and look-ups.
BAD = (Unreadable, msgspec.MsgspecError, ValueError, TypeError, LookupError, OverflowError, RecursionError)


def why(error: Exception) -> str:
    """Say why something cannot be read, in one of few ways."""
    if isinstance(error, Unreadable):
        return str(error)
    if isinstance(error, msgspec.ValidationError):
        return "fields missing or of another type"
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
        return "cut off" if "truncated" in str(error) else "not JSON"
    return "fields that cannot be read"


def each(rows: Iterable[Any], row_type: type[Row], made: Callable[[Row], Told | None]) -> Iterator[Told]:
    """Read rows one by one, so that a bad one costs no other."""
    for row in rows:
        try:
            told = made(msgspec.convert(row, row_type))
        except BAD as error:
            yield Notice("garbage", why(error))
        else:
            if told is not None:
                yield told


def listed(data: Any) -> list[Any]:
    """Return what should be a list of rows."""
    if not isinstance(data, list):
        raise Unreadable("no list of rows")
    return data


def keyed(data: Any) -> dict[str, Any]:
    """Return what should be an object."""
    if not isinstance(data, dict):
        raise Unreadable("no object")
    return data


def said(text: str) -> str:
    """Shorten what a venue says."""
    return text[:_TEXT]


def nanoseconds(ms: int | str) -> int:
    """Bring a time in ms (a number, or its text) to ns; Unreadable where it cannot be one."""
    ns = int(ms) * MS
    if not _EARLIEST <= ns < _LATEST:
        raise Unreadable("time out of range")
    return ns


def positive(text: str) -> float:
    """Return the double nearest to a decimal text; Unreadable where it is not above zero."""
    value = float(text)
    if not 0.0 < value < math.inf:
        raise Unreadable("price or quantity not above zero")
    return value


def finite(text: str) -> float:
    """Return the double nearest to a decimal text; Unreadable where it is no number."""
    value = float(text)
    if not math.isfinite(value):
        raise Unreadable("not a finite number")
    return value


def is_sell(side: str, sell: str, buy: str) -> bool:
    """Tell the side by a venue's words for it; Unreadable for a third."""
    if side not in (sell, buy):
        raise Unreadable("side that is neither buy nor sell")
    return side == sell


def trade(market: Market, ms: int | str, price: str, qty: str, sell: bool, id: int | str, count: int) -> Trade:
    """Make a trade of a venue's texts."""
    return Trade(market, nanoseconds(ms), positive(price), positive(qty), sell, id, count)


def candle(market: Market, ms: int | str, prices: Iterable[str], qty: str, buy_qty: str | None = None) -> Candle:
    """Make a candle of a venue's texts: open, high, low, close, volume."""
    first, high, low, close = map(positive, prices)
    if not low <= min(first, close) <= max(first, close) <= high:
        raise Unreadable("candle that contradicts itself")
    return Candle(
        market, nanoseconds(ms), first, high, low, close, finite(qty), None if buy_qty is None else finite(buy_qty)
    )
