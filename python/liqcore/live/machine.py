"""The clock of this machine, and its commands."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ..words.plain import plain

_SAID = 200  # characters of what a command wrote to stderr
_GRACE_S = 0.5  # between being asked to end and being killed


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

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._changing = threading.Lock()
        self._over = False

    def run(self, command: Sequence[str], *, given: bytes, variables: Mapping[str, str], timeout_ns: int) -> str:
        """Run one to its end; see `Commands.run`."""
        with (
            tempfile.TemporaryFile() as input,
            tempfile.TemporaryFile() as errors,
        ):  # pipes could fill, and be held open
            input.write(given)
            input.seek(0)
            try:
                with self._changing:
                    if self._over:
                        return "liqcore was ending"
                    process = subprocess.Popen(
                        list(command),
                        stdin=input,
                        stdout=subprocess.DEVNULL,
                        stderr=errors,
                        env={**os.environ, **variables},
                        start_new_session=True,  # an interrupt of ours is not its; it can be ended with its children
                    )
                    self._running.add(process)
            except (OSError, ValueError) as error:
                return f"it cannot be started: {plain(str(error), _SAID)}"
            try:
                code = process.wait(timeout_ns / 1e9)
            except subprocess.TimeoutExpired:
                _signal(process, is_kill=True)
                process.wait()
                return f"it took longer than {timeout_ns / 1e9:g} s and was ended"
            finally:
                with self._changing:
                    self._running.discard(process)
            if not code:
                return ""
            if self._over:
                return "it still ran when liqcore ended, and was ended with it"
            errors.seek(0)
            said = plain(errors.read(4 * _SAID).decode(errors="replace"), _SAID)
            return f"it ended with code {code}{f': {said}' if said else ''}"

    def end(self) -> None:
        """End what runs, with all that it has started; see `Commands.end`."""
        with self._changing:
            self._over = True
            running = list(self._running)
        for process in running:
            _signal(process, is_kill=False)
        until = time.monotonic() + _GRACE_S
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(until - time.monotonic(), 0.0))
            _signal(process, is_kill=True)  # what it has started may not have heeded


def _signal(process: "subprocess.Popen[bytes]", *, is_kill: bool) -> None:
    """Ask a command and all that it has started to end, or kill them."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group whose last has just ended
        if sys.platform == "win32":
            process.kill() if is_kill else process.terminate()
        else:
            os.killpg(process.pid, signal.SIGKILL if is_kill else signal.SIGTERM)
