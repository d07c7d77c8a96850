"""How orders move prices: a minute of marks, fills and levels, worked out from the orders sent in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from .agents import Agents, Fills, Plan
from .market import Bools, Floats, Ints
from .settings import BLOCK_S, Settings

__all__ = ["Path", "Prices"]

_IMPACT_HALF_LIFE_S: Final = 20.0
_MARK_HALF_LIFE_S: Final = 15.0
_HALF_SPREAD: Final = 1e-5  # of the price, at least half a tick


@dataclass(frozen=True, eq=False)
class Path:
    """A minute of prices, as it follows from the orders sent in it."""

    before: Floats  # net lots bought since the minute began, at the start of each second and at its end
    log_mid: Floats  # at the start of each second, before the liquidations of that second
    decaying: float  # impact left at the end of the minute
    basis: float  # moving average of the decaying impact at the last mark
    mark: Floats
    fill_ticks: Floats  # of the plan's fills
    entry: Floats  # average price of each order of the plan
    level: Floats  # liquidation price of what each order opens

    def first_refused(self, plan: Plan, opened: Ints) -> int:
        """Return the first of the orders whose liquidation price the last mark has reached already, or -1."""
        mark, level = self.mark[plan.second[opened]], self.level[opened]
        refused = np.where(plan.sign[opened] > 0, level >= mark, level <= mark)
        return int(opened[refused.argmax()]) if refused.any() else -1

    def first_reached(self, level: Floats, side: Floats, first: Ints, until: Ints, alive: Bools) -> tuple[int, Ints]:
        """
        Return the first second whose mark reaches a level, and the rows it reaches.

        Row i counts from second ``first[i]`` up to and including ``until[i]``. None reached: (number of marks, no
        rows).
        """
        mark = self.mark
        lowest = np.append(np.minimum.accumulate(mark[::-1])[::-1], np.inf)
        highest = np.append(np.maximum.accumulate(mark[::-1])[::-1], -np.inf)
        rows = np.flatnonzero(alive & np.where(side > 0, level >= lowest[first], level <= highest[first]))
        if not rows.size:
            return mark.size, rows
        k = np.arange(mark.size)
        reached = np.where(side[rows, None] > 0, level[rows, None] >= mark, level[rows, None] <= mark)
        reached &= (k >= first[rows, None]) & (k <= until[rows, None])
        found = reached.any(axis=1)
        if not found.any():
            return mark.size, rows[:0]
        second = np.where(found, reached.argmax(axis=1), mark.size)
        at = int(second.min())
        return at, rows[second == at]


class Prices:
    """Impact between two minutes: what lasts (net lots), what decays, and what the mark shows of that."""

    def __init__(self, settings: Settings, agents: Agents) -> None:
        self._tick_size, self._agents = settings.tick_size, agents
        # Log price per lot; the lasting and the decaying part each.
        self._impact = settings.impact / (0.01 * agents.lots_per_day)
        self._decay = 0.5 ** (np.arange(BLOCK_S + 1) / _IMPACT_HALF_LIFE_S)
        self._smooth = 0.5 ** ((np.arange(BLOCK_S) + 1) / _MARK_HALF_LIFE_S)
        self._alpha = 1 - 0.5 ** (1 / _MARK_HALF_LIFE_S)
        self._net_lots = 0.0
        self._decaying = 0.0
        self._basis = 0.0

    def path(self, log_fundamental: Floats, plan: Plan, active: Bools, forced: Floats) -> Path:
        """Work out a minute of prices from its active orders, and the signed lots of liquidations by second."""
        signed = np.where(active, plan.sign * plan.lots, 0.0)
        flow = np.bincount(plan.second, signed, BLOCK_S) + forced
        before = np.zeros(BLOCK_S + 1)
        np.cumsum(flow, out=before[1:])
        lasting = log_fundamental + self._impact * (self._net_lots + before[:-1])
        decaying = np.zeros(BLOCK_S + 1)
        np.cumsum(self._impact * flow / self._decay[:-1], out=decaying[1:])
        decaying = self._decay * (self._decaying + decaying)
        basis = self._smooth * (self._basis + np.cumsum(self._alpha * decaying[:-1] / self._smooth))
        mark = self._agents.price.value(np.maximum(np.rint(np.exp(lasting + basis) / self._tick_size), 1.0))

        log_mid = lasting + decaying[:-1]
        earlier = np.cumsum(signed) - signed  # whole lots: exact
        earlier += forced[plan.second] - earlier[plan.first]
        ticks, entry = self.fill(log_mid[plan.second], earlier, plan.sign, plan.lots, plan.fills)
        return Path(
            before=before,
            log_mid=log_mid,
            decaying=float(decaying[-1]),
            basis=float(basis[-1]),
            mark=mark,
            fill_ticks=ticks,
            entry=entry,
            level=self._agents.level(plan.sign, plan.tier, entry),
        )

    def fill(self, log_mid: Floats, earlier: Floats, sign: Floats, lots: Floats, fills: Fills) -> tuple[Floats, Floats]:
        """
        Return the price of each trade, whole ticks, and the average price of each order.

        An order walks the book by the impact that it has, after the signed lots sent `earlier` in its second, and pays
        half the spread.
        """
        log_order = log_mid + 2 * self._impact * earlier
        ticks = np.exp(log_order[fills.order] + 2 * self._impact * sign[fills.order] * fills.middle) / self._tick_size
        ticks = np.maximum(np.rint(ticks + sign[fills.order] * np.maximum(0.5, _HALF_SPREAD * ticks)), 1.0)
        if not lots.size:
            return ticks, ticks
        return ticks, self._agents.price.value(np.add.reduceat(ticks * fills.lots, fills.first) / lots)

    def settle(self, path: Path, log_fundamental: float) -> float:
        """Go on to the end of the minute; return the log price there."""
        self._net_lots += float(path.before[-1])
        self._decaying, self._basis = path.decaying, path.basis
        return log_fundamental + self._impact * self._net_lots + self._decaying
