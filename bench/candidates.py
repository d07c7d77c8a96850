"""liqcore on a job, its answer in the peers' terms, and who is timed on which job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import liqcore_bench_native as native
import numpy as np

import jobs
import peers
from feeding import columns, feed, layers
from jobs import Floats, Job
from measure import Candidate

CALL_ROWS = 1_000
COLUMNS = "consumes levels, columns"
BOOK = "consumes levels, no columns"
PLAIN = "plain histogram (easier)"
READING = "reads memory"
READ_BYTES = 2**28


def answer(job: Job, rows: int | None = None, threads: int = 1) -> peers.Answer:
    """Return what liqcore answers; nothing here is timed."""
    engine = feed(job, rows, threads=threads)
    accounts = np.array([getattr(engine.stats, name).ravel() for name in peers.ACCOUNTS])
    tiers = len(job.tiers)
    accounts[peers.OPENED, 1:tiers] = accounts[peers.OPENED, tiers + 1 :] = 0.0  # each side's, said once by the peers
    heatmap = engine.heatmap(step=job.axis.step, unit="quantity")
    first = round((heatmap.prices[0] - job.axis.low) / job.axis.step)  # pictures show only rows that were used
    rows_shown = slice(first, first + heatmap.prices.size)
    long, short, liquidated = (np.zeros((job.windows, job.axis.size), np.float32) for _ in range(3))
    long[:, rows_shown], short[:, rows_shown], liquidated[:, rows_shown] = (
        heatmap.long,
        heatmap.short,
        heatmap.liquidated,
    )
    return peers.Answer(long, short, liquidated, layers(engine), accounts)


def compare(job: Job, got: peers.Answer, expected: peers.Answer, who: str) -> None:
    """Compare every cell of all columns, all layers and all accounts, to the last bit."""
    for name in ("long", "short", "liquidated", "layers", "accounts"):
        np.testing.assert_array_equal(
            getattr(got, name), getattr(expected, name), err_msg=f"job {job.name}, {who}: wrong {name}, not timed"
        )


def compare_all(job: Job, projected: peers.Projected) -> None:
    """Compare the answers of everybody who is timed on a job."""
    ours = answer(job)
    compare(job, answer(job, CALL_ROWS), ours, f"calls of {CALL_ROWS}")
    compare(job, answer(job, threads=2), ours, "two threads")
    np.testing.assert_array_equal(plain_loop(job), ours.layers, err_msg="C++ loop: wrong levels, not timed")
    histogram = peers.numpy_histogram(job, projected)
    if peers.HAS_NUMBA:
        for by_table in (False, True):
            compare(job, peers.numba_loop(job, by_table=by_table), ours, f"numba loop, by_table={by_table}")
            book = peers.numba_loop(job, by_table=by_table, columns=False).layers
            np.testing.assert_array_equal(book, ours.layers, err_msg="numba loop, book only: wrong, not timed")
        np.testing.assert_array_equal(peers.numba_histogram(job), histogram, err_msg="numba histogram: wrong")
    if peers.HAS_FAST_HISTOGRAM:
        np.testing.assert_array_equal(peers.fast_histogram(job, projected), histogram, err_msg="fast-histogram: wrong")
    if peers.HAS_BOOST_HISTOGRAM:
        for rows in (None, 65_536):
            filled = peers.boost_histogram_fill(job, projected, rows)
            np.testing.assert_array_equal(filled, histogram, err_msg="boost-histogram: wrong, not timed")


def everybody(job: Job, projected: peers.Projected) -> list[Candidate]:
    """Return every candidate that is installed."""
    out = [
        Candidate("liqcore, one call", COLUMNS, lambda: columns(job)),
        Candidate("liqcore, one call, two threads", COLUMNS, lambda: columns(job, threads=2), threads=2),
        Candidate(f"liqcore, calls of {CALL_ROWS:,}", COLUMNS, lambda: columns(job, CALL_ROWS)),
    ]
    if peers.HAS_NUMBA:
        out.append(Candidate("numba loop", COLUMNS, lambda: peers.numba_loop(job)))
        out.append(Candidate("numba loop, table of levels", COLUMNS, lambda: peers.numba_loop(job, by_table=True)))
    out.append(Candidate("liqcore, windows only", BOOK, lambda: feed(job)))
    if peers.HAS_NUMBA:
        out.append(Candidate("numba loop, book only", BOOK, lambda: peers.numba_loop(job, columns=False)))
        out.append(
            Candidate(
                "numba loop, table of levels, book only",
                BOOK,
                lambda: peers.numba_loop(job, by_table=True, columns=False),
            )
        )
    out.append(Candidate("C++ loop, book only", BOOK, lambda: plain_loop(job)))
    if peers.HAS_NUMBA:
        out.append(Candidate("numba histogram", PLAIN, lambda: peers.numba_histogram(job)))
    if peers.HAS_BOOST_HISTOGRAM:
        out.append(Candidate("boost-histogram", PLAIN, lambda: peers.boost_histogram_fill(job, projected)))
        out.append(
            Candidate(
                "boost-histogram, 65,536 trades a fill",
                PLAIN,
                lambda: peers.boost_histogram_fill(job, projected, 65_536),
            )
        )
    if peers.HAS_FAST_HISTOGRAM:
        out.append(Candidate("fast-histogram", PLAIN, lambda: peers.fast_histogram(job, projected)))
    out.append(Candidate("numpy.histogram2d", PLAIN, lambda: peers.numpy_histogram(job, projected)))
    return out


def readers() -> list[Candidate]:
    """Return what this machine can read at most, with one thread and with two."""
    values = np.ones(READ_BYTES // 8, np.uint64)
    halves = np.split(values, 2)
    pool = ThreadPoolExecutor(2)
    return [
        Candidate("reading, C++", READING, lambda: native.read(values)),
        Candidate("reading, numpy xor-reduce", READING, lambda: np.bitwise_xor.reduce(values)),
        Candidate("reading, C++, two threads", READING, lambda: list(pool.map(native.read, halves)), threads=2),
    ]


def setup(job: Job) -> native.Setup:
    """Return the job's terms for the C++ side."""
    return native.Setup(
        tick_size=job.tick_size,
        lot_size=job.lot_size,
        mmr=jobs.MMR,
        low_tick=job.axis.low_tick,
        ticks_per_bin=job.axis.ticks_per_bin,
        bins=job.axis.size,
        window_ns=job.window_ns,
        tiers=list(job.tiers),
    )


def plain_loop(job: Job) -> Floats:
    """Run the straightforward C++ loop: the live book after the last trade."""
    return np.asarray(native.loop(setup(job), job.factors.tolist(), job.ticks, job.lots, job.taker_sell))
