"""
A gap in time: a million windows in which nothing happens, with and without half-lives.

Levels after the gap are first compared with the rule by its letter: what is live, halved once a half-life.
"""

from __future__ import annotations

import numpy as np
import pytest

import liqcore as lq
from timed import Timed

WINDOWS = 1_000_000
WINDOW_NS = 1_000_000_000
START = 1_780_272_000 * WINDOW_NS  # 2026-06-01
HALF_LIFE = "30d"

GAP = pytest.mark.benchmark(group=f"a gap of {WINDOWS:,} windows")


def engine_before(half_life: str | None) -> lq.Engine:
    """Return an engine with a few thousand levels and windows of a second."""
    terms = lq.Instrument(tick_size=0.5, lot_size=0.001)
    engine = lq.Engine(terms, leverage={10: 0.5, 25: 0.3, 100: 0.2}, window=WINDOW_NS, half_life=half_life)
    walk = np.random.default_rng(1).normal(0.0, 20.0, 2_000).cumsum()
    n = len(walk)
    engine.trades(
        ts=START + np.arange(n) * (WINDOW_NS // 20),
        price=60_000.0 + np.round(walk) * 0.5,
        qty=np.full(n, 1.0),
        taker_sell=np.arange(n) % 2 == 0,
    )
    engine.advance(START + 200 * WINDOW_NS)
    return engine


def check(half_life: str | None, engine: lq.Engine) -> None:
    """Compare the levels with those before the gap."""
    left = 0.5 ** (WINDOWS / (30 * 86_400)) if half_life else 1.0
    for side in ("long", "short"):
        np.testing.assert_allclose(engine.levels(side), engine_before(half_life).levels(side) * left, rtol=1e-9)


@GAP
@pytest.mark.parametrize("half_life", [None, HALF_LIFE], ids=["none", "half-life"])
def test_advance(timed: Timed, half_life: str | None) -> None:
    """`Engine.advance` over all of it."""

    def over(engine: lq.Engine) -> lq.Engine:
        engine.advance(START + (200 + WINDOWS) * WINDOW_NS)
        return engine

    timed.anew(
        lambda: engine_before(half_life),
        over,
        lambda engine: check(half_life, engine),
        of=WINDOWS,
        event="window",
        on="levels of 2,000 trades, 3 tiers",
    )
