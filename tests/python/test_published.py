"""Other threads read what an engine publishes while it is fed; every row and snapshot is of one instant."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

import liqcore as lq

WINDOW_NS = 1_000_000_000
START = 1_780_000_000 * WINDOW_NS


def make(**options: object) -> lq.Engine:
    inst = lq.Instrument(symbol="X", tick_size=0.5, lot_size=0.001)
    given: dict[str, object] = {"leverage": {10: 0.5, 50: 0.5}, "half_life": None, "window": "1s"} | options
    return lq.Engine(inst, **given)  # type: ignore[arg-type]


def trades_of(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    i = np.arange(count)
    ts = (START + i * 10_000_000).astype(np.int64)
    price = 60_000.0 + 0.5 * ((i * 37) % 900)
    return ts, price, np.full(count, 0.25), i % 3 == 0


def test_nothing_is_there_before_the_first() -> None:
    pub = lq.Publisher()
    row = pub.row()
    assert (row.sequence, row.clock, pub.snapshot(), pub.missed) == (0, None, None, 0)
    assert np.isnan(row.values).all()
    assert len(row.values) == len(pub) == len(pub.names)
    assert pub.names == lq.FeatureReader().names


def test_an_engine_without_a_price_is_published_as_it_is() -> None:
    eng, pub = make(), lq.Publisher()
    eng.publish_to(pub)
    snapshot = pub.snapshot()
    assert snapshot is not None
    assert (snapshot.sequence, snapshot.clock, snapshot.axis) == (1, None, None)
    assert snapshot.levels("long").shape == (2, 0)
    with pytest.raises(lq.InvalidConfigError, match="no price yet"):
        eng.heatmap(snapshot=snapshot)


def test_a_snapshot_says_what_the_engine_said_and_stays() -> None:
    eng, pub = make(keep=20), lq.Publisher()
    ts, price, qty, sold = trades_of(5_000)
    eng.trades(ts[:4_000], price[:4_000], qty[:4_000], sold[:4_000])
    pub.publish(eng)
    snapshot = pub.snapshot()
    assert snapshot is not None
    stats, axis, clock, last = eng.stats, eng.axis, eng.clock, eng.last_price
    levels = {side: eng.levels(side) for side in ("long", "short")}
    heatmap, row = eng.heatmap(), lq.FeatureReader().read(eng)
    eng.trades(ts[4_000:], price[4_000:], qty[4_000:], sold[4_000:])
    pub.publish(eng)
    assert (snapshot.stats, snapshot.clock, snapshot.last_price) == (stats, clock, last)
    assert snapshot.axis is not None
    assert axis is not None
    assert snapshot.axis.prices.tolist() == axis.prices.tolist()
    np.testing.assert_array_equal(snapshot.values, row)
    for side, then in levels.items():
        np.testing.assert_array_equal(snapshot.levels(side), then)
        assert not np.array_equal(eng.levels(side)[:, : then.shape[1]], then)
    drawn = eng.heatmap(snapshot=snapshot)
    np.testing.assert_array_equal(drawn.long, heatmap.long)
    np.testing.assert_array_equal(drawn.short, heatmap.short)
    assert drawn.meta == heatmap.meta
    assert drawn.complete.tolist() == heatmap.complete.tolist()
    np.testing.assert_array_equal(eng.map(snapshot=snapshot).cumulative_long, heatmap.map().cumulative_long)
    later = pub.snapshot()
    assert later is not None
    assert later.sequence == snapshot.sequence + 1


def test_what_is_read_cannot_be_written_to() -> None:
    eng, pub = make(), lq.Publisher()
    eng.trade(0, 60_000.0, 1.0, False)
    eng.publish_to(pub)
    snapshot = pub.snapshot()
    assert snapshot is not None
    for array in (pub.row().values, snapshot.values, snapshot.levels("long"), snapshot.levels_lots("short")):
        assert not array.flags.writeable


def test_a_windows_end_publishes_what_advance_to_it_leaves() -> None:
    eng, twin, pub = make(), make(), lq.Publisher(snapshot_at_window_end=False)
    eng.publish_to(pub)
    reader = lq.FeatureReader()
    seen = 0
    for ts, price, qty, sold in zip(*(column.tolist() for column in trades_of(600)), strict=True):
        before = pub.row().sequence
        eng.trade(ts, price, qty, sold)
        row = pub.row()
        if row.sequence != before:
            assert row.clock is not None
            assert row.clock % WINDOW_NS == 0
            twin.advance(row.clock)
            np.testing.assert_array_equal(row.values, reader.read(twin))
            seen += 1
        twin.trade(ts, price, qty, sold)
    assert seen == 5
    first = pub.snapshot()
    assert first is not None
    assert first.sequence == 1


def test_readers_beside_a_feed_that_has_released_the_gil() -> None:
    eng, pub = make(keep=50), lq.Publisher()
    ts, price, qty, sold = trades_of(200_000)
    eng.publish_to(pub)
    written = {1: pub.row().values.tobytes()}
    reader = lq.FeatureReader()
    eng.on_column(lambda _: written.setdefault(len(written) + 1, reader.read(eng).tobytes()))
    stop = threading.Event()
    rows: list[list[tuple[int, bytes]]] = [[], [], []]
    failures: list[BaseException] = []

    def read(into: list[tuple[int, bytes]]) -> None:
        last = clock = 0
        while True:
            done = stop.is_set()
            row, snapshot = pub.row(), pub.snapshot()
            assert snapshot is not None
            assert row.sequence >= last
            assert (row.clock or 0) >= clock
            last, clock = row.sequence, row.clock or 0
            into.append((row.sequence, row.values.tobytes()))
            into.append((snapshot.sequence, snapshot.values.tobytes()))
            live = [side.tolist() for side in snapshot.stats.live]
            lots = [snapshot.levels_lots(side).sum(axis=1).tolist() for side in ("long", "short")]
            assert lots == live
            if done:
                return

    def guarded(what: Callable[[list[tuple[int, bytes]]], None], into: list[tuple[int, bytes]]) -> None:
        try:
            what(into)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(read, into)) for into in rows]
    for thread in threads:
        thread.start()
    try:
        for begin in range(0, len(ts), 20_000):
            piece = slice(begin, begin + 20_000)
            eng.trades(ts[piece], price[piece], qty[piece], sold[piece])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]
    for into in rows:
        assert into[-1][0] == len(written)
        assert all(written[sequence] == values for sequence, values in into)


def test_who_asks_is_answered_by_the_next_array() -> None:
    eng, pub = make(), lq.Publisher()
    eng.publish_to(pub)
    ts, price, qty, sold = trades_of(30)
    eng.trades(ts[:10], price[:10], qty[:10], sold[:10])
    assert pub.row().sequence == 1
    pub.ask()
    eng.trades(ts[10:], price[10:], qty[10:], sold[10:])
    assert (pub.row().sequence, pub.row().clock) == (2, ts[-1])


def test_one_engine_publishes_to_a_publisher_at_a_time() -> None:
    eng, other, pub = make(), make(), lq.Publisher()
    eng.publish_to(pub)
    with pytest.raises(lq.InvalidConfigError, match="one engine at a time"):
        other.publish_to(pub)
    for publish in (pub.publish, pub.publish_row):
        with pytest.raises(lq.InvalidConfigError, match="one engine at a time"):
            publish(other)
    eng.publish_to(None)
    eng.advance(0)
    other.publish_to(pub)
    assert pub.row().sequence == 2
    del other
    eng.publish_to(pub)  # whose engine is gone
    assert pub.row().sequence == 3


def test_options_break_their_rules_by_name() -> None:
    with pytest.raises(lq.InvalidConfigError, match="reaches must rise"):
        lq.Publisher(reaches=(2.0, 1.0))


def busy(eng: lq.Engine, look: Callable[[], object]) -> list[object]:
    """Look once on another thread while this one feeds the engine: its hook waits for that."""
    seen: list[object] = []

    def guarded() -> None:
        try:
            seen.append(look())
        except BaseException as error:
            seen.append(error)

    def wait(_: object) -> None:
        eng.on_column(None)
        thread = threading.Thread(target=guarded)
        thread.start()
        thread.join()

    eng.on_column(wait)
    ts = (eng.clock or START) + WINDOW_NS * np.arange(1, 4)
    eng.trades(ts, np.full(3, 60_000.0), np.ones(3), np.zeros(3, bool))
    return seen


MADE = {
    "flow": {"half_life": {10: "1d"}},
    "exact": {"keep": 5},
    "oi": {"model": "oi", "reconciled": True, "taker_tilt": 0.5},
    "blend": {"model": "blend", "trigger": "mark", "churn": 0.2},
    "fixed": {"axis": lq.PriceAxis(low=50_000, high=70_000, step=10, tick_size=0.5)},
    "dropped": {"leverage": {10: 0.5, 50: 0.3, 200: 0.2}},
}


@pytest.mark.parametrize("given", MADE.values(), ids=MADE.keys())
def test_heatmap_and_map_of_a_snapshot_may_be_asked_while_another_thread_feeds(given: dict[str, object]) -> None:
    margin = lq.MarginSchedule.tiers([{"rate": 0.004, "max_leverage": 100}])
    inst = lq.Instrument(symbol="X", tick_size=0.5, lot_size=0.001, margin=margin)
    options: dict[str, object] = {"leverage": {10: 0.5, 50: 0.5}, "half_life": None, "window": "1s"} | given
    eng = lq.Engine(inst, **options)  # type: ignore[arg-type]
    ts, price, qty, sold = trades_of(700)
    eng.feed(trades=(ts, price, qty, sold), marks=(ts, price), open_interest=(ts, 5.0 * qty))
    pub = lq.Publisher()
    eng.publish_to(pub)
    snapshot = pub.snapshot()
    assert snapshot is not None
    heatmap, levels, began, sequential = eng.heatmap(), eng.map(), eng.began, eng.sequential

    def look() -> object:
        for name in ("began", "sequential", "clock", "last_price", "stats", "axis"):  # the engine is in use
            with pytest.raises(RuntimeError, match="in use by another thread"):
                getattr(eng, name)
        told = (snapshot.began, snapshot.sequential, snapshot.clock, snapshot.last_price, snapshot.axis, snapshot.stats)
        return eng.heatmap(snapshot=snapshot), eng.heatmap(step=50, snapshot=snapshot), eng.map(snapshot=snapshot), told

    (seen,) = busy(eng, look)
    assert isinstance(seen, tuple), seen
    found, coarse, shown, told = seen
    np.testing.assert_array_equal(found.values, heatmap.values)
    assert found.meta == heatmap.meta
    assert coarse.step == 50
    np.testing.assert_array_equal(shown.long, levels.long)
    assert told[:2] == (began, sequential)
    assert (found.meta["began_ns"], found.meta["sequential"]) == (began, sequential)
