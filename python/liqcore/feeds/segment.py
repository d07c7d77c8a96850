"""
Segments of a journal: MCAP files of frames, of which every chunk can be read by itself (docs/reference/journal.md).

The records are those of the package ``mcap``; the frames of a chunk are put together and taken apart here, because that
takes a third of the time, and because the package can neither continue a file nor go on behind damage.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

import zstandard
from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, ChunkIndex, DataEnd, Footer, Header, Metadata, Statistics, SummaryOffset

from ..errors import DataError
from ..words.times import iso
from .events import Frame

MAGIC = b"\x89MCAP0\r\n"
PROFILE = "liqcore.journal"
LARGEST_CHUNK = 64 << 20
"""Bytes of a chunk, unpacked: what claims more is damaged."""
LARGEST_FRAME = 16 << 20

_RECORD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_FRAME = struct.Struct("<BQHIQQ")
_CHUNK = struct.Struct("<QQQI8sQ")  # times, size, checksum, "zstd", packed size
_ZSTD = b"\x04\0\0\0zstd"
_BEFORE_ZSTD = _RECORD.size + 8 + 8 + 8 + 4  # bytes of a chunk before that word
_WINDOW = 1 << 20
_LOW = 1 << 32  # how far the number in a message goes
_TORN = "the end of it was never written"


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a chunk stands, and what is in it.

    Attributes
    ----------
    offset, length : int
        Bytes of the file.
    first, frames : int
        The number of its first frame, as far as 32 bits go, and how many there are.
    start, end : int
        The least and the greatest time of receipt, ns.
    packed, unpacked : int
        Bytes.
    counts : dict of (str, str) to int
        Frames by venue and source.
    """

    offset: int
    length: int
    first: int
    frames: int
    start: int
    end: int
    packed: int
    unpacked: int
    counts: dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Lost:
    """
    A stretch of a segment that cannot be read, and is left out.

    Attributes
    ----------
    name : str
        Of the file.
    offset, size : int
        Bytes.
    why : str
    torn : bool
        Whether only the end is missing of a segment that nobody finished: its writer was killed, or writes still.
    frames : int or None
        How many were lost; None: nothing tells.
    since, until : int
        When the last frame before was received, and the first after; 0: there is none.
    """

    name: str
    offset: int
    size: int
    why: str
    torn: bool
    frames: int | None = None
    since: int = 0
    until: int = 0

    def __str__(self) -> str:
        """Say it in words."""
        count = "frames" if self.frames is None else f"{self.frames:,} {'frame' if self.frames == 1 else 'frames'}"
        since, until = iso(self.since), iso(self.until)
        if self.since and self.until:
            when = f" between {since} and {until}"
        else:
            when = f" after {since}" if self.since else f" before {until}" if self.until else ""
        return f"{self.name}: {count} lost{when} ({self.size:,} bytes at {self.offset:,}: {self.why})"


