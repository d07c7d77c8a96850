"""From settings to what they describe: instrument, leverage profile, price axis, the part of a heatmap shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core import Instrument, LeverageProfile, PriceAxis
from ..errors import InvalidConfigError
from ..market import terms
from ..market.fitted import FittedProfile
from ..market.leverage import as_profile
from .config import Config
from .rules import tiers_of
from .sections import SETTINGS


def instrument_of(config: Config) -> Instrument:
    """Return the instrument that a configuration describes; its tick and lot size must be known."""
    section = config.instrument
    if section.tick_size is None or section.lot_size is None:
        missing = "tick_size" if section.tick_size is None else "lot_size"
        raise InvalidConfigError(f"instrument.{missing} must be given, was not")
    return terms.instrument_of(config.to_dict()["instrument"])


def profile_of(config: Config) -> LeverageProfile:
    """Return the leverage profile that a configuration describes."""
    section = config.leverage
    shares = section.shares or as_profile(section.preset, config.instrument.max_leverage).to_dict()
    return LeverageProfile(dict(shares), intensity=section.intensity)


def fitted_of(config: Config) -> FittedProfile | None:
    """Return the fitted profile that a configuration goes by; None: by none, or its file is not there any more."""
    section = config.leverage
    if section.fitted is None or section.file is None:
        return None
    try:
        found = FittedProfile.load(section.file)
    except (OSError, InvalidConfigError):  # what it said is in the configuration; how uncertain it was is lost
        return None
    return found if found.name == section.fitted else None


def axis_of(config: Config, instrument: Instrument) -> tuple[PriceAxis | None, float | None]:
    """Return the fixed axis of a configuration, or None and the bins of an automatic one (None: the engine chooses)."""
    section = config.axis
    if section.low is None or section.high is None:
        return None, section.book_step
    step = section.book_step if section.book_step is not None else section.step
    if step is None:
        raise InvalidConfigError("axis.step must be given with axis.low and axis.high, was not")
    return PriceAxis(low=section.low, high=section.high, step=step, tick_size=instrument.tick_size), None


def selection_of(config: Config) -> dict[str, Any]:
    """Return which part of a heatmap a configuration shows, as arguments of `Heatmap.select`; empty: all of it."""
    side, tiers = config.render.side, config.render.tiers
    shown = {
        "side": None if side == "both" else side,
        "leverage": None if tiers is None else tiers_of(tiers),
        "start": config.window.start,
        "end": config.window.end,
        "last": config.window.last,
        "opened_within": config.window.opened_within,
        "threshold": config.render.threshold,
        "value": None if config.render.value == "level" else config.render.value,
    }
    return {name: value for name, value in shown.items() if value is not None}


LOOK = tuple(name for name in SETTINGS["render"] if name not in ("side", "threshold", "value", "tiers"))
"""Settings of [render] that say how a picture of a heatmap looks; the others say what is shown."""

MAP_LOOK = ("width", "height", "theme", "title", "price_range", "positions")
"""Those of them that a picture of a liquidation map has."""


def look_of(config: Config, of: Sequence[str] = LOOK) -> dict[str, Any]:
    """Return how a configuration wants pictures to look, as options of `render`; what nobody has set is left out."""
    return {name: getattr(config.render, name) for name in of if config.origin(f"render.{name}") != "default"}


def saved_look(meta: Mapping[str, Any], of: Sequence[str] = LOOK) -> dict[str, Any]:
    """Return how pictures of a result look, by the configuration that it was made with."""
    said = (meta.get("config") or {}).get("render") or {}
    return {name: said[name] for name in of if said.get(name) is not None}
