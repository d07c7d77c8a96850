"""Every position, and what of the live ones may still be reached."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .market import LIVE, Floats, Ints
from .settings import NEVER

__all__ = ["Columns", "Ledger"]


class Columns:
    """Equally long arrays that grow together."""

    def __init__(self, **dtypes: Any) -> None:
        self.size = 0
        self._data = {name: np.empty(1024, dtype) for name, dtype in dtypes.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._data[name][: self.size]

    def append(self, count: int, **columns: Any) -> None:
        stop = self.size + count
        for name, data in self._data.items():
            if stop > data.size:
                grown = np.empty(max(stop, 2 * data.size), data.dtype)
                grown[: self.size] = data[: self.size]
                self._data[name] = data = grown
            data[self.size : stop] = columns[name]
        self.size = stop

    def keep(self, rows: NDArray[Any]) -> None:
        for data in self._data.values():
            kept = data[: self.size][rows]
            data[: kept.size] = kept
        self.size = kept.size


class Ledger:
    """
    Positions in order of opening.

    Attributes
    ----------
    positions : Columns
        All of them; times count from the market's start.
    live : Columns
        The live ones, and for a while the ended ones: a row here is a *slot*. `position` is its row in `positions`,
        `order` the order of this minute's plan that closes it, else -1. Levels that cannot be reached (other side,
        none, ended) are infinite.
    """

    def __init__(self, tiers: int) -> None:
        self.positions = Columns(
            side=np.int8,
            lots=np.float64,
            tier=np.int8 if tiers < 128 else np.int64,
            entry=np.float64,
            level=np.float64,
            opened_ms=np.int64,
            ended_ms=np.int64,
            outcome=np.int8,
        )
        self.live = Columns(
            position=np.int64, long_level=np.float64, short_level=np.float64, close_ms=np.int64, order=np.int64
        )

    def add(
        self, ms: Ints, side: Floats, lots: Floats, tier: Ints, entry: Floats, level: Floats, close_ms: Ints
    ) -> Ints:
        """
        Add positions, to the live ones too unless they ended already (``close_ms`` never).

        Returns their rows.
        """
        position = self.positions.size + np.arange(ms.size)
        self.positions.append(
            ms.size,
            side=side,
            lots=lots,
            tier=tier,
            entry=entry,
            level=level,
            opened_ms=ms,
            ended_ms=NEVER,
            outcome=LIVE,
        )
        reachable = (close_ms != NEVER) & ~np.isnan(level)
        self.live.append(
            ms.size,
            position=position,
            long_level=np.where(reachable & (side > 0), level, -np.inf),
            short_level=np.where(reachable & (side < 0), level, np.inf),
            close_ms=close_ms,
            order=-1,
        )
        return position

    def within_reach(self, floor: float, ceiling: float) -> tuple[Ints, Floats, Floats]:
        """Return slot, level and side of the live positions with a level in the range."""
        live = self.live
        longs = np.flatnonzero(live["long_level"] >= floor)
        shorts = np.flatnonzero(live["short_level"] <= ceiling)
        level = np.concatenate((live["long_level"][longs], live["short_level"][shorts]))
        side = np.concatenate((np.ones(longs.size), -np.ones(shorts.size)))
        return np.concatenate((longs, shorts)), level, side

    def end(self, positions: NDArray[Any], ms: Ints, outcome: int) -> None:
        """Write down when and how positions ended."""
        self.positions["ended_ms"][positions] = ms
        self.positions["outcome"][positions] = outcome

    def drop(self, slots: Ints | int) -> None:
        """Take positions out of what can be reached or closed."""
        self.live["long_level"][slots], self.live["short_level"][slots] = -np.inf, np.inf
        self.live["close_ms"][slots] = NEVER

    def forget(self) -> None:
        """Free the slots of ended positions; every other slot changes."""
        self.live.keep(self.live["close_ms"] != NEVER)

    def held(self, ts: Ints, opened: Ints, ended: Ints, side: int) -> Floats:
        """Return the lots of one side alive at each of the times; whole lots, so exact."""
        mine = self.positions["side"] == side
        lots = self.positions["lots"][mine]
        return _total_until(ts, opened[mine], lots) - _total_until(ts, ended[mine], lots)


def _total_until(when: Ints, ts: Ints, lots: Floats) -> Floats:
    """Sum of the lots dated at or before each of the times."""
    rows = np.argsort(ts, kind="stable")
    total = np.concatenate((np.zeros(1), np.cumsum(lots[rows])))
    return total[np.searchsorted(ts[rows], when, side="right")]
