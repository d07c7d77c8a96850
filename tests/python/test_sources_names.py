"""Symbols of one letter, which elsewhere say a side, are symbols."""

from pathlib import Path

import fastparquet
import pandas as pd
import pytest

import liqcore as lq
from liqcore.errors import DataError
from liqcore.sources import scan

START = 1_767_225_600_000

PAIRS = [("S", "W"), ("S", "B"), ("A", "B"), ("T", "F"), ("4", "IP"), ("IP", "ME"), ("BTCUSDT", "BTCUSDC")]


def columns(name: str, words: tuple[str, str]) -> dict[str, list[object]]:
    return {
        "ts_ms": [START + i * 1000 for i in range(60)],
        name: [words[i % 2] for i in range(60)],
        "side": ["sell" if i % 3 else "buy" for i in range(60)],
        "qty": [1.0 + i for i in range(60)],
        "price": [100.0 + i for i in range(60)],
    }


def write(path: Path, given: dict[str, list[object]]) -> Path:
    rows = [",".join(map(str, row)) for row in zip(*given.values(), strict=True)]
    path.write_text("\n".join([",".join(given), *rows]) + "\n")
    return path


@pytest.mark.parametrize("words", PAIRS)
@pytest.mark.parametrize("name", ["symbol", "coin", "market", "instrument", "s"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_two_symbols_are_told_apart(kind: str, name: str, words: tuple[str, str], tmp_path: Path) -> None:
    given = columns(name, words)
    if kind == "csv":
        path = write(tmp_path / "sw.csv", given)
    else:
        path = tmp_path / "sw.parquet"
        fastparquet.write(str(path), pd.DataFrame(given))
    with pytest.raises(DataError, match=f"expected one symbol, found ({words[0]}, {words[1]}|{words[1]}, {words[0]}):"):
        scan(path)
    assert scan(path, symbol=words[0]).rows_used == 30
    assert scan(path, symbol="NOSUCH").rows_used == 0


@pytest.mark.parametrize("words", PAIRS)
def test_a_table_of_two_symbols_is_refused(words: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="expected rows of one symbol, found"):
        lq.heatmap(trades=pd.DataFrame(columns("coin", words)), symbol="BTCUSDT", venue="binance-usdm", window="1m")


def test_a_header_alone_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("timestamp,price,qty,side\n")
    with pytest.raises(DataError, match=r"a\.csv: expected trades, found only a header"):
        scan(tmp_path / "a.csv")
