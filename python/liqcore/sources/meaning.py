"""What a column holds, by its name and, where names leave a choice, by its numbers."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Column names by meaning, lower case, the most telling first. What each side column says when it is true or 1:
TIME = ("ts_ns", "ts_us", "ts_ms", "ts", "ts_event", "transact_time", "trade_time", "time_exchange", "exchange_time",
        "timestamp_ms", "timestamp", "time", "created_time", "create_time_ms", "exch_ts", "unix", "unix_timestamp",
        "exec_time", "fill_time", "create_time", "created_at", "c_time", "datetime", "date", "T", "t")  # fmt: skip
PRICE = ("price", "px", "trade_price", "exec_price", "fill_px", "fill_price", "last_px", "p")
QUANTITY = ("qty", "quantity", "amount", "size", "sz", "volume", "vol", "base_qty", "base_amount", "base_volume",
            "exec_qty", "fill_sz", "fill_size", "last_qty", "trade_volume", "q", "v")  # fmt: skip
ID = (
    "agg_trade_id",
    "trade_id",
    "id",
    "tid",
    "trdmatchid",
    "match_id",
    "exec_id",
    "fill_id",
    "deal_id",
    "guid",
    "a",
    "i",
)
BASE_AMOUNT = ("base_qty", "base_quantity", "homenotional", "home_notional")
QUOTE_AMOUNT = ("quote_qty", "quote_quantity", "foreignnotional", "foreign_notional")
# What aggregates of trades have: an id of their own, and those of the first and the last trade.
_AGGREGATES = {"agg_trade_id": ("first_trade_id", "last_trade_id"), "a": ("f", "l")}
SYMBOL = ("symbol", "instrument_name", "instrument", "instid", "coin", "pair", "contract", "product_id", "market",
          "symbol_id", "instrument_id", "contract_code", "ticker", "sym", "asset", "code", "s")  # fmt: skip
# Where the market's venue stands in every row.
VENUE = ("exchange", "exchange_id", "exch", "venue")
TRUE_IS_SELL = ("taker_sell", "is_buyer_maker", "buyer_is_maker", "buyer_maker", "m")
TRUE_IS_BUY = ("taker_buy", "is_taker_buy", "is_buyer_taker")
USER_BUYS = ("is_buyer", "buyer")  # of fills: the row's user
MAKER_SIDE = ("maker_side", "maker_order_side", "passive_side", "resting_side")
SIDE_WORDS = ("taker_side", "aggressor_side", "aggressor", "side", "trade_side", "direction", "S")

# Money units in names: what is in one of them is turnover, however the column is called.
_QUOTE = frozenset(["quote", "usd", "usdt", "usdc", "busd", "fdusd", "tusd", "usde", "dai", "eur", "gbp", "jpy", "krw",
                    "try", "brl", "idr", "inr"])  # fmt: skip
_TURNOVER = frozenset(["quoteqty", "quoteamount", "quotevolume", "quoteassetvolume", "turnover", "notional", "value",
                       "cost", "foreignnotional", "quotesize", "tradeturnover", "amountusd", "total"])  # fmt: skip
_HARMLESS = {"", "utc", "gmt", "s", "ms", "us", "ns", "unix"}  # a time of another zone is no such time
_UNIT = re.compile(r"(?P<plain>.*?)[\s_]*[(\[]\s*(?P<unit>[^)\]]+?)\s*[)\]]\Z")
_WORDS = re.compile(
    r"(?P<plain>(?:base[\s_])?(?:volume|vol|amount|qty|size|quantity|price|open|high|low|close|value)|date|time|timestamp)"
    r"[\s_](?P<unit>[a-z0-9]{2,10})\Z",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    r"vol|amount|amt|qty|quantit|turnover|notional"
)  # of quantities or turnover, whatever stands beside
_SEPARATORS = re.compile(r"[\s_.\-]+")
_HUGE = 1e8  # no coin costs as much in a currency such as the dollar
_CHEAP = re.compile("KRW|IDR|VND|IRR|IRT|TMN|NGN|COP|CLP|ARS|UZS|LBP|PYG|UGX|TZS|PKR|KZT|HUF|UAH|RUB|INR|TRY|JPY")
_ENOUGH = 0.9  # of the rows; what is left may be rounded badly
_CLOSE = 1e-3  # relative; turnover is printed rounded


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """
    Where the fields stand in the rows of one file, counted from 0; -1: there is no such column.

    ``code`` says what true, 1 and 2 mean in the side column, as `_core.parse_side` takes it. A negative ``side``: the
    sign of the quantity is the taker's side. ``base`` and ``quote`` hold a row's amount in these currencies.
    """

    time: int
    price: int
    quantity: int
    side: int
    id: int
    symbol: int
    code: str = "true_is_sell"
    base: int = -1
    quote: int = -1

    @property
    def true_is_sell(self) -> bool:
        """Whether true in the side column is a sell."""
        return self.code == "true_is_sell"


class Named(NamedTuple):
    """A column's name in two parts: what it is, without separators, and in what unit; an empty string: not said."""

    plain: str
    unit: str


