"""liqcore on a job, its answer in the peers' terms, and the comparison that comes before any timing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import liqcore as lq
import peers
from jobs import Floats, Job

CALL_ROWS = 1_000
CONSUMES = "consumes levels, columns"
FEEDS = "consumes levels"
PLAIN = "plain histogram (easier)"


def feed(job: Job, rows: int | None = None, keep: int | None = None) -> lq.Engine:
    """Feed the whole job to a fresh engine, in one call or in calls of `rows` trades."""
    engine = job.engine(keep)
    _feed(engine, job, rows)
    return engine


def columns(job: Job, rows: int | None = None) -> lq.Heatmap:
    """Feed, and fold the windows into columns."""
    heatmap = feed(job, rows).heatmap(step=job.axis.step, unit="quantity")
    assert heatmap.long is not None
    assert heatmap.liquidated is not None
    return heatmap


def answer(job: Job, rows: int | None = None, *, history: bool = False) -> peers.Answer:
    """Return what liqcore answers; nothing here is timed."""
    engine = job.engine()
    books: list[Floats] = []
    if history:
        engine.on_column(lambda _: books.append(_layers(engine)))
    _feed(engine, job, rows)
    layers, stats = _layers(engine), engine.stats
    accounts = np.array([getattr(stats, name).ravel() for name in peers.ACCOUNTS])
    tiers = len(job.tiers)
    accounts[peers.OPENED, 1:tiers] = accounts[peers.OPENED, tiers + 1 :] = 0.0  # each side's, said once by the peers
    shape = (job.windows, job.axis.size)
    long, short, liquidated = (np.zeros(shape, np.float32) for _ in range(3))
    heatmap = engine.heatmap(step=job.axis.step, unit="quantity")
    assert heatmap.long.shape[0] == job.windows
    first = round((heatmap.prices[0] - job.axis.low) / job.axis.step)  # pictures show only rows that were used
    for whole, part_of_it in (
        (long, heatmap.long),
        (short, heatmap.short),
        (liquidated, heatmap.liquidated),
    ):
        whole[:, first : first + part_of_it.shape[1]] = part_of_it
    past = np.array(books) if history else np.zeros((0, 0, 0))
    return peers.Answer(long, short, liquidated, layers, accounts, past)


def _feed(engine: lq.Engine, job: Job, rows: int | None) -> None:
    step = rows or len(job)
    for i in range(0, len(job), step):
        part = slice(i, i + step)
        engine.trades(job.ts[part], job.price[part], job.qty[part], job.taker_sell[part])


def _layers(engine: lq.Engine) -> Floats:
    assert engine.axis is not None
    return np.concatenate([engine.levels_lots(side) for side in ("long", "short")])


def compare(job: Job, got: peers.Answer, expected: peers.Answer, who: str) -> None:
    """Compare every cell of all columns, all layers and all accounts, to the last bit."""
    for name in ("long", "short", "liquidated", "layers", "accounts", "history"):
        np.testing.assert_array_equal(
            getattr(got, name), getattr(expected, name), err_msg=f"job {job.name}, {who}: wrong {name}, not timed"
        )


def candidates(job: Job) -> dict[str, tuple[str, Callable[[], object]]]:
    """Return every candidate that is installed: name, which job it does, how to run it."""
    projected = peers.project(job)
    out: dict[str, tuple[str, Callable[[], object]]] = {
        "liqcore, one call": (CONSUMES, lambda: columns(job)),
        f"liqcore, calls of {CALL_ROWS:,}": (CONSUMES, lambda: columns(job, CALL_ROWS)),
    }
    if peers.HAS_NUMBA:
        out["numba loop"] = (CONSUMES, lambda: peers.numba_loop(job))
        out["numba loop, table of levels"] = (CONSUMES, lambda: peers.numba_loop(job, by_table=True))
    out["liqcore, one call, windows only"] = (FEEDS, lambda: feed(job))
    out[f"liqcore, calls of {CALL_ROWS:,}, windows only"] = (FEEDS, lambda: feed(job, CALL_ROWS))
    if peers.HAS_NUMBA:
        out["numba loop, book only"] = (FEEDS, lambda: peers.numba_loop(job, columns=False))
        out["numba loop, table of levels, book only"] = (
            FEEDS,
            lambda: peers.numba_loop(job, by_table=True, columns=False),
        )
        out["numba histogram"] = (PLAIN, lambda: peers.numba_histogram(job))
    if peers.HAS_BOOST_HISTOGRAM:
        out["boost-histogram, projected levels"] = (PLAIN, lambda: peers.boost_histogram_fill(job, projected))
    out["numpy.histogram2d, projected levels"] = (PLAIN, lambda: peers.numpy_histogram(job, projected))
    return out


def left_out() -> list[str]:
    """Return the peers that are not installed."""
    return [
        f"{name} (not installed)"
        for name, there in (("numba", peers.HAS_NUMBA), ("boost-histogram", peers.HAS_BOOST_HISTOGRAM))
        if not there
    ]
