"""Engines as bytes (docs/reference/engine-file.md): in memory, in files, in pickles; and clones."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .. import _core
from ..errors import DataError, InvalidConfigError
from ..tables.archive import NO_CHECKSUM, NOT_AS_SAID, why
from ..words.files import write_whole

if TYPE_CHECKING:
    from typing_extensions import Buffer

PARQUET = b"PAR1"
"""How files of engines began before that format."""


def notes_of(dropped_leverage: Sequence[float], fitted: str | None = None) -> str:
    """Say what only Python knows of an engine."""
    said: dict[str, Any] = {"dropped_leverage": list(dropped_leverage)} if dropped_leverage else {}
    if fitted:
        said["fitted"] = fitted
    return json.dumps(said) if said else ""


def dropped_of(notes: bytes) -> tuple[float, ...]:
    """Return what `notes_of` said; nothing from the notes of others, which may be anything."""
    try:
        return tuple(float(leverage) for leverage in json.loads(notes)["dropped_leverage"])
    except (ValueError, TypeError, KeyError):
        return ()


def fitted_of(notes: bytes) -> str | None:
    """Return the fitted profile that `notes_of` named; None from the notes of others."""
    try:
        said = json.loads(notes)["fitted"]
    except (ValueError, TypeError, KeyError):
        return None
    return said if isinstance(said, str) else None


class Saving(_core.Engine):
    """The native engine, with what makes another one of it: here, later or elsewhere."""

    #: Leverages of the profile that the venue does not offer: left out, their shares divided among the rest.
    dropped_leverage: tuple[float, ...]
    #: What is to be known of how the engine came about, such as that its file carried no checksum.
    notes: list[str]
    #: The fitted profile that the weights are of, by its name; None: they are assumed.
    fitted: str | None = None

    def clone(self) -> Self:
        """
        Return another engine that stands where this one stands: what follows is bit for bit the same.

        Costs a copy of the book: closed windows are shared, and so are the threads, at which the two take turns. It has
        no callback. `copy.copy` and `copy.deepcopy` do the same. May be called in a callback.
        """
        out = type(self).__new__(type(self))
        _core.Engine.__setstate__(out, self)
        out.__dict__.update(self.__dict__)
        return out

    def __copy__(self) -> Self:
        return self.clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.clone()

    def to_bytes(self) -> bytes:
        """
        Return the engine as bytes: what `save` writes, and what C and C++ write of the same engine.

        `pickle` does so, too, and keeps the number of threads besides.

        Raises
        ------
        InvalidConfigError
            Before the first price, when there is nothing to save.
        """
        return self._save(notes_of(self.dropped_leverage, self.fitted))

    @classmethod
    def from_bytes(cls, data: Buffer, *, threads: int = 1) -> Self:
        """
        Make the engine that `to_bytes` returned, or that C or C++ saved: what follows is bit for bit the same.

        Only the USD liquidated in the window in progress may differ in their last digits, where a scale in it has left
        fractions.

        Parameters
        ----------
        data : bytes-like
            Everything in it is checked before it is used; no bytes do harm.
        threads : int, default 1
            As for a new engine.

        Raises
        ------
        DataError
            If the bytes are damaged, cut off or of a later format; the message names the part.
        """
        if not 1 <= threads <= 256:
            raise InvalidConfigError(f"threads must be between 1 and 256, was {threads}")
        engine = cls.__new__(cls)
        engine.__setstate__((data, threads))
        return engine

    def __getstate__(self) -> tuple[bytes, int]:
        return self.to_bytes(), self.threads

    def __setstate__(self, state: tuple[Buffer, int] | _core.Engine) -> None:
        super().__setstate__(state)
        self.dropped_leverage, self.fitted = dropped_of(self._notes), fitted_of(self._notes)
        self.notes = []

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Save the engine's whole state as one file, which appears whole or not at all and carries a checksum.

        `Engine.load` goes on from there, bit for bit (with half-lives too). Callbacks are not saved. The bytes are
        those of `to_bytes`: C and C++ read them as well.

        Raises
        ------
        InvalidConfigError
            Before the first price, when there is nothing to save.
        """
        data = self.to_bytes()
        with write_whole(path) as file:
            file.write(data)
        return Path(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int = 1) -> Self:
        """
        Make the engine that `save` wrote, or that C or C++ saved.

        An engine that liqcore 0.1.0 saved (as Parquet) loads, too; its `notes` say that it carries no checksum.

        Parameters
        ----------
        path : path
            The file.
        threads : int, default 1
            As for a new engine: how many there were is not saved.

        Raises
        ------
        DataError
            If the file is not one, or is damaged: the message names the part.
        """
        with open(path, "rb") as file:
            start = file.read(len(PARQUET))
            data = start if start == PARQUET else start + file.read()
        if start != PARQUET:
            try:
                return cls.from_bytes(data, threads=threads)
            except DataError as error:
                raise DataError(f"{path}: expected an engine saved by liqcore: {error}") from None
        from .saved import read_engine

        make: Any = cls  # the constructor of an engine, not of the native one
        try:
            saved = read_engine(path)
            engine: Self = make(**saved.arguments, threads=threads)
            engine._restore(saved.history, saved.state)
        except DataError:
            raise
        except NOT_AS_SAID as error:
            raise DataError(f"{path}: expected an engine saved by liqcore, found that {why(error)}") from None
        engine.dropped_leverage = saved.dropped_leverage
        engine.notes = [NO_CHECKSUM.format(Path(path).name)]
        return engine
