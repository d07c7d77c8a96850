"""A run: settle what the configuration leaves to the data, feed an engine, say what was odd."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import _core
from .._core import PriceAxis, Stats, tier_name
from ..config.build import axis_of, instrument_of, profile_of
from ..config.config import Config
from ..config.sections import InstrumentConfig
from ..engine.describe import describe
from ..engine.engine import Engine
from ..errors import DataError, InvalidConfigError
from ..history.view import automatic_bins_per_row
from ..sources.losses import Losses, lost_in_all
from .gaps import gap_note
from .prices import Since, Watch, price_notes
from .side_streams import Beside, SideStreams
from .terms import Known, settle_terms
from .trades import Footprints, Source

OFF_GRID_LIMIT = 0.05


# --- the run -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """An engine that was fed everything, and what is to be said of that; see `consume`."""

    engine: Engine
    config: Config
    meta: dict[str, Any]
    notes: list[str]


def consume(
    source: Source,
    config: Config,
    streams: SideStreams,
    feed: Callable[[Engine, Config, Watch], Since | None],
    *,
    threads: int = 1,
    keep: int | None = None,
    exact_grid: bool = False,
) -> Run:
    """
    Settle what the configuration leaves to the data, and feed an engine.

    Where rows do not fit the grid that was given, or seen at first, `feed` is called once more for another engine on
    theirs; not with `exact_grid`, if the whole grid was given. Where `feed` returns that the book is to begin anew, it
    is called again for an engine that is fed from there on.
    """
    exact_grid = exact_grid and config.instrument.tick_size is not None and config.instrument.lot_size is not None
    asked = config.instrument
    if isinstance(source, Footprints):
        config = source.over(config, config)
    terms = settle_terms(config, source)
    config = terms.config
    given = config.instrument
    tick_size, lot_size = first_grid(source, asked, given)
    streams.check(source.first_ts, source.first_price, has_trades=source.has_trades)
    interval_ns = 0 if source.has_trades else streams.candles.interval_ns
    since: Since | None = None
    while True:
        settled = settle(
            config, source, tick_size, lot_size, streams, source.first_price if since is None else since.price
        )
        engine = Engine.from_config(settled, threads=threads, keep=keep)
        watch = Watch(config.source.redenomination, since, interval_ns)
        anew = feed(engine, settled, watch)
        stats = engine.stats
        finer = (tick_size, lot_size) if exact_grid else finer_grid(source, stats, tick_size, lot_size)
        if finer == (tick_size, lot_size):
            if anew is None:
                break
            since = anew
            continue
        since = None
        tick_size, lot_size = finer  # rows did not fit the grid that was given, or seen at first: once more, on theirs
    refuse_off_grid(engine.instrument.tick_size, stats.rejected["off_grid"], stats.rows)
    lost = Losses(stats.rejected, stats.rows, source.nothing)
    if stats.used:  # otherwise that is what the caller says
        lost.refuse("the engine", {})
    inputs, beside = source.inputs(), streams.inputs()
    notes = [f"{entry['name']}: {entry['lost']}" for entry in (*inputs, *beside) if entry.get("lost")]
    notes += terms.notes + grid_notes(given.tick_size, asked.lot_size, tick_size, lot_size)
    rejected = {reason: count for reason, count in stats.rejected.items() if count}
    if rejected:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in rejected.items())
        if rejected.keys() != {"outlier"}:
            notes.append(f"the engine could not use {sum(rejected.values()):,} of {stats.rows:,} rows: {counts}")
    if since is not None:
        notes.append(since.note(watch.dropped))
    stream = source.stream if isinstance(source, Footprints) else None
    outliers = [list(outlier) for outlier in [*(stream.outliers if stream else ()), *engine.outliers]]
    notes += price_notes(outliers, engine.price_jumps, stats.rejected["outlier"])
    gaps, spacing = watch.gaps.found()
    if note := gap_note(gaps, spacing, "trade" if source.has_trades else "candle"):
        notes.append(note)
    if exact_grid and stats.rounded_qty:
        notes.append(f"{stats.rounded_qty:,} quantities were rounded to the given lot size of {lot_size:g}")
    if source.symbol and given.symbol and source.symbol != given.symbol:
        notes.append(f"the files say {source.symbol}, not {given.symbol}: is it the right market?")
    if note := _half_life_note(config, engine):
        notes.append(note)
    if engine.dropped_leverage:
        listed = ", ".join(f"{tier:g}x" for tier in engine.dropped_leverage)
        most = engine.instrument.margin.max_leverage
        notes.append(f"leverage above {most:g}x is not offered: {listed} left out, the shares of the rest scaled up")
    assumed = [name for name in ("tick_size", "lot_size") if getattr(given, name) is None] + terms.assumed
    chosen = "given"
    if config.model.name is None:
        chosen = f"{'no ' if streams.open_interest is None else ''}open interest is given"
    meta = describe(engine, engine.dropped_leverage, fitted=engine.fitted) | {
        "model_chosen": chosen,
        "inputs": inputs,
        "beside": beside,
        "losses": _losses(inputs, beside, lost),
        "rows": {
            "rows": stats.rows,
            "used": stats.used,
            "rounded_qty": stats.rounded_qty,
            "rejected": rejected,
        },
        "outliers": outliers,
        "begins_anew": watch.begins_anew() if stream is None else stream.begins_anew,
        "gaps": gaps.tolist(),
        "inexact": stats.inexact,
        "assumed": assumed,
        "catalogue": terms.catalogue,
        "contract": {"text": terms.contract.text, "source": terms.contract.source},
        "notes": notes,
        "warmup": settled.window.warmup,
        "config": settled.to_dict(),
        "config_hash": settled.hash,
    }
    if engine.reconciled:
        meta["corrections"] = {name: quantity.tolist() for name, quantity in engine.corrections.items()}
    if not source.has_trades:
        meta["resolution"] = "candles"
    return Run(engine, settled, meta, notes)


def _losses(inputs: Sequence[Mapping[str, Any]], beside: Sequence[Mapping[str, Any]], engine: Losses) -> list[str]:
    """Say what was lost of each kind of input, and in the engine, where a picture must say it."""
    kinds = dict.fromkeys(entry["kind"] for entry in beside)
    said = [lost_in_all("trades", inputs)]
    said += [lost_in_all(kind, [entry for entry in beside if entry["kind"] == kind]) for kind in kinds]
    said.append(lost_in_all("rows in the engine", [{"rejected": engine.lost, "rows": engine.rows}]))
    return [text for text in said if text]


def _half_life_note(config: Config, engine: Engine) -> str:
    """Say which tiers a half-life from the command line leaves out, whose text does not show it."""
    given, origin = config.model.half_life, config.origin("model.half_life")
    if not isinstance(given, Mapping) or not origin.startswith(("flag", "LIQCORE_")):
        return ""
    rest = [tier_name(tier) for tier in engine.leverage.tiers.tolist() if tier not in given]
    return f"half-lives are given for some tiers only: {', '.join(rest)} never decay" if rest else ""


def first_grid(source: Known, asked: InstrumentConfig, settled: InstrumentConfig) -> tuple[float, float]:
    """The grid to begin with: the one asked for, else the finer of the catalogue's and the head of the data's."""
    grid = []
    for name, found in (("tick_size", source.tick_size), ("lot_size", source.lot_size)):
        own, listed = getattr(asked, name), getattr(settled, name)
        grid.append(float(own or min(listed or found, found)))
    return grid[0], grid[1]


def finer_grid(
    source: Source, stats: Stats | _core.FootprintStream, tick_size: float, lot_size: float
) -> tuple[float, float]:
    """The grid to use: the file's own decimals where rows were off it."""
    if not stats.rejected["off_grid"] and not stats.rounded_qty:
        return tick_size, lot_size
    tick, lot = source.finest()
    return (
        min(tick, tick_size) if stats.rejected["off_grid"] else tick_size,
        min(lot, lot_size) if stats.rounded_qty else lot_size,
    )


