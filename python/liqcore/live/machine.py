"""The clock of this machine."""

import asyncio
import time


class MachineClock:
    """What time it is here: `outside.Clock`."""

    def now(self) -> int:
        """Return ns since the UNIX epoch; it may step, as clocks of machines do."""
        return time.time_ns()

    def elapsed(self) -> int:
        """Return ns that never step, from any beginning: for ages and timeouts."""
        return time.monotonic_ns()

    async def sleep(self, ns: int) -> None:
        """Wait that long."""
        await asyncio.sleep(ns / 1e9)
