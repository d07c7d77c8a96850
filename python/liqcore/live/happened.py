"""What a market's engine tells whoever listens: columns, zones, liquidations, gaps; and listeners ready made."""

import math
import queue
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec
from msgspec import Struct

from ..feeds.events import Change, Liquidation, Market, Side
from .outside import Files


class Column(Struct, frozen=True):
    """
    A window of a market has ended.

    Attributes
    ----------
    start, end : int
        Of the window, ns since the UNIX epoch; ``start`` tells columns apart.
    open, high, low, close : float
        Prices; NaN where nothing traded.
    bought, sold : float
        What takers bought and sold, in the unit of the market's trades.
    liquidated_long, liquidated_short : float
        What the engine reckons was liquidated in it, USD.
    realised_long, realised_short : float
        What the venue told of, USD; see `Liquidation.complete` for how much that is worth.
    price : float
        The last price, also of a window in which nothing traded.
    levels : tuple of (float, float, float)
        Distance in percent of the price, and the USD of the live levels of longs and of shorts within it, at the end of
        the window: of `liqcore.FeatureReader`'s reaches, and of those that rules of alerts ask for, rising.
    scale : tuple of (float, float)
        Live scale of longs and shorts that a fitted profile's USD of levels are multiplied by; what was liquidated is
        by the one that was known before the window.
    """

    market: Market
    start: int
    end: int
    open: float
    high: float
    low: float
    close: float
    bought: float
    sold: float
    liquidated_long: float
    liquidated_short: float
    realised_long: float
    realised_short: float
    price: float = math.nan
    levels: tuple[tuple[float, float, float], ...] = ()
    scale: tuple[float, float] = (1.0, 1.0)


class ZoneNews(Struct, frozen=True):
    """
    The price has come near the nearest zone of a side, or has reached it.

    Attributes
    ----------
    what : {"approached", "swept"}
    side : {"long", "short"}
        Whose liquidations.
    ts : int
        End of the window, ns.
    low, high, usd : float
        Of the zone as it was at the end of the window (approached), or before it (swept).
    price : float
        The last price.
    """

    market: Market
    what: Literal["approached", "swept"]
    side: Side
    ts: int
    low: float
    high: float
    usd: float
    price: float


Happened: TypeAlias = Column | ZoneNews | Liquidation | Change


KINDS: dict[type, str] = {Column: "column", ZoneNews: "zone", Liquidation: "liquidation", Change: "gap"}


class Sink(Protocol):
    """Takes what happens in a market, on the thread that feeds its engine; it must not keep that waiting."""

    def put(self, happened: Happened, number: int) -> None:
        """
        Take one thing, the `number`-th of its kind in its market.

        What happened after the last checkpoint comes again, with the same numbers, when a killed process starts again.
        """


@runtime_checkable
class Durable(Protocol):
    """A sink that writes to a disk: a checkpoint, behind which nothing is told again, waits for it."""

    def sync(self) -> None:
        """Return once what it has been told is on the disk."""


class Hooks:
    """Calls functions: a `Sink`. A function that raises stops the engine of its market."""

    def __init__(
        self,
        *,
        on_column: Callable[[Column], object] | None = None,
        on_zone: Callable[[ZoneNews], object] | None = None,
        on_liquidation: Callable[[Liquidation], object] | None = None,
        on_gap: Callable[[Change], object] | None = None,
    ) -> None:
        self._calls: dict[type, Callable[[Any], object] | None]
        self._calls = {Column: on_column, ZoneNews: on_zone, Liquidation: on_liquidation, Change: on_gap}

    def put(self, happened: Happened, number: int) -> None:
        """Call the function for it, if there is one."""
        del number
        call = self._calls[type(happened)]
        if call is not None:
            call(happened)


class QueueSink:
    """
    Keeps what happened for another thread.

    Parameters
    ----------
    most : int, default 10_000
        How much; whoever does not keep up loses the oldest, and `missed` counts it.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._queue: queue.Queue[Happened] = queue.Queue(most)
        self.missed = 0

    def put(self, happened: Happened, number: int) -> None:
        """Keep it."""
        del number
        while True:
            try:
                self._queue.put_nowait(happened)
                return
            except queue.Full:
                with suppress(queue.Empty):
                    self._queue.get_nowait()
                    self.missed += 1

    def get(self, timeout: float | None = None) -> Happened:
        """Return the oldest, on any thread; waits for it, raises queue.Empty after `timeout` seconds."""
        return self._queue.get(timeout=timeout)


class FileSink:
    """Writes a line of JSON for each thing into a file: what stands there is not written again after a restart."""

    def __init__(self, path: Path, *, files: Files) -> None:
        self._last: dict[tuple[str, str], int] = {}
        whole = size = 0
        with suppress(FileNotFoundError), files.read(path) as file:
            for line in file:
                size += len(line)
                if line.endswith(b"\n"):
                    whole = size
                    said = msgspec.json.decode(line)
                    self._last[said["market"], said["kind"]] = said["number"]
        if whole < size:  # a line that a killed process has not written to its end
            files.cut(path, whole)
        self._files = files
        self._file = files.append(path)

    def put(self, happened: Happened, number: int) -> None:
        """Write it."""
        market, kind = str(happened.market), KINDS[type(happened)]
        if number <= self._last.get((market, kind), 0):
            return
        self._last[market, kind] = number
        said = {**msgspec.structs.asdict(happened), "market": market, "kind": kind, "number": number}
        self._file.write(msgspec.json.encode(said) + b"\n")

    def sync(self) -> None:
        """Return once what was written is on the disk."""
        self._files.sync(self._file)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
