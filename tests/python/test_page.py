"""The exported page in Chromium, from a file and with the network off: what it shows, and each of its controls."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore.render import render
from liqcore.testing import edge_cases, sample_heatmap
from pages import SIZES, Watched, browser, near, needs_page
from test_render_formats import HOSTILE

pytestmark = needs_page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def hm() -> lq.Heatmap:
    trades = lq.simulate(seed=5, days=0.5, trades_per_day=60_000).trades
    made = lq.heatmap(trades=trades, window="5m")
    made.meta |= {"symbol": "SIMULATED", "venue": "simulator", "synthetic": True}
    return made


@pytest.fixture(scope="module")
def exported(hm: lq.Heatmap, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hm.save(tmp_path_factory.mktemp("page") / "heatmap.html")


@pytest.mark.parametrize("size", SIZES)
def test_it_opens_from_a_file_with_the_network_off(chromium: Any, exported: Path, size: str) -> None:
    with Watched(chromium, exported, size) as watched:
        page = watched.page
        assert "liquidation heatmap" in page.title()
        assert page.locator("#synthetic").is_visible()
        assert "estimate, not a record of positions" in page.locator("#said").inner_text()
        assert page.locator("#error").is_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("#profile").is_visible() == (size == "wide")


def test_what_the_page_says_of_200_random_cells_is_what_the_heatmap_holds(
    chromium: Any, exported: Path, hm: lq.Heatmap
) -> None:
    random = np.random.default_rng(3)
    with Watched(chromium, exported) as watched:
        for _ in range(4):
            low = int(random.integers(0, len(hm.prices) - 90))
            watched.show((-0.5, len(hm.times) - 0.5), (float(hm.prices[low]), float(hm.prices[low + 90])))
            assert watched.page.evaluate("liqcore.view().joined") == {"across": 1, "down": 1}
            for _ in range(50):
                column, row = int(random.integers(0, len(hm.times))), int(random.integers(low + 1, low + 89))
                said = watched.read(column, row)
                assert said["time"] * 1e9 == hm.times[column]
                assert said["low"] == pytest.approx(hm.prices[row])
                assert near(said["long"], float(hm.long[column, row]))
                assert near(said["short"], float(hm.short[column, row]))


def test_zoomed_out_a_pixel_tells_of_the_largest_cell_that_it_covers(
    chromium: Any, exported: Path, hm: lq.Heatmap
) -> None:
    with Watched(chromium, exported, "narrow") as watched:
        watched.show((-0.5, len(hm.times) - 0.5), (float(hm.prices[0]), float(hm.prices[-1])))
        down = watched.page.evaluate("liqcore.view().joined")["down"]
        assert down > 1
        largest = np.argwhere(hm.values[:-2] == hm.values[:-2].max())[0]
        said = watched.read(int(largest[0]), int(largest[1]))
        assert near(said["long"] + said["short"], float(hm.values[:-2].max()))


def test_hostile_names_do_not_run(chromium: Any, tmp_path: Path) -> None:
    meta = {"symbol": HOSTILE, "venue": HOSTILE, "model": HOSTILE, "stale": [HOSTILE], "missing": [
        {"what": HOSTILE, "begin": None, "end": None}]}  # fmt: skip
    path = tmp_path / "<img src=x onerror=alert(1)>.html"
    render(dataclasses.replace(sample_heatmap(24, 40), meta=meta), path, title=HOSTILE)
    with Watched(chromium, path, anchor=f"#side={HOSTILE}&view=<script>") as watched:
        assert HOSTILE.replace("\x00", "") in watched.page.locator("#title").inner_text().replace("\ufffd", "").replace(
            "\x00", ""
        )
        assert watched.page.locator("img").count() == 0


@pytest.mark.parametrize("case", ["no columns", "no bins", "one cell", "all zero", "NaN candles", "one-sided"])
def test_it_opens_whatever_the_heatmap_lacks(chromium: Any, tmp_path: Path, case: str) -> None:
    cases = dict(edge_cases())
    render(cases.get(case, cases["longs only"]), tmp_path / "x.html")
    with Watched(chromium, tmp_path / "x.html") as watched:
        assert watched.page.locator("#error").is_hidden()
