"""Liquidation prices of a million positions; the positions and the plain formulas are those of bench/margin.py."""

from __future__ import annotations

import numpy as np
import pytest

import liqcore as lq
import margin
from margin import Floats
from timed import Timed

ON = f"{margin.N:,} random positions"

pytestmark = pytest.mark.benchmark(group="liquidation_price: a million positions")


@pytest.fixture(scope="module")
def positions() -> tuple[margin.Sides, Floats, Floats, Floats]:
    return margin.positions()


def test_liquidation_price_one_tier(timed: Timed, positions: tuple[margin.Sides, Floats, Floats, Floats]) -> None:
    side, entry, leverage, _ = positions
    expected = margin.numpy_one_tier(side, entry, leverage)
    timed(
        lambda: lq.liquidation_price(side, entry, leverage, mmr=0.004),
        lambda got: np.testing.assert_allclose(got, expected, rtol=1e-12),
        of=margin.N,
        event="position",
        on=ON,
    )


def test_liquidation_price_ten_tiers(timed: Timed, positions: tuple[margin.Sides, Floats, Floats, Floats]) -> None:
    side, entry, leverage, qty = positions
    expected = margin.numpy_tiers(side, entry, leverage, qty)

    def check(got: Floats) -> None:
        known = ~np.isnan(got) & ~np.isnan(expected)
        assert known.mean() > 0.8  # the others lie in a gap between tiers, or nowhere
        np.testing.assert_allclose(got[known], expected[known], rtol=1e-9)

    timed(
        lambda: lq.liquidation_price(side, entry, leverage, qty=qty, schedule=margin.SCHEDULE),
        check,
        of=margin.N,
        event="position",
        on=ON,
    )
