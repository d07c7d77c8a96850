"""
What a page shows of a heatmap or a map: a frame of bytes, with the same values that pictures are drawn from.

`liqcore.tables.packed` has the layout, docs/reference/pictures.md the header and the arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..history.spread import Spread
from ..tables.packed import encode, pack, steps
from . import captions, labels
from .cells import pooled, sides_of
from .colours import CANDLES, COLORMAPS, colour_table, palette
from .contract import SCALES, HeatmapLike, RenderOptions
from .map_contract import MapLike, MapOptions
from .map_layout import default_map_range, grouped
from .own import Own, owned
from .picture import Picture
from .raster import PixelCells, pixel_cells, pool_rows
from .view import Span, last_price, rows_in

MOST_COLUMNS = 3_000
MOST_ROWS = 1_500
"""Of a frame; of more, neighbours are joined, each of which shows the largest of its cells."""

SECOND = 1_000_000_000

Arrays = dict[str, NDArray[Any]]


def frame_of(picture: Picture) -> bytes:
    """Return the frame of a picture's heatmap or map."""
    made = _heatmap if picture.kind == "heatmap" else _map
    return encode(*made(picture.source, picture.options, picture))


def look() -> dict[str, Any]:
    """Return the colours that a page chooses from: tables, palettes, layers; a table is 256 colours in hex digits."""
    pairs = {theme: palette(theme, "green-red") for theme in ("dark", "light")}
    return {
        "tables": {name: colour_table(name).tobytes().hex() for name in COLORMAPS},
        "themes": {theme: {role: _css(colour) for role, colour in roles.items()} for theme, roles in pairs.items()},
        "candles": {name: [_css(colour) for colour in pair] for name, pair in CANDLES.items()},
        "scales": list(SCALES),
    }


def _css(colour: Sequence[int]) -> str:
    return f"#{bytes(colour).hex()}"


def _heatmap(heatmap: HeatmapLike, options: RenderOptions, picture: Picture) -> tuple[dict[str, Any], Arrays]:
    prices, colour = picture.scales["price"], picture.scales["colour"]
    rows = _Rows.of(heatmap, Span(prices.low, prices.high))
    across = _across(len(heatmap.times))
    columns = len(across.first)
    own = _own(heatmap, options)
    cut = float(getattr(heatmap, "cut", 0.0))
    plain = replace(options, threshold=None, side="both", positions=None)  # what a reader can change is said elsewhere
    header = _common(heatmap, picture, own) | {
        "said": captions.header_items(heatmap, plain, cut, own, 0.0, captions.FEW + 1),
        "window": int(across.stop[0] - across.first[0] if columns else 1) * heatmap.window_ns / SECOND,
        "low": rows.low,
        "step": rows.step,
        "joined": [int(np.max(across.stop - across.first, initial=1)), rows.joined],
        "side": options.side if captions.side_shown(heatmap.meta) == "both" else captions.side_shown(heatmap.meta),
        "top": colour.high,
        "cut": max(colour.low, 0.0) if options.threshold or cut else 0.0,
        "scale": options.scale,
        "colormap": options.colormap,
        "candles": options.candle_colors,
        "hollow": options.candle_style == "hollow",
        "view": [prices.low, prices.high],
        "last": last_price(heatmap),
        "unfinished": captions.is_unfinished(heatmap),
        "holes": _holes(heatmap),
    }
    arrays: Arrays = {
        "times": heatmap.times[across.first] / SECOND if columns else np.zeros(0),
        "candles": _candles(heatmap, across),
    }
    for side in ("long", "short"):
        largest = pooled(heatmap, side, across, rows.first, rows.stop)
        arrays[f"{side}_tops"], codes = pack(pool_rows(largest, rows.shown))
        arrays[side] = steps(codes)
    if columns and hasattr(heatmap, "map"):  # of the last column
        shown: MapLike = heatmap.map()
        layers, stacked = _stacked(shown)
        header["map"] = layers | {
            "title": " · ".join(captions.title(heatmap.meta, "liquidation map", options.title)),
            "said": captions.map_header_items(shown, own, 0.0, captions.FEW + 1),
            "view": default_map_range(shown),
        }
        arrays |= {f"map_{name}": array for name, array in stacked.items()}
    return header, arrays


def _map(shown: MapLike, options: MapOptions, picture: Picture) -> tuple[dict[str, Any], Arrays]:
    prices = picture.scales["price"]
    own = _own(shown, options)
    header = _common(shown, picture, own) | {
        "said": captions.map_header_items(shown, own, 0.0, captions.FEW + 1),
        "view": [prices.low, prices.high],
    }
    layers, arrays = _stacked(shown)
    return header | layers, arrays


