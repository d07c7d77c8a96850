"""One trade file each: text or Parquet, to columns that are readable but neither sorted nor free of repeats yet."""

import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError, InvalidConfigError
from ..tables.parquet import ParquetTable
from . import layout as layouts
from .fills import COINBASE, WORDS, Roles, known_users, roles_in, sort_out, users_of
from .formats import TRADE_LAYOUTS
from .kinds import check_symbol, refuse_liquidations, refuse_orders, refuse_other_events
from .layout import TradeLayout, are_names, guess_symbol, number_of
from .losses import check_losses
from .meaning import (
    SIDE_WORDS,
    SYMBOL,
    VENUE,
    TradeColumns,
    aggregate_of,
    column_names,
    find,
    listed,
    recognise,
    settle,
    tell_apart,
)
from .parquet_trades import ParquetTrades
from .payload import PayloadTable, is_payload
from .quantity import contract_in, lines_of, quantities_of
from .report import FileReport, count_unreadable
from .text import Table, is_mcap, is_parquet
from .trade_rows import (
    TIME_FORMS,
    Growing,
    Rows,
    check_times,
    check_units,
    no_trade_file,
    refuse_scaled,
    several_symbols,
)

_ONE_SIDED_ROWS = 100
_FEW_SIDES = 5
_ODD_DECIMALS = 10
_BY_COLUMN_NAMES = "columns"
_COINBASE = {"time", "trade_id", "price", "size", "side"}  # of the answers of its REST interface
_PARQUET = "parquet"
_JOURNAL = "journal"
_NO_PRICE = 9.2e18  # the largest 64-bit number, as far as a double tells


_SAVED = {
    "liqcore.heatmap": "a saved heatmap: load_heatmap, liqcore map and liqcore zones read it; for features or "
    "another model give the trades that it was made from, with config= for its settings",
    "liqcore.features": "saved features: load_features reads them",
    "liqcore.engine": "a saved engine: Engine.load reads it",
}

Piece = Any  # what one kind of file calls a piece: text and where it ends, or the columns of a row group


class TradeFile(Protocol):
    """
    What a reader needs of a file.

    Attributes
    ----------
    report : FileReport
    first_ts : int
        The least time in the head of the file; 0 if no row there can be used.
    market : str
        What tells files of other markets or granularities apart: layout and exchange; an empty string: nothing does.
    numbering : str
        Where ids are from: those of files with the same are compared; an empty string: there are none.
    symbol_in_rows, symbol_in_name : bool
        Where ``report.symbol`` is from: a column, or the name of an archive; if neither, it is a guess from the name.
    left_out : bool
        Set where another symbol was asked for: the file is not to be read.
    """

    report: FileReport
    first_ts: int
    market: str
    numbering: str
    symbol_in_rows: bool
    symbol_in_name: bool
    left_out: bool

    def least_ts(self) -> int:
        """
        Return the least time in the file, or a lower one.

        Where the head is in order the rest is taken to be, too, but for samples of plain text. A head in another order
        costs a look at the end of the file, or at all times in it.
        """
        ...

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
        Yield the rows of `pieces`, once all (text) or in stretches that have no time in common (sorted Parquet).

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
    return ["auto", *dict.fromkeys([*venues, *names]), _BY_COLUMN_NAMES, _PARQUET, _JOURNAL]


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
        table = ParquetTable(path)
        for key, what in _SAVED.items():
            if key in table.metadata:
                raise DataError(f"{path.name}: expected a trade file, found {what}")
        return ParquetTrades(path, table)
    if format == _PARQUET:
        raise DataError(f"{path.name}: expected a Parquet file, found text or an archive")
    if is_mcap(path):
        if format not in ("auto", _JOURNAL):
            raise DataError(f"{path.name}: expected {format}, found a journal")
        return _journal(path)
    if format == _JOURNAL:
        raise DataError(f"{path.name}: expected a journal, found another file")
    return _TextTrades(path, format)


def _journal(path: Path) -> TradeFile:
    try:
        from .journal import JournalTrades
    except ModuleNotFoundError as error:
        raise DataError(
            f'{path.name}: journals need the package {error.name}; install it with: pip install "liqcore[app]"'
        ) from None
    return JournalTrades(path)


