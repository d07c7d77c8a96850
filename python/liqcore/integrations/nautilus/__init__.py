"""
Liquidation features in nautilus_trader: an indicator, and its instruments and catalogue.

Only the indicator needs nautilus_trader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .catalog import trade_files
from .instruments import instrument_of

if TYPE_CHECKING:
    from .indicator import LiquidationFeatures

__all__ = ["LiquidationFeatures", "instrument_of", "trade_files"]


def __getattr__(name: str) -> Any:
    """Load the indicator when it is first asked for: its base class is nautilus_trader's."""
    if name != "LiquidationFeatures":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from .indicator import LiquidationFeatures
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "nautilus_trader":
            raise
        raise ImportError("LiquidationFeatures needs nautilus_trader: pip install nautilus_trader") from error
    return LiquidationFeatures
