"""
Liquidation features in nautilus_trader: an indicator, and its instruments and catalogue.

Only the indicator needs nautilus_trader.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core import Instrument, MarginSchedule
from ..errors import DataError, InvalidConfigError

if TYPE_CHECKING:
    from ._nautilus_indicator import LiquidationFeatures

__all__ = ["LiquidationFeatures", "instrument_of", "trade_files"]


def __getattr__(name: str) -> Any:
    """Load the indicator when it is first asked for: its base class is nautilus_trader's."""
    if name != "LiquidationFeatures":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from ._nautilus_indicator import LiquidationFeatures
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "nautilus_trader":
            raise
        raise ImportError("LiquidationFeatures needs nautilus_trader: pip install nautilus_trader") from error
    return LiquidationFeatures


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


def trade_files(catalog: Any, instrument_id: Any) -> list[Path]:
    """
    Find an instrument's trades in a ParquetDataCatalog, for `liqcore.read_trades`, `heatmap` or `features`.

    They are read without nautilus_trader. Trades count at ``ts_init``; those without an aggressor are left out and
    counted as ``unknown_side``.

    Parameters
    ----------
    catalog : ParquetDataCatalog or path
        On a local disk.
    instrument_id : InstrumentId or str
        Such as "BTCUSDT-PERP.BINANCE".

    Raises
    ------
    DataError
        If there are none.
    """
    root = Path(catalog if isinstance(catalog, str | os.PathLike) else catalog.path)
    folder = root / "data" / "trade_tick" / str(instrument_id).replace("/", "")
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise DataError(f"{folder}: expected Parquet files with trades of {instrument_id}, found none")
    return files
