"""What a strategy reads off a live engine: a row of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _core

__all__ = ["REACHES", "FeatureReader"]

REACHES = (0.5, 1.0, 2.0, 5.0)
"""Default reaches, percent of the price."""


class FeatureReader(_core.FeatureReader):
    """
    Reads an engine's features as a row of numbers; `liqcore.features` has the same of whole recordings, bit for bit.

    docs/how-to/features.md says what each means. It keeps memory of its own, so that reading again allocates nothing
    unless the book has become wider or has more zones than ever before. A reader may read any number of engines, one
    after the other.

    Parameters
    ----------
    reaches : sequence of float, default (0.5, 1, 2, 5)
        Percent of the price, rising, above 0 and below 100; at most 64.
    bins_per_row : int, default 5
        Book bins in a row of a zone; 5 is also the default height of a heatmap's rows.
    zone_percentile : float, default 90
        Of the rows of both sides that hold something: from it on they are part of a zone. 0 to 100.
    density_percent : float, default 1
        Half-width of the density's kernel, percent of the price; above 0 and below 100.

    Attributes
    ----------
    names : tuple of str
        Of the columns, in order.

    Raises
    ------
    InvalidConfigError
        If a number is out of its range, or `reaches` do not rise.

    Examples
    --------
    >>> import numpy as np
    >>> import liqcore as lq
    >>> reader = lq.FeatureReader(reaches=(1, 12))
    >>> eng = lq.Engine(lq.Instrument(symbol="X", tick_size=1, lot_size=1), leverage={10: 1.0}, half_life=None)
    >>> row = reader.read(eng)  # before the first price everything is NaN
    >>> bool(np.isnan(row).all())
    True
    >>> _ = eng.trade(0, 1_000.0, 5.0, False)  # opens 5 long
    >>> reader.read(eng, out=row) is row
    True
    >>> now = dict(zip(reader.names, row.tolist()))
    >>> now["price"], now["long_usd_1pct"], now["long_usd_12pct"], now["long_zone_low"], now["imbalance"]
    (1000.0, 0.0, 4522.5, 900.0, -1.0)
    """

    def __init__(
        self,
        *,
        reaches: Sequence[float] = REACHES,
        bins_per_row: int = _core.DEFAULT_BINS_PER_ROW,
        zone_percentile: float = 90.0,
        density_percent: float = 1.0,
    ) -> None:
        super().__init__(
            reaches=[float(reach) for reach in reaches],
            bins_per_row=bins_per_row,
            zone_percentile=zone_percentile,
            density_percent=density_percent,
        )
