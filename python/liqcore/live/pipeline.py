"""From a feed to the journal, and from the journal to an engine: the journal is the queue between them."""

import asyncio
import threading
from contextlib import suppress
from pathlib import Path

from ..config.config import Config
from ..errors import DataError
from ..feeds.events import Frame
from ..words.times import parse_duration
from .happened import Durable
from .journal import CHUNK_BYTES, Journal, file_name
from .market import MarketEngine
from .outside import Clock, Files, why

MOST_PENDING = 8 * CHUNK_BYTES
"""Bytes that wait to be written while the journal cannot be; then whoever hands on frames waits, too."""


class Recorder:
    """
    Takes a feed's frames into a journal, and nothing in between can lose one.

    `put` only appends; frames are written together, every ``journal.write`` or 1 MiB, and synced every
    ``journal.sync``. Where the journal cannot be written (the disk is full), frames wait, and when 8 MiB wait `put`
    does: then the venue's socket is not read any more, and the feed says that it is stale.

    Attributes
    ----------
    error : str
        Why the journal cannot be written at present; empty: it can.
    written : asyncio.Event
        Set whenever frames have been written: for whoever follows.
    """

    def __init__(self, journal: Journal, *, clock: Clock, config: Config) -> None:
        self.journal = journal
        self.error = ""
        self.written = asyncio.Event()
        self._clock = clock
        self._write_ns = parse_duration(config.journal.write, name="journal.write")
        self._sync_ns = parse_duration(config.journal.sync, name="journal.sync")

    async def put(self, frame: Frame) -> None:
        """Take a frame: a feed's sink."""
        self.journal.append(frame)
        if self.journal.pending_bytes >= CHUNK_BYTES and not self.error:
            self.write()
        while self.journal.pending_bytes >= MOST_PENDING:
            await self._clock.sleep(self._write_ns)

    async def run(self) -> None:
        """Write and sync from time to time, until cancelled."""
        synced = self._clock.elapsed()
        while True:
            await self._clock.sleep(self._write_ns)
            self.write()
            if self._clock.elapsed() - synced >= self._sync_ns:
                synced = self._clock.elapsed()
                try:
                    await asyncio.to_thread(self.journal.sync)
                except OSError as error:
                    self.error = why(error)

    def write(self) -> None:
        """Write what has come so far; an error is kept, and the next call tries again."""
        before = self.journal.written
        try:
            self.journal.write()
            self.error = ""
        except OSError as error:
            self.error = why(error)
        if self.journal.written > before:
            self.written.set()


class Follower:
    """
    Feeds a market's engine from a journal: from memory where it keeps up, else from the files.

    Restarted, it goes on from the last checkpoint, bit for bit as if it had never stopped.

    Parameters
    ----------
    recorder : Recorder
    market : MarketEngine
        Which has taken nothing yet.
    files : Files
    clock : Clock
    model : str, optional
        Which one it is, in the name of its checkpoint, where several follow one market.

    Attributes
    ----------
    notes : list of str
        What is to be known of how it began, such as that the checkpoint was damaged.
    error : str
        Why no checkpoint can be saved at present; empty: it can.
    until : int or None
        What was received later is not fed yet, ns, though the journal has it; None: all of it is.
    """

    def __init__(
        self, recorder: Recorder, market: MarketEngine, *, files: Files, clock: Clock, model: str = ""
    ) -> None:
        self.recorder = recorder
        self.market = market
        self.notes: list[str] = []
        self.error = ""
        self.until: int | None = None
        self._is_held = False
        self._files = files
        self._clock = clock
        journal = recorder.journal
        self._reader = journal.reader()
        of = f".{model}" if model else ""
        self.path: Path = journal.folder / f"{file_name(journal.market)}{of}.checkpoint"
        self._every_ns = parse_duration(market.config.live.checkpoint, name="live.checkpoint")
        self._saved_at = clock.elapsed()
        self._saving = threading.Lock()  # a thread that saves goes on when whoever awaits it is cancelled
        with suppress(FileNotFoundError):
            self._load()
        journal.skip(market.frames)

    def _load(self) -> None:
        with self._files.read(self.path) as file:
            data = file.read()
        try:
            if not self.market.load(data):
                self.notes.append(f"{self.path.name}: of another configuration; the whole journal is read instead")
        except DataError as error:
            self.notes.append(f"{self.path.name}: {error}; the whole journal is read instead")

    @property
    def lag(self) -> int:
        """How many frames have been written and not been fed yet, and might be."""
        return 0 if self._is_held else self.recorder.journal.written - self.market.frames

    async def run(self) -> None:
        """Follow, until cancelled."""
        while True:
            self.recorder.written.clear()
            began, came = self._clock.elapsed(), self.recorder.journal.appended
            if not self.step():
                await self.recorder.written.wait()
            else:
                await self._clock.sleep(0)
                if self.recorder.journal.appended > came:  # in a burst half of the time is for what comes in
                    await self._clock.sleep(self._clock.elapsed() - began)
            if self._clock.elapsed() - self._saved_at >= self._every_ns:
                self._saved_at = self._clock.elapsed()
                try:
                    await asyncio.to_thread(self.checkpoint)
                    self.error = ""
                except OSError as error:
                    self.error = why(error)

    def step(self) -> bool:
        """Feed some of the frames that have been written; False: there are none that have not been fed."""
        number, frames = self._reader.read(self.market.frames)
        if self.until is not None:
            passed = [frame for frame in frames if frame.received <= self.until]
            self._is_held = len(passed) < len(frames)
            number, frames = (number - len(frames) + len(passed), passed) if self._is_held else (number, frames)
            if self._is_held and not passed:
                return False
        if number == self.market.frames:
            return False
        self.market.take(frames, number=number)
        return True

    def allow(self, ts: int) -> None:
        """Feed what was received by a time, too, where something is held back."""
        if self.until is not None:
            self.until, self._is_held = ts, False
            self.recorder.written.set()

    async def rebuild(self, market: MarketEngine, until: int) -> None:
        """
        Follow with another engine, which has taken nothing yet; return once it has what was received by a time.

        Sinks are told of what comes after that, with the numbers that it had: what was before they know.
        """
        with self._saving:
            sinks, market.sinks = self.market.sinks, []
            self.market, self.until, self._is_held = market, until, False
        self.recorder.write()
        while self.step():
            await self._clock.sleep(0)
        market.sinks = sinks
        if market.book is not None:
            market.book.publisher.publish(market.book.engine)

    def catch_up(self) -> None:
        """Feed all frames that have been written."""
        while self.step():
            pass

    def checkpoint(self) -> bool:
        """Save the engine's state, with all frames behind it on the disk; False: there is nothing to save yet."""
        with self._saving:
            data = self.market.save()
            if data is None:
                return False
            self.recorder.journal.sync()
            for sink in self.market.sinks:
                if isinstance(sink, Durable):
                    sink.sync()
            self._files.replace(self.path, data)
            return True

    def finish(self) -> None:
        """Feed what the engine holds back: nothing more comes."""
        with self._saving:
            self.market.finish()
