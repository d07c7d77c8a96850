"""One TOML file, one frozen typed object.

A `Config` holds every setting of a run: eight sections, each a frozen dataclass whose fields carry their meaning, unit
and rule. Values come from, later over earlier: the defaults, a file, ``LIQCORE_<SECTION>_<KEY>`` variables, flags. The
package itself reads neither files nor the environment unasked: `Config.resolve` is given both.
"""

import dataclasses
import json
import math
import os
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, Literal, NoReturn, Self, TypeVar

import numpy as np

from .._core import MarginSchedule
from ..errors import InvalidConfigError
from ..market.terms import risk_values
from ..words.threshold import Threshold
from ..words.times import format_duration, parse_duration
from . import risk_tiers

__all__ = [
    "AxisConfig",
    "Config",
    "InstrumentConfig",
    "LeverageConfig",
    "LogConfig",
    "ModelConfig",
    "RenderConfig",
    "SourceConfig",
    "TierTable",
    "WindowConfig",
]

RESERVED_VARIABLES = frozenset({"LIQCORE_ISA", "LIQCORE_DATA"})
"""Environment variables with the prefix that are not settings of a run."""

T = TypeVar("T")


class TierTable(Mapping[float, T], Generic[T]):
    """
    Immutable, hashable table by leverage tier, in rising order of the tiers.

    Parameters
    ----------
    items : mapping of float to value
        Values by leverage tier.

    Examples
    --------
    >>> shares = TierTable({25: 0.4, 10: 0.6})
    >>> list(shares), shares[25]
    ([10.0, 25.0], 0.4)
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[float, T]) -> None:
        self._items: dict[float, T] = {float(tier): items[tier] for tier in sorted(items)}

    def __getitem__(self, tier: float) -> T:
        return self._items[tier]

    def __iter__(self) -> Iterator[float]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{_number(tier)}: {value!r}" for tier, value in self._items.items()) + "}"


# --------------------------------------------------------------------------------------------------------------- rules


class _BreachError(ValueError):
    """A rule that a value breaks, with what to show as the value where that differs."""

    def __init__(self, rule: str, shown: str | None = None) -> None:
        super().__init__(rule)
        self.rule = rule
        self.shown = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    text: str  # completes "window.length must be ..."
    accept: Callable[[Any], Any]  # returns the canonical value, or raises ValueError
    parse: Callable[[str], Any]  # turns a variable's or a flag's text into what `accept` takes


def _fail(rule: str) -> NoReturn:
    raise _BreachError(rule)


def _real(text: str, test: Callable[[float], bool]) -> _Rule:
    def accept(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            _fail(text)
        number = float(value) + 0.0  # + 0.0 makes -0.0 the same setting as 0.0
        if not math.isfinite(number) or not test(number):
            _fail(text)
        return number

    return _Rule(text=text, accept=accept, parse=float)


def _whole(low: int, high: int, unit: str) -> _Rule:
    text = f"a whole number of {unit} from {low} to {high}"

    def accept(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
            _fail(text)
        return int(value)

    return _Rule(text=text, accept=accept, parse=int)


def _choice(*choices: str) -> _Rule:
    text = "one of " + ", ".join(f'"{choice}"' for choice in choices)

    def accept(value: Any) -> str:
        if not isinstance(value, str):
            _fail(text)
        if value not in choices:
            near = _nearest(value.lower(), choices)
            raise _BreachError(text, f'{_show(value)} (did you mean "{near}"?)' if near else None)
        return value

    return _Rule(text=text, accept=accept, parse=str)


def _text(what: str) -> _Rule:
    text = f"{what}, not empty"

    def accept(value: Any) -> str:
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if not isinstance(value, str) or not value.strip():
            _fail(text)
        try:
            value.encode()
        except UnicodeEncodeError:  # TOML and JSON files hold Unicode only
            raise _BreachError(f"{what} in Unicode") from None
        return value

    return _Rule(text=text, accept=accept, parse=str)


_TRUTH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _boolean() -> _Rule:
    def accept(value: Any) -> bool:
        if not isinstance(value, bool):
            _fail("true or false")
        return value

    return _Rule(text="true or false", accept=accept, parse=lambda text: _TRUTH[text.lower()])


def _duration(value: Any, text: str) -> str:
    if not isinstance(value, (str, timedelta, np.timedelta64)):
        _fail(text)
    try:
        return format_duration(parse_duration(value))
    except ValueError as error:
        rule, _, shown = str(error).removeprefix("duration must be ").partition(", was ")
        raise _BreachError(rule, shown) from None


_DURATION_TEXT = 'a length of time such as "30s", "5m" or "3d", in quotes'
_LENGTH = _Rule(text=_DURATION_TEXT, accept=lambda value: _duration(value, _DURATION_TEXT), parse=str)


def _by_tier(value: Mapping[Any, Any], text: str) -> dict[float, Any]:
    """Return a table with its keys, which TOML only has as text, as leverage tiers."""
    table: dict[float, Any] = {}
    for key, entry in value.items():
        try:
            tier = math.nan if isinstance(key, bool) else float(key)
        except (TypeError, ValueError):
            tier = math.nan
        if not (math.isfinite(tier) and tier >= 1):
            raise _BreachError(f"{text}; a leverage tier is a number of at least 1", f"{_show(key)} as a tier")
        if tier in table:
            raise _BreachError(f"{text}; each leverage tier stands once", f"{_number(tier)} twice")
        table[tier] = entry
    return table


def _pairs(text: str) -> dict[str, str]:
    """Read ``"25:7d,100:1d"``."""
    table: dict[str, str] = {}
    for part in text.split(","):
        tier, colon, entry = part.partition(":")
        tier = tier.strip().removesuffix("x")
        if not colon or not tier or tier in table:
            raise ValueError(text)
        table[tier] = entry.strip()
    return table


_SHARES_TEXT = "shares by leverage tier, from 0 to 1 each, that sum to 1"


def _accept_shares(value: Any) -> TierTable[float]:
    if not isinstance(value, Mapping) or not value:
        _fail(_SHARES_TEXT)
    shares: dict[float, float] = {}
    for tier, share in _by_tier(value, _SHARES_TEXT).items():
        plain = not isinstance(share, bool) and isinstance(share, (int, float, np.integer, np.floating))
        if not (plain and 0 <= share <= 1):  # false for NaN as well
            raise _BreachError(_SHARES_TEXT, f"{_show(share)} at tier {_number(tier)}")
        shares[tier] = float(share) + 0.0
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-9:
        raise _BreachError(_SHARES_TEXT, f"a sum of {total:.12g}")
    return TierTable(shares)


_SHARES = _Rule(
    text=_SHARES_TEXT,
    accept=_accept_shares,
    parse=lambda text: {tier: float(share) for tier, share in _pairs(text).items()},
)

_HALF_LIFE_TEXT = '"default", "none" or half-lives by leverage tier such as "3d"'


def _accept_half_life(value: Any) -> str | TierTable[str]:
    if isinstance(value, str) and value in ("default", "none"):
        return value
    if not isinstance(value, Mapping) or not value:
        _fail(_HALF_LIFE_TEXT)
    table: dict[float, str] = {}
    for tier, length in _by_tier(value, _HALF_LIFE_TEXT).items():
        try:
            table[tier] = _duration(length, _DURATION_TEXT)
        except _BreachError as error:
            raise _BreachError(_HALF_LIFE_TEXT, f"{_show(length)} at tier {_number(tier)}") from error
    return TierTable(table)


_HALF_LIFE = _Rule(
    text=_HALF_LIFE_TEXT,
    accept=_accept_half_life,
    parse=lambda text: text if text in ("default", "none") else _pairs(text),
)


_THRESHOLD_TEXT = 'a share of the maximum (0 to 1), an amount above 1, or text such as "p95" or "250000 usd"'


def _accept_threshold(value: Any) -> float | str:
    try:
        limit = Threshold.of(value)
    except (TypeError, ValueError):
        raise _BreachError(_THRESHOLD_TEXT) from None
    return value if isinstance(value, str) and (limit.unit or limit.kind == "percentile") else limit.value


_THRESHOLD = _Rule(text=_THRESHOLD_TEXT, accept=_accept_threshold, parse=str)


def _accept_risk(value: Any) -> MarginSchedule:
    try:
        return risk_tiers.accept(value)
    except ValueError as error:
        raise _BreachError(risk_tiers.TEXT, str(error) or None) from None


_RISK = _Rule(text=risk_tiers.TEXT, accept=_accept_risk, parse=risk_tiers.parse)


# ------------------------------------------------------------------------------------------------------------ sections


def _key(
    default: Any, rule: _Rule, doc: str, *, unset: str = "", example: str = "", flag: str = "", late: bool = False
) -> Any:
    """
    Declare a setting: `unset` says what None means, `example` shows a value in a written file.

    A `late` one came later: `to_dict` leaves it out where it is None, so that the hashes of before stay.
    """
    optional = default is None
    assert optional == bool(unset) == bool(example), "an optional key says what its absence means and shows a value"
    metadata = {"rule": rule, "doc": doc, "unset": unset, "example": example, "flag": flag, "late": late}
    return field(default=default, metadata=metadata)


class _Section:
    """Common to all sections: every field is checked against its rule and made canonical on construction."""

    __slots__ = ()

    def __post_init__(self) -> None:
        section = _SECTION_OF[type(self)]
        for entry in dataclasses.fields(self):  # type: ignore[arg-type]
            value = _accept(f"{section}.{entry.name}", entry, getattr(self, entry.name))
            object.__setattr__(self, entry.name, value)
        conflict = self._conflict({entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)})  # type: ignore[arg-type]
        if conflict is not None:
            raise InvalidConfigError(conflict[1])

    @staticmethod
    def _conflict(values: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        """Return which keys break a rule that binds several of them, and the error's message; None if all is well."""
        del values
        return None


