"""Which part of its histories a heatmap shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core import DEFAULT_BINS_PER_ROW, PriceAxis
from ..errors import InvalidConfigError
from ..words.threshold import Threshold
from .histories import Cells, Histories

ROW = 5e-4  # height of a row, as a share of the price, where ticks are coarse
SIDES = ("both", "long", "short")
UNITS = ("usd", "quantity")
VALUES = ("level", "entry")


SAVED = ("first", "count", "side", "tiers", "first_bin", "rows", "bins_per_row", "threshold", "unit", "opened_within",
         "column_ns")  # fmt: skip
"""What saved files hold of a view, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Cells):
    """Cells that are shown, in rows of equal height, and their windows; what is below the threshold is shown as 0."""

    first: int  # windows
    count: int
    threshold: float | str | None = None


MOST_ROWS, MOST_BINS = 1 << 24, 1 << 26
"""Of a view that is read from a file; an axis that grows has 2^22 bins at most."""


def saved_view(said: Mapping[str, Any], histories: Histories) -> View:
    """
    Return the view that a file says, checked against the histories that it holds.

    Raises
    ------
    ValueError, TypeError, KeyError
        If a part is missing, of another type or out of its range.
    """
    view = View(**{**said, "tiers": tuple(said["tiers"])})
    windows, tiers = len(histories), len(histories.leverage)

    def whole(name: str, least: int, most: int) -> int:
        value = getattr(view, name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{name} of the view must be a whole number from {least} to {most}, was {value!r}")
        return value

    whole("count", 0, windows - whole("first", 0, windows))
    whole("rows", 0, MOST_ROWS)
    whole("first_bin", 0, (1 << 40) - view.rows * whole("bins_per_row", 1, MOST_BINS // max(view.rows, 1)))
    whole("opened_within", 0, 1 << 62)
    if whole("column_ns", 0, 1 << 62) % histories.window_ns:
        raise ValueError(f"column_ns of the view must be a multiple of the window, was {view.column_ns}")
    if len(view.tiers) != tiers or not all(isinstance(one, bool) for one in view.tiers):
        raise ValueError(f"tiers of the view must be {tiers} truths, were {list(view.tiers)!r}")
    for name, known in (("side", SIDES), ("unit", UNITS), ("value", VALUES)):
        if getattr(view, name) not in known:
            raise ValueError(f"{name} of the view must be one of {known}, was {getattr(view, name)!r}")
    if view.threshold is not None:
        Threshold.of(view.threshold)
    return view


def whole_view(histories: Histories, *, step: float | None = None, unit: str = "usd", first: int = 0) -> View:
    """
    Return the view of everything from the window `first` on.

    Parameters
    ----------
    step : float, optional
        Height of the rows, price: a multiple of the book's bins; if left out `automatic_bins_per_row` of them, from the
        price at which the first window opens that has one.
    unit : {"usd", "quantity"}

    Raises
    ------
    InvalidConfigError
        If `step` or `unit` breaks its rule.
    """
    check_unit_name(unit)
    return view_in_rows(histories, bins_per_row(histories, step), unit=unit, first=first)


def view_in_rows(histories: Histories, per_row: int, *, unit: str, first: int, column_ns: int = 0) -> View:
    """Return the view of everything from the window `first` on, in rows of so many bins."""
    count = len(histories) - first
    low, end = histories.extent(first, count, per_row)
    return View(
        first=first,
        count=count,
        side="both",
        tiers=(True,) * len(histories.leverage),
        first_bin=low * per_row,
        bins_per_row=per_row,
        rows=end - low,
        unit=unit,
        column_ns=column_ns,
    )


def bins_per_row(histories: Histories, step: float | None) -> int:
    """How many of the book's bins make a row of so much price."""
    tick, book = histories.tick_size, histories.ticks_per_bin
    if step is None:
        opens = histories.candles()[:, 0] if book == 1 else np.empty(0)
        opens = opens[np.isfinite(opens)]
        return automatic_bins_per_row(float(opens[0]), tick, book) if len(opens) else DEFAULT_BINS_PER_ROW
    ticks = PriceAxis(low=0.0, high=step, step=step, tick_size=tick).ticks_per_bin
    if ticks % book:
        raise InvalidConfigError(f"step must be a multiple of the book's bins ({book * tick:g}), was {step:g}")
    return ticks // book


def automatic_bins_per_row(price: float, tick_size: float, ticks_per_bin: int) -> int:
    """How many bins make a row: five, or fewer where bins are single ticks and five would be over 5 basis points."""
    if ticks_per_bin > 1:
        return DEFAULT_BINS_PER_ROW
    return min(max(round(ROW * round(price / tick_size)), 1), DEFAULT_BINS_PER_ROW)


def check_unit_name(unit: str) -> None:
    """Refuse what is no unit."""
    if unit not in UNITS:
        raise InvalidConfigError(f"unit must be one of {UNITS}, was {unit!r}")
