"""Zones: neighbouring bins of one side above a threshold, at one instant; and magnets, the ranking of them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..history.age import opened_within, shares_of
from ..history.shown import Shown
from ..history.spread import Spread
from ..tables.frames import Columns, Tabular, amount_decimals, csv_or, decimals_of
from ..words.times import iso

__all__ = ["Magnet", "Sweep", "Zone", "Zones", "magnets"]

SIDES = ("long", "short")
DEFAULT_THRESHOLD = "p90"
LONGEST_BLOCK = 1024
"""Columns looked at in one go on the way back to a zone's beginning, at most: bounds the memory."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """
    When the price first reached a zone, and what that liquidated.

    Attributes
    ----------
    start_ns, end_ns : int
        The window in which it came, nanoseconds since the UNIX epoch; `end_ns` is exclusive.
    by : {"last", "mark", "candle"}
        What reached it: the heatmap's trigger.
    price : float
        How far it came in that window: an edge of the furthest of the book's own bins that it reached, the lower one
        for longs, the upper one for shorts.
    value : float
        What was liquidated within the zone's prices in that window, in the zone's unit: with what had been added since.
    """

    start_ns: int
    end_ns: int
    by: str
    price: float
    value: float


@dataclass(frozen=True, slots=True)
class Zone:
    """
    Neighbouring bins of one side, each at or above a threshold, at one instant.

    Made by `Heatmap.zones` and `Heatmap.swept`. A zone counts as present in a column where at least one of its bins is
    at or above the same amount.

    Attributes
    ----------
    time_ns : int
        The instant, nanoseconds since the UNIX epoch: the end of a column.
    side : {"long", "short"}
        Whose liquidations.
    low, high : float
        Lower edge of the lowest bin, upper edge of the highest.
    value : float
        What is live in it, in `unit`.
    share : float
        Of all that is live on its side, as far as the heatmap shows it: 0 to 1.
    peak_price, peak_value : float
        Middle of the bin that holds the most, and what it holds; of equal bins the nearer to the price.
    distance_percent : float
        From the last price to the zone's nearer edge, in percent of the price: negative below the price, 0 where the
        price lies in the zone's own row, NaN where nothing traded yet.
    since_ns : int
        Start of the first column since which it has been present without a break, as far back as the heatmap shows
        columns.
    persistence : float
        In which share of the last columns it was present, this one included: above 0, at most 1.
    ages : mapping of str to float
        Which share of it was opened within "1h", "4h", "1d", "1w", "1mo" (those that are at least a window), 0 to 1;
        NaN where that is not known any more. Empty for a sequential model.
    threshold : float
        What each of its bins holds at least, in `unit`.
    unit : {"usd", "quantity"}
    swept : Sweep or None
        What became of it: only `Heatmap.swept` says.
    value_low, value_high : float or None
        95 % interval of `value`, where the profile was fitted and its file says how uncertain it is: from the profile
        drawn anew, so that it is right for sums over tiers. It says nothing of the model itself or of the live scale.
    """

    time_ns: int
    side: str
    low: float
    high: float
    value: float
    share: float
    peak_price: float
    peak_value: float
    distance_percent: float
    since_ns: int
    persistence: float
    ages: Mapping[str, float]
    threshold: float
    unit: str
    swept: Sweep | None = None
    value_low: float | None = None
    value_high: float | None = None


class Magnet(NamedTuple):
    """A zone and its score, 0 to 1: see `magnets`."""

    score: float
    zone: Zone


class Zones(list[Zone], Tabular):
    """
    Zones of one instant: a list that is also a table.

    Parameters
    ----------
    zones : iterable of Zone
    step : float
        Height of the rows that they are made of, price.
    extra : mapping of str to sequence of float, optional
        More columns of the table, which stand first, such as scores.

    Examples
    --------
    >>> import liqcore as lq
    >>> zones = lq.heatmap(trades=lq.simulate(days=0.2, trades_per_day=40_000).trades).zones()
    >>> frame = zones.to_pandas()
    >>> len(frame) == len(zones), list(frame.columns[:6])
    (True, ['time', 'side', 'low', 'high', 'value', 'share'])
    """

    def __init__(
        self, zones: Iterable[Zone] = (), *, step: float, extra: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        super().__init__(zones)
        self.step = step
        self.extra = dict(extra or {})

    def _columns(self) -> Columns:
        def times(name: str, of: Iterable[Any] = self) -> NDArray[Any]:
            return np.array([getattr(each, name) for each in of], np.int64).view("datetime64[ns]")

        def numbers(name: str, of: Iterable[Any] = self) -> NDArray[np.float64]:
            return np.array([getattr(each, name) for each in of], np.float64)

        columns: dict[str, Any] = {name: np.array(values, np.float64) for name, values in self.extra.items()}
        columns |= {"time": times("time_ns"), "side": [zone.side for zone in self]}
        plain = ("low", "high", "value", "share", "peak_price", "peak_value", "distance_percent")
        columns |= {name: numbers(name) for name in plain}
        columns |= {"since": times("since_ns"), "persistence": numbers("persistence")}
        for age in self[0].ages if self else ():
            columns[f"opened_{age}"] = np.array([zone.ages[age] for zone in self], np.float64)
        if self and self[0].value_low is not None:
            columns |= {name: numbers(name) for name in ("value_low", "value_high")}
        columns |= {"threshold": numbers("threshold"), "unit": [zone.unit for zone in self]}
        if any(zone.swept for zone in self):
            sweeps = [zone.swept for zone in self]
            columns |= {"swept_start": times("start_ns", sweeps), "swept_end": times("end_ns", sweeps)}
            columns |= {"swept_by": [sweep.by for sweep in sweeps if sweep]}
            columns |= {"swept_price": numbers("price", sweeps), "swept_value": numbers("value", sweeps)}
        decimals = dict.fromkeys(("low", "high", "swept_price"), decimals_of(self.step))
        decimals |= {"peak_price": decimals_of(self.step / 2)}  # the middle of a row
        amounts = ("value", "peak_value", "value_low", "value_high", "threshold", "swept_value")
        decimals |= dict.fromkeys(amounts, amount_decimals(self[0].unit) if self else 0)
        shares = ("share", "distance_percent", "persistence", *(name for name in columns if name.startswith("opened_")))
        return Columns(columns, decimals | dict.fromkeys((*shares, *self.extra), 4))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Write them as CSV, for spreadsheets: the columns of `to_pandas`.

        Raises
        ------
        InvalidConfigError
            If the path does not end in ``.csv``.
        """
        csv_or(path, ".csv")
        return self._save_csv(path)

    def __repr__(self) -> str:
        if not self:
            return "<Zones: none>"
        return f"<Zones: {len(self)} at {iso(self[0].time_ns)}, {self[0].low:g} to {self[-1].high:g}>"


