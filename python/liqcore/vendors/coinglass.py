"""CoinGlass: heatmaps of its page (v3) and its API (v4), maps and max pain of its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from ..words.times import to_ns
from .given import Cells, Given
from .response import Floats, Response
from .shapes import MS, SAID, SECOND, listed, number, regular, rows_of, said, short_by_price, windows

VENDOR = "CoinGlass"
_HEATMAPS = {
    "coinglass-v3": ("y", "liq", "prices"),
    "coinglass-v4": ("y_axis", "liquidation_leverage_data", "price_candlesticks"),
}


def heatmap_shape(data: Mapping[str, Any]) -> str | None:
    """Return which of its heatmaps an answer's data are."""
    return next((name for name, keys in _HEATMAPS.items() if all(key in data for key in keys)), None)


def is_map(data: Mapping[str, Any]) -> bool:
    """Whether an answer's data are a map of its API: {"data": {price: [[price, level, leverage, null], ...]}}."""
    inner = data.get("data")
    return isinstance(inner, Mapping) and all(isinstance(entry, list) for entry in inner.values()) and bool(inner)


def read_heatmap(data: Mapping[str, Any], shape: str) -> Response:
    """
    Return what a heatmap says.

    A row ends at its price, and holds the levels up to it: `y` is what its cells are cleared by. Sides are not told;
    at or below the column's close it is longs, above it shorts.
    """
    names = _HEATMAPS[shape]
    levels = np.array([number(y, f"{names[0]}[{i}]", least=0) for i, y in enumerate(listed(data[names[0]], names[0]))])
    step = regular(levels, names[0])
    bars = rows_of(listed(data[names[2]], names[2]), names[2], 5)
    times = np.array([round(number(bar[0], f"{names[2]}[{i}]", least=0)) for i, bar in enumerate(bars)], np.int64)
    times *= SECOND if times[-1] < 100_000_000_000 else MS
    window = windows(times, names[2])
    if (np.diff(times) != window).any():
        raise DataError(f"{names[2]}: expected candles {window // SECOND} s apart, found a gap")
    candles = np.array([[number(price, f"{names[2]}[{i}]") for price in bar[1:5]] for i, bar in enumerate(bars)])
    cells = rows_of(listed(data[names[1]], names[1]), names[1], 3)
    column, row, usd = (np.array([number(cell[k], f"{names[1]}[{i}]", least=0) for i, cell in enumerate(cells)])
                        for k in range(3))  # fmt: skip
    for name, index, count in (("column", column, len(times)), ("row", row, len(levels))):
        off = (index >= count) | (index != np.floor(index))
        if off.any():
            at = int(np.argmax(off))
            raise DataError(f"{names[1]}[{at}]: expected a {name} from 0 to {count - 1}, found {index[at]:g}")
    columns, rows = column.astype(np.int64), row.astype(np.int64)
    is_short = short_by_price(levels[rows], candles[columns, 3])
    own = said(data)
    columns, rows, is_short, usd = _sides(own.get("sides", ()), columns, rows, is_short, usd)
    for at in own.get("untraded", ()):
        candles[int(at)] = np.nan
    return Response(
        vendor=VENDOR,
        shape=shape,
        times=times,
        window_ns=window,
        levels=levels - step if own else levels,
        step=step,
        column=columns,
        row=rows,
        tier=np.zeros(len(rows), np.int64),
        is_short=is_short,
        usd=usd,
        candles=candles,
        from_below=bool(own),
        ended_ns=_ended(data, own, int(times[-1]) + window),
        meta=own,
    )


def _ended(data: Mapping[str, Any], own: Mapping[str, Any], end: int) -> int | None:
    """When an answer was made, where that was before its last column ended."""
    if "complete" in own:
        return None if own["complete"] else int(own["last_ns"]) + 1
    made = data.get("updateTime")
    return None if made is None or int(made) * MS >= end else int(made) * MS


def _sides(given: Sequence[Sequence[float]], column: Any, row: Any, is_short: Any, usd: Floats) -> Any:
    """Part the cells whose sides an export of ours tells: each with how much of it is longs."""
    told = {(int(x), int(y)): float(long) for x, y, long in given}
    if not told:
        return column, row, is_short, usd
    both = np.array([(int(x), int(y)) in told for x, y in zip(column, row, strict=True)])
    longs = np.array([told[int(x), int(y)] for x, y in zip(column[both], row[both], strict=True)])
    return (
        np.concatenate([column[~both], column[both], column[both]]),
        np.concatenate([row[~both], row[both], row[both]]),
        np.concatenate([is_short[~both], np.zeros(len(longs), np.bool_), np.ones(len(longs), np.bool_)]),
        np.concatenate([usd[~both], longs, np.maximum(usd[both] - longs, 0.0)]),
    )


