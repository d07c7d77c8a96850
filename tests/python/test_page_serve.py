"""The page of `liqcore serve` itself, as a process: a recording played to its end, and who else may show or read it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("mcap")
pytest.importorskip("msgspec")
pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("websockets")

import liqcore as lq
from liqcore.history.spread import Spread
from markets import BTC, archive, trades
from pages import Watched, browser, near, needs_page
from recorded import data_dir
from test_cli_serve import Serving, serving
from test_page_embed import site
from test_spread import fitted

pytestmark = needs_page

TRADES = trades(3000, seed=8)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    return archive(tmp_path, TRADES)


def played(path: Path, folder: Path, **env: str) -> AbstractContextManager[Serving]:
    """Serve a recording as fast as can be."""
    return serving("--replay", path, "--speed", 0, "--journal", folder / "journal", **env)


def ended(watched: Watched, time: int) -> None:
    """Wait until the page has come to the column of a time."""
    at = int(time) / 1e9
    watched.until(f"(({{ first, window }}) => first + liqcore.columns() * window > {at})(liqcore.shows())")
    minute = str(np.datetime64(int(time), "ns"))[:13].replace("T", " ")
    watched.until(f"state.textContent.includes('the recording has ended, {minute}')")
    watched.settle()


def compare(watched: Watched, hm: lq.Heatmap, cells: int) -> None:
    """Read random cells of the columns that come by themselves, and compare them with the batch of the same files."""
    first, columns = watched.page.evaluate("[liqcore.shows().first, liqcore.columns()]")
    asked = watched.page.evaluate("liqcore.rows()")
    begin = int(np.searchsorted(hm.times, round(first * 1e9)))
    assert hm.times[begin] == round(first * 1e9)
    assert columns == len(hm.times) - begin
    hm = hm.rebin(step=asked["step"])
    shift = round((asked["low"] - hm.prices[0]) / hm.step)
    price = float(hm.candles["close"][-1])
    random = np.random.default_rng(5)
    held = 0
    for _ in range(4):
        low = float(price * random.uniform(0.98, 0.99))
        reach = min(80 * hm.step, 0.02 * price)
        watched.show((-0.5, columns - 0.5), (low, low + reach))
        assert watched.page.evaluate("liqcore.view().joined") == {"across": 1, "down": 1}
        rows = np.searchsorted(hm.prices, [low + hm.step, low + reach - hm.step])
        for _ in range(cells // 4):
            column, row = int(random.integers(0, columns)), int(random.integers(*rows))
            said = watched.read(column, row - shift)
            assert said["time"] * 1e9 == pytest.approx(hm.times[begin + column])
            assert said["low"] == pytest.approx(hm.prices[row])
            for side in ("long", "short"):
                truth = float(getattr(hm, side)[begin + column, row])
                assert near(said[side], truth), (column, row, side)
                held += truth > 0
    assert held > cells / 8


def test_a_recording_at_its_end_is_the_heatmap_of_its_file(chromium: Any, recorded: Path, tmp_path: Path) -> None:
    with played(recorded, tmp_path) as served, Watched(chromium, served.url) as watched:
        served.wait(len(TRADES.ts))
        ended(watched, TRADES.ts[-1])
        compare(watched, lq.heatmap(str(recorded)), 200)


@pytest.mark.recorded
def test_a_recorded_day_at_its_end_is_the_heatmap_of_its_file(chromium: Any, tmp_path: Path) -> None:
    path = data_dir() / "trades" / "BTCUSDT-aggTrades-2026-06-13.zip"
    hm = lq.heatmap(str(path))
    with played(path, tmp_path) as served, Watched(chromium, served.url) as watched:
        served.wait(int(hm.meta["rows"]["used"]))
        ended(watched, hm.times[-1])
        compare(watched, hm, 200)


def test_amounts_of_a_fitted_profile_have_their_intervals_in_the_read_out(
    chromium: Any, recorded: Path, tmp_path: Path
) -> None:
    profile = tmp_path / "profile.json"
    fitted().save(profile)
    hm = lq.heatmap(str(recorded), leverage=fitted())
    with played(recorded, tmp_path, LIQCORE_LEVERAGE_FILE=str(profile)) as served:
        served.wait(len(TRADES.ts))
        with Watched(chromium, served.url) as watched:  # once it has ended: its map is of the last column
            ended(watched, TRADES.ts[-1])
            asked = watched.page.evaluate("liqcore.rows()")
            now, price = hm.rebin(step=asked["step"]).map(), float(hm.candles["close"][-1])
            spread = Spread.of(now.meta)
            assert spread is not None
            factors = served.ask(f"map?market={BTC}")["factors"]
            np.testing.assert_allclose(factors, spread.factors_of(now.tiers))
            watched.show((-0.5, len(hm.times) - 0.5), (price * 0.98, price * 1.02))
            checked = 0
            for at in np.flatnonzero(np.abs(now.prices / price - 1) < 0.018)[::3]:
                said = watched.read(len(hm.times) - 1, round((now.prices[at] - asked["low"]) / asked["step"]))
                if not said["long"] + said["short"]:
                    continue
                side = "long" if said["long"] > said["short"] else "short"
                truth = spread.ends(now.tiers, getattr(now, side)[:, at])
                assert (said["valueLow"], said["valueHigh"]) == pytest.approx(truth, rel=1e-3)
                checked += 1
            assert checked > 3


FRAME = "<!doctype html><title>x</title><link rel=icon href=data:,><iframe id=live src={server}></iframe>"


def test_an_origin_that_is_not_named_neither_frames_nor_reads_what_is_served(
    chromium: Any, recorded: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    with (
        site(folder) as named,
        site(folder) as other,
        played(recorded, tmp_path, LIQCORE_SERVER_EMBEDDED_BY=named, LIQCORE_SERVER_ORIGINS=named) as served,
    ):
        (folder / "index.html").write_text(FRAME.format(server=served.url), encoding="utf-8")
        served.wait()
        opened = chromium.new_page()
        opened.goto(named)
        opened.frame_locator("#live").locator("#chart canvas").first.wait_for(timeout=60_000)
        assert [opened.evaluate(asks, served.url) for asks in (FETCHED, STREAMED)] == ["read", "read"]
        with opened.expect_event("requestfailed", lambda one: one.url.startswith(served.url), timeout=60_000):
            opened.goto(other)
        assert not any(frame.query_selector("#title") for frame in opened.frames[1:])
        assert [opened.evaluate(asks, served.url) for asks in (FETCHED, STREAMED)] == ["refused", "refused"]
        opened.close()


FETCHED = "url => fetch(`${url}markets`).then(answer => answer.ok ? 'read' : `${answer.status}`, () => 'refused')"
STREAMED = """url => new Promise(done => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}stream`);
    socket.onopen = () => { done('read'); socket.close(); };
    socket.onerror = () => done('refused');
})"""
