"""Heatmaps: what the numbers are, views of them, saving, and the main job from files."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

import liqcore as lq
from drive import arrays
from liqcore.words.threshold import Threshold
from recorded import data_dir

NS = 1_000_000_000
START = 1_750_000_200 * NS  # the start of a 5-minute window
START_2026 = 1_767_571_200 * NS
INST = lq.Instrument(symbol="X", venue="test", tick_size=1.0, lot_size=0.1, margin=lq.MarginSchedule.flat(0.0))


def trades(rows):
    """Rows of (seconds, price, qty, taker_sell) as arrays."""
    return arrays("trade", [(START + seconds * NS, *row) for seconds, *row in rows])


@pytest.fixture
def worked():
    """
    Two trades worked by hand, no maintenance margin, 10x with share 0.75 and 2x with share 0.25, bins of 10.

    A buy of 2 at 1,000: long levels at 900 (10x) and 500 (2x). A sell of 1 at 915 five minutes later: short levels at
    1,006.5 -> 1,006 (10x, half to even) and 1,372.5 -> 1,372 (2x); its bin [910, 920) lies above 900's. A trade at 905
    after ten minutes takes the 900 level: it lies in the same bin [900, 910).
    """
    axis = lq.PriceAxis(low=400, high=2_000, step=10, tick_size=1.0)
    eng = lq.Engine(INST, leverage={10: 0.75, 2: 0.25}, axis=axis, window="5m", half_life=None)
    eng.trades(*trades([(0, 1000, 2, False), (300, 915, 1, True), (600, 905, 0.5, True)]))
    return eng


def cell(hm, column, price, name):
    row = int(np.searchsorted(hm.prices, price, side="right")) - 1
    return float(getattr(hm, name)[column, row])


def test_values_worked_by_hand(worked):
    hm = worked.heatmap(step=10)
    assert hm.times.tolist() == [START, START + 300 * NS, START + 600 * NS]
    assert hm.complete.tolist() == [True, True, False]
    # USD = weight x quantity x the bin's mid price: 0.75 x 2 x 905 and 0.25 x 2 x 505.
    assert cell(hm, 0, 900, "long") == 1357.5
    assert cell(hm, 0, 500, "long") == 252.5
    assert cell(hm, 1, 1000, "short") == 0.75 * 1 * 1005
    assert cell(hm, 1, 1370, "short") == 0.25 * 1 * 1375
    assert cell(hm, 2, 900, "long") == 0
    assert cell(hm, 2, 900, "liquidated") == 1357.5
    assert cell(hm, 2, 500, "long") == 252.5
    assert hm.candles["close"].tolist() == [1000, 915, 905]
    assert hm.candles["sell_qty"].tolist() == [0, 1, 0.5]


def test_rows_sum_the_bins(worked):
    fine, coarse = worked.heatmap(step=10), worked.heatmap(step=50)
    assert coarse.values.sum() == pytest.approx(fine.values.sum(), rel=1e-6)
    assert cell(coarse, 0, 900, "long") == 1357.5
    assert np.all(np.diff(coarse.prices) == 50)
    assert np.all(coarse.prices % 50 == 0)
    with pytest.raises(lq.InvalidConfigError, match=r"step must be a multiple of the book's bins \(10\), was 25"):
        worked.heatmap(step=25)


def test_select_by_side_leverage_span_threshold_and_unit(worked):
    hm = worked.heatmap(step=10)
    longs = hm.select(side="long")
    assert not longs.short.any()
    assert np.array_equal(longs.long, hm.long)
    tens = hm.select(leverage=10)
    assert cell(tens, 0, 900, "long") == 1357.5
    assert cell(tens, 0, 500, "long") == 0
    assert np.array_equal(tens.values + hm.select(leverage=[2]).values, hm.values)
    assert hm.select(last="10m").times.tolist() == hm.times[1:].tolist()
    ends = hm.times + hm.window_ns
    for first, stop in ((0, 1), (0, 3), (1, 2), (2, 3)):  # columns that begin then or later and have ended by then
        part = hm.select(start=int(hm.times[first]), end=int(ends[stop - 1]))
        assert np.array_equal(part.values, hm.values[first:stop])
        assert np.array_equal(part.candles, hm.candles[first:stop])
        assert part.select(last="5m").times.tolist() == hm.times[stop - 1 : stop].tolist()
        late, early = int(hm.times[first]) - 1, int(ends[stop - 1]) + 1
        assert np.array_equal(hm.select(start=late, end=early).times, part.times)
    assert np.array_equal(hm.select(start=int(hm.times[1]) + 1).times, hm.times[2:])
    assert np.array_equal(hm.select(end=int(ends[1]) - 1).times, hm.times[:1])
    wide = hm.rebin(window="10m")
    for i in range(len(wide.times)):
        part = wide.select(start=int(wide.times[i]), end=int(wide.times[i]) + wide.window_ns)
        assert np.array_equal(part.values, wide.values[i : i + 1])
    assert cell(hm.select(threshold=0.5), 0, 500, "long") == 0
    assert cell(hm.select(threshold=0.5), 0, 900, "long") == 1357.5
    assert cell(hm.select(unit="quantity"), 0, 900, "long") == pytest.approx(1.5)


@pytest.mark.parametrize("threshold", ["p90", "p50", 0.3, "20%"])
@pytest.mark.parametrize("asked", [{"side": "long"}, {"leverage": [25, 50]}, {"last": "1h"}, {"unit": "quantity"}])
def test_a_threshold_counts_the_cells_that_are_selected_in_whichever_order(threshold, asked):
    hm = lq.heatmap(trades=lq.simulate(days=0.2, trades_per_day=20_000).trades)
    part = hm.select(**asked)
    cut = Threshold.of(threshold).cutoff(part.values)
    right = np.where(part.values >= cut, part.values, 0)
    for found in (
        part.select(threshold=threshold),
        hm.select(threshold=threshold).select(**asked),
        hm.select(threshold=threshold, **asked),
        hm.select(threshold="p99").select(**asked).select(threshold=threshold),  # the later one holds
    ):
        assert found.cut == pytest.approx(cut)
        assert np.array_equal(found.values, right)
    whole = hm.select(threshold=threshold)
    assert whole.rebin(window="1h").cut == hm.rebin(window="1h").select(threshold=threshold).cut


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"side": "up"}, "side must be one of"),
        ({"leverage": 25}, r"leverage must be among the tiers \(2x, 10x\), was 25x"),
        ({"last": "yesterday"}, "last must be a length of time"),
        ({"start": "2040-01-01"}, "start must not be after the beginning of the last column"),
        ({"end": "2020-01-01"}, "end must not be before the end of the first column"),
        ({"end": "soon"}, "end must be ISO text"),
        ({"threshold": -1}, "threshold must be a share of the maximum .* was -1"),
        ({"threshold": "105%"}, 'a percentile of what is not zero .* was "105%"'),
        ({"unit": "btc"}, "unit must be one of"),
    ],
)
def test_select_names_argument_rule_and_value(worked, given, message):
    with pytest.raises(lq.InvalidConfigError, match=message):
        worked.heatmap().select(**given)


def test_at_is_the_last_complete_column(worked):
    hm = worked.heatmap(step=10)
    assert hm.at(START + 300 * NS).start_ns == START
    assert hm.at(START + 600 * NS - 1).start_ns == START
    assert hm.at(START + 10**15).start_ns == START + 300 * NS  # the unfinished column is not known yet
    assert hm.at(np.datetime64(START + 600 * NS, "ns")).values.tolist() == hm.values[1].tolist()
    with pytest.raises(lq.InvalidConfigError, match="ts must not be before the end of the first complete column"):
        hm.at(START + 299 * NS)


def test_map_splits_the_column_by_tier(worked):
    levels = worked.heatmap(step=10).map(START + 600 * NS)
    assert levels.tiers.tolist() == [2, 10]
    assert levels.price == 915
    assert levels.long.sum(axis=1).tolist() == [252.5, 1357.5]
    assert levels.cumulative_long[0] == 1610
    assert levels.cumulative_short[-1] == pytest.approx(0.75 * 1005 + 0.25 * 1375)
    now = worked.map(step=10)
    assert now.long.sum(axis=1).tolist() == [252.5, 0]


def test_the_past_does_not_change():
    market = lq.simulate(days=0.2, trades_per_day=100_000)
    columns = (market.trades.ts, market.trades.price, market.trades.qty, market.trades.taker_sell)
    half = len(columns[0]) // 2
    whole, part = (lq.Engine(INST_SIM, window="5m") for _ in range(2))
    whole.trades(*columns)
    part.trades(*(column[:half] for column in columns))
    closed = len(part.segments())
    assert whole.segments()[:closed] == part.segments()


INST_SIM = lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=0.001)


@pytest.mark.parametrize("options", [{}, {"half_life": None, "leverage": {10: 0.5, 50: 0.5}}, {"maker_share": 0.5}])
def test_saved_and_loaded_is_the_same_to_the_bit(tmp_path, options):
    market = lq.simulate(days=0.1, trades_per_day=100_000)
    hm = lq.heatmap(trades=market.trades, marks=market.marks, window="1m", **options)
    hm.save(tmp_path / "hm.parquet")
    back = lq.load_heatmap(tmp_path / "hm.parquet")
    for name in ("times", "prices", "long", "short", "liquidated", "complete"):
        assert np.array_equal(getattr(back, name), getattr(hm, name))
    assert np.array_equal(back.candles, hm.candles, equal_nan=False) or np.isnan(hm.candles["open"]).any()
    assert back.meta == json.loads(json.dumps(hm.meta))
    part = hm.select(side="long", last="1h", threshold=0.2)
    part.save(tmp_path / "part.parquet")
    assert np.array_equal(lq.load_heatmap(tmp_path / "part.parquet").values, part.values)


@pytest.mark.parametrize("content", [b"", b"hello", b"PAR1 not really"])
def test_loading_something_else_is_refused(tmp_path, content):
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(lq.DataError, match="expected a heatmap saved by liqcore"):
        lq.load_heatmap(tmp_path / "x.parquet")


def test_saving_leaves_nothing_behind_when_it_fails(tmp_path, worked, monkeypatch):
    import fastparquet

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    hm = worked.heatmap()
    hm.save(tmp_path / "hm.parquet")
    before = (tmp_path / "hm.parquet").read_bytes()
    monkeypatch.setattr(fastparquet, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        hm.save(tmp_path / "hm.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["hm.parquet"]
    assert (tmp_path / "hm.parquet").read_bytes() == before


# --- the main job ---


def aggtrades(path, market, opener=open, decimals=1):
    """Write a market's trades as a Binance archive."""
    with opener(path, "wt") as file:
        file.write("agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n")
        trades = market.trades
        rows = zip(trades.ts, trades.price, trades.qty, trades.taker_sell, strict=True)
        for i, (ts, price, qty, sell) in enumerate(rows):
            file.write(f"{i},{price:.{decimals}f},{qty:.3f},{i},{i},{ts // 1_000_000},{'true' if sell else 'false'}\n")
    return path


