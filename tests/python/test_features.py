"""Features: equal to the reference and to live engines, as of the bar's close, with nothing from later."""

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import liqcore as lq
import reference_features
from drive import Array, make_engine, tell_engine, told
from liqcore.runs import trades as trade_sources
from streams import SECOND, START, Market, random_setup
from test_engine_recorded import MINUTE, SETUPS, WHOLE, marks, rows_of, trades

slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
BOOK = lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=1e-4)


@pytest.fixture(scope="module")
def market() -> Any:
    return lq.simulate(days=0.2, trades_per_day=40_000, seed=3)


def recorded(coin: str, count: int | None = None) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """A recorded day, or its first trades, and the marks meanwhile, by time: files have rows out of order."""
    of_trades = by_time(tuple(column[:count] for column in trades(coin, WHOLE[coin])))
    return of_trades, by_time(marks(coin, int(of_trades[0][0]), int(of_trades[0][-1])))


def by_time(columns: tuple[Array, ...]) -> tuple[Array, ...]:
    order = np.argsort(columns[0], kind="stable")
    return tuple(np.ascontiguousarray(column[order]) for column in columns)


def assert_same_row(got: dict[str, float], wanted: dict[str, float]) -> None:
    assert list(got) == list(wanted)
    for name, value in wanted.items():
        # Edges are whole ticks times the tick size on both sides; of differences the last digits count for more.
        rel = 1e-9 if name in ("imbalance", "density_usd_per_pct") else 1e-11
        assert got[name] == pytest.approx(value, rel=rel, abs=1e-9, nan_ok=True), name


# --- the reference ---


@given(
    rng=st.randoms(use_true_random=False),
    trigger=st.sampled_from(["last", "mark", "candle"]),
    source=st.sampled_from(["trades", "candles"]),
    model=st.sampled_from(["flow", "flow", "oi", "blend", "none"]),
)
@settings(slow, max_examples=100)
def test_random_streams_equal_the_reference(rng: random.Random, trigger: str, source: str, model: str) -> None:
    setup = random_setup(rng, trigger=trigger, model=model)
    steps = Market(rng, setup, source).steps(rng.randint(1, 12), 6)
    note(f"{setup}\n{steps}")
    options: dict[str, Any] = {
        "reaches": rng.choice([(0.5, 1.0, 2.0, 5.0), (3.0,), (10.0, 60.0)]),
        "bins_per_row": rng.choice([1, 5, 7]),
        "zone_percentile": rng.choice([0.0, 50.0, 90.0, 100.0]),
        "density_percent": rng.choice([1.0, 30.0]),
    }
    reader = lq.FeatureReader(**options)
    engine, ref = make_engine(setup), setup.reference()
    weights = dict(zip(engine.leverage.tiers.tolist(), engine.leverage.weights.tolist(), strict=True))
    for _ in told(engine, ref, steps):
        wanted = reference_features.features(
            ref,
            weights=weights,
            contract=setup.contract,
            began=engine.began,
            reaches=options["reaches"],
            bins_per_row=options["bins_per_row"],
            percentile=options["zone_percentile"],
            density=options["density_percent"],
        )
        assert_same_row(dict(zip(reader.names, reader.read(engine).tolist(), strict=True)), wanted)


