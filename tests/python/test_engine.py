"""The engine's Python face: splits, verbs, hooks, threads, saving, and what it refuses."""

import threading

import numpy as np
import pytest

import liqcore as lq

NS = 1_000_000_000
START = 1_750_000_000 * NS
INST = lq.Instrument(symbol="X", venue="test", tick_size=0.5, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004))
LEVERAGE = lq.LeverageProfile({10: 0.5, 100: 0.5})


def engine(**options):
    return lq.Engine(INST, **({"leverage": LEVERAGE, "half_life": None, "window": "1m"} | options))


def walk(n=20_000, seed=1, seconds=3 * 3600):
    rng = np.random.default_rng(seed)
    ts = START + np.sort(rng.integers(0, seconds * NS, n))
    price = np.round(60_000 + np.cumsum(rng.normal(0, 2, n))) / 2 + 10_000
    return ts, np.round(price * 2) / 2, rng.integers(1, 3000, n) / 1000, rng.random(n) < 0.5


def same(a, b):
    """Whether two engines are in the same state, to the bit."""
    return (
        a.segments() == b.segments()
        and a.stats == b.stats
        and a.axis == b.axis
        and all(np.array_equal(a.levels_lots(side), b.levels_lots(side)) for side in ("long", "short"))
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"maker_share": 0.25},
        {"half_life": {10: "2h", 100: "20m"}},
        {"trigger": "mark"},
        {"leverage": "integer-125"},
        {"book_step": 0.5},
    ],
)
def test_any_split_gives_the_same_bits(options):
    columns = walk()
    whole, parts, single = engine(**options), engine(**options), engine(**options)
    for each in (whole, parts, single):
        each.mark(int(columns[0][0]), float(columns[1][0]))
    whole.trades(*columns)
    total = None
    for first in range(0, len(columns[0]), 777):
        stats = parts.trades(*(column[first : first + 777] for column in columns))
        total = stats if total is None else total + stats
    for row in zip(*(column.tolist() for column in columns), strict=True):
        assert single.trade(*row)
    assert same(whole, parts)
    assert same(whole, single)
    assert total.rows == len(columns[0])
    assert not whole.stats.imbalance().any() or "half_life" in options


def test_live_levels_lie_beyond_the_last_trade_and_add_up():
    eng = engine()
    for row in zip(*(column.tolist() for column in walk(3_000)), strict=True):
        eng.trade(*row)
        i = eng.axis.index(row[1])
        long, short = eng.levels_lots("long"), eng.levels_lots("short")
        assert not long[:, i:].any()
        assert not short[:, : i + 1].any()
    assert np.array_equal(eng.stats.live, [long.sum(axis=1), short.sum(axis=1)])


