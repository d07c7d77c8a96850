"""The clock of this machine, and its commands."""

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ..words.plain import plain

_SAID = 200  # characters of what a command wrote to stderr


class SystemClock:
    """The time of this machine, as it is."""

    def now(self) -> int:
        """Return ns since the UNIX epoch."""
        return time.time_ns()

    def elapsed(self) -> int:
        """Return ns that never step."""
        return time.monotonic_ns()

    async def sleep(self, ns: int) -> None:
        """Wait that long."""
        await asyncio.sleep(ns / 1_000_000_000)


class SystemCommands:
    """Commands of this machine."""

    def run(self, command: Sequence[str], *, given: bytes, variables: Mapping[str, str], timeout_ns: int) -> str:
        """Run one to its end; see `Commands.run`."""
        with (
            tempfile.TemporaryFile() as input,
            tempfile.TemporaryFile() as errors,
        ):  # pipes could fill, and be held open
            input.write(given)
            input.seek(0)
            try:
                process = subprocess.Popen(
                    list(command),
                    stdin=input,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env={**os.environ, **variables},
                    start_new_session=True,  # an interrupt of ours is not its, and it can be ended with its children
                )
            except (OSError, ValueError) as error:
                return f"it cannot be started: {plain(str(error), _SAID)}"
            try:
                code = process.wait(timeout_ns / 1e9)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
                process.wait()
                return f"it took longer than {timeout_ns / 1e9:g} s and was ended"
            if not code:
                return ""
            errors.seek(0)
            said = plain(errors.read(4 * _SAID).decode(errors="replace"), _SAID)
            return f"it ended with code {code}{f': {said}' if said else ''}"
