"""What comes out: heatmaps, their columns, and liquidation maps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._core import LeverageProfile, PriceAxis
from .archive import read_archive, write_archive
from .durations import format_duration, parse_duration
from .errors import InvalidConfigError

Time = int | str | datetime | np.datetime64

SIDES = ("both", "long", "short")
UNITS = ("usd", "quantity")
DEFAULT_BINS_PER_ROW = 5
ARCHIVE_KEY = "liqcore.heatmap"
CANDLE = np.dtype([(name, np.float64) for name in ("open", "high", "low", "close", "buy_qty", "sell_qty")])


@dataclass(frozen=True, slots=True)
class Column:
    """
    One column of a heatmap: the live levels at the end of a window.

    ``long``, ``short``, ``values`` (their sum) and ``liquidated`` (in the window) are float32 of shape (bins,), in the
    heatmap's unit; ``prices`` are the lower edges of the bins.
    """

    start_ns: int
    end_ns: int
    complete: bool
    prices: NDArray[np.float64]
    step: float
    long: NDArray[np.float32]
    short: NDArray[np.float32]
    liquidated: NDArray[np.float32]
    candle: np.void
    unit: str

    @property
    def values(self) -> NDArray[np.float32]:
        """``long + short``."""
        return self.long + self.short


@dataclass(frozen=True, slots=True)
class LiquidationMap:
    """
    What would be liquidated at one instant, by leverage tier, price bin and side.

    ``long`` and ``short`` are float64 of shape (tiers, bins) at the profile's weights; ``prices`` are the lower edges
    of the bins, ``price`` the last traded price (NaN where nothing traded yet).
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

    @property
    def cumulative_long(self) -> NDArray[np.float64]:
        """Longs liquidated by a fall into each bin, shape (bins,): rises to the left, falls to the price."""
        return np.cumsum(self.long.sum(axis=0)[::-1])[::-1]

    @property
    def cumulative_short(self) -> NDArray[np.float64]:
        """Shorts liquidated by a rise into each bin, shape (bins,): rises to the right."""
        return np.cumsum(self.short.sum(axis=0))


@dataclass(frozen=True, slots=True)
class _View:
    """Which part of a history a heatmap shows."""

    first: int  # columns
    count: int
    side: str
    tiers: tuple[bool, ...]
    first_bin: int  # absolute book bin of row 0
    rows: int
    bins_per_row: int
    threshold: float | None
    unit: str


