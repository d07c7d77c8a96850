"""The model presence, beside its comparisons with the reference in test_models.py: what must hold of it always."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import liqcore as lq
from streams import SECOND, START

INST = lq.Instrument(symbol="X", tick_size=1.0, lot_size=1.0, margin=lq.MarginSchedule.flat(0.004))


def engine(exponent: float | None, **options: Any) -> lq.Engine:
    given = {"leverage": {"0.2%": 0.25, 10: 0.25, 100: 0.5}, "window": "1m", "half_life": None, **options}
    return lq.Engine(INST, model="presence", exponent=exponent, **given)


def trades(seed: int, n: int = 4_000, seconds: int = 900) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    ts = START + np.sort(rng.integers(0, seconds * SECOND, n))
    price = 10_000.0 + np.cumsum(rng.integers(-4, 5, n))
    return ts, price, rng.integers(1, 100, n).astype(float), rng.random(n) < 0.5


@given(exponent=st.floats(0, 1), seed=st.integers(0, 2**32), cut=st.integers(1, 3_999))
@settings(deadline=None, max_examples=30)
def test_the_ledger_balances_and_the_future_is_not_known(exponent: float, seed: int, cut: int) -> None:
    rows = trades(seed)
    whole, part = engine(exponent), engine(exponent)
    whole.trades(*rows)
    part.trades(*(column[:cut] for column in rows))
    assert not whole.stats.imbalance().any()
    assert np.all(whole.stats.opened % 1 == 0)  # whole lots
    known = part.segments()[: len(part.segments()) - 1]  # the last is unfinished
    assert whole.segments()[: len(known)] == known


@given(exponent=st.sampled_from([0.0, 0.3, 0.5, 0.9]), order=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_a_second_opens_the_same_in_any_order_of_its_trades(exponent: float, order: random.Random) -> None:
    rows = [(100.0 + order.randint(0, 5), float(order.randint(1, 99)), order.random() < 0.5) for _ in range(40)]
    opened = []
    for _ in range(2):
        order.shuffle(rows)
        one = engine(exponent, trigger="candle")
        for i, row in enumerate(rows):
            one.trade(START + i, *row)
        opened.append(one.stats.opened.tolist())
    assert opened[0] == opened[1]
    taken = [sum(qty for _, qty, sold in rows if sold is side) for side in (False, True)]
    wanted = [round((65536 / 60) ** (1 - exponent) * lots**exponent) if lots else 0 for lots in taken]
    assert opened[0] == [[float(lots)] * 3 for lots in wanted]


def test_time_alone_opens_the_same_every_second_and_every_candle() -> None:
    one = engine(None, leverage={10: 1.0})
    assert one.exponent == 0.0
    for second in range(10):
        for i, qty in enumerate((7.0, 900.0, 3.0)):
            one.trade(START + second * SECOND + i, 10_000.0 + second, qty, False)
    assert one.stats.opened.tolist() == [[10 * 1092.0], [0.0]]  # 65,536 / 60, half to even
    candles = engine(0.0, leverage={10: 1.0})
    ts = START + np.arange(3, dtype=np.int64) * 60 * SECOND
    price = np.full(3, 10_000.0)
    candles.candles(ts, price, price, price, price, np.array([1.0, 500.0, 0.0]), np.array([9.0, 0.0, 0.0]))
    assert candles.stats.opened.tolist() == [[2 * 65536.0], [65536.0]]


def test_volume_alone_is_flow() -> None:
    rows = trades(5)
    flow = lq.Engine(INST, leverage={"0.2%": 0.25, 10: 0.25, 100: 0.5}, window="1m", half_life=None)
    by_volume = engine(1.0)
    flow.trades(*rows)
    by_volume.trades(*rows)
    assert by_volume.segments() == flow.segments()
    assert by_volume.stats == flow.stats


def test_heatmap_features_config_and_meaning() -> None:
    market = lq.simulate(days=0.1, trades_per_day=40_000, seed=8)
    made = lq.heatmap(trades=market.trades, symbol="SIM", model="presence", exponent=0.5)
    assert (made.meta["model"], made.meta["exponent"]) == ("presence", 0.5)
    assert made.meta["meaning"] == "opened presence, decayed"
    again = lq.heatmap(trades=market.trades, config=lq.Config.from_dict(made.meta["config"]))
    np.testing.assert_array_equal(again.values, made.values)
    live = lq.Engine.from_config(lq.Config.from_dict(made.meta["config"]))
    for start in range(0, len(market.trades), 777):
        part = slice(start, start + 777)
        live.trades(*(getattr(market.trades, name)[part] for name in ("ts", "price", "qty", "taker_sell")))
    np.testing.assert_array_equal(live.heatmap(step=made.step).values, made.values)
    threads = lq.heatmap(trades=market.trades, symbol="SIM", model="presence", exponent=0.5, threads=2)
    np.testing.assert_array_equal(threads.values, made.values)
    features = lq.features(market.trades, "5m", symbol="SIM", model="presence", exponent=0.5)
    assert len(features) > 20
    flow = lq.heatmap(trades=market.trades, symbol="SIM")
    assert not np.array_equal(flow.values, made.values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exponent": 1.5}, r"exponent must lie in \[0, 1\], was 1.5"),
        ({"exponent": 0.5, "model": "flow"}, "exponent needs the model presence, was 0.5"),
        ({"exponent": 0.5, "window": "100us"}, "window must be at least 1 ms with the model presence"),
        ({"reconciled": True}, "reconciled needs levels that open interest can be held against, not those of presence"),
    ],
)
def test_what_has_no_meaning_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        lq.Engine(INST, **{"model": "presence", **options})


def test_footprints_have_lost_the_seconds() -> None:
    market = lq.simulate(days=0.05, trades_per_day=20_000, seed=8)
    runs = lq.footprints(trades=market.trades)
    with pytest.raises(lq.InvalidConfigError, match="footprints need the model flow or none"):
        lq.heatmap(trades=runs, model="presence", symbol="SIM")
