"""Pictures as figures of matplotlib: the values, colours and texts of the PNG, on axes of prices and times."""

import importlib
import io
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import liqcore as lq
from liqcore.errors import LiqcoreError
from liqcore.render import MapOptions, Picture, RenderOptions, describe, describe_map, figure, figure_map, render
from liqcore.render.artists import figure_of
from liqcore.render.draw import measure
from liqcore.render.picture import Raster
from liqcore.testing import pictures, sample_heatmap, sample_map

pytestmark = pytest.mark.leaves_behind("matplotlib keeps the files of its fonts open")


def test_without_matplotlib_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    market = lq.simulate(seed=1, days=0.05, trades_per_day=20_000)
    hm = lq.heatmap(trades=market.trades)
    for shown in (hm, hm.map()):
        with pytest.raises(LiqcoreError, match=r'figures need matplotlib: pip install "liqcore\[figures\]"'):
            shown.figure()


def test_the_example_of_the_documentation_runs(
    matplotlib: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del matplotlib
    page = Path(__file__).resolve().parents[2] / "docs" / "reference" / "pictures.md"
    (block,) = re.findall(r"<!-- not run -->\n```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block, names)
    assert (tmp_path / "heatmap.pdf").read_bytes().startswith(b"%PDF")
    low, high = names["plot"].get_xlim()
    (line,) = [line for line in names["plot"].lines if len(set(line.get_xdata())) == 1]
    assert low < line.convert_xunits(line.get_xdata()[0]) < high, "the time lies in the picture"


def drawn(made: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    file = io.BytesIO()
    made.savefig(file, format="png")
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def raster_of(picture: Picture) -> Raster:
    (raster,) = picture.marks(Raster)
    assert isinstance(raster, Raster)
    return raster


def test_values_colours_and_texts_are_those_of_the_png(matplotlib: Any) -> None:
    del matplotlib
    heatmap, options = sample_heatmap(), RenderOptions(width=1000, height=600)
    made, picture = figure(heatmap, options), describe(heatmap, options)
    raster = raster_of(picture)
    axes = {each.get_label(): each for each in made.axes}
    assert list(axes) == [panel.name for panel in picture.panels]
    (image,) = axes["plot"].images
    np.testing.assert_array_equal(image.get_array(), raster.entries)
    np.testing.assert_array_equal(np.rint(255 * image.cmap(np.arange(256))[:, :3]), raster.table)
    assert [text.get_text() for text in made.texts] == [text.text for text in picture.texts]
    assert [tuple(np.rint(255 * np.array(text.get_color()))) for text in made.texts] == [
        picture.colours[text.role] for text in picture.texts
    ]
    png = render(heatmap, width=1000, height=600)
    assert isinstance(png, bytes)
    with Image.open(io.BytesIO(png)) as opened:
        expected = np.asarray(opened.convert("RGB"))
    got = drawn(made)
    assert got.shape == expected.shape
    for panel in picture.panels:
        at = panel.rect
        part = slice(at.top, at.bottom), slice(at.left, at.right)
        same = (np.abs(got[part].astype(int) - expected[part]) <= 2).all(axis=2)
        assert same.mean() > 0.96, panel.name  # lines and candles are smoothed otherwise


def test_what_is_added_lies_where_its_time_and_price_are(matplotlib: Any) -> None:
    dates = matplotlib.dates
    heatmap, options = sample_heatmap(), RenderOptions()
    made, picture = figure(heatmap, options), describe(heatmap, options)
    axes = next(each for each in made.axes if each.get_label() == "plot")
    time, price = int(heatmap.times[30]), 60_500.0
    x, y = axes.transData.transform((dates.date2num(np.datetime64(time, "ns")), price))
    assert x == pytest.approx(picture.scales["time"].at(time), abs=1e-3)
    assert options.height - y == pytest.approx(picture.scales["price"].at(price), abs=1e-3)
    shown, map_options = sample_map(), MapOptions()
    made, picture = figure_map(shown, map_options), describe_map(shown, map_options)
    x, y = made.axes[0].transData.transform((61_000.0, 1e6))
    assert x == pytest.approx(picture.scales["price"].at(61_000.0), abs=1e-3)
    assert map_options.height - y == pytest.approx(picture.scales["bars"].at(1e6), abs=1e-3)


def test_no_window_knows_of_it(matplotlib: Any) -> None:
    del matplotlib
    pyplot = importlib.import_module("matplotlib.pyplot")
    figure(sample_heatmap())
    assert pyplot.get_fignums() == []


def test_texts_are_no_wider_than_reckoned_and_no_formulas(matplotlib: Any) -> None:
    del matplotlib
    hostile = "$x^2$ <script>alert(1)</script> \\frac{1}{2} & $"
    for title in (None, hostile):
        for made, picture in (
            (
                figure(sample_heatmap(), RenderOptions(title=title)),
                describe(sample_heatmap(), RenderOptions(title=title)),
            ),
            (figure_map(sample_map(), MapOptions(title=title)), describe_map(sample_map(), MapOptions(title=title))),
        ):
            drawn(made)
            renderer = made.canvas.get_renderer()
            for artist, text in zip(made.texts, picture.texts, strict=True):
                assert artist.get_text() == text.text
                if len(text.text) > 2:
                    assert artist.get_window_extent(renderer).width <= 1.01 * measure(text.text, text.size) + 1
            if title:
                assert any(hostile in artist.get_text() for artist in made.texts)


def test_every_picture_there_may_be_becomes_a_figure(matplotlib: Any) -> None:
    del matplotlib
    for name, picture in pictures():
        made = figure_of(picture, measure)
        assert drawn(made).shape == (picture.height, picture.width, 3), name
        for raster in picture.marks(Raster):
            assert isinstance(raster, Raster)
            np.testing.assert_array_equal(made.axes[0].images[0].get_array(), raster.entries, err_msg=name)


@pytest.fixture
def matplotlib() -> Any:
    found = pytest.importorskip("matplotlib", reason="figures need matplotlib")
    import matplotlib.dates  # noqa: F401 (an attribute from now on)

    return found
