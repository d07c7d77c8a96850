"""Stops beyond clusters: worked by hand, on a market, without a look ahead."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.analysis.stops import round_number

MARGIN = lq.MarginSchedule.flat(0.0)
INSTRUMENT = lq.Instrument(symbol="X", tick_size=1.0, lot_size=1.0, margin=MARGIN)
START = 1_767_571_200_000_000_000
MINUTE = 60 * 10**9


@pytest.fixture(scope="module")
def heatmap() -> lq.Heatmap:
    """
    A price of 1,000 for an hour; levels are put where they are by hand.

    Longs: 5 at 950, 6 at 940, 50 at 900. Shorts: 7 at 1,050. Rows of 10.
    """
    axis = lq.PriceAxis(low=800, high=1200, step=10, tick_size=1.0)
    eng = lq.Engine(INSTRUMENT, leverage={10: 1.0}, axis=axis, window="1m", model="none", half_life=None)
    eng.trade(START, 1000.0, 1.0, True)
    for side, level, qty in (("long", 950, 5.0), ("long", 940, 6.0), ("long", 900, 50.0), ("short", 1050, 7.0)):
        entry = level / 0.9 if side == "long" else level / 1.1
        eng.open(side, round(entry), qty)
    for i in range(1, 60):
        eng.trade(START + i * MINUTE, 1000.0, 1.0, True)
    return eng.heatmap().rebin(step=10)


GIVEN: dict[str, Any] = {"sigma": 0.05, "volume": 1e6, "threshold": "p0"}


def test_the_levels_lie_where_the_test_says(heatmap: lq.Heatmap) -> None:
    zones = [(zone.side, zone.low, zone.high) for zone in heatmap.zones(threshold="p0")]
    assert zones == [("long", 900, 910), ("long", 940, 960), ("short", 1050, 1060)]


def test_stops_stand_beyond_clusters_and_say_what_lies_between(heatmap: lq.Heatmap) -> None:
    found = lq.stops(heatmap, side="long", risk=15, **GIVEN)
    assert [stop.price for stop in found] == [930.0, 890.0]  # a row beyond 940 and 900
    near, far = found
    between = 5 * 955 + 6 * 945
    assert near.between == pytest.approx(between)
    assert near.distance_percent == pytest.approx(-7.0)
    assert near.to_next_percent == pytest.approx(100 * 20 / 930)  # 910, the upper edge of the next
    assert far.between == pytest.approx(between + 50 * 905)
    assert math.isnan(far.to_next_percent)
    # A fall to 930 liquidates both rows: sigma P sqrt(Q / V) farther.
    slip = 0.05 * 1000 * math.sqrt(between / 1e6)
    assert near.fill_price == pytest.approx(930 - slip)
    assert near.slippage_percent == pytest.approx(100 * slip / 930)
    assert "scenario" in found.notes[0]
    assert "forecast" in found.notes[0]


def test_the_stop_of_a_short_stands_above(heatmap: lq.Heatmap) -> None:
    (stop,) = lq.stops(heatmap, side="short", risk=10, **GIVEN)
    assert stop.price == 1070.0
    assert stop.between == pytest.approx(7 * 1055)
    assert stop.fill_price > stop.price


def test_risk_entry_and_money(heatmap: lq.Heatmap) -> None:
    assert [stop.price for stop in lq.stops(heatmap, side="long", risk=7.5, **GIVEN)] == [930.0]
    assert [stop.price for stop in lq.stops(heatmap, 960.0, side="long", risk=7.5, **GIVEN)] == [930.0, 890.0]
    (none,) = [lq.stops(heatmap, side="long", risk=1, **GIVEN)]
    assert len(none) == 0
    assert "within 1 % of the entry" in none.notes[-1]
    near = lq.stops(heatmap, 980.0, side="long", risk=15, money=1_000.0, **GIVEN)[0]
    assert near.quantity == pytest.approx(1_000 / (980 - near.fill_price))


def test_real_stop_orders_stand_beside_the_levels(heatmap: lq.Heatmap) -> None:
    orders = lq.TriggerOrders(np.array([935.0, 985.0]), np.array([3.0, 2.0]), np.array([True, True]))
    plain, found = (lq.stops(heatmap, side="long", risk=15, orders=each, **GIVEN)[0] for each in (None, orders))
    assert plain.orders_between == 0.0
    assert found.orders_between == pytest.approx(3 * 935 + 2 * 985)
    assert found.between == plain.between
    assert found.fill_price < plain.fill_price


def test_round_numbers_are_flagged_just_beyond_them(heatmap: lq.Heatmap) -> None:
    assert round_number(59_900, 1_000, "long") == 60_000
    assert math.isnan(round_number(59_890, 1_000, "long"))
    assert round_number(60_000, 1_000, "long") == 60_000
    assert round_number(60_100, 1_000, "short") == 60_000
    assert math.isnan(round_number(59_990, 1_000, "short"))
    near, far = lq.stops(heatmap, side="long", risk=15, **GIVEN)
    assert math.isnan(near.round_number)  # 930
    assert far.round_number == 900.0  # 890, of round numbers 100 apart
    assert math.isnan(lq.stops(heatmap, side="long", risk=15, round_step=70, **GIVEN)[1].round_number)


def test_nothing_later_is_known() -> None:
    trades = lq.simulate(seed=5, days=1.0, trades_per_day=40_000).trades
    hm = lq.heatmap(trades=trades)
    first = trades.ts < int(hm.times[200])
    part = lq.heatmap(
        trades=lq.TradeBatch(*(getattr(trades, name)[first] for name in ("ts", "price", "qty", "taker_sell")))
    )
    at = int(hm.times[199])
    whole, then = (lq.stops(each, side="short", risk=8, ts=at, scale=0.05).to_dict() for each in (hm, part))
    assert whole == then
    assert whole["stops"]


def test_stops_are_a_table(heatmap: lq.Heatmap, tmp_path: Path) -> None:
    found = lq.stops(heatmap, side="long", risk=15, **GIVEN)
    frame = found.to_pandas()
    assert frame["price"].tolist() == [930.0, 890.0]
    assert "not a forecast" in found.save(tmp_path / "stops.csv").read_text(encoding="utf-8-sig")
    assert found.to_dict()["stops"][1]["to_next_percent"] is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"side": "up"}, "side must be one of ('long', 'short'), was 'up'"),
        ({"entry": 0.0}, "entry must be above 0, was 0.0"),
        ({"risk": 100.0}, "risk must be above 0 and below 100, was 100.0"),
        ({"money": -5.0}, "money must be above 0, was -5.0"),
        ({"beyond": -1.0}, "beyond must be a number of rows, 0 or above, was -1.0"),
        ({"round_step": 0.0}, "round_step must be above 0, was 0.0"),
        ({"y": -1.0}, "y must be above 0, was -1.0"),
    ],
)
def test_wrong_arguments_are_refused_by_name_rule_and_value(
    heatmap: lq.Heatmap, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(lq.InvalidConfigError) as error:
        lq.stops(heatmap, **({"side": "long"} | GIVEN | given))
    assert said in str(error.value)