def _stacked(shown: MapLike) -> tuple[dict[str, Any], Arrays]:
    """Return what is said of a map's bars, and the bars: by layer, of both sides."""
    layers, groups = shown.layers, grouped(shown)
    some = np.flatnonzero(np.nan_to_num(shown.long).any(axis=0) | np.nan_to_num(shown.short).any(axis=0))
    part = slice(some[0], some[-1] + 1) if len(some) else slice(0, 0)
    arrays: Arrays = {"prices": np.asarray(shown.prices[part], np.float64)}
    for side in ("long", "short"):
        cells = [np.sum([np.nan_to_num(getattr(layers[i], side)[part]) for i in at], axis=0) for *_, at in groups]
        arrays[side] = np.array(cells, np.float64).reshape(len(groups), len(arrays["prices"]))
    header = {
        "time": shown.time_ns / SECOND,
        "step": shown.step,
        "last": None if math.isnan(shown.price) else shown.price,
        "layers": [name for name, *_ in groups],
        "roles": [role for _, _, role, _ in groups],
        "sentence": "" if math.isnan(shown.price) else shown.sentence(),
        "side": captions.side_shown(shown.meta),
    }
    spread = Spread.of(shown.meta)
    if spread is not None and all(len(at) == 1 for *_, at in groups):  # what tiers weigh together, no factor says
        header["factors"] = spread.factors_of(shown.tiers).tolist()
    return header, arrays


def _common(shown: HeatmapLike | MapLike, picture: Picture, own: Sequence[Own]) -> dict[str, Any]:
    """Return what headers of heatmaps and maps say alike."""
    meta = shown.meta
    return {
        "kind": picture.kind,
        "title": picture.title,
        "symbol": str(meta.get("symbol") or ""),
        "venue": str(meta.get("venue") or ""),
        "unit": captions.unit_name(shown.unit, meta),
        "usd": shown.unit == "usd",
        "model": str(meta.get("model") or ""),
        "scale_text": labels.scale_text(meta),
        "terms": captions.terms(meta),
        "theme": picture.theme,
        "software": picture.software,
        "synthetic": picture.synthetic,
        "own": [[[words, price] for words, price in zip(one.words, one.prices, strict=True)] for one in own],
    }


def _own(shown: HeatmapLike | MapLike, options: RenderOptions | MapOptions) -> list[Own]:
    """Return positions of one's own, with what lies between entry and liquidation price."""
    if not options.positions:
        return []
    if isinstance(options, RenderOptions):
        heatmap = cast(HeatmapLike, shown)
        last = len(heatmap.times) - 1
        live = np.sum(sides_of(heatmap, last, 1, 0, len(heatmap.prices)), axis=(0, 1), dtype=np.float64)
    else:
        live = np.nan_to_num(shown.long + shown.short).sum(axis=0)
    return owned(shown.meta, options.positions, shown.prices, shown.step, np.nan_to_num(live))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a frame, all of one height: the heatmap's from ``first`` to ``stop``, ``joined`` of them in each."""

    first: int
    stop: int
    low: float
    step: float
    joined: int
    shown: PixelCells

    @classmethod
    def of(cls, heatmap: HeatmapLike, prices: Span) -> _Rows:
        """All there are; of too many, those that the picture shows and as many around them as there is room for."""
        first, stop = 0, len(heatmap.prices)
        if stop > MOST_ROWS:
            first, stop = rows_in(heatmap, prices)
            more = max(MOST_ROWS - (stop - first), 0) // 2
            first, stop = max(first - more, 0), min(stop + more, len(heatmap.prices))
        if stop == first:
            return cls(first, first, prices.low, heatmap.step, 1, pixel_cells(np.zeros(0), 1.0, 0.0, 1.0, 0))
        low, step = float(heatmap.prices[first]), heatmap.step
        rows = round((float(heatmap.prices[stop - 1]) + step - low) / step)  # more than there are where some miss
        joined = -(-rows // MOST_ROWS)
        step, rows = step * joined, -(-rows // joined)
        shown = pixel_cells(heatmap.prices[first:stop], heatmap.step, low, low + rows * step, rows)
        return cls(first, stop, low, step, joined, shown)


def _across(columns: int) -> PixelCells:
    """Return which of the heatmap's columns each column of a frame joins, from the last one back."""
    joined = max(-(-columns // MOST_COLUMNS), 1)
    stops = np.arange(columns, 0, -joined, dtype=np.int64)[::-1].copy()
    return PixelCells(np.maximum(stops - joined, 0), stops)


def _candles(heatmap: HeatmapLike, across: PixelCells) -> NDArray[np.float64]:
    """Return open, high, low, close of each column, shape (4, columns); 0: nothing traded."""
    out = np.zeros((4, len(across.first)))
    opens, highs, lows, closes = (heatmap.candles[name] for name in ("open", "high", "low", "close"))
    traded = np.isfinite(opens) & np.isfinite(highs) & np.isfinite(lows) & np.isfinite(closes)
    for i, (first, stop) in enumerate(zip(across.first.tolist(), across.stop.tolist(), strict=True)):
        some = first + np.flatnonzero(traded[first:stop])
        if len(some):
            out[:, i] = opens[some[0]], highs[some].max(), lows[some].min(), closes[some[-1]]
    return out


def _holes(heatmap: HeatmapLike) -> list[list[Any]]:
    """Return begin, end (s; None: that of the data), words and role of stretches without trades or other data."""
    gaps = np.asarray(getattr(heatmap, "gaps", ())).reshape(-1, 2).tolist()
    holes = [(begin, end, f"no trades {labels.duration(end - begin)}", "gap") for begin, end in gaps]
    holes += [(begin, end, text, "ended") for text, begin, end in captions.missing(heatmap.meta)]
    return [[None if at is None else at / SECOND for at in hole[:2]] + list(hole[2:]) for hole in holes]
