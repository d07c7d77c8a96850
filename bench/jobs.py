"""
The jobs that liqcore and its peers are timed on: the same trades, tiers, bins and windows for everybody.

Job J is the usual case, recorded or simulated BTC; J5 is J with windows of five minutes; the hostile job is the case
that suits liqcore worst.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import liqcore as lq
from recorded import expected_dir

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TIERS = (10.0, 25.0, 50.0, 75.0, 100.0)
TICKS_PER_BIN = 15
BINS = 2_000
WINDOWS = 240
MMR = 0.004
SECOND = 1_000_000_000
DEFAULT_TRADES = 10_000_000


@dataclass(frozen=True, eq=False)
class Job:
    """
    One input and what is asked of it: columns of live longs and shorts, and of what each window liquidated.

    `ticks` and `lots` are price and quantity on their grids, converted beforehand: only peers read those, liqcore
    converts and checks the venue's floats itself, inside the timing.
    """

    name: str
    source: str  # in words, for the report
    tick_size: float
    lot_size: float
    tiers: tuple[float, ...]
    axis: lq.PriceAxis
    window_ns: int
    windows: int
    ts: Ints
    price: Floats
    qty: Floats
    taker_sell: Bools
    ticks: Ints
    lots: Floats
    exponent: float | None = None  # of the model presence; None: flow

    def __len__(self) -> int:
        return self.ts.size

    @property
    def columns(self) -> tuple[Ints, Floats, Floats, Bools]:
        """What liqcore is fed: times, prices, quantities, sides."""
        return self.ts, self.price, self.qty, self.taker_sell

    @property
    def instrument(self) -> lq.Instrument:
        """What is traded: linear, one flat maintenance margin rate."""
        return lq.Instrument(
            symbol="BTC",
            tick_size=self.tick_size,
            lot_size=self.lot_size,
            margin=lq.MarginSchedule.flat(MMR),
        )

    @property
    def profile(self) -> lq.LeverageProfile:
        """Equal shares."""
        return lq.LeverageProfile({tier: 1 / len(self.tiers) for tier in self.tiers})

    def engine(self, keep: int | None = None, threads: int = 1) -> lq.Engine:
        """Return a fresh engine: flow or presence without half-life, last-trade trigger, fixed axis."""
        return lq.Engine(
            self.instrument,
            leverage=self.profile,
            axis=self.axis,
            window=np.timedelta64(self.window_ns, "ns"),
            model="flow" if self.exponent is None else "presence",
            exponent=self.exponent,
            half_life=None,
            keep=keep,
            threads=threads,
        )

    def first(self, n: int) -> Job:
        """Return the job's first n trades, in the same windows."""
        cut: Mapping[str, Any] = {
            name: getattr(self, name)[:n] for name in ("ts", "price", "qty", "taker_sell", "ticks", "lots")
        }
        windows = int(cut["ts"][-1] // self.window_ns - self.ts[0] // self.window_ns) + 1
        return replace(self, windows=windows, **cut)

    @property
    def factors(self) -> Floats:
        """Liquidation price over entry price by layer: longs of each tier, then shorts."""
        leverage = np.array(self.tiers)
        return np.concatenate([(1.0 - 1.0 / leverage) / (1.0 - MMR), (1.0 + 1.0 / leverage) / (1.0 + MMR)])

    @property
    def description(self) -> str:
        """Input in one sentence."""
        repeats = float(np.mean((self.ticks[1:] == self.ticks[:-1]) & (self.taker_sell[1:] == self.taker_sell[:-1])))
        return (
            f"{len(self):,} trades ({self.source}), {np.unique(self.ticks).size:,} distinct prices, {repeats:.0%} of "
            f"neighbours equal in price and side; {len(self.tiers)} tiers, {self.axis.size:,} bins of "
            f"{self.axis.ticks_per_bin} tick{'s' if self.axis.ticks_per_bin > 1 else ''}, {self.windows:,} windows of "
            f"{self.window_ns / SECOND:,.0f} s, sorted by time, fixed axis, no half-life"
        )


def wanted_trades() -> int:
    """Return how many trades job J has: LIQCORE_BENCH_TRADES, or 10 million."""
    return int(os.environ.get("LIQCORE_BENCH_TRADES", DEFAULT_TRADES))


def job_j(
    trades: int | None = None,
    *,
    tiers: tuple[float, ...] = TIERS,
    ticks_per_bin: int = TICKS_PER_BIN,
    bins: int = BINS,
    windows: int = WINDOWS,
) -> Job:
    """Return job J: five tiers, 15-tick bins, 240 windows; or a variation of it."""
    ts, price, qty, taker_sell, grid = _laid_out(trades or wanted_trades())
    window_ns = int(ts[-1] - ts[0]) // windows + 1
    # The start is a multiple of it, so that there are exactly so many windows.
    ts = ts - ts[0] + _START // window_ns * window_ns
    return _job(
        "J", ts, price, qty, taker_sell, grid, tiers=tiers, ticks_per_bin=ticks_per_bin, bins=bins, window_ns=window_ns
    )


def job_j5() -> Job:
    """Return job J5: job J with windows of five minutes."""
    columns = _laid_out(wanted_trades())
    return _job("J5", *columns, tiers=TIERS, ticks_per_bin=TICKS_PER_BIN, bins=BINS, window_ns=300 * SECOND)


def hostile(n: int = 15_000) -> Job:
    """
    Return the job that suits liqcore worst: prices jump, every tick is a bin, 125 tiers, windows of one second.

    Three trades a window leave nothing to sum, most ticks occur once, and every window pays for 250 layers.
    """
    random = np.random.default_rng(11)
    ticks = np.rint(20_000 * np.exp(np.cumsum(random.normal(0.0, 0.004, n)) % 0.2)).astype(np.int64)
    return _job(
        "hostile",
        _START + np.cumsum(random.integers(0, 2 * SECOND // 3, n)),
        ticks.astype(np.float64),
        (random.integers(1, 5_000, n) * 1e-3).astype(np.float64),
        random.random(n) < 0.5,
        _Grid("seeded walk of 0.4 % a trade that wraps around, seed 11", 1.0, 1e-3),
        tiers=tuple(float(leverage) for leverage in range(1, 126)),
        ticks_per_bin=1,
        bins=16_384,
        window_ns=SECOND,
    )


def at_rate(ts: Ints, per_second: float) -> Ints:
    """Compress times evenly to so many trades a second on average."""
    span = float(ts[-1] - ts[0])
    return np.asarray(ts[0] + ((ts - ts[0]) * (ts.size / per_second * SECOND / span)).astype(np.int64))


def lay_out(ts: Ints, n: int) -> tuple[Ints, Ints]:
    """
    Lay a recording forward, backward, forward, ... to n rows, so that neither time nor price jumps.

    Returns
    -------
    ts : ndarray of int64, shape (n,)
        Rising times; gaps of a backward pass are those of the forward pass, in reverse.
    order : ndarray of int64, shape (n,)
        Which row of the recording each is.
    """
    rows = ts.size
    passes = -(-n // rows)
    forward = np.arange(rows, dtype=np.int64)
    order = np.concatenate([forward if k % 2 == 0 else forward[::-1] for k in range(passes)])[:n]
    offset = ts - ts[0]
    span = int(offset[-1]) + 1_000_000
    times = np.concatenate([k * span + (offset if k % 2 == 0 else offset[-1] - offset[::-1]) for k in range(passes)])
    return ts[0] + times[:n], order


_START = 1_781_136_000_000_000_000  # 2026-06-11


@dataclass(frozen=True)
class _Grid:
    """Where trades come from, and what their prices and quantities are multiples of."""

    source: str
    tick_size: float
    lot_size: float


def _job(
    name: str,
    ts: Ints,
    price: Floats,
    qty: Floats,
    taker_sell: Bools,
    grid: _Grid,
    *,
    tiers: tuple[float, ...],
    ticks_per_bin: int,
    bins: int,
    window_ns: int,
) -> Job:
    ticks = np.rint(price / grid.tick_size).astype(np.int64)
    middle = (int(ticks.min()) + int(ticks.max())) // 2
    low = max(0, middle // ticks_per_bin - bins // 2) * ticks_per_bin
    axis = lq.PriceAxis(
        low=low * grid.tick_size,
        high=(low + bins * ticks_per_bin) * grid.tick_size,
        step=ticks_per_bin * grid.tick_size,
        tick_size=grid.tick_size,
    )
    return Job(
        name=name,
        source=grid.source,
        tick_size=grid.tick_size,
        lot_size=grid.lot_size,
        tiers=tiers,
        axis=axis,
        window_ns=window_ns,
        windows=int(ts[-1] // window_ns - ts[0] // window_ns) + 1,
        ts=ts,
        price=price,
        qty=qty,
        taker_sell=taker_sell,
        ticks=ticks,
        lots=np.rint(qty / grid.lot_size),
    )


_Columns = tuple[Ints, Floats, Floats, Bools, _Grid]


@lru_cache(maxsize=2)
def _laid_out(n: int) -> _Columns:
    """Return n trades, recorded or simulated, laid forward and backward."""
    ts, price, qty, taker_sell, grid = _source()
    ts, order = lay_out(ts, n)
    return ts, price[order], qty[order], taker_sell[order], grid


@cache
def _source() -> _Columns:
    """Read the recorded Hyperliquid BTC days, or simulate two days where they are absent."""
    files = sorted(Path(expected_dir(), "trades").glob("hyperliquid-BTC-*.parquet"))
    if not files:
        trades = lq.simulate(seed=1, days=2, tick_size=1.0, lot_size=1e-5).trades
        grid = _Grid("liqcore.simulate, seed 1, 2 days, laid forward and backward", 1.0, 1e-5)
        return trades.ts, trades.price, trades.qty, trades.taker_sell, grid
    batches = list(lq.read_trades(files))
    ts, price, qty, taker_sell = (
        np.concatenate([getattr(batch, name) for batch in batches]) for name in ("ts", "price", "qty", "taker_sell")
    )
    days = f"{files[0].stem[-8:]} to {files[-1].stem[-8:]}"
    grid = _Grid(f"recorded Hyperliquid BTC, {days}, laid forward and backward", 1.0, 1e-5)
    return ts, price, qty, taker_sell, grid
