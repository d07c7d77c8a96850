"""The liquidation map: the live levels of one instant, by leverage tier, price and side."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._core import tier_name
from ..config.build import MAP_LOOK, saved_look
from ..errors import InvalidConfigError
from ..history.age import Age, age_after
from ..history.shown import Shown, frozen
from ..history.spread import Spread
from ..tables.arrow import ArrowTable, Exported
from ..tables.frames import Columns, Tabular, amount_decimals, csv_or, decimals_of, package
from ..words.times import Length, iso
from .export import said_in_attributes
from .notebook import Pictured, Target, is_page

__all__ = ["Cluster", "LiquidationMap", "MapLayer", "Within"]

EDGE = 1e-9
"""A price so close above a bin's edge, in bins, is taken to lie on it: edges are rounded binary fractions."""


class MapLayer(NamedTuple):
    """
    One layer of a map, such as a leverage tier: layers add up to the whole.

    ``long`` and ``short`` are float64 of shape (bins,), in the map's unit.
    """

    name: str
    long: NDArray[np.float64]
    short: NDArray[np.float64]


class Within(NamedTuple):
    """
    The levels that a move of so many percent reaches.

    ``long`` by a fall to ``low``, ``short`` by a rise to ``high``, in the map's unit; the bin that a price lies in
    counts. ``long_ends`` and ``short_ends`` are their 95 % intervals where the profile was fitted and says how
    uncertain it is (`Zone.value_low`).
    """

    percent: float
    low: float
    high: float
    long: float
    short: float
    long_ends: tuple[float, float] | None = None
    short_ends: tuple[float, float] | None = None


class Cluster(NamedTuple):
    """
    The bin of one side that holds the most: what vendors call max pain.

    ``low`` and ``high`` are its edges, ``price`` its middle, ``value`` what is live in it, ``distance_percent`` how far
    its middle is from the last price, negative below.
    """

    side: str
    low: float
    high: float
    price: float
    value: float
    distance_percent: float


