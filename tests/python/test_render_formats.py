"""SVG and HTML beside PNG: the same values, whole files, nothing of a market's text becomes markup or script."""

import base64
import dataclasses
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import liqcore as lq
from liqcore.cli.outputs import outputs
from liqcore.render import RenderOptions, describe, load_renderer, render, render_map, template
from liqcore.render import frame as frames
from liqcore.render.picture import Raster
from liqcore.tables.packed import decode, encode, pack, unpack
from liqcore.testing import check_renderer, edge_cases, sample_heatmap, sample_map
from pages import cells as cells_of
from pages import held, needs_page
from recorded import data_dir

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\x00]]>@@DATA@@"


@pytest.mark.parametrize("name", ["svg", pytest.param("html", marks=needs_page)])
def test_every_picture_is_written_twice_alike(name: str) -> None:
    check_renderer(load_renderer(name))


# ---------------------------------------------------------------------------------------------------------------- SVG


def images_of(svg: bytes) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    root = ET.fromstring(svg)
    found = [element.attrib["href"].removeprefix("data:image/png;base64,") for element in root.iter(f"{SVG}image")]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")) for one in found]


def test_an_svg_has_the_pixels_of_the_png_and_its_texts() -> None:
    heatmap = sample_heatmap()
    picture = describe(heatmap)
    svg = render(heatmap, renderer="svg")
    assert isinstance(svg, bytes)
    (raster,) = (mark for mark in picture.marks(Raster) if isinstance(mark, Raster))
    np.testing.assert_array_equal(images_of(svg)[0], raster.table[raster.entries])
    written = [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]
    assert written == [text.text for text in picture.texts]


def test_bars_of_an_svg_are_those_of_the_description() -> None:
    picture = frames_picture()
    root = ET.fromstring(bytes(render_map(sample_map(60), renderer="svg") or b""))
    plot = next(panel for panel in root.iter(f"{SVG}svg") if panel.get("data-panel") == "plot")
    drawn = [
        tuple(int(rect.attrib[name]) for name in ("x", "y", "width", "height")) for rect in plot.iter(f"{SVG}rect")
    ]
    boxes = [mark.rect for mark in picture.panel("plot").marks if type(mark).__name__ == "Box"]
    assert drawn[1:] == [(box.left, box.top, box.width, box.height) for box in boxes]


def frames_picture() -> Any:
    from liqcore.render import describe_map

    return describe_map(sample_map(60))


def test_an_svg_of_hostile_names_is_text() -> None:
    heatmap = dataclasses.replace(sample_heatmap(24, 40), meta={"symbol": HOSTILE, "venue": "\ud800", "model": HOSTILE})
    root = ET.fromstring(bytes(render(heatmap, renderer="svg", title=HOSTILE) or b""))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "rect", "image", "line", "path", "polyline", "text",
    }  # fmt: skip
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]


# --------------------------------------------------------------------------------------------------------------- HTML


@needs_page
@pytest.mark.parametrize("heatmap", [pytest.param(of, id=name) for name, of in edge_cases() if len(of.times)])
def test_a_page_holds_the_cells_of_the_heatmap(heatmap: Any) -> None:
    header, arrays = held(bytes(render(heatmap, renderer="html", width=800, height=450) or b"").decode())
    for side in ("long", "short"):
        truth = np.nan_to_num(getattr(heatmap, side))
        low = np.floor((heatmap.prices + heatmap.step / 2 - header["low"]) / header["step"]).astype(int)
        np.testing.assert_allclose(arrays[side][:, low], truth, rtol=2e-4)
        assert arrays[side].sum() == pytest.approx(float(truth.sum()), rel=2e-4)
    np.testing.assert_array_equal(arrays["times"], heatmap.times / 1e9)
    closes = heatmap.candles["close"]
    np.testing.assert_array_equal(arrays["candles"][3], np.where(np.isfinite(closes), closes, 0))


@needs_page
def test_png_svg_and_page_show_the_same_scale_and_prices() -> None:
    heatmap = sample_heatmap()
    options: dict[str, Any] = {"threshold": 0.2, "side": "short", "scale": "log", "colormap": "cividis"}
    picture = describe(heatmap, RenderOptions(**options))
    header, _ = held(bytes(render(heatmap, renderer="html", **options) or b"").decode())
    assert (header["side"], header["scale"], header["colormap"]) == ("short", "log", "cividis")
    assert (header["cut"], header["top"]) == (picture.scales["colour"].low, picture.scales["colour"].high)
    assert header["view"] == [picture.scales["price"].low, picture.scales["price"].high]
    assert header["title"] == picture.title
    assert "estimate, not a record of positions" in header["said"]


