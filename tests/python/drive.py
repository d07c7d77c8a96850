"""Drives the native engine with the streams of ``streams.py`` and compares everything that it and the reference show.

Columns are folded here from the engine's segments, once more and by hand, so that what a segment means is tested too.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import liqcore as lq
from liqcore import _core
from liqcore.history.one import OneHistory
from liqcore.history.view import whole_view
from reference import FATES, SIGN, Cells, Layer, Reference, in_lots
from streams import Setup, Step, Watched, tell_reference

Array = np.ndarray[Any, np.dtype[Any]]
FLUSH_LOTS = 0.5
ROUNDING = 1e-6  # lots: what a sum of parts of a cell may be off by, where nothing is left
LEVELS = ("live", "no_price", "underflow", "overflow", "unresolved")  # where a verb's levels went


def heatmap_of(
    history: _core.History, leverage: lq.LeverageProfile, *, step: float, meta: dict[str, Any] | None = None
) -> lq.Heatmap:
    """Return all of a history as a heatmap of quantities."""
    one = OneHistory(history, leverage)
    return lq.Heatmap(one, whole_view(one, step=step, unit="quantity"), meta)


def make_engine(setup: Setup) -> lq.Engine:
    """Return the engine of a setup."""
    step = setup.step_ticks * setup.tick_size
    axis = None
    if setup.bins is not None:
        low, high = (edge * step for edge in setup.bins)
        axis = lq.PriceAxis(low=low, high=high, step=step, tick_size=setup.tick_size)
    margin = lq.MarginSchedule.flat(setup.mmr, fee=setup.fee, basis=setup.basis)
    instrument = lq.Instrument(
        symbol="X",
        venue="test",
        contract=setup.contract,
        tick_size=setup.tick_size,
        lot_size=setup.lot_size,
        margin=margin,
    )
    half_life = {tier: half for tier, half in (setup.half_life or {}).items() if half is not None}
    return lq.Engine(
        instrument,
        leverage=dict.fromkeys(setup.tiers, 1 / len(setup.tiers)),
        axis=axis,
        book_step=step if axis is None and step else None,
        window=setup.window,
        model=setup.model,
        trigger=setup.trigger,
        maker_share=setup.maker_share,
        half_life=half_life or None,
        taker_tilt=setup.taker_tilt,
        churn=setup.churn,
        event_threshold=setup.event_threshold,
        reconciled=setup.reconciled,
        candle_price=setup.candle_price,
        outlier=setup.outlier,
        exponent=setup.exponent,
    )


# ---- feeding ---------------------------------------------------------------------------------------------------------


COLUMNS = {"mark": 1, "trade": 3, "candle": 6, "open_interest": 1, "vendor_event": 2}  # beside the time


def arrays(kind: str, rows: Sequence[tuple[Any, ...]]) -> tuple[Array, ...]:
    """Rows as the arrays that the engine takes: time, then floats; the last of a trade is bool."""
    dtypes: list[type] = [np.int64, *[np.float64] * COLUMNS[kind]]
    if kind == "trade":
        dtypes[-1] = np.bool_
    return tuple(np.array([row[i] for row in rows], dtype) for i, dtype in enumerate(dtypes))


def tell_engine(engine: lq.Engine, step: Step) -> lq.Opened | Array | None:
    """Make the same call to the engine that `tell_reference` makes to the reference."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "levels not opened.*")
        return _tell_engine(engine, step)


def _tell_engine(engine: lq.Engine, step: Step) -> lq.Opened | Array | None:
    match step.call:
        case "advance" | "touch":
            getattr(engine, step.call)(*step.rows)
        case "scale_part":
            engine.scale(step.rows[0], **step.rows[1])
        case "close":
            side, low, high, qty = step.rows
            return engine.close(side, low, high, np.array(qty) if isinstance(qty, list) else qty)
        case "open" | "open_level":
            side, price, qty = step.rows
            return getattr(engine, step.call)(side, price, np.array(qty) if isinstance(qty, list) else qty)  # type: ignore[no-any-return]
        case "opens" | "open_levels":
            ts, side, price, qty = (np.array(column) for column in zip(*step.rows, strict=True))
            return getattr(engine, step.call)(side == "short", price, qty, ts=ts)  # type: ignore[no-any-return]
        case "touches":
            ts, low, high, last = (np.array(column) for column in zip(*step.rows, strict=True))
            engine.touches(low, high, None if last[0] is None else last.astype(np.float64), ts=ts)
        case "scale":
            engine.scale(step.rows[0])
        case "feed":
            of = {kind: arrays(kind, [r for k, r in step.rows if k == kind]) for kind in COLUMNS}
            engine.feed(
                trades=of["trade"],
                marks=of["mark"],
                candles=of["candle"] if len(of["candle"][0]) else None,
                open_interest=of["open_interest"],
                vendor_events=of["vendor_event"],
                interval=step.interval,
            )
        case "candle" | "candles":
            engine.candles(*arrays("candle", step.rows), interval=step.interval)
        case "open_interests":
            engine.open_interest(*arrays("open_interest", step.rows))
        case "mark" | "trade" | "open_interest" | "vendor_event":
            getattr(engine, step.call)(*step.rows[0])
        case call:
            getattr(engine, call)(*arrays(call.removesuffix("s"), step.rows))
    return None


