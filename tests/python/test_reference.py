"""The reference on numbers worked by hand: tick 1, lot 1, bins of one tick, no maintenance margin."""

import math
import random
from typing import Any

import pytest

from reference import FATES, Reference, level_factor
from reference_models import ModelReference
from streams import Market, random_setup, tell_reference

BUY, SELL = False, True
MINUTE = 60_000_000_000


def book(**changes: Any) -> Reference:
    """Tier 10: a long opened at 100 is liquidated at 90, a short at 110."""
    settings: dict[str, Any] = {"tick_size": 1.0, "lot_size": 1.0, "tiers": [10], "step_ticks": 1, "window": 100}
    return Reference(**{**settings, **changes})


def check_account(ref: Reference) -> None:
    for layer, account in ref.stats().items():
        assert account["opened"] == account["live"] + sum(account[fate] for fate in FATES), layer


@pytest.mark.parametrize(
    ("contract", "basis", "long", "short"),
    [
        # m + f = 0.02 on mark value, m = 0.01 on entry value, 10x
        ("linear", "mark", 0.9 / 0.98, 1.1 / 1.02),
        ("linear", "entry", 0.91, 1.09),
        ("inverse", "mark", 1.02 / 1.1, 0.98 / 0.9),
        ("inverse", "entry", 1 / 1.09, 1 / 0.91),
    ],
)
def test_level_factors(contract: str, basis: str, long: float, short: float) -> None:
    assert level_factor("long", 10, 0.01, 0.01, basis, contract) == pytest.approx(long, rel=1e-15)
    assert level_factor("short", 10, 0.01, 0.01, basis, contract) == pytest.approx(short, rel=1e-15)


def test_factors_meet_the_margin_condition() -> None:
    # entry 100, 1 unit (linear) or 100 USD (inverse), 20x, m = 0.4 %, fee 0.1 %: equity = maintenance at the price
    for side, s in (("long", 1), ("short", -1)):
        price = 100 * level_factor(side, 20, 0.004, 0.001, "mark", "linear")
        assert 5 + s * (price - 100) == pytest.approx(0.005 * price)
        price = 100 * level_factor(side, 20, 0.004, 0.0, "entry", "linear")
        assert 5 + s * (price - 100) == pytest.approx(0.004 * 100)
        price = 100 * level_factor(side, 20, 0.004, 0.001, "mark", "inverse")
        assert 1 / 20 + s * 100 * (1 / 100 - 1 / price) == pytest.approx(0.005 * 100 / price)
        price = 100 * level_factor(side, 20, 0.004, 0.0, "entry", "inverse")
        assert 1 / 20 + s * 100 * (1 / 100 - 1 / price) == pytest.approx(0.004 * 100 / 100)


def test_one_times_leverage_has_no_price() -> None:
    assert level_factor("long", 1, 0.004, 0.0, "mark", "linear") == 0
    assert math.isinf(level_factor("short", 1, 0.0, 0.0, "mark", "inverse"))
    ref = book(tiers=[1])
    ref.trade(0, 100, 3, BUY)
    ref.trade(0, 100, 4, SELL)
    assert ref.stats()["long", 1]["no_price"] == 3
    assert ref.levels("short") == {1: {200: 4}}
    check_account(ref)


def test_a_buy_opens_a_long_below_and_a_sell_a_short_above() -> None:
    ref = book(maker_share=0.25)
    ref.trade(0, 100, 2, BUY)
    assert ref.levels("long") == {10: {90: 2}}
    assert ref.levels("short") == {10: {110: 0.5}}
    ref.trade(0, 200, 4, SELL)  # and touches 200 on the way: the short at 110 is gone
    assert ref.levels("long") == {10: {90: 2, 180: 1}}
    assert ref.levels("short") == {10: {220: 4}}
    assert ref.stats()["short", 10]["liquidated"] == 0.5
    check_account(ref)


def test_maker_share_is_held_in_1024ths() -> None:
    ref = book(maker_share=0.3)  # 307/1024
    ref.trade(0, 100, 1024, BUY)
    assert ref.levels("short") == {10: {110: 307}}


def test_touch_takes_whole_bins() -> None:
    ref = book(step_ticks=10)  # level 90 lies in bin 9: [90, 100)
    ref.trade(0, 101, 1, BUY)  # level 90.9 -> 91
    ref.trade(1, 100, 1, SELL)
    assert ref.levels("long") == {10: {9: 1}}
    ref.trade(2, 99, 1, SELL)  # above the level, in its bin
    assert ref.levels("long") == {10: {}}
    assert ref.stats()["long", 10]["liquidated"] == 1


