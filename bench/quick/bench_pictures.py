"""Pictures: a heatmap and a map drawn as PNG files of their usual sizes; the arrays they show are there already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import liqcore as lq
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
