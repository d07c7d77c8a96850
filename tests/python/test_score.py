"""A score is what a slow reference says, sees nothing that comes later, and tells a right map from a wrong one."""

from __future__ import annotations

import functools
import inspect
import json
import math
import os
import typing
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import liqcore as lq
import reference_score as reference
from liqcore.config import Config
from liqcore.errors import DataError, InvalidConfigError
from liqcore.evaluate.amounts import Amounts, amounts_of, reach_chance
from liqcore.evaluate.fit import walk_forward
from liqcore.evaluate.ladder import Cases, Gain, Ladder, Split
from liqcore.evaluate.lift import top_quarter
from liqcore.evaluate.measures import Drawings, drawn
from liqcore.evaluate.nulls import OTHER_VOLUMES, activity_of, other_volumes, path_of
from liqcore.evaluate.score import (
    CONSTANT,
    MAP,
    PERMUTED,
    SHIFTED,
    Blocks,
    Market,
    Part,
    Prepared,
    grouped,
    part_of,
    prepare,
)
from liqcore.sources import Candles, Liquidations, candles_of, read_liquidations
from recorded import data_dir

MINUTE, HOUR = 60 * 10**9, 3600 * 10**9
START = 1_772_323_200 * 10**9  # a midnight
few = st.integers(0, 4).map(float)

# ------------------------------------------------------------------------------------------------------- the measures


@given(st.lists(st.tuples(few, few, st.integers(0, 3)), min_size=3, max_size=30), st.integers(0, 9))
def test_rank_correlation_is_that_of_the_reference_in_every_drawing(rows: list[Any], seed: int) -> None:
    x, y, block = (np.array(column) for column in zip(*rows, strict=True))
    counts = drawn(4, 5, seed)
    found = Drawings(y, block, counts).rank_correlation(x)
    for row, value in zip(counts, found, strict=True):
        times = [int(row[b]) for b in block]
        try:
            expected = reference.spearman(x.tolist(), y.tolist(), times)
        except ZeroDivisionError:
            expected = math.nan
        assert value == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_drawings_in_pieces_are_those_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x, y, block = rng.random(50), rng.random(50), np.sort(rng.integers(0, 6, 50))
    counts = drawn(6, 40, 1)
    whole = Drawings(y, block, counts).rank_correlation(x)
    monkeypatch.setattr("liqcore.evaluate.measures._CELLS", 130)
    np.testing.assert_array_equal(Drawings(y, block, counts).rank_correlation(x), whole)


def test_the_other_measures_are_sums_over_what_was_drawn() -> None:
    rng = np.random.default_rng(4)
    x, y, block = rng.random(20), rng.random(20), np.sort(rng.integers(0, 4, 20))
    counts = drawn(4, 6, 2)
    drawings = Drawings(y, block, counts)
    for row, r, mean, ratio in zip(
        counts, drawings.correlation(x), drawings.mean(x), drawings.ratio(x, y), strict=True
    ):
        many = np.repeat(np.arange(20), row[block].astype(int))
        assert r == pytest.approx(np.corrcoef(x[many], y[many])[0, 1])
        assert mean == pytest.approx(x[many].mean())
        assert ratio == pytest.approx(x[many].sum() / y[many].sum())


