"""What the quick benchmarks are timed by: pytest-benchmark's fixture, for answers that were found right first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from report import refuse_debug_build

T = TypeVar("T")
A = TypeVar("A")


class Benchmark(Protocol):
    """What is used of pytest-benchmark's fixture, which has no annotations of its own."""

    disabled: bool
    extra_info: dict[str, Any]
    stats: Any

    def __call__(self, function_to_benchmark: Callable[[], T]) -> T: ...

    def pedantic(
        self, target: Callable[..., T], *, setup: Callable[[], object] | None = None, rounds: int = 1
    ) -> T: ...


class Timed:
    """
    Runs something, lets its answer be checked, times it, and has the last answer checked again.

    `check` raises where an answer is wrong, and then nothing was timed. Where benchmarks are disabled all of it is one
    run and one check. What is said of the input, the number of events in a run and the time of one go into the JSON
    files, under ``extra_info``.
    """

    def __init__(self, benchmark: Benchmark) -> None:
        self._benchmark = benchmark
        if not benchmark.disabled:
            refuse_debug_build()

    def __call__(
        self, run: Callable[[], T], check: Callable[[T], object], *, of: int = 1, event: str = "call", on: str = ""
    ) -> None:
        """Time `run`, in which `of` events happen."""
        if not self._benchmark.disabled:
            check(run())
        check(self._benchmark(run))
        self._note(of, event, on)

    def anew(
        self,
        make: Callable[[], A],
        run: Callable[[A], T],
        check: Callable[[T], object],
        *,
        rounds: int = 50,
        of: int = 1,
        event: str = "call",
        on: str = "",
    ) -> None:
        """Time `run` on something that is made anew before each round, which is not timed."""
        if not self._benchmark.disabled:
            check(run(make()))
        check(self._benchmark.pedantic(run, setup=lambda: ((make(),), {}), rounds=rounds))
        self._note(of, event, on)

    def _note(self, of: int, event: str, on: str) -> None:
        info = self._benchmark.extra_info
        info |= {"input": on, "events": of, "event": event}
        if self._benchmark.stats is not None:
            info["ns_an_event"] = self._benchmark.stats.stats.median / of * 1e9
