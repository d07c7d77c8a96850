"""Ctrl-C while the command line still loads its packages: no traceback, since nothing is half-done yet."""

import os
import signal
import sys
import threading

COMMANDS = ("liqcore", "liqcore.exe")


def leave_at_once_while_loading() -> None:
    """Let an interrupt end the process with 130 and no word, if this is the command line; `stop_leaving` ends that."""
    is_command = os.path.basename(sys.argv[0] if sys.argv else "") in COMMANDS
    as_module = any(a == "-m" and b == "liqcore" for a, b in zip(sys.orig_argv, sys.orig_argv[1:], strict=False))
    in_main = threading.current_thread() is threading.main_thread()
    if (is_command or as_module) and in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def stop_leaving() -> None:
    """Let an interrupt be an exception again."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> None:
    os._exit(130)
