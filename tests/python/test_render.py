"""The PNG renderer, its layout, the registry of renderers, and the writing of whole files."""

import dataclasses
import importlib.metadata
import inspect
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from liqcore.errors import InvalidConfigError, LiqcoreError
from liqcore.render import Picture, RenderOptions, describe, load_renderer, registry, render, renderers
from liqcore.render.captions import ESTIMATE, SYNTHETIC, UNFINISHED
from liqcore.render.colours import COLORMAPS, colour_table
from liqcore.render.labels import DAY, HOUR, MINUTE, price_ticks, time_ticks
from liqcore.render.picture import Box, Candle, Raster, Rect
from liqcore.render.raster import PixelCells, colour_index, default_maximum, pixel_cells, pool_columns, pool_rows
from liqcore.testing import SampleHeatmap, check_renderer, edge_cases, sample_heatmap
from liqcore.words.files import write_whole
from pictures import assert_sound

SIZES = [(1600, 900), (800, 450), (480, 270), (3840, 2160)]
BRIGHT = np.array([253, 231, 37])  # the last entry of viridis; a grid line over it is less than 40 away


def plain(columns: int = 100, bins: int = 200, step: float = 10.0, **changes: Any) -> SampleHeatmap:
    """A heatmap of zeros without candles, from price 1,000 up, one window a minute."""
    nothing = np.zeros((columns, bins), np.float32)
    candles = np.full(columns, np.nan, sample_heatmap(0, 0).candles.dtype)
    times = MINUTE * np.arange(columns, dtype=np.int64)
    prices = 1_000 + step * np.arange(bins)
    made = SampleHeatmap(times, MINUTE, prices, step, nothing.copy(), nothing.copy(), nothing.copy(), candles)
    return dataclasses.replace(made, **changes)


def planned(heatmap: Any, **options: Any) -> Picture:
    return describe(heatmap, RenderOptions(**options))


def plot_of(picture: Picture) -> Rect:
    return picture.panel("plot").rect


def entries_of(picture: Picture) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The entries of the colour table in the plot, rows from the top."""
    (raster,) = picture.marks(Raster)
    assert isinstance(raster, Raster)
    return raster.entries


def bars_of(picture: Picture) -> list[Box]:
    return [bar for bar in picture.marks(Box, "profile") if isinstance(bar, Box) and bar.role != "panel"]


def candles_of(picture: Picture) -> list[Candle]:
    return [candle for candle in picture.marks(Candle) if isinstance(candle, Candle)]


def pixels(heatmap: Any, path: Path, picture: Picture, **options: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The inside of the plot of a picture, rows from the top."""
    plot = plot_of(picture)
    with Image.open(render(heatmap, path / "map.png", **options)) as image:
        return np.asarray(image)[plot.top : plot.bottom, plot.left : plot.right]


def texts(picture: Picture) -> list[str]:
    return [text.text for text in picture.texts]


def pool(values: Any, columns: PixelCells, rows: PixelCells) -> Any:
    largest = np.zeros((len(columns.first), values.shape[1]), np.float32)
    for begin in range(0, len(values), 3):  # whatever the blocks
        pool_columns(values[begin : begin + 3], None, begin, columns, largest)
    return pool_rows(largest, rows)


# ------------------------------------------------------------------------------------------------------ cells to pixels


@settings(deadline=None)  # a busy machine is not a failure
@given(
    bins=st.integers(1, 400),
    pixels=st.integers(1, 300),
    start=st.floats(-100, 100),
    width=st.sampled_from([0.1, 1.0, 0.3, 25.0, 1e-7]),
)
def test_every_cell_is_in_a_pixel_and_every_pixel_has_a_cell(bins, pixels, start, width):
    starts = (start + np.arange(bins)) * width
    cells = pixel_cells(starts, width, starts[0], starts[-1] + width, pixels)
    shown = set()
    for first, stop in zip(cells.first, cells.stop, strict=True):
        assert first < stop
        shown.update(range(first, stop))
    assert shown == set(range(bins))


@settings(deadline=None)  # a busy machine is not a failure
@given(bins=st.integers(1, 60), pixels=st.integers(1, 60), seed=st.integers(0, 999))
def test_pooling_is_the_largest_cell_of_each_pixel(bins, pixels, seed):
    values = np.random.default_rng(seed).integers(0, 100, (7, bins)).astype(np.float32)
    rows = pixel_cells(np.arange(float(bins)), 1.0, -2.0, bins + 1.5, pixels)
    columns = pixel_cells(np.arange(7.0), 1.0, 0.0, 7.0, 5)
    got = pool(values, columns, rows)
    for x in range(5):
        for y in range(pixels):
            part = values[columns.first[x] : columns.stop[x], rows.first[y] : rows.stop[y]]
            assert got[x, y] == part.max(initial=0)


