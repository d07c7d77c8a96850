"""Files of the catalogue: one venue in JSON or TOML, read with a check of every key."""

import json
import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from .._core import LeverageProfile, MarginSchedule
from ..errors import DataError
from .listing import DatedSchedule, Family, LeverageDefaults, Listing, Venue, as_time

__all__ = ["PathLike", "read_venue", "venue_of"]

PathLike: TypeAlias = str | Path

_FEE_KEYS = frozenset(["liquidation_fee", "taker_fee", "maker_fee"])
_VENUE_KEYS = (
    _FEE_KEYS
    | frozenset(
        [
            "venue",
            "aliases",
            "title",
            "contract",
            "basis",
            "trigger",
            "formula_source",
            "note",
            "families",
            "instruments",
        ]
    )
    | {"leverage"}
)
_FAMILY_KEYS = frozenset(["symbols", "contract", "multiplier", "own", "source"])
_LEVERAGE_KEYS = frozenset(["shares", "published", "assumed", "source", "date"])
_TERM_KEYS = frozenset(
    ["rate", "slope", "max_leverage", "tiers", "steps", "basis", "liquidation_fee", "unit", "amounts"]
)
_SCHEDULE_KEYS = _TERM_KEYS | {"from", "until", "date", "source", "note"}
_LISTING_KEYS = (
    frozenset(["contract", "trigger", "multiplier", "grid", "tick_size", "lot_size", "taker_fee", "maker_fee"])
    | {"schedules", "note", "source", "date"}
    | _TERM_KEYS
)


def read_venue(path: Path) -> Venue:
    """Read a file of one's own; DataError says what is wrong with it."""
    text = path.read_bytes()
    try:
        data = tomllib.loads(text.decode()) if path.suffix == ".toml" else json.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        kind = "TOML" if path.suffix == ".toml" else "JSON"
        raise DataError(f"{path.name}: expected {kind}, found {error}") from None
    return venue_of(data, path.name)


def venue_of(data: Any, where: str) -> Venue:
    """Return the venue that a file's values describe; `where` begins the message of an error."""
    if not isinstance(data, dict) or not isinstance(data.get("venue"), str):
        raise DataError(f"{where}: expected a venue and its instruments, found no venue")
    _known_keys(data, _VENUE_KEYS, where, "of a venue")
    name = data["venue"]
    listings = {}
    for symbol, entry in data.get("instruments", {}).items():
        listings[symbol] = _listing(name, symbol, entry, data, where)
    if not listings:
        raise DataError(f"{where}: expected at least one instrument, found none")
    return Venue(
        name=name,
        title=str(data.get("title", name)),
        source=data.get("formula_source", ""),
        note=data.get("note", ""),
        aliases=tuple(data.get("aliases", ())),
        instruments=listings,
        families=tuple(_family(entry, data, where) for entry in data.get("families", ())),
        leverage=_leverage(data["leverage"], where) if "leverage" in data else LeverageDefaults(),
    )


def _leverage(entry: Mapping[str, Any], where: str) -> LeverageDefaults:
    _known_keys(entry, _LEVERAGE_KEYS, where, "of leverage")
    rest = {key: entry[key] for key in _LEVERAGE_KEYS - {"shares"} if key in entry}
    try:
        profile = LeverageProfile({float(tier): float(share) for tier, share in entry["shares"].items()})
    except KeyError:
        raise DataError(f"{where}: expected shares under leverage, found none") from None
    return LeverageDefaults(profile, **rest)


def _family(entry: Mapping[str, Any], defaults: Mapping[str, Any], where: str) -> Family:
    _known_keys(entry, _FAMILY_KEYS, where, "of a family")
    try:
        symbols = re.compile(entry["symbols"])
    except (KeyError, re.error):
        raise DataError(f"{where}: expected a pattern of symbols in a family, found {entry.get('symbols')}") from None
    return Family(
        symbols=symbols,
        contract=entry.get("contract", defaults.get("contract", "linear")),
        multiplier=_optional(entry.get("multiplier")),
        own=entry.get("own", False),
        source=entry.get("source", where),
    )