@needs_page
def test_a_page_of_a_map_holds_its_bars_by_layer() -> None:
    shown = sample_map(60)
    header, arrays = held(bytes(render_map(shown, renderer="html") or b"").decode())
    assert header["layers"] == [layer.name for layer in shown.layers]
    assert header["sentence"] == shown.sentence()
    rows = np.searchsorted(shown.prices, arrays["prices"])
    for side in ("long", "short"):
        np.testing.assert_array_equal(arrays[side], getattr(shown, side)[:, rows])
        assert arrays[side].sum() == pytest.approx(getattr(shown, side).sum())


@needs_page
def test_a_page_of_a_heatmap_holds_the_map_of_its_last_column() -> None:
    hm = lq.heatmap(trades=lq.simulate(days=0.1, trades_per_day=40_000).trades)
    header, arrays = held(bytes(hm.render(renderer="html")).decode())
    assert header["map"]["sentence"] == hm.map().sentence()
    assert arrays["map_long"].sum() == pytest.approx(hm.map().long.sum())


def test_of_too_many_columns_and_rows_neighbours_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_COLUMNS", 50)
    monkeypatch.setattr(frames, "MOST_ROWS", 40)
    heatmap = sample_heatmap(241, 300)
    header, arrays = decode(frames.frame_of(describe(heatmap)))
    assert header["joined"][0] == 5
    cells = cells_of(arrays, "long")
    assert cells.shape[0] == 49
    assert cells.shape[1] <= 40
    first = round((header["low"] - heatmap.prices[0]) / heatmap.step)
    rows = slice(first, first + header["joined"][1])
    largest = heatmap.long[-5:, rows].max()  # the last five columns, the lowest rows
    assert cells[-1, 0] == pytest.approx(largest, rel=2e-4)
    assert arrays["candles"][3, -1] == heatmap.candles["close"][-1]
    assert arrays["candles"][1, -1] == heatmap.candles["high"][-5:].max()


@needs_page
def test_hostile_names_stay_text_in_a_page() -> None:
    heatmap = dataclasses.replace(
        sample_heatmap(24, 40),
        meta={"symbol": HOSTILE, "venue": HOSTILE + "\ud800", "model": HOSTILE, "stale": [HOSTILE]},
    )
    plain = bytes(render(sample_heatmap(24, 40), renderer="html") or b"").decode()
    page = bytes(render(heatmap, renderer="html") or b"").decode()
    tags = re.compile(r"<(/?[a-z]+)", re.IGNORECASE)
    assert tags.findall(page) == tags.findall(plain)
    assert held(page)[0]["symbol"] == HOSTILE


@needs_page
def test_a_recorded_day_is_a_page_of_less_than_a_megabyte(tmp_path: Path) -> None:
    trades = data_dir() / "trades" / "BTCUSDT-aggTrades-2026-06-12.zip"
    for window in ("5m", "1m"):
        path = lq.heatmap(str(trades), window=window).save(tmp_path / f"{window}.html")
        assert path.stat().st_size < 1_000_000


@needs_page
def test_a_notebook_shows_the_page_in_a_frame_of_its_own() -> None:
    hm = lq.heatmap(trades=lq.simulate(days=0.05, trades_per_day=40_000).trades)
    shown = hm.interactive(height=500)
    said = shown._repr_html_()
    assert said.startswith('<iframe sandbox="allow-scripts allow-downloads" style="width: 100%; height: 500px')
    assert said.count("<") == 2  # the page is in an attribute
    assert repr(shown).startswith("<Page of ")


def test_without_the_page_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(template, "files", lambda _: tmp_path)
    template.template.cache_clear()
    with pytest.raises(lq.LiqcoreError, match="html pictures need the page, and this liqcore was built without it"):
        render(sample_heatmap(24, 40), tmp_path / "x.html")
    assert not (tmp_path / "x.html").exists()
    with pytest.raises(lq.LiqcoreError, match="built without it"), outputs([tmp_path / "x.html"], {}):
        pytest.fail("nothing is computed")
    template.template.cache_clear()


# --------------------------------------------------------------------------------------------------------- the frames


def test_frames_give_back_arrays_and_cells() -> None:
    cells = np.random.default_rng(1).lognormal(10, 3, (9, 31)).astype(np.float32)
    cells[cells < 5_000] = 0
    cells[4] = 0
    tops, codes = pack(cells)
    header, arrays = decode(encode({"kind": "test"}, {"odd": codes[:, :3], "tops": tops, "codes": codes}))
    assert header == {"kind": "test"}
    np.testing.assert_array_equal(arrays["odd"], codes[:, :3])
    np.testing.assert_allclose(unpack(arrays["tops"], arrays["codes"]), cells, rtol=1.4e-4)


def test_damaged_frames_are_refused() -> None:
    frame = encode({"kind": "test"}, {"one": np.arange(40.0)})
    for length in range(0, len(frame), 7):
        with pytest.raises(lq.DataError, match="expected a frame of liqcore, found"):
            decode(frame[:length])
    with pytest.raises(lq.DataError):
        decode(frame + b"more")
