"""The reader of each venue."""

from collections.abc import Callable

from ..errors import InvalidConfigError
from .binance import BinanceReader
from .bybit import BybitReader
from .hyperliquid import HyperliquidReader
from .okx import OkxReader
from .reading import Reader

READERS: dict[str, Callable[[str], Reader]] = {
    "binance-usdm": BinanceReader,
    "binance-coinm": BinanceReader,
    "bybit-linear": BybitReader,
    "bybit-inverse": BybitReader,
    "okx": OkxReader,
    "hyperliquid": HyperliquidReader,
}


def reader(venue: str) -> Reader:
    """
    Return what reads the frames of a venue.

    Raises
    ------
    InvalidConfigError
        If it has no feed; the message lists those that have.
    """
    if venue not in READERS:
        raise InvalidConfigError(f'venue of a feed must be one of {", ".join(READERS)}, was "{venue}"')
    return READERS[venue](venue)
