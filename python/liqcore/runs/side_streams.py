"""What goes with trades into one engine: mark prices, open interest, candles."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..config.config import Config
from ..errors import DataError
from ..market.prices import of_one_market
from ..sources.candles import Candles
from ..sources.report import ReadReport, summary_of
from ..sources.trade_rows import check_array_times
from ..tables.batch import is_table
from ..words.times import in_ns, iso

if TYPE_CHECKING:
    from .._core import Instrument

HOUR_NS = 3_600_000_000_000  # marks or candles that start later than this after the first trade are of another time
LONG_NS = 600_000_000_000  # samples are missing only where they do so for longer
NEAR_NS = 30 * 86_400_000_000_000  # within this a price stays within the twofold


class Beside(Protocol):
    """Which streams there are beside trades; None: there is no such."""

    @property
    def marks(self) -> Any: ...
    @property
    def open_interest(self) -> Any: ...
    @property
    def candles(self) -> Any: ...


class SideStreams:
    """
    Mark prices, open interest and candles of one run: read at once, then fed up to where the trades are.

    Parameters
    ----------
    config : Config
        Its ``source`` section names what is not given here.
    marks, open_interest, candles : path or paths, arrays or reader's object, optional

    Attributes
    ----------
    marks, open_interest : tuple of arrays or None
        Times and prices, times and quantities.
    candles : Candles or None

    Raises
    ------
    DataError
        If a file cannot be used.
    """

    def __init__(self, config: Config, marks: Any = None, open_interest: Any = None, candles: Any = None) -> None:
        from ..sources import read_candles, read_marks, read_open_interest, tables

        source, symbol = config.source, config.instrument.symbol

        def read_samples(paths: Any, symbol: str | None = None) -> Any:
            return read_open_interest(paths, symbol=symbol, sides=source.open_interest_sides)

        def load(given: Any, named: str | None, read: Callable[..., Any], read_table: Callable[..., Any]) -> Any:
            if is_table(given):
                return read_table(given)
            return _load(given if given is not None else named, read, symbol)

        given_marks = load(marks, source.marks, read_marks, tables.read_marks)
        samples = load(open_interest, source.open_interest, read_samples, tables.read_open_interest)
        self.marks = _columns(given_marks, "ts", "price")
        self.open_interest = _columns(samples, "ts", "quantity")
        self.candles = load(candles, source.candles, read_candles, tables.read_candles)
        self._given = {"marks": given_marks, "open interest": samples, "candles": self.candles}
        if self.candles is not None and not hasattr(self.candles, "ts_open"):
            raise TypeError(
                f"candles must be a path or paths, an Arrow table or Candles, was {type(self.candles).__name__}"
            )
        for name, stream in (("marks", self.marks), ("open interest", self.open_interest)):
            if stream is not None and not _has_files(self._given[name]):
                check_array_times(name, stream[0])
        if self.candles is not None and not _has_files(self.candles):
            check_array_times("candles", self.candles.ts_open)
        self._next = {"marks": 0, "open_interest": 0, "candles": 0}
        self.has_volumes = True  # what was traded is known, if not by whom
        self._said: list[str] = []

    def stand_for_trades(self, config: Config) -> None:
        """
        Let candles stand for trades, also without taker volumes where the model does not ask which side was taker.

        Raises
        ------
        DataError
            If the model needs more than the candles tell.
        """
        candles = self.candles
        if candles.buy_qty is not None or not len(candles.ts_open):
            return
        model = config.model.name or ("flow" if self.open_interest is None else "oi")
        if model in ("flow", "presence") or config.model.taker_tilt:
            needed = "taker_tilt" if model in ("oi", "blend") else f'the model "{model}"'
            raise DataError(
                f"candles: expected taker volumes, which tell {needed} what was opened, found none: give trades, "
                'candles of a venue that tells them, or open interest to the model "oi", which needs none'
            )
        volume = getattr(candles, "volume", None)
        self.has_volumes = volume is not None
        if volume is None:
            if model == "blend":
                raise DataError('candles: expected volumes, of which the model "blend" takes a part, found none')
            bought = sold = np.zeros(len(candles.ts_open))
            said = "candles tell no volumes: what open interest opens between two samples opens at the last close"
        else:  # the sum is exact, whatever the halves
            decimals = _core.finest_decimals(volume)
            bought = np.round(volume / 2, decimals)
            sold = np.round(volume - bought, decimals)
            said = "candles tell no taker volumes: half of each volume stands in as bought, half as sold"
        self._said.append(said)
        report = getattr(candles, "report", None) or ReadReport()
        opens, highs, lows, closes = (getattr(candles, name) for name in ("open", "high", "low", "close"))
        self.candles = Candles(
            candles.ts_open, opens, highs, lows, closes, bought, sold, candles.interval_ns, volume, report
        )

    def check(self, ts: int, price: float, *, has_trades: bool) -> None:
        """
        Refuse mark prices and candles of another time or another market than the first trade, or candle, is of.

        Raises
        ------
        DataError
            The message says what was expected and what was found.
        """
        if self.marks is not None:
            _check_span("marks", "mark prices", self.marks[0], self.marks[0], ts)
            _check_price("marks", "a mark price", self.marks[0], self.marks[1], ts, price)
        if self.candles is not None and has_trades:
            opens, length = self.candles.ts_open, self.candles.interval_ns
            _check_span("candles", "candles", opens, opens + (length - 1), ts)
            _check_price("candles", "prices", opens, self.candles.open, ts, price)

    def begin(self, ts: int) -> None:
        """Start at a time: what is before it would only add empty columns."""
        for name, times in self._times(by_open=True):
            self._next[name] = int(np.searchsorted(times, ts))

    def until(self, ts: int, *, more: bool) -> dict[str, Any]:
        """
        Return what acts up to a time and has not been returned yet, as arguments of `Engine.feed`.

        Parameters
        ----------
        ts : int
            The last trade's time, ns.
        more : bool
            Whether trades of that same time may follow: they come after marks, but before candles and open interest.
        """
        part: dict[str, Any] = {}
        for name, times in self._times():
            end = int(np.searchsorted(times, ts, "left" if more and name != "marks" else "right"))
            span = slice(self._next[name], end)
            self._next[name] = end
            if name == "candles":
                part |= {"candles": _prices(self.candles, span), "interval": self.candles.interval_ns}
            else:
                part[name] = tuple(column[span] for column in getattr(self, name))
        return part

    def with_candles(self, since: int = 0) -> dict[str, Any]:
        """
        Return everything within the span of the candles, for a run without trades, as arguments of `Engine.feed`.

        Parameters
        ----------
        since : int
            Only the candles that act from then on, ns.
        """
        columns = self.candle_columns(since)
        self.begin(int(columns[0][0]))
        return self.until(int(columns[0][-1]) + self.candles.interval_ns - 1, more=False) | {"candles": columns}

    def candle_columns(self, since: int = 0) -> tuple[Any, ...]:
        """Return the columns of the candles that act from a time on, as `Engine.feed` takes them."""
        candles = self.candles
        counts = slice(int(np.searchsorted(candles.ts_open, since - candles.interval_ns + 1)), None)
        names = ("ts_open", "open", "high", "low", "close", "buy_qty", "sell_qty")
        return tuple(column if (column := getattr(candles, name)) is None else column[counts] for name in names)

    def inputs(self) -> list[dict[str, Any]]:
        """Return what a result says of each file, or of arrays."""
        found = []
        for kind, given in self._given.items():
            if given is not None:
                times = given[0] if _is_pair(given) else getattr(given, "ts_open" if kind == "candles" else "ts")
                found += _inputs(kind, getattr(given, "report", None), len(times))
        return found

    def notes(
        self,
        instrument: Instrument,
        symbol: str | None,
        ts: int,
        price: float,
        *,
        start_ns: int,
        end_ns: int,
        traded: float,
    ) -> list[str]:
        """
        Say what looks as if it were of another time or market than the trades.

        Parameters
        ----------
        instrument : Instrument
            What the trades are of.
        symbol : str or None
            What the trades' files say.
        ts, price : int, float
            Of the first trade.
        start_ns, end_ns : int
            Start of the first window, time of the last event.
        traded : float
            What takers bought and sold in all, quantity.

        Raises
        ------
        DataError
            If no sample of open interest is of their time.
        """
        notes = list(self._said)
        if not self.has_volumes:
            traded = math.inf
        for kind, given in self._given.items():
            found = self.symbol_of(given)
            if found and symbol and not _same_market(found, symbol):
                notes.append(f"{kind}: the files say {found}, the trades {symbol}: is it the same market?")
        if self.marks is not None:
            notes += _coverage_notes("mark prices", self.marks[0], start_ns, end_ns)
        if self.open_interest is not None:
            notes += _coverage_notes("open interest", self.open_interest[0], start_ns, end_ns)
            notes += _open_interest_notes(self.open_interest, start_ns, end_ns, traded)
            samples = self._given["open interest"]
            notes += _price_notes(getattr(samples, "report", None), ts, price)
            contracts = instrument.contract == "inverse" or instrument.multiplier != 1
            if contracts and getattr(samples, "unit", "") == "base":
                notes.append(
                    "open interest is in base units, the trades' quantities in contracts of "
                    f"{instrument.multiplier:g} {'USD' if instrument.contract == 'inverse' else 'base units'}"
                )
        return notes

    def missing(self, needed: Mapping[str, bool], start_ns: int, end_ns: int) -> list[dict[str, Any]]:
        """
        Return stretches from which the samples that a model or trigger needs are missing.

        Each is ``what``, and ``begin`` and ``end``, ns, None where the data begins or ends without them: from ten
        minutes and three times the usual spacing of the samples on.
        """
        streams = {"open interest": self.open_interest, "marks": self.marks}
        out = []
        for what, stream in streams.items():
            if stream is not None and needed.get(what):
                out += [{"what": what, "begin": a, "end": b} for a, b in _holes(stream[0], start_ns, end_ns)]
        return out

    @staticmethod
    def symbol_of(given: Any) -> str | None:
        """Return the symbol that the files of a reader's result say; None: they say none, or it is from elsewhere."""
        symbol: str | None = getattr(getattr(given, "report", None), "symbol", None)
        return symbol

    def _times(self, *, by_open: bool = False) -> list[tuple[str, Any]]:
        """Return the times at which each stream acts, or, of candles, begins."""
        times: list[tuple[str, Any]] = []
        if self.marks is not None:
            times.append(("marks", self.marks[0]))
        if self.open_interest is not None:
            times.append(("open_interest", self.open_interest[0]))
        if self.candles is not None:
            times.append(("candles", self.candles.ts_open + (0 if by_open else self.candles.interval_ns - 1)))
        return times


