"""Limits: what lies just below one is read, what lies just beyond is refused with the setting's name, in one line."""

from __future__ import annotations

import dataclasses
import gzip
import json
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest

import liqcore as lq
from liqcore.config import Config
from liqcore.config.sections import SETTINGS
from liqcore.words.limits import Limits

T0 = 1_781_222_399_211  # ms


def frame(rows: int = 20, **more: Any) -> pd.DataFrame:
    number = np.arange(rows)
    return pd.DataFrame(
        {"ts": T0 + number, "price": 63610.0 + number, "qty": 0.25, "taker_sell": number % 2 == 1, **more}
    )


def text(rows: int = 20, symbol: str = "") -> bytes:
    head = "timestamp,price,quantity,side" + (",symbol" if symbol else "")
    lines = [f"{T0 + n},{63610 + n},0.25,buy" + (f",{symbol}" if symbol else "") for n in range(rows)]
    return "\n".join([head, *lines, ""]).encode()


def rows_of_json(count: int = 20, names: int = 5, **more: str) -> list[dict[str, Any]]:
    rows = [
        {"id": n, "time": T0 + n, "price": "63610", "qty": "0.25", "isBuyerMaker": True, **more} for n in range(count)
    ]
    for n in range(5, names):
        rows[n % count][f"x{n}"] = 1
    return rows


def read(path: Path) -> int:
    return sum(len(batch) for batch in lq.read_trades(path))


def holds(limit: str, least: int, use: Callable[[], object]) -> None:
    """`use` works with a limit of `least` and above, and below it is refused, which says so."""
    with lq.limits(**{limit: least}):
        use()
    with lq.limits(**{limit: least - 1}), pytest.raises(lq.LiqcoreError) as refused:
        use()
    assert f"limits.{limit}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_settings_and_what_holds_have_the_same_names_and_defaults() -> None:
    assert {name: entry.default for name, entry in SETTINGS["limits"].items()} == dataclasses.asdict(Limits())


def packed_gzip(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 9))