@pytest.mark.recorded
@pytest.mark.parametrize("trigger", ["last", "mark"])
@pytest.mark.parametrize("coin", SETUPS)
def test_recorded_bars_equal_the_reference(coin: str, trigger: str) -> None:
    setup = SETUPS[coin].with_(trigger=trigger)
    of_trades, of_marks = recorded(coin, 20_000)
    closes = np.arange(of_trades[0][0] // MINUTE * MINUTE + MINUTE, of_trades[0][-1], 10 * MINUTE)
    engine, ref = make_engine(setup), setup.reference()
    bin_ = setup.step_ticks * setup.tick_size
    found = lq.features(
        of_trades,
        closes,
        instrument=engine.instrument,
        leverage=engine.leverage,
        config=lq.Config().replace(axis={"book_step": bin_, "step": 5 * bin_}),
        window="5m",
        trigger=trigger,
        maker_share=setup.maker_share,
        half_life=None,
        marks=of_marks,
    )
    weights = dict(zip(engine.leverage.tiers.tolist(), engine.leverage.weights.tolist(), strict=True))
    before = -1
    for close, values in zip(closes.tolist(), found.values, strict=True):
        part = [
            rows_of(tuple(column[(stream[0] >= before) & (stream[0] < close)] for column in stream))
            for stream in (of_marks, of_trades)
        ]
        ref.feed(*part)
        ref.advance(close)
        began = min(int(of_trades[0][0]), int(of_marks[0][0]))
        wanted = reference_features.features(ref, weights=weights, began=began)
        assert_same_row(dict(zip(found.names, values.tolist(), strict=True)), wanted)
        before = close


@pytest.mark.parametrize("trigger", ["last", "mark"])
@pytest.mark.parametrize("contract", ["linear", "inverse"])
def test_zones_and_reaches_are_those_of_the_heatmap_and_the_map(contract: str, trigger: str) -> None:
    compared = 0
    for seed in range(12):
        rng = random.Random(f"{seed} {contract} {trigger}")
        setup = random_setup(
            rng, trigger=trigger, contract=contract, half_life=None, step_ticks=2, base=6543, bins=None
        )
        engine = make_engine(setup)
        market = Market(rng, setup, "trades", bad=0.0, hurry=0.05)
        market.clock = max(market.clock, 0)
        for step in market.steps(8, 200):
            tell_engine(engine, step)
        row = engine.features()
        if math.isnan(row["price"]):
            continue
        zones = engine.heatmap().zones()
        for side, nearest in (("long", max), ("short", min)):
            mine = [zone for zone in zones if zone.side == side]
            found = [row[f"{side}_zone_{what}"] for what in ("low", "high", "usd", "percent")]
            compared += len(mine)
            if not mine:
                assert np.isnan(found).all()
                continue
            zone = nearest(mine, key=lambda zone: zone.low)
            assert (found[0], found[1], found[3]) == (zone.low, zone.high, zone.distance_percent)
            assert found[2] == pytest.approx(zone.value, rel=1e-12)
        whole = engine.map(step=setup.step_ticks * setup.tick_size)
        for reach in (0.5, 1, 2, 5):
            within = whole.within(reach)
            assert row[f"long_usd_{reach:g}pct"] == pytest.approx(within.long, rel=1e-12)
            assert row[f"short_usd_{reach:g}pct"] == pytest.approx(within.short, rel=1e-12)
        last = engine.heatmap()
        if last.complete.sum() > 0 and not last.complete[-1]:
            gone = row["liquidated_long_usd"] + row["liquidated_short_usd"]
            assert gone == pytest.approx(float(last.liquidated[-2].astype(float).sum()), rel=1e-6)
    assert compared > 10


# --- live and batch ---


def live_rows(engine: lq.Engine, rows: list[tuple[Any, ...]], closes: list[int]) -> Array:
    """One event at a time, (call, arguments) in order; what a reader says once advanced to each close."""
    reader = lq.FeatureReader()
    out, at = [], 0
    for close in closes:
        while at < len(rows) and rows[at][1] < close:
            call, *arguments = rows[at]
            getattr(engine, call)(*arguments)
            at += 1
        engine.advance(close)
        out.append(reader.read(engine))
    return np.array(out)


def assert_same_bits(a: Array, b: Array) -> None:
    np.testing.assert_array_equal(a.view(np.int64), b.view(np.int64))


@pytest.mark.recorded
@pytest.mark.parametrize("coin", SETUPS)
def test_a_live_engine_says_the_same_bits_on_recorded_days(coin: str) -> None:
    of_trades, _ = recorded(coin)
    engine = make_engine(SETUPS[coin])
    found = lq.features(of_trades, "5m", instrument=engine.instrument)  # half-lives and all
    live = lq.Engine(engine.instrument, window="5m")
    rows = [("trade", *row) for row in rows_of(of_trades)]
    assert len(found) > 200
    assert_same_bits(found.values, live_rows(live, rows, found.times.tolist()))


@pytest.mark.parametrize(
    "options",
    [
        {"model": "flow", "trigger": "mark"},
        {"model": "flow", "trigger": "last", "maker_share": 0.25, "half_life": None},
        {"model": "oi", "trigger": "mark"},
        {"model": "blend", "trigger": "last", "churn": 0.3},
        {"model": "flow", "trigger": "last", "reconciled": True},
    ],
)
def test_marks_and_open_interest_count_as_live(market: Any, options: dict[str, Any]) -> None:
    of_marks = (market.marks.ts, market.marks.price)
    samples = (market.open_interest.ts, market.open_interest.quantity)
    of_trades = _columns(market.trades)
    found = lq.features(
        of_trades, "5m", instrument=BOOK, marks=of_marks, open_interest=samples, **{"half_life": "1h"} | options
    )
    live = lq.Engine(BOOK, window="5m", **{"half_life": "1h"} | options)
    rows = [("mark", *row) for row in rows_of(of_marks)] + [("trade", *row) for row in rows_of(of_trades)]
    rows += [("open_interest", *row) for row in rows_of(samples)]
    first = int(of_trades[0][0]) // (5 * MINUTE) * 5 * MINUTE  # what is before its window is left out
    rows = sorted((row for row in rows if row[1] >= first), key=lambda row: row[1])  # marks, trades, open interest
    assert len(found) > 40
    assert_same_bits(found.values, live_rows(live, rows, found.times.tolist()))


def candles_of(batch: Any, interval: int) -> lq.sources.Candles:
    """Candles of a minute's trades each; minutes without any are left out."""
    which = batch.ts // interval
    firsts = np.flatnonzero(np.diff(which, prepend=-1))
    parts = np.split(np.arange(len(which)), firsts[1:])
    sold, price = batch.taker_sell, batch.price
    return lq.sources.Candles(
        ts_open=which[firsts] * interval,
        open=price[firsts],
        high=np.array([price[part].max() for part in parts]),
        low=np.array([price[part].min() for part in parts]),
        close=np.array([price[part[-1]] for part in parts]),
        buy_qty=np.array([batch.qty[part][~sold[part]].sum() for part in parts]),
        sell_qty=np.array([batch.qty[part][sold[part]].sum() for part in parts]),
        interval_ns=interval,
    )


def test_candles_take_the_place_of_trades_and_close_bars(market: Any) -> None:
    made = candles_of(market.trades, MINUTE)
    found = lq.features(None, made, candles=made, instrument=BOOK)
    assert found.meta["resolution"] == "candles"
    assert found.times.tolist() == (made.ts_open + MINUTE).tolist()
    live = lq.Engine(BOOK, window="1m")
    reader = lq.FeatureReader()
    names = ("ts_open", "open", "high", "low", "close", "buy_qty", "sell_qty")
    for i, close in enumerate(found.times.tolist()):
        live.candles(*(np.ascontiguousarray(getattr(made, name)[i : i + 1]) for name in names), interval="1m")
        live.advance(close)
        assert_same_bits(found.values[i], reader.read(live))
    np.testing.assert_allclose(found["price"], made.close, rtol=1e-12)
    assert found["age_s"][0] == 1e-9  # a candle acts at its last nanosecond
    by_grid = lq.features(None, "1m", candles=made, instrument=BOOK)
    assert by_grid.times[-1] == found.times[-1]  # the data reaches its end


# --- nothing from later ---


def cut(columns: tuple[Array, ...], end: int) -> tuple[Array, ...]:
    return tuple(np.ascontiguousarray(column[columns[0] < end]) for column in columns)


@pytest.mark.recorded
@pytest.mark.parametrize("coin", SETUPS)
def test_what_comes_later_changes_nothing_on_recorded_days(coin: str) -> None:
    of_trades, of_marks = recorded(coin)
    engine = make_engine(SETUPS[coin])
    given: dict[str, Any] = {"instrument": engine.instrument, "trigger": "mark"}
    whole = lq.features(of_trades, "5m", marks=of_marks, **given)
    for i in (1, len(whole) // 2, len(whole) - 1):
        end = int(whole.times[i])
        short = lq.features(cut(of_trades, end), whole.times[: i + 1], marks=cut(of_marks, end), window="5m", **given)
        assert_same_bits(short.values, whole.values[: i + 1])
        by_grid = lq.features(cut(of_trades, end), "5m", marks=cut(of_marks, end), **given)
        assert_same_bits(by_grid.values, whole.values[: len(by_grid)])
        assert len(by_grid) >= i - 1


def test_a_trade_at_the_close_is_of_the_next_bar() -> None:
    rows = [(START, 100.0, 1.0, False), (START + MINUTE - 1, 101.0, 1.0, False), (START + MINUTE, 102.0, 1.0, False)]
    found = lq.features(_arrays([*rows, (START + 2 * MINUTE + 5, 103.0, 1.0, True)]), "1m", instrument=WHOLE_UNITS)
    assert found["price"].tolist() == [101, 102]
    assert found["age_s"].tolist() == [60, 120]
    closes = [START + MINUTE - 1, START + MINUTE, START + MINUTE + 1]
    found = lq.features(_arrays(rows), closes, instrument=WHOLE_UNITS)
    assert found["price"].tolist() == [100, 101, 102]


def test_a_bar_that_the_data_does_not_reach_the_end_of_is_left_out() -> None:
    rows = [(START, 100.0, 1.0, False), (START + 2 * MINUTE - 2, 101.0, 1.0, False)]
    assert lq.features(_arrays(rows), "1m", instrument=WHOLE_UNITS).times.tolist() == [START + MINUTE]
    rows[-1] = (START + 2 * MINUTE - 1, 101.0, 1.0, False)
    found = lq.features(_arrays(rows), "1m", instrument=WHOLE_UNITS)
    assert found.times.tolist() == [START + MINUTE, START + 2 * MINUTE]


def test_an_instrument_is_taken_as_it_is_so_that_no_later_trade_refines_it() -> None:
    rows = [(START + i * SECOND, 100.0 + i, 1.0, False) for i in range(100)]
    later = [*rows, (START + 200 * SECOND, 200.5, 1.5, False), (START + 400 * SECOND, 201.0, 1.0, False)]
    with pytest.warns(UserWarning, match="the engine could not use 1 of 102 rows: 1 off_grid"):
        found = lq.features(_arrays(later), "1m", instrument=WHOLE_UNITS)
    assert_same_bits(found.values[:1], lq.features(_arrays(rows), "1m", instrument=WHOLE_UNITS).values)
    assert found.meta["rows"]["rejected"] == {"off_grid": 1}
    later[-2] = (START + 200 * SECOND, 200.0, 1.6, False)
    with pytest.warns(UserWarning, match="1 quantities were rounded to the given lot size of 1"):
        lq.features(_arrays(later), "1m", instrument=WHOLE_UNITS)
    # Without one the grid is that of all trades.
    assert lq.features(_arrays(later), "1m").meta["instrument"]["lot_size"] == 0.1


# --- the same from everywhere ---


def test_batches_files_and_arrays_give_the_same_bits(
    market: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = market.trades
    whole = lq.features(batch, "5m", instrument=BOOK)
    assert_same_bits(lq.features(_columns(batch), "5m", instrument=BOOK).values, whole.values)
    path = tmp_path / "trades.csv"
    rows = rows_of(_columns(batch))
    lines = (f"{ts},{price:.1f},{qty!r},{'sell' if sold else 'buy'}" for ts, price, qty, sold in rows)
    path.write_text("ts,price,qty,side\n" + "\n".join(lines) + "\n")
    calls: list[int] = []
    from_file = lq.features(path, "5m", instrument=BOOK, progress=lambda *at: calls.append(at[2]))
    assert_same_bits(from_file.values, whole.values)
    assert calls[-1] == len(batch.ts)
    assert from_file.meta["inputs"][0]["name"] == "trades.csv"
    monkeypatch.setattr(trade_sources, "BATCH_ROWS", 701)
    assert_same_bits(lq.features(batch, "5m", instrument=BOOK).values, whole.values)
    assert_same_bits(lq.features(batch, whole.times, instrument=BOOK).values, whole.values)


def test_rows_that_are_no_events_change_nothing_and_are_counted(market: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = _columns(market.trades)
    whole = lq.features(columns, "5m", instrument=BOOK)
    rows = rows_of(columns)
    first, middle = rows[0][0], rows[len(rows) // 2][0]
    bad = [(-5, rows[0][1], 1.0, True), (2**63 - 1, 1.0, 1.0, True), (first, 1.0, 1.0, True)]  # the last is late
    bad += [(middle, math.nan, 1.0, True), (middle, 1.0, -1.0, True)]
    rows[len(rows) // 2 : len(rows) // 2] = bad
    rows = [rows[0], bad[0], *rows[1:], bad[1]]
    for batch_rows in (1_000_000, 701):
        monkeypatch.setattr(trade_sources, "BATCH_ROWS", batch_rows)
        with pytest.warns(UserWarning, match="the engine could not use 7 of"):
            found = lq.features(_arrays(rows), "5m", instrument=BOOK)
        assert_same_bits(found.values, whole.values)
        assert found.times.tolist() == whole.times.tolist()


def test_a_column_callback_may_read(market: Any) -> None:
    eng, seen = lq.Engine(BOOK, window="5m"), []
    eng.on_column(lambda segment: seen.append((segment.end_ns, eng.features()["price"])))
    eng.feed(trades=market.trades)
    found = lq.features(market.trades, "5m", instrument=BOOK)
    assert [end for end, _ in seen][: len(found)] == found.times.tolist()
    assert [price for _, price in seen][: len(found)] == found["price"].tolist()


def test_a_saved_engine_goes_on_with_the_same_features(market: Any, tmp_path: Path) -> None:
    eng = lq.Engine(BOOK, window="5m", keep=2)
    eng.feed(trades=market.trades)
    other = lq.Engine.load(eng.save(tmp_path / "engine.liq"))
    assert other.features() == eng.features()
    assert (other.began, other.last_price) == (eng.began, eng.last_price)


# --- what is not known ---


WHOLE_UNITS = lq.Instrument(symbol="X", tick_size=1, lot_size=1)


def _columns(batch: Any) -> tuple[Array, ...]:
    return tuple(getattr(batch, name) for name in ("ts", "price", "qty", "taker_sell"))


def _arrays(rows: list[tuple[int, float, float, bool]]) -> tuple[Array, ...]:
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def test_nan_before_there_is_data_and_zero_after() -> None:
    rows = [(START + 5 * MINUTE + 1, 1000.0, 5.0, False), (START + 20 * MINUTE, 1000.0, 1.0, True)]
    closes = START + np.array([0, 5 * MINUTE, 6 * MINUTE, 11 * MINUTE, 30 * MINUTE])
    found = lq.features(_arrays(rows), closes, instrument=WHOLE_UNITS, leverage={10: 1.0}, half_life=None)
    assert np.isnan(found.values[:2]).all()
    assert found["price"].tolist()[2:] == [1000] * 3
    assert found["long_usd_5pct"].tolist()[2:] == [0] * 3
    assert np.isnan(found["imbalance"]).all()
    assert np.isnan(found["short_zone_low"][:4]).all()
    assert found["long_zone_low"].tolist()[2:4] == [900, 900]
    assert np.isnan(found["liquidated_long_usd"][:3]).all()
    assert found["liquidated_long_usd"].tolist()[3:] == [0, 0]
    assert found["age_s"][4] == pytest.approx(25 * 60)


def test_warmup_says_only_price_and_age() -> None:
    rows = [(START + i * MINUTE, 1000.0 + i, 1.0, i % 2 == 0) for i in range(10)]
    found = lq.features(_arrays(rows), "1m", instrument=WHOLE_UNITS, warmup="5m")
    known = [name for name in found.names if not np.isnan(found[name][0])]
    assert known == ["price", "age_s"]
    assert found["age_s"].tolist() == [60.0 * (i + 1) for i in range(9)]
    assert (~np.isnan(found["long_usd_1pct"])).tolist() == [i >= 4 for i in range(9)]
    assert found.meta["warmup"] == "5m"


# --- the result ---


def test_the_result_says_what_it_is(market: Any) -> None:
    found = lq.features(market.trades, "5m", instrument=BOOK, reaches=(1, 3), zone_percentile=80, density_percent=2)
    meta = found.meta
    assert (meta["bars"], meta["window"], meta["reaches"]) == ("5m", "5m", [1, 3])
    assert (meta["bins_per_row"], meta["zone_percentile"], meta["density_percent"]) == (5, 80, 2)
    assert (meta["symbol"], meta["model"], meta["meaning"]) == ("SIM", "flow", "opened turnover, decayed")
    assert len(meta["config_hash"]) == 16
    assert meta["book_age_ns"] == pytest.approx(1e9 * found["age_s"][-1])
    assert not found.times.flags.writeable
    assert not found.values.flags.writeable
    columns = found.to_dict()
    assert list(columns) == ["time", *found.names]
    assert columns["time"].dtype == np.dtype("datetime64[ns]")
    assert len({len(column) for column in columns.values()}) == 1
    with pytest.raises(KeyError, match="'depth' is no feature; there are price, long_usd_1pct"):
        found["depth"]
    with pytest.raises(AttributeError):
        found.names = ()


def test_windows_are_the_bars_unless_told_otherwise(market: Any) -> None:
    def window(bars: Any, **options: Any) -> Any:
        return lq.features(market.trades, bars, instrument=BOOK, **options).meta["window"]

    times = lq.features(market.trades, "15m", instrument=BOOK).times
    assert window("15m") == "15m"
    assert window("15m", window="1m") == "1m"
    assert window("15m", config=lq.Config().replace(window={"length": "2m"})) == "2m"
    assert window(times) == "5m"
    assert window(times.view("datetime64[ns]").astype("datetime64[s]"), window="15m") == "15m"


def test_rows_of_zones_are_as_high_as_told(market: Any) -> None:
    found = lq.features(market.trades, "15m", instrument=BOOK, step=100)
    assert found.meta["bins_per_row"] == 20
    edges = found["long_zone_low"][~np.isnan(found["long_zone_low"])]
    assert np.all(np.abs(edges / 100 - np.round(edges / 100)) < 1e-9)


# --- errors ---


@pytest.mark.parametrize(
    ("bars", "error", "message"),
    [
        ([2, 1], lq.InvalidConfigError, "bars must rise, had 1 after 2"),
        ([1, 1], lq.InvalidConfigError, "bars must rise, had 1 after 1"),
        ([-1, 1], lq.InvalidConfigError, "bars must close between 1970 and 2116, had -1 to 1 ns"),
        ([1.5], TypeError, "bars must be a length of time, closing times .* was an array of float64"),
        (None, TypeError, "bars must be a length of time, closing times .* was None"),
        ("soon", lq.InvalidConfigError, 'bars must be a length of time such as .* was "soon"'),
        (np.array(["NaT"], "datetime64[ns]"), lq.InvalidConfigError, "bars must be times, had NaT"),
        (1, lq.InvalidConfigError, "bars must not be more than 10,000,000 at once"),
    ],
)
def test_wrong_bars_are_named(market: Any, bars: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        lq.features(market.trades, bars, instrument=BOOK)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reaches": ()}, "reaches must be between 1 and 64, were 0"),
        ({"reaches": (1, 100)}, "reaches must be above 0 and below 100 percent, had 100"),
        ({"zone_percentile": -1}, r"percentile must lie in \[0, 100\], was -1"),
        ({"density_percent": 0}, "density_percent must be above 0 and below 100, was 0"),
        ({"warmup": "0s"}, "warmup must be longer than nothing"),
        ({"model": "oi"}, 'model "oi" needs open interest'),
    ],
)
def test_wrong_options_are_named(market: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        lq.features(market.trades, "5m", instrument=BOOK, **options)


def test_footprints_and_nothing_are_refused(market: Any) -> None:
    with pytest.raises(lq.InvalidConfigError, match="trades must not be footprints here"):
        lq.features(lq.footprints(trades=market.trades), "5m")
    with pytest.raises(lq.InvalidConfigError, match="paths, trades or candles must be given"):
        lq.features(None, "5m")
    nothing = _arrays([(START, 100.5, 1.0, False)])
    with pytest.raises(lq.DataError, match="off it"):
        lq.features(nothing, "5m", instrument=WHOLE_UNITS)


def test_where_features_are_written_must_fit() -> None:
    reader, eng = lq.FeatureReader(), lq.Engine(WHOLE_UNITS)
    with pytest.raises(ValueError, match="out must hold 22 values, had 3"):
        reader.read(eng, out=np.empty(3))
    with pytest.raises(TypeError, match="out must be a numpy array of float64"):
        reader.read(eng, out=np.empty(22, np.float32))
    fixed = np.empty(22)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="out must be writable"):
        reader.read(eng, out=fixed)
    assert len(reader) == len(reader.names) == 22


def test_one_row_out_of_place_does_not_change_the_length_of_candles(tmp_path: Path) -> None:
    """Or a bar would see the close of a candle that is still running."""
    rows = [
        f"{1_781_222_400_000 + 60_000 * i},{60_000 + i},{60_010 + i},{59_990 + i},{60_001 + i},9,5" for i in range(10)
    ]
    head = "open_time,open,high,low,close,volume,taker_buy_volume"
    path = tmp_path / "BTCUSDT-1m-2026-06-12.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    closes = np.array([1_781_222_400_000 + 60_000 * 5 + 30_000]) * 1_000_000
    assert lq.features(None, closes, candles=path)["price"].tolist() == [60_005]
    late = rows[-1].replace(str(1_781_222_400_000 + 60_000 * 9), str(1_781_222_400_000 + 60_000 * 9 + 1_000))
    path.write_text("\n".join([head, *rows, late]) + "\n")
    with pytest.raises(lq.DataError, match=r"candles of one interval, found distances of 60 s, 1 s"):
        lq.features(None, closes, candles=path)


def test_closes_in_another_unit_are_named(market: Any) -> None:
    closes = np.arange(1, 5) * 300_000 + market.trades.ts[0] // 1_000_000
    with pytest.raises(
        lq.InvalidConfigError, match=r"bars must close in nanoseconds .* all in 1970 \(another unit\?\)"
    ):
        lq.features(market.trades, closes, symbol="SIM")
