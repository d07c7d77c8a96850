"""What a move, or an order, would set off: liquidations that move the price on to more of them. Scenarios only."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InvalidConfigError
from ..market.margin import bankruptcy_price, liquidation_price
from ..render.contract import HeatmapLike
from ..render.labels import is_fitted, scale_text
from ..render.map_contract import MapLike
from ..sources.trigger_orders import TriggerOrders
from ..tables.frames import Columns, Tabular, amount_decimals, csv_or, decimals_of
from ..words.times import Length, Time, iso, parse_duration
from .daily import Daily, daily_of, is_inverse
from .moves import Depth, Law, Numbers, SquareRoot, book_of
from .rounds import Levels, Outcome, Rules, Step, run

SCENARIO = "A scenario under the law that is stated, not a forecast: nobody knows the positions, the law is rough."
STOP_ORDERS = "stop orders"
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_DRAWS = 50
_SIDES = ("long", "short")


class HeatmapWithMap(HeatmapLike, Protocol):
    """A heatmap that has a map of each instant."""

    def map(self, ts: Time | None = None) -> MapLike: ...


class PathStep(NamedTuple):
    """
    One round of a cascade.

    ``seconds`` counts from the shock, ``price`` is where the price is, ``liquidated`` what has been reached, sold in
    the market or taken over, in the map's unit.
    """

    seconds: float
    price: float
    liquidated: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cascade(Tabular):
    """
    What shocks would set off, one a row: scenarios, never forecasts.

    Attributes
    ----------
    side : {"long", "short"}
        Whose positions are liquidated: longs by a fall, shorts by a rise.
    time_ns : int
    price : float
        The last, from which shocks count.
    unit : {"usd", "quantity"}
        Of all amounts.
    law, daily : str
        The law with its numbers; what sigma and volume are of, empty where the law needs neither.
    sigma, volume : float
        Of a day, a fraction and an amount; NaN where the law needs neither.
    shock_percent, order : ndarray of float64, shape (n,)
        What begins it: a move in percent of the price, an amount sold (bought) at market, or both.
    end_price, move_percent : ndarray of float64, shape (n,)
        How far the price comes: NaN and infinite where an order book ends before. A fall ends at 0.
    overshoot_percent : ndarray of float64, shape (n,)
        How much farther that is than where shock and order alone lead to.
    liquidated : ndarray of float64, shape (n,)
        All that is reached: sold in the market, and taken over.
    layers : mapping of str to ndarray of float64, shape (n,)
        The same by tier of leverage, and of "stop orders" where those are given.
    taken_over, deleveraged, loss_usd : ndarray of float64, shape (n,)
        The part past its bankruptcy price when it is reached; the part of that which the insurance fund does not
        cover; what both lose. 0 without `backstop`.
    rounds : ndarray of int64, shape (n,)
    quantiles : tuple of float
        Levels of the quantiles over what is not known: the law's strength, and the map where several are given.
    end_price_quantiles, move_percent_quantiles, liquidated_quantiles : ndarray of float64, shape (quantiles, n)
    meta : mapping
        Of the map.
    notes : tuple of str
        What an answer must say beside its numbers; the first is that it is a scenario.
    """

    side: str
    time_ns: int
    price: float
    unit: str
    law: str
    daily: str
    sigma: float
    volume: float
    shock_percent: Numbers
    order: Numbers
    end_price: Numbers
    move_percent: Numbers
    overshoot_percent: Numbers
    liquidated: Numbers
    layers: Mapping[str, Numbers]
    taken_over: Numbers
    deleveraged: Numbers
    loss_usd: Numbers
    rounds: NDArray[np.int64]
    quantiles: tuple[float, ...]
    end_price_quantiles: Numbers
    move_percent_quantiles: Numbers
    liquidated_quantiles: Numbers
    meta: Mapping[str, Any]
    notes: tuple[str, ...]
    _run: _Run = field(repr=False)

    def __len__(self) -> int:
        """Count the shocks."""
        return len(self.shock_percent)

    def __repr__(self) -> str:
        return f"<Cascade of {self.side}s: {len(self)} scenarios at {iso(self.time_ns)}, {self.law.partition(':')[0]}>"

    def path(self, i: int = 0) -> list[PathStep]:
        """
        Return the rounds of one cascade: where the price is after each, the shock first.

        With `decay` the price comes back after the last one: four steps more say how far.

        Raises
        ------
        InvalidConfigError
            If there is no such cascade.
        """
        if not -len(self) <= i < len(self):
            raise InvalidConfigError(f"i must be one of {len(self)} cascades, was {i!r}")
        of, steps = self._run, list[Step]()
        one = slice(i, i + 1) if i != -1 else slice(i, None)
        shock = self.shock_percent[one] * (self.price / 100)
        run(of.levels, of.law, shock, self.order[one], np.array([of.law.central]), of.rules, steps)
        sign = -1.0 if self.side == "long" else 1.0
        return [
            PathStep(step.round * of.pace_s, float(_price(self.price, sign * step.away)), step.sold + step.taken)
            for step in steps
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, a scenario a dict; what is infinite or not known is None."""
        rows = []
        for i in range(len(self)):
            row: dict[str, Any] = {name: float(getattr(self, name)[i]) for name in _COLUMNS}
            row |= {"rounds": int(self.rounds[i])}
            row |= {"layers": {name: float(values[i]) for name, values in self.layers.items()}}
            for name in ("end_price", "move_percent", "liquidated"):
                row[f"{name}_quantiles"] = [float(value) for value in getattr(self, f"{name}_quantiles")[:, i]]
            row["path"] = [step._asdict() for step in self.path(i)]
            rows.append(row)
        head = {name: getattr(self, name) for name in ("side", "time_ns", "price", "unit", "law", "daily")}
        head |= {"sigma": self.sigma, "volume": self.volume, "quantiles": list(self.quantiles)}
        out: dict[str, Any] = _known({**head, "notes": list(self.notes), "scenarios": rows})
        return out

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the table as CSV, for spreadsheets: the columns of `to_pandas`, a scenario a row.

        Raises
        ------
        InvalidConfigError
            If the path does not end in ``.csv``.
        """
        csv_or(path, ".csv")
        return self._save_csv(path)

    def render(self, path: Any = None, *, width: int = 1200, height: int = 675, theme: str = "dark") -> Any:
        """
        Draw how much farther each shock leads, with quantiles, and what is liquidated on the way.

        Parameters
        ----------
        path : path or binary file, optional
            Where to, as PNG; without it the bytes are returned.
        width, height : int
            Pixels, at least 640 and 400.
        theme : {"dark", "light"}

        Raises
        ------
        InvalidConfigError
            If the size or theme cannot be, the path does not end in ``.png``, or there are fewer than two shocks.
        LiqcoreError
            If Pillow is not installed.
        """
        from .scenario_picture import Look, Shocks, draw_shocks, head_of

        alone = self.move_percent - self.overshoot_percent
        what = Shocks(
            self.side, self.shock_percent, self.overshoot_percent, self.quantiles, self.move_percent_quantiles - alone,
            self.liquidated, self.liquidated_quantiles, self.unit,
        )  # fmt: skip
        head = head_of(f"cascade of {self.side}s", self.time_ns, self.price, self.meta)
        said = [self.law, *([f"sigma and volume: {self.daily}"] if self.daily else [])]
        quantiles = ", ".join(f"p{100 * each:g}" for each in self.quantiles)
        shown = f"thick: by the law's own number; thin: quantiles {quantiles}"
        return draw_shocks(what, Look(path, width, height, theme), head, [*self.notes, *said, shown], self.meta)

    def _columns(self) -> Columns:
        columns: dict[str, Any] = {"side": [self.side] * len(self)}
        columns |= {name: getattr(self, name) for name in _COLUMNS}
        for level, prices, amounts in zip(
            self.quantiles, self.end_price_quantiles, self.liquidated_quantiles, strict=True
        ):
            columns |= {f"end_price_p{100 * level:g}": prices, f"liquidated_p{100 * level:g}": amounts}
        columns |= {f"liquidated_{name.replace(' ', '_')}": values for name, values in self.layers.items()}
        columns |= {"unit": [self.unit] * len(self), "law": [self.law] * len(self), "note": [SCENARIO] * len(self)}
        amounts = [name for name in columns if name.startswith("liquidated")]
        amounts += ["order", "taken_over", "deleveraged"]
        places = dict.fromkeys((name for name in columns if name.startswith("end_price")), decimals_of(self._run.step))
        shares = dict.fromkeys((name for name in columns if name.endswith("percent")), 4)
        return Columns(columns, places | shares | dict.fromkeys(amounts, amount_decimals(self.unit)) | {"loss_usd": 2})


_COLUMNS = (
    "shock_percent", "order", "end_price", "move_percent", "overshoot_percent", "liquidated", "taken_over",
    "deleveraged", "loss_usd",
)  # fmt: skip


class _Run(NamedTuple):
    levels: Levels
    law: Law
    rules: Rules
    pace_s: float
    step: float


def cascade(
    shown: HeatmapWithMap | MapLike,
    shock: ArrayLike | None = None,
    *,
    side: str,
    order: ArrayLike | None = None,
    ts: Time | None = None,
    sigma: float | None = None,
    volume: float | None = None,
    y: float = 1.0,
    y_range: tuple[float, float] = (0.5, 6.5),
    exponent: float = 0.5,
    depth: float | None = None,
    depth_percent: float = 1.0,
    collapse: float = 3.4,
    book: Iterable[tuple[float, float]] | None = None,
    refill: float = 0.0,
    decay: Length | None = None,
    pace: Length = "1s",
    backstop: bool = False,
    fund: float | None = None,
    orders: TriggerOrders | None = None,
    scale: float = 1.0,
    maps: Sequence[MapLike] = (),
    weights: Sequence[float] | None = None,
    quantiles: Sequence[float] = QUANTILES,
) -> Cascade:
    """
    Play through what a move of the price, or an order at market, would set off.

    The price comes to the smallest fixed point of ``P = P0 -/+ shock -/+ move(order + Q(P))``, where ``Q(P)`` is what
    is liquidated up to P and ``move(Q) = Y sigma P0 sqrt(Q / V)`` with the volatility sigma and the volume V of a day.
    With `depth` it is ``depth_percent x (Q collapse / depth)^0.875``; with `book` the given orders are walked, which is
    optimistic. docs/theory/cascade.md has the sources and how rough they are. The result is a scenario, no forecast.

    Parameters
    ----------
    shown : Heatmap, MergedHeatmap or LiquidationMap
        Its levels, in its unit. Of a heatmap's map each bin is a row: a touch takes a whole row, so that coarse rows
        are reached a little sooner, as if the shock were at most one row larger.
    shock : float or array, optional
        Moves of the price that begin it, percent of the last price, 0 or above; falls for longs, rises for shorts.
    side : {"long", "short"}
        Whose positions: longs by a fall, shorts by a rise.
    order : float or array, optional
        Amounts sold (longs) or bought (shorts) at market, in the unit of the map; they move the price together with
        what they set off. At least one of shock and order is given; arrays are broadcast against each other.
    ts : time, optional
        Of a heatmap: at which time, knowing nothing of later. By default after the last column.
    sigma, volume : float, optional
        Volatility of a day as a fraction, and what is traded a day in the map's unit. By default from the candles of
        the seven days before (a map has none).
    y, y_range : float, (float, float), optional
        Y, and the range over which quantiles are taken, its logarithm spread evenly.
    exponent : float, optional
        In place of the root's 0.5, such as `liqcore.impact` finds it; above 0, at most 1.
    depth, depth_percent, collapse : float, optional
        Amount that waits in the order book up to so many percent from the price, and by how much that shrinks.
    book : iterable of (float, float), optional
        Price and quantity of bids for longs, of asks for shorts.
    refill : float, optional
        Share of what is sold that new orders of makers take, 0 up to, not including, 1.
    decay : duration, optional
        After which the impact of one amount has fallen to 1/sqrt(2), as the inverse square root of time. By default it
        stays.
    pace : duration, optional
        How long a round takes: liquidation, impact, next liquidation.
    backstop : bool, optional
        Whether a position whose bankruptcy price has been passed when it is reached is taken over, not sold.
    fund : float, optional
        USD that the insurance fund can lose before positions of the other side are deleveraged; by default no limit.
    orders : TriggerOrders, optional
        Real stop orders (`liqcore.read_trigger_orders`), as a layer beside the estimated levels.
    scale : float, optional
        Share of the map's amounts that is taken for real, above 0. Maps are relative levels until a profile is fitted.
    maps, weights : sequence of LiquidationMap, sequence of float, optional
        Other maps of the same instant over which quantiles are taken, such as of draws of a fitted profile
        (`Heatmap.reweigh`), and how likely each is. By default only what is shown.
    quantiles : sequence of float, optional
        Levels, 0 to 1.

    Returns
    -------
    Cascade

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule, or sigma or volume are not known.

    Notes
    -----
    A thousand shocks with quantiles take some 10 ms on a map of a thousand bins, and 40 ms with `backstop`.

    Examples
    --------
    >>> import liqcore as lq
    >>> market = lq.simulate(days=1.0, trades_per_day=40_000)
    >>> hm = lq.heatmap(trades=market.trades)
    >>> found = lq.cascade(hm, [0.5, 2.0], side="long", scale=0.03)
    >>> bool((found.move_percent >= found.shock_percent).all())
    True
    >>> bool(len(found.path(1)) == found.rounds[1] + 1)
    True
    """
    if side not in _SIDES:
        raise InvalidConfigError(f"side must be one of {_SIDES}, was {side!r}")
    made, heatmap = _map_of(shown, ts)
    if math.isnan(made.price):
        raise InvalidConfigError("the map must have a last price: nothing has traded yet")
    shocks, amounts = _begins(shock, order)
    rules, pace_s = _rules(refill, decay, pace, backstop, fund, made)
    _check("scale", scale, 0.0, math.inf)
    if book is not None and depth is not None:
        raise InvalidConfigError("depth goes without book")
    daily = Daily(math.nan, math.nan, "")
    law: Law
    if book is not None:
        multiplier = 0.0 if is_inverse(made.meta) else float(made.meta.get("instrument", {}).get("multiplier", 1.0))
        law = book_of(book, side=side, price=made.price, unit=made.unit, multiplier=multiplier)
    elif depth is not None:
        _check("depth", depth, 0.0, math.inf)
        _check("depth_percent", depth_percent, 0.0, 100.0)
        if not 1 <= collapse < math.inf:
            raise InvalidConfigError(f"collapse must be a number, at least 1, was {collapse!r}")
        law = Depth(made.price, depth, depth_percent, collapse)
    else:
        daily = daily_of(heatmap, made.time_ns, made.unit, sigma, volume)
        law = _square_root(made.price, daily, y, y_range, exponent)
    others, shares = _maps(made, maps, weights)
    levels = levels_of(made, side, scale, orders, backstop=backstop)
    n, sign = len(shocks), -1.0 if side == "long" else 1.0
    begin = shocks * (made.price / 100)
    found = run(levels, law, begin, amounts, np.full(n, law.central), rules)
    alone = begin + law.move(amounts * (1 - refill), np.full(n, law.central))
    checked = _quantile_levels(quantiles)
    away, gone = _drawn(
        [levels_of(each, side, scale, orders, backstop=backstop) for each in others],
        shares, law, begin, amounts, rules, checked,
    )  # fmt: skip
    return Cascade(
        side=side,
        time_ns=made.time_ns,
        price=made.price,
        unit=made.unit,
        law=law.said(),
        daily=daily.said,
        sigma=daily.sigma,
        volume=daily.volume,
        shock_percent=shocks,
        order=amounts,
        end_price=_price(made.price, sign * found.away),
        move_percent=_percent(found.away, made.price, side),
        overshoot_percent=_percent(found.away, made.price, side) - _percent(alone, made.price, side),
        liquidated=(found.sold + found.taken).sum(axis=0),
        layers=dict(zip(levels.names, found.sold + found.taken, strict=True)),
        taken_over=found.taken.sum(axis=0),
        deleveraged=found.deleveraged.sum(axis=0),
        loss_usd=found.loss,
        rounds=found.rounds,
        quantiles=checked,
        end_price_quantiles=_price(made.price, sign * away),
        move_percent_quantiles=_percent(away, made.price, side),
        liquidated_quantiles=gone,
        meta=made.meta,
        notes=tuple(_notes(made, scale, levels, found)),
        _run=_Run(levels, law, rules, pace_s, made.step),
    )


def levels_of(
    made: MapLike, side: str, scale: float = 1.0, orders: TriggerOrders | None = None, *, backstop: bool = False
) -> Levels:
    """Return what waits on one side of a map's last price, the nearest first; empty bins are left out."""
    values = np.asarray(made.long if side == "long" else made.short) * scale
    names = tuple(layer.name for layer in made.layers)
    edges = made.price - (made.prices + made.step) if side == "long" else made.prices - made.price
    some = np.flatnonzero(values.any(axis=0))
    away, amounts = np.maximum(edges[some], 0.0), values[:, some]
    ratio = _bankrupt(made, side) if backstop else np.full(len(names), math.nan)
    if orders is not None:
        worth = made.unit == "usd" and not is_inverse(made.meta)
        at = orders.below(made.price) if side == "long" else orders.above(made.price)
        more = np.zeros((len(names) + 1, len(at.price)))
        more[-1] = at.qty * at.price if worth else at.qty
        amounts = np.concatenate([np.vstack([amounts, np.zeros((1, len(away)))]), more], axis=1)
        away = np.append(away, np.abs(at.price - made.price))
        names, ratio = (*names, STOP_ORDERS), np.append(ratio, math.nan)
    nearest = np.argsort(away, kind="stable")
    return Levels(side, away[nearest], names, amounts[:, nearest], ratio, made.price)


