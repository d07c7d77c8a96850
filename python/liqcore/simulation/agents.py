"""Who trades: leverages, sizes, holding times, sides, and how an order is split into trades."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from .fundamental import unpublished_past
from .ledger import Ledger
from .market import Bools, Floats, Ints
from .settings import BLOCK_S, MINUTES_PER_DAY, Grid, Settings

__all__ = ["Agents", "Fills", "Plan"]

# Sizes and fills per order resemble days of BTC on Hyperliquid in June 2026.
_HOLD_HOURS_AT_1X: Final = 120.0
_HOLD_EXPONENT: Final = 0.9  # mean holding time = 120 h / leverage^0.9: 45 h at 3x, 15 h at 10x, 1.9 h at 100x
_HOLD_SIGMA: Final = 1.2  # of the log holding time: many leave early, a few stay for days
_HOLD_MAX_DAYS: Final = 10.0
_SIZE_SIGMA: Final = 2.0  # of the log order size: the largest tenth of the orders is 75 % of the volume
_SIZE_MAX: Final = 300.0  # times the mean
_TREND, _CONTRARIAN, _MOOD = 0.40, 0.30, 0.40  # how far each group can tilt the share of longs


@dataclass(frozen=True, eq=False)
class Plan:
    """Orders that agents mean to send within a minute; times count from the market's start."""

    ms: Ints
    second: Ints  # within the minute
    first: Ints  # row of the first order of the same second
    sign: Floats
    lots: Floats
    opens: Bools
    slot: Ints  # of the live position that a close ends, else -1
    tier: Ints  # of an open, else -1
    close_ms: Ints  # of an open
    fills: Fills

    def second_of(self, order: Ints) -> Ints:
        """Return the second of each order; the minute's end where there is none (-1)."""
        return np.where(order >= 0, self.second[order] if self.lots.size else 0, BLOCK_S)


@dataclass(frozen=True, eq=False)
class Fills:
    """How orders are split into trades."""

    order: Ints
    lots: Floats
    middle: Floats  # lots of the order filled before this trade, and half of it
    first: Ints  # row of each order's first trade


