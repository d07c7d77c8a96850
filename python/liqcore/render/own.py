"""Positions of one's own in a picture: where they are liquidated, by the margin terms of the instrument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..market.position import Position
from ..market.terms import instrument_of
from .labels import price_text


@dataclass(frozen=True, slots=True)
class Own:
    """
    A position, where it is liquidated, and how much lies between its entry and there.

    ``price`` is NaN where it never is; ``between`` is in the unit of the levels.
    """

    position: Position
    price: float
    between: float

    @property
    def prices(self) -> list[float]:
        """Where it is marked."""
        return [self.position.entry] if np.isnan(self.price) else [self.position.entry, self.price]

    @property
    def words(self) -> list[str]:
        """What stands at each mark."""
        position = self.position
        entry = f"{position.side} {position.leverage:g}x {price_text(position.entry)}"
        return [entry, f"liquidated {self.price_text}"][: len(self.prices)]

    @property
    def price_text(self) -> str:
        """The price at which it is liquidated, seven digits of it."""
        return price_text(float(f"{self.price:.7g}"))


def owned(
    meta: Mapping[str, Any],
    positions: Sequence[Position],
    prices: NDArray[np.float64],
    step: float,
    levels: NDArray[np.float64],
) -> list[Own]:
    """
    Find out where positions are liquidated.

    Parameters
    ----------
    meta : mapping
        Of the result: its ``instrument``, or that of the venue whose price is shown, has the terms.
    positions : sequence of Position
    prices, step
        Lower edges of the rows, and their height.
    levels : ndarray of float64, shape (rows,)
        What is live in each.

    Raises
    ------
    InvalidConfigError
        If nothing says the terms.
    """
    if not positions:
        return []
    venue = meta.get("venues", {}).get(meta.get("price_from"), {})
    said = meta.get("instrument") or venue.get("instrument")
    if said is None:
        raise InvalidConfigError(
            f"positions must be of an instrument whose margin terms are known, this result has none: {positions[0]}"
        )
    instrument = instrument_of(said)
    out = []
    for position in positions:
        price = position.liquidation_price(instrument)
        ends = sorted((position.entry, price))
        inside = (prices + step > ends[0]) & (prices < ends[1])  # none where the price is NaN
        out.append(Own(position, price, float(levels[inside].sum())))
    return out
