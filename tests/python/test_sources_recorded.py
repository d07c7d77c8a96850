"""The readers on recorded market data."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from liqcore.sources import TradeBatch, read_candles, read_marks, read_trades, scan
from recorded import data_dir

pytestmark = pytest.mark.recorded

COLUMNS = ("ts", "price", "qty", "taker_sell")


def read(paths: Path | list[Path]) -> TradeBatch:
    batches = list(read_trades(paths))
    return TradeBatch(
        np.concatenate([batch.ts for batch in batches]),
        np.concatenate([batch.price for batch in batches]),
        np.concatenate([batch.qty for batch in batches]),
        np.concatenate([batch.taker_sell for batch in batches]),
    )


def test_archives_and_parquet_days_hold_the_same_trades() -> None:
    folder = data_dir() / "trades"
    archives = read(folder / "BTCUSDT-aggTrades-*.zip")
    assert len(archives) == 870_009
    for day, again in ((12, 66), (13, 0), (14, 0)):  # what was recorded twice has ids of its own in the archive
        mine = read(folder / f"BTCUSDT-aggTrades-2026-06-{day}.zip")
        own = read(folder / f"hyperliquid-BTC-202606{day}.parquet")
        assert len(mine) == len(own) + again
        rows = [Counter(zip(*(getattr(one, name).tolist() for name in COLUMNS), strict=True)) for one in (mine, own)]
        assert rows[1] <= rows[0]
        if not again:
            for name in COLUMNS:
                np.testing.assert_array_equal(getattr(mine, name), getattr(own, name))


@pytest.mark.parametrize(
    ("coin", "tick", "lot", "rows", "again"),
    [("BTC", 1.0, 1e-5, 1_637_789, [63, 66]), ("ETH", 0.1, 1e-4, 686_022, [44, 59])],
)
def test_every_recorded_row_is_used(coin: str, tick: float, lot: float, rows: int, again: list[int]) -> None:
    """But for what a recorder that began anew was sent again, on the first two days."""
    paths = data_dir() / "trades" / f"hyperliquid-{coin}-*.parquet"
    reader = read_trades(paths)
    last = 0
    for batch in reader:
        assert batch.ts[0] >= last
        assert np.all(np.diff(batch.ts) >= 0)
        last = batch.ts[-1]
    report = reader.report
    assert (report.rows_read, report.rows_used, report.rejected) == (rows, rows - sum(again), {"duplicate": sum(again)})
    assert [file.rejected for file in report.files] == [*({"duplicate": count} for count in again), {}, {}, {}, {}]
    for count, said in zip(again, report.warnings, strict=True):
        assert f": {count} rows go back in time, to 2026-06-1" in said
    assert (report.symbol, report.tick_size, report.lot_size) == (coin, tick, lot)
    found = scan(paths)
    assert (found.symbol, found.tick_size, found.lot_size, found.first_price) == (coin, tick, lot, report.first_price)


def test_the_archive_without_a_header_is_read_whole() -> None:
    reader = read_trades(data_dir() / "trades" / "BTCUSDT-aggTrades-2026-06-14.zip")
    assert sum(len(batch) for batch in reader) == 295_106
    assert reader.report.files[0].format == "binance-aggtrades"
    assert reader.report.symbol == "BTCUSDT"


def test_tardis_samples() -> None:
    folder = data_dir() / "trades"
    reader = read_trades(folder / "tardis-bitmex_trades_XBTUSD.csv")
    (batch,) = reader
    assert batch.price.tolist() == [8531.5] * 10
    assert batch.taker_sell.all()
    assert batch.ts[0] == 1_583_020_803_145_000_000
    assert reader.report.symbol == "XBTUSD"
    reader = read_trades(folder / "tardis-trades_1.csv")  # stamped in ns, where the format says us
    (batch,) = reader
    assert batch.ts.tolist() == [1_583_020_803_145_000_000] * 2
    assert batch.taker_sell.tolist() == [True, False]
    assert reader.report.warnings == ["tardis-trades_1.csv: times are in ns, the format says us"]
    marks = read_marks(folder / "tardis-derivative_ticker_1.csv")
    assert marks.ts.tolist() == [1_583_020_803_145_000_000, 1_583_020_863_145_000_000]
    assert marks.price.tolist() == [9500.25, 9500.75]


def test_marks_go_with_the_trades() -> None:
    folder = data_dir()
    marks = read_marks(folder / "context" / "hyperliquid-BTC-context.parquet")
    ts, mark = marks.ts, marks.price
    assert len(ts) == 7342
    trades = read(folder / "trades" / "hyperliquid-BTC-20260613.parquet")
    inside = (ts >= trades.ts[0]) & (ts <= trades.ts[-1])
    last = trades.price[np.searchsorted(trades.ts, ts[inside], "right") - 1]
    assert np.abs(mark[inside] / last - 1).max() < 0.005


def test_klines_without_a_header_in_microseconds() -> None:
    candles = read_candles(data_dir() / "klines" / "BTCUSDT-1m-2026-03.zip")
    assert len(candles) == 31 * 24 * 60
    assert candles.interval_ns == 60_000_000_000
    assert np.all(np.diff(candles.ts_open) == candles.interval_ns)
    assert (candles.open[0], candles.close[-1]) == (66973.26, 68284.48)
    assert (candles.buy_qty[0], candles.sell_qty[0]) == (4.61069, 4.58237)
