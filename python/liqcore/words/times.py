"""
Times as people write them: lengths such as ``"5m"``, ``"3d"``, ``"500ms"``, and instants such as ``"2026-06-12"``.

Inside, both are whole nanoseconds, instants since the UNIX epoch. ``m`` is a minute and ``mo`` a month; a month counts
30 days and a year 365, because a length has no calendar to look them up in.
"""

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, InvalidConfigError

__all__ = ["AGES", "TIME_FRAMES", "Length", "Time", "format_duration", "iso", "parse_duration", "to_ns"]

Time: TypeAlias = int | str | date | datetime | np.datetime64
"""An instant as callers write it; a whole number is nanoseconds since the UNIX epoch, UTC."""

Length: TypeAlias = str | int | timedelta | np.timedelta64
"""A length of time as callers write it; a whole number is nanoseconds."""

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

_NANOSECONDS = (np.dtype(np.int64), np.dtype("datetime64[ns]"))
_MAX_NS = 2**63 - 1
_SPAN = "that 64 bits of nanoseconds hold (years 1678 to 2261)"
_YEAR_OR_MONTH = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?\Z")
_FRACTION = re.compile(r"([.,][0-9]{6})([0-9]+)")  # of a second, with what comes below the microsecond
_TEXT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Za-z]+)\s*\Z")
_RULE = 'must be a length of time such as "500ms", "30s", "5m" (minutes), "4h", "3d", "1w", "1mo" (30 days) or "1y"'
# What formatting may use: weeks, months and years are left out, so that nobody takes 30 days for a calendar month.
_WRITTEN = ("d", "h", "m", "s", "ms", "us", "ns")


