"""
What a commercial map adds to the path of the price: its own events, every candle's volume, and every candle alike.

    python vendor_comparison.py                       a small map drawn from known events
    python vendor_comparison.py heatmap-*.json.gz     saved responses of the map's interface

liqcore's engine draws each map three times with ``model="vendor"``, the leverage curve "integer-125" and no maintenance
margin, on the map's own candles:

- *events*: the events decoded from the map (`decode_vendor_map.py`); this says whether the recipe is right;
- *volume*: every candle is an event, as large as its volume: all that can be done with the candles alone;
- *null*: every candle is an event of the same size. It knows nothing but where the price has been.

The last columns are compared with the map's: Pearson's r, r of logarithms, and what is left of the latter once distance
to the last price (a parabola in its logarithm, one a side) is taken out of both. Most of any likeness is that distance,
so the model on candles is worth what *volume* has beyond *null*.
"""

import math
import sys
from pathlib import Path

import numpy as np
from decode_vendor_map import TICK, WEIGHT, Array, VendorMap, decode, likeness, made_up, read_map

import liqcore as lq

SECOND = 1_000_000_000
FINEST_BIN = 8 * TICK  # of the book; rows of the map that do not fit it are cut at the nearest bin


def book_axis(of: VendorMap) -> tuple[lq.PriceAxis, Array]:
    """Return an axis of fine bins over the map's range, and the row of each bin."""
    low, step = (round(x / TICK) for x in (of.y[0] - of.step, of.step))
    exact = abs(low * TICK - (of.y[0] - of.step)) + abs(step * TICK - of.step) < 1e-6
    width = TICK * math.gcd(low, step) if exact else 0.0
    if width < FINEST_BIN - 1e-9:
        width = 10 * TICK
    first = math.floor((of.y[0] - of.step) / width)
    bins = math.ceil((of.y[0] + of.step * len(of.y)) / width) - first
    axis = lq.PriceAxis(low=first * width, high=(first + bins) * width, step=width, tick_size=TICK)
    middle = (first + np.arange(axis.size) + 0.5) * width
    return axis, np.floor((middle - of.y[0]) / of.step) + 1


def draw(of: VendorMap, column: Array, price: Array, unit: Array) -> Array:
    """Let the engine draw the map from events: by row and column, with a lot of one USD."""
    axis, row_of_bin = book_axis(of)
    inst = lq.Instrument(tick_size=TICK, lot_size=1.0, margin=lq.MarginSchedule.flat(0.0))
    curve = lq.LeverageProfile(lq.LeverageProfile.preset("integer-125").to_dict(), intensity=float(WEIGHT.sum()))
    interval = int(of.ts[1] - of.ts[0]) * SECOND
    engine = lq.Engine(inst, leverage=curve, axis=axis, window=interval, model="vendor")

    # The map clears whole rows, those whose upper edge lies in the candle: tell the engine a range that ends with them.
    touching: list[tuple[float, ...]] = []
    for i in range(len(of.ts)):
        rows = np.flatnonzero(of.touched(i))
        if len(rows):
            bins = np.flatnonzero((row_of_bin >= rows[0]) & (row_of_bin <= rows[-1]))
            low, high = axis.low + bins[0] * axis.step, axis.low + bins[-1] * axis.step
            touching.append((float(of.ts[i]) * SECOND, low, high, low, high))
    ts, *prices = np.array(touching).T
    events = of.ts[column.astype(np.int64)] * SECOND
    engine.feed(
        candles=(ts.astype(np.int64), *(np.ascontiguousarray(p) for p in prices), None, None),
        vendor_events=(events, np.ascontiguousarray(price), np.ascontiguousarray(unit)),
        interval=interval,
    )
    engine.advance(int(of.ts[-1]) * SECOND + interval)
    hm = engine.heatmap(step=axis.step, unit="quantity")

    values = np.zeros((len(of.y), len(of.ts)))
    shown = np.floor((hm.prices + axis.step / 2 - of.y[0]) / of.step).astype(np.int64) + 1
    inside = (shown >= 0) & (shown < len(of.y))
    first = int((int(hm.times[0].astype(np.int64)) - int(of.ts[0]) * SECOND) // interval)
    for i, cells in enumerate((hm.long + hm.short)[: len(of.ts) - first]):
        np.add.at(values[:, first + i], shown[inside], cells[inside])
    return values


def compare(of: VendorMap, drawn: Array) -> tuple[float, float, float]:
    """Return how the last columns correlate: plainly, in logarithms, and without distance to the last price."""
    wanted, got = of.values[:, -1], drawn[:, -1]
    both = (wanted > 0) & (got > 0)
    distance = (of.y - of.step / 2)[both] / of.candles[-1, 3] - 1
    above, far = distance > 0, np.log(np.abs(distance))
    curve = [side * far**power for side in (above, ~above) for power in range(3)]
    shape = np.array(curve, float).T

    def rest(values: Array) -> Array:
        left: Array = values - shape @ np.linalg.lstsq(shape, values, rcond=None)[0]
        return left

    a, b = np.log(wanted[both]), np.log(got[both])
    r = np.corrcoef(wanted, got), np.corrcoef(a, b), np.corrcoef(rest(a), rest(b))
    return float(r[0][0, 1]), float(r[1][0, 1]), float(r[2][0, 1])


def main(paths: list[str]) -> None:
    """Compare each map with what the engine draws from its events, its candles' volumes, and its candles alone."""
    for name, of in [(Path(p).name, read_map(p)) for p in paths] or [("made up", made_up())]:
        found = decode(of)
        events = tuple(np.array([getattr(e, field) for e in found], float) for field in ("column", "price", "unit"))
        mean = np.round(of.candles[:, :4].mean(axis=1), 1)
        every, volume = np.arange(len(of.ts), dtype=float), np.maximum(1.0, np.rint(of.candles[:, 4] / 1e4))
        print(f"{name}: {len(of.ts)} candles, {len(found)} events")
        for title, given in (
            ("events", events),
            ("volume", (every, mean, volume)),
            ("null", (every, mean, np.full(len(of.ts), 1000.0))),
        ):
            drawn = draw(of, *given)
            plain, logs, left = compare(of, drawn)
            line = f"  {title:7} r {plain:.4f}  r of logarithms {logs:.4f}  without distance {left:+.4f}"
            if title == "events":
                like = likeness(of, drawn)
                line += f"  cells {like['cells']:.0f}, within 2 % {like['within 2 %']:.4f}"
            print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
