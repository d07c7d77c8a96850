"""
Readers of market data files: trades, mark prices, open interest, funding rates, candles.

One module a trade format, each a description of its columns; what they share (archives, parsing, sorting, counting) is
written once. Every reader finds the format out by itself.
"""

from ..tables.batch import TradeBatch
from .candles import Candles, read_candles
from .funding import FundingRates, read_funding
from .marks import Marks, read_marks
from .open_interest import OpenInterest, read_open_interest
from .report import FileReport, ReadReport
from .trades import TradeReader, read_trades, scan

__all__ = [
    "Candles",
    "FileReport",
    "FundingRates",
    "Marks",
    "OpenInterest",
    "ReadReport",
    "TradeBatch",
    "TradeReader",
    "read_candles",
    "read_funding",
    "read_marks",
    "read_open_interest",
    "read_trades",
    "scan",
]
