"""Open interest: quantities, one side counted, from the files that venues and collectors give."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, InvalidConfigError
from ..tables.parquet import ParquetTable
from ..words.times import Length, format_duration
from . import meaning
from .payload import PayloadTable
from .report import FileReport, ReadReport
from .series import (
    PRICE,
    TIME,
    AnyTable,
    Part,
    duration_ns,
    head_rows,
    join,
    known_names,
    read_parts,
    read_rows,
)
from .text import PathLike

Sides = Literal["auto", "one", "two"]

QUANTITY = ("open_interest", "openinterest", "sum_open_interest", "oi", "open_interest_qty", "open_interest_amount",
            "openinterestamount")  # fmt: skip
VALUE = ("sum_open_interest_value", "suminterestvalue", "sumopeninterestvalue", "open_interest_value",
         "openinterestvalue", "open_interest_usd", "openinterestusd", "oi_usd", "oiusd", "oi_value")  # fmt: skip

METRICS_SHIFT_NS = 1_782_345_600_000_000_000
"""2026-06-25 00:00 UTC: from here on a label in Binance's metrics files is the start of its five minutes."""
METRICS_PERIOD_NS = 300_000_000_000

# Exchanges, as Tardis calls them, whose open interest counts the long and the short of a contract as two.
_TWO_SIDED_EXCHANGES = frozenset(
    {"bybit", "gate-io-futures", "huobi-dm", "huobi-dm-swap", "huobi-dm-linear-swap", "htx"}
)


@dataclass(frozen=True, slots=True)
class OpenInterestLayout:
    """
    One kind of file that holds open interest, and how its venue counts.

    Attributes
    ----------
    name : str
    columns : tuple of str
        What must stand in the header, lower case, in any order and among others.
    time, quantity : str
        Which of them hold the time and the open interest.
    sides : {"one", "two", "exchange"}
        How the venue counts; ``"exchange"``: that depends on the exchange column.
    unit : {"base", "contracts", "symbol"}
        What the quantity is in; ``"symbol"``: contracts for coin-margined symbols, else base units.
    symbol : str
        The column that holds the symbol; an empty string: there is none.
    """

    name: str
    columns: tuple[str, ...]
    time: str
    quantity: str
    sides: Literal["one", "two", "exchange"]
    unit: Literal["base", "contracts", "symbol", "as printed"]
    symbol: str = ""


# The most telling first: a file is of the first layout whose columns it has.
OPEN_INTEREST_LAYOUTS = (
    OpenInterestLayout(
        "binance-metrics", ("create_time", "symbol", "sum_open_interest", "sum_open_interest_value"),
        "create_time", "sum_open_interest", "one", "symbol", "symbol",
    ),
    OpenInterestLayout(
        "binance-open-interest-hist", ("sumopeninterest", "sumopeninterestvalue", "timestamp"),
        "timestamp", "sumopeninterest", "one", "symbol", "symbol",
    ),
    OpenInterestLayout(
        "binance-open-interest", ("openinterest", "symbol", "time"), "time", "openinterest", "one", "symbol", "symbol",
    ),
    OpenInterestLayout(
        "bybit-open-interest", ("openinterest", "timestamp"), "timestamp", "openinterest", "two", "symbol", "symbol",
    ),
    OpenInterestLayout(
        "okx-open-interest", ("oi", "oiccy", "ts"), "ts", "oi", "one", "contracts", "instid",
    ),
    OpenInterestLayout(
        "gate-contract-stats", ("time", "open_interest", "lsr_taker", "lsr_account"),
        "time", "open_interest", "two", "contracts", "contract",
    ),
    OpenInterestLayout(
        "htx-open-interest", ("volume", "amount_type", "ts"), "ts", "volume", "two", "contracts",
    ),
    OpenInterestLayout(
        "tardis-derivative-ticker", ("exchange", "symbol", "timestamp", "local_timestamp", "open_interest"),
        "timestamp", "open_interest", "exchange", "as printed", "symbol",
    ),
    OpenInterestLayout(
        "hyperliquid-context", ("ts_ms", "funding", "open_interest", "mark", "oracle"),
        "ts_ms", "open_interest", "one", "base",
    ),
)  # fmt: skip

_ONLY_VALUE = (
    "expected open interest as a quantity (such as open_interest or oi), found only its value in USD, which changes "
    "with the price too"
)
_OKX_HISTORY = ("ts", "oi", "oiCcy", "oiUsd")  # what the rows of open-interest-history hold, without names


