"""The page of a server in Chromium: what it shows while a market is followed, and after the server was away."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

import httpx
from PIL import Image

import liqcore as lq
from liqcore.config import Config
from liqcore.feeds.events import Change
from liqcore.feeds.frames import changed
from liqcore.live import Replay, Service, running
from liqcore.live.board import Board
from liqcore.live.following import Following
from liqcore.live.happened import ZoneNews
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.live.player import Player
from liqcore.live.replay import Recording, recording
from liqcore.render import template
from liqcore.server.app import app
from liqcore.server.page import page
from liqcore.server.run import serve
from liqcore.server.socket import stream
from markets import BTC, HOUR, archive, frames, trades
from pages import SIZES, Watched, axe, browser, near, needs_page
from test_live_scale import config_of, engine_of, fitted, market_frames
from test_server_stills import BYBIT, followed, publish

CONFIG = Config().replace(server={"updates": 50.0})
TRADES = trades(6000, seed=21, hours=5.0)


class Served:
    """A market that is served, and fed by the test."""

    def __init__(self, market: MarketEngine | None = None) -> None:
        self.market = MarketEngine(BTC, CONFIG) if market is None else market
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


def compare(watched: Watched, hm: lq.Heatmap, cells: int, seed: int) -> None:
    """Read random cells near the price, and compare them with a heatmap of the same rows and columns."""
    asked = watched.page.evaluate("liqcore.rows()")
    assert asked["step"] == pytest.approx(hm.step)
    first = round((asked["low"] - hm.prices[0]) / hm.step)
    price = float(hm.candles["close"][-1])
    watched.show((-0.5, len(hm.times) - 0.5), (price * 0.99, price * 1.01))
    low, high = np.searchsorted(hm.prices, [price * 0.991, price * 1.009])
    random = np.random.default_rng(seed)
    values = 0
    for _ in range(cells):
        column, row = int(random.integers(0, len(hm.times))), int(random.integers(low, high))
        said = watched.read(column, row - first)
        assert said["time"] * 1e9 == pytest.approx(hm.times[column])
        assert near(said["long"], float(hm.long[column, row]))
        assert near(said["short"], float(hm.short[column, row]))
        values += hm.long[column, row] > 0 or hm.short[column, row] > 0
    assert values > cells / 4


@needs_page
def test_a_recording_at_its_end_is_what_the_batch_of_its_files_is_whatever_the_model(
    chromium: Any, tmp_path: Path
) -> None:
    path = archive(tmp_path, TRADES)
    config = CONFIG.replace(live={"models": "flow,presence"})
    with Service(Replay(recording([str(path)]), 0), tmp_path / "journal", config=config) as service:
        further = [stream(service.following, config), page()]
        served = app(service.following, config, further=further)
        with running(service, stays=True), serve(served, "127.0.0.1", 0) as server:
            with Watched(chromium, server.url) as watched:
                watched.until("state.textContent.includes('2026-06-12 04:59')")
                assert watched.page.locator("#model option").all_inner_texts() == ["flow", "presence"]
                for seed, model in enumerate(("flow", "presence")):
                    watched.page.select_option("#model", label=model)
                    watched.until(f"said.textContent.includes('model {model}')")
                    watched.settle()
                    step = watched.page.evaluate("liqcore.rows()")["step"]
                    compare(watched, lq.heatmap(str(path), model=model).rebin(step=step), 100, seed)
                watched.until("location.hash.includes('model=presence')")
                with watched.page.expect_download() as saving:
                    watched.page.click("#csv")
                assert "-presence-" in saving.value.suggested_filename
                saving.value.save_as(tmp_path / "x.csv")
                rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
                assert {row["model"] for row in rows} == {"presence"}
                link = watched.page.evaluate("location.hash")
            with Watched(chromium, server.url, anchor=f"/{link}") as again:
                again.until("said.textContent.includes('model presence')")
                assert again.page.input_value("#model") == "presence"


@needs_page
def test_tiers_and_time_are_chosen_and_stand_in_the_link(chromium: Any, served: Served) -> None:
    with served.serve() as server:
        with Watched(chromium, server.url) as watched:
            page = watched.page
            for tier in (50, 10, 25, 100):
                page.click(f"#tiers [data-tier='{tier}']")  # the first alone, then with others
                watched.until(f"said.textContent.includes('{tier}x')")
            page.select_option("#within", "1h")
            watched.until("title.textContent.includes('opened within 1h')")
            watched.until("document.getElementById('said').textContent.includes('10x, 25x, 50x, 100x alone')")
            watched.until("location.hash.includes('within=1h')")
            watched.settle()
            link = page.evaluate("location.hash")
        with Watched(chromium, server.url, anchor=f"/{link}") as again:
            assert "opened within 1h" in again.page.inner_text("#title")
            pressed = {
                tier: again.page.get_attribute(f"#tiers [data-tier='{tier}']", "aria-pressed")
                for tier in ("all", 5, 50)
            }
            assert pressed == {"all": "false", 5: "false", 50: "true"}
            again.page.click("#views [data-view=map]")
            again.until("document.getElementById('sentence').textContent.includes('a fall to')")
            assert again.page.locator("#legend li").all_inner_texts() == ["10x", "25x", "50x", "100x"]
            again.page.click("#tiers [data-tier='all']")
            again.until("document.querySelectorAll('#legend li').length === 5")


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
def test_prices_of_another_underlying_are_its_own_and_no_sum_is_offered(chromium: Any, served: Served) -> None:
    of = trades(6000, seed=21, hours=5.0)  # as many columns, at the same times
    coins = lq.TradeBatch(of.ts, np.round(of.price / 1e6, 5), of.qty, of.taker_sell)
    config = CONFIG.replace(instrument={"tick_size": 0.00001})
    other = MarketEngine(BYBIT, config)
    other.take(frames(coins, market=BYBIT)[:400])
    publish(other)
    both = followed(served.market, other)
    served.following = Following(both.boards, both.news, "replay", both.folder, SystemClock())
    with served.serve() as server, Watched(chromium, server.url) as watched:
        page = watched.page
        assert page.locator("#market option").all_inner_texts() == [str(BTC), str(BYBIT)]
        for market, low, high in ((BYBIT, 0.05, 0.08), (BTC, 50_000, 80_000), (BYBIT, 0.05, 0.08)):
            page.select_option("#market", str(market))
            watched.until(f"title.textContent.includes('{market.venue}')")
            watched.until(f"liqcore.view().prices[0] > {low} && liqcore.view().prices[1] < {high}")
            row = page.evaluate("liqcore.rows()")
            said = watched.page.evaluate(
                "([column, low]) => { const at = liqcore.at(liqcore.shows().first + 300 * column, low); return at.y }",
                [3, row["low"]],
            )
            assert np.isfinite(said)
        hm = other.book.engine.heatmap()  # type: ignore[union-attr]
        watched.show((-0.5, len(hm.times) - 0.5), (0.062, 0.064))
        box = page.locator("#chart").bounding_box()
        page.mouse.move(box["x"] + 200, box["y"] + 100)
        watched.until("/0\\.06\\d{3}/.test(readout.textContent)")


@needs_page
def test_what_was_swept_stands_in_a_table_and_a_time_is_shown(chromium: Any) -> None:
    served = Served()
    wild = lq.TradeBatch(TRADES.ts, np.round(63_000 + 8 * (TRADES.price - 63_000), 1), TRADES.qty, TRADES.taker_sell)
    served.left = frames(wild)
    served.feed(len(served.left))
    with served.serve() as server, Watched(chromium, server.url) as watched:
        page = watched.page
        row = page.evaluate("liqcore.rows()")
        hm = served.heatmap(row["step"])
        watched.until(f"liqcore.columns() === {len(hm.times)}")
        page.click("#swept summary")
        watched.until("document.querySelectorAll('#swept tbody tr').length > 3")
        longs, shorts = swept(hm)
        caption = page.inner_text("#swept caption")
        for side, total in (("longs", longs.sum()), ("shorts", shorts.sum())):
            said = re.search(rf"\$([0-9.]+)([KM]?) of {side}", caption)
            assert said is not None
            assert float(said[1]) * {"": 1, "K": 1e3, "M": 1e6}[said[2]] == pytest.approx(total, rel=6e-3)
        first = page.locator("#swept tbody tr").first.locator("td").all_inner_texts()
        side, amounts = max((("long", longs), ("short", shorts)), key=lambda of: of[1].max())
        column = int(amounts.argmax())
        at = np.datetime64(int(hm.times[column]), "ns").astype("datetime64[m]")
        assert first[:2] == [f"{at} to {str(at + 5)[11:]}".replace("T", " "), side]
        page.click("#spans button:text-is('1h')")
        watched.settle()
        page.fill("#show", "01:00")
        page.locator("#show").blur()
        watched.until("!now.hidden")
        middle = page.evaluate("(liqcore.view().columns[0] + liqcore.view().columns[1]) / 2")
        assert hm.times[0] / 1e9 + (middle + 0.5) * 300 == pytest.approx(1_781_226_000, abs=1)  # 01:00 of that day
        page.fill("#show", "2030-01-01 00:00")
        page.locator("#show").blur()
        assert page.get_attribute("#show", "aria-invalid") == "true"


def swept(hm: lq.Heatmap) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """What lay in rows that each column's price reached, and is gone: USD of longs and of shorts."""
    gone_long, gone_short = (np.maximum(-np.diff(side.astype(float), axis=0), 0.0) for side in (hm.long, hm.short))
    low, high = (np.floor((hm.candles[name][1:] - hm.prices[0]) / hm.step + 1e-9) for name in ("low", "high"))
    rows = np.arange(len(hm.prices))
    longs = np.where(rows >= low[:, None], gone_long, 0.0).sum(axis=1)
    shorts = np.where(rows <= high[:, None], gone_short, 0.0).sum(axis=1)
    return np.append(0.0, longs), np.append(0.0, shorts)


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
            "2026-06-12 00:00 UTC binance-usdm:BTCUSDT: longs 61,000 to 61,050 swept, $5M"
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
def test_levels_opened_in_the_time_in_view_follow_it(chromium: Any, served: Served) -> None:
    served.feed(600)
    with served.serve() as server:
        with Watched(chromium, server.url) as watched:
            page = watched.page
            page.select_option("#within", "view")
            watched.until("location.hash.includes('within=view')")
            page.click("#spans button:text-is('1h')")
            watched.until("title.textContent.includes('opened within 1h')")
            step = page.evaluate("liqcore.rows()")["step"]
            moment = served.following.boards[BTC].moment()
            assert moment is not None
            hm = moment.heatmap(step=step).select(opened_within="1h")
            watched.until(f"liqcore.columns() === {len(hm.times)}")
            first = round((page.evaluate("liqcore.rows()")["low"] - hm.prices[0]) / hm.step)
            column = len(hm.times) - 2
            row = int(np.argmax(hm.long[column]))
            price = float(hm.prices[row])
            watched.show((column - 9.5, column + 2.5), (price * 0.998, price * 1.002))
            assert near(watched.read(column, row - first)["long"], float(hm.long[column, row]))
            link = page.evaluate("location.hash")
        with Watched(chromium, server.url, anchor=link) as again:
            again.until("title.textContent.includes('opened within 1h') && within.value === 'view'")
            again.page.click("#spans button:text-is('All')")
            again.until("!title.textContent.includes('opened within 1h')")


