"""What the readers of open interest, funding, mark prices and candles share: numbers by time, of several files."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError
from ..tables.parquet import ParquetTable
from ..words.times import Length, iso, parse_duration
from . import layout as layouts
from . import meaning
from .kinds import refuse_long
from .losses import check_losses, say_losses
from .parquet import to_float, to_time
from .payload import PayloadTable, is_payload
from .report import FileReport, ReadReport, count_unreadable
from .text import PathLike, Table, find_files, is_parquet
from .trade_files import line_of
from .trade_rows import TIME_FORMS, check_times, check_units

TIME = (*meaning.TIME, "create_time")
PRICE = ("mark_price", "mark", "markprice", "mark_px", "markpx")

_SAME = 1e-6  # relative, of values that are rounded in one file
_FEW = 5  # rows that may contradict

AnyTable = Table | PayloadTable | ParquetTable
Times = NDArray[np.int64]
Numbers = NDArray[np.float64]


class SpeaksOfErrors(Protocol):
    """What is read, in so far as errors name it."""

    def error(self, text: str) -> DataError: ...


_SYMBOL = re.compile(
    r"(?:^|[-_])(?P<symbol>(?=[A-Z0-9_]*[A-Z])[A-Z0-9]+(?:_[A-Z0-9]+)?)"
    r"[-_](?:metrics|fundingRate|funding|open-interest|\d+(?:s|m|h|d|w|mo)[-_.])"
)


@dataclass(slots=True)
class Part:
    """
    What one file gave.

    Attributes
    ----------
    ts : ndarray of int64, shape (n,)
        In file order.
    values : ndarray of float64, shape (k, n)
    report : FileReport
    """

    ts: Times
    values: Numbers
    report: FileReport

    def keep(self, reason: str, good: NDArray[np.bool_], nothing: NDArray[np.bool_] | None = None) -> None:
        """Leave out the rows that are not good, and count them, also those of them that say nothing."""
        empty = 0 if nothing is None else int(np.count_nonzero(nothing & ~good))
        self.report.reject(reason, int(len(good) - np.count_nonzero(good)), empty)
        if not good.all():
            self.ts, self.values = self.ts[good], self.values[:, good]


def read_parts(
    paths: PathLike | Sequence[PathLike],
    symbol: str | None,
    what: str,
    read: Callable[[AnyTable, FileReport], Part],
) -> tuple[list[Part], ReadReport]:
    """
    Read files one by one, in order of their first times.

    Where the names tell symbols, files of another one than asked for are left out.

    Raises
    ------
    DataError
        If a file cannot be used, or files of several symbols are given and none is chosen.
    """
    files = find_files(paths)
    guesses = {path: guess_symbol(path.name) for path in files}
    parts: list[Part] = []
    others: list[FileReport] = []
    named: dict[str, str] = {}  # symbol: the first file of it
    for path in files:
        if symbol is not None and symbol in guesses.values() and guesses[path] not in (None, symbol):
            left = FileReport(str(path), path.name, "", path.stat().st_size, symbol=guesses[path])
            left.warnings.append(f"left out: {what} of {guesses[path]}, asked for {symbol}")
            others.append(left)
            continue
        table = _open(path)
        notes = [] if isinstance(table, ParquetTable) else list(table.notes)
        report = FileReport(str(path), path.name, _kind(table), table.size, notes=notes)
        report.symbol = table.symbol if isinstance(table, PayloadTable) else None
        part = read(table, report)
        report.symbol = report.symbol or guesses[path]
        refuse_long(path.name, report.symbol)
        if report.symbol is not None:
            named.setdefault(report.symbol, path.name)
        say_losses(report)
        if not len(part.ts):
            counts = ", ".join(f"{count:,} {reason}" for reason, count in report.rejected.items())
            report.warnings.append(f"no usable row{': ' + counts if counts else ''}")
        parts.append(part)
    if symbol is None and len(named) > 1:
        listed = ", ".join(f"{name} in {file}" for name, file in named.items())
        raise DataError(f"expected {what} of one symbol, found {listed}: choose one with symbol=")
    parts = in_order(parts)
    return parts, ReadReport([*(part.report for part in parts), *others], complete=True)


def read_rows(
    table: AnyTable,
    report: FileReport,
    what: str,
    *,
    time: int,
    numbers: Sequence[int],
    symbol_at: int = -1,
    symbol: str | None = None,
) -> Part:
    """
    Read a time and some numbers of each row of one file, and count in its report what cannot be read.

    Parameters
    ----------
    table : Table, PayloadTable or ParquetTable
    report : FileReport
        Counts, time unit and symbol are written there.
    what : str
        What the rows are, for messages.
    time, symbol_at : int
        Which columns hold the time and the symbol, counted from 0; -1: there is no symbol.
    numbers : sequence of int
        Which columns to read; a row lacking one of them is rejected as ``not_finite``.
    symbol : str, optional
        The one to read.

    Raises
    ------
    DataError
        If the file has no rows, mixes time units, holds several symbols without a choice, or lacks the chosen one, or
        over 5 % of its rows cannot be read.
    """
    at = _At(time, numbers, symbol_at)
    if isinstance(table, ParquetTable):
        part, symbols = _parquet_rows(table, report, what, at, symbol)
    else:
        part, symbols = _text_rows(table, report, what, at, symbol)
    if symbol is None and len(symbols) > 1:
        raise table.error(f"expected one symbol, found {meaning.listed(symbols)}: choose one with symbol=")
    if symbol is not None and symbols and symbol not in symbols:
        raise table.error(f"expected rows of {symbol}, found {meaning.listed(symbols)}")
    if symbols:
        report.symbol = symbol or symbols[0]
    check_losses(report)
    return part


def join(parts: Sequence[Part], *, same_time: bool = True) -> tuple[Times, Numbers]:
    """
    Put the rows of all files in order of time, without repeats, and finish their reports.

    Files may overlap. Those that are newest first are turned round.

    Parameters
    ----------
    parts : sequence of Part
        At least one, in the order that `in_order` gives; of rows with the same time the one read last counts, but the
        last row of a file, which may have been written before its time was over, only where no other has its time.
    same_time : bool, default True
        Whether to leave only one row a time (``duplicate_time``). Otherwise left out (``duplicate``) are exact repeats
        of the row before, and what a file before has as often.

    Raises
    ------
    DataError
        If `same_time`, and files contradict each other in over 5 % of the times that they share.
    """
    parts = [part for part in parts if len(part.ts)] or parts[:1]
    for part in parts:
        if len(part.ts):
            part.report.resorted = int(np.count_nonzero(part.ts < np.maximum.accumulate(part.ts)))
        if np.count_nonzero(part.ts[1:] < part.ts[:-1]) > np.count_nonzero(part.ts[1:] > part.ts[:-1]):
            part.ts, part.values = part.ts[::-1], part.values[:, ::-1]
    ts = np.concatenate([part.ts for part in parts])
    values = np.concatenate([part.values for part in parts], axis=1)
    owner = np.repeat(np.arange(len(parts)), [len(part.ts) for part in parts])
    ends = np.concatenate([part.ts == part.ts.max(initial=0) for part in parts])
    order = np.lexsort((~ends, ts)) if same_time else np.argsort(ts, kind="stable")
    ts, values, owner, ends = ts[order], values[:, order], owner[order], ends[order]
    if same_time:
        repeated = np.zeros(len(ts), np.bool_)
        repeated[:-1] = ts[1:] == ts[:-1]
        _check_alone(parts, ts, values, owner)
        _check_agreement(parts, ts, values, owner, ends)
    else:
        repeated = _repeats(ts, values, owner)
    for number, part in enumerate(parts):
        mine = owner == number
        part.report.reject("duplicate_time" if same_time else "duplicate", int(np.count_nonzero(repeated & mine)))
        used = ts[mine & ~repeated]
        part.report.rows_used = len(used)
        if len(used):
            part.report.first_ts, part.report.last_ts = int(used[0]), int(used[-1])
    return np.ascontiguousarray(ts[~repeated]), np.ascontiguousarray(values[:, ~repeated])


def in_order(parts: Sequence[Part]) -> list[Part]:
    """Sort files by their first times, in one order however paths were given."""
    return sorted(
        parts, key=lambda part: (int(part.ts.min()) if len(part.ts) else -1, part.report.name, part.report.path)
    )


def _check_alone(parts: Sequence[Part], ts: Times, values: Numbers, owner: NDArray[np.int64]) -> None:
    """
    Refuse a file in which rows of one time begin with other values: it holds several markets.

    A candle that is written again while it grows keeps its open.
    """
    both = np.flatnonzero((ts[1:] == ts[:-1]) & (owner[1:] == owner[:-1]))
    a, b = values[0, both], values[0, both + 1]
    odd = both[(np.abs(a - b) > _SAME * np.maximum(np.abs(a), np.abs(b)))]
    for number in np.unique(owner[odd]):
        mine = odd[owner[odd] == number]
        if len(mine) > max(_FEW, 0.05 * np.count_nonzero(owner == number)):
            raise DataError(
                f"{parts[number].report.name}: expected one row a time, found {len(mine):,} that contradict the one "
                f"before, the first at {iso(int(ts[mine[0]]))}: of several markets? Give one file for each"
            )


def _check_agreement(
    parts: Sequence[Part], ts: Times, values: Numbers, owner: NDArray[np.int64], ends: NDArray[np.bool_]
) -> None:
    """Compare rows of different files with the same time, which are neighbours."""
    both = np.flatnonzero((ts[1:] == ts[:-1]) & (owner[1:] != owner[:-1]) & ~ends[:-1])
    a, b = values[:, both], values[:, both + 1]
    near = np.abs(a - b) <= _SAME * np.maximum(np.abs(a), np.abs(b))
    odd = both[~np.logical_and.reduce(near | np.isnan(a) | np.isnan(b), axis=0)]
    if len(odd) > max(_FEW, 0.05 * len(both)):
        one, other = (parts[owner[at]].report.name for at in (odd[0], odd[0] + 1))
        raise DataError(
            f"{one} and {other}: expected the same values at the same times, found others at {len(odd):,} of "
            f"{len(both):,}, the first at {iso(int(ts[odd[0]]))}: of two markets?"
        )
    for number in np.unique(owner[odd]):
        count = int(np.count_nonzero(owner[odd] == number))
        parts[number].report.warnings.append(f"{count:,} rows have other values than another file's of the same time")


def _repeats(ts: Times, values: Numbers, owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark rows that repeat the one before in their file, and those that a file before has as often."""
    rows = np.arange(len(ts))
    by_file = np.lexsort((rows, owner))
    same = (owner[by_file[1:]] == owner[by_file[:-1]]) & (ts[by_file[1:]] == ts[by_file[:-1]])
    same &= (values[:, by_file[1:]] == values[:, by_file[:-1]]).all(axis=0)
    repeated = np.zeros(len(ts), np.bool_)
    repeated[by_file[1:][same]] = True
    kept = rows[~repeated]
    columns = (*values[:, kept], ts[kept])
    order = np.lexsort((kept, owner[kept], *columns))  # alike side by side, by file
    alike = np.logical_and.reduce([column[order[1:]] == column[order[:-1]] for column in columns])
    # The number of each row among those alike in its file.
    begins = np.append(True, ~alike | (owner[kept[order[1:]]] != owner[kept[order[:-1]]]))[: len(order)]
    number = np.arange(len(order)) - np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    kinds = np.cumsum(np.append(True, ~alike)[: len(order)])
    again = np.lexsort((owner[kept[order]], number, kinds))
    twice = (kinds[again[1:]] == kinds[again[:-1]]) & (number[again[1:]] == number[again[:-1]])
    repeated[kept[order[again[1:][twice]]]] = True
    return repeated


