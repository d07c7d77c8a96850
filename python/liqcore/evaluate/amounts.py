"""What a map says of each bar: dollars that it has liquidated, by side and tier, and what stood near before the bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._core import Segment
from ..config.config import Config
from ..engine.engine import Engine
from ..sources.candles import Candles
from ..sources.open_interest import OpenInterest

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

SIDES = ("long", "short")


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """
    The rows of a map between the least and the greatest price of one bar, and that before it; of one side.

    Attributes
    ----------
    first : int
        The lowest row, counted from price 0 in rows of `Amounts.step`.
    start : int
        The row of the last price before the bar, counted from `first`.
    frozen, whole : ndarray of float64, shape (rows,)
        Weighted USD of the map as it stood before the bar; with what opened and was reached in it.
    """

    first: int
    start: int
    frozen: Floats
    whole: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """
    What a map says of each bar.

    Attributes
    ----------
    start : ndarray of int64, shape (bars,)
        First nanosecond of a bar.
    tiers, weights : ndarray of float64, shape (tiers,)
        Leverage and weight of each layer; the arrays below are without weights.
    frozen : ndarray of float64, shape (2, tiers, bars)
        USD of longs and shorts that stood before the bar and that the bar's prices reached.
    in_bar : ndarray of float64, shape (2, tiers, bars)
        USD opened and reached in the bar.
    near : ndarray of float64, shape (2, tiers, bars)
        USD standing before the bar, each level times the chance that a random walk reaches it within the bar.
    step : float
        Height of the rows of `reached`, price.
    reached : mapping of (int, int) to Reached
        By side (0 long, 1 short) and bar, for the bars that were asked for.
    """

    start: Ints
    tiers: Floats
    weights: Floats
    frozen: Floats
    in_bar: Floats
    near: Floats
    step: float
    reached: Mapping[tuple[int, int], Reached] = field(default_factory=dict)

    @property
    def whole(self) -> Floats:
        """USD that the map has liquidated in the bar: `frozen` and `in_bar`."""
        return self.frozen + self.in_bar

    def weighted(self, amounts: Floats) -> Floats:
        """Return amounts at the profile's weights, shape (2, bars)."""
        return np.asarray(np.einsum("stb,t->sb", amounts, self.weights), dtype=np.float64)


def amounts_of(
    candles: Candles,
    config: Config,
    bars: Ints,
    bar_ns: int,
    spread: Floats,
    *,
    rows_of: frozenset[int] = frozenset(),
    open_interest: OpenInterest | None = None,
) -> Amounts:
    """
    Run a map over candles, and say what it says of each bar.

    One pass of the engine, whose windows are the bars; at each window's end the book is read once. Nothing that is
    said of a bar depends on what comes after it, and `near` on nothing after its start.

    Parameters
    ----------
    candles : Candles
        With volumes.
    config : Config
        A settled configuration: instrument, leverage, model, axis (as ``meta["config"]`` of a heatmap has it).
    bars : ndarray of int64
        Starts of the bars, on multiples of `bar_ns`, rising.
    bar_ns : int
        Length of a bar.
    spread : ndarray of float64, shape (bars,)
        Standard deviation of the log price over a bar, as known at its start.
    rows_of : set of int
        The bars whose reached rows are kept.
    open_interest : OpenInterest, optional
        For models that go by it; samples outside the candles are left out.
    """
    engine = Engine.from_config(config.replace(window={"length": f"{bar_ns}ns"}), keep=2)
    reader = _Reader(engine, bars, bar_ns, spread, rows_of, float(config.axis.step or 0.0))
    engine.on_column(reader.column)
    if open_interest is None:
        engine.feed(candles=candles)
    else:
        span = (candles.ts_open[0], candles.ts_open[-1] + candles.interval_ns)
        inside = (open_interest.ts >= span[0]) & (open_interest.ts < span[1])
        engine.feed(candles=candles, open_interest=(open_interest.ts[inside], open_interest.quantity[inside]))
    end = int(bars[-1]) + bar_ns
    if (engine.clock or 0) < end:
        engine.advance(end)
    engine.on_column(None)
    return reader.amounts()


