"""An instrument from trade files: what they show, what the catalogue knows, and what is assumed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .._core import Instrument, MarginSchedule
from ..errors import InvalidConfigError
from ..market.catalogue import find_listing
from ..sources import scan

PathLike = str | os.PathLike[str]

_ASSUMED_RATE = 0.004


def infer(
    files: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    venue: str | None = None,
    format: str = "auto",
) -> Instrument:
    """
    Make an instrument from trade files: what they show, the catalogue for the rest, and what neither knows assumed.

    Parameters
    ----------
    files : path, pattern or sequence of them
        Trade files, as for `read_trades`; only their heads are read.
    symbol : str, optional
        Which, if the files hold several. [default: taken from the files]
    venue : str, optional
        A venue of the catalogue. [default: taken from the files' layout, and marked as assumed]
    format : str
        As for `read_trades`.

    Returns
    -------
    Instrument
        Its ``assumed`` names every value that is a guess: the tick and lot size where the catalogue has none (the
        finest decimals of the heads), a venue read off the layout (layouts get borrowed), a contract taken for linear,
        margin terms taken for a flat 0.4 %.

    Raises
    ------
    DataError
        If a file cannot be read.
    """
    head = scan(
        [str(f) for f in files] if isinstance(files, list | tuple) else str(files), symbol=symbol, format=format
    )
    symbol = symbol or head.symbol
    assumed = []
    if symbol is None:
        assumed.append("symbol")
    listing = None
    if symbol is not None:
        for candidate in [venue] if venue is not None else _venues_of(head.files[0].format):
            try:
                listing = find_listing(f"{candidate}:{symbol}")
            except InvalidConfigError:
                continue
            if venue is None:
                assumed.append("venue")
            break
    tick = listing.tick_size if listing else None
    lot = listing.lot_size if listing else None
    first = next((file.first_ts for file in head.files if file.first_ts is not None), None)
    margin = None
    if listing is not None:
        try:
            margin = listing.schedule(first).margin
        except InvalidConfigError:
            margin = None
    if listing is None:
        assumed += ["contract", "multiplier"]
    if tick is None or head.tick_size < tick:
        tick = head.tick_size
        assumed.append("tick_size")
    if lot is None or head.lot_size < lot:
        lot = head.lot_size
        assumed.append("lot_size")
    if margin is None:
        margin = MarginSchedule.flat(_ASSUMED_RATE)
        assumed.append("margin")
    return Instrument(
        symbol=symbol or "",
        venue=listing.venue if listing else (venue or ""),
        contract=listing.contract if listing else "linear",
        tick_size=tick,
        lot_size=lot,
        multiplier=listing.multiplier if listing else 1.0,
        margin=margin,
        assumed=assumed,
    )


def _venues_of(layout: str) -> list[str]:
    """Venues whose archives have a layout, most likely first."""
    family = layout.split("-")[0]
    return {
        "binance": ["binance-usdm", "binance-coinm"],
        "bybit": ["bybit-linear"],
        "okx": ["okx"],
        "bitmex": ["bitmex"],
    }.get(family, [])
