"""The exported page in Chromium, from a file and with the network off: what it shows, and each of its controls."""

import csv
import dataclasses
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import liqcore as lq
from liqcore.analysis.changes import changes
from liqcore.history.spread import Spread
from liqcore.render import render
from liqcore.render.colours import colour_table, palette
from liqcore.render.raster import colour_index
from liqcore.testing import edge_cases, sample_heatmap
from pages import SIZES, Watched, axe, browser, near, needs_page
from test_render_formats import HOSTILE
from test_spread import fitted

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


@pytest.fixture(scope="module")
def fitted_hm() -> lq.Heatmap:
    trades = lq.simulate(days=1, trades_per_day=20_000, seed=4).trades
    return lq.heatmap(trades=trades, symbol="SIM", window="30m", leverage=fitted())


def test_amounts_of_a_fitted_profile_are_read_out_with_their_intervals(
    chromium: Any, fitted_hm: lq.Heatmap, tmp_path: Path
) -> None:
    hm, now = fitted_hm, fitted_hm.map()
    spread = Spread.of(hm.meta)
    assert spread is not None
    last, price = len(hm.times) - 1, float(hm.candles["close"][-1])
    low = int(np.searchsorted(hm.prices, price) - 40)
    checked = 0
    with Watched(chromium, hm.save(tmp_path / "fitted.html")) as watched:
        watched.show((-0.5, last + 0.5), (float(hm.prices[low]), float(hm.prices[low + 80])))
        assert watched.page.evaluate("liqcore.view().joined") == {"across": 1, "down": 1}
        shift = round((watched.page.evaluate("liqcore.rows().low") - hm.prices[0]) / hm.step)
        for row in range(low + 2, low + 78, 3):
            said = watched.read(last, row - shift)
            side = max(("long", "short"), key=lambda side: getattr(hm, side)[last, row])
            if not getattr(hm, side)[last, row]:
                assert "valueLow" not in said
                continue
            at = int(np.searchsorted(now.prices, hm.prices[row] + hm.step / 2) - 1)
            truth = spread.ends(now.tiers, getattr(now, side)[:, at])
            assert (said["valueLow"], said["valueHigh"]) == pytest.approx(truth, rel=1e-6)
            assert re.match(r"\$[\d.]+[KM]? \[[\d.]+[KM]?, [\d.]+[KM]?\] of ", watched.page.inner_text("#readout"))
            checked += 1
        assert checked > 10
        assert "valueLow" not in watched.read(last - 5, low + 20 - shift)  # of which tiers it was is not known any more
        watched.page.click("#views [data-view=map]")
        watched.settle()
        frame = watched.page.locator("#map").bounding_box()
        bars = 0
        for share in np.linspace(0.1, 0.8, 12):
            watched.page.mouse.move(frame["x"] + share * frame["width"], frame["y"] + frame["height"] / 2)
            watched.settle()
            read = {name: float(value) for name, value in watched.page.evaluate("({ ...readout.dataset })").items()}
            if not read.get("long", 0.0) + read.get("short", 0.0):
                continue
            middles = now.prices + now.step / 2 - read["low"]
            amounts = (now.long + now.short)[:, (middles > 0) & (middles < watched.page.evaluate("liqcore.binSize()"))]
            truth = spread.ends(now.tiers, amounts.sum(axis=1))
            assert (read["valueLow"], read["valueHigh"]) == pytest.approx(truth, rel=1e-6)
            bars += 1
        assert bars > 3


