"""Prices and quantities of arrays are converted by multiplying; the answer is that of the division, row by row."""

import numpy as np
import pytest

import liqcore as lq


@pytest.mark.parametrize("tick_size", [1.0, 0.5, 0.1, 0.01, 1e-4, 0.3, 7e-8])
@pytest.mark.parametrize("magnitude", [1e2, 1e5, 1e8, 2e9])
def test_arrays_and_single_trades_agree_at_the_edge_of_the_grid_tolerance(tick_size: float, magnitude: float) -> None:
    random = np.random.default_rng(3)
    inst = lq.Instrument(symbol="T", tick_size=tick_size, lot_size=tick_size, margin=lq.MarginSchedule.flat(0.004))
    book_step = float(np.ceil(magnitude / 1e4)) * tick_size
    for _ in range(60):
        n = 3
        off = random.choice([0.0, 4e-7, 4.9e-7, 5.1e-7, 9.9e-7, 1.01e-6], n) * random.choice([-1, 1], n)
        price = (np.rint(random.uniform(0.5, 1.0, n) * magnitude) + off) * tick_size
        off = random.choice([0.0, 4.9e-7, 9.9e-7, 1.01e-6, 0.5], n) * random.choice([-1, 1], n)
        qty = (np.rint(random.uniform(0.1, 10.0, n) * magnitude) + off) * tick_size
        ts = np.full(n, 10**18, dtype=np.int64)
        sell = random.random(n) < 0.5
        batch, single = (lq.Engine(inst, leverage={10: 1.0}, book_step=book_step, half_life=None) for _ in range(2))
        batch.trades(ts, price, qty, sell)
        for row in zip(ts.tolist(), price.tolist(), qty.tolist(), sell.tolist(), strict=True):
            single.trade(*row)
        assert batch.stats == single.stats
        for side in ("long", "short"):
            np.testing.assert_array_equal(batch.levels_lots(side), single.levels_lots(side))
