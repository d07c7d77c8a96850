"""Readers of venues' frames: what recorded and made messages say, and that no byte makes them fail."""

import gzip
import json
import math
import random
from typing import Any

import pytest

pytest.importorskip("msgspec")

from liqcore.errors import InvalidConfigError
from liqcore.feeds.events import (
    Candle,
    Change,
    Frame,
    Funding,
    Liquidation,
    Mark,
    Market,
    Notice,
    OpenInterest,
    Told,
    Trade,
)
from liqcore.feeds.frames import changed, told_by
from liqcore.feeds.readers import READERS, reader
from recorded import data_dir

MS = 1_000_000
RECEIVED = 1_800_000_000_000 * MS
FILES = {"binance-usdm": "binance-usdm", "binance-coinm": "binance-coinm", "bybit": "bybit-linear", "okx": "okx",
         "hyperliquid": "hyperliquid"}  # fmt: skip


def read(venue: str, body: Any, source: str = "public") -> list[Told]:
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return reader(venue).read(Frame(RECEIVED, venue, source, raw))


def recorded(file: str, name: str, what: str = "") -> list[Told]:
    """Read a recorded payload; `what` it is an answer to."""
    entry = json.loads((data_dir() / "websocket" / "samples" / f"{file}.json").read_text())[name]
    return read(FILES[file], entry["sample"], f"rest:{what}:SYM" if what else "public")


def market(venue: str, symbol: str = "SYM") -> Market:
    return Market(venue, symbol)


BTC = market("binance-usdm", "BTCUSDT")
COIN = market("binance-coinm", "BTCUSD_PERP")
BYBIT = market("bybit-linear", "BTCUSDT")
SWAP = market("okx", "BTC-USDT-SWAP")
HYPER = market("hyperliquid", "BTC")