class Span(NamedTuple):
    """Rows of one side (0 longs, 1 shorts) from `first` to `end`, exclusive."""

    side: int
    first: int
    end: int


def magnets(
    zones: Iterable[Zone],
    *,
    value: float = 1.0,
    distance: float = 1.0,
    persistence: float = 1.0,
    reach_percent: float = 5.0,
) -> list[Magnet]:
    """
    Rank zones by how much there is in them, how near they are and how long they have lasted; highest score first.

    The score is ``(v / v_max)^value * exp(-|d| / reach_percent)^distance * p^persistence`` with the zone's value `v`,
    the largest value `v_max` of the zones given, the distance `d` in percent and the persistence `p`. It orders the
    zones of one market; it is no probability, and says nothing of where the price will go.

    Parameters
    ----------
    zones : iterable of Zone
        Such as `Heatmap.zones` returns.
    value, distance, persistence : float, optional
        Weights, 0 or above; at 0 the factor does not matter.
    reach_percent : float, optional
        At this distance the factor for distance is 1/e; above 0.

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule.

    Notes
    -----
    Where the distance is not known (NaN: nothing has traded) its factor is 0.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.2, trades_per_day=40_000)
    >>> ranked = magnets(lq.heatmap(trades=market.trades).zones())
    >>> ranked[0].score == max(magnet.score for magnet in ranked) <= 1
    True
    """
    for name, weight in (("value", value), ("distance", distance), ("persistence", persistence)):
        if not 0 <= weight < math.inf:
            raise InvalidConfigError(f"{name} must be a weight, 0 or above, was {weight!r}")
    if not 0 < reach_percent < math.inf:
        raise InvalidConfigError(f"reach_percent must be above 0, was {reach_percent!r}")
    given = list(zones)
    most = max((zone.value for zone in given), default=0.0)

    def score(zone: Zone) -> float:
        away = abs(zone.distance_percent)
        near = 0.0 if math.isnan(away) else math.exp(-away / reach_percent)
        return float((zone.value / most) ** value * near**distance * zone.persistence**persistence)

    return sorted((Magnet(score(zone), zone) for zone in given), key=lambda magnet: -magnet.score)


