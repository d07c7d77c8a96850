"""A scale by side from recent liquidations, by which a map's dollars are dollars while markets drift."""

from __future__ import annotations

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
        seen, said = np.zeros(2), np.zeros(2)
        a_day = DAY_NS / bar_ns * (1.0 - 0.5 ** (bar_ns / self.half_life_ns))  # of a sum that has long gone on
        ends = np.append(bars[1:], bars[-1:] + bar_ns)
        for bar, (start, end) in enumerate(zip(bars.tolist(), ends.tolist(), strict=True)):
            fade = 0.5 ** ((end - start) / self.half_life_ns)
            seen = (seen + realised[:, bar]) * fade
            said = (said + predicted[:, bar]) * fade
            pull = self.shrinkage * a_day * said.mean()
            if pull > 0:
                both = (seen.sum() + 2.0 * pull) / (said.sum() + 2.0 * pull)
                found[:, bar + 1] = np.maximum((seen + pull * both) / (said + pull), _LEAST)
        return found


_LEAST = 1e-6  # a scale is above 0
