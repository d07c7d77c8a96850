"""What results become outside: CSV, data frames, datasets, notebooks, bytes; copies and other processes."""

import copy
import csv
import io
import math
import multiprocessing
import pickle
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.config import Config
from liqcore.tables.frames import Columns, Tabular, decimals_of
from test_time_frames import HOUR, START, engine_of


@pytest.fixture(scope="module")
def market() -> lq.Market:
    return lq.simulate(days=0.2, trades_per_day=40_000, seed=5)


@pytest.fixture(scope="module")
def hm(market: lq.Market) -> lq.Heatmap:
    return lq.heatmap(trades=market.trades, symbol="SIM", venue="test", contract="linear", leverage={10: 0.5, 50: 0.5},
                      instrument=lq.Instrument(symbol="SIM", venue="test", tick_size=0.1, lot_size=0.001))  # fmt: skip


@pytest.fixture(scope="module")
def found(market: lq.Market) -> lq.Features:
    return lq.features(market.trades, "5m", symbol="SIM", warmup="15m")


def rows_of(path: Path) -> tuple[list[str], list[list[str]]]:
    with open(path, newline="", encoding="utf-8") as stream:
        head, *rows = csv.reader(stream)
    return head, rows


def check_cells(path: Path, times: int, prices: tuple[str, ...], decimals: int) -> None:
    """What a spreadsheet makes of every cell: a day with a time, prices of the tick, numbers without an exponent."""
    head, rows = rows_of(path)
    assert rows
    for row in rows:
        assert len(row) == len(head)
        for name, cell in zip(head, row, strict=True):
            if name in ("time", "since"):
                datetime.strptime(cell, "%Y-%m-%d %H:%M:%S")
            elif name in prices:
                assert len(cell.partition(".")[2]) == decimals, (name, cell)
            elif name not in ("side", "unit") and cell:
                assert "e" not in cell
                float(cell)
    assert len({row[head.index("time")] for row in rows}) == times


# ------------------------------------------------------------------------------------------------------- spreadsheets


def test_the_cells_of_a_heatmap_as_csv(hm: lq.Heatmap, tmp_path: Path) -> None:
    path = hm.save(tmp_path / "hm.csv")
    check_cells(path, len(hm.times), ("low", "high"), 1)
    head, rows = rows_of(path)
    assert head == ["time", "low", "high", "long", "short", "liquidated", "unit"]
    assert {row[-1] for row in rows} == {"usd"}
    cells = np.array([[float(cell) for cell in row[1:-1]] for row in rows])
    assert (cells[:, 1] - cells[:, 0]).round(6).tolist() == [round(hm.step, 6)] * len(cells)
    for column, wanted in zip(cells.T[2:], (hm.long, hm.short, hm.liquidated), strict=True):
        assert column.sum() == pytest.approx(wanted.sum(dtype=np.float64), rel=1e-6)
    assert (cells[:, 2:] > 0).any(axis=1).all()


def test_a_map_as_csv(hm: lq.Heatmap, tmp_path: Path) -> None:
    now = hm.map()
    path = now.save(tmp_path / "map.csv")
    check_cells(path, 1, ("low", "high"), 0)  # rows of 25
    head, rows = rows_of(path)
    assert head[:7] == ["time", "low", "high", "long", "short", "cumulative_long", "cumulative_short"]
    assert head[7:] == ["long_10x", "short_10x", "long_50x", "short_50x", "unit"]
    values = {name: [float(row[at]) for row in rows] for at, name in enumerate(head[:-1]) if at}
    assert sum(values["long"]) == pytest.approx(now.long.sum(), rel=1e-6)
    assert values["cumulative_long"][0] == pytest.approx(now.long.sum(), rel=1e-6)
    assert sum(values["long_10x"]) + sum(values["long_50x"]) == pytest.approx(sum(values["long"]), abs=0.01 * len(rows))


def test_zones_as_csv(hm: lq.Heatmap, tmp_path: Path) -> None:
    zones = hm.zones()
    path = zones.save(tmp_path / "zones.csv")
    check_cells(path, 1, ("low", "high"), 0)
    head, rows = rows_of(path)
    assert [float(row[head.index("low")]) for row in rows] == [zone.low for zone in zones]
    assert {row[head.index("side")] for row in rows} == {"long", "short"}
    eng = engine_of([(0, 1000, 4, False), (2.2, 895, 0.1, True)], leverage={2: 0.5, 10: 0.5})
    swept = eng.heatmap(step=10).swept(START + HOUR)
    swept.save(path)
    assert rows_of(path)[0][-5:] == ["swept_start", "swept_end", "swept_by", "swept_price", "swept_value"]
    assert len(rows_of(path)[1]) == len(swept) > 0


