"""The progress bar, on stderr and only on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

ProgressCallback = Callable[[int, int, int], None]
"""Called with the bytes done, the bytes in all and the rows so far."""


class _RowsColumn(ProgressColumn):
    """Rows so far and rows a second."""

    def render(self, task: Task) -> Text:
        rows = int(task.fields["rows"])
        elapsed = task.finished_time or task.elapsed or 0.0
        rate = f"{count(rows / elapsed)} rows/s" if elapsed > 0 else ""
        return Text(f"{count(rows)} rows  {rate}")


def count(number: float) -> str:
    """
    Return a count in few characters.

    Examples
    --------
    >>> count(999), count(12_345), count(4_560_000)
    ('999', '12.3 k', '4.56 M')
    """
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}" if number < 999.5 * size else f"{number / size:.0f}{unit}"
    return f"{number:.0f}"


@contextmanager
def progress_bar(words: str, wanted: bool) -> Iterator[ProgressCallback | None]:
    """
    Show a bar while the block runs.

    Parameters
    ----------
    words : str
        What is being done.
    wanted : bool
        Whether to show one at all.

    Yields
    ------
    callable or None
        To be called with bytes done, bytes in all and rows so far; None where nothing is shown.
    """
    console = Console(stderr=True)
    if not (wanted and console.is_terminal):
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        _RowsColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(words, total=None, rows=0)

        def report(done: int, total: int, rows: int) -> None:
            bar.update(task, completed=done, total=total or None, rows=rows)

        yield report
