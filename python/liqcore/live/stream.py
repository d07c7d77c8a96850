"""Drives the connections of a feed: opens and watches them, hands on every frame, finds and fills what is missing."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeAlias

import msgspec

from ..feeds.events import (
    KINDS,
    Change,
    Frame,
    Funding,
    Kind,
    Liquidation,
    Mark,
    Market,
    Notice,
    OpenInterest,
    State,
    Told,
    Trade,
)
from ..feeds.frames import changed
from .asking import Asking, Unanswered
from .feed import Connection, Feed, Poll, Stream
from .fill import Answer, Fill, Filled, reaches_back
from .outside import Clock, Network, Socket
from .pace import SECOND, Allowance, BackOff, Steady
from .seen import Seen

Sink: TypeAlias = Callable[[Frame, list[Told]], Awaitable[None]]

_KIND_OF: dict[type, Kind] = {
    Trade: "trades",
    Mark: "marks",
    OpenInterest: "open_interest",
    Funding: "funding",
    Liquidation: "liquidations",
}
_TICK = SECOND  # how often ages are looked at
_GRACE = SECOND // 4  # for what comes in another order
_SLOW = SECOND // 4  # a sink that takes longer holds messages back: their age is not the venue's
_SETTLED = 60 * SECOND  # a connection that lasted so long has worked
_RENEWED = 0.98  # of the time after which a venue closes a connection
_UNANSWERED = 3  # pings
_MOST_COUNTS = 1000
_PATIENCE = 5  # fillings that damaged messages may prolong before anything goes on
_ACKNOWLEDGED = 30 * SECOND  # by then a subscription holds that is never heard


class StreamState(msgspec.Struct):
    """
    How a stream is.

    Attributes
    ----------
    silent_ns : int or None
        Silence after which it is stale; None: it may be silent for any time.
    state : str
        None: it has not begun.
    since : int
        When it came into this state, ns since the UNIX epoch.
    heard : int
        When it was heard last, by the clock's `elapsed`, ns.
    heard_at : int
        When it was heard last, ns since the UNIX epoch; 0: never.
    has_lived : bool
        Whether it has been heard on this connection.
    """

    silent_ns: int | None
    state: State | None = None
    since: int = 0
    heard: int = 0
    heard_at: int = 0
    has_lived: bool = False


class _Open(msgspec.Struct):
    """A connection that is open, and when something came by it (by both clocks)."""

    connection: Connection
    socket: Socket
    opened: int
    heard: int
    heard_at: int = 0
    busy: bool = False
    slow_until: int = 0
    is_subscribed: bool = False
    is_planned: bool = False
    begun: set[Market] = msgspec.field(default_factory=set)
    looked_at: set[Market] = msgspec.field(default_factory=set)
    rejoined: set[Market] = msgspec.field(default_factory=set)


class Driver:
    """
    Keeps the feed of one venue going.

    Every frame goes to the sink as it comes, with what it tells; the next one waits until the sink has taken it, so
    that nothing is dropped. Repeats and what comes in another order go there, too: whoever reads the frames puts them
    right. What becomes of streams goes there as frames of the source ``"driver"``. After every connection that was
    lost, and wherever numbers are missing, trades are asked for; what cannot be had is told as ``gap open``, with its
    span.

    Parameters
    ----------
    feed : Feed
    markets : sequence of Market
    kinds : collection of str
        What is wanted of "trades", "marks", "open_interest", "funding", "liquidations".
    network : Network
    clock : Clock
    sink : async callable
        ``await sink(frame, told)``; what it raises ends the driver.
    seen : mapping of Market to Seen, optional
        Which trades the journals that are continued have: what came since then is asked for.
    seed : int, default 0
        Of the chance in waiting times.
    """

    def __init__(
        self,
        feed: Feed,
        markets: Sequence[Market],
        kinds: Collection[Kind],
        network: Network,
        clock: Clock,
        sink: Sink,
        *,
        seen: Mapping[Market, Seen] | None = None,
        seed: int = 0,
    ) -> None:
        self._feed = feed
        self._network = network
        self._clock = clock
        self._sink = sink
        self._markets = list(markets)
        self._kinds = [kind for kind in KINDS if kind in kinds]
        self._chance = random.Random(seed)
        self._steady = Steady(clock)
        self._turn = asyncio.Lock()
        self._open: dict[str, _Open] = {}
        self._fills: dict[Market, asyncio.Task[None]] = {}
        limits = feed.terms.limits
        self._may_connect = Allowance(clock, limits.new_connections, limits.new_connections_s)
        self._may_say = Allowance(clock, limits.messages_a_second, 1.0)
        self._asking = Asking(feed.terms, feed.reader, network, clock, self._steady, self._chance)
        self.seen = {market: (seen or {}).get(market) or Seen() for market in markets}
        self._is_past_first = "trades" in feed.terms.topics and feed.terms.topics["trades"].past_first
        self._before: dict[Market, int] = {}
        self._first_after: dict[Market, int] = {}
        self._again: set[Market] = set()
        self._probed: dict[Market, int] = {}
        self.counts: Counter[str] = Counter()
        self.streams: dict[Stream, StreamState] = {}
        for market in markets:
            for kind in self._kinds:
                topic = feed.terms.topics.get(kind)
                silent = None if topic is None or topic.silent_s is None else int(topic.silent_s * SECOND)
                self.streams[market, kind] = StreamState(silent, heard_at=self.seen[market].latest)

    async def run(self) -> None:
        """Run until cancelled; an error of the sink ends it."""
        connections = self._feed.connections(self._markets, self._kinds)
        polls = self._feed.polls(self._markets, self._kinds)
        for stream in self.streams:
            if not self._feed.offers(stream[1]):
                await self._change(stream, "retired", why="the venue does not tell of it")
        async with asyncio.TaskGroup() as group:
            self._group = group
            for connection in connections:
                group.create_task(self._keep(connection))
            for poll in polls:
                group.create_task(self._poll(poll))
            group.create_task(self._watch())

    # Connections

    async def _keep(self, connection: Connection) -> None:
        """Open a connection, and again whenever it is lost."""
        back_off = BackOff(self._chance)
        wait: int | None = None
        while True:
            for stream in connection.streams:  # at once, not after waiting: answers that come meanwhile are of later
                await self._lost(stream)
            if wait is not None:
                await self._clock.sleep(wait)
            await self._may_connect.take()
            why = "closed"
            started = self._clock.elapsed()
            planned = False
            try:
                socket = await self._network.connect(connection.url)
                planned = await self._listen(connection, socket)
            except ConnectionError as error:
                why = str(error)
            self._count(f"disconnected: {why}")
            if self._clock.elapsed() - started > _SETTLED:
                back_off.reset()
            wait = None if planned else back_off.next()

    async def _listen(self, connection: Connection, socket: Socket) -> bool:
        """Hand on what comes until the connection is gone; return whether that was planned."""
        now = self._clock.elapsed()
        opened = _Open(connection, socket, now, now)
        self._open[connection.source] = opened
        speaking = asyncio.create_task(self._speak(opened))
        try:
            async for body in socket:
                opened.busy = True
                came = self._clock.elapsed()
                opened.heard_at = self._steady.now()
                await self._heard(opened, Frame(opened.heard_at, self._feed.venue, connection.source, body), came)
                opened.heard = self._clock.elapsed()
                if opened.heard - came > _SLOW:
                    opened.slow_until = opened.heard
                opened.busy = False
        finally:
            del self._open[connection.source]
            for state in map(self.streams.__getitem__, connection.streams):
                if state.silent_ns is None and state.state == "live":  # it was alive as long as the connection
                    state.heard_at = max(state.heard_at, opened.heard_at)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            await socket.close()
        return opened.is_planned

    async def _speak(self, opened: _Open) -> None:
        """Subscribe, then keep the connection open."""
        ping = self._feed.terms.ping
        message = ping.message
        text = message if isinstance(message, str) or message is None else msgspec.json.encode(message).decode()
        try:
            for subscription in opened.connection.subscriptions:
                await self._may_say.take()
                await opened.socket.send(subscription.message)
            opened.is_subscribed = True
            while True:
                await self._clock.sleep(int(ping.every_s * SECOND))
                if text is None:
                    await opened.socket.ping()
                    opened.heard = max(opened.heard, self._clock.elapsed())
                else:
                    await opened.socket.send(text)
        except ConnectionError:
            await opened.socket.close()

    async def _watch(self) -> None:
        """Look at the ages of everything, every second."""
        while True:
            await self._clock.sleep(_TICK)
            for opened in list(self._open.values()):
                await self._look_at(opened)
            now = self._clock.elapsed()
            for stream in [s for s in self.streams if s[1] not in self._feed.terms.topics]:
                state = self.streams[stream]
                if state.silent_ns is not None and state.state == "live" and now - state.heard > state.silent_ns:
                    await self._change(stream, "stale", since=state.heard_at, why="no answers")

    async def _look_at(self, opened: _Open) -> None:
        """Tell which of a connection's streams are silent; close it where all are, or where it is old."""
        now = self._clock.elapsed()
        if opened.busy or not opened.is_subscribed:
            return
        limits, ping = self._feed.terms.limits, self._feed.terms.ping
        if limits.connection_s is not None and now - opened.opened > limits.connection_s * _RENEWED * SECOND:
            await self._renew(opened)
            return
        silent, watched, has_died, are_trades_heard = 0, 0, False, False
        for stream in opened.connection.streams:
            state, is_trades = self.streams[stream], stream[1] == "trades"
            if state.silent_ns is None:
                if state.state == "connecting" and now - opened.opened > _ACKNOWLEDGED:
                    await self._came(stream, opened)
                continue
            if state.state == "retired":
                continue
            watched += not is_trades
            age = now - max(state.heard, opened.opened, opened.slow_until)
            if age <= state.silent_ns:
                are_trades_heard |= is_trades
                continue
            silent += not is_trades
            if state.state in ("live", "connecting"):
                has_died |= state.has_lived and not is_trades
                why = f"nothing for {age / SECOND:.0f} s" + ("" if state.has_lived else ", nor since it was asked for")
                await self._change(stream, "stale", since=state.heard_at, why=why)
            if is_trades:
                self._start(stream[0], self._probe(stream, opened))
        is_unanswered = now - max(opened.heard, opened.slow_until) > _UNANSWERED * ping.every_s * SECOND
        if is_unanswered or has_died or (watched and silent == watched and not are_trades_heard):
            await opened.socket.close()

    async def _renew(self, opened: _Open) -> None:
        opened.is_planned = True
        await opened.socket.close()

    # What comes

    async def _heard(self, opened: _Open, frame: Frame, elapsed: int) -> None:
        read = self._feed.reader.read(frame)
        self._rejoin(opened, read)
        await self._hand_on(frame, read)
        for one in read:
            if isinstance(one, Notice):
                await self._noticed(one, opened, elapsed)
                continue
            kind = _KIND_OF.get(type(one))
            if kind is None:
                continue
            stream: Stream = (one.market, kind)
            state = self.streams.get(stream)
            if state is None:
                continue
            if state.state == "live":  # as nearly all are
                state.heard, state.heard_at, state.has_lived = elapsed, opened.heard_at, True
            else:
                await self._alive(stream, opened, elapsed)
            if kind == "trades" and one.market in self._before:
                self._first_after.setdefault(one.market, one.ts)
            if kind == "trades" and len(self.seen[one.market].spans) > 1:
                self._start(one.market, self._fill_hole(stream, opened))

    def _rejoin(self, opened: _Open, read: list[Told]) -> None:
        """Note which markets' first trades on a connection reach back to those before it, where a venue sends such."""
        if not self._is_past_first or len(opened.looked_at) == len(self.seen):
            return
        trades = [one for one in read if isinstance(one, Trade) and one.market in self.seen]
        for market in {trade.market for trade in trades} - opened.looked_at:
            opened.looked_at.add(market)
            first = [trade for trade in trades if trade.market == market]
            if reaches_back(first, list(map(self.seen[market].knows, first)), self._last_before(market)):
                opened.rejoined.add(market)

    async def _noticed(self, notice: Notice, opened: _Open, elapsed: int) -> None:
        self._count(f"{notice.about}: {notice.text}" if notice.text else notice.about)
        if notice.about == "heard" and notice.market is not None:
            for kind in notice.kinds:
                await self._alive((notice.market, kind), opened, elapsed)
        elif notice.about == "garbage":
            await self._damaged(opened)
        elif notice.about == "closing":
            await self._renew(opened)
        elif notice.about in ("subscribed", "refused") and notice.asked:
            for subscription in opened.connection.subscriptions:
                if subscription.id != notice.asked:
                    continue
                for stream in subscription.streams:
                    if notice.about == "refused":
                        await self._change(stream, "retired", why=notice.text)
                    elif self.streams[stream].silent_ns is None:
                        await self._came(stream, opened)
                    elif stream[1] == "trades":
                        opened.begun.add(stream[0])
                        self._start(stream[0], self._fill_after(stream, opened))

    def _count(self, what: str) -> None:
        """Count what happened; venues may say no end of different things."""
        self.counts[what if what in self.counts or len(self.counts) < _MOST_COUNTS else "other"] += 1

    async def _alive(self, stream: Stream, opened: _Open | None, elapsed: int) -> None:
        state = self.streams.get(stream)
        if state is None:
            return
        state.heard = elapsed
        state.has_lived = True
        if state.state != "live":
            await self._came(stream, opened)
        state.heard_at = self._steady.now() if opened is None else opened.heard_at

    async def _came(self, stream: Stream, opened: _Open | None) -> None:
        """Take note of a stream that is heard again, or for the first time."""
        state = self.streams[stream]
        if stream[1] == "trades":
            assert opened is not None, "trades are pushed"
            opened.begun.add(stream[0])
            if state.state == "connecting":
                self._start(stream[0], self._fill_after(stream, opened))
            elif state.state in ("stale", "venue halt", "retired") and stream[0] not in self._fills:
                await self._change(stream, "live")
        elif state.state != "live":
            if state.state in ("connecting", "stale") and state.heard_at:
                why = "disconnected" if state.state == "connecting" else "silent"
                await self._change(stream, "gap open", since=state.heard_at, until=self._steady.now(), why=why)
            await self._change(stream, "live")

    async def _lost(self, stream: Stream) -> None:
        state = self.streams[stream]
        state.has_lived = False
        if stream[1] == "trades":
            self._before.setdefault(stream[0], self.seen[stream[0]].latest)
            self._first_after.pop(stream[0], None)
        if state.state != "connecting":
            await self._change(stream, "connecting", since=state.heard_at)

    async def _hand_on(self, frame: Frame, read: list[Told]) -> None:
        """Give a frame to the sink: one after the other."""
        async with self._turn:
            for one in read:
                if isinstance(one, Trade) and one.market in self.seen:
                    self.seen[one.market].take(one)
            try:
                await self._sink(frame, read)
            except ConnectionError as error:  # of its own: not one of the venue's
                raise RuntimeError(f"the sink failed: {error}") from error

    async def _change(self, stream: Stream, state: State, **span: int | str) -> None:
        of = self.streams[stream]
        of.state, of.since = state, self._steady.now()
        change = Change(stream[0], stream[1], state, of.since, **span)  # type: ignore[arg-type]
        await self._hand_on(changed(change, of.since), [change])

    # What is asked for

    def _start(self, market: Market, filling: Callable[[], Awaitable[None]]) -> None:
        """Begin to fill, unless that is being done."""
        if market in self._fills:
            return

        async def run() -> None:
            try:
                await filling()
            finally:
                del self._fills[market]
            self._start_anew(market)

        self._fills[market] = self._group.create_task(run())

    def _start_anew(self, market: Market) -> None:
        """Begin to fill what could not be begun meanwhile: for another connection, or for damage on this one."""
        stream: Stream = (market, "trades")
        for opened in self._open.values():
            if market in opened.begun and self.streams[stream].state == "connecting":
                self._start(market, self._fill_after(stream, opened))
            elif market in opened.begun and market in self._again:
                self._start(market, self._fill_damaged(stream, opened))

    def _last_before(self, market: Market) -> int:
        """Time of the last trade before what may be missing, ns."""
        return self._before.get(market, self.seen[market].latest)

    def _fill_after(self, stream: Stream, opened: _Open) -> Callable[[], Awaitable[None]]:
        """After a connection: ask for what came meanwhile; nothing, where it is the first."""

        async def filling() -> None:
            if self.streams[stream].state == "connecting":
                if self._last_before(stream[0]):
                    await self._fill(stream, opened, up_to_now=True)
                await self._filled(stream, opened)

        return filling

    def _fill_hole(self, stream: Stream, opened: _Open) -> Callable[[], Awaitable[None]]:
        """Where numbers are missing, and do not come by themselves."""

        async def filling() -> None:
            await self._clock.sleep(_GRACE)
            if self.seen[stream[0]].holes() and self._is_open(opened):
                await self._fill(stream, opened, up_to_now=False)
                await self._filled(stream, opened)

        return filling

    async def _damaged(self, opened: _Open) -> None:
        """After a message that cannot be read: trades that are not counted may have been in it, and nothing tells."""
        if self._feed.terms.requests["trades"].pages != "newest":
            return
        for stream in opened.connection.streams:
            if stream[1] == "trades" and self.seen[stream[0]].latest:
                # Before the next message is read: what comes then must not be taken for what came before, nor go on.
                self._before.setdefault(stream[0], self.seen[stream[0]].latest)
                self._again.add(stream[0])
                opened.rejoined.discard(stream[0])
                if self.streams[stream].state not in ("connecting", "filling"):
                    since = self._last_before(stream[0])
                    await self._change(stream, "filling", since=since, why="a message could not be read")
                self._start(stream[0], self._fill_damaged(stream, opened))

    def _fill_damaged(self, stream: Stream, opened: _Open) -> Callable[[], Awaitable[None]]:
        async def filling() -> None:
            await self._fill(stream, opened, up_to_now=True)
            await self._filled(stream, opened)

        return filling

    async def _filled(self, stream: Stream, opened: _Open) -> None:
        """Say that a stream is live again, unless it has been lost: the next connection then fills everything."""
        if self._is_open(opened):
            self._before.pop(stream[0], None)
            self._first_after.pop(stream[0], None)
            await self._change(stream, "live")

    async def _fill(self, stream: Stream, opened: _Open, up_to_now: bool) -> None:
        """Fill until nothing is missing that has not been told."""
        market, since = stream[0], self._last_before(stream[0])
        patience = _PATIENCE
        while self._is_open(opened):
            if self.streams[stream].state != "filling":
                await self._change(stream, "filling", since=since)
            self._again.discard(market)
            if market in opened.rejoined:
                filled = Filled([], 0, "")
            else:
                filled = await self._asked_for(market, since, up_to_now)
            if not self._is_open(opened):
                return
            if market in self._again and patience:  # another damaged message, after what was asked for
                up_to_now = True
                patience -= 1
                continue
            await self._tell(stream, filled, since)
            if market in self._again:
                up_to_now = True
            elif self.seen[market].holes():
                up_to_now = False  # found meanwhile
            else:
                return

    def _is_open(self, opened: _Open) -> bool:
        return self._open.get(opened.connection.source) is opened

    def _probe(self, stream: Stream, opened: _Open) -> Callable[[], Awaitable[None]]:
        """Where trades are silent: a venue that does not trade, or a connection that does not tell?"""

        async def probing() -> None:
            state, seen = self.streams[stream], self.seen[stream[0]]
            since, asked = seen.latest, self._clock.elapsed()
            if since:
                self._probed[stream[0]] = since
                filled = await self._asked_for(stream[0], since, up_to_now=True)
                self._probed.pop(stream[0], None)
                if not self._is_open(opened) or stream[0] in self._again:
                    return
                if filled.new:
                    await opened.socket.close()
                elif state.heard > asked:
                    await self._change(stream, "live")
                elif not filled.holes and state.state != "venue halt":
                    await self._change(stream, "venue halt", since=since, why="no trade is missing")
            state.heard = max(state.heard, self._clock.elapsed())  # it is asked again after as long

        return probing

    async def _asked_for(self, market: Market, since: int, up_to_now: bool) -> Filled:
        return await Fill(self._feed.terms, self._ask, market, self.seen[market], since).run(up_to_now)

    async def _tell(self, stream: Stream, filled: Filled, since: int) -> None:
        if not filled.holes:
            await self._change(stream, "gap filled", since=since, until=self._steady.now())
        for hole in filled.holes:
            until = hole.until or self._first_after.get(stream[0]) or self._steady.now()
            span = {"since": hole.since, "until": until, "first": hole.first, "last": hole.last}
            await self._change(stream, "gap open", **span, why=filled.why)
            self.seen[stream[0]].give_up(hole.last)

    async def _ask(self, what: str, market: Market, **values: int) -> Answer:
        frame, read = await self._asking.ask(self._feed.request(what, market, **values))
        trades = [one for one in read if isinstance(one, Trade)]
        known = [self.seen[market].knows(trade) for trade in trades]
        since = self._probed.get(market)
        is_lost = self.streams[market, "trades"].state == "connecting"  # then all waits already
        if (
            since is not None
            and not is_lost
            and any(t.ts >= since and not k for t, k in zip(trades, known, strict=True))
        ):
            self._before.setdefault(market, since)  # the next connection fills what is missing besides
            await self._change((market, "trades"), "filling", since=since, why="the connection does not tell of trades")
        await self._hand_on(frame, read)
        return Answer(trades, known)

    async def _poll(self, poll: Poll) -> None:
        """Ask for what is not pushed, again and again."""
        state = self.streams[poll.stream]
        state.silent_ns = int(3 * poll.every_s * SECOND)
        await self._lost(poll.stream)
        while True:
            try:
                frame, read = await self._asking.ask(poll.request)
            except Unanswered as unanswered:
                self._count(f"unanswered: {unanswered}")
            else:
                await self._hand_on(frame, read)
                await self._alive(poll.stream, None, self._clock.elapsed())
            await self._clock.sleep(int(poll.every_s * SECOND))
