"""The score of a map: what it says of bars, beside every null, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..config.config import Config
from ..errors import DataError
from ..sources.candles import Candles
from ..sources.liquidations import Liquidations
from .amounts import Amounts, Floats, Ints, amounts_of, summed
from .ladder import Cases, Gain, Ladder, Level, Split
from .lift import Lift, Prints, lifts
from .measures import Drawings, Estimate, drawn
from .nulls import DAY_NS, OTHER_VOLUMES, Path, activity_of, other_volumes, path_of, volumes

GROUPS = (10.0, 25.0, 75.0, 125.0)
"""Upper ends of the groups of leverage that are features together; one more lies above."""

MAP, CONSTANT, SHIFTED, PERMUTED = "map", "constant volume", "volume shifted 3 days", "volume permuted in its day"
MAPS = (MAP, CONSTANT, SHIFTED, PERMUTED)


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """
    One market to be scored.

    Attributes
    ----------
    name : str
    candles : Candles
        What the map is made of.
    truth : Liquidations
    config : Config
        Settled: instrument, leverage, model, axis.
    """

    name: str
    candles: Candles
    truth: Liquidations
    config: Config


@dataclass(frozen=True, slots=True)
class Part:
    """
    One way to score.

    Attributes
    ----------
    levels : tuple of Level
        How well the nulls do, and the strongest with the map.
    gains : tuple of Gain
        What the map adds to each null.
    controls : tuple of Gain
        The same of things that should add nothing, and of the memory of where the price has been.
    reliability : tuple of (float, float)
        Of the strongest null with the map: predicted and realised, mean of log10(1 + USD) by tenth of the predictions.
    """

    levels: tuple[Level, ...]
    gains: tuple[Gain, ...]
    controls: tuple[Gain, ...]
    reliability: tuple[tuple[float, float], ...]

    @property
    def strongest(self) -> Gain:
        """The gain over all nulls together, the map of three other volumes among them: the verdict goes by it."""
        return self.gains[-1]


@dataclass(frozen=True, slots=True)
class Dollars:
    """
    What the map predicts against what was liquidated, in USD, over all bars that were scored.

    Attributes
    ----------
    ratio : Estimate
        Predicted divided by realised.
    weekly : tuple of (str, float)
        The same by week (its Monday) and market.
    silent, missed : float
        Share of bars and sides of which the map says exactly nothing; of those, the share in which something was
        liquidated.
    """

    ratio: Estimate
    weekly: tuple[tuple[str, float], ...]
    silent: float
    missed: float


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One market's bars, maps and nulls."""

    market: Market
    bars: Ints
    bar_ns: int
    totals: Floats
    path: Path
    maps: Mapping[str, Amounts]
    left_out: int


def prepare(market: Market, bar_ns: int, warmup_ns: int, seed: int) -> Prepared:
    """
    Run the map and the maps of other volumes over one market's candles, one pass of the engine each.

    Raises
    ------
    DataError
        If no bar of the truth lies within the candles.
    """
    candles, truth = market.candles, market.truth
    first = int(candles.ts_open[0]) + warmup_ns
    end = int(candles.ts_open[-1]) + candles.interval_ns
    if not len(truth):
        raise DataError(f"{market.name}: expected liquidations, found none")
    bars, totals = _totals(truth, bar_ns)
    inside = (bars >= first) & (bars + bar_ns <= end)
    if not inside.any():
        raise DataError(
            f"{market.name}: expected liquidations in the time of the candles after the warm-up, found none"
        )
    left_out = int(np.count_nonzero(~inside))
    bars, totals = bars[inside], totals[:, inside]
    path = path_of(candles, bars, bar_ns)
    wanted = frozenset(np.flatnonzero(totals.sum(0) > 0).tolist()) if truth.price is not None else frozenset[int]()
    bought, sold = volumes(candles)
    held = {MAP: replace(candles, buy_qty=bought, sell_qty=sold)} | {
        name: other_volumes(candles, kind, seed=seed) for name, kind in zip(MAPS[1:], OTHER_VOLUMES, strict=True)
    }
    maps = {name: amounts_of(of, market.config, bars, bar_ns, path.spread, rows_of=wanted) for name, of in held.items()}
    return Prepared(market, bars, bar_ns, totals, path, maps, left_out)