@pytest.fixture(scope="module")
def market():
    return lq.simulate(days=0.1, trades_per_day=100_000, seed=3)


def test_files_and_arrays_give_the_same_picture(tmp_path, market):
    path = aggtrades(tmp_path / "BTCUSDT-aggTrades-2026-01-05.csv.gz", market, gzip.open)
    from_file = lq.heatmap(path, symbol="BTCUSDT")
    rounded = lq.TradeBatch(
        market.trades.ts // 1_000_000 * 1_000_000, market.trades.price, market.trades.qty, market.trades.taker_sell
    )
    from_arrays = lq.heatmap(trades=rounded)
    assert np.array_equal(from_file.values, from_arrays.values)
    assert from_file.meta["symbol"] == "BTCUSDT"
    assert from_file.meta["inputs"][0]["rows"] == len(rounded)
    assert from_file.meta["rows"]["used"] == len(rounded)


def test_a_saved_result_repeats_itself(tmp_path, market):
    path = aggtrades(tmp_path / "BTCUSDT-aggTrades-2026-01-05.csv", market)
    first = lq.heatmap(path, window="1m", leverage={20: 1.0}, half_life="1d", step=50, warmup="20m")
    first.save(tmp_path / "first.parquet")
    again = lq.heatmap(path, config=tmp_path / "first.parquet")
    assert np.array_equal(first.values, again.values)
    assert np.array_equal(first.times, again.times)
    assert again.meta["config_hash"] == first.meta["config_hash"]
    for name, column in first._shown.histories.history.to_rows().items():
        assert np.array_equal(column, again._shown.histories.history.to_rows()[name])