def test_a_level_is_read_out_with_the_time_since_which_it_has_been_there(
    chromium: Any, exported: Path, hm: lq.Heatmap
) -> None:
    last = len(hm.times) - 1
    price = float(hm.candles["close"][-1])
    low = int(np.searchsorted(hm.prices, price) - 40)
    with Watched(chromium, exported) as watched:
        watched.show((-0.5, last + 0.5), (float(hm.prices[low]), float(hm.prices[low + 80])))
        ages = set()
        for row in range(low + 2, low + 78):
            side = max(("long", "short"), key=lambda side: getattr(hm, side)[last, row])
            cells = getattr(hm, side)[:, row]
            if not cells[last]:
                continue
            watched.read(last, row)
            first = int(np.flatnonzero(cells == 0)[-1]) + 1 if (cells == 0).any() else 0
            minutes = round((int(hm.times[last]) - int(hm.times[first]) + hm.window_ns) / 60e9)
            time = np.datetime64(int(hm.times[first]), "ns").astype("datetime64[m]").astype(str).replace("T", " ")
            hours = " ".join(f"{n}{unit}" for n, unit in zip(divmod(minutes, 60), "hm", strict=True) if n)
            before = "" if first else "before "
            assert f"there since {before}{time} ({hours})" in watched.page.inner_text("#readout"), row
            ages.add(first)
        assert len(ages) > 3


def test_zoomed_out_a_pixel_tells_of_the_largest_cell_that_it_covers(
    chromium: Any, exported: Path, hm: lq.Heatmap
) -> None:
    with Watched(chromium, exported, "narrow") as watched:
        watched.show((-0.5, len(hm.times) - 0.5), (float(hm.prices[0]), float(hm.prices[-1])))
        down = watched.page.evaluate("liqcore.view().joined")["down"]
        assert down > 1
        largest = np.argwhere(hm.values[:-2] == hm.values[:-2].max())[0]
        at = watched.page.evaluate("([c, r]) => liqcore.place(c, r)", largest.tolist())
        watched.page.mouse.move(at["x"], at["y"])
        watched.until("liqcore.point() !== null")
        column, row = watched.page.evaluate("liqcore.point().under")
        assert abs(row - largest[1]) <= down  # a pointer stands on whole pixels
        joined = hm.values[column, row - row % down :][:down]
        said = {name: float(value) for name, value in watched.page.evaluate("({ ...readout.dataset })").items()}
        assert near(said["long"] + said["short"], float(joined.max()))


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


# ---------------------------------------------------------------------------------------------------------- controls


def pressed(control: str) -> str:
    return f"document.querySelector('{control}').getAttribute('aria-pressed') === 'true'"


