"""
An instrument as plain values, which JSON and TOML can hold, and back.

Ten values say all of most instruments: those of `_GRID`, and mmr, fee, basis and max_leverage. A margin schedule that
is more than these four (several risk tiers, caps, maintenance amounts, a slope, assumed sizes) is told whole by an
eleventh, ``risk``; mmr and max_leverage are then those of its first tier.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from .._core import Instrument, MarginSchedule

__all__ = [
    "instrument_of",
    "instrument_settings",
    "instrument_values",
    "margin_of",
    "margin_values",
    "risk_of",
    "risk_values",
]

_GRID = ("symbol", "venue", "contract", "tick_size", "lot_size", "multiplier")


def instrument_values(instrument: Instrument) -> dict[str, Any]:
    """Return everything but ``assumed``."""
    return {name: getattr(instrument, name) for name in _GRID} | margin_values(instrument.margin)


def instrument_settings(instrument: Instrument) -> dict[str, Any]:
    """Return the same as settings: a name that is empty is None."""
    values = instrument_values(instrument)
    return values | {name: values[name] or None for name in ("symbol", "venue")}


def instrument_of(values: Mapping[str, Any]) -> Instrument:
    """
    Return the instrument that either of these described; ``assumed`` may stand there as well.

    Raises
    ------
    InvalidConfigError
        If a value breaks a rule of `Instrument` or `MarginSchedule`.
    """
    grid = {name: values[name] for name in _GRID} | {name: values[name] or "" for name in ("symbol", "venue")}
    return Instrument(**grid, margin=margin_of(values), assumed=values.get("assumed", ()))


def margin_values(margin: MarginSchedule) -> dict[str, Any]:
    """Return mmr, fee, basis and max_leverage, and risk where these do not say it all."""
    values = {"mmr": margin.rate, "fee": margin.fee, "basis": margin.basis, "max_leverage": margin.max_leverage}
    return values if margin_of(values) == margin else values | {"risk": risk_values(margin)}


def margin_of(values: Mapping[str, Any]) -> MarginSchedule:
    """
    Return the schedule that `margin_values` described.

    Raises
    ------
    InvalidConfigError
        If a value breaks a rule of `MarginSchedule`.
    """
    fee, basis = values["fee"], values["basis"]
    if values.get("risk") is not None:
        return risk_of(values["risk"], fee=fee, basis=basis)
    if values["max_leverage"] is None:
        return MarginSchedule.flat(values["mmr"], fee=fee, basis=basis)
    tier = {"rate": values["mmr"], "max_leverage": values["max_leverage"]}
    return MarginSchedule.tiers([tier], fee=fee, basis=basis)


def risk_values(margin: MarginSchedule) -> dict[str, Any]:
    """Return a schedule without its fee and basis: ``tiers``, and ``unit``, ``slope`` and ``sizes`` where not usual."""
    rows = [{key: value for key, value in row.items() if value != inf} for row in margin.risk_tiers]
    for row in rows:
        del row["floor"]  # the cap before
    values: dict[str, Any] = {"tiers": rows}
    if margin.unit != "notional":
        values["unit"] = margin.unit
    if margin.slope:
        values["slope"] = margin.slope
    if margin.assumed_sizes:
        values["sizes"] = {repr(leverage): size for leverage, size in margin.assumed_sizes.items()}
    return values


def risk_of(values: Mapping[str, Any], *, fee: float = 0.0, basis: str = "mark") -> MarginSchedule:
    """
    Return the schedule that `risk_values` described, with a fee and a basis.

    Raises
    ------
    InvalidConfigError
        If a value breaks a rule of `MarginSchedule`.
    """
    if slope := values.get("slope"):
        margin = MarginSchedule.sloped(**values["tiers"][0], slope=slope, fee=fee, basis=basis)
    else:
        margin = MarginSchedule.tiers(values["tiers"], unit=values.get("unit", "notional"), fee=fee, basis=basis)
    return margin.assuming({float(leverage): size for leverage, size in values.get("sizes", {}).items()})