def test_warmup_fills_the_book_before_the_first_column(market):
    whole = lq.heatmap(trades=market.trades, window="5m")
    warm = lq.heatmap(trades=market.trades, window="5m", warmup="30m")
    assert np.array_equal(warm.times, whole.times[6:])
    assert warm.values.sum() == pytest.approx(whole.values[6:].sum(), rel=1e-6)
    assert warm.meta["book_age_ns"] == whole.meta["book_age_ns"]
    with pytest.raises(lq.InvalidConfigError, match="warmup must be shorter than the data"):
        lq.heatmap(trades=market.trades, warmup="3d")


def test_later_rows_on_a_finer_grid_start_the_run_again(tmp_path):
    path = tmp_path / "XYZ-trades.csv"
    with open(path, "w") as file:
        file.write("id,price,qty,quote_qty,time,is_buyer_maker\n")
        for i in range(250_000):
            price = 100 + (i % 50) / 10 + (0.01 if i > 249_000 else 0)
            file.write(f"{i},{price:.2f},1,{price:.2f},{1_750_000_000_000 + i},{i % 2 == 0}\n")
    hm = lq.heatmap(path)
    assert hm.meta["instrument"]["tick_size"] == 0.01
    assert hm.meta["rows"]["used"] == 250_000


def test_a_finer_file_than_the_given_instrument_is_reported(market):
    coarse = lq.Instrument(symbol="X", tick_size=0.5, lot_size=0.001)
    with pytest.warns(UserWarning, match=r"the data has tick size 0.1, finer than the given 0.5"):
        hm = lq.heatmap(trades=market.trades, instrument=coarse)
    assert hm.meta["instrument"]["tick_size"] == 0.1