RANGE = "(liqcore.view().columns[1] - liqcore.view().columns[0])"
SET = "liqcore.settings()"
GROUND = "getComputedStyle(document.body).backgroundColor"
TOP = "document.getElementById('top')"
# What is done, and what then is true; `b` is the state of before.
CONTROLS: dict[str, tuple[list[str], str]] = {
    "button Longs": (["#sides [data-side=long]"], f"{SET}.side === 'long' && {pressed('#sides [data-side=long]')}"),
    "button Shorts": (["#sides [data-side=short]"], f"{SET}.side === 'short'"),
    "button Both": (["#sides [data-side=long]", "#sides [data-side=both]"], f"{SET}.side === 'both'"),
    "button Map": (["#views [data-view=map]"], f"{SET}.view === 'map' && !map.hidden && chart.hidden"),
    "button Heatmap": (["#views [data-view=map]", "#views [data-view=heatmap]"], "map.hidden && !chart.hidden"),
    "button 4h": (["#spans button:text-is('4h')"], f"Math.abs({RANGE} - 48) < 0.01"),
    "button All": (["#spans button:text-is('1h')", "#spans button:text-is('All')"], f"Math.abs({RANGE} - 144) < 0.01"),
    "button +": (["#in"], f"Math.abs({RANGE} / b.range - 0.7) < 0.01"),
    "button -": (["#out"], f"Math.abs({RANGE} * 0.7 / b.range - 1) < 0.01"),
    "button Reset": (["#in", "#in", "#reset"], f"Math.abs({RANGE} - 144) < 0.01"),
    "button Light": (["#theme"], f"{SET}.theme === 'light' && {GROUND} === 'rgb(255, 255, 255)'"),
    "button UTC": (["#zone"], f"{SET}.zone === 'local' && zone.textContent === 'UTC+05:30'"),
    "button ?": (["#help"], "keys.open"),
    "check lock": (["#lock"], f"{SET}.locked"),
    "key l": (["press l"], f"{SET}.side === 'long'"),
    "key s": (["press s"], f"{SET}.side === 'short'"),
    "key b": (["press s", "press b"], f"{SET}.side === 'both'"),
    "key k": (["press k"], f"{SET}.locked"),
    "key m": (["press m"], f"{SET}.view === 'map'"),
    "key t": (["press t"], f"{SET}.theme === 'light'"),
    "key z": (["press z"], f"{SET}.zone === 'local'"),
    "key ?": (["press ?"], "keys.open"),
    "key 2": (["press 2"], f"Math.abs({RANGE} - 48) < 0.01"),
    "key +": (["press +"], f"{RANGE} < b.range"),
    "key -": (["press -"], f"{RANGE} > b.range"),
    "key 0": (["press +", "press 0"], f"Math.abs({RANGE} - 144) < 0.01"),
    "key ]": (["press ]"], f"Math.abs({SET}.cut / {SET}.top - 0.05) < 1e-6"),
    "key [": (["press ]", "press ]", "press ["], f"Math.abs({SET}.cut / {SET}.top - 0.05) < 1e-6"),
    "key Left": (["press ArrowLeft"], "liqcore.view().columns[0] < b.columns[0] - 10"),
    "key Right": (["press ArrowRight"], "liqcore.view().columns[0] > b.columns[0] + 10"),
    "key Up": (["press ArrowUp"], "liqcore.view().prices[0] > b.prices[0]"),
    "key Down": (["press ArrowDown"], "liqcore.view().prices[0] < b.prices[0]"),
    "Shift and arrows": (["press Shift+ArrowLeft", "press Shift+ArrowUp"], "liqcore.point().column === 142"),
    "typed cut": (["type #cut 250k"], f"{SET}.cut === 250000 && document.activeElement !== cut"),
    "typed top": (["type #top $2.5M"], f"{SET}.top === 2.5e6 && {SET}.locked"),
    "typed nonsense": (["type #top ten"], f"{SET}.top === b.top && {TOP}.ariaInvalid === 'true'"),
    "handle of the cut": (["slide #cut-handle 300"], f"Math.abs({SET}.cut / b.most - 0.09) < 1e-6"),
    "handle of the top": (["slide #top-handle 500"], f"Math.abs({SET}.top / b.most - 0.25) < 1e-6 && {SET}.locked"),
    "colours": (["choose #colormap cividis"], f"{SET}.colormap === 'cividis'"),
    "scale": (["choose #shape log"], f"{SET}.scale === 'log'"),
    "shares of each column": (["choose #of shares"], f"{SET}.levels === 'shares' && {TOP}.disabled"),
    "changes": (["choose #of changes"], f"{SET}.levels === 'changes' && !{TOP}.disabled"),
    "candles": (["choose #candles blue-orange"], f"{SET}.candles === 'blue-orange'"),
    "table": (["#levels summary"], "levels.open && document.querySelectorAll('#levels tbody tr').length > 3"),
}  # fmt: skip


def act(watched: Watched, step: str) -> None:
    page = watched.page
    what, _, rest = step.partition(" ")
    if what != "press":
        watched.unfold(rest.partition(" ")[0] if what in ("type", "slide", "choose") else step)
    if what == "press":
        page.keyboard.press(rest)
    elif what == "type":
        target, _, text = rest.partition(" ")
        page.fill(target, text)
        page.locator(target).blur()
    elif what == "slide":
        target, _, value = rest.partition(" ")
        page.locator(target).evaluate("(e, value) => { e.value = value; e.dispatchEvent(new Event('input')) }", value)
    elif what == "choose":
        target, _, value = rest.partition(" ")
        page.select_option(target, value)
    else:
        page.click(step)
    watched.settle()


