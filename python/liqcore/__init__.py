"""Liquidation heatmaps of leveraged perpetual futures."""

from ._core import __version__
from .simulate import Market, simulate

__all__ = ["Market", "__version__", "simulate"]
