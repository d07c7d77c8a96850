"""The functions of the C interface, for callers that compile their own loops."""

from __future__ import annotations

import ctypes
from typing import Any

from .. import _core
from ..errors import InvalidConfigError

_STATUS, _I32, _I64, _U64, _F64 = ctypes.c_int32, ctypes.c_int32, ctypes.c_int64, ctypes.c_uint64, ctypes.c_double
_AT = ctypes.c_size_t  # an address, as Engine.ptr and ndarray.ctypes.data are; and a size_t

# What they return, then what they take. The hook of liq_engine_on_column is an address, too.
_TYPES: dict[str, tuple[Any, ...]] = {
    "liq_abi_version": (_I32,),
    "liq_default_half_life_ns": (_STATUS, _AT, _AT, _AT),
    "liq_engine_accounts": (_STATUS, _AT, _AT, _AT, _AT),
    "liq_engine_advance": (_STATUS, _AT, _I64),
    "liq_engine_clock": (_STATUS, _AT, _AT),
    "liq_engine_clone": (_STATUS, _AT, _AT),
    "liq_engine_close": (_STATUS, _AT, _I32, _F64, _F64, _AT, _AT, _AT, _AT),
    "liq_engine_columns": (_STATUS, _AT, _AT, _AT, _AT, _AT, _AT, _AT),
    "liq_engine_counts": (_STATUS, _AT, _AT),
    "liq_engine_create": (_STATUS, _AT, _AT, _AT),
    "liq_engine_destroy": (None, _AT),
    "liq_engine_feed": (_STATUS, _AT, _AT, _AT, _AT, _AT, _AT),
    "liq_engine_grid": (_STATUS, _AT, _AT),
    "liq_engine_levels": (_STATUS, _AT, _I32, _AT, _AT, _AT),
    "liq_engine_leverage": (_STATUS, _AT, _AT, _AT, _AT, _AT),
    "liq_engine_load": (_STATUS, _AT, _AT, _I32, _AT),
    "liq_engine_map": (_STATUS, _AT, _AT, _AT, _AT),
    "liq_engine_mark": (_STATUS, _AT, _I64, _F64),
    "liq_engine_on_column": (_STATUS, _AT, _AT, _AT),
    "liq_engine_open": (_STATUS, _AT, _I32, _F64, _F64),
    "liq_engine_open_interest": (_STATUS, _AT, _I64, _F64),
    "liq_engine_open_level": (_STATUS, _AT, _I32, _F64, _F64),
    "liq_engine_open_levels": (_STATUS, _AT, _AT, _AT),
    "liq_engine_opens": (_STATUS, _AT, _AT, _AT),
    "liq_engine_options_init": (None, _AT, _AT),
    "liq_engine_picture": (_STATUS, _AT, _AT, _AT, _I64),
    "liq_engine_publish_to": (_STATUS, _AT, _AT),
    "liq_engine_save": (_STATUS, _AT, _AT, _AT, _AT),
    "liq_engine_scale": (_STATUS, _AT, _AT, _AT),
    "liq_engine_scale_part": (_STATUS, _AT, _AT, _AT, _F64, _F64),
    "liq_engine_touch": (_STATUS, _AT, _F64, _F64),
    "liq_engine_touch_last": (_STATUS, _AT, _F64, _F64, _F64),
    "liq_engine_touches": (_STATUS, _AT, _AT),
    "liq_engine_trade": (_STATUS, _AT, _I64, _F64, _F64, _I32),
    "liq_engine_trades": (_STATUS, _AT, _AT, _AT),
    "liq_engine_vendor_event": (_STATUS, _AT, _I64, _F64, _F64),
    "liq_engine_window": (_STATUS, _AT, _U64, _AT),
    "liq_engine_windows": (_STATUS, _AT, _AT, _AT),
    "liq_engine_zones": (_STATUS, _AT, _I64, _F64, _AT, _AT, _AT),
    "liq_error_message": (ctypes.c_char_p,),
    "liq_feature_options_init": (None, _AT, _AT),
    "liq_features_count": (_AT, _AT),
    "liq_features_create": (_STATUS, _AT, _AT),
    "liq_features_destroy": (None, _AT),
    "liq_features_name": (ctypes.c_char_p, _AT, _AT),
    "liq_features_read": (_STATUS, _AT, _AT, _AT, _AT),
    "liq_instrument_init": (None, _AT, _AT),
    "liq_liquidation_price": (_F64, _I32, _F64, _F64, _F64),
    "liq_publisher_ask": (_STATUS, _AT),
    "liq_publisher_count": (_AT, _AT),
    "liq_publisher_create": (_STATUS, _AT, _AT),
    "liq_publisher_destroy": (None, _AT),
    "liq_publisher_missed": (_U64, _AT),
    "liq_publisher_name": (ctypes.c_char_p, _AT, _AT),
    "liq_publisher_options_init": (None, _AT, _AT),
    "liq_publisher_publish": (_STATUS, _AT, _AT),
    "liq_publisher_publish_row": (_STATUS, _AT, _AT),
    "liq_publisher_row": (_STATUS, _AT, _AT, _AT, _AT),
    "liq_publisher_snapshot": (_STATUS, _AT, _AT),
    "liq_snapshot_columns": (_STATUS, _AT, _AT, _AT, _AT, _AT, _AT, _AT),
    "liq_snapshot_counts": (_STATUS, _AT, _AT),
    "liq_snapshot_grid": (_STATUS, _AT, _AT),
    "liq_snapshot_levels": (_STATUS, _AT, _I32, _AT, _AT, _AT),
    "liq_snapshot_map": (_STATUS, _AT, _AT, _AT, _AT),
    "liq_snapshot_moment": (_STATUS, _AT, _AT),
    "liq_snapshot_picture": (_STATUS, _AT, _AT, _AT, _I64),
    "liq_snapshot_release": (None, _AT),
    "liq_snapshot_row": (_STATUS, _AT, _AT, _AT),
    "liq_snapshot_window": (_STATUS, _AT, _U64, _AT),
    "liq_snapshot_windows": (_STATUS, _AT, _AT, _AT),
    "liq_status_name": (ctypes.c_char_p, _I32),
    "liq_version": (ctypes.c_char_p,),
}


