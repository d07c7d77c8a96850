"""Frames of the websocket: what is packed comes back, within what is promised; damaged ones are refused."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

pytest.importorskip("msgspec")

from liqcore.errors import DataError
from liqcore.server.wire import Mirror, decode, encode, pack, unpack

CELLS = st.one_of(st.just(0.0), st.floats(np.float32(1e-30).item(), np.float32(1e30).item(), width=32))
PROMISED = 0.000_14
SPAN = 58_000_000


@given(
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=12), elements=CELLS),
)
def test_cells_in_16_bits_come_back_within_their_bound(values: NDArray[np.float32]) -> None:
    tops, codes = pack(values)
    back = unpack(tops, codes).astype(np.float64)
    np.testing.assert_array_equal(back == 0, values == 0)
    np.testing.assert_array_equal(back.max(axis=1, initial=0), values.max(axis=1, initial=0))
    exact = values.astype(np.float64)
    least = tops[:, None].astype(np.float64) / SPAN
    assert (np.abs(back - exact) <= np.where(exact >= least, PROMISED * exact, least)).all()


def test_every_code_lies_within_half_a_step_of_the_next() -> None:
    """The bound is that of all values between neighbours: halfway between codes is the worst."""
    codes = np.arange(1, 65_536, dtype=np.uint16)[None]
    values = unpack(np.ones(1, np.float32), codes).astype(np.float64)
    middle = np.sqrt(values[:, 1:] * values[:, :-1])
    assert (values[:, 1:] / middle - 1).max() < PROMISED
    assert 1 / values[0, 0] > SPAN


ARRAYS = st.dictionaries(
    st.sampled_from(["times", "prices", "long", "tops", "short"]),
    st.sampled_from(["int64", "float64", "float32", "uint16"]).flatmap(
        lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=5))
    ),
)


@given(st.dictionaries(st.text(max_size=5), st.integers(-(1 << 53), 1 << 53) | st.text(max_size=20)), ARRAYS)
def test_a_frame_gives_back_its_header_and_arrays(
    said: dict[str, object], arrays: dict[str, NDArray[np.int64]]
) -> None:
    said.pop("arrays", None)
    header, found = decode(encode(said, arrays))
    assert header == said
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert found[name].ctypes.data % array.dtype.itemsize == 0


def test_arrays_begin_where_a_browser_can_look_at_them_without_copying() -> None:
    data = zlib.decompress(encode({"kind": "x"}, {"a": np.ones(3, np.uint16), "b": np.ones(2, np.int64)}))
    length = int.from_bytes(data[:4], "little")
    assert (4 + length) % 8 == 0
    assert np.frombuffer(data, "<i8", 2, 4 + length + 8).tolist() == [1, 1]


@given(st.data())
def test_damaged_frames_are_refused(data: st.DataObject) -> None:
    whole = encode({"kind": "full", "number": 1}, {"times": np.arange(5)})
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    for damaged in (whole[:at], flipped, whole + b"x"):
        with pytest.raises(DataError, match="expected a frame of liqcore"):
            decode(damaged)


@pytest.mark.parametrize(
    "said",
    [b"[]", b"{}", b'{"arrays":{"a":{"type":"object","shape":[1],"at":0}}}', b'{"arrays":{"a":{"type":"int64"}}}',
     b'{"arrays":{"a":{"type":"int64","shape":[9],"at":0}}}', b'{"arrays":[1]}'],
)  # fmt: skip
def test_headers_that_lie_are_refused(said: bytes) -> None:
    with pytest.raises(DataError):
        decode(zlib.compress(len(said).to_bytes(4, "little") + said))


def test_a_client_without_the_frame_before_says_so() -> None:
    mirror = Mirror()
    assert not mirror.take(encode({"kind": "columns", "number": 5, "after": 4}))
    assert mirror.take(encode({"kind": "full", "number": 5, "said": {"gaps": []}, "news": [], "after": None}))
    assert mirror.number == 5
    assert not mirror.take(encode({"kind": "state", "number": 8, "after": 6}))
    assert mirror.take(encode({"kind": "state", "number": 5, "after": 3}))  # an old one changes nothing
    assert mirror.number == 5
