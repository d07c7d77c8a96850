"""Mark prices, open interest and candles beside the trades: merged by time, never early, and of one market."""

import json
import warnings

import numpy as np
import pytest

import liqcore as lq
from liqcore.runs import trades as trade_sources
from recorded import data_dir

NS = 1_000_000_000
MINUTE = 60 * NS
START = 1_750_000_200 * NS  # the start of a 5-minute window
FLOW = {"leverage": {10: 1.0}, "half_life": None, "window": "5m", "symbol": "X"}


def at(*seconds):
    return START + np.array(seconds, np.int64) * NS


def trades(*rows):
    """Rows of (seconds, price, qty, taker_sell) as arrays."""
    ts, price, qty, sell = zip(*rows, strict=True)
    return at(*ts), np.array(price, np.float64), np.array(qty, np.float64), np.array(sell, np.bool_)


def samples(*rows):
    """Rows of (seconds, value) as arrays."""
    ts, value = zip(*rows, strict=True)
    return at(*ts), np.array(value, np.float64)


def candles(ts, open, high, low, close, *, volumes=True):
    n = len(ts)
    none = None if not volumes else np.zeros(n)
    prices = (np.array(column, np.float64) for column in (open, high, low, close))
    return lq.sources.Candles(ts, *prices, none, none, MINUTE)


def notes_of(**given):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        hm = lq.heatmap(**{**FLOW, **given})
    assert [str(warning.message) for warning in caught] == hm.meta["notes"]
    return hm.meta["notes"]


@pytest.fixture(scope="module")
def market():
    return lq.simulate(days=0.2, trades_per_day=40_000)


def test_open_interest_of_each_column_worked_by_hand():
    # Windows [0, 300), [300, 600), [600, 900). The sample at 599 is the second window's last; that at 650 comes after
    # the last trade and is left out, as is that before the first window.
    hm = lq.heatmap(
        trades=trades((10, 1000, 5, False), (310, 1001, 5, True), (620, 1002, 5, False)),
        open_interest=samples((-1, 99), (300, 7), (599, 8), (600, 9), (650, 10)),
        **FLOW,
    )
    assert hm.open_interest.tolist()[1:] == [8, 9]
    assert np.isnan(hm.open_interest[0])
    assert hm.meta["beside"] == [
        {"kind": "open interest", "name": "memory", "format": "arrays", "rows": 5, "used": 5, "rejected": {},
         "warnings": [], "notes": []}
    ]  # fmt: skip
    assert hm.select(last="5m").open_interest.tolist() == [9]


def test_a_sample_at_the_last_trade_s_time_is_used():
    hm = lq.heatmap(
        trades=trades((10, 1000, 5, False), (20, 1001, 5, True)), open_interest=samples((20, 7), (21, 8)), **FLOW
    )
    assert hm.open_interest.tolist() == [7]


