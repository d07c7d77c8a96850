"""Gaps in time: what many windows without an event leave, and what goes on in their midst."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import liqcore as lq
from drive import assert_same_columns, assert_same_now, make_engine, run_both, told
from streams import SECOND, Market, Setup, random_setup

slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


class Gapped(Market):
    """A market that is asleep for many windows at a time."""

    def time(self) -> int:
        if self.rng.random() < 0.15:
            self.clock += self.setup.window * self.rng.choice([2, 5, 40]) + self.rng.choice([0, 1, 7])
        return super().time()


def gapped_setup(rng: random.Random, model: str) -> Setup:
    """A setup with half-lives of some windows to some hundred, where the model has any."""
    setup = random_setup(rng, trigger=rng.choice(["last", "mark", "candle"]), model=model)
    if model == "none":
        return setup
    halves = [None, 3 * setup.window, 20 * setup.window, 300 * setup.window]
    return replace(setup, half_life={tier: rng.choice(halves) for tier in setup.tiers})


@given(rng=st.randoms(use_true_random=False), model=st.sampled_from(["flow", "none"]))
@settings(slow, max_examples=60)
def test_streams_with_gaps_call_by_call(rng: random.Random, model: str) -> None:
    setup = gapped_setup(rng, model)
    steps = Gapped(rng, setup, "trades").steps(rng.randint(1, 25), 4)
    note(f"{setup}\n{steps}")
    run_both(setup, steps, every_step=True)


@given(rng=st.randoms(use_true_random=False), model=st.sampled_from(["flow", "none"]))
@settings(slow, max_examples=40)
def test_an_engine_saved_in_a_gap_goes_on_to_the_same_bits(
    rng: random.Random, model: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    setup = gapped_setup(rng, model)
    engine, ref = make_engine(setup), setup.reference()
    for _ in told(engine, ref, Gapped(rng, setup, "trades").steps(rng.randint(2, 15), 6)):
        pass
    if ref.tie or engine.began is None:
        return
    for windows in (rng.randint(1, 50), rng.randint(1, 50)):
        path = tmp_path_factory.mktemp("gap") / "engine.parquet"
        engine.save(path)
        loaded = lq.Engine.load(path)
        assert ref.clock is not None
        to = ref.clock + windows * setup.window
        for each in (engine, loaded, ref):
            each.advance(to)
        if ref.tie:
            return
        assert_same_now(engine, ref)
        assert loaded.segments() == engine.segments()
        for side in ("long", "short"):
            assert np.array_equal(loaded.levels_lots(side), engine.levels_lots(side))
        engine = loaded
    assert_same_columns(engine, ref)


def test_a_million_windows_are_a_million_products() -> None:
    half_life = {2.0: 3_000_000 * SECOND, 10.0: None, 50.0: 100_000 * SECOND}
    setup = Setup(tiers=(2.0, 10.0, 50.0), window=SECOND, half_life=half_life)
    engine = make_engine(setup)
    engine.trade(5, 1_000.0, 10_000.0, False)
    engine.trade(SECOND, 1_000.0, 100.0, False)
    engine.advance(2 * SECOND)
    before = [row[row > 0.0].tolist() for row in engine.levels_lots("long")]
    engine.advance(1_000_002 * SECOND)
    after = [row[row > 0.0].tolist() for row in engine.levels_lots("long")]
    assert [len(row) for row in before] == [1, 1, 1]
    for tier, lots, left in zip(setup.tiers, before, after, strict=True):
        half = half_life[tier]
        factor = 1.0 if half is None else 2.0 ** (-SECOND / half)
        (expected,) = lots
        for _ in range(1_000_000):
            expected *= factor
        assert left == pytest.approx([expected], rel=1e-12, abs=0)
    engine.advance(2_000_000 * SECOND)  # below half a lot at the highest leverage
    assert not engine.levels_lots("long")[2].any()
    assert engine.stats.closed[0, 2] == pytest.approx(10_100.0, rel=1e-12)


def test_a_saved_gap_is_a_few_rows(tmp_path: Path) -> None:
    setup = Setup(tiers=(2.0, 10.0), window=SECOND, half_life={2.0: 10**7 * SECOND, 10.0: None})
    engine = make_engine(setup)
    engine.trade(5, 1_000.0, 10_000.0, False)
    engine.advance(1_000_000 * SECOND)
    history = engine._history(True)[0]
    assert history is not None
    assert len(history) == 1_000_001
    assert len(history.to_rows()["time"]) < 50
    engine.save(tmp_path / "engine.parquet")
    assert (tmp_path / "engine.parquet").stat().st_size < 20_000
    assert lq.Engine.load(tmp_path / "engine.parquet").stats == engine.stats
