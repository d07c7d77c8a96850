"""Writing files so that nobody ever sees half of one."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def staged(paths: Sequence[str | os.PathLike[str]], *, end: str | None = None) -> Iterator[list[Path]]:
    """
    Give places to write files to, which appear under their names, together, only when the block has ended well.

    The places are beside the names; what the block has written there is flushed to the disk and renamed. If the block
    raises (an interrupt and a full disk included), it is removed, and what was there before is untouched. Through a
    symbolic link, its target is replaced.

    Parameters
    ----------
    paths : sequence of path
        Where to; the folders must exist.
    end : str, optional
        What the places end in; by default what the names end in.

    Yields
    ------
    list of Path
        Where to write meanwhile, in the same order.

    Raises
    ------
    OSError
        If a folder does not exist or cannot be written to, a path is a folder, or a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with staged([folder / "one.txt", folder / "two.txt"]) as places:
    ...     for place in places:
    ...         _ = place.write_text("42")
    ...     before = (folder / "one.txt").exists()
    >>> before, sorted(path.name for path in folder.iterdir())
    (False, ['one.txt', 'two.txt'])
    """
    beside = {_beside(path, Path(path).suffix if end is None else end): os.path.realpath(path) for path in paths}
    try:
        yield list(beside)
        for place in beside:
            with open(place, "rb+") as file:
                os.fsync(file.fileno())
        for place, target in beside.items():
            os.replace(place, target)
    except BaseException as error:
        for place in beside:
            place.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is not None:  # say the name that the caller knows
            names = {os.fspath(place): os.fspath(path) for place, path in zip(beside, paths, strict=True)}
            error.filename = names.get(os.fspath(error.filename), error.filename)
        raise


def _beside(path: str | os.PathLike[str], end: str) -> Path:
    """Return a name beside the file's own that nobody has, or refuse a place that cannot be written to."""
    target = Path(os.path.realpath(path))
    folder = str(target.parent if os.path.islink(path) else Path(path).parent)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file", str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", folder)
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write into this folder", folder)
    return target.with_name(f".{os.getpid()}-{os.urandom(4).hex()}.part{end}")  # short: names may be as long as allowed


@contextmanager
def write_whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """
    Open a file to write that appears under its name only when the block has ended well: `staged`, for one file.

    Parameters
    ----------
    path : path
        Where to; the folder must exist.

    Raises
    ------
    OSError
        As `staged`.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "answer.txt"
    >>> with write_whole(place) as file:
    ...     _ = file.write(b"42")
    >>> place.read_bytes()
    b'42'
    """
    with staged([path], end="") as [place], open(place, "x+b") as file:
        yield file
