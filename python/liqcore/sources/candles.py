"""Candles: the klines of venues, as archives, saved REST answers or tables of one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError
from ..tables.parquet import ParquetTable
from ..words.times import Length
from . import candle_layouts, candle_volumes, meaning
from .candle_layouts import BINANCE_COLUMNS
from .candle_volumes import BOUGHT
from .kinds import kline_price
from .layout import number_of
from .payload import PayloadTable
from .report import FileReport, ReadReport
from .series import (
    TIME,
    AnyTable,
    Part,
    Times,
    duration_ns,
    head_rows,
    join,
    names_of,
    read_parts,
    read_rows,
    spacing,
)
from .text import PathLike

_OHLC = ("open", "high", "low", "close")
COLUMNS = BINANCE_COLUMNS

# Names of a meaning, lower case, the most telling first.
OPEN_TIME = ("open_time", "start_time", "ts_open", "start", "time_period_start", "ticks", "mts", "t")
_CLOSE_TIME = ("close_time", "close_datetime", "end_time", "time_period_end", "T")
PRICES = {name: (name, f"{name}_price", name[0]) for name in _OHLC}
MAX_CONTRADICTORY = 0.05
_DAY_NS = 86_400_000_000_000
_UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


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
    buy_qty, sell_qty : ndarray of float64, shape (n,), or None
        Volume that takers bought and sold, in the unit the venue prints (base units, or contracts); None where the
        venue does not say who was the taker: such candles only touch, or, alone, serve models that need no sides.
    interval_ns : int
        Length of a candle, nanoseconds. A candle is known at its end, ``ts_open + interval_ns``, and acts one
        nanosecond before that.
    volume : ndarray of float64, shape (n,), or None
        All that was traded; None where the file does not tell.
    report : ReadReport
        What was read and rejected, by file.
    """

    ts_open: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    buy_qty: NDArray[np.float64] | None
    sell_qty: NDArray[np.float64] | None
    interval_ns: int
    volume: NDArray[np.float64] | None = None
    report: ReadReport = field(default_factory=ReadReport)

    def __len__(self) -> int:
        """Count the candles."""
        return len(self.ts_open)


@dataclass(slots=True)
class KlinePart:
    """
    The candles of one file.

    Attributes
    ----------
    part : Part
        Times are opening times; values are open, high, low, close, then `volume` and `bought` where there are such.
    interval_ns : int
        0 where the file has too few rows to tell.
    has_volume, has_bought : bool
    of_price : bool
        Whether something was counted, but no volume: such are klines of a mark or index price.
    """

    part: Part
    interval_ns: int
    has_volume: bool
    has_bought: bool
    of_price: bool


def read_candles(
    paths: PathLike | Sequence[PathLike], *, symbol: str | None = None, interval: Length | None = None
) -> Candles:
    """
    Read candles from CSV (plain, zip, gzip), saved REST answers (JSON) or Parquet.

    Known are the klines of Binance, futures and spot, with or without a header; those of Bybit (lists of seven) and OKX
    (lists of nine), which do not tell taker volumes; lists of six as ccxt gives them; and any table with an opening or
    closing time, open, high, low, close, and perhaps volumes. Where a taker buy volume is there, ``buy_qty`` is that
    and ``sell_qty`` the rest of the volume.

    A candle is dated by its opening time and acts at its end. Candles that contradict themselves (high below low, more
    bought than traded) or had not ended (OKX) are left out and counted; of those with the same opening time the one
    read last counts.

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Files of one market and interval, in any order.
    symbol : str, optional
        The one to read where files hold several.
    interval : duration, optional
        Length of a candle. By default told by the closing times, else by the usual distance of two candles.

    Returns
    -------
    Candles

    Raises
    ------
    DataError
        If a file is missing, damaged, holds no candles, mixes time units, holds several symbols without a choice, or
        has over 5 % unreadable rows; if the candles differ in length, or it cannot be told; or if only some files tell
        volumes.
    InvalidConfigError
        If the interval is no length of time.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "BTCUSDT-1m-2026-03.csv"
    >>> _ = file.write_text("1772323200000,66973.2,67029.2,66967.1,66998.5,9.19,1772323259999,615904,56,4.61,308,0\\n")
    >>> candles = read_candles(file)
    >>> candles.interval_ns // 10**9, candles.buy_qty, candles.sell_qty
    (60, array([4.61]), array([4.58]))
    """
    found: list[KlinePart] = []
    interval_ns = duration_ns(interval, "interval")

    def read(table: AnyTable, report: FileReport) -> Part:
        price = kline_price(table.path)
        found.append(read_klines(table, report, symbol, interval_ns))
        if price or found[-1].of_price:
            told = f"{price} price by its name or folder" if price else "mark or index price: counts without any volume"
            raise table.error(f"expected candles of trades, found those of a {told}")
        return found[-1].part

    parts, report = read_parts(paths, symbol, "candles", read)
    full = [one for one in found if len(one.part.ts)] or found[:1]
    for name, told in (("volume", "has_volume"), ("taker volume", "has_bought")):
        names = {getattr(one, told): one.part.report.name for one in full}
        if len(names) > 1:
            raise DataError(f"expected {name} in all files or none, found it in {names[True]}, not in {names[False]}")
    length = common_interval(found)
    ts, values = join(parts)
    volume = values[4] if full[0].has_volume else None
    bought = sold = None
    if full[0].has_bought and volume is not None:
        bought = values[5]
        # The difference of two decimals, rounded to the decimals that both have.
        sold = np.round(volume - bought, _core.finest_decimals(np.concatenate([volume, bought])))
    return Candles(ts, values[0], values[1], values[2], values[3], bought, sold, length, volume, report)


