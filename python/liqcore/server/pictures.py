"""Answers that are made of what markets have published: each of one moment."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from .._core import tier_name
from ..history.scales import KEY
from ..history.spread import Spread
from ..live.board import Board, Moment
from ..views.map import Cluster, LiquidationMap
from ..words.numbers import price_number
from .arrays import numbers
from .forms import (
    Candles,
    ClusterAnswer,
    ColumnsAsked,
    FeaturesAnswer,
    FeaturesOf,
    HeatmapAnswer,
    HeatmapAsked,
    LiveScaleAnswer,
    MapAnswer,
    MapAsked,
    Realised,
    TierBars,
    WithinAnswer,
    ZoneAnswer,
    ZonesAnswer,
    ZonesAsked,
)
from .refused import RefusedError
from .selection import Picture

MOST_CELLS = 4_000_000
"""Of one answer: some 60 MB of JSON."""
Source = Literal["live", "replay", "demo"]


class Seen(NamedTuple):
    """What an answer is made of: a picture of moments, and the boards that have told the rest."""

    picture: Picture
    moments: Sequence[Moment]
    boards: Sequence[Board]
    source: Source


def number_of(moment: Moment) -> str:
    """Return a moment's number as text: when its book has begun, which it is since then, the engine's clock."""
    return f"{moment.number[0]}.{moment.number[1]}.{moment.snapshot.clock or 0}"


def heatmap(asked: HeatmapAsked, seen: Seen) -> HeatmapAnswer:
    """Return all columns that are asked for."""
    return _columns(asked, seen, 0, "")


def columns(asked: ColumnsAsked, seen: Seen) -> HeatmapAnswer:
    """
    Return the columns that have ended or changed since a moment; all where the earlier ones do not hold any more.

    Raises
    ------
    RefusedError
        If the number is of other markets.
    """
    said, _, step = asked.since.rpartition("/")
    before = [tuple(int(part) for part in one.split(".")) for one in said.split(",")]
    if len(before) != len(seen.moments):
        rule = f"must be of the markets asked for ({len(seen.moments)})"
        raise RefusedError.broken("since", rule, asked.since, 409)
    shown = seen.picture.heatmap
    now = [(*moment.number, moment.snapshot.clock or 0) for moment in seen.moments]
    if any(old[0] != new[0] for old, new in zip(before, now, strict=True)):
        return _columns(asked, seen, 0, "the book has begun anew")
    if any(old[1] > new[1] for old, new in zip(before, now, strict=True)):
        return _columns(asked, seen, 0, "the number is not one of this server")
    if step != repr(shown.step):
        return _columns(asked, seen, 0, "the rows have another height")
    if before == now:
        return _columns(asked, seen, len(shown.times), None)
    # What had ended at the earliest of the clocks does not change any more.
    known = min(old[2] for old in before)
    first = int(np.searchsorted(shown.times + shown.window_ns, known, side="right"))
    if not first and known < shown.times[0]:
        return _columns(asked, seen, 0, "what came since is not all asked for, or not kept")
    return _columns(asked, seen, first, None)


def _columns(asked: HeatmapAsked, seen: Seen, first: int, why: str | None) -> HeatmapAnswer:
    """The columns from one on; `why` they are all of them, None: they are what is new."""
    shown, low, high = seen.picture.heatmap, seen.picture.low, seen.picture.high
    count = len(shown.times) - first
    if count * (high - low) > MOST_CELLS:
        rule = f"must leave at most {MOST_CELLS:,} cells (columns x rows)"
        raise RefusedError.broken("columns", rule, f"{count:,} x {high - low:,}", 409)
    empty = np.zeros((0, high - low), np.float32)
    long, short = shown.block(first, count, low, high) if count else (empty, empty)
    liquidated = None
    if asked.liquidated:
        liquidated = numbers(shown.liquidated[first:, low:high] if count else empty)
    candles = shown.candles[first:]
    about = said_of(seen)
    return HeatmapAnswer(
        **about,
        next=f"{about['number']}/{shown.step!r}",
        resync=why is not None,
        why=why or "",
        window_ns=shown.window_ns,
        times=_raw(numbers(shown.times[first:])),
        complete=shown.complete[first:].tolist(),
        prices=_raw(_prices(shown.prices[low:high])),
        long=_raw(numbers(long)),
        short=_raw(numbers(short)),
        cut=shown.cut,
        candles=Candles(*(_raw(numbers(candles[name])) for name in Candles.__struct_fields__)),
        open_interest=None if len(seen.moments) > 1 else _raw(numbers(shown.open_interest[first:])),
        realised=_realised(seen, first),
        gaps=[(int(begin), int(end)) for begin, end in shown.gaps.tolist()],
        liquidated=_raw(liquidated),
        stale=list(shown.meta.get("stale", ())),
    )


def _realised(seen: Seen, first: int) -> Realised:
    """What venues told of, by column."""
    shown = seen.picture.heatmap
    times = shown.times[first:]
    total = sum((board.realised_in(times, shown.window_ns) for board in seen.boards), np.zeros((len(times), 2)))
    complete = all(board.realised_complete for board in seen.boards)
    return Realised(_raw(numbers(total[:, 0])), _raw(numbers(total[:, 1])), complete)


def liquidation_map(asked: MapAsked, seen: Seen) -> MapAnswer:
    """Return the map after the last column that is asked for."""
    made = seen.picture.heatmap.map()
    rows = slice(seen.picture.low, seen.picture.high)
    traded = not math.isnan(made.price)
    within = made.within(asked.percent) if asked.percent is not None and traded else None
    return MapAnswer(
        **said_of(seen) | {"book_age_ns": made.meta["book_age_ns"], "price": _known(price_number(made.price))},
        time=made.time_ns,
        complete=made.complete,
        prices=_raw(_prices(made.prices[rows])),
        tiers=[
            TierBars(float(tier), tier_name(tier), _raw(numbers(long[rows])), _raw(numbers(short[rows])))
            for tier, long, short in zip(made.tiers, made.long, made.short, strict=True)
        ],
        cumulative_long=_raw(numbers(made.cumulative_long[rows])),
        cumulative_short=_raw(numbers(made.cumulative_short[rows])),
        long=float(made.long.sum()),
        short=float(made.short.sum()),
        largest_long=_cluster(made, "long"),
        largest_short=_cluster(made, "short"),
        within=None if within is None else WithinAnswer(*within),
        factors=None if (spread := Spread.of(made.meta)) is None else spread.factors_of(made.tiers).tolist(),
        sentence=made.sentence(asked.percent) if traded else "",
    )


def zones(asked: ZonesAsked, threshold: float | str | None, seen: Seen) -> ZonesAnswer:
    """Return the zones after the last column that is asked for."""
    shown = seen.picture.heatmap
    found = shown.zones(threshold=threshold, within=asked.within, columns=asked.over)
    low = -math.inf if asked.low is None else asked.low
    high = math.inf if asked.high is None else asked.high
    names = ZoneAnswer.__struct_fields__
    told = [{name: getattr(zone, name) for name in names} for zone in found if zone.high > low and zone.low < high]
    return ZonesAnswer(
        **said_of(seen),
        time=int(shown.times[-1]) + shown.window_ns,
        zones=[
            ZoneAnswer(**zone | {"ages": {name: _known(age) for name, age in zone["ages"].items()}}) for zone in told
        ],
    )


def features(moments: Mapping[str, Moment]) -> FeaturesAnswer:
    """Return the features of each moment."""
    out = []
    for name, moment in moments.items():
        values = zip(moment.book.publisher.names, moment.snapshot.values.tolist(), strict=True)
        scale = None if moment.scale is None else LiveScaleAnswer(**moment.scale[KEY])
        out.append(FeaturesOf(name, number_of(moment), moment.snapshot.clock, dict(values), scale))
    return FeaturesAnswer(out)


def said_of(seen: Seen) -> dict[str, Any]:
    """Return what every answer of a picture says of itself."""
    shown, moments = seen.picture.heatmap, seen.moments
    meta = shown.meta
    shown_price = next(m for m in moments if str(m.market) == meta.get("price_from", str(moments[0].market)))
    anew = [moment.book.anew.ts for moment in moments if moment.book.anew is not None]
    return {
        "number": ",".join(map(number_of, moments)),
        "markets": [str(moment.market) for moment in moments],
        "symbol": meta["symbol"],
        "source": seen.source,
        "synthetic": seen.source == "demo" or bool(meta.get("synthetic")),
        "model": meta["model"],
        "meaning": meta["meaning"],
        "trigger": meta["trigger"],
        "unit": shown.unit,
        "step": price_number(shown.step),
        "ts": min(moment.snapshot.clock or 0 for moment in moments),
        "price": _known(price_number(shown_price.snapshot.last_price)),
        "book_age_ns": meta.get("book_age_ns"),
        "begins_anew": max(anew, default=None),
        "notes": [str(note) for note in meta.get("notes", ())],
        "live_scale": {
            str(moment.market): LiveScaleAnswer(**moment.scale[KEY]) for moment in moments if moment.scale is not None
        },
    }


def _cluster(made: LiquidationMap, side: str) -> ClusterAnswer | None:
    found: Cluster | None = None if math.isnan(made.price) else made.largest(side)
    return None if found is None else ClusterAnswer(*found[1:])


def _prices(values: NDArray[np.float64]) -> msgspec.Raw:
    return numbers([price_number(value) for value in values.tolist()])


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _raw(value: msgspec.Raw | None) -> Any:
    """A list that is JSON already, where the form has a list."""
    return value
