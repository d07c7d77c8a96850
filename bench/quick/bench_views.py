"""
Views of a heatmap that is there already: every kind of `select`, coarser cells, maps and zones, arrays included.

The input is that of bench/views.py, 720 columns of about 1,000 rows from 8,640 windows at five tiers. What the windows
keep for later views (a tree of spans, places to begin from) is made by the checks, so that it is not in the times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import liqcore as lq
import views
from timed import Timed
from views import LEAST

HOUR_NS = 3_600_000_000_000
ON = f"{views.COLUMNS} columns of {views.DAYS} days of a walk, {views.TRADES:,} trades"

pytestmark = pytest.mark.benchmark(group="views: 720 columns of 8,640 windows")

Check = Callable[[lq.Heatmap], None]


def is_as_shown(month: lq.Heatmap) -> Check:
    def check(view: lq.Heatmap) -> None:
        np.testing.assert_array_equal(view.values, month.long + month.short)

    return check


def has_one_side(month: lq.Heatmap) -> Check:
    def check(view: lq.Heatmap) -> None:
        np.testing.assert_array_equal(view.values, month.long)
        assert not view.short.any()
        assert month.short.any()

    return check


def has_two_tiers(month: lq.Heatmap) -> Check:
    """The last column has to be those tiers of the map; with the other tiers' picture it has to be the whole."""
    now = month.map()
    kept = np.isin(now.tiers, (25.0, 50.0))
    others = month.select(leverage=now.tiers[~kept].tolist()).values
    assert kept.sum() == 2
    assert others.any()

    def check(view: lq.Heatmap) -> None:
        expected = now.long[kept].sum(axis=0) + now.short[kept].sum(axis=0)
        np.testing.assert_allclose(view.values[-1], expected, rtol=1e-5, atol=LEAST)
        np.testing.assert_allclose(view.values + others, month.values, rtol=1e-5, atol=LEAST)

    return check


def has_the_last_day(month: lq.Heatmap) -> Check:
    columns = 24 * 12

    def check(view: lq.Heatmap) -> None:
        np.testing.assert_array_equal(view.times, month.times[-columns:])
        np.testing.assert_array_equal(view.values, month.values[-columns:])

    return check


def hides_below(cutoff: Callable[[NDArray[np.float32]], float]) -> Callable[[lq.Heatmap], Check]:
    def of(month: lq.Heatmap) -> Check:
        least = np.float32(cutoff(month.values))

        def check(view: lq.Heatmap) -> None:
            expected = np.where(month.values >= least, month.values, 0)
            assert 0 < np.count_nonzero(expected) < np.count_nonzero(month.values)
            np.testing.assert_array_equal(view.values, expected)

        return check

    return of


def percentile(values: NDArray[np.float32]) -> float:
    """The smallest non-zero cell that 95 % of them do not exceed."""
    live = np.sort(values[values > 0])
    return float(live[math.ceil(0.95 * live.size) - 1])


def is_in_coins(month: lq.Heatmap) -> Check:
    """Dollars over quantity has to be a price of the row, but for what rounding leaves."""

    def check(view: lq.Heatmap) -> None:
        assert view.unit == "quantity"
        shown = month.values > 0
        np.testing.assert_array_equal(view.values > 0, shown)
        price = month.values[shown] / view.values[shown]
        low = np.broadcast_to(month.prices, month.values.shape)[shown]
        assert (price > low * (1 - 1e-6)).all()
        assert (price < (low + month.step) * (1 + 1e-6)).all()

    return check


SELECTIONS: dict[str, tuple[dict[str, Any], Callable[[lq.Heatmap], Check]]] = {
    "nothing": ({}, is_as_shown),
    "side": ({"side": "long"}, has_one_side),
    "leverage": ({"leverage": [25, 50]}, has_two_tiers),
    "last": ({"last": "24h"}, has_the_last_day),
    "threshold_share": ({"threshold": 0.1}, hides_below(lambda values: 0.1 * float(values.max()))),
    "threshold_percentile": ({"threshold": "p95"}, hides_below(percentile)),
    "unit": ({"unit": "quantity"}, is_in_coins),
}


@pytest.mark.parametrize("what", SELECTIONS)
def test_select(timed: Timed, month: lq.Heatmap, what: str) -> None:
    """Select, and compute all values: long, short and their sum."""
    asked, check = SELECTIONS[what]

    def run() -> lq.Heatmap:
        view = month.select(**asked)
        assert view.values.size
        return view

    timed(run, check(month), event="view", on=ON)


