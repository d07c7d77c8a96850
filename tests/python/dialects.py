"""
Makes files of market data as people have them: layouts of venues, and tables of their own in any dialect.

Each maker draws from a `random.Random` and gives the bytes of a file, its name, and what was written.
"""

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

T0 = 1_767_225_600_000  # ms: 2026-01-01
MS = 1_000_000


@dataclass
class Trades:
    """What was written: times in whole ms, prices and quantities as text."""

    ts_ms: list[int]
    price: list[str]
    qty: list[str]
    sell: list[bool]
    ids: list[int]
    symbol: str = "BTCUSDT"


@dataclass
class File:
    """A file's name and bytes, and whether a refusal would be right, too."""

    name: str
    content: bytes
    may_refuse: bool = False
    traits: list[str] = field(default_factory=list)


@dataclass
class Dialect:
    """How a table is written as text."""

    delimiter: str = ","
    quote: str = ""  # "", "all", "text"
    end: str = "\n"
    bom: bool = False
    header_case: str = "as it is"
    spaces: bool = False
    decimal_comma: bool = False
    trailing: bool = False
    address: str = ""
    footer: str = ""
    last_newline: bool = True
    pack: str = ""


def draw_dialect(r: random.Random) -> Dialect:
    d = Dialect(delimiter=r.choice(",,;\t|"), quote=r.choice(["", "", "all", "text"]), end=r.choice(["\n", "\r\n"]))
    d.bom = r.random() < 0.2
    d.header_case = r.choice(["as it is", "upper", "title", "spaced"])
    d.spaces = r.random() < 0.2
    d.decimal_comma = d.delimiter != "," and r.random() < 0.3
    d.trailing = r.random() < 0.15
    d.address = r.choice(["", "", "", "https://www.example.com/data", "# made by a collector", "sep=", "Exchange: X"])
    d.footer = r.choice(["", "", "", "end of file"])
    d.last_newline = r.random() < 0.8
    d.pack = r.choice(["", "", ".gz", ".zip"])
    return d


