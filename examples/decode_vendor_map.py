"""
Decode a commercial liquidation heatmap: which events it was drawn from, and by which recipe.

    python decode_vendor_map.py                       a small map drawn from known events, and decoded again
    python decode_vendor_map.py heatmap-*.json.gz     saved responses of the map's interface

A response holds `y` (the rows' prices), `liq` ([column, row, USD]) and `prices` ([time in s, open, high, low, close,
volume in USD], one a column). The recipe, found by looking at what cells gain from one column to the next:

- at a few *events* something opens on both sides at one price p, with every whole leverage L from 1 to 125 and no
  maintenance margin: its levels are p (1 - 1/L) for longs and p (1 + 1/L) for shorts;
- the cell of a level gains unit * L up to 25x, and unit * 1.2 ln L above, each rounded to whole dollars;
- p is (open + high + low + close) / 4 of the candle in the 12-hour map, where a column holds at most one event. In the
  3-day maps an event is spread over neighbouring columns at one price, and a column holds parts of several events;
- row r holds the levels from y[r] - step up to y[r], which belongs to the next row; levels outside are left out;
- an event opens first. Then every cell whose y lies in the column's [low, high] drops to zero, whatever its side;
- nothing decays or closes, and nothing is known from before the first column.

Only numpy is needed. `vendor_comparison.py` lets liqcore's engine draw the same maps from the decoded events.
"""

import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TICK = 0.1
LEVERAGE = np.arange(1, 126)
WEIGHT = np.where(LEVERAGE <= 25, LEVERAGE, 1.2 * np.log(LEVERAGE))
FIRST_GRID = 1.0  # USD: prices that are tried first
LEAST_UNIT = 20  # units are whole multiples of it


@dataclass(frozen=True)
class VendorMap:
    """A map: USD by row and column, the rows' upper edges, and the candles it was drawn on."""

    y: Array  # (rows,)
    step: float
    ts: NDArray[np.int64]  # (columns,), opening times, s
    candles: Array  # (columns, 5): open, high, low, close, USD volume
    values: Array  # (rows, columns), USD

    def touched(self, column: int) -> NDArray[np.bool_]:
        """Return which rows a column's candle sets to zero."""
        _, high, low, *_ = self.candles[column]
        inside: NDArray[np.bool_] = (self.y >= low) & (self.y <= high)
        return inside


@dataclass(frozen=True)
class Event:
    """Something that opened: in which column, at which price, with how many USD a unit of weight."""

    column: int
    price: float
    unit: float


def read_map(path: str | Path) -> VendorMap:
    """Read a saved response."""
    with gzip.open(path, "rt") as file:
        data = json.load(file)["data"]
    return parse_map(data["y"], data["liq"], data["prices"])


def parse_map(y: Any, liq: Any, prices: Any) -> VendorMap:
    """Return the map of a response's three arrays."""
    edges, rows = np.array(y, float), np.array(prices, float)
    values = np.zeros((len(edges), len(rows)))
    for column, row, usd in liq:
        values[row, column] = usd
    step = round(edges[1] - edges[0], 2)  # the last row may be a little lower
    return VendorMap(edges, step, rows[:, 0].astype(np.int64), rows[:, 1:], values)


def pattern(of: VendorMap, price: float, value: Array = WEIGHT) -> Array:
    """Return what an event at a price adds to each row; `value` is that of each leverage."""
    out = np.zeros(len(of.y))
    for level in (price * (1 - 1 / LEVERAGE), price * (1 + 1 / LEVERAGE)):
        on_grid = np.rint(level / TICK) * TICK
        row = np.floor((on_grid - of.y[0]) / of.step + 1e-6).astype(np.int64) + 1
        seen = (row >= 0) & (row < len(out))
        np.add.at(out, row[seen], value[seen])
    return out


