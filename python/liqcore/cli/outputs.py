"""Output files that appear together and whole, or not at all."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..errors import InvalidConfigError
from ..words.files import staged

PICTURES = (".png",)
RESULT = ".parquet"


class Write(Protocol):
    """Writes every file, pictures by one function and results by the other."""

    def __call__(self, *, picture: Callable[[Path], object], result: Callable[[Path], object]) -> None: ...


@contextmanager
def outputs(
    paths: Sequence[Path], inputs: Iterable[str] = (), known: Sequence[str] = (*PICTURES, RESULT)
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
        Extensions that may be written; those of pictures and results by default.

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
            raise InvalidConfigError(f'-o must end in .png (picture) or .parquet (result), was "{path}"')
        target = os.path.realpath(path)
        if target in taken:
            raise InvalidConfigError(f'-o must be another file than the input or output "{path}"')
        taken.add(target)
    with staged(paths) as places:

        def write(*, picture: Callable[[Path], object], result: Callable[[Path], object]) -> None:
            for place in places:
                (result if place.suffix.lower() == RESULT else picture)(place)

        yield write
