"""`liqcore merge`: saved heatmaps of several venues in one picture or result."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")

import liqcore as lq
from liqcore.cli import main
from test_merged import made, worked  # noqa: F401  (a fixture)


@pytest.fixture
def files(worked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:  # noqa: F811
    monkeypatch.chdir(tmp_path)
    for heatmap, name in zip(worked, ("a.parquet", "b.parquet"), strict=True):
        heatmap.save(name)
    return "a.parquet", "b.parquet"


def run(capsys: Any, *args: str) -> tuple[int, str, str]:
    code = main(["merge", *args])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_picture_and_a_result(capsys, files, worked, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COLUMNS", "160")  # whatever the length of the temporary folder's name
    code, out, err = run(capsys, *files, "-o", "all.png", "-o", "all.parquet", "--price-from", "inv")
    assert (code, err) == (0, "")
    assert Path("all.png").read_bytes().startswith(b"\x89PNG")
    hm = lq.load_heatmap("all.parquet")
    assert np.array_equal(hm.values, lq.merge_venues(worked).values)
    assert hm.meta["price_from"] == "inv"
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert "lin + inv X" in lines["market"]
    assert "3 of 5m" in lines["columns"]
    assert "X linear, tick 1, model flow, last event 2025-06-15 16:10:00 UTC" in lines["lin"]
    assert "X inverse, tick 0.5" in lines["inv"]


def test_options_reach_the_result(capsys, files):
    shown = ["--side", "long", "--last", "10m", "--opened-within", "10m", "--threshold", "0.1"]
    code, _, _ = run(capsys, *files, "-o", "all.parquet", "--bin", "20", "--stale-after", "3m", *shown, "-q")
    assert code == 0
    hm = lq.load_heatmap("all.parquet")
    assert hm.step == 20
    assert hm.meta["stale_after_ns"] == 180_000_000_000
    assert len(hm.times) == 2
    assert not hm.short.any()
    assert hm.meta["opened_within_ns"] == 600_000_000_000
    assert hm.meta["hidden"] == "below 10% of maximum"


def test_tiers_and_a_table_of_the_sum(capsys, files, worked):  # noqa: F811
    tiers = ",".join(f"{tier:g}" for tier in lq.merge_venues(worked).leverage.tiers[:1])
    outputs = ["-o", "all.csv", "-o", "all.parquet"]
    code, _, _ = run(capsys, *files, *outputs, "--leverage", tiers, "--from", "2025-06-15", "-q")
    assert code == 0
    shown = lq.merge_venues(worked).select(leverage=float(tiers))
    assert np.array_equal(lq.load_heatmap("all.parquet").values, shown.values)
    rows = Path("all.csv").read_text().splitlines()
    assert rows[0] == "time,low,high,long,short,liquidated,unit"
    assert len(rows) - 1 == np.count_nonzero((shown.values != 0) | (shown.liquidated != 0))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_ended_venue_is_dropped_on_demand(capsys, files):
    made("early", [(0, 1000, 1, False)]).save("early.parquet")
    code, _, err = run(capsys, *files, "early.parquet", "-o", "all.parquet", "--drop-ended", "-q")
    assert code == 0
    assert "it is left out from then on" in err
    assert list(lq.load_heatmap("all.parquet").ended) == ["early"]


def test_venues_without_a_name_of_their_own_are_named_as_their_files(capsys, files):
    made("", [(0, 1000, 1, False)]).save("nameless.parquet")
    Path("c.parquet").write_bytes(Path("a.parquet").read_bytes())
    code, _, err = run(capsys, "nameless.parquet", *files, "c.parquet", "-o", "all.parquet")
    assert code == 0
    assert lq.load_heatmap("all.parquet").venues == ("nameless", "a", "inv", "c")
    assert err.startswith("warning: nameless ends at 2025-06-15T16:05:00Z, before the last column: it is kept")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a.parquet", "a.parquet"], "heatmaps must have different venue names, 'lin' was twice"),
        (["a.parquet", "b.parquet", "--price-from", "x"], "price_from must be among ['lin', 'inv'], was 'x'"),
        (["a.parquet", "none.parquet"], "none.parquet: No such file or directory"),
        (["a.parquet", "text.parquet"], "text.parquet: expected a heatmap saved by liqcore"),
        (["a.parquet", "b.parquet", "--stale-after", "soon"], "stale_after must be a length of time"),
        (["a.parquet", "b.parquet", "--side", "up"], "--side: render.side must be one of"),
    ],
)
@pytest.mark.usefixtures("files")
def test_what_is_wrong_stands_on_one_line(capsys, args, message):
    Path("text.parquet").write_text("hello")
    code, out, err = run(capsys, *args, "-o", "all.png")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1
    assert not Path("all.png").exists()