def test_a_jump_takes_everything_it_passes() -> None:
    ref = book()
    for price in (120, 110, 100):
        ref.trade(0, price, 1, BUY)
    assert ref.levels("long") == {10: {99: 1, 90: 1}}  # 108 went at 100
    ref.trade(1, 5, 1, BUY)
    assert ref.levels("long") == {10: {4: 1}}  # 4.5 is half to even
    check_account(ref)


def test_half_to_even() -> None:
    ref = book()
    ref.trade(0, 5, 1, BUY)  # 4.5 -> 4
    ref.trade(0, 15, 1, BUY)  # 13.5 -> 14
    ref.trade(0, 15, 2.5, BUY)  # 2 lots
    assert ref.levels("long") == {10: {4: 1, 14: 3}}
    assert ref.rounded_qty == 1


def test_a_level_in_the_entrys_own_bin_is_unresolved() -> None:
    ref = book(step_ticks=20)  # bins [80, 100) and [100, 120)
    ref.trade(0, 100, 1, BUY)
    ref.trade(0, 100, 2, SELL)
    assert ref.levels("long") == {10: {4: 1}}
    assert ref.levels("short") == {10: {}}
    assert ref.stats()["short", 10]["unresolved"] == 2
    check_account(ref)


def test_with_the_mark_trigger_trades_open_and_marks_touch() -> None:
    ref = book(trigger="mark")
    ref.trade(0, 100, 1, BUY)  # long at 90
    ref.trade(1, 80, 1, SELL)  # short at 88: the trade does not touch the long
    assert (ref.levels("long"), ref.levels("short")) == ({10: {90: 1}}, {10: {88: 1}})
    ref.mark(2, 89)  # takes both
    assert (ref.levels("long"), ref.levels("short")) == ({10: {}}, {10: {}})
    ref.trade(3, 98, 5, BUY)  # 88.2 -> 88: below the mark's bin, live
    ref.trade(3, 99, 7, BUY)  # 89.1 -> 89: in the mark's bin
    assert ref.levels("long") == {10: {88: 5}}
    assert ref.stats()["long", 10]["unresolved"] == 7
    check_account(ref)


def test_marks_are_only_noted_with_the_last_trigger() -> None:
    ref = book()
    ref.trade(0, 100, 1, BUY)
    ref.mark(1, 50)
    ref.trade(1, 100, 1, BUY)
    assert ref.levels("long") == {10: {90: 2}}


def test_a_candle_touches_then_opens_at_its_typical_price() -> None:
    for trigger in ("last", "candle"):
        ref = book(trigger=trigger, window=2 * MINUTE)
        ref.add_candle(0, 100, 103, 99, 101, 5, 0, MINUTE)  # typical 101: long at 90.9 -> 91
        assert ref.levels("long") == {10: {91: 5}}
        ref.add_candle(MINUTE, 101, 101, 90, 100, 2, 4, MINUTE)  # takes 91; typical 97: long 87.3, short 106.7
        assert ref.levels("long") == {10: {87: 2}}
        assert ref.levels("short") == {10: {107: 4}}
        assert ref.clock == 2 * MINUTE - 1
        ref.advance(2 * MINUTE)
        assert ref.columns[0].candle == {"open": 100, "high": 103, "low": 90, "close": 100, "buy": 7, "sell": 4}
        check_account(ref)


def test_a_level_inside_the_candles_range_is_unresolved() -> None:
    ref = book()
    ref.add_candle(0, 100, 120, 80, 100, 5, 6, MINUTE)  # typical 100: 90 and 110 lie inside
    assert [ref.stats()[side, 10]["unresolved"] for side in ("long", "short")] == [5, 6]
    ref = book(trigger="mark")  # there the candle triggers nothing
    ref.add_candle(0, 100, 120, 80, 100, 5, 6, MINUTE)
    assert (ref.levels("long"), ref.levels("short")) == ({10: {90: 5}}, {10: {110: 6}})


def test_with_the_candle_trigger_trades_only_open() -> None:
    ref = book(trigger="candle", window=MINUTE)
    ref.trade(0, 100, 1, BUY)
    ref.trade(1, 95, 1, BUY)
    ref.trade(2, 50, 1, SELL)
    assert ref.levels("long") == {10: {90: 1, 86: 1}}
    ref.add_candle(0, 100, 100, 87, 90, 0, 0, MINUTE)  # without volume it may accompany trades
    assert ref.levels("long") == {10: {86: 1}}
    with pytest.raises(ValueError, match="has the trade at 2 in it"):
        ref.add_candle(0, 60, 60, 50, 55, 1, 0, MINUTE)


