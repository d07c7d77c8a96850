"""The indicator in a backtest of nautilus_trader, and its catalogue, on a recorded day."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USDC
from nautilus_trader.model.data import MarkPriceUpdate, TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

import liqcore as lq
from days import MINUTE, first, recorded_day
from liqcore import TradeBatch
from liqcore.integrations.nautilus import LiquidationFeatures, instrument_of, trade_files

pytestmark = pytest.mark.integration

VENUE = Venue("HYPERLIQUID")
PERPETUAL = CryptoPerpetual(
    instrument_id=InstrumentId(Symbol("BTC-PERP"), VENUE),
    raw_symbol=Symbol("BTC"),
    base_currency=BTC,
    quote_currency=USDC,
    settlement_currency=USDC,
    is_inverse=False,
    price_precision=0,
    size_precision=5,
    price_increment=Price.from_str("1"),
    size_increment=Quantity.from_str("0.00001"),
    ts_event=0,
    ts_init=0,
    maker_fee=Decimal(0),
    taker_fee=Decimal(0),
    margin_init=Decimal("0.02"),
    margin_maint=Decimal("0.01"),
)
INSTRUMENT = instrument_of(PERPETUAL)
DELAY = 3_000_001  # ns from ts_event to ts_init
SIDES = (AggressorSide.BUYER, AggressorSide.SELLER)


def ticks_of(trades: TradeBatch, side: AggressorSide | None = None) -> list[TradeTick]:
    columns = (trades.ts.tolist(), trades.price.tolist(), trades.qty.tolist(), trades.taker_sell.tolist())
    return [
        TradeTick(
            PERPETUAL.id,
            Price(price, 0),
            Quantity(qty, 5),
            SIDES[sold] if side is None else side,
            TradeId(str(i)),
            ts,
            ts + DELAY,
        )
        for i, (ts, price, qty, sold) in enumerate(zip(*columns, strict=True))
    ]


class Reading(Strategy):
    """Registers the indicator and reads it once a minute."""

    def __init__(self, indicator: LiquidationFeatures) -> None:
        super().__init__(StrategyConfig())
        self.indicator = indicator
        self.times: list[int] = []
        self.rows: list[Any] = []

    def on_start(self) -> None:
        self.register_indicator_for_trade_ticks(PERPETUAL.id, self.indicator)
        self.subscribe_trade_ticks(PERPETUAL.id)
        start = pd.Timestamp(self.clock.timestamp_ns() + 500_000, tz="UTC")
        self.clock.set_timer("read", pd.Timedelta(minutes=1), start_time=start, callback=self.read)

    def read(self, event: Any) -> None:
        self.indicator.advance(event.ts_event)
        self.times.append(event.ts_event)
        self.rows.append(self.indicator.values.copy())


def run(ticks: list[TradeTick]) -> tuple[Any, Any, LiquidationFeatures]:
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USDC)], base_currency=None)
    engine.add_instrument(PERPETUAL)
    engine.add_data(ticks)
    strategy = Reading(LiquidationFeatures(PERPETUAL, warmup="1h"))
    engine.add_strategy(strategy)
    engine.run()
    engine.dispose()
    return np.array(strategy.times), np.array(strategy.rows), strategy.indicator


@pytest.mark.recorded
def test_the_indicator_says_in_a_backtest_what_features_says() -> None:
    trades = recorded_day()
    times, rows, indicator = run(ticks_of(trades))
    expected = lq.features(
        (trades.ts + DELAY, trades.price, trades.qty, trades.taker_sell), times, instrument=INSTRUMENT
    )
    assert len(times) > 1_400
    assert not np.isin(times, trades.ts + DELAY).any()  # those would count here, and in the next row of lq.features
    assert np.isfinite(rows).mean() > 0.9
    np.testing.assert_array_equal(rows, expected.values)
    assert indicator.engine.stats.used == len(trades)
    assert indicator.initialized


@pytest.mark.recorded
def test_ticks_after_a_moment_change_nothing_before_it() -> None:
    ticks = ticks_of(first(recorded_day(), 60_000))
    times, rows, _ = run(ticks)
    cut_times, cut_rows, _ = run(ticks[:30_000])
    known = int(np.searchsorted(cut_times, ticks[29_999].ts_init))
    assert known > 30
    np.testing.assert_array_equal(cut_times[:known], times[:known])
    np.testing.assert_array_equal(cut_rows[:known], rows[:known])


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> ParquetDataCatalog:
    """A catalogue of the day's first trades, in two files."""
    ticks = ticks_of(first(recorded_day(), 100_000))
    catalog = ParquetDataCatalog(str(tmp_path_factory.mktemp("catalog")))
    half = next(i for i in range(50_000, len(ticks)) if ticks[i].ts_init > ticks[i - 1].ts_init)
    catalog.write_data(ticks[:half])
    catalog.write_data(ticks[half:])
    return catalog


@pytest.mark.recorded
@pytest.mark.leaves_behind("nautilus_trader's catalogue keeps the sockets of an event loop")
def test_a_catalogue_is_read_as_it_was_written(catalog: ParquetDataCatalog) -> None:
    trades = first(recorded_day(), 100_000)
    files = trade_files(catalog, PERPETUAL.id)
    assert len(files) == 2
    reader = lq.read_trades(files)
    batches = list(reader)
    for name in ("price", "qty", "taker_sell"):
        np.testing.assert_array_equal(np.concatenate([getattr(b, name) for b in batches]), getattr(trades, name))
    np.testing.assert_array_equal(np.concatenate([batch.ts for batch in batches]), trades.ts + DELAY)
    assert reader.report.symbol == str(PERPETUAL.id)
    assert reader.report.rejected == {}
    theirs = catalog.trade_ticks([str(PERPETUAL.id)])
    assert [str(tick.price) for tick in theirs] == [f"{price:.0f}" for batch in batches for price in batch.price]
    assert [str(tick.size) for tick in theirs] == [f"{qty:.5f}" for batch in batches for qty in batch.qty]


