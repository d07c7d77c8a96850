"""Sensitivity: which zones are still there under other shares, models and places of the bins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from .._core import LeverageProfile
from ..errors import InvalidConfigError
from ..history.shown import Shown
from .zones import SIDES, Zone, find_spans, find_zones

__all__ = ["Survival"]

Ranges = tuple[list[tuple[float, float]], list[tuple[float, float]]]
"""Low and high of the zones of longs and of shorts."""


@dataclass(frozen=True, slots=True)
class Survival:
    """
    In which share of other views a zone is still there, 0 to 1; made by `Heatmap.sensitivity`.

    Attributes
    ----------
    zone : Zone
    share : float
        Of all views taken together; NaN if there was none.
    shares, models, offsets : float
        Of the views with other shares, with other models, and with rows moved; NaN where there was none.
    """

    zone: Zone
    share: float
    shares: float
    models: float
    offsets: float


def survivals(
    shown: Shown,
    i: int,
    threshold: float | str | None,
    reweighed: Iterable[Shown],
    models: Iterable[Shown],
    offsets: int,
    cover: float,
) -> list[Survival]:
    """`Heatmap.sensitivity` after column `i`."""
    if isinstance(offsets, bool) or not isinstance(offsets, int) or offsets < 0:
        raise InvalidConfigError(f"offsets must be a whole number, at least 0, was {offsets!r}")
    if not 0 < cover <= 1:
        raise InvalidConfigError(f"cover must be above 0 and at most 1, was {cover!r}")
    zones = find_zones(shown, i, threshold, 1)
    found = (
        [_ranges(other, i, threshold) for other in reweighed],
        [_ranges(*_seen_then(shown, i, other), threshold) for other in models],
        [_ranges(moved, i, threshold) for moved in _moved(shown, offsets)],
    )

    def share(zone: Zone, views: list[Ranges]) -> float:
        kept = [_covered(zone, view) >= cover for view in views]
        return sum(kept) / len(kept) if kept else math.nan

    return [
        Survival(zone, share(zone, [view for kind in found for view in kind]), *(share(zone, kind) for kind in found))
        for zone in zones
    ]


def _covered(zone: Zone, view: Ranges) -> float:
    """Which share of a zone's height is covered by the zones of its side in a view."""
    ranges = view[SIDES.index(zone.side)]
    height = sum(max(min(high, zone.high) - max(low, zone.low), 0.0) for low, high in ranges)
    return round(height / (zone.high - zone.low), 9)  # edges are rounded binary fractions


def _ranges(shown: Shown, i: int, threshold: float | str | None) -> Ranges:
    cells = np.stack([side[0] for side in shown.fold(*shown.windows_of(i))])
    out: Ranges = ([], [])
    for side, first_row, end_row in find_spans(shown, cells, threshold)[1]:
        out[side].append((float(shown.edges[first_row]), float(shown.edges[end_row])))
    return out


def nudged(leverage: LeverageProfile) -> Iterator[LeverageProfile]:
    """Each tier's share halved, then doubled (at most to all), the others keeping their proportions."""
    before = leverage.to_dict()
    for tier, share in before.items():
        for factor in (0.5, 2.0):
            mine = min(factor * share, 1.0)
            rest = 1.0 - share
            if share == 0.0 or rest <= 0.0:  # a tier without a share, or the only one, cannot be nudged
                continue
            others = {other: own * (1.0 - mine) / rest for other, own in before.items()}
            yield LeverageProfile(others | {tier: mine}, intensity=leverage.intensity)


def _seen_then(shown: Shown, i: int, other: Shown) -> tuple[Shown, int]:
    """What else is shown of the same market, in the same unit, and its column that was known when column `i` was."""
    for key in ("symbol", "venue"):
        if other.meta.get(key) != shown.meta.get(key):
            raise InvalidConfigError(
                f"models must be heatmaps of the same {key}, {shown.meta.get(key)}, was {other.meta.get(key)}"
            )
    seen = other.seen(other.in_unit(other.view, shown.view.unit))
    return seen, seen.column_at(shown.end_of(i) if shown.complete[i] else None)


def _moved(shown: Shown, offsets: int) -> Iterator[Shown]:
    """The same with its rows moved down by parts of a row, evenly spread, in whole bins of the book."""
    view = shown.view
    steps = {round(k * view.bins_per_row / (offsets + 1)) for k in range(1, offsets + 1)}
    for step in sorted(steps - {0, view.bins_per_row}):
        yield shown.seen(replace(view, first_bin=view.first_bin - step, rows=view.rows + 1))
