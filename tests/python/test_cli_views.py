"""`liqcore map` and `liqcore zones`: from a saved result or trade files to tables, JSON and a picture."""

import json
import os
import re
import shlex
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import liqcore as lq

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from liqcore.cli.app import app
from test_time_frames import HOUR, START, engine_of

Result = Any


def run(*args: str) -> Result:
    return CliRunner().invoke(app, list(args), prog_name="liqcore")


def left() -> list[str]:
    return sorted(os.listdir())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Longs at 500 (4 at 2x; 900 at 10x) bought at 1,000, a short of 5 at 1,500 and 1,100: rows of 10, windows of half an
    hour, 2x and 10x half each. The price falls to 895 after 2 hours and ends there.
    """
    rows = [(0, 1000, 4, False), (0.1, 1000, 5, True), (2.2, 895, 0.1, True)]
    eng = engine_of(rows, leverage={2: 0.5, 10: 0.5})
    eng.advance(START + 3 * HOUR)
    hm = eng.heatmap(step=10, unit="quantity")
    hm.meta |= {"symbol": "X", "venue": "test", "base": "COIN"}
    return hm.save(tmp_path_factory.mktemp("saved") / "hm.parquet")


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    for name in os.environ:
        if name.startswith("LIQCORE_") and name != "LIQCORE_DATA":
            monkeypatch.delenv(name)


MAP_KEYS = [
    "symbol",
    "venue",
    "model",
    "meaning",
    "trigger",
    "unit",
    "synthetic",
    "version",
    "time",
    "time_ns",
    "complete",
    "price",
    "step",
    "sentence",
    "within",
    "largest",
    "tiers",
    "bins",
]
ZONE_KEYS = [
    "score",
    "time",
    "time_ns",
    "side",
    "low",
    "high",
    "value",
    "share",
    "peak_price",
    "peak_value",
    "distance_percent",
    "since",
    "since_ns",
    "persistence",
    "ages",
    "threshold",
    "swept",
    "value_low",
    "value_high",
]


# ---- map ---------------------------------------------------------------------------------------------------------


def test_the_map_as_json(saved: Path) -> None:
    outcome = run("map", str(saved), "--at", "2025-06-15T17:00", "--within", "10,60", "--json")
    assert outcome.exit_code == 0, outcome.output
    answer = json.loads(outcome.stdout)
    assert sorted(answer) == sorted(MAP_KEYS)
    assert (answer["time_ns"], answer["price"], answer["unit"]) == (START + HOUR, 1000, "quantity")
    assert answer["within"] == [
        {"percent": 10, "low": 900, "high": 1100, "long": 2, "short": 2.5, "long_ends": None, "short_ends": None},
        {"percent": 60, "low": 400, "high": 1600, "long": 4, "short": 5, "long_ends": None, "short_ends": None},
    ]
    assert answer["tiers"] == [2, 10]
    assert answer["bins"] == [
        {"low": 500, "high": 510, "long": [2, 0], "short": [0, 0]},
        {"low": 900, "high": 910, "long": [0, 2], "short": [0, 0]},
        {"low": 1100, "high": 1110, "long": [0, 0], "short": [0, 2.5]},
        {"low": 1500, "high": 1510, "long": [0, 0], "short": [2.5, 0]},
    ]
    assert answer["largest"]["long"]["low"] == 900
    assert answer["sentence"] == (
        "a fall to 905 reaches 2 COIN of longs, a rise to 1,105 2.5 COIN of shorts (relative level: opened turnover)"
    )
    assert left() == []


def test_the_map_as_tables(saved: Path) -> None:
    text = run("map", str(saved), "--at", "2025-06-15T17:00", "--within", "10").output
    assert "test X  2025-06-15T17:00:00Z  last price 1,000" in text
    assert re.search(r"10% +900 +2 COIN +1,100 +2\.5 COIN", text)
    assert re.search(r"2x +2 COIN +2\.5 COIN *\n +10x +2 COIN +2\.5 COIN *\n +all +4 COIN +5 COIN", text)
    assert "largest cluster of longs: 900 to 910, -9.50% away: 2 COIN" in text
    assert "an estimate on a relative scale (opened turnover): no record of positions" in text
    assert "\x1b" not in text  # no terminal, no colours


def test_what_is_shown_of_the_map_can_be_chosen(saved: Path) -> None:
    def bins(*flags: str) -> list[tuple[float, float, float]]:
        answer = json.loads(run("map", str(saved), "--at", "2025-06-15T17:00", "--json", *flags).stdout)
        return [(entry["low"], sum(entry["long"]), sum(entry["short"])) for entry in answer["bins"]]

    assert bins("--leverage", "10") == [(900, 2, 0), (1100, 0, 2.5)]
    assert bins("--leverage", "10,2", "--side", "long") == [(500, 2, 0), (900, 2, 0)]
    assert bins("--leverage", "2:0.25,10:0.75", "--side", "long") == [(500, 1, 0), (900, 3, 0)]
    assert bins("--opened-within", "30m") == []
    assert bins("--threshold", "2.4 quantity") == [(1100, 0, 2.5), (1500, 0, 2.5)]
    now = json.loads(run("map", str(saved), "--last", "1h", "--json").stdout)
    assert (now["price"], now["complete"]) == (895, False)


def test_tables_of_one_side_say_so_and_nothing_of_the_other(saved: Path) -> None:
    text = run("map", str(saved), "--at", "2025-06-15T17:00", "--side", "short", "--leverage", "10").output
    assert "shorts only · 10x\n" in text
    assert "a rise to 1,105 reaches 2.5 COIN of shorts" in text
    assert "longs" not in text
    assert "fall" not in text


def test_a_picture_and_the_heatmap_behind_it(saved: Path) -> None:
    outcome = run("map", str(saved), "-o", "map.png", "-o", "view.parquet", "--side", "long", "--width", "700")
    assert outcome.exit_code == 0, outcome.output
    assert left() == ["map.png", "view.parquet"]
    assert Path("map.png").read_bytes()[:4] == b"\x89PNG"
    assert lq.load_heatmap("view.parquet").short.sum() == 0
    assert "written to  map.png" in outcome.output


# ---- zones -------------------------------------------------------------------------------------------------------


def test_the_zones_as_json(saved: Path) -> None:
    outcome = run("zones", str(saved), "--at", "2025-06-15T17:00", "--threshold", "1", "--json", "--sensitivity")
    assert outcome.exit_code == 0, outcome.output
    answer = json.loads(outcome.stdout)
    assert [(zone["side"], zone["low"]) for zone in answer["zones"]] == [("short", 1100), ("short", 1500)]
    zone = answer["zones"][0]
    assert sorted(zone) == sorted([*ZONE_KEYS, "survives"])
    assert zone["swept"] is None
    assert (zone["since"], zone["since_ns"]) == ("2025-06-15T16:00:00Z", START)
    assert zone["ages"] == {"1h": 1, "4h": 1, "1d": 1, "1w": 1, "1mo": 1}
    assert zone["survives"] == {"share": 0.5, "shares": 0.5, "models": None, "offsets": None}
    hm = lq.load_heatmap(saved)
    wanted = lq.magnets(hm.zones(START + HOUR, threshold=1.0))
    assert [zone["score"] for zone in answer["zones"]] == [magnet.score for magnet in wanted]


def test_the_zones_as_a_table(saved: Path) -> None:
    text = run("zones", str(saved), "--at", "2025-06-15T17:00", "--threshold", "p0", "--top", "3").output
    lines = text.splitlines()
    assert lines[1].split()[:5] == ["score", "side", "low", "high", "value"]
    assert re.search(r"0\.\d{3} +short +1,100 +1,110 +2\.5 COIN +50\.0% +\+10\.00% +100% +2025-06-15T16:00 +100%", text)
    assert len(lines) == 1 + 1 + 3 + 1
    assert len(run("zones", str(saved), "--threshold", "p0", "--top", "0").output.splitlines()) > 5
    assert "no zone" in run("zones", str(saved), "--threshold", "100 quantity").output


def test_swept_zones(saved: Path) -> None:
    answer = json.loads(run("zones", str(saved), "--threshold", "p0", "--swept", "2h", "--json").stdout)
    (zone,) = answer["zones"]
    assert (zone["side"], zone["low"], zone["time_ns"]) == ("long", 900, START + 3 * HOUR // 2)
    assert zone["swept"] == {
        "start": "2025-06-15T18:00:00Z",
        "start_ns": START + 2 * HOUR,
        "end": "2025-06-15T18:30:00Z",
        "end_ns": START + 5 * HOUR // 2,
        "by": "last",
        "price": 890,
        "value": 2,
    }
    text = run("zones", str(saved), "--threshold", "p0", "--swept", "2h").output
    assert re.search(r"long +900 +910 .* 2025-06-15T18:00 +last +2 COIN", text)


# ---- from trade files, errors, interrupts ------------------------------------------------------------------------


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch, saved: Path) -> list[dict[str, Any]]:
    """Stands in for `liqcore.runs.heatmap`; returns the calls."""
    calls: list[dict[str, Any]] = []

    def heatmap(paths: Any = None, **given: Any) -> lq.Heatmap:
        calls.append({"paths": paths, **given})
        if paths == ["interrupt.zip"]:
            raise KeyboardInterrupt
        return lq.load_heatmap(saved)

    module = types.ModuleType("liqcore.runs.heatmap")
    module.heatmap = heatmap  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "liqcore.runs.heatmap", module)
    return calls


def test_trade_files_are_read_with_the_settings_of_the_heatmap(pipeline: list[dict[str, Any]]) -> None:
    Path("liqcore.toml").write_text('[window]\nlength = "1m"\n')
    assert run("zones", "a.zip", "b.zip", "--leverage", "2:0.5,10:0.5", "--last", "1h").exit_code == 0
    (call,) = pipeline
    assert call["paths"] == ["a.zip", "b.zip"]
    config = call["config"]
    assert (config.window.length, config.window.last, config.leverage.shares) == ("1m", "1h", {2: 0.5, 10: 0.5})


def test_what_is_shown_of_a_saved_heatmap_is_set_as_from_trades(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the configuration, a variable or a flag; what only trades obey is passed over, as their own runs have it."""

    def sides(*args: str) -> set[str]:
        outcome = run("zones", str(saved), "--at", "2025-06-15T17:00", "--json", *args)
        assert outcome.exit_code == 0, outcome.output
        return {zone["side"] for zone in json.loads(outcome.stdout)["zones"]}

    assert sides("--threshold", "0") == {"long", "short"}
    Path("other.toml").write_text('[render]\nside = "long"\n[model]\nname = "oi"\n[source]\nopen_interest = "none.csv"')
    assert sides("--config", "other.toml") == {"long"}
    monkeypatch.setenv("LIQCORE_RENDER_SIDE", "short")
    assert sides("--config", "other.toml") == {"short"}
    assert sides("--side", "long") == {"long"}


