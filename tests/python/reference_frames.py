"""The slow, obvious truth about time frames: an engine started empty, and every lot with the time it was opened.

`started_at` is the definition of ``opened_within``: the reference engine, fed from a window's start on, knowing nothing
of before but the last mark price. `Dated` keeps each opening apart, so that the age of what is live can be read off.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reference import SHARES, SIGN, Layer, Reference
from reference_models import ModelReference

Event = tuple[str, tuple[Any, ...]]  # ("mark" | "trade", row), in order


def started_at(fresh: Reference, events: Iterable[Event], start_ns: int, end_ns: int) -> Reference:
    """Feed what happened in [start, end) to a fresh reference that knows the last mark before."""
    for kind, row in events:
        if row[0] >= end_ns:
            break
        if row[0] >= start_ns:
            getattr(fresh, kind)(*row)
        elif kind == "mark":
            fresh.last_mark = fresh._ticks(row[1])
    fresh.advance(end_ns)
    return fresh


class Dated(ModelReference):
    """The reference with a list of [time opened, quantity] beside each live cell; nothing may scale."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(**rules)
        self.dated: dict[Layer, dict[int, list[tuple[int, float]]]] = {layer: {} for layer in self.live}

    def _open(self, side: str, entry: int, quantity: float, low: int, high: int) -> None:
        before = {layer: dict(cells) for layer, cells in self.live.items() if layer[0] == side}
        super()._open(side, entry, quantity, low, high)
        assert self.clock is not None
        for layer, cells in before.items():
            for where, now in self.live[layer].items():
                if (added := now - cells.get(where, 0)) > 0:
                    self.dated[layer].setdefault(where, []).append((self.clock, added))

    def _touch(self, low: int, high: int) -> None:
        super()._touch(low, high)
        for layer, cells in self.dated.items():
            for where in [where for where in cells if where not in self.live[layer]]:
                del cells[where]

    def opened_since(self, side: str, since_ns: int) -> dict[int, float]:
        """Live lots of a side by bin, over all tiers, opened at or after a time."""
        assert side in SIGN
        out: dict[int, float] = {}
        for layer, cells in self.dated.items():
            if layer[0] == side:
                for where, openings in cells.items():
                    young = sum(quantity for ts, quantity in openings if ts >= since_ns)
                    if young:
                        out[where] = out.get(where, 0) + young / SHARES
        return out