# name of the file, of the payload, what it answers to -> all that it tells
RECORDED: dict[tuple[str, str, str], list[Told]] = {
    ("binance-usdm", "agg_trade_live", ""): [Trade(BTC, 1791391081874 * MS, 83434.4, 0.016, True, 3478018549, 1)],
    ("binance-usdm", "agg_trade_old", ""): [
        Trade(market("binance-usdm", "CTKUSDT"), 1626992741421 * MS, 1.011, 10.0, False, 16599292, 1)
    ],
    # no trades: they are in aggTrade, or nowhere
    ("binance-usdm", "trade_na_marker", ""): [Notice("passed over", "trade: no trade (NA)")],
    ("binance-usdm", "trade_rpi", ""): [Notice("passed over", "trade: aggTrade is read")],
    ("binance-usdm", "trade_adl", ""): [Notice("passed over", "trade: aggTrade is read")],
    ("binance-usdm", "mark_price_live", ""): [
        Mark(BTC, 1787492323000 * MS, 77488.24528925),
        Funding(BTC, 1787492323000 * MS, 0.0001, 1787500800000 * MS),
    ],
    # dated contracts: a zero rate, or an empty text, and no time
    ("binance-usdm", "mark_price_delivery", ""): [
        Mark(market("binance-usdm", "BTCBUSD_210129"), 1609830121004 * MS, 31799.2773)
    ],
    ("binance-coinm", "mark_price_delivery", ""): [
        Mark(market("binance-coinm", "BTCUSD_201225"), 1596095725000 * MS, 10934.62615417)
    ],
    # SELL closes a long; `z` at `ap`, neither `l` (25.2) nor `p`; ps and st inside `o`, and beside it
    ("binance-usdm", "force_order_live", ""): [
        Liquidation(market("binance-usdm", "ILVUSDT"), 1791391082119 * MS, 3.85642, 116.5, "long", False)
    ],
    ("binance-usdm", "force_order_connector", ""): [
        Liquidation(BTC, 1568014460893 * MS, 9910.0, 0.014, "long", False)
    ],
    ("binance-usdm", "force_order_buy_old", ""): [
        Liquidation(BTC, 1584059031421 * MS, 4706.04, 0.014, "short", False)
    ],
    ("binance-usdm", "subscribe_ack", ""): [Notice("subscribed", "", "1")],
    ("binance-usdm", "list_subscriptions", ""): [Notice("subscribed", "", "3")],
    ("binance-usdm", "error_ws_too_many", ""): [Notice("refused", "4 Too many subscriptions", "1")],
    ("binance-usdm", "error_ws_flat", ""): [Notice("refused", "2 Invalid request: property name must be a string")],
    ("binance-usdm", "error_rest", "trades"): [Notice("refused", "-1121 Invalid symbol.")],
    ("binance-usdm", "trading_session_push", ""): [Notice("unknown", "EquityUpdate")],
    ("binance-usdm", "open_interest_rest", "open_interest"): [
        OpenInterest(market("binance-usdm"), 1791284697161 * MS, 94791.893)
    ],
    ("binance-usdm", "open_interest_hist_old", "past_open_interest"): [
        OpenInterest(market("binance-usdm"), 1583127900000 * MS, 20403.637)
    ],
    # q, which archives count, not nq
    ("binance-usdm", "agg_trades_rest", "trades"): [
        Trade(market("binance-usdm"), 1498793709153 * MS, 0.01633102, 4.70443515, True, 26129, 1)
    ],
    # contracts, of trades, liquidations, candles and open interest alike; `st` says 1 in one and 2 in another
    ("binance-coinm", "agg_trade_live", ""): [Trade(COIN, 1787492348362 * MS, 77505.5, 38.0, True, 494118434, 1)],
    ("binance-coinm", "agg_trade_connector", ""): [
        Trade(market("binance-coinm", "BTCUSD_200626"), 1591261134199 * MS, 9643.5, 2.0, False, 424951, 1)
    ],
    ("binance-coinm", "force_order", ""): [
        Liquidation(market("binance-coinm", "BTCUSD_200925"), 1594622954021 * MS, 9352.7, 3.0, "long", False)
    ],
    ("binance-coinm", "open_interest_rest", "open_interest"): [
        OpenInterest(market("binance-coinm"), 1791284692616 * MS, 12668208.0)
    ],
    ("binance-coinm", "klines_rest", "candles"): [
        Candle(market("binance-coinm"), 1591258320000 * MS, 9640.7, 9642.4, 9640.6, 9642.0, 206.0, 119.0)
    ],
    ("bybit", "public_trade_old", ""): [
        Trade(market("bybit-linear", "LTCUSDT"), 1680688979983 * MS, 94.53, 0.4, False,
              "4c7b6bdc-b4a3-5716-9c7b-bbe01dc7072f", 0)
    ],
    # Buy is the side of the position
    ("bybit", "all_liquidation_buy", ""): [
        Liquidation(market("bybit-linear", "ICPUSDT"), 1789670094099 * MS, 2.585, 19.7, "long", True)
    ],
    ("bybit", "all_liquidation_sell", ""): [
        Liquidation(market("bybit-linear", "MARSCOINUSDT"), 1789670278053 * MS, 0.12734, 2380.0, "short", True)
    ],
    ("bybit", "liquidation_old", ""): [Notice("passed over", "liquidation: retired, allLiquidation is read")],
    ("bybit", "subscribe_error_retired_topic", ""): [
        Notice("refused", "error:handler not found,topic:liquidation.PUMPUSDT")
    ],
    # half of openInterest, which counts both sides
    ("bybit", "ticker_snapshot_live", ""): [
        Notice("heard", "tickers", market=BYBIT, kinds=("marks", "open_interest", "funding")),
        Mark(BYBIT, 1786659827683 * MS, 63560.8),
        OpenInterest(BYBIT, 1786659827683 * MS, 29986.128),
        Funding(BYBIT, 1786659827683 * MS, 0.00005013, 1786665600000 * MS),
    ],
    # what a delta leaves out has kept its value
    ("bybit", "ticker_delta_live", ""): [
        Notice("heard", "tickers", market=BYBIT, kinds=("marks", "open_interest", "funding"))
    ],
    # a time in seconds among those in ms is none; the oldest first
    ("bybit", "open_interest_rest", "past_open_interest"): [
        Notice("garbage", "time out of range"),
        OpenInterest(market("bybit-linear"), 1789458300000 * MS, 26336.6715),
        OpenInterest(market("bybit-linear"), 1789458600000 * MS, 26332.321),
    ],
    ("bybit", "pong_linear", ""): [Notice("pong")],
    ("bybit", "pong_spot_2026", ""): [Notice("pong")],
    ("bybit", "pong_private_or_option", ""): [Notice("pong")],
    ("bybit", "system_status_push", ""): [Notice("maintenance", "completed: t06")],
    # the last of eight numbers; contracts
    ("okx", "trades_live", ""): [Trade(SWAP, 1781416584831 * MS, 64311.0, 31.27, False, 2701364977, 8)],
    ("okx", "trades_old", ""): [
        Trade(market("okx", "UNI-USD-SWAP"), 1652459215150 * MS, 5.123, 100.0, True, 12883020, 1)
    ],
    ("okx", "history_trades_rest", "trades"): [
        Trade(market("okx"), 1654161641568 * MS, 29964.1, 0.00001, True, 242720719, 1),
        Trade(market("okx"), 1654161646974 * MS, 29963.2, 0.00001, True, 242720720, 1),
    ],
    ("okx", "liquidation_orders_short", ""): [
        Liquidation(market("okx", "CNPY-USDT-SWAP"), 1789669898955 * MS, 0.4162, 2137.0, "short", False)
    ],
    ("okx", "liquidation_orders_long", ""): [
        Liquidation(market("okx", "LA-USDT-SWAP"), 1786221914184 * MS, 0.05167, 508.0, "long", False)
    ],
    # a long tail of decimals, to the nearest double
    ("okx", "open_interest_push", ""): [OpenInterest(SWAP, 1743041250440 * MS, 2216113.01000000309)],
    # nextFundingRate is an empty text
    ("okx", "funding_push", ""): [Funding(SWAP, 1790358563915 * MS, 0.0000263463215391, 1790380800000 * MS)],
    ("okx", "pong_text", ""): [Notice("pong")],
    ("okx", "rest_error_rate_limit", "trades"): [Notice("refused", "50011 Too Many Requests")],
    ("okx", "subscribe_ack_filter_dropped", ""): [Notice("subscribed")],
    # users are buyer and seller whatever the side; tid is a hash; a hash of zeros is ordinary
    ("hyperliquid", "trades_live", ""): [
        Trade(HYPER, 1790358604045 * MS, 83770.0, 0.00819, False, "437413095582311", 0),
        Trade(HYPER, 1790358606027 * MS, 83769.0, 0.0048, True, "784469253141982", 0),
    ],
    # no time of its own
    ("hyperliquid", "active_asset_ctx_live", ""): [
        Notice("heard", "activeAssetCtx", market=HYPER, kinds=("marks", "open_interest", "funding")),
        Mark(HYPER, RECEIVED, 83757.0),
        OpenInterest(HYPER, RECEIVED, 39338.76246),
        Funding(HYPER, RECEIVED, 0.0000125, 0),
    ],
    ("hyperliquid", "pong", ""): [Notice("pong")],
    ("hyperliquid", "user_fill_liquidation_maker", ""): [Notice("unknown", "user")],
    ("hyperliquid", "error_rest", "candles"): [Notice("garbage", "not JSON")],
}  # fmt: skip


