"""
Pictures: a heatmap and a map drawn in each format at their usual size; the arrays they show are there already. And
their pixels alone, beside numpy's, whose answers have to be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import liqcore as lq
import numpy_pixels
from liqcore.render.raster import PixelCells, colour_index, pixel_cells, pool_columns, pool_rows
from liqcore.tables.packed import pack
from timed import Timed

SIZE = (1600, 900)
TOP = (253, 231, 37)  # of viridis: what holds the most, at least the 99th percentile of the cells

image = pytest.importorskip("PIL.Image", reason="pictures need Pillow", exc_type=ImportError)
pytestmark = pytest.mark.benchmark(group="pictures")


def pixels(path: Path) -> NDArray[np.uint8]:
    with image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.size == SIZE
        return np.asarray(picture.convert("RGB"))


def count(picture: NDArray[np.uint8]) -> int:
    return int((picture == TOP).all(axis=-1).sum())


def test_render_heatmap(timed: Timed, month: lq.Heatmap, tmp_path: Path) -> None:
    """
    It has to be the same picture every time, with bright cells that are gone where the scale goes on for a thousand
    times as far, and with no more of them where one side is left out.
    """
    path = tmp_path / "heatmap.png"
    most = 1_000 * float(month.values.max())
    dim = count(pixels(month.render(tmp_path / "dim.png", maximum=most)))  # those of the legend
    longs = count(pixels(month.render(tmp_path / "longs.png", side="long")))
    first = month.render(tmp_path / "first.png").read_bytes()

    def check(drawn: Path) -> None:
        assert drawn.read_bytes() == first
        bright = count(pixels(drawn))
        assert dim + 1_000 < bright < 0.1 * SIZE[0] * SIZE[1]
        assert dim < longs

    timed(lambda: month.render(path), check, event="picture", on=f"{month.values.shape} cells")


def test_render_map(timed: Timed, month: lq.Heatmap, tmp_path: Path) -> None:
    """The same picture every time, another one for another instant."""
    now, before = month.map(), month.map(int(month.times[len(month.times) // 2]))
    path = tmp_path / "map.png"
    first = now.render(tmp_path / "first.png").read_bytes()
    other = pixels(before.render(tmp_path / "before.png"))

    def check(drawn: Path) -> None:
        assert drawn.read_bytes() == first
        picture = pixels(drawn)
        assert len(np.unique(picture @ np.array([65_536, 256, 1]))) > len(now.tiers)  # colours
        assert (picture != other).any()

    timed(lambda: now.render(path), check, event="picture", on=f"{len(now.tiers)} tiers, {len(now.prices):,} rows")


@pytest.mark.parametrize("renderer", ["svg", "html"])
def test_render_other_formats(timed: Timed, month: lq.Heatmap, renderer: str) -> None:
    """The same bytes every time; less than a megabyte."""
    first = month.render(renderer=renderer)

    def check(drawn: bytes) -> None:
        assert drawn == first
        assert len(drawn) < 1e6

    timed(lambda: month.render(renderer=renderer), check, event="picture", on=f"{month.values.shape} cells")


PLOT = (1_300, 760)  # pixels, about that of a picture of the usual size
SCREEN = (720, 1_000)  # columns and rows


def sides() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cells of which a third holds something, over six orders of magnitude."""
    random = np.random.default_rng(4)
    filled = random.random((2, *SCREEN)) < 1 / 3
    long, short = (10 ** random.uniform(0, 6, (2, *SCREEN)) * filled).astype(np.float32)
    return long, short


def pixels_of_core(long: NDArray[np.float32], short: NDArray[np.float32], across: PixelCells, down: PixelCells) -> (
    NDArray[np.float32]
):  # fmt: skip
    largest = np.zeros((len(across.first), long.shape[1]), np.float32)
    pool_columns(long, short, 0, across, largest)
    return pool_rows(largest, down)


@pytest.mark.benchmark(group="pixels: 720 columns x 1,000 rows")
@pytest.mark.parametrize("by", ["core", "numpy"])
@pytest.mark.parametrize("plot", [PLOT, (360, 200)], ids=["zoomed in", "zoomed out"])
def test_pixels(timed: Timed, by: str, plot: tuple[int, int]) -> None:
    """From cells of two sides to entries of a colour table; both ways have to give the same bytes."""
    long, short = sides()
    across, down = (
        pixel_cells(np.arange(float(n)), 1.0, 0.0, float(n), pixels) for n, pixels in zip(SCREEN, plot, strict=True)
    )

    def core() -> NDArray[np.uint8]:
        return colour_index(pixels_of_core(long, short, across, down), 1e6)

    def plain() -> NDArray[np.uint8]:
        cells = (across.first, across.stop), (down.first, down.stop)
        return numpy_pixels.entries(numpy_pixels.pixels(long, short, *cells), 1e6)

    expected = plain()
    ways: dict[str, Callable[[], NDArray[np.uint8]]] = {"core": core, "numpy": plain}
    timed(ways[by], lambda got: np.testing.assert_array_equal(got, expected), event="picture", on=f"{plot} pixels")


@pytest.mark.benchmark(group="codes: 720 columns x 1,000 rows")
@pytest.mark.parametrize("by", ["core", "numpy"])
def test_codes(timed: Timed, by: str) -> None:
    """Codes of a frame; numpy's logarithms are float32, so that one in some thousand is a neighbour."""
    long, _ = sides()
    tops, codes = pack(long)

    def check(got: tuple[NDArray[np.float32], NDArray[np.uint16]]) -> None:
        np.testing.assert_array_equal(got[0], tops)
        off = np.abs(got[1].astype(np.int32) - codes)
        assert off.max() <= 1
        assert (off > 0).mean() < 0.01

    ways = {"core": pack, "numpy": numpy_pixels.codes}
    timed(lambda: ways[by](long), check, event="frame", on=f"{long.shape} cells")