def spacing(table: SpeaksOfErrors, ts: Times) -> int:
    """
    Length of the candles that begin (or end) at these times, ns: the usual distance, of which all are multiples.

    A single row that stands nearer to another must not change the length of all of them: it is refused.

    Returns
    -------
    int
        0 where there are fewer than two times.

    Raises
    ------
    DataError
        If the distances are no multiples of the most frequent one.
    """
    steps, counts = np.unique(np.diff(np.unique(ts)).astype(np.int64), return_counts=True)
    if not len(steps):
        return 0
    usual = int(steps[np.argmax(counts)])
    odd = [step for step in steps.tolist() if step % usual]
    if len(odd):
        found = ", ".join(f"{step / 1e9:g} s" for step in (usual, *odd[:3]))
        raise table.error(f"expected candles of one interval, found distances of {found}")
    return usual


def names_of(table: AnyTable) -> list[str] | None:
    """Return the names of the columns in lower case; None: the file does not tell them."""
    header = table.columns if isinstance(table, ParquetTable) else table.header
    return None if header is None else meaning.column_names(header)


def known_names(table: AnyTable) -> list[str]:
    """
    Return the names of the columns in lower case.

    Raises
    ------
    DataError
        If the file does not tell them.
    """
    names = names_of(table)
    if names is None:
        found = ",".join(head_rows(table, range(12))[0]).rstrip(",")
        raise table.error(f"expected a header that names the columns, found '{found[:80]}'")
    return names