def test_pixels_beside_the_cells_show_nothing():
    cells = pixel_cells(np.array([10.0, 11.0]), 1.0, 8.0, 14.0, 6)
    np.testing.assert_array_equal(cells.stop - cells.first, [0, 0, 1, 1, 0, 0])


def test_nan_hides_no_other_cell():
    values = np.array([[np.nan, 3.0, 1.0, np.nan]], np.float32)
    both = pixel_cells(np.arange(4.0), 1.0, 0.0, 4.0, 2)
    one = pixel_cells(np.arange(1.0), 1.0, 0.0, 1.0, 1)
    np.testing.assert_array_equal(pool(values, one, both), [[3.0, 1.0]])
    each = pixel_cells(np.arange(4.0), 1.0, 0.0, 4.0, 4)
    np.testing.assert_array_equal(pool(values, one, each), [[0.0, 3.0, 1.0, 0.0]])


def test_square_root_and_linear_scale():
    values = np.array([0, 25, 100, 400], np.float32)
    assert colour_index(values, 100, "sqrt").tolist() == [0, 128, 255, 255]
    assert colour_index(values, 100, "linear").tolist() == [0, 64, 255, 255]


def test_default_maximum_is_a_high_percentile_of_the_cells_that_are_not_zero():
    values = np.zeros((10, 1_000), np.float32)
    values[3, :200] = np.arange(1, 201)
    assert default_maximum(values) == 199
    assert default_maximum(np.zeros((3, 4), np.float32)) == 0
    assert default_maximum(np.array([[0, 0, 7]], np.float32)) == 7


def test_colour_tables_have_256_colours_from_dark_to_bright():
    for name in COLORMAPS:
        table = colour_table(name).astype(float)
        assert table.shape == (256, 3)
        assert (np.diff(table @ [0.2126, 0.7152, 0.0722]) > -0.5).all()
    for name, middle in (("viridis", (33, 145, 140)), ("cividis", (125, 124, 120)), ("inferno", (188, 55, 84))):
        np.testing.assert_allclose(colour_table(name)[128], middle, atol=1, err_msg=name)


# ----------------------------------------------------------------------------------------------- what the picture shows


@pytest.mark.parametrize(("width", "height"), [(480, 270), (800, 450), (1600, 900), (1601, 907), (2400, 600)])
@pytest.mark.parametrize("shape", [(7, 5), (100, 200), (720, 3_000), (5_000, 50)])
def test_a_single_bright_cell_is_seen_at_any_size(tmp_path, width, height, shape):
    heatmap = plain(*shape)
    column, bin_ = shape[0] * 2 // 3, shape[1] // 3
    heatmap.long[column, bin_] = 5e6
    plan = planned(heatmap, width=width, height=height, price_range=(1_000, 1_000 + 10 * shape[1]))
    area = pixels(heatmap, tmp_path, plan, width=width, height=height, price_range=(1_000, 1_000 + 10 * shape[1]))
    ys, xs = np.nonzero((np.abs(area.astype(int) - BRIGHT) < 40).all(axis=2))
    assert len(ys), "the cell is lost"
    y, x, plot = plan.scales["price"].at, plan.scales["time"].at, plot_of(plan)
    edges_y = y(heatmap.prices[bin_] + 10) - plot.top, y(heatmap.prices[bin_]) - plot.top
    edges_x = [x(heatmap.times[column] + window * MINUTE) - plot.left for window in (0, 1)]
    for found, (begin, end) in ((ys, edges_y), (xs, edges_x)):
        if end - begin >= 1:  # zoomed in: whole pixels, within half a pixel of the edges
            assert abs(found.min() - begin) <= 0.5
            assert abs(found.max() + 1 - end) <= 0.5
        else:  # zoomed out: the one pixel that the cell's middle is in
            assert found.min() == found.max() == int((begin + end) / 2)


