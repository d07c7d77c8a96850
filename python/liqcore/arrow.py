"""Tables of other libraries in, and liqcore's own out, through Arrow's PyCapsule interface (docs/how-to/arrow.md)."""

from .sources.tables import (
    feed_trades,
    read_candles,
    read_marks,
    read_open_interest,
    read_trades,
    trade_batches,
)
from .tables.arrow import export_schema, export_table
from .tables.batch import is_table

__all__ = [
    "export_schema",
    "export_table",
    "feed_trades",
    "is_table",
    "read_candles",
    "read_marks",
    "read_open_interest",
    "read_trades",
    "trade_batches",
]
