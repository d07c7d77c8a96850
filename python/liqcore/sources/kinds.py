"""What a file is, where its columns do not say: by the words of its name, and of the folders that archives have."""

import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError
from ..words.limits import limits
from .meaning import column_names, find

_LIQUIDATIONS = frozenset(["liquidation", "liquidations", "liq", "liqs", "liquidationsnapshot", "liquidationorders",
                           "forceorder", "forceorders", "allforceorders", "forcedorders", "liquidated"])  # fmt: skip
_TRADES = frozenset(["trade", "trades", "aggtrades", "deals", "fills", "ticks"])
_INDEX = frozenset(["index", "indexprice", "indexpriceklines", "indexpricekline", "indexcandles"])
_PREMIUM = frozenset(["premium", "premiumindex", "premiumindexklines", "premiumindexkline"])
_MARK = frozenset(["mark", "marks", "markprice", "markprices", "markpriceklines", "markpricekline", "markpricecandles"])
# Columns of orders that were forced, which trades do not have.
_OF_ORDERS = ("order_status", "time_in_force", "bk_px", "bk_loss", "pos_side", "average_price", "orig_qty",
              "original_quantity", "orig_quantity")  # fmt: skip
_TARDIS = ("exchange", "symbol", "timestamp", "local_timestamp", "id", "side", "price", "amount")
_OF_BOOKS = ("is_snapshot",)
_BYBIT_LIQUIDATION = {"T", "s", "S", "v", "p"}  # its trades have more
_TOPICS = ("trade", "deals", "fills", "executions", "matches", "user")
_STATES = ("status", "order_status", "ord_status", "order_state")
_NOT_FILLED = frozenset(["new", "canceled", "cancelled", "rejected", "expired", "pending"])
_OPTION = re.compile(r"-\d+(?:d\d+|\.\d+)?-[CP]$")
_FOLDERS = 4  # how many of the folders above a file may say what it is


def refuse_liquidations(
    path: Path, names: Sequence[str], ids: Sequence[str], told: bool, *, fills: bool = False
) -> None:
    """
    Refuse liquidations and orders, which have the columns of trades.

    Parameters
    ----------
    path : Path
    names : sequence of str
    ids : sequence of str
        The first ids; empty where there is no such column.
    told : bool
        Whether the columns are of trades alone, or the caller has said that they are.
    fills : bool
        Whether they are known to be fills of users, who have positions.

    Raises
    ------
    DataError
        If the file is not of trades, or Tardis' columns do not tell and its name does not either.
    """
    if what := no_trades([name for name in names if not (fills and find([name], ("pos_side",)) == 0)]):
        raise DataError(f"{path.name}: expected trades, found {what}")
    if told:
        return
    if is_named_liquidations(path):
        raise DataError(
            f"{path.name}: expected trades, found liquidations by the file's name: if they are trades, rename it"
        )
    columns = column_names(names)
    if set(_TARDIS) <= set(columns) and ids and not any(ids) and not is_named_trades(path):
        raise DataError(
            f"{path.name}: expected trades, found rows without ids in columns that Tardis uses for trades and for "
            'liquidations: if they are trades, say so in the file\'s name ("..._trades_...")'
        )


def refuse_orders(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """
    Refuse orders, told by a column of what became of them, of which some were not filled.

    Raises
    ------
    DataError
        With the column and the word.
    """
    at = find(names, _STATES)
    odd = next((row[at] for row in rows if len(row) > at >= 0 and row[at].lower() in _NOT_FILLED), None)
    if odd is not None:
        raise DataError(f"{path.name}: expected trades, found orders (column {names[at]}: {odd})")


def check_symbol(name: str, symbol: str | None) -> None:
    """Refuse a symbol beyond the limit, and those of options, whose prices are not those of what they are on."""
    refuse_long(name, symbol)
    if symbol is not None and _OPTION.search(symbol):
        raise DataError(f"{name}: expected trades of a perpetual, a future or a coin, found an option ({symbol})")


def refuse_long(name: str, symbol: str | None) -> None:
    """Refuse a symbol that is longer than the limit; `name` is the file's."""
    most = limits().symbol
    if symbol is not None and len(symbol) > most:
        raise DataError(
            f"{name}: expected a symbol of at most {most:,} characters (limits.symbol), found {len(symbol):,}"
        )


def refuse_other_events(path: Path, topic: str | None, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """
    Refuse messages of a stream that are no trades, by its topic or the event's name in each.

    Raises
    ------
    DataError
        If there are such.
    """
    events = {row[names.index("e")] for row in rows} if "e" in names else set()
    odd = sorted(events - {"trade", "aggTrade"})
    if topic is not None and not any(word in topic.lower() for word in _TOPICS):
        odd.append(topic)
    if odd:
        raise DataError(f"{path.name}: expected trades, found messages of {odd[0]}")


def is_named_liquidations(path: Path) -> bool:
    """Whether the name of a file, or of the folder it is in, says that it holds liquidations."""
    words = _words(path.name)
    if words & _LIQUIDATIONS:
        return True
    return not words & _TRADES and "".join(re.findall(r"[a-z]", path.absolute().parent.name.lower())) in _LIQUIDATIONS


def is_named_trades(path: Path) -> bool:
    """Whether the name of a file says that it holds trades."""
    return bool(_words(path.name) & _TRADES)


def no_trades(names: Sequence[str]) -> str:
    """Say what a table is whose columns trades do not have; an empty string: nothing speaks against trades."""
    names = column_names(names)
    if set(names) == _BYBIT_LIQUIDATION:
        return f"liquidations (columns {', '.join(names)})"
    for kind, columns in (("forced or other orders", _OF_ORDERS), ("an order book", _OF_BOOKS)):
        if (at := find(names, columns)) >= 0:
            return f"{kind} (column {names[at]})"
    return ""


def kline_price(path: Path) -> str:
    """Which price klines are of: "index", "premium", "mark", or "" where neither name nor folders say."""
    parts = [path.name, *path.absolute().parts[-2 : -2 - _FOLDERS : -1]]
    for number, part in enumerate(parts):
        words = _words(part)
        if number:  # a folder counts if all of its name says so: people call theirs as they like
            words = {"".join(re.findall(r"[a-z]", part.lower()))} - {"index", "premium", "mark", "marks"}
        for price, known in (("premium", _PREMIUM), ("index", _INDEX), ("mark", _MARK)):
            if words & known:
                return price
    return ""


def _words(name: str) -> set[str]:
    """The words of a name in lower case, single and joined with the next."""
    words = [word for word in re.split(r"[^a-z]+", name.lower()) if word]
    return {"".join(words[i : i + n]) for i in range(len(words)) for n in (1, 2, 3)}
