"""
Tables of other libraries, read through Arrow's PyCapsule interface: no Arrow library is imported.

Taken is whatever has ``__arrow_c_stream__`` or ``__arrow_c_array__``: tables, record batches and readers of pyarrow,
data frames of polars and pandas, relations of duckdb. Frames of pandas without pyarrow are read column by column.
docs/how-to/arrow.md says what is read in place and what is converted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core
from .._core import Stats
from ..errors import DataError, LiqcoreError
from ..tables.arrow import export_table
from ..tables.batch import TradeBatch, is_frame
from ..tables.column import Column
from ..tables.frames import frame_columns
from .candle_volumes import VolumeError, find_volumes
from .candles import OPEN_TIME, PRICES, Candles
from .fills import WORDS, Roles, known_users, roles_in, sort_out, users_of
from .layout import are_names
from .meaning import SYMBOL, VENUE, TradeColumns, column_names, find, listed, quantity_like, recognise, settle
from .open_interest import QUANTITY
from .parquet import UNIT_NS, to_float, to_time, unit_of
from .report import FileReport
from .series import PRICE, TIME, spacing
from .trade_rows import Rows, join_rows, refuse_scaled

Numbers = NDArray[np.float64]
Times = NDArray[np.int64]

_ANOTHER = "\0"  # stands for a word that says nothing here
_TYPES = {"b": "bool", "e": "float16", "u": "text", "U": "text", "vu": "text", "z": "bytes", "Z": "bytes",
          "vz": "bytes", "n": "null"}  # fmt: skip
_KINDS = {"d:": "decimal", "td": "date", "tt": "time of day", "tD": "duration", "ti": "interval", "ts": "timestamp",
          "+s": "struct", "+l": "list", "+L": "list", "+w": "list", "+v": "list", "+r": "run-end encoded"}  # fmt: skip


class _Table:
    """A table being read, batch by batch; `what` stands at the head of its errors."""

    def __init__(self, given: Any, what: str) -> None:
        self.what = what
        with self._named():
            self._missing: list[int] = []  # of each column, where the stream does not tell
            if (stream := _stream_of(given)) is not None:
                self._reader = _core.ArrowReader.of_stream(stream)
            elif is_frame(given):  # without pyarrow pandas hands out no Arrow data
                columns, self._missing = frame_columns(given)
                self._reader = _core.ArrowReader.of_stream(export_table(columns))
            else:
                self._reader = _core.ArrowReader.of_array(*given.__arrow_c_array__())
        self._fields = self._reader.fields
        self.names = column_names([name for name, _, _ in self._fields])
        if len(twice := {name for name in self.names if self.names.count(name) > 1}):
            raise self.error(f"expected columns of different names, found two of {', '.join(sorted(twice))}")
        self._unit: str | None = None
        self._seen: dict[str, list[str]] = {}  # symbols and venues so far

    def error(self, text: str) -> DataError:
        return DataError(f"{self.what}: {text}")

    def find(self, wanted: Mapping[str, Sequence[str]]) -> list[int]:
        """Where the columns are that go by one of the names each."""
        places = [find(self.names, names) for names in wanted.values()]
        lacking = [
            f"{what} ({' or '.join(names[:3])})"
            for (what, names), at in zip(wanted.items(), places, strict=True)
            if at < 0
        ]
        if lacking:
            raise self.error(f"expected a column for {', '.join(lacking)}, found {listed(self.names) or 'no columns'}")
        return places

    def batches(self, columns: Sequence[int]) -> Iterator[_core.ArrowBatch]:
        """Yield the batches that have rows, none of them with a null in the columns."""
        while True:
            with self._named():
                batch = self._reader.next()
            if batch is None:
                return
            if not len(batch):
                continue
            if count := batch.null_rows():
                raise self.error(f"expected no null, found {count:,} rows that are")
            self.refuse_nulls(batch, columns)
            self._refuse_several(batch, columns)
            yield batch

    def _refuse_several(self, batch: _core.ArrowBatch, taken: Sequence[int]) -> None:
        """Refuse rows of several markets or venues, by the columns that name them."""
        for what, names in (("symbol", SYMBOL), ("venue", VENUE)):
            for at in (find(self.names, (name,)) for name in names):
                if at < 0 or at in taken or not self._holds_text(at) or batch.nulls(at):
                    continue
                words = [word for word in batch.distinct(at, 3) or [] if word]
                if not are_names(words):
                    continue
                seen = self._seen[what] = list(dict.fromkeys([*self._seen.get(what, []), *words]))
                if len(seen) > 1:
                    raise self.error(f"expected rows of one {what}, found {listed(seen, 3)}: choose the rows of one")
                break

    def _holds_text(self, at: int) -> bool:
        _, format, words = self._fields[at]
        return (words or format) in ("u", "U", "vu")

    def refuse_nulls(self, batch: _core.ArrowBatch, columns: Sequence[int]) -> None:
        """Refuse a batch with a null in one of the columns."""
        for at in columns:
            with self._named():
                count = self._missing[at] if self._missing else batch.nulls(at)
            if count:
                raise self.error(f"expected no null in {self.names[at]}, found {count:,} in {len(batch):,} rows")

    def times(self, batch: _core.ArrowBatch, at: int) -> Times:
        """Nanoseconds since the UNIX epoch: a view, where they are such."""
        values = self._values(batch, at, "a timestamp or a number since the UNIX epoch")
        format = self._fields[at][1]
        if format.startswith("tsn"):
            return values
        low, high = values.min().item(), values.max().item()
        unit: str | None
        if format.startswith("ts"):
            unit = {"s": "s", "m": "ms", "u": "us"}[format[2]]
            if abs(low) > (most := np.iinfo(np.int64).max // UNIT_NS[unit]) or high > most:
                raise self.error(f"expected times from 1677 to 2262 in {self.names[at]}, found {low} to {high} {unit}")
        elif values.dtype.kind == "f":
            ts, readable, units = to_time(Column(values))
            unit = next(iter(units), None) if len(units) == 1 and readable.all() else None
        else:
            unit = unit_of(low, high)
        if unit is None or self._unit not in (None, unit):
            before = f", after times in {self._unit}" if self._unit else ""
            raise self.error(
                f"expected times in {self.names[at]} since 1973 of one unit (s, ms, us or ns, told by magnitude), "
                f"found {low} to {high}{before}"
            )
        self._unit = unit
        if values.dtype.kind == "f":
            return ts
        whole = values.astype(np.int64, copy=False)
        return whole if unit == "ns" else whole * UNIT_NS[unit]

    def numbers(self, batch: _core.ArrowBatch, at: int) -> Numbers:
        """Doubles: a view, where they are such."""
        if self._fields[at][1].startswith("ts"):
            raise self.error(f"expected numbers in {self.names[at]}, found timestamp")
        return to_float(Column(self._values(batch, at, "numbers")))

    def numbers_or_nothing(self, batch: _core.ArrowBatch, at: int) -> Numbers:
        """Doubles, NaN where a column holds something else or nulls."""
        try:
            return self.numbers(batch, at) if not batch.nulls(at) else np.full(len(batch), np.nan)
        except DataError:
            return np.full(len(batch), np.nan)

    def sides(self, batch: _core.ArrowBatch, at: int, true_is_sell: bool) -> NDArray[np.bool_]:
        """Whether each trade is a sell: a view, where bytes of 0 and 1 say it."""
        if true_is_sell and self._fields[at][1] in "cC" and not self._fields[at][2]:
            values: Any = batch.values(at)
            if values.view(np.uint8).max() <= 1:
                out: NDArray[np.bool_] = values.view(np.bool_)
                return out
        with self._named():
            found = batch.sides(at, true_is_sell)
        if found is None:
            raise self.error(
                f"expected sides (bool, 0 and 1, or buy and sell) in {self.names[at]}, found {self._type(at)}"
            )
        sells, unknown, example = found
        if unknown:
            raise self.error(
                f"expected buy or sell in {self.names[at]}, found {unknown:,} other rows, such as {example!r}"
            )
        return sells

    def whole_or_nothing(self, batch: _core.ArrowBatch, at: int) -> NDArray[np.int64] | None:
        """Whole numbers; None where a column holds something else or nulls."""
        values = None if batch.nulls(at) else batch.values(at)
        return values.astype(np.int64) if values is not None and values.dtype.kind in "iu" else None

    def users(self, batch: _core.ArrowBatch, roles: Roles) -> NDArray[np.int8]:
        """What the users of fills were, as `fills.users_of` tells."""
        words = {}
        for at in roles.columns:
            if count := batch.nulls(at):
                if at != roles.role or roles.said:
                    raise self.error(f"expected no null in {self.names[at]}, found {count:,} in {len(batch):,} rows")
                words[at] = np.full(len(batch), WORDS.index(""), np.int8)
                continue
            found = batch.words(at, WORDS)
            words[at] = np.full(len(batch), -1, np.int8) if found is None else found
        return users_of(roles, len(batch), words)

    def _values(self, batch: _core.ArrowBatch, at: int, wanted: str) -> NDArray[Any]:
        with self._named():
            values = batch.values(at)
        if values is None:
            raise self.error(f"expected {wanted} in {self.names[at]}, found {self._type(at)}: cast it")
        return values if values.flags.aligned else values.copy()

    def _type(self, at: int) -> str:
        _, format, words = self._fields[at]
        if words:
            return f"a dictionary of {_TYPES.get(words) or _KINDS.get(words[:2], 'numbers')}"
        return _TYPES.get(format) or _KINDS.get(format[:2]) or "numbers"

    def _named(self) -> _Named:
        return _Named(self.what)


def _stream_of(given: Any) -> Any:
    """What hands out Arrow data as a stream; None where it does not, such as a frame of pandas without pyarrow."""
    if not hasattr(given, "__arrow_c_stream__"):
        return None
    try:
        return given.__arrow_c_stream__()
    except ImportError:
        if is_frame(given):
            return None
        raise


class _Named:
    """Puts what is read at the head of the reader's errors."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, DataError):
            raise DataError(f"{self._what}: {error}") from error


