"""Trades from files of many venues: sorted, without repeats, every row accounted for."""

import functools
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from types import TracebackType
from typing import Self

import numpy as np

from ..errors import DataError, InvalidConfigError
from ..tables.batch import TradeBatch
from .meaning import listed
from .report import ReadReport
from .text import PathLike, find_files
from .trade_files import Piece, TradeFile, add_warnings, open_trade_file
from .trade_merge import merge
from .trade_order import FileOrder
from .trade_rows import Rows, several_symbols

Progress = Callable[[int, int, int], object]

_SCAN_ROWS = 200_000
_END = object()  # of one file's pieces


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
        done, rows = [0] * len(files), [0] * len(files)

        def advance(number: int, position: int) -> None:
            done[number], rows[number] = position, files[number].report.rows_read
            if progress is not None:
                progress(sum(done), total, sum(rows))

        for number, file in enumerate(files):
            if file.left_out:
                done[number] = file.report.bytes
        advance(0, 0)
        with ExitStack() as stack:
            pieces = stack.enter_context(closing(_Pieces(files, prefetch)))

            def stretches(number: int) -> Iterator[Rows]:
                file = files[number]
                wanted = symbol if file.symbol_in_rows else None
                return file.read(pieces.of(number), wanted, functools.partial(advance, number))

            merged = merge(files, stretches, lambda number: advance(number, files[number].report.bytes))
            for part in merged:
                for first in range(0, len(part), batch_rows):
                    which = slice(first, first + batch_rows)
                    yield TradeBatch(part.ts[which], part.price[which], part.qty[which], part.taker_sell[which])
                del part  # before the next stretch is read
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

    Rows are in order of time; inside one time, of ids where those rise with time through the file, else of the file
    (newest-first ones turned round). A row is a repeat, and dropped, if time, id, price, quantity and side are those of
    another. Files that overlap (shards, collectors, a month and its days) are merged, in whatever order they are given;
    without ids, or with ids of two kinds, a time has as many equal trades as the file that has most of them. So it is
    with parts of a file that go back in time and say again what stands before them.

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Files in any order; the report has them by the first time in each.
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
        does not choose; while iterating if a file is truncated, mixes time units, or has over 5 % unreadable rows, or
        if overlapping files are of two layouts or venues, have the same trades as sums or under other ids, or times in
        other units; or if it cannot be told whether a part of a file says again what stands before it.
    InvalidConfigError
        If an argument is out of its range.

    Notes
    -----
    Memory: a text file is unpacked in pieces of 8 MiB, but its trades are held at once to be sorted: 25 bytes a row,
    33 with ids, and some 50 MB for any file; about twice that while rows are moved that stand in another order. A
    Parquet file with several row groups whose times do not overlap is streamed, half a million rows or one row group at
    a time; otherwise it is held at once. Files that overlap are held together, others one after the other. Text ids are
    compared by a 64-bit hash.

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
    files = _open(paths, symbol, format)
    if len(wanted := [file for file in files if not file.left_out]) > 1:
        for file in wanted:
            file.first_ts = file.least_ts()
        files.sort(key=_place)
    return TradeReader(files, symbol, batch_rows, progress, prefetch)


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
        order = FileOrder()
        with closing(file.pieces(_SCAN_ROWS)) as pieces:
            for rows in file.read(pieces, symbol if file.symbol_in_rows else None, lambda _: None, _SCAN_ROWS):
                clean = order.clean(rows, file.report)
                sells += int(np.count_nonzero(clean.taker_sell))
                if file.report.first_ts is None and len(clean):
                    file.report.first_ts, file.report.first_price = int(clean.ts[0]), float(clean.price[0])
                file.report.last_ts = int(clean.ts[-1]) if len(clean) else file.report.last_ts
        add_warnings(file.report, sells)
    return ReadReport([file.report for file in files])


class _Pieces:
    """
    The pieces of files as they are asked for.

    With `prefetch` each is unpacked in a thread while the one before is used, also across the end of a file.
    """

    def __init__(self, files: Sequence[TradeFile], prefetch: bool) -> None:
        self._files = files
        self._open: dict[int, Generator[Piece, None, None]] = {}
        self._waiting: dict[int, Future[Piece]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="liqcore-prefetch") if prefetch else None

    def of(self, number: int) -> Iterator[Piece]:
        """Yield the pieces of one file."""
        while (piece := self._next(number)) is not _END:
            yield piece
            del piece  # before the next one is waited for
        self._open.pop(number).close()
        following = next((n for n in range(number + 1, len(self._files)) if not self._files[n].left_out), None)
        if following is not None and following not in self._open:
            self._begin(following)

    def close(self) -> None:
        """End the thread and close all files."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        for pieces in self._open.values():
            pieces.close()

    def _next(self, number: int) -> Piece:
        if self._thread is None:
            return next(self._open.setdefault(number, self._files[number].pieces()), _END)
        if number not in self._open:
            self._begin(number)
        piece = self._waiting.pop(number).result()
        if piece is not _END:
            self._begin(number)
        return piece

    def _begin(self, number: int) -> None:
        if self._thread is not None:
            pieces = self._open.setdefault(number, self._files[number].pieces())
            self._waiting[number] = self._thread.submit(next, pieces, _END)


def _open(paths: PathLike | Sequence[PathLike], symbol: str | None, format: str) -> list[TradeFile]:
    files = [open_trade_file(path, format) for path in find_files(paths)]
    files.sort(key=_place)
    _check_symbols(files, symbol)
    return files


def _place(file: TradeFile) -> tuple[int, str, str]:
    """Where a file comes in the order of reading, however paths are given."""
    return file.first_ts, file.report.name, file.report.path


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
