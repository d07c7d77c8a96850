"""What the benchmarks found, and on which machine: one JSON file and one page of Markdown in out/bench/."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import liqcore as lq
from goals import Goal, all_goals
from liqcore import _core
from measure import Candidate, Figure, ratios

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "out" / "bench"
PEERS = ("numpy", "numba", "fast-histogram", "boost-histogram", "polars", "pyarrow", "fastparquet")


@dataclass
class Table:
    """
    Candidates that were timed in turn on one input.

    `reference` gives, by job, the candidate that the others are compared with.
    """

    title: str
    input: str
    events: int
    candidates: Sequence[Candidate]
    reference: dict[str, Candidate] = field(default_factory=dict)
    event: str = "trade"
    notes: list[str] = field(default_factory=list)

    def ratio(self, candidate: Candidate) -> Figure | None:
        """How many times as fast the reference is."""
        reference = self.reference.get(candidate.does)
        return None if reference is None or reference is candidate else ratios(candidate, reference)

    def as_dict(self) -> dict[str, Any]:
        """Return the table for JSON."""
        results = []
        for candidate in self.candidates:
            seconds, ratio = Figure.of(candidate.seconds), self.ratio(candidate)
            results.append(
                {
                    "name": candidate.name,
                    "job": candidate.does,
                    "threads": candidate.threads,
                    "seconds": candidate.seconds,
                    "wall_seconds": candidate.wall,
                    "median_s": seconds.median,
                    "events_per_s": self.events / seconds.median,
                    "peak_bytes": candidate.peak_bytes,
                    "reference_is_faster_by": None if ratio is None else asdict(ratio),
                }
            )
        return {
            "title": self.title,
            "input": self.input,
            "events": self.events,
            "event": self.event,
            "notes": self.notes,
            "results": results,
        }

    def as_markdown(self) -> str:
        """Return the table as a section."""
        lines = [f"## {self.title}", "", f"Input: {self.input}.", ""]
        lines += [
            f"| candidate | job | ms (quartiles) | M {self.event}s/s | ns a {self.event} | peak memory, MB | "
            "liqcore is faster by |",
            "|---|---|---|---|---|---|---|",
        ]
        for candidate in self.candidates:
            seconds, ratio = Figure.of(candidate.seconds), self.ratio(candidate)
            rate = self.events / seconds.median / 1e6
            peak = "" if candidate.peak_bytes is None else f"{candidate.peak_bytes / 1e6:,.0f}"
            lines.append(
                f"| {candidate.name} | {candidate.does} | {seconds.median * 1e3:,.1f} ({seconds.low * 1e3:,.1f} to "
                f"{seconds.high * 1e3:,.1f}) | {rate:,.3g} | {1e3 / rate:,.3g} | {peak} | "
                f"{'' if ratio is None else f'{ratio.median:.2f}x ({ratio.low:.2f} to {ratio.high:.2f})'} |"
            )
        return "\n".join([*lines, "", *(f"{note}  " for note in self.notes)]) + "\n"


@dataclass
class Report:
    """Everything a run found."""

    goals: dict[str, Goal] = field(default_factory=all_goals)
    tables: list[Table] = field(default_factory=list)
    sections: dict[str, str] = field(default_factory=dict)  # title to Markdown, for what is no table of candidates
    data: dict[str, Any] = field(default_factory=dict)  # the same for JSON
    bandwidth: dict[str, float] = field(default_factory=dict)  # bytes/s that the machine reads

    def write(self) -> Path:
        """Write bench.json and bench.md, and return the path of the page."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        facts = environment() | {f"read GB/s, {who}": round(rate / 1e9, 2) for who, rate in self.bandwidth.items()}
        facts["took_s"] = round(time.monotonic() - _START)
        record = {
            "environment": facts,
            "goals": {
                key: asdict(goal) | {"met": goal.met, "far_off": goal.far_off} for key, goal in self.goals.items()
            },
            "tables": [table.as_dict() for table in self.tables],
            **self.data,
        }
        (FOLDER / "bench.json").write_text(json.dumps(record, indent=1) + "\n")
        page = [
            "# Benchmarks",
            "",
            "Answers were compared first; candidates ran in turn, and ratios are medians (quartiles) of the ratios",
            "within each turn. One thread's time is its processor time, several threads' is the clock's.",
            "",
            *(f"- {name.replace('_', ' ')}: {value}" for name, value in facts.items()),
            "",
            "## Goals",
            "",
            "| what | goal | measured | | how |",
            "|---|---|---|---|---|",
            *(goal.as_markdown() for goal in self.goals.values()),
            "",
            *(table.as_markdown() for table in self.tables),
            *(f"## {title}\n\n{text}\n" for title, text in self.sections.items()),
        ]
        path = FOLDER / "bench.md"
        path.write_text("\n".join(page))
        return path


_START = time.monotonic()


def progress(text: str) -> None:
    """Say what happens now, and when."""
    print(f"{time.monotonic() - _START:5.0f} s  {text}", flush=True)


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


def environment() -> dict[str, Any]:
    """Return everything a reader needs to judge the numbers."""
    found = re.search(rb"(GCC: \([^)]*\) [\d.]+|clang version [\d.]+)", Path(_core.__file__).read_bytes())
    return {
        "liqcore": lq.__version__,
        "cpu_target": lq.cpu_target(),
        "commit": _commit(),
        "compiler": found[1].decode() if found else "unknown",
        "processor": _processor(),
        "processors": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.platform(),
        **{package: _version(package) for package in PEERS},
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed, left out"


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + (", modified" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    words = {key: re.search(rf"^{key}\s*: (.*)$", text, re.M) for key in ("model name", "cpu family", "model")}
    return ", ".join(f"{key} {word[1]}" for key, word in words.items() if word).removeprefix("model name ")