@pytest.fixture(scope="module", params=SIZES)
def opened(request: pytest.FixtureRequest, chromium: Any, exported: Path) -> Iterator[Watched]:
    with Watched(chromium, exported, request.param) as watched:
        yield watched


def test_each_control_does_what_it_says(opened: Watched) -> None:
    page = opened.page
    narrow = page.evaluate("innerWidth < 700")
    wrong = {}
    for control, (steps, then) in CONTROLS.items():
        if narrow and control.startswith("key"):
            continue
        page.evaluate("keys.close(); levels.open = false; document.activeElement.blur(); liqcore.fresh()")
        opened.settle()
        page.evaluate(
            """() => { const v = liqcore.view(), s = liqcore.settings();
            window.b = { ...v, range: v.columns[1] - v.columns[0], top: s.top, most: liqcore.most() } }"""
        )
        for step in steps:
            act(opened, step)
        if not page.evaluate(then):
            wrong[control] = (opened.settings(), page.evaluate("liqcore.view()"))
    assert wrong == {}


def test_every_control_has_a_test(opened: Watched) -> None:
    names = opened.page.locator("button, select, input, summary").evaluate_all(
        "all => all.map(e => e.id || e.dataset.side || e.dataset.view || e.closest('[id]').id)"
    )
    tested = " ".join(step for steps, _ in CONTROLS.values() for step in steps)
    elsewhere = {"png", "csv", "link", "more", "keys"}  # below, and the button that closes the keys
    elsewhere |= {"market", "model", "within", "now", "marks", "alerts", "alert-least", "marks-of", "zones"}
    elsewhere |= {"show", "swept"}
    elsewhere |= {"scenario", "to", "cascade", "stops-long", "stops-short", "real"}
    elsewhere |= {"pause", "speed", "at", "progress", "pop"}  # of a server: test_page_live.py, test_page_history.py
    assert [name for name in names if name not in tested and name not in elsewhere] == []


def test_every_control_is_named_and_reachable(opened: Watched) -> None:
    narrow = opened.page.evaluate("innerWidth < 700")
    opened.unfold("#theme")
    found = opened.page.locator("button, select, input, summary, a").evaluate_all(
        """all => all.filter(e => e.checkVisibility()).map(e => ({
            name: e.ariaLabel || e.labels?.[0]?.innerText || e.innerText || e.title, tab: e.tabIndex,
            width: e.getBoundingClientRect().width, height: e.getBoundingClientRect().height, tag: e.tagName,
        }))"""
    )
    assert len(found) > 20
    assert [one for one in found if not one["name"].strip() or one["tab"] < 0] == []
    pressed = [one for one in found if one["tag"] in ("BUTTON", "SELECT", "SUMMARY")]
    assert [one for one in pressed if narrow and min(one["height"], one["width"]) < 44] == []


def test_on_a_telephone_the_chart_has_the_room_and_controls_are_in_a_sheet(chromium: Any, exported: Path) -> None:
    with Watched(chromium, exported, "narrow", touch=True) as watched:
        page = watched.page
        assert page.locator("#plot").bounding_box()["height"] >= 0.6 * 844
        assert page.locator("#theme").is_hidden()
        page.click("#more")
        assert page.get_attribute("#more", "aria-expanded") == "true"
        assert page.locator("#theme").is_visible()
        assert page.locator("#top-handle").is_visible()
        assert page.locator("#controls").bounding_box()["y"] > 844 * 0.3  # what is changed is seen above it
        page.keyboard.press("Escape")
        assert page.locator("#theme").is_hidden()
        assert page.evaluate("document.activeElement.id") == "more"
        page.set_viewport_size({"width": 844, "height": 390})
        watched.until("document.getElementById('plot').clientHeight > 0.5 * innerHeight")
        page.set_viewport_size({"width": 1400, "height": 860})
        assert page.locator("#theme").is_visible()


