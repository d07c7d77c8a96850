"""Trades from files of many venues: sorted, without repeats, every row accounted for."""

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError, InvalidConfigError
from ..tables.batch import TradeBatch
from .losses import say_losses
from .meaning import listed
from .report import FileReport, ReadReport
from .text import PathLike, find_files
from .trade_files import Piece, TradeFile, add_warnings, open_trade_file
from .trade_rows import Rows, several_symbols

Progress = Callable[[int, int, int], object]

_SCAN_ROWS = 200_000
_END = object()  # of one file's pieces
_FINISHED = object()
_FOREVER = np.iinfo(np.int64).max


class TradeReader(Iterator[TradeBatch]):
    """
    An iterator of `TradeBatch`; see `read_trades`, which makes it. Used as a context manager it closes its file at
    the end.

    Attributes
    ----------
    report : ReadReport
        Counts of what was read, used and rejected so far; ``report.complete`` once the last batch has been taken.
    """

    def __init__(
        self,
        files: Sequence[TradeFile],
        symbol: str | None,
        batch_rows: int,
        progress: Progress | None,
        prefetch: bool = False,
    ) -> None:
        self.report = ReadReport([file.report for file in files])
        self._batches = self._read(files, symbol, batch_rows, progress, prefetch)

    def __iter__(self) -> Self:
        """Return the reader itself: it can be walked once."""
        return self

    def __next__(self) -> TradeBatch:
        """Return the next batch."""
        return next(self._batches)

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file being read."""
        self.close()

    def close(self) -> None:
        """Stop reading and close the file being read."""
        self._batches.close()

    def _read(
        self,
        files: Sequence[TradeFile],
        symbol: str | None,
        batch_rows: int,
        progress: Progress | None,
        prefetch: bool,
    ) -> Generator[TradeBatch, None, None]:
        total = self.report.bytes
        before = rows_before = 0
        last_ts = np.iinfo(np.int64).min
        seen = _SeenIds()

        def advance(done: int) -> None:
            if progress is not None:
                progress(before + done, total, rows_before + report.rows_read)

        report = files[0].report
        advance(0)
        with ExitStack() as stack:
            pieces: Iterator[Piece] = stack.enter_context(closing(_pieces(files)))
            if prefetch:
                pieces = stack.enter_context(closing(_ahead(pieces)))
            for number, file in enumerate(files):
                report = file.report
                next_file_ts = files[number + 1].first_ts if number + 1 < len(files) else _FOREVER
                sells = 0
                if not file.left_out:
                    own = itertools.takewhile(lambda piece: piece is not _END, pieces)
                    for rows in file.read(own, symbol if file.symbol_in_rows else None, advance):
                        clean = _clean(rows, report, seen, last_ts)
                        del rows
                        if not len(clean):
                            continue
                        last_ts = int(clean.ts[-1])
                        if clean.ids is not None:
                            # Only ids that may come again are remembered: from later files, or from this one's next
                            # stretch.
                            seen.add(clean.ids[clean.ts >= min(next_file_ts, last_ts)])
                        sells += int(np.count_nonzero(clean.taker_sell))
                        for first in range(0, len(clean), batch_rows):
                            part = slice(first, first + batch_rows)
                            yield TradeBatch(clean.ts[part], clean.price[part], clean.qty[part], clean.taker_sell[part])
                        del clean  # before the next stretch is read
                    say_losses(report)
                    add_warnings(report, sells)
                advance(report.bytes)
                before += report.bytes
                rows_before += report.rows_read
        if symbol is not None and not self.report.rows_used and "other_symbol" in self.report.rejected:
            found = dict.fromkeys(name for file in files for name in file.symbols())
            raise DataError(f"{files[0].report.name}: expected trades of {symbol}, found {listed(list(found))}")
        self.report.complete = True


def read_trades(
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    format: str = "auto",
    batch_rows: int = 1_000_000,
    progress: Progress | None = None,
    prefetch: bool = False,
) -> TradeReader:
    """
    Read trades from files: sorted by time, repeats dropped, every other row counted by what is wrong with it.

    Read are the archives of Binance (futures and spot, trades and aggTrades), Bybit, BitMEX, OKX, Bitget, Gate, KuCoin
    and HTX, trades of Tardis, CoinAPI, Databento, Deribit and freqtrade, saved answers (JSON), and any text with a
    header, or Parquet, whose columns are recognisable; plain, gzipped, or one in a zip. Layout, dialect, header and
    time unit (by magnitude) are found out per file. Liquidations, orders and order books are refused.

    Within a file rows are put in the order of time, then of numeric ids. A row whose id came before is dropped, also
    across files: monthly archives repeat the daily ones. Rows without an id are never taken for repeats. A file whose
    times begin before another's end has its overlapping rows counted as ``late``, unless they are repeats.

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Files in any order; they are read by the first time in each.
    symbol : str, optional
        The one to read where files hold several, spelled as in the file.
    format : str
        ``"auto"``, or a layout that the files must have: ``"binance"``, ``"bybit"``, ``"bitmex"``, ``"okx"``,
        ``"tardis"``, ``"columns"`` (a CSV with recognisable names), ``"parquet"``, or a finer one such as
        ``"binance-spot-trades"``.
    batch_rows : int
        The longest batch; at least 1.
    progress : callable, optional
        Called as ``progress(done_bytes, total_bytes, rows_read)`` after each piece of a file, bytes as on disk.
    prefetch : bool
        Unpack the next piece (of text 8 MiB, of Parquet a row group) in one thread while the caller works on a batch.
        The thread begins with the first batch and has ended when the last has been taken, an error was raised, or the
        reader was closed; batches, counts and errors are the same.

    Returns
    -------
    TradeReader
        An iterator of `TradeBatch`, with a `ReadReport` in ``.report``.

    Raises
    ------
    DataError
        At once if a file is missing, empty, damaged or no trade file, or if files hold several symbols and ``symbol``
        does not choose; while iterating if a file is truncated, mixes time units, or has over 5 % unreadable rows.
    InvalidConfigError
        If an argument is out of its range.

    Notes
    -----
    Memory: a text file is unpacked in pieces of 8 MiB, but its trades are held at once to be sorted: 25 bytes a row,
    33 with ids, about twice that while pieces are joined or rows moved. A Parquet file with several row groups whose
    times do not overlap is streamed, half a million rows or one row group at a time; otherwise it is held at once.
    Ids that may come again are remembered as ranges, which for running numbers takes nothing. Text ids are compared
    by a 64-bit hash.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "BTCUSDT-trades-2026-06-12.csv").write_text(
    ...     "1,63610.5,0.25,15902.6,1781222399211,false\\n2,63610.0,0,0,1781222399212,true\\n"
    ... )
    >>> reader = read_trades(folder / "*.csv")
    >>> for batch in reader:
    ...     print(batch.price, batch.taker_sell)
    [63610.5] [False]
    >>> reader.report.rows_read, reader.report.rejected, reader.report.tick_size
    (2, {'not_positive': 1}, 0.1)
    """
    if batch_rows < 1:
        raise InvalidConfigError(f"batch_rows must be at least 1, was {batch_rows}")
    return TradeReader(_open(paths, symbol, format), symbol, batch_rows, progress, prefetch)


def scan(
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    format: str = "auto",
    heads: int | None = None,
) -> ReadReport:
    """
    Read the head of each trade file, some 200,000 rows, to learn layout, symbol, first price, tick and lot size.

    Parameters
    ----------
    paths, symbol, format
        As for `read_trades`.
    heads : int, optional
        Read the heads of at most so many files, at least 2: the first, the last, and others evenly between. The rest
        are only opened: their layout is known, and their counts are zero. By default every head is read.

    Returns
    -------
    ReadReport
        Never ``complete``: the counts are those of the heads. Later rows may be finer; compare with the report of
        `read_trades`.

    Raises
    ------
    DataError, InvalidConfigError
        As `read_trades` and its iteration do, as far as the heads show it.
    """
    if heads is not None and heads < 2:
        raise InvalidConfigError(f"heads must be at least 2, was {heads}")
    files = _open(paths, symbol, format)
    wanted = [file for file in files if not file.left_out]
    if heads is not None and len(wanted) > heads:
        wanted = [wanted[number * (len(wanted) - 1) // (heads - 1)] for number in range(heads)]
    for file in wanted:
        sells = 0
        seen = _SeenIds()
        with closing(file.pieces(_SCAN_ROWS)) as pieces:
            for rows in file.read(pieces, symbol if file.symbol_in_rows else None, lambda _: None, _SCAN_ROWS):
                clean = _clean(rows, file.report, seen, np.iinfo(np.int64).min)
                sells += int(np.count_nonzero(clean.taker_sell))
        add_warnings(file.report, sells)
    return ReadReport([file.report for file in files])


def _pieces(files: Sequence[TradeFile]) -> Generator[Piece, None, None]:
    """Yield the pieces of all files, an `_END` after those of each."""
    for file in files:
        if not file.left_out:
            with closing(file.pieces()) as pieces:
                yield from pieces
            yield _END


def _ahead(pieces: Iterator[Piece]) -> Generator[Piece, None, None]:
    """Yield the same, each fetched in a thread of its own while the one before is in use; the thread ends with this."""
    with ThreadPoolExecutor(1, thread_name_prefix="liqcore-prefetch") as thread:
        waiting = thread.submit(next, pieces, _FINISHED)
        while (piece := waiting.result()) is not _FINISHED:
            waiting = thread.submit(next, pieces, _FINISHED)
            yield piece
            del piece  # before the next one is waited for


def _open(paths: PathLike | Sequence[PathLike], symbol: str | None, format: str) -> list[TradeFile]:
    files = [open_trade_file(path, format) for path in find_files(paths)]
    files.sort(key=lambda file: file.first_ts)
    _check_symbols(files, symbol)
    return files


def _check_symbols(files: Sequence[TradeFile], symbol: str | None) -> None:
    """Refuse several symbols, or mark the files that are not of the chosen one."""
    named: dict[str, str] = {}  # symbol: the first file of it
    for file in files:
        if file.report.symbol is not None:
            named.setdefault(file.report.symbol, file.report.name)
    if symbol is None:
        for file in files:
            if file.symbol_in_rows and file.report.symbol is None:
                raise DataError(several_symbols(file.report.name, file.symbols()))
        if len(named) > 1:
            found = ", ".join(f"{name} in {first}" for name, first in named.items())
            raise DataError(f"expected one symbol, found {found}: choose one with symbol=")
        return
    for file in files:
        other = not file.symbol_in_rows and file.report.symbol not in (None, symbol)
        # A guess counts only where the choice is among the guesses: "BTCUSDT" may well be in
        # hyperliquid-BTC-20260611.parquet.
        file.left_out = other and (file.symbol_in_name or symbol in named)
        if file.left_out:
            file.report.warnings.append(f"left out: trades of {file.report.symbol}, asked for {symbol}")
    if all(file.left_out for file in files):
        raise DataError(f"{files[0].report.name}: expected trades of {symbol}, found {listed(list(named))}")


def _clean(rows: Rows, report: FileReport, seen: "_SeenIds", last_ts: int) -> Rows:
    """Sort, drop repeats and late rows, and count all of it."""
    rows = _sort(rows, report)
    if rows.ids is not None and len(rows):
        repeated = seen.contains(rows.ids) | _repeats(rows.ids)
        count = int(repeated.sum())
        if count:
            report.reject("duplicate_id", count)
            rows = rows.take(~repeated)
    late = int(np.searchsorted(rows.ts, last_ts))
    if late:
        report.reject("late", late)
        rows = rows.take(np.arange(late, len(rows)))
    report.rows_used += len(rows)
    if len(rows):
        if report.first_ts is None:
            report.first_ts = int(rows.ts[0])
            report.first_price = float(rows.price[0])
        report.last_ts = int(rows.ts[-1])
    return rows


def _sort(rows: Rows, report: FileReport) -> Rows:
    ts = rows.ts
    if rows.in_order or len(ts) < 2:
        return rows
    if ts[0] > ts[-1] and bool(np.all(ts[1:] <= ts[:-1])):  # newest first: equal times run backwards too
        report.resorted += len(ts) - 1
        return rows.take(np.arange(len(ts) - 1, -1, -1))
    ids = rows.ids if rows.ids is not None and int(rows.ids.min()) >= 0 else None
    later = ts[1:] > ts[:-1]
    in_order = bool(np.all(later | ((ts[1:] == ts[:-1]) & (True if ids is None else ids[1:] >= ids[:-1]))))
    if in_order:
        return rows
    order = np.argsort(ts, kind="stable") if ids is None else np.lexsort((ids, ts))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    report.resorted += int((rank < np.maximum.accumulate(rank)).sum())
    return rows.take(order)


def _repeats(ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark every occurrence of an id after its first."""
    repeated = np.zeros(len(ids), np.bool_)
    if bool(np.all(ids[1:] > ids[:-1])):
        return repeated
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    repeated[order[1:]] = (ordered[1:] == ordered[:-1]) & (ordered[1:] != _core.NO_ID)
    return repeated


class _SeenIds:
    """A set of ids, kept as ranges: ids that rise by one take no room."""

    def __init__(self) -> None:
        self._first = np.empty(0, np.int64)
        self._last = np.empty(0, np.int64)

    def contains(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        if not len(self._first):
            return np.zeros(len(ids), np.bool_)
        at = np.searchsorted(self._first, ids, "right") - 1
        found: NDArray[np.bool_] = (at >= 0) & (ids <= self._last[at])
        return found

    def add(self, ids: NDArray[np.int64]) -> None:
        ids = np.unique(ids[ids != _core.NO_ID])
        if not len(ids):
            return
        gaps = np.flatnonzero(np.diff(ids) != 1)
        first = np.concatenate([self._first, ids[np.concatenate([[0], gaps + 1])]])
        last = np.concatenate([self._last, ids[np.concatenate([gaps, [len(ids) - 1]])]])
        order = np.argsort(first, kind="stable")
        first, last = first[order], np.maximum.accumulate(last[order])
        opens = np.concatenate([[True], first[1:] > last[:-1] + 1])
        self._first = first[opens]
        self._last = last[np.concatenate([np.flatnonzero(opens)[1:] - 1, [len(last) - 1]])]
