"""Mark prices from context and ticker files, and from mark-price klines."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..words.times import Length
from . import layout as layouts
from .candles import KlinePart, common_interval, looks_like_klines, read_klines
from .report import FileReport, ReadReport
from .series import (
    PRICE,
    TIME,
    AnyTable,
    Part,
    duration_ns,
    join,
    known_names,
    names_of,
    read_parts,
    read_rows,
)
from .text import PathLike


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """
    Mark prices, sorted by time.

    Attributes
    ----------
    ts : ndarray of int64, shape (n,)
        When the price was known, nanoseconds since the UNIX epoch, UTC; never falling.
    price : ndarray of float64, shape (n,)
        Above zero. Where several have one time, the last of them is the price from then on.
    report : ReadReport
        What was read and rejected, by file.
    """

    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    report: ReadReport = field(default_factory=ReadReport)

    def __len__(self) -> int:
        """Count the prices."""
        return len(self.ts)


def read_marks(
    paths: PathLike | Sequence[PathLike], *, symbol: str | None = None, interval: Length | None = None
) -> Marks:
    """
    Read mark prices from CSV (plain, zip, gzip), saved REST answers (JSON) or Parquet.

    Such are tables with a time and a ``mark`` or ``mark_price`` column (Tardis derivative_ticker, recordings of
    Hyperliquid's asset contexts, premiumIndex answers), and klines of a mark or index price: Binance markPriceKlines
    and indexPriceKlines, Bybit mark-price-kline, OKX mark-price-candles. Mark and index klines look alike: the reader
    cannot tell which it has.

    A kline's open is used at its opening time; low, high and close, which nobody knew before, at its last nanosecond,
    in this order: so the levels that the mark reached in between are reached, and the close is the price from then on.
    (An open is the first update after the opening time; venues update the mark about once a second.)

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Files in any order; they are held in memory together, 16 bytes a row.
    symbol : str, optional
        The one to read where files hold several.
    interval : duration, optional
        Length of a kline. By default told by the closing times, else by the least distance of two.

    Returns
    -------
    Marks
        Exact repeats of time and price are dropped.

    Raises
    ------
    DataError, InvalidConfigError
        As `read_candles`; besides, `DataError` if klines have volume, which those of a mark price have not.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "marks.csv").write_text("timestamp,mark_price\\n1781222400000,63605.5\\n1781222401000,63606.0\\n")
    >>> read_marks(folder / "*.csv").price
    array([63605.5, 63606. ])
    """
    klines: list[KlinePart] = []
    interval_ns = duration_ns(interval, "interval")

    def read(table: AnyTable, report: FileReport) -> Part:
        names = names_of(table)
        if (names is None or layouts.find(names, PRICE) < 0) and looks_like_klines(table):
            klines.append(read_klines(table, report, symbol, interval_ns))
            if klines[-1].has_volume and klines[-1].part.values[4].any():
                raise table.error("expected klines of a mark price, which have no volume, found klines of trades")
            return klines[-1].part
        part = _samples(table, report, symbol)
        part.keep("not_positive", part.values[0] > 0)
        return part

    parts, report = read_parts(paths, symbol, "mark prices", read)
    length = common_interval(klines)
    ts, price = np.empty(0, np.int64), np.empty(0, np.float64)
    if klines:
        opens, values = join([kline.part for kline in klines])
        ts, price = unfold(opens, values, length)
    samples = [part for part in parts if all(part is not kline.part for kline in klines)]
    if samples:
        times, values = join(samples, same_time=False)
        ts, price = np.concatenate([ts, times]), np.concatenate([price, values[0]])
        order = np.argsort(ts, kind="stable")
        ts, price = ts[order], price[order]
    new = np.ones(len(ts), np.bool_)
    new[1:] = (ts[1:] != ts[:-1]) | (price[1:] != price[:-1])
    return Marks(ts[new], price[new], report)


def unfold(
    ts_open: NDArray[np.int64], values: NDArray[np.float64], interval_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the prices of klines at the times when they were known."""
    open_, high, low, close = values[:4]
    end = ts_open + (interval_ns - 1)
    return np.stack([ts_open, end, end, end], axis=1).ravel(), np.stack([open_, low, high, close], axis=1).ravel()


def _samples(table: AnyTable, report: FileReport, symbol: str | None) -> Part:
    names = known_names(table)
    time, mark = layouts.find(names, TIME), layouts.find(names, PRICE)
    if time < 0 or mark < 0:
        raise table.error(
            "expected columns for time (such as timestamp or ts_ms) and mark price (such as mark or mark_price), "
            f"found {layouts.listed(names)}"
        )
    return read_rows(
        table, report, "mark prices", time=time, numbers=[mark],
        symbol_at=layouts.find(names, layouts.SYMBOL), symbol=symbol,
    )  # fmt: skip
