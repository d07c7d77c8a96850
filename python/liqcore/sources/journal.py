"""Trades from segments of a journal: read from frames by the same readers as live."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np

from .. import _core
from ..errors import DataError
from ..feeds.events import Frame, Trade
from ..feeds.frames import told_by
from ..feeds.segment import Segment
from ..market.catalogue import venues
from ..market.contracts import Quantities
from .report import FileReport, count_unreadable
from .trade_rows import Growing, Rows, several_symbols

_EARLIER = 60_000_000_000  # ns by which a pushed trade may be older than those pushed before it
_HEAD = 64  # chunks in which the first trade is looked for


class JournalTrades:
    """The trades in one segment, of the market that its head names: a `TradeFile`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.report = FileReport(str(path), path.name, "journal", path.stat().st_size)
        self.report.time_unit = "ns"
        self.left_out = False
        self._kinds: Counter[str] = Counter()
        self._symbols: dict[str, None] = {}
        self._venue = ""
        self.first_ts = 0
        market = ""
        for number, (frames, segment) in enumerate(self._chunks()):
            market = segment.market
            trades = [told for frame in frames for told in told_by(frame) if isinstance(told, Trade)]
            if not self._venue and frames:
                self._venue = frames[0].venue
            if trades:
                self._symbols = dict.fromkeys(trade.market.symbol for trade in trades)
                self.first_ts = min(trade.ts for trade in trades)
            if trades or number > _HEAD:
                break
        self.symbol_in_name = ":" in market
        if self.symbol_in_name:  # frames that tell of other markets, too, stand in the journals of each
            self._symbols = {market.partition(":")[2]: None}
        self.symbol_in_rows = len(self._symbols) > 1
        self.report.symbol = next(iter(self._symbols)) if len(self._symbols) == 1 else None
        self.market = f"journal/{self._venue}"
        self.numbering = f"journal:{self._venue}"

    def _chunks(self) -> Iterator[tuple[list[Frame], Segment]]:
        with self._path.open("rb") as file:
            segment = Segment(file, self._path.name)
            for _, frames in segment.chunks():
                yield frames, segment
            if segment.lost or not segment.finished:
                self._say(segment)

    def _say(self, segment: Segment) -> None:
        said = [str(lost).removeprefix(f"{self._path.name}: ") for lost in segment.lost if not lost.torn]
        self.report.warnings += [one for one in said if one not in self.report.warnings]
        if not segment.finished and not said:
            note = "not finished: it is being written, or its writer was killed"
            if note not in self.report.notes:
                self.report.notes.append(note)

    def least_ts(self) -> int:
        least = self.first_ts - _EARLIER
        for frames, _ in self._chunks():
            asked = [frame for frame in frames if frame.source.startswith("rest:trades")]  # of any time
            for frame in asked:
                least = min([least, *(told.ts for told in told_by(frame) if isinstance(told, Trade))])
        return least

    def symbols(self) -> list[str]:
        found = dict(self._symbols)
        if self.symbol_in_name:
            return list(found)
        for frames, _ in self._chunks():
            for frame in frames:
                found.update({told.market.symbol: None for told in told_by(frame) if isinstance(told, Trade)})
        return list(found)

    def pieces(self, limit: int | None = None) -> Generator[tuple[list[Frame], int], None, None]:
        del limit  # chunks are small
        for frames, segment in self._chunks():
            yield frames, segment.end

    def read(
        self,
        pieces: Iterator[tuple[list[Frame], int]],
        symbol: str | None,
        advance: Callable[[int], None],
        limit: int | None = None,
    ) -> Iterator[Rows]:
        report = self.report
        wanted = symbol if symbol is not None else report.symbol
        found, kinds, frames_read = Growing(), Counter[str](), 0
        for frames, position in pieces:
            trades: list[Trade] = []
            others = garbage = 0
            for frame in frames:
                for told in told_by(frame):
                    if not isinstance(told, Trade):
                        about = getattr(told, "about", "")
                        kinds[about or _WORDS.get(type(told).__name__, type(told).__name__.lower())] += 1
                        garbage += about == "garbage"
                    elif wanted is None or told.market.symbol == wanted:
                        trades.append(told)
                    else:
                        others += 1
            frames_read += len(frames)
            report.rows_read += len(trades) + others + garbage
            report.reject("other_symbol", others)
            count_unreadable(report, {"row": garbage})
            rows = _rows(trades)
            if len(rows):
                report.price_decimals = max(report.price_decimals, _core.finest_decimals(rows.price))
                report.qty_decimals = max(report.qty_decimals, _core.finest_decimals(rows.qty))
            found.add(rows)
            advance(position)
            if limit is not None and report.rows_read >= limit:
                break
        if symbol is None and not self.symbol_in_name and report.rejected.get("other_symbol"):
            raise DataError(several_symbols(report.name, self.symbols()))
        if wanted is not None:
            report.symbol = wanted
        if kinds:
            counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
            report.notes.append(f"{frames_read:,} frames; in them besides trades: {counts}")
        among = (self._venue,) if self._venue in venues() else ()
        report.quantities = Quantities(report.name, among)
        yield found.rows()


_WORDS = {"Mark": "mark prices", "OpenInterest": "open interest", "Funding": "funding rates",
          "Liquidation": "liquidations", "Candle": "candles", "Change": "changes of state"}  # fmt: skip


def _rows(trades: list[Trade]) -> Rows:
    ids = [trade.id if isinstance(trade.id, int) else _core.parse_id(trade.id) for trade in trades]
    return Rows(
        np.array([trade.ts for trade in trades], np.int64),
        np.array([trade.price for trade in trades], np.float64),
        np.array([trade.qty for trade in trades], np.float64),
        np.array([trade.taker_sell for trade in trades], np.bool_),
        np.array(ids, np.int64),
    )
