"""
Converters of ccxt's unified structures: markets, trades, candles, open interest, mark prices.

They take what the methods of an exchange return, dicts and lists, and do not import ccxt.

**Contracts or base units.** For contracts ccxt counts a trade's ``amount`` and a candle's volume in contracts, of which
one is ``contractSize`` units of base (linear) or of quote (inverse). Quantities stay as they are by default, which is
right for an engine with the instrument of `instrument_from_ccxt`: its multiplier is the contract size.
``contract_size=`` turns contracts of a linear market into base units, for an engine whose instrument counts those; give
it to all streams of an engine or to none.

**Rows that cannot be used** are left out and counted by reason in ``report`` (whose one file is "ccxt"); more than 5 %
that cannot be read are a `DataError`, which names the fields and the first bad value. What is no list of rows, such as
None, is a TypeError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import Instrument, MarginSchedule
from ..errors import DataError, InvalidConfigError
from ..sources import Candles, FileReport, Marks, OpenInterest, ReadReport, fills
from ..sources.losses import NOT_LOST, say_losses
from ..sources.marks import unfold
from ..sources.trade_rows import Rows
from ..tables.batch import TradeBatch
from ..words.times import UNITS_NS, Length, format_duration, parse_duration

__all__ = [
    "CcxtTrades",
    "candles_from_ccxt",
    "instrument_from_ccxt",
    "marks_from_ccxt",
    "open_interest_from_ccxt",
    "trades_from_ccxt",
]

DECIMAL_PLACES, TICK_SIZE = 2, 4  # ccxt's names of what precision means
_MIN_MS, _MAX_MS = 10**11, 2**62 // 1_000_000  # 1973 to 2116: anything else is no time in milliseconds of our days
_CANDLE = ("timestamp", "open", "high", "low", "close", "volume")

Row = tuple[float, ...]


class _Unreadable(Exception):
    """A field that cannot be read, and what is wrong with it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem


@dataclass(frozen=True, slots=True, eq=False)
class CcxtTrades(TradeBatch):
    """Trades, and in ``report`` what was left out of them."""

    report: ReadReport = field(default_factory=ReadReport)


def instrument_from_ccxt(
    market: Mapping[str, Any], *, margin: MarginSchedule | None = None, venue: str = "", precision_mode: int = TICK_SIZE
) -> Instrument:
    """
    Return a market (``exchange.market(symbol)``) as an instrument whose quantities are contracts.

    Parameters
    ----------
    market : mapping
        A swap or future with ``contractSize``, ``precision`` and ``linear`` or ``inverse``.
    margin : MarginSchedule, optional
        Liquidation terms, such as `liqcore.schedule_from_ccxt` of ``exchange.fetch_market_leverage_tiers(symbol)``. By
        default liqcore's default.
    venue : str
        Such as ``exchange.id``.
    precision_mode : int
        ``exchange.precisionMode``: 4 (TICK_SIZE, with nearly all exchanges) or 2 (DECIMAL_PLACES).

    Raises
    ------
    DataError
        If it is no contract, linear and inverse at once, or something is missing.
    InvalidConfigError
        If it is a quanto contract, or of another precision mode.

    Examples
    --------
    >>> from liqcore.integrations.ccxt import instrument_from_ccxt
    >>> inst = instrument_from_ccxt({"id": "BTC-USDT-SWAP", "symbol": "BTC/USDT:USDT", "contract": True, "linear": True,
    ...                              "inverse": False, "contractSize": 0.01, "precision": {"price": 0.1, "amount": 1}})
    >>> inst.symbol, inst.contract, inst.tick_size, inst.multiplier
    ('BTC-USDT-SWAP', 'linear', 0.1, 0.01)
    """
    if not isinstance(market, Mapping):
        raise TypeError(f"market must be a mapping, as exchange.market(symbol) returns, was {market!r}")
    name = market.get("symbol") or market.get("id") or "market"
    if precision_mode not in (DECIMAL_PLACES, TICK_SIZE):
        raise InvalidConfigError(f"precision_mode must be 2 or 4, was {precision_mode}")
    if not market.get("contract", True) or not (market.get("linear") or market.get("inverse")):
        raise DataError(f"{name}: expected a contract, linear or inverse, found type {market.get('type')!r}")
    if market.get("linear") and market.get("inverse"):
        raise DataError(f"{name}: expected linear or inverse, found both")
    base, quote, settle = (market.get(key) for key in ("base", "quote", "settle"))
    if settle is not None and base is not None and settle not in (base, quote):
        raise InvalidConfigError(f"market must be linear or inverse, {name} settles in {settle}: a quanto contract")
    precision = market.get("precision") or {}
    terms: dict[str, Any] = {} if margin is None else {"margin": margin}
    for ours, theirs in (("tick_size", "price"), ("lot_size", "amount")):
        if precision.get(theirs) is None:
            raise DataError(f"{name}: expected precision['{theirs}'], found none")
        value = float(precision[theirs])
        terms[ours] = value if precision_mode == TICK_SIZE else float(f"1e{-int(value)}")
    if market.get("contractSize") is None:
        raise DataError(f"{name}: expected contractSize, found none")
    return Instrument(
        symbol=str(market.get("id") or name),
        venue=venue,
        contract="inverse" if market.get("inverse") else "linear",
        multiplier=float(market["contractSize"]),
        **terms,
    )


