"""Time frames: levels opened in the last so much of a column's time, other cells of the same totals, and age."""

import random
from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import liqcore as lq
from drive import dense, heatmap_of, make_engine
from liqcore.words.threshold import Threshold
from liqcore.words.times import parse_duration
from reference import SIGN, Cells, Layer, in_lots
from reference_frames import Dated, Event, started_at
from streams import SECOND, Market, Setup, random_setup
from test_engine_recorded import SETUPS, WHOLE, marks, trades

NS = 1_000_000_000
HOUR = 3_600 * NS
START = 1_750_003_200 * NS  # the start of an hour
NEVER = np.iinfo(np.int64).min
slow = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def events_of(rng: random.Random, setup: Setup, count: int, *, hurry: float, start: int | None = None) -> list[Event]:
    market = Market(rng, setup, "trades", bad=0.0, hurry=hurry)
    market.clock = max(market.clock, 0) if start is None else start
    return [market.row(rng.choice(["trade", "trade", "trade", "mark"]), SECOND) for _ in range(count)]


def feed(engine: lq.Engine, events: list[Event]) -> None:
    for kind, row in events:
        getattr(engine, kind)(*row)


def fed(setup: Setup, events: list[Event]) -> Any:
    """The history of an engine that was fed; None before its first window has closed."""
    engine = make_engine(setup)
    feed(engine, events)
    history, _ = engine._history(False)
    return history if history is not None and len(history) else None


def levels_within(history: Any, i: int, windows: int, tiers: tuple[float, ...]) -> dict[Layer, Cells]:
    out: dict[Layer, Cells] = {}
    for side in SIGN:
        first, levels = history.levels(i, side, opened_within=windows)
        for tier, row in zip(tiers, levels, strict=True):
            out[side, tier] = dense(row, first)
    return out


def stretches(
    rng: random.Random, setup: Setup, events: list[Event], history: Any, count: int
) -> Iterator[tuple[dict[Layer, Cells], dict[Layer, Cells]]]:
    """Levels opened in some windows, by the history and by a reference that started with the first of them."""
    times = history.times()
    for _ in range(count):
        i = rng.randrange(len(history))
        windows = rng.randint(1, i + 1)
        end = int(times[i]) + setup.window
        fresh = started_at(setup.reference(history.ticks_per_bin), events, int(times[i + 1 - windows]), end)
        wanted = {layer: in_lots(cells) for layer, cells in fresh.live.items()}
        yield levels_within(history, i, windows, setup.tiers), wanted


def assert_close(actual: dict[Layer, Cells], expected: dict[Layer, Cells], relative: float) -> None:
    for layer, cells in expected.items():
        assert actual[layer].keys() == cells.keys(), layer
        for where, lots in cells.items():
            assert actual[layer][where] == pytest.approx(lots, rel=relative, abs=0), (layer, where)


# ---- against the reference ---------------------------------------------------------------------------------------


@given(rng=st.randoms(use_true_random=False), trigger=st.sampled_from(["last", "mark"]))
@settings(slow, max_examples=40)
def test_opened_within_is_an_engine_started_empty_at_that_time(rng: random.Random, trigger: str) -> None:
    setup = random_setup(rng, trigger=trigger, half_life=None, outlier=0.0)
    events = events_of(rng, setup, 120, hurry=0.4)
    note(f"{setup}\n{events}")
    history = fed(setup, events)
    if history is None:
        return
    for got, wanted in stretches(rng, setup, events, history, 6):
        assert got == wanted


