"""Which reader a venue's frames have, and frames of recordings that are played as if they came in now."""

from collections.abc import Iterable, Sequence
from functools import cache

import msgspec

from .events import Change, Event, Frame, Market, Notice, Told, Trade
from .readers import READERS, reader
from .reading import Reader

REPLAY = "replay:"
"""How the sources of frames of recorded trades begin; the symbol follows."""

EVENTS = "events"
"""The source of frames that hold events themselves: of history that was asked for, of the simulator."""

DRIVER = "driver"
"""The source of frames that hold a `Change`."""

_Row = tuple[int, float, float, bool, int | str]
_ROWS = msgspec.json.Decoder(list[_Row])
_CHANGE = msgspec.json.Decoder(Change)
_EVENTS = msgspec.json.Decoder(list[Event])


def told_by(frame: Frame) -> Sequence[Told]:
    """Return what a frame tells, in its order; what cannot be read is a notice of "garbage"."""
    try:
        if frame.source.startswith(REPLAY):
            market = Market(frame.venue, frame.source.removeprefix(REPLAY))
            rows = _ROWS.decode(frame.body)
            return [Trade(market, *row, int(isinstance(row[4], int))) for row in rows]
        if frame.source == DRIVER:
            return [_CHANGE.decode(frame.body)]
        if frame.source == EVENTS:
            return _EVENTS.decode(frame.body)
    except msgspec.MsgspecError as error:
        return [Notice("garbage", str(error).partition(" - ")[0])]
    known = _reader(frame.venue)
    return [Notice("unknown", f"frames of {frame.venue}")] if known is None else known.read(frame)


@cache
def _reader(venue: str) -> Reader | None:
    return reader(venue) if venue in READERS else None


def replayed(market: Market, received: int, rows: Iterable[_Row]) -> Frame:
    """Make a frame of recorded trades: time (ns), price, quantity, whether the taker sold, id."""
    return Frame(received, market.venue, f"{REPLAY}{market.symbol}", msgspec.json.encode(list(rows)))


def of_events(market: Market, received: int, events: Sequence[Event]) -> Frame:
    """Make a frame of a market's events."""
    return Frame(received, market.venue, EVENTS, msgspec.json.encode(events))


def changed(change: Change, received: int) -> Frame:
    """Make the frame of a change of a stream's state."""
    return Frame(received, change.market.venue, DRIVER, msgspec.json.encode(change))