@pytest.mark.recorded
@pytest.mark.parametrize(("file", "name", "what"), RECORDED)
def test_recorded_payloads_tell(file: str, name: str, what: str) -> None:
    assert recorded(file, name, what) == RECORDED[file, name, what]


@pytest.mark.recorded
def test_a_frame_of_bybit_holds_all_fills_of_an_order() -> None:
    told = recorded("bybit", "public_trade_live")
    assert len(told) > 8
    assert {type(one) for one in told} == {Trade}
    assert len({one.id for one in told if isinstance(one, Trade)}) == len(told)


@pytest.mark.recorded
def test_answers_are_told_the_oldest_first_and_without_the_candle_that_forms() -> None:
    for file, name in (("bybit", "kline_rest"), ("okx", "candles_rest"), ("hyperliquid", "candle_snapshot")):
        told = [one for one in recorded(file, name, "candles") if isinstance(one, Candle)]
        assert len(told) == 2
        assert told[0].ts < told[1].ts
        assert all(one.buy_qty is None for one in told)
    entry = json.loads((data_dir() / "websocket" / "samples" / "hyperliquid.json").read_text())["candle_snapshot"]
    forming = Frame(told[1].ts + 30_000 * MS, "hyperliquid", "rest:candles:BTC", json.dumps(entry["sample"]).encode())
    assert [one.ts for one in told_by(forming) if isinstance(one, Candle)] == [told[0].ts]
    trades = [one for one in recorded("hyperliquid", "recent_trades_rest", "trades") if isinstance(one, Trade)]
    assert trades[0].ts < trades[1].ts


@pytest.mark.recorded
def test_every_recorded_payload_is_read_or_named() -> None:
    for file, venue in FILES.items():
        for name, entry in json.loads((data_dir() / "websocket" / "samples" / f"{file}.json").read_text()).items():
            if entry["direction"] in ("ws push", "ws reply"):
                told = read(venue, entry["sample"])
                assert told, (file, name)
                assert not [one for one in told if isinstance(one, Notice) and one.about == "garbage"], (file, name)


