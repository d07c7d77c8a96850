"""Structures as ccxt unifies them become what the engine takes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.integrations.ccxt import (
    candles_from_ccxt,
    instrument_from_ccxt,
    marks_from_ccxt,
    open_interest_from_ccxt,
    trades_from_ccxt,
)

T0 = 1_781_222_400_000
MS = 1_000_000
SWAP = {
    "id": "BTC-USDT-SWAP", "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT", "type": "swap",
    "contract": True, "linear": True, "inverse": False, "contractSize": 0.01,
    "precision": {"price": 0.1, "amount": 1.0},
}  # fmt: skip
INVERSE = SWAP | {"id": "BTC-USD-SWAP", "symbol": "BTC/USD:BTC", "quote": "USD", "settle": "BTC", "linear": False,
                  "inverse": True, "contractSize": 100.0}  # fmt: skip


def trade(i: int, **changed: Any) -> dict[str, Any]:
    """Return a trade as fetch_trades gives it."""
    return {
        "info": {}, "id": str(i), "timestamp": T0 + 1_000 * i, "datetime": "2026-06-12T00:00:00.000Z",
        "symbol": "BTC/USDT:USDT", "order": None, "type": None, "side": "buy", "takerOrMaker": None,
        "price": 60_000.1 + i, "amount": 1.0 + i, "cost": None, "fee": None,
    } | changed  # fmt: skip


def test_trades_become_columns_in_the_order_of_time() -> None:
    trades = trades_from_ccxt([trade(2, side="sell"), trade(0), trade(1)])
    assert trades.ts.tolist() == [T0 * MS, (T0 + 1_000) * MS, (T0 + 2_000) * MS]
    assert trades.price.tolist() == [60_000.1, 60_001.1, 60_002.1]
    assert trades.qty.tolist() == [1.0, 2.0, 3.0]
    assert trades.taker_sell.tolist() == [False, False, True]
    assert trades.report.rows_used == trades.report.rows_read == 3
    assert (trades.report.tick_size, trades.report.lot_size) == (0.1, 1.0)


def test_trades_of_one_time_keep_their_order() -> None:
    trades = trades_from_ccxt([trade(i, timestamp=T0, price=100.0 + i) for i in range(20)])
    assert trades.price.tolist() == [100.0 + i for i in range(20)]


@pytest.mark.parametrize(
    ("taker_or_maker", "side", "sold"),
    [("taker", "sell", True), ("maker", "sell", False), ("maker", "buy", True), (None, "buy", False)],
)
def test_the_taker_of_ones_own_maker_trades_is_the_other_side(taker_or_maker: Any, side: str, sold: bool) -> None:
    assert trades_from_ccxt([trade(0, takerOrMaker=taker_or_maker, side=side)]).taker_sell.tolist() == [sold]


def test_pages_that_overlap_are_joined() -> None:
    trades = trades_from_ccxt([*(trade(i) for i in range(5)), *(trade(i) for i in range(3, 8))])
    assert len(trades) == 8
    assert trades.report.rejected == {"duplicate_id": 2}
    days = [trade(i, id=str(i), timestamp=trade(i)["timestamp"] + day) for day in (0, 86_400_000) for i in range(5)]
    assert len(trades_from_ccxt(days)) == 10  # ids that begin anew


def test_trades_without_an_id_are_no_repeats() -> None:
    assert len(trades_from_ccxt([trade(0, id=None), trade(0, id=None)])) == 2


def test_trades_that_cannot_be_used_are_counted_by_reason() -> None:
    odd = [
        trade(0, price=float("nan")), trade(1, amount=0.0), trade(2, side=None), trade(3, price=None),
        trade(4, timestamp=T0 // 1_000), trade(5, side="short"), {},
    ]  # fmt: skip
    report = trades_from_ccxt([*odd, *(trade(i) for i in range(10, 210))]).report
    assert report.rejected == {"not_finite": 1, "not_positive": 1, "unknown_side": 1, "unreadable": 4}
    assert report.rows_read == report.rows_used + sum(report.rejected.values()) == 207


def test_trades_most_of_which_cannot_be_read_are_refused() -> None:
    rule = r"ccxt: expected at most 5% unreadable rows, found 1 of 2 \(timestamp 1\); "
    with pytest.raises(lq.DataError, match=rule + r"the first is trades\[1\]: no timestamp"):
        trades_from_ccxt([trade(0), {}])


@pytest.mark.parametrize(
    ("changed", "field", "found"),
    [
        ({"side": "foo"}, "side", "side 'foo', neither buy nor sell"),
        ({"price": None}, "price", "price None, no number"),
        ({"amount": "many"}, "amount", "amount 'many', no number"),
        ({"timestamp": T0 // 1_000}, "timestamp", "timestamp 1781222400, no milliseconds of 1973 to 2116"),
        ({"timestamp": T0 * 1_000}, "timestamp", "timestamp 1781222400000000, no milliseconds of 1973 to 2116"),
        ({"timestamp": float("nan")}, "timestamp", "timestamp nan, no milliseconds"),
    ],
)
def test_the_error_names_the_field_and_its_first_bad_value(changed: dict[str, Any], field: str, found: str) -> None:
    with pytest.raises(lq.DataError, match=rf"found 2 of 3 \({field} 2\); the first is trades\[1\]: {found}"):
        trades_from_ccxt([trade(0), trade(1, **changed), trade(2, **changed)])


def test_fields_of_candles_are_named_too() -> None:
    with pytest.raises(lq.DataError, match=r"\(low 1\); the first is ohlcv\[0\]: low None, no number"):
        candles_from_ccxt([[T0, 1.0, 1.0, None, 1.0, 1.0]], "1m")
    with pytest.raises(lq.DataError, match=r"\(close 1\); the first is rows\[0\]: no close"):
        marks_from_ccxt([[T0, 1.0, 1.0, 1.0]], "1m")


@pytest.mark.parametrize("sides", [("BUY", "SELL"), ("Buy", "Sell")])
def test_sides_are_told_in_letters_of_any_case(sides: tuple[str, str]) -> None:
    assert trades_from_ccxt([trade(i, side=side) for i, side in enumerate(sides)]).taker_sell.tolist() == [False, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: instrument_from_ccxt(None), "market must be a mapping, .* was None"),
        (lambda: trades_from_ccxt(None), "trades must be a list of what ccxt returns, was None"),
        (lambda: trades_from_ccxt(trade(0)), "trades must be a list"),
        (lambda: candles_from_ccxt(None, "1m"), "ohlcv must be a list of what ccxt returns, was None"),
        (lambda: candles_from_ccxt([], None), "timeframe must be a length of time .* was None"),
        (lambda: marks_from_ccxt(None), "rows must be a list of what ccxt returns, was None"),
        (lambda: marks_from_ccxt(None, "1m"), "rows must be a list of what ccxt returns, was None"),
        (
            lambda: open_interest_from_ccxt(None, "base", instrument=instrument_from_ccxt(SWAP)),
            "samples must be a list of what ccxt returns, was None",
        ),
        (lambda: open_interest_from_ccxt([], "base", instrument=None), "instrument must be an lq.Instrument, was None"),
    ],
)  # fmt: skip
def test_nothing_is_no_list_of_rows(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_trades_of_several_symbols_are_refused() -> None:
    with pytest.raises(lq.DataError, match="expected trades of one symbol, found BTC/USDT:USDT, ETH/USDT:USDT"):
        trades_from_ccxt([trade(0), trade(1, symbol="ETH/USDT:USDT")])


def test_no_trades_are_no_error() -> None:
    assert len(trades_from_ccxt([])) == len(marks_from_ccxt([])) == len(candles_from_ccxt([], "1m")) == 0


@pytest.mark.parametrize("size", [0, -1.0, float("nan"), float("inf")])
def test_a_contract_size_must_be_a_size(size: float) -> None:
    with pytest.raises(lq.InvalidConfigError, match="contract_size must be finite and above 0, was"):
        trades_from_ccxt([], contract_size=size)


def test_contracts_and_base_units_say_the_same_in_usd() -> None:
    rows = [trade(i, price=60_000.0 + 10 * (i % 40), amount=float(i % 7 + 1)) for i in range(300)]
    contracts = lq.Engine(instrument_from_ccxt(SWAP), half_life=None)
    contracts.trades(trades_from_ccxt(rows))
    base = lq.Engine(lq.Instrument(symbol="BTC-USDT-SWAP", tick_size=0.1, lot_size=0.01), half_life=None)
    base.trades(trades_from_ccxt(rows, contract_size=SWAP["contractSize"]))
    expected, found = (lq.FeatureReader().read(eng) for eng in (contracts, base))
    assert np.nanmax(expected) > 1_000
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_trades_after_a_moment_change_nothing_before_it() -> None:
    rows = [trade(i, price=60_000.0 + 10 * (i % 40), side="sell" if i % 3 else "buy") for i in range(2_000)]
    whole, part = (
        lq.features(trades_from_ccxt(some), "1m", instrument=instrument_from_ccxt(SWAP))
        for some in (rows, rows[:1_000])
    )
    assert 10 < len(part) < len(whole)
    np.testing.assert_array_equal(part.values, whole.values[: len(part)])


def test_a_market_becomes_an_instrument() -> None:
    margin = lq.MarginSchedule.flat(0.005)
    inst = instrument_from_ccxt(SWAP, margin=margin, venue="okx")
    assert inst == lq.Instrument(
        symbol="BTC-USDT-SWAP", venue="okx", tick_size=0.1, lot_size=1.0, multiplier=0.01, margin=margin
    )
    assert instrument_from_ccxt(INVERSE) == lq.Instrument(
        symbol="BTC-USD-SWAP", contract="inverse", tick_size=0.1, lot_size=1.0, multiplier=100.0
    )


def test_decimal_places_are_told_from_tick_sizes() -> None:
    market = SWAP | {"precision": {"price": 1, "amount": 3}}
    inst = instrument_from_ccxt(market, precision_mode=2)
    assert (inst.tick_size, inst.lot_size) == (0.1, 0.001)
    inst = instrument_from_ccxt(market)
    assert (inst.tick_size, inst.lot_size) == (1.0, 3.0)
    with pytest.raises(lq.InvalidConfigError, match="precision_mode must be 2 or 4, was 3"):
        instrument_from_ccxt(market, precision_mode=3)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"contract": False, "linear": None, "inverse": None, "type": "spot"}, lq.DataError, "expected a contract"),
        ({"inverse": True}, lq.DataError, "expected linear or inverse, found both"),
        ({"contractSize": None}, lq.DataError, "expected contractSize, found none"),
        ({"precision": {"price": 0.1}}, lq.DataError, r"expected precision\['amount'\], found none"),
        ({"settle": "ETH"}, lq.InvalidConfigError, "settles in ETH: a quanto contract"),
    ],
)
def test_markets_that_are_no_contract_are_refused(changed: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        instrument_from_ccxt(SWAP | changed)


def test_candles_are_those_that_a_saved_answer_holds(tmp_path: Path) -> None:
    rows = [[T0 + 60_000 * i, 100.0 + i, 102.0 + i, 99.0, 101.0 + i, 2.0] for i in range(5)]
    (tmp_path / "ohlcv.json").write_text(json.dumps(rows))
    expected, found = lq.read_candles(tmp_path / "ohlcv.json"), candles_from_ccxt(rows[::-1], "1m")
    for name in ("ts_open", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.interval_ns == expected.interval_ns == 60_000 * MS
    assert found.buy_qty is None
    assert candles_from_ccxt(rows, "1m", contract_size=0.01).volume == pytest.approx(0.02)


def test_candles_that_cannot_be_used_are_counted() -> None:
    good = [T0, 100.0, 102.0, 99.0, 101.0, 2.0]
    candles = candles_from_ccxt(
        [good, [T0 + 60_000, 100.0, 99.0, 98.0, 101.0, 1.0], [*good[:4], 100.5, None], [T0 + 120_000, *good[1:]]]
        + [[T0 - 60_000 * i, *good[1:]] for i in range(30, 0, -1)],
        "1m",
        until=T0 + 150_000,
    )
    assert candles.close.tolist() == [101.0] * 30 + [100.5]
    assert candles.report.rejected == {"contradictory": 1, "unfinished": 1, "duplicate_time": 1}
    assert candles.report.rows_used == 31


def candle(ts: int) -> list[float]:
    return [ts, 100.0, 102.0, 99.0, 101.0, 2.0]


MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize("convert", [candles_from_ccxt, marks_from_ccxt])
@pytest.mark.parametrize(
    ("opens", "timeframe", "message"),
    [
        (
            [T0, T0 + 30_000],
            "1m",
            rf"whole timeframes \(1m\) after 1970, found one at {T0 + 30_000} \(1 of 2",
        ),
        ([T0 + 30_000], "1m", r"\(1 of 1 candles\)"),
        ([T0 + 1, T0 + 1 + MINUTE], "1m", r"\(2 of 2 candles\)"),
        ([T0 + i * MINUTE for i in range(10)], "5m", r"\(8 of 10 candles\)"),
        ([T0, T0 + HOUR], "4h", rf"whole timeframes \(4h\) after {T0}, found one at {T0 + HOUR}"),
        ([T0, T0 + 8 * DAY], "1w", "whole timeframes"),
    ],
)
def test_candles_off_their_grid_are_refused(convert: Any, opens: list[int], timeframe: str, message: str) -> None:
    with pytest.raises(lq.DataError, match=message):
        convert([candle(ts) for ts in opens], timeframe)


@pytest.mark.parametrize(
    ("opens", "timeframe"),
    [
        ([T0, T0 + 7 * MINUTE, T0 + MINUTE, T0], "1m"),  # gaps, any order, repeats
        ([T0 + 16 * HOUR, T0 + 40 * HOUR], "1d"),  # OKX: days of Hong Kong
        ([T0 + 3 * DAY, T0 + 10 * DAY], "1w"),
        ([T0, T0 + 31 * DAY, T0 + 59 * DAY], "1mo"),
    ],
)
def test_candles_on_the_grid_of_their_exchange_are_taken(opens: list[int], timeframe: str) -> None:
    assert len(candles_from_ccxt([candle(ts) for ts in opens], timeframe)) == len(set(opens))


@pytest.mark.parametrize(
    "until", [float("nan"), float("inf"), T0 // 1_000, T0 * 1_000, T0 * MS, 0, -T0, True, "1781222400000"]
)
@pytest.mark.parametrize("convert", [candles_from_ccxt, marks_from_ccxt])
def test_until_must_be_milliseconds(convert: Any, until: Any) -> None:
    with pytest.raises(lq.InvalidConfigError, match="until must be milliseconds since 1970, from 1973 to 2116"):
        convert([candle(T0)], "1m", until=until)


@pytest.mark.parametrize("until", [T0 + MINUTE, float(T0 + MINUTE), np.int64(T0 + MINUTE)])
def test_a_candle_that_ended_at_until_counts(until: Any) -> None:
    candles = candles_from_ccxt([candle(T0), candle(T0 + MINUTE)], "1m", until=until)
    assert candles.ts_open.tolist() == [T0 * MS]
    assert candles.report.rejected == {"unfinished": 1}


def test_marks_come_from_tickers_and_from_candles() -> None:
    marks = marks_from_ccxt([{"timestamp": T0 + 5, "markPrice": 2.0}, {"timestamp": T0, "markPrice": "1.5"}])
    assert (marks.ts.tolist(), marks.price.tolist()) == ([T0 * MS, (T0 + 5) * MS], [1.5, 2.0])
    marks = marks_from_ccxt([[T0, 100.0, 102.0, 99.0, 101.0, None]], "1m")
    assert marks.price.tolist() == [100.0, 99.0, 102.0, 101.0]
    assert marks.ts.tolist() == [T0 * MS, *[(T0 + 60_000) * MS - 1] * 3]


def test_a_ticker_without_a_mark_price_cannot_be_read() -> None:
    with pytest.raises(lq.DataError, match="1 of 1"):
        marks_from_ccxt([{"timestamp": T0, "last": 2.0}])


@pytest.mark.parametrize(
    ("market", "unit", "expected"),
    [(SWAP, "contracts", 50.0), (SWAP, "base", 5_000.0), (INVERSE, "contracts", 50.0), (INVERSE, "usd", 30_000.0)],
)
def test_open_interest_comes_in_contracts(market: dict[str, Any], unit: str, expected: float) -> None:
    sample = {"symbol": "x", "openInterestAmount": 50.0, "openInterestValue": 3e6, "timestamp": T0, "info": {}}
    inst = instrument_from_ccxt(market)
    found = open_interest_from_ccxt([sample], unit, instrument=inst)
    assert (found.ts.tolist(), found.quantity.tolist(), found.unit) == ([T0 * MS], [expected], "contracts")
    assert open_interest_from_ccxt([sample], unit, instrument=inst, sides="two").quantity.tolist() == [expected / 2]


@pytest.mark.parametrize(
    ("market", "unit", "message"),
    [
        (SWAP, "usd", 'unit must be "contracts" or "base" for linear ones, was "usd"'),
        (INVERSE, "base", 'unit must be "contracts" or "usd" for inverse ones, was "base"'),
        (SWAP, "coins", 'unit must be "contracts", "base" or "usd", was \'coins\''),
    ],
)
def test_a_unit_that_says_nothing_of_contracts_is_refused(market: dict[str, Any], unit: str, message: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match=message):
        open_interest_from_ccxt([], unit, instrument=instrument_from_ccxt(market))


def test_of_open_interest_of_one_time_the_last_counts() -> None:
    samples = [{"timestamp": T0, "openInterestAmount": 5.0}, {"timestamp": T0, "openInterestAmount": 6.0}]
    found = open_interest_from_ccxt(samples, "contracts", instrument=instrument_from_ccxt(SWAP))
    assert (found.quantity.tolist(), found.report.rejected) == ([6.0], {"duplicate_time": 1})


def test_all_streams_go_into_one_engine() -> None:
    inst = instrument_from_ccxt(SWAP)
    rows = [trade(i, price=60_000.0 + i % 30) for i in range(200)]
    samples = [{"timestamp": T0 + 50_000 * i, "openInterestAmount": 1e6 + 100 * i} for i in range(4)]
    marks = [{"timestamp": T0 + 10_000 * i, "markPrice": 60_010.0} for i in range(20)]
    hm = lq.heatmap(
        trades=trades_from_ccxt(rows),
        marks=marks_from_ccxt(marks),
        open_interest=open_interest_from_ccxt(samples, "contracts", instrument=inst),
        instrument=inst,
        window="1m",
    )
    assert hm.meta["model"] == "oi"
    assert hm.values.max() > 0
