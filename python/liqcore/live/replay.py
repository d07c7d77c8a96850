"""Recordings played as if they came in now: trade files and journals, to the same frames that feeds hand on."""

import heapq
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, InvalidConfigError
from ..feeds.events import Frame, Market
from ..feeds.frames import replayed
from ..feeds.segment import Segment
from ..market.catalogue import venues
from ..market.contracts import Quantities
from ..sources import read_trades, scan
from ..sources.text import PathLike, find_files, is_mcap
from .outside import Clock

FRAME_NS = 100_000_000
"""Trades of a file that fall into one such stretch of time come in one frame."""
_TOGETHER = 256  # frames after which others have their turn


@dataclass(frozen=True, slots=True)
class Recording:
    """
    What is to be played.

    Attributes
    ----------
    markets : list of Market
    frames : callable
        Returns an iterator of all frames from the beginning, in the order in which they were received.
    grid : (float, float) or None
        Tick and lot size that the trades of files show.
    quantities : Quantities or None
        What the files say of the unit of quantities.
    """

    markets: list[Market]
    frames: Callable[[], Iterator[Frame]]
    grid: tuple[float, float] | None = None
    quantities: Quantities | None = None


def recording(paths: Sequence[PathLike], *, symbol: str | None = None) -> Recording:
    """
    Open recorded trade files of one market, or journals of any number.

    Parameters
    ----------
    paths : sequence of path or pattern
    symbol : str, optional
        Chooses from trade files that hold several.

    Raises
    ------
    DataError
        If a file cannot be read, or journals and other files are mixed.
    """
    files = find_files(list(paths))
    journals = [path for path in files if is_mcap(path)]
    if journals and len(journals) < len(files):
        other = next(path for path in files if path not in journals)
        raise DataError(f"{other.name}: expected journals alone, or trade files alone, found both")
    return _journals(journals) if journals else _trade_files(files, symbol)


def _journals(paths: Sequence[Path]) -> Recording:
    chains: dict[str, list[tuple[int, Path]]] = {}
    for path in paths:
        with path.open("rb") as file:
            segment = Segment(file, path.name)
            chains.setdefault(segment.market, []).append((segment.first, path))
    markets = [Market(*name.split(":", 1)) for name in chains if ":" in name]
    if len(markets) < len(chains):
        raise DataError(f"{chains[''][0][1].name}: expected a journal that says its market, found it damaged")

    def frames() -> Iterator[Frame]:
        return heapq.merge(*(_chain(sorted(chain)) for chain in chains.values()), key=lambda frame: frame.received)

    return Recording(markets, frames)


def _chain(segments: Sequence[tuple[int, Path]]) -> Iterator[Frame]:
    for _, path in segments:
        with path.open("rb") as file:
            for _, frames in Segment(file, path.name).chunks():
                yield from frames


def _trade_files(paths: Sequence[Path], symbol: str | None) -> Recording:
    report = scan(list(paths), symbol=symbol)
    quantities = next((file.quantities for file in report.files if file.quantities is not None), None)
    name = report.symbol or symbol or "trades"
    known = venues()
    among = [known[venue] for venue in (() if quantities is None else quantities.venues)]
    venue = next((venue for venue in among if venue.listed(name) is not None), None)
    market = Market("recorded" if venue is None else venue.name, name)

    def frames() -> Iterator[Frame]:
        rows: list[tuple[int, float, float, bool, int | str]] = []
        number = 0
        with read_trades(list(paths), symbol=symbol) as reader:
            for batch in reader:
                columns = (batch.ts, batch.price, batch.qty, batch.taker_sell)
                for ts, price, qty, sell in zip(*(column.tolist() for column in columns), strict=True):
                    if rows and ts // FRAME_NS != rows[0][0] // FRAME_NS:
                        yield replayed(market, rows[-1][0], rows)
                        rows = []
                    rows.append((ts, price, qty, sell, number))
                    number += 1
        if rows:
            yield replayed(market, rows[-1][0], rows)

    return Recording([market], frames, (report.tick_size, report.lot_size), quantities)


async def play(
    frames: Iterator[Frame], sink: Callable[[Frame], Awaitable[None]], *, clock: Clock, speed: float = 1.0
) -> int:
    """
    Hand on frames at the pace at which they were received.

    Parameters
    ----------
    frames : iterator of Frame
    sink : async callable
    clock : Clock
    speed : float, default 1
        How much faster; 0: as fast as they are taken.

    Returns
    -------
    int
        How many there were.

    Raises
    ------
    InvalidConfigError
        If the speed is below 0.
    """
    if not speed >= 0:
        raise InvalidConfigError(f"speed must be at least 0, was {speed:g}")
    begun, first, count = clock.elapsed(), 0, 0
    for frame in frames:
        first = first or frame.received
        early = (frame.received - first) / speed - (clock.elapsed() - begun) if speed else 0
        if early > 0:
            await clock.sleep(round(early))
        elif count % _TOGETHER == 0:
            await clock.sleep(0)
        await sink(frame)
        count += 1
    return count
