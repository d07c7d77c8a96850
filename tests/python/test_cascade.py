"""Cascades: worked by hand, against brute force, and by properties."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liqcore as lq
from liqcore.analysis.cascade import levels_of
from liqcore.analysis.moves import Book, Depth, SquareRoot, book_of
from liqcore.analysis.rounds import Levels, Rules, run
from reference_cascade import Bin, fixed_points, rounds

pytestmark = pytest.mark.filterwarnings("error")
SIDES = ("long", "short")
PLAIN = Rules()
META = {"instrument": {"contract": "linear", "multiplier": 1.0, "mmr": 0.005, "basis": "mark", "fee": 0.0}}


def a_map(
    price: float, bins: dict[float, float], *, side: str = "long", step: float = 1.0,
    tiers: tuple[float, ...] = (10.0,), unit: str = "usd", meta: Any = None,
) -> lq.LiquidationMap:  # fmt: skip
    """A map with amounts of one side in bins by their lower edge, all of the first tier."""
    edges = np.arange(min(bins) // step, max(bins) // step + 1) * step
    mine = np.zeros((len(tiers), len(edges)))
    for low, amount in bins.items():
        mine[0, round((low - edges[0]) / step)] += amount
    other = np.zeros_like(mine)
    long, short = (mine, other) if side == "long" else (other, mine)
    return lq.LiquidationMap(
        10**18, price, np.array(tiers), edges, step, long, short, unit, META if meta is None else meta
    )


def of_bins(side: str, bins: list[Bin], price: float = 1e4) -> Levels:
    ordered = sorted(bins, key=lambda each: each.away)
    return Levels(
        side, np.array([each.away for each in ordered]), ("10x",),
        np.array([[each.amount for each in ordered]]).reshape(1, -1), np.array([math.nan]), price,
    )  # fmt: skip


def ended(levels: Levels, law: Any, shock: float, order: float = 0.0, rules: Rules = PLAIN) -> Any:
    one = np.array([1.0])
    return run(levels, law, shock * one, order * one, law.central * one, rules)


# ---- by hand -----------------------------------------------------------------------------------------------------


def test_a_cascade_worked_by_hand() -> None:
    """sigma P0 sqrt(Q/V) = 0.1 x 100 x sqrt(Q/100) = sqrt(Q)."""
    made = a_map(100.0, {97.0: 4.0, 95.0: 5.0, 92.0: 7.0, 89.0: 100.0})
    # A fall of 3 to 97 is below 98, the upper edge of the first bin: 4 move it by 2 more, to 95. That is below 96:
    # 9 move it by 3, to 94. The next bin begins at 93, which 94 does not touch.
    found = lq.cascade(made, 3.0, side="long", sigma=0.1, volume=100.0)
    assert found.end_price.tolist() == [94.0]
    assert found.liquidated.tolist() == [9.0]
    assert found.layers["10x"].tolist() == [9.0]
    assert found.overshoot_percent.tolist() == [3.0]
    assert [(step.price, step.liquidated) for step in found.path()] == [(97.0, 0.0), (95.0, 4.0), (94.0, 9.0)]
    # With Y = 2 it goes on: 97, 4: 93, 9: 91, below 93, 16: 89, below 90, 116: 97 - 2 sqrt(116).
    wild = lq.cascade(made, 3.0, side="long", sigma=0.1, volume=100.0, y=2.0)
    assert wild.end_price == pytest.approx([97 - 2 * math.sqrt(116)])
    assert wild.rounds.tolist() == [4]


def test_a_rise_touches_a_bin_at_its_lower_edge_and_a_fall_below_its_upper() -> None:
    up = a_map(100.0, {103.0: 4.0}, side="short")
    assert lq.cascade(up, [2.9, 3.0], side="short", sigma=0.1, volume=100.0).liquidated.tolist() == [0.0, 4.0]
    down = a_map(100.0, {96.0: 4.0})
    assert lq.cascade(down, [3.0, 3.1], side="long", sigma=0.1, volume=100.0).liquidated.tolist() == [0.0, 4.0]
    for each, side in ((a_map(100.0, {100.0: 4.0}, side="short"), "short"), (a_map(100.0, {100.0: 4.0}), "long")):
        still = lq.cascade(each, [0.0, 0.5], side=side, sigma=0.1, volume=100.0)
        assert still.liquidated.tolist() == [0.0, 4.0], "a price that does not move touches nothing"


def test_an_order_moves_the_price_together_with_what_it_sets_off() -> None:
    made = a_map(100.0, {97.0: 5.0})  # upper edge 98
    found = lq.cascade(made, order=[4.0, 4.1], side="long", sigma=0.1, volume=100.0)
    assert found.end_price == pytest.approx([98.0, 100 - math.sqrt(9.1)])
    assert found.overshoot_percent == pytest.approx([0.0, math.sqrt(9.1) - math.sqrt(4.1)])


def test_the_depth_law_worked_by_hand() -> None:
    """1 % of 100 at a depth of 10, the book at a half: 16 of it move the price by (16 x 2 / 10)^0.875."""
    made = a_map(100.0, {98.0: 16.0})
    found = lq.cascade(made, 2.0, side="long", depth=10.0, collapse=2.0)
    assert found.end_price == pytest.approx([98.0 - 3.2**0.875])
    assert math.isnan(found.sigma)
    assert math.isnan(found.volume)
    strengths = Depth(100.0, 10.0, 1.0, 3.4).strengths(999)
    assert np.quantile(strengths, [0.5, 0.9]) == pytest.approx([3.4, 17.0], rel=0.01)
    assert strengths.min() == 1.0


def test_a_book_is_walked_level_by_level_and_called_optimistic() -> None:
    made = a_map(100.0, {97.0: 196.0, 90.0: 1e6})
    bids = [(99.0, 1.0), (96.0, 2.0), (95.0, 100.0)]  # 99, 192, 9,500 USD
    found = lq.cascade(made, [2.0, 2.1], side="long", book=bids)
    assert found.end_price == pytest.approx([98.0, 97.9 - 4.0])  # 196 USD end in the bid at 96, 4 below the price
    assert "OPTIMISTIC" in found.law
    short = lq.cascade(made, 10.0, side="long", book=bids)
    assert math.isnan(short.end_price[0])
    assert math.isinf(short.move_percent[0])
    assert any("book ends" in note for note in short.notes)
    exact = book_of([(99.0, 3.0), (98.0, 1.0)], side="long", price=100.0, unit="quantity", multiplier=1.0)
    assert exact.move(np.array([0.0, 3.0, 3.5, 4.0, 4.1]), np.ones(5)).tolist() == [0.0, 1.0, 2.0, 2.0, math.inf]


def test_the_backstop_takes_over_what_is_past_its_bankruptcy_price() -> None:
    """mmr 0.5 %: bankruptcy 0.5 % below; a fall of 3 to 97 skips past that of the bin below 98, 97.51."""
    made = a_map(100.0, {97.0: 4.0, 96.0: 5.0})
    plain = lq.cascade(made, 3.0, side="long", sigma=0.1, volume=100.0)
    assert plain.liquidated.tolist() == [9.0]
    found = lq.cascade(made, 3.0, side="long", sigma=0.1, volume=100.0, backstop=True)
    # 4 are taken over, none is sold, and the price stays at 97, which does not touch the bin of 96 to 97.
    assert found.end_price.tolist() == [97.0]
    assert found.taken_over.tolist() == [4.0]
    assert found.loss_usd == pytest.approx([4.0 * (97.51 - 97.0) / 100])
    assert found.deleveraged.tolist() == [0.0]
    half = lq.cascade(made, 3.0, side="long", sigma=0.1, volume=100.0, backstop=True, fund=2.0 * 0.51 / 100)
    assert half.deleveraged == pytest.approx([2.0])
    gentle = lq.cascade(made, 2.2, side="long", sigma=0.1, volume=100.0, backstop=True)
    assert gentle.layers["10x"].sum() - gentle.taken_over.sum() >= 4.0  # 97.8 is above 97.51: it is sold


def test_impact_decays_with_the_inverse_root_of_time() -> None:
    made = a_map(100.0, {97.0: 4.0})
    found = lq.cascade(made, 3.0, side="long", sigma=0.1, volume=100.0, decay="10s", pace="1s")
    assert found.end_price.tolist() == [95.0]
    path = found.path()
    # 1/4, 1, 4 and 16 times 10 s after the round in which 4 were sold: 2 / sqrt(1 + t / 10 s).
    assert [step.price for step in path[-4:]] == pytest.approx([97 - 2 / math.sqrt(1 + t) for t in (0.25, 1, 4, 16)])
    assert [step.seconds for step in path[-4:]] == pytest.approx([3.5, 11.0, 41.0, 161.0])


def test_real_stop_orders_are_a_layer_of_their_own() -> None:
    made = a_map(100.0, {97.0: 4.0, 93.0: 8.0})
    orders = lq.TriggerOrders(np.array([96.5, 99.0, 104.0]), np.array([0.05, 7.0, 9.0]), np.array([True, False, False]))
    found = lq.cascade(made, 3.0, side="long", sigma=0.1, volume=100.0, orders=orders)
    assert found.layers["stop orders"] == pytest.approx([0.05 * 96.5])  # only the one that sells below the price
    assert found.end_price == pytest.approx([97 - math.sqrt(4 + 0.05 * 96.5)])
    up = lq.cascade(a_map(100.0, {106.0: 4.0}, side="short"), 4.0, side="short", sigma=0.1, volume=1e9, orders=orders)
    assert up.layers["stop orders"] == pytest.approx([9.0 * 104.0])


def test_a_fall_ends_at_nothing_and_says_so() -> None:
    found = lq.cascade(a_map(100.0, {97.0: 1e9}), 3.0, side="long", sigma=0.1, volume=100.0)
    assert found.end_price.tolist() == [0.0]
    assert found.move_percent.tolist() == [100.0]
    assert any("price of 0" in note for note in found.notes)


# ---- against brute force, and properties ---------------------------------------------------------------------------

whole = st.integers(1, 60).map(float)
some_bins = st.lists(st.builds(Bin, st.integers(0, 40).map(float), whole), max_size=12, unique_by=lambda b: b.away)
shocks = st.integers(0, 120).map(lambda n: n / 4)


def law_of(kind: str) -> Any:
    if kind == "book":
        return Book(np.array([1.0, 2.0, 5.0, 9.0]), np.array([10.0, 40.0, 90.0, 300.0]))
    if kind == "depth":
        return Depth(100.0, 50.0, 1.0, 3.4)
    return SquareRoot(100.0, 0.05, 100.0, 1.3, (0.5, 6.5), 0.5)


def move_of(law: Any) -> Any:
    return lambda amount: float(law.move(np.array([amount]), np.array([law.central]))[0])


@pytest.mark.hypothesis
@pytest.mark.parametrize("kind", ["root", "depth", "book"])
@pytest.mark.parametrize("side", SIDES)
@given(bins=some_bins, shock=shocks, order=st.sampled_from([0.0, 3.0, 25.0]))
def test_the_end_is_the_smallest_fixed_point(side: str, kind: str, bins: list[Bin], shock: float, order: float) -> None:
    law = law_of(kind)
    found = ended(of_bins(side, bins), law, shock, order).away[0]
    wanted = fixed_points(side, bins, shock, order, move_of(law))
    assert wanted
    assert found == pytest.approx(min(wanted), rel=1e-12)


@pytest.mark.hypothesis
@pytest.mark.parametrize("side", SIDES)
@given(
    bins=some_bins, shock=shocks, refill=st.sampled_from([0.0, 0.4]), decay=st.sampled_from([math.inf, 0.7, 5.0]),
    backstop=st.booleans(), fund=st.sampled_from([math.inf, 0.0, 0.3]),
)  # fmt: skip
def test_rounds_are_those_of_the_reference(
    side: str, bins: list[Bin], shock: float, refill: float, decay: float, backstop: bool, fund: float
) -> None:
    law, price, ratio = law_of("root"), 100.0, 0.99 if side == "long" else 1.01
    levels = of_bins(side, bins, price)
    levels = Levels(side, levels.away, levels.names, levels.amounts, np.array([ratio]), price)
    sign = -1 if side == "long" else 1
    known = [Bin(b.away, b.amount, sign * ((price + sign * b.away) * ratio - price)) for b in bins]
    found = ended(levels, law, shock, 0.0, Rules(refill, decay, backstop, fund))
    wanted = rounds(
        side, known, shock, move_of(law), refill=refill, decay=decay, backstop=backstop, price=price, fund=fund
    )
    got = [found.away[0], found.sold.sum(), found.taken.sum(), found.deleveraged.sum(), found.loss[0]]
    assert got == pytest.approx(list(wanted), rel=1e-9, abs=1e-9)


@pytest.mark.hypothesis
@pytest.mark.parametrize("side", SIDES)
@given(
    bins=st.dictionaries(st.integers(2, 59).map(float), whole, min_size=1),
    price=st.sampled_from([60.0, 62.0, 1.0, 0.5]),
    shock=shocks, times=st.sampled_from([2, 3, 5]),
)  # fmt: skip
def test_coarser_rows_answer_as_a_shock_that_is_at_most_one_row_larger(
    side: str, bins: dict[float, float], price: float, shock: float, times: int
) -> None:
    """x(s) <= x'(s) <= x(s + H) - H of rows as high as H: where no avalanche begins in between, nothing moves."""
    price = max(price, 60.0) if side == "long" else min(price, 1.0)
    fine = a_map(price, bins, side=side)
    rows: dict[float, float] = {}
    for low, amount in bins.items():
        rows[low // times * times] = rows.get(low // times * times, 0.0) + amount
    coarse = a_map(price, rows, side=side, step=float(times))
    law = law_of("root")
    here, there, more = (
        ended(levels_of(made, side), law, at).away[0]
        for made, at in ((fine, shock), (coarse, shock), (fine, shock + times))
    )
    if shock == 0:
        assert there == 0.0
        return
    assert here <= there * (1 + 1e-12)
    assert there <= more - times + 1e-9


def test_no_rule_could_do_better_than_that() -> None:
    """Two maps that are one at coarser rows: their own cascades end far apart, so one of them is far from the sum's."""
    near, far = a_map(100.0, {97.0: 4.0, 95.0: 5.0, 94.0: 400.0}), a_map(100.0, {97.0: 4.0, 94.0: 405.0})
    ends = [lq.cascade(each, 3.0, side="long", sigma=0.1, volume=100.0).end_price[0] for each in (near, far)]
    assert ends[1] - ends[0] > 10


def test_a_simulated_day_in_wider_rows_ends_within_a_row(market: lq.Market) -> None:
    """At the share of the amounts that is realistic; docs/theory/cascade.md says how often larger ones do not."""
    hm = lq.heatmap(trades=market.trades)
    falls = np.linspace(0.01, 10, 200)
    fine = lq.cascade(hm, falls, side="long", scale=0.03)
    assert (fine.liquidated > 0).mean() > 0.5
    for times in (2, 5):
        rows = hm.rebin(step=times * hm.map().step)
        wide = lq.cascade(rows, falls, side="long", scale=0.03, sigma=fine.sigma, volume=fine.volume)
        moved = (fine.end_price - wide.end_price) / rows.map().step
        assert moved.min() >= -1e-9
        assert moved.max() <= 1.0


@pytest.mark.hypothesis
@given(bins=some_bins, shock=shocks, more=whole)
def test_more_of_anything_never_ends_nearer(bins: list[Bin], shock: float, more: float) -> None:
    law = law_of("root")
    levels = of_bins("long", bins)
    base = ended(levels, law, shock).away[0]
    assert ended(levels, law, shock + 0.5).away[0] >= base
    assert ended(levels, law, shock, more).away[0] >= base
    assert ended(of_bins("long", [*bins, Bin(41.0, more)]), law, shock).away[0] >= base
    assert ended(levels, law, shock, 0.0, Rules(refill=0.3)).away[0] <= base
    slow = ended(levels, law, shock, 0.0, Rules(decay=3.0)).away[0]
    assert slow <= base
    assert ended(levels, law, shock, 0.0, Rules(decay=1e15)).away[0] == pytest.approx(base)


def test_many_shocks_at_once_are_the_same_as_one_after_the_other() -> None:
    rng = np.random.default_rng(3)
    made = a_map(1000.0, {float(low): float(rng.exponential(3.0)) for low in rng.choice(990, 300, replace=False)})
    at = np.linspace(0.0, 60.0, 83)
    given_ = {"side": "long", "sigma": 0.05, "volume": 900.0}
    whole_ = lq.cascade(made, at, **given_)  # type: ignore[arg-type]
    for i in range(0, len(at), 7):
        alone = lq.cascade(made, at[i], **given_)  # type: ignore[arg-type]
        for name in ("end_price", "liquidated", "rounds"):
            assert getattr(whole_, name)[i] == getattr(alone, name)[0]
        assert (whole_.end_price_quantiles[:, i] == alone.end_price_quantiles[:, 0]).all()


def test_quantiles_are_over_y_and_over_the_maps() -> None:
    thin, thick = a_map(100.0, {97.0: 4.0}), a_map(100.0, {97.0: 400.0})
    one = lq.cascade(thin, 3.0, side="long", sigma=0.1, volume=100.0, quantiles=(0.0, 0.5, 1.0))
    # One round whatever Y is, so that quantiles of the end are the end at quantiles of Y: 0.5 x 13^(i + 1/2)/50.
    wanted = [97 - 2 * 0.5 * 13 ** ((i + 0.5) / 50) for i in (0, 24, 49)]
    assert one.end_price_quantiles[:, 0] == pytest.approx(wanted)
    both = lq.cascade(
        thin, 3.0, side="long", sigma=0.1, volume=100.0, maps=[thin, thick], weights=[3, 1], quantiles=(0.75, 0.76)
    )
    assert both.liquidated_quantiles[:, 0].tolist() == [4.0, 400.0]
    assert both.liquidated.tolist() == [4.0], "the numbers themselves are of the map that is shown"


# ---- on a market ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(seed=5, days=1.0, trades_per_day=40_000)


def test_sigma_and_volume_are_of_the_candles_and_nothing_later_is_known(market: lq.Market) -> None:
    trades, hm = market.trades, lq.heatmap(trades=market.trades)
    cut = int(hm.times[200])
    first = trades.ts < cut
    part = lq.heatmap(
        trades=lq.TradeBatch(*(getattr(trades, name)[first] for name in ("ts", "price", "qty", "taker_sell")))
    )
    whole_ = lq.cascade(hm, [1.0, 3.0], side="long", ts=int(hm.times[199]))
    then = lq.cascade(part, [1.0, 3.0], side="long", ts=int(hm.times[199]))
    assert whole_.sigma == then.sigma
    assert whole_.volume == then.volume
    assert (whole_.end_price == then.end_price).all()
    assert (whole_.end_price_quantiles == then.end_price_quantiles).all()
    close, qty = hm.candles["close"][:199], (hm.candles["buy_qty"] + hm.candles["sell_qty"])[1:199]
    days = 198 * hm.window_ns / (86_400 * 10**9)
    assert whole_.sigma == pytest.approx(math.sqrt((np.diff(np.log(close)) ** 2).sum() / days))
    assert whole_.volume == pytest.approx((qty * close[1:]).sum() / days)
    assert whole_.daily == "of the 16h 30m before"


def test_results_are_tables_and_plain_values_and_say_that_they_are_scenarios(market: lq.Market, tmp_path: Any) -> None:
    found = lq.cascade(lq.heatmap(trades=market.trades), [1.0, 2.0], side="short", scale=0.05)
    told = found.to_dict()
    assert "scenario" in told["notes"][0]
    assert "forecast" in told["notes"][0]
    assert "5 % of them are" in told["notes"][1]
    assert [row["shock_percent"] for row in told["scenarios"]] == [1.0, 2.0]
    assert told["scenarios"][0]["path"][0]["price"] == pytest.approx(found.price * 1.01)
    assert len(found.to_pandas()) == 2
    text = found.save(tmp_path / "cascade.csv").read_text(encoding="utf-8-sig")
    assert "not a forecast" in text
    assert sum(found.layers.values()) == pytest.approx(found.liquidated)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"shock": -1.0}, "shock must be 0 or above, and below 100 percent, was -1"),
        ({"shock": 100.0}, "shock must be 0 or above, and below 100 percent, was 100"),
        ({"shock": math.nan}, "shock must be 0 or above, and below 100 percent, was nan"),
        ({"shock": None}, "shock or order must be given, neither was"),
        ({"order": [1.0, 2.0, 3.0], "shock": [1.0, 2.0]}, "order must have one value or as many as shock, 2, had 3"),
        ({"order": -5.0}, "order must be an amount, 0 or above, was -5"),
        ({"side": "up"}, "side must be one of ('long', 'short'), was 'up'"),
        ({"sigma": None}, "sigma must be given: the volatility of a day as a fraction, such as 0.03, was None"),
        ({"volume": None}, "volume must be given: what is traded a day, in usd, was None"),
        ({"sigma": 0.0}, "sigma must be a number above 0, was 0.0"),
        ({"y": 0.0}, "y must be above 0, was 0.0"),
        ({"y_range": (2.0, 1.0)}, "y_range must be two numbers above 0, the lower first, was (2.0, 1.0)"),
        ({"exponent": 1.5}, "exponent must be above 0 and at most 1, was 1.5"),
        ({"depth": -1.0}, "depth must be above 0, was -1.0"),
        ({"depth": 1.0, "collapse": 0.5}, "collapse must be a number, at least 1, was 0.5"),
        ({"depth": 1.0, "book": [(99.0, 1.0)]}, "depth goes without book"),
        ({"book": []}, "book must have a level, had none"),
        ({"book": [(101.0, 1.0)]}, "book must be bids, none above the last price, 100, has 101"),
        ({"refill": 1.0}, "refill must be a share, 0 up to, not including, 1, was 1.0"),
        ({"fund": 5.0}, "fund goes with backstop"),
        ({"scale": 0.0}, "scale must be above 0, was 0.0"),
        ({"weights": [1.0]}, "weights goes with maps"),
        ({"quantiles": [2.0]}, "quantiles must be levels from 0 to 1, was 2.0"),
        ({"ts": 5}, "ts goes with a heatmap: a map is of one instant, was 5"),
        ({"decay": "soon"}, "decay must be a length of time"),
    ],
)
def test_wrong_arguments_are_refused_by_name_rule_and_value(given_: dict[str, Any], said: str) -> None:
    made = a_map(100.0, {97.0: 4.0})
    with pytest.raises(lq.InvalidConfigError) as error:
        lq.cascade(made, **({"shock": 1.0, "side": "long", "sigma": 0.1, "volume": 100.0} | given_))
    assert said in str(error.value)


def test_maps_must_be_of_one_instant_and_backstops_know_their_terms() -> None:
    made = a_map(100.0, {97.0: 4.0})
    with pytest.raises(lq.InvalidConfigError, match=r"price must be 100.0, was 99.0"):
        lq.cascade(made, 1.0, side="long", sigma=0.1, volume=1.0, maps=[a_map(99.0, {97.0: 4.0})])
    with pytest.raises(lq.InvalidConfigError, match="backstop must be of a map that says its margin terms"):
        lq.cascade(a_map(100.0, {97.0: 4.0}, meta={}), 1.0, side="long", sigma=0.1, volume=1.0, backstop=True)
    with pytest.raises(lq.InvalidConfigError, match="backstop must be of a map in usd, whose losses are USD"):
        lq.cascade(a_map(100.0, {97.0: 4.0}, unit="quantity"), 1.0, side="long", sigma=0.1, volume=1.0, backstop=True)
