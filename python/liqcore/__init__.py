"""
liqcore estimates where leveraged perpetual-futures positions would be liquidated.

Trades go in; a heatmap (what would be liquidated, by price and time) and a liquidation map (the same at one instant,
by leverage tier and side) come out. Start with `liqcore.heatmap` for files, `liqcore.Engine` for streams.
"""

from ._core import Instrument, LeverageProfile, MarginSchedule, PriceAxis, Segment, Stats, __version__, combine
from .config import Config
from .engine import Engine
from .errors import DataError, InvalidConfigError, LiqcoreError
from .pipeline import heatmap
from .result import Column, Heatmap, LiquidationMap, load_heatmap
from .simulate import Market, simulate
from .sources import TradeBatch, read_trades

__all__ = [
    "Column",
    "Config",
    "DataError",
    "Engine",
    "Heatmap",
    "Instrument",
    "InvalidConfigError",
    "LeverageProfile",
    "LiqcoreError",
    "LiquidationMap",
    "MarginSchedule",
    "Market",
    "PriceAxis",
    "Segment",
    "Stats",
    "TradeBatch",
    "__version__",
    "combine",
    "heatmap",
    "load_heatmap",
    "read_trades",
    "simulate",
]
