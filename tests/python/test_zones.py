"""Zones: what they are, since when, how lasting, what swept them; magnets; which survive other views."""

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from drive import heatmap_of, make_engine
from liqcore.analysis.zones import LONGEST_BLOCK
from liqcore.words.threshold import Threshold
from recorded import data_dir
from streams import SECOND, random_setup
from test_engine_recorded import SETUPS, WHOLE, marks, read, trades
from test_time_frames import HOUR, START, engine_of, events_of, feed

HALF_HOUR = HOUR // 2


def long_at(level: float) -> float:
    """Where to buy for a 2x long that is liquidated at a level: without maintenance margin, at twice that."""
    return 2 * level


@pytest.fixture
def hm() -> lq.Heatmap:
    """
    Rows of 10, windows of half an hour, 2x longs without margin, in quantities. Bought: ::

        hours     level   row   quantity
        0         500     500   4           with 505, one zone of two rows at or above 3
        0.6       505     500   2
        0.6       515     510   3
        1.1       530     530   1           below 3 until ...
        2.1       535     530   6           ... here
        2.6       480     480   2           never 3

    Shorts: sold at 1,000, a short of 5 at 1,500 after 0 hours; at 1,020 one of 3.5 at 1,530 after 3.2.
    """
    rows = [
        (0.0, long_at(500), 4, False),
        (0.1, 1_000, 5, True),
        (0.6, long_at(505), 2, False),
        (0.6, long_at(515), 3, False),
        (1.1, long_at(530), 1, False),
        (2.1, long_at(535), 6, False),
        (2.6, long_at(480), 2, False),
        (3.2, 1_020, 3.5, True),
    ]
    eng = engine_of(rows)
    eng.advance(START + 4 * HOUR)
    return quantities(eng)


def quantities(eng: lq.Engine) -> lq.Heatmap:
    closed, _ = eng._history(False)
    return heatmap_of(closed, eng.leverage, step=10, meta={"trigger": eng.trigger})


def ranges(zones: list[lq.Zone]) -> list[tuple[str, float, float]]:
    return [(zone.side, zone.low, zone.high) for zone in zones]


# ---- by hand -----------------------------------------------------------------------------------------------------


def test_a_zone_is_neighbouring_bins_of_one_side_at_or_above_the_threshold(hm: lq.Heatmap) -> None:
    zones = hm.zones(threshold=3)
    assert ranges(zones) == [("long", 500, 520), ("long", 530, 540), ("short", 1500, 1510), ("short", 1530, 1540)]
    zone = zones[0]
    assert (zone.value, zone.peak_price, zone.peak_value) == (9, 505, 6)
    assert zone.share == 9 / 18
    assert zone.distance_percent == pytest.approx(100 * (520 / 1020 - 1))
    assert zones[2].distance_percent == pytest.approx(100 * (1500 / 1020 - 1))
    assert zones[2].share == 5 / 8.5
    assert (zone.threshold, zone.unit, zone.time_ns) == (3, "quantity", START + 4 * HOUR)
    assert zone.swept is None


