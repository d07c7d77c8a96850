"""The reference of the models on numbers worked by hand: tick 1, lot 1, bins of one tick, 10x, no maintenance margin.

A long opened at 100 is liquidated at 90, a short at 110.
"""

import random
from typing import Any

import pytest

from reference_models import ModelReference, imbalance

BUY, SELL = False, True
WINDOW = 100


def book(model: str, **changes: Any) -> ModelReference:
    settings: dict[str, Any] = {"tick_size": 1.0, "lot_size": 1.0, "tiers": [10], "step_ticks": 1, "window": WINDOW}
    if model == "vendor":
        settings["trigger"] = "candle"
    return ModelReference(model=model, **{**settings, **changes})


def longs(ref: ModelReference) -> dict[int, float]:
    return ref.levels("long")[10]


def shorts(ref: ModelReference) -> dict[int, float]:
    return ref.levels("short")[10]


def account(ref: ModelReference, side: str) -> dict[str, float]:
    return {name: lots for name, lots in ref.stats()[side, 10].items() if lots}


# ---- oi ----------------------------------------------------------------------------------------------------


def test_a_rise_opens_both_sides_where_the_interval_traded() -> None:
    ref = book("oi")
    ref.open_interest(0, 1000)
    ref.trade(1, 100, 3, BUY)
    ref.trade(2, 110, 1, SELL)
    ref.open_interest(3, 1008)  # 8 lots: 3/4 at 100, 1/4 at 110
    # longs at 90 and 99, shorts at 110 and 121; the interval reached 100 to 110
    assert longs(ref) == {90: 6, 99: 2}
    assert shorts(ref) == {121: 2}
    assert account(ref, "short") == {"opened": 8, "live": 2, "liquidated": 6}
    assert account(ref, "long") == {"opened": 8, "live": 8}


def test_shares_are_whole_lots_and_add_up() -> None:
    ref = book("oi")
    ref.open_interest(0, 0)
    for tick in (1000, 1001, 1002):
        ref.trade(1, tick, 1, BUY)
    ref.open_interest(2, 10)  # running 10/3, 20/3, 10: rounded 3, 7, 10
    assert longs(ref) == {900: 3, 901: 4, 902: 3}
    assert shorts(ref) == {1100: 3, 1101: 4, 1102: 3}


def test_samples_are_rounded_and_not_their_differences() -> None:
    ref = book("oi", lot_size=0.1)
    ref.open_interest(0, 0.0)
    ref.trade(0, 100, 1.0, BUY)
    for ts, quantity in ((1, 0.04), (2, 0.08), (3, 0.12), (4, 0.16)):  # 0, 1, 1, 2 lots
        ref.open_interest(ts, quantity)
    assert account(ref, "long") == {"opened": 2, "live": 2}


def test_a_fall_closes_in_proportion() -> None:
    ref = book("oi")
    ref.open_interest(0, 0)
    ref.trade(1, 100, 1, BUY)
    ref.open_interest(2, 40)
    ref.trade(3, 101, 1, BUY)
    ref.open_interest(4, 30)
    assert longs(ref) == {90: 30}
    assert account(ref, "short") == {"opened": 40, "live": 30, "closed": 10}
    ref.open_interest(5, 0)
    assert longs(ref) == {90: 0} or longs(ref) == {}
    ref.open_interest(6, 5)  # nothing traded: at the last price, 101
    assert account(ref, "long") == {"opened": 45, "live": 5, "closed": 40}
    assert shorts(ref).get(111) == 5


def test_the_first_sample_and_those_before_any_price_open_nothing() -> None:
    ref = book("oi")
    ref.open_interest(0, 10)
    ref.open_interest(1, 20)
    ref.trade(2, 100, 5, BUY)
    ref.open_interest(3, 21)
    assert account(ref, "long") == {"opened": 1, "live": 1}
    ref = book("oi")
    ref.trade(2, 100, 5, BUY)
    ref.open_interest(3, 21)
    assert account(ref, "long") == {}


