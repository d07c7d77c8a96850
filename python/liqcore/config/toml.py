"""TOML: on which line a key of a file stands, and the file that explains itself."""

import json
import re
import textwrap
from collections.abc import Container, Iterator, Mapping
from typing import Any

from .._core import MarginSchedule
from . import risk_tiers
from .rules import TierTable, tier_text
from .sections import SETTINGS

_BARE_OR_QUOTED = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')\s*""")
_LINE_OF_FAULT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)\Z")


def toml_fault(text: str, name: str, message: str) -> str:
    """Return tomllib's message as ours, which begins with file and line."""
    match = _LINE_OF_FAULT.search(message)
    if match is None:
        return f"{name}: not TOML: {message}"
    line = match[1] or str(text.count("\n") + (not text.endswith("\n")))
    return f"{name}:{line}: not TOML: {message[: match.start()]}"


def _dotted(text: str) -> tuple[tuple[str, ...], str]:
    """Read a dotted key from the beginning of a line; return its parts and what follows."""
    parts: list[str] = []
    while (match := _BARE_OR_QUOTED.match(text)) is not None:
        parts.append(next(part for part in match.groups() if part is not None))
        text = text[match.end() :]
        if not text.startswith("."):
            break
        text = text[1:]
    return tuple(parts), text


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """
    Return the line on which each key and section of a valid TOML text stands first.

    tomllib tells no positions. Values need not be understood here, only skipped where they run over several lines.
    """
    lines: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    fence = ""  # of a text over several lines that is still open
    depth = 0  # of brackets that are still open
    for number, line in enumerate(text.split("\n"), start=1):
        inside = bool(fence) or depth > 0
        if not inside and line.lstrip().startswith("["):
            section, _ = _dotted(line.lstrip().lstrip("["))
            for length in range(1, len(section) + 1):
                lines.setdefault(section[:length], number)
            continue
        rest = line
        if not inside:
            path, rest = _dotted(line)
            if not rest.startswith("="):  # empty, or a comment
                continue
            for length in range(1, len(path) + 1):
                lines.setdefault(section + path[:length], number)
        fence, opened = _open_at_end(rest, fence)
        depth += opened
    return lines


_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|[\[\]{}#]')


def _open_at_end(line: str, fence: str) -> tuple[str, int]:
    """Return the fence of a text left open at the end of a line, and how many brackets the line opens."""
    depth = 0
    position = 0
    while position < len(line):
        if fence:
            end = _end_of_text(line, fence, position)
            if end < 0:
                return fence, depth
            position, fence = end, ""
            continue
        match = _TOKEN.search(line, position)
        if match is None or match[0] == "#":
            break
        position = match.end()
        if match[0] in ('"""', "'''"):
            fence = match[0]
        elif match[0] in "[{":
            depth += 1
        elif match[0] in "]}":
            depth -= 1
    return fence, depth


def _end_of_text(line: str, fence: str, position: int) -> int:
    while position < len(line):
        if fence == '"""' and line[position] == "\\":
            position += 2
        elif line.startswith(fence, position):
            end = position + 3
            while end < len(line) and line[end] == fence[0] and end < position + 5:  # up to two quotes belong to it
                end += 1
            return end
        else:
            position += 1
    return -1


def toml_lines(sections: Mapping[str, Any], given: Container[str] = ()) -> Iterator[str]:
    """Write every setting with its meaning; what has no value, or is found out where not `given`, is commented out."""
    yield "# Settings of liqcore. A key that is commented out is decided from the data, or has the default named."
    yield "# Variables such as LIQCORE_WINDOW_LENGTH override this file, flags override both."
    has_shares = sections["leverage"].shares is not None
    for section, entries in SETTINGS.items():
        yield ""
        yield f"[{section}]"
        tables: list[str] = []
        for name, entry in entries.items():
            value = getattr(sections[section], name)
            words = entry.doc
            if entry.unset:
                words += f" Left out: {entry.unset}."
            comment = textwrap.fill(words, 100, initial_indent="# ", subsequent_indent="# ")
            if isinstance(value, TierTable):
                tables += ["", comment, f"[{section}.{name}]"]
                tables += [f'"{tier_text(tier)}" = {toml_value(item)}' for tier, item in value.items()]
                continue
            if isinstance(value, MarginSchedule):
                tables += ["", comment, f"[{section}.{name}]", *risk_tiers.toml_lines(value)]
                continue
            yield comment
            left = entry.found and value == entry.default and entry.key not in given
            skipped = value is None or left or (entry.key == "leverage.preset" and has_shares)
            shown = entry.example if value is None else toml_value(value)
            yield f"{'# ' if skipped else ''}{name} = {shown}"
        yield from tables


def toml_value(value: str | float | bool | tuple[Any, ...]) -> str:
    """Write a value."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
