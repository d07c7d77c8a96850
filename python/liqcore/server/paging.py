"""Pages of earlier columns: each at a level of detail, made once, the same for ever where its time is over."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..config.machine_sections import ServerConfig
from ..errors import InvalidConfigError
from ..history.candles import join_candles
from ..history.shown import Shown
from ..live.board import Board, Moment
from ..tables.packed import encode, pack, steps
from ..views.merge import join_venues
from .forms import PageAsked
from .refused import RefusedError
from .still import first_row, settled

COLUMNS = 256
"""Of a page."""
FACTOR = 4
"""Columns that one of the next level joins; every other level joins two rows, too."""
MOST_BYTES = 64 << 20
"""Of joined cells that are kept, to make those of the next level of."""
_DEFLATED = 6  # a page is made once


@dataclass(frozen=True, slots=True)
class Part:
    """Columns of one level, and the cells of the rows that hold something."""

    times: NDArray[np.int64]
    row: int  # of the first: price / step
    long: NDArray[np.float32]
    short: NDArray[np.float32]
    candles: NDArray[np.void]
    open_interest: NDArray[np.float64]

    @property
    def bytes(self) -> int:
        """Of memory."""
        return 1024 + 2 * self.long.nbytes + self.candles.nbytes


class Pages:
    """
    Makes pages out of what markets have published, on any thread.

    A page is as quick as any other: a fold begins near it, not at the beginning of all; and a level is joined of the
    one before, which is kept while there is room.

    Parameters
    ----------
    limits : ServerConfig
    most : int
        Bytes of joined cells that are kept at most.

    Attributes
    ----------
    folded : int
        Windows that have been folded: what pages have cost.
    """

    def __init__(self, limits: ServerConfig, most: int = MOST_BYTES) -> None:
        self._rows, self._most = limits.rows, most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Part] = OrderedDict()
        self._size = 0
        self.folded = 0

    def page(self, asked: PageAsked, moments: Sequence[Moment], boards: Sequence[Board]) -> bytes:
        """
        Return a page as a frame.

        Raises
        ------
        RefusedError
            If an argument breaks a rule, or no column of the page's time is kept.
        """
        try:
            shown = _shown(asked, moments)
            ended = settled(moments)
            part = self._part(asked, shown, moments, ended, asked.level, asked.page)
        except InvalidConfigError as error:
            raise RefusedError.of(error) from None
        if part is None:
            first, last = shown.times[0], shown.times[-1]
            length = column_ns(shown, asked.level) * COLUMNS
            rule = f"must be one that has columns which are kept ({first // length} to {last // length})"
            raise RefusedError.broken("page", rule, asked.page, 404)
        return _frame(asked, part, shown, boards, ended)

    def _part(
        self, asked: PageAsked, shown: Shown, moments: Sequence[Moment], ended: int, level: int, page: int
    ) -> Part | None:
        """The columns of a page that there are; None: there are none."""
        begin, end = _span(shown, level, page)
        first, stop = np.searchsorted(shown.times, [begin, end]).tolist()
        if first == stop:
            return None
        if level == 0:
            return self._fold(shown, first, stop)
        key = (msgspec.structs.replace(asked, level=level, page=page), tuple(moment.number[0] for moment in moments))
        is_whole = end <= ended and (first > 0 or shown.times[0] == begin)
        if is_whole and (kept := self._get(key)) is not None:
            return kept
        if level == 1:  # of windows at once: a fold has a beginning
            made = _joined([self._fold(shown, first, stop)], column_ns(shown, 1), 1, self._rows, asked.step)
        else:
            below = range(FACTOR * page, FACTOR * (page + 1))
            parts = [self._part(asked, shown, moments, ended, level - 1, one) for one in below]
            there = [part for part in parts if part is not None]
            made = _joined(there, column_ns(shown, level), 1 + (level % 2 == 0), self._rows, asked.step)
        if is_whole:
            self._put(key, made)
        return made

    def _fold(self, shown: Shown, first: int, stop: int) -> Part:
        """Windows as columns, and the rows that hold something in them."""
        view, count = shown.view, stop - first
        low, end = shown.histories.extent(view.first + first, count, view.bins_per_row)
        _check_rows(end - low, self._rows, shown.step)
        rows = replace(view, first=view.first + first, count=count, first_bin=low * view.bins_per_row, rows=end - low)
        part = shown.seen(rows)
        longs, shorts = part.fold(rows.first, count)
        with self._lock:
            self.folded += count
        row = first_row(part.prices, part.step)
        return Part(part.times, row, longs, shorts, part.candles, part.open_interest)

    def _get(self, key: Hashable) -> Part | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _put(self, key: Hashable, part: Part) -> None:
        with self._lock:
            if key in self._kept or part.bytes > self._most // 4:
                return
            self._kept[key] = part
            self._size += part.bytes
            while self._size > self._most:
                self._size -= self._kept.popitem(last=False)[1].bytes


def version(asked: PageAsked, moments: Sequence[Moment]) -> Hashable:
    """
    Return what a page depends on beside what is asked: since when the book is there, and, until the page's time is
    over, the moment.
    """
    length = max(moment.book.engine.window_ns for moment in moments) * FACTOR**asked.level * COLUMNS
    if (asked.page + 1) * length <= settled(moments):
        return tuple(moment.number[0] for moment in moments)
    return tuple((moment.number, len(moment.holes)) for moment in moments)


def column_ns(shown: Shown, level: int) -> int:
    """Return the length of a column of a level, ns."""
    return shown.window_ns * int(FACTOR**level)


def _span(shown: Shown, level: int, page: int) -> tuple[int, int]:
    length = column_ns(shown, level) * COLUMNS
    return page * length, (page + 1) * length


def _shown(asked: PageAsked, moments: Sequence[Moment]) -> Shown:
    """All columns that are kept, in the rows asked for; nothing is folded yet."""
    whole = [moment.heatmap() for moment in moments]
    heatmap = whole[0]
    if len(whole) > 1:
        named = dict(zip(asked.market, whole, strict=True))
        heatmap = join_venues(named, price_from=asked.market[0], stale_after=None, ended="keep")
    heatmap = heatmap.rebin(step=asked.step).select(
        side=None if asked.side == "both" else asked.side,
        leverage=asked.leverage or None,
        opened_within=asked.opened_within,
        unit=asked.unit,
    )
    return heatmap._shown


def rows_joined(level: int) -> int:
    """Return how many rows one of a level joins."""
    return int(2 ** (level // 2))


def _joined(parts: Sequence[Part], length: int, many: int, most: int, step: float) -> Part:
    """Join columns to ones of another length, and so many rows each: of cells the greatest stays."""
    low = min(part.row for part in parts) // many
    end = max(-(-(part.row + part.long.shape[1]) // many) for part in parts)
    times = np.concatenate([part.times for part in parts])
    candles = np.concatenate([part.candles for part in parts])
    starts = np.flatnonzero(np.diff(times // length, prepend=-1))
    _check_rows(end - low, most, step)
    sides: list[NDArray[np.float32]] = []
    for name in ("long", "short"):
        cells = np.zeros((len(times), many * (end - low)), np.float32)
        at = 0
        for part in parts:
            values = getattr(part, name)
            cells[at : at + len(values), part.row - many * low : part.row - many * low + values.shape[1]] = values
            at += len(values)
        greatest = np.maximum.reduceat(cells, starts, axis=0)
        sides.append(greatest.reshape(len(starts), end - low, many).max(axis=2))
    ends = np.append(starts[1:], len(times))
    interest = np.concatenate([part.open_interest for part in parts])
    whole = np.append(starts, len(times))
    long, short = sides
    return Part(times[starts] // length * length, low, long, short, join_candles(candles, whole), interest[ends - 1])


def _check_rows(rows: int, most: int, step: float) -> None:
    if rows > most:
        raise RefusedError.broken("step", f"must leave at most {most:,} rows", f"{step:g}, which makes {rows:,}", 409)


def _frame(asked: PageAsked, part: Part, shown: Shown, boards: Sequence[Board], ended: int) -> bytes:
    length = column_ns(shown, asked.level)
    arrays: dict[str, NDArray[Any]] = {
        "times": part.times,
        "candles": part.candles.view(np.float64).reshape(-1, 6),
        "open_interest": part.open_interest,
        "realised": np.sum([board.realised_in(part.times, length) for board in boards], axis=0),
    }
    tops = np.zeros((len(part.times), 2), np.float32)
    for side, (name, cells) in enumerate((("long", part.long), ("short", part.short))):
        tops[:, side], codes = pack(cells)
        arrays[name] = steps(codes)
    arrays["tops"] = tops
    begin, end = _span(shown, asked.level, asked.page)
    gaps = np.array(shown.meta.get("gaps", []), np.int64).reshape(-1, 2)
    header = {
        "kind": "page",
        "level": asked.level,
        "page": asked.page,
        "window_ns": length,
        "step": asked.step * rows_joined(asked.level),
        "row": part.row,
        "rows": part.long.shape[1],
        "complete": end <= ended,
        "gaps": gaps[(gaps[:, 1] > begin) & (gaps[:, 0] < end)].tolist(),
    }
    return encode(header, arrays, level=_DEFLATED, dumps=msgspec.json.encode)