@given(rng=st.randoms(use_true_random=False), trigger=st.sampled_from(["last", "mark"]))
@settings(slow, max_examples=20)
def test_opened_within_with_half_lives_agrees_to_rounding(rng: random.Random, trigger: str) -> None:
    # Quantities so large and half-lives so long that no cell comes near half a lot.
    setup = random_setup(rng, trigger=trigger, maker_share=0.0, lot_size=1.0, outlier=0.0)
    setup = setup.with_(half_life={tier: rng.choice([100, 333, None]) for tier in setup.tiers})
    setup = setup.with_(half_life={k: v and v * setup.window for k, v in (setup.half_life or {}).items()})
    events = [(kind, (row[0], row[1], row[2] * 1e6, row[3]) if kind == "trade" else row)
              for kind, row in events_of(rng, setup, 100, hurry=0.1)]  # fmt: skip
    note(f"{setup}\n{events}")
    history = fed(setup, events)
    if history is None:
        return
    for got, wanted in stretches(rng, setup, events, history, 4):
        assert_close(got, wanted, 1e-12)
    # A picture in which every column has its own stretch, against one column at a time.
    ones = [1.0] * len(setup.tiers)
    low, high = history.extent(long_weights=ones, short_weights=ones, first_column=0, columns=len(history))
    rows = {"long_weights": ones, "short_weights": ones, "first_bin": low, "bins_per_row": 1, "rows": high - low}
    windows = rng.randint(1, len(history))
    first = rng.randrange(len(history))
    columns = history.columns(
        **rows, usd=False, first_column=first, columns=len(history) - first, opened_within=windows
    )  # fmt: skip
    for i in range(first, len(history)):
        alone = history.map(i, **rows, usd=False, opened_within=windows).sum(axis=1)
        for side in range(2):
            np.testing.assert_allclose(columns[side][i - first], alone[side], rtol=2e-7)


@given(rng=st.randoms(use_true_random=False))
@settings(slow, max_examples=25)
def test_combine_is_associative(rng: random.Random) -> None:
    setup = random_setup(rng, half_life=None, outlier=0.0)
    engine = make_engine(setup)
    feed(engine, events_of(rng, setup, 60, hurry=0.3))
    segments = engine.segments()
    if len(segments) < 3:
        return
    whole = reduce(lq.combine, segments)

    def bracketed(parts: list[lq.Segment]) -> lq.Segment:
        if len(parts) == 1:
            return parts[0]
        cut = rng.randint(1, len(parts) - 1)
        return lq.combine(bracketed(parts[:cut]), bracketed(parts[cut:]))

    for _ in range(3):
        assert bracketed(segments) == whole


@given(rng=st.randoms(use_true_random=False), trigger=st.sampled_from(["last", "mark"]))
@settings(slow, max_examples=25)
def test_age_is_read_off_the_openings(rng: random.Random, trigger: str) -> None:
    setup = random_setup(rng, trigger=trigger, half_life=None, outlier=0.0, tiers=(5.0, 25.0), bins=None)
    events = events_of(rng, setup, 100, hurry=0.15)
    note(f"{setup}\n{events}")
    history = fed(setup, events)
    if history is None:
        return
    end = int(history.times()[-1]) + setup.window
    dated = Dated(**setup.rules(history.ticks_per_bin))
    started_at(dated, events, 0, end)
    low, high = history.extent(long_weights=[1, 1], short_weights=[1, 1], first_column=0, columns=len(history))
    counts = sorted({rng.randint(1, len(history)) for _ in range(3)})
    got = history.age(
        len(history) - 1, windows=counts, long_weights=[1, 1], short_weights=[1, 1],
        first_bin=low, bins_per_row=1, rows=high - low, usd=False,
    )  # fmt: skip
    for k, windows in enumerate(counts):
        for side, name in enumerate(SIGN):
            young = {low + int(b): got[k, side, b] / setup.lot_size for b in np.flatnonzero(got[k, side])}
            wanted = dated.opened_since(name, end - windows * setup.window)
            assert young == pytest.approx(wanted, rel=1e-9)


# ---- on recorded days --------------------------------------------------------------------------------------------


