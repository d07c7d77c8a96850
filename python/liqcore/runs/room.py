"""Whether what a run is asked for fits the memory of the machine, told from the beginning of its input."""

from __future__ import annotations

from ..tables.archive import WINDOW_BYTES
from ..words.limits import refuse_beyond
from ..words.room import refuse_too_large
from ..words.times import format_duration

_SMALL = 1 << 28  # bytes for which nobody asks how much is left


class Room:
    """What the windows of a run will need."""

    def __init__(self, window_ns: int, first_ts: int) -> None:
        self._window_ns, self._first_ts = window_ns, first_ts

    def check(self, last_ts: int, share: float = 1.0) -> None:
        """
        Refuse what will not fit, where a share of the input lies up to a time.

        Raises
        ------
        InvalidConfigError
            With the estimate and what would need less.
        """
        columns = max(last_ts - self._first_ts, 0) / self._window_ns / share + 1
        need, helps = WINDOW_BYTES * columns, "a longer window needs less"
        refuse_beyond("windows", columns, f"{columns:,.0f} windows", helps)
        if need >= _SMALL:
            refuse_too_large(need, f"{columns:,.0f} columns of {format_duration(self._window_ns)}", helps)
