"""How long `import liqcore` takes where numpy is there already."""

from __future__ import annotations

import subprocess
import sys

from measure import Figure
from report import Report

RUNS = 11
CODE = """
import time, numpy
start = time.process_time()
import liqcore
print(time.process_time() - start)
"""


def measure(report: Report) -> None:
    """Import in fresh processes; the first only fills the caches."""
    times = [
        float(subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout)
        for _ in range(RUNS + 1)
    ]
    report.goals["startup"].measured(
        Figure.of(seconds * 1e3 for seconds in times[1:]), f"processor time, {RUNS} processes, files in the page cache"
    )
