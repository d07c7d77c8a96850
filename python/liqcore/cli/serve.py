"""``liqcore serve``: markets followed live, from a recording or the simulator, served to programs and pages."""

import os
import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InvalidConfigError
from ..words.plain import plain
from ..words.times import parse_duration
from .common import guarded, resolve
from .going import Going, followed, needing_packages
from .options import Flags, Quiet, config_file, with_settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..config.config import Config
    from ..live.alerts import Alerts
    from ..live.source import Source

JOURNAL = Path("liqcore-journal")
"""Where journals of feeds are kept where no other folder is named: in the working directory."""
TOKEN = "LIQCORE_TOKEN"
_DEMO_SPEED = 60.0
_OLD_NS = 3_600_000_000_000  # what happened longer ago, while nobody followed, is not told as an alert


@guarded
@with_settings("serve")
def serve(
    *,
    live: Annotated[
        str | None,
        typer.Option("--live", metavar="MARKETS", help="Markets to follow, such as binance-usdm:BTCUSDT,okx:BTC-USDT."),
    ] = None,
    replay: Annotated[
        list[str] | None,
        typer.Option("--replay", metavar="FILES", help="Instead: trade files of a market, or journals."),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Instead: a simulated market, which is SYNTHETIC.")] = False,
    speed: Annotated[
        float | None,
        typer.Option(
            help="Of a replay: 1 as it came, 60 sixty times as fast, 0 as fast as possible. [default: 1; of "
            "the demo 60]"
        ),
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Of a replay: which one, where trade files hold several.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the demo: the same seed, the same market.")] = 1,
    history: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILES",
            help="Of --live: what comes before, trade files of a market, or journals; for several markets several "
            "times. What is missing up to now is estimated from the venue's candles.",
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where journals are kept, and continued. [default: liqcore-journal; of a "
            "replay and the demo a folder that is removed at the end]",
        ),
    ] = None,
    flags: Flags,
    config: Annotated[
        Path | None, config_file("Settings: of the model as for liqcore heatmap, [live], [server], [alerts].")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """
    Follow markets and serve them: heatmap, map, zones, features, columns, states, over HTTP and a websocket.

    Everything that comes goes into a journal first (as liqcore record does), so that a process that was killed goes on
    where it was. Ctrl-C (or TERM) ends it: the journal is made whole, the engines' states are saved. A second Ctrl-C
    ends it at once; what was written by then is kept.

    It listens on this machine alone. Bound elsewhere (--host), clients must show a token: that of the variable
    LIQCORE_TOKEN, or one that is made up and printed.

    \b
    Examples:
      liqcore serve --demo
      liqcore serve --live binance-usdm:BTCUSDT,bybit-linear:BTCUSDT --journal journal
      liqcore serve --demo --alert "zone swept > 10M usd" --alert "liquidated > 2M"
      liqcore serve --replay "BTCUSDT-aggTrades-2026-06-1*.zip" --speed 60

    \b
    Exit codes:
      0    ended by Ctrl-C
      2    wrong arguments, settings or files, a port that is in use, or another process that follows the same market
           with the same journal
      130  ended by a second Ctrl-C
    """
    given = {"--live": live is not None, "--replay": bool(replay), "--demo": demo}
    if sum(given.values()) != 1:
        said = " and ".join(name for name, is_given in given.items() if is_given) or "none"
        raise InvalidConfigError(f"one of --live, --replay and --demo must be given, was {said}")
    if history and live is None:
        raise InvalidConfigError("--history must be given with --live alone: a replay and the demo have their own")
    settings = resolve(config, flags)
    with needing_packages("serving"):
        from ..live.demo import demonstration
        from ..live.replay import recording
        from ..live.service import Service, run
        from ..live.source import Demo, Replay, Source
        from ..server.app import app
        from ..server.guard import is_loopback
        from ..server.page import page
        from ..server.run import serve as listen
        from ..server.socket import stream
    host = settings.server.host
    token = os.environ.get(TOKEN) or None
    made_up = token is None and not is_loopback(host)
    if made_up:
        token = secrets.token_urlsafe(24)
    with ExitStack() as held:
        source: Source
        if live is not None:
            source = followed(live, settings, history or ())
        elif replay:
            source = Replay(recording(replay, symbol=symbol), 1.0 if speed is None else speed)
        else:
            source = Demo(
                demonstration(seed=seed, history_ns=parse_duration(settings.live.history)),
                _DEMO_SPEED if speed is None else speed,
            )
        kept = journal if journal is not None or source.origin != "live" else JOURNAL
        folder = kept or Path(held.enter_context(tempfile.TemporaryDirectory(prefix="liqcore-")))
        going = Going(settings.log.progress and not quiet)
        alerts = held.enter_context(_alerts(source, folder, settings, going))
        service = held.enter_context(Service(source, folder, config=settings, sinks=[] if alerts is None else [alerts]))
        for note in service.notes:
            typer.echo(f"warning: {plain(note)}", err=True)
        further = [stream(service.following, settings), page(settings)]
        served = app(service.following, settings, token=token, further=further)
        server = held.enter_context(listen(served, host, settings.server.port))

        def say() -> None:
            if not quiet:
                _say(source, server.url, kept)
            if not is_loopback(host):
                beyond = f"{host} may be reached by others, without encryption; they must show the token"
                typer.echo(f"warning: {beyond}", err=True)
            if made_up:
                typer.echo(f"token (set {TOKEN} to choose it): {token}", err=True)
            held.enter_context(going)

        run(service, going.tell, stays=True, begun=say)
        summary = service.summary()
    for note in summary.notes[len(service.notes) :]:
        typer.echo(f"warning: {plain(note)}", err=True)
    if not quiet:
        for status in summary.statuses:
            typer.echo(f"{status.market}: {status.frames:,} messages in {summary.seconds:.0f} s")


def _alerts(source: "Source", folder: Path, config: "Config", going: Going) -> "AbstractContextManager[Alerts | None]":
    """Return what tells alerts of what happens from now on."""
    from ..live.disk import Disk
    from ..live.machine import SystemClock, SystemCommands
    from ..live.outlets import alerting
    from ..live.source import Demo

    since = source.shown.begin if isinstance(source, Demo) else 0
    if source.origin == "live":
        since = SystemClock().now() - _OLD_NS
    return alerting(
        config, source.markets, folder=folder, files=Disk(), commands=SystemCommands(), write=going.say, since=since
    )


def _say(source: "Source", url: str, kept: Path | None) -> None:
    markets = ", ".join(map(str, source.markets))
    how = {
        "live": "live",
        "replay": "a recording, played as if it came in now",
        "demo": "SYNTHETIC: a simulated market",
    }
    typer.echo(f"{markets} ({how[source.origin]})")
    typer.echo(f"serving at {url}/ (programs: {url}/openapi.json)")
    typer.echo(f"journal: {kept}, which is kept" if kept else "journal: a temporary folder, removed at the end")
    typer.echo("Ctrl-C ends it")