def test_open_interest_survives_saving(tmp_path, market):
    hm = lq.heatmap(trades=market.trades, open_interest=market.open_interest, window="5m")
    back = lq.load_heatmap(hm.save(tmp_path / "a.parquet"))
    assert np.array_equal(back.open_interest, hm.open_interest, equal_nan=True)
    assert np.isfinite(hm.open_interest[1:]).all()


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
def test_where_a_batch_ends_changes_nothing(monkeypatch, rows):
    """All streams share their times; equal ones go mark, trade, candle, open interest, as in one call."""
    rng = np.random.default_rng(5)
    ts = at(*np.sort(rng.integers(0, 12, 60)) * 60 + 59) + NS - 1  # at the last nanoseconds of minutes
    price = 1000.0 + rng.integers(-60, 60, 60)
    given = (ts, price, rng.integers(1, 9, 60).astype(np.float64), rng.random(60) < 0.5)
    minutes = at(*range(0, 720, 60))
    low = 1000.0 - rng.integers(40, 130, 12)
    bars = candles(minutes, [1000] * 12, [1060 + i for i in range(12)], low, [1000] * 12)
    marks = (minutes + MINUTE - 1, low + 20)
    oi = (minutes + MINUTE - 1, np.arange(1.0, 13.0))
    monkeypatch.setattr(trade_sources, "BATCH_ROWS", rows)
    for trigger in ("candle", "mark"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            hm = lq.heatmap(
                trades=given, marks=marks, open_interest=oi, candles=bars, trigger=trigger, **(FLOW | {"window": "1m"})
            )
        inst = lq.Instrument(symbol="X", tick_size=1.0, lot_size=1.0, margin=lq.MarginSchedule.flat(0.004))
        assert hm.meta["model"] == "oi"
        eng = lq.Engine(
            inst, leverage={10: 1.0}, half_life=None, window="1m", model="oi", trigger=trigger, book_step=hm.book_step
        )
        last = ts[-1]
        ends = minutes + MINUTE - 1 <= last
        bar = (bars.ts_open, bars.open, bars.high, bars.low, bars.close)
        # From the first trade's window on, as the main job does.
        inside = ends & (minutes >= ts[0] // MINUTE * MINUTE)
        eng.feed(
            trades=given,
            marks=tuple(column[inside] for column in marks),
            open_interest=tuple(column[inside] for column in oi),
            candles=(*(column[inside] for column in bar), None, None),
            interval="1m",
        )
        one = eng.heatmap(step=hm.step)
        assert hm.liquidated.any()
        for name in ("times", "prices", "long", "short", "liquidated", "open_interest"):
            assert np.array_equal(getattr(hm, name), getattr(one, name), equal_nan=True), name


def test_a_candle_comes_after_all_trades_of_its_last_moment(monkeypatch):
    monkeypatch.setattr(trade_sources, "BATCH_ROWS", 1)
    end = START + MINUTE - 1
    ts = np.array([START, end, end, START + 2 * MINUTE], np.int64)
    given = (ts, np.full(4, 1000.0), np.array([1.0, 2, 4, 8]), np.zeros(4, np.bool_))
    # 10x longs at 1000 have their level at 903.6. The candle reaches 850: all opened before its end cannot live on.
    bars = candles(at(0, 60), [1000, 1000], [1000, 1000], [850, 1000], [1000, 1000])
    hm = lq.heatmap(trades=given, candles=bars, trigger="candle", **FLOW).select(unit="quantity")
    assert hm.liquidated.sum() == 7
    assert hm.long[-1].sum() == 8


def test_what_comes_later_never_changes_a_column(market):
    """Cut after a column's last trade: all columns up to it stay as they were, whatever the streams hold beyond."""
    trade = market.trades
    given = {"marks": market.marks, "open_interest": market.open_interest, "window": "10m", "step": 20.0}
    whole = lq.heatmap(trades=trade, **given)
    for column in (1, 7, 20):
        cut = int(np.searchsorted(trade.ts, whole.times[column + 1]))
        part = lq.heatmap(trades=tuple(c[:cut] for c in (trade.ts, trade.price, trade.qty, trade.taker_sell)), **given)
        assert len(part.times) == column + 1
        row = int(np.searchsorted(whole.prices, part.prices[0]))
        rows = slice(row, row + len(part.prices))
        assert np.array_equal(whole.prices[rows], part.prices)
        before = slice(0, column)  # the last is unfinished: marks after its last trade are not known yet
        for name in ("long", "short", "liquidated"):
            assert np.array_equal(getattr(part, name)[before], getattr(whole, name)[before, rows]), name
        assert np.array_equal(part.open_interest[before], whole.open_interest[before], equal_nan=True)
        known = market.open_interest.ts <= trade.ts[cut - 1]
        assert part.open_interest[-1] == market.open_interest.quantity[known][-1]


def test_open_interest_of_another_time_is_refused():
    given = trades((10, 1000, 5, False), (4000, 1001, 5, True))
    message = (
        "^open interest: expected samples between 2025-06-15T15:10:00Z and 2025-06-15T16:16:40Z, where the prices are, "
        "found 2025-06-15T14:55:00Z to 2025-06-15T15:05:00Z$"
    )
    for model in ("flow", "oi"):
        with pytest.raises(lq.DataError, match=message):
            lq.heatmap(trades=given, open_interest=samples((-900, 7), (-300, 8)), model=model)
    assert notes_of(trades=given, open_interest=samples((10, 7), (300, 8))) == [
        "open interest: samples cover 2025-06-15T15:10:10Z to 2025-06-15T15:15:00Z only, "
        "the prices 2025-06-15T15:10:00Z to 2025-06-15T16:16:40Z"
    ]
    assert notes_of(trades=given, open_interest=samples((10, 7), (3000, 8))) == []


def test_open_interest_that_moves_by_more_than_was_traded_is_told():
    given = trades((10, 1000, 5, False), (100, 1001, 5, True))
    assert notes_of(trades=given, open_interest=samples((10, 100), (50, 106), (90, 102))) == []  # 6 + 4 of 10 traded
    assert notes_of(trades=given, open_interest=samples((10, 100), (50, 106), (90, 101))) == [
        "open interest moved by 11 in all, more than the 10 traded: another market or unit, both sides counted, or "
        "trades missing?"
    ]


def write_metrics(path, symbol, value):
    ts = np.datetime64(START, "ns").astype("datetime64[s]")
    row = f"{str(ts).replace('T', ' ')},{symbol},100.0,{value}"
    path.write_text(f"create_time,symbol,sum_open_interest,sum_open_interest_value\n{row}\n")
    return path


def test_open_interest_of_another_market_is_told(tmp_path):
    rows = "".join(f"{(START + s * NS) // 10**6},{1000 + s % 7},5,{s % 2}\n" for s in range(0, 600, 10))
    (tmp_path / "BTCUSDT-trades-2025-06-15.csv").write_text("ts_ms,price,qty,taker_sell\n" + rows)
    given = {"paths": tmp_path / "BTCUSDT-trades-2025-06-15.csv", "symbol": None}
    path = write_metrics(tmp_path / "oi.csv", "BTCUSDT", 100_000.0)
    assert notes_of(open_interest=path, **given) == []
    write_metrics(path, "BTCUSDT", 300_000.0)
    assert notes_of(open_interest=path, **given) == [
        "oi.csv: a price of 3000 goes with its open interest, 1000 with the trades: another market?"
    ]
    write_metrics(path, "ETHUSDT", 100_000.0)
    assert notes_of(open_interest=path, **given) == [
        "open interest: the files say ETHUSDT, the trades BTCUSDT: is it the same market?"
    ]


def test_open_interest_in_another_unit_is_told():
    given = trades((10, 1000, 50, False), (100, 1001, 50, True))
    ts, quantity = samples((10, 7), (90, 8))
    oi = lq.sources.OpenInterest(ts, quantity, "base")
    for contract, multiplier, words in (("linear", 0.01, "0.01 base units"), ("inverse", 100.0, "100 USD")):
        inst = lq.Instrument(symbol="X", tick_size=1.0, lot_size=1.0, contract=contract, multiplier=multiplier)
        assert notes_of(trades=given, open_interest=oi, instrument=inst) == [
            f"open interest is in base units, the trades' quantities in contracts of {words}"
        ]
        assert notes_of(trades=given, open_interest=(ts, quantity), instrument=inst) == []
    assert notes_of(trades=given, open_interest=oi) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("BTC", "BTCUSDT", True),
        ("BTC-USDT-SWAP", "BTCUSDT", True),
        ("XBTUSD", "BTCUSD", True),
        ("BTCUSD", "BTCUSDT", False),
        ("ETHUSDT", "BTCUSDT", False),
        ("BTCUSD_PERP", "BTCUSDT", False),
    ],
)
def test_which_symbols_may_be_one_market(one, other, same):
    from liqcore.runs.side_streams import _same_market

    assert _same_market(one, other) is _same_market(other, one) is same