@pytest.mark.usefixtures("pipeline")
def test_the_example_lines_parse(saved: Path) -> None:
    for command in ("map", "zones"):
        lines = [line for line in run(command, "--help").output.splitlines() if line.startswith("    liqcore ")]
        assert len(lines) == {"map": 6, "zones": 6}[command]
        for line in lines:
            args = [str(saved) if arg == "btc.parquet" else arg for arg in shlex.split(line)[1:]]
            args = [{"2026-06-12T10:00": "2025-06-15T17:00", "24h": "1h", "1d": "1h"}.get(arg, arg) for arg in args]
            args = ["2,10" if arg in ("50,100", "25,50") else arg for arg in args]
            outcome = run(*args)
            assert outcome.exit_code == 0, (line, outcome.output)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["map"], "error: FILES must be a saved heatmap or files of trades, none was given"),
        (["map", "SAVED", "--within", "1,x"], 'error: --within must be percentages such as "1,2,5", was "1,x"'),
        (["map", "SAVED", "--within", "100"], "error: percent must be above 0 and below 100, was 100.0"),
        (["map", "SAVED", "--leverage", "7"], r"error: leverage must be among the tiers (2x, 10x), was 7x"),
        (["map", "SAVED", "--leverage", "x"], "error: --leverage: leverage.preset must be one of"),
        (["map", "SAVED", "--leverage", "2,x1"], "error: --leverage: render.tiers must be leverage tiers such as"),
        (["map", "SAVED", "--at", "2020-01-01"], "error: --at must lie within the data, 2025-06-15T16:00:00Z to"),
        (["zones", "SAVED", "--at", "2030-01-01"], "error: --at must lie within the data, 2025-06-15T16:00:00Z to"),
        (["map", "SAVED", "--at", "soon"], "error: --at must be ISO text such as \"2026-06-12T10:00\", was 'soon'"),
        (["map", "SAVED", "--from", "2026-01-01"], "error: start must not be after the beginning of the last column"),
        (["map", "SAVED", "--to", "2020-01-01"], "error: end must not be before the end of the first column"),
        (["map", "SAVED", "--from", "soon"], "error: --from: window.start must be a time such as"),
        (
            ["map", "SAVED", "--width", "1", "-o", "x.png"],
            "error: --width: render.width must be a whole number of pixels from 480 to 16384, was 1",
        ),
        (
            ["map", "SAVED", "-o", "x.gif"],
            "error: -o must end in .png (picture), .svg (picture), .html (picture), .parquet (result) or .csv",
        ),
        (["map", "SAVED", "-o", "SAVED"], "error: -o must be another file than FILES, was"),
        (["map", "SAVED", "b.zip"], "error: FILES must be one saved heatmap or files of trades, was 2 files"),
        (["map", "SAVED", "--config", "x.toml"], "error: x.toml: No such file or directory"),
        (["zones", "SAVED", "-o", "x.png"], 'error: -o must end in .csv (table), was "x.png"'),
        (["zones", "SAVED", "--within", "100"], "error: within must be above 0 and below 100 percent, was 100"),
        (["zones", "SAVED", "--within", "3", "--swept", "1h"], "error: --within goes without --swept"),
        (["zones", "SAVED", "--within", "3", "--sensitivity"], "error: --within goes without --sensitivity"),
        (["zones", "SAVED", "--older-than", "soon"], "error: --older-than must be a length of time"),
        (["map", "none.parquet"], "error: none.parquet: no such file"),
        (["zones", "SAVED", "--threshold", "many"], "error: threshold must be a share of the maximum (0 to 1, or"),
        (["zones", "SAVED", "--side", "up"], "must be one of"),
        (["zones", "SAVED", "--weights", "1,1"], 'error: --weights must be three weights such as "1,1,0.5", was "1,1"'),
        (["zones", "SAVED", "--weights", "1,1,-1"], "error: persistence must be a weight, 0 or above, was -1.0"),
        (["zones", "SAVED", "--reach", "0"], "error: reach_percent must be above 0, was 0.0"),
        (["zones", "SAVED", "--columns", "0"], "error: columns must be a whole number, at least 1, was 0"),
        (["zones", "SAVED", "--swept", "soon"], "error: --swept must be a length of time"),
        (["zones", "SAVED", "--swept", "9d"], "error: ts must not be before the end of the first complete column"),
        (["zones", "SAVED", "--swept", "1h", "--sensitivity"], "error: --sensitivity goes without --swept"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(saved: Path, args: list[str], message: str) -> None:
    outcome = run(*(str(saved) if arg == "SAVED" else arg for arg in args))
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert outcome.stdout == ""
    assert left() == []


@pytest.mark.usefixtures("pipeline")
def test_an_interrupt_is_130_and_leaves_no_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("zones", "interrupt.zip").exit_code == 130

    def half(_: lq.LiquidationMap, path: Path, **__: Any) -> None:
        Path(path).write_text("half a picture")
        raise KeyboardInterrupt

    monkeypatch.setattr(lq.LiquidationMap, "render", half)
    Path("map.png").write_text("the old one")
    assert run("map", str(saved), "-o", "map.png").exit_code == 130
    assert left() == ["map.png"]
    assert Path("map.png").read_text() == "the old one"


def test_help_comes_without_loading_the_engine() -> None:
    code = (
        "import sys; from liqcore.cli import main; main(['zones', '--help']); "
        "print([m for m in ('liqcore.views.heatmap', 'PIL', 'pandas') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_the_only_column_is_said_to_be_unfinished(tmp_path: Path) -> None:
    trades = tmp_path / "trades.csv"
    trades.write_text(
        "ts_ms,price,qty,side\n" + "".join(f"{1_781_222_400_000 + n},{100 + n},1,buy\n" for n in range(50))
    )
    said = run("heatmap", str(trades), "-o", str(tmp_path / "a.parquet"), "--window", "10d").stdout
    assert re.search(r"columns +1 of 10d, from 2026-06-06 .* UTC, unfinished: the data ends before", said)


def test_prices_in_json_are_written_as_on_their_grid(tmp_path: Path) -> None:
    batch = lq.simulate(seed=3, days=0.05, trades_per_day=20_000).trades
    path = tmp_path / "fine.parquet"
    lq.heatmap(trades=batch, symbol="SIM", step=0.1, window="5m").save(path)
    for command in (["map", str(path), "--json"], ["zones", str(path), "--json"]):
        said = run(*command).stdout
        found = re.findall(r'"(?:low|high|price|peak_price|step)": ([0-9.e+-]+)', said)
        assert len(found) > 20
        assert all(len(number.replace(".", "")) <= 15 for number in found), max(found, key=len)


def test_every_key_of_the_json_stands_in_the_command_line_page() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert [key for key in [*MAP_KEYS, *ZONE_KEYS, "zones", "survives"] if f"`{key}`" not in text] == []
