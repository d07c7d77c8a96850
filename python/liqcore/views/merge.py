"""Several heatmaps of one underlying into one."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from .. import _core
from ..errors import InvalidConfigError
from ..history.one import OneHistory
from ..history.scales import KEY
from ..history.venues import Venue, Venues
from ..history.view import view_in_rows
from ..market.prices import of_one_market
from ..words.times import Length, format_duration, iso, parse_duration
from .heatmap import Heatmap
from .merged import MergedHeatmap, describe

__all__ = ["merge_venues"]


def merge_venues(
    heatmaps: Sequence[Heatmap] | Mapping[str, Heatmap],
    *,
    step: float | None = None,
    price_from: str | None = None,
    stale_after: Length | None = None,
    ended: str = "keep",
) -> MergedHeatmap:
    """
    Sum the heatmaps of one underlying on several venues, each on its own terms, on one clock and one price axis.

    Nothing is computed anew: every venue keeps its ticks, contract, margin terms, leverage profile and book. In USD the
    venues sum whatever their contracts; totals are those of the venues, exactly. Columns run from the first that any
    of the heatmaps shows to the last. A whole history is copied only where it is shorter than that.

    Parameters
    ----------
    heatmaps : sequence of Heatmap, or mapping of names to Heatmap
        Of one venue each, not selected from (but for `last`). The names are those of the venues unless given, and
        must differ.
    step : float, optional
        Height of the rows, price: a multiple of the widest book's bins. By default the highest of the heatmaps' rows,
        rounded up to such a multiple. A bin of a finer book that straddles an edge goes where its mid price lies.
    price_from : str, optional
        The venue whose candles and prices are shown; by default the one with the largest traded notional over the
        whole span (inverse: contracts x multiplier; linear: quantity x the window's last price). Name it where that
        must not depend on how far the data reaches.
    stale_after : duration, optional
        Leave a venue out of a column where its last event was longer ago than this at the column's end. By default it
        stays as last known. Either way `MergedHeatmap.stale` and `staleness`, the metadata and pictures say so.
    ended : {"keep", "drop"}
        Whether a venue whose data ends before that of the others stays as last known, or is left out from the next
        window on. `MergedHeatmap.ended` and the metadata name such venues.

    Returns
    -------
    MergedHeatmap
        Columns are as long as the longest of the heatmaps', rows `step` high; the unit is USD, or quantity if all
        heatmaps show that.

    Warns
    -----
    UserWarning
        If a venue begins later or ends earlier than the others by a column or more, or the venues' levels do not mean
        the same.

    Raises
    ------
    InvalidConfigError
        If names are missing or the same, a heatmap is a selection or itself merged, or has no time in common with any
        other, windows do not divide one another,
        prices at the same time are not within a factor of two, quantities count different things, or an argument
        breaks its rule.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
    >>> hm = lq.heatmap(trades=market.trades)
    >>> both = lq.merge_venues({"one": hm, "two": hm})
    >>> both.venues, bool((both.select(venues="one").long + both.select(venues="two").long == both.long).all())
    (('one', 'two'), True)
    """
    made = join_venues(heatmaps, step=step, price_from=price_from, stale_after=stale_after, ended=ended)
    for note in made.meta["notes"]:
        warnings.warn(note, stacklevel=2)
    return made


def join_venues(
    heatmaps: Sequence[Heatmap] | Mapping[str, Heatmap],
    *,
    step: float | None = None,
    price_from: str | None = None,
    stale_after: Length | None = None,
    ended: str = "keep",
) -> MergedHeatmap:
    """Do what `merge_venues` does, and warn of nothing, on any thread: ``meta["notes"]`` says it."""
    if ended not in ("keep", "drop"):
        raise InvalidConfigError(f"ended must be one of ('keep', 'drop'), was {ended!r}")
    named = _names(heatmaps)
    alone = {name: _alone(name, heatmap) for name, heatmap in named.items()}
    windows = {name: one.window_ns for name, one in alone.items()}
    window_ns, column_ns = math.lcm(*windows.values()), max(heatmap.window_ns for heatmap in named.values())
    if column_ns % window_ns:
        listed = ", ".join(f"{name} {format_duration(ns)}" for name, ns in windows.items())
        raise InvalidConfigError(
            f"heatmaps must have windows that divide the longest column ({format_duration(column_ns)}), were {listed}: "
            f'rebin(window="{format_duration(window_ns)}") one of them first'
        )
    starts = {name: one.first_ns for name, one in alone.items()}
    ends = {name: one.segment(-1).end_ns for name, one in alone.items()}
    _check_times({name: start if alone[name].whole else 0 for name, start in starts.items()}, ends)
    kept = [starts[name] for name, one in alone.items() if not one.whole]
    # What an engine with `keep` folded away cannot be split: the clock begins where all of the book is at hand.
    first_ns = max([min(starts.values()) // window_ns * window_ns, *(-(-ns // window_ns) * window_ns for ns in kept)])
    end_ns = -(-max(ends.values()) // window_ns) * window_ns
    if end_ns <= first_ns:
        raise InvalidConfigError("heatmaps must overlap where an engine kept only its last windows, did not")
    parts = tuple(
        Venue(
            _cover(one.history, first_ns, end_ns),
            one.leverage,
            name=name,
            meta=_meta_of(named[name], one),
            scales=one.scales,
        )
        for name, one in alone.items()
    )
    widest = max(parts, key=lambda part: part.bin_width)
    at_end = [name for name in named if ends[name] > end_ns - window_ns]
    venues = Venues(
        parts=parts,
        tiers=tuple(sorted({tier for part in parts for tier in part.tiers})),
        first_ns=first_ns,
        window_ns=window_ns,
        windows=(end_ns - first_ns) // window_ns,
        complete=all(ends[name] >= end_ns and alone[name].complete for name in at_end),
        now_ns=max(int(part.last_events[-1]) for part in parts),
        tick_size=widest.tick_size,
        ticks_per_bin=widest.ticks_per_bin,
        price_from="",
        stale_after_ns=None if stale_after is None else parse_duration(stale_after, name="stale_after"),
        drop_ended=ended == "drop",
    )
    _check_prices(venues)
    if price_from is not None and price_from not in named:
        raise InvalidConfigError(f"price_from must be among {list(named)}, was {price_from!r}")
    venues = replace(venues, price_from=price_from or venues.largest(parts))

    shown_ns = max(min(int(heatmap.times[0]) for heatmap in named.values()), first_ns)
    first = (shown_ns - first_ns) // window_ns
    highest = max(Fraction(repr(heatmap.step)) for heatmap in named.values())
    bins_per_row = -(-highest // venues.bin_width) if step is None else _bins_per_row(venues, step)
    view = view_in_rows(
        venues,
        bins_per_row,
        unit="quantity" if all(heatmap.unit == "quantity" for heatmap in named.values()) else "usd",
        first=first,
        column_ns=0 if column_ns == window_ns else column_ns,
    )
    notes = _notes(venues, starts, ends, shown_ns, column_ns)
    estimated = {name: found for name, heatmap in named.items() if (found := heatmap.meta.get("estimated"))}
    notes += [f"{name}: estimated from candles until {iso(found[-1][1])}" for name, found in estimated.items()]
    unscaled = {name: said["why"] for name, heatmap in named.items() if (said := heatmap.meta.get(KEY)) and said["why"]}
    notes += [f"{name}: without a live scale: {why}" for name, why in unscaled.items()]
    gaps = _common([heatmap.gaps.tolist() for heatmap in named.values()])
    meta = describe(venues) | {"notes": notes, "gaps": gaps}
    if estimated:
        meta["estimated"] = sorted((stretch for found in estimated.values() for stretch in found), key=lambda of: of[1])
    return MergedHeatmap(venues, view, meta)


def _common(gaps: Sequence[Sequence[tuple[int, int]]]) -> list[list[int]]:
    """Stretches in which no venue traded, of those of each."""
    found = [list(gap) for gap in gaps[0]]
    for other in gaps[1:]:
        both = ((max(a[0], b[0]), min(a[1], b[1])) for a in found for b in other)
        found = [[begin, end] for begin, end in both if begin < end]
    return found


def _names(heatmaps: Sequence[Heatmap] | Mapping[str, Heatmap]) -> dict[str, Heatmap]:
    if isinstance(heatmaps, Mapping):
        named = list(heatmaps.items())
    else:
        named = [(str(heatmap.meta.get("venue") or ""), heatmap) for heatmap in heatmaps]
    if not named:
        raise InvalidConfigError("heatmaps must be at least one, were none")
    out: dict[str, Heatmap] = {}
    for name, heatmap in named:
        if not isinstance(heatmap, Heatmap):
            raise TypeError(f"heatmaps must be Heatmap objects, one was {type(heatmap).__name__}")
        if not name or name in out:
            found = f"{name!r} was twice" if name else "one has none"
            raise InvalidConfigError(
                f"heatmaps must have different venue names, {found}: give venue= when making them, or a mapping of "
                "names to heatmaps"
            )
        out[name] = heatmap
    return out


def _alone(name: str, heatmap: Heatmap) -> OneHistory:
    """The one history behind a heatmap; what a sum would not show is refused."""
    histories, view = heatmap._shown.histories, heatmap._shown.view
    if not isinstance(histories, OneHistory):
        raise InvalidConfigError(f"heatmaps must be of one venue each, {name} is merged: merge all at once")
    if not len(heatmap.times):
        raise InvalidConfigError(f"heatmaps must have at least one column, {name} has none")
    selected = {
        "side": view.side != "both",
        "leverage": not all(view.tiers),
        "threshold": view.threshold is not None,
        "opened_within": bool(view.opened_within),
    }
    if chosen := [argument for argument, is_chosen in selected.items() if is_chosen]:
        raise InvalidConfigError(
            f"heatmaps must not be selected by {', '.join(chosen)} before they are merged, {name} was: select from the "
            "result"
        )
    return histories


def _meta_of(heatmap: Heatmap, one: OneHistory) -> dict[str, Any]:
    """What a venue says of itself in the metadata of the sum: its own, with the span of its data."""
    return heatmap.meta | {
        "first_ns": one.first_ns,
        "last_event_ns": one.segment(-1).last_ns,
        "book_step": heatmap.book_step,
    }


def _cover(history: _core.History, first_ns: int, end_ns: int) -> _core.History:
    """A history with empty windows before and after it, so that it holds all from `first_ns` to `end_ns`."""
    start = int(history.times()[0])
    begin = min(start, first_ns)
    if begin == start and history.segment(-1).end_ns == end_ns:
        return history
    windows = (end_ns - begin) // history.window_ns
    return _core.History.from_rows(**history.terms, first_ns=begin, windows=windows, columns=history.to_rows())


def _bins_per_row(venues: Venues, step: float) -> int:
    rows = Fraction(repr(float(step))) / venues.bin_width if step > 0 and math.isfinite(step) else Fraction(0)
    if rows.denominator != 1 or rows < 1:
        raise InvalidConfigError(
            f"step must be a multiple of the widest book's bins ({float(venues.bin_width):g}), was {step:g}"
        )
    return rows.numerator


def _check_times(starts: Mapping[str, int], ends: Mapping[str, int]) -> None:
    """Refuse a heatmap that has no time in common with any other; a start of 0 is not known."""
    for name in starts if len(starts) > 1 else ():
        if not any(starts[name] < ends[other] and starts[other] < ends[name] for other in starts if other != name):
            spans = ", ".join(f"{one} {iso(start)} to {iso(ends[one])}" for one, start in starts.items() if start)
            raise InvalidConfigError(f"heatmaps must be of the same time, {name} overlaps none of the others: {spans}")


def _check_prices(venues: Venues) -> None:
    """Refuse venues whose prices cannot be of one underlying: twofold apart in the same window."""
    first = venues.parts[0]
    closes = venues.candles(first.name)[:, 3]
    for part in venues.parts[1:]:
        others = venues.candles(part.name)[:, 3]
        common = np.flatnonzero(np.isfinite(closes) & np.isfinite(others))
        if len(common) and not of_one_market(closes[common[0]], others[common[0]]):
            raise InvalidConfigError(
                f"heatmaps must be of one underlying: at {iso(int(venues.times()[common[0]]))} {first.name} traded at "
                f"{closes[common[0]]:g}, {part.name} at {others[common[0]]:g}"
            )


def _notes(
    venues: Venues, starts: Mapping[str, int], ends: Mapping[str, int], shown_ns: int, column_ns: int
) -> list[str]:
    """What whoever reads the sum should know of its parts."""
    notes = []
    limit = venues.stale_after_ns
    end_ns = venues.first_ns + len(venues) * venues.window_ns
    for name, start in starts.items():
        if start >= shown_ns + column_ns:
            notes.append(f"{name} begins at {iso(start)}: the columns before show nothing of it")
    for name, end in ends.items():
        if end <= end_ns - column_ns:
            then = 'is kept as last known: ended="drop" leaves it out'
            if venues.drop_ended:
                then = "is left out from then on"
            elif limit is not None:
                then = f"is left out {format_duration(limit)} after its last event"
            notes.append(f"{name} ends at {iso(end)}, before the last column: it {then}")
    for key in ("meaning", "trigger"):
        said = {part.name: _unscaled(part.meta.get(key)) for part in venues.parts}
        if len(set(said.values())) > 1:
            listed = ", ".join(f"{name} {value}" for name, value in said.items())
            notes.append(f"the venues' {key} differs: {listed}")
    return notes


def _unscaled(meaning: Any) -> Any:
    """What amounts mean, without the live scale: that is each venue's own."""
    return meaning.partition("; ")[0] if isinstance(meaning, str) else meaning
