"""``liqcore features``: from trade files to a table of features, a row a bar."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InvalidConfigError
from .common import guarded, leverage_flag, resolve
from .outputs import RESULT, outputs
from .progress import progress_bar
from .report import input_warnings
from .run import collected_warnings

TABLES = (".csv", RESULT)


@guarded
def features(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="out.parquet or out.csv.")],
    bars: Annotated[str, typer.Option(help="Length of the bars: 1m, 5m, 1h; a row at the close of each.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILES", help="Files of trades, in any order; none where --candles stand for them."),
    ] = None,
    reaches: Annotated[str, typer.Option(help="Moves of the price, percent, rising.")] = "0.5,1,2,5",
    symbol: Annotated[
        str | None, typer.Option(help="Symbol, as the venue writes it. [default: from the files]")
    ] = None,
    venue: Annotated[str | None, typer.Option(help="Venue, such as binance-usdm.")] = None,
    window: Annotated[
        str | None, typer.Option(help="Length of the window of what was liquidated. [default: that of the bars]")
    ] = None,
    leverage: Annotated[
        str | None, typer.Option(help='Shares by leverage, such as "10:0.5,25:0.3,100:0.2", or a preset.')
    ] = None,
    warmup: Annotated[
        str | None, typer.Option(help="How old the book must be before it says anything. [default: no matter]")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="What opens and closes positions: flow, oi, blend. [default: oi where --open-interest is given, else "
            "flow]"
        ),
    ] = None,
    trigger: Annotated[
        str | None,
        typer.Option(help="What liquidates: last, mark or candle. [default: mark where --marks is given, else last]"),
    ] = None,
    marks: Annotated[str | None, typer.Option(metavar="FILE", help="File or pattern of mark prices.")] = None,
    open_interest: Annotated[str | None, typer.Option(metavar="FILE", help="File or pattern of open interest.")] = None,
    candles: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File or pattern of candles, in place of trades or for --trigger candle."),
    ] = None,
    tick_size: Annotated[
        float | None,
        typer.Option(help="Smallest price step; with --lot-size taken as it is. [default: from the files]"),
    ] = None,
    lot_size: Annotated[float | None, typer.Option(help="Smallest quantity step. [default: from the files]")] = None,
    half_life: Annotated[
        str | None,
        typer.Option(help='Time in which half of what is open closes: default, none, or "25:7d,100:1d" by leverage.'),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Settings: a TOML file, or a saved result. [default: liqcore.toml, if there]"
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only warnings and errors.")] = False,
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
    settings = resolve(
        config,
        {
            "instrument.symbol": symbol,
            "instrument.venue": venue,
            "instrument.tick_size": tick_size,
            "instrument.lot_size": lot_size,
            "window.length": window,
            "window.warmup": warmup,
            "model.name": model,
            "model.trigger": trigger,
            "model.half_life": half_life,
            "source.marks": marks,
            "source.open_interest": open_interest,
            "source.candles": candles,
            **leverage_flag(leverage),
        },
    )
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
        typer.echo(f"warning: {' '.join(warning.split())}", err=True)
    if not quiet:
        typer.echo(f"{len(found):,} bars of {bars}, {len(found.names)} features: {output}")
