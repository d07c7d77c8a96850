"""A market's engine stands where the batch stands, however its frames come; what it tells, it tells once."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("mcap")
pytest.importorskip("msgspec")

import liqcore as lq
from liqcore.config import Config
from liqcore.errors import DataError, InvalidConfigError
from liqcore.feeds.events import Change, Frame, Liquidation, Market, State
from liqcore.feeds.frames import changed, replayed
from liqcore.live.board import Board
from liqcore.live.disk import Disk
from liqcore.live.happened import Column, FileSink, Hooks, QueueSink, ZoneNews
from liqcore.live.journal import Journal
from liqcore.live.market import MarketEngine
from liqcore.live.pipeline import Follower, Recorder
from markets import BTC, HOUR, StillClock, frames, trades

SECOND = 1_000_000_000
TRADES = trades(3000, seed=3)
FRAMES = frames(TRADES)
CONFIG = Config().replace(window={"length": "5m"})


def engine_of(given: list[Frame], together: int = 50, **options: Any) -> MarketEngine:
    market = MarketEngine(BTC, CONFIG, **options)
    for at in range(0, len(given), together):
        market.take(given[at : at + together])
    return market


def state(name: State, ts: int, **span: Any) -> Frame:
    return changed(Change(BTC, "trades", name, ts, **span), ts)


def test_it_stands_where_a_heatmap_of_the_same_trades_does() -> None:
    market = engine_of(FRAMES)
    market.finish()
    assert market.engine is not None
    batch = lq.heatmap(trades=TRADES, venue="binance-usdm", symbol="BTCUSDT", window="5m")
    live = market.engine.heatmap(step=batch.meta["config"]["axis"]["step"])
    np.testing.assert_array_equal(live.values, batch.values)
    np.testing.assert_array_equal(live.times, batch.times)
    assert market.state.counts == {"trades": 3000}
    assert live.meta["instrument"] == batch.meta["instrument"]


WHOLE = engine_of(FRAMES).save()


@given(st.lists(st.integers(1, 200), min_size=1, max_size=20))
@settings(max_examples=15, deadline=None)
def test_any_division_into_calls_gives_the_same_bytes(sizes: list[int]) -> None:
    market = MarketEngine(BTC, CONFIG)
    at = 0
    while at < len(FRAMES):
        size = sizes[at % len(sizes)]
        market.take(FRAMES[at : at + size])
        at += size
    assert market.save() == WHOLE


@given(st.integers(0, len(FRAMES)))
@settings(max_examples=15, deadline=None)
def test_it_goes_on_from_a_checkpoint_bit_for_bit(at: int) -> None:
    saved = engine_of(FRAMES[:at]).save()
    assert saved is not None
    market = MarketEngine(BTC, CONFIG)
    assert market.load(saved)
    assert market.frames == at
    market.take(FRAMES[at:])
    assert market.save() == WHOLE


@pytest.mark.parametrize("seed", range(3))
def test_repeats_and_trades_that_fill_a_hole_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    begin = chance.randrange(50, 400)
    end = begin + chance.randrange(1, 100)
    ts = FRAMES[end].received
    mixed = [
        *FRAMES[:begin],
        state("connecting", ts),
        state("filling", ts, since=FRAMES[begin - 1].received),
        *FRAMES[end : end + 20],
        *FRAMES[begin - 10 : end + 5],  # asked for: more than was missing
        state("gap filled", ts, since=FRAMES[begin - 1].received, until=ts),
        state("live", ts),
        *FRAMES[end + 20 :],
    ]
    gaps: list[Change] = []
    market = engine_of(mixed, sinks=[Hooks(on_gap=gaps.append)])
    whole = engine_of(FRAMES)
    assert market.engine is not None
    assert whole.engine is not None
    assert market.engine.to_bytes() == whole.engine.to_bytes()
    assert market.state.line.repeats >= 15
    assert [gap.state for gap in gaps] == ["filling", "gap filled"]


def test_a_hole_that_stays_open_is_told_and_gone_on_behind() -> None:
    ts = FRAMES[200].received
    holes = [
        state("filling", ts, since=FRAMES[99].received),
        state("gap open", ts, since=1, until=2, first=501, last=1000),
    ]
    market = engine_of([*FRAMES[:100], *FRAMES[200:210], *holes, *FRAMES[210:]])
    market.finish()
    assert market.engine is not None
    assert market.engine.stats.used == 2500
    assert [hole.state for hole in market.state.holes] == ["filling", "gap open"]
    assert market.state.states["trades"].state == "gap open"


def test_events_that_come_late_are_raised_or_left_out_and_counted() -> None:
    base = TRADES.ts[0]
    rows = [
        (int(base) + second * SECOND, 63_000.0, 1.0, False, f"t{second}") for second in (0, 10, 9, 300, 295, 100, 301)
    ]
    market = MarketEngine(BTC, CONFIG)
    market.take([replayed(BTC, row[0], [row]) for row in rows])  # ids are text: nothing tells of holes
    assert market.engine is None or market.engine.stats.used >= 0
    assert {what: market.state.counts.get(what) for what in ("raised", "late")} == {"raised": 1, "late": 1}


def test_a_time_far_ahead_is_not_believed() -> None:
    far = replayed(BTC, FRAMES[100].received, [(FRAMES[100].received + 48 * HOUR, 63_000.0, 1.0, True, 501)])
    market = engine_of([*FRAMES[:100], far, *frames(TRADES, first=2)[100:]])
    assert market.state.counts["of the future"] == 1
    assert market.state.latest == TRADES.ts[-1]


def liquidation(ts: int, side: str, qty: str, price: str) -> Frame:
    order = {"s": "BTCUSDT", "S": "SELL" if side == "long" else "BUY", "ap": price, "z": qty, "T": ts // 1_000_000}
    body = json.dumps({"stream": "btcusdt@forceOrder", "data": {"e": "forceOrder", "o": order}})
    return Frame(ts + 1, "binance-usdm", "market", body.encode())


def test_realised_liquidations_are_kept_by_window_and_side() -> None:
    window = 300 * SECOND
    start = int(TRADES.ts[0]) // window * window + window
    told = [
        liquidation(start + SECOND, "long", "2", "60000"),
        liquidation(start + 2 * SECOND, "short", "1.5", "62000"),
        liquidation(start + window, "long", "0.5", "61000"),
    ]
    news: list[Liquidation] = []
    market = engine_of([*FRAMES, *told], sinks=[Hooks(on_liquidation=news.append)])
    starts = np.array([start, start + window, start + 2 * window])
    assert Board(market).realised(starts).tolist() == [[120_000.0, 93_000.0], [30_500.0, 0.0], [0.0, 0.0]]
    columns = np.array([start - start % (4 * window), start - start % (4 * window) + 4 * window])
    totals = Board(market).realised_in(columns, 4 * window)
    assert totals.sum(axis=0).tolist() == [150_500.0, 93_000.0]
    year = 365 * 86_400 * SECOND  # a column of fifty of them is no more to look at than the market has
    begin = start // (50 * year) * 50 * year
    assert Board(market).realised_in(np.array([begin]), 50 * year).tolist() == [[150_500.0, 93_000.0]]
    assert market.state.realised[start] == (2.0, 1.5, 120_000.0, 93_000.0)
    assert not Board(market).realised_complete  # one a second at most is pushed
    assert [one.side for one in news] == ["long", "short", "long"]
    again = MarketEngine(BTC, CONFIG)
    saved = market.save()
    assert saved is not None
    assert again.load(saved)
    assert Board(again).realised(starts).tolist() == Board(market).realised(starts).tolist()


def test_columns_are_told_once_with_what_the_heatmap_says() -> None:
    columns: list[Column] = []
    market = engine_of(FRAMES, sinks=[Hooks(on_column=columns.append)])
    assert market.engine is not None
    heatmap = market.engine.heatmap()
    closed = len(heatmap.times) - 1
    assert [column.start for column in columns] == heatmap.times[:closed].view(np.int64).tolist()
    history, _ = market.engine._history(False)
    assert history is not None
    assert [column.close for column in columns] == pytest.approx(history.candles()[:, 3], rel=1e-12)
    assert [column.bought for column in columns] == pytest.approx(history.candles()[:, 4])
    assert market.book is not None
    assert market.book.publisher.row().sequence == closed + 1


def test_zones_are_told_as_approached_and_swept() -> None:
    config = CONFIG.replace(live={"approach": 5.0}, leverage={"shares": {"100": 0.5, "50": 0.5}})
    price = np.concatenate([np.full(200, 60_000.0), np.linspace(60_000, 58_000, 200).round(1)])
    count = len(price)
    batch = lq.TradeBatch(
        TRADES.ts[0] + np.arange(count) * 30 * SECOND, price, np.full(count, 1.0), np.zeros(count, bool)
    )
    news: list[ZoneNews] = []
    market = MarketEngine(BTC, config, sinks=[Hooks(on_zone=news.append)])
    market.take(frames(batch))
    told = [(one.what, one.side) for one in news]
    assert told[0] == ("approached", "long")
    swept = news[told.index(("swept", "long"))]
    assert swept.price <= swept.high < 60_000
    assert swept.usd > 0


def test_a_queue_for_another_thread_drops_the_oldest_and_counts() -> None:
    sink = QueueSink(most=3)
    engine_of(FRAMES, sinks=[sink])
    assert sink.missed > 3
    assert isinstance(sink.get(0), Column)


def test_a_file_of_what_happened_is_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "happened.jsonl"

    def lines(given: list[Frame], saved: bytes | None = None) -> bytes:
        sink = FileSink(path, files=Disk())
        market = MarketEngine(BTC, CONFIG, sinks=[sink])
        if saved is not None:
            market.load(saved)
        market.take(given)
        sink.close()
        return path.read_bytes()

    saved = engine_of(FRAMES[:200]).save()
    whole = lines(FRAMES)
    path.write_bytes(whole[:-10])  # killed while it wrote
    assert lines(FRAMES[200:], saved) == whole
    first = json.loads(whole.splitlines()[0])
    assert (first["market"], first["kind"], first["number"]) == ("binance-usdm:BTCUSDT", "column", 1)


@given(st.integers(0, 2000), st.integers(1, 255))
@settings(max_examples=30, deadline=None)
def test_a_damaged_checkpoint_is_refused(at: int, flip: int) -> None:
    assert WHOLE is not None
    damaged = bytearray(WHOLE)
    damaged[at] ^= flip
    with pytest.raises(DataError, match="found it damaged"):
        MarketEngine(BTC, CONFIG).load(bytes(damaged))


@pytest.mark.parametrize("what", ["damaged", "another configuration", "ahead of the journal"])
def test_without_its_checkpoint_an_engine_reads_the_journal(tmp_path: Path, what: str) -> None:
    clock, config = StillClock(), CONFIG
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        recorder = Recorder(journal, clock=clock, config=CONFIG)
        for frame in FRAMES:
            journal.append(frame)
        recorder.write()
        market = MarketEngine(BTC, CONFIG)
        follower = Follower(recorder, market, files=Disk(), clock=clock)
        follower.catch_up()
        assert follower.checkpoint()
        path = follower.path
    if what == "damaged":
        path.write_bytes(path.read_bytes()[:-1])
    elif what == "another configuration":
        config = CONFIG.replace(window={"length": "1m"})
    else:
        last = sorted(tmp_path.glob("*.mcap"))[-1]
        last.write_bytes(last.read_bytes()[:-2000])
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        written = journal.written
        market = MarketEngine(BTC, config)
        follower = Follower(Recorder(journal, clock=clock, config=config), market, files=Disk(), clock=clock)
        if what == "ahead of the journal":
            assert journal.written == len(FRAMES) > written  # numbers go on: what was acted on is not numbered anew
            assert market.save() == WHOLE
            return
        assert "the whole journal is read instead" in follower.notes[0]
        follower.catch_up()
        assert market.save() == engine_of_config(config)


def engine_of_config(config: Config) -> bytes | None:
    market = MarketEngine(BTC, config)
    market.take(FRAMES)
    return market.save()


def test_marks_liquidate_where_the_trigger_says_so() -> None:
    config = CONFIG.replace(model={"trigger": "mark"})
    ts = int(TRADES.ts[-1])
    mark = {"stream": "x", "data": {"e": "markPriceUpdate", "E": ts // 1_000_000, "s": "BTCUSDT", "p": "40000.1"}}
    last = Frame(ts, "binance-usdm", "market", json.dumps(mark).encode())
    market = MarketEngine(BTC, config)
    market.take([*FRAMES, last])
    market.finish()
    assert market.engine is not None
    assert market.engine.levels("long").sum() == 0
    assert market.state.mark is not None
    assert market.state.mark.price == 40_000.1


def test_a_market_without_a_grid_is_refused_with_what_is_missing() -> None:
    odd = Market("nowhere", "ODDUSDT")
    market = MarketEngine(odd)
    with pytest.raises(
        InvalidConfigError,
        match=r"instrument.tick_size must be given for nowhere:ODDUSDT, .*lot_size under \[instrument\] .*\(--config\)",
    ):
        market.take(frames(TRADES, market=odd))
    known = MarketEngine(odd, grid=(0.1, 0.001))
    known.take(frames(TRADES, market=odd))
    assert known.engine is not None


def test_models_that_no_feed_can_feed_are_refused() -> None:
    with pytest.raises(InvalidConfigError, match='must not be "vendor"'):
        MarketEngine(BTC, CONFIG.replace(model={"name": "vendor"}))


def test_a_replay_killed_twenty_times_ends_as_an_undisturbed_one() -> None:
    command = [sys.executable, str(Path(__file__).with_name("crashes.py")), "20", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kills" in done.stdout


def redenominated(seed: int) -> lq.TradeBatch:
    """Trades of which a unit becomes ten, at the same second or after a silence."""
    before, after = trades(900, seed=seed, hours=1.0), trades(900, seed=seed + 100, hours=1.0)
    silent = HOUR + (0 if seed % 2 else HOUR)
    ts = np.concatenate([before.ts, after.ts + silent])
    price = np.concatenate([before.price, np.round(after.price / 10, 1)])
    return lq.TradeBatch(ts, price, np.concatenate([before.qty, after.qty]),
                         np.concatenate([before.taker_sell, after.taker_sell]))  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore:re-denominated", "ignore:no trade from")
def test_a_re_denominated_market_begins_anew_as_a_heatmap_does(seed: int) -> None:
    batch = redenominated(seed)
    given = frames(batch)
    saved = set()
    for together in (1, 13, 10_000):
        market = engine_of(given, together)
        saved.add(market.save())
        market.finish()
    assert len(saved) == 1
    assert market.state.anew is not None
    assert market.state.anew.factor == "1:10"
    expected = lq.heatmap(trades=batch, venue="binance-usdm", symbol="BTCUSDT", window="5m")
    assert market.engine is not None
    live = market.engine.heatmap(step=expected.meta["config"]["axis"]["step"])
    np.testing.assert_array_equal(live.times, expected.times)
    np.testing.assert_array_equal(live.values, expected.values)


def test_what_the_configuration_says_of_a_re_denomination_holds() -> None:
    given = frames(redenominated(1))
    kept = MarketEngine(BTC, CONFIG.replace(source={"redenomination": "keep"}))
    kept.take(given)
    assert kept.state.anew is None
    with pytest.raises(DataError, match=r"BTCUSDT: expected prices of one denomination, found 6\d+ before"):
        MarketEngine(BTC, CONFIG.replace(source={"redenomination": "refuse"})).take(given)
