"""`liqcore features`: a table of features, a row a bar."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastparquet import ParquetFile

pytest.importorskip("typer")

import liqcore as lq
from liqcore.cli import main
from liqcore.words.times import to_ns


@pytest.fixture(scope="module")
def market() -> Any:
    return lq.simulate(days=0.1, trades_per_day=20_000, seed=5)


@pytest.fixture
def trades(market: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    batch = market.trades
    rows = zip(batch.ts.tolist(), batch.price.tolist(), batch.qty.tolist(), batch.taker_sell.tolist(), strict=True)
    lines = (f"{ts},{price:.1f},{qty!r},{'sell' if sold else 'buy'}" for ts, price, qty, sold in rows)
    Path("trades.csv").write_text("ts,price,qty,side\n" + "\n".join(lines) + "\n")
    return "trades.csv"


def run(capsys: Any, *args: str) -> tuple[int, str, str]:
    code = main(["features", *args])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_parquet_file_has_every_bit(capsys: Any, trades: str) -> None:
    code, out, err = run(capsys, trades, "--bars", "5m", "-o", "f.parquet", "--reaches", "1,3", "--warmup", "15m")
    assert (code, err) == (0, "")
    wanted = lq.features(trades, "5m", reaches=(1, 3), warmup="15m")
    assert out == f"{len(wanted)} bars of 5m, {len(wanted.names)} features: f.parquet\n"
    with open("f.parquet", "rb") as stream:
        file = ParquetFile(stream)
        meta = json.loads(file.key_value_metadata["liqcore.features"])
        frame = file.to_pandas()
    assert list(frame.columns) == ["time", *wanted.names]
    assert frame["time"].to_numpy().tolist() == wanted.times.tolist()
    for name in wanted.names:
        np.testing.assert_array_equal(frame[name].to_numpy(), wanted[name])
    assert (meta["bars"], meta["reaches"], meta["warmup"]) == ("5m", [1, 3], "15m")
    assert meta["config_hash"] == wanted.meta["config_hash"]


def test_a_csv_file_leaves_cells_empty_for_nan(capsys: Any, trades: str) -> None:
    code, out, _ = run(capsys, trades, "--bars", "5m", "-o", "f.csv", "-q")
    assert (code, out) == (0, "")
    wanted = lq.features(trades, "5m")
    with open("f.csv", newline="") as stream:
        head, *rows = csv.reader(stream)
    assert head == ["time", *wanted.names]
    assert all(row[0][10] == " " for row in rows)  # a day and a time, as spreadsheets read them
    assert [to_ns(row[0]) for row in rows] == wanted.times.tolist()
    values = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows])
    np.testing.assert_allclose(values, wanted.values, rtol=1e-9)  # ten digits
    assert not any("e" in cell for row in rows for cell in row)
    assert np.isnan(values).any()
    for name, column, own in zip(wanted.names, values.T, wanted.values.T, strict=True):
        if name != "price" and not name.endswith(("_low", "_high")):
            np.testing.assert_allclose(column, own, rtol=1e-9)
        else:  # as the venue writes them, on a tick of 0.1
            cells = [row[1 + wanted.names.index(name)] for row in rows]
            assert all(re.fullmatch(r"\d+(\.\d)?", cell) for cell in cells if cell), name


@pytest.mark.parametrize("bars", ["10d", "8d"])
def test_bars_that_the_data_does_not_fill_are_an_error(capsys: Any, trades: str, bars: str) -> None:
    code, out, err = run(capsys, trades, "--bars", bars, "-o", "f.csv")
    assert (code, out) == (2, "")
    assert re.search(rf"bars must be so short that the data reaches the end of one: the first of {bars} ends 20", err)
    assert not Path("f.csv").exists()


def test_settings_reach_the_engine(capsys: Any, trades: str, market: Any) -> None:
    batch = market.trades
    Path("marks.csv").write_text(
        "ts,mark_price\n"
        + "".join(
            f"{ts},{price}\n" for ts, price in zip(batch.ts[::5].tolist(), batch.price[::5].tolist(), strict=True)
        )
    )
    options = ["--leverage", "10:0.5,50:0.5", "--half-life", "none", "--tick-size", "0.1", "--lot-size", "0.0001"]
    options += [
        "--window",
        "1m",
        "--symbol",
        "SIM",
        "--venue",
        "test",
        "--mmr",
        "0.004",
        "--marks",
        "marks.csv",
        "--model",
        "flow",
    ]
    code, _, err = run(capsys, trades, "--bars", "5m", "-o", "f.parquet", "-q", "--trigger", "mark", *options)
    assert code == 0, err
    with open("f.parquet", "rb") as stream:
        meta = json.loads(ParquetFile(stream).key_value_metadata["liqcore.features"])
    assert (meta["window"], meta["trigger"], meta["leverage"]) == ("1m", "mark", {"10": 0.5, "50": 0.5})
    assert (meta["half_life"], meta["symbol"], meta["venue"]) == (None, "SIM", "test")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["trades.csv", "--bars", "5m", "-o", "f.png"],
            "-o must end in .parquet (result) or .csv (table), was",
        ),
        (
            ["trades.csv", "--bars", "5m", "-o", "trades.csv"],
            "-o must be another file than FILES, was",
        ),
        (["trades.csv", "--bars", "5m", "-o", "f.csv", "--reaches", "1;2"], "--reaches must be numbers such as"),
        (["trades.csv", "--bars", "5m", "-o", "f.csv", "--reaches", "2,1"], "reaches must rise, had 1 after 2"),
        (["trades.csv", "-o", "f.csv"], "--bars must be given with files of trades, such as --bars 5m"),
        (["trades.csv", "--bars", "5m", "-o", "f.csv", "--leverage", "10,25"], "--leverage must be shares such as"),
        (["trades.csv", "--bars", "5m", "-o", "f.csv", "--from", "2030"], "start and end must leave a bar that closes"),
        (["trades.csv", "--bars", "often", "-o", "f.csv"], "bars must be a length of time such as"),
        (["--bars", "5m", "-o", "f.csv"], "FILES of trades, saved features, or --candles, must be given"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(capsys: Any, trades: str, args: list[str], message: str) -> None:
    before = Path(trades).read_bytes()
    code, out, err = run(capsys, *args)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["trades.csv"]
    assert Path(trades).read_bytes() == before
