"""An instrument of nautilus_trader as one of liqcore."""

from __future__ import annotations

from typing import Any

from ..._core import Instrument, MarginSchedule
from ...errors import InvalidConfigError


def instrument_of(instrument: Any, *, margin: MarginSchedule | None = None) -> Instrument:
    """
    Return an instrument of nautilus_trader as one of liqcore.

    Parameters
    ----------
    instrument : instrument of nautilus_trader
        Such as a CryptoPerpetual: its id (as in files of its catalogue) and venue, increments of price and size,
        multiplier, and whether it is inverse.
    margin : MarginSchedule, optional
        Liquidation terms; `liqcore.instrument` has those of venues. By default liqcore's default: the margin rates of
        nautilus_trader's instruments are placeholders or account settings with most venues, and are not taken.

    Raises
    ------
    InvalidConfigError
        If it is a quanto contract, which liqcore has no formula for.
    """
    if getattr(instrument, "is_quanto", False):
        raise InvalidConfigError(f"instrument must be linear or inverse, {instrument.id} is a quanto contract")
    terms: dict[str, Any] = {} if margin is None else {"margin": margin}
    return Instrument(
        symbol=str(instrument.id),
        venue=str(instrument.id.venue),
        contract="inverse" if instrument.is_inverse else "linear",
        tick_size=float(instrument.price_increment),
        lot_size=float(instrument.size_increment),
        multiplier=float(instrument.multiplier),
        **terms,
    )
