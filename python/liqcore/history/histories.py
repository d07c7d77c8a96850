"""What a heatmap asks of what lies behind it: one engine's windows, several venues', or another's answers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .._core import LeverageProfile

Sides = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Longs and shorts, each of shape (columns, rows)."""


@dataclass(frozen=True, slots=True)
class Cells:
    """
    Which cells are asked for: the levels that count, the rows they are summed into, and the unit.

    It names tiers, not weights: who answers knows its own.
    """

    side: str
    tiers: tuple[bool, ...]  # which of the histories' tiers count
    first_bin: int  # absolute book bin of row 0
    bins_per_row: int
    rows: int
    unit: str
    opened_within: int = 0  # windows; 0: whenever opened
    column_ns: int = 0  # length of a column; 0: one window
    value: str = "level"  # at which price USD are reckoned: of the "level", or of the "entry" that implies it
    edges: Sequence[int] = ()  # first bins of the rows and the end of the last, where rows are not of equal height


class Window(Protocol):
    """What happened in one window."""

    @property
    def start_ns(self) -> int: ...

    @property
    def end_ns(self) -> int: ...

    @property
    def open_interest(self) -> float:
        """The last sample known at its end, quantity; NaN where there was none yet."""

    @property
    def last_ns(self) -> int | None:
        """The last event up to its end; None where there was none yet."""

    def touched(self, side: str) -> Sequence[tuple[int, object]]:
        """Return first the bins at and beyond which the price consumed levels of a side ("long" or "short")."""


class Histories(Protocol):
    """
    Windows of one market, back to back, and the layers that they leave behind: one a leverage tier and side.

    Windows are numbered from 0. Layers are weighed by `leverage` (share x intensity) on the way out. What is asked for
    has passed the checks of a heatmap; only what an implementation alone can know is left to it.
    """

    @property
    def leverage(self) -> LeverageProfile:
        """Tiers and the shares that weigh them."""

    @property
    def tick_size(self) -> float:
        """Price."""

    @property
    def ticks_per_bin(self) -> int:
        """Width of the book's bins, at which price consumes levels."""

    @property
    def window_ns(self) -> int:
        """Length of a window, ns."""

    @property
    def first_ns(self) -> int:
        """When the first window begins."""

    @property
    def whole(self) -> bool:
        """Whether the first window began with an empty book, so that nothing was opened before it."""

    @property
    def complete(self) -> bool:
        """Whether the last window has ended."""

    def __len__(self) -> int:
        """Count the windows."""

    def times(self) -> NDArray[np.int64]:
        """Return the start of each window, ns."""

    def candles(self) -> NDArray[np.float64]:
        """Return the candle of each window, shape (windows, 6): the fields of `liqcore.history.candles.CANDLE`."""

    def segment(self, i: int) -> Window:
        """Return a window; from the end if `i` is negative."""

    def extent(self, first: int, count: int, bins_per_row: int) -> tuple[int, int]:
        """Return the first row that some windows have something in, and one past the last; equal where there is none.
        Row 0 begins at bin 0."""

    def columns(self, cells: Cells, first: int, count: int, *, liquidated: bool = False) -> Sides:
        """Return what is live at the end of each column of some windows, or what was liquidated in it."""

    def layers(self, cells: Cells, i: int) -> NDArray[np.float64]:
        """Return what is live at the end of window `i`, (2, tiers, rows); tiers that do not count are 0."""

    def age(self, cells: Cells, i: int, windows: Sequence[int]) -> NDArray[np.float64]:
        """Return what of it was opened within the last so many windows, rising: (len(windows), 2, rows)."""

    def since(self, cells: Cells, first: int, count: int, threshold: float) -> NDArray[np.int64]:
        """Return the start of the first column since which a cell has been at or above a threshold without a break up
        to the last of some windows, ns, (2, rows); the smallest int64 where it is below, or zero."""

    def check_unit(self, unit: str) -> None:
        """Raise `InvalidConfigError` where sums in a unit would mean nothing."""

    def check_value(self, value: str) -> None:
        """Raise `InvalidConfigError` where USD cannot be reckoned at the "entry", because nobody knows the terms."""

    def reweighed(self, leverage: LeverageProfile, /) -> Histories:
        """Return it at other shares of its tiers; raise `InvalidConfigError` where a tier is none of them."""

    def save(self, path: str | os.PathLike[str], key: str, said: Mapping[str, Any]) -> Path:
        """Write it, whole or not at all, with JSON values under the metadata `key` of a Parquet file."""
