"""What a quantity is, by the amounts that stand beside it in a row."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..market.catalogue import venues
from ..market.contracts import Quantities
from ..market.listing import plain
from .layout import TradeLayout, cells
from .meaning import TradeColumns, column_names
from .payload import PayloadTable
from .report import FileReport
from .text import Table
from .trade_rows import Rows

_WHOLE_ROWS, _WHOLE_PRICE = 100, 1000  # so many trades at such a price are never all in whole coins
_ROWS = 200  # looked at
_DIGITS = 4  # that the size of a contract has
NEITHER = ("", 0.0)


def contract_in(lines: Iterable[str], columns: TradeColumns, delimiter: str = ",") -> tuple[str, float] | None:
    """
    Tell the contract from rows of text with amounts in base or quote currency.

    Returns
    -------
    tuple of str and float, or None
        Kind and multiplier; `NEITHER` if the amounts are those of neither kind; None if the rows do not tell.
    """
    needed = [columns.price, columns.quantity, columns.base, columns.quote]
    found: list[list[float]] = []
    for line in lines:
        row = cells(line, delimiter)
        try:
            values = [float(row[at]) if at >= 0 else np.nan for at in needed]
        except (IndexError, ValueError):
            continue
        if values[0] > 0 and values[1] > 0:
            found.append(values)
    price, qty, base, quote = np.array(found, np.float64).reshape(-1, 4).T
    return contract_of(price, qty, base if columns.base >= 0 else None, quote if columns.quote >= 0 else None)


def contract_of(
    price: NDArray[np.float64],
    qty: NDArray[np.float64],
    base: NDArray[np.float64] | None,
    quote: NDArray[np.float64] | None,
) -> tuple[str, float] | None:
    """
    Tell the contract from prices, quantities and amounts; as `contract_in`.

    Of a linear contract one amount goes with the quantity (base currency) and one with the quantity times the price
    (quote currency), of an inverse one one with the quantity (USD) and one with the quantity through the price (coin).
    Which column holds which is no matter: Bybit's inverse files have the two the other way round.
    """
    amounts = [column for column in (base, quote) if column is not None]
    known = (price > 0) & (qty > 0)
    for column in amounts:
        known &= np.isfinite(column) & (column > 0)
    if not amounts or known.sum() < 2:
        return None
    price, qty, amounts = price[known], qty[known], [column[known] for column in amounts]
    if len(amounts) == 2:
        for size, other in (amounts, amounts[::-1]):
            multiplier = _factor(size, qty)
            if multiplier is not None:
                for kind, expected in (("linear", price), ("inverse", 1 / price)):
                    if _same(other, multiplier * qty * expected):
                        return kind, multiplier
        return NEITHER
    if price.min() == price.max():
        return None  # any amount goes with the quantity then
    rules = [("linear", price * qty), ("inverse", qty), ("inverse", qty / price)]  # of an amount in quote currency
    if quote is None:
        rules = [("linear", qty), ("inverse", qty / price)]
    for kind, expected in rules:
        if (multiplier := _factor(amounts[0], expected)) is not None:
            return kind, multiplier
    return NEITHER


def _factor(amount: NDArray[np.float64], of: NDArray[np.float64]) -> float | None:
    """The round number that an amount is of another throughout; None: it is none."""
    at = int(np.argmax(amount))
    rounded = (float(f"{amount[at] / of[at]:.{digits}g}") for digits in range(1, _DIGITS + 1))
    return next((factor for factor in rounded if factor > 0 and _same(amount, factor * of)), None)


def _same(found: NDArray[np.float64], expected: NDArray[np.float64]) -> bool:
    """Whether amounts, or nearly all of them, are equal but for what their last decimals leave open."""
    last = 10.0 ** -min(_core.finest_decimals(np.ascontiguousarray(found)), 8)
    near = np.abs(found - expected) <= 1e-6 * np.abs(expected) + last
    return bool(near.mean() >= 0.95 and near[int(np.argmax(expected))])


def lines_of(piece: memoryview, symbol: str | None) -> Sequence[str]:
    """Return the first lines of a piece of text, of those that name a symbol."""
    if symbol is None:
        head = bytes(piece[: 400 * _ROWS]).split(b"\n", _ROWS)[:_ROWS]
    else:
        text = bytes(piece)
        word = symbol.encode()
        at = text.find(word)
        if at < 0:
            return []
        start = text.rfind(b"\n", 0, at) + 1
        head = [line for line in text[start : start + 400 * _ROWS].split(b"\n", _ROWS)[:_ROWS] if word in line]
    return [line.decode("utf-8", "replace") for line in head]


def quantities_of(
    report: FileReport,
    rows: Rows,
    contract: tuple[str, float] | None,
    *,
    layout: TradeLayout | None = None,
    table: Table | PayloadTable | None = None,
) -> Quantities:
    """Return what a file says of its quantities; `contract` is what its rows say."""
    whole = len(rows) >= _WHOLE_ROWS and report.qty_decimals == 0 and float(rows.price[0]) >= _WHOLE_PRICE
    if layout is None or table is None:
        return Quantities(report.name, rows=contract, whole=whole)
    among, exchange = layout.venues, ""
    if layout.exchange and table.header is not None:  # a column names the venue
        at = column_names(table.header).index(layout.exchange)
        exchange = next((row[at] for row in table.rows if len(row) > at), "")
        among = tuple(v.name for v in venues().values() if plain(exchange) in map(plain, (v.name, *v.aliases)))
    counts = layout.in_contracts(report.symbol, exchange)
    known = among or counts or not layout.exchange
    unit = {True: "contracts", False: "base", None: ""}[counts] if known else ""
    return Quantities(report.name, among, unit, contract, whole)