def _bankrupt(made: MapLike, side: str) -> Numbers:
    """Bankruptcy over liquidation price by tier, by the terms that the map was made with."""
    terms = made.meta.get("instrument")
    if not terms or "mmr" not in terms:
        raise InvalidConfigError("backstop must be of a map that says its margin terms: meta has no instrument")
    contract = terms["contract"]
    liquidated = liquidation_price(
        side, 1.0, made.tiers, mmr=terms["mmr"], contract=contract, basis=terms["basis"], fee=terms["fee"]
    )
    bankrupt = bankruptcy_price(side, 1.0, made.tiers, contract=contract)
    return np.asarray(bankrupt, np.float64) / np.asarray(liquidated, np.float64)


def _map_of(shown: Any, ts: Time | None) -> tuple[MapLike, HeatmapLike | None]:
    if hasattr(shown, "times"):
        return shown.map(ts), shown
    if ts is not None:
        raise InvalidConfigError(f"ts goes with a heatmap: a map is of one instant, was {ts!r}")
    return shown, None


def _begins(shock: ArrayLike | None, order: ArrayLike | None) -> tuple[Numbers, Numbers]:
    """The shocks in percent and the orders, one length."""
    if shock is None and order is None:
        raise InvalidConfigError("shock or order must be given, neither was")
    given = []
    for name, value in (("shock", shock), ("order", order)):
        numbers = np.atleast_1d(np.asarray(0.0 if value is None else value, np.float64))
        if numbers.ndim != 1 or not len(numbers):
            raise InvalidConfigError(f"{name} must be a number or a list of them, was of shape {numbers.shape}")
        wrong = ~((numbers >= 0) & (numbers < (100 if name == "shock" else math.inf)))
        if wrong.any():
            rule = "0 or above, and below 100 percent" if name == "shock" else "an amount, 0 or above"
            raise InvalidConfigError(f"{name} must be {rule}, was {numbers[wrong][0]:g}")
        given.append(numbers)
    try:
        shocks, orders = np.broadcast_arrays(*given)
    except ValueError:
        raise InvalidConfigError(
            f"order must have one value or as many as shock, {len(given[0])}, had {len(given[1])}"
        ) from None
    return shocks.astype(np.float64), orders.astype(np.float64)


