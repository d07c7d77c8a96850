"""Every model of the engine against the reference, on random streams and recorded days."""

import random
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import liqcore as lq
from drive import Array, arrays, assert_same_columns, assert_same_now, live, make_engine, pass_time, run_both
from liqcore.simulation.market import Market as SimulatedMarket
from liqcore.sources import Candles
from recorded import data_dir
from reference import Cells, Layer
from reference_models import ModelReference
from streams import SECOND, START, Market, Setup, random_setup
from test_engine_recorded import MINUTE, SETUPS, read, rows_of, trades

MODELS = ("flow", "presence", "oi", "blend", "vendor")
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def model_setup(rng: random.Random, model: str, reconciled: bool, **fixed: Any) -> Setup:
    reconciled = reconciled and model != "presence"  # which refuses it
    trigger = "candle" if model == "vendor" else rng.choice(["last", "last", "mark", "candle"])
    return random_setup(rng, **{"model": model, "reconciled": reconciled, "trigger": trigger, **fixed})


def assert_same_corrections(engine: lq.Engine, ref: ModelReference) -> None:
    for i, name in enumerate(("spared", "capped")):
        wanted = [pair[i] * ref.lot_size for pair in ref.corrections().values()]
        assert engine.corrections[name].ravel() == pytest.approx(wanted, rel=1e-9, abs=1e-6 * ref.lot_size)


@given(
    rng=st.randoms(use_true_random=False),
    model=st.sampled_from(MODELS),
    reconciled=st.booleans(),
    source=st.sampled_from(["trades", "candles"]),
)
@settings(slow, max_examples=150)
def test_short_streams_call_by_call(rng: random.Random, model: str, reconciled: bool, source: str) -> None:
    setup = model_setup(rng, model, reconciled)
    steps = Market(rng, setup, source).steps(rng.randint(1, 20), 5)
    note(f"{setup}\n{steps}")
    engine, ref = run_both(setup, steps, every_step=True)
    if not ref.tie:
        assert_same_corrections(engine, ref)


