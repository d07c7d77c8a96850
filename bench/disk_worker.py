"""
One way from files to a result, in a process of its own on one core: `disk_worker.py WAY TERMS FILE...`

For every line on its standard input it does the job once and prints a JSON object: processor time, clock time, and the
most memory the process has had, in seconds and bytes. With ``answer FILE`` on the line it saves the result there.
TERMS is a JSON file with what the job needs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["POLARS_MAX_THREADS"] = "1"

Arrays = dict[str, Any]


def with_liqcore(terms: dict[str, Any], files: list[str]) -> Arrays:
    """Read the files, feed them, and fold the windows into columns."""
    import liqcore as lq

    engine = lq.Engine(
        lq.Instrument(
            symbol="BTC",
            tick_size=terms["tick_size"],
            lot_size=terms["lot_size"],
            margin=lq.MarginSchedule.flat(terms["mmr"]),
        ),
        leverage={tier: 1 / len(terms["tiers"]) for tier in terms["tiers"]},
        axis=lq.PriceAxis(**terms["axis"]),
        window=np.timedelta64(terms["window_ns"], "ns"),
        half_life=None,
    )
    with lq.read_trades(files) as reader:
        for batch in reader:
            engine.trades(batch.ts, batch.price, batch.qty, batch.taker_sell)
    heatmap = engine.heatmap(unit="quantity")
    return {
        "layers": np.concatenate([engine.levels_lots("long"), engine.levels_lots("short")]),
        "long": heatmap.long,
        "short": heatmap.short,
    }


def reading(_terms: dict[str, Any], files: list[str]) -> Arrays:
    """Read the files and do nothing with them."""
    import liqcore as lq

    with lq.read_trades(files) as reader:
        return {"rows": sum(batch.ts.size for batch in reader)}


def with_polars(terms: dict[str, Any], files: list[str]) -> Arrays:
    """Add up the levels of every trade by window and bin, nothing consumed: an easier job, as one would write it."""
    import polars as pl

    tiers, bins = len(terms["tiers"]), terms["bins"]
    trades = pl.scan_parquet(files).select(
        (pl.col("ts") // terms["window_ns"] - terms["first_window"]).alias("window"),
        (pl.col("price") / terms["tick_size"]).round().alias("tick"),
        (pl.col("qty") / terms["lot_size"]).round().alias("lots"),
        "taker_sell",
    )
    trades = trades.collect().lazy()
    out = np.zeros(terms["windows"] * bins)
    for tier in range(tiers):
        long, short = terms["factors"][tier], terms["factors"][tiers + tier]
        factor = pl.when(pl.col("taker_sell")).then(pl.lit(short)).otherwise(pl.lit(long))
        level = (pl.col("tick") * factor).round(mode="half_to_even")
        row = ((level + 0.5) / terms["ticks_per_bin"]).floor().cast(pl.Int64) - terms["first_bin"]
        inside = trades.select("window", "lots", row=row).filter(pl.col("row").is_between(0, bins - 1))
        cells = (
            inside.group_by((pl.col("window") * bins + pl.col("row")).alias("cell")).agg(pl.col("lots").sum()).collect()
        )
        out[cells["cell"].to_numpy()] += cells["lots"].to_numpy()
    return {"histogram": out.reshape(-1, bins)}


def with_polars_by_tick(terms: dict[str, Any], files: list[str]) -> Arrays:
    """Sum lots by window, tick and side first, packed into one key, so that few are projected: polars at its best."""
    import polars as pl

    tiers, bins, most = len(terms["tiers"]), terms["bins"], 2**31
    window = pl.col("ts") // terms["window_ns"] - terms["first_window"]
    tick = (pl.col("price") / terms["tick_size"]).round().cast(pl.Int64)
    key = window * most + tick * 2 + pl.col("taker_sell").cast(pl.Int64)
    trades = pl.scan_parquet(files).select(key=key, lots=(pl.col("qty") / terms["lot_size"]).round())
    sums = trades.group_by("key").agg(pl.col("lots").sum()).collect()
    keys, lots = sums["key"].to_numpy(), sums["lots"].to_numpy()
    first_cell, ticks, sell = keys // most * bins, keys % most // 2, keys % 2 == 1
    out = np.zeros(terms["windows"] * bins)
    for tier in range(tiers):
        level = np.rint(ticks * np.where(sell, terms["factors"][tiers + tier], terms["factors"][tier]))
        row = ((level + 0.5) / terms["ticks_per_bin"]).astype(np.int64) - terms["first_bin"]
        inside = (row >= 0) & (row < bins)
        out += np.bincount((first_cell + row)[inside], lots[inside], out.size)
    return {"histogram": out.reshape(-1, bins)}


def main(who: str, terms_file: str, files: list[str]) -> None:
    """Serve one line after the other."""
    ways: dict[str, Callable[[dict[str, Any], list[str]], Arrays]] = {
        "liqcore": with_liqcore,
        "liqcore, reading alone": reading,
        "polars": with_polars,
        "polars, by tick first": with_polars_by_tick,
    }
    terms = json.loads(Path(terms_file).read_text())
    from measure import resident

    for line in sys.stdin:
        processor, clock = time.process_time(), time.perf_counter()
        result = ways[who](terms, files)
        took = {"processor_s": time.process_time() - processor, "clock_s": time.perf_counter() - clock}
        if line.startswith("answer "):
            np.savez(line.removeprefix("answer ").strip(), **result)
        print(json.dumps({**took, "peak_bytes": resident("VmHWM")}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
