"""What venues tell of as liquidated, summed by window: quantities and turnover, and USD of them."""

from typing import TypeAlias

from .._core import Instrument
from ..feeds.events import Liquidation

Row: TypeAlias = tuple[float, float, float, float]
"""What the venue told of in a window: quantity liquidated of longs, of shorts, and their turnover."""
NONE: Row = (0.0, 0.0, 0.0, 0.0)


def added(row: Row, told: Liquidation) -> Row:
    """Return a row with one more."""
    long, short, long_turnover, short_turnover = row
    if told.side == "long":
        return long + told.qty, short, long_turnover + told.qty * told.price, short_turnover
    return long, short + told.qty, long_turnover, short_turnover + told.qty * told.price


def realised_usd(instrument: Instrument, row: Row) -> tuple[float, float]:
    """Dollars of longs and shorts: quantities are in the unit of the market's trades."""
    at = 0 if instrument.contract == "inverse" else 2
    return instrument.multiplier * row[at], instrument.multiplier * row[at + 1]
