"""Trades inside structured arrays, such as hftbacktest's events, read in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import Stats
from ..errors import DataError, InvalidConfigError
from ..words.times import refuse_other_units

EVENT_FIELDS = ("ev", "exch_ts", "local_ts", "px", "qty")
_HEAD_ROWS = 4096
CLOCKS = {"exch": ("exch_ts", 1 << 31), "local": ("local_ts", 1 << 30)}  # field, flag of events that count on it
BUY, SELL = 1 << 29, 1 << 28
KIND = 0xFF
TRADE = 2
KINDS = {1: "depth", 3: "depth_clear", 4: "depth_snapshot", 5: "depth_bbo", 10: "add_order", 11: "cancel_order",
         12: "modify_order", 13: "fill"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class EventStats:
    """
    What became of the rows of a structured array: ``rows = stats.rows + sum(passed_over.values())``.

    Attributes
    ----------
    stats : Stats
        Of the trades, which were fed.
    passed_over : dict of str to int
        The other rows by what they are: "depth", "depth_clear", ... (an unknown code 77 is "kind 77"), "other_clock"
        (trades of the other clock), "no_side" (trades that say neither buyer nor seller, or both).
    """

    stats: Stats
    passed_over: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows."""
        return self.stats.rows + sum(self.passed_over.values())


def feed_events(engine: _core.Engine, events: NDArray[Any], clock: str) -> EventStats:
    """Feed the trades among events; `Engine.feed_events` documents it."""
    if not isinstance(events, np.ndarray) or events.dtype.names is None:
        kind = events.dtype if isinstance(events, np.ndarray) else type(events).__name__
        raise TypeError(f"events must be a structured array, was {kind}")
    if events.ndim != 1:
        raise ValueError(f"events must be one-dimensional, had {events.ndim} dimensions")
    if clock not in CLOCKS:
        raise InvalidConfigError(f"clock must be one of {tuple(CLOCKS)}, was {clock!r}")
    if set(EVENT_FIELDS) <= set(events.dtype.names):
        time, flag = CLOCKS[clock]
        head = events[:_HEAD_ROWS]  # other rows may have no time
        refuse_other_units(head[time][((head["ev"] & KIND) == TRADE) & ((head["ev"] & flag) != 0)], time)
        found = engine._records(
            events[time], events["px"], events["qty"], events["ev"],
            kind_mask=KIND, kind=TRADE, clock=flag, buy=BUY, sell=SELL,
        )  # fmt: skip
    elif clock != "exch":
        raise InvalidConfigError(f"clock must be left out where events have no fields {EVENT_FIELDS}, was {clock!r}")
    else:
        found = _feed_rows(engine, events)
    stats, others, other_clock, no_side = found
    passed = {KINDS.get(kind, f"kind {kind}"): count for kind, count in others.items()}
    passed |= {name: count for name, count in (("other_clock", other_clock), ("no_side", no_side)) if count}
    return EventStats(stats, passed)


def _feed_rows(engine: _core.Engine, rows: NDArray[Any]) -> tuple[Stats, dict[int, int], int, int]:
    from ..sources.meaning import listed, recognise

    assert rows.dtype.names is not None, "the caller has looked"
    names = list(rows.dtype.names)
    at, missing = recognise(names)
    if missing:
        raise DataError(f"events: expected a field for {', '.join(missing)}, found {listed(names)}")
    side = rows[names[at.side]]
    is_sell = at.true_is_sell
    if side.dtype.kind in "SU":
        side, is_sell = _sells(side, at.code, names[at.side]), True
    elif side.dtype.kind in "iu" and side.dtype.itemsize == 1:
        side = side.view(np.uint8)
        if (odd := np.count_nonzero(side > 1)) > 0:
            raise DataError(f"events: expected 0 or 1 in {names[at.side]}, found {odd:,} other rows")
        side = side.view(np.bool_)
    refuse_other_units(rows[names[at.time]], names[at.time])
    return engine._records(
        rows[names[at.time]], rows[names[at.price]], rows[names[at.quantity]], side,
        kind_mask=0, kind=0, clock=0, buy=0 if is_sell else 1, sell=1 if is_sell else 0,
    )  # fmt: skip


def _sells(words: NDArray[Any], code: str, name: str) -> NDArray[np.bool_]:
    known, codes = np.unique(words, return_inverse=True)
    texts = [word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word) for word in known.tolist()]
    sells = [_core.parse_side(text, side_code=code) for text in texts]
    for text, sell in zip(texts, sells, strict=True):
        if sell > 1:
            raise DataError(f"events: expected buy or sell in {name}, found {text!r}")
    return np.array(sells, np.bool_)[codes]
