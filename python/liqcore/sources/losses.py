"""How many rows may be lost: one rule for trades, candles, marks, open interest and funding, and for the engine."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DataError
from .report import FileReport

MOST_LOST = 0.05
SAID_FROM = 0.001

# Rows that were never meant: of other symbols, what came before or counts elsewhere, what is no trade.
NOT_LOST = frozenset(["other_symbol", "duplicate_id", "duplicate", "duplicate_time", "unfinished", "maker", "no_trade"])
_HELP = {
    "unreadable": "mend or remove those rows",
    "not_finite": "mend or remove those rows",
    "not_positive": "prices and quantities must be above 0",
    "unknown_side": "say the taker's side in a column such as side or is_buyer_maker",
    "late": "give rows in order of time",
    "contradictory": "open, high, low and close may stand in other columns: name them in a header",
    "off_grid": "give the right tick_size",
    "too_large": "give a coarser tick_size or lot_size",
    "off_range": "give an axis, or a higher axis_limit",
    "outlier": "prices far from those before them",
}


class Losses:
    """
    The rows of an input that were lost.

    Attributes
    ----------
    lost : dict of str to int
        Counts by reason, without rows that were never meant or say nothing.
    rows : int
        Rows that were meant, used or lost.
    """

    def __init__(self, rejected: Mapping[str, int], rows: int, nothing: Mapping[str, int]) -> None:
        left = {reason: count - nothing.get(reason, 0) for reason, count in rejected.items() if reason not in NOT_LOST}
        self.lost = {reason: count for reason, count in left.items() if count > 0}
        self.rows = rows - sum(rejected.values()) + self.count

    @property
    def count(self) -> int:
        """How many rows were lost."""
        return sum(self.lost.values())

    @property
    def are_said(self) -> bool:
        """Whether so many were lost that the user must know."""
        return self.count > SAID_FROM * self.rows

    def refuse(self, name: str, unreadable: Mapping[str, int], example: str = "", more: int = 0) -> None:
        """
        Refuse an input of which too many rows were lost.

        Parameters
        ----------
        name : str
            Of the file or input, for the message.
        unreadable : mapping
            What could not be read in the unreadable rows.
        example : str
            The first row that was lost.
        more : int
            Rows that are still to come and may all be used.
        """
        if self.count <= MOST_LOST * (self.rows + more):
            return
        kind = "unreadable" if set(self.lost) == {"unreadable"} else "lost"
        first = f"; the first is {example}" if example else ""
        most = max(self.lost, key=lambda reason: self.lost[reason])
        help = _HELP.get(most, "fill or remove the rows without a value" if most.startswith("null_") else "")
        raise DataError(
            f"{name}: expected at most {MOST_LOST:.0%} {kind} rows, found {self.count:,} of {self.rows + more:,} "
            f"({_listed(self.lost, unreadable)}){first}{': ' + help if help else ''}"
        )

    def text(self, unreadable: Mapping[str, int], example: str = "") -> str:
        """Say how many rows were lost, and why."""
        first = f"; the first is {example}" if example else ""
        return (
            f"{self.count:,} of {self.rows:,} rows ({_percent(self)}) are lost: {_listed(self.lost, unreadable)}{first}"
        )


def losses_of(file: FileReport) -> Losses:
    """Return what a file has lost so far."""
    return Losses(file.rejected, file.rows_read, file.nothing)


def check_losses(file: FileReport, *, more: int = 0) -> None:
    """
    Refuse a file of which over 5 % of the rows are lost; `more` rows are still to come.

    Raises
    ------
    DataError
        With the counts by reason, the first such row where it is known, and what helps.
    """
    losses_of(file).refuse(file.name, file.unreadable, file.example, more)


def say_losses(file: FileReport) -> None:
    """Refuse a file that was read to its end if too many rows are lost, or warn if some are."""
    check_losses(file)
    found = losses_of(file)
    if found.are_said and not file.lost:
        file.lost = found.text(file.unreadable, file.example)
        file.warnings.append(file.lost)


def lost_in_all(kind: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """Say what the files of a kind have lost together, as they stand in a result; empty: not worth saying."""
    found = [Losses(one["rejected"], one["rows"], one.get("nothing", {})) for one in entries]
    if not any(one.are_said for one in found):
        return ""
    lost: dict[str, int] = {}
    for one in found:
        for reason, count in one.lost.items():
            lost[reason] = lost.get(reason, 0) + count
    total = Losses(lost, sum(one.rows for one in found), {})
    return f"{_percent(total)} of the {kind} lost ({_listed(lost, {})})"


def _percent(losses: Losses) -> str:
    return f"{100 * losses.count / max(losses.rows, 1):.2g}%"


def _listed(lost: Mapping[str, int], unreadable: Mapping[str, int]) -> str:
    """Counts by reason; where all are unreadable, by what could not be read."""
    if set(lost) == {"unreadable"} and unreadable:
        return ", ".join(f"{what} {count:,}" for what, count in unreadable.items())
    return ", ".join(f"{count:,} {reason}" for reason, count in lost.items())
