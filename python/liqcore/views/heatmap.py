"""What comes out: heatmaps, their columns, and how old they are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import LeverageProfile, PriceAxis
from ..errors import InvalidConfigError
from ..tables.archive import read_archive, write_archive
from ..words.threshold import Threshold
from ..words.times import AGES, TIME_FRAMES, Length, Time, format_duration, iso, parse_duration, to_ns
from .map import LiquidationMap

if TYPE_CHECKING:
    from ..analysis.sensitivity import Survival
    from ..analysis.zones import Zone

SIDES = ("both", "long", "short")
UNITS = ("usd", "quantity")
RECENT_COLUMNS = 100
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
class Age:
    """
    How old the live levels of one instant are, by side (longs first) and bin.

    Made by `Heatmap.age` and `LiquidationMap.age`. Amounts are sums, so those of several bins add up to those of a
    zone: `share_between`.

    Attributes
    ----------
    time_ns : int
        The instant, nanoseconds since the UNIX epoch: the end of a column.
    within : tuple of str
        Lengths of time, rising, such as ("1h", "4h", "1d", "1w", "1mo").
    prices : ndarray of float64, shape (bins,)
        Lower edges of the bins, `step` high.
    live : ndarray of float64, shape (2, bins)
        What is live, in `unit`, at the profile's weights.
    opened : ndarray of float64, shape (lengths, 2, bins)
        The part of it that was opened in the last `within`; NaN where that reaches back before what an engine with
        ``keep`` holds.
    since_ns : ndarray of int64, shape (2, bins)
        Start of the first column since which a bin has been at or above `threshold` without a break, as far back as
        the heatmap shows columns; the smallest int64 (``NaT`` as datetime64) where it is below, or zero.
    threshold : float
        In `unit`.
    """

    time_ns: int
    within: tuple[str, ...]
    prices: NDArray[np.float64]
    step: float
    live: NDArray[np.float64]
    opened: NDArray[np.float64]
    since_ns: NDArray[np.int64]
    threshold: float
    unit: str

    @property
    def shares(self) -> NDArray[np.float64]:
        """Which share of a bin's live amount was opened within each length, 0 to 1: shape (lengths, 2, bins); NaN
        where nothing is live."""
        return shares_of(self.opened, self.live)

    def share_between(self, side: str, low: float, high: float) -> NDArray[np.float64]:
        """
        Return which share of a zone was opened within each length, shape (lengths,); NaN if nothing is live in it.

        Parameters
        ----------
        side : {"long", "short", "both"}
        low, high : float
            The zone: bins whose lower edge lies in [low, high).

        Raises
        ------
        InvalidConfigError
            If the side is none.
        """
        if side not in SIDES:
            raise InvalidConfigError(f"side must be one of {SIDES}, was {side!r}")
        sides = {"long": slice(0, 1), "short": slice(1, 2), "both": slice(0, 2)}[side]
        bins = (self.prices >= low) & (self.prices < high)
        return shares_of(self.opened[:, sides, bins].sum(axis=(1, 2)), self.live[sides, bins].sum())


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array read-only."""
    array.setflags(write=False)
    return array


