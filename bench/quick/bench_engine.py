"""
Trades into an engine: arrays of job J in one call, 1,000 a call and one a call, and the columns folded from them.

Making the engine is inside each run, as in the long benchmarks of the same jobs (bench/batch.py, bench/live.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import feeding
import jobs
import liqcore as lq
from jobs import Job
from reference import FATES, SHARES, Reference
from timed import Timed

TRADES = 1_000_000
CALLS = 100_000
PLAIN_TRADES = 20_000  # that plain Python goes through in a third of a second

WHOLE = pytest.mark.benchmark(group=f"engine: {TRADES:,} trades of job J")
PART = pytest.mark.benchmark(group=f"engine: the first {CALLS:,} trades of job J")


def check_plain(job: Job) -> None:
    """Compare an engine fed one trade a call with the rules in plain Python: every live lot, every account."""
    engine = feeding.one_by_one(job, feeding.rows_of(job))
    plain = Reference(
        tick_size=job.tick_size,
        lot_size=job.lot_size,
        tiers=job.tiers,
        step_ticks=job.axis.ticks_per_bin,
        window=job.window_ns,
        bins=(job.axis.first_bin, job.axis.first_bin + job.axis.size),
        mmr=jobs.MMR,
    )
    for row in feeding.rows_of(job):
        plain.trade(*row)
    accounts = plain.stats()
    for side, name in enumerate(("long", "short")):
        for tier, leverage in enumerate(job.tiers):
            cells = np.zeros(job.axis.size)
            for where, shares in plain.live[name, leverage].items():
                cells[where - job.axis.first_bin] = shares / SHARES
            np.testing.assert_array_equal(engine.levels_lots(name)[tier], cells)
            for fate in ("opened", *FATES):
                assert getattr(engine.stats, fate)[side, tier] == accounts[name, leverage][fate], (name, leverage, fate)


@pytest.fixture(scope="module")
def job() -> Job:
    """Job J, a million trades; engines of its beginning are found right by plain Python."""
    whole = jobs.job_j(TRADES)
    check_plain(whole.first(PLAIN_TRADES))
    return whole


@pytest.fixture(scope="module")
def same_as_one_by_one(job: Job) -> Callable[[Job, lq.Engine], None]:
    """Return a check: the same windows, accounts and book as of an engine that was fed one trade a call."""
    rows = feeding.rows_of(job)
    known: dict[int, lq.Engine] = {}

    def check(part: Job, engine: lq.Engine) -> None:
        n = len(part)
        if n not in known:
            known[n] = feeding.one_by_one(part, rows[:n])
        feeding.check_same(engine, known[n])
        assert engine.stats.used == n
        assert not engine.stats.imbalance().any()

    return check


Check = Callable[[Job, lq.Engine], None]


@WHOLE
def test_batch_windows_only(timed: Timed, job: Job, same_as_one_by_one: Check) -> None:
    timed(
        lambda: feeding.feed(job),
        lambda engine: same_as_one_by_one(job, engine),
        of=len(job),
        event="trade",
        on=job.description,
    )


@WHOLE
@pytest.mark.parametrize("exponent", [0.0, 0.5, 0.7])
def test_batch_by_presence(timed: Timed, job: Job, exponent: float) -> None:
    """By time at price, and by mixtures of it and volume."""
    present = replace(job, exponent=exponent)
    expected = feeding.one_by_one(present, feeding.rows_of(present))
    timed(
        lambda: feeding.feed(present),
        lambda engine: feeding.check_same(engine, expected),
        of=len(present),
        event="trade",
        on=f"{present.description}; presence of exponent {exponent:g}",
    )


@WHOLE
def test_batch_into_columns(timed: Timed, job: Job) -> None:
    """A column has to be the book of an engine that stopped there, and what was liquidated has to add up."""
    weights, whole = np.asarray(job.profile.weights), feeding.feed(job)
    ends = (job.ts // job.window_ns + 1) * job.window_ns

    def check(columns: feeding.Columns) -> None:
        long, short, liquidated = columns
        assert long.shape[0] == short.shape[0] == liquidated.shape[0] == job.windows
        for window in (0, job.windows // 3, job.windows - 1):
            until = int(np.searchsorted(ends, (job.ts[0] // job.window_ns + window + 1) * job.window_ns, side="right"))
            book = feeding.layers(feeding.feed(job.first(until))).reshape(2, len(job.tiers), -1)
            for side, column in enumerate((long[window], short[window])):
                expected = (weights[:, None] * (book[side] * job.lot_size)).sum(axis=0)
                assert column.any()
                np.testing.assert_allclose(column[column > 0], expected[expected > 0], rtol=1e-6)
        taken = (weights * whole.stats.liquidated).sum() * job.lot_size
        np.testing.assert_allclose(liquidated.sum(dtype=np.float64), taken, rtol=1e-6)

    timed(lambda: feeding.columns(job), check, of=len(job), event="trade", on=job.description)


@PART
def test_1000_trades_a_call(timed: Timed, job: Job, same_as_one_by_one: Check) -> None:
    part = job.first(CALLS)
    timed(
        lambda: feeding.feed(part, 1_000),
        lambda engine: same_as_one_by_one(part, engine),
        of=len(part),
        event="trade",
        on=part.description,
    )


def time_single(timed: Timed, part: Job, on: str) -> None:
    """Time one trade a call, from Python numbers; a batch has to give the same."""
    rows, batch = feeding.rows_of(part), feeding.feed(part)
    timed(
        lambda: feeding.one_by_one(part, rows),
        lambda engine: feeding.check_same(engine, batch),
        of=len(part),
        event="trade",
        on=on,
    )


@PART
def test_single_trades(timed: Timed, job: Job) -> None:
    part = job.first(CALLS)
    time_single(timed, part, part.description)


@PART
def test_single_trades_in_windows_of_a_second(timed: Timed, job: Job) -> None:
    """200 trades a second, as bench/live.py has them in C++: a window closes once in 200 calls."""
    part = job.first(CALLS)
    part = replace(part, ts=jobs.at_rate(part.ts, 200.0), window_ns=jobs.SECOND)
    time_single(timed, part, f"{part.description}, 200 trades a second")