def trades_from_ccxt(trades: Iterable[Mapping[str, Any]], *, contract_size: float | None = None) -> CcxtTrades:
    """
    Convert trades (``fetch_trades``, ``watch_trades``), pages of them joined in any order.

    Public trades tell the taker's ``side``, in letters of any case. One's own tell the user's: where ``takerOrMaker``,
    or what the exchange said (``info``: isMaker, crossed, execType, ...) is the maker, the taker was on the other side.
    Of a trade with both rows the taker's counts, the other is counted as ``maker``; makers' rows alone are turned over,
    with a warning; own trades that do not say are ``unknown_side``, as are trades without a side. Repeats (id, time,
    price, amount and side) are counted as ``duplicate_id``; settlements, funding and the like as ``no_trade``.

    Parameters
    ----------
    trades : iterable of mappings
        With timestamp (ms), price, amount, side and perhaps id.
    contract_size : float, optional
        Base units in a contract: quantities become base units.

    Raises
    ------
    DataError
        If more than 5 % cannot be read, or they are of several symbols.

    Examples
    --------
    >>> from liqcore.integrations.ccxt import trades_from_ccxt
    >>> page = [{"id": "1", "timestamp": 1_781_222_400_000, "price": 63_605.5, "amount": 2.0, "side": "sell"}]
    >>> trades = trades_from_ccxt(page + page, contract_size=0.01)
    >>> trades.qty, trades.taker_sell, trades.report.rejected
    (array([0.02]), array([ True]), {'duplicate_id': 1})
    """
    report = _report()
    factor = _factor(contract_size)
    seen: set[Row] = set()
    symbols: set[str] = set()

    def convert(trade: Mapping[str, Any]) -> Row | str:
        ts, price, qty = _time(trade, "timestamp"), _number(trade, "price"), _number(trade, "amount") * factor
        side = trade.get("side")
        if side is not None:
            side = str(side).lower()
            if side not in ("buy", "sell"):
                raise _Unreadable("side", f"side {trade['side']!r}, neither buy nor sell")
        if trade.get("symbol"):
            symbols.add(trade["symbol"])
        info = trade.get("info")
        info = info if isinstance(info, dict) else {}
        if fills.is_no_trade(info):
            return "no_trade"
        maker = fills.is_maker(trade.get("takerOrMaker"))
        maker = fills.role_of(info) if maker is None else maker
        unknown = side is None or (maker is None and _is_own(trade))
        bad = _bad(price, qty) or ("unknown_side" if unknown else None)
        if bad == "not_positive" and qty == 0:
            report.reject(bad, 0, 1)
        if bad is not None:
            return bad
        id = _core.NO_ID if trade.get("id") is None else _core.parse_id(str(trade["id"]))
        row = (ts, price, qty, side == "sell", maker is True, id)
        if id != _core.NO_ID:
            if row in seen:
                return "duplicate_id"
            seen.add(row)
        return row

    rows = _rows("trades", trades, convert, report)
    if len(symbols) > 1:
        raise DataError(f"ccxt: expected trades of one symbol, found {', '.join(sorted(symbols))}")
    found = _taken(rows, report)
    ts, price, qty = found.ts, found.price, found.qty
    report.price_decimals, report.qty_decimals = _core.finest_decimals(price), _core.finest_decimals(qty)
    return CcxtTrades(ts, price, qty, found.taker_sell, _done(report, price))


