"""What all commands share: exit codes, errors on one line, settings from file, variables and flags."""

import functools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer
import typer.core

from ..config.config import Config
from ..config.limits import limits_of
from ..config.sections import ARGUMENTS
from ..errors import DataError, LiqcoreError
from ..words.files import PartlyWrittenError
from ..words.limits import hold, limited
from ..words.plain import plain

P = ParamSpec("P")
R = TypeVar("R")

EXIT_WRONG = 2
"""Exit code for wrong arguments, settings or files."""

EXIT_PARTLY = 3
"""Exit code where some of the files are written, and others are not."""

EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C."""

CONFIG_FILE = Path("liqcore.toml")
"""The file in the working directory that is read where no other is named."""


class OneOutput(typer.core.TyperCommand):
    """A command that writes one file: of two names, one would go unnoticed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        times = sum(parameter.name == "output" for parameter in order)
        if times > 1:
            fail(f"-o must be given once, was {times} times")
        return super().parse_args(ctx, args)


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors that a user can mend into one line on stderr and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            variables = {name: text for name, text in os.environ.items() if name.startswith("LIQCORE_LIMITS_")}
            with limited(limits_of(Config.resolve(env=variables))):
                return command(*args, **kwargs)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:  # the reader of a pipe has left; no fault
            raise
        except PartlyWrittenError as error:
            fail(str(error), EXIT_PARTLY)
        except OSError as error:
            fail(_os_error(error))
        except MemoryError as error:
            fail(f"not enough memory{f': {error}' if str(error) else ''}")
        except LiqcoreError as error:
            fail(_with_flag(str(error), kwargs))

    return run


_FLAGS = {"reach_percent": "--reach", "ts": "--at", "percent": "--within"}
"""Options of arguments that no setting declares."""


_ADVICE = re.compile(r"\b(with|give) (\w+)=(?=[\s,;:.)]|\Z)")
"""What a message says to do with a Python argument, such as "choose one with symbol="."""


@contextmanager
def options_named(flags: Mapping[str, str]) -> Iterator[None]:
    """Name the options of some Python arguments in what data errors advise."""
    try:
        yield
    except DataError as error:
        raise DataError(_advised(str(error), flags)) from error


def _advised(message: str, flags: Mapping[str, str]) -> str:
    return _ADVICE.sub(lambda of: f"{of[1]} {flags[of[2]]}" if of[2] in flags else of[0], message)


def _with_flag(message: str, given: Mapping[str, Any]) -> str:
    """Name options as they are on the command line, where a message is about a Python argument."""
    message = _advised(message, {name.rstrip("_"): f"--{name.rstrip('_').replace('_', '-')}" for name in given})
    argument = message.partition(" ")[0]
    flag = _FLAGS.get(argument) or (ARGUMENTS[argument].flag if argument in ARGUMENTS else "")
    name = flag.removeprefix("--").replace("-", "_")
    if not flag or name == argument or all(given.get(key) is None for key in (name, f"{name}_")):
        return message
    return f"{message} ({flag})"


def fail(message: str, code: int = EXIT_WRONG) -> NoReturn:
    """End the command with an error on one line."""
    typer.echo(f"error: {plain(message)}", err=True)
    raise typer.Exit(code)


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
    """Return the settings of a run: defaults, then file, then variables, then flags; from here on its limits hold."""
    settings = Config.resolve(config_file(named), os.environ, flags)
    hold(limits_of(settings))
    return settings
