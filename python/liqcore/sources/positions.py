"""Positions as they are: where each is liquidated, by snapshot; of accounts one by one, or summed to levels."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, InvalidConfigError
from ..tables.column import Column
from ..tables.parquet import ParquetTable
from ..words.times import Length, parse_duration
from . import meaning
from .losses import say_losses
from .parquet import to_float, to_time
from .payload import PayloadTable, is_payload
from .position_states import PositionStates, holds_states
from .report import FileReport, ReadReport
from .text import PathLike, Table, find_files, is_parquet
from .trade_rows import check_units

LEVEL = ("liquidation_price", "liquidation_px", "liq_price", "liq_px", "liquidationpx", "level")
SIDE = ("position_side", "pos_side", "side", "direction")
SIZE = ("szi", *meaning.QUANTITY)
USD = ("usd", "usd_value", "position_value", "notional_usd", "size_usd", "notional", "value")
ENTRY = ("entry_price", "entry_px", "entrypx", "avg_entry_price", "entry")
LEVERAGE = ("leverage", "leverage_value", "lever")
MODE = ("margin_mode", "leverage_type", "margin_type", "mode")
ACCOUNT = ("account", "user", "address", "wallet", "account_id")
MARK = ("mark_price", "mark_px", "markpx", "mark", *meaning.PRICE)

MOST_ROWS = 20_000_000
_SPLIT = re.compile(r"(?:usd|notional|value)_?(?:up)?_?to_?(?P<leverage>\d+)x?\Z")
_SIDES = {"long": 1, "buy": 1, "b": 1, "l": 1, "short": -1, "sell": -1, "a": -1, "s": -1}
_MODES = {"isolated": 1, "cross": 0, "crossed": 0}
_AGREES = 0.01  # of the USD: what a split by leverage may differ from them, which are rounded
_OFF, _ODD = 0.1, 0.02  # how far, in bins, so many of the levels of sums may lie off their grid
_MOST_PARTS = 5  # bins between two levels that are nearest to each other
_ROUNDED = 5e-4  # of the price


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """
    Positions by snapshot, sorted by time: what is liquidated where.

    Attributes
    ----------
    ts : ndarray of int64, shape (n,)
        Time of the snapshot: when the last of it was known, nanoseconds since the UNIX epoch, UTC.
    is_long : ndarray of bool, shape (n,)
    level : ndarray of float64, shape (n,)
        Liquidation price as the venue gives it; of sums the middle of the level's bin.
    usd, quantity : ndarray of float64, shape (n,)
        Notional at the snapshot's price, and base currency; both above 0.
    leverage, entry : ndarray of float64, shape (n,)
        Chosen leverage (of sums the upper end of its group) and entry price; NaN where not told.
    isolated : ndarray of int8, shape (n,)
        1 isolated, 0 cross margin, -1 not told.
    price : ndarray of float64, shape (n,)
        Price of the market at the snapshot; NaN where not told.
    account : ndarray of int64, shape (n,)
        Number of the account; -1 where sums are of several.
    width : float
        Of sums: height of a level's bin, as a share of the snapshot's price; 0: levels are exact.
    symbol : str
    report : ReadReport
        What was read and rejected, by file.
    """

    ts: NDArray[np.int64]
    is_long: NDArray[np.bool_]
    level: NDArray[np.float64]
    usd: NDArray[np.float64]
    quantity: NDArray[np.float64]
    leverage: NDArray[np.float64]
    entry: NDArray[np.float64]
    isolated: NDArray[np.int8]
    price: NDArray[np.float64]
    account: NDArray[np.int64]
    width: float = 0.0
    symbol: str = ""
    report: ReadReport = field(default_factory=ReadReport)

    def __post_init__(self) -> None:
        names = ("is_long", "level", "usd", "quantity", "leverage", "entry", "isolated", "price", "account")
        if any(len(getattr(self, name)) != len(self.ts) for name in names):
            raise InvalidConfigError(f"ts, {', '.join(names)} must be of one length")
        if (self.ts[1:] < self.ts[:-1]).any():
            raise InvalidConfigError("ts must not fall")
        for name in ("level", "usd", "quantity"):
            values = getattr(self, name)
            if not (np.isfinite(values) & (values > 0)).all():
                raise InvalidConfigError(f"{name} must be finite and above 0")
        if not 0 <= self.width < 1:
            raise InvalidConfigError(f"width must be a share of the price, at least 0 and below 1, was {self.width}")

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.ts)

    @property
    def times(self) -> NDArray[np.int64]:
        """Times of the snapshots, rising."""
        return np.unique(self.ts)

    @property
    def accounts(self) -> int | None:
        """How many accounts there are; None where sums do not say."""
        known = np.unique(self.account[self.account >= 0])
        return len(known) or None

    def snapshot(self, ts: int) -> Positions:
        """Return the rows of one snapshot, by its time; none where there is none."""
        return self.among(slice(*np.searchsorted(self.ts, [ts, ts + 1])))

    def among(self, rows: slice | NDArray[np.bool_]) -> Positions:
        """Return some of the rows, in their order."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return Positions(**columns, width=self.width, symbol=self.symbol, report=self.report)