@needs_page
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_ticker_says_price_and_next_zones_in_a_window_of_its_own(chromium: Any, served: Served, theme: str) -> None:
    script = axe()
    served.feed(600)
    with served.serve() as server, Watched(chromium, server.url, anchor=f"#theme={theme}") as watched:
        watched.until("liqcore.columns() > 0")
        with watched.context.expect_page() as opened:
            watched.page.click("#pop")
        ticker = opened.value
        for _ in range(600):
            if "below" in (said := ticker.inner_text("#ticker-long")):
                break
            ticker.wait_for_timeout(25)
        moment = served.following.boards[BTC].moment()
        assert moment is not None
        price = moment.snapshot.last_price
        assert ticker.inner_text("#ticker-price") == f"BTCUSDT {price:,.1f}".removesuffix(".0")
        hm = moment.heatmap(step=watched.page.evaluate("liqcore.rows()")["step"])
        zones = [zone for zone in hm.zones(int(hm.times[-1])) if zone.side == "long"]
        nearest = min(zones, key=lambda zone: abs(zone.high - price))
        assert f"longs {nearest.low:,.0f} to {nearest.high:,.0f}: $" in said
        assert f"{100 * (1 - nearest.high / price):.2f}% below" in said
        assert "liquidated in this window of 5m" in ticker.inner_text("#ticker-gone")
        assert "a recording" in ticker.inner_text("#ticker-state")
        assert "estimate, not a record of positions" in ticker.inner_text("#ticker-said")
        assert ticker.locator("#chart").is_hidden()
        ticker.evaluate(script)
        found = ticker.evaluate("axe.run()")["violations"]
        assert [(one["id"], one["help"], one["nodes"][0]["html"]) for one in found] == []
        served.feed(200)
        now = served.following.boards[BTC].moment()
        assert now is not None
        said = f"BTCUSDT {now.snapshot.last_price:,.1f}".removesuffix(".0")
        for _ in range(600):
            if ticker.inner_text("#ticker-price") == said:
                break
            ticker.wait_for_timeout(25)
        assert ticker.inner_text("#ticker-price") == said