@pytest.mark.recorded
@pytest.mark.parametrize("half_life", [None, "default"])
@pytest.mark.parametrize("trigger", ["last", "mark"])
def test_a_recorded_day_from_any_window_on(trigger: str, half_life: str | None) -> None:
    of_trades = trades("BTC", WHOLE["BTC"])
    order = np.argsort(of_trades[0], kind="stable")
    of_trades = tuple(np.ascontiguousarray(column[order]) for column in of_trades)
    of_marks = marks("BTC", int(of_trades[0][0]), int(of_trades[0][-1]))
    setup = SETUPS["BTC"].with_(trigger=trigger)
    like = make_engine(setup)

    def engine() -> lq.Engine:
        return lq.Engine(
            like.instrument, leverage=like.leverage, book_step=6.0, window="5m", trigger=trigger, half_life=half_life
        )

    whole = engine()
    whole.feed(trades=of_trades, marks=of_marks)
    history, _ = whole._history(False)
    times = history.times()
    rng = random.Random(trigger)
    for windows in (1, 12, 100, len(times)):
        i = rng.randrange(windows - 1, len(times))
        start, end = int(times[i + 1 - windows]), int(times[i]) + setup.window
        fresh = engine()
        before = int(np.searchsorted(of_marks[0], start))
        if before:
            fresh.mark(int(of_marks[0][before - 1]), float(of_marks[1][before - 1]))
        parts = [
            tuple(column[slice(*np.searchsorted(stream[0], [start, end]))] for column in stream)
            for stream in (of_trades, of_marks)
        ]
        fresh.feed(trades=parts[0], marks=parts[1])
        fresh.advance(end)
        for side in SIGN:
            first, got = history.levels(i, side, opened_within=windows)
            levels = fresh.levels_lots(side)
            wanted = np.zeros_like(got)
            at = fresh.axis.first_bin - first
            inside = slice(max(at, 0), max(at, 0) + levels.shape[1])
            wanted[:, inside] = levels[:, max(-at, 0) :][:, : got.shape[1] - max(at, 0)]
            if half_life is None:
                assert np.array_equal(got, wanted)
            else:  # a cell that fell below half a lot on the way was flushed there
                assert np.all(np.abs(got - wanted) <= 1e-12 * wanted + 1.0)
                assert np.isclose(got.sum(), wanted.sum(), rtol=1e-6)


@pytest.mark.recorded
def test_any_bracketing_of_a_recorded_day_is_the_day() -> None:
    of_trades = trades("BTC", WHOLE["BTC"])
    engine = make_engine(SETUPS["BTC"])
    engine.trades(*(np.ascontiguousarray(c[np.argsort(of_trades[0], kind="stable")]) for c in of_trades))
    segments = engine.segments()
    whole = reduce(lq.combine, segments)
    rng = random.Random(1)

    def bracketed(first: int, end: int) -> lq.Segment:
        if end - first == 1:
            return segments[first]
        cut = rng.randint(first + 1, end - 1)
        return lq.combine(bracketed(first, cut), bracketed(cut, end))

    assert bracketed(0, len(segments)) == whole


# ---- by hand -----------------------------------------------------------------------------------------------------

INST = lq.Instrument(symbol="X", venue="test", tick_size=1.0, lot_size=0.1, margin=lq.MarginSchedule.flat(0.0))
AXIS = lq.PriceAxis(low=400, high=2_000, step=10, tick_size=1.0)


def engine_of(rows: list[tuple[float, float, float, bool]], **options: Any) -> lq.Engine:
    """Rows of (hours, price, quantity, taker_sell); 2x only, windows of half an hour, nothing decays."""
    given: dict[str, Any] = {"leverage": {2: 1.0}, "axis": AXIS, "window": "30m", "half_life": None} | options
    eng = lq.Engine(INST, **given)
    ts, price, qty, sell = zip(*rows, strict=True)
    eng.trades(
        START + (np.array(ts) * HOUR).astype(np.int64), np.array(price, float), np.array(qty, float), np.array(sell)
    )
    return eng


