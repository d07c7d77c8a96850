"""The simulated market as a feed would tell of it: trades, mark prices, open interest, liquidations."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ..config.config import Config
from ..feeds.events import SIMULATED, Event, Frame, Liquidation, Mark, Market, OpenInterest, Trade
from ..feeds.frames import of_events
from ..simulation.market import Market as Simulated
from ..simulation.simulation import simulate
from .replay import FRAME_NS

_AT_ONCE = 50_000  # events that are made into objects together
_ORDER = {Mark: 0, Trade: 1, OpenInterest: 2, Liquidation: 3}


@dataclass(frozen=True, slots=True)
class Demonstration:
    """
    A simulated market. Everything in it is synthetic.

    Attributes
    ----------
    simulated : liqcore.Market
    begin : int
        What is before it counts as history, ns.
    """

    simulated: Simulated
    begin: int

    @property
    def market(self) -> Market:
        """Its name."""
        return SIMULATED

    def terms(self, config: Config) -> Config:
        """Return a configuration with the simulator's terms."""
        own = {key: self.simulated.parameters[key] for key in ("tick_size", "lot_size", "mmr")}
        return config.replace(instrument={"symbol": SIMULATED.symbol, "venue": SIMULATED.venue, **own})

    def frames(self) -> Iterator[Frame]:
        """Yield what it publishes, in order of time."""
        for _, events in groupby(self._events(), key=lambda event: event.ts // FRAME_NS):
            together = list(events)
            yield of_events(SIMULATED, together[-1].ts, together)

    def _events(self) -> Iterator[Event]:
        """Yield events, some minutes at a time: all of them at once would be a gigabyte."""
        of = self.simulated
        streams = (of.trades.ts, of.marks.ts, of.open_interest.ts, of.liquidations.ts)
        count = sum(len(ts) for ts in streams)
        span = max(1, (of.end - of.start) * _AT_ONCE // max(count, 1))
        for begin in range(of.start, of.end, span):
            trades, marks, samples, ends = (
                slice(*np.searchsorted(ts, (begin, min(begin + span, of.end))).tolist()) for ts in streams
            )
            columns = (of.trades.ts, of.trades.price, of.trades.qty, of.trades.taker_sell)
            rows = zip(*(column[trades].tolist() for column in columns), strict=True)
            events: list[Event] = [
                Trade(SIMULATED, ts, price, qty, sell, number, 1)
                for number, (ts, price, qty, sell) in enumerate(rows, trades.start + 1)
            ]
            for ts, price in zip(of.marks.ts[marks].tolist(), of.marks.price[marks].tolist(), strict=True):
                events.append(Mark(SIMULATED, ts, price))
            for ts, qty in zip(
                of.open_interest.ts[samples].tolist(), of.open_interest.quantity[samples].tolist(), strict=True
            ):
                events.append(OpenInterest(SIMULATED, ts, qty))
            gone = of.liquidations
            parts = (gone.ts, gone.price, gone.quantity, gone.side)
            for ts, price, qty, side in zip(*(column[ends].tolist() for column in parts), strict=True):
                events.append(Liquidation(SIMULATED, ts, price, qty, "long" if side > 0 else "short", complete=True))
            events.sort(key=lambda event: (event.ts, _ORDER[type(event)]))
            yield from events


def demonstration(*, seed: int = 1, days: float = 3.0, history_ns: int = 86_400_000_000_000) -> Demonstration:
    """
    Simulate a market to be followed.

    Parameters
    ----------
    seed : int, default 1
    days : float, default 3
        How long it is.
    history_ns : int, default a day
        How much of it is history when it begins.

    Raises
    ------
    InvalidConfigError
        As `liqcore.simulate`.
    """
    simulated = simulate(seed=seed, days=days)
    return Demonstration(simulated, min(simulated.end, simulated.start + history_ns))
