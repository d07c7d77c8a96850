"""Weights of layers in dollars: not negative, smooth between neighbours, with intervals and what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .amounts import Floats, Ints

POWER = 1.5
"""Variance of a bar's USD as a power of its mean: between 1 (Poisson) and 2 (gamma), as sums of a random number of
random amounts have it (Tweedie's compound Poisson)."""

ALIKE = 0.98
"""Two groups whose amounts have such a cosine, each bar over its expected deviation, cannot be told apart."""

_STEPS = 60
_TINY = 1e-9  # USD; what a bar is expected to have at least


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """
    Weights as fitted.

    Attributes
    ----------
    of : ndarray of float64, shape (layers,)
        USD liquidated for each USD of a layer that was reached; above 0.
    background : float
        USD a bar and side that no layer has.
    dispersion : float
        Variance over the mean's power.
    data : ndarray of float64, shape (layers + 1, layers + 1)
        What the data says of the logarithms of the weights and the background: Fisher's information.
    precision : ndarray of float64, shape (layers + 1, layers + 1)
        What the prior says.
    """

    of: Floats
    background: float
    dispersion: float
    data: Floats
    precision: Floats

    @property
    def logs(self) -> Floats:
        """Logarithms of the weights and the background."""
        return np.asarray(np.log(np.append(self.of, self.background)), dtype=np.float64)

    @property
    def effective(self) -> Floats:
        """How much of each logarithm the data determines, not the prior: 0 to 1; the sum is the degrees of freedom."""
        whole = self.data + self.precision + _JITTER * np.eye(len(self.data))
        return np.asarray(np.diag(np.linalg.solve(whole, self.data)), dtype=np.float64)

    @property
    def condition(self) -> float:
        """Condition number of the data's information on the layers, each scaled to its own."""
        inner = self.data[:-1, :-1]
        scale = np.sqrt(np.diag(inner))
        seen = scale > 0
        return float(np.linalg.cond(inner[np.ix_(seen, seen)] / np.outer(scale[seen], scale[seen])))


_JITTER = 1e-10  # precision of the level of all weights, which the prior leaves free

BACKGROUND = (0.1, 2.0)
"""Prior of the background: its part of the mean USD of a bar and side, and the deviation of the logarithm."""


def fitted(
    amounts: Floats, usd: Floats, precision: Floats, *, power: float = POWER, start: Floats | None = None,
    times: Floats | None = None, steps: int = _STEPS,
) -> Weights:  # fmt: skip
    """
    Fit weights by penalised quasi-likelihood.

    USD of a case are expected to be ``amounts @ weights + background`` with a variance that is a power of that; the
    logarithms of the weights and of the background (`BACKGROUND`) have normal priors. Fisher's scoring with halved
    steps; the dispersion is that of the current fit.

    Parameters
    ----------
    amounts : ndarray of float64, shape (cases, layers)
        USD of each layer that a bar's prices reached on one side.
    usd : ndarray of float64, shape (cases,)
        What was liquidated.
    precision : ndarray of float64, shape (layers, layers)
        Of the prior (`Layers.precision`).
    power : float
        From 1 to 2.
    start : ndarray of float64, shape (layers + 1,), optional
        Logarithms to begin with.
    times : ndarray of float64, shape (cases,), optional
        How often each case counts.
    steps : int
        At most.
    """
    table = np.column_stack((amounts, np.ones(len(usd))))
    layers = amounts.shape[1]
    counts = np.ones(len(usd)) if times is None else times
    prior = np.zeros((layers + 1, layers + 1))
    prior[:layers, :layers] = precision
    prior[-1, -1] = 1.0 / BACKGROUND[1] ** 2
    centre = np.zeros(layers + 1)
    centre[-1] = np.log(max(BACKGROUND[0] * (counts @ usd) / counts.sum(), _TINY))
    if start is None:
        level = max(counts @ usd, 1.0) / max((counts @ amounts).sum(), 1.0)
        start = np.append(np.full(layers, np.log(level)), centre[-1])
    logs = start
    for _ in range(steps):
        mean = _mean(table, logs)
        spread = mean**power
        dispersion = float(counts @ ((usd - mean) ** 2 / spread) / counts.sum()) or 1.0
        scaled = table * np.exp(logs)
        pull = scaled.T @ (counts * (usd - mean) / spread) / dispersion - prior @ (logs - centre)
        data = (scaled * (counts / spread)[:, None]).T @ scaled / dispersion
        step = np.linalg.solve(data + prior + _JITTER * np.eye(layers + 1), pull)
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        before = _loss(table, usd, counts, logs, prior, centre, power, dispersion)
        while (
            np.abs(step).max() > 1e-6
            and _loss(table, usd, counts, logs + step, prior, centre, power, dispersion) > before
        ):
            step = step / 2.0
        logs = logs + step
        if np.abs(step).max() < 1e-4:
            break
    return Weights(np.exp(logs[:-1]), float(np.exp(logs[-1])), dispersion, data, prior)


def _mean(table: Floats, logs: Floats) -> Floats:
    return np.asarray(np.maximum(table @ np.exp(logs), _TINY), dtype=np.float64)


def _loss(
    table: Floats, usd: Floats, counts: Floats, logs: Floats, prior: Floats, centre: Floats, power: float,
    dispersion: float,
) -> float:  # fmt: skip
    """Minus the penalised quasi-likelihood."""
    mean = _mean(table, logs)
    if power == 1.0:
        of = mean - usd * np.log(mean)
    elif power == 2.0:
        of = usd / mean + np.log(mean)
    else:
        of = mean ** (2.0 - power) / (2.0 - power) + usd * mean ** (1.0 - power) / (power - 1.0)
    return float(counts @ of / dispersion + 0.5 * (logs - centre) @ prior @ (logs - centre))


def day_by_day(
    amounts: Floats, usd: Floats, block: Ints, precision: Floats, *, power: float = POWER, least: int = 2
) -> tuple[Floats, Weights]:
    """
    Fit weights for each block of time on all the blocks before it.

    Parameters
    ----------
    amounts, usd, precision, power
        As `fitted`.
    block : ndarray of int64, shape (cases,)
        Number of each case's block of time.
    least : int
        Blocks before the first fit; until then all layers have the same weight.

    Returns
    -------
    weights : ndarray of float64, shape (blocks, layers)
        What each block is predicted with.
    last : Weights
        Fitted on everything.
    """
    blocks = int(block.max()) + 1
    found = np.full((blocks, amounts.shape[1]), 1e-3)
    start: Floats | None = None
    for now in range(least, blocks):
        known = block < now
        if not usd[known].any():
            continue
        weights = fitted(amounts[known], usd[known], precision, power=power, start=start)
        found[now], start = weights.of, weights.logs
    return found, fitted(amounts, usd, precision, power=power, start=start)


def drawn_anew(
    amounts: Floats, usd: Floats, block: Ints, precision: Floats, last: Weights, counts: Floats, *, power: float = POWER
) -> Floats:
    """
    Fit weights to whole blocks of time drawn anew, for intervals.

    Parameters
    ----------
    amounts, usd, block, precision, power
        As `day_by_day`.
    last : Weights
        Fitted on everything; each drawing begins from there.
    counts : ndarray of float64, shape (draws, blocks)
        How often each drawing has each block.

    Returns
    -------
    ndarray of float64, shape (draws, layers)
        Drawings without any liquidation are left out.
    """
    found = [
        fitted(amounts, usd, precision, power=power, start=last.logs, times=row[block], steps=8).of
        for row in counts
        if row[block] @ usd > 0
    ]
    return np.stack(found)


def told_apart(weights: Weights, group: Ints, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of groups that the data cannot tell apart; see `ALIKE`."""
    inner = weights.data[:-1, :-1]
    into = np.equal.outer(np.arange(len(names)), group).astype(np.float64)
    summed = into @ inner @ into.T
    scale = np.sqrt(np.maximum(np.diag(summed), 1e-300))
    cosine = summed / np.outer(scale, scale)
    return [
        (names[one], names[other])
        for one in range(len(names))
        for other in range(one + 1, len(names))
        if cosine[one, other] > ALIKE
    ]
