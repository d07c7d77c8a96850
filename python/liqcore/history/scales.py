"""Factors by side and time on what levels hold: live scales, by which dollars stay dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

KEY = "live_scale"
"""Where the metadata of a result say what its live scale is, or why there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Scales:
    """
    Factors on longs and shorts, each from a time on until the next; 1 before the first.

    A column of live levels is scaled as was known at its end, what was liquidated in it as was known when it began.

    Attributes
    ----------
    since : ndarray of int64, shape (n,)
        Rising, ns.
    factors : ndarray of float64, shape (2, n)
    """

    since: NDArray[np.int64]
    factors: NDArray[np.float64]

    @classmethod
    def of(cls, rows: list[tuple[int, float, float]]) -> Self:
        """Make them of times, factors on longs and factors on shorts."""
        since = np.array([row[0] for row in rows], np.int64)
        return cls(since, np.array([row[1:] for row in rows], np.float64).reshape(-1, 2).T)

    def __len__(self) -> int:
        return len(self.since)

    def at(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the factors of some times, (2, len(times))."""
        if not len(self):
            return np.ones((2, len(times)))
        at = np.searchsorted(self.since, times, side="right") - 1
        return np.where(at >= 0, self.factors[:, np.maximum(at, 0)], 1.0)

    def until(self, ts: int) -> Self:
        """Return those that were known by a time."""
        count = int(np.searchsorted(self.since, ts, side="right"))
        return type(self)(self.since[:count], self.factors[:, :count])

    def and_then(self, later: Self) -> Self:
        """Return these with later ones behind."""
        return type(self)(
            np.concatenate((self.since, later.since)), np.concatenate((self.factors, later.factors), axis=1)
        )

    def to_plain(self) -> dict[str, list[Any]]:
        """Return them as JSON has them."""
        return {"since": self.since.tolist(), "long": self.factors[0].tolist(), "short": self.factors[1].tolist()}

    @classmethod
    def from_plain(cls, said: Mapping[str, Any]) -> Self:
        """Return what `to_plain` said; raise a ValueError where it cannot have said that."""
        since = np.array(said["since"], np.int64).reshape(-1)
        factors = np.array([said["long"], said["short"]], np.float64).reshape(2, -1)
        if factors.shape[1] != len(since) or (np.diff(since) <= 0).any():
            raise ValueError("times of live scales must rise, with a factor of longs and of shorts each")
        if not (np.isfinite(factors) & (factors > 0)).all():
            raise ValueError("live scales must be finite and above 0")
        return cls(since, factors)
