"""Pixels of pictures: pooling, places on the colour scale and codes of 16 bits equal a slow reference, bit for bit."""

import math
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

import reference_pictures as reference
from liqcore import _core
from liqcore.render.raster import PixelCells, colour_index, pool_columns, pool_rows
from liqcore.tables.packed import pack

Floats = NDArray[np.float32]
ODD = st.sampled_from([0.0, -0.0, -1.0, math.nan, math.inf, -math.inf, 1e-45, 1e-38, 3.4028234663852886e38])
CELLS = st.one_of(ODD, st.floats(0, 1e7, width=32), st.integers(0, 3).map(float))


@st.composite
def cells(draw: st.DrawFn, shape: tuple[int, int]) -> Floats:
    """Cells as they may lie in memory: side by side, some rows of more, every other column, from the last one back."""
    columns, rows = shape
    whole = draw(hnp.arrays(np.float32, (columns, rows), elements=CELLS))
    match draw(st.sampled_from(["whole", "rows", "columns", "backwards", "fortran", "spread"])):
        case "rows":
            return np.pad(whole, ((0, 0), (2, 3)))[:, 2 : 2 + rows]
        case "columns":
            return np.repeat(whole, 2, axis=0)[::2]
        case "backwards":
            return np.ascontiguousarray(whole[::-1])[::-1]
        case "fortran":
            return np.asfortranarray(whole)
        case "spread":
            return np.repeat(whole, 2, axis=1)[:, ::2]
    return whole


