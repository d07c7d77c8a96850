"""What any thread may read of a market while it is being followed; nobody waits for anybody."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import Snapshot
from ..engine.publisher import Row
from ..feeds.events import SIMULATED, Change, Funding, Kind, Mark, Market, OpenInterest
from ..history.one import OneHistory
from ..history.scales import KEY, Scales
from ..views.heatmap import Heatmap
from ..words.times import iso
from .market import Book, MarketEngine
from .realised import NONE, realised_usd

LIQUIDATION = np.dtype([("ts", np.int64), ("price", np.float64), ("usd", np.float64), ("long", np.bool_)])


@dataclass(frozen=True, slots=True)
class Moment:
    """
    What a market's engine has published: features, levels, columns of one instant.

    Attributes
    ----------
    market : Market
    book : Book
        Of its engine only what never changes may be asked.
    snapshot : Snapshot
    holes : tuple of Change
    estimated : tuple of (int, int)
        Stretches of time for which candles stood for trades, ns.
    turn : int
        How many engines the market had before, as a recording was moved to an earlier time.
    scale : mapping or None
        What `Dollars.said` says of the live scale; None: the profile is not fitted.
    scales : Scales or None
        Live scales up to this instant.
    """

    market: Market
    book: Book
    snapshot: Snapshot
    holes: tuple[Change, ...]
    estimated: tuple[tuple[int, int], ...] = ()
    turn: int = 0
    scale: Mapping[str, Any] | None = None
    scales: Scales | None = None

    @property
    def number(self) -> tuple[int, int]:
        """Tells moments of a market apart, and rises; the first part is another where the book has begun anew."""
        return self.book.begun + self.turn, self.snapshot.sequence

    def heatmap(self, *, step: float | None = None) -> Heatmap:
        """
        Return the columns of the windows that are kept, the unfinished one last.

        Holes in the trades that stay open are its ``gaps``; where the book has begun anew, or candles stood for trades
        (``estimated``), its ``meta`` says so.

        Parameters
        ----------
        step : float, optional
            Height of the rows, price; a multiple of the book's bins. By default as for `Engine.heatmap`.

        Raises
        ------
        InvalidConfigError
            If `step` breaks its rule.
        """
        made = self.book.engine.heatmap(step=step, snapshot=self.snapshot)
        first, end = int(made.times[0]), made.times[-1] + made.window_ns
        if self.scale is not None and self.scales is not None:
            one = made._shown.histories
            assert isinstance(one, OneHistory)
            made = Heatmap(replace(one, scales=self.scales), made._shown.view, made.meta)
            made.meta["meaning"] = f"{made.meta['meaning']}; {self.scale['meaning']}"
            made.meta[KEY] = self.scale[KEY]
            notes = [*made.meta.get("notes", ()), *self.scale["notes"]]
            if len(self.scales) and (since := int(self.scales.since[0])) > first + made.window_ns:
                notes.append(f"columns that end before {iso(since)} are without a live scale")
            made.meta["notes"] = notes
        holes = [hole for hole in self.holes if hole.kind == "trades" and hole.state == "gap open"]
        made.meta |= {
            "source": str(self.market),
            "gaps": [[max(hole.since, first), min(hole.until, int(end))] for hole in holes
                     if hole.until > first and hole.since < end],
        }  # fmt: skip
        made.meta |= self.book.spread
        if self.estimated:
            made.meta["estimated"] = [list(stretch) for stretch in self.estimated]
            until = iso(self.estimated[-1][1])
            made.meta["notes"] = [*made.meta.get("notes", ()), f"estimated from candles until {until}"]
        if self.market == SIMULATED:
            made.meta["synthetic"] = True
        if (anew := self.book.anew) is not None:
            made.meta["begins_anew"] = asdict(anew)
            made.meta["notes"] = [*made.meta.get("notes", ()), f"the book begins anew at {iso(anew.ts)}"]
        return made


class Board:
    """
    What other threads read of a `MarketEngine`, while that is being fed.

    Every answer is of one instant, and does not change; between two answers the market goes on.

    Parameters
    ----------
    market : MarketEngine
    """

    def __init__(self, market: MarketEngine) -> None:
        self.market: Market = market.market
        self._shown = market, 0

    @property
    def _of(self) -> MarketEngine:
        return self._shown[0]

    def show(self, market: MarketEngine) -> None:
        """Show another engine of the same market from now on."""
        self._shown = market, self._shown[1] + 1

    def ask(self) -> None:
        """Ask for what is now: the next `moment` has it as soon as something is fed."""
        if (book := self._of.book) is not None:
            book.publisher.ask()

    def moment(self) -> Moment | None:
        """Return what was published last; None: there has been no trade yet."""
        of, turn = self._shown
        book = of.book
        snapshot = None if book is None else book.publisher.snapshot()
        if book is None or snapshot is None or snapshot.axis is None:
            return None
        scale, scales = self._scale(of, snapshot.clock or 0)
        holes, estimated = tuple(of.state.holes), tuple(of.state.estimated)
        return Moment(self.market, book, snapshot, holes, estimated, turn, scale, scales)

    def _scale(self, of: MarketEngine, clock: int) -> tuple[dict[str, Any] | None, Scales | None]:
        """Say what the live scale is at a time, and what it was before; None: the profile is not fitted."""
        dollars, state, book = of.dollars, of.state, of.book
        if dollars is None or book is None:
            return None, None
        complete = state.complete if self.told("liquidation") else None
        scales = dollars.scales(state.scaling, clock, complete=complete)
        return dollars.said(state.scaling, scales, clock, complete=complete, begun=book.begun), scales

    def row(self) -> tuple[tuple[str, ...], Row] | None:
        """Return the latest features: names, and a row of values; None: there has been no trade yet."""
        book = self._of.book
        return None if book is None else (book.publisher.names, book.publisher.row())

    def realised(self, starts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what the venue told of as liquidated, USD, in the windows that begin then: shape (n, 2)."""
        book, rows = self._of.book, self._of.state.realised
        if book is None:
            return np.zeros((len(starts), 2))
        instrument = book.engine.instrument
        return np.array([realised_usd(instrument, rows.get(start, NONE)) for start in starts.tolist()]).reshape(-1, 2)

    def realised_in(self, times: NDArray[np.int64], length: int) -> NDArray[np.float64]:
        """Return what the venue told of as liquidated, USD, in columns that begin then and are so long, ns: (n, 2)."""
        total, book = np.zeros((len(times), 2)), self._of.book
        if book is not None and len(times):
            own = book.engine.window_ns
            begin = max(int(times[0]), book.begun)
            end = max(begin, min(int(times[-1]) + length, self.latest + 1))  # a column may be of years
            starts = np.arange(begin, end, own, dtype=np.int64)
            np.add.at(total, np.searchsorted(times, starts, side="right") - 1, self.realised(starts))
        return total

    def liquidations(self) -> NDArray[np.void]:
        """Return the latest that the venue told of, by time: ``ts``, ``price``, ``usd``, whether of a ``long``."""
        book, kept = self._of.book, self._of.state.liquidations.copy()
        if book is None:
            return np.empty(0, LIQUIDATION)
        instrument = book.engine.instrument
        values = (
            instrument.multiplier * (1.0 if instrument.contract == "inverse" else price) for _, price, _, _ in kept
        )
        rows = [(ts, price, qty * value, long) for (ts, price, qty, long), value in zip(kept, values, strict=True)]
        return np.sort(np.array(rows, LIQUIDATION), order="ts", kind="stable")

    @property
    def realised_complete(self) -> bool:
        """Whether the venue is known to tell of every liquidation (it has told of some); else `realised` is a floor."""
        return self._of.state.complete and self.told("liquidation") > 0

    @property
    def states(self) -> dict[Kind, Change]:
        """The last change of each stream."""
        return self._of.state.states.copy()

    @property
    def holes(self) -> list[Change]:
        """The last changes that tell of a hole."""
        return self._of.state.holes.copy()

    @property
    def counts(self) -> dict[str, int]:
        """``trades`` that came, events ``raised``, ``late``, ``of the future``, of an ``other market``, notices."""
        return self._of.state.counts.copy()

    def told(self, kind: str) -> int:
        """Return how much of a kind has happened: "column", "zone", "liquidation", "gap"."""
        return self._of.state.told.get(kind, 0)

    @property
    def frames(self) -> int:
        """How many frames the engine has taken."""
        return self._of.frames

    @property
    def latest(self) -> int:
        """Time of the latest event, ns; 0: there has been none."""
        return self._of.state.latest

    @property
    def samples(self) -> dict[str, Any]:
        """The last mark price, open interest and funding that were told; None: none was."""
        state = self._of.state
        told: dict[str, Mark | OpenInterest | Funding | None]
        told = {"mark": state.mark, "open_interest": state.open_interest, "funding": state.funding}
        return told
