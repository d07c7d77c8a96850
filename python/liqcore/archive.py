"""Saved histories: window segments as one narrow Parquet table (docs/reference/archive.md)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._core import LeverageProfile
from .errors import DataError
from .files import write_whole
from .parquet import read_table, write_table

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
    with write_whole(path) as file:
        write_table(file, path, history.to_rows(), stats=["time"], metadata=metadata)
    return Path(path)


def read_archive(
    path: str | os.PathLike[str], key: str, what: str
) -> tuple[dict[str, Any], _core.History, LeverageProfile]:
    """Read what `write_archive` wrote under `key`; DataError says that `path` is not `what` if it is not."""
    expected = f"{path}: expected {what} saved by liqcore"
    text, columns = _read(path, key, expected, list(COLUMNS))
    header: dict[str, Any] = json.loads(text)
    if header["schema"] != SCHEMA_VERSION:
        raise DataError(f"{expected} with schema {SCHEMA_VERSION}, found schema {header['schema']}")
    rows = {name: np.ascontiguousarray(columns[name], dtype=kind) for name, kind in COLUMNS.items()}
    history = _core.History.from_rows(
        **header["terms"], first_ns=header["first_ns"], windows=header["windows"], columns=rows
    )
    shares = {float(tier): share for tier, share in header["leverage"].items()}
    return header, history, LeverageProfile(shares, intensity=header["intensity"])


def read_metadata(path: str | os.PathLike[str], key: str) -> str:
    """Read one text that `write_archive` put into a file's metadata; DataError if it is not there."""
    return _read(path, key, f"{path}: expected a result saved by liqcore", [])[0]


def _read(
    path: str | os.PathLike[str], key: str, expected: str, columns: list[str]
) -> tuple[str, dict[str, NDArray[Any]]]:
    with open(path, "rb") as file:
        if file.read(4) != b"PAR1":
            raise DataError(f"{expected} (Parquet), found another kind of file")
        file.seek(0)
        try:
            text, values = read_table(file, key, columns)
        except Exception as error:  # in a damaged file it runs into all kinds
            raise DataError(f"{expected}, found a damaged Parquet file ({error})") from error
    if text is None:
        raise DataError(f'{expected}, found a Parquet file without the metadata "{key}"')
    return text, values