@given(npst.arrays(float, (24, 3), elements=st.integers(-3, 3).map(float)), st.integers(0, 9))
def test_walk_forward_is_that_of_the_reference(features: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, block = rng.normal(size=24), np.sort(rng.integers(0, 6, 24))
    block -= block[0]
    block = np.unique(block, return_inverse=True)[1]
    first = min(2, int(block[-1]))
    found = walk_forward(features, truth, block, first)
    expected = reference.walk_forward(features.tolist(), truth.tolist(), block.tolist(), first)
    for mean, spread, wanted in zip(found.mean, found.spread, expected, strict=True):
        if wanted is None or first == 0:
            continue
        assert mean == pytest.approx(wanted[0], abs=1e-6)
        assert spread == pytest.approx(wanted[1], abs=1e-5)


@given(st.lists(few, min_size=1, max_size=20))
def test_the_top_quarter_is_that_of_the_reference_and_a_quarter(values: list[float]) -> None:
    found = top_quarter(np.array(values))
    np.testing.assert_allclose(found, reference.top_quarter(values), atol=1e-12)
    assert found.sum() == pytest.approx(len(values) / 4)


def test_the_chance_to_be_reached_is_the_reflection_principle() -> None:
    distances = np.linspace(0, 8, 200)
    expected = [math.erfc(x / math.sqrt(2)) for x in distances]
    np.testing.assert_allclose(reach_chance(distances), expected, atol=2e-7)


# ------------------------------------------------------------------------------------------------------------- the map


def walk(seed: int, minutes: int, price: float = 10_000.0, move: float = 0.001, scale: float = 1.0) -> Candles:
    """Candles of a random walk in whole prices; volumes are whole lots."""
    rng = np.random.default_rng(seed)
    closes = np.rint(price * np.exp(np.cumsum(rng.normal(0, move, minutes))))
    opens = np.concatenate(([price], closes[:-1]))
    reach = np.rint(price * move * rng.exponential(0.5, (2, minutes)))
    low, high = np.minimum(opens, closes) - reach[0], np.maximum(opens, closes) + reach[1]
    bought, sold = rng.integers(1, 9, (2, minutes)) * scale
    return Candles(START + np.arange(minutes) * MINUTE, opens, high, low, closes, bought, sold, MINUTE, bought + sold)


SETTINGS: Mapping[str, Any] = {
    "instrument": {"symbol": "X", "tick_size": 1.0, "lot_size": 1.0, "mmr": 0.004},
    "leverage": {"shares": {"25": 0.25, "50": 0.5, "100": 0.25}},
    "axis": {"book_step": 2.0, "step": 10.0},
    "model": {"name": "flow", "trigger": "last", "half_life": {"25": "7d", "50": "3h", "100": "1h"}},
}


@pytest.mark.parametrize(
    ("seed", "half_lives", "scale"),
    [(0, None, 1.0), (1, None, 1.0), (2, [7 * 24 * HOUR, 3 * HOUR, HOUR], 1e6)],  # cells below half a lot close
)
def test_what_a_map_says_of_each_bar_is_what_the_reference_says(
    seed: int, half_lives: list[float] | None, scale: float
) -> None:
    candles = walk(seed, 600, scale=scale)
    bars = START + np.arange(1, 20) * 30 * MINUTE
    config = Config.from_dict(SETTINGS)
    if half_lives is None:
        config = config.replace(model={"half_life": "none"})
    found = amounts_of(candles, config, bars, 30 * MINUTE, np.full(len(bars), 0.005))
    names = ("ts_open", "low", "high", "close", "buy_qty", "sell_qty")
    rows = [
        dict(zip(("start", "low", "high", "close", "bought", "sold"), row, strict=True))
        for row in zip(*(getattr(candles, name).tolist() for name in names), strict=True)
    ]
    said = reference.map_of(rows, [25, 50, 100], 0.004, half_lives or [math.inf] * 3, 2.0, 30 * MINUTE)
    for part in ("frozen", "in_bar"):
        expected = np.array([bar[part] for bar in said[1:20]]).transpose(1, 2, 0)
        assert expected.sum() > 0
        np.testing.assert_allclose(getattr(found, part), expected, rtol=1e-12 if half_lives is None else 1e-5)


def test_rows_that_are_kept_sum_to_what_is_said_of_the_bar() -> None:
    candles = walk(5, 600)
    bars = START + np.arange(1, 20) * 30 * MINUTE
    everything = frozenset(range(len(bars)))
    found = amounts_of(
        candles, Config.from_dict(SETTINGS), bars, 30 * MINUTE, np.full(len(bars), 0.005), rows_of=everything
    )
    for (side, bar), reached in found.reached.items():
        assert reached.frozen.sum() <= found.weighted(found.frozen)[side, bar] + 1e-6
        assert reached.whole.sum() == pytest.approx(
            reached.frozen.sum() + found.weighted(found.in_bar)[side, bar], rel=1e-9
        )
    kept = sum(reached.frozen.sum() for reached in found.reached.values())
    assert kept == pytest.approx(found.weighted(found.frozen).sum(), rel=0.02)  # but where the market jumps over rows


def test_nothing_said_of_a_bar_depends_on_what_comes_after() -> None:
    """Candles and truth are cut at a bar's end: what was said up to it stays, bit for bit."""
    candles = walk(7, 3000)
    bars = START + np.arange(4, 90) * 30 * MINUTE
    cut = 60
    end = int(bars[cut])
    n = int(np.searchsorted(candles.ts_open, end))
    short = replace(
        candles, **{name: getattr(candles, name)[:n] for name in
                    ("ts_open", "open", "high", "low", "close", "buy_qty", "sell_qty", "volume")}
    )  # fmt: skip
    whole_path, cut_path = path_of(candles, bars, 30 * MINUTE), path_of(short, bars[:cut], 30 * MINUTE)
    for name in ("seen", "before", "range_volume", "pre_move", "spread"):
        np.testing.assert_array_equal(getattr(whole_path, name)[..., :cut], getattr(cut_path, name))
    config = Config.from_dict(SETTINGS)
    said = amounts_of(candles, config, bars, 30 * MINUTE, whole_path.spread)
    said_cut = amounts_of(short, config, bars[:cut], 30 * MINUTE, cut_path.spread)
    for name in ("frozen", "in_bar", "near"):
        np.testing.assert_array_equal(getattr(said, name)[..., :cut], getattr(said_cut, name))
    truth = np.random.default_rng(1).exponential(1e4, (2, len(bars)))
    np.testing.assert_array_equal(
        activity_of(bars, truth, 30 * MINUTE)[..., :cut], activity_of(bars[:cut], truth[:, :cut], 30 * MINUTE)
    )


def test_what_the_forecast_sees_of_a_bar_is_known_when_it_begins() -> None:
    """Candles of the bar itself are changed: nothing of the forecast moves, and the map as it stood does not either."""
    candles = walk(8, 1200)
    bars = START + np.arange(4, 39) * 30 * MINUTE
    at = 20
    inside = (candles.ts_open >= bars[at]) & (candles.ts_open < bars[at] + 30 * MINUTE)
    assert inside.sum() == 30
    other = replace(
        candles,
        high=np.where(inside, candles.high + 300, candles.high),
        low=np.where(inside, candles.low - 300, candles.low),
        buy_qty=np.where(inside, 99.0, candles.buy_qty),
    )
    one, two = (path_of(of, bars, 30 * MINUTE) for of in (candles, other))
    np.testing.assert_array_equal(one.before[..., at], two.before[..., at])
    np.testing.assert_array_equal(one.pre_move[..., at], two.pre_move[..., at])
    assert one.spread[at] == two.spread[at]
    config = Config.from_dict(SETTINGS)
    near = [amounts_of(of, config, bars, 30 * MINUTE, one.spread).near for of in (candles, other)]
    np.testing.assert_array_equal(near[0][..., at], near[1][..., at])
    assert (near[0][..., at + 1] != near[1][..., at + 1]).any()


# ----------------------------------------------------------------------------------------------------------- the nulls


def test_the_nulls_have_the_same_prices_and_other_volumes() -> None:
    candles = walk(9, 6 * 1440)
    day = candles.ts_open // (24 * HOUR)
    for kind in OTHER_VOLUMES:
        other = other_volumes(candles, kind, seed=4)
        for name in ("ts_open", "open", "high", "low", "close"):
            assert getattr(other, name) is getattr(candles, name)
        assert other.buy_qty is not None
        assert other.sell_qty is not None
        both = other.buy_qty + other.sell_qty
        if kind == "constant":
            assert both.ptp() == 0 if hasattr(both, "ptp") else np.ptp(both) == 0
            assert both[0] == pytest.approx((candles.buy_qty + candles.sell_qty).mean(), abs=1)  # type: ignore[operator]
        elif kind == "permuted":
            for one in np.unique(day):
                np.testing.assert_array_equal(np.sort(other.buy_qty[day == one]), np.sort(candles.buy_qty[day == one]))  # type: ignore[index]
            assert (other.buy_qty != candles.buy_qty).mean() > 0.5
        else:
            np.testing.assert_array_equal(other.buy_qty[3 * 1440 :], candles.buy_qty[: 3 * 1440])  # type: ignore[index]


def test_features_of_a_bar_worked_by_hand() -> None:
    ts = START + np.arange(4) * 30 * MINUTE
    candles = Candles(
        ts, np.array([100.0, 100, 102, 101]), np.array([101.0, 103, 102, 101]), np.array([99.0, 100, 98, 100]),
        np.array([100.0, 102, 101, 101]), np.array([1.0, 2, 3, 4]), np.array([4.0, 3, 2, 1]), 30 * MINUTE,
    )  # fmt: skip
    path = path_of(candles, ts[2:3], 30 * MINUTE)
    long, short = path.seen[0, :, 0], path.seen[1, :, 0]
    assert long[0] == short[0] == pytest.approx(math.log1p(5 * 101))
    assert long[1] == pytest.approx(math.log1p((102 / 98 - 1) / 1e-4))
    assert long[2] == pytest.approx(math.log1p((102 - 98) / 102 / 1e-4))
    assert short[2] == 0  # the high was the open
    assert long[3] == pytest.approx(math.log1p(-math.log(101 / 102) / 1e-4)) == pytest.approx(-short[3])
    assert (long[4], short[4]) == pytest.approx((math.log1p(2 * 101), math.log1p(3 * 101)))
    assert long[6] == pytest.approx(math.log1p((99 - 98) / 102 / 1e-4))  # beyond the low of the four hours before
    assert short[6] == 0
    assert path.low[0] == 98
    bars = START + np.array([0, 4, 5]) * HOUR  # three are missing
    assert activity_of(bars, np.array([[1.0, 2.0, 5.0], [10.0, 0.0, 0.0]]), HOUR)[:, :, 2] == pytest.approx(
        np.log1p([[2, 2, 3, 13], [0, 0, 10, 13]])
    )


# -------------------------------------------------------------------------------------------------- right, and wrong


@functools.cache
def simulated(seed: int, days: float = 4.0) -> tuple[lq.Market, Candles, Liquidations]:
    market = lq.simulate(seed=seed, days=days, trades_per_day=20_000, volatility=0.03)
    said = market.liquidations
    usd = said.quantity * said.price
    truth = Liquidations(said.ts, np.where(said.side > 0, usd, 0.0), np.where(said.side < 0, usd, 0.0), said.price)
    return market, candles_of(market.trades, "1m"), truth


def true_amounts(market: lq.Market, one: Prepared, quantity: Any) -> Amounts:
    """The map of the real positions, in the place of an estimate: of these quantities, in one layer."""
    candles, like, bar_ns, spread = one.market.candles, one.maps[MAP], one.bar_ns, one.path.spread
    p = market.positions
    close = {int(t): c for t, c in zip(candles.ts_open + candles.interval_ns, candles.close, strict=True)}
    shape = (2, 1, len(like.start))
    frozen, in_bar, near = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    ends = candles.ts_open + candles.interval_ns
    for i, start in enumerate(like.start.tolist()):
        inside = slice(np.searchsorted(candles.ts_open, start), np.searchsorted(candles.ts_open, start + bar_ns))
        low, high = candles.low[inside].min(), candles.high[inside].max()
        price = close.get(start, float(candles.close[max(np.searchsorted(ends, start, side="right") - 1, 0)]))
        here = np.isfinite(p.liquidation_price) & (p.opened < start + bar_ns) & (p.ended > start)
        for side, sign in enumerate((1, -1)):
            mine = np.flatnonzero(here & (p.side == sign))
            level = p.liquidation_price[mine]
            usd = quantity[mine] * level
            reached = level >= low if sign > 0 else level <= high
            old = p.opened[mine] < start
            frozen[side, 0, i] = usd[reached & old].sum()
            in_bar[side, 0, i] = usd[reached & ~old].sum()
            away = np.abs(np.log(level[old] / price)) / max(spread[i], 1e-9)
            near[side, 0, i] = usd[old] @ reach_chance(away)
    one = np.ones(1)
    return Amounts(like.start, one * 10.0, one, frozen, in_bar, near, like.step)


@pytest.fixture(scope="module")
def prepared() -> tuple[lq.Market, Prepared]:
    """A simulated market, and what the model "flow" with its true leverage says of it."""
    market, candles, truth = simulated(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # minutes without a trade
        made = lq.heatmap(candles=candles, symbol="SIM", leverage=dict(market.profile), model="flow")
    settled = Config.from_dict(made.meta["config"])
    return market, prepare(Market("sim", candles, truth, settled), 30 * MINUTE, 12 * HOUR, 0)


def part_with(one: Prepared, **maps: Amounts) -> Part:
    """Score with another map in the place of the one that was made; each map is one group."""
    held = {**one.maps, **{name.replace("_", " "): of for name, of in maps.items()}}
    parts = ("frozen", "in_bar", "near")
    summed = {
        name: replace(
            of,
            tiers=np.full(1, 10.0),
            weights=np.ones(1),
            **{part: of.weighted(getattr(of, part))[:, None] for part in parts},
        )
        for name, of in held.items()
    }
    blocks = Blocks([one.bars], 4 * HOUR)
    return part_of([replace(one, maps=summed)], blocks, Split.of(len(blocks)), "path_conditional", 400, 1)


def test_the_map_of_the_real_positions_beats_every_null(prepared: tuple[lq.Market, Prepared]) -> None:
    market, one = prepared
    real = true_amounts(market, one, market.positions.quantity)
    part = part_with(one, map=real)
    assert len(part.gains) == 7
    for gain in part.gains:  # constant, shifted, permuted volume among them
        assert gain.positive, gain
        assert gain.frozen.low > 0, gain
    random = true_amounts(market, one, np.random.default_rng(0).permutation(market.positions.quantity))
    over_random = part_with(one, map=real, constant_volume=random)  # in the place of the constant one
    assert next(gain for gain in over_random.gains if gain.over == f"N12 + {CONSTANT}").positive


def test_a_map_of_other_bars_adds_nothing(prepared: tuple[lq.Market, Prepared]) -> None:
    _, one = prepared
    held = one.maps[MAP]
    order = np.random.default_rng(0).permutation(len(held.start))
    mixed = replace(held, frozen=held.frozen[..., order], in_bar=held.in_bar[..., order])
    assert not part_with(one, map=mixed).strongest.positive


def ignoring(seed: int) -> Gain:
    """The gain of a map over all nulls where liquidations follow the bar's path and a clustered mood, no position."""
    rng = np.random.default_rng(seed)
    candles = walk(1000 + seed, 8 * 1440, move=0.0008)
    assert candles.volume is not None
    busy = np.repeat(np.exp(rng.normal(0, 0.4, 8 * 24)), 60)  # volumes that the hours share
    candles = replace(
        candles,
        buy_qty=np.rint(candles.buy_qty * busy * 10),
        sell_qty=np.rint(candles.sell_qty * busy * 10),
        volume=candles.volume * busy * 10,
    )
    bars = START + np.arange(8 * 48) * 30 * MINUTE
    path = path_of(candles, bars, 30 * MINUTE)
    mood = np.repeat(rng.normal(0, 0.7, (2, 8 * 4)), 12, axis=1)
    log_usd = 2.0 + 0.9 * path.range_volume[:, 0] + mood + rng.normal(0, 1.0, mood.shape)
    truth = Liquidations(bars, np.exp(log_usd[0]), np.exp(log_usd[1]), None, 30 * MINUTE)
    one = prepare(Market("x", candles, truth, Config.from_dict(SETTINGS)), 30 * MINUTE, 24 * HOUR, seed)
    blocks = Blocks([one.bars], 6 * HOUR)
    part = part_of([one], blocks, Split.of(len(blocks)), "path_conditional", 200, seed)
    return part.strongest


def test_where_liquidations_ignore_the_map_the_score_says_that_it_adds_nothing() -> None:
    """At 2.5 % a seed, two of five have a chance of 0.6 %; `make soak` takes 200, of which 12 have one of 0.4 %."""
    seeds = int(os.environ.get("LIQCORE_SCORE_SEEDS", "5"))
    gains = [ignoring(seed) for seed in range(seeds)]
    above, below = sum(gain.positive for gain in gains), sum(gain.spearman.high < 0 for gain in gains)
    print(f"{above} of {seeds} intervals lie above zero, {below} below")
    assert above < max(2, 0.06 * seeds)


def test_a_distance_is_grouped_as_the_leverage_that_it_is() -> None:
    amounts = np.ones((2, 4, 3))
    tiers = np.array([0.002, 0.1, 10.0, 500.0])  # 0.2 % and 500x are near, 10 % and 10x far
    found = grouped(amounts, tiers, np.array([1.0, 2.0, 4.0, 8.0]))
    np.testing.assert_allclose(np.expm1(found[0, :, 0]), [6.0, 9.0])


def test_gains_are_differences_of_levels_and_parts_sum() -> None:
    candles = walk(3, 8 * 1440)
    bars = START + np.arange(48, 8 * 48) * 30 * MINUTE
    rng = np.random.default_rng(1)
    truth = rng.exponential(1e4, (2, len(bars)))
    path = path_of(candles, bars, 30 * MINUTE)
    features = {"path": path.seen, "a": rng.random((2, 1, len(bars))), "b": np.log1p(truth)[:, None]}
    blocks = Blocks([bars], 12 * HOUR)
    split = Split.of(len(blocks))
    ladder = Ladder([Cases(truth, blocks.of(bars), features)], split, draws=200, seed=0)
    gain = ladder.gain("x", "path", ("path",), ("a", "b"))
    assert gain.spearman.value == pytest.approx(
        ladder.level("", "path", "a", "b").spearman.value - ladder.level("", "path").spearman.value
    )
    assert gain.frozen.value + gain.in_bar.value == pytest.approx(gain.spearman.value)
    assert gain.positive
    assert gain.spearman.value > 0.5
    assert gain.effective == pytest.approx(ladder.tested / gain.inflation**2)


# ------------------------------------------------------------------------------------------------------------ the whole


@pytest.fixture(scope="module")
def whole() -> lq.Score:
    _, candles, truth = simulated(2, days=2.0)
    return lq.score(
        candles, truth, bar="15m", block="2h", warmup="6h", draws=200, complete=True, symbol="SIM", feed="simulated"
    )


def test_a_score_says_all_that_it_must(whole: lq.Score) -> None:
    text = whole.to_text()
    for words in (
        *("constant volume", "permuted", "shifted", "simulated", "complete", "only train", "delisted", "dollars"),
        *("times those of independent", "range x volume", "top quarter", "farthest", "opened in the bar"),
    ):
        assert words in text, words
    assert text.startswith(whole.verdict)
    said = json.loads(whole.to_json())
    assert said["statement"]["split"]["tested"] >= 8
    assert {gain["over"] for gain in said["path_conditional"]["gains"]} >= {f"N12 + {CONSTANT}", f"N12 + {PERMUTED}"}
    assert said["lift"]["market"]["frozen"][0]["name"] == "map"
    assert "Score(" in repr(whole)


def test_a_score_is_the_same_again(whole: lq.Score) -> None:
    _, candles, truth = simulated(2, days=2.0)
    again = lq.score(
        candles, truth, bar="15m", block="2h", warmup="6h", draws=200, complete=True, symbol="SIM", feed="simulated"
    )
    assert again.to_dict() == whole.to_dict()


@pytest.mark.parametrize(("size", "theme"), [((640, 480), "dark"), ((1600, 900), "light")])
def test_its_picture_is_drawn(whole: lq.Score, size: tuple[int, int], theme: str, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    path = whole.render(tmp_path / "score.png", width=size[0], height=size[1], theme=theme)
    assert isinstance(path, Path)
    assert path.read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(InvalidConfigError, match="theme"):
        whole.render(theme="blue")


def test_too_little_time_is_said_and_not_scored() -> None:
    _, candles, truth = simulated(2, days=1.0)
    short = lq.score(candles, truth, bar="30m", warmup="6h", draws=100, symbol="SIM")
    assert short.path_conditional is None
    assert "not enough time" in short.verdict
    assert any("too few to fit" in note for note in short.notes)
    with pytest.raises(InvalidConfigError, match="not enough time"):
        short.render()


def test_several_markets_share_blocks_and_are_scored_as_one() -> None:
    markets = {}
    truths = {}
    for seed in (2, 3):
        _, markets[f"M{seed}"], truths[f"M{seed}"] = simulated(seed, days=2.0)
    both = lq.score(markets, truths, bar="30m", block="3h", warmup="6h", draws=100, symbol="SIM")
    assert [one["name"] for one in both.statement["markets"]] == ["M2", "M3"]
    assert both.path_conditional is not None
    alone = [
        lq.score(markets[name], truths[name], bar="30m", block="3h", warmup="6h", draws=100, symbol="SIM")
        for name in markets
    ]
    assert both.path_conditional.levels[1].spearman.value == pytest.approx(
        np.mean([one.path_conditional.levels[1].spearman.value for one in alone if one.path_conditional])
    )


def test_what_cannot_be_scored_is_refused() -> None:
    candles = walk(1, 2 * 1440)
    bars = START + np.arange(96) * 30 * MINUTE
    truth = Liquidations(bars, np.ones(96), np.ones(96), None, 30 * MINUTE)
    with pytest.raises(InvalidConfigError, match=r"bar must be a multiple of the totals' bars \(30m\), was 45m"):
        lq.score(candles, truth, bar="45m")
    with pytest.raises(InvalidConfigError, match="draws must be a whole number from 100 to 10,000, was 5"):
        lq.score(candles, truth, draws=5)
    with pytest.raises(InvalidConfigError, match=r"seed must be a whole number from 0 to .*, was -1"):
        lq.score(candles, truth, seed=-1)
    with pytest.raises(InvalidConfigError, match=r"seed must be a whole number, was 1\.5"):
        lq.score(candles, truth, seed=1.5)  # type: ignore[arg-type]
    with pytest.raises(InvalidConfigError, match=r"block must be at least a bar \(30m\), was 1m"):
        lq.score(candles, truth, block="1m")
    with pytest.raises(InvalidConfigError, match="same markets"):
        lq.score({"a": candles}, {"b": truth})
    with pytest.raises(InvalidConfigError, match="must both be mappings"):
        lq.score({"a": candles}, truth)
    with pytest.raises(DataError, match="expected liquidations in the time of the candles"):
        lq.score(candles, replace(truth, ts=bars + 10**17 // 1800 // 10**9 * 1800 * 10**9))
    with pytest.raises(InvalidConfigError, match="volumes"):
        lq.score(replace(candles, buy_qty=None, sell_qty=None, volume=None), truth)
    with pytest.raises(InvalidConfigError, match='model must be "flow"'):
        lq.score(candles, truth, config=Config.from_dict({"model": {"name": "blend"}}))
    with pytest.raises(InvalidConfigError, match="multiple of the candles' interval"):
        lq.score(candles, replace(truth, bar_ns=90 * 10**9))


# ----------------------------------------------------------------------------------------------------- the liquidations


def test_totals_and_single_liquidations_are_read(tmp_path: Path) -> None:
    totals = tmp_path / "totals.csv"
    totals.write_text("ts_ms,long_liquidation_usd,short_liquidation_usd\n1772323200000,5,0\n1772326800000,1,2.5\n")
    found = read_liquidations(totals)
    assert (found.bar_ns, found.long_usd.tolist(), found.short_usd.tolist()) == (HOUR, [5.0, 1.0], [0.0, 2.5])
    single = tmp_path / "single.csv"
    rows = ["sell,1000,50", "BUY,30,51", "long,7,49", "short,9,52"]
    single.write_text(
        "timestamp,coin,side,size_usd,price\n"
        + "".join(f"{1772323200000 + i},{'BTC' if i < 3 else 'ETH'},{row}\n" for i, row in enumerate(rows))
    )
    found = read_liquidations(single, symbol="BTC", scale=0.5)
    assert (found.long_usd.tolist(), found.short_usd.tolist()) == ([500.0, 0.0, 3.5], [0.0, 15.0, 0.0])
    assert found.price is not None
    assert found.price.tolist() == [50, 51, 49]
    other = read_liquidations(single, symbol="BTC", side_is="position")
    assert (other.long_usd.tolist(), other.short_usd.tolist()) == ([0.0, 30.0, 7.0], [1000.0, 0.0, 0.0])
    with pytest.raises(DataError, match="expected one symbol, found BTC, ETH"):
        read_liquidations(single)
    quantities = tmp_path / "q.csv"
    quantities.write_text("ts,side,qty,price\n1772323200000,sell,2,50\n")
    assert read_liquidations(quantities).long_usd.tolist() == [100.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ts_ms,price\n1772323200000,5\n", "expected totals"),
        ("ts_ms,long_usd,short_usd\n1772323200000,5,1\n", "at least two bars"),
        ("ts_ms,long_usd,short_usd\n1772323200001,5,1\n1772326800000,5,1\n", "multiples of their length"),
    ],
)
def test_files_that_are_no_liquidations_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_liquidations(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"long_usd": np.array([-1.0, 0])}, "long_usd must be finite"),
        ({"ts": np.array([2, 1])}, "ts must not fall"),
        ({"bar_ns": 0}, "either a price each, or bar_ns"),
        ({"ts": np.array([0, 0])}, "different multiples of bar_ns"),
        ({"ts": np.array([0, 7])}, "different multiples of bar_ns"),
        ({"short_usd": np.zeros(3)}, "one length"),
    ],
)
def test_liquidations_that_cannot_be_are_refused(change: Mapping[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigError, match=message):
        replace(Liquidations(np.array([0, HOUR]), np.zeros(2), np.zeros(2), None, HOUR), **change)


def test_candles_of_trades_are_those_of_each_interval() -> None:
    rng = np.random.default_rng(2)
    ts = np.sort(rng.integers(START, START + HOUR, 500))
    price, qty, sell = (
        rng.integers(90, 110, 500).astype(float),
        rng.integers(1, 5, 500).astype(float),
        rng.random(500) < 0.5,
    )
    made = candles_of(lq.TradeBatch(ts, price, qty, sell), "5m")
    for i, start in enumerate(made.ts_open):
        here = (ts >= start) & (ts < start + 5 * MINUTE)
        assert (made.open[i], made.close[i]) == (price[here][0], price[here][-1])
        assert (made.high[i], made.low[i]) == (price[here].max(), price[here].min())
        assert made.buy_qty is not None
        assert made.buy_qty[i] == qty[here & ~sell].sum()
    with pytest.raises(InvalidConfigError, match="at least one"):
        candles_of(lq.TradeBatch(ts[:0], price[:0], qty[:0], sell[:0]))


# ------------------------------------------------------------------------------------------------------- recorded data


@pytest.mark.recorded
def test_march_2026_says_what_the_accuracy_page_says() -> None:
    """docs/accuracy.md: the map adds path memory; the volume of a standing map adds nothing."""
    data = data_dir()
    found = lq.score(
        data / "klines" / "BTCUSDT-1m-2026-03.zip",
        data / "liquidations" / "BTC-30m-2026-02-21-to-03-23.csv.gz",
        draws=300,
    )
    part = found.path_conditional
    assert part is not None
    gains = {gain.over: gain for gain in part.gains}
    assert gains["N12"].positive
    assert part.controls[0].positive  # constant volume over N12
    assert abs(part.strongest.spearman.value) < 0.002
    assert abs(gains[f"N12 + {CONSTANT}"].spearman.value) < 0.1 * part.controls[0].spearman.value


def test_totals_are_summed_to_longer_bars_where_none_is_missing() -> None:
    candles = walk(1, 2 * 1440)
    bars = np.delete(START + np.arange(96) * 30 * MINUTE, 61)
    usd = np.arange(95.0)
    truth = Liquidations(bars, usd, 2 * usd, None, 30 * MINUTE)
    one = prepare(Market("x", candles, truth, Config.from_dict(SETTINGS)), 2 * HOUR, 24 * HOUR, 0)
    assert len(one.bars) == 11  # of 12: one half hour is missing in the fourth
    np.testing.assert_array_equal(np.diff(one.bars) // HOUR, [2, 2, 4, 2, 2, 2, 2, 2, 2, 2])
    np.testing.assert_array_equal(one.totals[:, 0], [48 + 49 + 50 + 51, 2 * (48 + 49 + 50 + 51)])
    assert one.path.seen.shape == (2, 12, 11)


def test_prepared_markets_say_their_bars() -> None:
    candles = walk(1, 2 * 1440)
    bars = START + np.arange(96) * 30 * MINUTE
    truth = Liquidations(bars, np.ones(96), np.ones(96), None, 30 * MINUTE)
    one: Prepared = prepare(Market("x", candles, truth, Config.from_dict(SETTINGS)), 30 * MINUTE, 24 * HOUR, 0)
    assert (len(one.bars), one.left_out) == (48, 48)
    assert list(one.maps) == [MAP, CONSTANT, SHIFTED, PERMUTED]


def test_type_checkers_see_which_score_comes_of_what() -> None:
    whole = inspect.signature(lq.score)
    of = {one.__annotations__["return"]: inspect.signature(one) for one in typing.get_overloads(lq.score)}
    assert set(of) == {"Score", "PositionsScore"}
    for name, signature in of.items():
        left_out = {"bar", "complete"} if name == "PositionsScore" else set()  # which snapshots have not
        assert list(signature.parameters) == [one for one in whole.parameters if one not in left_out]
    assert of["Score"].parameters["positions"].annotation == "None"
    assert of["PositionsScore"].parameters["liquidations"].annotation == "None"
    assert of["PositionsScore"].parameters["positions"].default is inspect.Parameter.empty
