"""The commands, put together."""

from typing import Annotated

import typer

from .. import __version__
from . import (
    calibrate,
    cascade,
    compare,
    config,
    confluence,
    demo,
    export,
    features,
    footprints,
    heatmap,
    impact,
    info,
    liqprice,
    magnets,
    merge,
    record,
    score,
    screen,
    serve,
    stops,
    watch,
    zones,
)
from . import map as map_command
from .common import OneOutput

app = typer.Typer(
    name="liqcore",
    no_args_is_help=True,
    rich_markup_mode=None,  # the help is plain text: its examples keep their lines
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="""
    Liquidation heatmaps of leveraged perpetual futures.

    \b
    Examples:
      liqcore demo
      liqcore heatmap BTCUSDT-aggTrades-2026-06-1*.zip -o btc.png -o btc.parquet
      liqcore zones btc.parquet
      liqcore config init

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; one line on stderr says which
      130  interrupted; nothing half-written is left
    """,
)


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=lambda asked: _say_version(asked), help="Show the version."),
    ] = False,
) -> None:
    """Options of the program itself."""


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"liqcore {__version__}")
        raise typer.Exit


app.command("heatmap")(heatmap.heatmap)
app.command("footprints", cls=OneOutput)(footprints.footprints)
app.command("features", cls=OneOutput)(features.features)
app.command("map")(map_command.map_)
app.command("zones")(zones.zones)
app.command("magnets")(magnets.magnets)
app.command("confluence")(confluence.confluence)
app.command("compare")(compare.compare)
app.command("export")(export.export)
app.command("stops")(stops.stops)
app.command("cascade")(cascade.cascade)
app.command("impact")(impact.impact)
app.command("score")(score.score)
app.command("calibrate")(calibrate.calibrate)
app.command("screen")(screen.screen)
app.command("watch")(watch.watch)
app.command("demo")(demo.demo)
app.command("merge")(merge.merge)
app.command("record")(record.record)
app.command("serve")(serve.serve)
app.add_typer(config.commands, name="config")
app.command("liqprice")(liqprice.liqprice)
app.command("info")(info.info)
