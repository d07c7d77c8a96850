"""
A strategy in hftbacktest that leans towards the side where a move reaches more, by estimate.

    python hftbacktest_strategy.py                  a simulated market
    python hftbacktest_strategy.py trades.csv.gz    files of trades, in any order

Once a minute it rests one order a few basis points from the price, to be long where more shorts than longs lie within
5 %, else short. The events are trades alone, without an order book: an order is filled where a trade goes through its
price, so what it reports is rough, and one market and one rule prove nothing. It needs hftbacktest.
"""

import sys

import hftbacktest as hft
import numba
import numpy as np

import liqcore as lq
from liqcore.integrations.hftbacktest import strategy_functions
from liqcore.sources import scan

LATENCY = 5_000_000  # ns, each way
EVERY = 60_000_000_000
AWAY = 0.0003  # of the price

feed, features = strategy_functions()


@numba.njit
def strategy(hbt, engine, reader, row, imbalance, tick_size, order_qty):
    """Quote once a minute; return how often, or what went wrong, below 0."""
    quotes = 0
    while hbt.elapse(EVERY) == 0:
        lost = feed(hbt, 0, engine)
        status = features(engine, reader, row)
        if lost < 0 or status < 0:
            return min(lost, status)
        hbt.clear_inactive_orders(0)
        orders = hbt.orders(0).values()
        while orders.has_next():
            order = orders.get()
            if order.cancellable:
                hbt.cancel(0, order.order_id, False)
        wanted = order_qty * np.sign(row[imbalance])  # NaN while the book says nothing
        if hbt.position(0) < wanted - order_qty / 2:
            bid = np.floor(row[0] * (1 - AWAY) / tick_size) * tick_size
            hbt.submit_buy_order(0, quotes, bid, order_qty, hft.GTC, hft.LIMIT, False)
        elif hbt.position(0) > wanted + order_qty / 2:
            ask = np.ceil(row[0] * (1 + AWAY) / tick_size) * tick_size
            hbt.submit_sell_order(0, quotes, ask, order_qty, hft.GTC, hft.LIMIT, False)
        quotes += 1
    return quotes


def trades_of(files):
    """Return what is traded, and all its trades."""
    if not files:
        trades = lq.simulate(seed=5, days=0.5, trades_per_day=60_000).trades
        return lq.Instrument(symbol="SIMULATED", tick_size=0.1, lot_size=0.001), trades
    head = scan(files)
    inst = lq.Instrument(symbol=head.symbol or "", tick_size=head.tick_size, lot_size=head.lot_size)
    batches = list(lq.read_trades(files))
    columns = ("ts", "price", "qty", "taker_sell")
    return inst, lq.TradeBatch(*(np.concatenate([getattr(batch, name) for batch in batches]) for name in columns))


def events_of(trades):
    """Return trades as events of hftbacktest."""
    events = np.zeros(len(trades), hft.event_dtype)
    sides = np.where(trades.taker_sell, hft.SELL_EVENT, hft.BUY_EVENT)
    events["ev"] = hft.TRADE_EVENT | hft.EXCH_EVENT | hft.LOCAL_EVENT | sides
    events["exch_ts"], events["local_ts"] = trades.ts, trades.ts + LATENCY
    events["px"], events["qty"] = trades.price, trades.qty
    return events


def main(files):
    """Run the backtest and report."""
    inst, trades = trades_of(files)
    events = events_of(trades)  # hftbacktest reads it in place and does not keep it
    asset = (
        hft.BacktestAsset()
        .data([events])
        .linear_asset(1.0)
        .constant_order_latency(LATENCY, LATENCY)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0.0002, 0.0005)
        .tick_size(inst.tick_size)
        .lot_size(inst.lot_size)
        .last_trades_capacity(10_000)  # or no trades are kept to feed
    )
    hbt = hft.HashMapMarketDepthBacktest([asset])
    eng, reader = lq.Engine(inst, keep=1), lq.FeatureReader()  # kept until the strategy has ended
    row = np.empty(len(reader))
    imbalance = reader.names.index("imbalance")
    quotes = strategy(hbt, eng.ptr, reader.ptr, row, imbalance, inst.tick_size, 100 * inst.lot_size)
    if quotes < 0:
        raise SystemExit(lq.cfunc("liq_error_message")().decode())
    state = hbt.state_values(0)
    price = eng.last_price
    equity = state.balance + state.position * price - state.fee
    print(f"{inst.symbol}: {eng.stats.used:,} trades fed, {quotes:,} minutes quoted")
    print(
        f"{state.num_trades} fills worth {state.trading_value:,.2f}, fees {state.fee:,.2f}, position {state.position:g}"
    )
    print(f"equity {equity:+,.2f} after fees, marked at {price:,.1f}: one market and one rule prove nothing")
    hbt.close()


if __name__ == "__main__":
    main(sys.argv[1:])
