"""What reading found: counts, units and warnings, by file and in total."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..market.contracts import Quantities


@dataclass(slots=True)
class FileReport:
    """
    What was found in one file. Counts stand for the rows read so far; ``rows_read = rows_used + sum(rejected)`` always.

    Attributes
    ----------
    path, name : str
        The file, and its last part, which messages use.
    format : str
        The layout that was recognised, such as ``"binance-aggtrades"`` or ``"parquet"``.
    bytes : int
        Size on disk.
    rows_read, rows_used : int
        Rows with any content (a header is none), and those that were, or are about to be, yielded.
    rejected : dict of str to int
        Rows left out, by reason: ``unreadable``, ``not_finite``, ``not_positive``, ``unknown_side``, ``other_symbol``,
        ``duplicate_id`` (a row before has the time, id, price, quantity and side), ``duplicate`` (an overlapping file
        has the row, one of the two without an id, or the file says it again after a step back in time), ``late``
        (before what had been yielded), of fills ``maker`` (its taker's row is there) and ``no_trade``, and, in Parquet,
        ``null_`` + the column; of other series than trades also ``duplicate_time``, ``contradictory`` and
        ``unfinished``.
    unreadable : dict of str to int
        What could not be read in the unreadable rows: ``row`` (too few fields), ``time``, ``price``, ``quantity``,
        ``side``.
    nothing : dict of str to int
        Of the rejected rows those that say nothing, by reason: quantities of zero, samples that are empty, candles of
        zeros. They do not count as lost.
    lost : str
        What a reader of the result must know of the rows that were lost: over 0.1 % of them.
    example : str
        The first row that was lost, in words, where it is at hand.
    resorted : int
        Rows that stood behind a later one and were moved forward.
    time_unit : str or None
        ``"s"``, ``"ms"``, ``"us"``, ``"ns"`` or ``"text"``.
    first_ts, last_ts : int or None
        Least and greatest time used, nanoseconds since the UNIX epoch.
    first_price : float or None
        Price of the earliest trade used; of other files, the one at their head where they tell it.
    symbol : str or None
        From the file's symbol column, else from its name.
    price_decimals, qty_decimals : int
        Digits after the point that the finest used value needs; trailing zeros do not count. Those of a batch are
        counted before it is yielded. 15 in a Parquet file: not on a decimal grid.
    warnings : list of str
        What a reader of the result should know.
    notes : list of str
        What was done to the values, such as halving what counts both sides.
    quantities : Quantities or None
        What the file says of the unit of its quantities; None: nothing was looked for.
    """

    path: str
    name: str
    format: str
    bytes: int
    rows_read: int = 0
    rows_used: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    nothing: dict[str, int] = field(default_factory=dict)
    lost: str = ""
    example: str = ""
    resorted: int = 0
    time_unit: str | None = None
    first_ts: int | None = None
    last_ts: int | None = None
    first_price: float | None = None
    symbol: str | None = None
    price_decimals: int = 0
    qty_decimals: int = 0
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    quantities: Quantities | None = None

    def reject(self, reason: str, count: int, nothing: int = 0) -> None:
        """Count rows as rejected, `nothing` of them as saying nothing."""
        if count:
            self.rejected[reason] = self.rejected.get(reason, 0) + count
        if nothing:
            self.nothing[reason] = self.nothing.get(reason, 0) + nothing


def summary_of(file: FileReport) -> dict[str, Any]:
    """Return what a result says of a file it was made from."""
    return {
        "name": file.name,
        "format": file.format,
        "rows": file.rows_read,
        "used": file.rows_used,
        "rejected": dict(file.rejected),
        "nothing": dict(file.nothing),
        "lost": file.lost,
        "warnings": list(file.warnings),
        "notes": list(file.notes),
    }


def count_unreadable(report: FileReport, counts: Mapping[str, int]) -> None:
    """Count rows as unreadable, by what could not be read in them."""
    for what, count in counts.items():
        if count:
            report.unreadable[what] = report.unreadable.get(what, 0) + count
    report.reject("unreadable", sum(counts.values()))


@dataclass(slots=True)
class ReadReport:
    """
    What was found in all files of one reading.

    Attributes
    ----------
    files : list of FileReport
        In the order of reading.
    complete : bool
        True once every row was read; False while reading, and for `scan`, which reads only the head of each file.
    """

    files: list[FileReport] = field(default_factory=list)
    complete: bool = False

    @property
    def rows_read(self) -> int:
        """Rows with any content."""
        return sum(file.rows_read for file in self.files)

    @property
    def rows_used(self) -> int:
        """Rows that were yielded."""
        return sum(file.rows_used for file in self.files)

    @property
    def rejected(self) -> dict[str, int]:
        """Rows left out, by reason."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.rejected)
        return dict(total)

    @property
    def resorted(self) -> int:
        """Rows that were moved forward within their file."""
        return sum(file.resorted for file in self.files)

    @property
    def bytes(self) -> int:
        """Size of all files on disk."""
        return sum(file.bytes for file in self.files)

    @property
    def first_ts(self) -> int | None:
        """Least time used, nanoseconds since the UNIX epoch."""
        return min(_known(file.first_ts for file in self.files), default=None)

    @property
    def last_ts(self) -> int | None:
        """Greatest time used, nanoseconds since the UNIX epoch."""
        return max(_known(file.last_ts for file in self.files), default=None)

    @property
    def first_price(self) -> float | None:
        """Price of the earliest trade used."""
        known = [file for file in self.files if file.first_price is not None]
        return min(known, key=lambda file: (file.first_ts is None, file.first_ts), default=_NOTHING).first_price

    @property
    def symbol(self) -> str | None:
        """The symbol, if all files that tell one tell the same."""
        symbols = {file.symbol for file in self.files if file.symbol is not None and file.rows_used}
        return symbols.pop() if len(symbols) == 1 else None

    @property
    def price_decimals(self) -> int:
        """Digits after the point that the finest price needs."""
        return max((file.price_decimals for file in self.files), default=0)

    @property
    def qty_decimals(self) -> int:
        """Digits after the point that the finest quantity needs."""
        return max((file.qty_decimals for file in self.files), default=0)

    @property
    def tick_size(self) -> float:
        """The price grid that the decimals imply, at most 1.0; the venue's own tick may be coarser, such as 0.5."""
        return float(f"1e-{self.price_decimals}")

    @property
    def lot_size(self) -> float:
        """The quantity grid that the decimals imply, at most 1.0."""
        return float(f"1e-{self.qty_decimals}")

    @property
    def warnings(self) -> list[str]:
        """All warnings, each with the name of its file."""
        return [f"{file.name}: {warning}" for file in self.files for warning in file.warnings]

    @property
    def notes(self) -> list[str]:
        """All notes, each with the name of its file."""
        return [f"{file.name}: {note}" for file in self.files for note in file.notes]


_NOTHING = FileReport("", "", "", 0)


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]
