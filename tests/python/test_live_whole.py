"""From a venue that does everything wrong, through driver and journal: the engine stands where the batch stands."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("websockets")

import liqcore as lq
from liqcore.config import Config
from liqcore.feeds.events import Market
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from liqcore.live.market import MarketEngine
from liqcore.live.service import Service
from liqcore.live.source import Live
from loopback import EPOCH, SECOND, STYLES, Tape, Venue, VirtualClock, market, market_of, play
from test_live_feeds import VENUES, Script, anew, calm, disconnects, marks_every_hole, partial, reordering, run

CONFIG = Config().replace(window={"length": "10s"}, live={"delay": "5s"})  # of Hyperliquid nothing tells the order


SCRIPTS: dict[str, tuple[Script, float, tuple[float, float]]] = {
    "disconnects": (disconnects, 60, (0, 0)),
    "reordering": (reordering, 60, (0, 0)),
    "partial": (partial, 60, (0, 0)),
    "halt": (calm, 260, (60, 200)),
    "anew": (anew, 260, (60, 300)),
}
"""Of each kind one, through files; test_live_feeds.py has all of them, bit for bit."""


@pytest.mark.filterwarnings("ignore::UserWarning")  # of two minutes of data
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("name", VENUES)
def test_after_everything_that_goes_wrong_the_engine_stands_where_the_batch_stands(
    name: str, script: str, tmp_path: Path
) -> None:
    happens, seconds, silent = SCRIPTS[script]
    played = run(name, happens, seconds=seconds, silent=silent)
    with Journal(tmp_path, market(name), files=Disk()) as journal:
        for frame in played.kept.frames:
            journal.append(frame)
        journal.write()
        number, found = journal.read(0)
        while number < journal.written:
            number, more = journal.read(number)
            found += more
    trades = sorted(played.delivered(), key=lambda trade: (trade.ts, trade.id if trade.count else 0))
    columns = ([getattr(trade, name) for trade in trades] for name in ("ts", "price", "qty", "taker_sell"))
    batch = lq.heatmap(
        trades=lq.TradeBatch(*map(np.array, columns)), venue=name, symbol=market(name).symbol, window="10s"
    )
    settled = batch.meta["config"]["instrument"]
    live = MarketEngine(market(name), CONFIG, grid=(settled["tick_size"], settled["lot_size"]))
    live.take(found)
    live.finish()
    assert live.engine is not None
    assert live.state.counts.get("raised", 0) == 0
    again = live.engine.heatmap(step=batch.meta["config"]["axis"]["step"])
    np.testing.assert_array_equal(again.times, batch.times)
    np.testing.assert_array_equal(again.values, batch.values)
    for one, other in zip(map_of(again), map_of(batch), strict=True):
        np.testing.assert_array_equal(one, other)
    begun = [live.state.anew is not None, batch.meta["begins_anew"] is not None]
    assert begun == [script == "anew"] * 2
    marks_every_hole(live, played)


def map_of(heatmap: lq.Heatmap) -> list[Any]:
    """The levels of its end, by side."""
    made = heatmap.map()
    return [made.prices, made.long, made.short]


class Awhile:
    """A source that ends after some seconds."""

    def __init__(self, live: Live, seconds: float) -> None:
        self.markets, self.origin, self.engine = live.markets, live.origin, live.engine
        self._live, self._seconds = live, seconds
        self.player = live.player

    def trouble(self, market: Market) -> str:
        return self._live.trouble(market)

    async def run(self, *args: Any) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._live.run(*args), self._seconds)


@pytest.mark.parametrize("name", ["binance-usdm", "bybit-linear"])
def test_a_recording_that_is_continued_asks_for_what_came_in_between(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(call: Callable[[], Any]) -> Any:
        return call()

    monkeypatch.setattr(asyncio, "to_thread", at_once)  # virtual time does not wait for threads

    async def main() -> Venue:
        clock = VirtualClock()
        venue = Venue(name, clock, STYLES[name]())
        tape = Tape()
        market_of(tape, venue, 100)
        playing = asyncio.create_task(tape.run(clock))
        for seconds in (30, 40):
            source = Awhile(Live([market(name)], venue), seconds)
            with Service(source, tmp_path, config=Config(), follows=False, clock=clock) as service:
                await service.run(told.append)
            assert [note for note in service.summary().notes if "disconnected" not in note] == []
            await clock.sleep(10 * SECOND)  # nobody records
        await playing
        return venue

    told: list[Any] = []
    venue = play(main())
    ts = np.concatenate([batch.ts for batch in lq.read_trades(str(tmp_path / "*.mcap"))])
    end = EPOCH + 79 * SECOND
    expected = [match.ts for match in venue.history if ts[0] <= match.ts < end]
    assert ts[ts < end].tolist() == expected
    assert told[-1][0].states["trades"] == "live"
    assert told[-1][0].lag is not None
