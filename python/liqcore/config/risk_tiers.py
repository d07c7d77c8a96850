"""The setting instrument.risk: a margin schedule without fee and basis, which are settings of their own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from .._core import MarginSchedule
from ..market.terms import margin_values, risk_of, risk_values

TEXT = "a table of rising tiers (cap, rate, amount, max_leverage), with unit, slope and sizes where needed"
EXAMPLE = "{ tiers = [{ cap = 3e6, rate = 0.0125, max_leverage = 40.0 }, { rate = 0.025, max_leverage = 20.0 }] }"
DOC = (
    "Risk tiers of the venue; mmr and max_leverage are then those of the first. A cap counts what unit says, "
    '"notional" in the margin currency or "quantity"; slope is what each unit of quantity adds to the rate. Levels are '
    "reckoned with the first tier, or with that of the position size that sizes assumes for a leverage."
)
UNSET = "one rate for all sizes, or the catalogue's tiers where venue and symbol are listed there"

_KEYS = ("tiers", "unit", "slope", "sizes")


def accept(value: Any) -> MarginSchedule:
    """Return the schedule that a table describes; ValueError says what is wrong with it, if it is a table at all."""
    if isinstance(value, MarginSchedule):
        if value.fee or value.basis != "mark":
            raise ValueError("one with a fee or basis of its own")
        return value
    if not isinstance(value, Mapping):
        raise ValueError
    for key in value:
        if key not in _KEYS:
            raise ValueError(f'one with the key "{key}"')
    tiers, sizes = value.get("tiers"), value.get("sizes", {})
    if not isinstance(tiers, list | tuple) or not all(isinstance(tier, Mapping) for tier in tiers):
        raise ValueError("one whose tiers are no list of tables")
    if not isinstance(sizes, Mapping):
        raise ValueError("one whose sizes are no table")
    if value.get("slope"):
        single = len(tiers) == 1 and tiers[0].keys() <= {"rate", "max_leverage"}
        if not single or value.get("unit", "quantity") != "quantity":
            raise ValueError("one with a slope, which takes a single tier of rate and max_leverage, by quantity")
    if any(isinstance(number, bool) for tier in tiers for number in tier.values()) or any(
        isinstance(size, bool) for size in sizes.values()
    ):
        raise ValueError("one with true or false for a number")
    leverages = [float(leverage) for leverage in sizes if _is_number(leverage)]
    if len(set(leverages)) < len(leverages):
        raise ValueError("one that gives a leverage two sizes")
    try:
        return risk_of(value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"one with {error}") from None


def parse(text: str) -> Any:
    """Read a variable's text: the table as it stands in a file."""
    document = tomllib.loads(f"risk = {text}")
    if len(document) > 1:
        raise ValueError(text)
    return document["risk"]


def settle(risk: MarginSchedule) -> dict[str, Any]:
    """Return the settings that a schedule decides: mmr, max_leverage, and risk where these do not say it all."""
    values = margin_values(risk)
    return {"mmr": risk.rate, "max_leverage": risk.max_leverage, "risk": risk if "risk" in values else None}


def conflict(values: Mapping[str, Any], usual_rate: object) -> tuple[tuple[str, ...], str] | None:
    """Return which key says otherwise than the first tier, and the message; None where none does."""
    risk, mmr, most = values["risk"], values["mmr"], values["max_leverage"]
    if risk is None:
        return None
    if mmr not in (usual_rate, risk.rate):
        return ("mmr", "risk"), f"instrument.mmr must be that of instrument.risk, {risk.rate!r}, was {mmr!r}"
    if most not in (None, risk.max_leverage):
        known = f"that of instrument.risk, {risk.max_leverage!r}" if risk.max_leverage else "left out"
        return ("max_leverage", "risk"), f"instrument.max_leverage must be {known}, was {most!r}"
    return None


def toml_lines(risk: MarginSchedule) -> Iterator[str]:
    """Write the keys of the table."""
    values = risk_values(risk)
    yield "tiers = ["
    yield from (f"    {_inline(row)}," for row in values.pop("tiers"))
    yield "]"
    for key, value in values.items():
        yield f"{key} = {_inline(value) if isinstance(value, dict) else json.dumps(value)}"


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except (TypeError, ValueError):
        return False
    return True


def _inline(table: Mapping[str, float]) -> str:
    return "{ " + ", ".join(f"{_key(key)} = {value!r}" for key, value in table.items()) + " }"


def _key(key: str) -> str:
    return key if key.isidentifier() else f'"{key}"'
