"""Writing files so that nobody ever sees half of one."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def write_whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """
    Open a file to write that appears under its name only when the block has ended well.

    It is written beside its place, flushed to the disk and renamed. If the block raises (an interrupt and a full disk
    included), it is removed, and what was there before is untouched. Through a symbolic link, its target is replaced.

    Parameters
    ----------
    path : path
        Where to; the folder must exist.

    Raises
    ------
    OSError
        If the folder does not exist, the path is a folder, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "answer.txt"
    >>> with write_whole(place) as file:
    ...     _ = file.write(b"42")
    >>> place.read_bytes()
    b'42'
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file", str(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))
    beside = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
