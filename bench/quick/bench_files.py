"""
Files: trades read from small files of a simulated market, in layouts that people have; heatmaps saved and loaded.

Reading is `read_trades` without reading ahead, every row into arrays; nothing is fed. bench/disk.py makes heatmaps.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import files
import liqcore as lq
import views
from timed import Timed

LAYOUTS: dict[str, tuple[str, Callable[[files.Trades, Path], None]]] = {
    "csv_binance_aggtrades": ("BTCUSDT-aggTrades-2026-01-05.csv", files.write_aggtrades),
    "zip_binance_aggtrades": ("BTCUSDT-aggTrades-2026-01-05.zip", files.write_aggtrades),
    "gzip_bybit": ("BTCUSDT2026-01-05.csv.gz", files.write_bybit),
    "parquet_plain_columns": ("trades.parquet", files.write_store),
    "parquet_timestamps_and_words": ("trades.parquet", files.write_words),
}


@pytest.fixture(scope="module")
def trades() -> lq.TradeBatch:
    """Half a day of the simulated market, some 100,000 trades."""
    return lq.simulate(seed=1, days=0.5).trades


def read(paths: Path | list[Path]) -> list[lq.TradeBatch]:
    with lq.read_trades(paths) as reader:
        return list(reader)


@pytest.mark.benchmark(group="read_trades: half a day of a simulated market")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_read(timed: Timed, trades: lq.TradeBatch, tmp_path: Path, layout: str) -> None:
    """What is read has to be what was written."""
    name, write = LAYOUTS[layout]
    path = tmp_path / name
    write(trades, path)

    def check(batches: list[lq.TradeBatch]) -> None:
        for column in ("ts", "price", "qty", "taker_sell"):
            got = np.concatenate([getattr(batch, column) for batch in batches])
            np.testing.assert_array_equal(got, getattr(trades, column), err_msg=column)

    size = path.stat().st_size / 1e6
    timed(lambda: read(path), check, of=len(trades.ts), event="row", on=f"{len(trades.ts):,} rows, {size:.1f} MB")


@pytest.mark.benchmark(group="read_trades: two files of one half day")
@pytest.mark.parametrize("deal", ["shards", "collectors"])
@pytest.mark.parametrize("layout", ["csv_binance_aggtrades", "parquet_plain_columns"])
@pytest.mark.parametrize("how", ["merged", "in_turn"])
def test_read_two(timed: Timed, trades: lq.TradeBatch, tmp_path: Path, layout: str, deal: str, how: str) -> None:
    """Trades dealt into two files, or each file with all but a few: to cost 1.5 times one after the other at most."""
    name, write = LAYOUTS[layout]
    columns = ("ts", "price", "qty", "taker_sell")
    rng = np.random.default_rng(1)
    first = rng.random(len(trades.ts)) < 0.5
    paths, rows = [], 0
    for number, kept in enumerate((first, ~first) if deal == "shards" else rng.random((2, len(trades.ts))) < 0.95):
        (tmp_path / str(number)).mkdir()
        paths.append(tmp_path / str(number) / name)
        part = lq.TradeBatch(*(getattr(trades, column)[kept] for column in columns))
        if write is files.write_aggtrades:
            files.write_aggtrades(part, paths[-1], ids=1 + np.flatnonzero(kept))
        else:
            write(part, paths[-1])
        rows += int(np.count_nonzero(kept))

    def run() -> list[lq.TradeBatch]:
        return read(paths) if how == "merged" else [batch for path in paths for batch in read(path)]

    def check(batches: list[lq.TradeBatch]) -> None:
        found = sum(map(len, batches))
        assert found == rows if how == "in_turn" else found <= len(trades.ts)

    timed(run, check, of=rows, event="row", on=f"{rows:,} rows in two files")


def check_same(got: lq.Heatmap, expected: lq.Heatmap) -> None:
    for name in ("times", "prices", "long", "short", "liquidated", "candles", "complete"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)
    assert (got.unit, got.step, got.window_ns, got.leverage) == (
        expected.unit,
        expected.step,
        expected.window_ns,
        expected.leverage,
    )


SAVED = f"{views.DAYS} days of a walk in windows of 5 minutes, five tiers, {views.TRADES:,} trades"


@pytest.mark.benchmark(group="a month's heatmap: save and load")
def test_heatmap_save(timed: Timed, month: lq.Heatmap, tmp_path: Path) -> None:
    """Written whole, over the last one; what is loaded again has to show the same."""
    path = tmp_path / "month.parquet"
    timed(lambda: month.save(path), lambda saved: check_same(lq.load_heatmap(saved), month), event="file", on=SAVED)


@pytest.mark.benchmark(group="a month's heatmap: save and load")
def test_load_heatmap(timed: Timed, month: lq.Heatmap, tmp_path: Path) -> None:
    """The windows; no picture is computed from them yet."""
    path = month.save(tmp_path / "month.parquet")
    timed(lambda: lq.load_heatmap(path), lambda loaded: check_same(loaded, month), event="file", on=SAVED)
