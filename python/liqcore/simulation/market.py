"""What a simulated market publishes, and the truth behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..tables.batch import TradeBatch
from ..words.times import Time
from .settings import instant

__all__ = [
    "CLOSE",
    "LIQUIDATION",
    "LIVE",
    "OPEN",
    "Bools",
    "Floats",
    "Ints",
    "Levels",
    "Liquidations",
    "Market",
    "Marks",
    "OpenInterest",
    "Positions",
    "Sides",
]

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Sides: TypeAlias = NDArray[np.int8]
Bools: TypeAlias = NDArray[np.bool_]

# What a trade did (Market.intent), and how a position ended (Positions.outcome).
OPEN: Final = 0
LIVE: Final = 0
CLOSE: Final = 1
LIQUIDATION: Final = 2


@dataclass(frozen=True, eq=False)
class OpenInterest:
    """
    Open interest once a minute, one-sided; liquidations and trades at the same timestamp are already in it.

    Attributes
    ----------
    ts : ndarray of int64
        Nanoseconds since the UNIX epoch, UTC.
    quantity : ndarray of float64
        Units of base.
    """

    ts: Ints
    quantity: Floats


@dataclass(frozen=True, eq=False)
class Marks:
    """
    Mark price once a second.

    Attributes
    ----------
    ts : ndarray of int64
        Nanoseconds since the UNIX epoch, UTC.
    price : ndarray of float64
        Quote currency per unit, on the tick grid.
    """

    ts: Ints
    price: Floats


@dataclass(frozen=True, eq=False)
class Levels:
    """
    Positions, such as those alive at one instant.

    Attributes
    ----------
    side : ndarray of int8
        +1 long, -1 short.
    quantity : ndarray of float64
        Units of base.
    leverage, entry_price, liquidation_price : ndarray of float64
        Liquidation price is NaN where there is none (a long with leverage 1).
    """

    side: Sides
    quantity: Floats
    leverage: Floats
    entry_price: Floats
    liquidation_price: Floats

    def at(self, rows: Ints | Bools) -> Levels:
        """Return some of the positions."""
        return Levels(*(getattr(self, field.name)[rows] for field in fields(Levels)))

    def __len__(self) -> int:
        return self.side.size


@dataclass(frozen=True, eq=False)
class Positions(Levels):
    """
    The truth: every position of every agent, in order of opening.

    Attributes
    ----------
    side, quantity, leverage, entry_price, liquidation_price : ndarray
        As in `Levels`.
    opened, ended : ndarray of int64
        Nanoseconds since the UNIX epoch, UTC; the position is alive in ``[opened, ended)``. Opened before the
        market's start: it was there already. Never ended: the largest int64.
    outcome : ndarray of int8
        ``LIVE`` (0), ``CLOSE`` (1) or ``LIQUIDATION`` (2), as known at the market's end.
    """

    opened: Ints
    ended: Ints
    outcome: Sides


@dataclass(frozen=True, eq=False)
class Liquidations(Levels):
    """
    Every liquidation, in time order (a complete feed, unlike most real ones).

    Attributes
    ----------
    side : ndarray of int8
        Side of the position: +1 a long was liquidated (the order sold), -1 a short.
    quantity, leverage, entry_price, liquidation_price : ndarray of float64
        Of the position, as in `Levels`.
    ts : ndarray of int64
        Time of the mark that triggered it, and of its fills; nanoseconds since the UNIX epoch, UTC.
    price : ndarray of float64
        Average price of the fills.
    position : ndarray of int64
        Its row in ``Market.positions``.
    """

    ts: Ints
    price: Floats
    position: Ints


@dataclass(frozen=True, eq=False, repr=False)
class Market:
    """
    What `simulate` returns: what a venue would publish, and the truth behind it.

    Attributes
    ----------
    trades : TradeBatch
        Every trade.
    open_interest : OpenInterest
        One-sided, once a minute.
    marks : Marks
        Once a second.
    liquidations : Liquidations
        Every liquidation.
    positions : Positions
        Every position of every agent.
    intent : ndarray of int8, shape (trades,)
        What each trade did to its taker: ``OPEN`` (0), ``CLOSE`` (1) or ``LIQUIDATION`` (2).
    position : ndarray of int64, shape (trades,)
        Which row of `positions` each trade belongs to.
    profile : Mapping of float to float
        Share of each leverage in the quantity opened by the trades: as requested, but for chance and refused orders.
    start, end : int
        Nanoseconds since the UNIX epoch, UTC; everything published lies in ``[start, end)``.
    parameters : Mapping
        Every argument of `simulate`, resolved.
    synthetic : bool
        Always True.
    """

    trades: TradeBatch
    open_interest: OpenInterest
    marks: Marks
    liquidations: Liquidations
    positions: Positions
    intent: Sides
    position: Ints
    profile: Mapping[float, float]
    start: int
    end: int
    parameters: Mapping[str, Any]
    synthetic: bool = True

    def live_levels(self, ts: Time) -> Levels:
        """
        Return the positions alive at a time: opened at or before it, not ended yet.

        No live long level lies at or above the last mark, no live short level at or below it. Costs one pass over
        `positions`.

        Parameters
        ----------
        ts : int, str, date, datetime or datetime64
            A whole number is nanoseconds since the UNIX epoch; UTC where no zone is given.

        Returns
        -------
        Levels
            One row a position, in order of opening.

        Raises
        ------
        InvalidConfigError
            If `ts` is no time, or lies outside ``[start, end)``.
        TypeError
            If `ts` is none of the types above.
        """
        at = instant("ts", ts)
        if not self.start <= at < self.end:
            first, end = np.datetime64(self.start, "ns"), np.datetime64(self.end, "ns")
            raise InvalidConfigError(f"ts must lie in [{first}, {end}), was {np.datetime64(at, 'ns')}")
        return self.positions.at((self.positions.opened <= at) & (self.positions.ended > at))

    def __repr__(self) -> str:
        first, end = np.datetime64(self.start, "ns").astype("M8[s]"), np.datetime64(self.end, "ns").astype("M8[s]")
        return (
            f"Market(synthetic, {first} .. {end} UTC: {len(self.trades)} trades, {len(self.positions)} positions, "
            f"{len(self.liquidations)} liquidations)"
        )