def _load(given: Any, read: Callable[..., Any], symbol: str | None) -> Any:
    """Read what is given as paths. A symbol may be a mere title, so it chooses only where files hold several."""
    paths = isinstance(given, str | os.PathLike) or (
        isinstance(given, Sequence) and len(given) > 0 and all(isinstance(path, str | os.PathLike) for path in given)
    )
    if not paths:
        return given
    try:
        return read(given)
    except DataError:
        if symbol is None:
            raise
    return read(given, symbol=symbol)


def _has_files(given: Any) -> bool:
    """Whether it was read from files, which have been looked through, each by itself."""
    return bool(getattr(getattr(given, "report", None), "files", None))


def _is_pair(given: Any) -> bool:
    return isinstance(given, tuple | list)


def _columns(given: Any, *names: str) -> tuple[Any, ...] | None:
    if given is None:
        return None
    times, *rest = given if _is_pair(given) else (getattr(given, name) for name in names)
    return in_ns(times), *rest


def _prices(candles: Any, span: slice) -> tuple[Any, ...]:
    """Return candles without their volumes, which the trades open."""
    return (*(getattr(candles, name)[span] for name in ("ts_open", "open", "high", "low", "close")), None, None)


def _inputs(kind: str, report: Any, rows: int) -> list[dict[str, Any]]:
    if report is None or not report.files:
        return [{"kind": kind, "name": "memory", "format": "arrays", "rows": rows, "used": rows, "rejected": {},
                 "warnings": [], "notes": []}]  # fmt: skip
    return [{"kind": kind, **summary_of(file)} for file in report.files]