def test_windows_close_with_the_book_at_their_end() -> None:
    ref = book(window=100)
    ref.trade(150, 100, 1, BUY)
    ref.trade(199, 200, 3, SELL)
    ref.trade(400, 88, 2, BUY)  # closes 100, 200, 300
    assert [column.start for column in ref.columns] == [100, 200, 300]
    assert [column.live["long", 10] for column in ref.columns] == [{90: 1}] * 3
    assert [column.liquidated["long", 10] for column in ref.columns] == [{}] * 3
    assert [column.candle for column in ref.columns] == [
        {"open": 100, "high": 200, "low": 100, "close": 200, "buy": 1, "sell": 3},
        None,
        None,
    ]
    ref.advance(500)
    assert ref.columns[3].liquidated["long", 10] == {90: 1}
    assert ref.columns[3].live["long", 10] == {79: 2}


def test_half_life_applies_at_every_window_end() -> None:
    ref = book(tiers=[10, 5], window=100, half_life={10: 100, 5: None})
    ref.trade(0, 100, 4, BUY)
    ref.advance(100)
    assert ref.columns[0].live == {("long", 10): {90: 2}, ("long", 5): {80: 4}, ("short", 10): {}, ("short", 5): {}}
    ref.advance(450)
    assert ref.columns[1].live["long", 10] == {90: 1}
    assert ref.columns[2].live["long", 10] == {90: 0.5}  # half a lot stays
    assert ref.columns[3].live["long", 10] == {}  # less goes
    assert ref.stats()["long", 10]["closed"] == 4
    assert ref.levels("long")[5] == {80: 4}
    check_account(ref)


def test_levels_outside_a_fixed_axis_are_counted() -> None:
    ref = book(tiers=[10, 2], bins=(80, 121))
    ref.trade(0, 100, 1, BUY)  # 90, and 50 below
    ref.trade(1, 100, 1, SELL)  # 110, and 150 above
    assert ref.levels("long") == {10: {90: 1}, 2: {}}
    assert ref.stats()["long", 2]["underflow"] == 1
    assert ref.stats()["short", 2]["overflow"] == 1
    ref.trade(2, 130, 1, BUY)  # an entry outside still opens: 117
    ref.trade(2, 134, 1, BUY)  # 120.6 -> 121 is the first bin outside
    assert ref.levels("long")[10] == {90: 1, 117: 1}
    assert ref.stats()["long", 10]["overflow"] == 1
    check_account(ref)


@pytest.mark.parametrize(
    ("ts", "price", "qty", "reason"),
    [
        (9, math.nan, 1, "late"),
        (10, math.nan, 1, "not_finite"),
        (10, 100, math.inf, "not_finite"),
        (10, 0, 1, "not_positive"),
        (10, -1, math.nan, "not_finite"),
        (10, 100, 0, "not_positive"),
        (10, 0.3, 1, "not_positive"),
        (10, 2.0**31 + 1, 1, "too_large"),
        (10, 100, 2.0**48 * 2, "too_large"),
        (10, 100.5, 1, "off_grid"),
        (10, 100 + 1e-5, 1, "off_grid"),
        (10, 100 + 1e-7, 1, ""),
    ],
)
def test_rows_at_the_door(ts: int, price: float, qty: float, reason: str) -> None:
    ref = book()
    ref.trade(10, 100, 1, BUY)
    ref.trade(ts, price, qty, BUY)
    assert ref.rejected == ({reason: 1} if reason else {})
    assert (ref.rows, ref.used) == (2, 1 if reason else 2)


def test_a_rejected_row_changes_nothing() -> None:
    ref = book()
    ref.trade(10, 100, 1, BUY)
    ref.trade(1000, 88.5, 1, BUY)
    ref.mark(1000, math.nan)
    assert (ref.clock, ref.columns, ref.levels("long")) == (10, [], {10: {90: 1}})


def test_streams_merge_mark_trade_candle() -> None:
    ref = book(trigger="mark")
    ref.feed(trades=[(5, 100, 1, BUY), (7, 100, 2, BUY)], marks=[(7, 89), (8, 95)])
    # the mark at 7 comes first: the long of the trade at 5 goes, and that of the trade at 7 is placed at no bin
    assert ref.stats()["long", 10]["liquidated"] == 1
    assert ref.stats()["long", 10]["unresolved"] == 2


