"""Funding rates from the files that venues and collectors give."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import meaning
from .report import FileReport, ReadReport
from .series import PRICE, TIME, AnyTable, Part, join, known_names, read_parts, read_rows
from .text import PathLike

# The most telling first: OKX prints the rate that was forecast beside the one that was paid.
RATE = ("realizedrate", "last_funding_rate", "funding_rate", "fundingrate", "funding", "rate")
INTERVAL_HOURS = ("funding_interval_hours", "fundingintervalhours")
_TIME = ("calc_time", "fundingratetimestamp", "fundingtime", "funding_time", *TIME)


@dataclass(frozen=True, slots=True)
class FundingLayout:
    """One kind of file: what must stand in its header, and whether its rates were paid or quoted."""

    name: str
    columns: tuple[str, ...]
    settled: bool


FUNDING_LAYOUTS = (
    FundingLayout("binance-funding-rate", ("calc_time", "funding_interval_hours", "last_funding_rate"), True),
    FundingLayout("okx-funding-rate", ("fundingtime", "fundingrate", "instid"), True),
    FundingLayout("binance-funding-rate", ("fundingtime", "fundingrate"), True),
    FundingLayout("bybit-funding-rate", ("fundingratetimestamp", "fundingrate"), True),
    FundingLayout("tardis-derivative-ticker", ("timestamp", "local_timestamp", "funding_rate"), False),
    FundingLayout("hyperliquid-context", ("ts_ms", "funding", "open_interest", "mark", "oracle"), False),
)


@dataclass(frozen=True, slots=True, eq=False)
class FundingRates:
    """
    Funding rates, sorted by time, one a time.

    Attributes
    ----------
    ts : ndarray of int64, shape (n,)
        When the rate was paid, or quoted if not `settled`: nanoseconds since the UNIX epoch, UTC; strictly rising.
    rate : ndarray of float64, shape (n,)
        Fraction of the notional that longs pay to shorts, for one funding interval: 0.0001 is 0.01 %.
    interval_hours : ndarray of float64, shape (n,)
        Length of the interval; NaN where the file does not tell.
    settled : bool
        True where these are the rates that were paid, False where they are the venue's running quotes.
    report : ReadReport
        What was read, rejected and assumed, by file.
    """

    ts: NDArray[np.int64]
    rate: NDArray[np.float64]
    interval_hours: NDArray[np.float64]
    settled: bool
    report: ReadReport = field(default_factory=ReadReport)

    def __len__(self) -> int:
        """Count the rates."""
        return len(self.ts)


def read_funding(paths: PathLike | Sequence[PathLike], *, symbol: str | None = None) -> FundingRates:
    """
    Read funding rates from CSV (plain, zip, gzip), saved REST answers (JSON) or Parquet.

    Known layouts are Binance fundingRate, as archive and REST answer, the funding history of Bybit and OKX (the
    realised rate), Tardis derivative_ticker and recordings of Hyperliquid's asset contexts; besides, any table with a
    time and a column such as ``funding_rate`` or ``rate``. Tickers and contexts hold running quotes, the others what
    was paid.

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Files of one market in any order; they are held in memory together.
    symbol : str, optional
        The one to read where files hold several.

    Returns
    -------
    FundingRates

    Raises
    ------
    DataError
        If a file is missing, damaged or of no such layout, mixes time units, holds several symbols without a choice, or
        has over 5 % unreadable rows; or if some files hold what was paid and others quotes.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "BTCUSDT-fundingRate-2026-03.csv"
    >>> _ = file.write_text("calc_time,funding_interval_hours,last_funding_rate\\n1772323200000,8,0.0001\\n")
    >>> read_funding(file).rate
    array([0.0001])
    """
    kinds: dict[bool, str] = {}

    def read(table: AnyTable, report: FileReport) -> Part:
        part, settled = _read(table, report, symbol)
        kinds.setdefault(settled, report.name)
        return part

    parts, report = read_parts(paths, symbol, "funding rates", read)
    if len(kinds) > 1:
        raise DataError(
            f"expected funding rates of one kind, found rates that were paid in {kinds[True]} and running quotes in "
            f"{kinds[False]}"
        )
    ts, values = join(parts)
    return FundingRates(ts, values[0], values[1], next(iter(kinds)), report)


def _read(table: AnyTable, report: FileReport, symbol: str | None) -> tuple[Part, bool]:
    names = known_names(table)
    layout = next((known for known in FUNDING_LAYOUTS if set(known.columns) <= set(names)), None)
    time, rate = meaning.find(names, _TIME), meaning.find(names, RATE)
    if time < 0 or rate < 0:
        raise table.error(
            "expected columns for time (such as timestamp or calc_time) and funding rate (such as funding_rate or "
            f"rate), found {meaning.listed(names)}"
        )
    if layout is not None:
        report.format = layout.name
        settled = layout.settled
    else:
        settled = meaning.find(names, (*PRICE, "open_interest")) < 0  # a ticker has those beside it
    if not settled and (quoted := meaning.find(names, TIME)) >= 0:
        time = quoted  # a quote is known when it is made, not at the settlement that it is for
    hours = meaning.find(names, INTERVAL_HOURS)
    part = read_rows(
        table, report, "funding rates", time=time, numbers=[rate] if hours < 0 else [rate, hours],
        symbol_at=meaning.find(names, meaning.SYMBOL), symbol=symbol,
    )  # fmt: skip
    if hours < 0:
        part.values = np.concatenate([part.values, np.full((1, len(part.ts)), np.nan)])
    return part, settled
