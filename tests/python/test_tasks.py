"""The tasks of docs/how-to/tasks.md: their commands run and do what they say; its Python runs with the other pages."""

import csv
import gzip
import os
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import liqcore as lq
from test_documentation import ROOT

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("PIL")

from PIL import Image
from typer.testing import CliRunner

from liqcore.cli.app import app

PAGE = ROOT / "docs" / "how-to" / "tasks.md"
TEXT = PAGE.read_text(encoding="utf-8")


def commands() -> list[str]:
    return re.findall(r"^\$ (.+)$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    trades = lq.simulate(seed=20, days=1.8, trades_per_day=8_000).trades
    rows = zip(*(getattr(trades, name).tolist() for name in ("ts", "price", "qty", "taker_sell")), strict=True)
    with gzip.open(folder / "trades.csv.gz", "wt", compresslevel=1, newline="") as file:
        csv.writer(file).writerows([("ts", "price", "qty", "taker_sell"), *rows])
    (folder / "saved").mkdir()
    for n in range(3):
        sim = lq.simulate(seed=n, days=0.2, trades_per_day=20_000)
        lq.heatmap(trades=sim.trades, symbol=f"SIM{n}").save(folder / "saved" / f"sim{n}.parquet")
    return folder


def test_there_are_ten_tasks_for_traders_and_ten_for_researchers() -> None:
    traders, researchers = TEXT.split("## For researchers")
    for part, fence in ((traders, "```console"), (researchers, "```python")):
        tasks = part.split("\n### ")[1:]
        assert len(tasks) == 10
        assert all(fence in task for task in tasks)
    assert len(commands()) == 10


def test_the_commands_do_what_they_say(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "160")
    said: dict[str, Any] = {}
    for command in commands():
        program, *args = shlex.split(command)
        outcome = CliRunner().invoke(app, args, prog_name=program)
        assert outcome.exit_code == 0, (command, outcome.output)
        said[command] = outcome.stdout
        for flag, name in pairwise(args):
            if flag == "-o":
                assert os.path.getsize(name), command
    zone = next(text for command, text in said.items() if "--top 1" in command)
    assert len(re.findall(r"^\d\.\d+ +long ", zone, re.MULTILINE)) == 1
    with Image.open("noon.png") as picture:
        assert picture.size == (1200, 675)
    with open("old.csv", newline="") as stream:
        assert all(row["since"] <= "2026-01-06 12:00:00" for row in csv.DictReader(stream))
    with open("near.csv", newline="") as stream:
        away = [abs(float(row["distance_percent"])) for row in csv.DictReader(stream) if row["side"]]
    assert away == sorted(away)
    assert len(away) == 3
