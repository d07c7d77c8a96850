"""What a vendor's answer says, whatever its shape; and the heatmap that it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import Instrument, LeverageProfile, MarginSchedule, PriceAxis
from ..engine.engine import Engine
from ..errors import DataError
from ..views.heatmap import Heatmap
from ..words.limits import refuse_beyond

Floats = NDArray[np.float64]

MOST_TICKS = 1 << 22
"""Of the range of prices: the core's axis has no more bins."""


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """
    Cells of a map by time and level, as a vendor gave them.

    Attributes
    ----------
    vendor, shape : str
        Such as "CoinGlass" and "coinglass-v3".
    times : ndarray of int64, shape (columns,)
        Starts of the columns, ns since the UNIX epoch, `window_ns` apart.
    window_ns : int
    levels : ndarray of float64, shape (rows,)
        Price of each row, rising; a row ends with it, or begins there where `from_below`.
    step : float
        Height of a row.
    column, row, tier : ndarray of int64, shape (cells,)
        Where the amounts stand; `tier` is an index of `tiers`.
    is_short : ndarray of bool, shape (cells,)
    usd : ndarray of float64, shape (cells,)
        What they say is there, not negative; several of one place are summed.
    tiers : sequence of float
        Leverages; one that stands for all where the answer has none.
    has_tiers : bool
    candles : ndarray of float64, shape (columns, 4), or None
        Open, high, low, close; NaN where there is none.
    ended_ns : int or None
        When it was made, if the last column's window had not ended then.
    meta : mapping of str to any
        What the answer says of itself, if liqcore wrote it.
    """

    vendor: str
    shape: str
    times: NDArray[np.int64]
    window_ns: int
    levels: Floats
    step: float
    column: NDArray[np.int64]
    row: NDArray[np.int64]
    tier: NDArray[np.int64]
    is_short: NDArray[np.bool_]
    usd: Floats
    tiers: Sequence[float] = (1.0,)
    has_tiers: bool = False
    candles: Floats | None = None
    from_below: bool = False
    ended_ns: int | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