def head_rows(table: AnyTable, at: Sequence[int]) -> list[list[str]]:
    """Return some columns of the first rows, at most 20, as text; empty where nothing is stored."""
    if not isinstance(table, ParquetTable):
        return [[row[i] if i < len(row) else "" for i in at] for row in table.rows]
    group = next((i for i, rows in enumerate(table.group_rows) if rows), None)
    if group is None:
        return []
    columns = table.read(group, [table.columns[i] for i in at])
    return [
        ["" if column.null is not None and column.null[row] else str(column.values[row]) for column in columns]
        for row in range(min(20, table.group_rows[group]))
    ]


def duration_ns(value: Length | None, name: str) -> int | None:
    """
    Return a length of time in ns; 0 is one too.

    Raises
    ------
    InvalidConfigError
        If it is none.
    """
    if value is None or (isinstance(value, int) and value == 0):
        return value
    return parse_duration(value, name=name)


def guess_symbol(name: str) -> str | None:
    """
    Guess a symbol from a file name.

    Examples
    --------
    >>> guess_symbol("BTCUSDT-metrics-2026-06-12.zip"), guess_symbol("1000PEPEUSDT-1m-2026-03.zip")
    ('BTCUSDT', '1000PEPEUSDT')
    >>> guess_symbol("BTCUSD_PERP-fundingRate-2026-03.zip"), guess_symbol("open-interest.csv")
    ('BTCUSD_PERP', None)
    """
    found = _SYMBOL.search(name)
    return found["symbol"] if found else layouts.guess_symbol(name)