def test_fold_of_the_segments_is_the_book():
    eng = engine(half_life={10: "2h", 100: "20m"})
    ts, *rest = walk()
    eng.trades(ts, *rest)
    eng.advance((int(ts[-1]) // (60 * NS) + 1) * 60 * NS)
    history, unfinished = eng._history(False)
    first, long = history.levels(len(history) - 1, "long")
    assert not unfinished
    assert first == eng.axis.first_bin
    assert np.array_equal(long, eng.levels_lots("long"))


def test_combined_segments_clear_scale_and_add_as_the_windows_did():
    eng = engine()
    eng.trades(*walk(4_000, seconds=1200))
    segments = eng.segments()
    left = segments[0]
    for segment in segments[1:]:
        left = lq.combine(left, segment)
    right = segments[-1]
    for segment in reversed(segments[:-1]):
        right = lq.combine(segment, right)
    assert left == right
    with pytest.raises(lq.InvalidConfigError, match="later must start where earlier ends"):
        lq.combine(segments[1], segments[0])


def test_keep_folds_older_windows_together():
    everything, few = engine(), engine(keep=3)
    for each in (everything, few):
        each.trades(*walk())
    assert few.segments() == everything.segments()[-3:]
    a, b = few.heatmap().map(), everything.heatmap().map()
    assert a.long.sum() == b.long.sum()
    assert a.short.sum() == b.short.sum()
    assert np.array_equal(few.heatmap().values.sum(axis=1), everything.heatmap().values[-4:].sum(axis=1))


def test_verbs_open_touch_and_scale():
    eng = engine(model="none", axis=lq.PriceAxis(low=20_000, high=80_000, step=10, tick_size=0.5))
    eng.advance(START)
    eng.open("long", 60_000, 1.5)
    # 10x: 60,000 x 0.9 / 0.996 = 54,216.9; 100x: 60,000 x 0.99 / 0.996 = 59,638.6
    long = eng.levels("long")
    axis = eng.axis
    assert long[0, axis.index(54_216.9)] == pytest.approx(1.5)
    assert long[1, axis.index(59_638.6)] == pytest.approx(1.5)
    eng.scale(0.5)
    assert eng.levels_lots("long").sum() == 1500.0
    assert eng.stats.closed.sum() == 1500.0
    eng.touch(59_000, 59_500)
    assert eng.stats.liquidated[0].tolist() == [0.0, 750.0]
    assert not eng.stats.imbalance().any()
    eng.scale(np.array([0.0, 1.0]))
    assert not eng.levels("long").any()


def test_a_level_opened_by_a_verb_lies_beyond_the_last_mark_too():
    """A touch by hand after the mark does not make the mark forgotten: live shorts lie above the trigger price."""
    inst = lq.Instrument(symbol="X", tick_size=1.0, lot_size=1.0)
    eng = lq.Engine(inst, leverage={2: 1.0}, model="none", trigger="mark")
    eng.mark(START, 1_000.0)
    eng.touch(500.0, 510.0)
    with pytest.warns(UserWarning, match="levels not opened"):
        eng.open("short", 600.0, 5.0)  # 600 x 1.5 / 1.004 = 896: above the touch, below the mark
    assert eng.stats.unresolved[1].tolist() == [5.0]
    assert not eng.levels("short").any()
    eng.open("short", 700.0, 3.0)  # 1,046
    assert eng.levels("short").sum() == 3.0


def test_column_hook_sees_each_window_once_and_may_read():
    eng = engine()
    seen = []
    eng.on_column(lambda segment: seen.append((segment.start_ns, eng.levels_lots("long").sum())))
    eng.trades(*walk())
    assert [start for start, _ in seen] == [segment.start_ns for segment in eng.segments()]
    assert seen[-1][1] > 0
    eng.on_column(None)


def test_column_hook_errors_are_raised_when_the_call_is_done():
    eng = engine()
    calls = []

    def hook(segment):
        calls.append(segment)
        raise KeyError("mine")

    eng.on_column(hook)
    with pytest.raises(KeyError, match="mine"):
        eng.trades(*walk())
    assert len(calls) == 1
    assert eng.stats.used == 20_000


def test_feeding_from_the_hook_is_refused():
    eng = engine()
    eng.on_column(lambda segment: eng.advance(segment.end_ns))
    with pytest.raises(RuntimeError, match="on_column callback"):
        eng.trades(*walk())


def test_one_engine_is_used_by_one_thread_at_a_time():
    eng = engine()
    inside, go = threading.Event(), threading.Event()

    def hook(_):
        inside.set()
        go.wait(60)

    eng.on_column(hook)
    thread = threading.Thread(target=eng.trades, args=walk(200, seconds=120))
    thread.start()
    assert inside.wait(60)
    for use in (lambda: eng.stats, lambda: eng.trade(START, 40_000.0, 1.0, False)):
        with pytest.raises(RuntimeError, match="in use by another thread"):
            use()
    go.set()
    thread.join()
    assert eng.stats.used == 200


def test_many_engines_run_in_parallel():
    columns = walk()
    engines = [engine() for _ in range(4)]
    threads = [threading.Thread(target=each.trades, args=columns) for each in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(engines[0], each) for each in engines[1:])


@pytest.mark.parametrize(
    "options",
    [{}, {"half_life": {10: "2h", 100: "20m"}, "trigger": "mark"}, {"maker_share": 0.5, "keep": 5}, {"fixed": True}],
)
def test_a_loaded_engine_goes_on_bit_for_bit(tmp_path, options):
    options = dict(options)
    if options.pop("fixed", False):
        options["axis"] = lq.PriceAxis(low=30_000, high=50_000, step=5, tick_size=0.5)
    ts, price, qty, sell = walk()
    marks = (ts[::50].copy(), price[::50].copy())
    straight, first = engine(**options), engine(**options)
    half, half_mark = 9_999, 200
    first.feed(trades=(ts[:half], price[:half], qty[:half], sell[:half]), marks=[m[:half_mark] for m in marks])
    first.save(tmp_path / "engine.liq")
    second = lq.Engine.load(tmp_path / "engine.liq")
    assert same(first, second)
    assert second.clock == first.clock
    for each in (first, second):
        each.feed(trades=(ts[half:], price[half:], qty[half:], sell[half:]), marks=[m[half_mark:] for m in marks])
    straight.feed(trades=(ts, price, qty, sell), marks=marks)
    assert same(first, second)
    assert same(straight, second)


def test_an_engine_is_saved_before_its_first_price(tmp_path):
    engine().save(tmp_path / "engine.liq")
    first, second = engine(), lq.Engine.load(tmp_path / "engine.liq")
    assert second.clock is None
    for each in (first, second):
        each.trade(START, 1_000.0, 2.0, False)
    assert same(first, second)


def test_a_heatmap_is_not_an_engine(tmp_path):
    eng = engine()
    eng.trades(*walk(100))
    eng.heatmap().save(tmp_path / "map.parquet")
    with pytest.raises(lq.DataError, match="expected an engine saved by liqcore"):
        lq.Engine.load(tmp_path / "map.parquet")


def test_datetime64_is_taken_as_nanoseconds():
    ts, *rest = walk(100)
    a, b = engine(), engine()
    a.trades(ts, *rest)
    b.trades(ts.view("datetime64[ns]"), *rest)
    assert same(a, b)


@pytest.mark.parametrize(
    ("at", "value", "error", "message"),
    [
        (0, np.zeros(3), TypeError, r"ts must be a numpy array of int64 \(or datetime64\[ns\]\).*was float64"),
        (0, np.zeros(3, "datetime64[us]"), TypeError, "ts must be .* was datetime64"),
        (1, np.zeros(3, np.float32), TypeError, "price must be a numpy array of float64 .*was float32"),
        (1, [1.0, 2.0, 3.0], TypeError, "price must be .* was a list"),
        (1, np.zeros(6)[::2], TypeError, "price must be C-contiguous"),
        (1, np.zeros((3, 1)), ValueError, "price must be one-dimensional, had 2"),
        (1, np.ma.masked_array(np.ones(3), [0, 1, 0]), TypeError, "price must not be masked"),
        (2, np.zeros(2), lq.InvalidConfigError, r"qty must be as long as the times \(3\), had 2"),
        (3, np.zeros(3, np.uint8), TypeError, "taker_sell must be a numpy array of bool"),
    ],
)
def test_wrong_arrays_are_refused_by_name(at, value, error, message):
    columns = [np.full(3, START), np.full(3, 40_000.0), np.ones(3), np.zeros(3, bool)]
    columns[at] = value
    eng = engine()
    with pytest.raises(error, match=message):
        eng.trades(*columns)
    assert eng.stats.rows == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((START, np.nan, 1.0), "not_finite"),
        ((START, np.inf, 1.0), "not_finite"),
        ((START, 40_000.0, np.nan), "not_finite"),
        ((START, 0.0, 1.0), "not_positive"),
        ((START, -1.0, 1.0), "not_positive"),
        ((START, 40_000.0, 0.0), "not_positive"),
        ((START, 0.1, 1.0), "not_positive"),
        ((START, 40_000.2, 1.0), "off_grid"),
        ((START, 1e18, 1.0), "too_large"),
        ((START, 40_000.0, 1e18), "too_large"),
        ((START - 1, 40_000.0, 1.0), "late"),
        ((START, 5_000_000.0, 1.0), "off_range"),
    ],
)
def test_bad_rows_are_counted_by_reason_and_change_nothing(row, reason):
    columns = walk(1_000)
    clean, dirty, single = engine(), engine(), engine()
    for each in (clean, dirty, single):
        each.trade(START, 40_000.0, 1.0, False)
    clean.trades(*columns)
    at = 0  # late, too, only before the first of the others
    mixed = [np.insert(column, at, value) for column, value in zip(columns, (*row, True), strict=True)]
    stats = dirty.trades(*mixed)
    assert stats.rejected[reason] == 1
    assert sum(stats.rejected.values()) == 1
    assert stats.rows == stats.used + 1
    assert not single.trade(*row, True)
    assert single.stats.rejected[reason] == 1
    assert dirty.segments() == clean.segments()
    assert np.array_equal(dirty.levels_lots("short"), clean.levels_lots("short"))


