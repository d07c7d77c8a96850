"""Numba, Python and C callers leave the same bits on a recorded day."""

import ctypes

import numba
import numpy as np
import pytest

import liqcore as lq
from days import INSTRUMENT, recorded_day
from liqcore import TradeBatch

pytestmark = [pytest.mark.integration, pytest.mark.recorded]


class Trades(ctypes.Structure):
    """liq_trades of liqcore.h."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("ts", "price", "qty", "taker_sell")] + [("count", ctypes.c_size_t)]


def by_arrays(eng: lq.Engine, trades: TradeBatch) -> None:
    eng.trades(trades)


def one_by_one(eng: lq.Engine, trades: TradeBatch) -> None:
    columns = (trades.ts.tolist(), trades.price.tolist(), trades.qty.tolist(), trades.taker_sell.tolist())
    for trade in zip(*columns, strict=True):
        eng.trade(*trade)


def by_pointers(eng: lq.Engine, trades: TradeBatch) -> None:
    given = Trades(
        *(column.ctypes.data for column in (trades.ts, trades.price, trades.qty, trades.taker_sell)), len(trades)
    )
    assert lq.cfunc("liq_engine_trades")(eng.ptr, ctypes.addressof(given), 0) == 0


def by_numba(eng: lq.Engine, trades: TradeBatch) -> None:
    trade = lq.cfunc("liq_engine_trade")

    @numba.njit
    def feed(engine, ts, price, qty, taker_sell):
        worst = 0
        for i in range(len(ts)):
            worst = max(worst, abs(trade(engine, ts[i], price[i], qty[i], taker_sell[i])))
        return worst

    assert feed(eng.ptr, trades.ts, trades.price, trades.qty, trades.taker_sell) == 0


def state(eng: lq.Engine) -> list[np.ndarray]:
    stats = eng.stats
    parts = (stats.opened, stats.liquidated, stats.closed, stats.unresolved)
    return [lq.FeatureReader().read(eng), eng.levels("long"), eng.levels("short"), *parts]


@pytest.mark.parametrize("feed", [one_by_one, by_pointers, by_numba])
def test_every_caller_leaves_the_same_bits(feed) -> None:
    trades = recorded_day()
    expected, eng = lq.Engine(INSTRUMENT), lq.Engine(INSTRUMENT)
    by_arrays(expected, trades)
    feed(eng, trades)
    assert expected.stats.used == eng.stats.used == len(trades) > 100_000
    assert np.isfinite(state(eng)[0]).any()
    for theirs, ours in zip(state(expected), state(eng), strict=True):
        np.testing.assert_array_equal(ours, theirs)