@dataclass(frozen=True, slots=True, eq=False)
class OpenInterest:
    """
    Samples of open interest, sorted by time, one a time.

    Attributes
    ----------
    ts : ndarray of int64, shape (n,)
        When the sample was known, nanoseconds since the UNIX epoch, UTC; strictly rising.
    quantity : ndarray of float64, shape (n,)
        Open contracts with one side counted, above zero, in the unit that the venue prints.
    unit : {"base", "contracts", "as printed"}
        What the quantity is in, as far as the files' layout tells.
    report : ReadReport
        What was read, rejected and assumed, by file.
    """

    ts: NDArray[np.int64]
    quantity: NDArray[np.float64]
    unit: str = "as printed"
    report: ReadReport = field(default_factory=ReadReport)

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.ts)


def read_open_interest(
    paths: PathLike | Sequence[PathLike],
    *,
    symbol: str | None = None,
    sides: Sides = "auto",
    delay: Length | None = None,
) -> OpenInterest:
    """
    Read open interest from CSV (plain, zip, gzip), saved REST answers (JSON) or Parquet.

    Known layouts are Binance metrics, openInterestHist and openInterest, Bybit and OKX open interest, Gate
    contract_stats, HTX swap_his_open_interest, Tardis derivative_ticker and recordings of Hyperliquid's asset contexts;
    besides, any table with a time and a column such as ``open_interest`` or ``oi``.

    A sample acts when it was known, never before: at its label, but for Binance metrics and openInterestHist with
    labels from 2026-06-25 on, which name the start of their period (five minutes in metrics) and so act at its end.
    The label of that midnight itself may be either; it is taken for a start, which is late at worst.

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Files of one market in any order; they are held in memory together, 16 bytes a row.
    symbol : str, optional
        The one to read where files hold several.
    sides : {"auto", "one", "two"}
        Whether the files count a contract once, or its long and its short, in which case quantities are halved.
        "auto" goes by the layout: Bybit, Gate and HTX count both sides; of unknown layouts one is assumed, with a
        warning.
    delay : duration, optional
        How long after its label a sample was known, in place of the rule above.

    Returns
    -------
    OpenInterest

    Raises
    ------
    DataError
        If a file is missing, damaged, of no such layout or gives only a value in USD; mixes time units or exchanges;
        holds several symbols without a choice; or has over 5 % unreadable rows.
    InvalidConfigError
        If `sides` is none of the three, or `delay` no length of time.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "bybit.json"
    >>> _ = file.write_text('{"retCode":0,"result":{"symbol":"BTCUSDT","category":"linear","list":['
    ...                     '{"openInterest":"52000.5","timestamp":"1781222400000"}]}}')
    >>> oi = read_open_interest(file)
    >>> oi.quantity, oi.unit, oi.report.notes
    (array([26000.25]), 'base', ['bybit.json: open interest counts both sides: halved'])
    """
    if sides not in ("auto", "one", "two"):
        raise InvalidConfigError(f'sides must be "auto", "one" or "two", was {sides!r}')
    delay_ns = duration_ns(delay, "delay")
    units: set[str] = set()

    def read(table: AnyTable, report: FileReport) -> Part:
        part, unit = _read(table, report, symbol, sides, delay_ns)
        units.add(unit)
        return part

    parts, report = read_parts(paths, symbol, "open interest", read)
    units.discard("as printed")
    if len(units) > 1:
        raise DataError("expected open interest in one unit, found base units in some files and contracts in others")
    ts, values = join(parts)
    return OpenInterest(ts, values[0], units.pop() if units else "as printed", report)


def _read(
    table: AnyTable, report: FileReport, symbol: str | None, sides: Sides, delay_ns: int | None
) -> tuple[Part, str]:
    names = _names(table)
    layout = next((known for known in OPEN_INTEREST_LAYOUTS if set(known.columns) <= set(names)), None)
    if layout is None:
        layout = _by_column_names(table, names)
    if not isinstance(table, ParquetTable) or layout.name != "columns":
        report.format = layout.name
    quantity = names.index(layout.quantity)
    symbol_at = meaning.find(names, (layout.symbol,)) if layout.symbol else -1
    part = read_rows(
        table, report, "open interest", time=names.index(layout.time), numbers=[quantity],
        symbol_at=symbol_at, symbol=symbol,
    )  # fmt: skip
    part.keep("not_positive", part.values[0] > 0, part.values[0] == 0)
    counted = _counted_sides(table, report, layout) if sides == "auto" else sides
    if counted == "two":
        part.values /= 2
        report.notes.append("open interest counts both sides: halved")
    _delay(part, layout, delay_ns)
    category = table.category if isinstance(table, PayloadTable) else None
    unit = _unit(layout, report.symbol, category)
    report.first_price = _first_price(table, names, layout, symbol_at, report.symbol, unit)
    return part, unit


