"""Feeding an engine through the C function gives what feeding it from Python gives."""

import ctypes
import re
from pathlib import Path

import numpy as np
import pytest

import liqcore as lq
from liqcore.native.cfunc import _TYPES

TRADE = lq.cfunc("liq_engine_trade")
HEADER = Path(__file__).parents[2] / "cpp" / "include" / "liqcore" / "liqcore.h"


def engine() -> lq.Engine:
    return lq.Engine(lq.Instrument(tick_size=0.1, lot_size=1e-3), window="1m")


def test_trades_through_the_pointer_equal_trades_in_arrays() -> None:
    trades = lq.simulate(seed=6, days=0.02).trades
    through, arrays = engine(), engine()
    arrays.trades(trades.ts, trades.price, trades.qty, trades.taker_sell)
    for row in zip(
        trades.ts.tolist(), trades.price.tolist(), trades.qty.tolist(), trades.taker_sell.tolist(), strict=True
    ):
        assert TRADE(through.ptr, *row) == 0
    assert through.stats == arrays.stats
    for side in ("long", "short"):
        np.testing.assert_array_equal(through.levels_lots(side), arrays.levels_lots(side))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((2, 60_000.0, 1.0, 0), ""),
        ((0, 60_000.0, 1.0, 0), "late"),
        ((2, float("nan"), 1.0, 0), "not_finite"),
        ((2, 60_000.0, 0.0, 0), "not_positive"),
        ((2, 1e300, 1.0, 0), "too_large"),
        ((2, 60_000.05, 1.0, 0), "off_grid"),
    ],
)
def test_the_answer_is_the_reason(row: tuple[int, float, float, int], reason: str) -> None:
    eng = engine()
    eng.trade(1, 60_000.0, 1.0, False)
    answer = TRADE(eng.ptr, *row)
    reasons = ["", "late", "not_finite", "not_positive", "too_large", "off_grid"]
    assert reasons[answer] == reason
    assert {name: count for name, count in eng.stats.rejected.items() if count} == ({reason: 1} if reason else {})


def test_what_would_raise_answers_minus_one_and_changes_nothing() -> None:
    eng = engine()
    eng.trade(1, 60_000.0, 1.0, False)
    before = eng.stats
    assert TRADE(eng.ptr, 2**61, 60_000.0, 1.0, 0) == -1
    assert eng.stats == before


def test_levels_and_windows_through_pointers_are_the_engines() -> None:
    trades = lq.simulate(seed=6, days=0.02).trades
    eng = engine()
    eng.trades(trades.ts, trades.price, trades.qty, trades.taker_sell)
    wanted = eng.levels("short")
    out = np.empty_like(wanted)
    levels = lq.cfunc("liq_engine_levels")
    assert levels(eng.ptr, 1, out.ctypes.data, out.size, 0) == 0
    np.testing.assert_array_equal(out, wanted)
    assert levels(eng.ptr, 1, out.ctypes.data, out.size - 1, 0) == -2
    assert lq.cfunc("liq_error_message")() == (
        f"out must have room for {out.size} values, had for {out.size - 1}".encode()
    )
    kept, total = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
    assert lq.cfunc("liq_engine_windows")(eng.ptr, kept.ctypes.data, total.ctypes.data) == 0
    assert int(kept[0]) == int(total[0]) == len(eng.segments())


def test_every_function_of_the_header_is_there_with_its_types() -> None:
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
    types = {
        "int32_t": ctypes.c_int32,
        "liq_status": ctypes.c_int32,
        "int64_t": ctypes.c_int64,
        "uint64_t": ctypes.c_uint64,
        "size_t": ctypes.c_size_t,
        "double": ctypes.c_double,
        "liq_column_hook": ctypes.c_size_t,
        "void": None,
    }

    def kind(argument: str) -> object:
        return ctypes.c_size_t if "*" in argument else types[argument.replace("const ", "").split()[0]]

    declared = {}
    for result, name, arguments in re.findall(r"LIQCORE_C_EXPORT ([\w ]+\**) ?(liq_\w+)\(([^)]*)\);", text):
        returned = ctypes.c_char_p if "char*" in result else types[result.strip()]
        declared[name] = (returned, *(kind(a) for a in arguments.split(",") if a.strip() != "void"))
    assert declared == _TYPES
    assert len(declared) == text.count("LIQCORE_C_EXPORT ") - 1  # the definition of the macro
    for name in declared:
        assert lq.cfunc_address(name) > 0


def test_a_callback_that_raises_under_a_pointer_is_reported_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[BaseException | None] = []
    monkeypatch.setattr("sys.unraisablehook", lambda what: reported.append(what.exc_value))
    eng, seen = engine(), []

    def callback(segment: lq.Segment) -> None:
        seen.append(segment.start_ns)
        raise ValueError(f"window {len(seen)}")

    eng.on_column(callback)
    for minute in range(4):
        assert TRADE(eng.ptr, minute * 60_000_000_000, 60_000.0, 1.0, 0) == 0
    assert len(seen) == 3
    assert [str(error) for error in reported] == ["window 1", "window 2", "window 3"]
    eng.on_column(None)
    eng.advance(600_000_000_000)  # nothing is left to be raised


@pytest.mark.parametrize("of", [lq.cfunc, lq.cfunc_address])
def test_an_unknown_function_is_refused_by_name(of: object) -> None:
    with pytest.raises(lq.InvalidConfigError, match=r"name must be a function of liqcore.h.* was liq_nothing"):
        of("liq_nothing")  # type: ignore[operator]
