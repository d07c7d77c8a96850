"""Rank correlation, log score and their differences, with intervals from whole blocks of time drawn anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .amounts import Floats, Ints

LEAST_BLOCKS = 5
"""Fewer blocks of time give no interval."""

_EQUAL = 1e-9  # product of two sums of squares of ranks, which are halves apart

_CELLS = 1 << 21  # of a piece of a computation


def drawn(blocks: int, draws: int, seed: int) -> Floats:
    """Return how often each block is drawn, float64 (draws + 1, blocks); the first row has every block once."""
    rng = np.random.Generator(np.random.PCG64(seed))
    counts = rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=draws).astype(np.float64)
    return np.concatenate((np.ones((1, blocks)), counts))


class Drawings:
    """
    Cases of one market, and how often each drawing has them; makes measures of all drawings at once.

    Parameters
    ----------
    truth : ndarray of float64, shape (cases,)
    block : ndarray of int64, shape (cases,)
        Which column of `counts` a case goes with.
    counts : ndarray of float64, shape (draws, blocks)
    """

    def __init__(self, truth: Floats, block: Ints, counts: Floats) -> None:
        self._truth, self._block, self._counts = truth, block, counts
        size = max(1, _CELLS // max(len(truth), 1))
        self._pieces = [slice(at, at + size) for at in range(0, len(counts), size)]
        self._ranked = [self._ranks(truth, self._counts[piece][:, block]) for piece in self._pieces]

    def rank_correlation(self, values: Floats) -> Floats:
        """
        Return Spearman's correlation of values and truth in each drawing, float64 (draws,).

        Ties have their mean rank, and ranks are those among the cases drawn: nothing is kept from the whole sample.
        NaN where all that was drawn is equal.
        """
        found = []
        for piece, ranked in zip(self._pieces, self._ranked, strict=True):
            weights = self._counts[piece][:, self._block]
            found.append(_correlation(self._ranks(values, weights), ranked, weights))
        return np.concatenate(found)

    def correlation(self, values: Floats) -> Floats:
        """Return Pearson's correlation of values and truth in each drawing."""
        total = {"n": np.ones(len(values)), "x": values, "y": self._truth, "xx": values**2, "yy": self._truth**2}
        sums = {name: self._sum(of) for name, of in (total | {"xy": values * self._truth}).items()}
        n = sums["n"]
        with np.errstate(invalid="ignore", divide="ignore"):
            over = sums["xy"] - sums["x"] * sums["y"] / n
            under = (sums["xx"] - sums["x"] ** 2 / n) * (sums["yy"] - sums["y"] ** 2 / n)
            return np.asarray(over / np.sqrt(under), dtype=np.float64)

    def mean(self, values: Floats) -> Floats:
        """Return the mean of the cases in each drawing."""
        return self.ratio(values, np.ones(len(values)))

    def ratio(self, above: Floats, below: Floats) -> Floats:
        """Return the ratio of two sums in each drawing."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self._sum(above) / self._sum(below), dtype=np.float64)

    def _sum(self, values: Floats) -> Floats:
        return np.asarray(
            self._counts @ np.bincount(self._block, values, minlength=self._counts.shape[1]), dtype=np.float64
        )

    @staticmethod
    def _ranks(values: Floats, weights: Floats) -> Floats:
        """Return mean ranks under weights, float64 (draws, cases)."""
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        new = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        of_group = np.add.reduceat(weights[:, order], np.flatnonzero(new), axis=1)
        middle = np.cumsum(of_group, axis=1) - of_group / 2.0
        ranks = np.empty_like(weights)
        ranks[:, order] = middle[:, np.cumsum(new) - 1]
        return ranks


def _correlation(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Pearson's correlation of ranks, row by row; NaN where all are equal."""
    total = np.maximum(weights.sum(1, keepdims=True), 1.0)
    x = x - (weights * x).sum(1, keepdims=True) / total
    y = y - (weights * y).sum(1, keepdims=True) / total
    wx = weights * x
    under = (wx * x).sum(1) * (weights * y * y).sum(1)
    under[under < _EQUAL] = np.nan  # what rounding leaves of none
    return np.asarray((wx * y).sum(1) / np.sqrt(under), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    A number with its 95 % interval.

    Attributes
    ----------
    value : float
    low, high : float
        Percentiles 2.5 and 97.5 of what drawing whole blocks of time anew gives; NaN where there are too few blocks.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, draws: Floats, blocks: int) -> Estimate:
        """Make one of drawings, whose first is of the data as they are."""
        if blocks < LEAST_BLOCKS or not np.isfinite(draws[1:]).any():
            return cls(float(draws[0]), float("nan"), float("nan"))
        low, high = np.nanquantile(draws[1:], [0.025, 0.975])
        return cls(float(draws[0]), float(low), float(high))
