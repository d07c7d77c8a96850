"""Rows of prices that an answer gives, and cells of a heatmap that an answer is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..tables.frames import decimals_of
from .response import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """
    Rows of equal height without a gap.

    Attributes
    ----------
    lows : ndarray of float64, shape (rows,)
    step : float
    """

    lows: Floats
    step: float

    @classmethod
    def on_grid(cls, prices: Floats, step: float, what: str) -> Given:
        """Return the rows in whose middles, or at whose lower edges, all prices lie."""
        away = (prices - prices[0]) / step
        whole = np.round(away)
        if (np.abs(away - whole) > 1e-6).any():
            at = int(np.argmax(np.abs(away - whole)))
            raise DataError(
                f"{what}: expected prices a multiple of {step:.10g} apart, found {prices[0]:.10g} and {prices[at]:.10g}"
            )
        half = 0.5 if abs(round(float(prices[0]) / step) - float(prices[0]) / step) > 1e-6 else 0.0
        first = float(prices[0]) - half * step
        return cls(_rounded(first + np.arange(whole[-1] + 1, dtype=np.float64) * step, step), step)

    @classmethod
    def around(cls, prices: Floats, step: float) -> Given:
        """Return rows at multiples of a step that hold all prices."""
        first, last = np.floor(float(prices.min()) / step), np.floor(float(prices.max()) / step)
        return cls(_rounded(np.arange(first, last + 1, dtype=np.float64) * step, step), step)

    def rows(self, prices: Floats) -> NDArray[np.int64]:
        """Return in which row each price lies."""
        return np.searchsorted(self.lows, prices + 1e-9 * self.step, side="right").astype(np.int64) - 1


def _rounded(values: Floats, step: float) -> Floats:
    return np.round(values, decimals_of(step) + 2)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """
    What an answer is made of: a heatmap's cells in USD, with layers and ages after its last column.

    Attributes
    ----------
    times : ndarray of int64, shape (columns,)
    window_ns : int
    complete : bool
        Whether the last column has ended.
    last_ns : int
        The last instant that it knows.
    edges : ndarray of float64, shape (rows + 1,)
    decimals : int
        Of prices.
    long, short : ndarray of float32, shape (columns, rows)
    candles : ndarray of float64, shape (columns, 4)
        Open, high, low, close; NaN where nothing traded.
    volumes : list of str or None
        Volume of each column in USD, as text; None where that is not known.
    tiers : list of float
    layers : ndarray of float64, shape (2, tiers, rows)
    since : ndarray of int64, shape (2, rows)
        Since when there has been something, ns.
    """

    times: NDArray[np.int64]
    window_ns: int
    complete: bool
    last_ns: int
    edges: Floats
    decimals: int
    long: NDArray[np.float32]
    short: NDArray[np.float32]
    candles: Floats
    volumes: list[str | None]
    tiers: list[float]
    layers: Floats
    since: NDArray[np.int64]

    @classmethod
    def of(cls, heatmap: Any, column: int) -> Cells:
        """Take them from a heatmap, with layers after a column."""
        shown = heatmap._shown
        candles = shown.candles
        prices = np.stack([candles[name] for name in ("open", "high", "low", "close")], axis=1)
        return cls(
            times=shown.times,
            window_ns=shown.window_ns,
            complete=bool(shown.complete[-1]),
            last_ns=_last_ns(shown),
            edges=shown.edges,
            decimals=decimals_of(shown.histories.tick_size),
            long=shown.cells[0],
            short=shown.cells[1],
            candles=prices,
            volumes=_volumes(shown),
            tiers=[float(tier) for tier in shown.histories.leverage.tiers],
            layers=shown.layers(column),
            since=_since(shown, column),
        )

    @property
    def end_ns(self) -> int:
        """The end of the last column."""
        return int(self.times[-1]) + self.window_ns

    def filled_close(self) -> Floats:
        """The last price known after each column; NaN before the first."""
        return self.filled_candles()[:, 3]

    def filled_candles(self) -> Floats:
        """Candles; a column without a trade is flat at the price before, and 0 where there was none."""
        known = np.maximum.accumulate(np.where(np.isnan(self.candles[:, 3]), -1, np.arange(len(self.candles))))
        close = np.where(known >= 0, self.candles[np.maximum(known, 0), 3], 0.0)
        return np.where(np.isnan(self.candles), close[:, None], self.candles)


def _last_ns(shown: Any) -> int:
    last = shown.histories.segment(shown.last_window(len(shown.times) - 1)).last_ns
    end = shown.end_of(len(shown.times) - 1)
    return int(end - 1 if shown.complete[-1] or last is None else min(last, end - 1))


def _volumes(shown: Any) -> list[str | None]:
    terms = shown.meta.get("instrument")
    if not terms:
        return [None] * len(shown.times)
    candles = shown.candles
    quantity = np.nan_to_num(candles["buy_qty"]) + np.nan_to_num(candles["sell_qty"])
    price = np.nan_to_num(candles["close"]) if terms["contract"] != "inverse" else 1.0
    return [f"{value:.4f}" for value in (quantity * price * float(terms.get("multiplier", 1.0))).tolist()]


def _since(shown: Any, column: int) -> NDArray[np.int64]:
    first, count = shown.view.first, shown.last_window(column) + 1 - shown.view.first
    since = shown.histories.since(shown.view, first, count, 0.0)
    return np.asarray(np.maximum(since, int(shown.times[0])), np.int64)  # below: nothing there
