"""Lengths of time and instants: what is understood, what is refused, and that writing gives back what was read."""

import re
import types
from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import liqcore as lq
from liqcore.errors import InvalidConfigError
from liqcore.words.times import UNITS_NS, format_duration, parse_duration, to_ns

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        ("1ns", 1),
        ("7us", 7_000),
        ("500ms", 500_000_000),
        ("30s", 30 * SECOND),
        ("5m", 300 * SECOND),
        ("1h", 3_600 * SECOND),
        ("3d", 3 * DAY),
        ("1w", 7 * DAY),
        ("1mo", 30 * DAY),
        ("1y", 365 * DAY),
        ("1.5h", 5_400 * SECOND),
        (".5s", 500_000_000),
        (" 5 m ", 300 * SECOND),
        (42, 42),
        (np.int64(42), 42),
        (timedelta(days=1, microseconds=3), DAY + 3_000),
        (np.timedelta64(5, "m"), 300 * SECOND),
        (np.timedelta64(2, "W"), 14 * DAY),
        (np.timedelta64(3, "D"), 3 * DAY),
    ],
)
def test_what_is_understood(value: Any, ns: int) -> None:
    assert parse_duration(value) == ns


@pytest.mark.parametrize("text", ["", "5", "m", "5 minutes", "-5m", "5mm", "1e3s", "nan", "5m 3s", "٣m", "0x5m"])
def test_text_that_is_no_length_of_time_names_the_rule_and_the_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"window must be a length of time such as .*, was") as caught:
        parse_duration(text, name="window")
    assert str(caught.value).endswith(f'was "{text}"')


def test_a_capital_m_is_refused_because_it_could_be_minutes_or_months() -> None:
    with pytest.raises(ValueError, match=r'was "5M" \(write "m" for minutes, "mo" for months\)'):
        parse_duration("5M")


def test_other_capitals_name_the_spelling() -> None:
    with pytest.raises(ValueError, match=r'was "3D" \(write "d"\)'):
        parse_duration("3D")


@pytest.mark.parametrize("value", ["0s", 0, -1, timedelta(0), timedelta(days=-1), np.timedelta64(-1, "s")])
def test_nothing_and_less_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        parse_duration(value)


@pytest.mark.parametrize("value", ["300y", 2**63, np.timedelta64(2**62, "s")])
def test_more_than_64_bits_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="shorter than 292 years"):
        parse_duration(value)


def test_a_fraction_of_a_nanosecond_is_refused() -> None:
    with pytest.raises(ValueError, match=r'whole nanoseconds, was "0\.5ns"'):
        parse_duration("0.5ns")


@pytest.mark.parametrize("value", [np.timedelta64(1, "M"), np.timedelta64(1, "Y"), np.timedelta64("NaT", "s")])
def test_numpy_lengths_without_a_fixed_length_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="duration must be"):
        parse_duration(value)


@pytest.mark.parametrize("value", [None, True, 5.0, [5], b"5m"])
def test_other_types_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="must be a length of time"):
        parse_duration(value)


@pytest.mark.parametrize(("ns", "text"), [(1, "1ns"), (300 * SECOND, "5m"), (90 * 60 * SECOND, "90m"), (7 * DAY, "7d")])
def test_what_is_written(ns: int, text: str) -> None:
    assert format_duration(ns) == text


@pytest.mark.parametrize("ns", [0, -1, 2**63])
def test_lengths_out_of_range_are_not_written(ns: int) -> None:
    with pytest.raises(ValueError, match="ns must be from 1"):
        format_duration(ns)


@pytest.mark.parametrize("ns", [True, 1.0, "1"])
def test_only_whole_nanoseconds_are_written(ns: Any) -> None:
    with pytest.raises(TypeError, match="whole nanoseconds"):
        format_duration(ns)


@given(st.integers(1, 2**63 - 1))
def test_writing_and_reading_give_back_the_length(ns: int) -> None:
    assert parse_duration(format_duration(ns)) == ns


@given(st.integers(1, 200), st.sampled_from(sorted(UNITS_NS)))
def test_every_unit_reads_as_its_nanoseconds(count: int, unit: str) -> None:
    assert parse_duration(f"{count}{unit}") == count * UNITS_NS[unit]


