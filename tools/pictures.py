"""Draw the pictures of docs/images that are made from simulated data without a browser: python tools/pictures.py."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import liqcore as lq

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "several_venues.py"
IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


def main() -> None:
    """Write those pictures: what is of a result, and what analyses draw."""
    simulated = {"symbol": "SIMULATED", "venue": "simulator", "synthetic": True}
    month = lq.heatmap(trades=lq.simulate(seed=7, days=30, trades_per_day=10_000).trades, window="15m")
    month.meta |= simulated
    lq.magnet_odds(month, within="4h", threshold=0.3).render(IMAGES / "magnets.png", width=1200, height=700)
    week = lq.simulate(seed=3, days=5, trades_per_day=20_000)
    heatmap = lq.heatmap(trades=week.trades, window="15m", open_interest=week.open_interest)
    heatmap.meta |= simulated
    lq.confluence(heatmap, within=6.0).render(IMAGES / "confluence.png", width=1200, height=700)
    flow = lq.heatmap(trades=week.trades, window="15m", model="flow")
    lq.compare(flow, heatmap, names=["flow", "oi"]).render(IMAGES / "compare.png", width=1200, height=800)
    demo = lq.simulate(seed=1, days=3.0)
    shown = lq.heatmap(trades=demo.trades, marks=demo.marks)
    shown.meta |= simulated
    shown.render(IMAGES / "demo.png")
    shown.select(threshold="p90").render(IMAGES / "zones.png", width=1100, height=620)
    falls = lq.cascade(shown, list(range(1, 11)), side="long", scale=0.03)
    falls.render(IMAGES / "cascade.png", width=1200, height=675)
    lq.stops(shown, side="long", risk=10, scale=0.03).render(IMAGES / "stops.png", width=1200, height=675)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(EXAMPLE)], cwd=folder, check=True)
        shutil.copy(Path(folder) / "venues.png", IMAGES)


if __name__ == "__main__":
    main()
