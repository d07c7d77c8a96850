"""Cascades: a thousand shocks on one map, with quantiles over Y; ends are those of brute force over the map's bins."""

from __future__ import annotations

import numpy as np
import pytest

import liqcore as lq
from reference_cascade import Bin, fixed_points
from timed import Timed

pytestmark = pytest.mark.benchmark(group="1,000 cascades on one map")
SCALE = 0.03


def test_a_thousand_cascades(timed: Timed) -> None:
    """Falls from 0.01 to 10 % of a simulated day's map, five quantiles over fifty Y each."""
    market = lq.simulate(seed=1, days=1.0, trades_per_day=100_000)
    hm = lq.heatmap(trades=market.trades, window="5m")
    shocks = np.linspace(0.01, 10.0, 1_000)
    now = hm.map()
    upper = now.price - (now.prices + now.step)
    bins = [
        Bin(max(float(away), 0.0), float(amount) * SCALE)
        for away, amount in zip(upper, now.long.sum(axis=0), strict=True)
        if amount > 0
    ]

    def check(found: lq.Cascade) -> None:
        assert (found.liquidated > 0).mean() > 0.9
        for i in (0, 250, 499, 999):

            def move(amount: float) -> float:
                return float(found.sigma * now.price * (amount / found.volume) ** 0.5)

            wanted = min(fixed_points("long", bins, shocks[i] * now.price / 100, 0.0, move))
            assert now.price - found.end_price[i] == pytest.approx(wanted, rel=1e-9)

    timed(
        lambda: lq.cascade(hm, shocks, side="long", scale=SCALE), check=check,
        of=len(shocks), event="cascade", on="a simulated day's map",
    )  # fmt: skip
