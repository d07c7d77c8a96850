"""A map fitted to what was liquidated: weights day by day, what the fitted map adds to every null, and its dollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..sources.candles import Candles
from ..sources.open_interest import OpenInterest
from .amounts import Amounts, Floats, Ints, amounts_of
from .ladder import Cases, Gain, Ladder, Level, Split
from .layers import Layers
from .live_scale import LiveScale
from .measures import Drawings, Estimate, drawn
from .nulls import DAY_NS, other_volumes, volumes
from .score import CONSTANT, MAP, PERMUTED, SHIFTED, Blocks, Prepared, cases_of
from .weights import POWER, Weights, day_by_day, drawn_anew

KINDS = ("constant", "volume")
"""What a candle opens in the maps that are fitted: the mean volume of all candles, or what a model makes of it."""

FIRST_DOLLARS = 7
"""Blocks of time after which predicted dollars are held against realised ones."""

FITTED = "fitted maps"
FREE = "groups free"


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """
    Weights of one map of one market.

    Attributes
    ----------
    amounts : Amounts
        What each layer says of each bar, without weights.
    daily : ndarray of float64, shape (blocks, layers)
        Weights that each block of time was predicted with, fitted on the blocks before it.
    last : Weights
        Fitted on everything.
    anew : ndarray of float64, shape (draws, layers)
        Weights from whole blocks of time drawn anew.
    block : ndarray of int64, shape (bars,)
    """

    amounts: Amounts
    daily: Floats
    last: Weights
    anew: Floats
    block: Ints

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """95 % interval of each weight, which holds what was fitted on everything."""
        return around(self.anew, self.last.of)

    def predicted(self, amounts: Floats) -> Floats:
        """Weigh amounts of layers (2, layers, bars) by the weights of each bar's block: USD, (2, bars)."""
        return np.asarray(np.einsum("slb,bl->sb", amounts, self.daily[self.block]), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """
    One market, its nulls, and its fitted maps.

    Attributes
    ----------
    prepared : Prepared
        Bars, nulls, and the map that is not fitted.
    layers : Layers
    fits : mapping of str to Fit
        By `KINDS`.
    scale : ndarray of float64, shape (2, bars + 1)
        Live scale of the map of volume; the last is that after the data.
    """

    prepared: Prepared
    layers: Layers
    fits: Mapping[str, Fit]
    scale: Floats

    @property
    def dollars(self) -> Floats:
        """USD that the map of volume predicts, walk-forward, without the live scale: (2, bars)."""
        fit = self.fits["volume"]
        return fit.predicted(fit.amounts.whole)


def around(anew: Floats, value: Floats) -> tuple[Floats, Floats]:
    """Return percentiles 2.5 and 97.5 of drawings, stretched to hold the value itself."""
    low, high = np.quantile(anew, [0.025, 0.975], axis=0)
    return np.minimum(low, value), np.maximum(high, value)


def bodies(candles: Candles) -> Candles:
    """Return candles that touch no more than their opening and closing prices, as a mark price might."""
    return replace(candles, high=np.maximum(candles.open, candles.close), low=np.minimum(candles.open, candles.close))


@dataclass(frozen=True, slots=True)
class How:
    """
    Settings of a fit; see `liqcore.calibrate`.

    Attributes
    ----------
    power, neighbours, scales : float
    touch : {"wick", "body"}
        What of a candle touches levels.
    scale : LiveScale
    model : mapping
        Settings of the model that draws the second map; the first is "flow" of constant volume.
    open_interest : OpenInterest or None
        For models that go by it.
    draws, seed : int
        Of the intervals of weights.
    """

    power: float = POWER
    neighbours: float = 1.0
    scales: float = 1.0
    touch: str = "wick"
    scale: LiveScale = field(default_factory=LiveScale)
    model: Mapping[str, Any] = field(default_factory=lambda: {"name": "flow"})
    open_interest: OpenInterest | None = None
    draws: int = 200
    seed: int = 0


def maps_of(prepared: Prepared, layers: Layers, how: How) -> Mapping[str, Amounts]:
    """Run the layers over the candles, once a map: layers carry no weights."""
    candles, settled = prepared.market.candles, prepared.market.config
    bought, sold = volumes(candles)
    of = {
        "constant": (other_volumes(candles, "constant"), settled.replace(**layers.settings()), None),
        "volume": (
            replace(candles, buy_qty=bought, sell_qty=sold),
            settled.replace(**layers.settings(how.model)),
            how.open_interest,
        ),
    }
    return {
        kind: amounts_of(
            bodies(one) if how.touch == "body" else one,
            config,
            prepared.bars,
            prepared.bar_ns,
            prepared.path.spread,
            open_interest=open_interest,
        )
        for kind, (one, config, open_interest) in of.items()
    }


def fit_market(prepared: Prepared, layers: Layers, blocks: Blocks, how: How) -> Fitted:
    """Fit the maps of one market: block by block, on everything, and with intervals."""
    precision = layers.precision(how.neighbours, how.scales)
    block = blocks.of(prepared.bars)
    usd, both = prepared.totals.reshape(-1), np.concatenate((block, block))
    counts = drawn(len(blocks), how.draws, how.seed)[1:]
    fits = {}
    for kind, amounts in maps_of(prepared, layers, how).items():
        table = amounts.whole.transpose(0, 2, 1).reshape(len(usd), -1)
        daily, last = day_by_day(table, usd, both, precision, power=how.power)
        anew = drawn_anew(table, usd, both, precision, last, counts, power=how.power)
        fits[kind] = Fit(amounts, daily, last, anew, block)
    volume = fits["volume"]
    said = volume.predicted(volume.amounts.whole)
    live = how.scale.of(prepared.bars, said, prepared.totals, prepared.bar_ns)
    return Fitted(prepared, layers, fits, live)


def features_of(one: Fitted, blocks: Blocks, score: str) -> Cases:
    """Return the features of one market: those of a score, the fitted maps, and groups with a smooth prior."""
    cases = cases_of(one.prepared, blocks, score)
    features, priors = dict(cases.features), {}
    parts = ("frozen", "whole") if score == "path_conditional" else ("near",)
    covariance = one.layers.covariance()
    for kind, fit in one.fits.items():
        for part in parts:
            amounts = getattr(fit.amounts, part)
            name = _named(kind, part)
            features[f"{FITTED}: {name}"] = np.log1p(fit.predicted(amounts))[:, None]
            features[f"{FREE}: {name}"] = np.log1p(one.layers.grouped(amounts))
            priors[f"{FREE}: {name}"] = covariance
    return Cases(cases.truth, cases.block, features, priors)


def _named(kind: str, part: str) -> str:
    return kind if part in ("frozen", "near") else f"{kind}, in bar"


@dataclass(frozen=True, slots=True)
class Part:
    """
    What fitting adds, in one of the two scores.

    Attributes
    ----------
    levels : tuple of Level
        How well the nulls do, and they with the fitted maps.
    gains : tuple of Gain
        What the fitted maps add to each null; the second is the verdict: over N12 and the shipped map of constant
        volume.
    others : tuple of Gain
        Groups with a coefficient each; volume over constant volume; past liquidations over all of it.
    """

    levels: tuple[Level, ...]
    gains: tuple[Gain, ...]
    others: tuple[Gain, ...]

    @property
    def verdict(self) -> Gain:
        """The gain over path features and the map of constant volume with the settings given."""
        return self.gains[1]


def part_of(fitted: Sequence[Fitted], blocks: Blocks, split: Split, score: str, draws: int, seed: int) -> Part:
    """Return what fitting adds in one of the scores, "path_conditional" or "frozen"."""
    ladder = Ladder([features_of(one, blocks, score) for one in fitted], split, draws=draws, seed=seed)
    in_bar = score == "path_conditional"

    def names(what: str, kinds: Sequence[str] = KINDS) -> tuple[str, ...]:
        parts = ("", ", in bar") if in_bar else ("",)
        return tuple(f"{what}: {kind}{part}" for part in parts for kind in kinds)

    def shipped(name: str) -> tuple[str, ...]:
        return (name, f"{name}, in bar") if in_bar else (name,)

    path = "N12" if in_bar else "path before"
    constant = ("path", *shipped(CONSTANT))
    everything = ("path", "past", *(part for name in (CONSTANT, SHIFTED, PERMUTED) for part in shipped(name)))
    nulls = [
        (path, ("path",)),
        (f"{path} + {CONSTANT}", constant),
        (f"{path} + {CONSTANT} + past liquidations", ("path", "past", *constant[1:])),
        ("all nulls of the score", everything),
        ("all nulls of the score, and the map as set", (*everything, *shipped(MAP))),
    ]
    levels = [ladder.level(name, *of) for name, of in nulls[:4]]
    levels += [ladder.level(f"{path} + {FITTED}", "path", *names(FITTED))]
    levels += [ladder.level(f"{path} + {CONSTANT} + {FITTED}", *constant, *names(FITTED))]
    standing = len(KINDS)  # how many of the features stood before the bar
    gains = [ladder.gain(FITTED, name, of, names(FITTED), standing) for name, of in nulls]
    with_fit = (*constant, *names(FITTED))
    others = [ladder.gain(f"{FREE}, {kind}", f"{path} + {CONSTANT}", constant, names(FREE, (kind,))) for kind in KINDS]
    others += [
        ladder.gain(FREE, f"{path} + {CONSTANT} + {FITTED}", with_fit, names(FREE), standing),
        ladder.gain("fitted volume", f"{path} + fitted constant volume", ("path", *names(FITTED, ("constant",))),
                    names(FITTED, ("volume",))),
        ladder.gain("past liquidations", f"{path} + {CONSTANT} + {FITTED}", with_fit, ("past",)),
    ]  # fmt: skip
    return Part(tuple(levels), tuple(gains), tuple(others))


@dataclass(frozen=True, slots=True)
class Period:
    """Predicted over realised USD of a week or month, as fitted alone and with the live scale."""

    name: str
    bars: int
    fitted: float
    live: float


@dataclass(frozen=True, slots=True)
class Dollars:
    """
    The fitted map of volume in dollars, each block of time with weights from earlier ones alone, from the eighth on.

    Attributes
    ----------
    fitted, live : Estimate
        Predicted over realised, as fitted alone and with the live scale.
    weeks, months : tuple of Period
        By market.
    spearman : Estimate
        Rank correlation of predicted with realised USD a bar and side, with the live scale.
    silent : float
        Share of bars and sides of which the map says less than a dollar.
    """

    fitted: Estimate
    live: Estimate
    weeks: tuple[Period, ...]
    months: tuple[Period, ...]
    spearman: Estimate
    silent: float


def dollars_of(fitted: Sequence[Fitted], blocks: Blocks, draws: int, seed: int) -> Dollars:
    """Return how far the fitted map's dollars are dollars, from block `FIRST_DOLLARS` on."""
    first = min(FIRST_DOLLARS, len(blocks) - 1)
    count = len(blocks) - first
    rows = []
    weeks: list[Period] = []
    months: list[Period] = []
    ranks = []
    counts = drawn(count, draws, seed)
    for one in fitted:
        block = blocks.of(one.prepared.bars)
        tested = block >= first
        alone, real = one.dollars[:, tested], one.prepared.totals[:, tested]
        live = alone * one.scale[:, :-1][:, tested]
        bars, name = one.prepared.bars[tested], one.prepared.market.name
        week = (bars // DAY_NS + 3) // 7 * 7 - 3
        weeks += _periods(name, week, "D", alone, live, real)
        month = (bars // DAY_NS).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        months += _periods(name, month, "M", alone, live, real)
        at = block[tested] - first
        rows.append((at, alone.sum(0), live.sum(0), real.sum(0), (live < 1).mean()))
        drawings = Drawings(real.reshape(-1), np.concatenate((at, at)), counts)
        ranks.append(drawings.rank_correlation(live.reshape(-1)))
    at, alone, live, real = (np.concatenate([row[i] for row in rows]) for i in range(4))
    drawings = Drawings(real, at, counts)
    ratios = [Estimate.of(drawings.ratio(said, real), count) for said in (alone, live)]
    spearman = Estimate.of(np.mean(ranks, axis=0), count)
    silent = float(np.mean([row[4] for row in rows]))
    return Dollars(ratios[0], ratios[1], tuple(weeks), tuple(months), spearman, silent)


def _periods(name: str, number: Ints, unit: str, alone: Floats, live: Floats, real: Floats) -> list[Period]:
    found = []
    for one in np.unique(number):
        mine = number == one
        total = float(real[:, mine].sum())
        start = np.datetime64(int(one), unit)  # type: ignore[call-overload]
        ratios = [float(said[:, mine].sum()) / total if total else float("nan") for said in (alone, live)]
        found.append(Period(f"{name} {start}", int(mine.sum()), *ratios))
    return found
