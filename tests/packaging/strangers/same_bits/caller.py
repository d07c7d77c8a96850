"""As caller.cpp: from Python in one call, from Python in batches, or from numba through the C functions."""

import sys
from pathlib import Path

import numpy as np

import liqcore as lq

way, source, target, count, tick_size, lot_size = sys.argv[1:]
n = int(count)
raw = Path(source).read_bytes()
ts, price, qty = (np.frombuffer(raw, kind, n, i * 8 * n) for i, kind in enumerate(("i8", "f8", "f8")))
sell = np.frombuffer(raw, "?", n, 24 * n)
eng = lq.Engine(lq.Instrument(symbol="BTC", tick_size=float(tick_size), lot_size=float(lot_size)), window="1m")

if way == "arrays":
    eng.trades(ts, price, qty, sell)
elif way == "batches":
    for i in range(0, n, 777):
        part = slice(i, i + 777)
        eng.trades(ts[part], price[part], qty[part], sell[part])
else:
    from numba import njit

    trade = lq.cfunc("liq_engine_trade")

    @njit
    def feed(engine, ts, price, qty, sell):
        for i in range(len(ts)):
            trade(engine, ts[i], price[i], qty[i], sell[i])

    feed(eng.ptr, ts, price, qty, sell)
eng.advance((int(ts[-1]) // eng.window_ns + 1) * eng.window_ns)

parts = [eng.levels("long"), eng.levels("short"), np.array(list(eng.features().values()))]
hm = eng.heatmap()
liquidated = (hm.select(side=side).liquidated for side in ("long", "short"))
parts += [part[:-1] for part in (hm.long, hm.short, *liquidated)]  # the others draw closed windows alone
Path(target).write_bytes(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
print(*(part.size for part in parts))
