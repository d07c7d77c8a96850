"""
Readers of market data files: trades, mark prices, open interest, funding rates, candles, liquidations,
snapshots of real positions.

One module a trade format, each a description of its columns; what they share (archives, parsing, sorting, counting) is
written once. Every reader finds the format out by itself.
"""

from ..tables.batch import TradeBatch
from .candles import Candles, read_candles
from .funding import FundingRates, read_funding
from .liquidations import Liquidations, read_liquidations
from .made_candles import candles_of
from .marks import Marks, read_marks
from .open_interest import OpenInterest, read_open_interest
from .positions import Positions, read_positions
from .report import FileReport, ReadReport
from .trades import TradeReader, read_trades, scan

__all__ = [
    "Candles",
    "FileReport",
    "FundingRates",
    "Liquidations",
    "Marks",
    "OpenInterest",
    "Positions",
    "ReadReport",
    "TradeBatch",
    "TradeReader",
    "candles_of",
    "read_candles",
    "read_funding",
    "read_liquidations",
    "read_marks",
    "read_open_interest",
    "read_positions",
    "read_trades",
    "scan",
]
