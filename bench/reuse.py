"""What needs no second pass: another leverage profile from the windows, other tiers from stored footprints."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

import feeding
import jobs
import liqcore as lq
from files import write_store
from jobs import Job
from liqcore.history.view import whole_view
from measure import Candidate, ratios, rotate
from report import FOLDER, Report, Table

SHARES = {10.0: 0.4, 25.0: 0.3, 50.0: 0.15, 75.0: 0.1, 100.0: 0.05}
FEWER = 8  # times
FROM_WINDOWS, FROM_TRADES = "windows to columns", "trades to columns"
OTHER_TIERS = {5.0: 0.4, 20.0: 0.4, 40.0: 0.2}
WINDOW = "2h"  # about as many windows as job J has; footprints are cut at minutes, so not quite its own
OTHER = "other tiers, windows only"


def measure(report: Report) -> None:
    """Measure what is taken from windows and from footprints."""
    _measure_profile(report, jobs.job_j(), jobs.job_j(jobs.wanted_trades() // FEWER))
    _measure_footprints(report, jobs.job_j())


def _measure_profile(report: Report, job: Job, small: Job) -> None:
    """Read the same windows with other shares: the same bits as a new pass, in a time that trades hardly matter for."""
    profile = lq.LeverageProfile(SHARES)

    def picture(windows: lq.Heatmap) -> tuple[np.ndarray, ...]:
        histories = windows._shown.histories.reweighed(profile)
        again = lq.Heatmap(histories, whole_view(histories, step=job.axis.step, unit="quantity"))
        return again.long, again.short, again.liquidated

    def fed_anew() -> tuple[np.ndarray, ...]:
        window = np.timedelta64(job.window_ns, "ns")
        engine = lq.Engine(job.instrument, leverage=profile, axis=job.axis, window=window, half_life=None)
        engine.trades(*job.columns)
        return picture(engine.heatmap(step=job.axis.step, unit="quantity"))

    of_all, of_few = (feeding.feed(j).heatmap(step=j.axis.step, unit="quantity") for j in (job, small))
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


def _measure_footprints(report: Report, job: Job) -> None:
    """Other tiers from stored footprints: the same windows as from the ticks, without them."""

    def engine() -> lq.Engine:
        return lq.Engine(job.instrument, leverage=OTHER_TIERS, axis=job.axis, window=WINDOW, half_life=None)

    def from_ticks() -> lq.Engine:
        fed = engine()
        for batch in lq.read_trades(store):
            fed.trades(batch.ts, batch.price, batch.qty, batch.taker_sell)
        return fed

    def from_trades() -> lq.Engine:
        fed = engine()
        fed.trades(*job.columns)
        return fed

    def from_stream(stream: lq.FootprintStream) -> lq.Engine:
        fed = engine()
        fed.replay(stream)
        return fed

    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        store, saved = Path(folder) / "ticks.parquet", Path(folder) / "footprints.parquet"
        write_store(job, store)
        stream = lq.footprints(trades=lq.TradeBatch(*job.columns), instrument=job.instrument)
        stream.save(saved)
        ways: dict[str, Callable[[], lq.Engine]] = {
            "from the ticks' file": from_ticks,
            "from trades in memory": from_trades,
            "from the footprints' file": lambda: from_stream(lq.load_footprints(saved)),
            "from footprints in memory": lambda: from_stream(stream),
        }
        expected = from_trades().segments()
        for way, run in ways.items():
            assert run().segments() == expected, f"{way}: other windows, not timed"
        ticks, trades, loaded, replayed = rivals = [Candidate(way, OTHER, run) for way, run in ways.items()]
        rotate(rivals)
        sizes = store.stat().st_size, saved.stat().st_size
    report.tables.append(
        Table(
            "Other tiers from stored footprints",
            job.description,
            len(job),
            rivals,
            {OTHER: loaded},
            notes=[
                f"Runs of at most {stream.span_bps:g} basis points and one minute: {len(stream):,} runs, "
                f"{len(stream.tick):,} entries, {len(job) / len(stream.tick):.1f} trades an entry; "
                f"{sizes[1] / 1e6:.1f} MB on disk against {sizes[0] / 1e6:.1f} MB of ticks."
            ],
        )
    )
    report.goals["footprints"].measured(
        ratios(ticks, loaded),
        f"file against file; footprints in memory to the ticks' file {ratios(ticks, replayed).median:.1f}x, to trades "
        f"in memory {ratios(trades, replayed).median:.1f}x",
    )
