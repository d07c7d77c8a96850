"""Stretches without a trade that stand out: days that miss, a silent hour in a busy market."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..words.times import format_duration, iso

if TYPE_CHECKING:
    from ..tables.footprint_stream import FootprintStream

MIN_NS = 600_000_000_000  # of a gap: ten minutes
USUAL = 100  # times the usual spacing of trades, from which a stretch without any is a gap
DAY_NS = 86_400_000_000_000
MAX_TIME = 2**62  # ns, the year 2116: no event is later
TRADES_A_DAY = 10  # from which a whole day (UTC) without any is a gap, whatever the spacing
NAMED = 3  # gaps that a note names
_BLOCK = 1024


class Gaps:
    """
    Finds them in the times of a run, seen in order, a batch at a time.

    A gap is a stretch without a row of at least ten minutes and a hundred times the usual spacing (the mean outside of
    gaps), or one that holds a whole day (UTC) where days have ten rows or more. Of candles every one that is missing
    makes a gap.

    Parameters
    ----------
    interval_ns : int, optional
        Of candles: how long one is; times are those of their beginnings.
    """

    def __init__(self, interval_ns: int = 0) -> None:
        self._interval = interval_ns
        self._least = interval_ns + 1 if interval_ns else MIN_NS
        self._rows = 0
        self._first = self._last = 0
        self._long: list[NDArray[np.int64]] = []

    def see(self, ts: NDArray[np.int64]) -> None:
        """Take the next times: int64 ns, at least one; times that step back count as those before them."""
        ts = ts.view(np.int64)
        if not self._rows:
            self._first = self._last = int(ts[0])
        # A gap shows in the ends of its block: only blocks as long as a gap are looked at row by row.
        ends = np.concatenate([[self._last], ts[_BLOCK - 1 :: _BLOCK], ts[-1:]])
        long = np.flatnonzero(np.diff(ends) >= self._least).tolist()
        if long and (ts.min() < 0 or ts.max() > MAX_TIME):  # what is no time is no row
            if len(ts := ts[(ts >= 0) & (ts <= MAX_TIME)]):
                self.see(ts)
            return
        for block in long:
            rows = ts[block * _BLOCK : (block + 1) * _BLOCK]
            times = np.maximum.accumulate(np.concatenate([[ends[block]], rows]))
            at = np.flatnonzero(np.diff(times) >= self._least)
            self._long.append(np.stack([times[at], times[at + 1]], axis=1))
        self._rows += len(ts)
        self._last = max(self._last, int(ends[-1]))

    def runs(self, stream: FootprintStream) -> None:
        """Take trades that were summed into runs: their times within a run are less apart than a gap."""
        ends = np.concatenate([stream.start[:1], stream.last[:-1]])
        at = np.flatnonzero(stream.start - ends >= self._least)
        self._long.append(np.stack([ends[at], stream.start[at]], axis=1))
        self._rows = int(stream.trades.sum())
        self._first, self._last = int(stream.start[0]), int(stream.last[-1])

    def ends_at(self, ts: int) -> bool:
        """Whether a stretch without a row, long enough to be a gap, ended then."""
        return any(bool(np.any(long[:, 1] == ts)) for long in self._long)

    def found(self) -> tuple[NDArray[np.int64], int]:
        """Return the gaps, int64 ns of shape (n, 2): last row before, first row after; and the usual spacing, ns."""
        if self._rows < 2:
            return np.empty((0, 2), np.int64), 0
        long = np.concatenate([np.empty((0, 2), np.int64), *self._long])
        if self._interval:
            return long + np.array([self._interval, 0]), self._interval
        lengths = long[:, 1] - long[:, 0]
        span, gaps = self._last - self._first, np.zeros(len(long), np.bool_)
        while True:  # each gap found makes what is usual shorter
            spacing = (span - int(lengths[gaps].sum())) / max(self._rows - 1 - int(gaps.sum()), 1)
            days = long[:, 1] // DAY_NS - -(-long[:, 0] // DAY_NS)
            found = (lengths >= USUAL * spacing) | ((days >= 1) & (spacing * TRADES_A_DAY <= DAY_NS))
            if bool(np.all(found == gaps)):
                return long[gaps], round(spacing)
            gaps = gaps | found


def gap_note(gaps: NDArray[np.int64], spacing: int, what: str = "trade") -> str:
    """Say where nothing happened; the longest stretches by name. Empty: there are none."""
    if not len(gaps):
        return ""
    lengths = gaps[:, 1] - gaps[:, 0]
    longest = np.sort(np.argsort(-lengths, kind="stable")[:NAMED])
    named = [f"{iso(int(gaps[i, 0]))} to {iso(int(gaps[i, 1]))} ({_length(int(lengths[i]))})" for i in longest.tolist()]
    more = f"; and {len(gaps) - len(named):,} more, {_length(int(lengths.sum()))} in all" if len(gaps) > NAMED else ""
    usual = f", where one comes every {_length(spacing)}" if what == "trade" else ""
    return f"no {what} from {', '.join(named)}{more}{usual}: is something missing?"


def _length(ns: int) -> str:
    """A length of time, rounded to what one reads."""
    for unit in (DAY_NS, 3_600_000_000_000, 60_000_000_000, 1_000_000_000, 1_000_000):
        if ns >= 2 * unit:
            return format_duration(round(ns / unit) * unit)
    return format_duration(max(ns, 1))
