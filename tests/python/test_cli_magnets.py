"""`liqcore magnets`, `confluence`, `compare` and `export`: what is written, where to, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("typer")

import liqcore as lq
from liqcore.cli import main


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = lq.heatmap(trades=lq.simulate(seed=3, days=6, trades_per_day=6_000).trades, window="30m")
    made.meta |= {"symbol": "SIMULATED", "synthetic": True}
    return made.save(tmp_path_factory.mktemp("cli") / "x.parquet")


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # of the terminal: sentences stay on their lines


def run(capsys: Any, *args: object) -> tuple[int, str, str]:
    code = main([str(arg) for arg in args])
    out, err = capsys.readouterr()
    return code, out, err


def test_magnets_have_their_odds(capsys: Any, saved: Path, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    files = [tmp_path / name for name in ("m.csv", "m.json", "m.png")]
    outputs = [part for file in files for part in ("-o", file)]
    code, out, _ = run(capsys, "magnets", saved, "--within", "2h", "--draws", 100, "--top", 5, *outputs)
    assert code == 0
    assert "reached" in out
    assert "within 2h" in out
    assert "SYNTHETIC" in out
    answer = json.loads(files[1].read_text())
    assert len(answer["magnets"]) == 5
    assert answer["magnets"][0]["odds"].keys() >= {"reached", "without", "difference_low", "says"}
    assert answer["odds"]["rows"][0]["kind"] == "all"
    assert files[0].read_text().startswith("score,reached,without,difference,")
    assert files[2].read_bytes().startswith(b"\x89PNG")
    code, out, _ = run(capsys, "magnets", saved, "--within", "2h", "--draws", 100, "--json")
    assert json.loads(out)["odds"] == answer["odds"]


def test_confluence_says_which_agree(capsys: Any, saved: Path, tmp_path: Path) -> None:
    pytest.importorskip("talib")
    pytest.importorskip("PIL")
    funding = tmp_path / "funding.csv"
    start = int(lq.load_heatmap(saved).times[0]) // 10**6
    rows = [f"{start + 8 * 3_600_000 * i},{0.0001 * (1 + i % 3)}" for i in range(17)]
    funding.write_text("\n".join(["calc_time,last_funding_rate", *rows]) + "\n")
    code, out, _ = run(
        capsys, "confluence", saved, "--funding", funding, "--bar", "1h", "-o", tmp_path / "c.csv", "-o",
        tmp_path / "c.png", "--limit", "takers=0.01",
    )  # fmt: skip
    assert code == 0
    assert "no advice" in out
    assert " of 3" in out  # open interest is not known
    assert "from +0.01 up" in out
    assert (tmp_path / "c.csv").read_text().startswith("side,low,high")
    code, out, _ = run(capsys, "confluence", saved, "--funding", funding, "--json", "--limit", "takers=0.01")
    assert {reading["name"]: reading["leans"] for reading in json.loads(out)["readings"]}["open_interest"] == "unknown"


def test_what_is_exported_compares_as_the_same(capsys: Any, saved: Path, tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    code, out, _ = run(capsys, "export", saved, "-o", answer)
    assert code == 0
    assert "written to" in out
    code, out, _ = run(capsys, "compare", saved, answer, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["cells"]["column_low"] == pytest.approx(1.0)
    assert found["first"] == "x.parquet"
    code, out, _ = run(capsys, "compare", saved, answer, "-o", tmp_path / "both.png", "--width", 800, "--height", 600)
    assert code == 0
    assert "without distance " in out
    code, out, _ = run(capsys, "export", saved, "--what", "zones", "--shape", "hyblock")
    assert json.loads(out)["liqcore"]["synthetic"] is True


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["magnets", "SAVED", "--within", "7m"], "within must be a multiple of the heatmap's columns (30m)"),
        (["magnets", "SAVED", "--sizes", "x"], '--sizes must be numbers such as "0.5,1,2"'),
        (["magnets", "SAVED", "-o", "m.parquet"], "-o must end in .csv (table), .json (json) or .png (picture)"),
        (["confluence", "SAVED", "--limit", "takers"], '--limit must be NAME=VALUE such as "takers=0.2", was "takers"'),
        (["confluence", "SAVED", "--limit", "x=1"], "limits must be of rsi_low"),
        (["compare", "SAVED", "no.json"], "no.json"),
        (["compare", "SAVED", "SAVED", "--side", "up"], '--side must be "both", "long" or "short", was "up"'),
        (["compare", "SAVED", "SAVED", "-o", "SAVED"], "-o must end in"),
        (["export", "SAVED", "--shape", "x"], "shape must be one of"),
        (["export", "SAVED", "-o", "x.csv"], "-o must end in .json (json)"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(capsys: Any, saved: Path, args: list[str], said: str) -> None:
    code, _, err = run(capsys, *(str(saved) if arg == "SAVED" else arg for arg in args))
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
