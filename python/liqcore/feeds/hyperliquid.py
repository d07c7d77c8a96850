"""Hyperliquid perpetuals: what their sockets and requests say."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from .events import Candle, Frame, Funding, Mark, Market, Notice, OpenInterest, Told, Trade
from .reading import (
    BAD,
    OF_CONTEXT,
    Answers,
    Reader,
    candle,
    decode,
    each,
    finite,
    is_sell,
    listed,
    positive,
    said,
    trade,
)


class _Push(Struct):
    channel: str
    data: Raw = Raw(b"null")


class _Trade(Struct):
    """`users` are buyer and seller whatever the side; `tid` is a hash, which does not tell what is missing."""

    coin: str
    side: str
    px: str
    sz: str
    time: int
    tid: int


class _Context(Struct):
    markPx: str | None = None
    openInterest: str | None = None
    funding: str | None = None


class _OfCoin(Struct):
    coin: str
    ctx: _Context


class _Candle(Struct):
    t: int
    o: str
    h: str
    l: str  # noqa: E741 (the venue's name)
    c: str
    v: str


_push = msgspec.json.Decoder(_Push).decode
_trades = msgspec.json.Decoder(list[_Trade]).decode
_of_coin = msgspec.json.Decoder(_OfCoin).decode


def _trade(row: _Trade, market: Market) -> Trade:
    return trade(market, row.time, row.px, row.sz, is_sell(row.side, "A", "B"), str(row.tid), 0)


def _candle(row: _Candle, market: Market) -> Candle:
    return candle(market, row.t, (row.o, row.h, row.l, row.c), row.v)


class HyperliquidReader(Reader):
    """
    Reads Hyperliquid perpetuals.

    Sizes are base units, funding is of an hour. No public channel has liquidations. Contexts have no time: they are of
    when they were received.
    """

    def __init__(self, venue: str) -> None:
        super().__init__(venue, {"trades": Answers(_Trade, _trade), "candles": Answers(_Candle, _candle)})

    def pushed(self, frame: Frame) -> list[Told]:
        """Read a push of a channel, or an answer to a request."""
        push = _push(frame.body)
        channel, data = push.channel, push.data
        if channel == "trades":
            return self._trades(data)
        if channel == "activeAssetCtx":
            return self._context(_of_coin(data), frame.received)
        if channel == "pong":
            return [Notice("pong")]
        if channel == "subscriptionResponse":
            return [Notice("subscribed")]
        if channel == "error":
            return [Notice("refused", said(str(decode(data))))]
        return [Notice("unknown", said(channel))]

    def rows(self, answer: Any) -> list[Any]:
        """Return the rows of an answer: candles come the oldest first, trades the newest first."""
        rows = listed(answer)
        return rows[::-1] if rows and isinstance(rows[0], dict) and "tid" in rows[0] else rows

    def _trades(self, data: Raw) -> list[Told]:
        """The first ones after subscribing are past ones: on a new connection, repeats are ordinary."""
        try:
            return [_trade(row, self.market(row.coin)) for row in _trades(data)]
        except BAD:  # one is bad: row by row
            return list(each(listed(decode(data)), _Trade, lambda row: _trade(row, self.market(row.coin))))

    def _context(self, of: _OfCoin, received: int) -> list[Told]:
        """Any of its numbers may be null; a market that nobody is in has an open interest of 0, which is no sample."""
        market, context = self.market(of.coin), of.ctx
        told: list[Told] = [Notice("heard", "activeAssetCtx", market=market, kinds=OF_CONTEXT)]
        if context.markPx is not None:
            told.append(Mark(market, received, positive(context.markPx)))
        if context.openInterest is not None and finite(context.openInterest) > 0.0:
            told.append(OpenInterest(market, received, finite(context.openInterest)))
        if context.funding is not None:
            told.append(Funding(market, received, finite(context.funding), 0))
        return told
