"""Lengths of time as people write them: ``"5m"``, ``"3d"``, ``"500ms"``.

Inside, a length is whole nanoseconds. ``m`` is a minute and ``mo`` a month; a month counts 30 days and a year 365,
because a length has no calendar to look them up in.
"""

import re
from datetime import timedelta
from fractions import Fraction

import numpy as np

__all__ = ["AGES", "TIME_FRAMES", "format_duration", "parse_duration"]

TIME_FRAMES: dict[str, tuple[str, ...]] = {
    "standard": ("12h", "24h", "48h", "3d", "1w", "2w", "1mo", "3mo", "6mo", "1y"),
    "scalp": ("1h", "4h"),
    "swing": ("1w", "1mo"),
}
"""Usual lengths for ``opened_within`` and ``last``, by reading style; any other length works as well."""

AGES: tuple[str, ...] = ("1h", "4h", "1d", "1w", "1mo")
"""Lengths of time by which the age of levels is told."""

UNITS_NS: dict[str, int] = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
    "w": 7 * 86_400 * 1_000_000_000,
    "mo": 30 * 86_400 * 1_000_000_000,
    "y": 365 * 86_400 * 1_000_000_000,
}
"""Nanoseconds of each unit that `parse_duration` knows."""

_MAX_NS = 2**63 - 1
_TEXT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Za-z]+)\s*\Z")
_RULE = 'must be a length of time such as "500ms", "30s", "5m" (minutes), "4h", "3d", "1w", "1mo" (30 days) or "1y"'
# What formatting may use: weeks, months and years are left out, so that nobody takes 30 days for a calendar month.
_WRITTEN = ("d", "h", "m", "s", "ms", "us", "ns")


def parse_duration(value: str | int | timedelta | np.timedelta64 | np.integer, *, name: str = "duration") -> int:
    """
    Return a length of time in whole nanoseconds.

    Parameters
    ----------
    value : str, int, datetime.timedelta or numpy.timedelta64
        A number and a unit: ``ns``, ``us``, ``ms``, ``s``, ``m`` (minute), ``h``, ``d``, ``w``, ``mo`` (month, 30
        days) or ``y`` (year, 365 days). Fractions are allowed where they give whole nanoseconds. A whole number
        is nanoseconds.
    name : str, optional
        What the error calls the value.

    Returns
    -------
    int
        Nanoseconds, from 1 to 2**63 - 1.

    Raises
    ------
    TypeError
        If the value is none of the types above.
    ValueError
        If the text is not a length of time, or the length is not positive or not whole nanoseconds.

    Examples
    --------
    >>> parse_duration("5m"), parse_duration("1.5s"), parse_duration("1mo") == parse_duration("30d")
    (300000000000, 1500000000, True)
    """
    if isinstance(value, str):
        ns = _from_text(value, name)
    elif isinstance(value, np.timedelta64):
        ns = _from_numpy(value, name)
    elif isinstance(value, timedelta):
        ns = ((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 1_000
    elif isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        ns = int(value)
    else:
        raise TypeError(f"{name} {_RULE}, whole nanoseconds, a timedelta or a numpy.timedelta64, was {value!r}")
    shown = f'"{value}"' if isinstance(value, str) else repr(value)
    if ns < 1:
        raise ValueError(f"{name} must be longer than nothing, was {shown}")
    if ns > _MAX_NS:
        raise ValueError(f"{name} must be shorter than 292 years (64-bit nanoseconds), was {shown}")
    return ns


def format_duration(ns: int) -> str:
    """
    Return the shortest exact text of a length of time, in days or smaller units.

    Parameters
    ----------
    ns : int
        Nanoseconds, from 1 to 2**63 - 1.

    Returns
    -------
    str
        A whole number and the largest unit that divides the length; ``parse_duration`` gives `ns` back.

    Raises
    ------
    TypeError
        If `ns` is not a whole number.
    ValueError
        If `ns` is out of range.

    Examples
    --------
    >>> format_duration(300_000_000_000), format_duration(parse_duration("1w")), format_duration(1_500_000)
    ('5m', '7d', '1500us')
    """
    if isinstance(ns, bool) or not isinstance(ns, (int, np.integer)):
        raise TypeError(f"ns must be whole nanoseconds, was {ns!r}")
    if not 1 <= ns <= _MAX_NS:
        raise ValueError(f"ns must be from 1 to {_MAX_NS}, was {ns}")
    unit = next(unit for unit in _WRITTEN if ns % UNITS_NS[unit] == 0)
    return f"{ns // UNITS_NS[unit]}{unit}"


def _from_text(text: str, name: str) -> int:
    match = _TEXT.match(text)
    if match is None or match[2] not in UNITS_NS:
        hint = ""
        if match is not None and match[2] == "M":
            hint = ' (write "m" for minutes, "mo" for months)'
        elif match is not None and match[2].lower() in UNITS_NS:
            hint = f' (write "{match[2].lower()}")'
        raise ValueError(f'{name} {_RULE}, was "{text}"{hint}')
    ns = Fraction(match[1]) * UNITS_NS[match[2]]
    if ns.denominator != 1:
        raise ValueError(f'{name} must be whole nanoseconds, was "{text}"')
    return int(ns)


def _from_numpy(value: np.timedelta64, name: str) -> int:
    unit, count = np.datetime_data(value.dtype)
    if np.isnat(value):
        raise ValueError(f"{name} must be a length of time, was NaT")
    known = {"ns", "us", "ms", "s", "m", "h", "D", "W"}
    if unit not in known:  # numpy's months and years have no fixed length, and a generic one has no unit
        raise ValueError(f"{name} must be a numpy.timedelta64 in weeks, days or smaller units, was {value!r}")
    return int(value.astype(np.int64)) * count * UNITS_NS[unit.lower()]
