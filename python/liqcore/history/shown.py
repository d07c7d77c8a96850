"""What a heatmap is made of: histories, and the part of them that is shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import tier_name, tier_of
from ..errors import InvalidConfigError
from ..tables.archive import NO_CHECKSUM_KEY
from ..words.limits import limits, refuse_beyond
from ..words.room import free_bytes, refuse_too_large
from ..words.threshold import Threshold
from ..words.times import Length, Time, format_duration, iso, parse_duration, to_ns
from .candles import CANDLE, join_candles
from .histories import Histories, Sides
from .view import SAVED, SIDES, VALUES, View, bins_per_row, check_unit_name

CELL_BYTES = 12
"""Of a cell that is shown: longs, shorts and their sum."""

_SMALL = 1 << 26  # bytes for which nobody asks how much is left
_KEPT = 1 << 29  # bytes of cells that are made and kept, where there is room, if only a part of them is asked for
_BLOCK_CELLS = 1 << 23  # at once, where all of many are gone through
ARCHIVE_KEY = "liqcore.heatmap"


class Shown:
    """
    Histories and the part of them that is shown, with what is reckoned from the two; immutable but for `meta`.

    `meta` says where they come from, and on top of what is given what the view does: the book's age, what is hidden.
    Arrays are computed on first use, kept, and read-only.
    """

    def __init__(self, histories: Histories, view: View, meta: Mapping[str, Any]) -> None:
        histories.check_unit(view.unit)
        self.histories = histories
        self.view = view
        self._given = dict(meta)

    @cached_property
    def meta(self) -> dict[str, Any]:
        """Where they come from, and what the view makes of it; made on first use: a selection is often only a step."""
        view, histories = self.view, self.histories
        meta = self.__dict__["meta"] = self._given
        if len(histories):
            self._say_age()
        self._say_part()
        if view.opened_within:
            meta["opened_within_ns"] = view.opened_within * histories.window_ns
        if view.threshold is not None:
            meta["hidden"] = f"below {Threshold.of(view.threshold)}"
        if view.column_ns:
            meta["window"] = format_duration(view.column_ns)
        return meta

    def __getstate__(self) -> tuple[Histories, View, dict[str, Any]]:
        return self.histories, self.view, self.meta  # what was reckoned from them is reckoned again

    def __setstate__(self, state: tuple[Histories, View, dict[str, Any]]) -> None:
        self.histories, self.view, self.meta = state

    def _say_age(self) -> None:
        """Say how old the book is, from its first event on, and which share of its last column it has seen."""
        end, last = self.end_ns, self.histories.segment(self.view.first + self.view.count - 1).last_ns
        seen = end if last is None or self._has_ended else min(last, end)
        self.meta["book_age_ns"] = seen - int(self.meta.get("began_ns", self.histories.first_ns))
        start = (end - 1) // self.window_ns * self.window_ns
        self.meta["last_window_share"] = (seen - start) / self.window_ns

    def age_after(self, column: int) -> int:
        """How old the book is after a column, ns."""
        if column in (-1, len(self.times) - 1):
            return int(self.meta["book_age_ns"])
        began = int(self.meta.get("began_ns", self.histories.first_ns))
        return self.histories.segment(self.last_window(column)).end_ns - began

    @property
    def _has_ended(self) -> bool:
        """Whether the last window shown has: another follows, or its last nanosecond has been seen."""
        at = self.view.first + self.view.count
        if at < len(self.histories) or self.histories.complete or not at:
            return True
        last = self.histories.segment(at - 1)
        return last.last_ns is not None and last.last_ns >= last.end_ns - 1

    def _say_part(self) -> None:
        """Say which of the levels are shown, where that is not all of them."""
        tiers = [float(tier) for tier in self.histories.leverage.tiers]
        self.meta["tiers"] = tiers
        part: dict[str, Any] = {} if self.view.side == "both" else {"side": self.view.side}
        if not all(self.view.tiers):
            part["leverage"] = [tier for tier, counts in zip(tiers, self.view.tiers, strict=True) if counts]
        self.meta["shown"] = part

    def seen(self, view: View) -> Shown:
        """Another part of the same."""
        return Shown(self.histories, view, self.meta)

    # --- columns and rows ---

    @property
    def window_ns(self) -> int:
        """Length of a column, ns."""
        return self.view.column_ns or self.histories.window_ns

    @property
    def book_step(self) -> float:
        """Width of the book's own bins, price."""
        return self.histories.ticks_per_bin * self.histories.tick_size

    @property
    def step(self) -> float:
        """Height of a row, price."""
        return self.view.bins_per_row * self.histories.ticks_per_bin * self.histories.tick_size

    @property
    def end_ns(self) -> int:
        """The end of the last window shown."""
        return self.histories.segment(self.view.first + self.view.count - 1).end_ns

    @property
    def windows(self) -> slice:
        """The windows shown."""
        return slice(self.view.first, self.view.first + self.view.count)

    @cached_property
    def window_times(self) -> NDArray[np.int64]:
        """Start of each window shown."""
        return self.histories.times()[self.windows]

    @cached_property
    def starts(self) -> NDArray[np.intp]:
        """Index of the first window of each column, among those shown, and their number at the end."""
        columns = self.window_times // self.window_ns
        firsts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1)) if len(columns) else np.array([], np.intp)
        return np.append(firsts, len(columns))

    @cached_property
    def times(self) -> NDArray[np.int64]:
        """Start of each column, ns."""
        return frozen(self.window_times[self.starts[:-1]] // self.window_ns * self.window_ns)

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the rows, one more than there are rows: an upper edge is the next lower one, to the bit."""
        bins = self.view.first_bin + np.arange(self.view.rows + 1) * self.view.bins_per_row
        ticks = (bins * self.histories.ticks_per_bin).astype(np.float64)
        return frozen(ticks * self.histories.tick_size)

    @cached_property
    def prices(self) -> NDArray[np.float64]:
        """Lower edges of the rows."""
        return self.edges[:-1]

    @cached_property
    def candles(self) -> NDArray[np.void]:
        """Candle of each column."""
        rows = self.histories.candles()[self.windows].view(CANDLE).reshape(-1)
        return frozen(rows if not self.view.column_ns else join_candles(rows, self.starts))

    @cached_property
    def open_interest(self) -> NDArray[np.float64]:
        """Last sample known at each column's end, quantity."""
        last = (self.last_window(i) for i in range(len(self.times)))
        return frozen(np.array([self.histories.segment(i).open_interest for i in last], np.float64))

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Whether each column's window has ended."""
        out = np.ones(len(self.times), dtype=np.bool_)
        if len(out):
            out[-1] = self._has_ended and self.end_ns == self.times[-1] + self.window_ns
        return frozen(out)

    # --- where a time lies ---

    def column_at(self, ts: Time | None) -> int:
        """The column known at a time, the last one if none is given."""
        if ts is not None:
            return self.complete_column_at(ts)
        if self.view.count == 0:
            raise InvalidConfigError("the heatmap has no column")
        return len(self.times) - 1

    def complete_column_at(self, ts: Time) -> int:
        """The last complete column that had ended by a time."""
        at = to_ns(ts)
        i = int(np.searchsorted(self.times + self.window_ns, at, side="right")) - 1
        if i >= 0 and not self.complete[i]:
            i -= 1
        if i < 0:
            first = f"which is {iso(int(self.times[0]) + self.window_ns)}" if self.view.count else "there is none"
            raise InvalidConfigError(
                f"ts must not be before the end of the first complete column ({first}), was {ts!r}"
            )
        return i

    def end_of(self, column: int) -> int:
        """When a column ends, ns."""
        return int(self.times[column]) + self.window_ns

    def columns_of(self, length: Length, name: str) -> int:
        """How many columns a length of time is; the argument `name` must be a multiple of one."""
        ns = parse_duration(length, name=name)
        if ns % self.window_ns:
            columns = f"the heatmap's columns ({format_duration(self.window_ns)})"
            raise InvalidConfigError(f"{name} must be a multiple of {columns}, was {length!r}")
        return ns // self.window_ns

    def windows_of(self, column: int) -> tuple[int, int]:
        """First window of a column, in the histories, and their number."""
        first, end = int(self.starts[column]), int(self.starts[column + 1])
        return self.view.first + first, end - first

    def last_window(self, column: int) -> int:
        """The last window of a column, in the histories."""
        return self.view.first + int(self.starts[column + 1]) - 1

    # --- cells ---

    def fold(self, first: int, count: int, *, liquidated: bool = False) -> Sides:
        """
        Longs and shorts of the columns of some windows, live or liquidated, whatever the threshold.

        Cells that would not fit the memory that is left are an InvalidConfigError.
        """
        columns, rows = -(-count * self.histories.window_ns // self.window_ns), self.view.rows
        if CELL_BYTES * columns * rows >= _SMALL or columns * rows > limits().cells:
            cells = f"{columns:,} columns of {format_duration(self.window_ns)} by {rows:,} rows of {self.step:g}"
            helps = "a longer window, higher rows (step) or a shorter span (last) need less"
            refuse_beyond("cells", columns * rows, cells, helps)
            refuse_too_large(CELL_BYTES * columns * rows, cells, helps)
        return self.histories.columns(self.view, first, count, liquidated=liquidated)

    @cached_property
    def cells(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Longs, shorts and their sum, (columns, rows) each; what is below the threshold is 0."""
        longs, shorts = self.fold(self.view.first, self.view.count)
        values = longs + shorts
        if self.view.threshold is not None and values.size:
            if "cut" not in self.__dict__:
                self.__dict__["cut"] = Threshold.of(self.view.threshold).cutoff(values)
            shown = values >= np.float32(self.cut)
            for array in (longs, shorts, values):
                array *= shown
        return frozen(longs), frozen(shorts), frozen(values)

    @property
    def _is_small(self) -> bool:
        """Whether all cells are made, or may be, to take a part of them."""
        need = CELL_BYTES * len(self.times) * self.view.rows
        return "cells" in self.__dict__ or need < _SMALL or (need <= _KEPT and 4 * need <= (free_bytes() or 0))

    @cached_property
    def cut(self) -> float:
        """Amount below which cells are shown as 0, from all of them; 0 without a threshold."""
        if self.view.threshold is None or not self.view.rows or not self.view.count:
            return 0.0
        limit = Threshold.of(self.view.threshold)
        if limit.kind == "amount":
            return limit.value
        if self._is_small:
            _ = self.cells
            return float(self.__dict__["cut"])
        return limit.cutoff_of(self._all_blocks)

    def _all_blocks(self) -> Iterator[NDArray[np.float32]]:
        """All cells, whatever the threshold, in blocks of columns."""
        count = max(_BLOCK_CELLS // self.view.rows, 1)
        for first in range(0, len(self.times), count):
            longs, shorts = self._fold_part(first, min(count, len(self.times) - first), 0, self.view.rows)
            longs += shorts
            yield longs

    def _fold_part(self, first: int, count: int, low: int, high: int) -> Sides:
        begin, end = int(self.starts[first]), int(self.starts[first + count])
        row = self.view.first_bin + low * self.view.bins_per_row
        part = replace(self.view, first_bin=row, rows=high - low)
        return self.histories.columns(part, self.view.first + begin, end - begin)

    def block(self, first: int, count: int, low: int, high: int) -> Sides:
        """Longs and shorts of some columns and rows: what `cells` has there, and of many cells no more than these."""
        if self._is_small:
            part = slice(first, first + count), slice(low, high)
            return self.cells[0][part], self.cells[1][part]
        longs, shorts = self._fold_part(first, count, low, high)
        if self.view.threshold is not None:
            is_shown = longs + shorts >= np.float32(self.cut)
            longs *= is_shown
            shorts *= is_shown
        return longs, shorts

    @property
    def unlimited(self) -> NDArray[np.float32]:
        """The sum of longs and shorts without the threshold."""
        if self.view.threshold is None:
            return self.cells[2]
        longs, shorts = self.fold(self.view.first, self.view.count)
        return longs + shorts

    def column(self, i: int) -> Sides:
        """Longs and shorts of one column, (rows,) each; the others are made only where a threshold needs them."""
        if "cells" in self.__dict__ or self.view.threshold is not None:
            longs, shorts = self.block(i % len(self.times), 1, 0, self.view.rows)
        else:
            longs, shorts = self.fold(*self.windows_of(i))
        return longs[0], shorts[0]

    @cached_property
    def liquidated(self) -> NDArray[np.float32]:
        """What was liquidated in each column, (columns, rows)."""
        longs, shorts = self.fold(self.view.first, self.view.count, liquidated=True)
        return frozen(longs + shorts)

    def layers(self, column: int) -> NDArray[np.float64]:
        """What is live after a column, (2, tiers, rows), whatever the threshold."""
        return self.histories.layers(self.view, self.last_window(column))

    def price_after(self, column: int) -> float:
        """The last traded price known after a column; NaN where nothing traded yet."""
        closes = self.histories.candles()[: self.last_window(column) + 1, 3]
        traded = closes[~np.isnan(closes)]
        return float(traded[-1]) if traded.size else float("nan")

    # --- other views ---

    def narrowed(
        self,
        side: str | None,
        leverage: float | str | Iterable[float | str] | None,
        span: tuple[Time | None, Time | None, Length | None],
        opened_within: Length | None,
        threshold: float | str | None,
        unit: str | None,
        value: str | None = None,
    ) -> View:
        """The view that a selection leaves: see `Heatmap.select`."""
        view = self.view
        if side is not None:
            if side not in SIDES:
                raise InvalidConfigError(f"side must be one of {SIDES}, was {side!r}")
            if view.side not in ("both", side):
                raise InvalidConfigError(f'side must be "{view.side}", which was selected before, was {side!r}')
            view = replace(view, side=side)
        if leverage is not None:
            asked = [tier_of(tier) for tier in ([leverage] if isinstance(leverage, int | float | str) else leverage)]
            tiers = [float(tier) for tier in self.histories.leverage.tiers]
            shown = [tier for tier, is_shown in zip(tiers, view.tiers, strict=True) if is_shown]
            for tier in asked:
                if tier not in shown:
                    raise InvalidConfigError(
                        f"leverage must be among the tiers ({', '.join(map(tier_name, shown))}), was {tier_name(tier)}"
                    )
            view = replace(view, tiers=tuple(tier in asked for tier in tiers))
        if span != (None, None, None):
            view = self._spanned(view, *span)
        if opened_within is not None:
            view = self._opened_within(view, opened_within)
        if value is not None:
            if value not in VALUES:
                raise InvalidConfigError(f"value must be one of {VALUES}, was {value!r}")
            view = replace(view, value=value)
            self.histories.check_value(value)
        return self.in_unit(view, unit, threshold)

    def _spanned(self, view: View, start: Time | None, end: Time | None, last: Length | None) -> View:
        """The columns that begin at `start` or later and have ended by `end`, and of these the last."""
        if not view.count:
            return view
        first, stop = 0, len(self.times)
        if start is not None:
            first = int(np.searchsorted(self.times, to_ns(start, name="start"), side="left"))
            if first == stop:
                raise InvalidConfigError(
                    f"start must not be after the beginning of the last column ({iso(int(self.times[-1]))}), "
                    f"was {start!r}"
                )
        if end is not None:
            stop = int(np.searchsorted(self.times + self.window_ns, to_ns(end, name="end"), side="right"))
            if not stop:
                raise InvalidConfigError(
                    f"end must not be before the end of the first column ({iso(self.end_of(0))}), was {end!r}"
                )
            if stop <= first:
                raise InvalidConfigError(f"end must be a column after start ({start!r}) or more, was {end!r}")
        if last is not None:
            length = parse_duration(last, name="last")
            if length < self.window_ns:
                raise InvalidConfigError(
                    f"last must be at least one window ({format_duration(self.window_ns)}), was {last!r}"
                )
            first = max(first, int(np.searchsorted(self.times, self.end_of(stop - 1) - length, side="left")))
        begin, end_ = int(self.starts[first]), int(self.starts[stop])
        return replace(view, first=view.first + begin, count=end_ - begin)

    def _opened_within(self, view: View, length: Length) -> View:
        windows = self.whole_windows(length, "opened_within")
        window_ns = self.histories.window_ns
        if view.opened_within and windows > view.opened_within:
            before = format_duration(view.opened_within * window_ns)
            raise InvalidConfigError(
                f"opened_within must not be longer than {before}, which was selected before, was {length!r}"
            )
        self.refuse_sequential("opened_within")
        if view.count and windows > view.first + 1 and not self.histories.whole:
            kept = format_duration((view.first + 1) * window_ns)
            raise InvalidConfigError(
                "opened_within must lie within the windows that the engine kept, which begin "
                f"{iso(self.histories.first_ns)}, {kept} before the end of the first column shown; was {length!r}: "
                "show fewer columns (last=), or keep more"
            )
        return replace(view, opened_within=windows)

    def in_unit(self, view: View, unit: str | None, threshold: float | str | None = None) -> View:
        """A view in another unit, where one is given, and below another threshold, which must be in that unit."""
        if unit is not None:
            check_unit_name(unit)
            view = replace(view, unit=unit)
        if threshold is not None:
            limit = Threshold.of(threshold)
            said = f"{limit.value!r} {limit.unit or view.unit}" if limit.kind == "amount" else threshold
            view = replace(view, threshold=limit.value if limit.kind == "share" else said)
        if view.threshold is not None and Threshold.of(view.threshold).unit not in (None, view.unit):
            raise InvalidConfigError(
                f"threshold must be in the unit that is shown, {view.unit}, was {str(view.threshold)!r}"
            )
        return view

    def rebinned(self, *, step: float | None = None, window: Length | None = None) -> View:
        """The view in other cells: see `Heatmap.rebin`."""
        view = self.view
        if step is not None:
            per_row = bins_per_row(self.histories, step)
            end = view.first_bin + view.rows * view.bins_per_row
            first_row, end_row = view.first_bin // per_row, -(-end // per_row)
            view = replace(view, first_bin=first_row * per_row, rows=end_row - first_row, bins_per_row=per_row)
        if window is not None:
            base = self.histories.window_ns
            length = parse_duration(window, name="window")
            if length % base:
                raise InvalidConfigError(
                    f"window must be a multiple of the engine's own ({format_duration(base)}), was {window!r}"
                )
            view = replace(view, column_ns=0 if length == base else length)
        return view

    def limit(self, threshold: float | str) -> Threshold:
        """What a threshold says of cells in the unit that is shown."""
        wanted = Threshold.of(threshold)
        if wanted.unit not in (None, self.view.unit):
            raise InvalidConfigError(
                f"threshold must be in the unit that is shown, {self.view.unit}, was {threshold!r}"
            )
        return wanted

    def whole_windows(self, length: Length, name: str) -> int:
        """How many windows lie in a length of time, at least one; `name` is the argument's."""
        window_ns = self.histories.window_ns
        windows = parse_duration(length, name=name) // window_ns
        if windows < 1:
            raise InvalidConfigError(
                f"{name} must be at least one window ({format_duration(window_ns)}), was {length!r}"
            )
        return windows

    @property
    def is_sequential(self) -> bool:
        """Whether what a window does to the book depends on everything before."""
        return bool(self.meta.get("sequential"))

    def refuse_sequential(self, name: str) -> None:
        """The one place where models whose effect depends on the book itself are kept from a part of the past."""
        if self.is_sequential:
            raise InvalidConfigError(
                f"{name} must not be asked of a sequential model ({self.meta.get('model')}): what a window did to its "
                "book depends on everything before"
            )

    # --- out of it ---

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write every window, the view and the metadata into one Parquet file."""
        view = {name: getattr(self.view, name) for name in SAVED}
        if self.view.value != "level":
            view["value"] = self.view.value
        meta = {name: said for name, said in self.meta.items() if name != NO_CHECKSUM_KEY}  # this file has one
        return self.histories.save(path, ARCHIVE_KEY, {"view": view, "meta": meta})


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array read-only."""
    array.setflags(write=False)
    return array
