"""Answers that need no picture: which markets there are, what has happened in them, what is not well."""

from collections.abc import Callable, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from .._core import __version__
from ..feeds.events import Market
from ..live.board import LIQUIDATION, Board, Moment
from ..live.following import Following
from ..live.happened import KINDS
from ..live.status import Status
from ..words.numbers import price_number
from ..words.plain import plain
from .forms import (
    HealthAnswer,
    Hole,
    HolesAnswer,
    HolesAsked,
    LiquidationsAsked,
    MarketAnswer,
    MarketsAnswer,
    NewsAnswer,
    NewsAsked,
    NewsEntry,
    Reason,
    Stream,
)
from .pictures import number_of
from .wire import encode

UNWELL = {"stale": "is silent", "connecting": "is not connected", "retired": "is given no more by the venue"}
"""States of a stream that make a server unwell, and what is said of them."""


def markets(following: Following, moments: Mapping[str, Moment | None]) -> MarketsAnswer:
    """Return every market, with its streams."""
    now = following.clock.now()
    told = [_market(board, moments[str(market)], now) for market, board in following.boards.items()]
    return MarketsAnswer(following.source, now, following.news.last, told, list(following.models))


def _market(board: Board, moment: Moment | None, now: int) -> MarketAnswer:
    engine = None if moment is None else moment.book.engine
    axis = None if moment is None else moment.snapshot.axis
    samples = board.samples
    mark, interest, funding = samples["mark"], samples["open_interest"], samples["funding"]
    return MarketAnswer(
        market=str(board.market),
        number=None if moment is None else number_of(moment),
        ts=None if moment is None else moment.snapshot.clock,
        price=nan if moment is None else price_number(moment.snapshot.last_price),
        latest=board.latest,
        mark=None if mark is None else mark.price,
        open_interest=None if interest is None else interest.quantity,
        funding_rate=None if funding is None else funding.rate,
        streams={
            kind: Stream(change.state, change.ts, max(now - change.ts, 0) / 1e9, change.why)
            for kind, change in board.states.items()
        },
        holes=sum(hole.state == "gap open" for hole in board.holes),
        realised_complete=board.realised_complete,
        counts=board.counts,
        tick_size=None if engine is None else engine.instrument.tick_size,
        lot_size=None if engine is None else engine.instrument.lot_size,
        window_ns=None if engine is None else engine.window_ns,
        book_step=None if axis is None else price_number(axis.step),
        tiers=[] if engine is None else engine.leverage.tiers.tolist(),
    )


def news(asked: NewsAsked, following: Following) -> NewsAnswer:
    """Return what has happened since a number; of markets that are not named it says nothing."""
    last = following.news.last
    found = following.news.since(asked.since)
    kept = found[: asked.most] if not asked.market else _of(asked, found)
    told = [NewsEntry(number, KINDS[type(thing)], str(thing.market), _fields(thing)) for number, thing in kept]  # type: ignore[arg-type]
    everything = len(kept) < asked.most  # what was left out is of other markets
    end = max(last, found[-1][0] if found else 0) if everything else kept[-1][0]
    missed = bool(found) and found[0][0] > asked.since + 1
    return NewsAnswer(last, end, missed, told)


def _of(asked: NewsAsked, found: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    kept = []
    for number, thing in found:
        if str(thing.market) in asked.market:
            kept.append((number, thing))
            if len(kept) == asked.most:
                break
    return kept


def _fields(thing: msgspec.Struct) -> dict[str, Any]:
    said = msgspec.structs.asdict(thing)
    del said["market"]
    return said


def liquidations(boards: Sequence[Board], asked: LiquidationsAsked) -> bytes:
    """Return the latest liquidations of markets, by time, as a frame."""
    of = [board.liquidations() for board in boards]
    rows = np.concatenate([np.empty(0, LIQUIDATION), *of])
    market = np.repeat(np.arange(len(of), dtype=np.uint16), [len(one) for one in of])
    order = np.argsort(rows["ts"], kind="stable")
    order = order[(rows["usd"][order] >= asked.least) & (rows["ts"][order] >= asked.since)]
    header = {
        "kind": "liquidations",
        "markets": [str(board.market) for board in boards],
        "complete": [board.realised_complete for board in boards],
    }
    rows = rows[order]
    arrays = {"times": rows["ts"], "prices": rows["price"], "usd": rows["usd"],
              "longs": rows["long"].astype(np.uint16), "market": market[order]}  # fmt: skip
    return encode(header, arrays)


def holes(asked: HolesAsked, following: Following) -> HolesAnswer:
    """Return the holes that are kept."""
    return HolesAnswer(
        [
            Hole(str(market), hole.kind, hole.state, hole.ts, hole.since, hole.until, hole.first, hole.last, hole.why)
            for market, board in following.boards.items()
            if not asked.market or str(market) in asked.market
            for hole in board.holes
        ]
    )


def health(following: Following, free: Callable[[Path], int], least: int) -> HealthAnswer:
    """
    Say what is not well: streams that are silent, markets without a trade, engines and journals that have stopped, a
    disk with too little room.

    Parameters
    ----------
    following : Following
    free : callable
        Tells how many bytes a folder's disk has left.
    least : int
        How many it must have.
    """
    reasons = []
    for market, board in following.boards.items():
        reasons += _unwell(market, board, following.statuses.get(market))
    try:
        left = free(following.folder)
    except OSError as error:
        reasons.append(Reason("disk", "", f"the journals' folder cannot be looked at ({error.strerror})"))
    else:
        if left < least:
            reasons.append(Reason("disk", "", f"{left >> 20:,} MiB are left, must be at least {least >> 20:,} MiB"))
    return HealthAnswer(not reasons, __version__, following.source, len(following.boards), reasons)


def _unwell(market: Market, board: Board, status: Status | None) -> list[Reason]:
    found = [
        Reason("stream", str(market), f"{kind} {UNWELL[change.state]}")
        for kind, change in board.states.items()
        if change.state in UNWELL
    ]
    if board.moment() is None:
        found.append(Reason("market", str(market), "nothing has traded yet"))
    if status is not None and status.error:
        found.append(Reason("journal", str(market), f"it cannot be written at present: {plain(status.error)}"))
    if status is not None and status.stopped:
        said = f"it goes on no more ({plain(status.stopped)}); what comes is recorded all the same"
        found.append(Reason("engine", str(market), said))
    for model, why in (status.models if status is not None else {}).items():
        found.append(Reason("engine", str(market), f"its model {model} goes on no more ({plain(why)})"))
    return found
