"""How a trade file is laid out, and how the layout of an unknown one is found."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

# Column names by meaning, lower case, the most telling first. What each side column says when it is true or 1:
TIME = ("ts_ns", "ts_us", "ts_ms", "ts", "ts_event", "transact_time", "trade_time", "timestamp_ms", "timestamp", "time",
        "created_time", "exch_ts", "datetime", "date")  # fmt: skip
PRICE = ("price", "px")
QUANTITY = ("qty", "quantity", "amount", "size", "sz", "volume", "base_qty")
ID = ("agg_trade_id", "trade_id", "id", "tid", "trdmatchid")
BASE_AMOUNT = ("base_qty", "base_quantity", "homenotional", "home_notional")
QUOTE_AMOUNT = ("quote_qty", "quote_quantity", "foreignnotional", "foreign_notional")
SYMBOL = ("symbol", "instrument_name", "instrument", "instid", "coin", "pair")
TRUE_IS_SELL = ("taker_sell", "is_buyer_maker", "isbuyermaker", "buyer_is_maker", "buyer_maker")
TRUE_IS_BUY = ("taker_buy", "is_taker_buy", "is_buyer_taker")
SIDE_WORDS = ("side", "taker_side", "aggressor_side", "direction")


@dataclass(frozen=True, slots=True)
class TradeLayout:
    """
    One kind of trade file.

    Attributes
    ----------
    name : str
        ``venue`` or ``venue-kind``; both are accepted as ``format=``.
    columns : tuple of str
        The columns in file order, in lower case: matched against the header, or counted where there is none. More may
        follow.
    time, price, quantity, side, id, symbol : str
        Which of them holds what; an empty string: there is no such column.
    true_is_sell : bool
        What true and 1 mean in the side column; the words buy and sell always are the taker's.
    headerless : bool
        Whether such files exist without a header.
    text_time : bool
        Whether the time is ISO text.
    units : tuple of str
        The time units that the venue documents; another one found is reported as a warning.
    file_name : str
        A pattern whose group ``symbol`` finds the symbol in the name of an archive.
    venues : tuple of str
        Of the catalogue, whose archives have this layout; more than one: the symbol tells which.
    contracts : str
        A pattern: the symbols whose quantity counts contracts, whose size the catalogue or the rows tell (with an
        `exchange`, that and the symbol, ``a:b``); an empty string: of none, ``.*``: of all.
    base, quote : str
        Columns with a row's amount in the base currency and in the quote currency, which tell what a quantity is.
    exchange : str
        The column that names the venue.
    """

    name: str
    columns: tuple[str, ...]
    time: str
    price: str
    quantity: str
    side: str
    id: str = ""
    symbol: str = ""
    true_is_sell: bool = True
    headerless: bool = False
    text_time: bool = False
    units: tuple[str, ...] = ()
    file_name: str = ""
    venues: tuple[str, ...] = ()
    contracts: str = ""
    base: str = ""
    quote: str = ""
    exchange: str = ""

    def in_contracts(self, symbol: str | None, exchange: str = "") -> bool | None:
        """Whether the quantity of a symbol counts contracts; None: nothing tells."""
        if not self.contracts or self.contracts == ".*":
            return bool(self.contracts)
        if symbol is None:
            return None
        return re.fullmatch(self.contracts, f"{exchange}:{symbol}" if self.exchange else symbol) is not None

    def symbol_in(self, name: str) -> str | None:
        """Find the symbol in the name of an archive, which may have something before it."""
        found = re.search(rf"(?:^|[^A-Za-z0-9])(?:{self.file_name})", name) if self.file_name else None
        return found["symbol"] if found else None


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Where the fields stand in the rows of one file, counted from 0; -1: there is no such column."""

    time: int
    price: int
    quantity: int
    side: int
    id: int
    symbol: int
    true_is_sell: bool
    base: int = -1
    quote: int = -1


def cells(line: str) -> list[str]:
    """Split a line at commas, quotes removed."""
    return [cell.strip() for cell in next(csv.reader([line]), [])]


def is_header(row: Sequence[str]) -> bool:
    """Whether a row names columns: none of its cells is a number."""
    return not any(_is_number(cell) for cell in row)


def column_names(header: Sequence[str]) -> list[str]:
    """Bring a header into the form that layouts use: lower case, and of bilingual names the first half."""
    return [name.lower().split("/")[0].strip() for name in header]


