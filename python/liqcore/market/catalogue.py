"""
The catalogue of venues: what they trade, on what grid, with which margin terms, from which source.

The data are the files in ``liqcore/market/venues``, one a venue, every entry with its source and that source's date.
What is not known is absent: asking for it is an error that says so. Files of one's own have the same form.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from .._core import Instrument, LeverageProfile, MarginSchedule
from ..errors import InvalidConfigError
from ..words.times import Time
from .listing import Listing, Venue
from .venue_files import PathLike, read_venue, venue_of

__all__ = ["find_listing", "instrument", "leverage_preset", "venues"]

_PRESETS = ("default", "integer-125")


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
        venue = read_venue(Path(catalogue))
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


@cache
def _built_in() -> Mapping[str, Venue]:
    folder = resources.files(__package__) / "venues"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    read = [venue_of(json.loads(f.read_text(encoding="utf-8")), f.name) for f in files]
    return {venue.name: venue for venue in read}
