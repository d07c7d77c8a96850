"""Where a stop stands beyond the clusters, not among them, and what a cascade through it would cost."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidConfigError
from ..render.labels import price_text
from ..render.map_contract import MapLike
from ..sources.trigger_orders import TriggerOrders
from ..tables.frames import Columns, Tabular, amount_decimals, csv_or, decimals_of
from ..words.numbers import price_number
from ..words.times import Time, iso
from .cascade import QUANTILES, SCENARIO, Cascade, HeatmapWithMap, cascade
from .zones import Zones

NEAR_ROUND = 0.1
"""How far beyond a round number its stop orders gather, a share of the distance between round numbers."""


class HeatmapWithZones(HeatmapWithMap, Protocol):
    """A heatmap that has a map and the zones of each instant."""

    def zones(self, ts: Time | None = None, *, threshold: float | str | None = None) -> Zones: ...


class ClusterSpan(NamedTuple):
    """A zone that a stop stands beyond: its edges, and what it holds."""

    low: float
    high: float
    value: float


class Stop(NamedTuple):
    """
    A price for a stop, beyond a cluster; docs/how-to/stops.md.

    Attributes
    ----------
    price : float
    distance_percent : float
        From the entry, negative below.
    cluster : ClusterSpan
        The one that it stands beyond.
    between, orders_between : float
        What would be liquidated, and the real stop orders that would be triggered, on the way from the last price.
    to_next_percent : float
        From the stop to the next cluster beyond, above 0; NaN where there is none.
    round_number : float
        A round number just beyond which it stands, where stop orders gather; NaN: none is so near.
    fill_price, slippage_percent : float
        Where a cascade that takes the price to the stop would end, and how far from the stop that is: a scenario.
    slippage_quantiles : tuple of float
        The same over what is not known, at the levels of `Stops.quantiles`.
    quantity : float
        What may be held so that the loss up to `fill_price` is the money at risk; NaN where none is given.
    """

    price: float
    distance_percent: float
    cluster: ClusterSpan
    between: float
    orders_between: float
    to_next_percent: float
    round_number: float
    fill_price: float
    slippage_percent: float
    slippage_quantiles: tuple[float, ...]
    quantity: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stops(Sequence[Stop], Tabular):
    """
    Prices for a stop, the nearest to the entry first: scenarios, never forecasts.

    Attributes
    ----------
    side : {"long", "short"}
        Of the position.
    entry, risk_percent : float
    time_ns : int
    price : float
        The last.
    unit : {"usd", "quantity"}
    quantiles : tuple of float
    law : str
    notes : tuple of str
        What an answer must say beside its numbers; the first is that it is a scenario.
    """

    side: str
    entry: float
    risk_percent: float
    time_ns: int
    price: float
    unit: str
    quantiles: tuple[float, ...]
    law: str
    notes: tuple[str, ...]
    meta: Mapping[str, Any]
    _found: tuple[Stop, ...]
    _map: MapLike = field(repr=False)
    _clusters: tuple[ClusterSpan, ...] = ()

    def __len__(self) -> int:
        """Count them."""
        return len(self._found)

    def __getitem__(self, i: Any) -> Any:
        """Return one, or some."""
        return self._found[i]

    def __repr__(self) -> str:
        return f"<Stops: {len(self)} of a {self.side} from {self.entry:g} at {iso(self.time_ns)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values; what is not known is None."""
        names = ("side", "entry", "risk_percent", "time_ns", "price", "unit", "law")
        rows = [{**stop._asdict(), "cluster": stop.cluster._asdict()} for stop in self._found]
        for row in rows:
            row |= {"slippage_quantiles": [_known(each) for each in row["slippage_quantiles"]]}
        head = {name: getattr(self, name) for name in names}
        return {
            **head,
            "quantiles": list(self.quantiles),
            "notes": list(self.notes),
            "stops": [{name: _known(value) for name, value in row.items()} for row in rows],
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Write them as CSV, for spreadsheets: the columns of `to_pandas`.

        Raises
        ------
        InvalidConfigError
            If the path does not end in ``.csv``.
        """
        csv_or(path, ".csv")
        return self._save_csv(path)

    def render(self, path: Any = None, *, width: int = 1200, height: int = 675, theme: str = "dark") -> Any:
        """
        Draw the levels between entry and stops, the clusters, and the stops with their slippage.

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
            If the size or theme cannot be, the path does not end in ``.png``, or there is no stop.
        LiqcoreError
            If Pillow is not installed.
        """
        from .scenario_picture import Flag, Look, draw_stops, head_of

        marked = [(self.price, "last price")]
        if self.entry != self.price:
            marked.append((self.entry, "entry"))
        flags = [
            Flag(
                stop.price,
                stop.fill_price,
                f"stop {price_text(stop.price)}, filled at {price_text(stop.fill_price, 1)}",
            )
            for stop in self._found
        ]
        mine = self._map.long if self.side == "long" else self._map.short
        head = head_of(f"stops of a {self.side}", self.time_ns, self.price, self.meta)
        shown = "bright: clusters; bars below a stop's words: from the stop to where a cascade would fill it"
        return draw_stops(
            self.side, self._map.prices, np.asarray(mine).sum(axis=0), self._map.step,
            [(each.low, each.high) for each in self._clusters], flags, marked, self.unit,
            Look(path, width, height, theme), head, [*self.notes, self.law, shown], self.meta,
        )  # fmt: skip

    def _columns(self) -> Columns:
        rows = self._found
        columns: dict[str, Any] = {"side": [self.side] * len(rows)}
        for name in ("price", "distance_percent"):
            columns[name] = _floats(getattr(stop, name) for stop in rows)
        for name in ClusterSpan._fields:
            columns[f"cluster_{name}"] = _floats(getattr(stop.cluster, name) for stop in rows)
        for name in ("between", "orders_between", "to_next_percent", "round_number", "fill_price", "slippage_percent"):
            columns[name] = _floats(getattr(stop, name) for stop in rows)
        for i, level in enumerate(self.quantiles):
            columns[f"slippage_percent_p{100 * level:g}"] = _floats(stop.slippage_quantiles[i] for stop in rows)
        columns |= {"quantity": _floats(stop.quantity for stop in rows), "unit": [self.unit] * len(rows)}
        columns |= {"note": [SCENARIO] * len(rows)}
        prices = ("price", "cluster_low", "cluster_high", "fill_price", "round_number")
        decimals = dict.fromkeys(prices, decimals_of(self._map.step / 2))
        amounts = ("cluster_value", "between", "orders_between")
        decimals |= dict.fromkeys(amounts, amount_decimals(self.unit))
        return Columns(columns, decimals | dict.fromkeys((name for name in columns if "percent" in name), 4))


def stops(
    shown: HeatmapWithZones,
    entry: float | None = None,
    *,
    side: str,
    risk: float = 5.0,
    money: float | None = None,
    ts: Time | None = None,
    threshold: float | str | None = None,
    beyond: float = 1.0,
    round_step: float | None = None,
    orders: TriggerOrders | None = None,
    **of_cascade: Any,
) -> Stops:
    """
    Find prices for a stop beyond the next clusters of levels, not inside them.

    A stop among levels that are liquidated is sold together with them. The candidates stand beyond each cluster of the
    position's own side between the last price and the risk, by so many rows. All of it is a scenario, no forecast.

    Parameters
    ----------
    shown : Heatmap or MergedHeatmap
    entry : float, optional
        Price of the position's entry; by default the last price.
    side : {"long", "short"}
        Of the position: the stop of a long stands below, that of a short above.
    risk : float, optional
        How far from the entry a stop may stand, percent, above 0 and below 100.
    money : float, optional
        Money that may be lost, in quote currency: tells what may be held for each stop, slippage included (linear
        contracts).
    ts : time, optional
        Knowing nothing of later. By default after the last column.
    threshold : float or str, optional
        What each row of a cluster holds at least, as `Heatmap.zones` takes it. [default: "p90"]
    beyond : float, optional
        Rows between a cluster's far edge and the stop, 0 or above.
    round_step : float, optional
        Distance between round numbers. By default a hundredth to a tenth of the price that is a power of ten (1,000 at
        60,000). A stop up to a tenth of it beyond a round number is flagged: stop-loss orders gather just beyond round
        numbers (Osler 2003).
    orders : TriggerOrders, optional
        Real stop orders (`liqcore.read_trigger_orders`), beside the estimated levels.
    **of_cascade
        sigma, volume, y, depth, book, scale, ... of `liqcore.cascade`, which reckons the slippage.

    Returns
    -------
    Stops

    Raises
    ------
    InvalidConfigError
        If an argument breaks its rule, or sigma or volume are not known.

    Examples
    --------
    >>> import liqcore as lq
    >>> hm = lq.heatmap(trades=lq.simulate(days=1.0, trades_per_day=40_000).trades)
    >>> found = lq.stops(hm, side="long", risk=10, scale=0.03)
    >>> all(stop.price < stop.cluster.low and stop.fill_price <= stop.price for stop in found)
    True
    """
    if side not in ("long", "short"):
        raise InvalidConfigError(f"side must be one of ('long', 'short'), was {side!r}")
    for name, value, top in (("entry", entry, math.inf), ("risk", risk, 100.0), ("money", money, math.inf)):
        if value is not None and not 0 < value < top:
            raise InvalidConfigError(
                f"{name} must be above 0{'' if math.isinf(top) else ' and below 100'}, was {value!r}"
            )
    if not 0 <= beyond < math.inf:
        raise InvalidConfigError(f"beyond must be a number of rows, 0 or above, was {beyond!r}")
    made = shown.map(ts)
    last = made.price
    if math.isnan(last):
        raise InvalidConfigError("the map must have a last price: nothing has traded yet")
    if round_step is not None and not 0 < round_step < math.inf:
        raise InvalidConfigError(f"round_step must be above 0, was {round_step!r}")
    step = round_step if round_step is not None else 10.0 ** (math.floor(math.log10(last)) - 1)
    start = last if entry is None else float(entry)
    sign = -1.0 if side == "long" else 1.0
    clusters = tuple(
        ClusterSpan(zone.low, zone.high, zone.value)
        for zone in _outwards(shown.zones(ts, threshold=threshold), side)
        if (zone.high <= last if side == "long" else zone.low >= last)
    )
    limit = start * (1 + sign * risk / 100)
    kept = [
        (cluster, price)
        for cluster in clusters
        for price in [(cluster.low if side == "long" else cluster.high) + sign * beyond * made.step]
        if price > 0 and sign * (price - start) > 0 and sign * (limit - price) >= 0
    ]
    kept = [pair for pair in kept if not _inside(pair[1], clusters)]
    shocks = [100 * abs(price / last - 1) for _, price in kept]
    found = cascade(shown, shocks or [0.0], side=side, ts=ts, orders=orders, **of_cascade)
    return Stops(
        side=side,
        entry=price_number(start),
        risk_percent=float(risk),
        time_ns=made.time_ns,
        price=last,
        unit=made.unit,
        quantiles=found.quantiles,
        law=found.law,
        notes=(*found.notes, *_notes(kept, clusters, risk)),
        meta=made.meta,
        _found=tuple(
            _stop(i, cluster, price, start, step, sign, clusters, found, made, orders, money)
            for i, (cluster, price) in enumerate(kept)
        ),
        _map=made,
        _clusters=clusters,
    )


def _stop(
    i: int, cluster: ClusterSpan, price: float, start: float, round_step: float, sign: float,
    clusters: Sequence[ClusterSpan], found: Cascade, made: MapLike, orders: TriggerOrders | None, money: float | None,
) -> Stop:  # fmt: skip
    side = found.side
    if side == "long":
        rows = (made.prices + made.step <= made.price + 1e-9 * made.step) & (made.prices + made.step > price)
        between = float(made.long[:, rows].sum())
        further = [price - each.high for each in clusters if each.high <= price]
    else:
        rows = (made.prices >= made.price - 1e-9 * made.step) & (made.prices <= price)
        between = float(made.short[:, rows].sum())
        further = [each.low - price for each in clusters if each.low >= price]
    triggered = 0.0
    if orders is not None:
        at = orders.below(made.price) if side == "long" else orders.above(made.price)
        some = at.price >= price if side == "long" else at.price <= price
        worth = at.qty * at.price if made.unit == "usd" and _linear(made) else at.qty
        triggered = float(worth[some].sum())
    fill = float(found.end_price[i])
    lost = abs(start - fill)
    return Stop(
        price=price,
        distance_percent=100 * (price / start - 1),
        cluster=cluster,
        between=between,
        orders_between=triggered,
        to_next_percent=100 * min(further) / price if further else math.nan,
        round_number=round_number(price, round_step, side),
        fill_price=fill,
        slippage_percent=100 * sign * (fill - price) / price,
        slippage_quantiles=tuple((100 * sign * (found.end_price_quantiles[:, i] - price) / price).tolist()),
        quantity=money / lost if money is not None and _linear(made) and lost > 0 else math.nan,
    )


def round_number(price: float, step: float, side: str) -> float:
    """
    Return the round number just beyond which a price lies, where stops of a side gather; NaN if none is so near.

    Examples
    --------
    >>> round_number(59_950, 1_000, "long"), round_number(60_050, 1_000, "long"), round_number(60_050, 1_000, "short")
    (60000, nan, 60000)
    """
    if side == "long":
        near = math.ceil(price / step - 1e-9) * step
        return near if near - price <= NEAR_ROUND * step * (1 + 1e-9) else math.nan
    near = math.floor(price / step + 1e-9) * step
    return near if price - near <= NEAR_ROUND * step * (1 + 1e-9) else math.nan


def _outwards(zones: Iterable[Any], side: str) -> list[Any]:
    """The zones of a side, the nearest to the price first."""
    mine = [zone for zone in zones if zone.side == side]
    return sorted(mine, key=lambda zone: zone.low, reverse=side == "long")


def _inside(price: float, clusters: Sequence[ClusterSpan]) -> bool:
    return any(each.low <= price <= each.high for each in clusters)


def _linear(made: MapLike) -> bool:
    return bool(made.meta.get("instrument", {}).get("contract", "linear") != "inverse")


def _notes(kept: Sequence[object], clusters: Sequence[ClusterSpan], risk: float) -> list[str]:
    if kept:
        return []
    if not clusters:
        return ["No cluster at this threshold lies on the stop's side of the price."]
    return [f"No place beyond a cluster lies within {risk:g} % of the entry, outside of all clusters."]


def _floats(values: Iterable[float]) -> NDArray[np.float64]:
    return np.fromiter(values, np.float64)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


__all__ = ["QUANTILES", "ClusterSpan", "Stop", "Stops", "round_number", "stops"]
