"""Several venues as one: their books, each folded on its own terms, summed on one clock and one price grid."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._core import LeverageProfile
from ..errors import InvalidConfigError
from ..tables.archive import Part, write_archives
from .candles import CANDLE, join_candles
from .histories import Cells, Sides
from .one import NEVER, OneHistory, check_tiers, since_in
from .scales import Scales

UNLIMITED = np.iinfo(np.int64).max
_MOST_RATIO = 1 << 38  # of bins of two venues: a row's number times it is held in 64 bits

Index = TypeVar("Index", int, NDArray[np.int64])


@dataclass(eq=False, kw_only=True)
class Venue(OneHistory):
    """One venue's history, long enough for the common clock, its name and what it says of itself."""

    name: str
    meta: dict[str, Any]

    @cached_property
    def terms(self) -> dict[str, Any]:
        return dict(self.history.terms)

    def _said(self) -> Mapping[str, Any] | None:
        return self.meta.get("instrument")

    @cached_property
    def bin_width(self) -> Fraction:
        """Of its book, price; exact, as the decimals of the tick say."""
        return self.ticks_per_bin * Fraction(repr(self.tick_size))

    @cached_property
    def last_events(self) -> NDArray[np.int64]:
        """Time of the last event up to the end of each of its windows; the smallest int64 before the first."""
        times = (self.segment(i).last_ns for i in range(len(self)))
        return np.array([NEVER if time is None else time for time in times], np.int64)

    @cached_property
    def bars(self) -> NDArray[np.float64]:
        """Its candles, read once."""
        return self.candles()

    @cached_property
    def notional(self) -> float:
        """Traded over all of its windows, USD."""
        price = 1.0 if self.terms["contract"] == "inverse" else self.bars[:, 3]
        return float(np.nansum((self.bars[:, 4] + self.bars[:, 5]) * price) * self.terms["multiplier"])

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

    def reweighed(self, leverage: LeverageProfile, /) -> Self:
        """A tier that it lacks shares its part out over the rest."""
        given = leverage.to_dict()
        shares = {tier: given.get(tier, 0.0) for tier in self.tiers}
        total = sum(shares.values())
        if not total:
            raise InvalidConfigError(f"leverage must leave {self.name} one of its tiers {self.tiers}, was {given}")
        own = LeverageProfile({tier: share / total for tier, share in shares.items()}, intensity=leverage.intensity)
        told = {"leverage": said_of(own), "intensity": own.intensity}
        return replace(self, leverage=own, meta=self.meta | told)


@dataclass(frozen=True, slots=True)
class CommonWindow:
    """A window of the common clock, over all venues."""

    venues: Venues
    i: int

    @property
    def start_ns(self) -> int:
        return self.venues.first_ns + self.i * self.venues.window_ns

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.venues.window_ns

    @property
    def last_ns(self) -> int | None:
        parts = self.venues.parts
        last = max(int(part.last_events[self.venues.last_window(part, self.i)]) for part in parts)
        return None if last == NEVER else last

    @property
    def open_interest(self) -> float:
        self.venues.check_counts("open_interest")
        parts = self.venues.parts
        return sum(part.segment(self.venues.last_window(part, self.i)).open_interest for part in parts)

    def touched(self, side: str) -> list[tuple[int, None]]:
        """The bins of the common grid at and beyond which some venue's price consumed that venue's levels."""
        found = []
        for part in self.venues.parts:
            first, count = self.venues.windows_of(part, self.i, 1)
            for window in range(first, first + count):
                bins = (bin_ for bin_, _ in part.segment(window).touched(side))
                found += [(part.row(bin_, self.venues.bin_width), None) for bin_ in bins]
        return found


