"""What a renderer of liquidation maps is given: the map and the options it obeys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ..errors import InvalidConfigError
from .contract import THEMES

if TYPE_CHECKING:
    from ..views.map import LiquidationMap


@dataclass(frozen=True, slots=True)
class MapOptions:
    """
    How to draw a liquidation map.

    Parameters
    ----------
    width, height : int
        Size of the picture, pixels; 480 x 270 to 16384 x 16384.
    price_range : (float, float), optional
        Lowest and highest price shown. By default out to where nine tenths of each side have been passed, from 3 to
        25 % away from the last price.
    title : str, optional
        Replaces the title line; what is said below it stays.
    theme : {"dark", "light"}
        Colours around the bars.

    Raises
    ------
    InvalidConfigError
        Names the option, the rule and the value.

    Examples
    --------
    >>> MapOptions(theme="blue")
    Traceback (most recent call last):
    ...
    liqcore.errors.InvalidConfigError: theme must be one of dark, light, was 'blue'
    """

    width: int = 1400
    height: int = 860
    price_range: Sequence[float] | None = None
    title: str | None = None
    theme: str = "dark"

    def __post_init__(self) -> None:
        for name, low in (("width", 480), ("height", 270)):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= 16384:
                raise InvalidConfigError(f"{name} must be {low} to 16384 pixels, was {value!r}")
        if self.theme not in THEMES:
            raise InvalidConfigError(f"theme must be one of {', '.join(THEMES)}, was {self.theme!r}")
        if self.price_range is not None:
            ends = tuple(self.price_range)
            if len(ends) != 2 or not all(map(math.isfinite, ends)) or not ends[0] < ends[1]:
                raise InvalidConfigError(f"price_range must be (low, high) with low < high, was {self.price_range!r}")


class MapRenderer(Protocol):
    """
    Writes one picture of a liquidation map.

    Registered under the file extension it writes in the entry-point group ``liqcore.map_renderers``; otherwise as a
    `liqcore.render.Renderer`. `liqcore.testing.check_map_renderer` checks one.
    """

    def __call__(self, shown: LiquidationMap, file: BinaryIO, options: MapOptions, /) -> None: ...


def check_map(shown: LiquidationMap) -> None:
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
