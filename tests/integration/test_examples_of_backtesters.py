"""The examples that need packages of others run as they stand, on simulated data and on a file."""

import subprocess
import sys
from pathlib import Path

import pytest

from recorded import data_dir

pytestmark = pytest.mark.integration

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def recorded_file() -> str:
    return str(data_dir() / "trades" / "hyperliquid-BTC-20260613.parquet")


@pytest.mark.parametrize("recorded", [False, pytest.param(True, marks=pytest.mark.recorded)])
def test_numba_strategy_reports_costs_and_what_it_saw(recorded: bool) -> None:
    said = run("numba_strategy.py", *([recorded_file()] if recorded else []))
    assert " 0 not used; " in said
    assert "standard error" in said
    assert "nan" not in said


@pytest.mark.parametrize("recorded", [False, pytest.param(True, marks=pytest.mark.recorded)])
def test_hftbacktest_strategy_trades(recorded: bool) -> None:
    said = run("hftbacktest_strategy.py", *([recorded_file()] if recorded else []))
    assert int(said.split(" trades fed, ")[1].split()[0].replace(",", "")) > 600
    assert int(said.splitlines()[1].split()[0]) > 0, "an order has been filled"


def test_nautilus_strategy_reports_on_a_timer() -> None:
    lines = run("nautilus_strategy.py").splitlines()
    assert len(lines) > 20
    assert all("+1 %" in line for line in lines)
