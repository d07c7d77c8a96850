"""How long `import liqcore` takes where numpy is there already."""

from __future__ import annotations

import subprocess
import sys

from measure import Figure
from report import Report

RUNS = 11
CODE = """
import sys, time
{before}
assert {name!r} not in sys.modules
start = time.process_time()
import {name}
print(time.process_time() - start, {name}.__file__)
"""


def fresh_import(name: str, before: str = "") -> tuple[float, str]:
    """Import a module in a new process, after the statement `before`; return its processor time and where it lies."""
    code = CODE.format(name=name, before=before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, _, path = done.stdout.strip().partition(" ")
    return float(seconds), path


def measure(report: Report) -> None:
    """Import in fresh processes; the first only fills the caches."""
    times = [fresh_import("liqcore", "import numpy")[0] for _ in range(RUNS + 1)]
    report.goals["startup"].measured(
        Figure.of(seconds * 1e3 for seconds in times[1:]), f"processor time, {RUNS} processes, files in the page cache"
    )
