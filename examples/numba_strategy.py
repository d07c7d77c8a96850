"""
A strategy compiled by numba that feeds an engine and reads features without going back to Python.

    python numba_strategy.py                  a simulated market
    python numba_strategy.py trades.csv.gz    files of trades, in any order

Once a minute it looks at where a move of 1 % reaches more, and goes that way until it looks again. It reports
what the calls cost, and what the rule would have earned before fees, spread and slippage. One market and one rule prove
nothing; on the simulated market there is nothing to earn, so what it shows there is chance.
"""

import sys
import time

import numba
import numpy as np

import liqcore as lq
from liqcore.sources import scan

EVERY = 60_000_000_000  # ns
TRADE, ADVANCE, READ = (lq.cfunc(f"liq_{name}") for name in ("engine_trade", "engine_advance", "features_read"))


@numba.njit
def run(engine, ts, price, qty, taker_sell):
    """Feed alone: how many trades were not used."""
    unused = 0
    for i in range(len(ts)):
        unused += TRADE(engine, ts[i], price[i], qty[i], taker_sell[i]) != 0
    return unused


@numba.njit
def strategy(engine, reader, row, down, up, ts, price, qty, taker_sell, rows, positions):
    """Feed, read at every full minute, and go where more levels lie; return how often it has read."""
    reads = 0
    close = (ts[0] // EVERY + 1) * EVERY
    for i in range(len(ts)):
        while ts[i] >= close:  # a trade at the close belongs to the next minute
            if ADVANCE(engine, close) != 0 or READ(reader, engine, row.ctypes.data, row.size) != 0:
                return -1
            rows[reads] = row
            positions[reads] = np.sign(row[up] - row[down])
            reads += 1
            close += EVERY
        TRADE(engine, ts[i], price[i], qty[i], taker_sell[i])
    return reads


def trades_of(files):
    """Return what is traded, and all its trades."""
    if not files:
        trades = lq.simulate(seed=5, days=0.5, trades_per_day=60_000).trades
        return lq.Instrument(symbol="SIMULATED", tick_size=0.1, lot_size=0.001), trades
    head = scan(files)
    inst = lq.Instrument(symbol=head.symbol or "", tick_size=head.tick_size, lot_size=head.lot_size)
    batches = list(lq.read_trades(files))
    columns = ("ts", "price", "qty", "taker_sell")
    return inst, lq.TradeBatch(*(np.concatenate([getattr(batch, name) for batch in batches]) for name in columns))


def main(files):
    """Run the strategy, and say what it cost and what it saw."""
    inst, trades = trades_of(files)
    columns = (trades.ts, trades.price, trades.qty, trades.taker_sell)
    reader = lq.FeatureReader(reaches=(1, 2))
    down, up = reader.names.index("long_usd_1pct"), reader.names.index("short_usd_1pct")

    # Compiled code has the addresses alone: the engines and the reader are kept here as long as it runs.
    eng = lq.Engine(inst, keep=1)
    run(eng.ptr, *(column[:0] for column in columns))  # compiles
    began = time.perf_counter()
    unused = run(eng.ptr, *columns)
    feed_ns = (time.perf_counter() - began) * 1e9 / len(trades)

    eng = lq.Engine(inst, keep=1)
    minutes = int(trades.ts[-1] // EVERY - trades.ts[0] // EVERY)
    rows, positions = np.full((minutes, len(reader)), np.nan), np.zeros(minutes)
    row = np.empty(len(reader))
    reads = strategy(eng.ptr, reader.ptr, row, down, up, *columns, rows, positions)
    if reads < 0:
        raise SystemExit(lq.cfunc("liq_error_message")().decode())
    read = lq.cfunc("liq_features_read")
    began = time.perf_counter()
    for _ in range(200):
        read(reader.ptr, eng.ptr, row.ctypes.data, row.size)
    read_us = (time.perf_counter() - began) / 200 * 1e6

    print(
        f"{inst.symbol}: {len(trades):,} trades, {unused:,} not used; {feed_ns:.0f} ns to feed one, from compiled code"
    )
    print(f"{reads:,} minutes; {read_us:.0f} us to read {len(reader)} features of the last book, from Python")
    known = np.isfinite(rows[:, 0])
    price = rows[known, 0]
    change = np.diff(np.log(price)) * 1e4
    held = positions[known][:-1]
    print(f"went up in {np.mean(held > 0):.0%} of the minutes, down in {np.mean(held < 0):.0%}")
    earned = held * change
    error = np.std(earned) / np.sqrt(max(len(earned), 1))
    print(f"mean of the next minute: {np.mean(earned):+.3f} bps, standard error {error:.3f}, before fees and slippage")
    turns = np.mean(np.abs(np.diff(held)))
    print(f"turned over {turns:.2f} positions a minute: at 5 bps each that alone costs {5 * turns:.3f} bps a minute")


if __name__ == "__main__":
    main(sys.argv[1:])
