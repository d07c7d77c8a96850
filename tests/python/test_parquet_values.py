"""Parquet as pyarrow, polars and DuckDB write it: every value is read as it was written, or the file is refused."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import foreign
from damage import damaged
from liqcore.errors import DataError
from liqcore.sources import read_trades
from liqcore.tables.parquet import ParquetTable


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left to pyarrow here, be it installed or not."""
    monkeypatch.setattr("liqcore.tables.parquet.pyarrow_module", lambda: None)


def read(path: Path) -> dict[str, list[Any]]:
    """Every column as Python's values, None for nulls."""
    table = ParquetTable(path)
    found: dict[str, list[Any]] = {name: [] for name in table.columns}
    for group in range(len(table.group_rows)):
        for name, column in zip(table.columns, table.read(group, table.columns), strict=True):
            values = column.values.tolist()
            null = [False] * len(values) if column.null is None else column.null.tolist()
            found[name] += [None if missing else value for missing, value in zip(null, values, strict=True)]
    return found


def expected(rows: int = foreign.ROWS) -> dict[str, list[Any]]:
    """The columns as `read` gives them: times in nanoseconds, decimals as doubles."""
    found = foreign.columns(rows)
    found["at"] = [np.datetime64(at.replace(tzinfo=None), "ns").astype(int) for at in found["at"]]
    found["day"] = [None if day is None else np.datetime64(day, "ns").astype(int) for day in found["day"]]
    found["cost"] = [float(cost) for cost in found["cost"]]
    return found


@pytest.mark.parametrize("path", foreign.samples(), ids=lambda path: str(path.stem))
def test_every_value_is_as_it_was_written(path: Path) -> None:
    assert read(path) == expected()


@pytest.mark.parametrize("name", foreign.WRITERS)
def test_what_the_installed_writers_write(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip(name.partition("-")[0])
    write, options = foreign.WRITERS[name]
    for rows in (1, 7, 8, 9, 1_000):
        write(tmp_path / "a.parquet", foreign.table(rows), **options)
        assert read(tmp_path / "a.parquet") == expected(rows)


def test_trades_are_the_same_whoever_wrote_them() -> None:
    said = []
    for path in foreign.samples():
        reader = read_trades(path)
        batches = list(reader)
        said.append([np.concatenate([getattr(batch, name) for batch in batches]).tolist() for name in ("ts", "price")])
        assert reader.report.rejected == {"null_qty": sum(qty is None for qty in foreign.columns()["qty"])}
    assert len(said) == len(foreign.WRITERS)
    assert all(one == said[0] for one in said)


def test_damage_is_refused_or_leaves_as_many_values(tmp_path: Path) -> None:
    """Nothing else is raised, whatever is damaged; `fuzz.py` reads many more."""
    rng = random.Random(1)
    files = [path.read_bytes() for path in foreign.samples()]
    refused = 0
    for _ in range(400):
        (tmp_path / "a.parquet").write_bytes(damaged(rng.choice(files), rng))
        try:
            found = read(tmp_path / "a.parquet")
        except DataError:
            refused += 1
        else:
            assert len({len(column) for column in found.values()}) == 1
    assert 100 < refused < 400


def unpacked(name: str) -> tuple[bytearray, Any]:
    """A file without compression, and the places of its first row group."""
    path = foreign.FOLDER / f"{name}.parquet"
    return bytearray(path.read_bytes()), ParquetTable(path)


def test_a_place_beyond_the_dictionary_is_refused(tmp_path: Path) -> None:
    """Every byte of the pages of a dictionary column is set to its highest: no place lies outside unnoticed."""
    content, table = unpacked("duckdb-unpacked")
    chunk = table._own[0].chunks[table.columns.index("price")]
    allowed = set(foreign.columns()["price"])
    refused = 0
    for at in range(chunk.begin, chunk.begin + chunk.size):
        changed = bytearray(content)
        changed[at] ^= 0xFF
        (tmp_path / "a.parquet").write_bytes(changed)
        try:
            found = set(read(tmp_path / "a.parquet")["price"])
        except DataError:
            refused += 1
            continue
        assert len(found - allowed) <= 1  # a value of the dictionary itself was changed
    assert refused > 100


def test_a_damaged_length_of_text_is_refused(tmp_path: Path) -> None:
    content, _ = unpacked("polars-unpacked")
    at = content.index(struct.pack("<I", 4) + b"sell")
    for length in (5, 2**31 - 1, 2**31, 2**32 - 1):
        changed = bytearray(content)
        changed[at : at + 4] = struct.pack("<I", length)
        (tmp_path / "a.parquet").write_bytes(changed)
        with pytest.raises(DataError, match=r"a\.parquet: column side is damaged"):
            read(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "options", "what"),
    [
        ("price", {"use_dictionary": False, "column_encoding": {"price": "BYTE_STREAM_SPLIT"}}, "split bytes"),
        ("ts", {"use_dictionary": False, "column_encoding": {"ts": "DELTA_BINARY_PACKED"}}, "deltas"),
        ("side", {"use_dictionary": False, "column_encoding": {"side": "DELTA_BYTE_ARRAY"}}, "deltas of text"),
    ],
)
def test_what_is_not_read_here_says_so(name: str, options: dict[str, Any], what: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    foreign.by_pyarrow(tmp_path / "a.parquet", foreign.table(), **options)
    with pytest.raises(
        DataError, match=f"a.parquet: column {name} holds {what} .*: install pyarrow, which reads those"
    ):
        read(tmp_path / "a.parquet")


def test_times_beyond_64_bits_of_nanoseconds_are_none(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    late = [2**62, 0, -(2**62), 9_223_372_036_854_775, -9_223_372_036_854_775]
    times = pa.table(
        {"at": pa.array(late, pa.timestamp("us")), "day": pa.array([2**31 - 1, 0, -(2**31), 1, 2], pa.date32())}
    )
    foreign.by_pyarrow(tmp_path / "a.parquet", times)
    (at, day) = ParquetTable(tmp_path / "a.parquet").read(0, ["at", "day"])
    assert np.isnat(at.values).tolist() == [True, False, True, True, True]
    assert np.isnat(day.values).tolist() == [True, False, True, False, False]
