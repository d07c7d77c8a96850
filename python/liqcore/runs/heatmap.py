"""The main job: from trade files to a heatmap, in one call."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import Instrument, LeverageProfile, PriceAxis, Stats
from ..config.arguments import given, override
from ..config.build import fitted_of, selection_of
from ..config.config import Config
from ..config.limits import limits_of
from ..engine.engine import Engine
from ..errors import InvalidConfigError
from ..history.one import OneHistory
from ..history.spread import spread_of
from ..history.view import whole_view
from ..market.fitted import FittedProfile
from ..market.leverage import HalfLives, Shares
from ..sources.positions import Positions
from ..views.heatmap import Heatmap
from ..words.limits import limited
from ..words.times import Length, Time, parse_duration, to_ns
from .gaps import DAY_NS
from .positions import MODEL, begin_with, positions_heatmap, positions_of, refuse_without
from .prices import Since, Watch
from .room import Room
from .run import consume, feed_all
from .side_streams import SideStreams
from .trades import PathLike, Progress, Source, none_used, open_source


def heatmap(
    paths: PathLike | Sequence[PathLike] | None = None,
    *,
    trades: Any = None,
    instrument: Instrument | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    contract: str | None = None,
    multiplier: float | None = None,
    leverage: LeverageProfile | Shares | str | None = None,
    axis: PriceAxis | None = None,
    axis_limit: int | None = None,
    window: Length | None = None,
    step: float | None = None,
    model: str | None = None,
    trigger: str | None = None,
    maker_share: float | None = None,
    half_life: Length | HalfLives | None = "config",
    taker_tilt: float | None = None,
    churn: float | None = None,
    event_threshold: float | None = None,
    reconciled: bool | None = None,
    candle_price: str | None = None,
    exponent: float | None = None,
    marks: Any = None,
    open_interest: Any = None,
    candles: Any = None,
    positions: Any = None,
    outlier: float | None = None,
    on_redenomination: str | None = None,
    warmup: Length | None = None,
    start: Time | None = None,
    end: Time | None = None,
    last: Length | None = None,
    opened_within: Length | None = None,
    side: str | None = None,
    threshold: float | str | None = None,
    value: str | None = None,
    config: Config | PathLike | None = None,
    progress: Progress | None = None,
    prefetch: bool = True,
    threads: int = 1,
) -> Heatmap:
    """
    Make a liquidation heatmap from trade files, in one call.

    Every argument that is given goes before the configuration; what neither says is found out from the data: symbol,
    tick and lot size from the files, the price bins from the first price. The resolved configuration, its hash and the
    counts of every file are in the result's ``meta``.

    Parameters
    ----------
    paths : path, glob pattern or sequence of those, optional
        Trade files in any order and any format that `liqcore.read_trades` knows; or one file of footprints.
    trades : TradeBatch, tuple of arrays (ts, price, qty, taker_sell), Arrow table or FootprintStream, optional
        Trades in memory instead of files, sorted by time (tables of pyarrow, polars, pandas or duckdb are read whole:
        docs/how-to/arrow.md); or footprints, from which another tier set or axis takes a
        fraction of the time (see `liqcore.footprints`).
    instrument : Instrument, optional
        Grid, contract and margin terms. Where the files show a finer grid, that is used, with a warning.
    symbol, venue : str, optional
        The symbol also chooses from files that hold several. Both must be in the catalogue (`liqcore.venues`), in
        whatever case and with whatever signs, unless margin terms are given; grid, margin rate and maximum leverage
        come from there, as they were at the time of the data, or at the nearest that is known, with a warning. Without
        them margin terms are those of the venue whose layout the files have, if it lists their symbol.
    contract : {"linear", "inverse"}, optional
    multiplier : float, optional
        What one unit of quantity is: base currency in one (linear) or USD in one (inverse). By default what amounts
        in the rows say, else the files' layout, else the catalogue; docs/reference/formats.md has the rules.
    leverage : LeverageProfile, mapping or str, optional
        Tiers and shares, or a preset's name. By default "auto" where the venue is known (no tier above the highest
        leverage that the market offers, and that one in their place), else "default".
    axis : PriceAxis, optional
        A fixed axis for the book.
    window : duration, optional
        Length of a column; "5m" by default.
    axis_limit : int, optional
        Where an axis that grows ends, as for `Engine`.
    step : float, optional
        Height of the picture's rows, price; about four basis points by default. The book's own bins are finer.
    model, trigger, maker_share, half_life, taker_tilt, churn, event_threshold, reconciled, candle_price, exponent, \