def trade_batches(given: Any) -> Iterator[TradeBatch]:
    """
    Yield the trades of a stream, one batch for each of its own, as the stream produces them.

    Raises
    ------
    DataError
        If a column is missing, of another type, or holds nulls; if times mix units; if the stream fails.
    """
    table = _Table(given, "trades")
    places, missing = recognise(table.names)
    if missing:
        raise table.error(f"expected a column for {', '.join(missing)}, found {listed(table.names) or 'no columns'}")
    settled = False
    roles: Roles | None = None
    filled: list[Rows] = []
    for batch in table.batches([places.time, places.price, places.quantity, places.side]):
        if not settled:
            places, settled = _settled(table, batch, places), True
            taken = [places.time, places.price, places.quantity, places.side, places.id, places.symbol]
            roles = roles_in(table.names, _Words(table, batch), taken, table.error)
        columns = (
            table.times(batch, places.time),
            table.numbers(batch, places.price),
            table.numbers(batch, places.quantity),
            table.sides(batch, places.side, places.true_is_sell),
        )
        refuse_scaled("trades", columns[1][:1000], None)
        if roles is None:
            yield TradeBatch(*columns)
        else:
            ids = table.whole_or_nothing(batch, places.id) if places.id >= 0 else None
            filled.append(Rows(*columns, ids, users=table.users(batch, roles)))
    if roles is not None and filled:  # a trade's two rows may lie in two batches
        yield _of_fills(join_rows(filled), roles)


