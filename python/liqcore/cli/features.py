"""``liqcore features``: from trade files to a table of features, a row a bar."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..config.config import Config
from ..errors import InvalidConfigError
from ..words.plain import plain
from .common import guarded, resolve
from .options import ConfigFile, Flags, Quiet, output, with_settings
from .outputs import RESULT, TABLE, inputs_of, outputs
from .progress import progress_bar
from .report import input_warnings
from .run import collected_warnings
from .view import is_saved_heatmap, refuse_terms

REACHES_TEXT = "0.5,1,2,5"


@guarded
@with_settings(
    "features",
    window="Length of the window of what was liquidated. [default: that of the bars]",
    warmup="How old the book must be before it says more than price and age. [default: no matter]",
    tick_size="Smallest price step; with --lot-size taken as it is. [default: from the files]",
    last="Write only the bars of this length of time before the end of the data. [default: all]",
    from_="Write only bars that close after this time (UTC). [default: from the first on]",
    to="Write only bars that have closed by this time (UTC). [default: up to the last]",
)
def features(
    output: Annotated[Path, output("out.parquet or out.csv.")],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES",
            help="Files of trades, in any order; or saved features (.parquet), to show a part of them; none where "
            "--candles stand for trades.",
        ),
    ] = None,
    *,
    bars: Annotated[
        str | None,
        typer.Option(help="Length of the bars: 1m, 5m, 1h; a row at the close of each. Required for trades."),
    ] = None,
    reaches: Annotated[str, typer.Option(help="Moves of the price, percent, rising.")] = REACHES_TEXT,
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
      liqcore features features.parquet -o june-12.csv --from 2026-06-12 --to 2026-06-13

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    try:
        moves = [float(reach) for reach in reaches.split(",")]
    except ValueError:
        raise InvalidConfigError(f'--reaches must be numbers such as "0.5,1,2,5", was "{reaches}"') from None
    settings = resolve(config, flags)
    saved = saved_features(files)
    if saved is not None:
        refuse_terms(settings)
        if bars is not None or reaches != REACHES_TEXT:
            raise InvalidConfigError(
                f"{'--reaches' if bars is None else '--bars'} goes with files of trades: {saved} has its own"
            )
    elif bars is None:
        raise InvalidConfigError("--bars must be given with files of trades, such as --bars 5m")
    elif not files and settings.source.candles is None:
        raise InvalidConfigError("FILES of trades, saved features, or --candles, must be given")
    read = inputs_of(files, settings, config)
    with outputs([output], read, known=[RESULT, TABLE]) as write, collected_warnings() as said:
        from ..runs.features import features as run  # here, because it loads the engine
        from ..runs.features import load_features

        if saved is not None:
            found = load_features(saved)
        else:
            with progress_bar("reading", settings.log.progress and not quiet) as progress:
                found = run(files or None, bars, config=settings, reaches=moves, progress=progress)
        span = {name: getattr(settings.window, name) for name in ("start", "end", "last")}
        found = found.select(**{name: value for name, value in span.items() if _is_flag(settings, name)})
        write(table=found.save, result=found.save)
    for warning in dict.fromkeys([*said, *input_warnings(found.meta)]):
        typer.echo(f"warning: {plain(warning)}", err=True)
    if not quiet:
        typer.echo(f"{len(found):,} bars of {found.meta['bars']}, {len(found.names)} features: {output}")


def _is_flag(settings: Config, name: str) -> bool:
    """Whether an option says it: bars of a configuration for pictures are not left out."""
    return settings.origin(f"window.{name}").startswith("flag ")


def saved_features(files: Sequence[str] | None) -> str | None:
    """Return the saved features that are to be read, told by their header; a saved heatmap is refused."""
    from ..runs.features import ARCHIVE_KEY
    from ..tables.archive import is_saved

    for path in files or ():
        if is_saved_heatmap(path):
            raise InvalidConfigError(
                f"FILES must be of trades, or saved features, {path} is a saved heatmap: it knows the book at the ends "
                "of its windows alone (liqcore zones, map), not what a strategy saw at the close of each bar. Give the "
                f"trades that it was made from, with --config {path} for its settings"
            )
        if is_saved(path, ARCHIVE_KEY):
            if len(files or ()) > 1:
                raise InvalidConfigError(
                    f"FILES must be of trades, or one file of saved features, was {len(files or ())}"
                )
            return path
    return None
