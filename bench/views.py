"""Views of a heatmap that is there already: selections, time frames, age, zones; a month of windows behind it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import liqcore as lq
from liqcore.history.one import OneHistory
from measure import Candidate, rotate
from report import Report, Table

Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]
DAYS, TRADES = 30, 3_000_000
COLUMNS, ROWS = 720, 1_000
NS_A_DAY = 86_400_000_000_000
LEAST = 500.0  # dollars: a lot is 60, and cells of half a lot may be flushed in one computation and not in another


def walk() -> Columns:
    """Make a month of a seeded walk."""
    rng = np.random.default_rng(1)
    ts = np.sort(rng.integers(0, DAYS * NS_A_DAY, TRADES)) + 1_750_003_200_000_000_000
    price = np.round(60_000 * np.exp(np.cumsum(rng.normal(0, 1.2e-5, TRADES))), 1)
    qty = np.round(rng.exponential(0.1, TRADES) + 0.001, 3)
    return ts, price, qty, rng.random(TRADES) < 0.5


def engine(book_step: float | None = None) -> lq.Engine:
    """Make an engine of five tiers."""
    return lq.Engine(lq.Instrument(symbol="WALK", tick_size=0.1, lot_size=0.001), window="5m", book_step=book_step)


def month(columns: Columns) -> lq.Heatmap:
    """Make 8,640 windows of the walk at five tiers, cropped to 720 columns of about 1,000 rows."""
    eng = engine()
    eng.trades(*columns)
    hm = eng.heatmap().select(last="60h")
    hm = hm.rebin(step=hm.book_step)
    return hm.rebin(step=max(1, round(len(hm.prices) / ROWS)) * hm.book_step)


def measure(report: Report) -> None:
    """Time every view from scratch, arrays included; the sliding picture and the tree have to agree first."""
    hm = month(walk())
    one = hm._shown.histories
    assert isinstance(one, OneHistory)
    history = one.history
    for frame in ("1h", "24h", "1w"):
        view = hm.select(opened_within=frame)
        now = view.map()
        expected = now.long.sum(axis=0) + now.short.sum(axis=0)
        np.testing.assert_allclose(view.values[-1], expected, rtol=1e-5, atol=LEAST, err_msg=f"{frame}: not timed")

    both = lq.merge_venues({"one": hm, "other": hm})
    assert both.values.shape == hm.values.shape
    np.testing.assert_array_equal(both.values, 2 * hm.values, err_msg="two venues: not timed")

    def seen(view: lq.Heatmap) -> Callable[[], object]:
        return lambda: view.select().values

    views: dict[str, Callable[[], object]] = {
        "as it is": seen(hm),
        'select(side="long")': seen(hm.select(side="long")),
        "select(leverage=[25, 50])": seen(hm.select(leverage=[25, 50])),
        "select(threshold=0.1)": seen(hm.select(threshold=0.1)),
        'select(threshold="p95")': seen(hm.select(threshold="p95")),
        'select(opened_within="1h")': seen(hm.select(opened_within="1h")),
        'select(opened_within="24h")': seen(hm.select(opened_within="24h")),
        'select(opened_within="1w")': seen(hm.select(opened_within="1w")),
        'rebin(window="1h")': seen(hm.rebin(window="1h")),
        "two venues merged, as it is": seen(both),
        "two venues merged, map()": both.map,
        "map(), opened within 2w": hm.select(opened_within="2w").map,
        "age()": hm.age,
        "zones()": hm.zones,
        "zones() 30 h ago": lambda: hm.zones(int(hm.times[len(hm.times) // 2])),
        "zones(), opened within 24h": hm.select(opened_within="24h").zones,
        "swept() of 24 h": lambda: hm.swept(int(hm.times[-1]) - NS_A_DAY),
        "sensitivity()": hm.sensitivity,
    }
    candidates = [Candidate(name, "a view", run) for name, run in views.items()]
    rotate(candidates)
    report.tables.append(
        Table(
            "Views",
            f"{COLUMNS} columns x {len(hm.prices):,} rows x 10 layers, of {len(history):,} windows of a seeded walk",
            COLUMNS * len(hm.prices),
            candidates,
            event="cell",
            notes=[f"Combined spans and places to begin from take {history.cache_bytes / 1e6:.1f} MB."],
        )
    )