class _TextTrades:
    def __init__(self, path: Path, format: str) -> None:
        self._table: Table | PayloadTable = PayloadTable(path) if is_payload(path) else Table(path)
        if not self._table.rows:
            raise self._table.error("expected trades, found only a header")
        layout, self._columns, notes, self._roles = _find_layout(self._table, format)
        self._layout = layout
        self._contract: tuple[str, float] | None = None  # that the rows say
        name = layout.name if layout else _BY_COLUMN_NAMES
        self.report = FileReport(str(path), path.name, name, self._table.size)
        self.report.notes, self.report.warnings = list(self._table.notes), notes
        self._scale = _price_scale(self._table, layout, self._columns)
        header = column_names(self._table.header) if self._table.header is not None else []
        self._venue = find(header, VENUE)
        self._venues: list[str] = []  # found so far
        at = self._columns.symbol  # what a column calls contracts, of whole quantities, are some
        self._names_contracts = header[at : at + 1] in (["contract"], ["contract_code"]) if at >= 0 else False
        self._only = -1
        if layout is not None and layout.only:
            self._only = ((self._table.header and column_names(self._table.header)) or layout.columns).index(
                layout.only[0]
            )
        self.left_out = False
        self.symbol_in_rows = self._columns.symbol >= 0
        self.symbol_in_name = False
        if self.symbol_in_rows:
            found = self._distinct(self._table.head(), self._columns.symbol, 2)
            self.report.symbol = found[0] if len(found) == 1 else None
        elif isinstance(self._table, PayloadTable) and self._table.symbol:
            self.report.symbol, self.symbol_in_name = self._table.symbol, True
        else:
            self.report.symbol = layout.symbol_in(path.name) if layout else None
            self.symbol_in_name = self.report.symbol is not None
            if not self.symbol_in_name:
                self.report.symbol = guess_symbol(path.name)
        check_symbol(path.name, self.report.symbol)
        head = self._table.head()
        if layout is None or not layout.price_digits:
            prices = [number_of(row[self._columns.price]) for row in self._table.rows if len(row) > self._columns.price]
            refuse_scaled(path.name, np.array(prices), self.report.symbol)
        parsed = self._parse(head, _core.count_lines(head), None)[0]
        self.first_ts = int(parsed.ts.min()) if len(parsed) else 0
        names = column_names(self._table.header) if self._table.header is not None else layout.columns if layout else ()
        self.numbering, self._columns = self._number(head, names)
        self.market = "" if layout is None else layout.name
        if layout is not None and layout.exchange and layout.exchange in names:
            at = names.index(layout.exchange)
            self.market += "/" + next((row[at] for row in self._table.rows if len(row) > at), "")

    def _number(self, head: memoryview, names: Sequence[str]) -> tuple[str, TradeColumns]:
        """Say where ids are from, and take those of an aggregate's trades if they are good for it."""
        columns = self._columns
        if columns.id < 0:
            return "", columns
        first, last = (names.index(name) if name in names else -1 for name in aggregate_of(names[columns.id]))
        if min(first, last) >= 0:
            found = np.empty((3, _core.count_lines(head)))
            used = _core.parse_columns(
                head, np.empty(found.shape[1], np.int64), found, time_column=columns.time,
                columns=[columns.id, first, last], delimiter=self._table.delimiter,
            ).used  # fmt: skip
            if tell_apart(*found[:, :used]):
                columns = replace(columns, id=first)
        return f"{self._layout.name if self._layout else ''}:{names[columns.id]}", columns

    def least_ts(self) -> int:
        table = self._table
        ts = self._times(table.head())
        if table.is_short and len(ts):
            return int(ts.min())
        slack = (int(ts.max()) - int(ts.min())) // 20 if len(ts) else 0  # so far neighbours may be out of order
        fallen, risen = (
            int(step.max(initial=0)) for step in (np.maximum.accumulate(ts) - ts, ts - np.minimum.accumulate(ts))
        )
        pieces: Iterable[memoryview] = table.pieces()
        if fallen <= slack < risen:
            least = int(ts.min()) - fallen
            samples = [int(part.min()) for part in map(self._times, table.samples()) if len(part)]
            if min(samples, default=least) >= least:
                return least
        elif risen <= slack < fallen:  # newest first
            pieces = deque(pieces, 1)
        parts = [int(part.min()) for part in (ts, *map(self._times, pieces)) if len(part)]
        return min(parts, default=0) - min(fallen, risen)

    def _times(self, piece: memoryview) -> NDArray[np.int64]:
        ts = np.empty(_core.count_lines(piece), np.int64)
        counts = _core.parse_columns(
            piece, ts, np.empty((0, len(ts))), time_column=self._columns.time, columns=[],
            delimiter=self._table.delimiter,
        )  # fmt: skip
        return ts[: counts.used]

    def symbols(self) -> list[str]:
        if not self.symbol_in_rows:
            return [self.report.symbol] if self.report.symbol else []
        found: dict[str, None] = {}
        for piece in self._table.pieces():
            found.update(dict.fromkeys(self._distinct(piece, self._columns.symbol)))
        return list(found)

    def pieces(self, limit: int | None = None) -> Generator[tuple[memoryview, int], None, None]:
        for piece in self._table.pieces() if limit is None else self._table.pieces(1 << 21):
            yield piece, self._table.position

    def read(
        self,
        pieces: Iterator[tuple[memoryview, int]],
        symbol: str | None,
        advance: Callable[[int], None],
        limit: int | None = None,
    ) -> Iterator[Rows]:
        report = self.report
        wanted = symbol if symbol is not None else report.symbol if self.symbol_in_rows else None
        found = Growing()
        units: dict[str, int] = {}
        lines = 1 + self._table.lines_before  # the number that the file's next line has
        for piece, position in pieces:
            room = _core.count_lines(piece)
            if self._only >= 0:
                self._check_only(piece)
            if self._venue >= 0:
                self._check_venue(piece)
            rows, counts = self._parse(piece, room, wanted)
            self._count(counts)
            if self._contract is None and max(self._columns.base, self._columns.quote) >= 0:
                self._contract = contract_in(lines_of(piece, wanted), self._columns, self._table.delimiter)
            if self._scale != 1:
                report.reject("not_finite", counts.used - len(rows))  # the largest number stands for no price
            if rows.users is not None:
                rows = known_users(rows, report)
                report.qty_decimals = max(report.qty_decimals, _core.finest_decimals(rows.qty))
            if self._decimals_later:
                report.price_decimals = max(report.price_decimals, _core.finest_decimals(rows.price))
            found.add(rows)
            del rows
            for form, count in zip(TIME_FORMS, counts.times, strict=True):
                if count:
                    units[form] = units.get(form, 0) + count
            if (at := counts.first_lost) >= 0 and not report.example:
                line = bytes(piece[at : at + 400]).split(b"\n")[0].decode("utf-8", "replace").strip()
                number = lines + bytes(piece[:at]).count(b"\n")
                report.example = f"line {number}: '{line[:80]}'"
            lines += room
            advance(position)
            if limit is not None and report.rows_read - report.rejected.get("other_symbol", 0) >= limit:
                break
        others = report.rejected.get("other_symbol", 0)
        if symbol is None and others:
            raise DataError(several_symbols(report.name, self.symbols()))
        check_units(report.name, units)
        if limit is None or report.rows_read < limit:  # a head need not be like its file
            check_losses(report)
        report.time_unit = next(iter(units), None)
        expected = self._layout.units if self._layout else ()
        if expected and report.time_unit and report.time_unit not in expected:
            report.warnings.append(f"times are in {report.time_unit}, the format says {' or '.join(expected)}")
        if self.symbol_in_rows and wanted is not None and report.rows_read > others:
            report.symbol = wanted
        joined = [found.rows()]
        del found
        if self._roles is not None:
            joined = [sort_out(joined.pop(), report, self._roles.name)]
        check_times(report.name, joined[0].ts, lambda ts: line_of(self._table, self._columns.time, ts))
        report.quantities = quantities_of(report, joined[0], self._contract, layout=self._layout, table=self._table)
        if self._names_contracts and report.quantities.whole and not report.quantities.unit:
            report.quantities = replace(report.quantities, unit="contracts")
        yield joined.pop()  # nothing here holds the rows while they are used

    def _distinct(self, text: memoryview, column: int, limit: int = 1000) -> list[str]:
        last = max(used_columns(self._columns))
        return _core.distinct_values(text, column=column, limit=limit, delimiter=self._table.delimiter, last=last)

    def _check_venue(self, piece: memoryview) -> None:
        found = [word for word in self._distinct(piece, self._venue) if word]
        self._venues = list(dict.fromkeys([*self._venues, *found]))
        if len(self._venues) > 1:
            raise self._table.error(
                f"expected trades of one venue, found {listed(self._venues)}: give one file for each"
            )

    def _check_only(self, piece: memoryview) -> None:
        assert self._layout is not None
        name, wanted = self._layout.only
        others = [word for word in self._distinct(piece, self._only) if word not in ("", wanted)]
        if others:
            raise self._table.error(
                f"expected trades alone ({name} {wanted}), found {listed(others)} too: orders are no trades"
            )

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
        report.reject("not_positive", counts.not_positive, counts.nothing)
        report.reject("unknown_side", counts.unknown_side)
        report.reject("other_symbol", counts.other_symbol)
        if not self._decimals_later:
            report.price_decimals = max(report.price_decimals, counts.price_decimals)
        if self._roles is None:
            report.qty_decimals = max(report.qty_decimals, counts.quantity_decimals)

    @property
    def _decimals_later(self) -> bool:
        """Whether what is counted of prices is not what is used."""
        return self._scale != 1 or self._roles is not None

    def _parse(self, piece: memoryview, room: int, symbol: str | None) -> tuple[Rows, _core.RowCounts]:
        columns = self._columns
        ts = np.empty(room, np.int64)
        price = np.empty(room, np.float64)
        qty = np.empty(room, np.float64)
        taker_sell = np.empty(room, np.bool_)
        ids = np.empty(room if columns.id >= 0 else 0, np.int64)
        said = self._roles.columns if self._roles is not None else []
        word = np.empty((len(said), room), np.int8) if said else None
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
            side_code=columns.code,
            symbol=symbol or "",
            delimiter=self._table.delimiter,
            word_columns=said,
            words=WORDS if said else (),
            word=word,
        )
        n = counts.used
        rows = Rows(ts[:n], price[:n], qty[:n], taker_sell[:n], ids[:n] if columns.id >= 0 else None)
        if self._roles is not None:
            rows.users = users_of(self._roles, n, dict(zip(said, [] if word is None else word[:, :n], strict=True)))
        return (rows if self._scale == 1 else self._unscaled(rows)), counts

    def _unscaled(self, rows: Rows) -> Rows:
        """Bring prices that count a small unit to decimals, without those that are none."""
        rows = rows.take(rows.price < _NO_PRICE)
        rows.price = rows.price / self._scale
        return rows


