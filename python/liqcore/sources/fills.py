"""Fills of users: rows whose side is the user's, who took or made; brought to the taker's side, each trade once."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .meaning import MAKER_SIDE, column_names, find
from .report import FileReport
from .trade_rows import Rows

TAKER, MADE, NOT_KNOWN, NONE = range(4)
COINBASE = "of Coinbase's trades"

# Columns that say what a row's user was, in words or where true is the maker (the taker, in the second).
_TRUE_IS_MAKER = ("taker_or_maker", "is_maker", "maker", "last_liquidity_ind", "liquidity_indicator", "liquidity",
                  "trade_scope", "trade_role", "exec_role", "role", "fill_type", "exec_type", "exec_status",
                  "taker_side")  # fmt: skip
_TRUE_IS_TAKER = ("crossed", "is_taker", "taker", "aggressor", "is_aggressor")
_MAKERS = ("maker", "m", "makerfill", "addedliquidity", "added", "add")
_TAKERS = ("taker", "t", "takerfill", "removedliquidity", "removed", "remove")
_TRUE = ("true", "1", "yes")
_FALSE = ("false", "0", "no", "-1")
_UNKNOWN = ("", "none", "null", "nan", "n/a")
# Columns that say what happened, and what there is no trade of the market: positions and money that moved otherwise.
_EVENTS = ("dir", "direction", "exec_type", "type")
_NO_TRADES = ("liquidated cross long", "liquidated cross short", "liquidated isolated long",
              "liquidated isolated short", "auto-deleveraging", "settlement", "spot dust conversion",
              "net child vaults", "adltrade", "busttrade", "delivery", "settle", "blocktrade", "movepos",
              "moveposition", "funding", "deleveraged", "offsetting", "deleverage", "adl", "transfer")  # fmt: skip
_OPENED = ("open long", "open short", "close long", "close short", "long > short", "short > long", "long", "short",
           "net", "both")  # fmt: skip
WORDS = (*_MAKERS, *_TAKERS, *_TRUE, *_FALSE, *_UNKNOWN, *_NO_TRADES, *_OPENED)
# Coinbase's matches have both orders, and the side of the one that rested.
_OF_MATCHES = ("maker_order_id", "taker_order_id")
# Columns that only fills of a user have, where something stands there: the user's order, fee, profit, position.
_ORDERS = ("order_id", "ord_id", "oid", "cl_ord_id", "client_order_id", "order_link_id", "cloid")
_MONEY = ("fee", "commission", "exec_fee", "fill_fee", "exec_comm", "closed_pnl", "realized_pnl", "realised_pnl",
          "fill_pnl", "start_position", "profit_loss")  # fmt: skip
_POSITIONS = ("dir", "direction", "position_side", "pos_side")


class Roles(NamedTuple):
    """
    Where the rows of a file say what their users were.

    ``role`` and ``event`` are the columns, -1 if there is none; without a role all rows are makers'. ``true_is_maker``
    says what true and 1 mean, ``said`` whether the column says it at all in the first rows: where it does not, an empty
    one is a taker.
    """

    name: str
    role: int
    event: int
    true_is_maker: bool
    said: bool

    @property
    def columns(self) -> list[int]:
        """The columns whose words `users_of` takes."""
        return [at for at in (self.role, self.event) if at >= 0]


def roles_in(
    names: Sequence[str], cells: Callable[[int], Sequence[str]], taken: Sequence[int], error: Callable[[str], DataError]
) -> Roles | None:
    """
    Find the column that says what each row's user was.

    Parameters
    ----------
    names : sequence of str
        All columns' names.
    cells : callable
        Gives the first values of a column as text.
    taken : sequence of int
        Columns that are price, quantity and the like.
    error : callable
        Makes an error that names the file.

    Returns
    -------
    Roles or None
        None: the rows are the market's trades, whose side is the taker's.

    Raises
    ------
    DataError
        If these are fills of users and nothing says what they were.
    """
    names = column_names(names)
    if all(find(names, (name,)) >= 0 for name in _OF_MATCHES):
        return Roles("side, of the maker's order where both orders are named", -1, -1, True, True)
    if any(at >= 0 and find(MAKER_SIDE, (names[at],)) >= 0 for at in taken):
        return Roles("of the maker's side", -1, -1, True, True)
    first: dict[int, list[str]] = {}

    def words(at: int) -> list[str]:
        if at not in first:
            first[at] = [str(cell).strip().lower() for cell in cells(at)]
        return first[at]

    event = next((at for name in _EVENTS if (at := find(names, (name,))) >= 0 and at not in taken), -1)
    silent = None
    for true_is_maker, known in ((True, _TRUE_IS_MAKER), (False, _TRUE_IS_TAKER)):
        for name in known:
            at = find(names, (name,))
            if at < 0 or at in taken or set(words(at)) - {*_MAKERS, *_TAKERS, *_TRUE, *_FALSE, *_UNKNOWN}:
                continue
            said = not set(words(at)) <= set(_UNKNOWN)
            found = Roles(names[at], at, event if event != at else -1, true_is_maker, said)
            if said:
                return found
            silent = silent or found
    if column := _of_users(names, words, taken, silent is not None):
        raise error(
            f"expected the market's trades, found fills of users (column {column}) that do not say who was the taker: "
            "say it in a column such as is_maker or crossed"
        )
    return silent


def _of_users(names: Sequence[str], words: Callable[[int], list[str]], taken: Sequence[int], unified: bool) -> str:
    """The name of a column that only fills of users have; an empty string: there is none."""
    orders = (*_ORDERS, "order") if unified else _ORDERS
    for known, says in ((orders, _is_said), (_MONEY, _is_money), (_POSITIONS, _is_position)):
        for name in known:
            at = find(names, (name,))
            if at >= 0 and at not in taken and any(says(word) for word in words(at)):
                return names[at]
    return ""


def _is_said(word: str) -> bool:
    return word not in (*_UNKNOWN, "0")


def _is_money(word: str) -> bool:
    try:
        return float(word) != 0 and word not in _UNKNOWN
    except ValueError:
        return False


def _is_position(word: str) -> bool:
    return word in _OPENED or word.startswith("liquidated")


def users_of(roles: Roles, count: int, words: Mapping[int, NDArray[np.int8]]) -> NDArray[np.int8]:
    """
    Tell of each row what its user was.

    Parameters
    ----------
    roles : Roles
    count : int
        Rows.
    words : mapping
        For each of `Roles.columns`, which of `WORDS` stands in each row, -1: another.

    Returns
    -------
    ndarray of int8
        `TAKER`, `MADE`, `NOT_KNOWN`, or `NONE`: the row is no trade.
    """
    true, false = (MADE, TAKER) if roles.true_is_maker else (TAKER, MADE)
    meaning = dict.fromkeys(_MAKERS, MADE) | dict.fromkeys(_TAKERS, TAKER) | dict.fromkeys(_TRUE, true)
    meaning |= dict.fromkeys(_FALSE, false) | dict.fromkeys(_UNKNOWN, NOT_KNOWN if roles.said else TAKER)
    found = np.full(count, MADE, np.int8)
    if roles.role >= 0:
        found = np.array([*(meaning.get(word, NOT_KNOWN) for word in WORDS), NOT_KNOWN], np.int8)[words[roles.role]]
    if roles.event >= 0:
        found[np.array([*(word in _NO_TRADES for word in WORDS), False])[words[roles.event]]] = NONE
    return found


def is_maker(word: object, true_is_maker: bool = True) -> bool | None:
    """Whether a value in such a column says maker; None: it says neither."""
    text = str(word).strip().lower()
    if text in (*_MAKERS, *_TAKERS):
        return text in _MAKERS
    return true_is_maker == (text in _TRUE) if text in (*_TRUE, *_FALSE) else None


def role_of(fill: Mapping[str, object]) -> bool | None:
    """Whether the user of a fill, as a venue's answer has it, was the maker; None: it does not say."""
    names = list(fill)
    for true_is_maker, known in ((True, _TRUE_IS_MAKER), (False, _TRUE_IS_TAKER)):
        for name in known:
            at = find(column_names(names), (name,))
            if at >= 0 and (said := is_maker(fill[names[at]], true_is_maker)) is not None:
                return said
    return None


