"""Coins of a thousandth of a cent and of 100,000 dollars: from trades to a picture, with the engine's own axis."""

import numpy as np
import pytest

import liqcore as lq
from liqcore.render import RenderOptions
from liqcore.render.draw import measure
from liqcore.render.layout import layout

# Name in the catalogue or None, tick, lot, price. The tick 0.0001 is 2 basis points of the second, 8 of the third.
COINS = {
    "100,000 dollars": ("binance-usdm:BTCUSDT", 0.1, 0.001, 103_456.7),
    "half a dollar": ("binance-usdm:XRPUSDT", 0.0001, 0.1, 0.5237),
    "twelve cents": (None, 0.0001, 1.0, 0.1234),
    "a thousandth of a cent": (None, 1e-8, 1000.0, 0.00001234),
}


def simulated(coin: str) -> tuple[lq.Instrument, lq.Market]:
    name, tick, lot, price = COINS[coin]
    if name is None:
        instrument = lq.Instrument(symbol="COIN", venue="test", tick_size=tick, lot_size=lot)
    else:
        instrument = lq.instrument(name)
    assert (instrument.tick_size, instrument.lot_size) == (tick, lot)
    return instrument, lq.simulate(days=0.2, trades_per_day=60_000, price=price, tick_size=tick, lot_size=lot, seed=4)


def check(hm: lq.Heatmap, tick: float, price: float) -> None:
    """What must hold at any price: fine bins, levels on the right sides, maps that sum to columns."""
    ticks = hm.book_step / tick
    assert ticks == pytest.approx(round(ticks), rel=1e-9)
    assert ticks == pytest.approx(1) or 0.25e-4 * price < hm.book_step <= 1e-4 * price * 1.01
    assert 300 * len(hm.times) > len(hm.prices) > 20
    levels = hm.map()
    assert levels.price == pytest.approx(price, rel=0.2)
    longs, shorts = levels.long.sum(axis=0), levels.short.sum(axis=0)
    assert longs.sum() > 0
    assert shorts.sum() > 0
    assert levels.prices[longs > 0].max() < levels.price
    assert levels.prices[shorts > 0].min() + levels.step > levels.price
    np.testing.assert_allclose(longs, hm.long[-1], rtol=1e-6)
    np.testing.assert_allclose(shorts, hm.short[-1], rtol=1e-6)
    assert hm.liquidated.sum() > 0


@pytest.mark.parametrize("coin", COINS)
def test_from_trades_to_a_saved_heatmap(coin, tmp_path):
    name, tick, _, price = COINS[coin]
    _, market = simulated(coin)
    venue, symbol = name.split(":") if name else (None, "COIN")
    hm = lq.heatmap(trades=market.trades, venue=venue, symbol=symbol)
    assert bool(hm.meta["catalogue"]) is bool(name)
    check(hm, tick, price)
    back = lq.load_heatmap(hm.save(tmp_path / "coin.parquet"))
    for array in ("prices", "long", "short", "liquidated"):
        assert np.array_equal(getattr(back, array), getattr(hm, array))
    assert np.array_equal(back.map().long, hm.map().long)


@pytest.mark.parametrize("coin", COINS)
def test_an_engine_with_its_own_axis(coin):
    instrument, market = simulated(coin)
    trades = market.trades
    engine = lq.Engine(instrument, window="5m")
    stats = engine.trades(trades.ts, trades.price, trades.qty, trades.taker_sell)
    assert stats.used == len(trades)
    assert not engine.stats.imbalance().any()
    assert not engine.stats.out_of_range.any()
    check(engine.heatmap(), instrument.tick_size, COINS[coin][3])


@pytest.mark.parametrize("coin", COINS)
def test_prices_in_the_picture_can_be_read(coin, tmp_path):
    instrument, market = simulated(coin)
    trades = market.trades
    engine = lq.Engine(instrument, window="5m")
    engine.trades(trades.ts, trades.price, trades.qty, trades.taker_sell)
    hm = engine.heatmap()
    plan = layout(hm, RenderOptions(), measure)
    written = [text.text for text in plan.texts]
    beside = max(text.x for text in plan.texts if text.role == "on last")
    labels = [text for text in plan.texts if text.x == beside and text.role == "text"]
    assert len(labels) >= 4
    assert len({text.text for text in labels}) == len(labels)
    for text in labels:  # a label says the price that it stands at, to half a pixel
        assert plan.scales["price"].at(float(text.text.replace(",", ""))) == pytest.approx(text.y, abs=0.5)
    last = float(hm.candles["close"][-1])
    assert last in [
        float(text.replace(",", "")) for text in written if text.replace(",", "").replace(".", "").isdigit()
    ]
    assert all(measure(text.text, text.size) < plan.width for text in plan.texts)
    assert hm.render(tmp_path / "coin.png").stat().st_size > 10_000


def test_coins_of_every_size_merge_with_a_venue_of_another_tick():
    _, tick, _, _ = COINS["half a dollar"]
    _, market = simulated("half a dollar")
    trades = market.trades
    one = lq.heatmap(trades=trades, symbol="COIN")
    coarse = np.rint(trades.price / 0.0005) * 0.0005
    other = lq.heatmap(trades=(trades.ts, coarse, trades.qty, trades.taker_sell), symbol="COIN")
    hm = lq.merge_venues({"one": one, "other": other})
    assert other.meta["instrument"]["tick_size"] == pytest.approx(5 * tick) or hm.step >= one.step
    np.testing.assert_allclose(
        hm.values.sum(axis=1, dtype=np.float64),
        one.values.sum(axis=1, dtype=np.float64) + other.values.sum(axis=1, dtype=np.float64),
        rtol=1e-5,
    )
