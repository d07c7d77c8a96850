"""Trades as columns: what sources give and engines take."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..words.times import in_ns, iso, refuse_other_units
from .arrow import ArrowTable, Exported


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TradeBatch(ArrowTable):
    """
    A run of trades, sorted by time and clean: finite prices and quantities above zero.

    Attributes
    ----------
    ts : ndarray of int64, shape (n,), C-contiguous
        Nanoseconds since the UNIX epoch, UTC; never falling, also from one batch to the next. Given as datetime64 of
        any unit, it is converted.
    price : ndarray of float64, shape (n,), C-contiguous
        As the venue prints it.
    qty : ndarray of float64, shape (n,), C-contiguous
        As the venue prints it: base units, or contracts where the venue trades those.
    taker_sell : ndarray of bool, shape (n,), C-contiguous
        True where the aggressor sold.

    Raises
    ------
    DataError
        If the times are below 10^17, as those in seconds, milliseconds or microseconds are.

    Notes
    -----
    pyarrow, polars, pandas and duckdb take it as a table (``pa.table(batch)``): ts as timestamp[ns, UTC], the others as
    they are. Nothing is copied but taker_sell, which is packed into bits. The arrays must not be written to from then
    on.
    """

    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    qty: NDArray[np.float64]
    taker_sell: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Bring datetime64 to nanoseconds, and refuse numbers in another unit."""
        object.__setattr__(self, "ts", in_ns(self.ts))
        refuse_other_units(self.ts)

    def __len__(self) -> int:
        """Count the trades."""
        return len(self.ts)

    def __repr__(self) -> str:
        span = f" from {iso(int(self.ts[0]))} to {iso(int(self.ts[-1]))}" if len(self) else ""
        return f"<TradeBatch: {len(self):,} trades{span}>"

    def _table(self) -> Exported:
        ts = self.ts.view("datetime64[ns]")
        return {"ts": ts, "price": self.price, "qty": self.qty, "taker_sell": self.taker_sell}, {}


def is_table(given: object) -> bool:
    """Whether an object hands out Arrow data, or is a data frame; a `TradeBatch` does, but is arrays already."""
    if isinstance(given, TradeBatch):
        return False
    return hasattr(given, "__arrow_c_stream__") or hasattr(given, "__arrow_c_array__") or is_frame(given)


def is_frame(given: object) -> bool:
    """Whether an object is a data frame of pandas, of whatever version: no pandas is imported to tell."""
    return type(given).__module__.partition(".")[0] == "pandas" and all(
        hasattr(given, name) for name in ("columns", "index", "isna")
    )
