"""A market's daily volatility and volume, from the candles of a heatmap."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import InvalidConfigError
from ..render.contract import HeatmapLike
from ..render.labels import duration

DAY_NS = 86_400_000_000_000
LOOKBACK_NS = 7 * DAY_NS
LEAST_RETURNS = 12


class Daily(NamedTuple):
    """Volatility a day as a fraction, volume a day in the unit of a map, and from what both are."""

    sigma: float
    volume: float
    said: str


def daily_of(shown: HeatmapLike | None, end_ns: int, unit: str, sigma: float | None, volume: float | None) -> Daily:
    """
    Return what is given, and from the candles up to an instant what is not: those of the seven days before.

    Parameters
    ----------
    shown : HeatmapLike or None
        None where there are no candles.
    end_ns : int
        Columns that end after it are not looked at.
    unit : {"usd", "quantity"}
        That the volume is to have.
    sigma, volume : float, optional

    Raises
    ------
    InvalidConfigError
        If a number is not above 0, or one is not given and the candles do not tell it.
    """
    for name, value in (("sigma", sigma), ("volume", volume)):
        if value is not None and not 0 < value < math.inf:
            raise InvalidConfigError(f"{name} must be a number above 0, was {value!r}")
    if sigma is not None and volume is not None:
        return Daily(sigma, volume, "sigma and volume as given")
    of_sigma = "sigma must be given: the volatility of a day as a fraction, such as 0.03, was None"
    of_volume = f"volume must be given: what is traded a day, in {unit}, was None"
    if shown is None:
        raise InvalidConfigError(f"{of_sigma if sigma is None else of_volume} (a map has no candles)")
    ends = shown.times + shown.window_ns
    complete = np.broadcast_to(np.asarray(shown.complete), ends.shape).copy()
    if np.ndim(shown.complete) == 0:
        complete[:-1] = True
    some = (ends <= end_ns) & (ends > end_ns - LOOKBACK_NS) & complete & np.isfinite(shown.candles["close"])
    candles, ends = shown.candles[some], ends[some]
    if len(ends) <= LEAST_RETURNS:
        what = of_sigma if sigma is None else of_volume
        raise InvalidConfigError(f"{what} ({len(ends)} complete columns with trades, {LEAST_RETURNS + 1} tell it)")
    days = float(ends[-1] - ends[0]) / DAY_NS
    said = [f"of the {duration(int(ends[-1] - ends[0]))} before"]
    if sigma is None:
        sigma = math.sqrt(float(np.sum(np.diff(np.log(candles["close"])) ** 2)) / days)
        if not sigma > 0:
            raise InvalidConfigError(f"{of_sigma} (the price has not moved)")
    else:
        said.append("sigma as given")
    if volume is None:
        volume = _volume(shown, candles, unit) / days
        if not 0 < volume < math.inf:
            raise InvalidConfigError(f"{of_volume} (the candles have no volume)")
    else:
        said.append("volume as given")
    return Daily(sigma, volume, ", ".join(said))


def _volume(shown: HeatmapLike, candles: Any, unit: str) -> float:
    """Of all but the first, from the end of which the time counts; not known where several venues are one picture."""
    if len(getattr(shown, "venues", ())) > 1:
        return math.nan
    quantity = candles["buy_qty"][1:] + candles["sell_qty"][1:]
    if unit == "quantity":
        return float(np.nansum(quantity))
    terms = shown.meta.get("instrument", {})
    worth = float(terms.get("multiplier", 1.0)) * (1.0 if is_inverse(shown.meta) else candles["close"][1:])
    return float(np.nansum(quantity * worth))


def is_inverse(meta: Any) -> bool:
    """Whether quantities are contracts of USD."""
    return bool(meta.get("instrument", {}).get("contract") == "inverse")
