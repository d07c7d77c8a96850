"""Output files that appear together and whole, or not at all."""

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import InvalidConfigError

PICTURES = (".png",)
RESULT = ".parquet"


class Outputs:
    """
    Stages output files beside their places and renames them once all are complete.

    Parameters
    ----------
    paths : sequence of path
        Where to; the folders must exist. Existing files are replaced in the end, and untouched until then.
    inputs : iterable of str
        Files that are read meanwhile and so must not be replaced.
    known : sequence of str, optional
        Extensions that may be written; those of pictures and results by default.

    Raises
    ------
    InvalidConfigError
        If an extension is not known, or two paths or an input and a path are the same file.
    OSError
        If a folder does not exist or cannot be written to.
    """

    def __init__(
        self, paths: Sequence[Path], inputs: Iterable[str] = (), known: Sequence[str] = (*PICTURES, RESULT)
    ) -> None:
        self.paths = list(paths)
        self._staged: dict[Path, Path] = {}
        taken = {os.path.realpath(name): name for name in inputs}
        for path in paths:
            if path.suffix.lower() not in known:
                raise InvalidConfigError(f'-o must end in .png (picture) or .parquet (result), was "{path}"')
            target = Path(os.path.realpath(path))
            if str(target) in taken:
                raise InvalidConfigError(f'-o must be another file than the input or output "{path}"')
            taken[str(target)] = str(path)
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", str(path))
            if not target.parent.is_dir():
                raise FileNotFoundError(errno.ENOENT, "no such folder", str(path.parent))
            if not os.access(target.parent, os.W_OK):
                raise PermissionError(errno.EACCES, "no permission to write into this folder", str(path.parent))
            self._staged[path] = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix.lower()}")

    def __enter__(self) -> Self:
        return self

    def write(self, picture: Callable[[Path], object], result: Callable[[Path], object]) -> None:
        """Write every file beside its place, pictures by one function and results by the other; then rename all."""
        for staged in self._staged.values():
            (result if staged.suffix == RESULT else picture)(staged)
        for path, staged in self._staged.items():
            os.replace(staged, os.path.realpath(path))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for staged in self._staged.values():
            staged.unlink(missing_ok=True)
