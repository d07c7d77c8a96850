"""The main jobs: from trade files to a heatmap, or to footprints that make several."""

from __future__ import annotations

import math
import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core, arrow
from ._core import Instrument, LeverageProfile, PriceAxis, Stats
from .batch import TradeBatch
from .beside import Beside
from .config import Config
from .durations import parse_duration
from .engine import Duration, Engine, as_profile, axis_of, describe, instrument_of, profile_of
from .errors import DataError, InvalidConfigError
from .footprint_stream import FootprintStream, is_footprints, load_footprints
from .result import DEFAULT_BINS_PER_ROW, Heatmap

if TYPE_CHECKING:
    from .sources import FileReport

Progress = Callable[[int, int, int], object]
PathLike = str | os.PathLike[str]

BOOK_STEP_SHARE = 1e-4  # of the first price: the width of a book bin to aim at
OFF_GRID_LIMIT = 0.05
BATCH_ROWS = 1_000_000
SCANNED_FILES = 4  # a head can be a third of its file; what only other files show is found while reading
DAY_NS = 86_400_000_000_000


def heatmap(
    paths: PathLike | Sequence[PathLike] | None = None,
    *,
    trades: Any = None,
    instrument: Instrument | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    leverage: LeverageProfile | Mapping[float, float] | str | None = None,
    axis: PriceAxis | None = None,
    window: Duration | None = None,
    step: float | None = None,
    model: str | None = None,
    trigger: str | None = None,
    maker_share: float | None = None,
    half_life: Duration | Mapping[float, Duration] | None = "config",
    taker_tilt: float | None = None,
    churn: float | None = None,
    event_threshold: float | None = None,
    reconciled: bool | None = None,
    marks: Any = None,
    open_interest: Any = None,
    candles: Any = None,
    warmup: Duration | None = None,
    last: Duration | None = None,
    opened_within: Duration | None = None,
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
        For the title; the symbol also chooses from files that hold several. Where both are in the catalogue
        (`liqcore.venues`) and no margin terms are given, contract, grid, margin rate and maximum leverage come from
        there, as they were at the time of the data.
    leverage : LeverageProfile, mapping or str, optional
        Tiers and shares, or a preset's name.
    axis : PriceAxis, optional
        A fixed axis for the book.
    window : duration, optional
        Length of a column; "5m" by default.
    step : float, optional
        Height of the picture's rows, price; about four basis points by default. The book's own bins are finer.
    model, trigger, maker_share, half_life, taker_tilt, churn, event_threshold, reconciled, optional
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
    warmup : duration, optional
        Length of data that fills the book before the first column.
    last : duration, optional
        Show only the columns of the last "24h", "3d", ...
    opened_within : duration, optional
        Show only levels opened in the last "24h", ... of each column's time: `Heatmap.select`.
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
        If a file cannot be used, or over 5 % of the trades are off the tick grid; the message has the counts.
    InvalidConfigError
        If a setting breaks its rule, or the result would not be exact from footprints (see `Engine.replay`).

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.05, trades_per_day=40_000)
    >>> hm = lq.heatmap(trades=market.trades, symbol="SIM", window="1m", leverage={10: 0.5, 50: 0.5})
    >>> hm.values.shape == (len(hm.times), len(hm.prices)) and hm.meta["symbol"]
    'SIM'
    """
    config = override(
        Config() if config is None else config if isinstance(config, Config) else Config.load(config),
        instrument=instrument,
        symbol=symbol,
        venue=venue,
        leverage=leverage,
        axis=axis,
        window=window,
        step=step,
        model=model,
        trigger=trigger,
        maker_share=maker_share,
        half_life=half_life,
        taker_tilt=taker_tilt,
        churn=churn,
        event_threshold=event_threshold,
        reconciled=reconciled,
        marks=marks,
        open_interest=open_interest,
        candles=candles,
        warmup=warmup,
        last=last,
        opened_within=opened_within,
    )
    source, config, beside = open_source(
        paths, trades, config, marks, open_interest, candles, progress=progress, prefetch=prefetch
    )
    return _run(source, config, beside, threads)


def footprints(
    paths: PathLike | Sequence[PathLike] | None = None,
    *,
    trades: Any = None,
    instrument: Instrument | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    span_bps: float = 5.0,
    cut: Duration = "1m",
    marks: Any = None,
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
    paths, trades, instrument, symbol, venue, progress
        As for `liqcore.heatmap`. The stream keeps the tick and lot size, contract and multiplier.
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
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    trades = _batch(trades)
    if (paths is None) == (trades is None) or isinstance(trades, FootprintStream):
        raise InvalidConfigError("either paths or trades must be given, and no footprints")
    config = override(Config(), instrument=instrument, symbol=symbol, venue=venue)
    source = _Files(list(paths), config, progress, True) if paths is not None else _Memory(trades, None, progress)
    config, _ = _from_catalogue(config, source.symbol, source.first_ts)
    given = config.instrument
    tick_size, lot_size = given.tick_size or source.tick_size, given.lot_size or source.lot_size
    ends = None
    if (at := Beside(config, marks).marks) is not None:
        ends = np.unique(np.ascontiguousarray(at[0]).view(np.int64))
    cut_ns = parse_duration(cut, name="cut")
    while True:
        builder = _core.FootprintBuilder(
            tick_size=tick_size, lot_size=lot_size, span_bps=span_bps, cut_ns=cut_ns, ends=ends
        )
        for batch in source.batches():
            builder.trades(*batch)
        native = builder.finish()
        finer = _finer(source, native, tick_size, lot_size)
        if finer == (tick_size, lot_size):
            break
        tick_size, lot_size = finer
    _judge(tick_size, native.rejected["off_grid"], native.trade_count + sum(native.rejected.values()))
    for note in _grid_notes(given.tick_size, given.lot_size, tick_size, lot_size):
        warnings.warn(note, stacklevel=2)
    if not len(native):
        raise DataError("expected trades to make footprints of, found none that could be used")
    return FootprintStream(
        native,
        symbol=given.symbol or source.symbol or "",
        venue=given.venue or "",
        contract=given.contract,
        multiplier=given.multiplier,
        inputs=source.inputs(),
    )


def open_source(
    paths: PathLike | Sequence[PathLike] | None,
    trades: Any,
    config: Config,
    marks: Any,
    open_interest: Any,
    candles: Any,
    *,
    progress: Progress | None,
    prefetch: bool,
) -> tuple[Source, Config, Beside]:
    """Return where trades come from, the configuration with what they say of themselves, and what goes with them."""
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    trades = _batch(trades)
    if paths is not None and trades is not None:
        raise InvalidConfigError("trades must not be given together with paths")
    if paths is not None and len(paths) == 1 and is_footprints(paths[0]):
        trades = load_footprints(paths[0])
        paths = None
    beside = Beside(config, marks, open_interest, candles)
    if not paths and trades is None and beside.candles is None:
        raise InvalidConfigError("paths, trades or candles must be given")
    if isinstance(trades, FootprintStream):
        source = Footprints(trades, progress)
        return source, source.named(config), beside
    files = _Files(list(paths), config, progress, prefetch) if paths else None
    return files or _Memory(trades, beside.candles, progress), config, beside


def _batch(trades: Any) -> Any:
    """Trades in memory as an object with columns, or footprints as they are."""
    if isinstance(trades, tuple | list) and len(trades) == 4:
        return TradeBatch(*trades)
    if arrow.is_table(trades):
        return arrow.read_trades(trades)
    columns = ("ts", "price", "qty", "taker_sell")
    if trades is None or isinstance(trades, FootprintStream) or all(hasattr(trades, name) for name in columns):
        return trades
    raise TypeError(
        "trades must be a TradeBatch, a tuple of arrays (ts, price, qty, taker_sell), an Arrow table or a "
        f"FootprintStream, was {type(trades).__name__}"
    )


# --- where trades come from --------------------------------------------------------------------------------------


def _from_catalogue(config: Config, symbol: str | None, at: int) -> tuple[Config, dict[str, Any] | None]:
    """Take the terms of a listed venue and symbol at the time of the data, unless the configuration has its own."""
    section = config.instrument
    symbol = section.symbol or symbol
    terms = ("mmr", "fee", "basis", "max_leverage", "contract", "multiplier")
    if (
        section.venue is None
        or symbol is None
        or any(config.origin(f"instrument.{term}") != "default" for term in terms)
    ):
        return config, None
    from .instruments import find_listing

    try:
        listing = find_listing(f"{section.venue}:{symbol}")
        schedule = listing.schedule(at)
    except InvalidConfigError:
        return config, None  # not listed, or not for that time: the default terms, as for any market
    margin = schedule.margin
    found = {
        "venue": listing.venue,
        "contract": listing.contract,
        "multiplier": listing.multiplier,
        "mmr": margin.rate,
        "fee": margin.fee,
        "basis": margin.basis,
        "max_leverage": margin.max_leverage,
        "tick_size": section.tick_size or listing.tick_size,
        "lot_size": section.lot_size or listing.lot_size,
    }
    return config.replace(instrument=found), {"name": listing.name, "source": schedule.source, "date": schedule.date}


class _Memory:
    """Trades in arrays, or none at all where candles take their place."""

    def __init__(self, trades: Any, candles: Any, progress: Progress | None) -> None:
        self.has_trades = trades is not None
        self._trades = trades
        self._progress = progress
        if trades is not None:
            if not len(trades.ts):
                raise DataError("trades: expected at least one trade, found none")
            prices, quantities = trades.price, trades.qty
            self.first_price = float(prices[0])
            self.first_ts = int(trades.ts[0])
        else:
            if not len(candles.ts_open):
                raise DataError("candles: expected at least one candle, found none")
            if candles.buy_qty is None:
                raise DataError(
                    "candles: expected taker volumes, which tell what was opened, found none: give trades too, or "
                    "candles of a venue that tells them"
                )
            prices = np.concatenate([candles.open[:1000], candles.high[:1000], candles.low[:1000]])
            quantities = candles.buy_qty[:1000]
            self.first_price = float(candles.open[0])
            self.first_ts = int(candles.ts_open[0])
        self.tick_size = _finest(prices[:200_000])
        self.lot_size = _finest(quantities[:200_000])
        self.symbol: str | None = None if trades is not None else Beside.symbol_of(candles)

    def batches(self) -> Iterator[Any]:
        if self._trades is None:
            return
        columns = (self._trades.ts, self._trades.price, self._trades.qty, self._trades.taker_sell)
        total = len(columns[0])
        for first in range(0, total, BATCH_ROWS):
            yield tuple(column[first : first + BATCH_ROWS] for column in columns)
            if self._progress is not None:
                done = min(total, first + BATCH_ROWS)
                self._progress(done, total, done)

    def inputs(self) -> list[dict[str, Any]]:
        if self._trades is None:
            return []
        rows = len(self._trades.ts)
        return [{"name": "memory", "format": "arrays", "rows": rows, "used": rows, "rejected": {}, "warnings": []}]

    def finest(self) -> tuple[float, float]:
        if self._trades is None:
            return self.tick_size, self.lot_size
        return _finest(self._trades.price), _finest(self._trades.qty)


class _Files:
    """Trades in files."""

    has_trades = True

    def __init__(self, paths: Any, config: Config, progress: Progress | None, prefetch: bool) -> None:
        from .sources import scan

        self._paths = paths
        self._progress = progress
        self._prefetch = prefetch
        self._format = config.source.format
        # A symbol chooses from files that hold several; for files of one symbol it is only a title.
        self._choice: str | None = None
        try:
            head = scan(paths, format=self._format, heads=SCANNED_FILES)
        except DataError:
            if config.instrument.symbol is None:
                raise
            self._choice = config.instrument.symbol
            head = scan(paths, symbol=self._choice, format=self._format, heads=SCANNED_FILES)
        if head.first_price is None or head.first_ts is None:
            raise DataError(f"{head.files[0].name}: expected trades, found no usable row in the head of the files")
        _check_files(head.files)
        self.first_price = head.first_price
        self.first_ts = head.first_ts
        self.tick_size = head.tick_size
        self.lot_size = head.lot_size
        self.symbol = head.symbol
        self._report = head

    def batches(self) -> Iterator[Any]:
        from .sources import read_trades

        with read_trades(
            self._paths,
            symbol=self._choice,
            format=self._format,
            batch_rows=BATCH_ROWS,
            progress=self._progress,
            prefetch=self._prefetch,
        ) as reader:
            self._report = reader.report
            for batch in reader:
                yield batch.ts, batch.price, batch.qty, batch.taker_sell
        _check_files(reader.report.files)

    def inputs(self) -> list[dict[str, Any]]:
        return [
            {
                "name": file.name,
                "format": file.format,
                "rows": file.rows_read,
                "used": file.rows_used,
                "rejected": dict(file.rejected),
                "warnings": list(file.warnings),
            }
            for file in self._report.files
        ]

    def finest(self) -> tuple[float, float]:
        """Tick and lot size that every row read so far fits."""
        return self._report.tick_size, self._report.lot_size


class Footprints:
    """Trades summed into runs."""

    has_trades = True

    def __init__(self, stream: FootprintStream, progress: Progress | None) -> None:
        if not len(stream):
            raise DataError("footprints: expected at least one run, found none")
        self._stream = stream
        self._progress = progress
        self.tick_size, self.lot_size = stream.tick_size, stream.lot_size
        self.first_price = float(stream.first_tick[0]) * stream.tick_size
        self.first_ts = int(stream.start[0])
        self.symbol = stream.symbol or None

    def named(self, config: Config) -> Config:
        """The configuration with the stream's venue, unless it has one."""
        own = {"venue": self._stream.venue or None} if config.instrument.venue is None else {}
        return config.replace(instrument=own) if own else config

    def over(self, config: Config, asked: Config) -> Config:
        """The configuration with the stream's terms, except those that were asked for."""
        stream = self._stream
        terms = {
            "contract": stream.contract,
            "multiplier": stream.multiplier,
            "tick_size": stream.tick_size,
            "lot_size": stream.lot_size,
        }
        own = {name: value for name, value in terms.items() if asked.origin(f"instrument.{name}") == "default"}
        return config.replace(instrument=own)

    def replay(self, engine: Engine, beside: Beside) -> None:
        beside.begin(self.first_ts // engine.window_ns * engine.window_ns)
        stats = engine.replay(self._stream, **beside.until(int(self._stream.last[-1]), more=False))
        if self._progress is not None:
            size = self._stream.tick.nbytes + self._stream.bought.nbytes + self._stream.sold.nbytes
            self._progress(size, size, stats.rows)

    def inputs(self) -> list[dict[str, Any]]:
        return self._stream.inputs

    def finest(self) -> tuple[float, float]:
        return self.tick_size, self.lot_size


Batches = _Memory | _Files
Source = Batches | Footprints


# --- the run -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """An engine that was fed everything, and what is to be said of that; see `consume`."""

    engine: Engine
    config: Config
    meta: dict[str, Any]
    notes: list[str]


def consume(
    source: Source,
    config: Config,
    beside: Beside,
    feed: Callable[[Engine, Config], None],
    *,
    threads: int = 1,
    keep: int | None = None,
    exact_grid: bool = False,
) -> Run:
    """
    Settle what the configuration leaves to the data, and feed an engine.

    Where rows do not fit the grid that was given, or seen at first, `feed` is called once more for another engine on
    theirs; not with `exact_grid`, if the whole grid was given.
    """
    asked = config
    config, catalogue = _from_catalogue(config, source.symbol, source.first_ts)
    if isinstance(source, Footprints):
        config = source.over(config, asked)
    given = config.instrument
    exact_grid = exact_grid and given.tick_size is not None and given.lot_size is not None
    tick_size, lot_size = given.tick_size or source.tick_size, given.lot_size or source.lot_size
    beside.check(source.first_ts, source.first_price, has_trades=source.has_trades)
    while True:
        settled = _settle(config, source, tick_size, lot_size, beside)
        engine = Engine.from_config(settled, threads=threads, keep=keep)
        feed(engine, settled)
        stats = engine.stats
        finer = (tick_size, lot_size) if exact_grid else _finer(source, stats, tick_size, lot_size)
        if finer == (tick_size, lot_size):
            break
        tick_size, lot_size = finer  # rows did not fit the grid that was given, or seen at first: once more, on theirs
    _judge(engine.instrument.tick_size, stats.rejected["off_grid"], stats.rows)
    notes = _grid_notes(given.tick_size, given.lot_size, tick_size, lot_size)
    rejected = {reason: count for reason, count in stats.rejected.items() if count}
    if rejected:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in rejected.items())
        notes.append(f"the engine could not use {sum(rejected.values()):,} of {stats.rows:,} rows: {counts}")
    if exact_grid and stats.rounded_qty:
        notes.append(f"{stats.rounded_qty:,} quantities were rounded to the given lot size of {lot_size:g}")
    if source.symbol and given.symbol and source.symbol != given.symbol:
        notes.append(f"the files say {source.symbol}, not {given.symbol}: is it the right market?")
    if given.venue and catalogue is None and config.origin("instrument.mmr") == "default":
        notes.append(
            f"{given.venue}:{given.symbol or source.symbol} is not in the catalogue for that time: "
            f"a maintenance margin rate of {given.mmr:g} is assumed"
        )
    if engine.dropped_leverage:
        listed = ", ".join(f"{tier:g}x" for tier in engine.dropped_leverage)
        most = engine.instrument.margin.max_leverage
        notes.append(f"leverage above {most:g}x is not offered: {listed} left out, the shares of the rest scaled up")
    assumed = [name for name in ("tick_size", "lot_size") if getattr(given, name) is None]
    chosen = "given"
    if config.model.name is None:
        chosen = f"{'no ' if beside.open_interest is None else ''}open interest is given"
    meta = describe(engine) | {
        "model_chosen": chosen,
        "inputs": source.inputs(),
        "beside": beside.inputs(),
        "rows": {
            "rows": stats.rows,
            "used": stats.used,
            "rounded_qty": stats.rounded_qty,
            "rejected": rejected,
        },
        "inexact": stats.inexact,
        "assumed": assumed,
        "catalogue": catalogue,
        "notes": notes,
        "warmup": settled.window.warmup,
        "config": settled.to_dict(),
        "config_hash": settled.hash,
    }
    if engine.reconciled:
        meta["corrections"] = {name: quantity.tolist() for name, quantity in engine.corrections.items()}
    if not source.has_trades:
        meta["resolution"] = "candles"
    return Run(engine, settled, meta, notes)


