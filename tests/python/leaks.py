"""
What a test must not leave behind: threads, child processes, open files, files in the temporary or working folder, and
loggers that are switched off.

A conftest.py imports the fixture, and it looks at every test of that folder. What broader fixtures hold was there
before the test and does not count; neither does what a failed test holds on to through its traceback. Open files and
child processes are found on Linux only.
"""

import gc
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

__all__ = ["leaves_nothing_behind", "own_temporary_folder"]

_GRACE_S = float(os.environ.get("LEAKS_GRACE_S", "30"))  # for threads and processes that are ending

_ENDED = "ended, not waited for"

# What Python and libraries such as polars, whose runtime lives as long as the process, keep for the next time.
_KEPT_PROCESSES = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
_KEPT_FILES = ("/dev/null", "/dev/urandom", "/dev/pts/", "/dev/tty", "anon_inode:[eventfd]", "anon_inode:[eventpoll]")


@pytest.fixture(scope="session", autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests a temporary folder that no other process writes into."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", str(folder))
        yield


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves something behind; ``@pytest.mark.leaves_behind("why")`` lets one do so."""
    marker = request.node.get_closest_marker("leaves_behind")
    if marker is not None:
        assert marker.args, "the marker leaves_behind takes a reason"
        yield
        return
    folders = {tempfile.gettempdir(), os.getcwd()}
    failed = request.session.testsfailed
    before = _there(folders)
    yield
    if request.session.testsfailed > failed:
        return
    new = _there(folders) - before
    if new:
        new = _still_there(lambda: _there(folders) - before)
    new |= _unfinished(request)
    if new:
        pytest.fail("left behind: " + "; ".join(sorted(new)), pytrace=False)


def _still_there(look: Callable[[], set[str]]) -> set[str]:
    """Look again: once garbage is collected, and for as long as a thread or process may be ending by itself."""
    gc.collect()
    until = time.monotonic() + _GRACE_S
    while (new := look()) and time.monotonic() < until:
        if not any(what.startswith(("thread", "process")) and _ENDED not in what for what in new):
            break
        time.sleep(0.01)
    return new


def _there(folders: set[str]) -> set[str]:
    """Describe all that is there now, each thing in other words."""
    return {
        *(f"thread {thread.name} ({thread.ident})" for thread in threading.enumerate()),
        *_processes(),
        *_open_files(),
        *_silenced(),
        *(f"file {folder}{os.sep}{name}" for folder in folders for name in _names(folder)),
    }


def _processes() -> Iterator[str]:
    """Yield child processes, also those that ended and nobody waited for."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (AttributeError, ChildProcessError):  # nearly always: a test has no children, and Windows no waitid
        return
    for pid in filter(str.isdigit, os.listdir("/proc") if Path("/proc/self/stat").exists() else ()):
        if _text(f"/proc/{pid}/stat").rpartition(")")[2].split()[1:2] == [str(os.getpid())]:
            command = _text(f"/proc/{pid}/cmdline").replace("\0", " ").strip() or _ENDED
            if not any(kept in command for kept in _KEPT_PROCESSES):
                yield f"process {pid} ({command})"


def _silenced() -> Iterator[str]:
    """Yield what other tests would not see logged any more."""
    if logging.root.manager.disable:
        yield f"logging, switched off up to level {logging.root.manager.disable}"
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.startswith(("liqcore", "uvicorn")) and getattr(logger, "disabled", False):
            yield f"logger {name}, switched off"


def _open_files() -> Iterator[str]:
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return
    for number in numbers:
        try:
            path = os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # the listing's own
            continue
        if not path.startswith(_KEPT_FILES):
            yield f"open file {path} (descriptor {number})"


def _names(folder: str) -> Iterator[str]:
    """Yield what lies in a folder, but for caches, which are hidden, and what pytest keeps of a run within a test."""
    for name in os.listdir(folder):
        if (not name.startswith(".") or name.endswith(".part")) and not name.startswith("pytest-of-"):
            yield name


def _unfinished(request: pytest.FixtureRequest) -> set[str]:
    """Describe files that the package began to write beside their place, in the test's own folder."""
    folder = request.node.funcargs.get("tmp_path")
    return {f"file {path}" for path in folder.rglob("*.part")} if isinstance(folder, Path) else set()


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # a thread or process that has ended meanwhile
        return ""
