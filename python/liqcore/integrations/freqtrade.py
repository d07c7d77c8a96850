"""
Liquidation features as columns of a data frame of candles, as freqtrade's strategies have them.

Needs pandas, which liqcore brings along with fastparquet; freqtrade is not imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._core import Instrument
from ..errors import DataError, InvalidConfigError
from ..runs.features import features
from ..sources import Candles
from ..sources.parquet import unit_of
from ..tables.batch import TradeBatch
from ..words.times import Length, parse_duration

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_features"]

_TRADES = ("timestamp", "price", "amount", "side")
_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def add_features(
    dataframe: pd.DataFrame,
    trades: Any,
    instrument: Instrument,
    *,
    timeframe: Length | None = None,
    prefix: str = "liq_",
    **options: Any,
) -> pd.DataFrame:
    """
    Return a frame of candles with liquidation features as further columns, for ``populate_indicators``.

    Row i says what was known at the close of candle i, ``date + timeframe``: trades before it count, nothing later
    does. freqtrade acts on a row once its candle has closed, so this looks at nothing that it could not know.

    Parameters
    ----------
    dataframe : pandas.DataFrame
        Columns date (opening time, datetime64, UTC; strictly rising), open, high, low, close.
    trades : pandas.DataFrame, or as for `liqcore.features`
        A frame as freqtrade stores trades: timestamp (whole milliseconds, or datetime64), price, amount and side ("buy"
        or "sell" of the taker), in any order. Or files, a TradeBatch, arrays.
    instrument : Instrument
        Grid, contract and margin terms: not found from the trades, or later ones would refine the grid of earlier ones.
    timeframe : duration, optional
        Length of a candle, such as "5m"; by default the least distance of two rows, and never more.
    prefix : str
        Of the names of the columns, which docs/how-to/features.md defines: ``liq_price``, ``liq_long_usd_1pct``, ...
    **options
        Of `liqcore.features`: leverage, reaches, warmup, marks, ...

    Raises
    ------
    TypeError
        If `instrument` is none.
    DataError
        If columns are missing, dates do not rise, times are in another unit, or no trade can be used.
    InvalidConfigError
        If the length of a candle cannot be told, or an option breaks its rule.

    Examples
    --------
    >>> import liqcore as lq, numpy as np, pandas as pd
    >>> from liqcore.integrations.freqtrade import add_features
    >>> market = lq.simulate(days=0.1, trades_per_day=40_000)
    >>> date = pd.to_datetime((market.trades.ts[0] // 300_000_000_000 + np.arange(20)) * 300_000_000_000)
    >>> candles = pd.DataFrame({"date": date, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 0.0})
    >>> inst = lq.Instrument(symbol="SIM", tick_size=0.1, lot_size=0.001)
    >>> with_features = add_features(candles, market.trades, inst, reaches=(1, 2))
    >>> list(with_features.columns[6:9]), bool(with_features.liq_price.notna().all())
    (['liq_price', 'liq_long_usd_1pct', 'liq_long_usd_2pct'], True)
    """
    if not isinstance(instrument, Instrument):
        raise TypeError(
            "instrument must be an lq.Instrument (a grid found from all trades would let later ones refine the numbers "
            f"of earlier candles), was {instrument!r}"
        )
    missing = [name for name in ("date", "open", "high", "low", "close") if name not in dataframe.columns]
    if missing:
        raise DataError(f"dataframe: expected columns date, open, high, low, close, found no {', '.join(missing)}")
    ts = _dates(dataframe["date"])
    open_, high, low, close = (dataframe[name].to_numpy(np.float64) for name in ("open", "high", "low", "close"))
    bars = Candles(ts, open_, high, low, close, None, None, _interval(ts, timeframe))
    found = features(_trades(trades), bars, instrument=instrument, **options)
    return dataframe.assign(**{prefix + name: found[name] for name in found.names})


def _dates(dates: Any) -> NDArray[np.int64]:
    """Opening times, strictly rising."""
    if dates.dtype.kind != "M":
        raise DataError(f"dataframe: expected times in column date, found {dates.dtype}")
    _no_gaps("dataframe", "date", dates)
    ts = _ns(dates)
    falls = np.flatnonzero(np.diff(ts) <= 0)
    if len(falls):
        at = int(falls[0])
        raise DataError(
            "dataframe: expected strictly rising times in column date (sorted, none twice), "
            f"found {dates.iloc[at + 1]} after {dates.iloc[at]}"
        )
    return ts


def _no_gaps(frame: str, name: str, times: Any) -> None:
    gaps = np.flatnonzero(times.isna().to_numpy())
    if len(gaps):
        raise DataError(
            f"{frame}: expected a time in every row of column {name}, "
            f"found {times.iloc[gaps[0]]} in row {gaps[0]} and {len(gaps)} of {len(times)} in all"
        )


def _ns(dates: Any) -> NDArray[np.int64]:
    """Times of any unit and time zone."""
    if getattr(dates.dtype, "tz", None) is not None:
        dates = dates.dt.tz_convert("UTC").dt.tz_localize(None)
    ns: NDArray[np.int64] = dates.to_numpy("datetime64[ns]").view(np.int64)
    return np.ascontiguousarray(ns)


def _interval(ts: NDArray[np.int64], timeframe: Length | None) -> int:
    least = int(np.diff(ts).min()) if len(ts) > 1 else None
    if timeframe is None:
        if least is None:
            raise InvalidConfigError("timeframe must be given where there are no two rows")
        return least
    interval = parse_duration(timeframe, name="timeframe")
    if least is not None and interval > least:  # a row would know what happened after the next one began
        raise InvalidConfigError(
            f"timeframe must be at most the least distance of two rows ({least / 1e9:g} s), was {interval / 1e9:g} s"
        )
    return interval


def _trades(trades: Any) -> Any:
    """Trades of a frame of freqtrade's as a batch, anything else as it is."""
    columns = getattr(trades, "columns", ())
    if not all(name in columns for name in _TRADES) or not hasattr(trades, "sort_values"):
        return trades
    ts = _trade_times(trades["timestamp"])
    order = np.argsort(ts, kind="stable")
    sides = trades["side"].to_numpy()
    sold = sides == "sell"
    if not np.all(sold | (sides == "buy")):
        odd = next(side for side in sides if side not in ("buy", "sell"))
        raise DataError(f"trades: expected buy or sell in column side, found {odd!r}")
    price, qty = (trades[name].to_numpy(np.float64)[order] for name in ("price", "amount"))
    return TradeBatch(ts[order], price, qty, sold[order].astype(np.bool_))


def _trade_times(times: Any) -> NDArray[np.int64]:
    """Times of trades: datetimes as they are, numbers if they are milliseconds."""
    if not len(times):
        return np.empty(0, np.int64)
    _no_gaps("trades", "timestamp", times)
    if times.dtype.kind == "M":
        return _ns(times)
    expected = "trades: expected milliseconds since 1970 or datetimes in column timestamp"
    if times.dtype.kind not in "iuf":
        raise DataError(f"{expected}, found {times.iloc[0]!r}")
    for value in (times.min(), times.max()):
        unit = unit_of(int(value), int(value)) if np.isfinite(value) else None
        if unit != "ms":
            raise DataError(f"{expected}, found {value}" + (f" ({_UNITS[unit]})" if unit else ""))
    ms: NDArray[np.int64] = times.to_numpy(np.int64)
    return ms * 1_000_000
