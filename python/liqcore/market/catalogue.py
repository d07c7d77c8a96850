"""
The catalogue of venues: what they trade, on what grid, with which margin terms, from which source.

The data are the files in ``liqcore/market/venues``, one a venue, every entry with its source and that source's date.
What is not known is absent: asking for it is an error that says so. Files of one's own have the same form.
"""

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .._core import Instrument, LeverageProfile, MarginSchedule
from ..errors import DataError, InvalidConfigError
from ..words.times import Time, format_duration, to_ns

__all__ = [
    "DatedSchedule",
    "LeverageDefaults",
    "Listing",
    "Venue",
    "instrument",
    "schedule_from_binance",
    "schedule_from_ccxt",
    "venues",
]

PathLike: TypeAlias = str | Path

_PRESETS = ("default", "integer-125")


@dataclass(frozen=True, slots=True)
class DatedSchedule:
    """
    Margin terms, and when they held.

    Attributes
    ----------
    margin : MarginSchedule
    start, end : datetime64[ns] or None
        From ``start`` until before ``end``; None: as far back, or forward, as is known.
    date : str or None
        Day, month or year of the source; None: not known.
    source : str
    note : str
        What is not known of it; may be empty.
    """

    margin: MarginSchedule
    start: np.datetime64 | None
    end: np.datetime64 | None
    date: str | None
    source: str
    note: str = ""

    def holds(self, at: np.datetime64 | None) -> bool:
        """Say whether these were the terms at a time; without one, whether they are the latest."""
        if at is None:
            return self.end is None
        return bool((self.start is None or at >= self.start) and (self.end is None or at < self.end))


@dataclass(frozen=True, slots=True)
class Listing:
    """
    One instrument of a venue, as far as it is known; None stands for what is not.

    Attributes
    ----------
    venue, symbol, contract : str
    multiplier : float
        Linear: base units per printed unit of quantity. Inverse: USD per contract.
    tick_size, lot_size, taker_fee, maker_fee : float or None
    trigger : {"mark", "last", "oracle"}
        The price that liquidates.
    schedules : tuple of DatedSchedule
        In the order of time; may be empty.
    grid_source, grid_date, note : str or None
    """

    venue: str
    symbol: str
    contract: str
    trigger: str
    multiplier: float = 1.0
    tick_size: float | None = None
    lot_size: float | None = None
    taker_fee: float | None = None
    maker_fee: float | None = None
    schedules: tuple[DatedSchedule, ...] = ()
    grid_source: str | None = None
    grid_date: str | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """``venue:symbol``, which `instrument` takes."""
        return f"{self.venue}:{self.symbol}"

    def schedule(self, at: Time | None = None) -> DatedSchedule:
        """
        Return the margin terms that held at a time.

        Raises
        ------
        InvalidConfigError
            If none are known for it.
        """
        if not self.schedules:
            raise InvalidConfigError(f"margin must be given for {self.name}: its terms are not in the catalogue")
        when = _time(at)
        for each in self.schedules:
            if each.holds(when):
                return each
        known = ", ".join(f"{_day(s.start) or 'the beginning'} to {_day(s.end) or 'now'}" for s in self.schedules)
        moment = "now" if when is None else _day(when)
        raise InvalidConfigError(f"margin must be given for {self.name} at {moment}: its terms are known for {known}")


@dataclass(frozen=True, slots=True)
class LeverageDefaults:
    """
    Which leverage is assumed on a venue, and how long positions stay open: what is published, and what is not.

    No venue publishes either for what is opened, so every profile is an assumption; some lean on a statistic.

    Attributes
    ----------
    profile : LeverageProfile
        Tiers that the venue does not offer are left out by an engine.
    published : str
        The statistic that the shares lean on; empty: none is known, and the profile is the preset "default".
    assumed : str
        What the statistic does not say.
    source, date : str or None
        Of the statistic.
    """

    profile: LeverageProfile
    published: str = ""
    assumed: str = "all of it"
    source: str | None = None
    date: str | None = None

    @property
    def half_life(self) -> dict[float, str]:
        """Assumed half-life by tier, for models in which nothing else closes: no venue publishes any."""
        ns = self.profile.default_half_life_ns()
        return {float(tier): format_duration(int(t)) for tier, t in zip(self.profile.tiers, ns, strict=True)}


def _default_leverage() -> LeverageDefaults:
    return LeverageDefaults(LeverageProfile.preset("default"))