@needs_page
@pytest.mark.parametrize("size", SIZES)
def test_of_a_sum_each_venue_says_how_old_it_is_and_which_stream_is_silent(
    chromium: Any, served: Served, size: str
) -> None:
    other = MarketEngine(BYBIT, CONFIG)
    given = trades(2000, seed=4, hours=5.0)
    other.take(frames(given, market=BYBIT))
    silent = Change(BYBIT, "trades", "stale", int(given.ts[-1]) - HOUR, why="nothing for 40 s")
    other.take([changed(silent, silent.ts)])
    publish(other)
    both = followed(served.market, other)
    served.following = Following(both.boards, both.news, "replay", both.folder, SystemClock())
    anchor = f"#market={BTC},{BYBIT}"
    with served.serve() as server, Watched(chromium, server.url, size, anchor=anchor) as watched:
        watched.until("venues.children.length === 2")
        first, second = watched.page.locator("#venues li").all_inner_texts()
        assert first.startswith(f"{BTC}: as last known at 2026-06-12 0")  # it has been fed less
        assert f"{BYBIT}: trades stale since 2026-06-12 03:59" in second
        assert "(1h)" in second or "(59m" in second
        assert watched.page.inner_text("#state").startswith(f"{BTC}, {BYBIT} as last known; data of 2026-06-12")
        assert watched.page.get_attribute("#state", "data-well") == "false"
        watched.unfold("#market")
        watched.page.select_option("#market", str(BYBIT))
        watched.until("venues.hidden && state.textContent.startsWith('trades stale since')")


