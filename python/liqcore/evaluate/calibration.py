"""What a calibration says: a profile to be kept, numbers for programs, sentences and tables for people."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InvalidConfigError
from ..market.fitted import FittedLayer, FittedProfile
from ..words.numbers import plain_values
from .calibrate import Dollars, Fit, Fitted, Part, Period, around
from .ladder import Gain
from .measures import Estimate
from .report import number, statement_lines, table
from .weights import told_apart

_OPENS = {"constant": "candles open the same", "volume": "candles open as the model has it"}


@dataclass(frozen=True, slots=True)
class Group:
    """
    Layers that are reported together.

    Attributes
    ----------
    name : str
    weight, low, high : float
        Part of what the model opens that is in the group's layers, and its 95 % interval.
    told : float
        Degrees of freedom that the data determines of it; at most the number of its layers.
    layers : int
    """

    name: str
    weight: float
    low: float
    high: float
    told: float
    layers: int


@dataclass(frozen=True, slots=True)
class Identified:
    """
    What the data tells of the weights of one map.

    Attributes
    ----------
    kind : str
        What its candles open: "constant" or "volume".
    groups : tuple of Group
    background : float
        USD a bar and side that no layer has.
    dispersion : float
        Of the USD of a bar, over the power of their mean.
    condition : float
        Condition number of the data's information on the layers.
    effective, layers : float
        Degrees of freedom that the data determines, of so many weights.
    alike : tuple of (str, str)
        Groups that the data cannot tell apart: only the prior does.
    """

    kind: str
    groups: tuple[Group, ...]
    background: float
    dispersion: float
    condition: float
    effective: float
    layers: int
    alike: tuple[tuple[str, str], ...]


def identified(one: Fitted, kind: str) -> Identified:
    """Say what the data tells of one map's weights."""
    fit, layers = one.fits[kind], one.layers
    told = fit.last.effective[:-1]
    groups = []
    for at, name in enumerate(layers.names):
        mine = layers.group == at
        weight = fit.last.of[mine].sum()
        low, high = around(fit.anew[:, mine].sum(1), weight)
        groups.append(Group(name, float(weight), float(low), float(high), float(told[mine].sum()), int(mine.sum())))
    return Identified(
        kind,
        tuple(groups),
        fit.last.background,
        fit.last.dispersion,
        fit.last.condition,
        float(told.sum()),
        len(layers),
        tuple(told_apart(fit.last, layers.group, layers.names)),
    )


KEPT_DRAWS = 200
"""Drawings that a profile's file holds."""


