"""
Readers of market data files: trades, mark prices, candles.

One module a trade format, each a description of its columns; what they share (archives, parsing, sorting, counting) is
written once. `read_trades` finds the format out by itself.
"""

from ..batch import TradeBatch
from .candles import Candles, read_candles
from .marks import read_marks
from .report import FileReport, ReadReport
from .trades import TradeReader, read_trades, scan

__all__ = [
    "Candles",
    "FileReport",
    "ReadReport",
    "TradeBatch",
    "TradeReader",
    "read_candles",
    "read_marks",
    "read_trades",
    "scan",
]
