"""Ctrl-C while the command line still loads its packages: no traceback, since nothing is half-done yet."""

import os
import signal
import sys

COMMANDS = ("liqcore", "liqcore.exe")


def _is_command() -> bool:
    """Whether this process is the command line."""
    as_module = any(a == "-m" and b == "liqcore" for a, b in zip(sys.orig_argv, sys.orig_argv[1:], strict=False))
    return as_module or os.path.basename(sys.argv[0] if sys.argv else "") in COMMANDS


def leave_if_command() -> None:
    """End the process as an interrupt would, if this is the command line."""
    if _is_command():
        os._exit(130)


def leave_at_once_while_loading() -> None:
    """Let an interrupt end the process with 130 and no word, if this is the command line; `stop_leaving` ends that."""
    if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        try:
            signal.signal(signal.SIGINT, _leave)
        except ValueError:  # not the main thread, to which interrupts go
            return


def stop_leaving() -> None:
    """Let an interrupt be an exception again."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> None:
    os._exit(130)