@dataclass(frozen=True, slots=True)
class Venue:
    """
    A venue of the catalogue.

    Attributes
    ----------
    name, title : str
    aliases : tuple of str
        Other names that `instrument` takes.
    source : str
        Where its formula is from.
    note : str
    instruments : dict of str to Listing
    leverage : LeverageDefaults
    """

    name: str
    title: str
    source: str
    note: str = ""
    aliases: tuple[str, ...] = ()
    instruments: Mapping[str, Listing] = field(default_factory=dict)
    leverage: LeverageDefaults = field(default_factory=_default_leverage)


def venues(catalogue: PathLike | None = None) -> dict[str, Venue]:
    """
    Return the venues of the catalogue.

    Parameters
    ----------
    catalogue : path, optional
        A TOML or JSON file of one's own, read instead of liqcore's.

    Returns
    -------
    dict of str to Venue

    Raises
    ------
    DataError
        If the file cannot be used.
    InvalidConfigError
        If a table of risk tiers breaks a rule; the message names venue, symbol and tier.

    Examples
    --------
    >>> import liqcore as lq
    >>> lq.venues()["hyperliquid"].instruments["BTC"].schedule().margin.max_leverage
    40.0
    """
    if catalogue is not None:
        venue = _read_venue(Path(catalogue))
        return {venue.name: venue}
    return dict(_built_in())


def leverage_preset(name: str) -> LeverageProfile:
    """
    Return a leverage profile by the name of a preset, or of a venue that has published something to lean on.

    Raises
    ------
    InvalidConfigError
        For another name; the message lists what there is.

    Examples
    --------
    >>> from liqcore.market.catalogue import leverage_preset
    >>> leverage_preset("hyperliquid").to_dict()
    {2.0: 0.36, 5.0: 0.49, 10.0: 0.09, 20.0: 0.04, 40.0: 0.02}
    """
    if name in _PRESETS:
        return LeverageProfile.preset(name)
    of_venues = {venue.name: venue.leverage.profile for venue in _built_in().values() if venue.leverage.published}
    if name not in of_venues:
        raise InvalidConfigError(f'leverage must be one of {", ".join([*_PRESETS, *of_venues])}, was "{name}"')
    return of_venues[name]


def instrument(
    name: str,
    *,
    at: Time | None = None,
    catalogue: PathLike | None = None,
    tick_size: float | None = None,
    lot_size: float | None = None,
    margin: MarginSchedule | None = None,
) -> Instrument:
    """
    Return an instrument of the catalogue.

    Parameters
    ----------
    name : str
        ``venue:symbol``, such as ``"binance-usdm:BTCUSDT"``.
    at : str, date, datetime64 or int, optional
        Time of the data (an int: nanoseconds since the UNIX epoch, UTC), which picks among dated margin terms.
        [default: the latest]
    catalogue : path, optional
        A TOML or JSON file of one's own instead of liqcore's.
    tick_size, lot_size, margin : optional
        Take the place of the catalogue's; must be given where it does not know them.

    Returns
    -------
    Instrument

    Raises
    ------
    InvalidConfigError
        If the venue or symbol is not in the catalogue, or something needed is not known.

    Examples
    --------
    >>> import liqcore as lq
    >>> lq.instrument("binance-usdm:BTCUSDT").margin.max_leverage
    150.0
    >>> lq.instrument("bybit-linear:BTCUSDT", at="2025-09-01").margin.basis  # on the mark value from the next day on
    'entry'
    """
    listing = find_listing(name, catalogue)
    tick = tick_size if tick_size is not None else listing.tick_size
    lot = lot_size if lot_size is not None else listing.lot_size
    for word, value in (("tick_size", tick), ("lot_size", lot)):
        if value is None:
            raise InvalidConfigError(f"{word} must be given for {listing.name}: it is not in the catalogue")
    assert tick is not None
    assert lot is not None
    return Instrument(
        symbol=listing.symbol,
        venue=listing.venue,
        contract=listing.contract,
        tick_size=tick,
        lot_size=lot,
        multiplier=listing.multiplier,
        margin=margin if margin is not None else listing.schedule(at).margin,
    )


def find_listing(name: str, catalogue: PathLike | None = None) -> Listing:
    """
    Return the catalogue's entry of ``venue:symbol``; of a venue alone, its first.

    Raises
    ------
    InvalidConfigError
        If there is none; the message lists what there is.
    """
    known = venues(catalogue)
    venue_name, _, symbol = name.partition(":")
    venue = known.get(venue_name)
    if venue is None:
        venue = next((v for v in known.values() if venue_name in v.aliases), None)
    if venue is None:
        raise InvalidConfigError(f'venue must be one of {", ".join(known)}, was "{venue_name}"')
    if not symbol:
        return next(iter(venue.instruments.values()))
    if symbol not in venue.instruments:
        raise InvalidConfigError(
            f'symbol must be one of {", ".join(venue.instruments)} on {venue.name}, was "{symbol}"'
        )
    return venue.instruments[symbol]