def _check_span(name: str, what: str, starts: Any, ends: Any, ts: int) -> None:
    if not len(starts) or not starts[0] <= ts + HOUR_NS or ends[-1] < ts:
        found = "none" if not len(starts) else f"{iso(int(starts[0]))} to {iso(int(starts[-1]))}"
        raise DataError(f"{name}: expected {what} from the first trade on ({iso(ts)}), found {found}")


def _check_price(name: str, what: str, times: Any, prices: Any, ts: int, price: float) -> None:
    first = float(prices[min(int(np.searchsorted(times, ts)), len(times) - 1)])
    if not of_one_market(price, first):
        raise DataError(f"{name}: expected {what} near the first trade's {price:g}, found {first:g}: another market?")


def _same_market(one: str, other: str) -> bool:
    """Whether two symbols may name one market: alike but for signs, or one the beginning of the other."""
    a, b = sorted(
        ("".join(c for c in name.upper() if c.isalnum()).replace("XBT", "BTC") for name in (one, other)), key=len
    )
    return a == b or (b.startswith(a) and not a.endswith("USD"))  # BTCUSD and BTCUSDT are two markets


def _coverage_notes(what: str, times: NDArray[np.int64], start_ns: int, end_ns: int) -> list[str]:
    """Say where samples begin late, end early, or have holes of an hour and ten times their usual spacing."""
    used = times[int(np.searchsorted(times, start_ns)) : int(np.searchsorted(times, end_ns, "right"))]
    if not len(used):
        return []
    notes = []
    if used[0] > start_ns + HOUR_NS or used[-1] < end_ns - HOUR_NS:
        covered, prices = (f"{iso(int(a))} to {iso(int(b))}" for a, b in ((used[0], used[-1]), (start_ns, end_ns)))
        notes.append(f"{what}: samples cover {covered} only, the prices {prices}")
    spacing = np.diff(used)
    holes = np.flatnonzero(spacing > max(HOUR_NS, 10 * float(np.median(spacing)))) if len(spacing) else spacing
    if len(holes):
        widest = int(holes[np.argmax(spacing[holes])])
        more = f", and {len(holes) - 1} more such holes" if len(holes) > 1 else ""
        notes.append(f"{what}: no sample from {iso(int(used[widest]))} to {iso(int(used[widest + 1]))}{more}")
    return notes


