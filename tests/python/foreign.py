"""
Parquet files as other programs write them by default: small ones lie in written_by_others/, and what they hold is here.

``python tests/python/foreign.py`` writes those again, where pyarrow, polars and duckdb are installed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "written_by_others"
START = 1_781_222_399_211  # ms
ROWS = 240


def columns(rows: int = ROWS, start: int = START) -> dict[str, list[Any]]:
    """Trades, with columns of every common type; some have nulls."""
    number = range(rows)
    return {
        "ts": [start + 250 * n // 3 for n in number],
        "price": [63_610.5 + 0.5 * (n * 7 % 23) for n in number],
        "qty": [None if n % 41 == 7 else (n * 13 % 17 + 1) / 4 for n in number],
        "side": ["sell" if n * 5 % 3 == 0 else "buy" for n in number],
        "maker": [n * 5 % 3 == 0 for n in number],
        "at": [datetime.fromtimestamp(start // 1000 + n // 5, UTC) + timedelta(microseconds=n) for n in number],
        "day": [None if n % 50 == 3 else date(2026, 6, 1) + timedelta(days=n // 30) for n in number],
        "cost": [Decimal(n * 37 % 1009 - 300).scaleb(-2) for n in number],
        "note": [None if n % 3 else f"é{n % 5}" for n in number],
        "count": [None if n % 77 == 5 else n - 100 for n in number],
    }


def table(rows: int = ROWS) -> Any:
    """As an Arrow table."""
    import pyarrow as pa

    types = {
        "ts": pa.int64(), "price": pa.float64(), "qty": pa.float64(), "side": pa.string(), "maker": pa.bool_(),
        "at": pa.timestamp("us", "UTC"), "day": pa.date32(), "cost": pa.decimal128(12, 2), "note": pa.string(),
        "count": pa.int32(),
    }  # fmt: skip
    return pa.table({name: pa.array(values, types[name]) for name, values in columns(rows).items()})


def by_pyarrow(path: Path, rows: Any, **options: Any) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(rows, path, row_group_size=100, store_schema=False, **options)


def by_polars(path: Path, rows: Any, **options: Any) -> None:
    import polars

    polars.from_arrow(rows).write_parquet(path, row_group_size=100, **options)  # type: ignore[union-attr]


def by_duckdb(path: Path, rows: Any, compression: str = "snappy", more: str = "") -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.register("rows", rows)
        connection.sql(f"copy (select * from rows) to '{path}' (format parquet, compression {compression}{more})")


WRITERS: dict[str, tuple[Callable[..., None], dict[str, Any]]] = {
    "pyarrow": (by_pyarrow, {}),
    "pyarrow-small-pages": (by_pyarrow, {"data_page_size": 64, "write_batch_size": 16, "compression": "ZSTD"}),
    "pyarrow-v2": (by_pyarrow, {"data_page_version": "2.0", "compression": "GZIP"}),
    "pyarrow-int96": (by_pyarrow, {"use_deprecated_int96_timestamps": True, "compression": "BROTLI"}),
    "pyarrow-plain": (by_pyarrow, {"use_dictionary": False, "compression": "NONE", "write_page_checksum": True}),
    "polars": (by_polars, {}),
    "polars-unpacked": (by_polars, {"compression": "uncompressed"}),
    "duckdb": (by_duckdb, {}),
    "duckdb-unpacked": (by_duckdb, {"compression": "uncompressed"}),
    "duckdb-lz4": (by_duckdb, {"compression": "lz4_raw"}),
}
"""Functions that write a table to a path, and their options, by name."""


def samples() -> list[Path]:
    """The files that lie here."""
    return sorted(FOLDER.glob("*.parquet"))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, (write, options) in WRITERS.items():
        write(FOLDER / f"{name}.parquet", table(), **options)
