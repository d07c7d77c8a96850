"""The simulated market keeps the rules that its description promises."""

import doctest
import math
import pickle
import sys
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.errors import InvalidConfigError
from liqcore.simulation.market import CLOSE, LIQUIDATION, LIVE, OPEN

SECOND = 1_000_000_000
NEVER = np.iinfo(np.int64).max

MARKETS: dict[str, dict[str, Any]] = {
    "lively": {"seed": 3, "volatility": 0.05, "leverage": {1: 0.1, 3: 0.2, 10: 0.2, 25: 0.2, 50: 0.2, 100: 0.1}},
    "from scratch, strong impact": {"seed": 4, "impact": 0.01, "existing_positions": False},
    # At 230x a level lies 0.03 % from its entry: orders are refused, positions die within their first minute.
    "extreme leverage": {"seed": 5, "leverage": {2: 0.2, 230: 0.8}},
    # One liquidation moves the price by percents, within a minute.
    "collapse": {"seed": 8, "impact": 0.05, "volatility": 0.1, "days": 0.15},
    "coarse grid": {"seed": 6, "price": 25.0, "tick_size": 0.025, "lot_size": 5, "mmr": 0.0, "impact": 0.0},
    "hardly any trades": {"seed": 7, "trades_per_day": 200},
}


@pytest.fixture(scope="module", params=MARKETS)
def market(request: pytest.FixtureRequest) -> lq.Market:
    return lq.simulate(**{"days": 0.3, "trades_per_day": 40_000} | MARKETS[request.param])


@pytest.fixture(scope="module")
def lively() -> lq.Market:
    return lq.simulate(days=1.5, trades_per_day=60_000, **MARKETS["lively"])


def published(market: lq.Market) -> dict[str, np.ndarray]:
    groups = ("trades", "open_interest", "marks", "liquidations", "positions")
    arrays = {
        f"{group}.{field.name}": getattr(getattr(market, group), field.name)
        for group in groups
        for field in fields(getattr(market, group))
    }
    return arrays | {"intent": market.intent, "position": market.position}


def test_equal_arguments_give_equal_bits(market):
    again = lq.simulate(**market.parameters)
    for name, value in published(market).items():
        assert value.tobytes() == published(again)[name].tobytes(), name


def test_another_seed_is_another_history():
    first, second = (lq.simulate(seed=seed, days=0.05, trades_per_day=20_000) for seed in (1, 2))
    assert not np.array_equal(first.marks.price, second.marks.price)
    assert len(first.trades) != len(second.trades)


@pytest.mark.parametrize("days", [0.1, 0.10037, 0.00001])  # whole minutes, inside a minute, inside the first second
def test_a_longer_simulation_begins_with_the_shorter_one(days):
    long, short = (lq.simulate(days=d, trades_per_day=40_000, volatility=0.05) for d in (0.2, days))
    for name, value in published(short).items():
        if name.startswith("positions."):
            continue
        np.testing.assert_array_equal(value, published(long)[name][: value.size], err_msg=name)
        ts = published(long).get(f"{name.split('.')[0]}.ts")
        if ts is not None:
            assert value.size == (ts < short.end).sum(), name
    known = long.positions.opened < short.end
    for name in ("side", "quantity", "leverage", "entry_price", "liquidation_price", "opened"):
        np.testing.assert_array_equal(
            getattr(short.positions, name), getattr(long.positions, name)[known], err_msg=name
        )
    ended = long.positions.ended[known]
    np.testing.assert_array_equal(short.positions.ended, np.where(ended < short.end, ended, NEVER))


def test_streams_are_sorted_positive_and_inside_the_span(market):
    for group in ("trades", "open_interest", "marks", "liquidations"):
        ts = getattr(market, group).ts
        assert (np.diff(ts) >= 0).all(), group
        assert ts.size == 0 or (market.start <= ts[0] and ts[-1] < market.end), group
    trades = market.trades
    assert (trades.price > 0).all()
    assert (trades.qty > 0).all()
    assert (market.marks.price > 0).all()
    assert (market.open_interest.quantity >= 0).all()
    np.testing.assert_array_equal(np.diff(market.marks.ts), SECOND)
    np.testing.assert_array_equal(np.diff(market.open_interest.ts), 60 * SECOND)
    assert {f.name: getattr(trades, f.name).dtype.str for f in fields(trades)} == {
        "ts": "<i8",
        "price": "<f8",
        "qty": "<f8",
        "taker_sell": "|b1",
    }


