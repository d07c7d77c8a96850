"""A feed: which connections to open, what to say on them, what to ask for, for some markets of one venue."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from string import Template
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from ..errors import InvalidConfigError
from ..feeds.events import Kind, Market
from ..feeds.readers import reader
from .terms import Terms, terms

Stream: TypeAlias = tuple[Market, Kind]
Item = TypeVar("Item")


class Subscription(Struct, frozen=True):
    """A message that subscribes; an answer with its id is about these streams."""

    id: str
    message: str
    streams: tuple[Stream, ...]


class Connection(Struct, frozen=True):
    """A socket to open, what to say on it, and its name as the source of frames."""

    source: str
    url: str
    subscriptions: tuple[Subscription, ...]

    @property
    def streams(self) -> list[Stream]:
        """All that come by it."""
        return [stream for subscription in self.subscriptions for stream in subscription.streams]


class Request(Struct, frozen=True):
    """A request: GET, or POST where there is a body; its answer becomes a frame of that source."""

    source: str
    url: str
    body: bytes | None


class Poll(Struct, frozen=True):
    """A request that stands for a stream, and how often to ask, seconds."""

    request: Request
    stream: Stream
    every_s: float


class Feed:
    """
    What there is to know of a venue's feed; it opens nothing itself.

    Parameters
    ----------
    venue : str
        As the catalogue calls it.
    overrides : mapping, optional
        What differs from the built-in addresses and limits (see `terms`).

    Examples
    --------
    >>> from liqcore.feeds.events import Market
    >>> from liqcore.live.feed import Feed
    >>> feed = Feed("binance-usdm")
    >>> connection, = feed.connections([Market("binance-usdm", "BTCUSDT")], ["trades", "marks"])
    >>> connection.url
    'wss://fstream.binance.com/market/stream'
    >>> connection.subscriptions[0].message
    '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}'
    """

    def __init__(self, venue: str, overrides: Mapping[str, Any] | None = None) -> None:
        self.venue = venue
        self.terms: Terms = terms(venue, overrides)
        self.reader = reader(venue)

    def offers(self, kind: Kind) -> bool:
        """Whether the venue tells of it, pushed or asked."""
        return kind in self.terms.topics or self._polled(kind)

    def connections(self, markets: Sequence[Market], kinds: Collection[Kind]) -> list[Connection]:
        """
        Return the connections that markets need for some kinds; what the venue does not push is left out.

        Raises
        ------
        InvalidConfigError
            If they are more than the venue allows.
        """
        of_socket: dict[str, dict[str, tuple[Any, list[Stream]]]] = {}
        for kind in sorted(set(kinds) & set(self.terms.topics), key=list(self.terms.topics).index):
            topic = self.terms.topics[kind]
            for market in markets:
                said = _filled(topic.topic, _names(market))
                topics = of_socket.setdefault(topic.socket, {})
                topics.setdefault(repr(said), (said, []))[1].append((market, kind))
        limits = self.terms.limits
        made: list[Connection] = []
        for socket, topics in of_socket.items():
            parts = list(_parts(list(topics.values()), limits.topics_a_connection))
            for n, part in enumerate(parts):
                source = socket if len(parts) == 1 else f"{socket}-{n + 1}"
                made.append(Connection(source, self.terms.sockets[socket], tuple(self._subscriptions(part))))
        count = sum(map(len, of_socket.values()))
        for what, asked, most in (("connections", len(made), limits.connections), ("topics", count, limits.topics)):
            if most is not None and asked > most:
                raise InvalidConfigError(f"markets of {self.venue} must need at most {most} {what}, needed {asked}")
        return made

    def polls(self, markets: Sequence[Market], kinds: Collection[Kind]) -> list[Poll]:
        """Return what to ask for again and again, because it is not pushed."""
        asked = [(kind, self.terms.requests[kind]) for kind in self.terms.requests if kind in kinds]
        return [
            Poll(self.request(kind, market), (market, kind), terms.every_s)  # type: ignore[arg-type]
            for kind, terms in asked
            if terms.every_s is not None
            for market in markets
        ]

    def request(self, what: str, market: Market, **values: int) -> Request:
        """
        Return a request.

        Parameters
        ----------
        what : str
            One of ``terms.requests``: "trades", "candles", "open_interest", "past_open_interest", ...
        values : int
            What goes into its path: ``first`` or ``after`` (number of a trade), ``since_ms`` and ``until_ms``.
        """
        asked = self.terms.requests[what]
        names: dict[str, Any] = {**_names(market), **values}
        escaped = {name: quote(str(value), safe="") for name, value in names.items()}
        url = self.terms.rest + Template(asked.path).substitute(escaped)
        body = None if asked.body is None else msgspec.json.encode(_filled(asked.body, names))
        read_as = what if what in ("candles", "open_interest", "past_open_interest") else "trades"
        return Request(f"rest:{read_as}:{market.symbol}", url, body)

    def _polled(self, kind: Kind) -> bool:
        return kind in self.terms.requests and self.terms.requests[kind].every_s is not None

    def _subscriptions(self, topics: Sequence[tuple[Any, list[Stream]]]) -> Iterator[Subscription]:
        """Messages of one kind each, so that a refusal is of one kind."""
        number = 0
        of_kind: dict[Kind, list[tuple[Any, list[Stream]]]] = {}
        for said, streams in topics:
            of_kind.setdefault(streams[0][1], []).append((said, streams))
        for some in of_kind.values():
            for part in _parts(some, self.terms.limits.topics_a_message):
                number += 1
                said = [topic for topic, _ in part]
                values = {"topics": said, "topic": said[0], "number": number, "id": str(number)}
                message = msgspec.json.encode(_filled(self.terms.subscribe, values)).decode()
                yield Subscription(str(number), message, tuple(stream for _, of in part for stream in of))


def _names(market: Market) -> dict[str, str]:
    return {"symbol": market.symbol, "lower": market.symbol.lower(), "pair": market.symbol.partition("_")[0]}


def _filled(form: Any, values: Mapping[str, Any]) -> Any:
    """Put values into a form: where a text is nothing but a name, as what they are."""
    if isinstance(form, dict):
        return {key: _filled(value, values) for key, value in form.items()}
    if isinstance(form, str):
        return values[form[1:]] if form[:1] == "$" and form[1:] in values else Template(form).substitute(values)
    return form


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    return (items[at : at + size] for at in range(0, len(items), size))
