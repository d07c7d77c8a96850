"""What other threads read of an engine while it is being fed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .feature_reader import REACHES

__all__ = ["Publisher", "Row"]


class Row(NamedTuple):
    """
    Features of one instant, as `Publisher.row` reads them.

    Attributes
    ----------
    sequence : int
        1 for the first row, rising by one; 0 where nothing is published yet.
    clock : int or None
        The engine's clock, ns.
    values : ndarray of float64, read-only
        By `Publisher.names`.
    """

    sequence: int
    clock: int | None
    values: NDArray[np.float64]


class Publisher(_core.Publisher):
    """
    Publishes an engine's features and snapshots of it, for other threads to read while the engine is being fed.

    `Engine.publish_to` attaches it. Windows' ends publish by themselves: once for those that one event ends, after the
    callback, and what is published is what `Engine.advance` to the end of the last of them would leave. `publish` and
    `publish_row` publish this moment, on the thread that feeds; `ask` asks for it from any other. Nobody waits for
    anybody: docs/how-to/threads.md has the rules and the costs.

    Parameters
    ----------
    reaches, bins_per_row, zone_percentile, density_percent
        As of `FeatureReader`.
    snapshot_at_window_end : bool, default True
        Otherwise a window's end publishes a row alone.

    Attributes
    ----------
    names : tuple of str
        Of the numbers in a row, in order.

    Raises
    ------
    InvalidConfigError
        If a number is out of its range, or `reaches` do not rise.

    Examples
    --------
    >>> import liqcore as lq
    >>> eng = lq.Engine(lq.Instrument(symbol="X", tick_size=1, lot_size=1), leverage={10: 1.0}, half_life=None)
    >>> pub = lq.Publisher()
    >>> eng.publish_to(pub)
    >>> _ = eng.trade(0, 1_000.0, 5.0, False)
    >>> eng.advance(600_000_000_000)  # two windows have ended
    >>> row, snapshot = pub.row(), pub.snapshot()  # on any thread
    >>> row.sequence, row.clock, dict(zip(pub.names, row.values.tolist()))["price"]
    (2, 600000000000, 1000.0)
    >>> snapshot.sequence, float(snapshot.levels("long").sum())
    (2, 5.0)
    """

    def __init__(
        self,
        *,
        reaches: Sequence[float] = REACHES,
        bins_per_row: int = _core.DEFAULT_BINS_PER_ROW,
        zone_percentile: float = 90.0,
        density_percent: float = 1.0,
        snapshot_at_window_end: bool = True,
    ) -> None:
        super().__init__(
            reaches=[float(reach) for reach in reaches],
            bins_per_row=bins_per_row,
            zone_percentile=zone_percentile,
            density_percent=density_percent,
            snapshot_at_window_end=snapshot_at_window_end,
        )

    def row(self) -> Row:
        """Read the latest row, on any thread; all NaN where nothing is published yet."""
        return Row(*self._row())
