"""Fitted leverage profiles: what stands in their files, and the profile, half-lives and intervals they say."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from .._core import LeverageProfile
from ..errors import InvalidConfigError
from ..words.files import write_whole
from ..words.times import format_duration, parse_duration

FORMAT = 1
"""Of the file; a reader refuses later ones."""

PROFILE_FILES = ".json"
"""How names of such files end: it tells them from presets."""

MOST_BYTES = 1 << 20
MOST_DRAWS = 1_000

Bound: TypeAlias = Literal["low", "mid", "high"]


@dataclass(frozen=True, slots=True)
class FittedLayer:
    """
    One layer of the book and its weight: USD of positions for each USD that the model opens.

    Attributes
    ----------
    tier : float
        Tier of the book: the distance of its levels from the entry, above 0 and below 1.
    half_life_ns : float
        Of what is open; infinity: nothing closes.
    low, mid, high : float
        Weight, at least 0: as fitted, and its 95 % interval from days drawn anew. ``low <= mid <= high``.
    """

    tier: float
    half_life_ns: float
    low: float
    mid: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.tier < 1:
            raise InvalidConfigError(f"tier must be a distance from the entry, above 0 and below 1, was {self.tier!r}")
        if not self.half_life_ns > 0:
            raise InvalidConfigError(f"half_life must be above 0, was {self.half_life_ns!r}")
        if not (0 <= self.low <= self.mid <= self.high < math.inf):
            raise InvalidConfigError(
                f"weights must be 0 <= low <= mid <= high, were {self.low!r}, {self.mid!r}, {self.high!r}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class FittedProfile:
    """
    A leverage profile that was fitted to liquidations, with where it comes from and how well it does.

    Attributes
    ----------
    name : str
        Of the market and the span, such as "BTCUSDT 2026-03-02 to 2026-03-23".
    made : str
        When it was fitted, ISO 8601, UTC.
    version : str
        Of liqcore.
    layers : tuple of FittedLayer
        By rising distance.
    model : mapping
        Settings that the weights hold with, by section and key, such as ``{"model": {"name": "flow"}}``.
    scale : tuple of float
        Of longs and shorts: the live scale at the end of the data, a factor on all weights that soon is out of date.
    draws : tuple of tuple of float
        Weights of all layers from days drawn anew, a row a drawing: intervals of sums over layers are made of them. May
        be empty.
    data, split, scores, prior : mapping
        Plain values: spans and hashes of what was read; what trained and what tested; scores with intervals; settings
        of the fit.

    Examples
    --------
    >>> layer = FittedLayer(0.01, 3.6e12, 0.01, 0.02, 0.04)
    >>> fitted = FittedProfile("X", "2026-04-01", "1.0", (layer,))
    >>> fitted.profile().to_dict(), fitted.profile("high").intensity
    ({0.01: 1.0}, 0.04)
    >>> FittedProfile.loads(fitted.to_json()).layers == fitted.layers
    True
    """

    name: str
    made: str
    version: str
    layers: tuple[FittedLayer, ...]
    model: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scale: tuple[float, float] = (1.0, 1.0)
    data: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    prior: Mapping[str, Any] = field(default_factory=dict)
    draws: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.layers:
            raise InvalidConfigError("a fitted profile must have layers, had none")
        tiers = [layer.tier for layer in self.layers]
        if tiers != sorted(set(tiers)):
            raise InvalidConfigError(f"layers must be of rising tiers, each once, were {tiers}")
        if len(self.scale) != 2 or not all(math.isfinite(one) and one > 0 for one in self.scale):
            raise InvalidConfigError(f"scale must be two numbers above 0, of longs and shorts, was {self.scale!r}")
        if not math.fsum(layer.mid for layer in self.layers) > 0:
            raise InvalidConfigError("a fitted profile must have a weight above 0, had none")
        if len(self.draws) > MOST_DRAWS:
            raise InvalidConfigError(f"draws must be at most {MOST_DRAWS:,}, were {len(self.draws):,}")
        for row in self.draws:
            if len(row) != len(self.layers) or not all(0 <= one < math.inf for one in row):
                raise InvalidConfigError("each of draws must have a weight of at least 0 for every layer")

    def profile(self, bound: Bound = "mid", *, scaled: bool = False) -> LeverageProfile:
        """
        Return shares and intensity.

        Parameters
        ----------
        bound : {"mid", "low", "high"}
            As fitted, or every layer at one end of its interval. Ends of all layers at once are wider than the interval
            of their sum.
        scaled : bool, default False
            Whether the last live scale (the mean of both sides) is in the intensity: for the day after the data.

        Raises
        ------
        InvalidConfigError
            If every layer's weight there is 0.
        """
        weights = [getattr(layer, bound) for layer in self.layers]
        total = math.fsum(weights)
        if not total > 0:
            raise InvalidConfigError(f'the fitted profile "{self.name}" has no weight above 0 at "{bound}"')
        shares = [weight / total for weight in weights]
        shares[shares.index(max(shares))] += 1.0 - math.fsum(shares)
        tiers = (layer.tier for layer in self.layers)
        factor = sum(self.scale) / 2.0 if scaled else 1.0
        return LeverageProfile(dict(zip(tiers, shares, strict=True)), intensity=total * factor)

    def half_life(self) -> dict[float, str] | str:
        """Return half-lives by tier as `heatmap` takes them; "none" where nothing decays."""
        said = {
            layer.tier: format_duration(round(layer.half_life_ns))
            for layer in self.layers
            if math.isfinite(layer.half_life_ns)
        }
        return said or "none"

    def settings(self) -> dict[str, dict[str, Any]]:
        """Return what a map of this profile needs, by section and key as a configuration takes it."""
        profile = self.profile()
        found: dict[str, dict[str, Any]] = {name: dict(values) for name, values in self.model.items()}
        found.setdefault("model", {})["half_life"] = self.half_life()
        found["leverage"] = {
            "shares": profile.to_dict(),
            "intensity": profile.intensity,
            "fitted": self.name,
        }
        return found

    @property
    def until(self) -> str:
        """The day to which the liquidations reach that it was fitted to; where that is not told, when it was made."""
        liquidations = self.data.get("liquidations")
        said = liquidations.get("to") if isinstance(liquidations, Mapping) else None
        return str(said or self.made)[:10]

    def unlike(self, venue: str, symbol: str) -> str:
        """
        Return why liquidations that a market tells of are not what it was fitted to; empty: they are.

        It is by ``data``: the ``feed`` must be the venue, or the venue, a colon and the symbol, and the ``symbol`` that
        market's where there is one.
        """
        feed, of = str(self.data.get("feed") or ""), self.data.get("symbol")
        if feed.strip().lower() not in (venue.lower(), f"{venue}:{symbol}".lower()):
            named = repr(feed) if feed else "a feed that is not named"
            return f"it was fitted to liquidations of {named}, not of {venue}"
        if of is not None and str(of).upper() != symbol.upper():
            return f"it was fitted to liquidations of {of}, not of {symbol}"
        return ""

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the file's text."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return the text of the file."""
        layers = [
            {
                "tier": layer.tier,
                "half_life": "none" if math.isinf(layer.half_life_ns) else format_duration(round(layer.half_life_ns)),
                "low": layer.low,
                "mid": layer.mid,
                "high": layer.high,
            }
            for layer in self.layers
        ]
        said = {
            "liqcore_profile": FORMAT,
            "name": self.name,
            "made": self.made,
            "version": self.version,
            "layers": layers,
            "scale": {"long": self.scale[0], "short": self.scale[1]},
            "model": {section: dict(values) for section, values in self.model.items()},
            "prior": dict(self.prior),
            "split": dict(self.split),
            "data": dict(self.data),
            "scores": dict(self.scores),
        }
        text = json.dumps(said, indent=2, allow_nan=False)
        if self.draws:  # a line each
            rows = ",\n    ".join(json.dumps(row, allow_nan=False) for row in self.draws)
            text = f'{text[:-2]},\n  "draws": [\n    {rows}\n  ]\n}}'
        return text + "\n"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file; an existing one is replaced once the new one is complete."""
        with write_whole(path) as file:
            file.write(self.to_json().encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FittedProfile:
        """
        Read a file that `save` or ``liqcore calibrate`` wrote.

        Raises
        ------
        InvalidConfigError
            If it is no fitted profile, of a later format, or breaks a rule; the message begins with the path.
        OSError
            If the file cannot be read.
        """
        with Path(path).open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InvalidConfigError(f"{os.fspath(path)}: must be a fitted profile of at most {MOST_BYTES:,} bytes")
        try:
            return cls.loads(content.decode())
        except UnicodeDecodeError:
            raise InvalidConfigError(f"{os.fspath(path)}: must be a fitted profile, JSON in UTF-8") from None
        except InvalidConfigError as error:
            raise InvalidConfigError(f"{os.fspath(path)}: {error}") from None

    @classmethod
    def loads(cls, text: str) -> FittedProfile:
        """
        Read the text of a file.

        Raises
        ------
        InvalidConfigError
            As `load`.
        """
        try:
            said = json.loads(text)
        except ValueError:
            raise InvalidConfigError("must be a fitted profile, JSON as liqcore calibrate writes it") from None
        if not isinstance(said, dict) or "liqcore_profile" not in said:
            raise InvalidConfigError('must be a fitted profile, with "liqcore_profile" in it, had none')
        if said["liqcore_profile"] != FORMAT:
            raise InvalidConfigError(f"liqcore_profile must be {FORMAT}, was {said['liqcore_profile']!r}")
        try:
            layers = tuple(
                FittedLayer(
                    float(one["tier"]),
                    math.inf if one["half_life"] == "none" else float(parse_duration(one["half_life"])),
                    *(float(one[bound]) for bound in ("low", "mid", "high")),
                )
                for one in said["layers"]
            )
            scale = (float(said["scale"]["long"]), float(said["scale"]["short"]))
            tables = {name: dict(said[name]) for name in ("model", "prior", "split", "data", "scores")}
            draws = tuple(tuple(float(one) for one in row) for row in said.get("draws", ()))
            return cls(
                str(said["name"]), str(said["made"]), str(said["version"]), layers, scale=scale, draws=draws, **tables
            )
        except InvalidConfigError:
            raise
        except KeyError as error:
            raise InvalidConfigError(f"a fitted profile must have {error.args[0]!r}, had none") from None
        except (TypeError, ValueError, AttributeError):
            raise InvalidConfigError("must be a fitted profile as liqcore calibrate writes it, was not") from None
