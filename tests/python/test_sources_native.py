"""The native parser as Python calls it: checked arguments, one truth for sides and ids."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from liqcore import _core

AGG = {"time_column": 5, "price_column": 1, "qty_column": 2, "side_column": 6, "id_column": 0}


def arrays(rows: int) -> list[np.ndarray]:
    return [np.zeros(rows, kind) for kind in (np.int64, np.float64, np.float64, np.bool_, np.int64)]


@given(st.binary(max_size=400))
def test_any_bytes_are_accounted_for(data: bytes) -> None:
    counts = _core.parse_trades(data, *arrays(_core.count_lines(data)), **AGG)
    unreadable = (
        counts.unreadable_row
        + counts.unreadable_time
        + counts.unreadable_price
        + counts.unreadable_quantity
        + counts.unreadable_side
    )
    others = counts.not_finite + counts.not_positive + counts.unknown_side + counts.other_symbol
    assert counts.rows == counts.used + unreadable + others
    assert counts.rows <= _core.count_lines(data)


@given(st.decimals(min_value=0, max_value=10**9, places=8), st.integers(min_value=10**11, max_value=9 * 10**12))
def test_prices_and_times_are_exact(price: object, ts: int) -> None:
    data = f"1,{price:f},1,1,1,{ts},true".encode()
    out = arrays(1)
    counts = _core.parse_trades(data, *out, **AGG)
    if float(f"{price:f}") > 0:
        assert counts.used == 1
        assert out[1][0] == float(f"{price:f}")
        assert out[0][0] == ts * 1_000_000
        text = f"{price:f}".rstrip("0")
        assert counts.price_decimals == len(text) - text.index(".") - 1
    else:
        assert counts.not_positive == 1


def test_a_wrong_dtype_or_layout_is_an_error() -> None:
    good = arrays(1)
    for place, wrong in ((0, np.zeros(1, np.int32)), (1, np.zeros(1, np.float32)), (2, np.zeros(2)[::2])):
        columns = list(good)
        columns[place] = wrong
        if place == 2:
            columns[place] = np.zeros((2, 2))[:, 0]
        with pytest.raises(TypeError):
            _core.parse_trades(b"1\n", *columns, **AGG)
    with pytest.raises(ValueError, match="ts must be one-dimensional and hold at least 2 entries"):
        _core.parse_trades(b"1\n2\n", *good, **AGG)
    with pytest.raises(ValueError, match="price_column must be at least 0, was -1"):
        _core.parse_trades(b"1\n", *good, **{**AGG, "price_column": -1})
    with pytest.raises(ValueError, match="contiguous bytes"):
        _core.parse_trades(memoryview(b"1\n2\n")[::2], *good, **AGG)


def test_sides_and_ids_one_at_a_time() -> None:
    assert [_core.parse_side(word) for word in ("False", "True", "Buy", "SELL", "", "x")] == [0, 1, 0, 1, 2, 3]
    assert _core.parse_side("False", side_code="true_is_buy") == 1
    assert [_core.parse_side(word, side_code="one_is_sell_two_is_buy") for word in "120"] == [1, 0, 2]
    assert [_core.parse_side(word, side_code="one_is_buy_two_is_sell") for word in "120"] == [0, 1, 2]
    assert [_core.parse_side(word) for word in ("2", "bid", "买入", "SELLER", "N")] == [3, 3, 0, 1, 2]
    with pytest.raises(ValueError, match="side_code must be true_is_sell"):
        _core.parse_side("1", side_code="x")
    assert _core.parse_side("true", side_code="true_is_buy") == 0
    assert _core.parse_id("12") == 12
    assert _core.parse_id("") == _core.NO_ID
    assert _core.parse_id("ab") < 0


def test_finest_decimals() -> None:
    assert _core.finest_decimals(np.array([1.5, 2.25, np.nan])) == 2


class TestCheckTrades:
    def test_what_it_says(self) -> None:
        check = _core.check_trades(np.array([5, 5, 9]), np.array([1.5, 2.0, 2.25]), np.array([1.0, 2.0, 0.125]))
        assert (check.usable, check.in_order, check.low, check.high) == (True, True, 5, 9)
        assert (check.price_decimals, check.qty_decimals) == (2, 3)

    @given(
        st.lists(
            st.tuples(
                st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3),
                st.floats(width=64) | st.sampled_from([1.0, 0.25, -0.0]),
                st.floats(width=64) | st.sampled_from([1.0, 0.25, 5e-324]),
            ),
            max_size=40,
        ),
        st.integers(0, 1500),
    )
    def test_it_says_what_numpy_says(self, rows: list[tuple[int, float, float]], good: int) -> None:
        rows = [(0, 1.0, 1.0)] * good + rows  # so that the odd ones stand in any block
        ts = np.array([row[0] for row in rows], np.int64)
        price, qty = (np.array([row[i] for row in rows], np.float64) for i in (1, 2))
        check = _core.check_trades(ts, price, qty)
        assert check.in_order == bool(np.all(ts[1:] >= ts[:-1]))
        assert check.usable == bool(np.all(np.isfinite(price) & (price > 0) & np.isfinite(qty) & (qty > 0)))
        assert (check.low, check.high) == ((ts.min(), ts.max()) if rows else (0, 0))
        if check.usable:
            assert check.price_decimals == _core.finest_decimals(price) == reference_decimals(price)
            assert check.qty_decimals == _core.finest_decimals(qty) == reference_decimals(qty)

    @pytest.mark.parametrize(
        ("columns", "error"),
        [
            ((np.array([1]), np.array([1.0]), np.array([1.0, 2.0])), ValueError),
            ((np.array([1.0]), np.array([1.0]), np.array([1.0])), TypeError),
            ((np.array([1]), np.array([1], np.float32), np.array([1.0])), TypeError),
            ((np.arange(4)[::2], np.ones(2), np.ones(2)), TypeError),
        ],
    )
    def test_nothing_is_converted(self, columns: tuple[Any, Any, Any], error: type[Exception]) -> None:
        with pytest.raises(error):
            _core.check_trades(*columns)


def reference_decimals(values: NDArray[np.float64]) -> int:
    """One value and one number of digits after the other."""
    most = 0
    for value in values[np.isfinite(values)].tolist():
        for decimals in range(15):
            scaled = value * 10.0**decimals
            if abs(scaled) >= 2.0**51 or round(scaled) / 10.0**decimals == value:
                break
        else:
            decimals = 15
        most = max(most, decimals)
    return most


@given(st.lists(st.floats(width=64) | st.integers(-(10**9), 10**9).map(lambda n: n / 1e4), max_size=30))
def test_finest_decimals_of_anything(values: list[float]) -> None:
    array = np.array(values, np.float64)
    assert _core.finest_decimals(array) == reference_decimals(array)
