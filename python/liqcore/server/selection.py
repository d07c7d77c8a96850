"""What of a market, or of several as one, is asked for: checked once, the same for requests and for streams."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
import numpy as np
from msgspec import Meta, Struct

from ..config.machine_sections import ServerConfig
from ..errors import InvalidConfigError
from ..live.board import Board, Moment
from ..live.following import Following
from ..views.heatmap import Heatmap
from ..views.merge import join_venues
from ..words.threshold import Threshold
from ..words.times import parse_duration, to_ns
from .refused import RefusedError

LENGTH = r"^([1-9][0-9]{0,3}(s|m|h|d|w)|[1-9][0-9]{0,2}mo|[1-9][0-9]?y)$"
TIME = (
    r"^([1-9][0-9]{17}|1[0-9]{18}|(20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?Z?)?)$"
)
THRESHOLD = (
    r"^(p(100|[0-9]{1,2}(\.[0-9]{1,3})?)|(100|[0-9]{1,2}(\.[0-9]{1,3})?)%"
    r"|[0-9]{1,15}(\.[0-9]{1,6})?|[1-9][0-9]{0,11}(\.[0-9]{1,3})?[kKMBT]"
    r"|[0-9]{1,15}(\.[0-9]{1,6})? (usd|quantity))$"
)

MODEL = r"^[a-z]{2,16}$"
MARKET = r"^[a-z0-9][a-z0-9-]{0,31}:[A-Za-z0-9_./@-]{1,64}$"
WRITTEN = {
    LENGTH: 'a length of time such as "30s", "5m" (minutes), "4h", "3d", "1w", "1mo" (30 days) or "1y"',
    TIME: 'a time such as "2026-06-12", "2026-06-12T10:00:00Z" or nanoseconds since the UNIX epoch, of 18 or 19 digits',
    THRESHOLD: 'a share ("0.1", "5%"), an amount above 1 ("10M", "250000 usd") or a percentile ("p95")',
    MARKET: 'a venue and a symbol such as "binance-usdm:BTCUSDT"',
    MODEL: 'a model such as "flow" or "presence"',
}
"""What texts of these patterns are, as a rule tells it."""

MarketName: TypeAlias = Annotated[str, Meta(pattern=MARKET)]
Length: TypeAlias = Annotated[str, Meta(pattern=LENGTH)]
Time: TypeAlias = Annotated[str, Meta(pattern=TIME)]
Price: TypeAlias = Annotated[float, Meta(ge=0, le=1e15)]
ModelName: TypeAlias = Annotated[
    str,
    Meta(pattern=MODEL, description="Model, where several are followed (`/markets` lists them); by default "
         "the main one."),
]  # fmt: skip
Tier: TypeAlias = Annotated[float, Meta(gt=0, le=1000)]

T = TypeVar("T")


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What of one market, or of several summed, is asked for; the fields are the names of a request's parameters.

    ``Selection.asked`` reads the text of a query, ``Selection.told`` the JSON of a message; both check all that can be
    checked without a market. `picture` checks the rest, and takes the part out of what markets have published.
    """

    market: Annotated[
        tuple[MarketName, ...],
        Meta(min_length=1, max_length=16, description="Market, or several of one underlying to be summed: "
             "`binance-usdm:BTCUSDT`, names as `/markets` lists them."),
    ]  # fmt: skip
    model: ModelName | None = None
    side: Annotated[
        Literal["both", "long", "short"], Meta(description="Whose levels. The other side's values are 0.")
    ] = "both"
    leverage: Annotated[
        tuple[Tier, ...],
        Meta(
            max_length=64,
            description="Tiers of leverage to show, among the market's (0.002: "
            "those 0.2 % from their entries); by default all.",
        ),
    ] = ()
    step: (
        Annotated[float, Meta(gt=0, le=1e15, description="Height of a row, price: a multiple of the book's bins.")]
        | None
    ) = None
    rows: Annotated[
        int, Meta(ge=2, le=100_000, description="At most so many rows: where `step` is not given it is made so high.")
    ] = 500
    columns: Annotated[
        int, Meta(ge=1, le=1_000_000, description="At most so many columns, the latest of what is asked.")
    ] = 720
    low: (
        Annotated[Price, Meta(description="Lowest price of interest: rows that end at or below it are left out.")]
        | None
    ) = None
    high: Annotated[Price, Meta(description="Highest price of interest: rows from it on are left out.")] | None = None
    window: (
        Annotated[Length, Meta(description="Length of a column, a multiple of the engine's window: `15m`.")] | None
    ) = None
    start: Annotated[Time, Meta(description="Columns that begin at this time or later.")] | None = None
    end: Annotated[Time, Meta(description="Columns that have ended by this time.")] | None = None
    last: Annotated[Length, Meta(description="Columns of the last so much time.")] | None = None
    opened_within: (
        Annotated[Length, Meta(description="Only levels opened within so much time before each column's end.")] | None
    ) = None
    threshold: (
        Annotated[
            str,
            Meta(
                pattern=THRESHOLD,
                description="Cells below it are 0: a share of the greatest, an amount in `unit`, or a percentile.",
            ),
        ]
        | None
    ) = None
    unit: Annotated[Literal["usd", "quantity"], Meta(description="Of values and amounts.")] = "usd"
    value: Annotated[
        Literal["level", "entry"],
        Meta(description="At which price USD of a linear contract are reckoned: the level's or its entry's."),
    ] = "level"
    price_from: (
        Annotated[
            MarketName,
            Meta(description="Of several markets: whose candles and price are shown; by default the first one's."),
        ]
        | None
    ) = None
    stale_after: (
        Annotated[
            Length,
            Meta(
                description="Of several markets: one that was silent for so long at a column's end is left out there."
            ),
        ]
        | None
    ) = None
    ended: Annotated[
        Literal["keep", "drop"],
        Meta(description="Of several markets: whether one whose data ends before the others' stays as last known."),
    ] = "keep"

    def __post_init__(self) -> None:
        """Refuse what breaks a rule whatever the markets hold."""
        if len(set(self.market)) < len(self.market):
            raise RefusedError.broken("market", "must name different markets", ",".join(self.market))
        if self.price_from is not None and self.price_from not in self.market:
            raise RefusedError.broken("price_from", "must be among the markets asked for", self.price_from, 409)
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise RefusedError.broken("low", f"must be below high ({self.high:g})", f"{self.low:g}", 409)
        try:
            if self.threshold is not None:
                Threshold.of(number_or_text(self.threshold))
            for name in ("window", "last", "opened_within", "stale_after"):
                if (length := getattr(self, name)) is not None:
                    parse_duration(length, name=name)
            start, end = (at if at is None else to_ns(time(at), name=name)
                          for name, at in (("start", self.start), ("end", self.end)))  # fmt: skip
        except InvalidConfigError as error:
            raise RefusedError.of(error, 400) from None
        if start is not None and end is not None and not start < end:
            raise RefusedError.broken("start", "must be before end", self.start, 409)

    @classmethod
    def asked(cls, query: Sequence[tuple[str, str]]) -> "Selection":
        """
        Read the parameters of a query, by name.

        Raises
        ------
        RefusedError
            If one is unknown, given twice, or breaks its rule.
        """
        return read(cls, query)

    @classmethod
    def told(cls, said: Any) -> "Selection":
        """
        Read what a message says, decoded from JSON; raises RefusedError as `asked` does.

        Parameters
        ----------
        said : Any
            A mapping of the fields' names.
        """
        return _made(cls, said, strict=True)

    def moments(self, of: Mapping[str, Moment | None]) -> tuple[Moment, ...]:
        """
        Take the markets asked for out of what there is.

        Raises
        ------
        RefusedError
            If a market is not followed, or nothing has traded in it yet.
        """
        found = []
        for name in self.market:
            if name not in of:
                raise RefusedError.broken("market", "must be one that is followed (/markets lists them)", name, 404)
            moment = of[name]
            if moment is None:
                raise RefusedError.broken("market", "must have had a trade", name, 409)
            found.append(moment)
        return tuple(found)

    def picture(self, moments: Sequence[Moment], limits: ServerConfig) -> "Picture":
        """
        Return the part asked for of what markets have published, in the order of ``market``.

        Raises
        ------
        RefusedError
            If an argument breaks a rule that the markets set, or more is asked for than the limits allow.
        """
        try:
            whole = [moment.heatmap() for moment in moments]
            heatmap = whole[0]
            if len(whole) > 1:
                heatmap = join_venues(
                    dict(zip(self.market, whole, strict=True)),
                    price_from=self.price_from or self.market[0],
                    stale_after=self.stale_after,
                    ended=self.ended,
                )
            return self._part(heatmap, limits, tuple(moment.number for moment in moments))
        except InvalidConfigError as error:
            raise RefusedError.of(error) from None

    def _part(self, heatmap: Heatmap, limits: ServerConfig, numbers: tuple[tuple[int, int], ...]) -> "Picture":
        if self.window is not None:
            heatmap = heatmap.rebin(window=self.window)
        chosen: dict[str, Any] = {
            "side": None if self.side == "both" else self.side,
            "leverage": self.leverage or None,
            "start": None if self.start is None else time(self.start),
            "end": None if self.end is None else time(self.end),
            "last": self.last,
            "opened_within": self.opened_within,
            "unit": self.unit,
            "value": None if self.value == "level" else self.value,
        }
        # The columns that are left are chosen before the rest, so that no more is reckoned than is shown.
        span = {name: chosen.pop(name) for name in ("start", "end", "last")}
        heatmap = heatmap.select(**span)
        columns = min(self.columns, limits.columns)
        if len(heatmap.times) > columns:
            heatmap = heatmap.select(start=int(heatmap.times[-columns]))
        heatmap = heatmap.select(**chosen)
        heatmap = heatmap.rebin(step=self._step(heatmap, min(self.rows, limits.rows)))
        if self.threshold is not None:
            heatmap = heatmap.select(threshold=number_or_text(self.threshold))
        low, high = self._rows(heatmap)
        if high - low > limits.rows:
            rule = f"must leave at most {limits.rows:,} rows"
            raise RefusedError.broken("step", rule, f"{heatmap.step:g}, which makes {high - low:,}", 409)
        return Picture(heatmap, low, high, numbers)

    def _rows(self, heatmap: Heatmap) -> tuple[int, int]:
        """The rows that overlap the prices asked for: first, and end."""
        edges, count = heatmap._shown.edges, len(heatmap.prices)
        low = 0 if self.low is None else int(np.searchsorted(edges[1:], self.low, side="right"))
        high = count if self.high is None else int(np.searchsorted(edges[:-1], self.high, side="left"))
        return min(low, count), max(min(high, count), min(low, count))

    def _step(self, heatmap: Heatmap, rows: int) -> float:
        """Height of the rows: what is asked for, else the usual one or the least multiple of it that leaves so many."""
        if self.step is not None:
            return self.step
        low, high = self._rows(heatmap)
        unit = Fraction(repr(heatmap.step))
        # Rows lie at multiples of their height: n of them, taken `times` together, touch ceil((n - 1) / times) + 1.
        times = 1 if high - low <= rows else -(-(high - low - 1) // max(rows - 1, 1))
        return float(times * unit)


@dataclass(frozen=True, slots=True)
class Picture:
    """
    What was asked for, of one moment.

    Attributes
    ----------
    heatmap : Heatmap
        In the columns and rows asked for; it may have rows beyond the prices asked for.
    low, high : int
        The rows asked for: first, and end.
    numbers : tuple of (int, int)
        Of the moments that it is made of, in the order of the markets.
    """

    heatmap: Heatmap
    low: int
    high: int
    numbers: tuple[tuple[int, int], ...]


def boards_of(following: Following, model: str | None) -> dict[str, Board]:
    """
    Return the boards of a model by the names of their markets, by default the main one's.

    Raises
    ------
    RefusedError
        If the model is not followed.
    """
    try:
        found = following.of(model)
    except KeyError:
        rule = f"must be one that is followed ({', '.join(following.models)})"
        raise RefusedError.broken("model", rule, model, 404) from None
    return {str(market): board for market, board in found.items()}


def time(text: str) -> int | str:
    """Return a time as `liqcore` takes it: a whole number is nanoseconds."""
    return int(text) if text.isdigit() else text


def number_or_text(text: str) -> float | str:
    """Return a number, where a text is one."""
    try:
        return float(text)
    except ValueError:
        return text


def read(kind: type[T], query: Sequence[tuple[str, str]]) -> T:
    """
    Read the text of a query as a Struct: fields that hold several take them between commas.

    Raises
    ------
    RefusedError
        If a parameter is unknown, given twice, or breaks its rule.
    """
    several = {name for name, of in _fields(kind).items() if isinstance(of, msgspec.inspect.VarTupleType)}
    values: dict[str, Any] = {}
    for name, text in query:
        if name in values:
            raise RefusedError.broken(name, "must be given once", "given twice")
        if text.lower() == "null":  # which a text's conversion takes for None
            raise RefusedError.broken(name, "must be a value, or be left out", text)
        values[name] = text.split(",") if name in several else text
    return _made(kind, values, strict=False)


def _fields(kind: type) -> dict[str, Any]:
    """What each field holds, without its limits."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return {
        field.encode_name: field.type.type if isinstance(field.type, msgspec.inspect.Metadata) else field.type
        for field in info.fields
    }


_AT = re.compile(r"(?P<rule>.*) - at `\$\.?(?P<argument>\w*).*`\Z", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<argument>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<argument>.*)`")


def _made(kind: type[T], values: Any, *, strict: bool) -> T:
    try:
        made = msgspec.convert(values, kind, strict=strict)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, RefusedError):
            raise error.__cause__ from None
        raise _refused(kind, values, str(error)) from None
    for name in kind.__struct_fields__:  # type: ignore[attr-defined]
        if isinstance(number := getattr(made, name), float) and not math.isfinite(number):
            raise RefusedError.broken(name, "must be a finite number", number)
    return made


def _refused(kind: type, values: Any, said: str) -> RefusedError:
    """Return what a conversion says, in the form of all refusals."""
    if (unknown := _UNKNOWN.match(said)) is not None:
        known = ", ".join(kind.__struct_fields__)  # type: ignore[attr-defined]
        rule = f"must be one of {known}" if known else "must be left out: nothing can be asked for here"
        return RefusedError.broken("parameter", rule, unknown["argument"])
    if (missing := _MISSING.match(said)) is not None:
        return RefusedError.broken(missing["argument"], "must be given", "left out")
    at = _AT.match(said)
    if at is None or not at["argument"]:
        return RefusedError.broken("message", "must be an object of the documented names", type(values).__name__)
    name, rule = at["argument"], at["rule"]
    value = values.get(name) if isinstance(values, Mapping) else values
    shown = ",".join(map(str, value)) if isinstance(value, list | tuple) else value
    if rule.startswith("Invalid enum value"):
        rule = "must be one of " + ", ".join(_fields(kind)[name].values)
    elif "matching regex" in rule:
        known_patterns = (written for pattern, written in WRITTEN.items() if repr(pattern) in rule)
        rule = f"must be {next(known_patterns, 'what an answer gave')}"
    else:
        rule = rule.replace("Expected", "must be", 1).replace("`", "").split(", got")[0]
        rule = re.sub(r"\bint\b", "a whole number", re.sub(r"\bfloat\b", "a number", rule.replace(" | null", "")))
    return RefusedError.broken(name, rule, shown)
