"""
Markets as they happen: feeds of venues, what they tell, the journal that keeps it, engines that follow them.

`Service` runs markets whole, from a `Source` (`Live`, `Replay`, `Demo`) to what other threads read (`Following`).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..feeds.events import Change, Liquidation, Market
    from .board import Board, Moment
    from .demo import Demonstration, demonstration
    from .following import Following, News
    from .happened import Column, FileSink, Hooks, QueueSink, Sink, ZoneNews
    from .journal import Journal
    from .market import MarketEngine
    from .network import Internet
    from .replay import Recording, histories, recording
    from .service import Service, run, running
    from .source import Demo, Live, Replay, Source, markets_of
    from .status import Status, Summary
    from .terms import overrides_of
else:  # on first use: reading a journal, say, needs no sockets

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name], __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES})


_HOMES = {
    name: module
    for module, names in {
        "..feeds.events": ("Change", "Liquidation", "Market"),
        ".board": ("Board", "Moment"),
        ".demo": ("Demonstration", "demonstration"),
        ".following": ("Following", "News"),
        ".happened": ("Column", "FileSink", "Hooks", "QueueSink", "Sink", "ZoneNews"),
        ".journal": ("Journal",),
        ".market": ("MarketEngine",),
        ".network": ("Internet",),
        ".replay": ("Recording", "histories", "recording"),
        ".service": ("Service", "run", "running"),
        ".source": ("Demo", "Live", "Replay", "Source", "markets_of"),
        ".status": ("Status", "Summary"),
        ".terms": ("overrides_of",),
    }.items()
    for name in names
}

__all__ = [
    "Board",
    "Change",
    "Column",
    "Demo",
    "Demonstration",
    "FileSink",
    "Following",
    "Hooks",
    "Internet",
    "Journal",
    "Liquidation",
    "Live",
    "Market",
    "MarketEngine",
    "Moment",
    "News",
    "QueueSink",
    "Recording",
    "Replay",
    "Service",
    "Sink",
    "Source",
    "Status",
    "Summary",
    "ZoneNews",
    "demonstration",
    "histories",
    "markets_of",
    "overrides_of",
    "recording",
    "run",
    "running",
]
