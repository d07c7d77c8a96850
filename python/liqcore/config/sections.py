"""The sections of a configuration and their settings: one declaration each, which everything else is made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .._core import MarginSchedule
from . import risk_tiers
from .machine_sections import AlertsConfig, JournalConfig, LimitsConfig, LiveConfig, LogConfig, ServerConfig
from .rules import (
    BOOLEAN,
    HALF_LIFE,
    INSTANT,
    LENGTH,
    POSITIONS,
    PRICE_RANGE,
    RISK,
    SHARES,
    THRESHOLD,
    TIERS,
    choice,
    number_text,
    real,
    some_text,
    whole,
)
from .setting import Section, Setting, setting, settings_of

OF_SIDES = ("map", "zones", "magnets", "confluence", "export")
"""Commands that look at a heatmap, saved or made from trades; at one of its sides, too."""

OF_VIEWS = (*OF_SIDES, "stops", "cascade")
"""The same, and those that have a side of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentConfig(Section):
    """What is traded, on what terms."""

    symbol: str | None = setting(
        None,
        some_text("a symbol", most=1_000),
        "Symbol, as the venue writes it.",
        unset="taken from the files' names or contents",
        example='"BTCUSDT"',
        argument="symbol",
        flag="--symbol",
        commands=("heatmap", "map", "zones", "features", "score", "calibrate"),
    )
    venue: str | None = setting(
        None,
        some_text("a venue", most=100),
        "Venue of the instrument, for the title.",
        unset="none is named",
        example='"binance-usdm"',
        argument="venue",
        flag="--venue",
        commands=("heatmap", "features", "score", "calibrate"),
    )
    contract: Literal["linear", "inverse"] = setting(
        "linear",
        choice("linear", "inverse"),
        'Contract: "linear" is margined and settled in the quote currency, "inverse" in the base currency. Where it is '
        "not given: what the files' rows say, else their layout, else the catalogue.",
        argument="contract",
        flag="--contract",
        commands=("heatmap", "features", "score", "calibrate"),
        help='"linear" or "inverse". [default: what the rows of the files say, else their layout, else the catalogue]',
        found=True,
    )
    tick_size: float | None = setting(
        None,
        real("a number above 0", lambda x: x > 0),
        "Smallest step of the price, in the quote currency.",
        unset="found out from the files",
        example="0.1",
        flag="--tick-size",
        commands=("heatmap", "features", "score", "calibrate"),
    )
    lot_size: float | None = setting(
        None,
        real("a number above 0", lambda x: x > 0),
        "Smallest step of the quantity, in the unit the venue prints (base currency or contracts).",
        unset="found out from the files",
        example="0.001",
        flag="--lot-size",
        commands=("heatmap", "features", "score", "calibrate"),
    )
    multiplier: float = setting(
        1.0,
        real("a number above 0", lambda x: x > 0),
        "What one unit of quantity stands for: base currency (linear) or USD (inverse). Where it is not given, as "
        "contract.",
        argument="multiplier",
        flag="--multiplier",
        commands=("heatmap", "features", "score", "calibrate"),
        help="What one unit of quantity stands for: base currency (linear) or USD (inverse). [default: as --contract]",
        found=True,
    )
    mmr: float = setting(
        0.004,
        real("a fraction from 0 to below 1 (0.004 is 0.4 %)", lambda x: 0 <= x < 1),
        "Maintenance margin rate, a fraction of the notional (0.004 is 0.4 %).",
        flag="--mmr",
        commands=("heatmap", "features", "score", "calibrate"),
        help="Maintenance margin rate, a fraction of the notional. [default: the catalogue's, else 0.004]",
        found=True,
    )
    fee: float = setting(
        0.0,
        real("a fraction from 0 to below 1 (0.0005 is 0.05 %)", lambda x: 0 <= x < 1),
        "Fee of the liquidation, a fraction of the notional (0.0005 is 0.05 %).",
        found=True,
    )
    basis: Literal["mark", "entry"] = setting(
        "mark",
        choice("mark", "entry"),
        'Price at which the maintenance margin is reckoned: "mark" or "entry".',
        found=True,
    )
    max_leverage: float | None = setting(
        None,
        real("a leverage of at least 1", lambda x: x >= 1),
        "Highest leverage that is offered: tiers above it are left out and their shares divided among the rest.",
        unset="no limit, or the catalogue's where venue and symbol are listed there",
        example="40.0",
    )
    risk: MarginSchedule | None = setting(  # noqa: RUF009
        None, RISK, risk_tiers.DOC, unset=risk_tiers.UNSET, example=risk_tiers.EXAMPLE, late=True
    )

    def __post_init__(self) -> None:
        Section.__post_init__(self)
        if self.risk is not None:
            for name, value in risk_tiers.settle(self.risk).items():
                object.__setattr__(self, name, value)

    @staticmethod
    def _conflict(values: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        return risk_tiers.conflict(values, SETTINGS["instrument"]["mmr"].default)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageConfig(Section):
    """How opened quantity is shared out over leverage tiers."""

    preset: Literal["default", "integer-125", "binance-usdm", "bitmex", "hyperliquid", "auto"] = setting(
        "default",
        choice("default", "integer-125", "binance-usdm", "bitmex", "hyperliquid", "auto"),
        'Named profile: "default"; "auto", the same with what lies above the market\'s highest leverage at that one, '
        'which holds where none is given and the venue is known; "integer-125", every whole leverage from 1 to 125; or '
        "that of a venue. Goes without shares.",
        flag="--leverage",
        commands=("heatmap", "features", "score", "calibrate"),
        help='Shares by leverage, such as "10:50%,25:30%,100:20%", or a preset: default, auto (no tier above what the '
        "market offers), integer-125, or that of a venue: binance-usdm, bitmex, hyperliquid; or tiers to show alone, "
        'such as "25,50". [default: auto where the venue is known, else default]',
        found=True,
    )
    shares: Mapping[float, float] | None = setting(
        None,
        SHARES,
        "Own profile: share of the opened quantity by leverage tier; shares sum to 1. Goes without a preset.",
        unset="the preset",
        example='{ "10" = 0.5, "25" = 0.3, "100" = 0.2 }',
        flag="--leverage",
    )
    file: str | None = setting(
        None,
        some_text("a path", metavar="FILE"),
        "A fitted profile, as liqcore calibrate writes it: shares, intensity, half-lives and the rest are its own, and "
        "amounts are USD that would be liquidated. What stands beside it goes first, and is not fitted then.",
        unset="shares are assumed",
        example='"BTCUSDT-2026-03.json"',
        flag="--leverage",
        late=True,
    )
    fitted: str | None = setting(
        None,
        some_text("a name"),
        "Name of the fitted profile that was read: no need to set it.",
        unset="nothing was fitted",
        example='"BTCUSDT 2026-03-02 to 2026-03-23"',
        late=True,
    )
    intensity: float = setting(
        1.0,
        real("a number above 0", lambda x: x > 0),
        "Factor on all shares; 1 takes every opened quantity as it is.",
    )

    @staticmethod
    def _conflict(values: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        if values["shares"] is None or values["preset"] == "default":
            return None
        message = f'leverage.preset must be left out where leverage.shares is given, was "{values["preset"]}"'
        return ("preset", "shares"), message


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisConfig(Section):
    """The price axis."""

    low: float | None = setting(
        None,
        real("a price of at least 0", lambda x: x >= 0),
        "Lower end of a fixed price axis, in the quote currency; goes with high.",
        unset="the axis is chosen from the first price and grows",
        example="50_000",
    )
    high: float | None = setting(
        None,
        real("a price above 0", lambda x: x > 0),
        "Upper end of a fixed price axis, in the quote currency; goes with low.",
        unset="the axis is chosen from the first price and grows",
        example="80_000",
    )
    step: float | None = setting(
        None,
        real("a price step above 0", lambda x: x > 0),
        "Height of the picture's price bins, in the quote currency; a multiple of the tick size.",
        unset="five of the book's own bins, so some 4 basis points; of a coarse tick fewer, at least one tick",
        example="20",
        argument="step",
        flag="--bin",
        commands=("heatmap",),
    )
    book_step: float | None = setting(
        None,
        real("a price step above 0", lambda x: x > 0),
        "Height of the book's own price bins, in the quote currency; a multiple of the tick size.",
        unset="about 1 basis point of the first price, at least one tick",
        example="5",
        argument="book_step",
    )
    limit: int = setting(
        1_048_576,
        whole(1, 4_194_304, "bins"),
        "Where an axis that grows ends, in book bins above price zero; prices there are rejected as off_range.",
        argument="axis_limit",
        flag="--axis-limit",
        commands=("heatmap", "features"),
        late=True,
    )

    @staticmethod
    def _conflict(values: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        low, high = values["low"], values["high"]
        if (low is None) != (high is None):
            given, missing = ("low", "high") if high is None else ("high", "low")
            return (given, missing), f"axis.{missing} must be given where axis.{given} is, was left out"
        if low is not None and low >= high:
            ends = f"{number_text(low)} with high {number_text(high)}"
            return ("low", "high"), f"axis.low must be below axis.high, was {ends}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowConfig(Section):
    """The columns of the picture."""

    length: str = setting(
        "5m",
        LENGTH,
        'Length of a column: "30s", "5m" (minutes), "1h", "1d".',
        argument="window",
        flag="--window",
        commands=("heatmap", "features"),
    )
    warmup: str | None = setting(
        None,
        LENGTH,
        "Length of data that fills the book before the first column shown.",
        unset="every column is shown",
        example='"3d"',
        argument="warmup",
        flag="--warmup",
        commands=("heatmap", "features"),
    )
    last: str | None = setting(
        None,
        LENGTH,
        "Show only this length of time before the end of the data.",
        unset="everything after the warm-up",
        example='"24h"',
        argument="last",
        flag="--last",
        commands=("heatmap", "features", *OF_VIEWS, "merge", "screen", "watch"),
    )
    opened_within: str | None = setting(
        None,
        LENGTH,
        "Show only levels opened in this length of time before each column's end.",
        unset="whenever opened",
        example='"24h"',
        argument="opened_within",
        flag="--opened-within",
        commands=("heatmap", *OF_VIEWS, "merge", "screen", "watch"),
    )
    start: str | None = setting(
        None,
        INSTANT,
        "Show only columns that begin at this time (UTC) or later.",
        unset="from the first on",
        example='"2026-06-12"',
        argument="start",
        flag="--from",
        commands=("heatmap", "features", *OF_VIEWS, "merge", "screen", "watch"),
        late=True,
    )
    end: str | None = setting(
        None,
        INSTANT,
        "Show only columns that have ended by this time (UTC).",
        unset="up to the last",
        example='"2026-06-13T12:00"',
        argument="end",
        flag="--to",
        commands=("heatmap", "features", *OF_VIEWS, "merge", "screen", "watch"),
        late=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig(Section):
    """What opens and closes positions."""

    name: Literal["flow", "presence", "oi", "blend", "vendor", "positions", "none"] | None = setting(
        None,
        choice("flow", "presence", "oi", "blend", "vendor", "positions", "none"),
        'Model: "flow" opens every trade\'s quantity on the taker\'s side; "presence" opens there by time at a price, '
        'or by time and volume; "oi" goes by open interest; "blend" by open interest and a part of the turnover; '
        '"vendor" by events; "positions" shows real ones; "none" leaves the book to your program.',
        unset='"positions" where those are given, "oi" where open interest is, otherwise "flow"',
        example='"flow"',
        argument="model",
        flag="--model",
        commands=("heatmap", "features", "score", "calibrate"),
    )
    trigger: Literal["last", "mark", "candle"] | None = setting(
        None,
        choice("last", "mark", "candle"),
        'What liquidates a level when it reaches it: the "last" trade, the "mark" price or the "candle".',
        unset='"candle" with the model "vendor", "mark" where mark prices are given, otherwise "last"',
        example='"last"',
        argument="trigger",
        flag="--trigger",
        commands=("heatmap", "features"),
    )
    maker_share: float = setting(
        0.0,
        real("a share from 0 to 1", lambda x: 0 <= x <= 1),
        "Share of a trade's quantity that opens on the maker's side as well, from 0 to 1.",
        argument="maker_share",
        flag="--maker-share",
        commands=("heatmap", "score", "calibrate"),
    )
    half_life: str | Mapping[float, str] = setting(
        "default",
        HALF_LIFE,
        'Time in which half of what is open closes: "default", "none", one for all such as "7d", or by tier, e.g. '
        '{ "25" = "7d", "100" = "1d" }; tiers that are not named keep theirs for ever.',
        argument="half_life",
        flag="--half-life",
        commands=("heatmap", "features", "score", "calibrate"),
        help='Time in which half of what is open closes: "7d", "25:7d,100:1d" by leverage (the others: never), "none", '
        'or "default", which goes by the model. [default: "default"]',
    )
    taker_tilt: float = setting(
        0.0,
        real("a share from 0 to 1", lambda x: 0 <= x <= 1),
        "How far taker imbalance moves the entry prices of longs and shorts apart, from 0 to 1; for oi and blend.",
        argument="taker_tilt",
    )
    churn: float | None = setting(
        None,
        real("a share from 0 to 1", lambda x: 0 <= x <= 1),
        "Part of the turnover that opens and closes between two samples of open interest, from 0 to 1; for blend.",
        unset="0.1 for blend",
        example="0.1",
        argument="churn",
    )
    event_threshold: float | None = setting(
        None,
        real("a quantity of at least 0", lambda x: x >= 0),
        "Rise of open interest (quantity) above which it is an event; for vendor.",
        unset="open interest makes no events",
        example="100.0",
        argument="event_threshold",
    )
    reconciled: bool = setting(
        False,
        BOOLEAN,
        "Whether open interest corrects the book at every sample.",
        argument="reconciled",
        flag="--reconciled",
        commands=("heatmap",),
    )
    candle_price: Literal["hlc3", "close", "open", "ohlc4", "hl2"] = setting(
        "hlc3",
        choice("hlc3", "close", "open", "ohlc4", "hl2"),
        'Price of a candle at which its volumes open: the mean of high, low and close ("hlc3"), of all four ("ohlc4") '
        'or of high and low ("hl2"); "close"; "open".',
        argument="candle_price",
        flag="--candle-price",
        commands=("heatmap", "features", "score", "calibrate"),
        late=True,
    )
    exponent: float | None = setting(
        None,
        real("a share from 0 to 1", lambda x: 0 <= x <= 1),
        "For presence: from 0, by time at price alone, over 0.5, by both alike, to 1, by volume alone.",
        unset="0 for presence",
        example="0.5",
        argument="exponent",
        flag="--exponent",
        commands=("heatmap", "features", "score", "calibrate"),
        late=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig(Section):
    """Where events come from, besides the files named on the command line."""

    format: str = setting(
        "auto",
        some_text("a format's name"),
        'Format of the trade files; "auto" finds it out for each file.',
    )
    marks: str | None = setting(
        None,
        some_text("a path", "FILE"),
        "File or pattern of files of mark prices, seen from the working directory.",
        unset="no mark prices",
        example='"marks.parquet"',
        argument="marks",
        flag="--marks",
        commands=("heatmap", "features"),
    )
    open_interest: str | None = setting(
        None,
        some_text("a path", "FILE"),
        "File or pattern of files of open interest, seen from the working directory.",
        unset="no open interest",
        example='"BTCUSDT-metrics-*.zip"',
        argument="open_interest",
        flag="--open-interest",
        commands=("heatmap", "features"),
    )
    open_interest_sides: Literal["auto", "one", "two"] = setting(
        "auto",
        choice("auto", "one", "two"),
        'Whether the open interest counts "one" side, or "two", and is halved; "auto" goes by the files\' layout.',
        flag="--open-interest-sides",
        commands=("heatmap",),
    )
    candles: str | None = setting(
        None,
        some_text("a path", "FILE"),
        "File or pattern of files of candles, seen from the working directory.",
        unset="no candles",
        example='"klines.csv"',
        argument="candles",
        flag="--candles",
        commands=("heatmap", "map", "zones", "features"),
        help="File or pattern of candles, in place of trades or for --trigger candle.",
    )
    positions: str | None = setting(
        None,
        some_text("a path", "FILE"),
        "File or pattern of files of snapshots of real positions, seen from the working directory: the map itself, or, "
        "with another model, what its book begins with.",
        unset="no positions",
        example='"hyperliquid-positions-*.json"',
        argument="positions",
        flag="--positions",
        commands=("heatmap", "map", "zones"),
        help="File or pattern of snapshots of real positions: the map itself; with another --model, what its book "
        "begins with.",
        late=True,
    )
    outlier: float = setting(
        0.1,
        real("a share of the price from 0 to 1,000,000", lambda x: 0 <= x <= 1e6),
        "How far a price may lie from the one before it, as a share of it, before it is left out as an outlier until "
        "others agree; 0: every price is believed.",
        argument="outlier",
        flag="--outlier",
        commands=("heatmap", "features"),
        late=True,
    )
    redenomination: Literal["restart", "keep", "refuse"] = setting(
        "restart",
        choice("restart", "keep", "refuse"),
        'What a lasting jump of the price by a round factor does: "restart" begins the book anew, "keep" keeps the '
        'levels of before, "refuse" is an error.',
        argument="on_redenomination",
        flag="--on-redenomination",
        commands=("heatmap", "features"),
        late=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderConfig(Section):
    """The picture."""

    width: int = setting(
        1600,
        whole(480, 16_384, "pixels"),
        "Width of the picture, in pixels.",
        flag="--width",
        commands=("heatmap", "map", "merge"),
    )
    height: int = setting(
        900,
        whole(270, 16_384, "pixels"),
        "Height of the picture, in pixels.",
        flag="--height",
        commands=("heatmap", "map", "merge"),
    )
    colormap: Literal["viridis", "cividis", "inferno"] = setting(
        "viridis",
        choice("viridis", "cividis", "inferno"),
        'Colour map: "viridis", "cividis" (safest for the colour blind) or "inferno".',
        flag="--colormap",
        commands=("heatmap", "merge"),
    )
    scale: Literal["sqrt", "linear", "log"] = setting(
        "sqrt",
        choice("sqrt", "linear", "log"),
        'How values become colours: "sqrt" (square root), "linear" or "log".',
        flag="--scale",
        commands=("heatmap", "merge"),
    )
    theme: Literal["dark", "light"] = setting(
        "dark",
        choice("dark", "light"),
        'Look of the picture: "dark" or "light".',
        flag="--theme",
        commands=("heatmap", "map", "merge"),
    )
    title: str | None = setting(
        None,
        some_text("a title", most=1_000),
        "Title of the picture.",
        unset="market, kind of picture and time frame",
        example='"BTC, the week before the halving"',
        flag="--title",
        commands=("heatmap", "map", "merge"),
        late=True,
    )
    price_range: tuple[float, float] | None = setting(
        None,
        PRICE_RANGE,
        "Lowest and highest price of the picture, in the quote currency.",
        unset="where most of the trading was, and as much again around it",
        example="[58_000, 66_000]",
        flag="--price-range",
        commands=("heatmap", "map", "merge"),
        help='Lowest and highest price of the picture, such as "58000:66000". [default: where most of the trading was, '
        "and as much again around it]",
        late=True,
    )
    candle_colors: Literal["white", "green-red", "blue-orange"] = setting(
        "white",
        choice("white", "green-red", "blue-orange"),
        'Colours of rising and falling candles: "white", which no colour table has (falling ones are hollow), '
        '"green-red", or "blue-orange", which any colour vision tells apart.',
        flag="--candle-colors",
        commands=("heatmap", "merge"),
        late=True,
    )
    candle_style: Literal["filled", "hollow"] = setting(
        "filled",
        choice("filled", "hollow"),
        'Bodies of candles that rise: "filled" or "hollow"; white ones that fall are the other.',
        flag="--candle-style",
        commands=("heatmap", "merge"),
        late=True,
    )
    positions: tuple[str, ...] | None = setting(
        None,
        POSITIONS,
        "Positions of your own to mark, each side:entry:leverage or side:entry:leverage:quantity.",
        unset="none is marked",
        example='["long:60000:25x"]',
        flag="--position",
        commands=("heatmap", "map", "merge"),
        help="A position of your own to mark, with its liquidation price: side:entry:leverage, such as "
        '"long:60000:25x", or with the quantity behind it, which chooses the risk tier; may be repeated. '
        "[default: none]",
        late=True,
    )
    side: Literal["both", "long", "short"] = setting(
        "both",
        choice("both", "long", "short"),
        'Side of the positions shown: "long" levels lie below the price, "short" levels above it; or "both".',
        argument="side",
        flag="--side",
        commands=("heatmap", *OF_SIDES, "merge", "screen", "watch"),
    )
    threshold: float | str | None = setting(
        None,
        THRESHOLD,
        "Hide what is below this share of the maximum, amount, or percentile of what is not zero.",
        unset="nothing is hidden",
        example="0.1",
        argument="threshold",
        flag="--threshold",
        commands=("heatmap", "map", "merge"),
        help="Hide what is below this share of the maximum (0 to 1, or 5%), amount in USD (above 1, or 10M) or "
        "percentile (p95).",
    )
    maximum: float | None = setting(
        None,
        real("a number above 0", lambda x: x > 0),
        "Value of the brightest colour, in the result's unit (USD).",
        unset="a high percentile of the values shown",
        example="5e6",
        flag="--maximum",
        commands=("heatmap", "merge"),
    )
    value: Literal["level", "entry"] = setting(
        "level",
        choice("level", "entry"),
        'Price at which USD of linear contracts are reckoned: of the "level", or of the "entry" that implies it.',
        argument="value",
        flag="--value",
        commands=("heatmap", *OF_VIEWS, "merge", "screen", "watch"),
        late=True,
    )
    tiers: str | None = setting(
        None,
        TIERS,
        "Leverage tiers shown, at the weights that they have among all.",
        unset="all of them",
        example='"25,50"',
        flag="--leverage",
        late=True,
    )


SECTIONS: dict[str, type[Section]] = {
    "instrument": InstrumentConfig,
    "leverage": LeverageConfig,
    "axis": AxisConfig,
    "window": WindowConfig,
    "model": ModelConfig,
    "source": SourceConfig,
    "render": RenderConfig,
    "log": LogConfig,
    "limits": LimitsConfig,
    "journal": JournalConfig,
    "live": LiveConfig,
    "server": ServerConfig,
    "alerts": AlertsConfig,
}
SETTINGS: dict[str, dict[str, Setting]] = {section: settings_of(kind) for section, kind in SECTIONS.items()}
"""Every setting, by section and key, in the order of the file."""

# Setting one of these on a later layer takes back what an earlier layer said of the others.
ALTERNATIVES = {
    "leverage.preset": ("leverage.shares", "leverage.file", "leverage.fitted"),
    "leverage.shares": ("leverage.preset", "leverage.file", "leverage.fitted"),
    "instrument.risk": ("instrument.mmr", "instrument.max_leverage"),
    "instrument.mmr": ("instrument.risk",),
    "instrument.max_leverage": ("instrument.risk",),
}


FITTED_WITH = (
    "leverage.preset", "leverage.shares", "leverage.intensity", "model.name", "model.half_life", "model.maker_share",
    "model.exponent", "model.churn", "model.taker_tilt", "model.reconciled", "model.candle_price",
)  # fmt: skip
"""Settings with which a fitted profile's dollars are dollars; whoever changes one has another map."""


def all_settings() -> Iterator[Setting]:
    """Go through every setting, in the order of the file."""
    for entries in SETTINGS.values():
        yield from entries.values()


def setting_keys() -> list[str]:
    """
    Return every key of a configuration.

    Returns
    -------
    list of str
        ``"instrument.symbol"`` and so on, in the order of the file.
    """
    return [entry.key for entry in all_settings()]


ARGUMENTS = {entry.argument: entry for entry in all_settings() if entry.argument}
"""The settings that `heatmap`, `features` and `Engine` have an argument for, by its name."""
