"""The slow, obvious truth about the engine: its rules once more, in plain whole numbers and dictionaries.

Nothing here is fast and nothing is shared with the engine, so that where the two agree, the rules are met. Prices are
whole ticks, bins are numbered from price zero, quantities are whole 1024ths of a lot (a maker share is a multiple of
1/1024) until a half-life or ``scale`` makes them fractions. A *layer* is one (side, leverage tier): it holds everything
that was opened, as if everybody had used that tier.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

Layer = tuple[str, float]  # ("long" | "short", leverage or, below 1, distance from the entry)
Cells = dict[int, float]  # bin -> quantity

SIGN = {"long": +1, "short": -1}
OTHER = {"long": "short", "short": "long"}
SHARES = 1024  # quantities are held in 1/1024 lots
SECOND, MINUTE = 10**9, 60 * 10**9
PRESENCE = 65536  # lots a minute
MAX_TICKS, MAX_LOTS, MAX_TIME = 2**31 - 1, 2**48, 2**62  # the year 2116
FATES = ("liquidated", "closed", "underflow", "overflow", "unresolved", "no_price")  # and live


def level_factor(side: str, leverage: float, mmr: float, fee: float, basis: str, contract: str) -> float:
    """Liquidation price over entry price of an anonymous trade; not finite or not positive: there is none."""
    L, m, f = leverage, mmr, fee
    if L < 1:  # a distance from the entry
        return 1 - SIGN[side] * L
    formulas = {
        ("linear", "mark", "long"): lambda: (1 - 1 / L) / (1 - m - f),
        ("linear", "mark", "short"): lambda: (1 + 1 / L) / (1 + m + f),
        ("linear", "entry", "long"): lambda: 1 - (1 / L - m),
        ("linear", "entry", "short"): lambda: 1 + (1 / L - m),
        ("inverse", "mark", "long"): lambda: (1 + m + f) / (1 + 1 / L),
        ("inverse", "mark", "short"): lambda: (1 - m - f) / (1 - 1 / L),
        ("inverse", "entry", "long"): lambda: 1 / (1 + 1 / L - m),
        ("inverse", "entry", "short"): lambda: 1 / (1 - 1 / L + m),
    }
    try:
        return formulas[contract, basis, side]()
    except ZeroDivisionError:  # the short gains as fast as its coin margin falls
        return math.inf


class Prices:
    """Which prices of a stream are believed, in ticks: `docs/theory/ticks.md`, with everything kept."""

    def __init__(self, limit: float, enough: int) -> None:
        self.limit, self.enough = limit, enough
        self.believed: list[tuple[int, int]] = []  # time and price of each row that led to the price of today
        self.suspect: list[tuple[int, int]] = []

    def near(self, one: int, other: int, limit: float) -> bool:
        low, high = sorted((one, other))
        return high <= low * (1 + limit) + 2

    def believes(self, ts: int, low: int, high: int, close: int) -> bool:
        """Take the next row; a price alone is its own low, high and close."""

        def leads_from(rows: list[tuple[int, int]]) -> bool:
            last = rows[-1][1]
            return low <= last <= high or self.near(last, low, self.limit) or self.near(last, high, self.limit)

        def times(rows: list[tuple[int, int]]) -> int:
            return len(list(groupby(ts for ts, _ in rows)))  # what is rejected may be followed by earlier rows

        if not self.believed or leads_from(self.believed):
            self.believed.append((ts, close))
            self.suspect = []
            return True
        if self.suspect and not leads_from(self.suspect):
            self.suspect = []
        self.suspect.append((ts, close))
        if times(self.suspect) <= min(times(self.believed), self.enough):
            return False
        self.believed, self.suspect = self.suspect, []
        return True

    def wild(self, prices: list[int], wide: float) -> bool:
        """Whether a candle's own prices (open, high, low, close) are far from each other."""
        open_, high, low, close = prices
        return not (self.near(max(open_, close), high, wide) and self.near(min(open_, close), low, wide))


@dataclass
class Column:
    """One closed window: the live book at its end, what was liquidated in it (lots), and its candle (ticks, lots)."""

    start: int
    live: dict[Layer, Cells]
    liquidated: dict[Layer, Cells]
    candle: dict[str, int] | None  # None: nothing traded


