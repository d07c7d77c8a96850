"""The decoder of docs/reference/websocket.md reads in JavaScript what the server sends."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("msgspec")

from liqcore.config import Config
from liqcore.live.market import MarketEngine
from liqcore.server.selection import Selection
from liqcore.server.still import Form
from liqcore.server.wire import Mirror, decode
from markets import BTC, frames, trades
from test_documentation import blocks_of
from test_server_stills import followed, publish, stills_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "websocket.md"
SAYS = """
const plain = (key, value) => typeof value === "bigint" ? String(value)
  : ArrayBuffer.isView(value) ? Array.from(value, (one) => Number.isNaN(one) ? null : one) : value;
for (const line of require("fs").readFileSync(0, "utf8").trim().split("\\n")) {
  const bytes = Buffer.from(line, "base64");
  const message = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  unpack(message).then((frame) => console.log(JSON.stringify(frame, plain)));
}
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node to run JavaScript with")
@pytest.mark.parametrize("form", ["uint16", "float32"])
def test_the_decoder_in_javascript_reads_what_is_sent(form: Form) -> None:
    market = MarketEngine(BTC, Config())
    stills = stills_of(followed(market), Selection(market=(str(BTC),), rows=60), form)
    given = frames(trades(2000, seed=8, hours=2.0))
    sent = []
    for at in range(0, 400, 100):
        market.take(given[at : at + 100])
        publish(market)
        stills.look()
        sent.append(stills.still.frame(stills.still.after(stills.still.number - 1)))
    (code,) = (block.code for block in blocks_of(PAGE) if block.language == "js")
    lines = "\n".join(base64.b64encode(frame).decode() for frame in sent)
    done = subprocess.run(
        ["node", "-e", code + SAYS], input=lines, capture_output=True, text=True, check=True, timeout=120
    )
    read = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda frame: frame["header"]["number"])
    assert [frame["header"]["kind"] for frame in read][:1] == ["full"]
    mirror = Mirror()
    for frame, said in zip(sent, read, strict=True):
        header, arrays = decode(frame)
        assert {name: value for name, value in said["header"].items() if name != "arrays"} == header
        assert said["arrays"]["times"] == [str(time) for time in arrays["times"]]
        np.testing.assert_array_equal(np.array(said["arrays"]["candles"], float), arrays["candles"].reshape(-1))
        assert mirror.take(frame)
        for side in ("long", "short"):
            cells = getattr(mirror, side)[-len(arrays["times"]) :].reshape(-1)
            np.testing.assert_allclose(np.array(said["arrays"][side]), cells, rtol=1e-6)
            assert cells.any()