class Heatmap:
    """
    What would be liquidated, by time and price.

    Made by `liqcore.heatmap`, `Engine.heatmap` or `load_heatmap`. It holds the window segments it was folded from, so
    another side, leverage filter or span (`select`) costs no pass over the trades. Immutable but for `meta`; the arrays
    are computed on first use.

    Attributes
    ----------
    times : ndarray of int64, shape (columns,)
        Window starts, nanoseconds since the UNIX epoch, UTC. A column shows the live levels at its window's end.
    prices : ndarray of float64, shape (bins,)
        Lower edges of the rows, quote currency. Rows sum the book's finer bins.
    long, short, values, liquidated : ndarray of float32, shape (columns, bins)
        Live long and short levels, their sum, and what was liquidated in the window, in `unit`, at the profile's
        weights (share x intensity).
    candles : structured ndarray, shape (columns,)
        open, high, low, close, buy_qty, sell_qty of each window; NaN where nothing traded.
    open_interest : ndarray of float64, shape (columns,)
        The last sample known at each window's end, quantity; NaN where there was none yet.
    complete : ndarray of bool, shape (columns,)
        False for an unfinished last window.
    unit : {"usd", "quantity"}
    meta : dict
        Where it comes from: symbol, venue, model, meaning, trigger, leverage, window, inputs, config, version, ...
    """

    def __init__(
        self,
        history: _core.History,
        leverage: LeverageProfile,
        *,
        step: float | None = None,
        unit: str = "usd",
        complete: bool = True,
        meta: dict[str, Any] | None = None,
        first: int = 0,
        view: _View | None = None,
    ) -> None:
        self._history = history
        self._leverage = leverage
        self._last_complete = complete
        self.meta: dict[str, Any] = dict(meta or {})
        if view is None:
            if unit not in UNITS:
                raise InvalidConfigError(f"unit must be one of {UNITS}, was {unit!r}")
            per_row = self._bins_per_row(step)
            count = len(history) - first
            tiers = (True,) * len(leverage)
            weights = [float(weight) for weight in leverage.weights]
            low, high = history.extent(long_weights=weights, short_weights=weights, first_column=first, columns=count)
            first_row, end_row = low // per_row, -(-high // per_row)
            view = _View(first, count, "both", tiers, first_row * per_row, end_row - first_row, per_row, None, unit)
        self._view = view
        if len(history):
            self.meta["book_age_ns"] = int(self._end_ns - history.segment(0).start_ns)

    def _bins_per_row(self, step: float | None) -> int:
        if step is None:
            return DEFAULT_BINS_PER_ROW
        tick, book = self._history.tick_size, self._history.ticks_per_bin
        ticks = PriceAxis(low=0.0, high=step, step=step, tick_size=tick).ticks_per_bin
        if ticks % book:
            raise InvalidConfigError(f"step must be a multiple of the book's bins ({book * tick:g}), was {step:g}")
        return ticks // book

    # --- what it shows ---

    @property
    def window_ns(self) -> int:
        """Length of a column, ns."""
        return self._history.window_ns

    @property
    def step(self) -> float:
        """Height of a row, quote currency."""
        return self._view.bins_per_row * self._history.ticks_per_bin * self._history.tick_size

    @property
    def book_step(self) -> float:
        """Width of the book's own bins, quote currency: the resolution at which price consumes levels."""
        return self._history.ticks_per_bin * self._history.tick_size

    @property
    def unit(self) -> str:
        """Of the values: "usd" (quote currency for a linear contract) or "quantity"."""
        return self._view.unit

    @property
    def leverage(self) -> LeverageProfile:
        """Tiers and shares that weigh the layers."""
        return self._leverage

    @property
    def _end_ns(self) -> int:
        return self._history.segment(self._view.first + self._view.count - 1).end_ns

    @cached_property
    def times(self) -> NDArray[np.int64]:
        """Window starts, int64 ns, shape (columns,)."""
        return self._history.times()[self._columns]

    @cached_property
    def prices(self) -> NDArray[np.float64]:
        """Lower edges of the rows, shape (bins,)."""
        bins = self._view.first_bin + np.arange(self._view.rows) * self._view.bins_per_row
        ticks = (bins * self._history.ticks_per_bin).astype(np.float64)
        return ticks * self._history.tick_size

    @cached_property
    def candles(self) -> NDArray[np.void]:
        """Candle of each window, shape (columns,)."""
        return self._history.candles()[self._columns].view(CANDLE).reshape(-1)

    @cached_property
    def open_interest(self) -> NDArray[np.float64]:
        """Last sample of open interest known at each window's end, quantity, shape (columns,)."""
        first, count = self._view.first, self._view.count
        return np.array([self._history.segment(first + i).open_interest for i in range(count)], np.float64)

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Whether each column's window has ended, shape (columns,)."""
        out = np.ones(self._view.count, dtype=np.bool_)
        if self._view.first + self._view.count == len(self._history) and not self._last_complete and len(out):
            out[-1] = False
        return out

    @property
    def _columns(self) -> slice:
        return slice(self._view.first, self._view.first + self._view.count)

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float32], ...]:
        longs, shorts = self._weights()
        view = self._view
        arrays = self._history.columns(
            long_weights=longs,
            short_weights=shorts,
            first_bin=view.first_bin,
            bins_per_row=view.bins_per_row,
            rows=view.rows,
            first_column=view.first,
            columns=view.count,
            usd=view.unit == "usd",
        )
        if view.threshold is not None and arrays[0].size:
            values = arrays[0] + arrays[1]
            hidden = values < view.threshold * values.max()
            arrays[0][hidden] = 0.0
            arrays[1][hidden] = 0.0
        return arrays

    def _weights(self) -> tuple[list[float], list[float]]:
        kept = [
            float(weight) if shown else 0.0
            for weight, shown in zip(self._leverage.weights, self._view.tiers, strict=True)
        ]
        none = [0.0] * len(kept)
        return (none if self._view.side == "short" else kept, none if self._view.side == "long" else kept)

    @property
    def long(self) -> NDArray[np.float32]:
        """Live long levels at each window's end, shape (columns, bins)."""
        return self._arrays[0]

    @property
    def short(self) -> NDArray[np.float32]:
        """Live short levels at each window's end, shape (columns, bins)."""
        return self._arrays[1]

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """``long + short``."""
        return self.long + self.short

    @cached_property
    def liquidated(self) -> NDArray[np.float32]:
        """What was liquidated in each window, by the bin it was liquidated in, shape (columns, bins)."""
        return self._arrays[2] + self._arrays[3]

    # --- other views of it ---

    def select(
        self,
        *,
        side: str | None = None,
        leverage: float | Iterable[float] | None = None,
        last: str | int | timedelta | np.timedelta64 | None = None,
        threshold: float | None = None,
        unit: str | None = None,
    ) -> Heatmap:
        """
        Return the part of the heatmap that is asked for; rows stay as they are. A selection can only be narrowed.

        Parameters
        ----------
        side : {"both", "long", "short"}, optional
        leverage : float or iterable of floats, optional
            Tiers to keep; their weights stay as they are.
        last : duration, optional
            Keep the columns of the last "24h", "3d", ... (a whole number is nanoseconds); at least one window.
        threshold : float, optional
            Show cells below this share of the maximum (0 to 1) as 0.
        unit : {"usd", "quantity"}, optional

        Raises
        ------
        InvalidConfigError
            If an argument breaks its rule.

        Examples
        --------
        >>> import liqcore as lq
        >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
        >>> hm = lq.heatmap(trades=market.trades)
        >>> hm.select(side="long", last="30m").long.shape[0]
        6
        """
        view = self._view
        if side is not None:
            if side not in SIDES:
                raise InvalidConfigError(f"side must be one of {SIDES}, was {side!r}")
            if view.side not in ("both", side):
                raise InvalidConfigError(f'side must be "{view.side}", which was selected before, was {side!r}')
            view = replace(view, side=side)
        if leverage is not None:
            asked = [float(leverage)] if isinstance(leverage, int | float) else [float(tier) for tier in leverage]
            tiers = [float(tier) for tier in self._leverage.tiers]
            shown = [tier for tier, is_shown in zip(tiers, view.tiers, strict=True) if is_shown]
            for tier in asked:
                if tier not in shown:
                    raise InvalidConfigError(f"leverage must be among the tiers {shown}, was {tier:g}")
            view = replace(view, tiers=tuple(tier in asked for tier in tiers))
        if last is not None and view.count:
            try:
                length = parse_duration(last, name="last")
            except ValueError as error:
                raise InvalidConfigError(str(error)) from None
            if length < self.window_ns:
                raise InvalidConfigError(
                    f"last must be at least one window ({format_duration(self.window_ns)}), was {last!r}"
                )
            first = int(np.searchsorted(self.times, self._end_ns - length, side="left"))
            view = replace(view, first=view.first + first, count=view.count - first)
        if threshold is not None:
            if not 0.0 <= threshold <= 1.0:
                raise InvalidConfigError(f"threshold must be a share of the maximum, 0 to 1, was {threshold!r}")
            view = replace(view, threshold=threshold)
        if unit is not None:
            if unit not in UNITS:
                raise InvalidConfigError(f"unit must be one of {UNITS}, was {unit!r}")
            view = replace(view, unit=unit)
        return Heatmap(self._history, self._leverage, complete=self._last_complete, meta=self.meta, view=view)

    def at(self, ts: Time) -> Column:
        """
        Return the column that was known at a time: the last complete one that ended by then.

        Parameters
        ----------
        ts : int, str, datetime or datetime64
            Nanoseconds since the UNIX epoch, or ISO text; UTC where no zone is given.

        Raises
        ------
        InvalidConfigError
            If no column had ended by then.
        """
        i = self._index_at(ts)
        return Column(
            start_ns=int(self.times[i]),
            end_ns=int(self.times[i]) + self.window_ns,
            complete=True,
            prices=self.prices,
            step=self.step,
            long=self.long[i],
            short=self.short[i],
            liquidated=self.liquidated[i],
            candle=self.candles[i],
            unit=self.unit,
        )

    def map(self, ts: Time | None = None) -> LiquidationMap:
        """
        Return the liquidation map: by tier and side, after the column known at `ts`, or after the last column
        (finished or not) if no time is given.

        Raises
        ------
        InvalidConfigError
            If no column had ended by then, or there is none at all.
        """
        if ts is None and self._view.count == 0:
            raise InvalidConfigError("the heatmap has no column")
        i = self._view.count - 1 if ts is None else self._index_at(ts)
        longs, shorts = self._weights()
        view = self._view
        cells = self._history.map(
            view.first + i,
            long_weights=longs,
            short_weights=shorts,
            first_bin=view.first_bin,
            bins_per_row=view.bins_per_row,
            rows=view.rows,
            usd=view.unit == "usd",
        )
        shown = np.asarray(view.tiers)
        closes = self._history.candles()[: view.first + i + 1, 3]
        traded = closes[~np.isnan(closes)]
        return LiquidationMap(
            time_ns=int(self.times[i]) + self.window_ns,
            price=float(traded[-1]) if traded.size else float("nan"),
            tiers=self._leverage.tiers[shown],
            prices=self.prices,
            step=self.step,
            long=cells[0][shown],
            short=cells[1][shown],
            unit=self.unit,
            meta=self.meta,
        )

    def _index_at(self, ts: Time) -> int:
        at = to_ns(ts)
        i = int(np.searchsorted(self.times + self.window_ns, at, side="right")) - 1
        if i >= 0 and not self.complete[i]:
            i -= 1
        if i < 0:
            first = f"which is {iso(int(self.times[0]) + self.window_ns)}" if self._view.count else "there is none"
            raise InvalidConfigError(
                f"ts must not be before the end of the first complete column ({first}), was {ts!r}"
            )
        return i

    # --- out of it ---

    def render(self, path: str | os.PathLike[str], **options: Any) -> Path:
        """Draw it to a file, such as "x.png"; `liqcore.render.RenderOptions` lists the options."""
        from .render import render

        return render(self, path, **options)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Save it as one Parquet file: every segment, the view and all metadata (docs/reference/archive.md).

        `load_heatmap` gives the same heatmap back, bit for bit. The file appears whole or not at all.
        """
        header = {"complete": self._last_complete, "view": asdict(self._view), "meta": self.meta}
        return write_archive(path, ARCHIVE_KEY, header, self._history, self._leverage, self.meta.get("config"))

    def to_xarray(self) -> Any:
        """Return an xarray Dataset (needs xarray) with long, short and liquidated over time and price."""
        try:
            import xarray
        except ImportError:
            raise ImportError("to_xarray() needs xarray: pip install xarray") from None
        coords = {"time": self.times.astype("datetime64[ns]"), "price": self.prices}
        names = ("long", "short", "liquidated")
        return xarray.Dataset(
            {name: (("time", "price"), getattr(self, name)) for name in names},
            coords=coords,
            attrs={"unit": self.unit, "step": self.step, **{k: self.meta[k] for k in ("symbol", "venue", "model")}},
        )

    def __repr__(self) -> str:
        if not self._view.count or not self._view.rows:
            return f"<Heatmap {self.meta.get('symbol', '')}: empty>"
        return (
            f"<Heatmap {self.meta.get('symbol', '')}: {self._view.count} columns from {iso(int(self.times[0]))}, "
            f"{self._view.rows} rows of {self.step:g} from {self.prices[0]:g}, {self.unit}>"
        )


def load_heatmap(path: str | os.PathLike[str]) -> Heatmap:
    """
    Read a heatmap that `Heatmap.save` wrote.

    Raises
    ------
    DataError
        If the file is not one.
    """
    header, history, leverage = read_archive(path, ARCHIVE_KEY, "a heatmap")
    view = header["view"]
    view["tiers"] = tuple(view["tiers"])
    return Heatmap(history, leverage, complete=header["complete"], meta=header["meta"], view=_View(**view))


def to_ns(ts: Time) -> int:
    """
    Return a time as nanoseconds since the UNIX epoch; UTC where no zone is given.

    Examples
    --------
    >>> to_ns("2026-06-12T10:00"), to_ns(1_781_258_400_000_000_000)
    (1781258400000000000, 1781258400000000000)
    """
    if isinstance(ts, bool):
        raise TypeError("ts must be a time, was a bool")
    if isinstance(ts, int | np.integer):
        return int(ts)
    if isinstance(ts, np.datetime64):
        return int(ts.astype("datetime64[ns]").astype(np.int64))
    if isinstance(ts, str):
        try:
            ts = datetime.fromisoformat(ts)
        except ValueError:
            raise InvalidConfigError(f'ts must be ISO text such as "2026-06-12T10:00", was {ts!r}') from None
    if isinstance(ts, datetime):
        zoned = ts if ts.tzinfo is not None else ts.replace(tzinfo=UTC)
        delta = zoned - datetime(1970, 1, 1, tzinfo=UTC)
        return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000
    raise TypeError(f"ts must be int ns, ISO text, datetime or datetime64, was {type(ts).__name__}")


def iso(ns: int) -> str:
    """Return a time as ISO text to the second, such as 2026-06-12T10:00:00Z."""
    return f"{np.datetime64(ns, 'ns').astype('datetime64[s]')}Z"