def column_names(header: Sequence[str]) -> list[str]:
    """
    Bring a header into the form that layouts use: lower case, and of bilingual names the first half.

    Names of one letter stay as they are: ``t`` and ``T`` are two columns of Binance's streams.
    """
    cut = [name.strip("# \t<>\ufeff").split("/")[0].strip() for name in header]
    return [name if len(name) == 1 else name.lower() for name in cut]


def named(name: str) -> Named:
    """Split a name: ``size(base)``, ``Volume USDT``, ``amount_usd``."""
    found = _UNIT.match(name) or _WORDS.match(name)
    if found is None:
        return Named(_plain(name), "")
    unit = found["unit"].lower()
    if found.re is _WORDS and (unit not in _QUOTE and (unit not in ("base", "contracts") and " " not in name)):
        return Named(_plain(name), "")
    return Named(_plain(found["plain"]), unit)


def find(names: Sequence[str], wanted: Sequence[str], *, money: bool = False) -> int:
    """
    Position of the first of the wanted names that exists, however its words are separated; -1: none does.

    With `money` a currency may stand behind it, such as in ``price (USDT)``.
    """
    for known in wanted:
        if known in names:
            return list(names).index(known)
    split = [named(name) for name in names]
    allowed = _HARMLESS | _QUOTE if money else _HARMLESS
    for plain in ([_plain(name) for name in names], [one.plain if one.unit in allowed else "" for one in split]):
        for known in wanted:
            if len(known) > 1 and _plain(known) in plain:
                return plain.index(_plain(known))
    return -1


def find_quantity(names: Sequence[str], wanted: Sequence[str] = QUANTITY) -> int:
    """Position of the quantity: in base units where a name says so, never in money; -1: there is none."""
    split = [named(name) for name in names]
    for unit_said in (True, False):
        for known in wanted:
            for at, (plain, unit) in enumerate(split):
                if plain == _plain(known) and unit not in _QUOTE and unit_said == (unit == "base"):
                    return at
    return -1


def is_same(a: NDArray[np.float64], b: NDArray[np.float64], close: float = _CLOSE) -> bool:
    """Whether two columns agree but for rounding, in nearly all rows where one is not zero."""
    ok = np.isfinite(a) & np.isfinite(b) & ((a != 0) | (b != 0))
    agree = np.abs(a[ok] - b[ok]) <= close * np.maximum(np.abs(a[ok]), np.abs(b[ok]))
    return bool(ok.any()) and int(np.count_nonzero(agree)) >= _ENOUGH * int(np.count_nonzero(ok))


def money_columns(names: Sequence[str]) -> list[str]:
    """List the columns that hold turnover, by their names."""
    return [name for name in names if (split := named(name)).plain in _TURNOVER or split.unit in _QUOTE]


def quantity_like(names: Sequence[str]) -> list[int]:
    """Positions of all columns whose names speak of quantities or turnover."""
    known = {_plain(name) for name in QUANTITY} | _TURNOVER
    return [at for at, name in enumerate(names) if named(name).plain in known or _SPEAKS.search(name.lower())]


def recognise(names: Sequence[str]) -> tuple[TradeColumns, list[str]]:
    """
    Find trade columns by their names.

    Returns
    -------
    columns : TradeColumns
        With -1 for what was not found.
    missing : list of str
        What a trade file needs and was not found, in words with some of the names looked for.
    """
    names = column_names(names)
    code = "true_is_sell"
    side = find(names, TRUE_IS_SELL)
    if side < 0 and (side := find(names, TRUE_IS_BUY)) >= 0:
        code = "true_is_buy"
    if side < 0:
        side = find(names, (*SIDE_WORDS, *MAKER_SIDE))
    if side < 0 and (side := find(names, USER_BUYS)) >= 0:
        code = "true_is_buy"
    columns = TradeColumns(
        time=find(names, TIME),
        price=find(names, PRICE, money=True),
        quantity=find_quantity(names),
        side=side,
        id=find(names, ID),
        symbol=find(names, SYMBOL),
        code=code,
        base=find(names, BASE_AMOUNT),
        quote=find(names, QUOTE_AMOUNT),
    )
    wanted = {
        "time": (columns.time, ("timestamp", "time", "ts_ms")),
        "price": (columns.price, PRICE),
        "quantity": (columns.quantity, QUANTITY),
        "taker side": (side, ("side", "is_buyer_maker", "taker_sell")),
    }
    missing = [f"{what} ({' or '.join(known[:3])})" for what, (at, known) in wanted.items() if at < 0]
    twice = [names[at] for at, _ in wanted.values() if at >= 0 and names.count(names[at]) > 1]
    return columns, missing + [f"one {name} alone (there are several)" for name in dict.fromkeys(twice)]


