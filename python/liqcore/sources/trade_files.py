"""One trade file each: text or Parquet, to columns that are readable but neither sorted nor free of repeats yet."""

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError, InvalidConfigError
from ..market.catalogue import venues
from ..market.contracts import Quantities
from ..market.listing import plain
from ..tables.parquet import Column, ParquetTable
from . import layout as layouts
from .formats import TRADE_LAYOUTS
from .layout import TradeColumns, TradeLayout
from .parquet import UNIT_NS, to_decimal, to_float, to_time, unit_of
from .quantity import contract_in, contract_of, lines_of
from .report import FileReport, count_unreadable
from .text import Table, is_parquet

TIME_FORMS = ("s", "ms", "us", "ns", "text")
MAX_UNREADABLE = 0.05
_ONE_SIDED_ROWS = 100
_ODD_DECIMALS = 10
_WHOLE_ROWS, _WHOLE_PRICE = 100, 1000  # so many trades at such a price are never all in whole coins
_BY_COLUMN_NAMES = "columns"
_PARQUET = "parquet"


@dataclass(slots=True)
class Rows:
    """
    Readable trades in file order.

    ``ids``: numbers >= 0, hashes < 0 or ``NO_ID``; None: no id column. ``in_order``: known to be sorted, so that nobody
    has to look again.
    """

    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    qty: NDArray[np.float64]
    taker_sell: NDArray[np.bool_]
    ids: NDArray[np.int64] | None = None
    in_order: bool = False

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Rows":
        """Select rows by mask or position, into new arrays."""
        ids = None if self.ids is None else self.ids[which]
        return Rows(self.ts[which], self.price[which], self.qty[which], self.taker_sell[which], ids)


Piece = Any  # what one kind of file calls a piece: text and where it ends, or the columns of a row group


class TradeFile(Protocol):
    """
    What a reader needs of a file.

    Attributes
    ----------
    report : FileReport
    first_ts : int
        The least time in the head of the file; 0 if no row there can be used.
    symbol_in_rows, symbol_in_name : bool
        Where ``report.symbol`` is from: a column, or the name of an archive; if neither, it is a guess from the name.
    left_out : bool
        Set where another symbol was asked for: the file is not to be read.
    """

    report: FileReport
    first_ts: int
    symbol_in_rows: bool
    symbol_in_name: bool
    left_out: bool

    def pieces(self, limit: int | None = None) -> Generator[Piece, None, None]:
        """
        Yield the file's contents, unpacked; ``limit`` tells that only about so many rows will be taken.

        Nothing else is touched, so that another thread may do this while `read` works on the piece before.
        """
        ...

    def read(
        self, pieces: Iterator[Piece], symbol: str | None, advance: Callable[[int], None], limit: int | None = None
    ) -> Iterator[Rows]:
        """
        Yield the rows of `pieces`, once all (text) or in stretches whose times do not overlap (sorted Parquet).

        ``advance`` is told how many bytes of the file are done. With ``limit`` only about that many rows are read.
        """
        ...

    def symbols(self) -> list[str]:
        """List the symbols in the whole file."""
        ...


def format_names() -> list[str]:
    """List what ``format=`` may be."""
    names = [layout.name for layout in TRADE_LAYOUTS]
    venues = [name.split("-")[0] for name in names]
    return ["auto", *dict.fromkeys([*venues, *names]), _BY_COLUMN_NAMES, _PARQUET]


def open_trade_file(path: Path, format: str = "auto") -> TradeFile:
    """
    Recognise a trade file.

    Raises
    ------
    DataError
        If it is empty, damaged or no trade file.
    InvalidConfigError
        If the format is unknown.
    """
    if format not in format_names():
        raise InvalidConfigError(f"format must be one of {', '.join(format_names())}; was {format!r}")
    if is_parquet(path):
        if format not in ("auto", _PARQUET):
            raise DataError(f"{path.name}: expected {format}, found a Parquet file")
        return _ParquetTrades(path)
    if format == _PARQUET:
        raise DataError(f"{path.name}: expected a Parquet file, found text or an archive")
    return _TextTrades(path, format)


