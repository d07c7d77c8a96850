"""The command line on real files: what must happen with good input, and with bad."""

import gzip
import zipfile

import numpy as np
import pytest
from PIL import Image

import liqcore as lq
from liqcore.cli import main
from recorded import data_dir

HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"


def rows(n=300, *, ms=1_750_000_000_000, start=0, price=100.0):
    return "".join(
        f"{i},{price + (i % 40) / 10:.1f},0.5,{i},{i},{ms + 1000 * i},{'true' if i % 3 else 'false'}\n"
        for i in range(start, start + n)
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args):
    return main([str(arg) for arg in args])


def test_a_file_becomes_a_picture_and_a_result(folder, capsys):
    (folder / "BTCUSDT-aggTrades-2026-01-05.csv").write_text(HEADER + rows())
    assert run("heatmap", "*.csv", "-o", "out.png", "-o", "out.parquet", "--window", "1m") == 0
    with Image.open("out.png") as picture:
        assert picture.size == (1600, 900)
    hm = lq.load_heatmap("out.parquet")
    assert hm.meta["symbol"] == "BTCUSDT"
    assert hm.meta["rows"]["used"] == 300
    assert "estimate" in capsys.readouterr().out
    assert run("heatmap", "*.csv", "-o", "again.parquet", "--config", "out.parquet", "-q") == 0
    assert np.array_equal(lq.load_heatmap("again.parquet").values, hm.values)


def test_every_flag_does_something(folder):
    (folder / "t.csv").write_text(HEADER + rows(2000))

    def values(*flags):
        assert run("heatmap", "t.csv", "-o", "x.parquet", "-q", "--window", "1m", *flags) == 0
        hm = lq.load_heatmap("x.parquet")
        return hm.times.tolist(), hm.prices.tolist(), hm.values.tolist()

    plain = values()
    for flags in (
        ("--bin", 1),
        ("--leverage", "20:0.5,40:0.5"),
        ("--leverage", "integer-125"),
        ("--side", "long"),
        ("--last", "10m"),
        ("--threshold", 0.5),
        ("--warmup", "10m"),
        ("--mmr", 0.0),
        ("--maker-share", 0.5),
        ("--half-life", "none"),
        ("--window", "5m"),
    ):
        assert values(*flags) != plain, flags


