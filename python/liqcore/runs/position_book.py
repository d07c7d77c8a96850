"""From snapshots of positions to a history: levels as each snapshot has them, consumed by the price until the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import Instrument
from ..sources.candles import Candles
from ..sources.positions import Positions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ADDED, LIQUIDATED, TOUCHED, SCALE, OPEN, LAST_EVENT, OPENED, LIVE, ACCOUNT_LIQUIDATED, UNRESOLVED = (
    1, 2, 3, 4, 5, 11, 14, 15, 16, 20,
)  # fmt: skip
BASE = 0
"""Kinds of rows of an archive (docs/reference/archive.md)."""


class Levels(NamedTuple):
    """Lots by side (0 long, 1 short), tier and book bin, in this order."""

    side: Ints
    tier: Ints
    bin: Ints
    lots: Floats

    def where(self, some: NDArray[np.bool_]) -> Levels:
        """Return some of them."""
        return Levels(self.side[some], self.tier[some], self.bin[some], self.lots[some])


@dataclass(frozen=True, slots=True)
class Grid:
    """
    Where levels are put.

    Attributes
    ----------
    step : float
        Height of a book bin, price.
    lot : float
        Quantity of a lot.
    tiers : ndarray of float64
        Leverage of each layer, rising.
    """

    step: float
    lot: float
    tiers: Floats

    def bins(self, price: Floats) -> Ints:
        """Return the bins that prices lie in."""
        return np.floor(price / self.step + 1e-9).astype(np.int64)

    def levels(self, found: Positions) -> Levels:
        """
        Put the positions of one snapshot into bins, whole lots.

        What stands for a bin of its own is spread evenly over the book's bins within that; lots that are left over go
        to the lowest of these.
        """
        half = found.width / 2.0 * np.where(np.isfinite(found.price), found.price, found.level)
        low = self.bins(np.maximum(found.level - half, self.step / 2))
        high = np.maximum(self.bins(np.maximum(found.level + half, self.step / 2) - 1e-6 * self.step), low)
        count = high - low + 1 if found.width else np.ones(len(found), np.int64)
        low = low if found.width else self.bins(found.level)
        lots = np.rint(found.quantity / self.lot)
        row = np.repeat(np.arange(len(found)), count)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        each = np.floor(lots / count)
        share = each[row] + np.where(offset == 0, (lots - each * count)[row], 0.0)
        side = np.where(found.is_long, 0, 1)[row]
        tier = self.tier(found.leverage)[row]
        return _summed(side, tier, low[row] + offset, share)

    def tier(self, leverage: Floats) -> Ints:
        """Return the layer next to each leverage, by ratio; the lowest where it is not told."""
        known = np.log(np.where(leverage >= 1, leverage, self.tiers[0]))
        return np.asarray(np.abs(known[:, None] - np.log(self.tiers)[None, :]).argmin(axis=1), dtype=np.int64)


def _summed(side: Ints, tier: Ints, bin_: Ints, lots: Floats) -> Levels:
    """Sum lots of the same side, tier and bin."""
    if not len(lots):
        return Levels(side.astype(np.int64), tier.astype(np.int64), bin_.astype(np.int64), lots)
    order = np.lexsort((bin_, tier, side))
    keys = np.stack([side[order], tier[order], bin_[order]])
    new = np.concatenate(([True], (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
    sums = np.add.reduceat(lots[order], np.flatnonzero(new))
    side, tier, bin_ = keys[:, new]
    return Levels(side, tier, bin_, sums).where(sums > 0)


@dataclass(slots=True)
class Rows:
    """Rows of an archive, gathered in order of windows."""

    parts: list[tuple[int, int, Ints, Ints, Ints, Floats]] = field(default_factory=list)

    def add(self, time: int, kind: int, levels: Levels) -> None:
        """Add cells."""
        if len(levels.lots):
            self.parts.append((time, kind, *levels))

    def say(self, time: int, kind: int, value: float, *, side: int = -1, tier: int = -1, bin_: int = -1) -> None:
        """Add one row."""
        one, other, last = (np.array([number], np.int64) for number in (side, tier, bin_))
        self.parts.append((time, kind, one, other, last, np.array([float(value)])))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return them as `History.from_rows` takes them."""
        sizes = [len(part[5]) for part in self.parts]
        by: dict[str, NDArray[Any]] = {
            "time": np.repeat(np.array([part[0] for part in self.parts], np.int64), sizes),
            "kind": np.repeat(np.array([part[1] for part in self.parts], np.uint8), sizes),
            "side": np.concatenate([part[2] for part in self.parts]).astype(np.int8),
            "tier": np.concatenate([part[3] for part in self.parts]).astype(np.int16),
            "bin": np.concatenate([part[4] for part in self.parts]).astype(np.int32),
            "value": np.concatenate([part[5] for part in self.parts]),
        }
        order = np.lexsort((by["bin"], by["tier"], by["side"], by["kind"], by["time"]))
        return {name: column[order] for name, column in by.items()}


