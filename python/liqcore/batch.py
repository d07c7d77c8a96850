"""Trades as columns: what sources give and engines take."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class TradeBatch:
    """
    A run of trades, sorted by time and clean: finite prices and quantities above zero.

    Attributes
    ----------
    ts : ndarray of int64, shape (n,), C-contiguous
        Nanoseconds since the UNIX epoch, UTC; never falling, also from one batch to the next.
    price : ndarray of float64, shape (n,), C-contiguous
        As the venue prints it.
    qty : ndarray of float64, shape (n,), C-contiguous
        As the venue prints it: base units, or contracts where the venue trades those.
    taker_sell : ndarray of bool, shape (n,), C-contiguous
        True where the aggressor sold.
    """

    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    qty: NDArray[np.float64]
    taker_sell: NDArray[np.bool_]

    def __len__(self) -> int:
        """Count the trades."""
        return len(self.ts)
