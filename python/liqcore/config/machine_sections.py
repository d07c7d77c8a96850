"""Sections on what a run says and may take, and how live data is kept, served and told."""

from dataclasses import dataclass
from typing import Literal

from ..words.limits import Limits
from .rules import ALERTS, BOOLEAN, COMMAND, LENGTH, choice, listed, real, some_text, whole
from .setting import Section, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig(Section):
    """What is said meanwhile."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "warning",
        choice("debug", "info", "warning", "error"),
        "Least severity of the messages shown.",
    )
    progress: bool = setting(
        True,
        BOOLEAN,
        "Show a progress bar on a terminal.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig(Section):
    """What is read and made at most: beyond it a file is refused before it is held in memory."""

    unpacked: int = setting(
        Limits.unpacked,
        whole(1, 1_000_000, "times"),
        "How many times larger a packed or feather file, or a column of Parquet, may be unpacked; 64 MiB always may. "
        "Trades unpack to some 3 to 20 times their packed size.",
        late=True,
    )
    json: int = setting(
        Limits.json,
        whole(1, 1_048_576, "MiB"),
        "JSON of one file, unpacked, and the table that it makes, in MiB; memory takes some ten times that.",
        late=True,
    )
    header: int = setting(
        Limits.header,
        whole(1, 4_096, "MiB"),
        "Metadata of a Parquet file or saved result, in MiB.",
        late=True,
    )
    columns: int = setting(
        Limits.columns,
        whole(1, 1_000_000, "columns"),
        "Columns of a file, or names in the objects of its JSON.",
        late=True,
    )
    groups: int = setting(
        Limits.groups,
        whole(1, 10_000_000, "row groups"),
        "Row groups of a Parquet file.",
        late=True,
    )
    members: int = setting(
        Limits.members,
        whole(1, 1_000_000, "files"),
        "Files in a zip file.",
        late=True,
    )
    symbol: int = setting(
        Limits.symbol,
        whole(1, 1_000, "characters"),
        "Characters of a symbol that a file names.",
        late=True,
    )
    windows: int = setting(
        Limits.windows,
        whole(1, 10_000_000_000, "windows"),
        "Windows of a heatmap, engine or saved result.",
        late=True,
    )
    cells: int = setting(
        Limits.cells,
        whole(1, 1_000_000_000_000, "cells"),
        "Columns by rows of a heatmap that is shown; memory is asked for on top of that.",
        late=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalConfig(Section):
    """How a journal of frames is written."""

    write: str = setting(
        "50ms",
        LENGTH,
        "How long frames are gathered before they are written, and acted on; 1 MiB of them is written at once.",
        flag="--write",
        commands=("record",),
        late=True,
    )
    sync: str = setting(
        "1s",
        LENGTH,
        "How often what was written is synced to the disk: what a machine that loses its power may lose.",
        flag="--sync",
        commands=("record",),
        late=True,
    )
    segment: str = setting(
        "1h",
        LENGTH,
        "Length of a segment, one file; they begin at multiples of it, UTC.",
        flag="--segment",
        commands=("record",),
        late=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConfig(Section):
    """How an engine follows a market."""

    delay: str = setting(
        "1s",
        LENGTH,
        "How long events wait for earlier ones that come later, by the times of the events.",
        late=True,
    )
    checkpoint: str = setting(
        "5m",
        LENGTH,
        "How often the engine's state is saved: a restart begins there, and takes the rest from the journal.",
        late=True,
    )
    approach: float = setting(
        1.0,
        real("a percentage from 0 to below 100", lambda x: 0 <= x < 100),
        "How near the price comes to a zone that is told as approached, in percent of the price.",
        late=True,
    )
    history: str = setting(
        "1d",
        LENGTH,
        "How far back a market begins that has no journal yet: its venue is asked for candles and open interest.",
        late=True,
    )
    keep: str = setting(
        "7d",
        LENGTH,
        "How far back ended windows are kept in memory, by time; older levels that still live are kept in any case.",
        late=True,
    )
    models: str | None = setting(
        None,
        listed("models (flow, presence, oi, blend)", r"flow|presence|oi|blend"),
        "Models that are followed side by side, between commas; alerts, columns and zones that are told are the "
        "first one's.",
        unset="`model.name` alone",
        example='"flow,presence"',
        flag="--models",
        commands=("serve",),
        late=True,
    )
    venues: str | None = setting(
        None,
        some_text("a file", "FILE"),
        "A file (TOML or JSON) of what differs from the built-in addresses, topics, requests and limits, by venue.",
        unset="the built-in ones",
        example='"venues.toml"',
        flag="--venues",
        commands=("record", "serve"),
        late=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig(Section):
    """How markets are served to programs and pages."""

    host: str = setting(
        "127.0.0.1",
        some_text("an address of this machine"),
        "Address that is listened on; where it is no loopback address, clients must show a token.",
        flag="--host",
        commands=("serve",),
        late=True,
    )
    port: int = setting(
        8765,
        whole(0, 65535),
        "Port that is listened on; 0: one that is free.",
        flag="--port",
        commands=("serve",),
        late=True,
    )
    updates: float = setting(
        4.0,
        real("a number above 0 and at most 100", lambda x: 0 < x <= 100),
        "How often websocket clients are sent what is new, times a second.",
        flag="--updates",
        commands=("serve",),
        late=True,
    )
    clients: int = setting(
        200,
        whole(1, 100_000, "clients"),
        "Websocket clients at once; more are refused.",
        late=True,
    )
    requests: float = setting(
        20.0,
        real("a number above 0", lambda x: x > 0),
        "Requests a second of one address, over some seconds; more are answered with 429.",
        late=True,
    )
    rows: int = setting(
        2_000,
        whole(1, 100_000, "rows"),
        "Price rows of one answer.",
        late=True,
    )
    columns: int = setting(
        5_000,
        whole(1, 1_000_000, "columns"),
        "Columns of one answer.",
        late=True,
    )
    names: str | None = setting(
        None,
        listed("names of this machine", r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"),
        "Names besides localhost by which clients call this server, between commas; requests that call it otherwise "
        "are refused. Where `host` is no loopback address any address will do, but no other name.",
        unset="none",
        example='"charts.example.org"',
        late=True,
    )
    origins: str | None = setting(
        None,
        listed("origins", r"https?://[A-Za-z0-9.\[\]:-]+"),
        "Origins of pages, besides the server's own, that may read from it in a browser, between commas.",
        unset="none",
        example='"https://charts.example.org"',
        late=True,
    )
    free: int = setting(
        1_024,
        whole(0, 1_073_741_824, "MiB"),
        "Room that the journals' disk must have left for `/health` to be well, MiB.",
        late=True,
    )
    embedded_by: str | None = setting(
        None,
        listed("origins", r"https?://[A-Za-z0-9.\[\]:-]+"),
        "Origins of pages that may show the server's own page in a frame of theirs, between commas.",
        unset="none",
        example='"https://charts.example.org"',
        late=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsConfig(Section):
    """What is told at once, and to whom."""

    rules: tuple[str, ...] | None = setting(
        None,
        ALERTS,
        "What is told: zones that the price approaches or sweeps, levels near it, what was liquidated in a window, "
        "holes in the trades, a feed that is offline.",
        unset="nothing is told",
        example='["zone swept > 10M", "binance-usdm:BTCUSDT: levels > 5M within 1%", "gap"]',
        flag="--alert",
        commands=("serve",),
        help='What is told at once, such as "zone swept > 10M usd", "levels > 5M within 1%", "liquidated > 2M", "gap"; '
        "a market and a colon may stand before it; may be repeated. [default: nothing]",
        late=True,
    )
    again: str = setting(
        "15m",
        LENGTH,
        "How long the same is not told again, by the times of the events.",
        flag="--alert-again",
        commands=("serve",),
        late=True,
    )
    terminal: bool = setting(
        True,
        BOOLEAN,
        "Write alerts to stderr, a line each.",
        late=True,
    )
    command: tuple[str, ...] | None = setting(
        None,
        COMMAND,
        "A command that is run for each alert, without a shell; the alert is JSON on its input, its parts stand in "
        "variables LIQCORE_ALERT_..., and words such as {text} are replaced.",
        unset="none is run",
        example='["notify-send", "{market}", "{text}"]',
        flag="--alert-command",
        commands=("serve",),
        help='A command that is run for each alert, without a shell, such as "notify-send {text}"; the alert '
        "is JSON on its input. [default: none]",
        late=True,
        private=True,
    )
    timeout: str = setting(
        "10s",
        LENGTH,
        "How long that command may take before it is ended.",
        late=True,
    )
    urls: str | None = setting(
        None,
        some_text("a path", "FILE"),
        "A file of addresses of webhooks and messengers, one a line, as Apprise writes them; they are secrets, and "
        "stand nowhere but there.",
        unset="nobody is called",
        example='"alerts.urls"',
        flag="--alert-urls",
        commands=("serve",),
        help="A file of addresses of webhooks and messengers, one a line, as Apprise writes them. [default: none]",
        late=True,
        private=True,
    )
