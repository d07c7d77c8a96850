"""
Engines that were saved as Parquet: a history with the state of what comes next (docs/reference/archive.md).

So did liqcore 0.1.0. Such files are read, and not written any more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _core
from .._core import PriceAxis
from ..config.sections import SETTINGS
from ..market.terms import instrument_of
from ..tables.archive import read_archive

ARCHIVE_KEY = "liqcore.engine"


@dataclass(frozen=True, slots=True)
class SavedEngine:
    """What a file holds: how to make the engine, and where it stood."""

    arguments: dict[str, Any]  # of `Engine`
    history: _core.History
    state: dict[str, Any]
    dropped_leverage: tuple[float, ...]


def read_engine(path: str | os.PathLike[str]) -> SavedEngine:
    """Read an engine that was saved as Parquet; DataError if the file is not one."""
    header, parts = read_archive(path, ARCHIVE_KEY, "an engine")
    [(history, leverage)] = parts
    options, terms = header["options"], header["terms"]
    step = terms["ticks_per_bin"] * terms["tick_size"]
    axis = None
    if options["fixed_axis"]:
        low, high = (bin_ * step for bin_ in header["state"]["axis"])
        axis = PriceAxis(low=low, high=high, step=step, tick_size=terms["tick_size"])
    half_life = options["half_life_ns"]
    if half_life is not None:
        tiers = zip(leverage.tiers, half_life, strict=True)
        half_life = {tier: int(float(ns)) for tier, ns in tiers if np.isfinite(float(ns))}
    arguments = {
        "instrument": instrument_of(header["instrument"]),
        "leverage": leverage,
        "axis": axis,
        "book_step": None if axis is not None else step,
        "window": terms["window_ns"],
        "half_life": half_life,
        "keep": options["keep"],
    }
    names = (setting.argument for setting in SETTINGS["model"].values())
    arguments |= {name: options[name] for name in names if name in options}  # what is absent came after the file
    return SavedEngine(arguments, history, header["state"], tuple(header["dropped_leverage"]))
