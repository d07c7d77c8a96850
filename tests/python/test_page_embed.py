"""The page in somebody else's site: examples/embed in Chromium, shown to the origin that was named, and to no other."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

import httpx

import liqcore as lq
from liqcore.config import Config
from liqcore.server.app import app
from liqcore.server.page import page
from liqcore.server.run import serve
from liqcore.server.socket import stream
from pages import browser, needs_page
from test_page_live import Served

pytestmark = needs_page

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "embed"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """A site of somebody else's; its origin."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    lq.heatmap(trades=lq.simulate(seed=5, days=0.1, trades_per_day=20_000).trades).save(folder / "heatmap.html")
    return folder


@contextmanager
def served(**server: Any) -> Iterator[str]:
    made = Served()
    made.feed(400)
    config = Config().replace(server={"updates": 50.0, **server})
    further = [stream(made.following, config), page(config)]
    with serve(app(made.following, config, further=further), "127.0.0.1", 0) as running:
        yield f"http://127.0.0.1:{running.port}"


def copy(folder: Path, name: str, server: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert "http://127.0.0.1:8765" in text
    (folder / name).write_text(text.replace("http://127.0.0.1:8765", server), encoding="utf-8")


def test_frames_show_a_file_and_the_live_page_to_the_origin_that_is_named(chromium: Any, folder: Path) -> None:
    with site(folder) as named, site(folder) as other, served(embedded_by=named) as server:
        copy(folder, "frames.html", server)
        opened = chromium.new_page()
        opened.goto(f"{named}/frames.html")
        live = opened.frame_locator("#live")
        live.locator("#chart canvas").first.wait_for(timeout=60_000)
        assert "liquidation heatmap" in live.locator("#title").inner_text()
        file = opened.frame_locator("#file")
        file.locator("#chart canvas").first.wait_for(timeout=60_000)
        assert "liquidation heatmap" in file.locator("#title").inner_text()
        with opened.expect_event("requestfailed", lambda one: one.url.startswith(server), timeout=60_000):
            opened.goto(f"{other}/frames.html")
        assert not any(frame.url.startswith(server) and frame.query_selector("#title") for frame in opened.frames[1:])
        opened.close()


def test_nobody_shows_it_in_a_frame_unless_named() -> None:
    with served() as server:
        headers = httpx.get(server).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert httpx.get(f"{server}/health").headers["x-frame-options"] == "DENY"
    with served(embedded_by="https://a.example.org,http://localhost:8000") as server:
        headers = httpx.get(server).headers
        assert "frame-ancestors https://a.example.org http://localhost:8000" in headers["content-security-policy"]
        assert "x-frame-options" not in headers
        assert httpx.get(f"{server}/health").headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("origin", ["*", "https://a.example.org/path", "javascript:x", "https://a;script-src *", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(lq.InvalidConfigError, match="embedded_by"):
        Config().replace(server={"embedded_by": origin})


def test_a_page_of_ones_own_draws_what_the_server_answers(chromium: Any, folder: Path) -> None:
    with site(folder) as named, served(origins=named) as server:
        copy(folder, "drawn.html", server)
        opened = chromium.new_page()
        opened.goto(f"{named}/drawn.html")
        opened.wait_for_function(
            "document.getElementById('said').textContent.includes('columns since')", timeout=60_000
        )
        assert "not a record of positions" in opened.locator("#said").inner_text()
        shades = opened.evaluate(
            "(() => { const c = document.getElementById('chart'); const d = c.getContext('2d').getImageData(0, 0, "
            "c.width, c.height).data; const s = new Set(); for (let i = 0; i < d.length; i += 4) "
            "s.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); return s.size; })()"
        )
        assert shades > 5
        opened.close()