def test_a_jump_over_a_million_windows_is_refused_before_anything_happens():
    eng = engine(window="1s")
    ts = np.array([START, START + NS, START + 1_000_003 * NS])
    said = r"ts must not jump over more than 1000000 windows.* in row 2 of trades"
    with pytest.raises(lq.InvalidConfigError, match=said):
        eng.trades(ts, np.full(3, 40_000.0), np.ones(3), np.zeros(3, bool))
    assert eng.stats.rows == 0
    assert eng.clock is None
    # The time alone is looked at: a row that would be rejected anyway jumps as well.
    price = np.array([40_000.0, 40_000.0, np.nan])
    with pytest.raises(lq.InvalidConfigError, match="ts must not jump"):
        eng.trades(ts, price, np.ones(3), np.zeros(3, bool))
    for stream in ("marks", "open_interest"):
        with pytest.raises(lq.InvalidConfigError, match=f"ts must not jump.* in row 2 of {stream}"):
            eng.feed(trades=(ts[:2], price[:2], np.ones(2), np.zeros(2, bool)), **{stream: (ts, np.ones(3))})
    begun = eng.clone()
    begun.trade(int(ts[0]), 40_000.0, 1.0, False)
    with pytest.raises(lq.InvalidConfigError, match=r"ts must not jump[^,]*$"):  # one alone is no row
        begun.trade(int(ts[2]), 40_000.0, 1.0, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"leverage": {0.0: 1.0}},
            "leverage must be finite and at least 1, or a distance from the entry above 0, was 0",
        ),
        ({"leverage": {10: 0.5, 20: 0.4}}, "shares must sum to 1"),
        ({"leverage": {10: 1.5, 20: -0.5}}, "share of leverage 20x must be finite and at least 0, was -0.5"),
        ({"leverage": {300: 1.0}}, r"leverage 300 cannot exist: maintenance margin rate plus fee \(0.004\)"),
        (
            {"leverage": "mine"},
            'leverage must be one of default, integer-125, .*, hyperliquid, was "mine"',
        ),
        ({"book_step": 0.7}, r"step must be a multiple of tick_size \(0.5\), was 0.7"),
        ({"window": "5 minutes"}, "window must be a length of time"),
        ({"window": 0}, "window must be longer than nothing"),
        ({"model": "flwo"}, 'model must be one of "flow", "presence", "oi", "blend", "vendor", "none", was "flwo"'),
        ({"trigger": "bid"}, 'trigger must be one of "last", "mark", "candle", was "bid"'),
        ({"maker_share": 1.5}, r"maker_share must lie in \[0, 1\], was 1.5"),
        ({"half_life": {7: "1d"}}, "half_life must name tiers of the leverage profile"),
        ({"keep": 0}, "keep must be at least 1, was 0"),
        ({"axis": lq.PriceAxis(low=0, high=10, step=1, tick_size=0.1)}, "axis must have the instrument's tick_size"),
    ],
)
def test_wrong_settings_name_argument_rule_and_value(options, message):
    with pytest.raises(lq.InvalidConfigError, match=message):
        engine(**options)


