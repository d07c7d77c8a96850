"""The page of a server in Chromium: what it shows while a market is followed, and after the server was away."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

import httpx
from PIL import Image

import liqcore as lq
from liqcore.config import Config
from liqcore.live.board import Board
from liqcore.live.following import Following
from liqcore.live.happened import ZoneNews
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.render import template
from liqcore.server.app import app
from liqcore.server.page import page
from liqcore.server.run import serve
from liqcore.server.socket import stream
from markets import BTC, frames, trades
from pages import SIZES, Watched, axe, browser, near, needs_page
from test_server_stills import BYBIT, followed, publish

CONFIG = Config().replace(server={"updates": 50.0})
TRADES = trades(6000, seed=21, hours=5.0)


class Served:
    """A market that is served, and fed by the test."""

    def __init__(self) -> None:
        self.market = MarketEngine(BTC, CONFIG)
        made = followed(self.market)
        self.following = Following(made.boards, made.news, "replay", made.folder, SystemClock())
        self.left = frames(TRADES)

    def feed(self, count: int) -> None:
        self.market.take(self.left[:count])
        del self.left[:count]
        publish(self.market)

    def serve(self, port: int = 0) -> Any:
        further = [stream(self.following, CONFIG), page()]
        return serve(app(self.following, CONFIG, further=further), "127.0.0.1", port)

    def heatmap(self, step: float) -> lq.Heatmap:
        """What the board says of the market, which other tests compare with the batch of the same trades."""
        moment = self.following.boards[BTC].moment()
        assert moment is not None
        return moment.heatmap(step=step)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture
def served() -> Served:
    made = Served()
    made.feed(400)
    return made


def told(watched: Watched) -> int:
    """How many columns the page has."""
    return int(watched.page.evaluate("liqcore.columns()"))


@needs_page
@pytest.mark.parametrize("size", SIZES)
def test_it_shows_what_the_heatmap_holds_and_goes_on(chromium: Any, served: Served, size: str) -> None:
    with served.serve() as server, Watched(chromium, server.url, size) as watched:
        for more in (0, 300):
            if more:
                before = watched.page.evaluate("liqcore.columns()")
                served.feed(more)
                watched.until(f"liqcore.columns() > {before}")
            asked = watched.page.evaluate("liqcore.rows()")
            hm = served.heatmap(asked["step"])
            watched.until(f"liqcore.columns() === {len(hm.times)}")
            first = round((asked["low"] - hm.prices[0]) / hm.step)
            price = float(hm.candles["close"][-1])
            watched.show((-0.5, len(hm.times) - 0.5), (price * 0.995, price * 1.005))
            low, high = np.searchsorted(hm.prices, [price * 0.996, price * 1.004])
            random = np.random.default_rng(more)
            for _ in range(20):
                column, row = int(random.integers(0, len(hm.times))), int(random.integers(low, high))
                said = watched.read(column, row - first)
                assert said["time"] * 1e9 == pytest.approx(hm.times[column])
                assert near(said["long"], float(hm.long[column, row]))
                assert near(said["short"], float(hm.short[column, row]))


@needs_page
def test_tiers_and_time_are_chosen_and_stand_in_the_link(chromium: Any, served: Served) -> None:
    with served.serve() as server:
        with Watched(chromium, server.url) as watched:
            page = watched.page
            page.click("#tiers [data-tier='5']")
            page.select_option("#within", "1h")
            watched.until("title.textContent.includes('opened within 1h')")
            watched.until("document.getElementById('said').textContent.includes('10x, 25x, 50x, 100x alone')")
            watched.until("location.hash.includes('within=1h')")
            watched.settle()
            link = page.evaluate("location.hash")
        with Watched(chromium, server.url, anchor=f"/{link}") as again:
            assert "opened within 1h" in again.page.inner_text("#title")
            assert again.page.get_attribute("#tiers [data-tier='5']", "aria-pressed") == "false"
            again.page.click("#views [data-view=map]")
            again.until("document.getElementById('sentence').textContent.includes('a fall to')")
            assert again.page.locator("#legend li").all_inner_texts() == ["10x", "25x", "50x", "100x"]


@needs_page
def test_another_market_is_chosen_and_one_comes_back_to_now(chromium: Any, served: Served) -> None:
    other = MarketEngine(BYBIT, CONFIG)
    other.take(frames(trades(2000, seed=4, hours=5.0), market=BYBIT))
    publish(other)
    both = followed(served.market, other)
    served.following = Following(both.boards, both.news, "replay", both.folder, SystemClock())
    with served.serve() as server, Watched(chromium, server.url) as watched:
        page = watched.page
        assert page.locator("#market option").all_inner_texts() == [str(BTC), str(BYBIT), "all, summed"]
        page.select_option("#market", str(BYBIT))
        watched.until(f"title.textContent.includes('{BYBIT.venue}') && location.hash.includes('{BYBIT.venue}')")
        page.select_option("#market", label="all, summed")
        watched.until(f"title.textContent.includes('{BYBIT.venue}') && title.textContent.includes('{BTC.venue}')")
        columns = told(watched)
        watched.show((-10.5, 3.5), (60_000, 66_000))
        page.click("#now")
        watched.until(f"Math.abs(liqcore.view().columns[1] - {columns} + 0.5) < 0.01")


@needs_page
def test_a_reader_is_told_of_zones_that_are_swept(chromium: Any, served: Served) -> None:
    def happens(usd: float, number: int) -> None:
        news = ZoneNews(BTC, "swept", "long", 1_781_222_400_000_000_000, 61_000.0, 61_050.0, usd, 61_020.0)
        served.following.news.put(news, number)
        served.feed(1)

    with served.serve() as server, Watched(chromium, server.url) as watched:
        page = watched.page
        page.check("#alerts")
        assert page.locator("#happened").is_visible()
        page.fill("#alert-least", "2M")
        page.locator("#alert-least").blur()
        happens(1e6, 900_001)
        happens(5e6, 900_002)
        watched.until("happened.children.length > 0")
        assert page.locator("#happened p").all_inner_texts() == [
            "00:00 UTC binance-usdm:BTCUSDT: longs 61,000 to 61,050 swept, $5M"
        ]
        page.uncheck("#alerts")
        assert page.locator("#happened").is_hidden()


@needs_page
def test_liquidations_that_the_venue_told_of_are_marked(
    chromium: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def realised(_: Board, starts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.tile([250_000.0, 0.0], (len(starts), 1))

    monkeypatch.setattr(Board, "realised", realised)
    with served.serve() as server, Watched(chromium, server.url) as watched:
        page = watched.page
        row = page.evaluate("liqcore.rows()")
        price = float(served.heatmap(row["step"]).candles["close"][-1])
        watched.show((-0.5, 20.5), (price * 0.99, price * 1.01))
        watched.read(4, round((price - row["low"]) / row["step"]))
        assert "$250K of longs liquidated" in page.inner_text("#readout")
        page.mouse.move(0, 0)
        watched.settle()
        marked = page.locator("#chart").screenshot()
        page.fill("#marks", "1M")
        page.locator("#marks").blur()
        watched.settle()
        assert watched.settings()["marks"] == 1e6
        colour = np.array([86, 180, 233])  # of longs
        blue = [
            (np.abs(np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int) - colour).max(axis=2) < 6).sum()
            for shot in (marked, page.locator("#chart").screenshot())
        ]
        assert blue[0] > 200
        assert blue[1] < blue[0] / 4


@needs_page
def test_it_goes_on_after_the_server_was_away_and_says_so_meanwhile(chromium: Any, served: Served) -> None:
    with served.serve() as server:
        watched = Watched(chromium, server.url)
        before, port = told(watched), server.port
    watched.until("state.textContent.includes('not connected') && state.dataset.well === 'false'")
    served.feed(300)
    with served.serve(port):
        watched.until(f"liqcore.columns() > {before}")
        watched.until("state.dataset.well === 'true'")
        watched.complaints = [one for one in watched.complaints if "WebSocket" not in one and "ERR_" not in one]
        with watched:
            assert "a recording" in watched.page.inner_text("#state")


@needs_page
def test_nothing_keeps_people_out(chromium: Any, served: Served) -> None:
    script = axe()
    with served.serve() as server, Watched(chromium, server.url) as watched:
        watched.page.check("#alerts")
        watched.page.evaluate(script)
        found = watched.page.evaluate("axe.run()")["violations"]
        assert [(one["id"], one["help"], one["nodes"][0]["html"]) for one in found] == []


@needs_page
def test_the_page_is_small_and_has_a_policy_of_its_own(served: Served) -> None:
    with served.serve() as server:
        answer = httpx.get(server.url + "/")
    assert len(answer.content) <= 300_000
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-eval" not in policy


def test_without_the_page_the_server_says_what_is_missing(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(template, "files", lambda _: tmp_path)
    template.template.cache_clear()
    with served.serve() as server:
        answer = httpx.get(server.url + "/")
        assert (answer.status_code, httpx.get(server.url + "/markets").status_code) == (503, 200)
    assert "built without it" in answer.text
    template.template.cache_clear()
