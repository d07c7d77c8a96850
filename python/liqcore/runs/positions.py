"""The model "positions": the map of real positions as snapshots have them; and books of other models that begin so."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from .._core import LeverageProfile
from ..config.build import instrument_of, selection_of
from ..config.config import Config
from ..errors import DataError, InvalidConfigError
from ..history.one import OneHistory
from ..history.view import whole_view
from ..market.contracts import Quantities
from ..market.terms import instrument_values
from ..sources.candles import Candles
from ..sources.losses import lost_in_all
from ..sources.made_candles import candles_of
from ..sources.positions import Positions, read_positions
from ..sources.report import summary_of
from ..tables.batch import TradeBatch
from ..views.heatmap import Heatmap
from ..words.times import iso, parse_duration
from .position_book import Book, Grid, with_base
from .run import book_and_row
from .side_streams import SideStreams
from .terms import settle_terms
from .trades import Batches, Source

if TYPE_CHECKING:
    from ..sources.text import PathLike

MODEL = "positions"

MADE_OF_TRADES = "1m"
"""Length of the candles that trades are summed to."""


class Known(NamedTuple):
    """What a snapshot tells of the market, as `settle_terms` asks it."""

    first_ts: int
    tick_size: float
    lot_size: float
    symbol: str | None
    quantities: list[Quantities]


def positions_of(given: Any, config: Config) -> Positions | None:
    """Return the positions that are given or that a configuration names; None: there are none."""
    if isinstance(given, Positions):
        return given
    if given is None:
        given = config.source.positions
    if given is None:
        return None
    if not isinstance(given, str | os.PathLike | Sequence):
        raise TypeError(f"positions must be a path or paths, or Positions, was {type(given).__name__}")
    return _read(given, config.instrument.symbol)


def _read(paths: PathLike | Sequence[PathLike], symbol: str | None) -> Positions:
    """Read positions; of a market's symbol those of its coin, too, as Hyperliquid writes it."""
    if symbol is None:
        return read_positions(paths)
    try:
        return read_positions(paths, symbol=symbol)
    except DataError as error:
        coin = next((symbol[: -len(end)] for end in ("USDT", "USDC", "USD") if symbol.endswith(end)), None)
        if coin is None or "expected positions of" not in str(error):
            raise
        return read_positions(paths, symbol=coin)


def refuse_without(config: Config) -> None:
    """Refuse the model where there is nothing to make it of."""
    if config.model.name == MODEL:
        raise InvalidConfigError(f'model "{MODEL}" needs snapshots of positions: give positions')


