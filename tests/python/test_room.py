"""Memory: what would need more than is left is refused before work begins, with the estimate; what text takes."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.history import shown
from liqcore.history.shown import Shown
from liqcore.render import cells
from liqcore.runs.room import Room
from liqcore.words import room
from recorded import data_dir


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.1, trades_per_day=100_000, seed=3)


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the system is made to say."""
    said: dict[str, str] = {}

    def text(path: str) -> str:
        if path not in said:
            raise FileNotFoundError(path)
        return said[path]

    monkeypatch.setattr(room, "_text", text)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return said


def test_the_least_of_machine_group_and_limit_is_what_is_left(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert room.free_bytes() is None
    files["/proc/meminfo"] = "MemTotal: 8000 kB\nMemAvailable: 5000 kB\n"
    assert room.free_bytes() == 5_120_000
    files |= {"/sys/fs/cgroup/memory.max": "max\n", "/sys/fs/cgroup/memory.current": "100\n"}
    assert room.free_bytes() == 5_120_000
    files["/sys/fs/cgroup/memory.max"] = "3000100\n"
    assert room.free_bytes() == 3_000_000
    files["/proc/self/status"] = "Name: x\nVmSize: 1000 kB\n"
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2_024_000, 2_024_000))
    assert room.free_bytes() == 1_000_000
    files["/sys/fs/cgroup/memory.max"] = "50\n"
    assert room.free_bytes() == 0


def test_this_machine_says_what_is_left() -> None:
    if sys.platform == "linux":
        assert (room.free_bytes() or 0) > 1 << 20


def left(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda: size)


def test_cells_that_do_not_fit_are_refused_and_the_rest_goes_on(
    market: lq.Market, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hm = lq.heatmap(trades=market.trades, window="1s", step=1.0)
    left(monkeypatch, 1 << 26)
    for name in ("values", "liquidated"):
        with pytest.raises(lq.InvalidConfigError, match=r"columns of 1s by .* rows of 1 would need .* GB"):
            getattr(hm, name)
    assert hm.render(tmp_path / "x.png").stat().st_size > 0, "a picture needs no more than its pixels"
    assert hm.map().long.sum() > 0
    assert hm.select(last="1m").values.shape[0] == 60
    assert len(lq.load_heatmap(hm.save(tmp_path / "x.parquet")).times) == len(hm.times)
    left(monkeypatch, 1 << 40)
    assert hm.values.nbytes * 3 > 1 << 26


def test_columns_that_do_not_fit_are_refused_before_a_trade_is_fed(
    market: lq.Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("fed")

    monkeypatch.setattr(lq.Engine, "feed", never)
    left(monkeypatch, 1 << 30)
    with pytest.raises(lq.InvalidConfigError, match=r"columns of 100us would need .* a longer window needs less"):
        lq.heatmap(trades=market.trades, window="100us")


def test_a_picture_is_the_same_whether_its_cells_fit_or_not(
    market: lq.Market, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hm = lq.heatmap(trades=market.trades, window="10s", step=2.0)
    views = {
        "whole": hm,
        "part": hm.select(side="long", last="30m", threshold="p90"),
        "share": hm.select(threshold=0.2),
        "coarse": hm.rebin(window="1m").select(opened_within="20m"),
    }
    for name, view in views.items():
        kept = view.render(tmp_path / "kept.png", width=700, height=450).read_bytes()
        monkeypatch.setattr(Shown, "_is_small", property(lambda _: False))
        monkeypatch.setattr(cells, "BLOCK", 10_000)
        monkeypatch.setattr(shown, "_BLOCK_CELLS", 10_000)
        again = view.select()
        assert again.render(tmp_path / "parts.png", width=700, height=450).read_bytes() == kept, name
        assert "cells" not in again._shown.__dict__, name
        monkeypatch.undo()


def test_what_was_asked_for_is_estimated_from_the_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one long file only the head is known before; then every batch says how far its share of the file goes."""
    left(monkeypatch, 1 << 28)
    room = Room(1_000_000_000, 0)
    room.check(1_000_000 * 1_000_000_000)
    with pytest.raises(
        lq.InvalidConfigError, match=r"10,000,001 columns of 1s would need .* a longer window needs less"
    ):
        room.check(1_000_000 * 1_000_000_000, 0.1)


@pytest.mark.recorded
@pytest.mark.skipif(sys.platform != "linux", reason="asks the system as Linux has it")
def test_seconds_of_five_days_are_saved_and_drawn_in_less_than_2_gb(tmp_path: Path) -> None:
    files = sorted(map(str, (data_dir() / "trades").glob("hyperliquid-BTC-*.parquet")))
    code = (
        "from liqcore.cli.app import app\n"
        "try: app(prog_name='liqcore')\n"
        "finally: print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    asked = ["heatmap", *files, "--window", "1s", "--mmr", "0.004"]
    asked += ["--bin", "1", "--last", "12h", "-o", str(tmp_path / "x.parquet"), "-o", str(tmp_path / "x.png")]
    done = subprocess.run([sys.executable, "-c", code, *asked], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) < 2_000_000  # KB
    assert "43,200 of 1s" in done.stdout  # shown of 444,339 that are saved
    assert len(lq.load_heatmap(tmp_path / "x.parquet")._shown.histories) == 444_339
    assert np.isfinite(lq.load_heatmap(tmp_path / "x.parquet").map().long.sum())
    assert {path.name for path in tmp_path.iterdir()} == {"x.parquet", "x.png"}


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system as Linux has it")
def test_text_takes_40_bytes_a_row(tmp_path: Path) -> None:
    def most_for(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        with path.open("w") as file:
            file.write("id,price,qty,quote_qty,time,is_buyer_maker\n")
            for first in range(0, rows, 100_000):
                file.writelines(
                    f"{i},63610.{i % 10},0.001,63.61,{1781222399211 + i},true\n" for i in range(first, first + 100_000)
                )
        code = (
            "import sys; from liqcore.sources import read_trades\n"
            "assert sum(map(len, read_trades(sys.argv[1]))) > 0\n"
            "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
        )
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        return int(done.stdout) * 1024

    assert most_for(3_100_000) - most_for(1_000_000) < 40 * 2_100_000
