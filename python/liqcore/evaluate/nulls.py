"""What needs no map: the same candles with other volumes, and features of path, volume and past liquidations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..errors import InvalidConfigError
from ..sources.candles import Candles
from .amounts import Floats, Ints

DAY_NS = 86_400_000_000_000
HOUR_NS = DAY_NS // 24
BASIS_POINT = 1e-4
SHIFT_DAYS = 3

EXTREMES_NS = tuple(hours * HOUR_NS for hours in (4, 12, 24, 48, 72, 168))
"""How far back the extremes lie that the price may exceed."""

OTHER_VOLUMES = ("constant", "shifted", "permuted")
"""Nulls that are the same map of the same prices; `other_volumes` makes them."""


def other_volumes(candles: Candles, kind: str, *, seed: int = 0) -> Candles:
    """
    Return the same candles with other volumes.

    Parameters
    ----------
    candles : Candles
        With volumes.
    kind : {"constant", "shifted", "permuted"}
        Every candle has the mean volume, half bought and half sold; or the volumes of the candle three days before (of
        the first three days: those of the last three); or those of another candle of its UTC day, drawn at random.
    seed : int
        Of the drawing.
    """
    bought, sold = volumes(candles)
    if kind == "constant":
        half = _rounded(np.array([(bought + sold).mean() / 2.0]), bought)
        return replace(
            candles, buy_qty=np.repeat(half, len(bought)), sell_qty=np.repeat(half, len(bought)), volume=None
        )
    if kind == "shifted":
        source = np.searchsorted(candles.ts_open, candles.ts_open - SHIFT_DAYS * DAY_NS)
        early = candles.ts_open - SHIFT_DAYS * DAY_NS < candles.ts_open[0]
        n_early = int(early.sum())
        source[early] = len(bought) - n_early + np.arange(n_early)
        order = np.minimum(source, len(bought) - 1)
    else:
        rng = np.random.Generator(np.random.PCG64(seed))
        day = candles.ts_open // DAY_NS
        order = np.lexsort((rng.random(len(day)), day))  # days rise already: a drawing within each
    return replace(candles, buy_qty=bought[order], sell_qty=sold[order], volume=None)


def volumes(candles: Candles) -> tuple[Floats, Floats]:
    """Return what takers bought and sold; half of the volume each where candles do not say."""
    if candles.buy_qty is not None and candles.sell_qty is not None:
        return candles.buy_qty, candles.sell_qty
    if candles.volume is None:
        raise InvalidConfigError("candles must have volumes, had none")
    half = _rounded(candles.volume / 2.0, candles.volume)
    return half, half


def _rounded(values: Floats, like: Floats) -> Floats:
    """Round to the decimals of `like`, but not to nothing: an engine's lot follows what it is fed."""
    from .._core import finest_decimals

    return np.maximum(np.round(values, finest_decimals(like)), 10.0 ** -finest_decimals(like))


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """
    What the candles say of each bar.

    Attributes
    ----------
    seen : ndarray of float64, shape (2, 12, bars)
        N12: path and volume of the bar itself, as longs and as shorts see it.
    before : ndarray of float64, shape (2, 15, bars)
        Path, volume and clock as known when the bar begins.
    range_volume : ndarray of float64, shape (2, 1, bars)
        log(adverse excursion x volume) of the bar.
    pre_move : ndarray of float64, shape (2, 1, bars)
        Move of the 15 minutes before the bar against the side, in log(1 + basis points), signed.
    spread : ndarray of float64, shape (bars,)
        Standard deviation of the log price over a bar, from the realised variance of the day before it.
    low, high : ndarray of float64, shape (bars,)
        Of the bar; NaN without candles.
    """

    seen: Floats
    before: Floats
    range_volume: Floats
    pre_move: Floats
    spread: Floats
    low: Floats
    high: Floats