def _open(path: Path) -> AnyTable:
    if is_parquet(path):
        return ParquetTable(path)
    return PayloadTable(path) if is_payload(path) else Table(path)


def _kind(table: AnyTable) -> str:
    return "parquet" if isinstance(table, ParquetTable) else "columns"


class _At(NamedTuple):
    """Where what is read stands in a row; a negative symbol: nowhere."""

    time: int
    numbers: Sequence[int]
    symbol: int


def _text_rows(
    table: Table | PayloadTable, report: FileReport, what: str, at: _At, symbol: str | None
) -> tuple[Part, list[str]]:
    if not table.rows:
        raise table.error(f"expected {what}, found only a header")
    symbols: dict[str, None] = {}
    times: list[Times] = []
    values: list[Numbers] = []
    units: dict[str, int] = {}
    for piece in table.pieces():
        room = _core.count_lines(piece)
        ts, found = np.empty(room, np.int64), np.empty((len(at.numbers), room), np.float64)
        counts = _core.parse_columns(
            piece,
            ts,
            found,
            time_column=at.time,
            columns=list(at.numbers),
            symbol_column=at.symbol,
            symbol=symbol or "",
            delimiter=table.delimiter,
        )
        if at.symbol >= 0:
            found_here = _core.distinct_values(
                piece, column=at.symbol, delimiter=table.delimiter, last=max(at.time, *at.numbers)
            )
            symbols.update(dict.fromkeys(found_here))
        for form, count in zip(TIME_FORMS, counts.times, strict=True):
            if count:
                units[form] = units.get(form, 0) + count
        report.rows_read += counts.rows
        count_unreadable(
            report, {"row": counts.unreadable_row, "time": counts.unreadable_time, "number": counts.unreadable_price}
        )
        report.reject("not_finite", counts.not_finite, counts.nothing)
        report.reject("other_symbol", counts.other_symbol)
        times.append(ts[: counts.used])
        values.append(found[:, : counts.used])
    check_units(report.name, units)
    report.time_unit = next(iter(units), None)
    part = Part(np.concatenate(times), np.concatenate(values, axis=1), report)
    check_times(report.name, part.ts, lambda ts: line_of(table, at.time, ts))
    return part, list(symbols)


def _parquet_rows(
    table: ParquetTable, report: FileReport, what: str, at: _At, symbol: str | None
) -> tuple[Part, list[str]]:
    if not sum(table.group_rows):
        raise table.error(f"expected {what}, found no rows")
    wanted = [table.columns[i] for i in (at.time, *at.numbers, at.symbol) if i >= 0]
    symbols: dict[str, None] = {}
    parts: list[Part] = []
    units: dict[str, int] = {}
    for group, rows in enumerate(table.group_rows):
        if not rows:
            continue
        columns = table.read(group, wanted)
        try:
            ts, readable, found = to_time(columns[0])
            values = np.stack([to_float(column) for column in columns[1 : 1 + len(at.numbers)]])
        except TypeError as error:
            raise table.error(f"expected numbers in {', '.join(wanted)}, found {error}") from error
        for unit, count in found.items():
            units[unit] = units.get(unit, 0) + count
        check_units(report.name, units)
        report.rows_read += rows
        part = Part(ts, values, report)
        if at.symbol >= 0:
            words = [str(word) for word in columns[-1].values]
            symbols.update(dict.fromkeys(words))
            if symbol is not None:
                wanted_rows = np.array([word == symbol for word in words], np.bool_)
                readable = readable[wanted_rows]
                part.keep("other_symbol", wanted_rows)
        if not readable.all():
            report.unreadable["time"] = report.unreadable.get("time", 0) + int(np.count_nonzero(~readable))
        part.keep("unreadable", readable)
        part.keep(
            "not_finite", np.logical_and.reduce(np.isfinite(part.values)), np.logical_or.reduce(np.isnan(part.values))
        )
        parts.append(part)
    report.time_unit = next(iter(units), None)
    ts = np.concatenate([part.ts for part in parts])
    check_times(
        report.name, ts, lambda odd: f"among the rows in order of the file, as number {list(ts).index(odd) + 1}"
    )
    return Part(ts, np.concatenate([part.values for part in parts], axis=1), report), list(symbols)
