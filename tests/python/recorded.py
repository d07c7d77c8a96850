"""Finds the recorded market data that some tests use; it is not part of the repository."""

import os
from pathlib import Path

import pytest


def data_dir() -> Path:
    """Return the folder of recordings, or skip the calling test with a reason."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("LIQCORE_DATA", default))
    if not (folder / "trades").is_dir():
        pytest.skip(f"no recorded market data in {folder} (set LIQCORE_DATA to the folder that holds it)")
    return folder
