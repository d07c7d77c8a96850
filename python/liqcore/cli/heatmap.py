"""``liqcore heatmap``: from trade files or a saved result to a picture, a result or a table."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InvalidConfigError
from .common import guarded, resolve
from .options import ConfigFile, Flags, Outputs, Quiet, with_settings
from .outputs import inputs_of
from .progress import ProgressCallback
from .run import draw
from .view import load_shown, refuse_terms, saved_of

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
            help="Files of trades, in any order, or one of footprints; or a saved heatmap (.parquet), to show a part "
            "of it or draw it again; none where --candles stand for trades, or for --positions.",
        ),
    ] = None,
    *,
    flags: Flags,
    config: ConfigFile = None,
    threads: Annotated[int, typer.Option(help="Threads to compute with; the result is the same.")] = 1,
    quiet: Quiet = False,
) -> None:
    """
    Draw or save the heatmap of a market from its trades, or show a saved one again.

    Settings come from the defaults, then the configuration file, then LIQCORE_* variables, then flags. An existing
    output file is replaced once the new one is complete.

    \b
    Examples:
      liqcore heatmap BTCUSDT-aggTrades-2026-06-1*.zip -o btc.png
      liqcore heatmap btc.parquet -o btc.html --last 24h
      liqcore heatmap trades.parquet -o map.png -o map.parquet --window 1m --bin 20 --warmup 1d
      liqcore heatmap trades.csv.gz -o shorts.png --side short --last 24h --leverage "25:0.5,50:0.3,100:0.2"
      liqcore heatmap BTCUSDT-*.zip -o day.png --opened-within 24h --last 3d
      liqcore heatmap btc.parquet -o shorts.png --side short --from 2026-06-12 --to 2026-06-13 --leverage 50,100
      liqcore heatmap btc.parquet -o btc.csv --last 24h --window 1h --threshold 10M
      liqcore heatmap trades.csv.gz -o again.parquet --config map.parquet
      liqcore heatmap trades.zip -o btc.png --open-interest "BTCUSDT-metrics-*.zip" --marks "markPriceKlines/*.zip"
      liqcore heatmap --candles "BTCUSDT-1m-2026-03.zip" -o candles.png
      liqcore heatmap --positions "positions-*.json" --candles perp-1h.csv -o real.png

    \b
    Exit codes:
      0    done
      2    wrong arguments, settings or files; no output file was touched
      130  interrupted; no output file was touched
    """
    saved = saved_of(files)
    settings = resolve(config, flags)
    if saved is not None:
        refuse_terms(settings)
    elif not files and settings.source.candles is None and settings.source.positions is None:
        raise InvalidConfigError("FILES of trades, a saved heatmap, --candles, or --positions, must be given")

    def compute(progress: ProgressCallback | None) -> "Heatmap":
        if saved is not None:
            return load_shown(saved, settings)
        # Here, because it loads the engine: help and errors come without it.
        from ..runs.heatmap import heatmap_of_files

        return heatmap_of_files(files or None, config=settings, progress=progress, threads=threads)

    draw(compute, settings, output, inputs_of(files, settings, config), quiet=quiet)
