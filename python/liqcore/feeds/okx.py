"""OKX swaps: what their sockets and requests say."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from .events import Candle, Frame, Funding, Liquidation, Mark, Market, Notice, OpenInterest, Side, Told, Trade
from .reading import (
    BAD,
    Answers,
    Reader,
    Refused,
    Unreadable,
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


class _Arg(Struct):
    channel: str


class _Push(Struct):
    arg: _Arg
    data: Raw


class _Trade(Struct):
    """`tradeId` is the last of `count` matches; older messages, and those of single matches, have no count."""

    instId: str
    tradeId: str
    px: str
    sz: str
    side: str
    ts: str
    count: str = "1"


class _Mark(Struct):
    instId: str
    markPx: str
    ts: str


class _OpenInterest(Struct):
    """In contracts; of one side, as files of this venue are read (its documents do not say)."""

    instId: str
    oi: str
    ts: str


class _Funding(Struct):
    instId: str
    fundingRate: str
    fundingTime: str
    ts: str = ""


class _Liquidation(Struct):
    """`side` is the order's; the price is the bankruptcy price."""

    posSide: str
    side: str
    bkPx: str
    sz: str
    ts: str


class _Liquidations(Struct):
    instId: str
    details: list[Any]


class _Status(Struct):
    title: str = ""
    state: str = ""


class _Candle(Struct, array_like=True):
    t: str
    open: str
    high: str
    low: str
    close: str
    contracts: str
    coin: str
    quote: str
    closed: str


_push = msgspec.json.Decoder(_Push).decode
_trades = msgspec.json.Decoder(list[_Trade]).decode
_CLOSING = "64008"  # sent a minute before a connection is closed for an upgrade


def _trade(row: _Trade, market: Market) -> Trade:
    count = int(row.count)
    if count < 1:
        raise Unreadable("count of matches below one")
    return trade(market, row.ts, row.px, row.sz, is_sell(row.side, "sell", "buy"), int(row.tradeId), count)


def _open_interest(row: _OpenInterest, market: Market) -> OpenInterest:
    return OpenInterest(market, nanoseconds(row.ts), positive(row.oi))


def _candle(row: _Candle, market: Market) -> Candle | None:
    if row.closed != "1":
        return None
    return candle(market, row.t, (row.open, row.high, row.low, row.close), row.contracts)


def _status(row: _Status) -> Notice:
    return Notice("maintenance", said(f"{row.state}: {row.title}"))


class OkxReader(Reader):
    """Reads OKX swaps. Sizes are contracts, which can be fractions of one."""

    def __init__(self, venue: str) -> None:
        super().__init__(
            venue,
            {
                "trades": Answers(_Trade, _trade),
                "candles": Answers(_Candle, _candle),
                "open_interest": Answers(_OpenInterest, _open_interest),
            },
        )

    def pushed(self, frame: Frame) -> list[Told]:
        """Read a push of a channel, an answer to a request, or a bare word."""
        if frame.body == b"pong":
            return [Notice("pong")]
        try:
            push = _push(frame.body)
        except msgspec.ValidationError:
            return [_answer(decode(frame.body))]
        channel, data = push.arg.channel, push.data
        if channel in ("trades", "trades-all"):
            return self._trades(data)
        rows = listed(decode(data))
        if channel == "mark-price":
            return list(each(rows, _Mark, self._mark))
        if channel == "open-interest":
            return list(each(rows, _OpenInterest, lambda row: _open_interest(row, self.market(row.instId))))
        if channel == "funding-rate":
            return list(each(rows, _Funding, self._funding))
        if channel == "liquidation-orders":
            return [told for row in rows for told in self._liquidations(msgspec.convert(row, _Liquidations))]
        if channel == "status":
            return list(each(rows, _Status, _status))
        return [Notice("unknown", said(channel))]

    def rows(self, answer: Any) -> list[Any]:
        """Return the rows of an answer, which gives the newest first."""
        if keyed(answer).get("code") != "0":
            raise Refused(f"{answer.get('code')} {answer.get('msg', '')}")
        return listed(answer["data"])[::-1]

    def _trades(self, data: Raw) -> list[Told]:
        try:
            return [_trade(row, self.market(row.instId)) for row in _trades(data)]
        except BAD:  # one is bad: row by row
            return list(each(listed(decode(data)), _Trade, lambda row: _trade(row, self.market(row.instId))))

    def _mark(self, row: _Mark) -> Mark:
        return Mark(self.market(row.instId), nanoseconds(row.ts), positive(row.markPx))

    def _funding(self, row: _Funding) -> Funding | Notice:
        market = self.market(row.instId)
        if not row.fundingRate:  # an empty text does not apply
            return Notice("heard", "funding-rate", market=market, kinds=("funding",))
        paid = nanoseconds(row.fundingTime)
        return Funding(market, nanoseconds(row.ts), finite(row.fundingRate), paid)

    def _liquidations(self, of: _Liquidations) -> list[Told]:
        market = self.market(of.instId)

        def made(row: _Liquidation) -> Liquidation:
            sold = is_sell(row.side, "sell", "buy")
            if row.posSide not in ("long", "short", "net"):
                raise Unreadable("side that is neither long nor short")
            is_long = sold if row.posSide == "net" else row.posSide == "long"  # net: a sale closes a long
            side: Side = "long" if is_long else "short"
            return Liquidation(market, nanoseconds(row.ts), positive(row.bkPx), positive(row.sz), side, False)

        return list(each(of.details, _Liquidation, made))


def _answer(message: Any) -> Notice:
    if not isinstance(message, dict) or "data" in message:
        return Notice("garbage", "fields missing or of another type")
    event, asked = message.get("event"), str(message.get("id", ""))
    text = said(f"{message.get('code', '')} {message.get('msg', '')}")
    if event == "subscribe":
        return Notice("subscribed", "", asked)
    if event == "error":
        return Notice("refused", text, asked)
    if event == "notice":
        return Notice("closing" if message.get("code") == _CLOSING else "maintenance", text)
    return Notice("unknown", said(str(event or "object without an event")))