class Agents:
    """What is drawn for each agent, by the leverages asked for."""

    def __init__(self, settings: Settings) -> None:
        s = self._settings = settings
        self.tiers = np.array(list(s.leverage), dtype=np.float64)
        self.price, self.lot = Grid(s.tick_size), Grid(s.lot_size)
        self._cumulative_share = np.cumsum(list(s.leverage.values()))
        self._long_factor = (1 - 1 / self.tiers) / (1 - s.mmr)
        self._short_factor = (1 + 1 / self.tiers) / (1 + s.mmr)
        self._hold_ms = _HOLD_HOURS_AT_1X * 3.6e6 / self.tiers**_HOLD_EXPONENT
        self._mean_lots = s.order_notional / (s.price * s.lot_size)

        # Fills per order and volume depend on the lot grid: measure them once, on orders of their own.
        rng = np.random.Generator(np.random.PCG64(0))
        lots = self.sizes(rng, 50_000)
        fills_per_order = self.split(rng, lots).lots.size / lots.size
        # Each open is followed by a close.
        self._opens_per_minute = s.trades_per_day / (2 * fills_per_order * MINUTES_PER_DAY)
        self.lots_per_day = s.trades_per_day / fills_per_order * float(lots.mean())

    def sizes(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw order sizes, whole lots."""
        ratio = np.exp(_SIZE_SIGMA * rng.standard_normal(count) - _SIZE_SIGMA**2 / 2)
        return np.maximum(np.rint(np.minimum(ratio, _SIZE_MAX) * self._mean_lots), 1.0)

    def split(self, rng: np.random.Generator, lots: Floats) -> Fills:
        """Split orders into trades of whole lots; the larger the order, the more trades."""
        pieces = 1 + rng.poisson(1.0 + 1.2 * np.log1p(lots / self._mean_lots))
        order = np.repeat(np.arange(lots.size), pieces)
        stop = np.cumsum(pieces)
        share = np.cumsum(rng.standard_exponential(order.size))
        total = share[stop - 1]
        begin = np.concatenate((np.zeros(1), total[:-1])) if lots.size else total
        share = (share - begin[order]) / (total - begin)[order]
        share[stop - 1] = 1.0
        filled = np.rint(share * lots[order])
        before = np.concatenate((np.zeros(1), filled[:-1])) if lots.size else filled
        before[stop[:-1]] = 0.0
        size = filled - before
        kept = size > 0
        order = order[kept]
        return Fills(order, size[kept], (before + size / 2)[kept], np.searchsorted(order, np.arange(lots.size)))

    def level(self, side: Floats, tier: Ints, entry: Floats) -> Floats:
        """Return liquidation prices; NaN where there is none."""
        level = entry * np.where(side > 0, self._long_factor[tier], self._short_factor[tier])
        level[level <= 0] = np.nan
        return level

    def past(self, rng: np.random.Generator, ledger: Ledger) -> Floats:
        """
        Draw an unpublished past: prices of the last days, and which positions opened then are still alive.

        The positions go into `ledger`; what comes back is the log price of each minute of the last day.
        """
        s = self._settings
        back = unpublished_past(rng, s, int(_HOLD_MAX_DAYS * MINUTES_PER_DAY))  # back[i]: i minutes ago
        recent = back[:MINUTES_PER_DAY][::-1]
        if not s.existing_positions:
            return recent
        lowest, highest = np.exp(np.minimum.accumulate(back)), np.exp(np.maximum.accumulate(back))
        share = np.diff(self._cumulative_share, prepend=0.0)
        count = rng.poisson(self._opens_per_minute / 60_000 * share * (self._hold_ms + 60_000))
        tier = np.repeat(np.arange(self.tiers.size), count)
        # A long stay is more likely to be under way now than a short one: the length-biased lognormal law.
        hold = self._hold_ms[tier] * np.exp(_HOLD_SIGMA * rng.standard_normal(tier.size) + _HOLD_SIGMA**2 / 2)
        hold = np.minimum(hold + 60_000, (_HOLD_MAX_DAYS - 0.01) * 8.64e7)
        age = hold * rng.random(tier.size)
        minute = (age / 60_000).astype(np.int64)
        lots = self.sizes(rng, tier.size)
        side = np.where(rng.random(tier.size) < 0.5, 1.0, -1.0)
        entry = self.price.value(np.rint(np.exp(back[minute]) / s.tick_size))
        level = self.level(side, tier, entry)
        lowest, highest = lowest * (1 - 1e-3), highest * (1 + 1e-3)  # a past known once a minute has missed something
        reached = np.where(side > 0, level >= lowest[minute], level <= highest[minute])
        rows = np.argsort(-age, kind="stable")
        rows = rows[~reached[rows]]
        opened_ms = -np.ceil(age[rows]).astype(np.int64) - 1
        close_ms = _between_marks(np.ceil(hold[rows] - age[rows]).astype(np.int64))
        ledger.add(opened_ms, side[rows], lots[rows], tier[rows], entry[rows], level[rows], close_ms)
        return recent

    def plan(
        self,
        rng: np.random.Generator,
        ledger: Ledger,
        minute: int,
        history: Floats,
        mood: float,
        weights: Floats,
        activity: float,
    ) -> Plan:
        """
        Decide on a minute's orders from what is known at its beginning.

        `history` is the log price of every minute before, `weights` and `activity` say when and how much is traded.
        """
        begin_ms = minute * BLOCK_S * 1000
        count = int(rng.poisson(self._opens_per_minute * activity))
        draws = rng.random((4, count))
        tier = np.minimum(np.searchsorted(self._cumulative_share, draws[0], side="right"), self.tiers.size - 1)
        sign = np.where(draws[1] < 0.5 + 0.5 * self._lean(history, mood), 1.0, -1.0)
        cumulative = np.cumsum(weights)
        second = np.searchsorted(cumulative / cumulative[-1], draws[2], side="right")
        ms = begin_ms + np.minimum(second, BLOCK_S - 1) * 1000 + 1 + (draws[3] * 999).astype(np.int64)
        hold = self._hold_ms[tier] * np.exp(_HOLD_SIGMA * rng.standard_normal(count) - _HOLD_SIGMA**2 / 2)
        hold = np.minimum(hold + 60_000, _HOLD_MAX_DAYS * 8.64e7)
        lots = self.sizes(rng, count)

        live, positions = ledger.live, ledger.positions
        slots = np.flatnonzero(live["close_ms"] < begin_ms + BLOCK_S * 1000)
        ended = live["position"][slots]
        ms = np.concatenate((ms, live["close_ms"][slots]))
        rows = np.argsort(ms, kind="stable")
        ms = ms[rows]
        lots = np.concatenate((lots, positions["lots"][ended]))[rows]
        none = np.full(slots.size, -1)
        slot = np.concatenate((np.full(count, -1), slots))[rows]
        closes = np.flatnonzero(slot >= 0)
        live["order"][slot[closes]] = closes
        second = ms // 1000 - minute * BLOCK_S
        return Plan(
            ms=ms,
            second=second,
            first=np.searchsorted(second, second),
            sign=np.concatenate((sign, -positions["side"][ended].astype(np.float64)))[rows],
            lots=lots,
            opens=slot < 0,
            slot=slot,
            tier=np.concatenate((tier, none))[rows],
            close_ms=_between_marks(ms + np.concatenate((np.ceil(hold).astype(np.int64), none))[rows]),
            fills=self.split(rng, lots),
        )

    def _lean(self, history: Floats, mood: float) -> float:
        """Return how far the share of longs is tilted, from -1 to 1 or a little beyond."""
        scale = self._settings.volatility / math.sqrt(MINUTES_PER_DAY)
        move = [float(history[-1] - history[-1 - n]) / (scale * math.sqrt(n)) for n in (10, 60, 720)]
        return (
            _TREND * math.tanh(0.5 * (move[0] + move[1]))
            - _CONTRARIAN * math.tanh(move[2])
            + _MOOD * math.tanh(0.5 * mood)
        )


def _between_marks(ms: Ints) -> Ints:
    """Move whole seconds by a millisecond: they belong to marks and liquidations."""
    return np.where(ms % 1000 == 0, ms + 1, ms)