def possible(ref: Reference, step: Step) -> bool:
    """Whether the call is one that the engine takes: others are errors (and tested as such elsewhere)."""
    if step.call == "advance":
        return bool(step.rows[0] >= (ref.clock or 0))
    if step.call in ("opens", "open_levels", "touches"):
        return bool(step.rows[0][0] >= (ref.clock or 0))
    verbs = ("open", "open_level", "touch", "scale", "scale_part", "close")
    return ref.clock is not None or step.call not in verbs


# ---- reading ---------------------------------------------------------------------------------------------------------


def dense(levels: Array, first_bin: int) -> Cells:
    return {first_bin + int(i): float(levels[i]) for i in np.flatnonzero(levels)}


def live(engine: lq.Engine) -> dict[Layer, Cells]:
    """Live lots by layer and absolute bin."""
    out: dict[Layer, Cells] = {}
    for side in SIGN:
        levels = engine.levels_lots(side)
        for tier, row in zip(engine.leverage.tiers.tolist(), levels, strict=True):
            out[side, tier] = dense(row, engine.axis.first_bin) if row.size else {}
    return out


def cells(columns: dict[str, Array], layers: Sequence[Layer]) -> dict[Layer, Cells]:
    out: dict[Layer, Cells] = {layer: {} for layer in layers}
    tiers = len(layers) // 2
    for side, tier, where, lots in zip(
        *(columns[name].tolist() for name in ("side", "tier", "bin", "lots")), strict=True
    ):
        assert lots != 0
        out[layers[side * tiers + tier]][where] = lots
    return out


