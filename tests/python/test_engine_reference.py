"""The native engine against the reference, on random streams with everything that goes wrong in real ones."""

import random
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import liqcore as lq
from drive import arrays, assert_same_columns, assert_same_now, live, make_engine, pass_time, run_both
from reference import Cells, Layer
from streams import SECOND, Market, Setup, Step, random_setup

TRIGGERS = ("last", "mark", "candle")
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(
    rng=st.randoms(use_true_random=False),
    trigger=st.sampled_from(TRIGGERS),
    source=st.sampled_from(["trades", "candles"]),
)
@settings(slow, max_examples=60)
def test_short_streams_call_by_call(rng: random.Random, trigger: str, source: str) -> None:
    setup = random_setup(rng, trigger=trigger)
    steps = Market(rng, setup, source).steps(rng.randint(1, 15), 5)
    note(f"{setup}\n{steps}")
    run_both(setup, steps, every_step=True)


@given(rng=st.randoms(use_true_random=False), trigger=st.sampled_from(TRIGGERS))
@settings(slow, max_examples=40)
def test_the_verbs_beside_touching_events(rng: random.Random, trigger: str) -> None:
    setup = random_setup(rng, trigger=trigger, model="none")
    steps = Market(rng, setup, "trades").steps(rng.randint(1, 20), 3)
    note(f"{setup}\n{steps}")
    run_both(setup, steps, every_step=True)


@pytest.mark.parametrize("trigger", TRIGGERS)
@pytest.mark.parametrize("bad", [0.0, 0.1])
def test_long_streams_in_big_batches(trigger: str, bad: float) -> None:
    """Long enough for whole runs of trades to be summed before they are opened."""
    for seed in range(12):
        rng = random.Random(seed)
        setup = random_setup(rng, trigger=trigger)
        run_both(setup, Market(rng, setup, "trades", bad, hurry=0.02).steps(12, 400), every_step=False)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_long_streams_of_candles(trigger: str) -> None:
    for seed in range(6):
        rng = random.Random(seed)
        setup = random_setup(rng, trigger=trigger)
        run_both(setup, Market(rng, setup, "candles", 0.05, hurry=0.05).steps(12, 100), every_step=False)


