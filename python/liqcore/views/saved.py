"""Heatmaps read back from their files."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import DataError
from ..history.one import OneHistory
from ..history.scales import Scales
from ..history.shown import ARCHIVE_KEY
from ..history.venues import Venues
from ..history.view import saved_view
from ..tables.archive import NO_CHECKSUM, NO_CHECKSUM_KEY, NOT_AS_SAID, read_archive, why
from .heatmap import Heatmap
from .merged import MergedHeatmap

__all__ = ["load_heatmap"]


def load_heatmap(path: str | os.PathLike[str], *, verify: str = "all") -> Heatmap:
    """
    Read a heatmap that `Heatmap.save` wrote.

    Parameters
    ----------
    path : path
    verify : {"all", "header"}
        How much of the file is compared with its checksums: everything, or all but the columns, which takes a tenth of
        a second less for each 300 MB. Files of liqcore 0.1.0 carry none; ``meta["no_checksum"]`` says so then.

    Raises
    ------
    DataError
        If the file is not one, or is damaged: the message names the part.
    """
    header, parts = read_archive(path, ARCHIVE_KEY, "a heatmap", verify=verify)
    try:
        meta = dict(header["meta"])
        if not header["sealed"]:
            meta[NO_CHECKSUM_KEY] = NO_CHECKSUM.format(Path(path).name)
        if "venues" in header:
            venues = Venues.from_saved(header, parts)
            return MergedHeatmap(venues, saved_view(header["view"], venues), meta)
        [(history, leverage)] = parts
        scales = Scales.from_plain(header["scales"]) if "scales" in header else None
        one = OneHistory(history, leverage, bool(header["complete"]), meta.get("instrument"), scales)
        return Heatmap(one, saved_view(header["view"], one), meta)
    except NOT_AS_SAID as error:
        raise DataError(f"{path}: expected a heatmap saved by liqcore, found that {why(error)}") from None