def test_candles_without_taker_volume_need_trades():
    bars = candles(at(0, 60), [1000] * 2, [1001] * 2, [999] * 2, [1000] * 2, volumes=False)
    with pytest.raises(
        lq.DataError, match='expected taker volumes, which tell the model "flow" what was opened, found'
    ):
        lq.heatmap(candles=bars, **FLOW)
    given = trades((10, 1000, 5, False), (100, 1001, 5, True))
    assert lq.heatmap(trades=given, candles=bars, trigger="candle", **FLOW).long.any()
    with pytest.raises(lq.DataError, match="candles: expected at least one candle, found none"):
        lq.heatmap(candles=candles(at(), [], [], [], []), **FLOW)


def of_volumes(bars, bought, sold, volume=None):
    prices = (getattr(bars, name) for name in ("ts_open", "open", "high", "low", "close"))
    return lq.sources.Candles(*prices, bought, sold, MINUTE, volume)


@pytest.mark.parametrize("model", ["oi", "blend"])
def test_a_model_that_needs_no_sides_takes_candles_without_them(model):
    """What opens goes by the volumes of both takers: whoever they were, the levels are the same."""
    rng = np.random.default_rng(3)
    steps = np.array([1000 + 5 * i % 17 for i in range(20)], float)
    bars = candles(at(*range(0, 1200, 60)), steps, steps + 3, steps - 3, steps + 1)
    bought, sold = rng.integers(0, 9, 20).astype(float), rng.integers(1, 9, 20).astype(float)
    open_interest = samples(*((60 * i, 20 + (i * 7) % 11) for i in range(20)))
    options = {**FLOW, "model": model, "open_interest": open_interest}
    known = lq.heatmap(candles=of_volumes(bars, bought, sold), **options)
    with pytest.warns(UserWarning, match="half of each volume stands in as bought, half as sold"):
        without = lq.heatmap(candles=of_volumes(bars, None, None, bought + sold), **options)
    assert known.long.any()
    assert np.array_equal(known.long, without.long)
    assert np.array_equal(known.short, without.short)
    assert np.array_equal(without.candles["buy_qty"] + without.candles["sell_qty"],
                          known.candles["buy_qty"] + known.candles["sell_qty"])  # fmt: skip
    assert any("half of each volume" in note for note in without.meta["notes"])
    with pytest.raises(lq.DataError, match="expected taker volumes, which tell taker_tilt what was opened, found none"):
        lq.heatmap(candles=of_volumes(bars, None, None, bought + sold), **options, taker_tilt=0.5)


