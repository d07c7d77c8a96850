"""Timing side by side, what the machine is, and the report in out/bench/."""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import liqcore as lq
from liqcore import _core

ROOT = Path(__file__).resolve().parents[1]
BYTES_PER_TRADE = 17  # price, quantity and side; times can be binary-searched
PEERS = ("numpy", "numba", "boost-histogram", "pytest-benchmark")


def refuse_debug_build() -> None:
    """
    Stop if the native module was compiled with asserts on: such times mean nothing.

    Raises
    ------
    RuntimeError
        If it calls the C library's assertion handler, as only such a build does.
    """
    if b"__assert_fail" in Path(_core.__file__).read_bytes():
        raise RuntimeError(f"{_core.__file__} was built with asserts on: benchmark a release build (pip install .)")


def compiler() -> str:
    """Return what compiled the native module, as it says itself."""
    found = re.search(rb"(GCC: \([^)]*\) [\d.]+|clang version [\d.]+)", Path(_core.__file__).read_bytes())
    return found[1].decode() if found else "unknown"


def environment(bandwidth: float) -> dict[str, Any]:
    """Return everything a reader needs to judge the numbers."""
    versions = {}
    for package in PEERS:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed, left out"
    return {
        "liqcore": lq.__version__,
        "commit": _commit(),
        "compiler": compiler(),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "threads": 1,
        "read_bandwidth_gb_per_s": bandwidth,
        "python": platform.python_version(),
        "system": platform.platform(),
        **versions,
    }


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + (", modified" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def reader() -> Callable[[], int]:
    """Return a job that reads memory as fast as one thread can: 256 MiB of whole numbers folded into one."""
    values = np.arange(2**25, dtype=np.int64)
    return lambda: int(np.bitwise_xor.reduce(values))


READER_BYTES = 2**25 * 8


def interleave(candidates: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """
    Run all candidates in turn, again and again, so that drift of the machine hits everyone alike.

    Returns
    -------
    dict of list of float
        Seconds of this thread's processor time, so that waiting for a busy machine does not count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            for name, run in candidates.items():
                start = time.thread_time()
                run()
                seconds[name].append(time.thread_time() - start)
    finally:
        gc.enable()
    return seconds


@dataclass(frozen=True)
class Row:
    """One candidate's times, and what it did."""

    name: str
    does: str  # which job: candidates that do the same can be compared
    seconds: list[float]

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Distance of the quartiles as a share of the median."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / self.median


@dataclass
class Table:
    """Candidates timed in turn on one input."""

    title: str
    input: str
    events: int
    event: str  # "trade" or "call"
    notes: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def best(self, does: str, without: str = "liqcore") -> Row | None:
        """Return the fastest candidate of a job that is not liqcore's."""
        others = [row for row in self.rows if row.does == does and not row.name.startswith(without)]
        return min(others, key=lambda row: row.median, default=None)

    def ratio(self, row: Row) -> float | None:
        """Return how many times as fast as the strongest peer that does the same job; above 1 is faster."""
        peer = self.best(row.does)
        return peer.median / row.median if peer is not None and peer is not row else None

    def as_dict(self) -> dict[str, Any]:
        """Return the table for JSON."""
        results = [
            {
                "name": row.name,
                "job": row.does,
                "seconds": row.seconds,
                "median_s": row.median,
                "spread": row.spread,
                "events_per_s": self.events / row.median,
                "ratio_to_strongest_peer": self.ratio(row),
            }
            for row in self.rows
        ]
        return {
            "title": self.title,
            "input": self.input,
            "events": self.events,
            "event": self.event,
            "notes": self.notes,
            "left_out": self.left_out,
            "results": results,
        }

    def as_markdown(self) -> str:
        """Return the table as a section of Markdown."""
        lines = [f"## {self.title}", "", f"Input: {self.input}.", ""]
        lines += [
            f"| candidate | job | median, ms | spread | M {self.event}s/s | ns/{self.event} | to the best peer |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in self.rows:
            ratio = self.ratio(row)
            rate = self.events / row.median / 1e6
            lines.append(
                f"| {row.name} | {row.does} | {row.median * 1e3:,.1f} | {row.spread:.0%} | {rate:,.2f} | "
                f"{1e3 / rate:,.1f} | {'' if ratio is None else f'{ratio:.2f}x'} |"
            )
        lines += ["", *(f"{note}  " for note in self.notes)]
        if self.left_out:
            lines.append(f"Left out: {'; '.join(self.left_out)}.")
        return "\n".join(lines) + "\n"


@dataclass
class Report:
    """What a session of benchmarks found; written as one JSON file and one Markdown page."""

    tables: list[Table] = field(default_factory=list)
    bandwidths: list[float] = field(default_factory=list)  # bytes per second

    @property
    def bandwidth(self) -> float:
        """Read bandwidth of one thread, measured between the candidates, GB/s."""
        return statistics.median(self.bandwidths) / 1e9 if self.bandwidths else float("nan")

    def write(self, folder: Path) -> None:
        """Write bench.json and bench.md."""
        folder.mkdir(parents=True, exist_ok=True)
        facts = environment(self.bandwidth)
        record = {"environment": facts, "tables": [table.as_dict() for table in self.tables]}
        (folder / "bench.json").write_text(json.dumps(record, indent=1) + "\n")
        head = [
            "# Benchmarks",
            "",
            "Answers were compared first; candidates ran in turn, on one thread; times are processor time.",
            "",
        ]
        head += [f"- {name.replace('_', ' ')}: {_text(value)}" for name, value in facts.items()]
        page = "\n".join(head) + "\n\n" + "\n".join(table.as_markdown() for table in self.tables)
        (folder / "bench.md").write_text(page)


def _text(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
