"""What the shapes of all vendors have in common: numbers checked, rows on a grid, sides by the price."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .response import Floats

SAID = "liqcore"
"""Key under which our exports say what the shape has no place for."""

MS = 1_000_000
SECOND = 1_000_000_000


def number(value: object, what: str, *, least: float = -math.inf) -> float:
    """Return a number, or one that is written as text."""
    try:
        found = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        found = math.nan
    if not math.isfinite(found) or found < least:
        bound = "" if least == -math.inf else f", at least {least:g}"
        raise DataError(f"{what}: expected a number{bound}, found {value!r:.40}")
    return found


def listed(value: object, what: str) -> list[Any]:
    """Return a list that is not empty."""
    if not isinstance(value, list) or not value:
        raise DataError(f"{what}: expected a list that is not empty, found {value!r:.40}")
    return value


def rows_of(values: Sequence[object], what: str, width: int) -> list[Sequence[Any]]:
    """Return rows of at least so many values."""
    for at, row in enumerate(values):
        if not isinstance(row, list) or len(row) < width:
            raise DataError(f"{what}[{at}]: expected a list of {width} values, found {row!r:.40}")
    return list(values)  # type: ignore[arg-type]


def said(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what our own exports say beside the shape."""
    found = answer.get(SAID, {})
    return found if isinstance(found, Mapping) else {}


def regular(values: Floats, what: str) -> float:
    """Return by how much prices rise, where that is the same for all but the last, which may be cut short."""
    steps = np.diff(values)
    if not len(steps) or not (steps > 0).all():
        raise DataError(f"{what}: expected at least two prices that rise, found {values.tolist()[:3]!r:.60}")
    step = float(np.median(steps))
    off = np.abs(steps - step) > 1e-6 * step
    off[-1] = steps[-1] > step * (1 + 1e-6)
    if off.any():
        at = int(np.argmax(off))
        raise DataError(f"{what}: expected prices {step:.10g} apart, found {values[at]:.10g} and {values[at + 1]:.10g}")
    return float(f"{step:.10g}")


def windows(times: NDArray[np.int64], what: str) -> int:
    """Return how long a column is, ns; times must lie whole columns apart, each after the one before."""
    steps = np.diff(times)
    if not len(steps):
        raise DataError(f"{what}: expected at least two times, found one")
    if not (steps > 0).all():
        raise DataError(f"{what}: expected times that rise, found one that does not after {int(times[0])}")
    [(window, _)] = Counter(steps.tolist()).most_common(1)
    if (steps % window).any():
        raise DataError(f"{what}: expected times a multiple of {window} ns apart, found others")
    return int(window)


def short_by_price(level: Floats, price: Floats) -> NDArray[np.bool_]:
    """Shorts are liquidated above the price: what vendors that do not tell sides leave to the reader."""
    return np.asarray(level > price, np.bool_)