_COLUMNS = ("ts", "is_long", "level", "usd", "quantity", "leverage", "entry", "isolated", "price", "account")


def read_positions(
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    gather: Length = "1m",
) -> Positions:
    """
    Read snapshots of positions: of accounts, or sums by level.

    Of accounts: one row a position with a time, a symbol, a side (or a size below zero for shorts), the liquidation
    price, a size or USD, and perhaps entry price, leverage, margin mode, account and mark price; or Hyperliquid's
    answers to ``clearinghouseState``, saved as JSON one a line, in a list or by account. Of sums: one row a level with
    its USD, and perhaps those USD split by leverage (``usd_to_10x``, ``usd_to_25x``, ...).

    Left out and counted: rows whose time or numbers cannot be read; without a side; of a size of zero; positions that
    no price liquidates (``no_price``); a long's level at or above the price or a short's at or below
    (``beyond_price``); a side or split that contradicts the size (``contradictory``); a position or level that the
    snapshot has already (``duplicate``).

    Parameters
    ----------
    paths : path, pattern or sequence of those
        CSV (plain, zip, gzip), JSON or Parquet.
    symbol : str, optional
        The one to read where files hold several, such as "BTC".
    gather : duration, default "1m"
        Rows within so long of a snapshot's first belong to it: accounts are asked one after the other. It counts as
        known when the last of them was. 0: each time is a snapshot.

    Returns
    -------
    Positions

    Raises
    ------
    DataError
        If a file is missing, damaged, of another kind, holds several symbols without a choice, or has over 5 % rows
        that are lost.
    InvalidConfigError
        If an argument breaks its rule.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "positions.csv"
    >>> _ = file.write_text(
    ...     "time,coin,side,size,liquidation_price,leverage,account\\n"
    ...     "1769424126000,BTC,long,2,80000,10,a\\n1769424127000,BTC,short,1,95000,20,b\\n"
    ... )
    >>> found = read_positions(file)
    >>> found.accounts, len(found.times), found.level
    (2, 1, array([80000., 95000.]))
    """
    gather_ns = 0 if isinstance(gather, int) and gather == 0 else parse_duration(gather, name="gather")
    parts: list[dict[str, NDArray[Any]]] = []
    reports: list[FileReport] = []
    accounts: dict[str, int] = {}
    symbols: dict[str, None] = {}
    for path in find_files(paths):
        names, cells, report = _open(path)
        parts.append(_read(names, cells, report, symbol, symbols, accounts))
        reports.append(report)
    if symbol is None and len(symbols) > 1:
        raise DataError(
            f"expected positions of one symbol, found {meaning.listed(list(symbols))}: choose one with symbol="
        )
    if symbol is not None and symbols and symbol not in symbols:
        raise DataError(f"expected positions of {symbol}, found {meaning.listed(list(symbols))}")
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["file"] = np.repeat(np.arange(len(parts)), [len(part["ts"]) for part in parts])
    columns = _gathered(columns, gather_ns)
    columns = _once(columns, reports)
    for number, report in enumerate(reports):
        mine = columns["ts"][columns["file"] == number]
        report.rows_used = len(np.unique(columns["row"][columns["file"] == number]))
        if len(mine):
            report.first_ts, report.last_ts = int(mine.min()), int(mine.max())
        say_losses(report)
    if not len(columns["ts"]):
        counts = ", ".join(f"{count:,} {reason}" for report in reports for reason, count in report.rejected.items())
        raise DataError(f"{reports[0].name}: expected positions, found no usable row ({counts or 'it is empty'})")
    sums = bool((columns["account"] < 0).all() and columns.pop("sums").any())
    width = _bin_width(columns) if sums else 0.0
    return Positions(
        **{name: columns[name] for name in _COLUMNS},
        width=width,
        symbol=symbol or next(iter(symbols), ""),
        report=ReadReport(reports, complete=True),
    )