@pytest.mark.parametrize("reconciled", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_long_streams_in_big_batches(model: str, reconciled: bool) -> None:
    """Long enough for whole runs of trades to be summed, and for profiles to be sorted in between."""
    compared = 0
    for seed in range(10):
        rng = random.Random(seed)
        setup = model_setup(rng, model, reconciled)
        source = "candles" if seed % 3 == 2 else "trades"
        engine, ref = run_both(setup, Market(rng, setup, source, 0.05, hurry=0.02).steps(14, 400), every_step=False)
        if not ref.tie:
            assert_same_corrections(engine, ref)
            compared += 1
    assert compared >= 5


@pytest.mark.parametrize("reconciled", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_any_split_of_the_input_gives_the_same_bits(model: str, reconciled: bool, tmp_path: Path) -> None:
    """Also across a save and a load in the middle."""
    rng = random.Random(f"{model} {reconciled}")
    setup = model_setup(rng, model, reconciled, trigger="candle" if model == "vendor" else "last", bins=None)
    market = Market(rng, setup, "trades", bad=0.0, hurry=0.03)
    kinds = ["trade"] * 20 + ["open_interest", "mark", "candle"] + ["vendor_event"] * (model == "vendor")
    rows = [market.row(rng.choice(kinds), SECOND) for _ in range(3000)]
    order = {"mark": 0, "trade": 1, "vendor_event": 2, "candle": 3, "open_interest": 4}
    rows.sort(key=lambda row: (row[1][0] + (SECOND - 1) * (row[0] == "candle"), order[row[0]]))
    whole, one, parts = (make_engine(setup) for _ in range(3))

    def feed(engine: lq.Engine, some: list[tuple[str, Any]]) -> None:
        of = {kind: arrays(kind, [r for k, r in some if k == kind]) for kind in order}
        engine.feed(
            trades=of["trade"],
            marks=of["mark"],
            candles=of["candle"],
            open_interest=of["open_interest"],
            vendor_events=of["vendor_event"],
            interval=SECOND,
        )

    feed(whole, rows)
    for row in rows:
        feed(one, [row])
    at = 0
    while at < len(rows):
        end = at + rng.choice([1, 2, 17, 256, 1000])
        feed(parts, rows[at:end])
        if at < len(rows) // 2 <= end:
            parts = lq.Engine.load(parts.save(tmp_path / "half.liq"))
        at = end
    for other in (one, parts):
        if (model, reconciled) == ("flow", True):  # trades are added to cells that a cap has made fractions
            assert other.stats.live == pytest.approx(whole.stats.live, rel=1e-12)
            for side in ("long", "short"):
                assert other.levels_lots(side) == pytest.approx(whole.levels_lots(side), rel=1e-12)
            continue
        assert whole.segments() == other.segments()
        assert whole.stats == other.stats
        for side in ("long", "short"):
            assert np.array_equal(whole.levels_lots(side), other.levels_lots(side))
        for name, values in whole.corrections.items():
            assert np.array_equal(values, other.corrections[name])


@pytest.mark.parametrize(("model", "reconciled"), [("oi", False), ("blend", True), ("flow", True), ("presence", False)])
def test_threads_change_nothing(model: str, reconciled: bool) -> None:
    """Intervals so long that their trades are spread over threads by whole windows."""
    rng = np.random.default_rng(3)
    n = 300_000
    ts = START + np.sort(rng.integers(0, 1000 * SECOND, n))
    price = 1000.0 + np.cumsum(rng.integers(-1, 2, n)) // 16
    given = ts, price, rng.integers(1, 9, n).astype(np.float64), rng.random(n) < 0.5
    samples = START + np.array([0, 480, 999], np.int64) * SECOND, np.array([10_000.0, 90_000.0, 70_000.0])
    inst = lq.Instrument(tick_size=1.0, lot_size=1.0, margin=lq.MarginSchedule.flat(0.004))
    engines = [
        lq.Engine(
            inst, leverage={5: 0.5, 50: 0.5}, window="1s", half_life=None, model=model, reconciled=reconciled, threads=n
        )
        for n in (1, 3)
    ]
    for engine in engines:
        engine.feed(trades=given, open_interest=samples)
    one, many = engines
    assert one.stats.opened[0, 0] > 0
    assert one.segments() == many.segments()
    assert np.array_equal(one.stats.liquidated, many.stats.liquidated)
    for side in ("long", "short"):
        assert np.array_equal(one.levels_lots(side), many.levels_lots(side))


@pytest.mark.parametrize("reconciled", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_nothing_after_a_columns_end_changes_it(model: str, reconciled: bool) -> None:
    rng = random.Random(f"cut {model} {reconciled}")
    setup = model_setup(rng, model, reconciled, window=SECOND, bins=None)
    market = Market(rng, setup, "trades", bad=0.0, hurry=0.02)
    kinds = ["trade"] * 10 + ["open_interest", "mark"] + ["vendor_event", "candle"] * (model == "vendor")
    rows = [market.row(rng.choice(kinds), SECOND // 4) for _ in range(4000)]

    def run(before: int) -> lq.Engine:
        of = {kind: [r for k, r in rows if k == kind] for kind in kinds}
        engine = make_engine(setup)
        ends = {kind: SECOND // 4 - 1 if kind == "candle" else 0 for kind in of}
        cut = {kind: arrays(kind, [r for r in rs if r[0] + ends[kind] < before]) for kind, rs in of.items()}
        engine.feed(
            trades=cut["trade"],
            marks=cut["mark"],
            open_interest=cut["open_interest"],
            candles=cut.get("candle"),
            vendor_events=cut.get("vendor_event"),
            interval=SECOND // 4,
        )
        return engine

    whole = run(2**62)
    segments = whole.segments()
    assert sum(segment.additions["lots"].sum() for segment in segments) > 0
    for segment in segments[:: max(1, len(segments) // 7)]:
        part = run(segment.end_ns)
        part.advance(segment.end_ns)
        assert part.segments() == segments[: len(part.segments())]


@pytest.mark.parametrize("model", MODELS)
def test_segments_combine(model: str) -> None:
    for seed in range(6):
        rng = random.Random(f"{model} {seed}")
        setup = model_setup(rng, model, False, half_life=None)
        engine, ref = run_both(setup, Market(rng, setup, "trades", hurry=0.1).steps(12, 60), every_step=False)
        segments = engine.segments()
        if len(segments) < 3 or ref.tie:
            continue
        cut = rng.randint(1, len(segments) - 1)
        whole = reduce(lq.combine, segments)
        halves = lq.combine(reduce(lq.combine, segments[:cut]), reduce(lq.combine, segments[cut:]))
        for combined in (whole, halves):
            book: dict[Layer, Cells] = {layer: {} for layer in ref.live}
            pass_time(book, combined)
            for layer, wanted in ref.columns[-1].live.items():
                # A fold over windows takes cells below half a lot away at each end, one over the whole only at its end.
                big = {where: lots for where, lots in book[layer].items() if where in wanted or lots > 1}
                assert big == pytest.approx(wanted, rel=1e-12, abs=0), layer


@pytest.mark.recorded
@pytest.mark.parametrize(("coin", "day"), [("BTC", "20260613"), ("ETH", "20260614")])
@pytest.mark.parametrize(
    ("model", "trigger", "reconciled"),
    [
        ("oi", "last", False),
        ("oi", "mark", True),
        ("blend", "mark", False),
        ("flow", "last", True),
        ("presence", "last", False),
    ],
)
def test_a_recorded_day_with_its_context(coin: str, day: str, model: str, trigger: str, reconciled: bool) -> None:
    """Trades, marks and open interest of one market; a stretch of some hours."""
    of_trades = tuple(np.ascontiguousarray(column[:60_000]) for column in trades(coin, day))
    context = read(data_dir() / "context" / f"hyperliquid-{coin}-context.parquet")
    ts = context["ts_ms"] * 1_000_000
    inside = (ts >= of_trades[0].min()) & (ts <= of_trades[0].max())
    assert inside.sum() > 60
    of_marks: tuple[Array, Array] = (ts[inside], context["mark"][inside])
    of_interest: tuple[Array, Array] = (ts[inside], context["open_interest"][inside])
    setup = SETUPS[coin].with_(model=model, trigger=trigger, reconciled=reconciled, maker_share=0.0, window=5 * MINUTE)
    if model == "presence":
        setup = setup.with_(exponent=0.5)
    engine, ref = make_engine(setup), setup.reference()
    engine.feed(trades=of_trades, marks=of_marks, open_interest=of_interest)
    ref.feed(marks=rows_of(of_marks), trades=rows_of(of_trades), open_interest=rows_of(of_interest))
    assert not ref.tie
    assert_same_now(engine, ref)
    assert_same_columns(engine, ref)
    assert_same_corrections(engine, ref)
    if model == "oi" and not reconciled:
        rises = np.diff(np.rint(of_interest[1] / setup.lot_size))
        assert engine.stats.opened.tolist() == [[rises[rises > 0].sum()] * len(setup.tiers)] * 2


# ---- single rules ------------------------------------------------------------------------------------------------


def test_results_say_what_they_mean() -> None:
    inst = lq.Instrument(tick_size=1.0, lot_size=1.0)
    meanings = {
        "flow": "opened turnover, decayed",
        "presence": "opened presence, decayed",
        "oi": "open-interest scale",
        "blend": "open-interest scale",
        "vendor": "event units",
        "none": "levels opened by the caller",
    }
    for model, meaning in meanings.items():
        engine = lq.Engine(inst, model=model)
        engine.candles(*arrays("candle", [(START, 100.0, 101.0, 99.0, 100.0, 1.0, 1.0)]))
        meta = engine.heatmap().meta
        assert (meta["model"], meta["meaning"], meta["sequential"]) == (model, meaning, False)
        assert meta["churn"] == (0.1 if model == "blend" else None)
        assert lq.Engine.from_config(lq.Config.from_dict(meta["config"])).churn == meta["churn"]
        assert engine.trigger == ("candle" if model == "vendor" else "last")
    engine = lq.Engine(inst, model="oi", reconciled=True, half_life="1d")
    engine.mark(0, 100.0)
    assert engine.heatmap().meta["meaning"] == "open-interest scale, decayed, reconciled with open interest"
    assert engine.sequential


def test_vendor_opens_first_and_touches_by_candle() -> None:
    inst = lq.Instrument(tick_size=1.0, lot_size=1.0, margin=lq.MarginSchedule.flat(0.0))
    engine = lq.Engine(inst, model="vendor", leverage={10: 1.0}, book_step=1.0)
    engine.feed(
        candles=arrays("candle", [(START, 1000.0, 1099.0, 900.0, 950.0, 5.0, 5.0)]),
        vendor_events=arrays("vendor_event", [(START + 59_999_999_999, 1000.0, 7.0)]),
    )
    assert live(engine) == {("long", 10.0): {}, ("short", 10.0): {1100: 7.0}}
    assert engine.stats.liquidated.tolist() == [[7.0], [0.0]]
    assert engine.vendor_event(START + 60_000_000_000, 1000.0, -1.0) is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "blendd"}, 'model must be one of "flow", "presence", "oi", "blend", "vendor", "none", was "blendd"'),
        ({"model": "vendor", "trigger": "last"}, "trigger must be candle with the model vendor, was last"),
        ({"model": "flow", "taker_tilt": 0.5}, "taker_tilt needs the model oi or blend, was 0.5"),
        ({"model": "oi", "taker_tilt": 1.5}, r"taker_tilt must lie in \[0, 1\], was 1.5"),
        ({"model": "oi", "churn": 0.5}, "churn needs the model blend, was 0.5"),
        ({"model": "blend", "churn": -0.5}, r"churn must lie in \[0, 1\], was -0.5"),
        ({"model": "oi", "event_threshold": 5.0}, "event_threshold needs the model vendor, was 5"),
        ({"model": "vendor", "event_threshold": -5.0}, "event_threshold must be finite and at least 0, was -5"),
        ({"model": "none", "reconciled": True}, "reconciled needs a model, which was none"),
        (
            {"candle_price": "typical"},
            'candle_price must be one of "hlc3", "close", "open", "ohlc4", "hl2", was "typical"',
        ),
        ({"model": "oi", "maker_share": 0.5}, "maker_share needs the model flow or presence, was 0.5"),
    ],
)
def test_options_belong_to_their_models(options: dict[str, Any], message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        lq.Engine(lq.Instrument(tick_size=1.0, lot_size=1.0), **options)


def test_events_need_the_model_vendor() -> None:
    engine = lq.Engine(lq.Instrument(tick_size=1.0, lot_size=1.0))
    for call in (
        lambda: engine.vendor_event(0, 100.0, 1.0),
        lambda: engine.vendor_events(*arrays("vendor_event", [(START, 100.0, 1.0)])),
    ):
        with pytest.raises(lq.InvalidConfigError, match="vendor events need the model vendor"):
            call()


# ---- lq.heatmap --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return lq.simulate(seed=7, days=0.1, trades_per_day=40_000, existing_positions=False)


def test_open_interest_chooses_the_model_oi(market: SimulatedMarket) -> None:
    hm = lq.heatmap(trades=market.trades, marks=market.marks, open_interest=market.open_interest, window="1m")
    assert (hm.meta["model"], hm.meta["meaning"]) == ("oi", "open-interest scale")
    assert hm.meta["model_chosen"] == "open interest is given"
    assert hm.meta["half_life"] is None
    assert hm.meta["config"]["model"]["name"] == "oi"
    flow = lq.heatmap(trades=market.trades, window="1m")
    assert (flow.meta["model"], flow.meta["model_chosen"]) == ("flow", "no open interest is given")
    given = lq.heatmap(trades=market.trades, open_interest=market.open_interest, model="flow", window="1m")
    assert (given.meta["model"], given.meta["model_chosen"]) == ("flow", "given")
    assert np.array_equal(given.values, flow.values)


def test_oi_stays_below_open_interest_where_turnover_does_not(market: SimulatedMarket) -> None:
    """The engine's heatmap equals an engine fed by hand, and its layers are on the scale of open interest."""
    options: dict[str, Any] = {"trades": market.trades, "open_interest": market.open_interest, "window": "1m"}
    hm = lq.heatmap(**options, leverage={2: 1.0}, reconciled=True)
    engine = lq.Engine(
        lq.Instrument(tick_size=0.1, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004)),
        leverage={2: 1.0},
        window="1m",
        model="oi",
        reconciled=True,
    )
    inside = market.open_interest.ts >= market.trades.ts[0] // engine.window_ns * engine.window_ns
    samples = market.open_interest.ts[inside], market.open_interest.quantity[inside]
    engine.feed(trades=market.trades, open_interest=samples)
    assert hm.meta["sequential"] is True
    assert np.array(hm.meta["corrections"]["spared"]) == pytest.approx(engine.corrections["spared"])
    live = engine.levels("long").sum()
    assert 0 < live <= samples[1].max() + engine.instrument.lot_size
    assert engine.stats.opened[0, 0] * engine.instrument.lot_size < market.trades.qty.sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "oi"}, 'model "oi" needs open interest: give open_interest'),
        ({"model": "blend"}, 'model "blend" needs open interest: give open_interest'),
        ({"reconciled": True}, "reconciled needs open interest: give open_interest"),
        ({"model": "vendor"}, 'model "vendor" needs events: give open_interest and event_threshold'),
        ({"model": "flow", "churn": 0.5}, "churn needs the model blend, was 0.5"),
        ({"model": "flow", "taker_tilt": 2.0}, "model.taker_tilt must be a share from 0 to 1, was 2.0"),
    ],
)
def test_heatmap_refuses_models_without_their_data(
    market: SimulatedMarket, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        lq.heatmap(trades=market.trades, **options)


def test_vendor_takes_rises_of_open_interest_and_candles(market: SimulatedMarket) -> None:
    trades = market.trades
    minutes = trades.ts // MINUTE
    rows = []
    for minute in np.unique(minutes):
        price, qty, sold = (column[minutes == minute] for column in (trades.price, trades.qty, trades.taker_sell))
        prices = price[0], price.max(), price.min(), price[-1]
        rows.append((int(minute) * MINUTE, *prices, qty[~sold].sum(), qty[sold].sum()))
    columns = arrays("candle", rows)
    candles = Candles(*columns, interval_ns=MINUTE)
    with_events = {"candles": candles, "open_interest": market.open_interest, "model": "vendor"}
    many = lq.heatmap(**with_events, event_threshold=0.0)
    few = lq.heatmap(**with_events, event_threshold=1.0)
    assert (many.meta["trigger"], many.meta["meaning"]) == ("candle", "event units")
    assert many.values.sum() > few.values.sum() > 0
    kept = lq.heatmap(candles=candles, open_interest=market.open_interest, model="blend", churn=0.5)
    assert kept.meta["resolution"] == "candles"
    assert kept.values.sum() > 0


# ---- time frames -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trigger", ["last", "mark"])
@pytest.mark.parametrize("model", ["oi", "blend"])
def test_opened_within_equals_an_engine_emptied_at_that_time(model: str, trigger: str) -> None:
    """What was opened since a boundary, with the last mark, the last sample and the interval in progress carried on."""
    rng = random.Random(f"{model} {trigger}")
    setup = Setup(
        tiers=(5.0, 20.0), model=model, trigger=trigger, window=SECOND, bins=(0, 3000), mmr=0.004, churn=None, base=1000
    )
    rows: list[tuple[str, tuple[Any, ...]]] = []
    price = 1000.0
    for i in range(3000):  # 50 trades a second; the price drifts by some per cent
        price += rng.choice([-1, 0, 1])
        ts = i * SECOND // 50
        kind = rng.choice(["trade"] * 8 + ["open_interest", "mark"])
        of = {
            "trade": (price, float(rng.randint(1, 99)), rng.random() < 0.5),
            "open_interest": (float(rng.randint(50_000, 90_000)),),
            "mark": (price + 1,),
        }
        rows.append((kind, (ts, *of[kind])))
    last = rows[-1][1][0] // SECOND * SECOND
    boundary = last - 20 * SECOND
    whole, emptied = make_engine(setup), make_engine(setup)
    for kind, row in rows:
        if row[0] >= last:
            break
        getattr(whole, kind)(*row)
        if row[0] >= boundary and emptied.clock is not None and emptied.clock < boundary:
            emptied.advance(boundary)
            emptied.scale(0.0)
        getattr(emptied, kind)(*row)
    for engine in (whole, emptied):
        engine.advance(last)
    part, wanted = (engine.heatmap(step=1.0, unit="quantity") for engine in (whole, emptied))
    part = part.select(opened_within="20s")
    column = int(np.searchsorted(part.times.astype(np.int64), last - SECOND))
    assert wanted.long[column].sum() > 0
    for side in ("long", "short"):
        assert getattr(part, side)[column] == pytest.approx(getattr(wanted, side)[column], rel=1e-5, abs=0.5)


def test_sequential_models_are_refused_by_name(market: SimulatedMarket) -> None:
    hm = lq.heatmap(trades=market.trades, open_interest=market.open_interest, window="1m", reconciled=True)
    with pytest.raises(lq.InvalidConfigError, match="sequential"):
        hm.select(opened_within="10m")
