"""
Trade on zones, and say what came of it: a backtest without look-ahead, costs included, against its own chance.

    python zones_backtest.py [TRADES ...] [--symbol SYMBOL]

TRADES are files that liqcore reads, at least two days of one market; without any, a simulated market stands in, in
which liquidations follow the price and never the other way round, so that nothing is to be found there.

The rule takes the popular idea at its word: price is drawn to where more levels lie. At the close of every
5-minute bar it compares the nearest zone of shorts above with the nearest zone of longs below, each worth its USD times
exp(-distance in percent), and holds the side of the stronger one for the next bar; nothing where they are alike.
Nothing in it was fitted. What it earns is compared with the same positions at other times: the series of positions
shifted round by every possible number of bars.
"""

import argparse
import warnings

import numpy as np

import liqcore as lq

BAR = "5m"
BARS_A_DAY = 288
WARMUP = "12h"  # a book starts empty: before, it would say little
COST_BPS = 4.5  # a taker's fee, for every change of position by one unit
ALIKE = 0.2  # of the pull: below, no position


def positions(found: lq.Features) -> np.ndarray:
    """Hold 1, -1 or 0 after the close of each bar, from what was known then."""
    up = found["short_zone_usd"] * np.exp(-found["short_zone_percent"])
    down = found["long_zone_usd"] * np.exp(found["long_zone_percent"])
    up, down = np.nan_to_num(up), np.nan_to_num(down)
    both = np.where(up + down > 0, up + down, 1.0)
    pull = (up - down) / both
    return np.where(np.abs(pull) > ALIKE, np.sign(pull), 0.0)


def earned(held: np.ndarray, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return of every bar before and after costs, fractions: what was held at its open, times its move."""
    gross = held * moves
    return gross, gross - np.abs(np.diff(held, prepend=0.0)) * COST_BPS / 1e4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trades", nargs="*", metavar="TRADES", help="trade files, at least two days")
    parser.add_argument("--symbol", help="of files that hold several, and for the title")
    given = parser.parse_args()
    trades = given.trades or lq.simulate(seed=5, days=4, trades_per_day=40_000).trades
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notes on the grid that was found: in found.meta, too
        found = lq.features(trades, BAR, symbol=given.symbol, warmup=WARMUP)

    known = ~np.isnan(found["imbalance"])
    first = int(np.argmax(known))
    prices = found["price"][first:]
    if not known.any() or len(prices) < BARS_A_DAY:
        raise SystemExit(f"needs a day of bars after {WARMUP} of warm-up, had {len(prices) if known.any() else 0} bars")
    held = positions(found)[first:-1]  # the last bar has no next one
    moves = prices[1:] / prices[:-1] - 1
    gross, net = earned(held, moves)
    days = len(moves) / BARS_A_DAY

    market = f"{found.meta['symbol'] or 'a market'}{'' if given.trades else ', SYNTHETIC'}"
    start, end = (str(np.datetime64(int(found.times[at]), "ns"))[:16] for at in (first, -1))
    print(f"{market}, {start} to {end} UTC: {days:.1f} days, {len(moves)} bars of {BAR}")
    print(f"in the market {np.mean(held != 0):.0%} of the time (long {np.mean(held > 0):.0%}), ", end="")
    print(f"{np.count_nonzero(np.diff(held, prepend=0.0))} changes of position")
    print(f"{'':24}{'total':>10}{'per day':>10}{'bars won':>10}")
    for name, returns in (("before costs", gross), (f"after {COST_BPS:g} bp a change", net), ("held long", moves)):
        won = np.mean(returns[returns != 0] > 0) if np.any(returns != 0) else np.nan
        print(f"{name:<24}{returns.sum():>10.2%}{returns.sum() / days:>10.2%}{won:>10.1%}")

    shifts = np.arange(12, len(held) - 12)  # an hour or more away: nearer ones are nearly the same positions
    chance = np.array([earned(np.roll(held, shift), moves)[0].sum() for shift in shifts])
    better = float(np.mean(chance >= gross.sum()))
    print(f"the same positions at {len(shifts)} other times: {np.median(chance):.2%} in the middle, ", end="")
    print(f"{np.quantile(chance, 0.05):.2%} to {np.quantile(chance, 0.95):.2%} for nine in ten")
    if 0.05 < better < 0.95:
        verdict = "no evidence that the zones told anything"
    else:
        kind = "better" if better <= 0.05 else "worse"
        verdict = f"{kind} than chance, as one market in ten would seem where there is nothing: no proof"
    print(f"{better:.0%} of those did as well or better: {verdict}")
    if net.sum() <= 0:
        print("after costs it loses")


if __name__ == "__main__":
    main()