def _of_fills(rows: Rows, roles: Roles) -> TradeBatch:
    """Bring fills of users to trades; what was guessed is warned of."""
    report = FileReport("trades", "trades", "arrow", 0)
    rows = sort_out(known_users(rows, report), report, roles.name)
    if unknown := report.rejected.get("unknown_side", 0):
        raise DataError(f"trades: expected taker or maker in {roles.name}, found {unknown:,} rows that are neither")
    for warning in report.warnings:
        warnings.warn(f"trades: {warning}", stacklevel=2)
    return TradeBatch(rows.ts, rows.price, rows.qty, rows.taker_sell)


class _Words:
    """Gives the first values of a column as text, in so far as it tells fills from trades."""

    def __init__(self, table: _Table, batch: _core.ArrowBatch) -> None:
        self._table, self._batch = table, batch

    def __call__(self, at: int) -> list[str]:
        nulls = self._batch.nulls(at)
        if nulls:
            return [""] if nulls == len(self._batch) else ["", *WORDS[:1]]
        found = self._batch.words(at, WORDS)
        if found is None:
            return [str(value) for value in self._table.numbers_or_nothing(self._batch, at)[:1000]]
        return [WORDS[number] if number >= 0 else _ANOTHER for number in np.unique(found[:1000])]


def _settled(table: _Table, batch: _core.ArrowBatch, places: TradeColumns) -> TradeColumns:
    """Look at numbers, where names leave a choice: what is another column times the price is no quantity."""
    like = quantity_like(table.names)
    if len(like) < 2:
        return places
    places, notes = settle(table.names, places, lambda at: table.numbers_or_nothing(batch, at), like)
    for note in notes:
        warnings.warn(f"trades: {note}", stacklevel=2)
    return places