@pytest.mark.parametrize("hours", [1, 168], ids=["1h", "1w"])
def test_select_opened_within(timed: Timed, month: lq.Heatmap, walk: views.Columns, hours: int) -> None:
    """As above; a column has to be what an engine shows that was started empty so long before the column's end."""
    window_ns = month.window_ns
    windows = walk[0] // window_ns
    columns = (0, views.COLUMNS // 2, views.COLUMNS - 1)
    expected = []
    for i in columns:
        last = int(month.times[i]) // window_ns
        part = slice(*np.searchsorted(windows, (last + 1 - hours * HOUR_NS // window_ns, last + 1)).tolist())
        fresh = views.engine(month.book_step)
        fresh.trades(*(column[part] for column in walk))
        if i < views.COLUMNS - 1:  # the last one has not ended
            fresh.advance((last + 1) * window_ns)
        expected.append(fresh.heatmap(step=month.step))

    def run() -> lq.Heatmap:
        view = month.select(opened_within=f"{hours}h")
        assert view.values.size
        return view

    def check(view: lq.Heatmap) -> None:
        for i, fresh in zip(columns, expected, strict=True):
            _, mine, theirs = np.intersect1d(month.prices, fresh.prices, return_indices=True)
            whole = np.zeros(len(month.prices))
            whole[mine] = fresh.values[-1][theirs]
            assert whole.any()
            np.testing.assert_allclose(view.values[i], whole, rtol=1e-5, atol=LEAST)

    timed(run, check, event="view", on=ON)


def test_rebin_to_hours(timed: Timed, month: lq.Heatmap) -> None:
    """A column of an hour has to be the last of its twelve."""

    def run() -> lq.Heatmap:
        view = month.rebin(window="1h")
        assert view.values.size
        return view

    def check(view: lq.Heatmap) -> None:
        hours = month.times // HOUR_NS
        last = np.append(np.flatnonzero(np.diff(hours)), len(hours) - 1)
        np.testing.assert_array_equal(view.times // HOUR_NS, hours[last])
        np.testing.assert_allclose(view.values, month.values[last], rtol=1e-5, atol=LEAST)

    timed(run, check, event="view", on=ON)


def test_map(timed: Timed, month: lq.Heatmap) -> None:
    """By tier and side; it has to add up to the last column."""

    def check(now: lq.LiquidationMap) -> None:
        assert now.long.shape == now.short.shape == (len(month.leverage), len(month.prices))
        assert now.long.any(axis=1).all()
        np.testing.assert_allclose(now.long.sum(axis=0), month.long[-1], rtol=1e-5, atol=LEAST)
        np.testing.assert_allclose(now.short.sum(axis=0), month.short[-1], rtol=1e-5, atol=LEAST)

    timed(month.map, check, event="map", on=ON)


def test_map_opened_within_2w(timed: Timed, month: lq.Heatmap) -> None:
    """By the tree of spans; what sliding sums give for the last column has to be the same."""
    view = month.select(opened_within="2w")

    def check(now: lq.LiquidationMap) -> None:
        np.testing.assert_allclose(now.long.sum(axis=0), view.long[-1], rtol=1e-5, atol=LEAST)
        np.testing.assert_allclose(now.short.sum(axis=0), view.short[-1], rtol=1e-5, atol=LEAST)

    timed(view.map, check, event="map", on=ON)


def plain_zones(month: lq.Heatmap) -> list[tuple[str, float, float, float]]:
    """Neighbouring cells of the last column among the tenth that hold the most: side, low, high, value."""
    cells = {"long": month.long[-1], "short": month.short[-1]}
    live = np.sort(np.concatenate([side[side > 0] for side in cells.values()]))
    least = live[math.ceil(0.9 * live.size) - 1]
    found = []
    for name, side in cells.items():
        begin = None
        for row, cell in enumerate([*side.tolist(), 0.0]):
            if cell >= least and begin is None:
                begin = row
            elif cell < least and begin is not None:
                low = month.prices[begin]
                found.append((name, low, low + (row - begin) * month.step, float(side[begin:row].sum(dtype=float))))
                begin = None
    return sorted(found, key=lambda zone: (zone[1], zone[0]))


def test_zones(timed: Timed, month: lq.Heatmap) -> None:
    """All that is said of each zone of the last column; where they lie and what they hold is compared."""
    expected = plain_zones(month)

    def check(zones: list[lq.Zone]) -> None:
        assert [zone.side for zone in zones] == [zone[0] for zone in expected]
        np.testing.assert_allclose(
            [(zone.low, zone.high, zone.value) for zone in zones], [zone[1:] for zone in expected], rtol=1e-5
        )
        assert all(0 < zone.persistence <= 1 and zone.since_ns < zone.time_ns for zone in zones)
        ages = [list(zone.ages.values()) for zone in zones]
        assert all(age == sorted(age) and age[0] >= 0 and age[-1] <= 1 for age in ages)

    timed(month.zones, check, event="call", on=f"{ON}; {len(expected)} zones")
