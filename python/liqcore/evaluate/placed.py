"""Where real positions are liquidated, and how near to that a map and its nulls are: the score `positions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..sources.candles import Candles
from ..sources.positions import Positions
from .amounts import Floats, Ints
from .ladder import Split
from .measures import Drawings, Estimate, drawn

SIDES = ("long", "short")
STEP, REACH = 0.01, 0.3
"""Of positions whose levels are exact: height of a distance bin and its farthest edge, as shares of the price."""

DECILE = 0.1
PREVIOUS, DISTANCE, EQUAL = "previous snapshot", "distance alone", "equal weight"
SHARES = np.linspace(0.0, 1.0, 21)
"""Parts of the map in a mixture with a null; the one that was best on the blocks before."""


@dataclass(frozen=True, slots=True)
class Bins:
    """
    Distance bins of both sides: bin k of longs covers prices from 1 - (k + 1) x step to 1 - k x step times the price.

    Attributes
    ----------
    step : float
        Height, as a share of the snapshot's price.
    count : int
        Of a side.
    """

    step: float
    count: int

    @classmethod
    def of(cls, found: Positions) -> Bins:
        """Return those of the snapshots' sums, as far as their levels go; `STEP` and `REACH` for exact levels."""
        if not found.width:
            return cls(STEP, round(REACH / STEP))
        farthest = float(np.nanmax(np.abs(found.level / found.price - 1.0)))
        return cls(found.width, int(np.ceil(farthest / found.width - 1e-6)))

    def edges(self, side: int) -> Floats:
        """Return the bins' edges as shares of the price, from the price away: (count + 1,)."""
        away = self.step * np.arange(self.count + 1)
        return np.asarray(1.0 - away if side == 0 else 1.0 + away, dtype=np.float64)

    def places(self, side: int) -> Floats:
        """Return the logarithms of the bins' middles."""
        edges = self.edges(side)
        return np.asarray(np.log((edges[1:] + edges[:-1]) / 2.0), dtype=np.float64)

    def spread(self, side: int, low: Floats, high: Floats, usd: Floats) -> Floats:
        """
        Sum amounts that are spread evenly over ranges of price to bins; what lies outside of them is left out.

        Parameters
        ----------
        side : int
            0 long, 1 short.
        low, high : ndarray of float64, shape (n,)
            Ranges, as shares of the price; equal ones are a point.
        usd : ndarray of float64, shape (n,)
        """
        near, far = (1.0 - high, 1.0 - low) if side == 0 else (low - 1.0, high - 1.0)
        edges = self.step * np.arange(self.count + 1)
        width = np.maximum(far - near, 1e-12)
        inside = np.clip((edges[None, :] - near[:, None]) / width[:, None], 0.0, 1.0)  # part below each edge
        return np.asarray(usd @ np.diff(inside, axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """
    Snapshots of one market, and what the map and each null say of them.

    Attributes
    ----------
    name : str
    block : ndarray of int64, shape (snapshots,)
    truth : ndarray of float64, shape (2, snapshots, bins)
        USD of longs and shorts.
    said : mapping of str to ndarray of float64, shape (2, snapshots, bins)
        The map's first. Any unit: shares of a side are compared.
    silent : mapping of str to float
        Share of snapshots and sides of which each says nothing; equal weight is taken there.
    """

    name: str
    block: Ints
    truth: Floats
    said: Mapping[str, Floats]
    silent: Mapping[str, float]


def shares(amounts: Floats) -> Floats:
    """Divide amounts by their sums along the last axis; equal ones where there are none."""
    total = amounts.sum(-1, keepdims=True)
    return np.where(total > 0, amounts / np.where(total > 0, total, 1.0), 1.0 / amounts.shape[-1])


def distance(a: Floats, b: Floats, places: Floats) -> Floats:
    """Return the earth mover's distance of shares along the last axis, in the unit of `places`, which are in order."""
    gap = np.abs(np.cumsum(a - b, axis=-1))[..., :-1]
    return np.asarray(gap @ np.abs(np.diff(places)), dtype=np.float64)


def ranked(values: Floats) -> Floats:
    """Return mean ranks along the last axis."""
    flat = values.reshape(-1, values.shape[-1])
    out = np.empty(flat.shape)
    for row, of in zip(out, flat, strict=True):
        _, which, counts = np.unique(of, return_inverse=True, return_counts=True)
        row[:] = (np.cumsum(counts) - (counts - 1) / 2.0)[which]
    return out.reshape(values.shape)


def correlation(a: Floats, b: Floats) -> Floats:
    """Return Spearman's correlation along the last axis; 0 where one is all equal."""
    x, y = (ranked(one) for one in (a, b))
    x, y = (one - one.mean(-1, keepdims=True) for one in (x, y))
    under = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    return np.where(under > 0, (x * y).sum(-1) / np.where(under > 0, under, 1.0), 0.0)


def top_parts(values: Floats) -> Floats:
    """Return the part of each bin in the top decile along the last axis; equal ones share what is left."""
    count = values.shape[-1]
    flat = values.reshape(-1, count)
    out = np.empty(flat.shape)
    for row, of in zip(out, flat, strict=True):
        _, which, counts = np.unique(-of, return_inverse=True, return_counts=True)
        before = np.cumsum(counts) - counts
        row[:] = (np.clip(count * DECILE - before, 0.0, counts) / counts)[which]
    return out.reshape(values.shape)


def overlap(a: Floats, b: Floats) -> Floats:
    """Return the share of the top decile of bins of one that is in that of the other: a tenth where one is blind."""
    return np.asarray((top_parts(a) * top_parts(b)).sum(-1) / (a.shape[-1] * DECILE), dtype=np.float64)


def truths(found: Positions, bins: Bins) -> Floats:
    """Return the USD of each snapshot by side and distance, (2, snapshots, bins)."""
    out = np.zeros((2, len(found.times), bins.count))
    for at, ts in enumerate(found.times.tolist()):
        now = found.snapshot(ts)
        out[:, at] = placed(now, float(now.price[-1]), bins)
    return out


def placed(now: Positions, price: float, bins: Bins) -> Floats:
    """Return the USD of one snapshot by side and by distance from a price, (2, bins)."""
    half = now.width / 2.0 * now.price
    low, high = (now.level - half) / price, (now.level + half) / price
    sides = (now.is_long, ~now.is_long)
    return np.stack([bins.spread(s, low[of], high[of], now.usd[of]) for s, of in enumerate(sides)])


def previous(found: Positions, bins: Bins, candles: Candles) -> Floats:
    """
    Return what the snapshot before each says: its levels, without those that the price has reached since.

    Candles that began after that snapshot and ended before this one reach levels. Of the first: nothing.
    """
    out = np.zeros((2, len(found.times), bins.count))
    ends = candles.ts_open + candles.interval_ns
    for at, (before, ts) in enumerate(zip(found.times[:-1].tolist(), found.times[1:].tolist(), strict=True), 1):
        price = float(found.snapshot(ts).price[-1])
        some = (candles.ts_open >= before) & (ends <= ts)
        low, high = candles.low[some].min(initial=price) / price, candles.high[some].max(initial=price) / price
        usd = placed(found.snapshot(before), price, bins)
        middles = [(edges[1:] + edges[:-1]) / 2.0 for edges in (bins.edges(0), bins.edges(1))]
        out[0, at] = np.where(middles[0] < low, usd[0], 0.0)
        out[1, at] = np.where(middles[1] > high, usd[1], 0.0)
    return out


def by_distance(truth: Floats, block: Ints) -> Floats:
    """Return the mean shares by distance of all snapshots of earlier blocks; equal ones for the first block."""
    known = truth.sum(-1) > 0  # (2, snapshots)
    of = np.where(known[..., None], shares(truth), 0.0)
    out = np.zeros(truth.shape)
    for number in np.unique(block):
        out[:, block == number] = of[:, block < number].sum(1)[:, None]
    return shares(out)


@dataclass(frozen=True, slots=True)
class Nearness:
    """
    How near one way to say it is to real positions.

    Attributes
    ----------
    name : str
    emd : Estimate
        Earth mover's distance in log price between its levels and the real ones, USD-weighted mean: 0.01 is 1 %.
    correlation : Estimate
        Spearman's, over the distance bins of a side.
    overlap : Estimate
        Share of the top decile of bins that is in the real top decile.
    emd_gain, correlation_gain, overlap_gain : Estimate
        What the map has more: positive where the map is nearer.
    mixed_gain : Estimate
        By how much a mixture with the map is nearer (in log price) than this alone; the map's part is the one that was
        best on the blocks before. NaN for the map itself.
    """

    name: str
    emd: Estimate
    correlation: Estimate
    overlap: Estimate
    emd_gain: Estimate
    correlation_gain: Estimate
    overlap_gain: Estimate
    mixed_gain: Estimate


def nearness(
    markets: Sequence[Cases], bins: Sequence[Bins], split: Split, draws: int, seed: int
) -> dict[str, list[Nearness]]:
    """
    Compare the map and its nulls with snapshots, on blocks that are not for training.

    Figures of a market are means over snapshots and sides weighted by the real USD; of several markets, the mean of
    theirs. Intervals draw whole blocks of time anew, the same ones of all markets.

    Returns
    -------
    dict of str to list of Nearness
        ``"both"`` sides, ``"long"`` and ``"short"``; the map first.
    """
    counts = drawn(split.tested, draws, seed)
    names = list(markets[0].said)
    out = {}
    for label, sides in (("both", (0, 1)), ("long", (0,)), ("short", (1,))):
        found: dict[tuple[str, str], list[Floats]] = {}
        for one, of in zip(markets, bins, strict=True):
            for key, values in _measured(one, of, split, sides, counts).items():
                found.setdefault(key, []).append(values)
        mean = {key: np.mean(values, axis=0) for key, values in found.items()}
        first = names[0]

        def estimate(values: Floats) -> Estimate:
            return Estimate.of(values, split.tested)

        out[label] = [
            Nearness(
                name,
                estimate(mean[name, "emd"]),
                estimate(mean[name, "correlation"]),
                estimate(mean[name, "overlap"]),
                estimate(mean[name, "emd"] - mean[first, "emd"]),
                estimate(mean[first, "correlation"] - mean[name, "correlation"]),
                estimate(mean[first, "overlap"] - mean[name, "overlap"]),
                estimate(mean[name, "mixed"]),
            )
            for name in names
        ]
    return out


def _measured(
    one: Cases, bins: Bins, split: Split, sides: Sequence[int], counts: Floats
) -> dict[tuple[str, str], Floats]:
    """Return each measure of one market in each drawing, by name and kind."""
    emds: dict[str, list[Floats]] = {name: [] for name in one.said}
    mixed: dict[str, list[Floats]] = {name: [] for name in one.said}
    others: dict[tuple[str, str], list[Floats]] = {}
    usd, block = [], []
    own = next(iter(one.said))
    for side in sides:
        truth, places = one.truth[side], bins.places(side)
        some = truth.sum(-1) > 0
        usd.append(truth[some].sum(-1))
        block.append(one.block[some])
        real = shares(truth[some])
        of_map = shares(one.said[own][side][some])
        for name, said in one.said.items():
            mine = shares(said[side][some])
            emds[name].append(distance(mine, real, places))
            mixed[name].append(np.stack([distance((1 - part) * mine + part * of_map, real, places) for part in SHARES]))
            others.setdefault((name, "correlation"), []).append(correlation(mine, real))
            others.setdefault((name, "overlap"), []).append(overlap(mine, real))
    weight, blocks = np.concatenate(usd), np.concatenate(block)
    tested = blocks >= split.first_test
    drawings = Drawings(weight[tested], blocks[tested] - split.first_test, counts)

    def mean(values: Floats) -> Floats:
        return drawings.ratio((values * weight)[tested], weight[tested])

    out = {key: mean(np.concatenate(values)) for key, values in others.items()}
    for name in one.said:
        alone = np.concatenate(emds[name])
        out[name, "emd"] = mean(alone)
        of_parts = np.concatenate(mixed[name], axis=1)
        out[name, "mixed"] = np.full(len(counts), np.nan)
        if name != own:
            out[name, "mixed"] = mean(alone - _chosen(of_parts, weight, blocks, split.first_test))
    return out


def _chosen(of_parts: Floats, weight: Floats, block: Ints, first_test: int) -> Floats:
    """Return the distance of each case at the part of the map that was best, USD-weighted, on the blocks before."""
    out: Floats = of_parts[0].copy()
    for number in np.unique(block[block >= first_test]):
        before, mine = block < number, block == number
        best = int(np.argmin(of_parts[:, before] @ weight[before])) if before.any() else 0
        out[mine] = of_parts[best, mine]
    return out
