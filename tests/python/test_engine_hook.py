"""What a column callback sees: the end of its window, however the engine is fed; and the state it saves there."""

import gc
import weakref

import numpy as np
import pytest

import liqcore as lq

NS = 1_000_000_000
MINUTE = 60 * NS
START = 1_750_000_020 * NS  # a whole minute
INST = lq.Instrument(symbol="X", venue="test", tick_size=0.5, lot_size=0.001, margin=lq.MarginSchedule.flat(0.004))


def engine(**options):
    return lq.Engine(INST, **({"leverage": {10: 0.5, 50: 0.5}, "half_life": None, "window": "1m"} | options))


def walk(n, hours, seed=3):
    rng = np.random.default_rng(seed)
    ts = START + np.sort(rng.integers(0, hours * 3600 * NS, n))
    price = np.round(2 * (40_000 + np.cumsum(rng.normal(0, 4, n)))) / 2
    return ts, price, rng.integers(1, 3000, n) / 1000, rng.random(n) < 0.5


def moments(eng, feed, folder):
    """Everything that a callback can read, window by window."""
    reader, out = lq.FeatureReader(), []

    def hook(segment):
        again = lq.Engine.load(eng.save(folder / "hook.liq")) if len(out) % 20 == 0 else None
        out.append(
            (
                np.nan_to_num(reader.read(eng), nan=-1.0).tolist(),
                eng.stats,
                eng.clock,
                eng.last_price,
                eng.levels("long").tolist(),
                eng.segments(),
                None if again is None else (again.segments(), again.stats, again.clock, again.levels("short").tolist()),
            )
        )
        assert eng.clock == segment.end_ns
        assert eng.heatmap().complete.tolist()[-1] is False

    eng.on_column(hook)
    feed(eng)
    return out


@pytest.mark.parametrize("options", [{}, {"half_life": "2h", "keep": 5}])
def test_the_moment_is_the_windows_end_for_any_batch_and_number_of_threads(options, tmp_path):
    columns = walk(3_000, 2)

    def in_batches(size):
        def feed(eng):
            for first in range(0, len(columns[0]), size):
                eng.trades(*(column[first : first + size] for column in columns))

        return feed

    def singly(eng):
        for row in zip(*(column.tolist() for column in columns), strict=True):
            eng.trade(*row)

    expected = moments(engine(**options), singly, tmp_path)
    assert len(expected) > 100
    for threads, size in [(1, 3_000), (1, 70), (2, 3_000)]:
        assert moments(engine(threads=threads, **options), in_batches(size), tmp_path) == expected


def test_threads_that_share_long_arrays_leave_the_callback_its_moment(tmp_path):
    columns = walk(150_000, 1, seed=4)
    one, two = (
        moments(engine(window="10m", threads=threads), lambda eng: eng.trades(*columns), tmp_path) for threads in (1, 2)
    )
    assert len(one) == 6
    assert one == two


def test_a_state_saved_in_the_callback_counts_its_window_once(tmp_path):
    eng = engine()
    eng.trade(START, 60_000.0, 100.0, False)
    eng.trade(START + NS, 58_000.0, 1.0, True)  # liquidates the 50x
    eng.on_column(lambda _: eng.save(tmp_path / "hook.liq"))
    eng.trade(START + MINUTE, 58_000.0, 1.0, True)
    eng.on_column(None)
    again = lq.Engine.load(tmp_path / "hook.liq")
    assert again.clock == START + MINUTE
    again.trade(START + MINUTE, 58_000.0, 1.0, True)
    for each in (eng, again):
        each.trade(START + 2 * MINUTE, 58_000.0, 1.0, True)
    assert again.segments() == eng.segments()
    assert again.stats == eng.stats
    assert (np.asarray(again.heatmap().liquidated) == np.asarray(eng.heatmap().liquidated)).all()


def test_a_callback_may_replace_and_remove_itself():
    eng, calls = engine(), []

    class Hook:
        def __init__(self, name, then):
            self.name, self.then = name, then

        def __call__(self, _):
            eng.on_column(self.then)
            gc.collect()
            calls.append(self.name)  # it lives until it returns

    first = Hook("first", Hook("second", None))
    alive = weakref.ref(first)
    eng.on_column(first)
    del first
    for minute in range(6):
        eng.trade(START + minute * MINUTE, 60_000.0, 1.0, False)
    assert calls == ["first", "second"]
    assert alive() is None


def test_what_is_raised_after_a_callback_replaced_itself_is_raised_once():
    eng = engine()

    def hook(_):
        eng.on_column(None)
        raise KeyError("mine")

    eng.on_column(hook)
    eng.trade(START, 60_000.0, 1.0, False)
    with pytest.raises(KeyError, match="mine"):
        eng.trade(START + MINUTE, 60_000.0, 1.0, False)
    assert eng.trade(START + 2 * MINUTE, 60_000.0, 1.0, False)


def test_polling_and_fractions_go_on_after_load(tmp_path):
    eng = engine(half_life={10: "2h", 50: "20m"}, keep=3, maker_share=0.25)
    columns = walk(2_000, 2, seed=5)
    half = len(columns[0]) // 2
    eng.trades(*(column[:half] for column in columns))
    again = lq.Engine.load(eng.save(tmp_path / "saved.liq"))
    assert again.to_bytes() == eng.to_bytes()
    for each in (eng, again):
        each.trades(*(column[half:] for column in columns))
    assert again.to_bytes() == eng.to_bytes()


def test_keep_has_a_limit():
    assert engine(keep=2**32).trade(START, 60_000.0, 1.0, False)
    with pytest.raises(lq.InvalidConfigError, match=r"keep must be at most 4294967296 \(leave it out to keep all\)"):
        engine(keep=2**64 - 1)


def test_flow_reconciled_agrees_to_rounding_for_any_split():
    """Trades are added to cells that a correction has left as fractions: reads end runs, and sums group otherwise."""
    columns = walk(3_000, 3, seed=6)
    samples = START + np.arange(1, 180, dtype=np.int64) * MINUTE
    open_interest = 300.0 + 40 * np.sin(np.arange(len(samples)) / 5)

    def fed(size):
        eng = engine(window="1h", reconciled=True)
        for first in range(0, len(columns[0]), size):
            part = tuple(column[first : first + size] for column in columns)
            begin = 0 if first == 0 else int(columns[0][first])
            end = int(columns[0][first + size]) if first + size < len(columns[0]) else 2**62
            of_part = (samples >= begin) & (samples < end)
            eng.feed(trades=part, open_interest=(samples[of_part], open_interest[of_part]))
        return eng

    whole = fed(len(columns[0]))
    assert whole.corrections["capped"].any()
    for size in (7, 500):
        parts = fed(size)
        for side in ("long", "short"):
            np.testing.assert_allclose(parts.levels(side), whole.levels(side), rtol=1e-12, atol=0)
