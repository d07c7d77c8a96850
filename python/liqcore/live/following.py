"""The markets that a process follows, as whoever serves them sees them: on any thread, keeping nobody waiting."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..feeds.events import Market
from .board import Board
from .happened import Happened
from .outside import Clock
from .player import Player
from .status import Origin, Status


class News:
    """
    The latest of what happened in markets: a `Sink`, read on any thread.

    Parameters
    ----------
    most : int, default 10_000
        How much is kept; the oldest goes first.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._last = 0
        self._kept: deque[tuple[int, Happened]] = deque(maxlen=most)

    def put(self, happened: Happened, number: int) -> None:
        """Keep it."""
        del number
        self._last += 1
        self._kept.append((self._last, happened))

    @property
    def last(self) -> int:
        """Number of the latest; 0: nothing has happened. Numbers rise by one, over all markets and kinds."""
        return self._last

    def since(self, number: int) -> list[tuple[int, Happened]]:
        """
        Return what came after a number, the oldest first.

        The first number is not the next one where some of it is not kept any more.
        """
        kept = self._kept.copy()
        return [entry for entry in kept if entry[0] > number]


@dataclass(frozen=True, slots=True)
class Following:
    """
    What is followed, and from where.

    Attributes
    ----------
    boards : mapping of Market to Board
        Of the main model.
    news : News
        Of all markets.
    source : {"live", "replay", "demo"}
        Feeds of venues, a recording, or the simulator's market, which is synthetic.
    folder : Path
        Where the journals are.
    clock : Clock
        Of the machine; a replay's events are of their own time.
    statuses : mapping of Market to Status
        How each goes: rates, what cannot be written, why an engine has stopped.
    player : Player or None
        What plays it, where it is a recording that can be played otherwise.
    models : mapping of str to mapping of Market to Board
        All models that are followed, the main one first, with their boards.
    """

    boards: Mapping[Market, Board]
    news: News
    source: Origin
    folder: Path
    clock: Clock
    statuses: Mapping[Market, Status] = field(default_factory=dict)
    player: Player | None = None
    models: Mapping[str, Mapping[Market, Board]] = field(default_factory=dict)

    def of(self, model: str | None) -> Mapping[Market, Board]:
        """Return the boards of a model, by default the main one; KeyError: it is not followed."""
        return self.boards if model is None else self.models[model]