def check_units(name: str, units: dict[str, int]) -> None:
    """Refuse a file that mixes time units."""
    if len(units) > 1:
        counts = ", ".join(f"{count:,} rows in {unit}" for unit, count in units.items())
        raise DataError(f"{name}: expected one time unit in a file, found {counts}")


def check_readable(name: str, unreadable: dict[str, int], rows: int, example: str = "") -> None:
    """Refuse a file of which more than 5 % of the rows cannot be read."""
    count = sum(unreadable.values())
    if count > MAX_UNREADABLE * rows:
        reasons = ", ".join(f"{what} {n:,}" for what, n in unreadable.items())
        raise DataError(
            f"{name}: expected at most {MAX_UNREADABLE:.0%} unreadable rows, "
            f"found {count:,} of {rows:,} ({reasons}){example}"
        )


class _TextTrades:
    def __init__(self, path: Path, format: str) -> None:
        self._table = Table(path)
        layout, self._columns = _find_layout(self._table, format)
        self._expected_units = layout.units if layout else ()
        self._layout = layout
        self._contract: tuple[str, float] | None = None  # that the rows say
        name = layout.name if layout else _BY_COLUMN_NAMES
        self.report = FileReport(str(path), path.name, name, self._table.size)
        if not self._table.rows:
            raise self._table.error("expected trades, found only a header")
        self.left_out = False
        self.symbol_in_rows = self._columns.symbol >= 0
        self.symbol_in_name = False
        if self.symbol_in_rows:
            found = _core.distinct_values(self._table.head(), column=self._columns.symbol, limit=2)
            self.report.symbol = found[0] if len(found) == 1 else None
        else:
            self.report.symbol = layout.symbol_in(path.name) if layout else None
            self.symbol_in_name = self.report.symbol is not None
            if not self.symbol_in_name:
                self.report.symbol = layouts.guess_symbol(path.name)
        head = self._table.head()
        parsed = self._parse(head, _core.count_lines(head), None)[0]
        self.first_ts = int(parsed.ts.min()) if len(parsed) else 0

    def symbols(self) -> list[str]:
        if not self.symbol_in_rows:
            return [self.report.symbol] if self.report.symbol else []
        found: dict[str, None] = {}
        for piece in self._table.pieces():
            found.update(dict.fromkeys(_core.distinct_values(piece, column=self._columns.symbol)))
        return list(found)

    def pieces(self, limit: int | None = None) -> Generator[tuple[memoryview, int], None, None]:
        for piece in self._table.pieces() if limit is None else self._table.pieces(1 << 21):
            yield piece, self._table.file.position

    def read(
        self,
        pieces: Iterator[tuple[memoryview, int]],
        symbol: str | None,
        advance: Callable[[int], None],
        limit: int | None = None,
    ) -> Iterator[Rows]:
        report = self.report
        wanted = symbol if symbol is not None else report.symbol if self.symbol_in_rows else None
        parts: list[Rows] = []
        units: dict[str, int] = {}
        lines = 1 if self._table.header is None else 2  # the number that the file's next line has
        example = ""
        for piece, position in pieces:
            room = _core.count_lines(piece)
            rows, counts = self._parse(piece, room, wanted)
            parts.append(rows)
            if self._contract is None and max(self._columns.base, self._columns.quote) >= 0:
                self._contract = contract_in(lines_of(piece, wanted), self._columns)
            self._count(counts)
            for form, count in zip(TIME_FORMS, counts.times, strict=True):
                if count:
                    units[form] = units.get(form, 0) + count
            if counts.first_unreadable >= 0 and not example:
                at = counts.first_unreadable
                line = bytes(piece[at : at + 400]).split(b"\n")[0].decode("utf-8", "replace").strip()
                number = lines + bytes(piece[:at]).count(b"\n")
                example = f"; the first is line {number}: '{line[:80]}'"
            lines += room
            advance(position)
            if limit is not None and report.rows_read - report.rejected.get("other_symbol", 0) >= limit:
                break
        others = report.rejected.get("other_symbol", 0)
        if symbol is None and others:
            raise DataError(several_symbols(report.name, self.symbols()))
        check_units(report.name, units)
        check_readable(report.name, report.unreadable, report.rows_read - others, example)
        report.time_unit = next(iter(units), None)
        if self._expected_units and report.time_unit and report.time_unit not in self._expected_units:
            expected = " or ".join(self._expected_units)
            report.warnings.append(f"times are in {report.time_unit}, the format says {expected}")
        if self.symbol_in_rows and wanted is not None and report.rows_read > others:
            report.symbol = wanted
        joined = [_join(parts)]
        parts.clear()
        report.quantities = quantities_of(report, joined[0], self._contract, layout=self._layout, table=self._table)
        yield joined.pop()  # nothing here holds the rows while they are used

    def _count(self, counts: _core.RowCounts) -> None:
        report = self.report
        report.rows_read += counts.rows
        count_unreadable(
            report,
            {
                "row": counts.unreadable_row,
                "time": counts.unreadable_time,
                "price": counts.unreadable_price,
                "quantity": counts.unreadable_quantity,
                "side": counts.unreadable_side,
            },
        )
        report.reject("not_finite", counts.not_finite)
        report.reject("not_positive", counts.not_positive)
        report.reject("unknown_side", counts.unknown_side)
        report.reject("other_symbol", counts.other_symbol)
        report.price_decimals = max(report.price_decimals, counts.price_decimals)
        report.qty_decimals = max(report.qty_decimals, counts.quantity_decimals)

    def _parse(self, piece: memoryview, room: int, symbol: str | None) -> tuple[Rows, _core.RowCounts]:
        columns = self._columns
        ts = np.empty(room, np.int64)
        price = np.empty(room, np.float64)
        qty = np.empty(room, np.float64)
        taker_sell = np.empty(room, np.bool_)
        ids = np.empty(room if columns.id >= 0 else 0, np.int64)
        counts = _core.parse_trades(
            piece,
            ts,
            price,
            qty,
            taker_sell,
            ids,
            time_column=columns.time,
            price_column=columns.price,
            qty_column=columns.quantity,
            side_column=columns.side,
            id_column=columns.id,
            symbol_column=columns.symbol,
            true_is_sell=columns.true_is_sell,
            symbol=symbol or "",
        )
        n = counts.used
        return Rows(ts[:n], price[:n], qty[:n], taker_sell[:n], ids[:n] if columns.id >= 0 else None), counts


