"""``liqcore export``: a heatmap, map or zones in the shape of a commercial map's answer."""

from pathlib import Path
from typing import Annotated

import typer

from ..render.labels import caution
from .common import guarded, resolve
from .options import (
    At,
    ConfigForTrades,
    Files,
    Flags,
    NoBar,
    Tiers,
    ZoneThreshold,
    leverage_flag,
    output,
    with_settings,
)
from .outputs import JSON, inputs_of, outputs
from .view import check_at, json_text, open_view


@guarded
@with_settings("export")
def export(
    files: Files = None,
    *,
    output_: Annotated[list[Path] | None, output("out.json. [default: written to the terminal]")] = None,
    shape: Annotated[str, typer.Option(help='"coinglass-v4", "coinglass-v3" or "hyblock".')] = "coinglass-v4",
    what: Annotated[str, typer.Option(help='"heatmap", "map" or "zones".')] = "heatmap",
    at: At = None,
    threshold: ZoneThreshold = None,
    leverage: Tiers = None,
    flags: Flags,
    config: ConfigForTrades = None,
    quiet: NoBar = False,
) -> None:
    """
    Write a heatmap, its map or its zones in the shape of CoinGlass's or Hyblock's answers, for programs made for those.

    Amounts are USD on the scale of the heatmap; under "liqcore" the answer says so, and what else has no place in it.

    \b
    Examples:
      liqcore export btc.parquet -o heatmap.json
      liqcore export btc.parquet --what map --shape hyblock
      liqcore export btc.parquet --what zones --threshold p95 --at 2026-06-12T10:00

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    settings = resolve(config, {**flags, **leverage_flag(leverage)})
    paths = output_ or []
    with outputs(paths, inputs_of(files, settings, config), known=[JSON]) as write:
        view = open_view(files, settings, quiet=quiet)
        check_at(view, at)
        from ..vendors.files import export as exported  # here: help and errors come without the engine

        answer = exported(view, shape=shape, what=what, ts=at, threshold=threshold)
        write(json=lambda path: exported(view, path, shape=shape, what=what, ts=at, threshold=threshold))
    if not paths:
        typer.echo(json_text(answer))
        return
    for path in paths:
        typer.echo(f"written to  {path}")
    typer.echo(caution(view.meta))