def test_features_as_csv(found: lq.Features, tmp_path: Path) -> None:
    path = found.save(tmp_path / "features.csv")
    check_cells(path, len(found), (), 0)
    assert rows_of(path)[0] == ["time", *found.names]


@pytest.mark.parametrize("name", ["x.xlsx", "x", "x.csv.gz", "x.png"])
def test_another_ending_is_refused_by_name(hm: lq.Heatmap, found: lq.Features, tmp_path: Path, name: str) -> None:
    for saved, known in (
        (hm, ".parquet, .csv or .html"),
        (found, ".parquet or .csv"),
        (hm.map(), ".csv or .html"),
        (hm.zones(), ".csv"),
    ):
        with pytest.raises(lq.InvalidConfigError, match=rf'^path must end in {known}, was ".*{name}"$'):
            saved.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_binary_fractions_do_not_show(tmp_path: Path) -> None:
    class Table(Tabular):
        def _columns(self) -> Columns:
            given: dict[str, Any] = {
                "price": np.array([62956.700000000004, 0.1 + 0.2, math.nan]),
                "text": ['a "b", c', "d", ""],
            }
            return Columns({**given, "time": np.array([0, 1_500_000_000, -(2**63)]).view("datetime64[ns]")}, {})

    path = Table()._save_csv(tmp_path / "x.csv")
    assert path.read_text() == (
        'price,text,time\n62956.7,"a ""b"", c",1970-01-01 00:00:00\n0.3,d,1970-01-01 00:00:01.5\n,,\n'
    )


