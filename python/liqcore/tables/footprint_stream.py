"""Footprint streams: trades summed into short runs, stored as one Parquet table (docs/reference/archive.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..errors import InvalidConfigError
from ..words.files import write_whole
from ..words.times import format_duration
from .archive import NO_CHECKSUM, NOT_AS_SAID, SCHEMA_VERSION, SavedTable, is_saved, why
from .parquet import write_table

FOOTPRINTS_KEY = "liqcore.footprints"
RUN_COLUMNS = ("start", "last", "first_tick", "last_tick", "trades", "end")
ENTRY_COLUMNS = ("tick", "bought", "sold")
GROUP_ROWS = 1_000_000  # entries in a row group


class FootprintStream:
    """
    Trades summed by price and aggressor into short runs: another tier set or price axis without the trades.

    `liqcore.footprints` makes one, `Engine.replay` and `liqcore.heatmap` take it. A run ends at multiples of `cut`
    since the UNIX epoch and before its prices span more than `span_bps`. What happened within a run is not known any
    more, so an engine for which that would matter refuses the stream. The arrays are read-only and in place. Runs are
    in order of time; the entries of run i are ``end[i - 1]`` to ``end[i]`` (from 0 for the first).

    Attributes
    ----------
    start, last : ndarray of int64, shape (runs,)
        Times of the first and the last trade of each run, nanoseconds since the UNIX epoch, UTC.
    first_tick, last_tick : ndarray of int32, shape (runs,)
        Prices of those, in ticks.
    trades : ndarray of int32, shape (runs,)
        Number of trades in each run.
    end : ndarray of int64, shape (runs,)
        Entries of this run and of those before it.
    tick : ndarray of int32, shape (entries,)
        Price in ticks, rising within a run from its low to its high.
    bought, sold : ndarray of int64, shape (entries,)
        Lots that aggressors bought and sold there.
    symbol, venue, contract, multiplier, tick_size, lot_size
        What was traded; see `Instrument`.
    span_bps : float
        How far a run's high may lie above its low, basis points of its first price (2,047 ticks at the most).
    cut_ns : int
        Length of the stretches of time that no run goes over the end of, ns.
    rounded_qty : int
        Trades whose quantity was off the lot grid and was rounded.
    rejected : dict
        Rows that were not used, by reason; they count in the statistics of an engine as if it had rejected them.
    inputs : list of dict
        What is known of each file, as in the ``meta`` of a heatmap.
    outlier : float
        How far from the one before it a price was believed, as a share of it; 0: all were.
    outliers : list
        The first rows that were left out for it: stream, time, price, price believed at the time.
    begins_anew : dict or None
        Where the stream begins, if the trades before were left out, and why; as in the ``meta`` of a heatmap.
    notes : list of str
        Of a stream that was loaded: that its file carries no checksum, where it does not.
    """

    def __init__(
        self,
        native: _core.FootprintStream,
        *,
        symbol: str,
        venue: str,
        contract: str,
        multiplier: float,
        inputs: Sequence[Mapping[str, Any]] = (),
        outliers: Sequence[Sequence[Any]] = (),
        begins_anew: Mapping[str, Any] | None = None,
    ) -> None:
        self._native = native
        self.symbol, self.venue, self.contract, self.multiplier = symbol, venue, contract, multiplier
        self.inputs = [dict(entry) for entry in inputs]
        self.outliers = [list(outlier) for outlier in outliers]
        self.begins_anew = None if begins_anew is None else dict(begins_anew)
        self.notes: list[str] = []
        self.start: NDArray[np.int64] = native.start
        self.last: NDArray[np.int64] = native.last
        self.first_tick: NDArray[np.int32] = native.first_tick
        self.last_tick: NDArray[np.int32] = native.last_tick
        self.trades: NDArray[np.int32] = native.trades
        self.end: NDArray[np.int64] = native.end
        self.tick: NDArray[np.int32] = native.tick
        self.bought: NDArray[np.int64] = native.bought
        self.sold: NDArray[np.int64] = native.sold
        self.tick_size, self.lot_size = native.tick_size, native.lot_size
        self.span_bps, self.cut_ns, self.outlier = native.span_bps, native.cut_ns, native.outlier
        self.rounded_qty, self.rejected = native.rounded_qty, native.rejected

    def __len__(self) -> int:
        """Count the runs."""
        return len(self._native)

    def __repr__(self) -> str:
        """Say what is in it."""
        name, trades = self.symbol or "no symbol", self._native.trade_count
        return (
            f"FootprintStream({name}, {trades:,} trades in {len(self):,} runs and {len(self.tick):,} entries, "
            f"{self.span_bps:g} bp and {format_duration(self.cut_ns)})"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the stream as one Parquet file, which appears whole or not at all; `liqcore.load_footprints` reads it.

        Raises
        ------
        InvalidConfigError
            If the stream has no runs.
        """
        if not len(self):
            raise InvalidConfigError("a stream that is saved must hold trades, held none")
        header = {
            "schema": SCHEMA_VERSION,
            "runs": len(self),
            "entries": len(self.tick),
            "symbol": self.symbol,
            "venue": self.venue,
            "contract": self.contract,
            "multiplier": self.multiplier,
            "tick_size": self.tick_size,
            "lot_size": self.lot_size,
            "span_bps": self.span_bps,
            "cut_ns": self.cut_ns,
            "outlier": self.outlier,
            "rounded_qty": self.rounded_qty,
            "rejected": self.rejected,
            "inputs": self.inputs,
            "outliers": self.outliers,
            "begins_anew": self.begins_anew,
        }
        runs, entries = len(self), len(self.tick)
        columns: dict[str, NDArray[Any]] = {}
        for names, rows in ((RUN_COLUMNS, slice(0, runs)), (ENTRY_COLUMNS, slice(runs, None))):
            for name in names:
                values = getattr(self, name)
                narrow = values.max() <= np.iinfo(np.int32).max  # half the file
                columns[name] = np.zeros(runs + entries, dtype=np.int32 if narrow else np.int64)
                columns[name][rows] = values
        with write_whole(path) as file:
            write_table(
                file,
                path,
                columns,
                stats=["start"],
                metadata={FOOTPRINTS_KEY: json.dumps(header)},
                compression="LZ4_RAW",
                row_group_offsets=[0, *range(runs, runs + entries, GROUP_ROWS)],
            )
        return Path(path)


