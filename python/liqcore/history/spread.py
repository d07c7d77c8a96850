"""How uncertain amounts of a fitted profile are: the profile drawn anew, carried to sums over tiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..market.fitted import FittedProfile

KEY = "spread"
"""Where the metadata of a result hold it."""

ENDS = (0.025, 0.975)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """
    Profiles from days drawn anew, as factors on the fitted weights.

    Amounts are linear in the weights. So what a drawing makes of a sum over tiers is the sum of its layers, each times
    its factor; the interval is that of these sums, not the sum of the layers' intervals, which is wider.

    Attributes
    ----------
    tiers : ndarray of float64, shape (tiers,)
    factors : ndarray of float64, shape (draws, tiers)
        Weight of each drawing over the fitted one.
    """

    tiers: NDArray[np.float64]
    factors: NDArray[np.float64]

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Spread | None:
        """Return that of a result, by its metadata; None: it has none."""
        said = meta.get(KEY)
        if not said:
            return None
        return cls(np.array(said["tiers"], np.float64), np.array(said["factors"], np.float64))

    def factors_of(self, tiers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the factors of some of the profile's tiers, shape (draws, n)."""
        return self.factors[:, np.argmin(np.abs(self.tiers[None, :] - np.asarray(tiers)[:, None]), axis=1)]

    def ends(self, tiers: NDArray[np.float64], amounts: NDArray[np.float64]) -> tuple[Any, Any]:
        """
        Return the 95 % interval of sums over tiers; it holds the sum itself.

        Parameters
        ----------
        tiers : ndarray of float64, shape (n,)
            Those of the amounts, among the profile's.
        amounts : ndarray of float64, shape (n, ...)
            At the fitted weights.

        Returns
        -------
        low, high : ndarray of float64, shape (...)
        """
        drawn = np.tensordot(self.factors_of(tiers), amounts, axes=1)
        low, high = np.quantile(drawn, ENDS, axis=0)
        value = amounts.sum(axis=0)
        return np.minimum(low, value), np.maximum(high, value)


def spread_of(profile: FittedProfile | None) -> dict[str, Any]:
    """Return what a result's metadata say of a profile's uncertainty; empty: nothing."""
    if profile is None or not profile.draws:
        return {}
    mid = np.array([layer.mid for layer in profile.layers])
    known = mid > 0  # what weighs nothing shows nothing, whatever is drawn
    factors = np.array(profile.draws)
    factors = np.where(known, factors / np.where(known, mid, 1.0), 1.0)
    tiers = [layer.tier for layer in profile.layers]
    return {KEY: {"tiers": tiers, "factors": [[float(f"{one:.4g}") for one in row] for row in factors.tolist()]}}
