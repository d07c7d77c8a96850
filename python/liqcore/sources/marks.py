"""Mark prices from context and ticker files, and from mark-price klines."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..words.times import Length
from . import meaning
from .candles import KlinePart, common_interval, looks_like_klines, read_klines
from .kinds import kline_price
from .report import FileReport, ReadReport
from .series import (
    PRICE,
    TIME,
    AnyTable,
    Part,
    duration_ns,
    in_order,
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
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    interval: Length | None = None,
    price: Literal["mark", "index"] = "mark",
) -> Marks:
    """
    Read mark prices from CSV (plain, zip, gzip), saved REST answers (JSON) or Parquet.

    Such are tables with a time and a ``mark`` or ``mark_price`` column (Tardis derivative_ticker, recordings of
    Hyperliquid's asset contexts, premiumIndex answers), and klines of a mark or index price: Binance markPriceKlines
    and indexPriceKlines, Bybit mark-price-kline, OKX mark-price-candles. Mark and index klines look alike: the names of
    the file and of the folders that archives have tell them apart; where they do not, a warning says so.

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
    price : {"mark", "index"}, default "mark"
        Which price is wanted. "index" reads klines of an index in place of a mark price, such as for venues that
        liquidate by an oracle's; tables with names are read for their mark all the same.

    Returns
    -------
    Marks
        Exact repeats of time and price are dropped.

    Raises
    ------
    DataError, InvalidConfigError
        As `read_candles`; besides, `DataError` if klines have volume, which those of a mark price have not, or are of
        another price by the name of the file or its folder.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "marks.csv").write_text("timestamp,mark_price\\n1781222400000,63605.5\\n1781222401000,63606.0\\n")
    >>> read_marks(folder / "*.csv").price
    array([63605.5, 63606. ])
    """
    if price not in ("mark", "index"):
        raise InvalidConfigError(f'price must be "mark" or "index", was {price!r}')
    wanted: str = price
    klines: list[KlinePart] = []
    interval_ns = duration_ns(interval, "interval")

    def read(table: AnyTable, report: FileReport) -> Part:
        names = names_of(table)
        if (names is None or meaning.find(names, PRICE) < 0) and looks_like_klines(table):
            _check_price(table, report, wanted)
            klines.append(read_klines(table, report, symbol, interval_ns))
            if klines[-1].has_volume and klines[-1].part.values[4].any():
                raise table.error("expected klines of a mark price, which have no volume, found klines of trades")
            return klines[-1].part
        part = _samples(table, report, symbol)
        part.keep("not_positive", part.values[0] > 0)
        return part

    parts, report = read_parts(paths, symbol, "mark prices", read)
    length = common_interval(klines)
    ts, prices = np.empty(0, np.int64), np.empty(0, np.float64)
    if klines:
        opens, values = join(in_order([kline.part for kline in klines]))
        ts, prices = unfold(opens, values, length)
    samples = [part for part in parts if all(part is not kline.part for kline in klines)]
    if samples:
        times, values = join(samples, same_time=False)
        ts, prices = np.concatenate([ts, times]), np.concatenate([prices, values[0]])
        order = np.argsort(ts, kind="stable")
        ts, prices = ts[order], prices[order]
    new = np.ones(len(ts), np.bool_)
    new[1:] = (ts[1:] != ts[:-1]) | (prices[1:] != prices[:-1])
    return Marks(ts[new], prices[new], report)


def _check_price(table: AnyTable, report: FileReport, wanted: str) -> None:
    found = kline_price(table.path)
    if not found:
        report.warnings.append(f"klines of a mark or of an index price, which look alike: taken for the {wanted} price")
    elif found != wanted:
        hint = '; price="index" reads them in its place' if found == "index" else ""
        raise table.error(
            f"expected klines of {'a mark' if wanted == 'mark' else 'an index'} price, found those of "
            f"{'an index' if found == 'index' else 'a ' + found} price by the name of the file or its folder{hint}"
        )


def unfold(
    ts_open: NDArray[np.int64], values: NDArray[np.float64], interval_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the prices of klines at the times when they were known."""
    open_, high, low, close = values[:4]
    end = ts_open + (interval_ns - 1)
    return np.stack([ts_open, end, end, end], axis=1).ravel(), np.stack([open_, low, high, close], axis=1).ravel()


def _samples(table: AnyTable, report: FileReport, symbol: str | None) -> Part:
    names = known_names(table)
    time, mark = meaning.find(names, TIME), meaning.find(names, PRICE)
    if time < 0 or mark < 0:
        raise table.error(
            "expected columns for time (such as timestamp or ts_ms) and mark price (such as mark or mark_price), "
            f"found {meaning.listed(names)}"
        )
    return read_rows(
        table, report, "mark prices", time=time, numbers=[mark],
        symbol_at=meaning.find(names, meaning.SYMBOL), symbol=symbol,
    )  # fmt: skip
