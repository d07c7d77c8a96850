"""A scale by side from recent liquidations, by which a map's dollars are dollars while markets drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .amounts import Floats, Ints

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class LiveScale:
    """
    Realised over predicted USD of the recent past.

    Of each side ``(R + k B) / (P + k)``: `R` and `P` are sums over past bars of realised and predicted USD, each bar
    weighing ``2^(-age / half_life)``; `B` is ``(R_long + R_short + 2 k) / (P_long + P_short + 2 k)``, the same of both
    sides, drawn towards 1; and `k` is what the map has predicted in `shrinkage` recent days, the mean of both sides.
    It is 1 before anything is known. Nothing of a bar enters the bar's own scale.

    Attributes
    ----------
    half_life_ns : float
        Default: a day.
    shrinkage : float
        In days of predictions. Default: a quarter.
    """

    half_life_ns: float = float(DAY_NS)
    shrinkage: float = 0.25

    def of(self, bars: Ints, predicted: Floats, realised: Floats, bar_ns: int) -> Floats:
        """
        Return the scale of each bar, and after the last one, that of the next.

        Parameters
        ----------
        bars : ndarray of int64, shape (bars,)
            Starts, rising; bars may be missing.
        predicted, realised : ndarray of float64, shape (2, bars)
            USD of longs and shorts.
        bar_ns : int
            Length of a bar.

        Returns
        -------
        ndarray of float64, shape (2, bars + 1)
        """
        found = np.ones((2, len(bars) + 1))
        running = Running()
        rows = zip(bars.tolist(), predicted.T.tolist(), realised.T.tolist(), strict=True)
        for bar, (start, said, seen) in enumerate(rows):
            running.add(self, start, said, seen)
            found[:, bar + 1] = running.scale(self, bar_ns)
        return found


@dataclass(slots=True)
class Running:
    """
    A live scale that goes on bar by bar: all that `LiveScale` must know of the past, plain values.

    Attributes
    ----------
    start : int
        Of the last bar, ns.
    seen, said : tuple of float
        Weighed sums of realised and predicted USD of longs and shorts, as of that start.

    Examples
    --------
    >>> how, running = LiveScale(shrinkage=0.01), Running()
    >>> running.scale(how, 1_800_000_000_000)
    (1.0, 1.0)
    >>> running.add(how, 0, (100.0, 100.0), (300.0, 300.0))
    >>> running.scale(how, 1_800_000_000_000)[0] > 1.5
    True
    """

    start: int = 0
    seen: tuple[float, float] = (0.0, 0.0)
    said: tuple[float, float] = (0.0, 0.0)

    def add(self, how: LiveScale, start: int, predicted: Sequence[float], realised: Sequence[float]) -> None:
        """Take a bar that begins later than those before: USD of longs and shorts."""
        fade = 0.5 ** ((start - self.start) / how.half_life_ns)
        self.start = start
        self.seen = self.seen[0] * fade + realised[0], self.seen[1] * fade + realised[1]
        self.said = self.said[0] * fade + predicted[0], self.said[1] * fade + predicted[1]

    def scale(self, how: LiveScale, bar_ns: int) -> tuple[float, float]:
        """Return the scale of longs and shorts that is known after the last bar; how long ago does not matter."""
        bars_a_day = DAY_NS / bar_ns * (1.0 - 0.5 ** (bar_ns / how.half_life_ns))  # of a sum that has long gone on
        pull = how.shrinkage * bars_a_day * sum(self.said) / 2.0
        if not pull > 0:
            return 1.0, 1.0
        both = (sum(self.seen) + 2.0 * pull) / (sum(self.said) + 2.0 * pull)
        long, short = (
            max((seen + pull * both) / (said + pull), _LEAST) for seen, said in zip(self.seen, self.said, strict=True)
        )
        return long, short


_LEAST = 1e-6  # a scale is above 0
