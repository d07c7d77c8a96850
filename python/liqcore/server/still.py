"""What a stream shows at one instant, and its frames: each step folds only the columns that may have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..config.machine_sections import ServerConfig
from ..errors import InvalidConfigError
from ..live.board import Board, Moment
from ..live.following import News
from ..live.happened import KINDS, Column
from ..live.player import Player
from ..tables.packed import steps
from ..views.heatmap import Heatmap
from ..words.threshold import Threshold
from .refused import RefusedError
from .selection import Selection, number_or_text
from .wire import encode, pack

Form: TypeAlias = Literal["uint16", "float32"]
"""How cells are sent."""
NEWS = 100
"""News that are told at most, the newest."""
ZONES = 20
"""Zones of a side that are told at most, the nearest."""
REACH = 512
"""Frames after which a client that has taken none gets a full one."""
_LABELS = (
    "symbol", "venue", "source", "model", "meaning", "trigger", "sequential", "synthetic", "inexact", "leverage",
    "intensity", "tiers", "shown", "hidden", "opened_within_ns", "began_ns", "begins_anew", "price_from", "notes",
    "live_scale", "version",
)  # fmt: skip
"""What of a heatmap's metadata clients are told."""


class _Cells(NamedTuple):
    """A column's cells as they are sent."""

    row: int  # of the first: price / step
    tops: NDArray[np.float32]  # in 16 bits: the largest of each side
    long: NDArray[Any]
    short: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Still:
    """
    What a stream shows at one instant; nothing of it changes.

    Attributes
    ----------
    view, form
        Which stream, and how its cells are sent.
    number : int
        Rises by one with all that is new; 0: nothing has been looked at yet.
    base : int
        Number of the first one from which frames lead here: before, another book, other rows or windows were shown.
    moments : tuple of Moment
        What it is made of; none until each market has had a trade.
    same : object
        Equal in two stills of which one leads to the other.
    settled : int
        Columns that end by then do not change any more, ns.
    changed : ndarray of int64, shape (columns,)
        Numbers of the stills in which columns changed last; `grown` is that of the prices.
    said : mapping of str to (int, object)
        What is told by name, and the number of the still in which it changed last.
    """

    view: int
    form: Form
    number: int = 0
    base: int = 1
    moments: tuple[Moment, ...] = ()
    same: object = None
    settled: int = 0
    window_ns: int = 0
    step: float = 1.0
    complete: bool = False
    prices: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    grown: int = 0
    times: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    candles: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 6)))
    open_interest: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    realised: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    changed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    cells: tuple[_Cells, ...] = ()
    said: Mapping[str, tuple[int, Any]] = field(default_factory=dict)
    news: tuple[tuple[int, dict[str, Any]], ...] = ()

    def after(self, number: int | None) -> int | None:
        """
        Return from which still on a client is told what is new that stands at a number; None: everything.

        They are few, so that clients which are behind share frames.
        """
        if number is None or number < self.base or self.number - number > REACH:
            return None
        behind = max(self.number - number, 1)
        return max(self.number - (1 << (behind - 1).bit_length()), self.base)

    def frame(self, after: int | None) -> bytes:
        """Return the frame that tells what is new since a still; None: everything."""
        since = -1 if after is None else after
        arrays: dict[str, NDArray[Any]] = {}
        if self.grown > since:
            arrays["prices"] = self.prices
        new = int(np.argmax(self.changed > since)) if (self.changed > since).any() else len(self.times)
        if arrays or new < len(self.times):
            arrays |= self._columns(new)
        header = {
            "kind": "full" if after is None else "columns" if arrays else "state",
            "view": self.view,
            "number": self.number,
            "after": after,
            "first": int(self.times[0]) if len(self.times) else 0,
            "window_ns": self.window_ns,
            "complete": self.complete,
            "markets": {
                str(moment.market): {
                    "moment": moment.number,
                    "clock": moment.snapshot.clock,
                    "price": moment.snapshot.last_price,
                }
                for moment in self.moments
            },
            "said": {name: value for name, (changed, value) in self.said.items() if changed > since},
            "news": [value for number, value in self.news if number > since],
        }
        return encode(header, arrays)

    def _columns(self, new: int) -> dict[str, NDArray[Any]]:
        """Arrays of the columns from one on."""
        arrays: dict[str, NDArray[Any]] = {
            name: getattr(self, name)[new:] for name in ("times", "candles", "open_interest", "realised")
        }
        cells, low = self.cells[new:], first_row(self.prices, self.step)
        for side in ("long", "short"):
            whole = np.zeros((len(cells), len(self.prices)), self.form)
            for out, column in zip(whole, cells, strict=True):
                values = getattr(column, side)
                out[column.row - low : column.row - low + len(values)] = values
            if self.form == "uint16":  # each column as what is added to the one before: it deflates to less than half
                whole = steps(whole)
            arrays[side] = whole
        if self.form == "uint16":
            arrays["tops"] = np.array([column.tops for column in cells], np.float32).reshape(-1, 2)
        return arrays


