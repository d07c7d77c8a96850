"""What was liquidated: totals of bars, or single liquidations."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError, InvalidConfigError
from ..tables.parquet import ParquetTable
from ..words.times import Length
from . import meaning
from .report import FileReport, ReadReport, count_unreadable
from .series import (
    TIME,
    AnyTable,
    Part,
    duration_ns,
    join,
    known_names,
    read_parts,
    read_rows,
)
from .text import PathLike
from .trade_rows import TIME_FORMS, check_units

LONG_USD = ("long_usd", "long_liquidation_usd", "long_liquidations_usd", "liquidated_long_usd", "longs_usd",
            "long_liquidations", "long_liquidation", "longliquidations", "long_vol_usd", "l")  # fmt: skip
SHORT_USD = ("short_usd", "short_liquidation_usd", "short_liquidations_usd", "liquidated_short_usd", "shorts_usd",
             "short_liquidations", "short_liquidation", "shortliquidations", "short_vol_usd", "s")  # fmt: skip
USD = ("size_usd", "usd", "notional_usd", "usd_value", "value_usd", "amount_usd", "notional", "value")
PRICE = ("price", "px", "bk_px", "bkpx", "average_price", "p")
SIDE = ("side", "position_side", "pos_side", "posside", "S")

_SELL = ("sell", "s", "ask", "a")
_BUY = ("buy", "b", "bid")
_LONG = ("long",)
_SHORT = ("short",)


@dataclass(frozen=True, slots=True, eq=False)
class Liquidations:
    """
    What was liquidated, sorted by time: totals of bars, or single liquidations.

    Attributes
    ----------
    ts : ndarray of int64, shape (n,)
        Start of the bar, or time of the liquidation; nanoseconds since the UNIX epoch, UTC.
    long_usd, short_usd : ndarray of float64, shape (n,)
        USD of long and of short positions; of a single liquidation one of them is zero.
    price : ndarray of float64, shape (n,), or None
        Of single liquidations, as the venue prints it (a fill's price, or the bankruptcy price); None: totals of bars.
    bar_ns : int
        Length of a bar, ns; 0 for single liquidations.
    report : ReadReport
        What was read and rejected, by file.
    """

    ts: NDArray[np.int64]
    long_usd: NDArray[np.float64]
    short_usd: NDArray[np.float64]
    price: NDArray[np.float64] | None = None
    bar_ns: int = 0
    report: ReadReport = field(default_factory=ReadReport)

    def __post_init__(self) -> None:
        if not len(self.ts) == len(self.long_usd) == len(self.short_usd):
            raise InvalidConfigError("ts, long_usd and short_usd must be of one length")
        if (self.price is None) == (self.bar_ns == 0):
            raise InvalidConfigError("liquidations must have either a price each, or bar_ns")
        for name, values in (("long_usd", self.long_usd), ("short_usd", self.short_usd)):
            if not (np.isfinite(values) & (values >= 0)).all():
                raise InvalidConfigError(f"{name} must be finite and at least 0")
        if len(self.ts) and (self.ts[1:] < self.ts[:-1]).any():
            raise InvalidConfigError("ts must not fall")
        if self.bar_ns and ((self.ts % self.bar_ns).any() or (self.ts[1:] == self.ts[:-1]).any()):
            raise InvalidConfigError("ts must be different multiples of bar_ns, the length of a bar")

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.ts)


def read_liquidations(
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    interval: Length | None = None,
    side_is: str = "order",
    scale: float = 1.0,
) -> Liquidations:
    """
    Read liquidations: totals of bars by side, or single ones.

    Totals are tables with a time (the bar's start) and USD of liquidated longs and shorts (``long_usd`` and
    ``short_usd``, or names like them). Single liquidations have a time, a side, a price, and USD (``size_usd``) or a
    quantity, which times the price are USD. Feeds of venues are incomplete: many give one liquidation a second and
    symbol at most, so that totals are floors (docs/theory/venues.md).

    Parameters
    ----------
    paths : path, pattern or sequence of those
        CSV (plain, zip, gzip) or Parquet of one market; single liquidations as CSV.
    symbol : str, optional
        The one to read where files hold several.
    interval : duration, optional
        Length of a bar of totals. By default the least distance of two.
    side_is : {"order", "position"}
        What "sell" and "buy" say of a single liquidation: the order's side (a long is sold: Binance, OKX), or the
        position's (Bybit's allLiquidation says "Buy" of a long). "long" and "short" always are the position's.
    scale : float, default 1.0
        Factor of all amounts, such as the size of a contract that a recording has left out.

    Returns
    -------
    Liquidations

    Raises
    ------
    DataError
        If a file is missing, damaged, of neither kind, or has over 5 % unreadable rows.
    InvalidConfigError
        If an argument breaks its rule.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "liquidations.csv"
    >>> _ = file.write_text("ts_ms,long_usd,short_usd\\n1772323200000,1200.5,0\\n1772325000000,0,88.0\\n")
    >>> totals = read_liquidations(file)
    >>> totals.bar_ns // 10**9, totals.long_usd
    (1800, array([1200.5,    0. ]))
    """
    if side_is not in ("order", "position"):
        raise InvalidConfigError(f'side_is must be "order" or "position", was {side_is!r}')
    if not (np.isfinite(scale) and scale > 0):
        raise InvalidConfigError(f"scale must be a number above 0, was {scale}")
    given = duration_ns(interval, "interval")
    singles: list[bool] = []

    def read(table: AnyTable, report: FileReport) -> Part:
        names = known_names(table)
        longs, shorts, time = (meaning.find(names, known) for known in (LONG_USD, SHORT_USD, TIME))
        singles.append(longs < 0 or shorts < 0)
        if singles[-1]:
            return _single(table, report, names, symbol, side_is)
        if time < 0:
            raise table.error(f"expected a column for time (such as timestamp or ts_ms), found {meaning.listed(names)}")
        part = read_rows(
            table, report, "liquidations", time=time, numbers=[longs, shorts],
            symbol_at=meaning.find(names, meaning.SYMBOL) if "s" not in (names[longs], names[shorts]) else -1,
            symbol=symbol,
        )  # fmt: skip
        part.keep("negative", np.logical_and.reduce(part.values >= 0))
        return part

    parts, report = read_parts(paths, symbol, "liquidations", read)
    if len(set(singles)) > 1:
        raise DataError("expected totals of bars or single liquidations, found both")
    if singles[0]:
        ts, values = join(parts, same_time=False)
        return Liquidations(ts, values[0] * scale, values[1] * scale, values[2], 0, report)
    ts, values = join(parts)
    if given is None and len(ts) < 2:
        raise DataError("expected at least two bars, whose distance is their length: give interval=")
    bar_ns = given or int(np.diff(ts).min())
    if (ts % bar_ns).any():
        raise DataError(f"expected bars that start on multiples of their length ({bar_ns / 1e9:g} s), found others")
    return Liquidations(ts, values[0] * scale, values[1] * scale, None, bar_ns, report)


def _single(table: AnyTable, report: FileReport, names: list[str], symbol: str | None, side_is: str) -> Part:
    """Read single liquidations: rows of USD of longs, of shorts, and the price."""
    time, price, side = (meaning.find(names, known) for known in (TIME, PRICE, SIDE))
    usd, qty = meaning.find(names, USD), meaning.find_quantity(names)
    missing = [
        what for what, at in (("time", time), ("price", price), ("side", side), ("USD", max(usd, qty))) if at < 0
    ]
    if missing:
        raise table.error(
            "expected totals (time, long_usd, short_usd) or single liquidations (time, side, price, and size_usd or "
            f"quantity), found no {', '.join(missing)} in {meaning.listed(names)}"
        )
    if isinstance(table, ParquetTable):
        raise table.error("expected single liquidations as CSV, found Parquet: write them as CSV")
    longs = _LONG + (_SELL if side_is == "order" else _BUY)
    words = [*longs, *_SHORT, *(_BUY if side_is == "order" else _SELL)]
    symbol_at = meaning.find(names, meaning.SYMBOL)
    symbols: dict[str, None] = {}
    units: dict[str, int] = {}
    times, values = [], []
    for piece in table.pieces():
        room = _core.count_lines(piece)
        ts, prices, amounts = np.empty(room, np.int64), np.empty(room), np.empty(room)
        word = np.empty((1, room), np.int8)
        counts = _core.parse_trades(
            piece, ts, prices, amounts, np.empty(room, np.bool_), np.empty(0, np.int64),
            time_column=time, price_column=price, qty_column=usd if usd >= 0 else qty, side_column=-1,
            symbol_column=symbol_at, symbol=symbol or "", delimiter=table.delimiter,
            word_columns=[side], words=words, word=word,
        )  # fmt: skip
        if symbol_at >= 0:
            symbols.update(dict.fromkeys(_core.distinct_values(piece, column=symbol_at, delimiter=table.delimiter)))
        for form, count in zip(TIME_FORMS, counts.times, strict=True):
            if count:
                units[form] = units.get(form, 0) + count
        n = counts.used
        report.rows_read += counts.rows
        count_unreadable(
            report,
            {"row": counts.unreadable_row, "time": counts.unreadable_time, "number": counts.unreadable_price},
        )
        report.reject("other_symbol", counts.other_symbol)
        report.reject("not_positive", counts.not_positive + counts.not_finite, counts.nothing)
        known = word[0, :n] >= 0
        usd_of = amounts[:n] * (1.0 if usd >= 0 else prices[:n])
        is_long = word[0, :n] < len(longs)
        report.reject("unknown_side", int(np.count_nonzero(~known)))
        times.append(ts[:n][known])
        values.append(np.stack([np.where(is_long, usd_of, 0.0), np.where(is_long, 0.0, usd_of), prices[:n]])[:, known])
    if symbol is None and len(symbols) > 1:
        raise table.error(f"expected one symbol, found {meaning.listed(list(symbols))}: choose one with symbol=")
    if symbol is not None and symbols and symbol not in symbols:
        raise table.error(f"expected rows of {symbol}, found {meaning.listed(list(symbols))}")
    check_units(report.name, units)
    report.time_unit = next(iter(units), None)
    if symbols:
        report.symbol = symbol or next(iter(symbols))
    return Part(np.concatenate(times), np.concatenate(values, axis=1), report)
