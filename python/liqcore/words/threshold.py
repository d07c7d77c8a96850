"""What is too little to show: an absolute amount, a share of the maximum, or a percentile."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from .numbers import SIZES

__all__ = ["Threshold"]

_RULE = (
    'threshold must be a share of the maximum (0 to 1, or "5%"), an amount above 1 ("10M"), an amount with its unit '
    '("250k usd", "0.5 quantity") or a percentile of what is not zero ("p95")'
)
_TEXT = re.compile(
    r"\s*(?:p(?P<percentile>[0-9.]+)|(?P<share>[0-9.]+)\s*%"
    r"|(?P<number>[0-9.]+(?:e[+-]?[0-9]+)?)\s*(?P<size>[kmbt])?\s*(?P<unit>usd|quantity)?)\s*\Z"
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """
    A lower limit of what is shown.

    Parameters
    ----------
    kind : {"share", "amount", "percentile"}
        Share of the maximum (0 to 1), amount in the unit of the picture, percentile (0 to 100) of its non-zero cells.
    value : float
    unit : str, optional
        Of an amount, where it was given.
    """

    kind: str
    value: float
    unit: str | None = None

    @classmethod
    def of(cls, given: float | str) -> Threshold:
        """
        Read a threshold as people write it.

        Parameters
        ----------
        given : float or str
            0 to 1, or ``"5%"``: a share of the maximum. Above 1, or ``"10M"`` (k, M, B and T in either case): an
            amount. ``"p95"``: a percentile. ``"250000 usd"`` and ``"0.5 quantity"``: an amount that says its unit,
            which then has to be that of the picture.

        Raises
        ------
        InvalidConfigError
            If it is none of these.

        Examples
        --------
        >>> Threshold.of(0.1)
        Threshold(kind='share', value=0.1, unit=None)
        >>> Threshold.of("p95").kind, Threshold.of(2e6).kind, Threshold.of("0.5 quantity").unit
        ('percentile', 'amount', 'quantity')
        >>> Threshold.of("10M").value, Threshold.of("5%")
        (10000000.0, Threshold(kind='share', value=0.05, unit=None))
        """
        unit = size = None
        if isinstance(given, str):
            match = _TEXT.match(given.lower())
            if match is None:
                raise InvalidConfigError(f'{_RULE}, was "{given}"')
            try:
                number = float(match["percentile"] or match["share"] or match["number"])
            except ValueError:  # two decimal points
                raise InvalidConfigError(f'{_RULE}, was "{given}"') from None
            if match["percentile"]:
                if number > 100:
                    raise InvalidConfigError(f'{_RULE}, was "{given}"')
                return cls("percentile", number)
            if match["share"]:
                if number > 100:
                    raise InvalidConfigError(f'{_RULE}, was "{given}"')
                return cls("share", number / 100)
            unit, size = match["unit"], match["size"]
            number *= SIZES[size or ""]
            if size and unit is None and number <= 1:  # as a number it would be a share
                raise InvalidConfigError(f'{_RULE}, was "{given}"')
        elif isinstance(given, bool) or not isinstance(given, int | float | np.integer | np.floating):
            raise TypeError(f"{_RULE}, was {given!r}")
        else:
            number = float(given)
        if not 0.0 <= number < math.inf:
            raise InvalidConfigError(f"{_RULE}, was {given!r}")
        if unit is not None or number > 1.0:
            return cls("amount", number, unit)
        return cls("share", number)

    def cutoff(self, values: NDArray[np.float32]) -> float:
        """
        Return the amount below which cells are hidden, given all cells.

        A percentile is that of the nearest rank: the smallest non-zero cell that at least so many percent of the
        non-zero cells do not exceed.
        """
        if self.kind == "amount":
            return self.value
        if not values.size:
            return 0.0
        if self.kind == "share":
            return self.value * float(values.max())
        live = int(np.count_nonzero(values))
        if not live:
            return 0.0
        rank = values.size - live + max(math.ceil(self.value / 100 * live) - 1, 0)  # the zeros come first
        return float(np.partition(values, rank, axis=None)[rank])

    def cutoff_of(self, blocks: Callable[[], Iterable[NDArray[np.float32]]]) -> float:
        """
        Return the same of cells that come in blocks, each time that `blocks` is called; no more than one is kept.

        Examples
        --------
        >>> cells = np.float32([[0, 3, 1], [2, 0, 4]])
        >>> [Threshold.of(t).cutoff_of(lambda: iter(cells)) == Threshold.of(t).cutoff(cells) for t in ("p50", 0.1, 2.5)]
        [True, True, True]
        """
        if self.kind == "amount":
            return self.value
        if self.kind == "share":
            return self.value * max((float(block.max(initial=0.0)) for block in blocks()), default=0.0)
        high = _counts(blocks, lambda bits: bits >> 16)  # the bits of floats above 0 rise with them
        live = int(high.sum())
        if not live:
            return 0.0
        rank = max(math.ceil(self.value / 100 * live) - 1, 0)
        top = int(np.searchsorted(np.cumsum(high), rank, side="right"))
        rank -= int(high[:top].sum())
        low = _counts(blocks, lambda bits: bits[bits >> 16 == top] & 0xFFFF)
        bits = (top << 16) | int(np.searchsorted(np.cumsum(low), rank, side="right"))
        return float(np.array(bits, np.uint32).view(np.float32))

    def __str__(self) -> str:
        if self.kind == "share":
            return f"{100 * self.value:.3g}% of maximum"
        if self.kind == "percentile":
            return f"percentile {self.value:g}"
        return f"{self.value:,.6g}" + (f" {self.unit}" if self.unit else "")


def _counts(
    blocks: Callable[[], Iterable[NDArray[np.float32]]], key: Callable[[NDArray[np.uint32]], NDArray[Any]]
) -> NDArray[np.int64]:
    """Count cells above 0 by a key of 16 bits."""
    out = np.zeros(1 << 16, np.int64)
    for block in blocks():
        out += np.bincount(key(block[block > 0].view(np.uint32)), minlength=1 << 16)
    return out
