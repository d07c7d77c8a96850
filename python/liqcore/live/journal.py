"""The journal of a market: every frame as it came in, in segments, before anything else sees it."""

import re
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self

from ..errors import DataError, InvalidConfigError
from ..feeds.events import Frame, Market
from ..feeds.segment import LARGEST_FRAME, Encoder, Lost, Place, Segment
from .outside import Files

HOUR_NS = 3_600_000_000_000
CHUNK_BYTES = 1 << 20
"""Of frames, from which on they are written at once."""
TAIL_BYTES = 4 << 20
"""Of the frames written last that are kept in memory, for whoever keeps up."""
_OBJECT_BYTES = 200  # of a frame in memory, besides its body
_AT_ONCE = 1024  # frames that are handed on together


@dataclass(slots=True)
class _Tail:
    """The frames written last, by number."""

    first: int = 0
    frames: deque[Frame] = field(default_factory=deque)
    size: int = 0

    def add(self, frames: list[Frame], size: int) -> None:
        self.frames.extend(frames)
        self.size += size + _OBJECT_BYTES * len(frames)
        while self.size > TAIL_BYTES and len(self.frames) > 1:
            self.size -= _OBJECT_BYTES + len(self.frames.popleft().body)
            self.first += 1

    def skip(self, first: int) -> None:
        self.frames.clear()
        self.first, self.size = first, 0