@dataclass(frozen=True, slots=True, repr=False)
class LiquidationMap(Pictured, Tabular, ArrowTable):
    """
    The live levels of one instant, by leverage tier, price bin and side: on a relative scale, dollars once fitted.

    ``long`` and ``short`` are float64 of shape (tiers, bins) at the profile's weights; ``prices`` are the lower edges
    of the bins, ``price`` the last traded price (NaN where nothing traded yet). ``complete`` is false after an
    unfinished window. Where several venues were merged, ``venues`` holds the map of each by name, with the same tiers
    and bins, each with its own price; they sum to this.

    Notes
    -----
    pyarrow, polars, pandas and duckdb take it as a table (``pa.table(map)``) with a row for each bin: ``price`` (lower
    edge of the bin), then ``long_10x``, ``short_10x``, ... for each tier, float64, not copied. The schema's metadata
    say ``time_ns``, ``price`` (the last one), ``step`` and ``unit``.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.2, trades_per_day=40_000)
    >>> now = lq.heatmap(trades=market.trades).map()
    >>> near, far = now.within(1), now.within(5)
    >>> near.long <= far.long and near.short <= far.short
    True
    >>> now.largest("long").distance_percent < 0 < now.largest("short").distance_percent
    True
    """

    time_ns: int
    price: float
    tiers: NDArray[np.float64]
    prices: NDArray[np.float64]
    step: float
    long: NDArray[np.float64]
    short: NDArray[np.float64]
    unit: str
    meta: Mapping[str, Any]
    complete: bool = True
    venues: Mapping[str, LiquidationMap] = field(default_factory=dict, repr=False, compare=False)
    _age: Callable[[Sequence[Length] | None, float | str | None], Age] | None = field(
        default=None, repr=False, compare=False
    )

    def age(self, *, within: Sequence[Length] | None = None, threshold: float | str | None = None) -> Age:
        """Return how old its levels are: `Heatmap.age` at the map's instant."""
        if self._age is None:
            raise InvalidConfigError("the age of a map is known only where a heatmap made it, in the same process")
        return self._age(within, threshold)

    def _table(self) -> Exported:
        columns: dict[str, NDArray[Any]] = {"price": self.prices}
        for layer in self.layers:
            columns |= {f"long_{layer.name}": layer.long, f"short_{layer.name}": layer.short}
        what = {"time_ns": str(self.time_ns), "price": repr(float(self.price)), "step": repr(float(self.step))}
        return columns, what | {"unit": self.unit}

    def _columns(self) -> Columns:
        some = np.flatnonzero(self.long.any(axis=0) | self.short.any(axis=0))
        sums = {
            "long": self.long.sum(axis=0),
            "short": self.short.sum(axis=0),
            "cumulative_long": self.cumulative_long,
            "cumulative_short": self.cumulative_short,
        }
        for layer in self.layers:
            sums |= {f"long_{layer.name}": layer.long, f"short_{layer.name}": layer.short}
        low = self.prices[some]
        high = np.append(self.prices, self.prices[-1:] + self.step)[some + 1]
        time = np.full(len(some), self.time_ns).view("datetime64[ns]")
        columns: dict[str, Any] = {"time": time, "low": low, "high": high}
        columns |= {name: column[some] for name, column in sums.items()} | {"unit": [self.unit] * len(some)}
        prices = dict.fromkeys(("low", "high"), decimals_of(self.step))
        return Columns(columns, prices | dict.fromkeys(sums, amount_decimals(self.unit)))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the bins that are not empty as CSV, for spreadsheets (the columns of `to_pandas`), or a page.

        Parameters
        ----------
        path : path
            Ends in ``.csv``, or in ``.html`` for the page that `render` draws. `Heatmap.save` keeps everything.

        Raises
        ------
        InvalidConfigError
            If it ends otherwise.
        """
        if is_page(path):
            return Path(self.render(path))
        csv_or(path, ".csv", ".html")
        return self._save_csv(path)

    def to_xarray(self) -> Any:
        """Return an xarray Dataset (needs xarray) with long and short over tier and price."""
        xarray = package("xarray", "to_xarray()")
        arrays = {"long": self.long, "short": self.short}
        return xarray.Dataset(
            {name: (("tier", "price"), array) for name, array in arrays.items()},
            coords={"tier": self.tiers, "price": self.prices},
            attrs={
                "time": iso(self.time_ns),
                "last_price": self.price,
                "unit": self.unit,
                "step": self.step,
                **said_in_attributes(self.meta),
            },
        )

    def __reduce__(self) -> tuple[Any, ...]:  # without the heatmap, which knows the age
        return _map_of, tuple(getattr(self, each.name) for each in fields(self) if each.name != "_age")

    def __copy__(self) -> LiquidationMap:
        return replace(self, meta=dict(self.meta))

    def __deepcopy__(self, memo: dict[int, Any]) -> LiquidationMap:
        return replace(self, meta=copy.deepcopy(dict(self.meta), memo))

    def __repr__(self) -> str:
        symbol = str(self.meta.get("symbol") or "")
        return (
            f"<LiquidationMap {symbol}: at {iso(self.time_ns)}, {len(self.prices)} bins of {self.step:g}, "
            f"{len(self.tiers)} tiers, {self.unit}>"
        )

    @property
    def layers(self) -> tuple[MapLayer, ...]:
        """The layers, one a leverage tier, lowest first; a picture stacks them in this order."""
        return tuple(
            MapLayer(tier_name(tier), long, short)
            for tier, long, short in zip(self.tiers, self.long, self.short, strict=True)
        )

    @property
    def cumulative_long(self) -> NDArray[np.float64]:
        """Longs that a fall into each bin reaches, shape (bins,): rises to the left, falls to the price."""
        return np.cumsum(self.long.sum(axis=0)[::-1])[::-1]

    @property
    def cumulative_short(self) -> NDArray[np.float64]:
        """Shorts that a rise into each bin reaches, shape (bins,): rises to the right."""
        return np.cumsum(self.short.sum(axis=0))

    def within(self, percent: float) -> Within:
        """
        Return the levels that a fall and a rise of the last price by `percent` reach.

        A price reaches the whole bin that it lies in, as a touch does; a map of coarse rows says so of the row.

        Parameters
        ----------
        percent : float
            Above 0 and below 100.

        Raises
        ------
        InvalidConfigError
            If `percent` is out of range, or the map has no last price.
        """
        if not 0 < percent < 100:
            raise InvalidConfigError(f"percent must be above 0 and below 100, was {percent!r}")
        price = self._last_price("percent")
        low, high = price * (1 - percent / 100), price * (1 + percent / 100)
        longs = self.long[:, max(self._bin(low), 0) :].sum(axis=1)
        shorts = self.short[:, : max(self._bin(high) + 1, 0)].sum(axis=1)
        ends = (self._ends(longs), self._ends(shorts))
        return Within(float(percent), low, high, float(longs.sum()), float(shorts.sum()), *ends)

    def _ends(self, by_tier: NDArray[np.float64]) -> tuple[float, float] | None:
        """The interval of a sum over tiers, where the profile says how uncertain it is."""
        if (spread := Spread.of(self.meta)) is None:
            return None
        low, high = spread.ends(self.tiers, by_tier)
        return float(low), float(high)

    def largest(self, side: str) -> Cluster | None:
        """
        Return the bin that holds the most of a side; of equal ones the nearer to the price. None if the side is empty.

        `Heatmap.rebin` makes maps of coarser bins.

        Parameters
        ----------
        side : {"long", "short"}

        Raises
        ------
        InvalidConfigError
            If the side is none.
        """
        if side not in ("long", "short"):
            raise InvalidConfigError(f"side must be one of ('long', 'short'), was {side!r}")
        values = (self.long if side == "long" else self.short).sum(axis=0)
        if not values.any():
            return None
        # Longs lie below the price and shorts above it, so the nearer is the higher of longs, the lower of shorts.
        i = len(values) - 1 - int(np.argmax(values[::-1])) if side == "long" else int(np.argmax(values))
        low = float(self.prices[i])
        middle = low + self.step / 2
        return Cluster(side, low, low + self.step, middle, float(values[i]), 100 * (middle / self.price - 1))

    def sentence(self, percent: float | None = None) -> str:
        """
        Say which levels a fall and a rise reach, in all, on the way to two prices, and on what scale.

        Of a map of one side it speaks of that side alone. Only what a fitted profile gives, or is a record of
        positions, "liquidates".

        Parameters
        ----------
        percent : float, optional
            How far the price moves; if left out, into the middle of the largest cluster of each side.

        Raises
        ------
        InvalidConfigError
            As for `within`.

        Examples
        --------
        >>> import liqcore as lq
        >>> eng = lq.Engine(lq.Instrument(symbol="X", tick_size=1, lot_size=1), leverage={10: 1.0}, half_life=None)
        >>> eng.trade(0, 1_000.0, 5.0, False), eng.trade(1, 1_000.0, 3.0, True)  # opens 5 long, 3 short
        (True, True)
        >>> eng.map().sentence(12)
        'a fall to 880.0 reaches $4.52K of longs, a rise to 1,120.0 $3.29K of shorts (relative level: opened turnover)'
        """
        from ..render.labels import amount, decimals, interval_text, is_fitted, is_record, price_text, scale_text

        if percent is not None:
            at = self.within(percent)
            ends = ((at.low, at.long, at.long_ends), (at.high, at.short, at.short_ends))
        else:
            self._last_price("the map")
            ends = (self._to_cluster("long"), self._to_cluster("short"))
        base = str(self.meta.get("base") or "")

        only = self.meta.get("shown", {}).get("side", "both")
        verb = "liquidates " if is_fitted(self.meta) or is_record(self.meta) else "reaches "
        said = []
        for side, move, where, (price, value, interval) in (
            ("long", "fall", "below", ends[0]),
            ("short", "rise", "above", ends[1]),
        ):
            if only not in ("both", side):
                continue
            if math.isnan(price):
                said.append(f"no {side}s {where}")
                continue
            what = f"{amount(value, self.unit, base)}{interval_text(interval)} of {side}s" if value else f"no {side}s"
            said.append(f"a {move} to {price_text(price, decimals(self.step / 2))} {verb}{what}")
            verb = ""
        return f"{', '.join(said)} ({scale_text(self.meta)})"

    def render(self, path: Target = None, **options: Any) -> Any:
        """
        Draw it to a file, such as "x.png", or a binary file that is open; without one, return the picture as bytes.

        `liqcore.render.MapOptions` lists the options, `liqcore.render.render_map` says what is returned. What is not
        given is as the configuration of the result has it, else as usual.
        """
        from ..render import render_map

        return render_map(self, path, **(saved_look(self.meta, MAP_LOOK) | options))

    def figure(self, **options: Any) -> Any:
        """
        Return the picture as a figure of matplotlib, to edit: `liqcore.render.figure_map`; options as for `render`.

        Raises
        ------
        LiqcoreError
            If matplotlib is not installed (``liqcore[figures]``).
        """
        from ..render import MapOptions, figure_map

        return figure_map(self, MapOptions(**(saved_look(self.meta, MAP_LOOK) | options)))

    def _to_cluster(self, side: str) -> tuple[float, float, tuple[float, float] | None]:
        """The middle of the largest cluster of a side, and what is liquidated on the way there; NaN, 0 without one."""
        cluster = self.largest(side)
        if cluster is None:
            return math.nan, 0.0, None
        i = self._bin(cluster.price)
        by_tier = self.long[:, i:].sum(axis=1) if side == "long" else self.short[:, : i + 1].sum(axis=1)
        value = float((self.cumulative_long if side == "long" else self.cumulative_short)[i])
        return cluster.price, value, self._ends(by_tier)

    def _bin(self, price: float) -> int:
        """The bin that a price lies in: below 0 or at least the number of bins where it lies in none."""
        return math.floor((price - self.prices[0]) / self.step + EDGE) if len(self.prices) else 0

    def _last_price(self, what: str) -> float:
        if math.isnan(self.price):
            raise InvalidConfigError(f"{what} must be of a map with a last price: nothing has traded yet")
        return self.price


def _map_of(*values: Any) -> LiquidationMap:
    """Make a map of its parts, in their order, as a pickle has them."""
    made = LiquidationMap(*values)
    for array in (made.tiers, made.prices, made.long, made.short):
        frozen(array)
    return made


def map_after(shown: Shown, i: int) -> LiquidationMap:
    """`Heatmap.map` after column `i`."""
    layers = shown.layers(i)
    if shown.view.threshold is not None:
        layers = layers * (np.add(*shown.column(i)) > 0)
    counted = np.asarray(shown.view.tiers)
    return LiquidationMap(
        time_ns=shown.end_of(i),
        price=shown.price_after(i),
        tiers=frozen(shown.histories.leverage.tiers[counted]),
        prices=shown.prices,
        step=shown.step,
        long=frozen(layers[0][counted]),
        short=frozen(layers[1][counted]),
        unit=shown.view.unit,
        meta={**shown.meta, "book_age_ns": shown.age_after(i)},
        complete=bool(shown.complete[i]),
        _age=lambda within, threshold: age_after(shown, i, within, threshold),
    )
