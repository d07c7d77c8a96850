"""Files made at random in layouts and dialects that people have: what is read is what was written, or refused."""

import random
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dialects
import liqcore as lq
from dialects import MS, File
from liqcore.errors import DataError
from liqcore.tables.decimals import to_doubles

# A tenth of what `make soak` makes of each kind: it runs ten rounds and more.
files = settings(max_examples=20, deadline=None)
seeds = st.integers(0, 2**48)


def write(folder: str, file: File) -> Path:
    path = Path(folder) / file.name
    path.write_bytes(file.content)
    return path


def floats(texts: list[str]) -> list[float]:
    return [float(text) for text in texts]


@pytest.mark.parametrize(
    "make", [dialects.own_trades, dialects.venue_trades, dialects.signed_trades, dialects.scaled_trades]
)
@files
@given(seed=seeds)
def test_trades(make: Callable[[random.Random], tuple[File, dialects.Trades]], seed: int) -> None:
    file, written = make(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        try:
            batches = list(lq.read_trades(write(folder, file)))
        except DataError:
            assert file.may_refuse, file.traits
            return
    (batch,) = batches
    assert batch.ts.tolist() == [int(Fraction(ms) * MS) for ms in written.ts_ms], file.traits
    assert batch.price.tolist() == floats(written.price), file.traits
    assert batch.qty.tolist() == floats(written.qty), file.traits
    assert batch.taker_sell.tolist() == written.sell, file.traits


@pytest.mark.parametrize("make", [dialects.unnamed_candles, dialects.named_candles])
@files
@given(seed=seeds)
def test_candles(make: Callable[[random.Random], tuple[File, dialects.Candles]], seed: int) -> None:
    file, written = make(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        try:
            candles = lq.read_candles(write(folder, file))
        except DataError:
            assert file.may_refuse, file.traits
            return
    assert candles.ts_open.tolist() == [ts * 10**9 for ts in written.ts_s], file.traits
    assert candles.interval_ns == written.step * 10**9, file.traits
    for name in ("open", "high", "low", "close", "volume"):
        assert getattr(candles, name).tolist() == floats(getattr(written, name)), (name, file.traits)


@files
@given(seed=seeds)
def test_volumes_of_candles_are_no_turnover(seed: int) -> None:
    file, written, bought, turnover = dialects.candles_with_units(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        path = write(folder, file)
        if turnover or file.may_refuse:
            with pytest.raises(DataError, match=r"turnover|which have nothing to do with"):
                lq.read_candles(path)
            return
        candles = lq.read_candles(path)
    assert candles.volume is not None
    assert candles.volume.tolist() == floats(written.volume), file.traits
    assert (candles.buy_qty is None) == (bought is None), file.traits
    if bought is not None and candles.buy_qty is not None and candles.sell_qty is not None:
        assert candles.buy_qty.tolist() == floats(bought), file.traits
        assert np.allclose(candles.buy_qty + candles.sell_qty, candles.volume, rtol=0, atol=1e-9), file.traits


@files
@given(seed=seeds)
def test_open_interest(seed: int) -> None:
    file, ts, values = dialects.samples(random.Random(seed), ["open_interest", "OI", "Open Interest"])
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = lq.read_open_interest(write(folder, file))
        except DataError:
            assert file.may_refuse, file.traits
            return
    assert (found.ts // MS).tolist() == ts, file.traits
    assert found.quantity.tolist() == floats(values), file.traits


@files
@given(seed=seeds)
def test_mark_prices(seed: int) -> None:
    file, ts, values = dialects.samples(random.Random(seed), ["mark_price", "markPrice", "Mark Price", "mark"])
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = lq.read_marks(write(folder, file))
        except DataError:
            assert file.may_refuse, file.traits
            return
    assert (found.ts // MS).tolist() == ts, file.traits
    assert found.price.tolist() == floats(values), file.traits


@files
@given(seed=seeds)
def test_funding_rates(seed: int) -> None:
    file, ts, values = dialects.samples(random.Random(seed), ["funding_rate", "fundingRate", "Funding Rate"])
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = lq.read_funding(write(folder, file))
        except DataError:
            assert file.may_refuse, file.traits
            return
    assert (found.ts // MS).tolist() == ts, file.traits
    assert found.rate.tolist() == floats(values), file.traits


@settings(max_examples=200, deadline=None)
@given(
    numbers=st.lists(st.integers(-(2**120), 2**120) | st.integers(-(10**9), 10**9), max_size=30),
    scale=st.integers(0, 30),
    stored=st.sampled_from(["16", "any", "numbers"]),
)
def test_decimals_become_the_doubles_next_to_them(numbers: list[int], scale: int, stored: str) -> None:
    if stored == "numbers":
        numbers = [one % 2**62 for one in numbers]
        found = to_doubles(np.array(numbers, np.int64), scale)
    else:
        widths = [16 if stored == "16" else one.bit_length() // 8 + 1 for one in numbers]
        found = to_doubles([one.to_bytes(n, "big", signed=True) for one, n in zip(numbers, widths, strict=True)], scale)
    expected = [float(Fraction(one, 10**scale)) for one in numbers]
    np.testing.assert_array_equal(found, expected)
