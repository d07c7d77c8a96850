"""What the catalogue says of a venue: its instruments, their grids and dated margin terms, its leverage."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .._core import LeverageProfile, MarginSchedule
from ..errors import InvalidConfigError
from ..words.times import Time, format_duration, to_ns

__all__ = ["DatedSchedule", "Family", "LeverageDefaults", "Listing", "Venue", "as_time"]


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

    @property
    def span(self) -> str:
        """When they held, in words."""
        return f"{_day(self.start) or 'the beginning'} to {_day(self.end) or 'now'}"

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
    contract_source : str or None
        Of contract and multiplier, where that is another.
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
    contract_source: str | None = None

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
        when = as_time(at)
        for each in self.schedules:
            if each.holds(when):
                return each
        known = ", ".join(each.span for each in self.schedules)
        moment = "now" if when is None else _day(when)
        raise InvalidConfigError(f"margin must be given for {self.name} at {moment}: its terms are known for {known}")

    def nearest_schedule(self, at: Time | None = None) -> tuple[DatedSchedule | None, str]:
        """Return the terms of a time, or else the nearest, and what is to be said of that; None: none are known."""
        try:
            return self.schedule(at), ""
        except InvalidConfigError:
            if not self.schedules:
                return None, f"the margin terms of {self.name} are not in the catalogue"
        when = as_time(at)
        assert when is not None  # the last schedule has no end, or the first answers above

        def distance(each: DatedSchedule) -> int:
            gaps = [int((edge - when).astype(np.int64)) for edge in (each.start, each.end) if edge is not None]
            return min((abs(gap) for gap in gaps), default=0)

        near = min(self.schedules, key=distance)
        return near, (
            f"the margin terms of {self.name} at {_day(when)} are not in the catalogue: the nearest are used, those of "
            f"{near.span} ({near.margin.rate:.3g} on the {near.margin.basis} value)"
        )


@dataclass(frozen=True, slots=True)
class Family:
    """
    What symbols of one form count, where they are not listed one by one.

    Attributes
    ----------
    symbols : pattern
        Of the whole symbol.
    contract : {"linear", "inverse", "quanto"}
    multiplier : float or None
        As in `Listing`; None: it goes by symbol.
    own : bool
        Whether no other venue writes symbols so, so that one tells the venue.
    source : str
    """

    symbols: re.Pattern[str]
    contract: str
    multiplier: float | None
    own: bool
    source: str


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

    profile: LeverageProfile = field(default_factory=lambda: LeverageProfile.preset("default"))
    published: str = ""
    assumed: str = "all of it"
    source: str | None = None
    date: str | None = None

    @property
    def half_life(self) -> dict[float, str]:
        """Assumed half-life by tier, for models in which nothing else closes: no venue publishes any."""
        ns = self.profile.default_half_life_ns()
        return {float(tier): format_duration(int(t)) for tier, t in zip(self.profile.tiers, ns, strict=True)}


@dataclass(frozen=True, slots=True)
class Venue:
    """
    A venue of the catalogue, its instruments and the leverage that is assumed there.

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
    families : tuple of Family
        Contracts of symbols that are not listed; the first that fits counts.
    """

    name: str
    title: str
    source: str
    note: str = ""
    aliases: tuple[str, ...] = ()
    instruments: Mapping[str, Listing] = field(default_factory=dict)
    leverage: LeverageDefaults = field(default_factory=LeverageDefaults)
    families: tuple[Family, ...] = ()

    def listed(self, symbol: str) -> Listing | None:
        """Return the instrument of a symbol, in whatever case and with whatever signs; None: it is not listed."""
        if symbol in self.instruments:
            return self.instruments[symbol]
        same = [listing for name, listing in self.instruments.items() if plain(name) == plain(symbol)]
        return same[0] if len(same) == 1 else None

    def family(self, symbol: str) -> Family | None:
        """Return the first family that a symbol is of."""
        return next((family for family in self.families if family.symbols.fullmatch(symbol)), None)


def plain(name: str) -> str:
    """Return a venue's or symbol's name without what spellings differ in: case, signs, and XBT for BTC."""
    return "".join(c for c in name.upper() if c.isalnum()).replace("XBT", "BTC")


def as_time(value: Time | None) -> np.datetime64 | None:
    """Return a time as callers and files write it as datetime64[ns]; None stays."""
    return None if value is None else np.datetime64(to_ns(value, name="at"), "ns")


def _day(value: np.datetime64 | None) -> str:
    return "" if value is None else str(value.astype("datetime64[D]"))
