"""Rules of alerts as people write them: ``zone swept > 10M usd``, ``levels > 5M within 1%``, ``liquidated > 2M``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import InvalidConfigError
from .numbers import SIZES

__all__ = ["EXAMPLES", "AlertRule"]

EXAMPLES = '"zone swept > 10M usd", "levels > 5M within 1%", "liquidated > 2M" or "gap"'
On: TypeAlias = Literal["zone", "levels", "liquidated", "gap", "offline"]

_MARKET = re.compile(r"\s*([\w.-]+:\S+):\s+(.*)", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:>\s*\$?\s*([0-9][0-9.,_]*(?:e[+-]?[0-9]+)?)\s*([kmbt])?\b(?:\s*usd\b)?|within\s+([0-9.]+)\s*%|([a-z]+))"
)
_KINDS: dict[str, On] = {
    "zone": "zone", "zones": "zone", "level": "levels", "levels": "levels", "liquidated": "liquidated",
    "liquidations": "liquidated", "gap": "gap", "gaps": "gap", "offline": "offline",
}  # fmt: skip
_SIDES = {"long": "long", "longs": "long", "short": "short", "shorts": "short"}
_WHAT: dict[On, tuple[str, ...]] = {"zone": ("approached", "swept"), "liquidated": ("told", "reckoned")}


@dataclass(frozen=True, slots=True)
class AlertRule:
    """
    What is to be told as it happens.

    Parameters
    ----------
    on : {"zone", "levels", "liquidated", "gap", "offline"}
    what : str
        Of zones "approached" or "swept", of liquidations "told" (by the venue) or "reckoned" (by the engine); "": both.
    side : str
        "long", "short"; "": each by itself.
    above : float
        USD; more than that is told.
    within : float
        Of levels: how far from the price, percent of it.
    market : str
        "": every one that is followed.
    """

    on: On
    what: str = ""
    side: str = ""
    above: float = 0.0
    within: float = 0.0
    market: str = ""

    @classmethod
    def of(cls, text: str) -> AlertRule:
        """
        Read a rule.

        Parameters
        ----------
        text : str
            What, then in any order: "approached" or "swept" of a zone, "told" or "reckoned" of liquidations, "long" or
            "short", an amount such as "> 10M" or "> $250k", of levels "within 1%". A market and a colon may stand
            before it.

        Raises
        ------
        InvalidConfigError
            If a word is not known, is missing or stands there twice.

        Examples
        --------
        >>> AlertRule.of("zones swept >$10m")
        AlertRule(on='zone', what='swept', side='', above=10000000.0, within=0.0, market='')
        >>> str(AlertRule.of("okx:BTC-USDT-SWAP: longs liquidated > 250000 USD told"))
        'okx:BTC-USDT-SWAP: liquidated told long > 250k'
        >>> AlertRule.of("level > 5M")
        Traceback (most recent call last):
            ...
        liqcore.errors.InvalidConfigError: levels need a distance from the price such as "within 1%"
        """
        market, rest = match.groups() if (match := _MARKET.fullmatch(text)) is not None else ("", text)
        given: dict[str, str | float] = {}
        lowered, at = rest.lower().rstrip(), 0
        while at < len(lowered):
            found = _TOKEN.match(lowered, at)
            if found is None:
                raise InvalidConfigError(f'what cannot be read is "{rest[at:].strip()}"')
            at = found.end()
            name, value = _said(found)
            if name in given:
                raise InvalidConfigError(f'"{found[0].strip()}" says once more what has been said')
            given[name] = value
        rule = cls(**given, market=market) if "on" in given else None  # type: ignore[arg-type]
        if rule is None:
            raise InvalidConfigError("it says nothing of zones, levels, liquidations, gaps or a feed that is offline")
        rule._check()
        return rule

    def _check(self) -> None:
        """Refuse what does not go together."""
        if self.what and self.what not in _WHAT.get(self.on, ()):
            raise InvalidConfigError(f'"{self.what}" is not said of {self.on}')
        if self.on in ("gap", "offline") and (self.side or self.above or self.within):
            raise InvalidConfigError(f'"{self.on}" has no side, amount or distance')
        if self.on == "levels" and not 0 < self.within < 100:
            raise InvalidConfigError(
                f"a distance must be above 0 and below 100 %, was {self.within:g}"
                if self.within
                else 'levels need a distance from the price such as "within 1%"'
            )
        if self.within and self.on != "levels":
            raise InvalidConfigError(
                "a distance is said of levels; how near a zone is approached is the setting live.approach"
            )
        if not self.above and self.on in ("levels", "liquidated"):
            raise InvalidConfigError(f'{self.on} need an amount above 0 such as "> 5M"')

    def __str__(self) -> str:
        words = [f"{self.market}:" if self.market else "", self.on, self.what, self.side]
        words += [
            f"> {_amount(self.above)}" if self.above else "",
            f"within {self.within:.12g}%" if self.within else "",
        ]
        return " ".join(word for word in words if word)


def _said(found: re.Match[str]) -> tuple[str, str | float]:
    """Return which part of a rule some words are, and what they say."""
    amount, size, percent, word = found.groups()
    try:
        if amount is not None:
            return "above", float(amount.replace(",", "").replace("_", "")) * SIZES[size or ""]
        if percent is not None:
            return "within", float(percent)
    except ValueError:
        raise InvalidConfigError(f'what cannot be read is "{found[0].strip()}"') from None
    if word in _KINDS:
        return "on", _KINDS[word]
    if word in _SIDES:
        return "side", _SIDES[word]
    if any(word in known for known in _WHAT.values()):
        return "what", word
    raise InvalidConfigError(f'an unknown word is "{word}"')


def _amount(value: float) -> str:
    for size in ("t", "b", "m", "k"):
        short = f"{value / SIZES[size]:g}"
        if value >= SIZES[size] and float(short) * SIZES[size] == value:
            return f"{short}{size if size == 'k' else size.upper()}"
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
