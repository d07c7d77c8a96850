"""Times candidates in turn, and how much memory each takes at its worst."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 7  # runs of every candidate, one a turn


@dataclass(frozen=True)
class Figure:
    """A median with its quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        """Sum up several measurements."""
        known = list(values)
        if len(known) == 1:
            return cls(known[0], known[0], known[0])
        low, median, high = statistics.quantiles(known, n=4, method="inclusive")
        return cls(median, low, high)


@dataclass
class Candidate:
    """
    Something to be timed, and its times.

    `does` names the job: only candidates that do the same are rivals. With one thread, `seconds` are the thread's
    processor time, so that waiting for a busy machine does not count; with several, the clock's. With `elsewhere` the
    work is done by another process, whose processor time the run returns.
    """

    name: str
    does: str
    run: Callable[[], object]
    threads: int = 1
    elsewhere: bool = False
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    peak_bytes: int | None = None

    @property
    def seconds(self) -> list[float]:
        """One number a round."""
        return self.processor if self.threads == 1 else self.wall

    def turn(self) -> None:
        """Run once and take the time."""
        wall, processor = time.perf_counter(), time.thread_time()
        result = self.run()
        processor, wall = time.thread_time() - processor, time.perf_counter() - wall
        if self.elsewhere:
            assert isinstance(result, float)
            processor = wall = result
        self.processor.append(processor)
        self.wall.append(wall)


def rotate(candidates: Sequence[Candidate], rounds: int = ROUNDS, before: Callable[[], object] = lambda: None) -> None:
    """
    Run all candidates in turn, `rounds` times, so that drift of the machine hits everyone alike.

    A first run of each, not timed, warms up and says how much memory it takes. `before` is run before each turn, not
    timed: to read the inputs, whose pages a system may have set aside while somebody else took seconds.
    """
    for candidate in candidates:
        if candidate.elsewhere:
            candidate.run()
        else:
            candidate.peak_bytes = peak_memory(candidate.run)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for candidate in candidates:
                before()
                candidate.turn()
    finally:
        gc.enable()


def ratios(slower: Candidate, faster: Candidate) -> Figure:
    """How many times as long `slower` takes, turn by turn: both of a pair ran within one rotation."""
    if slower.threads == faster.threads:
        return Figure.of(a / b for a, b in zip(slower.seconds, faster.seconds, strict=True))
    return Figure.of(a / b for a, b in zip(slower.wall, faster.wall, strict=True))


def peak_memory(run: Callable[[], object]) -> int | None:
    """
    Run once and return how far the resident memory rose above where it stood, in bytes.

    Linux only: elsewhere, or where the kernel does not let the high-water mark be reset, None.
    """
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # or freed memory that is still ours would be used again, unseen
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
    except (OSError, AttributeError):
        run()
        return None
    result = run()  # kept until the mark is read: what a job returns is part of its memory
    after = resident("VmHWM")
    del result
    return max(0, after - before)


def resident(what: str, pid: int | None = None) -> int:
    """Return VmRSS (resident now) or VmHWM (at most, so far) of a process, bytes."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid or os.getpid()}/status").read_text())
    if found is None:
        raise OSError(f"/proc tells no {what}")
    return int(found[1]) * 1024