def test_the_twenty_largest_levels_are_all_seen_when_zoomed_out():
    heatmap = plain(10, 1_000)
    heatmap.short[:, np.random.default_rng(3).choice(1_000, 20, replace=False)] = 1 + np.arange(20)
    plan = planned(heatmap, width=800, height=350, price_range=(1_000, 11_000), maximum=20, scale="linear")
    assert plot_of(plan).height < 300
    assert set(np.unique(entries_of(plan))) == {0, *colour_index(np.arange(1, 21, dtype=np.float32), 20, "linear")}


def test_a_pixel_row_is_the_price_that_the_axis_says(tmp_path):
    heatmap = plain(10, 200)
    heatmap.long[:, 100:] = 1.0
    plan = planned(heatmap, price_range=(1_500, 2_600))
    area = pixels(heatmap, tmp_path, plan, price_range=(1_500, 2_600))
    above = (np.abs(area[:, 20].astype(int) - BRIGHT) < 40).all(axis=1)
    boundary = plot_of(plan).top + int(np.argmin(above))  # first row below price 2,000
    label = next(text for text in plan.texts if text.text == "2,000")
    assert abs(label.y - boundary) <= 0.5
    assert plan.scales["price"].at(2_000) == pytest.approx(label.y)


@pytest.mark.parametrize(("span", "expected"), [(3 * HOUR, "01:00"), (3 * DAY, "Jan 2"), (365 * DAY, "Apr")])
def test_a_pixel_column_is_the_time_that_the_axis_says(span, expected):
    heatmap = plain(10, 10)
    heatmap = dataclasses.replace(heatmap, times=np.arange(10, dtype=np.int64) * (span // 10), window_ns=span // 10)
    plan = planned(heatmap)
    label = next(text for text in plan.texts if text.text == expected)
    at = {"01:00": HOUR, "Jan 2": DAY, "Apr": 90 * DAY}[expected]
    assert label.x == pytest.approx(plot_of(plan).left + at / span * plot_of(plan).width)


def test_threshold_hides_smaller_cells():
    heatmap = plain(2, 3)
    heatmap.long[:, :] = [10, 49, 75]
    plan = planned(heatmap, maximum=100, threshold=0.5, scale="linear", price_range=(1_000, 1_030))
    assert set(np.unique(entries_of(plan))) == {0, 128}, "the colours go from the cut to the maximum"
    assert (plan.scales["colour"].low, plan.scales["colour"].high) == (50, 100)
    assert "below $50 hidden" in " ".join(texts(plan))


def test_side_shows_that_side_alone():
    heatmap = plain(2, 2)
    heatmap.long[:, 0] = 5
    heatmap.short[:, 1] = 7
    for side, rows in (("long", [False, True]), ("short", [True, False]), ("both", [True, True])):
        plan = planned(heatmap, side=side, price_range=(1_000, 1_020))
        half, entries = plot_of(plan).height // 2, entries_of(plan)
        assert [entries[:half].any(), entries[-half:].any()] == rows
        assert {bar.role for bar in bars_of(plan)} == ({"long", "short"} if side == "both" else {side})


def test_the_profile_sums_the_bins_of_the_last_column():
    heatmap = plain(3, 1_000)
    heatmap.long[-1, :300] = 2
    heatmap.short[-1, 300:] = 1
    heatmap.long[0] = 99
    plan = planned(heatmap, price_range=(1_000, 11_000))
    assert {"longs $600 in all", "shorts $700 in all"} <= set(texts(plan))
    by_role = {role: [bar.rect for bar in bars_of(plan) if bar.role == role] for role in ("long", "short")}
    width = plan.scales["profile"].end - plan.scales["profile"].start
    assert by_role["long"][0].width == width
    assert by_role["short"][1].width == pytest.approx(width / 2, abs=1)
    assert min(rect.top for rect in by_role["long"]) >= plan.scales["price"].at(4_000) - 3


def test_candles_are_joined_where_there_are_more_columns_than_room():
    heatmap = plain(10_000, 4)
    heatmap.candles["open"], heatmap.candles["close"] = 1_010, 1_020
    heatmap.candles["high"], heatmap.candles["low"] = 1_025, 1_005
    heatmap.candles["high"][5_000] = 1_039
    heatmap.candles[7_000:7_005] = tuple(np.nan for _ in heatmap.candles.dtype.names)
    plan = planned(heatmap, price_range=(1_000, 1_040))
    candles, plot = candles_of(plan), plot_of(plan)
    assert len(candles) <= plot.width / 4 + 1
    spikes = [candle for candle in candles if candle.high < plan.scales["price"].at(1_030)]
    assert len(spikes) == 1
    assert spikes[0].x == pytest.approx(plot.left + plot.width / 2, abs=4)
    assert all(candle.up for candle in candles)


def shown_prices(heatmap: SampleHeatmap, **options: Any) -> tuple[float, float]:
    scale = planned(heatmap, **options).scales["price"]
    return scale.low, scale.high


def test_default_prices_are_the_market_and_as_much_again():
    heatmap = plain(10, 200)  # prices 1,000 to 3,000
    for name, price in {"open": 2_000, "high": 2_100, "low": 1_900, "close": 2_000}.items():
        heatmap.candles[name] = price
    heatmap.long[:, :] = 1
    assert shown_prices(heatmap) == (1_700, 2_300)
    heatmap.long[:, 125:] = 0  # no levels from 2,250 on
    assert shown_prices(heatmap) == (1_700, 2_250)
    heatmap.candles["low"], heatmap.candles["high"] = 1_999, 2_000
    assert shown_prices(heatmap) == (1_999 - 60, 2_060)


def test_a_single_wick_does_not_decide_what_is_shown():
    heatmap = plain(1_000, 200)
    for name, price in {"open": 2_000, "high": 2_100, "low": 1_900, "close": 2_000}.items():
        heatmap.candles[name] = price
    heatmap.candles["low"][500] = 1_050
    heatmap.long[:, :] = 1
    assert shown_prices(heatmap) == (1_700, 2_300)


# ------------------------------------------------------------------------------------------------------------ the words


def test_synthetic_data_is_labelled_visibly(tmp_path):
    sample = sample_heatmap(20, 20)
    plan = planned(sample)
    label = next(text for text in plan.texts if text.text == SYNTHETIC)
    box = next(box for box in plan.boxes if box.role == "warning").rect
    assert box.left < label.x < box.right
    with Image.open(render(sample, tmp_path / "map.png")) as picture:
        assert picture.getpixel((box.left + 2, box.top + 2)) == (255, 193, 7)
    real = dataclasses.replace(sample, meta={**sample.meta, "synthetic": False})
    assert SYNTHETIC not in texts(planned(real))


@pytest.mark.parametrize("title", [None, "", "my own title"])
@pytest.mark.parametrize("meta", [{}, {"symbol": "X"}])
def test_every_picture_says_that_it_is_an_estimate(title, meta):
    plan = planned(plain(meta=meta), title=title)
    assert any(ESTIMATE in text for text in texts(plan))


def test_the_header_says_what_is_shown():
    meta = {
        "symbol": "BTCUSDT",
        "venue": "binance-usdm",
        "model": "flow",
        "meaning": "opened turnover",
        "trigger": "last",
        "window": "1m",
        "leverage": {5: 0.5, 25: 0.5},
        "book_age_ns": 26 * HOUR,
        "version": "1.2.3",
    }
    written = " ".join(texts(planned(plain(120, meta=meta, complete=np.arange(120) < 119))))
    for part in (
        "BTCUSDT · binance-usdm",
        "model flow",
        "relative level: opened turnover",
        "USD per bin of 10",
        "1m windows",
        "1970-01-01 00:00 to 1970-01-01 02:00 UTC",
        UNFINISHED,
        "trigger last",
        "leverage 5x 50%, 25x 50%",
        "book age 1d 2h",
        "liqcore 1.2.3",
    ):
        assert part in written
    assert UNFINISHED not in " ".join(texts(planned(plain(meta=meta, complete=True))))


def test_a_time_frame_stands_in_the_title_with_the_books_age():
    meta = {"symbol": "BTCUSDT", "opened_within_ns": 24 * HOUR, "book_age_ns": 50 * HOUR}
    written = texts(planned(plain(meta=meta)))
    assert "BTCUSDT · liquidation heatmap · opened within 1d · book age 2d 2h" in written
    footer = " ".join(written)
    assert footer.count("book age") == 1


def test_quantities_are_written_in_the_base_asset():
    heatmap = plain(2, 2, unit="quantity", meta={"base": "BTC"})
    heatmap.long[:, :] = 1_500
    written = texts(planned(heatmap))
    assert any("BTC per bin of 10" in text for text in written)
    assert "1.5K" in written
    assert not any("$" in text for text in written)


def test_the_last_price_is_marked():
    heatmap = plain(3, 10)
    heatmap.candles[1] = (1_042.5,) * 6
    plan = planned(heatmap, price_range=(1_000, 1_100))
    label = next(text for text in plan.texts if text.role == "on last")
    assert (label.text, label.y) == ("1,042.5", pytest.approx(plan.scales["price"].at(1_042.5)))


def _wide(price: float, columns: int, window_ns: int, volatility: float = 0.001) -> Callable[[], SampleHeatmap]:
    return lambda: sample_heatmap(columns, 100, price=price, window_ns=window_ns, volatility=volatility)


CASES: list[tuple[str, Callable[[], SampleHeatmap]]] = [
    *((name, lambda heatmap=heatmap: heatmap) for name, heatmap in edge_cases()),
    ("3 hours", _wide(103_456.7, 180, MINUTE, 0.0004)),
    ("1 year", _wide(103_456.7, 365, DAY, 0.01)),
    ("3 hours of a cheap coin", _wide(0.00001234, 180, MINUTE, 0.0004)),
    ("1 year of a cheap coin", _wide(0.00001234, 365, DAY, 0.01)),
]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("make", [make for _, make in CASES], ids=[name for name, _ in CASES])
def test_no_text_is_clipped_or_covered_by_another(make, width, height):
    heatmap = make()
    full = {**heatmap.meta, "symbol": "1000000MOGUSDT", "version": "10.11.12", "book_age_ns": 30 * DAY + 5 * HOUR}
    plan = planned(dataclasses.replace(heatmap, meta=full, complete=False), width=width, height=height)
    assert_sound(plan)
    assert plot_of(plan).width > 0.4 * width


def test_ticks_are_round():
    assert [tick.label for tick in price_ticks(0.0000121, 0.0000124, 4)] == [
        "0.0000121",
        "0.0000122",
        "0.0000123",
        "0.0000124",
    ]
    assert [tick.label for tick in price_ticks(99_990, 100_012, 4)] == ["99,990", "100,000", "100,010"]
    assert [tick.label for tick in time_ticks(0, 14 * DAY, 2)] == ["Jan 5", "Jan 12"]  # Mondays
    assert [tick.label for tick in time_ticks(0, 800 * DAY, 6)] == ["1970", "Jul", "1971", "Jul", "1972"]


# -------------------------------------------------------------------------------------------------- renderers and files


def test_the_png_renderer_conforms():
    check_renderer(load_renderer("png"))


def test_conformance_names_the_case_that_fails():
    def no_raster(picture: Picture, file: BinaryIO, /) -> None:
        file.write(picture.texts[0].text.encode() + entries_of(picture)[:1].tobytes()[:1])

    with pytest.raises(ValueError, match="not enough values") as caught:
        check_renderer(no_raster)
    assert caught.value.__notes__ == ["check_renderer: map: usual"]

    def writes_nothing(picture: Picture, file: BinaryIO, /) -> None:
        pass

    with pytest.raises(AssertionError, match="usual: the renderer wrote nothing"):
        check_renderer(writes_nothing)

    count = iter(range(99))

    def changes(_: Picture, file: BinaryIO, /) -> None:
        file.write(str(next(count)).encode())

    with pytest.raises(AssertionError, match="usual: the renderer wrote something else when called again"):
        check_renderer(changes)


@pytest.mark.parametrize("name", ["map.bmp", "map", "map.PNGX"])
def test_an_unknown_extension_lists_what_there_is(tmp_path, name):
    with pytest.raises(InvalidConfigError, match=rf"the extension of {name} must be one of .*png.*, was '"):
        render(plain(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_extension_in_capitals_and_renderer_by_name(tmp_path):
    for path in (render(plain(), tmp_path / "a.PNG"), render(plain(), tmp_path / "b.dat", renderer="png")):
        assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InvalidConfigError, match=r"renderer must be one of .*png.*, was 'nope'"):
        render(plain(), tmp_path / "c.png", renderer="nope")


def test_installed_renderers_are_loaded_only_when_asked_for(monkeypatch, tmp_path):
    points = [
        importlib.metadata.EntryPoint("upper", "liqcore_no_such_package:render", registry.GROUP),
        importlib.metadata.EntryPoint("bytes", f"{__name__}:_write_bytes", registry.GROUP),
        importlib.metadata.EntryPoint("png", "liqcore_no_such_package:render", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda **_: points)
    assert renderers() == ["bytes", "html", "png", "svg", "upper"]
    assert render(plain(), tmp_path / "map.bytes").read_bytes() == b"1600"
    with pytest.raises(LiqcoreError, match=r"the renderer upper \(liqcore_no_such_package:render\) cannot be loaded"):
        render(plain(), tmp_path / "map.upper")
    assert render(plain(), tmp_path / "map.png").exists(), "what is built in cannot be replaced"


def _write_bytes(picture: Picture, file: BinaryIO, /) -> None:
    file.write(str(picture.width).encode())


def test_without_pillow_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "liqcore.render.draw")
    with pytest.raises(LiqcoreError, match=r'pip install "liqcore\[app\]"'):
        render(plain(), tmp_path / "map.png")
    assert list(tmp_path.iterdir()) == []


def test_importing_the_package_does_not_import_pillow():
    code = "import sys, liqcore.render, liqcore.testing; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_a_failure_leaves_what_was_there(monkeypatch, tmp_path, failure):
    target = tmp_path / "map.png"
    target.write_bytes(b"older picture")

    def half(_image: Image.Image, file: BinaryIO, **_: Any) -> None:
        file.write(b"half")
        raise failure

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(type(failure)):
        render(plain(), target)
    assert target.read_bytes() == b"older picture"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_noticed_before_the_file_appears(monkeypatch, tmp_path):
    target = tmp_path / "map.png"
    monkeypatch.setattr("builtins.open", lambda *_, real=open: real("/dev/full", "wb"))
    with pytest.raises(OSError, match="No space left"), write_whole(target) as file:
        file.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_files_are_written_through_links_and_never_over_folders(tmp_path):
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    link.symlink_to(real)
    render(plain(), link)
    assert link.is_symlink()
    assert real.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        render(plain(), tmp_path / "absent" / "map.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        render(plain(), tmp_path / "folder.png")


def test_the_picture_has_the_size_asked_for_and_says_in_its_metadata_what_it_is(tmp_path):
    with Image.open(render(sample_heatmap(), tmp_path / "map.png", width=641, height=399)) as picture:
        assert picture.size == (641, 399)
        assert picture.info["Title"].startswith("SAMPLEUSDT")
        assert '"synthetic": true' in picture.info["Comment"]


def test_render_and_its_options_agree_on_defaults():
    signature = inspect.signature(render).parameters
    for entry in dataclasses.fields(RenderOptions):
        assert signature[entry.name].default == entry.default


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 100}, "width must be 480 to 16384 pixels, was 100"),
        ({"height": 1e3}, "height must be 270 to 16384 pixels, was 1000.0"),
        ({"colormap": "jet"}, "colormap must be one of viridis, cividis, inferno, was 'jet'"),
        ({"scale": "cubic"}, "scale must be one of sqrt, linear, log, was 'cubic'"),
        ({"maximum": 0}, "maximum must be a number above 0, was 0"),
        ({"maximum": float("nan")}, "maximum must be a number above 0, was nan"),
        ({"threshold": 10}, "threshold must be a share of maximum, 0 to 1, was 10"),
        ({"side": "buy"}, "side must be one of both, long, short, was 'buy'"),
        ({"price_range": (2, 1)}, r"price_range must be \(low, high\) with low < high, was \(2, 1\)"),
        ({"theme": "blue"}, "theme must be one of dark, light, was 'blue'"),
    ],
)
def test_a_wrong_option_is_named_with_rule_and_value(tmp_path, options, message):
    with pytest.raises(InvalidConfigError, match=message):
        render(plain(), tmp_path / "map.png", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"long": np.zeros((2, 2), np.float32), "short": np.zeros((2, 2), np.float32)},
            r"values must have shape .*\(2, 2\)",
        ),
        ({"candles": np.zeros(3)}, r"candles must have shape \(columns,\) = \(100,\), was \(3,\)"),
        ({"window_ns": 0}, "window_ns must be above 0, was 0"),
        ({"step": 0.0}, "step must be a number above 0, was 0.0"),
        ({"unit": "eur"}, "unit must be usd or quantity, was 'eur'"),
    ],
)
def test_a_heatmap_that_does_not_fit_together_is_refused(changes, message):
    with pytest.raises(InvalidConfigError, match=message):
        describe(plain(**changes))


def test_every_pixel_of_the_plot_has_an_entry():
    plan = planned(sample_heatmap())
    assert entries_of(plan).shape == (plot_of(plan).height, plot_of(plan).width)
    left_to_right = [plan.panel(name).rect for name in ("colour bar", "plot", "profile")]
    assert all(one.right < other.left for one, other in pairwise(left_to_right))
