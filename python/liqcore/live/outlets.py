"""Where alerts go: a terminal, a command, webhooks and messengers; each on a thread of its own."""

import logging
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, Self

import msgspec

from ..config.config import Config
from ..engine.describe import meaning_of
from ..errors import DataError, InvalidConfigError
from ..feeds.events import Market
from ..render.labels import scale_text
from ..words.plain import plain
from ..words.times import iso, parse_duration
from .alerts import Alert, Alerts
from .outside import Commands, Files

WAITING = 1000
"""Alerts that wait for one outlet; beyond that the oldest are lost, which is told."""
KEPT = "alerts.jsonl"
"""Name of the file that alerts are kept in."""
_LAST_WORDS_S = 5.0
_ENDING_S = 1.0


class Way(Protocol):
    """A way on which one alert goes."""

    name: str

    def send(self, alert: Alert) -> str:
        """Send it, and wait for that; return what was wrong, in words: empty, nothing was."""


class Terminal:
    """
    Writes a line for each alert: a `Way`.

    Parameters
    ----------
    write : callable
        Takes the line.
    """

    name = "the terminal"

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def send(self, alert: Alert) -> str:
        """Write it; what a terminal would obey is written out."""
        try:
            self._write(f"ALERT {plain(alert.text)}")
        except OSError as error:
            return str(error)
        return ""


class Command:
    """
    Runs a command for each alert: a `Way`.

    The alert is JSON on its input, its parts stand in variables (``LIQCORE_ALERT_TEXT``, ``LIQCORE_ALERT_USD`` and so
    on; empty where there is none), and in the command's words ``{text}`` and so on are replaced. No shell sees them.

    Parameters
    ----------
    command : sequence of str
    commands : Commands
    timeout_ns : int
    """

    name = "the command"

    def __init__(self, command: Sequence[str], commands: Commands, *, timeout_ns: int) -> None:
        self._command, self._commands, self._timeout_ns = list(command), commands, timeout_ns

    def send(self, alert: Alert) -> str:
        """Run it."""
        parts = {name: "" if part is None else str(part) for name, part in msgspec.structs.asdict(alert).items()}
        parts["text"] = plain(alert.text)
        words = [self._command[0], *(_filled(word, parts) for word in self._command[1:])]
        variables = {f"LIQCORE_ALERT_{name.upper()}": part for name, part in parts.items()}
        given = msgspec.json.encode(alert)
        return self._commands.run(words, given=given, variables=variables, timeout_ns=self._timeout_ns)


def _filled(word: str, parts: Mapping[str, str]) -> str:
    """Put parts of an alert where a word names them; what is put there is not looked at again."""
    pieces = word.split("{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, brace, rest = piece.partition("}")
        out.append(parts[name] + rest if brace and name in parts else "{" + piece)
    return "".join(out)


class Notifier(Protocol):
    """Tells somebody by an address, as objects of the package Apprise do."""

    def notify(self, *, body: str, title: str) -> object:
        """Tell; a false value says that it did not work."""


class Messenger:
    """
    Calls a webhook or messenger: a `Way`. Its address is a secret, and stands in no message.

    Parameters
    ----------
    name : str
    notifier : Notifier
    """

    def __init__(self, name: str, notifier: Notifier) -> None:
        self.name = name
        self._notifier = notifier

    def send(self, alert: Alert) -> str:
        """Call it."""
        try:
            done = self._notifier.notify(body=alert.text, title=f"liqcore: {alert.market}")
        except Exception as error:  # of any service's client; its words may hold the address
            return f"it raised {type(error).__name__}"
        return "" if done else "it was not taken"


