"""What a feed tells: of markets, of its connections, and what became of its streams; plain values, one class a kind."""

from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["trades", "marks", "open_interest", "funding", "liquidations"]
Side: TypeAlias = Literal["long", "short"]
State: TypeAlias = Literal["connecting", "live", "stale", "filling", "gap filled", "gap open", "venue halt", "retired"]
About: TypeAlias = Literal[
    "subscribed", "refused", "pong", "heard", "closing", "maintenance", "passed over", "unknown", "garbage"
]

KINDS: tuple[Kind, ...] = ("trades", "marks", "open_interest", "funding", "liquidations")


class Market(Struct, frozen=True, gc=False):
    """One market of one venue, as the catalogue names both: ``binance-usdm:BTCUSDT``."""

    venue: str
    symbol: str

    def __str__(self) -> str:
        """Write it as the command line takes it."""
        return f"{self.venue}:{self.symbol}"


SIMULATED = Market("simulator", "SIMULATED")
"""That of the simulator: everything in it is synthetic."""


class Trade(Struct, frozen=True, gc=False, tag=True):
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
    id : int or str
        The venue's own: a number where the venue counts a market's trades, else text that only tells repeats.
    count : int
        How many of the venue's numbers it stands for: those from ``id - count + 1`` to ``id``. 0: they are not counted.
    """

    market: Market
    ts: int
    price: float
    qty: float
    taker_sell: bool
    id: int | str
    count: int


class Mark(Struct, frozen=True, gc=False, tag=True):
    """A mark price, and when it held."""

    market: Market
    ts: int
    price: float


class OpenInterest(Struct, frozen=True, gc=False, tag=True):
    """Open interest: one side of it, in the unit of the market's trades, whatever the venue counts."""

    market: Market
    ts: int
    quantity: float


class Funding(Struct, frozen=True, gc=False, tag=True):
    """A funding rate (of one interval, positive: longs pay), and when it is paid next (0: not told)."""

    market: Market
    ts: int
    rate: float
    next_ts: int


class Liquidation(Struct, frozen=True, gc=False, tag=True):
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


class Candle(Struct, frozen=True, gc=False, tag=True):
    """
    A closed candle of one minute, asked for where trades are not to be had.

    Attributes
    ----------
    ts : int
        When it opened, ns.
    qty : float
        Volume, in the unit of the market's trades.
    buy_qty : float or None
        What aggressive buyers took of it; None where the venue does not tell.
    """

    market: Market
    ts: int
    open: float
    high: float
    low: float
    close: float
    qty: float
    buy_qty: float | None


Event: TypeAlias = Trade | Mark | OpenInterest | Funding | Liquidation | Candle


class Notice(Struct, frozen=True, gc=False):
    """
    What a frame says besides events.

    Attributes
    ----------
    about : str
        "subscribed", "refused" (a subscription or a request), "pong", "heard" (a stream is alive and nothing changed),
        "closing" (the venue is about to close the connection), "maintenance", "passed over" (known, and not wanted),
        "unknown" (read, and not known), "garbage" (cannot be read).
    text : str
        Which, or why: few different ones, so that they can be counted.
    asked : str
        Of an answer to a request that bore an id: that id.
    market : Market or None
    kinds : tuple of str
        Of "heard": which streams.
    """

    about: About
    text: str = ""
    asked: str = ""
    market: Market | None = None
    kinds: tuple[Kind, ...] = ()


class Change(Struct, frozen=True, gc=False):
    """
    A stream of a market has come into another state.

    It is handed on as a frame of the source ``"driver"``, so that a journal holds it where it happened.

    Attributes
    ----------
    ts : int
        When, by the clock of the machine, ns.
    since, until : int
        Span of a hole, by times of the venue where they are known, ns; 0: there is none.
    first, last : int
        The numbers that are missing, where the venue counts; 0: it does not, or none is.
    why : str
    """

    market: Market
    kind: Kind
    state: State
    ts: int
    since: int = 0
    until: int = 0
    first: int = 0
    last: int = 0
    why: str = ""


Told: TypeAlias = Event | Notice | Change


class Frame(Struct, frozen=True, gc=False):
    """
    What came in at once, as it came: a message of a socket or the answer of a request.

    Events are read from frames, live and from a journal alike, so a journal holds frames.

    Attributes
    ----------
    received : int
        When, by the clock of the machine that received it, ns.
    venue : str
    source : str
        Which connection of a feed (``"market"``, ``"public-2"``), which request and of which market
        (``"rest:trades:BTCUSDT"``: answers often do not say it), or ``"driver"``: a `Change` in JSON.
    body : bytes
    """

    received: int
    venue: str
    source: str
    body: bytes
