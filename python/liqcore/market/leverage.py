"""Leverage profiles and half-lives as callers write them."""

from __future__ import annotations

from collections.abc import Mapping

from .._core import LeverageProfile
from ..errors import InvalidConfigError
from ..words.times import Length, parse_duration


def as_profile(leverage: LeverageProfile | Mapping[float, float] | str | None) -> LeverageProfile:
    """Return a profile as given, from shares by leverage, or by the name of a preset or venue."""
    if leverage is None:
        return LeverageProfile.preset("default")
    if isinstance(leverage, str):
        from .catalogue import leverage_preset  # here: whoever gives shares starts without the catalogue

        return leverage_preset(leverage)
    if isinstance(leverage, Mapping):
        return LeverageProfile({float(tier): float(share) for tier, share in leverage.items()})
    return leverage


def half_lives(half_life: Length | Mapping[float, Length] | None, profile: LeverageProfile) -> list[float]:
    """Return the half-life of each tier in ns (infinity: never decays), or an empty list where nothing decays."""
    if half_life is None:
        return []
    if isinstance(half_life, str) and half_life == "default":
        return [float(ns) for ns in profile.default_half_life_ns()]
    tiers = [float(tier) for tier in profile.tiers]
    if not isinstance(half_life, Mapping):
        return [float(parse_duration(half_life, name="half_life"))] * len(tiers)
    given = {float(tier): float(parse_duration(value, name="half_life")) for tier, value in half_life.items()}
    for tier in given:
        if tier not in tiers:
            raise InvalidConfigError(f"half_life must name tiers of the leverage profile ({tiers}), named {tier}")
    return [given.get(tier, float("inf")) for tier in tiers]
