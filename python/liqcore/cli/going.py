"""How markets go that are recorded or followed: a line for each on a terminal, and what is missing to do so."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import rich.live
import typer
from rich.console import Console
from rich.text import Text

from ..words.plain import plain
from ..words.times import parse_duration
from .common import fail
from .progress import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.config import Config
    from ..live.source import Live
    from ..live.status import Status

_NEEDED = {"mcap", "zstandard", "msgspec", "websockets", "starlette", "uvicorn", "prometheus_client"}


@contextmanager
def needing_packages(what: str) -> Iterator[None]:
    """Say which package `what` needs where an import of the block fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _NEEDED:
            raise
        fail(f'{what} needs the package {package.replace("_", "-")}; install it with: pip install "liqcore[app]"')


def followed(markets: str, config: "Config", history: "Sequence[str]" = (), *, is_engine: bool = True) -> "Live":
    """Return feeds of markets: with history, where there are engines that it is for."""
    from ..live.network import Internet
    from ..live.replay import histories
    from ..live.source import Live, markets_of
    from ..live.terms import overrides_of, proxies_of

    named = markets_of(markets)
    overrides = {} if config.live.venues is None else overrides_of(Path(config.live.venues))
    return Live(
        named,
        Internet(proxies_of(overrides)),
        overrides,
        parse_duration(config.live.history) if is_engine else 0,
        histories(history, named),
    )


class Going:
    """How it goes, on a terminal; and on any stderr a line when trouble of a market begins, and when it ends."""

    def __init__(self, wanted: bool) -> None:
        self._console = Console(stderr=True)
        shown = wanted and self._console.is_terminal
        self._live = rich.live.Live("", console=self._console, auto_refresh=False, transient=True) if shown else None
        self._told: dict[tuple[str, str], int] = {}  # trouble that was said, and for how many looks it has been over

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        """Write a line above it, on any thread."""
        if self._live is None:
            typer.echo(line, err=True)
        else:
            self._console.print(Text(line), soft_wrap=True)

    def tell(self, statuses: "Sequence[Status]") -> None:
        """Show how each market goes: to be called every second."""
        for status in statuses:
            market = str(status.market)
            stopped, error = plain(status.stopped), plain(status.error)
            self._warn(market, f"its engine has stopped: {stopped}; what comes is recorded all the same", stopped)
            for model, why in status.models.items():
                said = plain(why)
                self._warn(market, f"its model {model} has stopped: {said}; the others go on", said, model)
            self._warn(
                market,
                f"its journal cannot be written: {error}; what comes waits",
                error,
                "its journal is written again",
            )
        if self._live is not None:
            self._live.update(Text("\n".join(map(_going, statuses)), no_wrap=True, overflow="ellipsis"), refresh=True)

    def _warn(self, market: str, begins: str, trouble: str, ends: str = "") -> None:
        """Say that it begins, or has been over for a while: a disk that is all but full takes a little now and then."""
        key, said = (market, ends), ""
        if trouble:
            said = "" if key in self._told else begins
            self._told[key] = 0
        elif key in self._told:
            self._told[key] += 1
            if self._told[key] >= _OVER:
                del self._told[key]
                said = ends
        if said:
            with suppress(OSError):  # of stderr, which may be a file on the same full disk
                self.say(f"warning: {market}: {said}")


def _going(status: "Status") -> str:
    """Return a market's line: rate, lag, states, holes."""
    lag = "" if status.lag is None else f"  lag {status.lag / 1e6:,.0f} ms"
    states: dict[str, list[str]] = {}
    for kind, state in status.states.items():
        states.setdefault(state, []).append(kind.replace("_", " "))
    said = "".join(f"  {state}: {', '.join(kinds)}" for state, kinds in states.items())
    if len(states) == 1:
        said = f"  {next(iter(states))}"
    holes = f"  {status.holes:,} holes" if status.holes else ""
    error = f"  CANNOT WRITE: {status.error}" if status.error else ""
    stopped = f"  ENGINE STOPPED: {status.stopped}" if status.stopped else ""
    trouble = f"  {status.trouble}" if status.trouble and "live" not in states else ""
    unfed = f"  {count(status.unfed)} not fed yet" if status.unfed > _MANY else ""
    rate = "ended" if status.has_ended else f"{count(status.rate)}/s"
    return f"{status.market}  {rate}  {count(status.frames)} messages{lag}{unfed}{holes}{stopped}{error}{trouble}{said}"


_OVER = 5  # looks, seconds apart, without trouble, after which it is over
_MANY = 1000  # frames that an engine is behind, of which nobody need be told