# ---------------------------------------------------------------------------------------------------------- instants


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        (0, 0),
        (np.int64(-5), -5),
        ("1970-01-01", 0),
        ("2026", 1_767_225_600_000_000_000),
        ("2026-06", 1_780_272_000_000_000_000),
        ("2026-06-12", 1_781_222_400_000_000_000),
        ("2026-06-12T10:00Z", 1_781_258_400_000_000_000),
        ("2026-06-12 12:00+02:00", 1_781_258_400_000_000_000),
        ("20260612T100000", 1_781_258_400_000_000_000),
        ("2026-06-12T10:00:00.0000005Z", 1_781_258_400_000_000_500),
        ("2026-06-12T10:00:00.123456789", 1_781_258_400_123_456_789),
        (date(2026, 6, 12), 1_781_222_400_000_000_000),
        (datetime(2026, 6, 12, 10), 1_781_258_400_000_000_000),
        (datetime(2026, 6, 12, 12, tzinfo=timezone(timedelta(hours=2))), 1_781_258_400_000_000_000),
        (np.datetime64("2026-06-12T10:00"), 1_781_258_400_000_000_000),
        (np.datetime64(7, "ns"), 7),
    ],
)
def test_instants_in_every_form(value: Any, ns: int) -> None:
    assert to_ns(value) == ns


@pytest.mark.parametrize("text", ["soon", "", "2026-13-01", "2026-06-12T25:00", "2026-06-12T10:00:00.1234567891"])
def test_text_that_is_no_instant_names_argument_rule_and_value(text: str) -> None:
    with pytest.raises(InvalidConfigError, match=rf"at must be ISO text such as .*, was '{re.escape(text)}'"):
        to_ns(text, name="at")


@pytest.mark.parametrize(
    "value", ["1500-01-01", "2300-01-01", datetime(9999, 1, 1), np.datetime64("3000-01-01"), 2**63, -(2**63)]
)
def test_instants_that_64_bits_do_not_hold_are_refused(value: Any) -> None:
    with pytest.raises(InvalidConfigError, match="ts must be a time that 64 bits of nanoseconds hold"):
        to_ns(value)


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match="at must be a time, was NaT"):
        to_ns(np.datetime64("NaT"), name="at")


def test_nanoseconds_of_a_datetime_that_has_them_count() -> None:
    class Stamp(datetime):  # as pandas.Timestamp is one
        nanosecond = 789

    assert to_ns(Stamp(2026, 6, 12, 10, 0, 0, 123_456)) == 1_781_258_400_123_456_789


@pytest.mark.parametrize("value", [True, 1.5, None, timedelta(1)])
def test_what_is_no_instant_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="ts must be int ns, ISO text, date, datetime or datetime64"):
        to_ns(value)


@given(st.integers(-(2**62), 2**62))
def test_numpy_writes_what_is_read(ns: int) -> None:
    assert to_ns(str(np.datetime64(ns, "ns"))) == ns == to_ns(np.datetime64(ns, "ns"))


# --- times of data as datetime64 ---


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_dates_of_any_unit_are_the_same_nanoseconds(unit: str) -> None:
    market = lq.simulate(days=0.02, trades_per_day=40_000)
    whole = market.trades.ts // 10**6 * 10**6
    dated = whole.view("M8[ns]").astype(f"M8[{unit}]")
    columns = (market.trades.price, market.trades.qty, market.trades.taker_sell)
    marks = market.marks.ts // 10**6 * 10**6
    expected = lq.heatmap(trades=(whole, *columns), marks=(marks, market.marks.price))
    shown = types.SimpleNamespace(ts=dated, price=columns[0], qty=columns[1], taker_sell=columns[2])
    for trades in ((dated, *columns), shown, lq.TradeBatch(dated, *columns)):
        hm = lq.heatmap(trades=trades, marks=(marks.view("M8[ns]").astype(f"M8[{unit}]"), market.marks.price))
        np.testing.assert_array_equal(hm.values, expected.values)
        np.testing.assert_array_equal(hm.times, expected.times)
    bars = lq.features((dated, *columns), "5m")
    np.testing.assert_array_equal(bars.values, lq.features((whole, *columns), "5m").values)


def test_dates_that_nanoseconds_cannot_tell_are_refused() -> None:
    far = np.array(["2400-01-01"], "M8[s]")
    with pytest.raises(lq.DataError, match="ts must lie between the years 1678 and 2261"):
        lq.TradeBatch(far, np.ones(1), np.ones(1), np.zeros(1, np.bool_))
