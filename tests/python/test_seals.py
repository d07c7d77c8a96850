"""liqcore's own Parquet files carry checksums: whatever is changed is refused, naming the file and the part."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from damage import damaged
from liqcore.tables.seal import MARK
from test_saved_by_0_1_0 import SAVED

Load = Callable[..., Any]
KINDS: dict[str, Load] = {
    "heatmap": lq.load_heatmap,
    "merged": lq.load_heatmap,
    "footprints": lq.load_footprints,
    "features": lq.load_features,
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind, with several row groups and idle windows among them."""
    folder = tmp_path_factory.mktemp("saved")
    market = lq.simulate(days=0.05, trades_per_day=40_000, seed=5)
    hm = lq.heatmap(trades=market.trades, symbol="SIM", window="1m", half_life="1h")
    other = lq.heatmap(trades=market.trades, symbol="SIM", window="1m", leverage={5: 1.0})
    return {
        "heatmap": hm.save(folder / "heatmap.parquet"),
        "merged": lq.merge_venues({"one": hm, "two": other}).save(folder / "merged.parquet"),
        "footprints": lq.footprints(trades=market.trades, symbol="SIM").save(folder / "footprints.parquet"),
        "features": lq.features(market.trades, "5m", symbol="SIM").save(folder / "features.parquet"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_is_loaded_with_each_level_of_checking(kind: str, saved: dict[str, Path]) -> None:
    for verify in ("all", "header"):
        assert KINDS[kind](saved[kind], verify=verify) is not None
    with pytest.raises(lq.InvalidConfigError, match=r"verify must be one of \('all', 'header'\), was 'none'"):
        KINDS[kind](saved[kind], verify="none")


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_refused(kind: str, saved: dict[str, Path], tmp_path: Path) -> None:
    content, path = saved[kind].read_bytes(), tmp_path / "x.parquet"
    rng = random.Random(7)
    tail = range(len(content) - 300, len(content))  # the end of the checksums' block and of the footer
    for at in [0, 3, 4, *rng.sample(range(len(content)), 150), *tail]:
        changed = bytearray(content)
        changed[at] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(lq.DataError, match=r"x\.parquet: expected .* saved by liqcore, found "):
            KINDS[kind](path)


def test_the_message_names_the_part(saved: dict[str, Path], tmp_path: Path) -> None:
    content, path = saved["heatmap"].read_bytes(), tmp_path / "x.parquet"
    block = json.loads(content[content.rindex(b'{"columns"') : content.rindex(MARK) - 8])
    for name, at, size, _ in block["columns"]:
        changed = bytearray(content)
        changed[at + size // 2] ^= 4
        path.write_bytes(changed)
        with pytest.raises(lq.DataError, match=f"found a damaged file: column {name} is damaged"):
            lq.load_heatmap(path)
    for at, part in (
        (0, "another kind of file"),
        (-20, "its footer is damaged"),
        (-2, "its end is missing or damaged"),
    ):
        changed = bytearray(content)
        changed[at] ^= 4
        path.write_bytes(changed)
        with pytest.raises(lq.DataError, match=part):
            lq.load_heatmap(path)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_refused(kind: str, saved: dict[str, Path], tmp_path: Path) -> None:
    content, path = saved[kind].read_bytes(), tmp_path / "x.parquet"
    rng = random.Random(11)
    for _ in range(150):
        changed = damaged(content, rng)
        if changed == content:
            continue
        path.write_bytes(changed)
        with pytest.raises(lq.DataError, match=r"x\.parquet: expected .* saved by liqcore, found "):
            KINDS[kind](path)


def test_other_readers_pass_over_the_block(saved: dict[str, Path]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    hm = lq.load_heatmap(saved["heatmap"])
    table = parquet.read_table(saved["heatmap"])
    assert table.num_rows > len(hm.times)
    assert json.loads(table.schema.metadata[b"liqcore.heatmap"])["schema"] == 2


def test_files_of_before_say_that_they_carry_none_and_get_one(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    shutil.copyfile(SAVED / "features.parquet", path)
    old = lq.load_features(path)
    assert old.meta["no_checksum"].startswith("old.parquet was saved by an earlier liqcore, without a checksum")
    again = lq.load_features(old.save(tmp_path / "again.parquet"))
    assert "no_checksum" not in again.meta
    np.testing.assert_array_equal(again.values, old.values)
    assert MARK in (tmp_path / "again.parquet").read_bytes()
    hm = lq.load_heatmap(SAVED / "heatmap.parquet")
    assert "no_checksum" in hm.meta
    assert "no_checksum" not in lq.load_heatmap(hm.save(tmp_path / "hm.parquet")).meta