def test_the_verbs() -> None:
    ref = book(model="none")
    ref.advance(0)
    ref.open("long", 100, 8)
    ref.open("short", 100, 6)
    ref.scale(0.25)
    assert (ref.levels("long"), ref.levels("short")) == ({10: {90: 2}}, {10: {110: 1.5}})
    ref.scale({("long", 10): 1.0, ("short", 10): 0.25})
    assert (ref.levels("long"), ref.levels("short")) == ({10: {90: 2}}, {10: {110: 0.375}})
    ref.advance(100)  # less than half a lot goes at the window's end
    assert (ref.levels("long"), ref.levels("short")) == ({10: {90: 2}}, {10: {}})
    ref.touch(90, 95)
    assert ref.levels("long") == {10: {}}
    assert ref.stats()["short", 10]["closed"] == 6
    check_account(ref)


def test_what_opens_is_held_against_where_the_price_is() -> None:
    ref = book(window=2 * MINUTE)
    ref.advance(0)
    ref.touch(80, 120)
    assert ref.open("long", 100, 3) == {"unresolved": 1}  # 90: the price may be below
    ref.touch(80, 120, 95)
    assert ref.open("long", 100, 5) == {"live": 1}
    assert ref.open("short", 80, 7) == {"unresolved": 1}  # 88: the price is above
    ref.add_candle(0, 100, 120, 80, 89, 0, 0, MINUTE)  # takes the long; closes at 89
    assert ref.open("long", 100, 2) == {"unresolved": 1}
    assert ref.open("long", 98, 2) == {"live": 1}  # 88.2
    assert ref.levels("long") == {10: {88: 2}}


def test_a_quantity_for_each_tier_and_a_known_level() -> None:
    ref = book(tiers=[2, 10])
    ref.advance(0)
    assert ref.open("long", 100, [4, 0]) == {"live": 1}
    assert ref.open_level("long", 99, [0, 5]) == {"live": 1}  # no entry that it must lie below
    assert ref.open_level("short", 130, 6) == {"live": 2}
    assert ref.levels("long") == {2: {50: 4}, 10: {99: 5}}
    assert ref.levels("short") == {2: {130: 6}, 10: {130: 6}}
    assert ref.stats()["long", 10]["opened"] == 5
    ref.touch(99, 131)
    assert ref.open_level("long", 99, 1) == {"unresolved": 2}


@pytest.mark.parametrize(("price", "level"), [("hlc3", 91), ("close", 86), ("open", 94), ("ohlc4", 92), ("hl2", 93)])
def test_the_entry_price_of_a_candle(price: str, level: int) -> None:
    ref = book(candle_price=price, trigger="mark", window=2 * MINUTE)
    ref.add_candle(0, 104, 110, 96, 96, 1, 0, MINUTE)
    assert ref.levels("long") == {10: {level: 1}}  # of 302 / 3 = 101, 96, 104, 406 / 4 = 102 (half to even), 103


class Naive(ModelReference):
    """Looks at every cell on every touch."""

    def _touch(self, low: int, high: int, last: int | None = None) -> None:
        self.nearest = dict.fromkeys(self.live, math.inf)
        super()._touch(low, high, last)


def check_sides(ref: Reference, low: int, high: int) -> None:
    """No live long at or above the last triggered bins, no live short at or below."""
    for (side, _), cells in ref.live.items():
        for where, quantity in cells.items():
            assert quantity > 0
            assert where < ref.bin(low) if side == "long" else where > ref.bin(high)


@pytest.mark.parametrize("source", ["trades", "candles"])
@pytest.mark.parametrize("trigger", ["last", "mark", "candle"])
def test_invariants_after_every_call(trigger: str, source: str) -> None:
    for seed in range(20):
        rng = random.Random(seed)
        setup = random_setup(rng, trigger=trigger)
        ref, naive = setup.reference(), Naive(**setup.rules())
        columns = 0
        for step in Market(rng, setup, source).steps(100, 5):
            tell_reference(ref, step)
            tell_reference(naive, step)
            assert (ref.live, ref.stats()) == (naive.live, naive.stats())
            for account in ref.stats().values():
                total = account["live"] + sum(account[fate] for fate in FATES)
                assert account["opened"] == pytest.approx(total, rel=1e-12, abs=1e-9)
            if ref.last_mark is not None and trigger == "mark":
                check_sides(ref, ref.last_mark, ref.last_mark)
            if ref.candle is not None and trigger == "last" and source == "trades":
                check_sides(ref, ref.candle["close"], ref.candle["close"])
            assert len(ref.columns) >= columns
            columns = len(ref.columns)
        assert ref.rows == ref.used + sum(ref.rejected.values())
        assert columns > 10
        assert len(ref.rejected) > 2
