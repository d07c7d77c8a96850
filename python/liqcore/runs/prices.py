"""Prices of a run that need a word: strange prints, jumps that last, re-denominations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..market.prices import round_factor
from ..words.times import iso
from .gaps import Gaps

if TYPE_CHECKING:
    from .trades import Batches

NAMED = 3  # strange prints that a note names


class SeesPrices(Protocol):
    """What an engine and a builder of footprints say of the prices that they saw."""

    @property
    def outliers(self) -> list[tuple[str, int, float, float]]: ...
    @property
    def price_jumps(self) -> list[tuple[str, int, int, float, float, bool]]: ...


@dataclass(frozen=True, slots=True)
class Since:
    """From where on a run counts, and why; times in ns, prices in quote currency."""

    ts: int
    price: float  # about that of the first row that counts
    before: float
    believed: int  # when the new price was
    factor: str  # "1:100"; "" where the prices before were a strange few

    def note(self, dropped: int) -> str:
        """Say where the book begins, and how many rows before it do not count."""
        left_out = f"the book begins anew there; rows before it that do not count: {dropped:,}"
        if not self.factor:
            return (
                f"the first prices, {self.before:g}, are far from those that follow, {self.price:g} from "
                f"{iso(self.ts)} on: {left_out}"
            )
        return (
            f"re-denominated {self.factor}? The price goes from {self.before:g} to {self.price:g} at {iso(self.ts)} "
            f'and stays: {left_out} (on_redenomination "keep" keeps their levels)'
        )


class Watch:
    """
    Looks after a run's rows while they are fed: from where on they count, and where they are silent.

    Parameters
    ----------
    how : {"restart", "keep", "refuse"}
        What a re-denomination does.
    since : Since or None
        From where on rows count.
    interval_ns : int
        Of candles that stand for trades; 0: there are trades.
    """

    def __init__(self, how: str, since: Since | None, interval_ns: int = 0) -> None:
        self.since = since
        self.dropped = 0
        self.gaps = Gaps(interval_ns)
        self._how = how
        self._stream = "candles" if interval_ns else "trades"

    def batches(self, source: Batches) -> Iterator[Any]:
        """Yield a source's batches, from where on they count."""
        begun = self.since is None
        for batch in source.batches():
            if not begun:
                assert self.since is not None
                ts, middle = batch[0].view(np.int64), math.sqrt(self.since.before * self.since.price)
                after = (batch[1] > middle) == (self.since.price > middle)  # of the rows of that same time
                counts = (ts > self.since.ts) | ((ts == self.since.ts) & after)
                self.dropped += int(np.count_nonzero(~counts))
                if not counts.any():
                    continue
                begun = True
                batch = tuple(np.ascontiguousarray(column[counts]) for column in batch)
            yield batch

    def begins_anew(self) -> dict[str, Any] | None:
        """Return what a result says of where it begins, if rows before were left out."""
        return None if self.since is None else asdict(self.since) | {"dropped": self.dropped}

    def see(self, ts: NDArray[np.int64], engine: SeesPrices) -> Since | None:
        """
        Take times that were fed; return where the run is to begin anew, if it is.

        Raises
        ------
        DataError
            If there is a re-denomination and it is to be refused.
        """
        self.gaps.see(ts)
        for stream, first, believed, price, before, settled in engine.price_jumps:
            if stream != self._stream or (self.since is not None and first <= self.since.ts):
                continue
            factor = round_factor(before, price, gap=self.gaps.ends_at(first)) if settled else ""
            if factor and self._how == "refuse":
                raise DataError(
                    f"expected prices of one denomination, found {before:g} before {iso(first)} and {price:g} from "
                    f'there on: re-denominated {factor}? on_redenomination "restart" begins the book there, "keep" '
                    "goes on"
                )
            if (factor and self._how == "restart") or not settled:
                return Since(first, price, before, believed, factor)
        return None


def price_notes(
    outliers: Sequence[Sequence[Any]], jumps: Sequence[tuple[str, int, int, float, float, bool]], rejected: int
) -> list[str]:
    """Name the first strange prints of so many, and the jumps of a price that lasted."""
    notes = []
    if rejected:
        named = "; ".join(
            f"{stream} at {iso(ts)}: {price:.12g} after {before:.12g}" for stream, ts, price, before in outliers[:NAMED]
        )
        more = ", ..." if rejected > NAMED else ""
        notes.append(
            f"{rejected:,} {'row' if rejected == 1 else 'rows'} left out as outlier, a price far from those before "
            f"(outlier 0 believes all): {named}{more}"
        )
    for stream, first, _, price, before, _ in jumps[:NAMED]:
        factor = round_factor(before, price, gap=True)
        notes.append(
            f"the price ({stream}) goes from {before:g} to {price:g} at {iso(first)} and stays"
            + (f": re-denominated {factor}?" if factor else "")
        )
    if len(jumps) > NAMED:
        notes.append(f"and so it does {len(jumps) - NAMED:,} times more")
    return notes
