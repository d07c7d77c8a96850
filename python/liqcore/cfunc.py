"""Addresses of the C interface, for callers that compile their own loops."""

from . import _core


def cfunc_address(name: str) -> int:
    """
    Return the address of a function of ``liqcore.h``, for numba, cffi or ctypes.

    A compiled loop feeds an engine through it without going back to Python. The function checks nothing of who else
    uses the engine: one thread at a time.

    Parameters
    ----------
    name : {"liq_engine_trade"}
        ``int32_t liq_engine_trade(liq_engine *engine, int64_t ts_ns, double price, double qty, int32_t taker_sell)``;
        the engine is `Engine.ptr`. It returns 0 if the trade was used, above 0 why it was rejected (and counted in
        `Engine.stats`), -1 if it cannot be fed at all, where `Engine.trade` raises.

    Returns
    -------
    int

    Raises
    ------
    InvalidConfigError
        If there is no such function.

    Examples
    --------
    >>> import ctypes
    >>> import liqcore as lq
    >>> kinds = (ctypes.c_int64, ctypes.c_double, ctypes.c_double, ctypes.c_int32)
    >>> trade = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_size_t, *kinds)(lq.cfunc_address("liq_engine_trade"))
    >>> eng = lq.Engine(lq.Instrument(tick_size=0.5, lot_size=0.001))
    >>> trade(eng.ptr, 1_781_222_400_000_000_000, 60_000.0, 1.5, 0)
    0
    >>> trade(eng.ptr, 1_781_222_400_000_000_000, -1.0, 1.5, 0)  # rejected
    3
    >>> eng.stats.used, eng.stats.rejected["not_positive"]
    (1, 1)
    """
    return _core.cfunc_address(name)
