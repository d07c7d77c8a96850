"""The order of trades in one file, and what stands there twice."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import DataError
from ..words.times import iso
from .report import FileReport
from .trade_rows import Rows

_ODD = np.uint64(0x9E3779B97F4A7C15)  # spreads times over 64 bits
_LOOKED_AT = 256  # rows by which it is found that a file may hold every trade several times
_KINDS = 10  # of rows, from which that is no accident
_CHANGES = 3  # from one row to the next in a stretch that stands in a file again
_SURELY = 20  # rows of such a stretch of which there is no doubt

_Places = NDArray[np.int64]


class FileOrder:
    """
    Puts the stretches of one file in order, one after the other; no time may stand in two of them.

    Attributes
    ----------
    by_id : bool
        Whether ids have been numbers that rise with time so far: then they tell the order inside one time.
    """

    def __init__(self) -> None:
        self.by_id = True
        self._highest: int | None = None

    def clean(self, rows: Rows, report: FileReport) -> Rows:
        """
        Sort a stretch by time and leave out repeats; both is counted, what is left counts as used.

        Inside one time the order is that of ids where they rise with time, else the file's, turned round where more
        rows are earlier than the one before than later. A repeat has time, id, price, quantity and side of a row before
        it; without ids it stands in a part of the file that goes back in time and says again what has been said.

        Raises
        ------
        DataError
            If it cannot be told whether a part says something again.
        """
        if len(rows):
            order = _by_time(rows)
            if rows.ids is None or bool((rows.ids == _core.NO_ID).all()):
                if order is not None and (again := _said_again(rows, report)) is not None:
                    rows = rows.take(~again)
                    order = _by_time(rows)
                if not report.rows_used:
                    _say_multiples(rows, order, report)
            order = self._by_id(rows, order)
            if order is not None:
                rank = np.empty(len(order), np.int64)
                rank[order] = np.arange(len(order))
                report.resorted += int(np.count_nonzero(rank < np.maximum.accumulate(rank)))
                rows = rows.take(order)
            repeated = _repeats(rows)
            if repeated is not None:
                report.reject("duplicate_id", int(np.count_nonzero(repeated)))
                rows = rows.take(~repeated)
        report.rows_used += len(rows)
        return rows

    def _by_id(self, rows: Rows, order: _Places | None) -> _Places | None:
        """Look whether ids rise with time, and if so put equal times in their order."""
        if not self.by_id or rows.ids is None or int(rows.ids.min()) < 0:
            self.by_id = False
            return order
        ids = rows.ids if order is None else rows.ids[order]
        before, self._highest = self._highest, max(int(rows.ids.max()), self._highest or 0)
        if np.all(ids[1:] >= ids[:-1]):
            self.by_id = before is None or int(ids[0]) >= before
            return order
        ts = rows.ts if order is None else rows.ts[order]
        starts = np.concatenate([[0], np.flatnonzero(ts[1:] != ts[:-1]) + 1])
        low, high = np.minimum.reduceat(ids, starts), np.maximum.accumulate(np.maximum.reduceat(ids, starts))
        # One time alone shows nothing.
        known = len(starts) > 1 if before is None else int(low[0]) >= before
        self.by_id = known and bool(np.all(low[1:] >= high[:-1]))
        if self.by_id:
            order = np.lexsort((rows.ids, rows.ts))
        return order


def _by_time(rows: Rows) -> _Places | None:
    """Tell how to take the rows to have them in order of time; None: as they are."""
    ts = rows.ts
    if rows.in_order or np.all(ts[1:] >= ts[:-1]):
        return None
    if _is_newest_first(ts):  # so equal times are too
        order: _Places = len(ts) - 1 - np.argsort(ts[::-1], kind="stable")
    else:
        order = np.argsort(ts, kind="stable")
    return order


def _is_newest_first(ts: NDArray[np.int64]) -> bool:
    return bool(np.count_nonzero(ts[1:] < ts[:-1]) > np.count_nonzero(ts[1:] > ts[:-1]))


def _said_again(rows: Rows, report: FileReport) -> NDArray[np.bool_] | None:
    """
    Mark rows without ids in parts of a file that say again what parts before them have said; None: there are none.

    A part ends where time goes back, which rows out of order do, too, and a trade may well be like another one. What
    tells is that rows one after the other stand together elsewhere, or that nearly all that go back stand elsewhere.
    Then parts are as files that overlap: of a trade there are as many as the part has that has most.
    """
    turned = _is_newest_first(rows.ts)
    columns = tuple(column[::-1] if turned else column for column in (rows.ts, rows.price, rows.qty, rows.taker_sell))
    ts = columns[0]
    row, like, kind = _found_before(columns)
    if not len(row):
        return None
    breaks = np.append(True, (np.diff(row) != 1) | (np.diff(row - like) != 0))
    starts = np.flatnonzero(breaks)
    changes = np.add.reduceat((breaks | np.append(True, np.diff(kind) != 0)).astype(np.int64), starts)
    changes[ts[row[starts]] == ts[row[np.append(starts[1:], len(row)) - 1]]] = 0  # rows of one time often are alike
    changes = changes[np.cumsum(breaks) - 1]
    together = int(np.count_nonzero(changes >= _CHANGES))
    behind = int(np.count_nonzero(ts < np.maximum.accumulate(ts)))
    nearly_all = len(row) >= _SURELY and 5 * len(row) >= 4 * behind
    if 2 * together < len(row) and not nearly_all:  # most are like another one by accident
        if 10 * together > len(row):
            raise DataError(
                f"{report.name}: expected every trade once, found {len(row):,} rows after steps back in time that "
                f"equal rows before, {together:,} of them several in a row: remove what stands there twice, or give "
                "the parts as files"
            )
        row = row[changes >= _SURELY]
    if not len(row):
        return None
    report.reject("duplicate", len(row))
    report.warnings.append(
        f"{len(row):,} rows go back in time, to {iso(int(ts[row].min()))}, and say again what stands before them: left "
        "out"
    )
    found = np.zeros(len(ts), np.bool_)
    found[row] = True
    return found[::-1] if turned else found


def _found_before(columns: tuple[NDArray[Any], ...]) -> tuple[_Places, _Places, _Places]:
    """
    Find rows that a part of the file before theirs has, too, in order: where, where it has them, and numbers of what
    they hold.
    """
    ts = columns[0]
    high = np.maximum.accumulate(ts)
    falls = ts[1:] < ts[:-1]
    part = np.append(0, np.cumsum(falls))
    again = np.unique(np.concatenate([ts[ts < high], high[:-1][falls]]))  # times that parts have in common
    at = _alike(np.flatnonzero(np.isin(ts, again)), *columns)
    if not len(at):
        return at, at, at
    kind = np.cumsum(_changes(at, *columns), dtype=np.int64)
    begin = np.flatnonzero(np.append(True, (np.diff(kind) > 0) | (np.diff(part[at]) > 0)))  # of a kind in a part
    size = np.diff(np.append(begin, len(at)))
    above = kind[begin] * (int(size.max()) + 1)
    most = np.maximum.accumulate(size + above) - above  # of the kind in a part so far
    before = np.append(0, most[:-1])
    before[np.append(True, np.diff(kind[begin]) > 0)] = 0
    group = np.repeat(np.arange(len(begin)), size)
    nth = np.arange(len(at)) - begin[group]
    again = np.flatnonzero(nth < before[group])
    group, nth = group[again], nth[again]
    like = at[np.minimum(begin[group - 1] + nth, begin[group] - 1)]  # in the last part that has any
    order = np.argsort(at[again])
    return at[again][order], like[order], kind[again][order]


def _say_multiples(rows: Rows, order: _Places | None, report: FileReport) -> None:
    """Warn of rows without ids that all stand there several times: fills of their own, or a file written twice."""
    head = rows.part(0, _LOOKED_AT) if order is None else rows.take(order[:_LOOKED_AT])
    times = 0
    for some in (head, rows):
        columns = (some.ts, some.price, some.qty, some.taker_sell)
        at = np.lexsort(columns[::-1])
        new = np.flatnonzero(_changes(at, *columns))
        counts = np.diff(np.append(new, len(at)))
        if len(some) < len(rows):  # there may be more of the last time
            counts = counts[some.ts[at[new]] < some.ts[-1]]
        times = int(np.gcd.reduce(counts)) if len(counts) >= _KINDS else 1
        if times < 2:
            return
    report.warnings.append(
        f"every row stands there {times} times or a multiple of that: without ids each counts; remove those that were "
        "written twice"
    )


def _repeats(rows: Rows) -> NDArray[np.bool_] | None:
    """Mark the rows that a row before them repeats; None: there is none. The rows are in order of time."""
    if rows.ids is None or np.all(rows.ids[1:] > rows.ids[:-1]):
        return None
    same = rows.ts[1:] == rows.ts[:-1]
    at = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))  # not alone at their time
    keys = rows.ts[at].view(np.uint64) * _ODD ^ rows.ids[at].view(np.uint64)
    ordered = np.sort(keys)  # much faster than to find out where each comes from, which is seldom needed
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return None
    at = at[np.isin(keys, twice)]
    at = at[rows.ids[at] != _core.NO_ID]
    at = _alike(at, rows.ts, rows.ids, rows.price, rows.qty, rows.taker_sell)
    if not len(at):
        return None
    repeated = np.zeros(len(rows), np.bool_)
    for number, column in enumerate((rows.ts, rows.ids, rows.price, rows.qty, rows.taker_sell)):
        equal = column[at[1:]] == column[at[:-1]]
        repeated[at[1:]] = equal if number == 0 else repeated[at[1:]] & equal
    return repeated


def _alike(at: _Places, *columns: NDArray[np.generic]) -> _Places:
    """Of some rows, those that another one equals in all columns: side by side, each kind in the order of the file."""
    if not len(at):
        return at
    at = np.sort(at)
    at = at[np.lexsort([column[at] for column in columns[::-1]])]
    same = ~_changes(at, *columns)[1:]
    alike: _Places = at[np.append(same, False) | np.insert(same, 0, False)]
    return alike


def _changes(at: _Places, *columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell at which of some rows there is something else than at the one before."""
    return np.append(True, np.logical_or.reduce([column[at[1:]] != column[at[:-1]] for column in columns]))