def read_klines(table: AnyTable, report: FileReport, symbol: str | None, interval_ns: int | None) -> KlinePart:
    """
    Read the candles of one file; see `read_candles`.

    Raises
    ------
    DataError
        If it cannot be used.
    """
    report.format, names = _layout(table, report)
    at = {name: meaning.find(names, known, money=True) for name, known in PRICES.items()}
    opens, closes = meaning.find(names, OPEN_TIME), meaning.find(names, _CLOSE_TIME)
    time = opens if opens >= 0 else closes if closes >= 0 else meaning.find(names, TIME)
    if (
        time < 0
        and "id" in names
        and all(10**8 <= number_of(word) < 10**11 for (word,) in head_rows(table, [names.index("id")]))
    ):
        time = names.index("id")  # HTX
    missing = [name for name in _OHLC if at[name] < 0] + ([] if time >= 0 else ["open_time"])
    if missing:
        raise table.error(f"expected candles, found no column {', '.join(missing)} in {meaning.listed(names)}")
    volume, bought, sold = _volumes(table, report, names, at)
    confirm = meaning.find(names, ("confirm", "closed"))
    count = meaning.find(names, ("count", "trades", "tradecount", "number_of_trades", "n"))
    # A closing time tells the length, unless it is text or a timestamp: then the distance of the rows does.
    told = interval_ns is None and opens >= 0 and closes >= 0 and _is_number_column(table, closes)
    numbers = [*at.values(), *(i for i in (volume, bought, sold, confirm, closes if told else -1) if i >= 0)]
    part = read_rows(
        table, report, "candles", time=time, numbers=numbers,
        symbol_at=meaning.find(names, meaning.SYMBOL), symbol=symbol,
    )  # fmt: skip

    def column(place: int) -> NDArray[np.float64]:
        values: NDArray[np.float64] = part.values[numbers.index(place)]
        return values

    if confirm >= 0:
        part.keep("unfinished", column(confirm) == 1)
    open_, high, low, close = part.values[:4]
    good = candle_layouts.fits(open_, high, low, close)
    odd = np.count_nonzero(~good & part.values[:4].any(axis=0))  # what never was traded has zeros
    if odd > MAX_CONTRADICTORY * len(good):
        raise table.error(
            f"expected candles whose high is above and low below, found {odd:,} of {len(good):,} that contradict that: "
            "open, high, low and close may stand in other columns"
        )
    volumes = [column(volume)] if volume >= 0 else [column(bought) + column(sold)] if sold >= 0 else []
    if volumes and bought >= 0:
        volumes.append(column(bought))
        good &= volumes[0] >= volumes[1]
    for values in volumes:
        good &= values >= 0
    close_time = column(closes) if told else None
    part.values = np.stack([open_, high, low, close, *volumes, *([] if close_time is None else [close_time])])
    part.keep("contradictory", good, ~np.any([open_, high, low, close], axis=0))
    if told:
        interval_ns = _told_interval(table, report, part.ts, part.values[-1])
        part.values = part.values[:-1]
    elif interval_ns is None:
        interval_ns = spacing(table, part.ts)
    if time == closes and len(part.ts):
        part.ts = _opening_times(table, part.ts, interval_ns)
    counted = count >= 0 and len(volumes) > 0 and not volumes[0].any() and _is_counted(table, count)
    return KlinePart(part, interval_ns, len(volumes) > 0, len(volumes) > 1, counted)