@pytest.fixture
def aged() -> lq.Heatmap:
    """
    Buys of 1, 2, 4 and 8 at 1,000 after 0, 2, 5 and 5.6 hours: 2x longs at 500, bin [500, 510). Seen at 6 hours.

    A buy of 16 at 1,200 (a long at 600) after 1 hour; the price falls to 605 after 3 hours, into its bin.
    """
    rows = [(0, 1000, 1, False), (1, 1200, 16, False), (2, 1000, 2, False), (3, 605, 0.1, True), (5, 1000, 4, False)]
    eng = engine_of([*rows, (5.6, 1000, 8, False)])
    eng.advance(START + 6 * HOUR)
    closed, _ = eng._history(False)
    return heatmap_of(closed, eng.leverage, step=10, meta={"window": "30m"})


def at_price(hm: Any, values: Any, price: float) -> Any:
    return np.asarray(values)[..., int(np.searchsorted(hm.prices, price, side="right")) - 1]


def test_opened_within_by_hand(aged: lq.Heatmap) -> None:
    assert at_price(aged, aged.long, 500).tolist() == [1, 1, 1, 1, 3, 3, 3, 3, 3, 3, 7, 15]
    assert at_price(aged, aged.long, 600).tolist() == [0, 0, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0]
    hour = aged.select(opened_within="1h")
    assert at_price(hour, hour.long, 500).tolist() == [1, 1, 0, 0, 2, 2, 0, 0, 0, 0, 4, 12]
    assert at_price(hour, hour.long, 600).tolist() == [0, 0, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0]
    # What the fall after 3 hours took was opened after 1 hour: within 2.5 hours of its window's end, not within 2.
    assert at_price(aged, aged.liquidated, 600)[6] == 16
    assert at_price(hour, hour.liquidated, 600).sum() == 0
    assert at_price(aged, aged.select(opened_within="2h").liquidated, 600).sum() == 0
    assert at_price(aged, aged.select(opened_within="150m").liquidated, 600)[6] == 16
    assert hour.meta["opened_within_ns"] == HOUR
    assert hour.map().long.sum() == 12
    assert np.array_equal(aged.select(opened_within="1y").values, aged.values)


def test_age_by_hand(aged: lq.Heatmap) -> None:
    age = aged.age(within=["30m", "1h", "4h", "6h"])
    assert age.within == ("30m", "1h", "4h", "6h")
    assert at_price(age, age.live, 500).tolist() == [15, 0]
    assert at_price(age, age.opened, 500)[:, 0].tolist() == [8, 12, 14, 15]
    assert at_price(age, age.shares, 500)[:, 0].tolist() == pytest.approx([8 / 15, 12 / 15, 14 / 15, 1])
    assert np.isnan(at_price(age, age.shares, 600)).all()
    assert age.share_between("long", 490, 520).tolist() == pytest.approx([8 / 15, 12 / 15, 14 / 15, 1])
    assert np.isnan(age.share_between("short", 490, 520)).all()
    assert at_price(age, age.since_ns, 500).tolist() == [START, NEVER]
    assert at_price(age, age.since_ns, 600).tolist() == [NEVER, NEVER]
    by_map = aged.map(START + 4 * HOUR).age(within=["2h"], threshold="2.5 quantity")
    assert by_map.time_ns == START + 4 * HOUR
    assert at_price(by_map, by_map.opened, 500)[0].tolist() == [2, 0]
    # Three since the window that began after 2 hours.
    assert at_price(by_map, by_map.since_ns, 500).tolist() == [START + 2 * HOUR, NEVER]
    assert by_map.threshold == 2.5


def test_age_within_a_time_frame_is_of_what_it_shows(aged: lq.Heatmap) -> None:
    age = aged.select(opened_within="1h").age(within=["30m", "1h", "4h"])
    assert at_price(age, age.live, 500)[0] == 12
    assert at_price(age, age.opened, 500)[:, 0].tolist() == [8, 12, 12]


def test_ages_are_those_that_are_at_least_a_window(aged: lq.Heatmap) -> None:
    assert aged.age().within == lq.AGES
    daily = engine_of([(0, 1000, 1, False), (30, 1000, 1, False)], window="1d")
    assert daily.heatmap().age().within == ("1d", "1w", "1mo")


