"""What is fed, as the arrays that the core takes."""

from __future__ import annotations

from typing import Any

from ..tables.batch import is_table


def side_arrays(marks: Any, open_interest: Any, candles: Any, interval_ns: int) -> tuple[Any, Any, Any]:
    """Return the arrays of the streams that go with trades."""
    if any(is_table(given) for given in (marks, open_interest, candles)):
        from ..sources import tables  # here: whoever feeds arrays starts without readers

        marks = tables.read_marks(marks) if is_table(marks) else marks
        open_interest = tables.read_open_interest(open_interest) if is_table(open_interest) else open_interest
        candles = tables.read_candles(candles, interval_ns) if is_table(candles) else candles
    return (
        arrays_of(marks, ("ts", "price")),
        arrays_of(open_interest, ("ts", "quantity")),
        arrays_of(candles, ("ts_open", "open", "high", "low", "close", "buy_qty", "sell_qty")),
    )


def arrays_of(stream: Any, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """Return a stream's arrays as a tuple: it is one already, or an object that has them as attributes."""
    if stream is None or isinstance(stream, tuple | list):
        return None if stream is None else tuple(stream)
    return tuple(getattr(stream, name) for name in names)
