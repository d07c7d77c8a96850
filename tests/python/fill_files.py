"""Makes files of users' fills as venues' interfaces and collectors write them, from known trades of the market."""

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

T0 = 1_767_225_600_000  # ms: 2026-01-01


@dataclass
class Trade:
    """A trade of the market; `known` says whose rows a file holds: the taker's, the maker's, or both."""

    ts: int
    price: str
    qty: str
    sold: bool
    id: int
    known: str = "both"
    lost: bool = False  # a row that is no trade, such as a settlement

    @property
    def key(self) -> tuple[int, float, float, bool]:
        return self.ts * 1_000_000, float(self.price), float(self.qty), self.sold


@dataclass
class Fills:
    """A file's name and text, and the trades that it tells, in order of time."""

    name: str
    text: str
    trades: list[Trade]
    turned: int
    twins: int
    lost: int


Row = dict[str, Any]
Venue = Callable[[Trade, bool, random.Random], Row]


def side(trade: Trade, maker: bool, words: tuple[str, str] = ("buy", "sell")) -> str:
    return words[trade.sold != maker]


def money(trade: Trade, share: float = 4e-4) -> str:
    return f"{float(trade.price) * float(trade.qty) * share:.6f}"


def hyperliquid(t: Trade, maker: bool, rng: random.Random) -> Row:
    word = rng.choice(["Close Short", "Open Long"] if side(t, maker) == "buy" else ["Open Short", "Close Long"])
    return {"coin": "BTC", "px": t.price, "sz": t.qty, "side": side(t, maker, ("B", "A")), "time": t.ts,
            "startPosition": "1.5", "dir": rng.choice(["Settlement", "Liquidated Cross Long"]) if t.lost else word,
            "closedPnl": "0.0", "hash": "0x00", "oid": rng.randrange(10**9), "crossed": not maker, "fee": money(t),
            "tid": t.id}  # fmt: skip


def binance(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"symbol": "BTCUSDT", "id": t.id, "orderId": rng.randrange(1, 10**9), "side": side(t, maker).upper(),
            "price": t.price, "qty": t.qty, "realizedPnl": "0", "quoteQty": f"{float(t.price) * float(t.qty):.8f}",
            "commission": money(t), "commissionAsset": "USDT", "time": t.ts, "positionSide": "BOTH",
            "buyer": side(t, maker) == "buy", "maker": maker}  # fmt: skip


def binance_spot(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"symbol": "BTCUSDT", "id": t.id, "orderId": rng.randrange(1, 10**9), "price": t.price, "qty": t.qty,
            "quoteQty": f"{float(t.price) * float(t.qty):.8f}", "commission": money(t), "time": t.ts,
            "isBuyer": side(t, maker) == "buy", "isMaker": maker, "isBestMatch": True}  # fmt: skip


def bybit(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"symbol": "BTCUSDT", "orderId": f"{rng.randrange(16**8):08x}-1", "side": side(t, maker, ("Buy", "Sell")),
            "execId": f"{t.id:08x}-aaaa", "execPrice": t.price, "execQty": t.qty, "execFee": money(t),
            "execType": rng.choice(["Funding", "AdlTrade", "Settle"]) if t.lost else "Trade",
            "execTime": str(t.ts), "isMaker": maker, "leavesQty": "0"}  # fmt: skip


def okx(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "tradeId": str(t.id), "ordId": str(rng.randrange(10**9)),
            "billId": str(rng.randrange(10**9)), "fillPx": t.price, "fillSz": t.qty, "side": side(t, maker),
            "posSide": "net", "execType": "M" if maker else "T", "fee": money(t), "ts": str(t.ts)}  # fmt: skip


def kucoin(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"symbol": "XBTUSDTM", "tradeId": str(t.id), "orderId": str(rng.randrange(10**9)), "side": side(t, maker),
            "liquidity": "maker" if maker else "taker", "forceTaker": False, "price": t.price, "size": t.qty,
            "fee": money(t), "tradeTime": t.ts * 1_000_000}  # fmt: skip


def gate(t: Trade, maker: bool, rng: random.Random) -> Row:
    sign = "-" if side(t, maker) == "sell" else ""
    return {"id": t.id, "create_time": t.ts / 1000, "contract": "BTC_USDT", "order_id": str(rng.randrange(10**9)),
            "size": f"{sign}{t.qty}", "price": t.price, "role": "maker" if maker else "taker"}  # fmt: skip


def deribit(t: Trade, maker: bool, _: random.Random) -> Row:
    return {"trade_seq": t.id, "trade_id": str(t.id), "timestamp": t.ts, "price": t.price, "amount": t.qty,
            "instrument_name": "BTC_USDC-PERPETUAL", "direction": side(t, maker), "order_id": "ETH-1",
            "liquidity": "M" if maker else "T", "fee": money(t), "state": "filled"}  # fmt: skip


def kraken(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"fillTime": f"{stamp(t.ts)}", "order_id": f"{rng.randrange(16**8):08x}", "fill_id": f"{t.id:08x}-1",
            "symbol": "PF_XBTUSD", "side": side(t, maker), "size": t.qty, "price": t.price,
            "fillType": "maker" if maker else "taker"}  # fmt: skip


