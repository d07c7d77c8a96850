"""How often zones were reached, beside prices at the same distance where there was no zone."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..analysis.zones import Magnet, Zone, Zones
from ..errors import InvalidConfigError
from ..history.shown import Shown
from ..render.png import draw_png
from ..words.numbers import plain_values
from ..words.times import Length, Time, format_duration, iso, parse_duration
from .amounts import Floats, Ints
from .measures import Estimate, drawn

__all__ = ["Odds", "OddsRow", "magnet_odds"]

LEAST_ZONES = 30
"""Fewer zones of a kind say nothing."""

MOST_INSTANTS = 1000
"""At which zones are looked at, where nothing else is asked for."""

DISTANCES = (0.5, 1.0, 2.0, 5.0)
SIZES = (0.25, 0.75)
PERSISTENCES = (0.5,)
REACH = 3.0
"""Deviations: zones farther away are left out, because hardly anything is reached there, with a zone or without."""

_CALM = 1440  # columns of which the deviation is taken, at most


@dataclass(frozen=True, slots=True)
class OddsRow:
    """
    Zones of one kind.

    Attributes
    ----------
    kind : str
        Such as "all" or "0.5 to 1 % away".
    zones : int
        How many were seen; the same zone is seen again at later instants.
    blocks : int
        Of time, in which they lie.
    reached : Estimate
        Share of them that the price reached in time.
    without : Estimate
        The same of prices at the same distance (in deviations) without a zone.
    difference : Estimate
        The first less the second, both of the same drawings.
    """

    kind: str
    zones: int
    blocks: int
    reached: Estimate
    without: Estimate
    difference: Estimate

    @property
    def says(self) -> str:
        """What the difference shows, in words."""
        if self.zones < LEAST_ZONES or math.isnan(self.difference.low):
            return "too little data"
        if self.difference.low > 0:
            return "reached more often"
        if self.difference.high < 0:
            return "reached less often"
        return "no difference shown"


@dataclass(frozen=True, slots=True, eq=False)
class Odds:
    """
    How often zones were reached within a time, by distance, size and persistence; made by `magnet_odds`.

    Attributes
    ----------
    horizon_ns, block_ns : int
    start_ns, end_ns : int
        First and last instant at which zones were looked at.
    instants : int
        How many.
    rows : tuple of OddsRow
        All zones; by distance; by size; by persistence.
    name : str
        Of the market.
    synthetic : bool
        Whether the data is made up.
    version : str
        Of liqcore.
    """

    horizon_ns: int
    block_ns: int
    start_ns: int
    end_ns: int
    instants: int
    rows: tuple[OddsRow, ...]
    name: str
    synthetic: bool
    version: str
    _cells: dict[tuple[int, int, int], OddsRow]
    _edges: tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]

    def of(self, zone: Zone, largest: float) -> OddsRow:
        """
        Return the row of zones such as one: of its distance, size and persistence, or of its distance alone where too
        few were like it.

        Parameters
        ----------
        zone : Zone
        largest : float
            The largest value of a zone of its side at that instant, in its unit.
        """
        kind = _kind(abs(zone.distance_percent), zone.value / largest, zone.persistence, self._edges)
        cell = self._cells.get(kind)
        return cell if cell is not None and cell.says != "too little data" else self.rows[1 + kind[0]]

    def beside(self, magnets: Sequence[Magnet]) -> list[OddsRow]:
        """Return the row of each magnet."""
        largest: dict[str, float] = {}
        for magnet in magnets:
            largest[magnet.zone.side] = max(largest.get(magnet.zone.side, 0.0), magnet.zone.value)
        return [self.of(magnet.zone, largest[magnet.zone.side]) for magnet in magnets]

    @property
    def verdict(self) -> str:
        """What all zones together show, in a sentence."""
        row, long = self.rows[0], format_duration(self.horizon_ns)
        said = f"within {long}, {100 * row.reached.value:.0f} % of {row.zones:,} zones were reached"
        other = f"{100 * row.without.value:.0f} % of prices at the same distance without a zone"
        if row.says == "too little data":
            return f"Too little data to tell whether zones attract the price: {said}, {other}."
        low, high = 100 * row.difference.low, 100 * row.difference.high
        interval = f"difference {100 * row.difference.value:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}"
        if row.says == "no difference shown":
            return f"No difference between zones and other prices is shown: {said}, {other} ({interval})."
        return f"Zones were {row.says} than other prices: {said}, {other} ({interval})."

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; what is not known is null."""
        return {
            "within": format_duration(self.horizon_ns),
            "start": iso(self.start_ns),
            "end": iso(self.end_ns),
            "instants": self.instants,
            "rows": plain_values([asdict(row) | {"says": row.says} for row in self.rows]),
            "says": self.verdict,
        }

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def render(
        self,
        path: str | os.PathLike[str] | BinaryIO | None = None,
        *,
        width: int = 1600,
        height: int = 900,
        theme: str = "dark",
    ) -> Path | bytes | None:
        """
        Draw each kind of zone beside prices without one, as PNG; without a path the bytes are returned.

        Raises
        ------
        InvalidConfigError
            If the size (at least 360 x 480 pixels) or theme cannot be, or the path does not end in ``.png``.
        LiqcoreError
            If Pillow is not installed.
        """
        from .odds_picture import LEAST_HEIGHT, LEAST_WIDTH, layout

        software = f"liqcore {self.version}"
        return draw_png(
            lambda measure: layout(self, width=width, height=height, theme=theme, software=software, measure=measure),
            path,
            (width, height),
            theme,
            least=(LEAST_WIDTH, LEAST_HEIGHT),
        )

    def __repr__(self) -> str:
        return f"<Odds: {self.rows[0].zones} zones at {self.instants} instants from {iso(self.start_ns)}>"


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """
    Zones at some instants, and how far the price went after each.

    Attributes
    ----------
    far : ndarray of float64, shape (2, instants)
        How far it fell and rose in time, percent of the price, not negative.
    unit : ndarray of float64, shape (instants,)
        One deviation over that time, percent: as known at the instant.
    block : ndarray of int64, shape (instants,)
        Of time.
    instant, side : ndarray of int64, shape (zones,)
        0 longs, 1 shorts.
    near, end : ndarray of float64, shape (zones,)
        Distance of the zone's nearer and farther edge, percent, not negative.
    size, persistence : ndarray of float64, shape (zones,)
        Of the largest of the side at the instant; share of the last columns.
    """

    far: Floats
    unit: Floats
    block: Ints
    instant: Ints
    side: Ints
    near: Floats
    end: Floats
    size: Floats
    persistence: Floats