def is_no_trade(fill: Mapping[str, object]) -> bool:
    """Whether a fill, as a venue's answer has it, is no trade of the market."""
    return any(str(fill.get(name, "")).lower() in _NO_TRADES for name in ("dir", "execType", "type"))


class Taken(NamedTuple):
    """What `takers_of` found: rows to use, makers left out because their taker's row is there, makers turned over."""

    rows: Rows
    twins: int
    turned: int


def takers_of(rows: Rows, maker: NDArray[np.bool_]) -> Taken | None:
    """
    Turn makers' rows over, and leave out those whose taker's row is there; None: the side is not the user's, since both
    rows of most trades have the same.

    A trade's two rows go together by id; where there are no ids, or each row has its own, by time, price, quantity and
    side, each taker's row with one maker's.
    """
    rows.taker_sell = rows.taker_sell ^ maker
    if not maker.any():
        return Taken(rows, 0, 0)
    twin = np.zeros(len(rows), np.bool_)
    if not maker.all():
        at_maker, at_taker = np.flatnonzero(maker), np.flatnonzero(~maker)
        trade = [rows.ts.view(np.int64), rows.price.view(np.int64), rows.qty.view(np.int64)]
        side = rows.taker_sell.astype(np.int64)
        same: NDArray[np.bool_] | None = None
        if rows.ids is not None:
            by_id = [rows.ids, *trade]
            same = _paired([*by_id, side], at_maker, at_taker)
            if np.count_nonzero(same) < np.count_nonzero(_paired([*by_id, 1 - side], at_maker, at_taker, flip=side)):
                return None
        if same is None or not same.any():
            by_trade = _paired([*trade, side], at_maker, at_taker)
            # Under other ids they are pairs if most are: single ones of a user's fills may be alike by chance.
            if same is None or 2 * np.count_nonzero(by_trade) >= min(len(at_maker), len(at_taker)):
                same = by_trade
        twin[at_maker[same]] = True
    twins = int(np.count_nonzero(twin))
    return Taken(rows.take(~twin) if twins else rows, twins, int(np.count_nonzero(maker)) - twins)


