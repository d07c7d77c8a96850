"""`liqcore calibrate`: what is written, where to, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("typer")

import liqcore as lq
from liqcore.cli import main
from liqcore.market.fitted import FittedLayer, FittedProfile
from test_cli_score import folder  # noqa: F401  (files of two simulated markets)

OPTIONS = ["--bar", "30m", "--block", "3h", "--warmup", "6h", "--draws", "100", "--layers", "25x,50,0.5%"]


def run(capsys: Any, *args: str) -> tuple[int, str, str]:
    code = main(["calibrate", *args])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_file_that_leverage_takes(capsys: Any, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    candles, truth = folder / "M2USDT-1m-2026-01.csv", folder / "liquidations-M2.csv"
    path = tmp_path / "m2.json"
    code, out, _ = run(capsys, str(candles), "-l", str(truth), *OPTIONS, "--feed", "made up", "-o", str(path))
    assert code == 0
    assert out.startswith("the fitted maps add")
    assert "feed: made up" in out
    assert out.rstrip().endswith(f"written to  {path}")
    held = lq.FittedProfile.load(path)
    assert held.data["feed"] == "made up"
    assert [layer.tier for layer in held.layers if layer.half_life_ns > 18 * 3.6e12] == [0.005, 0.02, 0.04]
    code = main(["score", str(candles), "-l", str(truth), "--bar", "30m", "--block", "3h", "--warmup", "6h", "--draws",
                 "100", "--leverage", str(path), "--json"])  # fmt: skip
    said = json.loads(capsys.readouterr().out)
    assert code == 0
    assert len(said["statement"]["leverage"]) == 6
    assert 0.2 < said["dollars"]["ratio"]["value"] < 5


def test_json_without_short_half_lives(capsys: Any, folder: Path) -> None:  # noqa: F811
    code, out, _ = run(
        capsys, str(folder / "M2USDT-1m-2026-01.csv"), "-l", str(folder / "liquidations-M2.csv"), *OPTIONS,
        "--short", "none", "--json",
    )  # fmt: skip
    assert code == 0
    (profile,) = json.loads(out)["profiles"].values()
    assert len(profile["layers"]) == 3


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--layers", "10,y"], '--layers must be numbers, such as "10,25,100,0.5%", was "y"'),
        (["--short", "some"], '--short must be numbers, such as 0.08, was "some"'),
        (["--touch", "close"], 'touch must be "wick" or "body"'),
        (["-o", "out.png"], "out.png"),
        (["-l", "other.csv"], "--liquidations must be given once"),
    ],
)
def test_what_cannot_be_is_refused(capsys: Any, folder: Path, args: list[str], message: str) -> None:  # noqa: F811
    code, _, err = run(capsys, str(folder / "M2USDT-1m-2026-01.csv"), "-l", str(folder / "liquidations-M2.csv"), *args)
    assert code == 2
    assert message in err


def test_a_saved_heatmap_has_layers_of_its_own(capsys: Any, tmp_path: Path) -> None:
    layer = FittedLayer(0.01, 3.6e12, 0.1, 0.2, 0.3)
    FittedProfile("X", "2026-04-01", "1", (layer,)).save(tmp_path / "x.json")
    market = lq.simulate(days=0.1, trades_per_day=20_000)
    lq.heatmap(trades=market.trades, symbol="SIM").save(tmp_path / "map.parquet")
    for command in (["map"], ["heatmap", "-o", str(tmp_path / "out.png")]):
        code = main([*command, str(tmp_path / "map.parquet"), "--leverage", str(tmp_path / "x.json")])
        assert code == 2
        assert "a saved heatmap has its own" in capsys.readouterr().err