def common_interval(found: Sequence[KlinePart]) -> int:
    """
    Length of the candles of all files, ns; 0 where there are none.

    Raises
    ------
    DataError
        If they differ, or nothing tells the length.
    """
    lengths = {one.interval_ns for one in found if len(one.part.ts)} - {0}
    if len(lengths) > 1:
        listed = ", ".join(f"{length / 1e9:g} s" for length in sorted(lengths))
        raise DataError(f"expected candles of one interval, found {listed}")
    if not lengths and any(len(one.part.ts) for one in found):
        raise DataError(f"{found[0].part.report.name}: one candle does not tell its length: give interval=")
    return lengths.pop() if lengths else 0


def looks_like_klines(table: AnyTable) -> bool:
    """Whether a file holds rows of open, high, low and close, with or without names."""
    names = names_of(table)
    if names is not None:
        return all(meaning.find(names, known) >= 0 for known in PRICES.values())
    assert not isinstance(table, ParquetTable), "Parquet files name their columns"
    return bool(table.rows) and len(table.rows[0]) in candle_layouts.WIDTHS


def _layout(table: AnyTable, report: FileReport) -> tuple[str, list[str]]:
    """Return the name of the layout and those of the columns."""
    names = names_of(table)
    if names is not None:
        known = set(COLUMNS[:-1]) <= set(names) and report.format == "columns"
        return ("binance-klines" if known else report.format), names
    assert not isinstance(table, ParquetTable), "Parquet files name their columns"
    width = len(table.rows[0])
    if width not in candle_layouts.WIDTHS:
        raise table.error(
            f"expected candles with {', '.join(map(str, sorted(candle_layouts.WIDTHS)))} columns, "
            f"found '{table.first_line}'"
        )
    head = table.head()
    room = _core.count_lines(head)
    values = np.full((width, room), np.nan)
    places = list(range(1, width))
    counts = _core.parse_columns(
        head, np.empty(room, np.int64), values[1:], time_column=0, columns=places, delimiter=table.delimiter
    )
    if not counts.used:
        raise table.error(f"expected candles, a time first and numbers, found '{table.first_line}'")
    try:
        layout = candle_layouts.order_of(
            values[:, : counts.used], table.venue if isinstance(table, PayloadTable) else ""
        )
    except candle_layouts.OrderError as error:
        raise table.error(str(error)) from None
    return layout.name, list(layout.columns)


def _volumes(table: AnyTable, report: FileReport, names: Sequence[str], at: Mapping[str, int]) -> tuple[int, int, int]:
    """Find the volume, what takers bought of it, and what they sold where nothing else tells the volume; -1: none."""
    if names_of(table) is None:
        return (names.index("volume") if "volume" in names else -1), meaning.find(names, BOUGHT), -1
    rows = head_rows(table, range(len(names)))

    def number(place: int) -> NDArray[np.float64]:
        return np.array([number_of(row[place]) for row in rows])

    try:
        found, notes = candle_volumes.find_volumes(names, at["low"], at["high"], number)
    except candle_volumes.VolumeError as error:
        raise table.error(str(error)) from None
    report.notes += notes
    return found.volume, found.bought, found.sold if found.volume < 0 <= found.bought else -1


def _is_counted(table: AnyTable, at: int) -> bool:
    return any(number_of(word) > 0 for (word,) in head_rows(table, [at]))


def _is_number_column(table: AnyTable, at: int) -> bool:
    try:
        return all(float(word) > 0 for (word,) in head_rows(table, [at]))
    except ValueError:
        return False


def _told_interval(table: AnyTable, report: FileReport, ts: Times, close_time: NDArray[np.float64]) -> int:
    unit = report.time_unit or "ms"
    if unit == "text" or not len(ts):
        return spacing(table, ts)
    # A candle ends one unit before the next begins; the times in a unit are exact doubles up to 2^53 (us: year 2255).
    lengths = np.unique(np.rint(close_time).astype(np.int64) + 1 - ts // _UNIT_NS[unit])
    if len(lengths) > 1 or lengths[0] < 1:
        raise table.error(f"expected candles of one interval, found {', '.join(f'{n} {unit}' for n in lengths[:5])}")
    return int(lengths[0]) * _UNIT_NS[unit]


def _opening_times(table: AnyTable, ts_close: Times, interval_ns: int) -> Times:
    """Tell opening times from closing ones, which name the end or the last moment before it."""
    if not interval_ns or _DAY_NS % interval_ns:
        raise table.error("expected opening times: closing times alone tell those of intervals that divide a day")
    ends = -(-ts_close // interval_ns) * interval_ns
    return ends - interval_ns
