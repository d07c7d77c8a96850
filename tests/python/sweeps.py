"""
Simulated cascades whose law is known, and how often the intervals of `liqcore.impact` hold it.

Run it as `python tests/python/sweeps.py --seeds 200`, as `make soak` does.
"""

import argparse
import itertools
import math
import sys

import numpy as np

import liqcore as lq
from liqcore.analysis.moves import SquareRoot
from liqcore.analysis.rounds import Levels, Rules, Step, run
from liqcore.sources.liquidations import Liquidations

START = 1_767_571_200_000_000_000
SECOND, HOUR = 10**9, 3_600 * 10**9
SIGMA, VOLUME, PRICE = 0.03, 1e9, 60_000.0


def cascades(seed: int, y: float, exponent: float, hours: int = 60) -> tuple[lq.TradeBatch, Liquidations]:
    """Two sweeps or three an hour: a shock, then rounds of a cascade through random levels, in a noisy market."""
    rng = np.random.default_rng(seed)
    law = SquareRoot(PRICE, SIGMA, VOLUME, y, (y, y), exponent)
    trades: list[tuple[int, float]] = []
    gone: list[tuple[int, str, float]] = []
    for hour in range(hours):
        for place in range(int(rng.integers(2, 4))):
            begin = START + hour * HOUR + place * 15 * 60 * SECOND + int(rng.integers(0, 60)) * SECOND
            side = "long" if rng.random() < 0.5 else "short"
            sign = -1 if side == "long" else 1
            away = np.sort(rng.uniform(5, 600, 60))
            amounts = rng.lognormal(math.log(2e5), 1.5, (1, 60))
            levels = Levels(side, away, ("10x",), amounts, np.array([math.nan]), PRICE)
            steps: list[Step] = []
            one = np.ones(1)
            shock = float(rng.uniform(10, 250))
            run(levels, law, shock * one, 0 * one, y * one, Rules(), steps)
            noise = np.cumsum(rng.normal(0, SIGMA * PRICE * math.sqrt(1 / 86_400), len(steps)))
            trades.append((begin - SECOND, PRICE + sign * steps[0].away))
            for i, (before, after) in enumerate(itertools.pairwise(steps)):
                at = begin + i * SECOND
                gone.append((at, side, after.sold - before.sold))
                trades.append((at + SECOND // 2, PRICE + sign * after.away + noise[i]))
    trades.sort()
    gone.sort()
    price = np.array([each[1] for each in trades])
    ts = np.array([each[0] for each in trades])
    amount = np.array([each[2] for each in gone])
    is_long = np.array([each[1] == "long" for each in gone])
    return (
        lq.TradeBatch(ts, price, np.ones(len(ts)), np.ones(len(ts), np.bool_)),
        Liquidations(
            np.array([each[0] for each in gone]), np.where(is_long, amount, 0.0), np.where(is_long, 0.0, amount),
            np.full(len(gone), PRICE),
        ),
    )  # fmt: skip


def covered(seeds: range) -> tuple[float, float]:
    """In which share of the seeds the intervals of Y and of the exponent hold the truth."""
    hits = np.zeros((len(seeds), 2))
    for i, seed in enumerate(seeds):
        y, exponent = [(1.0, 0.5), (2.0, 0.5), (4.0, 0.6), (1.5, 0.4)][seed % 4]
        found = lq.impact(*cascades(seed, y, exponent), sigma=SIGMA, volume=VOLUME, seed=seed)
        hits[i] = (
            found.y.low <= y <= found.y.high,
            found.exponent.low - 0.005 <= exponent <= found.exponent.high + 0.005,  # the grid's half step
        )
    share = hits.mean(axis=0)
    return float(share[0]), float(share[1])


def main() -> None:
    """Exit with what is wrong where less than nine of ten intervals hold the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    of_y, of_exponent = covered(range(asked.first, asked.first + asked.seeds))
    print(f"of {asked.seeds} seeds, the 95 % interval holds Y in {of_y:.1%}, the exponent in {of_exponent:.1%}")
    if min(of_y, of_exponent) < 0.9:
        sys.exit("less than 90 %")


if __name__ == "__main__":
    main()
