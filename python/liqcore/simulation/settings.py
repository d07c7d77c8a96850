"""The arguments of `simulate`: checked, in plain types, and what follows from them alone."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .._core import tier_of
from ..errors import InvalidConfigError
from ..words.times import Time, to_ns

__all__ = ["BLOCK_S", "DAY_S", "LEVERAGE", "MINUTES_PER_DAY", "MS", "NEVER", "Grid", "Settings", "checked", "instant"]

NEVER: Final = np.iinfo(np.int64).max  # end of a position that has not ended; the end of time for everything else
MS: Final = 1_000_000  # nanoseconds
DAY_S: Final = 86_400
# Orders are planned a minute at a time; a position lives at least that long, so no plan depends on itself.
BLOCK_S: Final = 60
MINUTES_PER_DAY: Final = DAY_S // BLOCK_S

# Shares of leverage, where none are asked for.
LEVERAGE: Final = MappingProxyType({3.0: 0.20, 5.0: 0.20, 10.0: 0.25, 25.0: 0.18, 50.0: 0.11, 100.0: 0.06})


@dataclass(frozen=True)
class Settings:
    """Checked arguments of `simulate`, in plain types."""

    seed: int
    days: float
    start: int
    price: float
    tick_size: float
    lot_size: float
    trades_per_day: float
    order_notional: float
    leverage: Mapping[float, float]
    mmr: float
    volatility: float
    impact: float
    existing_positions: bool

    @property
    def end(self) -> int:
        return self.start + round(self.days * DAY_S * 1000) * MS

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / (1000 * MS)


def checked(*, seed: int, start: Time, leverage: Mapping[float, float] | None, **others: Any) -> Settings:
    """Return the settings, or raise InvalidConfigError for the first argument that breaks its rule."""

    def number(name: str, rule: str, holds: Callable[[float], bool]) -> float:
        try:
            value = float(others[name])
        except (TypeError, ValueError):
            raise InvalidConfigError(f"{name} must be a number, was {others[name]!r}") from None
        if not (math.isfinite(value) and holds(value)):
            raise InvalidConfigError(f"{name} must be {rule}, was {others[name]!r}")
        return value

    try:
        whole_seed = operator.index(seed)
    except TypeError:
        raise InvalidConfigError(f"seed must be a whole number, was {seed!r}") from None
    if whole_seed < 0:
        raise InvalidConfigError(f"seed must be at least 0, was {seed!r}")
    begin = instant("start", start)
    days = number("days", "at least a millisecond", lambda value: value * DAY_S * 1000 >= 1)
    if begin + days * DAY_S * 1e9 >= NEVER:
        raise InvalidConfigError(f"days must end before the year 2262, was {others['days']!r}")
    price = number("price", "above 0", lambda value: value > 0)
    # Below a billionth of the price, and above a billion lots an order, whole ticks and lots would not add up exactly.
    tick_size = number(
        "tick_size",
        f"from a billionth to a thousandth of price {price:g}",
        lambda value: price * 1e-9 <= value <= price * 1e-3,
    )
    lot_size = number("lot_size", "above 0", lambda value: value > 0)
    for name, step in (("tick_size", tick_size), ("lot_size", lot_size)):
        if _decimal(step)[1] > 12:
            raise InvalidConfigError(f"{name} must have at most 12 decimals, was {others[name]!r}")
    trades_per_day = number("trades_per_day", "at least 1", lambda value: value >= 1)
    order_notional = number(
        "order_notional",
        f"above 0 and at most a billion lots of {lot_size:g} at price {price:g}",
        lambda value: 0 < value <= 1e9 * lot_size * price,
    )
    mmr = number("mmr", "at least 0 and below 1", lambda value: 0 <= value < 1)
    volatility = number("volatility", "above 0 and at most 0.5", lambda value: 0 < value <= 0.5)
    impact = number("impact", "from 0 to 0.05", lambda value: 0 <= value <= 0.05)
    return Settings(
        seed=whole_seed,
        days=days,
        start=begin,
        price=price,
        tick_size=tick_size,
        lot_size=lot_size,
        trades_per_day=trades_per_day,
        order_notional=order_notional,
        leverage=_checked_leverage(LEVERAGE if leverage is None else leverage, mmr),
        mmr=mmr,
        volatility=volatility,
        impact=impact,
        existing_positions=bool(others["existing_positions"]),
    )


def _checked_leverage(leverage: Mapping[float, float], mmr: float) -> Mapping[float, float]:
    try:
        shares = dict(sorted((tier_of(tier), float(share)) for tier, share in leverage.items()))
    except (AttributeError, TypeError, ValueError):
        raise InvalidConfigError(f"leverage must map leverage to share, both numbers, was {leverage!r}") from None
    for tier, share in shares.items():
        if not (math.isfinite(tier) and tier >= 1):
            raise InvalidConfigError(_no_leverage(tier, mmr))
        if not (math.isfinite(share) and share >= 0):
            raise InvalidConfigError(f"leverage must have shares of at least 0, was {share!r} at {tier:g}x")
        if mmr >= 1 / tier:
            raise InvalidConfigError(f"mmr must be below 1 / leverage = {1 / tier:g} at {tier:g}x, was {mmr!r}")
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-9:
        raise InvalidConfigError(f"leverage must have shares that sum to 1, was {total!r}")
    return shares


def _no_leverage(tier: float, mmr: float) -> str:
    """Say what is wrong with a leverage below 1: where it was meant as a distance, which leverage has such levels."""
    if not 0 < tier < 1:
        return f"leverage must be at least 1, was {tier:g}"
    such = f"longs of {1 / (tier + mmr - tier * mmr):.4g}x have levels {100 * tier:g}% from the entry with mmr {mmr:g}"
    return f"leverage must be at least 1, for agents post margin: {such}, was {tier:g}"


def instant(name: str, value: Time) -> int:
    """Return nanoseconds since the UNIX epoch, not before it."""
    ts = to_ns(value, name=name)
    if not 0 <= ts < NEVER:
        raise InvalidConfigError(f"{name} must be a time from 1970 to 2262, was {value!r}")
    return ts


def _decimal(step: float) -> tuple[int, int]:
    """Return (whole number, decimals) of a grid's step: 0.25 is (25, 2)."""
    sign_free = Decimal(repr(step)).normalize()
    decimals = max(0, -int(sign_free.as_tuple().exponent))
    return int(sign_free.scaleb(decimals)), decimals


class Grid:
    """A decimal grid; its values are the doubles that the decimal text would be read as."""

    def __init__(self, step: float) -> None:
        self.step = step
        self._whole, decimals = _decimal(step)
        self._scale = 10.0**decimals

    def value(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(steps * self._whole / self._scale, dtype=np.float64)
