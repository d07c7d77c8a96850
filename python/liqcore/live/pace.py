"""How fast things may be done: allowances of venues, waiting times after failures, and a time that does not step."""

import random
from collections import deque

from .outside import Clock

SECOND = 1_000_000_000
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 60.0  # seconds
_STEP, _STEP_STAYS = SECOND, 60 * SECOND  # how far a clock must be off, and for how long, until it is believed


class Allowance:
    """So many in so many seconds; waits where there were as many."""

    def __init__(self, clock: Clock, most: float, within_s: float) -> None:
        self._clock = clock
        self._most = max(1, int(most))
        self._within = int(within_s * SECOND)
        self._taken: deque[int] = deque(maxlen=self._most)

    async def take(self) -> None:
        """Return once one more is allowed, and count it."""
        while len(self._taken) == self._most and (left := self._taken[0] + self._within - self._clock.elapsed()) > 0:
            await self._clock.sleep(left)
        self._taken.append(self._clock.elapsed())


class BackOff:
    """Waiting times that double, from a quarter of a second to a minute; of each, chance takes up to half away."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failures = 0

    def next(self) -> int:
        """Return how long to wait now, ns."""
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return int(wait * (0.5 + self._chance.random() / 2) * SECOND)

    def reset(self) -> None:
        """Begin anew, after something has worked."""
        self._failures = 0


class Steady:
    """
    The time of a clock, without its steps: never back, and a leap only once it has lasted a minute.

    What bears no time of a venue's own is of when it was received: a clock that is set for a moment must not carry
    engines into the future.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.now() - clock.elapsed()
        self._off_since: int | None = None
        self._last = 0

    def now(self) -> int:
        """Return ns since the UNIX epoch."""
        elapsed = self._clock.elapsed()
        off = self._clock.now() - elapsed - self._offset
        if abs(off) < _STEP:
            self._offset += off  # small corrections are believed at once
            self._off_since = None
        elif self._off_since is None:
            self._off_since = elapsed
        elif elapsed - self._off_since > _STEP_STAYS:
            self._offset += off
            self._off_since = None
        self._last = max(self._last, elapsed + self._offset)
        return self._last