def positions_heatmap(found: Positions, source: Source | None, config: Config, streams: SideStreams) -> Heatmap:
    """
    Return the map of real positions: levels as each snapshot has them, consumed by the price until the next.

    Parameters
    ----------
    found : Positions
    source : Source or None
        Trades that consume levels, summed to candles; None: only snapshots, and the candles of `streams`.
    config : Config
    streams : SideStreams
        Its candles consume levels, its open interest tells the coverage.
    """
    candles = streams.candles if streams.candles is not None else _candles_of(source)
    price = _first_price(found, candles)
    known = Known(int(found.times[0]), _tick(price), _lot(price), found.symbol or None, [])
    terms = settle_terms(config, known)
    section = terms.config.instrument
    tick, lot = section.tick_size or known.tick_size, section.lot_size or known.lot_size
    book_step, row_step = book_and_row(price, tick, terms.config.axis.step)
    settled = terms.config.replace(
        instrument={"tick_size": tick, "lot_size": lot, "symbol": section.symbol or known.symbol},
        axis={"step": row_step, "book_step": book_step},
        model={"name": MODEL, "trigger": None, "half_life": "none"},
    )
    instrument = instrument_of(settled)
    tiers = _tiers(found)
    window_ns = parse_duration(settled.window.length, name="window")
    book = Book(found, candles, instrument, Grid(book_step, lot * instrument.multiplier, tiers), window_ns)
    history, complete = book.history()
    # Each layer holds its own positions: all weigh one.
    leverage = LeverageProfile(dict.fromkeys(tiers.tolist(), 1.0 / len(tiers)), intensity=float(len(tiers)))
    inputs = [summary_of(file) for file in found.report.files] or [_in_memory(found)]
    notes = [*terms.notes, *_notes(found, book, candles)]
    losses = [text for text in [lost_in_all("positions", inputs)] if text]
    meta: dict[str, Any] = {
        "symbol": instrument.symbol,
        "venue": instrument.venue,
        "model": MODEL,
        "meaning": _meaning(found, _coverage(found, streams)),
        "trigger": None if candles is None else "candle",
        "sequential": True,  # when levels of a snapshot were opened is not known
        "half_life": None,
        "window": settled.window.length,
        "leverage": {},
        "intensity": leverage.intensity,
        "dropped_leverage": [],
        "instrument": instrument_values(instrument),
        "version": __version__,
        "synthetic": False,
        "began_ns": int(found.times[0]),
        "model_chosen": "positions are given" if config.model.name is None else "given",
        "inputs": inputs,
        "beside": streams.inputs(),
        "losses": losses,
        "snapshots": [len(found.times), int(found.times[0]), int(found.times[-1])],
        "accounts": found.accounts,
        "coverage": _coverage(found, streams),
        "assumed": [name for name in ("tick_size", "lot_size") if getattr(section, name) is None],
        "catalogue": terms.catalogue,
        "contract": {"text": terms.contract.text, "source": terms.contract.source},
        "notes": notes,
        "warmup": None,
        "config": settled.to_dict(),
        "config_hash": settled.hash,
    }
    for note in notes:
        warnings.warn(note, stacklevel=4)
    one = OneHistory(history, leverage, complete, meta["instrument"])
    return Heatmap(one, whole_view(one, step=row_step), meta).select(**selection_of(settled))


def begin_with(heatmap: Heatmap, found: Positions) -> Heatmap:
    """
    Return the heatmap of a book that held the positions of the last snapshot before its first window.

    Each goes to the layer next to its leverage, in so many lots that its USD show at the layer's weight. From there on
    the model's touches and half-lives work on them as on its own.
    """
    shown = heatmap._shown
    one = shown.histories
    assert isinstance(one, OneHistory), "a run has one history"
    begin = one.first_ns
    times = found.times[found.times <= begin]
    if not len(times):
        raise DataError(
            f"expected a snapshot of positions before the first window ({iso(begin)}), found the first at "
            f"{iso(int(found.times[0]))}: it would tell what comes later"
        )
    snapshot = found.snapshot(int(times[-1]))
    weights = one.leverage.weights
    used = weights > 0
    terms = one.history.terms
    lot = float(terms["lot_size"]) * float(terms["multiplier"])
    grid = Grid(one.tick_size * one.ticks_per_bin, lot, one.leverage.tiers[used])
    levels = grid.levels(snapshot)
    levels = levels._replace(tier=np.flatnonzero(used)[levels.tier])
    levels = levels._replace(lots=np.rint(levels.lots / weights[levels.tier]))
    opens = one.candles()[:, 0]
    own = int(grid.bins(opens[np.isfinite(opens)][:1])[0])
    inside = np.where(levels.side == 0, levels.bin < own, levels.bin > own) & (levels.lots > 0)
    made = OneHistory(with_base(one.history, levels.where(inside)), one.leverage, one.complete, one.terms_said)
    said: dict[str, Any] = {
        "snapshot_ns": int(times[-1]),
        "usd": float(snapshot.usd.sum()),
        "meaning": _meaning(snapshot, None),
    }
    begins = f"begins with {said['meaning']} of {iso(said['snapshot_ns'])}"
    meta = heatmap.meta | {"prior": said, "notes": [*heatmap.meta.get("notes", ()), begins]}
    return Heatmap(made, whole_view(made, step=shown.step, first=shown.view.first), meta)


