"""How far sweeps of liquidations have moved the price: Y and the exponent of the law, from what was recorded."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..sources.candles import Candles
from ..sources.liquidations import Liquidations
from ..tables.batch import TradeBatch
from ..tables.frames import Columns, Tabular, csv_or
from ..words.numbers import plain_values
from ..words.times import Length, iso, parse_duration
from .daily import DAY_NS
from .moves import SquareRoot

UPPER_BOUND = (
    "An upper bound: the price had begun to move before the liquidations did, and whatever else moved it then is "
    "counted as their impact. Predicted moves are scenarios, not forecasts."
)
LEAST_SWEEPS, LEAST_BLOCKS = 20, 8
_HOUR_NS, _MINUTE_NS = 3_600_000_000_000, 60_000_000_000
_EXPONENTS = np.arange(5, 151) / 100


class Interval(NamedTuple):
    """A number with its 95 % interval; NaN where it is not known."""

    value: float
    low: float
    high: float


class LiquidationSweep(NamedTuple):
    """
    Liquidations of one side, each at most a gap after the one before.

    Attributes
    ----------
    side : {"long", "short"}
    start_ns, end_ns : int
        Times of the first and the last.
    amount : float
        All of it, USD.
    before, after : float
        The price before the first, and after the last.
    sigma, volume : float
        Of a day, from what came before: a fraction, and USD.
    realised_percent : float
        From `before` to `after`, positive in the direction of the sweep.
    predicted_percent, predicted_low, predicted_high : float
        By the law of `liqcore.cascade`: at its Y, and the 5th and 95th percentile over its range of Y.
    """

    side: str
    start_ns: int
    end_ns: int
    amount: float
    before: float
    after: float
    sigma: float
    volume: float
    realised_percent: float
    predicted_percent: float
    predicted_low: float
    predicted_high: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Impact(Tabular):
    """
    What sweeps of liquidations did to the price, as a law and one by one, the largest first.

    Attributes
    ----------
    y, exponent : Interval
        Of ``move / sigma = Y (Q / V)^exponent``, with 95 % intervals from whole blocks of time drawn anew; NaN with
        fewer than 20 sweeps, intervals NaN with fewer than 8 blocks.
    y_root : Interval
        Y where the exponent is held at 0.5.
    sweeps : list of LiquidationSweep
    covered : float
        In which share of the sweeps the realised move lies between `predicted_low` and `predicted_high`.
    left_out : dict of str to int
        Sweeps that are not among them, by reason: no price before or after, less than an hour of prices before.
    said : str
        What was measured, in a sentence.
    """

    y: Interval
    exponent: Interval
    y_root: Interval
    sweeps: list[LiquidationSweep]
    covered: float
    left_out: dict[str, int]
    said: str
    note: str = field(default=UPPER_BOUND)

    def __len__(self) -> int:
        """Count the sweeps."""
        return len(self.sweeps)

    def __repr__(self) -> str:
        return f"<Impact: {len(self)} sweeps, Y {self.y.value:.3g}, exponent {self.exponent.value:.3g}>"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values; what is not known is None."""
        head = {name: plain_values(getattr(self, name)._asdict()) for name in ("y", "exponent", "y_root")}
        rows = [
            {**plain_values(sweep._asdict()), "start": iso(sweep.start_ns), "end": iso(sweep.end_ns)}
            for sweep in self.sweeps
        ]
        known = plain_values(self.covered)
        return {
            **head,
            "covered": known,
            "left_out": self.left_out,
            "said": self.said,
            "note": self.note,
            "sweeps": rows,
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the sweeps as CSV, for spreadsheets: the columns of `to_pandas`.

        Raises
        ------
        InvalidConfigError
            If the path does not end in ``.csv``.
        """
        csv_or(path, ".csv")
        return self._save_csv(path)

    def _columns(self) -> Columns:
        columns: dict[str, Any] = {"side": [sweep.side for sweep in self.sweeps]}
        for name in ("start", "end"):
            times = np.array([getattr(sweep, f"{name}_ns") for sweep in self.sweeps], np.int64)
            columns[name] = times.view("datetime64[ns]")
        for name in LiquidationSweep._fields[3:]:
            columns[name] = np.array([getattr(sweep, name) for sweep in self.sweeps], np.float64)
        decimals = {name: 4 for name in columns if name.startswith(("realised", "predicted"))}
        return Columns(columns, decimals | {"amount": 2, "volume": 2})


def impact(
    prices: TradeBatch | Candles,
    liquidations: Liquidations,
    *,
    gap: Length = "10s",
    after: Length = "1s",
    sigma: float | None = None,
    volume: float | None = None,
    y: float = 1.0,
    y_range: tuple[float, float] = (0.5, 6.5),
    block: Length = "1h",
    draws: int = 1000,
    seed: int = 0,
) -> Impact:
    """
    Measure how far liquidations have moved the price, and lay beside it what the law of `cascade` says.

    Single liquidations of one side become a sweep as long as each comes at most `gap` after the one before. Its move is
    that from the last price before the first of them to the last one up to `after` the last. Y and the exponent are
    fitted to all sweeps by least squares, weighted by one over the time they took.

    Parameters
    ----------
    prices : TradeBatch or Candles
        Of the same market, or one that moves with it. A move by candles is as coarse as they are: from the close of the
        last candle before the sweep to that of the one in which it ends.
    liquidations : Liquidations
        Single ones, in USD. Feeds leave some out, which makes Y larger.
    gap, after : duration, optional
    sigma, volume : float, optional
        Volatility of a day as a fraction, and what is traded a day, USD. By default from the prices of the day before
        each sweep; quantities are then taken for units of the base asset.
    y, y_range : float, (float, float), optional
        Of the law that predicts.
    block : duration, optional
        Length of the blocks of time of which the intervals are drawn.
    draws, seed : int, optional
        How often, and of what.

    Returns
    -------
    Impact

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule, or the liquidations are totals of bars.

    Examples
    --------
    >>> import numpy as np
    >>> import liqcore as lq
    >>> from liqcore.sources import Liquidations
    >>> ts = 1_767_571_200_000_000_000 + np.arange(4) * 10**9
    >>> trades = lq.TradeBatch(ts, np.array([100.0, 99.5, 99.0, 99.2]), np.ones(4), np.ones(4, bool))
    >>> fall = Liquidations(ts[1:3], np.array([3_000.0, 1_000.0]), np.zeros(2), np.array([99.5, 99.0]))
    >>> found = lq.impact(trades, fall, sigma=0.03, volume=1e6, after="500ms")
    >>> [(sweep.side, sweep.amount, round(sweep.realised_percent, 3)) for sweep in found.sweeps]
    [('long', 4000.0, 1.0)]
    """
    if liquidations.price is None:
        raise InvalidConfigError("liquidations must be single ones, each with its price, were totals of bars")
    for name, value in (("sigma", sigma), ("volume", volume)):
        if value is not None and not 0 < value < math.inf:
            raise InvalidConfigError(f"{name} must be a number above 0, was {value!r}")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 100:
        raise InvalidConfigError(f"draws must be a whole number, at least 100, was {draws!r}")
    if not 0 < y < math.inf:
        raise InvalidConfigError(f"y must be above 0, was {y!r}")
    if len(y_range) != 2 or not 0 < y_range[0] <= y_range[1] < math.inf:
        raise InvalidConfigError(f"y_range must be two numbers above 0, the lower first, was {tuple(y_range)}")
    after_ns, block_ns = parse_duration(after, name="after"), parse_duration(block, name="block")
    known = _Prices.of(prices)
    left: dict[str, int] = {}
    sweeps = [
        sweep
        for row in _grouped(liquidations, parse_duration(gap, name="gap"))
        if (sweep := _measured(row, known, after_ns, sigma, volume, (y, *y_range), left)) is not None
    ]
    fitted = _fit(sweeps, known.least_ns, after_ns, block_ns, draws, seed)
    inside = [each.predicted_low <= each.realised_percent <= each.predicted_high for each in sweeps]
    sweeps.sort(key=lambda sweep: (-sweep.amount, sweep.start_ns))
    span = f", {iso(min(s.start_ns for s in sweeps))} to {iso(max(s.end_ns for s in sweeps))}" if sweeps else ""
    return Impact(
        *fitted,
        sweeps,
        float(np.mean(inside)) if inside else math.nan,
        left,
        f"{len(sweeps):,} sweeps{span}, {known.said}",
    )


class _Row(NamedTuple):
    side: str
    start: int
    end: int
    amount: float


def _grouped(liquidations: Liquidations, gap_ns: int) -> Iterable[_Row]:
    """Sweeps of both sides."""
    for side, usd in (("long", liquidations.long_usd), ("short", liquidations.short_usd)):
        some = np.flatnonzero(usd > 0)
        if not len(some):
            continue
        ts = liquidations.ts[some]
        for rows in np.split(np.arange(len(some)), np.flatnonzero(np.diff(ts) > gap_ns) + 1):
            yield _Row(side, int(ts[rows[0]]), int(ts[rows[-1]]), float(usd[some[rows]].sum()))


@dataclass(frozen=True, eq=False)
class _Prices:
    """Prices by the time from which on each is known, and running sums of what they tell of volatility and volume."""

    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    squares: NDArray[np.float64]
    squares_ts: NDArray[np.int64]
    traded: NDArray[np.float64]
    least_ns: int
    candle_ns: int
    said: str

    @classmethod
    def of(cls, prices: TradeBatch | Candles) -> _Prices:
        """Of trades, by the minute for the volatility; or of candles, known at their ends."""
        if isinstance(prices, Candles):
            ts, price = prices.ts_open + prices.interval_ns, prices.close
            volume = prices.volume
            if volume is None and prices.buy_qty is not None and prices.sell_qty is not None:
                volume = prices.buy_qty + prices.sell_qty
            traded = np.full(len(ts), math.nan) if volume is None else np.cumsum(volume * price)
            at, length, said = np.arange(len(ts)), prices.interval_ns, "prices by candles"
        else:
            ts, price, traded = prices.ts, prices.price, np.cumsum(prices.qty * prices.price)
            at, length, said = np.flatnonzero(np.diff(ts // _MINUTE_NS, append=-1) != 0), 0, "prices by trades"
        squares = np.zeros(len(at))
        squares[1:] = np.cumsum(np.diff(np.log(price[at])) ** 2)
        return cls(ts, price, squares, ts[at], traded, max(length, 1_000_000_000), length, said)

    def before(self, ts: int) -> int:
        """The last price known before a time, -1 where there is none."""
        return int(np.searchsorted(self.ts, ts, side="right" if self.candle_ns else "left")) - 1

    def after(self, ts: int) -> int:
        """The last price up to a time; of candles the close of the one it lies in; -1 where there is none."""
        if not self.candle_ns:
            return int(np.searchsorted(self.ts, ts, side="right")) - 1
        at = int(np.searchsorted(self.ts, ts, side="right"))
        return at if at < len(self.ts) and self.ts[at] - ts <= self.candle_ns else -1

    def daily(self, at: int) -> tuple[float, float] | None:
        """Volatility and volume of a day, from the day up to a price; None where that is less than an hour."""
        end = int(self.ts[at])
        first = int(np.searchsorted(self.ts, end - DAY_NS, side="left"))
        days = (end - int(self.ts[first])) / DAY_NS
        if days * DAY_NS < _HOUR_NS:
            return None
        to, since = (int(np.searchsorted(self.squares_ts, ts, side="right")) - 1 for ts in (end, int(self.ts[first])))
        square = float(self.squares[to] - self.squares[max(since, 0)])
        return math.sqrt(square / days), float(self.traded[at] - self.traded[first]) / days


def _measured(
    row: _Row, prices: _Prices, after_ns: int, sigma: float | None, volume: float | None,
    law: tuple[float, float, float], left: dict[str, int],
) -> LiquidationSweep | None:  # fmt: skip
    first, last = prices.before(row.start), prices.after(row.end + after_ns)
    why = "no_price" if first < 0 or last < 0 else ""
    if not why and (sigma is None or volume is None):
        daily = prices.daily(first)
        if daily is None or not (daily[0] > 0 or sigma) or not (daily[1] > 0 or volume):
            why = "no_hour_before"
        else:
            sigma, volume = sigma or daily[0], volume or daily[1]
    if why or sigma is None or volume is None:
        left[why] = left.get(why, 0) + 1
        return None
    before, after = float(prices.price[first]), float(prices.price[last])
    sign = -1.0 if row.side == "long" else 1.0
    y, low, high = law
    root = SquareRoot(100.0, sigma, volume, y, (low, high), 0.5)
    over = low * (high / low) ** np.array([0.05, 0.95])
    predicted = root.move(np.full(3, row.amount), np.array([y, *over])).tolist()
    return LiquidationSweep(
        row.side, row.start, row.end, row.amount, before, after, sigma, volume,
        100 * sign * (after / before - 1), *predicted,
    )  # fmt: skip


def _fit(
    sweeps: list[LiquidationSweep], least_ns: int, after_ns: int, block_ns: int, draws: int, seed: int
) -> tuple[Interval, Interval, Interval]:
    """
    Y, the exponent, and Y at 0.5, each with its interval.

    For each exponent the best Y is a ratio of two sums over sweeps, so that drawing blocks anew only weighs sums of
    blocks: all draws and exponents are one product of matrices.
    """
    nothing = Interval(math.nan, math.nan, math.nan)
    if len(sweeps) < LEAST_SWEEPS:
        return nothing, nothing, nothing
    z = np.array([sweep.amount / sweep.volume for sweep in sweeps])
    moved = np.array([sweep.realised_percent / 100 / sweep.sigma for sweep in sweeps])
    took = np.array([sweep.end_ns - sweep.start_ns for sweep in sweeps]) + after_ns
    weight = least_ns / np.maximum(took, least_ns)
    _, block = np.unique(np.array([sweep.start_ns // block_ns for sweep in sweeps]), return_inverse=True)
    blocks = int(block.max()) + 1
    powers = z[:, None] ** _EXPONENTS
    cross, square = (
        _by_block(values, block, blocks)
        for values in (weight[:, None] * moved[:, None] * powers, weight[:, None] * powers**2)
    )
    rng = np.random.default_rng(seed)
    counts = np.ones((1, blocks))
    if blocks >= LEAST_BLOCKS:
        counts = np.concatenate([counts, rng.multinomial(blocks, np.full(blocks, 1 / blocks), draws)])
    crosses, squares = counts @ cross, counts @ square
    gain = np.where(crosses > 0, crosses**2 / squares, 0.0)
    at = np.argmax(gain, axis=1)
    rows = np.arange(len(counts))
    root = int(np.flatnonzero(_EXPONENTS == 0.5)[0])
    return (
        _interval(crosses[rows, at] / squares[rows, at]),
        _interval(_EXPONENTS[at]),
        _interval(crosses[:, root] / squares[:, root]),
    )


def _by_block(values: NDArray[np.float64], block: NDArray[np.intp], blocks: int) -> NDArray[np.float64]:
    out = np.zeros((blocks, values.shape[1]))
    np.add.at(out, block, values)
    return out


def _interval(values: NDArray[np.float64]) -> Interval:
    """The first value, and the middle 95 % of the others."""
    if len(values) == 1:
        return Interval(float(values[0]), math.nan, math.nan)
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Interval(float(values[0]), float(low), float(high))