@needs_page
@pytest.mark.parametrize("size", SIZES)
def test_a_recording_is_played_otherwise_and_all_who_look_see_it(chromium: Any, tmp_path: Path, size: str) -> None:
    given = frames(TRADES)
    begin, end = given[0].received, given[-1].received
    played = Recording([BTC], begin, None, lambda _: iter(given), end=end)
    with Service(Replay(played, 1.0), tmp_path, config=CONFIG) as service:
        player = service.following.player
        assert player is not None
        further = [stream(service.following, CONFIG), page()]
        served = app(service.following, CONFIG, further=further)
        with (
            running(service, stays=True),
            serve(served, "127.0.0.1", 0) as server,
        ):
            player.change(service.following.clock.elapsed(), speed=600.0)
            with Watched(chromium, server.url, size) as one, Watched(chromium, server.url) as two:
                two.page.check("#alerts")
                one.until("state.textContent.includes('a recording') && state.textContent.includes('600x')")
                one.unfold("#pause")
                one.page.click("#pause")
                two.until("state.textContent.includes('paused') && pause.textContent === 'Play'")
                assert player.told.paused
                one.page.fill("#at", "03:30")
                one.page.locator("#at").blur()
                for watched in (one, two):
                    watched.until("/2026-06-12 03:(29|30:0)/.test(state.textContent)")
                assert player.told.moved_to == int(TRADES.ts[0]) // HOUR * HOUR + 3 * HOUR + HOUR // 2
                two.until("happened.textContent.includes('The replay was moved to 2026-06-12 03:30')")
                columns = told(two)
                one.page.locator("#progress").evaluate("e => { e.value = 200; e.dispatchEvent(new Event('change')) }")
                two.until("state.textContent.includes('2026-06-12 00:59') || state.textContent.includes('01:00')")
                two.until(f"liqcore.columns() < {columns}")  # levels of later are gone with the columns of later
                one.page.fill("#speed", "60x")
                one.page.locator("#speed").blur()
                one.page.click("#pause")
                two.until("state.textContent.includes('60x')")
                assert (player.told.speed, player.told.paused) == (60.0, False)
                one.page.fill("#speed", "as fast as can be")
                one.page.locator("#speed").blur()
                two.until("state.textContent.includes('2026-06-12 04:59')")
                one.page.fill("#at", "2030-01-01 00:00")
                one.page.locator("#at").blur()
                assert one.page.get_attribute("#at", "aria-invalid") == "true"
                assert one.page.get_attribute("#progress", "aria-valuetext").startswith("2026-06-12 0")


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
@pytest.mark.parametrize("size", SIZES)
def test_nothing_keeps_people_out(chromium: Any, served: Served, size: str) -> None:
    script = axe()
    player = Player(int(TRADES.ts[0]), int(TRADES.ts[-1]), 60.0)
    served.following = replace(served.following, player=player)
    with served.serve() as server, Watched(chromium, server.url, size) as watched:
        watched.unfold("#alerts")
        watched.page.check("#alerts")
        watched.until("!replay.hidden")
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


