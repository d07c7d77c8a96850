"""Engines as bytes: in files, in memory, in pickles; the same for Python, C and C++."""

import copy
import ctypes
import pickle
from pathlib import Path

import numpy as np
import pytest

import liqcore as lq
from liqcore import _core
from liqcore.native.sdk import get_library

NS = 1_000_000_000
START = 1_780_000_000 * NS
SIM = lq.Instrument(symbol="Ünit", venue="somewhere", tick_size=0.1, lot_size=0.001, assumed=["lot_size"])


def engine(**options):
    usual = {"leverage": {10: 0.5, 50: 0.5}, "window": "1m", "half_life": {50: "2h"}}
    return lq.Engine(options.pop("instrument", SIM), **(usual | options))


def walk(rows=2_000, seed=1):
    random = np.random.default_rng(seed)
    ts = START + np.cumsum(random.integers(0, 4 * NS, rows))
    price = 60_000.0 + np.round(np.cumsum(random.normal(0, 20, rows))) * 0.1
    return ts, price, random.integers(1, 900, rows) * 0.001, random.integers(0, 2, rows).astype(np.bool_)


def part(columns, begin, end):
    return [column[begin:end] for column in columns]


def fed(rows=1_000, **options):
    out = engine(**options)
    out.trades(*part(walk(), 0, rows))
    return out


# --- the same bytes -----------------------------------------------------------------------------------------------


def test_files_hold_the_bytes_that_c_writes(tmp_path):
    eng = fed()
    library = ctypes.CDLL(get_library())
    size = ctypes.c_size_t()
    handle = ctypes.c_void_p(eng.ptr)
    assert library.liq_engine_save(handle, None, ctypes.c_size_t(0), ctypes.byref(size)) == -2  # LIQ_TOO_SMALL
    room = ctypes.create_string_buffer(size.value)
    assert library.liq_engine_save(handle, room, size, None) == 0
    path = eng.save(tmp_path / "engine.liq")
    assert path.read_bytes() == eng.to_bytes() == room.raw

    made = ctypes.c_void_p()
    assert library.liq_engine_load(room, size, 1, ctypes.byref(made)) == 0
    again = ctypes.create_string_buffer(size.value)
    assert library.liq_engine_save(made, again, size, None) == 0
    library.liq_engine_destroy(made)
    assert again.raw == room.raw


def test_what_only_python_knows_comes_back(tmp_path):
    inst = lq.instrument("hyperliquid:BTC", tick_size=1.0, lot_size=0.00001)
    eng = lq.Engine(inst, leverage="default")
    eng.trade(START, 60_000.0, 1.0, False)
    assert eng.dropped_leverage == (50.0, 100.0)
    back = lq.Engine.load(eng.save(tmp_path / "engine.liq"))
    for made in (back, pickle.loads(pickle.dumps(eng)), copy.copy(eng), lq.Engine.from_bytes(eng.to_bytes())):
        assert made.dropped_leverage == (50.0, 100.0)
        assert made.to_bytes() == eng.to_bytes()
        assert made.instrument == inst
        assert made.instrument.assumed == inst.assumed
    # Of a host in C, which has no notes, and of one with notes of its own.
    assert lq.Engine.from_bytes(eng._save("")).dropped_leverage == ()
    assert lq.Engine.from_bytes(eng._save("[1]")).dropped_leverage == ()
    assert lq.Engine.from_bytes(eng._save('{"dropped_leverage": "none"}')).dropped_leverage == ()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"half_life": None, "keep": 3},
        {"axis": lq.PriceAxis(low=50_000, high=70_000, step=5, tick_size=0.1)},
        {"book_step": 5.0, "maker_share": 0.25, "trigger": "mark"},
        {"model": "blend", "half_life": None, "churn": 0.3, "reconciled": True},
    ],
)
def test_whatever_way_it_goes_on_the_same(options, tmp_path):
    columns = walk()
    eng = fed(1_000, **options)
    made = {
        "file": lq.Engine.load(eng.save(tmp_path / "engine.liq")),
        "bytes": lq.Engine.from_bytes(memoryview(eng.to_bytes())),
        "pickle": pickle.loads(pickle.dumps(eng)),
        "copy": copy.copy(eng),
        "deepcopy": copy.deepcopy(eng),
        "clone": eng.clone(),
    }
    for each in (eng, *made.values()):
        each.trades(*part(columns, 1_000, 2_000))
        each.open_interest(int(columns[0][-1]) + 1, 300.0)
    for name, each in made.items():
        assert type(each) is lq.Engine
        assert each.to_bytes() == eng.to_bytes(), name
        assert each.segments() == eng.segments(), name


def test_threads_are_those_asked_for():
    eng = fed(threads=2)
    assert lq.Engine.from_bytes(eng.to_bytes()).threads == 1
    assert lq.Engine.from_bytes(eng.to_bytes(), threads=3).threads == 3
    assert pickle.loads(pickle.dumps(eng)).threads == eng.clone().threads == 2
    assert eng.to_bytes() == fed(threads=1).to_bytes()
    with pytest.raises(lq.InvalidConfigError, match="threads must be between 1 and 256, was 0"):
        lq.Engine.from_bytes(eng.to_bytes(), threads=0)


