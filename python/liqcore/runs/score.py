"""How right a map is: candles and liquidations in, a `Score` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from .. import __version__
from .._core import LeverageProfile
from ..config.config import Config, plain_value
from ..errors import InvalidConfigError
from ..evaluate.ladder import Split
from ..evaluate.placed_report import PositionsScore
from ..evaluate.report import Score
from ..evaluate.score import Blocks, Market, Prepared, dollars_of, lift_of, part_of, plain_of, prepare
from ..market.leverage import HalfLives, Shares
from ..sources.candles import Candles
from ..sources.liquidations import Liquidations
from ..sources.positions import Positions
from ..words.times import Length, format_duration, iso, parse_duration
from .judged import bar_of, base_of, described, markets_of, settled_of, whole
from .score_positions import score_positions

if TYPE_CHECKING:
    from ..sources.text import PathLike

LEAST_BARS = 12  # of a market, for any of it to be said
MOST_DRAWS = 10_000  # memory and time grow with draws times bars


@overload
def score(
    candles: Candles | PathLike | Sequence[PathLike] | Mapping[str, Any],
    liquidations: Liquidations | PathLike | Sequence[PathLike] | Mapping[str, Any],
    *,
    positions: None = ...,
    config: Config | PathLike | None = ...,
    leverage: LeverageProfile | Shares | str | None = ...,
    half_life: Length | HalfLives | None = ...,
    symbol: str | None = ...,
    venue: str | None = ...,
    bar: Length | None = ...,
    block: Length = ...,
    warmup: Length = ...,
    feed: str = ...,
    complete: bool = ...,
    draws: int = ...,
    seed: int = ...,
) -> Score: ...


@overload
def score(
    candles: Candles | PathLike | Sequence[PathLike] | Mapping[str, Any],
    liquidations: None = ...,
    *,
    positions: Positions | PathLike | Sequence[PathLike] | Mapping[str, Any],
    config: Config | PathLike | None = ...,
    leverage: LeverageProfile | Shares | str | None = ...,
    half_life: Length | HalfLives | None = ...,
    symbol: str | None = ...,
    venue: str | None = ...,
    block: Length = ...,
    warmup: Length = ...,
    feed: str = ...,
    draws: int = ...,
    seed: int = ...,
) -> PositionsScore: ...


def score(
    candles: Candles | PathLike | Sequence[PathLike] | Mapping[str, Any],
    liquidations: Liquidations | PathLike | Sequence[PathLike] | Mapping[str, Any] | None = None,
    *,
    positions: Positions | PathLike | Sequence[PathLike] | Mapping[str, Any] | None = None,
    config: Config | PathLike | None = None,
    leverage: LeverageProfile | Shares | str | None = None,
    half_life: Length | HalfLives | None = "config",
    symbol: str | None = None,
    venue: str | None = None,
    bar: Length | None = None,
    block: Length = "1d",
    warmup: Length = "1d",
    feed: str = "",
    complete: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> Score | PositionsScore:
    """
    Score a map against what was liquidated, beside all that needs no map.

    The map is made from the candles by the model "flow", or "presence", with the settings given. It is scored twice.
    *path_conditional*: what the map has liquidated in a bar against what was liquidated in it, while the nulls see the
    bar's prices as well. *frozen*: the map as it stood when the bar began, each level weighed by the chance that a
    random walk gets there within the bar; nothing later is used. In both, log-linear models are fitted block by block
    on all blocks before, with and without the map, over these nulls: range x volume; N12 (twelve features of path and
    volume); the same map with constant volume, with the volume of three days before, with the volume permuted within
    its day; past liquidations and the move of the 15 minutes before. docs/theory/score.md has the definitions.

    With snapshots of real positions in place of liquidations, the third score, *positions*: how near the map's levels
    are to the real ones by distance from the price. Beside it: the same map with constant and permuted volume, the
    snapshot before, the mean of earlier snapshots by distance alone, and equal weight.

    Cost: some 5 s of one core for a month of half hours from candles of a minute.

    Parameters
    ----------
    candles : Candles, path or paths, or mapping of those by name
        With volumes; of an interval that divides `bar`. Where takers' sides are missing, half of the volume each.
        Several markets: a mapping; all figures are then means over the markets.
    liquidations : Liquidations, path or paths, or mapping of those by name
        The truth of the same markets (`liqcore.sources.read_liquidations`): totals of bars, or single liquidations,
        which are summed to bars and, besides, looked for in the rows of the map.
    positions : Positions, path or paths, or mapping of those by name
        In place of liquidations: snapshots of real positions of the same markets (`liqcore.read_positions`).
    config : Config or path, optional
        Settings of the map.
    leverage, half_life, symbol, venue : optional
        As for `heatmap`.
    bar : duration, optional
        Length of a bar. By default that of the totals, of which it must be a multiple, and "30m" for single
        liquidations.
    block : duration, default "1d"
        Length of the blocks of time that are drawn for intervals and by which models are fitted, at least a bar:
        shorter ones for short or simulated data. Blocks are the same for all markets.
    warmup : duration, default "1d"
        Length of candles before the first bar that is scored.
    feed : str
        What the truth is: venues, whose feed; said in the report.
    complete : bool, default False
        Whether the truth is all that was liquidated. Most feeds are not: totals are then called floors.
    draws, seed : int
        Of the intervals, 100 to 10,000; of what is drawn and of the permutation, at least 0.

    Returns
    -------
    Score, or PositionsScore of positions

    Raises
    ------
    DataError
        If a file cannot be used, or candles and liquidations have no time in common.
    InvalidConfigError
        If a setting breaks its rule; the model is none of "flow" and "presence", whose nulls these are.

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
    >>> candles = lq.sources.candles_of(market.trades, "1m")
    >>> score = lq.score(candles, found, bar="10m", block="1h", warmup="4h", complete=True, symbol="SIM")
    >>> score.path_conditional.strongest.over
    'all of these'
    """
    draws, seed = whole("draws", draws, 100, MOST_DRAWS), whole("seed", seed, 0, 2**63 - 1)
    block_ns, warmup_ns = parse_duration(block, name="block"), parse_duration(warmup, name="warmup")
    if (liquidations is None) == (positions is None):
        raise InvalidConfigError("liquidations or positions must be given, and not both")
    base = base_of(config, leverage=leverage, half_life=half_life, symbol=symbol, venue=venue)
    if positions is not None:
        if bar is not None or complete:
            raise InvalidConfigError("bar and complete must go with liquidations, not with positions")
        return score_positions(candles, positions, base, block_ns, warmup_ns, draws, seed, {"feed": feed})
    prepared: list[Prepared] = []
    notes: dict[str, None] = {}
    bars: list[int] = []
    for name, one_candles, one_truth in markets_of(candles, liquidations):
        bar_ns = bar_of(one_truth, bar, one_candles)
        bars.append(bar_ns)
        if block_ns < bar_ns:
            raise InvalidConfigError(
                f"block must be at least a bar ({format_duration(bar_ns)}), was {format_duration(block_ns)}"
            )
        settled = settled_of(one_candles, base, bar_ns, notes)
        prepared.append(prepare(Market(name, one_candles, one_truth, settled), bar_ns, max(warmup_ns, bar_ns), seed))
    if len(set(bars)) > 1:
        raise InvalidConfigError("bar must be the same for all markets: sum the totals to one length")
    return _scored(prepared, block_ns, draws, seed, {"feed": feed, "complete": complete}, list(notes))


def _scored(
    prepared: Sequence[Prepared], block_ns: int, draws: int, seed: int, said: Mapping[str, Any], notes: list[str]
) -> Score:
    blocks = Blocks([one.bars for one in prepared], block_ns)
    split = Split.of(len(blocks))
    parts: dict[str, Any] = {"path_conditional": None, "frozen": None}
    if split.tested > 0 and min(len(one.bars) for one in prepared) >= LEAST_BARS:
        for kind in parts:
            parts[kind] = part_of(prepared, blocks, split, kind, draws, seed)
    else:
        notes.append(
            f"note: {len(blocks)} blocks of {format_duration(block_ns)} are too few to fit and to test (at least 8; "
            "intervals from 12): give more data, or a shorter block"
        )
    lift: dict[str, dict[str, Any]] = {}
    for one in prepared:
        if one.market.truth.price is not None:
            of = lift.setdefault(one.market.name, {})
            for kind in ("frozen", "whole"):
                of[kind], of[f"{kind}_used"] = lift_of(one, blocks, kind, draws, seed)
    first = prepared[0]
    model = first.market.config
    statement = {
        "version": __version__,
        "markets": [described(one) for one in prepared],
        **said,
        "model": model.model.name,
        **({} if model.model.exponent is None else {"exponent": model.model.exponent}),
        "leverage": dict(zip(*(v.tolist() for v in (first.maps["map"].tiers, first.maps["map"].weights)), strict=True)),
        "half_life": plain_value(model.model.half_life),
        **({} if model.leverage.fitted is None else {"fitted": model.leverage.fitted}),
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
    return Score(
        statement,
        parts["path_conditional"],
        parts["frozen"],
        plain_of(prepared, blocks, draws, seed),
        dollars_of(prepared, blocks, draws, seed),
        lift,
        notes,
    )