@pytest.mark.recorded
def test_features_of_a_catalogue_are_those_of_the_trades(catalog: ParquetDataCatalog) -> None:
    trades = first(recorded_day(), 100_000)
    expected = lq.features(
        (trades.ts + DELAY, trades.price, trades.qty, trades.taker_sell), "5m", instrument=INSTRUMENT
    )
    found = lq.features(trade_files(str(catalog.path), str(PERPETUAL.id)), "5m", instrument=INSTRUMENT)
    np.testing.assert_array_equal(found.values, expected.values)
    cut = lq.features(trade_files(catalog, PERPETUAL.id)[0], "5m", instrument=INSTRUMENT)
    assert 10 < len(cut) < len(found)
    np.testing.assert_array_equal(cut.values, found.values[: len(cut)])


def small_trades(count: int = 40) -> TradeBatch:
    at = np.arange(count, dtype=np.int64)
    price = 60_000.0 + 37 * (at % 7)
    return TradeBatch(1_781_222_400_000_000_000 + at * MINUTE, price, 0.00001 * (at + 1), at % 3 == 0)


def test_trades_without_an_aggressor_are_left_out_and_counted(tmp_path: Path) -> None:
    known, unknown = ticks_of(small_trades())[:39], ticks_of(small_trades(), AggressorSide.NO_AGGRESSOR)[39:]
    catalog = ParquetDataCatalog(str(tmp_path))
    catalog.write_data(known + unknown)
    reader = lq.read_trades(trade_files(catalog, PERPETUAL.id))
    assert sum(len(batch) for batch in reader) == 39
    assert reader.report.rejected == {"unknown_side": 1}
    indicator = LiquidationFeatures(INSTRUMENT)
    for tick in known + unknown:
        indicator.handle_trade_tick(tick)
    assert (indicator.engine.stats.used, indicator.no_aggressor) == (39, 1)


def test_a_catalogue_without_the_instrument_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(lq.DataError, match=r"expected Parquet files with trades of BTC-PERP\.X, found none"):
        trade_files(tmp_path, "BTC-PERP.X")


def test_the_indicator_has_every_feature_as_an_attribute() -> None:
    indicator = LiquidationFeatures(
        PERPETUAL, reader=lq.FeatureReader(reaches=(1, 12)), leverage={10: 1.0}, warmup="2m"
    )
    assert not indicator.has_inputs
    assert np.isnan(indicator.price)
    for i, tick in enumerate(ticks_of(small_trades(4))):
        indicator.handle_trade_tick(tick)
        assert indicator.has_inputs
        assert indicator.initialized == (i >= 2)
    row = lq.FeatureReader(reaches=(1, 12)).read(indicator.engine)
    np.testing.assert_array_equal([getattr(indicator, name) for name in indicator.names], row)
    assert indicator.long_usd_12pct > 0
    with pytest.raises(AttributeError, match="has no 'nothing'; features are price, long_usd_1pct"):
        _ = indicator.nothing


def test_reset_begins_with_an_empty_book() -> None:
    indicator = LiquidationFeatures(PERPETUAL)
    ticks = ticks_of(small_trades())
    for tick in ticks:
        indicator.handle_trade_tick(tick)
    before = indicator.values.copy()
    indicator.reset()
    assert not indicator.initialized
    assert not indicator.has_inputs
    assert np.isnan(indicator.values).all()
    for tick in ticks:
        indicator.handle_trade_tick(tick)
    np.testing.assert_array_equal(indicator.values, before)


def test_mark_prices_liquidate_where_asked_to() -> None:
    indicator = LiquidationFeatures(PERPETUAL, trigger="mark", leverage={10: 1.0}, half_life=None)
    tick = ticks_of(small_trades(1))[0]
    indicator.handle_trade_tick(tick)
    at = tick.ts_init + MINUTE
    indicator.handle_mark_price(MarkPriceUpdate(PERPETUAL.id, Price(30_000, 0), at, at))
    assert indicator.engine.stats.liquidated.sum() == 1.0 or indicator.engine.stats.opened[1].sum() == 1.0


def test_instruments_are_translated() -> None:
    linear = instrument_of(PERPETUAL)
    assert (linear.symbol, linear.venue, linear.contract) == ("BTC-PERP.HYPERLIQUID", "HYPERLIQUID", "linear")
    assert (linear.tick_size, linear.lot_size, linear.multiplier) == (1.0, 0.00001, 1.0)
    inverse = TestInstrumentProvider.xbtusd_bitmex()
    margin = lq.MarginSchedule.flat(0.005)
    ours = instrument_of(inverse, margin=margin)
    assert (ours.contract, ours.tick_size, ours.lot_size, ours.multiplier) == ("inverse", 0.5, 1.0, 1.0)
    assert ours.margin == margin
    with pytest.raises(lq.InvalidConfigError, match="is a quanto contract"):
        instrument_of(TestInstrumentProvider.ethusd_bitmex())
