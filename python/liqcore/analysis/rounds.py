"""
A cascade in rounds: what has been reached is sold, that moves the price, the price reaches more.

Prices are distances from the last one, in the direction of the cascade, so that falls and rises are the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .moves import Law, Numbers


@dataclass(frozen=True, eq=False)
class Levels:
    """
    What waits on one side of the price.

    Attributes
    ----------
    side : {"long", "short"}
    away : ndarray of float64, shape (bins,)
        From the price to the nearer edge of each bin, rising, 0 or above.
    names : tuple of str
        Of the layers: tiers of leverage, and "stop orders".
    amounts : ndarray of float64, shape (layers, bins)
    bankrupt : ndarray of float64, shape (layers,)
        Bankruptcy price over liquidation price of each layer; NaN where there is none.
    price : float
        The last, from which distances count.
    """

    side: str
    away: Numbers
    names: tuple[str, ...]
    amounts: Numbers
    bankrupt: Numbers
    price: float
    below: Numbers = field(init=False)
    total: Numbers = field(init=False)

    def __post_init__(self) -> None:
        """Sum from the price outwards."""
        below = np.zeros((len(self.names), len(self.away) + 1))
        np.cumsum(self.amounts, axis=1, out=below[:, 1:])
        object.__setattr__(self, "below", below)
        object.__setattr__(self, "total", below.sum(axis=0))

    def reached(self, distance: Numbers) -> NDArray[np.intp]:
        """
        Return how many bins a price so far away has touched.

        As the book has it: a fall touches a bin once it is below its upper edge, a rise once it is at its lower edge.
        A price that has not moved touches nothing.
        """
        side = "left" if self.side == "long" else "right"
        at = np.searchsorted(self.away, distance, side=side)  # type: ignore[call-overload]
        return np.where(distance > 0, at, 0)

    def insolvent(self, layer: int, distance: Numbers) -> NDArray[np.intp]:
        """Return how many bins of a layer have their bankruptcy price at so far away, or nearer."""
        ratio = self.bankrupt[layer]
        if math.isnan(ratio):
            return np.zeros(distance.shape, np.intp)
        if self.side == "long":
            limit = self.price - (self.price - distance) / ratio
        else:
            limit = (self.price + distance) / ratio - self.price
        return np.asarray(np.searchsorted(self.away, limit, side="right"))


@dataclass(frozen=True, slots=True)
class Rules:
    """
    What happens beside the impact itself.

    Attributes
    ----------
    refill : float
        Share of what is sold that makers take without the price moving, from 0 up to, not including, 1.
    decay : float
        Rounds after which the impact of one amount has fallen to 1 / sqrt(2); infinite: it stays.
    backstop : bool
        Whether positions whose bankruptcy price has been passed when they are reached are taken over, not sold.
    fund : float
        USD that the insurance fund can lose; beyond it positions are deleveraged.
    """

    refill: float = 0.0
    decay: float = math.inf
    backstop: bool = False
    fund: float = math.inf


class Step(NamedTuple):
    """One round: how far the price has come, and what had been reached and taken over by then."""

    round: float
    away: float
    sold: float
    taken: float


class Outcome(NamedTuple):
    """
    What has come of each cascade; arrays of shape (cascades,), those by layer (layers, cascades).

    ``away`` is how far the price came, infinite where an order book ended, ``rounds`` how many it took, ``sold`` what
    was sold in the market, ``taken`` what the backstop took over, ``deleveraged`` the part of it that the fund did not
    cover, ``loss`` the fund's and the deleveraged, in USD.
    """

    away: Numbers
    rounds: NDArray[np.int64]
    sold: Numbers
    taken: Numbers
    deleveraged: Numbers
    loss: Numbers


def run(
    levels: Levels, law: Law, shock: Numbers, order: Numbers, strength: Numbers, rules: Rules,
    steps: list[Step] | None = None,
) -> Outcome:  # fmt: skip
    """
    Run cascades to their ends, all at once; shock, order and strength are of shape (cascades,).

    Without decay and backstop the end is the smallest fixed point of ``x = shock + move(order + reached(x))``: from
    below, each round reaches at least one bin more until it reaches none, and no fixed point is passed over, for the
    right side never falls as x grows.
    """
    count = len(shock)
    keep = 1.0 - rules.refill
    given = [order * keep]
    away = shock + law.move(order * keep, strength)
    seen = np.zeros(count, np.intp)
    taken, deleveraged = np.zeros((2, len(levels.names), count))
    loss = np.zeros(count)
    rounds = np.zeros(count, np.int64)
    running, number = np.arange(count), 0
    if steps is not None:
        steps.append(Step(0, float(away[0]), 0.0, 0.0))
    while len(running):
        now = levels.reached(away[running])
        some = now > seen[running]
        running, now = running[some], now[some]
        if not len(running):
            break
        rounds[running] += 1
        number += 1
        new = levels.total[now] - levels.total[seen[running]]
        if rules.backstop:
            took = _taken(levels, seen[running], now, away[running])
            new = new - took.amount.sum(axis=0)
            before = loss[running]
            loss[running] += took.loss.sum(axis=0)
            uncovered = np.clip(loss[running] - np.maximum(before, rules.fund), 0.0, None)
            share = np.divide(uncovered, took.loss.sum(axis=0), out=np.zeros(len(running)), where=uncovered > 0)
            taken[:, running] += took.amount
            deleveraged[:, running] += took.amount * share
        seen[running] = now
        row = np.zeros(count)
        row[running] = keep * np.maximum(new, 0.0)
        given.append(row)
        pressed = _pressing(given, running, rules.decay)
        away[running] = np.maximum(away[running], shock[running] + law.move(pressed, strength[running]))
        if steps is not None:
            gone = float(taken[:, 0].sum())
            steps.append(Step(number, float(away[0]), float(levels.total[seen[0]]) - gone, gone))
        if math.isinf(rules.decay):
            given = [np.sum(given, axis=0)]
    sold = levels.below[:, seen] - taken
    if steps is not None and math.isfinite(rules.decay) and math.isfinite(steps[-1].away):
        last = steps[-1]
        for later in (0.25, 1.0, 4.0, 16.0):
            at = number + later * rules.decay
            pressed = np.array([sum(float(q[0]) / (1 + (at - n) / rules.decay) for n, q in enumerate(given))])
            steps.append(last._replace(round=at, away=float(shock[0] + law.move(pressed, strength[:1])[0])))
    return Outcome(away, rounds, np.maximum(sold, 0.0), taken, deleveraged, loss)


def _pressing(given: Sequence[Numbers], which: NDArray[np.intp], decay: float) -> Numbers:
    """What still presses on the price: an amount alone has an impact that decays with the inverse root of time."""
    if math.isinf(decay):
        return np.asarray(np.sum([each[which] for each in given], axis=0))
    last = len(given) - 1
    return np.asarray(np.sum([each[which] / (1 + (last - n) / decay) for n, each in enumerate(given)], axis=0))


class _Took(NamedTuple):
    amount: Numbers
    loss: Numbers


def _taken(levels: Levels, seen: NDArray[np.intp], now: NDArray[np.intp], away: Numbers) -> _Took:
    """What of the bins from `seen` to `now` is past its bankruptcy price already, and what that loses, by layer."""
    amount, loss = np.zeros((2, len(levels.names), len(seen)))
    weighted = np.zeros(len(levels.away) + 1)
    for layer, ratio in enumerate(levels.bankrupt.tolist()):
        end = np.clip(levels.insolvent(layer, away), seen, now)
        if not (end > seen).any():
            continue
        amount[layer] = levels.below[layer, end] - levels.below[layer, seen]
        np.cumsum(levels.amounts[layer] * (levels.price * abs(1 - ratio) + ratio * levels.away), out=weighted[1:])
        past = np.where(np.isfinite(away), away, levels.price)
        loss[layer] = (past * amount[layer] - (weighted[end] - weighted[seen])) / levels.price
    return _Took(amount, np.maximum(loss, 0.0))
