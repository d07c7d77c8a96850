"""What other threads read of a market: of one instant, true to a batch run, while it is being fed."""

import threading

import numpy as np
import pytest

pytest.importorskip("msgspec")

import liqcore as lq
from liqcore.config import Config
from liqcore.feeds.events import Change
from liqcore.feeds.frames import changed
from liqcore.live.board import Board
from liqcore.live.market import MarketEngine
from markets import BTC, frames, trades

TRADES = trades(4000, seed=11)
CONFIG = Config()


def test_a_board_says_nothing_before_the_first_trade() -> None:
    board = Board(MarketEngine(BTC, CONFIG))
    board.ask()
    assert board.moment() is None
    assert board.row() is None
    assert board.realised(np.array([0])).tolist() == [[0.0, 0.0]]


def test_moments_are_whole_while_the_market_is_fed() -> None:
    market = MarketEngine(BTC, CONFIG)
    board = Board(market)
    seen: list[tuple[tuple[int, int], float, float]] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            board.ask()
            moment = board.moment()
            if moment is not None:
                heatmap = moment.heatmap()
                leverage = moment.book.engine.leverage
                weights = np.array(list(leverage.to_dict().values())) * leverage.intensity
                both = sum(
                    float((moment.snapshot.levels(side).sum(axis=1) * weights).sum()) for side in ("long", "short")
                )
                seen.append((moment.number, both, float(heatmap.select(unit="quantity").values[-1].sum())))

    reader = threading.Thread(target=look)
    reader.start()
    for at in range(0, 800, 8):
        market.take(frames(TRADES)[at : at + 8])
    done.set()
    reader.join()
    numbers = [number for number, *_ in seen]
    assert numbers == sorted(numbers)
    for _, levels, columns in seen:
        assert columns == pytest.approx(levels, rel=1e-5)


def test_the_last_moment_is_the_heatmap_of_the_same_trades_with_its_holes() -> None:
    middle = int(TRADES.ts[2000])
    hole = Change(BTC, "trades", "gap open", middle, since=middle - 60_000_000_000, until=middle, why="not given")
    given = frames(TRADES)
    market = MarketEngine(BTC, CONFIG)
    market.take([*given[:400], changed(hole, middle), *given[400:]])
    market.finish()
    board = Board(market)
    assert market.book is not None
    market.book.publisher.publish(market.book.engine)
    moment = board.moment()
    assert moment is not None
    batch = lq.heatmap(trades=TRADES, symbol="BTCUSDT", venue="binance-usdm")
    live = moment.heatmap()
    np.testing.assert_array_equal(live.values, batch.values)
    assert live.gaps.tolist() == [[hole.since, hole.until]]
    assert live.meta["source"] == "binance-usdm:BTCUSDT"


def test_rows_are_those_of_a_batch_run_where_ticks_are_coarse() -> None:
    config = CONFIG.replace(instrument={"tick_size": 20.0, "lot_size": 0.001})
    coarse = lq.TradeBatch(TRADES.ts, 20.0 * np.rint(TRADES.price / 20.0), TRADES.qty, TRADES.taker_sell)
    market = MarketEngine(BTC, config)
    market.take(frames(coarse))
    market.finish()
    assert market.book is not None
    market.book.publisher.publish(market.book.engine)
    moment = Board(market).moment()
    assert moment is not None
    batch = lq.heatmap(trades=coarse, symbol="BTCUSDT", venue="binance-usdm", config=config)
    assert (moment.heatmap().step, batch.step) == (40.0, 40.0)  # five ticks of 20 would be 16 basis points
    np.testing.assert_array_equal(moment.heatmap().values, batch.values)