def table(d: Dialect, header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> bytes:
    """Write rows of text."""

    def cell(text: str) -> str:
        is_number = _is_number(text)
        if d.decimal_comma and is_number:
            text = text.replace(".", ",")
        if d.quote == "all" or (d.quote == "text" and not is_number):
            text = f'"{text}"'
        return f" {text}" if d.spaces else text

    def line(cells: Sequence[str]) -> str:
        return d.delimiter.join(cell(c) for c in cells) + (d.delimiter if d.trailing else "")

    lines = [f"sep={d.delimiter}" if d.address == "sep=" else d.address] if d.address else []
    if header is not None:
        lines.append(line([_case(name, d.header_case) for name in header]))
    lines += [line(row) for row in rows]
    if d.footer:
        lines.append(d.footer)
    text = d.end.join(lines) + (d.end if d.last_newline else "")
    return (b"\xef\xbb\xbf" if d.bom else b"") + text.encode()


def packed(d: Dialect, name: str, content: bytes) -> File:
    if d.pack == ".gz":
        return File(name + ".gz", gzip.compress(content))
    if d.pack == ".zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return File(name.rsplit(".", 1)[0] + ".zip", out.getvalue())
    return File(name, content)


def draw_trades(r: random.Random) -> Trades:
    n = r.randrange(40, 90)
    tick = r.choice([1, 2, 3, 5])
    base = r.choice([65_000, 3_000, 120, 9]) * 10**tick
    lots = r.choice([0, 1, 3])
    ts = T0 + r.randrange(10**7)
    out = Trades([], [], [], [], [])
    for i in range(n):
        ts += r.choice([1, 5, 250, 1000, 7000])
        out.ts_ms.append(ts)
        out.price.append(_decimal(base + r.randrange(-20, 20) * (base // 10_000 or 1), tick))
        out.qty.append(_decimal(r.randrange(1, 5000), lots))
        out.sell.append(r.random() < 0.5)
        out.ids.append(10**6 + i)
    out.sell[:2] = [True, False]
    return out


TIMES: dict[str, Callable[[int], str]] = {
    "s": lambda ms: f"{ms // 1000}.{ms % 1000:03}",
    "ms": str,
    "us": lambda ms: f"{ms}000",
    "ns": lambda ms: f"{ms}000000",
    "z": lambda ms: _utc(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z",
    "space": lambda ms: _utc(ms).strftime("%Y-%m-%d %H:%M:%S.") + f"{ms % 1000:03}",
    "utc": lambda ms: _utc(ms).strftime("%Y/%m/%d %H:%M:%S.") + f"{ms % 1000:03} UTC",
    "zone": lambda ms: _utc(ms).astimezone(timezone(timedelta(hours=8))).isoformat(timespec="milliseconds"),
}
SIDES: dict[str, tuple[Callable[[bool], str], tuple[str, ...]]] = {
    "words": (lambda sell: "sell" if sell else "buy", ("side", "taker_side", "aggressor_side", "direction")),
    "Words": (lambda sell: "SELL" if sell else "Buy", ("Side", "Taker Side", "takerSide")),
    "letters": (lambda sell: "S" if sell else "B", ("side",)),
    "chinese": (lambda sell: "卖出" if sell else "买入", ("side", "direction")),
    "seller": (lambda sell: "SELLER" if sell else "BUYER", ("aggressor_side",)),
    "maker": (lambda sell: str(sell), ("is_buyer_maker", "isBuyerMaker", "buyer_is_maker")),
    "maker 1": (lambda sell: str(int(sell)), ("is_buyer_maker", "taker_sell")),
    "taker buy": (lambda sell: str(not sell).lower(), ("taker_buy", "is_taker_buy")),
}


def signed_trades(r: random.Random) -> tuple[File, Trades]:
    """Somebody's own table whose quantities are below zero where the taker sold."""
    return own_trades(r, signed=True)


def scaled_trades(r: random.Random) -> tuple[File, Trades]:
    """A table whose prices, and perhaps quantities, are whole numbers of a small unit, which nothing says."""
    t = draw_trades(r)
    places = r.choice([6, 8, 9])
    if float(min(t.price, key=float)) * 10**places < 1e8:
        places = 9
    columns = {
        "ts_event": [str(ms * MS) for ms in t.ts_ms],
        "price": [str(int(Fraction(price) * 10**places)) for price in t.price],
        "size": [str(int(Fraction(qty) * 10**places)) if r.random() < 0.5 else qty for qty in t.qty],
        "side": ["A" if sell else "B" for sell in t.sell]
        if r.random() < 0.3
        else ["sell" if s else "buy" for s in t.sell],
    }
    order = list(columns)
    r.shuffle(order)
    rows = [list(row) for row in zip(*(columns[name] for name in order), strict=True)]
    return File("mine.csv", table(Dialect(), order, rows), True, [f"scaled by 1e-{places}"]), t


def own_trades(r: random.Random, *, signed: bool | None = None) -> tuple[File, Trades]:
    """Somebody's own table."""
    t = draw_trades(r)
    d = draw_dialect(r)
    form = r.choice(list(TIMES))
    words, names = SIDES[r.choice(list(SIDES))]
    signed = r.random() < 0.15 if signed is None else signed
    columns: dict[str, list[str]] = {
        r.choice(["timestamp", "time", "ts", "trade_time", "datetime", "Time (UTC)"]): [
            TIMES[form](ms) for ms in t.ts_ms
        ],
        r.choice(["price", "px", "Price", "price(USDT)"]): t.price,
    }
    tempting = r.random()
    quantity = r.choice(["qty", "amount", "size", "volume", "quantity", "size(base)", "Base_Amount", "Trade Volume"])
    if quantity == "Trade Volume":
        quantity = "volume"
    written = [("-" if signed and sell else "") + qty for qty, sell in zip(t.qty, t.sell, strict=True)]
    columns[quantity] = written
    if tempting < 0.5:
        money = r.choice(["quote_qty", "turnover", "volume(quote)", "notional", "Volume USDT", "amount_usd", "cost"])
        columns[money] = _amounts(t.price, t.qty)
    elif tempting < 0.7 and not signed:  # a name that is looked for first, with turnover in it
        del columns[quantity]
        columns["size"] = t.qty
        columns["qty"] = _amounts(t.price, t.qty)
    if not signed:
        columns[r.choice(names)] = [words(sell) for sell in t.sell]
    if r.random() < 0.5:
        columns[r.choice(["id", "trade_id", "Trade ID", "tid"])] = [str(i) for i in t.ids]
    if r.random() < 0.4:
        columns[r.choice(["symbol", "instrument"])] = [t.symbol] * len(t.price)
    if r.random() < 0.4:
        columns["fee_rate"] = ["0.0004"] * len(t.price)
    order = list(columns)
    r.shuffle(order)
    rows = [list(row) for row in zip(*(columns[name] for name in order), strict=True)]
    if r.random() < 0.2:
        rows.reverse()
    if r.random() < 0.15:
        order = ["", *order]
        rows = [[str(i), *row] for i, row in enumerate(rows)]
    file = packed(d, "mine.csv", table(d, order, rows))
    # What is about 1 tells no turnover from quantity; commas after which three digits stand may be either.
    file.may_refuse = d.decimal_comma or (bool(d.footer) and len(rows) < 40)
    file.traits = [form, quantity, f"signed {signed}", str(d)]
    return file, t


def venue_trades(r: random.Random) -> tuple[File, Trades]:
    """A file in the layout of a venue's archive, or a saved answer."""
    t = draw_trades(r)
    kind = r.choice(sorted(VENUES))
    name, header, rows = VENUES[kind](r, t)
    d = Dialect(delimiter=";" if kind == "coinapi" else ",", pack=r.choice(["", ".gz", ".zip"]))
    if name.endswith(".json"):
        content = json.dumps(rows if header is None else [dict(zip(header, row, strict=True)) for row in rows]).encode()
        content = wrapped(r, content)
        file = File(name, content)
    else:
        file = packed(d, name, table(d, header, rows))
    file.traits = [kind]
    return file, t


Made = tuple[str, list[str] | None, list[list[str]]]


def _each(t: Trades, row: Callable[[int, str, str, bool, int], list[str]]) -> list[list[str]]:
    return [row(*values) for values in zip(t.ts_ms, t.price, t.qty, t.sell, t.ids, strict=True)]


def _whole(t: Trades, r: random.Random) -> None:
    t.qty = [str(r.randrange(1, 9000)) for _ in t.qty]


def _binance(r: random.Random, t: Trades) -> Made:
    header = ["agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", "is_buyer_maker"]
    rows = _each(t, lambda ms, p, q, sell, i: [str(i), p, q, str(2 * i), str(2 * i), str(ms), str(sell).lower()])
    return "BTCUSDT-aggTrades-2026-01-01.csv", r.choice([header, None]), rows


def _binance_trades(r: random.Random, t: Trades) -> Made:
    header = ["id", "price", "qty", "quote_qty", "time", "is_buyer_maker"]
    rows = _each(t, lambda ms, p, q, sell, i: [str(i), p, q, _money(p, q), str(ms), str(sell).lower()])
    return "BTCUSDT-trades-2026-01-01.csv", r.choice([header, None]), rows


def _bitget(_: random.Random, t: Trades) -> Made:
    header = ["trade_id", "timestamp", "price", "side", "volume(quote)", "size(base)"]
    rows = _each(t, lambda ms, p, q, sell, i: [str(i), str(ms), p, "sell" if sell else "buy", _money(p, q), q])
    return "BTCUSDT_20260101.csv", header, rows


def _gate_futures(r: random.Random, t: Trades) -> Made:
    _whole(t, r)
    t.symbol = "BTC_USDT"
    rows = _each(t, lambda ms, p, q, sell, i: [TIMES["s"](ms) + "201", str(i), p, f"-{q}" if sell else q])
    t.ts_ms = [ms + Fraction(201, 1000) for ms in t.ts_ms]  # type: ignore[misc]
    return "BTC_USDT-202601.csv", None, rows


def _gate_spot(_: random.Random, t: Trades) -> Made:
    t.symbol = "BTC_USDT"
    rows = _each(t, lambda ms, p, q, sell, i: [TIMES["s"](ms), str(i), p, q, "1" if sell else "2"])
    return "BTC_USDT-202601.csv", None, rows


def _coinapi(_: random.Random, t: Trades) -> Made:
    header = ["time_exchange", "time_coinapi", "guid", "price", "base_amount", "taker_side"]
    rows = _each(
        t,
        lambda ms, p, q, sell, i: [
            TIMES["z"](ms)[:-1] + "0000", TIMES["z"](ms + 40)[:-1] + "1234", f"{i:08x}-0000-4000-8000-000000000001",
            p, q, "SELL" if sell else "BUY",
        ],
    )  # fmt: skip
    return "T-TRADES.csv", header, rows


def _kucoin(r: random.Random, t: Trades) -> Made:
    _whole(t, r)
    t.symbol = "XBTUSDTM"
    header = ["trade_id", "trade_time", "price", "size", "side"]
    rows = _each(t, lambda ms, p, q, sell, i: [str(i), str(ms), p, q, "SELL" if sell else "BUY"])
    return "XBTUSDTM-trades-2026-01-01.csv", header, rows


def _htx_contracts(r: random.Random, t: Trades) -> Made:
    _whole(t, r)
    t.symbol = "BTC-USD"
    header = ["id", "price", "amount", "quantity", "direction", "ts"]
    rows = _each(
        t,
        lambda ms, p, q, sell, i: [str(i), p, q, repr(float(q) * 100 / float(p)), "sell" if sell else "buy", str(ms)],
    )
    return "BTC-USD-trade-2026-01-01.csv", r.choice([header, None]), rows


def _htx_spot(r: random.Random, t: Trades) -> Made:
    header = ["id", "price", "amount", "ts", "direction"]
    rows = _each(t, lambda ms, p, q, sell, i: [str(i), p, q, str(ms), "sell" if sell else "buy"])
    return "BTCUSDT-trades-2026-01-01.csv", r.choice([header, None]), rows


def _databento(r: random.Random, t: Trades) -> Made:
    t.symbol = "42"
    header = "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence"
    pretty = r.random() < 0.3

    def price(p: str) -> str:
        return f"{float(p):.9f}" if pretty else str(int(Fraction(p) * 10**9))

    rows = _each(
        t,
        lambda ms, p, q, sell, i: [
            f"{ms}000118", f"{ms}000000", "0", "1", "42", "T", "A" if sell else "B", "0", price(p), q, "0", "118",
            str(i),
        ],
    )  # fmt: skip
    return "trades.csv", header.split(","), rows


def _tardis(_: random.Random, t: Trades) -> Made:
    header = ["exchange", "symbol", "timestamp", "local_timestamp", "id", "side", "price", "amount"]
    rows = _each(
        t,
        lambda ms, p, q, sell, i: [
            "binance-futures", "BTCUSDT", f"{ms}000", f"{ms}123", str(i), "sell" if sell else "buy", p, q,
        ],
    )  # fmt: skip
    return "binance-futures_trades_2026-01-01_BTCUSDT.csv", header, rows


def _okx(_: random.Random, t: Trades) -> Made:
    t.symbol = "BTC-USDT-SWAP"
    header = ["instrument_name/x", "trade_id/y", "side/z", "price/p", "size/s", "created_time/t"]
    rows = _each(t, lambda ms, p, q, sell, i: [t.symbol, str(i), "SELL" if sell else "BUY", p, q, str(ms)])
    return "BTC-USDT-SWAP-trades-2026-01-01.csv", header, rows


def _freqtrade(_: random.Random, t: Trades) -> Made:
    t.symbol = "BTC_USDT"
    rows = _each(
        t,
        lambda ms, p, q, sell, i: [
            ms,
            str(i),
            None,
            "sell" if sell else "buy",
            float(p),
            float(q),
            float(_money(p, q)),
        ],  # type: ignore[list-item]
    )
    return "BTC_USDT-trades.json", None, rows


def _rest(r: random.Random, t: Trades) -> Made:
    header = r.choice([
        ["id", "price", "qty", "quoteQty", "time", "isBuyerMaker"],
        ["a", "p", "q", "f", "T", "m"],
    ])  # fmt: skip
    fourth = (lambda p, q: _money(p, q)) if header[0] == "id" else (lambda _p, _q: "7")
    rows = _each(t, lambda ms, p, q, sell, i: [i, p, q, fourth(p, q), ms, sell])  # type: ignore[list-item]
    return "answer.json", header, rows


VENUES: dict[str, Callable[[random.Random, Trades], Made]] = {
    "binance": _binance, "binance trades": _binance_trades, "bitget": _bitget, "gate futures": _gate_futures,
    "gate spot": _gate_spot, "coinapi": _coinapi, "kucoin": _kucoin, "htx contracts": _htx_contracts,
    "htx spot": _htx_spot, "databento": _databento, "tardis": _tardis, "okx": _okx, "freqtrade": _freqtrade,
    "rest": _rest,
}  # fmt: skip


def wrapped(r: random.Random, rows: bytes) -> bytes:
    """Put rows of an answer into an envelope, or none."""
    text = rows.decode()
    return r.choice([
        text,
        f'{{"retCode":0,"retMsg":"OK","result":{{"symbol":"BTCUSDT","list":{text}}}}}',
        f'{{"code":"00000","msg":"success","requestTime":1,"data":{text}}}',
        f'{{"success":true,"data":{text}}}',
        f'{{"error":[],"result":{{"BTCUSDT":{text},"last":"1"}}}}',
        f'{{"rc":0,"mc":"SUCCESS","result":{text}}}',
    ]).encode()  # fmt: skip


@dataclass
class Candles:
    """What was written: opening times in whole seconds, prices and volume as text."""

    ts_s: list[int]
    open: list[str]
    high: list[str]
    low: list[str]
    close: list[str]
    volume: list[str]
    step: int


def draw_candles(r: random.Random) -> Candles:
    step = r.choice([60, 300, 3600, 86_400])
    n = r.randrange(15, 60)
    price = r.choice([6_500_000, 300_000, 1_200])
    ts = (T0 // 1000 // step) * step
    out = Candles([], [], [], [], [], [], step)
    for i in range(n):
        flat = r.random() < 0.3
        close = price if flat else max(100, price + r.randrange(-90, 90))
        up, down = (0, 0) if flat else (r.randrange(0, 50), r.randrange(0, 50))
        out.ts_s.append(ts + i * step)
        for column, value in (
            (out.open, price), (out.high, max(price, close) + up), (out.low, min(price, close) - down),
            (out.close, close),
        ):  # fmt: skip
            column.append(_decimal(value, 2))
        out.volume.append(_decimal(r.randrange(1, 90_000), 3))
        price = close
    return out


CANDLE_ORDERS: dict[str, tuple[str, str]] = {
    "binance": ("t o h l c v T q n b 0 0", "ms"),
    "okx": ("t o h l c v v q 1", "ms"),
    "bitget": ("t o h l c v q q", "ms"),
    "bybit": ("t o h l c v q", "ms"),
    "kucoin": ("t o c h l v q", "s"),
    "gate": ("t q c h l o v", "s"),
    "gate 8": ("t q c h l o v true", "s"),
    "gate archive": ("t v c h l o", "s"),
    "coinbase": ("t l h o c v", "s"),
    "bitfinex": ("t o c h l v", "ms"),
    "ccxt": ("t o h l c v", "ms"),
    "kraken": ("t o h l c h v n", "s"),
    "htx": ("t o h l c q v", "s"),
}


def unnamed_candles(r: random.Random) -> tuple[File, Candles]:
    """Candles without names in the order of a venue, as text or as an answer."""
    c = draw_candles(r)
    kind = r.choice(sorted(CANDLE_ORDERS))
    order, unit = CANDLE_ORDERS[kind]
    as_json = r.random() < 0.5
    rows = [
        [_candle_cell(code, unit, c, i) for code in order.split(" ")]
        for i in range(len(c.ts_s))
    ]  # fmt: skip
    if kind == "gate 8" and not as_json:
        rows = [row[:-1] for row in rows]
    if r.random() < 0.3:
        rows.reverse()
    d = Dialect(delimiter=r.choice(",,;\t"), end=r.choice(["\n", "\r\n"]), pack=r.choice(["", ".gz"]))
    if as_json:
        envelope = {"okx": '{"code":"0","msg":"","data":%s}', "kucoin": '{"code":"200000","data":%s}',
                    "bitget": '{"code":"00000","data":%s}', "bybit": '{"retCode":0,"result":{"list":%s}}'}  # fmt: skip
        file = File("answer.json", (r.choice([envelope.get(kind, "%s"), "%s"]) % json.dumps(rows)).encode())
    else:
        file = packed(d, "BTCUSDT-klines.csv", table(d, None, rows))
    # Where all candles are flat, or the volume lies among the prices, several orders may fit.
    file.traits = [kind, str(d)]
    return file, c


def named_candles(r: random.Random) -> tuple[File, Candles]:
    """Candles in a table of any dialect."""
    c = draw_candles(r)
    d = draw_dialect(r)
    if d.header_case == "spaced":
        d.header_case = "as it is"
    if c.step == 86_400 and r.random() < 0.5:
        times = [_utc(1000 * ts).strftime("%Y-%m-%d") for ts in c.ts_s]
    else:
        form = TIMES[r.choice(["ms", "us", "z", "space", "zone"])]
        times = [form(1000 * ts) for ts in c.ts_s]
    columns = {
        r.choice(["open_time", "timestamp", "date", "time", "unix"]): times,
        r.choice(["open", "openPrice"]): c.open,
        r.choice(["high", "High"]): c.high,
        r.choice(["low", "Low (USDT)"]): c.low,
        r.choice(["close", "Close"]): c.close,
        r.choice(["volume", "Volume BTC", "vol", "base_volume"]): c.volume,
    }
    if r.random() < 0.6:
        name = r.choice(["Volume USDT", "quote_volume", "turnover", "volume(quote)"])
        columns[name] = _amounts(c.close, c.volume)
    elif r.random() < 0.5:
        columns["amount"] = columns.pop(
            next(name for name in columns if name in ("volume", "Volume BTC", "vol", "base_volume"))
        )
        columns["vol"] = _amounts(c.close, c.volume)
    order = list(columns)
    r.shuffle(order)
    rows = [list(row) for row in zip(*(columns[name] for name in order), strict=True)]
    if r.random() < 0.5:
        rows.reverse()
    d.footer = ""
    file = packed(d, "mine.csv", table(d, order, rows))
    file.may_refuse = d.decimal_comma
    file.traits = [str(order), str(d)]
    return file, c


def candles_with_units(r: random.Random) -> tuple[File, Candles, list[str] | None, bool]:
    """
    Candles with volumes in several units, some of whose names say less than one would like.

    Also what takers bought, None where nothing says that; and whether the only volume is turnover.
    """
    c = draw_candles(r)
    bought = [_decimal(r.randrange(0, int(qty.replace(".", "")) + 1), 3) for qty in c.volume]
    money = _amounts(c.close, c.volume)
    columns = {
        "open_time": [str(1000 * ts) for ts in c.ts_s],
        "open": c.open,
        "high": c.high,
        "low": c.low,
        "close": c.close,
    }
    base_name = r.choice(
        ["volume_btc", "btc_volume", "Volume BTC", "coin_volume", "volume_coin", "base_volume", "amount", "qty"]
    )
    kind = r.choice(["base called volume", "money called volume", "money alone", "contracts", "nothing to do"])
    if kind == "base called volume":
        columns["volume"] = c.volume
        columns[r.choice(["volume_usd", "Volume USDT", "quote_volume", "turnover", "volume_quote", "vol_usdt"])] = money
        if r.random() < 0.3:
            columns[r.choice(["volume_btc", "btc_volume"])] = c.volume
    elif kind == "money called volume":
        columns["volume"] = money
        columns[base_name] = c.volume
        if r.random() < 0.3:
            columns[r.choice(["volume_usd", "turnover"])] = money
    elif kind == "money alone":
        columns["volume"] = money
        columns[r.choice(["volume_usd", "turnover", "quote_volume"])] = money
    elif kind == "contracts":  # of a hundredth of a coin
        columns["volume"] = c.volume = [str(int(qty.replace(".", "")) // 10 + 1) for qty in c.volume]
        columns["volume_btc"] = [_decimal(int(qty), 2) for qty in c.volume]
    else:
        columns["volume"] = [_decimal(r.randrange(1, 90_000), 3) for _ in c.volume]
        columns["volume_btc"] = c.volume
    told = r.random() < 0.5 and kind in ("base called volume", "money called volume")
    if told:
        names = [("taker_buy_volume", "taker_buy_volume_btc"), ("buy_volume", "buy_volume_btc")]
        name, other = r.choice(names)
        if kind == "money called volume" and r.random() < 0.5:
            columns[name], columns[other] = _amounts(c.close, bought), bought
        else:
            columns[name] = bought
    order = list(columns)
    r.shuffle(order)
    rows = [list(row) for row in zip(*(columns[name] for name in order), strict=True)]
    file = File("mine.csv", table(Dialect(), order, rows), kind == "nothing to do", [kind, str(order)])
    return file, c, bought if told else None, kind == "money alone"


def samples(r: random.Random, names: Sequence[str]) -> tuple[File, list[int], list[str]]:
    """Numbers by time in a table of any dialect, such as open interest: times in ms, and values."""
    d = draw_dialect(r)
    d.footer = ""
    days = r.random() < 0.3
    step = 86_400_000 if days else r.choice([1000, 300_000])
    ts = [T0 - 40 * 86_400_000 + i * step for i in range(r.randrange(25, 60))]
    values = [_decimal(r.randrange(10**4, 10**8), 3) for _ in ts]
    form = (lambda ms: _utc(ms).strftime("%Y-%m-%d")) if days else TIMES[r.choice(list(TIMES))]
    columns = {r.choice(["timestamp", "time", "create_time", "date"]): [form(ms) for ms in ts], r.choice(names): values}
    if r.random() < 0.5:
        columns["symbol"] = ["BTCUSDT"] * len(ts)
    order = list(columns)
    r.shuffle(order)
    rows = [list(row) for row in zip(*(columns[name] for name in order), strict=True)]
    if r.random() < 0.3:
        rows.reverse()
    file = packed(d, "mine.csv", table(d, order, rows))
    file.may_refuse = d.decimal_comma
    file.traits = [str(d), str(order)]
    return file, ts, values


def _candle_cell(code: str, unit: str, c: Candles, i: int) -> str:
    scale = 1000 if unit == "ms" else 1
    return {
        "t": str(c.ts_s[i] * scale), "T": str((c.ts_s[i] + c.step) * scale - 1), "o": c.open[i], "h": c.high[i],
        "l": c.low[i], "c": c.close[i], "v": c.volume[i], "q": _money(c.close[i], c.volume[i]), "n": str(i % 50 + 1),
        "b": _decimal(int(Fraction(c.volume[i]) * 1000) // 2, 3), "1": "1", "0": "0", "true": "true",
    }[code]  # fmt: skip


def _decimal(whole: int, digits: int) -> str:
    if not digits:
        return str(whole)
    return f"{whole // 10**digits}.{whole % 10**digits:0{digits}}"


def _money(price: str, qty: str) -> str:
    """Price times quantity to twelve digits."""
    return f"{float(Fraction(price) * Fraction(qty)):.10g}"


def _amounts(prices: Sequence[str], quantities: Sequence[str]) -> list[str]:
    return [_money(price, qty) for price, qty in zip(prices, quantities, strict=True)]


def _utc(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _case(name: str, case: str) -> str:
    if len(name) < 2:
        return name
    return {"upper": name.upper(), "title": name.title(), "spaced": name.replace("_", " ")}.get(case, name)