def cfunc_address(name: str) -> int:
    """
    Return the address of a function of ``liqcore.h``, for cffi or a compiled extension; `cfunc` gives it its types.

    Parameters
    ----------
    name : str
        Such as ``"liq_engine_trade"``; ``liqcore.h`` in `get_include` documents them.

    Raises
    ------
    InvalidConfigError
        If there is no such function.
    """
    return _core.cfunc_address(name)


def cfunc(name: str) -> Any:
    """
    Return a function of ``liqcore.h`` as ctypes calls it, and numba: also from code compiled with ``@njit``.

    A compiled loop feeds an engine through it without going back to Python. The engine is `Engine.ptr`; every pointer
    is an address (``array.ctypes.data``). The function checks nothing of who else uses the engine: one thread at a
    time, and the `Engine` must be kept alive.

    Parameters
    ----------
    name : str
        As for `cfunc_address`.

    Returns
    -------
    ctypes function
        Those that return a status give 0 for success, above 0 why a row was rejected (and counted in `Engine.stats`),
        below 0 an error, of which ``liq_error_message`` speaks. Cost: about 9 ns a trade from numba (bench/live.py).

    Raises
    ------
    InvalidConfigError
        If there is no such function.

    Examples
    --------
    >>> import liqcore as lq
    >>> trade = lq.cfunc("liq_engine_trade")
    >>> eng = lq.Engine(lq.Instrument(tick_size=0.5, lot_size=0.001))
    >>> trade(eng.ptr, 1_781_222_400_000_000_000, 60_000.0, 1.5, 0)
    0
    >>> trade(eng.ptr, 1_781_222_400_000_000_000, -1.0, 1.5, 0)  # rejected
    3
    >>> lq.cfunc("liq_status_name")(3)
    b'not_positive'
    >>> eng.stats.used, eng.stats.rejected["not_positive"]
    (1, 1)
    """
    if name not in _TYPES:
        raise InvalidConfigError(f"name must be a function of liqcore.h, such as liq_engine_trade, was {name}")
    result, *arguments = _TYPES[name]
    return ctypes.CFUNCTYPE(result, *arguments)(_core.cfunc_address(name))
