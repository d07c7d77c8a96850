"""From the arguments of Python callers to settings."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ..market.leverage import as_profile
from ..market.terms import instrument_settings
from .build import profile_of
from .config import Config


def override(config: Config, **arguments: Any) -> Config:
    """Put arguments over a configuration; those that are not given are not set."""
    sections: dict[str, dict[str, Any]] = {}
    given = defaultdict(lambda: None, {"half_life": "config"} | arguments)

    def put(section: str, key: str, value: Any) -> None:
        if value is not None:
            sections.setdefault(section, {})[key] = value

    if (inst := given["instrument"]) is not None:
        sections["instrument"] = instrument_settings(inst)
    put("instrument", "symbol", given["symbol"])
    put("instrument", "venue", given["venue"])
    if given["leverage"] is not None:
        profile = as_profile(given["leverage"])
        sections["leverage"] = {"shares": profile.to_dict(), "intensity": profile.intensity}
    if (axis := given["axis"]) is not None:
        sections["axis"] = {"low": axis.low, "high": axis.high, "book_step": axis.step}
        put("axis", "step", given["step"])
    else:
        put("axis", "step", given["step"])
    for section, key, name in (
        ("window", "length", "window"),
        ("window", "warmup", "warmup"),
        ("window", "last", "last"),
        ("window", "opened_within", "opened_within"),
        ("model", "name", "model"),
        ("model", "trigger", "trigger"),
        ("model", "maker_share", "maker_share"),
        ("model", "taker_tilt", "taker_tilt"),
        ("model", "churn", "churn"),
        ("model", "event_threshold", "event_threshold"),
        ("model", "reconciled", "reconciled"),
    ):
        put(section, key, given[name])
    half_life = given["half_life"]
    if half_life is None:
        put("model", "half_life", "none")
    elif isinstance(half_life, Mapping) or half_life == "default":
        put("model", "half_life", half_life)
    elif half_life != "config":  # one length for every tier
        tiers = (sections.get("leverage", {}).get("shares") or profile_of(config).to_dict()).keys()
        put("model", "half_life", dict.fromkeys(tiers, half_life))
    for name in ("marks", "open_interest", "candles"):
        if isinstance(given[name], str | os.PathLike):
            put("source", name, os.fspath(given[name]))
    return config.replace(**sections) if sections else config
