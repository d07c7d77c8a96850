"""Where the trades of a run come from: arrays, files or footprints."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..config.config import Config
from ..engine.engine import Engine
from ..errors import DataError, InvalidConfigError
from ..market.contracts import Quantities, contract_in_rows
from ..market.prices import of_one_market, round_factor
from ..sources import FileReport, ReadReport, read_trades, scan, tables
from ..sources.report import summary_of
from ..sources.trade_rows import check_array_times
from ..tables.batch import TradeBatch, is_table
from ..tables.footprint_stream import FootprintStream, is_footprints, load_footprints
from .gaps import Gaps
from .side_streams import SideStreams

Progress = Callable[[int, int, int], object]
"""Called as ``progress(done_bytes, total_bytes, rows)``."""

PathLike = str | os.PathLike[str]

BATCH_ROWS = 1_000_000
SCANNED_FILES = 4  # a head can be a third of its file; what only other files show is found while reading
NO_GRID = 15  # decimals by which the core says that values lie on none
MOST_TICKS = 2.0**31  # in a price: an engine takes no more
MOST_LOTS = 1e14  # in a quantity: a double has 15 or 16 digits
DAY_NS = 86_400_000_000_000
NEAR_IN_TIME = 0.03  # of a round factor, within two days


class Memory:
    """Trades in arrays, or none at all where candles take their place."""

    share = 1.0  # of the trades, that lie before the end of the batch yielded last

    def __init__(self, trades: Any, candles: Any, progress: Progress | None, samples: Any = None) -> None:
        self.has_trades = trades is not None  # else the lots are those of the samples, or of the candles' volumes
        self._trades = trades
        self._progress = progress
        if trades is not None:
            if not len(trades.ts):
                raise DataError("trades: expected at least one trade, found none")
            prices, quantities = trades.price, trades.qty
            self.first_price = float(prices[0])
            self.first_ts = int(trades.ts[0])
            self.last_ts: int | None = int(trades.ts[-1])
        else:
            if not len(candles.ts_open):
                raise DataError("candles: expected at least one candle, found none")
            prices = np.concatenate([candles.open[:1000], candles.high[:1000], candles.low[:1000]])
            quantities = candles.buy_qty[:1000] if samples is None else samples
            self.first_price = float(candles.open[0])
            self.first_ts = int(candles.ts_open[0])
            self.last_ts = int(candles.ts_open[-1])
        self.tick_size = finest(prices[:200_000], MOST_TICKS)
        self.lot_size = finest(quantities[:200_000], MOST_LOTS)
        self.symbol: str | None = None if trades is not None else SideStreams.symbol_of(candles)
        report = None if trades is not None else getattr(candles, "report", None)
        self.quantities = [Quantities(file.name) for file in report.files] if report is not None else []

    @property
    def nothing(self) -> dict[str, int]:
        """Rows that the engine will reject, and that say nothing."""
        return {} if self._trades is None else {"not_positive": int(np.count_nonzero(self._trades.qty == 0))}

    def batches(self) -> Iterator[Any]:
        if self._trades is None:
            return
        columns = (self._trades.ts, self._trades.price, self._trades.qty, self._trades.taker_sell)
        total = len(columns[0])
        for first in range(0, total, BATCH_ROWS):
            self.share = min(1.0, (first + BATCH_ROWS) / total)
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
        return finest(self._trades.price, MOST_TICKS), finest(self._trades.qty, MOST_LOTS)


class Files:
    """Trades in files."""

    has_trades = True
    nothing: Mapping[str, int] = {}

    def __init__(self, paths: Any, config: Config, progress: Progress | None, prefetch: bool) -> None:
        self._paths = paths
        self.share = 1.0  # of the files' bytes, that are read
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
        if self._choice is None and head.symbol is not None and config.instrument.symbol not in (None, head.symbol):
            with suppress(DataError):  # it is a title; or what stands further down in a file of several
                head = scan(paths, symbol=config.instrument.symbol, format=self._format, heads=SCANNED_FILES)
                self._choice = config.instrument.symbol
        if head.first_price is None or head.first_ts is None:
            raise no_head(head)
        _check_files(head.files)
        self.first_price = head.first_price
        self.first_ts = head.first_ts
        self.last_ts = head.last_ts  # of the heads
        self.tick_size = head.tick_size
        self.lot_size = head.lot_size
        self.symbol = head.symbol
        self.quantities = [file.quantities for file in head.files if file.quantities is not None and file.rows_used]
        self._report = head

    def batches(self) -> Iterator[Any]:
        with read_trades(
            self._paths,
            symbol=self._choice,
            format=self._format,
            batch_rows=BATCH_ROWS,
            progress=self._advance,
            prefetch=self._prefetch,
        ) as reader:
            self._report = reader.report
            for batch in reader:
                yield batch.ts, batch.price, batch.qty, batch.taker_sell
        _check_files(reader.report.files)
        contract_in_rows([file.quantities for file in reader.report.files if file.quantities is not None])

    def _advance(self, done: int, total: int, rows: int) -> None:
        self.share = done / total if 0 < done < total else 1.0
        if self._progress is not None:
            self._progress(done, total, rows)

    def inputs(self) -> list[dict[str, Any]]:
        return [summary_of(file) for file in self._report.files]

    def finest(self) -> tuple[float, float]:
        """Tick and lot size that every row read so far fits."""
        return self._report.tick_size, self._report.lot_size


class Footprints:
    """Trades summed into runs."""

    has_trades = True
    nothing: Mapping[str, int] = {}

    def __init__(self, stream: FootprintStream, progress: Progress | None) -> None:
        if not len(stream):
            raise DataError("footprints: expected at least one run, found none")
        self.stream = stream
        self._progress = progress
        self.tick_size, self.lot_size = stream.tick_size, stream.lot_size
        self.first_price = float(stream.first_tick[0]) * stream.tick_size
        self.first_ts, self.last_ts = int(stream.start[0]), int(stream.last[-1])
        self.symbol = stream.symbol or None
        self.quantities: list[Quantities] = []

    def named(self, config: Config) -> Config:
        """The configuration with the stream's venue, unless it has one."""
        own = {"venue": self.stream.venue or None} if config.instrument.venue is None else {}
        return config.replace(instrument=own) if own else config

    def over(self, config: Config, asked: Config) -> Config:
        """The configuration with the stream's terms, except those that were asked for."""
        stream = self.stream
        terms = {
            "contract": stream.contract,
            "multiplier": stream.multiplier,
            "tick_size": stream.tick_size,
            "lot_size": stream.lot_size,
        }
        own = {name: value for name, value in terms.items() if asked.origin(f"instrument.{name}") == "default"}
        return config.replace(instrument=own)

    def replay(self, engine: Engine, streams: SideStreams, gaps: Gaps) -> None:
        streams.begin(self.first_ts // engine.window_ns * engine.window_ns)
        stats = engine.replay(self.stream, **streams.until(int(self.stream.last[-1]), more=False))
        gaps.runs(self.stream)
        if self._progress is not None:
            size = self.stream.tick.nbytes + self.stream.bought.nbytes + self.stream.sold.nbytes
            self._progress(size, size, stats.rows)

    def inputs(self) -> list[dict[str, Any]]:
        return self.stream.inputs

    def finest(self) -> tuple[float, float]:
        return self.tick_size, self.lot_size


Batches = Memory | Files
Source = Batches | Footprints


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
) -> tuple[Source, Config, SideStreams]:
    """Return where trades come from, the configuration with what they say of themselves, and what goes with them."""
    paths = paths_of(paths)
    trades = trades_of(trades)
    if paths is not None and trades is not None:
        raise InvalidConfigError("trades must not be given together with paths")
    if paths is not None and len(paths) == 1 and is_footprints(paths[0]):
        trades = load_footprints(paths[0])
        paths = None
    streams = SideStreams(config, marks, open_interest, candles)
    if not paths and trades is None and streams.candles is None:
        raise InvalidConfigError("paths, trades or candles must be given")
    if isinstance(trades, FootprintStream):
        source = Footprints(trades, progress)
        return source, source.named(config), streams
    files = Files(paths, config, progress, prefetch) if paths else None
    if files is None and trades is None:
        streams.stand_for_trades(config)
    lots = None if streams.has_volumes or streams.open_interest is None else streams.open_interest[1]
    return files or Memory(trades, streams.candles, progress, lots), config, streams