def read_trades(given: Any) -> TradeBatch:
    """Read a whole stream of trades: views if it is one batch, otherwise copies put together."""
    batches = [(part.ts, part.price, part.qty, part.taker_sell) for part in trade_batches(given)]
    empty = (np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.bool_))
    return TradeBatch(*_joined(batches, empty))


def feed_trades(feed: Callable[..., Stats], given: Any) -> Stats:
    """
    Feed a stream batch by batch to ``feed(ts, price, qty, taker_sell)``, and add up what it returns.

    Raises
    ------
    DataError, InvalidConfigError
        As `trade_batches` and the engine raise them; the message says how many rows had been fed by then.
    """
    total = feed(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.bool_))
    try:
        for part in trade_batches(given):
            total = total + feed(part.ts, part.price, part.qty, part.taker_sell)
    except LiqcoreError as error:
        if not total.rows:
            raise
        raise type(error)(f"{error}; {total.rows:,} rows of the stream had been fed before") from error
    return total


def read_marks(given: Any) -> tuple[Times, Numbers]:
    """Read times and prices."""
    return _samples(given, "marks", "mark price", (*PRICE, "price"))


def read_open_interest(given: Any) -> tuple[Times, Numbers]:
    """Read times and quantities."""
    return _samples(given, "open_interest", "quantity", (*QUANTITY, "quantity"))


def read_candles(given: Any, interval_ns: int | None = None) -> Candles:
    """
    Read candles; their length is the usual distance of two, of which all others are multiples, unless it is given.

    Raises
    ------
    DataError
        Also if nothing tells the length.
    """
    table = _Table(given, "candles")
    time, *prices = table.find({"opening time": (*OPEN_TIME, *TIME), **PRICES})
    batches = list(table.batches([time, *prices]))
    volume, bought, sold = _volumes(table, batches, prices[2], prices[1])
    if bought < 0 or (sold < 0 and volume < 0):
        bought = sold = -1
    rest = sold if sold >= 0 else volume
    places = [*prices, *([bought, rest] if bought >= 0 else [volume] if volume >= 0 else [])]
    parts = [(table.times(batch, time), *(table.numbers(batch, at) for at in places)) for batch in batches]
    ts, *values = _joined(parts, (np.empty(0, np.int64), *(np.empty(0) for _ in places)))
    if interval_ns is None:
        interval_ns = spacing(table, ts)
        if len(ts) and not interval_ns:
            raise table.error("one candle does not tell its length: give interval=")
    buys = sells = None
    traded = values[4] if bought < 0 <= volume else None
    if bought >= 0:
        buys, sells = values[4], values[5]
        if sold < 0:  # of two decimals, rounded to the decimals that both have
            sells = np.round(sells - buys, _core.finest_decimals(np.concatenate([sells, buys])))
    return Candles(ts, values[0], values[1], values[2], values[3], buys, sells, interval_ns, traded)


def _volumes(table: _Table, batches: Sequence[_core.ArrowBatch], low: int, high: int) -> tuple[int, int, int]:
    """Find the volume, and what takers bought and sold; -1: there is none."""

    def number(at: int) -> Numbers:
        return table.numbers_or_nothing(batches[0], at)[:1000] if batches else np.empty(0)

    try:
        found, notes = find_volumes(table.names, low, high, number)
    except VolumeError as error:
        raise table.error(str(error)) from None
    for note in notes:
        warnings.warn(f"candles: {note}", stacklevel=2)
    return found


def _samples(given: Any, what: str, value: str, names: Sequence[str]) -> tuple[Times, Numbers]:
    table = _Table(given, what)
    time, number = table.find({"time": TIME, value: names})
    parts = [(table.times(batch, time), table.numbers(batch, number)) for batch in table.batches([time, number])]
    ts, values = _joined(parts, (np.empty(0, np.int64), np.empty(0)))
    return ts, values


def _joined(parts: Sequence[tuple[NDArray[Any], ...]], empty: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
    if not parts:
        return empty
    return parts[0] if len(parts) == 1 else tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))
