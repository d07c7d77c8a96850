"""From files to a heatmap: the tick store's layout, beside polars; memory from a day to a year; zipped CSV."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import feeding
import jobs
import liqcore as lq
import peers
from files import GROUP_ROWS, write_aggtrades, write_store
from jobs import Ints, Job
from measure import Candidate, Figure, ratios, rotate
from report import FOLDER, Report, Table

ROWS = 5_000_000  # of the file that is timed
FILE_ROWS = 2_000_000  # of each file in the test of memory: one is a day, or one of a year's twelve
MONTHS = 12
CSV_ROWS = 500_000
DAY_NS = 86_400 * jobs.SECOND
PLAIN = "file to plain histogram (easier)"
DOES = {
    "liqcore": "file to columns, levels consumed",
    "liqcore, reading alone": "file to arrays",
    "polars": PLAIN,
    "polars, by tick first": PLAIN,
}
HAS_POLARS = find_spec("polars") is not None


def measure(report: Report) -> None:
    """Measure reading the tick store, its memory, and zipped CSV."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        _measure_store(report, folder)
        _measure_memory(report, folder)
        _measure_csv(report, folder)


# --- files -----------------------------------------------------------------------------------------------------------


def _terms(job: Job, path: Path) -> Path:
    """Write what the worker needs of a job."""
    axis = job.axis
    path.write_text(
        json.dumps(
            {
                "tick_size": job.tick_size,
                "lot_size": job.lot_size,
                "mmr": jobs.MMR,
                "tiers": job.tiers,
                "factors": job.factors.tolist(),
                "axis": {"low": axis.low, "high": axis.high, "step": axis.step, "tick_size": axis.tick_size},
                "first_bin": axis.first_bin,
                "bins": axis.size,
                "ticks_per_bin": axis.ticks_per_bin,
                "window_ns": job.window_ns,
                "windows": job.windows,
                "first_window": int(job.ts[0] // job.window_ns),
            }
        )
    )
    return path


class _Worker:
    """A process of disk_worker.py."""

    def __init__(self, who: str, terms: Path, files: Sequence[Path]) -> None:
        script = Path(__file__).with_name("disk_worker.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), who, str(terms), *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, line: str = "run") -> dict[str, Any]:
        """Do the job once."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker ended with {self._process.wait()}: its error is above")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def _worker(who: str, terms: Path, files: Sequence[Path]) -> Iterator[_Worker]:
    worker = _Worker(who, terms, files)
    try:
        yield worker
    finally:
        worker.close()


# --- measurements ----------------------------------------------------------------------------------------------------


def _measure_store(report: Report, folder: Path) -> None:
    job = jobs.job_j(min(ROWS, jobs.wanted_trades()))
    store, terms = folder / "trades.parquet", _terms(job, folder / "terms.json")
    write_store(job, store)
    workers = {who: _Worker(who, terms, [store]) for who in DOES if HAS_POLARS or DOES[who] != PLAIN}
    try:
        for who, worker in workers.items():
            worker.run(f"answer {folder / who}.npz")
            _check(job, who, np.load(folder / f"{who}.npz"))
        rivals = [
            Candidate(
                who,
                DOES[who],
                lambda worker=worker: float(worker.run()["processor_s"]),  # type: ignore[misc]
                elsewhere=True,
            )
            for who, worker in workers.items()
        ]
        rotate(rivals)
        for candidate, worker in zip(rivals, workers.values(), strict=True):
            candidate.peak_bytes = worker.run()["peak_bytes"]
    finally:
        for worker in workers.values():
            worker.close()
    ours = rivals[0]
    report.tables.append(
        Table(
            "Tick store to heatmap",
            f"one file of {len(job):,} rows, {store.stat().st_size / 1e6:,.0f} MB, LZ4_RAW, row groups of "
            f"{GROUP_ROWS:,}, in the page cache; {job.description}",
            len(job),
            rivals,
            {PLAIN: ours},
            event="row",
            notes=[
                "Each in a process of its own, held to one core; times are that process's processor time, all its "
                "threads together, and memory is all that it has, interpreter and libraries included."
            ],
        )
    )
    report.goals["disk"].measured(
        Figure.of(len(job) / s / 1e6 for s in ours.seconds), "processor time of a process held to one core"
    )
    if HAS_POLARS:
        against_levels, against_ticks = (ratios(rival, ours) for rival in rivals if rival.does == PLAIN)
        report.goals["polars"].measured(
            min(against_levels, against_ticks, key=lambda ratio: ratio.median),
            "the faster of its two ways, by tick first; grouping every trade's levels: "
            f"{against_levels.median:.1f}x. polars consumes nothing: an easier job",
        )
    else:
        report.goals["polars"].reason = "polars is not installed"


def _check(job: Job, who: str, got: Any) -> None:
    if DOES[who] == PLAIN:
        expected = peers.numpy_histogram(job, peers.project(job))
        np.testing.assert_array_equal(got["histogram"], expected, err_msg="polars: wrong, not timed")
        return
    if "rows" in got:
        assert got["rows"] == len(job), f"from disk: {got['rows']} rows, not timed"
        return
    engine = feeding.feed(job)
    heatmap = engine.heatmap(unit="quantity")
    np.testing.assert_array_equal(got["layers"], feeding.layers(engine), err_msg="from disk: wrong, not timed")
    for name in ("long", "short"):
        np.testing.assert_array_equal(got[name], getattr(heatmap, name), err_msg=f"from disk: wrong {name}")


def _measure_memory(report: Report, folder: Path) -> None:
    year = folder / "year"
    year.mkdir()
    files = [year / f"{month:02}.parquet" for month in range(1, MONTHS + 1)]
    base = jobs.job_j(FILE_ROWS)
    rows = np.arange(FILE_ROWS)
    for month, file in enumerate(files):
        order = rows if month % 2 == 0 else rows[::-1]  # so that the price does not jump between months
        write_store(_at(base, order, month * 30 * DAY_NS, 30 * DAY_NS), file)
    day = folder / "day.parquet"
    write_store(_at(base, rows, 0, DAY_NS), day)
    peaks = {}
    lines = ["| span | rows | windows | resident at most, MB |", "|---|---|---|---|"]
    for what, span, paths in (("a day", DAY_NS, [day]), ("a year", MONTHS * 30 * DAY_NS, files)):
        job = _at(base, rows, 0, span)
        terms = _terms(job, folder / "terms.json")
        with _worker("liqcore", terms, paths) as worker:
            peaks[what] = worker.run()["peak_bytes"] / 1e6
        lines.append(f"| {what} | {FILE_ROWS * len(paths):,} | {job.windows} | {peaks[what]:,.0f} |")
    shutil.rmtree(year)
    report.data["resident_mb"] = peaks
    report.sections["Memory from a day to a year"] = (
        "A new process reads the files, feeds them and folds all columns; everything it has counts, interpreter and "
        f"libraries included. A year is {MONTHS} files.\n\n" + "\n".join(lines)
    )
    report.goals["resident"].measured(
        Figure.of([max(peaks.values())]),
        f"a day of {FILE_ROWS:,} rows: {peaks['a day']:,.0f} MB; a year of {FILE_ROWS * MONTHS:,}: "
        f"{peaks['a year']:,.0f} MB",
    )


def _at(base: Job, order: Ints, start: int, span: int) -> Job:
    """Return the trades in another order, spread over a span of time, in 240 windows."""
    offset = base.ts[order] - base.ts[order[0]] if order[0] == 0 else base.ts[-1] - base.ts[order]
    origin = base.ts[0] // DAY_NS * DAY_NS
    ts = origin + start + (offset * (span / (int(offset[-1]) + 1))).astype(np.int64)
    return replace(
        base,
        ts=ts,
        price=base.price[order],
        qty=base.qty[order],
        taker_sell=base.taker_sell[order],
        window_ns=span // jobs.WINDOWS,
        windows=jobs.WINDOWS,
    )


def _measure_csv(report: Report, folder: Path) -> None:
    job = jobs.job_j(CSV_ROWS)
    path = folder / "BTCUSDT-aggTrades-2026-06-12.zip"
    write_aggtrades(job, path)

    def read() -> list[lq.TradeBatch]:
        with lq.read_trades(path) as reader:
            return list(reader)

    batches = read()
    for name in ("price", "qty", "taker_sell"):
        got = np.concatenate([getattr(batch, name) for batch in batches])
        np.testing.assert_array_equal(got, getattr(job, name), err_msg=f"zipped CSV: wrong {name}, not timed")
    ours = Candidate("liqcore.read_trades", "zipped CSV to arrays", read)
    rotate([ours])
    report.tables.append(
        Table(
            "Zipped CSV",
            f"one archive of Binance aggTrades, {len(job):,} rows, {path.stat().st_size / 1e6:,.1f} MB",
            len(job),
            [ours],
            event="row",
        )
    )
    rate = Figure.of(len(job) / s / 1e6 for s in ours.seconds)
    if hasattr(lq, "TickStore"):
        report.goals["csv"].reason = f"reading alone takes {rate.median:.1f} million rows/s"
    else:
        report.goals["csv"].measured(rate, "reading alone: this version has no store to write to")
