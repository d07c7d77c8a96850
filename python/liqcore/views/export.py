"""What is shown as tables and arrays of other libraries."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..config.build import saved_look
from ..history.candles import CANDLE
from ..history.shown import Shown
from ..tables.arrow import ArrowTable, Exported
from ..tables.frames import Columns, Tabular, amount_decimals, csv_or, decimals_of, package
from .notebook import Pictured, Target, is_page


class Exports(Pictured, Tabular, ArrowTable):
    """What a heatmap becomes outside: a picture, a file, a table, arrays of other libraries."""

    _shown: Shown

    @property
    def venues(self) -> tuple[str, ...]:
        """Names of the venues it shows."""
        raise NotImplementedError

    def render(self, path: Target = None, **options: Any) -> Any:
        """
        Draw it to a file, such as "x.png", or a binary file that is open; without one, return the picture as bytes.

        `liqcore.render.RenderOptions` lists the options, `liqcore.render.render` says what is returned. What is not
        given is as the configuration of the result has it, else as usual.
        """
        from ..render import render

        return render(cast(Any, self), path, **(saved_look(self._shown.meta) | options))

    def figure(self, **options: Any) -> Any:
        """
        Return the picture as a figure of matplotlib, to edit: `liqcore.render.figure`; options as for `render`.

        Raises
        ------
        LiqcoreError
            If matplotlib is not installed (``liqcore[figures]``).
        """
        from ..render import RenderOptions, figure

        return figure(cast(Any, self), RenderOptions(**(saved_look(self._shown.meta) | options)))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Save it as one file that appears whole or not at all.

        Parameters
        ----------
        path : path
            ``.parquet``: all segments of all venues, the view and all metadata (docs/reference/archive.md), from which
            `load_heatmap` gives the same heatmap back, bit for bit. ``.csv``: the cells that are not empty, for
            spreadsheets; the columns of `to_pandas`. ``.html``: the page that `render` draws.

        Raises
        ------
        InvalidConfigError
            If it ends otherwise.
        """
        if is_page(path):
            return Path(self.render(path))
        if csv_or(path, ".parquet", ".html"):
            return self._save_csv(path)
        return self._shown.save(path)

    def _table(self) -> Exported:  # quantities of several venues need not count the same thing
        return arrow_columns(self._shown, with_open_interest=len(self.venues) < 2)

    def _columns(self) -> Columns:
        return cell_columns(self._shown)

    def to_xarray(self) -> Any:
        """Return an xarray Dataset (needs xarray) with long, short and liquidated over time and price."""
        return xarray_dataset(self._shown)


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


def cell_columns(shown: Shown) -> Columns:
    """A row for each cell that is not empty: see `Heatmap.to_pandas`."""
    longs, shorts, values = shown.cells
    gone = shown.liquidated
    at, rows = np.nonzero((values != 0) | (gone != 0))
    columns: dict[str, Any] = {
        "time": shown.times[at].view("datetime64[ns]"),
        "low": shown.edges[rows],
        "high": shown.edges[rows + 1],
        "long": longs[at, rows],
        "short": shorts[at, rows],
        "liquidated": gone[at, rows],
        "unit": [shown.view.unit] * len(at),
    }
    prices = dict.fromkeys(("low", "high"), decimals_of(shown.histories.tick_size))
    return Columns(columns, prices | dict.fromkeys(("long", "short", "liquidated"), amount_decimals(shown.view.unit)))


def said_in_attributes(meta: Mapping[str, Any]) -> dict[str, str]:
    """What attributes of other libraries' arrays say of where they come from."""
    return {name: str(meta[name]) for name in ("symbol", "venue", "model") if meta.get(name)}


def xarray_dataset(shown: Shown) -> Any:
    """`Heatmap.to_xarray`."""
    xarray = package("xarray", "to_xarray()")
    longs, shorts, _ = shown.cells
    arrays = {"long": longs, "short": shorts, "liquidated": shown.liquidated}
    return xarray.Dataset(
        {name: (("time", "price"), array) for name, array in arrays.items()},
        coords={"time": shown.times.astype("datetime64[ns]"), "price": shown.prices},
        attrs={"unit": shown.view.unit, "step": shown.step, **said_in_attributes(shown.meta)},
    )
