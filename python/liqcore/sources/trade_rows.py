"""What text and Parquet files of trades have in common: rows, and the rules by which a file is refused."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..words.times import UNITS_NS, iso
from .layout import looks_like_candles
from .meaning import is_scaled, listed, money_columns

TIME_FORMS = ("s", "ms", "us", "ns", "text")
_NO_TIME_NS = 2**62  # 2116: no event is later, for the core
_LATEST_NS = 4_102_444_800_000_000_000  # 2100
_YEAR_NS = 366 * UNITS_NS["d"]
_FEW = 10  # rows of which none can be said to stand apart


@dataclass(slots=True)
class Rows:
    """
    Readable trades in file order.

    ``ids``: numbers >= 0, hashes < 0 or ``NO_ID``; None: no id column. ``in_order``: known to be sorted, so that nobody
    has to look again. ``users``: of fills, what their users were (`fills.users_of`); None: the side is the taker's.
    """

    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    qty: NDArray[np.float64]
    taker_sell: NDArray[np.bool_]
    ids: NDArray[np.int64] | None = None
    in_order: bool = False
    users: NDArray[np.int8] | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Rows":
        """Select rows by mask or position, into new arrays."""
        ids = None if self.ids is None else self.ids[which]
        users = None if self.users is None else self.users[which]
        return Rows(self.ts[which], self.price[which], self.qty[which], self.taker_sell[which], ids, users=users)

    def part(self, begin: int, end: int) -> "Rows":
        """Return some rows in a row, without copying them."""
        which = slice(begin, end)
        ids = None if self.ids is None else self.ids[which]
        users = None if self.users is None else self.users[which]
        return Rows(
            self.ts[which], self.price[which], self.qty[which], self.taker_sell[which], ids, self.in_order, users
        )


def check_units(name: str, units: dict[str, int]) -> None:
    """Refuse a file that mixes time units."""
    if len(units) > 1:
        counts = ", ".join(f"{count:,} rows in {unit}" for unit, count in units.items())
        raise DataError(f"{name}: expected one time unit in a file, found {counts}")


def check_times(name: str, ts: NDArray[np.int64], where: Callable[[int], str], *, in_order: bool = False) -> None:
    """
    Refuse a time that nobody can have recorded: after 2100, or a few more than a year away from all others.

    `where` tells where in the file a time stands.
    """
    if not len(ts):
        return
    low, high = (int(ts[0]), int(ts[-1])) if in_order else (int(ts.min()), int(ts.max()))
    if high >= _LATEST_NS:
        raise DataError(f"{name}: expected times before 2100, found {iso(high)} {where(high)}")
    if high - low < 2 * _YEAR_NS or len(ts) < _FEW:
        return
    ordered = np.sort(ts)
    steps = np.diff(ordered)
    at = int(np.argmax(steps))
    before, after = at + 1, len(ts) - at - 1
    few, rest = (after, ordered[at] - ordered[0]) if after < before else (before, ordered[-1] - ordered[at + 1])
    if min(before, after) > max(1, len(ts) // 100) or steps[at] < max(_YEAR_NS, 10 * int(rest)):
        return
    odd = int(ordered[-1] if after < before else ordered[0])
    others = (
        f"{iso(int(ordered[0 if after < before else at + 1]))} to {iso(int(ordered[at if after < before else -1]))}"
    )
    raise DataError(
        f"{name}: expected times that belong together, found {iso(odd)} {where(odd)} while all but {few} are from "
        f"{others}: mend or remove that row"
    )


def check_array_times(name: str, ts: NDArray[np.int64]) -> None:
    """
    Refuse such a time in an array, by its row.

    What is no array of times is refused by whoever feeds it; what is no time (below 0, after 2116) is counted there.
    """
    if isinstance(ts, np.ndarray) and ts.dtype == np.int64 and ts.ndim == 1:
        has_others = len(ts) and (ts.min() < 0 or ts.max() > _NO_TIME_NS)
        times = ts[(ts >= 0) & (ts <= _NO_TIME_NS)] if has_others else ts
        check_times(name, times, lambda odd: f"in row {int(np.argmax(ts == odd))}")


def refuse_scaled(name: str, prices: NDArray[np.float64], symbol: str | None) -> None:
    """Refuse prices that seem to be whole numbers of a small unit."""
    if is_scaled(prices, symbol):
        help = "" if symbol else ", or name the market (a column symbol) if prices are that large in its quote currency"
        raise DataError(
            f"{name}: expected prices in quote currency, found such as {prices[0]:.0f}, which seem to count a small "
            f"unit (1e-9 or so): write them as decimals{help}"
        )


def no_trade_file(name: str, names: Sequence[str], missing: Sequence[str]) -> str:
    """Say why a table is no trade file."""
    hint = "; this looks like candles: read_candles reads those" if looks_like_candles(names) else ""
    if len(missing) > 2:
        return f"{name}: expected a trade file, found the columns {listed(names)}{hint}"
    money = money_columns(names)
    if money and any(one.startswith("quantity") for one in missing):
        hint = f"; {listed(money)} is turnover, not a quantity"
    found = f"no column for {' and '.join(missing)} among {listed(names)}"
    return f"{name}: expected a trade file, found {found}{hint}"


def several_symbols(name: str, symbols: Sequence[str]) -> str:
    """Say that a choice is needed."""
    return f"{name}: expected one symbol, found {listed(symbols)}: choose one with symbol="


def join_rows(pieces: list[Rows]) -> Rows:
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return Rows(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.bool_))
    ids = [piece.ids for piece in pieces if piece.ids is not None]
    users = [piece.users for piece in pieces if piece.users is not None]
    return Rows(
        np.concatenate([piece.ts for piece in pieces]),
        np.concatenate([piece.price for piece in pieces]),
        np.concatenate([piece.qty for piece in pieces]),
        np.concatenate([piece.taker_sell for piece in pieces]),
        np.concatenate(ids) if len(ids) == len(pieces) else None,
        in_order=all(piece.in_order for piece in pieces)
        and all(not len(b) or a.ts[-1] <= b.ts[0] for a, b in itertools.pairwise(filter(len, pieces))),
        users=np.concatenate(users) if len(users) == len(pieces) else None,
    )


class Growing:
    """Rows of one file, piece after piece, in arrays that grow in place: no row is held twice."""

    _STEP = 1 << 20  # rows by which they grow

    def __init__(self) -> None:
        self._columns: dict[str, NDArray[Any]] = {}
        self._length = 0

    def add(self, rows: Rows) -> None:
        """Take a copy of some rows."""
        begin, self._length = self._length, self._length + len(rows)
        for name in ("ts", "price", "qty", "taker_sell", "ids", "users"):
            given = getattr(rows, name)
            if given is None:
                self._columns.pop(name, None)
                continue
            if not begin:
                self._columns[name] = np.empty(0, given.dtype)
            if name not in self._columns:  # earlier pieces had none
                continue
            column = self._columns[name]
            if self._length > len(column):
                column.resize(-(-self._length // self._STEP) * self._STEP, refcheck=False)  # nobody else sees it yet
            column[begin : self._length] = given

    def rows(self) -> Rows:
        """Return all of them."""
        if not self._columns:
            return join_rows([])
        found = {name: column[: self._length] for name, column in self._columns.items()}
        columns = (found["ts"], found["price"], found["qty"], found["taker_sell"])
        return Rows(*columns, found.get("ids"), users=found.get("users"))


class Gathering:
    """
    Gathers row groups, whose times follow each other, into stretches that have no time in common.

    Parameters
    ----------
    least : int
        Rows that a stretch must have to be worth a call.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._waiting: list[Rows] = []
        self._border: Rows | None = None  # rows of the last time so far, of which more may follow

    def add(self, rows: Rows, cut: bool) -> list[Rows]:
        """Take a row group and return the stretches that are complete; `cut`: the next one's times are all later."""
        done: list[Rows] = []
        if self._border is not None and not rows.in_order:
            self._waiting, self._border = [self._border], None
        elif self._border is not None:
            same = int(np.searchsorted(rows.ts, self._border.ts[0], "right"))
            self._border = join_rows([self._border, rows.part(0, same)])
            if same == len(rows):
                return done
            done, rows = [self._border], rows.part(same, len(rows))
            self._border = None
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) < self._least:
            return done
        joined = join_rows(self._waiting)
        self._waiting = []
        if not cut:
            last = joined.ts == (joined.ts[-1] if joined.in_order else joined.ts.max())
            self._border = joined.take(last)
            begins = len(joined) - len(self._border)
            joined = joined.part(0, begins) if last[begins:].all() else joined.take(~last)
        return [*done, joined] if len(joined) else done

    def rest(self) -> list[Rows]:
        """Return what is left as one stretch, if there is anything."""
        rows = [*([] if self._border is None else [self._border]), *self._waiting]
        self._waiting, self._border = [], None
        return [join_rows(rows)] if rows else []