class Journal:
    """
    Frames of one market, appended to files in a folder, and read again by number.

    A frame has a number, counted from 0 through all segments. What was appended is *written* by `write`, and only then
    handed out by `read`: a killed process loses no frame that anybody has acted on. What was written is *synced* by
    `sync` and at the end of a segment: a machine that loses its power loses no frame before that one.

    Opening a journal looks at its last segment: what a killed writer left half-written is cut off, what is damaged is
    passed over, and both are told by `lost`. The segment is then continued.

    Appending, writing and reading are for one thread; `sync` may be called on another.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    market : Market
    files : Files
    segment_ns : int, default an hour
        Length of a segment: files begin at multiples of it (UTC), by the time of receipt of their first frame.

    Attributes
    ----------
    appended, written, synced : int
        How many frames have come so far: the numbers of the next.
    lost : list of Lost
        What could not be read of the last segment.

    Raises
    ------
    InvalidConfigError
        If another process writes the same journal.
    DataError
        If a file of that name is no journal.
    OSError
        If the folder or a file cannot be written to.
    """

    def __init__(self, folder: Path, market: Market, *, files: Files, segment_ns: int = HOUR_NS) -> None:
        self.folder = folder
        self.market = market
        self.appended = self.written = self.synced = 0
        self.lost: list[Lost] = []
        self._files = files
        self._length = segment_ns
        self._name = file_name(market)
        self._pending: list[Frame] = []
        self._pending_bytes = 0
        self._tail = _Tail()
        self._syncing = threading.Lock()  # a file must not be closed meanwhile
        self._file: BinaryIO | None = None
        self._encoder: Encoder | None = None
        self._begin = -1  # of the segment, ns
        self._held = ExitStack()
        self._own = Reader(self)
        self._readers = [self._own]
        names = files.names(folder)
        try:
            self._held.enter_context(files.lock(folder / f".{self._name}.lock"))
        except BlockingIOError:
            raise InvalidConfigError(
                f"expected a journal that nobody else writes, found another process writing {market} into {folder}"
            ) from None
        try:
            self._starts = sorted(segment_starts(names, market))
            self._open_last()
        except BaseException:
            self._held.close()
            raise

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    @property
    def pending_bytes(self) -> int:
        """Of frames that were appended and are not written yet."""
        return self._pending_bytes

    def append(self, frame: Frame) -> int:
        """
        Take a frame; return its number. It is written once `write` returns.

        Raises
        ------
        DataError
            If it is longer than 16 MiB, or of a time below zero, which no feed hands on.
        """
        if len(frame.body) > LARGEST_FRAME or frame.received < 0:
            raise DataError(
                f"expected frames of at most {LARGEST_FRAME:,} bytes and of a time from 1970 on, "
                f"found {len(frame.body):,} bytes at {frame.received}"
            )
        self._pending.append(frame)
        self._pending_bytes += len(frame.body)
        self.appended += 1
        return self.appended - 1

    def write(self) -> None:
        """
        Write what was appended as a chunk of the segment, or of the next one where its time has come.

        Raises
        ------
        OSError
            If it cannot be written. The frames are kept, and the next call tries again.
        """
        while self._pending:
            begin = self._pending[0].received // self._length * self._length
            if self._encoder is None or begin > self._begin:
                self._next_segment(max(begin, self._begin))
            end = self._begin + self._length
            count = next(
                (i for i, frame in enumerate(self._pending) if i and frame.received >= end), len(self._pending)
            )
            frames = self._pending[:count]
            assert self._encoder is not None
            assert self._file is not None
            before = self._encoder.size
            try:
                _write(self._file, self._encoder.chunk(frames))
            except OSError:
                self._encoder.take_back()
                self._files.cut(self._path(self._begin), before)
                raise
            size = sum(len(frame.body) for frame in frames)
            del self._pending[:count]
            self._pending_bytes -= size
            self.written += count
            self._tail.add(frames, size)

    def sync(self) -> None:
        """Return once all that was written is on the disk; on any thread."""
        with self._syncing:
            written = self.written
            if self._file is not None and self.synced < written:
                self._files.sync(self._file)
                self.synced = written

    def skip(self, number: int) -> None:
        """Go on with a number: the frames before it were lost, but somebody has acted on them."""
        self.write()
        if number > self.written:
            if self._encoder is not None:
                self._encoder.skip(number)
            self.appended = self.written = self.synced = number
            self._tail.skip(number)

    def close(self) -> None:
        """Write and sync everything, make the segment whole and let others write."""
        for reader in self._readers:
            reader.close()
        try:
            self.write()
            if self._encoder is not None:
                self._finish()
        except OSError as error:
            name = self._path(self._begin) if self._begin >= 0 else self.folder / self._name
            lost = f"; {len(self._pending):,} messages are lost" if self._pending else ""
            raise OSError(error.errno, f"{error.strerror or error}{lost}", str(name)) from error
        finally:
            if self._file is not None:
                self._file.close()
            self._file = self._encoder = None
            self._held.close()

    def read(self, number: int) -> tuple[int, list[Frame]]:
        """Return what `Reader.read` does, for one who reads it alone."""
        return self._own.read(number)

    def reader(self) -> "Reader":
        """Return what reads it for one who follows: each has its own place in the files."""
        self._readers.append(Reader(self))
        return self._readers[-1]

    @property
    def kept_from(self) -> int:
        """Number of the first frame that memory has; those before are in the files alone."""
        return self._tail.first

    def kept(self, number: int) -> list[Frame]:
        """Return some of the frames that memory has, from a number on."""
        begin = number - self._tail.first
        return list(islice(self._tail.frames, begin, begin + _AT_ONCE))

    def filed(self, number: int) -> Generator[tuple[int, list[Frame]], None, None]:
        """Yield the frames from a number on, and the number of what follows them, until memory has the rest."""
        at = -1
        while (at := at + 1) < len(self._starts):
            if at + 1 < len(self._starts) and self._first_of(self._starts[at + 1]) <= number:
                continue
            path = self._path(self._starts[at])
            with self._files.read(path) as file:
                segment = Segment(file, path.name)
                for place, frames in segment.chunks():
                    if segment.next <= number:
                        continue
                    yield segment.next, frames[max(0, number - segment.next + place.frames) :]
                    number = segment.next
                    if number >= self._tail.first:
                        return

    def _first_of(self, start: int) -> int:
        with self._files.read(self._path(start)) as file:
            return Segment(file, self._path(start).name).first

    def _open_last(self) -> None:
        """Look at the last segment, cut what was never written whole, and go on behind it."""
        if not self._starts:
            return
        self._begin = self._starts[-1]
        path = self._path(self._begin)
        places: list[Place] = []
        with self._files.read(path) as file:
            segment = Segment(file, path.name)
            for place, _ in segment.chunks():
                places.append(place)
            size = file.seek(0, 2)
        self.lost = list(segment.lost)
        encoder = Encoder(segment.first, str(self.market))
        if not places:  # its head may be torn, too
            first = self._before_last() if len(self._starts) > 1 else segment.first
            encoder = Encoder(first, str(self.market))
            self._files.cut(path, 0)
            self._file = self._files.append(path)
            _write(self._file, encoder.head())
        else:
            if segment.end < size:
                self._files.cut(path, segment.end)
            encoder.resume(places, segment.end)
            encoder.skip(segment.next)
            self._file = self._files.append(path)
        self._encoder = encoder
        self._files.sync(self._file)
        self.appended = self.written = self.synced = self._tail.first = encoder.first + encoder.frames

    def _before_last(self) -> int:
        """Return the number that follows the last segment but one."""
        path = self._path(self._starts[-2])
        with self._files.read(path) as file:
            segment = Segment(file, path.name)
            for _ in segment.chunks():
                pass
            return segment.next

    def _next_segment(self, begin: int) -> None:
        if self._encoder is not None:
            self._finish()
        path = self._path(begin)
        encoder = Encoder(self.written, str(self.market))
        file = self._files.append(path)
        try:
            _write(file, encoder.head())
        except OSError:
            file.close()
            self._files.cut(path, 0)
            raise
        self._file, self._encoder, self._begin = file, encoder, begin
        self._starts.append(begin)

    def _finish(self) -> None:
        """Make the segment whole, and close it."""
        assert self._file is not None
        assert self._encoder is not None
        before = self._encoder.size
        try:
            _write(self._file, self._encoder.tail())
        except OSError:
            self._files.cut(self._path(self._begin), before)
            raise
        with self._syncing:
            self._files.sync(self._file)
            self.synced = self.written
            self._file.close()
            self._file = self._encoder = None

    def _path(self, start: int) -> Path:
        return self.folder / segment_name(self.market, start)


