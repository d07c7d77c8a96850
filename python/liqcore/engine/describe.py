"""What is said of an engine: its options, the configuration that makes it again, the metadata of its results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core
from ..config.config import Config
from ..config.sections import SETTINGS
from ..market.terms import instrument_settings, instrument_values
from ..words.times import format_duration

MEANING = {  # what a number in a result says
    "flow": "opened turnover",
    "presence": "opened presence",
    "oi": "open-interest scale",
    "blend": "open-interest scale",
    "vendor": "event units",
    "none": "levels opened by the caller",
}


def meaning_of(model: str, fitted: str | None) -> str:
    """Return what a number says: of a model, or, with a fitted profile's name, USD that would be liquidated."""
    return f"fitted, {fitted}" if fitted else MEANING[model]


def options_of(engine: _core.Engine) -> dict[str, Any]:
    """Return the model's options by the names of arguments; half-lives, which go by tier, are not among them."""
    return {
        entry.argument: getattr(engine, entry.argument)
        for entry in SETTINGS["model"].values()
        if entry.argument != "half_life"
    }


def config_of(
    engine: _core.Engine, axis: _core.PriceAxis | None, step: float | None, *, fitted: str | None = None
) -> Config:
    """Return the configuration that makes such an engine; `step` is the height of the picture's rows."""
    half_life = engine.half_life_ns
    decay: dict[float, str] = {}
    if half_life is not None:
        tiers = zip(engine.leverage.tiers.tolist(), half_life.tolist(), strict=True)
        decay = {tier: format_duration(int(ns)) for tier, ns in tiers if np.isfinite(ns)}
    bins: dict[str, float] = {} if axis is None else {"book_step": axis.step}
    if axis is not None and engine.has_fixed_axis:
        bins |= {"low": axis.low, "high": axis.high}
    options = options_of(engine)
    model = {entry.name: options[entry.argument] for entry in SETTINGS["model"].values() if entry.argument in options}
    return Config().replace(
        instrument=instrument_settings(engine.instrument),
        leverage={"shares": engine.leverage.to_dict(), "intensity": engine.leverage.intensity, "fitted": fitted},
        axis=bins if step is None else bins | {"step": step},
        window={"length": format_duration(engine.window_ns)},
        model=model | {"half_life": decay or "none"},
    )


def describe(
    engine: _core.Engine,
    dropped_leverage: Sequence[float],
    of: _core.Engine | _core.Snapshot | None = None,
    *,
    fitted: str | None = None,
) -> dict[str, Any]:
    """
    Return what a result says of the engine it came from; `of` a snapshot, the engine may be fed meanwhile.

    With a `fitted` profile's name the amounts are dollars.
    """
    of = engine if of is None else of
    half_life = engine.half_life_ns
    meaning = meaning_of(engine.model, fitted)
    if half_life is not None and not fitted:
        meaning += ", decayed"
    if engine.reconciled:
        meaning += ", reconciled with open interest"
    return {
        "symbol": engine.instrument.symbol,
        "venue": engine.instrument.venue,
        "model": engine.model,
        "meaning": meaning,
        "trigger": engine.trigger,
        "sequential": of.sequential,
        **{name: value for name, value in options_of(engine).items() if name not in ("model", "trigger", "reconciled")},
        "half_life": None
        if half_life is None
        else {
            f"{tier:g}": "never" if np.isinf(ns) else format_duration(int(ns))
            for tier, ns in zip(engine.leverage.tiers, half_life, strict=True)
        },
        "window": format_duration(engine.window_ns),
        "leverage": {f"{tier:g}": share for tier, share in engine.leverage.to_dict().items()},
        "intensity": engine.leverage.intensity,
        "dropped_leverage": list(dropped_leverage),
        "instrument": instrument_values(engine.instrument),
        "version": _core.__version__,
        "synthetic": False,
        **({} if of.began is None else {"began_ns": of.began}),
    }
