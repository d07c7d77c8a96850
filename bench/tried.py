"""
What was tried to make a map better, on one's own data: python bench/tried.py CANDLES LIQUIDATIONS [OPEN_INTEREST]

Each variant is a call of `lq.calibrate` with one thing changed: the table says what its fitted maps add to path
features and the shipped map of constant volume, how its map of volume ranks alone, and its dollars by week. The last
table needs trades, mark prices and open interest (``--trades FILES --context FILE``): where no liquidations are told, a
bar's fall of open interest stands in for them, which is closing of any kind. docs/accuracy.md has what came out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

import liqcore as lq
from liqcore.evaluate.measures import Drawings, Estimate, drawn
from liqcore.evaluate.nulls import DAY_NS

SIX_HOURS = DAY_NS // 4
NEAR = {"leverages": (5, 10, 15, 25, 50, 75, 100, 125), "distances": ()}


def variants(open_interest: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name the variants, and what each changes."""
    yield "default", {}
    yield "no layer nearer than 125x", NEAR
    yield "only layers nearer than 125x", {"leverages": ()}
    yield "long half-lives alone", {"short": None}
    yield "short half-lives a quarter of the long ones", {"short": 0.25}
    yield "short half-lives a fiftieth", {"short": 0.02}
    yield "bodies touch, not wicks", {"touch": "body"}
    yield "presence, exponent 0", {"exponent": 0.0}
    yield "presence, exponent 0.5", {"exponent": 0.5}
    yield "variance as the mean (Poisson)", {"power": 1.0}
    yield "variance as its square (gamma)", {"power": 2.0}
    yield "weaker prior: neighbours and half-lives differ by e^3", {"neighbours": 3.0, "scales": 3.0}
    yield "stronger prior: by e^0.3", {"neighbours": 0.3, "scales": 0.3}
    yield "candles open at their close", {"candle_price": "close"}
    if open_interest is not None:
        for churn in (0.0, 0.1, 0.3):
            yield f"blend with open interest, churn {churn:g}", {"open_interest": open_interest, "churn": churn}


def number(of: Estimate, digits: int = 4) -> str:
    return f"{of.value:+.{digits}f} [{of.low:+.{digits}f}, {of.high:+.{digits}f}]"


def table(candles: Any, liquidations: Any, open_interest: Any, draws: int) -> None:
    """Print a row for each variant."""
    print("| variant | over N12 and constant volume | as a forecast | its map alone | dollars by week |")
    print("|---|---|---|---|---|")
    for name, changes in variants(open_interest):
        given = dict(changes)
        config = lq.Config().replace(model={"candle_price": given.pop("candle_price", "hlc3")})
        found = lq.calibrate(candles, liquidations, config=config, draws=draws, **given)
        if found.path_conditional is None or found.frozen is None or found.dollars is None:
            raise SystemExit("too little time: give more data")
        live, alone = [week.live for week in found.dollars.weeks], found.dollars.spearman
        print(
            f"| {name} | {number(found.path_conditional.verdict.spearman)} | {number(found.frozen.verdict.spearman)} "
            f"| {alone.value:.3f} [{alone.low:.3f}, {alone.high:.3f}] "
            f"| {min(live):.2f} to {max(live):.2f} |",
            flush=True,
        )


def by_fall_of_open_interest(trades: list[str], context: str, draws: int) -> None:
    """Rank what maps say of each half hour against the fall of open interest in it: trigger, and size of trades."""
    said = pd.read_parquet(context)
    ts = said.ts_ms.to_numpy(np.int64) * 10**6
    whole = pd.concat([pd.read_parquet(one) for one in trades]).sort_values("ts_ms", kind="stable")
    at, price, qty = whole.ts_ms.to_numpy(np.int64) * 10**6, whole.price.to_numpy(float), whole.qty.to_numpy(float)
    sells = whole.taker_sell.to_numpy(bool)
    large = price * qty >= 100_000
    marks = (ts, said.mark.to_numpy(float))
    layers = {0.2: 0.1, 0.1: 0.1, 0.04: 0.1, 0.02: 0.1, 0.01: 0.2, 0.005: 0.2, 0.0025: 0.2}
    common: dict[str, Any] = {"leverage": layers, "window": "30m", "symbol": "X"}
    maps = {
        "last prices touch": lq.heatmap(trades=lq.TradeBatch(at, price, qty, sells), **common),
        "mark prices touch": lq.heatmap(
            trades=lq.TradeBatch(at, price, qty, sells),
            marks=pd.DataFrame({"ts": marks[0], "price": marks[1]}),
            **common,
        ),
        "trades of $100,000 and more open": lq.heatmap(
            trades=lq.TradeBatch(at, price, np.where(large, qty, 0.001), sells), **common
        ),
    }
    first = next(iter(maps.values()))
    starts = np.asarray(first.times, np.int64)
    held = said.open_interest.to_numpy(float)
    before = held[np.clip(np.searchsorted(ts, starts, side="right") - 1, 0, None)]
    after = held[np.clip(np.searchsorted(ts, starts + 30 * 60 * 10**9, side="right") - 1, 0, None)]
    fall = np.maximum(before - after, 0.0)
    kept = starts >= starts[0] + DAY_NS  # a day to fill the book
    block = np.unique(starts[kept] // SIX_HOURS, return_inverse=True)[1]
    drawings = Drawings(fall[kept], block, drawn(int(block.max()) + 1, draws, 0))
    blocks = int(block.max()) + 1
    ranked = {}
    for name, made in maps.items():
        reached = np.asarray(np.nansum(made.liquidated, axis=1, dtype=np.float64))
        ranked[name] = drawings.rank_correlation(reached[kept])
    print(f"\n{int(kept.sum())} half hours, {blocks} blocks of six hours; against the fall of open interest\n")
    print("| map | rank correlation | over last prices |")
    print("|---|---|---|")
    for name, values in ranked.items():
        gain = values - ranked["last prices touch"]
        print(f"| {name} | {number(Estimate.of(values, blocks), 3)} | {number(Estimate.of(gain, blocks), 3)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("candles", nargs="?")
    parser.add_argument("liquidations", nargs="?")
    parser.add_argument("open_interest", nargs="?")
    parser.add_argument("--trades", nargs="*", default=[], help="Parquet: ts_ms, price, qty, taker_sell")
    parser.add_argument("--context", help="Parquet: ts_ms, mark, open_interest")
    parser.add_argument("--draws", type=int, default=500)
    given = parser.parse_args()
    if given.candles:
        interest = None if given.open_interest is None else lq.read_open_interest(given.open_interest)
        table(lq.read_candles(given.candles), lq.read_liquidations(given.liquidations), interest, given.draws)
    if given.context:
        by_fall_of_open_interest(given.trades, given.context, given.draws)


if __name__ == "__main__":
    main()