@pytest.mark.recorded
def test_recordings_of_streams_are_read_whole() -> None:
    for name, venue, stream in (("BINANCE_FUTURES.ws.1.0.gz", "binance-usdm", "aggTrade"),
                                ("BINANCE_DELIVERY.ws.1.0.gz", "binance-coinm", "aggTrade"),
                                ("OKX.ws.1.0.gz", "okx", '"arg":{"channel":"trades"')):  # fmt: skip
        path = data_dir() / "websocket" / "other-venues" / name
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        bodies = [line.partition(": ")[2] for line in lines if " <- " not in line]
        pushed = [body.strip() for body in bodies if stream in body and '"data"' in body]
        trades = [one for body in pushed for one in read(venue, body)]
        assert len(trades) >= len(pushed) > 50
        assert {type(one) for one in trades} == {Trade}


def binance_trade(**other: Any) -> dict[str, Any]:
    data = {"e": "aggTrade", "E": 1, "a": 7, "s": "BTCUSDT", "p": "1.5", "q": "2", "T": 1791391081874, "m": True}
    return {"stream": "btcusdt@aggTrade", "data": {**data, **other}}


def bybit_trade(**other: Any) -> dict[str, Any]:
    row = {"T": 1791391081874, "s": "BTCUSDT", "S": "Buy", "v": "2", "p": "1.5", "i": "u"}
    return {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1791391081874, "data": [row, {**row, **other}]}


def okx_trade(**other: Any) -> dict[str, Any]:
    row = {"instId": "BTC-USDT-SWAP", "tradeId": "7", "px": "1.5", "sz": "2", "side": "buy", "ts": "1791391081874"}
    return {"arg": {"channel": "trades", "instId": "BTC-USDT-SWAP"}, "data": [row, {**row, **other}]}


def hyper_trade(**other: Any) -> dict[str, Any]:
    row = {"coin": "BTC", "side": "B", "px": "1.5", "sz": "2", "time": 1791391081874, "tid": 7}
    return {"channel": "trades", "data": [row, {**row, **other}]}


# made: what no recording has
BAD: list[tuple[str, Any, str]] = [
    ("binance-usdm", binance_trade(p="0"), "price or quantity not above zero"),
    ("binance-usdm", binance_trade(q="nan"), "price or quantity not above zero"),
    ("binance-usdm", binance_trade(q="1e999"), "price or quantity not above zero"),
    ("binance-usdm", binance_trade(p="x"), "fields that cannot be read"),
    ("binance-usdm", binance_trade(m=1), "fields missing or of another type"),
    ("binance-usdm", binance_trade(T=1791391081), "time out of range"),
    ("binance-usdm", binance_trade(T=10**18), "time out of range"),
    ("bybit-linear", bybit_trade(S="None"), "side that is neither buy nor sell"),
    ("bybit-linear", bybit_trade(p=1.5), "fields missing or of another type"),
    ("okx", okx_trade(side=""), "side that is neither buy nor sell"),
    ("okx", okx_trade(count="0"), "count of matches below one"),
    ("okx", okx_trade(tradeId="seven"), "fields that cannot be read"),
    ("hyperliquid", hyper_trade(side="C"), "side that is neither buy nor sell"),
    ("hyperliquid", hyper_trade(px=None), "fields missing or of another type"),
]


@pytest.mark.parametrize(("venue", "message", "reason"), BAD)
def test_a_bad_trade_is_counted_and_costs_no_other(venue: str, message: Any, reason: str) -> None:
    told = read(venue, message)
    assert told[-1] == Notice("garbage", reason)
    rows = message["data"]
    assert len(told) == (len(rows) if isinstance(rows, list) else 1)
    assert all(isinstance(one, Trade) for one in told[:-1])


