"""A leverage profile fitted to liquidations: candles and liquidations in, a `Calibration` out."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from .._core import LeverageProfile
from ..config.config import Config, plain_value
from ..errors import InvalidConfigError
from ..evaluate.calibrate import Fitted, How, Part, dollars_of, fit_market, part_of
from ..evaluate.calibration import Calibration, identified, profile_of
from ..evaluate.ladder import Split
from ..evaluate.layers import DISTANCES, LEVERAGES, SHORT, Layers
from ..evaluate.live_scale import LiveScale
from ..evaluate.score import Blocks, Market, Prepared, prepare
from ..evaluate.weights import POWER
from ..sources.candles import Candles
from ..sources.liquidations import Liquidations
from ..sources.open_interest import OpenInterest, read_open_interest
from ..tables.batch import TradeBatch
from ..words.times import Length, format_duration, iso, parse_duration
from .judged import bar_of, base_of, described, markets_of, settled_of, whole

if TYPE_CHECKING:
    from ..sources.text import PathLike

LEAST_BARS = 24  # of a market, for weights to be fitted
INTERVAL_DRAWS = 200  # of weights: each is a fit
MOST_DRAWS = 10_000
TOUCHES = ("wick", "body")


def calibrate(
    candles: Candles | TradeBatch | PathLike | Sequence[PathLike] | Mapping[str, Any],
    liquidations: Liquidations | PathLike | Sequence[PathLike] | Mapping[str, Any],
    *,
    config: Config | PathLike | None = None,
    leverage: LeverageProfile | Mapping[float, float] | str | None = None,
    half_life: Length | Mapping[float, Length] | None = "config",
    symbol: str | None = None,
    venue: str | None = None,
    bar: Length | None = None,
    block: Length = "1d",
    warmup: Length = "1d",
    leverages: Sequence[float] = LEVERAGES,
    distances: Sequence[float] = DISTANCES,
    short: float | None = SHORT,
    power: float = POWER,
    neighbours: float = 1.0,
    scales: float = 1.0,
    touch: str = "wick",
    exponent: float = 1.0,
    open_interest: OpenInterest | PathLike | None = None,
    churn: float | None = None,
    scale_half_life: Length = "1d",
    shrinkage: float = 0.25,
    feed: str = "",
    complete: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> Calibration:
    """
    Fit a leverage profile to what was liquidated, in dollars, and say how well it does on days that it had not seen.

    Layers of the book at many distances from the entry, each with a long and a short half-life, are run over the
    candles once with constant volume and once with the candles' own. Their weights are fitted so that what the
    bars' prices reach of them is what was liquidated: none is negative, neighbours are alike unless the data
    says otherwise. Block by block (day by day) the weights come from earlier blocks alone; with those, the
    fitted maps are held against the nulls of `score`, and their dollars against realised dollars, with a scale that
    follows recent liquidations. The profile that leaves is fitted on everything. docs/theory/calibrate.md has the
    formulas, and docs/accuracy.md what came out.

    Cost: some 6 s of one core for a month of half hours from candles of a minute.

    Parameters
    ----------
    candles : Candles, TradeBatch, path or paths, or mapping of those by name
        As for `score`; trades are summed to candles of a minute. Several markets: a mapping; a profile is fitted for
        each, and scores are means over the markets.
    liquidations : Liquidations, path or paths, or mapping of those by name
        The truth of the same markets.
    config, leverage, half_life, symbol, venue : optional
        Settings of the map that is the null, as for `score`; the fitted layers have their own.
    bar, block, warmup : durations
        As for `score`.
    leverages, distances : sequence of float
        The layers: 1 / leverage, or the distance itself, is how far from the entry levels are. 2 % apart or more.
    short : float, optional
        A short half-life as a part of the long one; None: each layer has only the long one.
    power : float
        Variance of a bar's USD as a power of its mean, from 1 (Poisson) to 2 (gamma).
    neighbours, scales : float
        Standard deviations that the prior gives to the logarithm of the ratio of the weights of two layers: of a
        twofold distance from the entry, and of a long and a short half-life.
    touch : {"wick", "body"}
        What of a candle touches levels: all of it, or what lies between opening and closing price, as if by a mark
        price. Bodies are for scores alone: no profile leaves.
    exponent : float
        How the map that leaves opens: 1 by volume, the model "flow"; below 1 the model "presence", down to 0, by time
        at price alone.
    open_interest, churn : OpenInterest or path, float, optional
        With open interest, of one market, the map that leaves is that of the model "blend" with this churn.
    scale_half_life, shrinkage : duration, float
        Of the live scale: of its memory, and how many days of predictions draw it to both sides' common one and to 1.
    feed, complete, draws, seed
        As for `score`.

    Returns
    -------
    Calibration

    Raises
    ------
    DataError
        If a file cannot be used, or candles and liquidations have no time in common.
    InvalidConfigError
        If a setting breaks its rule, or there are fewer than 24 bars.

    Examples
    --------
    >>> import numpy as np
    >>> import liqcore as lq
    >>> market = lq.simulate(days=1, trades_per_day=20_000, seed=3)
    >>> truth = market.liquidations
    >>> usd = truth.quantity * truth.price
    >>> found = lq.sources.Liquidations(
    ...     truth.ts, np.where(truth.side > 0, usd, 0.0), np.where(truth.side < 0, usd, 0.0), truth.price
    ... )
    >>> made = lq.calibrate(market.trades, found, bar="10m", block="1h", warmup="4h", symbol="SIM", draws=100)
    >>> made.profile.profile().intensity > 0
    True
    """
    draws, seed = whole("draws", draws, 100, MOST_DRAWS), whole("seed", seed, 0, 2**63 - 1)
    block_ns, warmup_ns = parse_duration(block, name="block"), parse_duration(warmup, name="warmup")
    scale = LiveScale(float(parse_duration(scale_half_life, name="scale_half_life")), float(shrinkage))
    if touch not in TOUCHES:
        raise InvalidConfigError(f'touch must be "wick" or "body", was {touch!r}')
    _within("power", power, 1.0, 2.0)
    for name, value in (("neighbours", neighbours), ("scales", scales)):
        _within(name, value, 0.01, 10.0)
    _within("shrinkage", shrinkage, 0.01, 100.0)
    layers = Layers.of(leverages, distances, short)
    model = _model(exponent, open_interest, churn)
    how = How(power, neighbours, scales, touch, scale, model, _read(open_interest), min(draws, INTERVAL_DRAWS), seed)
    base = base_of(config, leverage=leverage, half_life=half_life, symbol=symbol, venue=venue)
    notes: dict[str, None] = {}
    prepared: list[Prepared] = []
    for name, one_candles, one_truth in markets_of(candles, liquidations, base.instrument.symbol):
        bar_ns = bar_of(one_truth, bar, one_candles)
        if block_ns < bar_ns:
            raise InvalidConfigError(
                f"block must be at least a bar ({format_duration(bar_ns)}), was {format_duration(block_ns)}"
            )
        settled = settled_of(one_candles, base, bar_ns, notes)
        prepared.append(prepare(Market(name, one_candles, one_truth, settled), bar_ns, max(warmup_ns, bar_ns), seed))
        if len(prepared[-1].bars) < LEAST_BARS or not prepared[-1].totals.any():
            raise InvalidConfigError(
                f"{name}: liquidations must be of {LEAST_BARS} bars or more, and more than 0 USD, were of "
                f"{len(prepared[-1].bars)} bars and {prepared[-1].totals.sum():g} USD"
            )
    if open_interest is not None and len(prepared) > 1:
        raise InvalidConfigError(f"open_interest must be of one market, were {len(prepared)} markets")
    if len({one.bar_ns for one in prepared}) > 1:
        raise InvalidConfigError("bar must be the same for all markets: sum the totals to one length")
    blocks = Blocks([one.bars for one in prepared], block_ns)
    split = Split.of(len(blocks))
    fits = [fit_market(one, layers, blocks, how) for one in prepared]
    settings = {
        "layers": len(layers),
        "leverages": [float(one) for one in leverages],
        "distances": [float(one) for one in distances],
        "short": short,
        "power": float(power),
        "neighbours": float(neighbours),
        "scales": float(scales),
        "touch": touch,
        "model": dict(model),
        "scale_half_life": format_duration(round(scale.half_life_ns)),
        "shrinkage": float(shrinkage),
    }
    said = {"feed": feed, "complete": complete, "settings": settings}
    return _calibrated(fits, blocks, block_ns, split, draws, seed, said, list(notes))


def _model(exponent: float, open_interest: object, churn: float | None) -> dict[str, Any]:
    """Return the settings of the model of the map that leaves."""
    _within("exponent", exponent, 0.0, 1.0)
    if open_interest is None:
        if churn is not None:
            raise InvalidConfigError(f"churn must be left out without open_interest, was {churn!r}")
        return {"name": "flow"} if exponent == 1 else {"name": "presence", "exponent": float(exponent)}
    if exponent != 1:
        raise InvalidConfigError(f"exponent must be left out with open_interest, was {exponent!r}")
    if churn is not None:
        _within("churn", churn, 0.0, 1.0)
    return {"name": "blend", **({} if churn is None else {"churn": float(churn)})}


def _read(open_interest: Any) -> OpenInterest | None:
    if open_interest is None or isinstance(open_interest, OpenInterest):
        return open_interest
    return read_open_interest(open_interest)


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # false for NaN, too
        raise InvalidConfigError(f"{name} must be from {least:g} to {most:g}, was {value!r}")


def _calibrated(
    fits: Sequence[Fitted],
    blocks: Blocks,
    block_ns: int,
    split: Split,
    draws: int,
    seed: int,
    said: Mapping[str, Any],
    notes: list[str],
) -> Calibration:
    parts: dict[str, Part | None] = {"path_conditional": None, "frozen": None}
    dollars = None
    if split.tested > 0:
        parts = {kind: part_of(fits, blocks, split, kind, draws, seed) for kind in parts}
        dollars = dollars_of(fits, blocks, draws, seed)
    else:
        notes.append(
            f"note: {len(blocks)} blocks of {format_duration(block_ns)} are too few to fit and to test (at least 8; "
            "intervals from 12): give more data, or a shorter block"
        )
    first = fits[0].prepared
    shipped = first.market.config
    maps = first.maps["map"]
    statement = {
        "version": __version__,
        "markets": [described(one.prepared) for one in fits],
        **said,
        "model": shipped.model.name,
        "leverage": dict(zip(maps.tiers.tolist(), maps.weights.tolist(), strict=True)),
        "half_life": plain_value(shipped.model.half_life),
        "bar": format_duration(first.bar_ns),
        "block": format_duration(block_ns),
        "split": {
            "blocks": split.blocks,
            "trained": split.first_test,
            "tested": split.tested,
            "first_test": iso(blocks.start(split.first_test)) if split.tested else None,
        },
        "draws": draws,
        "seed": seed,
    }
    scores: dict[str, Any] = {}
    part = parts["path_conditional"]
    if part is not None and dollars is not None:
        scores = {
            "markets": len(fits),
            "gain": {"over": part.verdict.over, **_rounded(asdict(part.verdict.spearman))},
            "dollars_over_realised": _rounded(asdict(dollars.live)),
            "spearman": _rounded(asdict(dollars.spearman)),
        }
    found = [identified(one, kind) for one in fits for kind in one.fits]
    profiles = {}
    if said["settings"]["touch"] == "wick":
        for one in fits:
            profiles[one.prepared.market.name] = profile_of(
                one,
                one.fits["volume"],
                _drawn(one.prepared, said["settings"]["model"]),
                {"name": _name(one.prepared), "made": iso(time.time_ns() // 10**9 * 10**9), "version": __version__},
                data=_data(one.prepared, said),
                split={**statement["split"], "block": statement["block"], "bar": statement["bar"]},
                prior=said["settings"],
                scores=scores,
            )
    names = [one.prepared.market.name for one in fits]
    told = {name: found[2 * at : 2 * at + 2] for at, name in enumerate(names)}
    return Calibration(statement, profiles, parts["path_conditional"], parts["frozen"], dollars, told, notes)


def _drawn(one: Prepared, model: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings that the profile's dollars hold with; those of presence go by the lot."""
    lot = {"instrument": {"lot_size": one.market.config.instrument.lot_size}} if model["name"] == "presence" else {}
    return {"model": dict(model), **lot}