def test_more_rows_than_a_spreadsheet_shows_are_said(
    hm: lq.Heatmap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liqcore.tables.frames.MOST_ROWS", 10)
    with pytest.warns(UserWarning, match=r"^the table has [0-9,]+ rows, of which spreadsheets show 10: show a"):
        hm.save(tmp_path / "x.csv")


def test_decimals_are_those_of_the_step() -> None:
    assert [decimals_of(step) for step in (1e-8, 0.25, 1.0, 1e6, 3 * 0.1)] == [8, 2, 0, 0, 1]


# -------------------------------------------------------------------------------------------------------- data frames


def test_frames_of_pandas(hm: lq.Heatmap, found: lq.Features) -> None:
    cells = hm.to_pandas()
    assert str(cells["time"].dtype) == "datetime64[ns, UTC]"
    wide = cells.pivot(index="time", columns="low", values="long").fillna(0.0)
    assert wide.to_numpy().sum() == pytest.approx(hm.long.sum(dtype=np.float64), rel=1e-6)
    assert hm.map().to_pandas()["long"].sum() == pytest.approx(hm.map().long.sum())
    assert hm.zones().to_pandas()["value"].tolist() == [zone.value for zone in hm.zones()]
    assert list(found.to_pandas().columns) == ["time", *found.names]
    empty = hm.select(threshold=1e12)
    assert len(empty.map().to_pandas()) == len(empty.zones().to_pandas()) == 0


@pytest.mark.parametrize("package", ["polars", "xarray"])
def test_frames_of_packages_that_need_not_be_there(hm: lq.Heatmap, found: lq.Features, package: str) -> None:
    pytest.importorskip(package)
    if package == "polars":
        for one in (hm, hm.map(), hm.zones(), found):
            frame, other = one.to_polars(), one.to_pandas()
            assert frame.columns == list(other.columns)
            assert len(frame) == len(other)
            assert str(frame["time"].dtype) == "Datetime(time_unit='ns', time_zone='UTC')"
        return
    assert hm.to_xarray()["long"].shape == hm.long.shape
    now = hm.map()
    assert float(now.to_xarray()["short"].sel(tier=10.0).sum()) == pytest.approx(now.short[0].sum())
    assert found.to_xarray()["price"].shape == (len(found),)


@pytest.mark.parametrize("package", ["pandas", "polars", "xarray"])
def test_what_is_not_installed_is_named(hm: lq.Heatmap, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"^to_{package}\(\) needs {package}: pip install {package}$"):
        getattr(hm, f"to_{package}")()


# ---------------------------------------------------------------------------------------------------------- notebooks


def test_notebooks_show_pictures_and_tables(hm: lq.Heatmap, found: lq.Features) -> None:
    pytest.importorskip("PIL")
    for pictured in (hm, hm.map()):
        png = pictured._repr_png_()
        assert png is not None
        assert png.startswith(b"\x89PNG")
        assert "data:image/png;base64," in pictured._repr_html_()
    for table in (hm.zones(), found):
        assert table._repr_html_().count("<tr>") == min(len(table), 20) + 1
    assert "of" in found._repr_html_().split("</table>")[1]  # 20 of so many rows
    hm_of_markup = copy.copy(hm)
    hm_of_markup.meta["symbol"] = "<b>"
    assert "<b>" not in hm_of_markup._repr_html_()


def test_what_cannot_be_drawn_says_why(hm: lq.Heatmap, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_pillow(*_: Any, **__: Any) -> None:
        raise lq.LiqcoreError('png pictures need Pillow: pip install "liqcore[app]"')

    monkeypatch.setattr("liqcore.render.render", without_pillow)
    assert hm._repr_png_() is None
    assert "png pictures need Pillow" in hm._repr_html_()


def test_representations_are_one_short_line(hm: lq.Heatmap, found: lq.Features) -> None:
    others = (hm.at("2026-01-05T03:00"), hm.age(), hm.select(threshold=1e12).zones(), Config())
    for shown in (hm, hm.map(), hm.zones(), found, *others):
        assert repr(shown).startswith("<")
        assert len(repr(shown)) < 120
        assert "\n" not in repr(shown)
    assert repr(Config().replace(window={"length": "1m"})) == "<Config: window.length='1m'>"


def test_a_picture_as_bytes_in_a_file_and_under_a_name(hm: lq.Heatmap, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    for shown in (hm, hm.map()):
        picture = shown.render(width=480, height=270)
        file = io.BytesIO()
        assert shown.render(file, width=480, height=270) is None
        path = shown.render(tmp_path / "x.png", width=480, height=270)
        assert picture == file.getvalue() == path.read_bytes()
        with pytest.raises(lq.InvalidConfigError, match=r"renderer must be one of .*, was 'gif'"):
            shown.render(renderer="gif")
        with pytest.raises(TypeError, match="path must be a path, a binary file or left out, was 5"):
            shown.render(5)  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------- copies and other processes


def same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, lq.Heatmap):
        assert np.array_equal(one.long, other.long)
        assert np.array_equal(one.short, other.short)
        assert np.array_equal(one.times, other.times)
        assert one.meta == other.meta
        assert not other.long.flags.writeable
    elif isinstance(one, lq.LiquidationMap):
        assert np.array_equal(one.long, other.long)
        assert one.sentence() == other.sentence()
        assert one.venues.keys() == other.venues.keys()
        assert not other.long.flags.writeable
    elif isinstance(one, lq.Engine):
        assert one.to_bytes() == other.to_bytes()
    elif isinstance(one, lq.Features):
        assert np.array_equal(one.values, other.values, equal_nan=True)
    else:
        assert one == other


@pytest.fixture(scope="module")
def objects(hm: lq.Heatmap, found: lq.Features) -> dict[str, Any]:
    eng = lq.Engine(lq.Instrument(symbol="X", tick_size=1, lot_size=1), leverage={10: 1.0}, half_life=None)
    eng.trade(0, 1_000.0, 5.0, False)
    merged = lq.merge_venues({"one": hm, "two": hm})
    return {
        "heatmap": hm,
        "part": hm.select(side="long", leverage=50, last="1h", threshold="5%"),
        "merged": merged,
        "map": hm.map(),
        "merged map": merged.map(),
        "zones": hm.zones(),
        "engine": eng,
        "configuration": Config().replace(leverage={"shares": {10: 0.5, 20: 0.5}}),
        "features": found,
    }


COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_are_the_same(objects: dict[str, Any], way: str) -> None:
    for one in objects.values():
        same(one, COPIES[way](one))


def test_a_copy_has_metadata_of_its_own(hm: lq.Heatmap) -> None:
    for way in COPIES.values():
        other = way(hm)
        other.meta["symbol"] = "other"
        assert hm.meta["symbol"] == "SIM"


def test_a_pickled_map_is_small_and_says_that_it_knows_no_age(hm: lq.Heatmap) -> None:
    now = hm.map()
    assert len(pickle.dumps(now)) < 10 * now.long.nbytes + 20_000
    with pytest.raises(lq.InvalidConfigError, match="the age of a map is known only where a heatmap made it"):
        pickle.loads(pickle.dumps(now)).age()
    assert copy.deepcopy(now).age().opened.shape == now.age().opened.shape


@pytest.mark.leaves_behind("the resource tracker of multiprocessing lives on with its pipe")
def test_other_processes_take_and_return_them(objects: dict[str, Any]) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        for one, other in zip(objects.values(), pool.map(copy.copy, objects.values()), strict=True):
            same(one, other)
