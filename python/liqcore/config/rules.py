"""Rules: what a value may be, how it is kept, how it is read from text, and what is said where it breaks one."""

import json
import math
import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Generic, NoReturn, TypeVar

import numpy as np

from .._core import MarginSchedule, tier_name, tier_of
from ..errors import InvalidConfigError
from ..market.position import Position
from ..words import alert
from ..words.threshold import Threshold
from ..words.times import format_duration, iso_exact, parse_duration, to_ns
from . import risk_tiers

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
        return "{" + ", ".join(f"{tier_text(tier)}: {value!r}" for tier, value in self._items.items()) + "}"


class BreachError(ValueError):
    """A rule that a value breaks, with what to show as the value where that differs."""

    def __init__(self, rule: str, shown: str | None = None) -> None:
        super().__init__(rule)
        self.rule = rule
        self.shown = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a value must be."""

    text: str  # completes "window.length must be ..."
    accept: Callable[[Any], Any]  # returns the canonical value, or raises BreachError
    parse: Callable[[str], Any]  # turns a variable's or a flag's text into what `accept` takes
    kind: Any = str  # of the flag
    metavar: str = ""  # of the flag, where its kind does not say it


def _fail(rule: str) -> NoReturn:
    raise BreachError(rule)


def real(text: str, test: Callable[[float], bool]) -> Rule:
    """Take finite numbers that pass a test."""

    def accept(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            _fail(text)
        number = float(value) + 0.0  # + 0.0 makes -0.0 the same setting as 0.0
        if not math.isfinite(number) or not test(number):
            _fail(text)
        return number

    return Rule(text=text, accept=accept, parse=float, kind=float)


def whole(low: int, high: int, unit: str = "") -> Rule:
    """Take whole numbers within bounds."""
    text = f"a whole number{f' of {unit}' if unit else ''} from {low} to {high}"

    def accept(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
            _fail(text)
        return int(value)

    return Rule(text=text, accept=accept, parse=int, kind=int)


def choice(*choices: str) -> Rule:
    """Take some words."""
    text = "one of " + ", ".join(f'"{choice}"' for choice in choices)

    def accept(value: Any) -> str:
        if not isinstance(value, str):
            _fail(text)
        if value not in choices:
            near = nearest(value.lower(), choices)
            raise BreachError(text, f'{show(value)} (did you mean "{near}"?)' if near else None)
        return value

    return Rule(text=text, accept=accept, parse=str)


def some_text(what: str, metavar: str = "", *, most: int = 4096) -> Rule:
    """Take any text of up to so many characters, and paths as text."""
    text = f"{what}, not empty"

    def accept(value: Any) -> str:
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if not isinstance(value, str) or not value.strip():
            _fail(text)
        try:
            value.encode()
        except UnicodeEncodeError:  # TOML and JSON hold Unicode only
            raise BreachError(f"{what} in Unicode") from None
        if len(value) > most:
            raise BreachError(f"{what} of at most {most:,} characters", f"{len(value):,} long")
        return value

    return Rule(text=text, accept=accept, parse=str, metavar=metavar)


def listed(what: str, pattern: str) -> Rule:
    """Take words of a pattern, each once, between commas."""
    text = f"{what} between commas, each once"

    def accept(value: Any) -> str:
        words = [word.strip() for word in value.split(",")] if isinstance(value, str) else []
        if not words or len({*words}) < len(words) or not all(re.fullmatch(pattern, word) for word in words):
            _fail(text)
        return ",".join(words)

    return Rule(text=text, accept=accept, parse=str)


_TRUTH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _accept_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        _fail("true or false")
    return value


BOOLEAN = Rule(text="true or false", accept=_accept_boolean, parse=lambda text: _TRUTH[text.lower()], kind=bool)


def _duration(value: Any, text: str) -> str:
    if not isinstance(value, (str, timedelta, np.timedelta64)):
        _fail(text)
    try:
        return format_duration(parse_duration(value))
    except ValueError as error:
        rule, _, shown = str(error).removeprefix("duration must be ").partition(", was ")
        raise BreachError(rule, shown) from None


_DURATION_TEXT = 'a length of time such as "30s", "5m" or "3d", in quotes'
LENGTH = Rule(text=_DURATION_TEXT, accept=lambda value: _duration(value, _DURATION_TEXT), parse=str)


_INSTANT_TEXT = 'a time such as "2026-06-12" or "2026-06-12T10:00", UTC where no zone is given'


def _accept_instant(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | date | np.datetime64):
        _fail(_INSTANT_TEXT)
    try:
        return iso_exact(to_ns(value))
    except ValueError:
        raise BreachError(_INSTANT_TEXT) from None


INSTANT = Rule(text=_INSTANT_TEXT, accept=_accept_instant, parse=str)


_TIER_TEXT = 'a leverage tier is a number of at least 1, or a distance from the entry such as "0.2%"'


def tier_text(tier: float) -> str:
    """
    Write a tier as people and TOML do: a leverage as its number, a distance from the entry in percent.

    Examples
    --------
    >>> tier_text(25.0), tier_text(0.002)
    ('25', '0.2%')
    """
    return tier_name(tier).removesuffix("x").replace(" ", "")


def _by_tier(value: Mapping[Any, Any], text: str) -> dict[float, Any]:
    """Return a table with its keys, which TOML only has as text, as leverage tiers."""
    table: dict[float, Any] = {}
    for key, entry in value.items():
        try:
            tier = math.nan if isinstance(key, bool) else tier_of(key)
        except (TypeError, InvalidConfigError):
            tier = math.nan
        if not (math.isfinite(tier) and tier > 0):
            raise BreachError(f"{text}; {_TIER_TEXT}", f"{show(key)} as a tier")
        if tier in table:
            raise BreachError(f"{text}; each leverage tier stands once", f"{tier_text(tier)} twice")
        table[tier] = entry
    return table


def _pairs(text: str) -> dict[str, str]:
    """Read ``"25:7d,100:1d"``."""
    table: dict[str, str] = {}
    for part in text.split(","):
        tier, colon, entry = part.partition(":")
        tier = tier.strip()
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
            raise BreachError(_SHARES_TEXT, f"{show(share)} at tier {tier_text(tier)}")
        shares[tier] = float(share) + 0.0
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-9:
        raise BreachError(_SHARES_TEXT, f"a sum of {total:.12g}")
    return TierTable(shares)


def _share(text: str) -> float:
    """Read a share as people write it: 0.3 or 30%."""
    number = text.removesuffix("%")
    return float(number) / 100 if number != text else float(number)


SHARES = Rule(
    text=_SHARES_TEXT,
    accept=_accept_shares,
    parse=lambda text: {tier: _share(share) for tier, share in _pairs(text).items()},
)

_TIERS_TEXT = 'leverage tiers such as "0.2%,10,25,50", each once'


def _accept_tiers(value: Any) -> str:
    try:
        tiers = tiers_of(value) if isinstance(value, str) else [tier_of(tier) for tier in value]
    except (TypeError, ValueError):
        raise BreachError(_TIERS_TEXT) from None
    if not tiers or len({*tiers}) < len(tiers) or not all(math.isfinite(tier) and tier > 0 for tier in tiers):
        _fail(_TIERS_TEXT)
    return ",".join(tier_text(tier) for tier in sorted(tiers))


def tiers_of(text: str) -> list[float]:
    """
    Return the leverage tiers that a text lists; ValueError where it does not.

    Examples
    --------
    >>> tiers_of("0.2%, 10,25x")
    [0.002, 10.0, 25.0]
    """
    return [tier_of(part) for part in text.split(",")]


TIERS = Rule(text=_TIERS_TEXT, accept=_accept_tiers, parse=str)

_HALF_LIFE_TEXT = '"default", "none" or half-lives by leverage tier such as "25:7d,100:1d", or one for all such as "7d"'


def _accept_half_life(value: Any) -> str | TierTable[str]:
    if isinstance(value, str) and value in ("default", "none"):
        return value
    if not isinstance(value, Mapping):
        try:
            return _duration(value, _HALF_LIFE_TEXT)
        except BreachError as error:
            raise BreachError(_HALF_LIFE_TEXT, error.shown) from None
    if not value:
        _fail(_HALF_LIFE_TEXT)
    table: dict[float, str] = {}
    for tier, length in _by_tier(value, _HALF_LIFE_TEXT).items():
        if length in (None, "none"):
            table[tier] = "none"
            continue
        try:
            table[tier] = _duration(length, _DURATION_TEXT)
        except BreachError as error:
            raise BreachError(_HALF_LIFE_TEXT, f"{show(length)} at tier {tier_text(tier)}") from error
    return TierTable(table)


HALF_LIFE = Rule(
    text=_HALF_LIFE_TEXT,
    accept=_accept_half_life,
    parse=lambda text: _pairs(text) if ":" in text else text,
)


_THRESHOLD_TEXT = 'a share of the maximum (0 to 1), an amount above 1, or text such as "5%", "10M", "p95" or "250k usd"'


def _accept_threshold(value: Any) -> float | str:
    try:
        limit = Threshold.of(value)
    except (TypeError, ValueError):
        raise BreachError(_THRESHOLD_TEXT) from None
    if limit.unit:
        return f"{number_text(limit.value)} {limit.unit}"
    return f"p{number_text(limit.value)}" if limit.kind == "percentile" else limit.value


THRESHOLD = Rule(text=_THRESHOLD_TEXT, accept=_accept_threshold, parse=str)


_RANGE_TEXT = 'two prices, the lower first, such as "58000:66000" or [58000, 66000]'


def _accept_price_range(value: Any) -> tuple[float, float]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        _fail(_RANGE_TEXT)
    ends = [real(_RANGE_TEXT, lambda x: x >= 0).accept(end) for end in value]
    if len(ends) != 2 or not ends[0] < ends[1]:
        _fail(_RANGE_TEXT)
    return ends[0], ends[1]


PRICE_RANGE = Rule(
    text=_RANGE_TEXT,
    accept=_accept_price_range,
    parse=lambda text: [float(end) for end in text.split(":")],
    metavar="LOW:HIGH",
)


_POSITIONS_TEXT = 'positions, each side:entry:leverage or side:entry:leverage:quantity, such as "long:60000:25x"'


def _accept_positions(value: Any) -> tuple[str, ...] | None:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, Iterable):
        _fail(_POSITIONS_TEXT)
    out = []
    for text in given:
        try:
            out.append(str(Position.of(text)))
        except (TypeError, InvalidConfigError):
            raise BreachError(_POSITIONS_TEXT, show(text)) from None
    return tuple(out) or None


POSITIONS = Rule(
    text=_POSITIONS_TEXT,
    accept=_accept_positions,
    parse=lambda text: [part.strip() for part in text.split(",")],
    kind=list[str],
    metavar="SIDE:ENTRY:LEVERAGE[:QTY]",
)


_ALERTS_TEXT = f"rules such as {alert.EXAMPLES}"
_MOST_REACHES = 50  # different distances of levels: an engine reads up to 64, four of them by itself


def _accept_alerts(value: Any) -> tuple[str, ...] | None:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, Iterable):
        _fail(_ALERTS_TEXT)
    rules = []
    for text in given:
        if not isinstance(text, str):
            raise BreachError(_ALERTS_TEXT, show(text))
        try:
            rules.append(alert.AlertRule.of(text))
        except InvalidConfigError as error:
            raise BreachError(_ALERTS_TEXT, f"{show(text)}: {error}") from None
    if len({rule.within for rule in rules}) > _MOST_REACHES:
        raise BreachError(f"{_ALERTS_TEXT}, with at most {_MOST_REACHES} different distances", "more")
    return tuple(dict.fromkeys(str(rule) for rule in rules)) or None


ALERTS = Rule(
    text=_ALERTS_TEXT,
    accept=_accept_alerts,
    parse=lambda text: [part.strip() for part in text.split(";")],
    kind=list[str],
    metavar="RULE",
)


_COMMAND_TEXT = 'a command and its arguments, such as ["notify-send", "{market}", "{text}"]'


def _accept_command(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str) or not isinstance(value, Iterable):
        _fail(_COMMAND_TEXT)
    words = tuple(value)
    if not all(isinstance(word, str) and "\0" not in word for word in words) or (words and not words[0].strip()):
        _fail(_COMMAND_TEXT)
    return words or None


COMMAND = Rule(text=_COMMAND_TEXT, accept=_accept_command, parse=shlex.split, kind=str, metavar="COMMAND")


def _accept_risk(value: Any) -> MarginSchedule:
    try:
        return risk_tiers.accept(value)
    except ValueError as error:
        raise BreachError(risk_tiers.TEXT, str(error) or None) from None


RISK = Rule(text=risk_tiers.TEXT, accept=_accept_risk, parse=risk_tiers.parse)


# ------------------------------------------------------------------------------------------------------ words


def number_text(value: float) -> str:
    """Return a number as one writes it: a whole one without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def show(value: object) -> str:
    """Return a value as messages show it."""
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return which of the known words was probably meant, if any."""
    import difflib  # costs as much to import as the core itself: only where something was mistyped

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return near[0] if near else None


def suggest(word: str, known: Iterable[str], quote: str = '"') -> str:
    """Return what a message about an unknown word ends with."""
    near = nearest(word, known)
    return f"; did you mean {quote}{near}{quote}?" if near else ""