class Stills:
    """
    Makes one still after the other of one selection.

    Everything but `ask`, `is_answered` and `is_new` may take long, and belongs in a thread that keeps nobody waiting.

    Parameters
    ----------
    selection : Selection
    form : {"uint16", "float32"}
    boards : mapping of str to Board
        Of all markets that are followed.
    news : News
    limits : ServerConfig
    view : int
        Number of the stream.
    player : Player, optional
        What plays the recording.

    Raises
    ------
    RefusedError
        If a market is not followed, or a threshold would change all cells at once.
    """

    def __init__(
        self, selection: Selection, form: Form, *, boards: Mapping[str, Board], news: News, limits: ServerConfig,
        view: int, player: Player | None = None,
    ) -> None:  # fmt: skip
        limit = selection.threshold
        if limit is not None and Threshold.of(number_or_text(limit)).kind != "amount":
            raise RefusedError.broken("threshold", "must be an amount (a stream does not send all cells anew)", limit)
        for name in selection.market:
            if name not in boards:
                raise RefusedError.broken("market", "must be one that is followed (/markets lists them)", name, 404)
        self._selection, self._limits = selection, limits
        self._boards = {name: boards[name] for name in selection.market}
        self._asked: list[Moment | None] = [None] * len(self._boards)
        self._news, self._heard, self._player = news, news.last, player
        self.still = Still(view, form)

    def ask(self) -> None:
        """Ask the markets for what is now."""
        self._asked = [board.moment() for board in self._boards.values()]
        for board in self._boards.values():
            board.ask()

    @property
    def is_answered(self) -> bool:
        """Whether all markets have published since they were asked."""
        now = (board.moment() for board in self._boards.values())
        return all(
            moment is not None and (before is None or moment.number != before.number)
            for moment, before in zip(now, self._asked, strict=True)
        )

    @property
    def is_new(self) -> bool:
        """Whether the markets have published meanwhile, or something has happened."""
        moments = self._moments()
        return self._news.last > self._heard or (bool(moments) and _numbers(moments) != _numbers(self.still.moments))

    def look(self) -> bool:
        """
        Make the next still, if there is something new.

        Raises
        ------
        RefusedError
            If what the markets show now cannot be shown as it was asked for.
        """
        before, number = self.still, self.still.number + 1
        news, moments = self._happened(), self._moments()
        said: dict[str, Any] = {"streams": self._streams()}
        if self._player is not None:
            said["replay"] = msgspec.structs.asdict(self._player.told)
        still = before
        if moments and _numbers(moments) != _numbers(before.moments):
            try:
                still = self._shown(replace(before, moments=moments), number, said)
            except InvalidConfigError as error:
                raise RefusedError.of(error) from None
        new = {name: (number, value) for name, value in said.items() if not _is(before, name, value)}
        told = {**before.said, **new}
        if before.number and still is before and not news and told == before.said:
            return False
        kept = [*before.news, *((number, entry) for entry in news)][-NEWS:]
        self.still = replace(still, number=number, said=told, news=tuple(kept))
        return True

    def _moments(self) -> tuple[Moment, ...]:
        """Return what the markets have published; none until each of them has had a trade."""
        moments = [board.moment() for board in self._boards.values()]
        there = tuple(moment for moment in moments if moment is not None)
        return there if len(there) == len(moments) else ()

    def _happened(self) -> list[dict[str, Any]]:
        """Return what has happened in the markets meanwhile, but for columns, which are shown."""
        entries = self._news.since(self._heard)
        if entries:
            self._heard = entries[-1][0]
        return [
            {**msgspec.structs.asdict(told), "market": str(told.market), "kind": KINDS[type(told)], "number": number}
            for number, told in entries
            if str(told.market) in self._boards and not isinstance(told, Column)
        ]

    def _streams(self) -> dict[str, Any]:
        """Return the states of all streams, by market and kind."""
        return {
            name: {
                kind: {key: value for key, value in msgspec.structs.asdict(change).items() if key != "market"}
                for kind, change in board.states.items()
            }
            for name, board in self._boards.items()
        }

    def _shown(self, still: Still, number: int, said: dict[str, Any]) -> Still:
        """Show what the markets have published, and say what is told of it."""
        picture = self._selection.picture(still.moments, self._limits)
        heatmap, rows = picture.heatmap, slice(picture.low, picture.high)
        prices, times = heatmap.prices[rows], heatmap.times
        cheap = {
            "candles": heatmap.candles.view(np.float64).reshape(-1, 6),
            "open_interest": heatmap.open_interest,
            "realised": np.sum(
                [board.realised_in(times, heatmap.window_ns) for board in self._boards.values()], axis=0
            ),
        }
        same = (tuple(moment.number[0] for moment in still.moments), heatmap.step, heatmap.window_ns,
                heatmap.meta.get("price_from"))  # fmt: skip
        begin = kept = 0
        grown = still.grown
        if same == still.same and _holds(prices, still.prices):
            begin, kept = _kept(still, times, cheap)
            if len(prices) > len(still.prices):
                grown = number
        else:
            still, grown = replace(still, base=number), number
        complete = bool(len(times) and heatmap.complete[-1])
        said["labels"] = {name: heatmap.meta[name] for name in _LABELS if name in heatmap.meta} | {
            "unit": heatmap.unit, "value": heatmap.value, "step": heatmap.step,
            "realised_complete": all(board.realised_complete for board in self._boards.values()),
        }  # fmt: skip
        said["gaps"] = heatmap.gaps.tolist()
        said["kept"] = heatmap._shown.histories.first_ns
        ended = _last_ended(times, complete)
        if still.base == number or ended != _last_ended(still.times, still.complete):
            said["zones"] = _zones(heatmap, ended)
        return replace(
            still, same=same, settled=settled(still.moments), window_ns=heatmap.window_ns, step=heatmap.step,
            complete=complete, prices=prices, grown=grown, times=times, candles=cheap["candles"],
            open_interest=cheap["open_interest"], realised=cheap["realised"],
            changed=np.append(still.changed[begin : begin + kept], np.full(len(times) - kept, number)),
            cells=(*still.cells[begin : begin + kept], *self._folded(heatmap, kept, rows)),
        )  # fmt: skip

    def _folded(self, heatmap: Heatmap, first: int, rows: slice) -> list[_Cells]:
        """Fold the columns from one on."""
        if first == len(heatmap.times):
            return []
        part = heatmap.select(start=int(heatmap.times[first])) if first else heatmap
        sides: list[NDArray[Any]] = [part.long[:, rows], part.short[:, rows]]
        tops = np.zeros((len(part.times), 2), np.float32)
        if self.still.form == "uint16":
            for side, values in enumerate(sides):
                tops[:, side], sides[side] = pack(values)
        row = first_row(heatmap.prices[rows], heatmap.step)
        return [_Cells(row, *column) for column in zip(tops, *sides, strict=True)]


