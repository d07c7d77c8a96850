"""The engine on recorded Hyperliquid days: equal to the reference, and sound after every single event."""

import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastparquet import ParquetFile

from drive import Array, assert_same_columns, assert_same_now, make_engine
from recorded import data_dir
from streams import Setup

pytestmark = pytest.mark.recorded

MINUTE = 60_000_000_000
TIERS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0)
SETUPS = {
    "BTC": Setup(tick_size=1.0, lot_size=1e-5, tiers=TIERS, mmr=0.004, window=5 * MINUTE, step_ticks=6),
    "ETH": Setup(
        tick_size=0.1, lot_size=1e-4, tiers=TIERS, mmr=0.004, window=5 * MINUTE, step_ticks=2, maker_share=0.3
    ),
}
DAYS = ("20260611", "20260612", "20260613", "20260614", "20260615", "20260616")
WHOLE = {"BTC": "20260613", "ETH": "20260612"}  # the second has rows out of order


@cache
def read(path: Path) -> dict[str, Array]:
    with path.open("rb") as file:  # fastparquet leaves files of its own open
        table = ParquetFile(file).to_pandas()
    return {name: np.ascontiguousarray(table[name].to_numpy()) for name in table.columns}


def trades(coin: str, day: str) -> tuple[Array, Array, Array, Array]:
    """Times (ns), prices, quantities and taker sides, in file order."""
    rows = read(data_dir() / "trades" / f"hyperliquid-{coin}-{day}.parquet")
    return rows["ts_ms"] * 1_000_000, rows["price"], rows["qty"], rows["taker_sell"]


def marks(coin: str, first_ns: int, last_ns: int) -> tuple[Array, Array]:
    """Times (ns) and mark prices within [first, last]."""
    rows = read(data_dir() / "context" / f"hyperliquid-{coin}-context.parquet")
    ts = rows["ts_ms"] * 1_000_000
    inside = (ts >= first_ns) & (ts <= last_ns)
    return ts[inside], rows["mark"][inside]


def rows_of(columns: tuple[Array, ...]) -> list[tuple[Any, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))


def compare(setup: Setup, of_trades: tuple[Array, ...], of_marks: tuple[Array, Array]) -> None:
    engine, ref = make_engine(setup), setup.reference()
    stats = engine.feed(trades=of_trades, marks=of_marks)
    ref.feed(trades=rows_of(of_trades), marks=rows_of(of_marks))
    assert stats.rows == len(of_trades[0]) + len(of_marks[0])
    assert_same_now(engine, ref)
    assert_same_columns(engine, ref)


@pytest.mark.parametrize("trigger", ["last", "mark"])
@pytest.mark.parametrize("coin", SETUPS)
def test_a_whole_day_equals_the_reference(coin: str, trigger: str) -> None:
    of_trades = trades(coin, WHOLE[coin])
    setup = SETUPS[coin].with_(trigger=trigger)
    compare(setup, of_trades, marks(coin, int(of_trades[0].min()), int(of_trades[0].max())))


@pytest.mark.parametrize("trigger", ["last", "mark"])
@pytest.mark.parametrize("coin", SETUPS)
def test_random_stretches_of_every_day_equal_the_reference(coin: str, trigger: str) -> None:
    rng = random.Random(f"{coin} {trigger}")
    for day in DAYS:
        whole = trades(coin, day)
        begin = rng.randrange(max(1, len(whole[0]) - 10_000))
        stretch = tuple(np.ascontiguousarray(column[begin : begin + 10_000]) for column in whole)
        price = float(np.median(stretch[1]))
        setup = SETUPS[coin].with_(
            trigger=trigger,
            window=rng.choice([1, 5, 60]) * MINUTE,
            step_ticks=rng.choice([1, 3, 20]),
            contract=rng.choice(["linear", "inverse"]),
            basis=rng.choice(["mark", "entry"]),
        )
        if rng.random() < 0.5:  # an axis that most levels miss
            middle = round(price / setup.tick_size) // setup.step_ticks
            setup = setup.with_(bins=(middle * 97 // 100, middle * 102 // 100))
        compare(setup, stretch, marks(coin, int(stretch[0].min()), int(stretch[0].max())))


@pytest.mark.parametrize("trigger", ["last", "mark"])
@pytest.mark.parametrize("coin", SETUPS)
def test_the_book_is_sound_after_every_event(coin: str, trigger: str) -> None:
    """The account is exact; no long lives at or above the last trigger's bin, no short at or below it."""
    setup = SETUPS[coin]
    of_trades = trades(coin, WHOLE[coin])
    of_marks = marks(coin, int(of_trades[0].min()), int(of_trades[0].max()))
    # A coarse axis keeps 370,000 looks at all levels affordable.
    step = max(1, round(float(of_trades[1][0]) / setup.tick_size / 400))
    setup = setup.with_(trigger=trigger, step_ticks=step, bins=(0, 1000), tiers=(5.0, 25.0, 100.0))
    engine = make_engine(setup)
    events = [(row[0], 1, row) for row in rows_of(of_trades)] + [(row[0], 0, row) for row in rows_of(of_marks)]
    events.sort(key=lambda event: event[:2])
    triggered = None
    for _, kind, row in events:
        used = engine.trade(*row) if kind else engine.mark(*row)
        assert used
        if kind == (trigger == "last"):
            triggered = round(row[1] / setup.tick_size) // step
        assert not engine.stats.imbalance().any(), row
        if triggered is not None:
            assert not engine.levels_lots("long")[:, triggered:].any(), row
            assert not engine.levels_lots("short")[:, : triggered + 1].any(), row
    stats = engine.stats
    assert stats.used == len(events)
    assert stats.liquidated[:, -1].all()  # the market moved, so 100x did not survive
    accounted = stats.live + stats.liquidated + stats.closed + stats.out_of_range + stats.unresolved + stats.no_price
    assert np.array_equal(stats.opened, accounted)
