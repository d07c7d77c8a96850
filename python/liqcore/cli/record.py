"""``liqcore record``: feeds, or recordings played as if live, into journals."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InvalidConfigError
from ..words.plain import plain
from .common import guarded, resolve
from .going import Going, followed, needing_packages
from .options import Flags, Quiet, config_file, with_settings

if TYPE_CHECKING:
    from ..live.status import Status


@guarded
@with_settings("record")
def record(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where journals are kept; it is made where it is missing.")
    ],
    *,
    live: Annotated[
        str | None,
        typer.Option("--live", metavar="MARKETS", help="Markets to record, such as binance-usdm:BTCUSDT,okx:BTC-USDT."),
    ] = None,
    replay: Annotated[
        list[str] | None,
        typer.Option("--replay", metavar="FILES", help="Instead: trade files of a market, or journals."),
    ] = None,
    speed: Annotated[
        float, typer.Option(help="Of a replay: 1 as it came, 60 sixty times as fast, 0 as fast as possible.")
    ] = 1.0,
    symbol: Annotated[str | None, typer.Option(help="Of a replay: which one, where trade files hold several.")] = None,
    flags: Flags,
    config: Annotated[Path | None, config_file("Settings, of which [journal] counts here.")] = None,
    quiet: Quiet = False,
) -> None:
    """
    Record markets: every message as it came in, into a journal for each market, and nothing else.

    A journal is a folder's files of one market, one an hour (MCAP). liqcore reads them as it reads other trade files.
    Recording into a folder that has a journal of the market goes on behind it. Ctrl-C (or TERM) ends it: everything is
    written, the files are made whole. A second Ctrl-C ends it at once; what was written by then is kept.

    \b
    Examples:
      liqcore record --live binance-usdm:BTCUSDT,bybit-linear:BTCUSDT journal
      liqcore heatmap "journal/binance-usdm-BTCUSDT-*.mcap" -o btc.png
      liqcore record --replay "BTCUSDT-aggTrades-2026-06-1*.zip" --speed 60 journal

    \b
    Exit codes:
      0    ended by Ctrl-C, or the replay has ended; a summary says what was recorded
      2    wrong arguments, settings or files, or another process records the same market there
      130  ended by a second Ctrl-C
    """
    if (live is None) == (not replay):
        raise InvalidConfigError(f"one of --live and --replay must be given, {'none' if live is None else 'both'} was")
    settings = resolve(config, flags)
    with needing_packages("recording"):
        from ..live.replay import recording
        from ..live.service import Service, run
        from ..live.source import Replay, Source
    source: Source
    if live is not None:
        source = followed(live, settings, is_engine=False)
    else:
        source = Replay(recording(replay or [], symbol=symbol), speed)
    with (
        Service(source, folder, config=settings, follows=False) as service,
        Going(settings.log.progress and not quiet) as going,
    ):
        run(service, going.tell)
    summary = service.summary()
    for note in summary.notes:
        typer.echo(f"warning: {plain(note)}", err=True)
    if not quiet:
        for status in summary.statuses:
            typer.echo(f"{status.market}: {_recorded(status)} in {summary.seconds:.0f} s")
        typer.echo(f"{len(summary.files):,} new {'file' if len(summary.files) == 1 else 'files'} in {folder}")


def _recorded(status: "Status") -> str:
    holes = f", {status.holes:,} holes that could not be filled" if status.holes else ""
    return f"{status.frames:,} messages, {status.size / 1e6:,.1f} MB{holes}"
