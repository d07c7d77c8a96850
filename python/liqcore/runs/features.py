"""Features for strategies: what a book says at the close of every bar, without looking ahead."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import Instrument, LeverageProfile, PriceAxis
from ..config.arguments import given, override
from ..config.build import axis_of
from ..config.config import Config
from ..config.limits import limits_of
from ..engine.engine import Engine
from ..engine.feature_reader import REACHES, FeatureReader
from ..errors import InvalidConfigError
from ..market.leverage import HalfLives, Shares
from ..tables.archive import NO_CHECKSUM, NO_CHECKSUM_KEY, SCHEMA_VERSION, SavedTable
from ..tables.arrow import ArrowTable, Exported
from ..tables.frames import Columns, Tabular, csv_or, package
from ..views.heatmap import Heatmap
from ..words.files import write_whole
from ..words.limits import limited
from ..words.times import Length, Time, format_duration, iso, parse_duration, to_ns
from .prices import Since, Watch
from .run import OFF_GRID_LIMIT, consume
from .side_streams import SideStreams
from .trades import Batches, Footprints, none_used, open_source

__all__ = ["Features", "features", "load_features"]

ARCHIVE_KEY = "liqcore.features"
MAX_BARS = 10_000_000  # of one batch: more are nearly always a wrong time unit
MAX_TIME = 2**62  # ns, the year 2116: no event is later
NS_SINCE = 10**17  # ns, the year 1973: a time before is a wrong unit, where the data is of later
ALWAYS = ("price", "age_s")  # what a book that is still filling says as well

Progress = Callable[[int, int, int], object]
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Features(Tabular, ArrowTable):
    """
    What a book said at the close of every bar.

    Made by `features`. Its arrays cannot be written to.

    Attributes
    ----------
    times : ndarray of int64, shape (bars,)
        Closing times, nanoseconds since the UNIX epoch, UTC: what is dated before it counts, nothing else does.
    names : tuple of str
        Of the columns, in order.
    values : ndarray of float64, shape (bars, features)
        NaN where there is nothing to say yet.
    meta : mapping
        As that of a heatmap: symbol, model, meaning, trigger, leverage, inputs, counts, config and its hash; and
        `bars`, `reaches`, `bins_per_row`, `zone_percentile`, `density_percent` and `book_age_ns`, that of the last bar.

    Notes
    -----
    pyarrow, polars, pandas and duckdb take it as a table (``pa.table(found)``): the columns of `to_dict`, time as
    timestamp[ns, UTC]. The schema's metadata say the symbol and the settings' hash.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.1, trades_per_day=40_000)
    >>> found = lq.features(market.trades, "5m", symbol="SIM")
    >>> found.values.shape == (len(found), len(found.names)), found["price"].shape == found.times.shape
    (True, True)
    """

    times: NDArray[np.int64]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    meta: Mapping[str, Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name not in self.names:
            raise KeyError(f"{name!r} is no feature; there are {', '.join(self.names)}")
        return self.values[:, self.names.index(name)]

    def _table(self) -> Exported:
        return self.to_dict(), {name: str(self.meta[name]) for name in ("symbol", "config_hash") if self.meta.get(name)}

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name after ``time`` (datetime64[ns]), as pandas and polars make a data frame of."""
        return {"time": self.times.view("datetime64[ns]"), **{name: self[name] for name in self.names}}

    def select(self, *, start: Time | None = None, end: Time | None = None, last: Length | None = None) -> Features:
        """
        Return the rows of a stretch of time: of bars that close after `start`, and by `end`.

        Parameters
        ----------
        start, end : int, str, date, datetime or datetime64, optional
            Nanoseconds since the UNIX epoch, or ISO text, UTC where no zone is given.
        last : duration, optional
            Of these, the bars of the last "24h", ...

        Examples
        --------
        >>> import liqcore as lq
        >>> found = lq.features(lq.simulate(days=0.1, trades_per_day=40_000).trades, "5m")
        >>> len(found.select(last="1h"))
        12
        """
        first = 0 if start is None else int(np.searchsorted(self.times, to_ns(start, name="start"), side="right"))
        stop = len(self) if end is None else int(np.searchsorted(self.times, to_ns(end, name="end"), side="right"))
        if last is not None and stop > first:
            after = int(self.times[stop - 1]) - parse_duration(last, name="last")
            first = max(first, int(np.searchsorted(self.times, after, side="right")))
        if first >= stop and len(self):
            asked = {"start": start, "end": end, "last": last}
            said = ", ".join(f"{name} {value!r}" for name, value in asked.items() if value is not None)
            span = f"{iso(int(self.times[0]))} to {iso(int(self.times[-1]))}"
            raise InvalidConfigError(f"start and end must leave a bar that closes within {span}, was {said}")
        return replace(self, times=self.times[first:stop], values=self.values[first:stop])

    def save(self, path: PathLike) -> Path:
        """
        Write them as a table that appears whole or not at all.

        Columns are ``time``, the closing time, and the features. A Parquet file has the time as int64 (ns since the
        UNIX epoch), `meta` as JSON in its metadata, under ``liqcore.features``, and checksums: `liqcore.load_features`
        reads it. A CSV file is for spreadsheets: the time as ISO text (UTC), numbers with up to ten digits, and an
        empty cell for NaN.

        Parameters
        ----------
        path : path
            Ends in ``.parquet`` or ``.csv``. An existing file is replaced.

        Raises
        ------
        InvalidConfigError
            If it ends otherwise.
        """
        if csv_or(path, ".parquet"):
            return self._save_csv(path)
        from ..tables.parquet import write_table

        columns = {"time": self.times, **{name: self[name] for name in self.names}}
        with write_whole(path) as file:
            meta = {name: said for name, said in self.meta.items() if name != NO_CHECKSUM_KEY}
            table = {name: np.ascontiguousarray(column) for name, column in columns.items()}
            metadata = {ARCHIVE_KEY: json.dumps({"schema": SCHEMA_VERSION} | meta)}
            write_table(file, path, table, stats=["time"], metadata=metadata)
        return Path(path)

    def _columns(self) -> Columns:
        return Columns(self.to_dict(), {})

    def to_xarray(self) -> Any:
        """Return an xarray Dataset (needs xarray) of the features over time."""
        xarray = package("xarray", "to_xarray()")
        columns = self.to_dict()
        time = columns.pop("time")
        said = {name: str(self.meta[name]) for name in ("symbol", "venue", "model") if self.meta.get(name)}
        return xarray.Dataset(
            {name: ("time", column) for name, column in columns.items()}, coords={"time": time}, attrs=said
        )

    def __repr__(self) -> str:
        symbol = str(self.meta.get("symbol") or "")
        if not len(self):
            return f"<Features {symbol}: no bar>"
        return f"<Features {symbol}: {len(self):,} bars from {iso(int(self.times[0]))}, {len(self.names)} columns>"


