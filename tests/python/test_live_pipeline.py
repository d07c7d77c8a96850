"""Between a feed and an engine stands the journal: bursts and full disks delay, and lose nothing."""

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("mcap")
pytest.importorskip("msgspec")

from liqcore.config import Config
from liqcore.errors import DataError, InvalidConfigError
from liqcore.feeds.events import Frame
from liqcore.live import journal as journals
from liqcore.live import pipeline
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.live.pipeline import Follower, Recorder
from liqcore.live.replay import play, recording
from live_load import check_burst
from markets import BTC, Brittle, StillClock, frames, trades

FRAMES = frames(trades(3000, seed=4))
CONFIG = Config().replace(journal={"write": "1ms", "sync": "5ms"}, live={"checkpoint": "10ms"})


def test_a_burst_goes_through_whole_and_in_order() -> None:
    figures = check_burst(0.3)  # a thirtieth of that of `make soak`
    assert figures["messages"] == 30_000


async def follow(folder: Path, given: list[Frame], files: Disk) -> tuple[MarketEngine, Recorder]:
    """Record frames and follow them, in one loop."""
    clock = SystemClock()
    with Journal(folder, BTC, files=files) as journal:
        recorder = Recorder(journal, clock=clock, config=CONFIG)
        market = MarketEngine(BTC, CONFIG)
        follower = Follower(recorder, market, files=files, clock=clock)
        tasks = [asyncio.create_task(recorder.run()), asyncio.create_task(follower.run())]
        for number, frame in enumerate(given):
            await recorder.put(frame)
            if number % 50 == 0:
                await asyncio.sleep(0.001)
        while journal.written < journal.appended or follower.lag:
            await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return market, recorder


def at_leisure() -> bytes | None:
    market = MarketEngine(BTC, CONFIG)
    market.take(FRAMES)
    return market.save()


@pytest.mark.parametrize("tail", [0, 4 << 20])
def test_an_engine_follows_from_memory_and_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tail: int
) -> None:
    monkeypatch.setattr(journals, "TAIL_BYTES", tail)
    market, recorder = asyncio.run(follow(tmp_path, FRAMES, Disk()))
    assert market.save() == at_leisure()
    assert recorder.error == ""
    assert (tmp_path / "binance-usdm-BTCUSDT.checkpoint").exists()


def test_a_full_disk_makes_the_feed_wait_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MOST_PENDING", 10_000)
    disk = Brittle()
    disk.left = 20_000
    said: list[str] = []

    async def run() -> MarketEngine:
        async def tidy_up() -> None:
            while not (watched[0].error and watched[0].journal.pending_bytes >= 10_000):
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.02)  # in which nothing more is taken
            said.append(watched[0].error)
            waiting.append(watched[0].journal.pending_bytes)
            disk.left = None

        tidying = asyncio.create_task(tidy_up())
        market, _ = await follow(tmp_path, FRAMES, disk)
        await tidying
        return market

    watched: list[Recorder] = []
    waiting: list[int] = []
    begin = Recorder.__init__

    def noted(self: Recorder, *args: object, **named: object) -> None:
        watched.append(self)
        begin(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Recorder, "__init__", noted)
    assert asyncio.run(run()).save() == at_leisure()
    assert "No space left" in said[0]
    assert 10_000 <= waiting[0] < 12_000


def test_a_replay_keeps_the_pace() -> None:
    class Stepping(StillClock):
        at = 0

        def elapsed(self) -> int:
            return self.at

        async def sleep(self, ns: int) -> None:
            self.at += ns

    clock, came = Stepping(), []

    async def put(frame: Frame) -> None:
        came.append((frame.received, clock.at))

    count = asyncio.run(play(iter(FRAMES), put, clock=clock, speed=60.0))
    assert count == len(FRAMES) == len(came)
    first = FRAMES[0].received
    assert all(abs(at - (received - first) / 60) < 100 for received, at in came)
    with pytest.raises(InvalidConfigError, match="speed must be at least 0, was -1"):
        asyncio.run(play(iter(FRAMES), put, clock=clock, speed=-1))


def test_journals_and_trade_files_are_not_played_together(tmp_path: Path) -> None:
    with Journal(tmp_path, BTC, files=Disk()) as journal:
        journal.append(FRAMES[0])
    (tmp_path / "trades.csv").write_text("ts,price,qty,side\n")
    with pytest.raises(DataError, match=r"trades.csv: expected journals alone, or trade files alone, found both"):
        recording([str(tmp_path / "*.mcap"), str(tmp_path / "trades.csv")])