def settle(config: Config, source: Known, tick_size: float, lot_size: float, streams: Beside, price: float) -> Config:
    """The configuration with everything decided that it left to the data."""
    instrument = config.instrument
    symbol = instrument.symbol or source.symbol
    config = config.replace(instrument={"tick_size": tick_size, "lot_size": lot_size, "symbol": symbol})
    model = config.model.name or ("flow" if streams.open_interest is None else "oi")
    if model == "positions":
        raise InvalidConfigError('model "positions" is no model of an engine: heatmap makes it of positions')
    if streams.open_interest is None:
        if model in ("oi", "blend"):
            raise InvalidConfigError(f'model "{model}" needs open interest: give open_interest')
        if config.model.reconciled:
            raise InvalidConfigError("reconciled needs open interest: give open_interest")
    if model == "vendor" and (streams.open_interest is None or config.model.event_threshold is None):
        raise InvalidConfigError(
            'model "vendor" needs events: give open_interest and event_threshold, or feed them to an Engine'
        )
    trigger = config.model.trigger
    if trigger is None:
        trigger = "candle" if model == "vendor" else "mark" if streams.marks is not None else "last"
    if trigger == "mark" and streams.marks is None:
        raise InvalidConfigError('trigger "mark" needs mark prices: give marks')
    if trigger == "candle" and streams.candles is None:
        raise InvalidConfigError('trigger "candle" needs candles: give candles')
    config = config.replace(model={"name": model, "trigger": trigger})
    half_life = config.model.half_life
    if isinstance(half_life, str) and half_life not in ("default", "none"):  # one for all tiers
        config = config.replace(model={"half_life": dict.fromkeys(profile_of(config).tiers.tolist(), half_life)})
    axis = config.axis
    if axis.low is None and axis.book_step is None:
        book, row = book_and_row(price, tick_size, axis.step)
        config = config.replace(axis={"step": row, "book_step": book})
    elif axis.step is None:
        fixed, book_step = axis_of(config, instrument_of(config))
        width = fixed.step if fixed is not None else book_step
        if width:
            ticks = round(width / tick_size)
            row = _price(ticks * automatic_bins_per_row(price, tick_size, ticks), tick_size)
            config = config.replace(axis={"step": row})
    return config