def test_what_a_key_moves_the_cursor_to_is_spoken(chromium: Any, exported: Path) -> None:
    with Watched(chromium, exported) as watched:
        page = watched.page
        page.mouse.move(500, 400)
        watched.settle()
        assert page.inner_text("#spoken") == ""  # what a mouse passes over would never end
        page.mouse.move(0, 0)
        page.keyboard.press("Shift+ArrowLeft")
        watched.settle()
        assert page.inner_text("#spoken") == page.inner_text("#readout")
        assert "UTC" in page.inner_text("#spoken")
        page.click("#levels summary")
        tree = page.locator("body").aria_snapshot()
        for said in ('toolbar "What is shown"', 'group "Side"', 'button "Longs"', 'region "Colour scale"', "table"):
            assert said in tree, tree
        assert 'columnheader "distance"' in tree
        assert 'slider "Top of the colour scale"' in tree
        listed = page.locator("#levels tbody tr").count()
        page.evaluate("liqcore.setView([100.5, 143.5], [59000, 59400])")
        watched.until(f"document.querySelectorAll('#levels tbody tr').length !== {listed}")  # in step with the picture


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("view", ["heatmap", "map"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_keeps_people_out(chromium: Any, exported: Path, theme: str, view: str, size: str) -> None:
    script = axe()
    with Watched(chromium, exported, size, anchor=f"#theme={theme}&view={view}") as watched:
        watched.page.click("#levels summary") if view == "heatmap" else None
        watched.unfold("#theme")  # on a telephone, the open sheet, too
        watched.page.evaluate(script)
        found = watched.page.evaluate("axe.run()")["violations"]
        assert [(one["id"], one["help"], one["nodes"][0]["html"]) for one in found] == []


def test_a_picture_and_a_table_are_saved(chromium: Any, exported: Path, hm: lq.Heatmap, tmp_path: Path) -> None:
    with Watched(chromium, exported) as watched:
        page = watched.page
        with page.expect_download() as saved:
            page.click("#png")
        assert saved.value.suggested_filename.startswith("liqcore-SIMULATED-simulator-flow-heatmap-2026-01-05")
        saved.value.save_as(tmp_path / "x.png")
        with Image.open(tmp_path / "x.png") as image:
            assert image.width > 1200
        with page.expect_download() as saved:
            page.click("#csv")
        saved.value.save_as(tmp_path / "x.csv")
        rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
        low, high = page.evaluate("liqcore.view()")["prices"]
        inside = (hm.prices + hm.step > low) & (hm.prices < high)
        for side in ("long", "short"):
            truth = getattr(hm, side)[-1][inside]
            amounts = [float(row["amount"]) for row in rows if row["side"] == side]
            np.testing.assert_allclose(amounts, sorted(truth[truth > 0], reverse=True), rtol=2e-4)


def test_a_link_reopens_the_same_view(chromium: Any, exported: Path) -> None:
    with Watched(chromium, exported) as watched:
        watched.show((40.5, 90.5), (58_000, 61_000))
        for step in (
            "#sides [data-side=short]",
            "type #top $3M",
            "type #cut 10k",
            "choose #colormap inferno",
            "#theme",
        ):
            act(watched, step)
        link, state, view = watched.page.evaluate("[location.hash, liqcore.settings(), liqcore.view()]")
    with Watched(chromium, exported, anchor=link) as again:
        assert again.settings() == state
        assert again.page.evaluate("liqcore.view()")["columns"] == pytest.approx(view["columns"], abs=0.01)
        assert again.page.evaluate("liqcore.view()")["prices"] == pytest.approx(view["prices"], rel=1e-6)


@pytest.mark.parametrize("levels", ["amounts", "shares", "changes"])
def test_the_pixels_are_the_colours_of_the_cells(chromium: Any, exported: Path, hm: lq.Heatmap, levels: str) -> None:
    low = int(np.searchsorted(hm.prices, hm.candles["close"][-1]) - 60)
    with Watched(chromium, exported) as watched:
        watched.show((-0.5, len(hm.times) - 0.5), (float(hm.prices[low]), float(hm.prices[low + 120])))
        watched.page.select_option("#of", levels)
        assert ("shares of each column" in watched.page.locator("#said").inner_text()) == (levels == "shares")
        values, top = hm.values, watched.settings()["top"]
        if levels == "shares":
            values, top = values / np.maximum(values.max(axis=1, keepdims=True), 1e-9), 1.0
        if levels == "changes":
            values = values - values[0]  # the first column in view
        watched.page.mouse.move(0, 0)
        watched.settle()
        image = np.asarray(Image.open(io.BytesIO(watched.page.screenshot())).convert("RGB")).astype(int)
        table, checked, ways = colour_table("viridis").astype(int), 0, set()
        for column in range(15, len(hm.times), 9):
            for row in range(low + 2, low + 118, 5):
                at = watched.page.evaluate("([c, r]) => liqcore.place(c, r)", [column, row])
                if levels == "changes":
                    table = changed_colours("added" if values[column, row] >= 0 else "removed")
                colour = table[colour_index(np.abs(values[column, row : row + 1]), top, "sqrt")[0]]
                pixel = image[int(at["y"]), int(at["x"])]
                candle = hm.candles[column]
                if candle["low"] - 3 * hm.step < hm.prices[row] < candle["high"] + 3 * hm.step:
                    continue  # a candle lies there
                checked += 1
                ways.add(float(np.sign(values[column, row])))
                assert np.abs(pixel - colour).max() <= 40, (column, row)  # a grid line is less than 40 away
        assert checked > 200
        assert levels != "changes" or ways >= {-1.0, 1.0}


def changed_colours(role: str) -> NDArray[np.int64]:
    """256 colours from nothing to what was added, or removed."""
    colours = palette("dark", "white")
    ends = (np.array(colours[of][:3], float) for of in ("candle hollow", role))
    return np.rint(np.linspace(*ends, 256)).astype(np.int64)


def test_changes_are_those_of_the_levels_and_of_the_zones(chromium: Any, exported: Path, hm: lq.Heatmap) -> None:
    first, last = len(hm.times) // 2, len(hm.times) - 1
    with Watched(chromium, exported, anchor="#levels=changes") as watched:
        asked = watched.page.evaluate("liqcore.rows()")
        shift = round((asked["low"] - hm.prices[0]) / hm.step)
        price = float(hm.candles["close"][-1])

        def changed(column: int, row: int) -> float:
            now, before = float(hm.values[column, row]), float(hm.values[first, row])
            said = watched.read(column, row - shift)["change"]
            assert said == pytest.approx(now - before, abs=2e-4 * (now + before)), (column, row)
            return said

        watched.show((first - 0.5, last + 0.5), (price * 0.97, price * 1.03))
        end = str(np.datetime64(int(hm.times[first]) + hm.window_ns, "ns"))[:16].replace("T", " ")
        watched.until(f"said.textContent.includes('added (yellow) or removed (purple) since {end}')")
        low, high = np.searchsorted(hm.prices, [price * 0.972, price * 1.028])
        random = np.random.default_rng(7)
        told = [changed(int(random.integers(first, last + 1)), int(random.integers(low, high))) for _ in range(200)]
        assert min(told) < 0 < max(told)
        assert "removed since" in watched.page.inner_text("#readout") or "added" in watched.page.inner_text("#readout")
        then, now = (int(hm.times[column]) + hm.window_ns for column in (first, last))
        zones = hm.zones(now)
        before = hm.zones(then, threshold=zones[0].threshold)
        found = [one for one in changes(before, zones, hm.swept(then)) if one.kind in ("new", "grown", "shrunk")]
        found = [one for one in found if price * 0.972 < one.zone.low and one.zone.high < price * 1.028]
        assert found
        for one in found[:8]:
            rows = [round((edge - hm.prices[0]) / hm.step) for edge in (one.zone.low, one.zone.high)]
            held = float(getattr(hm, one.zone.side)[first, rows[0] : rows[1]].sum())
            watched.page.click(f"#sides [data-side={one.zone.side}]")
            said = sum(watched.read(last, row - shift)["change"] for row in range(*rows))
            assert said == pytest.approx(one.now - held, abs=1e-3 * one.now)
        link = watched.page.evaluate("location.hash")
        assert "levels=changes" in link


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("colormap", ["viridis", "cividis"])
def test_candles_are_white_full_where_they_rise(
    chromium: Any, exported: Path, hm: lq.Heatmap, colormap: str, theme: str
) -> None:
    size = np.abs(hm.candles["close"] - hm.candles["open"])
    anchor = f"#colormap={colormap}&theme={theme}"
    with Watched(chromium, exported, anchor=anchor) as watched:
        for rises in (True, False):
            column = int(np.where((hm.candles["close"] > hm.candles["open"]) == rises, size, 0)[4:].argmax()) + 4
            middle = float(hm.candles["open"][column] + hm.candles["close"][column]) / 2
            watched.show((column - 3.5, column + 3.5), (middle - 2 * size[column], middle + 2 * size[column]))
            row = int(np.searchsorted(hm.prices, middle)) - 1
            at = watched.page.evaluate("([c, r]) => liqcore.place(c, r)", [column, row])
            box = watched.page.locator("#chart").bounding_box()
            y = box["y"] + (box["height"] - 28) / 2  # the middle of the prices in view
            image = np.asarray(Image.open(io.BytesIO(watched.page.screenshot())).convert("L")).astype(int)
            body = image[int(y), int(at["x"]) + 8]  # beside the wick
            assert body >= 250 if rises else body <= 20
            line = image[int(y), int(at["x"]) : int(at["x"]) + 90]
            assert line.max() >= 250  # where it falls, its border


def test_a_finger_reads_a_value_and_two_zoom(chromium: Any, exported: Path) -> None:
    with Watched(chromium, exported, "narrow", touch=True) as watched:
        page = watched.page
        before = page.evaluate(RANGE)
        page.locator("#chart").scroll_into_view_if_needed()
        at = page.evaluate("liqcore.place(70, liqcore.view().joined.down * 250)")
        box = page.locator("#chart").bounding_box()
        x, y = box["x"] + 150, box["y"] + 150
        session = watched.context.new_cdp_session(page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            session.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]}
            )

        touch("touchStart", (x, y))
        page.wait_for_timeout(600)  # a long press is a matter of time
        touch("touchMove", (x + 3, y))
        watched.settle()
        assert "UTC" in page.inner_text("#readout"), at
        touch("touchEnd")
        page.touchscreen.tap(x, y)
        watched.settle()
        touch("touchStart", (x - 40, y), (x + 40, y))
        for step in range(1, 8):
            touch("touchMove", (x - 40 - 10 * step, y), (x + 40 + 10 * step, y))
        touch("touchEnd")
        watched.settle()
        assert page.evaluate(RANGE) < 0.8 * before


def test_a_map_reads_as_it_holds(chromium: Any, tmp_path: Path, hm: lq.Heatmap) -> None:
    shown = hm.map()
    path = shown.save(tmp_path / "map.html")
    with Watched(chromium, path) as watched:
        page = watched.page
        assert page.inner_text("#sentence") == shown.sentence()
        assert page.locator("#legend li").all_inner_texts() == [layer.name for layer in shown.layers]
        at = page.locator("#map canvas").first.bounding_box()
        page.mouse.move(at["x"] + 300, at["y"] + 200)
        said = {name: float(value) for name, value in page.evaluate("({...readout.dataset})").items()}
        size = page.evaluate("liqcore.binSize()")
        middle = shown.prices + shown.step / 2
        inside = (middle >= said["low"]) & (middle < said["low"] + size)
        assert said["long"] == pytest.approx(shown.long[:, inside].sum())
        low, high = page.evaluate("liqcore.bars()")
        page.keyboard.press("+")
        watched.settle()
        closer = page.evaluate("liqcore.bars()")
        assert closer[1] - closer[0] == pytest.approx(0.7 * (high - low), rel=0.02)
