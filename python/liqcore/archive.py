"""
Saved heatmaps and engines: window segments as one narrow Parquet table (docs/reference/archive.md).

The one module that writes Parquet, through fastparquet, which is imported on use.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from . import _core
from ._core import Instrument, LeverageProfile, MarginSchedule, PriceAxis
from .config import PARQUET_KEY
from .engine import describe
from .errors import DataError
from .files import write_whole

if TYPE_CHECKING:
    from .engine import Engine
    from .result import Heatmap

E = TypeVar("E", bound="Engine")

HEATMAP_KEY = "liqcore.heatmap"
ENGINE_KEY = "liqcore.engine"
SCHEMA_VERSION = 1
COLUMNS: dict[str, type[np.generic]] = {
    "time": np.int64,
    "kind": np.uint8,
    "side": np.int8,
    "tier": np.int16,
    "bin": np.int32,
    "value": np.float64,
}


def save_heatmap(heatmap: Heatmap, path: str | os.PathLike[str]) -> Path:
    """Write a heatmap; see `Heatmap.save`."""
    header = _header(heatmap._history, heatmap.leverage) | {
        "complete": heatmap._last_complete,
        "view": asdict(heatmap._view),
        "meta": heatmap.meta,
    }
    return _write(path, HEATMAP_KEY, header, heatmap._history, heatmap.meta.get("config"))


def load_heatmap(path: str | os.PathLike[str]) -> Heatmap:
    """Read a heatmap that `save_heatmap` wrote."""
    from .result import Heatmap, _View

    header, history, leverage = _read(Path(path), HEATMAP_KEY, "a heatmap")
    view = header["view"]
    view["tiers"] = tuple(view["tiers"])
    return Heatmap(history, leverage, complete=header["complete"], meta=header["meta"], view=_View(**view))


def save_engine(engine: Engine, path: str | os.PathLike[str]) -> Path:
    """Write an engine's whole state; see `Engine.save`."""
    state = engine._state()
    history, _ = engine._history(True)
    assert history is not None, "an engine that has a state has a history"
    half_life = engine.half_life_ns
    header = _header(history, engine.leverage) | {
        "state": state,
        "options": {
            "model": engine.model,
            "trigger": engine.trigger,
            "maker_share": engine.maker_share,
            "half_life_ns": None if half_life is None else [repr(float(ns)) for ns in half_life],
            "keep": engine.keep,
            "fixed_axis": engine.has_fixed_axis,
        },
        "instrument": describe(engine)["instrument"],
    }
    return _write(path, ENGINE_KEY, header, history, None)


def load_engine(kind: type[E], path: str | os.PathLike[str]) -> E:
    """Make the engine that `save_engine` wrote."""
    header, history, leverage = _read(Path(path), ENGINE_KEY, "an engine")
    options, terms = header["options"], header["terms"]
    given = dict(header["instrument"])
    margin = MarginSchedule.flat(given.pop("mmr"), fee=given.pop("fee"), basis=given.pop("basis"))
    instrument = Instrument(**given, margin=margin)
    step = terms["ticks_per_bin"] * terms["tick_size"]
    axis = None
    if options["fixed_axis"]:
        low, high = (bin_ * step for bin_ in header["state"]["axis"])
        axis = PriceAxis(low=low, high=high, step=step, tick_size=terms["tick_size"])
    half_life = options["half_life_ns"]
    engine = kind(
        instrument,
        leverage=leverage,
        axis=axis,
        book_step=None if axis is not None else step,
        window=terms["window_ns"],
        model=options["model"],
        trigger=options["trigger"],
        maker_share=options["maker_share"],
        half_life=None
        if half_life is None
        else {
            tier: int(float(ns)) for tier, ns in zip(leverage.tiers, half_life, strict=True) if np.isfinite(float(ns))
        },
        keep=options["keep"],
    )
    engine._restore(history, header["state"])
    return engine


def _header(history: _core.History, leverage: LeverageProfile) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "terms": history.terms,
        "first_ns": int(history.times()[0]) if len(history) else 0,
        "windows": len(history),
        "leverage": {repr(tier): share for tier, share in leverage.to_dict().items()},
        "intensity": leverage.intensity,
    }


def _write(path: str | os.PathLike[str], key: str, header: dict[str, Any], history: _core.History, config: Any) -> Path:
    import fastparquet
    import pandas as pd

    metadata = {key: json.dumps(header)}
    if config is not None:
        metadata[PARQUET_KEY] = json.dumps(config)
    with write_whole(path) as file:
        fastparquet.write(
            os.fspath(path),
            pd.DataFrame(history.to_rows(), copy=False),
            compression="ZSTD",
            write_index=False,
            has_nulls=False,
            stats=["time"],
            custom_metadata=metadata,
            open_with=lambda *_: _KeepOpen(file),
        )
    return Path(path)


def _read(path: Path, key: str, what: str) -> tuple[dict[str, Any], _core.History, LeverageProfile]:
    import fastparquet

    expected = f"{path}: expected {what} saved by liqcore"
    with open(path, "rb") as file:
        if file.read(4) != b"PAR1":
            raise DataError(f"{expected} (Parquet), found another kind of file")
        file.seek(0)
        try:
            parquet = fastparquet.ParquetFile(file)
            text = parquet.key_value_metadata.get(key)
            frame = parquet.to_pandas(columns=list(COLUMNS)) if text is not None else None
        except Exception as error:
            raise DataError(f"{expected}, found a damaged Parquet file ({error})") from error
    if text is None or frame is None:
        raise DataError(f"{expected}, found a Parquet file without its metadata ({key})")
    header: dict[str, Any] = json.loads(text)
    if header["schema"] != SCHEMA_VERSION:
        raise DataError(f"{expected} with schema {SCHEMA_VERSION}, found schema {header['schema']}")
    rows = {name: np.ascontiguousarray(frame[name].to_numpy(), dtype=kind) for name, kind in COLUMNS.items()}
    history = _core.History.from_rows(
        **header["terms"], first_ns=header["first_ns"], windows=header["windows"], columns=rows
    )
    shares = {float(tier): share for tier, share in header["leverage"].items()}
    return header, history, LeverageProfile(shares, intensity=header["intensity"])


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