def test_candles_without_any_volume_open_at_the_close():
    bars = candles(at(*range(0, 600, 60)), [1000] * 10, [1003] * 10, [998] * 10, [1001] * 10, volumes=False)
    options = {**FLOW, "open_interest": samples((0, 5), (300, 9), (599, 9))}
    with pytest.warns(UserWarning, match="candles tell no volumes: what open interest .* opens at the last close"):
        found = lq.heatmap(candles=bars, **options)
    trade_at_close = trades(*((60 * i + 59, 1001, 1, False) for i in range(10)))
    wanted = lq.heatmap(trades=trade_at_close, **options)
    assert found.long.any()
    assert np.array_equal(found.map().long.sum(axis=1), wanted.map().long.sum(axis=1))
    with pytest.raises(lq.DataError, match='expected volumes, of which the model "blend" takes a part, found none'):
        lq.heatmap(candles=bars, **options, model="blend")
    with pytest.warns(UserWarning, match="candles tell no volumes"):
        assert len(lq.features(None, "1m", candles=bars, **{k: v for k, v in options.items() if k != "window"}))


def test_candles_alone_take_the_open_interest_of_their_span():
    bars = candles(at(*range(0, 600, 60)), [1000] * 10, [1001] * 10, [999] * 10, [1000] * 10)
    bars = lq.sources.Candles(*(getattr(bars, n) for n in ("ts_open", "open", "high", "low", "close")),
                              np.ones(10), np.ones(10), MINUTE)  # fmt: skip
    hm = lq.heatmap(candles=bars, open_interest=samples((-1, 1), (0, 2), (599, 3), (600, 4)), **FLOW)
    assert hm.open_interest.tolist() == [2, 3]
    assert (hm.meta["inputs"], hm.meta["resolution"]) == ([], "candles")


def test_an_engine_takes_the_readers_results(tmp_path):
    (tmp_path / "oi.csv").write_text(f"ts,oi,mark\n{START // 10**6},7,1000\n{START // 10**6 + 5},8,1001\n")
    eng = lq.Engine(lq.Instrument(symbol="X", tick_size=1.0, lot_size=1.0, margin=lq.MarginSchedule.flat(0.0)))
    stats = eng.feed(
        trades=trades((10, 1000, 5, False)),
        marks=lq.read_marks(tmp_path / "oi.csv"),
        open_interest=lq.read_open_interest(tmp_path / "oi.csv"),
        candles=candles(at(0), [1000], [1000], [1000], [1000], volumes=False),
    )
    assert (stats.rows, stats.used) == (6, 6)
    assert eng.heatmap().open_interest.tolist() == [8]


