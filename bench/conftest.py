"""The quick benchmarks in bench/quick: `pytest bench`; bench/README.md says how two commits are compared."""

from __future__ import annotations

import os

import numpy as np
import pytest

import liqcore as lq
import views
from timed import Benchmark, Timed

DEFAULTS = {
    "timer": "time.process_time",  # of all threads: waiting for a busy machine does not count
    "max_time": "0.5",  # seconds a benchmark, or five rounds
    "columns": ["min", "median", "iqr", "max", "rounds", "iterations"],
}


@pytest.hookimpl(tryfirst=True)  # before pytest-benchmark reads its options
def pytest_configure(config: pytest.Config) -> None:
    """Set this folder's defaults where nothing else was asked for; side by side nothing is timed, only run."""
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError("the quick benchmarks need pytest-benchmark: pip install 'pytest-benchmark>=5.3'")
    asked = [argument.partition("=")[0] for argument in config.invocation_params.args]
    for name, value in DEFAULTS.items():
        if f"--benchmark-{name.replace('_', '-')}" not in asked:
            setattr(config.option, f"benchmark_{name}", value)
    config.option.benchmark_disable_gc = True
    if config.getoption("dist", "no") != "no" or "PYTEST_XDIST_WORKER" in os.environ:
        config.option.benchmark_disable = True  # pytest-benchmark would do so with a warning, which is an error here


@pytest.fixture
def timed(benchmark: Benchmark) -> Timed:
    """Time something whose answer is checked."""
    return Timed(benchmark)


@pytest.fixture(scope="session")
def walk() -> views.Columns:
    """The trades of bench/views.py."""
    return views.walk()


@pytest.fixture(scope="session")
def month(walk: views.Columns) -> lq.Heatmap:
    """The heatmap of bench/views.py; its last column has to be its map, which is computed in another way."""
    hm = views.month(walk)
    now = hm.map()
    expected = now.long.sum(axis=0) + now.short.sum(axis=0)
    assert hm.values.shape == (views.COLUMNS, expected.size)
    np.testing.assert_allclose(hm.values[-1], expected, rtol=1e-5, atol=views.LEAST)
    return hm
