"""Recordings played as if they came in now: trade files and journals, to the same frames that feeds hand on."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

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
Grid: TypeAlias = tuple[float, float]
_TOGETHER = 256  # frames after which others have their turn


@dataclass(frozen=True, slots=True)
class Recording:
    """
    What is to be played.

    Attributes
    ----------
    markets : list of Market
    begin, end : int
        When the first and the last frame were received, ns; an end of 0 is not known.
    quantities : Quantities or None
        What the files say of the unit of quantities.
    trades_alone : bool
        Whether nothing but trades is in it: no open interest, no mark prices.
    """

    markets: list[Market]
    begin: int
    quantities: Quantities | None
    _frames: Callable[[Market], Iterator[Frame]]
    _grid: Callable[[Market], Grid | None] = lambda _: None
    end: int = 0
    trades_alone: bool = False

    def frames(self, market: Market | None = None) -> Iterator[Frame]:
        """Yield the frames of a market, by default of the first, in the order in which they came."""
        return self._frames(self.markets[0] if market is None else market)

    def grid(self, market: Market | None = None) -> Grid | None:
        """
        Return the tick and lot size that all trades of a market fit, by default of the first; None: it has no trades.

        It is the grid that `liqcore.heatmap` of the same files finds. All of them are read for it.
        """
        return self._grid(self.markets[0] if market is None else market)


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


def histories(patterns: Sequence[PathLike], markets: Sequence[Market]) -> dict[Market, Recording]:
    """
    Open what is known of markets from before they are followed: trade files of each, or journals.

    Parameters
    ----------
    patterns : sequence of path or pattern
        Each of one market's trade files, or of journals.
    markets : sequence of Market

    Raises
    ------
    DataError
        If a file cannot be read, or is of none of the markets.
    """
    found: dict[Market, list[Path]] = {}
    made: dict[Market, Recording] = {}
    among = ", ".join(map(str, markets))
    for pattern in patterns:
        files = find_files([pattern])
        if all(map(is_mcap, files)):
            recorded = recording(files)
            of = [market for market in recorded.markets if market in markets]
            made |= dict.fromkeys(of, recorded)
            said = ", ".join(map(str, recorded.markets))
        else:
            report = scan(list(files))
            quantities = next((file.quantities for file in report.files if file.quantities is not None), None)
            venues_of = () if quantities is None else quantities.venues
            of = [
                market
                for market in markets
                if report.symbol in (None, market.symbol) and (not venues_of or market.venue in venues_of)
            ]
            said = f"{report.symbol or 'no symbol'} of {' or '.join(venues_of) or 'an unknown venue'}"
            if len(of) == 1:
                found.setdefault(of[0], []).extend(files)
        if not of or (len(of) > 1 and of[0] not in made):
            raise DataError(f"{pattern}: expected trades of one of {among}, found {said}")
    return made | {market: _trade_files(files, None, market) for market, files in found.items()}


def _journals(paths: Sequence[Path]) -> Recording:
    chains: dict[str, list[tuple[int, Path]]] = {}
    for path in paths:
        with path.open("rb") as file:
            segment = Segment(file, path.name)
        if ":" not in segment.market:
            raise DataError(f"{path.name}: expected a journal that says its market, found it damaged or empty")
        chains.setdefault(segment.market, []).append((segment.first, path))
    of_market = {Market(*name.split(":", 1)): sorted(chain) for name, chain in chains.items()}
    firsts = [frame.received for chain in of_market.values() if (frame := next(_chain(chain), None)) is not None]
    return Recording(
        list(of_market),
        min(firsts, default=0),
        None,
        lambda market: _chain(of_market[market]),
        lambda market: _grid_of([path for _, path in of_market[market]]),
        max((last.received for chain in of_market.values() if (last := _last_of(chain)) is not None), default=0),
    )


def _last_of(segments: Sequence[tuple[int, Path]]) -> Frame | None:
    """Return the last frame of segments."""
    for _, path in reversed(segments):
        frames = deque(_chain([(0, path)]), maxlen=1)
        if frames:
            return frames[0]
    return None


def _chain(segments: Sequence[tuple[int, Path]]) -> Iterator[Frame]:
    for _, path in segments:
        with path.open("rb") as file:
            for _, frames in Segment(file, path.name).chunks():
                yield from frames


def _grid_of(paths: Sequence[Path], symbol: str | None = None) -> Grid | None:
    with read_trades(list(paths), symbol=symbol) as reader:
        for _ in reader:
            pass
    report = reader.report
    return (report.tick_size, report.lot_size) if report.rows_used else None


def _trade_files(paths: Sequence[Path], symbol: str | None, of_feed: Market | None = None) -> Recording:
    """Open trade files; of a market that a feed goes on with their rows have no numbers, as the feed has its own."""
    report = scan(list(paths), symbol=symbol)
    quantities = next((file.quantities for file in report.files if file.quantities is not None), None)
    name = report.symbol or symbol or "trades"
    known = venues()
    among = [known[venue] for venue in (() if quantities is None else quantities.venues)]
    venue = next((venue for venue in among if venue.listed(name) is not None), None)
    market = of_feed or Market("recorded" if venue is None else venue.name, name)

    def frames(of: Market) -> Iterator[Frame]:
        rows: list[tuple[int, float, float, bool, int | str]] = []
        number = 0
        with read_trades(list(paths), symbol=symbol) as reader:
            for batch in reader:
                columns = (batch.ts, batch.price, batch.qty, batch.taker_sell)
                for ts, price, qty, sell in zip(*(column.tolist() for column in columns), strict=True):
                    if rows and ts // FRAME_NS != rows[0][0] // FRAME_NS:
                        yield replayed(of, rows[-1][0], rows)
                        rows = []
                    rows.append((ts, price, qty, sell, number if of_feed is None else f"#{number}"))
                    number += 1
        if rows:
            yield replayed(of, rows[-1][0], rows)

    begin, end = report.first_ts or 0, report.last_ts or 0
    return Recording([market], begin, quantities, frames, lambda _: _grid_of(paths, symbol), end, trades_alone=True)


def check_speed(speed: float) -> None:
    """Refuse a speed below 0."""
    if not speed >= 0:
        raise InvalidConfigError(f"speed must be at least 0, was {speed:g}")


async def play(
    frames: Iterator[Frame],
    sink: Callable[[Frame], Awaitable[None]],
    *,
    clock: Clock,
    speed: float = 1.0,
    begin: int = 0,
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
    begin : int, optional
        Which time of receipt, ns, is now; by default that of the first.

    Returns
    -------
    int
        How many there were.

    Raises
    ------
    InvalidConfigError
        If the speed is below 0.
    """
    check_speed(speed)
    begun, first, count = clock.elapsed(), begin, 0
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
