"""
A seeded market whose leveraged positions are known: what a venue would publish, and the true live levels behind it.

Nobody publishes positions on a centralised venue, so an estimate of liquidation levels cannot be checked against the
real thing. Here it can. Everything that comes out of this module is synthetic, and says so (``Market.synthetic``).

How the market works
--------------------
*Agents* open one isolated, linear position each, with a leverage drawn from the requested shares, and end it in one of
two ways: they close it after a holding time (the higher the leverage, the shorter), or the venue liquidates it. Each
of the three is a taker order in the trade stream, filled in one or more trades at one timestamp by a *market maker*,
who is the only other account, nets everything, and is not leveraged, so it is never liquidated.

*Sides.* Trend followers buy what rose, contrarians sell what rose, the others follow a slow mood; all look at prices
of past minutes only.

*Price.* log price = fundamental + lasting impact + decaying impact. The fundamental is a random walk with stochastic
volatility, an intraday pattern and rare jumps. Lasting impact is proportional to the agents' net position (Kyle 1985),
so what an open moves, its close moves back; as much again decays with a half-life of 20 s (a propagator, Bouchaud et
al. 2004).

*Mark price.* Once a second: the price without the decaying impact, plus a moving average of that impact with a
half-life of 15 s, on the tick grid. A long is liquidated at the first mark at or below its liquidation price, a short
at the first at or above it (maintenance margin on the mark value, no fees):

    long  entry x (1 - 1/leverage) / (1 - mmr)        short  entry x (1 + 1/leverage) / (1 + mmr)

A liquidation is a market order in the same instant: its fills carry the timestamp of the mark, and move the next
marks. That is how a cascade comes about. An order whose liquidation price the last mark has reached already is
refused, as a venue refuses an order without margin.

*Open interest* is one-sided: every contract has one long and one short. Agents hold ``long`` and ``short``, the maker
the difference, so the longs of everybody together are ``max(long, short)``.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..tables.batch import TradeBatch

__all__ = [
    "CLOSE",
    "LIQUIDATION",
    "LIVE",
    "OPEN",
    "Levels",
    "Liquidations",
    "Market",
    "Marks",
    "OpenInterest",
    "Positions",
    "simulate",
]

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Sides: TypeAlias = NDArray[np.int8]
Bools: TypeAlias = NDArray[np.bool_]

# What a trade did (Market.intent), and how a position ended (Positions.outcome).
OPEN: Final = 0
LIVE: Final = 0
CLOSE: Final = 1
LIQUIDATION: Final = 2

_NEVER: Final = np.iinfo(np.int64).max
_MS: Final = 1_000_000
_DAY_S: Final = 86_400
_BLOCK_S: Final = (
    60  # orders are planned a minute at a time; a position lives at least that long, so no plan depends on itself
)
_MINUTES_PER_DAY: Final = _DAY_S // _BLOCK_S

# The shape of the market. Sizes, fills per order and volatility by the second resemble days of BTC on Hyperliquid in
# June 2026; the rest is judged by its effect: daily ranges, open interest against turnover, share liquidated.
_LEVERAGE: Final = MappingProxyType({3.0: 0.20, 5.0: 0.20, 10.0: 0.25, 25.0: 0.18, 50.0: 0.11, 100.0: 0.06})
_HOLD_HOURS_AT_1X: Final = 120.0
_HOLD_EXPONENT: Final = 0.9  # mean holding time = 120 h / leverage^0.9: 45 h at 3x, 15 h at 10x, 1.9 h at 100x
_HOLD_SIGMA: Final = 1.2  # of the log holding time: many leave early, a few stay for days
_HOLD_MAX_DAYS: Final = 10.0
_SIZE_SIGMA: Final = 2.0  # of the log order size: the largest tenth of the orders is 75 % of the volume
_SIZE_MAX: Final = 300.0  # times the mean
_IMPACT_HALF_LIFE_S: Final = 20.0
_MARK_HALF_LIFE_S: Final = 15.0
_HALF_SPREAD: Final = 1e-5  # of the price, at least half a tick
_JUMPS_PER_DAY: Final = 4.0
_JUMP_SIZE: Final = 0.25  # standard deviation, in daily volatilities: a quarter of the variance comes from jumps
_JUMP_HALF_LIFE_S: Final = 3.0  # news takes seconds to be read
_SLOW_SIGMA, _SLOW_MINUTES = 0.35, 1440.0  # log-volatility, the part that lasts a day
_FAST_SIGMA, _FAST_MINUTES = 0.45, 20.0  # and the part that lasts minutes
_ACTIVITY_MEAN: Final = 1.1  # of the surprise term and the jumps' aftermath: measured over 60 simulated days
_MOOD_MINUTES: Final = (30.0, 480.0)
_TREND, _CONTRARIAN, _MOOD = 0.40, 0.30, 0.40  # how far each group can tilt the share of longs


@dataclass(frozen=True, eq=False)
class OpenInterest:
    """
    Open interest once a minute, one-sided; liquidations and trades at the same timestamp are already in it.

    Attributes
    ----------
    ts : ndarray of int64
        Nanoseconds since the UNIX epoch, UTC.
    quantity : ndarray of float64
        Units of base.
    """

    ts: Ints
    quantity: Floats


@dataclass(frozen=True, eq=False)
class Marks:
    """
    Mark price once a second.

    Attributes
    ----------
    ts : ndarray of int64
        Nanoseconds since the UNIX epoch, UTC.
    price : ndarray of float64
        Quote currency per unit, on the tick grid.
    """

    ts: Ints
    price: Floats


@dataclass(frozen=True, eq=False)
class Liquidations:
    """
    Every liquidation, in time order (a complete feed, unlike most real ones).

    Attributes
    ----------
    ts : ndarray of int64
        Time of the mark that triggered it, and of its fills; nanoseconds since the UNIX epoch, UTC.
    side : ndarray of int8
        Side of the position: +1 a long was liquidated (the order sold), -1 a short.
    price : ndarray of float64
        Average price of the fills.
    quantity : ndarray of float64
        Units of base.
    leverage, entry_price, liquidation_price : ndarray of float64
        Of the position.
    position : ndarray of int64
        Its row in ``Market.positions``.
    """

    ts: Ints
    side: Sides
    price: Floats
    quantity: Floats
    leverage: Floats
    entry_price: Floats
    liquidation_price: Floats
    position: Ints

    def __len__(self) -> int:
        return self.ts.size


@dataclass(frozen=True, eq=False)
class Positions:
    """
    The truth: every position of every agent, in order of opening.

    Attributes
    ----------
    side : ndarray of int8
        +1 long, -1 short.
    quantity, leverage, entry_price, liquidation_price : ndarray of float64
        Liquidation price is NaN where there is none (a long with leverage 1).
    opened, ended : ndarray of int64
        Nanoseconds since the UNIX epoch, UTC; the position is alive in ``[opened, ended)``. Opened before the
        market's start: it was there already. Never ended: the largest int64.
    outcome : ndarray of int8
        ``LIVE`` (0), ``CLOSE`` (1) or ``LIQUIDATION`` (2), as known at the market's end.
    """

    side: Sides
    quantity: Floats
    leverage: Floats
    entry_price: Floats
    liquidation_price: Floats
    opened: Ints
    ended: Ints
    outcome: Sides

    def __len__(self) -> int:
        return self.opened.size


@dataclass(frozen=True, eq=False)
class Levels:
    """
    Positions alive at one instant.

    Attributes
    ----------
    side : ndarray of int8
        +1 long, -1 short.
    liquidation_price, quantity, leverage, entry_price : ndarray of float64
        As in ``Positions``.
    """

    side: Sides
    liquidation_price: Floats
    quantity: Floats
    leverage: Floats
    entry_price: Floats

    def __len__(self) -> int:
        return self.side.size


@dataclass(frozen=True, eq=False, repr=False)
class Market:
    """
    What `simulate` returns: what a venue would publish, and the truth behind it.

    Attributes
    ----------
    trades : TradeBatch
        Every trade.
    open_interest : OpenInterest
        One-sided, once a minute.
    marks : Marks
        Once a second.
    liquidations : Liquidations
        Every liquidation.
    positions : Positions
        Every position of every agent.
    intent : ndarray of int8, shape (trades,)
        What each trade did to its taker: ``OPEN`` (0), ``CLOSE`` (1) or ``LIQUIDATION`` (2).
    position : ndarray of int64, shape (trades,)
        Which row of `positions` each trade belongs to.
    profile : Mapping of float to float
        Share of each leverage in the quantity opened by the trades: as requested, but for chance and refused orders.
    start, end : int
        Nanoseconds since the UNIX epoch, UTC; everything published lies in ``[start, end)``.
    parameters : Mapping
        Every argument of `simulate`, resolved.
    synthetic : bool
        Always True.
    """

    trades: TradeBatch
    open_interest: OpenInterest
    marks: Marks
    liquidations: Liquidations
    positions: Positions
    intent: Sides
    position: Ints
    profile: Mapping[float, float]
    start: int
    end: int
    parameters: Mapping[str, Any]
    synthetic: bool = True

    def live_levels(self, ts: int | str | np.datetime64) -> Levels:
        """
        Return the positions alive at a time: opened at or before it, not ended yet.

        No live long level lies at or above the last mark, no live short level at or below it. Costs one pass over
        `positions`.

        Parameters
        ----------
        ts : int, str or datetime64
            Nanoseconds since the UNIX epoch, an ISO date and time, or a datetime64; all UTC.

        Returns
        -------
        Levels
            One row a position, in order of opening.

        Raises
        ------
        InvalidConfigError
            If `ts` lies outside ``[start, end)``.
        """
        at = _timestamp("ts", ts)
        if not self.start <= at < self.end:
            first, end = np.datetime64(self.start, "ns"), np.datetime64(self.end, "ns")
            raise InvalidConfigError(f"ts must lie in [{first}, {end}), was {np.datetime64(at, 'ns')}")
        p = self.positions
        alive = (p.opened <= at) & (p.ended > at)
        return Levels(
            p.side[alive], p.liquidation_price[alive], p.quantity[alive], p.leverage[alive], p.entry_price[alive]
        )

    def __repr__(self) -> str:
        first, end = np.datetime64(self.start, "ns").astype("M8[s]"), np.datetime64(self.end, "ns").astype("M8[s]")
        return (
            f"Market(synthetic, {first} .. {end} UTC: {len(self.trades)} trades, {len(self.positions)} positions, "
            f"{len(self.liquidations)} liquidations)"
        )


def simulate(
    *,
    seed: int = 1,
    days: float = 3.0,
    start: int | str | np.datetime64 = "2026-01-05",
    price: float = 60_000.0,
    tick_size: float = 0.1,
    lot_size: float = 0.001,
    trades_per_day: float = 200_000,
    order_notional: float = 15_000.0,
    leverage: Mapping[float, float] | None = None,
    mmr: float = 0.004,
    volatility: float = 0.02,
    impact: float = 0.001,
    existing_positions: bool = True,
) -> Market:
    """
    Simulate a perpetual-futures market whose positions, and so whose liquidation levels, are known.

    The module's description says how it works. Cost: about 1 s and 35 MB a day of 200,000 trades; time grows with
    `days` and, more slowly, with `trades_per_day`. Equal arguments give equal bits on one machine and numpy version,
    and what a longer simulation publishes begins with what the shorter one does.

    Parameters
    ----------
    seed : int, default 1
        Which of the possible histories; at least 0.
    days : float, default 3.0
        Length, in days of 24 hours; at least a millisecond.
    start : int, str or datetime64, default "2026-01-05"
        Nanoseconds since the UNIX epoch, an ISO date and time, or a datetime64; all UTC.
    price : float, default 60000.0
        First mark price, quote currency per unit of base; rounded to the tick.
    tick_size : float, default 0.1
        Price grid; from a billionth to a thousandth of `price`.
    lot_size : float, default 0.001
        Quantity grid, units of base.
    trades_per_day : float, default 200000
        Expected number of trades; one day may have half or twice as many.
    order_notional : float, default 15000.0
        Mean notional of an order, quote currency; sizes are heavy-tailed, and at least one lot.
    leverage : Mapping of float to float, optional
        Share of each leverage in what agents open; at least 1 each, shares sum to 1. By default
        ``{3: 0.20, 5: 0.20, 10: 0.25, 25: 0.18, 50: 0.11, 100: 0.06}``.
    mmr : float, default 0.004
        Maintenance margin rate, one for all; at least 0 and below 1 / leverage.
    volatility : float, default 0.02
        Daily standard deviation of the fundamental log price; above 0, at most 0.5. Order flow comes on top.
    impact : float, default 0.001
        Lasting relative price move when agents' net position changes by 1 % of a day's volume; as much again decays.
        From 0 (liquidations move nothing) to 0.05.
    existing_positions : bool, default True
        Whether agents hold positions at `start`, opened at prices of an unpublished past. False: every position is
        opened in the trade stream, and open interest starts at zero.

    Returns
    -------
    Market
        Trades, open interest, marks, liquidations, and the truth about every position.

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule; the message names argument, rule and value.

    Examples
    --------
    >>> market = simulate(seed=7, days=0.25, trades_per_day=20_000)
    >>> market.synthetic, len(market.marks.ts), len(market.open_interest.ts)
    (True, 21600, 360)
    >>> live = market.live_levels("2026-01-05T03:00")
    >>> mark = market.marks.price[3 * 3600]
    >>> bool((live.liquidation_price[live.side > 0] < mark).all())
    True
    """
    settings = _checked(
        seed=seed,
        days=days,
        start=start,
        price=price,
        tick_size=tick_size,
        lot_size=lot_size,
        trades_per_day=trades_per_day,
        order_notional=order_notional,
        leverage=_LEVERAGE if leverage is None else leverage,
        mmr=mmr,
        volatility=volatility,
        impact=impact,
        existing_positions=bool(existing_positions),
    )
    simulation = _Simulation(settings)
    for _ in range(math.ceil(settings.seconds / _BLOCK_S)):
        simulation.minute()
    return simulation.result()


@dataclass(frozen=True)
class _Settings:
    """Checked arguments of `simulate`, in plain types."""

    seed: int
    days: float
    start: int
    price: float
    tick_size: float
    lot_size: float
    trades_per_day: float
    order_notional: float
    leverage: Mapping[float, float]
    mmr: float
    volatility: float
    impact: float
    existing_positions: bool

    @property
    def end(self) -> int:
        return self.start + round(self.days * _DAY_S * 1000) * _MS

    @property
    def seconds(self) -> float:
        return (self.end - self.start) / (1000 * _MS)


def _checked(
    *, seed: int, start: int | str | np.datetime64, leverage: Mapping[float, float], **others: Any
) -> _Settings:
    """Return the settings, or raise InvalidConfigError for the first argument that breaks its rule."""

    def number(name: str, rule: str, holds: Callable[[float], bool]) -> float:
        try:
            value = float(others[name])
        except (TypeError, ValueError):
            raise InvalidConfigError(f"{name} must be a number, was {others[name]!r}") from None
        if not (math.isfinite(value) and holds(value)):
            raise InvalidConfigError(f"{name} must be {rule}, was {others[name]!r}")
        return value

    try:
        whole_seed = operator.index(seed)
    except TypeError:
        raise InvalidConfigError(f"seed must be a whole number, was {seed!r}") from None
    if whole_seed < 0:
        raise InvalidConfigError(f"seed must be at least 0, was {seed!r}")
    begin = _timestamp("start", start)
    days = number("days", "at least a millisecond", lambda value: value * _DAY_S * 1000 >= 1)
    if begin + days * _DAY_S * 1e9 >= _NEVER:
        raise InvalidConfigError(f"days must end before the year 2262, was {others['days']!r}")
    price = number("price", "above 0", lambda value: value > 0)
    # Below a billionth of the price, and above a billion lots an order, whole ticks and lots would not add up exactly.
    tick_size = number(
        "tick_size",
        f"from a billionth to a thousandth of price {price:g}",
        lambda value: price * 1e-9 <= value <= price * 1e-3,
    )
    lot_size = number("lot_size", "above 0", lambda value: value > 0)
    for name, step in (("tick_size", tick_size), ("lot_size", lot_size)):
        if _decimal(step)[1] > 12:
            raise InvalidConfigError(f"{name} must have at most 12 decimals, was {others[name]!r}")
    trades_per_day = number("trades_per_day", "at least 1", lambda value: value >= 1)
    order_notional = number(
        "order_notional",
        f"above 0 and at most a billion lots of {lot_size:g} at price {price:g}",
        lambda value: 0 < value <= 1e9 * lot_size * price,
    )
    mmr = number("mmr", "at least 0 and below 1", lambda value: 0 <= value < 1)
    volatility = number("volatility", "above 0 and at most 0.5", lambda value: 0 < value <= 0.5)
    impact = number("impact", "from 0 to 0.05", lambda value: 0 <= value <= 0.05)
    return _Settings(
        seed=whole_seed,
        days=days,
        start=begin,
        price=price,
        tick_size=tick_size,
        lot_size=lot_size,
        trades_per_day=trades_per_day,
        order_notional=order_notional,
        leverage=_checked_leverage(leverage, mmr),
        mmr=mmr,
        volatility=volatility,
        impact=impact,
        existing_positions=others["existing_positions"],
    )


def _checked_leverage(leverage: Mapping[float, float], mmr: float) -> Mapping[float, float]:
    try:
        shares = {float(tier): float(share) for tier, share in sorted(leverage.items())}
    except (AttributeError, TypeError, ValueError):
        raise InvalidConfigError(f"leverage must map leverage to share, both numbers, was {leverage!r}") from None
    for tier, share in shares.items():
        if not (math.isfinite(tier) and tier >= 1):
            raise InvalidConfigError(f"leverage must be at least 1, was {tier:g}")
        if not (math.isfinite(share) and share >= 0):
            raise InvalidConfigError(f"leverage must have shares of at least 0, was {share!r} at {tier:g}x")
        if mmr >= 1 / tier:
            raise InvalidConfigError(f"mmr must be below 1 / leverage = {1 / tier:g} at {tier:g}x, was {mmr!r}")
    total = math.fsum(shares.values())
    if abs(total - 1) > 1e-9:
        raise InvalidConfigError(f"leverage must have shares that sum to 1, was {total!r}")
    return shares


def _timestamp(name: str, value: int | str | np.datetime64) -> int:
    """Return nanoseconds since the UNIX epoch."""
    if isinstance(value, str | np.datetime64):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # numpy only warns of a time zone
                time: Any = np.datetime64(str(value).removesuffix("Z"))
            exact = time.astype("M8[ns]")
        except (ValueError, Warning):
            raise InvalidConfigError(f"{name} must be an ISO date and time in UTC, was {value!r}") from None
        if np.isnat(exact) or exact.astype("M8[s]") != time.astype("M8[s]"):  # outside what 64 bits of nanoseconds hold
            raise InvalidConfigError(f"{name} must be a time from 1970 to 2262, was {value!r}")
        ts = int(exact.astype(np.int64))
    else:
        try:
            ts = operator.index(value)
        except TypeError:
            raise InvalidConfigError(
                f"{name} must be a time (int nanoseconds, ISO text or datetime64), was {value!r}"
            ) from None
    if not 0 <= ts < _NEVER:
        raise InvalidConfigError(f"{name} must be a time from 1970 to 2262, was {value!r}")
    return ts


def _decimal(step: float) -> tuple[int, int]:
    """Return (whole number, decimals) of a grid's step: 0.25 is (25, 2)."""
    sign_free = Decimal(repr(step)).normalize()
    decimals = max(0, -int(sign_free.as_tuple().exponent))
    return int(sign_free.scaleb(decimals)), decimals


