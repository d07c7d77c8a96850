"""`liqcore score`: what is written, where to, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")

from liqcore.cli import main
from test_score import simulated

OPTIONS = ["--bar", "15m", "--block", "2h", "--warmup", "6h", "--draws", "100"]


def write(path: Path, header: str, rows: list[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Candles of two simulated markets, and what was liquidated: single ones, and totals."""
    folder = tmp_path_factory.mktemp("score")
    for seed in (2, 3):
        _, candles, truth = simulated(seed, days=2.0)
        assert candles.buy_qty is not None
        assert candles.volume is not None
        assert truth.price is not None
        names = ("ts_open", "open", "high", "low", "close", "volume", "buy_qty")
        rows = zip(*(getattr(candles, name).tolist() for name in names), strict=True)
        write(
            folder / f"M{seed}USDT-1m-2026-01.csv",
            "open_time,open,high,low,close,volume,taker_buy_volume",
            [",".join([str(row[0]), *(f"{value:.10g}" for value in row[1:])]) for row in rows],
        )
        sides, usd = np.where(truth.long_usd > 0, "sell", "buy").tolist(), (truth.long_usd + truth.short_usd).tolist()
        prints = zip(truth.ts.tolist(), sides, usd, truth.price.tolist(), strict=True)
        write(
            folder / f"liquidations-M{seed}.csv",
            "ts_ns,side,size_usd,price",
            [f"{ts},{side},{amount:.2f},{price:.1f}" for ts, side, amount, price in prints],
        )
    return folder


def run(capsys: Any, *args: str) -> tuple[int, str, str]:
    code = main(["score", *args])
    out, err = capsys.readouterr()
    return code, out, err


def test_tables_json_and_a_picture(capsys: Any, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    candles, truth = folder / "M2USDT-1m-2026-01.csv", folder / "liquidations-M2.csv"
    outputs = ["-o", str(tmp_path / "s.json"), "-o", str(tmp_path / "s.png")]
    code, out, _ = run(
        capsys, str(candles), "-l", str(truth), *OPTIONS, *outputs, "--leverage", "10:50%,50:50%", "--feed", "made up"
    )
    assert code == 0
    assert out.splitlines()[0].startswith("given the bar's prices: ")
    for words in (
        "M2USDT: ",
        "feed: made up; totals are floors",
        "leverage 10x 0.5, 50x 0.5",
        "N12 + constant volume",
        "written to",
    ):
        assert words in out, words
    said = json.loads((tmp_path / "s.json").read_text())
    assert said["verdict"] == out.splitlines()[0]
    assert (tmp_path / "s.png").read_bytes()[:4] == b"\x89PNG"


def test_several_markets_as_json(capsys: Any, folder: Path) -> None:
    files = [str(folder / f"M{seed}USDT-1m-*.csv") for seed in (2, 3)]
    liquidations = [part for seed in (2, 3) for part in ("-l", str(folder / f"liquidations-M{seed}.csv"))]
    code, out, _ = run(capsys, *files, *liquidations, *OPTIONS, "--json")
    assert code == 0
    assert [one["name"] for one in json.loads(out)["statement"]["markets"]] == ["M2USDT", "M3USDT"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--draws", "5"], "draws must be a whole number from 100 to 10,000, was 5"),
        (["--seed", "-1"], "seed must be a whole number from 0 to 9,223,372,036,854,775,807, was -1"),
        (["--block", "1m"], "block must be at least a bar (30m), was 1m"),
        (["-o", "x.svg"], "-o must end in .json (json) or .png (picture), was"),
        (["--scale", "nan"], "scale must be a number above 0, was nan"),
        (["--bar", "7s"], "bar must be a multiple of the candles' interval (1m)"),
        (["--side-is", "nobody"], "side_is must be"),
        (["--block", "soon"], "block"),
        (["-l", "x.csv", "-l", "y.csv"], "--liquidations must be given once, or once for each of the 1 markets, was 3"),
        (["-o", "x.txt"], "-o must end in"),
        (["--leverage", "25,50"], "leverage"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(
    capsys: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [str(folder / "M2USDT-1m-2026-01.csv"), "-l", str(folder / "liquidations-M2.csv"), *options]
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_the_option_that_chooses_a_market_is_named(capsys: Any, folder: Path, tmp_path: Path) -> None:
    rows = [f"{1_767_225_600_000 + i * 60_000},{coin},sell,5,100" for i, coin in enumerate("SWSW")]
    write(tmp_path / "both.csv", "ts_ms,coin,side,size_usd,price", rows)
    code, _, err = run(capsys, str(folder / "M2USDT-1m-2026-01.csv"), "-l", str(tmp_path / "both.csv"))
    assert code == 2
    assert "both.csv: expected one symbol, found S, W: choose one with --coin" in err
    write(tmp_path / "sw.csv", "ts_ms,coin,side,qty,price", rows)
    for command in (["heatmap", str(tmp_path / "sw.csv"), "-o", str(tmp_path / "x.parquet")],
                    ["record", "--replay", str(tmp_path / "sw.csv"), str(tmp_path / "journal")]):  # fmt: skip
        assert main(command) == 2
        assert "sw.csv: expected one symbol, found S, W: choose one with --symbol" in capsys.readouterr().err