def settle(
    names: Sequence[str],
    found: TradeColumns,
    number: Callable[[int], NDArray[np.float64]],
    others: Sequence[int],
    sells: NDArray[np.bool_] | None = None,
) -> tuple[TradeColumns, list[str]]:
    """
    Settle by numbers what names leave open: turnover taken for the quantity, and sides told by signs.

    Parameters
    ----------
    names : sequence of str
        All columns' names.
    found : TradeColumns
        As `recognise` gives them.
    number : callable
        Gives the first values of a column, NaN where there is no number.
    others : sequence of int
        Columns that may be the quantity instead.
    sells : ndarray of bool, optional
        What the side column says of the same rows.

    Returns
    -------
    TradeColumns
    notes : list of str
        What was done, for the report.
    """
    notes = []
    if found.quantity >= 0 and found.price >= 0:
        # A quantity that is the base amount times the price may count contracts of one unit of money: not told here.
        taken = (found.time, found.price, found.quantity, found.side, found.id, found.symbol, found.base)
        price, quantity = number(found.price), np.abs(number(found.quantity))
        for other in (at for at in others if at not in taken):
            if is_turnover(quantity, np.abs(number(other)), price, price):
                notes.append(
                    f"the quantity is {names[other]}: {names[found.quantity]} is that times the price, turnover"
                )
                found = replace(found, quantity=other)
                break
    if found.quantity < 0:
        return found, notes
    quantity = number(found.quantity)
    below = quantity < 0
    if found.side < 0 and below.any() and (quantity > 0).any():
        notes.append(f"there is no side: {names[found.quantity]} below zero is taken for a sell of the taker")
    elif found.side >= 0 and sells is not None and np.count_nonzero(below) > 1 and np.array_equal(below, sells):
        found = replace(found, side=-1)  # both say the same
    return found, notes


def aggregate_of(name: str) -> tuple[str, str]:
    """Names of the columns that go with an aggregate's id: ids of its first and its last trade; "" if it is none."""
    return _AGGREGATES.get(name, ("", ""))


def tell_apart(ids: NDArray[np.float64], first: NDArray[np.float64], last: NDArray[np.float64]) -> bool:
    """
    Whether aggregates are told apart by the trades they name, so that one under two ids is found out.

    Not so where whoever wrote the file had no such ids and put something constant in their place.
    """
    named = len(np.unique(first))
    return bool(np.all((first >= 0) & (last >= first))) and named > 1 and 3 * named >= len(np.unique(ids))


def is_scaled(prices: NDArray[np.float64], symbol: str | None = None) -> bool:
    """
    Whether prices seem to be whole numbers of a small unit: huge and without a fraction.

    In a market whose symbol names a currency in which coins cost as much, multiples of ten thousand are.
    """
    known = prices[np.isfinite(prices) & (prices > 0)]
    if not len(known) or known.min() < _HUGE or np.any(known % 1):
        return False
    return not _CHEAP.search((symbol or "").upper()) or bool(np.all(known % 1e4 == 0))


def is_turnover(
    quantity: NDArray[np.float64], base: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> bool:
    """
    Whether a quantity is another one times the price, in nearly all rows where both are above zero.

    Of trades, `low` and `high` both are the price. Where the price is about 1 there is nothing to tell.
    """
    ok = np.isfinite(quantity) & np.isfinite(base) & (quantity > 0) & (base > 0) & np.isfinite(low) & np.isfinite(high)
    if not ok.any() or bool(np.all(np.abs(low[ok] - 1) < 0.05)):
        return False
    q, b = quantity[ok], base[ok]
    fits = (q >= b * low[ok] * (1 - _CLOSE)) & (q <= b * high[ok] * (1 + _CLOSE))
    return bool(np.count_nonzero(fits) >= _ENOUGH * len(q))


def listed(names: Sequence[str], most: int = 12) -> str:
    """List names in a message, cut where they are many or long."""
    shown = ", ".join(name[:40] for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _plain(name: str) -> str:
    return name if len(name) == 1 else _SEPARATORS.sub("", name.lower())
