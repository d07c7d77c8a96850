"""
A seeded market whose leveraged positions are known: what a venue would publish, and the true live levels behind it.

Nobody publishes positions on a centralised venue, so an estimate of liquidation levels cannot be checked against the
real thing. Here it can. Everything that comes out of this module is synthetic, and says so (``Market.synthetic``).

How the market works
--------------------
*Agents* open one isolated, linear position each, with a leverage drawn from the requested shares, and end it in one of
two ways: they close it after a holding time (the higher the leverage, the shorter), or the venue liquidates it. Each
of the three is a taker order in the trade stream, filled in one or more trades at one timestamp by a *market maker*,
who is the only other account, nets everything, and is not leveraged, so it is never liquidated.

*Sides.* Trend followers buy what rose, contrarians sell what rose, the others follow a slow mood; all look at prices
of past minutes only.

*Price.* log price = fundamental + lasting impact + decaying impact. The fundamental is a random walk with stochastic
volatility, an intraday pattern and rare jumps. Lasting impact is proportional to the agents' net position (Kyle 1985),
so what an open moves, its close moves back; as much again decays with a half-life of 20 s (a propagator, Bouchaud et
al. 2004).

*Mark price.* Once a second: the price without the decaying impact, plus a moving average of that impact with a
half-life of 15 s, on the tick grid. A long is liquidated at the first mark at or below its liquidation price, a short
at the first at or above it (maintenance margin on the mark value, no fees):

    long  entry x (1 - 1/leverage) / (1 - mmr)        short  entry x (1 + 1/leverage) / (1 + mmr)

A liquidation is a market order in the same instant: its fills carry the timestamp of the mark, and move the next
marks. That is how a cascade comes about. An order whose liquidation price the last mark has reached already is
refused, as a venue refuses an order without margin.

*Open interest* is one-sided: every contract has one long and one short. Agents hold ``long`` and ``short``, the maker
the difference, so the longs of everybody together are ``max(long, short)``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TypeAlias

import numpy as np

from ..tables.batch import TradeBatch
from ..words.times import Time
from .agents import Agents, Plan
from .fundamental import Fundamental
from .ledger import Columns, Ledger
from .market import (
    CLOSE,
    LIQUIDATION,
    LIVE,
    OPEN,
    Bools,
    Floats,
    Ints,
    Liquidations,
    Market,
    Marks,
    OpenInterest,
    Positions,
    Sides,
)
from .prices import Path, Prices
from .settings import BLOCK_S, MS, NEVER, Settings, checked

__all__ = ["simulate"]


def simulate(
    *,
    seed: int = 1,
    days: float = 3.0,
    start: Time = "2026-01-05",
    price: float = 60_000.0,
    tick_size: float = 0.1,
    lot_size: float = 0.001,
    trades_per_day: float = 200_000,
    order_notional: float = 15_000.0,
    leverage: Mapping[float, float] | None = None,
    mmr: float = 0.004,
    volatility: float = 0.02,
    impact: float = 0.001,
    existing_positions: bool = True,
) -> Market:
    """
    Simulate a perpetual-futures market whose positions, and so whose liquidation levels, are known.

    The module's description says how it works. Cost: about 1 s and 35 MB a day of 200,000 trades; time grows with
    `days` and, more slowly, with `trades_per_day`. Equal arguments give equal bits on one machine and numpy version,
    and what a longer simulation publishes begins with what the shorter one does.

    Parameters
    ----------
    seed : int, default 1
        Which of the possible histories; at least 0.
    days : float, default 3.0
        Length, in days of 24 hours; at least a millisecond.
    start : int, str, date, datetime or datetime64, default "2026-01-05"
        A whole number is nanoseconds since the UNIX epoch; UTC where no zone is given.
    price : float, default 60000.0
        First mark price, quote currency per unit of base; rounded to the tick.
    tick_size : float, default 0.1
        Price grid; from a billionth to a thousandth of `price`.
    lot_size : float, default 0.001
        Quantity grid, units of base.
    trades_per_day : float, default 200000
        Expected number of trades; one day may have half or twice as many.
    order_notional : float, default 15000.0
        Mean notional of an order, quote currency; sizes are heavy-tailed, and at least one lot.
    leverage : Mapping of float to float, optional
        Share of each leverage in what agents open; at least 1 each, shares sum to 1. Distances from the entry, as
        leverage profiles take them, are none: agents post margin, and their levels follow from it. By default
        ``{3: 0.20, 5: 0.20, 10: 0.25, 25: 0.18, 50: 0.11, 100: 0.06}``.
    mmr : float, default 0.004
        Maintenance margin rate, one for all; at least 0 and below 1 / leverage.
    volatility : float, default 0.02
        Daily standard deviation of the fundamental log price; above 0, at most 0.5. Order flow comes on top.
    impact : float, default 0.001
        Lasting relative price move when agents' net position changes by 1 % of a day's volume; as much again decays.
        From 0 (liquidations move nothing) to 0.05.
    existing_positions : bool, default True
        Whether agents hold positions at `start`, opened at prices of an unpublished past. False: every position is
        opened in the trade stream, and open interest starts at zero.

    Returns
    -------
    Market
        Trades, open interest, marks, liquidations, and the truth about every position.

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule; the message names argument, rule and value.
    TypeError
        If `start` is none of the types above.

    Examples
    --------
    >>> market = simulate(seed=7, days=0.25, trades_per_day=20_000)
    >>> market.synthetic, len(market.marks.ts), len(market.open_interest.ts)
    (True, 21600, 360)
    >>> live = market.live_levels("2026-01-05T03:00")
    >>> mark = market.marks.price[3 * 3600]
    >>> bool((live.liquidation_price[live.side > 0] < mark).all())
    True
    """
    settings = checked(**locals())
    simulation = _Simulation(settings)
    for _ in range(math.ceil(settings.seconds / BLOCK_S)):
        simulation.minute()
    return simulation.result()


_Trades: TypeAlias = tuple[Ints, Floats, Floats, Bools, Sides, Ints]
"""Of a minute, either of its plan or of its liquidations: ms, ticks, lots, taker_sell, intent, position."""

_Forced: TypeAlias = tuple[int, float, float, int, int]
"""A liquidation: second, sign of the order, lots, slot (else -1), order of this minute's plan (else -1)."""


