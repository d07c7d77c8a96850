"""A recorded day of trades, as one batch."""

import functools
from pathlib import Path

import numpy as np

import liqcore as lq
from recorded import data_dir

INSTRUMENT = lq.Instrument(symbol="BTC", venue="hyperliquid", tick_size=1.0, lot_size=0.00001)
MINUTE = 60_000_000_000


@functools.cache
def _read(path: Path) -> lq.TradeBatch:
    batches = list(lq.read_trades(path))
    columns = ("ts", "price", "qty", "taker_sell")
    return lq.TradeBatch(*(np.concatenate([getattr(batch, name) for batch in batches]) for name in columns))


def recorded_day() -> lq.TradeBatch:
    """Return the Hyperliquid BTC trades of 2026-06-13, or skip the calling test; times are whole milliseconds."""
    return _read(data_dir() / "trades" / "hyperliquid-BTC-20260613.parquet")


def first(trades: lq.TradeBatch, count: int) -> lq.TradeBatch:
    """Return the first trades alone."""
    return lq.TradeBatch(trades.ts[:count], trades.price[:count], trades.qty[:count], trades.taker_sell[:count])
