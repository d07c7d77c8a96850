"""Random input for the engine and its reference: mostly sane, with everything that real streams do at their worst."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from reference import SHARES, Layer
from reference_models import ModelReference

SECOND = 1_000_000_000
START = 1_700_006_400 * SECOND  # arrays of earlier times than March 1973 are taken for seconds or the like
CandleRow = tuple[int, float, float, float, float, float, float]


@dataclass(frozen=True)
class Setup:
    """One engine: prices are built as whole ticks around ``base``, bins are numbered from price zero."""

    tick_size: float = 1.0
    lot_size: float = 1.0
    tiers: tuple[float, ...] = (10.0,)
    contract: str = "linear"
    basis: str = "mark"
    mmr: float = 0.0
    fee: float = 0.0
    model: str = "flow"
    trigger: str = "last"
    maker_share: float = 0.0
    half_life: Mapping[float, int | None] | None = None
    taker_tilt: float = 0.0
    churn: float | None = None
    event_threshold: float | None = None
    reconciled: bool = False
    candle_price: str = "hlc3"
    outlier: float = 0.0
    exponent: float | None = None
    window: int = SECOND
    step_ticks: int = 1
    bins: tuple[int, int] | None = None
    base: int = 1000

    def rules(self, step_ticks: int | None = None) -> dict[str, Any]:
        """What the reference is made of; with an automatic axis the engine chose ``step_ticks``."""
        rules = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "base"}
        return {**rules, "step_ticks": step_ticks or self.step_ticks, "bins": self.bins or (0, 2**20)}

    def with_(self, **changes: Any) -> Setup:
        return replace(self, **changes)

    def reference(self, step_ticks: int | None = None) -> Watched:
        return Watched(**self.rules(step_ticks))


class Watched(ModelReference):
    """The reference, noticing where an engine may differ by rounding."""

    never_scaled = True  # all sums are whole: everything must be equal
    exact = True  # no cell was ever multiplied by anything but a power of two
    rest = 0.0  # lots that the rest of a cell may be off by, since most of one was taken away
    tie = False  # a cell came so near to half a lot that the last bit of a product decides its fate

    def _scale(self, layer: Layer, factor: float) -> None:
        self.never_scaled = self.never_scaled and factor == 1.0
        self.exact = self.exact and math.frexp(factor)[0] in (0.5, 0.0)
        super()._scale(layer, factor)

    def _scale_part(self, layer: Layer, factor: float, low: int, high: float) -> None:
        part = [quantity * factor for where, quantity in self.live[layer].items() if low <= where <= high]
        self.never_scaled = self.never_scaled and (factor in (0.0, 1.0) or not part)
        self.exact = self.exact and (math.frexp(factor)[0] in (0.5, 0.0) or not part)
        self.tie = self.tie or (not self.exact and any(abs(q * 2 / SHARES - 1) < 1e-9 for q in part))
        self.rest = 1e-8
        super()._scale_part(layer, factor, low, high)

    def close(self, side: str, low: float, high: float, qty: float | Sequence[float]) -> list[float]:
        closed = super().close(side, low, high, qty)
        self.rest = 1e-8
        # A rest of a rounded cell is rounded itself, and decides whether a cell is left.
        left = (quantity for cells in self.live.values() for quantity in cells.values())
        self.tie = self.tie or (not self.exact and any(0 < abs(quantity) < 1e-6 * SHARES for quantity in left))
        return closed

    def _cap(self, now: int) -> None:
        excess = (sum(cells.values()) / SHARES - now for cells in self.live.values())
        self.tie = self.tie or (not self.exact and any(abs(lots - 0.5) < 1e-6 for lots in excess))
        super()._cap(now)

    def _flush(self) -> None:
        near = (abs(q * 2 / SHARES - 1) < 1e-9 for layer in self.scaled for q in self.live[layer].values())
        self.tie = self.tie or (not self.exact and any(near))
        super()._flush()


def random_setup(rng: random.Random, **fixed: Any) -> Setup:
    """An engine with a base price of a few hundred to a few thousand bins."""
    contract, basis = rng.choice(["linear", "inverse"]), rng.choice(["mark", "entry"])
    mmr = rng.choice([0.0, 0.004, 0.0055])
    tiers = rng.sample([0.002, 0.03, 1.0, 2.0, 5.0, 10.0, 25.0, 33.0, 50.0, 100.0, 125.0], rng.randint(1, 5))
    window = rng.choice([SECOND, 60 * SECOND, 300 * SECOND])
    base, step = rng.choice([50, 1000, 6543]), rng.choice([1, 1, 2, 5, 10, 17])
    low = rng.randint(0, base // step)
    halves = [None, window, window // 2, 10 * window, 7 * window + 3]
    setup = Setup(
        tick_size=rng.choice([1.0, 0.5, 0.1, 0.01, 0.0001, 10.0]),
        lot_size=rng.choice([1.0, 0.001, 1e-5, 100.0]),
        tiers=tuple(sorted(tiers)),
        contract=contract,
        basis=basis,
        mmr=mmr,
        fee=rng.choice([0.0, 0.0005]) if basis == "mark" else 0.0,
        maker_share=rng.choice([0.0, 0.0, 0.25, 0.3, 1.0]),
        half_life=rng.choice([None, None, {tier: rng.choice(halves) for tier in tiers}]),
        candle_price=rng.choice(["hlc3", "hlc3", "close", "open", "ohlc4", "hl2"]),
        outlier=rng.choice([0.0, 0.0, 0.03, 0.1, 1.0]),
        window=window,
        step_ticks=step,
        bins=rng.choice([None, (low, low + rng.randint(1, 3 * base // step + 1))]),
        base=base,
    )
    setup = replace(setup, **fixed)
    if setup.model == "presence":
        return replace(setup, exponent=rng.choice([None, 0.0, 0.3, 0.5, 0.9, 1.0]))
    if setup.model == "flow":
        return setup
    setup = replace(setup, maker_share=0.0)
    if setup.model == "none":
        return setup
    if setup.model in ("oi", "blend"):
        setup = replace(setup, taker_tilt=rng.choice([0.0, 0.3, 1.0]))
    if setup.model == "blend":
        setup = replace(setup, churn=rng.choice([None, 0.0, 0.25, 1.0]))
    if setup.model == "vendor":
        setup = replace(setup, event_threshold=rng.choice([None, 0.0, 100 * setup.lot_size]))
    return setup


@dataclass(frozen=True)
class Step:
    """One call: its name and its rows (or, for the verbs and ``advance``, its arguments)."""

    call: str
    rows: list[Any] = field(default_factory=list)
    interval: int = 0


class Market:
    """Random calls for one setup: mostly sane, with everything that real streams do at their worst."""

    def __init__(self, rng: random.Random, setup: Setup, source: str, bad: float = 0.1, hurry: float = 0.2) -> None:
        self.rng, self.setup, self.source, self.bad, self.hurry = rng, setup, source, bad, hurry
        self.clock = START + rng.choice([0, 1, setup.window, -100])
        self.tick = setup.base
        self.interest = rng.randint(0, 10**4)  # lots
        self.factors = [f for f in setup.reference(1).factor.values() if math.isfinite(f) and f > 0]

    def steps(self, count: int, longest: int) -> list[Step]:
        return [self.step(self.rng.randint(1, longest)) for _ in range(count)]

    def step(self, size: int) -> Step:
        rng = self.rng
        calls = ["marks", "mark", "advance", "feed", self.source, self.source, self.source[:-1], self.source[:-1]]
        if self.source == "trades":
            calls += ["candle", "candles"]  # without volume
        if self.setup.model in ("oi", "blend", "vendor") or self.setup.reconciled:
            calls += ["open_interest", "open_interest", "open_interests"]
        if self.setup.model == "vendor":
            calls += ["vendor_event", "vendor_events"]
        if self.setup.model == "none":
            calls += ["open", "open", "open", "open_level", "opens", "open_levels", "touch", "touches", "scale"]
            calls += ["scale_part", "close", "close"]
        call = rng.choice(calls)
        if call == "advance":
            return Step(call, [self.time()])
        if call in ("open", "open_level"):
            return Step(call, [rng.choice(["long", "short"]), self.price(), self.quantities(rng.random() < 0.4)])
        if call == "touch":
            return Step(call, self.touched())
        if call in ("opens", "open_levels"):
            tiered = rng.random() < 0.4
            sides = [rng.choice(["long", "short"]) for _ in range(size)]
            return Step(call, [(self.now(), side, self.price(), self.quantities(tiered)) for side in sides])
        if call == "touches":
            known = rng.random() < 0.5
            return Step(call, [(self.now(), *self.touched(known)) for _ in range(size)])
        if call == "close":
            low, high = sorted([self.price(), self.price()])
            return Step(call, [rng.choice(["long", "short"]), low, high, self.quantities(rng.random() < 0.4)])
        if call == "scale_part":
            low, high = sorted([self.price(), self.price()])
            part = rng.choice([{"low": low}, {"high": high}, {"low": low, "high": high}])
            return Step(call, [rng.choice([0.0, 0.25, 0.5, 1.0, 0.9]), part])
        if call == "scale":
            return Step(call, [rng.choice([0.0, 0.25, 0.5, 1.0, 0.9])])
        interval = rng.choice([self.setup.window // 4, self.setup.window, 3 * self.setup.window])
        if call == "feed":
            pick = ["mark", self.source[:-1], rng.choice(["candle", "mark"])]
            if self.setup.model != "none":
                pick += ["open_interest", "vendor_event" if self.setup.model == "vendor" else "mark"]
            rows = [self.row(rng.choice(pick), interval) for _ in range(size)]
            return Step(call, rows, interval)
        count = size if call.endswith("s") else 1
        return Step(call, [self.row(call.removesuffix("s"), interval)[1] for _ in range(count)], interval)

    def row(self, kind: str, interval: int) -> tuple[str, Any]:
        ts = self.time()
        spoiled = self.rng.random() < self.bad
        if kind == "mark":
            return kind, (ts, self.spoil_price(self.price()) if spoiled else self.price())
        if kind == "candle":
            return kind, self.candle(ts - interval + 1, spoiled)
        if kind == "open_interest":
            return kind, (ts, self.next_interest(spoiled))
        price, qty = self.price(), self.lots() * self.setup.lot_size
        if kind == "vendor_event":
            price += self.rng.choice([0.0, 0.3]) * self.setup.tick_size  # need not be on the grid
            bad = [math.nan, math.inf, 0.0, -1.0, 0.3, 2.0**49]
            return kind, (ts, price, self.rng.choice(bad) * self.setup.lot_size if spoiled else qty)
        if spoiled:
            if self.rng.random() < 0.5:
                price = self.spoil_price(price)
            else:
                bad = [math.nan, math.inf, 0.0, -1.0, 0.3, 0.5, 1.5, 2.7, 2.0**49]
                qty = self.rng.choice(bad) * self.setup.lot_size
        return kind, (ts, price, qty, self.rng.random() < 0.5)

    def candle(self, ts_open: int, spoiled: bool) -> CandleRow:
        ticks = sorted(self.next_tick() for _ in range(self.rng.choice([1, 2, 4])))
        nudge = self.rng.choice([0.0, 0.0, 0.4])  # candle prices need not be on the grid
        low, high = ticks[0] - nudge, ticks[-1] + nudge
        prices = [self.rng.choice([low, high]), high, low, self.rng.choice([low, high])]
        prices = [tick * self.setup.tick_size for tick in prices]
        buy, sell = (self.rng.choice([0, self.lots(), self.lots() + 0.5]) * self.setup.lot_size for _ in range(2))
        if self.source == "trades":
            buy = sell = 0.0
        if spoiled:
            which = self.rng.randrange(6 if buy or sell else 5)
            if which == 4:
                prices[0] = prices[1] + self.setup.tick_size  # opens above its high
            elif which < 4:
                prices[which] = self.rng.choice([math.nan, math.inf, -math.inf])
            else:
                buy = self.rng.choice([math.nan, -1.0, math.inf])
        return (ts_open, *prices, buy, sell)  # type: ignore[return-value]

    def spoil_price(self, price: float) -> float:
        tick = self.setup.tick_size
        bad = [math.nan, math.inf, -math.inf, 0.0, -0.0, -price, price + tick / 2, price + 1e-4 * tick]
        return self.rng.choice([*bad, 0.3 * tick, 1e-300, 2.0**32 * tick, 1e308])

    def time(self) -> int:
        """Usually now or a little later; at times a window's edge, a gap over windows, or the past."""
        rng, window = self.rng, self.setup.window
        if rng.random() < self.bad / 4:
            return self.clock - rng.choice([1, 2, window])
        to_edge = window - self.clock % window
        if rng.random() < self.hurry:
            self.clock += rng.choice([to_edge - 1, to_edge, to_edge + 1, window, 3 * window])
        else:
            self.clock += rng.choice([0, 0, 0, 1, window // 1000])
        return self.clock

    def now(self) -> int:
        """As `time`, never in the past."""
        bad, self.bad = self.bad, 0.0
        ts = self.time()
        self.bad = bad
        return max(ts, 0)

    def touched(self, known: bool | None = None) -> list[Any]:
        """Lowest and highest price; where the price is after it, or None."""
        low, at, high = sorted([self.price(), self.price(), self.price()])
        known = self.rng.random() < 0.5 if known is None else known
        return [low, high, self.rng.choice([low, at, high]) if known else None]

    def quantities(self, tiered: bool) -> float | list[float]:
        """One quantity for all tiers, or one for each, some of them zero."""
        if not tiered:
            return self.lots() * self.setup.lot_size
        each = [self.rng.choice([0, self.lots()]) * self.setup.lot_size for _ in self.setup.tiers]
        return each if any(each) else [self.lots() * self.setup.lot_size for _ in each]

    def lots(self) -> int:
        return self.rng.choice([1, 1, 2, 3, 7, 1000, self.rng.randint(1, 10**6)])

    def next_interest(self, spoiled: bool) -> float:
        """A walk in lots that stays near what trades, with jumps, pauses and zero."""
        if spoiled:
            return self.rng.choice([math.nan, math.inf, -1.0, 2.0**49]) * self.setup.lot_size
        step = self.rng.choice([0, 1, -1, 7, self.rng.randint(-5000, 5000), self.rng.randint(-(10**6), 10**6)])
        self.interest = self.rng.choice([self.interest, 0, *[max(0, self.interest + step)] * 8])
        return (self.interest + self.rng.choice([0.0, 0.0, 0.4])) * self.setup.lot_size

    def price(self) -> float:
        return self.next_tick() * self.setup.tick_size

    def next_tick(self) -> int:
        """A walk of single ticks and single bins, jumps over many, and prices exactly on levels of the last."""
        rng, step = self.rng, self.setup.step_ticks
        move = rng.random()
        if move < 0.55:
            self.tick += rng.choice([-1, 0, 0, 1])
        elif move < 0.85:
            self.tick += rng.choice([-step, step, -step - 1, 2 * step, rng.randint(-5 * step, 5 * step)])
        elif move < 0.95 and self.factors:
            self.tick = round(self.tick * rng.choice(self.factors)) + rng.choice([-step, -1, 0, 0, 1, step])
        else:
            self.tick = rng.choice([self.setup.base, self.setup.base, 1, 2 * self.setup.base])
        self.tick = max(1, min(self.tick, 4 * self.setup.base))
        return self.tick


def tell_reference(ref: ModelReference, step: Step) -> Counter[str] | list[float] | None:
    """Make the call; of what opens levels, say how many went where; of what closes them, how much."""
    match step.call:
        case "advance" | "touch" | "scale":
            getattr(ref, step.call)(*step.rows)
        case "scale_part":
            ref.scale(step.rows[0], **step.rows[1])
        case "open" | "open_level" | "close":
            return getattr(ref, step.call)(*step.rows)  # type: ignore[no-any-return]
        case "opens" | "open_levels":
            opened: Counter[str] = Counter()
            for ts, *row in step.rows:
                ref.advance(ts)
                opened += getattr(ref, step.call.removesuffix("s"))(*row)
            return opened
        case "touches":
            for ts, *row in step.rows:
                ref.advance(ts)
                ref.touch(*row)
        case "feed":
            of: dict[str, list[Any]] = {}
            for kind, row in step.rows:
                of.setdefault(kind, []).append(row)
            streams = [of.get(kind, []) for kind in ("mark", "trade", "candle")]
            ref.feed(*streams, step.interval, of.get("open_interest", []), of.get("vendor_event", []))
        case "candle" | "candles":
            for row in step.rows:
                ref.add_candle(*(*row, step.interval))
        case call:
            for row in step.rows:
                getattr(ref, call.removesuffix("s"))(*row)
    return None