def test_without_trades_a_rise_opens_at_the_last_price() -> None:
    ref = book("oi", trigger="mark")
    ref.mark(0, 200)
    ref.open_interest(1, 0)
    ref.open_interest(2, 4)  # no trade yet: at the mark
    assert longs(ref) == {180: 4}
    ref.trade(3, 100, 1, BUY)
    ref.open_interest(4, 4)
    ref.open_interest(5, 7)  # at the last trade; but the mark stands at 200, beyond the level of a short at 110
    assert longs(ref) == {180: 4, 90: 3}
    assert account(ref, "short") == {"opened": 7, "live": 4, "unresolved": 3}


def test_levels_in_the_hull_of_the_marks_are_liquidated() -> None:
    ref = book("oi", trigger="mark")
    ref.mark(0, 100)
    ref.open_interest(0, 0)
    ref.mark(1, 89)
    ref.trade(2, 100, 1, BUY)
    ref.mark(3, 95)
    ref.open_interest(4, 4)
    assert account(ref, "long") == {"opened": 4, "liquidated": 4}
    assert account(ref, "short") == {"opened": 4, "live": 4}


def test_the_own_bin_is_unresolved() -> None:
    ref = book("oi", step_ticks=50)
    ref.trade(0, 140, 1, BUY)
    ref.open_interest(0, 0)
    ref.trade(1, 140, 1, BUY)
    ref.open_interest(2, 4)  # bin 2 covers 100 to 149: the long's level 126 is in it, the short's 154 is not
    assert account(ref, "long") == {"opened": 4, "unresolved": 4}
    assert account(ref, "short") == {"opened": 4, "live": 4}


def test_taker_tilt_moves_entries_and_never_totals() -> None:
    ref = book("oi", taker_tilt=1.0)
    ref.open_interest(0, 0)
    ref.trade(1, 1000, 3, BUY)
    ref.trade(1, 1001, 1, SELL)
    ref.open_interest(2, 4)
    assert longs(ref) == {900: 4}
    assert shorts(ref) == {1101: 4}
    ref = book("oi", taker_tilt=0.5)
    ref.open_interest(0, 0)
    ref.trade(1, 1000, 3, BUY)
    ref.trade(1, 1001, 1, SELL)
    ref.open_interest(2, 40)  # longs 4.5 : 0.5, shorts 1.5 : 1.5
    assert longs(ref) == {900: 36, 901: 4}
    assert shorts(ref) == {1100: 20, 1101: 20}
    ref = book("oi", taker_tilt=1.0)
    ref.open_interest(0, 0)
    ref.trade(1, 1000, 3, BUY)
    ref.open_interest(2, 4)  # nobody sold aggressively: shorts take all volume
    assert shorts(ref) == {1100: 4}


def test_an_interval_may_span_windows() -> None:
    ref = book("oi")
    ref.open_interest(0, 0)
    ref.trade(50, 1000, 1, BUY)
    ref.trade(150, 1010, 1, BUY)
    ref.open_interest(200, 2)  # the first instant of the third window
    ref.advance(300)
    assert [column.live["long", 10] for column in ref.columns] == [{}, {}, {900: 1, 909: 1}]


def test_a_candle_stands_for_its_trades() -> None:
    ref = book("oi")
    ref.open_interest(0, 0)
    ref.add_candle(0, 1000, 1030, 980, 990, 5, 3, 10)  # typical price 1000, at time 9
    ref.open_interest(9, 6)
    assert longs(ref) == {900: 6}
    assert shorts(ref) == {1100: 6}
    assert ref.interval.turnover() == 0  # a candle belongs to the interval that ends with it


