"""Feeding an engine through the C function gives what feeding it from Python gives."""

import ctypes

import numpy as np
import pytest

import liqcore as lq

TRADE = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_size_t, ctypes.c_int64, ctypes.c_double, ctypes.c_double, ctypes.c_int32
)(lq.cfunc_address("liq_engine_trade"))


def engine() -> lq.Engine:
    return lq.Engine(lq.Instrument(tick_size=0.1, lot_size=1e-3), window="1m")


def test_trades_through_the_pointer_equal_trades_in_arrays() -> None:
    trades = lq.simulate(seed=6, days=0.02).trades
    through, arrays = engine(), engine()
    arrays.trades(trades.ts, trades.price, trades.qty, trades.taker_sell)
    for row in zip(
        trades.ts.tolist(), trades.price.tolist(), trades.qty.tolist(), trades.taker_sell.tolist(), strict=True
    ):
        assert TRADE(through.ptr, *row) == 0
    assert through.stats == arrays.stats
    for side in ("long", "short"):
        np.testing.assert_array_equal(through.levels_lots(side), arrays.levels_lots(side))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((2, 60_000.0, 1.0, 0), ""),
        ((0, 60_000.0, 1.0, 0), "late"),
        ((2, float("nan"), 1.0, 0), "not_finite"),
        ((2, 60_000.0, 0.0, 0), "not_positive"),
        ((2, 1e300, 1.0, 0), "too_large"),
        ((2, 60_000.05, 1.0, 0), "off_grid"),
    ],
)
def test_the_answer_is_the_reason(row: tuple[int, float, float, int], reason: str) -> None:
    eng = engine()
    eng.trade(1, 60_000.0, 1.0, False)
    answer = TRADE(eng.ptr, *row)
    reasons = ["", "late", "not_finite", "not_positive", "too_large", "off_grid"]
    assert reasons[answer] == reason
    assert {name: count for name, count in eng.stats.rejected.items() if count} == ({reason: 1} if reason else {})


def test_what_would_raise_answers_minus_one_and_changes_nothing() -> None:
    eng = engine()
    eng.trade(1, 60_000.0, 1.0, False)
    before = eng.stats
    assert TRADE(eng.ptr, 2**61, 60_000.0, 1.0, 0) == -1
    assert eng.stats == before


def test_an_unknown_function_is_refused_by_name() -> None:
    with pytest.raises(lq.InvalidConfigError, match=r"name must be a function of liqcore.h .*was liq_nothing"):
        lq.cfunc_address("liq_nothing")
