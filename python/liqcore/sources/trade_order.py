"""The order of trades in one file, and what stands there twice."""

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .report import FileReport
from .trade_rows import Rows

_ODD = np.uint64(0x9E3779B97F4A7C15)  # spreads times over 64 bits

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
        it.
        """
        if len(rows):
            order = _by_time(rows)
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
    if np.count_nonzero(ts[1:] < ts[:-1]) > np.count_nonzero(ts[1:] > ts[:-1]):  # newest first, so equal times are too
        order: _Places = len(ts) - 1 - np.argsort(ts[::-1], kind="stable")
    else:
        order = np.argsort(ts, kind="stable")
    return order


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
    same = np.logical_and.reduce([column[at[1:]] == column[at[:-1]] for column in columns])
    alike: _Places = at[np.append(same, False) | np.insert(same, 0, False)]
    return alike
