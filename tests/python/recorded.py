"""Finds the recorded market data that some tests and benchmarks use; it is not part of the repository."""

import os
from pathlib import Path

import pytest


def expected_dir() -> Path:
    """Return where the recordings should be: LIQCORE_DATA, or ``shared/data`` beside the repository."""
    return Path(os.environ.get("LIQCORE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def data_dir() -> Path:
    """Return the folder of recordings, or skip the calling test with a reason."""
    folder = expected_dir()
    if not (folder / "trades").is_dir():
        pytest.skip(f"no recorded market data in {folder} (set LIQCORE_DATA to the folder that holds it)")
    return folder