def test_a_fixed_axis_that_the_price_leaves_is_counted_and_warned_of_once(market):
    axis = lq.PriceAxis(low=59_000, high=61_000, step=10, tick_size=0.1)
    with pytest.warns(
        UserWarning, match=r"of the levels lie outside the axis 59000 to 61000.*low=\d+, high=\d+"
    ) as seen:
        lq.heatmap(trades=market.trades, axis=axis, step=10)
    assert len(seen) == 1
    note = str(seen[0].message)
    low, high = (int(part.split("=")[1].split()[0].rstrip(",")) for part in note.split(": ")[1].split(", "))
    wide = lq.PriceAxis(low=low, high=high, step=10, tick_size=0.1)
    assert not lq.heatmap(trades=market.trades, axis=wide, step=10).meta["notes"]


def test_trades_off_the_given_grid_are_refused(market):
    half = lq.TradeBatch(market.trades.ts, market.trades.price + 0.05, market.trades.qty, market.trades.taker_sell)
    eng = lq.Engine(INST_SIM)
    stats = eng.trades(half.ts, half.price, half.qty, half.taker_sell)
    assert stats.rejected["off_grid"] == stats.rows


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "paths, trades or candles must be given"),
        ({"paths": "nothing-*.csv"}, "nothing-"),
        ({"trigger": "mark"}, 'trigger "mark" needs mark prices'),
        ({"trigger": "candle"}, 'trigger "candle" needs candles'),
        (
            {"marks": (np.array([10**17, 10**17 + 1]), np.array([1.0, 2.0]))},
            "marks: expected mark prices from the first trade on",
        ),
        ({"step": 0.25}, r"step must be a multiple of tick_size \(0.1\), was 0.25"),
        ({"window": "0s"}, "window"),
    ],
)
def test_arguments_that_cannot_work(market, given, message):
    given = dict(given)
    if given and "paths" not in given:
        given["trades"] = market.trades
    with pytest.raises((lq.InvalidConfigError, lq.DataError), match=message):
        lq.heatmap(**given)