def test_liquidations_of_several_in_a_frame_and_of_net_positions() -> None:
    row = {"T": 1791391081874, "s": "BTCUSDT", "S": "Buy", "v": "2", "p": "1.5"}
    frame = {"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": 1, "data": [row, {**row, "S": "Sell"}]}
    assert [one.side for one in read("bybit-linear", frame) if isinstance(one, Liquidation)] == ["long", "short"]
    details = [{"bkPx": "2", "posSide": side, "side": order, "sz": "1", "ts": "1791391081874"}
               for side, order in (("net", "sell"), ("net", "buy"), ("long", "sell"), ("?", "sell"))]  # fmt: skip
    data = [{"details": details, "instId": "X-USDT-SWAP", "instType": "SWAP"}]
    told = read("okx", {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": data})
    assert [one.side for one in told if isinstance(one, Liquidation)] == ["long", "short", "long"]
    assert told[-1] == Notice("garbage", "side that is neither long nor short")
    order = {"s": "BTCUSDT", "S": "SELL", "ap": "0", "p": "1", "z": "0", "q": "1", "T": 1791391081874, "X": "NEW"}
    assert read("binance-usdm", {"e": "forceOrder", "E": 1, "o": order}) == [
        Notice("passed over", "forceOrder that has not traded")
    ]


def test_contexts_with_nulls_tell_what_is_there() -> None:
    context = {"funding": None, "openInterest": "0.0", "markPx": "1.5", "premium": None, "midPx": None}
    told = read("hyperliquid", {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": context}})
    assert told[1:] == [Mark(HYPER, RECEIVED, 1.5)]


def test_a_delta_may_say_the_next_funding_alone() -> None:
    ticker = {"symbol": "BTCUSDT", "nextFundingTime": "1786665600000", "markPrice": ""}
    told = read("bybit-linear", {"topic": "tickers.BTCUSDT", "type": "delta", "data": ticker, "ts": 1791391081874})
    assert [type(one) for one in told] == [Notice]


def test_what_is_known_of_a_connection_is_noticed() -> None:
    notice = {"event": "notice", "code": "64008", "msg": "The connection will soon be closed.", "connId": "a"}
    assert read("okx", notice) == [Notice("closing", "64008 The connection will soon be closed.")]
    error = {"id": "4", "event": "error", "code": "60018", "msg": "Wrong URL or channel", "connId": "a"}
    assert read("okx", error) == [Notice("refused", "60018 Wrong URL or channel", "4")]


def test_a_change_of_state_goes_through_a_frame() -> None:
    change = Change(BTC, "trades", "gap open", RECEIVED, since=1, until=2, first=3, last=4, why="none")
    assert told_by(changed(change, RECEIVED)) == [change]
    assert told_by(Frame(RECEIVED, "okx", "driver", b"{}"))[0].about == "garbage"  # type: ignore[union-attr]


GOOD: dict[str, list[Any]] = {
    "binance-usdm": [binance_trade(), {"result": None, "id": 1}],
    "binance-coinm": [binance_trade(s="BTCUSD_PERP")],
    "bybit-linear": [bybit_trade(), {"topic": "tickers.X", "ts": 1, "data": {"symbol": "X"}}],
    "bybit-inverse": [bybit_trade(s="BTCUSD")],
    "okx": [okx_trade(), {"event": "subscribe", "arg": {"channel": "trades"}}],
    "hyperliquid": [hyper_trade(), {"channel": "pong"}],
}
ODD: list[Any] = [None, [], {}, "", "x", 0, -1, 1e400, 2**70, True, [[]], {"a": 1}, "nan", "٣", "1_0", "-5", "\x00"]


@pytest.mark.parametrize("venue", READERS)
def test_no_bytes_make_a_reader_fail(venue: str) -> None:
    chance = random.Random(5)

    def worse(value: Any) -> Any:
        if chance.random() < 0.15:
            return chance.choice(ODD)
        if isinstance(value, dict):
            return {key: worse(inner) for key, inner in value.items() if chance.random() > 0.05}
        return [worse(inner) for inner in value] if isinstance(value, list) else value

    sources = ("public", "rest:trades:X", "rest:candles:X", "rest:open_interest:X", "rest:nothing:X", "rest:", "driver")
    known = reader(venue)
    for _ in range(1500):
        body = bytearray(json.dumps(worse(chance.choice(GOOD[venue]))).encode())
        for _ in range(chance.choice((0, 0, 1, 3))):
            if body:
                body[chance.randrange(len(body))] = chance.randrange(256)
        raw = bytes(body[: chance.randint(0, len(body))] if chance.random() < 0.2 else body)
        for told in known.read(Frame(RECEIVED, venue, chance.choice(sources), raw)):
            if isinstance(told, Trade):
                assert 0 < told.price < math.inf
                assert 0 < told.qty < math.inf
                assert 10**17 <= told.ts < 2**63
    for raw in (b"[" * 100_000, b'{"a":' * 50_000, b"", b"\xff", b"ping", b"9" * 5000):
        assert known.read(Frame(RECEIVED, venue, "public", raw))


def test_a_venue_without_a_feed_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match=r'venue of a feed must be one of binance-usdm, .*, was "bitmex"'):
        reader("bitmex")
