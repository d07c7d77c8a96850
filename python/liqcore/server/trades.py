"""Trades of a market out of its journal as an Arrow stream, made piece by piece, also while the journal is written."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from nanoarrow.ipc import StreamWriter
from numpy.typing import NDArray

from ..errors import DataError
from ..feeds.events import Market
from ..feeds.segment import Segment
from ..live.journal import segment_name, segment_starts
from ..live.outside import Files
from ..sources import TradeReader, read_trades
from ..tables.arrow import ArrowTable, Exported
from ..words.times import to_ns
from .forms import TradesAsked
from .refused import RefusedError
from .selection import time

ROWS = 65_536
"""Of one batch: some 1.6 MiB."""
TYPE = "application/vnd.apache.arrow.stream"


SKEW_NS = 60_000_000_000
"""By which the machine's clock, of which segments are, may be behind the venue's."""


class _Rows(ArrowTable):
    """Some trades, in the form that desktop programs read."""

    def __init__(self, *columns: NDArray[Any]) -> None:
        self._columns = columns

    def _table(self) -> Exported:
        return dict(zip(("ts", "price", "qty", "side"), self._columns, strict=True)), {}


def opened(asked: TradesAsked, folder: Path, files: Files) -> TradeReader | None:
    """
    Return a reader of the segments that hold a span of time; None: there is none.

    A segment holds what was received in its time; one more is read, for what was asked for late, to fill a hole.

    Raises
    ------
    DataError
        If a file of the journal's is none.
    """
    market = Market(*asked.market.split(":", 1))
    begin, end = span(asked)
    starts = sorted(segment_starts(files.names(folder), market))
    first = max(sum(start <= begin - SKEW_NS for start in starts) - 1, 0)
    last = sum(start < end for start in starts) + 1
    paths = [folder / segment_name(market, start) for start in starts[first:last]]
    holding = []
    for path in paths:
        with files.read(path) as file:
            Segment(file, path.name)  # refuses what is no journal
        try:
            with read_trades([path], symbol=market.symbol, batch_rows=1):
                holding.append(path)
        except DataError:  # no trade in it so far
            continue
    return read_trades(holding, symbol=market.symbol, batch_rows=ROWS) if holding else None


def span(asked: TradesAsked) -> tuple[int, int]:
    """
    Return from when on and up to when trades are asked for, ns.

    Raises
    ------
    RefusedError
        If the end is not behind the beginning.
    """
    begin = 0 if asked.start is None else to_ns(time(asked.start), name="from")
    end = 2**63 - 1 if asked.end is None else to_ns(time(asked.end), name="to")
    if not begin < end:
        raise RefusedError.broken("to", "must be after from", asked.end if asked.start is None else asked.start, 409)
    return begin, end


def pieces(asked: TradesAsked, reader: TradeReader | None) -> Iterator[bytes]:
    """Yield the bytes of the stream: its schema, batches, its end."""
    begin, end = span(asked)
    out = io.BytesIO()
    with StreamWriter.from_writable(out) as writer:
        empty = (np.zeros(0, kind) for kind in (np.int64, np.float64, np.float64, np.bool_))
        writer.write_stream(_Rows(*empty))
        for batch in () if reader is None else reader:
            first, stop = np.searchsorted(batch.ts, [begin, end])
            if first < stop:
                columns = (batch.ts, batch.price, batch.qty, batch.taker_sell)
                writer.write_stream(_Rows(*(column[first:stop] for column in columns)), write_schema=False)
            if out.tell():
                yield out.getvalue()
                out.seek(0)
                out.truncate()
            if len(batch) and batch.ts[-1] >= end:
                break
    yield out.getvalue()