def _open(path: Path) -> tuple[list[str], list[Column], FileReport]:
    """Return names, columns and an empty report of one file."""
    if is_parquet(path):
        table = ParquetTable(path)
        names = meaning.column_names(table.columns)
        _check_rows(path, sum(table.group_rows))
        read = [table.read(group, table.columns) for group, rows in enumerate(table.group_rows) if rows]
        if not read:
            raise table.error("expected positions, found no rows")
        columns = [
            Column(np.concatenate([one.values for one in of]), np.concatenate([_null(one) for one in of]))
            for of in zip(*read, strict=True)
        ]
        return names, columns, FileReport(str(path), path.name, "parquet", table.size)
    if is_payload(path) and holds_states(path):
        states = PositionStates(path)
        if not states.rows:
            raise states.error(f"expected positions, found {states.states:,} accounts without any")
        _check_rows(path, len(states.rows))
        report = FileReport(str(path), path.name, "hyperliquid-states", states.size)
        return list(states.header), _text_columns(states.rows, len(states.header)), report
    text: Table | PayloadTable = PayloadTable(path) if is_payload(path) else Table(path)
    if text.header is None:
        raise text.error(f"expected a header that names the columns, found '{text.first_line}'")
    rows: list[list[str]] = []
    for piece in text.pieces():
        lines = io.StringIO(bytes(piece).decode("utf-8", "replace").replace("\r", "\n").replace("\0", " "))
        try:
            rows += [row for row in csv.reader(lines, delimiter=text.delimiter, skipinitialspace=True) if row]
        except csv.Error as error:
            raise text.error(f"expected delimited text, found it damaged ({error})") from None
        _check_rows(path, len(rows))
    report = FileReport(str(path), path.name, "columns", text.size, notes=list(text.notes))
    return meaning.column_names(text.header), _text_columns(rows, len(text.header)), report


def _check_rows(path: Path, rows: int) -> None:
    if rows > MOST_ROWS:
        raise DataError(f"{path.name}: expected at most {MOST_ROWS:,} positions, found more: give fewer snapshots")


def _null(column: Column) -> NDArray[np.bool_]:
    return np.zeros(len(column.values), np.bool_) if column.null is None else column.null


def _text_columns(rows: Sequence[Sequence[str]], width: int) -> list[Column]:
    """Turn rows of text to columns; what a row lacks is empty."""
    table = [[*row[:width], *[""] * (width - len(row))] for row in rows]
    return [Column(np.array(of, dtype=object)) for of in zip(*table, strict=True)] or [
        Column(np.empty(0, dtype=object)) for _ in range(width)
    ]


def _numbers(column: Column) -> NDArray[np.float64]:
    """Numbers of a column; NaN where there are none."""
    if column.values.dtype.kind in "iuf":
        return to_float(column)
    null = _null(column)
    return np.array(
        [np.nan if gone else _number(word) for word, gone in zip(column.values, null, strict=True)], dtype=np.float64
    )


def _number(word: object) -> float:
    try:
        return float(str(word)) if "_" not in str(word) else np.nan
    except ValueError:
        return np.nan


def _words(column: Column) -> list[str]:
    null = _null(column)
    return [
        "" if gone else (word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)).strip()
        for word, gone in zip(column.values, null, strict=True)
    ]


