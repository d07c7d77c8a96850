"""The clock of this machine."""

import asyncio
import time


class SystemClock:
    """The time of this machine, as it is."""

    def now(self) -> int:
        """Return ns since the UNIX epoch."""
        return time.time_ns()

    def elapsed(self) -> int:
        """Return ns that never step."""
        return time.monotonic_ns()

    async def sleep(self, ns: int) -> None:
        """Wait that long."""
        await asyncio.sleep(ns / 1_000_000_000)