def line_of(table: Table | PayloadTable, column: int, ts: int) -> str:
    """Say in which line a time stands, and what that line is."""
    number = table.lines_before
    for piece in table.pieces():
        for line in bytes(piece).split(b"\n")[:-1] or [bytes(piece)]:
            number += 1
            found = np.zeros(1, np.int64)
            counts = _core.parse_columns(
                line, found, np.empty((0, 1)), time_column=column, columns=[], delimiter=table.delimiter
            )
            if counts.used and found[0] == ts:
                return f"in line {number} ('{line.decode('utf-8', 'replace').strip()[:80]}')"
    return "in a row"


def _price_scale(table: Table | PayloadTable, layout: TradeLayout | None, columns: TradeColumns) -> float:
    """What whole-number prices are to be divided by; 1: nothing."""
    if layout is None or not layout.price_digits:
        return 1.0
    cells = [row[columns.price] for row in table.rows if len(row) > columns.price]
    return float(10**layout.price_digits) if all(re.fullmatch(r"-?\d+", cell) for cell in cells) else 1.0


class _Found(NamedTuple):
    """The layout, None if only the column names are known; where its columns stand; notes; what of fills says whose."""

    layout: TradeLayout | None
    columns: TradeColumns
    notes: list[str]
    roles: Roles | None = None