class Book:
    """
    Makes the windows of a market from snapshots and candles.

    A candle acts at its end, and only on the levels of a snapshot that was known when it began. Of several snapshots in
    one window the last stays. Levels that the price had reached when a snapshot was known are unresolved.
    """

    def __init__(self, found: Positions, candles: Candles | None, instrument: Instrument, grid: Grid, window_ns: int):
        self._grid, self._window = grid, window_ns
        self._tick = instrument.tick_size
        self._instrument = instrument
        self._rows = Rows()
        self._times = found.times
        self._snapshots = [found.snapshot(int(ts)) for ts in self._times]
        self._candles = candles
        self._starts = np.empty(0, np.int64) if candles is None else candles.ts_open
        self._ends = self._starts + (0 if candles is None else candles.interval_ns)
        self.unresolved = 0.0
        """Quantity whose level the price had reached already."""
        self.skipped = 0
        """Snapshots of which nothing is seen, because another follows in their window."""

    def history(self) -> tuple[_core.History, bool]:
        """Return all windows from the first snapshot on, and whether the last has ended."""
        window = self._window
        first = int(self._times[0]) // window
        acts = self._ends - 1
        last = int(max([self._times[-1], *acts[-1:]])) // window
        of_candle, of_snapshot = acts // window, self._times // window
        for number in np.unique(np.concatenate((of_candle[of_candle >= first], of_snapshot))).tolist():
            some = slice(*np.searchsorted(of_candle, [number, number + 1]))
            known = slice(*np.searchsorted(of_snapshot, [number, number + 1]))
            self._window_of(number * window, some, known)
        end = max(int(self._times[-1]), int(self._ends[-1]) if len(self._ends) else 0)
        terms = self._instrument
        made = _core.History.from_rows(
            contract=terms.contract,
            tick_size=terms.tick_size,
            lot_size=terms.lot_size,
            multiplier=terms.multiplier,
            ticks_per_bin=round(self._grid.step / terms.tick_size),
            window_ns=window,
            tiers=len(self._grid.tiers),
            first_ns=first * window,
            windows=last - first + 1,
            columns=self._rows.columns(),
        )
        return made, end >= (last + 1) * window

    def _window_of(self, start: int, some: slice, known: slice) -> None:
        """Say what happened in one window: candles, levels that they reached, the last snapshot."""
        prices = self._prices(some)
        snapshots = self._times[known]
        events = [*(self._ends[some] - 1).tolist()[-1:], *snapshots.tolist()[-1:]]
        if not len(prices) and len(snapshots):
            price = self._price(known.stop - 1)
            prices = np.full((1, 4), price) if np.isfinite(price) else prices
        if len(prices):
            ohlc = (prices[0, 0], prices[:, 1].max(), prices[:, 2].min(), prices[-1, 3])
            for kind, price in zip(range(OPEN, OPEN + 4), ohlc, strict=True):
                self._rows.say(start, kind, np.rint(price / self._tick))
        self._rows.say(start, LAST_EVENT, max(events) - start)
        # What stood before the window is reached by candles that began after its snapshot was known.
        before = int(self._times[known.start - 1]) if known.start else None
        until = int(snapshots[0]) if len(snapshots) else None
        if before is not None:
            self._touch(start, self._reached(some, before, until))
        if len(snapshots):
            self.skipped += len(snapshots) - 1
            self._replace(start, known.stop - 1, some)

    def _prices(self, some: slice) -> Floats:
        of = self._candles
        if of is None:
            return np.empty((0, 4))
        return np.stack([of.open[some], of.high[some], of.low[some], of.close[some]], axis=1)

    def _reached(self, some: slice, since: int, until: int | None) -> tuple[int, int] | None:
        """Return the lowest and highest bin of candles of a window that begin at `since` or later; by `until`."""
        if self._candles is None:
            return None
        mine = (self._starts[some] >= since) & (self._ends[some] <= (until if until is not None else 2**63 - 1))
        if not mine.any():
            return None
        lows, highs = self._candles.low[some][mine], self._candles.high[some][mine]
        low, high = self._grid.bins(np.array([lows.min(), highs.max()]))
        return int(low), int(high)

    def _touch(self, start: int, reached: tuple[int, int] | None) -> None:
        if reached is not None:
            for side, bin_ in enumerate(reached):
                self._rows.say(start, TOUCHED, 1.0, side=side, bin_=bin_)

    def _price(self, number: int) -> float:
        """Return the price at a snapshot: its own, else the last close before."""
        found = self._snapshots[number]
        told = found.price[np.isfinite(found.price)]
        if len(told):
            return float(told[-1])
        at = int(np.searchsorted(self._ends, self._times[number], side="right")) - 1
        return float("nan") if self._candles is None or at < 0 else float(self._candles.close[at])

    def _replace(self, start: int, number: int, some: slice) -> None:
        """Clear the book, and put the levels of a snapshot into it: what the rest of the window leaves of them."""
        tiers = len(self._grid.tiers)
        for side in (0, 1):
            for tier in range(tiers):
                self._rows.say(start, SCALE, 0.0, side=side, tier=tier)
        levels = self._grid.levels(self._snapshots[number])
        price = self._price(number)
        inside = np.ones(len(levels.lots), np.bool_)
        if np.isfinite(price):
            own = int(self._grid.bins(np.array([price]))[0])
            inside = np.where(levels.side == 0, levels.bin < own, levels.bin > own)
        self.unresolved += float(levels.lots[~inside].sum()) * self._grid.lot
        reached = self._reached(some, int(self._times[number]), None)
        live = inside
        if reached is not None:
            live = inside & np.where(levels.side == 0, levels.bin < reached[0], levels.bin > reached[1])
        added, gone = levels.where(live), levels.where(inside & ~live)
        self._rows.add(start, ADDED, added)
        self._rows.add(start, LIQUIDATED, gone)
        for kind, of in (
            (OPENED, levels),
            (LIVE, added),
            (ACCOUNT_LIQUIDATED, gone),
            (UNRESOLVED, levels.where(~inside)),
        ):
            layer = of.side * tiers + of.tier
            sums = np.bincount(layer, of.lots, minlength=2 * tiers)
            for one in np.flatnonzero(sums).tolist():
                self._rows.say(start, kind, float(sums[one]), side=one // tiers, tier=one % tiers)


def with_base(history: _core.History, levels: Levels) -> _core.History:
    """Return a history that begins with these levels in its book: windows say what becomes of them (affine)."""
    columns = {name: np.asarray(column) for name, column in history.to_rows().items()}
    first = int(history.times()[0])
    rows = Rows()
    rows.add(first, BASE, levels)
    base = rows.columns()
    before = int(np.searchsorted(columns["time"], first, side="left"))
    merged = {
        name: np.concatenate((columns[name][:before], base[name].astype(columns[name].dtype), columns[name][before:]))
        for name in columns
    }
    return _core.History.from_rows(**history.terms, first_ns=first, windows=len(history), columns=merged)
