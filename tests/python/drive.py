"""Drives the engine with the streams of ``streams.py``, and compares everything that it and the reference both show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import liqcore as lq
from streams import Setup, Step


def make_engine(setup: Setup) -> lq.Engine:
    instrument = lq.Instrument(
        symbol="X",
        venue="test",
        contract=setup.contract,
        tick_size=setup.tick_size,
        lot_size=setup.lot_size,
        multiplier=1.0,
        margin=lq.MarginSchedule.flat(setup.mmr, fee=setup.fee, basis=setup.basis),
    )
    step = setup.step_ticks * setup.tick_size
    axis = None
    if setup.bins is not None:
        axis = lq.PriceAxis(low=setup.bins[0] * step, high=setup.bins[1] * step, step=step, tick_size=setup.tick_size)
    return lq.Engine(
        instrument,
        leverage=lq.LeverageProfile(dict.fromkeys(setup.tiers, 1 / len(setup.tiers))),
        axis=axis,
        window=f"{setup.window}ns",
        model=setup.model,
        trigger=setup.trigger,
        maker_share=setup.maker_share,
        half_life=setup.half_life,
        book_step=None if axis is not None else step,
    )


def columns_of(rows: Iterable[tuple[Any, ...]], width: int) -> list[np.ndarray]:
    """Rows as the arrays that the engine takes: time, floats, and a last column of bool for trades (width 4)."""
    table = list(rows)
    dtypes: list[type] = [np.int64, *[np.float64] * (width - 1)]
    if width == 4:
        dtypes[3] = np.bool_
    return [np.array([row[i] for row in table], dtype=dtype) for i, dtype in enumerate(dtypes)]


def tell_engine(engine: lq.Engine, step: Step) -> None:
    match step.call:
        case "advance" | "open" | "touch" | "scale" | "feed":
            if step.call != "feed":
                getattr(engine, step.call)(*step.rows)
                return
            of: dict[str, list[Any]] = {"mark": [], "trade": [], "candle": []}
            for kind, row in step.rows:
                of[kind].append(row)
            given: dict[str, Any] = {}
            if of["mark"]:
                given["marks"] = tuple(columns_of(of["mark"], 2))
            if of["trade"]:
                given["trades"] = tuple(columns_of(of["trade"], 4))
            if of["candle"]:
                given["candles"] = tuple(columns_of(of["candle"], 7))
                given["interval"] = f"{step.interval}ns"
            engine.feed(**given)
        case "candle" | "candles":
            engine.candles(*columns_of(step.rows, 7), interval=f"{step.interval}ns")
        case "mark" | "trade":
            getattr(engine, step.call)(*step.rows[0])
        case call:
            getattr(engine, call)(*columns_of(step.rows, 2 if call == "marks" else 4))