def _rules(
    refill: float, decay: Length | None, pace: Length, backstop: bool, fund: float | None, made: MapLike
) -> tuple[Rules, float]:
    if not 0 <= refill < 1:
        raise InvalidConfigError(f"refill must be a share, 0 up to, not including, 1, was {refill!r}")
    if fund is not None:
        if not backstop:
            raise InvalidConfigError("fund goes with backstop")
        if not 0 <= fund < math.inf:
            raise InvalidConfigError(f"fund must be USD, 0 or above, was {fund!r}")
    if backstop and made.unit != "usd":
        raise InvalidConfigError(f'backstop must be of a map in usd, whose losses are USD, was "{made.unit}"')
    pace_ns = parse_duration(pace, name="pace")
    rounds = math.inf if decay is None else parse_duration(decay, name="decay") / pace_ns
    return Rules(refill, rounds, backstop, math.inf if fund is None else fund), pace_ns / 1e9


def _square_root(price: float, daily: Daily, y: float, y_range: tuple[float, float], exponent: float) -> SquareRoot:
    _check("y", y, 0.0, math.inf)
    if len(y_range) != 2 or not 0 < y_range[0] <= y_range[1] < math.inf:
        raise InvalidConfigError(f"y_range must be two numbers above 0, the lower first, was {tuple(y_range)}")
    if not 0 < exponent <= 1:
        raise InvalidConfigError(f"exponent must be above 0 and at most 1, was {exponent!r}")
    low, high = (float(each) for each in y_range)
    return SquareRoot(price, daily.sigma, daily.volume, float(y), (low, high), float(exponent))


