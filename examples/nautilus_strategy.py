"""
A strategy in nautilus_trader that reads the indicator of liquidation features, on a simulated market.

    python nautilus_strategy.py

Once every ten minutes it says how much a move of 1 % down or up reaches, by estimate. It needs nautilus_trader.
"""

from decimal import Decimal

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

import liqcore as lq
from liqcore.integrations.nautilus import LiquidationFeatures

VENUE = Venue("SIMULATED")
PERPETUAL = CryptoPerpetual(
    instrument_id=InstrumentId(Symbol("BTCUSDT-PERP"), VENUE),
    raw_symbol=Symbol("BTCUSDT"),
    base_currency=BTC,
    quote_currency=USDT,
    settlement_currency=USDT,
    is_inverse=False,
    price_precision=1,
    size_precision=3,
    price_increment=Price.from_str("0.1"),
    size_increment=Quantity.from_str("0.001"),
    ts_event=0,
    ts_init=0,
    maker_fee=Decimal("0.0002"),
    taker_fee=Decimal("0.0005"),
    margin_init=Decimal("0.02"),
    margin_maint=Decimal("0.01"),
)


class Watch(Strategy):
    """Reports the features on a timer."""

    def on_start(self):
        """Register the indicator: it is fed every trade before `on_trade_tick` sees it."""
        self.liquidations = LiquidationFeatures(PERPETUAL, warmup="1h")
        self.register_indicator_for_trade_ticks(PERPETUAL.id, self.liquidations)
        self.subscribe_trade_ticks(PERPETUAL.id)
        self.clock.set_timer("report", pd.Timedelta(minutes=10), callback=self.report)

    def report(self, event):
        """Say what is there, as of now."""
        if not self.liquidations.initialized:
            return
        self.liquidations.advance(event.ts_event)
        now = self.liquidations
        time = pd.Timestamp(event.ts_event).strftime("%H:%M")
        print(
            f"{time} {now.price:>10,.1f}  -1 %: {now.long_usd_1pct:>11,.0f} USD  +1 %: {now.short_usd_1pct:>11,.0f} USD"
        )


def ticks_of(trades):
    """Return trades as ticks."""
    sides = (AggressorSide.BUYER, AggressorSide.SELLER)
    rows = zip(trades.ts.tolist(), trades.price.tolist(), trades.qty.tolist(), trades.taker_sell.tolist(), strict=True)
    return [
        TradeTick(PERPETUAL.id, Price(price, 1), Quantity(qty, 3), sides[sold], TradeId(str(i)), ts, ts)
        for i, (ts, price, qty, sold) in enumerate(rows)
    ]


def main():
    """Run the backtest."""
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [Money(100_000, USDT)], base_currency=None)
    engine.add_instrument(PERPETUAL)
    engine.add_data(ticks_of(lq.simulate(seed=5, days=0.25, trades_per_day=60_000).trades))
    engine.add_strategy(Watch())
    engine.run()
    engine.dispose()


if __name__ == "__main__":
    main()
