"""What a command writes is never what it reads, whichever argument names it and by whichever name."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.cli import main

TRADES = lq.simulate(days=0.05, trades_per_day=40_000).trades


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with trades, a saved heatmap and series beside them; some under other names too."""
    monkeypatch.chdir(tmp_path)
    lq.heatmap(trades=TRADES).save("saved.parquet")
    sides = np.where(TRADES.taker_sell, "sell", "buy")
    rows = zip(TRADES.ts.tolist(), TRADES.price.tolist(), TRADES.qty.tolist(), sides, strict=True)
    text = "timestamp,price,qty,side\n" + "".join(f"{ts},{price},{qty},{side}\n" for ts, price, qty, side in rows)
    Path("trades.csv").write_text(text)
    for name in ("marks", "oi", "candles"):
        Path(f"{name}.csv").write_text("not looked at")
    Path("own.toml").write_text('[source]\nmarks = "marks.csv"\n')
    os.symlink("saved.parquet", "link.parquet")
    os.link("saved.parquet", "twin.parquet")
    os.symlink(tmp_path, "here")
    os.symlink("own.toml", "toml.csv")
    return tmp_path


@pytest.mark.parametrize(
    ("args", "output", "argument"),
    [
        (["heatmap", "saved.parquet"], "saved.parquet", "FILES"),
        (["heatmap", "saved.par*"], "saved.parquet", "FILES"),
        (["heatmap", "saved.parquet"], "link.parquet", "FILES"),
        (["heatmap", "link.parquet"], "saved.parquet", "FILES"),
        (["heatmap", "saved.parquet"], "twin.parquet", "FILES"),
        (["heatmap", "here/saved.parquet"], "saved.parquet", "FILES"),
        (["heatmap", "trades.csv", "--config", "saved.parquet"], "saved.parquet", "--config"),
        (["heatmap", "trades.csv", "--config", "saved.parquet"], "link.parquet", "--config"),
        (["heatmap", "trades.csv", "--config", "own.toml"], "toml.csv", "--config"),
        (["heatmap", "trades.csv", "--marks", "marks.csv"], "marks.csv", "--marks"),
        (["heatmap", "trades.csv", "--open-interest", "o*.csv"], "oi.csv", "--open-interest"),
        (["heatmap", "--candles", "candles.csv"], "candles.csv", "--candles"),
        (["map", "trades.csv", "--config", "saved.parquet"], "saved.parquet", "--config"),
        (["map", "*.parquet"], "saved.parquet", "FILES"),
        (["map", "trades.csv", "--config", "own.toml"], "marks.csv", "source.marks"),
        (["zones", "trades.csv"], "trades.csv", "FILES"),
        (["screen", "trades.csv"], "trades.csv", "FILES"),
        (["screen", "trades.csv", "--config", "toml.csv"], "toml.csv", "--config"),
        (["features", "[s]aved.parquet", "--bars", "1m"], "saved.parquet", "FILES"),
        (["features", "trades.csv", "--bars", "1m", "--config", "saved.parquet"], "saved.parquet", "--config"),
        (["features", "trades.csv", "--bars", "1m", "--marks", "marks.csv"], "marks.csv", "--marks"),
        (["footprints", "twin.parquet"], "saved.parquet", "FILES"),
        (["footprints", "trades.csv", "--marks", "twin.parquet"], "saved.parquet", "--marks"),
        (["merge", "saved.parquet", "trades.csv"], "saved.parquet", "FILES"),
        (["heatmap", "trades.csv", "-o", "x.png"], "x.png", "another -o"),
        (["heatmap", "trades.csv", "-o", "here/x.png"], "x.png", "another -o"),
    ],
)
def test_an_output_that_is_an_input_is_refused_by_both_names(
    capsys: Any, folder: Path, args: list[str], output: str, argument: str
) -> None:
    before = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    assert main([*args, "-o", output]) == 2
    said = f'error: -o must be another file than {argument}, was "{output}"\n'
    assert capsys.readouterr().err == said
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == before


def test_the_settings_of_the_working_directory_are_an_input_too(capsys: Any) -> None:
    os.link("own.toml", "liqcore.toml")
    assert main(["heatmap", "trades.csv", "-o", "toml.csv"]) == 2
    assert "-o must be another file than liqcore.toml" in capsys.readouterr().err


def test_features_of_a_heatmap_are_refused_with_what_to_do_instead(capsys: Any) -> None:
    assert main(["features", "saved.parquet", "--bars", "1m", "-o", "f.csv"]) == 2
    assert "Give the trades that it was made from, with --config saved.parquet" in capsys.readouterr().err
    with pytest.raises(lq.DataError, match="give the trades that it was made from, with config="):
        lq.features("saved.parquet", "1m")
    heatmap = lq.load_heatmap("saved.parquet")
    with pytest.raises(TypeError, match=r"give the trades that it was made from, .*config=Config\.from_dict"):
        lq.features(heatmap, "1m")
    config = lq.Config.from_dict(heatmap.meta["config"])
    assert len(lq.features("trades.csv", "1m", config=config).times)
    args = ["features", "trades.csv", "--bars", "1m", "-o", "f.csv", "--config", "saved.parquet", "-q"]
    assert main(args) == 0, capsys.readouterr().err
