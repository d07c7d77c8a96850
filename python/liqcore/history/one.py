"""The history of one engine, as a heatmap asks it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import LeverageProfile
from ..errors import InvalidConfigError
from ..tables.archive import write_archive
from .histories import Cells, Sides


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

    def __post_init__(self) -> None:
        self.tick_size, self.ticks_per_bin = self.history.tick_size, self.history.ticks_per_bin
        self.window_ns, self.whole = self.history.window_ns, self.history.whole

    @cached_property
    def first_ns(self) -> int:
        return self.history.segment(0).start_ns

    @cached_property
    def tiers(self) -> list[float]:
        return [float(tier) for tier in self.leverage.tiers]

    def __len__(self) -> int:
        return len(self.history)

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
        return self.history.columns(
            **self._asked(cells),
            first_column=first,
            columns=count,
            opened_within=cells.opened_within,
            column_ns=cells.column_ns,
            liquidated=liquidated,
        )

    def layers(self, cells: Cells, i: int) -> NDArray[np.float64]:
        return self.history.map(i, **self._asked(cells), opened_within=cells.opened_within)

    def age(self, cells: Cells, i: int, windows: Sequence[int]) -> NDArray[np.float64]:
        return self.history.age(i, windows=windows, **self._asked(cells))

    def since(self, cells: Cells, first: int, count: int, threshold: float) -> NDArray[np.int64]:
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

    def reweighed(self, leverage: LeverageProfile, /) -> Self:
        given = leverage.to_dict()
        check_tiers(given, self.tiers)
        shares = {tier: given.get(tier, 0.0) for tier in self.tiers}
        return replace(self, leverage=LeverageProfile(shares, intensity=leverage.intensity))

    def save(self, path: str | os.PathLike[str], key: str, said: Mapping[str, Any]) -> Path:
        """Its configuration, where the metadata have it, is written so that `Config.load` reads it."""
        header = {"complete": self.complete, **said}
        return write_archive(path, key, header, self.history, self.leverage, said["meta"].get("config"))

    def _asked(self, cells: Cells) -> _Asked:
        weights = zip(self.leverage.weights.tolist(), cells.tiers, strict=True)
        kept = [weight if counts else 0.0 for weight, counts in weights]
        none = [0.0] * len(kept)
        return {
            "long_weights": none if cells.side == "short" else kept,
            "short_weights": none if cells.side == "long" else kept,
            "first_bin": cells.first_bin,
            "bins_per_row": cells.bins_per_row,
            "rows": cells.rows,
            "usd": cells.unit == "usd",
            "edges": cells.edges,
        }


def check_tiers(given: Mapping[float, float], tiers: Sequence[float]) -> None:
    """Refuse shares of tiers that there are no layers of."""
    for tier in given:
        if tier not in tiers:
            raise InvalidConfigError(f"leverage must be among the tiers {list(tiers)}, was {tier:g}")