class Reference:
    """The engine's rules. Times in ns, prices and quantities as the venue prints them, ``bins`` = [low, high)."""

    def __init__(
        self,
        *,
        tick_size: float,
        lot_size: float,
        tiers: Iterable[float],
        step_ticks: int,
        window: int,
        bins: tuple[int, int] = (0, 2**20),
        grows: bool = False,
        mmr: float = 0.0,
        fee: float = 0.0,
        basis: str = "mark",
        contract: str = "linear",
        model: str = "flow",
        trigger: str = "last",
        maker_share: float = 0.0,
        half_life: Mapping[float, float | None] | None = None,
        candle_price: str = "hlc3",
        outlier: float = 0.0,
        exponent: float | None = None,
    ) -> None:
        self.tick_size, self.lot_size, self.step_ticks, self.window = tick_size, lot_size, step_ticks, window
        self.low_bin, self.high_bin = bins
        self.grows = grows  # such an axis takes no price beyond its end
        self.model, self.trigger, self.candle_price = model, trigger, candle_price
        self.maker_share = round(maker_share * SHARES)
        self.exponent = exponent or 0.0
        self.present: dict[tuple[int, int, str], int] = {}  # lots taken of a side, by window and second in it
        self.outlier, self.prices = outlier, {}
        if outlier:
            self.prices = {
                "trades": Prices(outlier, 10),
                "marks": Prices(5 * outlier, 3),
                "candles": Prices(5 * outlier, 3),
            }
        self.tiers = list(tiers)
        layers = [(side, leverage) for side in SIGN for leverage in self.tiers]
        self.factor = {layer: level_factor(*layer, mmr, fee, basis, contract) for layer in layers}
        self.kept = dict.fromkeys(self.tiers, 1.0)  # what a window's end leaves of each tier
        for leverage, half in (half_life or {}).items():
            self.kept[leverage] = 1.0 if half is None else 2.0 ** (-window / half)
        self.live: dict[Layer, Cells] = {layer: {} for layer in layers}
        self.scaled: set[Layer] = set()  # in the open window
        self.nearest: dict[Layer, float] = dict.fromkeys(layers, -math.inf)  # sign * bin, of the live bins
        self.account: dict[Layer, dict[str, float]] = {layer: dict.fromkeys(("opened", *FATES), 0) for layer in layers}
        self.rows, self.used, self.rounded_qty = 0, 0, 0
        self.rejected: Counter[str] = Counter()
        self.clock: int | None = None  # the largest time seen
        self.index: int | None = None  # number of the open window
        self.last_mark: int | None = None  # ticks
        self.triggered: tuple[int, int] | None = None  # ticks of the last touch
        self.price: tuple[int, int] | None = None  # ticks where it may have left the price
        self.last_trade: int | None = None
        self.candles_until: int | None = None  # end of the last candle that had a volume
        self.columns: list[Column] = []  # one for every closed window, oldest first
        self.liquidated: dict[Layer, Cells] = {layer: {} for layer in layers}  # in the open window
        self.candle: dict[str, int] | None = None  # of the open window

    # ---- the four verbs: all that ever changes the book, in ticks and 1/1024 lots --------------------------------

    def _open(self, side: str, entry: int, quantity: float, low: int, high: int) -> None:
        """Open at ``entry`` on every tier; a level within the event's own range [low, high] cannot be placed."""
        if quantity == 0:
            return
        low, high = min(low, entry), max(high, entry)
        if self.trigger == "mark" and self.last_mark is not None:
            low, high = min(low, self.last_mark), max(high, self.last_mark)
        for leverage in self.tiers:
            factor = self.factor[side, leverage]
            level = round(entry * factor) if math.isfinite(factor) else 0
            self._place((side, leverage), level, quantity, self.bin(low if side == "long" else high))

    def _place(self, layer: Layer, level: int, quantity: float, bound: int | None) -> str:
        """Add one level, if it lies beyond the bin ``bound``; say where it went."""
        sign, account, where = SIGN[layer[0]], self.account[layer], self.bin(level)
        account["opened"] += quantity
        if level <= 0:
            fate = "no_price"
        elif where < self.low_bin:
            fate = "underflow"
        elif where >= self.high_bin:
            fate = "overflow"
        elif bound is not None and sign * where >= sign * bound:
            fate = "unresolved"
        else:
            self.live[layer][where] = self.live[layer].get(where, 0) + quantity
            self.nearest[layer] = max(self.nearest[layer], sign * where)
            return "live"
        account[fate] += quantity
        return fate

    def _touch(self, low: int, high: int, last: int | None = None) -> None:
        """Liquidate live longs in bins >= bin(low) and live shorts in bins <= bin(high)."""
        self.triggered = (low, high)
        self.price = (low, high) if last is None else (last, last)
        for layer, cells in self.live.items():
            sign = SIGN[layer[0]]
            reached = sign * self.bin(low if layer[0] == "long" else high)
            if self.nearest[layer] < reached:
                continue  # even the live bin nearest to the price is out of reach
            for where in [where for where in cells if sign * where >= reached]:
                quantity = cells.pop(where)
                self.liquidated[layer][where] = self.liquidated[layer].get(where, 0) + quantity
                self.account[layer]["liquidated"] += quantity
            self.nearest[layer] = max((sign * where for where in cells), default=-math.inf)

    def _scale(self, layer: Layer, factor: float) -> None:
        """Multiply one layer; the difference is closed."""
        if factor != 1.0:
            self.scaled.add(layer)
            for where, before in self.live[layer].items():
                self.live[layer][where] = before * factor
                self.account[layer]["closed"] += before - self.live[layer][where]

    def _flush(self) -> None:
        """Close the cells below half a lot of the layers that were scaled in this window."""
        for layer in self.scaled:
            for where in [where for where, quantity in self.live[layer].items() if quantity < SHARES / 2]:
                self.account[layer]["closed"] += self.live[layer].pop(where)
        self.scaled.clear()

    def bin(self, tick: int) -> int:
        """Bin of a price in ticks: edges are multiples of the step."""
        return tick // self.step_ticks

    # ---- time ----------------------------------------------------------------------------------------------------

    def advance(self, ts: int) -> None:
        """Move the clock; windows that end at or before ``ts`` are closed. A time in the past changes nothing."""
        if self.clock is not None and ts < self.clock:
            return
        self.clock = ts
        while self.index is not None and self.index < ts // self.window:
            for layer in self.live:
                self._scale(layer, self.kept[layer[1]])
            self._flush()
            live, liquidated = ({k: in_lots(v) for k, v in book.items()} for book in (self.live, self.liquidated))
            self.columns.append(Column(self.index * self.window, live, liquidated, self.candle))
            self.liquidated = {layer: {} for layer in self.live}
            self.candle = None
            self.index += 1

    def _begin(self) -> None:
        """The first window is that of the first price."""
        if self.index is None and self.clock is not None:
            self.index = self.clock // self.window

    def _draw(self, open_: int, high: int, low: int, close: int, buy: int, sell: int) -> None:
        """Add a trade or a candle (ticks, lots) to the candle of the open window."""
        c = self.candle or {"open": open_, "high": high, "low": low, "close": close, "buy": 0, "sell": 0}
        c.update(high=max(c["high"], high), low=min(c["low"], low), close=close)
        c.update(buy=c["buy"] + buy, sell=c["sell"] + sell)
        self.candle = c

    # ---- the door: every row is used or rejected, and counted ----------------------------------------------------

    def _ticks(self, price: float) -> int:
        return round(price / self.tick_size)

    def _reason(self, ts: int, prices: list[float], quantities: list[float], on_grid: bool, zero_qty: bool) -> str:
        """Why a row is rejected; empty: it is not."""
        if ts < 0:  # before 1970
            return "not_positive"
        if ts > MAX_TIME:
            return "too_large"
        if self.clock is not None and ts < self.clock:
            return "late"
        if not all(math.isfinite(x) for x in prices + quantities):
            return "not_finite"
        if any(p <= 0 for p in prices) or any(q < 0 or (q == 0 and not zero_qty) for q in quantities):
            return "not_positive"
        ticks = [p / self.tick_size for p in prices]
        if any(x <= 0.5 for x in ticks):  # half to even: rounds to tick 0
            return "not_positive"
        if any(x > MAX_TICKS for x in ticks) or any(q / self.lot_size > MAX_LOTS for q in quantities):
            return "too_large"
        if on_grid and any(abs(x - round(x)) > 1e-6 for x in ticks):
            return "off_grid"
        if len(prices) == 4:
            open_, high, low, close = prices
            if not (low <= open_ <= high and low <= close <= high):
                return "inconsistent"
        if self.grows and any(self.bin(round(x)) >= self.high_bin for x in ticks):
            return "off_range"
        return ""

    def _accept(
        self,
        ts: int,
        prices: list[float],
        quantities: list[float],
        *,
        stream: str = "",
        on_grid: bool = False,
        zero_qty: bool = False,
    ) -> bool:
        self.rows += 1
        reason = self._reason(ts, prices, quantities, on_grid, zero_qty)
        if stream in self.prices and reason in ("", "off_range"):
            watched, ticks = self.prices[stream], [self._ticks(price) for price in prices]
            if (len(ticks) == 4 and watched.wild(ticks, 10 * self.outlier)) or not watched.believes(
                ts, min(ticks), max(ticks), ticks[-1]
            ):
                reason = "outlier"
        if reason:
            self.rejected[reason] += 1
            return False
        self.used += 1
        self.rounded_qty += any(abs(q / self.lot_size - round(q / self.lot_size)) > 1e-6 for q in quantities)
        self.advance(ts)
        self._begin()
        return True

    def _volume(self, begin: int, end: int | None) -> None:
        """Take note of a trade (without end) or a candle that has a volume: of one time there is only one of both."""
        if end is None:
            if self.candles_until is not None and begin < self.candles_until:
                raise ValueError(f"a trade at {begin} is part of a candle's volume")
            self.last_trade = begin
        else:
            if self.last_trade is not None and begin <= self.last_trade:
                raise ValueError(f"the volume of the candle at {begin} has the trade at {self.last_trade} in it")
            self.candles_until = end

    def _flow(self, side: str, entry: int, lots: int, low: int, high: int, interval: int | None = None) -> None:
        """``flow`` and ``presence``: the taker's side, and the maker's share of it on the other side."""
        if self.model == "presence":
            lots = self._present(side, lots) if interval is None else self._mixture(interval, lots)
        if self.model in ("flow", "presence"):
            self._open(side, entry, lots * SHARES, low, high)
            self._open(OTHER[side], entry, lots * self.maker_share, low, high)

    def _mixture(self, interval: int, lots: int) -> int:
        """What a side opens in an interval in which it took so much."""
        if self.exponent == 1 or lots == 0:
            return lots
        opened: float = (PRESENCE * (interval / MINUTE)) ** (1 - self.exponent) * lots**self.exponent
        return min(round(opened), MAX_LOTS)

    def _present(self, side: str, lots: int) -> int:
        """What a trade adds to what its side has opened in its second."""
        assert self.index is not None
        assert self.clock is not None
        second = (self.clock - self.index * self.window) // SECOND
        interval = min(SECOND, self.window - second * SECOND)
        before = self.present.get((self.index, second, side), 0)
        self.present[self.index, second, side] = before + lots
        return self._mixture(interval, before + lots) - self._mixture(interval, before)

    # ---- events --------------------------------------------------------------------------------------------------

    def trade(self, ts: int, price: float, qty: float, taker_sell: bool) -> None:
        """Take one trade."""
        if self._accept(ts, [price], [qty], stream="trades", on_grid=True):
            self._volume(ts, None)
            tick, lots = self._ticks(price), round(qty / self.lot_size)
            if self.trigger == "last":
                self._touch(tick, tick)
            self._draw(tick, tick, tick, tick, 0 if taker_sell else lots, lots if taker_sell else 0)
            self._flow("short" if taker_sell else "long", tick, lots, tick, tick)

    def mark(self, ts: int, price: float) -> None:
        """Take one mark price: it touches only where the trigger is ``mark``."""
        if self._accept(ts, [price], [], stream="marks"):
            self.last_mark = self._ticks(price)
            if self.trigger == "mark":
                self._touch(self.last_mark, self.last_mark)

    def add_candle(
        self, ts_open: int, o: float, h: float, low: float, c: float, buy: float, sell: float, interval: int
    ) -> None:
        """Take one candle, at its last nanosecond: it touches its range, then opens at its entry price."""
        ts = ts_open + interval - 1 if ts_open >= 0 else ts_open
        if self._accept(ts, [o, h, low, c], [buy, sell], stream="candles", zero_qty=True):
            bought, sold = round(buy / self.lot_size), round(sell / self.lot_size)
            if bought or sold:
                self._volume(ts_open, ts_open + interval)
            top, bottom = self._ticks(h), self._ticks(low)
            means = {
                "hlc3": (h + low + c) / 3,
                "close": c,
                "open": o,
                "ohlc4": (o + h + low + c) / 4,
                "hl2": (h + low) / 2,
            }
            entry = self._ticks(means[self.candle_price])
            if self.trigger != "mark":
                self._touch(bottom, top, self._ticks(c))
            else:  # the candle triggers nothing: only its entry price counts
                top = bottom = entry
            self._draw(self._ticks(o), self._ticks(h), self._ticks(low), self._ticks(c), bought, sold)
            for side, lots in (("long", bought), ("short", sold)):
                self._flow(side, entry, lots, bottom, top, interval)

    def feed(
        self,
        marks: Iterable[tuple[int, float]] = (),
        trades: Iterable[tuple[int, float, float, bool]] = (),
        candles: Iterable[tuple[int, float, float, float, float, float, float]] = (),
        interval: int = 0,
    ) -> None:
        """Merge streams by time; at equal times mark, trade, candle. Within one stream the order stays."""
        streams: list[list[tuple[int, int, Callable[[], None]]]] = [
            [(row[0], 0, partial(self.mark, *row)) for row in marks],
            [(row[0], 1, partial(self.trade, *row)) for row in trades],
            [(row[0] + interval - 1, 2, partial(self.add_candle, *row, interval)) for row in candles],
        ]
        for _, _, take in heapq.merge(*streams, key=lambda event: event[:2]):
            take()

    # ---- the verbs from outside, at the engine's clock -----------------------------------------------------------

    def open(self, side: str, price: float, qty: float | Sequence[float]) -> Counter[str]:
        """Open one quantity in every tier, or one for each; say how many levels went where."""
        entry = self._ticks(price)
        levels = {tier: self.factor[side, tier] for tier in self.tiers}
        return self._open_tiers(
            side, {t: round(entry * k) if math.isfinite(k) else 0 for t, k in levels.items()}, qty, entry
        )

    def open_level(self, side: str, level: float, qty: float | Sequence[float]) -> Counter[str]:
        """The same at a liquidation price that is known."""
        return self._open_tiers(side, dict.fromkeys(self.tiers, self._ticks(level)), qty)

    def _open_tiers(
        self, side: str, levels: Mapping[float, int], qty: float | Sequence[float], *prices: int
    ) -> Counter[str]:
        self._begin()
        reached = [*prices, *(self.price or ())]
        if self.trigger == "mark" and self.last_mark is not None:
            reached.append(self.last_mark)
        bound = None
        if reached:
            bound = self.bin(min(reached) if side == "long" else max(reached))
        each = [qty] * len(self.tiers) if isinstance(qty, float | int) else qty
        lots = {tier: round(q / self.lot_size) for tier, q in zip(self.tiers, each, strict=True)}
        return Counter(self._place((side, t), levels[t], n * SHARES, bound) for t, n in lots.items() if n)

    def touch(self, low: float, high: float, last: float | None = None) -> None:
        self._begin()
        self._touch(self._ticks(low), self._ticks(high), None if last is None else self._ticks(last))

    def scale(
        self, factor: float | Mapping[Layer, float], *, low: float | None = None, high: float | None = None
    ) -> None:
        for layer in self.live:
            of_layer = factor[layer] if isinstance(factor, Mapping) else factor
            if low is None and high is None:
                self._scale(layer, of_layer)
            else:
                self._scale_part(
                    layer,
                    of_layer,
                    0 if low is None else self.bin(self._ticks(low)),
                    math.inf if high is None else self.bin(self._ticks(high)),
                )

    def _scale_part(self, layer: Layer, factor: float, low: int, high: float) -> None:
        """Multiply some bins of a layer; what is left below half a lot is closed at once."""
        for where in [where for where in self.live[layer] if low <= where <= high] if factor != 1 else []:
            kept = self.live[layer][where] * factor
            self._take(layer, where, self.live[layer][where] - (kept if kept >= SHARES / 2 else 0))

    def _take(self, layer: Layer, where: int, quantity: float) -> None:
        self.live[layer][where] -= quantity
        self.account[layer]["closed"] += quantity
        if self.live[layer][where] == 0:
            del self.live[layer][where]

    def close(self, side: str, low: float, high: float, qty: float | Sequence[float]) -> list[float]:
        """Close up to so much of every tier, from the price outwards; return what was closed."""
        each = [qty] * len(self.tiers) if isinstance(qty, float | int) else qty
        inside = range(self.bin(self._ticks(low)), self.bin(self._ticks(high)) + 1)
        closed = []
        for tier, wanted in zip(self.tiers, each, strict=True):
            layer, rest = (side, tier), float(round(wanted / self.lot_size) * SHARES)
            for where in sorted((w for w in self.live[layer] if w in inside), reverse=side == "long"):
                taken = min(rest, self.live[layer][where])
                self._take(layer, where, taken)
                rest -= taken
            closed.append((round(wanted / self.lot_size) - rest / SHARES) * self.lot_size)
        return closed

    # ---- reading, in lots ----------------------------------------------------------------------------------------

    def levels(self, side: str) -> dict[float, Cells]:
        """Live quantity per tier and bin."""
        return {leverage: in_lots(self.live[side, leverage]) for leverage in self.tiers}

    def stats(self) -> dict[Layer, dict[str, float]]:
        """The account of each layer: opened = live + every fate."""
        return {
            layer: {
                **{name: quantity / SHARES for name, quantity in self.account[layer].items()},
                "live": sum(cells.values()) / SHARES,
            }
            for layer, cells in self.live.items()
        }


def in_lots(cells: Cells) -> Cells:
    """Cells in lots."""
    return {where: quantity / SHARES for where, quantity in cells.items() if quantity}
