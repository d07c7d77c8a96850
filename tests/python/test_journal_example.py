"""examples/journal.cpp reads journals as liqcore does, whole, torn and damaged; compiled with sanitizers."""

import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mcap")
pytest.importorskip("msgspec")

import liqcore as lq
from liqcore.feeds.events import Change
from liqcore.feeds.frames import changed
from liqcore.live.disk import Disk
from liqcore.live.journal import Journal
from markets import BTC, frames, trades

ROOT = Path(__file__).resolve().parents[2]
TRADES = trades(3000, seed=5, hours=2.5)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    path = tmp_path_factory.mktemp("example") / "liqcore_journal"
    library = Path(lq.get_library())
    command = [compiler, "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined",
               "-fno-sanitize-recover=all", f"-I{ROOT / 'cpp' / 'include'}", str(ROOT / "examples" / "journal.cpp"),
               "-o", str(path), str(library), f"-Wl,-rpath,{library.parent}", "-lzstd"]  # fmt: skip
    if (ccache := shutil.which("ccache")) is not None:
        command.insert(0, ccache)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "zstd.h" in done.stderr:
        pytest.skip("there is no zstd.h (Debian: libzstd-dev)")
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of three segments, of some chunks each, with a frame of the driver among the trades."""
    hole = Change(BTC, "trades", "gap open", int(TRADES.ts[500]), why="not given")
    given = frames(TRADES)
    given.insert(100, changed(hole, given[100].received))
    with Journal(tmp_path / "journal", BTC, files=Disk()) as journal:
        for at in range(0, len(given), 40):
            for frame in given[at : at + 40]:
                journal.append(frame)
            journal.write()
    return tmp_path / "journal"


def run(program: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def files(folder: Path) -> list[str]:
    found = sorted(map(str, folder.glob("*.mcap")))
    assert len(found) == 3
    return found


def rows(said: str) -> list[tuple[int, float, float, bool]]:
    split = (line.split() for line in said.splitlines())
    return [(int(ts), float(price), float(qty), sell == "1") for ts, price, qty, sell in split]


def read(paths: list[str]) -> list[tuple[int, float, float, bool]]:
    """The trades as liqcore reads them."""
    with lq.read_trades(paths) as reader:
        batches = list(reader)
    columns = (
        np.concatenate([getattr(batch, name) for batch in batches]) for name in ("ts", "price", "qty", "taker_sell")
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_it_reads_the_trades_that_liqcore_reads(program: Path, folder: Path) -> None:
    paths = files(folder)
    said, errors = run(program, "--trades", *reversed(paths))
    assert errors == ""
    assert rows(said) == read(paths)
    assert len(rows(said)) == len(TRADES)


def test_its_engine_stands_where_liqcore_stands(program: Path, folder: Path) -> None:
    said, _ = run(program, *files(folder))
    assert "binance-usdm/driver: 1 frames\nbinance-usdm/replay:BTCUSDT: 600 frames\n" in said
    assert "3000 trades used, 0 rejected; 0 frames that cannot be read; 0 stretches lost" in said
    engine = lq.Engine(lq.Instrument(symbol="BTCUSDT", tick_size=0.1, lot_size=0.00001), leverage="default")
    engine.trades(TRADES.ts, TRADES.price, TRADES.qty, TRADES.taker_sell)
    assert f"from the last price {TRADES.price[-1]:.1f}\n" in said
    row = dict(zip((reader := lq.FeatureReader()).names, reader.read(engine).tolist(), strict=True))
    for side in ("long", "short"):
        assert f"{row[f'{side}_zone_low']:.1f}" in said


def test_a_torn_end_is_left_out_and_told(program: Path, folder: Path) -> None:
    paths = files(folder)
    last = Path(paths[-1])
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) * 2 // 3])
    said, errors = run(program, "--trades", *paths)
    assert rows(said) == read(paths)
    assert 2000 < len(rows(said)) < 3000
    assert "never written to its end" in errors


def test_damage_loses_what_is_damaged_and_nothing_else(program: Path, folder: Path) -> None:
    """Bytes are flipped, cut and doubled at random: what is read is what liqcore reads, never other trades."""
    paths = files(folder)
    path, chance = Path(paths[1]), random.Random(1)
    whole = path.read_bytes()
    true = set(read(paths))
    differ = 0
    for _ in range(25):
        data = bytearray(whole)
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + chance.randrange(1, 40)] = chance.randbytes(chance.randrange(25))
            case 2:
                del data[at:]
            case _:
                data[at:at] = data[at : at + chance.randrange(2000)]
        path.write_bytes(data)
        try:
            expected = read(paths)
        except lq.DataError:  # the whole file is refused
            continue
        found = rows(run(program, "--trades", *paths)[0]) if data[:8] == whole[:8] else expected
        assert set(found) <= true
        assert len(found) <= len(TRADES)
        differ += found != expected
    assert differ == 0


def test_what_is_no_journal_is_refused(program: Path, tmp_path: Path) -> None:
    assert "usage" in run(program, code=2)[1]
    assert "cannot be opened" in run(program, str(tmp_path / "none"), code=2)[1]
    (tmp_path / "x.mcap").write_bytes(b"PAR1 and so on")
    assert "is no MCAP file" in run(program, str(tmp_path / "x.mcap"), code=2)[1]
    (tmp_path / "x.mcap").write_bytes(b"\x89MC")
    assert "0 trades used" in run(program, str(tmp_path / "x.mcap"))[0]