def _find_layout(table: Table | PayloadTable, format: str) -> _Found:
    """Find where the columns stand, by a known layout or by their names."""
    if isinstance(table, PayloadTable):
        refuse_other_events(table.path, table.topic, table.header or [], table.rows)
    candidates = [layout for layout in TRADE_LAYOUTS if format in ("auto", layout.name, layout.name.split("-")[0])]
    path, name = table.path, table.path.name
    if table.header is not None:
        names = column_names(table.header)
        layout = layouts.by_header(candidates, table.header, table.rows)
        if layout is not None:
            places = layouts.places(layout, names)
            twice = [names[at] for at in used_columns(places) if names.count(names[at]) > 1]
            if twice:
                raise DataError(f"{name}: expected columns of different names, found two of {listed(twice)}")
            if places.symbol < 0:
                places = replace(places, symbol=_symbol_at(table, names, used_columns(places)))
            ids = [row[places.id] for row in table.rows if len(row) > places.id >= 0]
            refuse_liquidations(path, names, ids, layout.name != "tardis")
            return _Found(layout, places, [], _roles_of(table, names, places))
        if format in ("auto", _BY_COLUMN_NAMES):
            return _by_names(table, names)
        found = f"the columns {listed(table.header)}"
    else:
        fitting = layouts.by_rows(candidates, table.rows)
        if len(fitting) > 1:
            fitting = [layout for layout in fitting if layout.symbol_in(name)] or fitting
        if len(fitting) > 1:
            raise DataError(
                f"{name}: expected rows of one layout, found some that fit {listed([one.name for one in fitting])}: "
                "say which with format=, or name the columns in a header"
            )
        if fitting:
            return _Found(fitting[0], layouts.places(fitting[0], fitting[0].columns), [])
        found = f"no header and rows such as '{table.first_line}'"
    if format not in ("auto", _BY_COLUMN_NAMES):
        expected = " or ".join(f"{layout.name} ({', '.join(layout.columns)})" for layout in candidates)
        raise DataError(f"{name}: expected {expected}; found {found}")
    hint = "; twelve columns may be candles: read_candles reads those" if len(table.rows[0]) == 12 else ""
    raise DataError(f"{name}: expected a trade file, found {found}{hint}")


