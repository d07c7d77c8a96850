"""One trade at a time: the tail in C++, and what a call from Python costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import liqcore_bench_native as native
import numpy as np

import candidates
import feeding
import jobs
import liqcore as lq
import peers
from jobs import Floats, Ints, Job
from measure import Candidate, Figure, rotate
from report import Report, Table

PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
RUNS = 5
PER_SECOND = 200.0  # a busy market: windows of a second change once in 200 trades, so that they are in the tail
CALLS = 1_000_000
THROUGHPUT_TRADES = 2_000_000


def measure(report: Report) -> None:
    """Measure the tail in C++, the throughput of the per-trade path, and calls from Python."""
    job = replace(jobs.job_j(), window_ns=jobs.SECOND)
    _measure_tail(report, job)
    _measure_throughput(report, job.first(THROUGHPUT_TRADES))
    _measure_calls(report, jobs.job_j().first(CALLS))


def _measure_tail(report: Report, job: Job) -> None:
    lines = ["| trades | calls | p50 | p99 | p99.9 | max |", "|---|---|---|---|---|---|"]
    data: dict[str, dict[str, list[float]]] = {}
    clocks: list[float] = []
    for what, ts in (
        (f"{PER_SECOND:.0f} a second", jobs.at_rate(job.ts, PER_SECOND)),
        ("at their own times", job.ts),
    ):
        closing = np.zeros(ts.size, np.bool_)
        closing[1:] = np.diff(ts // job.window_ns) != 0
        found: dict[str, list[list[float]]] = {"all": [], "in a window": []}
        for _ in range(RUNS):
            took, clock = _latency(job, ts)
            clocks.append(clock)
            for name, part in (("all", took), ("in a window", took[~closing])):
                found[name].append([float(x) for x in np.percentile(part, list(PERCENTILES.values()))])
        for name, runs in found.items():
            by_percentile = dict(zip(PERCENTILES, map(list, zip(*runs, strict=True)), strict=True))
            data[f"{what}, {name}"] = by_percentile
            cells = [f"{Figure.of(values).median:,.0f}" for values in by_percentile.values()]
            calls = "all" if name == "all" else f"the {1 - closing.mean():.1%} that end no window"
            lines.append(f"| {what} | {calls} | {' | '.join(cells)} |")
    clock = Figure.of(clocks).median
    text = (
        f"Nanoseconds of single calls of `Engine::trade` over the {len(job):,} trades of job J with windows of a "
        f"second ({job.source}), medians of {RUNS} runs. The clock ({native.clock}, with fences) costs {clock:.1f} ns, "
        "which is subtracted. Maxima are mostly the machine's interruptions.\n\n" + "\n".join(lines)
    )
    report.sections["Live, in C++: the tail"] = text
    report.data["latency_ns"] = {"clock_ns": clock, "trades": len(job), "runs": data}
    for name in ("p50", "p99", "p99.9"):
        own = Figure.of(data["at their own times, all"][name]).median
        report.goals[name].measured(
            Figure.of(data[f"{PER_SECOND:.0f} a second, all"][name]),
            f"{len(job):,} trades at {PER_SECOND:.0f} a second, {native.clock}, its {clock:.0f} ns subtracted; "
            f"{own:,.0f} ns at their own times",
        )


def _latency(job: Job, ts: Ints) -> tuple[Floats, float]:
    took, clock = native.latency(candidates.setup(job), ts, job.price, job.qty, job.taker_sell)
    return took, clock


def _measure_throughput(report: Report, job: Job) -> None:
    def one_by_one() -> Floats:
        return np.asarray(native.trade_by_trade(candidates.setup(job), *job.columns))

    np.testing.assert_array_equal(one_by_one(), feeding.layers(feeding.feed(job)), err_msg="one by one: wrong")
    np.testing.assert_array_equal(one_by_one(), candidates.plain_loop(job), err_msg="C++ loop: wrong, not timed")
    does = "one trade at a time"
    ours = Candidate("liqcore::Engine::trade, windows of a second", does, one_by_one)
    rivals = [ours, Candidate("C++ loop, no windows", does, lambda: candidates.plain_loop(job))]
    rotate(rivals)
    report.tables.append(Table("Live, in C++: throughput", job.description, len(job), rivals, {does: ours}))


def _measure_calls(report: Report, job: Job) -> None:
    rows = feeding.rows_of(job)

    def empty_calls() -> None:
        trade = native.Empty().trade
        for ts, price, qty, taker_sell in rows:
            trade(ts, price, qty, taker_sell)

    ways: dict[str, Callable[[], lq.Engine]] = {
        "Engine.trade, one a call": lambda: feeding.one_by_one(job, rows),
        "Engine.trades, 10 a call": lambda: feeding.feed(job, 10),
        "Engine.trades, 1,000 a call": lambda: feeding.feed(job, 1_000),
        "Engine.trades, all in one call": lambda: feeding.feed(job),
    }
    through_pointer = _through_pointer(job)
    if through_pointer is None:
        report.goals["pointer"].reason = "needs numba"
    else:
        ways["liq_engine_trade, from numba"] = through_pointer
    expected = ways["Engine.trades, all in one call"]()
    for name, way in ways.items():
        engine = way()
        assert engine.stats == expected.stats, f"{name}: other accounts, not timed"
        np.testing.assert_array_equal(feeding.layers(engine), feeding.layers(expected), err_msg=f"{name}: wrong")
    rivals = [Candidate(name, "feeds an engine", way) for name, way in ways.items()]
    rotate([*rivals, empty := Candidate("a pybind11 method that does nothing", "nothing", empty_calls)])
    report.tables.append(
        Table(
            "Calls from Python",
            job.description,
            len(job),
            [*rivals, empty],
            notes=["Making the engine is inside each run, and so is the loop over the rows."],
        )
    )
    by_name = {candidate.name: Figure.of(s / len(job) * 1e9 for s in candidate.seconds) for candidate in rivals}
    nothing = Figure.of(s / len(job) * 1e9 for s in empty.seconds).median
    report.goals["python"].measured(
        by_name["Engine.trade, one a call"], f"of which {nothing:,.0f} ns is the loop and a call that does nothing"
    )
    report.goals["python_1000"].measured(by_name["Engine.trades, 1,000 a call"], "")
    if through_pointer is not None:
        report.goals["pointer"].measured(by_name["liq_engine_trade, from numba"], "the engine's making is in it")


def _through_pointer(job: Job) -> Callable[[], lq.Engine] | None:
    """Return a run that calls the C function from a compiled loop; None where numba is missing."""
    if not peers.HAS_NUMBA:
        return None
    import numba

    trade = lq.cfunc("liq_engine_trade")

    def loop(handle: int, ts: Ints, price: Floats, qty: Floats, taker_sell: jobs.Bools) -> None:
        for i in range(ts.size):
            trade(handle, ts[i], price[i], qty[i], taker_sell[i])

    compiled = cast(Callable[..., None], numba.njit(loop))

    def run() -> lq.Engine:
        engine = job.engine()
        compiled(engine.ptr, *job.columns)
        return engine

    return run
