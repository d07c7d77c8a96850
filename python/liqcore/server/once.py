"""What several ask for is made once, off the loop, and kept while there is room."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

T = TypeVar("T")

THREADS = 2
"""That make answers at once: more would only take turns with the feed, for Python runs one of them at a time."""
MOST_BYTES = 256 << 20
"""Of what is kept."""


class Once:
    """
    Makes things in worker threads, each once however many ask meanwhile, and keeps the latest used of them.

    Use it on one loop.

    Parameters
    ----------
    most : int
        Bytes that are kept at most.
    threads : int
        That make things at once.

    Attributes
    ----------
    made, shared : int
        How often something was made, and how often it was there or being made already.
    """

    def __init__(self, most: int = MOST_BYTES, threads: int = THREADS) -> None:
        self._most, self._threads = most, threads
        self._size = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Any]] = {}
        self._limiter: CapacityLimiter | None = None
        self.made = self.shared = 0

    async def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """
        Return what `make` returns, from a worker thread, or what it has returned for this key.

        Parameters
        ----------
        key : hashable
            Says all that what is made depends on.
        make : callable
            What it raises everyone gets who waits for it, and it is made again for the next.
        size : callable
            Tells how many bytes of memory the thing takes.
        """
        if key in self._kept:
            self.shared += 1
            self._kept.move_to_end(key)
            made: T = self._kept[key][0]
            return made
        task = self._making.get(key)
        if task is None:
            self.made += 1
            # A task of its own: whoever asked first may go away before it is made.
            task = self._making[key] = asyncio.create_task(self._make(key, make, size))
            task.add_done_callback(lambda done: self._end(key, done))
        else:
            self.shared += 1
        return await asyncio.shield(task)

    async def run(self, make: Callable[[], T]) -> T:
        """Return what `make` returns, from a worker thread; nothing is kept."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._threads)
        return await anyio.to_thread.run_sync(make, limiter=self._limiter)

    async def _make(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        made = await self.run(make)
        self._keep(key, made, size(made))
        return made

    def _end(self, key: Hashable, done: "asyncio.Task[Any]") -> None:
        self._making.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waits is told: nobody need be left

    def _keep(self, key: Hashable, made: Any, size: int) -> None:
        if size > self._most // 4:  # it would put out everything else
            return
        self._kept[key] = made, size
        self._size += size
        while self._size > self._most:
            _, (_, gone) = self._kept.popitem(last=False)
            self._size -= gone
