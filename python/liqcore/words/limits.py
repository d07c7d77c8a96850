"""What no market data comes near, and a hostile file may go beyond: refused before it is held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from ..errors import InvalidConfigError

ALWAYS_UNPACKED = 64 << 20
"""Bytes that any packed file may unpack to, however small it is."""


@dataclass(frozen=True)
class Limits:
    """
    What is read and made at most; the section ``[limits]`` of a configuration says what each is.

    Files keep the limits that held when they were opened.
    """

    unpacked: int = 1_000
    json: int = 256
    header: int = 64
    columns: int = 1_000
    groups: int = 100_000
    members: int = 10_000
    symbol: int = 100
    windows: int = 100_000_000
    cells: int = 2_000_000_000


_DEFAULTS = Limits()
_current: ContextVar[Limits] = ContextVar("limits", default=_DEFAULTS)


def limits() -> Limits:
    """Return the limits that hold here."""
    return _current.get()


def hold(chosen: Limits) -> None:
    """Let other limits hold from here on, up to the end of the block of `limited` that this is in."""
    _current.set(chosen)


@contextmanager
def limited(chosen: Limits) -> Iterator[None]:
    """Let other limits hold in the block, in this thread."""
    before = _current.set(chosen)
    try:
        yield
    finally:
        _current.reset(before)


def refuse_beyond(name: str, count: float, what: str, helps: str) -> None:
    """
    Refuse what would be more than a limit.

    Raises
    ------
    InvalidConfigError
        "`what` would be more than 2,000,000,000 cells (limits.cells): `helps`".
    """
    most = getattr(limits(), name)
    if count > most:
        raise InvalidConfigError(f"{what} would be more than {most:,} {name} (limits.{name}): {helps}")
