"""The grid of the data and the bins of a book: one rule each, the core's."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import liqcore as lq
from liqcore import _core
from liqcore.runs.trades import MOST_LOTS, MOST_TICKS, finest
from recorded import data_dir

START = 1_700_000_100_000_000_000


@pytest.mark.parametrize(
    ("values", "tick", "lot"),
    [
        ([], 1.0, 1.0),
        ([0.0, -0.0], 1.0, 1.0),
        ([63_366.0, 63_367.5], 0.1, 0.1),
        ([np.nan, np.inf, 0.25], 0.01, 0.01),
        ([1e300, 0.5, 0.5], 0.1, 0.1),
        ([1e-8], 1e-8, 1e-8),
        # 0.1.0 looked at no more than eight decimals, and at those only to 1e-9 of the value
        ([1.2e-9, 3e-9], 1e-10, 1e-10),
        ([20_000.00001], 1e-5, 1e-5),
        ([123_456.12345678], 1e-4, 1e-8),
        # computed, and so on no grid
        ([3 * 0.1], 0.1, 0.1),
        ([60_000.1 + 0.05], 0.01, 0.01),
        ([1 / 3], 1e-8, 1e-8),
        ([100 + 1 / 3], 1e-7, 1e-8),
        ([7 * 1e-7 * 1.1], 1e-8, 1e-8),
    ],
    ids=str,
)
def test_the_finest_step(values: list[float], tick: float, lot: float) -> None:
    array = np.array(values, dtype=np.float64)
    assert (finest(array, MOST_TICKS), finest(array, MOST_LOTS)) == (tick, lot)


@example(decimals=1, ticks=[1, 1, 268_435_452])  # the largest has no eight decimals
@given(
    decimals=st.integers(0, 8),
    ticks=st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=50),
)
def test_ticks_that_are_multiplied_out_give_the_step_of_the_same_decimals(decimals: int, ticks: list[int]) -> None:
    written = np.array([float(f"{tick}e-{decimals}") for tick in ticks])
    computed = np.array(ticks) * float(f"1e-{decimals}")
    for most in (MOST_TICKS, MOST_LOTS):
        assert finest(computed, most) == finest(written, most) == float(f"1e-{_core.finest_decimals(written)}")


@pytest.mark.recorded
@pytest.mark.parametrize(("coin", "tick", "lot"), [("BTC", 1.0, 1e-5), ("ETH", 0.1, 1e-4)])
def test_the_grid_of_recorded_days(coin: str, tick: float, lot: float) -> None:
    paths = sorted((data_dir() / "trades").glob(f"hyperliquid-{coin}-*.parquet"))
    assert paths
    for path in paths[:2]:
        with lq.read_trades(path, batch_rows=200_000) as reader:
            batch = next(iter(reader))
        assert (finest(batch.price, MOST_TICKS), finest(batch.qty, MOST_LOTS)) == (tick, lot)


def test_an_engine_and_a_heatmap_choose_the_same_bins() -> None:
    random = np.random.default_rng(20260611)
    for _ in range(1_000):
        tick = float(f"{random.choice([1, 2, 5, 25])}e{random.integers(-8, 2)}")
        ticks = int(10 ** random.uniform(2, 8.5))
        if random.random() < 0.3:  # where the rule changes
            ticks = int(random.choice([1, 2, 5])) * 10 ** int(random.integers(4, 8))
        price = float(f"{ticks * tick:.12g}")
        inst = lq.Instrument(symbol="X", tick_size=tick, lot_size=1.0)
        eng = lq.Engine(inst, leverage={10: 1.0})
        columns = (np.array([START]), np.array([price]), np.array([1.0]), np.array([False]))
        eng.trades(*columns)
        hm = lq.heatmap(trades=columns, instrument=inst, leverage={10: 1.0})
        assert hm.meta["config"]["axis"]["book_step"] == pytest.approx(eng.axis.step, rel=1e-12), (price, tick)
        bins = 5 if eng.axis.step > 1.5 * tick else min(max(round(5e-4 * price / tick), 1), 5)  # coarse ticks: fewer
        assert hm.step == pytest.approx(bins * eng.axis.step, rel=1e-9), (price, tick)
        assert eng.heatmap().prices.tolist() == hm.prices.tolist(), (price, tick)


def test_bins_are_the_widest_that_make_up_the_rows() -> None:
    assert _core.automatic_ticks_per_bin(60_000.0, 0.1) == 50
    assert _core.automatic_ticks_per_bin(60_000.0, 0.1, 180) == 60
    assert _core.automatic_ticks_per_bin(60_000.0, 0.1, 127) == 1
    assert _core.automatic_ticks_per_bin(60_000.0, 0.1, 49) == 49
    assert _core.automatic_ticks_per_bin(0.5, 1.0) == _core.automatic_ticks_per_bin(9_999.0, 1.0) == 1
    assert _core.automatic_ticks_per_bin(1e300, 1e-8) == 200_000  # of the highest price there is
    random = np.random.default_rng(7)
    for _ in range(300):
        price, row = int(random.integers(1, 10**7)), int(random.integers(1, 10**4))
        widths = [n for n in range(1, row + 1) if row % n == 0 and n <= max(1.0, price * 1e-4)]
        assert _core.automatic_ticks_per_bin(price, 1.0, row) == max(widths)


@pytest.mark.parametrize("decimals", [*range(0, 31), 100, 250])
def test_the_grid_of_prices_of_any_size(decimals: int) -> None:
    ticks = 12_345 + np.cumsum(np.random.default_rng(decimals).integers(-3, 4, 500))
    prices = np.array([float(f"{tick}e-{decimals}") for tick in ticks.tolist()])
    assert finest(prices, MOST_TICKS) == float(f"1e-{decimals}")
    computed = prices / 3  # on no decimal grid: fine enough to tell its own steps apart
    grid = finest(computed, MOST_TICKS)
    assert 1e5 < np.median(computed) / grid < 2.0**31


def test_results_are_those_of_larger_units_down_to_prices_of_a_billionth_of_a_billionth() -> None:
    ticks = 12_345 + np.cumsum(np.random.default_rng(5).integers(-3, 4, 600))
    times, sold = START + np.arange(600) * 1_000_000_000, np.arange(600) % 3 == 0
    minutes, ones = START + np.arange(10) * 60_000_000_000, np.ones(10)

    def both(scale: str) -> list[lq.Heatmap]:
        price = np.array([float(f"{tick}{scale}") for tick in ticks.tolist()])
        by_minute = price.reshape(10, 60)
        columns = (by_minute[:, 0], by_minute.max(axis=1), by_minute.min(axis=1), by_minute[:, -1], ones, ones)
        candles = lq.sources.Candles(minutes, *map(np.ascontiguousarray, columns), 60_000_000_000)
        return [
            lq.heatmap(symbol="X", leverage={10: 1.0}, outlier=0, **given).select(unit="quantity")
            for given in ({"trades": (times, price, np.ones(600), sold)}, {"candles": candles})
        ]

    for scale in ("e-8", "e-12", "e-15", "e-18"):
        for small, right in zip(both(scale), both("e0"), strict=True):
            np.testing.assert_array_equal(small.values, right.values)
            assert small.step == pytest.approx(float(f"{right.step:g}{scale}"))