def candles_from_ccxt(
    ohlcv: Iterable[Sequence[Any]],
    timeframe: Length,
    *,
    contract_size: float | None = None,
    until: int | None = None,
) -> Candles:
    """
    Convert candles (``fetch_ohlcv``): lists of opening time (ms), open, high, low, close and volume.

    ccxt does not tell taker volumes, so these candles only touch; ``volume`` has what was traded. Of those with the
    same opening time the last counts, the others are counted as ``duplicate_time``; candles that contradict themselves
    as ``contradictory``. All must open on the grid of `timeframe`: whole multiples of it apart, and up to an hour
    multiples of it since 1970. Months (30 days) and longer are not held to it.

    Parameters
    ----------
    ohlcv : iterable of sequences
    timeframe : duration
        Length of a candle, such as "5m"; a month of ccxt ("1M") is no length of time.
    contract_size : float, optional
        Base units in a contract: volumes become base units.
    until : int, optional
        ``exchange.milliseconds()`` of the answer: candles that had not ended by then are left out and counted as
        ``unfinished``. Exchanges do send the running one.

    Raises
    ------
    DataError
        If candles open off the grid, or more than 5 % cannot be read.
    InvalidConfigError
        If `timeframe` is no length of time, or `until` no time in milliseconds (1973 to 2116).

    Examples
    --------
    >>> from liqcore.integrations.ccxt import candles_from_ccxt
    >>> rows = [[1_781_222_400_000, 100.0, 102.0, 99.0, 101.0, 5.0], [1_781_222_460_000, 101.0, 101.0, 101.0, 101.0, 1]]
    >>> candles = candles_from_ccxt(rows, "1m", until=1_781_222_470_000)
    >>> candles.close, candles.report.rejected
    (array([101.]), {'unfinished': 1})
    """
    interval, report, factor = parse_duration(timeframe, name="timeframe"), _report(), _factor(contract_size)
    ts, (open_, high, low, close, volume) = _klines("ohlcv", ohlcv, interval, until, report, factor)
    return Candles(ts, open_, high, low, close, None, None, interval, volume, _done(report, open_))


def marks_from_ccxt(rows: Iterable[Any], timeframe: Length | None = None, *, until: int | None = None) -> Marks:
    """
    Convert mark prices: tickers with ``markPrice`` and ``timestamp`` (``fetch_mark_price``, ``watch_mark_price``), or
    candles of the mark price (``fetch_mark_ohlcv``).

    A candle's open is used at its opening time; low, high and close, which nobody knew before, at its last nanosecond,
    as in `liqcore.read_marks`.

    Parameters
    ----------
    rows : iterable of mappings, or of sequences
    timeframe : duration, optional
        Of candles, and only for them: their length.
    until : int, optional
        As for `candles_from_ccxt`.

    Examples
    --------
    >>> from liqcore.integrations.ccxt import marks_from_ccxt
    >>> marks_from_ccxt([{"timestamp": 1_781_222_400_000, "markPrice": 63_605.5}]).price
    array([63605.5])
    """
    report = _report()
    if timeframe is not None:
        interval = parse_duration(timeframe, name="timeframe")
        opens, prices = _klines("rows", rows, interval, until, report, 1.0)
        ts, price = unfold(opens, np.array(prices), interval)
        return Marks(ts, price, _done(report, price))

    def convert(ticker: Mapping[str, Any]) -> Row | str:
        ts, price = _time(ticker, "timestamp"), _number(ticker, "markPrice")
        return _bad(price) or (ts, price)

    ts, (price,) = _sorted(_rows("rows", rows, convert, report), 2, report)
    return Marks(ts, price, _done(report, price))


