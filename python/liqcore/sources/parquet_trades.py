"""Trades in Parquet files: columns that are readable but neither sorted nor free of repeats yet."""

import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError
from ..tables.column import Column
from ..tables.parquet import ParquetTable
from .fills import WORDS, known_users, roles_in, sort_out, users_of
from .kinds import check_symbol, refuse_liquidations
from .layout import guess_symbol
from .losses import NOT_LOST, check_losses
from .meaning import (
    SYMBOL,
    VENUE,
    TradeColumns,
    aggregate_of,
    column_names,
    find,
    listed,
    quantity_like,
    recognise,
    settle,
    tell_apart,
)
from .parquet import UNIT_NS, to_decimal, to_float, to_time, unit_of
from .quantity import contract_of, quantities_of
from .report import FileReport
from .trade_rows import (
    Gathering,
    Rows,
    check_times,
    check_units,
    no_trade_file,
    refuse_scaled,
    several_symbols,
)

_HEAD_ROWS = 1000
_STRETCH = 500_000  # small row groups are gathered, so that a batch is worth its call
_PLAIN_TYPES = (np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.float64), np.dtype(np.bool_))


# What nautilus_trader writes into the files of its catalogue.
_NAUTILUS = frozenset(["instrument_id", "price_precision", "size_precision"])