@pytest.mark.parametrize("trigger", ["last", "mark"])
@pytest.mark.parametrize("model", ["flow", "oi", "blend"])
def test_candles_stand_where_there_are_no_trades(trigger: str, model: str) -> None:
    """Stretches of candles with volumes, and of trades, in turns: some of them in one call."""
    for seed in range(8):
        rng = random.Random(seed)
        setup = random_setup(rng, trigger=trigger, model=model)
        market = Market(rng, setup, "candles", bad=0.0, hurry=0.05)
        interval = rng.choice([setup.window // 4, setup.window])
        steps: list[Step] = []
        for _ in range(4):
            market.clock += interval + 1
            candles = [market.row("candle", interval) for _ in range(rng.randint(1, 40))]
            market.clock += 1
            trades = [market.row("trade", interval) for _ in range(rng.randint(1, 60))]
            beside = [market.row(rng.choice(["mark", "open_interest"]), interval)] if model != "flow" else []
            if rng.random() < 0.5:
                steps.append(Step("feed", [*candles, *trades, *beside], interval))
            else:
                steps.append(Step("candles", [row for _, row in candles], interval))
                steps += [Step("trade", [row]) for _, row in trades[:5]]
                steps.append(Step("trades", [row for _, row in trades[5:]]))
                steps.append(Step("feed", beside, interval))
        run_both(setup, steps, every_step=True)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_any_split_of_the_input_gives_the_same_bits(trigger: str) -> None:
    for seed in range(8):
        rng = random.Random(seed)
        setup = random_setup(rng, trigger=trigger, half_life=None)
        market = Market(rng, setup, "trades", hurry=0.03)
        trades = [market.row("trade", SECOND)[1] for _ in range(1500)]
        one, whole, parts = (make_engine(setup) for _ in range(3))
        for row in trades:
            one.trade(*row)
        whole.trades(*arrays("trade", trades))
        total = None
        at = 0
        while at < len(trades):
            end = at + rng.choice([1, 2, 17, 256, 1000])
            stats = parts.trades(*arrays("trade", trades[at:end]))
            total = stats if total is None else total + stats
            at = end
        assert one.segments() == whole.segments() == parts.segments()
        assert one.stats == whole.stats == parts.stats
        assert total is not None
        assert (total.rows, total.rejected) == (whole.stats.rows, whole.stats.rejected)
        assert np.array_equal(total.live, whole.stats.live)
        for side in ("long", "short"):
            assert np.array_equal(one.levels_lots(side), whole.levels_lots(side))
            assert np.array_equal(one.levels_lots(side), parts.levels_lots(side))


def test_a_feed_equals_its_events_one_by_one() -> None:
    setup = Setup(tiers=(10.0, 100.0), trigger="mark", mmr=0.004)
    market = Market(random.Random(1), setup, "trades", bad=0.0, hurry=0.02)
    rows = [market.row(market.rng.choice(["trade", "mark"]), SECOND) for _ in range(2000)]
    rows.sort(key=lambda row: (row[1][0], row[0] == "trade"))  # marks first
    fed, told = make_engine(setup), make_engine(setup)
    by = {kind: arrays(kind, [row for k, row in rows if k == kind]) for kind in ("trade", "mark")}
    fed.feed(trades=by["trade"], marks=by["mark"])
    for kind, row in rows:
        getattr(told, kind)(*row)
    assert fed.segments() == told.segments()
    assert fed.stats == told.stats


@pytest.mark.parametrize("trigger", ["last", "mark"])
def test_combined_segments_fold_to_the_same_book(trigger: str) -> None:
    for seed in range(8):
        rng = random.Random(100 + seed)
        setup = random_setup(rng, trigger=trigger, half_life=None)
        engine, ref = run_both(setup, Market(rng, setup, "trades", hurry=0.1).steps(10, 60), every_step=False)
        segments = engine.segments()
        if len(segments) < 3:
            continue
        cut = rng.randint(1, len(segments) - 1)
        left = reduce(lq.combine, segments)
        right = lq.combine(reduce(lq.combine, segments[:cut]), reduce(lq.combine, segments[cut:]))
        assert left == right
        book: dict[Layer, Cells] = {layer: {} for layer in ref.live}
        pass_time(book, left)
        assert book == ref.columns[-1].live


def test_nothing_after_a_columns_end_changes_it() -> None:
    setup = Setup(tiers=(5.0, 50.0), mmr=0.004)
    market = Market(random.Random(3), setup, "trades", bad=0.0, hurry=0.02)
    trades = [market.row("trade", SECOND)[1] for _ in range(3000)]
    whole = make_engine(setup)
    whole.trades(*arrays("trade", trades))
    for segment in whole.segments()[:: max(1, len(whole.segments()) // 7)]:
        part = make_engine(setup)
        part.trades(*arrays("trade", [row for row in trades if row[0] < segment.end_ns]))
        part.advance(segment.end_ns)
        assert part.segments() == whole.segments()[: len(part.segments())]


# ---- single rules ------------------------------------------------------------------------------------------------


def both(setup: Setup, *calls: tuple[Any, ...]) -> lq.Engine:
    """Make the calls to both, compare, and return the engine."""
    engine, ref = make_engine(setup), setup.reference()
    for name, *arguments in calls:
        getattr(engine, name)(*arguments)
        getattr(ref, name)(*arguments)
    assert_same_now(engine, ref)
    assert_same_columns(engine, ref)
    return engine


def test_equal_times_keep_the_order_of_the_input() -> None:
    setup = Setup(tiers=(10.0,))
    both(setup, ("trade", 5, 100.0, 1.0, False), ("trade", 5, 90.0, 2.0, True), ("trade", 5, 100.0, 4.0, False))


def test_125x_and_1x() -> None:
    setup = Setup(tiers=(1.0, 125.0), mmr=0.004, base=100_000)
    engine = both(setup, ("trade", 0, 100_000.0, 3.0, False), ("trade", 1, 100_100.0, 5.0, True))
    assert engine.stats.no_price.tolist() == [[3, 0], [0, 0]]


def test_a_single_tick_market() -> None:
    setup = Setup(tiers=(2.0, 10.0), base=1)
    both(setup, ("trade", 0, 1.0, 3.0, False), ("trade", 0, 1.0, 3.0, True), ("trade", 1, 2.0, 3.0, True))


def test_marks_before_and_after_the_first_trade() -> None:
    setup = Setup(tiers=(10.0,), trigger="mark")
    calls = [("mark", 0, 80.0), ("trade", 1, 100.0, 1.0, False), ("mark", 2, 95.0), ("trade", 2, 100.0, 2.0, False)]
    engine = both(setup, *calls)
    assert engine.stats.unresolved.tolist() == [[1], [0]]
    assert engine.stats.live.tolist() == [[2], [0]]


def test_an_automatic_axis_grows_without_moving_an_edge() -> None:
    setup = Setup(tiers=(2.0, 10.0, 100.0), step_ticks=7)
    prices = [1000, 1001, 5000, 20, 40_000, 3, 1000, 999_999, 1000]
    both(setup, *[("trade", i, float(p), 1.0, i % 2 == 0) for i, p in enumerate(prices)])


def test_the_chosen_step_of_an_automatic_axis() -> None:
    setup = Setup(tiers=(10.0,), tick_size=0.1)
    chosen = make_engine(setup.with_(step_ticks=0))  # 0: left to the engine
    chosen.trade(0, 63_000.0, 1.0, False)
    assert chosen.axis.ticks_per_bin == pytest.approx(63, rel=0.5)  # about one basis point of 630,000 ticks
    given = make_engine(setup.with_(step_ticks=chosen.axis.ticks_per_bin))
    given.trade(0, 63_000.0, 1.0, False)
    assert live(given) == live(chosen)


def test_a_gap_over_many_windows_decays_at_every_end() -> None:
    setup = Setup(tiers=(10.0,), half_life={10.0: SECOND})
    engine = both(setup, ("trade", 0, 100.0, 2.0**20, False), ("trade", 19 * SECOND, 100.0, 1.0, True))
    assert engine.stats.live.tolist() == [[2], [1]]
    assert all(segment.additions["lots"].size == 0 for segment in engine.segments()[1:])


def test_quantities_beyond_a_double_are_flagged() -> None:
    setup = Setup(tiers=(10.0,))
    engine = make_engine(setup)
    engine.trade(0, 100.0, 2.0**48, False)
    assert not engine.stats.inexact
    for _ in range(40):
        engine.trade(0, 100.0, 2.0**48 - 1, False)
    engine.advance(SECOND)  # looked at when a window closes
    assert engine.stats.inexact
    assert not engine.stats.imbalance().any()


@pytest.mark.parametrize("price", [2.0**31 - 1, 2.0**31 - 0.6, 2.0**31, 1e300])
def test_the_largest_price(price: float) -> None:
    setup = Setup(tiers=(10.0,), step_ticks=2**20, base=2**30)
    both(setup, ("mark", 0, price), ("trade", 1, price, 1.0, False), ("trade", 2, price, 1.0, True))


def test_trades_and_candle_volumes_of_the_same_time_are_refused() -> None:
    start = 1_780_000_000 * SECOND
    candle = (start + SECOND, 100.0, 101.0, 99.0, 100.0, 1.0, 0.0)
    engine, ref = make_engine(Setup()), Setup().reference()
    for market in (engine, ref):
        market.trade(start + SECOND, 100.0, 1.0, False)
    with pytest.raises(ValueError, match="same time"):
        engine.candles(*arrays("candle", [candle]), interval=SECOND)
    with pytest.raises(ValueError, match="has the trade at"):
        ref.add_candle(*candle, SECOND)


def test_levels_have_the_shape_of_a_fixed_axis() -> None:
    engine = make_engine(Setup(tiers=(10.0, 20.0), step_ticks=10, bins=(37, 171)))
    assert engine.levels("long").shape == (2, engine.axis.size)
    engine.trade(0, 1000.0, 1.0, False)
    assert engine.levels("long").shape == (2, engine.axis.size)
    assert engine.levels("long")[0, engine.axis.index(900.0)] == 1
    assert engine.levels("long")[1, engine.axis.index(950.0)] == 1
