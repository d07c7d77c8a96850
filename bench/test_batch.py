"""Years at once: job J through liqcore's arrays and through its peers, answers first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import candidates
import jobs
import peers
from report import BYTES_PER_TRADE, READER_BYTES, Report, Row, Table, interleave, reader

REPEATS = 7
Runs = dict[str, tuple[str, Callable[[], object]]]


@pytest.fixture(scope="module")
def job() -> jobs.Job:
    """Return job J."""
    return jobs.job_j()


@pytest.fixture(scope="module")
def runs(job: jobs.Job, report: Report) -> Runs:  # noqa: ARG001  (report refuses a build with asserts)
    """Return the candidates, after their answers were found equal."""
    one_call = candidates.answer(job, history=True)
    split = candidates.answer(job, candidates.CALL_ROWS, history=True)
    candidates.compare(job, split, one_call, f"calls of {candidates.CALL_ROWS}")
    if peers.HAS_NUMBA:
        for by_table in (False, True):
            loop = peers.numba_loop(job, by_table=by_table, history=True)
            candidates.compare(job, loop, one_call, f"numba loop, by_table={by_table}")
            book_only = peers.numba_loop(job, by_table=by_table, columns=False)
            np.testing.assert_array_equal(book_only.layers, one_call.layers)
            np.testing.assert_array_equal(book_only.accounts, one_call.accounts)
    projected = peers.project(job)
    plain = peers.numpy_histogram(job, projected)
    if peers.HAS_NUMBA:
        np.testing.assert_array_equal(peers.numba_histogram(job), plain, err_msg="numba histogram: wrong, not timed")
    if peers.HAS_BOOST_HISTOGRAM:
        filled = peers.boost_histogram_fill(job, projected)
        np.testing.assert_array_equal(filled, plain, err_msg="boost-histogram: wrong, not timed")
    return candidates.candidates(job)


def test_ratios(benchmark: Any, job: jobs.Job, runs: Runs, report: Report) -> None:
    """All candidates in turn: the table whose ratios count."""
    read = reader()
    read()
    seconds: dict[str, list[float]] = {}

    def one_round() -> None:
        in_turn = {name: run for name, (_, run) in runs.items()}
        for name, times in interleave({"read": read, **in_turn}, 1).items():
            seconds.setdefault(name, []).extend(times)

    benchmark.pedantic(one_round, rounds=REPEATS, iterations=1)
    report.bandwidths += [READER_BYTES / s for s in seconds.pop("read")]
    table = Table("Job J, batch", job.description, len(job), "trade", left_out=candidates.left_out())
    table.rows = [Row(name, runs[name][0], times) for name, times in seconds.items()]
    by_name = {row.name: row for row in table.rows}
    fed = by_name["liqcore, one call, windows only"]
    rate = len(job) * BYTES_PER_TRADE / fed.median / 1e9
    table.notes += [
        '"windows only" stops at the segments from which any column, profile or map is folded later; the same job of '
        "the numba loop keeps nothing but the last book.",
        "Peers get whole ticks and lots (histograms: projected levels) made beforehand; liqcore converts and checks "
        "the venue's floats inside its time.",
        f"liqcore's windows-only run reads prices, quantities and sides ({BYTES_PER_TRADE} B a trade) at {rate:.2f} "
        f"GB/s: {rate / report.bandwidth:.0%} of this machine's {report.bandwidth:.1f} GB/s.",
    ]
    if plain := table.best(candidates.PLAIN, without="numba"):
        table.notes.append(f"Against the easier job of {plain.name}: {plain.median / fed.median:.1f}x.")
    report.tables.append(table)
    benchmark.extra_info.update(table.as_dict())


NAMES = [
    "liqcore, one call",
    f"liqcore, calls of {candidates.CALL_ROWS:,}",
    "numba loop",
    "numba loop, table of levels",
    "liqcore, one call, windows only",
    "numba loop, book only",
    "numba loop, table of levels, book only",
    "numba histogram",
    "boost-histogram, projected levels",
    "numpy.histogram2d, projected levels",
]


@pytest.mark.parametrize("name", NAMES)
def test_candidate(benchmark: Any, job: jobs.Job, runs: Runs, name: str) -> None:
    """One candidate by itself, for pytest-benchmark's own table and its --benchmark-compare."""
    if name not in runs:
        pytest.skip(f"{name} is left out: not installed")
    does, run = runs[name]
    benchmark.group = f"job J, {len(job):,} trades: {does}"
    benchmark.pedantic(run, rounds=3, iterations=1)