def _accept(key: str, entry: "dataclasses.Field[Any]", value: Any, where: str = "") -> Any:
    """Return a value made canonical; `where` begins the error's message."""
    if value is None and entry.default is None:
        return None
    rule: _Rule = entry.metadata["rule"]
    try:
        return rule.accept(value)
    except _BreachError as error:
        shown = error.shown or _show(value)
        raise InvalidConfigError(f"{where}{key} must be {error.rule}, was {shown}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentConfig(_Section):
    """What is traded, on what terms."""

    symbol: str | None = _key(
        None,
        _text("a symbol"),
        "Symbol, as the venue writes it.",
        unset="taken from the files' names or contents",
        example='"BTCUSDT"',
        flag="--symbol",
    )
    venue: str | None = _key(
        None,
        _text("a venue"),
        "Venue of the instrument, for the title.",
        unset="none is named",
        example='"binance-usdm"',
        flag="--venue",
    )
    contract: Literal["linear", "inverse"] = _key(
        "linear",
        _choice("linear", "inverse"),
        'Contract: "linear" is margined and settled in the quote currency, "inverse" in the base currency.',
    )
    tick_size: float | None = _key(
        None,
        _real("a number above 0", lambda x: x > 0),
        "Smallest step of the price, in the quote currency.",
        unset="found out from the files",
        example="0.1",
        flag="--tick-size",
    )
    lot_size: float | None = _key(
        None,
        _real("a number above 0", lambda x: x > 0),
        "Smallest step of the quantity, in the unit the venue prints (base currency or contracts).",
        unset="found out from the files",
        example="0.001",
        flag="--lot-size",
    )
    multiplier: float = _key(
        1.0,
        _real("a number above 0", lambda x: x > 0),
        "What one unit of quantity stands for: base currency (linear) or USD (inverse).",
    )
    mmr: float = _key(
        0.004,
        _real("a fraction from 0 to below 1 (0.004 is 0.4 %)", lambda x: 0 <= x < 1),
        "Maintenance margin rate, a fraction of the notional (0.004 is 0.4 %).",
        flag="--mmr",
    )
    fee: float = _key(
        0.0,
        _real("a fraction from 0 to below 1 (0.0005 is 0.05 %)", lambda x: 0 <= x < 1),
        "Fee of the liquidation, a fraction of the notional (0.0005 is 0.05 %).",
    )
    basis: Literal["mark", "entry"] = _key(
        "mark",
        _choice("mark", "entry"),
        'Price at which the maintenance margin is reckoned: "mark" or "entry".',
    )
    max_leverage: float | None = _key(
        None,
        _real("a leverage of at least 1", lambda x: x >= 1),
        "Highest leverage that is offered: tiers above it are left out and their shares divided among the rest.",
        unset="no limit, or the catalogue's where venue and symbol are listed there",
        example="40.0",
    )
    risk: MarginSchedule | None = _key(  # noqa: RUF009
        None, _RISK, risk_tiers.DOC, unset=risk_tiers.UNSET, example=risk_tiers.EXAMPLE, late=True
    )

    def __post_init__(self) -> None:
        _Section.__post_init__(self)
        if self.risk is not None:
            for name, value in risk_tiers.settle(self.risk).items():
                object.__setattr__(self, name, value)

    @staticmethod
    def _conflict(values: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        return risk_tiers.conflict(values, _FIELDS["instrument"]["mmr"].default)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageConfig(_Section):
    """How opened quantity is shared out over leverage tiers."""

    preset: Literal["default", "integer-125", "binance-usdm", "bitmex", "hyperliquid"] = _key(
        "default",
        _choice("default", "integer-125", "binance-usdm", "bitmex", "hyperliquid"),
        'Named profile: "default"; "integer-125", every whole leverage from 1 to 125; or that of a venue. Goes without '
        "shares.",
        flag="--leverage",
    )
    shares: Mapping[float, float] | None = _key(
        None,
        _SHARES,
        "Own profile: share of the opened quantity by leverage tier; shares sum to 1. Goes without a preset.",
        unset="the preset",
        example='{ "10" = 0.5, "25" = 0.3, "100" = 0.2 }',
        flag="--leverage",
    )
    intensity: float = _key(
        1.0,
        _real("a number above 0", lambda x: x > 0),
        "Factor on all shares; 1 takes every opened quantity as it is.",
    )

    @staticmethod
    def _conflict(values: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        if values["shares"] is None or values["preset"] == "default":
            return None
        message = f'leverage.preset must be left out where leverage.shares is given, was "{values["preset"]}"'
        return ("preset", "shares"), message


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisConfig(_Section):
    """The price axis."""

    low: float | None = _key(
        None,
        _real("a price of at least 0", lambda x: x >= 0),
        "Lower end of a fixed price axis, in the quote currency; goes with high.",
        unset="the axis is chosen from the first price and grows",
        example="50_000",
    )
    high: float | None = _key(
        None,
        _real("a price above 0", lambda x: x > 0),
        "Upper end of a fixed price axis, in the quote currency; goes with low.",
        unset="the axis is chosen from the first price and grows",
        example="80_000",
    )
    step: float | None = _key(
        None,
        _real("a price step above 0", lambda x: x > 0),
        "Height of the picture's price bins, in the quote currency; a multiple of the tick size.",
        unset="five of the book's own bins, so some 4 basis points",
        example="20",
        flag="--bin",
    )
    book_step: float | None = _key(
        None,
        _real("a price step above 0", lambda x: x > 0),
        "Height of the book's own price bins, in the quote currency; a multiple of the tick size.",
        unset="about 1 basis point of the first price, at least one tick",
        example="5",
    )

    @staticmethod
    def _conflict(values: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        low, high = values["low"], values["high"]
        if (low is None) != (high is None):
            given, missing = ("low", "high") if high is None else ("high", "low")
            return (given, missing), f"axis.{missing} must be given where axis.{given} is, was left out"
        if low is not None and low >= high:
            return ("low", "high"), f"axis.low must be below axis.high, was {_number(low)} with high {_number(high)}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowConfig(_Section):
    """The columns of the picture."""

    length: str = _key("5m", _LENGTH, 'Length of a column: "30s", "5m" (minutes), "1h", "1d".', flag="--window")
    warmup: str | None = _key(
        None,
        _LENGTH,
        "Length of data that fills the book before the first column shown.",
        unset="every column is shown",
        example='"3d"',
        flag="--warmup",
    )
    last: str | None = _key(
        None,
        _LENGTH,
        "Show only this length of time before the end of the data.",
        unset="everything after the warm-up",
        example='"24h"',
        flag="--last",
    )
    opened_within: str | None = _key(
        None,
        _LENGTH,
        "Show only levels opened in this length of time before each column's end.",
        unset="whenever opened",
        example='"24h"',
        flag="--opened-within",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig(_Section):
    """What opens and closes positions."""

    name: Literal["flow", "oi", "blend", "vendor", "none"] | None = _key(
        None,
        _choice("flow", "oi", "blend", "vendor", "none"),
        'Model: "flow" opens every trade\'s quantity on the taker\'s side; "oi" goes by open interest; "blend" by open '
        'interest and a part of the turnover; "vendor" by events; "none" leaves the book to your program.',
        unset='"oi" where open interest is given, otherwise "flow"',
        example='"flow"',
        flag="--model",
    )
    trigger: Literal["last", "mark", "candle"] | None = _key(
        None,
        _choice("last", "mark", "candle"),
        'What liquidates a level when it reaches it: the "last" trade, the "mark" price or the "candle".',
        unset='"candle" with the model "vendor", "mark" where mark prices are given, otherwise "last"',
        example='"last"',
        flag="--trigger",
    )
    maker_share: float = _key(
        0.0,
        _real("a share from 0 to 1", lambda x: 0 <= x <= 1),
        "Share of a trade's quantity that opens on the maker's side as well, from 0 to 1.",
        flag="--maker-share",
    )
    half_life: Literal["default", "none"] | Mapping[float, str] = _key(
        "default",
        _HALF_LIFE,
        'Time in which half of what is open closes: "default", "none", or by tier, e.g. { "25" = "7d", "100" = "1d" }.',
        flag="--half-life",
    )
    taker_tilt: float = _key(
        0.0,
        _real("a share from 0 to 1", lambda x: 0 <= x <= 1),
        "How far taker imbalance moves the entry prices of longs and shorts apart, from 0 to 1; for oi and blend.",
    )
    churn: float | None = _key(
        None,
        _real("a share from 0 to 1", lambda x: 0 <= x <= 1),
        "Part of the turnover that opens and closes between two samples of open interest, from 0 to 1; for blend.",
        unset="0.1 for blend",
        example="0.1",
    )
    event_threshold: float | None = _key(
        None,
        _real("a quantity of at least 0", lambda x: x >= 0),
        "Rise of open interest (quantity) above which it is an event; for vendor.",
        unset="open interest makes no events",
        example="100.0",
    )
    reconciled: bool = _key(
        False,
        _boolean(),
        "Whether open interest corrects the book at every sample.",
        flag="--reconciled",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig(_Section):
    """Where events come from, besides the files named on the command line."""

    format: str = _key(
        "auto", _text("a format's name"), 'Format of the trade files; "auto" finds it out for each file.'
    )
    marks: str | None = _key(
        None,
        _text("a path"),
        "File or pattern of files of mark prices, seen from the working directory.",
        unset="no mark prices",
        example='"marks.parquet"',
        flag="--marks",
    )
    open_interest: str | None = _key(
        None,
        _text("a path"),
        "File or pattern of files of open interest, seen from the working directory.",
        unset="no open interest",
        example='"BTCUSDT-metrics-*.zip"',
        flag="--open-interest",
    )
    open_interest_sides: Literal["auto", "one", "two"] = _key(
        "auto",
        _choice("auto", "one", "two"),
        'Whether the open interest counts "one" side, or "two", and is halved; "auto" goes by the files\' layout.',
        flag="--open-interest-sides",
    )
    candles: str | None = _key(
        None,
        _text("a path"),
        "File or pattern of files of candles, seen from the working directory.",
        unset="no candles",
        example='"klines.csv"',
        flag="--candles",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderConfig(_Section):
    """The picture."""

    width: int = _key(1600, _whole(480, 16_384, "pixels"), "Width of the picture, in pixels.", flag="--width")
    height: int = _key(900, _whole(270, 16_384, "pixels"), "Height of the picture, in pixels.", flag="--height")
    colormap: Literal["viridis", "cividis", "inferno"] = _key(
        "viridis",
        _choice("viridis", "cividis", "inferno"),
        'Colour map: "viridis", "cividis" (safest for the colour blind) or "inferno".',
        flag="--colormap",
    )
    scale: Literal["sqrt", "linear"] = _key(
        "sqrt", _choice("sqrt", "linear"), 'How values become colours: "sqrt" (square root) or "linear".'
    )
    theme: Literal["dark", "light"] = _key("dark", _choice("dark", "light"), 'Look of the picture: "dark" or "light".')
    side: Literal["both", "long", "short"] = _key(
        "both",
        _choice("both", "long", "short"),
        'Side of the positions shown: "long" levels lie below the price, "short" levels above it; or "both".',
        flag="--side",
    )
    threshold: float | str | None = _key(
        None,
        _THRESHOLD,
        "Hide what is below this share of the maximum, amount, or percentile of what is not zero.",
        unset="nothing is hidden",
        example="0.1",
        flag="--threshold",
    )
    maximum: float | None = _key(
        None,
        _real("a number above 0", lambda x: x > 0),
        "Value of the brightest colour, in the result's unit (USD).",
        unset="a high percentile of the values shown",
        example="5e6",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig(_Section):
    """What is said meanwhile."""

    level: Literal["debug", "info", "warning", "error"] = _key(
        "warning", _choice("debug", "info", "warning", "error"), "Least severity of the messages shown."
    )
    progress: bool = _key(True, _boolean(), "Show a progress bar on a terminal.")


_SECTIONS: dict[str, type[_Section]] = {
    "instrument": InstrumentConfig,
    "leverage": LeverageConfig,
    "axis": AxisConfig,
    "window": WindowConfig,
    "model": ModelConfig,
    "source": SourceConfig,
    "render": RenderConfig,
    "log": LogConfig,
}
_SECTION_OF = {kind: name for name, kind in _SECTIONS.items()}
_FIELDS: dict[str, dict[str, "dataclasses.Field[Any]"]] = {
    name: {entry.name: entry for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name, kind in _SECTIONS.items()
}
# Setting one of these on a later layer takes back what an earlier layer said of the others.
_ALTERNATIVES = {
    "leverage.preset": ("leverage.shares",),
    "leverage.shares": ("leverage.preset",),
    "instrument.risk": ("instrument.mmr", "instrument.max_leverage"),
    "instrument.mmr": ("instrument.risk",),
    "instrument.max_leverage": ("instrument.risk",),
}


# -------------------------------------------------------------------------------------------------------------- Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    Every setting of a run, checked, in eight sections.

    Where a setting is None, it is decided from the data, or its default holds, as the comments of `dump` say. Lengths
    of time are kept in one spelling, days or smaller (``"60m"`` becomes ``"1h"``), so that equal settings are equal.

    Parameters
    ----------
    instrument, leverage, axis, window, model, source, render, log
        The sections; each has defaults.

    Raises
    ------
    InvalidConfigError
        If a section is not of its type. The sections check their own values.

    Examples
    --------
    >>> cfg = Config().replace(window={"length": "1m"}, instrument={"symbol": "BTCUSDT"})
    >>> cfg.window.length, cfg.instrument.symbol, cfg.leverage.preset
    ('1m', 'BTCUSDT', 'default')
    >>> Config.loads(cfg.dump()) == cfg
    True
    """

    instrument: InstrumentConfig = field(default_factory=InstrumentConfig)
    leverage: LeverageConfig = field(default_factory=LeverageConfig)
    axis: AxisConfig = field(default_factory=AxisConfig)
    window: WindowConfig = field(default_factory=WindowConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    source: SourceConfig = field(default_factory=SourceConfig)
    render: RenderConfig = field(default_factory=RenderConfig)
    log: LogConfig = field(default_factory=LogConfig)
    _origins: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, kind in _SECTIONS.items():
            if type(getattr(self, name)) is not kind:
                raise InvalidConfigError(f"{name} must be a {kind.__name__}, was {_show(getattr(self, name))}")

    # ------------------------------------------------------------------------------------------------------- reading

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """
        Read a TOML file, or the configuration that a saved result (``.parquet``) was made with.

        Parameters
        ----------
        path : path
            The file. A Parquet file is known by its first bytes, not by its name.

        Returns
        -------
        Config
            Defaults, overridden by the file.

        Raises
        ------
        InvalidConfigError
            With file, line and rule, if a key is unknown or a value wrong; or if the file is no configuration.
        OSError
            If the file cannot be read.
        """
        return cls._load(os.fspath(path))

    @classmethod
    def loads(cls, text: str, name: str = "<text>") -> Self:
        """
        Read TOML text.

        Parameters
        ----------
        text : str
            The text of a file.
        name : str, optional
            What errors and `origin` call it.

        Returns
        -------
        Config
            Defaults, overridden by the text.

        Raises
        ------
        InvalidConfigError
            With name, line and rule, if a key is unknown or a value wrong.

        Examples
        --------
        >>> Config.loads('[window]\\nlenght = "1m"', "liqcore.toml")
        Traceback (most recent call last):
            ...
        liqcore.errors.InvalidConfigError: liqcore.toml:2: unknown key "lenght" in [window]; did you mean "length"?
        """
        return cls()._over(_toml_layer(text, name))

    @classmethod
    def resolve(
        cls,
        file: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> Self:
        """
        Bring all sources together: defaults, then `file`, then `env`, then `flags`.

        Parameters
        ----------
        file : path, optional
            A TOML file or a saved result.
        env : mapping, optional
            Environment variables, usually ``os.environ``; ``LIQCORE_WINDOW_LENGTH`` sets ``window.length``, tables are
            written ``"25:7d,100:1d"``. Empty ones count as not set. None: no variable is read.
        flags : mapping, optional
            Values by key, such as ``{"window.length": "1m"}``; None means not given.

        Returns
        -------
        Config
            The outcome; `origin` tells where each value came from.

        Raises
        ------
        InvalidConfigError
            If a key is unknown or a value wrong; the message begins with the file and line, the variable or the flag.
        OSError
            If the file cannot be read.

        Examples
        --------
        >>> cfg = Config.resolve(env={"LIQCORE_WINDOW_LENGTH": "1h"}, flags={"instrument.symbol": "BTCUSDT"})
        >>> cfg.window.length, cfg.origin("window.length"), cfg.origin("instrument.symbol"), cfg.origin("model.name")
        ('1h', 'LIQCORE_WINDOW_LENGTH', 'flag --symbol', 'default')
        """
        config = cls() if file is None else cls._load(os.fspath(file))
        if env is not None:
            config = config._over(_env_layer(env))
        if flags is not None:
            config = config._over(_flag_layer(flags))
        return config

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], name: str = "dict") -> Self:
        """
        Read what `to_dict` gave.

        Parameters
        ----------
        values : mapping of mapping
            Values by section and key; what is left out keeps its default.
        name : str, optional
            What errors and `origin` call it.

        Returns
        -------
        Config
            The configuration.

        Raises
        ------
        InvalidConfigError
            If a key is unknown or a value wrong.
        """
        return cls()._over(_dict_layer(values, name))

    @classmethod
    def _load(cls, path: str) -> Self:
        content = Path(path)
        with content.open("rb") as stream:
            if stream.read(4) == b"PAR1":
                return cls.from_dict(_read_parquet(content), name=path)
        try:
            text = content.read_text(encoding="utf-8-sig")  # Windows' editors put a mark before the text
        except UnicodeDecodeError as error:
            raise InvalidConfigError(f"{path}: must be TOML in UTF-8, found byte {error.start} to be none") from None
        return cls.loads(text, name=path)

    def _over(self, layer: "_Layer") -> Self:
        """Return this configuration with a layer's values over it."""
        changes: dict[str, dict[str, Any]] = {}
        origins = dict(self._origins)
        for key, value in layer.values.items():
            section, name = key.split(".")
            for other in _ALTERNATIVES.get(key, ()):
                if other not in layer.values and value is not None:
                    changes.setdefault(section, {})[other.split(".")[1]] = _FIELDS[section][other.split(".")[1]].default
                    origins.pop(other, None)
                    if key == "instrument.risk":  # which decides them
                        origins[other] = layer.origins[key]
            where = layer.where(key)
            changes.setdefault(section, {})[name] = _accept(key, _FIELDS[section][name], value, where)
            origins[key] = layer.origins[key]
        sections: dict[str, Any] = {}
        for section, values in changes.items():
            before = getattr(self, section)
            conflict = before._conflict({name: getattr(before, name) for name in _FIELDS[section]} | values)
            if conflict is not None:
                key = next(f"{section}.{name}" for name in conflict[0] if name in values)
                raise InvalidConfigError(layer.where(key) + conflict[1])
            sections[section] = dataclasses.replace(before, **values)
        return self._with(sections, origins)

    def _with(self, sections: Mapping[str, Any], origins: dict[str, str]) -> Self:
        kept = {name: getattr(self, name) for name in _SECTIONS}
        config = type(self)(**{**kept, **sections})
        object.__setattr__(config, "_origins", origins)
        return config

    # ------------------------------------------------------------------------------------------------------ changing

    def replace(self, **sections: Mapping[str, Any] | _Section) -> Self:
        """
        Return a configuration with some values changed.

        Parameters
        ----------
        **sections : mapping or section
            By section, the keys to change and their values; or a whole section. Setting ``leverage.shares`` takes back
            the preset, and the other way round.

        Returns
        -------
        Config
            A new configuration; this one stays as it is.

        Raises
        ------
        InvalidConfigError
            If a section or key is unknown or a value wrong.

        Examples
        --------
        >>> Config().replace(window={"length": "1m"}, model={"half_life": {100: "1d"}}).model.half_life
        {100: '1d'}
        """
        whole: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name, change in sections.items():
            if name in _SECTIONS and isinstance(change, _Section):
                whole[name] = change
            elif name in _SECTIONS and not isinstance(change, Mapping):
                raise InvalidConfigError(f"{name} must be a {_SECTIONS[name].__name__} or a dict, was {_show(change)}")
            else:
                values[name] = change
        origins = {key: origin for key, origin in self._origins.items() if key.split(".")[0] not in whole}
        return self._with(whole, origins)._over(_dict_layer(values, None))

    # ------------------------------------------------------------------------------------------------------- writing

    def dump(self, path: str | os.PathLike[str] | None = None) -> str:
        """
        Return the configuration as TOML text that explains itself.

        Every key stands there with its meaning and unit; one without a value is commented out. `loads` gives an equal
        configuration back.

        Parameters
        ----------
        path : path, optional
            Where to write the text as well; an existing file is replaced once the new one is complete.

        Returns
        -------
        str
            The text.

        Raises
        ------
        OSError
            If the file cannot be written; nothing is left behind.
        """
        text = "\n".join(_toml_lines(self)) + "\n"
        if path is not None:
            _write_text(Path(path), text)
        return text

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """
        Return plain dictionaries that JSON can hold.

        Returns
        -------
        dict
            Values by section and key; leverage tiers are text, as in TOML.
        """
        return {
            name: {
                key: _plain(value)
                for key, entry in entries.items()
                if (value := getattr(getattr(self, name), key)) is not None or not entry.metadata["late"]
            }
            for name, entries in _FIELDS.items()
        }

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the canonical JSON; equal configurations have equal ones."""
        import hashlib  # brings OpenSSL

        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def origin(self, key: str) -> str:
        """
        Tell where a value came from.

        Parameters
        ----------
        key : str
            Section and key, such as ``"window.length"``.

        Returns
        -------
        str
            ``"default"``, ``"liqcore.toml:12"`` (file and line), ``"result.parquet"``, ``"LIQCORE_WINDOW_LENGTH"``,
            ``"flag --window"`` or ``"Python"``.

        Raises
        ------
        InvalidConfigError
            If there is no such key.
        """
        section, _, name = key.partition(".")
        if name not in _FIELDS.get(section, {}):
            raise InvalidConfigError(f'unknown key "{key}"{_suggest(key, setting_keys())}')
        if key in self._origins:
            return self._origins[key]
        return "default" if getattr(getattr(self, section), name) == _FIELDS[section][name].default else "Python"


def setting_keys() -> list[str]:
    """
    Return every key of a configuration.

    Returns
    -------
    list of str
        ``"instrument.symbol"`` and so on, in the order of the file.
    """
    return [f"{section}.{name}" for section, entries in _FIELDS.items() for name in entries]


# -------------------------------------------------------------------------------------------------------------- layers


@dataclass(frozen=True, slots=True)
class _Layer:
    """Values from one source: by key, with where each came from."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def where(self, key: str) -> str:
        """Return how a message about a key begins."""
        origin = self.origins[key].removeprefix("flag ")
        return "" if origin == "Python" else f"{origin}: "


def _toml_layer(text: str, name: str) -> _Layer:
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidConfigError(_toml_fault(text, name, str(error))) from None
    lines = _toml_key_lines(text)
    layer = _Layer()
    for section, table in document.items():
        at = _Lines(name, lines)
        if section not in _SECTIONS:
            raise InvalidConfigError(f"{at(section)}: {_unknown_section(section, isinstance(table, dict))}")
        if not isinstance(table, dict):
            raise InvalidConfigError(f"{at(section)}: {section} must be a section, [{section}], was {_show(table)}")
        for key, value in table.items():
            if key not in _FIELDS[section]:
                raise InvalidConfigError(f"{at(section, key)}: {_unknown_key(section, key)}")
            layer.values[f"{section}.{key}"] = value
            layer.origins[f"{section}.{key}"] = at(section, key)
    _refuse_both(layer)
    return layer


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where a key stands in a file."""

    name: str
    lines: Mapping[tuple[str, ...], int]

    def __call__(self, *path: str) -> str:
        line = self.lines.get(path)
        return self.name if line is None else f"{self.name}:{line}"


def _env_layer(env: Mapping[str, str]) -> _Layer:
    known = {f"LIQCORE_{key.replace('.', '_').upper()}": key for key in setting_keys()}
    prefixes = tuple(f"LIQCORE_{section.upper()}_" for section in _SECTIONS)
    layer = _Layer()
    for variable in sorted(env):
        if not variable.startswith("LIQCORE_") or variable in RESERVED_VARIABLES:
            continue
        if variable not in known:
            if variable.startswith(prefixes) or _nearest(variable, known, cutoff=0.9):
                raise InvalidConfigError(f"unknown variable {variable}{_suggest(variable, known, quote='')}")
            continue
        text = env[variable].strip()
        if text:
            key = known[variable]
            layer.values[key] = _parse(variable, key, text)
            layer.origins[key] = variable
    _refuse_both(layer)
    return layer


def _flag_layer(flags: Mapping[str, Any]) -> _Layer:
    layer = _Layer()
    for key, value in flags.items():
        section, _, name = key.partition(".")
        if name not in _FIELDS.get(section, {}):
            raise InvalidConfigError(f'unknown key "{key}"{_suggest(key, setting_keys())}')
        if value is not None:
            flag = _FIELDS[section][name].metadata["flag"] or key
            layer.values[key] = _parse(flag, key, value) if isinstance(value, str) else value
            layer.origins[key] = f"flag {flag}"
    _refuse_both(layer)
    return layer


def _dict_layer(values: Mapping[str, Any], name: str | None) -> _Layer:
    layer = _Layer()
    prefix = "" if name is None else f"{name}: "
    for section, table in values.items():
        if section not in _SECTIONS:
            raise InvalidConfigError(prefix + _unknown_section(section, isinstance(table, Mapping)))
        if not isinstance(table, Mapping):
            raise InvalidConfigError(f"{prefix}{section} must be a table of its keys, was {_show(table)}")
        for key, value in table.items():
            if key not in _FIELDS[section]:
                raise InvalidConfigError(prefix + _unknown_key(section, key))
            layer.values[f"{section}.{key}"] = value
            layer.origins[f"{section}.{key}"] = "Python" if name is None else name
    return layer


def _refuse_both(layer: _Layer) -> None:
    if layer.values.get("leverage.shares") is not None and "leverage.preset" in layer.values:
        raise InvalidConfigError(
            f"{layer.where('leverage.preset')}leverage.preset must be left out where leverage.shares is given, "
            f"was {_show(layer.values['leverage.preset'])}"
        )


def _parse(where: str, key: str, text: str) -> Any:
    section, name = key.split(".")
    rule: _Rule = _FIELDS[section][name].metadata["rule"]
    try:
        return rule.parse(text)
    except (ValueError, KeyError):
        raise InvalidConfigError(f"{where}: {key} must be {rule.text}, was {_show(text)}") from None


def _read_parquet(path: Path) -> Mapping[str, Any]:
    from ..tables.archive import CONFIG_KEY, read_metadata

    text = read_metadata(path, CONFIG_KEY)
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InvalidConfigError(f'{path}: the metadata "{CONFIG_KEY}" must be a JSON object, was {_show(text)}')
    return values


# --------------------------------------------------------------------------------------------------------- suggestions


def _suggest(word: str, known: Iterable[str], quote: str = '"') -> str:
    near = _nearest(word, known)
    return f"; did you mean {quote}{near}{quote}?" if near else ""


def _nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    import difflib  # costs as much to import as the core itself: only where something was mistyped

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return near[0] if near else None


def _unknown_section(section: str, is_table: bool) -> str:
    if is_table:
        near = _nearest(section.lower(), _SECTIONS)
        hint = f"; did you mean [{near}]?" if near else "; sections are " + ", ".join(f"[{s}]" for s in _SECTIONS)
        return f"unknown section [{section}]{hint}"
    homes = [home for home, entries in _FIELDS.items() if section in entries]
    hint = f"; it belongs in [{homes[0]}]" if homes else "; keys stand in a section"
    return f'unknown key "{section}" outside of any section{hint}'


def _unknown_key(section: str, key: str) -> str:
    near = _nearest(key.lower(), _FIELDS[section])
    homes = [home for home, entries in _FIELDS.items() if key in entries]
    if near:
        hint = f'; did you mean "{near}"?'
    elif homes:
        hint = f"; it belongs in [{homes[0]}]"
    else:
        hint = "; keys are " + ", ".join(_FIELDS[section])
    return f'unknown key "{key}" in [{section}]{hint}'


# ---------------------------------------------------------------------------------------------------------------- TOML

_BARE_OR_QUOTED = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')\s*""")
_LINE_OF_FAULT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)\Z")


def _toml_fault(text: str, name: str, message: str) -> str:
    match = _LINE_OF_FAULT.search(message)
    if match is None:
        return f"{name}: not TOML: {message}"
    line = match[1] or str(text.count("\n") + (not text.endswith("\n")))
    return f"{name}:{line}: not TOML: {message[: match.start()]}"


def _dotted(text: str) -> tuple[tuple[str, ...], str]:
    """Read a dotted key from the beginning of a line; return its parts and what follows."""
    parts: list[str] = []
    while (match := _BARE_OR_QUOTED.match(text)) is not None:
        parts.append(next(part for part in match.groups() if part is not None))
        text = text[match.end() :]
        if not text.startswith("."):
            break
        text = text[1:]
    return tuple(parts), text


def _toml_key_lines(text: str) -> dict[tuple[str, ...], int]:
    """
    Return the line on which each key and section of a valid TOML text stands first.

    tomllib tells no positions. Values need not be understood here, only skipped where they run over several lines.
    """
    lines: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    fence = ""  # of a text over several lines that is still open
    depth = 0  # of brackets that are still open
    for number, line in enumerate(text.split("\n"), start=1):
        inside = bool(fence) or depth > 0
        if not inside and line.lstrip().startswith("["):
            section, _ = _dotted(line.lstrip().lstrip("["))
            for length in range(1, len(section) + 1):
                lines.setdefault(section[:length], number)
            continue
        rest = line
        if not inside:
            path, rest = _dotted(line)
            if not rest.startswith("="):  # empty, or a comment
                continue
            for length in range(1, len(path) + 1):
                lines.setdefault(section + path[:length], number)
        fence, opened = _open_at_end(rest, fence)
        depth += opened
    return lines


_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|[\[\]{}#]')


def _open_at_end(line: str, fence: str) -> tuple[str, int]:
    """Return the fence of a text left open at the end of a line, and how many brackets the line opens."""
    depth = 0
    position = 0
    while position < len(line):
        if fence:
            end = _end_of_text(line, fence, position)
            if end < 0:
                return fence, depth
            position, fence = end, ""
            continue
        match = _TOKEN.search(line, position)
        if match is None or match[0] == "#":
            break
        position = match.end()
        if match[0] in ('"""', "'''"):
            fence = match[0]
        elif match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth -= 1
    return fence, depth


def _end_of_text(line: str, fence: str, position: int) -> int:
    while position < len(line):
        if fence == '"""' and line[position] == "\\":
            position += 2
        elif line.startswith(fence, position):
            end = position + 3
            while end < len(line) and line[end] == fence[0] and end < position + 5:  # up to two quotes belong to it
                end += 1
            return end
        else:
            position += 1
    return -1


def _toml_lines(config: Config) -> Iterator[str]:
    yield "# Settings of liqcore. A key that is commented out is decided from the data, or has the default named."
    yield "# Variables such as LIQCORE_WINDOW_LENGTH override this file, flags override both."
    for section, entries in _FIELDS.items():
        yield ""
        yield f"[{section}]"
        tables: list[str] = []
        for name, entry in entries.items():
            value = getattr(getattr(config, section), name)
            words = entry.metadata["doc"]
            if entry.metadata["unset"]:
                words += f" Left out: {entry.metadata['unset']}."
            comment = textwrap.fill(words, 100, initial_indent="# ", subsequent_indent="# ")
            if isinstance(value, TierTable):
                tables += ["", comment, f"[{section}.{name}]"]
                tables += [f'"{_number(tier)}" = {_toml_value(item)}' for tier, item in value.items()]
                continue
            if isinstance(value, MarginSchedule):
                tables += ["", comment, f"[{section}.{name}]", *risk_tiers.toml_lines(value)]
                continue
            yield comment
            skipped = value is None or (f"{section}.{name}" == "leverage.preset" and config.leverage.shares is not None)
            shown = entry.metadata["example"] if value is None else _toml_value(value)
            yield f"{'# ' if skipped else ''}{name} = {shown}"
        yield from tables


def _toml_value(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, MarginSchedule):
        return risk_values(value)
    return {_number(tier): item for tier, item in value.items()} if isinstance(value, TierTable) else value


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _show(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _write_text(path: Path, text: str) -> None:
    """Write beside, then rename: a reader sees the old file or the new one, never half of one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
