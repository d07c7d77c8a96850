"""From the arguments of Python callers to settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._core import Instrument, PriceAxis
from ..market.fitted import PROFILE_FILES, FittedProfile
from ..market.leverage import as_profile
from ..market.terms import instrument_settings
from .config import Config
from .sections import ARGUMENTS, FITTED_WITH, SECTIONS

OBJECTS = ("instrument", "leverage", "axis")
"""Arguments that say several settings at once."""

STREAMS = ("marks", "open_interest", "candles", "positions")
"""Arguments that may be a setting's path, or data in memory."""


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a function's arguments, its ``locals()`` at its first line, that `override` takes."""
    return {name: arguments[name] for name in (*OBJECTS, *ARGUMENTS) if name in arguments}


def beneath(sections: Mapping[str, Mapping[str, Any]], profile: FittedProfile) -> dict[str, dict[str, Any]]:
    """Return settings with those of a fitted profile where they say nothing; with another map it is not fitted."""
    found = {name: dict(values) for name, values in sections.items()}
    another = any(key in found.get(name, {}) for name, key in (of.split(".") for of in FITTED_WITH))
    for name, values in profile.settings().items():
        found[name] = values | found.get(name, {})
    if another:
        found["leverage"]["fitted"] = None
    return found


def override(config: Config, **arguments: Any) -> Config:
    """
    Put arguments over a configuration.

    Parameters
    ----------
    config : Config
    **arguments
        By the names that the settings declare, and `OBJECTS`; see `liqcore.heatmap`. None is not given, but for
        ``half_life``, which "config" stands for there.

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule.
    """
    sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    half_life = arguments.pop("half_life", "config")
    instrument, leverage, axis = (arguments.pop(name, None) for name in OBJECTS)
    for name, value, kind, how in (
        ("instrument", instrument, Instrument, 'lq.instrument("binance-usdm:BTCUSDT")'),
        ("axis", axis, PriceAxis, "lq.PriceAxis(low=50_000, high=80_000, step=10, tick_size=0.1)"),
    ):
        if not isinstance(value, kind | None):
            raise TypeError(f"{name} must be of type {kind.__name__}, such as {how}, was {value!r}")
    if instrument is not None:
        sections["instrument"] = instrument_settings(instrument)
    if leverage == "auto":
        sections["leverage"] = {"preset": "auto"}
    elif isinstance(leverage, FittedProfile):
        pass  # below, beneath what else is given
    elif isinstance(leverage, os.PathLike) or (isinstance(leverage, str) and leverage.endswith(PROFILE_FILES)):
        sections["leverage"] = {"file": os.fspath(leverage)}
    elif leverage is not None:
        profile = as_profile(leverage)
        sections["leverage"] = {"shares": profile.to_dict(), "intensity": profile.intensity}
    if axis is not None:
        sections["axis"] = {"low": axis.low, "high": axis.high, "book_step": axis.step}
    for argument, value in arguments.items():
        entry = ARGUMENTS[argument]
        if argument in STREAMS:  # a path, or the data itself, which no setting can say
            value = os.fspath(value) if isinstance(value, str | os.PathLike) else None
        if value is not None:
            sections[entry.section][entry.name] = value
    if half_life is None:
        sections["model"]["half_life"] = "none"
    elif isinstance(half_life, Mapping) or half_life in ("default", "none"):
        sections["model"]["half_life"] = half_life
    elif half_life != "config":  # one length for every tier
        shares = sections["leverage"].get("shares")
        sections["model"]["half_life"] = half_life if shares is None else dict.fromkeys(shares, half_life)
    if isinstance(leverage, FittedProfile):
        sections = beneath(sections, leverage)
    changed = {name: values for name, values in sections.items() if values}
    return config.replace(**changed) if changed else config
