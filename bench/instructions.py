"""Instructions a trade, counted by callgrind: they show changes that a noisy clock hides."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import jobs
from jobs import Job
from report import ROOT, Report

PROGRAM = ROOT / "build" / "release" / "bench" / "cpp" / "liqcore_bench_instructions"
TRADES = 200_000
KERNELS = {
    "batch": "liqcore, batch",
    "trade": "liqcore, one trade at a time",
    "watched_batch": "liqcore, batch, strange prints left out",
    "watched_trade": "liqcore, one trade at a time, strange prints left out",
    "loop": "C++ loop, no windows",
}
TITLE = "Instructions"


def measure(report: Report) -> None:
    """Count the kernels' instructions; the numbers say what happened where valgrind is missing."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        report.sections[TITLE] = "Not counted: valgrind is not installed."
        return
    job = jobs.job_j(TRADES)
    with tempfile.TemporaryDirectory() as folder:
        trades = Path(folder) / "trades.bin"
        _write(job, trades)
        counts = {kernel: _count(valgrind, kernel, trades) / len(job) for kernel in KERNELS}
    report.data["instructions_per_trade"] = counts
    lines = ["| kernel | instructions a trade |", "|---|---|"]
    lines += [f"| {KERNELS[kernel]} | {count:,.1f} |" for kernel, count in counts.items()]
    report.sections[TITLE] = (
        f"Counted by callgrind over {len(job):,} trades of job J in 240 windows; construction is not in it. valgrind "
        "has no AVX-512.\n\n" + "\n".join(lines)
    )


def _write(job: Job, path: Path) -> None:
    """Write what instructions.cpp reads."""
    axis = job.axis
    head = [len(job), len(job.tiers), job.tick_size, job.lot_size, jobs.MMR]
    head += [axis.low_tick, axis.ticks_per_bin, axis.size, job.window_ns, *job.tiers]
    with path.open("wb") as file:
        for column in (np.array(head, np.float64), *job.columns):
            column.tofile(file)


def _count(valgrind: str, kernel: str, trades: Path) -> int:
    done = subprocess.run(
        [
            valgrind,
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*measured*",
            str(PROGRAM),
            kernel,
            str(trades),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise RuntimeError(f"callgrind said no count: {done.stderr}")
    return int(found[1])