class Encoder:
    """
    Writes down the frames of one segment: a head, chunks, a tail.

    Parameters
    ----------
    first : int
        The number of its first frame, counted through all segments of a journal.
    market : str
        What the journal is of.
    """

    def __init__(self, first: int, market: str) -> None:
        self.first = first
        self.frames = 0
        self.market = market
        self.size = 0  # of what was returned so far
        self._places: list[Place] = []
        self._channels: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._compressor = zstandard.ZstdCompressor()

    def head(self) -> bytes:
        """Return what a segment begins with."""
        builder = RecordBuilder()
        Header(PROFILE, "liqcore").write(builder)
        said = {"first": str(self.first), "market": self.market}
        Metadata(PROFILE, {**said, "check": _check(said)}).write(builder)
        return self._said(MAGIC + _bytes(builder))

    def chunk(self, frames: Sequence[Frame]) -> bytes:
        """Return a chunk of some frames, at least one."""
        pack, opcode, fixed = _FRAME.pack, int(Opcode.MESSAGE), _MESSAGE.size
        number = self.first + self.frames
        counts: dict[tuple[str, str], int] = {}
        parts: list[bytes] = []
        for frame in frames:
            key = (frame.venue, frame.source)
            counts[key] = counts.get(key, 0) + 1
            channel, _ = self._channels.get(key) or self._channel(key)
            body, at = frame.body, frame.received
            parts += (pack(opcode, fixed + len(body), channel, number % _LOW, at, at), body)
            number += 1
        data = b"".join([*(self._channels[key][1] for key in counts), *parts])
        packed = self._compressor.compress(data)
        times = [frame.received for frame in frames]
        builder = RecordBuilder()
        Chunk(
            compression="zstd", data=packed, message_start_time=min(times), message_end_time=max(times),
            uncompressed_crc=zlib.crc32(data), uncompressed_size=len(data),
        ).write(builder)  # fmt: skip
        out = _bytes(builder)
        self._places.append(
            Place(
                self.size, len(out), (self.first + self.frames) % _LOW, len(frames), min(times), max(times),
                len(packed), len(data), counts,
            )
        )  # fmt: skip
        self.frames += len(frames)
        return self._said(out)

    def tail(self) -> bytes:
        """Return what makes a segment whole: the index of its chunks, by which others find their way."""
        data, summary, offsets = RecordBuilder(), RecordBuilder(), RecordBuilder()
        DataEnd(0).write(data)
        begin = self.size + data.count
        counts: dict[int, int] = {}
        for place in self._places:
            for key, count in place.counts.items():
                counts[self._channels[key][0]] = counts.get(self._channels[key][0], 0) + count
        groups: list[tuple[int, int]] = []
        for _, record in self._channels.values():
            summary.write(record)
        groups.append((Opcode.CHANNEL, summary.count))
        Statistics(
            attachment_count=0, channel_count=len(self._channels), channel_message_counts=counts,
            chunk_count=len(self._places), message_count=sum(counts.values()),
            message_end_time=max((place.end for place in self._places), default=0),
            message_start_time=min((place.start for place in self._places), default=0),
            metadata_count=1, schema_count=0,
        ).write(summary)  # fmt: skip
        groups.append((Opcode.STATISTICS, summary.count))
        for place in self._places:
            ChunkIndex(
                chunk_length=place.length, chunk_start_offset=place.offset, compression="zstd",
                compressed_size=place.packed, message_end_time=place.end, message_index_length=0,
                message_index_offsets={}, message_start_time=place.start, uncompressed_size=place.unpacked,
            ).write(summary)  # fmt: skip
        groups.append((Opcode.CHUNK_INDEX, summary.count))
        before = 0
        for opcode, end in groups:
            if end > before:
                SummaryOffset(group_opcode=opcode, group_start=begin + before, group_length=end - before).write(offsets)
            before = end
        where = begin + summary.count
        said = _bytes(summary) + _bytes(offsets)
        crc = zlib.crc32(struct.pack("<BQQQ", Opcode.FOOTER, 20, begin, where), zlib.crc32(said))
        footer = RecordBuilder()
        Footer(summary_start=begin, summary_offset_start=where, summary_crc=crc).write(footer)
        return _bytes(data) + said + _bytes(footer) + MAGIC

    def resume(self, places: Sequence[Place], size: int) -> None:
        """Go on behind the chunks of a file that stand in its first `size` bytes."""
        for place in places:
            for key in place.counts:
                if key not in self._channels:
                    self._channel(key)
        self._places = list(places)
        self.frames = sum(place.frames for place in places)
        self.size = size

    def skip(self, first: int) -> None:
        """Leave out the numbers up to one: frames that were lost."""
        self.frames = max(self.frames, first - self.first)

    def take_back(self) -> None:
        """Forget the last chunk, which could not be written."""
        place = self._places.pop()
        self.size -= place.length
        self.frames -= place.frames

    def _said(self, out: bytes) -> bytes:
        self.size += len(out)
        return out

    def _channel(self, key: tuple[str, str]) -> tuple[int, bytes]:
        number = len(self._channels) + 1
        builder = RecordBuilder()
        venue, source = key
        Channel(
            id=number, topic=f"{venue}/{source}", message_encoding="json", schema_id=0,
            metadata={"venue": venue, "source": source},
        ).write(builder)  # fmt: skip
        self._channels[key] = (number, _bytes(builder))
        return self._channels[key]


