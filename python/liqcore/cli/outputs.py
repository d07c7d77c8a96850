"""Output files that appear together and whole, or not at all."""

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from ..config.config import Config
from ..errors import InvalidConfigError
from ..render.template import check_page
from ..words.files import staged
from .common import config_file

Writes = Callable[[Path], object]

PNG = ".png"
PAGE = ".html"
PICTURES = (PNG, ".svg", PAGE)
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


def inputs_of(files: Iterable[str] | None, settings: Config, config: Path | None) -> dict[str, list[str]]:
    """Return the files that a command may read, by the arguments that name them."""
    read = {"FILES": [*(files or ())]}
    for name in ("marks", "open_interest", "candles", "positions"):
        if (path := getattr(settings.source, name)) is not None:
            origin = settings.origin(f"source.{name}")
            read[origin.removeprefix("flag ") if origin.startswith("flag ") else f"source.{name}"] = [str(path)]
    if (file := config_file(config)) is not None:
        read["--config" if config else str(file)] = [str(file)]
    return read


def _same(path: str | os.PathLike[str]) -> list[object]:
    """What tells a file under all of its names: the path behind links, and the file itself where there is one."""
    found: list[object] = [os.path.realpath(path)]
    with suppress(OSError):
        there = os.stat(path)
        if there.st_ino and not os.path.isdir(path):
            found.append((there.st_dev, there.st_ino))
    return found


@contextmanager
def outputs(
    paths: Sequence[Path], inputs: Mapping[str, Iterable[str]], known: Sequence[str] = (*PICTURES, RESULT, TABLE)
) -> Iterator[Write]:
    """
    Check where to write before anything is computed; what the block writes appears when it has ended well.

    Parameters
    ----------
    paths : sequence of path
        Where to; the folders must exist. Existing files are replaced in the end, and untouched until then.
    inputs : mapping of str to iterables of str
        Files that are read and so must not be replaced, and patterns of them, by the argument that names them: see
        `inputs_of`.
    known : sequence of str, optional
        Extensions that may be written; those of pictures, results and tables by default.

    Raises
    ------
    InvalidConfigError
        If an extension is not known, or two paths or an input and a path are the same file, also by another name.
    LiqcoreError
        If a page is asked for, and this liqcore was built without it.
    OSError
        If a folder does not exist or cannot be written to.
    """
    taken: dict[object, str] = {}
    for argument, names in inputs.items():
        for file in (file for name in names for file in (name, *glob.glob(name, recursive=True))):
            taken |= dict.fromkeys(_same(file), argument)
    for path in paths:
        if path.suffix.lower() not in known:
            raise InvalidConfigError(f'-o must end in {kinds(known)}, was "{path}"')
        if path.suffix.lower() == PAGE:
            check_page()
        if same := next((taken[key] for key in _same(path) if key in taken), None):
            raise InvalidConfigError(f'-o must be another file than {same}, was "{path}"')
        taken[os.path.realpath(path)] = "another -o"
    with staged(paths) as places:

        def write(**by_kind: Writes) -> None:
            for place in places:
                by_kind[WORDS[place.suffix.lower()]](place)

        yield write
