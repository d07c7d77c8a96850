"""
An engine that is fed one trade at a time, as a live program does, and reports whenever a window closes.

    python streaming.py                  a simulated market
    python streaming.py trades.csv.gz    files of trades, in any order

Each line: the window's end, the price, and the quantity of the levels that a move of 1 % down or up reaches.
"""

import sys
from collections.abc import Iterator

import numpy as np

import liqcore as lq
from liqcore.sources import scan

Trade = tuple[int, float, float, bool]


def stream(files: list[str]) -> tuple[lq.Instrument, Iterator[Trade]]:
    """Return what is traded, and its trades one by one."""
    if files:
        head = scan(files)
        inst = lq.Instrument(symbol=head.symbol or "", tick_size=head.tick_size, lot_size=head.lot_size)
        batches = lq.read_trades(files)
        columns = ((b.ts.tolist(), b.price.tolist(), b.qty.tolist(), b.taker_sell.tolist()) for b in batches)
        return inst, (trade for batch in columns for trade in zip(*batch, strict=True))
    trades = lq.simulate(seed=5, days=0.5, trades_per_day=60_000).trades
    inst = lq.Instrument(symbol="SIMULATED", tick_size=0.1, lot_size=0.001)
    rows = (trades.ts.tolist(), trades.price.tolist(), trades.qty.tolist(), trades.taker_sell.tolist())
    return inst, zip(*rows, strict=True)


def within(engine: lq.Engine, low: float, high: float, side: str) -> float:
    """Return the live quantity of a side whose level lies in [low, high), at the profile's weights."""
    axis = engine.axis
    if axis is None:  # no level yet
        return 0.0
    chosen = (axis.prices >= low) & (axis.prices < high)
    return float(engine.leverage.weights @ engine.levels(side)[:, chosen].sum(axis=1))


def main(files: list[str]) -> None:
    """Feed every trade."""
    inst, trades = stream(files)
    engine = lq.Engine(inst, window="15m", keep=96)  # a day of windows; older ones are folded together

    def on_column(segment: lq.Segment) -> None:
        close = segment.candle[3]
        if close is None:  # nothing traded in this window
            return
        price = close * inst.tick_size
        down = within(engine, 0.99 * price, price, "long")
        up = within(engine, price, 1.01 * price, "short")
        time = np.datetime64(segment.end_ns, "ns").astype("datetime64[m]")
        print(f"{time}  {price:>10,.1f}   -1 %: {down:9.2f} long   +1 %: {up:9.2f} short")

    engine.on_column(on_column)
    for ts, price, qty, taker_sell in trades:
        engine.trade(ts, price, qty, taker_sell)
    print(engine.stats)
    assert not engine.stats.imbalance().any()


if __name__ == "__main__":
    main(sys.argv[1:])