def bitget(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"tradeId": str(t.id), "symbol": "BTCUSDT", "orderId": str(rng.randrange(10**9)), "price": t.price,
            "baseVolume": t.qty, "side": side(t, maker), "quoteVolume": f"{float(t.price) * float(t.qty):.8f}",
            "profit": "0", "tradeScope": "maker" if maker else "taker", "cTime": str(t.ts)}  # fmt: skip


def dydx(t: Trade, maker: bool, _: random.Random) -> Row:
    return {"id": f"{t.id:08x}-1", "side": side(t, maker).upper(), "liquidity": "MAKER" if maker else "TAKER",
            "type": "DELEVERAGED" if t.lost else "LIMIT", "market": "BTC-USD", "price": t.price, "size": t.qty,
            "fee": money(t), "createdAt": stamp(t.ts)}  # fmt: skip


def bitmex(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"execID": f"{t.id:08x}-1", "orderID": f"{rng.randrange(16**8):08x}", "symbol": "XBTUSDT",
            "side": side(t, maker, ("Buy", "Sell")), "lastQty": t.qty, "lastPx": t.price,
            "lastLiquidityInd": "AddedLiquidity" if maker else "RemovedLiquidity",
            "execType": "Settlement" if t.lost else "Trade", "timestamp": stamp(t.ts)}  # fmt: skip


def ccxt(t: Trade, maker: bool, rng: random.Random) -> Row:
    return {"timestamp": t.ts, "symbol": "BTC/USDT:USDT", "id": str(t.id), "order": str(rng.randrange(10**9)),
            "type": "limit", "side": side(t, maker), "takerOrMaker": "maker" if maker else "taker", "price": t.price,
            "amount": t.qty, "cost": f"{float(t.price) * float(t.qty):.8f}", "fee": {"cost": 0.1}}  # fmt: skip


def stamp(ms: int) -> str:
    seconds, rest = divmod(ms - T0, 1000)
    hours, seconds = divmod(seconds, 3600)
    return f"2026-01-01T{hours:02}:{seconds // 60:02}:{seconds % 60:02}.{rest:03}Z"


VENUES: dict[str, Venue] = {
    function.__name__: function
    for function in (
        hyperliquid,
        binance,
        binance_spot,
        bybit,
        okx,
        kucoin,
        gate,
        deribit,
        kraken,
        bitget,
        dydx,
        bitmex,
    )
}
WITH_LOSSES = ("hyperliquid", "bybit", "dydx", "bitmex")
IDS = {"tid", "id", "execId", "tradeId", "trade_id", "fill_id", "execID"}


def market(rng: random.Random, whose: str, *, losses: bool, alike: bool = True) -> list[Trade]:
    """Trades in order of time; some share time, price and quantity, as those of one order do (`alike`)."""
    trades: list[Trade] = []
    ts, id = T0 + rng.randrange(3_000_000), rng.randrange(1, 10**9)
    for _ in range(rng.randrange(30, 90)):
        id += rng.randrange(1, 4)
        if alike and trades and rng.random() < 0.3:
            before = trades[-1]
            trades.append(Trade(before.ts, before.price, before.qty, before.sold, id))
        else:
            ts += rng.randrange(1, 5000)
            price = f"{rng.randrange(640_000, 650_000) / 10:.1f}"
            trades.append(Trade(ts, price, f"{rng.randrange(1, 3000) / 1000:.3f}", rng.random() < 0.5, id))
        trades[-1].known = whose if whose != "some" else rng.choice(["taker", "maker", "both"])
        trades[-1].lost = losses and rng.random() < 0.1
    return trades


def fills(rng: random.Random, venue: str, *, container: str = "", whose: str = "", ids: bool | None = None) -> Fills:
    """Make a file of a venue's fills: JSON or CSV, of both users, of one kind or of some, with and without ids."""
    whose = whose or rng.choice(["both", "maker", "taker", "some"])
    ids = rng.random() < 0.7 if ids is None else ids
    # Without ids a taker's row and the maker's of another trade that is alike look like one trade's two rows.
    trades = market(rng, whose, losses=venue in WITH_LOSSES, alike=ids or whose != "some")
    rows = []
    for trade in trades:
        pair = [maker for maker in (False, True) if trade.known in ("both", "maker" if maker else "taker")]
        rng.shuffle(pair)
        rows += [VENUES[venue](trade, maker, rng) for maker in pair]
    if not ids:
        rows = [{name: value for name, value in row.items() if name not in IDS} for row in rows]
    used = [trade for trade in trades if not trade.lost]
    return Fills(
        f"{venue}-fills.{container or 'json'}",
        as_text(rows, container or rng.choice(["json", "csv"]), rng),
        used,
        sum(trade.known == "maker" for trade in used),
        sum(trade.known == "both" for trade in used),
        sum(2 if trade.known == "both" else 1 for trade in trades if trade.lost),
    )


def as_text(rows: list[Row], container: str, rng: random.Random) -> str:
    if container == "json":
        lines = rng.random() < 0.3
        return "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    lower = rng.random() < 0.5
    for row in rows:
        plain = {
            name: str(value).lower() if lower and isinstance(value, bool) else value for name, value in row.items()
        }
        writer.writerow(plain)
    return out.getvalue()
