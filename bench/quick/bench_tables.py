"""
Trades and pictures that go in and out as tables of others, through Arrow's interface, and as arrays of events.

Trades are the first of job J, windows only, as in bench/tables.py; engines fed from arrays have to say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest

import feeding
import jobs
import liqcore as lq
import views
from jobs import Job
from tables import events
from timed import Timed

TRADES = 500_000

pytestmark = pytest.mark.benchmark(group=f"tables: {TRADES:,} trades of job J")


class Table:
    """A stream of Arrow data that somebody hands over; it can be taken once."""

    def __init__(self, stream: object) -> None:
        self._stream = stream

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._stream


@pytest.fixture(scope="module")
def job() -> Job:
    return jobs.job_j(TRADES)


@pytest.fixture(scope="module")
def same_as_from_arrays(job: Job) -> Callable[[lq.Engine], None]:
    expected = feeding.feed(job)
    return lambda engine: feeding.check_same(engine, expected)


def fed_with(job: Job, table: Table) -> lq.Engine:
    engine = job.engine()
    engine.trades(table)
    return engine


def test_arrays_to_compare_with(timed: Timed, job: Job) -> None:
    expected = feeding.one_by_one(job, feeding.rows_of(job))
    timed(
        lambda: feeding.feed(job),
        lambda engine: feeding.check_same(engine, expected),
        of=TRADES,
        event="trade",
        on=job.description,
    )


def test_arrow_in(timed: Timed, job: Job, same_as_from_arrays: Callable[[lq.Engine], None]) -> None:
    """A table of one batch into an engine: three columns in place, sides from bits. Making the table is not timed."""
    batch = lq.TradeBatch(*job.columns)
    timed.anew(
        lambda: Table(batch.__arrow_c_stream__()),
        lambda table: fed_with(job, table),
        same_as_from_arrays,
        of=TRADES,
        event="trade",
        on=job.description,
    )


def test_arrow_out(timed: Timed, job: Job, same_as_from_arrays: Callable[[lq.Engine], None]) -> None:
    """A batch of trades as a table: sides are packed into bits. What takes it has to find the same trades in it."""
    batch = lq.TradeBatch(*job.columns)
    timed(
        batch.__arrow_c_stream__,
        lambda stream: same_as_from_arrays(fed_with(job, Table(stream))),
        of=TRADES,
        event="trade",
        on=job.description,
    )


@pytest.mark.skipif(not find_spec("polars"), reason="needs polars to read the table again")
@pytest.mark.benchmark(group="a month's heatmap as a table")
def test_arrow_out_of_a_heatmap(timed: Timed, month: lq.Heatmap) -> None:
    """720 columns with their arrays, which are there already; polars has to read the same from it."""
    import polars

    assert month.long.size
    assert month.liquidated.size

    def check(stream: object) -> None:
        frame = polars.DataFrame(Table(stream))
        np.testing.assert_array_equal(frame["time"].cast(polars.Int64).to_numpy(), month.times)
        np.testing.assert_array_equal(frame["close"].to_numpy(), month.candles["close"])
        for name in ("long", "short", "liquidated"):
            cells = frame[name].explode().to_numpy().reshape(month.values.shape)
            np.testing.assert_array_equal(cells, getattr(month, name))

    timed(month.__arrow_c_stream__, check, of=views.COLUMNS, event="column", on=f"{month.values.shape} cells")


def test_events_in(timed: Timed, job: Job, same_as_from_arrays: Callable[[lq.Engine], None]) -> None:
    """Trades among as many other events, 64 bytes each."""
    among = events(job, 2)

    def run() -> lq.Engine:
        engine = job.engine()
        engine.feed_events(among)
        return engine

    timed(run, same_as_from_arrays, of=TRADES, event="trade", on=job.description)
