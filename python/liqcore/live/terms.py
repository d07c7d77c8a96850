"""What a feed needs to know of a venue besides its words: addresses, topics, requests, limits; a file of data each."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ..errors import InvalidConfigError
from ..feeds.events import Kind


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """
    What a stream is subscribed by.

    Attributes
    ----------
    socket : str
        Which of the venue's sockets has it.
    topic : str or dict
        With ``$symbol`` or ``$lower`` (in small letters) where the market's goes; without, it is of all markets.
    silent_s : float or None
        Silence after which it is stale, seconds; None: it may be silent for any time, as liquidations are.
    past_first : bool
        Whether its first message has what came before, up to then.
    """

    socket: str
    topic: str | dict[str, str]
    silent_s: float | None = None
    past_first: bool = False


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """
    A request.

    Attributes
    ----------
    path : str
        With ``$symbol``, ``$pair``, ``$first`` (number of a trade), ``$after``, ``$since_ms`` and ``$until_ms``.
    rows : int
        The most that one answer has.
    body : dict or None
        It is posted then.
    pages : {"forward", "backward", "newest"} or None
        Of trades: from a number on, from a number back, or only what is newest.
    every_s : float or None
        Of what is not pushed: how often to ask, seconds.
    """

    path: str
    rows: int
    body: dict[str, Any] | None = None
    pages: Literal["forward", "backward", "newest"] | None = None
    every_s: float | None = None


class Ping(Struct, frozen=True, forbid_unknown_fields=True):
    """What keeps a connection open: a message (text as it is, else JSON), or a ping of the protocol (None)."""

    every_s: float = 60.0
    message: str | dict[str, str] | None = None


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a venue allows; None: no limit is known. ``connection_s``: how long it leaves a connection open."""

    topics_a_connection: int
    topics_a_message: int
    messages_a_second: float
    new_connections: int
    new_connections_s: float
    requests_a_minute: float
    connections: int | None = None
    topics: int | None = None
    connection_s: float | None = None


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """
    Everything of a venue that a feed needs and that may change without notice.

    ``proxy``: address of the proxy that all of it goes through, such as ``"http://127.0.0.1:3128"``; empty: that of the
    environment, if there is one.
    """

    venue: str
    title: str
    date: str
    source: str
    sockets: dict[str, str]
    rest: str
    subscribe: dict[str, Any]
    topics: dict[Kind, Topic]
    requests: dict[str, Asked]
    limits: Limits
    ping: Ping = Ping()
    proxy: str = ""
    note: str = ""


def terms(venue: str, overrides: Mapping[str, Any] | None = None) -> Terms:
    """
    Return the terms of a venue.

    Parameters
    ----------
    venue : str
    overrides : mapping, optional
        What differs, in the form of the file: ``{"sockets": {"market": "wss://..."}}``. Tables are merged, everything
        else takes the place of what is there.

    Raises
    ------
    InvalidConfigError
        If the venue has no feed, or an override is none.
    """
    known = _built_in()
    if venue not in known:
        raise InvalidConfigError(f'venue of a feed must be one of {", ".join(known)}, was "{venue}"')
    try:
        made = msgspec.convert(_merged(known[venue], overrides or {}), Terms)
    except msgspec.ValidationError as error:
        raise InvalidConfigError(f"{venue}: {error}") from None
    if made.proxy and urlsplit(made.proxy).scheme not in ("http", "https"):
        raise InvalidConfigError(f'{venue}: proxy must begin with http:// or https://, was "{made.proxy}"')
    for kind, topic in made.topics.items():
        if topic.socket not in made.sockets:
            raise InvalidConfigError(f'{venue}: socket of {kind} must be one of {", ".join(made.sockets)}, '
                                     f'was "{topic.socket}"')  # fmt: skip
    return made


def overrides_of(path: Path) -> dict[str, dict[str, Any]]:
    """
    Read what differs from the built-in terms, by venue, from a file of TOML or JSON.

    Raises
    ------
    InvalidConfigError
        If the file is neither, or an override is none; the message names the file, the key, the rule and the value.
    OSError
        If it cannot be read.
    """
    read = path.read_bytes()
    try:
        found = msgspec.json.decode(read) if path.suffix == ".json" else tomllib.loads(read.decode())
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfigError(f"{path.name}: expected TOML (or JSON, where the name ends so): {error}") from None
    if not isinstance(found, dict) or not all(isinstance(of, dict) for of in found.values()):
        raise InvalidConfigError(f"{path.name}: expected a table for each venue, found {found!r:.60}")
    for venue, overrides in found.items():
        try:
            terms(venue, overrides)
        except InvalidConfigError as error:
            raise InvalidConfigError(f"{path.name}: {error}") from None
    return found


def proxies_of(overrides: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the proxies that overrides name, by the hosts that they are for."""
    found = [terms(venue, of) for venue, of in overrides.items()]
    return {
        urlsplit(url).hostname or "": of.proxy for of in found if of.proxy for url in (of.rest, *of.sockets.values())
    }


@cache
def _built_in() -> Mapping[str, Any]:
    folder = resources.files(__package__).joinpath("venues")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    read = [msgspec.json.decode(f.read_bytes()) for f in files]
    return {entry["venue"]: entry for entry in read}


def _merged(base: Any, over: Mapping[str, Any]) -> Any:
    out = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = _merged(out[key], value) if both else value
    return out
