"""The instrument of a run: contract, grid and margin terms, from what was given, the data and the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .._core import LeverageProfile
from ..config.config import Config
from ..errors import InvalidConfigError
from ..market.catalogue import find_venues, unknown_symbol, venues
from ..market.contracts import Contract, Quantities, settle_contract, venues_that_own
from ..market.leverage import up_to
from ..market.listing import Listing, Venue
from ..market.terms import margin_values
from .trades import Footprints


class Known(Protocol):
    """What is known of trades before they are read: their first time, grid, symbol, and what their quantities are."""

    @property
    def first_ts(self) -> int: ...
    @property
    def tick_size(self) -> float: ...
    @property
    def lot_size(self) -> float: ...
    @property
    def symbol(self) -> str | None: ...
    @property
    def quantities(self) -> list[Quantities]: ...


MARGIN = ("mmr", "fee", "basis", "max_leverage", "risk")


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What was settled.

    Attributes
    ----------
    config : Config
        With the contract, and the catalogue's terms where there are none of one's own.
    contract : Contract
    catalogue : dict or None
        Where the margin terms are from; None: not from the catalogue.
    assumed : list of str
        What nothing said.
    notes : list of str
    """

    config: Config
    contract: Contract
    catalogue: dict[str, Any] | None
    assumed: list[str]
    notes: list[str]


def settle_terms(config: Config, source: Known) -> Terms:
    """
    Settle contract and margin terms; the contract independently of whether margin terms are known.

    Raises
    ------
    InvalidConfigError
        If a venue or symbol was given that is not in the catalogue, and no terms of one's own; or if quantities are
        contracts of an unknown size.
    DataError
        If files are of different contracts, or of a quanto.
    """
    section = config.instrument
    own_margin = [term for term in MARGIN if config.origin(f"instrument.{term}") != "default"]
    stored = isinstance(source, Footprints)
    symbols = [symbol for symbol in dict.fromkeys((section.symbol, source.symbol)) if symbol is not None]
    among = venues_of(section.venue, source.quantities, source.symbol, lenient=bool(own_margin) or stored)
    given = section.venue is not None and bool(among)
    if given and section.symbol is not None:
        symbols = [section.symbol]  # whatever the files say
    listing = next((found for symbol in symbols for venue in among if (found := venue.listed(symbol))), None)
    if given and listing is None and not own_margin and not stored:
        why = unknown_symbol(among, symbols[0]) if symbols else f"symbol must be given with the venue {section.venue}"
        raise InvalidConfigError(
            f"{why}{'' if why.endswith('?') else ';'} or give margin terms of your own (--mmr, instrument=, "
            "[instrument] of a configuration)"
        )
    contract, notes = _contract(config, source, symbols, among, listing)
    if not source.quantities and section.venue is None and ":" in contract.source:
        notes.append(
            f"quantities are taken for contracts of {contract.source} ({contract.text}): give contract and multiplier "
            "if they are in another unit"
        )
    values: dict[str, Any] = {"contract": contract.kind, "multiplier": contract.multiplier}
    assumed = ["contract", "multiplier"] if contract.source == "assumed" else []
    catalogue = None
    if listing is not None and listing.contract != contract.kind:
        if given:
            notes.append(f"{listing.name} is {listing.contract}, not {contract.kind}: its margin terms are not used")
        listing = None
    if own_margin:
        if given and listing is not None and not {"mmr", "risk"} & set(own_margin):
            notes.append(
                f"{', '.join(own_margin)} given: the other margin terms are those of the settings, not those of "
                f"{listing.name}"
            )
    elif listing is not None:
        schedule, note = listing.nearest_schedule(np.datetime64(source.first_ts, "ns"))
        if schedule is not None:
            values |= margin_values(schedule.margin)
            catalogue = {"name": listing.name, "source": schedule.source, "date": schedule.date}
        else:
            assumed.append("margin")
            note += f": a maintenance margin rate of {section.mmr:g} is assumed"
        if note and (given or schedule is not None):
            notes.append(note)
    else:
        assumed.append("margin")
    if listing is not None and not stored:
        values["venue"] = listing.venue
        if given and not own_margin:
            values["symbol"] = listing.symbol if source.symbol in (None, section.symbol) else section.symbol
            values["tick_size"] = section.tick_size or listing.tick_size
            values["lot_size"] = section.lot_size or listing.lot_size
        elif not given:
            assumed.append("venue")
    config = config.replace(instrument={name: value for name, value in values.items() if value is not None})
    return Terms(_leverage(config, known=bool(among)), contract, catalogue, assumed, notes)


def venues_of(
    name: str | None, files: Sequence[Quantities], symbol: str | None, *, lenient: bool = False
) -> list[Venue]:
    """Return the venues that data may be of: those named (if lenient, only known ones), else of the files' layout."""
    if name is not None:
        try:
            return find_venues(name)
        except InvalidConfigError:
            if not lenient:
                raise
    known = venues()
    found = [known[one] for one in dict.fromkeys(venue for file in files for venue in file.venues)]
    return found or (venues_that_own(symbol) if files and symbol else [])


def _contract(
    config: Config, source: Known, symbols: Sequence[str], among: Sequence[Venue], listing: Listing | None
) -> tuple[Contract, list[str]]:
    section = config.instrument
    if isinstance(source, Footprints):
        return Contract(section.contract, section.multiplier, "the footprints"), []
    own = {name: config.origin(f"instrument.{name}") != "default" for name in ("contract", "multiplier")}
    symbol = listing.symbol if listing is not None else source.symbol or (symbols[0] if symbols else None)
    return settle_contract(
        symbol,
        among,
        source.quantities,
        kind=section.contract if own["contract"] else None,
        multiplier=section.multiplier if own["multiplier"] else None,
    )


def _leverage(config: Config, *, known: bool) -> Config:
    """Settle the leverage "auto": the default's tiers, as far as the market goes."""
    section = config.leverage
    origins = {config.origin(f"leverage.{name}") for name in ("preset", "shares")}
    if section.shares is not None or not (section.preset == "auto" or (known and origins == {"default"})):
        return config
    profile = LeverageProfile.preset("default")
    offered = up_to(profile, config.instrument.max_leverage)
    if offered == profile:
        return config.replace(leverage={"preset": "default"}) if section.preset == "auto" else config
    return config.replace(leverage={"preset": "default", "shares": offered.to_dict()})
