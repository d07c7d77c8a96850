"""Answers of venues' REST interfaces, as saved: JSON, one answer or several, to the rows of a table."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError
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
    venue : str
        Told by the envelope: ``"bybit"``, ``"okx"``, ``"htx"``; empty: none of those.
    symbol, category : str or None
        What the envelope says of all its rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = TextFile(path)
        self.size = self._file.size
        self.venue = ""
        self.symbol: str | None = None
        self.category: str | None = None
        rows = [row for answer in self._answers() for row in self._unwrap(answer)]
        if not rows:
            raise self.error("expected rows, found an answer without any")
        if len({type(row) for row in rows}) > 1:
            raise self.error("expected rows of one kind, found objects among lists")
        self.header: list[str] | None = None
        if isinstance(rows[0], dict):
            self.header = list(dict.fromkeys(name for row in rows for name in row))
            rows = [[row.get(name) for name in self.header] for row in rows]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
        self._text = text.getvalue().encode()
        lines = self._text.split(b"\n", 20)[:20]
        self.rows = [cells(line.decode()) for line in lines if line]
        self.first_line = lines[0].decode()[:80]

    def error(self, text: str) -> DataError:
        """Make an error that names the file."""
        return self._file.error(text)

    def pieces(self) -> Iterator[memoryview]:
        """Yield all rows as delimited text."""
        yield memoryview(self._text)

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
        """Return the rows of an answer, and note what its envelope says."""
        if isinstance(answer, list):
            if answer and all(isinstance(item, dict) and _is_envelope(item) for item in answer):
                return [row for page in answer for row in self._unwrap(page)]
            if not all(isinstance(item, dict | list) for item in answer):
                return [answer]  # one row by itself
            return answer
        if not isinstance(answer, dict):
            raise self.error(f"expected objects or lists, found {str(answer)[:40]!r}")
        if not _is_envelope(answer):
            return [answer]
        code = str(answer.get("retCode", answer.get("code", "0")))
        if code not in ("0", "200") or answer.get("status") == "error":
            said = answer.get("retMsg") or answer.get("msg") or answer.get("err-msg") or ""
            raise self.error(f"expected rows, found a venue's refusal: {code} {said}".rstrip())
        if "result" in answer:
            result = answer["result"]
            self.venue = "bybit" if "retCode" in answer else self.venue
            inner = result if isinstance(result, dict) else {}
            self.symbol = inner.get("symbol") or self.symbol
            self.category = inner.get("category") or self.category
            rows = inner.get("list", []) if isinstance(result, dict) else result
        else:
            rows = answer["data"]
            self.venue = "okx" if "code" in answer else self.venue
            if isinstance(rows, dict) and "tick" in rows:
                self.venue = "htx"
                self.symbol = rows.get("contract_code") or rows.get("symbol") or self.symbol
                rows = rows["tick"]
        return self._unwrap(rows) if isinstance(rows, list) else [rows]


def _is_envelope(answer: dict[str, Any]) -> bool:
    return ("result" in answer and ("retCode" in answer or isinstance(answer["result"], list))) or (
        "data" in answer and ("code" in answer or "status" in answer)
    )


def _cell(value: Any) -> str:
    """Return a value as it stands in delimited text; what is no single value is left empty."""
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).replace("\n", " ").replace("\r", " ")
