"""From a computation to files and a summary: what `heatmap` and `demo` do alike."""

import logging
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from ..config.build import look_of
from ..config.config import Config
from ..words.plain import plain
from .outputs import outputs
from .progress import ProgressCallback, progress_bar
from .report import input_warnings, summarise

if TYPE_CHECKING:
    from ..views.heatmap import Heatmap

Compute = Callable[[ProgressCallback | None], "Heatmap"]


def draw(
    compute: Compute, config: Config, paths: Sequence[Path], inputs: Mapping[str, Iterable[str]], *, quiet: bool
) -> None:
    """
    Compute a heatmap, write it and say what came out.

    Parameters
    ----------
    compute : callable
        Gets a progress callback or None and returns the heatmap, as far as it is shown.
    config : Config
        The settings.
    paths : sequence of path
        Where to write; the extension says what.
    inputs : mapping of str to iterables of str
        Files that are read, by argument: see `inputs_of`.
    quiet : bool
        Whether to leave out the progress bar and the summary; warnings and errors are still shown.

    Raises
    ------
    LiqcoreError, OSError
        If anything goes wrong; then no output file has been touched.
    """
    with outputs(paths, inputs) as write:
        shown = compute_view(compute, config, quiet=quiet)
        look = look_of(config)
        with collected_warnings() as said:
            write(picture=lambda path: shown.render(path, **look), result=shown.save, table=shown.save)
    for warning in said:
        typer.echo(f"warning: {plain(warning)}", err=True)
    if not quiet:
        summarise(shown, config, paths, console())


def compute_view(compute: Compute, config: Config, *, quiet: bool) -> "Heatmap":
    """Compute a heatmap; its warnings go to stderr."""
    wanted = config.log.progress and not quiet
    with collected_warnings() as said, _log_on_stderr(config), progress_bar("reading", wanted) as progress:
        heatmap = compute(progress)
    if config.log.level != "error":
        for warning in dict.fromkeys([*said, *input_warnings(heatmap.meta)]):
            typer.echo(f"warning: {plain(warning)}", err=True)
    return heatmap


class _Uncut(Console):
    """Prints tables whole: where a terminal is too narrow a line goes on in the next, and no number loses a digit."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; a table none of whose columns wraps is as wide as it is."""
        before = self.width
        match objects:
            case (Table() as table,) if all(column.no_wrap for column in table.columns):
                whole = Measurement.get(self, self.options.update(max_width=_WIDEST), table).maximum
                self.width = max(whole, before)
        try:
            super().print(*objects, **options)
        finally:
            self.width = before


_WIDEST = 10_000


def console() -> Console:
    """Return where tables go: stdout, as wide as the terminal; a log file or a pipe has room."""
    return _Uncut(highlight=False, width=shutil.get_terminal_size(fallback=(160, 24)).columns)


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect the words of the warnings that are meant for users while the block runs."""
    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _collector(said, warnings.showwarning)
        yield said


def _collector(said: list[str], show: Callable[..., None]) -> Callable[..., None]:
    """Return a `warnings.showwarning` that keeps the words meant for users and passes the others on."""

    def collect(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if category is UserWarning or category.__module__.split(".")[0] == "liqcore":
            said.append(str(message))
        else:
            show(message, category, filename, lineno, file, line)

    return collect


@contextmanager
def _log_on_stderr(config: Config) -> Iterator[None]:
    """Let the package's log of at least the wanted severity appear on stderr while the block runs."""
    logger = logging.getLogger("liqcore")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(config.log.level.upper())
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)