@pytest.mark.parametrize("size", SIZES)
def test_a_click_shows_the_cascade_to_that_price_and_stops_stand_beyond_clusters(
    chromium: Any, served: Served, size: str
) -> None:
    with served.serve() as server, Watched(chromium, server.url, size) as watched:
        page = watched.page
        watched.until("liqcore.columns() > 10")
        page.click("#scenario summary")
        watched.until("real.value === '3'")  # per cent: the amounts are relative levels
        low = served.heatmap(25.0).candles["low"][-1]
        page.fill("#to", f"{0.98 * low:.1f}")
        page.click("#cascade")
        watched.until("document.getElementById('scenario-said').innerText.includes('would end at')")
        said = page.locator("#scenario-said").inner_text()
        asked = {"market": str(BTC), "to": f"{0.98 * low:.1f}", "scale": "0.03"}
        told = httpx.get(f"{server.url}/cascade", params=asked).json()
        assert f"would end at {told['end_price']:,.0f}" in said
        assert f"{told['overshoot_percent']:.2f}% farther" in said
        assert "not a forecast" in said
        box = page.locator("#chart").bounding_box()
        page.locator("#chart").scroll_into_view_if_needed()
        page.mouse.click(box["x"] + box["width"] / 2, page.locator("#chart").bounding_box()["y"] + 40)
        watched.until("Number(document.getElementById('to').value) > 0")
        watched.until("document.getElementById('scenario-said').innerText.startsWith('A rise to')")
        page.click("#stops-long")
        watched.until("document.getElementById('scenario-said').innerText.includes('Stops of a long')")
        asked = {"market": str(BTC), "position": "long", "scale": "0.03"}
        stops = httpx.get(f"{server.url}/stops", params=asked).json()["stops"]
        said = page.locator("#scenario-said").inner_text()
        assert all(f"{stop['price']:,.0f}" in said for stop in stops)
        page.fill("#to", "x")
        page.click("#cascade")
        watched.until("document.getElementById('scenario-said').innerText.includes('A price such as')")


@needs_page
@pytest.mark.parametrize("size", SIZES)
def test_the_page_says_by_which_scale_and_of_when_its_dollars_are(chromium: Any, tmp_path: Path, size: str) -> None:
    made = Served(engine_of(market_frames(), config_of(tmp_path, fitted())))
    made.feed(0)
    with made.serve() as server, Watched(chromium, server.url, size) as watched:
        asked = watched.page.evaluate("liqcore.rows()")
        hm = made.heatmap(asked["step"])
        watched.until("liqcore.columns() > 0")
        said = watched.page.inner_text("body")
        assert hm.meta["meaning"] in said
        assert "live scale 2.9" in said
        assert hm.meta["notes"][0] in said
