"""Trades summed into footprints once, to make several heatmaps of."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core
from .._core import Instrument
from ..config.arguments import override
from ..config.config import Config
from ..errors import InvalidConfigError
from ..sources.losses import Losses
from ..tables.footprint_stream import FootprintStream
from ..words.times import Length, parse_duration
from .gaps import gap_note
from .prices import Watch, price_notes
from .run import finer_grid, first_grid, grid_notes, refuse_off_grid
from .side_streams import SideStreams
from .terms import settle_terms
from .trades import Files, Memory, PathLike, Progress, none_used, paths_of, trades_of


def footprints(
    paths: PathLike | Sequence[PathLike] | None = None,
    *,
    trades: Any = None,
    instrument: Instrument | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    contract: str | None = None,
    multiplier: float | None = None,
    span_bps: float = 5.0,
    cut: Length = "1m",
    marks: Any = None,
    outlier: float | None = None,
    on_redenomination: str | None = None,
    progress: Progress | None = None,
) -> FootprintStream:
    """
    Sum trades into footprints once, to make heatmaps of other tiers or price axes without reading the trades again.

    Give the result to `liqcore.heatmap` or `Engine.replay`, in memory or saved. What comes out has the same bits as
    from the trades, or is refused with the reason: a tier whose liquidation price comes as near as the prices of a run
    span would need the order of its trades. With the default of 5 basis points that are tiers within some 6 basis
    points of being liquidated at entry.

    Parameters
    ----------
    paths, trades, instrument, symbol, venue, contract, multiplier, outlier, on_redenomination, progress
        As for `liqcore.heatmap`: outliers are in no run, and a stream begins where
        the book does. The stream keeps the tick and lot size, contract and multiplier.
    span_bps : float, default 5
        How far a run's prices may span, basis points of its first price. At most 2,047 ticks in any case.
    cut : duration, default "1m"
        Runs end at multiples of this since the UNIX epoch; windows must be multiples of it.
    marks : path or paths, or object with an array ts, optional
        Mark prices, at whose times runs end too: needed for the trigger "mark".

    Returns
    -------
    FootprintStream

    Raises
    ------
    DataError
        If a file cannot be used, no trade can be used, or over 5 % of the trades are off the tick grid.
    InvalidConfigError
        If an argument breaks its rule.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
    >>> stream = lq.footprints(trades=market.trades, symbol="SIM")
    >>> stream.trades.sum() == len(market.trades)
    np.True_
    >>> ten, five = (lq.heatmap(trades=stream, leverage={tier: 1.0}, step=50) for tier in (10, 5))
    """
    paths = paths_of(paths)
    trades = trades_of(trades)
    if (paths is None) == (trades is None) or isinstance(trades, FootprintStream):
        raise InvalidConfigError("either paths or trades must be given, and no footprints")
    config = override(
        Config(),
        instrument=instrument,
        symbol=symbol,
        venue=venue,
        contract=contract,
        multiplier=multiplier,
        outlier=outlier,
        on_redenomination=on_redenomination,
    )
    source = Files(paths, config, progress, True) if paths is not None else Memory(trades, None, progress)
    terms = settle_terms(config, source)
    given = terms.config.instrument
    tick_size, lot_size = first_grid(source, config.instrument, given)
    ends = None
    if (at := SideStreams(config, marks).marks) is not None:
        ends = np.unique(np.ascontiguousarray(at[0]).view(np.int64))
    cut_ns = parse_duration(cut, name="cut")
    since = None
    while True:
        builder = _core.FootprintBuilder(
            tick_size=tick_size,
            lot_size=lot_size,
            span_bps=span_bps,
            cut_ns=cut_ns,
            ends=ends,
            outlier=config.source.outlier,
        )
        watch, anew = Watch(config.source.redenomination, since), None
        for batch in watch.batches(source):
            builder.trades(*batch)
            if anew := watch.see(batch[0], builder):
                break
        seen = builder.outliers, builder.price_jumps
        native = builder.finish()
        finer = finer_grid(source, native, tick_size, lot_size)
        if finer != (tick_size, lot_size):
            since = None
            tick_size, lot_size = finer
        elif anew is None:
            break
        else:
            since = anew
    refuse_off_grid(tick_size, native.rejected["off_grid"], native.trade_count + sum(native.rejected.values()))
    lost = Losses(native.rejected, native.trade_count + sum(native.rejected.values()), source.nothing)
    if len(native):
        lost.refuse("the engine", {})
    notes = [f"{entry['name']}: {entry['lost']}" for entry in source.inputs() if entry.get("lost")]
    notes += terms.notes + grid_notes(given.tick_size, config.instrument.lot_size, tick_size, lot_size)
    if since is not None:
        notes.append(since.note(watch.dropped))
    notes += price_notes(*seen, native.rejected["outlier"])
    if note := gap_note(*watch.gaps.found()):
        notes.append(note)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    if not len(native):
        raise none_used("footprints", source.inputs(), native)
    return FootprintStream(
        native,
        symbol=given.symbol or source.symbol or "",
        venue=given.venue or "",
        contract=given.contract,
        multiplier=given.multiplier,
        inputs=source.inputs(),
        outliers=seen[0],
        begins_anew=watch.begins_anew(),
    )
