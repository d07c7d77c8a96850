"""How time and memory grow with trades, tiers, bins and windows: a picture and its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import feeding
import jobs
from jobs import Job
from measure import Candidate, Figure, rotate
from report import FOLDER, Report

ROUNDS = 5
TRADES = 1_000_000  # where trades are not what grows


@dataclass(frozen=True)
class Axis:
    """One thing that grows while the rest stays as in job J."""

    name: str
    values: tuple[int, ...]
    job: Callable[[int], Job]


def _tiers(n: int) -> tuple[float, ...]:
    """Return n leverages from 5x to 100x."""
    return tuple(5 + 95 * i / max(n - 1, 1) for i in range(n))


AXES = (
    Axis("trades", (125_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000), jobs.job_j),
    Axis("tiers", (1, 2, 5, 10, 25, 50, 125), lambda n: jobs.job_j(TRADES, tiers=_tiers(n))),
    Axis(
        "bins",
        (500, 1_000, 2_000, 5_000, 10_000, 30_000),
        lambda n: jobs.job_j(TRADES, bins=n, ticks_per_bin=jobs.BINS * jobs.TICKS_PER_BIN // n),
    ),
    Axis("windows", (24, 60, 240, 1_000, 4_000, 10_000), lambda n: jobs.job_j(TRADES, windows=n)),
)


def measure(report: Report) -> None:
    """Feed and fold job J with one thing changed at a time."""
    data: dict[str, dict[str, Any]] = {}
    lines = ["| | of them | ms (quartiles) | ns a trade | peak memory, MB |", "|---|---|---|---|---|"]
    for axis in AXES:
        values = [n for n in axis.values if axis.name != "trades" or n <= jobs.wanted_trades()]
        points = [axis.job(n) for n in values]
        runs = [
            Candidate(f"{n:,}", axis.name, lambda job=job: feeding.columns(job))  # type: ignore[misc]
            for n, job in zip(values, points, strict=True)
        ]
        rotate(runs, ROUNDS)
        found = [Figure.of(run.seconds) for run in runs]
        for n, job, run, seconds in zip(values, points, runs, found, strict=True):
            memory = "" if run.peak_bytes is None else f"{run.peak_bytes / 1e6:,.0f}"
            lines.append(
                f"| {axis.name} | {n:,} | {seconds.median * 1e3:,.1f} ({seconds.low * 1e3:,.1f} to "
                f"{seconds.high * 1e3:,.1f}) | {seconds.median / len(job) * 1e9:,.1f} | {memory} |"
            )
        data[axis.name] = {
            "values": values,
            "seconds": [seconds.median for seconds in found],
            "peak_bytes": [run.peak_bytes for run in runs],
        }
    report.data["growth"] = data
    report.sections["Cost growth"] = (
        f"Feeding and folding into columns; job J, {TRADES:,} trades unless said, one thing changed at a time. Memory "
        "is what the run adds to its input.\n\n![cost growth](growth.png)\n\n" + "\n".join(lines)
    )
    _draw(data)


def _draw(data: dict[str, dict[str, Any]]) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot, ticker

    figure, rows = pyplot.subplots(2, len(data), figsize=(12, 5), sharex="col", sharey="row", layout="constrained")
    for (name, found), time, memory in zip(data.items(), rows[0], rows[1], strict=True):
        time.loglog(found["values"], [s * 1e3 for s in found["seconds"]], "o-", color="tab:blue")
        known = [(n, peak / 1e6) for n, peak in zip(found["values"], found["peak_bytes"], strict=True) if peak]
        if known:
            memory.loglog(*zip(*known, strict=True), "o-", color="tab:orange")
        memory.set_xlabel(name)
        for panel in (time, memory):
            panel.grid(alpha=0.3)
            panel.xaxis.set_minor_formatter(ticker.NullFormatter())  # they would overlap within two decades
    rows[0][0].set_ylabel("time, ms")
    rows[1][0].set_ylabel("peak memory, MB")
    figure.suptitle(
        "Job J from arrays to columns, one thing changed at a time (1 M trades, 5 tiers, 2,000 bins, 240 windows)"
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / "growth.png", dpi=90)
    pyplot.close(figure)
