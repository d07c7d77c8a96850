"""What needs no second pass: another leverage profile from the windows, other tiers from stored footprints."""

from __future__ import annotations

import numpy as np

import candidates
import jobs
import liqcore as lq
from jobs import Job
from measure import Candidate, ratios, rotate
from report import Report, Table

SHARES = {10.0: 0.4, 25.0: 0.3, 50.0: 0.15, 75.0: 0.1, 100.0: 0.05}
FEWER = 8  # times
FROM_WINDOWS, FROM_TRADES = "windows to columns", "trades to columns"


def measure(report: Report) -> None:
    """Measure what is taken from windows and from footprints."""
    _measure_profile(report, jobs.job_j(), jobs.job_j(jobs.wanted_trades() // FEWER))
    report.goals["footprints"].reason = "this version stores no footprints"


def _measure_profile(report: Report, job: Job, small: Job) -> None:
    """Read the same windows with other shares: the same bits as a new pass, in a time that trades hardly matter for."""
    profile = lq.LeverageProfile(SHARES)

    def picture(windows: lq.Heatmap) -> tuple[np.ndarray, ...]:
        again = lq.Heatmap(windows._history, profile, step=job.axis.step, unit="quantity")
        return again.long, again.short, again.liquidated

    def fed_anew() -> tuple[np.ndarray, ...]:
        window = np.timedelta64(job.window_ns, "ns")
        engine = lq.Engine(job.instrument, leverage=profile, axis=job.axis, window=window, half_life=None)
        engine.trades(*job.columns)
        return picture(engine.heatmap(step=job.axis.step, unit="quantity"))

    of_all, of_few = (candidates.feed(j).heatmap(step=j.axis.step, unit="quantity") for j in (job, small))
    for ours, expected in zip(picture(of_all), fed_anew(), strict=True):
        np.testing.assert_array_equal(ours, expected, err_msg="another profile: wrong, not timed")
    windows = Candidate("from the windows", FROM_WINDOWS, lambda: picture(of_all))
    few = Candidate(f"from as many windows of {len(small):,} trades", FROM_WINDOWS, lambda: picture(of_few))
    anew = Candidate("from the trades", FROM_TRADES, fed_anew)
    rotate([windows, few, anew])
    report.tables.append(
        Table(
            "Another leverage profile, same tiers",
            job.description,
            len(job),
            [windows, few, anew],
            {FROM_WINDOWS: windows, FROM_TRADES: windows},
        )
    )
    report.goals["profile"].measured(
        ratios(windows, few),
        f"equal to a pass over the trades to the last bit, and {ratios(anew, windows).median:.1f}x as fast; the trades "
        "are not at hand where it is computed",
    )
