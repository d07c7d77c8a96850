"""Single liquidations: how much of them fell into the rows where a map shows most, of those that were reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .amounts import Amounts, Floats, Ints
from .measures import Drawings, Estimate, drawn

LEAST_ROWS = 4
"""Of fewer rows there is no quarter."""

QUARTER = 0.25


@dataclass(frozen=True, slots=True)
class Lift:
    """
    How much more than a quarter of the USD fell into the top quarter of the reached rows.

    Attributes
    ----------
    name : str
        What chose the rows.
    lift : Estimate
        1: as if drawn blindly.
    gain : Estimate
        What the map's lift has more than this one; zero for the map itself.
    """

    name: str
    lift: Estimate
    gain: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Prints:
    """
    Single liquidations of one market.

    Attributes
    ----------
    bar, side, block : ndarray of int64, shape (n,)
        Index of the bar; 0 long, 1 short; number of the block of time.
    price, usd : ndarray of float64, shape (n,)
    """

    bar: Ints
    side: Ints
    block: Ints
    price: Floats
    usd: Floats

    def bars(self) -> frozenset[int]:
        """Return the bars that have any."""
        return frozenset(self.bar.tolist())


def top_quarter(values: Floats) -> Floats:
    """
    Return the part of each row that belongs to the top quarter; equal values share what is left.

    The parts sum to a quarter of the rows, so that choosing blindly gives a lift of exactly 1.
    """
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    new = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    starts = np.flatnonzero(new)
    ends = np.concatenate((starts[1:], [len(values)]))
    of_group = np.clip(len(values) * QUARTER - starts, 0, ends - starts) / (ends - starts)
    parts = np.empty(len(values))
    parts[order] = of_group[np.cumsum(new) - 1]
    return parts


def lifts(
    prints: Prints,
    maps: Mapping[str, Amounts],
    density: Mapping[int, Floats],
    *,
    kind: str,
    draws: int,
    seed: int,
) -> tuple[list[Lift], dict[str, float]]:
    """
    Return the lift of the map, of the same map with other volumes, of distance and of the density of past volume.

    Parameters
    ----------
    prints : Prints
    maps : mapping of str to Amounts
        The first is the map, the others its nulls; all with the rows of the prints' bars.
    density : mapping of int to ndarray
        By bar: volume of the day before in the rows of `Amounts.reached`.
    kind : {"frozen", "whole"}
        The map before the bar, or with what opened in it.
    draws, seed : int
        Of the intervals.

    Returns
    -------
    lifts : list of Lift
        The map's first.
    used : dict
        Shares of the USD: ``used``; ``outside`` of the reached rows; in bars with ``few`` rows.
    """
    names = [*maps, "nearest", "farthest", "past volume at the price"]
    step = next(iter(maps.values())).step
    row = np.floor(prints.price / step).astype(np.int64)
    inside = np.zeros(len(row), bool)
    few = np.zeros(len(row), bool)
    part = {name: np.zeros(len(row)) for name in names}
    for side, bar in sorted(set(zip(prints.side.tolist(), prints.bar.tolist(), strict=True))):
        mine = np.flatnonzero((prints.side == side) & (prints.bar == bar))
        spans = [one.reached[side, bar] for one in maps.values() if (side, bar) in one.reached]
        if len(spans) < len(maps):
            continue
        span = spans[0]  # all maps have the same rows: those of the price
        count = len(span.frozen)
        rows = slice(0, count)
        if kind == "frozen":  # nothing of a side stands beyond the price
            rows = slice(0, span.start + 1) if side == 0 else slice(span.start, count)
        away = np.abs(np.arange(count) - span.start).astype(np.float64)
        chosen = [*(getattr(one, kind) for one in spans), -away, away, density[bar]]
        at = row[mine] - span.first - rows.start
        count = rows.stop - rows.start
        here = (at >= 0) & (at < count)
        if count < LEAST_ROWS:
            few[mine[here]] = True
            continue
        inside[mine[here]] = True
        for name, value in zip(names, chosen, strict=True):
            part[name][mine[here]] = top_quarter(value[rows])[at[here]]
    total = float(prints.usd.sum()) or 1.0
    shares = {
        "used": float(prints.usd[inside].sum()) / total,
        "outside": float(prints.usd[~inside & ~few].sum()) / total,
        "few": float(prints.usd[few].sum()) / total,
    }
    if not inside.any():
        return [], shares
    blocks, block = np.unique(prints.block[inside], return_inverse=True)
    usd = prints.usd[inside]
    drawings = Drawings(usd, block, drawn(len(blocks), draws, seed))
    found = {name: drawings.ratio(part[name][inside] * usd, usd) / QUARTER for name in names}
    of_map = found[names[0]]
    return [
        Lift(name, Estimate.of(found[name], len(blocks)), Estimate.of(of_map - found[name], len(blocks)))
        for name in names
    ], shares