def _rounded(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: round(value, 6) if np.isfinite(value) else None for name, value in values.items()}


def _name(one: Prepared) -> str:
    first, last = (iso(int(ts))[:10] for ts in (one.bars[0], one.bars[-1]))
    return f"{one.market.name} {first} to {last}"


def _data(one: Prepared, said: Mapping[str, Any]) -> dict[str, Any]:
    """Say what was read: spans, files, and hashes of what was used of them."""
    candles, truth = one.market.candles, one.market.truth
    columns = (candles.ts_open, candles.open, candles.high, candles.low, candles.close, candles.buy_qty,
               candles.sell_qty, candles.volume)  # fmt: skip
    return {
        "symbol": one.market.config.instrument.symbol,
        "feed": said["feed"],
        "complete": said["complete"],
        "candles": {
            "files": [os.path.basename(file.name) for file in candles.report.files],
            "interval": format_duration(candles.interval_ns),
            "from": iso(int(candles.ts_open[0])),
            "to": iso(int(candles.ts_open[-1]) + candles.interval_ns),
            "sha256": _sha256(columns),
        },
        "liquidations": {
            "files": [os.path.basename(file.name) for file in truth.report.files],
            "bars": len(one.bars),
            "from": iso(int(one.bars[0])),
            "to": iso(int(one.bars[-1]) + one.bar_ns),
            "usd": float(one.totals.sum()),
            "sha256": _sha256((truth.ts, truth.long_usd, truth.short_usd, truth.price)),
        },
    }


def _sha256(columns: Sequence[Any]) -> str:
    found = hashlib.sha256()
    for column in columns:
        found.update(b"-" if column is None else np.ascontiguousarray(column).tobytes())
    return found.hexdigest()