def _listing(venue: str, symbol: str, entry: Mapping[str, Any], defaults: Mapping[str, Any], where: str) -> Listing:
    _known_keys(entry, _LISTING_KEYS, where, f"of {symbol}")
    grid = entry.get("grid", entry)
    own = {key: entry[key] for key in _TERM_KEYS if key in entry}
    listed = entry.get("schedules")
    if listed is None:
        terms = {"rate", "tiers", "steps"} & own.keys()
        listed = [{**own, "date": entry.get("date"), "source": entry.get("source", where)}] if terms else []
    schedules = []
    for each in listed:
        _known_keys(each, _SCHEDULE_KEYS, where, f"of a schedule of {symbol}")
        schedules.append(
            DatedSchedule(
                margin=_margin({**defaults, **own, **each}, venue, symbol, where),
                start=as_time(each.get("from")),
                end=as_time(each.get("until")),
                date=each.get("date"),
                source=each.get("source", where),
                note=each.get("note", ""),
            )
        )
    return Listing(
        venue=venue,
        symbol=symbol,
        contract=entry.get("contract", defaults.get("contract", "linear")),
        trigger=entry.get("trigger", defaults.get("trigger", "mark")),
        multiplier=float(entry.get("multiplier", 1.0)),
        tick_size=_optional(grid.get("tick_size")),
        lot_size=_optional(grid.get("lot_size")),
        taker_fee=_optional(entry.get("taker_fee", defaults.get("taker_fee"))),
        maker_fee=_optional(entry.get("maker_fee", defaults.get("maker_fee"))),
        schedules=tuple(schedules),
        grid_source=grid.get("source") if "tick_size" in grid or "lot_size" in grid else None,
        grid_date=grid.get("date"),
        contract_source=entry.get("source"),
        note=entry.get("note", ""),
    )


def _margin(terms: Mapping[str, Any], venue: str, symbol: str, where: str) -> MarginSchedule:
    """Margin terms from one of: tiers, steps, or a rate."""
    fee = float(terms.get("liquidation_fee", 0.0))
    basis = terms.get("basis", "mark")
    most = _optional(terms.get("max_leverage"))
    if "tiers" in terms:
        return MarginSchedule.tiers(
            terms["tiers"],
            fee=fee,
            basis=basis,
            unit=terms.get("unit", "notional"),
            amounts=terms.get("amounts", "given"),
            venue=venue,
            symbol=symbol,
        )
    if "steps" in terms:
        return MarginSchedule.tiers(_stairs(terms["steps"]), fee=fee, basis=basis, venue=venue, symbol=symbol)
    if "rate" not in terms:
        raise DataError(f"{where}: expected rate, tiers or steps in a schedule of {symbol}, found none")
    if "slope" in terms:
        return MarginSchedule.sloped(terms["rate"], terms["slope"], max_leverage=most, fee=fee, basis=basis)
    if most is not None:
        row = {"rate": terms["rate"], "max_leverage": most}
        return MarginSchedule.tiers([row], fee=fee, basis=basis, venue=venue, symbol=symbol)
    return MarginSchedule.flat(terms["rate"], fee=fee, basis=basis)


def _stairs(steps: Mapping[str, float]) -> list[dict[str, float]]:
    """BitMEX: from the base limit on, each step raises both rates by the base maintenance rate."""
    limit, step, initial, maintenance = (float(steps[k]) for k in ("limit", "step", "initial", "maintenance"))
    rows = []
    count = math.floor((1.0 - initial) / maintenance + 1e-9) + 1  # until no leverage is left
    for n in range(count):
        initial_rate = initial + n * maintenance
        rows.append(
            {
                "floor": 0.0 if n == 0 else limit + (n - 1) * step,
                "cap": limit + n * step,
                "rate": maintenance * (n + 1),
                "max_leverage": max(1.0, 1.0 / initial_rate),
            }
        )
    return [row for row in rows if row["rate"] < 1.0]


def _known_keys(entry: Any, known: frozenset[str], where: str, what: str) -> None:
    if not isinstance(entry, dict):
        raise DataError(f"{where}: expected a table {what}, found {type(entry).__name__}")
    for key in entry:
        if key not in known:
            raise DataError(f'{where}: expected the keys {", ".join(sorted(known))} {what}, found "{key}"')


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)
