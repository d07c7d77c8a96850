"""
From trades to a picture, a table of levels and a saved result.

    python first_heatmap.py                                a simulated market
    python first_heatmap.py BTCUSDT-aggTrades-2026-06-1*.zip   files of trades, in any order

Writes heatmap.png and heatmap.parquet into the working directory.
"""

import sys

import numpy as np

import liqcore as lq


def heatmap_of(files: list[str]) -> lq.Heatmap:
    """Make the heatmap of some files, or of a simulated day."""
    if files:
        return lq.heatmap(files, window="5m")
    market = lq.simulate(seed=3, days=1.0, trades_per_day=60_000)
    heatmap = lq.heatmap(trades=market.trades, marks=market.marks, symbol="SIMULATED", window="5m")
    heatmap.meta["synthetic"] = True  # the picture says so
    return heatmap


def print_largest(heatmap: lq.Heatmap, count: int = 5) -> None:
    """Print the largest levels on each side of the price, as of the last column."""
    now = heatmap.map()
    print(f"last price {now.price:,.1f}")
    for name, by_tier in (("longs, liquidated below", now.long), ("shorts, liquidated above", now.short)):
        usd = by_tier.sum(axis=0)
        print(name)
        for row in np.argsort(usd)[::-1][:count]:
            tier = now.tiers[np.argmax(by_tier[:, row])]
            away = now.prices[row] / now.price - 1
            print(f"  {now.prices[row]:>10,.1f}  {away:+7.2%}  ${usd[row] / 1e6:8.2f} M  mostly {tier:g}x")


if __name__ == "__main__":
    heatmap = heatmap_of(sys.argv[1:])
    print(heatmap)
    print_largest(heatmap)
    heatmap.select(last="24h").render("heatmap.png")
    heatmap.save("heatmap.parquet")
    assert np.array_equal(lq.load_heatmap("heatmap.parquet").values, heatmap.values)
    print("written: heatmap.png, heatmap.parquet. An estimate, not a record of positions.")
