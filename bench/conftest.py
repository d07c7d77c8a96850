"""One report a session, in out/bench/; the helper that finds recordings is the tests' own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

import report as reports


@pytest.fixture(scope="session")
def report() -> Iterator[reports.Report]:
    """Collect tables and write them when the session ends."""
    reports.refuse_debug_build()
    out = reports.Report()
    yield out
    if out.tables:
        folder = reports.ROOT / "out" / "bench"
        out.write(folder)
        print(f"\n{(folder / 'bench.md').read_text()}\nwritten: {folder / 'bench.json'}, {folder / 'bench.md'}")