def test_rebinned_in_time_by_hand(aged: lq.Heatmap) -> None:
    hm = aged.rebin(window="2h")
    assert hm.times.tolist() == [START - START % (2 * HOUR) + k * 2 * HOUR for k in range(len(hm.times))]
    offset = (START % (2 * HOUR)) // HOUR  # START is an odd or an even hour
    ends = [2 * HOUR * (k + 1) - offset * HOUR for k in range(len(hm.times))]
    fine = at_price(aged, aged.long, 500)
    assert at_price(hm, hm.long, 500).tolist() == [fine[min(end // (HOUR // 2), 12) - 1] for end in ends]
    # The long at 600, and the short at 907 that the fall's own trade opened.
    assert hm.liquidated.sum() == aged.liquidated.sum() == pytest.approx(16.1)
    assert hm.window_ns == 2 * HOUR
    assert hm.meta["window"] == "2h"
    assert hm.complete.tolist() == [end <= 6 * HOUR for end in ends]
    assert hm.candles["high"].max() == 1200
    assert np.nansum(hm.candles["buy_qty"]) == np.nansum(aged.candles["buy_qty"]) == 31
    assert hm.at(START + 6 * HOUR).end_ns == int(hm.times[hm.complete][-1]) + 2 * HOUR
    assert hm.select(last="2h").times.tolist() == hm.times[-1:].tolist()
    assert np.array_equal(hm.rebin(window="30m").values, aged.values)


def test_joined_candles_by_hand() -> None:
    eng = engine_of([(0, 1000, 1, False), (0.2, 990, 2, True), (0.9, 1010, 1, False), (3.2, 1000, 4, True)])
    candles = eng.heatmap().rebin(window="1h").candles
    assert candles[0].tolist() == pytest.approx((1000, 1010, 990, 1010, 2, 2))
    assert np.isnan(np.array(candles[1].tolist())).all()
    assert candles[3].tolist() == pytest.approx((1000, 1000, 1000, 1000, 0, 4))


@given(rng=st.randoms(use_true_random=False))
@settings(slow, max_examples=15)
def test_rebinning_conserves_totals(rng: random.Random) -> None:
    setup = random_setup(rng, half_life=None, outlier=0.0, contract="inverse", window=60 * SECOND, bins=None)
    engine = make_engine(setup)
    feed(engine, events_of(rng, setup, 80, hurry=0.1, start=1_700_000_000 * SECOND))
    if engine.axis is None:
        return
    hm = engine.heatmap(step=engine.axis.step)
    coarse = hm.rebin(step=rng.randint(1, 30) * hm.book_step, window=f"{rng.randint(1, 5)}m")
    ends = np.searchsorted(hm.times, coarse.times + coarse.window_ns) - 1
    for name in ("long", "short"):
        by_column = getattr(hm, name).sum(axis=1, dtype=np.float64)[ends]
        assert getattr(coarse, name).sum(axis=1, dtype=np.float64) == pytest.approx(by_column, rel=1e-5)
    assert coarse.liquidated.sum(dtype=np.float64) == pytest.approx(hm.liquidated.sum(dtype=np.float64), rel=1e-5)


# ---- views -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.5, trades_per_day=60_000)


SIM = lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=0.001)


def test_layers_sum_to_the_whole_and_other_shares_cost_no_pass(market: lq.Market) -> None:
    hm = lq.heatmap(trades=market.trades, leverage={5: 0.25, 25: 0.25, 100: 0.5}, opened_within="4h")
    parts = [hm.select(leverage=tier, side=side) for tier in (5, 25, 100) for side in ("long", "short")]
    assert np.allclose(sum(part.values.astype(np.float64) for part in parts), hm.values, rtol=1e-6)
    other = hm.reweigh({5: 0.75, 100: 0.25})
    again = lq.heatmap(trades=market.trades, leverage={5: 0.75, 25: 0.0, 100: 0.25}, opened_within="4h")
    rows = np.searchsorted(hm.prices, again.prices)
    assert np.array_equal(other.values[:, rows], again.values)
    assert other.meta["leverage"] == {"5": 0.75, "25": 0.0, "100": 0.25}
    with pytest.raises(lq.InvalidConfigError, match=r"leverage must be among the tiers .* was 10"):
        hm.reweigh({10: 1.0})


def test_at_is_what_a_live_engine_showed_then(market: lq.Market) -> None:
    t = market.trades
    whole = lq.Engine(SIM)
    whole.feed(trades=t)
    hm = whole.heatmap(step=20.0)
    for share in (0.1, 0.5, 0.9):
        cut = int(len(t.ts) * share)
        live = lq.Engine(SIM)
        live.trades(t.ts[:cut], t.price[:cut], t.qty[:cut], t.taker_sell[:cut])
        shown, now = live.heatmap(step=20.0), int(t.ts[cut - 1])
        for frame in (None, "1h", "4h"):
            then, later = (one if frame is None else one.select(opened_within=frame) for one in (shown, hm))
            a, b = then.at(now), later.at(now)
            assert a.start_ns == b.start_ns
            rows = np.searchsorted(b.prices, a.prices)
            for name in ("long", "short", "liquidated"):
                if frame is None:
                    assert np.array_equal(getattr(a, name), getattr(b, name)[rows])
                else:
                    assert np.allclose(getattr(a, name), getattr(b, name)[rows], rtol=1e-6, atol=0.1)


def test_at_computes_one_column_with_the_bits_of_all(market: lq.Market) -> None:
    hm = lq.heatmap(trades=market.trades)
    alone = hm.at(int(market.trades.ts[-1]) - HOUR)
    assert "_arrays" not in hm.__dict__
    i = int(np.searchsorted(hm.times, alone.start_ns))
    assert np.array_equal(alone.long, hm.long[i])
    assert np.array_equal(hm.at(alone.end_ns).liquidated, hm.liquidated[i])


def test_thresholds(aged: lq.Heatmap) -> None:
    values = np.array([0, 0, 1, 2, 3, 4], np.float32)
    assert Threshold.of(0.5).cutoff(values) == 2
    assert Threshold.of("p50").cutoff(values) == 2  # the second of four
    assert Threshold.of("p51").cutoff(values) == 3
    assert Threshold.of("p100").cutoff(values) == 4
    assert Threshold.of("p0").cutoff(values) == 1
    assert Threshold.of("1e3 usd").cutoff(values) == 1000
    assert Threshold.of("0.1") == Threshold.of(0.1) == Threshold.of("10%")
    assert Threshold.of("10M") == Threshold.of("10 m") == Threshold.of(1e7)
    assert Threshold.of("250k usd") == Threshold.of("250000 usd") != Threshold.of(250_000)
    assert Threshold.of("0.5k quantity") == Threshold("amount", 500.0, "quantity")
    assert at_price(aged, aged.select(threshold=2.5).long, 500).tolist() == [0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 7, 15]
    assert at_price(aged, aged.select(threshold="p100").long, 500).sum() == 0  # 16 at 600 is the most
    assert at_price(aged, aged.select(threshold="0.5 quantity").long, 500)[0] == 1
    for bad in ("p101", "105%", "many", -0.1, float("nan"), "1.2.3", "0.0005k", "5%M", "p5%", "k"):
        with pytest.raises(lq.InvalidConfigError, match="threshold must be a share of the maximum"):
            aged.select(threshold=bad)
    with pytest.raises(TypeError, match="threshold must be"):
        aged.select(threshold=True)
    with pytest.raises(lq.InvalidConfigError, match="threshold must be in the unit that is shown, quantity"):
        aged.select(threshold="5 usd")
    with pytest.raises(lq.InvalidConfigError, match=r"the unit that is shown, usd, was '2.5 quantity'"):
        aged.select(threshold=2.5).select(unit="usd")


def test_every_time_frame_is_a_length_and_every_style_a_row_of_heatmaps(aged: lq.Heatmap) -> None:
    for frames in lq.TIME_FRAMES.values():
        lengths = [parse_duration(frame) for frame in frames]
        assert lengths == sorted(lengths)
    assert list(aged.frames()) == ["12h", "24h", "48h", "3d", "1w", "2w", "1mo", "3mo", "6mo", "1y"]
    scalp = aged.frames("scalp")
    assert list(scalp) == ["1h", "4h"]
    assert np.array_equal(scalp["1h"].values, aged.select(opened_within="1h").values)
    with pytest.raises(lq.InvalidConfigError, match=r"style must be one of .* was 'nap'"):
        aged.frames("nap")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"opened_within": "soon"}, "opened_within must be a length of time"),
        ({"opened_within": "5m"}, r"opened_within must be at least one window \(30m\), was '5m'"),
    ],
)
def test_select_names_the_rule(aged: lq.Heatmap, given: dict[str, Any], message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        aged.select(**given)


def test_what_cannot_be(aged: lq.Heatmap) -> None:
    with pytest.raises(lq.InvalidConfigError, match="opened_within must not be longer than 1h, which was selected"):
        aged.select(opened_within="1h").select(opened_within="4h")
    with pytest.raises(
        lq.InvalidConfigError, match=r"window must be a multiple of the engine's own \(30m\), was '45m'"
    ):
        aged.rebin(window="45m")
    with pytest.raises(lq.InvalidConfigError, match="step must be a multiple of the book's bins"):
        aged.rebin(step=15)
    with pytest.raises(lq.InvalidConfigError, match="within must rise by at least a window each"):
        aged.age(within=["1h", "1h"])
    with pytest.raises(lq.InvalidConfigError, match="side must be one of"):
        aged.age().share_between("up", 0, 1)
    aged.meta["sequential"] = True
    for call in (lambda: aged.select(opened_within="1h"), aged.age):
        with pytest.raises(lq.InvalidConfigError, match="must not be asked of a sequential model"):
            call()


def test_what_an_engine_folded_away_is_refused_and_named() -> None:
    rows = [(k / 2, 1000.0 + k, 1.0, False) for k in range(20)]
    eng = engine_of(rows, keep=6)
    hm = eng.heatmap()  # six closed windows and the open one
    with pytest.raises(
        lq.InvalidConfigError,
        match=r"opened_within must lie within the windows that the engine kept, which begin .*Z, 30m before the end of "
        r"the first column shown; was '2h': show fewer columns \(last=\), or keep more",
    ):
        hm.select(opened_within="2h")
    late = hm.select(last="2h").select(opened_within="2h")
    everything = engine_of(rows).heatmap().select(opened_within="2h", last="2h")
    assert np.array_equal(late.map().long.sum(axis=0)[-20:], everything.map().long.sum(axis=0)[-20:])
    age = hm.age(within=["1h", "3h", "4h"])
    assert not np.isnan(age.opened[:2]).any()
    assert np.isnan(age.opened[2]).all()  # seven windows are here


def test_saved_views_come_back(tmp_path: Any, aged: lq.Heatmap) -> None:
    view = aged.select(opened_within="1h", threshold="p10").rebin(window="1h", step=20)
    view.save(tmp_path / "view.parquet")
    back = lq.load_heatmap(tmp_path / "view.parquet")
    for name in ("times", "prices", "long", "short", "liquidated"):
        assert np.array_equal(getattr(back, name), getattr(view, name)), name
    assert back.meta["opened_within_ns"] == HOUR


def test_a_time_frame_stands_in_the_configuration(tmp_path: Any, market: lq.Market) -> None:
    hm = lq.heatmap(trades=market.trades, opened_within="2h", last="4h")
    hm.save(tmp_path / "hm.parquet")
    again = lq.heatmap(trades=market.trades, config=tmp_path / "hm.parquet")
    assert np.array_equal(again.values, hm.values)
    assert hm.meta["config"]["window"]["opened_within"] == "2h"
