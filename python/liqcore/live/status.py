"""How each market goes that is recorded or followed, in numbers that any thread may read."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ..feeds.events import Change, Frame, Kind, Market, State
from ..feeds.frames import DRIVER, told_by

Origin: TypeAlias = Literal["live", "replay", "demo"]
"""Feeds of venues, a recording, or the simulator's market, which is synthetic."""


@dataclass(slots=True)
class Status:
    """
    How a market goes that is recorded or followed.

    Attributes
    ----------
    market : Market
    frames, size : int
        How many have come, and their bytes.
    rate : float
        Frames a second, over the last second.
    lag : int or None
        By how much the last event was older than its receipt, ns; None: no event has come yet.
    states : dict
        Of the streams, by kind.
    holes : int
        How many could not be filled.
    error : str
        Why nothing can be written at present.
    stopped : str
        Why its engine goes on no more; what comes is recorded all the same.
    models : dict of str to str
        The same of further models that are followed beside the main one, by name.
    has_ended : bool
        Whether its source has no more, as a recording at its end; what there is is shown on.
    unfed : int
        How many frames have been written that its engine has not been fed yet.
    trouble : str
        What has gone wrong most often with its connections.
    """

    market: Market
    frames: int = 0
    size: int = 0
    rate: float = 0.0
    lag: int | None = None
    states: dict[Kind, State] = field(default_factory=dict)
    holes: int = 0
    error: str = ""
    trouble: str = ""
    stopped: str = ""
    unfed: int = 0
    has_ended: bool = False
    models: dict[str, str] = field(default_factory=dict)
    _last: Frame | None = None
    _before: int = 0

    def see(self, frame: Frame) -> None:
        """Take a frame."""
        self.frames += 1
        self.size += len(frame.body)
        if frame.source == DRIVER:
            for told in told_by(frame):
                if isinstance(told, Change):
                    self.states = {**self.states, told.kind: told.state}  # others read it meanwhile
                    self.holes += told.state == "gap open"
        else:
            self._last = frame

    def tick(self, seconds: float) -> None:
        """Bring rate and lag up to date."""
        self.rate, self._before = (self.frames - self._before) / seconds, self.frames
        if self._last is not None:
            times = [ts for told in told_by(self._last) if (ts := getattr(told, "ts", None)) is not None]
            if times:
                self.lag = self._last.received - max(times)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was recorded, and what is to be known of it."""

    statuses: list[Status]
    files: list[Path]
    seconds: float
    notes: list[str]