def _paired(
    keys: Sequence[NDArray[np.int64]],
    makers: NDArray[np.int64],
    takers: NDArray[np.int64],
    flip: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """Mark makers' rows that have a taker's of the same keys, each of these once; `flip` is the takers' last key."""
    mine = [key[makers] for key in keys]
    theirs = [key[takers] for key in (keys if flip is None else [*keys[:-1], flip])]
    both = [np.concatenate(pair) for pair in zip(mine, theirs, strict=True)]
    of_taker = np.repeat([0, 1], [len(makers), len(takers)])
    order = np.lexsort(both[::-1])
    new = np.ones(len(order), np.bool_)
    new[1:] = np.logical_or.reduce([key[order][1:] != key[order][:-1] for key in both])
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(new) - 1
    room = np.bincount(group, weights=of_taker, minlength=len(order)).astype(np.int64)
    mine_group = group[: len(makers)]
    by_group = np.argsort(mine_group, kind="stable")
    ordered = mine_group[by_group]
    rank = np.empty(len(makers), np.int64)
    starts = np.searchsorted(ordered, ordered, "left")
    rank[by_group] = np.arange(len(makers)) - starts
    paired: NDArray[np.bool_] = rank < room[mine_group]
    return paired


def sort_out(rows: Rows, report: FileReport, name: str) -> Rows:
    """
    Bring the fills of a file to trades, and say in its report what was done; `name` is the column that says the role.

    Raises
    ------
    DataError
        If the side is not the user's.
    """
    assert rows.users is not None
    taken = takers_of(rows, rows.users == MADE)
    if taken is None:
        raise DataError(
            f"{report.name}: expected the user's side in fills, found makers and takers (column {name}) of one "
            "trade on the same side: keep the takers' rows alone"
        )
    report.reject("maker", taken.twins)
    if taken.twins:
        report.notes.append(f"fills of users (column {name}): of a trade's two rows the taker's counts")
    if taken.turned and name == COINBASE:
        report.notes.append("trades as Coinbase has them: the side is the maker's, and is turned over")
    elif taken.turned:
        report.warnings.append(
            f"{taken.turned:,} fills of makers (column {name}) without their taker's: turned over, since the taker "
            "was on the other side"
        )
    taken.rows.users = None
    return taken.rows


def known_users(rows: Rows, report: FileReport) -> Rows:
    """Leave out rows that are no trades, or whose user may have been either, and count them."""
    users = rows.users
    assert users is not None
    report.reject("no_trade", int(np.count_nonzero(users == NONE)))
    report.reject("unknown_side", int(np.count_nonzero(users == NOT_KNOWN)))
    return rows.take(users < NOT_KNOWN)