def path_of(candles: Candles, bars: Ints, bar_ns: int) -> Path:
    """
    Return the features of path and volume of each bar.

    Parameters
    ----------
    candles : Candles
        With volumes, of an interval that divides `bar_ns`.
    bars : ndarray of int64
        Starts of the bars; bars without a candle get NaN.
    bar_ns : int
        Length of a bar.
    """
    interval = candles.interval_ns
    # On a whole grid of candles: what is missing repeats the price and has no volume.
    first = int(min(candles.ts_open[0], bars[0])) // bar_ns * bar_ns
    count = -(-(int(max(candles.ts_open[-1] + interval, bars[-1] + bar_ns)) - first) // interval)
    at = (candles.ts_open - first) // interval
    held = np.maximum.accumulate(np.bincount(at, np.arange(len(at)) + 1, minlength=count).astype(np.int64)) - 1
    here = np.zeros(count, bool)
    here[at] = True
    held = np.maximum(held, 0)
    close = candles.close[held]
    low, high = np.where(here, candles.low[held], close), np.where(here, candles.high[held], close)
    bought, sold = (np.where(here, side[held], 0.0) for side in volumes(candles))
    opened = np.where(here, candles.open[held], close)
    previous = np.concatenate((opened[:1], close[:-1]))
    squares = np.log(close / previous) ** 2

    per = bar_ns // interval
    begin = (bars - first) // interval  # first candle of each bar
    rows = begin[:, None] + np.arange(per)
    bar_low, bar_high = low[rows].min(1), high[rows].max(1)
    start = opened[begin]
    end = close[rows[:, -1]]
    buys, sells = (bought[rows] * close[rows]).sum(1), (sold[rows] * close[rows]).sum(1)
    variance = squares[rows].sum(1)

    def past(values: Floats, length: int, of: str) -> Floats:
        """Of the candles before each bar: the last `length` of them, or all there are."""
        wanted = min(length, count)
        padded = np.concatenate((np.full(wanted, np.nan), values))
        windows = sliding_window_view(padded, wanted)[begin]
        with np.errstate(all="ignore"):
            reduce = {"min": np.fmin.reduce, "max": np.fmax.reduce}.get(of)
            out = reduce(windows, axis=1) if reduce is not None else np.nansum(windows, axis=1)
        return np.asarray(out, dtype=np.float64)

    extremes = [(past(low, ns // interval, "min"), past(high, ns // interval, "max")) for ns in EXTREMES_NS]
    reference = previous[begin]
    quarter = max(1, 15 * 60 * 10**9 // interval)
    before_quarter = close[np.maximum(begin - 1 - quarter, 0)]
    move = np.log(reference / before_quarter)
    traded = (bought + sold) * close
    lookbacks = [max(1, ns // interval) for ns in (bar_ns, 4 * HOUR_NS, DAY_NS)]
    log_past_variance = [np.log(past(squares, length, "sum") / length * per + 1e-12) for length in lookbacks]
    log_past_volume = [np.log1p(past(traded, length, "sum") / length * per) for length in lookbacks]
    day = np.minimum(begin, lookbacks[2])  # candles there are of the day before
    spread = np.sqrt(np.divide(past(squares, lookbacks[2], "sum"), day, out=np.zeros(len(bars)), where=day > 0) * per)
    hour = 2 * np.pi * ((bars + bar_ns // 2) % DAY_NS) / DAY_NS

    seen, before, range_volume, pre_move = [], [], [], []
    for sign in (1.0, -1.0):
        adverse = (start - bar_low) / start if sign > 0 else (bar_high - start) / start
        against, forced = -sign * np.log(end / start), sells if sign > 0 else buys
        beyond = [np.fmax((lo - bar_low) if sign > 0 else (bar_high - hi), 0.0) / start for lo, hi in extremes]
        away = [np.fmax((reference - lo) if sign > 0 else (hi - reference), 0.0) / reference for lo, hi in extremes]
        seen.append(
            [
                np.log1p(buys + sells),
                bps(bar_high / bar_low - 1.0),
                bps(adverse),
                np.sign(against) * bps(np.abs(against)),
                np.log1p(forced),
                np.log(variance + 1e-10),
                *(bps(value) for value in beyond),
            ]
        )
        before.append(
            [
                *log_past_variance,
                *log_past_volume,
                *(bps(value) for value in away),
                np.sin(hour),
                np.cos(hour),
                sign * np.sign(move) * bps(np.abs(move)),
            ]
        )
        range_volume.append([np.log1p(np.maximum(adverse, 0.0) * (buys + sells))])
        pre_move.append([-sign * np.sign(move) * bps(np.abs(move))])
    return Path(np.array(seen), np.array(before), np.array(range_volume), np.array(pre_move), spread, bar_low, bar_high)


def bps(relative: Floats) -> Floats:
    """Return log(1 + basis points) of a relative distance, at least 0."""
    return np.asarray(np.log1p(relative / BASIS_POINT), dtype=np.float64)


def activity_of(bars: Ints, truth: Floats, bar_ns: int) -> Floats:
    """
    Return what was liquidated before each bar: of the side in the bar before, in 4 hours and a day; of both in a day.

    Parameters
    ----------
    bars : ndarray of int64
        Starts of the bars, rising; bars that are missing count as nothing.
    truth : ndarray of float64, shape (2, bars)
        USD of each bar.
    bar_ns : int
        Length of a bar.

    Returns
    -------
    ndarray of float64, shape (2, 4, bars)
        log(1 + USD).
    """
    sums = np.concatenate((np.zeros((2, 1)), np.cumsum(truth, axis=1)), axis=1)
    index = np.arange(truth.shape[1])

    def past(length_ns: int) -> Floats:
        return np.asarray(sums[:, index] - sums[:, np.searchsorted(bars, bars - max(length_ns, bar_ns))])

    day = past(DAY_NS)
    both = np.broadcast_to(day.sum(0), truth.shape)
    found = np.stack((past(bar_ns), past(4 * HOUR_NS), day, both), axis=1)
    return np.asarray(np.log1p(np.maximum(found, 0.0)), dtype=np.float64)  # a difference of sums may be just below 0
