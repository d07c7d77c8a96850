"""The history of one engine, as a heatmap asks it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import LeverageProfile, tier_name
from ..errors import InvalidConfigError
from ..market.terms import instrument_of
from ..tables.archive import HistoryRows, write_archive
from .histories import Cells, Sides
from .scales import Scales


class _Asked(TypedDict):
    """What the native functions want to know about rows and weights."""

    long_weights: list[float]
    short_weights: list[float]
    first_bin: int
    bins_per_row: int
    rows: int
    usd: bool
    edges: Sequence[int]


@dataclass(eq=False)
class OneHistory:
    """The windows of one engine, what its layers stand for, and whether the last window has ended: `Histories`."""

    history: _core.History
    leverage: LeverageProfile
    complete: bool = True
    terms_said: Mapping[str, Any] | None = None  # of the instrument, as `instrument_values` says them
    scales: Scales | None = None  # on what the layers stand for

    def __post_init__(self) -> None:
        self.tick_size, self.ticks_per_bin = self.history.tick_size, self.history.ticks_per_bin
        self.window_ns, self.whole = self.history.window_ns, self.history.whole

    def __getstate__(self) -> dict[str, Any]:
        """What a file holds of it: the native history as rows."""
        state = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "history"}
        return state | {"rows": HistoryRows.of(self.history)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state.pop("rows").history(), **state)  # type: ignore[misc]

    def __copy__(self) -> Self:  # nothing of it changes
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @cached_property
    def first_ns(self) -> int:
        return self.history.segment(0).start_ns

    @cached_property
    def tiers(self) -> list[float]:
        return [float(tier) for tier in self.leverage.tiers]

    def __len__(self) -> int:
        return len(self.history)

    @cached_property
    def entry_weights(self) -> list[list[float]]:
        """Weights of longs and of shorts at which USD are quantity x entry price: weight / level factor."""
        said = self._said()
        if said is None:
            raise InvalidConfigError("value must be level where the terms of the instrument are not known, was entry")
        instrument, weights = instrument_of(said), self.leverage.weights.tolist()
        if instrument.contract == "inverse":
            return [weights, weights]
        factors = [
            [instrument.margin.level_factor(side, instrument.contract, tier) for tier in self.tiers]
            for side in ("long", "short")
        ]
        return [[w / k if k > 0 else w for w, k in zip(weights, of, strict=True)] for of in factors]

    def _said(self) -> Mapping[str, Any] | None:
        return self.terms_said

    def times(self) -> NDArray[np.int64]:
        return self.history.times()

    def candles(self) -> NDArray[np.float64]:
        return self.history.candles()

    def segment(self, i: int) -> _core.Segment:
        return self.history.segment(i)

    def extent(self, first: int, count: int, bins_per_row: int) -> tuple[int, int]:
        weights = self.leverage.weights.tolist()
        low, high = self.history.extent(long_weights=weights, short_weights=weights, first_column=first, columns=count)
        return low // bins_per_row, -(-high // bins_per_row)

    def columns(self, cells: Cells, first: int, count: int, *, liquidated: bool = False) -> Sides:
        sides = self.history.columns(
            **self._asked(cells),
            first_column=first,
            columns=count,
            opened_within=cells.opened_within,
            column_ns=cells.column_ns,
            liquidated=liquidated,
        )
        if self.scales is not None:
            firsts, lasts = self._windows_of_columns(cells, first, count)
            known = self._start(firsts) if liquidated else self._start(lasts + 1)
            for values, factors in zip(sides, self.scales.at(known).astype(np.float32), strict=True):
                values *= factors[:, None]
        return sides

    def layers(self, cells: Cells, i: int) -> NDArray[np.float64]:
        live = self.history.map(i, **self._asked(cells), opened_within=cells.opened_within)
        return live if self.scales is None else live * self._after(i)[:, None]

    def age(self, cells: Cells, i: int, windows: Sequence[int]) -> NDArray[np.float64]:
        live = self.history.age(i, windows=windows, **self._asked(cells))
        return live if self.scales is None else live * self._after(i)

    def _after(self, i: int) -> NDArray[np.float64]:
        """Factors that were known at the end of window `i`, (2, 1)."""
        assert self.scales is not None
        return self.scales.at(self._start(np.array([range(len(self))[i] + 1])))

    def _start(self, windows: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.first_ns + windows * self.window_ns

    def _windows_of_columns(self, cells: Cells, first: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first and the last window of each column."""
        windows = np.arange(first, first + count, dtype=np.int64)
        changes = np.flatnonzero(np.diff(self._start(windows) // (cells.column_ns or self.window_ns)))
        return windows[np.append(0, changes + 1)] if count else windows, windows[np.append(changes, count - 1)]

    def since(self, cells: Cells, first: int, count: int, threshold: float) -> NDArray[np.int64]:
        if self.scales is not None and count:
            lasts = self._windows_of_columns(cells, first, count)[1]
            length = cells.column_ns or self.window_ns
            starts = self._start(lasts) // length * length
            return since_in(self.columns(cells, first, count), starts, threshold)
        return self.history.since(
            threshold=threshold,
            **self._asked(cells),
            first_column=first,
            columns=count,
            opened_within=cells.opened_within,
            column_ns=cells.column_ns,
        )

    def check_unit(self, unit: str) -> None:
        """All that it sums counts the same thing."""

    def check_value(self, value: str) -> None:
        if value == "entry":
            assert len(self.entry_weights) == 2, "or it raises"

    def reweighed(self, leverage: LeverageProfile, /) -> Self:
        given = leverage.to_dict()
        check_tiers(given, self.tiers)
        shares = {tier: given.get(tier, 0.0) for tier in self.tiers}
        return replace(self, leverage=LeverageProfile(shares, intensity=leverage.intensity))

    def save(self, path: str | os.PathLike[str], key: str, said: Mapping[str, Any]) -> Path:
        """Its configuration, where the metadata have it, is written so that `Config.load` reads it."""
        header = {"complete": self.complete, **said}
        if self.scales is not None:
            header["scales"] = self.scales.to_plain()
        return write_archive(path, key, header, self.history, self.leverage, said["meta"].get("config"))

    def _asked(self, cells: Cells) -> _Asked:
        at_entry = cells.unit == "usd" and cells.value == "entry"
        longs, shorts = self.entry_weights if at_entry else [self.leverage.weights.tolist()] * 2

        def kept(weights: list[float], other: str) -> list[float]:
            counts = (counts and cells.side != other for counts in cells.tiers)
            return [weight if shown else 0.0 for weight, shown in zip(weights, counts, strict=True)]

        return {
            "long_weights": kept(longs, "short"),
            "short_weights": kept(shorts, "long"),
            "first_bin": cells.first_bin,
            "bins_per_row": cells.bins_per_row,
            "rows": cells.rows,
            "usd": cells.unit == "usd",
            "edges": cells.edges,
        }


NEVER = np.iinfo(np.int64).min


def since_in(sides: Sides, starts: NDArray[np.int64], threshold: float) -> NDArray[np.int64]:
    """Do what `Histories.since` does, with columns at hand that start at some times."""
    out = np.full((2, sides[0].shape[1]), NEVER)
    for side, live in enumerate(sides):
        below = ~((live > 0) & (live.astype(np.float64) >= threshold))
        broken = np.where(below.any(axis=0), len(starts) - np.argmax(below[::-1], axis=0), 0)  # columns to its last
        out[side] = np.append(starts, NEVER)[broken]
    return out


def check_tiers(given: Mapping[float, float], tiers: Sequence[float]) -> None:
    """Refuse shares of tiers that there are no layers of."""
    for tier in given:
        if tier not in tiers:
            raise InvalidConfigError(
                f"leverage must be among the tiers ({', '.join(map(tier_name, tiers))}), was {tier_name(tier)}"
            )