def _candles_of(source: Source | None) -> Candles | None:
    """Sum trades to candles, batch by batch; parts of one minute in two batches touch one after the other."""
    if source is None or not source.has_trades:
        return None
    if not isinstance(source, Batches):
        raise InvalidConfigError('model "positions" takes trades or candles, not footprints')
    parts = [candles_of(TradeBatch(*batch), MADE_OF_TRADES) for batch in source.batches() if len(batch[0])]
    if not parts:
        return None
    names = ("ts_open", "open", "high", "low", "close")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    starts = np.flatnonzero(np.concatenate(([True], np.diff(columns["ts_open"]) > 0)))
    ends = np.concatenate((starts[1:], [len(columns["ts_open"])])) - 1
    return Candles(
        columns["ts_open"][starts],
        columns["open"][starts],
        np.maximum.reduceat(columns["high"], starts),
        np.minimum.reduceat(columns["low"], starts),
        columns["close"][ends],
        None,
        None,
        parts[0].interval_ns,
    )


def _first_price(found: Positions, candles: Candles | None) -> float:
    told = found.price[np.isfinite(found.price)]
    if len(told):
        return float(told[0])
    if candles is not None and len(candles):
        return float(candles.open[0])
    return float(np.median(found.level))


def _tick(price: float) -> float:
    """Five significant digits of a price, as Hyperliquid prints them."""
    return float(10.0 ** (math.floor(math.log10(price)) - 4))


def _lot(price: float) -> float:
    """Return a power of ten of which one is worth at most a cent."""
    return float(10.0 ** math.floor(math.log10(0.01 / price)))


MOST_TIERS = 64


def _tiers(found: Positions) -> NDArray[np.float64]:
    """Return the leverage that positions have, each once; many are grouped by powers of two."""
    known = np.where(found.leverage >= 1, found.leverage, 1.0)
    tiers = np.unique(known)
    return tiers if len(tiers) <= MOST_TIERS else np.unique(2.0 ** np.rint(np.log2(known)))


def _coverage(found: Positions, streams: SideStreams) -> dict[str, float] | None:
    """Return which share of the open interest the last snapshot has, by side; None: it is not known."""
    if streams.open_interest is None:
        return None
    ts, quantity = streams.open_interest
    last = int(found.times[-1])
    at = int(np.searchsorted(ts, last, side="right")) - 1
    if at < 0 or not quantity[at] > 0:
        return None
    now = found.snapshot(last)
    return {
        "long": float(now.quantity[now.is_long].sum() / quantity[at]),
        "short": float(now.quantity[~now.is_long].sum() / quantity[at]),
    }


def _meaning(found: Positions, coverage: dict[str, float] | None) -> str:
    accounts = "a sample of accounts" if found.accounts is None else f"{found.accounts:,} accounts"
    if found.accounts == 1:
        accounts = "1 account"
    share = ""
    if coverage is not None:
        share = f", {100 * coverage['long']:.2g}% of open interest long and {100 * coverage['short']:.2g}% short"
    return f"positions of {accounts}{share}"


def _notes(found: Positions, book: Book, candles: Candles | None) -> list[str]:
    notes = []
    unknown = float(found.usd[~(found.leverage >= 1)].sum() / found.usd.sum())
    if unknown > 0:
        notes.append(f"leverage is not told of {unknown:.0%} of the positions' USD: they are in the layer 1x")
    if found.width:
        notes.append(
            f"levels are sums in bins of {found.width:.2%} of the price, in which they are spread evenly; where in a "
            "bin positions lie is not known"
        )
    if candles is None:
        notes.append("no trades or candles are given: levels stay from one snapshot to the next, reached or not")
    if book.unresolved:
        notes.append(f"a quantity of {book.unresolved:g} had its level at or beyond the price of its snapshot")
    if book.skipped:
        notes.append(f"{book.skipped:,} snapshots are not seen, because another follows in their window")
    return notes


def _in_memory(found: Positions) -> dict[str, Any]:
    return {
        "name": "memory", "format": "positions", "rows": len(found), "used": len(found), "rejected": {}, "nothing": {},
        "lost": "", "warnings": [], "notes": [],
    }  # fmt: skip
