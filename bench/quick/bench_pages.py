"""
What a book costs that holds little: a wild print on an axis that grows, the first window on a wide fixed axis.

A wild print is a trade at 80 times the price, the next one at the price again, the windows' ends after them and one
reading of features; the levels are first compared with those of an engine whose axis was that wide from the beginning.
"""

from __future__ import annotations

import numpy as np
import pytest

import liqcore as lq
from timed import Timed

TIERS: dict[float, float] = {2 * i: 1 / 60 for i in range(1, 61)}
NS = 1_000_000_000
START = 1_780_272_000 * NS  # 2026-06-01
PRICE = 60_000.0
TERMS = lq.Instrument(tick_size=0.5, lot_size=0.001)


def engine_before(axis: lq.PriceAxis | None = None) -> lq.Engine:
    """Return an engine of 60 tiers with the levels of a calm hour."""
    engine = lq.Engine(TERMS, leverage=TIERS, axis=axis, window="1m", half_life="1d")
    n = 3_600
    walk = PRICE + np.round(np.random.default_rng(1).normal(0.0, 3.0, n).cumsum())
    engine.trades(ts=START + np.arange(n) * NS, price=walk, qty=np.full(n, 1.0), taker_sell=np.arange(n) % 2 == 0)
    lq.FeatureReader().read(engine)
    return engine


def wild(engine: lq.Engine) -> lq.Engine:
    """Print at 80 times the price and go on."""
    engine.trade(START + 3_600 * NS, 80 * PRICE, 1.0, True)
    engine.trade(START + 3_601 * NS, PRICE, 1.0, True)
    engine.advance(START + 3_720 * NS)
    lq.FeatureReader().read(engine)
    return engine


def check(engine: lq.Engine) -> None:
    """Compare with an axis that needed no room."""
    axis = engine.axis
    assert axis is not None
    wide = wild(engine_before(lq.PriceAxis(low=0.0, high=axis.high, step=axis.step, tick_size=0.5)))
    assert engine.segments() == wide.segments()
    assert engine.stats == wide.stats
    np.testing.assert_array_equal(lq.FeatureReader().read(engine), lq.FeatureReader().read(wide))


@pytest.mark.benchmark(group="a wild print")
def test_wild_print(timed: Timed) -> None:
    """A trade at 80 times the price, one back at it, two windows' ends, features."""
    timed.anew(engine_before, wild, check, of=1, event="print", on="60 tiers, half-lives")


@pytest.mark.benchmark(group="the first window of an engine")
def test_first_window_end(timed: Timed) -> None:
    """`Engine.advance` over the first window's end, on a fixed axis of 25,000 bins and 20 tiers."""
    axis = lq.PriceAxis(low=0.0, high=125_000.0, step=5.0, tick_size=0.5)

    def started() -> lq.Engine:
        engine = lq.Engine(TERMS, leverage={5 * i: 1 / 20 for i in range(1, 21)}, axis=axis, half_life=None)
        engine.trade(0, PRICE, 1.0, False)
        return engine

    def over(engine: lq.Engine) -> lq.Engine:
        engine.advance(300 * NS)
        return engine

    def one_window(engine: lq.Engine) -> None:
        assert len(engine.segments()) == 1
        assert engine.stats.live[0].tolist() == [1_000.0] * 20

    timed.anew(started, over, one_window, of=1, event="window", on="25,000 bins, 20 tiers")
