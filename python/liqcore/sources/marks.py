"""Mark prices from context and ticker files."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError
from ..parquet import ParquetTable
from . import layout as layouts
from .parquet import to_float, to_time
from .text import PathLike, Table, find_files, is_parquet
from .trade_files import TIME_FORMS, check_readable, check_units

MARK = ("mark_price", "mark", "markprice", "mark_px", "markpx")

_log = logging.getLogger(__name__)

_Marks = tuple[NDArray[np.int64], NDArray[np.float64]]


def read_marks(
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
) -> _Marks:
    """
    Read mark prices from Parquet or CSV files with a time and a ``mark`` or ``mark_price`` column.

    Such are Tardis derivative_ticker files and recordings of Hyperliquid's asset contexts. Rows without a mark are
    skipped; unreadable ones too, and logged as a warning of ``liqcore.sources.marks``.

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Files in any order; they are held in memory together, 16 bytes a row.
    symbol : str, optional
        The one to read where files hold several.

    Returns
    -------
    ts : ndarray of int64, shape (n,)
        Nanoseconds since the UNIX epoch, UTC; never falling.
    price : ndarray of float64, shape (n,)
        Mark prices above zero. Exact repeats of time and price are dropped.

    Raises
    ------
    DataError
        If a file is missing, damaged or has no such columns, mixes time units, holds several symbols without a
        choice, or has over 5 % unreadable rows.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "marks.csv"
    >>> _ = file.write_text("timestamp,mark_price\\n1781222400000,63605.5\\n1781222401000,63606.0\\n")
    >>> ts, price = read_marks(file)
    >>> price
    array([63605.5, 63606. ])
    """
    parts: list[_Marks] = []
    named: dict[str, str] = {}  # symbol: the first file of it
    files = find_files(paths)
    guesses = {layouts.guess_symbol(path.name) for path in files}
    for path in files:
        guess = layouts.guess_symbol(path.name)
        if symbol in guesses and guess not in (None, symbol):
            continue  # a file of another symbol
        part, found = _from_parquet(ParquetTable(path), symbol) if is_parquet(path) else _from_text(Table(path), symbol)
        parts.append(part)
        for name in found or ([guess] if guess else []):
            named.setdefault(name, path.name)
    if symbol is None and len(named) > 1:
        listed = ", ".join(f"{name} in {file}" for name, file in named.items())
        raise DataError(f"expected mark prices of one symbol, found {listed}: choose one with symbol=")
    ts = np.concatenate([part[0] for part in parts])
    price = np.concatenate([part[1] for part in parts])
    order = np.argsort(ts, kind="stable")
    ts, price = ts[order], price[order]
    new = np.ones(len(ts), np.bool_)
    new[1:] = (ts[1:] != ts[:-1]) | (price[1:] != price[:-1])
    return ts[new], price[new]


def _columns(table: Table | ParquetTable, names: Sequence[str]) -> tuple[int, int, int]:
    names = layouts.column_names(names)
    time, mark = layouts.find(names, layouts.TIME), layouts.find(names, MARK)
    if time < 0 or mark < 0:
        raise table.error(
            "expected columns for time (such as timestamp or ts_ms) and mark price (such as mark or mark_price), "
            f"found {layouts.listed(names)}"
        )
    return time, mark, layouts.find(names, layouts.SYMBOL)


def _from_text(table: Table, symbol: str | None) -> tuple[_Marks, list[str]]:
    name = table.path.name
    if table.header is None:
        raise table.error(f"expected a header that names the columns, found '{table.first_line}'")
    if not table.rows:
        raise table.error("expected mark prices, found only a header")
    time, mark, symbol_at = _columns(table, table.header)
    symbols: dict[str, None] = {}
    parts: list[_Marks] = []
    units: dict[str, int] = {}
    rows = unreadable = skipped = 0
    for piece in table.pieces():
        room = _core.count_lines(piece)
        ts, values = np.empty(room, np.int64), np.empty((1, room), np.float64)
        counts = _core.parse_columns(
            piece, ts, values, time_column=time, columns=[mark], symbol_column=symbol_at, symbol=symbol or ""
        )
        if symbol_at >= 0:
            symbols.update(dict.fromkeys(_core.distinct_values(piece, column=symbol_at)))
        for form, count in zip(TIME_FORMS, counts.times, strict=True):
            if count:
                units[form] = units.get(form, 0) + count
        rows += counts.rows - counts.other_symbol
        unreadable += counts.unreadable_row + counts.unreadable_time + counts.unreadable_price
        part, count = _positive(ts[: counts.used], values[0, : counts.used])
        skipped += counts.not_finite + count
        parts.append(part)
    _check_symbol(table, list(symbols), symbol)
    check_units(name, units)
    check_readable(name, {"rows": unreadable} if unreadable else {}, rows)
    _tell(name, unreadable, skipped, rows)
    return (np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])), list(symbols)


def _from_parquet(table: ParquetTable, symbol: str | None) -> tuple[_Marks, list[str]]:
    name = table.path.name
    time, mark, symbol_at = _columns(table, table.columns)
    if not sum(table.group_rows):
        raise table.error("expected mark prices, found no rows")
    wanted = [table.columns[i] for i in (time, mark, symbol_at) if i >= 0]
    parts: list[_Marks] = []
    units: dict[str, int] = {}
    symbols: dict[str, None] = {}
    skipped = unreadable = 0
    for group, count in enumerate(table.group_rows):
        if not count:
            continue
        columns = table.read(group, wanted)
        try:
            ts, readable, found = to_time(columns[0])
            price = to_float(columns[1])
        except TypeError as error:
            raise table.error(f"expected numbers in '{wanted[0]}' and '{wanted[1]}', found {error}") from error
        for unit, n in found.items():
            units[unit] = units.get(unit, 0) + n
        check_units(name, units)
        unreadable += int((~readable).sum())
        if symbol_at >= 0:
            words = np.array([str(word) for word in columns[2].values], np.str_)
            symbols.update(dict.fromkeys(str(word) for word in np.unique(words)))
            if symbol is not None:
                readable &= words == symbol
        part, bad = _positive(ts[readable], price[readable])
        skipped += bad
        parts.append(part)
    _check_symbol(table, list(symbols), symbol)
    rows = sum(table.group_rows)
    check_readable(name, {"time": unreadable} if unreadable else {}, rows)
    _tell(name, unreadable, skipped, rows)
    return (np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])), list(symbols)


def _positive(ts: NDArray[np.int64], price: NDArray[np.float64]) -> tuple[_Marks, int]:
    good = np.isfinite(price) & (price > 0)
    return (ts[good], price[good]), int(len(good) - good.sum())


def _check_symbol(table: Table | ParquetTable, found: list[str], symbol: str | None) -> None:
    if symbol is None and len(found) > 1:
        raise table.error(f"expected one symbol, found {layouts.listed(found)}: choose one with symbol=")
    if symbol is not None and found and symbol not in found:
        raise table.error(f"expected rows of {symbol}, found {layouts.listed(found)}")


def _tell(name: str, unreadable: int, skipped: int, rows: int) -> None:
    if unreadable or skipped:
        _log.warning(
            "%s: skipped %d unreadable rows and %d without a mark price, of %d", name, unreadable, skipped, rows
        )