def open_interest_from_ccxt(
    samples: Iterable[Mapping[str, Any]], unit: str, *, instrument: Instrument, sides: str = "one"
) -> OpenInterest:
    """
    Convert open interest (``fetch_open_interest_history``, ``fetch_open_interest``) to contracts, one side counted.

    What ``openInterestAmount`` counts differs between ccxt's exchanges, so it must be said.

    Parameters
    ----------
    samples : iterable of mappings
        With timestamp (ms) and openInterestAmount or openInterestValue.
    unit : {"contracts", "base", "usd"}
        What to read: the amount, in contracts or in base units (linear contracts only); or, of inverse contracts, the
        value in USD. The result is in the unit of the trades of `instrument`: divided by its multiplier unless in
        contracts already.
    instrument : Instrument
        That of `instrument_from_ccxt`, or one with multiplier 1 that counts base units.
    sides : {"one", "two"}
        "two" halves what an exchange counts on both sides, such as Bybit, Gate and HTX.

    Examples
    --------
    >>> import liqcore as lq
    >>> from liqcore.integrations.ccxt import open_interest_from_ccxt
    >>> inst = lq.Instrument(symbol="BTC-USDT-SWAP", tick_size=0.1, lot_size=1, multiplier=0.01)
    >>> sample = {"timestamp": 1_781_222_400_000, "openInterestAmount": 80_872.0, "openInterestValue": 5e9}
    >>> open_interest_from_ccxt([sample], "base", instrument=inst).quantity
    array([8087200.])
    """
    if not isinstance(instrument, Instrument):
        raise TypeError(f"instrument must be an lq.Instrument, was {instrument!r}")
    if unit not in ("contracts", "base", "usd"):
        raise InvalidConfigError(f'unit must be "contracts", "base" or "usd", was {unit!r}')
    if unit != "contracts" and (unit == "usd") != (instrument.contract == "inverse"):
        usual = "usd" if unit == "base" else "base"
        raise InvalidConfigError(f'unit must be "contracts" or "{usual}" for {instrument.contract} ones, was "{unit}"')
    if sides not in ("one", "two"):
        raise InvalidConfigError(f'sides must be "one" or "two", was {sides!r}')
    divisor = (1.0 if unit == "contracts" else instrument.multiplier) * (2 if sides == "two" else 1)
    key = "openInterestValue" if unit == "usd" else "openInterestAmount"
    report = _report()

    def convert(sample: Mapping[str, Any]) -> Row | str:
        ts, quantity = _time(sample, "timestamp"), _number(sample, key) / divisor
        return _bad(quantity) or (ts, quantity)

    ts, (quantity,) = _last_of_each(*_sorted(_rows("samples", samples, convert, report), 2, report), report)
    return OpenInterest(ts, quantity, "contracts", _done(report))


# --- what they share ---


def _report() -> FileReport:
    return FileReport("ccxt", "ccxt", "ccxt", 0, time_unit="ms")


def _done(report: FileReport, price: NDArray[np.float64] | None = None) -> ReadReport:
    if price is not None and len(price):
        report.first_price = float(price[0])
    return ReadReport([report], complete=True)


def _factor(contract_size: float | None) -> float:
    if contract_size is not None and not (contract_size > 0 and isfinite(contract_size)):
        raise InvalidConfigError(f"contract_size must be finite and above 0, was {contract_size}")
    return 1.0 if contract_size is None else float(contract_size)


def _until_ns(until: Any) -> int:
    whole = isinstance(until, int | float | np.integer | np.floating) and isfinite(until)
    if not whole or not _MIN_MS <= until <= _MAX_MS:
        raise InvalidConfigError(
            "until must be milliseconds since 1970, from 1973 to 2116, as exchange.milliseconds() returns, "
            f"was {until!r}"
        )
    return int(until) * 1_000_000


def _cell(row: Any, key: str | int, name: str) -> Any:
    try:
        return row[key]
    except (KeyError, IndexError, TypeError):
        raise _Unreadable(name, f"no {name}") from None


def _number(row: Any, key: str | int, name: str = "") -> float:
    name = name or str(key)
    value = _cell(row, key, name)
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise _Unreadable(name, f"{name} {value!r}, no number") from None


def _time(row: Any, key: str | int) -> int:
    value = _cell(row, key, "timestamp")
    try:
        ms = int(value)
    except (TypeError, ValueError, OverflowError):
        ms = 0
    if not _MIN_MS <= ms <= _MAX_MS:
        raise _Unreadable("timestamp", f"timestamp {value!r}, no milliseconds of 1973 to 2116")
    return ms * 1_000_000


def _bad(*values: float) -> str | None:
    """Why prices and quantities cannot be used, if they cannot."""
    if not all(map(isfinite, values)):
        return "not_finite"
    return None if all(value > 0 for value in values) else "not_positive"