def messengers(path: Path, files: Files) -> list[Messenger]:
    """
    Return those that a file lists, an address in each line, as Apprise writes them; lines with # are comments.

    Raises
    ------
    InvalidConfigError
        If the package is missing, or a line is no address that it knows: its number is said, never what it holds.
    DataError
        If the file cannot be read.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of its own imports
            import apprise

            apprise.Apprise.instantiate("json://localhost")  # which makes it load all its services
    except ModuleNotFoundError:
        raise InvalidConfigError(
            'alerts.urls needs the package apprise; install it with: pip install "liqcore[alerts]"'
        ) from None
    logger = logging.getLogger("apprise")  # which writes addresses into its messages
    logger.disabled = True
    try:
        with files.read(path) as file:
            lines = file.read(1 << 20).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise DataError(f"alerts.urls: {path.name} cannot be read: {why}") from None
    found = []
    for number, line in enumerate(lines, 1):
        if not (url := line.strip()) or url.startswith("#"):
            continue
        notifier = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if not isinstance(notifier, apprise.NotifyBase):
            raise InvalidConfigError(
                f"alerts.urls: {path.name}:{number} must be an address that Apprise knows, such as "
                "json://host/path or slack://...; it is not shown, as it may be a secret"
            )
        found.append(Messenger(f"{notifier.service_name} ({path.name}:{number})", notifier))
    if not found:
        raise InvalidConfigError(f"alerts.urls: {path.name} must hold an address in a line, was empty")
    return found


@contextmanager
def alerting(
    config: Config,
    markets: Sequence[Market],
    *,
    folder: Path,
    files: Files,
    commands: Commands,
    write: Callable[[str], object],
    since: int = 0,
) -> Iterator[Alerts | None]:
    """
    Give what tells alerts as a configuration says, until the context ends; None: it has no rules.

    Parameters
    ----------
    config : Config
        Its section ``alerts``.
    markets : sequence of Market
        That are followed.
    folder : Path
        Where `KEPT` lies, the file of what was told: that of the journals, which make it.
    files : Files
    commands : Commands
    write : callable
        Writes a line on the terminal, on any thread.
    since : int, default 0
        What has happened before, ns, is not told.

    Raises
    ------
    InvalidConfigError, DataError
        If a rule is of another market, or an address cannot be used.
    """
    settings = config.alerts
    if not settings.rules:
        yield None
        return
    ways: list[Way] = [Terminal(write)] if settings.terminal else []
    if settings.command:
        timeout_ns = parse_duration(settings.timeout, name="alerts.timeout")
        ways.append(Command(settings.command, commands, timeout_ns=timeout_ns))
    if settings.urls:
        ways += messengers(Path(settings.urls), files)
    with ExitStack() as held:
        alerts = Alerts(
            settings.rules,
            markets=markets,
            again_ns=parse_duration(settings.again, name="alerts.again"),
            unit=_unit(config),
            since=since,
            path=folder / KEPT,
            files=files,
        )
        held.callback(alerts.close)
        for way in ways:
            end = commands.end if isinstance(way, Command) else lambda: None
            sending = Sending(way, lambda said: write(f"warning: {said}"), end=end)
            held.callback(_end, sending, write)
            alerts.outlets.append(sending)
        yield alerts


def _unit(config: Config) -> str:
    """Say what amounts stand for."""
    fitted = config.leverage.fitted
    said = scale_text({"meaning": meaning_of(config.model.name or "flow", fitted)})
    return f"{said}; by the live scale where there is one" if fitted else said


def _end(sending: "Sending", write: Callable[[str], object]) -> None:
    """Let it send what waits, and say what it could not."""
    left = sending.close()
    if missed := left + sending.failed + sending.lost:
        write(f"warning: {missed:,} {'alert' if missed == 1 else 'alerts'} did not reach {sending.way.name}")


class Sending:
    """
    Sends alerts on their way in a thread of its own: an `Outlet`.

    Up to `most` wait; beyond that the oldest are lost, and how many is told by an alert as soon as there is room.

    Parameters
    ----------
    way : Way
    tell : callable
        Told, on that thread, when sending begins to fail and when it works again; in words for the user.
    most : int
    end : callable
        Ends what is being sent, where that takes too long at the end.

    Attributes
    ----------
    sent, failed, lost : int
    error : str
        What is wrong at present; empty: nothing is.
    """

    def __init__(
        self,
        way: Way,
        tell: Callable[[str], object] = lambda _: None,
        *,
        most: int = WAITING,
        end: Callable[[], object] = lambda: None,
    ) -> None:
        self.sent = self.failed = self.lost = 0
        self.error = ""
        self.way = way
        self._tell, self._most, self._end = tell, most, end
        self._waiting: deque[Alert] = deque()
        self._lost_since = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"alerts to {way.name}", daemon=True)
        self._thread.start()

    def put(self, alert: Alert) -> None:
        """Take one, on any thread, at once."""
        with self._changed:
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                self.lost += 1
                self._lost_since += 1
            self._waiting.append(alert)
            self._changed.notify()

    def close(self, timeout_s: float = _LAST_WORDS_S) -> int:
        """Send what waits, for so long at most; return how many were left."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        with self._changed:
            left = len(self._waiting)
            self._waiting.clear()
        if self._thread.is_alive():
            self._end()
            self._thread.join(min(timeout_s, _ENDING_S))
        return left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _next(self) -> Alert | None:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if not self._waiting:
                return None
            if self._lost_since:
                lost, self._lost_since = self._lost_since, 0
                return _lost(self._waiting[0], lost, self.way.name)
            return self._waiting.popleft()

    def _run(self) -> None:
        while (alert := self._next()) is not None:
            error = self.way.send(alert)
            if error:
                self.failed += 1
            else:
                self.sent += 1
            if error and not self.error:
                self._tell(f"alerts do not reach {self.way.name}: {error}")
            elif self.error and not error:
                self._tell(f"alerts reach {self.way.name} again")
            self.error = error


def _lost(before: Alert, count: int, name: str) -> Alert:
    """Make the alert that tells of lost ones."""
    what = f"{count:,} {'alert was' if count == 1 else 'alerts were'} lost: more came than {name} takes"
    return Alert("", "", "lost", before.ts, iso(before.ts), f"{iso(before.ts)} {what}")
