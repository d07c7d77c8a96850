"""How a trade file is laid out, and how the layout of an unknown one is found."""

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .meaning import SIDE_WORDS, TradeColumns, column_names, find, is_turnover

_NUMERIC = re.compile(r"[+-]?\d[\d.,' ]*")
_ROUNDED = 0.05  # relative: a base quantity printed to a few digits


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
    time, price, quantity, side, id, symbol, exchange : str
        Which of them holds what; an empty string: there is no such column.
        Without a side, the sign of the quantity tells it: below zero the taker sold.
    true_is_sell : bool
        What true and 1 mean in the side column; the words buy and sell always are the taker's.
    one_is_sell : bool or None
        Where the side column holds 1 and 2: whether 1 means that the taker sold. None: it holds no such numbers.
    venues : tuple of str
        Of the catalogue, whose archives have this layout; more than one: the symbol tells which.
    contracts : str
        A pattern: the symbols whose quantity counts contracts (with an `exchange`, that and the symbol, ``a:b``); an
        empty string: of none, ``.*``: of all.
    base, quote : str
        Which columns hold the same quantity in base units and in quote currency. In a file without a header the latter
        must agree with price and quantity.
    contract_sizes : tuple of float
        What inverse contracts are worth in quote currency: in a file without a header `base` must agree with one.
    price_digits : int
        Whole-number prices are to be divided by this power of ten; prices with a point are what they say.
    only : tuple of str
        A column, and what stands there in every row that is a trade: a file with other rows is refused.
    headerless : bool
        Whether such files exist without a header.
    text_time : bool
        Whether the time is ISO text.
    units : tuple of str
        The time units that the venue documents; another one found is reported as a warning.
    file_name : str
        A pattern whose group ``symbol`` finds the symbol in the name of an archive.
    unit, defects : str
        In words, for docs/reference/formats.md: what the quantity counts (empty: base currency), and what is wrong with
        such files and is done about it.
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
    one_is_sell: bool | None = None
    exchange: str = ""
    venues: tuple[str, ...] = ()
    contracts: str = ""
    base: str = ""
    quote: str = ""
    contract_sizes: tuple[float, ...] = ()
    price_digits: int = 0
    only: tuple[str, ...] = ()
    headerless: bool = False
    text_time: bool = False
    units: tuple[str, ...] = ()
    file_name: str = ""
    unit: str = ""
    defects: str = ""

    @property
    def code(self) -> str:
        """What true, 1 and 2 mean in the side column, as `_core.parse_side` takes it."""
        if self.one_is_sell is not None:
            return "one_is_sell_two_is_buy" if self.one_is_sell else "one_is_buy_two_is_sell"
        return "true_is_sell" if self.true_is_sell else "true_is_buy"

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


def cells(line: str, delimiter: str = ",") -> list[str]:
    """Split a line, quotes removed."""
    line = line.replace("\r", " ")  # within a line, which csv refuses
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def is_header(row: Sequence[str]) -> bool:
    """Whether a row names columns: none of its cells is a number, however written, or a time."""
    return not any(is_number(cell) or _NUMERIC.fullmatch(cell) or _is_text_time(cell) for cell in row)


def looks_like_candles(names: Sequence[str]) -> bool:
    """Whether the columns are those of candles, which `read_candles` reads."""
    return {"open", "high", "low", "close"} <= set(column_names(names))


def by_header(
    layouts: Sequence[TradeLayout], header: Sequence[str], rows: Sequence[Sequence[str]]
) -> TradeLayout | None:
    """Find the layout whose columns all stand in the header."""
    names = column_names(header)
    for layout in layouts:
        if set(layout.columns) <= set(names) and (layout.side or find(names, SIDE_WORDS) < 0):
            at = names.index(layout.time)
            # Bybit and BitMEX differ only in how they write the time.
            text_time = any(len(row) > at and _is_text_time(row[at]) for row in rows)
            if text_time == layout.text_time:
                return layout
    return None


def by_rows(layouts: Sequence[TradeLayout], rows: Sequence[Sequence[str]]) -> list[TradeLayout]:
    """Find the layouts that most of the rows of a file without a header fit: of those that read them alike, one."""
    found: dict[TradeColumns, TradeLayout] = {}
    for layout in layouts:
        if layout.headerless and 2 * sum(_fits(layout, row) for row in rows) > len(rows) and _agrees(layout, rows):
            found.setdefault(places(layout, layout.columns), layout)
    return list(found.values())


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
        code=layout.code,
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
    if not (is_number(cell[layout.price]) and is_number(cell[layout.quantity])) or float(cell[layout.price]) < 0:
        return False
    words = ("1", "2") if layout.one_is_sell is not None else ("true", "false", "0", "1", "buy", "sell", "b", "s", "")
    if layout.side and cell[layout.side].lower() not in words:
        return False
    if layout.id and not layout.side and not cell[layout.id].isdecimal():
        return False
    time = cell[layout.time]
    return _is_text_time(time) if layout.text_time else re.fullmatch(r"\d{9,19}(\.\d+)?", time) is not None


def _agrees(layout: TradeLayout, rows: Sequence[Sequence[str]]) -> bool:
    """Whether the columns that say the same in other units do, in nearly all rows."""

    def numbers(name: str) -> NDArray[np.float64]:
        at = layout.columns.index(name)
        return np.array([number_of(row[at]) if len(row) > at else np.nan for row in rows])

    price, quantity = numbers(layout.price), numbers(layout.quantity)
    if layout.quote and not is_turnover(numbers(layout.quote), quantity, price, price):
        return not (quantity > 0).any()
    if layout.contract_sizes:
        traded = quantity > 0
        size = (numbers(layout.base) * price)[traded] / quantity[traded]
        size = size[size > 0]
        return not len(size) or any(abs(np.median(size) / one - 1) < _ROUNDED for one in layout.contract_sizes)
    return True


def is_number(cell: str) -> bool:
    """Whether a cell is a finite number."""
    return bool(np.isfinite(number_of(cell)))


def are_names(words: Collection[str]) -> bool:
    """
    Whether words of a column that is called as symbols or venues are name some: not all are numbers or spelled sides.

    Single letters are names, whatever they mean as sides: there are coins S, B and T.
    """
    return any(not (is_number(word) or (len(word) > 1 and _core.parse_side(word) < 2)) for word in words if word)


def number_of(cell: str) -> float:
    """Return the number in a cell; NaN: there is none."""
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _is_text_time(cell: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d[TD ]", cell) is not None
