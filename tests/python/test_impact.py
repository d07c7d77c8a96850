"""Y and the exponent from sweeps: by hand, on simulated cascades whose law is known, on a recorded day."""

import math
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.sources.candles import Candles, read_candles
from liqcore.sources.liquidations import Liquidations, read_liquidations
from recorded import data_dir
from sweeps import HOUR, SECOND, START, cascades, covered


def test_intervals_hold_the_truth_on_simulated_cascades() -> None:
    """A tenth of what `make soak` runs: by chance at most 4 of 20 miss (p 0.003 at 5 %)."""
    assert min(covered(range(20))) >= 0.8


def test_a_sweep_worked_by_hand() -> None:
    ts = START + np.array([0, 5, 6, 7, 30, 31]) * SECOND
    trades = lq.TradeBatch(ts, np.array([100.0, 99.0, 98.0, 97.0, 98.0, 99.0]), np.ones(6), np.ones(6, np.bool_))
    gone = Liquidations(
        START + np.array([5, 6, 30]) * SECOND, np.array([600.0, 400.0, 0.0]), np.array([0.0, 0.0, 250.0]), np.ones(3)
    )
    found = lq.impact(trades, gone, sigma=0.02, volume=100_000.0, after="1s")
    long, short = found.sweeps
    assert (long.side, long.amount, long.before, long.after) == ("long", 1_000.0, 100.0, 97.0)
    assert long.realised_percent == pytest.approx(3.0)
    assert long.predicted_percent == pytest.approx(2.0 * math.sqrt(0.01))  # Y 1: 2 % x sqrt(1,000 / 100,000)
    assert long.predicted_low == pytest.approx(2.0 * 0.5 * 13**0.05 * 0.1)
    assert (short.before, short.after) == (97.0, 99.0)
    assert math.isnan(found.y.value)
    assert found.covered == 0.0
    assert "upper bound" in found.note.lower()


def test_candles_are_known_at_their_ends() -> None:
    ts = START + np.arange(4) * 60 * SECOND
    close = np.array([100.0, 101.0, 104.0, 90.0])
    candles = Candles(ts, close, close, close, close, None, None, 60 * SECOND, volume=np.ones(4))
    gone = Liquidations(np.array([START + 130 * SECOND]), np.zeros(1), np.array([500.0]), np.ones(1))
    (sweep,) = lq.impact(candles, gone, sigma=0.02, volume=1e5).sweeps
    assert (sweep.before, sweep.after) == (101.0, 104.0)  # 60-120 s has ended; 120-180 s is the one it lies in


def test_nothing_later_than_a_sweep_changes_what_it_is_measured_by() -> None:
    rng = np.random.default_rng(1)
    ts = START + np.arange(40_000) * SECOND
    price = 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, len(ts))))
    trades = lq.TradeBatch(ts, price, rng.exponential(1.0, len(ts)), np.ones(len(ts), np.bool_))
    gone = Liquidations(ts[20_000:20_002], np.array([5.0, 6.0]), np.zeros(2), price[20_000:20_002])
    cut = 20_004
    part = lq.TradeBatch(ts[:cut], price[:cut], trades.qty[:cut], trades.taker_sell[:cut])
    (whole,), (then,) = (lq.impact(each, gone).sweeps for each in (trades, part))
    assert whole == then
    days = (ts[19_999] - ts[0]) / (86_400 * SECOND)
    assert whole.volume == pytest.approx((trades.qty * price)[1:20_000].sum() / days)
    assert whole.sigma == pytest.approx(1e-4 * math.sqrt(86_400), rel=0.1)
    early = Liquidations(ts[100:101], np.ones(1), np.zeros(1), np.ones(1))
    assert lq.impact(trades, early).left_out == {"no_hour_before": 1}
    assert lq.impact(trades, Liquidations(ts[:1] - 1, np.ones(1), np.zeros(1), np.ones(1))).left_out == {"no_price": 1}


def test_wrong_arguments_are_refused() -> None:
    trades, gone = cascades(0, 1.0, 0.5, hours=1)
    totals = Liquidations(np.array([START]), np.ones(1), np.ones(1), None, HOUR)
    for given, said in (
        ({"liquidations": totals}, "liquidations must be single ones, each with its price, were totals of bars"),
        ({"sigma": -1.0}, "sigma must be a number above 0, was -1.0"),
        ({"draws": 5}, "draws must be a whole number, at least 100, was 5"),
        ({"y": 0.0}, "y must be above 0, was 0.0"),
        ({"y_range": (3.0, 1.0)}, "y_range must be two numbers above 0, the lower first, was (3.0, 1.0)"),
        ({"gap": "soon"}, "gap must be a length of time"),
    ):
        arguments: dict[str, Any] = {"liquidations": gone, **given}
        with pytest.raises(lq.InvalidConfigError) as error:
            lq.impact(trades, **arguments)
        assert said in str(error.value)


def test_a_recorded_day_side_by_side() -> None:
    """Swaps' liquidations of one venue beside a spot market's minutes: the law's Y of 1 is far below what happened."""
    folder = data_dir()
    candles = read_candles(folder / "klines" / "BTCUSDT-1m-2026-03.zip")
    gone = read_liquidations(folder / "liquidations" / "okx-2026-03-04.csv.gz", symbol="BTC", scale=0.01)
    found = lq.impact(candles, gone, gap="1m", block="15m")
    assert len(found) == 29
    assert found.left_out == {}
    assert [round(sweep.realised_percent, 2) for sweep in found.sweeps[:4]] == [0.44, 0.15, 0.17, 0.08]
    assert found.y_root.low < found.y_root.value < found.y_root.high
    assert found.y_root.low > 1.0
    assert sum(sweep.amount for sweep in found.sweeps) == pytest.approx((gone.long_usd + gone.short_usd).sum())
