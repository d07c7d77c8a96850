"""liqcore on a job: fed in each of its ways, and what it answers. The long and the quick benchmarks share these."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import liqcore as lq
from jobs import Floats, Job

Row = tuple[int, float, float, bool]
Columns = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def feed(job: Job, rows: int | None = None, *, keep: int | None = None, threads: int = 1) -> lq.Engine:
    """Feed the whole job to a fresh engine, in one call or in calls of `rows` trades."""
    engine = job.engine(keep, threads)
    step = rows or len(job)
    for i in range(0, len(job), step):
        part = slice(i, i + step)
        engine.trades(job.ts[part], job.price[part], job.qty[part], job.taker_sell[part])
    return engine


def rows_of(job: Job) -> list[Row]:
    """Return the job's trades as Python numbers."""
    return list(zip(*(column.tolist() for column in job.columns), strict=True))


def one_by_one(job: Job, rows: list[Row]) -> lq.Engine:
    """Feed the job's rows to a fresh engine, one trade a call."""
    engine = job.engine()
    trade = engine.trade
    for ts, price, qty, taker_sell in rows:
        trade(ts, price, qty, taker_sell)
    return engine


def columns(job: Job, rows: int | None = None, threads: int = 1) -> Columns:
    """Feed, and fold the windows into columns."""
    heatmap = feed(job, rows, threads=threads).heatmap(step=job.axis.step, unit="quantity")
    return heatmap.long, heatmap.short, heatmap.liquidated


def layers(engine: lq.Engine) -> Floats:
    """Return the live book, lots: longs of each tier, then shorts."""
    return np.concatenate([engine.levels_lots(side) for side in ("long", "short")])


def check_same(engine: lq.Engine, expected: lq.Engine) -> None:
    """Compare all that two engines hold: windows, accounts and the live book, to the last bit."""
    assert engine.stats == expected.stats
    assert engine.stats.used > 0
    assert engine.clock == expected.clock
    assert engine.segments() == expected.segments()
    np.testing.assert_array_equal(layers(engine), layers(expected))
