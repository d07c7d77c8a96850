"""Heatmaps of files that grow or are written anew, one each time they have changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence

from ..config.build import selection_of
from ..config.config import Config
from ..errors import LiqcoreError
from ..history.shown import ARCHIVE_KEY
from ..sources.text import find_files
from ..tables.archive import is_saved
from ..views.heatmap import Heatmap
from ..views.saved import load_heatmap
from .heatmap import heatmap
from .trades import PathLike

__all__ = ["snapshots"]


def snapshots(
    paths: Sequence[PathLike],
    *,
    config: Config,
    every_s: float = 2.0,
    load: Callable[[PathLike], Heatmap] | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Heatmap]:
    """
    Yield the heatmap of files, and again whenever they have changed: what there is to watch, from whatever source.

    Each is made anew from the whole of the files, as `liqcore.heatmap` would, so that it is right whatever was written;
    the wait between two is at least as long as making one took. A file that cannot be read the second time (half of it
    may be written) is tried again; the first time it is an error.

    Parameters
    ----------
    paths : sequence of paths or patterns
        One saved heatmap, or files of trades; a pattern may match more of them later.
    config : Config
    every_s : float
        How often to look, seconds.
    load : callable, optional
        How a saved heatmap is read; by default as the configuration shows it.
    sleep : callable, optional
        What waits so many seconds.

    Raises
    ------
    DataError, InvalidConfigError, OSError
        As `liqcore.heatmap`, and, where a file is gone.
    """
    seen: tuple[tuple[str, int, int], ...] | None = None
    spent = 0.0
    while True:
        now = _state(paths)
        if now != seen:
            started = time.monotonic()
            try:
                made = _heatmap_of(paths, config, load)
            except LiqcoreError:
                if seen is None:
                    raise
            else:
                seen = now
                yield made
            spent = time.monotonic() - started
        sleep(max(every_s, spent))


def _state(paths: Sequence[PathLike]) -> tuple[tuple[str, int, int], ...]:
    """Name, length and time of each file."""
    found = ((os.fspath(file), os.stat(file)) for file in find_files(paths))
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


def _heatmap_of(paths: Sequence[PathLike], config: Config, load: Callable[[PathLike], Heatmap] | None) -> Heatmap:
    if len(paths) == 1 and is_saved(paths[0], ARCHIVE_KEY):
        return load(paths[0]) if load else load_heatmap(paths[0]).select(**selection_of(config))
    return heatmap(paths, config=config)