class _Grid:
    """A decimal grid; its values are the doubles that the decimal text would be read as."""

    def __init__(self, step: float) -> None:
        self.step = step
        self._whole, decimals = _decimal(step)
        self._scale = 10.0**decimals

    def value(self, steps: Floats | Ints) -> Floats:
        return np.asarray(steps * self._whole / self._scale, dtype=np.float64)


class _Columns:
    """Equally long arrays that grow together."""

    def __init__(self, **dtypes: Any) -> None:
        self.size = 0
        self._data = {name: np.empty(1024, dtype) for name, dtype in dtypes.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._data[name][: self.size]

    def append(self, count: int, **columns: Any) -> None:
        stop = self.size + count
        for name, data in self._data.items():
            if stop > data.size:
                grown = np.empty(max(stop, 2 * data.size), data.dtype)
                grown[: self.size] = data[: self.size]
                self._data[name] = data = grown
            data[self.size : stop] = columns[name]
        self.size = stop

    def keep(self, rows: NDArray[Any]) -> None:
        for data in self._data.values():
            kept = data[: self.size][rows]
            data[: kept.size] = kept
        self.size = kept.size


@dataclass(frozen=True, eq=False)
class _Plan:
    """Orders that agents mean to send within a minute; times count from the market's start."""

    ms: Ints
    second: Ints  # within the minute
    first: Ints  # row of the first order of the same second
    sign: Floats
    lots: Floats
    opens: Bools
    slot: Ints  # of the live position that a close ends, else -1
    tier: Ints  # of an open, else -1
    close_ms: Ints  # of an open
    fills: _Fills


@dataclass(frozen=True, eq=False)
class _Fills:
    """How orders are split into trades."""

    order: Ints
    lots: Floats
    middle: Floats  # lots of the order filled before this trade, and half of it
    first: Ints  # row of each order's first trade


@dataclass(frozen=True, eq=False)
class _Path:
    """A minute of prices, as it follows from the orders sent in it."""

    before: Floats  # net lots bought since the minute began, at the start of each second and at its end
    log_mid: Floats  # at the start of each second, before the liquidations of that second
    decaying: float  # impact left at the end of the minute
    basis: float  # moving average of the decaying impact at the last mark
    mark: Floats
    fill_ticks: Floats  # of the plan's fills
    entry: Floats  # average price of each order of the plan
    level: Floats  # liquidation price of what each order opens


class _Simulation:
    """State of the market between two minutes."""

    def __init__(self, settings: _Settings) -> None:
        s = self.settings = settings
        streams = np.random.SeedSequence(s.seed).spawn(4)
        self._fundamental_rng, self._order_rng, self._liquidation_rng, past_rng = (
            np.random.Generator(np.random.PCG64(stream)) for stream in streams
        )
        self._price, self._lot = _Grid(s.tick_size), _Grid(s.lot_size)
        self._tiers = np.array(list(s.leverage), dtype=np.float64)
        self._cumulative_share = np.cumsum(list(s.leverage.values()))
        self._long_factor = (1 - 1 / self._tiers) / (1 - s.mmr)
        self._short_factor = (1 + 1 / self._tiers) / (1 + s.mmr)
        self._hold_ms = _HOLD_HOURS_AT_1X * 3.6e6 / self._tiers**_HOLD_EXPONENT
        self._mean_lots = s.order_notional / (s.price * s.lot_size)

        # Fills per order and volume depend on the lot grid: measure them once, on orders of their own.
        rng = np.random.Generator(np.random.PCG64(0))
        lots = self._sizes(rng, 50_000)
        fills_per_order = self._split(rng, lots).lots.size / lots.size
        self._opens_per_minute = s.trades_per_day / (
            2 * fills_per_order * _MINUTES_PER_DAY
        )  # each open is followed by a close
        lots_per_day = s.trades_per_day / fills_per_order * float(lots.mean())
        self._impact = s.impact / (0.01 * lots_per_day)  # log price per lot; the lasting and the decaying part each

        k = np.arange(_BLOCK_S)
        self._decay = 0.5 ** (np.arange(_BLOCK_S + 1) / _IMPACT_HALF_LIFE_S)
        self._smooth = 0.5 ** ((k + 1) / _MARK_HALF_LIFE_S)
        self._alpha = 1 - 0.5 ** (1 / _MARK_HALF_LIFE_S)
        self._seconds = k

        self._minute = 0
        self._log_fundamental = math.log(s.price)
        self._net_lots = 0.0
        self._decaying = 0.0
        self._basis = 0.0
        self._slow = self._fast = 0.0
        self._mood = np.zeros(2)
        self._history = _Columns(log_price=np.float64)  # once a minute

        self._positions = _Columns(
            side=np.int8,
            lots=np.float64,
            tier=np.int8 if self._tiers.size < 128 else np.int64,
            entry=np.float64,
            level=np.float64,
            opened_ms=np.int64,
            ended_ms=np.int64,
            outcome=np.int8,
        )
        # Levels that cannot be reached (other side, none, ended) are infinite. Ended ones are dropped now and then.
        self._live = _Columns(
            position=np.int64, long_level=np.float64, short_level=np.float64, close_ms=np.int64, order=np.int64
        )
        self._trades: list[
            tuple[Ints, Floats, Floats, Bools, Sides, Ints]
        ] = []  # ms, ticks, lots, taker_sell, intent, position
        self._marks: list[Floats] = []
        self._liquidations: list[tuple[Ints, Floats, Ints]] = []  # ms, average price, position
        self._past(past_rng)

    # Before the start ----------------------------------------------------------------------------------------------

    def _past(self, rng: np.random.Generator) -> None:
        """Draw an unpublished past: prices of the last days, and which positions opened then are still alive."""
        s = self.settings
        minutes = int(_HOLD_MAX_DAYS * _MINUTES_PER_DAY)
        steps = rng.standard_t(4, minutes) / math.sqrt(2)  # unit variance
        back = np.concatenate(([0.0], np.cumsum(steps))) * s.volatility / math.sqrt(_MINUTES_PER_DAY)
        back += math.log(s.price)  # back[i]: i minutes ago
        recent = back[:_MINUTES_PER_DAY][::-1]
        self._history.append(recent.size, log_price=recent)
        if not s.existing_positions:
            return
        lowest, highest = np.exp(np.minimum.accumulate(back)), np.exp(np.maximum.accumulate(back))
        share = np.diff(self._cumulative_share, prepend=0.0)
        count = rng.poisson(self._opens_per_minute / 60_000 * share * (self._hold_ms + 60_000))
        tier = np.repeat(np.arange(self._tiers.size), count)
        # A long stay is more likely to be under way now than a short one: the length-biased lognormal law.
        hold = self._hold_ms[tier] * np.exp(_HOLD_SIGMA * rng.standard_normal(tier.size) + _HOLD_SIGMA**2 / 2)
        hold = np.minimum(hold + 60_000, (_HOLD_MAX_DAYS - 0.01) * 8.64e7)
        age = hold * rng.random(tier.size)
        minute = (age / 60_000).astype(np.int64)
        lots = self._sizes(rng, tier.size)
        side = np.where(rng.random(tier.size) < 0.5, 1.0, -1.0)
        entry = self._price.value(np.rint(np.exp(back[minute]) / s.tick_size))
        level = self._level(side, tier, entry)
        lowest, highest = lowest * (1 - 1e-3), highest * (1 + 1e-3)  # a past known once a minute has missed something
        reached = np.where(side > 0, level >= lowest[minute], level <= highest[minute])
        rows = np.argsort(-age, kind="stable")
        rows = rows[~reached[rows]]
        opened_ms = -np.ceil(age[rows]).astype(np.int64) - 1
        close_ms = _between_marks(np.ceil(hold[rows] - age[rows]).astype(np.int64))
        self._add(opened_ms, side[rows], lots[rows], tier[rows], entry[rows], level[rows], close_ms)

    # One minute ----------------------------------------------------------------------------------------------------

    def minute(self) -> None:
        """Plan the next minute's orders, find out which liquidations follow, record it all."""
        log_fundamental, weights, activity = self._draw_fundamental()
        plan = self._plan(weights, activity)
        active = np.ones(plan.lots.size, dtype=np.bool_)
        held = np.ones(plan.lots.size, dtype=np.bool_)  # False: opened and liquidated within this minute
        forced = np.zeros(_BLOCK_S)  # signed lots of liquidations, by second
        liquidated: list[tuple[int, float, float, int, int]] = []  # second, sign of the order, lots, slot, order
        floor, ceiling = math.inf, -math.inf  # prices between which levels have been looked up

        # An order changes later prices only, so events are settled in order of time: each adds its flow, and the rest
        # of the minute is worked out again. Sums run forwards, so what lies before the event keeps its bits.
        while True:
            path = self._prices(log_fundamental, plan, active, forced)
            low, high = float(path.mark.min()), float(path.mark.max())
            if low < floor or high > ceiling:
                floor, ceiling = low * 0.999, high * 1.001
                slots, level, side, until, closing = self._within_reach(plan, floor, ceiling)
                alive = np.ones(slots.size, dtype=np.bool_)
            opened = np.flatnonzero(plan.opens & active & held)
            refused = self._first_refused(plan, path, opened)
            second, rows = _first_reached(
                path.mark,
                np.concatenate((level, path.level[opened])),
                np.concatenate((side, plan.sign[opened])),
                np.concatenate((np.zeros(slots.size, dtype=np.int64), plan.second[opened] + 1)),
                np.concatenate((until, np.full(opened.size, _BLOCK_S))),
                np.concatenate((alive, np.ones(opened.size, dtype=np.bool_))),
            )
            if refused >= 0 and plan.second[refused] < second:
                active[refused] = False
                continue
            if not rows.size:
                break
            batch = []
            for row in rows.tolist():
                if row < slots.size:
                    alive[row] = False
                    slot, order = int(slots[row]), -1
                    position = self._live["position"][slot]
                    lots = float(self._positions["lots"][position])
                    self._live["long_level"][slot], self._live["short_level"][slot] = -np.inf, np.inf
                    self._live["close_ms"][slot] = _NEVER
                    if closing[row] >= 0:
                        active[closing[row]] = False
                    sign, reached = -float(side[row]), float(level[row])
                else:
                    slot, order = -1, int(opened[row - slots.size])
                    held[order] = False
                    lots, sign, reached = float(plan.lots[order]), -float(plan.sign[order]), float(path.level[order])
                forced[second] += sign * lots
                batch.append((sign * reached, second, sign, lots, slot, order))
            batch.sort()  # sells of longs first; the level nearest to where the price came from first
            liquidated += [entry[1:] for entry in batch]

        self._record(plan, path, active, held, liquidated)
        flow = float(path.before[-1])
        self._log_fundamental = float(log_fundamental[-1])
        self._net_lots += flow
        self._decaying, self._basis = path.decaying, path.basis
        log_price = self._log_fundamental + self._impact * self._net_lots + self._decaying
        self._history.append(1, log_price=log_price)
        self._minute += 1
        if self._minute % 30 == 0:
            self._live.keep(self._live["close_ms"] != _NEVER)

    def _draw_fundamental(self) -> tuple[Floats, Floats, float]:
        """Return the fundamental log price by second, weights of the seconds for orders, and activity (mean 1)."""
        rng, s = self._fundamental_rng, self.settings
        normal = rng.standard_normal(_BLOCK_S + 5)
        jump = rng.random(2)
        moved = normal[5:]
        for name, sigma, minutes, z in (
            ("_slow", _SLOW_SIGMA, _SLOW_MINUTES, normal[0]),
            ("_fast", _FAST_SIGMA, _FAST_MINUTES, normal[1]),
        ):
            keep = math.exp(-1 / minutes)
            setattr(self, name, keep * getattr(self, name) + sigma * math.sqrt(1 - keep * keep) * float(z))
        keep_mood = np.exp(-1 / np.array(_MOOD_MINUTES))
        self._mood = keep_mood * self._mood + np.sqrt(1 - keep_mood**2) * normal[2:4]

        hour = (s.start // (_MS * 1000) + self._minute * _BLOCK_S) % _DAY_S / 3600
        season = 1 + 0.35 * math.cos(math.pi / 12 * (hour - 15)) + 0.15 * math.cos(math.pi / 6 * (hour - 15))
        turbulence = math.exp(self._slow + self._fast - _SLOW_SIGMA**2 - _FAST_SIGMA**2)  # its square is 1 on average
        diffusive = math.sqrt(1 - _JUMPS_PER_DAY * _JUMP_SIZE**2)
        step = s.volatility / math.sqrt(_DAY_S) * diffusive * math.sqrt(season) * turbulence * moved
        if jump[0] < _JUMPS_PER_DAY / _MINUTES_PER_DAY:
            first = int(jump[1] * _BLOCK_S)
            shape = 0.5 ** (self._seconds[: _BLOCK_S - first] / _JUMP_HALF_LIFE_S)
            step[first:] += s.volatility * _JUMP_SIZE * float(normal[4]) * shape / shape.sum()
            self._fast += 2 * _FAST_SIGMA  # news keeps the market busy
        if self._minute == 0:
            step[0] = 0.0
        log_fundamental = self._log_fundamental + np.cumsum(step)

        variance = (0.5 * _SLOW_SIGMA) ** 2 + (0.7 * _FAST_SIGMA) ** 2
        activity = season * math.exp(0.5 * self._slow + 0.7 * self._fast - variance / 2)
        history = self._history["log_price"]
        surprise = abs(history[-1] - history[-2]) / (s.volatility / math.sqrt(_MINUTES_PER_DAY))
        activity *= (0.75 + 0.25 * min(float(surprise), 8.0)) / _ACTIVITY_MEAN
        return log_fundamental, 0.3 + np.abs(moved), activity

    def _plan(self, weights: Floats, activity: float) -> _Plan:
        """Decide on the minute's orders from what is known at its beginning."""
        rng, s, begin_ms = self._order_rng, self.settings, self._minute * _BLOCK_S * 1000
        history, scale = self._history["log_price"], s.volatility / math.sqrt(_MINUTES_PER_DAY)
        move = [float(history[-1] - history[-1 - n]) / (scale * math.sqrt(n)) for n in (10, 60, 720)]
        lean = (
            _TREND * math.tanh(0.5 * (move[0] + move[1]))
            - _CONTRARIAN * math.tanh(move[2])
            + _MOOD * math.tanh(0.5 * float(self._mood.sum()))
        )
        count = int(rng.poisson(self._opens_per_minute * activity))
        draws = rng.random((4, count))
        tier = np.minimum(np.searchsorted(self._cumulative_share, draws[0], side="right"), self._tiers.size - 1)
        sign = np.where(draws[1] < 0.5 + 0.5 * lean, 1.0, -1.0)
        cumulative = np.cumsum(weights)
        second = np.searchsorted(cumulative / cumulative[-1], draws[2], side="right")
        ms = begin_ms + np.minimum(second, _BLOCK_S - 1) * 1000 + 1 + (draws[3] * 999).astype(np.int64)
        hold = self._hold_ms[tier] * np.exp(_HOLD_SIGMA * rng.standard_normal(count) - _HOLD_SIGMA**2 / 2)
        hold = np.minimum(hold + 60_000, _HOLD_MAX_DAYS * 8.64e7)
        lots = self._sizes(rng, count)

        slots = np.flatnonzero(self._live["close_ms"] < begin_ms + _BLOCK_S * 1000)
        ended = self._live["position"][slots]
        ms = np.concatenate((ms, self._live["close_ms"][slots]))
        rows = np.argsort(ms, kind="stable")
        ms = ms[rows]
        lots = np.concatenate((lots, self._positions["lots"][ended]))[rows]
        none = np.full(slots.size, -1)
        slot = np.concatenate((np.full(count, -1), slots))[rows]
        closes = np.flatnonzero(slot >= 0)
        self._live["order"][slot[closes]] = closes
        second = ms // 1000 - self._minute * _BLOCK_S
        return _Plan(
            ms=ms,
            second=second,
            first=np.searchsorted(second, second),
            sign=np.concatenate((sign, -self._positions["side"][ended].astype(np.float64)))[rows],
            lots=lots,
            opens=slot < 0,
            slot=slot,
            tier=np.concatenate((tier, none))[rows],
            close_ms=_between_marks(ms + np.concatenate((np.ceil(hold).astype(np.int64), none))[rows]),
            fills=self._split(rng, lots),
        )

    def _prices(self, log_fundamental: Floats, plan: _Plan, active: Bools, forced: Floats) -> _Path:
        """Work out a minute of prices from the orders sent in it."""
        signed = np.where(active, plan.sign * plan.lots, 0.0)
        flow = np.bincount(plan.second, signed, _BLOCK_S) + forced
        before = np.zeros(_BLOCK_S + 1)
        np.cumsum(flow, out=before[1:])
        lasting = log_fundamental + self._impact * (self._net_lots + before[:-1])
        decaying = np.zeros(_BLOCK_S + 1)
        np.cumsum(self._impact * flow / self._decay[:-1], out=decaying[1:])
        decaying = self._decay * (self._decaying + decaying)
        basis = self._smooth * (self._basis + np.cumsum(self._alpha * decaying[:-1] / self._smooth))
        mark = self._price.value(np.maximum(np.rint(np.exp(lasting + basis) / self.settings.tick_size), 1.0))

        log_mid = lasting + decaying[:-1]
        earlier = np.cumsum(signed) - signed  # whole lots: exact
        earlier += forced[plan.second] - earlier[plan.first]
        log_order = log_mid[plan.second] + 2 * self._impact * earlier
        fills = plan.fills
        ticks = self._fill_ticks(log_order[fills.order], plan.sign[fills.order], fills.middle)
        entry = ticks
        if plan.lots.size:
            entry = self._price.value(np.add.reduceat(ticks * fills.lots, fills.first) / plan.lots)
        return _Path(
            before=before,
            log_mid=log_mid,
            decaying=float(decaying[-1]),
            basis=float(basis[-1]),
            mark=mark,
            fill_ticks=ticks,
            entry=entry,
            level=self._level(plan.sign, plan.tier, entry),
        )

    def _within_reach(self, plan: _Plan, floor: float, ceiling: float) -> tuple[Ints, Floats, Floats, Ints, Ints]:
        """Return slot, level, side, last second alive, closing order (or -1) of positions with a level in the range."""
        live = self._live
        longs = np.flatnonzero(live["long_level"] >= floor)
        shorts = np.flatnonzero(live["short_level"] <= ceiling)
        slots = np.concatenate((longs, shorts))
        level = np.concatenate((live["long_level"][longs], live["short_level"][shorts]))
        side = np.concatenate((np.ones(longs.size), -np.ones(shorts.size)))
        closing = live["order"][slots]
        until = np.where(closing >= 0, plan.second[closing] if plan.lots.size else 0, _BLOCK_S)
        return slots, level, side, until, closing

    def _first_refused(self, plan: _Plan, path: _Path, opened: Ints) -> int:
        """Return the first order whose liquidation price the last mark has reached already, or -1."""
        mark, level = path.mark[plan.second[opened]], path.level[opened]
        refused = np.where(plan.sign[opened] > 0, level >= mark, level <= mark)
        return int(opened[refused.argmax()]) if refused.any() else -1

    def _record(
        self,
        plan: _Plan,
        path: _Path,
        active: Bools,
        held: Bools,
        liquidated: list[tuple[int, float, float, int, int]],
    ) -> None:
        """Store the minute's marks, trades and positions."""
        self._marks.append(path.mark)
        opened = np.flatnonzero(plan.opens & active)
        position = np.full(plan.lots.size, -1)
        position[opened] = self._positions.size + np.arange(opened.size)
        closes = np.flatnonzero(~plan.opens)
        position[closes] = self._live["position"][plan.slot[closes]]
        self._live["order"][plan.slot[closes]] = -1

        ended = closes[active[closes]]
        self._positions["ended_ms"][position[ended]] = plan.ms[ended]
        self._positions["outcome"][position[ended]] = CLOSE
        slots = plan.slot[ended]
        self._live["long_level"][slots], self._live["short_level"][slots] = -np.inf, np.inf
        self._live["close_ms"][slots] = _NEVER
        self._add(
            plan.ms[opened],
            plan.sign[opened],
            plan.lots[opened],
            plan.tier[opened],
            path.entry[opened],
            path.level[opened],
            np.where(held[opened], plan.close_ms[opened], _NEVER),
        )

        fills = plan.fills
        rows = np.flatnonzero(active[fills.order])
        order = fills.order[rows]
        ms, ticks, lots = plan.ms[order], path.fill_ticks[rows], fills.lots[rows]
        sell, intent, owner = (
            plan.sign[order] < 0,
            np.where(plan.opens[order], OPEN, CLOSE).astype(np.int8),
            position[order],
        )
        if liquidated:
            second, sign, size, slot, source = (np.array(column) for column in zip(*liquidated, strict=True))
            victim = np.where(slot >= 0, self._live["position"][slot], position[source] if plan.lots.size else -1)
            trigger_ms = (self._minute * _BLOCK_S + second) * 1000
            self._positions["ended_ms"][victim] = trigger_ms
            self._positions["outcome"][victim] = LIQUIDATION
            signed = sign * size
            earlier = np.cumsum(signed) - signed
            earlier -= earlier[np.searchsorted(second, second)]
            split = self._split(self._liquidation_rng, size)
            log_order = path.log_mid[second] + 2 * self._impact * earlier
            forced_ticks = self._fill_ticks(log_order[split.order], sign[split.order], split.middle)
            average = self._price.value(np.add.reduceat(forced_ticks * split.lots, split.first) / size)
            self._liquidations.append((trigger_ms, average, victim))
            ms = np.concatenate((trigger_ms[split.order], ms))
            rows = np.argsort(ms, kind="stable")
            ms = ms[rows]
            ticks = np.concatenate((forced_ticks, ticks))[rows]
            lots = np.concatenate((split.lots, lots))[rows]
            sell = np.concatenate((sign[split.order] < 0, sell))[rows]
            intent = np.concatenate((np.full(split.order.size, LIQUIDATION, dtype=np.int8), intent))[rows]
            owner = np.concatenate((victim[split.order], owner))[rows]
        self._trades.append((ms, ticks, lots, sell, intent, owner))

    # Parts ---------------------------------------------------------------------------------------------------------

    def _sizes(self, rng: np.random.Generator, count: int) -> Floats:
        """Draw order sizes, whole lots."""
        ratio = np.exp(_SIZE_SIGMA * rng.standard_normal(count) - _SIZE_SIGMA**2 / 2)
        return np.maximum(np.rint(np.minimum(ratio, _SIZE_MAX) * self._mean_lots), 1.0)

    def _split(self, rng: np.random.Generator, lots: Floats) -> _Fills:
        """Split orders into trades of whole lots; the larger the order, the more trades."""
        pieces = 1 + rng.poisson(1.0 + 1.2 * np.log1p(lots / self._mean_lots))
        order = np.repeat(np.arange(lots.size), pieces)
        stop = np.cumsum(pieces)
        share = np.cumsum(rng.standard_exponential(order.size))
        total = share[stop - 1]
        begin = np.concatenate((np.zeros(1), total[:-1])) if lots.size else total
        share = (share - begin[order]) / (total - begin)[order]
        share[stop - 1] = 1.0
        filled = np.rint(share * lots[order])
        before = np.concatenate((np.zeros(1), filled[:-1])) if lots.size else filled
        before[stop[:-1]] = 0.0
        size = filled - before
        kept = size > 0
        order = order[kept]
        return _Fills(order, size[kept], (before + size / 2)[kept], np.searchsorted(order, np.arange(lots.size)))

    def _fill_ticks(self, log_order: Floats, sign: Floats, middle: Floats) -> Floats:
        """Price of trades, whole ticks: an order walks the book by the impact that it has, and pays half the spread."""
        ticks = np.exp(log_order + 2 * self._impact * sign * middle) / self.settings.tick_size
        return np.maximum(np.rint(ticks + sign * np.maximum(0.5, _HALF_SPREAD * ticks)), 1.0)

    def _level(self, side: Floats, tier: Ints, entry: Floats) -> Floats:
        level = entry * np.where(side > 0, self._long_factor[tier], self._short_factor[tier])
        level[level <= 0] = np.nan
        return level

    def _add(
        self, ms: Ints, side: Floats, lots: Floats, tier: Ints, entry: Floats, level: Floats, close_ms: Ints
    ) -> None:
        """Add positions to the record, and to the live ones unless they ended already (``close_ms`` never)."""
        position = self._positions.size + np.arange(ms.size)
        self._positions.append(
            ms.size,
            side=side,
            lots=lots,
            tier=tier,
            entry=entry,
            level=level,
            opened_ms=ms,
            ended_ms=_NEVER,
            outcome=LIVE,
        )
        reachable = (close_ms != _NEVER) & ~np.isnan(level)
        self._live.append(
            ms.size,
            position=position,
            long_level=np.where(reachable & (side > 0), level, -np.inf),
            short_level=np.where(reachable & (side < 0), level, np.inf),
            close_ms=close_ms,
            order=-1,
        )

    # The end -------------------------------------------------------------------------------------------------------

    def result(self) -> Market:
        """Return what was simulated, cut at the market's end."""
        s = self.settings
        end_ms = (s.end - s.start) // _MS
        ms, ticks, lots, sell, intent, owner = (np.concatenate(column) for column in zip(*self._trades, strict=True))
        n = int(np.searchsorted(ms, end_ms))
        trades = TradeBatch(s.start + ms[:n] * _MS, self._price.value(ticks[:n]), self._lot.value(lots[:n]), sell[:n])

        p = self._positions
        p.keep(p["opened_ms"] < end_ms)
        late = p["ended_ms"] >= end_ms
        p["ended_ms"][late], p["outcome"][late] = _NEVER, LIVE
        tier = p["tier"].astype(np.int64)
        opened = s.start + p["opened_ms"] * _MS
        ended = np.where(late, _NEVER, s.start + np.where(late, 0, p["ended_ms"]) * _MS)
        positions = Positions(
            side=p["side"].copy(),
            quantity=self._lot.value(p["lots"]),
            leverage=self._tiers[tier],
            entry_price=p["entry"].copy(),
            liquidation_price=p["level"].copy(),
            opened=opened,
            ended=ended,
            outcome=p["outcome"].copy(),
        )

        mark = np.concatenate(self._marks)[: math.ceil(end_ms / 1000)]
        mark_ts = s.start + np.arange(mark.size) * 1000 * _MS
        minute_ts = s.start + np.arange(math.ceil(end_ms / (_BLOCK_S * 1000))) * _BLOCK_S * 1000 * _MS
        held = [
            _total_until(minute_ts, opened[mine], p["lots"][mine])
            - _total_until(minute_ts, ended[mine], p["lots"][mine])
            for mine in (positions.side > 0, positions.side < 0)
        ]

        streamed = opened >= s.start
        total = np.bincount(tier[streamed], p["lots"][streamed], self._tiers.size)
        shares = total / max(float(total.sum()), 1.0)
        return Market(
            trades=trades,
            open_interest=OpenInterest(minute_ts, self._lot.value(np.maximum(*held))),
            marks=Marks(mark_ts, mark),
            liquidations=self._liquidation_feed(positions, end_ms),
            positions=positions,
            intent=intent[:n],
            position=owner[:n],
            profile=dict(zip(self._tiers.tolist(), shares.tolist(), strict=True)),
            start=s.start,
            end=s.end,
            parameters=asdict(s),
        )

    def _liquidation_feed(self, positions: Positions, end_ms: int) -> Liquidations:
        if self._liquidations:
            ms, price, position = (np.concatenate(column) for column in zip(*self._liquidations, strict=True))
        else:
            ms, price, position = np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64)
        n = int(np.searchsorted(ms, end_ms))
        position = position[:n]
        return Liquidations(
            ts=self.settings.start + ms[:n] * _MS,
            side=positions.side[position],
            price=price[:n],
            quantity=positions.quantity[position],
            leverage=positions.leverage[position],
            entry_price=positions.entry_price[position],
            liquidation_price=positions.liquidation_price[position],
            position=position,
        )


def _between_marks(ms: Ints) -> Ints:
    """Move whole seconds by a millisecond: they belong to marks and liquidations."""
    return np.where(ms % 1000 == 0, ms + 1, ms)


def _total_until(when: Ints, ts: Ints, lots: Floats) -> Floats:
    """Sum of the lots dated at or before each of the times; whole lots, so exact."""
    rows = np.argsort(ts, kind="stable")
    total = np.concatenate((np.zeros(1), np.cumsum(lots[rows])))
    return total[np.searchsorted(ts[rows], when, side="right")]


def _first_reached(
    mark: Floats, level: Floats, side: Floats, first: Ints, until: Ints, alive: Bools
) -> tuple[int, Ints]:
    """
    Return the first second whose mark reaches a level, and the rows it reaches.

    Row i counts from second ``first[i]`` up to and including ``until[i]``. None reached: (number of marks, no rows).
    """
    lowest = np.append(np.minimum.accumulate(mark[::-1])[::-1], np.inf)
    highest = np.append(np.maximum.accumulate(mark[::-1])[::-1], -np.inf)
    rows = np.flatnonzero(alive & np.where(side > 0, level >= lowest[first], level <= highest[first]))
    if not rows.size:
        return mark.size, rows
    k = np.arange(mark.size)
    reached = np.where(side[rows, None] > 0, level[rows, None] >= mark, level[rows, None] <= mark)
    reached &= (k >= first[rows, None]) & (k <= until[rows, None])
    found = reached.any(axis=1)
    if not found.any():
        return mark.size, rows[:0]
    second = np.where(found, reached.argmax(axis=1), mark.size)
    at = int(second.min())
    return at, rows[second == at]