def find_spans(
    shown: Shown, cells: NDArray[np.float32], threshold: float | str | None, near: slice = slice(None)
) -> tuple[float, list[Span]]:
    """Return what a threshold means among cells (2, rows) of one instant, or some rows of it, and the zones' rows,
    lowest first."""
    given = threshold if threshold is not None else shown.view.threshold
    limit = shown.limit(DEFAULT_THRESHOLD if given is None else given)
    # As float32, which the cells are: a cutoff that is one of them must not exclude it.
    cutoff = np.float32(limit.cutoff(cells[:, near]))
    above = np.zeros((2, cells.shape[1] + 2), np.int8)
    above[:, 1:-1] = (cells > 0) & (cells >= cutoff)
    spans = [
        Span(side, int(first), int(end))
        for side in range(2)
        for first, end in np.flatnonzero(np.diff(above[side])).reshape(-1, 2)
    ]
    return float(cutoff), sorted(spans, key=lambda span: (span.first, span.side))


def find_zones(shown: Shown, i: int, threshold: float | str | None, columns: int, within: float | None = None) -> Zones:
    """`Heatmap.zones` after column `i`."""
    if isinstance(columns, bool) or not isinstance(columns, int) or columns < 1:
        raise InvalidConfigError(f"columns must be a whole number, at least 1, was {columns!r}")
    start = max(i + 1 - columns, 0)
    price = shown.price_after(i)
    near = slice(None) if within is None else _near(shown, price, within)
    recent = _columns(shown, start, i + 1)
    cutoff, spans = find_spans(shown, np.stack([side[-1] for side in recent]), threshold, near)
    if within is not None:
        spans = [span for span in spans if abs(_away(shown, span, price)) <= within]
    present = _present(recent, spans, cutoff)
    since = _since(shown, spans, cutoff, present, start)
    if shown.is_sequential:
        names: tuple[str, ...] = ()
        live, opened = shown.layers(i).sum(axis=1), np.empty((0, 2, len(shown.prices)))
    else:
        names, live, opened = opened_within(shown, i, None)
    spread, layers = Spread.of(shown.meta), None
    if spread is not None:
        layers = shown.layers(i)
    totals = [math.fsum(side) for side in live]  # exact: how many rows are empty does not matter
    zones = []
    for k, span in enumerate(spans):
        rows = slice(span.first, span.end)
        mine = live[span.side, rows]
        value = float(mine.sum())
        # The nearer of equal bins is the upper one of longs, the lower one of shorts.
        peak = len(mine) - 1 - int(np.argmax(mine[::-1])) if span.side == 0 else int(np.argmax(mine))
        low, high = float(shown.edges[span.first]), float(shown.edges[span.end])
        ends: tuple[float | None, float | None] = (None, None)
        if spread is not None and layers is not None:
            low_end, high_end = spread.ends(shown.histories.leverage.tiers, layers[span.side, :, rows].sum(axis=1))
            ends = (float(min(low_end, value)), float(max(high_end, value)))
        ages = shares_of(opened[:, span.side, rows].sum(axis=1), np.float64(value))
        zones.append(
            Zone(
                time_ns=shown.end_of(i),
                side=SIDES[span.side],
                low=low,
                high=high,
                value=value,
                share=min(value / totals[span.side], 1.0),
                peak_price=float(shown.prices[span.first + peak]) + shown.step / 2,
                peak_value=float(mine[peak]),
                distance_percent=_away(shown, span, price),
                since_ns=since[k],
                persistence=float(present[:, k].mean()),
                ages=dict(zip(names, ages.tolist(), strict=True)),
                threshold=cutoff,
                unit=shown.view.unit,
                value_low=ends[0],
                value_high=ends[1],
            )
        )
    return Zones(zones, step=shown.step)