def test_marks_of_another_market_are_refused(market):
    ts, price = market.marks.ts, market.marks.price
    with pytest.raises(lq.DataError, match=r"near the first trade's .* found .*another market"):
        lq.heatmap(trades=market.trades, marks=(ts, price / 30))


def test_candles_alone_make_a_map():
    minutes = 60
    ts = START + np.arange(minutes, dtype=np.int64) * 60 * NS
    price = 1000.0 + np.arange(minutes) % 7
    candles = lq.sources.Candles(
        ts_open=ts, open=price, high=price + 2, low=price - 2, close=price + 1,
        buy_qty=np.full(minutes, 2.0), sell_qty=np.full(minutes, 1.0), interval_ns=60 * NS,
    )  # fmt: skip
    hm = lq.heatmap(candles=candles, leverage={5: 1.0}, half_life=None)
    assert hm.meta["resolution"] == "candles"
    assert len(hm.times) == 12
    # Nothing moves far enough to liquidate 5x: all 60 x 2 longs and 60 x 1 shorts are live at the end.
    assert hm.select(unit="quantity").long[-1].sum() == pytest.approx(120)
    assert hm.select(unit="quantity").short[-1].sum() == pytest.approx(60)


@pytest.mark.recorded
def test_recorded_archives_give_bands_that_end_where_price_meets_them():
    hm = lq.heatmap(str(data_dir() / "trades" / "BTCUSDT-aggTrades-2026-06-1*.zip"), symbol="BTCUSDT")
    rows = hm.meta["rows"]
    assert rows["used"] == rows["rows"] == 870_009
    closes = hm.candles["close"]
    for i in range(0, len(hm.times) - 1, 50):
        below, above = hm.prices + hm.step <= closes[i] - hm.step, hm.prices >= closes[i] + hm.step
        assert not hm.long[i][above].any()
        assert not hm.short[i][below].any()
    # A level that a later candle reaches is gone by that candle's end.
    high = hm.candles["high"]
    for i in np.flatnonzero(np.diff(high) > 100)[:20]:
        reached = hm.prices + hm.step < high[i + 1]
        assert not hm.short[i + 1][reached & (hm.prices > closes[i + 1])].any()


@pytest.mark.recorded
def test_recorded_parquet_with_marks():
    folder = data_dir()
    hm = lq.heatmap(
        sorted((folder / "trades").glob("hyperliquid-ETH-2026061[23].parquet")),
        marks=folder / "context" / "hyperliquid-ETH-context.parquet",
    )
    assert hm.meta["trigger"] == "mark"
    assert hm.meta["rows"]["rejected"] == {}
    assert hm.long[-1].any()
    assert hm.short[-1].any()


# --- the catalogue's terms ---


def test_a_listed_market_takes_its_terms_from_the_catalogue(tmp_path, market):
    path = aggtrades(tmp_path / "BTC-aggTrades-2026-01-05.csv", market)
    with pytest.warns(UserWarning, match="finer than the given") as seen:
        listed = lq.heatmap(path, venue="hyperliquid", symbol="BTC")
    assert [str(warning.message) for warning in seen] == [
        "the data has tick size 0.1, finer than the given 1: 0.1 is used",
    ]
    assert listed.meta["catalogue"]["name"] == "hyperliquid:BTC"
    assert listed.meta["instrument"]["mmr"] == 0.0125
    assert listed.meta["dropped_leverage"] == []
    assert listed.leverage.to_dict() == {5: 0.3, 10: 0.3, 25: 0.2, 40: pytest.approx(0.2)}
    listed.save(tmp_path / "listed.parquet")
    again = lq.heatmap(path, config=tmp_path / "listed.parquet")
    assert np.array_equal(again.values, listed.values)