def _read(
    names: list[str],
    cells: list[Column],
    report: FileReport,
    symbol: str | None,
    symbols: dict[str, None],
    accounts: dict[str, int],
) -> dict[str, NDArray[Any]]:
    """Read the rows of one file, and count what is left out."""
    at = _places(names, report)
    n = len(cells[0].values)
    report.rows_read = n

    def number(name: str) -> NDArray[np.float64]:
        return np.full(n, np.nan) if at[name] < 0 else _numbers(cells[at[name]])

    try:
        ts, readable, units = to_time(cells[at["time"]])
    except TypeError as error:
        raise DataError(f"{report.name}: expected times in {names[at['time']]}, found {error}") from error
    check_units(report.name, units)
    report.time_unit = next(iter(units), None)
    size, usd, level, price = (number(name) for name in ("size", "usd", "level", "price"))
    side = _sides(cells, at, size)
    split = {float(found["leverage"]): i for i, name in enumerate(names) if (found := _SPLIT.match(name))}
    parts = {leverage: _numbers(cells[i]) for leverage, i in sorted(split.items())}
    given = usd if at["usd"] >= 0 else np.abs(size)
    nothing = (size == 0) | (usd == 0)
    checks: list[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]] = []
    if at["symbol"] >= 0:
        words = _words(cells[at["symbol"]])
        symbols.update(dict.fromkeys(word for word in words if word))
        wanted = np.array([symbol is None or word == symbol for word in words], np.bool_)
        checks.append(("other_symbol", wanted, np.zeros(n, np.bool_)))
    levels = _words(cells[at["level"]])
    unliquidated = np.isnan(level) & np.array([word in ("", "null", "None", "nan", "NaN") for word in levels], np.bool_)
    priced = np.isfinite(price) & (price > 0)
    with np.errstate(invalid="ignore"):
        beyond = priced & np.where(side > 0, level >= price, level <= price)
        against = (at["side"] >= 0) & (at["size"] >= 0) & (size < 0) & (side > 0)
        if parts:
            whole = np.sum([np.nan_to_num(one) for one in parts.values()], axis=0)
            against |= np.abs(whole - usd) > _AGREES * usd
    none = np.zeros(n, np.bool_)
    checks += [
        ("unreadable", readable, none),
        ("not_positive", ~nothing, nothing),
        ("unknown_side", side != 0, none),
        ("no_price", ~unliquidated, unliquidated),
        ("not_finite", np.isfinite(level) & np.isfinite(given), none),
        ("not_positive", (level > 0) & (np.nan_to_num(usd, nan=1.0) > 0), none),
        ("contradictory", ~against, none),
        ("beyond_price", ~beyond, none),
    ]
    kept = np.ones(n, np.bool_)
    for reason, good, empty in checks:
        lost = kept & ~good
        report.reject(reason, int(np.count_nonzero(lost)), int(np.count_nonzero(lost & empty)))
        kept &= good
    if lost_times := report.rejected.get("unreadable", 0):
        report.unreadable["time"] = lost_times
    rows = np.flatnonzero(kept)
    columns = _values(rows, ts, side, level, size, usd, price, number("leverage"), number("entry"))
    columns["isolated"] = _modes(cells, at, n)[rows]
    columns["account"] = _accounts(cells, at, n, accounts)[rows]
    columns["row"] = rows
    columns["sums"] = np.full(len(rows), bool(parts) or names[at["level"]] == "level")
    report.symbol = symbol
    return _by_leverage(columns, {leverage: values[rows] for leverage, values in parts.items()}) if parts else columns


def _values(
    rows: NDArray[np.int64],
    ts: NDArray[np.int64],
    side: NDArray[np.int8],
    level: NDArray[np.float64],
    size: NDArray[np.float64],
    usd: NDArray[np.float64],
    price: NDArray[np.float64],
    leverage: NDArray[np.float64],
    entry: NDArray[np.float64],
) -> dict[str, NDArray[Any]]:
    """Return columns of the rows that are kept: size and USD each from the other where only one is told."""
    level, size, usd, price = level[rows], np.abs(size[rows]), usd[rows], price[rows]
    worth = np.where(np.isfinite(price) & (price > 0), price, level)
    return {
        "ts": ts[rows],
        "is_long": side[rows] > 0,
        "level": level,
        "usd": np.where(np.isfinite(usd), usd, size * worth),
        "quantity": np.where(np.isfinite(size), size, usd / worth),
        "leverage": np.where(leverage[rows] > 0, leverage[rows], np.nan),
        "entry": np.where(entry[rows] > 0, entry[rows], np.nan),
        "price": np.where(price > 0, price, np.nan),
    }


def _places(names: list[str], report: FileReport) -> dict[str, int]:
    """Tell where the columns stand; -1: there is none."""
    known: Mapping[str, Sequence[str]] = {
        "time": (*meaning.TIME, "create_time"), "symbol": meaning.SYMBOL, "side": SIDE, "level": LEVEL, "usd": USD,
        "entry": ENTRY, "leverage": LEVERAGE, "mode": MODE, "account": ACCOUNT, "price": MARK,
    }  # fmt: skip
    at = {name: meaning.find(names, words) for name, words in known.items()}
    at["size"] = meaning.find_quantity(names, SIZE)
    if at["symbol"] >= 0 and names[at["symbol"]] in ("s", "contract", "code") and at["side"] == at["symbol"]:
        at["symbol"] = -1
    missing = [name for name in ("time", "level") if at[name] < 0]
    missing += [] if at["side"] >= 0 or at["size"] >= 0 else ["side"]
    missing += [] if at["usd"] >= 0 or at["size"] >= 0 else ["size or usd"]
    if missing:
        raise DataError(
            f"{report.name}: expected positions (time, side, liquidation_price or level, and size or usd), found no "
            f"{', '.join(missing)} in {meaning.listed(names)}"
        )
    return at


