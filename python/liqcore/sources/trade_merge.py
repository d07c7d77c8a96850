"""Trades of files that overlap in time: merged, and what they have in common counted once."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError
from ..words.times import UNITS_NS, iso
from .losses import say_losses
from .meaning import listed
from .trade_files import TradeFile, add_warnings
from .trade_order import FileOrder
from .trade_rows import Rows

_ROWS = 1 << 16  # merged at once: what the caches hold
_FEW = 10  # rows whose times may all be whole seconds by accident
_MANY = 20  # rows by which two files are found to be of one kind or not
_SUMS = 5
_UNITS = ("s", "ms", "us", "ns")

_Run = tuple[
    NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64] | None, int, bool
]


class Cursor:
    """
    A file that is being read: its trades in stretches, each in order of time, and how far they have been taken.

    Attributes
    ----------
    rows : Rows
        The present stretch; empty: there is no more.
    at : int
        How many of it have been taken.
    begin : int or None
        The first time in the file; None: there is none.
    """

    def __init__(self, file: TradeFile, stretches: Iterator[Rows], rank: int) -> None:
        self.file = file
        self.report = file.report
        self.rank = rank
        self.begin: int | None = None
        self._stretches = stretches
        self._order = FileOrder()
        self._sells = self._met = self._shared = self._twins = self._looked = self._sums = 0
        self._others: dict[str, bool] = {}  # files merged with: whether they are of another layout
        self.rows, self.at = _none(), 0

    @property
    def ts(self) -> int:
        """Time of the next trade."""
        return int(self.rows.ts[self.at])

    @property
    def last(self) -> int:
        """Greatest time of the present stretch."""
        return int(self.rows.ts[-1])

    def next(self, taken: int) -> bool:
        """Go to the next stretch; what is not after the time `taken`, up to which all files have been used, is late."""
        self.rows, self.at = _none(), 0  # before more is read
        for rows in self._stretches:
            clean = self._order.clean(rows, self.report)
            del rows
            late = int(np.searchsorted(clean.ts, taken, "right"))
            self.report.reject("late", late)
            self.report.rows_used -= late
            if late < len(clean):
                if self.begin is None:
                    self.begin = int(clean.ts[late])
                self.rows = clean.part(late, len(clean))
                return True
        say_losses(self.report)
        add_warnings(self.report, self._sells)
        self._say()
        return False

    def end_of(self, limit: int) -> int:
        """Position of the first trade that is not before a time."""
        return int(np.searchsorted(self.rows.ts, limit))

    def take(self, end: int) -> Rows:
        """Return the trades up to a position, not copied, and count them."""
        begin, self.at = self.at, end
        self._sells += int(np.count_nonzero(self.rows.taker_sell[begin:end]))
        self._count_used(begin, end - 1)
        return self.rows.part(begin, end)

    def run(self, end: int, numberings: dict[str, int]) -> _Run:
        """Return the trades up to a position as `_core.merge_trades` takes them."""
        rows = self.rows.part(self.at, end)
        numbering = numberings.setdefault(self.file.numbering, len(numberings))
        ids = None if rows.ids is None else np.ascontiguousarray(rows.ids)
        of = np.ascontiguousarray
        return of(rows.ts), of(rows.price), of(rows.qty), of(rows.taker_sell), ids, numbering, self._order.by_id

    def merged(self, end: int, counts: _core.RunCounts, among: Sequence["Cursor"]) -> None:
        """Count what became of the trades up to a position."""
        begin, self.at = self.at, end
        report = self.report
        report.rows_used -= counts.same_id + counts.same_contents
        report.reject("duplicate_id", counts.same_id)
        report.reject("duplicate", counts.same_contents)
        self._sells += int(np.count_nonzero(self.rows.taker_sell[begin:end])) - counts.sells
        self._met += end - begin
        self._looked += counts.looked
        self._shared += counts.shared
        self._twins += counts.twins
        self._sums += counts.regrouped
        if counts.first >= 0:
            self._count_used(begin + counts.first, begin + counts.last)
        for other in among:
            if other is not self:
                self._others[other.report.name] = other.report.format != report.format
        both = _names(among[counts.other], self)
        if self._twins >= _MANY and 2 * self._twins > self._met:
            raise DataError(
                f"{both}: expected the same trades to have the same ids, found {self._twins:,} of "
                f"{self._met:,} under other ones: give one of the files, or remove the ids"
            )
        if self._sums >= _SUMS and 5 * self._sums > self._looked:
            raise DataError(
                f"{both}: expected trades of one kind, found sums of the other's in one of them "
                f"({self._sums:,} times): give single trades or aggregates, not both"
            )

    def _count_used(self, first: int, last: int) -> None:
        report = self.report
        if report.first_ts is None:
            report.first_ts = int(self.rows.ts[first])
            report.first_price = float(self.rows.price[first])
        report.last_ts = int(self.rows.ts[last])

    def _say(self) -> None:
        if not self._others:
            return
        report = self.report
        twice = report.rejected.get("duplicate", 0) + report.rejected.get("duplicate_id", 0)
        said = f", {twice:,} repeated rows left out" if twice else ""
        others = next(iter(self._others)) if len(self._others) == 1 else f"{len(self._others):,} files"
        report.notes.append(f"merged by time with {others}{said}")
        if not self._shared and self._met >= _MANY and any(self._others.values()):
            report.warnings.append(
                f"no trade in common with {listed([name for name, other in self._others.items() if other], 3)}, of "
                "another layout and of the same time: is it the same market?"
            )


def merge(
    files: Sequence[TradeFile], read: Callable[[int], Iterator[Rows]], done: Callable[[int], None]
) -> Iterator[Rows]:
    """
    Yield the trades of all files in order of time, without what files have in common.

    Only files that overlap are held at once; where none does, trades are handed on as they were read.

    Parameters
    ----------
    files : sequence of TradeFile
        In order of their least times.
    read : callable
        Gives the stretches of a file, by its number.
    done : callable
        Told the number of a file when it has been read.

    Raises
    ------
    DataError
        If files of two layouts overlap, such as aggregates and single trades, or what is said of `Cursor.merged`.
    """
    waiting = deque(number for number, file in enumerate(files) if not file.left_out)
    opened: list[Cursor] = []
    numberings: dict[str, int] = {}
    taken = int(np.iinfo(np.int64).min)

    def go_on(cursor: Cursor) -> bool:
        if cursor.next(taken):
            for other in opened:
                _check_kinds(*sorted((other, cursor), key=lambda one: one.rank))
            return True
        done(cursor.rank)
        return False

    while waiting or opened:
        while waiting and (not opened or files[waiting[0]].first_ts <= min(cursor.ts for cursor in opened)):
            number = waiting.popleft()
            cursor = Cursor(files[number], read(number), number)
            if go_on(cursor):
                opened.append(cursor)
            del cursor
        if not opened:
            continue
        limit = min(cursor.last for cursor in opened) + 1
        if waiting:
            limit = min(limit, files[waiting[0]].first_ts)
        if len(opened) > 1:
            limit = _bounded(opened, limit)
        taking = [(cursor, end) for cursor in opened if (end := cursor.end_of(limit)) > cursor.at]
        taken = max(int(cursor.rows.ts[end - 1]) for cursor, end in taking)
        if len(taking) == 1:
            yield taking[0][0].take(taking[0][1])
        else:
            yield _merged(taking, numberings)
        del taking
        opened = [cursor for cursor in opened if cursor.at < len(cursor.rows) or go_on(cursor)]


def _merged(taking: Sequence[tuple[Cursor, int]], numberings: dict[str, int]) -> Rows:
    runs = [cursor.run(end, numberings) for cursor, end in taking]
    used, ts, price, qty, taker_sell, counts = _core.merge_trades(runs)
    among = [cursor for cursor, _ in taking]
    for (cursor, end), count in zip(taking, counts, strict=True):
        cursor.merged(end, count, among)
    return Rows(ts[:used], price[:used], qty[:used], taker_sell[:used])


def _bounded(opened: Sequence[Cursor], limit: int) -> int:
    """A limit of time up to which there are not too many trades, but those of the first time in any case."""
    room = _ROWS // len(opened)
    edges = [int(cursor.rows.ts[cursor.at + room]) for cursor in opened if cursor.at + room < len(cursor.rows)]
    return max(min([limit, *edges]), min(cursor.ts for cursor in opened) + 1)


def _check_kinds(a: Cursor, b: Cursor) -> None:
    """Refuse files of two layouts or venues, or with times of two units, that have more than one time in common."""
    if not (len(a.rows) and len(b.rows)):  # one has just ended
        return
    assert a.begin is not None
    assert b.begin is not None
    begin, end = max(a.begin, b.begin), min(a.last, b.last)
    if not (a.begin < b.last and b.begin < a.last):
        return
    units = _units(a.rows.ts, b.rows.ts)
    if units[0] != units[1]:
        raise DataError(
            f"{_names(a, b)}: expected times as fine in one as in the other, which overlap from {iso(begin)} to "
            f"{iso(end)}, found {' and '.join(units)}: what both have cannot be told, give one of them"
        )
    if a.file.market != b.file.market and a.file.market and b.file.market:
        raise DataError(
            f"{_names(a, b)}: expected trades of one kind and market at a time, found "
            f"{a.file.market} and {b.file.market} both from {iso(begin)} to {iso(end)}: give one of them"
        )


def _units(*times: NDArray[np.int64]) -> list[str]:
    """Tell of which units times are whole numbers, each in order; of too few, the unit of the others."""
    looked = [next(unit for unit in _UNITS if not (ts[:: 1 + len(ts) // 64] % UNITS_NS[unit]).any()) for ts in times]
    finest = max(looked, key=_UNITS.index)
    for number, ts in enumerate(times):
        if looked[number] != finest and (len(ts) < _FEW or (ts % UNITS_NS[looked[number]]).any()):
            looked[number] = finest
    return looked


def _names(a: Cursor, b: Cursor) -> str:
    """Name two files, by their paths where their names are the same."""
    alike = a.report.name == b.report.name
    return f"{a.report.path} and {b.report.path}" if alike else f"{a.report.name} and {b.report.name}"


def _none() -> Rows:
    return Rows(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.bool_))