def paths_of(paths: Any) -> list[PathLike] | None:
    """Paths as a list; what is trades themselves is refused by name."""
    if paths is None:
        return None
    if isinstance(paths, str | os.PathLike):
        return [paths]
    if not isinstance(paths, Sequence) or not all(isinstance(path, str | os.PathLike) for path in paths):
        raise TypeError(
            f"paths must be a path, a pattern or several, was {type(paths).__name__}: trades in memory go to trades="
        )
    return list(paths)


def no_head(head: ReadReport) -> DataError:
    """Say that the heads of files have no usable row, and how many were left out for which reason."""
    return DataError(
        f"{head.files[0].name}: expected trades, found no usable row in the head of the files: {_why(head.rejected)}"
    )


def none_used(what: str, inputs: Sequence[Mapping[str, Any]], stats: Any) -> DataError:
    """Say that no trade could be used, and how many rows were left out for which reason."""
    counts: dict[str, int] = {}
    for rejected in [*(entry["rejected"] for entry in inputs), stats.rejected]:
        for reason, count in rejected.items():
            counts[reason] = counts.get(reason, 0) + count
    return DataError(f"expected trades to make {what} of, found none that could be used: {_why(counts)}")


def _why(counts: Mapping[str, int]) -> str:
    left_out = {reason: count for reason, count in counts.items() if count}
    signs = " (prices and quantities must be above 0)" if set(left_out) == {"not_positive"} else ""
    return (", ".join(f"{count:,} {reason}" for reason, count in left_out.items()) or "no rows") + signs


