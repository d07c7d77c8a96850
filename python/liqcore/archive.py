"""
Saved results: the window segments of a heatmap as one narrow Parquet table (docs/reference/archive.md).

The one module that writes Parquet, through fastparquet, which is imported on use.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._core import LeverageProfile
from .config import PARQUET_KEY
from .errors import DataError
from .files import write_whole

if TYPE_CHECKING:
    from .result import Heatmap

SCHEMA_KEY = "liqcore.heatmap"
SCHEMA_VERSION = 1
COLUMNS = ("time", "kind", "side", "tier", "bin", "value")


def save_heatmap(heatmap: Heatmap, path: str | os.PathLike[str]) -> Path:
    """Write a heatmap beside `path`, then rename; see `Heatmap.save`."""
    import fastparquet
    import pandas as pd

    history = heatmap._history
    rows = history.to_rows()
    if "config" not in heatmap.meta:
        heatmap.meta.setdefault("config", None)
    header = {
        "schema": SCHEMA_VERSION,
        "terms": history.terms,
        "first_ns": int(history.times()[0]) if len(history) else 0,
        "windows": len(history),
        "complete": heatmap._last_complete,
        "leverage": {repr(tier): share for tier, share in heatmap.leverage.to_dict().items()},
        "intensity": heatmap.leverage.intensity,
        "view": asdict(heatmap._view),
        "meta": heatmap.meta,
    }
    metadata = {SCHEMA_KEY: json.dumps(header)}
    if heatmap.meta.get("config") is not None:
        metadata[PARQUET_KEY] = json.dumps(heatmap.meta["config"])
    with write_whole(path) as file:
        place = str(path)
        fastparquet.write(
            place,
            pd.DataFrame(rows, copy=False),
            compression="ZSTD",
            write_index=False,
            has_nulls=False,
            stats=["time"],
            custom_metadata=metadata,
            open_with=lambda *_: _KeepOpen(file),
        )
    return Path(path)


def load_heatmap(path: str | os.PathLike[str]) -> Heatmap:
    """Read a heatmap that `save_heatmap` wrote."""
    from .result import Heatmap, _View

    header, rows = _read(Path(path))
    terms = header["terms"]
    history = _core.History.from_rows(**terms, first_ns=header["first_ns"], windows=header["windows"], columns=rows)
    leverage = LeverageProfile(
        {float(tier): share for tier, share in header["leverage"].items()}, intensity=header["intensity"]
    )
    view = header["view"]
    view["tiers"] = tuple(view["tiers"])
    return Heatmap(history, leverage, complete=header["complete"], meta=header["meta"], view=_View(**view))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    import fastparquet

    with open(path, "rb") as file:
        if file.read(4) != b"PAR1":
            raise DataError(f"{path}: expected a heatmap saved by liqcore (Parquet), found another kind of file")
        file.seek(0)
        try:
            parquet = fastparquet.ParquetFile(file)
            text = parquet.key_value_metadata.get(SCHEMA_KEY)
        except Exception as error:
            raise DataError(f"{path}: expected a Parquet file, found a damaged one ({error})") from error
        if text is None:
            raise DataError(f"{path}: expected a heatmap saved by liqcore, found a Parquet file without its metadata")
        header: dict[str, Any] = json.loads(text)
        if header["schema"] != SCHEMA_VERSION:
            raise DataError(f"{path}: expected schema {SCHEMA_VERSION}, found {header['schema']} (another version)")
        frame = parquet.to_pandas(columns=list(COLUMNS))
    types = dict(zip(COLUMNS, (np.int64, np.uint8, np.int8, np.int16, np.int32, np.float64), strict=True))
    return header, {name: np.ascontiguousarray(frame[name].to_numpy(), dtype=types[name]) for name in COLUMNS}


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