def _holes(times: NDArray[np.int64], start_ns: int, end_ns: int) -> list[tuple[int | None, int | None]]:
    """Return begin and end of stretches without samples; None: those of the data."""
    used = times[int(np.searchsorted(times, start_ns)) : int(np.searchsorted(times, end_ns, "right"))]
    if not len(used):
        return [(None, None)]
    spacing = np.diff(used)
    limit = max(LONG_NS, 3 * float(np.median(spacing)) if len(spacing) else 0.0)
    out: list[tuple[int | None, int | None]] = []
    if used[0] > start_ns + limit:
        out.append((None, int(used[0])))
    out += [(int(used[i]), int(used[i + 1])) for i in np.flatnonzero(spacing > limit).tolist()]
    if used[-1] < end_ns - limit:
        out.append((int(used[-1]), None))
    return out


def _open_interest_notes(samples: tuple[Any, ...], start_ns: int, end_ns: int, traded: float) -> list[str]:
    times, quantities = samples
    inside = slice(int(np.searchsorted(times, start_ns)), int(np.searchsorted(times, end_ns, "right")))
    used = times[inside]
    if not len(used):
        found = "none" if not len(times) else f"{iso(int(times[0]))} to {iso(int(times[-1]))}"
        raise DataError(
            f"open interest: expected samples between {iso(start_ns)} and {iso(end_ns)}, where the prices are, "
            f"found {found}"
        )
    notes = []
    moved = float(np.abs(np.diff(quantities[inside])).sum())
    if moved > traded:  # every contract that opens or closes is traded
        notes.append(
            f"open interest moved by {moved:g} in all, more than the {traded:g} traded: another market or unit, both "
            "sides counted, or trades missing?"
        )
    return notes


def _price_notes(report: Any, ts: int, price: float) -> list[str]:
    """Compare the price that an open-interest file implies with that of the trades, where it is near enough in time."""
    known = [
        (abs(file.first_ts - ts), file.first_price, file.name)
        for file in ([] if report is None else report.files)
        if file.first_price is not None and file.first_ts is not None
    ]
    distance, implied, name = min(known, default=(NEAR_NS, price, ""))
    if distance < NEAR_NS and not of_one_market(price, implied):
        return [
            f"{name}: a price of {implied:g} goes with its open interest, {price:g} with the trades: another market?"
        ]
    return []