def test_the_symbol_of_the_files_is_looked_up_in_the_catalogue(tmp_path, market):
    path = aggtrades(tmp_path / "BTCUSDT-aggTrades-2026-01-05.csv", market)
    hm = lq.heatmap(path, venue="binance-usdm")
    assert hm.meta["catalogue"]["name"] == "binance-usdm:BTCUSDT"
    assert hm.meta["instrument"]["max_leverage"] == 150
    assert hm.meta["notes"] == []


def test_terms_of_ones_own_go_before_the_catalogue(market):
    own = lq.Config().replace(instrument={"mmr": 0.005})
    hm = lq.heatmap(trades=market.trades, venue="hyperliquid", symbol="BTC", config=own)
    assert hm.meta["catalogue"] is None
    assert hm.meta["instrument"]["mmr"] == 0.005


def test_an_instrument_object_keeps_its_maximum_leverage(market):
    inst = lq.instrument("hyperliquid:BTC", tick_size=0.1, lot_size=0.001)
    hm = lq.heatmap(trades=market.trades, instrument=inst)
    assert hm.leverage.tiers.tolist() == [5, 10, 25, 40] == lq.Engine(inst).leverage.tiers.tolist()
    with pytest.warns(UserWarning, match="leverage above 40x"):
        hm = lq.heatmap(trades=market.trades, instrument=inst, leverage="default")
    assert hm.meta["dropped_leverage"] == [50, 100]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"half_life": None, "axis": lq.PriceAxis(low=30_000, high=90_000, step=10, tick_size=0.1)},
        {"half_life": {50: "1d"}, "leverage": {20: 0.5, 50: 0.5}, "window": "1m", "maker_share": 0.25, "book_step": 2},
    ],
)
def test_a_heatmap_from_an_engine_holds_the_configuration_that_repeats_it(tmp_path, market, options):
    eng = lq.Engine(INST_SIM, **options)
    eng.feed(trades=market.trades)
    hm = eng.heatmap()
    hm.save(tmp_path / "hm.parquet")
    again = lq.heatmap(trades=market.trades, config=tmp_path / "hm.parquet")
    assert np.array_equal(again.values, hm.values)
    assert np.array_equal(again.prices, hm.prices)


# --- data that cannot belong together ---


def test_a_selection_can_only_be_narrowed(worked):
    hm = worked.heatmap(step=10)
    with pytest.raises(lq.InvalidConfigError, match='side must be "long", which was selected before'):
        hm.select(side="long").select(side="short")
    with pytest.raises(lq.InvalidConfigError, match=r"leverage must be among the tiers \(10x\), was 2x"):
        hm.select(leverage=10).select(leverage=2)
    with pytest.raises(lq.InvalidConfigError, match=r"last must be at least one window \(5m\)"):
        hm.select(last="1s")


def test_candles_of_another_time_or_market_are_refused(market):
    ts = market.trades.ts[0] // (60 * NS) * 60 * NS + np.arange(60) * 60 * NS
    price = np.full(60, float(market.trades.price[0]))

    def candles(ts, price):
        return lq.sources.Candles(
            ts_open=ts, open=price, high=price, low=price, close=price,
            buy_qty=np.zeros(60), sell_qty=np.zeros(60), interval_ns=60 * NS,
        )  # fmt: skip

    run = {"trades": market.trades, "trigger": "candle"}
    lq.heatmap(candles=candles(ts, price), **run)
    with pytest.raises(lq.DataError, match="candles: expected candles from the first trade on"):
        lq.heatmap(candles=candles(ts - 10**16, price), **run)
    with pytest.raises(lq.DataError, match="another market"):
        lq.heatmap(candles=candles(ts, price / 30), **run)