_PLAIN_TYPES = (np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.float64), np.dtype(np.bool_))


# What nautilus_trader writes into the files of its catalogue.
_NAUTILUS = frozenset(["instrument_id", "price_precision", "size_precision"])


class _ParquetTrades:
    def __init__(self, path: Path) -> None:
        self._table = ParquetTable(path)
        names = self._table.columns
        self._at, missing = layouts.recognise(names)
        self._nautilus = self._table.metadata.keys() >= _NAUTILUS and {"ts_init", "aggressor_side"} <= set(names)
        if missing:
            raise DataError(_no_trades(path.name, names, missing))
        if self._nautilus:  # when a strategy was handed the trade, which is what files are sorted by
            self._at = replace(self._at, time=names.index("ts_init"))
        if not sum(self._table.group_rows):
            raise self._table.error("expected trades, found no rows")
        self.report = FileReport(str(path), path.name, _PARQUET, self._table.size)
        self.left_out = False
        self.symbol_in_rows = self._at.symbol >= 0
        self.symbol_in_name = False
        self.report.symbol = None if self.symbol_in_rows else layouts.guess_symbol(path.name)
        if self._nautilus:
            self.report.symbol = self._table.metadata["instrument_id"]
        first = next(group for group, rows in enumerate(self._table.group_rows) if rows)
        self._ranges = self._table.ranges(names[self._at.time])
        self.first_ts = self._first_ts(first)
        self._contracts = self._contracts_in(first)
        if self.symbol_in_rows:
            found = _words(self._table.read(first, [names[self._at.symbol]])[0])
            self.report.symbol = found[0] if len(found) == 1 else None

    def symbols(self) -> list[str]:
        if not self.symbol_in_rows:
            return [self.report.symbol] if self.report.symbol else []
        name = self._table.columns[self._at.symbol]
        found: dict[str, None] = {}
        for group in range(len(self._table.group_rows)):
            found.update(dict.fromkeys(_words(self._table.read(group, [name])[0])))
        return list(found)

    def pieces(self, limit: int | None = None) -> Generator[tuple[int, list[Column]], None, None]:
        names = [self._table.columns[i] for i in self._wanted()]
        taken = 0
        for group, count in enumerate(self._table.group_rows):
            if count:
                yield count, self._table.read(group, names)
            taken += count
            if limit is not None and taken >= limit:
                return

    def read(
        self,
        pieces: Iterator[tuple[int, list[Column]]],
        symbol: str | None,
        advance: Callable[[int], None],
        limit: int | None = None,
    ) -> Iterator[Rows]:
        report = self.report
        total = sum(self._table.group_rows)
        wanted = symbol if symbol is not None else report.symbol if self.symbol_in_rows else None
        streaming = self._groups_are_sorted()
        waiting: list[Rows] = []
        held = 0
        units: dict[str, int] = {}
        for count, columns in pieces:
            rows, found = self._group(count, columns, wanted)
            report.quantities = quantities_of(report, rows, self._contracts.get(wanted or ""))
            columns.clear()  # the rows have what they need of them
            for unit, n in found.items():
                units[unit] = units.get(unit, 0) + n
            check_units(report.name, units)
            others = report.rejected.get("other_symbol", 0)
            if symbol is None and others:
                raise DataError(several_symbols(report.name, self.symbols()))
            check_readable(
                report.name, report.unreadable, total - others if limit is None else report.rows_read - others
            )
            report.time_unit = next(iter(units), None)
            advance(self._table.size * report.rows_read // total)
            waiting.append(rows)
            held += len(rows)
            del rows
            # Small row groups are gathered, so that a batch is worth its call.
            if streaming and held >= 500_000:
                joined = [_join(waiting)]
                waiting.clear()
                held = 0
                yield joined.pop()  # nothing here holds the rows while they are used
        if waiting:
            yield _join(waiting)

    def _first_ts(self, group: int) -> int:
        """The least time of a row group, from its statistics where they tell."""
        known = self._ranges[group]
        if known is not None and isinstance(known[0], int | np.integer):
            ts, readable, _ = to_time(Column(np.array([known[0]])))
            if readable[0]:
                return int(ts[0])
        ts, readable, _ = self._time(self._table.read(group, [self._table.columns[self._at.time]])[0])
        return int(ts[readable].min()) if readable.any() else 0

    def _groups_are_sorted(self) -> bool:
        known = [pair for pair in self._ranges if pair is not None]
        return len(known) == len(self._ranges) and all(a[1] <= b[0] for a, b in itertools.pairwise(known))

    def _wanted(self) -> list[int]:
        at = self._at
        return [at.time, at.price, at.quantity, at.side] + [i for i in (at.id, at.symbol) if i >= 0]

    def _contracts_in(self, group: int) -> dict[str, tuple[str, float] | None]:
        """The contract that the amounts of a row group say, by symbol ("" where there is no column of it)."""
        at = self._at
        places = [i for i in (at.price, at.quantity, at.base, at.quote, at.symbol) if i >= 0]
        if max(at.base, at.quote) < 0:
            return {}
        columns = dict(zip(places, self._table.read(group, [self._table.columns[i] for i in places]), strict=True))
        price, qty, base, quote = (
            self._number(i, columns) if i >= 0 else None for i in (at.price, at.quantity, at.base, at.quote)
        )
        assert price is not None
        assert qty is not None
        words, codes = _codes(columns[at.symbol]) if at.symbol >= 0 else ([""], np.zeros(len(price), np.int64))
        found = {}
        for code, word in enumerate(words):
            first = np.flatnonzero(codes == code)[:200]
            amounts = (None if column is None else column[first] for column in (base, quote))
            found[word] = contract_of(price[first], qty[first], *amounts)
        return found

    def _group(self, count: int, read: list[Column], symbol: str | None) -> tuple[Rows, dict[str, int]]:
        clean = self._clean_group(read)
        if clean is not None:
            self.report.rows_read += count
            return clean
        report = self.report
        at = self._at
        names = self._table.columns
        columns = dict(zip(self._wanted(), read, strict=True))
        report.rows_read += count
        keep = np.ones(count, np.bool_)

        def reject(reason: str, bad: NDArray[np.bool_]) -> None:
            report.reject(reason, int((bad & keep).sum()))
            np.logical_and(keep, ~bad, out=keep)

        if symbol is not None and at.symbol >= 0:
            words, codes = _codes(columns[at.symbol])
            reject("other_symbol", np.array([word != symbol for word in words], np.bool_)[codes])
        for i in (at.time, at.price, at.quantity, at.side):
            null = columns[i].null
            if null is not None:
                reject(f"null_{names[i]}", null)
        ts, readable, units = self._time(columns[at.time])
        self._reject_unreadable("time", ~readable, reject, keep)
        price = self._number(at.price, columns)
        qty = self._number(at.quantity, columns)
        sides = self._sides(columns[at.side])
        self._reject_unreadable("side", sides == 3, reject, keep)
        reject("not_finite", ~(np.isfinite(price) & np.isfinite(qty)))
        reject("not_positive", ~((price > 0) & (qty > 0)))
        reject("unknown_side", sides == 2)
        rows = Rows(ts, price, qty, sides == 1, _ids(columns[at.id]) if at.id >= 0 else None)
        if not keep.all():
            rows = rows.take(keep)
        if symbol is not None and at.symbol >= 0 and len(rows):
            report.symbol = symbol
        report.price_decimals = max(report.price_decimals, _core.finest_decimals(rows.price))
        report.qty_decimals = max(report.qty_decimals, _core.finest_decimals(rows.qty))
        return rows, units

    def _clean_group(self, read: list[Column]) -> tuple[Rows, dict[str, int]] | None:
        """The usual row group, where one look shows that no row is to be rejected; None: it is not of that kind."""
        if len(read) > 4 or any(column.null is not None for column in read):
            return None
        ts, price, qty, side = (np.ascontiguousarray(column.values) for column in read)
        if (ts.dtype, price.dtype, qty.dtype, side.dtype) != _PLAIN_TYPES:
            return None
        check = _core.check_trades(ts, price, qty)
        unit = unit_of(check.low, check.high)
        if not check.usable or unit is None:
            return None
        if UNIT_NS[unit] > 1:
            ts = ts * UNIT_NS[unit]
        report = self.report
        report.price_decimals = max(report.price_decimals, check.price_decimals)
        report.qty_decimals = max(report.qty_decimals, check.qty_decimals)
        taker_sell = side if self._at.true_is_sell else ~side
        return Rows(ts, price, qty, taker_sell, in_order=check.in_order), {unit: len(ts)}

    def _reject_unreadable(
        self,
        what: str,
        bad: NDArray[np.bool_],
        reject: Callable[[str, NDArray[np.bool_]], None],
        keep: NDArray[np.bool_],
    ) -> None:
        count = int((bad & keep).sum())
        if count:
            self.report.unreadable[what] = self.report.unreadable.get(what, 0) + count
            reject("unreadable", bad)

    def _time(self, column: Column) -> tuple[NDArray[np.int64], NDArray[np.bool_], dict[str, int]]:
        try:
            return to_time(column)
        except TypeError as error:
            name = self._table.columns[self._at.time]
            raise self._table.error(f"column '{name}': expected numbers or timestamps, found {error}") from error

    def _number(self, at: int, columns: dict[int, Column]) -> NDArray[np.float64]:
        try:
            if self._nautilus:
                precision = self._table.metadata["price_precision" if at == self._at.price else "size_precision"]
                return to_decimal(columns[at], int(precision) if precision.isdecimal() else -1)
            return to_float(columns[at])
        except TypeError as error:
            raise self._table.error(f"column '{self._table.columns[at]}': expected numbers, found {error}") from error

    def _sides(self, column: Column) -> NDArray[np.int8]:
        values = column.values
        if self._nautilus:  # no aggressor, buyer, seller
            return np.select([values == 1, values == 2, values == 0], [np.int8(0), np.int8(1), np.int8(2)], np.int8(3))
        true_is_sell = self._at.true_is_sell
        if values.dtype.kind == "b":
            sides: NDArray[np.int8] = (values == true_is_sell).astype(np.int8)
            return sides
        words, codes = _codes(column)
        kinds = np.array([_core.parse_side(word, true_is_sell=true_is_sell) for word in words], np.int8)
        return np.asarray(kinds[codes])


def several_symbols(name: str, symbols: Sequence[str]) -> str:
    """Say that a choice is needed."""
    return f"{name}: expected one symbol, found {layouts.listed(symbols)}: choose one with symbol="


def _find_layout(table: Table, format: str) -> tuple[TradeLayout | None, TradeColumns]:
    """Return the layout, None if only the column names are known, and where its columns stand."""
    candidates = [layout for layout in TRADE_LAYOUTS if format in ("auto", layout.name, layout.name.split("-")[0])]
    name = table.path.name
    if table.header is not None:
        names = layouts.column_names(table.header)
        layout = layouts.by_header(candidates, table.header, table.rows)
        if layout is not None:
            return layout, layouts.places(layout, names)
        if format in ("auto", _BY_COLUMN_NAMES):
            columns, missing = layouts.recognise(names)
            if not missing:
                return None, columns
            raise DataError(_no_trades(name, table.header, missing))
        found = f"the columns {layouts.listed(table.header)}"
    else:
        layout = layouts.by_rows(candidates, table.rows)
        if layout is not None:
            return layout, layouts.places(layout, layout.columns)
        found = f"no header and rows such as '{table.first_line}'"
    if format not in ("auto", _BY_COLUMN_NAMES):
        expected = " or ".join(f"{layout.name} ({', '.join(layout.columns)})" for layout in candidates)
        raise DataError(f"{name}: expected {expected}; found {found}")
    hint = "; twelve columns may be candles: read_candles reads those" if len(table.rows[0]) == 12 else ""
    raise DataError(f"{name}: expected a trade file, found {found}{hint}")


def _no_trades(name: str, names: Sequence[str], missing: Sequence[str]) -> str:
    hint = "; this looks like candles: read_candles reads those" if layouts.looks_like_candles(names) else ""
    if len(missing) > 2:
        return f"{name}: expected a trade file, found the columns {layouts.listed(names)}{hint}"
    found = f"no column for {' and '.join(missing)} among {layouts.listed(names)}"
    return f"{name}: expected a trade file, found {found}{hint}"


def quantities_of(
    report: FileReport,
    rows: Rows,
    contract: tuple[str, float] | None,
    *,
    layout: TradeLayout | None = None,
    table: Table | None = None,
) -> Quantities:
    """Return what a file says of its quantities; `contract` is what its rows say."""
    whole = len(rows) >= _WHOLE_ROWS and report.qty_decimals == 0 and float(rows.price[0]) >= _WHOLE_PRICE
    if layout is None or table is None:
        return Quantities(report.name, rows=contract, whole=whole)
    among, exchange = layout.venues, ""
    if layout.exchange and table.header is not None:  # a column names the venue
        at = layouts.column_names(table.header).index(layout.exchange)
        exchange = next((row[at] for row in table.rows if len(row) > at), "")
        among = tuple(v.name for v in venues().values() if plain(exchange) in map(plain, (v.name, *v.aliases)))
    counts = layout.in_contracts(report.symbol, exchange)
    known = among or counts or not layout.exchange
    unit = {True: "contracts", False: "base", None: ""}[counts] if known else ""
    return Quantities(report.name, among, unit, contract, whole)


def _join(pieces: list[Rows]) -> Rows:
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return Rows(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.bool_))
    ids = [piece.ids for piece in pieces if piece.ids is not None]
    return Rows(
        np.concatenate([piece.ts for piece in pieces]),
        np.concatenate([piece.price for piece in pieces]),
        np.concatenate([piece.qty for piece in pieces]),
        np.concatenate([piece.taker_sell for piece in pieces]),
        np.concatenate(ids) if len(ids) == len(pieces) else None,
        in_order=all(piece.in_order for piece in pieces)
        and all(not len(b) or a.ts[-1] <= b.ts[0] for a, b in itertools.pairwise(filter(len, pieces))),
    )