def schedule_from_binance(answer: Any, symbol: str | None = None, *, contract: str = "linear") -> MarginSchedule:
    """
    Read the answer of Binance's leverageBracket interface (``/fapi/v1`` or ``/dapi/v2``).

    Parameters
    ----------
    answer : path, list or dict
        The JSON, or a file of it: one symbol or all.
    symbol : str, optional
        Which; must be given if the answer holds several.
    contract : {"linear", "inverse"}
        Only for the message: brackets of inverse contracts count notional in coin.

    Returns
    -------
    MarginSchedule

    Raises
    ------
    DataError
        If it is no such answer.
    InvalidConfigError
        If the table breaks a rule.

    Examples
    --------
    >>> import liqcore as lq
    >>> bracket = {"bracket": 1, "initialLeverage": 150, "notionalFloor": 0, "notionalCap": 300000,
    ...            "maintMarginRatio": 0.004, "cum": 0.0}
    >>> lq.schedule_from_binance([{"symbol": "BTCUSDT", "brackets": [bracket]}]).max_leverage
    150.0
    """
    venue = "binance-coinm" if contract == "inverse" else "binance-usdm"
    data, where = _parsed(answer)
    entries = data if isinstance(data, list) else [data]
    if not all(isinstance(e, dict) and isinstance(e.get("brackets"), list) for e in entries) or not entries:
        raise DataError(f"{where}: expected a leverageBracket answer (symbol and brackets), found something else")
    entry = _choose({str(e.get("symbol", e.get("pair"))): e for e in entries}, symbol, where)
    rows = []
    for bracket in sorted(entry[1]["brackets"], key=lambda b: b.get("bracket", 0)):
        floor = _first(bracket, "notionalFloor", "qtyFloor", "qtylFloor", where=where)
        rows.append(
            {
                "floor": floor,
                "cap": _first(bracket, "notionalCap", "qtyCap", where=where),
                "rate": _first(bracket, "maintMarginRatio", where=where),
                "max_leverage": _first(bracket, "initialLeverage", where=where),
                **({"amount": float(bracket["cum"])} if bracket.get("cum") is not None else {}),
            }
        )
    given = any("amount" in row for row in rows)
    return MarginSchedule.tiers(rows, amounts="given" if given else "derived", venue=venue, symbol=entry[0])


def schedule_from_ccxt(
    tiers: Any,
    symbol: str | None = None,
    *,
    amounts: str = "derived",
    fee: float = 0.0,
    basis: str = "mark",
    unit: str = "notional",
    venue: str = "",
) -> MarginSchedule:
    """
    Read ccxt's unified leverage tiers (``fetch_leverage_tiers`` or ``fetch_market_leverage_tiers``).

    Parameters
    ----------
    tiers : path, dict or list
        Tiers by symbol, or the list of one symbol, or a JSON file of either.
    symbol : str, optional
        Which; must be given if there are several.
    amounts : {"derived", "none"}
        What to do where the venue's own answer (``info``) has no maintenance amounts: work them out so that maintenance
        margin is continuous, or take the venue to have none (OKX, BitMEX).
    fee, basis, unit, venue
        As for `MarginSchedule.tiers`. ccxt gives tiers of OKX in contracts: give their caps in coin and
        ``unit="quantity"``.

    Returns
    -------
    MarginSchedule

    Raises
    ------
    DataError
        If it is no such answer.
    InvalidConfigError
        If the table breaks a rule.

    Examples
    --------
    >>> import liqcore as lq
    >>> unified = [
    ...     {"minNotional": 0, "maxNotional": 5e4, "maintenanceMarginRate": 0.004, "maxLeverage": 125},
    ...     {"minNotional": 5e4, "maxNotional": 2.5e5, "maintenanceMarginRate": 0.005, "maxLeverage": 100},
    ... ]
    >>> [tier["amount"] for tier in lq.schedule_from_ccxt(unified).risk_tiers]
    [0.0, 50.0]
    """
    if amounts not in ("derived", "none"):
        raise InvalidConfigError(f'amounts must be "derived" or "none", was "{amounts}"')
    data, where = _parsed(tiers)
    name, chosen = _choose(data, symbol, where) if isinstance(data, dict) else (symbol or "", data)
    if not isinstance(chosen, list) or not chosen or not all(isinstance(row, dict) for row in chosen):
        raise DataError(f"{where}: expected unified leverage tiers, found something else")
    rows = []
    for row in chosen:
        cap = row.get("maxNotional")
        amount = _amount_of(row.get("info"))
        rows.append(
            {
                "floor": _first(row, "minNotional", where=where),
                "cap": None if cap is None else float(cap),
                "rate": _first(row, "maintenanceMarginRate", where=where),
                "max_leverage": None if row.get("maxLeverage") is None else float(row["maxLeverage"]),
                **({} if amount is None else {"amount": amount}),
            }
        )
    given = any("amount" in row for row in rows) or amounts == "none"
    return MarginSchedule.tiers(
        rows, amounts="given" if given else "derived", fee=fee, basis=basis, unit=unit, venue=venue, symbol=name
    )


