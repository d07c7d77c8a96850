"""From a venue that does everything wrong, through driver and journal: the engine stands where the batch stands."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("websockets")

import liqcore as lq
from liqcore.config import Config
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from liqcore.live.market import MarketEngine
from loopback import market
from test_live_feeds import EASY, HARD, VENUES, Script, run

CONFIG = Config().replace(window={"length": "10s"}, live={"delay": "5s"})  # of Hyperliquid nothing tells the order


@pytest.mark.filterwarnings("ignore::UserWarning")  # of two minutes of data
@pytest.mark.parametrize("script", [*EASY.values(), *HARD.values()], ids=[*EASY, *HARD])
@pytest.mark.parametrize("name", VENUES)
def test_after_everything_that_goes_wrong_the_engine_stands_where_the_batch_stands(
    name: str, script: Script, tmp_path: Path
) -> None:
    played = run(name, script, seconds=60)
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
    again = live.engine.heatmap(step=batch.meta["config"]["axis"]["step"])
    assert live.state.counts.get("raised", 0) == 0
    np.testing.assert_array_equal(again.times, batch.times)
    np.testing.assert_array_equal(again.values, batch.values)
    assert [hole for hole in live.state.holes if hole.state == "gap open"] == [
        change for change in played.changes if change.state == "gap open"
    ]