def _codes(column: Column) -> tuple[list[str], NDArray[np.int64]]:
    """Number the different words of a column: the words, and for each row which one it is; "" at nulls."""
    values = column.values
    if values.dtype.kind == "f" and bool(np.all(np.isnan(values) | (values == np.rint(values)))):
        values = np.nan_to_num(values).astype(np.int64)  # whole numbers that a null made floating
    if values.dtype.kind in "iub":
        kinds, codes = np.unique(values, return_inverse=True)
        words = [str(kind) for kind in kinds]
    else:
        numbers: dict[object, int] = {}
        codes = np.fromiter((numbers.setdefault(v, len(numbers)) for v in values.tolist()), np.int64, len(values))
        words = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in numbers]
    if column.null is not None:
        codes = np.where(column.null, len(words), codes)
        words.append("")
    return words, codes


def _words(column: Column) -> list[str]:
    return sorted(word for word in _codes(column)[0] if word)


def _ids(column: Column) -> NDArray[np.int64]:
    if column.values.dtype.kind in "iu":
        ids = column.values.astype(np.int64)
        ids[ids < 0] = _core.NO_ID
    else:
        words, codes = _codes(column)
        ids = np.array([_core.parse_id(word) for word in words], np.int64)[codes]
    if column.null is not None:
        ids[column.null] = _core.NO_ID
    return ids


def add_warnings(report: FileReport, sells: int) -> None:
    """Note what a reader of a finished file should know."""
    used = report.rows_used
    if used > _ONE_SIDED_ROWS and sells in (0, used):
        side = "sell" if sells else "buy"
        report.warnings.append(f"all {used:,} trades are taker {side}s: check the side column")
    for what, decimals in (("prices", report.price_decimals), ("quantities", report.qty_decimals)):
        if decimals > _ODD_DECIMALS:
            report.warnings.append(f"{what} need {decimals} decimals: not on a grid")
    if used == 0:
        report.warnings.append("no usable row")
    late = report.rejected.get("late", 0)
    if late:
        report.warnings.append(f"{late:,} rows are earlier than what earlier files held, and were left out")
    for reason, count in report.rejected.items():
        if reason.startswith("null_"):
            report.warnings.append(f"{count:,} rows without a value in column '{reason[5:]}'")
