"""
What else one could use: each peer as its good users write it, on one thread, compiled for this very CPU.

Two kinds of job are told apart. *Consuming* loops give liqcore's answer: levels vanish when price reaches them. *Plain*
histograms only add up where levels were opened; nothing is ever consumed, which is an easier job with another answer.
All peers get whole ticks and lots, converted beforehand, so that answers can be equal to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from jobs import Bools, Floats, Ints, Job

Columns = NDArray[np.float32]

HAS_NUMBA = find_spec("numba") is not None  # otherwise its loops are left out: as plain Python they take an hour
HAS_BOOST_HISTOGRAM = find_spec("boost_histogram") is not None
HAS_FAST_HISTOGRAM = find_spec("fast_histogram") is not None


F = TypeVar("F", bound=Callable[..., object])


def _compiled(function: F) -> F:
    """Compile with numba if it is installed; without fast-math, so that answers are exact."""
    if not HAS_NUMBA:
        return function
    import numba

    return cast(F, numba.njit(cache=True)(function))


OPENED, LIQUIDATED, UNRESOLVED, UNDERFLOW, OVERFLOW, NO_PRICE = range(6)
ACCOUNTS = ("opened", "liquidated", "unresolved", "underflow", "overflow", "no_price")


@dataclass(frozen=True, eq=False)
class Answer:
    """
    What a job asks for, in liqcore's order: longs of each tier, then shorts.

    Columns are float32 of shape (windows, bins), the profile's weights applied, in quantity. `layers` is the book after
    the last trade, `accounts` where every lot went, both in lots.
    """

    long: Columns
    short: Columns
    liquidated: Columns
    layers: Floats  # (2 * tiers, bins)
    accounts: Floats  # (6, 2 * tiers)


def numba_loop(job: Job, *, by_table: bool = False, columns: bool = True) -> Answer:
    """
    Run the consuming loop: one scattered add per trade and tier.

    With `by_table` the level of every (price, layer) is worked out once, beforehand but inside the time, and looked up.
    That pays where prices repeat, and needs to know their range.
    """
    layers, shape = 2 * len(job.tiers), (job.windows if columns else 0, job.axis.size)
    answer = Answer(
        long=np.zeros(shape, np.float32),
        short=np.zeros(shape, np.float32),
        liquidated=np.zeros(shape, np.float32),
        layers=np.zeros((layers, job.axis.size)),
        accounts=np.zeros((len(ACCOUNTS), layers)),
    )
    _consume(
        job.ts,
        job.ticks,
        job.lots,
        job.taker_sell,
        job.factors,
        job.axis.ticks_per_bin,
        job.axis.first_bin,
        job.window_ns,
        np.asarray(job.profile.weights),
        job.lot_size,
        by_table,
        answer.long,
        answer.short,
        answer.liquidated,
        answer.layers,
        answer.accounts,
    )
    return answer


@_compiled
def _write_column(
    levels: Floats, first: int, last: int, weights: Floats, lot_size: float, row: Floats, out: Columns
) -> None:
    row[:] = 0.0
    for layer in range(first, last):
        weight = weights[layer - first]
        for cell in range(row.size):
            row[cell] += weight * (levels[layer, cell] * lot_size)
    for cell in range(row.size):
        out[cell] = row[cell]


@_compiled
def _cell(tick: int, entry_bin: int, factor: float, inverse: float, first_bin: int, end_bin: int, is_long: bool) -> int:
    """Cell of a level, or minus the account it goes to where it is not live."""
    level = np.rint(tick * factor)
    level_bin = int((level + 0.5) * inverse)
    if level < 1.0:
        return -NO_PRICE
    if level_bin < first_bin:
        return -UNDERFLOW
    if level_bin >= end_bin:
        return -OVERFLOW
    if (level_bin >= entry_bin) if is_long else (level_bin <= entry_bin):
        return -UNRESOLVED
    return level_bin - first_bin


@_compiled
def _consume(
    ts: Ints,
    ticks: Ints,
    lots: Floats,
    taker_sell: Bools,
    factors: Floats,
    ticks_per_bin: int,
    first_bin: int,
    window_ns: int,
    weights: Floats,
    lot_size: float,
    by_table: bool,
    long_out: Columns,
    short_out: Columns,
    liquidated_out: Columns,
    book: Floats,
    accounts: Floats,
) -> None:
    layers, bins = book.shape
    tiers = layers // 2
    inverse = 1.0 / ticks_per_bin
    end_bin = first_bin + bins
    lowest = ticks.min()
    table = np.empty((ticks.max() - lowest + 1 if by_table else 0, layers), np.int32)
    for row_of_tick in range(table.shape[0]):
        tick = lowest + row_of_tick
        entry_bin = int((tick + 0.5) * inverse)
        for layer in range(layers):
            table[row_of_tick, layer] = _cell(
                tick, entry_bin, factors[layer], inverse, first_bin, end_bin, layer < tiers
            )
    # Ranges of cells that may be live, by layer, and the nearest of each side. All of them count from the first bin.
    low = np.full(layers, bins)
    high = np.zeros(layers, np.int64)
    longs_end = 0
    shorts_begin = bins
    liquidated = np.zeros((layers, bins))
    row = np.zeros(bins)
    taken_row = np.zeros(bins, np.float32)
    window = 0
    window_end = ts[0] // window_ns * window_ns + window_ns
    columns = long_out.shape[0] > 0

    for i in range(ts.size + 1):
        while i == ts.size or ts[i] >= window_end:
            if columns:
                _write_column(book, 0, tiers, weights, lot_size, row, long_out[window])
                _write_column(book, tiers, layers, weights, lot_size, row, short_out[window])
                _write_column(liquidated, 0, tiers, weights, lot_size, row, liquidated_out[window])
                _write_column(liquidated, tiers, layers, weights, lot_size, row, taken_row)
                liquidated_out[window] += taken_row
                liquidated[:] = 0.0
            window += 1
            window_end += window_ns
            if i == ts.size:
                return
        tick = ticks[i]
        entry_bin = int((tick + 0.5) * inverse)
        entry = entry_bin - first_bin

        if entry < longs_end:
            for layer in range(tiers):
                for cell in range(max(entry, low[layer]), high[layer]):
                    if book[layer, cell] != 0.0:
                        accounts[LIQUIDATED, layer] += book[layer, cell]
                        liquidated[layer, cell] += book[layer, cell]
                        book[layer, cell] = 0.0
                high[layer] = min(high[layer], max(entry, low[layer]))
            longs_end = entry
        if entry >= shorts_begin:
            for layer in range(tiers, layers):
                for cell in range(low[layer], min(entry + 1, high[layer])):
                    if book[layer, cell] != 0.0:
                        accounts[LIQUIDATED, layer] += book[layer, cell]
                        liquidated[layer, cell] += book[layer, cell]
                        book[layer, cell] = 0.0
                low[layer] = max(low[layer], min(entry + 1, high[layer]))
            shorts_begin = entry + 1

        amount = lots[i]
        first = tiers if taker_sell[i] else 0
        accounts[OPENED, first] += amount
        for layer in range(first, first + tiers):
            if by_table:
                cell = int(table[tick - lowest, layer])
            else:
                cell = _cell(tick, entry_bin, factors[layer], inverse, first_bin, end_bin, first == 0)
            if cell < 0:
                accounts[-cell, layer] += amount
                continue
            book[layer, cell] += amount
            low[layer] = min(low[layer], cell)
            high[layer] = max(high[layer], cell + 1)
            if first == 0:
                longs_end = max(longs_end, cell + 1)
            else:
                shorts_begin = min(shorts_begin, cell)


# --- plain histograms: an easier job ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Projected:
    """Levels of every trade, and the window it falls in: made beforehand, so that fills alone are timed."""

    windows: NDArray[np.int32]  # window of each trade
    levels: list[Floats]  # by tier: the level in ticks, plus a half so that it never lies on an edge


def project(job: Job) -> Projected:
    """Project all trades onto all tiers."""
    tiers = len(job.tiers)
    factors = job.factors
    levels = [
        np.rint(job.ticks * np.where(job.taker_sell, factors[tiers + tier], factors[tier])) + 0.5
        for tier in range(tiers)
    ]
    return Projected((job.ts // job.window_ns - job.ts[0] // job.window_ns).astype(np.int32), levels)


def numba_histogram(job: Job) -> Floats:
    """Add every level to its (window, bin) cell, projecting on the way."""
    out = np.zeros((job.windows, job.axis.size))
    _add_up(
        job.ts,
        job.ticks,
        job.lots,
        job.taker_sell,
        job.factors,
        job.axis.ticks_per_bin,
        job.axis.first_bin,
        job.window_ns,
        out,
    )
    return out


@_compiled
def _add_up(
    ts: Ints,
    ticks: Ints,
    lots: Floats,
    taker_sell: Bools,
    factors: Floats,
    ticks_per_bin: int,
    first_bin: int,
    window_ns: int,
    out: Floats,
) -> None:
    tiers = factors.size // 2
    bins = out.shape[1]
    inverse = 1.0 / ticks_per_bin
    window = 0
    window_end = ts[0] // window_ns * window_ns + window_ns
    for i in range(ts.size):
        while ts[i] >= window_end:
            window += 1
            window_end += window_ns
        first = tiers if taker_sell[i] else 0
        for layer in range(first, first + tiers):
            cell = int((np.rint(ticks[i] * factors[layer]) + 0.5) * inverse) - first_bin
            if 0 <= cell < bins:
                out[window, cell] += lots[i]


def boost_histogram_fill(job: Job, projected: Projected, rows: int | None = None) -> Floats:
    """Fill one boost-histogram of (window, level) tier by tier with projected levels, all or `rows` trades a fill."""
    import boost_histogram as bh

    axes = (
        bh.axis.Integer(0, job.windows, underflow=False, overflow=False),
        bh.axis.Regular(job.axis.size, *_ticks(job)),
    )
    histogram = bh.Histogram(*axes, storage=bh.storage.Double())
    for i in range(0, len(job), rows or len(job)):
        part = slice(i, i + (rows or len(job)))
        for level in projected.levels:
            histogram.fill(projected.windows[part], level[part], weight=job.lots[part])
    return np.asarray(histogram.view())


def numpy_histogram(job: Job, projected: Projected) -> Floats:
    """Sum numpy.histogram2d of (window, level) over the tiers, with projected levels."""
    out = np.zeros((job.windows, job.axis.size))
    for level in projected.levels:
        out += np.histogram2d(
            projected.windows, level, bins=out.shape, range=((0, job.windows), _ticks(job)), weights=job.lots
        )[0]
    return out


def fast_histogram(job: Job, projected: Projected) -> Floats:
    """Do the same with fast-histogram."""
    import fast_histogram

    out = np.zeros((job.windows, job.axis.size))
    for level in projected.levels:
        out += fast_histogram.histogram2d(
            projected.windows, level, bins=out.shape, range=((0, job.windows), _ticks(job)), weights=job.lots
        )
    return out


def _ticks(job: Job) -> tuple[int, int]:
    """Return the axis' first and last edge, ticks."""
    return job.axis.low_tick, job.axis.low_tick + job.axis.size * job.axis.ticks_per_bin
