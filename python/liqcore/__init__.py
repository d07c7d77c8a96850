"""
liqcore estimates where leveraged perpetual-futures positions would be liquidated.

Trades go in; a heatmap (levels by price and time) and a liquidation map (the same at one instant, by leverage tier and
side) come out, on a relative scale. Start with `liqcore.heatmap` for files, `liqcore.Engine` for streams.
"""

try:
    from .native.interrupt import leave_at_once_while_loading

    leave_at_once_while_loading()
except KeyboardInterrupt:  # while that was loaded
    from .native.interrupt import leave_if_command

    leave_if_command()
    raise

from importlib import import_module
from typing import TYPE_CHECKING

from ._core import (
    Instrument,
    LeverageProfile,
    MarginSchedule,
    Opened,
    PriceAxis,
    Segment,
    Snapshot,
    Stats,
    __version__,
    combine,
)
from .engine.engine import Engine
from .engine.events import EventStats
from .engine.feature_reader import FeatureReader
from .engine.publisher import Publisher
from .errors import DataError, InvalidConfigError, LiqcoreError
from .native.cfunc import cfunc, cfunc_address
from .native.cpu import cpu_target, cpu_targets, set_cpu_target, use_environment
from .tables.batch import TradeBatch
from .words.times import AGES, TIME_FRAMES

use_environment()

if TYPE_CHECKING:
    from . import arrow as arrow
    from . import live as live
    from . import render as render
    from . import sources as sources
    from .analysis.cascade import Cascade, cascade
    from .analysis.compare import Alike, Comparison, compare
    from .analysis.confluence import Confluence, Divergence, Reading, confluence
    from .analysis.impact import Impact, impact
    from .analysis.sensitivity import Survival
    from .analysis.stops import Stop, Stops, stops
    from .analysis.zones import Magnet, Sweep, Zone, Zones, magnets
    from .config.config import Config
    from .config.limits import limits
    from .evaluate.calibration import Calibration
    from .evaluate.odds import Odds, OddsRow, magnet_odds
    from .evaluate.placed_report import PositionsScore
    from .evaluate.report import Score
    from .history.age import Age
    from .market.catalogue import instrument, venues
    from .market.fitted import FittedProfile
    from .market.margin import (
        NoPrice,
        bankruptcy_price,
        drop_leverage,
        hedge_liquidation_price,
        liquidation_price,
        why_no_price,
    )
    from .market.schedules import schedule_from_binance, schedule_from_ccxt
    from .native.sdk import get_cmake_dir, get_include, get_library, get_pkgconfig_dir
    from .runs.calibrate import calibrate
    from .runs.features import Features, features, load_features
    from .runs.footprints import footprints
    from .runs.heatmap import heatmap
    from .runs.score import score
    from .runs.screen import Screen, Screened, screen
    from .simulation.market import Market
    from .simulation.simulation import simulate
    from .sources import (
        read_candles,
        read_funding,
        read_liquidations,
        read_marks,
        read_open_interest,
        read_positions,
        read_trades,
    )
    from .sources.trigger_orders import TriggerOrders, read_trigger_orders
    from .tables.footprint_stream import FootprintStream, load_footprints
    from .vendors.files import export, read_response
    from .views.heatmap import Column, Heatmap
    from .views.map import Cluster, LiquidationMap, MapLayer, Within
    from .views.merge import merge_venues
    from .views.merged import MergedHeatmap
    from .views.saved import load_heatmap
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


