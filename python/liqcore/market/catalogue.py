"""
The catalogue of venues: what they trade, on what grid, with which margin terms, from which source.

The data are the files in ``liqcore/market/venues``, one a venue, every entry with its source and that source's date.
What is not known is absent: asking for it is an error that says so. Files of one's own have the same form.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from .._core import Instrument, LeverageProfile, MarginSchedule
from ..errors import InvalidConfigError
from ..words.times import Time
from .listing import Listing, Venue, plain
from .venue_files import PathLike, read_venue, venue_of

__all__ = ["find_listing", "find_venues", "instrument", "leverage_preset", "unknown_symbol", "venues"]

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
    if listing.contract == "quanto":
        raise InvalidConfigError(f"{listing.name} is a quanto contract: liqcore does linear and inverse ones only")
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
    venue_name, _, symbol = name.partition(":")
    found = find_venues(venue_name, catalogue)
    if not symbol:
        return next(iter(found[0].instruments.values()))
    listing = next((listed for venue in found if (listed := venue.listed(symbol)) is not None), None)
    if listing is None:
        raise InvalidConfigError(unknown_symbol(found, symbol))
    return listing


def find_venues(name: str, catalogue: PathLike | None = None) -> list[Venue]:
    """
    Return the venues that go by a name, in whatever case and with whatever signs: one, or several of one house.

    Raises
    ------
    InvalidConfigError
        If none does; the message lists what there is.
    """
    known = venues(catalogue)
    if name in known:
        return [known[name]]
    found = [v for v in known.values() if plain(name) in map(plain, (v.name, *v.aliases))]
    if not found:
        names = {plain(n): v.name for v in known.values() for n in (v.name, *v.aliases)}
        near = difflib.get_close_matches(plain(name), names, n=1)
        hint = f'; did you mean "{names[near[0]]}"?' if near else ""
        raise InvalidConfigError(f'venue must be one of {", ".join(known)}, was "{name}"{hint}')
    return found


def unknown_symbol(among: Sequence[Venue], symbol: str) -> str:
    """Say that none of some venues lists a symbol, which symbols they list, and which is near."""
    names = list(dict.fromkeys(listed for venue in among for listed in venue.instruments))
    near = difflib.get_close_matches(symbol.upper(), names, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    on = " or ".join(venue.name for venue in among)
    return f'symbol must be one of {", ".join(names)} on {on}, was "{symbol}"{hint}'


@cache
def _built_in() -> Mapping[str, Venue]:
    folder = resources.files(__package__) / "venues"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    read = [venue_of(json.loads(f.read_text(encoding="utf-8")), f.name) for f in files]
    return {venue.name: venue for venue in read}
