"""Candles from the kline archives of Binance."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError
from . import layout as layouts
from .text import PathLike, Table, find_files, is_parquet
from .trade_files import TIME_FORMS, check_readable, check_units

# A kline file's columns in file order; files without a header have exactly these.
COLUMNS = ("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count",
           "taker_buy_volume", "taker_buy_quote_volume", "ignore")  # fmt: skip

_NEEDED = ("open", "high", "low", "close", "volume", "taker_buy_volume")
_UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """
    Candles of one interval, sorted by time.

    Attributes
    ----------
    ts_open : ndarray of int64, shape (n,)
        Opening time, nanoseconds since the UNIX epoch, UTC; strictly rising, gaps allowed.
    open, high, low, close : ndarray of float64, shape (n,)
        Prices, above zero, ``low <= open, close <= high``.
    buy_qty, sell_qty : ndarray of float64, shape (n,)
        Volume that takers bought and sold, in the unit the venue prints (base units, or contracts).
    interval_ns : int
        Length of a candle, nanoseconds.
    """

    ts_open: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    buy_qty: NDArray[np.float64]
    sell_qty: NDArray[np.float64]
    interval_ns: int

    def __len__(self) -> int:
        """Count the candles."""
        return len(self.ts_open)


def read_candles(paths: PathLike | Sequence[PathLike]) -> Candles:
    """
    Read candles with taker volume from Binance kline files: csv, csv in a zip, or gzipped; with or without a header.

    ``buy_qty`` is the taker buy volume, ``sell_qty`` the rest of the volume. Candles that repeat an opening time are
    dropped, as are those that contradict themselves (high below low, more bought than traded); the latter are logged
    as a warning of ``liqcore.sources.candles``.

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Files of one market and interval, in any order.

    Returns
    -------
    Candles

    Raises
    ------
    DataError
        If a file is missing, damaged, no kline file, mixes time units, or has over 5 % unreadable rows; or if the
        candles differ in length.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "BTCUSDT-1m-2026-03.csv"
    >>> _ = file.write_text("1772323200000,66973.2,67029.2,66967.1,66998.5,9.19,1772323259999,615904,56,4.61,308,0\\n")
    >>> candles = read_candles(file)
    >>> candles.interval_ns // 10**9, candles.buy_qty, candles.sell_qty
    (60, array([4.61]), array([4.58]))
    """
    files = [_read(path) for path in find_files(paths)]
    lengths = {candles.interval_ns for candles in files if len(candles)}
    if len(lengths) > 1:
        raise DataError(
            f"expected candles of one interval, found {', '.join(f'{n / 1e9:g} s' for n in sorted(lengths))}"
        )
    ts = np.concatenate([candles.ts_open for candles in files])
    ts, order = np.unique(ts, return_index=True)  # the first of each opening time, sorted

    def column(name: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = np.concatenate([getattr(candles, name) for candles in files])[order]
        return values

    return Candles(
        ts_open=ts,
        open=column("open"),
        high=column("high"),
        low=column("low"),
        close=column("close"),
        buy_qty=column("buy_qty"),
        sell_qty=column("sell_qty"),
        interval_ns=lengths.pop() if lengths else 0,
    )


def _read(path: Path) -> Candles:
    name = path.name
    if is_parquet(path):
        raise DataError(f"{name}: expected kline text, found a Parquet file")
    table = Table(path)
    at = _places(table)
    numbers = [at[column] for column in _NEEDED]
    times: list[NDArray[np.int64]] = []
    parts: list[NDArray[np.float64]] = []
    units: dict[str, int] = {}
    rows = unreadable = incomplete = decimals = 0
    for piece in table.pieces():
        room = _core.count_lines(piece)
        ts, values = np.empty(room, np.int64), np.empty((len(numbers) + 1, room), np.float64)
        counts = _core.parse_columns(
            piece, ts, values, time_column=at["open_time"], columns=[*numbers, at["close_time"]]
        )
        for form, count in zip(TIME_FORMS, counts.times, strict=True):
            if count:
                units[form] = units.get(form, 0) + count
        rows += counts.rows
        unreadable += counts.unreadable_row + counts.unreadable_time + counts.unreadable_price
        incomplete += counts.not_finite
        decimals = max(decimals, counts.price_decimals)
        times.append(ts[: counts.used])
        parts.append(values[:, : counts.used])
    check_units(name, units)
    check_readable(name, {"rows": unreadable} if unreadable else {}, rows)
    ts = np.concatenate(times)
    open_, high, low, close, volume, bought, close_time = np.concatenate(parts, axis=1)
    good = (low > 0) & (low <= np.minimum(open_, close)) & (high >= np.maximum(open_, close))
    good &= (bought >= 0) & (volume >= bought)
    contradictory = int(len(good) - good.sum())
    if unreadable or incomplete or contradictory:
        _log.warning(
            "%s: skipped %d unreadable, %d incomplete and %d contradictory candles, of %d",
            name, unreadable, incomplete, contradictory, rows,
        )  # fmt: skip
    unit = next(iter(units), "ms")
    if unit == "text":
        raise table.error("expected opening times as numbers, found text")
    # A candle ends one unit before the next begins; the times in a unit are exact doubles up to 2^53 (us: year 2255).
    lengths = np.unique(np.rint(close_time[good]).astype(np.int64) + 1 - ts[good] // _UNIT_NS[unit])
    if len(lengths) > 1 or (len(lengths) and lengths[0] < 1):
        raise table.error(f"expected candles of one interval, found {', '.join(f'{n} {unit}' for n in lengths[:5])}")
    # The difference of two decimals, rounded to the decimals that both have.
    sold = np.round(volume - bought, decimals)
    return Candles(
        ts[good], open_[good], high[good], low[good], close[good], bought[good], sold[good],
        interval_ns=int(lengths[0]) * _UNIT_NS[unit] if len(lengths) else 0,
    )  # fmt: skip


def _places(table: Table) -> dict[str, int]:
    if table.header is None:
        if len(table.rows[0]) != len(COLUMNS):
            raise table.error(f"expected {len(COLUMNS)} columns ({', '.join(COLUMNS)}), found '{table.first_line}'")
        return {name: place for place, name in enumerate(COLUMNS)}
    if not table.rows:
        raise table.error("expected candles, found only a header")
    names = layouts.column_names(table.header)
    missing = [name for name in ("open_time", "close_time", *_NEEDED) if name not in names]
    if missing:
        raise table.error(
            f"expected candles with taker volume, found no column {', '.join(missing)} in {layouts.listed(names)}"
        )
    return {name: names.index(name) for name in COLUMNS if name in names}
