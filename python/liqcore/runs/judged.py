"""What `score` and `calibrate` have in common: arguments, markets, bars, settled settings, and what is said of them."""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..config.arguments import override
from ..config.config import Config
from ..errors import InvalidConfigError
from ..evaluate.nulls import volumes
from ..evaluate.score import Prepared
from ..sources.candles import Candles, read_candles
from ..sources.liquidations import Liquidations, read_liquidations
from ..sources.made_candles import candles_of
from ..tables.batch import TradeBatch
from ..words.times import Length, format_duration, iso, parse_duration
from .heatmap import heatmap


def base_of(config: Any, *, half_life: Any = "config", **arguments: Any) -> Config:
    """
    Return the settings of a map as `score` takes them.

    Raises
    ------
    InvalidConfigError
        If a setting breaks its rule; the model is neither "flow" nor "presence", whose nulls these are.
    """
    base = Config() if config is None else config if isinstance(config, Config) else Config.load(config)
    given = {name: value for name, value in arguments.items() if value is not None}
    base = override(base, **given, **({} if half_life == "config" else {"half_life": half_life}))
    if base.model.name not in (None, "flow", "presence"):
        raise InvalidConfigError(
            'model must be "flow" or "presence", whose nulls are the same map of other volumes, was '
            f'"{base.model.name}"'
        )
    return base


def whole(name: str, value: int, least: int, most: int) -> int:
    """Return a whole number within bounds, or refuse it by its name."""
    try:
        found = operator.index(value)
    except TypeError:
        raise InvalidConfigError(f"{name} must be a whole number, was {value!r}") from None
    if not least <= found <= most:
        raise InvalidConfigError(f"{name} must be a whole number from {least} to {most:,}, was {value}")
    return found


def markets_of(candles: Any, liquidations: Any, symbol: str | None = None) -> list[tuple[str, Candles, Liquidations]]:
    """Read what is given as files, and pair candles with liquidations; `symbol` names a market that nothing names."""
    if isinstance(candles, Mapping) != isinstance(liquidations, Mapping):
        raise InvalidConfigError("candles and liquidations must both be mappings by name, or both of one market")
    if not isinstance(candles, Mapping):
        candles, liquidations = {"": candles}, {"": liquidations}
    if candles.keys() != liquidations.keys():
        raise InvalidConfigError(
            f"candles and liquidations must be of the same markets, were {list(candles)} and {list(liquidations)}"
        )
    found = []
    for name, given in candles.items():
        one = given if isinstance(given, Candles) else _candles(given)
        truth = liquidations[name]
        truth = truth if isinstance(truth, Liquidations) else read_liquidations(truth)
        told = next((file.symbol for file in one.report.files if file.symbol), None)
        found.append((name or told or symbol or "market", one, truth))
    return found


def _candles(given: Any) -> Candles:
    return candles_of(given) if isinstance(given, TradeBatch) else read_candles(given)


def bar_of(truth: Liquidations, bar: Length | None, candles: Candles) -> int:
    """Return the length of a bar, ns: as asked, else the totals', else half an hour."""
    asked = parse_duration("30m" if bar is None else bar, name="bar")
    if truth.bar_ns and bar is not None and asked % truth.bar_ns:
        raise InvalidConfigError(
            f"bar must be a multiple of the totals' bars ({format_duration(truth.bar_ns)}), was "
            f"{format_duration(asked)}"
        )
    bar_ns = asked if bar is not None or not truth.bar_ns else truth.bar_ns
    if bar_ns % candles.interval_ns:
        raise InvalidConfigError(
            f"bar must be a multiple of the candles' interval ({format_duration(candles.interval_ns)}), was "
            f"{format_duration(bar_ns)}"
        )
    return bar_ns


def settled_of(candles: Candles, config: Config, bar_ns: int, notes: dict[str, None]) -> Config:
    """Let `heatmap` find out the instrument and the axis, of candles that tell sides."""
    bought, sold = volumes(candles)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        made = heatmap(
            candles=replace(candles, buy_qty=bought, sell_qty=sold),
            config=config,
            model="flow" if config.model.name is None else None,
            window=f"{bar_ns}ns",
        )
    notes |= dict.fromkeys(f"note: {warning.message}" for warning in said)
    return Config.from_dict(made.meta["config"])


def described(one: Prepared) -> dict[str, Any]:
    """Say what was given of one market."""
    candles = one.market.candles
    span = int(candles.ts_open[-1] - candles.ts_open[0]) // candles.interval_ns + 1
    return {
        "name": one.market.name,
        "bars": len(one.bars),
        "from": iso(int(one.bars[0])),
        "to": iso(int(one.bars[-1]) + one.bar_ns),
        "zero": float((one.totals == 0).mean()),
        "left_out": one.left_out,
        "interval": format_duration(candles.interval_ns),
        "missing": 1.0 - len(candles) / span,
        "sides": "told" if candles.buy_qty is not None else "not told: half of the volume each",
        "truth": [os.path.basename(file.name) for file in one.market.truth.report.files],
        "usd": float(one.totals.sum()),
    }
