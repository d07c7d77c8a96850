"""What a renderer of liquidation maps is given: the map and the options it obeys."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..market.position import Position
from .contract import THEMES, as_positions, check_price_range, check_size


class LayerLike(Protocol):
    """One layer of a map, such as a leverage tier: layers add up to the whole."""

    @property
    def name(self) -> str: ...

    @property
    def long(self) -> NDArray[np.float64]:
        """Shape (bins,), in the map's unit."""

    @property
    def short(self) -> NDArray[np.float64]:
        """Shape (bins,), in the map's unit."""


class MapLike(Protocol):
    """The part of a liquidation map that pictures are drawn from; there may be no tiers and no bins."""

    @property
    def time_ns(self) -> int:
        """The instant, nanoseconds since the UNIX epoch (UTC)."""

    @property
    def price(self) -> float:
        """The last traded price; NaN where nothing traded yet."""

    @property
    def tiers(self) -> NDArray[np.float64]:
        """Leverage of each tier, shape (tiers,)."""

    @property
    def prices(self) -> NDArray[np.float64]:
        """Lower edges of the price bins, shape (bins,), ascending."""

    @property
    def step(self) -> float:
        """Width of a price bin, in units of price."""

    @property
    def long(self) -> NDArray[np.float64]:
        """Live long levels, shape (tiers, bins)."""

    @property
    def short(self) -> NDArray[np.float64]:
        """Live short levels, shape (tiers, bins)."""

    @property
    def layers(self) -> Sequence[LayerLike]:
        """What the bars stack, lowest first; they add up to `long` and `short`."""

    @property
    def unit(self) -> str:
        """``"usd"`` or ``"quantity"``."""

    @property
    def complete(self) -> bool:
        """Whether the window that the map ends has ended."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """Where it comes from: symbol, venue, model, meaning, trigger, synthetic, ...; any may be missing."""

    def sentence(self) -> str:
        """Say which levels a fall and a rise would reach, on the way to the largest cluster of each side."""


@dataclass(frozen=True, slots=True)
class MapOptions:
    """
    How to draw a liquidation map.

    Parameters
    ----------
    width, height : int
        As in `RenderOptions`.
    price_range : (float, float), optional
        Lowest and highest price shown. By default out to where nine tenths of each side have been passed, from 3 to
        25 % away from the last price.
    title, theme, positions
        As in `RenderOptions`.

    Raises
    ------
    InvalidConfigError
        As `RenderOptions`.

    Examples
    --------
    >>> MapOptions(theme="blue")
    Traceback (most recent call last):
    ...
    liqcore.errors.InvalidConfigError: theme must be one of dark, light, was 'blue'
    """

    width: int = 1600
    height: int = 900
    price_range: Sequence[float] | None = None
    title: str | None = None
    theme: str = "dark"
    positions: Sequence[str | Position] | None = None

    def __post_init__(self) -> None:
        check_size(self.width, self.height)
        if self.theme not in THEMES:
            raise InvalidConfigError(f"theme must be one of {', '.join(THEMES)}, was {self.theme!r}")
        check_price_range(self.price_range)
        object.__setattr__(self, "positions", as_positions(self.positions))


def check_map(shown: MapLike) -> None:
    """Raise `InvalidConfigError` if the arrays of a map do not fit each other; a renderer may rely on it."""
    shape = (len(shown.tiers), len(shown.prices))
    for name in ("long", "short"):
        if getattr(shown, name).shape != shape:
            raise InvalidConfigError(
                f"{name} must have shape (tiers, bins) = {shape}, was {getattr(shown, name).shape}"
            )
    if not 0 < shown.step < math.inf:
        raise InvalidConfigError(f"step must be a number above 0, was {shown.step}")
    if shown.unit not in ("usd", "quantity"):
        raise InvalidConfigError(f"unit must be usd or quantity, was {shown.unit!r}")