def parse_duration(value: Length | np.integer, *, name: str = "duration") -> int:
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
    InvalidConfigError
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
        raise InvalidConfigError(f"{name} must be longer than nothing, was {shown}")
    if ns > _MAX_NS:
        raise InvalidConfigError(f"{name} must be shorter than 292 years (64-bit nanoseconds), was {shown}")
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
    InvalidConfigError
        If `ns` is out of range.

    Examples
    --------
    >>> format_duration(300_000_000_000), format_duration(parse_duration("1w")), format_duration(1_500_000)
    ('5m', '7d', '1500us')
    """
    if isinstance(ns, bool) or not isinstance(ns, (int, np.integer)):
        raise TypeError(f"ns must be whole nanoseconds, was {ns!r}")
    if not 1 <= ns <= _MAX_NS:
        raise InvalidConfigError(f"ns must be from 1 to {_MAX_NS}, was {ns}")
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
        raise InvalidConfigError(f'{name} {_RULE}, was "{text}"{hint}')
    ns = Fraction(match[1]) * UNITS_NS[match[2]]
    if ns.denominator != 1:
        raise InvalidConfigError(f'{name} must be whole nanoseconds, was "{text}"')
    return int(ns)


def _from_numpy(value: np.timedelta64, name: str) -> int:
    unit, count = np.datetime_data(value.dtype)
    if np.isnat(value):
        raise InvalidConfigError(f"{name} must be a length of time, was NaT")
    known = {"ns", "us", "ms", "s", "m", "h", "D", "W"}
    if unit not in known:  # numpy's months and years have no fixed length, and a generic one has no unit
        raise InvalidConfigError(f"{name} must be a numpy.timedelta64 in weeks, days or smaller units, was {value!r}")
    return int(value.astype(np.int64)) * count * UNITS_NS[unit.lower()]


def to_ns(ts: Time, *, name: str = "ts") -> int:
    """
    Return an instant as nanoseconds since the UNIX epoch; UTC where no zone is given.

    Parameters
    ----------
    ts : int, str, date, datetime or datetime64
        A whole number is nanoseconds already. Text is ISO: a year, month, day, or a day with a time, down to the
        nanosecond.
    name : str, optional
        What the error calls the value.

    Raises
    ------
    InvalidConfigError
        If the text is no time, or 64 bits of nanoseconds do not hold it (years 1678 to 2261).
    TypeError
        If it is none of those types.

    Examples
    --------
    >>> to_ns("2026-06-12T10:00"), to_ns(1_781_258_400_000_000_000)
    (1781258400000000000, 1781258400000000000)
    >>> to_ns("2026-06-12T12:00:00.000000001+02:00"), to_ns("2026-06")
    (1781258400000000001, 1780272000000000000)
    """
    below = 0  # nanoseconds that a datetime does not hold
    given = ts
    if isinstance(ts, int | np.integer) and not isinstance(ts, bool):
        if not -_MAX_NS <= ts <= _MAX_NS:
            raise InvalidConfigError(f"{name} must be a time {_SPAN}, was {ts} ns")
        return int(ts)
    if isinstance(ts, np.datetime64):
        exact = ts.astype("datetime64[ns]")
        if np.isnat(ts):
            raise InvalidConfigError(f"{name} must be a time, was NaT")
        if exact.astype(ts.dtype) != ts:
            raise InvalidConfigError(f"{name} must be a time {_SPAN}, was {ts!s}")
        return int(exact.astype(np.int64))
    if isinstance(ts, str):
        try:
            ts, below = _instant(ts.strip())
        except ValueError:
            raise InvalidConfigError(f'{name} must be ISO text such as "2026-06-12T10:00", was {given!r}') from None
    elif isinstance(ts, date) and not isinstance(ts, datetime):
        ts = datetime(ts.year, ts.month, ts.day)
    if not isinstance(ts, datetime):
        raise TypeError(f"{name} must be int ns, ISO text, date, datetime or datetime64, was {type(ts).__name__}")
    below = below or int(getattr(ts, "nanosecond", 0))  # of pandas' Timestamp, which is a datetime
    zoned = ts if ts.tzinfo is not None else ts.replace(tzinfo=UTC)
    delta = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    ns = ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000 + below
    if not -_MAX_NS <= ns <= _MAX_NS:
        raise InvalidConfigError(f"{name} must be a time {_SPAN}, was {given!r}")
    return ns


def _instant(text: str) -> tuple[datetime, int]:
    """Return what ISO text says, and the nanoseconds below its microsecond."""
    if (match := _YEAR_OR_MONTH.match(text)) is not None:
        return datetime(int(match[1]), int(match[2] or 1), 1), 0
    below = 0
    if (match := _FRACTION.search(text)) is not None:
        if len(match[2]) > 3:
            raise ValueError(text)
        below = int(match[2].ljust(3, "0"))
        text = text[: match.end(1)] + text[match.end() :]
    return datetime.fromisoformat(text), below


def refuse_other_units(ts: NDArray[Any], name: str = "ts") -> None:
    """
    Refuse times of data that are not nanoseconds: below 10^17, March 1973, lie all that are in s, ms or us by mistake.

    The first of an array tells: a later one before it counts as late.

    Raises
    ------
    DataError
        With the unit that they seem to be.
    """
    if not isinstance(ts, np.ndarray) or ts.dtype not in _NANOSECONDS or not ts.size:
        return
    odd = int(ts.ravel()[0].astype(np.int64))
    if odd >= 10**17:
        return
    unit = next((unit for unit, least in (("us", 10**14), ("ms", 10**11), ("s", 10**8)) if odd >= least), None)
    words = {"us": "microseconds", "ms": "milliseconds", "s": "seconds"}
    seems = "no time since 1973" if unit is None else f"{words[unit]}: multiply by {UNITS_NS[unit]:_}"
    raise DataError(f"{name} must be nanoseconds since the UNIX epoch, found {odd}, which seems to be {seems}")


def in_ns(ts: NDArray[Any], name: str = "ts") -> NDArray[Any]:
    """
    Return times of data as nanoseconds: datetime64 of any unit as int64, anything else as it is.

    Raises
    ------
    DataError
        If a time lies outside the years 1678 to 2261, which are all that 64 bits of nanoseconds can tell.

    Examples
    --------
    >>> in_ns(np.array(["2026-06-12T10:00"], "datetime64[m]"))
    array([1781258400000000000])
    """
    if not isinstance(ts, np.ndarray) or ts.dtype.kind != "M":
        return ts
    out = ts.astype("datetime64[ns]")
    if not np.array_equal(out.astype(ts.dtype), ts, equal_nan=True):
        raise DataError(f"{name} must lie between the years 1678 and 2261, where nanoseconds reach, found others")
    return out.view(np.int64)


def iso(ns: int) -> str:
    """Return a time as ISO text to the second, such as 2026-06-12T10:00:00Z."""
    return f"{np.datetime64(ns, 'ns').astype('datetime64[s]')}Z"


def iso_exact(ns: int) -> str:
    """
    Return a time as the shortest ISO text that `to_ns` reads as the same nanosecond.

    Examples
    --------
    >>> iso_exact(1_781_258_400_000_000_000), iso_exact(1_781_258_400_500_000_000)
    ('2026-06-12T10:00:00Z', '2026-06-12T10:00:00.5Z')
    """
    whole, _, fraction = str(np.datetime64(ns, "ns")).partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"
