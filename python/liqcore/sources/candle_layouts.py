"""Rows of candles without names: the orders that venues write, and which of them a file has."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .meaning import is_turnover

Prices = NDArray[np.float64]

_OHLC = ("open", "high", "low", "close")
_FITS = 0.95  # of the rows; single candles contradict themselves in real archives


@dataclass(frozen=True, slots=True)
class CandleLayout:
    """
    Rows of candles without names.

    Attributes
    ----------
    name : str
    columns : tuple of str
        In file order: open_time, open, high, low, close and what else there is; ``volume`` is what `read_candles`
        gives, ``turnover`` is in quote currency.
    venue : str
        Whose envelope (`envelopes.SUCCESS`) wraps such rows; an empty string: none does.
    """

    name: str
    columns: tuple[str, ...]
    venue: str = ""


_TIMED = ("open_time", *_OHLC)
BINANCE_COLUMNS = (*_TIMED, "volume", "close_time", "quote_volume", "count",
                   "taker_buy_volume", "taker_buy_quote_volume", "ignore")  # fmt: skip

CANDLE_LAYOUTS = (
    CandleLayout("binance-klines", BINANCE_COLUMNS),
    CandleLayout("okx-candles", (*_TIMED, "volume", "volume_base", "turnover", "confirm"), "okx"),
    CandleLayout("bitget-candles", (*_TIMED, "volume", "turnover", "turnover_usdt"), "bitget"),
    CandleLayout("gate-candlesticks", ("open_time", "turnover", "close", "high", "low", "open", "volume", "closed")),
    CandleLayout("mexc-klines", (*_TIMED, "volume", "close_time", "turnover")),
    CandleLayout("kraken-ohlc", (*_TIMED, "average", "volume", "count")),
    CandleLayout("bybit-kline", (*_TIMED, "volume", "turnover"), "bybit"),
    CandleLayout("kucoin-klines", ("open_time", "open", "close", "high", "low", "volume", "turnover"), "kucoin"),
    CandleLayout("gate-candlesticks", ("open_time", "turnover", "close", "high", "low", "open", "volume")),
    CandleLayout("htx-klines", (*_TIMED, "turnover", "volume")),
    CandleLayout("kraken-ohlcvt", (*_TIMED, "volume", "count")),
    CandleLayout("ohlcv", (*_TIMED, "volume")),
    CandleLayout("bitfinex-candles", ("open_time", "open", "close", "high", "low", "volume")),
    CandleLayout("coinbase-candles", ("open_time", "low", "high", "open", "close", "volume")),
    CandleLayout("gate-archive", ("open_time", "volume", "close", "high", "low", "open")),
    CandleLayout("okx-price-candles", (*_TIMED, "confirm"), "okx"),
    CandleLayout("bybit-price-kline", (*_TIMED,)),
)
WIDTHS = frozenset(len(layout.columns) for layout in CANDLE_LAYOUTS)


class OrderError(ValueError):
    """Rows that fit no known order, or several; the message says what was expected and found."""


def order_of(values: NDArray[np.float64], venue: str = "") -> CandleLayout:
    """
    Tell the order of rows without names: in it the high is above, and the low below, all other prices of a row.

    Parameters
    ----------
    values : ndarray of float64, shape (columns, rows)
        The first column, the time, is not looked at.
    venue : str
        What the envelope tells; its own order is tried alone, and then must fit.

    Raises
    ------
    OrderError
        If no order fits nearly all rows, or orders that differ in a price do.
    """
    known = [layout for layout in CANDLE_LAYOUTS if len(layout.columns) == len(values)]
    known = [layout for layout in known if venue and layout.venue == venue] or [
        layout for layout in known if layout.name != "okx-price-candles" or _are_flags(values[-1])
    ]
    fitting = [layout for layout in known if _share_that_fits(layout, values) >= _FITS]
    if not fitting:
        tried = "; ".join(f"{layout.name}: {', '.join(layout.columns[1:6])}" for layout in known)
        raise OrderError(f"expected candles in an order that is known ({tried}), found none in which high is above and "
                         "low below: name the columns in a header")  # fmt: skip
    first = _prices(fitting[0], values)
    for layout in fitting[1:]:
        if not np.array_equal(first, _prices(layout, values), equal_nan=True):
            raise OrderError(
                f"expected candles in one order, found rows that fit {fitting[0].name} "
                f"({', '.join(fitting[0].columns[1:6])}) and {layout.name} ({', '.join(layout.columns[1:6])}): name "
                "the columns in a header"
            )
    return next((layout for layout in fitting if _volume_agrees(layout, values)), fitting[0])


def fits(open_: Prices, high: Prices, low: Prices, close: Prices) -> NDArray[np.bool_]:
    """Whether each candle agrees with itself."""
    good: NDArray[np.bool_] = (low > 0) & (low <= np.minimum(open_, close)) & (high >= np.maximum(open_, close))
    return good


def _prices(layout: CandleLayout, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([values[layout.columns.index(name)] for name in _OHLC])


def _share_that_fits(layout: CandleLayout, values: NDArray[np.float64]) -> float:
    prices = _prices(layout, values)
    traded = prices.any(axis=0)  # what never was has zeros
    return int(np.count_nonzero(fits(*prices) & traded)) / max(1, int(np.count_nonzero(traded)))


def _volume_agrees(layout: CandleLayout, values: NDArray[np.float64]) -> bool:
    """Whether the turnover is the volume times a price of the candle, or what is called an average lies in it."""
    if "average" in layout.columns:
        _, high, low, _ = _prices(layout, values)
        average = values[layout.columns.index("average")]
        return bool(np.mean((average >= low) & (average <= high)) >= _FITS)
    if "turnover" not in layout.columns or "volume" not in layout.columns:
        return False
    _, high, low, _ = _prices(layout, values)
    volume, turnover = (values[layout.columns.index(name)] for name in ("volume", "turnover"))
    return is_turnover(turnover, volume, low, high)


def _are_flags(column: Sequence[float] | NDArray[np.float64]) -> bool:
    return bool(np.all(np.isin(column, (0, 1))))