def gain(of: VendorMap, column: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return what each row gained in a column, and where that can be told."""
    before = of.values[:, column - 1] if column else np.zeros(len(of.y))
    touched = of.touched(column)
    grown = np.where(touched, 0.0, of.values[:, column] - before)
    return grown, ~touched & (grown >= 0)


def decode(of: VendorMap) -> list[Event]:
    """Return the events that explain what the cells gained."""
    events: list[Event] = []
    for column in range(of.values.shape[1]):
        grown, known = gain(of, column)
        if grown.max() <= 0:
            continue
        before = [event.price for event in events if event.column == column - 1]
        events += refine(of, first_guess(of, column, before, grown, known), grown, known)
    return events


def first_guess(of: VendorMap, column: int, before: list[float], grown: Array, known: NDArray[np.bool_]) -> list[Event]:
    """Return events whose patterns add up to the gain, of prices on a grid over this candle and its neighbours."""
    around = of.candles[max(0, column - 1) : column + 2]
    grid = np.arange(around[:, 2].min(), around[:, 1].max(), FIRST_GRID)
    grid = np.unique(np.round([*grid, *before, of.candles[column, :4].mean()], 1))
    weight = weight_of(grown)
    matrix = np.array([pattern(of, float(price)) for price in grid]).T * weight[:, None]
    units = non_negative_fit(matrix[known], (grown * weight)[known])
    # The grid may miss a price: its neighbours on both sides then share its unit.
    events: list[Event] = []
    for price, unit in zip(grid.tolist(), units.tolist(), strict=True):
        if unit < LEAST_UNIT / 10:
            continue
        if events and price - events[-1].price < 2.5 * FIRST_GRID:
            other = events.pop()
            price = (price * unit + other.price * other.unit) / (unit + other.unit)
            unit += other.unit
        events.append(Event(column, round(price, 1), unit))
    return [event for event in events if event.unit > LEAST_UNIT / 2]


def weight_of(grown: Array) -> Array:
    """Return the weight of each row in a fit: cells near the price are the sum of many levels."""
    weight: Array = 1 / np.maximum(grown, grown[grown > 0].min())
    return weight


def non_negative_fit(matrix: Array, target: Array, rounds: int = 60) -> Array:
    """Return the x >= 0 with the least squares of matrix x - target (active sets, after Lawson and Hanson)."""
    x, used = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1], bool)
    for _ in range(rounds):
        slope = matrix.T @ (target - matrix @ x)
        slope[used] = -np.inf
        best = int(np.argmax(slope))
        if slope[best] <= 1e-9:
            break
        used[best] = True
        while True:
            trial = np.zeros_like(x)
            trial[used] = np.linalg.lstsq(matrix[:, used], target, rcond=None)[0]
            below = used & (trial <= 0)
            if not below.any():
                break
            step = np.min(x[below] / np.maximum(x[below] - trial[below], 1e-300))
            x += step * (trial - x)
            used &= x > 1e-12
        x = trial
    return x


def refine(of: VendorMap, events: list[Event], grown: Array, known: NDArray[np.bool_]) -> list[Event]:
    """Move each price by ticks while the events explain more."""
    if not events:
        return events
    weight = weight_of(grown)
    column = events[0].column
    typical = float(of.candles[column, :4].mean())
    prices = [event.price for event in events]
    patterns = [pattern(of, price) for price in prices]
    best, best_score = events, (np.inf, np.inf, np.inf)
    for width in (1.5, 0.8, 0.5):
        for k in range(len(prices)):
            for price in np.round(np.arange(prices[k] - width, prices[k] + width + TICK / 2, TICK), 1):
                trial = [*patterns[:k], pattern(of, float(price)), *patterns[k + 1 :]]
                matrix = (np.array(trial) * weight).T
                units = np.linalg.lstsq(matrix[known], (grown * weight)[known], rcond=None)[0]
                if (units <= 0).any():
                    continue
                left = float(np.abs(matrix @ units - grown * weight)[known].sum())
                found = [
                    Event(column, p, LEAST_UNIT * round(float(u) / LEAST_UNIT))
                    for p, u in zip([*prices[:k], float(price), *prices[k + 1 :]], units, strict=True)
                ]
                wrong = misses(of, found, grown, known)
                score = (wrong, left if wrong else 0.0, abs(price - typical))
                if score < best_score:
                    best, best_score = found, score
            prices = [event.price for event in best]
            patterns = [pattern(of, price) for price in prices]
    return [event for event in best if event.unit > 0]


def misses(of: VendorMap, events: list[Event], grown: Array, known: NDArray[np.bool_]) -> int:
    """Return how many rows the events do not explain to the dollar."""
    total = sum((opened(of, event) for event in events), np.zeros(len(of.y)))
    return int((np.abs(total - grown)[known] > 0.5).sum())


def opened(of: VendorMap, event: Event) -> Array:
    """Return the USD that an event adds to each row, rounded as the map does."""
    return pattern(of, event.price, np.rint(WEIGHT * event.unit))


def replay(of: VendorMap, events: list[Event]) -> Array:
    """Draw the map from its candles and events alone."""
    book, values = np.zeros(len(of.y)), np.zeros_like(of.values)
    for column in range(values.shape[1]):
        for event in events:
            if event.column == column:
                book += opened(of, event)
        book[of.touched(column)] = 0
        values[:, column] = book
    return values


def likeness(of: VendorMap, drawn: Array) -> dict[str, float]:
    """Return how alike two maps are: shares of cells that are not empty in both, and r of the last column."""
    wrong = np.abs(drawn - of.values)
    seen = (of.values > 0) | (drawn > 0)
    return {
        "cells": float(seen.sum()),
        "exact": float((wrong[seen] <= 0.5).mean()),
        "within 2 %": float((wrong <= 0.02 * of.values)[seen].mean()),
        "last column r": float(np.corrcoef(drawn[:, -1], of.values[:, -1])[0, 1]),
    }


def made_up() -> VendorMap:
    """Return a small map drawn from known events by the recipe."""
    rng = np.random.default_rng(1)
    close = 67_000 + np.cumsum(rng.normal(0, 60, 48)).round(1)
    first = np.append(67_000.0, close[:-1])
    high, low = np.maximum(first, close) + 20.0, np.minimum(first, close) - 20.0
    prices = np.column_stack([1_699_999_800 + 300 * np.arange(48), first, high, low, close, rng.uniform(1e7, 5e7, 48)])
    y = np.round(60_800.0 + 160.8 * np.arange(80), 1)
    of = parse_map(y, [], prices)
    events = [Event(column, round(float(of.candles[column, :4].mean()), 1), 7920.0) for column in (3, 17, 18, 40)]
    values = replay(of, events)
    return parse_map(y, [(c, r, values[r, c]) for r, c in np.argwhere(values)], prices)


def main(paths: list[str]) -> None:
    """Decode each map, draw it again, and say how alike the two are."""
    for name, of in [(Path(p).name, read_map(p)) for p in paths] or [("made up", made_up())]:
        events = decode(of)
        columns = len({event.column for event in events})
        print(f"{name}: {of.values.shape[1]} columns, {len(events)} events in {columns} of them")
        for event in events[:20]:
            off = event.price - of.candles[event.column, :4].mean()
            print(
                f"  column {event.column:3}  unit {event.unit:6.0f}  price {event.price:8.1f}, candle mean {off:+.2f}"
            )
        if len(events) > 20:
            print(f"  and {len(events) - 20} more")
        figures = likeness(of, replay(of, events)).items()
        print("  drawn again: " + ", ".join(f"{key} {value:.6g}" for key, value in figures))


if __name__ == "__main__":
    main(sys.argv[1:])