def test_files_settings_and_a_repeat_give_the_same(tmp_path, market):
    trade = market.trades
    oi = market.open_interest
    rows = [
        f"{t},{p!r},{q!r},{int(s)}"
        for t, p, q, s in zip(
            trade.ts.tolist(), trade.price.tolist(), trade.qty.tolist(), trade.taker_sell, strict=True
        )
    ]
    (tmp_path / "trades.csv").write_text("ts_ns,price,qty,taker_sell\n" + "\n".join(rows))
    answer = [
        {"openInterest": repr(2 * quantity), "timestamp": str(ts // 10**6)}
        for ts, quantity in zip(oi.ts.tolist(), oi.quantity.tolist(), strict=True)
    ]
    (tmp_path / "bybit.json").write_text(json.dumps({"retCode": 0, "result": {"list": answer[::-1]}}))
    (tmp_path / "run.toml").write_text(
        f'[source]\nopen_interest = "{tmp_path}/by*.json"\n[leverage]\nshares = {{ "10" = 1.0 }}\n'
    )
    hm = lq.heatmap(tmp_path / "trades.csv", config=tmp_path / "run.toml")
    assert hm.meta["beside"][0]["notes"] == ["open interest counts both sides: halved"]
    memory = lq.heatmap(trades=trade, open_interest=(oi.ts // 10**6 * 10**6, oi.quantity), leverage={10: 1.0})
    assert np.array_equal(hm.open_interest, memory.open_interest, equal_nan=True)
    assert np.array_equal(hm.long, memory.long)
    again = lq.heatmap(tmp_path / "trades.csv", config=hm.save(tmp_path / "a.parquet"))
    assert np.array_equal(again.open_interest, hm.open_interest, equal_nan=True)
    config = lq.Config.load(tmp_path / "run.toml").replace(source={"open_interest_sides": "one"})
    plain = lq.heatmap(tmp_path / "trades.csv", config=config)
    assert np.array_equal(plain.open_interest, 2 * hm.open_interest, equal_nan=True)


@pytest.mark.recorded
@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_recorded_open_interest_goes_with_the_trades(coin):
    folder = data_dir()
    context = folder / "context" / f"hyperliquid-{coin}-context.parquet"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing to warn of
        hm = lq.heatmap(
            sorted((folder / "trades").glob(f"hyperliquid-{coin}-2026061[34].parquet")),
            open_interest=context,
            marks=str(context),
            leverage={10: 1.0},
            window="15m",
        )
    oi = lq.read_open_interest(context)
    assert (oi.unit, oi.report.rejected, len(oi)) == ("base", {}, 7342)
    ends = hm.times[:-1] + hm.window_ns
    expected = [oi.quantity[oi.ts < end][-1] for end in ends.tolist()]  # the slow, obvious way
    assert hm.open_interest[:-1].tolist() == expected
    assert [entry["kind"] for entry in hm.meta["beside"]] == ["marks", "open interest"]


@pytest.mark.recorded
def test_recorded_open_interest_of_another_season_is_refused():
    folder = data_dir()
    with pytest.raises(lq.DataError, match="open interest: expected samples between 2026-06-12T23:00:00Z and"):
        lq.heatmap(
            folder / "trades" / "BTCUSDT-aggTrades-2026-06-13.zip",
            open_interest=folder / "open_interest" / "BTCUSDT-open-interest-5m.csv.gz",
            leverage={10: 1.0},
            window="1h",
        )


@pytest.mark.recorded
def test_recorded_series_are_read_whole():
    folder = data_dir()
    for symbol, price in (("BTCUSDT", 89_778.12), ("ETHUSDT", 2_986.1)):
        oi = lq.read_open_interest(folder / "open_interest" / f"{symbol}-open-interest-5m.csv.gz")
        assert (len(oi), oi.report.rejected, oi.report.symbol) == (32_543, {}, symbol)
        assert oi.report.files[0].first_price == pytest.approx(price, rel=1e-5)
        funding = lq.read_funding(folder / "open_interest" / f"{symbol}-funding-8h.csv.gz")
        assert (len(funding), funding.settled) == (339, True)
        assert np.all(np.abs(np.diff(funding.ts) - 8 * 3600 * NS) < NS)
    candles = lq.read_candles(folder / "klines" / "BTCUSDT-1m-2024-12.csv.gz")  # closing times at +01:00
    assert (len(candles), candles.interval_ns, candles.buy_qty) == (41_761, MINUTE, None)
    assert str(candles.ts_open[0].astype("datetime64[ns]").astype("datetime64[s]")) == "2024-11-30T23:00:00"
    assert np.all(np.diff(candles.ts_open) % MINUTE == 0)
    funding = lq.read_funding(folder / "context" / "hyperliquid-BTC-context.parquet")
    assert (len(funding), funding.settled, funding.report.symbol) == (7_342, False, "BTC")
