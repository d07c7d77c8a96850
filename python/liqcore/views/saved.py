"""Heatmaps read back from their files."""

from __future__ import annotations

import os

from ..history.one import OneHistory
from ..history.shown import ARCHIVE_KEY
from ..history.venues import Venues
from ..history.view import View
from ..tables.archive import read_archive
from .heatmap import Heatmap
from .merged import MergedHeatmap

__all__ = ["load_heatmap"]


def load_heatmap(path: str | os.PathLike[str]) -> Heatmap:
    """
    Read a heatmap that `Heatmap.save` wrote.

    Raises
    ------
    DataError
        If the file is not one.
    """
    header, parts = read_archive(path, ARCHIVE_KEY, "a heatmap")
    view = View(**header["view"] | {"tiers": tuple(header["view"]["tiers"])})
    if "venues" in header:
        return MergedHeatmap(Venues.from_saved(header, parts), view, header["meta"])
    [(history, leverage)] = parts
    one = OneHistory(history, leverage, header["complete"], header["meta"].get("instrument"))
    return Heatmap(one, view, header["meta"])
