"""Bybit linear and inverse perpetuals: what their sockets and requests say."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from .events import Candle, Frame, Funding, Liquidation, Mark, Market, Notice, OpenInterest, Side, Told, Trade
from .reading import (
    BAD,
    OF_CONTEXT,
    Answers,
    Reader,
    Refused,
    candle,
    decode,
    each,
    finite,
    is_sell,
    keyed,
    listed,
    nanoseconds,
    positive,
    said,
    trade,
)


class _Push(Struct):
    topic: str
    data: Raw
    ts: int = 0


class _Trade(Struct):
    T: int
    s: str
    S: str
    v: str
    p: str
    i: str


class _Ticker(Struct):
    """A delta has what changed: what is missing has kept its value, and an empty text does not apply."""

    symbol: str
    markPrice: str = ""
    openInterest: str = ""
    fundingRate: str = ""
    nextFundingTime: str = ""


class _Liquidation(Struct):
    """Side of the position: Buy, a long was liquidated. The price is the bankruptcy price."""

    T: int
    s: str
    S: str
    v: str
    p: str


class _Status(Struct):
    title: str = ""
    state: str = ""


class _PastTrade(Struct):
    execId: str
    price: str
    size: str
    side: str
    time: str


class _Candle(Struct, array_like=True):
    t: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class _PastOpenInterest(Struct):
    openInterest: str
    timestamp: str


_push = msgspec.json.Decoder(_Push).decode
_trades = msgspec.json.Decoder(list[_Trade]).decode
_ticker = msgspec.json.Decoder(_Ticker).decode


def _one_side(both: str) -> float:
    """Halve `openInterest`, which counts both; `singleOpenInterest` is younger, and rounded for inverse contracts."""
    return positive(both) / 2


def _past_trade(row: _PastTrade, market: Market) -> Trade:
    return trade(market, row.time, row.price, row.size, is_sell(row.side, "Sell", "Buy"), row.execId, 0)


def _candle(row: _Candle, market: Market) -> Candle:
    return candle(market, row.t, (row.open, row.high, row.low, row.close), row.volume)


def _past_open_interest(row: _PastOpenInterest, market: Market) -> OpenInterest:
    return OpenInterest(market, nanoseconds(row.timestamp), _one_side(row.openInterest))


def _status(row: _Status) -> Notice:
    return Notice("maintenance", said(f"{row.state}: {row.title}"))


class BybitReader(Reader):
    """
    Reads Bybit futures.

    Ids are random and `seq` is shared by the fills of an order, so nothing tells that a trade is missing. Sizes are
    base units of linear contracts, USD of inverse ones. Block trades (`BT`) are trades like others.
    """

    def __init__(self, venue: str) -> None:
        super().__init__(
            venue,
            {
                "trades": Answers(_PastTrade, _past_trade),
                "candles": Answers(_Candle, _candle),
                "past_open_interest": Answers(_PastOpenInterest, _past_open_interest),
            },
        )

    def pushed(self, frame: Frame) -> list[Told]:
        """Read a push of a topic, or an answer to a request."""
        try:
            push = _push(frame.body)
        except msgspec.ValidationError:
            return [_answer(decode(frame.body))]
        topic, data = push.topic, push.data
        if topic.startswith("publicTrade."):
            return self._trades(data)
        if topic.startswith("tickers."):
            return self._ticker(_ticker(data), push.ts)
        if topic.startswith("allLiquidation."):
            return list(each(listed(decode(data)), _Liquidation, self._liquidation))
        if topic.startswith("liquidation."):
            return [Notice("passed over", "liquidation: retired, allLiquidation is read")]
        if topic == "system.status":
            return list(each(listed(decode(data)), _Status, _status))
        return [Notice("unknown", said(topic.partition(".")[0]))]

    def rows(self, answer: Any) -> list[Any]:
        """Return the rows of an answer, which gives the newest first."""
        if keyed(answer).get("retCode") != 0:
            raise Refused(f"{answer.get('retCode')} {answer.get('retMsg', '')}")
        return listed(answer["result"]["list"])[::-1]

    def _trades(self, data: Raw) -> list[Told]:
        try:
            return [self._trade(row) for row in _trades(data)]
        except BAD:  # one is bad: row by row
            return list(each(listed(decode(data)), _Trade, self._trade))

    def _trade(self, row: _Trade) -> Trade:
        return trade(self.market(row.s), row.T, row.p, row.v, is_sell(row.S, "Sell", "Buy"), row.i, 0)

    def _ticker(self, ticker: _Ticker, ms: int) -> list[Told]:
        market, ts = self.market(ticker.symbol), nanoseconds(ms)
        told: list[Told] = [Notice("heard", "tickers", market=market, kinds=OF_CONTEXT)]
        if ticker.markPrice:
            told.append(Mark(market, ts, positive(ticker.markPrice)))
        if ticker.openInterest:
            told.append(OpenInterest(market, ts, _one_side(ticker.openInterest)))
        if ticker.fundingRate:
            paid = nanoseconds(ticker.nextFundingTime) if ticker.nextFundingTime not in ("", "0") else 0
            told.append(Funding(market, ts, finite(ticker.fundingRate), paid))
        return told

    def _liquidation(self, row: _Liquidation) -> Liquidation:
        side: Side = "short" if is_sell(row.S, "Sell", "Buy") else "long"
        return Liquidation(self.market(row.s), nanoseconds(row.T), positive(row.p), positive(row.v), side, True)


def _answer(message: Any) -> Notice:
    if not isinstance(message, dict) or "topic" in message:
        return Notice("garbage", "fields missing or of another type")
    asked = str(message.get("req_id", ""))
    text = said(str(message.get("ret_msg", "")))
    if text == "pong" or message.get("op") == "pong":
        return Notice("pong")
    if isinstance(success := message.get("success"), bool):
        return Notice("subscribed", "", asked) if success else Notice("refused", text, asked)
    return Notice("unknown", said(str(message.get("op", "object without a topic"))))
