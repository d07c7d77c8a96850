"""Trades in files of the layouts that people have. The long and the quick benchmarks share these."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import liqcore as lq
from jobs import Job

GROUP_ROWS = 500_000


Trades: TypeAlias = Job | lq.TradeBatch


def write_store(trades: Trades, path: Path) -> None:
    """Write trades in the tick store's layout: LZ4_RAW, row groups of half a million, statistics of time only."""
    frame = _frame(ts=trades.ts, price=trades.price, qty=trades.qty, taker_sell=trades.taker_sell)
    _write_parquet(frame, path, row_group_offsets=GROUP_ROWS, compression="LZ4_RAW", has_nulls=False, stats=["ts"])


def write_words(trades: Trades, path: Path) -> None:
    """Write trades as who knows nothing of a layout does: timestamps, sides in words, Snappy, nulls allowed."""
    side = np.where(trades.taker_sell, "sell", "buy").astype(object)
    frame = _frame(timestamp=trades.ts.view("M8[ns]"), price=trades.price, amount=trades.qty, side=side)
    _write_parquet(frame, path, compression="SNAPPY")


def write_aggtrades(trades: Trades, path: Path, ids: Any = None) -> None:
    """Write trades as Binance aggTrades, times in ms: a CSV, or a zip archive that holds one, by the path's suffix."""
    n = np.arange(1, len(trades.ts) + 1) if ids is None else ids
    frame = _frame(
        agg_trade_id=n,
        price=trades.price,
        quantity=trades.qty,
        first_trade_id=n,
        last_trade_id=n,
        transact_time=trades.ts // 1_000_000,
        is_buyer_maker=np.where(trades.taker_sell, "true", "false"),
    )
    if path.suffix != ".zip":
        frame.to_csv(path, index=False)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(f"{path.stem}.csv", "w") as file:
        frame.to_csv(file, index=False)


def write_bybit(trades: Trades, path: Path) -> None:
    """Write trades as Bybit's archives have them: a gzipped CSV, times in decimal seconds, sides in words."""
    notional = trades.price * trades.qty
    frame = _frame(
        timestamp=[f"{ms // 1000}.{ms % 1000:03}" for ms in (trades.ts // 1_000_000).tolist()],
        symbol="BTCUSDT",
        side=np.where(trades.taker_sell, "Sell", "Buy"),
        size=trades.qty,
        price=trades.price,
        tickDirection="ZeroPlusTick",
        trdMatchID=[f"{i:032x}" for i in range(len(trades.ts))],
        grossValue=notional * 1e8,
        homeNotional=trades.qty,
        foreignNotional=notional,
    )
    text = io.StringIO()
    frame.to_csv(text, index=False)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 6))


def _frame(**columns: Any) -> Any:
    import pandas as pd

    return pd.DataFrame(columns, copy=False)


def _write_parquet(frame: Any, path: Path, **options: Any) -> None:
    import fastparquet

    fastparquet.write(str(path), frame, write_index=False, **options)