def shares_of(opened: NDArray[np.float64], live: NDArray[np.float64] | np.floating[Any]) -> NDArray[np.float64]:
    """Divide; rounding may not take a share above 1, and where nothing is live there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(live > 0, np.minimum(opened / live, 1.0), np.nan)


@dataclass(frozen=True, slots=True)
class _View:
    """Which part of a history a heatmap shows."""

    first: int  # windows
    count: int
    side: str
    tiers: tuple[bool, ...]
    first_bin: int  # absolute book bin of row 0
    rows: int
    bins_per_row: int
    threshold: float | str | None
    unit: str
    opened_within: int = 0  # windows; 0: whenever opened
    column_ns: int = 0  # length of a column; 0: one window


class Heatmap:
    """
    What would be liquidated, by time and price.

    Made by `liqcore.heatmap`, `Engine.heatmap` or `load_heatmap`. It holds the window segments it was folded from, so
    another side, leverage filter, span or time frame (`select`), other shares (`reweigh`) and coarser cells (`rebin`)
    cost no pass over the trades. Immutable but for `meta`; the arrays
    are computed on first use, kept, and read-only.

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
            self.meta["book_age_ns"] = int(self._end_ns - self._first_ns)
        if view.opened_within:
            self.meta["opened_within_ns"] = view.opened_within * history.window_ns
        if view.threshold is not None:
            self.meta["hidden"] = f"below {Threshold.of(view.threshold)}"
        if view.column_ns:
            self.meta["window"] = format_duration(view.column_ns)

    def _bins_per_row(self, step: float | None) -> int:
        if step is None:
            return _core.DEFAULT_BINS_PER_ROW
        tick, book = self._history.tick_size, self._history.ticks_per_bin
        ticks = PriceAxis(low=0.0, high=step, step=step, tick_size=tick).ticks_per_bin
        if ticks % book:
            raise InvalidConfigError(f"step must be a multiple of the book's bins ({book * tick:g}), was {step:g}")
        return ticks // book

    # --- what it shows ---

    @property
    def window_ns(self) -> int:
        """Length of a column, ns."""
        return self._view.column_ns or self._history.window_ns

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
    def _first_ns(self) -> int:
        """When the book was empty."""
        return self._history.segment(0).start_ns

    @property
    def _end_ns(self) -> int:
        """The end of the last window shown."""
        return self._history.segment(self._view.first + self._view.count - 1).end_ns

    @cached_property
    def _window_times(self) -> NDArray[np.int64]:
        """Start of each window shown."""
        return self._history.times()[self._windows]

    @cached_property
    def _starts(self) -> NDArray[np.intp]:
        """Index of the first window of each column, among those shown, and their number at the end."""
        columns = self._window_times // self.window_ns
        firsts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1)) if len(columns) else np.array([], np.intp)
        return np.append(firsts, len(columns))

    @cached_property
    def times(self) -> NDArray[np.int64]:
        """Start of each column, int64 ns, shape (columns,)."""
        return frozen(self._window_times[self._starts[:-1]] // self.window_ns * self.window_ns)

    @cached_property
    def prices(self) -> NDArray[np.float64]:
        """Lower edges of the rows, shape (bins,)."""
        return self._edges[:-1]

    @cached_property
    def _edges(self) -> NDArray[np.float64]:
        """Edges of the rows, one more than there are rows: an upper edge is the next lower one, to the bit."""
        bins = self._view.first_bin + np.arange(self._view.rows + 1) * self._view.bins_per_row
        ticks = (bins * self._history.ticks_per_bin).astype(np.float64)
        return frozen(ticks * self._history.tick_size)

    @cached_property
    def candles(self) -> NDArray[np.void]:
        """Candle of each column, shape (columns,)."""
        rows = self._history.candles()[self._windows].view(CANDLE).reshape(-1)
        return frozen(rows if not self._view.column_ns else _join_candles(rows, self._starts))

    @cached_property
    def open_interest(self) -> NDArray[np.float64]:
        """Last sample of open interest known at each window's end, quantity, shape (columns,)."""
        last = (self._last_window(i) for i in range(len(self.times)))
        return frozen(np.array([self._history.segment(i).open_interest for i in last], np.float64))

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Whether each column's window has ended, shape (columns,)."""
        out = np.ones(len(self.times), dtype=np.bool_)
        if len(out):
            unfinished = self._view.first + self._view.count == len(self._history) and not self._last_complete
            out[-1] = not unfinished and self._end_ns == self.times[-1] + self.window_ns
        return frozen(out)

    @property
    def _windows(self) -> slice:
        return slice(self._view.first, self._view.first + self._view.count)

    def _rows(self) -> dict[str, Any]:
        """What the native functions want to know about rows and weights."""
        longs, shorts = self._weights()
        view = self._view
        return {
            "long_weights": longs,
            "short_weights": shorts,
            "first_bin": view.first_bin,
            "bins_per_row": view.bins_per_row,
            "rows": view.rows,
            "usd": view.unit == "usd",
        }

    def _fold(self, first: int, count: int, *, liquidated: bool = False) -> tuple[NDArray[np.float32], ...]:
        """Longs and shorts of the columns of some windows: live, or liquidated."""
        view = self._view
        return self._history.columns(
            **self._rows(),
            first_column=first,
            columns=count,
            opened_within=view.opened_within,
            column_ns=view.column_ns,
            liquidated=liquidated,
        )

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float32], ...]:
        view = self._view
        longs, shorts = self._fold(view.first, view.count)
        values = longs + shorts
        if view.threshold is not None and values.size:
            shown = values >= np.float32(Threshold.of(view.threshold).cutoff(values))
            for array in (longs, shorts, values):
                array *= shown
        return frozen(longs), frozen(shorts), frozen(values)

    def _weights(self) -> tuple[list[Any], list[Any]]:
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

    @property
    def values(self) -> NDArray[np.float32]:
        """``long + short``."""
        return self._arrays[2]

    @cached_property
    def liquidated(self) -> NDArray[np.float32]:
        """What was liquidated in each column, by the bin it was liquidated in, shape (columns, bins)."""
        longs, shorts = self._fold(self._view.first, self._view.count, liquidated=True)
        return frozen(longs + shorts)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """
        Hand the heatmap out as a table with a row for each column: to pyarrow, polars, pandas or duckdb.

        ``time`` (timestamp[ns, UTC]), ``open``, ``high``, ``low``, ``close``, ``buy_qty``, ``sell_qty``,
        ``open_interest``, ``complete``, and ``long``, ``short``, ``liquidated`` as lists of float32, one number a bin,
        which are not copied. The schema's metadata say ``prices`` (JSON: lower edges of the bins), ``step``,
        ``window_ns``, ``unit``, ``symbol``, ``venue`` and ``version``. A schema that is asked for is passed over.

        Examples
        --------
        >>> import liqcore as lq
        >>> hm = lq.heatmap(trades=lq.simulate(days=0.05, trades_per_day=40_000).trades)
        >>> hm.__arrow_c_stream__()  # doctest: +ELLIPSIS
        <capsule object "arrow_array_stream" at 0x...>
        """
        from ..tables.arrow import export_table

        return export_table(*self._table())

    def __arrow_c_schema__(self) -> object:
        """Hand out the schema of `__arrow_c_stream__`."""
        from ..tables.arrow import export_schema

        return export_schema(*self._table())

    def _table(self) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        columns: dict[str, NDArray[Any]] = {"time": self.times.view("datetime64[ns]")}
        columns |= {name: self.candles[name] for name in CANDLE.names or ()}
        if len(self.venues) < 2:  # several need not count the same thing
            columns["open_interest"] = self.open_interest
        columns["complete"] = self.complete
        columns |= {"long": self.long, "short": self.short, "liquidated": self.liquidated}
        metadata = {
            "prices": json.dumps(self.prices.tolist()),
            "step": repr(self.step),
            "window_ns": str(self.window_ns),
            "unit": self.unit,
        }
        metadata |= {name: str(self.meta[name]) for name in ("symbol", "venue", "version") if self.meta.get(name)}
        return columns, metadata

    # --- other views of it ---

    def select(
        self,
        *,
        side: str | None = None,
        leverage: float | Iterable[float] | None = None,
        last: Length | None = None,
        opened_within: Length | None = None,
        threshold: float | str | None = None,
        unit: str | None = None,
        venues: str | Iterable[str] | None = None,
    ) -> Heatmap:
        """
        Return the part of the heatmap that is asked for; rows stay as they are. A selection can only be narrowed.

        Parameters
        ----------
        side : {"both", "long", "short"}, optional
        leverage : float or iterable of floats, optional
            Tiers to keep; their weights stay as they are.
        last : duration, optional
            Keep the columns of the last "24h", "3d", ... (a whole number is nanoseconds); at least one column.
            `liqcore.TIME_FRAMES` lists the usual lengths.
        opened_within : duration, optional
            Show only levels opened in the last "24h", ... of each column's time, what vendors call a 24-hour map: what
            an engine started empty so long before the column's end would show. Counted in whole windows, at least one;
            an unfinished window is one of them.
        threshold : float or str, optional
            Show cells below it as 0: a share of the maximum (0 to 1), an amount above 1 in `unit` (1e6), or a
            percentile of the non-zero cells ("p95"). Text may name the unit: "250000 usd", "0.5 quantity".
        unit : {"usd", "quantity"}, optional
        venues : str or iterable of str, optional
            Venues to keep of those that `liqcore.merge_venues` joined; a heatmap of one venue knows its own name.

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
        if venues is not None:
            return self._of_venues([venues] if isinstance(venues, str) else list(venues)).select(
                side=side,
                leverage=leverage,
                last=last,
                opened_within=opened_within,
                threshold=threshold,
                unit=unit,
            )
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
            length = parse_duration(last, name="last")
            if length < self.window_ns:
                raise InvalidConfigError(
                    f"last must be at least one window ({format_duration(self.window_ns)}), was {last!r}"
                )
            end = int(self.times[-1]) + self.window_ns
            first = int(self._starts[np.searchsorted(self.times, end - length, side="left")])
            view = replace(view, first=view.first + first, count=view.count - first)
        if opened_within is not None:
            windows = self._whole_windows(opened_within, "opened_within")
            if view.opened_within and windows > view.opened_within:
                before = format_duration(view.opened_within * self._history.window_ns)
                raise InvalidConfigError(
                    f"opened_within must not be longer than {before}, which was selected before, was {opened_within!r}"
                )
            self._refuse_sequential("opened_within")
            if view.count and windows > view.first + 1 and not self._history.whole:
                kept = format_duration((view.first + 1) * self._history.window_ns)
                raise InvalidConfigError(
                    f"opened_within must lie within the windows that the engine kept, which begin "
                    f"{iso(self._history.segment(0).start_ns)}, {kept} before the end of the first column shown; was "
                    f"{opened_within!r}: show fewer columns (last=), or keep more"
                )
            view = replace(view, opened_within=windows)
        if unit is not None:
            if unit not in UNITS:
                raise InvalidConfigError(f"unit must be one of {UNITS}, was {unit!r}")
            view = replace(view, unit=unit)
        if threshold is not None:
            limit = Threshold.of(threshold)
            in_unit = limit.kind == "amount" and limit.unit is None
            view = replace(view, threshold=f"{limit.value!r} {view.unit}" if in_unit else threshold)
        if view.threshold is not None and Threshold.of(view.threshold).unit not in (None, view.unit):
            raise InvalidConfigError(
                f"threshold must be in the unit that is shown, {view.unit}, was {str(view.threshold)!r}"
            )
        return self._seen(view)

    def rebin(self, *, step: float | None = None, window: Length | None = None) -> Heatmap:
        """
        Return it in other cells, with the same totals: made anew from the book's own bins and windows.

        A column of a longer window shows the book at its end and what was liquidated in all of it; windows are aligned
        to the UNIX epoch, so the first and the last may be cut short. Summing bins conserves quantity; it is not the
        same as a run on a coarser book, in which price would consume wider bins at once.

        Parameters
        ----------
        step : float, optional
            Height of the rows, quote currency: a multiple of `book_step`.
        window : duration, optional
            Length of the columns: a multiple of the window that the engine ran with.

        Raises
        ------
        InvalidConfigError
            If an argument breaks its rule.

        Examples
        --------
        >>> import liqcore as lq
        >>> market = lq.simulate(days=0.1, trades_per_day=40_000)
        >>> hm = lq.heatmap(trades=market.trades)
        >>> coarse = hm.rebin(step=5 * hm.step, window="1h")
        >>> bool(np.isclose(coarse.liquidated.sum(), hm.liquidated.sum()))
        True
        """
        view = self._view
        if step is not None:
            per_row = self._bins_per_row(step)
            end = view.first_bin + view.rows * view.bins_per_row
            first_row, end_row = view.first_bin // per_row, -(-end // per_row)
            view = replace(view, first_bin=first_row * per_row, rows=end_row - first_row, bins_per_row=per_row)
        if window is not None:
            base = self._history.window_ns
            length = parse_duration(window, name="window")
            if length % base:
                raise InvalidConfigError(
                    f"window must be a multiple of the engine's own ({format_duration(base)}), was {window!r}"
                )
            view = replace(view, column_ns=0 if length == base else length)
        return self._seen(view)

    def reweigh(self, leverage: LeverageProfile | Mapping[float, float]) -> Heatmap:
        """
        Return it at other shares of the same tiers, without another pass: layers carry no weights.

        Parameters
        ----------
        leverage : LeverageProfile or mapping of tier to share
            Tiers among those of the heatmap; a tier that is left out has no share.

        Raises
        ------
        InvalidConfigError
            If a tier is not among those of the heatmap.

        Examples
        --------
        >>> import liqcore as lq
        >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
        >>> hm = lq.heatmap(trades=market.trades, leverage={10: 0.5, 50: 0.5})
        >>> tens, fifties = hm.select(leverage=10), hm.select(leverage=50)
        >>> other = hm.reweigh({10: 0.8, 50: 0.2})
        >>> bool(np.allclose(other.values, 1.6 * tens.values + 0.4 * fifties.values, rtol=1e-5))
        True
        """
        profile = leverage if isinstance(leverage, LeverageProfile) else LeverageProfile(leverage)
        tiers = [float(tier) for tier in self._leverage.tiers]
        given = profile.to_dict()
        for tier in given:
            if tier not in tiers:
                raise InvalidConfigError(f"leverage must be among the tiers {tiers}, was {tier:g}")
        shares = {tier: given.get(tier, 0.0) for tier in tiers}
        out = self._seen(self._view)
        out._leverage = LeverageProfile(shares, intensity=profile.intensity)
        out.meta["leverage"] = {f"{tier:g}": share for tier, share in shares.items()}
        return out

    def frames(self, style: str = "standard") -> dict[str, Heatmap]:
        """
        Return one heatmap for each time frame of a reading style: the levels opened within it.

        Parameters
        ----------
        style : {"standard", "scalp", "swing"}
            A key of `liqcore.TIME_FRAMES`: 12h to 1y; 1h and 4h; 1w and 1mo. Frames shorter than a window are left out.

        Raises
        ------
        InvalidConfigError
            If there is no such style, or an engine did not keep enough.
        """
        if style not in TIME_FRAMES:
            raise InvalidConfigError(f"style must be one of {tuple(TIME_FRAMES)}, was {style!r}")
        shown = (frame for frame in TIME_FRAMES[style] if parse_duration(frame) >= self._history.window_ns)
        return {frame: self.select(opened_within=frame) for frame in shown}

    @property
    def venues(self) -> tuple[str, ...]:
        """Names of the venues it shows."""
        return (str(self.meta.get("venue", "")),)

    def _named(self, venues: list[str]) -> list[str]:
        for name in venues:
            if name not in self.venues:
                raise InvalidConfigError(f"venues must be among {list(self.venues)}, was {name!r}")
        if not venues:
            raise InvalidConfigError(f"venues must name at least one of {list(self.venues)}, was empty")
        return venues

    def _of_venues(self, venues: list[str]) -> Heatmap:
        """The part of some of its venues: of the only one, all of it."""
        self._named(venues)
        return self

    def _seen(self, view: _View) -> Heatmap:
        return Heatmap(self._history, self._leverage, complete=self._last_complete, meta=self.meta, view=view)

    def _whole_windows(self, length: Length, name: str) -> int:
        window_ns = self._history.window_ns
        windows = parse_duration(length, name=name) // window_ns
        if windows < 1:
            raise InvalidConfigError(
                f"{name} must be at least one window ({format_duration(window_ns)}), was {length!r}"
            )
        return windows

    def _refuse_sequential(self, name: str) -> None:
        """The one place where models whose effect depends on the book itself are kept from a part of the past."""
        if self.meta.get("sequential"):
            raise InvalidConfigError(
                f"{name} must not be asked of a sequential model ({self.meta.get('model')}): what a window did to its "
                "book depends on everything before"
            )

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
        if "_arrays" in self.__dict__ or self._view.threshold is not None:  # a threshold may need every column
            longs, shorts = self.long[i], self.short[i]
        else:
            longs, shorts = (array[0] for array in self._fold(*self._windows_of(i)))
        gone = self._fold(*self._windows_of(i), liquidated=True)
        return Column(
            start_ns=int(self.times[i]),
            end_ns=int(self.times[i]) + self.window_ns,
            complete=True,
            prices=self.prices,
            step=self.step,
            long=longs,
            short=shorts,
            liquidated=gone[0][0] + gone[1][0],
            candle=self.candles[i],
            unit=self.unit,
        )

    def map(self, ts: Time | None = None) -> LiquidationMap:
        """
        Return the liquidation map: by tier and side, after the column known at `ts`, or after the last column
        (finished or not) if no time is given. What a threshold hides in that column is hidden here too.

        Raises
        ------
        InvalidConfigError
            If no column had ended by then, or there is none at all.
        """
        i = self._column_at(ts)
        cells = self._cells(i)
        if self._view.threshold is not None:
            cells = cells * (self.values[i] > 0)
        shown = np.asarray(self._view.tiers)
        return LiquidationMap(
            time_ns=int(self.times[i]) + self.window_ns,
            price=self._price_after(i),
            tiers=frozen(self._leverage.tiers[shown]),
            prices=self.prices,
            step=self.step,
            long=frozen(cells[0][shown]),
            short=frozen(cells[1][shown]),
            unit=self.unit,
            meta={**self.meta, "book_age_ns": self._history.segment(self._last_window(i)).end_ns - self._first_ns},
            complete=bool(self.complete[i]),
            _age=lambda **given: self._age(i, **given),
        )

    def zones(
        self, ts: Time | None = None, *, threshold: float | str | None = None, columns: int = RECENT_COLUMNS
    ) -> list[Zone]:
        """
        Return the zones of one instant: neighbouring bins of one side at or above a threshold, lowest price first.

        Everything in them was known at that instant: nothing later changes them.

        Parameters
        ----------
        ts : int, str, datetime or datetime64, optional
            After the column known at this time; after the last column (finished or not) if left out.
        threshold : float or str, optional
            As for `select`, but of the bins of that instant, the two sides apart: a share of the largest (0 to 1), an
            amount above 1 in `unit`, or a percentile of those that are not zero. If left out that of the heatmap, or
            "p90", the tenth of the bins that hold the most.
        columns : int, optional
            Over how many columns up to the instant `Zone.persistence` counts.

        Raises
        ------
        InvalidConfigError
            If an argument breaks its rule, or no column had ended by then.

        Examples
        --------
        >>> import liqcore as lq
        >>> market = lq.simulate(days=0.2, trades_per_day=40_000)
        >>> hm = lq.heatmap(trades=market.trades)
        >>> zones = hm.zones(threshold=0.5)
        >>> all(zone.low < zone.high and zone.peak_value <= zone.value for zone in zones)
        True
        """
        from ..analysis.zones import find_zones

        return find_zones(self, self._column_at(ts), threshold, columns)

    def swept(
        self,
        ts: Time,
        *,
        until: Time | None = None,
        threshold: float | str | None = None,
        columns: int = RECENT_COLUMNS,
    ) -> list[Zone]:
        """
        Return those zones of an earlier time that the price has reached since, each with its `Sweep`, in that order.

        Parameters
        ----------
        ts : int, str, datetime or datetime64
            When the zones were there: after the column known at this time.
        until : int, str, datetime or datetime64, optional
            What is known at this time; everything if left out.
        threshold, columns
            As for `zones`.

        Raises
        ------
        InvalidConfigError
            If an argument breaks its rule, `until` is before `ts`, or no column had ended by then.
        """
        from ..analysis.zones import find_swept

        i, end = self._column_at(ts), self._column_at(until)
        if end < i:
            raise InvalidConfigError(f"until must not be before ts ({ts!r}), was {until!r}")
        return find_swept(self, i, end, threshold, columns)

    def sensitivity(
        self,
        ts: Time | None = None,
        *,
        threshold: float | str | None = None,
        shares: Iterable[LeverageProfile | Mapping[float, float]] | None = None,
        models: Iterable[Heatmap] = (),
        offsets: int = 4,
        cover: float = 0.5,
    ) -> list[Survival]:
        """
        Return for each zone of one instant in which share of other views of the same market it is still there.

        A zone survives in another view if zones of its side there, at the same instant and threshold, cover at least
        `cover` of its height.

        Parameters
        ----------
        ts, threshold
            As for `zones`. A threshold that is a share or a percentile is taken anew in each view.
        shares : iterable of LeverageProfile or mapping of tier to share, optional
            Other shares, as for `reweigh`. If left out, each tier's share is halved and doubled in turn, the others
            taking or giving the difference in proportion.
        models : iterable of Heatmap, optional
            Heatmaps of the same market under other models or settings; each is seen at the same instant.
        offsets : int, optional
            By how many steps, evenly spread within the height of a row and rounded to the book's bins, the rows are
            moved. 0: not at all.
        cover : float, optional
            Above 0, at most 1.

        Raises
        ------
        InvalidConfigError
            If an argument breaks its rule, or a heatmap is of another market.
        """
        from ..analysis.sensitivity import survivals

        return survivals(self, self._column_at(ts), threshold, shares, models, offsets, cover)

    def _price_after(self, i: int) -> float:
        """The last traded price known after a column; NaN where nothing traded yet."""
        closes = self._history.candles()[: self._last_window(i) + 1, 3]
        traded = closes[~np.isnan(closes)]
        return float(traded[-1]) if traded.size else float("nan")

    def age(
        self,
        ts: Time | None = None,
        *,
        within: Sequence[Length] | None = None,
        threshold: float | str | None = None,
    ) -> Age:
        """
        Return how old the live levels are: by bin, the amounts opened within several lengths of time, and since when
        the bin has been above a threshold.

        Parameters
        ----------
        ts : int, str, datetime or datetime64, optional
            After the column known at this time; after the last column (finished or not) if left out.
        within : sequence of durations, optional
            At least one window each; `liqcore.AGES` (1h, 4h, 1d, 1w, 1mo), as far as they are, if left out.
        threshold : float or str, optional
            As for `select`, of the columns shown; that of the heatmap, or anything above zero, if left out. A bin is
            compared side by side.

        Raises
        ------
        InvalidConfigError
            If an argument breaks its rule, no column had ended by then, or the model is sequential.

        Examples
        --------
        >>> import liqcore as lq
        >>> market = lq.simulate(days=0.2, trades_per_day=40_000)
        >>> age = lq.heatmap(trades=market.trades).age(within=["1h", "1d"])
        >>> age.opened.shape == (2, 2, len(age.prices))  # lengths, sides, bins
        True
        >>> bool(np.nanmax(age.shares) == 1.0)  # nothing is older than a day here
        True
        """
        return self._age(self._column_at(ts), within=within, threshold=threshold)

    def _age(self, i: int, *, within: Sequence[Length] | None, threshold: float | str | None) -> Age:
        names, live, opened = self._opened(i, within)
        view = self._view
        given = view.threshold if threshold is None else threshold
        cutoff = 0.0
        if given is not None:
            wanted = Threshold.of(given)
            if wanted.unit not in (None, view.unit):
                raise InvalidConfigError(f"threshold must be in the unit that is shown, {view.unit}, was {given!r}")
            cutoff = wanted.cutoff(self._unlimited)
        since = self._history.since(
            threshold=cutoff,
            **self._rows(),
            first_column=view.first,
            columns=self._last_window(i) + 1 - view.first,
            opened_within=view.opened_within,
            column_ns=view.column_ns,
        )
        return Age(
            time_ns=int(self.times[i]) + self.window_ns,
            within=names,
            prices=self.prices,
            step=self.step,
            live=live,
            opened=opened,
            since_ns=since,
            threshold=float(cutoff),
            unit=self.unit,
        )

    def _opened(
        self, i: int, within: Sequence[Length] | None
    ) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]:
        """Lengths by name, what is live after a column, and what of it was opened within them: see `Age`."""
        self._refuse_sequential("age")
        view = self._view
        if within is None:
            within = [age for age in AGES if parse_duration(age) >= self._history.window_ns]
        windows = [self._whole_windows(length, "within") for length in within]
        if windows != sorted(set(windows)):
            raise InvalidConfigError(f"within must rise by at least a window each, was {list(within)!r}")
        last = self._last_window(i)
        rows = self._rows()
        live = self._cells(i).sum(axis=1)
        limit = view.opened_within or len(self._history) + max(windows, default=1)
        known = [count for count in windows if self._history.whole or min(count, limit) <= last + 1]
        asked = sorted({min(count, limit) for count in known})
        opened = self._history.age(last, windows=asked, **rows)
        out = np.full((len(windows), 2, view.rows), np.nan)
        for k, count in enumerate(known):
            out[k] = np.minimum(opened[asked.index(min(count, limit))], live)  # apart from rounding it never exceeds
        names = (
            length if isinstance(length, str) else format_duration(parse_duration(length, name="within"))
            for length in within
        )
        return tuple(names), live, out

    def _cells(self, i: int) -> NDArray[np.float64]:
        """What is live after a column, by side, tier and row, whatever the threshold."""
        return self._history.map(self._last_window(i), **self._rows(), opened_within=self._view.opened_within)

    @property
    def _unlimited(self) -> NDArray[np.float32]:
        """``values`` without the threshold."""
        if self._view.threshold is None:
            return self.values
        longs, shorts = self._fold(self._view.first, self._view.count)
        return longs + shorts

    def _column_at(self, ts: Time | None) -> int:
        """The column known at a time, or the last one."""
        if ts is not None:
            return self._index_at(ts)
        if self._view.count == 0:
            raise InvalidConfigError("the heatmap has no column")
        return len(self.times) - 1

    def _windows_of(self, column: int) -> tuple[int, int]:
        """First window of a column, in the history, and their number."""
        first, end = int(self._starts[column]), int(self._starts[column + 1])
        return self._view.first + first, end - first

    def _last_window(self, column: int) -> int:
        """The last window of a column, in the history."""
        return self._view.first + int(self._starts[column + 1]) - 1

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
        from ..render import render

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
            f"<Heatmap {self.meta.get('symbol', '')}: {len(self.times)} columns from {iso(int(self.times[0]))}, "
            f"{self._view.rows} rows of {self.step:g} from {self.prices[0]:g}, {self.unit}>"
        )


def _join_candles(rows: NDArray[np.void], starts: NDArray[np.intp]) -> NDArray[np.void]:
    """The candle of each run of windows that begins at one of `starts`, the last of which is the end."""
    out = np.empty(len(starts) - 1, dtype=CANDLE)
    if not len(out):
        return out
    firsts = starts[:-1]
    for name, join in (("high", np.fmax), ("low", np.fmin)):
        out[name] = join.reduceat(rows[name], firsts)
    traded = ~np.isnan(rows["open"])
    at = np.arange(len(rows))
    first = np.minimum.reduceat(np.where(traded, at, len(rows)), firsts)
    last = np.maximum.reduceat(np.where(traded, at, -1), firsts)
    some = last >= 0
    for name, index in (("open", first), ("close", last)):
        out[name] = np.where(some, rows[name][np.where(some, index, 0)], np.nan)
    for name in ("buy_qty", "sell_qty"):
        out[name] = np.where(some, np.add.reduceat(np.nan_to_num(rows[name]), firsts), np.nan)
    return out


def load_heatmap(path: str | os.PathLike[str]) -> Heatmap:
    """
    Read a heatmap that `Heatmap.save` wrote.

    Raises
    ------
    DataError
        If the file is not one.
    """
    header, parts = read_archive(path, ARCHIVE_KEY, "a heatmap")
    view = header["view"]
    view["tiers"] = tuple(view["tiers"])
    if "venues" in header:
        from .merged import restore

        return restore(header, parts, _View(**view))
    [(history, leverage)] = parts
    return Heatmap(history, leverage, complete=header["complete"], meta=header["meta"], view=_View(**view))
