"""Delimited text on disk: plain, zipped or gzipped, in pieces of whole lines."""

import glob
import os
import struct
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, Protocol

from ..errors import DataError, InvalidConfigError
from ..tables.feather import FEATHER
from ..words.limits import ALWAYS_UNPACKED, limits
from .dialect import DialectError, dialect_of
from .inflate import INFLATE_ERRORS, open_gzip, open_member

PathLike = str | os.PathLike[str]

_PIECE = 8 << 20
_HEAD = 1 << 18
_LONGEST_LINE = 1 << 20
_SAMPLE = 1 << 12


def find_files(paths: PathLike | Sequence[PathLike]) -> list[Path]:
    """
    List the files that paths and patterns name, each once, in the order given.

    Raises
    ------
    DataError
        If a file does not exist, a pattern matches nothing, or a folder is named.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    found: dict[Path, Path] = {}
    for given in paths:
        path = Path(given).expanduser()
        if path.is_dir():
            raise DataError(f"{given}: expected a file or a pattern such as '{given}/*.zip', found a folder")
        if path.exists():
            if not path.is_file():
                raise DataError(f"{given}: expected a file, found a device or a pipe, which cannot be read twice")
            matches = [path]
        elif glob.has_magic(str(path)):
            matches = [Path(name) for name in sorted(glob.glob(str(path), recursive=True)) if Path(name).is_file()]
            if not matches:
                raise DataError(f"no file matches '{given}'")
        else:
            raise DataError(f"{given}: no such file")
        for match in matches:
            found.setdefault(match.resolve(), match)
    if not found:
        raise InvalidConfigError("paths must name at least one file, was empty")
    return list(found.values())


def is_mcap(path: Path) -> bool:
    """Whether a file is MCAP, by its first bytes: a journal."""
    with path.open("rb") as file:
        return file.read(8) == b"\x89MCAP0\r\n"


def is_parquet(path: Path) -> bool:
    """
    Whether a file is Parquet (or feather, which is read alike), by its first bytes.

    Raises
    ------
    DataError
        If the file is empty or cannot be opened, or is called .parquet and is something else.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise DataError(f"{path.name}: cannot be opened: {error.strerror}") from error
    if not magic:
        raise DataError(f"{path.name}: expected data, found an empty file")
    if magic != b"PAR1" and path.suffix == ".parquet":
        raise DataError(f"{path.name}: expected a Parquet file, found one that begins with {magic!r}")
    return magic == b"PAR1" or magic in FEATHER


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class TextFile:
    """
    A text file, plain, in a zip with one csv, or gzipped: told apart by the first bytes, not by the name.

    Attributes
    ----------
    path : Path
    size : int
        Bytes on disk.
    position : int
        How many of them the current `pieces` has consumed, for a progress bar.
    limits : Limits
        Those that held when it was made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.position = 0
        self.limits = limits()

    def error(self, text: str) -> DataError:
        """Make an error that names the file."""
        return DataError(f"{self.path.name}: {text}")

    def pieces(self, size: int = _PIECE) -> Generator[bytes, None, None]:
        """
        Yield the unpacked text in pieces of whole lines, about ``size`` bytes each; only the last may lack its newline.

        Raises
        ------
        DataError
            If the file is truncated or damaged, holds several csv files, or is not text.
        """
        with self._opened() as (raw, stream):
            rest = b""
            unpacked = 0
            while block := stream.read(size):
                self.position = min(raw.tell(), self.size)
                unpacked += len(block)
                if unpacked > max(self.limits.unpacked * self.size, ALWAYS_UNPACKED):
                    raise self.error(
                        f"expected text, found what unpacks to over {self.limits.unpacked:,} times its size "
                        "(limits.unpacked)"
                    )
                cut = block.rfind(b"\n") + 1
                if cut:
                    yield rest + block[:cut]
                    rest = block[cut:]
                else:
                    rest += block
                if len(rest) > _LONGEST_LINE:
                    raise self.error(
                        f"expected lines of text, found more than {_LONGEST_LINE:,} bytes without a newline"
                    )
            self.position = self.size
            if rest:
                yield rest

    def samples(self, count: int = 8) -> Iterator[bytes]:
        """Yield some lines from here and there and from the end, where that costs nothing: of plain text."""
        if self._magic() in (b"\x1f\x8b", b"PK"):
            return
        with self.path.open("rb") as file:
            for number in range(1, count + 1):
                file.seek(max(0, self.size * number // count - _SAMPLE))
                piece = file.read(_SAMPLE)
                yield piece[piece.find(b"\n") + 1 : (piece.rfind(b"\n") + 1) if number < count else None]

    def content(self, limit: int | None = None) -> bytes:
        """
        Return the unpacked text at once, or its first ``limit`` bytes.

        Raises
        ------
        DataError
            If the file is truncated or damaged, or holds several csv files.
        """
        with self._opened() as (_, stream):
            if limit is not None:
                return stream.read(limit)
            most = self.limits.json << 20
            found = stream.read(most + 1)
            while len(found) <= most and (more := stream.read(_PIECE)):
                found += more
            if len(found) > most:
                raise self.error(f"expected at most {self.limits.json:,} MiB of JSON (limits.json), found more")
            return found

    @contextmanager
    def _opened(self) -> Iterator[tuple[IO[bytes], _Readable]]:
        """Give the file on disk and its unpacked stream; what fails meanwhile becomes a DataError."""
        with ExitStack() as stack:
            try:
                raw = stack.enter_context(self.path.open("rb"))
                yield raw, self._unpack(raw, stack)
            except INFLATE_ERRORS as error:
                kind = "zip" if zipfile.is_zipfile(self.path) or self._magic() == b"PK" else "gzip"
                raise self.error(f"expected a complete {kind} file, found it truncated or damaged ({error})") from error
            except (OSError, NotImplementedError, RuntimeError) as error:  # encrypted, an unknown method, a bad disk
                raise self.error(f"cannot be read: {error}") from error

    def head(self) -> bytes:
        """
        Return the first lines of the file, some 256 KiB.

        Raises
        ------
        DataError
            As `pieces` does, and if there is no text in the file.
        """
        head = b""
        with closing(self.pieces(_HEAD)) as pieces:
            for piece in pieces:
                head += piece
                if len(head) >= _HEAD // 2:
                    break
        if b"\0" in head:
            raise self.error(f"expected lines of text, found bytes such as {head[:16]!r}")
        if not head.removeprefix(b"\xef\xbb\xbf").strip():
            raise self.error("expected data, found an empty file")
        return head

    def _magic(self) -> bytes:
        with self.path.open("rb") as file:
            return file.read(2)

    def _unpack(self, raw: IO[bytes], stack: ExitStack) -> _Readable:
        magic = raw.read(2)
        raw.seek(0)
        if magic == b"\x1f\x8b":
            unpacked: _Readable = stack.enter_context(open_gzip(raw))
            return unpacked
        suffix = self.path.suffix.lower()
        if magic != b"PK":
            if suffix in (".zip", ".gz"):
                raise self.error(f"expected a {suffix[1:]} file, found one that begins with {raw.read(16)!r}")
            return raw
        try:
            archive = stack.enter_context(zipfile.ZipFile(raw))
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
        except (IndexError, UnicodeError, struct.error) as error:  # what it runs into where a name is damaged
            raise zipfile.BadZipFile(str(error)) from error
        if len(names) > self.limits.members:
            raise self.error(
                f"expected a zip of at most {self.limits.members:,} files (limits.members), found {len(names):,}"
            )
        if len(names) > 1:
            names = [name for name in names if name.lower().endswith(".csv") and not name.startswith("__MACOSX/")]
        if len(names) != 1:
            listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            raise self.error(
                f"expected a zip with one csv file, found {len(names) or 'none'}{': ' + listed if names else ''}"
            )
        member: _Readable = stack.enter_context(open_member(archive, raw, names[0]))
        return member


class Table:
    """
    The head of a text file, understood: how its table is written, whether it has a header, where the rows begin.

    Attributes
    ----------
    path : Path
    file : TextFile
    size : int
        Bytes on disk.
    delimiter : str
        What stands between the fields of a row.
    header : list of str or None
    rows : list of list of str
        The cells of the first rows, at most 20.
    first_line : str
    lines_before : int
        Lines before the first row.
    notes : list of str
        What was passed over or taken for something.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = TextFile(path)
        self.size = self.file.size
        self._head = self.file.head()
        try:
            self._dialect = dialect_of(self._head)
        except DialectError as error:
            raise self.file.error(str(error)) from None
        self.delimiter = self._dialect.delimiter
        self.header = self._dialect.header
        self.rows = self._dialect.rows
        if max(len(self.header or ()), *map(len, self.rows), 0) > self.file.limits.columns:
            raise self.error(f"expected at most {self.file.limits.columns:,} columns (limits.columns), found more")
        self.lines_before = self._dialect.lines_before
        self.notes = self._dialect.notes
        first = self.header or (self.rows[0] if self.rows else [])
        self.first_line = self.delimiter.join(first)[:80]

    def error(self, text: str) -> DataError:
        """Make an error that names the file."""
        return self.file.error(text)

    @property
    def position(self) -> int:
        """How many of the bytes on disk the current `pieces` has consumed."""
        return self.file.position

    def pieces(self, size: int = _PIECE) -> Iterator[memoryview]:
        """Yield the text after the header, in pieces of whole lines, with points for decimal commas."""
        skip = self._dialect.start
        for piece in self.file.pieces(size):
            view = memoryview(piece)
            if len(view) <= skip:
                skip -= len(view)
                continue
            yield self._points(view[skip:])
            skip = 0

    @property
    def is_short(self) -> bool:
        """Whether `head` is all there is."""
        return len(self._head) < _HEAD // 2

    def head(self) -> memoryview:
        """Return the first lines after the header."""
        return self._points(memoryview(self._head)[self._dialect.start :])

    def samples(self) -> Iterator[memoryview]:
        """Yield some lines from here and there, where that costs nothing."""
        yield from (self._points(memoryview(sample)) for sample in self.file.samples())

    def _points(self, text: memoryview) -> memoryview:
        return memoryview(bytes(text).replace(b",", b".")) if self._dialect.decimal_comma else text
