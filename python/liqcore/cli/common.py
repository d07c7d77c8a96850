"""What all commands share: exit codes, errors on one line, settings from file, variables and flags."""

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer

from ..config.config import Config
from ..errors import LiqcoreError

P = ParamSpec("P")
R = TypeVar("R")

EXIT_WRONG = 2
"""Exit code for wrong arguments, settings or files."""

EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C."""

CONFIG_FILE = Path("liqcore.toml")
"""The file in the working directory that is read where no other is named."""


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors that a user can mend into one line on stderr and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:  # the reader of a pipe has left; no fault
            raise
        except OSError as error:
            fail(_os_error(error))
        except LiqcoreError as error:
            fail(str(error))

    return run


def fail(message: str) -> NoReturn:
    """End the command with an error on one line."""
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    raise typer.Exit(EXIT_WRONG)


def _os_error(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return str(error) or type(error).__name__
    return f"{os.fspath(error.filename)}: {error.strerror}"


def config_file(named: Path | None) -> Path | None:
    """Return the configuration file to read: the one named, else the working directory's, else none."""
    if named is not None:
        return named
    return CONFIG_FILE if CONFIG_FILE.is_file() else None


def resolve(named: Path | None, flags: Mapping[str, Any]) -> Config:
    """Return the settings of a run: defaults, then file, then variables, then flags."""
    return Config.resolve(config_file(named), os.environ, flags)
