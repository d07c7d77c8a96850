"""
Read a server's API: which markets it follows, what a fall and a rise reach, the nearest zones, and what is new.

    liqcore serve --demo                     # in another window
    python examples/read_api.py [URL [SECONDS]]

Nothing but Python's own library is needed. The token, if one is needed, is taken from LIQCORE_TOKEN.
"""

import json
import os
import sys
import time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen


class Api:
    """Asks one server."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, path: str, **parameters: Any) -> Any:
        """Ask once; where it asks too often, wait as long as it is told."""
        request = Request(f"{self.url}/{path}?{urlencode(parameters)}", headers=self.headers)
        while True:
            try:
                with urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except HTTPError as error:
                with error:
                    said = json.load(error)
                if error.code != 429:
                    raise SystemExit(f"{path}: {said.get('error', said)}") from None
                time.sleep(int(error.headers["Retry-After"]))


def main(url: str = "http://127.0.0.1:8765", seconds: float = 10.0) -> None:
    """Read for some seconds."""
    api = Api(url, os.environ.get("LIQCORE_TOKEN"))
    followed = api.ask("markets")
    if followed["source"] == "demo":
        print("SYNTHETIC: a simulated market")
    for market in followed["markets"]:
        states = ", ".join(f"{kind} {stream['state']}" for kind, stream in market["streams"].items())
        print(f"{market['market']}: {market['price'] or 'no trade yet'}" + (f" ({states})" if states else ""))
    name = next((market["market"] for market in followed["markets"] if market["price"] is not None), None)
    if name is None:
        return
    print(api.ask("map", market=name, percent=2)["sentence"])
    zones = api.ask("zones", market=name, within=5)
    for zone in zones["zones"]:
        low, high, where = zone["low"], zone["high"], zone["distance_percent"]
        print(f"{zone['side']:>5} zone {low:,.1f} to {high:,.1f}, {where:+.2f} %: {zone['value']:,.0f} {zones['unit']}")

    asked = {"market": name, "last": "6h", "rows": 200}
    heatmap = api.ask("heatmap", **asked)
    columns = dict(zip(heatmap["times"], heatmap["long"], strict=True))
    after, ends = heatmap["next"], time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(1)
        new = api.ask("columns", **asked, since=after)
        if new["resync"]:
            columns.clear()
        columns.update(zip(new["times"], new["long"], strict=True))
        after = new["next"]
        print(
            f"{len(new['times'])} columns are new or have changed; {len(columns)} in all; the price is {new['price']:,}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(float, sys.argv[2:3]))