def _totals(truth: Liquidations, bar_ns: int) -> tuple[Ints, Floats]:
    """Bring liquidations to bars: whole ones of totals, or those between the first and the last single liquidation."""
    values = np.stack((truth.long_usd, truth.short_usd))
    if truth.price is None:
        if truth.bar_ns == bar_ns:
            return truth.ts, values
        bars, at, parts = np.unique(truth.ts // bar_ns * bar_ns, return_inverse=True, return_counts=True)
        whole = parts == bar_ns // truth.bar_ns  # none of its parts is missing
        return bars[whole], np.stack([np.bincount(at, side)[whole] for side in values])
    bars = np.arange(-(-int(truth.ts[0]) // bar_ns), int(truth.ts[-1]) // bar_ns) * bar_ns
    at = (truth.ts - (bars[0] if len(bars) else 0)) // bar_ns
    inside = (at >= 0) & (at < len(bars))
    return bars, np.stack([np.bincount(at[inside], side[inside], minlength=len(bars)) for side in values])


def grouped(amounts: Floats, tiers: Floats, weights: Floats) -> Floats:
    """Sum weighted amounts (2, tiers, bars) to groups of leverage, and return log(1 + USD), (2, groups, bars)."""
    group = np.digitize(np.where(tiers < 1, 1.0 / tiers, tiers), GROUPS, right=True)  # a distance is 1 / leverage
    found = [np.einsum("stb,t->sb", amounts[:, group == one], weights[group == one]) for one in np.unique(group)]
    return np.asarray(np.log1p(np.stack(found, axis=1)), dtype=np.float64)


class Blocks:
    """Blocks of time, joint over all markets and numbered from 0."""

    def __init__(self, bars: Sequence[Ints], block_ns: int) -> None:
        self._block_ns = block_ns
        self._known = np.unique(np.concatenate(bars) // block_ns)

    def __len__(self) -> int:
        return len(self._known)

    def of(self, ts: Ints) -> Ints:
        """Return the number of each time's block."""
        return np.searchsorted(self._known, ts // self._block_ns)

    def start(self, number: int) -> int:
        """Return the first nanosecond of a block."""
        return int(self._known[number]) * self._block_ns


def cases_of(prepared: Prepared, blocks: Blocks, score: str) -> Cases:
    """Return the features of one market for one of the two scores."""
    path, one = prepared.path, prepared.maps[MAP]
    features = {
        "path": path.seen if score == "path_conditional" else path.before,
        "range": path.range_volume,
        "past": np.concatenate((activity_of(prepared.bars, prepared.totals, prepared.bar_ns), path.pre_move), axis=1),
    }
    for name, amounts in prepared.maps.items():
        if score == "path_conditional":
            features[name] = grouped(amounts.frozen, one.tiers, one.weights)
            features[f"{name}, in bar"] = grouped(amounts.whole, one.tiers, one.weights)
        else:
            features[name] = grouped(amounts.near, one.tiers, one.weights)
    finite = {name: np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) for name, values in features.items()}
    return Cases(prepared.totals, blocks.of(prepared.bars), finite)


def part_of(prepared: Sequence[Prepared], blocks: Blocks, split: Split, score: str, draws: int, seed: int) -> Part:
    """Return one of the two scores, "path_conditional" or "frozen"."""
    ladder = Ladder([cases_of(one, blocks, score) for one in prepared], split, draws=draws, seed=seed)

    def features(name: str) -> tuple[str, ...]:
        return (name, f"{name}, in bar") if score == "path_conditional" else (name,)

    path = "N12" if score == "path_conditional" else "path before"
    nulls: list[tuple[str, tuple[str, ...]]] = [
        (path, ("path",)),
        (f"{path} + {SHIFTED}", ("path", *features(SHIFTED))),
        (f"{path} + {PERMUTED}", ("path", *features(PERMUTED))),
        (f"{path} + {CONSTANT}", ("path", *features(CONSTANT))),
        (f"{path} + past liquidations", ("path", "past")),
        ("all of these", ("path", "past", *features(CONSTANT), *features(SHIFTED), *features(PERMUTED))),
    ]
    if score == "path_conditional":
        nulls.insert(0, ("range x volume", ("range",)))
    levels = [ladder.level(name, *base) for name, base in nulls]
    levels.append(ladder.level(f"{nulls[-1][0]}, and the map", *nulls[-1][1], *features(MAP)))
    gains = [ladder.gain(MAP, name, base, features(MAP)) for name, base in nulls]
    base = ("path", *features(CONSTANT))
    controls = [ladder.gain(CONSTANT, path, ("path",), features(CONSTANT))]
    controls += [ladder.gain(name, f"{path} + {CONSTANT}", base, features(name)) for name in (SHIFTED, PERMUTED)]
    reliability = ladder.reliability(*nulls[-1][1], *features(MAP))
    return Part(tuple(levels), tuple(gains), tuple(controls), reliability)


def plain_of(
    prepared: Sequence[Prepared], blocks: Blocks, draws: int, seed: int
) -> list[tuple[str, Estimate, Estimate]]:
    """
    Return what each map says as it is, unfitted, against the truth, over all bars.

    Returns
    -------
    list of (name, Spearman's correlation, what the map has more)
    """
    counts = drawn(len(blocks), draws, seed)
    found: dict[str, list[Floats]] = {}
    for one in prepared:
        block = blocks.of(one.bars)
        drawings = Drawings(one.totals.reshape(-1), np.concatenate((block, block)), counts)
        for name, amounts in one.maps.items():
            said = amounts.weighted(amounts.whole).reshape(-1)
            found.setdefault(name, []).append(drawings.rank_correlation(said))
        found.setdefault("range x volume", []).append(drawings.rank_correlation(one.path.range_volume.reshape(-1)))
    means = {name: np.mean(values, axis=0) for name, values in found.items()}
    return [
        (name, Estimate.of(values, len(blocks)), Estimate.of(means[MAP] - values, len(blocks)))
        for name, values in means.items()
    ]


def dollars_of(prepared: Sequence[Prepared], blocks: Blocks, draws: int, seed: int) -> Dollars:
    """Return predicted over realised USD."""
    said = [one.maps[MAP].weighted(one.maps[MAP].whole) for one in prepared]
    block = np.concatenate([blocks.of(one.bars) for one in prepared])
    predicted = np.concatenate([amounts.sum(0) for amounts in said])
    realised = np.concatenate([one.totals.sum(0) for one in prepared])
    drawings = Drawings(realised, block, drawn(len(blocks), draws, seed))
    weekly = []
    for one, amounts in zip(prepared, said, strict=True):
        monday = (one.bars // DAY_NS + 3) // 7
        for week in np.unique(monday):
            mine = monday == week
            start = np.datetime64(int(week) * 7 - 3, "D")
            total = float(one.totals[:, mine].sum())
            ratio = float(amounts[:, mine].sum()) / total if total else float("nan")
            weekly.append((f"{one.market.name} {start}", ratio))
    nothing = np.concatenate([(amounts == 0).reshape(-1) for amounts in said])
    happened = np.concatenate([(one.totals > 0).reshape(-1) for one in prepared])
    silent = float(nothing.mean())
    missed = float(happened[nothing].mean()) if silent else 0.0
    return Dollars(Estimate.of(drawings.ratio(predicted, realised), len(blocks)), tuple(weekly), silent, missed)


def lift_of(
    prepared: Prepared, blocks: Blocks, kind: str, draws: int, seed: int
) -> tuple[list[Lift], dict[str, float]]:
    """Return the lifts of one market's single liquidations; `kind` is "frozen" or "whole"."""
    truth, bars, bar_ns = prepared.market.truth, prepared.bars, prepared.bar_ns
    assert truth.price is not None, "single liquidations have prices"
    at = np.searchsorted(bars, truth.ts, side="right") - 1
    inside = (at >= 0) & (truth.ts < bars[np.maximum(at, 0)] + bar_ns)
    at, ts = at[inside], truth.ts[inside]
    prints = Prints(
        at,
        (truth.short_usd[inside] > 0).astype(np.int64),
        blocks.of(ts),
        truth.price[inside],
        (truth.long_usd + truth.short_usd)[inside],
    )
    return lifts(prints, prepared.maps, _density(prepared), kind=kind, draws=draws, seed=seed)


def _density(prepared: Prepared) -> dict[int, Floats]:
    """Volume of the day before each bar whose rows are kept, in those rows."""
    candles, one = prepared.market.candles, prepared.maps[MAP]
    bought, sold = volumes(candles)
    row = np.floor((candles.high + candles.low + candles.close) / 3.0 / one.step).astype(np.int64)
    end = candles.ts_open + candles.interval_ns
    found = {}
    for (_, bar), reached in one.reached.items():
        start = prepared.bars[bar]
        span = slice(np.searchsorted(end, start - DAY_NS, side="right"), np.searchsorted(end, start, side="right"))
        rows = row[span] - reached.first
        found[bar] = summed(rows, (bought + sold)[span], len(reached.frozen))
    return found
