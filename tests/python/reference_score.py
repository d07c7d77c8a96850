"""Scores once more: slow, obvious, one case after the other, and sharing nothing with the package's arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def ranks(values: Sequence[float], counts: Sequence[int]) -> list[float]:
    """Mean rank of each case among cases that are there so many times each: compare each with each."""
    return [
        sum(c for v, c in zip(values, counts, strict=True) if v < value)
        + sum(c for v, c in zip(values, counts, strict=True) if v == value) / 2
        for value in values
    ]


def pearson(x: Sequence[float], y: Sequence[float], counts: Sequence[int]) -> float:
    n = sum(counts)
    mx = sum(c * a for a, c in zip(x, counts, strict=True)) / n
    my = sum(c * b for b, c in zip(y, counts, strict=True)) / n
    xy = sum(c * (a - mx) * (b - my) for a, b, c in zip(x, y, counts, strict=True))
    xx = sum(c * (a - mx) ** 2 for a, c in zip(x, counts, strict=True))
    yy = sum(c * (b - my) ** 2 for b, c in zip(y, counts, strict=True))
    return xy / math.sqrt(xx * yy)


def spearman(x: Sequence[float], y: Sequence[float], counts: Sequence[int]) -> float:
    return pearson(ranks(x, counts), ranks(y, counts), counts)


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss with pivots."""
    n = len(right)
    rows = [[*matrix[i], right[i]] for i in range(n)]
    for i in range(n):
        best = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[best] = rows[best], rows[i]
        for k in range(i + 1, n):
            factor = rows[k][i] / rows[i][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    out = [0.0] * n
    for i in reversed(range(n)):
        out[i] = (rows[i][n] - sum(rows[i][k] * out[k] for k in range(i + 1, n))) / rows[i][i]
    return out


def ridge(features: list[list[float]], truth: list[float]) -> tuple[list[float], float]:
    """
    Constant and slopes of a ridge on standardised features; deviation of what is left.

    Of six penalties the one with the least generalised cross-validation, (mean square / (1 - degrees / n)^2).
    """
    n, k = len(truth), len(features[0])
    means = [sum(row[j] for row in features) / n for j in range(k)]
    deviations = [math.sqrt(sum((row[j] - means[j]) ** 2 for row in features) / n) for j in range(k)]
    used = [j for j in range(k) if deviations[j] > 1e-9]
    table = [[(row[j] - means[j]) / deviations[j] for j in used] for row in features]
    middle = sum(truth) / n
    products = [[sum(row[a] * row[b] for row in table) for b in range(len(used))] for a in range(len(used))]
    right = [sum(row[a] * (y - middle) for row, y in zip(table, truth, strict=True)) for a in range(len(used))]
    tried = []
    for penalty in (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0):
        matrix = [
            [value + (penalty if a == b else 0.0) for b, value in enumerate(row)] for a, row in enumerate(products)
        ]
        found = solve(matrix, right) if used else []
        degrees = 1 + sum(solve(matrix, [row[a] for row in products])[a] for a in range(len(used)))
        slopes = [0.0] * k
        for j, value in zip(used, found, strict=True):
            slopes[j] = value / deviations[j]
        constant = middle - sum(a * b for a, b in zip(slopes, means, strict=True))
        left = [
            y - constant - sum(a * b for a, b in zip(slopes, row, strict=True))
            for row, y in zip(features, truth, strict=True)
        ]
        mean = sum(value**2 for value in left) / n
        tried.append((mean / max(1 - degrees / n, 1e-6) ** 2, [constant, *slopes], math.sqrt(mean)))
    _, coefficients, spread = min(tried, key=lambda one: one[0])
    return coefficients, spread


def walk_forward(
    features: list[list[float]], truth: list[float], block: list[int], first_test: int
) -> list[tuple[float, float] | None]:
    """Mean and deviation of each case, fitted on cases of earlier blocks alone."""
    out: list[tuple[float, float] | None] = []
    fitted: dict[int, tuple[list[float], float]] = {}
    for row, now in zip(features, block, strict=True):
        if now < first_test:
            out.append(None)
            continue
        if now not in fitted:
            before = [i for i, b in enumerate(block) if b < now]
            fitted[now] = ridge([features[i] for i in before], [truth[i] for i in before])
        coefficients, spread = fitted[now]
        out.append((coefficients[0] + sum(a * b for a, b in zip(coefficients[1:], row, strict=True)), spread))
    return out


def top_quarter(values: Sequence[float]) -> list[float]:
    """Part of each row in the top quarter: rows are taken from the largest down, equal ones alike."""
    left = len(values) / 4
    parts = [0.0] * len(values)
    for level in sorted(set(values), reverse=True):
        here = [i for i, value in enumerate(values) if value == level]
        each = min(1.0, left / len(here))
        for i in here:
            parts[i] = each
        left -= each * len(here)
    return parts


def map_of(
    candles: Sequence[Mapping[str, float]],
    tiers: Sequence[float],
    mmr: float,
    half_lives: Sequence[float],
    width: float,
    bar: int,
) -> list[dict[str, list[list[float]]]]:
    """
    Say of each bar which quantity x price of each side and tier stood before it and was reached, and opened in it.

    One level after the other, of the model "flow" from candles that touch [low, high], then open at (high + low +
    close) / 3; levels are in bins of `width`. `candles` have start, low, high, close, bought, sold;
    bars are `bar` long.
    """
    live: dict[tuple[int, int, int], float] = {}  # side, tier, bin: quantity
    fresh: dict[tuple[int, int, int], float] = {}  # of it, opened in this bar
    out = []
    now = None
    frozen, opened = ([[0.0] * len(tiers) for _ in range(2)] for _ in range(2))
    for candle in candles:
        mine = int(candle["start"]) // bar
        while now is not None and now < mine:
            out.append({"frozen": frozen, "in_bar": opened})
            frozen, opened = ([[0.0] * len(tiers) for _ in range(2)] for _ in range(2))
            live = {key: value * 0.5 ** (bar / half_lives[key[1]]) for key, value in live.items()}
            fresh = {}
            now += 1
        now = mine
        low, high = math.floor(candle["low"] / width + 1e-9), math.floor(candle["high"] / width + 1e-9)
        for key in [k for k in live if (k[2] >= low if k[0] == 0 else k[2] <= high)]:
            side, tier, at = key
            young = fresh.pop(key, 0.0)
            opened[side][tier] += young * (at + 0.5) * width
            frozen[side][tier] += (live.pop(key) - young) * (at + 0.5) * width
        entry = round((candle["high"] + candle["low"] + candle["close"]) / 3)
        for side, quantity in ((0, candle["bought"]), (1, candle["sold"])):
            for tier, leverage in enumerate(tiers):
                sign = 1 if side == 0 else -1
                level = round(entry * (1 - sign / leverage) / (1 - sign * mmr))
                at, own = math.floor(level / width), math.floor(entry / width)
                beyond = at < min(own, low) if side == 0 else at > max(own, high)
                if quantity and beyond:
                    live[side, tier, at] = live.get((side, tier, at), 0.0) + quantity
                    fresh[side, tier, at] = fresh.get((side, tier, at), 0.0) + quantity
    out.append({"frozen": frozen, "in_bar": opened})
    return out


def earth_mover(a: Sequence[float], b: Sequence[float], places: Sequence[float]) -> float:
    """Carry shares from `a` to `b`, always from the next place that has some to the next that lacks some."""
    left, lack = list(a), list(b)
    i = j = 0
    work = 0.0
    while i < len(left) and j < len(lack):
        part = min(left[i], lack[j])
        work += part * abs(places[i] - places[j])
        left[i] -= part
        lack[j] -= part
        if left[i] <= lack[j]:
            i += 1
        else:
            j += 1
    return work


def top_tenth(values: Sequence[float]) -> list[float]:
    """Part of each in the top tenth: taken from the largest down, equal ones alike."""
    left = len(values) / 10
    parts = [0.0] * len(values)
    for level in sorted(set(values), reverse=True):
        here = [i for i, value in enumerate(values) if value == level]
        each = min(1.0, left / len(here))
        for i in here:
            parts[i] = each
        left -= each * len(here)
    return parts


def overlap_of_tops(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(top_tenth(a), top_tenth(b), strict=True)) / (len(a) / 10)


def placed(
    rows: Sequence[tuple[bool, float, float]], price: float, half: float, step: float, count: int
) -> list[list[float]]:
    """USD by side and distance bin: each (long?, level, usd) in a thousand equal pieces between level -/+ half."""
    out = [[0.0] * count for _ in range(2)]
    pieces = 1000
    for is_long, level, usd in rows:
        for k in range(pieces):
            at = level - half + (k + 0.5) / pieces * 2 * half
            away = (1 - at / price) if is_long else (at / price - 1)
            bin_ = math.floor(away / step)
            if 0 <= bin_ < count:
                out[0 if is_long else 1][bin_] += usd / pieces
    return out
