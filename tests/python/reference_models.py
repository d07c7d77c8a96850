"""The slow, obvious truth about the models: docs/theory/models.md in plain Python.

Built on `Reference`, which knows the book, the trigger, windows and ``flow``. Lots are whole until they are opened.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from reference import FATES, MAX_LOTS, MAX_TIME, SHARES, SIGN, Layer, Reference

CandleRow = tuple[int, float, float, float, float, float, float]


class Interval:
    """What happened since the last sample of open interest."""

    def __init__(self) -> None:
        self.profile: dict[int, list[int]] = {}  # tick -> lots bought, lots sold
        self.hull: tuple[int, int] | None = None  # ticks that were touched
        self.prices: list[int] = []  # of trades and candles: open, high, low, close in the order they came

    def turnover(self) -> int:
        return sum(bought + sold for bought, sold in self.profile.values())


class ModelReference(Reference):
    """`Reference` with every model; open interest in the unit the venue prints."""

    def __init__(
        self,
        *,
        model: str = "flow",
        taker_tilt: float = 0.0,
        churn: float | None = None,
        event_threshold: float | None = None,
        reconciled: bool = False,
        **rules: Any,
    ) -> None:
        super().__init__(model=model, **rules)
        self.taker_tilt = round(taker_tilt * SHARES) / SHARES
        self.churn = round((0.1 if churn is None else churn) * SHARES) / SHARES
        self.threshold = None if event_threshold is None else event_threshold / self.lot_size
        self.reconciled = reconciled
        self.before: int | None = None  # the last sample, lots
        self.interval = Interval()
        self.last_price: int | None = None  # tick of the last trade or candle
        self.taken: dict[Layer, float] = dict.fromkeys(self.live, 0.0)  # liquidated at the last sample, lots
        self.spared: dict[Layer, float] = dict.fromkeys(self.live, 0.0)
        self.capped: dict[Layer, float] = dict.fromkeys(self.live, 0.0)

    # ---- what an interval remembers ----------------------------------------------------------------------------

    def _touch(self, low: int, high: int, last: int | None = None) -> None:
        super()._touch(low, high, last)
        was = self.interval.hull or (low, high)
        self.interval.hull = min(was[0], low), max(was[1], high)

    def _draw(self, open_: int, high: int, low: int, close: int, buy: int, sell: int) -> None:
        super()._draw(open_, high, low, close, buy, sell)
        self.interval.prices += [open_, high, low, close]
        self.last_price = close

    def _flow(self, side: str, entry: int, lots: int, low: int, high: int, interval: int | None = None) -> None:
        super()._flow(side, entry, lots, low, high, interval)
        if lots:
            self.interval.profile.setdefault(entry, [0, 0])[0 if side == "long" else 1] += lots

    # ---- samples -----------------------------------------------------------------------------------------------

    def open_interest(self, ts: int, quantity: float) -> None:
        """Take one sample."""
        self.rows += 1
        reason = self._sample_reason(ts, quantity)
        if reason:
            self.rejected[reason] += 1
            return
        self.used += 1
        self.advance(ts)
        now = round(quantity / self.lot_size)
        if self.before is not None and (self.last_price is not None or self.last_mark is not None):
            self._sample(self.before, now)
        self.before = now
        self.interval = Interval()
        self.taken = {layer: account["liquidated"] for layer, account in self.account.items()}

    def _sample_reason(self, ts: int, quantity: float) -> str:
        if ts < 0:
            return "not_positive"
        if ts > MAX_TIME:
            return "too_large"
        if self.clock is not None and ts < self.clock:
            return "late"
        if not math.isfinite(quantity):
            return "not_finite"
        if quantity < 0:
            return "not_positive"
        return "too_large" if quantity / self.lot_size > MAX_LOTS else ""

    def _sample(self, before: int, now: int) -> None:
        rise = now - before
        if self.model == "oi":
            self._close(before, now, 0)
            self._open_interval(max(rise, 0))
        elif self.model == "blend":
            renewed = min(round(self.churn * self.interval.turnover()), before, now)
            self._close(before, now, renewed)
            self._open_interval(max(rise, 0) + renewed)
        elif self.model == "vendor" and self.threshold is not None and rise > self.threshold:
            self._event(self._mean_price(), rise)
            self._touch_hull()
        if self.reconciled and self.model != "none":
            self._cap(now)

    def _close(self, before: int, now: int, renewed: int) -> None:
        """Close in proportion; where reconciled, what was liquidated has left already."""
        fall = max(before - now, 0)
        plain = (min(before, now) - renewed) / before if before else 1.0
        for layer in self.live:
            liquidated = (self.account[layer]["liquidated"] - self.taken[layer]) / SHARES if self.reconciled else 0
            rest = before - min(liquidated, fall)
            factor = (min(before, now) - renewed) / rest if rest > 0 else 1.0
            self.spared[layer] += (factor - plain) * sum(self.live[layer].values()) / SHARES
            self._scale(layer, factor)

    def _open_interval(self, lots: int) -> None:
        """Open on both sides, spread over what traded in the interval, and let the interval's own prices touch it."""
        if lots == 0:
            return
        for side, sign in SIGN.items():
            tilt = sign * self.taker_tilt
            volumes = sorted(self.interval.profile.items())
            weights = [(tick, (b + s) + tilt * (b - s)) for tick, (b, s) in volumes]
            if sum(weight for _, weight in weights) == 0:
                weights = [(tick, b + s) for tick, (b, s) in volumes]
            if not weights:
                weights = [(self._last_price(), 1)]
            total, sum_so_far, given = sum(weight for _, weight in weights), 0.0, 0
            for tick, weight in weights:
                sum_so_far += weight
                upto = round(lots * (sum_so_far / total))
                self._open(side, tick, (upto - given) * SHARES, tick, tick)
                given = upto
            assert given == lots
        self._touch_hull()

    def _last_price(self) -> int:
        price = self.last_price if self.last_price is not None else self.last_mark
        assert price is not None, "no sample acts before there was a price"
        return price

    def _touch_hull(self) -> None:
        """Touch what the interval has reached; the price itself has not moved."""
        hull = self.interval.hull or self.triggered
        if hull is not None:
            was = self.triggered, self.price
            self._touch(*hull)
            self.triggered, self.price = was

    def _cap(self, now: int) -> None:
        for layer, cells in self.live.items():
            live = sum(cells.values()) / SHARES
            if live - now >= 0.5:
                self.capped[layer] += live - now
                self._scale(layer, now / live)

    # ---- events ------------------------------------------------------------------------------------------------

    def vendor_event(self, ts: int, price: float, qty: float) -> None:
        """Take one event: both sides open, before anything is touched."""
        if self._accept(ts, [price], [qty]):
            self._event(self._ticks(price), round(qty / self.lot_size))

    def _event(self, tick: int, lots: int) -> None:
        for side in SIGN:
            self._open(side, tick, lots * SHARES, tick, tick)

    def _mean_price(self) -> int:
        prices = self.interval.prices
        if not prices:
            return self._last_price()
        return max(1, round((prices[0] + max(prices) + min(prices) + prices[-1]) / 4))

    # ---- everything at once ------------------------------------------------------------------------------------

    def feed(
        self,
        marks: Iterable[tuple[int, float]] = (),
        trades: Iterable[tuple[int, float, float, bool]] = (),
        candles: Iterable[CandleRow] = (),
        interval: int = 0,
        open_interest: Iterable[tuple[int, float]] = (),
        vendor_events: Iterable[tuple[int, float, float]] = (),
    ) -> None:
        """Merge streams by time; at equal times mark, trade, vendor event, candle, open interest."""
        streams: list[list[tuple[int, int, Callable[[], None]]]] = [
            [(row[0], 0, partial(self.mark, *row)) for row in marks],
            [(row[0], 1, partial(self.trade, *row)) for row in trades],
            [(row[0], 2, partial(self.vendor_event, *row)) for row in vendor_events],
            [(row[0] + interval - 1, 3, partial(self.add_candle, *row, interval)) for row in candles],
            [(row[0], 4, partial(self.open_interest, *row)) for row in open_interest],
        ]
        for _, _, take in heapq.merge(*streams, key=lambda event: event[:2]):
            take()

    def corrections(self) -> dict[Layer, tuple[float, float]]:
        """Lots of each layer that were spared from closing, and that the cap closed."""
        return {layer: (self.spared[layer], self.capped[layer]) for layer in self.live}


def imbalance(ref: Reference) -> float:
    """The largest gap in any account, relative to what was opened."""
    return max(
        abs(a["opened"] - a["live"] - sum(a[fate] for fate in FATES)) / max(a["opened"], 1.0)
        for a in ref.stats().values()
    )
