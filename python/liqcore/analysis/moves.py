"""How far an amount moves the price: three laws, none of which is exact. docs/theory/cascade.md has the sources."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError

Numbers = NDArray[np.float64]

DEPTH_EXPONENT = 0.875
COLLAPSE_MEDIAN, COLLAPSE_P90 = 3.4, 17.0
"""By how much the depth of a book is smaller while positions are liquidated: half the times more, one time in ten."""


class Law(Protocol):
    """Tells how far an amount moves the price, in units of price; `strength` is what is not known of it."""

    @property
    def central(self) -> float:
        """The strength that is used where one number is asked for."""

    def strengths(self, count: int) -> Numbers:
        """So many strengths, each as likely as the next: the middles of equal parts of their distribution."""

    def move(self, amount: Numbers, strength: Numbers) -> Numbers: ...

    def said(self) -> str:
        """The law in a sentence, with its numbers."""


@dataclass(frozen=True, slots=True)
class SquareRoot:
    """``Y sigma P sqrt(Q / V)``; the strength is Y, of which the logarithm is spread evenly over a range."""

    price: float
    sigma: float
    volume: float
    y: float
    y_range: tuple[float, float]
    exponent: float

    @property
    def central(self) -> float:
        """Y."""
        return self.y

    def strengths(self, count: int) -> Numbers:
        """From the range of Y."""
        low, high = self.y_range
        return low * (high / low) ** _middles(count)

    def move(self, amount: Numbers, strength: Numbers) -> Numbers:
        """In units of price."""
        return strength * (self.sigma * self.price) * (amount / self.volume) ** self.exponent

    def said(self) -> str:
        """In a sentence."""
        low, high = self.y_range
        return (
            f"square root: move = Y x sigma x (Q / V)^{self.exponent:g}, Y {self.y:g}, quantiles over {low:g} to "
            f"{high:g}, sigma {100 * self.sigma:.3g} % a day"
        )


@dataclass(frozen=True, slots=True)
class Depth:
    """``d (Q c / D)^0.875`` with the depth D up to a distance d; the strength is c, by how much the book collapses."""

    price: float
    depth: float
    percent: float
    collapse: float

    @property
    def central(self) -> float:
        """By how much the book collapses."""
        return self.collapse

    def strengths(self, count: int) -> Numbers:
        """Lognormal with the median and the 90th percentile that are stated; a book does not deepen."""
        spread = math.log(COLLAPSE_P90 / COLLAPSE_MEDIAN) / NormalDist().inv_cdf(0.9)
        normal = np.array([NormalDist().inv_cdf(each) for each in _middles(count).tolist()])
        return np.maximum(COLLAPSE_MEDIAN * np.exp(spread * normal), 1.0)

    def move(self, amount: Numbers, strength: Numbers) -> Numbers:
        """In units of price."""
        return (self.price * self.percent / 100) * (amount * strength / self.depth) ** DEPTH_EXPONENT

    def said(self) -> str:
        """In a sentence."""
        return (
            f"depth: move = {self.percent:g} % x (Q x c / D)^{DEPTH_EXPONENT:g}, the book collapsing to 1/c, c "
            f"{self.collapse:g}, quantiles over c of median {COLLAPSE_MEDIAN:g} and p90 {COLLAPSE_P90:g}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """A given order book, walked level by level; it has no strength: nothing is refilled, nothing taken back."""

    away: Numbers
    total: Numbers

    @property
    def central(self) -> float:
        """Nothing to choose."""
        return 1.0

    def strengths(self, count: int) -> Numbers:  # noqa: ARG002
        """One."""
        return np.ones(1)

    def move(self, amount: Numbers, strength: Numbers) -> Numbers:  # noqa: ARG002
        """To the level at which the amount is filled; without end where the book ends before."""
        at = np.searchsorted(self.total, amount * (1 - 1e-12), side="left")  # an amount that fills a level ends there
        return np.where(amount > 0, np.append(self.away, math.inf)[at], 0.0)

    def said(self) -> str:
        """In a sentence."""
        return (
            f"order book of {len(self.away):,} levels, walked one by one: OPTIMISTIC, for orders are taken back as the "
            "price comes"
        )


def book_of(levels: Iterable[tuple[float, float]], *, side: str, price: float, unit: str, multiplier: float) -> Book:
    """
    Return the law of an order book.

    Parameters
    ----------
    levels : iterable of (float, float)
        Price and quantity of bids for a fall (side "long"), of asks for a rise, in any order.
    side : {"long", "short"}
    price : float
        The last.
    unit : {"usd", "quantity"}
        Of what is to be filled.
    multiplier : float
        USD of a quantity of one at a price of one; 0: whatever the price (inverse contracts count USD).
    """
    rows = np.array(sorted(levels, key=lambda level: level[0], reverse=side == "long"), np.float64)
    if not len(rows):
        raise InvalidConfigError("book must have a level, had none")
    if rows.ndim != 2 or rows.shape[1] != 2 or not (np.isfinite(rows) & (rows > 0)).all():
        raise InvalidConfigError("book must be pairs of a price and a quantity above 0")
    away = price - rows[:, 0] if side == "long" else rows[:, 0] - price
    if (away < -1e-9 * price).any():
        worst = rows[int(np.argmin(away)), 0]
        which = "bids, none above the last price" if side == "long" else "asks, none below the last price"
        raise InvalidConfigError(f"book must be {which}, {price:g}, has {worst:g}")
    amounts = rows[:, 1] * (multiplier * rows[:, 0] if unit == "usd" and multiplier else 1.0)
    return Book(np.maximum(away, 0.0), np.cumsum(amounts))


def _middles(count: int) -> Numbers:
    return (np.arange(count) + 0.5) / count