def _rows(name: str, items: Iterable[Any], convert: Callable[[Any], Row | str], report: FileReport) -> list[Row]:
    """Convert one by one; a text says why a row is left out, `_Unreadable` that it cannot be read."""
    if not isinstance(items, Iterable) or isinstance(items, str | bytes | Mapping):
        raise TypeError(f"{name} must be a list of what ccxt returns, was {items!r}")
    rows = []
    for at, item in enumerate(items):
        report.rows_read += 1
        try:
            row = convert(item)
        except _Unreadable as error:
            row = "unreadable"
            report.unreadable[error.name] = report.unreadable.get(error.name, 0) + 1
            report.example = report.example or f"{name}[{at}]: {error.problem}"
        if isinstance(row, str):
            report.reject(row, 1)
            if row not in NOT_LOST:
                report.example = report.example or f"{name}[{at}]"
        else:
            rows.append(row)
    say_losses(report)
    return rows


def _sorted(rows: list[Row], width: int, report: FileReport) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Times, and the other columns."""
    ts = np.array([row[0] for row in rows], np.int64)
    order = np.argsort(ts, kind="stable")
    values = [np.array([row[i] for row in rows], np.float64)[order] for i in range(1, width)]
    ts = ts[order]
    report.rows_used = len(ts)
    if len(ts):
        report.first_ts, report.last_ts = int(ts[0]), int(ts[-1])
    return ts, values


def _is_own(trade: Mapping[str, Any]) -> bool:
    """Whether a trade is one of a user's: it has the order, or what it cost."""
    fee = trade.get("fee")
    return bool(trade.get("order") or (isinstance(fee, Mapping) and fee.get("cost")))


def _taken(rows: Sequence[Row], report: FileReport) -> Rows:
    """Trades in order of time, of makers and takers the latter."""
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * 6
    ids = np.array(columns[5], np.int64)
    found = Rows(
        np.array(columns[0], np.int64),
        np.array(columns[1], np.float64),
        np.array(columns[2], np.float64),
        np.array(columns[3], np.bool_),
        None if bool(np.any(ids == _core.NO_ID)) else ids,
        users=np.array(columns[4], np.int8),
    )
    found = fills.sort_out(found, report, "takerOrMaker")
    found = found.take(np.argsort(found.ts, kind="stable"))
    report.rows_used = len(found)
    if len(found):
        report.first_ts, report.last_ts = int(found.ts[0]), int(found.ts[-1])
    return found


def _last_of_each(
    ts: NDArray[np.int64], values: list[NDArray[np.float64]], report: FileReport
) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Of rows of one time the one that came last."""
    last = np.append(ts[1:] != ts[:-1], True)[: len(ts)]
    report.reject("duplicate_time", int(len(ts) - last.sum()))
    report.rows_used = int(last.sum())
    return ts[last], [column[last] for column in values]


def _klines(
    name: str, ohlcv: Iterable[Sequence[Any]], interval: int, until: int | None, report: FileReport, factor: float
) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Opening times, and open, high, low, close, volume."""
    until_ns = None if until is None else _until_ns(until)

    def convert(candle: Sequence[Any]) -> Row | str:
        ts, prices = _time(candle, 0), tuple(_number(candle, i, _CANDLE[i]) for i in range(1, 5))
        volume = _number(candle, 5, _CANDLE[5]) if len(candle) > 5 and candle[5] is not None else 0.0
        open_, high, low, close = prices
        if until_ns is not None and ts + interval > until_ns:
            return "unfinished"
        bad = _bad(*prices) or (None if isfinite(volume) else "not_finite")
        if bad is None and not (low <= min(open_, close) and max(open_, close) <= high and volume >= 0):
            bad = "contradictory"
        return bad or (ts, *prices, volume * factor)

    opens, columns = _last_of_each(*_sorted(_rows(name, ohlcv, convert, report), 6, report), report)
    _check_grid(opens, interval)
    return opens, columns


def _check_grid(opens: NDArray[np.int64], interval: int) -> None:
    """Refuse candles nearer than their length; what is longer than an hour may begin at an exchange's own midnight."""
    if not len(opens) or interval >= UNITS_NS["mo"]:
        return
    begin = 0 if UNITS_NS["h"] % interval == 0 else int(opens[0])
    off = np.flatnonzero((opens - begin) % interval)
    if len(off):
        since = "1970" if begin == 0 else str(begin // 1_000_000)
        raise DataError(
            f"ccxt: expected candles that open whole timeframes ({format_duration(interval)}) after {since}, "
            f"found one at {opens[off[0]] // 1_000_000} ({len(off)} of {len(opens)} candles)"
        )
