"""
Liquidation prices of a million positions: liqcore against the obvious numpy version.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import liqcore as lq
from measure import Candidate, rotate
from report import Report, Table

Floats = NDArray[np.float64]
Sides = NDArray[np.int64]
Pair = tuple[Callable[[], Floats], Callable[[], Floats]]
N = 1_000_000
FLOOR = np.array([0, 3e5, 8e5, 3e6, 1.2e7, 7e7, 1e8, 2.3e8, 4.8e8, 6e8])
CAP = np.append(FLOOR[1:], np.inf)
RATE = np.array([0.004, 0.005, 0.0065, 0.01, 0.02, 0.025, 0.05, 0.1, 0.125, 0.15])
AMOUNT = np.append(0.0, np.cumsum(FLOOR[1:] * np.diff(RATE)))
SCHEDULE = lq.MarginSchedule.tiers(
    [{"floor": f, "cap": c, "rate": r, "amount": a} for f, c, r, a in zip(FLOOR, CAP, RATE, AMOUNT, strict=True)]
)


def positions() -> tuple[Sides, Floats, Floats, Floats]:
    random = np.random.default_rng(1)
    side = random.choice(np.array([1, -1]), N)
    entry = random.uniform(20_000, 120_000, N)
    leverage = random.uniform(1.5, 5.0, N)
    qty = random.lognormal(3, 3, N).clip(1e-3, 4000)
    return side, entry, leverage, qty


def numpy_one_tier(side: int | Sides, entry: Floats, leverage: Floats) -> Floats:
    price: Floats = entry * (1 - side / leverage) / (1 - side * 0.004)
    return price


def numpy_tiers(side: Sides, entry: Floats, leverage: Floats, qty: Floats) -> Floats:
    """The price in every tier, then the one whose notional lies in its own tier."""
    margin = qty * entry / leverage
    found = np.full(len(entry), np.nan)
    for floor, cap, rate, amount in zip(FLOOR, CAP, RATE, AMOUNT, strict=True):
        price = (side * qty * entry - margin - amount) / (qty * (side - rate))
        size = qty * price
        inside = (size >= floor) & (size < cap)
        found[inside] = price[inside]
    return found


def measure(report: Report) -> None:
    """Compare and time the three kinds of position."""
    side, entry, leverage, qty = positions()
    one_side: Pair = (
        lambda: lq.liquidation_price("long", entry, leverage, mmr=0.004),
        lambda: numpy_one_tier(1, entry, leverage),
    )
    both_sides: Pair = (
        lambda: lq.liquidation_price(side, entry, leverage, mmr=0.004),
        lambda: numpy_one_tier(side, entry, leverage),
    )
    ten_tiers: Pair = (
        lambda: lq.liquidation_price(side, entry, leverage, qty=qty, schedule=SCHEDULE),
        lambda: numpy_tiers(side, entry, leverage, qty),
    )
    rivals: list[Candidate] = []
    reference: dict[str, Candidate] = {}
    for does, (ours, theirs) in {
        "one tier, longs": one_side,
        "one tier, both sides": both_sides,
        "ten tiers, both sides": ten_tiers,
    }.items():
        got, expected = ours(), theirs()
        known = ~np.isnan(got) & ~np.isnan(expected)
        assert known.mean() > 0.8
        np.testing.assert_allclose(got[known], expected[known], rtol=1e-9, err_msg=f"{does}: wrong, not timed")
        reference[does] = Candidate("liqcore.liquidation_price", does, ours)
        rivals += [reference[does], Candidate("numpy", does, theirs)]
    rotate(rivals, 5)
    report.tables.append(Table("Liquidation prices", f"{N:,} random positions", N, rivals, reference, event="position"))