def load_features(path: PathLike, *, verify: str = "all") -> Features:
    """
    Read features that `Features.save` wrote as Parquet.

    Parameters
    ----------
    path : path
    verify : {"all", "header"}
        How much of the file is compared with its checksums, as for `liqcore.load_heatmap`.

    Raises
    ------
    DataError
        If the file is not one, or is damaged: the message names the part.

    Examples
    --------
    >>> import tempfile
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.1, trades_per_day=40_000)
    >>> found = lq.features(market.trades, "5m", symbol="SIM")
    >>> again = lq.load_features(found.save(Path(tempfile.mkdtemp()) / "sim.parquet"))
    >>> np.array_equal(again.values, found.values, equal_nan=True), again.meta == found.meta
    (True, True)
    """
    saved = SavedTable(path, ARCHIVE_KEY, "features", verify)
    meta = {name: said for name, said in saved.header.items() if name not in ("schema", "sealed")}
    names = tuple(name for name in saved.names if name != "time")
    columns = saved.columns(["time", *names])
    if any(column.dtype != np.float64 for name, column in columns.items() if name != "time"):
        raise saved.error("found a feature that is no column of float64")
    times = columns["time"]
    if times.dtype != np.int64 or np.any(times[1:] <= times[:-1]):
        raise saved.error("found closing times that do not rise")
    values = np.stack([columns[name] for name in names], axis=1) if names else np.empty((len(times), 0))
    if not saved.header["sealed"]:
        meta[NO_CHECKSUM_KEY] = NO_CHECKSUM.format(Path(path).name)
    return Features(times, names, values, meta)