@dataclass(frozen=True)
class Venues:
    """
    The histories of several venues as one, `Histories`: what each of them answers, summed.

    Windows are those of the common clock; bins are as wide as the widest book's, and a narrower bin that straddles an
    edge belongs where its mid price lies. Each venue weighs by its own profile. One whose last event is older than
    `stale_after_ns` adds nothing; nor does, with `drop_ended`, one whose data has ended, from the next window on.
    """

    parts: tuple[Venue, ...]
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
    drop_ended: bool = False

    @classmethod
    def from_saved(cls, header: Mapping[str, Any], parts: Sequence[Part]) -> Self:
        """Return what `save` wrote, from the file's header and histories."""
        told = header["meta"]["venues"]
        names = [described["name"] for described in header["venues"]]
        scales = {name: Scales.from_plain(said) for name, said in header.get("scales", {}).items()}
        venues = (
            Venue(history=history, leverage=leverage, name=name, meta=told[name], scales=scales.get(name))
            for name, (history, leverage) in zip(names, parts, strict=True)
        )
        clock = header["clock"]
        common = cls(tuple(venues), **{**clock, "tiers": tuple(clock["tiers"])})
        common._check()
        return common

    def _check(self) -> None:
        """Refuse with a ValueError a clock that is not that of its venues."""
        stale = 1 if self.stale_after_ns is None else self.stale_after_ns
        for name, value, least in (
            ("first_ns", self.first_ns, 0),
            ("window_ns", self.window_ns, 1),
            ("windows", self.windows, 0),
            ("stale_after_ns", stale, 1),
            ("now_ns", self.now_ns, NEVER),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 1 << 63:
                raise ValueError(f"{name} of the clock must be a whole number of at least {least}, was {value!r}")
        for name, value in (("complete", self.complete), ("drop_ended", self.drop_ended)):
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false, was {value!r}")
        if not self.parts or list(self.tiers) != sorted({tier for part in self.parts for tier in part.tiers}):
            raise ValueError(f"tiers of the clock must be those of its venues, were {list(self.tiers)!r}")
        if (self.tick_size, self.ticks_per_bin) not in [(part.tick_size, part.ticks_per_bin) for part in self.parts]:
            raise ValueError(f"the clock must have the bins of a venue, had {self.ticks_per_bin!r} ticks")
        for part in self.parts:
            ratio = self.bin_width / part.bin_width
            if max(ratio.numerator, ratio.denominator) > _MOST_RATIO:
                raise ValueError(
                    f"the bins of venues must be in a ratio of numbers up to 2^38, that of {part.name!r} is not"
                )
        if self.price_from not in [part.name for part in self.parts]:
            raise ValueError(f"price_from must name a venue, was {self.price_from!r}")
        for part in self.parts:
            before, rest = divmod(self.first_ns - part.first_ns, part.window_ns)
            windows = self.windows * self.window_ns // part.window_ns
            if rest or before < 0 or self.window_ns % part.window_ns or before + windows > len(part):
                raise ValueError(f"the windows of {part.name} must make up those of the clock, do not")

    def __len__(self) -> int:
        return self.windows

    # --- how the venues' own windows, bins and tiers lie ---

    def windows_of(self, part: Venue, first: int, count: int) -> tuple[int, int]:
        """First and number of a venue's own windows in some of the clock's."""
        before = (self.first_ns - part.first_ns) // part.window_ns
        each = self._each(part)
        return before + first * each, count * each

    def last_window(self, part: Venue, i: Index) -> Index:
        """The last of a venue's own windows in window i of the clock."""
        first, _ = self.windows_of(part, 0, 0)
        return first + (i + 1) * self._each(part) - 1

    def _each(self, part: Venue) -> int:
        """How many of a venue's own windows make one of the clock's."""
        return self.window_ns // part.window_ns

    @cached_property
    def bin_width(self) -> Fraction:
        return self.ticks_per_bin * Fraction(repr(self.tick_size))

    def _own(self, part: Venue, cells: Cells) -> Cells:
        """The same cells in a venue's own tiers, windows and bins."""
        counts = dict(zip(self.tiers, cells.tiers, strict=True))
        own = replace(
            cells,
            tiers=tuple(counts[tier] for tier in part.tiers),
            opened_within=cells.opened_within * self._each(part),
            column_ns=cells.column_ns or self.window_ns,
        )
        ratio = self.bin_width / part.bin_width
        if ratio.denominator == 1:
            wide = ratio.numerator
            return replace(own, first_bin=cells.first_bin * wide, bins_per_row=cells.bins_per_row * wide)
        rows = cells.first_bin + cells.bins_per_row * np.arange(cells.rows + 1, dtype=np.int64)
        return replace(own, first_bin=0, bins_per_row=1, edges=part.edges(rows, self.bin_width).tolist())

    # --- how old what they say is ---

    def staleness(self, i: NDArray[np.int64]) -> NDArray[np.int64]:
        """From each venue's last event to the end of windows i (now, in an unfinished one), ns: (venues, len(i))."""
        last = np.stack([part.last_events[self.last_window(part, i)] for part in self.parts])
        clock = np.broadcast_to(self.first_ns + (i + 1) * self.window_ns, last.shape).copy()
        if not self.complete:
            clock[:, i == self.windows - 1] = self.now_ns
        return np.where(last == NEVER, UNLIMITED, clock - np.where(last == NEVER, 0, last))

    @cached_property
    def ended(self) -> dict[str, int]:
        """The last event of each venue whose data ends a whole window before that of the others, ns, by name."""
        last = {part.name: int(part.last_events[-1]) for part in self.parts}
        return {name: ns for name, ns in last.items() if NEVER < ns < self.now_ns - self.window_ns}

    def _left_out(self, i: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which venues add nothing at the end of windows i: (venues, len(i))."""
        out = np.zeros((len(self.parts), len(i)), np.bool_)
        if self.stale_after_ns is not None:
            out |= self.staleness(i) > self.stale_after_ns
        if self.drop_ended:
            starts = self.first_ns + i * self.window_ns
            for part, left_out in zip(self.parts, out, strict=True):
                left_out |= starts > self.ended.get(part.name, UNLIMITED)
        return out

    # --- what a heatmap asks ---

    @property
    def whole(self) -> bool:
        return all(part.whole for part in self.parts)

    def times(self) -> NDArray[np.int64]:
        return self.first_ns + self.window_ns * np.arange(self.windows, dtype=np.int64)

    def candles(self, name: str | None = None) -> NDArray[np.float64]:
        """Candles of one venue, the reference unless named, in its own units."""
        part = next(part for part in self.parts if part.name == (name or self.price_from))
        first, count = self.windows_of(part, 0, self.windows)
        own = part.bars[first : first + count]
        each = self._each(part)
        if each == 1:
            return own
        rows = own.view(CANDLE).reshape(-1)
        return join_candles(rows, np.arange(0, count + 1, each)).view(np.float64).reshape(-1, len(CANDLE.names or ()))

    def segment(self, i: int) -> CommonWindow:
        return CommonWindow(self, range(self.windows)[i])

    def extent(self, first: int, count: int, bins_per_row: int) -> tuple[int, int]:
        found = []
        for part in self.parts:
            low, high = part.extent(*self.windows_of(part, first, count), 1)
            if high > low:
                found += [part.row(bin_, bins_per_row * self.bin_width) for bin_ in (low, high - 1)]
        return (min(found), max(found) + 1) if found else (0, 0)

    def columns(self, cells: Cells, first: int, count: int, *, liquidated: bool = False) -> Sides:
        left_out = self._left_out(self._column_ends(first, count, cells.column_ns))
        answers = self._columns_of_each(cells, first, count, liquidated, left_out)
        longs, shorts = next(answers)
        for long, short in answers:
            longs += long
            shorts += short
        return longs, shorts

    def _columns_of_each(
        self, cells: Cells, first: int, count: int, liquidated: bool, left_out: NDArray[np.bool_]
    ) -> Iterator[Sides]:
        for part, is_left_out in zip(self.parts, left_out, strict=True):
            sides = part.columns(self._own(part, cells), *self.windows_of(part, first, count), liquidated=liquidated)
            if not liquidated:  # what was liquidated in a column was, however long ago
                for side in sides:
                    side[is_left_out] = 0
            yield sides

    def _column_ends(self, first: int, count: int, column_ns: int) -> NDArray[np.int64]:
        """The last window of each column."""
        windows = np.arange(first, first + count, dtype=np.int64)
        columns = (self.first_ns + windows * self.window_ns) // (column_ns or self.window_ns)
        return windows[np.append(np.diff(columns) != 0, True)] if count else windows

    def layers(self, cells: Cells, i: int) -> NDArray[np.float64]:
        def ask(part: Venue, own: Cells, last: int) -> NDArray[np.float64]:
            out = np.zeros((2, len(self.tiers), cells.rows))
            out[:, [self.tiers.index(tier) for tier in part.tiers]] = part.layers(own, last)
            return out

        return self._sum_at(cells, i, (2, len(self.tiers), cells.rows), ask)

    def age(self, cells: Cells, i: int, windows: Sequence[int]) -> NDArray[np.float64]:
        def ask(part: Venue, own: Cells, last: int) -> NDArray[np.float64]:
            return part.age(own, last, [count * self._each(part) for count in windows])

        return self._sum_at(cells, i, (len(windows), 2, cells.rows), ask)

    def _sum_at(
        self, cells: Cells, i: int, shape: tuple[int, ...], ask: Callable[[Venue, Cells, int], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Sum over venues what `ask(venue, its own cells, its own window)` answers at the end of window i."""
        total = np.zeros(shape)
        left_out = self._left_out(np.array([i]))[:, 0]
        for part, is_left_out in zip(self.parts, left_out, strict=True):
            if not is_left_out:
                total += ask(part, self._own(part, cells), self.last_window(part, i))
        return total

    def since(self, cells: Cells, first: int, count: int, threshold: float) -> NDArray[np.int64]:
        column_ns = cells.column_ns or self.window_ns
        ends = self._column_ends(first, count, column_ns)
        starts = (self.first_ns + ends * self.window_ns) // column_ns * column_ns
        return since_in(self.columns(cells, first, count), starts, threshold)

    def check_value(self, value: str) -> None:
        for part in self.parts:
            part.check_value(value)

    def check_unit(self, unit: str) -> None:
        if unit == "quantity":
            self.check_counts("unit")

    def check_counts(self, name: str) -> None:
        """Refuse sums of quantities that count different things."""
        if len({part.counts for part in self.parts}) > 1:
            counted = ", ".join(f"{part.name} {part.counts}" for part in self.parts)
            raise InvalidConfigError(f"{name} must not sum quantities that count different things ({counted}): use usd")

    @cached_property
    def leverage(self) -> LeverageProfile:
        """The venues' profile where they have one in common, otherwise the mean of their weights: nothing is weighed
        by that."""
        first = self.parts[0].leverage
        if self.leverage_in_common and len(first) == len(self.tiers):
            return first
        sums = dict.fromkeys(self.tiers, 0.0)
        for part in self.parts:
            for tier, weight in zip(part.tiers, part.leverage.weights.tolist(), strict=True):
                sums[tier] += weight
        total = sum(sums.values())
        shares = {tier: weight / total for tier, weight in sums.items()}
        return LeverageProfile(shares, intensity=total / len(self.parts))

    @property
    def leverage_in_common(self) -> bool:
        """Whether all venues have one profile."""
        return all(part.leverage == self.parts[0].leverage for part in self.parts)

    def save(self, path: str | os.PathLike[str], key: str, said: Mapping[str, Any]) -> Path:
        clock = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "parts"}
        parts = {part.name: (part.history, part.leverage) for part in self.parts}
        scales = {part.name: part.scales.to_plain() for part in self.parts if part.scales is not None}
        return write_archives(path, key, {"clock": clock, **said, **({"scales": scales} if scales else {})}, parts)

    # --- parts of it, and other weights ---

    def only(self, names: Sequence[str]) -> Self:
        """The same with some of the venues, in their order."""
        parts = tuple(part for part in self.parts if part.name in names)
        kept = self.price_from in names
        return replace(self, parts=parts, price_from=self.price_from if kept else self.largest(parts))

    def largest(self, parts: Iterable[Venue]) -> str:
        """The venue with the largest traded notional; the first of equals."""
        return max(parts, key=lambda part: part.notional).name

    def reweighed(self, leverage: LeverageProfile | Mapping[str, LeverageProfile], /) -> Self:
        """One profile goes for all venues; by name, those not named stay as they are."""
        if isinstance(leverage, LeverageProfile):
            check_tiers(leverage.to_dict(), self.tiers)
            leverage = {part.name: leverage for part in self.parts}
        parts = (part.reweighed(leverage[part.name]) if part.name in leverage else part for part in self.parts)
        return replace(self, parts=tuple(parts))


def said_of(leverage: LeverageProfile) -> dict[str, float]:
    """What metadata say of a profile: its shares by tier."""
    return {f"{tier:g}": share for tier, share in leverage.to_dict().items()}