def read_map(data: Mapping[str, Any], ts: Any, price: float | None, window_ns: int) -> Response:
    """Return what a map says, as a heatmap of one column: at a time and a last price that it does not tell."""
    own = said(data)
    at = own.get("time_ns") if ts is None else to_ns(ts)
    last = own.get("price") if price is None else price
    if at is None or last is None:
        name = "ts" if at is None else "price"
        raise DataError(f"coinglass-v4 map: expected a time and a last price, which it does not tell: give {name}=")
    entries = [
        (i, rows_of([entry], f"data[{name!r}]", 3)[0])
        for i, (name, rows) in enumerate(sorted(data["data"].items(), key=lambda one: number(one[0], "data")))
        for entry in rows
    ]
    levels = np.unique([number(entry[0], f"data, entry {i}", least=0) for i, entry in entries])
    step = float(own["step"]) if "step" in own else regular(levels, "data")
    grid = Given.on_grid(levels, step, "data")
    told = [None if entry[2] is None else number(entry[2], f"data, entry {i}", least=1) for i, entry in entries]
    tiers = sorted({each for each in told if each is not None}) or [1.0]
    if None in told and len(set(told)) > 1:
        raise DataError("data: expected leverage in all entries or in none, found both")
    level = np.array([float(entry[0]) for _, entry in entries])
    usd = np.array([number(entry[1], f"data, entry {i}", least=0) for i, entry in entries])
    shorts = own.get("shorts")
    is_short = level > float(last) if shorts is None else np.isin(np.arange(len(usd)), shorts)
    start = int(at) // window_ns * window_ns - (window_ns if int(at) % window_ns == 0 else 0)
    row = grid.rows(level)
    return Response(
        vendor=VENDOR,
        shape="coinglass-v4-map",
        times=np.array([start], np.int64),
        window_ns=window_ns,
        levels=grid.lows,
        step=step,
        column=np.zeros(len(usd), np.int64),
        row=row,
        tier=np.array([0 if each is None else tiers.index(each) for each in told], np.int64),
        is_short=np.asarray(is_short, np.bool_),
        usd=usd,
        tiers=tiers,
        has_tiers=None not in told,
        candles=np.full((1, 4), float(last)),
        from_below=True,
        ended_ns=None if int(at) >= start + window_ns else int(at),
        meta=own,
    )


def heatmap_answer(cells: Cells, own: Mapping[str, Any], shape: str) -> dict[str, Any]:
    """Return a heatmap in one of its shapes: a row's price is its upper edge."""
    names = _HEATMAPS[shape]
    total = cells.long + cells.short
    column, row = np.nonzero(total)
    close = cells.filled_close()
    long, level = cells.long[column, row], cells.edges[row + 1]
    by_price = np.where(level > close[column], 0.0, total[column, row])
    unclear = long != by_price
    bars = [
        [start // SECOND, *(f"{price:.{cells.decimals}f}" for price in candle), volume]
        for start, candle, volume in zip(cells.times.tolist(), cells.filled_candles(), cells.volumes, strict=True)
    ]
    data = {
        names[0]: [round(float(edge), cells.decimals) for edge in cells.edges[1:]],
        names[1]: [[int(x), int(y), float(value)] for x, y, value in zip(column, row, total[column, row], strict=True)],
        names[2]: bars,
        SAID: {
            **own,
            "rows": "from y - step (included) to y",
            "complete": cells.complete,
            "last_ns": cells.last_ns,
            "untraded": np.flatnonzero(np.isnan(cells.candles[:, 3])).tolist(),
            "sides": [
                [int(x), int(y), float(value)]
                for x, y, value in zip(column[unclear], row[unclear], long[unclear], strict=True)
            ],
        },
    }
    if shape == "coinglass-v3":
        data["updateTime"] = (cells.last_ns + 1) // MS
    return {"code": "0", "msg": "success", "data": data}


def map_answer(cells: Cells, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the map after the last column: by the middle of each row, an entry a tier and side."""
    entries: dict[str, list[list[float | None]]] = {}
    shorts, count = [], 0
    places = cells.decimals + 1  # of the middle of a row
    for row in range(cells.layers.shape[2]):
        price = round(float(cells.edges[row] + cells.edges[row + 1]) / 2, places)
        for tier, leverage in enumerate(cells.tiers):
            for side in (0, 1):
                if (amount := float(cells.layers[side, tier, row])) > 0:
                    entries.setdefault(f"{price:.{places}f}", []).append([price, amount, leverage, None])
                    shorts += [count] if side else []
                    count += 1
    return {"code": "0", "msg": "success", "data": {"data": entries, SAID: {**own, "shorts": shorts}}}


def zones_answer(symbol: str, price: float, largest: Mapping[str, tuple[float, float] | None]) -> dict[str, Any]:
    """Return the largest level of each side, as its list of max pain has them: amount and price."""
    row: dict[str, Any] = {"symbol": symbol, "price": price}
    for side, found in largest.items():
        row[f"{side}_max_pain_liq_level"], row[f"{side}_max_pain_liq_price"] = found or (None, None)
    return {"code": "0", "msg": "success", "data": [row]}