optional
        As for `Engine`. The model is "oi" where open interest is given, otherwise "flow"; ``meta["model_chosen"]`` says
        why. The trigger is "candle" with the model "vendor", "mark" where mark prices are given, otherwise "last".
    marks : path or paths, Arrow table, or object with arrays ts and price, optional
        Mark prices. Those outside the span of the trades are left out.
    open_interest : path or paths, Arrow table, or object with arrays ts and quantity, optional
        Open interest, one side counted, in the unit of the trades' quantities (`liqcore.read_open_interest`). Each
        sample acts when it was known; those outside the span of the trades are left out. A model that does not use it
        leaves it to `Heatmap.open_interest`.
    candles : path or paths, Arrow table, or Candles, optional
        In place of trades; or, with trades and ``trigger="candle"``, as what liquidates (their volumes are left out).
    positions : path or paths, or Positions, optional
        Snapshots of real positions (`liqcore.read_positions`). Without a model, or with the model "positions", they are
        the map: levels as each snapshot has them, consumed by the price of trades or candles, if there are any, until
        the next; amounts are the positions' USD at their levels. With another model its book begins with the last
        snapshot before its first window, and that model goes on.
    outlier : float, optional
        How far a price may lie from the one before it, as a share of it, before it is left out as an outlier until
        others agree: 0.1 by default (docs/theory/ticks.md). 0: every price is believed.
    on_redenomination : {"restart", "keep", "refuse"}, optional
        What a lasting jump of the price by a round factor does (10, 100, ...; across a gap also 2, 3, 4, 5, 8): begin
        the book anew there, the default; keep the levels of before; or a DataError. Either way a warning names it. It
        is seen among outliers, so not with ``outlier=0``.
    warmup : duration, optional
        Length of data that fills the book before the first column.
    start, end : int, str, date, datetime or datetime64, optional
        Show only columns that begin at `start` or later, and have ended by `end`: `Heatmap.select`.
    last : duration, optional
        Show only the columns of the last "24h", "3d", ...
    opened_within : duration, optional
        Show only levels opened in the last "24h", ... of each column's time: `Heatmap.select`.
    side : {"both", "long", "short"}, optional
        Show only positions of one side.
    threshold : float or str, optional
        Show what is below it as 0: a share of the maximum (0 to 1, "5%"), an amount above 1 (USD, "10M"), or a
        percentile ("p95").
    value : {"level", "entry"}, optional
        At which price USD are reckoned: `Heatmap.select`.
    config : Config or path, optional
        A configuration, a TOML file, or a saved result to repeat.
    progress : callable, optional
        Called as ``progress(done_bytes, total_bytes, rows)``.
    prefetch : bool
        Unpack files in one thread, a piece ahead of the engine; it has ended when this returns or raises. False:
        no thread is started. The result is the same.
    threads : int
        Threads of the engine, as for `Engine`. The result is the same.

    Returns
    -------
    Heatmap

    Raises
    ------
    DataError
        If a file cannot be used or is of a quanto contract, no trade can be used, open interest is of another time, or
        over 5 % of the trades are off the tick grid; the message has the counts.
    InvalidConfigError
        If a setting breaks its rule, a venue or symbol is not in the catalogue, quantities are contracts of a size that
        nothing says, the result would not be exact from footprints (see `Engine.replay`), or its columns would not fit
        the memory that is left (said with the estimate, before the trades are fed).

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
    >>> hm = lq.heatmap(trades=market.trades, symbol="SIM", window="1m", leverage={10: 0.5, 50: 0.5})
    >>> hm.values.shape == (len(hm.times), len(hm.prices)) and hm.meta["symbol"]
    'SIM'
    """
    arguments = given(locals())
    config = Config() if config is None else config if isinstance(config, Config) else Config.load(config)
    config = override(config, **arguments)
    with limited(limits_of(config)):
        beside = (marks, open_interest, candles)
        fitted = leverage if isinstance(leverage, FittedProfile) else None
        return _made(
            paths, trades, config, beside, positions, fitted, progress=progress, prefetch=prefetch, threads=threads
        )


def heatmap_of_files(
    paths: Sequence[PathLike] | None,
    *,
    config: Config,
    progress: Progress | None = None,
    threads: int = 1,
) -> Heatmap:
    """As `heatmap`, with a configuration that is settled."""
    return _made(paths, None, config, (None,) * 3, None, None, progress=progress, prefetch=True, threads=threads)


def _made(
    paths: PathLike | Sequence[PathLike] | None,
    trades: Any,
    config: Config,
    beside: tuple[Any, Any, Any],
    positions: Any,
    fitted: FittedProfile | None,
    *,
    progress: Progress | None,
    prefetch: bool,
    threads: int,
) -> Heatmap:
    """Make a heatmap by the model that is asked for; `beside` are marks, open interest and candles."""
    found = positions_of(positions, config)
    real = found is not None and config.model.name in (None, MODEL)
    if not real:
        refuse_without(config)
    if found is not None and real and paths is None and trades is None:
        return positions_heatmap(found, None, config, SideStreams(config, *beside))
    source, config, streams = open_source(paths, trades, config, *beside, progress=progress, prefetch=prefetch)
    if found is not None and real:
        return positions_heatmap(found, source, config, streams)
    return _run(source, config, streams, threads, found, fitted)


def _run(
    source: Source,
    config: Config,
    streams: SideStreams,
    threads: int,
    found: Positions | None,
    fitted: FittedProfile | None,
) -> Heatmap:
    def feed(engine: Engine, _: Config, watch: Watch) -> Since | None:
        room = Room(engine.window_ns, source.first_ts if watch.since is None else watch.since.ts)
        return feed_all(engine, source, streams, watch, room.check)

    run = consume(source, config, streams, feed, threads=threads)
    engine, settled, notes = run.engine, run.config, run.notes
    notes += _range_notes(engine, engine.stats)
    history, unfinished = engine._history(True)
    if history is not None:
        notes += streams.notes(
            engine.instrument,
            source.symbol,
            source.first_ts,
            source.first_price,
            start_ns=int(history.times()[0]),
            end_ns=engine.clock or 0,
            traded=float(np.nansum(history.candles()[:, 4:])),
        )
        needed = {
            "open interest": settled.model.name in ("oi", "blend") or engine.reconciled,
            "marks": engine.trigger == "mark",
        }
        run.meta["missing"] = streams.missing(needed, int(history.times()[0]), engine.clock or 0)
    if history is None:
        raise none_used("a heatmap", run.meta["inputs"], engine.stats)
    for note in notes:
        warnings.warn(note, stacklevel=3)
    if settled.leverage.fitted is not None:
        profile = fitted if fitted is not None else fitted_of(settled)
        run.meta.update(spread_of(profile))
        if profile is not None:
            run.meta["meaning"] += _dated(profile, engine.clock or 0)
    first = 0
    if settled.window.warmup is not None:
        first = -(-parse_duration(settled.window.warmup, name="warmup") // engine.window_ns)
        if first >= len(history):
            raise InvalidConfigError(
                f"warmup must be shorter than the data ({len(history)} windows of {settled.window.length}), "
                f"was {settled.window.warmup}"
            )
    one = OneHistory(history, engine.leverage, not unfinished, run.meta["instrument"])
    result = Heatmap(one, whole_view(one, step=settled.axis.step, first=int(first)), run.meta)
    if found is not None:
        result = begin_with(result, found)
    return result.select(**selection_of(settled))


def _dated(profile: FittedProfile, end_ns: int) -> str:
    """Say of which date USD are that no live scale keeps, where the data reach a day or more beyond that."""
    days = (end_ns - to_ns(profile.until)) // DAY_NS - 1  # of the last day fitted, the end
    return f"; USD of {profile.until}, {days}d before the end of the data" if days >= 1 else ""


def _range_notes(engine: Engine, stats: Stats) -> list[str]:
    """Say which range a fixed axis would have needed."""
    below, above = float(stats.underflow.sum()), float(stats.overflow.sum())
    axis = engine.axis
    if not (below or above) or axis is None:
        return []
    history, _ = engine._history(True)
    if history is None:
        return []
    candles = history.candles()
    low, high = float(np.nanmin(candles[:, 2])), float(np.nanmax(candles[:, 1]))
    margin, contract = engine.instrument.margin, engine.instrument.contract
    tiers = engine.leverage.tiers
    factors = np.array([margin.level_factor(side, contract, tier) for side in ("long", "short") for tier in tiers])
    need_low = math.floor(low * float(np.nanmin(factors)) / axis.step) * axis.step
    need_high = math.ceil(high * float(np.nanmax(factors)) / axis.step) * axis.step + axis.step
    share = (below + above) / max(float(stats.opened.sum()), 1.0)
    return [
        f"{share:.1%} of the levels lie outside the axis {axis.low:g} to {axis.high:g} (counted as underflow or "
        f"overflow, not shown): low={max(need_low, 0):g}, high={need_high:g} would hold all"
    ]
