"""``liqcore features``: from trade files to a table of features, a row a bar."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidConfigError
from ..words.plain import plain
from .common import guarded, resolve
from .options import ConfigFile, Flags, Quiet, output, with_settings
from .outputs import RESULT, outputs
from .progress import progress_bar
from .report import input_warnings
from .run import collected_warnings

TABLES = (".csv", RESULT)


@guarded
@with_settings(
    "features",
    window="Length of the window of what was liquidated. [default: that of the bars]",
    warmup="How old the book must be before it says more than price and age. [default: no matter]",
    tick_size="Smallest price step; with --lot-size taken as it is. [default: from the files]",
)
def features(
    output: Annotated[Path, output("out.parquet or out.csv.")],
    bars: Annotated[str, typer.Option(help="Length of the bars: 1m, 5m, 1h; a row at the close of each.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILES", help="Files of trades, in any order; none where --candles stand for them."),
    ] = None,
    *,
    reaches: Annotated[str, typer.Option(help="Moves of the price, percent, rising.")] = "0.5,1,2,5",
    flags: Flags,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> None:
    """
    Write what the book says around the price at the close of every bar, as of then: a row a bar, for backtests.

    Settings come from the defaults, then the configuration file, then LIQCORE_* variables, then flags. An existing
    output file is replaced once the new one is complete.

    \b
    Examples:
      liqcore features BTCUSDT-aggTrades-2026-06-*.zip --bars 5m -o features.parquet --tick-size 0.1 --lot-size 0.001
      liqcore features trades.csv.gz --bars 1m -o features.csv --reaches 1,3 --warmup 1d

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    if output.suffix.lower() not in TABLES:
        raise InvalidConfigError(f'-o must end in .parquet or .csv, was "{output}"')
    try:
        moves = [float(reach) for reach in reaches.split(",")]
    except ValueError:
        raise InvalidConfigError(f'--reaches must be numbers such as "0.5,1,2,5", was "{reaches}"') from None
    settings = resolve(config, flags)
    source = settings.source
    if not files and source.candles is None:
        raise InvalidConfigError("FILES of trades, or --candles, must be given")
    beside = (path for path in (source.marks, source.open_interest, source.candles) if path is not None)
    with outputs([output], [*(files or ()), *beside], known=TABLES) as write, collected_warnings() as said:
        from ..runs.features import features as run  # here, because it loads the engine

        with progress_bar("reading", settings.log.progress and not quiet) as progress:
            found = run(files or None, bars, config=settings, reaches=moves, progress=progress)
        write(picture=found.save, result=found.save)
    for warning in dict.fromkeys([*said, *input_warnings(found.meta)]):
        typer.echo(f"warning: {plain(warning)}", err=True)
    if not quiet:
        typer.echo(f"{len(found):,} bars of {bars}, {len(found.names)} features: {output}")
