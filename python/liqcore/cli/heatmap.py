"""``liqcore heatmap``: from trade files to a picture or a result."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InvalidConfigError
from .common import guarded, resolve
from .options import ConfigFile, Flags, Outputs, Quiet, with_settings
from .progress import ProgressCallback
from .run import draw

if TYPE_CHECKING:
    from ..views.heatmap import Heatmap


@guarded
@with_settings("heatmap")
def heatmap(
    output: Outputs,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILES",
            help="Files of trades, in any order, or one of footprints; none where --candles stand for them.",
        ),
    ] = None,
    *,
    flags: Flags,
    config: ConfigFile = None,
    threads: Annotated[int, typer.Option(help="Threads to compute with; the result is the same.")] = 1,
    quiet: Quiet = False,
) -> None:
    """
    Draw or save the heatmap of a market from its trades.

    Settings come from the defaults, then the configuration file, then LIQCORE_* variables, then flags. An existing
    output file is replaced once the new one is complete.

    \b
    Examples:
      liqcore heatmap BTCUSDT-aggTrades-2026-06-1*.zip -o btc.png
      liqcore heatmap trades.parquet -o map.png -o map.parquet --window 1m --bin 20 --warmup 1d
      liqcore heatmap trades.csv.gz -o shorts.png --side short --last 24h --leverage "25:0.5,50:0.3,100:0.2"
      liqcore heatmap BTCUSDT-*.zip -o day.png --opened-within 24h --last 3d
      liqcore heatmap trades.csv.gz -o again.parquet --config map.parquet
      liqcore heatmap trades.zip -o btc.png --open-interest "BTCUSDT-metrics-*.zip" --marks "markPriceKlines/*.zip"
      liqcore heatmap --candles "BTCUSDT-1m-2026-03.zip" -o candles.png

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    settings = resolve(config, flags)
    if not files and settings.source.candles is None:
        raise InvalidConfigError("FILES of trades, or --candles, must be given")

    def compute(progress: ProgressCallback | None) -> "Heatmap":
        # Here, because it loads the engine: help and errors come without it.
        from ..runs.heatmap import heatmap_of_files

        return heatmap_of_files(files or None, config=settings, progress=progress, threads=threads)

    source = settings.source
    beside = (path for path in (source.marks, source.open_interest, source.candles) if path is not None)
    read = [*(files or ()), *beside]
    draw(compute, settings, output, read, quiet=quiet)
