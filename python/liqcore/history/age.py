"""How old live levels are: what of them was opened within several lengths of time, and since when they are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..words.times import AGES, Length, format_duration, iso, parse_duration
from .shown import Shown
from .view import SIDES


@dataclass(frozen=True, slots=True, repr=False)
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

    def __repr__(self) -> str:
        return f"<Age at {iso(self.time_ns)}: within {', '.join(self.within)}, {len(self.prices)} bins, {self.unit}>"


def shares_of(opened: NDArray[np.float64], live: NDArray[np.float64] | np.floating[Any]) -> NDArray[np.float64]:
    """Divide; rounding may not take a share above 1, and where nothing is live there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(live > 0, np.minimum(opened / live, 1.0), np.nan)


def age_after(shown: Shown, i: int, within: Sequence[Length] | None, threshold: float | str | None) -> Age:
    """`Heatmap.age` after column `i`."""
    names, live, opened = opened_within(shown, i, within)
    view = shown.view
    given = view.threshold if threshold is None else threshold
    cutoff = 0.0 if given is None else shown.limit(given).cutoff(shown.unlimited)
    since = shown.histories.since(view, view.first, shown.last_window(i) + 1 - view.first, cutoff)
    return Age(shown.end_of(i), names, shown.prices, shown.step, live, opened, since, float(cutoff), view.unit)


def opened_within(
    shown: Shown, i: int, within: Sequence[Length] | None
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]:
    """Lengths by name, what is live after a column, and what of it was opened within them: see `Age`."""
    shown.refuse_sequential("age")
    view, histories = shown.view, shown.histories
    if within is None:
        within = [age for age in AGES if parse_duration(age) >= histories.window_ns]
    windows = [shown.whole_windows(length, "within") for length in within]
    if windows != sorted(set(windows)):
        raise InvalidConfigError(f"within must rise by at least a window each, was {list(within)!r}")
    last = shown.last_window(i)
    live = shown.layers(i).sum(axis=1)
    limit = view.opened_within or len(histories) + max(windows, default=1)
    known = [count for count in windows if histories.whole or min(count, limit) <= last + 1]
    asked = sorted({min(count, limit) for count in known})
    opened = histories.age(view, last, asked)
    out = np.full((len(windows), 2, view.rows), np.nan)
    for k, count in enumerate(known):
        out[k] = np.minimum(opened[asked.index(min(count, limit))], live)  # apart from rounding it never exceeds
    names = (
        length if isinstance(length, str) else format_duration(parse_duration(length, name="within"))
        for length in within
    )
    return tuple(names), live, out
