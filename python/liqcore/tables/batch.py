"""Trades as columns: what sources give and engines take."""

from dataclasses import dataclass
from typing import Any

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

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """
        Hand the trades out to pyarrow, polars, pandas or duckdb: ts as timestamp[ns, UTC], the others as they are.

        Nothing is copied but taker_sell, which is packed into bits. The arrays must not be written to from then on.
        A schema that is asked for is passed over.
        """
        from .arrow import export_table

        return export_table(self._table())

    def __arrow_c_schema__(self) -> object:
        """Hand out the schema of `__arrow_c_stream__`."""
        from .arrow import export_schema

        return export_schema(self._table())

    def _table(self) -> dict[str, NDArray[Any]]:
        ts = self.ts.view("datetime64[ns]")
        return {"ts": ts, "price": self.price, "qty": self.qty, "taker_sell": self.taker_sell}
