"""Hyperliquid's answers about accounts (clearinghouseState), as saved: one row a position."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..words.plain import kind_of
from .text import TextFile

STATE = "assetPositions"
"""The field that tells such an answer."""

COLUMNS = (
    "time", "coin", "szi", "liquidation_price", "entry_price", "leverage", "mode", "position_value", "mark", "account"
)  # fmt: skip

_DEEPEST = 6
"""Objects and lists around an answer: messages of a stream, answers by account, pages."""


class PositionStates:
    """
    The positions of saved answers, one or many in one file: objects, a list, one a line, or by account.

    Attributes
    ----------
    header : tuple of str
    rows : list of list of str
        Numbers as the text that the file has; empty where an answer does not say.
    states : int
        Accounts' answers, those without positions among them.
    size : int
        Bytes on disk.
    """

    header = COLUMNS

    def __init__(self, path: Path) -> None:
        self.file = TextFile(path)
        self.size = self.file.size
        self.rows: list[list[str]] = []
        self.states = 0
        for answer in self._answers():
            for state, account in _states(answer, "", _DEEPEST):
                self.states += 1
                self._add(state, account)

    def error(self, text: str) -> DataError:
        """Make an error that names the file."""
        return self.file.error(text)

    def _answers(self) -> Iterator[Any]:
        decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
        try:
            text = self.file.content().decode("utf-8-sig").strip()
            at = 0
            while at < len(text):
                answer, at = decoder.raw_decode(text, at)
                while at < len(text) and text[at] in " \t\r\n,":
                    at += 1
                yield answer
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise self.error(f"expected JSON, found it damaged ({error})") from error

    def _add(self, state: dict[str, Any], account: str) -> None:
        listed = state[STATE]
        if not isinstance(listed, list):
            raise self.error(f"expected a list of positions in {STATE}, found {kind_of(listed)}")
        time = _text(state.get("time"))
        for entry in listed:
            of = entry.get("position") if isinstance(entry, dict) else None
            if not isinstance(of, dict):
                self.rows.append([time, *[""] * (len(COLUMNS) - 1)])  # counted as a row that says no side
                continue
            leverage = of.get("leverage")
            lever = leverage if isinstance(leverage, dict) else {"value": leverage}
            cells = [time, *(_text(of.get(name)) for name in ("coin", "szi", "liquidationPx", "entryPx"))]
            cells += [_text(lever.get("value")), _text(lever.get("type")), _text(of.get("positionValue"))]
            self.rows.append([*cells, _mark(of), account])


def _states(answer: Any, account: str, left: int) -> Iterator[tuple[dict[str, Any], str]]:
    """Find the answers in what stands around them, each with the account that is named nearest outside."""
    if left < 0:
        return
    if isinstance(answer, list):
        if len(answer) == 2 and isinstance(answer[0], str) and isinstance(answer[1], dict):  # each beside whose it is
            account, answer = answer
        else:
            for one in answer:
                yield from _states(one, account, left - 1)
            return
    if not isinstance(answer, dict):
        return
    account = next((answer[key] for key in ("user", "account", "address") if isinstance(answer.get(key), str)), account)
    if STATE in answer:
        yield answer, account
        return
    for key, value in answer.items():
        if isinstance(value, dict | list):
            yield from _states(value, key if key.startswith("0x") else account, left - 1)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _mark(position: dict[str, Any]) -> str:
    """Value over size: the mark price that the value was reckoned at."""
    try:
        size, value = float(position["szi"]), float(position["positionValue"])
        return repr(value / abs(size)) if size else ""
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return ""


def holds_states(path: Path) -> bool:
    """Whether a JSON file holds such answers, by its first bytes."""
    return STATE.encode() in TextFile(path).content(1 << 16)