def features(
    trades: Any,
    bars: Any,
    *,
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
    outlier: float | None = None,
    on_redenomination: str | None = None,
    reaches: Sequence[float] = REACHES,
    zone_percentile: float = 90.0,
    density_percent: float = 1.0,
    warmup: Length | None = None,
    config: Config | PathLike | None = None,
    progress: Progress | None = None,
    prefetch: bool = True,
) -> Features:
    """
    Return what a strategy could have known of the book at the close of every bar.

    A row is what a live engine's `FeatureReader` says once it was fed what is dated before the close and advanced to
    it, bit for bit. docs/how-to/features.md says what each column means. Memory does not grow with the input, only with
    the number of bars.

    Parameters
    ----------
    trades : path, glob pattern or sequence of those, TradeBatch, or tuple of arrays (ts, price, qty, taker_sell)
        As for `liqcore.heatmap`, sorted by time; None where `candles` take their place. No footprints: a bar may end
        within a run.
    bars : duration, array or Candles
        When bars close. A duration such as "5m": at its multiples since the UNIX epoch, from the first after the first
        trade on; a bar that the data does not reach the end of is left out. An array of closing times, int64 ns or
        datetime64, strictly rising: a row for each, whether there is data or not. Candles: the end of each.
    instrument : Instrument, optional
        Grid, contract and margin terms. Its grid is taken as it is, as a live engine does: other prices are rejected,
        quantities rounded. Without it the grid is found from the whole input, so that a later trade may refine it.
    symbol, venue, contract, multiplier, leverage, axis, axis_limit, step, model, trigger, maker_share, half_life, \
taker_tilt, churn, event_threshold, reconciled, candle_price, exponent, marks, open_interest, candles, outlier, \
on_redenomination, config, progress, prefetch
        As for `liqcore.heatmap`. Zones are of rows `step` high, by default five of the book's bins. Marks, open
        interest and candles count up to each close, also after the last trade.
    window : duration, optional
        Length of the windows at whose ends half-lives act, and over which ``liquidated_*`` go. By default that of the
        bars, where they are a duration or Candles; otherwise the configuration's, "5m".
    reaches : sequence of float, default (0.5, 1, 2, 5)
        Percent of the price, rising, above 0 and below 100.
    zone_percentile : float, default 90
        Of the rows that hold something: from it on they are part of a zone.
    density_percent : float, default 1
        Half-width of the density's kernel, percent of the price.
    warmup : duration, optional
        Bars at which the book is younger say nothing but ``price`` and ``age_s``: NaN.

    Returns
    -------
    Features

    Raises
    ------
    DataError, InvalidConfigError
        As for `liqcore.heatmap`; footprints are refused.

    Examples
    --------
    >>> import numpy as np
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.1, trades_per_day=40_000)
    >>> found = lq.features(market.trades, "5m", symbol="SIM", reaches=(1, 5), warmup="15m")
    >>> found.names[:5]
    ('price', 'long_usd_1pct', 'long_usd_5pct', 'short_usd_1pct', 'short_usd_5pct')
    >>> known = ~np.isnan(found["long_usd_5pct"])
    >>> bool(np.all(found["age_s"][known] >= 15 * 60))
    True
    """
    arguments = given(locals())
    interval, closes = _closes(bars)
    config = Config() if config is None else config if isinstance(config, Config) else Config.load(config)
    if window is None and interval is not None and config.origin("window.length") == "default":
        window = interval
    lengths = {"window": window, "warmup": warmup}
    arguments |= {name: _text(length, name) for name, length in lengths.items() if length is not None}
    config = override(config, **arguments)
    if isinstance(trades, Heatmap):
        raise TypeError(
            "trades must be trades, was a heatmap, which knows the book at the ends of its windows alone: give the "
            'trades that it was made from, and its settings by config=Config.from_dict(heatmap.meta["config"])'
        )
    is_paths = isinstance(trades, str | os.PathLike) or (
        isinstance(trades, Sequence) and len(trades) > 0 and all(isinstance(path, str | os.PathLike) for path in trades)
    )
    held = limits_of(config)
    with limited(held):
        source, config, streams = open_source(
            trades if is_paths else None,
            None if is_paths else trades,
            config,
            marks,
            open_interest,
            candles,
            progress=progress,
            prefetch=prefetch,
        )
    if isinstance(source, Footprints):
        raise InvalidConfigError("trades must not be footprints here: a bar may end within a run")
    reading = _Reading(source, streams, closes, interval if closes is None else None)

    def reader_of(bins_per_row: int) -> FeatureReader:
        return FeatureReader(
            reaches=reaches,
            bins_per_row=bins_per_row,
            zone_percentile=zone_percentile,
            density_percent=density_percent,
        )

    def feed(engine: Engine, settled: Config, watch: Watch) -> Since | None:
        bins = _core.DEFAULT_BINS_PER_ROW if config.axis.step is None else _bins_per_row(engine, settled)
        return reading.feed(engine, reader_of(bins), watch)  # as those of a live engine, also where ticks are coarse

    reader_of(_core.DEFAULT_BINS_PER_ROW)  # refuses wrong options before anything is read

    if closes is not None and len(closes) and closes[-1] < NS_SINCE <= source.first_ts:
        raise InvalidConfigError(
            "bars must close in nanoseconds since the UNIX epoch, as the data is dated, had "
            f"{closes[0]} to {closes[-1]}: all in {str(np.datetime64(int(closes[-1]), 'ns'))[:4]} (another unit?)"
        )
    with limited(held):
        run = consume(source, config, streams, feed, keep=1, exact_grid=True)
    engine, reader, notes = run.engine, reading.reader, run.notes
    if engine.began is None and source.has_trades:
        raise none_used("features", run.meta["inputs"], engine.stats)
    times, values = reading.rows()
    if interval is not None and not len(times):
        raise InvalidConfigError(
            "bars must be so short that the data reaches the end of one: the first of "
            f"{format_duration(interval)} ends {iso(reading.first_close)}, the data {iso(engine.clock or 0)}"
        )
    outside = float(engine.stats.underflow.sum() + engine.stats.overflow.sum())
    if outside and engine.has_fixed_axis:
        share = outside / max(float(engine.stats.opened.sum()), 1.0)
        notes.append(f"{share:.1%} of the levels lie outside the axis: they are in no feature")
    notes += streams.notes(
        engine.instrument,
        source.symbol,
        source.first_ts,
        source.first_price,
        start_ns=source.first_ts // engine.window_ns * engine.window_ns,
        end_ns=engine.clock or 0,
        traded=reading.traded,
    )
    for note in notes:
        warnings.warn(note, stacklevel=2)
    age = values[:, reader.names.index("age_s")]
    if run.config.window.warmup is not None:
        filling = age < parse_duration(run.config.window.warmup, name="warmup") / 1e9
        for i, name in enumerate(reader.names):
            if name not in ALWAYS:
                values[filling, i] = np.nan
    meta = run.meta | {
        "bars": format_duration(interval) if interval is not None else "times",
        "reaches": list(reader.reaches),
        "bins_per_row": reader.bins_per_row,
        "zone_percentile": reader.zone_percentile,
        "density_percent": reader.density_percent,
        "book_age_ns": None if not len(age) or np.isnan(age[-1]) else round(float(age[-1]) * 1e9),
    }
    for array in (times, values):
        array.flags.writeable = False
    return Features(times, reader.names, values, meta)