def _maps(made: MapLike, maps: Sequence[MapLike], weights: Sequence[float] | None) -> tuple[Sequence[MapLike], Numbers]:
    """The maps over which quantiles are taken, and their weights, which sum to 1."""
    others = maps or [made]
    shares = np.ones(len(others)) if weights is None else np.asarray(weights, np.float64)
    if weights is not None and not maps:
        raise InvalidConfigError("weights goes with maps")
    if shares.shape != (len(others),) or not (np.isfinite(shares) & (shares >= 0)).all() or not shares.sum() > 0:
        raise InvalidConfigError(f"weights must be {len(others)} numbers, 0 or above, not all 0, were {weights!r}")
    for each in others:
        for name in ("price", "unit", "time_ns"):
            if getattr(each, name) != getattr(made, name):
                raise InvalidConfigError(
                    f"maps must be of one instant: {name} must be {getattr(made, name)!r}, was {getattr(each, name)!r}"
                )
    return others, shares / shares.sum()


def _quantile_levels(quantiles: Sequence[float]) -> tuple[float, ...]:
    for level in quantiles:
        if not 0 <= level <= 1:
            raise InvalidConfigError(f"quantiles must be levels from 0 to 1, was {level!r}")
    return tuple(float(level) for level in quantiles)


def _drawn(
    of: Sequence[Levels], shares: Numbers, law: Law, begin: Numbers, order: Numbers, rules: Rules,
    levels: Sequence[float],
) -> tuple[Numbers, Numbers]:  # fmt: skip
    """Quantiles of distance and amount over all maps and strengths, shape (quantiles, n)."""
    strengths = law.strengths(_DRAWS)
    draws, n = len(strengths), len(begin)
    away, gone = np.empty((2, len(of) * draws, n))
    for i, each in enumerate(of):
        found = run(
            each, law, np.tile(begin, draws), np.tile(order, draws), np.repeat(strengths, n), rules
        )  # fmt: skip
        rows = slice(i * draws, (i + 1) * draws)
        away[rows] = found.away.reshape(draws, n)
        gone[rows] = (found.sold + found.taken).sum(axis=0).reshape(draws, n)
    weight = np.repeat(shares / draws, draws)
    return _quantile(away, weight, levels), _quantile(gone, weight, levels)


