"""The command line; needs the packages of ``liqcore[app]``."""

import signal
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from ..native.interrupt import stop_leaving

__all__ = ["main"]

_NEEDED = frozenset({"typer", "rich"})
_NO_MEMORY = ("failed to map segment", "annot allocate memory")
"""How the loader says that there is no room for a library."""


def main(args: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Parameters
    ----------
    args : sequence of str, optional
        Arguments after the program's name; by default those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 2 wrong arguments, settings or files (one line on stderr says which), 130 interrupted, 143
        terminated.
    """
    try:
        from .app import app
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _NEEDED:
            raise
        print(
            f'error: the command line needs the package {package}; install it with: pip install "liqcore[app]"',
            file=sys.stderr,
        )
        return 2
    except (ImportError, MemoryError) as error:
        return _no_memory(error)
    except KeyboardInterrupt:  # while the packages load
        return 130
    stop_leaving()
    # A supervisor's TERM must clean up as Ctrl-C does: no half-written file is left.
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _stop) if in_main else None
    try:
        app(args=None if args is None else list(args), prog_name="liqcore")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:  # while the commands are put together: in one of them it is caught, and said
        return 130
    except (ImportError, MemoryError) as error:  # some packages are loaded when they are needed
        return _no_memory(error)
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, before)
    return 0


def _no_memory(error: ImportError | MemoryError) -> int:
    """Say in one line that a memory limit leaves no room for packages; raise what is wrong with them otherwise."""
    if isinstance(error, ImportError) and not any(sign in str(error) for sign in _NO_MEMORY):
        raise error
    print("error: not enough memory to load the packages that this needs (some 200 MB)", file=sys.stderr)
    return 2


def _stop(*_: object) -> NoReturn:
    raise SystemExit(143)