_MODULES = ("arrow", "live", "render", "sources")
_HOMES = {
    name: module
    for module, names in {
        ".analysis.compare": ("Alike", "Comparison", "compare"),
        ".analysis.confluence": ("Confluence", "Divergence", "Reading", "confluence"),
        ".analysis.cascade": ("Cascade", "cascade"),
        ".analysis.impact": ("Impact", "impact"),
        ".analysis.sensitivity": ("Survival",),
        ".analysis.stops": ("Stop", "Stops", "stops"),
        ".analysis.zones": ("Magnet", "Sweep", "Zone", "Zones", "magnets"),
        ".config.config": ("Config",),
        ".config.limits": ("limits",),
        ".evaluate.odds": ("Odds", "OddsRow", "magnet_odds"),
        ".evaluate.calibration": ("Calibration",),
        ".evaluate.placed_report": ("PositionsScore",),
        ".evaluate.report": ("Score",),
        ".history.age": ("Age",),
        ".market.catalogue": ("instrument", "venues"),
        ".market.fitted": ("FittedProfile",),
        ".market.margin": (
            "NoPrice",
            "bankruptcy_price",
            "drop_leverage",
            "hedge_liquidation_price",
            "liquidation_price",
            "why_no_price",
        ),
        ".market.schedules": ("schedule_from_binance", "schedule_from_ccxt"),
        ".native.sdk": ("get_cmake_dir", "get_include", "get_library", "get_pkgconfig_dir"),
        ".runs.calibrate": ("calibrate",),
        ".runs.features": ("Features", "features", "load_features"),
        ".runs.footprints": ("footprints",),
        ".runs.heatmap": ("heatmap",),
        ".runs.score": ("score",),
        ".runs.screen": ("Screen", "Screened", "screen"),
        ".simulation.market": ("Market",),
        ".simulation.simulation": ("simulate",),
        ".sources": (
            "read_candles",
            "read_funding",
            "read_liquidations",
            "read_marks",
            "read_open_interest",
            "read_positions",
            "read_trades",
        ),
        ".sources.trigger_orders": ("TriggerOrders", "read_trigger_orders"),
        ".tables.footprint_stream": ("FootprintStream", "load_footprints"),
        ".vendors.files": ("export", "read_response"),
        ".views.heatmap": ("Column", "Heatmap"),
        ".views.map": ("Cluster", "LiquidationMap", "MapLayer", "Within"),
        ".views.merge": ("merge_venues",),
        ".views.merged": ("MergedHeatmap",),
        ".views.saved": ("load_heatmap",),
    }.items()
    for name in names
}

__all__ = [
    "AGES",
    "TIME_FRAMES",
    "Age",
    "Alike",
    "Calibration",
    "Cascade",
    "Cluster",
    "Column",
    "Comparison",
    "Config",
    "Confluence",
    "DataError",
    "Divergence",
    "Engine",
    "EventStats",
    "FeatureReader",
    "Features",
    "FittedProfile",
    "FootprintStream",
    "Heatmap",
    "Impact",
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
    "Odds",
    "OddsRow",
    "Opened",
    "PositionsScore",
    "PriceAxis",
    "Publisher",
    "Reading",
    "Score",
    "Screen",
    "Screened",
    "Segment",
    "Snapshot",
    "Stats",
    "Stop",
    "Stops",
    "Survival",
    "Sweep",
    "TradeBatch",
    "TriggerOrders",
    "Within",
    "Zone",
    "Zones",
    "__version__",
    "bankruptcy_price",
    "calibrate",
    "cascade",
    "cfunc",
    "cfunc_address",
    "combine",
    "compare",
    "confluence",
    "cpu_target",
    "cpu_targets",
    "drop_leverage",
    "export",
    "features",
    "footprints",
    "get_cmake_dir",
    "get_include",
    "get_library",
    "get_pkgconfig_dir",
    "heatmap",
    "hedge_liquidation_price",
    "impact",
    "instrument",
    "limits",
    "liquidation_price",
    "load_features",
    "load_footprints",
    "load_heatmap",
    "magnet_odds",
    "magnets",
    "merge_venues",
    "read_candles",
    "read_funding",
    "read_liquidations",
    "read_marks",
    "read_open_interest",
    "read_positions",
    "read_response",
    "read_trades",
    "read_trigger_orders",
    "schedule_from_binance",
    "schedule_from_ccxt",
    "score",
    "screen",
    "set_cpu_target",
    "simulate",
    "stops",
    "venues",
    "why_no_price",
]
