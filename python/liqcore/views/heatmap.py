"""What comes out: the heatmap and its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._core import LeverageProfile
from ..errors import InvalidConfigError
from ..history.age import Age, age_after
from ..history.histories import Histories, Sides
from ..history.shown import Shown
from ..history.venues import said_of
from ..history.view import View
from ..market.leverage import Shares
from ..words.times import TIME_FRAMES, Length, Time, iso, parse_duration
from .export import Exports
from .map import LiquidationMap, map_after

if TYPE_CHECKING:
    from ..analysis.sensitivity import Survival
    from ..analysis.zones import Zones

RECENT_COLUMNS = 100


@dataclass(frozen=True, slots=True, repr=False)
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

    def __repr__(self) -> str:
        unfinished = "" if self.complete else ", unfinished"
        return f"<Column to {iso(self.end_ns)}{unfinished}: {len(self.prices)} rows of {self.step:g}, {self.unit}>"


class Drawn:
    """What pictures ask of a heatmap beside its arrays: what its data lacks, and cells without making all of them."""

    _shown: Shown

    @property
    def meta(self) -> dict[str, Any]:
        """Where it comes from."""
        return self._shown.meta

    @meta.setter
    def meta(self, meta: dict[str, Any]) -> None:
        self._shown.meta = meta

    @property
    def gaps(self) -> NDArray[np.int64]:
        """Stretches without a trade that stand out, ns, of shape (gaps, 2): last trade before, first after."""
        return np.array(self.meta.get("gaps", []), np.int64).reshape(-1, 2)

    @property
    def cut(self) -> float:
        """Amount below which `threshold` shows cells as 0, in `unit`; 0 without one."""
        return self._shown.cut

    def block(self, first: int, count: int, low: int, high: int) -> Sides:
        """
        Return longs and shorts of a part: of `count` columns from `first` on, and of the rows `low` to `high` - 1.

        What `long` and `short` have there, float32 (columns, rows), but of a heatmap that is too large to be made at
        once only as many cells are made.
        """
        return self._shown.block(first, count, low, high)


class Heatmap(Drawn, Exports):
    """
    Live levels by time and price: a relative scale of opened turnover or open interest, dollars once fitted.

    Made by `liqcore.heatmap`, `Engine.heatmap` or `load_heatmap`. It holds the window segments it was folded from, so
    another side, leverage filter, span or time frame (`select`), other shares (`reweigh`) and coarser cells (`rebin`)
    cost no pass over the trades. Immutable but for `meta`; the arrays are computed on first use, kept, and read-only.

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

    Notes
    -----
    pyarrow, polars, pandas and duckdb take it as a table (``pa.table(hm)``) with a row for each column: ``time``
    (timestamp[ns, UTC]), ``open``, ``high``, ``low``, ``close``, ``buy_qty``, ``sell_qty``, ``open_interest``,
    ``complete``, and ``long``, ``short``, ``liquidated`` as lists of float32, one number a bin, which are not copied.
    The schema's metadata say ``prices`` (JSON: lower edges of the bins), ``step``, ``window_ns``, ``unit``,
    ``symbol``, ``venue`` and ``version``.
    """

    def __init__(self, histories: Histories, view: View, meta: Mapping[str, Any] | None = None) -> None:
        self._shown = Shown(histories, view, meta or {})

    def _seen(self, view: View) -> Heatmap:
        return Heatmap(self._shown.histories, view, self.meta)

    @property
    def window_ns(self) -> int:
        """Length of a column, ns."""
        return self._shown.window_ns

    @property
    def step(self) -> float:
        """Height of a row, quote currency."""
        return self._shown.step

    @property
    def book_step(self) -> float:
        """Width of the book's own bins, quote currency: the resolution at which price consumes levels."""
        return self._shown.book_step

    @property
    def unit(self) -> str:
        """Of the values: "usd" (quote currency for a linear contract) or "quantity"."""
        return self._shown.view.unit

    @property
    def value(self) -> str:
        """At which price USD are reckoned: of the "level", or of the "entry" that implies it."""
        return self._shown.view.value

    @property
    def leverage(self) -> LeverageProfile:
        """Tiers and shares that weigh the layers."""
        return self._shown.histories.leverage

    @property
    def times(self) -> NDArray[np.int64]:
        """Start of each column, int64 ns, shape (columns,)."""
        return self._shown.times

    @property
    def prices(self) -> NDArray[np.float64]:
        """Lower edges of the rows, shape (bins,)."""
        return self._shown.prices

    @property
    def candles(self) -> NDArray[np.void]:
        """Candle of each column, shape (columns,)."""
        return self._shown.candles

    @property
    def open_interest(self) -> NDArray[np.float64]:
        """Last sample of open interest known at each window's end, quantity, shape (columns,)."""
        return self._shown.open_interest

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Whether each column's window has ended, shape (columns,)."""
        return self._shown.complete

    @property
    def long(self) -> NDArray[np.float32]:
        """Live long levels at each window's end, shape (columns, bins)."""
        return self._shown.cells[0]

    @property
    def short(self) -> NDArray[np.float32]:
        """Live short levels at each window's end, shape (columns, bins)."""
        return self._shown.cells[1]

    @property
    def values(self) -> NDArray[np.float32]:
        """``long + short``."""
        return self._shown.cells[2]

    @property
    def liquidated(self) -> NDArray[np.float32]:
        """What was liquidated in each column, by the bin it was liquidated in, shape (columns, bins)."""
        return self._shown.liquidated

    @property
    def venues(self) -> tuple[str, ...]:
        """Names of the venues it shows."""
        return (str(self.meta.get("venue", "")),)

    # --- other views of it ---

    def select(
        self,
        *,
        side: str | None = None,
        leverage: float | str | Iterable[float | str] | None = None,
        start: Time | None = None,
        end: Time | None = None,
        last: Length | None = None,
        opened_within: Length | None = None,
        threshold: float | str | None = None,
        unit: str | None = None,
        value: str | None = None,
        venues: str | Iterable[str] | None = None,
    ) -> Heatmap:
        """
        Return the part of the heatmap that is asked for; rows stay as they are. A selection can only be narrowed.

        Parameters
        ----------
        side : {"both", "long", "short"}, optional
        leverage : float or iterable of floats, optional
            Tiers to keep; their weights stay as they are.
        start, end : int, str, date, datetime or datetime64, optional
            Keep the columns that begin at `start` or later, and have ended by `end`; at least one column.
        last : duration, optional
            Keep the columns of the last "24h", "3d", ... (a whole number is nanoseconds) up to `end`; at least one
            column.
            `liqcore.TIME_FRAMES` lists the usual lengths.
        opened_within : duration, optional
            Show only levels opened in the last "24h", ... of each column's time, what vendors call a 24-hour map: what
            an engine started empty so long before the column's end would show. Counted in whole windows, at least one;
            an unfinished window is one of them.
        threshold : float or str, optional
            Show cells below it as 0: a share of the maximum (0 to 1, "5%"), an amount above 1 in `unit` (1e6, "10M"),
            or a percentile of the non-zero cells ("p95"). Text may name the unit: "250k usd", "0.5 quantity". Shares
            and percentiles count the cells that are selected, without a threshold, in whichever order they were
            selected: `select`, `rebin` and `reweigh` take them anew. A later threshold takes the place of an earlier.
        unit : {"usd", "quantity"}, optional
        value : {"level", "entry"}, optional
            At which price USD of a linear contract are reckoned: the level's (its bin's mid) or its entry's.
        venues : str or iterable of str, optional
            Venues to keep of those that `liqcore.merge_venues` joined; a heatmap of one venue knows its own name.

        Raises
        ------
        InvalidConfigError
            If an argument breaks its rule, or asks for more than was selected before.

        Examples
        --------
        >>> import liqcore as lq
        >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
        >>> hm = lq.heatmap(trades=market.trades)
        >>> hm.select(side="long", last="30m").long.shape[0]
        6
        """
        heatmap = self if venues is None else self._of_venues([venues] if isinstance(venues, str) else list(venues))
        return heatmap._seen(
            heatmap._shown.narrowed(side, leverage, (start, end, last), opened_within, threshold, unit, value)
        )

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
            If `step` or `window` is no such multiple.

        Examples
        --------
        >>> import liqcore as lq
        >>> market = lq.simulate(days=0.1, trades_per_day=40_000)
        >>> hm = lq.heatmap(trades=market.trades)
        >>> coarse = hm.rebin(step=5 * hm.step, window="1h")
        >>> bool(np.isclose(coarse.liquidated.sum(), hm.liquidated.sum()))
        True
        """
        return self._seen(self._shown.rebinned(step=step, window=window))

    def reweigh(self, leverage: LeverageProfile | Shares) -> Heatmap:
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
        histories = self._shown.histories.reweighed(profile)
        told = {"leverage": said_of(histories.leverage)}
        kept = {name: value for name, value in self.meta.items() if name != "spread"}  # other shares than those drawn
        return Heatmap(histories, self._shown.view, kept | told)

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
        shown = (frame for frame in TIME_FRAMES[style] if parse_duration(frame) >= self._shown.histories.window_ns)
        return {frame: self.select(opened_within=frame) for frame in shown}

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
        shown = self._shown
        i = shown.complete_column_at(ts)
        longs, shorts = shown.column(i)
        gone = shown.fold(*shown.windows_of(i), liquidated=True)
        return Column(
            start_ns=int(self.times[i]),
            end_ns=shown.end_of(i),
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
        return map_after(self._shown, self._shown.column_at(ts))

    def zones(
        self,
        ts: Time | None = None,
        *,
        threshold: float | str | None = None,
        within: float | None = None,
        columns: int = RECENT_COLUMNS,
    ) -> Zones:
        """
        Return the zones of one instant: neighbouring bins of one side at or above a threshold, lowest price first.

        Everything in them was known at that instant: nothing later changes them. They are a list that is also a table
        (`Zones`: ``to_pandas``, ``to_polars``, ``save("x.csv")``).

        Parameters
        ----------
        ts : int, str, datetime or datetime64, optional
            After the column known at this time; after the last column (finished or not) if left out.
        threshold : float or str, optional
            As for `select`, but of the bins of that instant, the two sides apart: a share of the largest (0 to 1), an
            amount above 1 in `unit`, or a percentile of those that are not zero. If left out that of the heatmap, or
            "p90", the tenth of the bins that hold the most.
        within : float, optional
            Only zones at most so many percent from the last price; a share or a percentile is then that of the bins
            there, so that what is large far away does not hide what is large nearby.
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

        return find_zones(self._shown, self._shown.column_at(ts), threshold, columns, within)

    def swept(
        self,
        ts: Time,
        *,
        until: Time | None = None,
        threshold: float | str | None = None,
        columns: int = RECENT_COLUMNS,
    ) -> Zones:
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

        i, end = self._shown.column_at(ts), self._shown.column_at(until)
        if end < i:
            raise InvalidConfigError(f"until must not be before ts ({ts!r}), was {until!r}")
        return find_swept(self._shown, i, end, threshold, columns)

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
        from ..analysis.sensitivity import nudged, survivals

        i = self._shown.column_at(ts)
        profiles = nudged(self.leverage) if shares is None else shares
        reweighed = (self.reweigh(profile)._shown for profile in profiles)
        return survivals(self._shown, i, threshold, reweighed, (model._shown for model in models), offsets, cover)

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
        return age_after(self._shown, self._shown.column_at(ts), within, threshold)

    def __copy__(self) -> Heatmap:
        return self._seen(self._shown.view)  # with metadata of its own

    def __repr__(self) -> str:
        if not len(self.times) or not len(self.prices):
            return f"<Heatmap {self.meta.get('symbol', '')}: empty>"
        return (
            f"<Heatmap {self.meta.get('symbol', '')}: {len(self.times)} columns from {iso(int(self.times[0]))}, "
            f"{len(self.prices)} rows of {self.step:g} from {self.prices[0]:g}, {self.unit}>"
        )
