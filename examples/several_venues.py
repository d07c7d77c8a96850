"""
One coin on two venues: a linear and an inverse contract, each with its own ticks and leverage, in one picture.

    python several_venues.py                            a simulated market whose trades are dealt out to two venues
    python several_venues.py one.parquet two.parquet    saved heatmaps of one coin on different venues

Writes venues.png and venues.parquet into the working directory.
"""

import sys

import numpy as np

import liqcore as lq

# "linear" trades coins and offers 100x; "inverse" trades contracts of 100 USD on a coarser grid, up to 50x.
LINEAR = lq.Instrument(symbol="COINUSDT", venue="linear", tick_size=0.1, lot_size=0.001)
INVERSE = lq.Instrument(
    symbol="COINUSD", venue="inverse", contract="inverse", tick_size=0.5, lot_size=1.0, multiplier=100.0
)


def simulated_venues() -> list[lq.Heatmap]:
    """Deal the trades of a simulated day out to both, three fifths and two fifths."""
    trades = lq.simulate(seed=5, days=1.0, trades_per_day=60_000).trades
    first = np.random.default_rng(5).random(len(trades)) < 0.6
    engines = (
        lq.Engine(LINEAR, leverage={10: 0.4, 25: 0.3, 50: 0.2, 100: 0.1}, window="5m"),
        lq.Engine(INVERSE, leverage={5: 0.2, 10: 0.4, 25: 0.3, 50: 0.1}, window="5m"),
    )
    coarse = np.rint(trades.price / 0.5) * 0.5
    contracts = np.maximum(np.rint(trades.qty * trades.price / 100), 1.0)
    engines[0].trades(trades.ts[first], trades.price[first], trades.qty[first], trades.taker_sell[first])
    engines[1].trades(trades.ts[~first], coarse[~first], contracts[~first], trades.taker_sell[~first])
    heatmaps = [engine.heatmap() for engine in engines]
    for heatmap in heatmaps:
        heatmap.meta["synthetic"] = True  # the picture says so
    return heatmaps


def print_within(levels: lq.LiquidationMap, percent: float) -> None:
    """Print the levels that a fall and a rise of some percent reach, by venue and together."""
    # The venues' prices differ a little; here all are asked about the same range.
    low, high = (levels.price * (1 + sign * percent / 100) for sign in (-1, 1))
    longs, shorts = levels.prices + levels.step > low, levels.prices <= high
    print(f"within {percent:g} % of {levels.price:,.1f}    longs       shorts")
    for name, part in (*levels.venues.items(), ("together", levels)):
        below, above = part.long[:, longs].sum(), part.short[:, shorts].sum()
        print(f"  {name:16} ${below / 1e6:8.2f} M  ${above / 1e6:8.2f} M")


if __name__ == "__main__":
    both = lq.merge_venues([lq.load_heatmap(path) for path in sys.argv[1:]] or simulated_venues())
    print(both)
    print_within(both.map(), 2)
    both.select(last="24h").render("venues.png")
    both.save("venues.parquet")
    for venue in both.venues:
        print(f"{venue}: {both.select(venues=venue).values[-1].sum() / both.values[-1].sum():.0%} of what is live")
    print("written: venues.png, venues.parquet. An estimate, not a record of positions.")
