"""
A model of one's own, written with the engine's verbs.

    python own_model.py                  a simulated market
    python own_model.py trades.csv.gz    files of trades, in any order

The idea that is tried here: only large trades open leveraged positions, and what is open is halved twice a day.
With ``model="none"`` the engine opens nothing by itself. Trades still move the clock and liquidate what they reach;
`open` and `scale` are up to us. Columns, accounts, pictures and files are those of any other model.
"""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import liqcore as lq
from liqcore.sources import scan

HALF_LIFE_NS = 12 * 3_600_000_000_000
LARGE = 0.99  # a trade is large if its quantity is above this quantile of its batch


def batches(files: list[str]) -> tuple[lq.Instrument, Iterator[lq.TradeBatch]]:
    """Return what is traded, and its trades in batches."""
    if files:
        head = scan(files)
        inst = lq.Instrument(symbol=head.symbol or "", tick_size=head.tick_size, lot_size=head.lot_size)
        return inst, lq.read_trades(files, batch_rows=20_000)
    trades = lq.simulate(seed=9, days=1.0, trades_per_day=60_000).trades
    parts = (slice(first, first + 20_000) for first in range(0, len(trades), 20_000))
    made = (lq.TradeBatch(trades.ts[p], trades.price[p], trades.qty[p], trades.taker_sell[p]) for p in parts)
    return lq.Instrument(symbol="SIMULATED", tick_size=0.1, lot_size=0.001), made


class LargeTrades:
    """Opens large trades on the aggressor's side, and lets them decay."""

    def __init__(self, inst: lq.Instrument) -> None:
        self.engine = lq.Engine(inst, model="none", window="5m")
        self.opened = 0
        self._decayed_ns: int | None = None

    def feed(self, batch: lq.TradeBatch) -> None:
        """Feed a batch: up to each large trade, then that trade's position, then on."""
        large = np.flatnonzero(batch.qty > np.quantile(batch.qty, LARGE))
        begin = 0
        for i in large.tolist():
            self._touch(batch, slice(begin, i + 1))  # the trade touches first ...
            self.engine.open("short" if batch.taker_sell[i] else "long", float(batch.price[i]), float(batch.qty[i]))
            begin = i + 1  # ... and opens after
        self._touch(batch, slice(begin, None))
        self._decay(int(batch.ts[-1]))
        self.opened += len(large)

    def _touch(self, batch: lq.TradeBatch, part: slice) -> None:
        self.engine.trades(batch.ts[part], batch.price[part], batch.qty[part], batch.taker_sell[part])

    def _decay(self, now_ns: int) -> None:
        if self._decayed_ns is not None:
            self.engine.scale(0.5 ** ((now_ns - self._decayed_ns) / HALF_LIFE_NS))
        self._decayed_ns = now_ns


def main(files: list[str]) -> None:
    """Run the model and draw what it says."""
    inst, source = batches(files)
    model = LargeTrades(inst)
    for batch in source:
        model.feed(batch)
    heatmap = model.engine.heatmap()
    heatmap.meta["model"] = "large trades"  # for the picture's header
    heatmap.meta["synthetic"] = not files
    heatmap.render("own_model.png")

    stats = model.engine.stats
    tiers = model.engine.leverage.tiers
    print(f"{stats.used:,} trades, {model.opened:,} of them large")
    for side, name in enumerate(("long", "short")):
        shares = (stats.live, stats.liquidated, stats.closed)
        print(f"{name:>5}   of what was opened: live, liquidated, closed by decay")
        for i, tier in enumerate(tiers):
            parts: list[NDArray[np.float64]] = [account[side, i] / stats.opened[side, i] for account in shares]
            print(f"  {tier:>5g}x   " + "  ".join(f"{part:6.1%}" for part in parts))
    print("written: own_model.png")


if __name__ == "__main__":
    main(sys.argv[1:])