def test_files_of_two_markets_are_refused(tmp_path):
    for name, price, start in (("a.csv", 60_000, 0), ("b.csv", 1_700, 3_600_000)):
        rows = "".join(f"{1_750_000_000_000 + start + i},{price + i % 5},1,{i % 2}\n" for i in range(50))
        (tmp_path / name).write_text("time,price,qty,is_buyer_maker\n" + rows)
    with pytest.raises(lq.DataError, match=r"b.csv: expected prices near those of a.csv \(60000\), found 1700"):
        lq.heatmap(str(tmp_path / "*.csv"))


def test_doubts_are_told(tmp_path, market):
    path = aggtrades(tmp_path / "BTCUSDT-aggTrades-2026-01-05.csv", market)
    with pytest.warns(UserWarning, match="the files say BTCUSDT, not ETHUSDT"):
        lq.heatmap(path, symbol="ETHUSDT")
    with pytest.raises(lq.InvalidConfigError, match=r'^venue must be one of binance-coinm, .* was "nowhere"'):
        lq.heatmap(path, venue="nowhere")
    with pytest.raises(
        lq.InvalidConfigError, match=r'^symbol must be one of BTC, ETH, .* on hyperliquid, was "BTCUSDT"'
    ):
        lq.heatmap(path, venue="Hyperliquid")
    columns = [market.trades.ts, market.trades.price.copy(), market.trades.qty, market.trades.taker_sell]
    columns[1][5] = 1e12
    with pytest.warns(UserWarning, match=r"the engine could not use 1 of [\d,]+ rows: 1 too_large"):
        lq.heatmap(trades=tuple(columns))
    with pytest.raises(TypeError, match="trades must be a TradeBatch, a tuple of arrays"):
        lq.heatmap(trades={"ts": 1})


def test_a_file_may_have_as_long_a_name_as_the_disk_allows(tmp_path, worked):
    """What it is called until it is whole is shorter."""
    path = worked.save(tmp_path / ("a" * 240 + ".parquet"))
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


FAR = [(4_200_000_000 * NS, "expected times before 2100, found 2103-02-04"), (5 * 365 * 86_400 * NS, "found 2031-01-0")]


@pytest.mark.parametrize(("far", "message"), FAR)
@pytest.mark.parametrize("row", [10, 39])
def test_a_far_row_in_arrays_is_named(far, message, row):
    far = far if far > 10**18 else START_2026 + far
    ts = START_2026 + 60 * NS * np.arange(40)
    ones, price, sold = np.ones(40), np.full(40, 100.0), np.arange(40) % 2 == 0
    odd = ts.copy()
    odd[row] = far
    trades_, said = (ts, price, ones, sold), f"{message}.* in row {row}"
    frame = pd.DataFrame({"ts": odd, "price": price, "qty": ones, "taker_sell": sold})
    candles_ = lq.sources.Candles(odd, price, price, price, price, ones, ones, 60 * NS)
    for name, run in {
        "trades": lambda: lq.heatmap(trades=(odd, *trades_[1:]), symbol="X"),
        "trades ": lambda: lq.heatmap(trades=frame, symbol="X"),
        "trades  ": lambda: lq.features((odd, *trades_[1:]), "5m", symbol="X"),
        "trades   ": lambda: lq.footprints(trades=(odd, *trades_[1:]), symbol="X"),
        "marks": lambda: lq.heatmap(trades=trades_, marks=(odd, price), symbol="X"),
        "open interest": lambda: lq.heatmap(trades=trades_, open_interest=(odd, price), symbol="X"),
        "candles": lambda: lq.heatmap(candles=candles_, symbol="X"),
    }.items():
        with pytest.raises(lq.DataError, match=f"{name.strip()}: .*{said}"):
            run()
    with pytest.raises(TypeError, match="candles must be a path or paths, an Arrow table or Candles, was tuple"):
        lq.heatmap(candles=(ts, price, price, price, price))