def test_trades_and_candle_volumes_of_the_same_time_are_refused():
    eng = engine()
    candle = (np.array([START]), *(np.array([value]) for value in (40_000.0, 40_100.0, 39_900.0, 40_050.0)))
    volumes = np.array([5.0]), np.array([4.0])
    together = "trades and candle volumes of one market must not be of the same time"
    one = (np.array([START + 30 * 10**9]), np.array([40_000.0]), np.array([1.0]), np.array([False]))
    with pytest.raises(lq.InvalidConfigError, match=together):
        eng.feed(trades=one, candles=(*candle, *volumes), interval="1m")
    eng.candles(*candle, *volumes)
    assert eng.trade(START + 60 * 10**9, 40_000.0, 1.0, False)
    with pytest.raises(lq.InvalidConfigError, match=together):
        eng.candles(candle[0] + 60 * 10**9, *candle[1:], *volumes)
    assert eng.candles(candle[0] + 61 * 10**9, *candle[1:], *volumes).used == 1


def test_from_config_makes_the_engine_it_describes():
    config = lq.Config().replace(
        instrument={"tick_size": 0.5, "lot_size": 0.001, "symbol": "X"},
        leverage={"shares": {10: 0.5, 100: 0.5}},
        window={"length": "1m"},
        model={"half_life": "none"},
    )
    configured, direct = lq.Engine.from_config(config), engine()
    for each in (configured, direct):
        each.trades(*walk(500))
    assert same(configured, direct)
    with pytest.raises(lq.InvalidConfigError, match=r"instrument.tick_size must be given"):
        lq.Engine.from_config(lq.Config())