def test_half_lives_apply_at_window_ends() -> None:
    ref = book("oi", half_life={10: WINDOW})
    ref.open_interest(0, 0)
    ref.trade(1, 1000, 1, BUY)
    ref.open_interest(2, 64)
    ref.advance(200)
    assert longs(ref) == {900: 16}


# ---- blend -------------------------------------------------------------------------------------------------


def test_blend_renews_a_part_of_the_turnover() -> None:
    ref = book("blend", churn=0.25)
    ref.open_interest(0, 0)
    ref.trade(1, 1000, 100, BUY)
    ref.open_interest(2, 80)  # min(25, 0, 80) = 0 renewed: 80 opened
    assert longs(ref) == {900: 80}
    ref.trade(3, 1001, 80, SELL)
    ref.open_interest(4, 90)  # 20 renewed: 80 becomes 60, and 10 + 20 opened
    assert longs(ref) == {900: 60, 901: 30}
    assert account(ref, "short") == {"opened": 110, "live": 90, "closed": 20}
    ref.trade(5, 1002, 40, SELL)
    ref.open_interest(6, 60)  # 10 renewed: 90 becomes 50, and 10 opened
    assert longs(ref) == pytest.approx({900: 60 * 50 / 90, 901: 30 * 50 / 90, 902: 10})


def test_blend_never_renews_more_than_there_is() -> None:
    ref = book("blend", churn=1.0)
    ref.open_interest(0, 5)
    ref.trade(1, 1000, 1000, BUY)
    ref.open_interest(2, 7)  # min(1000, 5, 7) = 5 renewed: 7 opened
    assert longs(ref) == {900: 7}
    ref.trade(3, 1001, 1000, BUY)
    ref.open_interest(4, 3)
    assert {tick: lots for tick, lots in longs(ref).items() if lots} == {901: 3}


def test_blend_without_churn_is_oi() -> None:
    rng = random.Random(5)
    refs = [book("oi"), book("blend", churn=0.0)]
    for i in range(300):
        price, qty, sold = 1000 + rng.randint(-90, 90), rng.randint(1, 9), rng.random() < 0.5
        quantity = rng.randint(0, 1000)
        for ref in refs:
            ref.trade(i, price, qty, sold)
            if i % 7 == 0:
                ref.open_interest(i, quantity)
    assert refs[0].columns == refs[1].columns
    assert refs[0].stats() == refs[1].stats()


# ---- vendor ------------------------------------------------------------------------------------------------


def test_an_event_opens_and_then_the_candle_touches() -> None:
    ref = book("vendor", tiers=[2, 10])
    ref.vendor_event(5, 1000, 7)
    assert ref.levels("long") == {2: {500: 7}, 10: {900: 7}}
    assert ref.levels("short") == {2: {1500: 7}, 10: {1100: 7}}
    ref.trade(6, 800, 5, SELL)  # neither touches nor opens
    ref.add_candle(0, 1000, 1099, 900, 950, 0, 0, 10)
    assert ref.levels("long") == {2: {500: 7}, 10: {}}
    assert ref.levels("short") == {2: {1500: 7}, 10: {1100: 7}}


def test_an_event_acts_before_a_candle_that_ends_with_it() -> None:
    ref = book("vendor")
    ref.feed(candles=[(0, 100, 105, 90, 100, 0, 0)], interval=10, vendor_events=[(9, 100, 2)])
    assert account(ref, "long") == {"opened": 2, "liquidated": 2}
    assert account(ref, "short") == {"opened": 2, "live": 2}


def test_open_interest_makes_events_above_a_threshold() -> None:
    ref = book("vendor", event_threshold=10)
    ref.open_interest(0, 100)
    ref.add_candle(0, 1000, 1030, 890, 1000, 1, 1, 10)  # (1000 + 1030 + 890 + 1000) / 4 = 980
    ref.open_interest(9, 110)  # not above
    assert account(ref, "long") == {}
    ref.add_candle(10, 1000, 1030, 890, 1000, 1, 1, 10)
    ref.open_interest(19, 121)  # 11 lots; the range has reached 882? No: its low is 890
    assert longs(ref) == {882: 11}
    assert shorts(ref) == {1078: 11}
    ref.open_interest(20, 50)  # falls close nothing
    assert longs(ref) == {882: 11}