def packed_zip(method: int) -> Callable[[Path, bytes], None]:
    def write(path: Path, content: bytes) -> None:
        with zipfile.ZipFile(path, "w", method, compresslevel=9) as archive:
            archive.writestr("SIM.csv", content)

    return write


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("SIM.csv.gz", packed_gzip),
        ("deflated.zip", packed_zip(zipfile.ZIP_DEFLATED)),
        ("bzip2.zip", packed_zip(zipfile.ZIP_BZIP2)),
        ("lzma.zip", packed_zip(zipfile.ZIP_LZMA)),
    ],
)
def test_unpacked_text(name: str, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liqcore.sources.text.ALWAYS_UNPACKED", 1 << 10)
    content = text(5_000)
    write(tmp_path / name, content)
    times = -(-len(content) // (tmp_path / name).stat().st_size)
    holds("unpacked", times, lambda: read(tmp_path / name))


def test_any_packed_text_may_have_64_mib(tmp_path: Path) -> None:
    packed_gzip(tmp_path / "SIM.csv.gz", text(20_000))
    with lq.limits(unpacked=1):
        assert read(tmp_path / "SIM.csv.gz") == 20_000


@pytest.mark.parametrize("compression", ["SNAPPY", "GZIP", "ZSTD", "BROTLI", None])
def test_unpacked_columns(compression: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liqcore.tables.parquet.ALWAYS_UNPACKED", 1 << 10)
    path = tmp_path / "a.parquet"
    table = frame(20_000).assign(ts=T0, price=1.0, taker_sell=False)
    fastparquet.write(str(path), table, compression=compression, write_index=False, has_nulls=False)
    with (
        pytest.raises(lq.DataError, match=r"limits\.unpacked") if compression else nullcontext(),
        lq.limits(unpacked=1),
    ):
        read(path)
    with path.open("rb") as file:
        most = max(
            chunk.meta_data.total_uncompressed_size for chunk in fastparquet.ParquetFile(file).row_groups[0].columns
        )
    if compression:
        holds("unpacked", -(-most // path.stat().st_size), lambda: read(path))


def test_json_held_at_once(tmp_path: Path) -> None:
    path = tmp_path / "trades.json"
    content = json.dumps(rows_of_json()).encode()
    path.write_bytes(content + b" " * ((2 << 20) - len(content)))
    holds("json", 2, lambda: read(path))


def test_tables_that_json_makes(tmp_path: Path) -> None:
    """Few bytes a row, but each row with all the names."""
    path = tmp_path / "trades.json"
    path.write_text(json.dumps(rows_of_json(2_000, names=600)))
    assert path.stat().st_size < 1 << 20 < 2_000 * 600 < 2 << 20
    holds("json", 2, lambda: read(path))


def test_names_in_json(tmp_path: Path) -> None:
    path = tmp_path / "trades.json"
    path.write_text(json.dumps(rows_of_json(names=40)))
    holds("columns", 40, lambda: read(path))


def test_columns_of_text(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    lines = text().decode().splitlines()
    path.write_text(
        "\n".join([lines[0] + "".join(f",x{n}" for n in range(30))] + [row + ",1" * 30 for row in lines[1:]])
    )
    holds("columns", 34, lambda: read(path))


def test_columns_and_row_groups_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    more = {f"x{n}": 1.0 for n in range(30)}
    fastparquet.write(str(path), frame(20, **more), row_group_offsets=2, write_index=False)
    holds("columns", 34, lambda: read(path))
    holds("groups", 10, lambda: read(path))


def test_files_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "trades.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("SIM.csv", text())
        for n in range(19):
            archive.writestr(f"{n}.txt", b"")
    holds("members", 20, lambda: read(path))


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_symbols(kind: str, tmp_path: Path) -> None:
    path, symbol = tmp_path / f"trades.{kind}", "X" * 80
    if kind == "csv":
        path.write_bytes(text(symbol=symbol))
    elif kind == "json":
        path.write_text(json.dumps(rows_of_json(symbol=symbol)))
    else:
        fastparquet.write(str(path), frame(symbol=symbol), write_index=False)
    holds("symbol", 80, lambda: read(path))


def test_symbols_of_other_streams(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text("time,mark_price,symbol\n" + "".join(f"{T0 + n},63610,{'X' * 80}\n" for n in range(20)))
    holds("symbol", 80, lambda: lq.read_marks(path))


def test_metadata(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    fastparquet.write(str(path), frame(), write_index=False, custom_metadata={"x": "y" * (1 << 20)})
    holds("header", 2, lambda: read(path))


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.01, trades_per_day=40_000, seed=3)


def test_windows(market: lq.Market, tmp_path: Path) -> None:
    hm = lq.heatmap(trades=market.trades, symbol="SIM", window="1m")
    saved = hm.save(tmp_path / "a.parquet")
    holds("windows", len(hm.times), lambda: lq.load_heatmap(saved))
    few = Config().replace(limits={"windows": len(hm.times) - 2})
    with pytest.raises(lq.InvalidConfigError, match=r"limits\.windows"):
        lq.heatmap(trades=market.trades, symbol="SIM", window="1m", config=few)


def test_cells(market: lq.Market) -> None:
    hm = lq.heatmap(trades=market.trades, symbol="SIM", window="1m")
    holds("cells", hm.values.size, lambda: lq.heatmap(trades=market.trades, symbol="SIM", window="1m").values)


def test_a_configuration_goes_before_the_block(tmp_path: Path) -> None:
    path = tmp_path / "SIM.csv"
    path.write_bytes(text(symbol="X" * 80))
    config = Config.loads("[limits]\nsymbol = 79")
    with lq.limits(symbol=80), pytest.raises(lq.DataError, match=r"limits\.symbol"):
        lq.heatmap(path, config=config)
    with lq.limits(symbol=79):
        assert lq.heatmap(path, config=Config().replace(limits={"symbol": 80})).meta["symbol"] == "X" * 80


def test_a_file_keeps_the_limits_that_held_when_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liqcore.sources.text.ALWAYS_UNPACKED", 0)
    packed_gzip(tmp_path / "SIM.csv.gz", text(500_000))
    with lq.limits(unpacked=100_000):
        reader = lq.read_trades(tmp_path / "SIM.csv.gz")
    with lq.limits(unpacked=1):
        assert sum(len(batch) for batch in reader) == 500_000


def test_blocks_within_blocks_and_configurations_change_what_they_name() -> None:
    from liqcore.config.limits import limits_of
    from liqcore.words.limits import limits

    with lq.limits(symbol=7), lq.limits(json=3):
        assert limits() == Limits(symbol=7, json=3)
        assert limits_of(Config()) == Limits(symbol=7, json=3)
        assert limits_of(Config.loads("[limits]\nsymbol = 100\ncells = 5")) == Limits(json=3, cells=5)


def test_limits_are_those_of_one_thread_and_end_with_the_block() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from liqcore.words.limits import limits

    with lq.limits(symbol=7), ThreadPoolExecutor(1) as other:
        assert limits().symbol == 7
        assert other.submit(limits).result() == Limits()
    assert limits() == Limits()


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("typer")
    pytest.importorskip("rich")
    from liqcore.cli import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "SIM.csv").write_bytes(text(symbol="X" * 80))
    command = ["heatmap", "SIM.csv", "-o", "a.parquet", "-q"]
    assert main(command) == 0
    (tmp_path / "liqcore.toml").write_text("[limits]\nsymbol = 20\n")
    assert main(command) == 2
    monkeypatch.setenv("LIQCORE_LIMITS_SYMBOL", "80")
    assert main(command) == 0
    monkeypatch.setenv("LIQCORE_LIMITS_WINDOWS", "0")
    capsys.readouterr()
    assert main(["zones", "a.parquet"]) == 2
    said = (
        "error: LIQCORE_LIMITS_WINDOWS: limits.windows must be a whole number of windows from 1 to 10000000000, was 0\n"
    )
    assert capsys.readouterr().err == said
