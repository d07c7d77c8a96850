"""The case that suits liqcore worst: wide jumps, 125 tiers, one-tick bins, windows of one second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import candidates
import jobs
import peers
from report import Report, Row, Table, interleave

KEEP = 64  # closed windows; all of them would fill the memory: each has accounts for 250 layers


@pytest.mark.skipif(not peers.HAS_NUMBA, reason="numba is left out: not installed")
def test_hostile_job(benchmark: Any, report: Report) -> None:
    """liqcore against the consuming loop, where neither footprints nor windows pay."""
    job = jobs.hostile()
    start = slice(0, 900)
    few = replace(
        job,
        **{name: getattr(job, name)[start] for name in ("ts", "price", "qty", "taker_sell", "ticks", "lots")},
        windows=int(job.ts[899] // job.window_ns - job.ts[0] // job.window_ns) + 1,
    )
    candidates.compare(few, peers.numba_loop(few), candidates.answer(few), "first 900 trades, all columns")
    engine = candidates.feed(job, keep=KEEP)
    layers = np.concatenate([engine.levels_lots("long"), engine.levels_lots("short")])
    for by_table in (False, True):
        loop = peers.numba_loop(job, by_table=by_table, columns=False)
        np.testing.assert_array_equal(layers, loop.layers, err_msg="hostile job: wrong layers, not timed")
        np.testing.assert_array_equal(engine.stats.liquidated.ravel(), loop.accounts[peers.LIQUIDATED])

    runs = {
        "liqcore, one call, windows only": lambda: candidates.feed(job, keep=KEEP),
        f"liqcore, calls of {candidates.CALL_ROWS:,}, windows only": lambda: candidates.feed(
            job, candidates.CALL_ROWS, KEEP
        ),
        "liqcore, one window of a day": lambda: candidates.feed(replace(job, window_ns=86_400 * jobs.SECOND)),
        "numba loop, book only": lambda: peers.numba_loop(job, columns=False),
        "numba loop, table of levels, book only": lambda: peers.numba_loop(job, by_table=True, columns=False),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}

    def one_round() -> None:
        for name, times in interleave(runs, 1).items():
            seconds[name] += times

    benchmark.pedantic(one_round, rounds=3, iterations=1)
    table = Table("Hostile job: where we are worst", job.description, len(job), "trade")
    table.rows = [Row(name, candidates.FEEDS, times) for name, times in seconds.items()]
    table.notes.append(
        f"liqcore writes a segment a window ({job.windows:,} of them, {KEEP} kept) and folds the older ones; the loop "
        "keeps nothing but the last book. The third row shows what windows cost."
    )
    report.tables.append(table)
    benchmark.extra_info.update(table.as_dict())
