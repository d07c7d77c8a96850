"""Binance USD-M and COIN-M futures: what their sockets and requests say."""

from typing import Any

import msgspec
from msgspec import Struct

from .events import Candle, Frame, Funding, Liquidation, Mark, Market, Notice, OpenInterest, Side, Told, Trade
from .reading import (
    Answers,
    Reader,
    Refused,
    candle,
    decode,
    finite,
    is_sell,
    listed,
    nanoseconds,
    positive,
    said,
    trade,
)


class _AggTradeRow(Struct):
    """`q` is taken, not `nq`: it is what archives and candles count, matches with RPI orders among it."""

    a: int
    p: str
    q: str
    T: int
    m: bool


class _AggTrade(_AggTradeRow, tag_field="e", tag="aggTrade"):
    s: str


class _Mark(Struct, tag_field="e", tag="markPriceUpdate"):
    s: str
    p: str
    E: int
    r: str = ""
    T: int = 0


class _Order(Struct):
    """Side of the order: SELL closes a long. `p` is its limit and `l` the last fill only: `z` at `ap` traded."""

    s: str
    S: str
    ap: str
    z: str
    T: int


class _ForceOrder(Struct, tag_field="e", tag="forceOrder"):
    o: _Order


class _Combined(Struct):
    data: _AggTrade | _Mark | _ForceOrder


class _Candle(Struct, array_like=True):
    """Columns 5 and 9, the volumes, are in the unit of the trades: base units, or contracts of COIN-M."""

    t: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    until: int
    other_volume: str
    trades: int
    buys: str


class _OpenInterest(Struct):
    openInterest: str
    time: int


class _PastOpenInterest(Struct):
    sumOpenInterest: str
    timestamp: int | str  # text in older answers


_combined = msgspec.json.Decoder(_Combined).decode
_EVENTS: dict[str, Any] = {"aggTrade": _AggTrade, "markPriceUpdate": _Mark, "forceOrder": _ForceOrder}


def _trade(row: _AggTradeRow, market: Market) -> Trade:
    return trade(market, row.T, row.p, row.q, row.m, row.a, 1)


def _candle(row: _Candle, market: Market) -> Candle:
    return candle(market, row.t, (row.open, row.high, row.low, row.close), row.volume, row.buys)


def _open_interest(row: _OpenInterest, market: Market) -> OpenInterest:
    return OpenInterest(market, nanoseconds(row.time), positive(row.openInterest))


def _past_open_interest(row: _PastOpenInterest, market: Market) -> OpenInterest:
    return OpenInterest(market, nanoseconds(row.timestamp), positive(row.sumOpenInterest))


class BinanceReader(Reader):
    """
    Reads Binance futures.

    Trades are aggTrades: their ids rise by one, those of single matches skip, and `trade` has records that are no
    trades (`X` is NA, price and quantity 0). Which family a message is of, its socket says: `st` is missing in some
    messages and wrong in others. Open interest is of one side, in the unit of the trades.
    """

    def __init__(self, venue: str) -> None:
        super().__init__(
            venue,
            {
                "trades": Answers(_AggTradeRow, _trade),
                "candles": Answers(_Candle, _candle),
                "open_interest": Answers(_OpenInterest, _open_interest),
                "past_open_interest": Answers(_PastOpenInterest, _past_open_interest),
            },
        )

    def pushed(self, frame: Frame) -> list[Told]:
        """Read a message of a combined stream or of a raw one, or an answer to a subscription."""
        try:
            data = _combined(frame.body).data
        except msgspec.ValidationError:  # another kind of message, or a bad one
            return self._other(decode(frame.body))
        return self._event(data)

    def rows(self, answer: Any) -> list[Any]:
        """Return the rows of an answer; one sample of open interest is an object."""
        if isinstance(answer, dict):
            if "code" in answer:
                raise Refused(f"{answer['code']} {answer.get('msg', '')}")
            return [answer]
        return listed(answer)

    def _event(self, data: _AggTrade | _Mark | _ForceOrder) -> list[Told]:
        market = self.market(data.o.s if isinstance(data, _ForceOrder) else data.s)
        if isinstance(data, _AggTrade):
            return [_trade(data, market)]
        if isinstance(data, _Mark):
            ts = nanoseconds(data.E)
            told: list[Told] = [Mark(market, ts, positive(data.p))]
            if data.r and data.T:  # dated contracts pay none: an empty text or zeros, and no time
                told.append(Funding(market, ts, finite(data.r), nanoseconds(data.T)))
            return told
        order = data.o
        side: Side = "long" if is_sell(order.S, "SELL", "BUY") else "short"
        if finite(order.z) == 0.0:
            return [Notice("passed over", "forceOrder that has not traded")]
        return [Liquidation(market, nanoseconds(order.T), positive(order.ap), positive(order.z), side, False)]

    def _other(self, message: Any) -> list[Told]:
        if isinstance(message, dict) and "stream" in message and "data" in message:
            message = message["data"]
        if isinstance(message, list):
            return [told for one in message for told in self._other(one)]
        if not isinstance(message, dict):
            return [Notice("garbage", "no object")]
        event = message.get("e")
        if event in _EVENTS:
            return self._event(msgspec.convert(message, _EVENTS[event]))
        if event == "trade":
            no_trade = message.get("X") == "NA"
            return [Notice("passed over", "trade: no trade (NA)" if no_trade else "trade: aggTrade is read")]
        if isinstance(event, str):
            return [Notice("unknown", said(event))]
        asked = str(message.get("id", ""))
        error = message.get("error", message)
        if isinstance(error, dict) and "code" in error:
            return [Notice("refused", said(f"{error['code']} {error.get('msg', '')}"), asked)]
        if "result" in message:
            return [Notice("subscribed", "", asked)]
        return [Notice("unknown", "object without a kind")]
