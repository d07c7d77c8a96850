"""Markets whole: a source, journals, engines that follow them, and what other threads read, in one asyncio loop."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeAlias

from ..config.config import Config
from ..errors import LiqcoreError
from ..feeds.events import Change, Frame, Liquidation, Market
from ..words.times import parse_duration
from .board import Board
from .disk import Disk
from .following import Following, News
from .happened import Column, Hooks, Sink, ZoneNews
from .journal import Journal
from .machine import SystemClock
from .models import models_of
from .outside import Clock, Files, why
from .pipeline import Follower, Recorder
from .source import Put, Source
from .status import Status, Summary

SECOND = 1_000_000_000
_LOOKED = SECOND // 100  # how often it is looked whether everything has been fed

Tell: TypeAlias = Callable[[Sequence[Status]], object]


class Service:
    """
    Runs the markets of a source: what comes goes into a journal for each, and from there into an engine for each, or
    into one for each model of ``live.models``.

    An engine that fails, or one of whose sinks raises, stops for good, and `Status.stopped` says why; its market is
    recorded all the same, and the others go on. A journal that cannot be written delays its market's feed
    (`Status.error`), and loses nothing.

    Parameters
    ----------
    source : Source
    folder : Path
        Where journals and checkpoints are kept; what is there is continued.
    config : Config
    sinks : sequence of Sink
        They take what happens in every market, by its main model; `Following.news` does besides.
    follows : bool, default True
        Whether there are engines; without, it records only.
    files, clock : optional
        By default those of this machine.

    Attributes
    ----------
    following : Following
        What is followed, for other threads.
    engines : dict of Market to MarketEngine
        Of the main model. For the thread on which it runs, and for nobody while it runs on another.
    notes : list of str
        What is to be known of how it began: torn journals, checkpoints that were not used.

    Raises
    ------
    InvalidConfigError, DataError, OSError
        As `Journal` and `MarketEngine` do.
    """

    def __init__(
        self,
        source: Source,
        folder: Path,
        *,
        config: Config,
        sinks: Sequence[Sink] = (),
        follows: bool = True,
        files: Files | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._source = source
        self._config = config
        self._folder = folder
        self._files = files or Disk()
        self._clock = clock or SystemClock()
        news = News()
        self._models = models_of(config)
        self._main = next(iter(self._models))
        engines = {
            (market, model): source.engine(market, of)
            for market in source.markets
            for model, of in self._models.items()
            if follows
        }
        for market in source.markets if follows else ():
            engines[market, self._main].sinks = [news, *sinks]
        length = parse_duration(config.journal.segment, name="journal.segment")
        with ExitStack() as held:
            self._journals = {
                market: held.enter_context(Journal(folder, market, files=self._files, segment_ns=length))
                for market in source.markets
            }
            self._before = set(self._files.names(folder))
            self.notes = [str(lost) for journal in self._journals.values() for lost in journal.lost]
            self._recorders = {
                market: Recorder(journal, clock=self._clock, config=config)
                for market, journal in self._journals.items()
            }
            self._followers = {
                (market, model): Follower(
                    self._recorders[market], engine, files=self._files, clock=self._clock,
                    model="" if model == self._main else model,
                )
                for (market, model), engine in engines.items()
            }  # fmt: skip
            self._held = held.pop_all()
        self.notes += [note for follower in self._followers.values() for note in follower.notes]
        self.engines = {market: engine for (market, model), engine in engines.items() if model == self._main}
        self._statuses = {market: Status(market) for market in self._journals}
        self._finished: set[Market] = set()
        self._written: list[Path] = []
        self._begun = self._clock.elapsed()
        self._boards = {key: Board(engine) for key, engine in engines.items()}
        models: dict[str, dict[Market, Board]] = {model: {} for model in self._models}
        for (market, model), board in self._boards.items():
            models[model][market] = board
        self.following = Following(
            models[self._main], news, source.origin, folder, self._clock, self._statuses, source.player, models
        )
        if source.player is not None:
            source.player.begin_anew({market: _Stage(self, market) for market in self.engines})

    def add(self, sink: Sink) -> None:
        """Tell another sink of what happens in every market, from now on; before it runs, or on its thread."""
        for market in self.engines:
            self._followers[market, self._main].market.add(sink)

    def on_column(self, call: Callable[[Column], Any]) -> Callable[[Column], Any]:
        """Call a function whenever a window of a market has ended; returns it, so that it may decorate one."""
        self.add(Hooks(on_column=call))
        return call

    def on_zone(self, call: Callable[[ZoneNews], Any]) -> Callable[[ZoneNews], Any]:
        """Call a function whenever the price comes near a zone, or reaches it."""
        self.add(Hooks(on_zone=call))
        return call

    def on_liquidation(self, call: Callable[[Liquidation], Any]) -> Callable[[Liquidation], Any]:
        """Call a function whenever a venue tells of a liquidation."""
        self.add(Hooks(on_liquidation=call))
        return call

    def on_gap(self, call: Callable[[Change], Any]) -> Callable[[Change], Any]:
        """Call a function whenever a hole is being filled, has been, or stays."""
        self.add(Hooks(on_gap=call))
        return call

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Write everything, and make the journals whole."""
        self._held.close()
        names = self._files.names(self._folder)  # now: whoever owns the folder may remove it after this
        self._written = [self._folder / name for name in names if name not in self._before and name.endswith(".mcap")]

    async def run(self, tell: Tell = lambda _: None, *, stays: bool = False, stop: asyncio.Event | None = None) -> None:
        """
        Run until the source has no more and everything of it has been fed, or `stop` is set.

        Parameters
        ----------
        tell : callable
            Called every second.
        stays : bool, default False
            Whether it goes on then, with what there is, until `stop` is set.
        stop : asyncio.Event, optional
            Ends it: what has come by then is written, the engines' states are saved.

        Raises
        ------
        LiqcoreError, OSError
            As the source does.
        """
        stopping = asyncio.create_task((stop or asyncio.Event()).wait())
        feeding = asyncio.create_task(self._feed(stays))
        helpers = [self._look(tell), *(recorder.run() for recorder in self._recorders.values())]
        helpers += [self._follow(*key) for key in self._followers]
        tasks = [stopping, feeding, *map(asyncio.create_task, helpers)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            while isinstance(error, ExceptionGroup):
                error = error.exceptions[0]
            if isinstance(error, Exception):
                raise error
        for (market, model), follower in self._followers.items():
            if market not in self._finished and not self._stopped(market, model):
                with suppress(OSError):  # the journal has it all
                    follower.checkpoint()

    def summary(self) -> Summary:
        """Say what was recorded, once it is closed."""
        notes = list(self.notes)
        for market, status in self._statuses.items():
            status.trouble = self._source.trouble(market)
            notes += [f"{market}: {said}" for said in (status.trouble, status.stopped) if said]
            notes += [f"{market}, model {model}: {said}" for model, said in status.models.items()]
        return Summary(
            list(self._statuses.values()), self._written, (self._clock.elapsed() - self._begun) / SECOND, notes
        )

    def _sink(self, market: Market) -> Put:
        status, recorder = self._statuses[market], self._recorders[market]

        async def put(frame: Frame) -> None:
            status.see(frame)
            await recorder.put(frame)

        return put

    async def _feed(self, stays: bool) -> None:
        """Feed all of the source, and finish the engines, as nothing more comes; go on if it is moved back then."""
        while True:
            await self._feed_all()
            if not stays:
                return
            if self._source.player is None:
                await asyncio.Event().wait()
            else:
                await self._source.player.moved(self._clock)

    async def _feed_all(self) -> None:
        await self._source.run(self._journals, self._sink, self._clock)
        for (market, model), follower in self._followers.items():
            journal = self._journals[market]
            while not self._stopped(market, model) and (journal.written < journal.appended or follower.lag):
                self._recorders[market].write()
                await self._clock.sleep(_LOOKED)
            if not self._stopped(market, model):
                with suppress(OSError):
                    follower.checkpoint()  # before: should the source have more one day, it goes on from there
                with self._stopping(market, model):
                    follower.finish()
        for market in self.engines:
            self._finished.add(market)
            self._statuses[market].has_ended = True

    async def rebuild(self, market: Market, until: int) -> None:
        """Show a market as it was once what was received by a time had come, and nothing else; of a replay."""
        for model, config in self._models.items():
            if self._stopped(market, model):
                continue
            engine = self._source.engine(market, config)
            with self._stopping(market, model):
                await self._followers[market, model].rebuild(engine, until)
            self._boards[market, model].show(engine)
            if model == self._main:
                self.engines[market] = engine
        self._finished.discard(market)
        self._statuses[market].has_ended = False

    def allow(self, market: Market, ts: int) -> None:
        """Let what was received by a time pass, where a replay was moved back."""
        for model in self._models:
            self._followers[market, model].allow(ts)

    async def _follow(self, market: Market, model: str) -> None:
        with self._stopping(market, model):
            await self._followers[market, model].run()
        await asyncio.Event().wait()

    def _stopped(self, market: Market, model: str) -> bool:
        """Whether an engine goes on no more."""
        status = self._statuses[market]
        return bool(status.stopped) if model == self._main else model in status.models

    @contextmanager
    def _stopping(self, market: Market, model: str) -> Iterator[None]:
        """Stop an engine where something fails, which may be a hook of somebody else's, and say why."""
        try:
            yield
        except Exception as error:
            said = why(error) if isinstance(error, OSError) else str(error)
            named = said if isinstance(error, LiqcoreError) else f"{type(error).__name__}: {said}"
            status = self._statuses[market]
            if model == self._main:
                status.stopped = named
            else:
                status.models = {**status.models, model: named}  # others read it meanwhile

    async def _look(self, tell: Tell) -> None:
        while True:
            at = self._clock.elapsed()
            await self._clock.sleep(SECOND)
            for market, status in self._statuses.items():
                status.tick(max(self._clock.elapsed() - at, 1) / SECOND)
                status.error, status.trouble = self._recorders[market].error, self._source.trouble(market)
                of = [self._followers[market, model] for model in self._models if market in self.engines]
                status.error = status.error or next((follower.error for follower in of if follower.error), "")
                status.unfed = max((follower.lag for follower in of), default=0)
            tell(list(self._statuses.values()))


class _Stage:
    """A market of a service, for whoever plays it."""

    def __init__(self, service: Service, market: Market) -> None:
        self.rebuild = partial(service.rebuild, market)
        self.allow = partial(service.allow, market)


def run(
    service: Service,
    tell: Tell = lambda _: None,
    *,
    stays: bool = False,
    begun: Callable[[], object] = lambda: None,
) -> None:
    """
    Run a service until its source has no more, or an interrupt or TERM comes; see `Service.run`.

    `begun` is called before anything is done, when an interrupt already ends it as it should.

    Raises
    ------
    KeyboardInterrupt
        At the second interrupt, at once.
    """

    async def main() -> None:
        with _stopped() as stop:
            begun()
            await service.run(tell, stays=stays, stop=stop)

    asyncio.run(main())


@contextmanager
def running(service: Service, tell: Tell = lambda _: None, *, stays: bool = False) -> Iterator[threading.Thread]:
    """
    Run a service on a thread of its own until the block ends; what ended it before is raised then.

    Yields
    ------
    threading.Thread
        It ends by itself where the source has no more.
    """
    failed: list[BaseException] = []
    begun = threading.Event()
    loop: asyncio.AbstractEventLoop | None = None
    stop = asyncio.Event()

    async def main() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        begun.set()
        await service.run(tell, stays=stays, stop=stop)

    def work() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failed.append(error)
        finally:
            begun.set()

    thread = threading.Thread(target=work, name="liqcore-live")
    thread.start()
    begun.wait()
    try:
        yield thread
    finally:
        with suppress(RuntimeError):  # its loop has ended by itself
            if loop is not None:
                loop.call_soon_threadsafe(stop.set)
        thread.join()
    if failed:
        raise failed[0]


@contextmanager
def _stopped() -> Iterator[asyncio.Event]:
    """Give what is set by the first interrupt, and by TERM; the second interrupt acts as it does elsewhere."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def first() -> None:
        stop.set()
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        for number in kept:
            with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows; not the main thread
                loop.add_signal_handler(number, first)
        yield stop
    finally:
        for number, handler in kept.items():
            with suppress(NotImplementedError, ValueError, RuntimeError):
                loop.remove_signal_handler(number)
            with suppress(ValueError):
                signal.signal(number, handler)