@dataclass(slots=True)
class Segment:
    """
    A segment that is being read, chunk by chunk; what cannot be read is left out and told.

    Parameters
    ----------
    file : BinaryIO
        Which can be sought in.
    name : str
        For messages.

    Attributes
    ----------
    first : int
        The number of its first frame.
    market : str
    lost : list of Lost
        What could not be read so far.
    finished : bool
        Whether the end of its frames has been read: False while it is written, and where its writer was killed.
    end : int
        Bytes up to the end of the last chunk that was read.
    next : int
        The number of the next frame.
    received : int
        When the last one so far was received, ns; 0: there was none.

    Raises
    ------
    DataError
        If the file is no journal.
    """

    file: BinaryIO
    name: str
    first: int = field(default=0, init=False)
    market: str = field(default="", init=False)
    lost: list[Lost] = field(default_factory=list, init=False)
    finished: bool = field(default=False, init=False)
    end: int = field(default=0, init=False)
    next: int = field(default=0, init=False)
    received: int = field(default=0, init=False)
    _told: bool = field(default=False, init=False)
    _unpack: zstandard.ZstdDecompressor = field(default_factory=zstandard.ZstdDecompressor, init=False)

    def __post_init__(self) -> None:
        self.file.seek(0)
        begin = self.file.read(len(MAGIC))
        if begin != MAGIC:
            if MAGIC.startswith(begin) or not any(begin):  # torn before anything was in it; power loss leaves zeros
                return
            raise DataError(f"{self.name}: expected a journal (MCAP), found other bytes at its beginning")
        self.end = self.file.tell()
        self._head()
        if not self._told and not isinstance(found := self._chunk(self.end), str):
            self.first, self._told = found[0].first, True
        self.next = self.first

    def _head(self) -> None:
        """Read header and metadata; what of them is damaged, the first chunk tells."""
        for opcode, read in ((Opcode.HEADER, Header.read), (Opcode.METADATA, Metadata.read)):
            body = self._record(self.end, opcode)
            if body is None:
                return
            stream = ReadDataStream(BytesIO(body))
            try:
                record = read(stream)
            except (ValueError, struct.error, OverflowError, McapError):
                return
            if stream.count != len(body):
                return
            if isinstance(record, Header) and record.profile != PROFILE:
                raise DataError(
                    f"{self.name}: expected a journal of liqcore, found MCAP of the profile {record.profile!r}"
                )
            if isinstance(record, Metadata):
                said = dict(record.metadata)
                if said.pop("check", None) == _check(said):
                    self.market, self.first, self._told = said["market"], int(said["first"]), True
            self.end += _RECORD.size + len(body)

    def _record(self, offset: int, wanted: int) -> bytes | None:
        """Return the contents of a record; None: there is no such record, or not the whole of it."""
        self.file.seek(offset)
        head = self.file.read(_RECORD.size)
        if len(head) < _RECORD.size:
            return None
        opcode, length = _RECORD.unpack(head)
        if opcode != wanted or length > LARGEST_CHUNK:
            return None
        body = self.file.read(length)
        return body if len(body) == length else None

    def chunks(self, since: int | None = None) -> Iterator[tuple[Place, list[Frame]]]:
        """
        Yield where each chunk stands, and its frames.

        With `since` chunks that end before that time (of receipt, ns) are passed over, not unpacked.
        """
        offset, lost_from, why = self.end, -1, ""
        passed = False
        while True:
            self.file.seek(offset)
            head = self.file.read(_RECORD.size)
            if not head:
                break
            if len(head) == _RECORD.size and head[0] == Opcode.DATA_END and head[1:] == b"\4" + bytes(7):
                self.finished = True
                break
            if since is not None and lost_from < 0 and (after := self._passed(offset, since)):
                offset, passed = after, True
                continue
            found = self._chunk(offset)
            if isinstance(found, str):
                if lost_from < 0:
                    lost_from, why = offset, found
                beyond = self._search(offset + 1)
                if beyond is None:
                    break
                offset = beyond
                continue
            place, frames = found
            if not self._told:
                self.first = self.next = place.first
                self._told = True
            if passed:  # nothing is known of what was passed over but that it came before
                self.next += (place.first - self.next) % _LOW
                passed = False
            missing = (place.first - self.next) % _LOW
            if missing >= _LOW // 2:  # a chunk that stands there twice
                if lost_from < 0:
                    lost_from, why = offset, "a chunk whose frames have been before"
                offset = place.offset + place.length
                continue
            if lost_from >= 0 or missing:
                begin = offset if lost_from < 0 else lost_from
                why = "a chunk of another length than it says" if why == _TORN else why
                self._lose(begin, offset - begin, why or "frames are missing here", missing, place.start)
                lost_from, why = -1, ""
            self.next += missing + place.frames
            self.received = frames[-1].received
            offset = self.end = place.offset + place.length
            yield place, frames
        if lost_from >= 0:
            size = self.file.seek(0, 2) - lost_from
            self._lose(lost_from, size, why, None, 0, torn=why == _TORN)

    def _passed(self, offset: int, since: int) -> int:
        """Return where the next record begins, if this is a whole chunk that ends before a time; 0: it is not."""
        self.file.seek(offset)
        head = self.file.read(_BEFORE_ZSTD + len(_ZSTD))
        if len(head) < _BEFORE_ZSTD + len(_ZSTD) or head[0] != Opcode.CHUNK or not head.endswith(_ZSTD):
            return 0
        length, start, end = struct.unpack_from("<QQQ", head, 1)
        beyond = offset + _RECORD.size + int(length)
        return beyond if start <= end < since and beyond <= self.file.seek(0, 2) else 0

    def _lose(self, offset: int, size: int, why: str, frames: int | None, until: int, *, torn: bool = False) -> None:
        self.lost.append(Lost(self.name, offset, size, why, torn, frames, self.received, until))

    def _search(self, offset: int) -> int | None:
        """Find the next place that may be the beginning of a chunk."""
        at = offset + _BEFORE_ZSTD
        while True:
            self.file.seek(at)
            window = self.file.read(_WINDOW)
            found = window.find(_ZSTD)
            if found >= 0:
                return at + found - _BEFORE_ZSTD
            if len(window) < _WINDOW:
                return None
            at += _WINDOW - len(_ZSTD)

    def _chunk(self, offset: int) -> tuple[Place, list[Frame]] | str:
        """Read a chunk; what is wrong with it where it is not one."""
        self.file.seek(offset)
        head = self.file.read(_RECORD.size)
        if len(head) < _RECORD.size:
            return _TORN
        opcode, length = _RECORD.unpack(head)
        if opcode != Opcode.CHUNK or length > LARGEST_CHUNK:
            return "no chunk where one was expected"
        body = self.file.read(length)
        if len(body) < length:
            return _TORN
        if length < _CHUNK.size or not body.startswith(_ZSTD, _BEFORE_ZSTD - _RECORD.size):
            return "a chunk whose parts do not fit"
        start, end, unpacked, crc, _, packed = _CHUNK.unpack_from(body)
        if packed != length - _CHUNK.size or unpacked > LARGEST_CHUNK:
            return "a chunk whose parts do not fit"
        content = memoryview(body)[_CHUNK.size :]
        try:
            if zstandard.frame_content_size(content) != unpacked:
                return "a chunk of another size than it says"
            data = self._unpack.decompress(content)
        except (zstandard.ZstdError, MemoryError):
            return "a chunk that cannot be unpacked"
        if zlib.crc32(data) != crc:
            return "a chunk whose checksum does not fit"
        try:
            first, frames, counts = _frames(data)
        except (KeyError, ValueError, struct.error, OverflowError, McapError) as error:
            return f"a chunk that is not of liqcore ({error})"
        times = [frame.received for frame in frames]
        if (start, end) != (min(times), max(times)):
            return "a chunk of another time than it says"
        size = _RECORD.size + int(length)
        place = Place(offset, size, first, len(frames), start, end, int(packed), len(data), counts)
        return place, frames