def _names(table: AnyTable) -> list[str]:
    if isinstance(table, PayloadTable) and table.header is None and table.venue == "okx":
        width = len(table.rows[0])
        if width == len(_OKX_HISTORY):
            return meaning.column_names(_OKX_HISTORY)
        if width == 3:  # open-interest-volume
            raise table.error(_ONLY_VALUE)
    return known_names(table)


def _by_column_names(table: AnyTable, names: Sequence[str]) -> OpenInterestLayout:
    time, quantity = meaning.find(names, TIME), meaning.find(names, QUANTITY)
    value = meaning.find(names, VALUE)
    if quantity < 0 <= value:
        raise table.error(_ONLY_VALUE + f" ({names[value]})")
    if time < 0 or quantity < 0:
        raise table.error(
            "expected columns for time (such as timestamp or ts_ms) and open interest (such as open_interest or oi), "
            f"found {meaning.listed(names)}"
        )
    symbol = meaning.find(names, meaning.SYMBOL)
    return OpenInterestLayout(
        "columns", (), names[time], names[quantity], "one", "as printed", names[symbol] if symbol >= 0 else ""
    )


def _counted_sides(table: AnyTable, report: FileReport, layout: OpenInterestLayout) -> str:
    if layout.sides == "exchange":
        at = known_names(table).index("exchange")
        exchanges = list(dict.fromkeys(row[0] for row in head_rows(table, [at])))
        if len(exchanges) > 1:
            raise table.error(f"expected open interest of one exchange, found {meaning.listed(exchanges)}")
        return "two" if exchanges[0] in _TWO_SIDED_EXCHANGES else "one"
    if layout.name == "columns":
        report.warnings.append('open interest is assumed to count one side: say sides="two" if it counts both')
    if layout.name == "bybit-open-interest" and not (isinstance(table, PayloadTable) and table.venue == "bybit"):
        report.warnings.append(
            'taken for open interest of Bybit, which counts both sides: if it is not, say sides="one"'
        )
    return layout.sides


def _delay(part: Part, layout: OpenInterestLayout, delay_ns: int | None) -> None:
    if delay_ns is not None:
        part.ts = part.ts + delay_ns
        return
    if layout.name not in ("binance-metrics", "binance-open-interest-hist"):
        return
    starts = part.ts >= METRICS_SHIFT_NS
    count = int(np.count_nonzero(starts))
    if not count:
        return
    period = METRICS_PERIOD_NS
    if layout.name != "binance-metrics":  # an answer's period is what was asked for
        period = int(min(np.diff(np.unique(part.ts)), default=period))
    part.ts = np.where(starts, part.ts + period, part.ts)
    part.report.notes.append(
        f"{count:,} labels from 2026-06-25 on name the start of their {format_duration(period)}: used at the end"
    )


def _unit(layout: OpenInterestLayout, symbol: str | None, category: str | None) -> str:
    if layout.unit != "symbol":
        return layout.unit
    if category in ("linear", "inverse"):
        return "base" if category == "linear" else "contracts"
    if symbol is None:
        return "as printed"
    # Coin-margined: BTCUSD_PERP and BTCUSD_260327 at Binance, BTCUSD and BTCUSDM26 at Bybit.
    plain = symbol.split("_")[0].rstrip("0123456789")
    return "contracts" if plain.endswith("USD") or (plain[:-1].endswith("USD") and plain[-1] in "HMUZ") else "base"


def _first_price(
    table: AnyTable,
    names: Sequence[str],
    layout: OpenInterestLayout,
    symbol_at: int,
    symbol: str | None,
    unit: str,
) -> float | None:
    """Price at the head of the file, where it tells one: the mark price, or the value divided by the quantity."""
    mark, value = meaning.find(names, PRICE), meaning.find(names, VALUE)
    if mark < 0 and (value < 0 or unit == "contracts"):  # a contract may be of any size
        return None
    over, under = (mark, mark) if mark >= 0 else (value, names.index(layout.quantity))
    for word, a, b in head_rows(table, [max(symbol_at, 0), over, under]):
        try:
            top, bottom = float(a), float(b)
        except ValueError:
            continue
        if min(top, bottom) > 0 and (symbol_at < 0 or word == symbol):
            return top if mark >= 0 else top / bottom
    return None
