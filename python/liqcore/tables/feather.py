"""
Feather (Arrow IPC) files, read by pyarrow after what they unpack to has been added up.

Their parts are found by the list at their end, as pyarrow finds them: one that it names often counts as often.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..errors import DataError
from ..words.limits import ALWAYS_UNPACKED, limits
from .column import Column
from .parquet_foreign import column_of

FEATHER = (b"ARRO", b"FEA1")  # how feather files begin
_END = struct.Struct("<i6s")  # length of the list of parts before it, and the name of the format
_CELL_BYTES = 8  # of most values, and of the reference to any other
_DICTIONARY, _BATCH = 2, 3  # kinds of messages that have a body


class Feather:
    """
    A feather file, held in memory: one row group.

    Raises
    ------
    DataError
        If it unpacks to more than `limits` allow, or is of the first version.
    Exception
        Any other, if it is damaged.
    """

    def __init__(self, arrow: ModuleType, path: Path, error: Callable[[str], DataError]) -> None:
        from pyarrow import ipc

        self._arrow = arrow
        self._error = error
        stored = path.read_bytes()
        if not stored.startswith(b"ARRO"):
            raise error("a feather file of the first version: write it anew, as version 2")
        self._times = limits().unpacked
        self._most = max(self._times * len(stored), ALWAYS_UNPACKED)
        self._refuse_large(_unpacked(stored))
        with ipc.open_file(arrow.py_buffer(stored)) as reader:
            self._table = reader.read_all()
        self.columns: list[str] = list(self._table.column_names)
        self.rows: int = self._table.num_rows

    def read(self, _group: int, names: Sequence[str]) -> list[Column]:
        """Read columns, each of which is checked whole first."""
        return [self._column(self._table.column(name)) for name in names]

    def _column(self, chunks: Any) -> Column:
        chunks.validate(full=True)
        self._refuse_large(sum(map(self._spread, chunks.iterchunks())))
        return column_of(self._arrow, chunks.combine_chunks())

    def _spread(self, chunk: Any) -> int:
        """Bytes that a chunk has when every row has its own: one long word may stand in all of them."""
        is_dictionary = self._arrow.types.is_dictionary(chunk.type)
        words = chunk.dictionary if is_dictionary else chunk
        kind, begin, count = str(words.type), words.offset, len(words)
        if not count:
            return 0
        if kind in ("string_view", "binary_view"):
            lengths = np.frombuffer(words.buffers()[1], "<i4", 4 * (begin + count))[4 * begin :: 4]
        elif not is_dictionary:
            return 0  # no two rows share a byte
        elif kind in ("string", "large_string", "binary", "large_binary"):
            ends = np.frombuffer(words.buffers()[1], "<i8" if "large" in kind else "<i4", begin + count + 1)
            lengths = np.diff(ends[begin:])
        else:
            return len(chunk) * max(int(words.type.bit_width) // 8, 1)  # which raises where lengths vary
        longest = int(lengths.max(initial=0))
        return len(chunk) * longest if is_dictionary else int(lengths.sum(dtype=np.int64))

    def _refuse_large(self, need: int) -> None:
        if need > self._most:
            raise self._error(f"unpacks to over {self._times:,} times the size of the file (limits.unpacked)")


def _unpacked(stored: bytes) -> int:
    """Return what all parts of a file take in memory, by its footer (Arrow's File.fbs)."""
    length, name = _END.unpack_from(stored, len(stored) - _END.size)
    begin = len(stored) - _END.size - length
    if name != b"ARROW1" or not 0 < begin <= len(stored):
        raise ValueError("the end is missing")
    footer = _Table.root(stored[begin:])
    need = 0
    for field in (2, 3):  # dictionaries, batches
        for offset, metadata, _ in footer.structs(field, "<qi4xq"):
            message = memoryview(stored)[offset:]
            (mark,) = struct.unpack_from("<I", message)
            begin = 8 if mark == 0xFFFFFFFF else 4  # before that, where old writers left the mark out
            need += _unpacked_part(bytes(message[begin:metadata]), message[metadata:])
    return need


def _unpacked_part(said: bytes, body: memoryview) -> int:
    """
    Return what a part takes, by its metadata (Message.fbs): every buffer, or every cell of a column.

    A buffer that is packed begins with how many bytes it unpacks to, -1 where it is not packed after all.
    """
    message = _Table.root(said)
    kind, header = message.number(1, "<B"), message.table(2)
    if kind == _DICTIONARY and header is not None:
        header = header.table(1)
    if kind not in (_DICTIONARY, _BATCH) or header is None:
        return 0
    is_packed = header.table(3) is not None
    need, cells = 0, sum(length for length, _ in header.structs(1, "<qq"))
    for begin, size in header.structs(2, "<qq"):
        unpacked = size
        if is_packed and size > 0:
            (unpacked,) = struct.unpack_from("<q", body, begin)
        need += max(unpacked, size)
    return max(need, _CELL_BYTES * cells)


class _Table:
    """A table of a flatbuffer: fields by number, at places that its own list of them gives."""

    def __init__(self, stored: bytes, at: int) -> None:
        self._stored, self._at = stored, at
        self._list = at - self._whole("<i", at)
        self._size = self._whole("<H", self._list)

    @classmethod
    def root(cls, stored: bytes) -> _Table:
        """The table that it is."""
        return cls(stored, struct.unpack_from("<I", stored)[0])

    def _whole(self, form: str, at: int) -> int:
        if at < 0:  # which Python would count from the end
            raise ValueError("a field outside the message")
        number: int = struct.unpack_from(form, self._stored, at)[0]
        return number

    def _field(self, number: int) -> int:
        """Where a field is; 0: it is left out."""
        at = 4 + 2 * number
        offset = self._whole("<H", self._list + at) if at < self._size else 0
        return self._at + offset if offset else 0

    def number(self, field: int, form: str) -> int:
        """A number; 0 where it is left out."""
        at = self._field(field)
        return self._whole(form, at) if at else 0

    def table(self, field: int) -> _Table | None:
        """Another table."""
        at = self._field(field)
        return _Table(self._stored, at + self._whole("<I", at)) if at else None

    def structs(self, field: int, form: str) -> Iterator[tuple[int, ...]]:
        """A list of structs of whole numbers, none below 0."""
        at = self._field(field)
        if not at:
            return
        at += self._whole("<I", at)
        count, each = self._whole("<I", at), struct.Struct(form)
        if at + 4 + count * each.size > len(self._stored):
            raise ValueError("a list outside the message")
        for k in range(count):
            numbers = each.unpack_from(self._stored, at + 4 + k * each.size)
            if min(numbers) < 0:
                raise ValueError("a length below 0")
            yield numbers
