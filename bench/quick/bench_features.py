"""Features: one read of a live engine, and the rows of all bars of a day; the input is that of bench/features.py."""

from __future__ import annotations

import numpy as np
import pytest

import features
import liqcore as lq
from features import INSTRUMENT, REACHES, Columns, Floats
from timed import Timed

ON = f"{features.TRADES:,} trades of a walk over a day"


@pytest.fixture(scope="module")
def day() -> Columns:
    return features.day()


@pytest.fixture(scope="module")
def engine(day: Columns) -> lq.Engine:
    fed = lq.Engine(INSTRUMENT, window="1m")
    fed.trades(*day)
    return fed


@pytest.mark.benchmark(group="features: one read")
def test_feature_reader_read(timed: Timed, engine: lq.Engine) -> None:
    """All 22 into a given row; numpy on `Engine.levels` has to say the same, but for what was liquidated."""
    reader = lq.FeatureReader(reaches=REACHES)
    row = np.empty(len(reader))
    shared = [i for i, name in enumerate(reader.names) if not name.startswith("liquidated")]
    expected = features.by_numpy(engine)

    def check(got: Floats) -> None:
        np.testing.assert_allclose(got[shared], expected, rtol=1e-9)
        row[:] = np.nan  # the next one has to be written again

    timed(lambda: reader.read(engine, row), check, event="read", on=ON)


@pytest.mark.benchmark(group="features: 1,439 bars of a million trades")
def test_features_of_a_day_of_minutes(timed: Timed, day: Columns) -> None:
    """Trades of a day in, a row a minute out; an engine fed and read bar by bar has to say the same bits."""
    expected = features.fed_by_bar(day, lq.FeatureReader(reaches=REACHES))

    def check(got: Floats) -> None:
        np.testing.assert_array_equal(got, expected)

    timed(lambda: lq.features(day, "1m", instrument=INSTRUMENT).values, check, of=len(expected), event="bar", on=ON)
