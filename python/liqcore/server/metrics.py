"""What a monitoring system reads: of markets, streams, requests and the process, with few and known labels."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._core import __version__
from ..feeds.events import Market, State
from ..live.board import Board
from ..live.following import Following
from ..live.status import Status
from .once import Once

TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """
    A registry of its own; `text` is what is told.

    Parameters
    ----------
    following : Following
    free : callable
        Tells how many bytes a folder's disk has left.
    once : Once
    """

    def __init__(self, following: Following, free: Callable[[Path], int], once: Once) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Markets(following, free, once))
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "liqcore_requests", "Requests answered, by route and status.", ("route", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "liqcore_request_seconds", "From a request to the last byte of its answer, by route.", ("route",),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self.refused = Counter(
            "liqcore_requests_refused", "Requests and streams refused before they reached a route.", ("why",),
            registry=self._registry,
        )  # fmt: skip

    def text(self) -> bytes:
        """Return everything in Prometheus's text form."""
        return generate_latest(self._registry)


class Counted:
    """
    An ASGI middleware that counts and times requests.

    Parameters
    ----------
    app : ASGI application
    metrics : Metrics
    routes : iterable of str
        Known paths: others are counted as "other".
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Iterable[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = scope["path"] if scope["path"] in self._routes else "other"
        status, begun = 500, perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(perf_counter() - begun)


class _Markets(Collector):
    """Reads what is followed when it is asked for."""

    def __init__(self, following: Following, free: Callable[[Path], int], once: Once) -> None:
        self._following = following
        self._free = free
        self._once = once

    def collect(self) -> Iterable[Metric]:
        """Yield all of it."""
        following = self._following
        built = GaugeMetricFamily("liqcore_build_info", "The version that runs.", labels=("version", "source"))
        built.add_metric((__version__, following.source), 1)
        yield built
        yield GaugeMetricFamily("liqcore_news_last", "Number of the latest news.", following.news.last)
        yield CounterMetricFamily("liqcore_answers_made", "Answers that were made.", self._once.made)
        yield CounterMetricFamily("liqcore_answers_shared", "Answers that were there already.", self._once.shared)
        try:
            left = self._free(following.folder)
        except OSError:
            left = 0
        yield GaugeMetricFamily("liqcore_disk_free_bytes", "Room that the journals' disk has left.", left)
        names = {str(market): board for market, board in following.boards.items()}
        yield from _of_markets(names)
        yield from _of_streams(names, following.clock.now())
        yield from _of_recording(following.statuses)


def _of_markets(boards: Mapping[str, Board]) -> Iterable[Metric]:
    frames = CounterMetricFamily("liqcore_frames", "Frames that the engine has taken.", labels=("market",))
    events = CounterMetricFamily(
        "liqcore_events", "Events by what became of them, and notices of feeds by kind.", labels=("market", "what")
    )
    latest = GaugeMetricFamily("liqcore_latest_event_seconds", "Time of the latest event.", labels=("market",))
    clock = GaugeMetricFamily("liqcore_engine_clock_seconds", "The engine's clock, published last.", labels=("market",))
    price = GaugeMetricFamily("liqcore_price", "The last price, published last.", labels=("market",))
    holes = GaugeMetricFamily("liqcore_holes_open", "Holes that stay open, of those kept.", labels=("market",))
    for name, board in boards.items():
        frames.add_metric((name,), board.frames)
        for what, count in board.counts.items():
            events.add_metric((name, what), count)
        latest.add_metric((name,), board.latest / 1e9)
        holes.add_metric((name,), sum(hole.state == "gap open" for hole in board.holes))
        moment = board.moment()
        if moment is not None:
            clock.add_metric((name,), (moment.snapshot.clock or 0) / 1e9)
            price.add_metric((name,), moment.snapshot.last_price)
    return frames, events, latest, clock, price, holes


def _of_recording(statuses: Mapping[Market, Status]) -> Iterable[Metric]:
    received = CounterMetricFamily("liqcore_received_frames", "Frames that came in.", labels=("market",))
    size = CounterMetricFamily("liqcore_received_bytes", "Bytes of them.", labels=("market",))
    unfed = GaugeMetricFamily("liqcore_unfed_frames", "Frames written that no engine took so far.", labels=("market",))
    lag = GaugeMetricFamily("liqcore_lag_seconds", "From the last event to its receipt.", labels=("market",))
    stopped = GaugeMetricFamily("liqcore_engine_stopped", "1: the engine goes on no more.", labels=("market",))
    failing = GaugeMetricFamily("liqcore_journal_failing", "1: it cannot be written at present.", labels=("market",))
    for market, status in statuses.items():
        name = (str(market),)
        received.add_metric(name, status.frames)
        size.add_metric(name, status.size)
        unfed.add_metric(name, status.unfed)
        if status.lag is not None:
            lag.add_metric(name, status.lag / 1e9)
        stopped.add_metric(name, float(bool(status.stopped)))
        failing.add_metric(name, float(bool(status.error)))
    return received, size, unfed, lag, stopped, failing


def _of_streams(boards: Mapping[str, Board], now: int) -> Iterable[Metric]:
    labels = ("market", "stream", "state")
    state = GaugeMetricFamily("liqcore_stream_state", "1 for the state that a stream is in.", labels=labels)
    since = GaugeMetricFamily("liqcore_stream_state_age_seconds", "How long it has been so.", labels=labels[:2])
    for name, board in boards.items():
        for kind, change in board.states.items():
            for one in get_args(State):
                state.add_metric((name, kind, one), float(one == change.state))
            since.add_metric((name, kind), max(now - change.ts, 0) / 1e9)
    return state, since
