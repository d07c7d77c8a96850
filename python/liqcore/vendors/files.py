"""Answers of vendors from files, and heatmaps, maps and zones to files in their shapes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ..errors import DataError, InvalidConfigError
from ..sources.meaning import listed
from ..sources.text import TextFile, find_files, is_parquet
from ..tables.frames import decimals_of
from ..views.heatmap import Heatmap
from ..words.files import write_whole
from ..words.plain import kind_of
from ..words.times import Length, Time, parse_duration
from . import coinglass, hyblock
from .given import Cells
from .response import Response, heatmap_of
from .shapes import SAID

__all__ = ["SHAPES", "WHAT", "export", "read_response"]

SHAPES = ("coinglass-v4", "coinglass-v3", "hyblock")
WHAT = ("heatmap", "map", "zones")


def read_response(
    path: str | os.PathLike[str],
    *,
    symbol: str = "",
    ts: Time | None = None,
    price: float | None = None,
    step: float | None = None,
    window: Length = "5m",
) -> Heatmap:
    """
    Return the heatmap that a saved answer of CoinGlass (v3, v4) or Hyblock is.

    Parameters
    ----------
    path : path
        JSON, also gzipped. Its shape is told by its keys.
    symbol : str, optional
        Of the market: answers do not tell it.
    ts, price : optional
        Time and last price of a CoinGlass map, which tells neither.
    step : float, optional
        Height of the rows of Hyblock's levels, where they are not on a grid.
    window : duration, optional
        Length of the only column of maps and levels.

    Raises
    ------
    DataError
        If it is no such answer, or breaks off; the message names the part.

    Notes
    -----
    Amounts are the vendor's, on its own scale; `meta` says whose. CoinGlass tells no sides: rows at or below the last
    price are taken for longs, those above for shorts. What leaves a cell counts as closed, because no answer tells
    whether it was liquidated. docs/reference/vendors.md lists the shapes.
    """
    found = find_files([os.fspath(path)])
    if len(found) > 1:
        raise InvalidConfigError(f"path must name one file, was {os.fspath(path)!r}, which {len(found)} match")
    file = TextFile(found[0])
    if is_parquet(found[0]):
        raise file.error("expected an answer of CoinGlass or Hyblock as JSON, found a Parquet file")
    content = file.content()
    try:
        answer = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise file.error(f"expected JSON, found it damaged ({error})") from None
    try:
        return heatmap_of(_response(answer, ts, price, step, parse_duration(window, name="window")), symbol)
    except DataError as error:
        raise file.error(str(error)) from None
    except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise file.error(f"expected an answer of CoinGlass or Hyblock, found that {error!r:.80}") from None


def _response(answer: Any, ts: Time | None, price: float | None, step: float | None, window_ns: int) -> Response:
    own = answer.get(SAID, {}) if isinstance(answer, Mapping) else {}
    data = answer.get("data", answer) if isinstance(answer, Mapping) else answer
    if isinstance(data, Mapping):
        if shape := coinglass.heatmap_shape(data):
            return coinglass.read_heatmap(data, shape)
        if coinglass.is_map(data):
            return coinglass.read_map(data, ts, price, window_ns)
    if isinstance(data, list) and data and all(isinstance(row, Mapping) for row in data):
        if all(hyblock.is_heatmap(row) for row in data):
            return hyblock.read_heatmap(data, own)
        if all(hyblock.is_levels(row) for row in data):
            return hyblock.read_levels(data, own, step, window_ns)
    if isinstance(answer, Mapping) and str(answer.get("code", "0")) not in ("0", "200"):
        raise DataError(f"expected an answer, found a refusal: {answer.get('msg')!r:.80}")
    keys = listed([str(key) for key in data], 5) if isinstance(data, Mapping) else kind_of(data)
    raise DataError(f"expected a heatmap, map or levels of CoinGlass or Hyblock, found {keys}")


def export(
    heatmap: Heatmap,
    path: str | os.PathLike[str] | None = None,
    *,
    shape: str = "coinglass-v4",
    what: str = "heatmap",
    ts: Time | None = None,
    threshold: float | str | None = None,
) -> dict[str, Any]:
    """
    Return a heatmap, its map or its zones in the shape of a commercial map's answer; and write it.

    Parameters
    ----------
    heatmap : Heatmap
    path : path, optional
        Where to write it as JSON; it appears whole or not at all.
    shape : {"coinglass-v4", "coinglass-v3", "hyblock"}
    what : {"heatmap", "map", "zones"}
        Zones are CoinGlass's max pain (the largest level of each side), or ranges of prices in Hyblock's shape.
    ts : int, str, datetime or datetime64, optional
        Of maps and zones: what was known then; after the last column if left out.
    threshold : float or str, optional
        Of zones: see `Heatmap.zones`.

    Returns
    -------
    dict
        JSON values. Under "liqcore" it says what the shape has no place for: unit, meaning, model, venue, version,
        that it is an estimate, and sides where the price does not tell them.

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule, or there is no column.

    Notes
    -----
    Amounts are USD on the scale that `meta["meaning"]` names, times seconds (CoinGlass) or milliseconds (Hyblock).

    Examples
    --------
    >>> import liqcore as lq
    >>> hm = lq.heatmap(trades=lq.simulate(days=0.1, trades_per_day=40_000).trades)
    >>> list(lq.export(hm)["data"])
    ['y_axis', 'liquidation_leverage_data', 'price_candlesticks', 'liqcore']
    """
    for name, value, known in (("shape", shape, SHAPES), ("what", what, WHAT)):
        if value not in known:
            raise InvalidConfigError(f"{name} must be one of {known}, was {value!r}")
    if shape == "coinglass-v3" and what != "heatmap":
        raise InvalidConfigError(f'what must be "heatmap" in the shape coinglass-v3, was {what!r}')
    if not len(heatmap.times) or not len(heatmap.prices):
        raise InvalidConfigError("heatmap must have a column and a level, had none")
    view = heatmap.select(unit="usd")
    column = view._shown.column_at(ts)
    answer = _answer(view, column, shape, what, ts, threshold)
    if path is not None:
        with write_whole(path) as file:
            file.write(json.dumps(answer, separators=(",", ":"), allow_nan=False).encode())
    return answer


def _answer(
    view: Heatmap, column: int, shape: str, what: str, ts: Time | None, threshold: float | str | None
) -> dict[str, Any]:
    own = _own(view, column)
    if what == "zones":
        if shape == "hyblock":
            return hyblock.zones_answer(view.zones(ts, threshold=threshold), decimals_of(view.step), own)
        now = view.map(ts)
        clusters = {side: now.largest(side) for side in ("long", "short")}
        largest = {side: (found.value, found.price) if found else None for side, found in clusters.items()}
        return coinglass.zones_answer(str(view.meta.get("symbol") or ""), now.price, largest) | {SAID: own}
    cells = Cells.of(view, column)
    if what == "map":
        return hyblock.map_answer(cells, own) if shape == "hyblock" else coinglass.map_answer(cells, own)
    return hyblock.heatmap_answer(cells, own) if shape == "hyblock" else coinglass.heatmap_answer(cells, own, shape)


def _own(view: Heatmap, column: int) -> dict[str, Any]:
    """What no vendor's shape has a place for."""
    meta = view.meta
    price = view._shown.price_after(column)
    own: dict[str, Any] = {
        name: meta[name] for name in ("symbol", "venue", "model", "meaning", "version") if meta.get(name)
    }
    return {
        **own,
        "unit": "usd",
        "is": "an estimate, not a record of positions",
        "synthetic": bool(meta.get("synthetic")),
        "time_ns": view._shown.end_of(column),
        "window_ns": view.window_ns,
        "step": view.step,
        **({"price": price} if price == price else {}),
    }
