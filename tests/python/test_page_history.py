"""Earlier columns in Chromium: pages of a server, and liquidations as marks, however many there are."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

import liqcore as lq
from liqcore.config import Config
from liqcore.feeds.events import Liquidation
from liqcore.feeds.frames import of_events
from liqcore.live.following import Following
from liqcore.live.machine import SystemClock
from liqcore.live.market import MarketEngine
from liqcore.server.app import app
from liqcore.server.page import page
from liqcore.server.run import serve
from liqcore.server.socket import stream
from markets import BTC, frames, trades
from pages import SIZES, Watched, browser, near, needs_page
from test_server_stills import followed, publish

CONFIG = Config().replace(server={"updates": 50.0, "requests": 1e6})
TRADES = trades(14_000, seed=41, hours=24.0 * 40)
COUNT = 20_000
pytestmark = needs_page


class Served:
    """A market of forty days that is served, with liquidations that its venue told of."""

    def __init__(self) -> None:
        self.market = MarketEngine(BTC, CONFIG)
        self.market.take(frames(TRADES))
        rng = np.random.default_rng(7)
        at = np.sort(rng.integers(0, len(TRADES.ts), COUNT))
        told = [
            Liquidation(BTC, int(TRADES.ts[n]), float(TRADES.price[n]), float(qty), side, True)
            for n, qty, side in zip(at, rng.pareto(1.5, COUNT) + 0.01, rng.choice(["long", "short"], COUNT).tolist(),
                                    strict=True)
        ]  # fmt: skip
        self.liquidations = told
        self.market.take([of_events(BTC, int(TRADES.ts[-1]) + 1, told)])
        publish(self.market)
        made = followed(self.market)
        self.following = Following(made.boards, made.news, "replay", made.folder, SystemClock())
        moment = self.following.boards[BTC].moment()
        assert moment is not None
        self.moment = moment

    def serve(self) -> Any:
        return serve(app(self.following, CONFIG, further=[stream(self.following, CONFIG), page()]), "127.0.0.1", 0)

    def heatmap(self, step: float) -> lq.Heatmap:
        return self.moment.heatmap(step=step)


@pytest.fixture(scope="module")
def served() -> Served:
    return Served()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture
def url(served: Served) -> Iterator[str]:
    with served.serve() as server:
        yield server.url


def readout(watched: Watched) -> str:
    return str(watched.page.inner_text("#readout"))


def look_at(watched: Watched, first: float, last: float) -> dict[str, Any]:
    """Bring times into view, seconds, and wait until all that is in view has come."""
    watched.page.evaluate(
        """([first, last]) => {
            const { first: begin, window } = liqcore.shows();
            const [from, to] = [first, last].map((time) => (time - begin) / window - 0.5);
            liqcore.setView([from, to], liqcore.view().prices);
        }""",
        [first, last],
    )
    watched.until(
        f"""(({{ first: begin, window, holes }}) => {{
            const end = begin + window * liqcore.columns();
            const isLoading = holes.some(([from, to, , kind]) => kind === "loading" && from < end && to > begin);
            return !isLoading && begin <= {first} + window && end >= {last} - window;
        }})(liqcore.shows())"""
    )
    watched.settle()
    return dict(watched.page.evaluate("liqcore.shows()"))


def day(hm: lq.Heatmap, days: float) -> float:
    return float(hm.times[0] / 1e9 + days * 86_400)


@pytest.mark.parametrize("size", SIZES)
def test_cells_of_old_pages_are_those_of_the_heatmap(chromium: Any, served: Served, url: str, size: str) -> None:
    with Watched(chromium, url, size) as watched:
        step = float(watched.page.evaluate("liqcore.rows()")["step"])
        hm = served.heatmap(step)
        rng = np.random.default_rng(3)
        for days in (2.0, 17.0, 30.0):
            shows = look_at(watched, day(hm, days), day(hm, days + 0.25))
            assert (shows["paged"], shows["window"], shows["step"]) == (0, 300, step)
            for _ in range(8):
                at = int((days * 86_400 + rng.integers(0, 6 * 3_600)) // 300)
                close = float(hm.candles["close"][: at + 1][~np.isnan(hm.candles["close"][: at + 1])][-1])
                row = int(np.searchsorted(hm.prices, close * (1 + rng.uniform(-0.01, 0.01)))) - 1
                said = at_cell(watched, shows, hm.times[at] / 1e9, float(hm.prices[row]))
                cell = int(np.searchsorted(hm.times, said["time"] * 1e9)), round((said["low"] - hm.prices[0]) / step)
                assert near(said["long"], float(hm.long[cell]))
                assert near(said["short"], float(hm.short[cell]))


def at_cell(watched: Watched, shows: dict[str, Any], time: float, price: float) -> dict[str, float]:
    """Bring a price into view, and read the cell of a time."""
    step, low = shows["step"], shows["low"]
    row = round((price - low) / step - 0.5 + 1e-9) if price % step else round((price - low) / step)
    middle = low + row * step
    watched.page.evaluate(
        "(prices) => liqcore.setView(liqcore.view().columns, prices)", [middle - 20 * step, middle + 20 * step]
    )
    watched.settle()
    return watched.read(int((time - shows["first"]) // shows["window"]), row)


@pytest.mark.parametrize("size", SIZES)
def test_zoomed_out_each_cell_is_the_greatest_of_those_that_it_joins(
    chromium: Any, served: Served, url: str, size: str
) -> None:
    with Watched(chromium, url, size) as watched:
        step = float(watched.page.evaluate("liqcore.rows()")["step"])
        hm = served.heatmap(step)
        shows = look_at(watched, day(hm, 1), day(hm, 39))
        many, high = 4 ** shows["paged"], 2 ** (shows["paged"] // 2)
        assert shows["paged"] >= (2 if size == "wide" else 3)
        assert (shows["window"], shows["step"]) == (300 * many, step * high)
        assert f"largest of {many} windows and {high} rows" in watched.page.inner_text("#said")
        rng = np.random.default_rng(5)
        for _ in range(8):
            at = int(rng.integers(400, len(hm.times) - 400))
            close = float(hm.candles["close"][: at + 1][~np.isnan(hm.candles["close"][: at + 1])][-1])
            said = at_cell(watched, shows, hm.times[at] / 1e9, close * (1 + rng.uniform(-0.02, 0.02)))
            columns = (hm.times >= said["time"] * 1e9) & (hm.times < (said["time"] + shows["window"]) * 1e9)
            rows = (hm.prices >= said["low"] - step / 2) & (hm.prices < said["low"] + shows["step"] - step / 2)
            for side in ("long", "short"):
                assert np.isclose(said[side], getattr(hm, side)[np.ix_(columns, rows)].max(), rtol=4e-4)


def test_a_drag_goes_back_without_end_and_now_comes_back(chromium: Any, served: Served, url: str) -> None:
    with Watched(chromium, url) as watched:
        page = watched.page
        hm = served.heatmap(float(page.evaluate("liqcore.rows()")["step"]))
        watched.show((600.5, 720.5), tuple(page.evaluate("liqcore.view().prices")))
        box = page.locator("#chart").bounding_box()
        before = float("inf")
        for _ in range(14):
            page.mouse.move(box["x"] + 40, box["y"] + 200)
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] - 140, box["y"] + 200, steps=8)
            page.mouse.up()
            watched.settle()
            shows = page.evaluate("({ ...liqcore.shows(), columns: liqcore.view().columns })")
            left = shows["first"] + (shows["columns"][0] + 0.5) * shows["window"]
            assert left < before - 0.5 * (shows["columns"][1] - shows["columns"][0]) * shows["window"]
            before = left
            assert page.evaluate("liqcore.columns()") <= 256 * 4
        assert before < hm.times[-1] / 1e9 - 14 * 0.5 * 120 * 300
        page.click("#now")
        watched.until("liqcore.shows().paged === undefined && liqcore.columns() === 720")


def test_what_has_not_come_is_said_to_be_loading_and_has_no_amounts(chromium: Any, served: Served, url: str) -> None:
    with Watched(chromium, url) as watched:
        page, waiting, is_held = watched.page, [], True

        def take(route: Any) -> None:
            if is_held:
                waiting.append(route)
            else:
                route.continue_()

        hm = served.heatmap(float(page.evaluate("liqcore.rows()")["step"]))
        page.route("**/pages?*", take)
        page.evaluate(
            """([first, last]) => {
                const { first: begin, window } = liqcore.shows();
                liqcore.setView([(first - begin) / window, (last - begin) / window], liqcore.view().prices);
            }""",
            [day(hm, 10), day(hm, 10.25)],
        )
        watched.until("liqcore.shows().paged === 0")
        watched.settle()
        assert any(hole[2:] == ["loading", "loading"] for hole in page.evaluate("liqcore.shows().holes"))
        box = page.locator("#chart").bounding_box()
        page.mouse.move(box["x"] + 300, box["y"] + 200)
        watched.settle()
        assert "Point at the chart" in readout(watched)
        is_held = False
        for route in waiting:
            route.continue_()
        look_at(watched, day(hm, 10), day(hm, 10.25))
        page.mouse.move(box["x"] + 301, box["y"] + 200)
        watched.until("readout.dataset.time !== undefined")


def test_memory_of_pages_is_bounded(chromium: Any, served: Served, url: str) -> None:
    with Watched(chromium, url) as watched:
        hm = served.heatmap(float(watched.page.evaluate("liqcore.rows()")["step"]))
        for days in range(37, 1, -3):
            look_at(watched, day(hm, days), day(hm, days + 1))
            assert watched.page.evaluate("liqcore.columns()") <= 256 * 6
            assert watched.page.evaluate("liqcore.shows().bytes") <= 48 << 20


@pytest.mark.parametrize("size", SIZES)
def test_a_liquidation_is_read_out_with_time_price_side_usd_and_market(
    chromium: Any, served: Served, url: str, size: str
) -> None:
    with Watched(chromium, url, size) as watched:
        page = watched.page
        hm = served.heatmap(float(page.evaluate("liqcore.rows()")["step"]))
        one = max(
            (each for each in served.liquidations if day(hm, 5) < each.ts / 1e9 < day(hm, 35)),
            key=lambda each: each.qty * each.price,
        )
        usd = one.qty * one.price
        watched.until("liqcore.shows().drawn > 0")
        page.evaluate("(marks) => liqcore.set({ marks })", usd * 0.9)
        look_at(watched, one.ts / 1e9 - 7_200, one.ts / 1e9 + 7_200)
        page.evaluate("(at) => liqcore.setView(liqcore.view().columns, [at * 0.99, at * 1.01])", one.price)
        watched.until("liqcore.shows().drawn >= 1")
        page.locator("#chart").scroll_into_view_if_needed()
        at = page.evaluate("([seconds, price]) => liqcore.at(seconds, price)", [one.ts / 1e9, one.price])
        page.mouse.move(at["x"] + 1, at["y"] + 1)
        watched.until("readout.textContent.includes('liquidated at')")
        said = readout(watched)
        assert f"of {one.side}s liquidated at" in said
        assert str(BTC) in said
        time = np.datetime64(one.ts, "ns").astype("datetime64[s]").astype(str).replace("T", " ")
        assert f"{time} UTC" in said
        assert watched.page.evaluate("liqcore.shows().drawn") == 1
        page.evaluate("(marks) => liqcore.set({ marks })", usd * 1.1)
        watched.until("liqcore.shows().drawn === 0")


def test_marks_of_another_market_are_chosen_and_stand_in_the_link(chromium: Any, url: str) -> None:
    with Watched(chromium, url) as watched:
        page = watched.page
        watched.until("liqcore.shows().drawn > 0")
        assert page.locator("#marks-of option").all_inner_texts() == ["as shown", str(BTC)]
        page.select_option("#marks-of", str(BTC))
        watched.until("location.hash.includes('marks-of=')")
        link = page.evaluate("location.hash")
    with Watched(chromium, url, anchor=f"/{link}") as again:
        again.until(f"document.getElementById('marks-of').value === '{BTC}'")


def test_zones_are_listed_with_since_when_and_persistence(chromium: Any, served: Served, url: str) -> None:
    with Watched(chromium, url) as watched:
        page = watched.page
        page.click("#zones summary")
        watched.until("document.querySelectorAll('#zones tbody tr').length > 3")
        rows = [row.split("\t") for row in page.locator("#zones tbody tr").all_inner_texts()]
        hm = served.heatmap(page.evaluate("liqcore.rows().step"))
        hm = hm.select(start=int(hm.times[-720]))
        zones = {f"{zone.low:,.0f} to {zone.high:,.0f}": zone for zone in hm.zones(int(hm.times[-1]))}
        for side, price, _, _, since, persistence in rows:
            zone = zones[price]
            assert side == zone.side
            assert persistence == f"{round(100 * zone.persistence)}%"
            time = np.datetime64(zone.since_ns, "ns").astype("datetime64[m]").astype(str).replace("T", " ")
            before = "before " if zone.since_ns == hm.times[0] else ""
            assert since.startswith(f"{before}{time} (")


def test_time_frames_reach_what_the_server_keeps(chromium: Any, url: str) -> None:
    lengths = {"12h": 0.5, "24h": 1, "3d": 3, "1w": 7, "2w": 14, "1mo": 30}
    with Watched(chromium, url) as watched:
        assert watched.page.locator("#spans button").all_inner_texts()[2:] == [
            "12h", "24h", "48h", "3d", "1w", "2w", "1mo", "All",
        ]  # fmt: skip
        for name, days in lengths.items():
            watched.page.click(f"#spans button:text-is('{name}')")
            watched.until(
                f"""(({{ first, window, holes }}, [from, to]) => {{
                    const begin = first + (from + 1) * window;
                    const isLoading = holes.some(([, until, , kind]) => kind === "loading" && until > begin);
                    return !isLoading && Math.abs((to - from) * window / {days * 86_400} - 1) < 0.05;
                }})(liqcore.shows(), liqcore.view().columns)"""
            )
