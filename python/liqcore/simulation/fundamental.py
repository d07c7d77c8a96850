"""What prices would do by themselves: the fundamental, with its volatility, its day and its news."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from .market import Floats
from .settings import BLOCK_S, DAY_S, MINUTES_PER_DAY, MS, Settings

__all__ = ["Fundamental", "unpublished_past"]

_JUMPS_PER_DAY: Final = 4.0
_JUMP_SIZE: Final = 0.25  # standard deviation, in daily volatilities: a quarter of the variance comes from jumps
_JUMP_HALF_LIFE_S: Final = 3.0  # news takes seconds to be read
_SLOW_SIGMA, _SLOW_MINUTES = 0.35, 1440.0  # log-volatility, the part that lasts a day
_FAST_SIGMA, _FAST_MINUTES = 0.45, 20.0  # and the part that lasts minutes
_ACTIVITY_MEAN: Final = 1.1  # of the surprise term and the jumps' aftermath: measured over 60 simulated days
_MOOD_MINUTES: Final = (30.0, 480.0)


def unpublished_past(rng: np.random.Generator, settings: Settings, minutes: int) -> Floats:
    """Return log prices before the start: entry i is that of i minutes ago."""
    steps = rng.standard_t(4, minutes) / math.sqrt(2)  # unit variance
    back = np.concatenate(([0.0], np.cumsum(steps))) * settings.volatility / math.sqrt(MINUTES_PER_DAY)
    back += math.log(settings.price)
    return back


class Fundamental:
    """The fundamental log price, a minute at a time."""

    def __init__(self, rng: np.random.Generator, settings: Settings) -> None:
        self._rng, self._settings = rng, settings
        self._minute = 0
        self._slow = self._fast = 0.0
        self.log_price = math.log(settings.price)  # at the end of the last minute drawn
        self.mood = np.zeros(2)

    def draw(self, history: Floats) -> tuple[Floats, Floats, float]:
        """
        Draw the next minute.

        Returns the log price by second, weights of the seconds for orders, and activity (mean 1). `history` holds the
        market's log price of every minute before.
        """
        rng, s = self._rng, self._settings
        normal = rng.standard_normal(BLOCK_S + 5)
        jump = rng.random(2)
        moved = normal[5:]
        self._slow = _reverted(self._slow, _SLOW_SIGMA, _SLOW_MINUTES, float(normal[0]))
        self._fast = _reverted(self._fast, _FAST_SIGMA, _FAST_MINUTES, float(normal[1]))
        keep_mood = np.exp(-1 / np.array(_MOOD_MINUTES))
        self.mood = keep_mood * self.mood + np.sqrt(1 - keep_mood**2) * normal[2:4]

        hour = (s.start // (MS * 1000) + self._minute * BLOCK_S) % DAY_S / 3600
        season = 1 + 0.35 * math.cos(math.pi / 12 * (hour - 15)) + 0.15 * math.cos(math.pi / 6 * (hour - 15))
        turbulence = math.exp(self._slow + self._fast - _SLOW_SIGMA**2 - _FAST_SIGMA**2)  # its square is 1 on average
        diffusive = math.sqrt(1 - _JUMPS_PER_DAY * _JUMP_SIZE**2)
        step = s.volatility / math.sqrt(DAY_S) * diffusive * math.sqrt(season) * turbulence * moved
        if jump[0] < _JUMPS_PER_DAY / MINUTES_PER_DAY:
            first = int(jump[1] * BLOCK_S)
            shape = 0.5 ** (np.arange(BLOCK_S - first) / _JUMP_HALF_LIFE_S)
            step[first:] += s.volatility * _JUMP_SIZE * float(normal[4]) * shape / shape.sum()
            self._fast += 2 * _FAST_SIGMA  # news keeps the market busy
        if self._minute == 0:
            step[0] = 0.0
        log_price = self.log_price + np.cumsum(step)

        variance = (0.5 * _SLOW_SIGMA) ** 2 + (0.7 * _FAST_SIGMA) ** 2
        activity = season * math.exp(0.5 * self._slow + 0.7 * self._fast - variance / 2)
        surprise = abs(history[-1] - history[-2]) / (s.volatility / math.sqrt(MINUTES_PER_DAY))
        activity *= (0.75 + 0.25 * min(float(surprise), 8.0)) / _ACTIVITY_MEAN
        self.log_price = float(log_price[-1])
        self._minute += 1
        return log_price, 0.3 + np.abs(moved), activity


def _reverted(value: float, sigma: float, minutes: float, shock: float) -> float:
    """Return the next value of a mean-reverting process that has mean 0 and standard deviation `sigma`."""
    keep = math.exp(-1 / minutes)
    return keep * value + sigma * math.sqrt(1 - keep * keep) * shock
