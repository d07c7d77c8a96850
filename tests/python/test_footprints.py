"""Footprint streams: replayed, they give the bits of the trades; where they would not, they are refused."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import liqcore as lq
from drive import Array, assert_same_columns, assert_same_now, make_engine
from recorded import data_dir
from streams import SECOND, Setup, random_setup

MINUTE = 60 * SECOND
START = 1_780_000_000 * SECOND // MINUTE * MINUTE
SIM = lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004))
Columns = tuple[Array, Array, Array, Array]


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.2, trades_per_day=100_000, seed=3)


@pytest.fixture(scope="module")
def stream(market: lq.Market) -> lq.FootprintStream:
    return lq.footprints(trades=market.trades, symbol="SIM")


def walk(rng: random.Random, setup: Setup, rows: int) -> Columns:
    """Trades on the grid and off it, in order of time and late, that stay near and jump."""
    ts, tick, out = START, setup.base, []
    for _ in range(rows):
        ts += rng.choice([0, 0, 1, SECOND // 50, SECOND // 5, rng.choice([0, 3 * SECOND])])
        tick = max(2, tick + rng.choice([0, 0, 1, -1, 2, -2, rng.choice([0, setup.base // 7, -setup.base // 8])]))
        bad = rng.random() < 0.03
        price = rng.choice([np.nan, -1.0, (tick + 0.5) * setup.tick_size]) if bad else tick * setup.tick_size
        lots = rng.choice([0.3, 1.5]) if rng.random() < 0.05 else rng.randint(1, 40)
        out.append((ts - (SECOND if rng.random() < 0.01 else 0), price, lots * setup.lot_size, rng.random() < 0.5))
    columns = zip(*out, strict=True)
    kinds = (np.int64, np.float64, np.float64, np.bool_)
    return tuple(np.array(values, dtype=kind) for values, kind in zip(columns, kinds, strict=True))  # type: ignore[return-value]


def builder_of(setup: Setup, span_bps: float, cut_ns: int, ends: Array | None = None) -> lq._core.FootprintBuilder:
    return lq._core.FootprintBuilder(
        tick_size=setup.tick_size,
        lot_size=setup.lot_size,
        span_bps=span_bps,
        cut_ns=cut_ns,
        ends=ends,
        outlier=setup.outlier,
    )


# --- the same as from the trades ---


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32), trigger=st.sampled_from(["last", "mark", "candle"]), span=st.sampled_from([0, 5, 40])
)
@example(seed=53915, trigger="last", span=0)  # half-lives that bring a cell to half a lot but for the last bit
def test_a_replay_equals_the_reference(seed: int, trigger: str, span: float) -> None:
    rng = random.Random(seed)
    # A mark at the time of an outlier moves the clock, which a stream of trades alone does not see.
    setup = random_setup(rng, trigger=trigger, window=rng.choice([SECOND, 60 * SECOND]), outlier=0.0)
    trades = walk(rng, setup, 300)
    marks = np.sort(rng.choices(trades[0].tolist(), k=9)), rng.choices([setup.base * setup.tick_size], k=9)
    of_marks = np.array(marks[0], dtype=np.int64), np.array(marks[1], dtype=np.float64)
    builder = builder_of(setup, span, setup.window // rng.choice([1, 4]), of_marks[0] if trigger == "mark" else None)
    builder.trades(*trades)
    engine, ref = make_engine(setup), setup.reference()
    refused = ""
    try:
        stats = engine._replay(builder.finish(), of_marks, None, None, MINUTE)
    except lq.InvalidConfigError as error:
        refused = str(error)
    if refused:
        assert "would need" in refused
        assert trigger == "last"
        assert span > 0
        assert engine.clock is None
        return
    rows = list(zip(*(column.tolist() for column in trades), strict=True))
    ref.feed(trades=rows, marks=list(zip(*(column.tolist() for column in of_marks), strict=True)))
    assert stats.rows == len(rows) + 9
    if ref.tie:  # rounding decides over a whole cell
        return
    assert_same_now(engine, ref)
    assert_same_columns(engine, ref)


def test_single_tick_runs_are_never_refused() -> None:
    for seed in range(20):
        setup = random_setup(random.Random(seed), trigger="last")
        trades = walk(random.Random(seed), setup, 200)
        builder = builder_of(setup, 0.0, setup.window)
        builder.trades(*trades)
        fed, replayed = make_engine(setup), make_engine(setup)
        assert replayed._replay(builder.finish(), None, None, None, MINUTE) == fed.trades(*trades)
        assert replayed.segments() == fed.segments()


@pytest.mark.recorded
@pytest.mark.parametrize(("coin", "tick", "lot"), [("BTC", 1.0, 1e-5), ("ETH", 0.1, 1e-4)])
@pytest.mark.parametrize("half_life", [None, "default"])
def test_recorded_days_replay_to_the_bits_of_their_trades(
    coin: str, tick: float, lot: float, half_life: Any, tmp_path: Path
) -> None:
    files = sorted((data_dir() / "trades").glob(f"hyperliquid-{coin}-2026061[1-3].parquet"))
    inst = lq.Instrument(symbol=coin, tick_size=tick, lot_size=lot, margin=lq.MarginSchedule.flat(0.004))
    made = lq.footprints(files, instrument=inst)
    stored = lq.load_footprints(made.save(tmp_path / "stored.parquet"))
    for leverage in ({10: 0.5, 100: 0.5}, {3: 0.5, 20: 0.25, 75: 0.25}):
        fed = lq.Engine(inst, leverage=leverage, half_life=half_life)
        replayed = lq.Engine(inst, leverage=leverage, half_life=half_life)
        for batch in lq.read_trades(files):
            fed.feed(trades=batch)
        replayed.replay(stored)
        assert replayed.stats == fed.stats
        assert replayed.clock == fed.clock
        assert replayed.segments() == fed.segments()
        for side in ("long", "short"):
            np.testing.assert_array_equal(replayed.levels_lots(side), fed.levels_lots(side))


def test_a_heatmap_of_footprints_is_that_of_the_trades(market: lq.Market, stream: lq.FootprintStream) -> None:
    options: dict[str, Any] = {"leverage": {10: 0.5, 40: 0.5}, "window": "5m", "instrument": SIM}
    marks = (market.marks.ts, market.marks.price)
    of_trades = lq.heatmap(trades=market.trades, marks=marks, trigger="last", **options)
    of_stream = lq.heatmap(trades=stream, marks=marks, trigger="last", **options)
    np.testing.assert_array_equal(of_stream.values, of_trades.values)
    np.testing.assert_array_equal(of_stream.candles, of_trades.candles)
    assert of_stream.meta["config_hash"] == of_trades.meta["config_hash"]
    assert of_stream.meta["rows"] == of_trades.meta["rows"]
    assert of_stream.meta["inputs"][0]["used"] == len(market.trades)


def test_marks_liquidate_beside_footprints_that_end_at_them(market: lq.Market, stream: lq.FootprintStream) -> None:
    marks = (market.marks.ts, market.marks.price)
    with pytest.raises(lq.InvalidConfigError, match="footprints must end at every mark that liquidates"):
        lq.heatmap(trades=stream, marks=(marks[0] + 1, marks[1]), instrument=SIM)
    ended = lq.footprints(trades=market.trades, instrument=SIM, marks=market.marks)
    of_trades = lq.heatmap(trades=market.trades, marks=marks, instrument=SIM)
    of_stream = lq.heatmap(trades=ended, marks=marks, instrument=SIM)
    np.testing.assert_array_equal(of_stream.values, of_trades.values)


# --- what a stream says ---


def test_a_stream_tells_its_runs(stream: lq.FootprintStream, market: lq.Market) -> None:
    assert len(stream) == len(stream.start) == len(stream.end)
    assert stream.trades.sum() == len(market.trades)
    assert (stream.start[1:] >= stream.last[:-1]).all()
    assert (stream.start // MINUTE == stream.last // MINUTE).all()
    begin = np.concatenate([[0], stream.end[:-1]])
    low, high = stream.tick[begin], stream.tick[stream.end - 1]
    assert (high - low <= stream.first_tick * 5e-4).all()
    lots = np.round(market.trades.qty / stream.lot_size)
    assert stream.bought.sum() == lots[~market.trades.taker_sell].sum()
    assert stream.sold.sum() == lots[market.trades.taker_sell].sum()
    assert (stream.tick_size, stream.symbol, stream.span_bps, stream.cut_ns) == (0.1, "SIM", 5.0, MINUTE)
    assert repr(stream).startswith("FootprintStream(SIM, ")
    with pytest.raises(ValueError, match="read-only"):
        stream.bought[0] = 1


def test_columns_outlive_their_stream(market: lq.Market) -> None:
    bought = lq.footprints(trades=market.trades).bought
    assert bought.sum() > 0


# --- files ---


def test_saving_and_loading_keeps_everything(stream: lq.FootprintStream, tmp_path: Path) -> None:
    path = stream.save(tmp_path / "sim.footprints.parquet")
    loaded = lq.load_footprints(path)
    for name in ("start", "last", "first_tick", "last_tick", "trades", "end", "tick", "bought", "sold"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(stream, name))
        assert getattr(loaded, name).dtype == getattr(stream, name).dtype
    for name in ("symbol", "venue", "contract", "multiplier", "tick_size", "lot_size", "span_bps", "cut_ns", "inputs"):
        assert getattr(loaded, name) == getattr(stream, name)
    assert loaded.rejected == stream.rejected
    options: dict[str, Any] = {"leverage": {10: 1.0}, "instrument": SIM}
    np.testing.assert_array_equal(lq.heatmap(path, **options).values, lq.heatmap(trades=stream, **options).values)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_large_quantities_are_stored_whole(tmp_path: Path) -> None:
    trades = (np.array([START]), np.array([100.0]), np.array([2.0**45]), np.array([False]))
    inst = lq.Instrument(symbol="BIG", tick_size=1.0, lot_size=1.0, margin=lq.MarginSchedule.flat(0.0))
    loaded = lq.load_footprints(lq.footprints(trades=trades, instrument=inst).save(tmp_path / "x.parquet"))
    assert loaded.bought.tolist() == [2**45]


def test_another_file_or_a_damaged_one_is_refused(stream: lq.FootprintStream, tmp_path: Path) -> None:
    path = stream.save(tmp_path / "whole.parquet")
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(lq.DataError, match=r"cut\.parquet: expected footprints saved by liqcore, found a damaged"):
        lq.load_footprints(cut)
    picture = lq.heatmap(trades=stream, leverage={10: 1.0}, instrument=SIM).save(tmp_path / "heatmap.parquet")
    with pytest.raises(lq.DataError, match="found a Parquet file without the metadata"):
        lq.load_footprints(picture)
    text = tmp_path / "text.parquet"
    text.write_text("no table", encoding="utf-8")
    with pytest.raises(lq.DataError, match="found another kind of file"):
        lq.load_footprints(text)


def test_a_file_whose_columns_break_the_rules_is_refused(
    stream: lq.FootprintStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "trades", np.zeros_like(stream.trades))
    path = stream.save(tmp_path / "wrong.parquet")
    with pytest.raises(lq.DataError, match="found that run 0 must hold between 1 and 2\\^20 trades"):
        lq.load_footprints(path)


def test_an_interrupted_save_leaves_what_was_there(
    stream: lq.FootprintStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fastparquet

    path = stream.save(tmp_path / "kept.parquet")
    before = path.read_bytes()

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fastparquet, "write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        stream.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# --- refusals ---


def test_a_tier_that_needs_the_order_is_refused_by_name(market: lq.Market) -> None:
    wide = lq.footprints(trades=market.trades, instrument=SIM, span_bps=80)
    engine = lq.Engine(SIM, leverage={5: 0.5, 150: 0.5})
    with pytest.raises(lq.InvalidConfigError, match=r"leverage 150x (long|short) would need it in the run from 20\S+Z"):
        engine.replay(wide)
    assert engine.clock is None
    assert engine.stats.rows == 0
    assert lq.Engine(SIM, leverage={5: 1.0}).replay(wide).used == len(market.trades)


def test_another_instrument_window_or_clock_is_refused(stream: lq.FootprintStream) -> None:
    other = lq.Instrument(symbol="SIM", tick_size=0.5, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004))
    with pytest.raises(lq.InvalidConfigError, match=r"the instrument's tick and lot size \(0.5 and 0.001\), had 0.1"):
        lq.Engine(other).replay(stream)
    with pytest.raises(lq.InvalidConfigError, match="window must be a whole multiple of the cut"):
        lq.Engine(SIM, leverage={10: 1.0}, window="7s").replay(stream)
    engine = lq.Engine(SIM, leverage={10: 1.0})
    engine.replay(stream)
    with pytest.raises(lq.InvalidConfigError, match="must not begin before the engine's clock"):
        engine.replay(stream)


def test_footprints_refuses_wrong_arguments(market: lq.Market, stream: lq.FootprintStream) -> None:
    with pytest.raises(lq.InvalidConfigError, match="either paths or trades must be given"):
        lq.footprints()
    with pytest.raises(lq.InvalidConfigError, match="no footprints"):
        lq.footprints(trades=stream)
    with pytest.raises(lq.InvalidConfigError, match="span_bps must be finite and at least 0, was -1"):
        lq.footprints(trades=market.trades, span_bps=-1)
    with pytest.raises(ValueError, match="cut"):
        lq.footprints(trades=market.trades, cut="soon")
    with pytest.raises(TypeError, match="or a FootprintStream, was int"):
        lq.footprints(trades=3)
    with pytest.raises(lq.DataError, match="none that could be used"):
        lq.footprints(trades=(np.array([10**18]), np.array([-1.0]), np.array([1.0]), np.array([True])), instrument=SIM)


def test_off_grid_prices_take_the_finer_grid_or_are_refused(market: lq.Market) -> None:
    coarse = lq.Instrument(symbol="SIM", tick_size=1.0, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004))
    with pytest.warns(UserWarning, match=r"finer than the given 1: 0.1 is used"):
        assert lq.footprints(trades=market.trades, instrument=coarse).tick_size == 0.1
    odd = market.trades.price + 1e-10
    trades = (market.trades.ts, odd + np.where(np.arange(len(odd)) % 2, 3e-9, 0.0), market.trades.qty,
              market.trades.taker_sell)  # fmt: skip
    fine = lq.Instrument(symbol="SIM", tick_size=1e-4, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004))
    with pytest.raises(lq.DataError, match="expected prices on the tick grid"):
        lq.footprints(trades=trades, instrument=fine)


# --- command line ---


def test_the_command_line_makes_and_takes_footprints(
    market: lq.Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typer = pytest.importorskip("typer.testing")
    from liqcore.cli.app import app

    monkeypatch.chdir(tmp_path)
    rows = zip(market.trades.ts, market.trades.price, market.trades.qty, market.trades.taker_sell, strict=True)
    lines = [f"{i},{p:.1f},{q},{i},{i},{t // 1_000_000},{str(s).lower()}" for i, (t, p, q, s) in enumerate(rows)]
    head = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
    Path("SIM-aggTrades-2026-06-01.csv").write_text("\n".join([head, *lines]), encoding="utf-8")
    runner = typer.CliRunner()
    made = runner.invoke(app, ["footprints", "SIM-aggTrades-2026-06-01.csv", "-o", "sim.parquet"])
    assert made.exit_code == 0, made.output
    assert f"{len(market.trades):,} trades in " in made.output
    for source, result in (("sim.parquet", "of-runs.parquet"), ("SIM-aggTrades-2026-06-01.csv", "of-trades.parquet")):
        drawn = runner.invoke(app, ["heatmap", source, "-o", result, "--leverage", "10:0.5,20:0.5", "-q"])
        assert drawn.exit_code == 0, drawn.output
    of_runs, of_trades = lq.load_heatmap("of-runs.parquet"), lq.load_heatmap("of-trades.parquet")
    np.testing.assert_array_equal(of_runs.values, of_trades.values)
    wrong = runner.invoke(app, ["footprints", "SIM-aggTrades-2026-06-01.csv", "-o", "sim.png"])
    assert wrong.exit_code == 2
    assert '-o must end in .parquet, was "sim.png"' in wrong.output
