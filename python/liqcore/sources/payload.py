"""Answers of venues' REST interfaces, as saved: JSON, one answer or several, to the rows of a table."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError
from .envelopes import is_envelope, refusal, unwrap, venue_of
from .layout import cells
from .text import TextFile


def is_payload(path: Path) -> bool:
    """
    Whether a file (packed or not) is JSON, by its first character.

    Raises
    ------
    DataError
        If it is empty or damaged.
    """
    return TextFile(path).content(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


class PayloadTable:
    """
    The rows of saved answers: one, a list of them, or one after another (such as one a line).

    Numbers are kept as the text that the file has, so that they are parsed as those of a CSV file are. The file is held
    in memory.

    Attributes
    ----------
    path : Path
    size : int
        Bytes on disk.
    header : list of str or None
        The fields' names; None where the rows are lists.
    rows : list of list of str
        The cells of the first rows, at most 20.
    first_line : str
    position : int
        Bytes that have been read, of `size`.
    notes : list of str
    venue : str
        Told by the envelope, as `envelopes.SUCCESS` has it; empty: it does not tell.
    symbol, category, topic : str or None
        What the envelope says of all its rows; the topic is the channel of a stream.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = TextFile(path)
        self.size = self._file.size
        self.venue = ""
        self.notes: list[str] = []
        self.delimiter = ","
        self.lines_before = 0
        self.symbol: str | None = None
        self.category: str | None = None
        self.topic: str | None = None
        rows = [row for answer in self._answers() for row in self._unwrap(answer)]
        if not rows:
            raise self.error("expected rows, found an answer without any")
        if len({type(row) for row in rows}) > 1:
            raise self.error("expected rows of one kind, found objects among lists")
        self.header: list[str] | None = None
        if isinstance(rows[0], dict):
            self.header = self._names(rows)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [_cell(value) for value in (row if self.header is None else map(row.get, self.header))] for row in rows
        )
        self._text = text.getvalue().encode()
        lines = self._text.split(b"\n", 20)[:20]
        self.rows = [cells(line.decode()) for line in lines if line]
        if not self.rows:
            raise self.error("expected rows, found an answer without any")
        self.first_line = lines[0].decode()[:80]

    def _names(self, rows: list[dict[str, Any]]) -> list[str]:
        names: dict[str, None] = {}
        for row in rows:
            names.update(dict.fromkeys(row))
            if len(names) > self._file.limits.columns:
                raise self.error(
                    f"expected rows of the same columns, found more than {self._file.limits.columns:,} names "
                    "(limits.columns)"
                )
        if len(names) * len(rows) > self._file.limits.json << 20:  # a byte each, at least
            raise self.error(
                f"expected rows of the same columns, found {len(rows):,} rows of {len(names):,} names in all, a table "
                f"of over {self._file.limits.json:,} MiB (limits.json)"
            )
        return list(names)

    def error(self, text: str) -> DataError:
        """Make an error that names the file."""
        return self._file.error(text)

    @property
    def position(self) -> int:
        """Bytes that have been read: all."""
        return self.size

    @property
    def is_short(self) -> bool:
        """Whether `head` is all there is."""
        return len(self.head()) == len(self._text)

    def pieces(self, _size: int = 0) -> Iterator[memoryview]:
        """Yield all rows as delimited text, at once."""
        yield memoryview(self._text)

    def samples(self) -> Iterator[memoryview]:
        """Yield all rows, which are in memory."""
        yield memoryview(self._text)

    def head(self) -> memoryview:
        """Return the first lines of that text."""
        end = self._text.find(b"\n", 1 << 18) + 1
        return memoryview(self._text)[: end or None]

    def _answers(self) -> Iterator[Any]:
        decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
        try:
            text = self._file.content().decode("utf-8-sig").strip()
            at = 0
            while at < len(text):
                answer, at = decoder.raw_decode(text, at)
                while at < len(text) and text[at].isspace():
                    at += 1
                yield answer
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise self.error(f"expected JSON, found it damaged ({error})") from error

    def _unwrap(self, answer: Any) -> list[Any]:
        """Return the rows of an answer, objects or lists, and note what its envelope says."""
        if isinstance(answer, list):
            if all(isinstance(item, dict) and is_envelope(item) for item in answer):
                return [row for page in answer for row in self._unwrap(page)]
            if any(isinstance(item, dict | list) for item in answer):
                return self._checked(answer)
            return [answer]  # one row by itself
        if not isinstance(answer, dict):
            return self._checked([answer])
        if said := refusal(answer):
            raise self.error(f"expected rows, found a venue's refusal: {said}")
        if not is_envelope(answer):
            return self._checked([answer])
        self.venue = venue_of(answer)
        rows, passed = unwrap(answer)
        for said_by in passed:
            symbol = _word(said_by.get("contract_code")) or _word(said_by.get("symbol"))
            self.symbol = symbol or self.symbol
            self.category = _word(said_by.get("category")) or self.category
            topic = said_by.get("topic") or said_by.get("channel") or said_by.get("ch") or said_by.get("arg")
            self.topic = _word(topic.get("channel") if isinstance(topic, dict) else topic) or self.topic
        return self._checked(rows)

    def _checked(self, rows: list[Any]) -> list[Any]:
        if all(isinstance(row, list) and len(row) == 2 and isinstance(row[1], dict) for row in rows):
            rows = [row[1] for row in rows]  # each beside whose it is: Hyperliquid's blocks of fills
        for row in rows:
            if not isinstance(row, dict | list):
                raise self.error(f"expected objects or lists as rows, found {str(row)[:40]!r}")
        return rows


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _cell(value: Any) -> str:
    """Return a value as it stands in delimited text; what is no single value is left empty."""
    if value is None or isinstance(value, dict | list):
        return ""
    if value in (True, False, "true", "false"):
        return str(int(value in (True, "true")))
    return str(value).replace("\n", " ").replace("\r", " ")
