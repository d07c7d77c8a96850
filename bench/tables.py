"""Trades that others hold: Arrow tables and arrays of events, against plain arrays of the same trades."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

import jobs
import liqcore as lq
from jobs import Job
from measure import Candidate, ratios, rotate
from report import Report, Table

FED = "trades fed, windows only"
EVENT = np.dtype(
    [("ev", "u8"), ("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8"), ("qty", "f8"), ("order_id", "u8"),
     ("ival", "i8"), ("fval", "f8")]
)  # fmt: skip
FLAGS = (1 << 31) | (1 << 30)  # counts on both clocks
BOUGHT, SOLD = 1 << 29, 1 << 28
TRADES = 5_000_000  # as events 640 MB, with the depth between them


def measure(report: Report) -> None:
    """Feed job J from each of them."""
    job = jobs.job_j(min(jobs.wanted_trades(), TRADES))

    def run(give: Callable[[lq.Engine], object]) -> lq.Engine:
        engine = job.engine(None, 1)
        give(engine)
        return engine

    alone, among = events(job, 1), events(job, 2)
    ways: dict[str, Callable[[lq.Engine], object]] = {
        "arrays": lambda engine: engine.trades(*job.columns),
        "events of 64 bytes, trades alone": lambda engine: engine.feed_events(alone),
        "events of 64 bytes, as many others between": lambda engine: engine.feed_events(among),
    }
    batch = lq.TradeBatch(*job.columns)
    if find_spec("polars"):
        import polars

        frame = polars.DataFrame(batch)
        words = frame.with_columns(
            polars.when("taker_sell").then(polars.lit("sell")).otherwise(polars.lit("buy")).alias("side")
        ).drop("taker_sell")
        ways["polars frame"] = lambda engine: engine.trades(frame)
        ways["polars frame, sides as words"] = lambda engine: engine.trades(words)
    if find_spec("pyarrow"):
        import pyarrow

        table = pyarrow.table(batch)
        ways["pyarrow table"] = lambda engine: engine.trades(table)
        ways["pyarrow reader, 65,536 rows a batch"] = lambda engine: engine.trades(table.to_reader(65_536))
    expected = run(ways["arrays"])
    for way, give in ways.items():
        engine = run(give)
        same = engine.segments() == expected.segments() and engine.stats == expected.stats
        assert same, f"{way}: other windows, not timed"
        del engine

    def timed(give: Callable[[lq.Engine], object]) -> Callable[[], lq.Engine]:
        return lambda: run(give)

    rivals = [Candidate(way, FED, timed(give)) for way, give in ways.items()]
    rotate(rivals)
    shares = ", ".join(f"{rival.name} {ratios(rival, rivals[0]).median:.2f}" for rival in rivals[1:])
    report.tables.append(
        Table(
            "Tables and events of others",
            job.description,
            len(job),
            rivals,
            {FED: rivals[0]},
            notes=[f"Time over that of arrays: {shares}."],
        )
    )


def events(job: Job, every: int) -> NDArray[Any]:
    """The trades as hftbacktest has them, one in `every` rows; the others are changes of the depth."""
    out = np.zeros(every * len(job), EVENT)
    out["ev"] = FLAGS | 1
    trades = out[::every]
    trades["ev"] = np.where(job.taker_sell, SOLD, BOUGHT) | (FLAGS | 2)
    trades["exch_ts"] = trades["local_ts"] = job.ts
    trades["px"], trades["qty"] = job.price, job.qty
    return out
