"""A calibration: a month of half hours from candles of a minute, all layers; one core should take at most 10 s."""

from __future__ import annotations

import numpy as np
import pytest

import liqcore as lq
from liqcore.evaluate.calibration import Calibration
from timed import Timed

MINUTE = 60 * 10**9
DAYS = 31


@pytest.fixture(scope="module")
def month() -> tuple[lq.sources.Candles, lq.sources.Liquidations]:
    """Make candles of a walk in whole prices, and liquidations in proportion to how far the price went."""
    rng = np.random.default_rng(1)
    count = DAYS * 1440
    close = np.rint(60_000 * np.exp(np.cumsum(rng.normal(0, 0.0006, count))))
    opened = np.concatenate((close[:1], close[:-1]))
    reach = np.rint(rng.exponential(15.0, (2, count)))
    low, high = np.minimum(opened, close) - reach[0], np.maximum(opened, close) + reach[1]
    bought, sold = rng.integers(1, 999, (2, count)) / 100.0
    ts = 1_772_323_200 * 10**9 + np.arange(count, dtype=np.int64) * MINUTE
    candles = lq.sources.Candles(ts, opened, high, low, close, bought, sold, MINUTE, bought + sold)
    away = np.abs(close - opened).reshape(-1, 30).sum(1) * 100.0
    usd = rng.gamma(2.0, away / 2.0, (2, len(away)))
    return candles, lq.sources.Liquidations(ts[::30], usd[0], usd[1], None, 30 * MINUTE)


@pytest.mark.benchmark(group="calibration")
def test_calibrate_a_month(timed: Timed, month: tuple[lq.sources.Candles, lq.sources.Liquidations]) -> None:
    """All layers, both maps, every null, all intervals."""

    def check(got: Calibration) -> None:
        assert got.path_conditional is not None
        assert got.profile.profile().intensity > 0

    timed.anew(
        lambda: None,
        lambda _: lq.calibrate(*month, symbol="WALK"),
        check,
        rounds=1,
        of=DAYS * 1440,
        event="candle",
        on="a walk of 31 days",
    )
