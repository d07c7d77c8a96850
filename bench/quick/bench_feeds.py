"""Messages of venues' sockets to events: the bare reader of each venue, and with what lets trades through once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("msgspec")

from liqcore.feeds.events import Frame, Mark, Notice, Told, Trade
from liqcore.feeds.readers import reader
from liqcore.live.order import Order
from timed import Timed

MESSAGES = 20_000
MS = 1_790_000_000_000

pytestmark = pytest.mark.benchmark(group=f"feeds: {MESSAGES:,} messages of a venue's socket")


def binance(n: int) -> Any:
    data = {"e": "aggTrade", "E": MS + n, "a": 3478018549 + n, "s": "BTCUSDT", "p": f"{83434 + n % 7}.40",
            "q": "0.016", "nq": "0.016", "f": 8154045700 + n, "l": 8154045704 + n, "T": MS + n, "m": n % 2 == 0,
            "st": 1}  # fmt: skip
    return {"stream": "btcusdt@aggTrade", "data": data}


def binance_mark(n: int) -> Any:
    data = {"e": "markPriceUpdate", "E": MS + n, "s": "BTCUSDT", "p": "77488.24528925", "ap": "77488.24528925",
            "P": "77435.97981966", "i": "77485.96456522", "r": "0.00010000", "T": 1787500800000, "st": 1}  # fmt: skip
    return {"stream": "btcusdt@markPrice@1s", "data": data}


def bybit(n: int) -> Any:
    row = {"T": MS + n, "s": "BTCUSDT", "S": "Sell", "v": "0.001", "p": f"{69916 + n % 7}.80", "L": "ZeroMinusTick",
           "i": f"8c931d9a-b703-5c34-9aeb-{n:012x}", "BT": False, "RPI": False, "seq": 549792210006}  # fmt: skip
    return {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": MS + n, "data": [row]}


def bybit_ticker(n: int) -> Any:
    ticker = {"symbol": "BTCUSDT", "bid1Price": "63561.50", "bid1Size": "1.760", "markPrice": "63560.80"}
    return {"topic": "tickers.BTCUSDT", "type": "delta", "data": ticker, "cs": 764144442982, "ts": MS + n}


def okx(n: int) -> Any:
    row = {"instId": "BTC-USDT-SWAP", "tradeId": str(2701364977 + 8 * n), "px": str(64311 + n % 7), "sz": "31.27",
           "side": "buy", "ts": str(MS + n), "count": "8", "source": "0", "seqId": 323647402789}  # fmt: skip
    return {"arg": {"channel": "trades", "instId": "BTC-USDT-SWAP"}, "data": [row]}


def hyperliquid(n: int) -> Any:
    row = {"coin": "BTC", "side": "B", "px": f"{83770 + n % 7}.0", "sz": "0.00819", "time": MS + n,
           "hash": "0x" + "0" * 64, "tid": 437413095582311 + n,
           "users": ["0x" + "fe" * 20, "0x" + "ed" * 20]}  # fmt: skip
    return {"channel": "trades", "data": [row]}


SAID: dict[str, tuple[str, Callable[[int], Any], type]] = {
    "binance aggTrade": ("binance-usdm", binance, Trade),
    "binance markPrice": ("binance-usdm", binance_mark, Mark),
    "bybit publicTrade": ("bybit-linear", bybit, Trade),
    "bybit tickers": ("bybit-linear", bybit_ticker, Mark),
    "okx trades": ("okx", okx, Trade),
    "hyperliquid trades": ("hyperliquid", hyperliquid, Trade),
}


def frames_of(venue: str, said: Callable[[int], Any]) -> list[Frame]:
    bodies = (json.dumps(said(n), separators=(",", ":")).encode() for n in range(MESSAGES))
    return [Frame((MS + n) * 1_000_000, venue, "public", body) for n, body in enumerate(bodies)]


@pytest.mark.parametrize("what", SAID)
def test_read(timed: Timed, what: str) -> None:
    venue, said, event = SAID[what]
    frames, read = frames_of(venue, said), reader(venue).read

    def run() -> list[Told]:
        return [told for frame in frames for told in read(frame)]

    def check(got: list[Told]) -> None:
        assert sum(isinstance(told, event) for told in got) == MESSAGES
        assert not any(isinstance(told, Notice) and told.about == "garbage" for told in got)

    timed(run, check, of=MESSAGES, event="message", on="one trade, or one ticker, each")


@pytest.mark.parametrize("what", ["binance aggTrade", "bybit publicTrade"])
def test_read_in_order(timed: Timed, what: str) -> None:
    """With what lets each trade through once and finds what is missing: numbers that count, ids that do not."""
    venue, said, _ = SAID[what]
    frames = frames_of(venue, said)

    def run() -> list[Told]:
        order = Order()
        return [told for frame in frames for told in order.read(frame)]

    def check(got: list[Told]) -> None:
        assert len(got) == MESSAGES

    timed(run, check, of=MESSAGES, event="message", on="one trade each")