class ParquetTrades:
    """A Parquet file of trades, found by the names of its columns; a `trade_files.TradeFile`."""

    def __init__(self, path: Path, table: ParquetTable | None = None) -> None:
        self._table = ParquetTable(path) if table is None else table
        names = self._table.columns
        found, missing = recognise(names)
        self._nautilus = self._table.metadata.keys() >= _NAUTILUS and {"ts_init", "aggressor_side"} <= set(names)
        if not sum(self._table.group_rows):
            raise self._table.error("expected trades, found no rows")
        first = next(group for group, rows in enumerate(self._table.group_rows) if rows)
        notes: list[str] = []
        if self._nautilus:  # when a strategy was handed the trade, which is what files are sorted by
            found = replace(found, time=names.index("ts_init"))
        else:
            found, notes = self._settled(found, first, bool(missing))
        if missing and not (notes and found.side < 0 and len(missing) == 1):
            raise DataError(no_trade_file(path.name, names, missing))
        found = replace(found, symbol=self._symbol_at(names, first, found))
        self._check_venue(names)
        self._at = found
        taken = [found.time, found.price, found.quantity, found.side, found.id, found.symbol]
        self._roles = None
        if not self._nautilus:
            self._roles = roles_in(names, lambda at: self._words_in(first, at), taken, self._table.error)
        refuse_liquidations(path, names, [], self._nautilus, fills=self._roles is not None)
        self.report = FileReport(str(path), path.name, "parquet", self._table.size, warnings=notes)
        self.left_out = False
        self.symbol_in_rows = self._at.symbol >= 0
        self.symbol_in_name = False
        self.report.symbol = None if self.symbol_in_rows else guess_symbol(path.name)
        if self._nautilus:
            self.report.symbol = self._table.metadata["instrument_id"]
        self._ranges = self._table.ranges(names[self._at.time])
        self.first_ts = self._first_ts(first)
        self.market = ""
        self._at = self._told_apart(first)
        self.numbering = "" if self._at.id < 0 else f":{names[self._at.id].lower()}"
        self._contracts = self._contracts_in(first)
        if self.symbol_in_rows:
            words = _words(self._table.read(first, [names[self._at.symbol]])[0])
            self.report.symbol = words[0] if len(words) == 1 else None
        check_symbol(path.name, self.report.symbol)

    def _settled(self, found: TradeColumns, group: int, incomplete: bool) -> tuple[TradeColumns, list[str]]:
        """Look at numbers, where names leave a choice."""
        names = self._table.columns
        like = quantity_like(names)
        if found.quantity < 0 or found.price < 0 or not (incomplete or len(like) > 1):
            return found, []
        wanted = list(dict.fromkeys([found.price, found.quantity, *like]))
        read = dict(zip(wanted, self._table.read(group, [names[at] for at in wanted]), strict=True))

        def number(at: int) -> NDArray[np.float64]:
            column = read[at]
            try:
                return to_float(_head(column))
            except TypeError:
                return np.full(min(_HEAD_ROWS, len(column.values)), np.nan)

        return settle(names, found, number, like)

    def _told_apart(self, group: int) -> TradeColumns:
        """The columns, with ids of an aggregate's trades in place of its own if they are good for it."""
        names = [name.lower() for name in self._table.columns]
        own = names[self._at.id] if self._at.id >= 0 else ""
        wanted = [own, *aggregate_of(own)]
        if not own or not set(wanted) <= set(names):
            return self._at
        places = [names.index(name) for name in wanted]
        read = self._table.read(group, [self._table.columns[at] for at in places])
        try:
            ids = [to_float(_head(column)) for column in read]
        except TypeError:
            return self._at
        return replace(self._at, id=places[1]) if tell_apart(*ids) else self._at

    def least_ts(self) -> int:
        groups = [group for group, rows in enumerate(self._table.group_rows) if rows]
        if any(self._ranges[group] is None for group in groups):
            first = self._ordered_from(groups[0])
            if first is not None and self._first_ts(groups[-1]) >= first:
                return first
        return min(map(self._first_ts, groups))

    def _ordered_from(self, group: int) -> int | None:
        """The first time of a row group whose rows are in order; None: they are not."""
        ts, readable, _ = self._time(self._table.read(group, [self._table.columns[self._at.time]])[0])
        ts = ts[readable]
        return int(ts[0]) if len(ts) and np.all(ts[1:] >= ts[:-1]) else None

    def _symbol_at(self, names: list[str], group: int, found: TradeColumns) -> int:
        """Where each row names its market; -1: nowhere. Numbers are no names."""
        for name in SYMBOL:
            at = find(column_names(names), (name,))
            if at >= 0 and at not in (found.time, found.price, found.quantity, found.side):
                column = self._table.read(group, [names[at]])[0]
                if column.values.dtype.kind in "OUTS":
                    return at
        return -1

    def _check_venue(self, names: list[str]) -> None:
        at = find(column_names(names), VENUE)
        if at < 0 or self._nautilus:
            return
        words: dict[str, None] = {}
        for group, rows in enumerate(self._table.group_rows):
            if rows:
                words |= dict.fromkeys(_codes(self._table.read(group, [names[at]])[0])[0])
        if len([word for word in words if word]) > 1:
            raise self._table.error(
                f"expected trades of one venue, found {listed(list(words))}: give one file for each"
            )

    def _words_in(self, group: int, at: int) -> list[str]:
        """The first values of a column, as text."""
        column = self._table.read(group, [self._table.columns[at]])[0]
        words, codes = _codes(_head(column))
        return [words[code] for code in codes]

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
        streaming = self._groups_are_sorted() and self._roles is None  # a trade's two rows may lie in two groups
        gathering = Gathering(_STRETCH if streaming else total + 1)
        units: dict[str, int] = {}
        ends = iter(self._cuts())
        for count, columns in pieces:
            cut = next(ends)
            rows, found = self._group(count, columns, wanted)
            report.quantities = quantities_of(report, rows, self._contracts.get(wanted or ""))
            columns.clear()  # the rows have what they need of them
            for unit, n in found.items():
                units[unit] = units.get(unit, 0) + n
            check_units(report.name, units)
            others = report.rejected.get("other_symbol", 0)
            if symbol is None and others:
                raise DataError(several_symbols(report.name, self.symbols()))
            if limit is None or total <= limit:  # a head need not be like its file
                check_losses(report, more=total - report.rows_read)
            report.time_unit = next(iter(units), None)
            advance(self._table.size * report.rows_read // total)
            done = gathering.add(rows, cut)
            del rows
            yield from self._checked(done)
        yield from self._checked(gathering.rest())

    def _checked(self, stretches: list[Rows]) -> Iterator[Rows]:
        while stretches:
            if self._roles is not None:
                stretches[0] = sort_out(stretches[0], self.report, self._roles.name)
            check_times(self.report.name, stretches[0].ts, self._row_of, in_order=stretches[0].in_order)
            yield stretches.pop(0)  # nothing here holds the rows while they are used

    def _cuts(self) -> list[bool]:
        """Whether the times of a row group end before those of the next begin."""
        known = [pair for pair, rows in zip(self._ranges, self._table.group_rows, strict=True) if rows]
        return [a is not None and b is not None and a[1] < b[0] for a, b in itertools.pairwise(known)] + [True]

    def _row_of(self, ts: int) -> str:
        """Say in which row of the file a time stands."""
        before = 0
        for group, count in enumerate(self._table.group_rows):
            if count:
                found = self._time(self._table.read(group, [self._table.columns[self._at.time]])[0])[0]
                if len(places := np.flatnonzero(found == ts)):
                    return f"in row {before + int(places[0]) + 1}"
            before += count
        return "in a row"

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
        if any(isinstance(low, str | bytes) for low, _ in known):
            return False  # the order of words is not that of times
        return len(known) == len(self._ranges) and all(a[1] <= b[0] for a, b in itertools.pairwise(known))

    def _wanted(self) -> list[int]:
        at = self._at
        roles = self._roles.columns if self._roles is not None else []
        return [at.time, at.price, at.quantity] + [i for i in (at.side, at.id, at.symbol, *roles) if i >= 0]

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
            if reason not in NOT_LOST and not report.example:
                lost = bad & keep & (qty != 0) if reason == "not_positive" else bad & keep
                if lost.any():
                    report.example = f"row {report.rows_read - count + int(np.argmax(lost)) + 1} ({reason})"
            np.logical_and(keep, ~bad, out=keep)

        if symbol is not None and at.symbol >= 0:
            words, codes = _codes(columns[at.symbol])
            reject("other_symbol", np.array([word != symbol for word in words], np.bool_)[codes])
        for i in self._wanted()[: 3 if at.side < 0 else 4]:
            null = columns[i].null
            if null is not None:
                reject(f"null_{names[i]}", null)
        ts, readable, units = self._time(columns[at.time])
        self._reject_unreadable("time", ~readable, reject, keep)
        price = self._number(at.price, columns)
        qty = self._number(at.quantity, columns)
        if price.size and columns[at.price].values.dtype.kind in "iuO" and not self._nautilus:
            refuse_scaled(report.name, price[:_HEAD_ROWS], report.symbol)
        if at.side < 0:  # the sign tells
            sides, qty = (qty < 0).astype(np.int8), np.abs(qty)
        else:
            sides = self._sides(columns[at.side])
        self._reject_unreadable("side", sides == 3, reject, keep)
        reject("not_finite", ~(np.isfinite(price) & np.isfinite(qty)))
        report.reject("not_positive", 0, int(np.count_nonzero((qty == 0) & keep)))
        reject("not_positive", ~((price > 0) & (qty > 0)))
        reject("unknown_side", sides == 2)
        rows = Rows(ts, price, qty, sides == 1, _ids(columns[at.id]) if at.id >= 0 else None)
        if self._roles is not None:
            rows.users = users_of(self._roles, count, {i: _words_at(columns[i]) for i in self._roles.columns})
        if not keep.all():
            rows = rows.take(keep)
        if self._roles is not None:
            rows = known_users(rows, report)
        if symbol is not None and at.symbol >= 0 and len(rows):
            report.symbol = symbol
        report.price_decimals = max(report.price_decimals, _core.finest_decimals(rows.price))
        report.qty_decimals = max(report.qty_decimals, _core.finest_decimals(rows.qty))
        return rows, units

    def _clean_group(self, read: list[Column]) -> tuple[Rows, dict[str, int]] | None:
        """The usual row group, where one look shows that no row is to be rejected; None: it is not of that kind."""
        if len(read) != 4 or self._at.side < 0 or self._roles is not None:
            return None
        if any(column.null is not None for column in read):
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
        if values.dtype.kind == "b":
            sides: NDArray[np.int8] = (values == self._at.true_is_sell).astype(np.int8)
            return sides
        words, codes = _codes(column)
        kinds = np.array([_core.parse_side(word, side_code=self._at.code) for word in words], np.int8)
        return np.asarray(kinds[codes])


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


def _head(column: Column) -> Column:
    return Column(column.values[:_HEAD_ROWS], None if column.null is None else column.null[:_HEAD_ROWS])


def _words_at(column: Column) -> NDArray[np.int8]:
    """Which of `WORDS` stands in each row of a column; -1: another."""
    words, codes = _codes(column)
    known = {word: number for number, word in enumerate(WORDS)}
    return np.array([known.get(word.strip().lower(), -1) for word in words], np.int8)[codes]


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
