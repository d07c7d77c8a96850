"""``liqcore footprints``: sum trade files into footprints, for heatmaps without the trades."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidConfigError
from ..words.plain import plain
from .common import guarded
from .options import Quiet, option, output
from .outputs import RESULT, outputs
from .progress import progress_bar
from .report import input_warnings
from .run import collected_warnings


@guarded
def footprints(
    output: Annotated[Path, output("out.parquet.")],
    files: Annotated[list[str], typer.Argument(metavar="FILES", help="Files of trades, in any order.")],
    symbol: Annotated[str | None, option("instrument.symbol")] = None,
    venue: Annotated[str | None, option("instrument.venue")] = None,
    contract: Annotated[str | None, option("instrument.contract")] = None,
    multiplier: Annotated[float | None, option("instrument.multiplier")] = None,
    span_bps: Annotated[float, typer.Option(help="How far the prices of a run may span, basis points.")] = 5.0,
    cut: Annotated[str, typer.Option(help="Runs end at multiples of this; windows must be multiples of it.")] = "1m",
    marks: Annotated[
        str | None, option("source.marks", "Mark prices, at which runs end too: needed for the trigger mark.")
    ] = None,
    outlier: Annotated[float | None, option("source.outlier")] = None,
    on_redenomination: Annotated[str | None, option("source.redenomination")] = None,
    quiet: Quiet = False,
) -> None:
    """
    Sum trades by price and aggressor into short runs, from which `liqcore heatmap` takes other tiers or price bins in
    a fraction of the time, with the same result.

    An existing output file is replaced once the new one is complete.

    \b
    Examples:
      liqcore footprints BTCUSDT-aggTrades-2026-06-*.zip -o btc.footprints.parquet
      liqcore heatmap btc.footprints.parquet -o wide.png --leverage "5:0.5,10:0.5"

    \b
    Exit codes:
      0    done
      2    wrong arguments or files; no output file was touched
      130  interrupted; no output file was touched
    """
    if output.suffix.lower() != RESULT:
        raise InvalidConfigError(f'-o must end in .parquet, was "{output}"')
    read = {"FILES": files, "--marks": [] if marks is None else [marks]}
    with outputs([output], read) as write, collected_warnings() as said:
        from ..runs.footprints import (
            footprints as run,  # here, because it loads the engine: help and errors come without it
        )

        with progress_bar("reading", not quiet) as progress:
            stream = run(
                files,
                symbol=symbol,
                venue=venue,
                contract=contract,
                multiplier=multiplier,
                span_bps=span_bps,
                cut=cut,
                marks=marks,
                outlier=outlier,
                on_redenomination=on_redenomination,
                progress=progress,
            )
        write(picture=stream.save, result=stream.save)
    for warning in dict.fromkeys([*said, *input_warnings({"inputs": stream.inputs})]):
        typer.echo(f"warning: {plain(warning)}", err=True)
    if not quiet:
        typer.echo(f"{stream.trades.sum():,} trades in {len(stream):,} runs and {len(stream.tick):,} entries: {output}")