def load_footprints(path: str | os.PathLike[str], *, verify: str = "all") -> FootprintStream:
    """
    Read a stream that `FootprintStream.save` wrote.

    Parameters
    ----------
    path : path
    verify : {"all", "header"}
        How much of the file is compared with its checksums, as for `liqcore.load_heatmap`. Files of liqcore 0.1.0 carry
        none.

    Raises
    ------
    DataError
        If the file is not one, or is damaged: the message names the part.

    Examples
    --------
    >>> import tempfile
    >>> import liqcore as lq
    >>> market = lq.simulate(days=0.01, trades_per_day=40_000)
    >>> stream = lq.footprints(trades=market.trades, symbol="SIM")
    >>> path = stream.save(Path(tempfile.mkdtemp()) / "sim.footprints.parquet")
    >>> bool((lq.load_footprints(path).bought == stream.bought).all())
    True
    """
    saved = SavedTable(path, FOOTPRINTS_KEY, "footprints", verify)
    header = saved.header
    columns = saved.columns(list(RUN_COLUMNS), slice(0, 1)) | saved.columns(list(ENTRY_COLUMNS), slice(1, None))
    try:
        native = _core.FootprintStream.from_columns(
            tick_size=header["tick_size"],
            lot_size=header["lot_size"],
            span_bps=header["span_bps"],
            cut_ns=header["cut_ns"],
            columns=columns,
            outlier=header.get("outlier", 0.0),  # files of before believed every price
            rounded_qty=header["rounded_qty"],
            rejected=header["rejected"],
        )
        stream = FootprintStream(
            native,
            symbol=header["symbol"],
            venue=header["venue"],
            contract=header["contract"],
            multiplier=header["multiplier"],
            inputs=header["inputs"],
            outliers=header.get("outliers", ()),
            begins_anew=header.get("begins_anew"),
        )
    except NOT_AS_SAID as error:
        raise saved.error(f"found that {why(error)}") from None
    if not header["sealed"]:
        stream.notes.append(NO_CHECKSUM.format(Path(path).name))
    return stream


def is_footprints(path: str | os.PathLike[str]) -> bool:
    """Whether a path names a file that `FootprintStream.save` wrote, by what its metadata say."""
    return is_saved(path, FOOTPRINTS_KEY)
