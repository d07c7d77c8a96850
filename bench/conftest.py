"""One report a session, in out/bench/; the helper that finds recordings is the tests' own."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

import report as reports

_SESSION = pytest.StashKey[reports.Report]()


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> reports.Report:
    """Collect the tables that are written when the session ends."""
    reports.refuse_debug_build()
    return pytestconfig.stash.setdefault(_SESSION, reports.Report())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Write the report and show it."""
    found = config.stash.get(_SESSION, None)
    if found is None or not found.tables:
        return
    folder = reports.ROOT / "out" / "bench"
    found.write(folder)
    terminalreporter.write_line((folder / "bench.md").read_text())
    terminalreporter.write_line(f"written: {folder / 'bench.md'}, {folder / 'bench.json'}")