def _sides(cells: list[Column], at: Mapping[str, int], size: NDArray[np.float64]) -> NDArray[np.int8]:
    """1 long, -1 short, 0 not told: by the side's word, else by the sign of the size."""
    if at["side"] < 0:
        return np.sign(np.nan_to_num(size)).astype(np.int8)
    return np.array([_SIDES.get(word.lower(), 0) for word in _words(cells[at["side"]])], np.int8)


def _modes(cells: list[Column], at: Mapping[str, int], n: int) -> NDArray[np.int8]:
    if at["mode"] < 0:
        return np.full(n, -1, np.int8)
    return np.array([_MODES.get(word.lower(), -1) for word in _words(cells[at["mode"]])], np.int8)


def _accounts(cells: list[Column], at: Mapping[str, int], n: int, known: dict[str, int]) -> NDArray[np.int64]:
    """Number accounts in the order in which they appear."""
    if at["account"] < 0:
        return np.full(n, -1, np.int64)
    words = _words(cells[at["account"]])
    return np.array([known.setdefault(word, len(known)) if word else -1 for word in words], np.int64)


def _by_leverage(
    columns: dict[str, NDArray[Any]], parts: Mapping[float, NDArray[np.float64]]
) -> dict[str, NDArray[Any]]:
    """Turn each level into one row for each group of leverage that has a part of it."""
    usd = np.stack([np.nan_to_num(one) for one in parts.values()])
    group, row = np.nonzero(usd > 0)
    order = np.lexsort((group, row))
    group, row = group[order], row[order]
    share = usd[group, row] / usd.sum(0)[row]
    out = {name: values[row] for name, values in columns.items()}
    out["usd"], out["quantity"] = out["usd"] * share, out["quantity"] * share
    out["leverage"] = np.array(list(parts), np.float64)[group]
    return out


def _gathered(columns: dict[str, NDArray[Any]], gather_ns: int) -> dict[str, NDArray[Any]]:
    """Sort by time, and give rows of one snapshot the time of its last."""
    order = np.argsort(columns["ts"], kind="stable")
    columns = {name: values[order] for name, values in columns.items()}
    ts = columns["ts"]
    begin, ends = 0, ts.copy()
    known = np.unique(ts)
    while begin < len(known):
        end = int(np.searchsorted(known, known[begin] + gather_ns, side="right"))
        rows = slice(*np.searchsorted(ts, [known[begin], known[end - 1] + 1]))
        ends[rows] = known[end - 1]
        begin = end
    return columns | {"ts": ends}


def _once(columns: dict[str, NDArray[Any]], reports: Sequence[FileReport]) -> dict[str, NDArray[Any]]:
    """Leave out what a snapshot says again: the same side of an account, or the same level; the last counts."""
    account = columns["account"]
    keys = [columns["leverage"], np.where(account < 0, columns["level"], 0.0)]
    keys += [account.astype(np.float64), columns["is_long"].astype(np.float64), columns["ts"].astype(np.float64)]
    table = np.stack([np.nan_to_num(key, nan=-1.0) for key in keys[1 if (account >= 0).all() else 0 :]])
    order = np.lexsort((np.arange(table.shape[1]), *table))
    same = (table[:, order[1:]] == table[:, order[:-1]]).all(axis=0)
    # Equal positions of nobody that is named may be of different accounts: only sums are told by their level.
    same &= (account[order[1:]] >= 0) | columns["sums"][order[1:]]
    again = np.zeros(len(order), np.bool_)
    again[order[:-1][same]] = True
    for number, report in enumerate(reports):
        mine = columns["file"] == number
        lost = np.setdiff1d(columns["row"][mine & again], columns["row"][mine & ~again])
        report.reject("duplicate", len(lost))
    return {name: values[~again] for name, values in columns.items()}


def _bin_width(columns: Mapping[str, NDArray[Any]]) -> float:
    """Tell the height of the bins of sums, as a share of the price: what all distances of levels are multiples of."""
    price = columns["price"]
    if not np.isfinite(price).all():
        return 0.0
    share = np.sort(columns["level"] / price)
    steps = np.diff(share)
    wide = steps[steps > _ROUNDED]  # less is one bin, whose middle was rounded
    if not len(wide):
        return 0.0
    for parts in range(1, _MOST_PARTS):
        number = np.concatenate(([0.0], np.cumsum(np.rint(steps / wide.min() * parts))))
        width, first = np.polyfit(number, share, 1)
        if (np.abs((share - first) / width - number) > _OFF).mean() < _ODD:
            return round(float(width), 4)
    return 0.0
