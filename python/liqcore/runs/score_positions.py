"""How near a map is to real positions: candles and snapshots in, a `PositionsScore` out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .. import __version__
from ..config.config import Config, plain_value
from ..errors import DataError, InvalidConfigError
from ..evaluate.ladder import Split
from ..evaluate.nulls import other_volumes, volumes
from ..evaluate.placed import DISTANCE, EQUAL, PREVIOUS, Bins, Cases, by_distance, nearness, previous, truths
from ..evaluate.placed_report import PositionsScore
from ..evaluate.score import CONSTANT, MAP, PERMUTED, Blocks
from ..sources.candles import Candles, read_candles
from ..sources.positions import Positions, read_positions
from ..views.heatmap import Heatmap
from ..words.times import format_duration, iso
from .heatmap import heatmap
from .judged import settled_of

HOUR_NS = 3_600_000_000_000
LEAST_BLOCKS = 8  # seven train


def score_positions(
    candles: Any,
    positions: Any,
    config: Config,
    block_ns: int,
    warmup_ns: int,
    draws: int,
    seed: int,
    said: Mapping[str, Any],
) -> PositionsScore:
    """Score a map against snapshots of positions; see `liqcore.score`."""
    notes: dict[str, None] = {}
    found = []
    for name, given, of in _markets(candles, positions, config.instrument.symbol):
        settled = settled_of(given, config, given.interval_ns, notes)
        found.append(_Market(name, given, of, settled, warmup_ns, seed))
    blocks = Blocks([one.times for one in found], block_ns)
    split = Split.of(len(blocks))
    if split.tested < 1:
        raise DataError(
            f"expected snapshots of at least {LEAST_BLOCKS} blocks of {format_duration(block_ns)}, seven of which "
            f"train, found {len(blocks)}: give more, or a shorter block"
        )
    cases = [one.cases(blocks) for one in found]
    for one in found:
        interval = one.candles.interval_ns
        if interval >= HOUR_NS:
            coarse = "what the price did within them is not seen, and volume can hardly tell levels"
            notes[f"note: {one.name}: candles of {format_duration(interval)}: {coarse}"] = None
    for market in cases:
        for name, share in market.silent.items():
            if share > 0:
                notes[f"note: {market.name}: {name} says nothing of {share:.0%} of snapshots and sides"] = None
    first = found[0].map.leverage
    statement = {
        "version": __version__,
        "markets": [one.described() for one in found],
        **said,
        "model": found[0].map.meta["model"],
        "leverage": dict(zip(first.tiers.tolist(), first.weights.tolist(), strict=True)),
        "half_life": plain_value(found[0].config.model.half_life),
        "block": format_duration(block_ns),
        "split": {
            "blocks": split.blocks,
            "trained": split.first_test,
            "tested": split.tested,
            "first_test": iso(blocks.start(split.first_test)),
        },
        "draws": draws,
        "seed": seed,
    }
    return PositionsScore(statement, nearness(cases, [one.bins for one in found], split, draws, seed), list(notes))


def _markets(candles: Any, positions: Any, symbol: str | None) -> list[tuple[str, Candles, Positions]]:
    if isinstance(candles, Mapping) != isinstance(positions, Mapping):
        raise InvalidConfigError("candles and positions must both be mappings by name, or both of one market")
    if not isinstance(candles, Mapping):
        candles, positions = {"": candles}, {"": positions}
    if candles.keys() != positions.keys():
        raise InvalidConfigError(
            f"candles and positions must be of the same markets, were {list(candles)} and {list(positions)}"
        )
    found = []
    for name, given in candles.items():
        one = given if isinstance(given, Candles) else read_candles(given)
        of = positions[name]
        of = of if isinstance(of, Positions) else read_positions(of, symbol=name or symbol)
        found.append((name or of.symbol or "market", one, of))
    return found


class _Market:
    """One market: its snapshots within the candles, and maps of its candles with their own and other volumes."""

    def __init__(
        self, name: str, candles: Candles, found: Positions, config: Config, warmup_ns: int, seed: int
    ) -> None:
        self.name, self.candles, self.config = name, candles, config
        begin = int(candles.ts_open[0]) + warmup_ns
        end = int(candles.ts_open[-1]) + 2 * candles.interval_ns  # the candle that a snapshot falls into is not there
        inside = (found.ts >= begin) & (found.ts < end)
        self.left_out = len(found.times) - len(np.unique(found.ts[inside]))
        if not inside.any():
            raise DataError(
                f"{name}: expected snapshots within the candles, {iso(begin)} to {iso(end)} after the warm-up, found "
                f"{iso(int(found.times[0]))} to {iso(int(found.times[-1]))}"
            )
        self.found = _priced(found, candles).among(inside)
        self.times = self.found.times
        self.bins = Bins.of(self.found)
        bought, sold = volumes(candles)
        told = replace(candles, buy_qty=bought, sell_qty=sold)
        self.map = _map(told, config)
        self._maps = {MAP: self.map}
        for kind, of in ((CONSTANT, "constant"), (PERMUTED, "permuted")):
            self._maps[kind] = _map(other_volumes(told, of, seed=seed), config)

    def cases(self, blocks: Blocks) -> Cases:
        """Return what everything says of each snapshot."""
        truth = truths(self.found, self.bins)
        block = blocks.of(self.times)
        said = {name: self._said(of) for name, of in self._maps.items()}
        said[PREVIOUS] = previous(self.found, self.bins, self.candles)
        said[DISTANCE] = by_distance(truth, block)
        said[EQUAL] = np.ones(truth.shape)
        known = truth.sum(-1) > 0
        silent = {name: float((of.sum(-1)[known] <= 0).mean()) for name, of in said.items()}
        return Cases(self.name, block, truth, said, silent)

    def _said(self, of: Heatmap) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return a map's USD by side and distance at each snapshot: of the last window that had ended."""
        out = np.zeros((2, len(self.times), self.bins.count))
        half = of.step / 2.0
        for at, ts in enumerate(self.times.tolist()):
            price = float(self.found.snapshot(ts).price[-1])
            column = of.at(ts)
            middle = (column.prices + half) / price
            for side, usd in enumerate((column.long, column.short)):
                out[side, at] = self.bins.spread(
                    side, middle - half / price, middle + half / price, usd.astype(np.float64)
                )
        return out

    def described(self) -> dict[str, Any]:
        """Say what was given."""
        usd = [float(self.found.snapshot(ts).usd.sum()) for ts in self.times.tolist()]
        return {
            "name": self.name,
            "snapshots": len(self.times),
            "from": iso(int(self.times[0])),
            "to": iso(int(self.times[-1])),
            "accounts": self.found.accounts,
            "usd": float(np.mean(usd)),
            "step": self.bins.step,
            "bins": self.bins.count,
            "left_out": self.left_out,
            "interval": format_duration(self.candles.interval_ns),
            "sides": "told" if self.candles.buy_qty is not None else "not told: half of the volume each",
            "truth": [os.path.basename(file.name) for file in self.found.report.files],
        }


def _map(candles: Candles, config: Config) -> Heatmap:
    window = {"length": format_duration(candles.interval_ns), "start": None, "end": None, "last": None}
    return heatmap(candles=candles, config=config.replace(window=window))


def _priced(found: Positions, candles: Candles) -> Positions:
    """Return positions with a price at each snapshot: its own, else the last close before."""
    if np.isfinite(found.price).all():
        return found
    at = np.searchsorted(candles.ts_open + candles.interval_ns, found.ts, side="right") - 1
    close = np.where(at >= 0, candles.close[np.maximum(at, 0)], np.nan)
    return replace(found, price=np.where(np.isfinite(found.price), found.price, close))
