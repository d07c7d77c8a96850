"""An instrument from trade files: what they show, what the catalogue knows, and what is assumed."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np

from .._core import Instrument, MarginSchedule
from ..errors import InvalidConfigError
from ..market.contracts import settle_contract
from ..sources import scan
from .terms import venues_of
from .trades import no_head

PathLike = str | os.PathLike[str]

_ASSUMED_RATE = 0.004


def infer(
    files: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    venue: str | None = None,
    contract: Literal["linear", "inverse"] | None = None,
    multiplier: float | None = None,
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
    contract, multiplier : optional
        What one unit of quantity is, as for `liqcore.heatmap`. [default: from rows, layout or catalogue]
    format : str
        As for `read_trades`.

    Returns
    -------
    Instrument
        Its ``assumed`` names every value that is a guess: the tick and lot size where the catalogue has none (the
        finest decimals of the heads), a venue read off the layout (layouts get borrowed), a contract taken for linear,
        margin terms taken for a flat 0.4 %, or for the nearest that are known of another time (with a warning).

    Raises
    ------
    DataError
        If a file cannot be read, or is of a quanto contract.
    InvalidConfigError
        If the venue is not in the catalogue, quantities are contracts of an unknown size, or `contract` or `multiplier`
        breaks its rule.
    """
    if contract not in (None, "linear", "inverse"):
        raise InvalidConfigError(f'contract must be "linear" or "inverse", was {contract!r}')
    if multiplier is not None and not 0 < multiplier < math.inf:
        raise InvalidConfigError(f"multiplier must be finite and above 0, was {multiplier}")
    head = scan(
        [str(f) for f in files] if isinstance(files, list | tuple) else str(files), symbol=symbol, format=format
    )
    if head.first_price is None:
        raise no_head(head)
    symbol = symbol or head.symbol
    assumed = [] if symbol is not None else ["symbol"]
    quantities = [file.quantities for file in head.files if file.quantities is not None and file.rows_used]
    among = venues_of(venue, quantities, symbol)
    listing = None if symbol is None else next((found for each in among if (found := each.listed(symbol))), None)
    settled, notes = settle_contract(
        listing.symbol if listing else symbol, among, quantities, kind=contract, multiplier=multiplier
    )
    if listing is not None and listing.contract != settled.kind:
        listing = None
    if listing is not None and venue is None:
        assumed.append("venue")
    if settled.source == "assumed" or (listing is None and ":" in settled.source):  # read off the symbol's form
        own = {"contract": contract, "multiplier": multiplier}
        assumed += [name for name, value in own.items() if value is None]
    tick = listing.tick_size if listing else None
    lot = listing.lot_size if listing else None
    if tick is None or head.tick_size < tick:
        tick = head.tick_size
        assumed.append("tick_size")
    if lot is None or head.lot_size < lot:
        lot = head.lot_size
        assumed.append("lot_size")
    schedule, note = None, ""
    if listing is not None:
        at = None if head.first_ts is None else np.datetime64(head.first_ts, "ns")
        schedule, note = listing.nearest_schedule(at)
    if schedule is None or note:
        assumed.append("margin")
    if schedule is not None and note:
        notes.append(note)
    for said in notes:
        warnings.warn(said, stacklevel=2)
    return Instrument(
        symbol=symbol or "",
        venue=listing.venue if listing else (venue or ""),
        contract=settled.kind,
        tick_size=tick,
        lot_size=lot,
        multiplier=settled.multiplier,
        margin=MarginSchedule.flat(_ASSUMED_RATE) if schedule is None else schedule.margin,
        assumed=assumed,
    )