def pass_time(book: dict[Layer, Cells], segment: lq.Segment) -> dict[Layer, Cells]:
    """Let a window pass over ``book`` (as a segment's definition has it) and return what was liquidated in it."""
    layers = list(book)
    added, liquidated = cells(segment.additions, layers), cells(segment.liquidated, layers)
    for i, layer in enumerate(layers):
        side, tier = layer[0], i % (len(layers) // 2)
        factors = segment.scale(side)
        factor = 1.0 if factors is None else float(factors[tier])
        mine = book[layer]
        for where, scale in segment.touched(side):
            for hit in [b for b in mine if SIGN[side] * b >= SIGN[side] * where]:
                lots = mine.pop(hit) * (1.0 if scale is None else float(scale[tier]))
                if lots:
                    liquidated[layer][hit] = liquidated[layer].get(hit, 0) + lots
        for where in [b for b, lots in liquidated[layer].items() if abs(lots) <= ROUNDING]:
            del liquidated[layer][where]
        for where in mine:
            mine[where] *= factor
        for where, lots in added[layer].items():
            mine[where] = mine.get(where, 0) + lots
            if lots < 0 and abs(mine[where]) <= 1e-9 * -lots:  # all of it was taken away
                mine[where] = 0
        for where in [b for b, lots in mine.items() if lots == 0 or (factor != 1 and lots < FLUSH_LOTS)]:
            del mine[where]
    return liquidated


# ---- comparing -------------------------------------------------------------------------------------------------------


def assert_cells(
    got: dict[Layer, Cells], wanted: dict[Layer, Cells], exact: bool, what: str, rest: float = 0.0
) -> None:
    """``rest``: lots that what is left of a cell may be off by, where most of it was taken away."""
    for layer, expected in wanted.items():
        mine = got.get(layer, {})
        if exact:
            assert mine == expected, (what, layer)
        else:
            assert mine.keys() == expected.keys(), (what, layer)
            assert mine == pytest.approx(expected, rel=1e-12, abs=rest), (what, layer)


def assert_same_now(engine: lq.Engine, ref: Watched) -> None:
    """Counts, accounts and live levels."""
    stats, exact = engine.stats, ref.never_scaled
    rejected = {reason: count for reason, count in stats.rejected.items() if count}
    assert (stats.rows, stats.used, stats.rounded_qty, rejected) == (ref.rows, ref.used, ref.rounded_qty, ref.rejected)
    assert engine.clock == ref.clock
    for name in ("opened", "live", *FATES):
        wanted = [account[name] for account in ref.stats().values()]
        got = getattr(stats, name).ravel().tolist() or [0.0] * len(wanted)
        assert got == (wanted if exact else pytest.approx(wanted, rel=1e-12, abs=1e-7)), name
    imbalance = stats.imbalance()
    assert np.all(imbalance == 0) if exact else np.all(np.abs(imbalance) <= 1e-12 * stats.opened + 1e-9)
    wanted_cells = {layer: in_lots(quantities) for layer, quantities in ref.live.items()}
    if engine.axis is None:
        assert not any(wanted_cells.values())
    else:
        assert_cells(live(engine), wanted_cells, exact, "live", ref.rest)


def assert_same_columns(engine: lq.Engine, ref: Watched, exact: bool | None = None) -> None:
    """Every closed window: its book, what it liquidated, its candle; then the unfinished one."""
    exact = ref.never_scaled if exact is None else exact
    segments = engine.segments()
    assert [(s.start_ns, s.end_ns) for s in segments] == [(c.start, c.start + ref.window) for c in ref.columns]
    book: dict[Layer, Cells] = {layer: {} for layer in ref.live}
    for segment, column in zip(segments, ref.columns, strict=True):
        liquidated = pass_time(book, segment)
        assert_cells(book, column.live, exact, f"column {column.start}", ref.rest)
        wanted = {
            layer: {where: lots for where, lots in mine.items() if abs(lots) > ROUNDING}
            for layer, mine in column.liquidated.items()
        }
        assert_cells(liquidated, wanted, exact, f"liquidated in {column.start}", ref.rest)
        wanted = tuple(column.candle.values()) if column.candle else (None, None, None, None, 0, 0)
        assert segment.candle == wanted, column.start
    history, unfinished = engine._history(True)
    if history is None:
        return
    assert len(history) == len(segments) + unfinished
    if unfinished:
        liquidated = pass_time(book, history.segment(len(segments)))
        # Dust waits for the window's end, which a picture of now anticipates.
        now = {layer: in_lots(quantities) for layer, quantities in ref.live.items()}
        for layer in ref.scaled:
            now[layer] = {where: lots for where, lots in now[layer].items() if lots >= FLUSH_LOTS}
        assert_cells(book, now, exact, "unfinished column", ref.rest)
        taken = {layer: in_lots(quantities) for layer, quantities in ref.liquidated.items()}
        assert_cells(liquidated, taken, exact, "liquidated in the unfinished column", ref.rest)
    for i in {0, len(history) // 2, len(history) - 1} & set(range(len(segments))):
        for side in SIGN:
            first, levels = history.levels(i, side)
            rows = {(side, tier): dense(row, first) for tier, row in zip(ref.tiers, levels, strict=True)}
            wanted_rows = {layer: v for layer, v in ref.columns[i].live.items() if layer[0] == side}
            assert_cells(rows, wanted_rows, exact, f"levels of {i}", ref.rest)


def told(engine: lq.Engine, ref: Watched, steps: Sequence[Step]) -> Iterator[Step]:
    """Tell both each step; stop early where rounding decides over a whole cell."""
    for step in steps:
        if not possible(ref, step):
            continue
        opened = tell_engine(engine, step)
        wanted = tell_reference(ref, step)
        if isinstance(wanted, list):
            assert opened == pytest.approx(wanted, rel=1e-9, abs=1e-9 * ref.lot_size)
        elif isinstance(opened, lq.Opened):
            assert {fate: n for fate in LEVELS if (n := getattr(opened, fate))} == wanted
        if ref.tie:
            return
        yield step


def run_both(setup: Setup, steps: Sequence[Step], *, every_step: bool) -> tuple[lq.Engine, Watched]:
    """Feed both, comparing after every step or at the end; stop early where rounding decides over a whole cell."""
    engine, ref = make_engine(setup), setup.reference()
    for _ in told(engine, ref, steps):
        if every_step:
            assert_same_now(engine, ref)
    if ref.tie:
        return engine, ref
    if not every_step:
        assert_same_now(engine, ref)
    assert_same_columns(engine, ref)
    return engine, ref
