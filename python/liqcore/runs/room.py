"""Whether what a run is asked for fits the memory of the machine, told from the beginning of its input."""

from __future__ import annotations

import numpy as np

from ..config.config import Config
from ..engine.engine import Engine
from ..history.shown import CELL_BYTES
from ..tables.archive import WINDOW_BYTES
from ..words.limits import limits, refuse_beyond
from ..words.room import refuse_too_large
from ..words.times import format_duration, parse_duration

_SMALL = 1 << 28  # bytes for which nobody asks how much is left


class Room:
    """
    What the columns of a run, and with `drawn` their cells all at once, will need.

    The price's levels are reckoned from its first trade and the tiers, so that a price that moves far needs more.
    """

    def __init__(self, engine: Engine, settled: Config, first_ts: int, first_price: float, *, drawn: bool) -> None:
        self._window_ns, self._first_ts = engine.window_ns, first_ts
        last, warmup = settled.window.last, settled.window.warmup
        self._last = np.inf if last is None else parse_duration(last, name="last") / self._window_ns
        self._warmup = 0 if warmup is None else parse_duration(warmup, name="warmup") / self._window_ns
        step = settled.axis.step or engine.instrument.tick_size
        axis = engine.axis
        if axis is not None:
            self._rows = (axis.high - axis.low) / step
        else:
            margin, contract = engine.instrument.margin, engine.instrument.contract
            tiers = engine.leverage.tiers.tolist()
            factors = [margin.level_factor(side, contract, tier) for side in ("long", "short") for tier in tiers]
            span = np.nanmax(factors) - np.nanmin(factors) if not np.all(np.isnan(factors)) else 0.0
            self._rows = float(span) * first_price / step
        self._step, self._drawn = step, drawn

    def check(self, last_ts: int, share: float = 1.0) -> None:
        """
        Refuse what will not fit, where a share of the input lies up to a time.

        Raises
        ------
        InvalidConfigError
            With the estimate and what would need less.
        """
        columns = max(last_ts - self._first_ts, 0) / self._window_ns / share + 1
        shown = max(min(columns - self._warmup, self._last), 1)
        refuse_beyond("windows", columns, f"{columns:,.0f} windows", "a longer window needs less")
        need = WINDOW_BYTES * columns + (CELL_BYTES * shown * self._rows if self._drawn else 0)
        if need < _SMALL and not (self._drawn and shown * self._rows > limits().cells):
            return
        what, helps = f"{columns:,.0f} columns of {format_duration(self._window_ns)}", "a longer window needs less"
        if self._drawn:
            what = f"a picture of {shown:,.0f} columns of {format_duration(self._window_ns)} by {self._rows:,.0f} rows"
            what += f" of {self._step:g}"
            helps = "a longer window (--window), higher rows (--bin) or a shorter span (--last) need less"
            refuse_beyond("cells", shown * self._rows, what, helps)
        refuse_too_large(need, what, helps)
