"""What is shown as tables and arrays of other libraries."""

from __future__ import annotations

import json
from typing import Any

from ..history.candles import CANDLE
from ..history.shown import Shown
from ..tables.arrow import Exported


def arrow_columns(shown: Shown, *, with_open_interest: bool) -> Exported:
    """A row for each column of the heatmap: see `Heatmap`."""
    columns = {"time": shown.times.view("datetime64[ns]")}
    columns |= {name: shown.candles[name] for name in CANDLE.names or ()}
    if with_open_interest:
        columns["open_interest"] = shown.open_interest
    longs, shorts, _ = shown.cells
    columns |= {"complete": shown.complete, "long": longs, "short": shorts, "liquidated": shown.liquidated}
    metadata = {
        "prices": json.dumps(shown.prices.tolist()),
        "step": repr(shown.step),
        "window_ns": str(shown.window_ns),
        "unit": shown.view.unit,
    }
    metadata |= {name: str(shown.meta[name]) for name in ("symbol", "venue", "version") if shown.meta.get(name)}
    return columns, metadata


def xarray_dataset(shown: Shown) -> Any:
    """`Heatmap.to_xarray`."""
    try:
        import xarray
    except ImportError:
        raise ImportError("to_xarray() needs xarray: pip install xarray") from None
    longs, shorts, _ = shown.cells
    arrays = {"long": longs, "short": shorts, "liquidated": shown.liquidated}
    return xarray.Dataset(
        {name: (("time", "price"), array) for name, array in arrays.items()},
        coords={"time": shown.times.astype("datetime64[ns]"), "price": shown.prices},
        attrs={"unit": shown.view.unit, "step": shown.step, **{k: shown.meta[k] for k in ("symbol", "venue", "model")}},
    )