def profile_of(
    one: Fitted, fit: Fit, model: Mapping[str, Any], said: Mapping[str, Any], **others: Any
) -> FittedProfile:
    """Make the profile that leaves: of the map that a model draws of the candles' volume."""
    layers = one.layers
    low, high = fit.bounds
    rows = zip(layers.distances, layers.half_life_ns, low, fit.last.of, high, strict=True)
    return FittedProfile(
        layers=tuple(FittedLayer(*(float(value) for value in row)) for row in rows),
        model=model,
        scale=(float(one.scale[0, -1]), float(one.scale[1, -1])),
        draws=tuple(tuple(float(f"{value:.4g}") for value in row) for row in fit.anew[:KEPT_DRAWS].tolist()),
        **said,
        **others,
    )


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Calibration:
    """
    A map fitted to what was liquidated.

    Attributes
    ----------
    statement : dict
        What was fitted: ``markets``, ``feed``, ``complete``, ``bar``, ``block``, ``split``, ``settings`` of the fit,
        ``draws``, ``seed``, ``version``.
    profiles : dict of str to FittedProfile
        By market.
    path_conditional, frozen : Part or None
        What the fitted maps add to each null, walk-forward, given the bar's prices and as a forecast; None where there
        are too few blocks of time.
    dollars : Dollars or None
        Predicted over realised USD, walk-forward, with and without the live scale.
    identified : dict of str to list of Identified
        What the data tells of the weights, by market.
    notes : list of str
        What whoever reads it should know.
    """

    statement: dict[str, Any]
    profiles: dict[str, FittedProfile]
    path_conditional: Part | None
    frozen: Part | None
    dollars: Dollars | None
    identified: dict[str, list[Identified]]
    notes: list[str]

    @property
    def profile(self) -> FittedProfile:
        """
        The profile of the only market.

        Raises
        ------
        InvalidConfigError
            If there are several, or the engine draws no such map.
        """
        if not self.profiles:
            raise InvalidConfigError(
                'touch must be "wick" for a profile: the engine draws no map that bodies of candles touch'
            )
        if len(self.profiles) > 1:
            raise InvalidConfigError(f"profile must be of one market, were {', '.join(self.profiles)}: use profiles")
        return next(iter(self.profiles.values()))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the only market's profile, a file for `leverage` and ``--leverage``."""
        self.profile.save(path)

    @property
    def verdict(self) -> str:
        """Two sentences: what the fitted maps add, and whether dollars are dollars."""
        if self.path_conditional is None or self.dollars is None:
            return "fitted; not enough time to say how well it does on days that were not used"
        gain = self.path_conditional.verdict
        of = f"to path features and constant volume, {number(gain.spearman)}"
        if math.isnan(gain.spearman.low):
            said = f"no interval, too few blocks of time: {gain.spearman.value:+.4f}"
        elif gain.positive:
            said = f"the fitted maps add {of}"
        else:
            said = f"the fitted maps add nothing that shows {of}"
        live = [one.live for one in self.dollars.weeks if math.isfinite(one.live)]
        return (
            f"{said}; dollars by week are {min(live):.2f} to {max(live):.2f} times what was liquidated, with the live "
            "scale"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values; NaN is None."""
        said: dict[str, Any] = plain_values(
            {
                "verdict": self.verdict,
                "statement": self.statement,
                "profiles": {name: json.loads(one.to_json()) for name, one in self.profiles.items()},
                **{
                    name: None if part is None else asdict(part)
                    for name, part in (("path_conditional", self.path_conditional), ("frozen", self.frozen))
                },
                "dollars": None if self.dollars is None else asdict(self.dollars),
                "identified": {name: [asdict(one) for one in of] for name, of in self.identified.items()},
                "notes": self.notes,
            }
        )
        return said

    def to_json(self) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_text(self) -> str:
        """Return tables and sentences for people."""
        lines = [self.verdict, "", *statement_lines(self.statement), _settings(self.statement["settings"])]
        for title, part in (
            ("Given the bar's prices (path_conditional): the nulls see the same prices", self.path_conditional),
            ("As a forecast (frozen): nothing later than the bar's start", self.frozen),
        ):
            if part is not None:
                lines += ["", title, "", *_part(part)]
        if self.dollars is not None:
            lines += ["", *_dollars(self.dollars)]
        for name, of in self.identified.items():
            for one in of:
                lines += ["", *_weights(name, one)]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Calibration({self.verdict})"


def _settings(said: Mapping[str, Any]) -> str:
    return (
        f"fit: {said['layers']} layers, variance as the mean to {said['power']:g}, neighbours differ by e^"
        f"{said['neighbours']:g} where distances double, half-lives by e^{said['scales']:g}; {_model(said['model'])}; "
        f"candles touch by {said['touch']}; live scale: half-life {said['scale_half_life']}, shrinkage "
        f"{said['shrinkage']:g} days"
    )


def _model(said: Mapping[str, Any]) -> str:
    return "model " + ", ".join(str(value) if name == "name" else f"{name} {value:g}" for name, value in said.items())


def _part(part: Part) -> list[str]:
    rows = [
        [one.name, number(one.spearman, 3), f"{one.correlation.value:.3f}", f"{one.log_score.value:+.3f}"]
        for one in part.levels
    ]
    lines = table(["model", "Spearman", "r of logs", "log score"], rows)
    lines += ["", *_gains("the fitted maps add to", part.gains, added=False)]
    return [*lines, "", *_gains("besides", part.others, added=True)]


def _gains(title: str, gains: Sequence[Gain], *, added: bool) -> list[str]:
    rows = [
        [
            f"{one.added}, over {one.over}" if added else one.over,
            number(one.spearman),
            f"{one.frozen.value:+.4f}",
            f"{one.log_score.value:+.4f}",
            f"{one.inflation:.1f}",
        ]
        for one in gains
    ]
    return table([title, "gain in Spearman", "standing before", "log score", "errors inflated"], rows)


def _dollars(said: Dollars) -> list[str]:
    def shown(of: Estimate) -> str:
        return f"{of.value:.2f}" + ("" if math.isnan(of.low) else f" [{of.low:.2f}, {of.high:.2f}]")

    lines = [
        f"Dollars of the fitted map of volume over what was liquidated: {shown(said.live)} with the live scale, "
        f"{shown(said.fitted)} without; rank correlation {shown(said.spearman)}; nothing said of {said.silent:.0%} of "
        "bars and sides",
        "",
    ]
    periods: list[Period] = [*said.weeks, *(said.months if len(said.months) > 1 else ())]
    rows = [[one.name, f"{one.bars:,}", f"{one.live:.2f}", f"{one.fitted:.2f}"] for one in periods]
    return lines + table(["week from, month", "bars", "with live scale", "without"], rows)


def _weights(name: str, said: Identified) -> list[str]:
    rows = [
        [one.name, f"{one.weight:.2g} [{one.low:.2g}, {one.high:.2g}]", f"{one.told:.2f} of {one.layers}"]
        for one in said.groups
    ]
    lines = table([f"{name}: {_OPENS[said.kind]}", "part of what is opened", "degrees of freedom"], rows)
    lines.append(
        f"  condition number {said.condition:.2g}; the data determines {said.effective:.1f} of {said.layers} weights, "
        f"the prior the rest; {said.background:,.0f} USD a bar and side belong to no layer"
    )
    if said.alike:
        pairs = "; ".join(f"{one} and {other}" for one, other in said.alike)
        lines.append(f"  cannot be told apart: {pairs}")
    return lines
