"""What a feed tells of a market: plain values, one class a kind."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["trades", "marks", "open_interest", "funding", "liquidations"]
Side: TypeAlias = Literal["long", "short"]
State: TypeAlias = Literal["connecting", "live", "stale", "filling", "gap filled", "gap open", "venue halt", "retired"]


@dataclass(frozen=True, slots=True)
class Market:
    """One market of one venue, as the catalogue names both: ``binance-usdm:BTCUSDT``."""

    venue: str
    symbol: str

    def __str__(self) -> str:
        """Write it as the command line takes it."""
        return f"{self.venue}:{self.symbol}"


@dataclass(frozen=True, slots=True)
class Trade:
    """
    One trade, or what a venue merges into one.

    Attributes
    ----------
    market : Market
    ts : int
        When the venue matched it, ns since the UNIX epoch.
    price, qty : float
        As the venue prints them: qty in base units, or in contracts where it trades those.
    taker_sell : bool
        Whether the aggressor sold.
    id : str
        The venue's own; ``first`` and ``id`` are numbers where they are counted (see ``Feed.counts``).
    first : str
        First of the venue's ids that it merges; the same as ``id`` where it merges none.
    """

    market: Market
    ts: int
    price: float
    qty: float
    taker_sell: bool
    id: str
    first: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark price, and when it held."""

    market: Market
    ts: int
    price: float


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """Open interest: one side of it, in the unit of the market's trades, whatever the venue counts."""

    market: Market
    ts: int
    quantity: float


@dataclass(frozen=True, slots=True)
class Funding:
    """A funding rate (of one interval, positive: longs pay), and when it is paid next (0: not told)."""

    market: Market
    ts: int
    rate: float
    next_ts: int


@dataclass(frozen=True, slots=True)
class Liquidation:
    """
    A liquidation that the venue told of.

    Attributes
    ----------
    side : {"long", "short"}
        Of the position that was liquidated, whatever side the venue names.
    complete : bool
        Whether the venue tells of every one; otherwise totals are a floor.
    """

    market: Market
    ts: int
    price: float
    qty: float
    side: Side
    complete: bool


Event: TypeAlias = Trade | Mark | OpenInterest | Funding | Liquidation


@dataclass(frozen=True, slots=True)
class Change:
    """A stream of a market has come into another state; ``since`` and ``until`` span a hole where there is one (ns)."""

    market: Market
    kind: Kind
    state: State
    ts: int
    since: int = 0
    until: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """
    What came in at once, as it came: a message of a socket or the answer of a request.

    Events are read from frames, live and from a journal alike, so a journal holds frames.

    Attributes
    ----------
    received : int
        When, by the clock of the machine that received it, ns.
    source : str
        Which connection of a feed (``"market"``, ``"public"``) or which request (``"rest:trades"``) it came by.
    body : bytes
    """

    received: int
    venue: str
    source: str
    body: bytes
