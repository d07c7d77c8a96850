"""Trigger orders that a venue publishes: stop orders that rest until the price comes to them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, InvalidConfigError
from ..words.plain import kind_of
from .meaning import listed
from .text import PathLike, TextFile, find_files

_SELL, _BUY = ("a", "sell", "s", "ask"), ("b", "buy", "bid")
_PRICE = ("triggerpx", "trigger_price", "stop_price", "stopprice", "price")
_QUANTITY = ("sz", "qty", "quantity", "size", "amount")
_SYMBOL = ("coin", "symbol", "market")
MAX_UNREADABLE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class TriggerOrders:
    """
    Stop orders of one market, sorted by price.

    Attributes
    ----------
    price : ndarray of float64, shape (n,)
        At which each is triggered, above 0.
    qty : ndarray of float64, shape (n,)
        In the unit the venue prints, above 0.
    sell : ndarray of bool, shape (n,)
        True where it sells: triggered by a fall, as the stop of a long is.
    left_out : mapping of str to int
        Orders that were read and are not among them, by reason: take_profit and limit orders, other symbols, those no
        longer open, those that do not say how much (of a whole position), unreadable ones.
    symbol : str
        Empty where the file does not say.

    Examples
    --------
    >>> import numpy as np
    >>> orders = TriggerOrders(np.array([95.0, 105.0]), np.array([2.0, 1.0]), np.array([True, False]))
    >>> orders.below(100.0).qty.tolist(), orders.above(100.0).price.tolist()
    ([2.0], [105.0])
    """

    price: NDArray[np.float64]
    qty: NDArray[np.float64]
    sell: NDArray[np.bool_]
    left_out: Mapping[str, int] = field(default_factory=dict)
    symbol: str = ""

    def __post_init__(self) -> None:
        """Refuse what no order can be."""
        if not len(self.price) == len(self.qty) == len(self.sell):
            raise InvalidConfigError("price, qty and sell must be of one length")
        for name, values in (("price", self.price), ("qty", self.qty)):
            if not (np.isfinite(values) & (values > 0)).all():
                raise InvalidConfigError(f"{name} must be finite and above 0")
        if (self.price[1:] < self.price[:-1]).any():
            raise InvalidConfigError("price must not fall")

    def __len__(self) -> int:
        """Count the orders."""
        return len(self.price)

    def below(self, price: float) -> TriggerOrders:
        """Return those that a fall of the price sets off."""
        return self._only(self.sell & (self.price <= price))

    def above(self, price: float) -> TriggerOrders:
        """Return those that a rise of the price sets off."""
        return self._only(~self.sell & (self.price >= price))

    def _only(self, some: NDArray[np.bool_]) -> TriggerOrders:
        return TriggerOrders(self.price[some], self.qty[some], self.sell[some], self.left_out, self.symbol)


def read_trigger_orders(paths: PathLike | Sequence[PathLike], *, symbol: str | None = None) -> TriggerOrders:
    """
    Read stop orders that rest on a venue.

    Two forms are known. JSON, one document or one a line, as Hyperliquid publishes orders: its ``frontendOpenOrders``
    answers, and the order statuses of its nodes, of which the last of each ``oid`` counts (``coin``, ``side`` A or B,
    ``triggerPx``, ``sz``, ``orderType``, ``isTrigger``). CSV with the columns side (sell, buy), price (or
    ``trigger_price``) and quantity, and where there are several markets, symbol.

    Parameters
    ----------
    paths : path, pattern or sequence of those
        Plain, zip or gzip.
    symbol : str, optional
        The one to read where there are several.

    Raises
    ------
    DataError
        If a file is missing or damaged, is of neither form, holds several symbols and none is chosen, or over 5 % of
        its orders cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "orders.json"
    >>> _ = file.write_text('[{"coin": "BTC", "side": "A", "triggerPx": "59000.0", "sz": "0.5", "isTrigger": true, '
    ...                     '"orderType": "Stop Market", "oid": 1}]')
    >>> orders = read_trigger_orders(file)
    >>> orders.price.tolist(), orders.qty.tolist(), orders.sell.tolist()
    ([59000.0], [0.5], [True])
    """
    kept: dict[Any, tuple[str, float, float, bool]] = {}
    left: Counter[str] = Counter()
    count = 0
    files = find_files(paths)
    said = listed([path.name for path in files], 3)
    for path in files:
        for order in _orders(path):
            count += 1
            why, row = _row(order)
            number = order.get("oid", ("row", count))
            kept.pop(number, None)  # a later status of one order takes the place of the one before
            if row is None:
                left[why] += 1
            else:
                kept[number] = row
    if left["unreadable"] > MAX_UNREADABLE * count:
        raise DataError(
            f"{said}: expected orders with side, trigger price and quantity, "
            f"{left['unreadable']:,} of {count:,} have none"
        )
    names = sorted({row[0] for row in kept.values()} - {""})
    if symbol is None and len(names) > 1:
        raise DataError(f"{said}: expected one symbol, found {listed(names)}: choose one with symbol=")
    if symbol is not None and names and symbol not in names:
        raise DataError(f"{said}: expected orders of {symbol}, found {listed(names)}")
    rows = [row for row in kept.values() if symbol is None or row[0] in ("", symbol)]
    left["other_symbol"] += len(kept) - len(rows)
    rows.sort(key=lambda row: row[1])
    price, qty = (np.array([row[i] for row in rows], np.float64) for i in (1, 2))
    sell = np.array([row[3] for row in rows], np.bool_)
    return TriggerOrders(price, qty, sell, {name: n for name, n in left.items() if n}, symbol or "".join(names))


def _row(order: Mapping[str, Any]) -> tuple[str, tuple[str, float, float, bool] | None]:
    """Symbol, price, quantity and whether it sells; or why it is left out."""
    if str(order.get("status", "open")).lower() not in ("open", "order"):
        return "not_open", None
    kind = str(order.get("ordertype", "")).lower()
    if "take profit" in kind:
        return "take_profit", None
    if order.get("istrigger") in (False, "false", "False") or (kind and "stop" not in kind):
        return "limit", None
    side = str(order.get("side", "")).lower()
    try:
        price = float(_first(order, _PRICE))
        qty = float(_first(order, _QUANTITY))
    except (TypeError, ValueError):
        return "unreadable", None
    if side not in (*_SELL, *_BUY) or not (math.isfinite(price) and math.isfinite(qty)) or price <= 0 or qty < 0:
        return "unreadable", None
    if qty == 0:
        return "no_quantity", None
    return "", (str(_first(order, _SYMBOL) or ""), price, qty, side in _SELL)


def _first(order: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((order[name] for name in names if order.get(name) not in (None, "")), None)


def _orders(path: Path) -> Iterator[dict[str, Any]]:
    """Each order of a file, the names of its fields in lower case."""
    file = TextFile(path)
    text = file.content().decode("utf-8-sig", errors="replace").strip()
    if text[:1] not in ("{", "["):
        table = csv.DictReader(io.StringIO(text))
        names = [str(name).strip().lower() for name in table.fieldnames or ()]
        if "side" not in names or not set(names) & set(_PRICE) or not set(names) & set(_QUANTITY):
            raise file.error(
                f"expected columns side, price and quantity, or JSON of orders, found {listed(names) or 'nothing'}"
            )
        for row in table:
            yield {str(name).strip().lower(): value for name, value in row.items()}
        return
    try:
        documents = [json.loads(text)]
    except (ValueError, RecursionError):
        try:
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise file.error(f"expected JSON, or JSON a line: {error}") from None
    for document in documents:
        for entry in document if isinstance(document, list) else [document]:
            if not isinstance(entry, dict):
                raise file.error(
                    f"expected orders, each an object with side, trigger price and quantity, found {kind_of(entry)}"
                )
            order = entry.get("order")
            whole = {**order, "status": entry.get("status", "open")} if isinstance(order, dict) else entry
            yield {str(name).lower(): value for name, value in whole.items()}
