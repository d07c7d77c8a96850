"""What is written about a heatmap or a map: the words of title, header and footer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import labels
from .contract import HeatmapLike, RenderOptions
from .map_contract import MapLike

ESTIMATE = "estimate, not a record of positions"
SYNTHETIC = "SYNTHETIC DATA"
UNFINISHED = "last column unfinished"


def title(meta: Mapping[str, Any], what: str, given: str | None) -> str:
    """Return the title line of a picture: the one given, or market, kind of picture and time frame."""
    if given is not None:
        return given
    parts = [str(meta[key]) for key in ("symbol", "venue") if meta.get(key)]
    parts.append(what)
    if meta.get("opened_within_ns") is not None:
        parts.append(f"opened within {labels.duration(int(meta['opened_within_ns']))}")
        if meta.get("book_age_ns") is not None:
            parts.append(f"book age {labels.duration(int(meta['book_age_ns']))}")
    return " · ".join(parts)


def header_items(heatmap: HeatmapLike, options: RenderOptions) -> list[str]:
    """List what the picture shows, most important first; all of it belongs in every picture."""
    meta = heatmap.meta
    items = [ESTIMATE]
    if is_unfinished(heatmap):
        items.append(UNFINISHED)
    items += meta.get("stale", ())
    if options.side != "both":
        items.append(f"{options.side}s only")
    if len(heatmap.times):
        last = int(heatmap.times[-1]) + heatmap.window_ns
        items.append(f"{labels.instant(int(heatmap.times[0]))} to {labels.instant(last)} UTC")
    items.append(f"{meta.get('window') or labels.duration(heatmap.window_ns)} windows")
    items.append(f"{unit_name(heatmap.unit, meta)} per bin of {labels.price_text(heatmap.step)}")
    return [*items, *_model_items(meta)]


def map_header_items(shown: MapLike, joined: int) -> list[str]:
    """List what the picture of a map shows, most important first; each bar is the sum of `joined` bins."""
    items = [ESTIMATE] if shown.complete else [ESTIMATE, "window unfinished"]
    items.append(f"at {labels.instant(shown.time_ns)} UTC")
    unit = unit_name(shown.unit, shown.meta)
    items.append(f"bars, left: {unit} per {labels.price_text(joined * shown.step)} of price")
    items.append("lines, right: all from the price on")
    return [*items, *_model_items(shown.meta)]


def _model_items(meta: Mapping[str, Any]) -> list[str]:
    model = f"model {meta['model']}" if meta.get("model") else ""
    item = ": ".join(part for part in (model, str(meta.get("meaning") or "")) if part)
    return [item] if item else []


def footer_items(heatmap: HeatmapLike, options: RenderOptions) -> list[str]:
    """List on which terms the picture was made."""
    meta = heatmap.meta
    items = [f"{options.scale} colour scale"]
    if options.threshold:
        items.append(f"below {100 * options.threshold:.3g}% of maximum hidden")
    return items + _terms(meta)


def map_footer_items(shown: MapLike, outside: str) -> list[str]:
    """List on which terms the picture of a map was made; `outside` says what does not fit into it."""
    return ([outside] if outside else []) + _terms(shown.meta)


def _terms(meta: Mapping[str, Any]) -> list[str]:
    items = list(meta.get("losses", ()))
    if meta.get("hidden"):
        items.append(f"{meta['hidden']} hidden")
    if meta.get("trigger"):
        items.append(f"trigger {meta['trigger']}")
    if meta.get("book_age_ns") is not None and meta.get("opened_within_ns") is None:  # the title has it otherwise
        items.append(f"book age {labels.duration(int(meta['book_age_ns']))}")
    items += _data_items(meta) + _contract_items(meta)
    if meta.get("leverage"):
        items.append(_leverage_text(meta["leverage"]))
    else:
        venues = meta.get("venues", {})
        items += [f"{name} {_leverage_text(own['leverage'])}" for name, own in venues.items() if own.get("leverage")]
    items.append(f"liqcore {meta['version']}" if meta.get("version") else "liqcore")
    return items


def _data_items(meta: Mapping[str, Any]) -> list[str]:
    """What was odd about the data: where the book begins anew, strange prints, gaps."""
    items = []
    if anew := meta.get("begins_anew"):
        factor = f", {anew['factor']}" if anew["factor"] else ""
        items.append(f"begun anew {labels.instant(anew['ts'])}: {anew['before']:g} to {anew['price']:g}{factor}")
    for name, number in (
        ("outlier", meta.get("rows", {}).get("rejected", {}).get("outlier", 0)),
        ("gap", len(meta.get("gaps", ()))),
    ):
        if number:
            items.append(f"{number:,} {name}{'' if number == 1 else 's'}")
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


def _leverage_text(shares: Mapping[Any, float]) -> str:
    tiers = sorted(shares, key=float)
    if len(tiers) > 8:
        return f"leverage {len(tiers)} tiers from {float(tiers[0]):g}x to {float(tiers[-1]):g}x"
    return "leverage " + ", ".join(f"{float(tier):g}x {100 * shares[tier]:.3g}%" for tier in tiers)


def unit_name(unit: str, meta: Mapping[str, Any]) -> str:
    """Return what the cells count: USD or the base asset."""
    return "USD" if unit == "usd" else str(meta.get("base") or "quantity")


def is_unfinished(heatmap: HeatmapLike) -> bool:
    """Return whether the last column lacks a part of its window."""
    complete = np.atleast_1d(heatmap.complete)
    return len(heatmap.times) > 0 and complete.size > 0 and not bool(complete[-1])
