"""``liqcore watch``: the zones nearest to the price and what has changed, in a terminal, while files grow."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..errors import DataError, InvalidConfigError
from ..render.labels import amount, duration
from ..words.times import iso, parse_duration
from .common import EXIT_INTERRUPTED, guarded, resolve
from .options import ConfigForTrades, Flags, Tiers, ZoneThreshold, leverage_flag, with_settings
from .report import headline, price_text
from .run import collected_warnings, console
from .view import load_shown, refuse_terms, saved_of

if TYPE_CHECKING:
    from ..views.heatmap import Heatmap

_COLOURS = {"long": "cyan", "short": "yellow"}


@guarded
@with_settings("watch")
def watch(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES", help="A saved heatmap (.parquet), or files of trades, that may grow; patterns."
        ),
    ],
    *,
    every: Annotated[str, typer.Option(help="How often to look whether they have changed.")] = "2s",
    since: Annotated[str, typer.Option(help="Over which time changes are told.")] = "1h",
    top: Annotated[int, typer.Option(min=1, help="How many zones of each side, and how many changes.")] = 8,
    threshold: ZoneThreshold = None,
    leverage: Tiers = None,
    flags: Flags,
    config: ConfigForTrades = None,
    once: Annotated[bool, typer.Option("--once", help="Print it once and end, as where there is no terminal.")] = False,
) -> None:
    """
    Watch the zones nearest to the price, and what has become of zones lately; Ctrl-C ends it.

    Files of trades may grow, a saved heatmap may be written anew: each time, all of it is read again.

    \b
    Examples:
      liqcore watch btc.parquet
      liqcore watch trades.csv --since 4h --opened-within 24h
      liqcore watch "data/BTCUSDT-aggTrades-*.zip" --once

    \b
    Exit codes:
      0    done, or ended by Ctrl-C while watching
      2    wrong arguments, settings or files; one line on stderr says which
      130  interrupted before anything was shown
    """
    length, pause = parse_duration(since, name="--since"), parse_duration(every, name="--every")
    saved = saved_of(files)
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    if saved is not None:
        refuse_terms(settings)
    out = console()
    from ..runs.watch import snapshots  # here, because it loads the engine: help and errors come without it

    def drawn(heatmap: "Heatmap") -> RenderableType:
        return picture(heatmap, threshold=threshold, since_ns=length, top=top)

    with collected_warnings():  # they are of files that are read over and over
        source = snapshots(
            files, config=settings, every_s=pause / 1e9, load=lambda path: load_shown(str(path), settings)
        )
        if once or not out.is_terminal:
            out.print(drawn(next(source)))
            return
        _show(source, drawn, out)


def _show(source: Iterable["Heatmap"], drawn: Any, out: Console) -> None:
    """Show one snapshot after the other in place, until Ctrl-C: of files, or of whatever else yields heatmaps."""
    shown = False
    with Live(console=out, auto_refresh=False, transient=False) as live:
        try:
            for heatmap in source:
                shown = True
                live.update(drawn(heatmap), refresh=True)
        except KeyboardInterrupt:
            if not shown:
                raise typer.Exit(EXIT_INTERRUPTED) from None


def picture(heatmap: "Heatmap", *, threshold: str | None, since_ns: int, top: int) -> RenderableType:
    """
    Return what the terminal shows of a heatmap.

    Parameters
    ----------
    heatmap : Heatmap
    threshold : str, optional
        As for `Heatmap.zones`.
    since_ns : int
        Over which time changes are told, ns.
    top : int
        How many zones of each side, and how many changes.
    """
    from ..analysis.changes import changes

    if not len(heatmap.times):
        raise DataError("no column, because no trade was used")
    now = heatmap.map()
    zones = heatmap.zones(threshold=threshold)
    base = str(now.meta.get("base") or "")
    lines: list[RenderableType] = [Text(headline(now), "bold")]
    near = {
        side: sorted((zone for zone in zones if zone.side == side), key=lambda zone: abs(zone.distance_percent))[:top]
        for side in ("short", "long")
    }
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("side", "zone", "away", "value", "share", "age"):
        table.add_column(name, justify="left" if name == "side" else "right", no_wrap=True)
    for zone in [*reversed(near["short"]), None, *near["long"]]:  # as on a chart: the price in the middle
        if zone is None:
            table.add_row("price", price_text(now.price), "", "", "", "", style="bold")
            continue
        table.add_row(
            Text(zone.side, _COLOURS[zone.side]),
            f"{price_text(zone.low)} to {price_text(zone.high)}",
            f"{zone.distance_percent:+.2f}%",
            amount(zone.value, zone.unit, base),
            f"{100 * zone.share:.1f}%",
            duration(now.time_ns - zone.since_ns),
        )
    lines.append(table)
    with _unknown_before():
        before = now.time_ns - since_ns
        found = changes(heatmap.zones(before, threshold=threshold), zones, heatmap.swept(before, threshold=threshold))
        lines.append(Text(f"\nsince {iso(before)}: {'' if found else 'no change'}".rstrip()))
        lines += [Text(f"  {_said(change, base)}") for change in found[:top]]
        if len(found) > top:
            lines.append(Text(f"  and {len(found) - top} smaller ones"))
    synthetic = "SYNTHETIC data: a simulated market. " if now.meta.get("synthetic") else ""
    lines.append(Text(f"\n{synthetic}Amounts are relative levels: an estimate, not a record of positions."))
    return Group(*lines)


@contextmanager
def _unknown_before() -> Iterator[None]:
    """Tell no changes where the data does not reach back so far."""
    try:
        yield
    except InvalidConfigError as error:
        if not str(error).startswith("ts "):
            raise


def _said(change: Any, base: str) -> str:
    zone = change.zone
    where = f"{zone.side}s {price_text(zone.low)} to {price_text(zone.high)}"
    before, now = (amount(value, zone.unit, base) for value in (change.before, change.now))
    match change.kind:
        case "new":
            return f"new      {where}: {now}"
        case "reached":
            sweep = zone.swept
            gone = amount(sweep.value, zone.unit, base)
            return f"reached  {where}: {before} before, {gone} liquidated at {iso(sweep.start_ns)[11:16]}"
        case "faded":
            return f"faded    {where}: {before} before, no zone now"
    return f"{change.kind:<8} {where}: {before} before, {now} now"
