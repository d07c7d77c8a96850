"""``liqcore screen``: over many markets, the largest zone near the price of each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ..errors import InvalidConfigError
from ..render.labels import amount, duration
from ..words.plain import plain
from .common import EXIT_PARTLY, guarded, resolve
from .options import At, ConfigForTrades, Flags, NoBar, Tiers, ZoneThreshold, leverage_flag, output, with_settings
from .outputs import JSON, PNG, TABLE, inputs_of, outputs
from .report import price_text
from .run import collected_warnings, console


@guarded
@with_settings("screen")
def screen(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILES",
            help="Saved heatmaps (.parquet), files of trades, patterns and folders. A saved heatmap and a folder are a "
            "market each; trade files are put together by symbol.",
        ),
    ],
    *,
    output: Annotated[
        list[Path] | None, output("out.csv or out.json for the table, out.png for small pictures; may be repeated.")
    ] = None,
    within: Annotated[float, typer.Option(help="How far from the price, percent.")] = 5.0,
    order: Annotated[
        str, typer.Option("--sort", help='Order: "value", "distance", "age", "imbalance" or "symbol".')
    ] = "value",
    top: Annotated[int, typer.Option(min=0, help="How many markets; 0: all.")] = 0,
    at: At = None,
    threshold: ZoneThreshold = None,
    leverage: Tiers = None,
    flags: Flags,
    config: ConfigForTrades = None,
    json_: Annotated[bool, typer.Option("--json", help="Write JSON for programs instead of a table.")] = False,
    quiet: NoBar = False,
) -> None:
    """
    List the largest zone near the price of each of many markets: side, distance, age, and which side weighs more.

    A market that cannot be used is named on stderr, and does not stop the others.

    \b
    Examples:
      liqcore screen "saved/*.parquet"
      liqcore screen "saved/*.parquet" --within 3 --sort distance -o near.csv -o near.png
      liqcore screen "data/*-aggTrades-2026-06-1*.zip" --opened-within 24h --side long --json

    \b
    Exit codes:
      0    done, also where a market has no zone so near
      2    wrong arguments or settings, or no market could be used; no output file was touched
      3    done, but for the markets that are named on stderr
      130  interrupted; no output file was touched
    """
    paths = output or []
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    with outputs(paths, inputs_of(files, settings, config), known=[TABLE, JSON, PNG]) as write:
        from ..runs.screen import names_of  # here, because it loads the engine: help and errors come without it
        from ..runs.screen import screen as run

        pictures = any(path.suffix.lower() == PNG for path in paths)
        with collected_warnings() as said, _bar(settings.log.progress and not quiet) as progress:
            found = run(
                files,
                within=within,
                at=at,
                threshold=threshold,
                order=order,
                pictures=pictures,
                config=settings,
                progress=progress,
            )
        for error in names_of(found.errors):
            typer.echo(f"error: {plain(error, 500)}", err=True)
        if not found:
            raise InvalidConfigError("FILES must hold a market that can be used, held none")
        shown = found[:top] if top else found
        write(picture=shown.render, table=shown.save, json=shown.save)
    if settings.log.level == "debug":
        for warning in dict.fromkeys(said):
            typer.echo(f"warning: {plain(warning)}", err=True)
    if json_:
        typer.echo(shown.to_json())
    else:
        _table(shown)
        for path in paths:
            typer.echo(f"written to  {path}")
    if found.errors:
        raise typer.Exit(EXIT_PARTLY)


@contextmanager
def _bar(wanted: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """Show how many markets are done, on a terminal."""
    err = Console(stderr=True)
    if not (wanted and err.is_terminal):
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("screening", total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=plain(name, 40))


def _table(shown: Any) -> None:
    out = console()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    left = ("market", "side")
    for name in ("market", "price", "side", "zone", "away", "value", "share", "age", "longs", "shorts", "imbalance"):
        table.add_column(name, justify="left" if name in left else "right", no_wrap=True)
    for one in shown:
        market = " ".join(word for word in (one.venue, one.symbol) if word) or one.name
        cells = [plain(market, 60), price_text(one.price)]
        if one.side:
            cells += [
                one.side,
                f"{price_text(one.low)} to {price_text(one.high)}",
                f"{one.distance_percent:+.2f}%",
                amount(one.value, one.unit, ""),
                f"{100 * one.share:.1f}%",
                duration(int(one.age_ns)),
            ]
        else:
            cells += ["none", "", "", "", "", ""]
        cells += [amount(value, one.unit, "") for value in (one.long, one.short)]
        table.add_row(*cells, "" if one.imbalance != one.imbalance else f"{one.imbalance:+.2f}")
    out.print(table)
    out.print(
        Text(
            f"The largest zone within {shown.within:g} % of each price; longs and shorts are all within that. Amounts "
            "are relative levels: an estimate, not a record of positions."
        ),
        soft_wrap=True,
    )
