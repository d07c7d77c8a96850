"""Candles made of trades."""

import numpy as np

from ..errors import InvalidConfigError
from ..tables.batch import TradeBatch
from ..words.times import Length, parse_duration
from .candles import Candles


def candles_of(trades: TradeBatch, interval: Length = "1m") -> Candles:
    """
    Sum trades to candles; intervals without a trade have none.

    Parameters
    ----------
    trades : TradeBatch
        Sorted by time; one at least.
    interval : duration, default "1m"
        Length of a candle; they start on its multiples since the UNIX epoch.

    Returns
    -------
    Candles
        With what takers bought and sold.

    Raises
    ------
    InvalidConfigError
        If there is no trade.

    Examples
    --------
    >>> import numpy as np
    >>> trades = TradeBatch(
    ...     np.array([10**18, 10**18 + 1, 10**18 + 60 * 10**9]),
    ...     np.array([5.0, 7.0, 6.0]),
    ...     np.array([1.0, 2.0, 4.0]),
    ...     np.array([False, True, False]),
    ... )
    >>> made = candles_of(trades)
    >>> made.high, made.buy_qty, made.sell_qty
    (array([7., 6.]), array([1., 4.]), array([2., 0.]))
    """
    length = parse_duration(interval, name="interval")
    if not len(trades):
        raise InvalidConfigError("trades must be at least one, were none")
    number = trades.ts // length
    starts = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    ends = np.concatenate((starts[1:], [len(number)])) - 1
    bought = np.add.reduceat(np.where(trades.taker_sell, 0.0, trades.qty), starts)
    sold = np.add.reduceat(np.where(trades.taker_sell, trades.qty, 0.0), starts)
    return Candles(
        number[starts] * length,
        trades.price[starts],
        np.maximum.reduceat(trades.price, starts),
        np.minimum.reduceat(trades.price, starts),
        trades.price[ends],
        bought,
        sold,
        length,
        bought + sold,
    )