# ---- reconciled --------------------------------------------------------------------------------------------


def test_what_was_liquidated_is_taken_out_of_the_fall_first() -> None:
    ref = book("oi", reconciled=True)
    ref.open_interest(0, 0)
    ref.trade(1, 100, 1, BUY)
    ref.open_interest(2, 40)  # longs at 90
    ref.trade(3, 120, 1, BUY)  # takes the 40 shorts at 110
    ref.open_interest(4, 100)  # 60 more of each at 120: longs at 108, shorts at 132
    ref.trade(5, 108, 1, SELL)  # takes 60 longs
    ref.open_interest(6, 30)  # a fall of 70, of which 60 were liquidated longs
    # longs: 40 live of 100 - 60; they go to 30. Shorts: 60 live of 100; 30 % of them stay
    assert longs(ref) == {90: 30}
    assert shorts(ref) == {132: 18}
    spared, capped = ref.corrections()["long", 10]
    assert spared == pytest.approx(40 * (30 / 40 - 30 / 100))
    assert capped == 0
    assert ref.corrections()["short", 10] == (0, 0)


def test_a_layer_above_open_interest_is_capped() -> None:
    for model in ("flow", "oi"):
        ref = book(model, reconciled=True)
        ref.open_interest(0, 0)
        ref.trade(1, 1000, 100, BUY)
        ref.open_interest(2, 40)
        assert longs(ref) == {900: 40}, model
        assert ref.corrections()["long", 10] == (0, 60 if model == "flow" else 0), model
    ref = book("vendor", reconciled=True)
    ref.open_interest(0, 10)
    ref.add_candle(0, 1000, 1000, 1000, 1000, 0, 0, 1)
    ref.vendor_event(1, 1000, 25)
    ref.open_interest(2, 10)
    assert (longs(ref), shorts(ref)) == ({900: 10}, {1100: 10})


def test_nothing_liquidated_and_nothing_above_is_no_correction() -> None:
    refs = [book("blend", reconciled=reconciled, churn=0.2) for reconciled in (False, True)]
    for ref in refs:
        for i, (price, quantity) in enumerate([(1000, 0), (1001, 50), (1002, 30), (1001, 90), (1003, 20)]):
            ref.trade(i, price, 10, BUY)
            ref.open_interest(i, quantity)
    assert refs[0].levels("long") == refs[1].levels("long")
    assert all(abs(spared) < 1e-9 and capped == 0 for spared, capped in refs[1].corrections().values())


# ---- all of them -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reconciled", [False, True])
@pytest.mark.parametrize("model", ["flow", "presence", "oi", "blend", "vendor"])
def test_accounts_balance(model: str, reconciled: bool) -> None:
    rng = random.Random(f"{model} {reconciled}")
    options = {"churn": 0.3, "event_threshold": 20, "taker_tilt": 0.3, "exponent": 1}
    ref = book(model, tiers=[1, 5, 50], reconciled=reconciled, **options)
    price = 1000
    for i in range(600):
        price = max(1, price + rng.randint(-20, 20))
        if model == "vendor":
            ref.add_candle(i, price, price + 5, price - min(5, price - 1), price, rng.randint(0, 9), 1, 1)
            if rng.random() < 0.1:
                ref.vendor_event(i, price, rng.randint(1, 100))
        else:
            ref.trade(i, price, rng.randint(1, 9), rng.random() < 0.5)
        if i % 5 == 0:
            ref.open_interest(i, rng.randint(0, 200))
    assert imbalance(ref) < 1e-12
    assert sum(a["opened"] for a in ref.stats().values()) > 0
