"""Several venues in one picture: the sum of their books, each on its own terms, on one clock and one price axis."""

import io
import random
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

import liqcore as lq
from drive import arrays
from liqcore.render import RenderOptions, describe
from liqcore.render.draw import render_png
from recorded import data_dir

NS = 1_000_000_000
MINUTE = 60 * NS
HOUR = 60 * MINUTE
START = 1_750_003_200 * NS  # the start of an hour
FREE = lq.MarginSchedule.flat(0.0)
NEVER = np.iinfo(np.int64).min
UNLIMITED = np.iinfo(np.int64).max
slow = settings(
    deadline=None,
    phases=[phase for phase in Phase if phase is not Phase.shrink],  # of a random.Random it takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def trades(rows):
    """Rows of (seconds, price, qty, taker_sell) as arrays."""
    return arrays("trade", [(START + seconds * NS, *row) for seconds, *row in rows])


def engine(
    venue,
    rows,
    *,
    tick=1.0,
    lot=0.1,
    contract="linear",
    multiplier=1.0,
    leverage=None,
    step=10.0,
    window="5m",
    keep=None,
):
    """An engine without maintenance margin or half-lives, fed with `trades(rows)`."""
    instrument = lq.Instrument(
        symbol="X", venue=venue, contract=contract, tick_size=tick, lot_size=lot, multiplier=multiplier, margin=FREE
    )
    eng = lq.Engine(
        instrument, leverage=leverage or {10: 1.0}, book_step=step, window=window, half_life=None, keep=keep
    )
    eng.trades(*trades(rows))
    return eng


def made(venue, rows, *, row=None, **terms):
    return engine(venue, rows, **terms).heatmap(step=row or terms.get("step", 10.0))


def cell(hm, column, price, name="long"):
    row = int(np.searchsorted(hm.prices, price, side="right")) - 1
    return float(getattr(hm, name)[column, row])


@pytest.fixture
def worked():
    """
    Two venues worked by hand, no maintenance margin.

    "lin", linear, tick 1, 10x with share 0.75 and 2x with 0.25: a buy of 2 at 1,000 makes long levels of 2 at
    1,000 x (1 - 1/10) = 900 and 1,000 x (1 - 1/2) = 500, worth 0.75 x 2 x 905 = 1,357.5 and 0.25 x 2 x 505 = 252.5 at
    their bins' mid prices. After five minutes a sell of 1 at 990: shorts at 1,089 and 1,485.

    "inv", inverse, tick 0.5, contracts of 100 USD, 10x and 4x with shares 0.5: a buy of 3 contracts at 1,000 makes long
    levels at 1,000 x 10 / 11 = 909.09, on the grid 909, and 1,000 x 4 / 5 = 800, worth 0.5 x 3 x 100 = 150 each. After
    ten minutes a sell at 905 takes the level in [900, 910).
    """
    linear = made(
        "lin", [(0, 1000, 2, False), (300, 990, 1, True), (600, 990, 0.1, True)], leverage={10: 0.75, 2: 0.25}
    )
    inverse = made(
        "inv",
        [(0, 1000, 3, False), (600, 905, 1, True)],
        tick=0.5,
        lot=1.0,
        contract="inverse",
        multiplier=100.0,
        leverage={10: 0.5, 4: 0.5},
    )
    return linear, inverse


def test_values_worked_by_hand(worked):
    hm = lq.merge_venues(worked)
    assert hm.venues == ("lin", "inv")
    assert hm.times.tolist() == [START, START + 300 * NS, START + 600 * NS]
    assert hm.complete.tolist() == [True, True, False]
    assert (hm.step, hm.book_step, hm.unit) == (10, 10, "usd")
    assert cell(hm, 0, 900) == 1357.5 + 150
    assert cell(hm, 0, 800) == 150
    assert cell(hm, 0, 500) == 252.5
    assert hm.long[0].sum() == 1357.5 + 150 + 150 + 252.5
    assert cell(hm, 1, 1080, "short") == 0.75 * 1 * 1085
    # The price of "inv" takes its own level and leaves that of "lin" in the same row.
    assert cell(hm, 2, 900) == 1357.5
    assert cell(hm, 2, 900, "liquidated") == 150
    assert cell(hm.select(venues="inv"), 0, 900) == 150
    assert cell(hm.select(venues=["lin"], leverage=2), 0, 500) == 252.5
    assert hm.select(leverage=4).long[0].sum() == 150


def test_a_map_has_the_tiers_of_all_and_the_map_of_each_venue(worked):
    levels = lq.merge_venues(worked).map(START + 300 * NS)
    assert levels.tiers.tolist() == [2, 4, 10]
    assert levels.long.sum(axis=1).tolist() == [252.5, 150, 1507.5]
    assert levels.cumulative_long[0] == 1910
    assert list(levels.venues) == ["lin", "inv"]
    assert levels.venues["lin"].long.sum(axis=1).tolist() == [252.5, 0, 1357.5]
    assert levels.venues["inv"].long.sum(axis=1).tolist() == [0, 150, 150]
    for side in ("long", "short"):
        parts = [getattr(part, side) for part in levels.venues.values()]
        assert np.array_equal(np.sum(parts, axis=0), getattr(levels, side))
    assert worked[0].map().venues == {}


def test_a_window_knows_how_far_the_price_of_any_venue_came(worked):
    history = lq.merge_venues(worked)._venues
    assert history.segment(1).touched("long") == [(99, None)]
    assert min(history.segment(2).touched("long")) == (90, None)
    assert history.segment(-1).start_ns == START + 600 * NS


def test_a_bin_that_straddles_an_edge_goes_where_its_mid_price_lies():
    # Levels at 904, in [904, 906) whose mid price 905 begins the row [905, 910); and at 902, in [902, 904), row 900.
    rows = [(0, 1130, 1, False), (1, 1127.5, 2, False)]
    fine = made("fine", rows, tick=0.5, step=2.0, leverage={5: 1.0})
    coarse = made("coarse", [(0, 1130, 4, False)], step=5.0, leverage={5: 1.0})
    assert [fine.prices[row] for row in np.flatnonzero(fine.long[0])] == [902, 904]
    hm = lq.merge_venues([fine, coarse])
    assert hm.step == 5
    assert cell(hm, 0, 905) == 1 * 905
    assert cell(hm, 0, 900) == 2 * 903 + 4 * 902.5
    assert hm.values.sum() == fine.values.sum() + coarse.values.sum()
    ten = hm.rebin(step=10)
    assert cell(ten, 0, 900) == hm.values[0].sum() == ten.values.sum()


def test_rows_are_the_highest_of_the_parts_and_a_multiple_of_the_widest_bins():
    rows = [(0, 1130, 1, False)]
    fine, coarse = made("fine", rows, step=2.0, row=24.0), made("coarse", rows, step=5.0, row=10.0)
    assert lq.merge_venues([fine, coarse]).step == 25
    assert lq.merge_venues([coarse, fine], step=15).step == 15
    for step in (7, 0, -5, float("nan")):
        with pytest.raises(
            lq.InvalidConfigError, match=r"step must be a multiple of the widest book's bins \(5\), was"
        ):
            lq.merge_venues([coarse, fine], step=step)


def test_windows_of_other_lengths_are_joined():
    minutes = made("a", [(0, 1000, 1, False), (61, 1000, 1, False), (301, 1000, 1, False)], window="1m")
    fives = made("b", [(0, 1000, 1, False), (301, 1000, 1, False)], window="5m")
    hm = lq.merge_venues([minutes, fives])
    assert hm.window_ns == 5 * MINUTE
    assert hm.times.tolist() == [START, START + 5 * MINUTE]
    assert hm.long[:, 0].tolist() == [3 * 905, 5 * 905]
    assert lq.merge_venues([minutes.rebin(window="10m"), fives]).times.tolist() == [START]
    twos, threes = (made(name, [(0, 1000, 1, False)], window=name) for name in ("2m", "3m"))
    with pytest.raises(
        lq.InvalidConfigError, match=r"windows that divide the longest column \(3m\), were 2m 2m, 3m 3m"
    ):
        lq.merge_venues([twos, threes])
    assert lq.merge_venues([twos.rebin(window="6m"), threes]).window_ns == 6 * MINUTE


# ---- staleness ---------------------------------------------------------------------------------------------------


@pytest.fixture
def ended():
    """One venue with trades over 40 minutes, one that ends after 12 and one that begins after 20; windows of 5."""
    every = [(minute * 60, 1000, 1, False) for minute in range(0, 41, 2)]
    return (
        made("long", every),
        made("early", [(0, 1000, 10, False), (720, 1000, 10, False)]),
        made("late", [(1200, 1000, 100, False), (2400, 1000, 100, False)]),
    )


def test_a_venue_that_ended_is_kept_as_last_known_and_flagged(ended):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        hm = lq.merge_venues(ended)
    said = [str(each.message) for each in warned]
    assert said == hm.meta["notes"]
    assert said[0] == "late begins at 2025-06-15T16:20:00Z: the columns before show nothing of it"
    assert said[1].startswith("early ends at 2025-06-15T16:15:00Z, before the last column: it is kept as last known")
    levels = hm.select(unit="quantity")
    assert levels.long[:, 0].tolist() == [13, 15, 28, 30, 133, 135, 138, 140, 241]
    assert hm.stale.tolist() == [
        [False] * 9,
        [False, True, False, True, True, True, True, True, True],
        [True] * 4 + [False] + [True] * 3 + [False],
    ]
    # 8 minutes after its last trade at 12 minutes, and what is known in the unfinished column: 40 minutes.
    assert hm.staleness[1].tolist() == [m * MINUTE for m in (5, 10, 3, 8, 13, 18, 23, 28, 28)]
    assert hm.staleness[2, :4].tolist() == [UNLIMITED] * 4
    assert hm.meta["stale"] == ["early as last known, 28m old"]
    assert hm.meta["venues"]["early"]["last_event_ns"] == START + 12 * MINUTE


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_stale_venue_is_left_out_on_demand(ended):
    hm = lq.merge_venues(ended, stale_after="10m")
    assert hm.meta["notes"][1].endswith("before the last column: it is left out 10m after its last event")
    levels = hm.select(unit="quantity")
    # "early": to 10 minutes (inclusive) after its last trade; "late" is silent from 20 to 40 minutes.
    assert levels.select(venues="early").long[:, 0].tolist() == [10, 10, 20, 20, 0, 0, 0, 0, 0]
    assert levels.select(venues="late").long[:, 0].tolist() == [0, 0, 0, 0, 100, 100, 0, 0, 200]
    assert levels.map().long.sum() == 221
    assert levels.age().live.sum() == 221
    assert levels.map(START + 25 * MINUTE).venues["early"].long.sum() == 0
    assert hm.meta["stale"] == ["early left out, 28m old"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_ended_venue_is_named_and_dropped_on_demand(ended, tmp_path):
    hm = lq.merge_venues(ended)
    assert hm.ended == hm.meta["ended"] == {"early": START + 12 * MINUTE}  # "late" was silent, and came back
    dropped = lq.merge_venues(ended, ended="drop")
    assert dropped.meta["notes"][1].endswith("before the last column: it is left out from then on")
    assert dropped.meta["stale"] == ["early left out, 28m old"]
    for each in (dropped, lq.load_heatmap(dropped.save(tmp_path / "dropped.parquet"))):
        levels = each.select(unit="quantity")
        assert levels.select(venues="early").long[:, 0].tolist() == [10, 10, 20, 0, 0, 0, 0, 0, 0]
        assert np.array_equal(levels.select(venues="late").long, hm.select(unit="quantity", venues="late").long)
        assert levels.map().long.sum() == 221
        assert each.ended == hm.ended
    with pytest.raises(lq.InvalidConfigError, match=r"ended must be one of \('keep', 'drop'\), was 'hide'"):
        lq.merge_venues(ended, ended="hide")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_levels_opened_within_a_time_of_a_venue_that_ended(ended):
    hm = lq.merge_venues(ended).select(unit="quantity", opened_within="10m")
    # Of its trades at 0 and 12 minutes, those within the last two windows.
    assert hm.select(venues="early").long[:, 0].tolist() == [10, 10, 10, 10, 0, 0, 0, 0, 0]
    assert hm.map(START + 20 * MINUTE).venues["early"].long.sum() == 10


# ---- everything is the sum of the parts --------------------------------------------------------------------------


def random_venue(rng: random.Random, name: str) -> lq.Heatmap:
    inverse = rng.random() < 0.5
    tick = rng.choice([0.1, 0.5, 0.25, 1.0])
    step = tick * rng.choice([3, 4, 7, 10])
    tiers = rng.sample([2, 5, 10, 25, 50, 100], 3)
    price, now, rows = 1000.0, rng.randint(0, 300), []
    for _ in range(rng.randint(1, 60)):
        price = max(500.0, price + rng.choice([-1, 1]) * rng.choice([0, 0.5, 1, 4, 30]))
        rows.append((now, round(price / tick) * tick, rng.randint(1, 9), rng.random() < 0.5))
        now += rng.choice([0, 1, 20, 70, 400])
    rows.append((max(now, 1000), 1000.0, 1, True))  # all have some time in common
    eng = engine(
        name,
        rows,
        tick=tick,
        lot=1.0,
        contract="inverse" if inverse else "linear",
        multiplier=10.0 if inverse else rng.choice([1.0, 0.01]),
        leverage=dict.fromkeys(tiers, 1 / 3),
        step=step,
        window=rng.choice(["1m", "5m"]),
    )
    return eng.heatmap(step=step * rng.choice([1, 2, 5]))


def by_hand(hm: lq.Heatmap, rows: lq.Heatmap, end_ns: int, tiers: list[float], **frame: Any) -> np.ndarray:
    """A venue's map at a time, (2, tiers, rows), every one of its bins put into a row by hand."""
    out = np.zeros((2, len(tiers), len(rows.prices)))
    fine = hm.rebin(step=hm.book_step).select(**frame)
    known = np.flatnonzero(fine.times + fine.window_ns <= end_ns)
    last = hm._shown.histories.segment(-1).end_ns
    if frame and last < end_ns:  # what of the time frame lies before its end
        length = parse(frame["opened_within"]) - (end_ns - last)
        if length < fine.window_ns:
            return out
        fine = hm.rebin(step=hm.book_step).select(opened_within=length)
    if not len(known):
        return out
    levels = fine.map() if last <= end_ns else fine.map(end_ns)
    width, step = (Fraction(repr(x)) for x in (hm.book_step, rows.step))
    first = round(rows.prices[0] / rows.step)
    for side, cells in enumerate((levels.long, levels.short)):
        for tier, at in zip(levels.tiers.tolist(), cells, strict=True):
            for bin_ in np.flatnonzero(at):
                mid = (round(levels.prices[bin_] / hm.book_step) + Fraction(1, 2)) * width
                out[side, tiers.index(tier), mid // step - first] += at[bin_]
    return out


def parse(length: str) -> int:
    return int(length.removesuffix("m")) * MINUTE


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(rng=st.randoms(use_true_random=False))
@settings(slow, max_examples=40)
def test_every_view_is_the_sum_of_the_venues(rng: random.Random) -> None:
    parts = {name: random_venue(rng, name) for name in ("a", "b", "c")[: rng.randint(1, 3)]}
    hm = lq.merge_venues(list(parts.values()))
    note(f"{hm} {list(parts.values())}")
    tiers = [float(tier) for tier in hm.leverage.tiers]
    frame = rng.choice([{}, {"opened_within": "5m"}, {"opened_within": "15m"}])
    if rng.random() < 0.3:
        hm = hm.rebin(step=2 * hm.step, window=rng.choice([None, 2 * hm.window_ns]))
    shown = hm.select(**frame)
    side, leverage = rng.choice(["both", "long", "short"]), rng.sample(tiers, 2)
    seen = shown.select(side=side, leverage=leverage)
    alone = [shown.select(venues=name) for name in parts]
    for array in ("long", "short", "liquidated"):
        total = np.zeros_like(hm.long)
        for each in alone:
            total += getattr(each, array)
        if array == "liquidated":  # of two sides: (a + b) + (c + d) is not (a + c) + (b + d) to the bit
            np.testing.assert_allclose(shown.liquidated, total, rtol=1e-6)
        else:
            assert np.array_equal(getattr(shown, array), total)
    ends = (hm.times + hm.window_ns).tolist()
    for column in {0, len(ends) // 2, len(ends) - 1}:
        end = min(ends[column], hm._shown.end_ns)  # a last column may be cut short
        wanted = {name: by_hand(part, hm, end, tiers, **frame) for name, part in parts.items()}
        total = sum(wanted.values())
        for row, array in enumerate((shown.long, shown.short)):
            np.testing.assert_allclose(array[column], total[row].sum(axis=0), rtol=1e-6)
        kept = [tiers.index(tier) for tier in sorted(leverage)]
        for row, (name, array) in enumerate((("long", seen.long), ("short", seen.short))):
            expected = total[row, kept].sum(axis=0) * (side in ("both", name))
            np.testing.assert_allclose(array[column], expected, rtol=1e-6)
        if not hm.complete[column]:
            continue
        levels = shown.map(ends[column])
        for row, array in enumerate((levels.long, levels.short)):
            np.testing.assert_allclose(array, total[row], rtol=1e-12)
        for name, part in levels.venues.items():
            np.testing.assert_allclose(part.long, wanted[name][0], rtol=1e-12)
        age = hm.age(ends[column], within=["5m", "15m", "1h"])
        now = hm.map(ends[column])
        np.testing.assert_allclose(age.live, [now.long.sum(axis=0), now.short.sum(axis=0)], rtol=1e-12)
        young = hm.select(opened_within="5m").map(ends[column])
        np.testing.assert_allclose(age.opened[0], [young.long.sum(axis=0), young.short.sum(axis=0)], rtol=1e-12)
    tail = shown.select(last=2 * shown.window_ns)
    assert np.array_equal(tail.values, shown.values[-len(tail.times) :])
    assert len(tail.times) == min(2, len(shown.times))
    shares = [rng.randint(1, 9) for _ in tiers]
    other = hm.reweigh({tier: share / sum(shares) for tier, share in zip(tiers, shares, strict=True)})
    for name, profile in other.leverage_by_venue.items():
        mine, own = other.map().venues.get(name, other.map()), parts[name].reweigh(profile).map()
        assert mine.long.sum() == pytest.approx(own.long.sum(), rel=1e-12)
        assert mine.short.sum() == pytest.approx(own.short.sum(), rel=1e-12)
    for name, part in parts.items():
        mine = hm.select(venues=name)
        gone, fine = part.liquidated.sum(dtype=np.float64), mine.liquidated.sum(dtype=np.float64)
        assert gone == pytest.approx(fine, rel=1e-5)


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(rng=st.randoms(use_true_random=False))
@settings(slow, max_examples=20)
def test_since_is_read_off_the_sum(rng: random.Random) -> None:
    hm = lq.merge_venues([random_venue(rng, name) for name in ("a", "b")])
    threshold = rng.choice(["1 usd", f"{float(hm.values.max()) / 2 + 1} usd"])
    since = hm.age(threshold=threshold).since_ns
    for side, cells in enumerate((hm.long, hm.short)):
        for row in range(len(hm.prices)):
            start = NEVER
            for time, value in zip(hm.times.tolist(), cells[:, row].tolist(), strict=True):
                if value < float(threshold.removesuffix(" usd")):
                    start = NEVER
                elif start == NEVER:
                    start = time
            assert since[side, row] == start


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(rng=st.randoms(use_true_random=False), stale_after=st.sampled_from([None, "7m"]))
@settings(slow, max_examples=25)
def test_nothing_later_changes_a_column(rng: random.Random, stale_after: str | None) -> None:
    streams = {name: [(0, 1000.0, 1, False)] for name in ("a", "b")}
    for rows in streams.values():
        for _ in range(40):
            now, price, *_ = rows[-1]
            price += rng.choice([-20, -1, 0, 1, 20])
            rows.append((now + rng.choice([0, 5, 60, 600]), max(price, 500.0), rng.randint(1, 5), rng.random() < 0.5))
    cut = rng.randint(1, 3000)

    def merged(until: float) -> lq.MergedHeatmap:
        cut_off = {name: [row for row in rows if row[0] < until] for name, rows in streams.items()}
        return lq.merge_venues([made(*each) for each in cut_off.items()], price_from="a", stale_after=stale_after)

    whole, part = merged(1e9), merged(cut)
    columns = int(part.complete.sum())
    rows = np.searchsorted(whole.prices, part.prices)
    assert np.array_equal(whole.times[:columns], part.times[:columns])
    for name in ("long", "short", "liquidated"):
        assert np.array_equal(getattr(whole, name)[:columns][:, rows], getattr(part, name)[:columns])
        assert not np.delete(getattr(whole, name)[:columns], rows, axis=1).any()
    assert np.array_equal(
        whole.candles[:columns].view(np.float64), part.candles[:columns].view(np.float64), equal_nan=True
    )
    assert np.array_equal(whole.staleness[:, :columns], part.staleness[:, :columns])
    assert np.array_equal(whole.stale[:, :columns], part.stale[:, :columns])


# ---- the rest of what a heatmap does -----------------------------------------------------------------------------


def test_candles_are_those_of_the_venue_with_the_largest_notional_or_the_one_named(worked):
    hm = lq.merge_venues(worked)  # 2 x 1,000 + 990 + 99 = 3,089 USD against 3 x 100 + 100
    assert hm.meta["price_from"] == "lin"
    assert hm.candles["close"].tolist() == [1000, 990, 990]
    assert hm.candles["buy_qty"].tolist() == [2, 0, 0]
    other = lq.merge_venues(worked, price_from="inv")
    assert other.candles["close"].tolist()[::2] == [1000, 905]
    assert np.isnan(other.candles["close"][1])
    assert (hm.map().price, other.map().price) == (990, 905)
    assert hm.select(venues="inv").map().price == 905
    assert hm.map().venues["inv"].price == 905
    with pytest.raises(lq.InvalidConfigError, match=r"price_from must be among \['lin', 'inv'\], was 'x'"):
        lq.merge_venues(worked, price_from="x")


def test_other_shares_go_to_each_venue_that_has_the_tier(worked):
    hm = lq.merge_venues(worked)
    assert hm.leverage.to_dict() == {2: 0.125, 4: 0.25, 10: 0.625}  # the mean: nothing is weighed by it
    tens = hm.reweigh({10: 1.0})
    assert cell(tens, 0, 900) == 2 * 905 + 300
    assert cell(tens, 0, 500) == cell(tens, 0, 800) == 0
    assert tens.meta["leverage"] == {}
    assert tens.meta["venues"]["lin"]["leverage"] == {"2": 0, "10": 1}
    # What a venue lacks is shared out over the rest.
    mixed = hm.reweigh({2: 0.5, 4: 0.25, 10: 0.25})
    assert {name: p.to_dict() for name, p in mixed.leverage_by_venue.items()} == {
        "lin": {2: pytest.approx(2 / 3), 10: pytest.approx(1 / 3)},
        "inv": {4: 0.5, 10: 0.5},
    }
    one = hm.reweigh({"inv": {4: 1.0}})
    assert (cell(one, 0, 800), cell(one, 0, 500)) == (300, 252.5)
    with pytest.raises(lq.InvalidConfigError, match=r"leverage must be among the tiers \(2x, 4x, 10x\), was 50x"):
        hm.reweigh({50: 1.0})
    with pytest.raises(lq.InvalidConfigError, match=r"leverage must leave inv one of its tiers \[4.0, 10.0\]"):
        hm.reweigh({2: 1.0})
    with pytest.raises(lq.InvalidConfigError, match=r"venues must be among \['lin', 'inv'\], was 'x'"):
        hm.reweigh({"x": {4: 1.0}})


def test_quantities_that_count_different_things_are_not_summed(worked):
    hm = lq.merge_venues(worked)
    counted = r"\(lin the base asset, inv contracts of 100 USD\): use usd"
    with pytest.raises(lq.InvalidConfigError, match=f"unit must not sum quantities .* {counted}"):
        hm.select(unit="quantity")
    with pytest.raises(lq.InvalidConfigError, match=f"open_interest must not sum quantities .* {counted}"):
        hm.open_interest  # noqa: B018
    assert hm.select(venues="inv", unit="quantity").long[0].sum() == 3
    quantity = [part.select(unit="quantity") for part in worked]
    with pytest.raises(lq.InvalidConfigError, match="unit must not sum"):
        lq.merge_venues(quantity)
    assert lq.merge_venues(quantity[1:]).unit == "quantity"


def test_open_interest_is_the_sum_of_what_each_venue_last_said():
    engines = [engine(name, [(0, 1000, 1, False), (600, 1000, 1, False)]) for name in ("a", "b")]
    engines[0].open_interest(START + 601 * NS, 50.0)
    engines[1].open_interest(START + 602 * NS, 7.0)
    for eng in engines:
        eng.advance(START + 899 * NS)
    assert np.array_equal(
        lq.merge_venues([eng.heatmap() for eng in engines]).open_interest, [np.nan, np.nan, 57], equal_nan=True
    )


def test_heatmaps_of_other_times_are_refused() -> None:
    one, after, far = (
        engine(name, [(60 * minute, 1000, 1, False), (60 * minute + 360, 1000, 1, True)]).heatmap(step=10)
        for name, minute in (("one", 0), ("after", 10), ("far", 500))
    )
    rule = "heatmaps must be of the same time, one overlaps none of the others: one 2025-06-15T16:00:00Z to "
    with pytest.raises(lq.InvalidConfigError, match=rule):
        lq.merge_venues([one, far])
    with pytest.raises(lq.InvalidConfigError, match="one overlaps none of the others"):
        lq.merge_venues([one, after])
    assert lq.merge_venues([far]).venues == ("far",)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_engines_that_kept_their_last_windows(ended):
    rows = [(minute * 60, 1000, 1, False) for minute in range(0, 41, 2)]
    kept = engine("kept", rows, keep=4).heatmap(step=10)
    hm = lq.merge_venues([ended[1], kept])
    assert hm.times[0] == kept.times[0] > START
    levels = hm.select(unit="quantity")
    assert levels.long[:, 0].tolist() == (kept.select(unit="quantity").long[:, 0] + 20).tolist()
    assert levels.select(opened_within="5m").long[-1, 0] == 1
    with pytest.raises(lq.InvalidConfigError, match="opened_within must lie within the windows that the engine kept"):
        hm.select(opened_within="10m")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_saved_and_loaded_is_the_same_to_the_bit(tmp_path, worked, ended):
    for i, hm in enumerate(
        (
            lq.merge_venues(worked),
            lq.merge_venues(worked, price_from="inv", stale_after="7m").select(side="long", last="10m", threshold=0.1),
            lq.merge_venues(ended).select(opened_within="10m", venues=["late", "early"]).rebin(window="10m"),
            lq.merge_venues(ended[:1]),
        )
    ):
        back = lq.load_heatmap(hm.save(tmp_path / f"{i}.parquet"))
        assert isinstance(back, lq.MergedHeatmap)
        assert back.venues == hm.venues
        assert back.meta == hm.meta
        for name in ("times", "prices", "long", "short", "values", "liquidated", "complete", "stale", "staleness"):
            assert np.array_equal(getattr(back, name), getattr(hm, name)), name
        assert np.array_equal(back.candles.view(np.float64), hm.candles.view(np.float64), equal_nan=True)
        assert np.array_equal(back.map().long, hm.map().long)
        assert back.leverage_by_venue == hm.leverage_by_venue
    with pytest.raises(lq.DataError, match="expected an engine saved by liqcore"):
        lq.Engine.load(tmp_path / "0.parquet")


def test_what_it_says_of_itself_and_of_each_venue(worked):
    worked[1].meta["symbol"] = "XUSD"
    hm = lq.merge_venues(worked)
    assert (hm.meta["symbol"], hm.meta["venue"]) == ("X + XUSD", "lin + inv")
    assert hm.meta["venues"]["inv"]["instrument"]["contract"] == "inverse"
    assert hm.meta["venues"]["inv"]["book_age_ns"] == 10 * MINUTE  # from its first event to its last
    hm.meta["synthetic"] = True
    assert hm.select(venues="inv").meta["synthetic"]
    assert hm.select(venues="inv").meta["symbol"] == "XUSD"
    assert hm.rebin(window="10m").meta["window"] == "10m"
    assert list(hm.select(venues="inv").meta["venues"]) == ["inv"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_pictures_name_the_venues_and_what_is_stale(tmp_path, ended, worked):
    hm = lq.merge_venues(ended)

    def written(hm):
        plan = describe(hm)
        return next(text.text for text in plan.texts if text.role == "title"), " ".join(t.text for t in plan.texts)

    title, everything = written(hm)
    assert title == "X · long + early + late · liquidation heatmap"
    assert "early as last known, 28m old" in everything
    _, everything = written(lq.merge_venues(worked))
    assert "lin leverage 2x 25%, 10x 75%" in everything
    assert "inv leverage 4x 50%, 10x 50%" in everything
    hm.render(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_models_of_different_meaning_are_summed_with_a_warning(worked):
    worked[1].meta["meaning"] = "open-interest scale"
    with pytest.warns(UserWarning, match="the venues' meaning differs: lin opened turnover, inv open-interest scale"):
        hm = lq.merge_venues(worked)
    assert hm.meta["meaning"] == "opened turnover + open-interest scale"
    worked[1].meta["meaning"], worked[1].meta["sequential"] = "opened turnover", True
    with pytest.raises(lq.InvalidConfigError, match="opened_within must not be asked of a sequential model"):
        lq.merge_venues(worked).select(opened_within="5m")


def test_what_cannot_be_merged(worked):
    linear, inverse = worked
    far = made("far", [(0, 3000, 1, False)])
    for given_, message in (
        ([], "heatmaps must be at least one, were none"),
        ([linear, linear], "must have different venue names, 'lin' was twice"),
        ([made("", [(0, 1000, 1, False)])], "must have different venue names, one has none"),
        ([linear, inverse.select(side="long")], "must not be selected by side before they are merged, inv was"),
        ([linear.select(leverage=2, threshold=0.1)], "must not be selected by leverage, threshold before"),
        ([linear.select(opened_within="5m")], "must not be selected by opened_within before"),
        ([lq.merge_venues(worked)], r"must be of one venue each, lin \+ inv is merged"),
        ([linear, far], "of one underlying: at 2025-06-15T16:00:00Z lin traded at 1000, far at 3000"),
    ):
        with pytest.raises(lq.InvalidConfigError, match=message):
            lq.merge_venues(given_)
    with pytest.raises(lq.InvalidConfigError, match="stale_after must be a length of time"):
        lq.merge_venues(worked, stale_after="soon")
    with pytest.raises(TypeError, match="heatmaps must be Heatmap objects, one was str"):
        lq.merge_venues({"a": "lin.parquet"})
    assert lq.merge_venues({"one": linear, "two": linear}).venues == ("one", "two")


def test_select_by_venue_knows_the_names_there_are(worked):
    linear, _ = worked
    assert np.array_equal(linear.select(venues="lin").values, linear.values)
    assert linear.venues == ("lin",)
    for hm, names in ((linear, "['lin']"), (lq.merge_venues(worked), "['lin', 'inv']")):
        with pytest.raises(lq.InvalidConfigError) as error:
            hm.select(venues=["okx"])
        assert str(error.value) == f"venues must be among {names}, was 'okx'"
        with pytest.raises(lq.InvalidConfigError, match="venues must name at least one of"):
            hm.select(venues=[])


# ---- recordings --------------------------------------------------------------------------------------------------


@pytest.mark.recorded
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_recorded_days_of_two_layouts(tmp_path):
    """Hyperliquid BTC, and trades in the Binance archive layout as a second venue with terms of its own."""
    folder = data_dir() / "trades"
    first = lq.heatmap(sorted(folder.glob("hyperliquid-BTC-2026061[23].parquet")), venue="hyperliquid", symbol="BTC")
    second = lq.heatmap(
        sorted(folder.glob("BTCUSDT-aggTrades-2026-06-1[23].zip")), venue="binance-usdm", symbol="BTCUSDT"
    )
    hm = lq.merge_venues([first, second])
    assert hm.venues == ("hyperliquid", "binance-usdm")
    tiers = [set(part.leverage.tiers.tolist()) for part in (first, second)]
    assert set(hm.leverage.tiers.tolist()) == tiers[0] | tiers[1]
    for name, part in (("hyperliquid", first), ("binance-usdm", second)):
        mine = hm.select(venues=name)
        columns = np.flatnonzero(np.isin(hm.times, part.times))
        np.testing.assert_allclose(
            mine.values[columns].sum(axis=1, dtype=np.float64), part.values.sum(axis=1, dtype=np.float64), rtol=1e-5
        )
        theirs = hm.map().venues[name]
        assert theirs.long.sum() == pytest.approx(part.map().long.sum(), rel=1e-12)
        np.testing.assert_allclose(theirs.short.sum(axis=1)[np.isin(hm.leverage.tiers, part.leverage.tiers)],
                                   part.map().short.sum(axis=1), rtol=1e-12)  # fmt: skip
    day = hm.select(last="24h", opened_within="12h", threshold=0.05)
    back = lq.load_heatmap(day.save(tmp_path / "both.parquet"))
    assert np.array_equal(back.values, day.values)
    picture = io.BytesIO()
    render_png(describe(day, RenderOptions(width=800, height=450)), picture)
    assert picture.getvalue().startswith(b"\x89PNG")


def test_gaps_of_several_venues_are_those_that_all_have() -> None:
    market = lq.simulate(days=0.2, trades_per_day=60_000, seed=2)
    begin, minute = int(market.trades.ts[0]), 60 * 10**9

    def without(*spans: tuple[int, int]) -> lq.Heatmap:
        ts = market.trades.ts
        kept = np.ones(len(ts), np.bool_)
        for first, end in spans:
            kept &= (ts < begin + first * minute) | (ts >= begin + end * minute)
        columns = (getattr(market.trades, name)[kept] for name in ("ts", "price", "qty", "taker_sell"))
        with pytest.warns(UserWarning, match="no trade from"):
            return lq.heatmap(trades=tuple(columns))

    one, two = without((30, 90), (200, 260)), without((60, 120))
    both = lq.merge_venues({"one": one, "two": two})
    assert both.gaps.tolist() == [[two.gaps[0, 0], one.gaps[0, 1]]]
    assert len(one.gaps) == 2