def bad_files(folder):
    """Name -> (how to make it, what the message says) for every bad file of the table."""
    good = HEADER + rows()
    zipped = folder / "whole.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("whole.csv", HEADER + rows(20_000))
    half_zip = zipped.read_bytes()[: zipped.stat().st_size // 2]
    half_gzip = gzip.compress((HEADER + rows(20_000)).encode())[:5000]
    zipped.unlink()
    return {
        "empty.csv": (b"", "empty"),
        "header.csv": (HEADER.encode(), "only a header"),
        "half.zip": (half_zip, "half.zip"),
        "half.csv.gz": (half_gzip, "half.csv.gz"),
        "poem.csv": (b"Shall I compare thee to a summer's day?\nThou art more lovely\n", "poem.csv"),
        "picture.csv": (bytes(range(256)) * 40, "picture.csv"),
        "missing.csv": (good.replace("price", "colour").encode(), "price"),
        "spaces.csv": (good.replace(",", " ").encode(), "','"),
        "mixed.csv": ((good + rows(ms=1_750_000_000_000_000, start=300)).encode(), "mixed.csv"),
        "unreadable.csv": ((good + "1,abc,0.5,1,1,1750000000000,true\n" * 40).encode(), "unreadable.csv"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "empty.csv",
        "header.csv",
        "half.zip",
        "half.csv.gz",
        "poem.csv",
        "picture.csv",
        "missing.csv",
        "spaces.csv",
        "mixed.csv",
        "unreadable.csv",
    ],
)
def test_a_bad_file_is_one_line_exit_code_2_and_no_output(folder, capsys, name):
    content, says = bad_files(folder)[name]
    (folder / name).write_bytes(content)
    assert run("heatmap", name, "-o", "out.png") == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("error: ")
    assert "\n" not in message
    assert name in message
    assert says in message
    assert [path.name for path in folder.iterdir()] == [name]


def test_off_grid_prices_refuse_the_file_with_the_counts(folder, capsys):
    (folder / "t.csv").write_text(HEADER + rows())
    ts = 10**18 + np.arange(1000, dtype=np.int64) * 10**9
    thirds = lq.TradeBatch(ts, 100 + np.arange(1000) / 3, np.ones(1000), ts % 2 == 0)
    with pytest.raises(lq.DataError, match=r"off it|decimal"):
        lq.heatmap(trades=thirds)
    assert capsys.readouterr().out == ""


def test_odd_rows_are_counted_and_the_rest_is_used(folder):
    odd = "".join(
        f"{i},{price},{qty},0,0,1750000301000,true\n"
        for i, (price, qty) in enumerate([("nan", "1"), ("inf", "1"), ("0", "1"), ("-5", "1"), ("100", "0")], 1000)
    )
    (folder / "t.csv").write_text(HEADER + rows() + odd + rows(1))  # the last repeats id 0
    assert run("heatmap", "t.csv", "-o", "x.parquet", "-q") == 0
    (report,) = lq.load_heatmap("x.parquet").meta["inputs"]
    assert report["rows"] == 306
    assert report["used"] == 300
    assert report["rejected"] == {"not_finite": 2, "not_positive": 3, "duplicate_id": 1}


@pytest.mark.parametrize(
    ("sell", "buy"), [("False", "True"), ("false", "true"), ("0", "1"), ("Buy", "Sell"), ("buy", "sell")]
)
def test_side_words_are_understood(folder, sell, buy):
    # As is_buyer_maker, true means that the aggressor sold; as side, "Sell" does.
    column = "side" if sell.lower() == "buy" else "is_buyer_maker"
    lines = [f"{1_750_000_000_000 + i},100.{i % 10},1,{buy if i % 4 == 0 else sell}\n" for i in range(200)]
    (folder / "t.csv").write_text(f"time,price,qty,{column}\n" + "".join(lines))
    (batch,) = lq.read_trades("t.csv")
    assert int(batch.taker_sell.sum()) == 50


def test_a_one_sided_file_is_warned_of(folder, capsys):
    (folder / "t.csv").write_text(HEADER + rows().replace("false", "true"))
    assert run("heatmap", "t.csv", "-o", "x.png") == 0
    assert "sell" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing(folder, capsys, monkeypatch):
    import os

    def full(_):
        raise OSError(28, "No space left on device")

    (folder / "t.csv").write_text(HEADER + rows())
    monkeypatch.setattr(os, "fsync", full)
    assert run("heatmap", "t.csv", "-o", "x.png", "-o", "x.parquet") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--leverage", "0.5:1"), "0.5"),
        (("--leverage", "10:0.5,20:0.4"), "sum"),
        (("--leverage", "10:1.5,20:-0.5"), "1.5 at tier 10"),
        (("--bin", "0.07"), "tick_size"),
        (("--window", "1ns"), "windows would be more than"),
        (("--symbol", ""), "symbol"),
        (("--trigger", "mark"), "marks"),
        (("--config", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_wrong_settings_are_one_line_and_exit_code_2(folder, capsys, flags, says):
    (folder / "t.csv").write_text(HEADER + rows())
    assert run("heatmap", "t.csv", "-o", "x.png", *flags) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("error: ")
    assert says in message
    assert "\n" not in message
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


@pytest.mark.usefixtures("folder")
def test_the_demo_draws_a_synthetic_market(capsys):
    assert run("demo", "--days", "0.1", "-o", "demo.png", "-o", "demo.parquet") == 0
    assert "SYNTHETIC" in capsys.readouterr().out
    hm = lq.load_heatmap("demo.parquet")
    assert hm.meta["synthetic"] is True
    assert hm.values.any()


@pytest.mark.recorded
@pytest.mark.usefixtures("folder")
def test_recorded_days_from_the_command_line():
    day = data_dir() / "trades" / "BTCUSDT-aggTrades-2026-06-14.zip"
    assert run("heatmap", day, "-o", "x.png", "-o", "x.parquet", "-q", "--symbol", "BTCUSDT") == 0
    assert lq.load_heatmap("x.parquet").meta["rows"]["used"] == 295_106
