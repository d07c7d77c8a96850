"""Leverage profiles and half-lives as callers write them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from .._core import Instrument, LeverageProfile, tier_name, tier_of
from ..errors import InvalidConfigError
from ..words.times import Length, parse_duration

# By leverage, or by distance from the entry such as "0.2%" (0.002 as a number):
Shares: TypeAlias = Mapping[Any, float]  # by float or str: of a union, a dict of whole numbers would be neither
HalfLives: TypeAlias = Mapping[Any, Length]


def as_profile(leverage: LeverageProfile | Shares | str | None, most: float | None = None) -> LeverageProfile:
    """Return a profile as given, from shares by leverage, or by a preset's or venue's name; "auto": `up_to` `most`."""
    if leverage is None:
        return LeverageProfile.preset("default")
    if leverage == "auto":
        return up_to(LeverageProfile.preset("default"), most)
    if isinstance(leverage, str):
        from .catalogue import leverage_preset  # here: whoever gives shares starts without the catalogue

        return leverage_preset(leverage)
    if isinstance(leverage, Mapping):
        return LeverageProfile(dict(leverage))
    if isinstance(leverage, LeverageProfile):
        return leverage
    raise TypeError(
        "leverage must be a LeverageProfile, shares by leverage such as {10: 0.5, 25: 0.5}, or a preset's name, was "
        f"{leverage!r}"
    )


def profile_for(leverage: LeverageProfile | Shares | str | None, instrument: Instrument) -> LeverageProfile:
    """Return the profile of an instrument's book: as given, else "auto" where its venue is known, else the default."""
    most = instrument.margin.max_leverage
    if leverage is None and most is not None and instrument.venue:
        from .catalogue import venues

        leverage = "auto" if instrument.venue in venues() else None
    return as_profile(leverage, most)


def up_to(profile: LeverageProfile, most: float | None) -> LeverageProfile:
    """Return a profile whose tiers above the highest leverage that is offered are that one; None: all are offered."""
    if most is None or float(profile.tiers.max()) <= most:
        return profile
    shares: dict[float, float] = {}
    for tier, share in profile.to_dict().items():
        shares[min(tier, most)] = shares.get(min(tier, most), 0.0) + share
    return LeverageProfile(shares, intensity=profile.intensity)


def half_lives(half_life: Length | HalfLives | None, profile: LeverageProfile) -> list[float]:
    """Return the half-life of each tier in ns (infinity: never decays), or an empty list where nothing decays."""
    if half_life is None or (isinstance(half_life, str) and half_life == "none"):
        return []
    if isinstance(half_life, str) and half_life == "default":
        return [float(ns) for ns in profile.default_half_life_ns()]
    tiers = [float(tier) for tier in profile.tiers]
    if not isinstance(half_life, Mapping):
        return [float(parse_duration(half_life, name="half_life"))] * len(tiers)
    by_tier: Mapping[Any, Length] = half_life
    given = {
        tier_of(tier): math.inf if value in (None, "none") else float(parse_duration(value, name="half_life"))
        for tier, value in by_tier.items()
    }
    for tier in given:
        if tier not in tiers:
            raise InvalidConfigError(
                f"half_life must name tiers of the leverage profile ({', '.join(profile.names)}), named "
                f"{tier_name(tier)}"
            )
    return [given.get(tier, math.inf) for tier in tiers]
