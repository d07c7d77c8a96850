"""
liqcore estimates where leveraged perpetual-futures positions would be liquidated.

Trades go in; a heatmap (what would be liquidated, by price and time) and a liquidation map (the same at one instant,
by leverage tier and side) come out. Start with `liqcore.heatmap` for files, `liqcore.Engine` for streams.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._core import Instrument, LeverageProfile, MarginSchedule, PriceAxis, Segment, Stats, __version__, combine
from .batch import TradeBatch
from .cfunc import cfunc, cfunc_address
from .cpu import cpu_target, cpu_targets, set_cpu_target, use_environment
from .durations import AGES, TIME_FRAMES
from .engine import Engine
from .errors import DataError, InvalidConfigError, LiqcoreError
from .events import EventStats
from .feature_reader import FeatureReader
from .simulate import Market, simulate  # at once: a module of the same name would hide the function

use_environment()

if TYPE_CHECKING:
    from . import render as render
    from . import sources as sources
    from .analysis.features import Features, features
    from .analysis.sensitivity import Survival
    from .analysis.zones import Magnet, Sweep, Zone, magnets
    from .config import Config
    from .footprint_stream import FootprintStream, load_footprints
    from .instruments import instrument, schedule_from_binance, schedule_from_ccxt, venues
    from .liquidation_map import Cluster, LiquidationMap, MapLayer, Within
    from .margin import (
        NoPrice,
        bankruptcy_price,
        drop_leverage,
        hedge_liquidation_price,
        liquidation_price,
        why_no_price,
    )
    from .merged import MergedHeatmap, merge_venues
    from .pipeline import footprints, heatmap
    from .result import Age, Column, Heatmap, load_heatmap
    from .sdk import get_cmake_dir, get_include, get_library, get_pkgconfig_dir
    from .sources import read_candles, read_funding, read_marks, read_open_interest, read_trades
else:  # on first use: whoever embeds the engine starts without readers, pictures and settings

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return import_module("." + name, __name__)
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name], __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES, *_MODULES})


_MODULES = ("render", "sources")
_HOMES = {
    "Age": ".result",
    "Cluster": ".liquidation_map",
    "Column": ".result",
    "Config": ".config",
    "Features": ".analysis.features",
    "FootprintStream": ".footprint_stream",
    "Heatmap": ".result",
    "LiquidationMap": ".liquidation_map",
    "Magnet": ".analysis",
    "MapLayer": ".liquidation_map",
    "MergedHeatmap": ".merged",
    "NoPrice": ".margin",
    "Survival": ".analysis",
    "Sweep": ".analysis",
    "Within": ".liquidation_map",
    "Zone": ".analysis",
    "bankruptcy_price": ".margin",
    "drop_leverage": ".margin",
    "features": ".analysis.features",
    "footprints": ".pipeline",
    "get_cmake_dir": ".sdk",
    "get_include": ".sdk",
    "get_library": ".sdk",
    "get_pkgconfig_dir": ".sdk",
    "heatmap": ".pipeline",
    "hedge_liquidation_price": ".margin",
    "instrument": ".instruments",
    "liquidation_price": ".margin",
    "load_footprints": ".footprint_stream",
    "load_heatmap": ".result",
    "magnets": ".analysis",
    "merge_venues": ".merged",
    "read_candles": ".sources",
    "read_funding": ".sources",
    "read_marks": ".sources",
    "read_open_interest": ".sources",
    "read_trades": ".sources",
    "schedule_from_binance": ".instruments",
    "schedule_from_ccxt": ".instruments",
    "venues": ".instruments",
    "why_no_price": ".margin",
}

__all__ = [
    "AGES",
    "TIME_FRAMES",
    "Age",
    "Cluster",
    "Column",
    "Config",
    "DataError",
    "Engine",
    "EventStats",
    "FeatureReader",
    "Features",
    "FootprintStream",
    "Heatmap",
    "Instrument",
    "InvalidConfigError",
    "LeverageProfile",
    "LiqcoreError",
    "LiquidationMap",
    "Magnet",
    "MapLayer",
    "MarginSchedule",
    "Market",
    "MergedHeatmap",
    "NoPrice",
    "PriceAxis",
    "Segment",
    "Stats",
    "Survival",
    "Sweep",
    "TradeBatch",
    "Within",
    "Zone",
    "__version__",
    "bankruptcy_price",
    "cfunc",
    "cfunc_address",
    "combine",
    "cpu_target",
    "cpu_targets",
    "drop_leverage",
    "features",
    "footprints",
    "get_cmake_dir",
    "get_include",
    "get_library",
    "get_pkgconfig_dir",
    "heatmap",
    "hedge_liquidation_price",
    "instrument",
    "liquidation_price",
    "load_footprints",
    "load_heatmap",
    "magnets",
    "merge_venues",
    "read_candles",
    "read_funding",
    "read_marks",
    "read_open_interest",
    "read_trades",
    "schedule_from_binance",
    "schedule_from_ccxt",
    "set_cpu_target",
    "simulate",
    "venues",
    "why_no_price",
]
