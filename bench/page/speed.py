"""
The live page beside its anchors: `python bench/page/speed.py`, some 2 minutes; needs Chromium, and `npm ci` in web/.

A server follows a market of 720 columns and sends its frames, four a second. Three pages read the same frames, in turn,
in headless Chromium (software rendering, 1400 x 860): the page of `liqcore serve`; a canvas drawn by hand, without a
chart library, labels or controls; and lightweight-charts as its own heatmap example uses it, a rectangle a cell. Of
each:

first paint
    from the start of the navigation to the first picture of the heatmap;
push to pixel
    from the moment at which the engine is fed to the animation frame in which the pixel of the cell that it changes is
    read back with another colour: up to one frame too much;
painted frames
    animation frames in a second, with something drawn in them, while the mouse drags the chart and frames come in;
weight
    of the document, and the same deflated.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "tests" / "python")]

import liqcore as lq  # noqa: E402
from liqcore.config import Config  # noqa: E402
from liqcore.live.following import Following  # noqa: E402
from liqcore.live.machine import SystemClock  # noqa: E402
from liqcore.live.market import MarketEngine  # noqa: E402
from liqcore.render.colours import colour_table  # noqa: E402
from liqcore.server.app import app  # noqa: E402
from liqcore.server.page import page  # noqa: E402
from liqcore.server.run import serve  # noqa: E402
from liqcore.server.socket import stream  # noqa: E402
from markets import BTC, frames, trades  # noqa: E402  (finds what the folder above holds)
from pages import browser  # noqa: E402
from test_server_stills import followed, publish  # noqa: E402

ROUNDS = 2
PUSHES = 24
PANNING = 6.0
EVERY = 0.25
CONFIG = Config().replace(server={"updates": 50.0})
WATCH = """
(() => {
  let drawn = false;
  const count = { frames: 0, heat: null };
  for (const name of ["drawImage", "fillRect", "putImageData", "fill", "stroke"]) {
    const own = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      drawn = true;
      if (name === "drawImage" && count.heat === null && given[0].width >= 100) count.heat = performance.now();
      return own.apply(this, given);
    };
  }
  const tick = () => { count.frames += drawn; drawn = false; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  window.count = count;
  const send = WebSocket.prototype.send;  // a page asks for 500 rows at most; here it is all
  WebSocket.prototype.send = function (text) {
    const said = JSON.parse(text);
    if (said.op === "subscribe") said.selection.rows = 1200;
    return send.call(this, JSON.stringify(said));
  };
})();
"""
PROBE = """
([x, y]) => {
  const canvas = [...document.querySelectorAll("canvas")].find((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 400 && box.height > 200 && x >= box.left && x < box.right && y >= box.top && y < box.bottom;
  });
  const box = canvas.getBoundingClientRect();
  const context = canvas.getContext("2d");
  const scale = [canvas.width / box.width, canvas.height / box.height];
  const at = [Math.floor((x - box.left) * scale[0]), Math.floor((y - box.top) * scale[1])];
  const probe = { changes: [], last: null };
  const look = () => {
    const [r, g, b] = context.getImageData(at[0], at[1], 1, 1).data;
    const key = (r << 16) | (g << 8) | b;
    if (key !== probe.last) probe.changes.push(performance.timeOrigin + performance.now());
    probe.last = key;
    if (!probe.stopped) requestAnimationFrame(look);
  };
  look();
  window.probe = probe;
}
"""


class Fed:
    """A market that is served, and pushed back and forth over one level."""

    def __init__(self) -> None:
        of = trades(60_000, seed=1, hours=60.0)
        self.market = MarketEngine(BTC, CONFIG)
        self.market.take(frames(of, together=20))
        made = followed(self.market)
        self.following = Following(made.boards, made.news, "replay", made.folder, SystemClock())
        self.ts, self.price, self.number = int(of.ts[-1]), float(of.price[-1]), len(of.ts) + 1
        self.opened = False
        publish(self.market)

    def push(self) -> float:
        """Open a level just below the price, or let the price take it; when, ms."""
        self.opened = not self.opened
        price = self.price if self.opened else round(self.price * 0.985, 1)
        self.ts += 1_000_000
        batch = lq.TradeBatch(np.array([self.ts]), np.array([price]), np.array([400.0]), np.array([not self.opened]))
        given = frames(batch, together=1, first=self.number)
        self.number += 1
        now = time.time() * 1000
        self.market.take(given)
        self.market.finish()  # what waits for other streams goes on at once: that wait is a setting, no work
        return now

    def level(self, low: float, step: float, rows: int) -> tuple[int, float]:
        """The row that pushes change most, and its middle."""
        if self.opened:
            self.push()
        seen = []
        for turn in range(4):
            self.push()
            if turn < 2:
                continue  # takes what lies there already
            moment = self.following.boards[BTC].moment()
            assert moment is not None
            shown = moment.heatmap(step=step)
            column = np.zeros(rows)
            at = np.round((shown.prices - low) / step).astype(int)
            inside = (at >= 0) & (at < rows)
            column[at[inside]] = shown.long[-1][inside]
            seen.append(column)
        row = int(np.argmax(seen[0] - seen[1]))
        return row, low + (row + 0.5) * step


@dataclass
class Figures:
    """Of one page, over all rounds."""

    first: list[float] = field(default_factory=list)
    pushes: list[float] = field(default_factory=list)
    painted: list[float] = field(default_factory=list)
    weight: tuple[int, int] = (0, 0)
    cells: str = ""


def measure(chromium: Any, fed: Fed, url: str, own: bool, into: Figures) -> None:
    """Open a page, push, pan."""
    context = chromium.new_context(viewport={"width": 1400, "height": 860})
    opened = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if "readback" not in message.text else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.add_init_script(WATCH)
    opened.goto(url)
    ready = "window.liqcore && liqcore.shows() && count.heat !== null" if own else "window.bench && bench.ready()"
    for _ in range(1200):
        if opened.evaluate(ready):
            break
        opened.wait_for_timeout(25)
    heat = "count.heat" if own else "performance.getEntriesByName('heat')[0].startTime"
    into.first.append(opened.evaluate(heat))
    said = opened.evaluate("({ ...liqcore.rows(), columns: liqcore.columns(), rows: 0 })" if own else "bench.rows()")
    rows = said["rows"] or 20_000
    row, middle = fed.level(said["low"], said["step"], rows)
    columns = said["columns"]
    into.cells = into.cells or f"{columns:,} columns" + (f", {said['rows']:,} rows" if said["rows"] else "")
    view = [[columns - 60, columns + 2], [middle - 400, fed.price + 400]]
    opened.evaluate(f"([columns, prices]) => {'liqcore' if own else 'bench'}.setView(columns, prices)", view)
    opened.wait_for_timeout(500)
    at, before = (
        opened.evaluate(f"([c, r]) => {'liqcore' if own else 'bench'}.place(c, r)", [columns - back, row])
        for back in (1, 2)
    )
    opened.evaluate(PROBE, [at["x"] - 0.3 * (at["x"] - before["x"]), at["y"]])  # beside the wick
    opened.wait_for_timeout(300)
    for _ in range(PUSHES):
        pushed = fed.push()
        opened.wait_for_timeout(1000 * EVERY)
        for _ in range(40):
            later = opened.evaluate(f"probe.changes.find((at) => at >= {pushed})")
            if later is not None:
                break
            opened.wait_for_timeout(25)
        into.pushes.append(10_000.0 if later is None else later - pushed)
    opened.evaluate("probe.stopped = true")
    stopped = threading.Event()

    def go_on() -> None:
        while not stopped.wait(EVERY):
            fed.push()

    opened.evaluate(
        f"([columns, prices]) => {'liqcore' if own else 'bench'}.setView(columns, prices)",
        [[0, columns], [middle - 3000, fed.price + 3000]],
    )
    opened.wait_for_timeout(500)
    feeder = threading.Thread(target=go_on)
    feeder.start()
    opened.mouse.move(600, 300)
    opened.mouse.down()
    before, begun = opened.evaluate("count.frames"), time.perf_counter()
    while (passed := time.perf_counter() - begun) < PANNING:
        opened.mouse.move(600 + 250 * np.sin(3 * passed), 300)
    painted, passed = opened.evaluate("count.frames") - before, time.perf_counter() - begun
    opened.mouse.up()
    stopped.set()
    feeder.join()
    into.painted.append(painted / passed)
    strange = [one for one in asked if "127.0.0.1" not in one and not one.startswith(("blob:", "data:"))]
    context.close()
    if complaints or strange:
        raise SystemExit(f"{url}: {complaints} {strange}")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["node", str(HERE / "build.mjs"), folder], check=True, capture_output=True)
        scripts = {name: (Path(folder) / f"{name}.js").read_text("utf-8") for name in ("canvas", "series")}
    viridis = "".join("".join(f"{part:02x}" for part in colour) for colour in colour_table("viridis").tolist())
    body = {"canvas": "<canvas style='display:block'></canvas>", "series": "<div id=chart style='height:100vh'></div>"}
    pages = {
        name: "<!doctype html><meta charset=utf-8><link rel=icon href=data:,><style>body{margin:0}</style>"
        f"{body[name]}<script>VIRIDIS='{viridis}'</script><script>{script}</script>"
        for name, script in scripts.items()
    }

    async def anchor(request: Request) -> HTMLResponse:
        policy = {"content-security-policy": "default-src 'self' 'unsafe-inline' data: blob: ws:"}
        return HTMLResponse(pages[request.url.path.strip("/")], headers=policy)

    fed = Fed()
    routes = [Route(f"/{name}", anchor) for name in pages]
    further = [stream(fed.following, CONFIG), page(), *routes]
    found = {name: Figures() for name in ("liqcore serve", "canvas by hand", "chart's heatmap example")}
    paths = dict(zip(found, ("", "canvas", "series"), strict=True))
    with browser() as chromium, serve(app(fed.following, CONFIG, further=further), "127.0.0.1", 0) as server:
        for _ in range(ROUNDS):
            for name, figures in found.items():
                url = f"{server.url.rstrip('/')}/{paths[name]}"
                document = httpx.get(url).content
                figures.weight = len(document), len(zlib.compress(document, 9))
                measure(chromium, fed, url, not paths[name], figures)
    print(f"{found['canvas by hand'].cells}; {ROUNDS} rounds in turn, {PUSHES} pushes each, {1 / EVERY:.0f} a second")
    print("| | first paint, ms | push to pixel p50, p95, ms | painted frames a second | weight, KB (deflated) |")
    print("|---|---|---|---|---|")
    for name, figures in found.items():
        middle, high = np.quantile(figures.pushes, [0.5, 0.95])
        first, painted = statistics.median(figures.first), statistics.median(figures.painted)
        whole, packed = (size / 1e3 for size in figures.weight)
        print(f"| {name} | {first:.0f} | {middle:.0f}, {high:.0f} | {painted:.0f} | {whole:.0f} ({packed:.0f}) |")


if __name__ == "__main__":
    main()