def find(names: Sequence[str], wanted: Sequence[str]) -> int:
    """Position of the first of the wanted names that exists; -1: none does."""
    return next((list(names).index(name) for name in wanted if name in names), -1)


def recognise(names: Sequence[str]) -> tuple[TradeColumns, list[str]]:
    """
    Find trade columns by their names.

    Returns
    -------
    columns : TradeColumns
        With -1 for what was not found.
    missing : list of str
        What a trade file needs and was not found, in words with some of the names looked for.
    """
    names = column_names(names)
    true_is_sell = True
    side = find(names, TRUE_IS_SELL)
    if side < 0:
        side = find(names, TRUE_IS_BUY)
        true_is_sell = side < 0
    if side < 0:
        side = find(names, SIDE_WORDS)
    columns = TradeColumns(
        time=find(names, TIME),
        price=find(names, PRICE),
        quantity=find(names, QUANTITY),
        side=side,
        id=find(names, ID),
        symbol=find(names, SYMBOL),
        true_is_sell=true_is_sell,
        base=find(names, BASE_AMOUNT),
        quote=find(names, QUOTE_AMOUNT),
    )
    wanted = {
        "time": (columns.time, ("timestamp", "time", "ts_ms")),
        "price": (columns.price, PRICE),
        "quantity": (columns.quantity, QUANTITY),
        "taker side": (side, ("side", "is_buyer_maker", "taker_sell")),
    }
    return columns, [f"{what} ({' or '.join(known[:3])})" for what, (at, known) in wanted.items() if at < 0]


def listed(names: Sequence[str], most: int = 12) -> str:
    """List names in a message, cut where they are many or long."""
    shown = ", ".join(name[:40] for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def looks_like_candles(names: Sequence[str]) -> bool:
    """Whether the columns are those of candles, which `read_candles` reads."""
    return {"open", "high", "low", "close"} <= set(column_names(names))


def by_header(
    layouts: Sequence[TradeLayout], header: Sequence[str], rows: Sequence[Sequence[str]]
) -> TradeLayout | None:
    """Find the layout whose columns all stand in the header."""
    names = column_names(header)
    for layout in layouts:
        if set(layout.columns) <= set(names):
            at = names.index(layout.time)
            # Bybit and BitMEX differ only in how they write the time.
            text_time = any(len(row) > at and _is_text_time(row[at]) for row in rows)
            if text_time == layout.text_time:
                return layout
    return None


def by_rows(layouts: Sequence[TradeLayout], rows: Sequence[Sequence[str]]) -> TradeLayout | None:
    """Find the layout that most of the rows of a file without a header fit."""
    for layout in layouts:
        if layout.headerless and 2 * sum(_fits(layout, row) for row in rows) > len(rows):
            return layout
    return None


def places(layout: TradeLayout, names: Sequence[str]) -> TradeColumns:
    """Where the columns of a layout stand, given the names in file order."""

    def at(name: str) -> int:
        return list(names).index(name) if name else -1

    return TradeColumns(
        time=at(layout.time),
        price=at(layout.price),
        quantity=at(layout.quantity),
        side=at(layout.side),
        id=at(layout.id),
        symbol=at(layout.symbol),
        true_is_sell=layout.true_is_sell,
        base=at(layout.base),
        quote=at(layout.quote),
    )


def guess_symbol(name: str) -> str | None:
    """Guess a symbol from a file name such as ``hyperliquid-BTC-20260611.parquet``: capitals before a day or a word."""
    found = re.search(
        r"(?:^|[-_])([A-Z][A-Z0-9]{0,18}[A-Z])[-_](?:\d{4}-?\d{2}-?\d{2}(?!\d)|trades|context|marks?\b)", name
    )
    return found[1] if found else None


def _fits(layout: TradeLayout, row: Sequence[str]) -> bool:
    if len(row) != len(layout.columns):
        return False
    cell = dict(zip(layout.columns, row, strict=True))
    if not (_is_number(cell[layout.price]) and _is_number(cell[layout.quantity])):
        return False
    if cell[layout.side].lower() not in ("true", "false", "0", "1", "buy", "sell"):
        return False
    time = cell[layout.time]
    return _is_text_time(time) if layout.text_time else re.fullmatch(r"\d{9,19}(\.\d+)?", time) is not None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.lower() not in ("nan", "inf", "infinity")


def _is_text_time(cell: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d[TD ]", cell) is not None