def _quantile(values: Numbers, weight: Numbers, levels: Sequence[float]) -> Numbers:
    """The smallest value below or at which so much of the weight lies, of each column."""
    by_size = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, by_size, axis=0)
    below = np.cumsum(weight[by_size], axis=0)
    out = np.empty((len(levels), values.shape[1]))
    for i, level in enumerate(levels):
        out[i] = ordered[np.argmax(below >= min(level, 1.0) - 1e-12, axis=0), np.arange(values.shape[1])]
    return out


def _percent(away: Numbers, price: float, side: str) -> Numbers:
    percent = 100 * away / price
    return np.where(np.isfinite(percent), np.minimum(percent, 100.0), percent) if side == "long" else percent


def _price(price: float, away: Any) -> Any:
    """The price so far away; NaN where there is no end, and never below 0."""
    return np.where(np.isfinite(away), np.maximum(price + away, 0.0), math.nan)[()]


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        upper = "" if math.isinf(high) else f" and below {high:g}"
        raise InvalidConfigError(f"{name} must be above {low:g}{upper}, was {value!r}")


def _notes(made: MapLike, scale: float, levels: Levels, found: Outcome) -> list[str]:
    notes = [SCENARIO]
    if not is_fitted(made.meta):
        taken = "all of them are" if scale == 1 else f"{100 * scale:g} % of them are"
        notes.append(f"The map's amounts are on a {scale_text(made.meta)}; {taken} taken for real (scale).")
    if np.isinf(found.away).any():
        notes.append("The order book ends before some cascades do: where they end is not known.")
    elif levels.side == "long" and (found.away >= made.price).any():
        notes.append("Some falls end at a price of 0: the amounts taken for real, or Y, are too large.")
    if not len(levels.away):
        notes.append(f"There are no {levels.side}s to be liquidated.")
    return notes


def _known(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _known(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_known(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
