"""What a pixel shows and which colour it has, cell by cell in plain Python; nothing of liqcore is used."""

import math
from collections.abc import Sequence

import numpy as np

F = np.float32


def counted(value: float) -> float:
    """A cell as it counts: what is not a finite number above zero is nothing."""
    return float(value) if value > 0 and math.isfinite(value) else 0.0


def pooled(
    long: Sequence[Sequence[float]],
    short: Sequence[Sequence[float]] | None,
    across: Sequence[tuple[int, int]],
    down: Sequence[tuple[int, int]],
) -> list[list[float]]:
    """The largest cell of each pixel, by pixel across and down; of two sides, of their sums as float32."""
    out = []
    with np.errstate(all="ignore"):
        for first, stop in across:
            column = []
            for low, high in down:
                most = 0.0
                for i in range(first, stop):
                    for row in range(low, high):
                        cell = F(long[i][row]) if short is None else F(long[i][row]) + F(short[i][row])
                        most = max(most, counted(float(cell)))
                column.append(most)
            out.append(column)
    return out


def entry(value: float, maximum: float, scale: str, cut: float) -> int:
    """The entry of a value in a table of 256: each step is rounded to a float32, but for logarithms."""
    with np.errstate(all="ignore"):
        if math.isnan(value) or (cut > 0 and not F(value) >= F(cut)):
            return 0
        origin, width = (F(cut), max(maximum - cut, 1e-6 * cut)) if cut > 0 else (F(0), maximum)
        share = (F(value) - origin) * F(np.float64(1) / np.float64(width))
        share = F(0) if not share > 0 else min(share, F(1))
        if scale == "sqrt":
            share = np.sqrt(share)
        elif scale == "log":
            share = F(math.log1p(float(share) * 1000.0) / math.log1p(1000.0))
        steps, lowest = (F(254), F(1.5)) if cut > 0 else (F(255), F(0.5))
        return int(share * steps + lowest)


def codes(column: Sequence[float]) -> tuple[float, list[int]]:
    """The largest value of a column and a code for each: 2,540 steps an octave below it, the largest is 65,535."""
    values = [counted(value) for value in column]
    top = max(values, default=0.0)
    out = []
    for value in values:
        if value == 0:
            out.append(0)
            continue
        ratio = float(F(value) / F(top))
        out.append(max(round(2540 * math.log2(ratio)) + 65_535, 1) if ratio > 0 else 1)
    return top, out
