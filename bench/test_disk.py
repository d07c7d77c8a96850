"""From Parquet files on disk to a heatmap: what reading costs, what the engine, and both; and how much memory."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd

import jobs
import liqcore as lq
from report import Report, Row, Table, interleave

REPEATS = 5
GROUP = 1_000_000
CODECS = ("LZ4_RAW", "ZSTD", "UNCOMPRESSED")
MEMORY_FILES = 12  # of two million rows each, with the default length of job J


def write(path: Path, job: jobs.Job, codec: str, shift: int = 0) -> Path:
    """Write job J's trades in the fast layout of docs/reference/formats.md, `shift` nanoseconds later."""
    table = pd.DataFrame({"ts": job.ts + shift, "price": job.price, "qty": job.qty, "taker_sell": job.taker_sell})
    options = {"compression": codec, "has_nulls": False, "write_index": False, "stats": ["ts"]}
    fastparquet.write(str(path), table, row_group_offsets=GROUP, **options)
    return path


def through(job: jobs.Job, path: Path, prefetch: bool = False) -> lq.Engine:
    """Feed a file to a fresh engine."""
    engine = job.engine()
    for batch in lq.read_trades(path, prefetch=prefetch):
        engine.trades(batch.ts, batch.price, batch.qty, batch.taker_sell)
    return engine


def peak_mb(paths: list[Path]) -> float:
    """Return the peak resident memory of a fresh process that makes a heatmap of files, MB; Linux only."""
    code = (  # not ru_maxrss, which begins with what the process had that started this one
        "import sys, warnings; warnings.simplefilter('ignore'); import liqcore as lq; "
        "lq.heatmap(sys.argv[1:], window='1h'); print(open('/proc/self/status').read())"
    )
    command = [sys.executable, "-c", code, *map(str, paths)]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(found.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def test_disk(benchmark: Any, report: Report, tmp_path: Path) -> None:
    """Read alone, engine alone, both; the engine's state is that of the trades in memory."""
    job = jobs.job_j()
    files = {codec: write(tmp_path / f"BTC-{codec}.parquet", job, codec) for codec in CODECS}

    def engine_alone() -> lq.Engine:
        engine = job.engine()
        for first in range(0, len(job), GROUP):
            part = slice(first, first + GROUP)
            engine.trades(job.ts[part], job.price[part], job.qty[part], job.taker_sell[part])
        return engine

    def read_alone(codec: str) -> Callable[[], int]:
        return lambda: sum(len(batch) for batch in lq.read_trades(files[codec]))

    expected = engine_alone()
    for codec, path in files.items():
        for prefetch in (False, True):
            found = through(job, path, prefetch)
            assert found.stats == expected.stats, f"{codec}: other accounts, not timed"
            np.testing.assert_array_equal(found.levels_lots("long"), expected.levels_lots("long"), err_msg=codec)

    runs: dict[str, Callable[[], object]] = {"liqcore, arrays to book": engine_alone}
    for codec in CODECS:
        runs[f"liqcore, {codec} to batches"] = read_alone(codec)
    for codec in CODECS:
        runs[f"liqcore, {codec} to book"] = lambda path=files[codec]: through(job, path)  # type: ignore[misc]
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    wall: dict[bool, list[float]] = {False: [], True: []}

    def one_round() -> None:
        for name, times in interleave(runs, 1).items():
            seconds[name] += times
        for prefetch, times in wall.items():
            start = time.perf_counter()
            through(job, files["LZ4_RAW"], prefetch)
            times.append(time.perf_counter() - start)

    benchmark.pedantic(one_round, rounds=REPEATS, iterations=1)
    table = Table("From disk", f"job J in Parquet files, row groups of {GROUP:,}; {job.description}", len(job), "trade")
    table.rows = [Row(name, name.rpartition(", ")[2], times) for name, times in seconds.items()]
    ahead, plain = statistics.median(wall[True]), statistics.median(wall[False])
    table.notes.append(
        f"By the clock on the wall, LZ4_RAW to book: {len(job) / plain / 1e6:.0f} M trades/s, read ahead in a thread "
        f"{len(job) / ahead / 1e6:.0f} ({plain / ahead:.2f}x); the rows above are processor time of one thread."
    )
    report.tables.append(table)
    benchmark.extra_info.update(table.as_dict())


def test_memory(benchmark: Any, report: Report, tmp_path: Path) -> None:
    """Peak resident memory of a heatmap of one file, and of many."""
    job = jobs.job_j()
    span = int(job.ts[-1] - job.ts[0]) + 1
    files = [write(tmp_path / f"BTC-{n:03}.parquet", job, "LZ4_RAW", n * span) for n in range(MEMORY_FILES)]
    peaks: list[float] = []
    benchmark.pedantic(lambda: peaks.extend([peak_mb(files[:1]), peak_mb(files)]), rounds=1, iterations=1)
    one, many = peaks
    table = Table("Memory from disk", f"job J, {len(job):,} trades a file, LZ4_RAW", len(job), "trade")
    table.notes.append(
        f"A heatmap of one file takes {one:.0f} MB at most, of {MEMORY_FILES} files "
        f"({len(job) * MEMORY_FILES:,} trades) {many:.0f} MB; some 75 of these are fastparquet and pandas themselves."
    )
    report.tables.append(table)
    benchmark.extra_info.update({"one_mb": one, "many_mb": many})