def _run(source: Source, config: Config, beside: Beside, threads: int) -> Heatmap:
    run = consume(source, config, beside, lambda engine, _: _feed(engine, source, beside), threads=threads)
    engine, settled, notes = run.engine, run.config, run.notes
    notes += _range_notes(engine, engine.stats)
    history, unfinished = engine._history(True)
    if history is not None:
        notes += beside.notes(
            engine.instrument,
            source.symbol,
            source.first_ts,
            source.first_price,
            start_ns=int(history.times()[0]),
            end_ns=engine.clock or 0,
            traded=float(np.nansum(history.candles()[:, 4:])),
        )
    for note in notes:
        warnings.warn(note, stacklevel=3)
    if history is None:
        raise DataError("expected trades to make a heatmap of, found none that could be used")
    first = 0
    if settled.window.warmup is not None:
        first = -(-parse_duration(settled.window.warmup, name="warmup") // engine.window_ns)
        if first >= len(history):
            raise InvalidConfigError(
                f"warmup must be shorter than the data ({len(history)} windows of {settled.window.length}), "
                f"was {settled.window.warmup}"
            )
    result = Heatmap(
        history, engine.leverage, step=settled.axis.step, complete=not unfinished, meta=run.meta, first=int(first)
    )
    return result.select(last=settled.window.last, opened_within=settled.window.opened_within)


def _finer(
    source: Source, stats: Stats | _core.FootprintStream, tick_size: float, lot_size: float
) -> tuple[float, float]:
    """The grid to use: the file's own decimals where rows were off it."""
    if not stats.rejected["off_grid"] and not stats.rounded_qty:
        return tick_size, lot_size
    tick, lot = source.finest()
    return (
        min(tick, tick_size) if stats.rejected["off_grid"] else tick_size,
        min(lot, lot_size) if stats.rounded_qty else lot_size,
    )


def _feed(engine: Engine, source: Source, beside: Beside) -> None:
    """Feed everything in order of time, batch by batch."""
    if isinstance(source, Footprints):
        source.replay(engine, beside)
        return
    last = None
    for batch in source.batches():
        if last is None:
            beside.begin(int(batch[0][0]) // engine.window_ns * engine.window_ns)
        last = int(batch[0][-1])
        stats = engine.feed(trades=batch, **beside.until(last, more=True))
        if stats.rejected["off_grid"] > OFF_GRID_LIMIT * max(stats.rows, 1):
            return  # no use to go on: the caller takes a finer grid, or refuses the data
    if last is not None:
        engine.feed(**beside.until(last, more=False))
    elif beside.candles is not None:
        engine.feed(**beside.with_candles())


def _settle(config: Config, source: Source, tick_size: float, lot_size: float, beside: Beside) -> Config:
    """The configuration with everything decided that it left to the data."""
    instrument = config.instrument
    symbol = instrument.symbol or source.symbol
    config = config.replace(instrument={"tick_size": tick_size, "lot_size": lot_size, "symbol": symbol})
    model = config.model.name or ("flow" if beside.open_interest is None else "oi")
    if beside.open_interest is None:
        if model in ("oi", "blend"):
            raise InvalidConfigError(f'model "{model}" needs open interest: give open_interest')
        if config.model.reconciled:
            raise InvalidConfigError("reconciled needs open interest: give open_interest")
    if model == "vendor" and (beside.open_interest is None or config.model.event_threshold is None):
        raise InvalidConfigError(
            'model "vendor" needs events: give open_interest and event_threshold, or feed them to an Engine'
        )
    trigger = config.model.trigger
    if trigger is None:
        trigger = "candle" if model == "vendor" else "mark" if beside.marks is not None else "last"
    if trigger == "mark" and beside.marks is None:
        raise InvalidConfigError('trigger "mark" needs mark prices: give marks')
    if trigger == "candle" and beside.candles is None:
        raise InvalidConfigError('trigger "candle" needs candles: give candles')
    config = config.replace(model={"name": model, "trigger": trigger})
    axis = config.axis
    if axis.low is None and axis.book_step is None:
        book, row = _steps(source.first_price, tick_size, axis.step)
        config = config.replace(axis={"step": row, "book_step": book})
    elif axis.step is None:
        fixed, book_step = axis_of(config, instrument_of(config))
        width = fixed.step if fixed is not None else book_step
        config = config.replace(axis={"step": float(f"{DEFAULT_BINS_PER_ROW * width:.12g}") if width else None})
    return config


def _steps(price: float, tick_size: float, step: float | None) -> tuple[float, float]:
    """Width of the book's bins and of the picture's rows: about one and four basis points, whole ticks."""
    target = max(1.0, price * BOOK_STEP_SHARE / tick_size)
    if step is None:
        decade = 10.0 ** math.floor(math.log10(target))
        book = max(nice * decade for nice in (1, 2, 5) if nice * decade <= target)
        ticks = int(max(1, book))
        return _price(ticks, tick_size), _price(ticks * DEFAULT_BINS_PER_ROW, tick_size)
    if step > price:
        raise InvalidConfigError(f"step must not be above the price itself ({price:g}), was {step:g}")
    row = PriceAxis(low=0.0, high=step, step=step, tick_size=tick_size).ticks_per_bin
    ticks = max(divisor for divisor in _divisors(row) if divisor <= target)
    return _price(ticks, tick_size), step


def _divisors(number: int) -> list[int]:
    small = [d for d in range(1, math.isqrt(number) + 1) if number % d == 0]
    return sorted({*small, *(number // d for d in small)})


def _price(ticks: int, tick_size: float) -> float:
    """Ticks as a price, in the decimal that a person would write."""
    return float(f"{ticks * tick_size:.12g}")


def _check_files(files: Sequence[FileReport]) -> None:
    """Refuse files whose prices cannot be of one market: twofold apart within two days."""
    known = [(f.first_ts, f.first_price, f.name) for f in files if f.first_ts is not None and f.first_price is not None]
    known.sort()
    for (ts, price, name), (next_ts, next_price, next_name) in pairwise(known):
        if next_ts - ts < 2 * DAY_NS and not 0.5 < next_price / price < 2.0:
            raise DataError(
                f"{next_name}: expected prices near those of {name} ({price:g}), found {next_price:g}: another market?"
            )


def _judge(tick_size: float, off_grid: int, rows: int) -> None:
    """Refuse data that does not fit its grid."""
    if off_grid > OFF_GRID_LIMIT * rows:
        raise DataError(
            f"expected prices on the tick grid of {tick_size:g}, found {off_grid:,} of {rows:,} trades off it "
            "(limit 5 %): give the right tick_size"
        )


def _grid_notes(tick_given: float | None, lot_given: float | None, tick_size: float, lot_size: float) -> list[str]:
    """Say that the data has a finer grid than was given."""
    return [
        f"the data has {name} {found:g}, finer than the given {wanted:g}: {found:g} is used"
        for name, wanted, found in (("tick size", tick_given, tick_size), ("lot size", lot_given, lot_size))
        if wanted is not None and found < wanted
    ]


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


def _finest(values: NDArray[np.float64]) -> float:
    """The finest decimal step that some values need, as a step of a grid; 1e-8 at the least."""
    finite = values[np.isfinite(values) & (values != 0)]
    for decimals in range(9):
        if np.all(np.abs(finite - np.round(finite, decimals)) <= 1e-9 * np.maximum(np.abs(finite), 1e-3)):
            return float(f"1e-{decimals}")
    return 1e-8


def override(config: Config, **arguments: Any) -> Config:
    """Put arguments over a configuration; those that are not given are not set."""
    sections: dict[str, dict[str, Any]] = {}
    given = defaultdict(lambda: None, {"half_life": "config"} | arguments)

    def put(section: str, key: str, value: Any) -> None:
        if value is not None:
            sections.setdefault(section, {})[key] = value

    if (inst := given["instrument"]) is not None:
        sections["instrument"] = {
            "symbol": inst.symbol or None,
            "venue": inst.venue or None,
            "contract": inst.contract,
            "tick_size": inst.tick_size,
            "lot_size": inst.lot_size,
            "multiplier": inst.multiplier,
            "mmr": inst.margin.rate,
            "fee": inst.margin.fee,
            "basis": inst.margin.basis,
            "max_leverage": inst.margin.max_leverage,
        }
        if inst.margin.assumed_sizes:
            raise InvalidConfigError(
                "instrument must not assume position sizes here (a configuration cannot say them), assumed some: "
                "use Engine"
            )
    put("instrument", "symbol", given["symbol"])
    put("instrument", "venue", given["venue"])
    if given["leverage"] is not None:
        profile = as_profile(given["leverage"])
        sections["leverage"] = {"shares": profile.to_dict(), "intensity": profile.intensity}
    if (axis := given["axis"]) is not None:
        sections["axis"] = {"low": axis.low, "high": axis.high, "book_step": axis.step}
        put("axis", "step", given["step"])
    else:
        put("axis", "step", given["step"])
    for section, key, name in (
        ("window", "length", "window"),
        ("window", "warmup", "warmup"),
        ("window", "last", "last"),
        ("window", "opened_within", "opened_within"),
        ("model", "name", "model"),
        ("model", "trigger", "trigger"),
        ("model", "maker_share", "maker_share"),
        ("model", "taker_tilt", "taker_tilt"),
        ("model", "churn", "churn"),
        ("model", "event_threshold", "event_threshold"),
        ("model", "reconciled", "reconciled"),
    ):
        put(section, key, given[name])
    half_life = given["half_life"]
    if half_life is None:
        put("model", "half_life", "none")
    elif isinstance(half_life, Mapping) or half_life == "default":
        put("model", "half_life", half_life)
    elif half_life != "config":  # one length for every tier
        tiers = (sections.get("leverage", {}).get("shares") or profile_of(config).to_dict()).keys()
        put("model", "half_life", dict.fromkeys(tiers, half_life))
    for name in ("marks", "open_interest", "candles"):
        if isinstance(given[name], str | os.PathLike):
            put("source", name, os.fspath(given[name]))
    return config.replace(**sections) if sections else config