class _Simulation:
    """State of the market between two minutes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        fundamental, self._order_rng, self._liquidation_rng, past = (
            np.random.Generator(np.random.PCG64(stream)) for stream in np.random.SeedSequence(settings.seed).spawn(4)
        )
        self._agents = Agents(settings)
        self._fundamental = Fundamental(fundamental, settings)
        self._prices = Prices(settings, self._agents)
        self._ledger = Ledger(self._agents.tiers.size)
        self._history = Columns(log_price=np.float64)  # once a minute
        self._minute = 0
        self._trades: list[_Trades] = []
        self._marks: list[Floats] = []
        self._liquidations: list[tuple[Ints, Floats, Ints]] = []  # ms, average price, position
        recent = self._agents.past(past, self._ledger)
        self._history.append(recent.size, log_price=recent)

    def minute(self) -> None:
        """Plan the next minute's orders, find out which liquidations follow, record it all."""
        history = self._history["log_price"]
        log_fundamental, weights, activity = self._fundamental.draw(history)
        mood = float(self._fundamental.mood.sum())
        plan = self._agents.plan(self._order_rng, self._ledger, self._minute, history, mood, weights, activity)
        active = np.ones(plan.lots.size, dtype=np.bool_)
        held = np.ones(plan.lots.size, dtype=np.bool_)  # False: opened and liquidated within this minute
        forced = np.zeros(BLOCK_S)  # signed lots of liquidations, by second
        liquidated: list[_Forced] = []
        floor, ceiling = math.inf, -math.inf  # prices between which levels have been looked up

        # An order changes later prices only, so events are settled in order of time: each adds its flow, and the rest
        # of the minute is worked out again. Sums run forwards, so what lies before the event keeps its bits.
        while True:
            path = self._prices.path(log_fundamental, plan, active, forced)
            low, high = float(path.mark.min()), float(path.mark.max())
            if low < floor or high > ceiling:
                floor, ceiling = low * 0.999, high * 1.001
                slots, level, side = self._ledger.within_reach(floor, ceiling)
                closing = self._ledger.live["order"][slots]
                until = plan.second_of(closing)
                alive = np.ones(slots.size, dtype=np.bool_)
            opened = np.flatnonzero(plan.opens & active & held)
            refused = path.first_refused(plan, opened)
            second, rows = path.first_reached(
                np.concatenate((level, path.level[opened])),
                np.concatenate((side, plan.sign[opened])),
                np.concatenate((np.zeros(slots.size, dtype=np.int64), plan.second[opened] + 1)),
                np.concatenate((until, np.full(opened.size, BLOCK_S))),
                np.concatenate((alive, np.ones(opened.size, dtype=np.bool_))),
            )
            if refused >= 0 and plan.second[refused] < second:
                active[refused] = False
                continue
            if not rows.size:
                break
            batch = []
            for row in rows.tolist():
                if row < slots.size:
                    alive[row] = False
                    slot, order = int(slots[row]), -1
                    lots = float(self._ledger.positions["lots"][self._ledger.live["position"][slot]])
                    self._ledger.drop(slot)
                    if closing[row] >= 0:
                        active[closing[row]] = False
                    sign, reached = -float(side[row]), float(level[row])
                else:
                    slot, order = -1, int(opened[row - slots.size])
                    held[order] = False
                    lots, sign, reached = float(plan.lots[order]), -float(plan.sign[order]), float(path.level[order])
                forced[second] += sign * lots
                batch.append((sign * reached, second, sign, lots, slot, order))
            batch.sort()  # sells of longs first; the level nearest to where the price came from first
            liquidated += [entry[1:] for entry in batch]

        self._record(plan, path, active, held, liquidated)
        self._history.append(1, log_price=self._prices.settle(path, float(log_fundamental[-1])))
        self._minute += 1
        if self._minute % 30 == 0:
            self._ledger.forget()

    def _record(self, plan: Plan, path: Path, active: Bools, held: Bools, liquidated: list[_Forced]) -> None:
        """Store the minute's marks, trades and positions."""
        self._marks.append(path.mark)
        position = self._settle(plan, path, active, held)
        fills = plan.fills
        rows = np.flatnonzero(active[fills.order])
        order = fills.order[rows]
        if liquidated:
            self._trades.append(self._liquidate(path, position, liquidated))
        self._trades.append(
            (
                plan.ms[order],
                path.fill_ticks[rows],
                fills.lots[rows],
                plan.sign[order] < 0,
                np.where(plan.opens[order], OPEN, CLOSE).astype(np.int8),
                position[order],
            )
        )

    def _settle(self, plan: Plan, path: Path, active: Bools, held: Bools) -> Ints:
        """End the positions that the plan's active orders close, add those they open; return each order's position."""
        ledger = self._ledger
        position = np.full(plan.lots.size, -1)
        closes = np.flatnonzero(~plan.opens)
        position[closes] = ledger.live["position"][plan.slot[closes]]
        ledger.live["order"][plan.slot[closes]] = -1
        ended = closes[active[closes]]
        ledger.end(position[ended], plan.ms[ended], CLOSE)
        ledger.drop(plan.slot[ended])
        opened = np.flatnonzero(plan.opens & active)
        position[opened] = ledger.add(
            plan.ms[opened],
            plan.sign[opened],
            plan.lots[opened],
            plan.tier[opened],
            path.entry[opened],
            path.level[opened],
            np.where(held[opened], plan.close_ms[opened], NEVER),
        )
        return position

    def _liquidate(self, path: Path, position: Ints, liquidated: list[_Forced]) -> _Trades:
        """End liquidated positions; return the trades of that. `position` is that of each order of the plan."""
        second, sign, lots, slot, order = (np.array(column) for column in zip(*liquidated, strict=True))
        victim = np.where(slot >= 0, self._ledger.live["position"][slot], position[order] if position.size else -1)
        trigger_ms = (self._minute * BLOCK_S + second) * 1000
        self._ledger.end(victim, trigger_ms, LIQUIDATION)
        signed = sign * lots
        earlier = np.cumsum(signed) - signed
        earlier -= earlier[np.searchsorted(second, second)]
        fills = self._agents.split(self._liquidation_rng, lots)
        ticks, average = self._prices.fill(path.log_mid[second], earlier, sign, lots, fills)
        self._liquidations.append((trigger_ms, average, victim))
        return (
            trigger_ms[fills.order],
            ticks,
            fills.lots,
            sign[fills.order] < 0,
            np.full(fills.order.size, LIQUIDATION, dtype=np.int8),
            victim[fills.order],
        )

    def result(self) -> Market:
        """Return what was simulated, cut at the market's end."""
        s, price, lot, tiers = self._settings, self._agents.price, self._agents.lot, self._agents.tiers
        end_ms = (s.end - s.start) // MS
        columns = [np.concatenate(column) for column in zip(*self._trades, strict=True)]
        rows = np.argsort(columns[0], kind="stable")  # at equal times liquidations first
        rows = rows[: np.searchsorted(columns[0][rows], end_ms)]
        ms, ticks, lots, sell, intent, owner = (column[rows] for column in columns)

        p = self._ledger.positions
        p.keep(p["opened_ms"] < end_ms)
        late = p["ended_ms"] >= end_ms
        p["ended_ms"][late], p["outcome"][late] = NEVER, LIVE
        tier = p["tier"].astype(np.int64)
        opened = s.start + p["opened_ms"] * MS
        ended = np.where(late, NEVER, s.start + np.where(late, 0, p["ended_ms"]) * MS)
        positions = Positions(
            side=p["side"].copy(),
            quantity=lot.value(p["lots"]),
            leverage=tiers[tier],
            entry_price=p["entry"].copy(),
            liquidation_price=p["level"].copy(),
            opened=opened,
            ended=ended,
            outcome=p["outcome"].copy(),
        )

        mark = np.concatenate(self._marks)[: math.ceil(end_ms / 1000)]
        mark_ts = s.start + np.arange(mark.size) * 1000 * MS
        minute_ts = s.start + np.arange(math.ceil(end_ms / (BLOCK_S * 1000))) * BLOCK_S * 1000 * MS
        held = [self._ledger.held(minute_ts, opened, ended, side) for side in (1, -1)]

        streamed = opened >= s.start
        total = np.bincount(tier[streamed], p["lots"][streamed], tiers.size)
        shares = total / max(float(total.sum()), 1.0)
        return Market(
            trades=TradeBatch(s.start + ms * MS, price.value(ticks), lot.value(lots), sell),
            open_interest=OpenInterest(minute_ts, lot.value(np.maximum(*held))),
            marks=Marks(mark_ts, mark),
            liquidations=self._liquidation_feed(positions, end_ms),
            positions=positions,
            intent=intent,
            position=owner,
            profile=dict(zip(tiers.tolist(), shares.tolist(), strict=True)),
            start=s.start,
            end=s.end,
            parameters=asdict(s),
        )

    def _liquidation_feed(self, positions: Positions, end_ms: int) -> Liquidations:
        if self._liquidations:
            ms, price, position = (np.concatenate(column) for column in zip(*self._liquidations, strict=True))
        else:
            ms, price, position = np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64)
        n = int(np.searchsorted(ms, end_ms))
        position = position[:n]
        return Liquidations(
            **vars(positions.at(position)),
            ts=self._settings.start + ms[:n] * MS,
            price=price[:n],
            position=position,
        )
