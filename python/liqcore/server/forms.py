"""What requests ask beside a selection, and what they are answered: forms, which the OpenAPI document tells."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from ..feeds.events import Kind, State
from .selection import Length, MarketName, ModelName, Selection, Tier, Time

MOST_LEVEL = 8
"""Of detail: a column of it is 65,536 windows."""
Number: TypeAlias = float | None
"""None where nothing is known."""
Numbers: TypeAlias = list[Number]
Moments: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,19}\.[0-9]{1,19}\.[0-9]{1,19}(,[0-9]{1,19}\.[0-9]{1,19}\.[0-9]{1,19}){0,15}/[0-9.e+-]{1,32}$"
    ),
]


def said(what: str) -> Meta:
    """Return a description."""
    return Meta(description=what)


# --- asked ---


class HeatmapAsked(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A heatmap."""

    liquidated: Annotated[bool, said("Whether to tell by cell what was liquidated, too.")] = False


class ColumnsAsked(HeatmapAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is new of a heatmap."""

    since: Annotated[Moments, said("`next` of the answer before.")]


class MapAsked(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A liquidation map."""

    percent: (
        Annotated[
            float,
            Meta(gt=0, lt=100, description="How far the price moves in `sentence` and `within`; else to the clusters."),
        ]
        | None
    ) = None


class ZonesAsked(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Zones; ``threshold`` is that of the zones, by default p90."""

    within: (
        Annotated[float, Meta(gt=0, lt=100, description="Only zones at most so many percent from the last price.")]
        | None
    ) = None
    over: Annotated[int, Meta(ge=1, le=100_000, description="Over how many columns persistence counts.")] = 100


class PageAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of earlier columns."""

    market: Annotated[
        tuple[MarketName, ...],
        Meta(min_length=1, max_length=16, description="Market, or several of one underlying to be summed."),
    ]
    step: Annotated[
        float, Meta(gt=0, le=1e15, description="Height of a row at level 0, price: a multiple of the book's bins.")
    ]
    page: Annotated[
        int, Meta(ge=0, le=2**40, description="Which: 256 columns of the level, counted from the UNIX epoch.")
    ]
    level: Annotated[
        int,
        Meta(ge=0, le=MOST_LEVEL, description="Of detail: a column is 4^level windows, a row 2^(level // 2) steps."),
    ] = 0
    model: ModelName | None = None
    side: Annotated[Literal["both", "long", "short"], said("Whose levels. The other side's values are 0.")] = "both"
    leverage: Annotated[tuple[Tier, ...], Meta(max_length=64, description="Tiers of leverage; by default all.")] = ()
    opened_within: (
        Annotated[Length, said("Only levels opened within so much time before each window's end.")] | None
    ) = None
    unit: Annotated[Literal["usd", "quantity"], said("Of values.")] = "usd"

    def __post_init__(self) -> None:
        """Refuse what breaks a rule whatever the markets hold."""
        Selection(market=self.market, opened_within=self.opened_within)


class LawAsked(Selection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The law by which liquidations move the price, of scenarios."""

    y: Annotated[float, Meta(gt=0, le=1000, description="Y of move = Y sigma sqrt(Q / V).")] = 1.0
    scale: Annotated[
        float, Meta(gt=0, le=1000, description="Share of the levels that is taken for real: they are relative.")
    ] = 1.0
    sigma: (
        Annotated[float, Meta(gt=0, le=100, description="Volatility of a day, a fraction; by default of the columns.")]
        | None
    ) = None
    volume: (
        Annotated[float, Meta(gt=0, le=1e15, description="Traded a day, in the unit; by default of the columns.")]
        | None
    ) = None


class CascadeAsked(LawAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a move of the price would set off."""

    to: Annotated[
        float, Meta(gt=0, le=1e15, description="Price it moves to: below the last longs are liquidated, above shorts.")
    ]


class StopsAsked(LawAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Places for a stop; ``threshold`` is that of the clusters, by default p90."""

    position: Annotated[Literal["long", "short"], said("Whose stop.")]
    entry: Annotated[float, Meta(gt=0, le=1e15, description="Price of the entry; by default the last.")] | None = None
    risk: Annotated[float, Meta(gt=0, lt=100, description="How far from the entry a stop may stand, percent.")] = 5.0


class MarketsAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told of some markets."""

    market: Annotated[
        tuple[MarketName, ...],
        Meta(max_length=64, description="Markets as `/markets` lists them; by default all."),
    ] = ()


class FeaturesAsked(MarketsAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Features of markets."""

    model: ModelName | None = None


class LiquidationsAsked(MarketsAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Liquidations that venues told of."""

    least: Annotated[float, Meta(ge=0, le=1e15, description="Only those of at least so many USD.")] = 0.0
    since: Annotated[int, Meta(ge=0, le=2**62, description="Only those of this time or later, ns.")] = 0


class NewsAsked(MarketsAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has happened."""

    since: Annotated[int, Meta(ge=0, le=2**62, description="Number of the last that is known: what came after it.")] = 0
    most: Annotated[int, Meta(ge=1, le=10_000, description="At most so many, the oldest first.")] = 1_000


class HolesAsked(MarketsAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Holes in streams."""


class TradesAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """Trades of a market, of the journal."""

    market: Annotated[MarketName, said("As `/markets` lists it.")]
    start: Annotated[Time, said("Trades of this time or later; by default all.")] | None = None
    end: Annotated[Time, said("Trades before this time; by default up to now.")] | None = None


class NothingAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing."""


# --- answered ---


class Refusal(Struct, frozen=True):
    """Why a request is not answered."""

    error: Annotated[str, said("What is wrong, in a sentence.")]
    argument: Annotated[str, said("Which parameter or header; empty: none is at fault.")]
    rule: Annotated[str, said("What it must be.")]
    value: Annotated[str, said("What it was; of the token nothing is told.")]


class Stream(Struct, frozen=True):
    """A stream of a market."""

    state: State
    since: Annotated[int, said("When it came into this state, by the machine's clock, ns.")]
    age_s: Annotated[float, said("How long ago that was, seconds.")]
    why: str


class MarketAnswer(Struct, frozen=True):
    """A market that is followed."""

    market: MarketName
    number: Annotated[str | None, said("Of the moment; null: nothing has traded yet.")]
    ts: Annotated[int | None, said("The engine's clock, ns.")]
    price: Annotated[Number, said("The last, of the moment.")]
    latest: Annotated[int, said("Time of the latest event, ns; 0: there was none.")]
    mark: Number
    open_interest: Annotated[Number, said("In the unit of the market's trades.")]
    funding_rate: Number
    streams: dict[Kind, Stream]
    holes: Annotated[int, said("How many stay open, of those that are kept.")]
    realised_complete: Annotated[
        bool,
        said("Whether the venue is known to tell of every liquidation; else totals are a floor, or it told of none."),
    ]
    counts: Annotated[dict[str, int], said("Trades and events that were raised, late, of another market; notices.")]
    tick_size: Number
    lot_size: Number
    window_ns: int | None
    book_step: Annotated[Number, said("Height of the book's bins, price.")]
    tiers: list[float]


class MarketsAnswer(Struct, frozen=True):
    """Markets that are followed."""

    source: Annotated[Literal["live", "replay", "demo"], said("A demo's market is synthetic.")]
    now: Annotated[int, said("By the machine's clock, ns.")]
    news: Annotated[int, said("Number of the latest news.")]
    markets: list[MarketAnswer]
    models: Annotated[list[str], said("That are followed of each market; the first is the main one.")]


class Candles(Struct, frozen=True):
    """Candles of columns; null where nothing traded."""

    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers
    buy_qty: Numbers
    sell_qty: Numbers


class Realised(Struct, frozen=True):
    """What the venues told of as liquidated in each column, USD, as far as was told by the time of the answer."""

    long: Numbers
    short: Numbers
    complete: Annotated[
        bool, said("Whether the venues are known to tell of every one; else it is a floor, or none was told.")
    ]


class LiveScaleAnswer(Struct, frozen=True):
    """By what the USD of a fitted profile are multiplied: what its market told of over what was predicted, lately."""

    long: Annotated[float, said("1 without a live scale, as is the other side's.")]
    short: float
    as_of: Annotated[int | None, said("When it was known, ns; null: there is none, USD are of the date of the fit.")]
    since: Annotated[int | None, said("When there was the first, ns: columns that end earlier are without one.")]
    why: Annotated[str, said("Why there is none; empty: there is one.")]


class About(Struct, frozen=True):
    """What every answer of a picture says of itself."""

    number: Annotated[str, said("Of the moment; of several markets one each, between commas.")]
    markets: list[MarketName]
    symbol: str
    source: Literal["live", "replay", "demo"]
    synthetic: bool
    model: str
    meaning: Annotated[str, said("What an amount says: opened turnover, open-interest scale, ...")]
    trigger: Annotated[str, said("Which price reaches levels: last, mark, candle.")]
    unit: Literal["usd", "quantity"]
    step: Annotated[float, said("Height of a row, price.")]
    ts: Annotated[int, said("The engine's clock at the moment, ns; of several markets the earliest.")]
    price: Annotated[Number, said("The last.")]
    book_age_ns: Annotated[int | None, said("How long the book has been fed at the last column, ns.")]
    begins_anew: Annotated[int | None, said("Time at which the book has begun anew, ns; null: it has not.")]
    notes: list[str]
    live_scale: Annotated[dict[str, LiveScaleAnswer], said("Of each market whose profile is fitted.")]


class HeatmapAnswer(About, frozen=True):
    """A heatmap: long and short are lists of columns, each a list of rows."""

    next: Annotated[str, said("`since` of the request for what is new.")]
    resync: Annotated[bool, said("Whether it is not a part that is new, but all that was asked for.")]
    why: Annotated[str, said("Why, where that is not what was asked for.")]
    window_ns: int
    times: Annotated[list[int], said("Starts of the columns, ns since the UNIX epoch.")]
    complete: Annotated[list[bool], said("Whether the column's window has ended.")]
    prices: Annotated[list[float], said("Lower edges of the rows, rising.")]
    long: Annotated[list[Numbers], said("Live long levels at each column's end, float32.")]
    short: Annotated[list[Numbers], said("Live short levels at each column's end, float32.")]
    cut: Annotated[float, said("Amount below which cells are 0; 0: no threshold.")]
    candles: Candles
    open_interest: Annotated[
        Numbers | None,
        said("The last sample at each column's end, quantity; null where markets count different things."),
    ]
    realised: Realised
    gaps: Annotated[list[tuple[int, int]], said("Stretches without trades that stay so, ns.")]
    liquidated: Annotated[
        list[Numbers] | None, said("What was liquidated in each column, by cell, float32; where it is asked for.")
    ]
    stale: Annotated[list[str], said("Of several markets: which are shown as last known, or left out, and since when.")]


class TierBars(Struct, frozen=True):
    """Bars of one tier of leverage."""

    leverage: Annotated[float, said("Below 1 the distance of its levels from their entries, as a share of these.")]
    name: Annotated[str, said("How it is shown: `25x`, or `0.2 %`.")]
    long: Numbers
    short: Numbers


class ClusterAnswer(Struct, frozen=True):
    """The bin of a side that holds the most."""

    low: float
    high: float
    price: Annotated[float, said("Its middle.")]
    value: float
    distance_percent: float


class WithinAnswer(Struct, frozen=True):
    """What a move of so many percent reaches: longs by a fall to low, shorts by a rise to high."""

    percent: float
    low: float
    high: float
    long: float
    short: float
    long_ends: Annotated[
        tuple[float, float] | None, said("95 % interval, where the profile was fitted; null: not known.")
    ] = None
    short_ends: tuple[float, float] | None = None


class MapAnswer(About, frozen=True):
    """A liquidation map."""

    time: Annotated[int, said("Its instant: the end of a column, ns.")]
    complete: bool
    prices: Annotated[list[float], said("Lower edges of the bins, rising.")]
    tiers: Annotated[list[TierBars], said("They sum to the whole.")]
    cumulative_long: Annotated[Numbers, said("Longs from the bin up to the price: what a fall into it reaches.")]
    cumulative_short: Annotated[Numbers, said("Shorts from the price up to the bin: what a rise into it reaches.")]
    long: Annotated[float, said("All longs, whatever prices are shown.")]
    short: Annotated[float, said("All shorts, whatever prices are shown.")]
    largest_long: ClusterAnswer | None
    largest_short: ClusterAnswer | None
    within: WithinAnswer | None
    factors: Annotated[
        list[list[float]] | None,
        said("Of each profile drawn anew the weight of each tier over the fitted one; null: not known."),
    ]
    sentence: Annotated[str, said("Says how much a fall and a rise reach; empty where nothing has traded.")]


class ZoneAnswer(Struct, frozen=True):
    """Neighbouring bins of one side at or above the threshold."""

    side: Literal["long", "short"]
    low: float
    high: float
    value: float
    share: Annotated[float, said("Of all that is live on its side, 0 to 1.")]
    peak_price: float
    peak_value: float
    distance_percent: Annotated[Number, said("From the price to its nearer edge; negative below.")]
    since_ns: int
    persistence: Annotated[float, said("In which share of the last columns it was there, 0 to 1.")]
    ages: Annotated[dict[str, Number], said("Which share was opened within 1h, 4h, 1d, 1w, 1mo, 0 to 1.")]
    threshold: Annotated[float, said("What each of its bins holds at least.")]
    value_low: Annotated[Number, said("Of its 95 % interval, where the profile was fitted; null: not known.")] = None
    value_high: Number = None


class ZonesAnswer(About, frozen=True):
    """Zones, the lowest price first."""

    time: Annotated[int, said("Their instant: the end of a column, ns.")]
    zones: list[ZoneAnswer]


class QuantileAnswer(Struct, frozen=True):
    """A quantile over what is not known of the law."""

    level: float
    end_price: Number
    liquidated: float


class PathAnswer(Struct, frozen=True):
    """A round of a cascade; the first is the move that begins it."""

    seconds: float
    price: Number
    liquidated: float


class CascadeAnswer(About, frozen=True):
    """A cascade: a scenario, no forecast."""

    time: Annotated[int, said("Its instant: the end of a column, ns.")]
    side: Annotated[Literal["long", "short"], said("Whose positions are liquidated.")]
    shock_percent: Annotated[float, said("The move that begins it.")]
    end_price: Number
    move_percent: Number
    overshoot_percent: Annotated[Number, said("What the cascade adds to the move.")]
    liquidated: float
    layers: Annotated[dict[str, float], said("The same by tier of leverage.")]
    quantiles: list[QuantileAnswer]
    path: list[PathAnswer]
    law: str
    daily: Annotated[str, said("Of what sigma and volume are.")]
    sigma: Number
    volume: Number
    scenario: Annotated[list[str], said("What must be said beside it; first that it is no forecast.")]


class StopAnswer(Struct, frozen=True):
    """A price for a stop beyond a cluster."""

    price: float
    distance_percent: Annotated[float, said("From the entry, negative below.")]
    cluster_low: float
    cluster_high: float
    between: Annotated[float, said("What is liquidated on the way from the last price.")]
    to_next_percent: Annotated[Number, said("To the next cluster beyond; null: there is none.")]
    round_number: Annotated[Number, said("Just beyond which it stands; null: none is so near.")]
    fill_price: Annotated[Number, said("Where a cascade to the stop would end.")]
    slippage_percent: Number
    slippage: Annotated[dict[str, Number], said("Quantiles of it, percent: p5, p25, p50, p75, p95.")]


class StopsAnswer(About, frozen=True):
    """Places for a stop, the nearest first: scenarios, no forecasts."""

    time: Annotated[int, said("Their instant: the end of a column, ns.")]
    entry: float
    law: str
    stops: list[StopAnswer]
    scenario: Annotated[list[str], said("What must be said beside it; first that it is no forecast.")]


class FeaturesOf(Struct, frozen=True):
    """Features of a market at its moment; docs/how-to/features.md says what each means."""

    market: MarketName
    number: str
    ts: Annotated[int | None, said("The engine's clock, ns.")]
    features: dict[str, Number]
    live_scale: Annotated[
        LiveScaleAnswer | None,
        said("What USD here are yet to be multiplied by, as they are the engine's own; null: nothing was fitted."),
    ] = None


class FeaturesAnswer(Struct, frozen=True):
    """Features of markets in which something has traded."""

    markets: list[FeaturesOf]


class NewsEntry(Struct, frozen=True):
    """A thing that happened."""

    number: int
    kind: Literal["column", "zone", "liquidation", "gap"]
    market: MarketName
    what: Annotated[dict[str, Any], said("Its fields: docs/how-to/live.md lists them.")]


class NewsAnswer(Struct, frozen=True):
    """What came after a number, the oldest first."""

    last: Annotated[int, said("Number of the latest news; less than `since`: the server has begun anew.")]
    next: Annotated[int, said("`since` of the next request.")]
    missed: Annotated[bool, said("Whether some of what was asked for is not kept any more.")]
    news: list[NewsEntry]


class Hole(Struct, frozen=True):
    """A hole in a stream."""

    market: MarketName
    stream: Kind
    state: State
    ts: Annotated[int, said("When this was told, by the machine's clock, ns.")]
    since: Annotated[int, said("Its span, by times of the venue where they are known, ns; 0: it is not known.")]
    until: int
    first: Annotated[int, said("Numbers of the trades that are missing; 0: the venue does not count.")]
    last: int
    why: str


class HolesAnswer(Struct, frozen=True):
    """The last changes that tell of a hole, the oldest first in each market."""

    holes: list[Hole]


class Reason(Struct, frozen=True):
    """Something that is not well."""

    what: Literal["stream", "market", "journal", "engine", "disk"]
    market: str
    why: str


class HealthAnswer(Struct, frozen=True):
    """Whether all is well."""

    ok: bool
    version: str
    source: Literal["live", "replay", "demo"]
    markets: int
    reasons: list[Reason]
