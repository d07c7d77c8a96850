"""Two heatmaps beside each other: against a slow reference, and numbers that can be seen."""

import io
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image

import liqcore as lq
from liqcore.analysis.compare import _cells, _ranks
from recorded import data_dir


@pytest.fixture(scope="module")
def trades() -> lq.TradeBatch:
    return lq.simulate(seed=4, days=1, trades_per_day=20_000).trades


@pytest.fixture(scope="module")
def pair(trades: lq.TradeBatch) -> tuple[lq.Heatmap, lq.Heatmap]:
    first = lq.heatmap(trades=trades, window="15m", step=100, leverage={20: 1.0})
    second = lq.heatmap(trades=trades, window="30m", step=150, leverage={20: 0.5, 50: 0.5})
    return first, second


def spearman(a: list[float], b: list[float]) -> float:
    def ranks(values: list[float]) -> list[float]:
        return [sum(other < value for other in values) + (sum(o == value for o in values) - 1) / 2 for value in values]

    x, y = ranks(a), ranks(b)
    mx, my = sum(x) / len(x), sum(y) / len(y)
    under = math.sqrt(sum((i - mx) ** 2 for i in x) * sum((j - my) ** 2 for j in y))
    return sum((i - mx) * (j - my) for i, j in zip(x, y, strict=True)) / under if under else math.nan


def spread(heatmap: lq.Heatmap, column: int, low: float, high: float) -> float:
    """What lies from one price to another, if a row's amount lies evenly in it."""
    total = 0.0
    for price, value in zip(heatmap.prices.tolist(), heatmap.values[column].tolist(), strict=True):
        share = min(high, price + heatmap.step) - max(low, price)
        total += value * max(share, 0.0) / heatmap.step
    return total


def test_both_are_brought_to_the_same_cells(pair: tuple[lq.Heatmap, lq.Heatmap]) -> None:
    first, second = pair
    found = lq.compare(first, second)
    assert found.edges[1] - found.edges[0] == 150
    for k in (3, 11, len(found.times) - 1):
        end = int(found.times[k])
        for heatmap, values in ((first, found.first), (second, found.second)):
            column = int(np.flatnonzero(heatmap.times + heatmap.window_ns == end)[0])
            want = [
                spread(heatmap, column, low, high) for low, high in zip(found.edges[:-1], found.edges[1:], strict=False)
            ]
            np.testing.assert_allclose(values[k], want, rtol=1e-6, atol=1e-6 * max(want))


def test_correlations_are_those_of_the_reference(pair: tuple[lq.Heatmap, lq.Heatmap]) -> None:
    found = lq.compare(*pair)
    columns = [spearman(a.tolist(), b.tolist()) for a, b in zip(found.first, found.second, strict=True)]
    np.testing.assert_allclose(found.by_column[0], columns, rtol=1e-9)
    assert found.cells.column_mid == pytest.approx(np.nanmedian(columns))
    count = round(0.1 * found.first.shape[1])
    shared = [
        len(
            {*sorted(range(len(a)), key=lambda i: -a[i])[:count]}
            & {*sorted(range(len(b)), key=lambda i: -b[i])[:count]}
        )
        / count
        for a, b in zip(found.first.tolist(), found.second.tolist(), strict=True)
    ]
    assert found.cells.top == pytest.approx(np.mean(shared))
    assert found.cells.by_chance == pytest.approx(count / found.first.shape[1])


def test_ranks_of_ties() -> None:
    assert _ranks(np.array([[3.0, 1, 3, 0], [0, 0, 0, 0]])).tolist() == [[2.5, 1, 2.5, 0], [1.5] * 4]


def test_a_map_is_itself_at_any_scale(trades: lq.TradeBatch) -> None:
    hm = lq.heatmap(trades=trades, window="30m", step=100)
    found = lq.compare(hm, hm.reweigh(lq.LeverageProfile(hm.leverage.to_dict(), intensity=0.01)))
    for alike in (found.cells, found.left):
        assert alike.column_low == pytest.approx(1.0)
        assert alike.top == pytest.approx(1.0, abs=0.01)