def test_prices_and_quantities_are_what_the_grid_prints(market):
    tick, lot = market.parameters["tick_size"], market.parameters["lot_size"]
    for values, step, decimals in (
        (market.trades.price, tick, 3),
        (market.marks.price, tick, 3),
        (market.trades.qty, lot, 3),
        (market.positions.quantity, lot, 3),
    ):
        steps = np.rint(values / step)
        np.testing.assert_allclose(values / step, steps, rtol=0, atol=1e-6)
        assert values.tolist() == [float(f"{value:.{decimals}f}") for value in values]


def test_liquidation_prices_follow_the_formula(market):
    p, m = market.positions, market.parameters["mmr"]
    expected = np.where(
        p.side > 0,
        p.entry_price * (1 - 1 / p.leverage) / (1 - m),
        p.entry_price * (1 + 1 / p.leverage) / (1 + m),
    )
    expected[(p.side > 0) & (p.leverage == 1)] = np.nan
    np.testing.assert_allclose(p.liquidation_price, expected, rtol=1e-14)


def test_a_position_is_liquidated_at_the_first_mark_that_reaches_its_level(market):
    p = market.positions
    marks = market.marks.price
    first = np.maximum(-(-(p.opened - market.start) // SECOND), 0)  # the first mark of its life
    last = np.minimum(p.ended, market.end - 1) - market.start
    for i in range(len(p)):
        reached = p.side[i] * (p.liquidation_price[i] - marks[first[i] : last[i] // SECOND + 1]) >= 0
        if p.outcome[i] == LIQUIDATION:
            assert last[i] % SECOND == 0
            assert reached[-1], i
            assert not reached[:-1].any(), i
        else:
            assert not reached.any(), i


def test_no_live_level_lies_beyond_the_mark(market):
    rng = np.random.default_rng(0)
    p = market.positions
    events = np.concatenate((p.opened[p.opened >= market.start], market.liquidations.ts))
    times = np.concatenate((rng.integers(market.start, market.end, 50), rng.permutation(events)[:50]))
    for ts in times.tolist():
        live = market.live_levels(ts)
        mark = market.marks.price[(ts - market.start) // SECOND]
        level = live.liquidation_price
        assert not (level[live.side > 0] >= mark).any()
        assert not (level[live.side < 0] <= mark).any()


def test_a_position_opens_with_its_level_beyond_the_last_mark(market):
    p = market.positions
    own = p.opened >= market.start
    mark = market.marks.price[(p.opened[own] - market.start) // SECOND]
    assert not (p.side[own] * (p.liquidation_price[own] - mark) >= 0).any()


def test_the_trades_open_close_and_liquidate_exactly_the_positions(market):
    p, trades = market.positions, market.trades
    lots = np.rint(p.quantity / market.parameters["lot_size"])
    for intent, owners in (
        (OPEN, p.opened >= market.start),
        (CLOSE, p.outcome == CLOSE),
        (LIQUIDATION, p.outcome == LIQUIDATION),
    ):
        rows = market.intent == intent
        traded = np.bincount(market.position[rows], np.rint(trades.qty[rows] / market.parameters["lot_size"]), len(p))
        np.testing.assert_array_equal(traded, np.where(owners, lots, 0))
        when = (p.opened if intent == OPEN else p.ended)[market.position[rows]]
        np.testing.assert_array_equal(trades.ts[rows], when)
        sells = p.side[market.position[rows]] == (-1 if intent == OPEN else 1)
        np.testing.assert_array_equal(trades.taker_sell[rows], sells)


def test_entry_price_is_the_average_of_the_opening_trades(market):
    rows = market.intent == OPEN
    owner, qty, price = market.position[rows], market.trades.qty[rows], market.trades.price[rows]
    p = market.positions
    own = p.opened >= market.start
    total = np.bincount(owner, qty * price, len(p))[own]
    np.testing.assert_allclose(p.entry_price[own], total / p.quantity[own], rtol=1e-12)


def test_opened_is_closed_liquidated_or_live_at_every_leverage(market):
    p = market.positions
    assert ((p.outcome == LIVE) == (p.ended == NEVER)).all()
    assert (p.opened < p.ended).all()
    live = market.live_levels(market.end - 1)
    for leverage in market.profile:
        mine = p.leverage == leverage
        of = {outcome: p.quantity[mine & (p.outcome == outcome)].sum() for outcome in (CLOSE, LIQUIDATION)}
        parts = of[CLOSE] + of[LIQUIDATION] + live.quantity[live.leverage == leverage].sum()
        assert parts == pytest.approx(p.quantity[mine].sum(), rel=1e-12)
        assert of[LIQUIDATION] == pytest.approx(
            market.liquidations.quantity[market.liquidations.leverage == leverage].sum(), rel=1e-12
        )


def test_open_interest_is_the_larger_side_of_the_live_positions(market):
    ts, quantity = market.open_interest.ts, market.open_interest.quantity
    for i in range(0, ts.size, 17):
        live = market.live_levels(ts[i])
        long, short = (live.quantity[live.side == side].sum() for side in (1, -1))
        assert quantity[i] == pytest.approx(max(long, short), rel=1e-12, abs=1e-9)


def test_open_interest_follows_from_the_trades(market):
    p, trades = market.positions, market.trades
    before = p.opened < market.start
    side = p.side[market.position]
    change = np.where(market.intent == OPEN, trades.qty, -trades.qty)
    done = np.searchsorted(trades.ts, market.open_interest.ts, side="right")
    held = []
    for s in (1, -1):
        total = np.concatenate(([0.0], np.cumsum(np.where(side == s, change, 0.0))))
        held.append(p.quantity[before & (p.side == s)].sum() + total[done])
    np.testing.assert_allclose(market.open_interest.quantity, np.maximum(*held), rtol=1e-9, atol=1e-6)


def test_liquidation_feed_repeats_the_positions_and_prices_the_fills(market):
    feed, p = market.liquidations, market.positions
    assert sorted(feed.position.tolist()) == np.flatnonzero(p.outcome == LIQUIDATION).tolist()
    for name in ("side", "quantity", "leverage", "entry_price", "liquidation_price"):
        np.testing.assert_array_equal(getattr(feed, name), getattr(p, name)[feed.position], err_msg=name)
    rows = market.intent == LIQUIDATION
    value = np.bincount(market.position[rows], (market.trades.qty * market.trades.price)[rows], len(p))
    np.testing.assert_allclose(feed.price * feed.quantity, value[feed.position], rtol=1e-12)


def test_extreme_leverage_was_worth_testing():
    market = lq.simulate(days=0.3, trades_per_day=40_000, **MARKETS["extreme leverage"])
    p = market.positions
    young = (p.outcome == LIQUIDATION) & (p.ended // (60 * SECOND) == p.opened // (60 * SECOND))
    assert young.sum() > 10
    assert market.profile[230.0] < 0.75  # some were refused


def test_without_existing_positions_everything_was_opened_in_the_stream():
    market = lq.simulate(days=0.1, trades_per_day=20_000, existing_positions=False)
    assert market.open_interest.quantity[0] == 0
    assert (market.positions.opened >= market.start).all()
    started = lq.simulate(days=0.1, trades_per_day=20_000)
    assert (started.positions.opened < started.start).any()
    assert started.open_interest.quantity[0] > market.open_interest.quantity[-1]


def test_existing_positions_have_survived_the_past():
    market = lq.simulate(days=0.01, volatility=0.1)
    assert not (market.liquidations.ts == market.start).any()
    assert len(market.live_levels(market.start)) > 10_000


def test_the_first_mark_is_the_price_asked_for(market):
    assert market.marks.price[0] == pytest.approx(market.parameters["price"], abs=market.parameters["tick_size"] / 2)


def test_the_profile_has_the_requested_shares_within_sampling_error(lively):
    p = lively.positions
    quantity = p.quantity[p.opened >= lively.start]
    effective = quantity.sum() ** 2 / (quantity**2).sum()  # heavy-tailed sizes: fewer draws than orders
    assert math.fsum(lively.profile.values()) == pytest.approx(1)
    for leverage, share in lively.parameters["leverage"].items():
        error = math.sqrt(share * (1 - share) / effective)
        assert lively.profile[leverage] == pytest.approx(share, abs=4 * error)


def test_sizes_are_heavy_tailed_and_trades_share_timestamps(lively):
    qty = np.sort(lively.positions.quantity)
    assert qty[-qty.size // 10 :].sum() > 0.6 * qty.sum()
    assert (np.diff(lively.trades.ts) == 0).mean() > 0.3


def test_number_of_trades_is_about_what_was_asked_for():
    markets = [lq.simulate(seed=seed, days=1, trades_per_day=5_000) for seed in range(4)]
    assert np.mean([len(m.trades) for m in markets]) == pytest.approx(5_000, rel=0.25)


def test_returns_have_fat_tails_and_clustered_volatility(lively):
    returns = np.diff(np.log(lively.marks.price[::60]))
    centred = returns - returns.mean()
    assert (centred**4).mean() / (centred**2).mean() ** 2 > 3.5
    size = np.abs(returns) - np.abs(returns).mean()
    assert (size[1:] * size[:-1]).mean() / (size * size).mean() > 0.05


def test_liquidations_cluster_on_large_moves(lively):
    marks = lively.marks.price
    minutes = marks[: marks.size // 60 * 60].reshape(-1, 60)
    busy = np.argsort(-np.ptp(minutes, axis=1))[: minutes.shape[0] // 10]
    feed = lively.liquidations
    usd = np.bincount((feed.ts - lively.start) // (60 * SECOND), feed.quantity * feed.price, minutes.shape[0])
    assert len(feed) > 200
    assert usd[busy].sum() > 0.3 * usd.sum()  # they are a tenth of the minutes


def test_higher_leverage_is_liquidated_more_often(lively):
    p = lively.positions
    share = [(p.outcome[p.leverage == tier] == LIQUIDATION).mean() for tier in (3.0, 10.0, 25.0, 50.0, 100.0)]
    assert share == sorted(share)
    assert share[-1] > 0.2


def test_a_liquidation_order_walks_the_book_away_from_its_position():
    market = lq.simulate(seed=4, days=0.2, trades_per_day=40_000, volatility=0.05, impact=0.01)
    rows = np.flatnonzero(market.intent == LIQUIDATION)
    same = np.diff(market.position[rows]) == 0
    step = np.diff(market.trades.price[rows])[same] * market.positions.side[market.position[rows[1:]]][same]
    assert (step <= 0).all()
    assert (step < 0).any()


def test_impact_turns_liquidations_into_cascades():
    calm, cascading = (
        [lq.simulate(seed=seed, days=1, trades_per_day=20_000, volatility=0.04, impact=impact) for seed in (2, 3)]
        for impact in (0.0, 0.01)
    )

    def in_the_same_minute(markets: list[lq.Market]) -> float:
        worst = [np.bincount((m.liquidations.ts - m.start) // (60 * SECOND), m.liquidations.quantity) for m in markets]
        return sum(float(minute.max()) for minute in worst)

    assert in_the_same_minute(cascading) > 3 * in_the_same_minute(calm)


def test_live_levels_takes_every_spelling_of_a_time(lively):
    one = lively.live_levels(lively.start + 3600 * SECOND)
    for ts in (
        "2026-01-05T01:00",
        "2026-01-05T01:00:00Z",
        "2026-01-05T02:00+01:00",
        np.datetime64("2026-01-05T01:00"),
        np.int64(lively.start + 3600 * SECOND),
    ):
        np.testing.assert_array_equal(lively.live_levels(ts).liquidation_price, one.liquidation_price)


def test_live_levels_refuses_a_time_outside_the_market(lively):
    for ts in (lively.start - 1, lively.end):
        with pytest.raises(InvalidConfigError, match=r"ts must lie in \[2026-01-05T00:00:00"):
            lively.live_levels(ts)


def test_says_that_it_is_synthetic(lively):
    assert lively.synthetic is True
    assert repr(lively).startswith("Market(synthetic, 2026-01-05T00:00:00 .. 2026-01-06T12:00:00 UTC: ")
    assert lively.parameters["seed"] == 3


def test_a_market_can_be_pickled(market):
    again = pickle.loads(pickle.dumps(market))
    np.testing.assert_array_equal(again.trades.price, market.trades.price)
    assert again.profile == market.profile


def test_a_time_of_another_type_is_refused(lively):
    with pytest.raises(TypeError, match="start must be int ns, ISO text, date, datetime or datetime64, was float"):
        lq.simulate(start=1.5)
    with pytest.raises(TypeError, match="ts must be int ns, ISO text, date, datetime or datetime64, was NoneType"):
        lively.live_levels(None)


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("seed", -1, "seed must be at least 0, was -1"),
        ("seed", 1.5, "seed must be a whole number, was 1.5"),
        ("days", 0, "days must be at least a millisecond, was 0"),
        ("days", -2.0, "days must be at least a millisecond, was -2.0"),
        ("days", math.nan, "days must be at least a millisecond, was nan"),
        ("days", 1e9, "days must end before the year 2262, was 1000000000.0"),
        ("days", "three", "days must be a number, was 'three'"),
        ("start", "yesterday-ish", "start must be ISO text such as \"2026-06-12T10:00\", was 'yesterday-ish'"),
        ("start", "1969-12-31", "start must be a time from 1970 to 2262, was '1969-12-31'"),
        (
            "start",
            "2500-01-01",
            "start must be a time that 64 bits of nanoseconds hold (years 1678 to 2261), was '2500-01-01'",
        ),
        ("start", -1, "start must be a time from 1970 to 2262, was -1"),
        (
            "start",
            np.datetime64("NaT"),
            "start must be a time, was NaT",
        ),
        ("price", 0, "price must be above 0, was 0"),
        ("price", math.inf, "price must be above 0, was inf"),
        ("tick_size", 0, "tick_size must be from a billionth to a thousandth of price 60000, was 0"),
        ("tick_size", -0.1, "tick_size must be from a billionth to a thousandth of price 60000, was -0.1"),
        ("tick_size", 100, "tick_size must be from a billionth to a thousandth of price 60000, was 100"),
        ("tick_size", 1 / 3, f"tick_size must have at most 12 decimals, was {1 / 3}"),
        ("lot_size", 0, "lot_size must be above 0, was 0"),
        ("trades_per_day", 0, "trades_per_day must be at least 1, was 0"),
        (
            "order_notional",
            0,
            "order_notional must be above 0 and at most a billion lots of 0.001 at price 60000, was 0",
        ),
        ("mmr", -0.001, "mmr must be at least 0 and below 1, was -0.001"),
        ("mmr", 0.01, "mmr must be below 1 / leverage = 0.01 at 100x, was 0.01"),
        ("volatility", 0, "volatility must be above 0 and at most 0.5, was 0"),
        ("impact", -0.1, "impact must be from 0 to 0.05, was -0.1"),
        ("leverage", {}, "leverage must have shares that sum to 1, was 0.0"),
        ("leverage", {10: 0.5}, "leverage must have shares that sum to 1, was 0.5"),
        ("leverage", {-1: 1.0}, "leverage must be at least 1, was -1"),
        ("leverage", {10: 1.5, 20: -0.5}, "leverage must have shares of at least 0, was -0.5 at 20x"),
        ("leverage", {10: math.nan}, "leverage must have shares of at least 0, was nan at 10x"),
        ("leverage", [10, 20], "leverage must map leverage to share, both numbers, was [10, 20]"),
    ],
)
def test_a_bad_argument_is_named_with_its_rule_and_value(argument, value, message):
    with pytest.raises(InvalidConfigError) as error:
        lq.simulate(**{argument: value})
    assert str(error.value) == message


def test_the_examples_run():
    results = doctest.testmod(sys.modules["liqcore.simulation.simulation"])
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("tier", ["0.5%", 0.005])
def test_a_distance_is_no_leverage_and_the_one_that_has_such_levels_is_named(tier):
    said = r"for agents post margin: longs of .*x have levels 0\.5% from the entry with mmr 0\.004, was 0\.005"
    with pytest.raises(InvalidConfigError, match=said) as refused:
        lq.simulate(days=0.01, leverage={10: 0.5, tier: 0.5})
    leverage = float(str(refused.value).partition("longs of ")[2].partition("x")[0])
    market = lq.simulate(days=0.01, trades_per_day=20_000, leverage={leverage: 1.0})
    longs = market.positions.side > 0
    away = 1 - market.positions.liquidation_price[longs] / market.positions.entry_price[longs]
    assert away == pytest.approx(0.005, rel=1e-3)
