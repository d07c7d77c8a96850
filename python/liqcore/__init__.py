"""Liquidation heatmaps of leveraged perpetual futures."""

from ._core import __version__

__all__ = ["__version__"]
