"""Calibration once more: slow, obvious, one case after the other, and sharing nothing with the package's arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from reference_score import solve


def loss(
    amounts: Sequence[Sequence[float]],
    usd: Sequence[float],
    times: Sequence[float],
    weights: Sequence[float],
    background: float,
    ties: Sequence[tuple[int, int, float]],
    power: float,
    dispersion: float,
) -> float:
    """
    Minus the logarithm of what is maximised, up to a constant.

    Of each case the quasi-likelihood whose variance is ``dispersion x mean^power``; of each tie (two layers, variance)
    a normal density of the difference of the logarithms of their weights; of the background one around a tenth of the
    mean USD, whose logarithm has a deviation of 2.
    """
    total = 0.0
    for row, y, count in zip(amounts, usd, times, strict=True):
        mean = sum(a * w for a, w in zip(row, weights, strict=True)) + background
        # The integral from the truth to the mean of (mu - y) / mu^power.
        if power == 1:
            of = mean - y * math.log(mean)
        elif power == 2:
            of = math.log(mean) + y / mean
        else:
            of = mean ** (2 - power) / (2 - power) - y * mean ** (1 - power) / (1 - power)
        total += count * of / dispersion
    for one, other, variance in ties:
        total += (math.log(weights[one]) - math.log(weights[other])) ** 2 / (2 * variance)
    middle = 0.1 * sum(c * y for c, y in zip(times, usd, strict=True)) / sum(times)
    return total + (math.log(background) - math.log(middle)) ** 2 / (2 * 2.0**2)


def dispersion(
    amounts: Sequence[Sequence[float]],
    usd: Sequence[float],
    times: Sequence[float],
    weights: Sequence[float],
    background: float,
    power: float,
) -> float:
    """Mean of squared residuals over the mean's power."""
    means = [sum(a * w for a, w in zip(row, weights, strict=True)) + background for row in amounts]
    squares = [c * (y - m) ** 2 / m**power for y, m, c in zip(usd, means, times, strict=True)]
    return sum(squares) / sum(times)


def ties_of(
    distances: Sequence[float], short: Sequence[bool], neighbours: float, scales: float
) -> list[tuple[int, int, float]]:
    """Return which layers the prior ties: neighbours in distance, and the two half-lives of one distance."""
    found = []
    for scale in (False, True):
        mine = sorted((i for i, s in enumerate(short) if s == scale), key=lambda i: distances[i])
        for one, other in pairwise(mine):
            found.append((one, other, neighbours**2 * math.log2(distances[other] / distances[one])))
    longs = sorted((i for i, s in enumerate(short) if not s), key=lambda i: distances[i])
    shorts = sorted((i for i, s in enumerate(short) if s), key=lambda i: distances[i])
    return found + [(one, other, scales**2) for one, other in zip(longs, shorts, strict=False)]


def ridge(features: list[list[float]], truth: list[float], prior: list[list[float]], penalty: float) -> list[float]:
    """Slopes of a ridge on standardised features whose coefficients have this covariance, for one penalty in cases."""
    n, k = len(truth), len(features[0])
    means = [sum(row[j] for row in features) / n for j in range(k)]
    deviations = [math.sqrt(sum((row[j] - means[j]) ** 2 for row in features) / n) for j in range(k)]
    table = [[(row[j] - means[j]) / deviations[j] for j in range(k)] for row in features]
    middle = sum(truth) / n
    identity = [[1.0 if a == b else 0.0 for b in range(k)] for a in range(k)]
    precision = [solve([list(row) for row in prior], [row[j] for row in identity]) for j in range(k)]  # by columns
    matrix = [[sum(row[a] * row[b] for row in table) + penalty * precision[b][a] for b in range(k)] for a in range(k)]
    right = [sum(row[a] * (y - middle) for row, y in zip(table, truth, strict=True)) for a in range(k)]
    return [slope / deviation for slope, deviation in zip(solve(matrix, right), deviations, strict=True)]


def live_scale(
    starts: Sequence[int],
    predicted: Sequence[Sequence[float]],
    realised: Sequence[Sequence[float]],
    bar: int,
    half_life: float,
    shrinkage: float,
) -> list[list[float]]:
    """Scale of each bar and of the one after the last, by side: over all bars before it, one after the other."""
    day = 86_400 * 10**9
    out: list[list[float]] = [[], []]
    for now in range(len(starts) + 1):
        at = starts[now] if now < len(starts) else starts[-1] + bar
        weight = [0.5 ** ((at - starts[i]) / half_life) for i in range(now)]
        seen = [sum(w * realised[side][i] for i, w in enumerate(weight)) for side in (0, 1)]
        said = [sum(w * predicted[side][i] for i, w in enumerate(weight)) for side in (0, 1)]
        bars_a_day = day / bar * (1 - 0.5 ** (bar / half_life))
        pull = shrinkage * bars_a_day * sum(said) / 2
        for side in (0, 1):
            if pull == 0:
                out[side].append(1.0)
                continue
            both = (sum(seen) + 2 * pull) / (sum(said) + 2 * pull)
            out[side].append(max((seen[side] + pull * both) / (said[side] + pull), 1e-6))
    return out
