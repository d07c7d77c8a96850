"""Live, from Python: one trade a call, against a call that does nothing."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import jobs
from report import Report, Row, Table, interleave

CALLS = 100_000
REPEATS = 7
ONE = "one trade a call"
EMPTY = "a call without work"


def empty_module(folder: Path) -> ModuleType | None:
    """Compile bench/cpp/empty_call.cpp and load it; None where there is no compiler or no pybind11."""
    compiler = shutil.which("c++")
    if compiler is None or importlib.util.find_spec("pybind11") is None:
        return None
    import pybind11

    target = folder / f"empty_call{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = [f"-I{pybind11.get_include()}", f"-I{sysconfig.get_path('include')}"]
    source = str(Path(__file__).with_name("cpp") / "empty_call.cpp")
    flags = ["-O3", "-DNDEBUG", "-std=c++20", "-fPIC", "-shared", "-fvisibility=hidden"]
    subprocess.run([compiler, *flags, *include, source, "-o", str(target)], check=True)
    spec = importlib.util.spec_from_file_location("empty_call", target)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_calls(benchmark: Any, report: Report, tmp_path: Path) -> None:
    """Per-call cost of Engine.trade and of short arrays; the answer is that of one batch."""
    job = jobs.job_j()
    n = min(CALLS, len(job))
    rows = list(
        zip(job.ts[:n].tolist(), job.price[:n].tolist(), job.qty[:n].tolist(), job.taker_sell[:n].tolist(), strict=True)
    )

    def one_by_one() -> Any:
        engine = job.engine()
        trade = engine.trade
        for ts, price, qty, taker_sell in rows:
            trade(ts, price, qty, taker_sell)
        return engine

    def in_calls_of(size: int) -> Callable[[], Any]:
        parts = [
            (job.ts[i : i + size], job.price[i : i + size], job.qty[i : i + size], job.taker_sell[i : i + size])
            for i in range(0, n, size)
        ]
        parts[-1] = tuple(column[: n - (len(parts) - 1) * size] for column in parts[-1])  # type: ignore[assignment]

        def run() -> Any:
            engine = job.engine()
            for part in parts:
                engine.trades(*part)
            return engine

        return run

    batch = in_calls_of(n)
    expected = batch()
    runs: dict[str, tuple[str, Callable[[], Any]]] = {
        "liqcore.Engine.trade": (ONE, one_by_one),
        "liqcore.Engine.trades, 10 a call": ("10 trades a call", in_calls_of(10)),
        "liqcore.Engine.trades, 1,000 a call": ("1,000 trades a call", in_calls_of(1_000)),
        "liqcore.Engine.trades, one call": ("all in one call", batch),
    }
    for name, (_, run) in runs.items():
        engine = run()
        assert engine.stats == expected.stats, f"{name}: other accounts, not timed"
        for side in ("long", "short"):
            np.testing.assert_array_equal(
                engine.levels_lots(side), expected.levels_lots(side), err_msg=f"{name}: wrong, not timed"
            )

    module = empty_module(tmp_path)
    if module is not None:

        def empty_calls() -> None:
            trade = module.Empty().trade
            for ts, price, qty, taker_sell in rows:
                trade(ts, price, qty, taker_sell)

        runs["pybind11 method that does nothing"] = (EMPTY, empty_calls)

    def python_loop() -> None:
        for _ts, _price, _qty, _taker_sell in rows:
            pass

    runs["the Python loop itself"] = ("no call", python_loop)
    seconds: dict[str, list[float]] = {name: [] for name in runs}

    def one_round() -> None:
        for name, times in interleave({name: run for name, (_, run) in runs.items()}, 1).items():
            seconds[name] += times

    benchmark.pedantic(one_round, rounds=REPEATS, iterations=1)
    table = Table("Calls from Python", f"the first {n:,} trades of job J", n, "trade")
    table.rows = [Row(name, runs[name][0], times) for name, times in seconds.items()]
    if module is None:
        table.left_out.append("the empty pybind11 method (no compiler, or pybind11 not installed)")
    else:
        by_name = {row.name: row.median / n * 1e9 for row in table.rows}
        ours, empty = by_name["liqcore.Engine.trade"], by_name["pybind11 method that does nothing"]
        table.notes.append(
            f"A trade in a call of its own costs {ours:,.0f} ns, an empty call {empty:,.0f} ns: {ours / empty:.2f}x."
        )
    table.notes.append("Making the engine is inside each run; the loop over the rows is inside the per-call rows.")
    report.tables.append(table)
    benchmark.extra_info.update(table.as_dict())


@pytest.mark.parametrize("size", [1, 1_000])
def test_engine_calls(benchmark: Any, report: Report, size: int) -> None:  # noqa: ARG001  (report refuses asserts)
    """pytest-benchmark entries of both ways to feed, on 10,000 trades."""
    job, n = jobs.job_j(), 10_000
    rows = list(
        zip(job.ts[:n].tolist(), job.price[:n].tolist(), job.qty[:n].tolist(), job.taker_sell[:n].tolist(), strict=True)
    )
    parts = [slice(i, min(i + size, n)) for i in range(0, n, size)]

    def run() -> None:
        engine = job.engine()
        if size == 1:
            for row in rows:
                engine.trade(*row)
        else:
            for part in parts:
                engine.trades(job.ts[part], job.price[part], job.qty[part], job.taker_sell[part])

    benchmark.group = "calls from Python, 10,000 trades"
    benchmark.pedantic(run, rounds=5, iterations=1)
