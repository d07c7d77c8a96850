"""Python, C++, C and numba feed an engine the same trades and read the same bits: levels, features, columns."""

import os
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, STRANGERS, build, configure, run

import liqcore as lq

DATA = Path(os.environ.get("LIQCORE_DATA", ROOT.parent / "shared" / "data"))
DAY = DATA / "trades" / "hyperliquid-BTC-20260613.parquet"
HERE = STRANGERS / "same_bits"


def write(trades: list[lq.TradeBatch], path: Path) -> int:
    """Write columns one after the other; return the number of trades."""
    columns = [
        np.concatenate([getattr(batch, name) for batch in trades]) for name in ("ts", "price", "qty", "taker_sell")
    ]
    path.write_bytes(b"".join(column.tobytes() for column in columns))
    return len(columns[0])


@pytest.fixture(scope="module")
def callers(shared_prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("callers")
    configure(HERE, folder, f"-DCMAKE_PREFIX_PATH={shared_prefix}", "-DCMAKE_BUILD_TYPE=Release")
    build(folder)
    return folder


@pytest.mark.parametrize("day", ["simulated", "recorded"])
def test_the_same_bits(callers: Path, embedding_python: Path, tmp_path: Path, day: str) -> None:
    if day == "simulated":
        trades, tick_size, lot_size = [lq.simulate(seed=7, days=0.2).trades], 0.1, 0.001
    elif DAY.exists():
        trades, tick_size, lot_size = list(lq.read_trades(DAY)), 1.0, 0.00001
    else:
        pytest.skip(f"no recorded market data in {DATA} (set LIQCORE_DATA to the folder that holds it)")
    count = write(trades, tmp_path / "trades")
    made: dict[str, bytes] = {}
    for way in ("caller_cpp", "caller_c", "arrays", "batches", "numba"):
        command = [callers / way] if way.startswith("caller") else [embedding_python, HERE / "caller.py", way]
        said = run(*command, tmp_path / "trades", tmp_path / way, count, tick_size, lot_size)
        made[way] = (tmp_path / way).read_bytes()
        if way == "arrays":
            sizes = [int(word) for word in said.split()]
    cells, features, columns = sizes[0], sizes[2], sizes[3]
    assert min(cells, features, columns) > 10
    assert len(made["arrays"]) == 8 * (2 * cells + features) + 4 * 4 * columns
    assert np.count_nonzero(np.frombuffer(made["arrays"], "f4", columns, 8 * (2 * cells + features))) > 100
    for way, bits in made.items():
        assert bits == made["arrays"], f"{way} differs from Python with whole arrays"