_STAMP = "%Y%m%dT%H%M%SZ"


class Reader:
    """
    Reads a journal for one who follows it, on the journal's thread; see `Journal.reader`.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._filed: Generator[tuple[int, list[Frame]], None, None] | None = None
        self._at = -1  # the number that it goes on from

    def read(self, number: int) -> tuple[int, list[Frame]]:
        """
        Return some of the frames that were written, from a number on, and the number of what follows them.

        No frame: there are no more so far. They come from memory where it has them, else from the files, a chunk at a
        time; numbers of frames that were lost are passed over.
        """
        journal = self._journal
        while number < journal.written:
            if number >= journal.kept_from:
                frames = journal.kept(number)
                return number + len(frames), frames
            if self._filed is None or self._at != number:
                self.close()
                self._filed = journal.filed(number)
            found = next(self._filed, None)
            if found is not None:
                self._at = found[0]
                return found
            self._filed, number = None, journal.kept_from  # what is not in the files is lost
        return number, []

    def close(self) -> None:
        """Leave the files."""
        if self._filed is not None:
            self._filed.close()
            self._filed = None


def file_name(market: Market) -> str:
    """Return how the names of a market's files begin."""
    return re.sub(r"[^A-Za-z0-9_.@]+", "-", f"{market.venue}-{market.symbol}")


def segment_name(market: Market, start: int) -> str:
    """Return the name of the segment of a market that begins at a time, ns."""
    return f"{file_name(market)}-{datetime.fromtimestamp(start / 1e9, UTC):{_STAMP}}.mcap"


def segment_starts(names: Iterable[str], market: Market) -> Iterator[int]:
    """Yield when each segment of a market begins, ns, of the files of those names."""
    before = f"{file_name(market)}-"
    for name in names:
        stamp = name.removeprefix(before).removesuffix(".mcap")
        if name == f"{before}{stamp}.mcap" and re.fullmatch(r"\d{8}T\d{6}Z", stamp):
            yield round(datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def _write(file: BinaryIO, data: bytes) -> None:
    """Write all of it: an unbuffered file may take a part."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
