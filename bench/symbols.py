"""How much memory many symbols take: an engine each with its own axis, five tiers and a day of 5-minute windows."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

import liqcore as lq
from measure import resident
from report import Report

SYMBOLS = 300
TRADES = (2_000, 20_000, 100_000)  # a symbol and day
TITLE = "Symbols"
DAY_NS = 86_400_000_000_000
START_NS = 1_781_222_400_000_000_000
TIERS = {5.0: 0.3, 10.0: 0.3, 25.0: 0.2, 50.0: 0.12, 100.0: 0.08}


def measure(report: Report) -> None:
    """Run each size in a process of its own, so that no memory is used twice."""
    found = {}
    for trades in TRADES:
        command = [sys.executable, __file__, str(SYMBOLS), str(trades)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[trades] = json.loads(done.stdout)
    report.data["symbols"] = {str(trades): each for trades, each in found.items()}
    lines = ["| trades a symbol | resident memory, MB | a symbol, MB | bins, median |", "|---|---|---|---|"]
    for trades, each in found.items():
        rise = each["bytes"] / 1e6
        lines.append(f"| {trades:,} | {rise:,.0f} | {rise / SYMBOLS:.2f} | {each['bins']:,} |")
    report.sections[TITLE] = (
        f"{SYMBOLS} engines at prices from 0.003 to 100,000, each with an automatic axis, {len(TIERS)} tiers and a day "
        "of 5-minute windows, all kept: how far the resident memory rises above that with one empty engine.\n\n"
        + "\n".join(lines)
    )


def run(symbols: int, trades: int) -> dict[str, int]:
    """Feed a seeded walk of 3 % a day to each engine; return the memory they take and their usual number of bins."""
    rng = np.random.default_rng(1)
    engines = [lq.Engine(lq.Instrument(tick_size=1.0, lot_size=0.01), leverage=TIERS, window="5m")]
    before = resident("VmRSS")
    for _ in range(symbols):
        price = 10 ** rng.uniform(-2.5, 5)
        tick_size = float(f"1e{np.floor(np.log10(price)) - 4:.0f}")
        walk = price * np.exp(np.cumsum(rng.normal(0, 0.03 / np.sqrt(trades), trades)))
        engine = lq.Engine(lq.Instrument(tick_size=tick_size, lot_size=0.01), leverage=TIERS, window="5m")
        engine.trades(
            START_NS + np.sort(rng.integers(0, DAY_NS, trades)),
            np.rint(walk / tick_size) * tick_size,
            np.rint(rng.lognormal(0, 1, trades) * 100) / 100 + 0.01,
            rng.random(trades) < 0.5,
        )
        engines.append(engine)
    axes = [engine.axis for engine in engines[1:]]
    bins = int(np.median([axis.size for axis in axes if axis is not None]))
    return {"bytes": resident("VmRSS") - before, "bins": bins}


if __name__ == "__main__":
    print(json.dumps(run(*map(int, sys.argv[1:]))))
