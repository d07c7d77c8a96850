"""
Saved histories: window segments as one narrow Parquet table (docs/reference/archive.md).

Through fastparquet, which is imported on use: it brings pandas.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import numpy as np

from . import _core
from ._core import LeverageProfile
from .errors import DataError
from .files import write_whole

Loaded = TypeVar("Loaded")

CONFIG_KEY = "liqcore.config"
SCHEMA_VERSION = 1
COLUMNS: dict[str, type[np.generic]] = {
    "time": np.int64,
    "kind": np.uint8,
    "side": np.int8,
    "tier": np.int16,
    "bin": np.int32,
    "value": np.float64,
}


def write_archive(
    path: str | os.PathLike[str],
    key: str,
    header: dict[str, Any],
    history: _core.History,
    leverage: LeverageProfile,
    config: Any = None,
) -> Path:
    """
    Write a history, what its layers stand for and a header of JSON values under the metadata `key`.

    The file appears whole or not at all. `config`, the JSON form of a configuration, makes `Config.load` read it.
    """
    import pandas as pd

    header = {
        "schema": SCHEMA_VERSION,
        "terms": history.terms,
        "first_ns": int(history.times()[0]) if len(history) else 0,
        "windows": len(history),
        "leverage": {repr(tier): share for tier, share in leverage.to_dict().items()},
        "intensity": leverage.intensity,
    } | header
    metadata = {key: json.dumps(header)}
    if config is not None:
        metadata[CONFIG_KEY] = json.dumps(config)
    write_table(path, pd.DataFrame(history.to_rows(), copy=False), metadata, stats=["time"])
    return Path(path)


def read_archive(
    path: str | os.PathLike[str], key: str, what: str
) -> tuple[dict[str, Any], _core.History, LeverageProfile]:
    """Read what `write_archive` wrote under `key`; DataError says that `path` is not `what` if it is not."""
    expected = f"{path}: expected {what} saved by liqcore"
    text, frame = read_table(path, key, expected, lambda parquet, _: parquet.to_pandas(columns=list(COLUMNS)))
    header: dict[str, Any] = json.loads(text)
    if header["schema"] != SCHEMA_VERSION:
        raise DataError(f"{expected} with schema {SCHEMA_VERSION}, found schema {header['schema']}")
    rows = {name: np.ascontiguousarray(frame[name].to_numpy(), dtype=kind) for name, kind in COLUMNS.items()}
    history = _core.History.from_rows(
        **header["terms"], first_ns=header["first_ns"], windows=header["windows"], columns=rows
    )
    shares = {float(tier): share for tier, share in header["leverage"].items()}
    return header, history, LeverageProfile(shares, intensity=header["intensity"])


def read_metadata(path: str | os.PathLike[str], key: str) -> str:
    """Read one text that `write_archive` put into a file's metadata; DataError if it is not there."""
    return read_table(path, key, f"{path}: expected a result saved by liqcore", lambda *_: None)[0]


def write_table(
    path: str | os.PathLike[str],
    frame: Any,
    metadata: dict[str, str],
    *,
    stats: list[str],
    compression: str = "ZSTD",
    row_group_offsets: list[int] | None = None,
) -> None:
    """Write a data frame without nulls as a Parquet file, which appears whole or not at all."""
    import fastparquet

    with write_whole(path) as file:
        fastparquet.write(
            os.fspath(path),
            frame,
            compression=compression,
            row_group_offsets=row_group_offsets,
            write_index=False,
            has_nulls=False,
            stats=stats,
            custom_metadata=metadata,
            open_with=lambda *_: _KeepOpen(file),
        )


def read_table(
    path: str | os.PathLike[str], key: str, expected: str, load: Callable[[Any, BinaryIO], Loaded]
) -> tuple[str, Loaded]:
    """
    Read the text under `key` in a file's metadata, and what `load` makes of its `ParquetFile` and the open file.

    Whatever is wrong is a DataError that begins with `expected`.
    """
    import fastparquet

    with open(path, "rb") as file:  # opened here, because fastparquet leaks the handle that it opens itself
        if file.read(4) != b"PAR1":
            raise DataError(f"{expected} (Parquet), found another kind of file")
        file.seek(0)
        try:
            parquet = fastparquet.ParquetFile(file)
            text = parquet.key_value_metadata.get(key)
            loaded = None if text is None else load(parquet, file)
        except Exception as error:  # in a damaged file it runs into all kinds
            raise DataError(f"{expected}, found a damaged Parquet file ({error})") from error
    if text is None:
        raise DataError(f'{expected}, found a Parquet file without the metadata "{key}"')
    return text, cast(Loaded, loaded)


class _KeepOpen:
    """A file that its writer may close while it stays open here."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _KeepOpen:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def close(self) -> None:
        """Leave it open."""