def magnet_odds(
    heatmap: Any,
    *,
    within: Length = "4h",
    ts: Time | None = None,
    threshold: float | str | None = None,
    every: Length | None = None,
    distances: Sequence[float] = DISTANCES,
    sizes: Sequence[float] = SIZES,
    persistences: Sequence[float] = PERSISTENCES,
    columns: int = 100,
    block: Length = "1d",
    draws: int = 1000,
    seed: int = 0,
    progress: Any = None,
) -> Odds:
    """
    Return how often zones were reached within a time, and how often prices at the same distance without a zone were.

    At instants through the heatmap the zones known then are looked at, and whether the price came to their nearer edge
    in the time after. Each is compared with the other instants at which no zone of its side lay at its distance: would
    a level there have been reached? Distances are compared in deviations of the returns known at each instant, so that
    calm and wild days are not mixed up.

    Parameters
    ----------
    heatmap : Heatmap
    within : duration, optional
        The time after each instant: a multiple of the heatmap's columns.
    ts : int, str, date, datetime or datetime64, optional
        What is known at this time; everything if left out. Zones whose time is not over by then do not count.
    threshold : float or str, optional
        Of zones: see `Heatmap.zones`.
    every : duration, optional
        From one instant to the next, a multiple of the columns; if left out so that there are at most 1,000.
    distances, sizes, persistences : sequence of float, optional
        Where kinds of zones part: percent from the price; of the largest zone of the side; share of columns.
    columns : int, optional
        Over how many columns persistence counts.
    block : duration, optional
        Length of the blocks of time that intervals are drawn from; fewer than five give none.
    draws, seed : int, optional
        Of the intervals.
    progress : callable, optional
        Called with (instants done, instants in all).

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule, or no time is over yet.

    Notes
    -----
    Of some twenty rows one shows a difference by chance. Zones in whose rows the price is do not count, nor do those
    farther away than three deviations. The method stands in docs/theory/magnets.md.

    Examples
    --------
    >>> import liqcore as lq
    >>> hm = lq.heatmap(trades=lq.simulate(days=1, trades_per_day=40_000).trades)
    >>> odds = lq.magnet_odds(hm, within="1h")
    >>> odds.rows[0].says  # of one day
    'too little data'
    """
    shown: Shown = heatmap._shown
    span, step = shown.columns_of(within, "within"), None if every is None else shown.columns_of(every, "every")
    edges = tuple(
        _edges(name, given)
        for name, given in (("distances", distances), ("sizes", sizes), ("persistences", persistences))
    )
    block_ns = parse_duration(block, name="block")
    if isinstance(draws, bool) or not isinstance(draws, int) or not 100 <= draws <= 100_000:
        raise InvalidConfigError(f"draws must be a whole number from 100 to 100,000, was {draws!r}")
    last = int(shown.complete.sum()) - 1 if ts is None else shown.complete_column_at(ts)
    if last - span < 1:
        raise InvalidConfigError(
            f"within must be shorter than the heatmap ({last + 1} complete columns of "
            f"{format_duration(shown.window_ns)}), was {within!r}"
        )
    at = np.arange(1, last - span + 1, step or max(-(-(last - span) // MOST_INSTANTS), 1))
    at = at[np.isfinite(_deviations(shown, at, span)[0])]
    if not len(at):
        raise InvalidConfigError("heatmap must have trades before and after some instant, had none")
    seen = _look(shown, heatmap, at, span, threshold, columns, block_ns, progress)
    return Odds(
        horizon_ns=span * shown.window_ns,
        block_ns=block_ns,
        start_ns=shown.end_of(int(at[0])),
        end_ns=shown.end_of(int(at[-1])),
        instants=len(at),
        name=" ".join(str(shown.meta[key]) for key in ("venue", "symbol") if shown.meta.get(key)),
        synthetic=bool(shown.meta.get("synthetic")),
        version=str(shown.meta.get("version") or ""),
        **_tables(seen, edges, draws, seed),
    )


def _edges(name: str, given: Sequence[float]) -> tuple[float, ...]:
    edges = tuple(float(edge) for edge in given)
    if not all(math.isfinite(edge) and edge > 0 for edge in edges) or list(edges) != sorted(set(edges)):
        raise InvalidConfigError(f"{name} must rise and be above 0, were {list(given)!r}")
    return edges


def _deviations(shown: Shown, at: NDArray[np.int64], span: int) -> tuple[Floats, Floats]:
    """
    One deviation over the time after each instant, percent, from the returns of at most a day's columns before it; and
    the last price.
    """
    closes = shown.candles["close"]
    filled = np.maximum.accumulate(np.where(np.isnan(closes), -1, np.arange(len(closes))))
    price = np.where(filled >= 0, closes[np.maximum(filled, 0)], np.nan)
    with np.errstate(invalid="ignore"):
        squares = np.diff(np.log(price), prepend=np.nan) ** 2
    day = max(min(_CALM, 86_400_000_000_000 // shown.window_ns), 30)
    known = np.isfinite(squares)
    sums = np.concatenate(([0.0], np.cumsum(np.where(known, squares, 0.0))))
    counts = np.concatenate(([0], np.cumsum(known)))
    low = np.maximum(at + 1 - day, 0)
    total, count = sums[at + 1] - sums[low], counts[at + 1] - counts[low]
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = 100.0 * np.sqrt(total / count * span)
    return np.where(unit > 0, unit, np.nan), price[at]


def _look(
    shown: Shown,
    heatmap: Any,
    at: NDArray[np.int64],
    span: int,
    threshold: float | str | None,
    columns: int,
    block_ns: int,
    progress: Any,
) -> Seen:
    unit, price = _deviations(shown, at, span)
    candles = shown.candles
    far = np.zeros((2, len(at)))
    rows: list[tuple[float, ...]] = []
    for k, column in enumerate(at.tolist()):
        after = candles[column + 1 : column + 1 + span]
        if np.isfinite(after["low"]).any():
            far[0, k] = max(100.0 * (1.0 - float(np.nanmin(after["low"])) / price[k]), 0.0)
            far[1, k] = max(100.0 * (float(np.nanmax(after["high"])) / price[k] - 1.0), 0.0)
        zones = heatmap.zones(shown.end_of(column), threshold=threshold, columns=columns)
        rows += [row for row in _zones(zones, k, float(price[k])) if row[2] <= REACH * unit[k]]
        if progress is not None:
            progress(k + 1, len(at))
    instant, side, near, end, size, persistence = np.array(rows, np.float64).reshape(-1, 6).T
    block = np.unique(shown.times[at] // block_ns, return_inverse=True)[1].astype(np.int64)
    return Seen(far, unit, block, instant.astype(np.int64), side.astype(np.int64), near, end, size, persistence)


def _zones(zones: Zones, k: int, price: float) -> list[tuple[float, ...]]:
    """Rows of `Seen`, of the zones of one instant that the price is not in."""
    most = {side: max((zone.value for zone in zones if zone.side == side), default=1.0) for side in ("long", "short")}
    out: list[tuple[float, ...]] = []
    for zone in zones:
        near, end = (zone.high, zone.low) if zone.side == "long" else (zone.low, zone.high)
        way = -1.0 if zone.side == "long" else 1.0
        away = way * 100.0 * (near / price - 1.0)
        if away > 0:
            out.append(
                (k, float(way > 0), away, way * 100.0 * (end / price - 1.0), zone.value / most[zone.side],
                 zone.persistence)
            )  # fmt: skip
    return out


def others(seen: Seen) -> tuple[Floats, Floats]:
    """
    Return by zone and block of time at how many instants no zone of its side lay at its distance, and at how many of
    those the price went as far: float64 (zones, blocks) each. Distances are in deviations.
    """
    blocks = int(seen.block.max()) + 1
    near, end = seen.near / seen.unit[seen.instant], seen.end / seen.unit[seen.instant]
    free, reached = np.zeros((2, len(near), blocks))
    for side in (0, 1):
        mine = np.flatnonzero(seen.side == side)
        order = mine[np.argsort(near[mine], kind="stable")]
        asked = near[order]
        starts = np.searchsorted(seen.instant[mine], np.arange(len(seen.unit) + 1))
        for k, went in enumerate(seen.far[side] / seen.unit):
            is_free = np.ones(len(asked) + 1, np.int64)
            for zone in mine[starts[k] : starts[k + 1]]:
                first, after = np.searchsorted(asked, near[zone], "left"), np.searchsorted(asked, end[zone], "right")
                is_free[first:after] = 0
            is_free = is_free[:-1]
            free[order, seen.block[k]] += is_free
            reached[order, seen.block[k]] += is_free * (asked <= went)
    return free, reached


def _kind(away: float, size: float, persistence: float, edges: tuple[tuple[float, ...], ...]) -> tuple[int, int, int]:
    first, second, third = (
        int(np.searchsorted(limits, value, side="right"))
        for limits, value in zip(edges, (away, size, persistence), strict=True)
    )
    return first, second, third


def _tables(seen: Seen, edges: Any, draws: int, seed: int) -> dict[str, Any]:
    counts = drawn(int(seen.block.max()) + 1, draws, seed)
    free, reached = others(seen)
    hit = (seen.far[seen.side, seen.instant] >= seen.near).astype(np.float64)
    kinds = np.array(
        [_kind(*each, edges) for each in zip(seen.near, seen.size, seen.persistence, strict=True)], np.int64
    ).reshape(-1, 3)

    def row(kind: str, of: NDArray[np.bool_]) -> OddsRow:
        return _row(kind, seen.block[seen.instant[of]], hit[of], free[of], reached[of], counts)

    rows = [row("all", np.ones(len(hit), np.bool_))]
    for at, words in enumerate(("{} % away", "size {}", "presence {}")):
        for band in range(len(edges[at]) + 1):
            rows.append(row(words.format(_band(edges[at], band)), kinds[:, at] == band))
    cells = {
        (int(a), int(b), int(c)): row("like it", (kinds == (a, b, c)).all(axis=1))
        for a, b, c in np.unique(kinds, axis=0)
    }
    return {"rows": tuple(rows), "_cells": cells, "_edges": edges}


def _band(edges: Sequence[float], band: int) -> str:
    if band == 0:
        return f"below {edges[0]:g}" if edges else "any"
    if band == len(edges):
        return f"from {edges[-1]:g}"
    return f"{edges[band - 1]:g} to {edges[band]:g}"


def _row(kind: str, block: Ints, hit: Floats, free: Floats, reached: Floats, counts: Floats) -> OddsRow:
    known = free.sum(axis=1) > 0  # a zone that had one beside it at all instants cannot be compared
    block, hit, free, reached = block[known], hit[known], free[known], reached[known]
    if not len(hit):
        nothing = Estimate(math.nan, math.nan, math.nan)
        return OddsRow(kind, 0, 0, nothing, nothing, nothing)
    hits, odds = np.full((2, len(counts)), np.nan)
    for at, drawing in enumerate(counts):
        instants = free @ drawing
        weights = drawing[block] * (instants > 0)
        if weights.any():
            hits[at] = (hit * weights).sum() / weights.sum()
            odds[at] = (reached @ drawing / np.maximum(instants, 1.0) * weights).sum() / weights.sum()
    blocks = len(np.unique(block))
    return OddsRow(kind, len(hit), blocks, *(Estimate.of(each, blocks) for each in (hits, odds, hits - odds)))
