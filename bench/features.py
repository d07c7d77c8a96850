"""Features: what a live read costs, against the same numbers from `Engine.levels` by numpy; and bars of a recording."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

import liqcore as lq
from measure import Candidate, Figure, rotate
from report import Report, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Columns = tuple[Ints, Floats, Floats, NDArray[np.bool_]]
TRADES = 1_000_000
NS_A_DAY = 86_400_000_000_000
BAR_NS = 60_000_000_000
READS = 1_000
REACHES = (0.5, 1.0, 2.0, 5.0)
ROW = 5  # bins
INSTRUMENT = lq.Instrument(symbol="WALK", tick_size=0.1, lot_size=0.001)


def day() -> Columns:
    """Make a day of a seeded walk that moves by some 2 %."""
    rng = np.random.default_rng(1)
    ts = np.sort(rng.integers(0, NS_A_DAY, TRADES)) + 1_750_003_200_000_000_000
    price = np.round(60_000 * np.exp(np.cumsum(rng.normal(0, 2e-5, TRADES))), 1)
    qty = np.round(rng.exponential(0.1, TRADES) + 0.001, 3)
    return ts, price, qty, rng.random(TRADES) < 0.5


def by_numpy(eng: lq.Engine) -> Floats:
    """Compute what a `FeatureReader` says, apart from what the last window liquidated, from the engine's levels."""
    price, axis = eng.last_price, eng.axis
    assert axis is not None
    first, middles = axis.first_bin, axis.prices + axis.step / 2
    usd = [eng.leverage.weights @ eng.levels(side) * middles for side in ("long", "short")]
    longs, shorts = usd
    out = [price]
    out += [longs[max(math.floor(price * (1 - x / 100) / axis.step + 1e-9) - first, 0) :].sum() for x in REACHES]
    out += [shorts[: math.floor(price * (1 + x / 100) / axis.step + 1e-9) - first + 1].sum() for x in REACHES]
    within_long, within_short = out[4], out[8]

    lead = first % ROW
    padded = [np.pad(side, (lead, -(lead + len(side)) % ROW)) for side in usd]
    rows = [side.reshape(-1, ROW).sum(axis=1) for side in padded]
    cells = np.stack(rows).astype(np.float32)
    live = np.sort(cells[cells > 0])
    above = np.zeros((2, cells.shape[1] + 2), np.int8)
    above[:, 1:-1] = (cells > 0) & (cells >= live[max(math.ceil(0.9 * len(live)) - 1, 0)])
    for side in range(2):
        spans = np.flatnonzero(np.diff(above[side])).reshape(-1, 2)
        begin, end = spans[-1 if side == 0 else 0]
        low, high = ((first - lead + ROW * edge) * axis.step for edge in (begin, end))
        away = min(high / price - 1, 0) if side == 0 else max(low / price - 1, 0)
        out += [low, high, rows[side][begin:end].sum(), 100 * away]
    out.append((within_short - within_long) / (within_short + within_long))
    distance = np.abs(100 * (middles / price - 1))
    out.append(((longs + shorts) * np.maximum(1 - distance, 0)).sum())
    assert eng.clock is not None
    assert eng.began is not None
    out.append((eng.clock - eng.began) / 1e9)
    return np.array(out)


def closes_of(ts: Ints) -> Ints:
    """Return the ends of the bars that begin with the first trade's and end by the last trade."""
    return np.arange(ts[0] // BAR_NS + 1, ts[-1] // BAR_NS + 1) * BAR_NS


def fed_by_bar(columns: Columns, reader: lq.FeatureReader) -> Floats:
    """Feed a live engine a bar a call, and read it at every bar's close."""
    engine, closes = lq.Engine(INSTRUMENT, window="1m", keep=1), closes_of(columns[0])
    out = np.empty((len(closes), len(reader)))
    ends = np.searchsorted(columns[0], closes)
    for i, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        engine.feed(trades=tuple(column[begin:end] for column in columns))
        engine.advance(int(closes[i]))
        reader.read(engine, out[i])
    return out


def measure(report: Report) -> None:
    """Measure a live read after a day, and every minute of that day."""
    columns = day()
    eng = lq.Engine(INSTRUMENT, window="1m")
    eng.trades(*columns)
    reader = lq.FeatureReader(reaches=REACHES)
    row = reader.read(eng)
    shared = [i for i, name in enumerate(reader.names) if not name.startswith("liquidated")]
    np.testing.assert_allclose(row[shared], by_numpy(eng), rtol=1e-9, err_msg="numpy: wrong, not timed")

    def reads() -> None:
        for _ in range(READS):
            reader.read(eng, row)

    def dictionaries() -> None:
        for _ in range(READS):
            eng.features()

    def arrays() -> None:
        for _ in range(READS):
            by_numpy(eng)

    does = "all features of this moment"
    ours = Candidate("FeatureReader.read(engine, out=row)", does, reads)
    rivals = [
        ours,
        Candidate("Engine.features()", does, dictionaries),
        Candidate("numpy on Engine.levels, without liquidated", does, arrays),
    ]
    rotate(rivals)
    assert eng.axis is not None
    what = f"{TRADES:,} trades of a walk over a day, {len(eng.leverage)} tiers, {eng.axis.size:,} bins"
    report.tables.append(Table("Features, live", what, READS, rivals, {does: ours}, event="read"))
    report.goals["features"].measured(
        Figure.of(seconds / READS * 1e6 for seconds in ours.seconds), f"from Python, {len(reader)} of them; {what}"
    )

    closes = closes_of(columns[0])

    def bar_by_bar() -> Floats:
        return fed_by_bar(columns, reader)

    def batch() -> Floats:
        return lq.features(columns, "1m", instrument=INSTRUMENT).values

    def without() -> lq.Engine:
        fed = lq.Engine(INSTRUMENT, window="1m", keep=1)
        fed.trades(*columns)
        return fed

    np.testing.assert_array_equal(batch(), bar_by_bar(), err_msg="bar by bar: other bits, not timed")
    does = f"features of {len(closes):,} bars"
    whole = Candidate("lq.features", does, batch)
    others = [
        Candidate("Engine.feed, advance and read, a bar a call", does, bar_by_bar),
        Candidate("Engine.trades in one call, nothing read", "feeds an engine", without),
    ]
    rotate([whole, *others])
    report.tables.append(
        Table("Features, a day of minutes", what, len(closes), [whole, *others], {does: whole}, event="bar")
    )
