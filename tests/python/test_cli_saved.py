"""A saved heatmap on the command line: what `heatmap`, `map`, `zones` and `features` show of it, and as what."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("PIL")

from typer.testing import CliRunner

from liqcore.cli.app import app

TIERS: dict[float, float] = {10: 0.5, 25: 0.3, 50: 0.2}


def run(*args: str) -> Any:
    return CliRunner().invoke(app, list(args), prog_name="liqcore")


def done(*args: str) -> str:
    outcome = run(*args)
    assert outcome.exit_code == 0, outcome.output
    return str(outcome.stdout)


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.2, trades_per_day=40_000, seed=5)


@pytest.fixture(scope="module")
def hm(market: lq.Market) -> lq.Heatmap:
    return lq.heatmap(trades=market.trades, symbol="SIM", leverage=TIERS)


@pytest.fixture(autouse=True)
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hm: lq.Heatmap) -> None:
    monkeypatch.chdir(tmp_path)
    hm.save("btc.parquet")


def shown(*flags: str) -> lq.Heatmap:
    done("heatmap", "btc.parquet", "-o", "out.parquet", "-q", *flags)
    return lq.load_heatmap("out.parquet")


@pytest.mark.parametrize(
    ("flags", "selection"),
    [
        ("--side short", {"side": "short"}),
        ("--leverage 25,50x", {"leverage": [25, 50]}),
        ("--last 1h --opened-within 30m", {"last": "1h", "opened_within": "30m"}),
        ("--threshold 1M", {"threshold": 1e6}),
        ("--threshold 5%", {"threshold": 0.05}),
        ("--threshold p90", {"threshold": "p90"}),
        ("--from 2026-01-05T02:00 --to 2026-01-05T03:00", {"start": "2026-01-05T02:00", "end": "2026-01-05T03:00"}),
        ("--to 2026-01-05T03:02 --last 30m", {"end": "2026-01-05T03:00", "last": "30m"}),
        ("--value entry", {"value": "entry"}),
    ],
)
def test_options_select_as_python_does(hm: lq.Heatmap, flags: str, selection: dict[str, Any]) -> None:
    wanted, found = hm.select(**selection), shown(*flags.split())
    assert np.array_equal(found.times, wanted.times)
    assert np.array_equal(found.long, wanted.long)
    assert np.array_equal(found.short, wanted.short)


def test_options_are_the_same_as_from_trades(market: lq.Market) -> None:
    flags = ["--side", "long", "--leverage", "10,50", "--threshold", "10%"]
    flags += ["--from", "2026-01-05T01:00", "--to", "2026-01-05T04:00"]
    rows = zip(*(getattr(market.trades, name).tolist() for name in ("ts", "price", "qty", "taker_sell")), strict=True)
    with open("trades.csv", "w", newline="") as file:
        csv.writer(file).writerows([("ts", "price", "qty", "taker_sell"), *rows])
    shares = "[leverage.shares]\n10 = 0.5\n25 = 0.3\n50 = 0.2\n"
    Path("liqcore.toml").write_text(shares)
    done("heatmap", "trades.csv", "-o", "from-trades.parquet", "-q", *flags)
    assert np.array_equal(lq.load_heatmap("from-trades.parquet").values, shown(*flags).values)


def test_other_cells_and_shares(hm: lq.Heatmap) -> None:
    wanted = hm.rebin(step=100, window="1h").reweigh({10: 0.4, 25: 0.4, 50: 0.2})
    found = shown("--bin", "100", "--window", "1h", "--leverage", "10:40%,25:40%,50:20%")
    assert np.array_equal(found.values, wanted.values)
    assert (found.step, found.window_ns) == (100, 3_600_000_000_000)


def test_a_picture_and_a_table_of_a_part(hm: lq.Heatmap) -> None:
    done("heatmap", "btc.parquet", "-o", "x.png", "-o", "x.csv", "--width", "640", "--height", "360", "--last", "1h")
    from PIL import Image

    with Image.open("x.png") as picture:
        assert picture.size == (640, 360)
    with open("x.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["time"] for row in rows}) == len(hm.select(last="1h").times)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "oi"], "--model goes with files of trades: a saved heatmap has its own"),
        (["--symbol", "X"], "--symbol goes with files of trades: a saved heatmap has its own"),
        (["--candles", "k.csv"], "--candles goes with files of trades: a saved heatmap has its own"),
        (["--warmup", "1h"], "--warmup goes with files of trades: a saved heatmap has its own"),
        (["--bin", "7"], "step must be a multiple of the book's bins (5), was 7 (--bin)"),
        (["--window", "7m"], "window must be a multiple of the engine's own (5m), was"),
        (["--leverage", "3,10"], "leverage must be among the tiers (10x, 25x, 50x), was 3x"),
        (["--leverage", "integer-125"], "leverage must be among the tiers"),
        (["--from", "2026-01-05T03:00", "--to", "2026-01-05T03:02"], "end must be a column after start ("),
        (
            ["other.parquet"],
            "FILES must be one saved heatmap or files of trades, was 2 files, and btc.parquet is a saved",
        ),
    ],
)
def test_what_a_saved_heatmap_cannot_obey_is_refused_by_name(flags: list[str], message: str) -> None:
    outcome = run("heatmap", "btc.parquet", "-o", "x.parquet", *flags)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"error: {message}")
    assert len(outcome.stderr.splitlines()) == 1
    assert not Path("x.parquet").exists()


def test_a_map_as_a_table(hm: lq.Heatmap) -> None:
    done("map", "btc.parquet", "-o", "map.csv", "--at", "2026-01-05T03:00", "--side", "long")
    with open("map.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    wanted = hm.select(side="long").map("2026-01-05T03:00")
    assert {row["time"] for row in rows} == {"2026-01-05 03:00:00"}
    assert sum(float(row["long"]) for row in rows) == pytest.approx(wanted.long.sum(), rel=1e-6)


def test_more_rows_than_spreadsheets_show_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liqcore.tables.frames.MOST_ROWS", 10)
    outcome = run("heatmap", "btc.parquet", "-o", "x.csv", "-q")
    assert outcome.exit_code == 0
    assert len(outcome.stderr.splitlines()) == 1
    assert "rows, of which spreadsheets show 10" in outcome.stderr


def test_zones_near_and_old_as_a_table(hm: lq.Heatmap) -> None:
    rows = json.loads(done("zones", "btc.parquet", "--within", "5", "--top", "0", "--json"))["zones"]
    assert [row["low"] for row in sorted(rows, key=lambda row: row["low"])] == [zone.low for zone in hm.zones(within=5)]
    assert all(abs(row["distance_percent"]) <= 5 for row in rows)
    done("zones", "btc.parquet", "--older-than", "1h", "--top", "0", "-o", "old.csv")
    with open("old.csv", newline="") as stream:
        old = list(csv.DictReader(stream))
    assert 0 < len(old) < len(hm.zones())
    assert max(row["since"] for row in old) <= "2026-01-05 03:50:00"
    assert [float(row["score"]) for row in old] == sorted((float(row["score"]) for row in old), reverse=True)


def test_saved_features_in_parts(market: lq.Market) -> None:
    found = lq.features(market.trades, "5m", symbol="SIM")
    found.save("f.parquet")
    done("features", "f.parquet", "-o", "f.csv", "--from", "2026-01-05T02:00", "--to", "2026-01-05T03:00")
    with open("f.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [rows[0]["time"], rows[-1]["time"], len(rows)] == ["2026-01-05 02:05:00", "2026-01-05 03:00:00", 12]
    done("features", "f.parquet", "-o", "last.parquet", "--last", "30m")
    assert len(lq.load_features("last.parquet")) == 6
    for args, message in (
        (["f.parquet", "--bars", "5m"], "--bars goes with files of trades: f.parquet has its own"),
        (["f.parquet", "--model", "oi"], "--model goes with files of trades"),
        (["btc.parquet", "--bars", "5m"], "FILES must be of trades, or saved features, btc.parquet is a saved heatmap"),
    ):
        outcome = run("features", *args, "-o", "x.csv")
        assert outcome.exit_code == 2
        assert outcome.stderr.startswith(f"error: {message}")


def test_the_version_is_said() -> None:
    assert done("--version") == f"liqcore {lq.__version__}\n"