def first_row(prices: NDArray[np.float64], step: float) -> int:
    """Return which row the first one is, counted from price 0."""
    return round(float(prices[0]) / step) if len(prices) else 0


def _numbers(moments: Sequence[Moment]) -> tuple[tuple[int, int], ...]:
    return tuple(moment.number for moment in moments)


def _is(still: Still, name: str, value: Any) -> bool:
    return name in still.said and still.said[name][1] == value


def settled(moments: Sequence[Moment]) -> int:
    """Return when the first of the windows begins that go on in some market: what ended by then does not change."""
    windows = ((moment.snapshot.clock or 0, moment.book.engine.window_ns) for moment in moments)
    return min(clock // window * window for clock, window in windows)


def _holds(prices: NDArray[np.float64], before: NDArray[np.float64]) -> bool:
    """Whether all rows are still there; those around them were empty in all columns before."""
    if not len(before):
        return True
    at = int(np.searchsorted(prices, before[0]))
    return bool(np.array_equal(prices[at : at + len(before)], before))


def _kept(still: Still, times: NDArray[np.int64], cheap: Mapping[str, NDArray[np.float64]]) -> tuple[int, int]:
    """Return which columns stay as they were: the first of them among those before, and how many."""
    begin = int(np.searchsorted(still.times, times[0])) if len(times) else 0
    count = min(len(still.times) - begin, len(times))
    if count <= 0:
        return begin, 0
    before = slice(begin, begin + count)
    stays = (still.times[before] == times[:count]) & (times[:count] + still.window_ns <= still.settled)
    for name, now in cheap.items():
        is_equal = np.isclose(getattr(still, name)[before], now[:count], rtol=0, atol=0, equal_nan=True)
        stays &= is_equal.reshape(count, -1).all(axis=1)
    return begin, count if stays.all() else int(np.argmin(stays))


def _last_ended(times: NDArray[np.int64], complete: bool) -> int | None:
    """Return the start of the last column that has ended."""
    ended = times[: len(times) - (not complete)]
    return int(ended[-1]) if len(ended) else None


def _zones(heatmap: Heatmap, ended: int | None) -> list[dict[str, Any]]:
    """Return the nearest zones of both sides after the last column that has ended, if one has."""
    if ended is None:
        return []
    zones = heatmap.zones(ended + heatmap.window_ns)
    near = sorted(zones, key=lambda zone: abs(zone.distance_percent))
    names = ("time_ns", "side", "low", "high", "value", "share", "peak_price", "since_ns", "persistence",
             "value_low", "value_high")  # fmt: skip
    return [
        {name: getattr(zone, name) for name in names}
        for side in ("long", "short")
        for zone in [each for each in near if each.side == side][:ZONES]
    ]