def _bytes(builder: RecordBuilder) -> bytes:
    """Return what was written into it."""
    return bytes(builder.end())  # type: ignore[no-untyped-call]


def _frames(data: bytes) -> tuple[int, list[Frame], dict[tuple[str, str], int]]:
    """Take the contents of a chunk apart: the number of its first frame, the frames, how many of each kind."""
    at, size, expected = 0, len(data), -1
    channels: dict[int, tuple[str, str]] = {}
    numbers: dict[int, int] = {}
    frames: list[Frame] = []
    first = 0
    unpack, unpack_message, message = _RECORD.unpack_from, _MESSAGE.unpack_from, int(Opcode.MESSAGE)
    while at < size:
        opcode, length = unpack(data, at)
        at += _RECORD.size
        end = at + length
        if end > size:
            raise ValueError("a record goes over its end")
        if opcode == message:
            channel, number, received, _ = unpack_message(data, at)
            if not frames:
                first = expected = number
            if number != expected:
                raise ValueError(f"frame {expected} is missing")
            expected = (expected + 1) % _LOW
            venue, source = channels[channel]
            numbers[channel] = numbers.get(channel, 0) + 1
            frames.append(Frame(received, venue, source, data[at + _MESSAGE.size : end]))
        elif opcode == Opcode.CHANNEL:
            record = Channel.read(ReadDataStream(BytesIO(data[at:end])))
            channels[record.id] = record.metadata["venue"], record.metadata["source"]
        at = end
    if not frames:
        raise ValueError("no frame in it")
    return first, frames, {channels[channel]: count for channel, count in numbers.items()}


def _check(said: dict[str, str]) -> str:
    """Return the checksum of what a head says."""
    return f"{zlib.crc32(repr(sorted(said.items())).encode()):08x}"