def test_cells_beyond_what_a_double_holds_are_told():
    for after in (1, 3601):  # liquidated in the window, and left to its end
        eng = engine(leverage={10: 1.0}, window="1h")
        most = (2**48 - 1) * 0.001
        for _ in range(41):  # 41 x 2^48 lots are more than 2^53
            assert eng.trade(START, 40_000.0, most, False)
        eng.trade(START + after * NS, 20_000.0, 1.0, True)
        assert eng.stats.inexact
        assert not eng.stats.imbalance().any()


def test_leverage_that_the_venue_does_not_offer_is_left_out_and_told():
    margin = lq.MarginSchedule.tiers([{"rate": 0.0125, "max_leverage": 40}])
    inst = lq.Instrument(symbol="X", tick_size=0.5, lot_size=0.001, margin=margin)
    eng = lq.Engine(
        inst,
        leverage=lq.LeverageProfile({10: 0.25, 20: 0.25, 100: 0.5}, intensity=3.0),
        half_life={20: "1d", 100: "1h"},
        axis=lq.PriceAxis(low=30_000, high=50_000, step=5, tick_size=0.5),
    )
    assert eng.dropped_leverage == (100.0,)
    assert eng.leverage.to_dict() == {10.0: 0.5, 20.0: 0.5}
    assert eng.leverage.intensity == 3.0
    assert eng.half_life_ns.tolist() == [np.inf, 86_400e9]
    eng.trade(START, 40_000.0, 1.0, False)
    assert eng.heatmap().meta["dropped_leverage"] == [100.0]
    # 20x on the mark value: 40,000 x 0.95 / 0.9875 = 38,481.0
    assert eng.levels_lots("long")[1, eng.axis.index(38_481.0)] == 1000
    with pytest.raises(lq.InvalidConfigError, match=r"leverage|tier"):
        lq.Engine(inst, leverage={100: 1.0})


def test_a_loaded_engine_keeps_its_margin_terms(tmp_path):
    eng = lq.Engine(lq.instrument("hyperliquid:BTC", tick_size=1.0, lot_size=0.00001), leverage="default")
    eng.trade(START, 60_000.0, 1.0, False)
    eng.save(tmp_path / "engine.liq")
    back = lq.Engine.load(tmp_path / "engine.liq")
    assert back.dropped_leverage == eng.dropped_leverage == (50.0, 100.0)
    assert same(eng, back)
    for each in (eng, back):
        each.trade(START + NS, 60_100.0, 1.0, True)
    assert same(eng, back)
