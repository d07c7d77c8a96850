"""Reading from other threads: what publishing costs, and feeding with readers beside against feeding alone."""

from __future__ import annotations

from dataclasses import replace

import liqcore_bench_native as native
import numpy as np

import candidates
import jobs
from jobs import Floats, Job
from measure import Candidate, Figure, rotate
from report import Report, Table

ROUNDS = 5
TIMES = 200
TRADES = 500_000


def measure(report: Report) -> None:
    """Measure single publications of job J's engine, and one trade at a time over job J with windows of a second."""
    still = jobs.job_j().first(TRADES)
    costs = [native.publishing(candidates.setup(still), *still.columns, TIMES) for _ in range(ROUNDS)]
    lines = ["| | ns, median (quartiles) |", "|---|---|"]
    for name in costs[0]:
        figure = Figure.of(cost[name] for cost in costs)
        lines.append(f"| {name} | {figure.median:,.0f} ({figure.low:,.0f} to {figure.high:,.0f}) |")
    report.sections["Reading from other threads: a publication"] = (
        f"Of an engine after {still.description}.\n\n" + "\n".join(lines)
    )
    report.data["publishing_ns"] = {"costs": costs}

    _measure_feed(report, still)
    _measure_feed(report, replace(still, window_ns=jobs.SECOND))


def _measure_feed(report: Report, job: Job) -> None:
    def fed(publishes: str, readers: int) -> Floats:
        return np.asarray(native.published(candidates.setup(job), *job.columns, publishes, readers))

    does = "one trade at a time"
    alone = Candidate("an engine that publishes nothing", does, lambda: fed("nothing", 0))
    rivals = [
        alone,
        Candidate("rows at windows' ends", does, lambda: fed("rows", 0)),
        Candidate("... a reader beside", does, lambda: fed("rows", 1)),
        Candidate("rows and snapshots at windows' ends", does, lambda: fed("snapshots", 0)),
        Candidate("... a reader beside", does, lambda: fed("snapshots", 1)),
        Candidate("... three readers beside", does, lambda: fed("snapshots", 3)),
    ]
    for rival in rivals[1:]:
        np.testing.assert_array_equal(rival.run(), alone.run(), err_msg=f"{rival.name}: wrong, not timed")
    rotate(rivals, ROUNDS)
    windows = int(np.unique(job.ts // job.window_ns).size)
    report.tables.append(
        Table(
            f"Reading from other threads: a feed with {windows:,} windows",
            f"{job.description}; {windows:,} windows of {job.window_ns / jobs.SECOND:,.0f} s, 600 kept",
            len(job),
            rivals,
            {does: alone},
            notes=["Processor time of the feeding thread; readers read rows and take snapshots without a pause."],
        )
    )