def book_and_row(price: float, tick_size: float, step: float | None) -> tuple[float, float]:
    """Width of the book's bins, about one basis point, and of the picture's rows: whole ticks."""
    if step is None:
        ticks = _core.automatic_ticks_per_bin(price, tick_size)
        return _price(ticks, tick_size), _price(ticks * automatic_bins_per_row(price, tick_size, ticks), tick_size)
    if step > price:
        raise InvalidConfigError(f"step must not be above the price itself ({price:g}), was {step:g}")
    row = PriceAxis(low=0.0, high=step, step=step, tick_size=tick_size).ticks_per_bin
    return _price(_core.automatic_ticks_per_bin(price, tick_size, row), tick_size), step


def _price(ticks: int, tick_size: float) -> float:
    """Ticks as a price, in the decimal that a person would write."""
    return float(f"{ticks * tick_size:.12g}")


def refuse_off_grid(tick_size: float, off_grid: int, rows: int) -> None:
    """Refuse data that does not fit its grid."""
    if off_grid > OFF_GRID_LIMIT * rows:
        raise DataError(
            f"expected prices on the tick grid of {tick_size:g}, found {off_grid:,} of {rows:,} trades off it "
            "(limit 5 %): give the right tick_size"
        )


def grid_notes(tick_given: float | None, lot_given: float | None, tick_size: float, lot_size: float) -> list[str]:
    """Say that the data has a finer grid than was given."""
    return [
        f"the data has {name} {found:g}, finer than the given {wanted:g}: {found:g} is used"
        for name, wanted, found in (("tick size", tick_given, tick_size), ("lot size", lot_given, lot_size))
        if wanted is not None and found < wanted
    ]


def feed_all(
    engine: Engine, source: Source, streams: SideStreams, watch: Watch, check: Callable[[int, float], None]
) -> Since | None:
    """
    Feed everything in order of time, batch by batch; return where the book is to begin anew, if it is.

    ``check(ts, share)`` is told up to when the input goes, as far as that is known, and which share of it that is.
    """
    if source.last_ts is not None:
        check(source.last_ts, 1.0)
    if isinstance(source, Footprints):
        source.replay(engine, streams, watch.gaps)
        return None
    last = None
    for batch in watch.batches(source):
        if last is None:
            streams.begin(int(batch[0][0]) // engine.window_ns * engine.window_ns)
        last = int(batch[0][-1])
        check(last, source.share)
        stats = engine.feed(trades=batch, **streams.until(last, more=True))
        if stats.rejected["off_grid"] > OFF_GRID_LIMIT * max(stats.rows, 1):
            return None  # no use to go on: the caller takes a finer grid, or refuses the data
        if anew := watch.see(batch[0], engine):
            return anew
    if last is not None:
        engine.feed(**streams.until(last, more=False))
    elif streams.candles is not None:
        part = streams.with_candles(0 if watch.since is None else watch.since.ts)
        engine.feed(**part)
        return watch.see(part["candles"][0], engine)
    return None
