"""Saved histories: window segments as one narrow Parquet table (docs/reference/archive.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import numpy as np

from .. import _core
from .._core import LeverageProfile
from ..errors import DataError
from ..words.files import write_whole
from .parquet import read_columns, read_table, write_table

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
VENUE = "venue"
"""The column beside these where a file holds several histories: the number of each, rising."""

Part = tuple[_core.History, LeverageProfile]


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
    header = {"schema": SCHEMA_VERSION} | _describe(history, leverage) | header
    return _write(path, key, header, history.to_rows(), config)


def write_archives(path: str | os.PathLike[str], key: str, header: dict[str, Any], parts: Mapping[str, Part]) -> Path:
    """Write several histories by name into one file: as `write_archive`, the rows of each told apart by a column."""
    tables: list[Any] = [history.to_rows() for history, _ in parts.values()]
    rows = {name: np.concatenate([table[name] for table in tables]) for name in COLUMNS}
    lengths = [len(table["time"]) for table in tables]
    rows[VENUE] = np.repeat(np.arange(len(tables), dtype=np.int16), lengths)
    venues = [{"name": name} | _describe(*part) for name, part in parts.items()]
    return _write(path, key, {"schema": SCHEMA_VERSION, "venues": venues} | header, rows)


def _describe(history: _core.History, leverage: LeverageProfile) -> dict[str, Any]:
    return {
        "terms": history.terms,
        "first_ns": int(history.times()[0]) if len(history) else 0,
        "windows": len(history),
        "leverage": {repr(tier): share for tier, share in leverage.to_dict().items()},
        "intensity": leverage.intensity,
    }


def _write(path: str | os.PathLike[str], key: str, header: dict[str, Any], rows: Any, config: Any = None) -> Path:
    metadata = {key: json.dumps(header)}
    if config is not None:
        metadata[CONFIG_KEY] = json.dumps(config)
    with write_whole(path) as file:
        write_table(file, path, rows, stats=["time"], metadata=metadata)
    return Path(path)


def read_archive(path: str | os.PathLike[str], key: str, what: str) -> tuple[dict[str, Any], list[Part]]:
    """
    Read what `write_archive` (one part) or `write_archives` wrote under `key`.

    DataError says that `path` is not `what` if it is not.
    """
    expected = f"{path}: expected {what} saved by liqcore"
    header: dict[str, Any] = json.loads(read_saved(path, key, expected, lambda *_: None)[0])
    if header["schema"] != SCHEMA_VERSION:
        raise DataError(f"{expected} with schema {SCHEMA_VERSION}, found schema {header['schema']}")
    described = header.get("venues", [header])
    names = [*COLUMNS, VENUE] if "venues" in header else list(COLUMNS)
    columns = read_saved(path, key, expected, lambda table, _: read_columns(table, names))[1]
    ends = np.searchsorted(columns[VENUE], np.arange(len(described) + 1)) if VENUE in columns else [0, None]
    parts = []
    for i, part in enumerate(described):
        rows = {
            name: np.ascontiguousarray(columns[name][ends[i] : ends[i + 1]], dtype=kind)
            for name, kind in COLUMNS.items()
        }
        history = _core.History.from_rows(
            **part["terms"], first_ns=part["first_ns"], windows=part["windows"], columns=rows
        )
        shares = {float(tier): share for tier, share in part["leverage"].items()}
        parts.append((history, LeverageProfile(shares, intensity=part["intensity"])))
    return header, parts


def read_metadata(path: str | os.PathLike[str], key: str) -> str:
    """Read one text that `write_archive` put into a file's metadata; DataError if it is not there."""
    return read_saved(path, key, f"{path}: expected a result saved by liqcore", lambda *_: None)[0]


def read_saved(
    path: str | os.PathLike[str], key: str, expected: str, load: Callable[[Any, BinaryIO], Loaded]
) -> tuple[str, Loaded]:
    """
    Read the text under `key` in a file's metadata, and what `load` makes of its table and the open file.

    Whatever is wrong is a DataError that begins with `expected`.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"PAR1":
            raise DataError(f"{expected} (Parquet), found another kind of file")
        file.seek(0)
        try:
            text, loaded = read_table(file, key, load)
        except Exception as error:  # in a damaged file it runs into all kinds
            raise DataError(f"{expected}, found a damaged Parquet file ({error})") from error
    if text is None:
        raise DataError(f'{expected}, found a Parquet file without the metadata "{key}"')
    return text, cast(Loaded, loaded)
