"""The verbs from Python: what they take, what they say, what they refuse. Their results are the reference's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from drive import live
from streams import SECOND

INST = lq.Instrument(tick_size=1.0, lot_size=1.0, margin=lq.MarginSchedule.flat(0.0))


def engine(**options: Any) -> lq.Engine:
    """10x and 100x, of an entry at 1,000: longs at 900 and 990, shorts at 1,100 and 1,010."""
    eng = lq.Engine(INST, leverage={10: 0.75, 100: 0.25}, book_step=1.0, model="none", window=SECOND, **options)
    eng.advance(0)
    return eng


def counts(opened: lq.Opened) -> tuple[int, ...]:
    return opened.live, opened.no_price, opened.underflow, opened.overflow, opened.unresolved


def test_open_returns_where_the_levels_went() -> None:
    eng = engine()
    opened = eng.open("long", 1000.0, 2.0)
    assert counts(opened) == (2, 0, 0, 0, 0)
    assert counts(opened + opened) == (4, 0, 0, 0, 0)
    assert opened == eng.open("long", 1000.0, 3.0)
    assert repr(opened) == "Opened(live=2, no_price=0, underflow=0, overflow=0, unresolved=0)"


def test_what_open_returned_stays_as_it_was() -> None:
    eng = engine()
    first = eng.open("long", 1000.0, 1.0)
    assert eng.open("long", 1000.0, {10: 1.0}).live == 1
    assert eng.open("long", 1000.0, 1.0) == first
    del eng
    assert first.live == 2


def test_unresolved_levels_are_warned_of_once_an_engine() -> None:
    eng = engine()
    eng.touch(950.0, 1050.0)
    with pytest.warns(UserWarning, match=r"levels not opened.*: 1; .*touch\(low, high, last\)"):
        assert eng.open("long", 1000.0, 2.0).unresolved == 1
    assert eng.open("long", 1000.0, 2.0).unresolved == 1  # warnings are errors in these tests: there is none
    assert eng.stats.unresolved.tolist() == [[0, 4], [0, 0]]
    eng.touch(950.0, 1050.0, 1040.0)
    assert eng.open("long", 1000.0, 2.0).unresolved == 0
    other = engine()
    other.touch(950.0, 1050.0, last=1000.0)
    other.opens("long", np.array([1005.0, 1001.0]), np.array([[0.0, 1.0], [0.0, 1.0]]))
    with pytest.warns(UserWarning, match="levels not opened.*: 2;"):
        other.opens("long", np.array([1012.0, 1020.0]), np.ones(2))


def test_a_quantity_for_each_tier() -> None:
    eng = engine()
    eng.open("long", 1000.0, {100: 3.0})
    eng.open("long", 1000.0, np.array([5.0, 0.0]))
    eng.open("long", 1000.0, 1)
    assert eng.stats.opened.tolist() == [[6, 4], [0, 0]]
    assert live(eng)["long", 100.0] == {990: 4.0}
    assert eng.leverage.index(100) == 1
    assert eng.heatmap(step=1.0, unit="quantity").map().long.sum() == pytest.approx(0.75 * 6 + 0.25 * 4)


def test_known_levels_are_shown_as_they_are() -> None:
    eng = engine()
    assert counts(eng.open_level("long", 970.0, 8.0)) == (2, 0, 0, 0, 0)
    eng.open_levels(np.array([False, True]), np.array([970.0, 1200.0]), np.array([2.0, 5.0]))
    shown = eng.heatmap(step=1.0, unit="quantity").map()
    assert (shown.long.sum(), shown.short.sum()) == (10.0, 5.0)


def test_arrays_move_the_clock_where_they_have_times() -> None:
    eng = engine()
    start = 1_780_000_000 * SECOND
    ts = np.array([start + SECOND // 2, start + 3 * SECOND], np.int64)
    eng.opens("short", np.array([1000.0, 1001.0]), np.array([1.0, 2.0]), ts=ts)
    assert (eng.clock, len(eng.segments())) == (start + 3 * SECOND, 3)
    eng.touches(np.array([990.0]), np.array([1011.0]), np.array([1000.0]), ts=ts[1:].view("M8[ns]"))
    assert eng.stats.liquidated.tolist() == [[0, 0], [0, 3]]
    eng.touches(np.array([990.0]), np.array([1101.0]))
    assert eng.stats.liquidated.tolist() == [[0, 0], [3, 3]]


def test_scale_takes_a_dict_of_tiers() -> None:
    eng = engine()
    eng.open("long", 1000.0, 8.0)
    eng.scale({100: 0.25})
    assert eng.stats.live.tolist() == [[8, 2], [0, 0]]
    with pytest.raises(lq.InvalidConfigError, match=r"leverage must be one of the tiers \(10x, 100x\), was 50x"):
        eng.scale({50: 0.25})


def test_half_lives_act_on_what_a_model_of_ones_own_opened() -> None:
    eng = engine(half_life={10: "1s"})
    eng.open("long", 1000.0, 8.0)
    eng.advance(2 * SECOND)
    assert eng.stats.live.tolist() == [[2, 8], [0, 0]]
    assert eng.heatmap().meta["meaning"] == "levels opened by the caller, decayed"


def test_where_the_price_is_is_saved(tmp_path: Path) -> None:
    eng = engine(candle_price="hl2")
    eng.touch(950.0, 1050.0, 1040.0)
    eng.open("long", 1000.0, {100: 2.0})
    other = lq.Engine.load(eng.save(tmp_path / "engine.parquet"))
    assert other.open("long", 1000.0, 2.0) == eng.open("long", 1000.0, 2.0)
    assert other.candle_price == "hl2"
    assert other.save(tmp_path / "other.parquet").read_bytes() == eng.save(tmp_path / "engine.parquet").read_bytes()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda e: e.open("long", 1000.0, 0.5), ValueError, "qty must be more than half a lot .*, was 0.5"),
        (lambda e: e.open("long", 1000.0, {20: 1.0}), ValueError, "leverage must be one of the tiers"),
        (lambda e: e.open("long", 1000.0, "1"), TypeError, "qty must be a number, a dict of leverage to quantity, or"),
        (lambda e: e.open("long", 1000.0, np.array([1, 2])), TypeError, "qty must be a numpy array of float64"),
        (lambda e: e.open("long", 1000.0, np.ones(3)), ValueError, r"qty must hold one value per tier \(2\), had 3"),
        (lambda e: e.opens("up", np.ones(1), np.ones(1)), ValueError, 'side must be one of "long", "short"'),
        (
            lambda e: e.opens("long", np.ones(2), np.ones((2, 3))),
            ValueError,
            r"qty must be of shape \(2,\) or \(2, 2\)",
        ),
        (lambda e: e.opens(np.ones(2), np.ones(2), np.ones(2)), TypeError, "side must be a numpy array of bool"),
        (
            lambda e: e.opens("long", np.array([1e3, -1.0]), np.ones(2)),
            ValueError,
            r"price \(row 1\) must be a price of at least one tick",
        ),
        (
            lambda e: e.opens("long", np.ones(2), np.ones(2), ts=np.array([10**18 + 1, 10**18])),
            ValueError,
            r"ts \(row 1\) must not be before the row before \(1000000000000000001\), was 1000000000000000000",
        ),
        (lambda e: e.touch(1.0, 2.0, 3.0), ValueError, r"last must lie between low \(1\) and high \(2\), was 3"),
        (lambda e: e.touches(np.ones(2), np.ones(2), np.ones(1)), ValueError, "last must be as long as low"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_has_not_happened(
    call: Callable[[lq.Engine], object], error: type[Exception], message: str
) -> None:
    eng = engine()
    with pytest.raises(error, match=message):
        call(eng)
    assert (eng.clock, eng.axis) == (0, None)


def test_a_part_of_the_book_is_closed_and_scaled_and_makes_the_engine_sequential(tmp_path: Path) -> None:
    eng = engine()
    eng.open("long", 1000.0, 8.0)
    eng.open("short", 1000.0, 8.0)
    assert not eng.sequential
    assert eng.close("long", 980.0, 1000.0, {10: 1.0, 100: 3.0}).tolist() == [0.0, 3.0]
    assert eng.close("short", 1.0, 2000.0, 100.0).tolist() == [8.0, 8.0]
    eng.advance(SECOND)
    eng.scale(0.5, high=950.0)
    eng.scale({100: 0.2}, low=980.0, high=995.0)
    assert live(eng)["long", 10.0] == {900: 4.0}
    assert live(eng)["long", 100.0] == {990: 1.0}
    assert eng.stats.closed.tolist() == [[4, 7], [8, 8]]
    assert not eng.stats.imbalance().any()
    eng.advance(3 * SECOND)
    shown = eng.heatmap(step=1.0, unit="quantity")
    assert shown.long.min() >= 0
    assert shown.long.sum(axis=1).tolist() == pytest.approx([0.75 * 8 + 0.25 * 5, *[0.75 * 4 + 0.25] * 3])
    again = lq.load_heatmap(shown.save(tmp_path / "map.parquet"))
    assert np.array_equal(again.long, shown.long)
    for seen in (shown, again):
        with pytest.raises(lq.InvalidConfigError, match="sequential"):
            seen.select(opened_within="1s")
    other = lq.Engine.load(eng.save(tmp_path / "engine.liq"))
    assert other.sequential
    assert other.segments() == eng.segments()


def test_usd_are_reckoned_at_the_level_or_at_the_entry(tmp_path: Path) -> None:
    eng = engine()
    eng.open("long", 1000.0, 8.0)
    eng.open("short", 2000.0, 4.0)
    eng.advance(SECOND)
    at_level = eng.heatmap(step=1.0)
    at_entry = at_level.select(value="entry")
    assert (at_level.value, at_entry.value) == ("level", "entry")
    assert at_level.map().long.sum(axis=1).tolist() == pytest.approx([0.75 * 8 * 900.5, 0.25 * 8 * 990.5])
    assert at_entry.map().long.sum(axis=1).tolist() == pytest.approx([6000, 2000], rel=1e-3)  # bins have a middle
    assert at_entry.short[0].sum() == pytest.approx(8000, rel=1e-3)
    quantity = at_entry.select(unit="quantity")
    assert quantity.long[0].sum() == pytest.approx(8)
    again = lq.load_heatmap(at_entry.save(tmp_path / "map.parquet"))
    assert again.value == "entry"
    assert np.array_equal(again.values, at_entry.values)
    assert np.array_equal(again.select(value="level").values, at_level.values)
    half = at_entry.select(leverage=100).reweigh({10: 0.5, 100: 0.5})
    assert half.map().long.sum() == pytest.approx(4000, rel=1e-3)
    with pytest.raises(lq.InvalidConfigError, match="value must be one of"):
        at_level.select(value="mark")
    merged = lq.merge_venues({"a": at_level, "b": at_level}).select(value="entry")
    assert merged.long[0].sum() == pytest.approx(2 * at_entry.long[0].sum())


def test_inverse_contracts_count_the_same_usd_at_level_and_entry() -> None:
    inst = lq.Instrument(contract="inverse", tick_size=1.0, lot_size=1.0, multiplier=100.0)
    eng = lq.Engine(inst, leverage={10: 1.0}, book_step=1.0, model="none")
    eng.advance(0)
    eng.open("long", 1000.0, 8.0)
    shown = eng.heatmap(step=1.0)
    assert shown.values.sum() == shown.select(value="entry").values.sum() == 800
