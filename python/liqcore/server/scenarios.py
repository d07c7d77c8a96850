"""Answers to what if: the cascade that a move of the price would set off, and places for a stop. No forecasts."""

from typing import Any

import msgspec

from ..analysis.cascade import cascade as play
from ..analysis.stops import stops as find
from ..errors import InvalidConfigError
from .forms import CascadeAnswer, CascadeAsked, PathAnswer, QuantileAnswer, StopAnswer, StopsAnswer, StopsAsked
from .pictures import Seen, said_of


def cascade(asked: CascadeAsked, seen: Seen) -> CascadeAnswer:
    """
    Return what a move of the price to another sets off.

    Raises
    ------
    InvalidConfigError
        If the price is the last one, or volatility and volume are not known.
    """
    shown = seen.picture.heatmap
    last = shown.map().price
    if asked.to == last:
        raise InvalidConfigError(f"to must be another price than the last, was {asked.to:g}")
    side = "long" if asked.to < last else "short"
    shock = 100 * abs(asked.to / last - 1) if asked.to != last else 0.0
    found = play(shown, shock, side=side, **_law(asked))
    row = found.to_dict()
    one = row["scenarios"][0]
    return CascadeAnswer(
        **said_of(seen),
        time=found.time_ns,
        side=found.side,  # type: ignore[arg-type]
        **{name: one[name] for name in _ONE},
        **{name: row[name] for name in ("law", "daily", "sigma", "volume")},
        layers=one["layers"],
        quantiles=[
            QuantileAnswer(*each)
            for each in zip(row["quantiles"], one["end_price_quantiles"], one["liquidated_quantiles"], strict=True)
        ],
        path=[PathAnswer(**step) for step in one["path"]],
        scenario=row["notes"],
    )


def stops(asked: StopsAsked, threshold: float | str | None, seen: Seen) -> StopsAnswer:
    """
    Return places for a stop.

    Raises
    ------
    InvalidConfigError
        If volatility and volume are not known.
    """
    found = find(
        seen.picture.heatmap, asked.entry, side=asked.position, risk=asked.risk, threshold=threshold, **_law(asked)
    )
    told = found.to_dict()
    names = [name for name in StopAnswer.__struct_fields__ if name not in ("cluster_low", "cluster_high", "slippage")]
    return StopsAnswer(
        **said_of(seen),
        time=found.time_ns,
        entry=found.entry,
        law=found.law,
        stops=[
            StopAnswer(
                cluster_low=stop["cluster"]["low"],
                cluster_high=stop["cluster"]["high"],
                slippage=dict(
                    zip([f"p{100 * level:g}" for level in found.quantiles], stop["slippage_quantiles"], strict=True)
                ),
                **{name: stop[name] for name in names},
            )
            for stop in told["stops"]
        ],
        scenario=list(found.notes),
    )


_ONE = ("shock_percent", "end_price", "move_percent", "overshoot_percent", "liquidated")


def _law(asked: CascadeAsked | StopsAsked) -> dict[str, Any]:
    """What of the law a request may choose."""
    return {
        name: value
        for name, value in msgspec.structs.asdict(asked).items()
        if name in ("y", "scale", "sigma", "volume")
    }