def heatmap_of(response: Response, symbol: str = "") -> Heatmap:
    """
    Return the heatmap that a response is: an engine in which each cell was opened and closed as the columns have it.

    Amounts are contracts of 1 USD in a book of the response's rows. What has left a cell is closed, because no answer
    says whether it was liquidated.

    Raises
    ------
    DataError
        If the response has no cell, or its prices are not on a grid.
    """
    if not len(response.usd) or not (response.usd > 0).any():
        raise DataError(f"{response.shape}: expected cells with amounts above 0, found none")
    cells = len(response.times) * len(response.levels)
    refuse_beyond("cells", cells, f"{len(response.times):,} columns by {len(response.levels):,} rows", "")
    grid = _Grid.of(response)
    engine = Engine(
        _instrument(response, symbol, grid.tick),
        leverage=_profile(response.tiers),
        window=response.window_ns,
        model="none",
        trigger="mark",  # candles are shown, and touch nothing: the answer's own cells say what is gone
        axis=grid.axis,
    )
    _replay(engine, response, grid)
    return _shown(engine, response, grid, symbol)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Rows on ticks: row `i` begins `first + i * per_row` ticks above zero."""

    tick: float
    first: int
    per_row: int
    rows: int

    @classmethod
    def of(cls, response: Response) -> _Grid:
        """Find the widest ticks on which all rows begin, and prices of candles lie where that is fine enough."""
        low = float(response.levels[0]) - (0.0 if response.from_below else response.step)
        rows = len(response.levels)
        bars = response.candles if response.candles is not None else np.empty(0)
        prices = np.unique(bars[np.isfinite(bars)])
        for others in (prices, np.empty(0)):
            for places in range(13):
                units = np.round(np.array([low, response.step, *others.tolist()]) * 10.0**places)
                if units[1] and np.allclose(units / 10.0**places, [low, response.step, *others], rtol=1e-12, atol=0.0):
                    break
            else:
                continue
            widest = math.gcd(*(int(unit) for unit in units))
            first, per_row = int(units[0]) // widest, int(units[1]) // widest
            if rows * per_row <= MOST_TICKS:
                return cls(float(f"{widest / 10.0**places:.12g}"), first, per_row, rows)
        raise DataError(
            f"{response.shape}: expected rows on a grid of at most {MOST_TICKS:,} ticks, found {rows} of "
            f"{response.step:g} from {low:g}"
        )

    @property
    def axis(self) -> PriceAxis:
        """An axis of ticks over all rows."""
        low, high = (self.price(row) for row in (0, self.rows))
        return PriceAxis(low=low, high=high, step=self.tick, tick_size=self.tick)

    def price(self, row: int) -> float:
        """Where a row begins."""
        return (self.first + row * self.per_row) * self.tick

    def prices(self) -> Floats:
        """The middle of each row: where its levels are put."""
        ticks = self.first + np.arange(self.rows, dtype=np.float64) * self.per_row + self.per_row // 2
        return ticks * self.tick


def _instrument(response: Response, symbol: str, tick: float) -> Instrument:
    most = float(response.usd.max())
    lot = 10.0 ** max(math.ceil(math.log10(most)) - 14, -8)  # of what a double holds, nearly all
    return Instrument(
        symbol=symbol,
        venue=response.vendor,
        contract="inverse",
        tick_size=tick,
        lot_size=lot,
        multiplier=1.0,
        margin=MarginSchedule.flat(0.0),
    )


def _profile(tiers: Sequence[float]) -> LeverageProfile:
    """Each tier weighs 1: amounts of the layers are those of the response."""
    return LeverageProfile(dict.fromkeys(map(float, tiers), 1.0 / len(tiers)), intensity=float(len(tiers)))


def _replay(engine: Engine, response: Response, grid: _Grid) -> None:
    """Make the book of each column that of the response, by what has changed since the column before."""
    rows, tiers = len(response.levels), len(response.tiers)
    at = (response.is_short.astype(np.int64) * rows + response.row) * tiers + response.tier
    order = np.argsort(response.column, kind="stable")
    starts = np.searchsorted(response.column[order], np.arange(len(response.times) + 1))
    prices, lot = grid.prices(), engine.instrument.lot_size
    before = np.zeros((2, rows, tiers))
    for i in range(len(response.times)):
        cells = order[starts[i] : starts[i + 1]]
        amounts = np.bincount(at[cells], response.usd[cells], minlength=before.size)
        now = np.round(amounts.astype(np.float64).reshape(before.shape) / lot) * lot
        _candle(engine, response, i)
        engine.advance(_last_ns(response, i))
        for side, row in zip(*np.nonzero((now < before).any(axis=2)), strict=True):
            less = np.maximum(before[side, row] - now[side, row], 0.0)
            engine.close("short" if side else "long", prices[row], prices[row], less)
        more = now - before
        side, row = np.nonzero((more > 0).any(axis=2))
        if len(side):
            engine.open_levels(side == 1, prices[row], np.maximum(more[side, row], 0.0))
        before = now
    if response.ended_ns is None:
        engine.advance(int(response.times[-1]) + response.window_ns)


def _candle(engine: Engine, response: Response, i: int) -> None:
    if response.candles is None or not np.isfinite(response.candles[i]).all():
        return
    open_, high, low, close = (np.array([value]) for value in response.candles[i])
    interval = _last_ns(response, i) + 1 - int(response.times[i])
    engine.candles(response.times[i : i + 1], open_, high, low, close, interval=interval)


def _last_ns(response: Response, i: int) -> int:
    """The last instant of a column that the response knows."""
    end = int(response.times[i]) + response.window_ns
    is_cut = response.ended_ns is not None and i == len(response.times) - 1
    return (min(max(response.ended_ns or 0, int(response.times[i]) + 1), end - 1) if is_cut else end) - 1


def _shown(engine: Engine, response: Response, grid: _Grid, symbol: str) -> Heatmap:
    heatmap = engine.heatmap()
    shown = heatmap._shown
    view = replace(
        shown.view, first_bin=grid.first, bins_per_row=grid.per_row, rows=grid.rows, count=len(response.times)
    )
    meta = {name: value for name, value in shown.meta.items() if name not in ("trigger", "leverage")} | {
        "symbol": symbol or response.meta.get("symbol", ""),
        "venue": response.meta.get("venue", response.vendor),
        "vendor": response.vendor,
        "shape": response.shape,
        "model": response.meta.get("model", f"{response.vendor}'s"),
        "meaning": response.meta.get("meaning", f"{response.vendor}'s own scale"),
        "tiers_known": response.has_tiers,
    }
    if response.meta.get("synthetic"):
        meta["synthetic"] = True
    return Heatmap(shown.histories, view, meta)
