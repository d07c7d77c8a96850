"""The files of this machine, as journals and checkpoints use them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from ..words.files import write_whole


class Disk:
    """Files of this machine: `outside.Files`."""

    def names(self, folder: Path) -> list[str]:
        """List what lies in a folder, which is made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        return sorted(os.listdir(folder))

    def append(self, path: Path) -> BinaryIO:
        """Open a file to write at its end, unbuffered; it is made, for good, where it is missing."""
        is_new = not path.exists()
        file = cast(BinaryIO, open(path, "ab", buffering=0))  # noqa: SIM115 (the caller closes it)
        if is_new:
            _sync_folder(path.parent)
        return file

    def sync(self, file: BinaryIO) -> None:
        """Return once what was written is on the disk."""
        os.fsync(file.fileno())

    def read(self, path: Path) -> BinaryIO:
        """Open a file to read; raises FileNotFoundError."""
        return open(path, "rb")

    def cut(self, path: Path, size: int) -> None:
        """Shorten a file to so many bytes."""
        with open(path, "rb+") as file:
            file.truncate(size)
            os.fsync(file.fileno())

    def replace(self, path: Path, data: bytes) -> None:
        """Put a file in place of another, whole and on the disk, or not at all."""
        with write_whole(path) as file:
            file.write(data)
        _sync_folder(path.parent)

    @contextmanager
    def lock(self, path: Path) -> Iterator[None]:
        """Hold a lock of that name until the context ends; raises BlockingIOError where somebody else holds it."""
        with open(path, "ab") as file:  # the file stays: whoever removed it would let two hold it
            _lock(file.fileno())
            yield


if os.name == "nt":
    import msvcrt

    def _lock(descriptor: int) -> None:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError as error:
            raise BlockingIOError(*error.args) from None

    def _sync_folder(folder: Path) -> None:
        """Nothing: folders cannot be synced there."""
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _sync_folder(folder: Path) -> None:
        """Have a new name on the disk, too."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
