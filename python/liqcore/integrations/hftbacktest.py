"""
Liquidation features inside hftbacktest's compiled loops, without going back to Python.

Needs numba, which hftbacktest brings along; hftbacktest itself is not imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..native.cfunc import cfunc

__all__ = ["StrategyFunctions", "strategy_functions"]

BUY_EVENT, SELL_EVENT = 1 << 29, 1 << 28


class StrategyFunctions(NamedTuple):
    """
    What `strategy_functions` gives; engines and readers are their `ptr`.

    Attributes
    ----------
    feed : function (hbt, asset_no, engine) -> int
        Feed what ``hbt.last_trades(asset_no)`` holds, at the times at which the strategy received it; clear it; move
        the engine's clock to ``hbt.current_timestamp``. Returns how many trades were passed over: rejected
        (`Engine.stats` says why) or without a side. Below 0 is an error, and nothing more was fed:
        ``lq.cfunc("liq_error_message")()`` says what is wrong.
    features : function (engine, reader, out) -> int
        Write the features into ``out``, a writable C-contiguous float64 array with room for as many as the reader has.
        Returns 0, or below 0 after an error. Any other array does not compile (``numba.TypingError``; called from
        Python, TypeError).
    """

    feed: Callable[[Any, int, int], int]
    features: Callable[[int, int, Any], int]


def strategy_functions() -> StrategyFunctions:
    """
    Return functions to call from an ``@njit`` strategy.

    Call them from compiled code as globals or variables of an enclosing function. The engine and the reader must be
    kept alive in Python for as long as the strategy runs (compiled code has their addresses alone), and nobody else may
    use them meanwhile. Give an asset ``last_trades_capacity(...)`` above 0: hftbacktest keeps no trades otherwise.

    The functions hold addresses of this process, so numba cannot cache what calls them: leave ``cache=True`` out, with
    which it warns or raises. Each call of `strategy_functions` compiles, too: call it once.

    A row is as of ``hbt.current_timestamp``: what the strategy received by then counts, that very nanosecond included.
    `liqcore.features` counts what is dated before the close, so the two differ only where a trade was received at
    exactly the time of reading.

    Examples
    --------
    With ``feed, features = strategy_functions()``, ``eng``, ``reader`` and ``row = numpy.empty(len(reader))`` at hand::

        @njit
        def strategy(hbt, engine, reader, row):
            while hbt.elapse(1_000_000_000) == 0:
                feed(hbt, 0, engine)
                features(engine, reader, row)
                ...

        strategy(hbt, eng.ptr, reader.ptr, row)
    """
    import numba

    trade, advance, read = (cfunc(f"liq_{name}") for name in ("engine_trade", "engine_advance", "features_read"))
    buy, sell = BUY_EVENT, SELL_EVENT

    def feed(hbt: Any, asset_no: int, engine: int) -> int:
        passed_over = 0
        now = hbt.current_timestamp  # which stays behind the last events where the data end
        for event in hbt.last_trades(asset_no):
            sold = (event.ev & sell) != 0
            if sold == ((event.ev & buy) != 0):
                passed_over += 1
                continue
            status = trade(engine, event.local_ts, event.px, event.qty, 1 if sold else 0)
            if status < 0:
                return status  # type: ignore[no-any-return]
            passed_over += status > 0
            now = max(now, event.local_ts)
        hbt.clear_last_trades(asset_no)
        status = advance(engine, now)
        return status if status < 0 else passed_over

    def features(engine: int, reader: int, out: Any) -> int:
        return read(reader, engine, out.ctypes.data, out.size)  # type: ignore[no-any-return]

    # C is given an address alone: no other array may come this far.
    compiled = numba.njit("int32(intp, intp, float64[::1])")(features)
    return StrategyFunctions(numba.njit(feed), compiled)