def _symbol_at(table: Table | PayloadTable, names: Sequence[str], taken: Sequence[int]) -> int:
    """Where each row names its market; -1: nowhere. Numbers are no names."""
    for name in SYMBOL:
        at = find(names, (name,))
        if at >= 0 and at not in taken and are_names([row[at] for row in table.rows if len(row) > at]):
            return at
    return -1


def _roles_of(table: Table | PayloadTable, names: Sequence[str], columns: TradeColumns) -> Roles | None:
    """Find what says whose the rows are, if they are fills of users."""

    def cells(at: int) -> list[str]:
        return [row[at] for row in table.rows if len(row) > at]

    if isinstance(table, PayloadTable) and set(names) == _COINBASE:
        return Roles(COINBASE, -1, -1, True, True)
    return roles_in(names, cells, [*used_columns(columns), columns.id, columns.symbol], table.error)


def _by_names(table: Table | PayloadTable, names: Sequence[str]) -> _Found:
    """Find the columns of no known layout by their names and numbers."""
    columns, missing = recognise(names)

    def cells(at: int) -> list[str]:
        return [row[at] if len(row) > at else "" for row in table.rows]

    def number(at: int) -> NDArray[np.float64]:
        return np.array([number_of(cell) for cell in cells(at)])

    sells = None
    if columns.side >= 0:
        sells = np.array([_core.parse_side(cell, side_code=columns.code) == 1 for cell in cells(columns.side)])
    columns, notes = settle(names, columns, number, range(len(names)), sells)
    if columns.side < 0 and notes and len(missing) == 1:
        missing = []
    if missing:
        raise DataError(no_trade_file(table.path.name, names, missing))
    columns = replace(columns, symbol=_symbol_at(table, names, used_columns(columns)))
    refuse_orders(table.path, names, table.rows)
    roles = _roles_of(table, names, columns)
    if roles is None and sells is not None:
        _refuse_contradiction(table, names, columns, cells)
    ids = cells(columns.id) if columns.id >= 0 else []
    refuse_liquidations(table.path, names, ids, False, fills=roles is not None)
    if all(re.fullmatch(r"\d{4}[-/]\d\d[-/]\d\d", cell) for cell in cells(columns.time)):
        raise table.error(f"expected times of day in column {names[columns.time]}, found dates alone")
    if columns.side >= 0 and names[columns.side] in SIDE_WORDS:
        words = set(cells(columns.side)) - {""}
        if words and words <= {"0", "1"}:
            notes.append(f"1 in column {names[columns.side]} is taken for a sell of the taker, 0 for a buy")
    return _Found(None, columns, notes, roles)


def _refuse_contradiction(
    table: Table | PayloadTable, names: Sequence[str], columns: TradeColumns, cells: Callable[[int], list[str]]
) -> None:
    """Refuse a table in which another column names the other side in every row."""
    said = [_core.parse_side(cell, side_code=columns.code) for cell in cells(columns.side)]
    for word in SIDE_WORDS:
        at = find(names, (word,))
        if at < 0 or at == columns.side or len(said) < _FEW_SIDES:
            continue
        other = [_core.parse_side(cell, side_code=columns.code) for cell in cells(at)]
        if all(a + b == 1 for a, b in zip(said, other, strict=True)):
            raise table.error(
                f"expected one side of the taker, found columns {names[columns.side]} and {names[at]} that say the "
                "opposite in every row: leave only the one that is the taker's"
            )


def used_columns(columns: TradeColumns) -> list[int]:
    """List the columns without which there is no trade."""
    return [at for at in (columns.time, columns.price, columns.quantity, columns.side) if at >= 0]


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
        counts = ", ".join(f"{count:,} {reason}" for reason, count in report.rejected.items())
        report.warnings.append(f"no usable row{': ' + counts if counts else ''}")
    late = report.rejected.get("late", 0)
    if late:
        report.warnings.append(f"{late:,} rows are earlier than what earlier files held, and were left out")
    for reason, count in report.rejected.items():
        if reason.startswith("null_"):
            report.warnings.append(f"{count:,} rows without a value in column '{reason[5:]}'")