class _Reading:
    """Feeds an engine batch by batch, and keeps what is read at the bars' closes."""

    reader: FeatureReader
    traded: float  # quantity
    first_close: int

    def __init__(
        self, source: Batches, streams: SideStreams, closes: NDArray[np.int64] | None, interval: int | None
    ) -> None:
        self._source, self._streams = source, streams
        self._given, self._interval = closes, interval

    def feed(self, engine: Engine, reader: FeatureReader, watch: Watch) -> Since | None:
        """
        Feed everything that counts at a bar, from the beginning; or from where the book begins anew, after the bars
        that closed before that was known.
        """
        if watch.since is None:
            self._times: list[NDArray[np.int64]] = []
            self._values: list[NDArray[np.float64]] = []
            self._after = -1
        else:
            times, values = self.rows()
            self._after = watch.since.believed
            kept = times <= self._after
            self._times, self._values = [times[kept]], [values[kept].ravel()]
        self.reader, self.traded = reader, 0.0
        self._next = 0  # closing time of the next bar, or its place among those given
        last: int | None = None
        for batch in watch.batches(self._source):
            inside = _inside(batch[0])
            if last is None and len(inside):
                self._begin(engine, int(inside[0]))
            last = max(int(inside.max(initial=0)), last or 0)
            self._read(engine, batch, self._streams.until(last, more=True), last)
            self.traded += float(np.nansum(batch[2]))
            anew = watch.see(batch[0], engine)
            over = self._given is not None and last >= self._end(0)  # what comes later counts at no bar
            stats = engine.stats
            if stats.rejected["off_grid"] > OFF_GRID_LIMIT * max(stats.rows, 1):
                return None  # no use to go on: the caller takes a finer grid, or refuses the data
            if anew is not None and not (over and anew.believed >= self._end(0)):
                return anew
            if over:
                return None
        if last is not None:
            end = self._end(last + 1)
            self._read(engine, None, self._streams.until(end - 1, more=False), end)
        elif (candles := self._streams.candles) is not None:
            self.traded = float(np.nansum(candles.buy_qty) + np.nansum(candles.sell_qty))
            columns = self._streams.candle_columns(0 if watch.since is None else watch.since.ts)
            self._begin(engine, int(columns[0][0]))
            end = self._end(int(columns[0][-1]) + candles.interval_ns)
            part = self._streams.until(end - 1, more=False)
            self._read(engine, None, part | {"candles": columns}, end)
            return watch.see(columns[0], engine)
        return None

    def rows(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Closing times and features of every bar read."""
        width = len(self.reader)
        times = np.concatenate([np.empty(0, np.int64), *self._times])
        return times, np.concatenate([np.empty(0), *self._values]).reshape(len(times), width)

    def _begin(self, engine: Engine, ts: int) -> None:
        self._streams.begin(ts // engine.window_ns * engine.window_ns)
        if self._interval is not None:
            self._next = self.first_close = (ts // self._interval + 1) * self._interval

    def _end(self, ts: int) -> int:
        """The later of a time and the last close given."""
        return ts if self._given is None or not len(self._given) else max(ts, int(self._given[-1]))

    def _read(self, engine: Engine, trades: Any, streams: dict[str, Any], end: int) -> None:
        """Feed a batch and what goes with it, and read the bars that close by `end`."""
        if self._given is not None:
            upto = int(np.searchsorted(self._given, end, "right"))
            closes, self._next = self._given[self._next : upto], upto
        else:
            assert self._interval is not None
            count = max((end - self._next) // self._interval + 1, 0)
            if count > MAX_BARS:
                raise InvalidConfigError(
                    f"bars must not be more than {MAX_BARS:,} at once (are the times in nanoseconds?): from "
                    f"{self._next} to {end} ns are {count:,} of {self._interval} ns"
                )
            closes = self._next + self._interval * np.arange(count, dtype=np.int64)
            self._next += self._interval * count
        values = np.empty(len(closes) * len(self.reader))
        self.reader._feed(
            engine,
            trades,
            streams.get("marks"),
            streams.get("open_interest"),
            streams.get("candles"),
            streams.get("interval", 1),
            closes,
            values,
        )
        counts = closes > self._after
        self._times.append(closes[counts])
        self._values.append(values.reshape(len(closes), len(self.reader))[counts].ravel())


def _inside(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those that the engine takes for times."""
    ts = times.view(np.int64)
    if len(ts) and ts.min() >= 0 and ts.max() <= MAX_TIME:
        return ts
    return ts[(ts >= 0) & (ts <= MAX_TIME)]


def _closes(bars: Any) -> tuple[int | None, NDArray[np.int64] | None]:
    """Length of the bars, where it is known, and their closing times, where they are given."""
    if isinstance(bars, str | int | np.integer | timedelta | np.timedelta64) and not isinstance(bars, bool):
        return parse_duration(bars, name="bars"), None
    if hasattr(bars, "ts_open") and hasattr(bars, "interval_ns"):
        interval = int(bars.interval_ns)
        return interval, _rising(np.ascontiguousarray(bars.ts_open).view(np.int64) + interval)
    given = np.asarray(bars)
    if given.ndim != 1 or not (given.dtype.kind == "M" or given.dtype == np.int64):
        raise TypeError(
            "bars must be a length of time, closing times (int64 ns or datetime64, one-dimensional) or Candles, was "
            + (f"an array of {given.dtype} with {given.ndim} dimensions" if given.ndim else repr(bars))
            + (
                " (times with a zone: .tz_convert('UTC').tz_localize(None) first)"
                if hasattr(bars, "tz_localize")
                else ""
            )
        )
    if given.dtype.kind == "M":
        if np.isnat(given).any():
            raise InvalidConfigError("bars must be times, had NaT")
        given = given.astype("datetime64[ns]")
    return None, _rising(given.view(np.int64))


def _rising(closes: NDArray[np.int64]) -> NDArray[np.int64]:
    falls = np.flatnonzero(np.diff(closes) <= 0)
    if len(falls):
        at = int(falls[0])
        raise InvalidConfigError(f"bars must rise, had {closes[at + 1]} after {closes[at]}")
    if len(closes) and not (closes[0] >= 0 and closes[-1] <= MAX_TIME):
        raise InvalidConfigError(f"bars must close between 1970 and 2116, had {closes[0]} to {closes[-1]} ns")
    return np.array(closes, order="C")


def _bins_per_row(engine: Engine, settled: Config) -> int:
    """How many of the book's bins the rows of zones have."""
    fixed, book_step = axis_of(settled, engine.instrument)
    book = book_step if fixed is None else fixed.step
    if settled.axis.step is None or book is None:
        return _core.DEFAULT_BINS_PER_ROW
    tick = engine.instrument.tick_size
    row, bins = (
        PriceAxis(low=0.0, high=width, step=width, tick_size=tick).ticks_per_bin for width in (settled.axis.step, book)
    )
    if row % bins:
        raise InvalidConfigError(f"step must be a multiple of the book's bins ({book:g}), was {settled.axis.step:g}")
    return row // bins


def _text(value: Length, name: str) -> str:
    return format_duration(parse_duration(value, name=name))
