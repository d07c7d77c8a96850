"""What is written about a heatmap or a map: the words of title, header and footer, the most important first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._core import tier_name
from ..history.scales import KEY as LIVE_SCALE
from . import labels
from .contract import HeatmapLike, RenderOptions
from .map_contract import MapLike
from .own import Own

ESTIMATE = "estimate, not a record of positions"
RECORD = "real positions at snapshots, a part of the market"
SYNTHETIC = "SYNTHETIC DATA"
UNFINISHED = "last column unfinished"

FEW = 2
"""Lines of a header up to which it says estimate and scale in fewer words."""

NOTICED = 0.02
"""Part of its window that an unfinished column must lack to be called so."""


def title(meta: Mapping[str, Any], what: str, given: str | None) -> list[str]:
    """Return the parts of a title: the one given, or market, kind of picture and time frame."""
    if given is not None:
        return [given]
    parts = [str(meta[key]) for key in ("symbol", "venue") if meta.get(key)]
    parts.append(what)
    if meta.get("opened_within_ns") is not None:
        parts.append(f"opened within {labels.duration(int(meta['opened_within_ns']))}")
        if meta.get("book_age_ns") is not None:
            parts.append(f"book age {labels.duration(int(meta['book_age_ns']))}")
    return parts


def header_items(
    heatmap: HeatmapLike, options: RenderOptions, cut: float, own: Sequence[Own], bar: float, lines: int
) -> list[str]:
    """
    List what the picture shows, most important first.

    Parameters
    ----------
    heatmap : HeatmapLike
    options : RenderOptions
    cut : float
        Below which cells are hidden; 0: none.
    own : sequence of Own
        Positions that are marked.
    bar : float
        Height of a bar of the side profile, price.
    lines : int
        How many there are for it.
    """
    meta = heatmap.meta
    items = _scale_and_part(meta, options.side, lines)
    items += [own_text(one, heatmap.unit, meta) for one in own]
    if is_unfinished(heatmap):
        items.append(UNFINISHED)
    items += meta.get("stale", ())
    if cut > 0:
        kind = f" ({meta['hidden'].removeprefix('below ')})" if meta.get("hidden") else ""
        amount = labels.amount(cut, heatmap.unit, str(meta.get("base") or ""))
        items.append(f"below {amount} hidden{kind}")
    elif options.threshold:
        items.append(f"below {100 * options.threshold:.3g}% of the scale's top hidden")
    if len(heatmap.times):
        last = int(heatmap.times[-1]) + heatmap.window_ns
        items.append(f"{labels.instant(int(heatmap.times[0]))} to {labels.instant(last)} UTC")
    unit = unit_name(heatmap.unit, meta)
    items.append(f"{unit} per bin of {labels.price_text(heatmap.step)}")
    if bar:
        items.append(f"bars, right: {unit} per {labels.price_text(bar)}")
    items.append(f"{meta.get('window') or labels.duration(heatmap.window_ns)} windows")
    return items + _model(meta)


def map_header_items(shown: MapLike, own: Sequence[Own], bar: float, lines: int) -> list[str]:
    """List what the picture of a map shows, most important first; `bar` is the width of a bar, price, if it has one."""
    items = _scale_and_part(shown.meta, "both", lines)
    items += [own_text(one, shown.unit, shown.meta) for one in own]
    items += [*shown.meta.get("stale", ()), *ended(shown.meta, shown.time_ns)]
    if is_cut_short(shown):
        items.append("window unfinished")
    unit = unit_name(shown.unit, shown.meta)
    items.append(f"at {labels.instant(shown.time_ns)} UTC")
    if bar:
        items.append(f"bars, left: {unit} per {labels.price_text(bar)} of price")
    items.append("lines, right: all from the price on")
    return items + _model(shown.meta)


def note(meta: Mapping[str, Any]) -> str:
    """Say whether a result is an estimate or a record."""
    return RECORD if labels.is_record(meta) else ESTIMATE


def _scale_and_part(meta: Mapping[str, Any], side: str, lines: int) -> list[str]:
    """Say that it is an estimate, on which scale, and of which part."""
    part = [shown] if (shown := filtered(meta, side)) else []
    if lines <= FEW:
        return [labels.short_scale_text(meta), *part]
    return [note(meta), *part, labels.scale_text(meta)]


def missing(meta: Mapping[str, Any]) -> list[tuple[str, int | None, int | None]]:
    """Return what is said of each stretch without some data, its begin and its end, ns; None: that of the data."""
    out = []
    for one in meta.get("missing", ()):
        what, begin, end = one["what"], one["begin"], one["end"]
        if begin is None and end is None:
            text = f"no {what}"
        elif begin is None:
            text = f"{what} begins {labels.instant(end)}"
        elif end is None:
            text = f"{what} ended {labels.instant(begin)}"
        else:
            text = f"no {what} {labels.duration(end - begin)}"
        out.append((text, begin, end))
    return out


def ended(meta: Mapping[str, Any], time_ns: int) -> list[str]:
    """Say which data had ended by a time."""
    return [text for text, begin, end in missing(meta) if begin is not None and end is None and begin < time_ns]


def filtered(meta: Mapping[str, Any], side: str = "both") -> str:
    """Say which part of the levels is shown: "shorts only · 50x, 100x"; empty: all of them."""
    shown = meta.get("shown", {})
    side = side_shown(meta) if side == "both" else side
    parts = [] if side == "both" else [f"{side}s only"]
    if tiers := shown.get("leverage"):
        parts.append(_tiers_text(tiers))
    return " · ".join(parts)


def side_shown(meta: Mapping[str, Any]) -> str:
    """Return whose levels there are: "both", or the side that was selected."""
    return str(meta.get("shown", {}).get("side", "both"))


def _tiers_text(tiers: Sequence[float]) -> str:
    return ", ".join(tier_name(tier) for tier in tiers) if len(tiers) <= 8 else f"{len(tiers)} of the leverage tiers"


def _model(meta: Mapping[str, Any]) -> list[str]:
    return [f"model {meta['model']}"] if meta.get("model") else []


def footer_items(heatmap: HeatmapLike, options: RenderOptions) -> list[str]:
    """List on which terms the picture was made."""
    return [*terms(heatmap.meta), f"{options.scale} colour scale", software(heatmap.meta)]


def map_footer_items(shown: MapLike, outside: str) -> list[str]:
    """List on which terms the picture of a map was made; `outside` says what does not fit into it."""
    hidden = [f"{shown.meta['hidden']} hidden"] if shown.meta.get("hidden") else []
    return ([outside] if outside else []) + hidden + [*terms(shown.meta), software(shown.meta)]


def terms(meta: Mapping[str, Any]) -> list[str]:
    """List on which terms a result was made: losses, age of the book, trigger, contract, leverage."""
    items = [*meta.get("losses", ()), *_data_items(meta), *_snapshot_items(meta)]
    if meta.get("book_age_ns") is not None and meta.get("opened_within_ns") is None:  # the title has it otherwise
        items.append(f"book age {labels.duration(int(meta['book_age_ns']))}")
    if meta.get("trigger"):
        items.append(f"trigger {meta['trigger']}")
    items += _contract_items(meta)
    only = meta.get("shown", {}).get("leverage")
    if meta.get("leverage"):
        items.append(_leverage_text(meta["leverage"], only))
    else:
        venues = meta.get("venues", {})
        items += [
            f"{name} {_leverage_text(own['leverage'], only)}" for name, own in venues.items() if own.get("leverage")
        ]
    return items


def software(meta: Mapping[str, Any]) -> str:
    """Say who made the picture."""
    return f"liqcore {meta['version']}" if meta.get("version") else "liqcore"


def _data_items(meta: Mapping[str, Any]) -> list[str]:
    """What was odd about the data: where the book begins anew, candles for trades, strange prints, gaps."""
    items = []
    if anew := meta.get("begins_anew"):
        factor = f", {anew['factor']}" if anew["factor"] else ""
        items.append(f"begun anew {labels.instant(anew['ts'])}: {anew['before']:g} to {anew['price']:g}{factor}")
    if estimated := meta.get("estimated"):
        items.append(f"estimated from candles until {labels.instant(estimated[-1][1])}")
    if since := (meta.get(LIVE_SCALE) or {}).get("since"):
        items.append(f"live scale since {labels.instant(since)}")
    for name, number in (
        ("outlier", meta.get("rows", {}).get("rejected", {}).get("outlier", 0)),
        ("gap", len(meta.get("gaps", ()))),
    ):
        if number:
            items.append(f"{number:,} {name}{'' if number == 1 else 's'}")
    return items


def _snapshot_items(meta: Mapping[str, Any]) -> list[str]:
    """How many snapshots of positions there are, or which one the book begins with."""
    items = []
    if of := meta.get("snapshots"):
        count, last = of[0], labels.instant(of[2])
        items.append(f"{count:,} snapshots, the last {last}" if count > 1 else f"one snapshot, {last}")
    if prior := meta.get("prior"):
        items.append(f"begins with {prior['meaning']} of {labels.instant(prior['snapshot_ns'])}")
    return items


def _contract_items(meta: Mapping[str, Any]) -> list[str]:
    """What a quantity was taken for, and margin terms that nothing says."""
    if "contract" not in meta:
        return []
    assumed = meta.get("assumed", ())
    items = [meta["contract"]["text"] + (" (assumed)" if "contract" in assumed else "")]
    if "margin" in assumed:
        items.append(f"maintenance {100 * meta['instrument']['mmr']:.3g}% assumed")
    return items


def _leverage_text(shares: Mapping[Any, float], only: Sequence[float] | None) -> str:
    tiers = [tier for tier in sorted(shares, key=float) if only is None or float(tier) in only]
    if len(tiers) > 8:
        return f"leverage {len(tiers)} tiers from {tier_name(float(tiers[0]))} to {tier_name(float(tiers[-1]))}"
    colon = {tier: ":" if float(tier) < 1 else "" for tier in tiers}  # two percentages in a row
    return "leverage " + ", ".join(f"{tier_name(float(t))}{colon[t]} {100 * shares[t]:.3g}%" for t in tiers)


def own_text(own: Own, unit: str, meta: Mapping[str, Any]) -> str:
    """Say where a position is liquidated, and which levels lie on the way there."""
    position = own.position
    size = "" if position.quantity is None else f" of {position.quantity:g}"
    name = f"own {position.side}{size} {position.leverage:g}x from {labels.price_text(position.entry)}"
    if np.isnan(own.price):
        return f"{name}: never liquidated"
    said = labels.amount(own.between, unit, str(meta.get("base") or "")) if own.between else "nothing"
    part = " shown" if meta.get("shown") or meta.get("hidden") else ""
    return f"{name}: liquidated at {own.price_text}, {said}{part} in between"


def unit_name(unit: str, meta: Mapping[str, Any]) -> str:
    """Return what the cells count: USD or the base asset."""
    return "USD" if unit == "usd" else str(meta.get("base") or "quantity")


def is_unfinished(heatmap: HeatmapLike) -> bool:
    """Return whether the last column lacks a part of its window that is worth a word."""
    complete = np.atleast_1d(heatmap.complete)
    lacks = len(heatmap.times) > 0 and complete.size > 0 and not bool(complete[-1])
    return lacks and not _nearly_whole(heatmap.meta)


def is_cut_short(shown: MapLike) -> bool:
    """Return whether a map's window lacks a part that is worth a word."""
    return not shown.complete and not _nearly_whole(shown.meta)


def _nearly_whole(meta: Mapping[str, Any]) -> bool:
    """Whether the last event of the data was so late in its window that next to nothing is missing."""
    share = meta.get("last_window_share")
    return share is not None and share >= 1 - NOTICED
