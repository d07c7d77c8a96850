"""Writing files so that nobody ever sees half of one."""

import errno
import io
import os
import platform
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def staged(paths: Sequence[str | os.PathLike[str]], *, end: str | None = None) -> Iterator[list[Path]]:
    """
    Give places to write files to, which appear under their names, together, only when the block has ended well.

    The places are beside the names; what the block has written there is flushed to the disk and renamed. If the block
    raises (an interrupt and a full disk included), it is removed, and what was there before is untouched. Through a
    symbolic link, its target is replaced. A file that is replaced keeps its mode, and its owner and group where that is
    allowed. What a killed run left behind is removed by the next one that writes the same file on the same machine.

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
        If a folder does not exist or cannot be written to, a path is a folder, device or pipe, or a file cannot be
        written. `PartlyWrittenError` if that shows only when other files are in their place; it names those.

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
    targets = [_target(path) for path in paths]
    places = [
        _beside(target, Path(path).suffix if end is None else end) for path, target in zip(paths, targets, strict=True)
    ]
    for target in targets:
        _remove_leftovers(target)
    done: list[str] = []
    try:
        yield places
        for place, target in zip(places, targets, strict=True):
            with open(place, "rb+") as file:
                os.fsync(file.fileno())
            _keep_owner(place, target)
        for path, place, target in zip(paths, places, targets, strict=True):
            os.replace(place, target)
            done.append(os.fspath(path))
    except BaseException as error:
        for place in places:
            place.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is not None:  # say the name that the caller knows
            names = {os.fspath(place): os.fspath(path) for place, path in zip(places, paths, strict=True)}
            error.filename = names.get(os.fspath(error.filename), error.filename)
        if done:
            raise PartlyWrittenError(f"{_said(error)}; written before that: {', '.join(done)}") from error
        raise


def _said(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return str(error) or type(error).__name__


class PartlyWrittenError(OSError):
    """Of several files that belong together some are in their place, and the next could not be put there."""


def _target(path: str | os.PathLike[str]) -> Path:
    """Return the file to be replaced, behind links; refuse a place that cannot be written to, or is no file."""
    target = Path(os.path.realpath(path))
    folder = str(target.parent if os.path.islink(path) else Path(path).parent)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file", str(path))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "this is a device or a pipe, not a file", str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", folder)
    if not os.access(target.parent, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write into this folder", folder)
    return target


def _beginning(target: Path) -> str:
    """How the names of places for a file begin, on this machine; short: names may be as long as allowed."""
    return f"~liq{zlib.crc32(os.fsencode(target.name)):08x}{zlib.crc32(platform.node().encode()) & 0xFFFF:04x}-"


def _beside(target: Path, end: str) -> Path:
    """Return a name beside the file's own that nobody has."""
    return target.with_name(f"{_beginning(target)}{os.getpid()}-{os.urandom(2).hex()}{end}")


def _remove_leftovers(target: Path) -> None:
    """Remove what killed runs left beside a file."""
    for left in target.parent.glob(f"{_beginning(target)}*"):
        process = left.name.removeprefix(_beginning(target)).partition("-")[0]
        if process.isdigit() and not _is_running(int(process)):
            with suppress(OSError):
                left.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _keep_owner(place: Path, target: Path) -> None:
    """Give what replaces a file that file's mode, and its owner and group where that is allowed."""
    try:
        before = target.stat()
    except OSError:
        return
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(place, before.st_uid, before.st_gid)
    os.chmod(place, stat.S_IMODE(before.st_mode))


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


Place = str | os.PathLike[str] | BinaryIO | None
"""Where something made goes: a path, a binary file; None: it is returned."""


def handed_over(path: Place, write: Callable[[BinaryIO], object]) -> Path | bytes | None:
    """Put what is written where it belongs, whole or not at all, and return its path; without one, return its bytes."""
    if isinstance(path, str | os.PathLike):
        with write_whole(path) as file:
            write(file)
        return Path(path)
    if path is not None and not hasattr(path, "write"):
        raise TypeError(f"path must be a path, a binary file or left out, was {path!r}")
    made = io.BytesIO()
    write(made)
    if path is None:
        return made.getvalue()
    path.write(made.getvalue())
    return None
