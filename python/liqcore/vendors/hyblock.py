"""Hyblock: heatmaps as rows of a time and a range of prices, and levels of one instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from .given import Cells, Given
from .response import Response
from .shapes import MS, SAID, SECOND, number, regular, windows

VENDOR = "Hyblock"
_SIDES = {"long": False, "longs": False, "short": True, "shorts": True}


def is_heatmap(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of a heatmap."""
    return {"timestamp", "size", "startingPrice", "endingPrice", "side"} <= row.keys()


def is_levels(row: Mapping[str, Any]) -> bool:
    """Whether a row is a level."""
    return {"timestamp", "size", "price", "leverage", "side"} <= row.keys()


def _side(row: Mapping[str, Any], at: int) -> bool:
    name = str(row["side"]).lower()
    if name not in _SIDES:
        raise DataError(f"[{at}].side: expected long or short, found {row['side']!r:.40}")
    return _SIDES[name]


def _time(row: Mapping[str, Any], at: int) -> int:
    time = round(number(row["timestamp"], f"[{at}].timestamp", least=0))
    return time * (SECOND if time < 100_000_000_000 else MS)


def read_heatmap(rows: Sequence[Mapping[str, Any]], own: Mapping[str, Any]) -> Response:
    """Return what a heatmap says: a time is the end of a column; its price is not told."""
    ends = np.array([_time(row, i) for i, row in enumerate(rows)], np.int64)
    low = np.array([number(row["startingPrice"], f"[{i}].startingPrice", least=0) for i, row in enumerate(rows)])
    high = np.array([number(row["endingPrice"], f"[{i}].endingPrice", least=0) for i, row in enumerate(rows)])
    low, high = np.minimum(low, high), np.maximum(low, high)
    step = float(f"{np.median(high - low):.10g}")
    if not step > 0 or (np.abs(high - low - step) > 1e-6 * step).any():
        k = int(np.argmax(np.abs(high - low - step)))
        raise DataError(f"[{k}]: expected ranges of one height ({step:.10g}), found {low[k]:.10g} to {high[k]:.10g}")
    grid = Given.on_grid(np.unique(low), step, "startingPrice")
    at = np.unique(ends)
    window = int(own["window_ns"]) if "window_ns" in own else windows(at, "timestamp")
    times = np.arange(int(at[0]), int(at[-1]) + 1, window) - window
    return Response(
        vendor=VENDOR,
        shape="hyblock",
        times=times,
        window_ns=window,
        levels=grid.lows,
        step=step,
        column=(ends - int(at[0])) // window,
        row=grid.rows(low + step / 2),
        tier=np.zeros(len(rows), np.int64),
        is_short=np.array([_side(row, i) for i, row in enumerate(rows)]),
        usd=np.array([number(row["size"], f"[{i}].size", least=0) for i, row in enumerate(rows)]),
        from_below=True,
        meta=own,
    )


def read_levels(
    rows: Sequence[Mapping[str, Any]], own: Mapping[str, Any], step: float | None, window_ns: int
) -> Response:
    """Return what levels say, as a heatmap of one column that ends when the last was there."""
    price = np.array([number(row["price"], f"[{i}].price", least=0) for i, row in enumerate(rows)])
    height = step or (float(own["step"]) if "step" in own else regular(np.unique(price), "price"))
    grid = Given.on_grid(np.unique(price), height, "price") if step is None else Given.around(price, height)
    given = [_leverage(row["leverage"], i) for i, row in enumerate(rows)]
    tiers = sorted(set(given))
    end = max(_time(row, i) for i, row in enumerate(rows))
    start = (end - 1) // window_ns * window_ns
    return Response(
        vendor=VENDOR,
        shape="hyblock-levels",
        times=np.array([start], np.int64),
        window_ns=window_ns,
        levels=grid.lows,
        step=height,
        column=np.zeros(len(rows), np.int64),
        row=grid.rows(price),
        tier=np.array([tiers.index(each) for each in given], np.int64),
        is_short=np.array([_side(row, i) for i, row in enumerate(rows)]),
        usd=np.array([number(row["size"], f"[{i}].size", least=0) for i, row in enumerate(rows)]),
        tiers=tiers,
        has_tiers=True,
        candles=np.full((1, 4), float(own["price"])) if "price" in own else None,
        from_below=True,
        ended_ns=None if end >= start + window_ns else end,
        meta=own,
    )


def _leverage(value: object, at: int) -> float:
    text = value.lower().removesuffix("x") if isinstance(value, str) else value
    return number(text, f"[{at}].leverage", least=1)


def heatmap_answer(cells: Cells, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return a heatmap: a row for each cell and side."""
    rows = []
    ends = (cells.times + cells.window_ns) // MS
    for name, side in (("long", cells.long), ("short", cells.short)):
        for x, y in zip(*np.nonzero(side), strict=True):
            rows.append(_range(int(ends[x]), float(side[x, y]), cells, int(y), int(y) + 1, name))
    rows.sort(key=lambda row: row["timestamp"])
    return {"data": rows, SAID: {**own, "rows": "from startingPrice (included) to endingPrice"}}


def _range(end: int, size: float, cells: Cells, first: int, after: int, side: str) -> dict[str, Any]:
    low, high = (round(float(cells.edges[at]), cells.decimals) for at in (first, after))
    return {"timestamp": end, "size": size, "startingPrice": low, "endingPrice": high, "side": side}


def map_answer(cells: Cells, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the levels after the last column: by the middle of each row, one a tier and side."""
    end, rows = cells.end_ns // MS, []
    for side, name in enumerate(("long", "short")):
        for tier, row in zip(*np.nonzero(cells.layers[side]), strict=True):
            since = int(cells.since[side, row]) // MS
            rows.append(
                {
                    "timestamp": end,
                    "creationDate": since,
                    "size": float(cells.layers[side, tier, row]),
                    "price": round(float(cells.edges[row] + cells.edges[row + 1]) / 2, cells.decimals + 1),
                    "leverage": cells.tiers[tier],
                    "side": name,
                    "openDuration": max(end - since, 0),
                }
            )
    return {"data": rows, SAID: dict(own)}


def zones_answer(zones: Any, decimals: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return zones as ranges of prices of one time."""
    rows = [
        {
            "timestamp": zone.time_ns // MS,
            "size": zone.value,
            "startingPrice": round(zone.low, decimals),
            "endingPrice": round(zone.high, decimals),
            "side": zone.side,
        }
        for zone in zones
    ]
    return {"data": rows, SAID: dict(own)}