class _Reader:
    """Reads the book at each window's end."""

    def __init__(
        self, engine: Engine, bars: Ints, bar_ns: int, spread: Floats, rows_of: frozenset[int], step: float
    ) -> None:
        self._engine = engine
        self._bar = {int(start): i for i, start in enumerate(bars)}
        self._bar_ns = bar_ns
        self._bars = bars
        self._spread = spread
        self._rows_of = rows_of
        tiers = engine.leverage.tiers
        shape = (2, len(tiers), len(bars))
        self._tiers, self._weights = tiers, engine.leverage.weights
        self._frozen, self._in_bar, self._near = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self._reached: dict[tuple[int, int], Reached] = {}
        self._levels: list[Floats] | None = None  # quantity by side: (tiers, bins), as the last window left them
        self._first = 0  # absolute bin of their first
        self._mid: Floats = np.empty(0)
        self._usd: Floats = np.empty(0)  # of one of quantity, by bin
        self._close = np.nan
        self._width = 0.0
        self._terms = engine.instrument
        self._step = step
        self._lot_usd = self._terms.lot_size * self._terms.multiplier

    def column(self, segment: Segment) -> None:
        """Account for one window, and read what it leaves."""
        axis = self._engine.axis
        if axis is None:  # no price yet
            return
        self._width = axis.step
        at = self._bar.get(segment.start_ns)
        if at is not None:
            self._account(at, segment)
        if len(self._mid) != axis.size or self._first != axis.first_bin:
            self._first = axis.first_bin
            self._mid = np.asarray((self._first + np.arange(axis.size) + 0.5) * axis.step, dtype=np.float64)
            per_unit = self._mid if self._terms.contract == "linear" else np.ones(len(self._mid))
            self._usd = np.asarray(per_unit * self._terms.multiplier, dtype=np.float64)
        self._levels = [self._engine.levels(side) for side in SIDES]
        if np.isfinite(self._engine.last_price):
            self._close = self._engine.last_price
        following = self._bar.get(segment.end_ns)
        if following is not None:
            self._forecast(following)

    def _forecast(self, bar: int) -> None:
        """Weigh each level by the chance that a random walk from the last price gets there within the bar."""
        spread = self._spread[bar]
        if self._levels is None or not spread > 0:
            return
        chance = self._usd * reach_chance(np.abs(np.log(self._mid / self._close)) / spread)
        for side, levels in enumerate(self._levels):
            self._near[side, :, bar] = levels @ chance

    def _account(self, bar: int, segment: Segment) -> None:
        cells = segment.liquidated
        mid = (cells["bin"] + 0.5) * self._width if self._terms.contract == "linear" else np.ones(len(cells["bin"]))
        usd = cells["lots"] * mid * self._lot_usd
        flat = cells["side"].astype(np.int64) * len(self._tiers) + cells["tier"]
        self._in_bar[:, :, bar] = np.bincount(flat, usd, minlength=2 * len(self._tiers)).reshape(2, -1)
        for side, part in enumerate(self._parts(segment)):
            if part is not None and self._levels is not None:
                self._frozen[side, :, bar] = self._levels[side][:, part] @ self._usd[part]
        if bar in self._rows_of:
            self._keep_rows(bar, segment, usd)

    def _parts(self, segment: Segment) -> list[slice | None]:
        """The bins of the stored levels that the window's touches clear, by side."""
        parts: list[slice | None] = []
        last = len(self._mid)
        for side, name in enumerate(SIDES):
            touched = [step[0] for step in segment.touched(name)]
            if not touched:
                parts.append(None)
            elif side == 0:
                parts.append(slice(min(max(min(touched) - self._first, 0), last), last))
            else:
                parts.append(slice(0, min(max(max(touched) - self._first + 1, 0), last)))
        return parts

    def _keep_rows(self, bar: int, segment: Segment, usd: Floats) -> None:
        """Sum what was reached to rows, between the least and the greatest of the bar's prices and that before it."""
        _, high, low, _ = segment.candle[:4]
        if high is None or low is None or not np.isfinite(self._close):
            return
        prices = (low * self._terms.tick_size, high * self._terms.tick_size, self._close)
        first, last, start = (int(price // self._step) for price in (min(prices), max(prices), self._close))
        count = last - first + 1
        cells = segment.liquidated
        rows = ((cells["bin"] + 0.5) * self._width // self._step).astype(np.int64) - first
        for side, part in enumerate(self._parts(segment)):
            frozen = np.zeros(count)
            if part is not None and self._levels is not None:
                values = self._weights @ self._levels[side][:, part] * self._usd[part]
                frozen = summed((self._mid[part] // self._step).astype(np.int64) - first, values, count)
            mine = cells["side"] == side
            opened = summed(rows[mine], usd[mine] * self._weights[cells["tier"][mine]], count)
            self._reached[side, bar] = Reached(first, start - first, frozen, frozen + opened)

    def amounts(self) -> Amounts:
        """Return what was found."""
        return Amounts(
            self._bars, self._tiers, self._weights, self._frozen, self._in_bar, self._near, self._step, self._reached
        )


def summed(rows: Ints, values: Floats, count: int) -> Floats:
    """Sum values by row; what lies outside is left out."""
    inside = (rows >= 0) & (rows < count)
    return np.bincount(rows[inside], values[inside], minlength=count).astype(np.float64)


def reach_chance(distance: Floats) -> Floats:
    """
    Return the chance that a random walk without drift is at or beyond a distance at some time, erfc(d / sqrt 2).

    Of distances in standard deviations at the end, at least 0 (the reflection principle). By Abramowitz and Stegun
    7.1.26, to 1.5e-7.
    """
    x = np.minimum(distance / np.sqrt(2.0), 12.0)
    t = 1.0 / (1.0 + 0.3275911 * x)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(series * np.exp(-x * x), dtype=np.float64)