def test_what_only_distance_makes_alike_leaves_little() -> None:
    """Two markets that have nothing in common but the path's scale, laid on the same prices and times."""
    first, second = (
        lq.heatmap(trades=lq.simulate(seed=seed, days=2, trades_per_day=10_000).trades, window="30m", step=200)
        for seed in (5, 6)
    )
    found = lq.compare(first, second)
    assert abs(found.left.column_mid) < found.cells.column_mid + 0.2


def test_what_comes_later_changes_no_column(pair: tuple[lq.Heatmap, lq.Heatmap]) -> None:
    first, second = pair
    cut = lq.compare(first.select(end=int(first.times[60])), second)
    whole = lq.compare(first, second)
    rows = np.searchsorted(whole.edges, cut.edges[0])
    np.testing.assert_allclose(whole.first[: len(cut.times), rows : rows + cut.first.shape[1]], cut.first, rtol=1e-6)


def test_rows_conserve_what_both_show(pair: tuple[lq.Heatmap, lq.Heatmap]) -> None:
    first, _ = pair
    edges = np.array([first.prices[0] - 500, *first.prices, first.prices[-1] + first.step + 700])
    total = _cells(first, np.arange(len(first.times)), edges, "both").sum(axis=1)
    np.testing.assert_allclose(total, first.values.sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize("size", [(1600, 900), (390, 844)])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_picture_shows_both(pair: tuple[lq.Heatmap, lq.Heatmap], size: tuple[int, int], theme: str) -> None:
    made = lq.compare(*pair, names=["ours", "theirs"]).render(width=size[0], height=size[1], theme=theme)
    assert isinstance(made, bytes)
    image = Image.open(io.BytesIO(made))
    assert image.size == size
    assert "ours beside theirs" in image.info["Title"]
    assert len(image.convert("RGB").getcolors(1 << 24) or []) > 100


def test_nothing_in_common_is_refused(trades: lq.TradeBatch) -> None:
    hm = lq.heatmap(trades=trades, window="30m")
    later = lq.TradeBatch(trades.ts + 10**17, trades.price, trades.qty, trades.taker_sell)
    higher = lq.TradeBatch(trades.ts, trades.price * 100, trades.qty, trades.taker_sell)
    with pytest.raises(lq.InvalidConfigError, match="two columns of the same time, were 2026"):
        lq.compare(hm, lq.heatmap(trades=later, window="30m"))
    with pytest.raises(lq.InvalidConfigError, match="at least two rows of prices in common"):
        lq.compare(hm, lq.heatmap(trades=higher, window="30m"))
    with pytest.raises(lq.InvalidConfigError, match='side must be "both", "long" or "short", was \'x\''):
        lq.compare(hm, hm, side="x")


def test_it_is_json(pair: tuple[lq.Heatmap, lq.Heatmap]) -> None:
    answer: dict[str, Any] = lq.compare(*pair).to_dict()
    assert answer["cells"].keys() == answer["left"].keys()
    assert answer["says"].startswith("In a column they correlate by")


def test_two_models_of_a_recorded_day_share_more_than_distance() -> None:
    folder = data_dir()
    trades, context = (
        folder / "trades" / "hyperliquid-BTC-20260613.parquet",
        folder / "context" / "hyperliquid-BTC-context.parquet",
    )
    flow = lq.heatmap(trades, window="15m", model="flow")
    held = lq.heatmap(trades, window="15m", model="oi", open_interest=context)
    found = lq.compare(flow, held)
    columns = [spearman(a.tolist(), b.tolist()) for a, b in zip(found.first[::9], found.second[::9], strict=True)]
    np.testing.assert_allclose(found.by_column[0][::9], columns, rtol=1e-9)
    assert 0 < found.left.column_mid < found.cells.column_mid < 1
