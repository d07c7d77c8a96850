"""The command line; needs the packages of ``liqcore[app]``."""

import sys
from collections.abc import Sequence

__all__ = ["main"]

_NEEDED = frozenset({"typer", "rich"})


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
        Exit code: 0 done, 2 wrong arguments, settings or files (one line on stderr says which), 130 interrupted.
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
    except KeyboardInterrupt:  # while the packages load
        return 130
    try:
        app(args=None if args is None else list(args), prog_name="liqcore")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0