def _amount_of(info: Any) -> float | None:
    """Maintenance amount in a venue's own row: Binance ``cum``, Bybit ``mmDeduction``."""
    if not isinstance(info, dict):
        return None
    for key in ("cum", "mmDeduction"):
        value = info.get(key)
        if value is not None:
            return float(value) if value != "" else 0.0
    return None


def _parsed(source: Any) -> tuple[Any, str]:
    """Return JSON data and a name for messages."""
    if isinstance(source, str | Path):
        path = Path(source)
        try:
            return json.loads(path.read_text(encoding="utf-8")), path.name
        except json.JSONDecodeError as error:
            raise DataError(f"{path.name}: expected JSON, found {error}") from None
    return source, "answer"


def _choose(by_symbol: Mapping[str, Any], symbol: str | None, where: str) -> tuple[str, Any]:
    if symbol is None:
        if len(by_symbol) != 1:
            raise InvalidConfigError(f"symbol must be given: {where} holds {len(by_symbol)} of them")
        return next(iter(by_symbol.items()))
    if symbol not in by_symbol:
        raise DataError(f"{where}: expected tiers of {symbol}, found {', '.join(list(by_symbol)[:5])}")
    return symbol, by_symbol[symbol]


def _first(row: Mapping[str, Any], *keys: str, where: str) -> float:
    for key in keys:
        if row.get(key) is not None:
            return float(row[key])
    raise DataError(f"{where}: expected {' or '.join(keys)} in each tier, found {', '.join(row)}")


@cache
def _built_in() -> Mapping[str, Venue]:
    folder = resources.files(__package__) / "venues"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    read = [_venue(json.loads(f.read_text(encoding="utf-8")), f.name) for f in files]
    return {venue.name: venue for venue in read}


def _read_venue(path: Path) -> Venue:
    text = path.read_bytes()
    try:
        data = tomllib.loads(text.decode()) if path.suffix == ".toml" else json.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        kind = "TOML" if path.suffix == ".toml" else "JSON"
        raise DataError(f"{path.name}: expected {kind}, found {error}") from None
    return _venue(data, path.name)


_FEE_KEYS = frozenset(["liquidation_fee", "taker_fee", "maker_fee"])
_VENUE_KEYS = _FEE_KEYS | frozenset(
    ["venue", "aliases", "title", "contract", "basis", "trigger", "formula_source", "note", "instruments", "leverage"]
)
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


def _venue(data: Any, where: str) -> Venue:
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
        leverage=_leverage(data["leverage"], where) if "leverage" in data else _default_leverage(),
    )


def _leverage(entry: Mapping[str, Any], where: str) -> LeverageDefaults:
    _known_keys(entry, _LEVERAGE_KEYS, where, "of leverage")
    rest = {key: entry[key] for key in _LEVERAGE_KEYS - {"shares"} if key in entry}
    try:
        profile = LeverageProfile({float(tier): float(share) for tier, share in entry["shares"].items()})
    except KeyError:
        raise DataError(f"{where}: expected shares under leverage, found none") from None
    return LeverageDefaults(profile, **rest)


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
                start=_time(each.get("from")),
                end=_time(each.get("until")),
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
        grid_source=grid.get("source"),
        grid_date=grid.get("date"),
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


def _time(value: Time | None) -> np.datetime64 | None:
    return None if value is None else np.datetime64(to_ns(value, name="at"), "ns")


def _day(value: np.datetime64 | None) -> str:
    return "" if value is None else str(value.astype("datetime64[D]"))