def trades_of(trades: Any) -> Any:
    """Trades in memory as an object with columns, or footprints as they are; a time that cannot be is refused."""
    if trades is None or isinstance(trades, FootprintStream):
        return trades
    columns = ("ts", "price", "qty", "taker_sell")
    if isinstance(trades, tuple | list) and len(trades) == 4:
        trades = TradeBatch(*trades)
    elif is_table(trades):
        trades = tables.read_trades(trades)
    elif not all(hasattr(trades, name) for name in columns):
        raise TypeError(
            "trades must be a TradeBatch, a tuple of arrays (ts, price, qty, taker_sell), an Arrow table or a "
            f"FootprintStream, was {type(trades).__name__}"
        )
    elif getattr(trades.ts, "dtype", np.dtype(np.int64)).kind == "M":
        trades = TradeBatch(*(getattr(trades, name) for name in columns))
    check_array_times("trades", trades.ts)
    return trades


def _check_files(files: Sequence[FileReport]) -> None:
    """Refuse files whose prices cannot be of one market: twofold apart within two days."""
    known = [(f.first_ts, f.first_price, f.name) for f in files if f.first_ts is not None and f.first_price is not None]
    known.sort()
    for (ts, price, name), (next_ts, next_price, next_name) in pairwise(known):
        jumps = not of_one_market(price, next_price) and not round_factor(
            price, next_price, gap=True, near=NEAR_IN_TIME
        )
        if next_ts - ts < 2 * DAY_NS and jumps:
            raise DataError(
                f"{next_name}: expected prices near those of {name} ({price:g}), found {next_price:g}: another market?"
            )


def finest(values: NDArray[np.float64], most: float) -> float:
    """
    The finest decimal step that some values need, as a step of a grid; their usual size is at most `most` such steps.

    Computed values (such as 3 * 0.1) are off their decimals in the last bits and lie on no decimal grid, and an engine
    counts neither ticks nor lots without end: of such values fewer decimals count, eight at the most, or of values that
    are usually below a thousandth eight from there on.
    """
    values = np.ascontiguousarray(values, dtype=np.float64)
    decimals = _core.finest_decimals(values)
    sizes = np.abs(values)
    if decimals == NO_GRID or not np.max(sizes, initial=0.0) * 10.0**decimals <= most:
        sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
        usual = float(np.median(sizes)) if len(sizes) else 1.0
        kept = int(np.clip(np.log10(most / usual), 0, 8))
        # Behind the point, before the digits that count.
        zeros = int(np.clip(-math.floor(math.log10(usual)) - 3, 0, 290))
        if zeros and decimals == NO_GRID:  # or only of too many decimals
            values = _rounded(values * 10.0**zeros, NO_GRID)
            decimals = _core.finest_decimals(values)
            if decimals < NO_GRID and np.max(sizes) * 10.0 ** (zeros + decimals) <= most:
                return float(f"1e-{zeros + decimals}")
        else:
            zeros = 0
        decimals = zeros + min(decimals, _core.finest_decimals(_rounded(values, kept)))
    return float(f"1e-{decimals}")


def _rounded(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    """To so many decimals, and to the 15 digits that a double holds: what is computed is off beyond them."""
    out = values.copy()
    known = np.flatnonzero(np.isfinite(values) & (values != 0))
    before = np.floor(np.log10(np.abs(values[known]))).astype(np.int64) + 1  # digits before the point
    for digits in np.unique(before):
        at = known[before == digits]
        out[at] = np.round(values[at], int(np.clip(15 - digits, 0, decimals)))
    return out
