"""Output files that appear together and whole, or not at all."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..errors import InvalidConfigError
from ..words.files import staged

Writes = Callable[[Path], object]

PNG = ".png"
PICTURES = (PNG, ".svg", ".html")
RESULT = ".parquet"
TABLE = ".csv"
JSON = ".json"
WORDS = {**dict.fromkeys(PICTURES, "picture"), RESULT: "result", TABLE: "table", JSON: "json"}


class Write(Protocol):
    """Writes every file by the function of its kind."""

    def __call__(
        self, *, picture: Writes = ..., result: Writes = ..., table: Writes = ..., json: Writes = ...
    ) -> None: ...


def kinds(known: Sequence[str]) -> str:
    """Return the extensions that may be written, with what they are, as a sentence lists them."""
    listed = [f"{suffix} ({WORDS[suffix]})" for suffix in known]
    return " or ".join(part for part in (", ".join(listed[:-1]), listed[-1]) if part)


@contextmanager
def outputs(
    paths: Sequence[Path], inputs: Iterable[str] = (), known: Sequence[str] = (*PICTURES, RESULT, TABLE)
) -> Iterator[Write]:
    """
    Check where to write before anything is computed; what the block writes appears when it has ended well.

    Parameters
    ----------
    paths : sequence of path
        Where to; the folders must exist. Existing files are replaced in the end, and untouched until then.
    inputs : iterable of str
        Files that are read meanwhile and so must not be replaced, and patterns of them.
    known : sequence of str, optional
        Extensions that may be written; those of pictures, results and tables by default.

    Raises
    ------
    InvalidConfigError
        If an extension is not known, or two paths or an input and a path are the same file.
    OSError
        If a folder does not exist or cannot be written to.
    """
    taken = {os.path.realpath(file) for name in inputs for file in (name, *glob.glob(name, recursive=True))}
    for path in paths:
        if path.suffix.lower() not in known:
            raise InvalidConfigError(f'-o must end in {kinds(known)}, was "{path}"')
        target = os.path.realpath(path)
        if target in taken:
            raise InvalidConfigError(f'-o must be another file than the input or output "{path}"')
        taken.add(target)
    with staged(paths) as places:

        def write(**by_kind: Writes) -> None:
            for place in places:
                by_kind[WORDS[place.suffix.lower()]](place)

        yield write
