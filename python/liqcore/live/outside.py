"""Everything outside of liqcore that live code uses, as protocols: a clock, sockets, requests, files are handed in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol


def why(error: OSError) -> str:
    """Return what the machine says was wrong, without the path that it may name."""
    return error.strerror or type(error).__name__


class Clock(Protocol):
    """What time it is, and waiting for another."""

    def now(self) -> int:
        """Return ns since the UNIX epoch; it may step, as clocks of machines do."""

    def elapsed(self) -> int:
        """Return ns that never step, from any beginning: for ages and timeouts."""

    async def sleep(self, ns: int) -> None:
        """Wait that long."""


class Socket(Protocol):
    """One connection that sends and receives messages."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give messages as they come; ends where the other side closes, raises ConnectionError where it breaks."""

    async def send(self, message: str) -> None:
        """Send one message."""

    async def ping(self) -> None:
        """Send a ping of the protocol; raises ConnectionError where no pong comes back in time."""

    async def close(self) -> None:
        """Close it."""


class Network(Protocol):
    """Opens sockets, and asks for what is not pushed."""

    async def connect(self, url: str) -> Socket:
        """Open a socket; raises ConnectionError."""

    async def get(self, url: str) -> bytes:
        """Return the body of an answer; raises ConnectionError, also for a status other than 200."""

    async def post(self, url: str, body: bytes) -> bytes:
        """Send JSON and return the body of the answer; raises ConnectionError as get() does."""


class Commands(Protocol):
    """Runs commands of the machine."""

    def run(self, command: Sequence[str], *, given: bytes, variables: Mapping[str, str], timeout_ns: int) -> str:
        """
        Run one to its end, without a shell; return what was wrong, in words: empty, nothing was.

        Parameters
        ----------
        command : sequence of str
        given : bytes
            Its input.
        variables : mapping of str to str
            Added to its environment.
        timeout_ns : int
            After that it is ended, with all that it has started.
        """

    def end(self) -> None:
        """End, on any thread, what runs, with all that it has started; nothing is run after that."""


class Files(Protocol):
    """Where journals and checkpoints are kept."""

    def names(self, folder: Path) -> list[str]:
        """List what lies in a folder, which is made where it is missing."""

    def append(self, path: Path) -> BinaryIO:
        """Open a file to write at its end, unbuffered; it is made, for good, where it is missing."""

    def sync(self, file: BinaryIO) -> None:
        """Return once what was written is on the disk."""

    def read(self, path: Path) -> BinaryIO:
        """Open a file to read; raises FileNotFoundError."""

    def cut(self, path: Path, size: int) -> None:
        """Shorten a file to so many bytes."""

    def replace(self, path: Path, data: bytes) -> None:
        """Put a file in place of another, whole and on the disk, or not at all."""

    def lock(self, path: Path) -> AbstractContextManager[None]:
        """Hold a lock of that name until the context ends; raises BlockingIOError where somebody else holds it."""
