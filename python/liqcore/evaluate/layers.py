"""The layers that a calibration fits: distances from the entry, in groups, each with a long and a short half-life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .._core import LeverageProfile
from ..errors import InvalidConfigError
from ..words.times import format_duration
from .amounts import Floats, Ints

LEVERAGES = (5.0, 10.0, 15.0, 25.0, 50.0, 75.0, 100.0, 125.0)
"""Of layers as people know them, 20 % to 0.8 % from the entry: 1 / leverage, the effective one."""

DISTANCES = (0.0065, 0.005, 0.004, 0.003, 0.002, 0.0015)
"""Of layers nearer than 125x; most of what a half hour liquidates lies there."""

SHORT = 0.08
"""A short half-life, as a part of the long one, which is the default of `LeverageProfile`."""

TWIN = 1.01
"""Two layers of a book are at different distances: that with the long half-life is so many times the other's."""

_EDGES = (0.00799, 0.0125, 0.0333, 0.0999)  # distances
_NAMES = ("100-125x", "50-75x", "15-25x", "10x and below")


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """
    What is fitted.

    Attributes
    ----------
    distances : ndarray of float64, shape (layers,)
        Rising: of a layer's levels from the entry.
    half_life_ns : ndarray of float64, shape (layers,)
    short : ndarray of bool, shape (layers,)
        Which have a short half-life.
    group : ndarray of int64, shape (layers,)
        Number of the group in `names`.
    names : tuple of str
        Of the groups, from near to far; those of a short half-life after the others.
    """

    distances: Floats
    half_life_ns: Floats
    short: Any
    group: Ints
    names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        leverages: Sequence[float] = LEVERAGES,
        distances: Sequence[float] = DISTANCES,
        short: float | None = SHORT,
    ) -> Layers:
        """
        Make layers of leverages and of distances from the entry.

        Raises
        ------
        InvalidConfigError
            If two are the same or too near each other, one is no distance or leverage, or there is none.
        """
        for name, values, rule, least, most in (
            ("leverages", leverages, "numbers above 1, at most 1,000,000", 1.0, 1e6),
            ("distances", distances, "parts of the price, above 0 and below 1, such as 0.002", 1e-6, 1.0),
        ):
            if not all(least < one < most for one in values):
                raise InvalidConfigError(f"{name} must be {rule}, were {list(values)}")
        if short is not None and not 0 < short < 1:
            raise InvalidConfigError(f"short must be above 0 and below 1, or None, was {short!r}")
        whole = np.sort([_rounded(one) for one in (*(1.0 / leverage for leverage in leverages), *distances)])
        if not len(whole):
            raise InvalidConfigError("leverages and distances must name a layer at least, named none")
        if (whole[1:] < whole[:-1] * TWIN**2).any():
            raise InvalidConfigError(f"layers must be 2 % apart or more, were at distances {whole.tolist()}")
        near = whole < _EDGES[0]
        alone = int(near.sum())
        group = np.where(near, np.arange(len(whole)), alone + np.searchsorted(_EDGES, whole, side="right") - 1)
        present = np.unique(group)
        names = tuple(f"{100.0 * whole[one]:.3g} %" if one < alone else _NAMES[one - alone] for one in present.tolist())
        group = np.searchsorted(present, group)
        long = np.array([_default_half_life(1.0 / one) for one in whole])
        if short is None:
            return cls(whole, long, np.zeros(len(whole), bool), group, names)
        both = np.concatenate((whole, [_rounded(one / TWIN) for one in whole]))
        order = np.argsort(both)
        return cls(
            both[order],
            np.rint(np.concatenate((long, long * short)))[order],
            np.repeat([False, True], len(whole))[order],
            np.concatenate((group, group + len(names)))[order],
            (*names, *(f"{name}, short" for name in names)),
        )

    def __len__(self) -> int:
        """Count the layers."""
        return len(self.distances)

    def settings(self, model: Mapping[str, Any] | None = None) -> Mapping[str, Mapping[str, Any]]:
        """
        Return a configuration's sections that make these layers; shares are equal, for nothing depends on them.

        By default of the model "flow"; or of another's settings.
        """
        share = 1.0 / len(self)
        decay = zip(self.distances.tolist(), self.half_life_ns.tolist(), strict=True)
        return {
            "leverage": {"shares": dict.fromkeys(self.distances.tolist(), share), "intensity": 1.0},
            "model": {
                "churn": None,
                "exponent": None,
                **(model or {"name": "flow"}),
                "half_life": {one: format_duration(round(ns)) for one, ns in decay},
            },
        }

    def precision(self, neighbours: float, scales: float) -> Floats:
        """
        Return the prior's precision of the logarithms of the weights; the level of all of them is free.

        Parameters
        ----------
        neighbours : float
            Standard deviation of the difference of two layers whose distances from the entry differ twofold; others as
            a random walk in the logarithm of the distance.
        scales : float
            Standard deviation of the difference of the same distance's layers with a long and a short half-life.
        """
        found = np.zeros((len(self), len(self)))

        def tie(one: int, other: int, variance: float) -> None:
            found[[one, other], [one, other]] += 1.0 / variance
            found[[one, other], [other, one]] -= 1.0 / variance

        at = np.log2(self.distances)
        for scale in (False, True):
            mine = np.flatnonzero(self.short == scale)
            for one, other in pairwise(mine.tolist()):
                tie(one, other, neighbours**2 * (at[other] - at[one]))
        if self.short.any():
            for one, other in zip(
                *(np.flatnonzero(self.short == scale).tolist() for scale in (False, True)), strict=True
            ):
                tie(one, other, scales**2)
        return found

    def covariance(self) -> Floats:
        """Return the prior's covariance of the coefficients of groups in a log-linear model, up to a factor."""
        middle = np.array([np.log2(self.distances[self.group == one]).mean() for one in range(len(self.names))])
        short = np.array([name.endswith("short") for name in self.names])
        apart = np.abs(middle[:, None] - middle) / 2.0 + 0.7 * (short[:, None] != short)
        return np.asarray(np.exp(-apart), dtype=np.float64)

    def grouped(self, amounts: Floats) -> Floats:
        """Sum amounts of layers (2, layers, bars) to groups (2, groups, bars)."""
        return np.stack([amounts[:, self.group == one].sum(1) for one in range(len(self.names))], axis=1)


def _rounded(distance: float) -> float:
    """Round to four digits: distances are read by people, too."""
    return float(f"{distance:.4g}")


def _default_half_life(leverage: float) -> float:
    return float(LeverageProfile({max(leverage, 1.0): 1.0}).default_half_life_ns()[0])