def _near(shown: Shown, price: float, within: float) -> slice:
    """The rows that lie at most so many percent from a price, in part or in whole."""
    if not 0 < within < 100:
        raise InvalidConfigError(f"within must be above 0 and below 100 percent, was {within!r}")
    if math.isnan(price):
        raise InvalidConfigError("within must be asked of a heatmap with a last price: nothing has traded yet")
    low, high = price * (1 - within / 100), price * (1 + within / 100)
    first = int(np.searchsorted(shown.edges[1:], low, side="right"))
    return slice(first, max(int(np.searchsorted(shown.prices, high, side="left")), first))


def _away(shown: Shown, span: Span, price: float) -> float:
    """How far rows are from a price, in percent of it."""
    return _distance_percent(span.side, float(shown.edges[span.first]), float(shown.edges[span.end]), price)


def find_swept(shown: Shown, i: int, end: int, threshold: float | str | None, columns: int) -> Zones:
    """Return the zones after column `i` that were reached up to column `end`, first reached first."""
    zones = find_zones(shown, i, threshold, columns)
    windows = range(shown.last_window(i) + 1, shown.last_window(end) + 1)
    ways = [_reached(shown, windows, side) for side in range(2)]
    swept = []
    for zone in zones:
        side = SIDES.index(zone.side)
        far = ways[side]
        hits = np.flatnonzero(far < zone.high if side == 0 else far > zone.low)
        if not len(hits):
            continue
        window = windows[int(hits[0])]
        segment = shown.histories.segment(window)
        gone = shown.fold(window, 1, liquidated=True)[side][0].astype(np.float64)
        rows = slice(*np.searchsorted(shown.prices, [zone.low, zone.high]))
        sweep = Sweep(
            start_ns=segment.start_ns,
            end_ns=segment.end_ns,
            by=str(shown.meta.get("trigger", "last")),
            price=float(far[hits[0]]),
            value=float(gone[rows].sum()),
        )
        swept.append(replace(zone, swept=sweep))
    swept.sort(key=lambda zone: zone.swept.start_ns if zone.swept else 0)
    return Zones(swept, step=shown.step)


def _columns(shown: Shown, start: int, end: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Longs and shorts of the columns from `start` to `end`, exclusive, whatever the heatmap's threshold."""
    first, last = shown.windows_of(start)[0], shown.last_window(end - 1)
    return shown.fold(first, last + 1 - first)


def _present(
    sides: tuple[NDArray[np.float32], NDArray[np.float32]], spans: list[Span], cutoff: float
) -> NDArray[np.bool_]:
    """In which columns (down) each zone (across) has a bin at or above the cutoff."""
    out = np.zeros((len(sides[0]), len(spans)), np.bool_)
    for k, span in enumerate(spans):
        largest = sides[span.side][:, span.first : span.end].max(axis=1)
        out[:, k] = (largest > 0) & (largest >= np.float32(cutoff))
    return out


def _since(shown: Shown, spans: list[Span], cutoff: float, present: NDArray[np.bool_], start: int) -> list[int]:
    """When each zone's unbroken presence began: looked up in the columns given, then in longer and longer blocks."""
    out = [int(shown.times[0])] * len(spans)
    open_ = list(range(len(spans)))
    length = len(present)
    while True:
        unbroken = []
        for k, column in zip(open_, present.T, strict=True):
            missing = np.flatnonzero(~column)
            if len(missing):
                out[k] = int(shown.times[start + missing[-1] + 1])
            else:
                unbroken.append(k)
        open_ = unbroken
        if not open_ or start == 0:
            return out
        length = min(2 * length, LONGEST_BLOCK)
        end, start = start, max(start - length, 0)
        present = _present(_columns(shown, start, end), [spans[k] for k in open_], cutoff)


def _distance_percent(side: int, low: float, high: float, price: float) -> float:
    """From the price to the nearer edge of a zone."""
    if math.isnan(price):
        return math.nan
    away = min(high / price - 1, 0.0) if side == 0 else max(low / price - 1, 0.0)
    return 100 * away


def _reached(shown: Shown, windows: range, side: int) -> NDArray[np.float64]:
    """How far the price came in each window: an edge of the book's bins, beyond everything where it touched nothing."""
    out = np.full(len(windows), math.inf if side == 0 else -math.inf)
    furthest = min if side == 0 else max
    for k, window in enumerate(windows):
        touched = shown.histories.segment(window).touched(SIDES[side])
        if touched:
            at = furthest(bin_ for bin_, _ in touched)
            out[k] = (at + side) * shown.book_step
    return out
