"""Several venues in one picture: their books, each folded on its own terms, summed on one clock and one price grid."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import LeverageProfile
from ..errors import InvalidConfigError
from ..market.leverage import as_profile
from ..tables.archive import Part, write_archives
from ..words.times import Length, Time, format_duration, iso, parse_duration
from .heatmap import ARCHIVE_KEY, CANDLE, Heatmap, _join_candles, _View
from .map import LiquidationMap

__all__ = ["MergedHeatmap", "merge_venues"]

NEVER = np.iinfo(np.int64).min
UNLIMITED = np.iinfo(np.int64).max
Weights = list[list[float]]  # by venue, by its own tiers


@dataclass(frozen=True)
class _Venue:
    """One venue's history, long enough for the common clock, and what its layers stand for."""

    name: str
    history: _core.History
    leverage: LeverageProfile
    meta: dict[str, Any]

    @cached_property
    def terms(self) -> dict[str, Any]:
        return dict(self.history.terms)

    @cached_property
    def bin_width(self) -> Fraction:
        """Of its book, price; exact, as the decimals of the tick say."""
        return self.history.ticks_per_bin * Fraction(repr(self.history.tick_size))

    @cached_property
    def tiers(self) -> list[float]:
        return [float(tier) for tier in self.leverage.tiers]

    @cached_property
    def last_events(self) -> NDArray[np.int64]:
        """Time of the last event up to the end of each of its windows; the smallest int64 before the first."""
        times = (self.history.segment(i).last_ns for i in range(len(self.history)))
        return np.array([NEVER if time is None else time for time in times], np.int64)

    @cached_property
    def candles(self) -> NDArray[np.float64]:
        return self.history.candles()

    @cached_property
    def notional(self) -> float:
        """Traded over all of its windows, USD."""
        price = 1.0 if self.terms["contract"] == "inverse" else self.candles[:, 3]
        return float(np.nansum((self.candles[:, 4] + self.candles[:, 5]) * price) * self.terms["multiplier"])

    @property
    def counts(self) -> str:
        """What its quantities count, in words."""
        contract, multiplier = self.terms["contract"], self.terms["multiplier"]
        if contract == "inverse":
            return f"contracts of {multiplier:g} USD"
        return "the base asset" if multiplier == 1.0 else f"contracts of {multiplier:g} of the base asset"

    def row(self, bin_: int, height: Fraction) -> int:
        """The row that one of its own bins belongs to."""
        return (2 * bin_ + 1) * self.bin_width // (2 * height)

    def edges(self, rows: NDArray[np.int64], height: Fraction) -> NDArray[np.int64]:
        """The first of its own bins that belong to rows: those whose mid price is at or above the row's lower edge."""
        ratio = height / self.bin_width
        over, under = ratio.numerator, ratio.denominator
        return -((under - 2 * rows * over) // (2 * under))  # ceil(row x ratio - 1/2)


@dataclass(frozen=True, slots=True)
class _Window:
    """A window of the common clock: what a heatmap asks of `Segment`, over all venues."""

    venues: Venues
    i: int

    @property
    def start_ns(self) -> int:
        return self.venues.first_ns + self.i * self.venues.window_ns

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.venues.window_ns

    @property
    def open_interest(self) -> float:
        self.venues.check_units("open_interest")
        parts = self.venues.parts
        return sum(part.history.segment(int(self.venues.last_window(part, self.i))).open_interest for part in parts)

    def touched(self, side: str) -> list[tuple[int, None]]:
        """The bins of the common grid at and beyond which some venue's price consumed that venue's levels."""
        found = []
        for part in self.venues.parts:
            first, count = self.venues.windows_of(part, self.i, 1)
            for window in range(first, first + count):
                bins = (bin_ for bin_, _ in part.history.segment(window).touched(side))
                found += [(part.row(bin_, self.venues.bin_width), None) for bin_ in bins]
        return found


@dataclass(frozen=True)
class Venues:
    """
    Several histories that answer as one: the questions that a heatmap puts to `_core.History`, summed over venues.

    Windows are those of the common clock; bins are as wide as the widest book's, and a narrower bin that straddles an
    edge belongs where its mid price lies. Weights are one list a venue. A venue whose last event is older than
    `stale_after_ns` adds nothing.
    """

    parts: tuple[_Venue, ...]
    tiers: tuple[float, ...]  # of all venues, those left out by a selection included: rows of maps keep their places
    first_ns: int
    window_ns: int
    windows: int
    complete: bool  # the last window
    now_ns: int  # last event of any venue
    tick_size: float
    ticks_per_bin: int
    price_from: str
    stale_after_ns: int | None

    def __len__(self) -> int:
        return self.windows

    # --- how the venues' own windows, bins and tiers lie ---

    def windows_of(self, part: _Venue, first: int, count: int) -> tuple[int, int]:
        """First and number of a venue's own windows in some of the clock's."""
        own = part.history.window_ns
        before = (self.first_ns - part.history.segment(0).start_ns) // own
        return before + first * (self.window_ns // own), count * (self.window_ns // own)

    def last_window(self, part: _Venue, i: Any) -> Any:
        """The last of a venue's own windows in window i of the clock."""
        first, _ = self.windows_of(part, 0, 0)
        return first + (i + 1) * (self.window_ns // part.history.window_ns) - 1

    @cached_property
    def bin_width(self) -> Fraction:
        return self.ticks_per_bin * Fraction(repr(self.tick_size))

    def _rows(self, part: _Venue, first_bin: int, bins_per_row: int, rows: int) -> dict[str, Any]:
        """Which of a venue's own bins make the rows of the common grid."""
        ratio = self.bin_width / part.bin_width
        if ratio.denominator == 1:
            wide = ratio.numerator
            return {"first_bin": first_bin * wide, "bins_per_row": bins_per_row * wide, "rows": rows}
        edges = part.edges(first_bin + bins_per_row * np.arange(rows + 1, dtype=np.int64), self.bin_width)
        return {"first_bin": 0, "bins_per_row": 1, "rows": rows, "edges": edges.tolist()}

    def weights(self, part: _Venue, shown: Sequence[bool]) -> list[float]:
        """Weights of a venue's own tiers, 0 for those not shown; `shown` goes over the tiers of all."""
        weights = zip(part.tiers, part.leverage.weights.tolist(), strict=True)
        return [weight if shown[self.tiers.index(tier)] else 0.0 for tier, weight in weights]

    # --- how old what they say is ---

    def staleness(self, i: NDArray[np.int64]) -> NDArray[np.int64]:
        """From each venue's last event to the end of windows i (now, in an unfinished one), ns: (venues, len(i))."""
        last = np.stack([part.last_events[self.last_window(part, i)] for part in self.parts])
        clock = np.broadcast_to(self.first_ns + (i + 1) * self.window_ns, last.shape).copy()
        if not self.complete:
            clock[:, i == self.windows - 1] = self.now_ns
        return np.where(last == NEVER, UNLIMITED, clock - np.where(last == NEVER, 0, last))

    def _left_out(self, i: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which venues add nothing at the end of windows i: (venues, len(i))."""
        if self.stale_after_ns is None:
            return np.zeros((len(self.parts), len(i)), np.bool_)
        return self.staleness(i) > self.stale_after_ns

    # --- what a heatmap asks ---

    @property
    def whole(self) -> bool:
        return all(part.history.whole for part in self.parts)

    def times(self) -> NDArray[np.int64]:
        return self.first_ns + self.window_ns * np.arange(self.windows, dtype=np.int64)

    def candles(self, name: str | None = None) -> NDArray[np.float64]:
        """Candles of one venue, the reference unless named, in its own units."""
        part = next(part for part in self.parts if part.name == (name or self.price_from))
        first, count = self.windows_of(part, 0, self.windows)
        own = part.candles[first : first + count]
        each = self.window_ns // part.history.window_ns
        if each == 1:
            return own
        rows = own.view(CANDLE).reshape(-1)
        return _join_candles(rows, np.arange(0, count + 1, each)).view(np.float64).reshape(-1, len(CANDLE.names or ()))

    def segment(self, i: int) -> _Window:
        return _Window(self, range(self.windows)[i])

    def columns(
        self,
        *,
        long_weights: Weights,
        short_weights: Weights,
        first_bin: int,
        bins_per_row: int,
        rows: int,
        first_column: int,
        columns: int,
        usd: bool,
        opened_within: int = 0,
        column_ns: int = 0,
        liquidated: bool = False,
    ) -> tuple[NDArray[np.float32], ...]:
        column_ns = column_ns or self.window_ns
        ends = self._column_ends(first_column, columns, column_ns)
        sums: tuple[NDArray[np.float32], ...] = ()
        left_out = self._left_out(ends)
        for part, longs, shorts, is_left_out in zip(self.parts, long_weights, short_weights, left_out, strict=True):
            first, count = self.windows_of(part, first_column, columns)
            cells = part.history.columns(
                long_weights=longs,
                short_weights=shorts,
                **self._rows(part, first_bin, bins_per_row, rows),
                first_column=first,
                columns=count,
                usd=usd,
                opened_within=opened_within * (self.window_ns // part.history.window_ns),
                column_ns=column_ns,
                liquidated=liquidated,
            )
            if not liquidated:  # what was liquidated in a column was, however long ago
                for side in cells:
                    side[is_left_out] = 0
            for total, side in zip(sums, cells, strict=False):
                total += side
            sums = sums or cells
        return sums

    def _column_ends(self, first: int, count: int, column_ns: int) -> NDArray[np.int64]:
        """The last window of each column."""
        windows = np.arange(first, first + count, dtype=np.int64)
        columns = (self.first_ns + windows * self.window_ns) // column_ns
        return windows[np.append(np.diff(columns) != 0, True)] if count else windows

    def _sum_at(
        self, i: int, shape: tuple[int, ...], rows: dict[str, Any], ask: Callable[..., NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Sum over venues what `ask(venue, its own window, its own rows)` answers at the end of window i."""
        total = np.zeros(shape)
        left_out = self._left_out(np.array([i]))[:, 0]
        weights = zip(rows["long_weights"], rows["short_weights"], strict=True)
        for part, (longs, shorts), is_left_out in zip(self.parts, weights, left_out, strict=True):
            if is_left_out:
                continue
            own = self._rows(part, rows["first_bin"], rows["bins_per_row"], rows["rows"])
            own |= {"long_weights": longs, "short_weights": shorts, "usd": rows["usd"]}
            total += ask(part, int(self.last_window(part, i)), own)
        return total

    def map(self, i: int, *, opened_within: int = 0, **rows: Any) -> NDArray[np.float64]:
        def ask(part: _Venue, last: int, own: dict[str, Any]) -> NDArray[np.float64]:
            each = self.window_ns // part.history.window_ns
            cells = part.history.map(last, **own, opened_within=opened_within * each)
            out = np.zeros((2, len(self.tiers), cells.shape[2]))
            out[:, [self.tiers.index(tier) for tier in part.tiers]] = cells
            return out

        return self._sum_at(i, (2, len(self.tiers), rows["rows"]), rows, ask)

    def age(self, i: int, *, windows: Sequence[int], **rows: Any) -> NDArray[np.float64]:
        def ask(part: _Venue, last: int, own: dict[str, Any]) -> NDArray[np.float64]:
            each = self.window_ns // part.history.window_ns
            return part.history.age(last, windows=[count * each for count in windows], **own)

        return self._sum_at(i, (len(windows), 2, rows["rows"]), rows, ask)

    def since(self, *, threshold: float, **picture: Any) -> NDArray[np.int64]:
        column_ns = picture["column_ns"] or self.window_ns
        ends = self._column_ends(picture["first_column"], picture["columns"], column_ns)
        starts = (self.first_ns + ends * self.window_ns) // column_ns * column_ns
        out = np.full((2, picture["rows"]), NEVER)
        for side, cells in enumerate(self.columns(**picture)):
            below = ~((cells > 0) & (cells.astype(np.float64) >= threshold))
            broken = np.where(below.any(axis=0), len(ends) - np.argmax(below[::-1], axis=0), 0)  # columns to its last
            out[side] = np.append(starts, NEVER)[broken]
        return out

    # --- parts of it ---

    def only(self, names: Sequence[str]) -> Venues:
        """The same with some of the venues, in their order."""
        parts = tuple(part for part in self.parts if part.name in names)
        kept = self.price_from in names
        return replace(self, parts=parts, price_from=self.price_from if kept else self.largest(parts))

    def largest(self, parts: Iterable[_Venue]) -> str:
        """The venue with the largest traded notional; the first of equals."""
        return max(parts, key=lambda part: part.notional).name

    def check_units(self, name: str) -> None:
        """Refuse sums of quantities that count different things."""
        if len({part.counts for part in self.parts}) > 1:
            counted = ", ".join(f"{part.name} {part.counts}" for part in self.parts)
            raise InvalidConfigError(f"{name} must not sum quantities that count different things ({counted}): use usd")

    @cached_property
    def leverage(self) -> LeverageProfile:
        """The venues' profile where they have one in common, otherwise the mean of their weights: nothing is weighed
        by that."""
        first = self.parts[0].leverage
        if all(part.leverage == first for part in self.parts) and len(first) == len(self.tiers):
            return first
        sums = dict.fromkeys(self.tiers, 0.0)
        for part in self.parts:
            for tier, weight in zip(part.tiers, part.leverage.weights.tolist(), strict=True):
                sums[tier] += weight
        total = sum(sums.values())
        shares = {tier: weight / total for tier, weight in sums.items()}
        return LeverageProfile(shares, intensity=total / len(self.parts))


class MergedHeatmap(Heatmap):
    """
    The heatmaps of several venues, summed: made by `merge_venues`.

    Everything of `Heatmap` works on the sum, and ``select(venues=...)`` shows a part. The rows are common: a bin of a
    venue's book belongs to the row that its mid price lies in. Each venue keeps its own tick, contract, margin terms,
    leverage profile and half-lives. ``long`` and ``short`` are the venues' float32 arrays added in their order,
    so those of selections add up to the bit, and their sums (``values``, ``liquidated``) to rounding; maps are sums of
    doubles.

    ``candles`` (and the price of a map) are those of one venue, ``meta["price_from"]``, quantities in its unit.
    ``open_interest`` is the sum of the venues' last samples, NaN until each has one; refused where they count different
    things, as is ``unit="quantity"``.
    """

    def __init__(self, venues: Venues, *, view: _View, meta: dict[str, Any]) -> None:
        self._venues = venues
        if view.unit == "quantity":
            venues.check_units("unit")
        # `venues` answers what a heatmap asks of the history of one engine.
        history = cast(_core.History, venues)
        super().__init__(history, venues.leverage, complete=venues.complete, meta=meta, view=view)
        if len(self.times):
            self.meta["stale"] = self._stale_notes()

    @property
    def venues(self) -> tuple[str, ...]:
        """Names of the venues it shows."""
        return tuple(part.name for part in self._venues.parts)

    @property
    def leverage(self) -> LeverageProfile:
        """
        Tiers of all venues and their shares.

        Where the profiles differ (`leverage_by_venue`), the mean of the venues' weights: each venue is weighed by its
        own.
        """
        return self._leverage

    @property
    def leverage_by_venue(self) -> dict[str, LeverageProfile]:
        """Tiers and shares that weigh the layers of each venue."""
        return {part.name: part.leverage for part in self._venues.parts}

    @property
    def staleness(self) -> NDArray[np.int64]:
        """
        From each venue's last event to the end of each column (in an unfinished column to the last event of any venue),
        ns, shape (venues, columns); the largest int64 where it had none yet.
        """
        return self._venues.staleness(self._ends)

    @property
    def stale(self) -> NDArray[np.bool_]:
        """Where a venue's last event was longer than a column ago, so that it shows what was last known, or, after
        `stale_after`, nothing: shape (venues, columns)."""
        return self.staleness > self.window_ns

    @property
    def _ends(self) -> NDArray[np.int64]:
        """The last window of each column."""
        return self._view.first + self._starts[1:].astype(np.int64) - 1

    def _weights(self) -> tuple[list[Any], list[Any]]:
        kept = [self._venues.weights(part, self._view.tiers) for part in self._venues.parts]
        none = [[0.0] * len(weights) for weights in kept]
        return (none if self._view.side == "short" else kept, none if self._view.side == "long" else kept)

    def _seen(self, view: _View) -> MergedHeatmap:
        return MergedHeatmap(self._venues, view=view, meta=self.meta)

    def _of_venues(self, venues: list[str]) -> MergedHeatmap:
        return self._over(self._venues.only(self._named(venues)))

    def _over(self, venues: Venues) -> MergedHeatmap:
        """The same view of other venues, or of the same in other weights."""
        said = _describe(self._venues)
        added = {key: value for key, value in self.meta.items() if key not in said or said[key] != value}
        return MergedHeatmap(venues, view=self._view, meta=_describe(venues) | added)

    def reweigh(
        self, leverage: LeverageProfile | Mapping[float, float] | Mapping[str, LeverageProfile | Mapping[float, float]]
    ) -> MergedHeatmap:
        """
        Return it at other shares of the same tiers, without another pass.

        Parameters
        ----------
        leverage : LeverageProfile, mapping of tier to share, or mapping of venue to one of these
            One profile goes for all venues; a venue that lacks a tier shares its part out over the rest, as
            `liqcore.heatmap` does with leverage that a venue does not offer. By venue, those not named stay as they
            are.

        Raises
        ------
        InvalidConfigError
            If a venue or a tier is not among those there are, or a venue is left without any tier.
        """
        by_venue: dict[str, Any] = {}
        if isinstance(leverage, Mapping) and any(isinstance(name, str) for name in leverage):
            by_venue = {str(name): as_profile(cast(Any, profile)) for name, profile in leverage.items()}
            self._named(list(by_venue))
        else:
            by_venue = dict.fromkeys(self.venues, as_profile(cast(Any, leverage)))
            for tier in by_venue[self.venues[0]].to_dict():
                if tier not in self._venues.tiers:
                    raise InvalidConfigError(
                        f"leverage must be among the tiers {list(self._venues.tiers)}, was {tier:g}"
                    )
        parts = []
        for part in self._venues.parts:
            if (profile := by_venue.get(part.name)) is not None:
                shares = {tier: profile.to_dict().get(tier, 0.0) for tier in part.tiers}
                total = sum(shares.values())
                if not total:
                    raise InvalidConfigError(
                        f"leverage must leave {part.name} one of its tiers {part.tiers}, was {profile.to_dict()}"
                    )
                shares = {tier: share / total for tier, share in shares.items()}
                part = _reweighed(part, LeverageProfile(shares, intensity=profile.intensity))
            parts.append(part)
        return self._over(replace(self._venues, parts=tuple(parts)))

    def map(self, ts: Time | None = None) -> LiquidationMap:
        """
        Return the liquidation map, as `Heatmap.map`; its ``venues`` are the maps of each venue by name, with the same
        tiers and bins, which sum to it.
        """
        total = super().map(ts)
        if len(self.venues) == 1:
            return total
        whole = self._seen(replace(self._view, threshold=None))
        shown = (total.long + total.short).any(axis=0)  # a threshold hides rows of the sum
        venues = {}
        for name in self.venues:
            part = whole._of_venues([name]).map(ts)
            venues[name] = replace(part, long=part.long * shown, short=part.short * shown)
        return replace(total, venues=venues)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Save it as one Parquet file: the windows of every venue, the view and all metadata (docs/reference/archive.md).

        `load_heatmap` gives the same heatmap back, bit for bit. The file appears whole or not at all.
        """
        venues = self._venues
        clock = {each.name: getattr(venues, each.name) for each in fields(venues) if each.name != "parts"}
        header = {"clock": clock, "view": asdict(self._view), "meta": self.meta}
        return write_archives(path, ARCHIVE_KEY, header, {p.name: (p.history, p.leverage) for p in venues.parts})

    def _stale_notes(self) -> list[str]:
        """What a picture must say of venues that are stale in the last column."""
        out = []
        age = self.staleness[:, -1]
        for name, is_stale, ns in zip(self.venues, self.stale[:, -1], age.tolist(), strict=True):
            if is_stale:
                limit = self._venues.stale_after_ns
                kept = "left out" if limit is not None and ns > limit else "as last known"
                out.append(f"{name} {kept}, " + ("no event yet" if ns == UNLIMITED else f"{_ago(ns)} old"))
        return out


def _ago(ns: int) -> str:
    """A length of time to the second."""
    return format_duration(max(ns // 1_000_000_000, 1) * 1_000_000_000)


def _reweighed(part: _Venue, leverage: LeverageProfile) -> _Venue:
    told = {"leverage": _shares(leverage), "intensity": leverage.intensity}
    return replace(part, leverage=leverage, meta=part.meta | told)


def _shares(leverage: LeverageProfile) -> dict[str, float]:
    return {f"{tier:g}": share for tier, share in leverage.to_dict().items()}


def _describe(venues: Venues) -> dict[str, Any]:
    """What a merged heatmap says of itself: what its venues have in common, and each one's own metadata."""
    own = [part.meta for part in venues.parts]

    def joined(key: str) -> str:
        return " + ".join(dict.fromkeys(str(meta[key]) for meta in own if meta.get(key)))

    common = all(part.leverage == venues.parts[0].leverage for part in venues.parts)
    return {
        "symbol": joined("symbol"),
        "venue": " + ".join(part.name for part in venues.parts),
        "model": joined("model"),
        "meaning": joined("meaning"),
        "trigger": joined("trigger"),
        "window": format_duration(venues.window_ns),
        "leverage": _shares(venues.parts[0].leverage) if common else {},
        "intensity": venues.leverage.intensity,
        "price_from": venues.price_from,
        "stale_after_ns": venues.stale_after_ns,
        "venues": {part.name: part.meta for part in venues.parts},
        "inexact": any(meta.get("inexact") for meta in own),
        "sequential": any(meta.get("sequential") for meta in own),
        "synthetic": any(meta.get("synthetic") for meta in own),
        "version": _core.__version__,
    }


def restore(header: dict[str, Any], parts: list[Part], view: _View) -> MergedHeatmap:
    """The merged heatmap that a file holds."""
    meta = header["meta"]
    venues = [
        _Venue(described["name"], history, leverage, meta["venues"][described["name"]])
        for described, (history, leverage) in zip(header["venues"], parts, strict=True)
    ]
    clock = header["clock"] | {"tiers": tuple(header["clock"]["tiers"])}
    return MergedHeatmap(Venues(tuple(venues), **clock), view=view, meta=meta)


def merge_venues(
    heatmaps: Sequence[Heatmap] | Mapping[str, Heatmap],
    *,
    step: float | None = None,
    price_from: str | None = None,
    stale_after: Length | None = None,
) -> MergedHeatmap:
    """
    Sum the heatmaps of one underlying on several venues, each on its own terms, on one clock and one price axis.

    Nothing is computed anew: every venue keeps its ticks, contract, margin terms, leverage profile and book. In USD the
    venues sum whatever their contracts; totals are those of the venues, exactly. Columns run from the first that any
    of the heatmaps shows to the last. A whole history is copied only where it is shorter than that.

    Parameters
    ----------
    heatmaps : sequence of Heatmap, or mapping of names to Heatmap
        Of one venue each, not selected from (but for `last`). The names are those of the venues unless given, and
        must differ.
    step : float, optional
        Height of the rows, price: a multiple of the widest book's bins. By default the highest of the heatmaps' rows,
        rounded up to such a multiple. A bin of a finer book that straddles an edge goes where its mid price lies.
    price_from : str, optional
        The venue whose candles and prices are shown; by default the one with the largest traded notional over the
        whole span (inverse: contracts x multiplier; linear: quantity x the window's last price). Name it where that
        must not depend on how far the data reaches.
    stale_after : duration, optional
        Leave a venue out of a column where its last event was longer ago than this at the column's end. By default it
        stays as last known. Either way `MergedHeatmap.stale` and `staleness`, the metadata and pictures say so.

    Returns
    -------
    MergedHeatmap
        Columns are as long as the longest of the heatmaps', rows `step` high; the unit is USD, or quantity if all
        heatmaps show that.

    Warns
    -----
    UserWarning
        If a venue begins later or ends earlier than the others by a column or more, or the venues' levels do not mean
        the same.

    Raises
    ------
    InvalidConfigError
        If names are missing or the same, a heatmap is a selection or itself merged, windows do not divide one another,
        prices at the same time are not within a factor of two, quantities count different things, or an argument
        breaks its rule.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
    >>> hm = lq.heatmap(trades=market.trades)
    >>> both = lq.merge_venues({"one": hm, "two": hm})
    >>> both.venues, bool((both.select(venues="one").long + both.select(venues="two").long == both.long).all())
    (('one', 'two'), True)
    """
    named = _names(heatmaps)
    for name, heatmap in named.items():
        _check_whole(name, heatmap)
    windows = {name: heatmap._history.window_ns for name, heatmap in named.items()}
    window_ns, column_ns = math.lcm(*windows.values()), max(heatmap.window_ns for heatmap in named.values())
    if column_ns % window_ns:
        listed = ", ".join(f"{name} {format_duration(ns)}" for name, ns in windows.items())
        raise InvalidConfigError(
            f"heatmaps must have windows that divide the longest column ({format_duration(column_ns)}), were {listed}: "
            f'rebin(window="{format_duration(window_ns)}") one of them first'
        )
    starts = {name: int(heatmap._history.times()[0]) for name, heatmap in named.items()}
    ends = {name: heatmap._history.segment(-1).end_ns for name, heatmap in named.items()}
    kept = [starts[name] for name, heatmap in named.items() if not heatmap._history.whole]
    # What an engine with `keep` folded away cannot be split: the clock begins where all of the book is at hand.
    first_ns = max([min(starts.values()) // window_ns * window_ns, *(-(-ns // window_ns) * window_ns for ns in kept)])
    end_ns = -(-max(ends.values()) // window_ns) * window_ns
    if end_ns <= first_ns:
        raise InvalidConfigError("heatmaps must overlap where an engine kept only its last windows, did not")
    parts = tuple(
        _Venue(name, _cover(heatmap._history, first_ns, end_ns), heatmap.leverage, _meta_of(heatmap))
        for name, heatmap in named.items()
    )
    widest = max(parts, key=lambda part: part.bin_width)
    at_end = [name for name in named if ends[name] > end_ns - window_ns]
    venues = Venues(
        parts=parts,
        tiers=tuple(sorted({tier for part in parts for tier in part.tiers})),
        first_ns=first_ns,
        window_ns=window_ns,
        windows=(end_ns - first_ns) // window_ns,
        complete=all(ends[name] >= end_ns and named[name]._last_complete for name in at_end),
        now_ns=max(int(part.last_events[-1]) for part in parts),
        tick_size=widest.history.tick_size,
        ticks_per_bin=widest.history.ticks_per_bin,
        price_from="",
        stale_after_ns=None if stale_after is None else parse_duration(stale_after, name="stale_after"),
    )
    _check_prices(venues)
    if price_from is not None and price_from not in named:
        raise InvalidConfigError(f"price_from must be among {list(named)}, was {price_from!r}")
    venues = replace(venues, price_from=price_from or venues.largest(parts))

    shown_ns = max(min(int(heatmap.times[0]) for heatmap in named.values()), first_ns)
    first = (shown_ns - first_ns) // window_ns
    highest = max(Fraction(repr(heatmap.step)) for heatmap in named.values())
    bins_per_row = -(-highest // venues.bin_width) if step is None else _bins_per_row(venues, step)
    low, end = _extent(venues, first, bins_per_row)
    view = _View(
        first=first,
        count=len(venues) - first,
        side="both",
        tiers=(True,) * len(venues.tiers),
        first_bin=low * bins_per_row,
        rows=end - low,
        bins_per_row=bins_per_row,
        threshold=None,
        unit="quantity" if all(heatmap.unit == "quantity" for heatmap in named.values()) else "usd",
        column_ns=0 if column_ns == window_ns else column_ns,
    )
    notes = _notes(venues, starts, ends, shown_ns, column_ns)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return MergedHeatmap(venues, view=view, meta=_describe(venues) | {"notes": notes})


def _names(heatmaps: Sequence[Heatmap] | Mapping[str, Heatmap]) -> dict[str, Heatmap]:
    if isinstance(heatmaps, Mapping):
        named = list(heatmaps.items())
    else:
        named = [(str(heatmap.meta.get("venue") or ""), heatmap) for heatmap in heatmaps]
    if not named:
        raise InvalidConfigError("heatmaps must be at least one, were none")
    out: dict[str, Heatmap] = {}
    for name, heatmap in named:
        if not isinstance(heatmap, Heatmap):
            raise TypeError(f"heatmaps must be Heatmap objects, one was {type(heatmap).__name__}")
        if not name or name in out:
            found = f"{name!r} was twice" if name else "one has none"
            raise InvalidConfigError(
                f"heatmaps must have different venue names, {found}: give venue= when making them, or a mapping of "
                "names to heatmaps"
            )
        out[name] = heatmap
    return out


def _check_whole(name: str, heatmap: Heatmap) -> None:
    """Refuse what a sum would not show."""
    if isinstance(heatmap, MergedHeatmap):
        raise InvalidConfigError(f"heatmaps must be of one venue each, {name} is merged: merge all at once")
    if not len(heatmap.times):
        raise InvalidConfigError(f"heatmaps must have at least one column, {name} has none")
    view = heatmap._view
    selected = {
        "side": view.side != "both",
        "leverage": not all(view.tiers),
        "threshold": view.threshold is not None,
        "opened_within": bool(view.opened_within),
    }
    if chosen := [argument for argument, is_chosen in selected.items() if is_chosen]:
        raise InvalidConfigError(
            f"heatmaps must not be selected by {', '.join(chosen)} before they are merged, {name} was: select from the "
            "result"
        )


def _meta_of(heatmap: Heatmap) -> dict[str, Any]:
    """What a venue says of itself in the metadata of the sum: its own, with the span of its data."""
    last = heatmap._history.segment(-1).last_ns
    return heatmap.meta | {
        "first_ns": int(heatmap._history.times()[0]),
        "last_event_ns": last,
        "book_step": heatmap.book_step,
    }


def _cover(history: _core.History, first_ns: int, end_ns: int) -> _core.History:
    """A history with empty windows before and after it, so that it holds all from `first_ns` to `end_ns`."""
    start = int(history.times()[0])
    begin = min(start, first_ns)
    if begin == start and history.segment(-1).end_ns == end_ns:
        return history
    windows = (end_ns - begin) // history.window_ns
    return _core.History.from_rows(**history.terms, first_ns=begin, windows=windows, columns=history.to_rows())


def _bins_per_row(venues: Venues, step: float) -> int:
    rows = Fraction(repr(float(step))) / venues.bin_width if step > 0 and math.isfinite(step) else Fraction(0)
    if rows.denominator != 1 or rows < 1:
        raise InvalidConfigError(
            f"step must be a multiple of the widest book's bins ({float(venues.bin_width):g}), was {step:g}"
        )
    return rows.numerator


def _extent(venues: Venues, first: int, bins_per_row: int) -> tuple[int, int]:
    """First row, and one past the last, that any venue has something in."""
    everything = (True,) * len(venues.tiers)
    found = []
    for part in venues.parts:
        weights = venues.weights(part, everything)
        first_column, columns = venues.windows_of(part, first, len(venues) - first)
        low, high = part.history.extent(
            long_weights=weights, short_weights=weights, first_column=first_column, columns=columns
        )
        if high > low:
            found += [part.row(bin_, bins_per_row * venues.bin_width) for bin_ in (low, high - 1)]
    return (min(found), max(found) + 1) if found else (0, 0)


def _check_prices(venues: Venues) -> None:
    """Refuse venues whose prices cannot be of one underlying: twofold apart in the same window."""
    first = venues.parts[0]
    closes = venues.candles(first.name)[:, 3]
    for part in venues.parts[1:]:
        others = venues.candles(part.name)[:, 3]
        common = np.flatnonzero(np.isfinite(closes) & np.isfinite(others))
        if len(common) and not 0.5 < others[common[0]] / closes[common[0]] < 2.0:
            raise InvalidConfigError(
                f"heatmaps must be of one underlying: at {iso(int(venues.times()[common[0]]))} {first.name} traded at "
                f"{closes[common[0]]:g}, {part.name} at {others[common[0]]:g}"
            )


def _notes(
    venues: Venues, starts: Mapping[str, int], ends: Mapping[str, int], shown_ns: int, column_ns: int
) -> list[str]:
    """What whoever reads the sum should know of its parts."""
    notes = []
    limit = venues.stale_after_ns
    end_ns = venues.first_ns + len(venues) * venues.window_ns
    for name, start in starts.items():
        if start >= shown_ns + column_ns:
            notes.append(f"{name} begins at {iso(start)}: the columns before show nothing of it")
    for name, end in ends.items():
        if end <= end_ns - column_ns:
            then = "is kept as last known: stale_after= leaves it out"
            if limit is not None:
                then = f"is left out {format_duration(limit)} after its last event"
            notes.append(f"{name} ends at {iso(end)}, before the last column: it {then}")
    for key in ("meaning", "trigger"):
        said = {part.name: part.meta.get(key) for part in venues.parts}
        if len(set(said.values())) > 1:
            listed = ", ".join(f"{name} {value}" for name, value in said.items())
            notes.append(f"the venues' {key} differs: {listed}")
    return notes