def spans(most: int, count: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Cells of some pixels: any, also none, also the same ones twice."""
    return st.lists(st.tuples(st.integers(0, most), st.integers(0, most)), min_size=count, max_size=count)


def pixels_of(of: list[tuple[int, int]]) -> PixelCells:
    pairs = np.array(of, np.int64).reshape(-1, 2)
    return PixelCells(pairs[:, 0].copy(), pairs[:, 1].copy())


@settings(deadline=None)  # a busy machine is not a failure
@given(st.data())
def test_pooling_equals_the_reference(data: st.DataObject) -> None:
    columns, rows = data.draw(st.tuples(st.integers(0, 9), st.integers(0, 9)))
    long = data.draw(cells((columns, rows)))
    short = data.draw(st.none() | cells((columns, rows)))
    across = data.draw(spans(columns, data.draw(st.integers(0, 5))))
    down = data.draw(spans(rows, data.draw(st.integers(0, 5))))
    block = data.draw(st.integers(1, 10))
    largest = np.zeros((len(across), rows), np.float32)
    for begin in range(0, columns, block):  # whatever the blocks
        part = slice(begin, begin + block)
        pool_columns(long[part], None if short is None else short[part], begin, pixels_of(across), largest)
    got = pool_rows(largest, pixels_of(down))
    expected = reference.pooled(long.tolist(), None if short is None else short.tolist(), across, down)
    np.testing.assert_array_equal(got, np.array(expected, np.float32).reshape(got.shape))
    assert not np.signbit(got).any()


@settings(deadline=None)
@given(
    values=hnp.arrays(np.float32, hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=40), elements=CELLS),
    maximum=st.one_of(st.floats(1e-3, 1e7), st.sampled_from([1e-45, 1e-300, 3e38, 1e300])),
    scale=st.sampled_from(["sqrt", "linear", "log"]),
    cut=st.one_of(st.just(0.0), st.floats(0, 2e7), st.sampled_from([-1.0, 1e-45, 1e39])),
)
def test_entries_equal_the_reference(values: Floats, maximum: float, scale: str, cut: float) -> None:
    got = colour_index(values, maximum, scale, cut)
    expected = [reference.entry(value, maximum, scale, cut) for value in values.ravel().tolist()]
    assert got.dtype == np.uint8
    assert got.shape == values.shape
    assert got.ravel().tolist() == expected


@pytest.mark.parametrize("scale", ["sqrt", "linear", "log"])
@pytest.mark.parametrize("cut", [0.0, 12.5])
def test_entries_equal_the_reference_along_a_whole_scale(scale: str, cut: float) -> None:
    values = np.concatenate(
        [np.linspace(0, 110, 2_001), np.geomspace(1e-4, 110, 4_001), cut + np.geomspace(1e-4, 99, 4_001)]
    )
    values = values.astype(np.float32)
    got = colour_index(values, 100.0, scale, cut)
    assert got.tolist() == [reference.entry(value, 100.0, scale, cut) for value in values.tolist()]
    assert set(got.tolist()) >= set(range(2, 256))


@settings(deadline=None)
@given(st.data())
def test_codes_equal_the_reference(data: st.DataObject) -> None:
    columns, rows = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 30)))
    values = data.draw(cells((columns, rows)))
    tops, codes = pack(values)
    for column, top, row in zip(values.tolist(), tops.tolist(), codes.tolist(), strict=True):
        assert (top, row) == reference.codes(column)


FIRST, STOP = np.array([0]), np.array([1])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda a: _core.pool_rows(a.astype(float), FIRST, STOP), TypeError, "largest .* float32 .* was float64"),
        (lambda a: _core.pool_rows(a[0], FIRST, STOP), ValueError, "two dimensions"),
        (lambda a: _core.pool_rows(a[:, ::2], FIRST, STOP), TypeError, "side by side"),
        (lambda a: _core.pool_rows(a, FIRST, np.array([4])), ValueError, r"0 to 3 \(rows\), were 0 and 4"),
        (lambda a: _core.pool_rows(a, np.array([-1]), STOP), ValueError, r"0 to 3 \(rows\), were -1 and 1"),
        (lambda a: _core.pool_rows(a, FIRST, np.array([1, 2])), ValueError, "one length, had 1 and 2"),
        (lambda a: _core.pool_rows(a, FIRST.astype(np.int32), STOP), TypeError, "first .* int64 .* was int32"),
        (lambda a: _core.pool_columns(a, a[:1], 0, FIRST, STOP, a[:1]), ValueError, "other must have the shape"),
        (lambda a: _core.pool_columns(a, None, -1, FIRST, STOP, a[:1]), ValueError, "begin .* was -1"),
        (lambda a: _core.pool_columns(a, None, 0, FIRST, STOP, a), ValueError, "largest must have the shape"),
        (lambda a: _core.pool_columns(a, None, 0, FIRST, STOP, frozen(a[:1])), ValueError, "writable"),
        (lambda a: _core.colour_entries(a.T, 1.0, "sqrt", 0.0), TypeError, "C-contiguous"),
        (lambda a: _core.colour_entries(a, 0.0, "sqrt", 0.0), ValueError, "maximum must be above 0, was 0"),
        (lambda a: _core.colour_entries(a, math.nan, "sqrt", 0.0), ValueError, "maximum must be above 0, was nan"),
        (lambda a: _core.colour_entries(a, 1.0, "cubic", 0.0), ValueError, "scale must be .* was cubic"),
        (lambda a: _core.colour_entries(a, 1.0, "sqrt", math.nan), ValueError, "cut must be a number, was nan"),
        (lambda a: _core.pack_cells(a.T), TypeError, "side by side"),
    ],
)
def test_what_would_read_or_write_elsewhere_is_refused(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call(np.ones((2, 3), np.float32))


def frozen(array: Floats) -> Floats:
    out = array.copy()
    out.setflags(write=False)
    return out


MANY = np.ones((1_000, 2_000), np.float32)
ACROSS = pixels_of([(0, 1_000)] * 20)


@pytest.mark.parametrize(
    "call",
    [
        lambda: pool_columns(MANY, MANY, 0, ACROSS, np.zeros((20, 2_000), np.float32)),
        lambda: pool_rows(MANY, ACROSS),
        lambda: colour_index(MANY, 2.0, "log"),
        lambda: pack(MANY),
    ],
)
def test_other_threads_go_on_while_pixels_are_made(call: Any) -> None:
    """Where no thread is made to give way, one that is still at work when another one runs has let go of the lock."""
    ends = time.monotonic() + 60
    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)
    try:
        while True:
            begun, ended = threading.Event(), threading.Event()

            def work(begun: threading.Event = begun, ended: threading.Event = ended) -> None:
                begun.set()
                call()
                ended.set()

            thread = threading.Thread(target=work)
            thread.start()
            begun.wait()
            seen = not ended.is_set()
            thread.join()
            if seen:
                return
            assert time.monotonic() < ends
    finally:
        sys.setswitchinterval(interval)