def test_since_and_persistence_are_those_of_any_bin_at_the_same_amount(hm: lq.Heatmap) -> None:
    zones = {zone.low: zone for zone in hm.zones(threshold=3)}
    since = {low: (zone.since_ns - START) // HALF_HOUR for low, zone in zones.items()}
    assert since == {500: 0, 530: 4, 1500: 0, 1530: 6}  # the window in which the threshold was reached
    assert {low: zone.persistence for low, zone in zones.items()} == {500: 1, 530: 0.5, 1500: 1, 1530: 0.25}
    # Over the last three columns alone; the beginning is looked up further back.
    zones = {zone.low: zone for zone in hm.zones(threshold=3, columns=3)}
    assert {low: zone.persistence for low, zone in zones.items()} == {
        500: 1,
        530: 1,
        1500: 1,
        1530: pytest.approx(2 / 3),
    }
    assert {low: (zone.since_ns - START) // HALF_HOUR for low, zone in zones.items()} == since


def test_a_break_ends_the_presence() -> None:
    # A long at 500 of 4, taken by a fall to 505 after 1 hour, opened again after 2.
    eng = engine_of([(0, 1000, 4, False), (1.1, 505, 0.1, True), (2.1, 1000, 4, False)])
    eng.advance(START + 3 * HOUR)
    (zone,) = quantities(eng).zones(threshold=3)
    assert zone.since_ns == START + 2 * HOUR
    assert zone.persistence == pytest.approx(4 / 6)  # two windows before, two after


def test_ages_are_shares_of_what_is_there(hm: lq.Heatmap) -> None:
    zones = {zone.low: zone for zone in hm.zones(threshold=3)}
    assert list(zones[500].ages) == ["1h", "4h", "1d", "1w", "1mo"]
    assert zones[500].ages["1h"] == 0
    assert zones[500].ages["4h"] == 1
    assert zones[1530].ages["1h"] == 1
    at_three = {zone.low: zone for zone in hm.zones(START + 3 * HOUR, threshold=3)}
    assert at_three[530].ages["1h"] == pytest.approx(6 / 7)
    age = hm.age(START + 3 * HOUR)
    for zone in at_three.values():
        assert list(zone.ages.values()) == age.share_between(zone.side, zone.low, zone.high).tolist()


def test_the_past_is_what_was_known_then(hm: lq.Heatmap) -> None:
    assert ranges(hm.zones(START + HOUR, threshold=3)) == [("long", 500, 520), ("short", 1500, 1510)]
    assert ranges(hm.zones(START + HALF_HOUR, threshold=3)) == [("long", 500, 510), ("short", 1500, 1510)]
    # A share is of the largest bin then, 5; later it is 7.
    assert hm.zones(START + HALF_HOUR, threshold=0.5)[0].threshold == 2.5
    assert hm.zones(threshold=0.5)[0].threshold == 3.5


def test_the_threshold_of_the_heatmap_or_a_tenth_of_the_bins(hm: lq.Heatmap) -> None:
    assert ranges(hm.select(threshold="4 quantity").zones()) == ranges(hm.zones(threshold=4))
    # Six bins are not zero: 2, 3, 3.5, 5, 6, 7; the nearest rank of the ninetieth percentile is the sixth.
    assert ranges(hm.zones()) == ranges(hm.zones(threshold="p90")) == [("long", 530, 540)]
    assert len(hm.zones(threshold="p0")) == 5  # every bin, in five runs
    assert ranges(hm.select(side="short").zones(threshold=0.5)) == [("short", 1500, 1510), ("short", 1530, 1540)]
    assert hm.zones(threshold=100) == []


def test_what_is_near_is_measured_by_what_is_near() -> None:
    eng = engine_of([(0, 1_000, 4, False)], leverage={2: 0.9, 10: 0.1})  # 3.6 at 500, 0.4 at 900
    eng.advance(START + HOUR)
    hm = quantities(eng)
    assert ranges(hm.zones(threshold=1.0)) == [("long", 500, 510)]
    assert ranges(hm.zones(threshold=1.0, within=15)) == [("long", 900, 910)]
    assert ranges(hm.zones(threshold="p90", within=50)) == ranges(hm.zones(threshold="p90")) == [("long", 500, 510)]
    assert hm.zones(within=8) == []  # 910 is 9 % away
    assert ranges(hm.zones(within=9.5)) == [("long", 900, 910)]
    assert ranges(hm.zones(threshold="1 quantity", within=15)) == []
    for within in (0, 100, math.nan):
        with pytest.raises(lq.InvalidConfigError, match="within must be above 0 and below 100 percent, was"):
            hm.zones(within=within)


def test_a_peak_shared_by_two_bins_is_the_nearer() -> None:
    rows = [(0, long_at(500), 4, False), (0, long_at(510), 4, False), (0, 1_010, 4, True), (0, 1_020, 4, True)]
    eng = engine_of(rows)
    eng.advance(START + HOUR)
    longs, shorts = quantities(eng).zones(threshold=3)[:2]
    assert (longs.low, longs.high, longs.peak_price) == (500, 520, 515)
    assert shorts.peak_price == 1515  # at 1,010 x 1.5


def test_swept_says_when_by_what_and_how_much() -> None:
    rows = [(0, 1000, 4, False), (0.1, 1020, 3, False), (0.2, 1000, 5, True), (1.6, 518, 0.1, True)]
    eng = engine_of([*rows, (2.2, 503, 0.1, True), (2.7, 1000, 1, False)])
    eng.advance(START + 3 * HOUR)
    hm = quantities(eng)
    before = hm.zones(START + HOUR, threshold=3)
    assert ranges(before) == [("long", 500, 520), ("short", 1500, 1510)]
    (zone,) = hm.swept(START + HOUR, threshold=3)
    assert replace(zone, swept=None) == before[0]
    assert zone.swept == lq.Sweep(
        start_ns=START + 3 * HALF_HOUR, end_ns=START + 4 * HALF_HOUR, by="last", price=510, value=3
    )
    assert hm.swept(START + HOUR, until=START + 3 * HALF_HOUR, threshold=3) == []
    assert hm.swept(START + HOUR, until=START + 2 * HOUR, threshold=3) == [zone]


def test_marks_sweep_where_they_trigger() -> None:
    eng = engine_of([(0, 1000, 4, False)], trigger="mark")
    eng.mark(START + HOUR, 990.0)
    eng.trade(START + HOUR + 1, 505.0, 0.1, True)  # the last price alone liquidates nothing
    eng.advance(START + 2 * HOUR)
    assert quantities(eng).swept(START + HOUR, threshold=3) == []
    eng.mark(START + 2 * HOUR + 1, 507.0)
    eng.advance(START + 3 * HOUR)
    (zone,) = quantities(eng).swept(START + HOUR, threshold=3)
    assert zone.swept is not None
    assert (zone.swept.by, zone.swept.price, zone.swept.value) == ("mark", 500, 4)
    assert zone.swept.start_ns == START + 2 * HOUR


def test_shorts_are_swept_by_a_rise() -> None:
    eng = engine_of([(0, 1000, 4, True), (1.2, 1507, 0.1, False)])
    eng.advance(START + 2 * HOUR)
    (zone,) = quantities(eng).swept(START + HOUR, threshold=3)
    assert zone.swept is not None
    assert (zone.low, zone.swept.price, zone.swept.value) == (1500, 1510, 4)


def test_a_time_frame_has_its_own_zones(hm: lq.Heatmap) -> None:
    zones = hm.select(opened_within="1h").zones(threshold=3)
    assert ranges(zones) == [("short", 1530, 1540)]
    assert zones[0].ages["1h"] == 1


def test_rebinned_heatmaps_have_coarser_zones(hm: lq.Heatmap) -> None:
    coarse = hm.rebin(step=50, window="1h").zones(threshold=3)
    assert ranges(coarse) == [("long", 500, 550), ("short", 1500, 1550)]
    assert coarse[0].value == 16
    assert coarse[0].since_ns == START


def test_presence_is_followed_through_long_blocks() -> None:
    eng = engine_of([(0.5, 1000, 4, False)], window="1m")
    eng.advance(START + 60 * HOUR)
    (zone,) = quantities(eng).zones(threshold=3, columns=2)
    assert 2 * LONGEST_BLOCK < 60 * 60
    assert zone.since_ns == START + HALF_HOUR


# ---- magnets -----------------------------------------------------------------------------------------------------


def test_the_score_by_hand(hm: lq.Heatmap) -> None:
    zone = hm.zones(threshold=3)[0]
    near = replace(zone, value=10.0, distance_percent=-1.0, persistence=0.5)
    far = replace(zone, value=40.0, distance_percent=4.0, persistence=1.0)
    scores = {magnet.zone.value: magnet.score for magnet in lq.magnets([near, far], reach_percent=2)}
    assert scores == pytest.approx({10: 0.25 * math.exp(-0.5) * 0.5, 40: math.exp(-2)})
    ranked = lq.magnets([near, far], value=2, distance=0, persistence=0)
    assert [(magnet.score, magnet.zone) for magnet in ranked] == [(1, far), (0.0625, near)]
    assert lq.magnets([near, far], distance=10)[0].zone == near
    assert lq.magnets([]) == []
    assert lq.magnets([replace(near, distance_percent=math.nan)])[0].score == 0


# ---- sensitivity -------------------------------------------------------------------------------------------------


@pytest.fixture
def two_tiers() -> lq.Heatmap:
    """Bought 4 at 1,000 and 4 at 1,100 at 2x and 10x, half each: longs of 2 at 500, 550, 900 and 990."""
    eng = engine_of([(0, 1000, 4, False), (0.1, 1100, 4, False)], leverage={2: 0.5, 10: 0.5})
    eng.advance(START + HOUR)
    return quantities(eng)


def test_survival_under_other_shares_by_hand(two_tiers: lq.Heatmap) -> None:
    assert [zone.low for zone in two_tiers.zones(threshold=1.5)] == [500, 550, 900, 990]
    views = [{2: 0.5, 10: 0.5}, {2: 0.3, 10: 0.7}, {2: 0.7, 10: 0.3}, {2: 0.4, 10: 0.6}]
    kept = two_tiers.sensitivity(threshold=1.5, shares=views, offsets=0)
    # 4 x share at or above 1.5: a share of at least 0.375.
    assert {survival.zone.low: survival.share for survival in kept} == {500: 0.75, 550: 0.75, 900: 0.75, 990: 0.75}
    assert all(math.isnan(survival.offsets) and math.isnan(survival.models) for survival in kept)
    kept = two_tiers.sensitivity(threshold=1.5, shares=[{2: 0.2, 10: 0.8}], offsets=0)
    assert {survival.zone.low: survival.shares for survival in kept} == {500: 0, 550: 0, 900: 1, 990: 1}


def test_shares_are_halved_and_doubled_in_turn_by_default(two_tiers: lq.Heatmap) -> None:
    # 2x at 0.25, 1 (all of it), 0.75 and 0: with 4 x share at or above 1.5 it is there in two of the four.
    kept = two_tiers.sensitivity(threshold=1.5, offsets=0)
    assert [survival.shares for survival in kept] == [0.5] * 4


def test_survival_under_other_models_by_hand(two_tiers: lq.Heatmap) -> None:
    eng = engine_of([(0, 1000, 4, False)], leverage={2: 0.5, 10: 0.5})
    eng.advance(START + HOUR)
    kept = two_tiers.sensitivity(threshold=1.5, shares=[], models=[quantities(eng), two_tiers], offsets=0)
    assert {survival.zone.low: survival.models for survival in kept} == {500: 1, 550: 0.5, 900: 1, 990: 0.5}
    assert [survival.share for survival in kept] == [survival.models for survival in kept]


def test_survival_when_the_bins_move_by_hand() -> None:
    # Book bins of 10, rows of 20: longs of 2 at 500 and 2 at 510 make a row of 4, and two rows of 2 once it moves.
    eng = engine_of([(0, 1000, 2, False), (0.1, 1020, 2, False), (0.2, 1100, 4, False)])
    eng.advance(START + HOUR)
    closed, _ = eng._history(False)
    hm = heatmap_of(closed, eng.leverage, step=20)
    assert ranges(hm.zones(threshold=3)) == [("long", 500, 520), ("long", 540, 560)]
    kept = hm.sensitivity(threshold=3, shares=[], offsets=1)
    # Moved down by 10: rows [490, 510) and [510, 530) hold 2 each; [550, 570) holds 4 and covers half of [540, 560).
    assert [survival.offsets for survival in kept] == [0, 1]
    assert [survival.offsets for survival in hm.sensitivity(threshold=3, shares=[], offsets=9)] == [0, 1]
    assert [survival.offsets for survival in hm.sensitivity(threshold=3, shares=[], cover=0.6)] == [0, 0]


# ---- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda hm: hm.zones(threshold="much"), "threshold must be a share of the maximum"),
        (lambda hm: hm.zones(threshold="5 usd"), "threshold must be in the unit that is shown, quantity, was '5 usd'"),
        (lambda hm: hm.zones(columns=0), "columns must be a whole number, at least 1, was 0"),
        (lambda hm: hm.zones(columns=True), "columns must be a whole number, at least 1, was True"),
        (lambda hm: hm.zones(START), r"ts must not be before the end of the first complete column .*, was 1750"),
        (
            lambda hm: hm.swept(START + 2 * HOUR, until=START + HOUR),
            r"until must not be before ts \(1750.*\), was 1750",
        ),
        (lambda hm: hm.sensitivity(cover=0), "cover must be above 0 and at most 1, was 0"),
        (lambda hm: hm.sensitivity(offsets=-1), "offsets must be a whole number, at least 0, was -1"),
        (lambda hm: hm.sensitivity(shares=[{3: 1.0}]), r"leverage must be among the tiers \(2x\), was 3x"),
        (lambda hm: lq.magnets(hm.zones(), value=-1), "value must be a weight, 0 or above, was -1"),
        (lambda hm: lq.magnets(hm.zones(), reach_percent=0), "reach_percent must be above 0, was 0"),
    ],
)
def test_what_cannot_be_is_named(hm: lq.Heatmap, call: Any, message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        call(hm)


def test_another_market_is_no_model_of_this_one(hm: lq.Heatmap) -> None:
    other = hm.select()
    other.meta["symbol"] = "ETH"
    with pytest.raises(lq.InvalidConfigError, match="models must be heatmaps of the same symbol, None, was ETH"):
        hm.sensitivity(models=[other])


def test_sequential_models_have_zones_without_ages(hm: lq.Heatmap) -> None:
    hm.meta["sequential"] = True
    zones = hm.zones(threshold=3)
    assert [zone.value for zone in zones] == [9, 7, 5, 3.5]
    assert [zone.ages for zone in zones] == [{}] * 4


def test_without_levels_there_is_no_zone() -> None:
    eng = engine_of([(0, 1000, 1, False)], axis=lq.PriceAxis(low=900, high=1_100, step=10, tick_size=1.0))
    eng.advance(START + HOUR)
    hm = quantities(eng)
    assert len(hm.prices) == 0
    assert hm.zones() == hm.swept(START + HALF_HOUR) == hm.sensitivity() == []


# ---- against the slow way, and without look-ahead ----------------------------------------------------------------


def slow_zones(hm: lq.Heatmap, i: int, threshold: float | str, columns: int) -> list[tuple[Any, ...]]:
    """Side, low, high, since and persistence of the zones after column `i`, from the picture's own cells."""
    sides = (hm.long, hm.short)
    cutoff = np.float32(Threshold.of(threshold).cutoff(np.stack([side[i] for side in sides])))

    def above(side: int, column: int, row: int) -> bool:
        return bool(sides[side][column, row] >= cutoff and sides[side][column, row] > 0)

    out = []
    for side in range(2):
        row = 0
        while row < len(hm.prices):
            end = row
            while end < len(hm.prices) and above(side, i, end):
                end += 1
            if end > row:
                there = [any(above(side, column, r) for r in range(row, end)) for column in range(i + 1)]
                first = max((k + 1 for k, one in enumerate(there) if not one), default=0)
                recent = there[-columns:]
                out.append(
                    (
                        ("long", "short")[side],
                        hm.prices[row],
                        hm._shown.edges[end],
                        hm.times[first],
                        sum(recent) / len(recent),
                    )
                )
            row = end + 1
    return sorted(out, key=lambda zone: (zone[1], zone[0]))


@pytest.mark.parametrize("seed", range(40))
def test_zones_are_those_of_the_slow_way_and_nothing_later_changes_them(seed: int) -> None:
    rng = random.Random(seed)
    threshold: float | str = rng.choice([0.3, "p60", "p90", 0.0, 1.0])
    setup = random_setup(rng, bins=None, trigger=rng.choice(["last", "mark"]))
    events = events_of(rng, setup, 120, hurry=0.15)
    engine = make_engine(setup)
    feed(engine, events)
    closed, _ = engine._history(False)
    hm = heatmap_of(closed, engine.leverage, step=3 * closed.ticks_per_bin * setup.tick_size)
    i = rng.randrange(len(hm.times))
    end = int(hm.times[i]) + setup.window
    columns = rng.randint(1, 30)
    zones = hm.zones(end, threshold=threshold, columns=columns)
    got = [(zone.side, zone.low, zone.high, zone.since_ns, zone.persistence) for zone in zones]
    assert got == slow_zones(hm, i, threshold, columns)
    live = {"long": hm.map(end).long.sum(), "short": hm.map(end).short.sum()}
    for zone in zones:
        rows = (hm.prices >= zone.low) & (hm.prices < zone.high)
        value = getattr(hm, zone.side)[i, rows].sum(dtype=np.float64)
        assert zone.value == pytest.approx(value, rel=1e-6)
        assert zone.share == pytest.approx(zone.value / live[zone.side])
    # Cut the input off at the instant.
    cut = make_engine(setup)
    feed(cut, [event for event in events if event[1][0] < end])
    cut.advance(end)
    history, _ = cut._history(False)
    before = heatmap_of(history, cut.leverage, step=hm.step)
    assert before.zones(end, threshold=threshold, columns=columns) == zones


# ---- on recorded days --------------------------------------------------------------------------------------------


@pytest.mark.recorded
@pytest.mark.parametrize("trigger", ["last", "mark"])
def test_zones_of_a_recorded_day(trigger: str) -> None:
    of_trades = trades("BTC", WHOLE["BTC"])
    order = np.argsort(of_trades[0], kind="stable")
    of_trades = tuple(np.ascontiguousarray(column[order]) for column in of_trades)
    of_marks = marks("BTC", int(of_trades[0][0]), int(of_trades[0][-1]))
    context = read(data_dir() / "context" / "hyperliquid-BTC-context.parquet")
    ts = context["ts_ms"] * 1_000_000
    inside = (ts >= of_trades[0][0]) & (ts <= of_trades[0][-1])
    interest = ts[inside], context["open_interest"][inside]
    like = make_engine(SETUPS["BTC"])

    def heatmap(until: int) -> lq.Heatmap:
        eng = lq.Engine(like.instrument, leverage=like.leverage, book_step=6.0, window="5m", trigger=trigger)
        streams = (of_trades, of_marks, interest)
        parts = [tuple(c[: np.searchsorted(stream[0], until)] for c in stream) for stream in streams]
        eng.feed(trades=parts[0], marks=parts[1], open_interest=parts[2])
        eng.advance(until)
        return eng.heatmap(step=30.0)

    end = int(of_trades[0][-1]) // (5 * 60 * SECOND) * 5 * 60 * SECOND
    whole = heatmap(end)
    noon = (int(whole.times[0]) + end) // 2 // (5 * 60 * SECOND) * 5 * 60 * SECOND
    zones = whole.zones(noon)
    assert zones
    assert heatmap(noon).zones(noon) == zones
    day = whole.select(opened_within="4h")
    assert heatmap(noon).select(opened_within="4h").map(noon).sentence() == day.map(noon).sentence()
    assert all(zone.ages["4h"] == pytest.approx(1) for zone in day.zones(noon))
    assert [zone[:3] for zone in slow_zones(whole, int(np.searchsorted(whole.times, noon)) - 1, "p90", 100)] == ranges(
        zones
    )
    swept = whole.swept(noon, threshold="p50")
    for zone in swept:
        assert zone.swept is not None
        assert zone.swept.start_ns >= noon
        i = int(np.searchsorted(whole.times, zone.swept.start_ns))
        candle = whole.candles[i]
        if trigger == "last":  # the bin of the candle's own low or high
            far = candle["low"] if zone.side == "long" else candle["high"]
            assert abs(zone.swept.price - far) <= whole.book_step
            earlier = whole.candles[np.searchsorted(whole.times, noon) : i]
            reached = (
                np.nanmin(earlier["low"], initial=np.inf) < zone.high - whole.book_step
                if zone.side == "long"
                else np.nanmax(earlier["high"], initial=0) > zone.low + whole.book_step
            )
            assert not reached
        assert 0 <= zone.swept.value <= whole.liquidated[i].sum(dtype=np.float64) * (1 + 1e-6)
    assert swept
    assert all(0 <= survival.share <= 1 for survival in whole.sensitivity(noon))