def test_a_clone_has_no_callback_and_goes_its_own_way():
    eng = fed()
    told = []
    eng.on_column(told.append)
    clone = eng.clone()
    before = clone.to_bytes()
    eng.trade(START + 10**15, 60_000.0, 1.0, False)
    assert told
    assert clone.to_bytes() == before
    told.clear()
    clone.trade(START + 10**15, 60_000.0, 1.0, False)
    assert not told
    assert clone.to_bytes() == eng.to_bytes()


def test_a_subclass_stays_one(tmp_path):
    class Mine(lq.Engine):
        pass

    eng = Mine(SIM, leverage={10: 1.0})
    eng.trade(START, 60_000.0, 1.0, False)
    assert type(eng.clone()) is Mine
    assert type(Mine.load(eng.save(tmp_path / "engine.liq"))) is Mine


# --- damage -------------------------------------------------------------------------------------------------------


def test_a_damaged_file_is_named_with_its_part(tmp_path):
    path = fed().save(tmp_path / "engine.liq")
    whole = path.read_bytes()
    for at, part_name in [(40, "instrument"), (len(whole) // 2, "history"), (len(whole) - 30, "state")]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        match = rf"engine\.liq: expected an engine saved by liqcore: a saved engine is damaged in its {part_name}"
        with pytest.raises(lq.DataError, match=match):
            lq.Engine.load(path)
    path.write_bytes(whole[:1_000])
    with pytest.raises(lq.DataError, match=f"cut off: of {len(whole)} bytes, 1000 are there"):
        lq.Engine.load(path)
    path.write_bytes(b"")
    with pytest.raises(lq.DataError, match="of its head, 0 of 24 bytes are there"):
        lq.Engine.load(path)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"nothing at all" * 30, b"\x89LIQENG\n"])
def test_other_bytes_are_refused(data, tmp_path):
    path = tmp_path / "other"
    path.write_bytes(data)
    with pytest.raises(lq.DataError, match="expected an engine saved by liqcore"):
        lq.Engine.load(path)
    with pytest.raises(lq.DataError):
        lq.Engine.from_bytes(data)


def test_what_is_no_bytes_is_a_type_error():
    for data in ("text", None, 7):
        with pytest.raises(TypeError):
            lq.Engine.from_bytes(data)


def test_saving_that_fails_leaves_what_was_there(tmp_path):
    path = fed().save(tmp_path / "engine.liq")
    before = path.read_bytes()
    with pytest.raises(FileNotFoundError):
        fed().save(tmp_path / "nowhere" / "engine.liq")
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["engine.liq"]


@pytest.mark.parametrize("options", [{}, {"model": "oi"}, {"outlier": 0.1, "trigger": "mark"}])
def test_before_its_first_price_an_engine_keeps_what_it_knows(options, tmp_path):
    eng = engine(**options)
    eng.open_interest(START - NS, 50.0)
    eng.trade(START - NS, -1.0, 1.0, False)
    ways = (
        pickle.loads(pickle.dumps(eng)),
        lq.Engine.load(eng.save(tmp_path / "engine.liq")),
        lq.Engine.from_bytes(engine(**options).to_bytes()),
    )
    assert [made.clock for made in ways] == [eng.clock, eng.clock, None]
    for made in ways[:2]:
        assert made.to_bytes() == eng.to_bytes()
        assert made.stats.rejected == eng.stats.rejected
    for made in (*ways[:2], eng):
        made.trades(*walk(300))
        made.open_interest(made.clock, 60.0)
    assert ways[0].to_bytes() == ways[1].to_bytes() == eng.to_bytes()


# --- the checksum -------------------------------------------------------------------------------------------------


def test_the_checksum_is_crc_32c():
    assert _core.crc32c(b"123456789") == 0xE3069283
    assert _core.crc32c(b"") == 0
    assert _core.crc32c(memoryview(b"6789"), _core.crc32c(b"12345")) == 0xE3069283
    assert _core.crc32c(data=bytes(32), before=0) == 0x8A9136AA


def test_the_head_says_format_and_size(tmp_path):
    data = fed().save(tmp_path / "engine.liq").read_bytes()
    assert data[:8] == b"\x89LIQENG\n"
    assert int.from_bytes(data[8:12], "little") == 2
    assert int.from_bytes(data[12:20], "little") == len(data)
    assert int.from_bytes(data[20:24], "little") == _core.crc32c(data[:20])
    checksum, at, names = 0, 24, []
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at + 4 : at + 12], "little")
        names.append(data[at : at + 4])
        checksum = _core.crc32c(data[at:end], checksum)
        assert int.from_bytes(data[end : end + 4], "little") == checksum
        at = end + 4
    assert names == [b"INST", b"LEVR", b"OPTS", b"HIST", b"STAT", b"NOTE"]
    assert Path(tmp_path / "engine.liq").stat().st_size == at
