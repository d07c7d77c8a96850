"""What a renderer is given: the heatmap it reads and the options it obeys."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..market.position import Position
from .picture import Picture

SCALES = ("sqrt", "linear", "log")
SIDES = ("both", "long", "short")
THEMES = ("dark", "light")
CANDLE_STYLES = ("filled", "hollow")


class HeatmapLike(Protocol):
    """
    The part of a heatmap that pictures are drawn from.

    ``columns`` is the number of windows, ``bins`` the number of price bins; either may be 0. Three more are used where
    they are there: ``block(first, count, low, high)``, longs and shorts of ``count`` columns and the rows from ``low``
    up to, not including, ``high``, in place of the arrays, so that not all of them have to fit into memory; ``cut``,
    the amount below which cells are shown as 0; and ``gaps``, stretches without a trade, ns, of shape (gaps, 2).
    """

    @property
    def times(self) -> NDArray[np.int64]:
        """Window starts, nanoseconds since the UNIX epoch (UTC), shape (columns,), ascending."""

    @property
    def window_ns(self) -> int:
        """Length of a window, nanoseconds."""

    @property
    def prices(self) -> NDArray[np.float64]:
        """Lower edges of the price bins, shape (bins,), ascending."""

    @property
    def step(self) -> float:
        """Width of a price bin, in units of price."""

    @property
    def long(self) -> NDArray[np.float32]:
        """Live long levels at the end of each window, in `unit`, shape (columns, bins)."""

    @property
    def short(self) -> NDArray[np.float32]:
        """Live short levels at the end of each window, in `unit`, shape (columns, bins)."""

    @property
    def values(self) -> NDArray[np.float32]:
        """``long + short``."""

    @property
    def candles(self) -> NDArray[np.void]:
        """Structured array, shape (columns,), float64 fields open, high, low, close; NaN where nothing traded."""

    @property
    def unit(self) -> str:
        """``"usd"`` or ``"quantity"``."""

    @property
    def complete(self) -> bool | NDArray[np.bool_]:
        """Whether each column (or, as one flag, the last column) covers its whole window."""

    @property
    def meta(self) -> Mapping[str, Any]:
        """Where it comes from: symbol, venue, model, meaning, trigger, window, synthetic, ...; any may be missing."""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """
    How to draw a heatmap.

    Parameters
    ----------
    width, height : int
        Size of the picture, pixels; 480 x 270 to 16384 x 16384.
    colormap : str
        ``"viridis"``, ``"cividis"`` (safest for the colour blind) or ``"inferno"``.
    scale : {"sqrt", "linear", "log"}
        From value to colour.
    maximum : float, optional
        Value at the top of the colour scale, in the heatmap's unit; larger cells get the same colour.
        By default the 99th percentile of what is in view: of the pixels that are not zero.
    threshold : float, optional
        Cells below this share of ``maximum`` are hidden; 0 to 1. Colours begin at what is left.
    side : {"both", "long", "short"}
        Whose liquidations to show.
    price_range : (float, float), optional
        Lowest and highest price shown. By default where the market was (but for half a percent of the candles at either
        end) and as much again on either side, at least 3 %, as far as there are levels.
    title : str, optional
        Replaces the title line; what is said below it stays.
    theme : {"dark", "light"}
        Colours around the heatmap.
    candle_colors : {"white", "green-red", "blue-orange"}
        Of rising and falling candles: white ones are told apart by their bodies, full where they rise; any colour
        vision tells the last pair apart.
    candle_style : {"filled", "hollow"}
        Bodies of rising candles; falling ones are filled, white ones the other way round.
    positions : sequence of str or Position, optional
        Positions of one's own to mark, such as ``"long:60000:25x"``: see `liqcore.market.position.Position`.

    Raises
    ------
    InvalidConfigError
        Names the option, the rule and the value.

    Examples
    --------
    >>> RenderOptions(scale="cubic")
    Traceback (most recent call last):
    ...
    liqcore.errors.InvalidConfigError: scale must be one of sqrt, linear, log, was 'cubic'
    """

    width: int = 1600
    height: int = 900
    colormap: str = "viridis"
    scale: str = "sqrt"
    maximum: float | None = None
    threshold: float | None = None
    side: str = "both"
    price_range: Sequence[float] | None = None
    title: str | None = None
    theme: str = "dark"
    candle_colors: str = "white"
    candle_style: str = "filled"
    positions: Sequence[str | Position] | None = None

    def __post_init__(self) -> None:
        from .colours import CANDLES, COLORMAPS

        check_size(self.width, self.height)
        allowed = {"colormap": tuple(COLORMAPS), "scale": SCALES, "side": SIDES, "theme": THEMES}
        allowed |= {"candle_colors": tuple(CANDLES), "candle_style": CANDLE_STYLES}
        for name, names in allowed.items():
            if getattr(self, name) not in names:
                raise InvalidConfigError(f"{name} must be one of {', '.join(names)}, was {getattr(self, name)!r}")
        if self.maximum is not None and not 0 < self.maximum < math.inf:
            raise InvalidConfigError(f"maximum must be a number above 0, was {self.maximum!r}")
        if self.threshold is not None and not (isinstance(self.threshold, float | int) and 0 <= self.threshold <= 1):
            raise InvalidConfigError(
                f"threshold must be a share of maximum, 0 to 1, was {self.threshold!r}: select(threshold=) takes "
                "amounts and percentiles, too"
            )
        check_price_range(self.price_range)
        object.__setattr__(self, "positions", as_positions(self.positions))


def check_size(width: object, height: object) -> None:
    """Raise `InvalidConfigError` for a size that no picture can have."""
    for name, value, low in (("width", width, 480), ("height", height, 270)):
        if not isinstance(value, int) or not low <= value <= 16384:
            raise InvalidConfigError(f"{name} must be {low} to 16384 pixels, was {value!r}")


def check_price_range(price_range: Sequence[float] | None) -> None:
    """Raise `InvalidConfigError` for what is no range of prices; None is the default one."""
    if price_range is not None:
        ends = tuple(price_range)
        if len(ends) != 2 or not all(map(math.isfinite, ends)) or not ends[0] < ends[1]:
            raise InvalidConfigError(f"price_range must be (low, high) with low < high, was {price_range!r}")


def as_positions(positions: Sequence[str | Position] | None) -> tuple[Position, ...]:
    """Return positions as such; raise `InvalidConfigError` for what is none."""
    given = [positions] if isinstance(positions, str | Position) else positions or ()
    return tuple(one if isinstance(one, Position) else Position.of(one) for one in given)


class Renderer(Protocol):
    """
    Writes a picture: all of it, and nothing that is not in it.

    Registered under the file extension it writes in the entry-point group ``liqcore.renderers``. It writes to a binary
    file that is open already; `liqcore.render.render` sees to it that the file appears whole or not at all.
    `liqcore.testing.check_renderer` checks one.
    """

    def __call__(self, picture: Picture, file: BinaryIO, /) -> None: ...


def check_heatmap(heatmap: HeatmapLike) -> None:
    """Raise `InvalidConfigError` if the arrays of ``heatmap`` do not fit each other; a renderer may rely on it."""
    columns, bins = len(heatmap.times), len(heatmap.prices)
    for name in ("values", "long", "short") if not hasattr(heatmap, "block") else ():
        shape = getattr(heatmap, name).shape
        if shape != (columns, bins):
            raise InvalidConfigError(f"{name} must have shape (columns, bins) = ({columns}, {bins}), was {shape}")
    if heatmap.candles.shape != (columns,):
        raise InvalidConfigError(f"candles must have shape (columns,) = ({columns},), was {heatmap.candles.shape}")
    if not heatmap.window_ns > 0:
        raise InvalidConfigError(f"window_ns must be above 0, was {heatmap.window_ns}")
    if not 0 < heatmap.step < math.inf:
        raise InvalidConfigError(f"step must be a number above 0, was {heatmap.step}")
    if heatmap.unit not in ("usd", "quantity"):
        raise InvalidConfigError(f"unit must be usd or quantity, was {heatmap.unit!r}")
