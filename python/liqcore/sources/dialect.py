"""How a text file writes its table: delimiter, lines before it, decimal commas."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .layout import cells, is_header

_DELIMITERS = "\t;|,"  # in this order where several could be meant: commas also stand in numbers
_LINES = 40
_MOST_BEFORE = 20  # lines before the header
_COMMA = re.compile(r"[+-]?\d[\d.' ]*,\d[\d,]*(\.\d*)?")
_POINT = re.compile(r"[+-]?\d+\.\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_DECIMAL = re.compile(r"[+-]?\d+,\d+")


class DialectError(ValueError):
    """The table cannot be told; the message says what was expected and found."""


@dataclass(slots=True)
class Dialect:
    """
    How a file's table is written.

    Attributes
    ----------
    delimiter : str
    decimal_comma : bool
    header : list of str or None
    start : int
        Where the first row begins, bytes from the beginning of the file.
    rows : list of list of str
        The cells of the first rows, at most 20, with points for decimal commas.
    lines_before : int
        Lines before the first row, the header among them.
    notes : list of str
        What was passed over.
    """

    delimiter: str = ","
    decimal_comma: bool = False
    header: list[str] | None = None
    start: int = 0
    rows: list[list[str]] = field(default_factory=list)
    lines_before: int = 0
    notes: list[str] = field(default_factory=list)


def dialect_of(head: bytes) -> Dialect:
    """
    Tell how the table at the head of a file is written.

    Raises
    ------
    DialectError
        If there is no table, its header names fewer columns than its rows have, or its numbers can be read in two ways.
    """
    found = Dialect()
    if b"\r" in head and b"\n" not in head:
        raise DialectError("expected lines that end in a line feed, found none that does, but carriage returns")
    at = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    lines: list[tuple[int, int, str]] = []  # where it begins and ends, and its text
    while at < len(head) and len(lines) < _LINES + _MOST_BEFORE:
        end = head.find(b"\n", at)
        end = len(head) if end < 0 else end + 1
        lines.append((at, end, head[at : min(end, at + 4000)].decode("utf-8", "replace").strip("\r\n ")))
        at = end
    texts = [text for _, _, text in lines if text]
    found.delimiter, width = _delimiter([text for text in texts if not text.startswith("#")] or texts)
    split = [cells(text, found.delimiter) if text else [] for _, _, text in lines]
    first = next(
        (i for i, row in enumerate(split) if row and 2 * len(row) > width and not lines[i][2].startswith("sep=")), 0
    )
    while first + 1 < len(split) and lines[first][2].startswith("#") and not _is_table_header(split, first, width):
        first += 1
    if first > _MOST_BEFORE:
        raise DialectError(f"expected rows of fields separated by ',', found '{texts[0][:80]}'")
    if before := [text for _, _, text in lines[:first] if text]:
        found.notes.append(f"passed over {len(before)} lines before the table, the first '{before[0][:60]}'")
    rest = first
    if is_header(split[first]):
        found.header = [name.lstrip("# ") if i == 0 else name for i, name in enumerate(split[first])]
        rest += 1
    found.start = lines[rest][0] if rest < len(lines) else len(head)
    found.lines_before = rest
    found.rows = [row for row in split[rest:] if row][:20]
    _check_widths(found)
    _tell_commas(found)
    return found


def _is_table_header(split: Sequence[list[str]], at: int, width: int) -> bool:
    return len(split[at]) == width and is_header([split[at][0].lstrip("# "), *split[at][1:]])


def _delimiter(texts: Sequence[str]) -> tuple[str, int]:
    """The first of the delimiters that nearly all lines have equally often, and the fields of a line."""
    if texts[0].startswith("sep=") and len(texts[0]) == 5:
        texts = texts[1:] or texts
    best: tuple[float, int] = (0.0, 0)
    chosen = ""
    for delimiter in _DELIMITERS:
        counts = Counter(len(cells(text, delimiter)) for text in texts)
        # The most frequent number of fields, counted where there are several.
        width, lines = max(counts.items(), key=lambda pair: (pair[0] > 1, pair[1], pair[0]))
        share = lines / len(texts)
        if width > 1 and (share, width) > best and (share > best[0] + 0.25 or not chosen):
            best, chosen = (share, width), delimiter
    if not chosen:
        raise DialectError(f"expected rows of fields separated by ',', found '{texts[0][:80]}'")
    return chosen, best[1]


def _check_widths(found: Dialect) -> None:
    if found.header is None:
        return
    names = len(found.header)
    longer = [row for row in found.rows if any(row[names:])]
    if 2 * len(longer) > len(found.rows):
        raise DialectError(
            f"expected a name for each of {len(longer[0])} fields, found {names} in the header "
            f"({', '.join(found.header[:12])}): which name belongs to which field is not known"
        )


def _tell_commas(found: Dialect) -> None:
    """Tell decimal commas from those between thousands, or refuse."""
    numbers = [cell for row in found.rows for cell in row if "," in cell and _COMMA.fullmatch(cell)]
    if not numbers:
        return
    example = numbers[0]
    if found.delimiter == "," or any(not _DECIMAL.fullmatch(cell) for cell in numbers):
        raise DialectError(
            f"expected numbers with a point and nothing between thousands, found '{example}': write them so"
        )
    if any(_POINT.fullmatch(cell) for row in found.rows for cell in row):
        raise DialectError(f"expected numbers of one kind, found a comma in '{example}' and points in others")
    if all(_THOUSANDS.fullmatch(cell) for cell in numbers):
        raise DialectError(
            f"expected numbers that can be read in one way, found '{example}': a comma of decimals or of thousands? "
            "Write them with a point"
        )
    found.decimal_comma = True
    found.rows = [[cell.replace(",", ".") for cell in row] for row in found.rows]
    found.notes.append(f"commas in numbers are decimal points, such as in '{example}'")
