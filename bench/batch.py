"""Years at once: jobs J and J5 through liqcore's arrays and through its peers, and the hostile job where we lose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import candidates
import feeding
import jobs
import peers
from measure import ROUNDS, Candidate, Figure, ratios, rotate
from report import Report, Table, progress

KEEP = 64  # closed windows of the hostile job; all of them would fill the memory: each has accounts for 250 layers
BYTES = 17  # price, quantity and side of a trade; times can be searched instead of read
BYTES_WITH_TIMES = 25
LEAST_GAIN = 1.1  # of reading with two threads; with less, somebody else has the second core


def measure(report: Report) -> None:
    """Measure the three jobs; goals are those of job J."""
    table = _measure_job(report, jobs.job_j(), ROUNDS)
    _judge(report, table)
    _measure_job(report, jobs.job_j5(), 5)
    _measure_hostile(report)


def _measure_job(report: Report, job: jobs.Job, rounds: int) -> Table:
    progress(f"  job {job.name}: {len(job):,} trades, comparing answers")
    projected = peers.project(job)
    candidates.compare_all(job, projected)
    readers = candidates.readers()
    everybody = candidates.everybody(job, projected)
    progress("  ... answers are equal; timing")
    inputs = (*job.columns, job.ticks, job.lots, projected.windows, *projected.levels)
    rotate([*readers, *everybody], rounds, lambda: [values.max() for values in inputs])
    by_name = {candidate.name: candidate for candidate in everybody}
    ours = by_name["liqcore, one call"]
    table = Table(
        f"Job {job.name}, batch",
        job.description,
        len(job),
        everybody,
        {
            candidates.COLUMNS: ours,
            candidates.PLAIN: ours,
            candidates.BOOK: by_name["liqcore, windows only"],
        },
    )
    report.tables.append(table)
    reading = Table(
        f"Reading {candidates.READ_BYTES / 2**20:.0f} MiB, between the candidates of job {job.name}",
        "whole numbers in memory",
        candidates.READ_BYTES // 8,
        readers,
        event="number",
    )
    report.tables.append(reading)
    one, two = _fastest(readers, 1), _fastest(readers, 2)
    for who, reader in (("one thread", one), ("two threads", two)):
        rate = candidates.READ_BYTES / Figure.of(reader.seconds).median
        report.bandwidth[f"{who}, job {job.name}"] = rate
        reading.notes.append(f"{reader.name}: {rate / 1e9:.1f} GB/s.")
    shares = {size: _share(ours, one, len(job) * size) for size in (BYTES, BYTES_WITH_TIMES)}
    table.notes += [
        "Columns means the live longs, live shorts and what was liquidated, by window and bin. Windows only stops at "
        "the segments from which any column, profile or map is folded later; the loops' book only keeps the last book.",
        "Peers get whole ticks and lots, and the histograms projected levels, made beforehand; liqcore checks and "
        "converts the venue's floats inside its time.",
        f"liqcore with columns takes {shares[BYTES].median:.0%} of the read bandwidth of one thread, counting "
        f"{BYTES} bytes a trade (price, quantity, side), or {shares[BYTES_WITH_TIMES].median:.0%}, counting "
        f"{BYTES_WITH_TIMES} (times as well).",
    ]
    return table


def _fastest(readers: list[Candidate], threads: int) -> Candidate:
    return min(
        (reader for reader in readers if reader.threads == threads), key=lambda reader: Figure.of(reader.seconds).median
    )


def _share(ours: Candidate, reader: Candidate, size: int) -> Figure:
    """Bytes a second of ours over those of the reader, turn by turn."""
    needed = size / candidates.READ_BYTES  # how often the reader would have to run to read as much
    return Figure.of(needed * read / took for read, took in zip(reader.seconds, ours.seconds, strict=True))


def _judge(report: Report, table: Table) -> None:
    by_name = {candidate.name: candidate for candidate in table.candidates}
    readers = list(report.tables[-1].candidates)
    one, two = _fastest(readers, 1), _fastest(readers, 2)
    ours, goals = by_name["liqcore, one call"], report.goals
    if "numba loop" in by_name:
        against_table = ratios(by_name["numba loop, table of levels"], ours)
        goals["loop"].measured(
            ratios(by_name["numba loop"], ours),
            f"both with columns; {against_table.median:.1f}x a numba loop with a table of levels by price",
        )
    else:
        goals["loop"].reason = "numba is not installed"
    fills = [candidate for candidate in table.candidates if candidate.name.startswith("boost-histogram")]
    if fills:
        best = min(fills, key=lambda candidate: Figure.of(candidate.seconds).median)
        goals["histogram"].measured(ratios(best, ours), f"{best.name}: an easier job, nothing is consumed")
    else:
        goals["histogram"].reason = "boost-histogram is not installed"
    with_times = _share(ours, one, table.events * BYTES_WITH_TIMES)
    goals["bandwidth"].measured(
        _share(ours, one, table.events * BYTES),
        f"{BYTES} bytes a trade, of {report.bandwidth['one thread, job J'] / 1e9:.1f} GB/s; {with_times.median:.0%} "
        f"with times ({BYTES_WITH_TIMES} bytes)",
    )
    gain = ratios(one, two).median
    if gain < LEAST_GAIN:
        goals["threads"].reason = f"the second core was not free, two threads read {gain:.2f}x as fast as one"
    else:
        goals["threads"].measured(
            ratios(ours, by_name["liqcore, one call, two threads"]),
            f"with columns; reading gains {gain:.2f}x in the same run, and the goal is the lesser",
            min(goals["threads"].wanted, gain),
        )


def _measure_hostile(report: Report) -> None:
    job = jobs.hostile()
    progress("  hostile job")
    if peers.HAS_NUMBA:
        few = job.first(900)
        candidates.compare(few, peers.numba_loop(few), candidates.answer(few), "first 900 trades, all columns")
    engine = feeding.feed(job, keep=KEEP)
    ours = Candidate("liqcore, windows only", candidates.BOOK, lambda: feeding.feed(job, keep=KEEP))
    rivals = [
        ours,
        Candidate(
            f"liqcore, calls of {candidates.CALL_ROWS:,}, windows only",
            candidates.BOOK,
            lambda: feeding.feed(job, candidates.CALL_ROWS, keep=KEEP),
        ),
        Candidate(
            "liqcore, one window of a day",
            candidates.BOOK,
            lambda: feeding.feed(replace(job, window_ns=86_400 * jobs.SECOND)),
        ),
        Candidate("C++ loop, book only", candidates.BOOK, lambda: candidates.plain_loop(job)),
    ]
    np.testing.assert_array_equal(candidates.plain_loop(job), feeding.layers(engine), err_msg="hostile: C++ loop")
    if peers.HAS_NUMBA:
        loop = peers.numba_loop(job, columns=False)
        np.testing.assert_array_equal(loop.layers, feeding.layers(engine), err_msg="hostile: numba loop, not timed")
        np.testing.assert_array_equal(engine.stats.liquidated.ravel(), loop.accounts[peers.LIQUIDATED])
        rivals.append(Candidate("numba loop, book only", candidates.BOOK, lambda: peers.numba_loop(job, columns=False)))
    rotate(rivals, 5)
    report.tables.append(
        Table(
            "Hostile job: where we are worst",
            job.description,
            len(job),
            rivals,
            {candidates.BOOK: ours},
            notes=[
                f"liqcore writes a segment a window ({job.windows:,} of them, {KEEP} kept) and folds the older ones; "
                "the loops keep nothing but the last book. The third row shows what windows cost."
            ],
        )
    )
