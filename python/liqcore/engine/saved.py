"""Engines in files: a history with the state of what comes next (docs/reference/archive.md)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import _core
from .._core import PriceAxis
from ..config.sections import SETTINGS
from ..market.terms import instrument_of, instrument_values
from ..tables.archive import read_archive, write_archive

ARCHIVE_KEY = "liqcore.engine"


@dataclass(frozen=True, slots=True)
class SavedEngine:
    """What a file holds: how to make the engine, and where it stood."""

    arguments: dict[str, Any]  # of `Engine`
    history: _core.History
    state: dict[str, Any]
    dropped_leverage: tuple[float, ...]


def save_engine(path: str | os.PathLike[str], engine: _core.Engine, dropped_leverage: Sequence[float]) -> Path:
    """Write an engine's whole state; `Engine.save` documents it."""
    state = engine._state()
    history, _ = engine._history(True)
    assert history is not None, "an engine that has a state has a history"
    half_life, assumed = engine.half_life_ns, engine.instrument.assumed
    options: dict[str, Any] = {}
    for setting in SETTINGS["model"].values():  # their order is that of the file
        if setting.argument == "half_life":
            options["half_life_ns"] = None if half_life is None else [repr(float(ns)) for ns in half_life]
        else:
            options[setting.argument] = getattr(engine, setting.argument)
    header = {
        "state": state,
        "options": options | {"keep": engine.keep, "fixed_axis": engine.has_fixed_axis},
        "instrument": instrument_values(engine.instrument) | ({"assumed": list(assumed)} if assumed else {}),
        "dropped_leverage": list(dropped_leverage),
    }
    return write_archive(path, ARCHIVE_KEY, header, history, engine.leverage)


def read_engine(path: str | os.PathLike[str]) -> SavedEngine:
    """Read what `save_engine` wrote; DataError if the file is not one."""
    header, [(history, leverage)] = read_archive(path, ARCHIVE_KEY, "an engine")
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
