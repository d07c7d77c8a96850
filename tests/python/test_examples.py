"""The examples run as they stand: on simulated data, and on a file given as argument."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import liqcore as lq
from recorded import data_dir

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(name: str, folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trade_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    trades = lq.simulate(seed=2, days=0.1, trades_per_day=40_000).trades
    path = tmp_path_factory.mktemp("trades") / "BTCUSDT-aggTrades-2026-01-05.csv.gz"
    with gzip.open(path, "wt") as file:
        for i in range(len(trades)):  # as archives before mid-2022: no header
            price, qty, sold = f"{trades.price[i]:.1f}", f"{trades.qty[i]:.3f}", bool(trades.taker_sell[i])
            file.write(f"{i},{price},{qty},{i},{i},{trades.ts[i] // 1_000_000},{str(sold).lower()}\n")
    return str(path)


@pytest.mark.parametrize("from_file", [False, True])
def test_first_heatmap_draws_and_saves(tmp_path: Path, trade_file: str, from_file: bool) -> None:
    said = run("first_heatmap.py", tmp_path, *([trade_file] if from_file else []))
    assert "longs, liquidated below" in said
    assert ("BTCUSDT" if from_file else "SIMULATED") in said
    assert (tmp_path / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    assert lq.load_heatmap(tmp_path / "heatmap.parquet").meta["synthetic"] is not from_file


@pytest.mark.parametrize("from_file", [False, True])
def test_the_backtest_says_what_came_of_it(tmp_path: Path, from_file: bool) -> None:
    files = []
    if from_file:
        folder = data_dir() / "trades"
        files = [str(path) for path in sorted(folder.glob("hyperliquid-ETH-2026061[2-4].parquet"))]
    said = run("zones_backtest.py", tmp_path, *files)
    assert ("SYNTHETIC" in said) is not from_file
    table = dict(re.findall(r"^(before costs|after 4.5 bp a change|held long) +(-?[\d.]+)%", said, flags=re.M))
    assert len(table) == 3
    assert float(table["after 4.5 bp a change"]) < float(table["before costs"])
    assert re.search(r"^\d+% of those did as well or better: (no evidence|better than|worse than)", said, flags=re.M)
    assert ("after costs it loses" in said) == (float(table["after 4.5 bp a change"]) <= 0)


@pytest.mark.parametrize("from_file", [False, True])
def test_streaming_reports_every_window(tmp_path: Path, trade_file: str, from_file: bool) -> None:
    lines = run("streaming.py", tmp_path, *([trade_file] if from_file else [])).splitlines()
    windows = [line for line in lines if "long" in line and "short" in line]
    assert len(windows) == len(lines) - 1 > 5
    assert lines[-1].startswith("Stats(rows=")


@pytest.mark.parametrize("from_file", [False, True])
def test_own_model_accounts_for_what_it_opened(tmp_path: Path, trade_file: str, from_file: bool) -> None:
    said = run("own_model.py", tmp_path, *([trade_file] if from_file else []))
    rows = [line.split()[1:] for line in said.splitlines() if line.lstrip()[:1].isdigit() and "x " in line]
    assert len(rows) == 10
    for row in rows:
        assert sum(float(part.rstrip("%")) for part in row) == pytest.approx(100, abs=0.2)
    assert (tmp_path / "own_model.png").exists()


def test_a_server_is_read(tmp_path: Path, trade_file: str) -> None:
    for needed in ("typer", "starlette", "uvicorn", "prometheus_client", "nanoarrow"):
        pytest.importorskip(needed)
    command = [sys.executable, "-m", "liqcore", "serve", "--replay", trade_file, "--speed", "0", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as server:
        assert server.stdout is not None
        try:
            url = next(line.split()[2] for line in server.stdout if line.startswith("serving at"))
            for _ in range(100):
                said = run("read_api.py", tmp_path, url, "1.5")
                if "no trade yet" not in said:
                    break
        finally:
            server.terminate()
            server.communicate()
    assert "a fall to" in said
    assert re.search(r"^ +(long|short) zone [\d,.]+ to [\d,.]+, [+-][\d.]+ %: [\d,]+ usd", said, re.MULTILINE)
    assert re.search(r"columns are new or have changed; \d+ in all", said)
    assert server.returncode == 0


def test_a_made_up_vendor_map_is_decoded(tmp_path: Path) -> None:
    said = run("decode_vendor_map.py", tmp_path)
    assert said.count("unit   7920") == 4
    assert "exact 1, within 2 % 1, last column r 1" in said


def test_the_engine_draws_a_vendor_map_from_its_events(tmp_path: Path) -> None:
    events, volume, null = run("vendor_comparison.py", tmp_path).splitlines()[1:]
    assert events.startswith("  events  r 1.0000  r of logarithms 1.0000  without distance +1.0000")
    assert events.endswith("within 2 % 1.0000")
    assert [line.split()[0] for line in (volume, null)] == ["volume", "null"]


@pytest.mark.recorded
def test_the_engine_draws_a_recorded_vendor_map(tmp_path: Path) -> None:
    path = data_dir() / "coinglass" / "heatmap-12h-2024-05-24T1056.json.gz"
    events, volume, null = run("vendor_comparison.py", tmp_path, str(path)).splitlines()[1:]
    assert "events  r 1.0000 " in events
    assert events.endswith("cells 9348, within 2 % 1.0000")
    left = [float(line.split()[-1]) for line in (volume, null)]
    assert left[0] > left[1] > 0  # without distance to the price, volume adds something


@pytest.mark.recorded
def test_recorded_vendor_maps_are_decoded(tmp_path: Path) -> None:
    folder = data_dir() / "coinglass"
    names = ["heatmap-12h-2024-05-24T1056.json.gz", "heatmap-3d-2024-05-20T1357.json.gz"]
    said = run("decode_vendor_map.py", tmp_path, *(str(folder / name) for name in names))
    drawn = re.findall(r"drawn again: cells (\S+), exact (\S+), within 2 % (\S+), last column r (\S+)", said)
    twelve_hours, three_days = (tuple(map(float, figures)) for figures in drawn)
    assert twelve_hours == (9348, 1, 1, 1)  # every cell to the dollar
    assert three_days[2] >= 0.99  # several events in a column
    assert three_days[3] >= 0.999


@pytest.mark.parametrize("from_file", [False, True])
def test_several_venues_are_merged(tmp_path: Path, from_file: bool) -> None:
    files = []
    if from_file:
        trades = lq.simulate(seed=2, days=0.1, trades_per_day=40_000).trades
        for name in ("one", "two"):
            hm = lq.heatmap(trades=trades, symbol="X", leverage={10: 1.0})
            hm.meta["venue"] = name
            files.append(str(hm.save(tmp_path / f"{name}.parquet")))
    said = run("several_venues.py", tmp_path, *files)
    assert f"{'one' if from_file else 'linear'}: 5" in said
    assert (tmp_path / "venues.png").read_bytes().startswith(b"\x89PNG")
    assert len(lq.load_heatmap(tmp_path / "venues.parquet").venues) == 2


def test_the_notebook_of_a_calibration_runs(tmp_path: Path) -> None:
    """From files to a fitted, scored map in dollars; its cells hold plain Python, run here one after the other."""
    pytest.importorskip("PIL")
    notebook = json.loads((EXAMPLES / "calibrate.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code")  # kept without
    (tmp_path / "cells.py").write_text("\n".join(cells), encoding="utf-8")
    command = [sys.executable, str(tmp_path / "cells.py")]
    inside = {**os.environ, "TMPDIR": str(tmp_path)}  # the notebook writes its files where temporary ones go
    done = subprocess.run(command, cwd=tmp_path, env=inside, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    for words in ("the fitted maps add", "belong to no layer", "fitted, SIMUSDT", "dollars, fitted:"):
        assert words in done.stdout, words
